//! Where a hive lives on the running machine, told from its content first and from its path in the bundle last.

use crate::artifact::hive::{Hive, HiveKind};
use crate::artifact::security::{SecurityDescriptor, Sid};

/// What may be said of a hive's place without looking at the other hives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guess {
    /// A fixed place.
    Machine(&'static str),
    /// A user's hive, or the classes part of one.
    User { sid: Option<Sid>, name: Option<String>, classes: bool },
    /// The template for new profiles, which is no user.
    Template,
    /// No live place.
    None,
}

/// The live place of a hive.
pub(super) fn guess(hive: &Hive, path: &str) -> Guess {
    let machine = match hive.kind() {
        HiveKind::System => r"HKLM\SYSTEM",
        HiveKind::Software => r"HKLM\SOFTWARE",
        HiveKind::Sam => r"HKLM\SAM",
        HiveKind::Security => r"HKLM\SECURITY",
        HiveKind::Components => r"HKLM\COMPONENTS",
        HiveKind::Bcd => r"HKLM\BCD00000000",
        HiveKind::Amcache | HiveKind::Other => return Guess::None,
        HiveKind::User => return guess_user(owner(hive), path, false),
        HiveKind::UserClasses => return guess_user(owner(hive), path, true),
    };
    Guess::Machine(machine)
}

fn guess_user(owner: Option<Sid>, path: &str, classes: bool) -> Guess {
    if owner.is_some() {
        return Guess::User { sid: owner, name: profile_name(path), classes };
    }
    let folders: Vec<String> = path.split(['/', '\\']).map(str::to_lowercase).collect();
    let (file, folders) = folders.split_last().map_or(("", &[][..]), |(file, rest)| (file.as_str(), rest));
    let has = |name: &str| folders.iter().any(|folder| folder.trim() == name);
    let sid = if has("networkservice") {
        "S-1-5-20"
    } else if has("localservice") {
        "S-1-5-19"
    } else if file == "default" || file.starts_with("default.") || file == ".default" {
        "S-1-5-18"
    } else if has("default") || has("default user") {
        return Guess::Template;
    } else {
        let name = profile_name(path);
        // Every profile names its user in the security of its root; the template's root names nobody.
        return if name.is_some() { Guess::User { sid: None, name, classes } } else { Guess::Template };
    };
    Guess::User { sid: Some(Sid(sid.to_owned())), name: None, classes }
}

/// The folder below `Users` (or `Documents and Settings`) in a path.
fn profile_name(path: &str) -> Option<String> {
    let mut parts = path.split(['/', '\\']);
    parts.find(|part| {
        part.eq_ignore_ascii_case("Users") || part.eq_ignore_ascii_case("Documents and Settings")
    })?;
    let name = parts.next()?;
    // A file right in `Users` is no profile.
    parts.next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// The account that a profile's hive is for: the one that its root key gives full access to.
fn owner(hive: &Hive) -> Option<Sid> {
    let descriptor = hive.root().ok()?.security().ok()?;
    account(&descriptor)
}

/// The one account with full access in a DACL that is neither an administrator group, the system, nor a package.
pub(super) fn account(descriptor: &SecurityDescriptor) -> Option<Sid> {
    const KEY_ALL_ACCESS: u32 = 0x000f_003f;
    const GENERIC_ALL: u32 = 0x1000_0000;
    let mut accounts: Vec<&Sid> = Vec::new();
    for ace in descriptor.dacl.iter().flatten() {
        let full = ace.mask & KEY_ALL_ACCESS == KEY_ALL_ACCESS || ace.mask & GENERIC_ALL != 0;
        if ace.kind == 0 && full && is_account(&ace.sid) && !accounts.contains(&&ace.sid) {
            accounts.push(&ace.sid);
        }
    }
    match accounts.as_slice() {
        [one] => Some((*one).clone()),
        _ => None,
    }
}

/// Local, domain and Entra accounts, and the two service accounts. Domain groups have relative ids from 502 to 999.
fn is_account(sid: &Sid) -> bool {
    let text = sid.0.as_str();
    if matches!(text, "S-1-5-19" | "S-1-5-20") || text.starts_with("S-1-12-1-") {
        return true;
    }
    let rid = text.rsplit('-').next().and_then(|rid| rid.parse::<u32>().ok());
    text.starts_with("S-1-5-21-") && rid.is_some_and(|rid| rid == 500 || rid == 501 || rid >= 1000)
}

/// What to collect for a place, in the words that a report uses.
pub(super) fn wanted(path: &str) -> &'static str {
    let mut parts = path.split('\\');
    let (root, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default().to_lowercase());
    match (root, second.as_str()) {
        ("HKLM", "system") => "SYSTEM hive",
        ("HKLM", "software") | ("HKCR", _) => "SOFTWARE hive",
        ("HKLM", "sam") => "SAM hive",
        ("HKLM", "security") => "SECURITY hive",
        ("HKLM", "components") => "COMPONENTS hive",
        ("HKLM", "bcd00000000") => "BCD hive",
        ("HKU", ".default") => "DEFAULT hive",
        ("HKU", "s-1-5-19") => "NTUSER.DAT of LOCAL SERVICE",
        ("HKU", "s-1-5-20") => "NTUSER.DAT of NETWORK SERVICE",
        ("HKU", user) if user.ends_with("_classes") => "UsrClass.dat of the user",
        ("HKU" | "HKCU", _) => "NTUSER.DAT of the user",
        _ => "registry",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::security::Ace;

    fn dacl(entries: &[(u32, &str)]) -> SecurityDescriptor {
        let dacl = entries
            .iter()
            .map(|(mask, sid)| Ace { kind: 0, flags: 3, mask: *mask, sid: Sid((*sid).to_owned()) })
            .collect();
        SecurityDescriptor { control: 0, owner: None, group: None, dacl: Some(dacl) }
    }

    #[test]
    fn the_root_security_names_the_user() {
        // The DACLs of a Windows 10 user profile, of NETWORK SERVICE and of the Default template, as independent readers
        // print them.
        let user = "S-1-5-21-2290304894-658537038-505560459-1001";
        let common = [
            (0xf003f, "S-1-5-18"),
            (0xf003f, "S-1-5-32-544"),
            (0x20019, "S-1-5-12"),
            (0x20019, "S-1-15-2-1"),
        ];
        let with = |sid: &'static str| {
            let mut entries = vec![(0xf003f, sid)];
            entries.extend(common);
            account(&dacl(&entries)).map(|sid| sid.0)
        };
        assert_eq!(with("S-1-5-21-2290304894-658537038-505560459-1001").as_deref(), Some(user));
        assert_eq!(with("S-1-5-20").as_deref(), Some("S-1-5-20"));
        let template = [
            (0x20019, "S-1-5-32-545"),
            (0xf003f, "S-1-5-32-544"),
            (0xf003f, "S-1-5-18"),
            (0xf003f, "S-1-3-0"),
        ];
        assert_eq!(account(&dacl(&template)), None);
        let group = [(0xf003f, "S-1-5-21-1-2-3-512")];
        assert_eq!(account(&dacl(&group)), None);
    }

    #[test]
    fn the_path_tells_what_the_security_does_not() {
        let user = |sid: Option<&str>, name: Option<&str>| Guess::User {
            sid: sid.map(|sid| Sid(sid.to_owned())),
            name: name.map(str::to_owned),
            classes: false,
        };
        for (path, expected) in [
            ("C/Windows/ServiceProfiles/NetworkService/NTUSER.DAT", user(Some("S-1-5-20"), None)),
            (r"Windows\ServiceProfiles\LocalService\NTUSER.DAT", user(Some("S-1-5-19"), None)),
            ("Windows/System32/config/DEFAULT", user(Some("S-1-5-18"), None)),
            ("C/Users/Default/NTUSER.DAT", Guess::Template),
            ("C/Users/jane/NTUSER.DAT", user(None, Some("jane"))),
            ("NTUSER.DAT", Guess::Template),
        ] {
            assert_eq!(guess_user(None, path, false), expected, "{path}");
        }
    }
}
