//! Event logs of real machines, against what independent readers say of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // the helpers are part of the tests

use std::collections::BTreeMap;
use std::path::Path;

use ::evtx::EvtxParser;
use actriage::artifact::event::EventFilter;
use actriage::artifact::evtx;

use crate::corpus;
use crate::workshop::evtx::{Element, EventSpec, LogBuilder, Value};

/// Rows of the corpus's histogram (made with libevtx): file → (provider, id) → records.
fn histogram(root: &Path) -> BTreeMap<String, BTreeMap<(String, u32), u64>> {
    let mut files: BTreeMap<String, BTreeMap<(String, u32), u64>> = BTreeMap::new();
    for row in corpus::tsv(&root.join("corpus/evtx_histogram.tsv")) {
        let kind = (row["provider"].clone(), row["id"].parse().unwrap());
        files.entry(row["file"].clone()).or_default().insert(kind, row["count"].parse().unwrap());
    }
    files
}

/// Every log of the corpus, also those without records.
fn logs(root: &Path) -> Vec<String> {
    let rows = corpus::tsv(&root.join("corpus/MANIFEST.tsv"));
    let logs = rows.into_iter().filter(|row| row["kind"].starts_with("evtx:"));
    logs.map(|row| row["path"].clone()).collect()
}

#[test]
fn counts_agree_with_libevtx_for_every_file_provider_and_id() {
    let Some(root) = corpus::shared() else {
        println!("ACTRIAGE_CORPUS is not set: nothing compared");
        return;
    };
    let expected = histogram(&root);
    let (mut rows, mut records, mut different) = (0, 0, Vec::new());
    for file in logs(&root) {
        let bytes = std::fs::read(root.join("corpus").join(&file)).unwrap();
        assert!(evtx::recognise(&bytes), "{file} is not recognised");
        let log = evtx::read(&bytes, &EventFilter::default());
        let expected = expected.get(&file).cloned().unwrap_or_default();
        rows += expected.len();
        records += log.records;
        if log.histogram != expected {
            different.push(format!("{file}\n  expected {expected:?}\n  found    {:?}", log.histogram));
        }
    }
    println!("{rows} rows, {records} records compared, {} files different", different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(rows > 900, "the corpus was not found whole: {rows} rows");
}

/// A log that uses all that the workshop can write in sound logs.
fn made_log() -> Vec<u8> {
    let time = |second: usize| format!("2026-11-19T08:00:{second:02}.1234567Z");
    let service = |second: usize| {
        EventSpec::new("Service Control Manager", 7023, &time(second))
            .level(2)
            .qualifiers(49152)
            .user_sid("S-1-5-18")
            .items(&[("param1", "Netzwerklistendienst"), ("param2", "%%21")])
            .binary(&[0x6e, 0, 0x65, 0, 0x74, 0])
    };
    let rule = Element::new("RuleAndFileData")
        .literal_attribute("xmlns", "http://example.invalid/rules")
        .child(Element::new("Package").value("MICROSOFT.AAD.BROKERPLUGIN"))
        .child(Element::new("Result").attribute("value", "0").literal("allowed & logged"));
    LogBuilder::new("System")
        .computer("PC-7.example.invalid")
        .first_record(500)
        .records_per_chunk(4)
        .event(service(0))
        .event(EventSpec::new("EventLog", 6013, &time(1)).data("", Value::strings(&["", "", "", "", "42"])))
        .event(EventSpec::new("Microsoft-Windows-AppLocker", 8020, &time(2)).user_data(rule).literal())
        .event(service(3).inline())
        .event(
            EventSpec::new("Types", 1, &time(4))
                .data("u8", Value::u8(200))
                .data("i32", Value::i32(-2_147_012_721))
                .data("u32", Value::u32(2_147_954_575))
                .data("u64", Value::u64(u64::MAX))
                .data("hex32", Value::hex32(0x8007_0005))
                .data("hex64", Value::hex64(0x3e7))
                .data("bool", Value::boolean(true))
                .data("guid", Value::guid("{54849625-5478-4994-a5ba-3e3b0328c30d}"))
                .data("sid", Value::sid("S-1-5-21-1-2-3-1001"))
                .data("binary", Value::binary(&[0, 0xab]))
                .data("Error Code", "ж <&> \u{1f600}")
                .version(3),
        )
        .event(EventSpec::new("EventLog", 6005, &time(5)))
        .event(service(6))
        .build()
}

#[test]
fn a_made_log_reads_the_same_in_the_evtx_crate() {
    let mut parser = EvtxParser::from_buffer(made_log()).unwrap();
    let xml: Vec<_> = parser.records().map(|record| record.unwrap().data).collect();
    assert_eq!(xml.len(), 7);
    let ours = evtx::read(&made_log(), &EventFilter::everything());
    assert_eq!(ours.problems, []);
    for (xml, event) in xml.iter().zip(&ours.events) {
        for part in [event.provider.as_str(), &event.channel, &event.computer, &event.record_id.to_string()] {
            assert!(xml.contains(part), "{part} is missing in {xml}");
        }
    }
}

#[test]
fn a_made_log_is_sound_for_libevtx() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.evtx");
    std::fs::write(&path, made_log()).unwrap();
    let Ok(output) = std::process::Command::new("evtxexport").args(["-f", "xml"]).arg(&path).output() else {
        println!("evtxexport is not installed: nothing compared");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    // The version that Debian ships stops at the fourth record, the one without a template.
    assert!(text.matches("<Event ").count() >= 3, "{text}");
    for part in [
        "<EventID Qualifiers=\"49152\">7023</EventID>",
        "<TimeCreated SystemTime=\"2026-11-19T08:00:00.123456700Z\"/>",
        "<EventRecordID>500</EventRecordID>",
        "<Data Name=\"param2\">%%21</Data>",
        "<Binary>6E0065007400</Binary>",
        "<Result value=\"0\">allowed &amp; logged</Result>",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}
