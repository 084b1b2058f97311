//! Registry paths: one spelling for each place, and the 32-bit twin of a place.

pub(super) use crate::artifact::reg_export::below;
use crate::artifact::reg_export::{short_root, wow64_twin};

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

/// Where 32-bit programs see this key, if that is another place: `HKLM\SOFTWARE\Microsoft\Office` gives
/// `HKLM\SOFTWARE\Wow6432Node\Microsoft\Office`; shared keys, users' keys and all of `HKLM\SYSTEM` give `None`. Only a 64-bit
/// Windows has the twins.
pub fn twin(path: &str) -> Option<String> {
    wow64_twin(&canonical(path)?)
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
            r"HKLM\SOFTWARE\Classes\.txt",
            r"HKLM\SOFTWARE",
        ] {
            assert_eq!(twin(shared), None, "{shared}");
        }
    }
}
