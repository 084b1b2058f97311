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
    let stored = hive.base_block();
    // A service profile may have lost its account's entry and got a person's instead, which is one of the faults looked for. Only
    // the whole folder name beats the name that the hive itself stores.
    let in_users = stored.file_name.to_lowercase().contains(r"\users\");
    let whole = path.to_lowercase().replace('\\', "/").contains("serviceprofiles/");
    if let Some(sid) = service_profile(path).filter(|_| whole || !in_users) {
        return Guess::User { sid: Some(sid), name: None, classes };
    }
    let security = hive.root_security();
    let person = || {
        let entries = security.as_ref().ok()?.dacl.as_ref()?;
        entries.iter().find(|ace| ace.is_allow() && ace.sid.is_person()).map(|ace| ace.sid.clone())
    };
    match hive.user_sid().or_else(person) {
        sid @ Some(_) => Guess::User { sid, name: profile_name(path), classes },
        None => guess_by_names(path, stored.base_name(), classes, security.is_ok()),
    }
}

/// The service account whose profile folder a path is in.
fn service_profile(path: &str) -> Option<Sid> {
    path.split(['/', '\\']).find_map(|folder| match folder.to_lowercase().as_str() {
        "networkservice" => Some(Sid::new(Sid::NETWORK_SERVICE)),
        "localservice" => Some(Sid::new(Sid::LOCAL_SERVICE)),
        _ => None,
    })
}

/// The place of a user's hive whose root names no account: the hive of SYSTEM, the template, and profiles whose security is
/// damaged. `stored` is the file name in the hive's base block.
fn guess_by_names(path: &str, stored: &str, classes: bool, security_is_sound: bool) -> Guess {
    let parts: Vec<String> = path.split(['/', '\\']).map(str::to_lowercase).collect();
    let (file, folders) = parts.split_last().map_or(("", &[][..]), |(file, rest)| (file.as_str(), rest));
    let in_folder = |name: &str| folders.iter().any(|folder| folder.trim() == name);
    let is_default = |name: &str| name == "default" || name == ".default" || name.starts_with("default.");
    if is_default(file) || (stored.eq_ignore_ascii_case("DEFAULT") && !in_folder("default")) {
        return Guess::User { sid: Some(Sid::new(Sid::SYSTEM)), name: None, classes };
    }
    if in_folder("default") || in_folder("default user") {
        return Guess::Template;
    }
    // Every profile names its user in the security of its root; the template's root names nobody.
    match profile_name(path) {
        None if security_is_sound => Guess::Template,
        name => Guess::User { sid: None, name, classes },
    }
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
            ("Windows/System32/config/DEFAULT", user(Some("S-1-5-18"), None)),
            ("C/Users/Default/NTUSER.DAT", Guess::Template),
            ("C/Users/jane/NTUSER.DAT", user(None, Some("jane"))),
            ("NTUSER.DAT", Guess::Template),
        ] {
            assert_eq!(guess_by_names(path, "ntuser.dat", false, true), expected, "{path}");
        }
        assert_eq!(guess_by_names("NTUSER.DAT", "ntuser.dat", false, false), user(None, None));
        let service = |path| service_profile(path).map(|sid| sid.0);
        assert_eq!(
            service("C/Windows/ServiceProfiles/NetworkService/NTUSER.DAT").as_deref(),
            Some("S-1-5-20")
        );
        assert_eq!(service(r"Windows\ServiceProfiles\LocalService\NTUSER.DAT").as_deref(), Some("S-1-5-19"));
        assert_eq!(service("C/Users/jane/NTUSER.DAT"), None);
        assert_eq!(guess_by_names("evidence-7", "DEFAULT", false, true), user(Some("S-1-5-18"), None));
    }
}
