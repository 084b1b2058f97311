//! One wired adapter has no internet although all else is in order: its checksum offload or its driver.
//!
//! # What it looks at
//! What Windows thinks of each connected network (`Get-NetConnectionProfile`), which of the adapters are wired, and for those the date and
//! version of the driver and whether the adapter computes checksums itself (`*IPChecksumOffloadIPv4` and its kin).
//!
//! # Why it blocks activation
//! Some drivers of network adapters compute wrong checksums. The answers to the probe of Windows are then dropped, Windows sees no internet on
//! that adapter, and Office does not connect.
//!
//! # Fix
//! Update the adapter's driver. As a test, switch off its checksum offload for IPv4.
//!
//! # Verify
//! `Get-NetConnectionProfile` shows Internet for that adapter.
//!
//! # When this is wrong
//! Offload is on by default on nearly every adapter and works. This is only a suspicion, and only where services, probing and proxy were
//! found in order and the wired adapter alone has no internet; a network without internet looks the same while no other adapter is connected.
//!
//! # Sources
//! domain.md 5.22 `nic-offload`; "Outlook cannot sign in or activate" (learn.microsoft.com).

use crate::artifact::capture::connection_profile::{Connectivity, Profile};
use crate::artifact::capture::{CaptureData, CaptureKind, CaptureStatus};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::{Confidence, Lookup, Sourced, Unknown, captures};

/// Class key of the network adapters.
pub(super) const CLASS: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}";
/// Names of their connections.
pub(super) const CONNECTIONS: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}";
/// Values of an adapter that compute checksums in hardware: "0" off, anything else on for a direction.
const OFFLOADS: [&str; 5] = [
    "*IPChecksumOffloadIPv4",
    "*TCPChecksumOffloadIPv4",
    "*UDPChecksumOffloadIPv4",
    "*TCPChecksumOffloadIPv6",
    "*UDPChecksumOffloadIPv6",
];
/// `IF_TYPE_ETHERNET_CSMACD` and `NdisPhysicalMedium802_3`: a wire.
const ETHERNET: u32 = 6;
const WIRE: u32 = 14;
/// `NCF_PHYSICAL` in `Characteristics`.
const PHYSICAL: u32 = 4;
/// Must be healthy for the adapter to be suspected (domain.md 5.22).
const ALL_ELSE: [&str; 5] =
    ["svc-nlasvc", "svc-netprofm", "ncsi-active-probe-config", "proxy-winhttp", "proxy-wininet-user"];

/// The check.
pub const CHECK: Check = Check {
    id: "nic-offload",
    title: "A wired adapter alone has no internet",
    layer: Layer::Network,
    article: Article::Beyond,
    wants: &[],
    healthy: "No wired adapter is without internet for a reason of its own.",
    source_text: include_str!("nic_offload.rs"),
    run,
    remedy,
};

/// A wired adapter.
struct Adapter {
    /// Name of its connection (`Ethernet`).
    alias: String,
    driver: String,
    /// Offloads that are on.
    on: Vec<Observation>,
    /// All that are listed are off.
    off: bool,
    seen: Observation,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let profiles = profiles(case, j);
    let Some(adapters) = adapters(case, j) else { return };
    let Some(first) = adapters.first() else {
        if let Lookup::Found(list) = case.evidence.registry.subkeys(CLASS) {
            j.not_applicable("The machine has no wired adapter.", list.shows("no adapter of Ethernet"));
        }
        return;
    };
    let online = |profile: &Sourced<&Profile>| profile.value.ipv4 == Some(Connectivity::Internet);
    let elsewhere = profiles.iter().find(|profile| online(profile));
    let mut suspected = false;
    for profile in profiles.iter().filter(|profile| !online(profile) && profile.value.ipv4.is_some()) {
        let adapter = adapters.iter().find(|adapter| {
            profile
                .value
                .interface_alias
                .as_deref()
                .is_some_and(|alias| adapter.alias.eq_ignore_ascii_case(alias))
        });
        if let Some(adapter) = adapter {
            suspected = true;
            judge(case, j, adapter, profile, elsewhere);
        }
    }
    if !suspected && !profiles.is_empty() {
        j.good(first.seen.clone());
        profiles.iter().for_each(|profile| j.good(state_seen(profile)));
    }
}

fn state_seen(profile: &Sourced<&Profile>) -> Observation {
    let alias = profile.value.interface_alias.as_deref().unwrap_or("no alias");
    let state = profile.value.ipv4.map_or_else(|| "unknown".to_owned(), |state| format!("{state:?}"));
    profile.shows(format!("IPv4Connectivity {state} ({alias})"))
}

/// Connected networks; without them nothing can be told.
fn profiles<'e>(case: &Case<'e>, j: &Judgement) -> Vec<Sourced<&'e Profile>> {
    let kind = CaptureKind::ConnectionProfile;
    let mut profiles = Vec::new();
    let mut whole = true;
    for capture in case.captures(kind) {
        let CaptureData::ConnectionProfile(data) = &capture.value.data else { continue };
        whole &= capture.value.status == CaptureStatus::Parsed;
        let at = |line| captures::line(capture.source.artifact, line);
        profiles
            .extend(data.profiles.iter().map(|profile| Sourced { value: profile, source: at(profile.line) }));
    }
    if profiles.is_empty() {
        let answer = case.evidence.captures.ask(kind, "Get-NetConnectionProfile output");
        let empty = Unknown {
            what: "Get-NetConnectionProfile output".to_owned(),
            reason: Some("it lists no network".to_owned()),
        };
        match answer {
            Lookup::Unknown(unknown) => j.missing(&unknown, collect::CONNECTION_PROFILE),
            _ => j.missing(&empty, collect::CONNECTION_PROFILE),
        }
    } else if !whole || profiles.iter().any(|profile| profile.value.ipv4.is_none()) {
        let reason = Some("collected, but incomplete".to_owned());
        j.missing(
            &Unknown { what: "Get-NetConnectionProfile output".to_owned(), reason },
            collect::CONNECTION_PROFILE,
        );
    }
    profiles
}

/// The wired adapters of the class key; `None` when it is not known.
fn adapters(case: &Case<'_>, j: &Judgement) -> Option<Vec<Adapter>> {
    let Lookup::Found(list) = j.need(case.evidence.registry.subkeys(CLASS), collect::SYSTEM) else {
        return None;
    };
    let number = |key: &str, name: &str| case.value(key, name).found().and_then(|value| value.value.as_u32());
    let text = |key: &str, name: &str| case.value(key, name).found().and_then(|value| value.value.as_text());
    let mut found = Vec::new();
    for name in list.value.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        let key = format!(r"{CLASS}\{name}");
        let wired = number(&key, "*IfType") == Some(ETHERNET)
            && number(&key, "*PhysicalMediaType") == Some(WIRE)
            && number(&key, "Characteristics").is_some_and(|flags| flags & PHYSICAL != 0);
        let Lookup::Found(id) = case.value(&key, "NetCfgInstanceId") else { continue };
        if !wired {
            continue;
        }
        let guid = id.value.as_text().unwrap_or_default();
        let Some(alias) = text(&format!(r"{CONNECTIONS}\{guid}\Connection"), "Name") else { continue };
        let parts = ["DriverDesc", "DriverVersion", "DriverDate"].map(|name| text(&key, name));
        let driver = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let (mut on, mut listed) = (Vec::new(), 0);
        for offload in OFFLOADS {
            let Lookup::Found(value) = case.value(&key, offload) else { continue };
            listed += 1;
            let state = value.value.as_text().unwrap_or_default();
            if state.trim() != "0" {
                on.push(value.shows(format!("{offload} {state}")).expected("0, for a test"));
            }
        }
        let seen = id.shows(format!("wired adapter {alias}: {driver}"));
        found.push(Adapter { alias, driver, off: listed > 0 && on.is_empty(), on, seen });
    }
    Some(found)
}

/// A wired adapter without internet: suspected only where nothing else explains it.
fn judge(
    case: &Case<'_>,
    j: &Judgement,
    adapter: &Adapter,
    profile: &Sourced<&Profile>,
    elsewhere: Option<&Sourced<&Profile>>,
) {
    let is_open = |id: &&str| !matches!(case.status(id), Some(Status::Healthy | Status::NotApplicable));
    let open: Vec<&str> = ALL_ELSE.into_iter().filter(is_open).collect();
    let state = state_seen(profile).expected("Internet");
    if !open.is_empty() {
        j.note(format!("{} has no internet; look at {} first.", adapter.alias, open.join(", ")));
        j.good(state);
        if !open.iter().any(|id| case.status(id).is_some_and(Status::is_finding)) {
            let what = format!("answers of {}", open.join(", "));
            j.missing(&Unknown { what, reason: None }, collect::SYSTEM);
        }
        return;
    }
    if adapter.off {
        j.note(format!(
            "{} has no internet, and its checksum offload is off already: see its driver ({}).",
            adapter.alias, adapter.driver
        ));
        j.good(state);
        return;
    }
    let mut evidence = vec![state];
    evidence.extend(adapter.on.iter().take(2).cloned());
    evidence.push(adapter.seen.clone());
    let (confidence, beside) = match elsewhere {
        Some(other) => {
            evidence.push(state_seen(other));
            (Confidence::Medium, "another adapter has it")
        }
        None => (Confidence::Low, "services, probing and proxy are in order"),
    };
    let summary = format!(
        "The wired adapter {} alone has no internet while {beside}: its driver ({}) or its checksum offload.",
        adapter.alias, adapter.driver
    );
    j.row(Status::Warning, confidence, summary, evidence);
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Compare: connect by Wi-Fi, or by a USB adapter. If activation works there, it is this adapter.",
            "Update the driver of the adapter from the maker of the machine.",
            "As a test: Disable-NetAdapterChecksumOffload -Name <alias> -IpIPv4 (elevated), then try again.",
        ],
        "The connection is interrupted for a moment. Without offload the processor does the work: leave it off only until a better driver is there.",
        "Enable-NetAdapterChecksumOffload -Name <alias> -IpIPv4",
        "Get-NetConnectionProfile shows Internet for that adapter; then try activation again.",
        &[
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/outlook-cannot-signin-activate",
        ],
    )
}
