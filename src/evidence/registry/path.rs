//! Registry paths: one spelling for each place, and the 32-bit twin of a place.

use crate::artifact::reg_export::short_root;

/// A path as the view keeps it: short root name, the same account under one name, `Software\Classes` of a user under the name
/// of the hive that it really is in. `None` when it does not begin with a root key.
pub(super) fn canonical(path: &str) -> Option<String> {
    let path = short_root(path)?;
    let Some((user, rest)) = strip_root(&path, "HKU").and_then(|rest| {
        let (user, rest) = rest.split_once('\\').unwrap_or((rest, ""));
        (!user.is_empty()).then_some((user, rest))
    }) else {
        return Some(path);
    };
    let user = if fold(user) == "s-1-5-18" { ".DEFAULT" } else { user };
    Some(match below(rest, r"Software\Classes") {
        Some(rest) => join(&format!(r"HKU\{user}_Classes"), rest),
        None => join(&format!(r"HKU\{user}"), rest),
    })
}

fn strip_root<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    path.strip_prefix(root)?.strip_prefix('\\')
}

/// A path with all differences of case taken out; registry names are compared without regard to case.
pub(super) fn fold(path: &str) -> String {
    path.to_lowercase()
}

/// What of `path` is below `top` (empty when they are the same); `None` when it lies elsewhere.
pub(super) fn below<'p>(path: &'p str, top: &str) -> Option<&'p str> {
    if top.is_empty() {
        return Some(path);
    }
    let (head, rest) = path.split_at_checked(top.len())?;
    if fold(head) != fold(top) {
        return None;
    }
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('\\') }
}

/// Two parts of a path with `\` between, either of which may be empty.
pub(super) fn join(top: &str, rest: &str) -> String {
    match (top.is_empty(), rest.is_empty()) {
        (_, true) => top.to_owned(),
        (true, false) => rest.to_owned(),
        (false, false) => format!("{top}\\{rest}"),
    }
}

/// The key above; `None` at a root.
pub(super) fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('\\').map(|(parent, _)| parent)
}

/// The path itself and every key above it, from the inside out.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| parent(path))
}

/// Parts of `HKLM\SOFTWARE` that both views share since Windows 7: "Registry keys affected by WOW64" in Microsoft's Win32
/// documentation (domain reference 2.5). Everything else below `HKLM\SOFTWARE` has a twin.
const SHARED: [&str; 40] = [
    "Wow6432Node",
    "Policies",
    "Clients",
    "RegisteredApplications",
    r"Microsoft\COM3",
    r"Microsoft\CTF\SystemShared",
    r"Microsoft\CTF\TIP",
    r"Microsoft\Cryptography\Calais\Current",
    r"Microsoft\Cryptography\Calais\Readers",
    r"Microsoft\Cryptography\Services",
    r"Microsoft\DFS",
    r"Microsoft\Driver Signing",
    r"Microsoft\EnterpriseCertificates",
    r"Microsoft\EventSystem",
    r"Microsoft\MSMQ",
    r"Microsoft\Non-Driver Signing",
    r"Microsoft\Notepad\DefaultFonts",
    r"Microsoft\OLE",
    r"Microsoft\RAS",
    r"Microsoft\RPC",
    r"Microsoft\Shared Tools\MSInfo",
    r"Microsoft\SystemCertificates",
    r"Microsoft\TermServLicensing",
    r"Microsoft\Transaction Server",
    r"Microsoft\Windows\CurrentVersion\App Paths",
    r"Microsoft\Windows\CurrentVersion\Control Panel\Cursors\Schemes",
    r"Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers",
    r"Microsoft\Windows\CurrentVersion\Explorer\DriveIcons",
    r"Microsoft\Windows\CurrentVersion\Explorer\KindMap",
    r"Microsoft\Windows\CurrentVersion\Group Policy",
    r"Microsoft\Windows\CurrentVersion\Policies",
    r"Microsoft\Windows\CurrentVersion\PreviewHandlers",
    r"Microsoft\Windows\CurrentVersion\Setup",
    r"Microsoft\Windows\CurrentVersion\Telephony\Locations",
    r"Microsoft\Windows NT\CurrentVersion\Fonts",
    r"Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
    r"Microsoft\Windows NT\CurrentVersion\NetworkCards",
    r"Microsoft\Windows NT\CurrentVersion\Perflib",
    r"Microsoft\Windows NT\CurrentVersion\ProfileList",
    r"Microsoft\Windows NT\CurrentVersion\Time Zones",
];

/// Where 32-bit programs see this key, if that is another place: `HKLM\SOFTWARE\Microsoft\Office` gives
/// `HKLM\SOFTWARE\Wow6432Node\Microsoft\Office`; shared keys, users' keys and all of `HKLM\SYSTEM` give `None`. Only a 64-bit
/// Windows has the twins.
pub fn twin(path: &str) -> Option<String> {
    let path = canonical(path)?;
    let rest = below(&path, r"HKLM\SOFTWARE").filter(|rest| !rest.is_empty())?;
    let shared = SHARED.iter().any(|shared| below(rest, shared).is_some());
    (!shared).then(|| join(r"HKLM\SOFTWARE\Wow6432Node", rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_spelling() {
        for (given, expected) in [
            (r"HKEY_USERS\S-1-5-18\Software", r"HKU\.DEFAULT\Software"),
            (r"HKU\S-1-5-21-1-2-3-1001\Software\Classes\CLSID", r"HKU\S-1-5-21-1-2-3-1001_Classes\CLSID"),
            (r"HKU\S-1-5-20\Software\ClassesOfMine", r"HKU\S-1-5-20\Software\ClassesOfMine"),
            (r"HKLM\SYSTEM\", r"HKLM\SYSTEM"),
        ] {
            assert_eq!(canonical(given).as_deref(), Some(expected));
        }
        assert_eq!(canonical(r"Software\Microsoft"), None);
    }

    #[test]
    fn only_redirected_keys_have_a_twin() {
        // domain.md 2.5.
        assert_eq!(
            twin(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp").as_deref(),
            Some(r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp")
        );
        for shared in [
            r"HKLM\SOFTWARE\Policies\Microsoft\Windows",
            r"HKLM\Software\Microsoft\SystemCertificates\ROOT",
            r"HKLM\SOFTWARE\Microsoft\EnterpriseCertificates",
            r"HKLM\SOFTWARE\microsoft\Windows\CurrentVersion\Policies\System",
            r"HKLM\SOFTWARE\WOW6432Node\Microsoft",
            r"HKLM\SYSTEM\CurrentControlSet",
            r"HKU\S-1-5-20\Software\Microsoft",
            r"HKLM\SOFTWARE",
        ] {
            assert_eq!(twin(shared), None, "{shared}");
        }
    }
}
