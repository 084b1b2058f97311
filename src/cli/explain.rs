//! `actriage explain ID|CODE`: what a check looks at, or what an error code means; with `--collect`, what to collect for it.

use std::io::Write;

use clap::Args;

use super::{CliError, Exit, Outcome};
use crate::checks::{self, Check};
use crate::collector::render;
use crate::knowledge;

/// Explain a check or an error code.
#[derive(Debug, Args)]
pub struct Explain {
    /// Id of a check, or an error code in any notation (0x80072F8F, -2147012721, 12175, CAA20003, AADSTS50126).
    #[arg(allow_hyphen_values = true, required_unless_present = "collect")]
    subject: Option<String>,
    /// Say what to collect: for a check, or everything.
    #[arg(long)]
    collect: bool,
}

impl Explain {
    pub(super) fn run(&self, out: &mut dyn Write) -> Outcome {
        let subject = self.subject.as_deref();
        if self.collect {
            if let Some(id) = subject.filter(|id| checks::by_id(id).is_none()) {
                return Err(CliError::Message(format!("\"{id}\" is no check (see `actriage checks`)")));
            }
            out.write_all(render::explain(subject).as_bytes())?;
            return Ok(Exit::Good);
        }
        let subject = subject.unwrap_or_default();
        if let Some(check) = checks::by_id(subject) {
            explain_check(out, check)?;
            return Ok(Exit::Good);
        }
        let meanings = knowledge::explain(subject);
        if meanings.is_empty() {
            return Err(CliError::Message(format!(
                "\"{subject}\" is neither a check (see `actriage checks`) nor a known error code"
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
