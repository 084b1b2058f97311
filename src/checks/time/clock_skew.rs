//! The clock is wrong, or nothing keeps it right.
//!
//! # What it looks at
//! Direct measures: offsets of `w32tm /stripchart`, the `Date` of web servers and `Client Time` of `dsregcmd` against the time of the
//! collection. What the time service
//! recorded in the System log. Records from the future, and from before this Windows existed. Whether the time service is disabled, set to
//! synchronise with nobody (by policy too), or says that it follows no server. Certificates that were refused for their dates.
//!
//! # Why it blocks activation
//! A certificate is not valid yet or no longer valid, and a token is from the future or too old, when the clock is wrong: every secure
//! connection and every sign-in can fail, with errors that name something else.
//!
//! # Fix
//! `w32tm /resync` with a time server that answers; a new CMOS battery, or the hypervisor's time setting, where the clock keeps jumping.
//!
//! # Verify
//! `w32tm /stripchart /computer:time.windows.com /samples:5 /dataonly` shows less than a second.
//!
//! # When this is wrong
//! A wrong time zone with the right UTC time is harmless. A machine that sleeps, or whose name service is not up yet, records that no time
//! server answers: only the last state counts, and the first 15 minutes after a start do not. A jump is recorded when it was made: the clock
//! is right after it. Jumps of thousands of years are numbers that Windows got wrong. `Client Time` of `dsregcmd` and the time
//! that our own collector writes down are of the clock in question and do not measure it; against the time of another manifest `Client Time`
//! does, but never overrules a record. Nor does the offset of the last synchronisation in `w32tm /query /status` measure, which can be months
//! old. A log may be as late as the collection took: that time is the sum of its items and five minutes.
//!
//! # Sources
//! domain.md 5.16 `clock-skew`; decisions 2 and 15; R46 of section 14; trap 20; "troubleshoot hybrid join" (learn.microsoft.com).

use std::collections::BTreeSet;

use super::measure::{self, Clock};
use super::service;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::certificates::chain::{self, chains};
use crate::checks::certificates::recorded::{self, failures, is_of_date};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::services::{self, Service};
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::events::{Basis, Coverage, Want};
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Source, Unknown};
use crate::time::FileTime;

/// The time service.
const SERVICE: &str = "W32Time";
/// With whom it synchronises; policy first, which wins.
const PARAMETERS: [&str; 2] = [
    r"HKLM\SOFTWARE\Policies\Microsoft\W32Time\Parameters",
    r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters",
];
/// A server's certificate was expired or not yet valid.
const REFUSED: Want = Want { provider: "Schannel", ids: &[36881], channels: &["System"] };
/// `SEC_E_TIME_SKEW`: the clocks of client and server differ.
const SKEW: u32 = 0x8009_0324;
/// So many hosts do not all have a bad certificate.
const MANY: usize = 3;

/// The check.
pub const CHECK: Check = Check {
    id: "clock-skew",
    title: "The clock is wrong",
    layer: Layer::Time,
    article: Article::Beyond,
    wants: &[
        service::RECORDS,
        service::BOOTS[0],
        service::BOOTS[1],
        REFUSED,
        chain::CHAINS,
        recorded::WANTS[0],
        recorded::WANTS[1],
        recorded::WANTS[2],
    ],
    healthy: "The clock is right.",
    source_text: include_str!("clock_skew.rs"),
    run,
    remedy,
};

/// How to measure it.
const COLLECT: &str = "w32tm /stripchart /computer:time.windows.com /samples:5 /dataonly > w32tm.txt, and wevtutil epl System System.evtx";

fn run(case: &Case<'_>, j: &Judgement) {
    let clock = measure::report(case, j);
    let measured = clock == Clock::Right;
    let follows = service::report(case, j, measured);
    impossible_times(case, j, follows);
    settings(case, j);
    measure::follows_nobody(case, j, measured || follows);
    refused_certificates(case, j, measured);
    if clock == Clock::Open && !follows {
        j.missing(&missing(case), COLLECT);
    }
}

/// What would have answered, and why the System log does not.
fn missing(case: &Case<'_>) -> Unknown {
    let what = "a measure of the clock".to_owned();
    let coverage = case.window().map(|window| case.evidence.events.coverage(&["System"], window));
    let reason = match coverage {
        Some(Coverage::Whole(_)) => {
            Some("the System log of the failure window does not end with a synchronisation".to_owned())
        }
        Some(Coverage::Short(_, reason)) => Some(format!("event log System: {reason}")),
        Some(Coverage::None) | None => None,
    };
    Unknown { what, reason }
}

/// Before this day no machine had that Windows: the day of its release to manufacturing, for Windows 11 of its first preview (Microsoft's
/// announcements).
fn first_day(generation: Generation) -> &'static str {
    match generation {
        Generation::Vista => "2006-11-08T00:00:00Z",
        Generation::Seven => "2009-07-22T00:00:00Z",
        Generation::Eight => "2012-08-01T00:00:00Z",
        Generation::EightOne => "2013-08-27T00:00:00Z",
        Generation::Ten => "2015-07-15T00:00:00Z",
        Generation::Eleven => "2021-06-28T00:00:00Z",
    }
}

/// Records later than the collection, and logs that end before this Windows existed.
fn impossible_times(case: &Case<'_>, j: &Judgement, follows: bool) {
    let log_seen = |artifact, time: FileTime, text: String| {
        let locator = "newest record".to_owned();
        Source { artifact, locator, time: Some(time), doubts: Vec::new() }.shows(text)
    };
    let Some(window) = case.window() else { return };
    let limit = case.evidence.collected_until().unwrap_or(window.to);
    for log in case.evidence.events.logs() {
        let Some(newest) = log.newest.filter(|newest| *newest > limit) else { continue };
        let seen = log_seen(log.artifact, newest, format!("{newest}, collected {}", window.to));
        if window.basis == Basis::Manifest {
            // Nothing tells whether the clock was set back since; a synchronisation inside the window makes it likely.
            let confidence = if follows { Confidence::Medium } else { Confidence::High };
            j.blocker(
                confidence,
                "A log holds records that are later than the collection: the clock was ahead.",
                [seen],
            );
        } else {
            j.note(format!("{} ends at {newest}, more than a day after all other logs.", log.path));
        }
    }
    let first = case.os().generation().and_then(|generation| FileTime::parse(first_day(generation)));
    if let (Some(first), Some(newest)) = (first, case.evidence.events.newest())
        && newest < first
        && let Some(log) = case.evidence.events.logs().iter().find(|log| log.newest == Some(newest))
    {
        let seen = log_seen(log.artifact, newest, format!("{newest}")).expected(format!("after {first}"));
        j.blocker(
            Confidence::High,
            "The newest records are from before this Windows existed: the clock fell back to the BIOS date.",
            [seen],
        );
    }
}

/// Who keeps the clock right.
fn settings(case: &Case<'_>, j: &Judgement) {
    if let Some(start) = Service::read(case, SERVICE).start.found().filter(|start| start.value == 4) {
        let seen = services::start_seen(start).expected("3 (manual, started when needed)");
        j.warning(Confidence::Medium, "The time service is disabled: nothing keeps the clock right.", [seen]);
    }
    let kinds = PARAMETERS.iter().map(|key| case.value(key, "Type"));
    if let Some(kind) = kinds.into_iter().find_map(|kind| kind.found().cloned())
        && kind.value.as_text().is_some_and(|text| text.eq_ignore_ascii_case("NoSync"))
    {
        let seen = value_seen(&kind).expected("NTP, or NT5DS in a domain");
        j.warning(Confidence::Medium, "The time service is set to synchronise with nobody.", [seen]);
    }
}

/// Certificates of many hosts that were outside their dates, and answers that name the clock.
fn refused_certificates(case: &Case<'_>, j: &Judgement, measured: bool) {
    let recorded = failures(case);
    if let Some(failure) =
        recorded.iter().rfind(|failure| failure.code(|code| code.value() == SKEW).is_some())
        && !measured
    {
        let summary = "A server refused because its clock and this one differ (SEC_E_TIME_SKEW).";
        j.warning(Confidence::Medium, summary, [failure.seen.clone()]);
    }
    let mut evidence: Vec<Observation> = Vec::new();
    let mut hosts: BTreeSet<String> = BTreeSet::new();
    for chain in chains(case).into_iter().filter(|chain| chain.result.is_some_and(is_of_date)) {
        evidence.push(chain.seen());
        hosts.insert(chain.host);
    }
    evidence.extend(
        recorded
            .iter()
            .filter(|failure| failure.code(is_of_date).is_some())
            .map(|failure| failure.seen.clone()),
    );
    evidence.extend(case.events(REFUSED).iter().map(|event| event_seen(event, &[])));
    if evidence.is_empty() {
        return;
    }
    let count = evidence.len();
    if measured {
        j.note(format!(
            "{count} certificate(s) were refused for their dates while the clock is right: see tls-inspection."
        ));
    } else if hosts.len() >= MANY || count >= MANY {
        let confidence = if hosts.len() >= MANY { Confidence::Medium } else { Confidence::Low };
        let summary =
            format!("Certificates were refused for their dates {count} times: look at the clock first.");
        evidence.truncate(4);
        j.row(Status::Warning, confidence, summary, evidence);
    } else {
        j.note(format!(
            "{count} certificate(s) were refused for their dates: one host's fault rather than the clock's."
        ));
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "w32tm /stripchart /computer:time.windows.com /samples:5 /dataonly shows how far the clock is off.",
            "Where the clock is off by more than 15 hours the time service refuses: set date and time by hand first (Settings, Time and language).",
            "Set-Service W32Time -StartupType Manual; Start-Service W32Time; w32tm /resync",
            "In a domain: the domain controllers' clocks first (w32tm /monitor). A virtual machine: the time setting of its host.",
            "A clock that falls back at each start: replace the CMOS battery.",
        ],
        "In a domain do not point single machines at another time server: they have to follow the domain. Setting the clock changes the times of new log records.",
        "The old type and server stand in HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time\\Parameters: note Type and NtpServer before a change.",
        "The offset of w32tm /stripchart stays below a second; then try activation again.",
        &[
            "https://learn.microsoft.com/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings",
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-hybrid-join-windows-current",
        ],
    )
}
