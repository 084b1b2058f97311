//! Root keys: their long names, their short ones and PowerShell's, all to one form.

/// The predefined root keys, long and short (winreg.h; `reg /?` lists the short ones).
const ROOTS: [(&str, &str); 5] = [
    ("HKEY_LOCAL_MACHINE", "HKLM"),
    ("HKEY_CURRENT_USER", "HKCU"),
    ("HKEY_USERS", "HKU"),
    ("HKEY_CLASSES_ROOT", "HKCR"),
    ("HKEY_CURRENT_CONFIG", "HKCC"),
];

/// What may stand in front of a root: regedit's address bar and PowerShell's provider.
const PREFIXES: [&str; 5] =
    [r"Computer\", "Microsoft.PowerShell.Core\\Registry::", "Registry::", r"\\.\", r"\"];

/// A full registry path with its root in the short form: `HKEY_LOCAL_MACHINE\SYSTEM`, `HKLM:\SYSTEM` and `HKLM\SYSTEM` all give
/// `HKLM\SYSTEM`. `None` when it does not begin with a root key.
pub fn short_root(path: &str) -> Option<String> {
    let mut path = path.trim();
    for prefix in PREFIXES {
        if let Some(rest) = strip_prefix_ignore_case(path, prefix) {
            path = rest;
        }
    }
    let (root, rest) = path.split_once('\\').unwrap_or((path, ""));
    let root = root.strip_suffix(':').unwrap_or(root);
    let (_, short) = ROOTS
        .iter()
        .find(|(long, short)| long.eq_ignore_ascii_case(root) || short.eq_ignore_ascii_case(root))?;
    let rest = rest.trim_matches('\\');
    Some(if rest.is_empty() { (*short).to_owned() } else { format!("{short}\\{rest}") })
}

fn strip_prefix_ignore_case<'p>(text: &'p str, prefix: &str) -> Option<&'p str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default())
}

/// Parts of `HKLM\SOFTWARE` that both views share since Windows 7: "Registry keys affected by WOW64" in Microsoft's Win32
/// documentation (domain reference 2.5). Everything else below `HKLM\SOFTWARE` has a twin.
const SHARED: [&str; 41] = [
    "Wow6432Node",
    "Policies",
    "Classes",
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

/// Parts of the shared ones that are redirected after all (same source).
const REDIRECTED: [&str; 5] = [
    r"Classes\CLSID",
    r"Classes\DirectShow",
    r"Classes\Interface",
    r"Classes\Media Type",
    r"Classes\MediaFoundation",
];

/// Where a 64-bit Windows keeps the 32-bit view of a key of `HKLM\SOFTWARE` (short root name), if that is another place.
pub fn wow64_twin(path: &str) -> Option<String> {
    let rest = below(path, r"HKLM\SOFTWARE").filter(|rest| !rest.is_empty())?;
    let is_in = |list: &[&str]| list.iter().any(|key| below(rest, key).is_some());
    let shared = is_in(&SHARED) && !is_in(&REDIRECTED);
    (!shared).then(|| format!(r"HKLM\SOFTWARE\Wow6432Node\{rest}"))
}

/// What of `path` is below `top` (empty when they are the same), without regard to case; `None` when it lies elsewhere.
pub fn below<'p>(path: &'p str, top: &str) -> Option<&'p str> {
    if top.is_empty() {
        return Some(path);
    }
    let (head, rest) = path.split_at_checked(top.len())?;
    let same =
        head.eq_ignore_ascii_case(top) || (!head.is_ascii() && head.to_lowercase() == top.to_lowercase());
    if !same {
        return None;
    }
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('\\') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_root_gives_the_short_one() {
        for path in [
            r"HKEY_LOCAL_MACHINE\SYSTEM\Select",
            r"hklm\SYSTEM\Select\",
            r"HKLM:\SYSTEM\Select",
            r"Computer\HKEY_LOCAL_MACHINE\SYSTEM\Select",
            r"Microsoft.PowerShell.Core\Registry::HKEY_LOCAL_MACHINE\SYSTEM\Select",
        ] {
            assert_eq!(short_root(path).as_deref(), Some(r"HKLM\SYSTEM\Select"), "{path}");
        }
        assert_eq!(short_root("HKEY_USERS").as_deref(), Some("HKU"));
        assert_eq!(short_root(r"HKEY_LOCAL_MACHINES\SYSTEM"), None);
        assert_eq!(short_root(""), None);
    }
}
