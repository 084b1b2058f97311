//! Windows Event Log is stopped or disabled.
//!
//! # What it looks at
//! The start type of `EventLog` in the SYSTEM hive, its state in `sc query` or `Get-Service`, and whether the collected logs end
//! long before Windows was last seen running: by the collector's manifest, by `Client Time` of `dsregcmd`, or by another log.
//!
//! # Why it blocks activation
//! The article asks for four services, this one among them. From Windows 8 on Network Location Awareness depends on it, so without it
//! Windows does not know that it is on the internet. It also takes away the records that would name any other cause.
//!
//! # Fix
//! Set it to automatic, start it, restart the machine.
//!
//! # Verify
//! `sc query EventLog` shows RUNNING and the System log gains records.
//!
//! # When this is wrong
//! Logs that end with event 6006 are those of a machine that was shut down in the ordinary way (domain.md R19): that alone
//! raises nothing.
//!
//! # Sources
//! domain.md 5.8 `svc-eventlog`; R14, R19 and R23 of section 14; the article's section on services.

use super::{DISABLED, RUNNING, STOPPED, Service, good_start, is_absent, remedy, start_seen, state_seen};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{Article, Check, Layer};
use crate::evidence::events::{Basis, LogFacts};
use crate::evidence::{Confidence, Lookup, Source, captures};
use crate::time::FileTime;

const KEY: &str = "EventLog";
const DAY: i64 = 86_400;

/// The check.
pub const CHECK: Check = Check {
    id: "svc-eventlog",
    title: "Windows Event Log is stopped or disabled",
    layer: Layer::Services,
    article: Article::Network("Check services"),
    wants: &[],
    healthy: "Windows Event Log starts by itself and was at work at the time of collection.",
    source_text: include_str!("svc_eventlog.rs"),
    run,
    remedy: |_| remedy(KEY, "auto", "Windows Event Log"),
};

fn run(case: &Case<'_>, j: &Judgement) {
    let service = Service::read(case, KEY);
    if is_absent(case, j, &service, KEY, Some("NlaSvc")) {
        return;
    }
    if let Lookup::Found(start) = &service.start
        && start.value == DISABLED
    {
        j.blocker(
            Confidence::High,
            "Windows Event Log is disabled.",
            [start_seen(start).expected("2 (automatic)")],
        );
    }
    match &service.state {
        Some(state) if state.value == STOPPED => {
            j.blocker(
                Confidence::High,
                "Windows Event Log is stopped.",
                [state_seen(state).expected("4 RUNNING")],
            );
        }
        Some(state) if state.value == RUNNING => j.good(state_seen(state)),
        _ => {}
    }
    stale_logs(case, j, &service);
    good_start(j, &service.start);
    service.need(j);
    if service.state.is_none() && !fresh_log(case, j) {
        service.need_state(j, KEY);
    }
}

/// The newest System record lies within a day of the collection: the service was writing.
fn fresh_log(case: &Case<'_>, j: &Judgement) -> bool {
    let Some(window) = case.window() else { return false };
    let system = case.evidence.events.logs().iter().filter(|log| log.channel.eq_ignore_ascii_case("System"));
    for log in system {
        if let Some(newest) = log.newest
            && window.to.seconds_since(newest) <= DAY
        {
            j.good(log_end(log));
            return true;
        }
    }
    false
}

/// The System log ends more than a day before Windows was last seen running (R19): the manifest's host time, the time in a live capture, or
/// records of another channel. A log that merely ends is that of a machine which was switched off.
fn stale_logs(case: &Case<'_>, j: &Judgement, service: &Service) {
    let logs = case.evidence.events.logs();
    let is_system = |log: &&LogFacts| log.channel.eq_ignore_ascii_case("System");
    let Some(end) = logs.iter().filter(is_system).filter_map(|log| log.newest).max() else { return };
    let ran_on = |seen: FileTime| seen.seconds_since(end) > DAY;
    let summary = format!("The System log ends {end}, but Windows ran on: the log service may have stopped.");
    if let Some(window) = case.window().filter(|window| window.basis == Basis::Manifest && ran_on(window.to))
    {
        let collected = case.evidence.manifest_source().shows(format!("collected {}", window.to));
        j.warning(Confidence::Low, summary, [collected]);
        return;
    }
    // Captures of a later day than the logs prove nothing where they show the service running themselves.
    let running = service.state.as_ref().is_some_and(|state| state.value == RUNNING);
    let live = newest_capture(case).filter(|live| !running && live.time.is_some_and(ran_on));
    if let Some(live) = live {
        j.warning(Confidence::Low, summary, [live]);
        return;
    }
    let newest = |log: &&LogFacts| log.newest.filter(|newest| ran_on(*newest));
    if let Some(log) = logs.iter().filter(|log| !is_system(log)).find(|log| newest(log).is_some()) {
        j.warning(Confidence::Low, summary, [log_end(log)]);
    }
}

/// The newest time in UTC that a command output shows of the machine's clock (decision 15).
fn newest_capture(case: &Case<'_>) -> Option<Observation> {
    let shown = case.captures(CaptureKind::Dsregcmd).into_iter().filter_map(|capture| {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { return None };
        let client = data.client_time()?;
        let source =
            Source { time: Some(client.value), ..captures::line(capture.source.artifact, client.line) };
        Some(source.shows(format!("Client Time {}", client.value)))
    });
    shown.max_by_key(|seen| seen.time)
}

fn log_end(log: &LogFacts) -> Observation {
    let newest = log.newest.map(|time| time.to_string()).unwrap_or_default();
    let source = Source {
        artifact: log.artifact,
        locator: "newest record".into(),
        time: log.newest,
        doubts: Vec::new(),
    };
    source.shows(format!("{} has records until {newest}", log.channel))
}
