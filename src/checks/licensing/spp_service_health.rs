//! The Software Protection service does not run, or fails for Office.
//!
//! # What it looks at
//! The start type of `sppsvc` (SYSTEM hive, `sc qc`) and its state; failures and crashes of the service in the System log; records of the
//! service about Office in the Application log (by Office's application id, or by a product that such a record or `ospp.vbs` names).
//!
//! # Why it blocks activation
//! The service keeps the licences of Windows, of volume and perpetual Office, and of subscriptions that are activated in the older way. When
//! its store or the service is damaged, none of them can be activated or checked.
//!
//! # Fix
//! Set the service to its start type and start it; for codes of the store: repair Office, then rebuild the store of the service.
//!
//! # Verify
//! `sc query sppsvc` starts without an error, and `ospp.vbs /dstatus` lists the licence as LICENSED.
//!
//! # When this is wrong
//! The service stops by itself when it has nothing to do, and most of its records are about Windows: those never count. Subscriptions with a
//! licence of the current kind do not need it for the licence itself. Codes of the network and of NETWORK SERVICE have checks of their own.
//! A service that was started again after a crash is repaired.
//!
//! # Sources
//! domain.md 5.22 `spp-service-health`, 4.1; decision 7 of section 13; R56, R59 and R62 of section 14; error_codes.tsv; "Error 0x80070005
//! when you activate Office" and "Office activation process issues" (learn.microsoft.com).

use super::licences::{self, Licences};
use super::records;
use super::vnext_license_state::current_way;
use super::{msi_office, products};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::services::{self, DISABLED, STOPPED, Service, failure_seen, start_seen, state_seen};
use crate::checks::{Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced};
use crate::knowledge;

const SERVICE: &str = "sppsvc";
/// What routes a code here in the table of codes.
const ID: &str = "spp-service-health";
/// A service that every Windows has: a hive without it is no whole hive.
const ANY_SERVICE: &str = "RpcSs";
/// Failures to start, and deaths, of a service.
const FAILED: [u32; 8] = [7000, 7001, 7009, 7023, 7024, 7031, 7034, 7038];
/// Deaths in the window that are too many, whatever came after.
const MANY: usize = 3;
/// Exit codes of a service that stopped as it should: none, and "never started since boot".
const NORMAL_EXITS: [u32; 2] = [0, 1077];
/// `E_ACCESSDENIED`.
const ACCESS_DENIED: u32 = 0x8007_0005;

/// The service started (902), stopped (903), or plans its next start: it lives.
const LIFE: Want = Want {
    provider: "Microsoft-Windows-Security-SPP",
    ids: &[900, 902, 903, 16384, 16394],
    channels: &["Application"],
};
/// Started.
const STARTED: u32 = 902;
/// Crashes of programs.
const CRASHES: Want = Want { provider: "Application Error", ids: &[1000], channels: &["Application"] };

/// The check.
pub const CHECK: Check = Check {
    id: ID,
    title: "The Software Protection service does not run, or fails for Office",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[records::PROTECTION, LIFE, CRASHES, services::FAILURES],
    healthy: "The Software Protection service can run and records no failure of Office.",
    source_text: include_str!("spp_service_health.rs"),
    run,
    remedy,
};

/// How much Office needs the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Volume and perpetual Office, and a subscription that is activated in the older way.
    Its,
    /// A subscription with a licence of the current kind, or one of which that is not known.
    Little,
}

fn run(case: &Case<'_>, j: &Judgement) {
    start(case, j);
    deaths(case, j);
    failures(case, j);
    case.need_log(j, &["Application"], collect::APPLICATION_LOG);
    case.need_log(j, &["System"], collect::SYSTEM_LOG);
    if let Some(sign) = case.events(LIFE).last() {
        j.good(event_seen(sign, &[]));
    }
}

/// Whether only volume or perpetual products are installed, by Click-to-Run or by MSI. Visio and Project have the same id by subscription.
fn is_perpetual(case: &Case<'_>) -> bool {
    match products::installed(case) {
        Lookup::Found(found) => {
            let installed = &found.value;
            !installed.has_subscription()
                && (installed.is_volume() || current_way(case, Some(installed)) == Some(false))
        }
        Lookup::Absent(_) => !msi_office::installed(case).products.is_empty(),
        Lookup::Unknown(_) => false,
    }
}

/// Who keeps the licence: `ospp.vbs` shows subscriptions only when they are activated in the older way.
fn need(case: &Case<'_>) -> Need {
    let known = products::installed(case);
    let installed = known.found().map(|found| &found.value);
    let current = Licences::read(case).of(installed).next().is_some();
    let older = licences::blocks(case).iter().any(|(_, block)| !block.is_volume());
    if is_perpetual(case) || (older && !current) { Need::Its } else { Need::Little }
}

fn start(case: &Case<'_>, j: &Judgement) {
    let service = Service::read(case, SERVICE);
    service.need(j);
    let perpetual = is_perpetual(case);
    let wrong = |what: &str, seen: Observation| {
        let (status, confidence, who) = if perpetual {
            (Status::Blocker, Confidence::High, "this Office cannot be activated without it")
        } else {
            (
                Status::Warning,
                Confidence::Medium,
                "a subscription with a licence of the current kind does not need it for the licence itself",
            )
        };
        j.row(status, confidence, format!("The Software Protection service {what}; {who}."), vec![seen]);
    };
    match &service.start {
        Lookup::Found(start) if start.value == DISABLED => {
            return wrong("is disabled", start_seen(start).expected("2 (automatic, delayed)"));
        }
        Lookup::Found(start) => j.good(start_seen(start)),
        Lookup::Absent(source) if service.key_absent => {
            if case.evidence.registry.key(&services::key_path(ANY_SERVICE)).found().is_some() {
                return wrong("is not there", source.shows("the key of the service is not there"));
            }
            let what = "start type of sppsvc".to_owned();
            let reason = Some("the hive shows no services: it is not a whole one".to_owned());
            j.missing(&crate::evidence::Unknown { what, reason }, collect::SYSTEM);
        }
        Lookup::Absent(source) => return wrong("has no start type", source.shows("not set").expected("2")),
        Lookup::Unknown(_) => {}
    }
    if let Some(gone) = &service.not_installed {
        return wrong("is not installed", gone.shows("the service does not exist"));
    }
    let odd_exit = service.exit_code.filter(|code| !NORMAL_EXITS.contains(code));
    match (&service.state, odd_exit) {
        (Some(state), Some(code)) if state.value == STOPPED => j.warning(
            Confidence::Medium,
            format!("The Software Protection service stopped with the code {code} (0x{code:08X})."),
            [state_seen(state).expected("stopped with code 0, or running")],
        ),
        (Some(state), _) => j.good(state_seen(state)),
        (None, _) => {}
    }
}

/// The service died or did not start. One that started afterwards is repaired; three deaths are too many in any case.
fn deaths(case: &Case<'_>, j: &Judgement) {
    let mut found: Vec<(Sourced<&Event>, Observation)> = Vec::new();
    for event in services::failures(case, SERVICE, &FAILED) {
        let seen = failure_seen(&event);
        found.push((event, seen));
    }
    for event in case.events(CRASHES).into_iter().filter(|event| is_own_crash(event.value)) {
        let seen = event.shows(format!(
            "Application Error 1000: sppsvc.exe, exception {}",
            event.value.item(6).unwrap_or("unknown")
        ));
        found.push((event, seen));
    }
    found.sort_by_key(|(event, _)| (event.value.time, event.value.record_id));
    let Some((newest, seen)) = found.last() else { return };
    let starts = case.events(LIFE);
    let again = starts
        .iter()
        .rev()
        .find(|event| event.value.event_id == STARTED && event.value.time > newest.value.time);
    match again {
        Some(started) if found.len() < MANY => {
            j.note("The Software Protection service failed before, and was started again: repaired.");
            j.good(event_seen(started, &[]));
        }
        _ => {
            let evidence = found.iter().rev().take(MANY).map(|(_, seen)| seen.clone()).collect();
            let summary = match found.len() {
                1 => format!("The Software Protection service failed: {}.", seen.observed),
                n => format!("The Software Protection service failed {n} times in the failure window."),
            };
            j.row(Status::Warning, Confidence::Medium, summary, evidence);
        }
    }
}

/// The name of the program is the first item, by position or by name.
fn is_own_crash(event: &Event) -> bool {
    event.item(0).is_some_and(|name| name.trim().eq_ignore_ascii_case("sppsvc.exe"))
}

/// What a recorded code of Office's licensing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The store or the service is damaged; a source confirms it.
    Store,
    /// The service or what it stands on does not answer; known from practice.
    Service,
    /// Permissions.
    Denied,
    /// The network.
    Network,
    /// Another check's.
    Elsewhere,
    /// A code of software licensing that the table does not know.
    Strange,
}

fn class(code: ErrorCode) -> Option<Class> {
    if code.value() == ACCESS_DENIED {
        return Some(Class::Denied);
    }
    if signals::is_network(code) {
        return Some(Class::Network);
    }
    let meanings = knowledge::meanings(&code.to_string());
    let own = meanings.iter().find(|meaning| meaning.checks.split(',').any(|check| check == ID));
    match own {
        Some(meaning) if meaning.verified => Some(Class::Store),
        Some(_) => Some(Class::Service),
        None if !meanings.is_empty() => Some(Class::Elsewhere),
        None => (code.value() >> 16 == 0xc004).then_some(Class::Strange),
    }
}

/// Whether a code says that the service is denied access, or that its store fails.
pub fn is_of_the_store(code: ErrorCode) -> bool {
    matches!(class(code), Some(Class::Store | Class::Denied))
}

/// Failures of Office that the service recorded; the newest of each class.
fn failures(case: &Case<'_>, j: &Judgement) {
    let all = records::failures(case);
    let good = good_listing(case);
    let mut told: Vec<Class> = Vec::new();
    for (event, codes) in all.iter().rev() {
        let Some((code, class)) = codes.iter().find_map(|code| Some((*code, class(*code)?))) else {
            continue;
        };
        if told.contains(&class) {
            continue;
        }
        told.push(class);
        let seen = records::seen(event, &code.to_string());
        match &good {
            Some(good) if !matches!(class, Class::Network | Class::Elsewhere) => {
                j.note(format!("The Software Protection service recorded {code} for Office before; Office is licensed now."));
                j.good(good.clone());
            }
            _ => failure(case, j, code, class, seen),
        }
    }
}

/// `ospp.vbs` shows Office as licensed: what the service keeps is good at the time of collection.
fn good_listing(case: &Case<'_>) -> Option<Observation> {
    let blocks = licences::blocks(case);
    let licensed = |block: &crate::artifact::capture::ospp::Licence| {
        block.state == crate::artifact::capture::ospp::State::Licensed
    };
    blocks
        .iter()
        .find(|(_, block)| licensed(block))
        .map(|(source, block)| licences::block_seen(source, block))
}

fn failure(case: &Case<'_>, j: &Judgement, code: ErrorCode, class: Class, seen: Observation) {
    let (status, confidence) = match need(case) {
        Need::Its => (Status::Blocker, Confidence::High),
        Need::Little => (Status::Warning, Confidence::Medium),
    };
    let meaning = knowledge::meanings(&code.to_string()).first().map_or("", |meaning| meaning.meaning);
    let meaning = meaning.split(" (").next().unwrap_or_default();
    match class {
        Class::Store => {
            let summary = format!(
                "The licence store of the Software Protection service fails for Office: {code}, {meaning}."
            );
            j.row(status, confidence, summary, vec![seen]);
        }
        Class::Denied => {
            let summary = format!(
                "The Software Protection service is denied access for Office ({code}): look at network-service-acl and network-service-spp-key first."
            );
            j.row(status, confidence, summary, vec![seen]);
        }
        Class::Service => j.warning(
            Confidence::Medium,
            format!("The Software Protection service did not answer for Office: {code}, {meaning}."),
            [seen],
        ),
        Class::Strange => j.warning(
            Confidence::Low,
            format!(
                "The Software Protection service recorded {code} for Office, which no table here explains."
            ),
            [seen],
        ),
        Class::Network => j.note(format!(
            "Licensing of Office failed on the network ({code}): endpoint-reachability has that."
        )),
        Class::Elsewhere => {
            j.note(format!("The Software Protection service recorded {code} for Office: {meaning}."))
        }
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let disabled = Service::read(case, SERVICE).start.found().is_some_and(|start| start.value == DISABLED);
    let mut steps = Vec::new();
    if disabled {
        steps.push("Elevated: sc config sppsvc start= delayed-auto (if it is denied: HKLM\\SYSTEM\\CurrentControlSet\\Services\\sppsvc, Start = 2, DelayedAutoStart = 1, then restart)".to_owned());
    }
    steps.push("Elevated: sc start sppsvc, then sc query sppsvc".to_owned());
    steps.push("sfc /scannow, then restart the machine.".to_owned());
    if need(case) == Need::Its {
        steps.extend([
            "Online Repair of Office (Settings > Apps > Office > Modify).".to_owned(),
            "Last: note the activation of Windows (slmgr /dli), then elevated: net stop sppsvc, ren %SystemRoot%\\System32\\spp\\store\\2.0\\tokens.dat tokens.old, net start sppsvc, slmgr /rilc, and restart.".to_owned(),
            "Then Online Repair of Office once more, and activate it.".to_owned(),
        ]);
    }
    Remedy {
        steps,
        caution: "The store holds the licences of Windows too: Windows and volume Office can ask for activation again, so have the key or the KMS host in reach. For subscriptions with a licence of the current kind, renaming the store does nothing: leave it.".to_owned(),
        rollback: "net stop sppsvc, ren tokens.dat tokens.new, ren tokens.old tokens.dat, net start sppsvc; the start type: sc config sppsvc start= <old>.".to_owned(),
        verify: "sc query sppsvc shows no error, slmgr /dli shows Windows as licensed, and ospp.vbs /dstatus lists Office as LICENSED.".to_owned(),
        references: vec![
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/activation-error-0x80070005".to_owned(),
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/office-activation-process-issues".to_owned(),
        ],
    }
}
