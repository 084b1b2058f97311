//! `actriage report DIR`: what a dataset says of a fleet. Only in a build with the cargo feature `dataset`; any other one says how to get it.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Common, Outcome};

/// Summarise a dataset of `triage`: causes, groups, outliers, what was not collected, unread bundles.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "dataset"), allow(dead_code, reason = "the flags are the same in every build"))]
pub struct Report {
    /// Folder that `triage --out` wrote.
    dataset: PathBuf,
    /// The run [default: the latest].
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Compare with this run; `previous` is the one before.
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    /// Format of the result.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write the result to a file instead of stdout; with --format csv a folder, with one file a section.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Show every row.
    #[arg(long)]
    all: bool,
}

/// Formats of a fleet report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// One file that needs nothing else.
    Html,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

#[cfg(not(feature = "dataset"))]
impl Report {
    pub(super) fn run(&self, _: &Common, _: &mut dyn Write) -> Outcome {
        Err(super::CliError::Message(format!(
            "this build cannot make fleet reports; build one that can with: cargo build --release --features dataset. \
             It also makes the tables of what is in {} already",
            self.dataset.display()
        )))
    }
}

#[cfg(feature = "dataset")]
impl Report {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        use super::{CliError, Exit, width};
        use crate::dataset;
        use crate::fleet::{csv, html, sections::sections, terminal};

        let wrong = |error: dataset::DatasetError| CliError::Message(error.to_string());
        dataset::complete(&self.dataset)?;
        let run = dataset::aggregate::choose(&self.dataset, self.run.as_deref(), None).map_err(wrong)?;
        let against = self
            .against
            .as_deref()
            .map(|name| dataset::aggregate::choose(&self.dataset, Some(name), Some(&run)).map_err(wrong));
        let against = against.transpose()?;
        let report = dataset::aggregate::report(&self.dataset, &run, against.as_deref()).map_err(wrong)?;
        if let (Format::Csv, Some(folder)) = (self.format, &self.output) {
            std::fs::create_dir_all(folder)?;
            for section in sections(&report) {
                std::fs::write(folder.join(format!("{}.csv", section.id)), csv::render(&section))?;
            }
            return Ok(Exit::Good);
        }
        let text = match self.format {
            Format::Terminal => {
                let color = common.color() && self.output.is_none();
                terminal::render(&report, terminal::Options { width: width(), color, all: self.all })
            }
            Format::Html => html::render(&report),
            Format::Csv => csv::render_all(&sections(&report)),
            Format::Json => {
                let text = serde_json::to_string_pretty(&report);
                text.map_err(|error| CliError::Message(error.to_string()))? + "\n"
            }
        };
        match &self.output {
            Some(path) => std::fs::write(path, text)?,
            None => out.write_all(text.as_bytes())?,
        }
        Ok(Exit::Good)
    }
}
