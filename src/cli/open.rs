//! Opening and reading a bundle, with the limits that every command shares.

use std::path::Path;

use clap::Args;

use super::CliError;
use crate::artifact::Interest;
use crate::artifact::collection::{Collection, Reading};
use crate::bundle::Bundle;
use crate::bundle::limits::Limits;

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

/// Opens a bundle and reads all of it.
pub fn read(
    path: &Path,
    limits: LimitArgs,
    interest: Interest,
    replay: bool,
) -> Result<(Bundle, Collection), CliError> {
    let bundle = Bundle::open(path, limits.limits()).map_err(|error| CliError::Message(error.to_string()))?;
    let collection = Collection::read(&bundle, &Reading { interest, replay, hashes: true });
    Ok((bundle, collection))
}
