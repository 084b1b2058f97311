//! `inspect --dump`: everything that the readers see, as JSON Lines, before any check.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::json::harmless;
use super::model::ArtifactInfo;
use crate::artifact::collection::{Artifact, Collection};
use crate::artifact::event::Event;
use crate::artifact::{ArtifactId, Part};
use crate::evidence::{Evidence, Settings};
use crate::redact::Redactor;

/// What a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Files and what they are.
    Artifacts,
    /// Registry values.
    Registry,
    /// Security descriptors of keys.
    Security,
    /// Event records.
    Events,
    /// Command outputs.
    Captures,
}

/// Which rows are wanted; every part that is given must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of the mounted or the stored key path, any case.
    pub key: Option<String>,
    /// Channel, any case.
    pub channel: Option<String>,
    /// Provider, any case.
    pub provider: Option<String>,
    /// Event id.
    pub event_id: Option<u32>,
    /// Kind of a capture or of an artifact.
    pub kind: Option<String>,
}

/// Where the lines go, and what they are redacted by.
pub struct Lines<'o> {
    /// The stream.
    pub out: &'o mut dyn Write,
    /// Secrets are masked in any case; names only if it knows them.
    pub redactor: &'o Redactor,
}

impl Lines<'_> {
    /// One line.
    pub fn row(&mut self, row: Value) -> io::Result<()> {
        let line = harmless(self.redactor.row(row).to_string());
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }
}

fn matches(wanted: Option<&String>, found: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
}

/// The artifacts.
pub fn artifacts(out: &mut Lines<'_>, artifacts: &[Artifact], filter: &Filter) -> io::Result<()> {
    for artifact in artifacts.iter().filter(|artifact| matches(filter.kind.as_ref(), &artifact.kind)) {
        let info = ArtifactInfo::from(artifact);
        out.row(serde_json::to_value(info)?)?;
    }
    Ok(())
}

fn path(collection: &Collection, id: ArtifactId) -> &str {
    collection.artifact(id).map(|artifact| artifact.path.as_str()).unwrap_or_default()
}

/// The live events of all logs, in the order of the artifact.
pub fn events(out: &mut Lines<'_>, collection: &Collection, filter: &Filter) -> io::Result<()> {
    for piece in &collection.pieces {
        let Part::Events(log) = &piece.part else { continue };
        let artifact = path(collection, piece.artifact);
        for event in &log.events {
            let wanted = matches(filter.channel.as_ref(), &event.channel)
                && matches(filter.provider.as_ref(), &event.provider)
                && filter.event_id.is_none_or(|id| id == event.event_id);
            if wanted {
                out.row(event_row(artifact, event))?;
            }
        }
    }
    Ok(())
}

fn event_row(artifact: &str, event: &Event) -> Value {
    let mut data = Map::new();
    for field in event.data.iter() {
        // A name that comes twice keeps both values.
        let value = Value::from(field.value);
        match data.get_mut(field.name) {
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                data.insert(field.name.to_owned(), value);
            }
        }
    }
    json!({
        "artifact": artifact,
        "channel": &*event.channel,
        "provider": &*event.provider,
        "event_id": event.event_id,
        "qualifiers": event.qualifiers,
        "version": event.version,
        "level": event.level,
        "record_id": event.record_id,
        "time": event.time.to_precise(),
        "computer": &*event.computer,
        "user_sid": event.user_sid,
        "data": data,
        "user_data": event.user_data,
    })
}

/// The command outputs.
pub fn captures(out: &mut Lines<'_>, collection: &Collection, filter: &Filter) -> io::Result<()> {
    for piece in &collection.pieces {
        let Part::Capture(capture) = &piece.part else { continue };
        if !matches(filter.kind.as_ref(), capture.kind.name()) {
            continue;
        }
        let line = json!({
            "artifact": path(collection, piece.artifact),
            "line_from": capture.line_from,
            "line_to": capture.line_to,
            "kind": capture.kind.name(),
            "encoding": capture.encoding,
            "language": capture.language,
            "status": capture.status,
            "reason": capture.reason,
            "data": capture.data,
        });
        out.row(line)?;
    }
    Ok(())
}

/// All values of all hives and texts.
pub fn registry(out: &mut Lines<'_>, collection: Collection, filter: &Filter) -> io::Result<()> {
    let evidence = Evidence::build(collection, &Settings::default());
    let artifact =
        |id: ArtifactId| evidence.artifacts.get(id.0).map(|item| item.path.as_str()).unwrap_or_default();
    for line in evidence.registry.rows() {
        let wanted =
            filter.key.as_ref().is_none_or(|key| contains(&line.key, key) || contains(&line.hive_key, key));
        if wanted {
            out.row(line.to_json(artifact(line.artifact)))?;
        }
    }
    Ok(())
}

/// Security descriptors: those of the root keys, or of the keys that the filter names.
pub fn security(out: &mut Lines<'_>, collection: &Collection, filter: &Filter) -> io::Result<()> {
    for piece in &collection.pieces {
        let Part::Hive(hive) = &piece.part else { continue };
        let artifact = path(collection, piece.artifact);
        match &filter.key {
            None => {
                if let Ok(root) = hive.root() {
                    security_row(out, artifact, "", &root)?;
                }
            }
            Some(wanted) => {
                let mut walk = hive.walk();
                while let Some(key) = walk.next() {
                    if contains(walk.path(), wanted) {
                        security_row(out, artifact, walk.path(), &key)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn security_row(
    out: &mut Lines<'_>,
    artifact: &str,
    hive_key: &str,
    key: &crate::artifact::hive::Key<'_>,
) -> io::Result<()> {
    let Ok(descriptor) = key.security() else { return Ok(()) };
    let aces: Vec<Value> = descriptor
        .dacl
        .iter()
        .flatten()
        .map(|ace| json!({ "type": ace.kind, "flags": ace.flags, "mask": ace.mask, "sid": ace.sid.0 }))
        .collect();
    let line = json!({
        "artifact": artifact,
        "hive_key": hive_key,
        "owner": descriptor.owner.as_ref().map(|sid| &sid.0),
        "group": descriptor.group.as_ref().map(|sid| &sid.0),
        "sddl": descriptor.dacl_sddl(),
        "aces": aces,
    });
    out.row(line)
}

/// Whether a path contains the wanted part, without regard to case.
pub fn contains(path: &str, wanted: &str) -> bool {
    path.to_lowercase().contains(&wanted.to_lowercase())
}
