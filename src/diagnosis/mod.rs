//! From the outcomes of single checks to one answer: which finding is the cause, which are its symptoms, in which order, and the
//! verdict.

pub mod causes;
pub mod conditions;
pub mod timeline;

use std::cmp::Reverse;

use crate::artifact::Interest;
use crate::checks::case::Case;
use crate::checks::judgement::{Outcome, Status};
use crate::checks::{self, Article, CHECKS, Check, Layer};
use crate::evidence::{Confidence, Evidence};
use crate::rules::{RuleSet, Ruled};
use crate::time::FileTime;

/// Outcome of a bundle (contract section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// At least one blocker that nothing else explains.
    Blocked,
    /// No blocker, at least one warning.
    Suspect,
    /// Neither, and something of every section of the articles could be judged.
    Clear,
    /// Neither, but whole sections could not be judged.
    Inconclusive,
}

/// One check with everything that was found out about it.
pub struct Diagnosed {
    /// The check.
    pub check: &'static Check,
    /// What it found.
    pub outcome: Outcome,
    /// Findings that explain this one.
    pub caused_by: Vec<&'static str>,
    /// Findings that this one explains.
    pub explains: Vec<&'static str>,
}

/// The answer for one machine.
pub struct Diagnosis<'e> {
    /// The machine's evidence, with the memory of all checks.
    pub case: Case<'e>,
    /// The verdict.
    pub verdict: Verdict,
    /// All checks, in the order of [`CHECKS`].
    pub checks: Vec<Diagnosed>,
    /// What the user's rules found, in the order of their files.
    pub rules: Vec<Ruled<'e>>,
    /// Ids of the root causes, most likely first.
    pub roots: Vec<String>,
    /// Sections of the articles of which nothing could be judged.
    pub unjudged: Vec<String>,
}

/// The check that only speaks of the collection: its warning makes no machine suspect.
pub const ABOUT_COLLECTION: &str = "collection-completeness";

/// Checks whose findings are no root cause: what was collected (above), and a runtime that licensing does not need (R54).
const NEVER_ROOTS: [&str; 2] = [ABOUT_COLLECTION, "webview2-runtime"];

/// What must be decoded for a whole report: what the checks want, and the decisive events of the timeline.
pub fn interest() -> Interest {
    let mut interest = checks::interest();
    timeline::add_interest(&mut interest.events);
    interest
}

/// Runs every check and draws the conclusions.
pub fn diagnose(evidence: &Evidence) -> Diagnosis<'_> {
    diagnose_with(evidence, None)
}

/// Runs every check and the user's rules, and draws the conclusions. Findings of rules count like those of checks; nothing explains them,
/// and they explain nothing.
pub fn diagnose_with<'e>(evidence: &'e Evidence, rules: Option<&'e RuleSet>) -> Diagnosis<'e> {
    let case = Case::new(evidence);
    let mut checks: Vec<Diagnosed> = Vec::with_capacity(CHECKS.len());
    for (index, check) in CHECKS.iter().enumerate() {
        let Some(outcome) = case.outcome_at(index).cloned() else { continue };
        checks.push(Diagnosed { check, outcome, caused_by: Vec::new(), explains: Vec::new() });
    }
    causes::link(&case, &mut checks);
    let rules = rules.map(|rules| rules.run(&case)).unwrap_or_default();
    let roots = ranked_roots(&case, &checks, &rules);
    let unjudged = unjudged_sections(&checks);
    let counted = |status: Status| {
        checks.iter().any(|item| item.outcome.status == status && item.check.id != ABOUT_COLLECTION)
            || rules.iter().any(|ruled| ruled.outcome.status == status)
    };
    let verdict = if counted(Status::Blocker) {
        Verdict::Blocked
    } else if counted(Status::Warning) {
        Verdict::Suspect
    } else if unjudged.is_empty() {
        Verdict::Clear
    } else {
        Verdict::Inconclusive
    };
    Diagnosis { case, verdict, checks, rules, roots, unjudged }
}

/// Findings that nothing explains, most likely first (domain.md 4.2): blockers before warnings, then quality of evidence, then the
/// lower layer, then the whole machine before one user, then the newer record of the window; the order of the registry settles the rest.
fn ranked_roots(case: &Case<'_>, checks: &[Diagnosed], rules: &[Ruled<'_>]) -> Vec<String> {
    let of_checks = checks
        .iter()
        .filter(|item| item.caused_by.is_empty() && !NEVER_ROOTS.contains(&item.check.id))
        .map(|item| (item.check.id, item.check.layer, &item.outcome));
    let of_rules = rules.iter().map(|ruled| (ruled.rule.id.as_str(), ruled.rule.layer, &ruled.outcome));
    let mut roots: Vec<(&str, Layer, &Outcome)> =
        of_checks.chain(of_rules).filter(|(.., outcome)| outcome.status.is_finding()).collect();
    // The sort is stable: the order of the registry settles what is left.
    roots.sort_by_key(|(_, layer, outcome)| {
        let newest = newest_record(case, outcome);
        let level = outcome.confidence.unwrap_or(Confidence::Low);
        // A recorded failure that names the cause comes before a configuration that must fail; a doubtful one proves no more than that.
        let recorded = level == Confidence::High && newest.is_some();
        let quality = (Reverse(level), Reverse(recorded));
        (outcome.status, quality, *layer, is_of_one_user(outcome), Reverse(newest))
    });
    roots.into_iter().map(|(id, ..)| id.to_owned()).collect()
}

/// The time of the newest record inside the failure window that a finding rests on. Times at which keys were written tell nothing of a
/// failure.
fn newest_record(case: &Case<'_>, outcome: &Outcome) -> Option<FileTime> {
    let window = case.window()?;
    let records = outcome.evidence.iter().filter(|seen| seen.is_record());
    records.filter_map(|seen| seen.time).filter(|time| window.contains(*time)).max()
}

/// Whether a finding rests on one user's part of the registry: what is wrong for the whole machine comes before it. A user's hive whose SID
/// is not known stands under the name of its profile.
fn is_of_one_user(outcome: &Outcome) -> bool {
    const OF_THE_MACHINE: [&str; 4] = [".DEFAULT", "S-1-5-18", "S-1-5-19", "S-1-5-20"];
    let user = |locator: &str| {
        let owner = locator.strip_prefix(r"HKU\")?.split(['\\', '!']).next()?;
        Some(!OF_THE_MACHINE.contains(&owner))
    };
    let first = outcome.evidence.first();
    first.is_some_and(|seen| seen.locator.starts_with(r"HKCU\") || user(&seen.locator) == Some(true))
}

/// Sections of the two articles in which no check could be judged.
fn unjudged_sections(checks: &[Diagnosed]) -> Vec<String> {
    let mut sections: Vec<(Article, bool)> = Vec::new();
    for item in checks.iter().filter(|item| item.check.article != Article::Beyond) {
        let judged = item.outcome.status != Status::NotCollected;
        match sections.iter_mut().find(|(article, _)| *article == item.check.article) {
            Some((_, any)) => *any |= judged,
            None => sections.push((item.check.article, judged)),
        }
    }
    sections
        .into_iter()
        .filter(|(_, judged)| !judged)
        .map(|(article, _)| article.section().to_owned())
        .collect()
}

impl Diagnosis<'_> {
    /// The diagnosed check of an id.
    pub fn check(&self, id: &str) -> Option<&Diagnosed> {
        self.checks.iter().find(|item| item.check.id == id)
    }

    /// The outcome of a check or a rule.
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        let of_rule = || self.rules.iter().find(|ruled| ruled.rule.id == id).map(|ruled| &ruled.outcome);
        self.check(id).map(|item| &item.outcome).or_else(of_rule)
    }

    /// The verdict in one sentence.
    pub fn summary(&self) -> String {
        let is_finding = |item: &&Diagnosed| item.outcome.status.is_finding();
        let counted = self.checks.iter().filter(|item| item.check.id != ABOUT_COLLECTION);
        let only = || counted.filter(is_finding).map(|item| &item.outcome).next();
        let root = self.roots.first().and_then(|id| self.outcome(id)).or_else(only);
        match (self.verdict, root) {
            (Verdict::Blocked, Some(root)) => format!("Activation is blocked: {}", root.summary),
            (Verdict::Suspect, Some(root)) => {
                format!("No blocker was found; most suspicious: {}", root.summary)
            }
            (Verdict::Clear, _) => {
                "Nothing that blocks activation was found in any section of the articles.".to_owned()
            }
            _ => format!(
                "No problem was found, but these sections could not be judged: {}.",
                self.unjudged.join(", ")
            ),
        }
    }
}
