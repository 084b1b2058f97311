//! `actriage timeline BUNDLE`: the decisive events around the failure in order.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CliError, Common, Exit, Outcome, open, width};
use crate::diagnosis::{self, timeline};
use crate::evidence::{Evidence, Settings};
use crate::report::json::harmless;
use crate::report::visible;

/// Show the decisive events around the failure in order.
#[derive(Debug, Args)]
pub struct Timeline {
    /// A zip, a folder or a single file.
    bundle: PathBuf,
    /// Format of the result.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Days before the collection.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    window: u32,
    /// Everything that the logs hold, whatever its age.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    limits: open::LimitArgs,
}

/// Formats of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// JSON Lines.
    Json,
}

impl Timeline {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        common.say(|| format!("reading {}", self.bundle.display()));
        let (_, collection) = open::read(&self.bundle, self.limits, diagnosis::interest(), true)?;
        let settings = Settings { window_days: self.window, user: None };
        let evidence = Evidence::build(collection, &settings);
        let window = evidence.window.filter(|_| !self.all);
        let mut moments = timeline::moments(&evidence, window);
        let redactor = open::redactor(&self.bundle, self.limits, common)?;
        moments.iter_mut().for_each(|moment| redactor.moment(moment));
        open::write_map(common, &[(&self.bundle, &redactor)])?;
        match self.format {
            Format::Json => {
                for moment in &moments {
                    let line = serde_json::to_string(moment)
                        .map_err(|error| CliError::Message(error.to_string()))?;
                    writeln!(out, "{}", harmless(line))?;
                }
            }
            Format::Terminal => {
                if let Some(window) = window {
                    writeln!(out, "{} to {}: {} decisive event(s)", window.from, window.to, moments.len())?;
                }
                for moment in &moments {
                    let line =
                        format!("{}  {} [{} {}]", moment.time, moment.what, moment.artifact, moment.locator);
                    let options =
                        textwrap::Options::new(width().max(40)).subsequent_indent("                      ");
                    for line in textwrap::wrap(&visible(&line), options) {
                        writeln!(out, "{line}")?;
                    }
                }
            }
        }
        Ok(Exit::Good)
    }
}
