//! Network Connected Devices Auto-Setup is disabled or failing.
//!
//! # What it looks at
//! The start type of `NcdAutoSetup` in the SYSTEM hive, its state and exit code in `sc query` or `Get-Service`, and its failures in the
//! System log.
//!
//! # Why it blocks activation
//! The article asks for four services, this one among them. It installs devices that announce themselves on the network and is started
//! when it is needed; nothing shows that activation itself needs it, so it is never more than a warning.
//!
//! # Fix
//! Set it to manual (its default). If it fails, look at the service that it depends on: the Network List Service.
//!
//! # Verify
//! `sc qc NcdAutoSetup` shows START_TYPE : 3 DEMAND_START.
//!
//! # When this is wrong
//! The article says that the service must run. It is manual on every Windows that has it and normally stopped (trap 2): stopped with the
//! exit code 0 or 1077 (never started since boot) is good. Windows 7 and older do not have it, nor has every server.
//!
//! # Sources
//! domain.md 5.8 `svc-ncdautosetup`; traps 2 and 7; R4 and R27 of section 14; the article's section on services.

use super::{
    DISABLED, RUNNING, STOPPED, Service, failure_seen, failures, good_start, remedy, start_seen, state_seen,
};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{Article, Check, Layer, collect};
use crate::evidence::os::{Edition, Generation};
use crate::evidence::{Confidence, Lookup};

const KEY: &str = "NcdAutoSetup";
/// `ERROR_SERVICE_NEVER_STARTED`: not started since boot.
const NEVER_STARTED: u32 = 1077;

/// The check.
pub const CHECK: Check = Check {
    id: "svc-ncdautosetup",
    title: "Network Connected Devices Auto-Setup is disabled or failing",
    layer: Layer::Services,
    article: Article::Network("Check services"),
    wants: &[super::FAILURES],
    healthy: "Network Connected Devices Auto-Setup can start when it is needed.",
    source_text: include_str!("svc_ncdautosetup.rs"),
    run,
    remedy: |_| remedy(KEY, "demand", "Network Connected Devices Auto-Setup"),
};

fn run(case: &Case<'_>, j: &Judgement) {
    let service = Service::read(case, KEY);
    if let Some(seen) = service.absence(case, KEY) {
        not_there(case, j, seen);
        return;
    }
    if let Lookup::Found(start) = &service.start
        && start.value == DISABLED
    {
        let seen = start_seen(start).expected("3 (manual)");
        j.warning(Confidence::Medium, "Network Connected Devices Auto-Setup is disabled.", [seen]);
    }
    recorded(case, j, &service);
    state(j, &service);
    good_start(j, &service.start);
    // Either start type or state answers the question (R4): only with neither is something missing.
    if service.state.is_none() {
        service.need(j);
    }
}

/// Without the service the question does not arise, where the Windows is known to be one that may lack it.
fn not_there(case: &Case<'_>, j: &Judgement, seen: Observation) {
    let os = case.os();
    let old = os.generation().is_some_and(|generation| generation < Generation::Eight);
    if old || os.edition == Some(Edition::Server) {
        j.not_applicable("This Windows does not have Network Connected Devices Auto-Setup.", seen);
    } else if os.generation().is_some() {
        j.warning(
            Confidence::Low,
            "Network Connected Devices Auto-Setup is missing, though this Windows has it by default.",
            [seen],
        );
    } else {
        j.missing(&os.unknown(), collect::OS_BUILD);
    }
}

fn state(j: &Judgement, service: &Service) {
    let Some(state) = &service.state else { return };
    match (state.value, service.exit_code) {
        (STOPPED, Some(code)) if code != 0 && code != NEVER_STARTED => {
            j.warning(
                Confidence::Medium,
                format!("Network Connected Devices Auto-Setup stopped with error {code}."),
                [state_seen(state).expected("exit code 0 or 1077")],
            );
        }
        (STOPPED, _) => {
            j.note("The article asks for a running service. It is manual and normally stopped: it starts when it is needed.");
            j.good(state_seen(state));
        }
        _ => j.good(state_seen(state)),
    }
}

fn recorded(case: &Case<'_>, j: &Judgement, service: &Service) {
    let failed = failures(case, KEY, &[7000, 7001, 7023]);
    let Some(last) = failed.last() else { return };
    if service.state.as_ref().is_some_and(|state| state.value == RUNNING) {
        j.note("Network Connected Devices Auto-Setup failed inside the failure window, but was running when it was collected.");
        return;
    }
    j.warning(
        Confidence::Medium,
        format!(
            "Network Connected Devices Auto-Setup failed {} time(s) in the failure window.",
            failed.len()
        ),
        [failure_seen(last)],
    );
}
