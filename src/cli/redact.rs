//! `actriage redact BUNDLE --output ZIP`: a copy of the texts of a bundle that can be shared.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, Common, Exit, Outcome, open};
use crate::redact::bundle;

/// Write a copy of a bundle that can be shared: its texts with pseudonyms and without secrets. Binary files (hives, event logs) are left
/// out; REDACTED.txt in the copy names them.
#[derive(Debug, Args)]
pub struct Redact {
    /// A zip, a folder or a single file.
    bundle: PathBuf,
    /// The archive to write.
    #[arg(long, value_name = "ZIP")]
    output: PathBuf,
    #[command(flatten)]
    limits: open::LimitArgs,
}

impl Redact {
    pub(super) fn run(&self, common: &Common) -> Outcome {
        common.say(|| format!("reading {}", self.bundle.display()));
        let mut redactor = open::learned(&self.bundle, self.limits)?;
        let opened = open::bundle(&self.bundle, self.limits)?;
        let failed = |error: std::io::Error| CliError::Message(format!("{}: {error}", self.output.display()));
        let archive = bundle::write(&opened, &mut redactor).map_err(failed)?;
        fs::write(&self.output, archive.bytes).map_err(failed)?;
        open::write_map(common, &[(&self.bundle, &redactor)])?;
        if !common.quiet {
            eprintln!(
                "actriage: {} file(s) written, {} left out (see REDACTED.txt in it)",
                archive.written, archive.left_out
            );
        }
        Ok(Exit::Good)
    }
}
