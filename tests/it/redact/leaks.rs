//! Every output of every machine is searched for what the machine's dumps name.

use std::fs;
use std::path::{Path, PathBuf};

use actriage::artifact::collection::{Collection, Reading};
use actriage::artifact::event::EventFilter;
use actriage::artifact::{Interest, Part, identify};
use actriage::bundle::limits::Limits;
use actriage::bundle::{Bundle, Content, Entry};
use actriage::checks::case::Case;
use actriage::diagnosis::{diagnose, interest, timeline};
use actriage::evidence::{Evidence, Settings};
use actriage::facts::Facts;
use actriage::redact::{Redactor, bundle};
use actriage::report::dump::{self, Filter, Lines};
use actriage::report::model::Report;
use actriage::report::{csv, html, json, junit, markdown, terminal};
use actriage::triage::flat::Flat;
use actriage::triage::identity;
use actriage::triage::worker::{self, Task};
use rayon::prelude::*;
use serde_json::Value;

use super::names::Names;
use crate::checks::root;
use crate::corpus;
use crate::samples::recipes;

fn open(path: &Path) -> Bundle {
    Bundle::open(path, Limits::default()).unwrap()
}

fn read(bundle: &Bundle, interest: Interest) -> Collection {
    Collection::read(bundle, &Reading { interest, replay: true, hashes: true })
}

/// A machine as every command reads it.
pub struct Machine {
    before: Report,
    after: Report,
    timeline: String,
    facts: String,
    pub redactor: Redactor,
}

impl Machine {
    pub fn read(path: &Path) -> Self {
        let bundle = open(path);
        let evidence = Evidence::build(read(&bundle, interest()), &Settings::default());
        let diagnosis = diagnose(&evidence);
        let redactor = Redactor::learn(&evidence);
        let mut after = Report::new(&bundle, &diagnosis);
        redactor.report(&mut after);
        let moments = timeline::moments(&evidence, None).into_iter().map(|mut moment| {
            redactor.moment(&mut moment);
            serde_json::to_string(&moment).unwrap() + "\n"
        });
        let timeline = moments.collect();
        let facts = redactor.facts(Facts::of(&Case::new(&evidence)).to_json(&evidence)).to_string();
        Self { before: Report::new(&bundle, &diagnosis), after, timeline, facts, redactor }
    }

    /// The redacted report in every format.
    fn formats(&self) -> Vec<(&'static str, String)> {
        let report = &self.after;
        let screen = terminal::Options { width: 60_000, color: false, all: true };
        vec![
            ("terminal", terminal::render(report, screen)),
            ("json", json::render(report, false).unwrap()),
            ("html", unescaped(&html::render(report))),
            // What is escaped is the same word to whoever reads the rendered note.
            ("markdown", without_escapes(&markdown::render(report))),
            ("csv", csv::head() + &csv::rows(report)),
            ("junit", unescaped(&junit::suite(report, junit::Options::default()))),
            ("timeline", self.timeline.clone()),
            ("facts", self.facts.clone()),
        ]
    }
}

/// Markdown as its reader sees it: of the letters that it escapes only these stand in names.
pub fn without_escapes(text: &str) -> String {
    text.replace("\\_", "_").replace("\\@", "@")
}

/// Markup as its reader sees it.
fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// All that the readers see, without redaction; and the events, which `inspect --dump` learns from.
pub fn plain_rows(path: &Path, redactor: Option<&mut Redactor>) -> Vec<Value> {
    let collection = read(&open(path), Interest { events: EventFilter::everything() });
    if let Some(redactor) = redactor {
        redactor.learn_events(collection.pieces.iter().flat_map(|piece| match &piece.part {
            Part::Events(log) => log.events.as_slice(),
            _ => &[],
        }));
    }
    let mut out = Vec::new();
    let plain = Redactor::default();
    let mut lines = Lines { out: &mut out, redactor: &plain };
    let filter = Filter::default();
    dump::artifacts(&mut lines, &collection.artifacts, &filter).unwrap();
    dump::events(&mut lines, &collection, &filter).unwrap();
    dump::captures(&mut lines, &collection, &filter).unwrap();
    dump::security(&mut lines, &collection, &filter).unwrap();
    dump::registry(&mut lines, collection, &filter).unwrap();
    out.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// The row of `worker` and `triage`, and the columns of the dataset. Its path leads back to the bundle and is that of whoever analyses.
fn dataset_row(path: &Path) -> (Value, String) {
    let task = Task {
        limits: Limits::default(),
        window_days: 7,
        names: identity::Names::Pseudonyms { salt: String::new() },
        redact: true,
        hashes: true,
        rules: None,
    };
    let mut row = worker::row(path, &task);
    row.path.clear();
    let line = serde_json::to_string(&row).unwrap();
    let flat = serde_json::to_string(&Flat::parse(&line).unwrap()).unwrap();
    (row.report.unwrap_or_default(), line + "\n" + &flat)
}

/// Every text of a bundle, each behind its path.
fn texts(bundle: &Bundle, entries: &[Entry], out: &mut String) {
    for entry in entries {
        match bundle.read(entry) {
            Content::Nested(members) => texts(bundle, &members, out),
            Content::Bytes(bytes) => {
                let text = identify::as_text(&bytes);
                *out += &format!("{}\n{}\n", entry.path, text.as_ref().map_or("", |text| text.as_str()));
            }
            Content::Unreadable(_) => {}
        }
    }
}

/// The copy that `redact` writes: the names of the machine, and what has a form of its own in the texts that no reader knows.
fn copy(path: &Path, redactor: &mut Redactor, names: &mut Names) -> String {
    let original = open(path);
    let mut held = String::new();
    texts(&original, &original.entries, &mut held);
    names.forms(&held);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("copy.zip");
    fs::write(&place, bundle::write(&original, redactor).unwrap().bytes).unwrap();
    let copy = open(&place);
    let mut shown = String::new();
    texts(&copy, &copy.entries, &mut shown);
    shown
}

/// What a report finds, without a word of how it says so.
fn found(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().into_iter().flatten();
    let states = checks.map(|check| format!("{} {} {}", check["id"], check["status"], check["confidence"]));
    states
        .chain([report["verdict"]["outcome"].to_string(), report["verdict"]["root_causes"].to_string()])
        .collect()
}

fn found_in(report: &Report) -> Vec<String> {
    found(&serde_json::to_value(report).unwrap())
}

/// What was searched, and what is wrong.
#[derive(Default)]
pub struct Judged {
    pub names: usize,
    pub outputs: usize,
    pub bytes: usize,
    pub wrong: Vec<String>,
}

impl Judged {
    fn add(mut self, other: Self) -> Self {
        self.names += other.names;
        self.outputs += other.outputs;
        self.bytes += other.bytes;
        self.wrong.extend(other.wrong);
        self
    }

    fn search(&mut self, path: &Path, names: &Names, output: &str, text: &str) {
        self.outputs += 1;
        self.bytes += text.len();
        self.wrong
            .extend(names.left_in(text).iter().map(|left| format!("{}: {output}: {left}", path.display())));
    }
}

/// Whether a redacted report says what the plain one says.
fn same_findings(path: &Path, machine: &Machine) -> Vec<String> {
    let mut wrong = Vec::new();
    let plain = found_in(&machine.before);
    if plain != found_in(&machine.after) {
        wrong.push(format!("{}: another diagnosis", path.display()));
    }
    let (report, _) = dataset_row(path);
    // A bundle of which nothing can be read has no report in its row.
    if !report.is_null() && plain != found(&report) {
        wrong.push(format!("{}: another diagnosis in the row", path.display()));
    }
    let checks = serde_json::to_value(&machine.after.checks).unwrap();
    if machine.redactor.json(checks.clone()) != checks {
        wrong.push(format!("{}: redacting twice changes the checks", path.display()));
    }
    wrong
}

fn judge(path: &Path) -> Judged {
    let mut machine = Machine::read(path);
    let mut judged = Judged { wrong: same_findings(path, &machine), ..Judged::default() };
    let outputs = machine.formats();
    let rows = plain_rows(path, Some(&mut machine.redactor));
    let mut names = Names::default();
    rows.iter().for_each(|row| names.row(row));
    judged.names = names.0.len();
    for (output, text) in &outputs {
        judged.search(path, &names, output, text);
    }
    judged.search(path, &names, "row", &dataset_row(path).1);
    let shown: Vec<String> = rows.into_iter().map(|row| machine.redactor.row(row).to_string()).collect();
    judged.search(path, &names, "dump", &shown.join("\n"));
    let shown = copy(path, &mut machine.redactor, &mut names);
    judged.search(path, &names, "copy", &shown);
    judged
}

/// Judges places side by side, tells what was done, and fails on the first names that are left.
fn judge_all(what: &str, places: &[PathBuf]) {
    let all = places.par_iter().map(|path| judge(path)).reduce(Judged::default, Judged::add);
    println!(
        "{} {what} with {} names: {} outputs, {} kB, {} wrong",
        places.len(),
        all.names,
        all.outputs,
        all.bytes / 1000,
        all.wrong.len()
    );
    let some: Vec<&String> = all.wrong.iter().take(60).collect();
    assert!(all.wrong.is_empty(), "{} left: {some:#?}", all.wrong.len());
}

#[test]
fn no_name_of_a_sample_is_left_in_any_output() {
    let samples: Vec<PathBuf> = recipes().iter().map(|path| path.with_extension("zip")).collect();
    // fixtures/bases/win10.md: computer, user, SID and addresses of the made machine.
    let mut healthy = Names::default();
    plain_rows(&root().join("samples/healthy.zip"), None).iter().for_each(|row| healthy.row(row));
    for name in ["pc17", "anna", "anna@contoso.com", "s-1-5-21-1-2-3-1001", "10.0.0.20"] {
        assert!(healthy.0.contains(name), "the collector of names misses {name}: {:?}", healthy.0);
    }
    judge_all("samples", &samples);
}

/// Files one by one: whole folders mix machines, and the names of one machine are words of the other.
fn corpus_files(most: u64) -> Option<Vec<PathBuf>> {
    let shared = corpus::shared()?;
    let mut all = Vec::new();
    for part in ["corpus/evtx", "corpus/hives", "captures"] {
        crate::benign::places(&shared.join(part), &mut all);
    }
    all.retain(|path| path.is_file() && fs::metadata(path).is_ok_and(|meta| meta.len() <= most));
    // The largest first, so that no core waits for one at the end.
    all.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).map_or(0, |meta| meta.len())));
    Some(all)
}

const NOWHERE: &str = "no ACTRIAGE_CORPUS: no real machine was looked at";

#[test]
fn no_name_of_a_real_machine_is_left_in_any_output() {
    // The few above this are more than half of all bytes; the test below reads them too.
    let given = std::env::var("ACTRIAGE_CORPUS_BYTES").ok().and_then(|most| most.parse().ok());
    match corpus_files(given.unwrap_or(1_200_000)) {
        Some(files) => judge_all("files", &files),
        None => println!("{NOWHERE}"),
    }
}

#[test]
#[ignore = "takes minutes: every file of the corpus, and every folder of it as one bundle"]
fn no_name_of_any_real_machine_is_left_and_every_place_is_found_the_same() {
    let Some(files) = corpus_files(u64::MAX) else {
        println!("{NOWHERE}");
        return;
    };
    let mut folders = Vec::new();
    for part in ["corpus/evtx", "corpus/hives", "captures"] {
        crate::benign::places(&corpus::shared().unwrap().join(part), &mut folders);
    }
    folders.retain(|path| path.is_dir());
    let wrong: Vec<String> =
        folders.par_iter().flat_map_iter(|path| same_findings(path, &Machine::read(path))).collect();
    println!("{} folders, {} wrong", folders.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    judge_all("files", &files);
}
