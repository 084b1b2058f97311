//! Windows does not believe that it is on the internet.
//!
//! # What it looks at
//! `Get-NetConnectionProfile`: `IPv4Connectivity` and `IPv6Connectivity` of every connected network; and NCSI event 4042, the change of
//! that state per interface.
//!
//! # Why it blocks activation
//! Office asks Windows whether there is an internet connection before it opens one. If the answer is no, activation says "unable to
//! connect" although a browser may work.
//!
//! # Fix
//! This is nearly always a symptom: look at the cause above it (services, probing, proxy, DNS). Without one, compare with another
//! machine in the same network.
//!
//! # Verify
//! `Get-NetConnectionProfile` shows `IPv4Connectivity : Internet`.
//!
//! # When this is wrong
//! A machine that was taken off the network for the collection shows the same. Several profiles are normal (VPN, virtual switches):
//! one with Internet is enough. An empty file proves nothing: a command that was never run looks the same. NCSI 4042 with capability 0
//! is a link that is down or starting, and IPv6 records (family 1) stay at None in IPv4 networks.
//!
//! # Sources
//! domain.md 5.9 `ncsi-profile-state`; decision 1 of section 13; R8 of section 14; text_formats.md 4.1.

use crate::artifact::capture::connection_profile::{Connectivity, Profile};
use crate::artifact::capture::{CaptureData, CaptureKind, CaptureStatus};
use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Sourced, captures};

/// Change of the connectivity of an interface.
pub const CAPABILITY: Want = Want {
    provider: "Microsoft-Windows-NCSI",
    ids: &[4042],
    channels: &["Microsoft-Windows-NCSI/Operational"],
};
/// Networks connected and disconnected.
const PROFILE: Want = Want {
    provider: "Microsoft-Windows-NetworkProfile",
    ids: &[10000, 10001],
    channels: &["Microsoft-Windows-NetworkProfile/Operational"],
};
/// A state that holds for less is a transition (R8).
const SETTLED_SECONDS: i64 = 600;

/// The check.
pub const CHECK: Check = Check {
    id: "ncsi-profile-state",
    title: "Windows does not believe that it is on the internet",
    layer: Layer::Ncsi,
    article: Article::Network("Check NCSI"),
    wants: &[CAPABILITY, PROFILE],
    healthy: "Windows sees an internet connection.",
    source_text: include_str!("profile_state.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let kind = CaptureKind::ConnectionProfile;
    let answer = case.evidence.captures.ask(kind, "Get-NetConnectionProfile output");
    let readable = case.captures(kind);
    let profiles = profiles(case);
    let damaged = readable.iter().any(|capture| capture.value.status == CaptureStatus::Partial);
    if !profiles.is_empty() {
        judge_profiles(j, &profiles, damaged);
    } else if let Some(ran) = ran_and_returned_nothing(case) {
        let service = case.status("svc-netprofm") == Some(Status::Blocker)
            || case.status("svc-nlasvc") == Some(Status::Blocker);
        let status = if service { Status::Blocker } else { Status::Warning };
        let summary = "Get-NetConnectionProfile ran and listed no connected network.".to_owned();
        j.row(status, Confidence::Medium, summary, vec![ran]);
    } else if !judge_capability(case, j) {
        j.need(answer, collect::CONNECTION_PROFILE);
    }
}

/// The connected networks, as the last output of every file lists them.
fn profiles<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Profile>> {
    let mut profiles = Vec::new();
    for capture in case.captures(CaptureKind::ConnectionProfile) {
        let CaptureData::ConnectionProfile(data) = &capture.value.data else { continue };
        let at = |profile: &Profile| captures::line(capture.source.artifact, profile.line);
        profiles.extend(data.profiles.iter().map(|profile| Sourced { value: profile, source: at(profile) }));
    }
    profiles
}

fn judge_profiles(j: &Judgement, profiles: &[Sourced<&Profile>], damaged: bool) {
    let seen = |profile: &Sourced<&Profile>| {
        let word = |c: Option<Connectivity>| c.map_or("unknown", word_of);
        let (v4, v6) = (word(profile.value.ipv4), word(profile.value.ipv6));
        let alias = profile.value.interface_alias.as_deref().unwrap_or("no alias");
        profile.shows(format!("IPv4Connectivity {v4}, IPv6Connectivity {v6} ({alias})"))
    };
    let online = |c: Option<Connectivity>| c == Some(Connectivity::Internet);
    if let Some(good) = profiles.iter().find(|profile| online(profile.value.ipv4)) {
        j.good(seen(good));
        return;
    }
    // A profile whose state is missing, or an output that is cut, may hide the one that is online.
    if damaged || profiles.iter().any(|profile| profile.value.ipv4.is_none()) {
        let what = "Get-NetConnectionProfile output".to_owned();
        let reason = Some("collected, but incomplete".to_owned());
        j.missing(&crate::evidence::Unknown { what, reason }, collect::CONNECTION_PROFILE);
        return;
    }
    let evidence: Vec<Observation> =
        profiles.iter().map(|profile| seen(profile).expected("Internet")).collect();
    if profiles.iter().any(|profile| online(profile.value.ipv6)) {
        let summary = "Windows sees the internet over IPv6 only.".to_owned();
        j.row(Status::Warning, Confidence::Medium, summary, evidence);
        return;
    }
    let summary = "No connected network reaches the internet as Windows sees it.".to_owned();
    j.row(Status::Blocker, Confidence::High, summary, evidence);
}

/// The word that the cmdlet prints.
fn word_of(connectivity: Connectivity) -> &'static str {
    match connectivity {
        Connectivity::Disconnected => "Disconnected",
        Connectivity::NoTraffic => "NoTraffic",
        Connectivity::Subnet => "Subnet",
        Connectivity::LocalNetwork => "LocalNetwork",
        Connectivity::Internet => "Internet",
    }
}

/// An empty result that something proves to be a result: a manifest item with `success`, or an echoed command (decision 1).
fn ran_and_returned_nothing(case: &Case<'_>) -> Option<Observation> {
    if let Some((source, item)) = case.evidence.manifest_item("netconnectionprofile")
        && item.outcome == "success"
        && case.evidence.is_empty_file(item.path.as_deref()?)
    {
        return Some(source.shows("the command succeeded and printed nothing"));
    }
    let empty = case.evidence.captures.all(CaptureKind::ConnectionProfile);
    let mut empty = empty.filter(|capture| capture.value.status == CaptureStatus::Empty);
    empty.next().map(|capture| capture.shows("the command was run and printed nothing"))
}

/// NCSI 4042 where no profile output is there. True when it answered.
fn judge_capability(case: &Case<'_>, j: &Judgement) -> bool {
    let Some(window) = case.window() else { return false };
    let events = case.events(CAPABILITY);
    let family = |event: &Event| event.field("Family").and_then(|text| text.parse::<u32>().ok());
    let mut newest: Vec<Sourced<&Event>> = Vec::new();
    for event in events.into_iter().filter(|event| family(event.value) == Some(0)) {
        newest.retain(|other| other.value.field("InterfaceGuid") != event.value.field("InterfaceGuid"));
        newest.push(event);
    }
    let capability = |event: &Event| event.field("Capability").and_then(|text| text.parse::<u32>().ok());
    let seen = |event: &Sourced<&Event>| {
        event_seen(event, &["InterfaceGuid", "Capability", "CapabilityChangeReason"])
    };
    if let Some(good) = newest.iter().find(|event| capability(event.value) == Some(2)) {
        j.good(seen(good));
        return true;
    }
    // The whole log: a network that was connected before the window still is.
    let connections = case.evidence.events.of(PROFILE);
    for event in newest.iter().filter(|event| capability(event.value) == Some(1)) {
        let since = event.value.time;
        let settled = window.to.seconds_since(since) > SETTLED_SECONDS;
        let later_disconnect = connections.iter().any(|e| e.value.event_id == 10001 && e.value.time > since);
        let connected = connections.iter().any(|e| e.value.event_id == 10000);
        if settled && connected && !later_disconnect {
            j.blocker(
                Confidence::Medium,
                "NCSI last saw local connectivity only on a connected network.",
                [seen(event).expected("Capability 2 (internet)")],
            );
            return true;
        }
    }
    false
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Look at the findings that explain this one first: services, active probing, proxy, DNS.",
            "In a browser on the machine open http://www.msftconnecttest.com/connecttest.txt: it must show \"Microsoft Connect Test\".",
            "Behind a proxy or firewall allow *.msftconnecttest.com and *.msftncsi.com on port 80.",
        ],
        "Do not force the status with tools or registry edits: Office would then fail one step later.",
        "Nothing is changed by these steps.",
        "Get-NetConnectionProfile shows IPv4Connectivity : Internet.",
        &[ARTICLE_NETWORK],
    )
}

/// The state of the check for other checks: no internet as Windows sees it. Internet over IPv6 alone is worth a warning, but it is internet.
pub fn is_bad(case: &Case<'_>) -> bool {
    case.status("ncsi-profile-state").is_some_and(Status::is_finding)
        && !profiles(case).iter().any(|profile| profile.value.ipv6 == Some(Connectivity::Internet))
}
