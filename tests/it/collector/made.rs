//! A bundle in exactly the layout and the manifest form that the script writes: every file of it is recognised, and what the manifest says
//! is used.

use std::fmt::Write as _;

use actriage::artifact::identify::ReadStatus;
use actriage::checks::judgement::Status;
use actriage::collector::table::{Form, Item, TABLE};
use actriage::report::model::Report;
use sha2::{Digest as _, Sha256};

use crate::checks::{base, report_on, root};
use crate::workshop::recipe::{self, File, fences};

const USER: &str = "S-1-5-21-1-2-3-1001";
const FOLDER: &str = "actriage-PC17-20261120T091244";

/// What came of an item: `outcome`, `error`, and its files.
struct Outcome {
    item: &'static Item,
    outcome: &'static str,
    error: Option<&'static str>,
    files: Vec<File>,
}

/// Files as the script makes them out of the table and the outputs in `fixtures/collector.md`.
fn collect(elevated: bool) -> Vec<Outcome> {
    let outputs = std::fs::read_to_string(root().join("fixtures/collector.md")).unwrap();
    let outputs = fences(&outputs);
    let body = |kind: &str, id: &str| {
        let info = format!("{kind} {id}");
        outputs.iter().find(|fence| fence.info == info).map(|fence| fence.body.replace('\n', "\r\n"))
    };
    let machine = recipe::files(&base("complete"));
    let hive = |path: &str| machine.iter().find(|file| file.path == path).unwrap().bytes.clone();
    let mut all: Vec<Outcome> = Vec::new();
    for item in TABLE.iter() {
        let collected = |id: &str| all.iter().any(|done| done.item.id == id && done.outcome == "success");
        let mut outcome = Outcome { item, outcome: "success", error: None, files: Vec::new() };
        if item.elevated && !elevated {
            (outcome.outcome, outcome.error) = ("missing", Some("needs elevation"));
        } else if item.unless.is_some_and(collected) {
            (outcome.outcome, outcome.error) = ("skipped", Some("not needed beside the hive"));
        } else {
            for (number, each) in
                item.each.iter().map(String::as_str).chain(item.each.is_empty().then_some("")).enumerate()
            {
                let path = item
                    .file
                    .replace("{0}", &(number + 1).to_string())
                    .replace("{1}", USER)
                    .replace('\\', "/");
                let bytes = match item.kind {
                    "evtx" => recipe::events(
                        item.channel.unwrap(),
                        "Other/1 2026-11-10T06:00:00Z record=1\nOther/1 2026-11-20T06:00:00Z record=2\n",
                    ),
                    "reg-export" => export(each),
                    "hive:system" => hive("config/SYSTEM"),
                    "hive:software" => hive("config/SOFTWARE"),
                    "hive:user-classes" => hive("Users/anna/AppData/Local/Microsoft/Windows/UsrClass.dat"),
                    "hive:user" => match item.covers {
                        Some("%USER%") => hive("Users/anna/NTUSER.DAT"),
                        Some(r"HKU\S-1-5-20") => hive("ServiceProfiles/NetworkService/NTUSER.DAT"),
                        Some(other) => service_hive(other),
                        None => panic!("{} covers nothing", item.id),
                    },
                    _ => text(
                        item,
                        &body("text", item.id)
                            .unwrap_or_else(|| panic!("fixtures/collector.md lacks {}", item.id)),
                    ),
                };
                outcome.files.push(File { path: path.clone(), bytes });
                if item.form == Some(Form::Objects) {
                    let json = body("json", item.id)
                        .unwrap_or_else(|| panic!("fixtures/collector.md lacks json {}", item.id));
                    outcome.files.push(File { path: path.replace(".txt", ".json"), bytes: with_mark(&json) });
                }
            }
        }
        all.push(outcome);
    }
    all
}

/// UTF-8 with its mark, as `WriteAllText` writes it.
fn with_mark(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").into_bytes()
}

/// A text as the script writes it: the prompt above it. Copied files have neither mark nor prompt.
fn text(item: &Item, body: &str) -> Vec<u8> {
    if item.form == Some(Form::File) {
        return body.as_bytes().to_vec();
    }
    match item.runs[0].shown {
        "" => with_mark(body),
        shown => with_mark(&format!("PS C:\\> {shown}\r\n{body}")),
    }
}

/// What `reg export` writes: UTF-16 with its mark.
fn export(key: &str) -> Vec<u8> {
    let key = key.replace("HKLM", "HKEY_LOCAL_MACHINE").replace("%USER%", &format!(r"HKEY_USERS\{USER}"));
    let text = format!(
        "\u{feff}Windows Registry Editor Version 5.00\r\n\r\n[{key}]\r\n\"Start\"=dword:00000002\r\n\r\n"
    );
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn service_hive(place: &str) -> Vec<u8> {
    let sid = place.trim_start_matches(r"HKU\").replace(".DEFAULT", "S-1-5-18");
    recipe::hive(&format!(
        "user {sid}\nwritten 2026-11-20T08:00:00Z\n[Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections]\n\
         \"DefaultConnectionSettings\"=blob:46|1|||\n"
    ))
}

/// JSON the way the script's `ConvertTo-JsonText` writes it: one line an object, ASCII, every quote and control character as `\u`.
fn quoted(value: Option<&str>) -> String {
    let Some(value) = value else { return "null".to_owned() };
    let mut out = String::from('"');
    for unit in value.encode_utf16() {
        match unit {
            32..=126 if unit != 34 && unit != 92 => out.push(char::from(unit as u8)),
            _ => write!(out, "\\u{unit:04x}").unwrap(),
        }
    }
    out + "\""
}

fn manifest(all: &[Outcome], elevated: bool) -> Vec<u8> {
    let mut items = Vec::new();
    for done in all {
        let missing = [None];
        let files: Vec<Option<&File>> =
            if done.files.is_empty() { missing.to_vec() } else { done.files.iter().map(Some).collect() };
        for file in files {
            let hash = file.map(|file| {
                Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
            });
            let log = done.item.channel.filter(|_| file.is_some()).map_or("null".to_owned(), |channel| {
                format!(
                    "{{\"oldest\": \"2026-11-10T06:00:00.0000000Z\", \"from\": \"2026-10-21T09:12:44Z\", \"channel\": {}}}",
                    quoted(Some(channel))
                )
            });
            items.push(format!(
                "{{\"id\": {}, \"each\": {}, \"command\": {}, \"outcome\": {}, \"error\": {}, \"path\": {}, \"bytes\": {}, \"sha256\": {}, \
                 \"milliseconds\": 17, \"log\": {log}}}",
                quoted(Some(done.item.id)),
                quoted(Some("")),
                quoted(done.item.runs.first().map(|run| run.command)),
                quoted(Some(done.outcome)),
                quoted(done.error),
                quoted(file.map(|file| file.path.as_str())),
                file.map_or("null".to_owned(), |file| file.bytes.len().to_string()),
                quoted(hash.as_deref()),
            ));
        }
    }
    with_mark(&format!(
        "{{\"schema\": \"actriage.manifest/1\", \"script_version\": \"1\", \"script_sha256\": null, \"case_id\": \"\", \
         \"collected_at\": \"2026-11-20T09:12:44Z\", \"local_time\": \"2026-11-20T10:12:44\", \"bias_minutes\": -60, \
         \"culture\": \"de-DE\", \"ui_culture\": \"en-US\", \"ansi_code_page\": 1252, \"oem_code_page\": 850, \"console_code_page\": 850, \
         \"powershell\": \"5.1.19041.1\", \"windows\": \"10.0.19045.0\", \"elevated\": {elevated}, \"user_sid\": \"S-1-5-21-1-2-3-500\", \
         \"affected_user_sid\": null, \"users\": [\r\n\"{USER}\"\r\n], \"days\": 30, \"probe\": true, \"no_personal\": false, \
         \"items\": [\r\n{}\r\n]}}",
        items.join(",\r\n")
    ))
}

/// The bundle, with one file changed after the manifest was written.
fn bundle(elevated: bool, change: impl Fn(&mut File)) -> Report {
    let all = collect(elevated);
    let mut files = vec![File { path: "manifest.json".into(), bytes: manifest(&all, elevated) }];
    files.extend(all.into_iter().flat_map(|done| done.files));
    files.iter_mut().for_each(change);
    // .NET before 4.6.1 writes the paths in a zip with backslashes.
    files.iter_mut().for_each(|file| file.path = format!("{FOLDER}/{}", file.path).replace('/', "\\"));
    report_on(&files)
}

#[test]
fn every_file_that_the_script_writes_is_recognised() {
    for elevated in [true, false] {
        let all = collect(elevated);
        let report = bundle(elevated, |_| {});
        assert_eq!(report.bundle.layout, "actriage-collector");
        assert_eq!(report.bundle.artifacts.len(), 1 + all.iter().map(|done| done.files.len()).sum::<usize>());
        for done in &all {
            for file in &done.files {
                let path = format!("{FOLDER}/{}", file.path);
                let artifact = report.bundle.artifacts.iter().find(|artifact| artifact.path == path).unwrap();
                let found = (artifact.kind.as_str(), artifact.status, artifact.reason.as_deref());
                assert_eq!(found, (done.item.kind, ReadStatus::Read, None), "{path}");
            }
        }
        // The two bundles together hold every item of the table.
        let missing = all.iter().filter(|done| done.files.is_empty()).count();
        assert_eq!(
            missing,
            TABLE.iter().filter(|item| if elevated { item.unless.is_some() } else { item.elevated }).count()
        );
    }
}

#[test]
fn an_altered_file_is_reported() {
    let good = bundle(true, |_| {});
    let told =
        |report: &Report| serde_json::to_string(report.check("collection-completeness").unwrap()).unwrap();
    assert!(!told(&good).contains("altered"), "{}", told(&good));
    let bad = bundle(true, |file| {
        if file.path == "captures/services.txt" {
            *file.bytes.last_mut().unwrap() = b'x';
        }
    });
    let artifact = bad
        .bundle
        .artifacts
        .iter()
        .find(|artifact| artifact.path.ends_with("captures/services.txt"))
        .unwrap();
    assert!(
        artifact.reason.as_deref().unwrap().starts_with("altered since it was collected"),
        "{artifact:?}"
    );
    assert!(
        told(&bad).contains("captures/services.txt was altered after it was collected"),
        "{}",
        told(&bad)
    );
    assert_eq!(bad.check("collection-completeness").unwrap().status, Status::Warning);
}

#[test]
fn what_was_not_collected_says_why() {
    let report = bundle(false, |_| {});
    let check = report.check("network-service-acl").unwrap();
    let missing: Vec<&str> = check.missing.iter().map(|item| item.what.as_str()).collect();
    assert_eq!(check.status, Status::NotCollected);
    assert!(
        missing.iter().any(|what| what.contains("the collector says: ")
            && what.contains("hive-network-service needs elevation")),
        "{missing:?}"
    );
    let notes = &report.check("collection-completeness").unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("ran without elevation")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("culture de-DE with PowerShell 5.1")), "{notes:?}");
}

/// Outputs in two forms (list and JSON) are one piece of evidence, not two machines: a healthy machine stays healthy.
#[test]
fn a_collected_healthy_machine_has_no_finding() {
    let report = bundle(true, |_| {});
    let findings: Vec<String> = report
        .checks
        .iter()
        .filter(|check| check.status.is_finding() && check.id != "collection-completeness")
        .map(|check| format!("{}: {}", check.id, check.summary))
        .collect();
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(report.bundle.collected_at_basis, Some("manifest"));
    let healthy = report.checks.iter().filter(|check| check.status == Status::Healthy).count();
    eprintln!("{healthy} of {} checks healthy on the collected machine", report.checks.len());
    for check in report.checks.iter().filter(|check| check.status == Status::NotCollected) {
        eprintln!("open: {}: {}", check.id, check.summary);
    }
}
