//! The JSON report against docs/report.schema.json, and the formats against each other.

use std::fs;

use actriage::report::model::Report;
use actriage::report::{json, terminal};

use crate::checks::{cases, report_of, report_on, root};
use crate::samples::recipes;

fn reports() -> Vec<Report> {
    let samples = recipes().into_iter().map(|path| report_of(&path.with_extension("zip")));
    // Every third case of the fixtures: all kinds of answers without making the test long.
    let cases = cases().into_iter().step_by(3).map(|case| report_on(&case.files()));
    samples.chain(cases).collect()
}

#[test]
fn every_report_is_valid() {
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    let schema = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for report in reports() {
        let text = json::render(&report, true).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", report.bundle.path);
    }
}

#[test]
fn the_schema_refuses_a_finding_without_evidence() {
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let report = report_of(&recipes().remove(0).with_extension("zip"));
    let mut value = serde_json::to_value(&report).unwrap();
    assert!(validator.is_valid(&value));
    value["checks"][0]["status"] = "blocker".into();
    value["checks"][0]["evidence"] = serde_json::json!([]);
    assert!(!validator.is_valid(&value));
}

#[test]
fn the_same_bundle_gives_the_same_bytes() {
    for path in recipes() {
        let render = || json::render(&report_of(&path.with_extension("zip")), false).unwrap();
        assert_eq!(render(), render());
    }
}

/// Every finding of the JSON stands in the terminal report, with and without `--all`, at every width; no line is wider than the terminal
/// unless a single word is.
#[test]
fn all_formats_list_the_same_findings() {
    for report in reports() {
        for (width, all) in [(80, false), (80, true), (200, false), (200, true)] {
            let text = terminal::render(&report, terminal::Options { width, color: false, all });
            for check in report.checks.iter().filter(|check| check.status.is_finding()) {
                if check.id == "collection-completeness" && !all {
                    continue;
                }
                assert!(text.contains(&check.id), "{} is missing at width {width}:\n{text}", check.id);
            }
            let wide = text.lines().find(|line| line.chars().count() > width && line.trim().contains(' '));
            assert!(wide.is_none(), "wider than {width}: {wide:?}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let report = report_of(&recipes().remove(0).with_extension("zip"));
    let plain = terminal::render(&report, terminal::Options { width: 80, color: false, all: true });
    let coloured = terminal::render(&report, terminal::Options { width: 80, color: true, all: true });
    assert!(coloured.contains("\u{1b}[") && !plain.contains('\u{1b}'));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}
