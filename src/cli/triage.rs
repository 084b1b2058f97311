//! `actriage triage PATH… --out DIR`: many bundles into one dataset.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::worker::{RowArgs, SALT};
use super::{CliError, Common, Exit, Outcome};
use crate::triage::identity;
use crate::triage::process::Launcher;
use crate::triage::progress::Progress;
use crate::triage::run::{Basis, Choice, Run};
use crate::triage::walk::{Candidate, Shard, Walk};
use crate::triage::{self, Convert, Plan};

/// Diagnose many bundles into a dataset. Started again it goes on where it was stopped.
#[derive(Debug, Args)]
pub struct Triage {
    /// Bundles, folders that hold bundles, patterns; `-` reads a list of bundles from standard input.
    #[arg(required_unless_present = "list")]
    paths: Vec<PathBuf>,
    /// Folder of the dataset.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A file that names a bundle a line (`-` for standard input).
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
    /// Bundles that are analysed at the same time, one core each [default: number of cores].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Do one of N equal parts of the bundles: I from 0 to N-1.
    #[arg(long, value_name = "I/N", default_value = "0/1")]
    shard: Shard,
    /// Name of the run [default: the last one that was made with the same version and settings, else the time].
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Begin a new run; with --run, do that one again from the start.
    #[arg(long)]
    fresh: bool,
    /// Seconds that one bundle may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = seconds)]
    timeout: f64,
    /// Bytes of memory (address space) that one worker may take. Not on Windows.
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    max_memory: u64,
    /// Rows of a part of the dataset.
    #[arg(long, value_name = "N", default_value_t = 500)]
    part_rows: u64,
    #[command(flatten)]
    settings: RowArgs,
}

/// The environment of workers, where the user's does not say otherwise.
const ENVIRONMENT: &[(&str, &str)] = &[
    // A backtrace would hide the reason of a crash behind itself.
    ("RUST_BACKTRACE", "0"),
    // glibc gives the memory of each large file back and gets it anew, page by page; kept, a bundle of 75 MB costs a tenth less time.
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824",
    ),
];

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    let sane = seconds > 0.0 && seconds <= 1e9;
    if sane { Ok(seconds) } else { Err("expected more than 0 seconds".to_owned()) }
}

fn wrong(error: impl std::fmt::Display) -> CliError {
    CliError::Message(error.to_string())
}

impl Triage {
    pub(super) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
        let candidates = self.candidates()?;
        if candidates.is_empty() && self.shard == Shard::WHOLE {
            let text = "no bundles were found: a bundle is a zip, or a folder with collected files";
            return Err(CliError::Message(text.to_owned()));
        }
        let choice = Choice { name: self.run.clone(), fresh: self.fresh, shard: self.shard };
        let arguments = std::env::args().skip(1).collect();
        let basis = Basis::now(self.basis(common)?);
        let run = Run::choose(&self.out, &choice, basis, arguments).map_err(wrong)?;
        #[cfg(feature = "dataset")]
        crate::dataset::complete(&self.out)?;
        let plan = Plan {
            candidates,
            launcher: self.launcher(common)?,
            jobs: self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
            part_rows: self.part_rows,
            convert: convert(),
            run,
        };
        let progress = if common.quiet {
            Progress::Quiet
        } else if io::stderr().is_terminal() {
            Progress::bar()
        } else {
            Progress::Lines
        };
        let stop = stop_on_ctrl_c()?;
        let done = triage::triage(plan, &progress, &stop).map_err(wrong)?;
        done.summary.write(out)?;
        let duplicates = done.manifest.duplicates.len();
        if duplicates > 0 {
            writeln!(out, "\nLeft out: {duplicates} with the content of another bundle (see manifest.json)")?;
        }
        writeln!(out, "\n{}", done.results.display())?;
        if done.stopped {
            return Err(CliError::Message(format!(
                "stopped with {} of {} bundle(s) done; the same command goes on from here",
                done.summary.rows(),
                done.manifest.found
            )));
        }
        Ok(if done.summary.outcome("blocked") > 0 { Exit::Blocked } else { Exit::Good })
    }

    fn candidates(&self) -> Result<Vec<Candidate>, CliError> {
        let mut walk = Walk::new(&self.out);
        let stdin = Path::new("-");
        for path in self.paths.iter().filter(|path| path.as_path() != stdin) {
            walk.add(path).map_err(wrong)?;
        }
        let lists = self.list.iter().chain(self.paths.iter().filter(|path| path.as_path() == stdin));
        for list in lists {
            let named = |error: io::Error| wrong(format!("{}: {error}", list.display()));
            if list == stdin {
                walk.add_list(io::stdin().lock()).map_err(named)?;
            } else {
                walk.add_list(BufReader::new(File::open(list).map_err(named)?)).map_err(named)?;
            }
        }
        Ok(walk.candidates(self.shard))
    }

    /// Everything that rows depend on.
    fn basis(&self, common: &Common) -> Result<Vec<String>, CliError> {
        let given = self.settings.arguments(common);
        let mut words: Vec<String> = given.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        words.extend(["--timeout".to_owned(), self.timeout.to_string()]);
        words.extend(["--max-memory".to_owned(), self.max_memory.to_string()]);
        if !self.settings.keep_names && std::env::var_os(SALT).is_some() {
            words.push("salted".to_owned());
        }
        if let Some(folder) = &self.settings.rules {
            // A mistake in a rule is told once, and not by every worker.
            super::rules::load(folder)?;
            words.push(identity::of(folder).map_err(wrong)?);
        }
        Ok(words)
    }

    fn launcher(&self, common: &Common) -> Result<Launcher, CliError> {
        let mut arguments: Vec<OsString> =
            ["worker", "--while-input", "--max-memory"].map(OsString::from).into();
        arguments.push(self.max_memory.to_string().into());
        arguments.extend(self.settings.arguments(common));
        let mut environment: Vec<(OsString, OsString)> =
            ENVIRONMENT.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        environment.retain(|(name, _)| std::env::var_os(name).is_none());
        Ok(Launcher {
            program: std::env::current_exe().map_err(wrong)?,
            arguments,
            environment,
            timeout: Duration::from_secs_f64(self.timeout),
        })
    }
}

/// The tables that are made of each part of rows: none without the cargo feature `dataset`.
fn convert() -> Option<Convert> {
    #[cfg(feature = "dataset")]
    return Some(crate::dataset::convert);
    #[cfg(not(feature = "dataset"))]
    None
}

/// Ctrl-C (and the termination signal of a scheduler) stops the run; a second one ends the program at once.
fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Exit::Failed as u8));
        }
    })
    .map_err(wrong)?;
    Ok(stop)
}
