//! What the machine is: Windows, Office, join state, proxies, networks, users, time. The card at the top of every report and the facts
//! `machine.*` and the like are both made of this, so they cannot disagree.

use serde::Serialize;

use super::answers::{at, first, read, text, unknown};
use super::{licence, network, routes};
use crate::artifact::capture::dsregcmd::typed::Flag;
use crate::artifact::capture::systeminfo::Slot;
use crate::artifact::capture::{CaptureData, CaptureKind, dsregcmd};
use crate::bundle::layout;
use crate::checks::case::Case;
use crate::checks::system::office_build::{CONFIGURATION, channel_name};
use crate::evidence::captures::line;
use crate::evidence::events::Basis;
use crate::evidence::os::{CURRENT_VERSION, Edition, PRODUCT_OPTIONS};
use crate::evidence::registry::{Architecture, UserHive, twin};
use crate::evidence::{Evidence, Lookup, Source};

const NAME: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName";
const TIME_ZONE: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation";

/// Everything that the card shows, each with its source.
#[derive(Debug)]
pub struct Machine {
    /// Computer name.
    pub computer: Lookup<String>,
    /// Windows.
    pub windows: Windows,
    /// Office.
    pub office: Office,
    /// How the device is joined.
    pub join: Join,
    /// The way to the internet of each stack.
    pub routes: routes::Routes,
    /// Connected networks.
    pub networks: Lookup<Vec<network::Network>>,
    /// The affected user.
    pub affected: Lookup<UserHive>,
    /// Time zone, as Windows calls it.
    pub time_zone: Lookup<String>,
    /// Minutes that local time is ahead of UTC, daylight saving included.
    pub utc_offset: Lookup<i32>,
    /// What made the collection.
    pub tool: &'static str,
}

/// Windows.
#[derive(Debug)]
pub struct Windows {
    /// Product, by its build.
    pub product: Lookup<String>,
    /// Build.
    pub build: Lookup<u32>,
    /// Update build revision.
    pub ubr: Lookup<u32>,
    /// `client` or `server`.
    pub edition: Lookup<&'static str>,
    /// `x86`, `x64` or `arm64`.
    pub architecture: Lookup<&'static str>,
}

/// Office.
#[derive(Debug)]
pub struct Office {
    /// `VersionToReport`.
    pub version: Lookup<String>,
    /// `x86` or `x64`.
    pub platform: Lookup<String>,
    /// Name of the update channel; the address where it is none of Microsoft's.
    pub channel: Lookup<String>,
    /// `ProductReleaseIds`.
    pub products: Lookup<Vec<String>>,
    /// How it is licensed.
    pub licence: Lookup<licence::Mode>,
}

/// What `dsregcmd /status` says.
#[derive(Debug)]
pub struct Join {
    /// Joined to the cloud directory.
    pub entra: Lookup<bool>,
    /// Joined to a domain.
    pub domain: Lookup<bool>,
    /// Joined to an on-premises registration service.
    pub enterprise: Lookup<bool>,
    /// A work account is registered.
    pub workplace: Lookup<bool>,
}

/// The join state in a word (domain.md 5.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum JoinState {
    /// Entra joined.
    EntraJoined,
    /// Entra joined and in a domain.
    HybridJoined,
    /// In a domain and registered on premises.
    OnPremisesRegistered,
    /// In a domain only.
    DomainJoined,
    /// Not joined, with a work account.
    WorkplaceRegistered,
    /// Not joined.
    NotJoined,
}

impl JoinState {
    /// As the report writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EntraJoined => "entra-joined",
            Self::HybridJoined => "hybrid-joined",
            Self::OnPremisesRegistered => "on-premises-registered",
            Self::DomainJoined => "domain-joined",
            Self::WorkplaceRegistered => "workplace-registered",
            Self::NotJoined => "not-joined",
        }
    }
}

impl Machine {
    /// Reads it.
    pub fn read(case: &Case<'_>) -> Self {
        let paths: Vec<&str> =
            case.evidence.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
        Self {
            computer: computer(case.evidence),
            windows: Windows::read(case.evidence),
            office: Office::read(case),
            join: Join::read(case),
            routes: routes::Routes::read(case),
            networks: network::networks(case),
            affected: case.evidence.users.affected(),
            time_zone: time_zone(case),
            utc_offset: utc_offset(case.evidence),
            tool: layout::name(&paths, case.evidence.manifest.is_some()),
        }
    }
}

fn computer(evidence: &Evidence) -> Lookup<String> {
    let stored = text(evidence.registry.value(NAME, "ComputerName"));
    let most = evidence.events.computers().into_iter().next().map(|(name, _)| name);
    let log = most.and_then(|name| {
        let log = evidence.events.logs().iter().find(|log| log.computers.contains_key(&name))?;
        let locator = "computer of most records".to_owned();
        let source = Source { artifact: log.artifact, locator, time: log.newest, doubts: Vec::new() };
        Some(at(source, name))
    });
    match (stored, log) {
        (found @ Lookup::Found(_), _) => found,
        (_, Some(log)) => log,
        (stored, None) => stored,
    }
}

impl Windows {
    fn read(evidence: &Evidence) -> Self {
        let os = &evidence.os;
        let build = match &os.build {
            Some(build) => Lookup::Found(build.clone()),
            None => Lookup::Unknown(os.unknown()),
        };
        let source = os.build.as_ref().map(|build| build.source.clone());
        let known = |name: Option<String>| match (name, &source) {
            (Some(name), Some(source)) => at(source.clone(), name),
            _ => Lookup::Unknown(os.unknown()),
        };
        let kind = first([
            evidence.registry.value(PRODUCT_OPTIONS, "ProductType"),
            evidence.registry.value(CURRENT_VERSION, "InstallationType"),
        ]);
        let architecture = evidence.architecture().map(|architecture| match architecture {
            Architecture::X86 => "x86",
            Architecture::X64 => "x64",
            Architecture::Arm64 => "arm64",
        });
        Self {
            product: known(os.product()),
            ubr: read(evidence.registry.value(CURRENT_VERSION, "UBR"), "UBR", |value| value.as_u32()),
            edition: read(kind, "client or server", |_| {
                os.edition.map(|edition| match edition {
                    Edition::Client => "client",
                    Edition::Server => "server",
                })
            }),
            architecture,
            build,
        }
    }
}

/// The key of Click-to-Run: the native one, or its 32-bit twin where only that is there.
pub fn office_key(evidence: &Evidence) -> String {
    let registry = &evidence.registry;
    match twin(CONFIGURATION) {
        Some(twin) if registry.key(CONFIGURATION).is_absent() && registry.key(&twin).found().is_some() => {
            twin
        }
        _ => CONFIGURATION.to_owned(),
    }
}

impl Office {
    fn read(case: &Case<'_>) -> Self {
        let key = office_key(case.evidence);
        let ask = |name: &str| text(case.value(&key, name));
        let products = ask("ProductReleaseIds").map(|list| {
            list.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
        });
        let channel = first([ask("UpdateChannel"), ask("CDNBaseUrl")])
            .map(|address| channel_name(&address).map_or(address, str::to_owned));
        Self {
            version: ask("VersionToReport"),
            platform: ask("Platform"),
            channel,
            licence: licence::mode(case, &key, &products),
            products,
        }
    }
}

impl Join {
    fn read(case: &Case<'_>) -> Self {
        let captures = case.captures(CaptureKind::Dsregcmd);
        let outputs = captures.iter().filter_map(|capture| match &capture.value.data {
            CaptureData::Dsregcmd(data) => Some((capture.source.artifact, data)),
            _ => None,
        });
        let found = outputs.max_by_key(|(_, data)| data.client_time().map(|at| at.value));
        let ask = |flag: &dyn Fn(&dsregcmd::Data) -> Option<dsregcmd::typed::At<Flag>>| {
            let (artifact, data) = found?;
            let flag = flag(data)?;
            let value = match flag.value {
                Flag::Yes => true,
                Flag::No => false,
                Flag::Error | Flag::Other => return None,
            };
            Some(at(line(artifact, flag.line), value))
        };
        let told = |answer: Option<Lookup<bool>>| answer.unwrap_or_else(|| unknown("dsregcmd /status"));
        Self {
            entra: told(ask(&dsregcmd::Data::azure_ad_joined)),
            domain: told(ask(&dsregcmd::Data::domain_joined)),
            enterprise: told(ask(&dsregcmd::Data::enterprise_joined)),
            workplace: told(ask(&dsregcmd::Data::workplace_joined)),
        }
    }

    /// The matrix of domain.md 5.19; unknown as soon as one of the fields that decide is.
    pub fn state(&self) -> Lookup<JoinState> {
        let of = |answer: &Lookup<bool>| answer.found().map(|found| found.value);
        let state = match (of(&self.entra), of(&self.domain)) {
            (Some(true), Some(true)) => JoinState::HybridJoined,
            (Some(true), Some(false)) => JoinState::EntraJoined,
            (Some(false), Some(true)) => match of(&self.enterprise) {
                Some(true) => JoinState::OnPremisesRegistered,
                Some(false) => JoinState::DomainJoined,
                None => return unknown("dsregcmd /status"),
            },
            (Some(false), Some(false)) => match of(&self.workplace) {
                Some(true) => JoinState::WorkplaceRegistered,
                Some(false) => JoinState::NotJoined,
                None => return unknown("dsregcmd /status"),
            },
            _ => return unknown("dsregcmd /status"),
        };
        self.entra.clone().map(|_| state)
    }
}

fn time_zone(case: &Case<'_>) -> Lookup<String> {
    let stored = text(case.value(TIME_ZONE, "TimeZoneKeyName"));
    if stored.found().is_some() {
        return stored;
    }
    for capture in case.captures(CaptureKind::Systeminfo) {
        let CaptureData::Systeminfo(data) = &capture.value.data else { continue };
        if let Some(field) = data.text(Slot::TimeZone) {
            return at(line(capture.source.artifact, field.line), field.value.clone());
        }
    }
    stored
}

/// `ActiveTimeBias` counts minutes from local time to UTC, signed, in a DWORD (domain.md 5.16).
fn utc_offset(evidence: &Evidence) -> Lookup<i32> {
    let bias = evidence.registry.value(TIME_ZONE, "ActiveTimeBias");
    let minutes = read(bias, "ActiveTimeBias", |value| value.as_u32().map(u32::cast_signed));
    // No place on earth is more than 14 hours from UTC; anything else is damage.
    read(minutes, "ActiveTimeBias", |bias| (bias.unsigned_abs() <= 14 * 60).then(|| -bias))
}

/// How the collection time is known, in words.
pub fn basis_words(basis: Basis) -> &'static str {
    match basis {
        Basis::Manifest => "manifest",
        Basis::NewestRecord => "newest event record",
        Basis::NewestKey => "newest registry write",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::ArtifactId;

    fn join(entra: Option<bool>, domain: Option<bool>, rest: Option<bool>) -> Join {
        let source =
            Source { artifact: ArtifactId(0), locator: "line 1".into(), time: None, doubts: Vec::new() };
        let answer =
            |known: Option<bool>| known.map_or_else(|| unknown("x"), |value| at(source.clone(), value));
        Join {
            entra: answer(entra),
            domain: answer(domain),
            enterprise: answer(rest),
            workplace: answer(rest),
        }
    }

    #[test]
    fn the_matrix_of_the_domain_reference() {
        // domain.md 5.19: AzureAdJoined/DomainJoined/EnterpriseJoined.
        let state = |join: Join| join.state().found().map(|found| found.value);
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(state(join(yes, no, no)), Some(JoinState::EntraJoined));
        assert_eq!(state(join(no, yes, no)), Some(JoinState::DomainJoined));
        assert_eq!(state(join(yes, yes, no)), Some(JoinState::HybridJoined));
        assert_eq!(state(join(no, yes, yes)), Some(JoinState::OnPremisesRegistered));
        assert_eq!(state(join(no, no, no)), Some(JoinState::NotJoined));
        for unknown in [join(None, yes, no), join(no, None, no), join(no, no, None)] {
            assert_eq!(state(unknown), None);
        }
    }
}
