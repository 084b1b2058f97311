//! Windows services that activation rests on.
//!
//! A hive shows the start type and not the state; the state comes from `sc` and `Get-Service`, and from what the service wrote
//! when it started, failed or worked. "Disabled" counts from wherever it comes (decision 17).

mod chain;
pub mod svc_dependencies;
pub mod svc_eventlog;
pub mod svc_ncdautosetup;
pub mod svc_netprofm;
pub mod svc_nlasvc;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    svc_eventlog::CHECK,
    svc_nlasvc::CHECK,
    svc_netprofm::CHECK,
    svc_ncdautosetup::CHECK,
    svc_dependencies::CHECK,
];

use super::Remedy;
use super::case::{Case, event_seen};
use super::judgement::{Judgement, Observation};
use super::{ARTICLE_NETWORK, collect};
use crate::artifact::ArtifactId;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::service_of;
use crate::evidence::captures::line;
use crate::evidence::events::Want;
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Lookup, Sourced};

/// Start type "disabled".
pub const DISABLED: u32 = 4;
/// `sc` state "stopped".
pub const STOPPED: u32 = 1;
/// `sc` state "running".
pub const RUNNING: u32 = 4;

/// Failures of services that the Service Control Manager records.
pub const FAILURES: Want = Want {
    provider: "Service Control Manager",
    ids: &[7000, 7001, 7003, 7009, 7022, 7023, 7024, 7031, 7034, 7038],
    channels: &["System"],
};

/// What is known of one service.
pub struct Service {
    /// Start type: from the hive, else from `sc qc` or `Get-Service`; "disabled" from either.
    pub start: Lookup<u32>,
    /// State number (1 stopped … 4 running) from a command output.
    pub state: Option<Sourced<u32>>,
    /// `WIN32_EXIT_CODE` of the same output.
    pub exit_code: Option<u32>,
    /// A command output says that the service does not exist.
    pub not_installed: Option<Sourced<()>>,
    /// The hive's key is absent.
    pub key_absent: bool,
}

/// The registry path of a service's key.
pub fn key_path(key: &str) -> String {
    format!(r"HKLM\SYSTEM\CurrentControlSet\Services\{key}")
}

impl Service {
    /// Asks all sources about a service.
    pub fn read(case: &Case<'_>, key: &str) -> Self {
        let path = key_path(key);
        let registry = &case.evidence.registry;
        let key_absent = registry.key(&path).is_absent();
        let start = registry.value(&path, "Start").numeric(&format!("start type of {key}"));
        let start = start.map(|value| value.as_u32().unwrap_or_default());
        let mut service = Self { start, state: None, exit_code: None, not_installed: None, key_absent };
        service.read_captures(case, key);
        service
    }

    fn read_captures(&mut self, case: &Case<'_>, key: &str) {
        let mut told: Option<Sourced<u32>> = None;
        for capture in case.evidence.captures.each(CaptureKind::Service) {
            let CaptureData::Service(data) = &capture.value.data else { continue };
            for item in data.services.iter().filter(|item| item.key.eq_ignore_ascii_case(key)) {
                let at = |number: Option<u32>| line(capture.source.artifact, number.unwrap_or(item.line));
                if item.missing {
                    self.not_installed = Some(Sourced { value: (), source: at(None) });
                    continue;
                }
                if let Some(state) = item.state {
                    self.state = Some(Sourced { value: state, source: at(item.state_line) });
                    self.exit_code = item.exit_code;
                }
                if let Some(start) = item.start {
                    let start = Sourced { value: start, source: at(item.start_line) };
                    keep_start(&mut told, start, capture.source.artifact);
                }
            }
        }
        if let Some(told) = told {
            self.compare_start(told);
        }
    }

    /// The start type of the hive and that of a command side by side. "Disabled" from either is a finding (decision 17); where the other
    /// one says something else, confidence drops (1.3 rule 4).
    fn compare_start(&mut self, mut told: Sourced<u32>) {
        let (hive, text) = match &mut self.start {
            Lookup::Found(hive) if hive.value != told.value => (hive, told.value),
            Lookup::Found(_) => return,
            Lookup::Absent(_) | Lookup::Unknown(_) => {
                self.start = Lookup::Found(told);
                return;
            }
        };
        if text == DISABLED {
            told.source.doubts.push(format!("The SYSTEM hive says {} for the same start type.", hive.value));
            self.start = Lookup::Found(told);
        } else if hive.value == DISABLED {
            hive.source.doubts.push(format!("A command output says {text} for the same start type."));
        }
    }

    /// What shows that the machine does not have the service: a key that is not in a complete hive, or the error 1060 of `sc`. A list
    /// without it shows nothing (R27).
    pub fn absence(&self, case: &Case<'_>, key: &str) -> Option<Observation> {
        if let Some(said) = &self.not_installed {
            return Some(said.shows("the service does not exist (1060)"));
        }
        match case.evidence.registry.key(&key_path(key)) {
            Lookup::Absent(source) => Some(source.shows("the key does not exist")),
            _ => None,
        }
    }

    /// Notes what is not known of start type and state.
    pub fn need(&self, j: &Judgement) {
        if let Lookup::Unknown(unknown) = &self.start {
            j.missing(unknown, collect::SYSTEM);
        }
    }

    /// Notes that the state is not known.
    pub fn need_state(&self, j: &Judgement, key: &str) {
        let what = format!("state of the service {key} (sc query or Get-Service)");
        j.missing(&crate::evidence::Unknown { what, reason: None }, collect::SERVICES);
    }
}

/// Of one file the last word counts. Which of two files is newer is not known, so "disabled" in one of them stands.
fn keep_start(told: &mut Option<Sourced<u32>>, start: Sourced<u32>, artifact: ArtifactId) {
    if told.as_ref().is_none_or(|known| known.value != DISABLED || known.source.artifact == artifact) {
        *told = Some(start);
    }
}

/// A start type as evidence.
pub fn start_seen(start: &Sourced<u32>) -> Observation {
    let word = match start.value {
        0 => "boot",
        1 => "system",
        2 => "automatic",
        3 => "manual",
        4 => "disabled",
        _ => "unknown start type",
    };
    start.shows(format!("{} ({word})", start.value))
}

/// A state as evidence.
pub fn state_seen(state: &Sourced<u32>) -> Observation {
    let word = match state.value {
        1 => "STOPPED",
        2 => "START_PENDING",
        3 => "STOP_PENDING",
        4 => "RUNNING",
        7 => "PAUSED",
        _ => "another state",
    };
    state.shows(format!("{} {word}", state.value))
}

/// Recorded failures of a service inside the window. The key is matched in `Binary`, because the name is localised (trap 7).
pub fn failures<'e>(case: &Case<'e>, key: &str, ids: &[u32]) -> Vec<Sourced<&'e Event>> {
    let mut found = case.events(FAILURES);
    found.retain(|event| {
        ids.contains(&event.value.event_id)
            && service_of(event.value).is_some_and(|service| service.key.eq_ignore_ascii_case(key))
    });
    found
}

/// A service that every Windows from 7 on has does not exist. True when nothing more can be said of it.
///
/// The decision tables know a missing service only below one that names it (5.8 `svc-dependencies`, R14): there it stops what stands
/// above it. Elsewhere error 1060 of `sc` is a warning. `above`: the service whose chain stops with it.
pub fn is_absent(case: &Case<'_>, j: &Judgement, service: &Service, key: &str, above: Option<&str>) -> bool {
    let Some(seen) = service.absence(case, key) else { return false };
    let seen = seen.expected("a service that every Windows from 7 on has");
    let named = above.map(|above| (above, dependencies(case, above)));
    if let Some((above, Lookup::Found(list))) = named
        && list.value.iter().any(|name| name.eq_ignore_ascii_case(key))
    {
        let summary = format!("The service {key} does not exist, and {above} cannot start without it.");
        j.blocker(Confidence::High, summary, [seen, list.shows(list.value.join(", "))]);
        return true;
    }
    // A hive may be a part of one, and Windows XP has neither of the two network services: only the word of `sc` stands alone.
    if service.not_installed.is_none() {
        return false;
    }
    match case.os().generation() {
        Some(known) if known >= Generation::Seven => {
            let summary = format!("The service {key} does not exist, though every Windows from 7 on has it.");
            j.warning(Confidence::Medium, summary, [seen]);
            true
        }
        Some(_) => false,
        None => {
            j.missing(&case.os().unknown(), collect::OS_BUILD);
            true
        }
    }
}

/// A failure as evidence.
pub fn failure_seen(event: &Sourced<&Event>) -> Observation {
    event_seen(event, &["param1", "param2"])
}

/// The remedy that all services share: default start type, start, and the system file checker if that does not help.
pub fn remedy(key: &str, start: &str, display: &str) -> Remedy {
    Remedy {
        steps: vec![
            format!("sc config {key} start= {start}"),
            format!("sc start {key}"),
            format!("If {display} does not start: sfc /scannow, then restart the machine."),
        ],
        caution: "A service that was disabled by policy or by a hardening script comes back disabled: change it at the source."
            .to_owned(),
        rollback: format!("Note the start type before (sc qc {key}) and set it again with sc config {key} start= <old>."),
        verify: format!("sc query {key} shows STATE : 4 RUNNING; then try activation again."),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}

/// A start type that the hive holds, as evidence for good.
pub fn good_start(j: &Judgement, start: &Lookup<u32>) {
    if let Lookup::Found(start) = start {
        j.good(start_seen(start));
    }
}

/// A registry value of a service, as evidence where it is found.
pub fn dependencies(case: &Case<'_>, key: &str) -> Lookup<Vec<String>> {
    let found = case.value(&key_path(key), "DependOnService");
    found.map(|value| {
        value.as_list().unwrap_or_default().into_iter().filter(|name| !name.is_empty()).collect()
    })
}
