//! Where reports go: a format and a place, fed with one report after the other, so that a thousand bundles need no more memory than one.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use super::{CliError, width};
use crate::report::model::Report;
use crate::report::{csv, html, json, junit, markdown, terminal};

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// The contract's JSON; one object a line for several bundles.
    Json,
    /// For the note of a case.
    Markdown,
    /// One file that any browser shows, without a network.
    Html,
    /// One row a check and piece of evidence.
    Csv,
    /// For gates: a blocker is a failure, what could not be told is skipped.
    Junit,
}

/// `FORMAT=PATH`.
#[derive(Clone, Debug)]
pub struct Target {
    /// The format.
    pub format: Format,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH")?;
        let format = Format::from_str(format, true)?;
        Ok(Self { format, path: path.into() })
    }
}

/// A place that reports of one format go to.
pub struct Sink<'o> {
    format: Format,
    out: Box<dyn Write + 'o>,
    written: usize,
    several: bool,
    terminal: terminal::Options,
    junit: junit::Options,
}

impl<'o> Sink<'o> {
    /// A place for one report, without colours.
    pub fn new(format: Format, out: Box<dyn Write + 'o>) -> Self {
        let terminal = terminal::Options { width: width(), color: false, all: false };
        Self { format, out, written: 0, several: false, terminal, junit: junit::Options::default() }
    }

    /// A file, made anew.
    pub fn file(format: Format, path: &Path) -> Result<Self, CliError> {
        let file = fs::File::create(path)
            .map_err(|error| CliError::Message(format!("{}: {error}", path.display())))?;
        Ok(Self::new(format, Box::new(BufWriter::new(file))))
    }

    /// Whether the terminal format is coloured.
    pub fn color(mut self, color: bool) -> Self {
        self.terminal.color = color;
        self
    }

    /// Whether the terminal format shows every check; the others always do.
    pub fn all(mut self, all: bool) -> Self {
        self.terminal.all = all;
        self
    }

    /// What fails in JUnit.
    pub fn junit(mut self, junit: junit::Options) -> Self {
        self.junit = junit;
        self
    }

    /// Whether reports on several bundles were asked for.
    pub fn several(mut self, several: bool) -> Self {
        self.several = several;
        self
    }

    /// Writes a report.
    pub fn put(&mut self, report: &Report) -> Result<(), CliError> {
        if self.written == 0 {
            self.begin(report)?;
        }
        self.written += 1;
        let text = match self.format {
            Format::Json => {
                let text = json::render(report, self.several);
                text.map_err(|error| CliError::Message(error.to_string()))? + "\n"
            }
            Format::Terminal => {
                if self.several {
                    writeln!(self.out, "── {}", report.bundle.path)?;
                }
                terminal::render(report, self.terminal)
            }
            Format::Markdown => {
                let rule = if self.written > 1 { "\n---\n\n" } else { "" };
                format!("{rule}{}", markdown::render(report))
            }
            Format::Html => html::article(report, if self.several { self.written } else { 0 }),
            Format::Csv => csv::rows(report),
            Format::Junit => junit::suite(report, self.junit),
        };
        self.out.write_all(text.as_bytes())?;
        Ok(())
    }

    fn begin(&mut self, report: &Report) -> Result<(), CliError> {
        let text = match self.format {
            Format::Html if self.several => html::head("Reports"),
            Format::Html => html::head(&html::title(report)),
            Format::Csv => csv::head(),
            Format::Junit => junit::head().to_owned(),
            Format::Terminal | Format::Json | Format::Markdown => String::new(),
        };
        self.out.write_all(text.as_bytes())?;
        Ok(())
    }

    /// Writes the end. A place that was given no report stays empty: that is not a report without findings.
    pub fn finish(mut self) -> Result<(), CliError> {
        let text = match self.format {
            Format::Html => html::foot(),
            Format::Junit => junit::foot(),
            Format::Csv | Format::Terminal | Format::Json | Format::Markdown => "",
        };
        if self.written > 0 {
            self.out.write_all(text.as_bytes())?;
        }
        self.out.flush()?;
        Ok(())
    }
}
