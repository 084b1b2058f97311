//! The network as the machine sees it: interfaces, routes, neighbours, scripts of netsh, firewall, TCP, wireless.
//!
//! Every expected value below was read by eye from the capture file that the test names.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests may fail like the tests")]

mod addresses;
mod damage;
mod routes;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use actriage::artifact::capture::{self, Capture, CaptureKind, CaptureStatus};
use actriage::artifact::text::Text;

use crate::corpus;

/// Folders of the captures and the kind that their files must be read as.
const FOLDERS: &[(&str, CaptureKind)] = &[
    ("getmac", CaptureKind::Getmac),
    ("netsh_advfirewall", CaptureKind::FirewallProfiles),
    ("netsh_dump", CaptureKind::NetshDump),
    ("netsh_int_ip_show", CaptureKind::IpConfig),
    ("netsh_int_ip_show_config", CaptureKind::IpConfig),
    ("netsh_int_show_neighbors", CaptureKind::Neighbors),
    ("netsh_int_show_route", CaptureKind::IpRoute),
    ("netsh_int_tcp_show_global", CaptureKind::TcpGlobal),
    ("netsh_wlan", CaptureKind::WlanInterfaces),
    ("route_print", CaptureKind::RoutePrint),
];

/// Files whose folder says less than their manifest row.
const EXCEPTIONS: &[(&str, CaptureKind)] = &[
    ("netsh_int_ip_show/en-win2008-1.txt", CaptureKind::IpInterfaces),
    ("netsh_int_ip_show_config/ru-winxp-2.txt", CaptureKind::Ipconfig),
];

/// Files that are only a part of an output, and what the reading must say of it.
const PARTIAL: &[(&str, &str)] = &[
    ("netsh_dump/en-win10-1.txt", "cut off"),
    ("netsh_wlan/de-win11-1.txt", "begins inside"),
    ("route_print/en-win10-6.txt", "no active route"),
];

/// The kind that a file of the manifest must be read as here.
fn kind_of(path: &str) -> Option<CaptureKind> {
    let folder = path.split('/').next().unwrap_or_default();
    let (_, usual) = FOLDERS.iter().find(|(name, _)| *name == folder)?;
    let kind = EXCEPTIONS.iter().find(|(file, _)| *file == path).map_or(*usual, |(_, kind)| *kind);
    // Those are read with the outputs of `ipconfig`.
    (kind != CaptureKind::Ipconfig).then_some(kind)
}

fn captures() -> Option<PathBuf> {
    let root = corpus::shared()?;
    Some(root.join("captures"))
}

fn read(root: &Path, file: &str) -> Vec<Capture> {
    let bytes = std::fs::read(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    capture::read(&Text::decode(&bytes))
}

/// All captures of a kind in a file; there must be one.
fn of_kind(root: &Path, file: &str, kind: CaptureKind) -> Vec<Capture> {
    let found: Vec<_> = read(root, file).into_iter().filter(|capture| capture.kind == kind).collect();
    assert!(!found.is_empty(), "{file}: no capture of {}", kind.name());
    found
}

/// The only capture of a kind in a file.
fn one(root: &Path, file: &str, kind: CaptureKind) -> Capture {
    let mut found = of_kind(root, file, kind);
    assert_eq!(found.len(), 1, "{file}: captures of {}", kind.name());
    found.remove(0)
}

/// The typed content of the only capture of a kind.
macro_rules! data {
    ($root:expr, $file:expr, $kind:ident) => {{
        let kind = actriage::artifact::capture::CaptureKind::$kind;
        match super::one($root, $file, kind).data {
            actriage::artifact::capture::CaptureData::$kind(data) => data,
            other => panic!("{}: {other:?}", $file),
        }
    }};
}
use data;

macro_rules! root_or_return {
    () => {
        match $crate::captures::interfaces::captures() {
            Some(root) => root,
            None => {
                eprintln!("ACTRIAGE_CORPUS is not set: skipped");
                return;
            }
        }
    };
}
use root_or_return;

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

/// Outputs of one file, one below the other, with their starts marked by no prompt.
#[test]
fn outputs_below_each_other_are_told_apart() {
    let root = root_or_return!();
    let files = [
        ("route_print/en-win10-2.txt", CaptureKind::RoutePrint),
        ("netsh_int_show_neighbors/en-win10-1.txt", CaptureKind::Neighbors),
        ("netsh_int_show_route/en-win10-1.txt", CaptureKind::IpRoute),
        ("netsh_int_tcp_show_global/en-win2012r2-1.txt", CaptureKind::TcpGlobal),
        ("netsh_int_ip_show/en-win2008-2.txt", CaptureKind::IpConfig),
        ("netsh_dump/ru-win11-1.txt", CaptureKind::NetshDump),
        ("netsh_advfirewall/de-win10-1.txt", CaptureKind::FirewallProfiles),
    ];
    let mut glued = String::new();
    for (file, _) in &files {
        let bytes = std::fs::read(root.join(file)).unwrap();
        glued.push_str(Text::decode(&bytes).as_str().trim_end());
        glued.push_str("\n\n");
    }
    let found: Vec<_> = capture::read(&Text::decode(glued.as_bytes()))
        .iter()
        .map(|capture| (capture.kind, capture.status))
        .collect();
    let wanted: Vec<_> = files.iter().map(|(_, kind)| (*kind, CaptureStatus::Parsed)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn every_capture_is_parsed_or_says_why_not() {
    let root = root_or_return!();
    let mut rows: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut files = 0;
    for row in corpus::tsv(&root.join("MANIFEST.tsv")) {
        let path = row["path"].clone();
        let Some(kind) = kind_of(&path) else { continue };
        let expected = PARTIAL.iter().find(|(file, _)| *file == path).map(|(_, reason)| *reason);
        for found in of_kind(&root, &path, kind) {
            let status = if expected.is_some() { CaptureStatus::Partial } else { CaptureStatus::Parsed };
            assert_eq!(found.status, status, "{path}: {:?}", found.reason);
            assert!(found.reason.unwrap_or_default().contains(expected.unwrap_or_default()), "{path}");
        }
        let counted = rows.entry(kind.name()).or_default();
        counted[usize::from(expected.is_some())] += 1;
        files += 1;
    }
    println!("{files} files; parsed and partial by kind: {rows:?}");
    assert_eq!(files, 24);
}

/// What is read here: no capture of another command may be taken for one of them.
const KINDS: &[CaptureKind] = &[
    CaptureKind::IpConfig,
    CaptureKind::IpInterfaces,
    CaptureKind::IpRoute,
    CaptureKind::Neighbors,
    CaptureKind::NetshDump,
    CaptureKind::FirewallProfiles,
    CaptureKind::FirewallRules,
    CaptureKind::FirewallLog,
    CaptureKind::TcpGlobal,
    CaptureKind::WlanInterfaces,
    CaptureKind::RoutePrint,
    CaptureKind::Getmac,
    CaptureKind::AdapterBinding,
    CaptureKind::Drivers,
    CaptureKind::Hosts,
    CaptureKind::Environment,
];

#[test]
fn captures_of_other_commands_are_not_claimed() {
    let root = root_or_return!();
    let (mut files, mut claimed) = (0, Vec::new());
    for row in corpus::tsv(&root.join("MANIFEST.tsv")) {
        let path = row["path"].as_str();
        if FOLDERS.iter().any(|(name, _)| path.split('/').next() == Some(*name)) {
            continue;
        }
        let wrong = read(&root, path).into_iter().filter(|capture| KINDS.contains(&capture.kind));
        claimed
            .extend(wrong.map(|capture| format!("{path}:{} as {}", capture.line_from, capture.kind.name())));
        files += 1;
    }
    println!("{files} files of other commands, {} claimed", claimed.len());
    assert!(files > 140);
    assert_eq!(claimed, Vec::<String>::new());
}
