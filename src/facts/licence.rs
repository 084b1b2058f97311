//! How Office is licensed: by machine, by user of a shared computer, by user, by volume key.
//!
//! The registry decides; `vnextdiag` is asked only where it does not tell, because it prints *Enabled* for a shared-computer setting of
//! "0" (domain.md R41).

use serde::Serialize;

use super::answers::{at, first, read, unknown};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::value::RegValue;
use crate::checks::case::Case;
use crate::evidence::captures::line;
use crate::evidence::registry::Listing;
use crate::evidence::{Lookup, Sourced};

/// The mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Shared computer activation: a token for each user.
    SharedComputer,
    /// The licence belongs to the device.
    Device,
    /// The user's licence in its present form.
    User,
    /// The user's licence in the form of older versions.
    UserLegacy,
    /// Volume keys.
    Volume,
}

impl Mode {
    /// As the report writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SharedComputer => "shared-computer",
            Self::Device => "device",
            Self::User => "user",
            Self::UserLegacy => "user-legacy",
            Self::Volume => "volume",
        }
    }
}

/// Places of the shared-computer setting beside the Click-to-Run key (domain.md R41).
const SHARED: [&str; 2] = [
    r"HKLM\SOFTWARE\Microsoft\Office\16.0\Common\Licensing",
    r"HKLM\SOFTWARE\Policies\Microsoft\Office\16.0\Common\Licensing",
];
/// Per user: how each product is activated (domain.md R43).
const LICENSING_NEXT: &str = r"Software\Microsoft\Office\16.0\Common\Licensing\LicensingNext";

/// Reads the mode. `configuration` is the key of Click-to-Run, `products` what it lists.
pub fn mode(case: &Case<'_>, configuration: &str, products: &Lookup<Vec<String>>) -> Lookup<Mode> {
    let switch = |key: &str, name: &str| {
        let answer = case.value(key, name);
        answer.found().filter(|found| is_on(&found.value)).cloned()
    };
    let places = std::iter::once(configuration).chain(SHARED);
    if let Some(on) = places.into_iter().find_map(|key| switch(key, "SharedComputerLicensing")) {
        return Lookup::Found(on.map(|_| Mode::SharedComputer));
    }
    if let Some(on) = switch(configuration, "O365ProPlusRetail.DeviceBasedLicensing") {
        return Lookup::Found(on.map(|_| Mode::Device));
    }
    if let Some(list) = products.found().filter(|list| is_volume(&list.value)) {
        return Lookup::Found(list.clone().map(|_| Mode::Volume));
    }
    // What the user's hive says holds only when the machine's settings are known to be off.
    if products.found().is_none() {
        return first([unknown("SOFTWARE hive"), by_vnextdiag(case)]);
    }
    match of_user(case) {
        found @ Lookup::Found(_) => found,
        other => match by_vnextdiag(case) {
            found @ Lookup::Found(_) => found,
            _ => other,
        },
    }
}

/// "1" or 1.
fn is_on(value: &RegValue) -> bool {
    value.as_u64() == Some(1) || value.as_text().is_some_and(|text| text.trim() == "1")
}

/// Every suite among the products has a volume key. Visio, Project and language packs do not count (domain.md R45).
fn is_volume(products: &[String]) -> bool {
    let suite = |id: &&String| {
        let id = id.to_ascii_lowercase();
        ["o365", "proplus", "standard", "home", "personal", "professional"]
            .iter()
            .any(|head| id.starts_with(head))
    };
    let mut suites = products.iter().filter(suite).peekable();
    suites.peek().is_some() && suites.all(|id| id.to_ascii_lowercase().ends_with("volume"))
}

/// `LicensingNext` of the affected user: 2 is the present form, 3 the device's, anything else the old one; names that do not end in
/// `retail` or `volume` are no products.
fn of_user(case: &Case<'_>) -> Lookup<Mode> {
    let user = match case.evidence.users.affected() {
        Lookup::Found(user) => user.value,
        Lookup::Absent(source) => return Lookup::Absent(source),
        Lookup::Unknown(unknown) => return Lookup::Unknown(unknown),
    };
    let values = case.evidence.registry.values(&user.path(LICENSING_NEXT));
    read(values, "licence mode of a product", of_values)
}

fn of_values(values: &Listing<RegValue>) -> Option<Mode> {
    let product = |value: &&RegValue| {
        let name = value.name.to_ascii_lowercase();
        name.ends_with("retail") || name.ends_with("volume")
    };
    let numbers: Vec<u64> = values.iter().filter(product).filter_map(RegValue::as_u64).collect();
    match numbers.as_slice() {
        [] => None,
        numbers if numbers.contains(&2) => Some(Mode::User),
        numbers if numbers.contains(&3) => Some(Mode::Device),
        _ => Some(Mode::UserLegacy),
    }
}

fn by_vnextdiag(case: &Case<'_>) -> Lookup<Mode> {
    for capture in case.captures(CaptureKind::Vnextdiag) {
        let CaptureData::Vnextdiag(data) = &capture.value.data else { continue };
        let known = |word: &str| match word.to_ascii_lowercase().as_str() {
            "vnext" => Some(Mode::User),
            "device" => Some(Mode::Device),
            "legacy" => Some(Mode::UserLegacy),
            _ => None,
        };
        let found = data.modes.items().iter().find_map(|item| {
            let source = line(capture.source.artifact, item.line);
            known(item.mode.trim()).map(|value| Sourced { value, source })
        });
        if let Some(found) = found {
            return at(found.source, found.value);
        }
    }
    unknown("vnextdiag.ps1 -action list")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(values: &[(&str, u32)]) -> Listing<RegValue> {
        let items = values.iter().map(|(name, number)| RegValue::dword(*name, *number)).collect();
        Listing { items, unread: Vec::new() }
    }

    #[test]
    fn r43_names_that_are_no_products_do_not_count() {
        assert_eq!(
            of_values(&listing(&[("o365proplusretail", 2), ("MigrationToV5Done", 1)])),
            Some(Mode::User)
        );
        assert_eq!(of_values(&listing(&[("MigrationToV5Done", 1)])), None);
        assert_eq!(of_values(&listing(&[("o365proplusretail", 3)])), Some(Mode::Device));
        assert_eq!(of_values(&listing(&[("o365proplusretail", 0)])), Some(Mode::UserLegacy));
        // Signed in with another account type: one product at 0 beside one at 2.
        let mixed = [("o365proplusretail", 0), ("o365homepremretail", 2)];
        assert_eq!(of_values(&listing(&mixed)), Some(Mode::User));
    }

    #[test]
    fn r45_only_suites_make_a_volume_installation() {
        let list = |ids: &[&str]| is_volume(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert!(list(&["ProPlus2021Volume", "VisioPro2021Volume"]));
        assert!(!list(&["O365ProPlusRetail", "VisioPro2021Volume"]));
        assert!(!list(&["VisioPro2021Volume"]));
        assert!(!list(&["O365ProPlusRetail", "ProPlus2021Volume"]));
    }

    #[test]
    fn r41_zero_is_off_in_both_types() {
        use crate::artifact::value::ValueType;
        assert!(is_on(&RegValue::string("x", ValueType::SZ, "1")) && is_on(&RegValue::dword("x", 1)));
        assert!(!is_on(&RegValue::string("x", ValueType::SZ, "0")) && !is_on(&RegValue::dword("x", 0)));
    }
}
