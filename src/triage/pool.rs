//! Keeps as many workers busy as there are jobs. Memory does not grow with the number of bundles: a row goes to the writer as soon as it is
//! there, and workers wait when the writer is slow.

use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::process::{Ended, Launcher};
use super::row::Head;
use super::walk::Candidate;
use super::worker;

/// One bundle to be done.
#[derive(Debug)]
pub struct Job {
    /// The bundle.
    pub candidate: Candidate,
    /// Its id, where it is known already.
    pub id: Option<String>,
}

/// Analyses all jobs, `width` at a time, and gives each row to `done` in the order in which they end. Rows that are not finished when `stop`
/// is set are dropped: they are done when the run goes on.
pub fn run(
    launcher: &Launcher,
    width: usize,
    jobs: Vec<Job>,
    stop: &AtomicBool,
    mut done: impl FnMut(String, Head),
) -> io::Result<()> {
    let queue = Mutex::new(jobs.into_iter());
    let next = || queue.lock().map_or(None, |mut queue| queue.next());
    let width = width.max(1);
    let (send, receive) = mpsc::sync_channel::<io::Result<(String, Head)>>(width);
    let mut problem = None;
    thread::scope(|scope| {
        for _ in 0..width {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let Some(job) = next() else { return };
                    let Some(result) = one(launcher, job, stop).transpose() else { return };
                    if send.send(result).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for result in receive {
            match result {
                Ok((line, head)) => done(line, head),
                Err(error) => {
                    stop.store(true, Ordering::SeqCst);
                    problem.get_or_insert(error);
                }
            }
        }
    });
    problem.map_or(Ok(()), Err)
}

/// One bundle; `None` when the run was stopped meanwhile.
fn one(launcher: &Launcher, job: Job, stop: &AtomicBool) -> io::Result<Option<(String, Head)>> {
    let path: &Path = &job.candidate.path;
    let started = Instant::now();
    let (status, error) = match launcher.run(path, stop)? {
        Ended::Line(line, head) => return Ok(Some((line, *head))),
        Ended::Stopped => return Ok(None),
        Ended::Failed(status, error) => (status, error),
    };
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let row = worker::failed(path, job.id, status, error, millis);
    let head = Head {
        bundle_id: row.bundle_id.clone(),
        path: row.path.clone(),
        status: row.status,
        error: row.error.clone(),
        bytes: row.bytes,
        modified: row.modified.clone(),
        report: None,
    };
    Ok(Some((serde_json::to_string(&row)?, head)))
}
