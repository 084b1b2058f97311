//! Where a hive lives on the running machine, told from its content first and from its path in the bundle last.

use crate::artifact::hive::{Hive, HiveKind};
use crate::artifact::security::Sid;

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
        HiveKind::User => return guess_user(hive, path, false),
        HiveKind::UserClasses => return guess_user(hive, path, true),
    };
    Guess::Machine(machine)
}

fn guess_user(hive: &Hive, path: &str, classes: bool) -> Guess {
    match hive.user_sid() {
        sid @ Some(_) => Guess::User { sid, name: profile_name(path), classes },
        None => guess_by_names(path, hive.base_block().base_name(), classes),
    }
}

/// The place of a user's hive whose root names no account: the two that belong to no person, and profiles that somebody has
/// changed by hand. `stored` is the file name in the hive's base block.
fn guess_by_names(path: &str, stored: &str, classes: bool) -> Guess {
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
    } else if stored.eq_ignore_ascii_case("DEFAULT") {
        "S-1-5-18"
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
            assert_eq!(guess_by_names(path, "NTUSER.DAT", false), expected, "{path}");
        }
        assert_eq!(guess_by_names("evidence-7", "DEFAULT", false), user(Some("S-1-5-18"), None));
    }
}
