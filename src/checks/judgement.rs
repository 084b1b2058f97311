//! What a check says: rows of its decision table that hold, each with its evidence.
//!
//! A check does not choose its status. It reports every row that holds; the worst row wins, then the others become notes. A check
//! that reports no row is *healthy* only when every question that it needed was answered; otherwise it is *not collected*, with
//! the list of what was missing. So "healthy" cannot be reached by forgetting something.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::artifact::ArtifactId;
use crate::evidence::{Confidence, Lookup, Source, Sourced, Unknown};
use crate::time::FileTime;

/// Status of a check (contract section 2), worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Stops activation.
    Blocker,
    /// Can stop activation.
    Warning,
    /// Cannot be told.
    NotCollected,
    /// Good, and everything needed to say so was there.
    Healthy,
    /// The question does not arise on this machine, and that is in evidence.
    NotApplicable,
}

impl Status {
    /// Blocker or warning.
    pub fn is_finding(self) -> bool {
        matches!(self, Self::Blocker | Self::Warning)
    }

    /// As the contract writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Warning => "warning",
            Self::NotCollected => "not-collected",
            Self::Healthy => "healthy",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One observed value that supports a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The file.
    pub artifact: ArtifactId,
    /// Where in it.
    pub locator: String,
    /// What is there.
    pub observed: String,
    /// What a good machine has there.
    pub expected: Option<String>,
    /// When.
    pub time: Option<FileTime>,
    /// Why it deserves less trust.
    pub doubts: Vec<String>,
}

impl Source {
    /// This source as evidence of what stands there.
    pub fn shows(&self, observed: impl Into<String>) -> Observation {
        Observation {
            artifact: self.artifact,
            locator: self.locator.clone(),
            observed: observed.into(),
            expected: None,
            time: self.time,
            doubts: self.doubts.clone(),
        }
    }
}

impl<T> Sourced<T> {
    /// This value's source as evidence.
    pub fn shows(&self, observed: impl Into<String>) -> Observation {
        self.source.shows(observed)
    }
}

impl Observation {
    /// Adds what a good machine has there.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Whether it is a record of an event log.
    pub fn is_record(&self) -> bool {
        self.locator.starts_with("record ")
    }
}

/// Something that was not collected, and how to collect it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Missing {
    /// What, with the reason when it was collected but could not be read.
    pub what: String,
    /// The command that collects it.
    pub collect: String,
}

/// A row of the decision table that holds.
#[derive(Clone, Debug)]
struct Row {
    status: Status,
    confidence: Confidence,
    summary: String,
    evidence: Vec<Observation>,
}

/// Collects what a check finds. Shared references only: a check passes it around freely.
#[derive(Debug, Default)]
pub struct Judgement {
    rows: RefCell<Vec<Row>>,
    good: RefCell<Vec<Observation>>,
    notes: RefCell<Vec<String>>,
    missing: RefCell<Vec<Missing>>,
    not_applicable: RefCell<Option<(String, Observation)>>,
}

/// The result of a check, before causes and symptoms are told apart.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The status.
    pub status: Status,
    /// How sure it is; `None` where nothing was judged.
    pub confidence: Option<Confidence>,
    /// What was seen, in one sentence.
    pub summary: String,
    /// What supports it.
    pub evidence: Vec<Observation>,
    /// What else an engineer should know.
    pub notes: Vec<String>,
    /// What is missing for a full answer.
    pub missing: Vec<Missing>,
}

impl Judgement {
    /// A row that makes the check a blocker. Evidence is required by its type: at least one observation.
    pub fn blocker<const N: usize>(
        &self,
        confidence: Confidence,
        summary: impl Into<String>,
        evidence: [Observation; N],
    ) {
        self.row(Status::Blocker, confidence, summary.into(), evidence.into());
    }

    /// A row that makes the check a warning.
    pub fn warning<const N: usize>(
        &self,
        confidence: Confidence,
        summary: impl Into<String>,
        evidence: [Observation; N],
    ) {
        self.row(Status::Warning, confidence, summary.into(), evidence.into());
    }

    /// A row of either kind with any number of observations; without any it is dropped, because a finding needs evidence.
    pub fn row(&self, status: Status, confidence: Confidence, summary: String, evidence: Vec<Observation>) {
        debug_assert!(!evidence.is_empty(), "a finding needs evidence: {summary}");
        if evidence.is_empty() {
            return;
        }
        self.rows.borrow_mut().push(Row { status, confidence, summary, evidence });
    }

    /// Something seen that is as it should be: it supports "healthy".
    pub fn good(&self, observation: Observation) {
        self.good.borrow_mut().push(observation);
    }

    /// Something worth saying that changes no status (decision 6: "Info").
    pub fn note(&self, text: impl Into<String>) {
        let text = text.into();
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// The question does not arise here. The fact that makes it so must be in evidence.
    pub fn not_applicable(&self, reason: impl Into<String>, because: Observation) {
        self.not_applicable.borrow_mut().get_or_insert((reason.into(), because));
    }

    /// Something needed is missing.
    pub fn missing(&self, unknown: &Unknown, collect: &str) {
        let what = match unknown.special_reason() {
            Some(reason) => format!("{} ({reason})", unknown.what),
            None => unknown.what.clone(),
        };
        let item = Missing { what, collect: collect.to_owned() };
        let mut missing = self.missing.borrow_mut();
        if !missing.contains(&item) {
            missing.push(item);
        }
    }

    /// Adds to what is missing why the collector did not bring it.
    pub fn explain_missing(&self, why: impl Fn(&Missing) -> Option<String>) {
        for item in self.missing.borrow_mut().iter_mut() {
            if let Some(reason) = why(item).filter(|reason| !item.what.contains(reason.as_str())) {
                item.what = format!("{} ({reason})", item.what);
            }
        }
    }

    /// Passes an answer on and notes it as missing when it is unknown: for questions whose answer "healthy" needs.
    pub fn need<T>(&self, lookup: Lookup<T>, collect: &str) -> Lookup<T> {
        if let Lookup::Unknown(unknown) = &lookup {
            self.missing(unknown, collect);
        }
        lookup
    }

    /// Takes over everything of another judgement; `doubts` (about whose hive it was) go into its evidence.
    pub fn absorb(&self, other: Self, doubts: &[String]) {
        let doubted = |mut seen: Observation| {
            seen.doubts.extend(doubts.iter().cloned());
            seen
        };
        for mut row in other.rows.into_inner() {
            row.evidence = row.evidence.into_iter().map(doubted).collect();
            self.rows.borrow_mut().push(row);
        }
        self.good.borrow_mut().extend(other.good.into_inner().into_iter().map(doubted));
        other.notes.into_inner().into_iter().for_each(|note| self.note(note));
        self.missing.borrow_mut().extend(other.missing.into_inner());
        if let Some((reason, because)) = other.not_applicable.into_inner() {
            self.not_applicable(reason, because);
        }
    }

    /// Keeps only what was found wrong in another judgement, as notes about someone.
    pub fn absorb_as_notes(&self, other: Self, about: &str) {
        for row in other.rows.into_inner() {
            self.note(format!("{about} (not the affected user): {}", row.summary));
        }
    }

    /// What was found wrong so far, each once.
    pub fn summaries(&self) -> BTreeSet<String> {
        self.rows.borrow().iter().map(|row| row.summary.clone()).collect()
    }

    /// The same as one text.
    pub fn words(&self) -> String {
        let found: Vec<String> = self.summaries().into_iter().collect();
        if found.is_empty() { "nothing was wrong.".to_owned() } else { found.join(" ") }
    }

    /// Whether any row holds so far.
    pub fn has_finding(&self) -> bool {
        !self.rows.borrow().is_empty()
    }

    /// Turns the rows into the result. `healthy` is the sentence for the good case.
    pub fn conclude(self, healthy: &str) -> Outcome {
        let mut rows = self.rows.into_inner();
        let mut notes = self.notes.into_inner();
        let missing = self.missing.into_inner();
        // Doubts lower the confidence of the rows that rest on them; the sort is stable, so equal rows keep the table's order.
        for row in &mut rows {
            row.confidence = lowered(row.confidence, &row.evidence);
        }
        rows.sort_by(|a, b| a.status.cmp(&b.status).then(b.confidence.cmp(&a.confidence)));
        if let Some((worst, rest)) = rows.split_first() {
            let mut evidence = worst.evidence.clone();
            for row in rest {
                if row.summary != worst.summary && !notes.contains(&row.summary) {
                    notes.push(row.summary.clone());
                }
                evidence.extend(
                    row.evidence.iter().filter(|item| !evidence.contains(item)).cloned().collect::<Vec<_>>(),
                );
            }
            return finish(
                worst.status,
                Some(worst.confidence),
                worst.summary.clone(),
                evidence,
                notes,
                missing,
            );
        }
        let good = self.good.into_inner();
        if let Some((reason, because)) = self.not_applicable.into_inner() {
            return finish(Status::NotApplicable, None, reason, vec![because], notes, Vec::new());
        }
        if !missing.is_empty() || good.is_empty() {
            let summary = match missing.as_slice() {
                [] => "nothing collected answers this".to_owned(),
                list => format!("cannot be told without: {}", join(list)),
            };
            return finish(Status::NotCollected, None, summary, good, notes, missing);
        }
        let confidence = lowered(Confidence::High, &good);
        finish(Status::Healthy, Some(confidence), healthy.to_owned(), good, notes, missing)
    }
}

fn join(list: &[Missing]) -> String {
    list.iter().map(|item| item.what.as_str()).collect::<Vec<_>>().join("; ")
}

/// One level less for evidence with a doubt: the best supported observation counts.
fn lowered(confidence: Confidence, evidence: &[Observation]) -> Confidence {
    let doubts = evidence.iter().map(|item| item.doubts.len()).min().unwrap_or_default();
    (0..doubts.min(2)).fold(confidence, |level, _| level.lowered())
}

fn finish(
    status: Status,
    confidence: Option<Confidence>,
    summary: String,
    evidence: Vec<Observation>,
    mut notes: Vec<String>,
    missing: Vec<Missing>,
) -> Outcome {
    for doubt in evidence.iter().flat_map(|item| &item.doubts) {
        if !notes.contains(doubt) {
            notes.push(doubt.clone());
        }
    }
    Outcome { status, confidence, summary, evidence, notes, missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Observation {
        Observation {
            artifact: ArtifactId(0),
            locator: "line 1".into(),
            observed: text.into(),
            expected: None,
            time: None,
            doubts: Vec::new(),
        }
    }

    #[test]
    fn the_worst_row_wins_and_the_others_become_notes() {
        let j = Judgement::default();
        j.warning(Confidence::High, "odd", [seen("b")]);
        j.blocker(Confidence::Medium, "broken", [seen("a")]);
        let outcome = j.conclude("fine");
        assert_eq!((outcome.status, outcome.summary.as_str()), (Status::Blocker, "broken"));
        assert_eq!(outcome.notes, ["odd"]);
        assert_eq!(outcome.evidence.len(), 2);
    }

    #[test]
    fn healthy_needs_support_and_nothing_missing() {
        let j = Judgement::default();
        assert_eq!(j.conclude("fine").status, Status::NotCollected);
        let j = Judgement::default();
        j.good(seen("1"));
        j.missing(&Unknown { what: "SYSTEM hive".into(), reason: None }, "reg save");
        assert_eq!(j.conclude("fine").status, Status::NotCollected);
        let j = Judgement::default();
        j.good(seen("1"));
        assert_eq!(j.conclude("fine").status, Status::Healthy);
    }

    #[test]
    fn a_problem_counts_whatever_is_missing() {
        let j = Judgement::default();
        j.missing(&Unknown { what: "SYSTEM hive".into(), reason: None }, "reg save");
        j.blocker(Confidence::High, "broken", [seen("a")]);
        let outcome = j.conclude("fine");
        assert_eq!((outcome.status, outcome.missing.len()), (Status::Blocker, 1));
    }

    #[test]
    fn doubts_lower_confidence() {
        let j = Judgement::default();
        let mut doubtful = seen("a");
        doubtful.doubts.push("the hive is dirty".into());
        j.blocker(Confidence::High, "broken", [doubtful]);
        let outcome = j.conclude("fine");
        assert_eq!(outcome.confidence, Some(Confidence::Medium));
        assert_eq!(outcome.notes, ["the hive is dirty"]);
    }
}
