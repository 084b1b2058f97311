//! The typed report: the contract's JSON (`actriage.report/1`). Every format is made from this, so that nothing is shown in one and
//! missing in another.

use std::collections::HashSet;

use serde::Serialize;

use super::card::Card;
use crate::artifact::collection::Artifact;
use crate::artifact::identify::ReadStatus;
use crate::bundle::{Bundle, layout};
use crate::checks::Remedy;
use crate::checks::judgement::{Missing, Observation, Outcome, Status};
use crate::diagnosis::timeline::{self, Around};
use crate::diagnosis::{ABOUT_COLLECTION, Diagnosed, Diagnosis, Verdict};
use crate::evidence::{Confidence, Evidence};
use crate::facts::machine::basis_words;
use crate::redact::Redactor;
use crate::rules::Ruled;
use crate::time::FileTime;

/// The schema that this writes.
pub const SCHEMA: &str = "actriage.report/1";

/// A whole report on one bundle.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Who made it.
    pub tool: Tool,
    /// What was analysed.
    pub bundle: BundleInfo,
    /// The machine it is about.
    pub machine: Card,
    /// The answer.
    pub verdict: VerdictInfo,
    /// Every check, once.
    pub checks: Vec<CheckInfo>,
    /// The decisive events around the failure, or the newest ones where nothing was found.
    pub timeline: Around,
}

/// The program.
#[derive(Debug, Serialize)]
pub struct Tool {
    /// `actriage`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// The bundle.
#[derive(Debug, Serialize)]
pub struct BundleInfo {
    /// As given.
    pub path: String,
    /// SHA-256 of the archive; null for a folder.
    pub sha256: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// How it was made.
    pub layout: &'static str,
    /// When it was collected, as far as that is known.
    pub collected_at: Option<FileTime>,
    /// How the collection time is known.
    pub collected_at_basis: Option<&'static str>,
    /// Start of the failure window.
    pub window_from: Option<FileTime>,
    /// Every file.
    pub artifacts: Vec<ArtifactInfo>,
}

/// One file.
#[derive(Debug, Serialize)]
pub struct ArtifactInfo {
    /// Path in the bundle.
    pub path: String,
    /// What it is.
    pub kind: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256; null when it could not be read.
    pub sha256: Option<String>,
    /// How much of it was used.
    pub status: ReadStatus,
    /// Why not all.
    pub reason: Option<String>,
}

impl From<&Artifact> for ArtifactInfo {
    fn from(artifact: &Artifact) -> Self {
        Self {
            path: artifact.path.clone(),
            kind: artifact.kind.clone(),
            bytes: artifact.bytes,
            sha256: artifact.sha256.clone(),
            status: artifact.status,
            reason: artifact.reason.clone(),
        }
    }
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct VerdictInfo {
    /// Outcome.
    pub outcome: Verdict,
    /// One sentence.
    pub summary: String,
    /// Ids of the causes, most likely first.
    pub root_causes: Vec<String>,
}

/// One check, built in or a rule of the user.
#[derive(Debug, Serialize)]
pub struct CheckInfo {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Layer.
    pub layer: &'static str,
    /// Status.
    pub status: Status,
    /// Confidence; null where nothing was judged.
    pub confidence: Option<Confidence>,
    /// What was seen.
    pub summary: String,
    /// What supports it.
    pub evidence: Vec<EvidenceInfo>,
    /// What else to know.
    pub notes: Vec<String>,
    /// Findings that explain it.
    pub caused_by: Vec<&'static str>,
    /// Findings that it explains.
    pub explains: Vec<&'static str>,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// What to do; null where there is nothing to do.
    pub remedy: Option<Remedy>,
}

/// One observation.
#[derive(Debug, Serialize)]
pub struct EvidenceInfo {
    /// Path of the file.
    pub artifact: String,
    /// Where in it.
    pub locator: String,
    /// What is there.
    pub observed: String,
    /// What a good machine has there.
    pub expected: Option<String>,
    /// When.
    pub time: Option<FileTime>,
}

impl Report {
    /// Makes the report, with secrets masked.
    pub fn new(bundle: &Bundle, diagnosis: &Diagnosis<'_>) -> Self {
        let evidence = diagnosis.case.evidence;
        let mut report = Self {
            schema: SCHEMA,
            tool: Tool { name: "actriage", version: env!("CARGO_PKG_VERSION") },
            bundle: bundle_info(bundle, evidence),
            machine: Card::of(&diagnosis.case),
            verdict: VerdictInfo {
                outcome: diagnosis.verdict,
                summary: diagnosis.summary(),
                root_causes: diagnosis.roots.clone(),
            },
            checks: {
                let rules = diagnosis.rules.iter().map(|ruled| rule_info(ruled, evidence));
                diagnosis.checks.iter().map(|item| check_info(item, diagnosis)).chain(rules).collect()
            },
            timeline: timeline::around(
                timeline::moments(evidence, evidence.window),
                !diagnosis.roots.is_empty(),
                failed_at(diagnosis),
            ),
        };
        Redactor::masking(evidence.secrets.clone()).report(&mut report);
        report
    }

    /// The check of an id.
    pub fn check(&self, id: &str) -> Option<&CheckInfo> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// The findings in the order of telling: causes, each followed by what it explains, then what stands apart.
    pub fn findings(&self) -> Vec<&CheckInfo> {
        let mut list: Vec<&CheckInfo> = Vec::new();
        for root in self.verdict.root_causes.iter().filter_map(|id| self.check(id)) {
            list.push(root);
            list.extend(root.explains.iter().filter_map(|id| self.check(id)));
        }
        list.extend(self.checks.iter().filter(|check| check.status.is_finding()));
        let mut told: HashSet<&str> = HashSet::new();
        list.retain(|check| told.insert(&check.id));
        list
    }

    /// The findings that stand for themselves: the causes, then what nothing explains and is no cause either.
    pub fn standing(&self) -> Vec<&CheckInfo> {
        let causes = &self.verdict.root_causes;
        let apart = |check: &&CheckInfo| check.caused_by.is_empty() && check.id != ABOUT_COLLECTION;
        self.findings().into_iter().filter(|check| causes.contains(&check.id) || apart(check)).collect()
    }

    /// The machine card with the row on the collection, as people read it.
    pub fn card_rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = self.machine.rows();
        if let (Some(at), Some(basis)) = (self.bundle.collected_at, self.bundle.collected_at_basis) {
            let from = self.bundle.window_from.map(|from| from.date()).unwrap_or_default();
            let tool = self.machine.collected_by;
            let zone = self.machine.zone().map(|zone| format!(" · {zone}")).unwrap_or_default();
            rows.push(("Collected", format!("{at} by the {basis} ({tool}), failures from {from}{zone}")));
        }
        rows
    }
}

/// Newest evidence of the first cause.
fn failed_at(diagnosis: &Diagnosis<'_>) -> Option<FileTime> {
    let root = diagnosis.outcome(diagnosis.roots.first()?)?;
    root.evidence.iter().filter_map(|seen| seen.time).filter(|time| !time.is_zero()).max()
}

fn bundle_info(bundle: &Bundle, evidence: &Evidence) -> BundleInfo {
    let paths: Vec<&str> = evidence.artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    let artifacts = evidence.artifacts.iter().map(ArtifactInfo::from);
    BundleInfo {
        path: bundle.path.clone(),
        sha256: bundle.sha256().map(str::to_owned),
        bytes: bundle.bytes,
        layout: layout::name(&paths, evidence.manifest.is_some()),
        collected_at: evidence.window.map(|window| window.to),
        collected_at_basis: evidence.window.map(|window| basis_words(window.basis)),
        window_from: evidence.window.map(|window| window.from),
        artifacts: artifacts.collect(),
    }
}

fn evidence_info(outcome: &Outcome, evidence: &Evidence) -> Vec<EvidenceInfo> {
    let artifact = |seen: &Observation| {
        evidence.artifacts.get(seen.artifact.0).map(|artifact| artifact.path.clone()).unwrap_or_default()
    };
    let info = outcome.evidence.iter().map(|seen| EvidenceInfo {
        artifact: artifact(seen),
        locator: seen.locator.clone(),
        observed: seen.observed.clone(),
        expected: seen.expected.clone(),
        time: seen.time.filter(|time| !time.is_zero()),
    });
    info.collect()
}

fn check_info(item: &Diagnosed, diagnosis: &Diagnosis<'_>) -> CheckInfo {
    CheckInfo {
        id: item.check.id.to_owned(),
        title: item.check.title.to_owned(),
        layer: item.check.layer.name(),
        status: item.outcome.status,
        confidence: item.outcome.confidence,
        summary: item.outcome.summary.clone(),
        evidence: evidence_info(&item.outcome, diagnosis.case.evidence),
        notes: item.outcome.notes.clone(),
        caused_by: item.caused_by.clone(),
        explains: item.explains.clone(),
        missing: item.outcome.missing.clone(),
        remedy: item.outcome.status.is_finding().then(|| (item.check.remedy)(&diagnosis.case)),
    }
}

fn rule_info(ruled: &Ruled<'_>, evidence: &Evidence) -> CheckInfo {
    let outcome = &ruled.outcome;
    CheckInfo {
        id: ruled.rule.id.clone(),
        title: ruled.rule.title.clone(),
        layer: ruled.rule.layer.name(),
        status: outcome.status,
        confidence: outcome.confidence,
        summary: outcome.summary.clone(),
        evidence: evidence_info(outcome, evidence),
        notes: outcome.notes.clone(),
        caused_by: Vec::new(),
        explains: Vec::new(),
        missing: outcome.missing.clone(),
        remedy: outcome.status.is_finding().then(|| ruled.rule.remedy.clone()),
    }
}
