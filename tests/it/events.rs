//! Event logs of real machines, against what independent readers say of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // the helpers are part of the tests

use std::collections::BTreeMap;
use std::path::Path;

use actriage::artifact::event::EventFilter;
use actriage::artifact::evtx;

use crate::corpus;

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
