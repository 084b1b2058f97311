//! `actriage analyze BUNDLE…`: diagnose.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::{CliError, Common, Exit, Outcome, open, width};
use crate::checks;
use crate::diagnosis::{self, Verdict};
use crate::evidence::{Evidence, Settings};
use crate::redact::Redactor;
use crate::report::model::Report;
use crate::report::{json, terminal};
use crate::rules::RuleSet;

/// Diagnose one or several bundles.
#[derive(Debug, Args)]
pub struct Analyze {
    /// A zip, a folder or a single file.
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Format of the result.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Write the result to a file instead of stdout.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write a further report (`json=report.json`); may be given several times.
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Target>,
    /// Show every check and every observation.
    #[arg(long)]
    all: bool,
    /// Days before the collection in which a failure counts as current.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    window: u32,
    /// The affected user, by SID or by the name of the profile.
    #[arg(long, value_name = "SID|NAME")]
    user: Option<String>,
    /// Also judge by the rules of a folder (see docs/rules.md).
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    limits: open::LimitArgs,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Terminal,
    /// The contract's JSON; one object a line for several bundles.
    Json,
}

/// A file to write a report to.
type Sink = (Format, Box<dyn Write>);

/// `FORMAT=PATH`.
#[derive(Clone, Debug)]
struct Target {
    format: Format,
    path: PathBuf,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH")?;
        let format = Format::from_str(format, true)?;
        Ok(Self { format, path: path.into() })
    }
}

impl Analyze {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        let mut analysed = 0_usize;
        let mut blocked = false;
        let mut redactors: Vec<(&Path, Redactor)> = Vec::new();
        let rules = self.rules.as_deref().map(super::rules::load).transpose()?;
        let mut files = self.open_targets()?;
        for path in &self.bundles {
            common.say(|| format!("reading {}", path.display()));
            let analysis = open::redactor(path, self.limits, common)
                .and_then(|redactor| Ok((self.analyze(path, rules.as_ref(), &redactor)?, redactor)));
            let (report, redactor) = match analysis {
                Ok(pair) => pair,
                Err(error) if self.bundles.len() > 1 => {
                    eprintln!("actriage: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            redactors.push((path.as_path(), redactor));
            analysed += 1;
            blocked |= report.verdict.outcome == Verdict::Blocked;
            for (format, file) in &mut files {
                self.write(&report, *format, file.as_mut(), common)?;
            }
            if self.output.is_none() {
                self.write(&report, self.format, out, common)?;
            }
        }
        for (_, file) in &mut files {
            file.flush()?;
        }
        let maps: Vec<(&Path, &Redactor)> =
            redactors.iter().map(|(path, redactor)| (*path, redactor)).collect();
        open::write_map(common, &maps)?;
        Ok(match (analysed, blocked) {
            (0, _) => Exit::Failed,
            (_, true) => Exit::Blocked,
            _ => Exit::Good,
        })
    }

    fn open_targets(&self) -> Result<Vec<Sink>, CliError> {
        let main = self.output.iter().map(|path| (self.format, path));
        let more = self.report.iter().map(|target| (target.format, &target.path));
        let mut files: Vec<Sink> = Vec::new();
        for (format, path) in main.chain(more) {
            let file = fs::File::create(path)
                .map_err(|error| CliError::Message(format!("{}: {error}", path.display())))?;
            files.push((format, Box::new(std::io::BufWriter::new(file))));
        }
        Ok(files)
    }

    fn analyze(&self, path: &Path, rules: Option<&RuleSet>, redactor: &Redactor) -> Result<Report, CliError> {
        let mut interest = checks::interest();
        if let Some(rules) = rules {
            rules.add_interest(&mut interest);
        }
        let (bundle, collection) = open::read(path, self.limits, interest, true)?;
        let evidence =
            Evidence::build(collection, &Settings { window_days: self.window, user: self.user.clone() });
        let diagnosis = diagnosis::diagnose_with(&evidence, rules);
        let mut report = Report::new(&bundle, &diagnosis);
        redactor.report(&mut report);
        Ok(report)
    }

    fn write(
        &self,
        report: &Report,
        format: Format,
        out: &mut dyn Write,
        common: &Common,
    ) -> Result<(), CliError> {
        match format {
            Format::Json => {
                let text = json::render(report, self.bundles.len() > 1)
                    .map_err(|error| CliError::Message(error.to_string()))?;
                writeln!(out, "{text}")?;
            }
            Format::Terminal => {
                let to_file = self.output.is_some();
                let options =
                    terminal::Options { width: width(), color: common.color() && !to_file, all: self.all };
                if self.bundles.len() > 1 {
                    writeln!(out, "── {}", report.bundle.path)?;
                }
                write!(out, "{}", terminal::render(report, options))?;
            }
        }
        Ok(())
    }
}
