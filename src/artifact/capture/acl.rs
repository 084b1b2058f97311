//! `Get-Acl`: owner, access list and security descriptor of a key, file or folder.
//!
//! Account names are translated (`NT-AUTORITÄT\Netzwerkdienst`), the descriptor in `Sddl` is not: it is kept as text for the
//! reader of security descriptors. The access list serves where `Sddl` is not printed.

mod json;

use serde::Serialize;

use super::shape::{Form as ObjectForm, Object, failed, objects};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// One entry for each object that was asked for.
    pub objects: Vec<Acl>,
}

/// Security of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Acl {
    /// 1-based line where it begins.
    pub line: u32,
    /// `Path` with its provider (`Microsoft.PowerShell.Core\Registry::HKEY_USERS\S-1-5-20`).
    pub path: Option<String>,
    /// `Owner`.
    pub owner: Option<String>,
    /// `Group`.
    pub group: Option<String>,
    /// `Access`, in its order.
    pub access: Vec<Rule>,
    /// Every rule of the access list was read, and `Sddl` has as many. Only then does the lack of a rule mean something: a list
    /// that lost a line looks like a shorter one.
    pub access_complete: bool,
    /// `Sddl` and where it stands, wrapped lines joined.
    pub sddl: Option<Sddl>,
}

/// A security descriptor as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sddl {
    /// 1-based line.
    pub line: u32,
    /// The descriptor.
    pub value: String,
}

/// One access rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// 1-based line.
    pub line: u32,
    /// Account name or SID, in the system's language.
    pub account: String,
    /// Allow or deny.
    pub access: Access,
    /// Rights as printed: English words, or a signed number for generic rights.
    pub rights: Vec<String>,
    /// Inherited from above; only told by JSON.
    pub inherited: Option<bool>,
}

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// `Allow`.
    Allow,
    /// `Deny`.
    Deny,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Acl, recognise, starts: |_| false, read };

/// A console never breaks a line shorter than this.
const NARROWEST_CONSOLE: usize = 79;

fn recognise(block: &Block<'_>) -> u8 {
    const KEYS: [&str; 5] = ["Path", "Owner", "Group", "Access", "Sddl"];
    let mut seen = [false; KEYS.len()];
    for (_, line) in block.lines() {
        let line = line.trim_start();
        let key = line.strip_prefix('"').map_or_else(
            || line.split_once(" :").or_else(|| line.split_once(':')).map(|(key, _)| key.trim()),
            |rest| rest.split_once('"').map(|(key, _)| key),
        );
        for (seen, name) in seen.iter_mut().zip(KEYS) {
            *seen |= key == Some(name);
        }
    }
    match (seen, seen.iter().filter(|seen| **seen).count()) {
        ([.., true], 3..) | ([_, true, _, true, _], 3..) => 92,
        _ => 0,
    }
}

/// The pieces of a wrapped value belong together without anything between.
fn joined(object: &Object, name: &str) -> Option<(u32, String)> {
    let property = object.property(name)?;
    let text = property.cell.text()?;
    Some((property.line, text.replace('\n', "")))
}

/// `BUILTIN\Users Allow  ReadKey`: the word stands between blanks, and accounts may hold blanks too.
fn rule(line: u32, text: &str) -> Option<Rule> {
    let words = [(" Allow ", Access::Allow), (" Deny ", Access::Deny)];
    let (account, access, rights) = words.iter().find_map(|(word, access)| {
        let (account, rights) = text.split_once(word)?;
        Some((account.trim(), *access, rights.trim()))
    })?;
    let rights: Vec<String> =
        rights.split(',').map(|right| right.trim().to_owned()).filter(|right| !right.is_empty()).collect();
    (!account.is_empty() && !rights.is_empty()).then(|| Rule {
        line,
        account: account.to_owned(),
        access,
        rights,
        inherited: None,
    })
}

/// The rules of the list form, one a line. A line without its word is only joined with the next one when it reaches as far as a
/// console does; `false` when something is left over.
fn rules(block: &Block<'_>, object: &Object) -> (Vec<Rule>, bool) {
    let Some(property) = object.property("Access") else { return (Vec::new(), false) };
    let text = property.cell.text().unwrap_or_default();
    let mut rules = Vec::new();
    let mut complete = true;
    let mut broken: Option<(u32, String)> = None;
    for (number, piece) in (property.line..).zip(text.lines()) {
        let (line, whole) = match broken.take() {
            Some((line, start)) => (line, start + piece.trim()),
            None => (number, piece.trim().to_owned()),
        };
        match rule(line, &whole) {
            Some(rule) => rules.push(rule),
            None if block.text.line(number).chars().count() >= NARROWEST_CONSOLE => {
                broken = Some((line, whole))
            }
            None => complete &= whole.is_empty(),
        }
    }
    (rules, complete && broken.is_none())
}

/// Number of entries of the access list in a descriptor; the audit list behind `S:` has its own.
fn entries(sddl: &str) -> usize {
    let list = sddl.split_once("D:").map_or(sddl, |(_, list)| list);
    let list = list.split_once(")S:").map_or(list, |(list, _)| list);
    list.matches('(').count()
}

fn acl(block: &Block<'_>, object: &Object) -> Option<Acl> {
    if !object.has("Owner") && !object.has("Sddl") {
        return None;
    }
    let text = |name: &str| joined(object, name).map(|(_, text)| text);
    let (access, whole) = rules(block, object);
    let sddl = joined(object, "Sddl").map(|(line, value)| Sddl { line, value });
    let access_complete = whole && sddl.as_ref().is_some_and(|sddl| entries(&sddl.value) == access.len());
    Some(Acl {
        line: object.line,
        path: text("Path"),
        owner: text("Owner"),
        group: text("Group"),
        access,
        access_complete,
        sddl,
    })
}

fn read(block: &Block<'_>) -> Reading {
    let found = objects(block);
    let data = match found.form {
        ObjectForm::Json => Data { objects: json::acls(block) },
        _ => Data { objects: found.objects.iter().filter_map(|object| acl(block, object)).collect() },
    };
    if data.objects.is_empty() {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("no access list could be read"));
    }
    let reason = data.objects.iter().find_map(|acl| match (acl.access_complete, &acl.sddl) {
        (false, None) => Some(format!("the listing of the object at line {} ends before its Sddl", acl.line)),
        (false, Some(sddl)) => Some(format!(
            "the access list of the object at line {} holds {} rules and its Sddl {}",
            acl.line,
            acl.access.len(),
            entries(&sddl.value)
        )),
        (true, _) => None,
    });
    Reading::of(CaptureData::Acl(data), reason)
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> (CaptureStatus, Data) {
        let text = Text::decode(text.as_bytes());
        let block = Block::whole(&text);
        assert!(recognise(&block) > 50);
        let reading = read(&block);
        match reading.data {
            CaptureData::Acl(data) => (reading.status, data),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wrapped_descriptors_are_joined_and_deny_is_seen() {
        let (status, data) = of(
            "\nPath   : Microsoft.PowerShell.Core\\Registry::HKEY_USERS\\S-1-5-20\nOwner  : VORDEFINIERT\\Administratoren\n\
             Group  : NT-AUTORITÄT\\SYSTEM\nAccess : NT-AUTORITÄT\\Netzwerkdienst Deny  SetValue, CreateSubKey\n\
             \u{20}        NT-AUTORITÄT\\SYSTEM Allow  FullControl\nAudit  : \n\
             Sddl   : O:BAG:SYD:P(D;OICI;DCLC;;;NS)(A;OICI;KA;;\n         ;SY)\n\n",
        );
        assert_eq!(status, CaptureStatus::Parsed);
        let acl = &data.objects[0];
        assert_eq!(acl.sddl.as_ref().unwrap().value, "O:BAG:SYD:P(D;OICI;DCLC;;;NS)(A;OICI;KA;;;SY)");
        assert_eq!((acl.access[0].access, acl.access[0].rights.len()), (Access::Deny, 2));
        assert_eq!(acl.access[1].account, "NT-AUTORITÄT\\SYSTEM");
    }

    #[test]
    fn a_cut_rule_does_not_swallow_the_next_one() {
        let (status, data) = of(
            "Path   : x\nOwner  : a\nGroup  : b\nAccess : NT AUTHORITY\\NETW\n         NT AUTHORITY\\SYSTEM Allow  FullControl\n",
        );
        assert_eq!(status, CaptureStatus::Partial);
        assert_eq!(data.objects[0].access.len(), 1);
        assert_eq!(data.objects[0].access[0].account, "NT AUTHORITY\\SYSTEM");
        assert!(!data.objects[0].access_complete);
    }

    #[test]
    fn the_json_form() {
        let (status, data) = of(
            "{\n  \"Path\": \"Microsoft.PowerShell.Core\\\\Registry::HKEY_USERS\\\\S-1-5-20\",\n  \"Owner\": \"BUILTIN\\\\Administrators\",\n  \"Group\": \"NT AUTHORITY\\\\SYSTEM\",\n  \"Access\": [\n    {\"RegistryRights\": 983103, \"AccessControlType\": 0, \"IdentityReference\": {\"Value\": \"NT AUTHORITY\\\\NETWORK SERVICE\"}, \"IsInherited\": false},\n    {\"RegistryRights\": \"ReadKey\", \"AccessControlType\": \"Deny\", \"IdentityReference\": \"Everyone\", \"IsInherited\": true}\n  ],\n  \"Sddl\": \"O:BAG:SYD:P(A;OICI;KA;;;NS)(D;;KR;;;WD)\"\n}\n",
        );
        assert_eq!(status, CaptureStatus::Parsed);
        let acl = &data.objects[0];
        assert_eq!(acl.access[0].account, "NT AUTHORITY\\NETWORK SERVICE");
        assert_eq!((acl.access[0].access, acl.access[0].rights[0].as_str()), (Access::Allow, "983103"));
        assert_eq!((acl.access[1].access, acl.access[1].inherited), (Access::Deny, Some(true)));
        assert_eq!(acl.sddl.as_ref().unwrap().value, "O:BAG:SYD:P(A;OICI;KA;;;NS)(D;;KR;;;WD)");
    }
}
