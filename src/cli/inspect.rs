//! `actriage inspect BUNDLE`: what was recognised, and all that the readers see.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::{Common, Exit, Outcome, open, width};
use crate::artifact::collection::Collection;
use crate::artifact::event::EventFilter;
use crate::artifact::{Interest, Part};
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
        let mut redactor = open::redactor(&self.bundle, self.limits, common)?;
        redactor.learn_events(collection.pieces.iter().flat_map(|piece| match &piece.part {
            Part::Events(log) => log.events.as_slice(),
            _ => &[],
        }));
        let lines = &mut dump::Lines { out, redactor: &redactor };
        match self.dump {
            None => overview(lines, &collection)?,
            Some(dump::Kind::Artifacts) => dump::artifacts(lines, &collection.artifacts, &filter)?,
            Some(dump::Kind::Events) => dump::events(lines, &collection, &filter)?,
            Some(dump::Kind::Captures) => dump::captures(lines, &collection, &filter)?,
            Some(dump::Kind::Security) => dump::security(lines, &collection, &filter)?,
            Some(dump::Kind::Registry) => dump::registry(lines, collection, &filter)?,
        }
        open::write_map(common, &[(&self.bundle, &redactor)])?;
        Ok(Exit::Good)
    }
}

fn overview(lines: &mut dump::Lines<'_>, collection: &Collection) -> std::io::Result<()> {
    let mut table = Table::new();
    let width = u16::try_from(width()).unwrap_or(u16::MAX);
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.force_no_tty().set_header(["file", "kind", "bytes", "status", "reason"]);
    for artifact in &collection.artifacts {
        table.add_row([
            visible(&lines.redactor.text(&artifact.path)),
            artifact.kind.clone(),
            artifact.bytes.to_string(),
            format!("{:?}", artifact.status).to_lowercase(),
            visible(&lines.redactor.text(artifact.reason.as_deref().unwrap_or_default())),
        ]);
    }
    for line in table.lines() {
        writeln!(lines.out, "{}", line.trim_end())?;
    }
    Ok(())
}
