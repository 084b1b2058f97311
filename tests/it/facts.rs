//! Facts and comparisons of whole bundles.

use std::fs;
use std::path::PathBuf;

use actriage::facts::{FAMILIES, family};
use assert_cmd::Command;
use serde_json::Value;

use crate::card::case;
use crate::checks::{base, root};
use crate::workshop::recipe::{self, File};

fn actriage() -> Command {
    let mut command = Command::cargo_bin("actriage").unwrap();
    command.current_dir(root()).env_remove("NO_COLOR");
    command
}

fn json(args: &[&str], bundles: &[&PathBuf]) -> Value {
    let output = actriage().args(args).args(bundles).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Writes bundles into a folder that lives as long as the test.
struct Shelf(tempfile::TempDir);

impl Shelf {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, files: &[File]) -> PathBuf {
        let path = self.0.path().join(format!("{name}.zip"));
        fs::write(&path, recipe::pack(files)).unwrap();
        path
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().or(item["id"].as_str()).unwrap())
        .collect()
}

#[test]
fn facts_are_sorted_have_a_family_and_three_answers() {
    let shelf = Shelf::new();
    let facts = json(&["facts"], &[&shelf.put("a", &case("Base: complete\n"))]);
    assert_eq!(facts["schema"], "actriage.facts/1");
    let facts = facts["facts"].as_object().unwrap();
    let list: Vec<&String> = facts.keys().collect();
    assert!(list.is_sorted());
    for (name, fact) in facts {
        assert!(family(name).is_some(), "{name}");
        let found = fact["answer"] == "found";
        assert_eq!(found, !fact["value"].is_null(), "{name}: {fact}");
        assert_eq!(fact["answer"] == "unknown", fact["source"].is_null(), "{name}: {fact}");
    }
    // What win10.md and complete*.md hold.
    assert_eq!(facts["os.build"]["value"], 19045);
    assert_eq!(facts["service.nlasvc.start"]["value"], 2);
    assert_eq!(facts["service.nlasvc.state"]["value"], 4);
    assert_eq!(facts["setting.ncsi.enable-active-probing"]["value"], 1);
    assert_eq!(facts["setting.ncsi.policy.no-active-probe"]["answer"], "absent");
    assert_eq!(facts["tcp.login.microsoftonline.com.443"]["value"], true);
    assert_eq!(facts["dns.activation.sls.microsoft.com"]["value"], "resolved");
    assert_eq!(facts["check.svc-nlasvc"]["value"], "healthy");
    assert_eq!(facts["coverage.log.System"]["value"], "whole");
    assert_eq!(facts["service.nlasvc.start"]["source"]["artifact"], "config/SYSTEM");
    // A family without a fact on this machine is one that needs another artifact.
    let empty = |pattern: &str| !facts.keys().any(|name| family(name).unwrap().pattern == pattern);
    let without: Vec<&str> = FAMILIES.iter().map(|family| family.pattern).filter(|p| empty(p)).collect();
    assert!(without.iter().all(|pattern| pattern.starts_with("adapter.")), "{without:?}");
}

#[test]
fn nothing_collected_makes_no_fact_but_unknown() {
    let shelf = Shelf::new();
    let note = File { path: "note.txt".to_owned(), bytes: b"Word asks me to sign in.".to_vec() };
    let facts = json(&["facts"], &[&shelf.put("a", &[note])]);
    for (name, fact) in facts["facts"].as_object().unwrap() {
        // The collection itself is known: it holds one file that says nothing.
        if !["collection.tool", "check.collection-completeness"].contains(&name.as_str()) {
            assert_eq!(fact["answer"], "unknown", "{name}: {fact}");
        }
    }
}

/// The injected differences stand in samples/blocked.md: the policy and what the connection profile shows for it. The second finding is
/// its symptom (domain.md 4.1).
#[test]
fn a_sample_and_its_broken_twin_differ_in_what_was_injected() {
    let path = |name: &str| root().join(format!("samples/{name}.zip"));
    let found = json(&["compare", "--format", "json"], &[&path("healthy"), &path("blocked")]);
    assert_eq!(names(&found["findings"]), ["ncsi-active-probe-config", "ncsi-profile-state"]);
    assert_eq!(found["findings"][0]["good"], "healthy");
    assert_eq!(found["findings"][0]["bad"], "blocker");
    assert_eq!(names(&found["cited_facts"]), ["network.ipv4", "setting.ncsi.policy.no-active-probe"]);
    let policy = &found["cited_facts"][1];
    assert_eq!((&policy["good"], &policy["bad"]), (&Value::Null, &Value::from(1)));
    assert_eq!(policy["cited_by"][0], "ncsi-active-probe-config");
    for empty in ["other_facts", "other_checks", "one_sided"] {
        assert_eq!(found[empty].as_array().unwrap().len(), 0, "{empty}: {}", found[empty]);
    }
    let text = actriage().args(["compare", "samples/healthy.zip", "samples/blocked.zip"]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("setting.ncsi.policy.no-active-probe: not set → 1"), "{text}");
    let order = ["ncsi-active-probe-config: healthy → blocker", "Facts that checks cite"];
    let at: Vec<usize> = order.iter().map(|part| text.find(part).unwrap()).collect();
    assert!(at.is_sorted(), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

/// The same healthy machine under another name, user, build, time and with other record numbers.
fn another_machine() -> Vec<File> {
    let mut all = base("complete");
    for (old, new) in [
        ("PC17", "LAPTOP-4"),
        ("S-1-5-21-1-2-3-1001", "S-1-5-21-7-8-9-1104"),
        ("anna", "boris"),
        ("19045", "19044"),
        ("\"22H2\"", "\"21H2\""),
        ("dword:10b5", "dword:1388"),
        ("record=", "record=4"),
        ("2026-11-1", "2026-10-1"),
        ("2026-11-2", "2026-10-2"),
        ("10.0.0.20", "192.168.7.9"),
    ] {
        assert!(all.contains(old), "{old}");
        all = all.replace(old, new);
    }
    recipe::files_over(&all, "", &[])
}

#[test]
fn two_healthy_machines_differ_in_no_finding() {
    let shelf = Shelf::new();
    let (one, two) = (shelf.put("one", &case("Base: complete\n")), shelf.put("two", &another_machine()));
    let found = json(&["compare", "--format", "json"], &[&one, &two]);
    assert_eq!(names(&found["findings"]), [] as [&str; 0], "{}", found["findings"]);
    let mut facts = names(&found["cited_facts"]);
    facts.extend(names(&found["other_facts"]));
    facts.sort_unstable();
    // Build and revision are what the second machine was given; its name, user, SID, times and records are noise.
    assert_eq!(facts, ["os.build", "os.product", "os.ubr"]);
}
