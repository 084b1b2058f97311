//! One worker process: started, fed one path, held to its time, its one line taken.
//!
//! Whatever happens to it (a crash, a hang, a flood of output) is a result here, not an error of the run.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::row::{Head, Status};

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program: normally this very binary.
    pub program: PathBuf,
    /// Its arguments in front of the path.
    pub arguments: Vec<OsString>,
    /// Its environment, added to ours.
    pub environment: Vec<(OsString, OsString)>,
    /// Time that one bundle may take.
    pub timeout: Duration,
}

/// What came of a worker.
#[derive(Debug)]
pub enum Ended {
    /// Its line, with what triage reads of it.
    Line(String, Box<Head>),
    /// It died, hung or wrote something else.
    Failed(Status, String),
    /// The run was stopped.
    Stopped,
}

/// Longest line that is taken. A report of a machine with every finding has some 200 KB.
const MAX_LINE: u64 = 64 << 20;
/// What is kept of the worker's complaints.
const MAX_COMPLAINT: usize = 4 << 10;
/// First pause of a job that waits for a worker to end which has said all it has to say. Most end in less than a millisecond, and a core
/// is idle until that is seen.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
/// Pauses double up to this one.
const LONGEST_PAUSE: Duration = Duration::from_millis(1);
/// How often a waiting job looks whether the run was stopped.
const LOOK: Duration = Duration::from_millis(100);

impl Launcher {
    /// Analyses one bundle. Errors are those of starting a process at all.
    pub fn run(&self, path: &Path, stop: &AtomicBool) -> io::Result<Ended> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("--").arg(path);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C goes to a whole group; a worker must not take it for a crash of its bundle.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let deadline = Instant::now() + self.timeout;
        let mut child = command.spawn()?;
        // Held open until the worker has ended: if we die, it sees the end of its input and goes as well.
        let input = child.stdin.take();
        let complaint = reader(child.stderr.take(), u64::MAX, Some(MAX_COMPLAINT));
        let output = reader(child.stdout.take(), MAX_LINE + 1, None);
        let ended = self.wait(&mut child, &output, deadline, stop);
        if !matches!(ended, Wait::Exited(..)) {
            // It may have ended by itself in this moment; either way it is reaped.
            let _ = child.kill();
            let _ = child.wait();
        }
        drop(input);
        let complaint = || complaint.recv_timeout(LOOK).unwrap_or_default();
        Ok(match ended {
            Wait::Exited(status, bytes) => judge(status, bytes, &complaint()),
            Wait::Timeout => {
                let text = format!("no result after {} s (limit: --timeout)", self.timeout.as_secs_f32());
                Ended::Failed(Status::Timeout, text)
            }
            Wait::Flood => {
                Ended::Failed(Status::Crashed, format!("the worker wrote more than {MAX_LINE} bytes"))
            }
            Wait::Stopped => Ended::Stopped,
        })
    }

    fn wait(
        &self,
        child: &mut Child,
        output: &Receiver<Vec<u8>>,
        deadline: Instant,
        stop: &AtomicBool,
    ) -> Wait {
        let mut bytes = None;
        let mut pause = SHORTEST_PAUSE;
        loop {
            if stop.load(Ordering::SeqCst) {
                return Wait::Stopped;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Wait::Timeout;
            }
            if let Some(bytes) = &mut bytes {
                match child.try_wait() {
                    Ok(Some(status)) => return Wait::Exited(status, std::mem::take(bytes)),
                    // The output has ended, so the process is about to.
                    _ => thread::sleep(pause),
                }
                pause = (2 * pause).min(LONGEST_PAUSE);
                continue;
            }
            match output.recv_timeout(left.min(LOOK)) {
                Ok(found) if found.len() as u64 > MAX_LINE => return Wait::Flood,
                Ok(found) => bytes = Some(found),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => bytes = Some(Vec::new()),
            }
        }
    }
}

enum Wait {
    Exited(ExitStatus, Vec<u8>),
    Timeout,
    Flood,
    Stopped,
}

/// Reads a stream to its end in a thread of its own, so that neither stream can block the worker. Of `keep`, only so many last bytes are
/// kept.
fn reader(stream: Option<impl Read + Send + 'static>, limit: u64, keep: Option<usize>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(stream) = stream {
            let mut stream = stream.take(limit);
            match keep {
                None => {
                    let _ = stream.read_to_end(&mut kept);
                }
                Some(most) => {
                    let mut buffer = [0; 4096];
                    while let Ok(read @ 1..) = stream.read(&mut buffer) {
                        kept.extend(buffer.iter().take(read));
                        kept.drain(..kept.len().saturating_sub(most));
                    }
                }
            }
        }
        let _ = send.send(kept);
    });
    receive
}

/// What a worker that has ended leaves behind.
fn judge(status: ExitStatus, bytes: Vec<u8>, complaint: &[u8]) -> Ended {
    let said = reason(&String::from_utf8_lossy(complaint));
    let failed = |what: String| Ended::Failed(Status::Crashed, what);
    if !status.success() {
        return failed(format!("the worker ended with {status}{said}"));
    }
    let Ok(text) = String::from_utf8(bytes) else { return failed("the worker wrote no text".to_owned()) };
    let mut lines = text.lines();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return failed(format!("the worker wrote {} lines, expected one", text.lines().count()));
    };
    match serde_json::from_str::<Head>(line) {
        Ok(head) => Ended::Line(line.to_owned(), Box::new(head)),
        Err(error) => failed(format!("the worker wrote no row: {error}")),
    }
}

/// What a worker said last, without what differs from one process to the next: of a panic place and message, else the first line.
fn reason(complaint: &str) -> String {
    let (text, lines) = match complaint.split_once("panicked at ") {
        Some((_, rest)) => (rest, 2),
        None => (complaint, 1),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(lines);
    let said: String = lines.collect::<Vec<_>>().join(" ").chars().take(300).collect();
    if said.is_empty() { said } else { format!(": {said}") }
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn reasons_are_the_same_in_every_process() {
        let panic = "\nthread 'main' (4711) panicked at src/x.rs:1:2:\nindex out of bounds\nnote: run with\n";
        assert_eq!(reason(panic), ": src/x.rs:1:2: index out of bounds");
        assert_eq!(
            reason("memory allocation of 9 bytes failed\nskipping backtrace"),
            ": memory allocation of 9 bytes failed"
        );
        assert_eq!(reason(""), "");
    }
}
