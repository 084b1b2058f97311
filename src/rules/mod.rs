//! Rules that people write: one YAML file a rule, without compiling anything.
//!
//! A rule has a condition (`when`, a CEL expression) over the same evidence that the built-in checks use, and what it means when the
//! condition holds. Its questions (registry values, events, captures, statuses, facts) stand in the expression as calls with literal
//! arguments, so everything that a rule wants to see is known before a bundle is read, and is answered before it is evaluated: the
//! expression itself reaches nothing but those answers.
//!
//! An unknown answer never counts as "no". It makes the expression fail unless what is known decides alone (`unknown || true` holds); a
//! rule that fails in this way is *not collected*, with what is missing.

mod answers;
pub mod cases;
mod expression;
mod file;
mod question;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::artifact::Interest;
use crate::checks::case::Case;
use crate::checks::judgement::{Outcome, Status};
use crate::checks::{self, Layer, Remedy};
use crate::evidence::Confidence;
pub use answers::Given;
use answers::{Answers, judge};
use expression::Expression;
use question::Question;

/// A rule that was read and found sound.
#[derive(Debug)]
pub struct Rule {
    /// Id: unique, and none of a built-in check.
    pub id: String,
    /// The condition that it looks for, in a few words.
    pub title: String,
    /// Layer, for the order of causes.
    pub layer: Layer,
    /// What the condition means: blocker or warning.
    pub status: Status,
    /// How sure that is.
    pub confidence: Confidence,
    /// The sentence when the condition holds.
    pub summary: String,
    /// The sentence when it does not.
    pub healthy: String,
    /// What to do.
    pub remedy: Remedy,
    /// The file that it stands in.
    pub path: String,
    /// Its test cases.
    pub cases: Vec<cases::TestCase>,
    when: Expression,
}

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file.
    pub path: String,
    /// 1-based line; 0 for the file as a whole.
    pub line: u64,
    /// What a sound rule has there.
    pub expected: String,
    /// What this one has.
    pub found: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, expected, found } = self;
        match line {
            0 => write!(f, "{path}: expected {expected}, found {found}"),
            line => write!(f, "{path}:{line}: expected {expected}, found {found}"),
        }
    }
}

/// The rules of a folder.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

/// A rule and what it found on one machine.
#[derive(Debug)]
pub struct Ruled<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// What it found.
    pub outcome: Outcome,
}

impl RuleSet {
    /// Reads every `.yaml` and `.yml` file of a folder (not of folders in it), in the order of their names. All faults of all files are
    /// told at once.
    pub fn load(folder: &Path) -> Result<Self, Vec<Fault>> {
        let paths = files_of(folder).map_err(|fault| vec![fault])?;
        let mut set = Self::default();
        let mut faults = Vec::new();
        for path in paths {
            let label = path.display().to_string();
            let read = fs::read_to_string(&path).map_err(|error| {
                vec![Fault {
                    path: label.clone(),
                    line: 0,
                    expected: "a readable text in UTF-8".to_owned(),
                    found: error.to_string(),
                }]
            });
            match read.and_then(|text| Rule::parse(&label, &text)) {
                Ok(rule) => set.rules.push(rule),
                Err(found) => faults.extend(found),
            }
        }
        faults.extend(set.doubled_ids());
        if faults.is_empty() { Ok(set) } else { Err(faults) }
    }

    /// Ids must be unique.
    fn doubled_ids(&self) -> Vec<Fault> {
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        let mut faults = Vec::new();
        for rule in &self.rules {
            if let Some(first) = known.insert(&rule.id, &rule.path) {
                faults.push(Fault {
                    path: rule.path.clone(),
                    line: 0,
                    expected: "an id of its own".to_owned(),
                    found: format!("`{}`, which {first} has", rule.id),
                });
            }
        }
        faults
    }

    /// The rules, in the order of their files.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Adds the events that the rules ask for to what the readers decode.
    pub fn add_interest(&self, interest: &mut Interest) {
        self.rules.iter().for_each(|rule| rule.add_interest(interest));
    }

    /// Runs every rule on a machine.
    pub fn run(&self, case: &Case<'_>) -> Vec<Ruled<'_>> {
        self.rules.iter().map(|rule| Ruled { rule, outcome: rule.run(case, &BTreeMap::new()) }).collect()
    }
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let fault = |found: String| Fault {
        path: folder.display().to_string(),
        line: 0,
        expected: "a folder with rule files (*.yaml)".to_owned(),
        found,
    };
    let listing = fs::read_dir(folder).map_err(|error| fault(error.to_string()))?;
    let is_rule = |path: &PathBuf| {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
        path.is_file() && (end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"))
    };
    let mut paths: Vec<PathBuf> = listing.flatten().map(|item| item.path()).filter(is_rule).collect();
    paths.sort();
    if paths.is_empty() { Err(fault("none".to_owned())) } else { Ok(paths) }
}

impl Rule {
    /// Reads a rule. `path` is only its label.
    pub fn parse(path: &str, text: &str) -> Result<Self, Vec<Fault>> {
        file::parse(path, text)
    }

    /// The questions that its condition asks.
    fn questions(&self) -> &[Question] {
        self.when.questions()
    }

    fn add_interest(&self, interest: &mut Interest) {
        for question in self.questions() {
            if let Question::Events { provider, ids, .. } = question {
                interest.events.want(provider, ids);
            }
        }
    }

    /// Runs it on a machine. `given` holds facts that stand in for the machine's own, as test cases have them.
    pub fn run(&self, case: &Case<'_>, given: &BTreeMap<String, Given>) -> Outcome {
        judge(self, &self.when, &Answers::gather(self.questions(), case, given))
    }
}

/// Whether an id belongs to a built-in check.
fn is_built_in(id: &str) -> bool {
    checks::by_id(id).is_some()
}
