//! `actriage inspect BUNDLE`: what was recognised, and all that the readers see.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::{Common, Exit, Outcome, open, width};
use crate::artifact::Interest;
use crate::artifact::collection::Collection;
use crate::artifact::event::EventFilter;
use crate::report::{dump, visible};

/// Show what was recognised in a bundle, and with --dump all that the readers see.
#[derive(Debug, Args)]
pub struct Inspect {
    /// A zip, a folder or a single file.
    bundle: PathBuf,
    /// Write JSON Lines of everything that was found, before any check.
    #[arg(long, value_enum, value_name = "WHAT")]
    dump: Option<dump::Kind>,
    /// Registry and security: only keys whose path contains this.
    #[arg(long)]
    key: Option<String>,
    /// Events: only this channel.
    #[arg(long)]
    channel: Option<String>,
    /// Events: only this provider.
    #[arg(long)]
    provider: Option<String>,
    /// Events: only this id.
    #[arg(long)]
    event_id: Option<u32>,
    /// Captures and artifacts: only this kind.
    #[arg(long)]
    kind: Option<String>,
    /// Read hives as they are stored, without their transaction logs.
    #[arg(long)]
    no_replay: bool,
    #[command(flatten)]
    limits: open::LimitArgs,
}

impl Inspect {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        common.say(|| format!("reading {}", self.bundle.display()));
        let events = match self.dump {
            Some(dump::Kind::Events) => EventFilter::everything(),
            _ => EventFilter::default(),
        };
        let (_, collection) = open::read(&self.bundle, self.limits, Interest { events }, !self.no_replay)?;
        let filter = dump::Filter {
            key: self.key.clone(),
            channel: self.channel.clone(),
            provider: self.provider.clone(),
            event_id: self.event_id,
            kind: self.kind.clone(),
        };
        match self.dump {
            None => overview(out, &collection)?,
            Some(dump::Kind::Artifacts) => dump::artifacts(out, &collection.artifacts, &filter)?,
            Some(dump::Kind::Events) => dump::events(out, &collection, &filter)?,
            Some(dump::Kind::Captures) => dump::captures(out, &collection, &filter)?,
            Some(dump::Kind::Security) => dump::security(out, &collection, &filter)?,
            Some(dump::Kind::Registry) => dump::registry(out, collection, &filter)?,
        }
        Ok(Exit::Good)
    }
}

fn overview(out: &mut dyn Write, collection: &Collection) -> std::io::Result<()> {
    let mut table = Table::new();
    let width = u16::try_from(width()).unwrap_or(u16::MAX);
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.force_no_tty().set_header(["file", "kind", "bytes", "status", "reason"]);
    for artifact in &collection.artifacts {
        table.add_row([
            visible(&artifact.path),
            artifact.kind.clone(),
            artifact.bytes.to_string(),
            format!("{:?}", artifact.status).to_lowercase(),
            visible(artifact.reason.as_deref().unwrap_or_default()),
        ]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
