//! The same machine in other forms: registry exports instead of hives, event XML instead of EVTX. Whatever a case finds in the one form it
//! must find in the other. The exports are written here from the made hives; the XML is written by the evtx crate.

use std::fmt::Write as _;

use ::evtx::EvtxParser;
use actriage::artifact::hive::Hive;
use actriage::checks::judgement::Status;
use rayon::prelude::*;

use crate::checks::{Case, cases, report_on};
use crate::workshop::recipe::File;

/// Where a hive of the made machines is mounted.
fn mount(path: &str) -> Option<&'static str> {
    Some(match path {
        "config/SYSTEM" => r"HKEY_LOCAL_MACHINE\SYSTEM",
        "config/SOFTWARE" => r"HKEY_LOCAL_MACHINE\SOFTWARE",
        "Users/anna/NTUSER.DAT" => r"HKEY_USERS\S-1-5-21-1-2-3-1001",
        "Users/anna/AppData/Local/Microsoft/Windows/UsrClass.dat" => {
            r"HKEY_USERS\S-1-5-21-1-2-3-1001_Classes"
        }
        "ServiceProfiles/NetworkService/NTUSER.DAT" => r"HKEY_USERS\S-1-5-20",
        _ => return None,
    })
}

/// `reg export` of a whole hive, UTF-16 with BOM; every value but texts and numbers as `hex(type)`, as regedit writes it.
fn export(bytes: &[u8], mount: &str) -> Vec<u8> {
    let hive = Hive::open(bytes.to_vec()).unwrap();
    let mut text = "Windows Registry Editor Version 5.00\r\n".to_owned();
    let mut walk = hive.walk();
    while let Some(key) = walk.next() {
        let full =
            [mount, walk.path()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\\");
        let _ = write!(text, "\r\n[{full}]\r\n");
        for value in key.values().flatten() {
            let name = value.name().replace('\\', "\\\\").replace('"', "\\\"");
            let name = if name.is_empty() { "@".to_owned() } else { format!("\"{name}\"") };
            let hex: Vec<String> = value.data().bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let kind = match value.kind().0 {
                3 => "hex:".to_owned(),
                kind => format!("hex({kind:x}):"),
            };
            let _ = write!(text, "{name}={kind}{}\r\n", hex.join(","));
        }
    }
    text.push_str("\r\n");
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// `wevtutil qe /f:xml` of a log: one event after the other, without a root element.
fn xml(bytes: &[u8]) -> Vec<u8> {
    let mut parser = EvtxParser::from_buffer(bytes.to_vec()).unwrap();
    let mut text = String::new();
    for record in parser.records() {
        let data = record.unwrap().data;
        text.push_str(data.split_once("?>").map_or(data.as_str(), |(_, event)| event).trim_start());
    }
    text.into_bytes()
}

fn as_exports(file: File) -> File {
    match mount(&file.path) {
        Some(mount) => File { bytes: export(&file.bytes, mount), path: file.path + ".reg" },
        None => file,
    }
}

fn as_xml(file: File) -> File {
    if file.bytes.starts_with(b"ElfFile") {
        File { bytes: xml(&file.bytes), path: file.path + ".xml" }
    } else {
        file
    }
}

/// What a text form of the registry cannot tell: who may do what, and when a key was written. A check that needs it says so.
const NOT_TOLD: [&str; 3] =
    ["carries no security", "does not tell when keys were written", "does not say since when"];

/// Cases of findings that come out otherwise in another form.
fn differing(turn: fn(File) -> File) -> Vec<String> {
    let all = cases();
    let chosen: Vec<&Case> = all
        .iter()
        .filter(|case| {
            case.line("Expect")
                .is_some_and(|line| line.starts_with("`blocker") || line.starts_with("`warning"))
        })
        .collect();
    chosen
        .par_iter()
        .filter_map(|case| {
            let files = case.files();
            let other: Vec<File> = files.iter().cloned().map(turn).collect();
            if files.iter().zip(&other).all(|(a, b)| a.path == b.path) {
                return None;
            }
            let report = report_on(&other);
            let check = report.check(&case.check)?;
            let expected = case.line("Expect")?.split('`').nth(1)?.to_owned();
            let open = check.status == Status::NotCollected
                && NOT_TOLD.iter().any(|reason| check.summary.contains(reason));
            (check.status.name() != expected && !open).then(|| {
                let found = check.status.name();
                format!("{} / {}: {expected}, but {found}: {}", case.check, case.name, check.summary)
            })
        })
        .collect()
}

#[test]
fn registry_exports_show_what_hives_show() {
    let failed = differing(as_exports);
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn event_xml_shows_what_logs_show() {
    let failed = differing(as_xml);
    assert!(failed.is_empty(), "{}\n{}", failed.len(), failed.join("\n"));
}
