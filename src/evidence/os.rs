//! Which Windows the machine runs: the fact that every OS default rests on.
//!
//! `ProductName` still says "Windows 10" on Windows 11, so the product is named by its build.

use super::{Lookup, Sourced, Unknown};
use crate::artifact::capture::systeminfo::Slot;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::value::RegValue;
use crate::evidence::captures::Captures;
use crate::evidence::events::{Events, Want};
use crate::evidence::registry::Registry;

/// Where Windows keeps its version.
pub const CURRENT_VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
/// Where Windows keeps its product type.
pub const PRODUCT_OPTIONS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions";

/// Written at every boot: positional version, build, service pack …
pub const OS_VERSION_AT_BOOT: Want = Want { provider: "EventLog", ids: &[6009], channels: &["System"] };

/// Client or server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// `WinNT`.
    Client,
    /// `ServerNT` or `LanmanNT`.
    Server,
}

/// Windows releases as far as their defaults differ. Servers stand with the client of the same code base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// Vista, Server 2008.
    Vista,
    /// Windows 7, Server 2008 R2.
    Seven,
    /// Windows 8, Server 2012.
    Eight,
    /// Windows 8.1, Server 2012 R2.
    EightOne,
    /// Windows 10, Server 2016, 2019, 2022.
    Ten,
    /// Windows 11, Server 2025.
    Eleven,
}

/// The machine's Windows.
#[derive(Clone, Debug, Default)]
pub struct Os {
    /// Build number.
    pub build: Option<Sourced<u32>>,
    /// Update build revision.
    pub ubr: Option<u32>,
    /// Client or server, where known.
    pub edition: Option<Edition>,
    /// `ProductName` as stored.
    pub product_name: Option<String>,
    /// `DisplayVersion` or `ReleaseId`.
    pub release: Option<String>,
    /// `CSDVersion`: found ("Service Pack 1"), absent (no service pack) or unknown.
    pub service_pack: Option<Lookup<String>>,
}

impl Os {
    /// Reads it from the best source: the SOFTWARE hive, then `systeminfo`, then the boot record of the System log.
    pub fn read(registry: &Registry, captures: &Captures, events: &Events) -> Self {
        let text =
            |name: &str| registry.value(CURRENT_VERSION, name).map(|value| value.as_text()).found_text();
        let mut os = Self {
            build: from_registry(registry),
            ubr: registry.value(CURRENT_VERSION, "UBR").found().and_then(|ubr| ubr.value.as_u32()),
            edition: edition(registry),
            product_name: text("ProductName"),
            release: text("DisplayVersion").or_else(|| text("ReleaseId")),
            service_pack: Some(
                registry.value(CURRENT_VERSION, "CSDVersion").map(|v| v.as_text().unwrap_or_default()),
            ),
        };
        if os.build.is_none() {
            os.ask_captures(captures);
        }
        if os.build.is_none() {
            os.ask_events(events);
        }
        os.edition = os.edition.or_else(|| os.is_server_by_name().then_some(Edition::Server));
        os
    }

    fn ask_captures(&mut self, captures: &Captures) {
        for capture in captures.readable(CaptureKind::Systeminfo) {
            let CaptureData::Systeminfo(data) = &capture.value.data else { continue };
            let Some(version) = &data.os_version else { continue };
            let source = super::captures::line(capture.source.artifact, version.line);
            self.build = Some(Sourced { value: version.build, source: source.clone() });
            let name = data.text(Slot::OsName).map(|field| field.value.clone());
            self.product_name = self.product_name.take().or(name);
            self.service_pack = Some(match version.service_pack {
                Some(number) => Lookup::Found(Sourced { value: format!("Service Pack {number}"), source }),
                None => Lookup::Absent(source),
            });
        }
    }

    fn ask_events(&mut self, events: &Events) {
        for event in events.of(OS_VERSION_AT_BOOT) {
            if let Some(build) = event.value.item(1).and_then(|text| text.trim().parse().ok()) {
                let pack = event.value.item(2).unwrap_or_default().trim().to_owned();
                self.build = Some(Sourced { value: build, source: event.source.clone() });
                self.service_pack = Some(match pack.is_empty() {
                    true => Lookup::Absent(event.source),
                    false => Lookup::Found(Sourced { value: pack, source: event.source }),
                });
            }
        }
    }

    /// Whether name or build say "server": no client was ever released with the build of Server 2022. The name of a client does not make
    /// one: clients for several sessions are servers by product type.
    fn is_server_by_name(&self) -> bool {
        self.build_number() == Some(ONLY_SERVER) || self.is_named("Windows Server")
    }

    fn is_named(&self, words: &str) -> bool {
        self.product_name.as_deref().is_some_and(|name| name.contains(words))
    }

    /// Whether the build is that of Windows 10 and of a server alike, and nothing tells which it is.
    pub fn is_client_or_server(&self) -> bool {
        let is_shared = self.build_number().is_some_and(|build| SHARED.contains(&build));
        is_shared && self.edition.is_none() && !self.is_named("Windows 10")
    }

    /// The build number.
    pub fn build_number(&self) -> Option<u32> {
        self.build.as_ref().map(|build| build.value)
    }

    /// The generation that the build belongs to.
    pub fn generation(&self) -> Option<Generation> {
        self.build_number().and_then(generation_of)
    }

    /// The product by build and edition, for people.
    pub fn product(&self) -> Option<String> {
        let build = self.build_number()?;
        let server = build == ONLY_SERVER || self.edition == Some(Edition::Server);
        let names = PRODUCTS.iter().rev().find(|(first, ..)| build >= *first)?;
        let name = if server { names.2 } else { names.1 };
        Some(match &self.release {
            Some(release) if build >= 10_240 => format!("{name} {release}"),
            _ => name.to_owned(),
        })
    }

    /// The unanswered question.
    pub fn unknown(&self) -> Unknown {
        Unknown { what: "OS version (SOFTWARE hive or systeminfo)".to_owned(), reason: None }
    }
}

/// Build of Server 2022, which no client has.
const ONLY_SERVER: u32 = 20_348;
/// Builds of Server 2016 and Server 2019, which Windows 10 has too (domain.md 6.3).
const SHARED: [u32; 2] = [14_393, 17_763];
/// First build of each product: client name, server name (domain.md 6.3).
const PRODUCTS: &[(u32, &str, &str)] = &[
    (2600, "Windows XP", "Windows Server 2003"),
    (6000, "Windows Vista", "Windows Server 2008"),
    (7600, "Windows 7", "Windows Server 2008 R2"),
    (9200, "Windows 8", "Windows Server 2012"),
    (9600, "Windows 8.1", "Windows Server 2012 R2"),
    (10_240, "Windows 10", "Windows Server 2016"),
    (17_763, "Windows 10", "Windows Server 2019"),
    (18_362, "Windows 10", "Windows Server"),
    (ONLY_SERVER, "Windows 10", "Windows Server 2022"),
    (22_000, "Windows 11", "Windows Server 2025"),
];

fn generation_of(build: u32) -> Option<Generation> {
    Some(match build {
        6000..=6999 => Generation::Vista,
        7600..=7999 => Generation::Seven,
        9200..=9599 => Generation::Eight,
        9600..=9999 => Generation::EightOne,
        10_240..=21_999 => Generation::Ten,
        22_000.. => Generation::Eleven,
        _ => return None,
    })
}

fn from_registry(registry: &Registry) -> Option<Sourced<u32>> {
    ["CurrentBuildNumber", "CurrentBuild"].into_iter().find_map(|name| {
        let found: Lookup<RegValue> = registry.value(CURRENT_VERSION, name);
        let build = found.found()?.value.as_text()?.trim().parse().ok()?;
        Some(Sourced { value: build, source: found.found()?.source.clone() })
    })
}

fn edition(registry: &Registry) -> Option<Edition> {
    let kind = registry.value(PRODUCT_OPTIONS, "ProductType");
    let kind = kind.found().and_then(|value| value.value.as_text());
    let installation = registry.value(CURRENT_VERSION, "InstallationType");
    let installation = installation.found().and_then(|value| value.value.as_text());
    match (kind.as_deref(), installation.as_deref()) {
        (Some(kind), _) if kind.eq_ignore_ascii_case("WinNT") => Some(Edition::Client),
        (Some(_), _) => Some(Edition::Server),
        (None, Some(text)) if text.eq_ignore_ascii_case("Client") => Some(Edition::Client),
        (None, Some(text)) if text.to_ascii_lowercase().starts_with("server") => Some(Edition::Server),
        _ => None,
    }
}

trait FoundText {
    fn found_text(self) -> Option<String>;
}

impl FoundText for Lookup<Option<String>> {
    fn found_text(self) -> Option<String> {
        match self {
            Lookup::Found(sourced) => sourced.value,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_builds_tell_a_server() {
        let os = |build: u32, name: &str| {
            let (artifact, locator) = (crate::artifact::ArtifactId(0), String::new());
            let source = crate::evidence::Source { artifact, locator, time: None, doubts: Vec::new() };
            let build = Some(Sourced { value: build, source });
            Os { build, product_name: Some(name.to_owned()), ..Os::default() }
        };
        // domain.md 6.3: 20348 is Server 2022 only, 17763 is Windows 10 and Server 2019.
        assert!(os(20_348, "").is_server_by_name());
        assert!(os(17_763, "Microsoft Windows Server 2019 Standard").is_server_by_name());
        assert!(os(17_763, "").is_client_or_server());
        assert!(!os(17_763, "Windows 10 Enterprise LTSC 2019").is_client_or_server());
        assert!(!os(19_045, "").is_client_or_server());
    }

    #[test]
    fn generations_follow_the_builds_of_the_domain_reference() {
        // domain.md 6.3.
        assert_eq!(generation_of(7601), Some(Generation::Seven));
        assert_eq!(generation_of(9200), Some(Generation::Eight));
        assert_eq!(generation_of(9600), Some(Generation::EightOne));
        assert_eq!(generation_of(19_045), Some(Generation::Ten));
        assert_eq!(generation_of(20_348), Some(Generation::Ten));
        assert_eq!(generation_of(26_100), Some(Generation::Eleven));
        assert_eq!(generation_of(9500), Some(Generation::Eight));
        assert_eq!(generation_of(1), None);
    }
}
