//! Whether and how the machine reaches others: profiles, proxies, Winsock, services, addresses, names, probes.
//!
//! Every expected value was read by eye from the capture that it names.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests may fail like the tests")]

mod damage;
mod encodings;
mod values;

use std::path::PathBuf;

use actriage::artifact::capture::{self, Capture, CaptureKind, CaptureStatus};
use actriage::artifact::text::Text;

use crate::corpus;

/// Folders of the captures and the kind that their files must be read as.
const FOLDERS: &[(&str, CaptureKind)] = &[
    ("get_netconnectionprofile", CaptureKind::ConnectionProfile),
    ("ipconfig", CaptureKind::Ipconfig),
    ("ipconfig_all", CaptureKind::Ipconfig),
    ("netsh_winhttp_show_advproxy", CaptureKind::WinhttpAdvproxy),
    ("netsh_winhttp_show_proxy", CaptureKind::WinhttpProxy),
    ("netsh_winsock_show_catalog", CaptureKind::WinsockCatalog),
    ("nslookup", CaptureKind::Nslookup),
    ("resolve_dnsname", CaptureKind::ResolveDns),
    ("sc_query", CaptureKind::Service),
    ("test_netconnection", CaptureKind::TestConnection),
];

/// Files whose folder does not say what they hold.
const OTHERS: &[(&str, CaptureKind)] = &[
    ("connecttest/curl-ok-derived.txt", CaptureKind::ProbeBody),
    ("connecttest/iwr-derived.txt", CaptureKind::HttpResponse),
    ("netsh_int_ip_show_config/ru-winxp-2.txt", CaptureKind::Ipconfig),
];

/// Files that hold only a part of an output, and the word by which the reason must say what is missing.
const PARTIAL: &[(&str, &str)] = &[
    ("netsh_winsock_show_catalog/en-win10-2.txt", "chain length"),
    ("netsh_winsock_show_catalog/en-win10-lsp-2.txt", "socket type"),
    ("netsh_winsock_show_catalog/en-win11-2.txt", "service flags"),
    ("netsh_winsock_show_catalog/zh-win10-cp936.txt", "catalog id"),
    ("netsh_winsock_show_catalog/zh-win10-lsp-1.txt", "catalog id"),
    ("netsh_winsock_show_catalog/zh-win11-1.txt", "only a part"),
];

/// Files with prose of the post around the output.
const PROSE: &[&str] = &["netsh_winhttp_show_proxy/ru-win10-1.txt"];

fn captures() -> Option<PathBuf> {
    Some(corpus::shared()?.join("captures"))
}

fn bytes(name: &str) -> Option<Vec<u8>> {
    let path = captures()?.join(name);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn read(bytes: &[u8]) -> Vec<Capture> {
    capture::read(&Text::decode(bytes))
}

/// The files of these kinds in the manifest and the kind that each must be read as.
fn files() -> Option<Vec<(String, CaptureKind)>> {
    let rows = corpus::tsv(&captures()?.join("MANIFEST.tsv"));
    let kind_of = |path: &str| {
        let folder = path.split('/').next().unwrap_or_default();
        let other = OTHERS.iter().find(|(file, _)| *file == path);
        other.or_else(|| FOLDERS.iter().find(|(name, _)| *name == folder)).map(|(_, kind)| *kind)
    };
    let files = rows.into_iter().filter_map(|row| {
        let path = row.get("path")?.clone();
        kind_of(&path).map(|kind| (path, kind))
    });
    Some(files.collect())
}

#[test]
fn every_file_is_read_as_what_it_is() {
    let Some(files) = files() else { return println!("no corpus") };
    let mut parsed = 0;
    for (file, kind) in &files {
        let Some(bytes) = bytes(file) else { return };
        let found = read(&bytes);
        let (own, others): (Vec<_>, Vec<_>) = found.iter().partition(|capture| capture.kind == *kind);
        assert!(!own.is_empty(), "{file} is not read as {}: {found:?}", kind.name());
        assert!(others.is_empty() || PROSE.contains(&file.as_str()), "{file} also gives {others:?}");
        for capture in own {
            match PARTIAL.iter().find(|(partial, _)| partial == file) {
                Some((_, word)) => {
                    assert_eq!(capture.status, CaptureStatus::Partial, "{file}");
                    assert!(
                        capture.reason.as_ref().is_some_and(|reason| reason.contains(word)),
                        "{file}: {capture:?}"
                    );
                }
                None => {
                    assert_eq!((capture.status, &capture.reason), (CaptureStatus::Parsed, &None), "{file}");
                    parsed += 1;
                }
            }
        }
    }
    println!("{} files, {parsed} outputs parsed, {} partial", files.len(), PARTIAL.len());
    assert!(files.len() >= 85);
}
