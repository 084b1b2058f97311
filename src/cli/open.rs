//! Opening and reading a bundle, with the limits that every command shares.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::Args;

use super::{CliError, Common};
use crate::artifact::Interest;
use crate::artifact::collection::{Collection, Reading};
use crate::bundle::Bundle;
use crate::bundle::limits::Limits;
use crate::diagnosis;
use crate::evidence::{Evidence, Settings};
use crate::redact::{Pair, Redactor};

/// Limits on a bundle.
#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Files in a bundle, nested archives included.
    #[arg(long, value_name = "N")]
    max_entries: Option<u64>,
    /// Bytes of all files of a bundle, unpacked.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,
    /// Bytes of one file, unpacked.
    #[arg(long, value_name = "BYTES")]
    max_entry_bytes: Option<u64>,
    /// Unpacked to packed bytes of one large member.
    #[arg(long, value_name = "N")]
    max_ratio: Option<u64>,
    /// Archives inside archives.
    #[arg(long, value_name = "N")]
    max_nesting: Option<u32>,
}

impl LimitArgs {
    /// The limits, with the defaults where nothing was given.
    pub fn limits(self) -> Limits {
        let default = Limits::default();
        Limits {
            entries: self.max_entries.unwrap_or(default.entries),
            total_bytes: self.max_bytes.unwrap_or(default.total_bytes),
            entry_bytes: self.max_entry_bytes.unwrap_or(default.entry_bytes),
            ratio: self.max_ratio.unwrap_or(default.ratio),
            nesting: self.max_nesting.unwrap_or(default.nesting),
        }
    }

    /// The same as arguments of another process.
    pub fn arguments(self) -> Vec<String> {
        let given = [
            ("--max-entries", self.max_entries),
            ("--max-bytes", self.max_bytes),
            ("--max-entry-bytes", self.max_entry_bytes),
            ("--max-ratio", self.max_ratio),
            ("--max-nesting", self.max_nesting.map(u64::from)),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some([name.to_owned(), value?.to_string()]))
            .flatten()
            .collect()
    }
}

/// Opens a bundle.
pub fn bundle(path: &Path, limits: LimitArgs) -> Result<Bundle, CliError> {
    Bundle::open(path, limits.limits()).map_err(|error| CliError::Message(error.to_string()))
}

/// Opens a bundle and reads all of it.
pub fn read(
    path: &Path,
    limits: LimitArgs,
    interest: Interest,
    replay: bool,
) -> Result<(Bundle, Collection), CliError> {
    let bundle = bundle(path, limits)?;
    let collection = Collection::read(&bundle, &Reading { interest, replay, hashes: true });
    Ok((bundle, collection))
}

/// What stands between a bundle and every output: with `--redact` it knows the names of the machine. They are learned from the same reading of the
/// bundle whatever the command reads, so that pseudonyms are the same in all outputs.
pub fn redactor(path: &Path, limits: LimitArgs, common: &Common) -> Result<Redactor, CliError> {
    if common.redact { learned(path, limits) } else { Ok(Redactor::default()) }
}

/// A redactor that knows the names of a bundle's machine.
pub fn learned(path: &Path, limits: LimitArgs) -> Result<Redactor, CliError> {
    let (_, collection) = read(path, limits, diagnosis::interest(), true)?;
    Ok(Redactor::learn(&Evidence::build(collection, &Settings::default())))
}

/// What the pseudonyms of each bundle stand for, if that was asked for, in a file that only its owner can read.
pub fn write_map(common: &Common, bundles: &[(&Path, &Redactor)]) -> Result<(), CliError> {
    let Some(path) = &common.redact_map else { return Ok(()) };
    let maps: Vec<serde_json::Value> = bundles
        .iter()
        .map(|(bundle, redactor)| {
            let pairs: Vec<Pair> = redactor.mapping();
            serde_json::json!({"bundle": bundle.display().to_string(), "pseudonyms": pairs})
        })
        .collect();
    let text = serde_json::to_string_pretty(&maps).map_err(|error| CliError::Message(error.to_string()))?;
    private_file(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CliError::Message(format!("{}: {error}", path.display())))
}

/// A new file with mode 0600 where there are modes. What stood there is removed first: writing into it would keep its mode.
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
