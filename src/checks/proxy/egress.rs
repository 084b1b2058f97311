//! Whether services get out of the site without a proxy.
//!
//! The signs are those that domain.md 5.3 names for `proxy-mismatch`: Windows does not see the internet, and requests that services made
//! without a proxy failed. A newer transfer that got through says that the way is open again.

use super::proof::{succeeded, used_by};
use super::{REGISTRATION, TRANSFERS};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Observation;
use crate::checks::ncsi::profile_state;
use crate::checks::required::needed;
use crate::checks::signals;
use crate::evidence::events::Want;
use crate::evidence::{Sourced, captures};

/// Fields with codes of these records.
const FIELDS: &[&str] = &["hr", "errorCode", "ErrorCode", "Error", "Result"];

/// Requests that device registration could not get through.
const REGISTRATION_FAILED: Want = Want { ids: &[226, 230, 233], ..REGISTRATION };

/// What is known of the direct way.
pub struct Egress {
    /// Signs that it is closed.
    pub closed: Vec<Observation>,
    /// A transfer that got through after the failures.
    pub reopened: Option<Observation>,
}

/// Looks for signs inside the failure window.
pub fn direct(case: &Case<'_>) -> Egress {
    let mut failures: Vec<Sourced<&Event>> = case.events(signals::UPDATES_FAILED);
    failures.extend(case.events(REGISTRATION_FAILED));
    failures.extend(case.events(signals::BROKER).into_iter().filter(|event| by_service(event.value)));
    let transfers = case.events(TRANSFERS);
    let direct =
        || transfers.iter().filter(|event| used_by(event.value).is_empty() && to_internet(event.value));
    failures.extend(direct().filter(|event| event.value.event_id == 61).cloned());
    // Failures while no network was connected say nothing (domain.md 5.5).
    failures.retain(|event| {
        code_of(event.value).is_some_and(is_closed) && !signals::is_disconnected_at(case, event.value.time)
    });
    failures.sort_by_key(|event| (event.value.time, event.value.record_id, event.source.artifact));
    let worked = direct().rev().find(|event| succeeded(event.value) == Some(true));
    let mut egress = Egress { closed: Vec::new(), reopened: None };
    match (failures.last(), worked) {
        (Some(failed), Some(worked)) if worked.value.time > failed.value.time => {
            egress.reopened = Some(event_seen(worked, &["url", "hr"]));
        }
        (Some(failed), _) => egress.closed.push(event_seen(failed, FIELDS)),
        (None, _) => {}
    }
    if profile_state::is_bad(case)
        && let Some(seen) = case.outcome("ncsi-profile-state").and_then(|outcome| outcome.evidence.first())
    {
        egress.closed.push(seen.clone());
    }
    egress.closed.extend(tested(case));
    egress
}

/// A test of a direct connection to a required host that failed, where no such test succeeded: `Test-NetConnection` knows no proxy.
fn tested(case: &Case<'_>) -> Option<Observation> {
    let mut failed = None;
    for capture in case.evidence.captures.each(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        for test in data.tests.iter().filter(|test| test.remote_port == Some(443)) {
            let Some(host) = test.computer_name.as_deref().filter(|host| needed(case, host).is_some()) else {
                continue;
            };
            match test.tcp_test_succeeded {
                Some(true) => return None,
                Some(false) if !test.name_resolution_failed => {
                    let at = captures::line(capture.source.artifact, test.tcp_line.unwrap_or(test.line));
                    failed
                        .get_or_insert_with(|| at.shows(format!("{host} port 443: TcpTestSucceeded False")));
                }
                _ => {}
            }
        }
    }
    failed
}

/// Whether a service wrote a record.
pub fn by_service(event: &Event) -> bool {
    event.user_sid.as_deref().is_some_and(|sid| matches!(sid, "S-1-5-18" | "S-1-5-19" | "S-1-5-20"))
}

fn code_of(event: &Event) -> Option<ErrorCode> {
    FIELDS.iter().find_map(|name| event.field(name)).and_then(ErrorCode::parse)
}

/// The request met no one: time-out, name, connection. Certificate, script and proxy errors are other failures.
fn is_closed(code: ErrorCode) -> bool {
    matches!(code.win32(), Some(0x102 | 12_002 | 12_007 | 12_029 | 12_030 | 12_031))
        || code.value() >> 16 == 0xcaa7
}

/// Whether a transfer was from Microsoft's servers on the internet: transfers inside the site say nothing.
fn to_internet(event: &Event) -> bool {
    let host = event.field("url").and_then(super::address::host_of_url);
    let known = ["microsoft.com", "windowsupdate.com", "office.com", "office.net", "live.com", "msedge.net"];
    host.is_none_or(|host| known.iter().any(|name| host == *name || host.ends_with(&format!(".{name}"))))
}
