//! Direct measures of the clock: what another clock said at the time of collection.

use super::service;
use crate::artifact::ArtifactId;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::evidence::events::Basis;
use crate::evidence::{Confidence, captures};
use crate::time::FileTime;

/// More than this stops sign-in (domain.md 5.16).
const TOO_MUCH: f64 = 300.0;
/// More than this is worth a warning.
const NOTICEABLE: f64 = 60.0;
/// Two readings of one clock may be this many seconds apart by rounding and slewing.
const TOLERANCE: i64 = 60;

/// How far the clock was off.
struct Measure {
    /// Seconds; the sign does not matter here.
    off: f64,
    /// The worst that it can mean.
    worst: Status,
    /// The other clock is surely another one.
    independent: bool,
    /// What was measured, for the sentence.
    how: &'static str,
    seen: Observation,
}

/// What the measures tell together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Another clock agrees: records of before are overtaken.
    Right,
    /// The clock agrees with the time that the collection gives for itself. Where that is from is not known, so records of the time service
    /// still count.
    Agreed,
    /// There is no measure, or one is noticeably off.
    Open,
}

/// Reports every measure.
pub fn report(case: &Case<'_>, j: &Judgement) -> Clock {
    let mut measures = Vec::new();
    time_service(case, j, &mut measures);
    join_status(case, j, &mut measures);
    web_servers(case, j, &mut measures);
    let clock = match measures.iter().all(|measure| measure.off <= NOTICEABLE) {
        true if measures.iter().any(|measure| measure.independent) => Clock::Right,
        true if !measures.is_empty() => Clock::Agreed,
        _ => Clock::Open,
    };
    for measure in measures {
        let summary = format!("The clock is {} off: {}.", span(measure.off), measure.how);
        if measure.off > TOO_MUCH && measure.worst == Status::Blocker {
            j.blocker(Confidence::High, summary, [measure.seen.expected("less than a minute")]);
        } else if measure.off > NOTICEABLE {
            j.warning(Confidence::Medium, summary, [measure.seen.expected("less than a minute")]);
        } else {
            j.good(measure.seen);
        }
    }
    clock
}

/// `312 seconds`, `6.2 minutes`, `14.9 hours`, `3 days`.
fn span(seconds: f64) -> String {
    match seconds {
        s if s < 600.0 => format!("{s:.0} seconds"),
        s if s < 7_200.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} hours", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

/// `w32tm /stripchart`: another server's clock now; `w32tm /query /status /verbose`: what the last synchronisation found, which it then
/// corrected. That can be months ago, so a small one says nothing of the clock now.
fn time_service(case: &Case<'_>, j: &Judgement, measures: &mut Vec<Measure>) {
    for capture in case.captures(CaptureKind::W32tm) {
        let CaptureData::W32tm(data) = &capture.value.data else { continue };
        if let Some((line, offset)) = data.largest_offset() {
            let at = captures::line(capture.source.artifact, line);
            measures.push(Measure {
                off: offset.abs(),
                worst: Status::Blocker,
                independent: true,
                how: "w32tm measured it against a time server",
                seen: at.shows(format!("offset {offset:+.3} s")),
            });
        }
        let Some(status) = &data.status else { continue };
        if let (Some(offset), Some(true)) = (status.phase_offset_seconds, status.synchronised()) {
            if offset.abs() <= NOTICEABLE {
                j.note(format!(
                    "w32tm found the clock {offset:+.3} s off at its last synchronisation, whenever that was."
                ));
                continue;
            }
            let line = status.source.as_ref().map_or(capture.value.line_from, |source| source.line);
            let at = captures::line(capture.source.artifact, line);
            measures.push(Measure {
                off: offset.abs(),
                worst: Status::Warning,
                independent: true,
                how: "w32tm found that at the last synchronisation",
                seen: at.shows(format!("phase offset {offset:+.3} s")),
            });
        }
    }
}

/// `w32tm /query /status` of a service that follows no server. Soon after a start it has not found one yet (R46); `known`: the clock was
/// measured, or a record says that it follows one.
pub fn follows_nobody(case: &Case<'_>, j: &Judgement, known: bool) {
    for capture in case.captures(CaptureKind::W32tm) {
        let CaptureData::W32tm(data) = &capture.value.data else { continue };
        let Some(status) = data.status.as_ref().filter(|status| status.synchronised() == Some(false)) else {
            continue;
        };
        let source = status.source.as_ref();
        let line = source.map_or(capture.value.line_from, |source| source.line);
        let name = source.map_or("no source", |source| source.value.as_str());
        if known || case.window().is_some_and(|window| service::is_starting(case, window.to)) {
            j.note(format!(
                "w32tm says that the clock is not synchronised ({name}), as it does soon after each start of the service."
            ));
            continue;
        }
        let seen = captures::line(capture.source.artifact, line).shows(format!("not synchronised: {name}"));
        j.warning(
            Confidence::Low,
            "The time service says that the clock is not synchronised: it follows no server.",
            [seen.expected("a time server")],
        );
    }
}

/// When the collection began, by the manifest, and whether it made this file: only then can the two be compared.
fn started(case: &Case<'_>, artifact: ArtifactId) -> Option<FileTime> {
    let window = case.window().filter(|window| window.basis == Basis::Manifest)?;
    let (_, manifest) = case.evidence.manifest.as_ref()?;
    let path = &case.evidence.artifacts.get(artifact.0)?.path;
    let made = |listed: &str| {
        let listed = listed.replace('\\', "/");
        path.eq_ignore_ascii_case(&listed) || path.ends_with(&format!("/{listed}"))
    };
    manifest.items.iter().filter_map(|item| item.path.as_deref()).any(made).then_some(window.to)
}

/// A measure out of a clock that was read some time after the collection began.
fn compared(
    case: &Case<'_>,
    j: &Judgement,
    (started, read): (FileTime, FileTime),
    how: &'static str,
    seen: Observation,
) -> Option<Measure> {
    // A span of time as far as a calendar goes fits a double exactly enough.
    #[allow(clippy::cast_precision_loss, reason = "seconds of at most some thousand years")]
    let off = read.seconds_since(started) as f64;
    if off > TOO_MUCH && case.evidence.collected_until().is_some_and(|until| read <= until) {
        j.note(format!(
            "{} later than the start of the collection: that may be the time that the collection took.",
            span(off)
        ));
        return None;
    }
    let off = if off > 0.0 && off <= TOO_MUCH { 0.0 } else { off.abs() };
    Some(Measure { off, worst: Status::Blocker, independent: true, how, seen })
}

/// `Client Time` of `dsregcmd /status` against the manifest. Our collector takes its time from the clock in question: that the two agree tells
/// nothing then, and they part only when the clock was set between them.
fn join_status(case: &Case<'_>, j: &Judgement, measures: &mut Vec<Measure>) {
    let Some(until) = case.evidence.collected_until() else { return };
    let own_clock = case.evidence.manifest.as_ref().is_some_and(|(_, manifest)| manifest.is_of_the_script());
    for capture in case.captures(CaptureKind::Dsregcmd) {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { continue };
        let (Some(client), Some(started)) = (data.client_time(), started(case, capture.source.artifact))
        else {
            continue;
        };
        if !own_clock {
            let at = captures::line(capture.source.artifact, client.line);
            let seen = at.shows(format!("Client Time {}, collected {started}", client.value));
            let how = "dsregcmd shows another time than the collector";
            let measure = compared(case, j, (started, client.value), how, seen);
            measures.extend(measure.map(|measure| Measure { independent: false, ..measure }));
        } else if client.value.plus_seconds(TOLERANCE) < started || client.value > until {
            j.note(format!(
                "dsregcmd shows {}, but the collection began at {started}: the clock was set while it ran, or it took that long.",
                client.value
            ));
        }
    }
}

/// `Date` of a web server against the manifest. What a cache on the way gives out can be old, never new.
fn web_servers(case: &Case<'_>, j: &Judgement, measures: &mut Vec<Measure>) {
    for capture in case.captures(CaptureKind::HttpResponse) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        let Some(started) = started(case, capture.source.artifact) else { continue };
        for response in &data.responses {
            let Some(date) = response.date.as_deref().and_then(http_date) else { continue };
            if date < started && response.via.is_some() {
                continue;
            }
            let at = captures::line(capture.source.artifact, response.line);
            let seen = at.shows(format!("Date {date}, collected {started}"));
            measures.extend(compared(case, j, (started, date), "a web server sent another time", seen));
        }
    }
}

/// `Fri, 20 Nov 2026 08:00:03 GMT`.
fn http_date(text: &str) -> Option<FileTime> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text.trim()).ok().and_then(|stamp| FileTime::from_unix_seconds(stamp.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_web_servers() {
        // The example of RFC 9110, section 5.6.7.
        assert_eq!(
            http_date("Sun, 06 Nov 1994 08:49:37 GMT").map(|time| time.to_string()).as_deref(),
            Some("1994-11-06T08:49:37Z")
        );
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn spans_for_people() {
        assert_eq!(
            [312.4, 4_000.0, 90_000.0, 400_000.0].map(span),
            ["312 seconds", "67 minutes", "25.0 hours", "5 days"]
        );
    }
}
