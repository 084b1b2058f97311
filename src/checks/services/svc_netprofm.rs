//! The Network List Service is stopped, failing or disabled.
//!
//! # What it looks at
//! `Start` of `netprofm` in the SYSTEM hive, its state in `sc query` or `Get-Service`, its failures in the System log, and the events of
//! NetworkProfile that show it at work (10000) or failing (20001).
//!
//! # Why it blocks activation
//! Office asks this service (`INetworkListManager`) whether the machine is on the internet. If it cannot answer, sign-in and
//! activation are not even tried.
//!
//! # Fix
//! Set it to manual (its default) and start it.
//!
//! # Verify
//! `sc query netprofm` shows RUNNING and `Get-NetConnectionProfile` lists the connected network.
//!
//! # When this is wrong
//! 7023 with `%%21` is written at almost every boot, on healthy machines too: it is a note and never more.
//!
//! # Sources
//! domain.md 5.8 `svc-netprofm`; trap 5; R14 and R15 of section 14; decision 17.

use super::{
    DISABLED, RUNNING, STOPPED, Service, failure_seen, failures, good_start, is_absent, remedy, start_seen,
    state_seen,
};
use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Judgement;
use crate::checks::{Article, Check, Layer};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced};

const KEY: &str = "netprofm";
/// A network was connected: the service works.
pub const CONNECTED: Want = Want {
    provider: "Microsoft-Windows-NetworkProfile",
    ids: &[10000],
    channels: &["Microsoft-Windows-NetworkProfile/Operational"],
};
/// The service itself failed.
const FAILED: Want = Want {
    provider: "Microsoft-Windows-NetworkProfile",
    ids: &[20001],
    channels: &["Microsoft-Windows-NetworkProfile/Operational"],
};
/// Boots, to count failures by session.
const BOOTS: Want = Want { provider: "EventLog", ids: &[6005], channels: &["System"] };

/// The check.
pub const CHECK: Check = Check {
    id: "svc-netprofm",
    title: "The Network List Service is stopped, failing or disabled",
    layer: Layer::Services,
    article: Article::Network("Check services"),
    wants: &[super::FAILURES, CONNECTED, FAILED, BOOTS],
    healthy: "The Network List Service works.",
    source_text: include_str!("svc_netprofm.rs"),
    run,
    remedy: |_| remedy(KEY, "demand", "the Network List Service"),
};

fn run(case: &Case<'_>, j: &Judgement) {
    let service = Service::read(case, KEY);
    // The service that names it (Auto-Setup) stops nothing (R14).
    if is_absent(case, j, &service, KEY, None) {
        return;
    }
    if let Lookup::Found(start) = &service.start
        && start.value == DISABLED
    {
        j.blocker(
            Confidence::High,
            "The Network List Service is disabled: Office cannot ask whether the machine is on the internet.",
            [start_seen(start).expected("3 (manual)")],
        );
    }
    let failed = recorded_failures(case, j);
    state(case, j, &service, &failed);
    good_start(j, &service.start);
    service.need(j);
}

fn state(case: &Case<'_>, j: &Judgement, service: &Service, failed: &[Sourced<&Event>]) {
    match (&service.state, failed.last()) {
        (Some(state), _) if state.value == RUNNING => {
            j.good(state_seen(state));
            if !failed.is_empty() {
                j.note(
                    "The service failed inside the failure window, but was running when it was collected.",
                );
            }
        }
        (Some(state), Some(event)) if state.value == STOPPED => {
            j.blocker(
                Confidence::High,
                "The Network List Service is stopped and its failure is recorded.",
                [state_seen(state).expected("4 RUNNING"), failure_seen(event)],
            );
        }
        (Some(state), None) if state.value == STOPPED => {
            j.warning(
                Confidence::Medium,
                "The Network List Service is stopped; it starts on demand, so this may be a moment only.",
                [state_seen(state).expected("4 RUNNING")],
            );
        }
        (_, failure) => {
            let connected = case.events(CONNECTED).last().map(|event| event_seen(event, &["Name", "State"]));
            match (connected, failure) {
                (Some(seen), Some(event)) if seen.time > Some(event.value.time) => {
                    j.note("The service failed inside the failure window, but wrote of a connected network later.");
                    j.good(seen);
                }
                (_, Some(event)) => {
                    let summary = format!(
                        "The Network List Service failed {} time(s) in the failure window.",
                        failed.len()
                    );
                    j.warning(Confidence::Medium, summary, [failure_seen(event)]);
                }
                (Some(seen), None) => j.good(seen),
                (None, None) => service.need_state(j, KEY),
            }
        }
    }
}

/// Failures that count: NetworkProfile 20001; 7023/7031 of netprofm with another code than `%%21`, or three in one boot session
/// (R15).
fn recorded_failures<'e>(case: &Case<'e>, j: &Judgement) -> Vec<Sourced<&'e Event>> {
    let all = failures(case, KEY, &[7023, 7031]);
    let (transient, mut counted): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|event| event.value.field("param2") == Some("%%21"));
    let boots = case.events(BOOTS);
    let session =
        |event: &Sourced<&Event>| boots.iter().filter(|boot| boot.value.time <= event.value.time).count();
    let in_one_session = transient
        .iter()
        .map(session)
        .any(|n| transient.iter().filter(|event| session(event) == n).count() >= 3);
    if in_one_session {
        counted.extend(transient);
    } else if !transient.is_empty() {
        j.note("7023 for netprofm with %%21 (not ready) was written at boot, as on healthy machines: it does not count.");
    }
    counted.extend(case.events(FAILED));
    counted.sort_by_key(|event| event.value.time);
    counted
}
