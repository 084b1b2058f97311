//! The Parquet dataset (contract section 6), written and read by Polars. Only with the cargo feature `dataset`.
//!
//! `OUT/bundles/run=RUN/part-*.parquet` and `OUT/findings/run=RUN/part-*.parquet` are made from the rows of `OUT/results/run=RUN`, part by part,
//! before the rows are published: whoever sees a part of rows finds its tables. Columns and their order are those of [`crate::triage::flat`];
//! times are microseconds in UTC.

pub mod aggregate;
pub mod read;
pub mod write;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::triage::flat::Flat;
use crate::triage::parts::published;

/// What goes wrong with a dataset.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// A table is not what it should be.
    #[error("{0}: {1}")]
    Table(String, polars::prelude::PolarsError),
    /// The folder holds no such run.
    #[error("{0}")]
    NoRun(String),
}

/// The folder of a table.
pub fn folder(out: &Path, table: &str, run: &str) -> PathBuf {
    out.join(table).join(format!("run={run}"))
}

/// Makes both tables of a part of rows, each beside its place and renamed.
pub fn convert(out: &Path, run: &str, part: &str, rows: &Path) -> io::Result<()> {
    let (mut bundles, mut findings) = (Vec::new(), Vec::new());
    for line in BufReader::new(File::open(rows)?).lines() {
        let flat = Flat::parse(&line?)?;
        bundles.push(flat.bundle);
        findings.extend(flat.findings);
    }
    write::table(&folder(out, "findings", run), part, write::findings(findings))?;
    write::table(&folder(out, "bundles", run), part, write::bundles(bundles))
}

/// Makes the tables of parts that have none: those that a build without this feature wrote.
pub fn complete(out: &Path) -> io::Result<()> {
    for run in runs(out)? {
        for rows in published(&folder(out, "results", &run))? {
            let part = rows.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if !folder(out, "bundles", &run).join(format!("{part}.parquet")).exists() {
                convert(out, &run, part, &rows)?;
            }
        }
    }
    Ok(())
}

/// Names of all runs, oldest first as far as their names tell.
pub fn runs(out: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    match fs::read_dir(out.join("results")) {
        Ok(listing) => {
            for item in listing {
                let name = item?.file_name().to_string_lossy().into_owned();
                found.extend(name.strip_prefix("run=").map(str::to_owned));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    found.sort();
    Ok(found)
}
