//! The cases that stand in a rule file: small inline evidence and the status that is expected of it.

use std::collections::BTreeMap;

use super::{Given, Rule};
use crate::artifact::collection::{Artifact, Collection, Piece};
use crate::artifact::identify::{self, ReadStatus};
use crate::artifact::{ArtifactId, Interest, Part};
use crate::checks;
use crate::checks::case::Case;
use crate::checks::judgement::{Outcome, Status};
use crate::evidence::{Evidence, Settings};
use crate::time::FileTime;

/// A case.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// Line in the rule file.
    pub line: u64,
    /// The expected status.
    pub expect: Status,
    /// Files of the bundle by name, as text: `.reg` exports, event XML, command outputs, a manifest.
    pub files: BTreeMap<String, String>,
    /// Channels whose log in `files` stands for the whole log, from before the failure window on.
    pub whole: Vec<String>,
    /// Facts that the machine has, whatever the files say.
    pub facts: BTreeMap<String, Given>,
}

/// What came of a case.
#[derive(Debug)]
pub struct Result {
    /// Line of the case.
    pub line: u64,
    /// Its name.
    pub name: String,
    /// The expected status.
    pub expected: Status,
    /// What the rule found.
    pub outcome: Outcome,
}

impl Result {
    /// Whether the rule said what was expected.
    pub fn passed(&self) -> bool {
        self.outcome.status == self.expected
    }
}

/// Runs the cases of a rule.
pub fn run(rule: &Rule) -> Vec<Result> {
    rule.cases.iter().map(|case| run_one(rule, case)).collect()
}

fn run_one(rule: &Rule, case: &TestCase) -> Result {
    let mut interest = checks::interest();
    rule.add_interest(&mut interest);
    let evidence = Evidence::build(collection(case, &interest), &Settings::default());
    let outcome = rule.run(&Case::new(&evidence), &case.facts);
    Result { line: case.line, name: case.name.clone(), expected: case.expect, outcome }
}

/// The bundle that a case describes. Its first entry stands for the facts, so that evidence always has a file.
fn collection(case: &TestCase, interest: &Interest) -> Collection {
    let facts = Artifact {
        path: "facts".to_owned(),
        kind: "facts".to_owned(),
        bytes: 0,
        sha256: None,
        status: ReadStatus::Read,
        reason: None,
    };
    let mut collection = Collection { artifacts: vec![facts], ..Collection::default() };
    for (path, text) in &case.files {
        let artifact = ArtifactId(collection.artifacts.len());
        let decoded = identify::decode_at(path, text.clone().into_bytes().into(), interest);
        collection.artifacts.push(Artifact {
            path: path.clone(),
            kind: decoded.kind,
            bytes: text.len() as u64,
            sha256: None,
            status: decoded.status,
            reason: decoded.reason,
        });
        for mut part in decoded.parts {
            if let Part::Events(log) = &mut part
                && case.whole.iter().any(|channel| channel.eq_ignore_ascii_case(&log.channel))
            {
                log.complete = true;
                log.oldest = Some(FileTime::from_ticks(1));
            }
            collection.pieces.push(Piece { artifact, part, replay: None });
        }
    }
    collection
}
