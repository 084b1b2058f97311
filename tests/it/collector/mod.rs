//! The collector agrees with the checks: what they ask for is collected, and nothing else is.

mod made;
mod script;
mod syntax;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use actriage::checks::CHECKS;
use actriage::collector::table::{self, Item, TABLE};
use actriage::collector::{SCRIPT, SCRIPT_NAME, render};
use actriage::evidence::questions::Question;

use crate::checks::{all_run, root};
use crate::docs::agrees;

/// What checks also read and the collector does not bring, with the reason.
const NEVER: &[(&str, &str)] = &[
    (
        "Channel(\"Security\")",
        "the Security log is personal and needs a privilege; the System log says when it was cleared",
    ),
    ("Channel(\"Microsoft-Windows-WinHttp/Diagnostic\")", "an analytic log, off unless somebody traces"),
    ("Channel(\"Microsoft-Windows-NCSI/Analytic\")", "an analytic log, likewise"),
    ("Capture(\"office-licence\")", "signed licences stay on the machine; vnextdiag tells what is in them"),
    (
        "Capture(\"http-response\")",
        "probe-tcp and probe-ncsi tell the same; requests to the services would need credentials",
    ),
    ("Capture(\"ip-config\")", "ipconfig tells the same"),
];

/// Places that only the hives show, and why no single keys stand in for them.
const ONLY_HIVES: &[(&str, &str)] = &[
    (r"HKU\S-1-5-20", "cannot be read without elevation"),
    (r"HKU\S-1-5-19", "cannot be read without elevation"),
    (r"HKU\.DEFAULT", "service accounts are collected with elevation"),
    (r"%USER%\ENVIRONMENT", "can hold secrets; the item `environment` has what matters"),
    (r"HKLM\SYSTEM\CURRENTCONTROLSET\CONTROL\SESSION MANAGER\ENVIRONMENT", "can hold secrets, likewise"),
    (r"%USER%\VOLATILE ENVIRONMENT", "only names the user"),
    (r"%USER%\SOFTWARE\CLASSES", "the item `appx` tells whether the broker is registered"),
    (
        r"HKLM\SYSTEM\CURRENTCONTROLSET\SERVICES",
        "drivers of third parties have any name; keys-values lists them",
    ),
    (r"HKLM\SOFTWARE\WOW6432NODE", "only asked whether it is there"),
    (
        r"HKLM\SOFTWARE\MICROSOFT\WINDOWS\CURRENTVERSION\COMPONENT BASED SERVICING",
        "the tree holds every package of Windows; the update log tells of pending restarts",
    ),
    (
        r"HKLM\SOFTWARE\MICROSOFT\WINDOWS\CURRENTVERSION\WINDOWSUPDATE",
        "the update log tells of pending restarts",
    ),
];

/// Advice that no command carries out.
const NOT_COMMANDS: &[&str] =
    &["Microsoft 365 admin center", "the code that the dialog shows", "the product's own log or console"];

/// Whether only a part of the cases was run, so that nothing can be said about all questions.
fn partial() -> bool {
    let partial = std::env::var_os("ACTRIAGE_CASES").is_some();
    if partial {
        eprintln!("SKIPPED: ACTRIAGE_CASES leaves out checks");
    }
    partial
}

/// Every question of every check in all fixtures.
fn questions() -> BTreeMap<Question, BTreeSet<&'static str>> {
    let mut all: BTreeMap<Question, BTreeSet<&'static str>> = BTreeMap::new();
    for (asker, question) in all_run().iter().flat_map(|run| &run.asked) {
        all.entry(question.clone()).or_default().extend(asker);
    }
    // What a check wants decoded, it wants collected, also when no case came to ask for it.
    for check in CHECKS.iter() {
        for channel in check.wants.iter().flat_map(|want| want.channels) {
            all.entry(Question::Channel(channel)).or_default().insert(check.id);
        }
    }
    all
}

/// A path as the table writes it, in capitals.
fn place(path: &str) -> String {
    let path = path.to_uppercase();
    let path = match path.strip_prefix(r"HKU\") {
        Some(rest) if rest.starts_with("S-1-5-21-") || rest.starts_with("S-1-12-1-") => {
            let (sid, below) = rest
                .split_once('\\')
                .map_or((rest, String::new()), |(sid, below)| (sid, format!(r"\{below}")));
            let classes = if sid.ends_with("_CLASSES") { r"\SOFTWARE\CLASSES" } else { "" };
            format!("%USER%{classes}{below}")
        }
        Some(rest) if rest.starts_with("S-1-5-18") => rest.replacen("S-1-5-18", r"HKU\.DEFAULT", 1),
        _ => path.strip_prefix("HKCU").map_or_else(|| path.clone(), |rest| format!("%USER%{rest}")),
    };
    match path.strip_prefix(r"HKLM\SYSTEM\CONTROLSET") {
        Some(rest) => format!(r"HKLM\SYSTEM\CURRENTCONTROLSET{}", &rest[3..]),
        None => path,
    }
}

fn below(path: &str, root: &str) -> bool {
    let root = root.to_uppercase();
    path.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

/// Whether a key that an item collects answers for a place.
fn key_answers(item: &Item, key: &str, path: &str) -> bool {
    match item.kind {
        "reg-export" => below(path, key),
        "reg-query" => path.eq_ignore_ascii_case(key),
        _ => false,
    }
}

fn hive_answers(item: &Item, path: &str) -> bool {
    let own_hive = item.covers == Some("%USER%") && below(path, r"%USER%\SOFTWARE\CLASSES");
    item.covers.is_some_and(|covers| below(path, covers)) && !own_hive
}

fn answers(item: &Item, question: &Question) -> bool {
    match question {
        Question::Capture(kind) => item.kind.strip_prefix("capture:") == Some(*kind),
        Question::Channel(channel) => item.channel.is_some_and(|own| own.eq_ignore_ascii_case(channel)),
        Question::Security(path) => hive_answers(item, &place(path)) || item.kind == "capture:acl",
        Question::Key(path) => {
            let path = place(path);
            hive_answers(item, &path) || item.each.iter().any(|key| key_answers(item, key, &path))
        }
    }
}

fn names(checks: &BTreeSet<&str>) -> String {
    if checks.is_empty() {
        "all checks".to_owned()
    } else {
        checks.iter().copied().collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn whatever_a_check_asks_for_is_collected() {
    if partial() {
        return;
    }
    let mut open = Vec::new();
    for (question, checks) in questions() {
        let told = format!("{question:?}");
        let collected = TABLE.iter().any(|item| answers(item, &question));
        if !collected && !NEVER.iter().any(|(never, _)| *never == told) {
            open.push(format!("{told}, asked by {}", names(&checks)));
        }
    }
    assert!(open.is_empty(), "src/collector/table.txt does not collect:\n{}", open.join("\n"));
}

#[test]
fn single_keys_stand_in_for_hives_that_need_elevation() {
    if partial() {
        return;
    }
    let mut open = Vec::new();
    for (question, checks) in questions() {
        let Question::Key(path) = &question else { continue };
        let path = place(path);
        let exported = TABLE.iter().any(|item| item.each.iter().any(|key| key_answers(item, key, &path)));
        if !exported && !ONLY_HIVES.iter().any(|(root, _)| below(&path, root)) {
            open.push(format!("{path}, asked by {}", names(&checks)));
        }
    }
    assert!(open.is_empty(), "no keys-… item of src/collector/table.txt exports:\n{}", open.join("\n"));
}

#[test]
fn whatever_is_collected_is_read_by_a_check() {
    if partial() {
        return;
    }
    let questions = questions();
    let read = |item: &Item, key: Option<&str>| {
        questions.keys().any(|question| match (question, key) {
            (Question::Key(path), Some(key)) => key_answers(item, key, &place(path)),
            _ => answers(item, question),
        })
    };
    let mut unread: Vec<String> = Vec::new();
    for item in TABLE.iter() {
        let keys = if item.kind.starts_with("reg-") { item.each.as_slice() } else { &[] };
        unread.extend(
            keys.iter().filter(|key| !read(item, Some(key))).map(|key| format!("{}: {key}", item.id)),
        );
        if keys.is_empty() && !read(item, None) {
            unread.push(item.id.to_owned());
        }
    }
    assert!(unread.is_empty(), "no check reads what src/collector/table.txt collects:\n{unread:#?}");
}

#[test]
fn advice_of_reports_names_items_of_the_table() {
    if partial() {
        return;
    }
    let mut wrong = BTreeSet::new();
    for run in all_run() {
        for check in &run.report.checks {
            for item in &check.missing {
                let known = table::named_in(&item.collect).next().is_some()
                    || NOT_COMMANDS.iter().any(|text| item.collect.starts_with(text));
                if !known {
                    wrong.insert(format!("{}: {}", check.id, item.collect));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "advice that the collector does not carry out:\n{wrong:#?}");
}

#[test]
fn the_generated_parts_are_up_to_date() {
    if partial() {
        return;
    }
    let questions = questions();
    let checks_of = |item: &Item| -> BTreeSet<&'static str> {
        let asked = questions.iter().filter(|(question, _)| answers(item, question));
        asked.flat_map(|(_, checks)| checks.iter().copied()).collect()
    };
    let unlocks: BTreeMap<&str, Vec<&'static str>> =
        TABLE.iter().map(|item| (item.id, checks_of(item).into_iter().collect())).collect();
    let mut rows = String::from(
        "# Which checks read which item. Made by tests/it/collector (ACTRIAGE_BLESS=1); not edited here.\n",
    );
    for item in TABLE.iter() {
        rows.push_str(&format!("{}\t{}\n", item.id, unlocks[item.id].join(",")));
    }
    agrees(&root().join("src/collector/unlocks.tsv"), &rows);
    let part = |path: &str, part: &str| {
        let path = root().join(path);
        let text = fs::read_to_string(&path).unwrap();
        agrees(&path, &render::with_part(&text, part).expect("the markers of the table"));
    };
    part(&format!("src/collector/{SCRIPT_NAME}"), &render::script_part());
    part("docs/collector.md", &render::docs_part(|id| unlocks[id].clone()));
}

#[test]
fn the_program_prints_the_script() {
    let output = assert_cmd::Command::cargo_bin("actriage").unwrap().arg("collector").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), SCRIPT);
}

#[test]
fn explain_says_what_to_collect_for_a_check() {
    let run = |args: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("actriage").unwrap().args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, all) = run(&["explain", "--collect"]);
    assert_eq!(code, Some(0));
    assert!(TABLE.iter().all(|item| all.contains(&item.by_hand())), "{all}");
    // The module documentation of the check names these sources.
    let (_, one) = run(&["explain", "--collect", "winsock-catalog"]);
    for item in ["hive-system", "winsock-catalog", "log-winsock-ws2help"] {
        assert!(one.contains(&format!("  {item}: ")), "{item} in\n{one}");
    }
    assert!(!one.contains("  dsregcmd: "), "{one}");
    assert_eq!(run(&["explain", "--collect", "no-such-check"]).0, Some(2));
}
