//! The tables of a run back into memory, only the columns that are asked for.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::{DatasetError, folder};

/// Both tables of a run.
#[derive(Debug)]
pub struct Tables {
    /// One row a bundle, each content once.
    pub bundles: DataFrame,
    /// One row a bundle and finding.
    pub findings: DataFrame,
}

/// Columns of `bundles` that a report needs.
const BUNDLES: &[&str] = &[
    "bundle_id",
    "path",
    "outcome",
    "root_cause",
    "os_build",
    "office_version",
    "computer",
    "site",
    "proxy_host",
    "status",
    "error",
    "duration_ms",
    "not_collected",
];
/// Columns of `findings` that a report needs.
const FINDINGS: &[&str] = &["bundle_id", "check", "layer", "status", "is_root"];

/// Reads a run.
pub fn tables(out: &Path, run: &str) -> Result<Tables, DatasetError> {
    let bundles = table(&folder(out, "bundles", run), BUNDLES, &["bundle_id"])?;
    let findings = table(&folder(out, "findings", run), FINDINGS, &["bundle_id", "check"])?;
    Ok(Tables { bundles, findings })
}

/// All parts of a table. Two shards may have met the same content under two paths; the first row of each key is kept.
fn table(folder: &Path, columns: &[&str], key: &[&str]) -> Result<DataFrame, DatasetError> {
    let label = || folder.display().to_string();
    let mut whole: Option<DataFrame> = None;
    for path in parts(folder)? {
        let wrong = |error| DatasetError::Table(path.display().to_string(), error);
        let file = File::open(&path).map_err(|error| DatasetError::Io(path.display().to_string(), error))?;
        let wanted = columns.iter().map(|&name| name.to_owned()).collect();
        let part = ParquetReader::new(file).with_columns(Some(wanted)).finish().map_err(wrong)?;
        // The reader gives the columns in the order of the file.
        let part = part.select(columns.iter().copied()).map_err(wrong)?;
        match &mut whole {
            Some(whole) => {
                whole.vstack_mut(&part).map_err(wrong)?;
            }
            None => whole = Some(part),
        }
    }
    let whole = whole.ok_or_else(|| DatasetError::NoRun(format!("{}: no parts", label())))?;
    let key: Vec<String> = key.iter().map(|&name| name.to_owned()).collect();
    whole
        .unique_stable(Some(&key), UniqueKeepStrategy::First, None)
        .map_err(|error| DatasetError::Table(label(), error))
}

fn parts(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let io = |error| DatasetError::Io(folder.display().to_string(), error);
    let mut found = Vec::new();
    for item in fs::read_dir(folder).map_err(io)? {
        let path = item.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("part-") && name.ends_with(".parquet") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A column as text, whatever it holds.
pub fn words(frame: &DataFrame, column: &str) -> PolarsResult<Vec<Option<String>>> {
    let column = frame.column(column)?.cast(&DataType::String)?;
    Ok(column.str()?.iter().map(|text| text.map(str::to_owned)).collect())
}

/// How many rows there are for each combination of keys, in the order in which they first come.
pub fn counts(frame: &DataFrame, keys: &[&str]) -> PolarsResult<Vec<(Vec<Option<String>>, u64)>> {
    let grouped = frame.group_by_stable(keys.iter().copied())?.select(["bundle_id"]).count()?;
    let mut columns = Vec::with_capacity(keys.len());
    for key in keys {
        columns.push(words(&grouped, key)?.into_iter());
    }
    let numbers =
        grouped.select_at_idx(keys.len()).map(|column| column.cast(&DataType::UInt64)).transpose()?;
    let numbers: Vec<u64> = match &numbers {
        Some(column) => column.u64()?.iter().map(Option::unwrap_or_default).collect(),
        None => Vec::new(),
    };
    let row = |count| (columns.iter_mut().map(|column| column.next().flatten()).collect(), count);
    Ok(numbers.into_iter().map(row).collect())
}
