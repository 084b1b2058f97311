//! A binary hive as a source: where it is mounted, and what it says of a place.

use super::answer::{Answer, SourceKind, Standing, State};
use super::path::{ancestors, below, join};
use super::{KeyInfo, Listing};
use crate::artifact::ArtifactId;
use crate::artifact::hive::log::Replay;
use crate::artifact::hive::{Hive, HiveError, Key};
use crate::artifact::security::SecurityDescriptor;
use crate::artifact::value::RegValue;
use crate::time::FileTime;

/// Folders that hold copies of an older state, in lower case.
const BACKUP_FOLDERS: [&str; 6] =
    ["regback", "repair", "windows.old", "$windows.~bt", "system volume information", "restore"];

/// A hive in the view.
#[derive(Debug)]
pub(super) struct HiveSource {
    pub standing: Standing,
    pub hive: Hive,
    /// Its live place, `HKLM\SYSTEM`; empty when it is not mounted.
    pub place: String,
    /// Another hive has its place, or it is of another machine.
    pub left_out: bool,
    /// When the hive was last written.
    pub last_written: FileTime,
}

impl HiveSource {
    pub fn new(artifact: ArtifactId, path: &str, hive: Hive, replay: Option<&Replay>) -> Self {
        let mut doubts = Vec::new();
        let replayed_clean = replay.is_none_or(|replay| replay.clean);
        if hive.is_dirty() || !replayed_clean {
            doubts.push(match replay {
                None => format!(
                    "{path} was not closed cleanly and its transaction logs were not collected: recent writes may be missing"
                ),
                Some(replay) => format!(
                    "{path} was not closed cleanly and its transaction logs do not make up for it ({}): recent writes may be \
                     missing",
                    replay.summary
                ),
            });
        }
        let current = doubts.is_empty() && !is_backup(path);
        let last_written = hive.base_block().last_written;
        let kind = SourceKind::Hive { current };
        let standing = Standing { artifact, path: path.to_owned(), kind, doubts };
        Self { standing, hive, place: String::new(), left_out: false, last_written }
    }

    /// The key at a path below the root; the root for the empty path.
    pub fn find(&self, rest: &str) -> Result<Option<Key<'_>>, HiveError> {
        self.hive.key(rest)
    }

    /// When the place was last written, or the nearest key above it that exists.
    fn time(&self, rest: &str) -> Option<FileTime> {
        let near = ancestors(rest).find_map(|path| self.find(path).ok().flatten());
        near.or_else(|| self.hive.root().ok()).map(|key| key.last_written())
    }

    fn ask<T>(&self, rest: &str, locator: String, read: impl FnOnce(Key<'_>) -> State<T>) -> Answer<T> {
        match self.find(rest) {
            Err(error) => Answer::new(State::Unreadable(error.to_string()), locator, None),
            Ok(None) => Answer::new(State::Absent, locator, self.time(rest)),
            Ok(Some(key)) => Answer::new(read(key), locator, Some(key.last_written())),
        }
    }

    fn locator(&self, rest: &str) -> String {
        join(&self.place, rest)
    }

    pub fn value(&self, rest: &str, name: &str) -> Answer<RegValue> {
        self.ask(rest, format!("{}!{name}", self.locator(rest)), |key| match key.value(name) {
            Err(error) => State::Unreadable(error.to_string()),
            Ok(None) => State::Absent,
            Ok(Some(value)) if value.truncated => {
                State::Unreadable("only a part of the data could be read".to_owned())
            }
            Ok(Some(value)) => State::Found(value),
        })
    }

    pub fn key(&self, rest: &str) -> Answer<KeyInfo> {
        self.ask(rest, self.locator(rest), |key| {
            State::Found(KeyInfo { last_written: Some(key.last_written()), class_name: key.class_name() })
        })
    }

    pub fn values(&self, rest: &str) -> Answer<Listing<RegValue>> {
        self.ask(rest, self.locator(rest), |key| {
            let values = key.values().map(|value| value.map(|value| value.to_reg_value()));
            State::Found(Listing::gather(values))
        })
    }

    pub fn subkeys(&self, rest: &str) -> Answer<Listing<String>> {
        self.ask(rest, self.locator(rest), |key| {
            let names = key.subkeys().map(|key| key.map(|key| key.name().into_owned()));
            State::Found(Listing::gather(names))
        })
    }

    pub fn security(&self, rest: &str) -> Answer<SecurityDescriptor> {
        self.ask(rest, self.locator(rest), |key| match key.security() {
            Ok(descriptor) => State::Found(descriptor),
            Err(error) => State::Unreadable(error.to_string()),
        })
    }

    /// Whether a place lies in this hive.
    pub fn covers(&self, path: &str) -> bool {
        !self.place.is_empty() && below(path, &self.place).is_some()
    }

    /// A copy of an older state, by the folder that it was in.
    pub fn is_backup(&self) -> bool {
        is_backup(&self.standing.path)
    }
}

fn is_backup(path: &str) -> bool {
    let path = path.to_lowercase();
    path.split(['/', '\\']).any(|part| BACKUP_FOLDERS.contains(&part))
}
