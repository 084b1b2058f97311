//! The collection is not complete enough to rule everything out.
//!
//! # What it looks at
//! What the other checks could not be told, logs that were cleared or begin inside the failure window, hives whose last writes are
//! missing, records of more than one computer or younger than the collection, outputs about the user that another account made, whether
//! the machine was on a network then, and the files against the hashes in the collector's manifest.
//!
//! # Why it blocks activation
//! It does not. It says how far the rest of the report can be trusted, and what to collect next.
//!
//! # Fix
//! Collect what is listed.
//!
//! # Verify
//! The list is empty in the next report.
//!
//! # When this is wrong
//! A bundle can be incomplete and the cause still be certain: a blocker that was found stays found.
//!
//! # Sources
//! domain.md 5.22 `collection-completeness`, 1.4; decisions 15, 22 and 24.

use std::collections::BTreeMap;

use super::circumstances;
use crate::artifact::ArtifactId;
use crate::artifact::identify::ReadStatus;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Missing, Observation, Status};
use crate::checks::{Article, CHECKS, Check, Layer, Remedy, signals};
use crate::evidence::Confidence;
use crate::evidence::events::Want;

const CLEARED: Want =
    Want { provider: "Microsoft-Windows-Eventlog", ids: &[104, 1102], channels: &["System", "Security"] };

/// The check.
pub const CHECK: Check = Check {
    id: "collection-completeness",
    title: "The collection is incomplete",
    layer: Layer::Collection,
    article: Article::Beyond,
    wants: &[CLEARED, signals::NETWORKS],
    healthy: "Everything that the checks of the two articles need was collected.",
    source_text: include_str!("completeness.rs"),
    run,
    remedy,
};

/// What the other checks miss, with the ids that it would unlock, most valuable first.
pub fn wanted(case: &Case<'_>) -> Vec<(Missing, Vec<&'static str>)> {
    let mut list: BTreeMap<Missing, Vec<&'static str>> = BTreeMap::new();
    for check in CHECKS.iter().filter(|check| check.id != CHECK.id) {
        let Some(outcome) = case.outcome(check.id) else { continue };
        for missing in &outcome.missing {
            list.entry(missing.clone()).or_default().push(check.id);
        }
    }
    let mut list: Vec<_> = list.into_iter().collect();
    list.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    list
}

fn run(case: &Case<'_>, j: &Judgement) {
    for event in case.events(CLEARED) {
        let channel = event.value.user("Channel").unwrap_or_else(|| "Security".to_owned());
        if is_asked_for(&channel) {
            let time = event.value.time;
            let summary = format!("The log {channel} was cleared at {time}: absence in it proves little.");
            j.warning(Confidence::High, summary, [event_seen(&event, &[])]);
        } else {
            j.note(format!("The log {channel} was cleared at {}; no check reads it.", event.value.time));
        }
    }
    for (index, artifact) in case.evidence.artifacts.iter().enumerate() {
        if artifact.status == ReadStatus::Unreadable {
            let reason = artifact.reason.clone().unwrap_or_default();
            let summary = format!("{} could not be read: {reason}", artifact.path);
            j.warning(Confidence::High, summary, [whole(index, &reason)]);
        }
    }
    against_manifest(case, j);
    for conflict in case.evidence.registry.conflicts() {
        j.note(conflict.what.clone());
    }
    computers(case, j);
    circumstances::judge(case, j);
    missing(case, j);
}

/// Whether any check wants events of a channel, other than the records of clearing themselves.
fn is_asked_for(channel: &str) -> bool {
    let wants = CHECKS.iter().flat_map(|check| check.wants).filter(|want| want.ids != CLEARED.ids);
    wants.flat_map(|want| want.channels).any(|name| name.eq_ignore_ascii_case(channel))
}

/// The collector's manifest: files that are not as they were collected, and how the collection was made.
fn against_manifest(case: &Case<'_>, j: &Judgement) {
    let evidence = case.evidence;
    let Some((_, manifest)) = &evidence.manifest else { return };
    let path = |id: &ArtifactId| {
        evidence.artifacts.get(id.0).map(|artifact| artifact.path.as_str()).unwrap_or_default()
    };
    for id in &evidence.verification.altered {
        let summary = format!(
            "{} was altered after it was collected: its SHA-256 is not that of the manifest.",
            path(id)
        );
        let hash =
            evidence.artifacts.get(id.0).and_then(|artifact| artifact.sha256.clone()).unwrap_or_default();
        j.warning(Confidence::High, summary, [whole(id.0, &hash)]);
    }
    for path in &evidence.verification.lost {
        let summary = format!("{path} was collected and is not in the bundle.");
        j.warning(Confidence::High, summary, [evidence.manifest_source().shows(path.clone())]);
    }
    let added: Vec<&str> = evidence.verification.added.iter().map(path).collect();
    if !added.is_empty() {
        j.note(format!("Not from the collector: {}.", added.join(", ")));
    }
    if manifest.elevated == Some(false) {
        j.note(
            "The collector ran without elevation: hives, permissions and other users could not be collected.",
        );
    }
    if let (Some(culture), Some(version)) = (&manifest.culture, &manifest.powershell) {
        j.note(format!("Collected under the culture {culture} with PowerShell {version}."));
    }
}

/// Something is needed that is not there: the finding cites the bundle itself.
fn missing(case: &Case<'_>, j: &Judgement) {
    let wanted = wanted(case);
    let seed = |id: &&str| CHECKS.iter().any(|check| check.id == *id && check.article != Article::Beyond);
    let mut checks: Vec<&str> =
        wanted.iter().flat_map(|(_, ids)| ids).copied().filter(|id| seed(id)).collect();
    checks.sort_unstable();
    checks.dedup();
    if checks.is_empty() {
        j.good(whole(0, "all questions were answered"));
        return;
    }
    for (item, _) in &wanted {
        j.missing(&crate::evidence::Unknown { what: item.what.clone(), reason: None }, &item.collect);
    }
    let files = case.evidence.artifacts.len();
    let summary = format!("{} check(s) could not be answered from what was collected.", checks.len());
    let seen = whole(0, &format!("{files} file(s) in the bundle; unanswered: {}", checks.join(", ")));
    j.row(Status::Warning, Confidence::High, summary, vec![seen]);
}

fn whole(index: usize, observed: &str) -> Observation {
    Observation {
        artifact: ArtifactId(index),
        locator: "the file".to_owned(),
        observed: observed.to_owned(),
        expected: None,
        time: None,
        doubts: Vec::new(),
    }
}

fn computers(case: &Case<'_>, j: &Judgement) {
    let computers = case.evidence.events.computers();
    if computers.len() > 1 {
        let names: Vec<String> =
            computers.iter().map(|(name, count)| format!("{name} ({count} records)")).collect();
        j.note(format!(
            "The logs hold records of more than one computer name (renamed, or more than one machine): {}.",
            names.join(", ")
        ));
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let steps =
        wanted(case).into_iter().map(|(item, ids)| format!("{} (for {})", item.collect, ids.join(", ")));
    let mut unique: Vec<String> = Vec::new();
    for step in steps {
        if !unique.contains(&step) {
            unique.push(step);
        }
    }
    Remedy {
        steps: unique,
        caution: "Collecting changes nothing on the machine; hives and logs hold personal data.".to_owned(),
        rollback: "Nothing to undo.".to_owned(),
        verify: "The list is empty in the next report.".to_owned(),
        references: vec![crate::checks::ARTICLE_NETWORK.to_owned()],
    }
}
