//! What the logs say of the device: answers that refuse it, joins that failed, sign-ins of the device.

use super::answers::{self, Answer, Good};
use super::device_fields::{NO_CONFIGURATION, is_new};
use super::device_registration::CHECK;
use super::join::{self, Status as JoinStatus};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::broker::{RECORDS, affected, is_of_another_user, record_seen};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::signals::{self, DIALOGS};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Sourced};
use crate::knowledge;
use crate::time::FileTime;

/// Joins that failed: discovery (200, 201, 309), request and answer (202 to 206, 354), the domain (219 to 221), WinHTTP (225, 226, 230, 231, 233),
/// automatic registration (304, 305, 307), no token for it (324), warnings without a text (333, 334).
pub const JOINS: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[
        200, 201, 202, 203, 204, 205, 206, 219, 220, 221, 225, 226, 230, 231, 233, 304, 305, 307, 309, 324,
        333, 334, 354,
    ],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// Sign-ins of the device: not joined (1089), a call of the registration failed (1105), no certificate (1153).
pub const SIGN_INS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1089, 1105, 1153],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// The computer's name changed.
pub const RENAMED: Want = Want { provider: "EventLog", ids: &[6011], channels: &["System"] };

/// "Device not found" or another fault of the directory: normal until the next synchronisation.
pub const NEW_DEVICE: u32 = 0x801c_03f2;
/// Automatic registration, which domain members without hybrid join try for ever (R37).
const AUTOMATIC: [u32; 4] = [304, 305, 307, 309];
/// Count only where a join is known (R35).
const OF_JOINED: [u32; 2] = [333, 334];
/// The call of the registration whose code decides.
const CALL: u32 = 1105;

/// "Device disabled in the directory"; "device authentication failed", which with the generic number means that the device was deleted.
const DISABLED: u32 = 135_011;
const NOT_AUTHENTICATED: u32 = 50_155;
const GENERIC: u32 = 70_002;
/// Other answers about the device.
const REFUSALS: [u32; 8] = [50_097, 50_127, 50_129, NOT_AUTHENTICATED, 50_187, 130_007, 130_008, 700_003];

/// Reports what the logs make hold.
pub fn judge(case: &Case<'_>, j: &Judgement, statuses: &[JoinStatus<'_>]) {
    let accepted = |time: FileTime| join::is_accepted_since(statuses, time);
    let good = Good::read(case);
    answered(case, j, &good, accepted);
    dialogs(case, j, &good, accepted);
    joins(case, j, statuses);
    sign_ins(case, j, accepted);
    broker(case, j, accepted);
    renamed(case, j);
}

/// The last answer of the sign-in service about the device.
fn answered(case: &Case<'_>, j: &Judgement, good: &Good, accepted: impl Fn(FileTime) -> bool) {
    let answers = answers::read(case, j);
    let deleted = |answer: &Answer| answer.code == NOT_AUTHENTICATED && answer.all.contains(&GENERIC);
    let of_device = |answer: &&Answer| answer.code == DISABLED || REFUSALS.contains(&answer.code);
    let Some(last) = answers.iter().rfind(of_device) else { return };
    let worst = answers.iter().rfind(|answer| answer.code == DISABLED || deleted(answer)).unwrap_or(last);
    if accepted(worst.time) || good.since(worst.time) {
        j.note(format!(
            "The sign-in service refused the device ({}), and it is accepted since.",
            worst.meaning()
        ));
        return;
    }
    if worst.code == DISABLED || deleted(worst) {
        let what = if worst.code == DISABLED { "disabled" } else { "deleted" };
        let summary = format!("The organisation has {what} this device ({}).", worst.meaning());
        j.row(Status::Blocker, Confidence::High, summary, vec![worst.seen.clone()]);
    } else {
        let summary = format!("The sign-in service refused the device ({}).", worst.meaning());
        let confidence = if worst.code == 700_003 { Confidence::Low } else { Confidence::Medium };
        j.row(Status::Warning, confidence, summary, vec![worst.seen.clone()]);
    }
}

/// Dialogs show the number without its prefix, or only say it.
fn dialogs(case: &Case<'_>, j: &Judgement, good: &Good, accepted: impl Fn(FileTime) -> bool) {
    let events = DIALOGS.iter().flat_map(|want| case.events(*want));
    let shown: Vec<(Sourced<&Event>, bool)> = events
        .filter_map(|event| {
            let text = event.value.all_text().to_lowercase();
            let number = |wanted: &str| text.split(|c: char| !c.is_ascii_digit()).any(|word| word == wanted);
            if number("135011") || text.contains("disabled this device") {
                Some((event, true))
            } else if number("700003") || text.contains("deleted this device") {
                Some((event, false))
            } else {
                None
            }
        })
        .collect();
    let Some((event, disabled)) = shown.last() else { return };
    let seen = event.shows(if *disabled {
        "a dialog says that the device is disabled"
    } else {
        "a dialog says that the device is deleted"
    });
    if accepted(event.value.time) || good.since(event.value.time) {
        j.note("Office told the user that the organisation disabled or deleted the device, and it is accepted since.");
    } else if *disabled {
        j.blocker(
            Confidence::High,
            "Office told the user that the organisation has disabled this device.",
            [seen],
        );
    } else {
        j.warning(
            Confidence::Medium,
            "Office told the user that the organisation has deleted this device.",
            [seen],
        );
    }
}

fn code_of(event: &Event) -> Option<ErrorCode> {
    const FIELDS: [&str; 4] = ["ProviderErrorCode", "ExitCode", "ErrorCode", "Result"];
    FIELDS
        .iter()
        .filter_map(|name| event.field(name))
        .filter_map(ErrorCode::parse)
        .find(|code| !code.is_success())
}

fn words(event: &Event) -> String {
    let Some(code) = code_of(event) else { return format!("{}", event.event_id) };
    let code = code.to_string();
    match knowledge::meanings(&code).first() {
        Some(row) => format!("{}, {code}: {}", event.event_id, row.meaning),
        None => format!("{}, {code}", event.event_id),
    }
}

/// Joins that failed, while the device is not joined.
fn joins(case: &Case<'_>, j: &Judgement, statuses: &[JoinStatus<'_>]) {
    // Without dsregcmd the registry tells whether an attempt after these worked.
    let joined = statuses.iter().any(|status| status.is_joined() == Some(true))
        || (statuses.is_empty() && join::registry_join(case).found().is_some_and(|join| join.value));
    let known = join::is_known(case);
    let wanted = !join::wanted(case, &Judgement::default()).is_empty();
    let code_is = |event: &Event, code: u32| code_of(event).is_some_and(|found| found.value() == code);
    let mut unconfigured = 0;
    let mut records = case.events(JOINS);
    records.retain(|event| {
        let event = event.value;
        if OF_JOINED.contains(&event.event_id) {
            return known;
        }
        // R37: also 307 without a code says that the service information was not found.
        let silent = AUTOMATIC.contains(&event.event_id)
            && !wanted
            && (code_is(event, NO_CONFIGURATION) || (event.event_id == 307 && code_of(event).is_none()));
        unconfigured += usize::from(silent);
        let waits = code_is(event, NEW_DEVICE) && is_new(case);
        !silent && !waits
    });
    if unconfigured > 0 {
        j.note(format!("{unconfigured} attempt(s) to join found no configuration (0x801C001D): hybrid join is not set up, and nothing asks for it."));
    }
    let Some(last) = records.last() else { return };
    if joined {
        j.note(format!(
            "{} record(s) of failed registrations (the last: {}), and the device is joined now.",
            records.len(),
            words(last.value)
        ));
        return;
    }
    let confidence = if records.len() > 1 { Confidence::Medium } else { Confidence::Low };
    let summary = format!(
        "The registration of the device failed, {} record(s) in the failure window (User Device Registration {}).",
        records.len(),
        words(last.value)
    );
    let seen =
        |event: &Sourced<&Event>| event.shows(format!("User Device Registration {}", words(event.value)));
    j.row(Status::Warning, confidence, summary, records.iter().rev().take(3).map(seen).collect());
}

/// Sign-ins of the device count only where it is joined or registered (R35).
fn sign_ins(case: &Case<'_>, j: &Judgement, accepted: impl Fn(FileTime) -> bool) {
    if !join::is_known(case) {
        return;
    }
    let routed = |event: &Event| {
        code_of(event).is_some_and(|code| {
            knowledge::meanings(&code.to_string()).iter().any(|row| row.checks.contains(CHECK.id))
        })
    };
    let mut records = case.events(SIGN_INS);
    records.retain(|event| event.value.event_id != CALL || routed(event.value));
    let Some(last) = records.last() else { return };
    if accepted(last.value.time) {
        j.note(format!(
            "The sign-in of the device failed {} time(s) (AAD {}), and the tenant accepts it now.",
            records.len(),
            last.value.event_id
        ));
        return;
    }
    let confidence = if records.len() > 1 { Confidence::Medium } else { Confidence::Low };
    let summary = format!(
        "The sign-in of the device failed, {} record(s) in the failure window (AAD {}).",
        records.len(),
        words(last.value)
    );
    j.row(Status::Warning, confidence, summary, vec![event_seen(last, &["API", "Result", "Status"])]);
}

/// Failures of the broker that the table of codes gives to this check.
fn broker(case: &Case<'_>, j: &Judgement, accepted: impl Fn(FileTime) -> bool) {
    let user = affected(case);
    let ours = |code: ErrorCode| {
        let rows = knowledge::meanings(&code.to_string());
        let first = rows.iter().find(|row| row.checks.split(',').next() == Some(CHECK.id));
        first
            .map(|row| row.verified)
            .filter(|_| signals::is_broker_failure(code) || code.value() >> 16 == 0x801c)
    };
    let found: Vec<(Sourced<&Event>, bool)> = case
        .events(RECORDS)
        .into_iter()
        .filter(|event| !is_of_another_user(user.as_ref(), event.value))
        .filter_map(|event| signals::code_of(event.value).and_then(ours).map(|verified| (event, verified)))
        .collect();
    let Some((last, verified)) = found.last() else { return };
    if accepted(last.value.time) {
        j.note(
            "The broker recorded failures of the device's sign-in, and the tenant accepts the device now.",
        );
        return;
    }
    let confidence = if *verified { Confidence::Medium } else { Confidence::Low };
    let summary =
        format!("The broker recorded {} failure(s) of a sign-in that needs the device.", found.len());
    j.row(Status::Warning, confidence, summary, vec![record_seen(last)]);
}

fn renamed(case: &Case<'_>, j: &Judgement) {
    for event in case.events(RENAMED) {
        if let (Some(old), Some(new)) = (event.value.item(0), event.value.item(1)) {
            j.note(format!("The computer was renamed from {old} to {new} on {}.", event.value.time.date()));
        }
    }
}
