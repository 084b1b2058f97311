//! `actriage facts BUNDLE`: the facts that rules can name.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, Common, Exit, Outcome, open};
use crate::checks;
use crate::checks::case::Case;
use crate::evidence::{Evidence, Settings};
use crate::facts::Facts;
use crate::report::json::harmless;

/// Print the facts of a machine as JSON, sorted by name: what rules can name and what `compare` compares.
#[derive(Debug, Args)]
pub struct FactsOf {
    /// A zip, a folder or a single file.
    bundle: PathBuf,
    /// Days before the collection in which a failure counts as current.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    window: u32,
    /// The affected user, by SID or by the name of the profile.
    #[arg(long, value_name = "SID|NAME")]
    user: Option<String>,
    #[command(flatten)]
    limits: open::LimitArgs,
}

impl FactsOf {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        common.say(|| format!("reading {}", self.bundle.display()));
        let (bundle, collection) = open::read(&self.bundle, self.limits, checks::interest(), true)?;
        let settings = Settings { window_days: self.window, user: self.user.clone() };
        let evidence = Evidence::build(collection, &settings);
        let facts = Facts::of(&Case::new(&evidence));
        let redactor = open::redactor(&self.bundle, self.limits, common)?;
        let document = serde_json::json!({
            "schema": "actriage.facts/1",
            "bundle": redactor.path(&bundle.path),
            "facts": redactor.facts(facts.to_json(&evidence)),
        });
        let text =
            serde_json::to_string_pretty(&document).map_err(|error| CliError::Message(error.to_string()))?;
        writeln!(out, "{}", harmless(text))?;
        open::write_map(common, &[(&self.bundle, &redactor)])?;
        Ok(Exit::Good)
    }
}
