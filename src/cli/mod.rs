//! The command line: one definition of every flag, one file a subcommand, exit codes in one place.

mod analyze;
mod checks;
mod collector;
mod compare;
mod completions;
mod explain;
mod facts;
mod inspect;
mod open;
mod output;
mod redact;
mod report;
mod rules;
mod serve;
mod timeline;
mod triage;
mod worker;

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Offline analyzer for evidence bundles from Windows machines on which Microsoft 365 Apps will not activate.
#[derive(Debug, Parser)]
#[command(name = "actriage", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Print results only.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Say on stderr what is being done.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Colours in terminal output (NO_COLOR is honoured).
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Replace names of people, computers, networks and tenants, SIDs and addresses by pseudonyms in every output.
    #[arg(long, global = true)]
    redact: bool,
    /// Write what each pseudonym stands for to a private file.
    #[arg(long, global = true, value_name = "PATH")]
    redact_map: Option<PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// In a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Diagnose one or several bundles.
    Analyze(analyze::Analyze),
    /// Show what was recognised in a bundle, and with --dump all that the readers see.
    Inspect(inspect::Inspect),
    /// Explain a check.
    Explain(explain::Explain),
    /// Show the decisive events around the failure in order.
    Timeline(timeline::Timeline),
    /// List every check.
    Checks(checks::Checks),
    /// Diagnose many bundles into a dataset.
    Triage(Box<triage::Triage>),
    /// Summarise a dataset of `triage`: causes, groups, outliers, unread bundles.
    Report(report::Report),
    /// Analyse one bundle into one line of JSON (for programs).
    #[command(hide = true)]
    Worker(worker::Worker),
    /// Show what differs between a machine that works and one that does not.
    Compare(compare::Compare),
    /// Print the facts of a machine as JSON.
    Facts(facts::FactsOf),
    /// Write a copy of a bundle that can be shared: its texts with pseudonyms, without its binary files.
    Redact(redact::Redact),
    /// Test the rules of a folder.
    Rules(rules::Rules),
    /// Print the PowerShell script that collects the evidence.
    Collector(collector::Collector),
    /// Open a local page to drop bundles on.
    Serve(serve::Serve),
    /// Print shell completions.
    Completions(completions::Completions),
}

/// What a command ended with (contract section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Analysed, no blocker.
    Good = 0,
    /// Analysed, at least one blocker.
    Blocked = 1,
    /// Could not analyse.
    Failed = 2,
}

/// A message that ends the command with [`Exit::Failed`].
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Writing the result failed.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    /// Anything else, already worded.
    #[error("{0}")]
    Message(String),
}

type Outcome = Result<Exit, CliError>;

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let stdout = io::stdout();
    let mut out = io::BufWriter::new(stdout.lock());
    let outcome = match &cli.command {
        Command::Analyze(command) => command.run(&cli.common, &mut out),
        Command::Inspect(command) => command.run(&cli.common, &mut out),
        Command::Explain(command) => command.run(&mut out),
        Command::Timeline(command) => command.run(&cli.common, &mut out),
        Command::Checks(command) => command.run(&mut out),
        Command::Triage(command) => command.run(&cli.common, &mut out),
        Command::Report(command) => command.run(&cli.common, &mut out),
        Command::Worker(command) => command.run(&cli.common, &mut out),
        Command::Compare(command) => command.run(&cli.common, &mut out),
        Command::Facts(command) => command.run(&cli.common, &mut out),
        Command::Redact(command) => command.run(&cli.common),
        Command::Rules(command) => command.run(&mut out),
        Command::Collector(command) => command.run(&mut out),
        Command::Serve(command) => command.run(&cli.common, &mut out),
        Command::Completions(command) => command.run(&mut out),
    };
    let outcome = outcome.and_then(|exit| out.flush().map(|()| exit).map_err(CliError::from));
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        // A reader that has seen enough (`| head`) is not an error.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("actriage: {error}");
            ExitCode::from(Exit::Failed as u8)
        }
    }
}

impl Common {
    /// Whether stdout gets colours.
    fn color(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// Says something on stderr when `-v` was given.
    fn say(&self, text: impl FnOnce() -> String) {
        if self.verbose > 0 && !self.quiet {
            eprintln!("actriage: {}", text());
        }
    }
}

/// Columns of the terminal; 100 where there is none.
fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}
