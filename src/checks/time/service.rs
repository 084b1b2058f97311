//! What the time service of Windows recorded, in the order in which it was written.
//!
//! Records of the clock cannot be ordered by their own times: a clock that is set back writes the later record with the earlier time. The
//! record numbers of the log keep the order.

use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Sourced};
use crate::time::FileTime;

/// The time service.
pub const RECORDS: Want = Want {
    provider: "Microsoft-Windows-Time-Service",
    ids: &[34, 35, 36, 37, 38, 47, 48, 50, 52, 129, 130, 131, 132, 133, 134, 137, 138],
    channels: &["System"],
};
/// Starts of Windows: the log service starts with it, and so does the kernel.
pub const BOOTS: [Want; 2] = [
    Want { provider: "EventLog", ids: &[6005, 6009], channels: &["System"] },
    Want { provider: "Microsoft-Windows-Kernel-General", ids: &[12], channels: &["System"] },
];

/// Names are looked up before the network is up: what is recorded so soon after a start does not count (R46), nor what is recorded so
/// shortly before the collection.
const STARTING: i64 = 900;
/// More than this stops sign-in (domain.md 5.16).
const TOO_MUCH: f64 = 300.0;
/// A jump or an offset of less is not worth a word.
const NOTICEABLE: f64 = 60.0;
/// Ten years: a jump of more is a number that Windows got wrong (trap 20).
const GARBAGE: f64 = 315_576_000.0;
/// Jumps on so many days are no accident (R46).
const JUMPING_DAYS: usize = 3;

const FIELDS: [&str; 9] = [
    "SystemTimeChangeSeconds",
    "MaxSystemTimeChangeSeconds",
    "UnsynchronizedTimeSeconds",
    "TimeDifferenceMilliseconds",
    "TimeOffsetSeconds",
    "ManualPeer",
    "DomainPeer",
    "TimeSource",
    "ErrorMessage",
];

/// What a record says of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// It follows a server (35, 37).
    Good,
    /// The name of a server was found again (137, 138).
    Named,
    /// It was set: seconds (52).
    Jump(f64),
    /// It is off by more than may be corrected, or by these seconds (34, 50).
    Off(f64),
    /// No server answers (36, 38, 47, 48, 129 to 134).
    Unserved,
    /// Nothing that counts.
    Nothing,
}

fn number(event: &Event, name: &str) -> Option<f64> {
    event.field(name)?.trim().parse().ok()
}

fn state(event: &Event) -> State {
    match event.event_id {
        35 | 37 => State::Good,
        137 | 138 => State::Named,
        52 => match number(event, "TimeOffsetSeconds").map(f64::abs) {
            Some(offset) if offset <= NOTICEABLE || offset > GARBAGE => State::Nothing,
            Some(offset) => State::Jump(offset),
            None => State::Nothing,
        },
        // Seen on a sample: a refused change of 0 seconds, which is within any limit.
        34 => match (
            number(event, "SystemTimeChangeSeconds").map(f64::abs),
            number(event, "MaxSystemTimeChangeSeconds"),
        ) {
            (Some(change), Some(most)) if change <= most => State::Nothing,
            (Some(change), _) => State::Off(change.max(TOO_MUCH + 1.0)),
            (None, _) => State::Off(TOO_MUCH + 1.0),
        },
        50 => match number(event, "TimeDifferenceMilliseconds").map(|ms| ms.abs() / 1_000.0) {
            Some(off) if off > NOTICEABLE => State::Off(off),
            _ => State::Nothing,
        },
        _ => State::Unserved,
    }
}

/// Records of the window in the order in which they were written.
fn records<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let mut records = case.events(RECORDS);
    let one_log = records
        .windows(2)
        .all(|pair| matches!(pair, [one, other] if one.source.artifact == other.source.artifact));
    if one_log {
        records.sort_by_key(|event| event.value.record_id);
    }
    records
}

fn is_soon(from: FileTime, to: FileTime) -> bool {
    (0..=STARTING).contains(&to.seconds_since(from))
}

/// Whether Windows had just started at a time (R46).
pub fn is_starting(case: &Case<'_>, time: FileTime) -> bool {
    BOOTS.iter().any(|want| case.evidence.events.of(*want).iter().any(|boot| is_soon(boot.value.time, time)))
}

/// A failed look-up soon after Windows started, or the last record just before the collection (R46).
fn is_too_early(case: &Case<'_>, event: &Event, last: bool) -> bool {
    if !matches!(event.event_id, 129..=131 | 134) {
        return false;
    }
    is_starting(case, event.time)
        || (last && case.window().is_some_and(|window| is_soon(event.time, window.to)))
}

/// Reports the newest state; older ones were overtaken (decision 2). `measured`: the clock was measured and is right, so records are
/// history. True when the clock is known to follow a server.
pub fn report(case: &Case<'_>, j: &Judgement, measured: bool) -> bool {
    let records = records(case);
    jumps(j, &records, measured);
    let mut named = false;
    for (index, event) in records.iter().enumerate().rev() {
        let seen = || event_seen(event, &FIELDS);
        let last = index + 1 == records.len();
        let counts = !is_too_early(case, event.value, last);
        match state(event.value) {
            State::Nothing => {}
            State::Named => named = true,
            State::Unserved if !counts || (named && matches!(event.value.event_id, 129..=134)) => {
                j.note(format!(
                    "Time-Service {} at {} does not count: the name of the time server was looked up before the network was up.",
                    event.value.event_id, event.value.time
                ));
            }
            State::Good => {
                repaired(j, records.get(..index).unwrap_or_default());
                j.good(seen());
                return true;
            }
            State::Jump(_) => return false,
            state => {
                finding(j, event, state, measured);
                return false;
            }
        }
    }
    false
}

fn finding(j: &Judgement, event: &Sourced<&Event>, state: State, measured: bool) {
    let (status, summary) = match state {
        State::Off(off) if off > TOO_MUCH => (
            Status::Blocker,
            "The time service found the clock too far off, and nothing after that says that it was set right.",
        ),
        State::Off(_) => (Status::Warning, "The time service found the clock off by more than a minute."),
        _ => (
            Status::Warning,
            "The clock is not synchronised: no time server answers, and nothing after that says that one does again.",
        ),
    };
    if measured {
        j.note(format!(
            "Time-Service {} at {}: the clock was measured since, and it is right.",
            event.value.event_id, event.value.time
        ));
        return;
    }
    let confidence = if status == Status::Blocker { Confidence::High } else { Confidence::Medium };
    j.row(status, confidence, summary.to_owned(), vec![event_seen(event, &FIELDS)]);
}

/// What came before a good state is over (decision 2).
fn repaired(j: &Judgement, before: &[Sourced<&Event>]) {
    let bad = before.iter().rfind(|event| matches!(state(event.value), State::Off(_) | State::Unserved));
    if let Some(event) = bad {
        j.note(format!(
            "Time-Service {} at {}: it was out of order, and is synchronised again.",
            event.value.event_id, event.value.time
        ));
    }
}

/// Jumps that were made: a note, unless they come again and again.
fn jumps(j: &Judgement, records: &[Sourced<&Event>], measured: bool) {
    let mut days: Vec<String> = Vec::new();
    for (index, event) in records.iter().enumerate() {
        let State::Jump(seconds) = state(event.value) else { continue };
        let back = number(event.value, "TimeOffsetSeconds").is_some_and(f64::is_sign_negative)
            || records.get(..index).is_some_and(|before| {
                before.iter().any(|earlier| {
                    earlier.source.artifact == event.source.artifact && earlier.value.time > event.value.time
                })
            });
        let direction = if back { "back" } else { "to another time" };
        j.note(format!("The clock was set {direction} by {seconds:.0} seconds at {}.", event.value.time));
        days.push(event.value.time.date());
    }
    days.sort();
    days.dedup();
    let last = records.iter().rfind(|event| matches!(state(event.value), State::Jump(_)));
    if let Some(last) = last.filter(|_| days.len() >= JUMPING_DAYS) {
        let summary = format!(
            "The clock keeps jumping ({} days of the window): an empty CMOS battery, or a hypervisor that sets it.",
            days.len()
        );
        let confidence = if measured { Confidence::Low } else { Confidence::Medium };
        j.warning(confidence, summary, [event_seen(last, &FIELDS)]);
    }
}
