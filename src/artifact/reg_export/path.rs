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
