//! How the collection was made: by whom, when, on which network, and how far its logs and hives reach.

use crate::checks::case::Case;
use crate::checks::identity::join::{self, Runner};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::signals;
use crate::evidence::{Confidence, Source};

/// Reports all of it.
pub fn judge(case: &Case<'_>, j: &Judgement) {
    logs(case, j);
    hives(case, j);
    runner(case, j);
    network(case, j);
    clock(case, j);
}

/// Logs that begin inside the failure window: what came before is not in them.
fn logs(case: &Case<'_>, j: &Judgement) {
    let Some(window) = case.window() else { return };
    let mut short: Vec<String> = case
        .evidence
        .events
        .logs()
        .iter()
        .filter_map(|log| log.oldest.filter(|oldest| *oldest > window.from).map(|oldest| (log, oldest)))
        .map(|(log, oldest)| format!("{} (from {oldest})", log.path))
        .collect();
    short.sort();
    if !short.is_empty() {
        j.note(format!("Logs that begin inside the failure window: {}.", short.join(", ")));
    }
}

/// Hives whose last writes are missing.
fn hives(case: &Case<'_>, j: &Judgement) {
    for (artifact, doubt) in case.evidence.registry.doubts() {
        let place = Source { artifact, locator: "the file".to_owned(), time: None, doubts: Vec::new() };
        j.warning(Confidence::Medium, format!("{doubt}."), [place.shows("not closed cleanly")]);
    }
}

/// Outputs about the user that were made in another account's prompt (decision 22).
fn runner(case: &Case<'_>, j: &Judgement) {
    for status in join::Status::all(case) {
        let runner = status.runner(case);
        if runner != Runner::User {
            j.note(format!("dsregcmd /status: {}.", runner.reason()));
        }
    }
}

/// Whether the machine was on a network when it was collected.
fn network(case: &Case<'_>, j: &Judgement) {
    if case.window().is_some_and(|window| signals::is_disconnected_at(case, window.to)) {
        j.note(
            "The machine was on no network when it was collected: outputs about the network show that moment only.",
        );
    }
}

/// Records that are younger than the collection: the clock was set, or the manifest is of another collection (decision 15).
fn clock(case: &Case<'_>, j: &Judgement) {
    let (Some(window), Some(limit)) = (case.window(), case.evidence.collected_until()) else { return };
    let logs = case.evidence.events.logs();
    let Some((log, newest)) =
        logs.iter().filter_map(|log| Some((log, log.newest?))).max_by_key(|(_, newest)| *newest)
    else {
        return;
    };
    if newest > limit {
        let seen = Observation {
            artifact: log.artifact,
            locator: "newest record".to_owned(),
            observed: newest.to_string(),
            expected: Some(format!("not after the collection ({})", window.to)),
            time: Some(newest),
            doubts: Vec::new(),
        };
        let said = case.evidence.manifest_source().shows(window.to.to_string());
        let summary =
            format!("{} holds records that are younger than the collection: a clock was set.", log.path);
        j.warning(Confidence::Medium, summary, [seen, said]);
    }
}
