//! `actriage compare GOOD BAD`: differences of facts and findings between two bundles.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CliError, Common, Exit, Outcome, open, width};
use crate::checks;
use crate::diagnosis::{self, Verdict};
use crate::evidence::{Evidence, Settings};
use crate::redact;
use crate::report::comparison::{self, Comparison};
use crate::report::json::harmless;

/// Show what differs between a machine that works and one that does not.
#[derive(Debug, Args)]
pub struct Compare {
    /// The bundle of a machine that works.
    good: PathBuf,
    /// The bundle of a machine that does not.
    bad: PathBuf,
    /// Format of the result.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Also list what only one side could tell.
    #[arg(long)]
    all: bool,
    /// Days before the collection in which a failure counts as current.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    window: u32,
    #[command(flatten)]
    limits: open::LimitArgs,
}

/// Formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// One JSON object.
    Json,
}

impl Compare {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        let read = |path: &PathBuf| {
            common.say(|| format!("reading {}", path.display()));
            let (bundle, collection) = open::read(path, self.limits, checks::interest(), true)?;
            let settings = Settings { window_days: self.window, user: None };
            Ok::<_, CliError>((bundle, Evidence::build(collection, &settings)))
        };
        let (good, bad) = (read(&self.good)?, read(&self.bad)?);
        let (one, two) = (diagnosis::diagnose(&good.1), diagnosis::diagnose(&bad.1));
        let mut comparison = Comparison::new((&good.0, &one), (&bad.0, &two));
        let veil = |path: &PathBuf| open::redactor(path, self.limits, common);
        let (first, second) = (veil(&self.good)?, veil(&self.bad)?);
        redact::comparison(&mut comparison, &first, &second);
        open::write_map(common, &[(&self.good, &first), (&self.bad, &second)])?;
        match self.format {
            Format::Json => {
                let text = serde_json::to_string_pretty(&comparison)
                    .map_err(|error| CliError::Message(error.to_string()))?;
                writeln!(out, "{}", harmless(text))?;
            }
            Format::Terminal => write!(out, "{}", comparison::render(&comparison, width(), self.all))?,
        }
        let blocked = [one.verdict, two.verdict].contains(&Verdict::Blocked);
        Ok(if blocked { Exit::Blocked } else { Exit::Good })
    }
}
