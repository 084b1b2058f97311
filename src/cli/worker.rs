//! `actriage worker PATH`: one bundle in, one line of JSON out. `triage` starts it, and so may any other program that spreads bundles over
//! machines (see docs/fleet.md).

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, Common, Exit, Outcome, open};
use crate::report::json::harmless;
use crate::triage::flat::Flat;
use crate::triage::identity::Names;
use crate::triage::worker::{self, Task};

/// Variable with the salt of pseudonyms. A command line can be seen by every user of the machine, so it is not given there.
pub const SALT: &str = "ACTRIAGE_SALT";

/// Analyse one bundle into one line of JSON (actriage.row/1).
#[derive(Debug, Args)]
pub struct Worker {
    /// A zip, a folder or a single file.
    bundle: PathBuf,
    /// Bytes of memory (address space) that the worker may take; it dies when it wants more. Not on Windows.
    #[arg(long, value_name = "BYTES")]
    max_memory: Option<u64>,
    /// End when standard input ends: the program that started this one is gone.
    #[arg(long)]
    while_input: bool,
    /// Write the columns of the dataset instead of the row: {"bundle": {…}, "findings": […]}.
    #[arg(long)]
    flat: bool,
    #[command(flatten)]
    settings: RowArgs,
}

/// What changes a row.
#[derive(Clone, Debug, Args)]
pub struct RowArgs {
    /// Days before the collection in which a failure counts as current.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub window: u32,
    /// Write computer names as they are. Without this they are pseudonyms (with the salt in ACTRIAGE_SALT, if there is one).
    #[arg(long, conflicts_with = "redact")]
    pub keep_names: bool,
    /// Also judge by the rules of a folder (see docs/rules.md).
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// Write the SHA-256 of every file of a bundle into its report. Without this they are null: hashing costs more than the analysis.
    #[arg(long)]
    pub hashes: bool,
    /// Bounds of a bundle.
    #[command(flatten)]
    pub limits: open::LimitArgs,
}

impl RowArgs {
    fn task(&self, common: &Common) -> Result<Task, CliError> {
        let salt = std::env::var(SALT).unwrap_or_default();
        Ok(Task {
            limits: self.limits.limits(),
            window_days: self.window,
            names: if self.keep_names { Names::Kept } else { Names::Pseudonyms { salt } },
            redact: common.redact,
            hashes: self.hashes,
            rules: self.rules.as_deref().map(super::rules::load).transpose()?,
        })
    }

    /// The same as arguments of another worker.
    pub fn arguments(&self, common: &Common) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--window".into(), self.window.to_string().into()];
        if let Some(folder) = &self.rules {
            words.extend(["--rules".into(), folder.clone().into_os_string()]);
        }
        if self.keep_names {
            words.push("--keep-names".into());
        }
        if self.hashes {
            words.push("--hashes".into());
        }
        if common.redact {
            words.push("--redact".into());
        }
        words.extend(self.limits.arguments().into_iter().map(OsString::from));
        words
    }
}

impl Worker {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        stay_on_one_core();
        if let Some(bytes) = self.max_memory {
            limit_memory(bytes)?;
        }
        if self.while_input {
            std::thread::spawn(|| {
                // Nothing is ever written to it, so this returns when the other end is closed.
                let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                std::process::exit(i32::from(Exit::Failed as u8));
            });
        }
        let row = worker::row_of(&self.bundle, &self.settings.task(common)?, |bundle| {
            #[cfg(debug_assertions)]
            fault::provoke(bundle);
            let _ = bundle;
        });
        let wrong = |error: serde_json::Error| CliError::Message(error.to_string());
        let mut line = serde_json::to_string(&row).map_err(wrong)?;
        if self.flat {
            line = serde_json::to_string(&Flat::parse(&line).map_err(wrong)?).map_err(wrong)?;
        }
        writeln!(out, "{}", harmless(line))?;
        out.flush()?;
        Ok(Exit::Good)
    }
}

/// Works on this thread alone, unless the environment asks for more: where many bundles are analysed, one core for each is the best use of
/// all of them. A pool of one thread beside this one would cost its start, and the hop from core to core.
fn stay_on_one_core() {
    let threads = std::env::var("RAYON_NUM_THREADS").ok().and_then(|number| number.parse().ok());
    if threads.unwrap_or(1) == 1 {
        // It fails only where there is a pool already, which does the work as well.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    }
}

#[cfg(unix)]
fn limit_memory(bytes: u64) -> Result<(), CliError> {
    let hard = rlimit::Resource::AS.get().map_or(rlimit::INFINITY, |(_, hard)| hard);
    rlimit::Resource::AS
        .set(bytes.min(hard), hard)
        .map_err(|error| CliError::Message(format!("cannot limit memory to {bytes} bytes: {error}")))
}

/// Windows has no such limit that a process could put on itself without calls that this crate forbids; a job object around `triage` can.
#[cfg(not(unix))]
fn limit_memory(_: u64) -> Result<(), CliError> {
    Ok(())
}

/// Bundles that make their worker misbehave, for the tests. Not in a release build, and only when the test asks for it.
#[cfg(debug_assertions)]
mod fault {
    use crate::bundle::Bundle;

    pub fn provoke(bundle: &Bundle) {
        if std::env::var_os("ACTRIAGE_TEST_FAULTS").is_none() {
            return;
        }
        for entry in &bundle.entries {
            match entry.path.strip_prefix("test-fault/") {
                Some("abort") => std::process::abort(),
                Some("hang") => std::thread::sleep(std::time::Duration::from_secs(3600)),
                Some("garbage") => {
                    println!("this is\nno row");
                    std::process::exit(0);
                }
                _ => {}
            }
        }
    }
}
