//! Which Office products are installed, and how they are licensed.
//!
//! Click-to-Run lists its products in one value; what an id begins and ends with says what it is (Office Deployment Tool, product ids).
//! Office by MSI is not in that list: `multiple-office-or-vl-residue` looks for it.

use crate::checks::case::{Case, value_seen};
use crate::checks::collect;
use crate::checks::judgement::{Judgement, Observation};
use crate::evidence::registry::twin;
use crate::evidence::{Lookup, Sourced, Unknown};

/// Where Click-to-Run keeps its settings.
pub const CONFIGURATION: &str = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
/// A key that every SOFTWARE hive of a machine has: a hive that was cut out or made up says nothing by what it lacks.
pub const ANY_MACHINE: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion";

/// How a product is licensed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Microsoft 365 Apps of a company or school.
    Work,
    /// Microsoft 365 of a person.
    Personal,
    /// A volume suite: ProPlus…Volume, Standard…Volume.
    VolumeSuite,
    /// Another volume product: Visio, Project, single programs.
    VolumeOther,
    /// All else: Visio and Project by retail or subscription (the id is the same), suites bought once.
    Other,
}

/// What a product is for; residue matters inside a family only (R44).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Word, Excel and the like together.
    Suite,
    /// Visio.
    Visio,
    /// Project.
    Project,
    /// Single programs, runtimes, language packs.
    Other,
}

/// One product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Product release id, as stored.
    pub id: String,
    /// How it is licensed.
    pub kind: Kind,
}

/// What Click-to-Run has installed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// The key that says so.
    pub key: String,
    /// The products.
    pub products: Vec<Product>,
    /// As evidence.
    pub seen: Observation,
}

impl Kind {
    fn of(id: &str) -> Self {
        let id = id.to_ascii_lowercase();
        let volume = id.ends_with("volume");
        match family(&id) {
            _ if id.starts_with("o365homeprem") => Self::Personal,
            _ if id.starts_with("o365") => Self::Work,
            Family::Suite if volume => Self::VolumeSuite,
            _ if volume => Self::VolumeOther,
            _ => Self::Other,
        }
    }
}

/// The family that a product id or the name of a licence speaks of (`VisioPro2019Volume`, `Office 16, Office16ProPlusVL_KMS_Client edition`).
pub fn family(name: &str) -> Family {
    const FAMILIES: [(&str, Family); 9] = [
        ("visio", Family::Visio),
        ("project", Family::Project),
        ("o365", Family::Suite),
        ("proplus", Family::Suite),
        ("professional", Family::Suite),
        ("standard", Family::Suite),
        ("mondo", Family::Suite),
        ("home", Family::Suite),
        ("personal", Family::Suite),
    ];
    let name = name.to_ascii_lowercase();
    FAMILIES.iter().find(|(part, _)| name.contains(part)).map_or(Family::Other, |(_, family)| *family)
}

fn is_volume(kind: Kind) -> bool {
    matches!(kind, Kind::VolumeSuite | Kind::VolumeOther)
}

impl Installed {
    /// Whether Microsoft 365 Apps of a company or school are among them.
    pub fn has_work_subscription(&self) -> bool {
        self.products.iter().any(|product| product.kind == Kind::Work)
    }

    /// Whether any subscription suite is among them.
    pub fn has_subscription(&self) -> bool {
        self.products.iter().any(|product| matches!(product.kind, Kind::Work | Kind::Personal))
    }

    /// Whether only subscription suites are.
    pub fn is_subscription(&self) -> bool {
        self.products.iter().all(|product| matches!(product.kind, Kind::Work | Kind::Personal))
    }

    /// Whether this product is among them.
    pub fn has(&self, id: &str) -> bool {
        self.products.iter().any(|product| product.id.eq_ignore_ascii_case(id))
    }

    /// Whether only volume products are.
    pub fn is_volume(&self) -> bool {
        self.products.iter().all(|product| is_volume(product.kind))
    }

    /// Whether Visio or Project is among them under the id that retail and subscription share.
    pub fn may_be_subscription(&self) -> bool {
        let shared = |product: &Product| {
            product.kind == Kind::Other && matches!(family(&product.id), Family::Visio | Family::Project)
        };
        self.products.iter().any(shared)
    }

    /// A product of that family that is no volume product. A suite that was bought once has an id of its own.
    pub fn subscription_of(&self, wanted: Family) -> Option<&Product> {
        self.products.iter().find(|product| {
            !is_volume(product.kind)
                && family(&product.id) == wanted
                && (wanted != Family::Suite || product.kind != Kind::Other)
        })
    }

    /// Suites that were bought once.
    pub fn bought_suites(&self) -> impl Iterator<Item = &Product> {
        self.products
            .iter()
            .filter(|product| product.kind == Kind::Other && family(&product.id) == Family::Suite)
    }
}

/// The products of Click-to-Run: *absent* means that a whole SOFTWARE hive shows no Click-to-Run.
pub fn installed(case: &Case<'_>) -> Lookup<Installed> {
    let registry = &case.evidence.registry;
    let key = match registry.key(CONFIGURATION) {
        Lookup::Found(_) => CONFIGURATION.to_owned(),
        Lookup::Unknown(unknown) => return Lookup::Unknown(unknown),
        Lookup::Absent(source) => {
            match twin(CONFIGURATION).filter(|twin| registry.key(twin).found().is_some()) {
                Some(twin) => twin,
                None if registry.key(ANY_MACHINE).found().is_some() => return Lookup::Absent(source),
                None => {
                    let reason = Some(format!("{ANY_MACHINE} is not in it: it is not a whole hive"));
                    return Lookup::Unknown(Unknown { what: "SOFTWARE hive".to_owned(), reason });
                }
            }
        }
    };
    let ids = match registry.value(&key, "ProductReleaseIds") {
        Lookup::Found(value) => value,
        Lookup::Absent(source) => return not_listed(format!("{} is not there", source.locator)),
        Lookup::Unknown(unknown) => return Lookup::Unknown(unknown),
    };
    let Some(text) = ids.value.as_text() else {
        return not_listed(format!("{} holds {}", ids.source.locator, ids.value.display()));
    };
    let named = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    let products: Vec<Product> = named.map(|id| Product { id: id.to_owned(), kind: Kind::of(id) }).collect();
    if products.is_empty() {
        return not_listed(format!("{} is empty", ids.source.locator));
    }
    let seen = value_seen(&ids);
    Lookup::Found(Sourced { value: Installed { key, products, seen }, source: ids.source })
}

/// The products, for a check whose question does not arise without Click-to-Run: `none` says so. Where that cannot be told, the hive is
/// noted as missing.
pub fn need(case: &Case<'_>, j: &Judgement, none: &str) -> Option<Installed> {
    match installed(case) {
        Lookup::Found(found) => return Some(found.value),
        Lookup::Absent(source) => j.not_applicable(none, source.shows("not there")),
        Lookup::Unknown(unknown) => j.missing(&unknown, collect::SOFTWARE),
    }
    None
}

fn not_listed(reason: String) -> Lookup<Installed> {
    Lookup::Unknown(Unknown { what: "products of Office".to_owned(), reason: Some(reason) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_what_a_product_is() {
        // domain.md 5.20 and R45; ids of the Office Deployment Tool.
        let kinds = [
            ("O365ProPlusRetail", Kind::Work),
            ("O365BusinessRetail", Kind::Work),
            ("O365HomePremRetail", Kind::Personal),
            ("ProPlus2021Volume", Kind::VolumeSuite),
            ("Standard2019Volume", Kind::VolumeSuite),
            ("VisioPro2021Volume", Kind::VolumeOther),
            ("ProjectStd2019Volume", Kind::VolumeOther),
            ("Access2021Volume", Kind::VolumeOther),
            ("VisioProRetail", Kind::Other),
            ("ProPlus2021Retail", Kind::Other),
        ];
        for (id, kind) in kinds {
            assert_eq!(Kind::of(id), kind, "{id}");
        }
    }

    #[test]
    fn names_of_licences_have_a_family() {
        // The first is a line of a collected listing of ospp.vbs.
        assert_eq!(family("Office 16, Office16ProPlusVL_KMS_Client edition"), Family::Suite);
        assert_eq!(family("Office 16, Office16O365ProPlusR_Subscription1 edition"), Family::Suite);
        assert_eq!(family("Office 16, Office16VisioProVL_KMS_Client edition"), Family::Visio);
        assert_eq!(family("Office 16, Office16AccessRuntimeR_PrepidBypass edition"), Family::Other);
        assert_eq!(family("HomeBusiness2021Retail"), Family::Suite);
        assert_eq!(family("PersonalRetail"), Family::Suite);
    }
}
