//! The bundles of this run, each with what is known of it so far. Removing one removes its upload.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempPath;

use crate::diagnosis::Verdict;
use crate::report::model::Report;

/// Bundles at once: the page is for a handful, `actriage triage` for many.
pub const MAX_BUNDLES: usize = 1000;

/// How far a bundle is.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Another one is being read.
    Waiting,
    /// It is being read.
    Reading,
    /// Here is the report.
    Done(Arc<Report>),
    /// It could not be read, and why.
    Failed(String),
}

/// One bundle. Cloning is cheap: the upload and the report are shared.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Number, from 1.
    pub id: u32,
    /// The name that the browser sent: a label, never a path.
    pub label: String,
    /// Size of the upload.
    pub bytes: u64,
    /// The upload; removed with the last holder.
    pub file: Arc<TempPath>,
    /// How far it is.
    pub stage: Stage,
}

/// All bundles of this run.
#[derive(Debug, Default)]
pub struct Store(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: u32,
    slots: BTreeMap<u32, Slot>,
}

impl Stage {
    /// In a word; also what the page's script asks for.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Done(_) => "done",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether there is more to come.
    pub fn is_pending(&self) -> bool {
        matches!(self, Self::Waiting | Self::Reading)
    }

    /// Place in the table: the worst first, then what could not be told, then what is not known yet.
    pub fn severity(&self) -> u8 {
        match self {
            Self::Done(report) => match report.verdict.outcome {
                Verdict::Blocked => 0,
                Verdict::Suspect => 1,
                Verdict::Inconclusive => 2,
                Verdict::Clear => 4,
            },
            Self::Failed(_) => 3,
            Self::Reading => 5,
            Self::Waiting => 6,
        }
    }
}

impl Slot {
    /// The report, when there is one.
    pub fn report(&self) -> Option<&Report> {
        match &self.stage {
            Stage::Done(report) => Some(report),
            _ => None,
        }
    }
}

impl Store {
    /// A panic elsewhere does not damage the list: every change is one step.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another bundle may come.
    pub fn has_room(&self) -> bool {
        self.inner().slots.len() < MAX_BUNDLES
    }

    /// Takes an upload and gives its number.
    pub fn add(&self, label: String, bytes: u64, file: TempPath) -> u32 {
        let mut inner = self.inner();
        inner.last = inner.last.saturating_add(1);
        let id = inner.last;
        inner.slots.insert(id, Slot { id, label, bytes, file: Arc::new(file), stage: Stage::Waiting });
        id
    }

    /// One bundle.
    pub fn get(&self, id: u32) -> Option<Slot> {
        self.inner().slots.get(&id).cloned()
    }

    /// All bundles, the most severe first.
    pub fn by_severity(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.inner().slots.values().cloned().collect();
        slots.sort_by_key(|slot| (slot.stage.severity(), slot.id));
        slots
    }

    /// Says how far a bundle is; a removed one stays removed.
    pub fn set(&self, id: u32, stage: Stage) {
        if let Some(slot) = self.inner().slots.get_mut(&id) {
            slot.stage = stage;
        }
    }

    /// Gives a bundle another label.
    pub fn rename(&self, id: u32, label: String) {
        if let Some(slot) = self.inner().slots.get_mut(&id) {
            slot.label = label;
        }
    }

    /// Forgets a bundle, its report and its upload.
    pub fn remove(&self, id: u32) -> bool {
        self.inner().slots.remove(&id).is_some()
    }
}
