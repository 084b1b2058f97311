//! All artifacts of a bundle, read once and in parallel.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rayon::prelude::*;

use super::hive::log::{HiveLog, Replay};
use super::hive::{Hive, HiveKind};
use super::identify::{self, Decoded, ReadStatus};
use super::{ArtifactId, Interest, Part};
use crate::bundle::{self, Bundle, Content, Entry};
use crate::redact::secrets::{self, Secret};

/// One file of the bundle and what became of it.
#[derive(Debug)]
pub struct Artifact {
    /// Label: its path in the bundle.
    pub path: String,
    /// What it is.
    pub kind: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 in hex; `None` when it could not be read.
    pub sha256: Option<String>,
    /// How much of it could be used.
    pub status: ReadStatus,
    /// Why it is not `read`.
    pub reason: Option<String>,
}

/// A decoded part and the file that it stands in.
#[derive(Debug)]
pub struct Piece {
    /// The file.
    pub artifact: ArtifactId,
    /// What it holds.
    pub part: Part,
    /// What a replay of transaction logs did to this hive; `None` when it had no logs.
    pub replay: Option<Replay>,
}

/// Everything that was read out of a bundle.
#[derive(Debug, Default)]
pub struct Collection {
    /// One entry for every file, in the order of the bundle.
    pub artifacts: Vec<Artifact>,
    /// The decoded parts, in the same order.
    pub pieces: Vec<Piece>,
    /// Secrets that stand in the text files.
    pub secrets: BTreeSet<Secret>,
}

/// How a collection is read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What the checks want to see.
    pub interest: Interest,
    /// Apply transaction logs to their hives.
    pub replay: bool,
    /// Compute the SHA-256 of every file.
    pub hashes: bool,
}

impl Collection {
    /// Reads every file of a bundle.
    pub fn read(bundle: &Bundle, reading: &Reading) -> Self {
        // The hash of the bundle is worked out meanwhile, if there is a thread for it.
        let (loaded, _) = rayon::join(|| load_all(bundle, &bundle.entries, reading), || bundle.sha256());
        let mut collection = Self::default();
        let (mut parts, mut logs) = (Vec::new(), Vec::new());
        for item in loaded {
            let artifact = ArtifactId(collection.artifacts.len());
            collection.artifacts.push(item.artifact);
            collection.secrets.extend(item.secrets);
            for part in item.parts {
                match part {
                    Part::HiveLog(log) => logs.push(Some((artifact, *log))),
                    part => parts.push((artifact, part)),
                }
            }
        }
        for (artifact, part) in parts {
            let piece = match part {
                Part::Hive(hive) if reading.replay => collection.replayed(artifact, *hive, &mut logs),
                part => Piece { artifact, part, replay: None },
            };
            collection.pieces.push(piece);
        }
        if reading.replay {
            collection.note_orphans(logs);
        }
        collection
    }

    /// The artifact of an id.
    pub fn artifact(&self, id: ArtifactId) -> Option<&Artifact> {
        self.artifacts.get(id.0)
    }

    /// A hive with the logs that belong to it applied.
    fn replayed(
        &mut self,
        artifact: ArtifactId,
        hive: Hive,
        logs: &mut [Option<(ArtifactId, HiveLog)>],
    ) -> Piece {
        let path =
            |id: ArtifactId| self.artifact(id).map(|artifact| artifact.path.as_str()).unwrap_or_default();
        let mut own = Vec::new();
        for slot in logs {
            let belongs =
                |(id, log): &(ArtifactId, HiveLog)| belongs_together(path(artifact), &hive, path(*id), log);
            if slot.as_ref().is_some_and(belongs)
                && let Some((_, log)) = slot.take()
            {
                own.push(log);
            }
        }
        if own.is_empty() {
            return Piece { artifact, part: Part::Hive(Box::new(hive)), replay: None };
        }
        let (hive, replay) = hive.replay(&own);
        if let Some(entry) = self.artifacts.get_mut(artifact.0) {
            identify::hive_kind(hive.kind()).clone_into(&mut entry.kind);
        }
        Piece { artifact, part: Part::Hive(Box::new(hive)), replay: Some(replay) }
    }

    fn note_orphans(&mut self, logs: Vec<Option<(ArtifactId, HiveLog)>>) {
        for (id, _) in logs.into_iter().flatten() {
            if let Some(artifact) = self.artifacts.get_mut(id.0) {
                artifact.reason = Some("no hive in the bundle belongs to this transaction log".to_owned());
            }
        }
    }
}

/// A log belongs to the hive that it is named after and lies beside; when names are lost, to the hive whose own file name it
/// repeats.
fn belongs_together(hive_path: &str, hive: &Hive, log_path: &str, log: &HiveLog) -> bool {
    let hive_path = hive_path.to_lowercase();
    let log_path = log_path.to_lowercase();
    if let Some(ending) = log_path.strip_prefix(&hive_path) {
        return matches!(ending, ".log" | ".log1" | ".log2");
    }
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default();
    let named_after_another = [".log", ".log1", ".log2"].iter().any(|ending| log_path.ends_with(ending));
    if named_after_another || folder(&hive_path) != folder(&log_path) || hive.kind() == HiveKind::Other {
        return false;
    }
    let wanted = log.hive_name().to_lowercase();
    !wanted.is_empty() && hive.base_block().base_name().to_lowercase() == wanted
}

struct Loaded {
    artifact: Artifact,
    parts: Vec<Part>,
    secrets: BTreeSet<Secret>,
}

/// Bytes that may be unpacked before the archives among them are opened. Archives wait for their turn in memory.
const BATCH: u64 = 256 << 20;

/// Loads files. They come back in their order, the members of an archive at its place.
fn load_all(bundle: &Bundle, entries: &[Entry], reading: &Reading) -> Vec<Loaded> {
    let mut all = Vec::with_capacity(entries.len());
    let mut rest = entries;
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let fits = rest.iter().take_while(|entry| {
            bytes = bytes.saturating_add(entry.size);
            bytes <= BATCH
        });
        // One that is larger than a batch makes a batch of its own.
        let (batch, behind) = rest.split_at_checked(fits.count().max(1)).unwrap_or((rest, &[]));
        all.extend(load_batch(bundle, batch, reading));
        rest = behind;
    }
    all
}

/// Loads files in parallel, the largest first, so that no thread is left with a large one at the end. Then the archives among them are
/// opened, one after the other, so that a bound always stops the same of them.
fn load_batch(bundle: &Bundle, entries: &[Entry], reading: &Reading) -> Vec<Loaded> {
    let mut order: Vec<(usize, &Entry)> = entries.iter().enumerate().collect();
    order.sort_by_key(|(_, entry)| Reverse(entry.size));
    let load = |(place, entry): &(usize, &Entry)| (*place, load(bundle, entry, reading));
    let mut loaded: Vec<(usize, LoadedEntry)> = order.par_iter().with_max_len(1).map(load).collect();
    loaded.sort_by_key(|(place, _)| *place);
    let mut all = Vec::with_capacity(loaded.len());
    for ((_, loaded), entry) in loaded.into_iter().zip(entries) {
        match loaded {
            LoadedEntry::File(loaded) => all.push(loaded),
            LoadedEntry::Archive(members) if members.is_empty() => {
                all.push(unreadable(entry, "archive", "the archive holds no files".to_owned()));
            }
            LoadedEntry::Archive(mut members) => match bundle.admit(&mut members) {
                Ok(()) => all.extend(load_all(bundle, &members, reading)),
                Err(limit) => all.push(unreadable(entry, "archive", limit.to_string())),
            },
        }
    }
    all
}

/// What an entry turned out to be.
enum LoadedEntry {
    File(Loaded),
    /// An archive with these members.
    Archive(Vec<Entry>),
}

fn unreadable(entry: &Entry, kind: &str, reason: String) -> Loaded {
    Loaded {
        artifact: Artifact {
            path: entry.path.clone(),
            kind: kind.to_owned(),
            bytes: entry.size,
            sha256: None,
            status: ReadStatus::Unreadable,
            reason: Some(reason),
        },
        parts: Vec::new(),
        secrets: BTreeSet::new(),
    }
}

fn load(bundle: &Bundle, entry: &Entry, reading: &Reading) -> LoadedEntry {
    match bundle.read(entry) {
        Content::Unreadable(reason) => LoadedEntry::File(unreadable(entry, "unknown", reason)),
        Content::Nested(members) => LoadedEntry::Archive(members),
        Content::Bytes(bytes) => {
            let sha256 = reading.hashes.then(|| bundle::sha256(&bytes));
            let size = bytes.len() as u64;
            let mut secrets = BTreeSet::new();
            if let Some(text) = identify::as_text(&bytes) {
                secrets::mask(text.as_str(), &mut secrets);
            }
            let Decoded { kind, status, reason, parts } =
                identify::decode_at(&entry.path, bytes, &reading.interest);
            let path = entry.path.clone();
            let artifact = Artifact { path, kind, bytes: size, sha256, status, reason };
            LoadedEntry::File(Loaded { artifact, parts, secrets })
        }
    }
}
