//! `actriage analyze BUNDLE…`: diagnose.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{Format, Sink, Target};
use super::{CliError, Common, Exit, Outcome, open};
use crate::diagnosis::{self, Verdict};
use crate::evidence::{Evidence, Settings};
use crate::redact::Redactor;
use crate::report::junit;
use crate::report::model::Report;
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
    /// Write a further report (`html=report.html`); may be given several times.
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Target>,
    /// Show every check and every observation.
    #[arg(long)]
    all: bool,
    /// In JUnit, warnings are failures as well. The exit code stays what it is.
    #[arg(long)]
    junit_warnings_fail: bool,
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

impl Analyze {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        let mut analysed = 0_usize;
        let mut blocked = false;
        let mut redactors: Vec<(&Path, Redactor)> = Vec::new();
        let rules = self.rules.as_deref().map(super::rules::load).transpose()?;
        let mut sinks = self.sinks(common, out)?;
        for path in &self.bundles {
            common.say(|| format!("reading {}", path.display()));
            let analysis = open::redactor(path, self.limits, common)
                .and_then(|mut redactor| Ok((self.analyze(path, rules.as_ref(), &mut redactor)?, redactor)));
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
            for sink in &mut sinks {
                sink.put(&report)?;
            }
        }
        for sink in sinks {
            sink.finish()?;
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

    /// Where the reports go: to `--output` or stdout, and to every `--report`.
    fn sinks<'o>(&self, common: &Common, out: &'o mut dyn Write) -> Result<Vec<Sink<'o>>, CliError> {
        let several = self.bundles.len() > 1;
        let first = match &self.output {
            Some(path) => Sink::file(self.format, path)?,
            None => Sink::new(self.format, Box::new(out)).color(common.color()),
        };
        let set = |sink: Sink<'o>| {
            sink.several(several)
                .all(self.all)
                .junit(junit::Options { warnings_fail: self.junit_warnings_fail })
        };
        let mut sinks = vec![set(first)];
        for target in &self.report {
            sinks.push(set(Sink::file(target.format, &target.path)?));
        }
        Ok(sinks)
    }

    fn analyze(
        &self,
        path: &Path,
        rules: Option<&RuleSet>,
        redactor: &mut Redactor,
    ) -> Result<Report, CliError> {
        let mut interest = diagnosis::interest();
        if let Some(rules) = rules {
            rules.add_interest(&mut interest);
        }
        let (bundle, collection) = open::read(path, self.limits, interest, true)?;
        let evidence =
            Evidence::build(collection, &Settings { window_days: self.window, user: self.user.clone() });
        let diagnosis = diagnosis::diagnose_with(&evidence, rules);
        let mut report = Report::new(&bundle, &diagnosis);
        if rules.is_some() {
            // Rules may quote events that nothing else reads.
            redactor.learn_events(evidence.events.iter());
        }
        redactor.report(&mut report);
        Ok(report)
    }
}
