//! `actriage rules test DIR`: the cases that stand in rule files; and the loading of rules for the other commands.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{CliError, Exit, Outcome};
use crate::report::visible;
use crate::rules::{RuleSet, cases};

/// Work with rules of your own (see docs/rules.md).
#[derive(Debug, Args)]
pub struct Rules {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the rules of a folder and run the cases that stand in them; exit code 1 when one fails.
    Test {
        /// Folder with the rules (*.yaml).
        folder: PathBuf,
    },
}

impl Rules {
    pub(super) fn run(&self, out: &mut dyn Write) -> Outcome {
        match &self.command {
            Command::Test { folder } => test(out, folder),
        }
    }
}

/// Reads the rules of a folder; all faults become one message, a line each.
pub(super) fn load(folder: &Path) -> Result<RuleSet, CliError> {
    RuleSet::load(folder).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| visible(&fault.to_string())).collect();
        CliError::Message(lines.join("\nactriage: "))
    })
}

fn test(out: &mut dyn Write, folder: &Path) -> Outcome {
    let set = load(folder)?;
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for rule in set.rules() {
        let results = cases::run(rule);
        if results.is_empty() {
            writeln!(out, "none {}: the rule {} has no cases", visible(&rule.path), rule.id)?;
        }
        for result in results {
            if result.passed() {
                passed += 1;
                writeln!(out, "ok   {}: {}", rule.id, visible(&result.name))?;
                continue;
            }
            failed += 1;
            let (expected, found) = (result.expected.name(), result.outcome.status.name());
            let place = format!("{}:{}", rule.path, result.line);
            writeln!(out, "FAIL {}: {}", rule.id, visible(&result.name))?;
            writeln!(
                out,
                "     {}: expected {expected}, found {found}: {}",
                visible(&place),
                visible(&result.outcome.summary)
            )?;
        }
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { Exit::Good } else { Exit::Blocked })
}
