//! Office by Windows Installer: a `Registration` key and an entry under `Uninstall` with the same product code.
//!
//! One of them alone says nothing: runtimes and redistributables leave `Registration` keys behind (R45). What a product code stands for is
//! in "Numbering scheme for product code GUIDs in Office 2016" (learn.microsoft.com): `{BRMMmmmm-PPPP-LLLL-p000-D000000FF1CE}`.

use super::products::{ANY_MACHINE, Family};
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::evidence::registry::twin;
use crate::evidence::{Lookup, Unknown};

/// The version that Click-to-Run has too.
pub const CLICK_TO_RUN: u32 = 16;
/// Versions that are looked for: 2010, 2013, 2016.
const VERSIONS: [u32; 3] = [14, 15, CLICK_TO_RUN];
/// Product ids (`PPPP`) of suites, Project and Visio. Single programs, runtimes, viewers, proofing tools and the components of
/// Click-to-Run are not among them.
const PRODUCTS: [(&str, Family, &str); 11] = [
    ("0011", Family::Suite, "Professional Plus"),
    ("0012", Family::Suite, "Standard"),
    ("0013", Family::Suite, "Home and Business"),
    ("0014", Family::Suite, "Professional"),
    ("002F", Family::Suite, "Home and Student"),
    ("003D", Family::Suite, "single-image suite"),
    ("003A", Family::Project, "Project Standard"),
    ("003B", Family::Project, "Project Professional"),
    ("0051", Family::Visio, "Visio Professional"),
    ("0053", Family::Visio, "Visio Standard"),
    ("0057", Family::Visio, "Visio"),
];
/// The end of every product code of Office.
const ENDING: &str = "000000FF1CE}";

/// One product.
#[derive(Clone, Debug)]
pub struct Msi {
    /// Major version: 14, 15, 16.
    pub version: u32,
    /// What it is for.
    pub family: Family,
    /// Its name: what Windows shows, else by its product id.
    pub name: String,
    /// The `Registration` key.
    pub registered: Observation,
    /// The entry under `Uninstall`.
    pub uninstall: Observation,
}

/// What was found in both views.
#[derive(Debug, Default)]
pub struct Found {
    /// Products.
    pub products: Vec<Msi>,
    /// Keys that show that there is none.
    pub good: Vec<Observation>,
    /// What could not be read.
    pub unknown: Vec<Unknown>,
}

/// Version and product id of a product code of Office.
fn parts(code: &str) -> Option<(u32, &str)> {
    let known = code.len() == 38 && code.starts_with('{') && code.to_ascii_uppercase().ends_with(ENDING);
    let version = code.get(3..5).filter(|_| known)?.parse().ok()?;
    Some((version, code.get(10..14)?))
}

/// Looks in both views of the registry.
pub fn installed(case: &Case<'_>) -> Found {
    let mut found = Found::default();
    for version in VERSIONS {
        let native = format!(r"HKLM\SOFTWARE\Microsoft\Office\{version}.0\Registration");
        let views = [Some((native.clone(), true)), twin(&native).map(|key| (key, false))];
        for (key, needed) in views.into_iter().flatten() {
            registered(case, &key, version, needed, &mut found);
        }
    }
    found
}

fn registered(case: &Case<'_>, key: &str, version: u32, needed: bool, found: &mut Found) {
    let codes = match case.evidence.registry.subkeys(key) {
        Lookup::Found(codes) => codes,
        Lookup::Absent(source) if needed => return found.good.push(source.shows("no Office by MSI")),
        Lookup::Unknown(unknown) if needed => return found.unknown.push(unknown),
        Lookup::Absent(_) | Lookup::Unknown(_) => return,
    };
    for reason in &codes.value.unread {
        found.unknown.push(Unknown { what: format!("subkeys of {key}"), reason: Some(reason.clone()) });
    }
    for code in codes.value.iter() {
        let Some((_, id)) = parts(code).filter(|(number, _)| *number == version) else { continue };
        let Some((_, family, name)) = PRODUCTS.iter().find(|(number, ..)| number.eq_ignore_ascii_case(id))
        else {
            continue;
        };
        if let Some((uninstall, shown)) = entry(case, code, found) {
            let registered = codes.source.shows(format!("the product code {code} is registered"));
            let name = shown.unwrap_or_else(|| format!("Office {version}.0 {name}"));
            found.products.push(Msi { version, family: *family, name, registered, uninstall });
        }
    }
}

/// The entry under `Uninstall` in either view, with the name that Windows shows.
fn entry(case: &Case<'_>, code: &str, found: &mut Found) -> Option<(Observation, Option<String>)> {
    let native = format!(r"{ANY_MACHINE}\Uninstall\{code}");
    for key in [Some(native.clone()), twin(&native)].into_iter().flatten() {
        match case.evidence.registry.key(&key) {
            Lookup::Found(there) => {
                let name = case.value(&key, "DisplayName");
                let name = name
                    .found()
                    .and_then(|value| value.value.as_text())
                    .filter(|name| !name.trim().is_empty());
                return Some((there.shows(name.clone().unwrap_or_else(|| "installed".to_owned())), name));
            }
            Lookup::Unknown(unknown) if key == native => found.unknown.push(unknown),
            Lookup::Unknown(_) | Lookup::Absent(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn product_codes_hold_version_and_product() {
        // "Numbering scheme for product code GUIDs in Office 2016": {BRMMmmmm-PPPP-LLLL-p000-D000000FF1CE}; 0011 is Professional Plus.
        assert_eq!(parts("{90160000-0011-0000-1000-0000000FF1CE}"), Some((16, "0011")));
        assert_eq!(parts("{90140000-003B-0000-0000-0000000FF1CE}"), Some((14, "003B")));
        assert_eq!(parts("{90160000-008C-0000-1000-0000000FF1CE}"), Some((16, "008C")));
        assert_eq!(parts("{AC76BA86-7AD7-1033-7B44-AC0F074E4100}"), None);
        assert_eq!(parts("{9016äöü0-0011-0000-1000-0000000FF1CE}"), None);
        assert_eq!(parts("Office16.PROPLUS"), None);
    }
}
