//! Event logs of real machines, against what independent readers say of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // the helpers are part of the tests

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ::evtx::EvtxParser;
use actriage::artifact::event::{Event, EventFilter};
use actriage::artifact::event_xml;
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

/// A log whose last chunk is cut off. libevtx leaves that chunk out; here its whole records are read.
const CUT: &str = "evtx/log2timeline+plaso/test_data/evtx/System2.evtx";

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
        assert_eq!(log.complete, file != CUT, "{file}: {:?}", log.problems);
        let mut expected = expected.get(&file).cloned().unwrap_or_default();
        if file == CUT {
            assert_eq!(expected.values().sum::<u64>(), 194);
            expected = filled_up(&bytes);
            assert_eq!(expected.values().sum::<u64>(), 283);
        }
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

/// What the evtx crate finds in a log when the cut-off chunk is filled up with zeros, but for the last record, which the zeros
/// reach into: the proof that the records before the cut are sound.
fn filled_up(bytes: &[u8]) -> BTreeMap<(String, u32), u64> {
    let mut whole = bytes.to_vec();
    whole.resize(4096 + (bytes.len() - 4096).next_multiple_of(65536), 0);
    let mut counts = BTreeMap::new();
    let mut events = by_evtx_crate(&whole);
    events.pop();
    for event in events {
        *counts.entry((event.provider.to_string(), event.event_id)).or_default() += 1;
    }
    counts
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
        .event(
            EventSpec::new("Microsoft-Windows-Time-Service", 37, &time(4))
                .data("TimeSource", "time.windows.com")
                .data("", Value::strings(&["a", "b"]))
                .data("", "behind the list")
                .bare(),
        )
        .event(EventSpec::new("EventLog", 6005, &time(5)))
        .event(service(6))
        .build()
}

#[test]
fn a_made_log_reads_the_same_in_the_evtx_crate() {
    let ours = evtx::read(&made_log(), &EventFilter::everything());
    let theirs = by_evtx_crate(&made_log());
    assert_eq!((ours.problems.len(), ours.events.len(), theirs.len()), (0, 8, 8));
    for (event, their) in ours.events.iter().zip(&theirs) {
        assert_eq!(differences(event, their), Vec::<String>::new());
    }
    let numbers: Vec<u64> = theirs.iter().map(|event| event.record_id).collect();
    assert_eq!(numbers, (500..508).collect::<Vec<_>>());
}

#[test]
fn a_made_log_is_sound_for_libevtx() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.evtx");
    std::fs::write(&path, made_log()).unwrap();
    let Ok(output) = Command::new("evtxexport").args(["-f", "xml"]).arg(&path).output() else {
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

/// The events of a log as the evtx crate decodes it, through its XML.
fn by_evtx_crate(bytes: &[u8]) -> Vec<Event> {
    let mut parser = EvtxParser::from_buffer(bytes.to_vec()).unwrap();
    let xml: String = parser.records().filter_map(Result::ok).map(|record| record.data).collect();
    event_xml::read(&xml, &EventFilter::everything()).events
}

/// Differences between two readings of a record that are differences of notation.
fn same_value(ours: &str, theirs: &str) -> bool {
    // XML cannot hold control characters and lone surrogates: the others write something else in their place.
    let in_xml = |text: &str| -> String {
        text.chars()
            .map(|c| if (c < ' ' && !"\t\r\n".contains(c)) || c == '\u{fffd}' { '_' } else { c })
            .collect()
    };
    // Windows renders every boolean but 0 as "true"; the evtx crate prints numbers other than 1.
    let truth = ours == "true" && theirs.parse::<u32>().is_ok_and(|number| number != 0);
    // libevtx prints nine digits of a second and GUIDs in capitals.
    let time =
        |text: &str| text.strip_suffix("00Z").filter(|head| head.len() == 27).map(|head| format!("{head}Z"));
    // libevtx pads hexadecimal numbers with zeros; Windows does not.
    let hex = |text: &str| text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let hex_equal = hex(ours).is_some() && hex(ours) == hex(theirs);
    let (ours, theirs) = (in_xml(ours), in_xml(theirs));
    truth
        || hex_equal
        || ours.eq_ignore_ascii_case(&theirs)
        || time(&theirs).is_some_and(|theirs| theirs == ours)
}

/// Lines that say where two readings of a record differ.
fn differences(ours: &Event, theirs: &Event) -> Vec<String> {
    let mut found = Vec::new();
    let fields = |event: &Event| {
        let mut fields = vec![
            ("Channel".to_owned(), event.channel.to_string()),
            ("Provider".to_owned(), event.provider.to_string()),
            ("EventID".to_owned(), event.event_id.to_string()),
            ("Qualifiers".to_owned(), format!("{:?}", event.qualifiers)),
            ("Version".to_owned(), format!("{:?}", event.version)),
            ("Level".to_owned(), format!("{:?}", event.level)),
            ("EventRecordID".to_owned(), event.record_id.to_string()),
            ("TimeCreated".to_owned(), event.time.to_precise()),
            ("Computer".to_owned(), event.computer.to_string()),
            ("UserID".to_owned(), format!("{:?}", event.user_sid)),
            ("ProcessID".to_owned(), format!("{:?}", event.process_id)),
        ];
        fields.extend(event.data.iter().map(|field| (field.name.to_owned(), field.value.to_owned())));
        flatten("UserData", event.user_data.as_ref().unwrap_or(&serde_json::Value::Null), &mut fields);
        fields
    };
    let (ours, theirs) = (fields(ours), fields(theirs));
    if ours.len() != theirs.len() {
        found.push(format!("  {} fields, {} fields: {ours:?} {theirs:?}", ours.len(), theirs.len()));
    }
    for ((name, value), (their_name, their_value)) in ours.iter().zip(&theirs) {
        if name != their_name || !same_value(value, their_value) {
            found.push(format!("  {name} = {value:?}, {their_name} = {their_value:?}"));
        }
    }
    found
}

/// The leaves of a tree with their paths.
fn flatten(path: &str, tree: &serde_json::Value, leaves: &mut Vec<(String, String)>) {
    match tree {
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(name, value)| flatten(&format!("{path}/{name}"), value, leaves));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| flatten(path, item, leaves)),
        serde_json::Value::String(text) => leaves.push((path.to_owned(), text.clone())),
        other => leaves.push((path.to_owned(), other.to_string())),
    }
}

#[test]
fn every_record_agrees_with_the_evtx_crate() {
    let Some(root) = corpus::shared() else {
        println!("ACTRIAGE_CORPUS is not set: nothing compared");
        return;
    };
    let (mut compared, mut missing, mut different) = (0, 0, Vec::new());
    for file in logs(&root) {
        let bytes = std::fs::read(root.join("corpus").join(&file)).unwrap();
        let theirs = by_evtx_crate(&bytes);
        let theirs: BTreeMap<u64, &Event> = theirs.iter().map(|event| (event.record_id, event)).collect();
        for event in &evtx::read(&bytes, &EventFilter::everything()).events {
            let Some(their) = theirs.get(&event.record_id) else {
                missing += 1;
                continue;
            };
            compared += 1;
            let lines = differences(event, their);
            if !lines.is_empty() {
                different.push(format!("{file} record {}\n{}", event.record_id, lines.join("\n")));
            }
        }
    }
    println!(
        "{compared} records compared field by field, {} different, {missing} not read by the crate",
        different.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
    // The records of the chunk that is cut off in System2.evtx.
    assert_eq!((compared, missing), (19_800, 89));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Prints the XML of records as libevtx renders it. Each line of its input is a file and the numbers of records in it.
const PYTHON: &str = r"
import sys
try:
    import pyevtx
except ImportError:
    sys.exit(3)
for line in sys.stdin.buffer.read().decode().splitlines():
    path, *numbers = line.split('\t')
    numbers = {int(number) for number in numbers}
    log = pyevtx.file()
    log.open(path)
    for index in range(log.number_of_records):
        record = log.get_record(index)
        if record.identifier in numbers:
            sys.stdout.buffer.write(record.xml_string.encode('utf-8', 'replace'))
    sys.stdout.buffer.write(b'\0')
";

/// Runs the script; `None`, said aloud, when there is no Python with libevtx.
fn by_libevtx(request: &str) -> Option<String> {
    let mut python = Command::new("python3");
    let spawned = python.args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        println!("python3 is not installed: nothing compared");
        return None;
    };
    child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.code() == Some(3) {
        println!("pyevtx (pip install libevtx-python) is not installed: nothing compared");
        return None;
    }
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn two_hundred_sampled_records_agree_with_libevtx() {
    let Some(root) = corpus::shared() else {
        println!("ACTRIAGE_CORPUS is not set: nothing compared");
        return;
    };
    // libevtx does not read the chunk that is cut off in this log.
    let files: Vec<_> = logs(&root).into_iter().filter(|file| !file.ends_with("System2.evtx")).collect();
    let paths: Vec<_> = files.iter().map(|file| root.join("corpus").join(file)).collect();
    let read = |path: &PathBuf| evtx::read(&std::fs::read(path).unwrap(), &EventFilter::everything()).events;
    let mut all: Vec<(usize, Event)> = paths
        .iter()
        .enumerate()
        .flat_map(|(file, path)| read(path).into_iter().map(move |event| (file, event)))
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut sample: BTreeMap<usize, BTreeMap<u64, Event>> = BTreeMap::new();
    for _ in 0..200 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (file, event) = all.swap_remove((state >> 33) as usize % all.len());
        sample.entry(file).or_default().insert(event.record_id, event);
    }
    let line = |(file, events): (&usize, &BTreeMap<u64, Event>)| {
        let numbers: String = events.keys().map(|number| format!("\t{number}")).collect();
        format!("{}{numbers}\n", paths[*file].display())
    };
    let Some(answer) = by_libevtx(&sample.iter().map(line).collect::<String>()) else { return };
    let (mut compared, mut different) = (0, Vec::new());
    for ((file, events), xml) in sample.iter().zip(answer.split('\0')) {
        // libevtx leaves XML in a value as it is instead of escaping it.
        let raw =
            events.values().flat_map(|event| event.data.iter()).filter(|field| field.value.starts_with('<'));
        let xml = raw.fold(xml.to_owned(), |xml, field| xml.replace(field.value, &escape(field.value)));
        let theirs = event_xml::read(&xml, &EventFilter::everything());
        assert_eq!(theirs.events.len(), events.len(), "{}: {:?}", files[*file], theirs.problems);
        for their in &theirs.events {
            compared += 1;
            let lines = differences(&events[&their.record_id], their);
            if !lines.is_empty() {
                different.push(format!("{} record {}\n{}", files[*file], their.record_id, lines.join("\n")));
            }
        }
    }
    println!("{compared} records compared field by field with libevtx, {} different", different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(compared, 200);
}

/// A fixed sequence of numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// Damages a log as disks, collectors and attackers do.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(12) {
            let at = self.below(bytes.len());
            let length = self.below(64).min(bytes.len() - at);
            match self.below(8) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.below(256) as u8,
                2 => bytes[at..at + length].fill(0),
                3 => bytes[at..at + length].fill(0xff),
                4 => bytes[at..at + length.min(4)]
                    .copy_from_slice(&0x7fff_ffff_u32.to_le_bytes()[..length.min(4)]),
                5 => {
                    let from = self.below(bytes.len() - length);
                    bytes.copy_within(from..from + length, at);
                }
                6 => bytes.truncate(at.max(5000)),
                _ => {
                    let small = self.below(0x300) as u32;
                    bytes[at..at + length.min(4)].copy_from_slice(&small.to_le_bytes()[..length.min(4)]);
                }
            }
        }
    }
}

#[test]
fn two_thousand_damaged_logs_are_read() {
    let mut dice = Dice(0x5eed);
    let mut sources = vec![(made_log(), 2_000)];
    if let Some(root) = corpus::shared() {
        // Small real logs, so that the damage hits something.
        let bytes =
            logs(&root).into_iter().map(|file| std::fs::read(root.join("corpus").join(file)).unwrap());
        sources.extend(bytes.filter(|bytes| bytes.len() < 100_000).map(|bytes| (bytes, 40)));
    }
    let (mut tried, mut records, mut problems) = (0, 0, 0);
    for (source, times) in sources {
        let sound = evtx::read(&source, &EventFilter::everything()).records;
        for _ in 0..times {
            let mut bytes = source.clone();
            dice.damage(&mut bytes);
            let log = evtx::read(&bytes, &EventFilter::everything());
            assert!(log.records <= 2 * sound + 10, "{} records out of {sound}", log.records);
            assert!(log.problems.len() <= 1001);
            tried += 1;
            records += log.records;
            problems += log.problems.len();
        }
    }
    println!("{tried} damaged logs read: {records} records, {problems} problems");
    assert!(tried >= 2_000 && records > 0 && problems > 0);
}
