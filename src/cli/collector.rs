//! `actriage collector`: the script for the affected machine.

use std::io::Write;

use clap::Args;

use super::{Exit, Outcome};
use crate::collector::SCRIPT;

/// Print the PowerShell script that collects the evidence.
#[derive(Debug, Args)]
pub struct Collector {}

impl Collector {
    pub(super) fn run(&self, out: &mut dyn Write) -> Outcome {
        out.write_all(SCRIPT.as_bytes())?;
        Ok(Exit::Good)
    }
}
