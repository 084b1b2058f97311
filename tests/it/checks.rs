//! Every case of `fixtures/checks/*.md`: the files of a machine and what a check must say of it.
//!
//! A case is a `##` section. `Base: NAME` takes the files of `fixtures/bases/NAME.md`; `Without: FILE` leaves one of them out; fenced blocks
//! add files or change those of the base (see the recipe module). `Expect:` gives status and confidence in back-ticks; the list below it
//! gives what evidence, notes, missing items and causes must be there. Every case says where its truth comes from in a `Truth:` line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use actriage::artifact::collection::{Collection, Reading};
use actriage::bundle::Bundle;
use actriage::bundle::limits::Limits;
use actriage::checks::CHECKS;
use actriage::diagnosis::{diagnose, interest};
use actriage::evidence::questions::{self, Asked};
use actriage::evidence::{Evidence, Settings};
use actriage::report::model::{CheckInfo, Report};
use rayon::prelude::*;

use crate::docs::{agrees, coverage};
use crate::workshop::recipe::{self, File};

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The report on a bundle made of files.
pub fn report_on(files: &[File]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.zip");
    fs::write(&path, recipe::pack(files)).unwrap();
    report_of(&path)
}

/// The report on a bundle on disk.
pub fn report_of(path: &Path) -> Report {
    report_and_questions(path).0
}

/// The report, and what the checks asked for to make it.
fn report_and_questions(path: &Path) -> (Report, BTreeSet<Asked>) {
    let bundle = Bundle::open(path, Limits::default()).unwrap();
    let reading = Reading { interest: interest(), replay: true, hashes: true };
    let collection = Collection::read(&bundle, &reading);
    questions::record(|| {
        let evidence = Evidence::build(collection, &Settings::default());
        Report::new(&bundle, &diagnose(&evidence))
    })
}

/// A case and what came of it.
pub struct Ran {
    pub case: Case,
    pub report: Report,
    pub asked: BTreeSet<Asked>,
}

/// All cases, run once for all tests. `ACTRIAGE_CASES=proxy-env` runs the cases of one check only.
pub fn all_run() -> &'static [Ran] {
    static RUNS: LazyLock<Vec<Ran>> = LazyLock::new(|| {
        let only = std::env::var("ACTRIAGE_CASES").unwrap_or_default();
        let chosen: Vec<Case> = cases().into_iter().filter(|case| case.check.contains(&only)).collect();
        let run = |case: Case| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("case.zip");
            fs::write(&path, recipe::pack(&case.files())).unwrap();
            let (report, asked) = report_and_questions(&path);
            Ran { case, report, asked }
        };
        chosen.into_par_iter().map(run).collect()
    });
    &RUNS
}

/// One case of a fixture.
pub struct Case {
    pub check: String,
    pub name: String,
    pub text: String,
}

/// All cases of all fixtures.
pub fn cases() -> Vec<Case> {
    let mut found = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(root().join("fixtures/checks")).unwrap().map(|item| item.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let check = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        for section in text.split("\n## ").skip(1) {
            let (name, body) = section.split_once('\n').unwrap();
            found.push(Case { check: check.clone(), name: name.trim().to_owned(), text: body.to_owned() });
        }
    }
    found
}

impl Case {
    /// A `Word: …` line outside the fences.
    pub fn line(&self, word: &str) -> Option<&str> {
        self.prose().find_map(|line| line.strip_prefix(word)?.strip_prefix(':').map(str::trim))
    }

    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut inside = false;
        self.text.lines().filter(move |line| {
            if line.starts_with("```") {
                inside = !inside;
                return false;
            }
            !inside
        })
    }

    /// The files of the case.
    pub fn files(&self) -> Vec<File> {
        let base = self.line("Base").map(base).unwrap_or_default();
        let without: Vec<&str> =
            self.line("Without").map(|list| list.split(", ").collect()).unwrap_or_default();
        recipe::files_over(&base, &self.text, &without)
    }

    /// What is expected and does not hold; and the kinds of artifact that a finding cites.
    fn failures(&self, report: &Report) -> (Vec<String>, BTreeSet<String>) {
        let kinds = report
            .check(&self.check)
            .filter(|check| check.status.is_finding())
            .into_iter()
            .flat_map(|check| &check.evidence)
            .filter_map(|seen| report.bundle.artifacts.iter().find(|artifact| artifact.path == seen.artifact))
            .map(|artifact| artifact.kind.to_string())
            .collect();
        (self.unmet(report), kinds)
    }

    fn unmet(&self, report: &Report) -> Vec<String> {
        let Some(check) = report.check(&self.check) else { return vec!["no such check".to_owned()] };
        let mut failures = Vec::new();
        let expect = self.line("Expect").expect("a case needs an Expect line");
        let words: Vec<&str> = expect.split('`').skip(1).step_by(2).collect();
        if words.first() != Some(&check.status.name()) {
            failures.push(format!("expected {}, found {}", words[0], check.status.name()));
        }
        if let Some(confidence) = words.get(1) {
            let found = serde_json::to_value(check.confidence).unwrap();
            if found != **confidence {
                failures.push(format!("expected confidence {confidence}, found {found}"));
            }
        }
        for line in self.prose().filter_map(|line| line.strip_prefix("- ")) {
            failures.extend(expectation(check, line).err());
        }
        if !failures.is_empty() {
            failures.push(format!("the check says: {}", serde_json::to_string_pretty(check).unwrap()));
        }
        failures
    }
}

/// The text of a base; a base may itself stand on another one.
pub fn base(name: &str) -> String {
    let text = fs::read_to_string(root().join(format!("fixtures/bases/{name}.md"))).unwrap();
    let below = text.lines().find_map(|line| line.strip_prefix("Base: ")).map(base).unwrap_or_default();
    below + &text
}

/// One line of the list below `Expect:`.
fn expectation(check: &CheckInfo, line: &str) -> Result<(), String> {
    let quoted: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let holds = match (word, quoted.as_slice()) {
        ("note", _) => check.notes.iter().any(|note| note.contains(rest)),
        ("missing", _) => check.missing.iter().any(|item| item.what.contains(rest)),
        ("summary", _) => check.summary.contains(rest),
        ("caused-by", [id]) => check.caused_by.contains(id),
        ("stands-alone", _) => check.caused_by.is_empty(),
        ("explains", [id]) => check.explains.contains(id),
        ("no", [locator]) => !check.evidence.iter().any(|item| item.locator == *locator),
        (_, [artifact, locator]) => {
            check.evidence.iter().any(|item| item.artifact == *artifact && item.locator == *locator)
        }
        (_, [artifact, locator, observed]) => check.evidence.iter().any(|item| {
            item.artifact == *artifact && item.locator == *locator && item.observed.contains(observed)
        }),
        _ => return Err(format!("cannot read the expectation: {line}")),
    };
    if holds { Ok(()) } else { Err(format!("does not hold: {line}")) }
}

#[test]
fn every_case_of_every_fixture() {
    let all = all_run();
    let mut proofs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut failed = Vec::new();
    for Ran { case, report, .. } in all {
        let (failures, kinds) = case.failures(report);
        proofs.entry(case.check.clone()).or_default().extend(kinds);
        if !failures.is_empty() {
            failed.push(format!("{} / {}:\n  {}", case.check, case.name, failures.join("\n  ")));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), all.len(), failed.join("\n"));
    if std::env::var_os("ACTRIAGE_CASES").is_none() {
        agrees(&root().join("docs/coverage.md"), &coverage(&proofs));
    }
}

#[test]
fn every_case_says_where_its_truth_comes_from() {
    for case in cases() {
        assert!(case.line("Truth").is_some_and(|truth| !truth.is_empty()), "{} / {}", case.check, case.name);
    }
}

#[test]
fn every_check_has_a_fixture_a_unique_id_and_all_sections() {
    let mut by_check: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases() {
        *by_check.entry(case.check).or_default() += 1;
    }
    let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    for id in &ids {
        assert!(by_check.contains_key(*id), "{id} has no fixture");
    }
    for check in by_check.keys() {
        assert!(ids.contains(&check.as_str()), "the fixture {check} belongs to no check");
    }
    ids.sort_unstable();
    ids.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1], "the id is not unique"));
    let sections = [
        "# What it looks at",
        "# Why it blocks activation",
        "# Fix",
        "# Verify",
        "# When this is wrong",
        "# Sources",
    ];
    for check in CHECKS.iter() {
        let doc = check.doc();
        for section in sections {
            assert!(doc.contains(section), "{} lacks the section {section}", check.id);
        }
    }
}

/// Each check's fixture has a case for `healthy` or `not-applicable`, for `not-collected`, and for at least one kind of finding.
#[test]
fn fixtures_cover_every_kind_of_answer() {
    for check in CHECKS.iter() {
        let expected: Vec<String> = cases()
            .into_iter()
            .filter(|case| case.check == check.id)
            .filter_map(|case| case.line("Expect").and_then(|line| line.split('`').nth(1)).map(str::to_owned))
            .collect();
        let has = |status: &str| expected.iter().any(|found| found == status);
        assert!(has("healthy") || has("not-applicable"), "{} has no good case", check.id);
        assert!(
            has("not-collected") || check.id == "collection-completeness",
            "{} has no open case",
            check.id
        );
        assert!(has("blocker") || has("warning"), "{} has no finding", check.id);
    }
}

/// Every remedy has all its parts, and none names a retired tool (R58): SaRA became the Get Help app.
#[test]
fn remedies_are_whole_and_name_no_retired_tool() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.zip");
    fs::write(&path, recipe::pack(&recipe::files_over(&base("complete"), "", &[]))).unwrap();
    let bundle = Bundle::open(&path, Limits::default()).unwrap();
    let reading = Reading { interest: interest(), replay: true, hashes: false };
    let evidence = Evidence::build(Collection::read(&bundle, &reading), &Settings::default());
    let diagnosis = diagnose(&evidence);
    for check in CHECKS.iter().filter(|check| check.id != "collection-completeness") {
        let remedy = (check.remedy)(&diagnosis.case);
        assert!(!remedy.steps.is_empty(), "{} has no steps", check.id);
        for (part, text) in
            [("caution", &remedy.caution), ("rollback", &remedy.rollback), ("verify", &remedy.verify)]
        {
            assert!(!text.trim().is_empty(), "{} has no {part}", check.id);
        }
        assert!(!remedy.references.is_empty(), "{} has no reference", check.id);
        let all = format!("{remedy:?}").to_lowercase() + &check.doc().to_lowercase();
        for retired in ["sara-", "sara_", "/sara", "support and recovery assistant", "getsara"] {
            assert!(!all.contains(retired), "{} names {retired}", check.id);
        }
    }
}
