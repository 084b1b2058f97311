//! The machine, its identity, its licences and its files.
//!
//! Every expected value was read by eye from the file that the test names; counts of long lists were taken with `grep -c`.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests may fail like the tests")]

mod damage;
mod licences;
mod machine;
mod soup;

use actriage::artifact::capture::{self, Capture, CaptureStatus};
use actriage::artifact::text::Text;

/// Folders of the capture collection whose kinds are read here, and how many files each has.
const FOLDERS: [(&str, usize); 10] = [
    ("dsregcmd_status", 6),
    ("get_acl", 3),
    ("get_appxpackage", 1),
    ("ospp_dstatus", 2),
    ("systeminfo", 18),
    ("tasklist", 3),
    ("vnextdiag", 2),
    ("w32tm_query_status", 1),
    ("wmic", 2),
    ("wmic_qfe", 5),
];

/// The bytes of a capture; `None` when there is no collection.
fn bytes(name: &str) -> Option<Vec<u8>> {
    let path = crate::corpus::shared()?.join("captures").join(format!("{name}.txt"));
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Everything that was read out of some bytes.
fn read(bytes: &[u8]) -> Vec<Capture> {
    capture::read(&Text::decode(bytes))
}

/// The one capture of its kind in a file.
fn capture_of(name: &str, kind: capture::CaptureKind) -> Option<Capture> {
    let mut found: Vec<Capture> =
        read(&bytes(name)?).into_iter().filter(|found| found.kind == kind).collect();
    assert_eq!(found.len(), 1, "{name} holds one {}", kind.name());
    found.pop()
}

/// The status and the typed content of the one capture of a kind, or the end of the test without a collection.
macro_rules! read_as {
    ($name:expr, $kind:ident) => {{
        let kind = actriage::artifact::capture::CaptureKind::$kind;
        let Some(capture) = super::capture_of($name, kind) else { return };
        match capture.data {
            actriage::artifact::capture::CaptureData::$kind(data) => (capture.status, capture.language, data),
            other => panic!("{}: {other:?}", $name),
        }
    }};
}
use read_as;

#[test]
fn every_file_is_read_or_says_why_not() {
    let Some(root) = crate::corpus::shared() else { return };
    let rows = crate::corpus::tsv(&root.join("captures/MANIFEST.tsv"));
    let mut read_in_full = 0;
    let mut files = 0;
    for (folder, expected) in FOLDERS {
        let of_folder: Vec<_> =
            rows.iter().filter(|row| row["path"].split('/').next() == Some(folder)).collect();
        assert_eq!(of_folder.len(), expected, "{folder}");
        for row in of_folder {
            let captures = read(&std::fs::read(root.join("captures").join(&row["path"])).unwrap());
            let known: Vec<_> =
                captures.iter().filter(|found| found.kind != capture::CaptureKind::Unknown).collect();
            assert!(!known.is_empty(), "{}: no reader knows it", row["path"]);
            for found in &known {
                assert_eq!(found.reason.is_none(), found.status == CaptureStatus::Parsed, "{}", row["path"]);
                assert!(
                    matches!(found.status, CaptureStatus::Parsed | CaptureStatus::Partial),
                    "{}: {:?}",
                    row["path"],
                    found.reason
                );
            }
            files += 1;
            read_in_full += usize::from(known.iter().all(|found| found.status == CaptureStatus::Parsed));
        }
    }
    println!("{files} files, {read_in_full} read in full");
    assert!(files >= 43 && read_in_full >= 35);
}
