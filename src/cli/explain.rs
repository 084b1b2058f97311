//! `actriage explain ID|CODE`: what a check looks at, or what an error code means.

use std::io::Write;

use clap::Args;

use super::{CliError, Exit, Outcome};
use crate::checks::{self, Check};
use crate::knowledge;

/// Explain a check or an error code.
#[derive(Debug, Args)]
pub struct Explain {
    /// Id of a check, or an error code in any notation (0x80072F8F, -2147012721, 12175, CAA20003, AADSTS50126).
    #[arg(allow_hyphen_values = true)]
    subject: String,
}

impl Explain {
    pub(super) fn run(&self, out: &mut dyn Write) -> Outcome {
        if let Some(check) = checks::by_id(&self.subject) {
            explain_check(out, check)?;
            return Ok(Exit::Good);
        }
        let meanings = knowledge::explain(&self.subject);
        if meanings.is_empty() {
            return Err(CliError::Message(format!(
                "\"{}\" is neither a check (see `actriage checks`) nor a known error code",
                self.subject
            )));
        }
        for line in meanings {
            writeln!(out, "{line}")?;
        }
        Ok(Exit::Good)
    }
}

fn explain_check(out: &mut dyn Write, check: &Check) -> std::io::Result<()> {
    writeln!(out, "{}", check.id)?;
    writeln!(out, "layer: {}; source: {}\n", check.layer.name(), check.article.title())?;
    writeln!(out, "{}", check.doc())
}
