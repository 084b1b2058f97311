//! Network Location Awareness is stopped or disabled.
//!
//! # What it looks at
//! `Start` of `NlaSvc` in the SYSTEM hive, its state in `sc query` or `Get-Service`, its failures in the System log, and the records that it writes while it works (4401, 4402). Which rule holds is read from the machine: where the Network List Service
//! depends on NlaSvc, NlaSvc must run; on Windows 11 it is manual and normally stopped.
//!
//! # Why it blocks activation
//! Up to Windows 10 (and on Server 2016, 2019 and 2022) the Network Connectivity Status Indicator lives in this service. Without it
//! Windows does not learn that it is on the internet, and Office does not even try to sign in.
//!
//! # Fix
//! Set it to automatic and start it. On Windows 11 leave it manual.
//!
//! # Verify
//! `sc query NlaSvc` shows RUNNING and `Get-NetConnectionProfile` shows `IPv4Connectivity : Internet`.
//!
//! # When this is wrong
//! The article says that the service must run. On Windows 11 that is no longer so: a stopped NlaSvc is the normal state there.
//!
//! # Sources
//! domain.md 5.8 `svc-nlasvc`; trap 1; R4, R9 and R14 of section 14; decision 17.

use super::{
    DISABLED, STOPPED, Service, dependencies, failure_seen, failures, good_start, is_absent, remedy,
    start_seen, state_seen,
};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Judgement;
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::events::Want;
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Lookup};

const KEY: &str = "NlaSvc";
/// Written by NlaSvc while it works.
const AT_WORK: Want = Want {
    provider: "Microsoft-Windows-NlaSvc",
    ids: &[4401, 4402],
    channels: &["Microsoft-Windows-NlaSvc/Operational"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "svc-nlasvc",
    title: "Network Location Awareness is stopped or disabled",
    layer: Layer::Services,
    article: Article::Network("Check services"),
    wants: &[super::FAILURES, AT_WORK],
    healthy: "Network Location Awareness is in the state that this Windows wants it in.",
    source_text: include_str!("svc_nlasvc.rs"),
    run,
    remedy: repair,
};

/// Windows 11 starts it on demand: there it is not forced to run (section 9).
fn repair(case: &Case<'_>) -> Remedy {
    let manual = must_run(case) == Some(false);
    let mut remedy = remedy(KEY, if manual { "demand" } else { "auto" }, "Network Location Awareness");
    if manual {
        remedy.verify = format!("sc qc {KEY} shows START_TYPE : 3 DEMAND_START; then try activation again.");
    }
    remedy
}

/// Whether NlaSvc must run on this machine; `None` when that cannot be told (R9).
pub fn must_run(case: &Case<'_>) -> Option<bool> {
    if let Lookup::Found(list) = dependencies(case, "netprofm") {
        return Some(list.value.iter().any(|name| name.eq_ignore_ascii_case("nlasvc")));
    }
    case.os().generation().map(|generation| generation < Generation::Eleven)
}

fn run(case: &Case<'_>, j: &Judgement) {
    let service = Service::read(case, KEY);
    if is_absent(case, j, &service, KEY, Some("netprofm")) {
        return;
    }
    let must_run = must_run(case);
    match must_run {
        Some(true) => must_be_running(case, j, &service),
        Some(false) => manual_by_design(j, &service),
        None => {
            if let Lookup::Found(start) = &service.start
                && start.value == DISABLED
            {
                j.warning(
                    Confidence::Medium,
                    "Network Location Awareness is disabled; whether this Windows needs it is not known.",
                    [start_seen(start)],
                );
            }
            j.missing(&case.os().unknown(), crate::checks::collect::OS_BUILD);
        }
    }
    let recorded = failures(case, KEY, &[7009, 7023, 7031, 7034]);
    let running = service.state.as_ref().filter(|state| state.value == super::RUNNING);
    let stopped = service.state.as_ref().is_some_and(|state| state.value == STOPPED);
    let at_work = case.events(AT_WORK).last().map(|event| event.value.time);
    if let Some(newest) = recorded.last() {
        let summary =
            format!("Network Location Awareness failed {} time(s) in the failure window.", recorded.len());
        match (running, must_run) {
            (Some(state), _) => {
                j.note(format!("{summary} It was running again when it was collected."));
                j.good(state_seen(state));
            }
            // Restarted: it wrote of its work after its last failure.
            (None, _) if !stopped && at_work.is_some_and(|time| time > newest.value.time) => {
                j.note(format!("{summary} It was at work again later."));
            }
            (None, Some(true)) => j.blocker(Confidence::Medium, summary, [failure_seen(newest)]),
            (None, _) => j.warning(Confidence::Low, summary, [failure_seen(newest)]),
        }
    }
    service.need(j);
}

fn must_be_running(case: &Case<'_>, j: &Judgement, service: &Service) {
    match &service.start {
        Lookup::Found(start) if start.value == DISABLED => {
            j.blocker(
                Confidence::High,
                "Network Location Awareness is disabled, and this Windows finds its internet connection through it.",
                [start_seen(start).expected("2 (automatic)")],
            );
        }
        Lookup::Found(start) if start.value == 3 => {
            j.warning(
                Confidence::Medium,
                "Network Location Awareness was changed from automatic to manual start.",
                [start_seen(start).expected("2 (automatic)")],
            );
        }
        _ => {}
    }
    match &service.state {
        Some(state) if state.value == STOPPED => {
            j.blocker(
                Confidence::High,
                "Network Location Awareness is stopped, and this Windows finds its internet connection through it.",
                [state_seen(state).expected("4 RUNNING")],
            );
        }
        Some(state) => j.good(state_seen(state)),
        None => match case.events(AT_WORK).last() {
            Some(event) => j.good(event_seen(event, &[])),
            None => service.need_state(j, KEY),
        },
    }
    good_start(j, &service.start);
}

fn manual_by_design(j: &Judgement, service: &Service) {
    j.note(
        "The article asks for a running NlaSvc. On this Windows the service is manual and normally stopped: the connection status is \
         kept by the Network List Service.",
    );
    match &service.start {
        Lookup::Found(start) if start.value == DISABLED => {
            j.warning(
                Confidence::Medium,
                "Network Location Awareness is disabled: domain location and older programs still call it.",
                [start_seen(start).expected("3 (manual)")],
            );
        }
        start => good_start(j, start),
    }
}
