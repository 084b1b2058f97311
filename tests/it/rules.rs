//! User rules from the outside: samples, faults, and what a rule does to a report.

use std::fs;
use std::path::Path;

use actriage::rules::{RuleSet, cases};
use assert_cmd::Command;
use serde_json::Value;

use crate::card::case;
use crate::checks::root;
use crate::workshop::recipe::{self, File};

fn actriage() -> Command {
    let mut command = Command::cargo_bin("actriage").unwrap();
    command.current_dir(root()).env_remove("NO_COLOR");
    command
}

/// A folder with one rule.
fn folder(rule: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rule.yaml"), rule).unwrap();
    folder
}

fn rule(when: &str) -> String {
    let when = when.replace('\n', "\n  ");
    format!(
        "id: my-rule\ntitle: A rule\nwhen: |\n  {when}\nstatus: warning\nsummary: It holds.\nremedy:\n  steps: [Do it]\n"
    )
}

/// The rule's row in the report on some files, and the whole report.
fn judged(files: &[File], when: &str) -> (Value, Value) {
    let rules = folder(&rule(when));
    let bundle = rules.path().join("b.zip");
    fs::write(&bundle, recipe::pack(files)).unwrap();
    let run = |format: &str| {
        let args = ["analyze", "--format", format, "--rules"];
        actriage().args(args).arg(rules.path()).arg(&bundle).output().unwrap()
    };
    let output = run("json");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "my-rule").unwrap();
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    assert!(validator.is_valid(&report), "{row}");
    (row.clone(), report)
}

#[test]
fn the_samples_pass_their_cases() {
    let set = RuleSet::load(&root().join("samples/rules")).unwrap();
    assert_eq!(set.rules().len(), 3);
    for rule in set.rules() {
        let results = cases::run(rule);
        assert!(results.len() >= 3, "{}", rule.id);
        for result in results {
            assert!(result.passed(), "{} / {}: {:?}", rule.id, result.name, result.outcome);
        }
    }
    let output = actriage().args(["rules", "test", "samples/rules"]).assert().code(0);
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(text.ends_with("12 passed, 0 failed\n"), "{text}");
}

#[test]
fn a_case_that_fails_says_where_and_what() {
    let tests = "tests:\n  - name: wrong\n    expect: healthy\n    facts: {os.build: 7}\n";
    let folder = folder(&(rule("fact('os.build') == 7") + tests));
    let output = actriage().args(["rules", "test"]).arg(folder.path()).assert().code(1);
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let place = format!("{}:10: expected healthy, found warning", folder.path().join("rule.yaml").display());
    assert!(text.contains("FAIL my-rule: wrong") && text.contains(&place), "{text}");
    assert!(text.ends_with("0 passed, 1 failed\n"), "{text}");
}

#[test]
fn a_broken_rule_is_named_with_file_line_and_expectation() {
    let folder = folder(&rule("fact('os.build') > 1\n&& regsitry(r'HKLM\\SOFTWARE', 'x') == 1"));
    for command in [["rules", "test"].as_slice(), &["analyze", "samples/healthy.zip", "--rules"]] {
        let output = actriage().args(command).arg(folder.path()).assert().code(2);
        let text = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        let place = format!(
            "{}:5: expected one of the functions registry",
            folder.path().join("rule.yaml").display()
        );
        assert!(text.contains(&place) && text.contains("found `regsitry`"), "{text}");
    }
    let missing = Path::new("no/such/folder");
    let output = actriage().args(["rules", "test"]).arg(missing).assert().code(2);
    assert!(
        String::from_utf8_lossy(&output.get_output().stderr).contains("expected a folder with rule files")
    );
}

#[test]
fn two_rules_with_one_id_are_a_fault() {
    let folder = folder(&rule("fact('os.build') > 1"));
    fs::write(folder.path().join("second.yml"), rule("fact('os.build') > 2")).unwrap();
    let faults = RuleSet::load(folder.path()).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].expected.contains("an id of its own") && faults[0].path.ends_with("second.yml"));
}

#[test]
fn a_rule_that_holds_is_a_finding_with_evidence() {
    let (row, report) = judged(
        &case("Base: complete\n"),
        r"registry(r'HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion', 'CurrentBuild') == '19045'",
    );
    assert_eq!((&row["status"], &row["layer"]), (&"warning".into(), &"user".into()));
    assert_eq!(row["evidence"][0]["artifact"], "config/SOFTWARE");
    assert_eq!(row["evidence"][0]["observed"], "19045");
    assert_eq!(row["remedy"]["steps"][0], "Do it");
    assert_eq!(report["verdict"]["outcome"], "suspect");
    assert_eq!(report["verdict"]["root_causes"][0], "my-rule");
}

#[test]
fn absent_is_null_and_unknown_is_not_collected() {
    let healthy = case("Base: complete\n");
    let value = r"registry(r'HKCU\Software\Microsoft\Office\16.0\Common\Identity', 'EnableADAL')";
    assert_eq!(judged(&healthy, &format!("{value} == 0")).0["status"], "healthy");
    assert_eq!(judged(&healthy, &format!("{value} == null")).0["status"], "warning");
    let note = [File { path: "note.txt".to_owned(), bytes: b"Word asks me to sign in.".to_vec() }];
    for when in [format!("{value} == 0"), format!("{value} != 0"), format!("!({value} == null)")] {
        let (row, _) = judged(&note, &when);
        assert_eq!(row["status"], "not-collected", "{when}");
        assert_eq!(row["missing"][0]["what"], "NTUSER.DAT of the affected user", "{when}");
    }
    // What is known decides alone.
    let both = format!("{value} == 0 || key(r'HKLM\\SYSTEM\\Select')");
    let system =
        case("```hive config/SYSTEM\n[Select]\n\"Current\"=dword:1\n[ControlSet001\\Control]\n```\n");
    assert_eq!(judged(&system, &both).0["status"], "warning");
    let neither = format!("{value} == 0 && !key(r'HKLM\\SYSTEM\\Select')");
    assert_eq!(judged(&system, &neither).0["status"], "healthy");
}

/// The reader decodes only what somebody wants: an event that no built-in check wants must reach the rule, and the evidence is the record
/// that decides.
#[test]
fn events_that_only_a_rule_wants_are_decoded() {
    let log = "Base: complete\n```evtx logs/Own.evtx Contoso/Agent\n\
               Contoso-Agent/77 2026-11-10T09:00:00Z record=1\n  Reason = old\n\
               Contoso-Agent/77 2026-11-19T09:00:00Z record=2\n  Reason = licence server\n\
               Contoso-Agent/77 2026-11-20T06:00:00Z record=3\n  Reason = other\n```\n";
    let ask = |reason: &str| {
        format!("events('Contoso-Agent', [77], 'Contoso/Agent').exists(e, e.field('reason') == '{reason}')")
    };
    let (row, _) = judged(&case(log), &ask("licence server"));
    assert_eq!(row["status"], "warning");
    let evidence = row["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 1, "{evidence:?}");
    assert_eq!(evidence[0]["locator"], "record 2");
    // Before the window, and not there at all: the log covers the window, so the answer is no.
    assert_eq!(judged(&case(log), &ask("old")).0["status"], "healthy");
    // Without the log nobody can say.
    assert_eq!(judged(&case("Base: complete\n"), &ask("old")).0["status"], "not-collected");
}

#[test]
fn other_checks_can_be_asked_and_their_silence_is_no_answer() {
    let blocked = fs::read_to_string(root().join("samples/blocked.md")).unwrap();
    let when = "check('ncsi-active-probe-config') == 'blocker' && check('svc-eventlog') == 'healthy'";
    assert_eq!(judged(&case(&blocked), when).0["status"], "warning");
    let note = [File { path: "note.txt".to_owned(), bytes: b"Word asks me to sign in.".to_vec() }];
    let (row, _) = judged(&note, "check('svc-eventlog') != 'blocker'");
    assert_eq!(row["status"], "not-collected");
}

#[test]
fn a_rule_that_cannot_be_evaluated_says_so() {
    let (row, _) = judged(&case("Base: complete\n"), "fact('os.build') > 'x'");
    assert_eq!(row["status"], "not-collected");
    let what = row["missing"][0]["what"].as_str().unwrap();
    assert!(what.contains("(rule.yaml: ") && what.contains("found no matching overload"), "{what}");
}
