//! What only a transaction log holds counts: the verdict changes with it.

use crate::checks::report_on;
use crate::workshop::hive::log;
use crate::workshop::recipe::{self, File};

fn system(start: u32) -> Vec<u8> {
    recipe::hive(&format!(
        "name SYSTEM\n[Select]\n\"Current\"=dword:1\n[ControlSet001\\Services\\EventLog]\n\"Start\"=dword:{start}\n"
    ))
}

fn file(path: &str, bytes: Vec<u8>) -> File {
    File { path: path.to_owned(), bytes }
}

/// The hive says automatic; Windows had written "disabled" to the log and not yet to the hive (domain.md 1.4; the log's layout is
/// that of the published regf description, checked in the workshop's own tests).
fn dirty_and_after() -> (Vec<u8>, Vec<u8>) {
    let mut before = system(2);
    let mut after = system(4);
    log::set_sequences(&mut before, 9, 8);
    log::set_sequences(&mut after, 9, 9);
    (before, after)
}

#[test]
fn a_bad_value_that_only_the_log_holds_changes_the_verdict() {
    let (before, after) = dirty_and_after();
    let without = report_on(&[file("config/SYSTEM", before.clone())]);
    assert_ne!(without.check("svc-eventlog").unwrap().status.name(), "blocker");

    for (name, bytes) in [
        ("config/SYSTEM.LOG1", log::new_format(&[&before, &after], 8)),
        ("config/system.log2", log::new_format(&[&before, &after], 8)),
        ("config/SYSTEM.LOG", log::old_format(&before, &after, 9)),
    ] {
        let report = report_on(&[file("config/SYSTEM", before.clone()), file(name, bytes)]);
        let check = report.check("svc-eventlog").unwrap();
        assert_eq!(check.status.name(), "blocker", "{name}: {check:#?}");
        assert_eq!(check.evidence[0].observed, "4 (disabled)");
        assert_eq!(report.verdict.root_causes.first().map(String::as_str), Some("svc-eventlog"), "{name}");
    }
}

/// The name of the log is lost; its own base block says whose it is.
#[test]
fn a_log_without_its_name_is_paired_by_content() {
    let (before, after) = dirty_and_after();
    let log = log::new_format(&[&before, &after], 8);
    let report = report_on(&[file("config/evidence-1", before), file("config/evidence-2", log)]);
    assert_eq!(report.check("svc-eventlog").unwrap().status.name(), "blocker");
}

/// Without its logs a dirty hive is read as it is, and what rests on it loses one level of confidence.
#[test]
fn a_dirty_hive_without_logs_lowers_confidence() {
    let (_, after) = dirty_and_after();
    let mut dirty = after.clone();
    log::set_sequences(&mut dirty, 10, 9);
    let confidence = |bytes: Vec<u8>| {
        let report = report_on(&[file("config/SYSTEM", bytes)]);
        serde_json::to_value(report.check("svc-eventlog").unwrap().confidence).unwrap()
    };
    assert_eq!(confidence(after), "high");
    assert_eq!(confidence(dirty), "medium");
}
