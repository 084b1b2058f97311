//! Many bundles into one dataset.
//!
//! ```text
//! arguments ─▶ walk ─▶ known (done? the same content twice?) ─▶ pool ─▶ child process per bundle ─▶ parts
//! ```
//!
//! * [`walk`] turns folders, globs and lists into bundles, in a stable order, and picks those of a shard.
//! * [`identity`] is what a bundle is called: the hash of its content; and what a computer is called in the dataset.
//! * [`worker`] analyses one bundle into one [`row::Row`]. It runs in a process of its own ([`process`]), so that a crash, a hang
//!   or a hunger for memory costs one bundle.
//! * [`pool`] keeps as many of them busy as there are cores.
//! * [`parts`] writes the rows so that a kill at any moment neither loses nor doubles one; [`run`] names and describes the run.
//! * [`flat`] is a row as the columns of the dataset.
//! * [`progress`] and [`summary`] tell people.

pub mod flat;
pub mod identity;
pub mod parts;
pub mod pool;
pub mod process;
pub mod progress;
pub mod row;
pub mod run;
pub mod summary;
pub mod walk;
pub mod worker;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parts::Parts;
use pool::Job;
use process::Launcher;
use progress::Progress;
use row::Head;
use run::{Duplicate, Manifest, Run};
use summary::Summary;
use walk::Candidate;

/// What a triage needs to know.
#[derive(Debug)]
pub struct Plan {
    /// The bundles, as [`walk`] gives them.
    pub candidates: Vec<Candidate>,
    /// The run to write to.
    pub run: Run,
    /// How a worker is started.
    pub launcher: Launcher,
    /// Bundles that are analysed at the same time.
    pub jobs: usize,
    /// Rows of a part.
    pub part_rows: u64,
    /// Makes further forms of a part (Parquet) before it is published.
    pub convert: Option<Convert>,
}

/// Makes further forms of a part: the folder of the dataset, the run, the name of the part without ending, the file with its rows.
pub type Convert = fn(out: &Path, run: &str, part: &str, rows: &Path) -> io::Result<()>;

/// How it ended.
#[derive(Debug)]
pub struct Done {
    /// Counts over the whole run, earlier starts included.
    pub summary: Summary,
    /// The description of the run as it stands on disk.
    pub manifest: Manifest,
    /// Stopped before the end.
    pub stopped: bool,
    /// Folder with the rows.
    pub results: PathBuf,
}

/// Analyses every bundle that is not done yet. `stop` ends it early with everything kept that is done.
pub fn triage(plan: Plan, progress: &Progress, stop: &AtomicBool) -> io::Result<Done> {
    let Plan { candidates, run, launcher, jobs, part_rows, convert } = plan;
    let mut lock = run.lock()?;
    let _held = lock.try_write().map_err(|_| io::Error::other("another triage is writing to this run"))?;
    let mut parts = Parts::open(&run, part_rows, convert)?;
    let mut summary = Summary::default();
    let mut known = Known::default();
    parts.each_done(|head| {
        known.add(&head);
        summary.add(&head);
    })?;
    let mut manifest = run.manifest(candidates.len());
    let (todo, duplicates) = known.sort_out(candidates);
    manifest.duplicates = duplicates;
    run.write(&manifest)?;
    progress.start(&todo, &summary, &manifest);

    let mut problem = None;
    pool::run(&launcher, jobs, todo, stop, |line, head| {
        summary.add(&head);
        progress.row(&head, &summary);
        if let Err(error) = parts.push(&line) {
            problem.get_or_insert(error);
            stop.store(true, Ordering::SeqCst);
        }
    })?;
    if let Some(error) = problem {
        return Err(error);
    }
    parts.publish()?;
    let stopped = stop.load(Ordering::SeqCst);
    manifest.finish(&summary, stopped);
    run.write(&manifest)?;
    progress.end();
    Ok(Done { summary, manifest, stopped, results: run.results() })
}

/// What the run holds already: by content, and by place so that nothing needs to be read again to know it.
#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<String, String>,
    by_path: HashMap<String, Place>,
    sizes: HashMap<u64, u32>,
}

#[derive(Debug)]
struct Place {
    id: String,
    bytes: Option<u64>,
    modified: Option<String>,
}

impl Known {
    fn add(&mut self, head: &Head) {
        self.by_id.entry(head.bundle_id.clone()).or_insert_with(|| head.path.clone());
        let place = Place { id: head.bundle_id.clone(), bytes: head.bytes, modified: head.modified.clone() };
        self.by_path.insert(head.path.clone(), place);
        if let Some(bytes) = head.bytes {
            *self.sizes.entry(bytes).or_default() += 1;
        }
    }

    /// The same path, size and time of change: the same content, as `make` and `rsync` see it. A folder shows no such time.
    fn unchanged(&self, candidate: &Candidate) -> bool {
        self.by_path.get(&candidate.label()).is_some_and(|place| {
            place.bytes == candidate.bytes && place.modified == candidate.modified && !candidate.folder
        })
    }

    /// What is to be done, and what is the same content as another bundle. Only bundles of the same size can be, so only those are
    /// read for it; the first one in order is the one that is analysed.
    fn sort_out(mut self, candidates: Vec<Candidate>) -> (Vec<Job>, Vec<Duplicate>) {
        let fresh: Vec<u64> = candidates
            .iter()
            .filter(|candidate| !self.unchanged(candidate))
            .filter_map(|candidate| candidate.bytes)
            .collect();
        for bytes in fresh {
            *self.sizes.entry(bytes).or_default() += 1;
        }
        let (mut todo, mut duplicates) = (Vec::new(), Vec::new());
        for candidate in candidates {
            if self.unchanged(&candidate) {
                continue;
            }
            let shared = candidate.bytes.is_some_and(|bytes| self.sizes.get(&bytes).copied() > Some(1));
            let moved = self.by_path.contains_key(&candidate.label());
            let id = if shared || moved { identity::of(&candidate.path).ok() } else { None };
            let label = candidate.label();
            if let Some(id) = &id {
                match self.by_id.get(id) {
                    Some(first) if *first == label => continue,
                    Some(first) => {
                        duplicates.push(Duplicate {
                            path: label,
                            same_as: first.clone(),
                            bundle_id: id.clone(),
                        });
                        continue;
                    }
                    None => {
                        self.by_id.insert(id.clone(), label);
                    }
                }
            } else if self.by_path.get(&label).is_some_and(|place| place.id == identity::of_missing(&label)) {
                // It could not be read before, and it cannot be read now.
                continue;
            }
            todo.push(Job { candidate, id });
        }
        (todo, duplicates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::row::Status;

    fn candidate(path: &std::path::Path) -> Candidate {
        Candidate::of(path.to_path_buf(), String::new())
    }

    #[test]
    fn the_same_content_is_analysed_once_and_an_unchanged_file_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (a, b, c) = (write("a.zip", "same"), write("b.zip", "same"), write("c.zip", "size"));
        let all = || vec![candidate(&a), candidate(&b), candidate(&c)];
        let (todo, duplicates) = Known::default().sort_out(all());
        assert_eq!(todo.len(), 2);
        assert_eq!(duplicates.len(), 1);
        assert_eq!(duplicates[0].path, b.display().to_string());
        assert_eq!(duplicates[0].same_as, a.display().to_string());

        // Started again: what is done is neither done again nor its own duplicate.
        let mut known = Known::default();
        for path in [&a, &c] {
            let place = candidate(path);
            known.add(&Head {
                bundle_id: identity::of(path).unwrap(),
                path: place.label(),
                status: Status::Ok,
                error: None,
                bytes: place.bytes,
                modified: place.modified,
                report: None,
            });
        }
        let (todo, duplicates) = known.sort_out(all());
        assert!(todo.is_empty(), "{todo:?}");
        assert_eq!(duplicates.len(), 1);
    }
}
