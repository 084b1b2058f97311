//! The security of a registry key, from a hive or from what `Get-Acl` printed, and what an account may do with the key.

use crate::artifact::capture::acl::{Access, Acl, Rule};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::security::{
    Ace, CONTAINER_INHERIT, KEY_ALL_ACCESS, KEY_READ, KEY_WRITE, OBJECT_INHERIT, SecurityDescriptor, Sid,
};
use crate::checks::case::Case;
use crate::evidence::{Lookup, Sourced, captures};

/// `ACCESS_ALLOWED_ACE_TYPE` and `ACCESS_DENIED_ACE_TYPE`.
const ALLOW: u8 = 0;
const DENY: u8 = 1;

/// The security of a key. A hive that was closed cleanly is believed before a text; a difference is a doubt.
pub fn of_key(case: &Case<'_>, path: &str) -> Lookup<SecurityDescriptor> {
    let stored = case.evidence.registry.security(path);
    let Some(mut printed) = printed(case, path) else { return stored };
    let Lookup::Found(mut stored) = stored else { return Lookup::Found(printed) };
    if stored.value.dacl != printed.value.dacl {
        let doubt = "The hive and the output of Get-Acl do not show the same permissions.".to_owned();
        let hive_is_sound = stored.source.doubts.is_empty();
        stored.source.doubts.push(doubt.clone());
        printed.source.doubts.push(doubt);
        if !hive_is_sound {
            return Lookup::Found(printed);
        }
    }
    Lookup::Found(stored)
}

/// What `Get-Acl` printed for the key, the last time that it did.
fn printed(case: &Case<'_>, path: &str) -> Option<Sourced<SecurityDescriptor>> {
    let wanted = path.replacen("HKU", "HKEY_USERS", 1);
    let mut found = None;
    for capture in case.evidence.captures.each(CaptureKind::Acl) {
        let CaptureData::Acl(data) = &capture.value.data else { continue };
        for acl in data.objects.iter().filter(|acl| is_of(acl, &wanted)) {
            let artifact = capture.source.artifact;
            let sddl = acl.sddl.as_ref().and_then(|sddl| {
                let value = SecurityDescriptor::from_sddl(&sddl.value).ok()?;
                Some(Sourced { value, source: captures::line(artifact, sddl.line) })
            });
            let listed =
                || Some(Sourced { value: from_rules(acl)?, source: captures::line(artifact, acl.line) });
            found = sddl.or_else(listed).or(found);
        }
    }
    found
}

/// `Microsoft.PowerShell.Core\Registry::HKEY_USERS\S-1-5-20`.
fn is_of(acl: &Acl, wanted: &str) -> bool {
    let path = acl.path.as_deref().unwrap_or_default();
    let path = path.rsplit_once("::").map_or(path, |(_, path)| path);
    path.trim_end_matches('\\').eq_ignore_ascii_case(wanted)
}

/// Names that `Get-Acl` prints on an English Windows.
const ACCOUNTS: &[(&str, &str)] = &[
    (r"NT AUTHORITY\NETWORK SERVICE", Sid::NETWORK_SERVICE),
    (r"NT AUTHORITY\SYSTEM", Sid::SYSTEM),
    (r"BUILTIN\Administrators", Sid::ADMINISTRATORS),
    (r"NT AUTHORITY\RESTRICTED", "S-1-5-12"),
    (r"NT AUTHORITY\Authenticated Users", Sid::AUTHENTICATED_USERS),
    ("Everyone", Sid::EVERYONE),
    (r"APPLICATION PACKAGE AUTHORITY\ALL APPLICATION PACKAGES", "S-1-15-2-1"),
];

/// Words of `RegistryRights` (.NET).
const RIGHTS: &[(&str, u32)] = &[
    ("FullControl", KEY_ALL_ACCESS),
    ("ReadKey", KEY_READ),
    ("ExecuteKey", KEY_READ),
    ("WriteKey", KEY_WRITE),
    ("QueryValues", 0x1),
    ("SetValue", 0x2),
    ("CreateSubKey", 0x4),
    ("EnumerateSubKeys", 0x8),
    ("Notify", 0x10),
    ("CreateLink", 0x20),
    ("Delete", 0x1_0000),
    ("ReadPermissions", 0x2_0000),
    ("ChangePermissions", 0x4_0000),
    ("TakeOwnership", 0x8_0000),
];

/// A descriptor out of the access list, where `Sddl` was not printed. The list does not show what subkeys inherit: that is taken to be
/// as it should be. `None` when a rule was not read, or when an account name that is not English could be the service.
fn from_rules(acl: &Acl) -> Option<SecurityDescriptor> {
    if !acl.access_complete {
        return None;
    }
    let entries: Option<Vec<Ace>> = acl.access.iter().map(entry).collect();
    Some(SecurityDescriptor { control: 0, owner: None, group: None, dacl: Some(entries?) })
}

fn entry(rule: &Rule) -> Option<Ace> {
    let named = ACCOUNTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&rule.account));
    let sid = match named {
        Some((_, sid)) => Sid::new(*sid),
        None if rule.account.starts_with("S-1-") => Sid::new(rule.account.clone()),
        None => return None,
    };
    let mask = rule.rights.iter().map(|word| right(word)).collect::<Option<Vec<u32>>>()?;
    Some(Ace {
        kind: if rule.access == Access::Allow { ALLOW } else { DENY },
        flags: CONTAINER_INHERIT | OBJECT_INHERIT,
        mask: mask.into_iter().fold(0, |all, bits| all | bits),
        sid,
    })
}

/// A word, or a signed number for generic rights (268435456 = all, -2147483648 = read).
fn right(word: &str) -> Option<u32> {
    let named = RIGHTS.iter().find(|(name, _)| *name == word).map(|(_, bits)| *bits);
    named.or_else(|| word.parse::<i32>().ok().map(i32::cast_unsigned)).or_else(|| word.parse().ok())
}

/// What an account gets on a key, by the rules for checking access: entries in their order, a right that was given first is not taken by
/// a later denial.
pub struct Rights {
    /// Rights that the account's own entries give, denials of everyone taken off.
    pub given: u32,
    /// Rights that an entry allows but an earlier one denies.
    pub denied: u32,
    /// Rights that subkeys inherit.
    pub inherited: u32,
    /// Whether there is any entry that allows the account something on the key itself.
    pub listed: bool,
}

/// Rights of an account. Denials count for it, for everyone and for authenticated users (domain.md 5.11).
pub fn rights(dacl: &[Ace], sid: &str) -> Rights {
    let own = Sid::new(sid);
    let denying = [sid, Sid::EVERYONE, Sid::AUTHENTICATED_USERS];
    let mut rights = Rights { given: 0, denied: 0, inherited: 0, listed: false };
    let mut refused = 0;
    for ace in dacl {
        let mask = ace.mapped_mask();
        if ace.is_allow() && ace.sid == own {
            if ace.applies_here() {
                rights.listed = true;
                rights.given |= mask & !refused;
            }
            if ace.flags & CONTAINER_INHERIT != 0 {
                rights.inherited |= mask;
            }
        } else if ace.is_deny() && ace.applies_here() && denying.contains(&ace.sid.as_str()) {
            refused |= mask & !rights.given;
        }
    }
    rights.denied = refused & KEY_ALL_ACCESS;
    rights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sddl(text: &str) -> Vec<Ace> {
        SecurityDescriptor::from_sddl(text).unwrap().dacl.unwrap()
    }

    #[test]
    fn order_decides_between_a_grant_and_a_denial() {
        // [MS-DTYP] 2.5.3.2: entries are gone through in their order, and a right that was granted stays granted.
        let before = rights(&sddl("D:(D;OICI;KW;;;WD)(A;OICI;KA;;;NS)"), Sid::NETWORK_SERVICE);
        assert_eq!((before.given & 0x6, before.denied), (0, KEY_WRITE));
        let after = rights(&sddl("D:(A;OICI;KA;;;NS)(D;OICI;KW;;;WD)"), Sid::NETWORK_SERVICE);
        assert_eq!((after.given, after.denied), (KEY_ALL_ACCESS, 0));
    }

    #[test]
    fn split_grants_are_summed() {
        // domain.md 5.11: Windows XP splits each grant in a plain entry and an inherit-only one with generic rights.
        let split = rights(&sddl("D:(A;;KA;;;NS)(A;OICIIO;GA;;;NS)"), Sid::NETWORK_SERVICE);
        assert_eq!((split.given, split.inherited, split.listed), (KEY_ALL_ACCESS, KEY_ALL_ACCESS, true));
        let only_below = rights(&sddl("D:(A;OICIIO;GA;;;NS)"), Sid::NETWORK_SERVICE);
        assert_eq!((only_below.given, only_below.listed), (0, false));
    }

    #[test]
    fn an_access_list_with_names_in_another_language_tells_nothing() {
        // text_formats.md 4.20: account names are localised, rights are not; generic rights are signed numbers.
        let rule = |account: &str, right: &str| Rule {
            line: 1,
            account: account.to_owned(),
            access: Access::Allow,
            rights: vec![right.to_owned()],
            inherited: None,
        };
        let acl = |rules: Vec<Rule>| Acl { access: rules, access_complete: true, ..Acl::default() };
        assert_eq!(from_rules(&acl(vec![rule(r"NT-AUTORITÄT\Netzwerkdienst", "FullControl")])), None);
        let read = from_rules(&acl(vec![rule(r"NT AUTHORITY\NETWORK SERVICE", "268435456")])).unwrap();
        assert_eq!(rights(&read.dacl.unwrap(), Sid::NETWORK_SERVICE).given, KEY_ALL_ACCESS);
        assert_eq!(right("-2147483648"), Some(0x8000_0000));
    }
}
