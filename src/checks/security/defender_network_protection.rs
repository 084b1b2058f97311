//! Network protection of Windows Defender blocks a required host.
//!
//! # What it looks at
//! Defender's records of connections that network protection blocked (1126) or would have blocked (1125), of it being switched on (5007), and
//! `EnableNetworkProtection` in the policy and in Defender's own settings.
//!
//! # Why it blocks activation
//! Network protection drops connections to addresses that Microsoft's or the company's lists call dangerous, for every program. A custom
//! indicator for a sign-in or licensing host ends activation.
//!
//! # Fix
//! Take the host out of the indicators that block it (Defender portal, Settings, Endpoints, Indicators), or allow it there.
//!
//! # Verify
//! No new 1126 for the host appears in the log of Windows Defender while activation is tried.
//!
//! # When this is wrong
//! Network protection in block mode is a recommended setting and blocks none of Microsoft's hosts by itself. A change of the setting to "off"
//! is recorded by 5007 too: only the new value 1 counts.
//!
//! # Sources
//! domain.md 5.21 `defender-network-protection`; trap 15; R64 of section 14 for hosts of personal accounts.

use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::required::{host_of, needed};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced};
use crate::knowledge::endpoints::{self, Class};

/// Would have blocked (1125), blocked (1126), settings changed (5007).
const RECORDS: Want = Want {
    provider: "Microsoft-Windows-Windows Defender",
    ids: &[1125, 1126, 5007],
    channels: &["Microsoft-Windows-Windows Defender/Operational"],
};
const AUDITED: u32 = 1125;
const BLOCKED: u32 = 1126;

/// Below both roots of Defender's settings; policy first.
const SETTINGS: [&str; 2] = [
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\Network Protection",
    r"HKLM\SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard\Network Protection",
];
const SETTING: &str = "EnableNetworkProtection";

/// The check.
pub const CHECK: Check = Check {
    id: "defender-network-protection",
    title: "Network protection blocks a required host",
    layer: Layer::Firewall,
    article: Article::Beyond,
    wants: &[RECORDS],
    healthy: "Network protection blocked no required host.",
    source_text: include_str!("defender_network_protection.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let records = case.events(RECORDS);
    let switched_off = records.iter().rfind(|event| new_value(event.value).is_some_and(|mode| mode != 1));
    let of = |id: u32| -> Vec<&Sourced<&Event>> {
        let hits = |event: &&Sourced<&Event>| event.value.event_id == id && is_required(case, event.value);
        records.iter().filter(hits).collect()
    };
    if let Some(last) = of(BLOCKED).last() {
        let (count, host) = (of(BLOCKED).len(), destination(last.value).unwrap_or_default());
        if switched_off.is_some_and(|off| off.value.time > last.value.time) {
            j.note(format!(
                "Network protection blocked {host}; it was switched off later: it was, and is now repaired."
            ));
        } else {
            let summary = format!("Network protection blocked required hosts {count} time(s), {host} last.");
            j.row(Status::Blocker, Confidence::High, summary, vec![shown(last)]);
        }
    }
    if let Some(last) = of(AUDITED).last() {
        let host = destination(last.value).unwrap_or_default();
        let summary = format!("Network protection would block {host} as soon as it is enforced.");
        j.warning(Confidence::Medium, summary, [shown(last)]);
    }
    let switched_on = records.iter().rfind(|event| new_value(event.value) == Some(1));
    if let Some(on) = switched_on
        && switched_off.is_none_or(|off| off.value.time < on.value.time)
    {
        let seen = event_seen(on, &["Old Value", "New Value"]);
        j.warning(Confidence::Low, "Network protection was switched on inside the failure window.", [seen]);
    }
    mode(case, j);
    case.need_log(j, RECORDS.channels, collect::DEFENDER_LOG);
}

fn shown(event: &Sourced<&Event>) -> crate::checks::judgement::Observation {
    event_seen(event, &["Destination", "Process Name", "User"])
}

fn destination(event: &Event) -> Option<String> {
    event.field("Destination").and_then(host_of).map(|(host, _)| host)
}

/// A host of the table of endpoints; those of personal accounts only where such a product is installed (R64).
fn is_required(case: &Case<'_>, event: &Event) -> bool {
    let Some(host) = destination(event) else { return false };
    endpoints::find(&host).is_some_and(|endpoint| match endpoint.class {
        Class::Consumer => needed(case, &host).is_some(),
        Class::MsoidTarget => false,
        _ => true,
    })
}

/// The mode that a change set: `HKLM\…\EnableNetworkProtection = 0x1`.
fn new_value(event: &Event) -> Option<u32> {
    let mode = |field: &str| {
        let (name, value) = event.field(field)?.rsplit_once('=')?;
        let digits = value.trim().strip_prefix("0x")?;
        name.trim().ends_with(SETTING).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let new = mode("New Value")?;
    (mode("Old Value") != Some(new)).then_some(new)
}

/// The mode that is in force: the policy's before Defender's own.
fn mode(case: &Case<'_>, j: &Judgement) {
    for key in SETTINGS {
        match case.need_value(j, key, SETTING) {
            Lookup::Found(value) => {
                let mode = match value.value.as_u32() {
                    Some(0) => "off",
                    Some(1) => "blocking",
                    Some(2) => "auditing",
                    _ => "set to an unknown value",
                };
                j.note(format!("Network protection is {mode}."));
                j.good(value_seen(&value));
                return;
            }
            Lookup::Absent(source) => j.good(source.shows(format!("{SETTING} is not set"))),
            Lookup::Unknown(_) => {}
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Defender portal, Settings, Endpoints, Rules, Indicators, URLs/Domains: take out or allow the host that 1126 names.",
            "Web content filtering (Settings, Endpoints, Web content filtering): exclude the device group, or the category, for the host.",
            "As a test on one machine: Set-MpPreference -EnableNetworkProtection AuditMode (elevated), then try activation.",
        ],
        "In audit mode nothing is blocked any more, dangerous addresses neither: a test of a few minutes only. A policy sets the value back.",
        "Set-MpPreference -EnableNetworkProtection Enabled",
        "No new 1126 for the host appears in Microsoft-Windows-Windows Defender/Operational.",
        &[
            "https://learn.microsoft.com/defender-endpoint/network-protection",
            "https://learn.microsoft.com/defender-endpoint/indicator-ip-domain",
        ],
    )
}
