//! What differs between a machine that works and one that does not: what matters for activation first, and nothing that differs between
//! any two machines (names, ids, times, counters).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::visible;
use crate::artifact::ArtifactId;
use crate::bundle::Bundle;
use crate::checks::judgement::Status;
use crate::diagnosis::{ABOUT_COLLECTION, Diagnosis, Verdict};
use crate::evidence::{Lookup, Source};
use crate::facts::{Answer, Facts, Kind, Value, family};

/// The schema that this writes.
pub const SCHEMA: &str = "actriage.comparison/1";

/// The difference of two machines.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The machine that works.
    pub good: Side,
    /// The machine that does not.
    pub bad: Side,
    /// Checks that are a finding on one side only, or of another weight; the findings of the bad side first.
    pub findings: Vec<CheckDifference>,
    /// Facts that a check cites as evidence.
    pub cited_facts: Vec<FactDifference>,
    /// The other facts.
    pub other_facts: Vec<FactDifference>,
    /// Checks without a finding that still end differently: most often something was collected on one side only.
    pub other_checks: Vec<CheckDifference>,
    /// Facts that are known on one side only.
    pub one_sided: Vec<String>,
}

/// One of the two bundles.
#[derive(Debug, Serialize)]
pub struct Side {
    /// As given.
    pub path: String,
    /// Its verdict.
    pub outcome: Verdict,
}

/// A check that ends differently.
#[derive(Debug, Serialize)]
pub struct CheckDifference {
    /// Id.
    pub id: &'static str,
    /// Title.
    pub title: &'static str,
    /// Status on the good side.
    pub good: Status,
    /// Status on the bad side.
    pub bad: Status,
    /// What was seen on the good side.
    pub good_summary: String,
    /// What was seen on the bad side.
    pub bad_summary: String,
}

/// A fact with two values.
#[derive(Debug, Serialize)]
pub struct FactDifference {
    /// Name.
    pub name: String,
    /// What facts of this family say.
    pub about: &'static str,
    /// Value on the good side; null: not set there.
    pub good: Option<Value>,
    /// Value on the bad side; null: not set there.
    pub bad: Option<Value>,
    /// Checks that cite it on either side.
    pub cited_by: Vec<&'static str>,
}

/// A place that checks cite.
type Place = (ArtifactId, String);

impl Comparison {
    /// Compares two machines.
    pub fn new(good: (&Bundle, &Diagnosis<'_>), bad: (&Bundle, &Diagnosis<'_>)) -> Self {
        let side = |(bundle, diagnosis): (&Bundle, &Diagnosis<'_>)| Side {
            path: bundle.path.clone(),
            outcome: diagnosis.verdict,
        };
        let (findings, other_checks) = checks(good.1, bad.1);
        let mut comparison = Self {
            schema: SCHEMA,
            good: side(good),
            bad: side(bad),
            findings,
            cited_facts: Vec::new(),
            other_facts: Vec::new(),
            other_checks,
            one_sided: Vec::new(),
        };
        comparison.facts(good.1, bad.1);
        comparison
    }

    fn facts(&mut self, good: &Diagnosis<'_>, bad: &Diagnosis<'_>) {
        let (one, two) = (Facts::of(&good.case), Facts::of(&bad.case));
        let (cites_one, cites_two) = (cited(good), cited(bad));
        let names: BTreeSet<&str> = one.iter().chain(two.iter()).map(|(name, _)| name).collect();
        for name in names {
            // What the checks say stands above already.
            let Some(family) = family(name).filter(|family| family.kind == Kind::State) else { continue };
            if name.starts_with("check.") {
                continue;
            }
            let (a, b) = (one.get(name), two.get(name));
            let (Some(good), Some(bad)) = (a.and_then(known), b.and_then(known)) else {
                if a.and_then(known).is_some() != b.and_then(known).is_some() {
                    self.one_sided.push(name.to_owned());
                }
                continue;
            };
            if good == bad {
                continue;
            }
            let mut cited_by: Vec<&'static str> = Vec::new();
            for (answer, cites) in [(a, &cites_one), (b, &cites_two)] {
                let place = answer.and_then(source).map(|source| (source.artifact, source.locator.clone()));
                cited_by.extend(place.and_then(|place| cites.get(&place)).into_iter().flatten());
            }
            cited_by.sort_unstable();
            cited_by.dedup();
            let list = if cited_by.is_empty() { &mut self.other_facts } else { &mut self.cited_facts };
            let (good, bad) = (good.cloned(), bad.cloned());
            list.push(FactDifference { name: name.to_owned(), about: family.about, good, bad, cited_by });
        }
    }
}

/// The value of a known answer; `None` inside: known not to be set.
fn known(answer: &Answer) -> Option<Option<&Value>> {
    match answer {
        Lookup::Found(found) => Some(Some(&found.value)),
        Lookup::Absent(_) => Some(None),
        Lookup::Unknown(_) => None,
    }
}

fn source(answer: &Answer) -> Option<&Source> {
    match answer {
        Lookup::Found(found) => Some(&found.source),
        Lookup::Absent(source) => Some(source),
        Lookup::Unknown(_) => None,
    }
}

/// Places that checks cite, with the checks.
fn cited(diagnosis: &Diagnosis<'_>) -> BTreeMap<Place, Vec<&'static str>> {
    let mut places: BTreeMap<Place, Vec<&'static str>> = BTreeMap::new();
    for item in diagnosis.checks.iter().filter(|item| item.check.id != ABOUT_COLLECTION) {
        for seen in &item.outcome.evidence {
            places.entry((seen.artifact, seen.locator.clone())).or_default().push(item.check.id);
        }
    }
    places
}

/// Differences that are findings, and the others.
fn checks(good: &Diagnosis<'_>, bad: &Diagnosis<'_>) -> (Vec<CheckDifference>, Vec<CheckDifference>) {
    let differs = bad.checks.iter().filter(|item| item.check.id != ABOUT_COLLECTION).filter_map(|item| {
        let other = good.check(item.check.id)?;
        (other.outcome.status != item.outcome.status).then(|| CheckDifference {
            id: item.check.id,
            title: item.check.title,
            good: other.outcome.status,
            bad: item.outcome.status,
            good_summary: other.outcome.summary.clone(),
            bad_summary: item.outcome.summary.clone(),
        })
    });
    let (mut findings, others): (Vec<_>, Vec<_>) =
        differs.partition(|item| item.good.is_finding() || item.bad.is_finding());
    // Roots stand before what they explain, then the worse status; the order of the list settles the rest.
    let root = |id: &str| bad.roots.iter().position(|root| *root == id).unwrap_or(usize::MAX);
    findings.sort_by_key(|item| (!item.bad.is_finding(), root(item.id), item.bad));
    (findings, others)
}

/// The comparison for the terminal. `all` also lists what only one side could tell.
pub fn render(comparison: &Comparison, width: usize, all: bool) -> String {
    let mut page = Page { out: String::new(), width: width.max(40) };
    let verdict = |side: &Side| match serde_json::to_value(side.outcome) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    };
    for (label, side) in [("good", &comparison.good), ("bad", &comparison.bad)] {
        page.line(0, &format!("{label:<5}{}: {}", side.path, verdict(side)));
    }
    if comparison.findings.is_empty() {
        page.heading("No check finds a problem on one side only.");
    } else {
        page.heading(&format!("Findings that differ ({})", comparison.findings.len()));
    }
    for item in &comparison.findings {
        page.check(item);
    }
    let lists =
        [("Facts that checks cite", &comparison.cited_facts), ("Other facts", &comparison.other_facts)];
    for (title, facts) in lists.into_iter().filter(|(_, facts)| !facts.is_empty()) {
        page.heading(&format!("{title} ({})", facts.len()));
        for fact in facts {
            let words =
                |value: &Option<Value>| value.as_ref().map_or_else(|| "not set".to_owned(), Value::words);
            page.line(2, &format!("{}: {} → {}", fact.name, words(&fact.good), words(&fact.bad)));
            if !fact.cited_by.is_empty() {
                page.line(4, &format!("{}; see {}", fact.about, fact.cited_by.join(", ")));
            }
        }
    }
    let (checks, facts) = (comparison.other_checks.len(), comparison.one_sided.len());
    if checks + facts > 0 {
        let hint = if all { "" } else { " (--all lists them)" };
        page.heading(&format!(
            "Told by one side only, or healthy in another way: {checks} check(s), {facts} fact(s){hint}"
        ));
    }
    if all {
        for item in &comparison.other_checks {
            page.line(2, &format!("{}: {} → {}", item.id, item.good.name(), item.bad.name()));
        }
        for name in &comparison.one_sided {
            page.line(2, name);
        }
    }
    page.out
}

struct Page {
    out: String,
    width: usize,
}

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        let (first, rest) = (" ".repeat(indent), " ".repeat(indent + 2));
        let options = textwrap::Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&visible(text), options) {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    fn heading(&mut self, text: &str) {
        self.out.push('\n');
        self.line(0, text);
    }

    fn check(&mut self, item: &CheckDifference) {
        self.line(2, &format!("{}: {} → {}", item.id, item.good.name(), item.bad.name()));
        let summary = if item.bad.is_finding() { &item.bad_summary } else { &item.good_summary };
        self.line(4, summary);
    }
}
