//! What is known of the machine, with where it is known from.
//!
//! Every answer is one of three: *found*, *absent* (something collected covers that place, and it is not there) or *unknown*
//! (nothing collected covers it, or what covers it could not be read). There is no way to get a plain value without its source,
//! so a finding cannot be made of anything else.

mod architecture;
pub mod captures;
pub mod events;
pub mod os;
pub mod questions;
pub mod registry;
pub mod users;
pub mod verify;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::artifact::collection::{Artifact, Collection};
use crate::artifact::identify::ReadStatus;
use crate::artifact::manifest::{Item, Manifest};
use crate::artifact::value::RegValue;
use crate::artifact::{ArtifactId, Part};
use crate::redact::secrets::Secret;
use crate::time::FileTime;
use captures::Captures;
use events::{Basis, Events, Span, Window};
use os::Os;
use registry::{Registry, Sources};
use users::Users;
use verify::Verification;

/// Where one observed value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The artifact.
    pub artifact: ArtifactId,
    /// `HKLM\SYSTEM\ControlSet001\Services\NlaSvc!Start`, `record 1234`, `line 17`, `manifest:item-id`.
    pub locator: String,
    /// When the value was written or the event happened, if the artifact says so.
    pub time: Option<FileTime>,
    /// Why the source deserves less trust (a dirty hive without its logs, two sources that disagree); each entry lowers
    /// confidence by one level.
    pub doubts: Vec<String>,
}

/// A value together with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub source: Source,
}

impl<T> Sourced<T> {
    /// The same source with another reading of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: f(self.value), source: self.source }
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is there.
    Found(Sourced<T>),
    /// It is not there, and this is what covers the place.
    Absent(Source),
    /// Nobody can say.
    Unknown(Unknown),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What would have answered it, in words ("SYSTEM hive").
    pub what: String,
    /// Why what is there does not answer it: `None` when it was simply not collected.
    pub reason: Option<String>,
}

/// How a reason begins that says no more than that nothing was collected for a place.
pub const NOTHING_COVERS: &str = "nothing collected covers";

impl Unknown {
    /// The reason, unless it only says that nothing was collected: that is what [`Self::what`] says already.
    pub fn special_reason(&self) -> Option<&str> {
        self.reason.as_deref().filter(|reason| !reason.starts_with(NOTHING_COVERS))
    }
}

impl<T> Lookup<T> {
    /// The found value, if any.
    pub fn found(&self) -> Option<&Sourced<T>> {
        match self {
            Self::Found(sourced) => Some(sourced),
            _ => None,
        }
    }

    /// Whether the answer is *absent*.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether there is no answer.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Another reading of the found value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(sourced) => Lookup::Found(sourced.map(f)),
            Self::Absent(source) => Lookup::Absent(source),
            Self::Unknown(unknown) => Lookup::Unknown(unknown),
        }
    }
}

impl Lookup<RegValue> {
    /// The same for a value that Windows reads as a number. One of another type is damage, not an answer.
    pub fn numeric(self, what: &str) -> Self {
        match self {
            Self::Found(value) if value.value.as_u32().is_none() => Self::Unknown(Unknown {
                what: what.to_owned(),
                reason: Some(format!("{} is no number: {}", value.source.locator, value.value.display())),
            }),
            answer => answer,
        }
    }
}

/// How sure a status is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Indirect, stale or contradicted.
    Low,
    /// Can fail, or one source of two.
    Medium,
    /// A recorded failure names the cause, or the configuration must fail.
    High,
}

impl Confidence {
    /// One level less.
    pub fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

/// Everything that is known of one machine.
#[derive(Debug)]
pub struct Evidence {
    /// The files of the bundle.
    pub artifacts: Vec<Artifact>,
    /// Hives and exports as one registry.
    pub registry: Registry,
    /// Event logs.
    pub events: Events,
    /// Command outputs.
    pub captures: Captures,
    /// The collector's manifest.
    pub manifest: Option<(ArtifactId, Manifest)>,
    /// The files against the manifest.
    pub verification: Verification,
    /// Which Windows it is.
    pub os: Os,
    /// The failure window; `None` when nothing in the bundle has a time.
    pub window: Option<Window>,
    /// Who cannot activate.
    pub users: Users,
    /// Secrets that stand in the text files.
    pub secrets: BTreeSet<Secret>,
}

/// What a person may set about a machine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Days before the collection in which a failure counts as current.
    pub window_days: u32,
    /// SID or name of the affected user.
    pub user: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { window_days: 7, user: None }
    }
}

impl Evidence {
    /// Puts the parts of a bundle together.
    pub fn build(collection: Collection, settings: &Settings) -> Self {
        let Collection { mut artifacts, pieces, secrets } = collection;
        let path =
            |id: ArtifactId| artifacts.get(id.0).map(|artifact| artifact.path.clone()).unwrap_or_default();
        let mut registry = Sources::default();
        let (mut logs, mut captures, mut manifest) = (Vec::new(), Vec::new(), None);
        for piece in pieces {
            let id = piece.artifact;
            match piece.part {
                Part::Hive(hive) => registry.add_hive(id, &path(id), *hive, piece.replay.as_ref()),
                Part::Registry(text) => registry.add_text(id, &path(id), text),
                Part::Events(log) => logs.push((id, path(id), log)),
                Part::Capture(capture) => captures.push((id, *capture)),
                Part::Manifest(found) => {
                    manifest.get_or_insert((id, *found));
                }
                Part::HiveLog(_) => {}
            }
        }
        let registry = registry.mount();
        let verification = manifest
            .as_ref()
            .map(|(id, manifest)| verify::verify(&mut artifacts, *id, manifest))
            .unwrap_or_default();
        let spans =
            manifest.as_ref().map(|(id, manifest)| log_spans(&artifacts, *id, manifest, &verification));
        let events = Events::new(logs).with_spans(spans.unwrap_or_default());
        let captures = Captures::new(captures);
        let os = Os::read(&registry, &captures, &events);
        let said = manifest.as_ref().map(|(_, manifest)| manifest);
        let window = window(said, &events, &registry, settings.window_days);
        let users = Users::choose(&registry, &events, window, said, settings.user.as_deref());
        Self { artifacts, registry, events, captures, manifest, verification, os, window, users, secrets }
    }

    /// The manifest as a source; the first artifact where there is none.
    pub fn manifest_source(&self) -> Source {
        let artifact = self.manifest.as_ref().map_or(ArtifactId(0), |(id, _)| *id);
        Source { artifact, locator: "manifest:collected_at".to_owned(), time: None, doubts: Vec::new() }
    }

    /// The latest time at which the collection can have ended, where a manifest says when it began: what is later than that has another
    /// clock (decision 15).
    pub fn collected_until(&self) -> Option<FileTime> {
        self.manifest.as_ref()?.1.over_by()
    }

    /// An item of the manifest.
    pub fn manifest_item(&self, id: &str) -> Option<(Source, &Item)> {
        let (artifact, manifest) = self.manifest.as_ref()?;
        let item = manifest.items.iter().find(|item| item.id.eq_ignore_ascii_case(id))?;
        let locator = format!("manifest:{}", item.id);
        Some((Source { artifact: *artifact, locator, time: None, doubts: Vec::new() }, item))
    }

    /// Whether a file of the bundle is there and empty. Paths of a manifest are relative to it.
    pub fn is_empty_file(&self, path: &str) -> bool {
        let path = path.replace('\\', "/");
        self.artifacts.iter().any(|artifact| artifact.bytes == 0 && artifact.path.ends_with(path.as_str()))
    }
}

/// What the manifest says that the logs cover. A log that was altered or could not be read in full speaks for itself only.
fn log_spans(
    artifacts: &[Artifact],
    id: ArtifactId,
    manifest: &Manifest,
    verification: &Verification,
) -> Vec<Span> {
    let folder = artifacts.get(id.0).map(|artifact| verify::folder_of(&artifact.path)).unwrap_or_default();
    let span = |item: &Item| {
        let (log, path) = (item.log.as_ref()?, item.path.as_ref()?);
        let path = format!("{folder}{path}");
        let at = artifacts.iter().position(|artifact| artifact.path == path)?;
        let whole =
            artifacts.get(at)?.status == ReadStatus::Read && !verification.altered.contains(&ArtifactId(at));
        let since = log.since().filter(|_| whole)?;
        Some(Span { artifact: ArtifactId(at), channel: log.channel.clone(), since })
    };
    manifest.items.iter().filter_map(span).collect()
}

/// The failure window (domain.md section 13, decision 15): it ends with the manifest's time, else with the newest record, else with the
/// newest registry write.
fn window(manifest: Option<&Manifest>, events: &Events, registry: &Registry, days: u32) -> Option<Window> {
    let (to, basis) = None
        .or_else(|| Some((manifest?.time()?, Basis::Manifest)))
        .or_else(|| Some((events.newest()?, Basis::NewestRecord)))
        .or_else(|| Some((registry.newest_write()?, Basis::NewestKey)))?;
    Some(Window { from: to.plus_seconds(-86_400 * i64::from(days)), to, basis })
}
