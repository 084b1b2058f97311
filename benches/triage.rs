//! What one bundle costs beside the inflating of its members, and what a fleet costs in time and memory.
//!
//! `cargo bench --bench triage` measures one bundle of the size of a real one: two logs of 21 MB, ten of 1.1 MB, SYSTEM, SOFTWARE and
//! NTUSER, 76 MB in all. They are made; with `ACTRIAGE_CORPUS` the hives and the chunks of the logs are real ones. The candidates take
//! turns: first on one thread, where the processor time of the best turn counts, so that other work on the machine does not, and then on
//! two, on the clock on the wall. `-- row alone` runs only those with one of these words in their name.
//!
//! `cargo bench --bench triage -- fleet` runs the built program over 200 and 2,000 made bundles, with one job and with two.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/workshop/mod.rs"]
mod workshop;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use actriage::artifact::collection::{Collection, Reading};
use actriage::bundle::Bundle;
use actriage::bundle::limits::Limits;
use actriage::diagnosis;
use actriage::evidence::{Evidence, Settings};
use actriage::triage::identity::Names;
use actriage::triage::worker::{self, Task};
use crc32fast::hash as crc32;
use libdeflater::Decompressor;
use rayon::prelude::*;
use workshop::evtx::{EventSpec, LogBuilder};
use workshop::hive::HiveBuilder;
use workshop::recipe::{File, pack};
use workshop::zip::deflate;

/// Turns of each candidate, and runs in a turn.
const TURNS: usize = 7;
const RUNS: u32 = 5;
/// What `triage` tells glibc in its workers.
const ALLOCATOR: (&str, &str) = (
    "GLIBC_TUNABLES",
    "glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824",
);
const FILE_HEADER: usize = 0x1000;
const CHUNK: usize = 0x1_0000;

fn main() {
    if std::env::args().any(|word| word == "fleet") {
        return fleet();
    }
    let work = Work::new();
    // As in a worker of `triage`. The allocator is set by the environment when a process starts.
    if std::env::var_os(ALLOCATOR.0).is_none() {
        let mut worker = Command::new(std::env::current_exe().unwrap());
        let status = worker.args(std::env::args_os().skip(1)).env(ALLOCATOR.0, ALLOCATOR.1).status().unwrap();
        assert!(status.success());
        work.on_two_threads();
    } else {
        work.on_one_thread();
    }
}

/// Processor time of this thread in the kernel's own accounts (Documentation/scheduler/sched-stats.rst).
fn processor_time() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

type Candidate<'c> = (&'static str, Box<dyn FnMut() + Send + 'c>);

/// What all candidates work on.
struct Work {
    files: Vec<File>,
    /// The members as deflate streams.
    packed: Vec<Vec<u8>>,
    /// Bytes of all members.
    size: usize,
    /// Where the zip lies.
    folder: tempfile::TempDir,
}

impl Work {
    fn new() -> Self {
        let files = files();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bundle.zip"), pack(&files)).unwrap();
        let size = files.iter().map(|file| file.bytes.len()).sum();
        let packed = files.iter().map(|file| deflate(&file.bytes)).collect();
        Self { files, packed, size, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bundle.zip")
    }

    /// Inflates every member into one buffer and does nothing else, or checks its CRC-32 as well.
    fn inflate(&self, check: bool) -> impl FnMut() + Send {
        let mut buffer = vec![0; self.files.iter().map(|file| file.bytes.len()).max().unwrap()];
        move || {
            for (file, packed) in self.files.iter().zip(&self.packed) {
                let buffer = &mut buffer[..file.bytes.len()];
                Decompressor::new().deflate_decompress(packed, buffer).unwrap();
                if check {
                    black_box(libdeflater::crc32(buffer));
                }
                black_box(buffer);
            }
        }
    }

    /// Inflates every member into a buffer that its thread uses again, the largest first.
    fn inflate_in_parallel(&self) {
        thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
        let lengths = self.files.iter().map(|file| file.bytes.len());
        let mut members: Vec<(usize, &Vec<u8>)> = lengths.zip(&self.packed).collect();
        members.sort_by_key(|(length, _)| Reverse(*length));
        members.par_iter().with_max_len(1).for_each(|(length, packed)| {
            BUFFER.with_borrow_mut(|buffer| {
                buffer.resize(buffer.len().max(*length), 0);
                Decompressor::new().deflate_decompress(packed, &mut buffer[..*length]).unwrap();
                black_box(buffer);
            });
        });
    }

    fn row(&self, hashes: bool) -> impl FnMut() + Send {
        let task = Task {
            limits: Limits::default(),
            window_days: 7,
            names: Names::Pseudonyms { salt: String::new() },
            redact: false,
            hashes,
            rules: None,
        };
        let path = self.path();
        move || drop(black_box(worker::row(&path, &task)))
    }

    fn on_one_thread(&self) {
        let (zip, path) = (fs::metadata(self.path()).unwrap().len() as f64 / 1e6, self.path());
        println!("{} members, {:.1} MB inside {zip:.1} MB", self.files.len(), self.size as f64 / 1e6);
        println!("\none thread, processor time");
        let open = || Bundle::open(&path, Limits::default()).unwrap();
        let unpack = || {
            let bundle = open();
            bundle.entries.iter().for_each(|entry| drop(black_box(bundle.read(entry))));
        };
        let read = || {
            let reading = Reading { interest: diagnosis::interest(), replay: true, hashes: false };
            Collection::read(&open(), &reading)
        };
        let gather = || Evidence::build(read(), &Settings { window_days: 7, user: None });
        let candidates: Vec<Candidate<'_>> = vec![
            ("libdeflate alone", Box::new(self.inflate(false))),
            ("libdeflate and CRC-32", Box::new(self.inflate(true))),
            ("ours: open", Box::new(|| drop(black_box(open())))),
            ("ours: and unpack", Box::new(unpack)),
            ("ours: SHA-256 of the zip", Box::new(|| drop(black_box(open().sha256().map(str::to_owned))))),
            ("ours: unpack, hash and read", Box::new(|| drop(black_box(read())))),
            ("ours: and put in order", Box::new(|| drop(black_box(gather())))),
            ("ours: and diagnose", Box::new(|| drop(black_box(diagnosis::diagnose(&gather()))))),
            ("ours: the whole row", Box::new(self.row(false))),
            ("the same with --hashes", Box::new(self.row(true))),
        ];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| self.compare(candidates, processor_time));
    }

    fn on_two_threads(&self) {
        println!("\ntwo threads, time on the wall (for idle machines)");
        let candidates: Vec<Candidate<'_>> = vec![
            ("libdeflate alone, one thread", Box::new(self.inflate(false))),
            ("libdeflate alone", Box::new(|| self.inflate_in_parallel())),
            ("ours: the whole row", Box::new(self.row(false))),
            ("the same with --hashes", Box::new(self.row(true))),
        ];
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let started = Instant::now();
        pool.install(|| self.compare(candidates, || started.elapsed()));
    }

    /// Runs the candidates in turns and prints the best turn of each, beside that of the first one.
    fn compare(&self, mut candidates: Vec<Candidate<'_>>, clock: impl Fn() -> Duration) {
        let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
        let named = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
        candidates.retain(|(name, _)| named(name));
        let mut best = vec![Duration::MAX; candidates.len()];
        for _ in 0..TURNS {
            for ((_, run), best) in candidates.iter_mut().zip(&mut best) {
                let started = clock();
                (0..RUNS).for_each(|_| run());
                *best = (*best).min((clock() - started) / RUNS);
            }
        }
        println!("{:30} {:>8} {:>8} {:>6}", "", "ms", "MB/s", "ratio");
        for ((name, _), time) in candidates.iter().zip(&best) {
            let seconds = time.as_secs_f64();
            let ratio = seconds / best[0].as_secs_f64();
            println!(
                "{name:30} {:>8.1} {:>8.0} {ratio:>6.2}",
                seconds * 1e3,
                self.size as f64 / 1e6 / seconds
            );
        }
    }
}

/// The members.
fn files() -> Vec<File> {
    let corpus = std::env::var_os("ACTRIAGE_CORPUS").map(PathBuf::from);
    let chunks = match &corpus {
        Some(corpus) => chunks(&corpus.join("corpus/evtx")),
        None => chunks_of(&made_log()),
    };
    let mut source = chunks.iter().cycle();
    let mut files: Vec<File> = (0..12)
        .map(|number| {
            let count = if number < 2 { 320 } else { 16 };
            File { path: format!("logs/{number}.evtx"), bytes: log(source.by_ref().take(count)) }
        })
        .collect();
    let hives = corpus.map(|corpus| corpus.join("corpus/hives/mkorman90+regipy/regipy_tests/data"));
    let hive = |name: &str, real: &str, keys: u32| {
        let bytes = match &hives {
            Some(folder) => fs::read(folder.join(real)).unwrap(),
            None => made_hive(name, keys),
        };
        File { path: format!("config/{name}"), bytes }
    };
    files.push(hive("SYSTEM", "SYSTEM_B", 33_000));
    files.push(hive("SOFTWARE", "ntuser_software_partial", 17_000));
    files.push(hive("NTUSER.DAT", "NTUSER_BAGMRU.DAT", 6_000));
    files
}

/// Well-filled chunks of all logs below a folder, as many as the bundle needs.
fn chunks(folder: &Path) -> Vec<Vec<u8>> {
    let mut folders = vec![folder.to_path_buf()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    paths.sort();
    let logs = paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == "evtx"));
    let read = logs.map(|path| fs::read(path).unwrap()).filter(|bytes| bytes.starts_with(b"ElfFile\0"));
    let mut found: Vec<Vec<u8>> = read.flat_map(|log| chunks_of(&log)).collect();
    found.truncate(2 * 320 + 10 * 16);
    found
}

fn chunks_of(log: &[u8]) -> Vec<Vec<u8>> {
    let full = |chunk: &&[u8]| {
        chunk.starts_with(b"ElfChnk\0") && free(chunk) >= CHUNK * 88 / 100 && free(chunk) <= CHUNK
    };
    log[FILE_HEADER..].chunks_exact(CHUNK).filter(full).map(<[u8]>::to_vec).collect()
}

fn free(chunk: &[u8]) -> usize {
    u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize
}

/// A log of these chunks, with the records numbered anew.
fn log<'c>(chunks: impl Iterator<Item = &'c Vec<u8>>) -> Vec<u8> {
    let mut log = LogBuilder::new("System").build()[..FILE_HEADER].to_vec();
    let mut number = 1_u64;
    for chunk in chunks {
        let (mut chunk, first, free) = (chunk.clone(), number, free(chunk));
        let mut at = 512;
        while at + 28 <= free && chunk[at..].starts_with(b"**\0\0") {
            chunk[at + 8..at + 16].copy_from_slice(&number.to_le_bytes());
            number += 1;
            at += u32::from_le_bytes(chunk[at + 4..at + 8].try_into().unwrap()) as usize;
        }
        for (place, value) in [(8, first), (16, number - 1), (24, first), (32, number - 1)] {
            chunk[place..place + 8].copy_from_slice(&value.to_le_bytes());
        }
        let sum = crc32(&chunk[512..free]);
        chunk[52..56].copy_from_slice(&sum.to_le_bytes());
        let sum = crc32(&[&chunk[..120], &chunk[128..512]].concat());
        chunk[124..128].copy_from_slice(&sum.to_le_bytes());
        log.extend(chunk);
    }
    log
}

/// A log of 40,000 records of a hundred kinds, one in twenty of which a check wants.
fn made_log() -> Vec<u8> {
    let event = |number: u32| {
        let mixed = number.wrapping_mul(0x9e37_79b1);
        let (provider, id) = match number % 20 {
            0 => ("Service Control Manager".to_owned(), 7036),
            other => (format!("Microsoft-Windows-Kernel-{}", other % 5), 10 + (mixed >> 28) as u16),
        };
        let (hour, minute) = (number / 60 % 24, number % 60);
        EventSpec::new(
            &provider,
            id,
            &format!("2026-11-{:02}T{hour:02}:{minute:02}:00Z", 1 + number / 1440 % 20),
        )
        .data("param1", format!("Service {:x}", mixed >> 16).as_str())
        .data("param2", format!("C:\\Windows\\System32\\DriverStore\\{mixed:08x}.inf").as_str())
        .user_sid("S-1-5-18")
    };
    LogBuilder::new("System").events((0..40_000).map(event)).build()
}

/// A hive with the proportions of a real one.
fn made_hive(name: &str, keys: u32) -> Vec<u8> {
    let mut builder = HiveBuilder::new().file_name(name);
    for number in 0..keys {
        let id = number.wrapping_mul(0x9e37_79b1);
        let parent =
            ["ControlSet001\\Services", "ControlSet001\\Enum", "Microsoft\\Windows"][number as usize % 3];
        builder = builder
            .key(&format!("{parent}\\{:02x}\\{{{id:08X}-4A3B-11D0}}", number % 200))
            .sz("ImagePath", &format!("\\SystemRoot\\System32\\drivers\\{id:x}.sys"))
            .dword("Start", id % 5)
            .binary("Data", &id.to_le_bytes().repeat(8));
    }
    builder.build()
}

/// The program over fleets of two sizes and with two numbers of jobs: bundles a second, and the largest resident size of the parent.
fn fleet() {
    let fleet = workshop::fleet::Fleet::new(Path::new(env!("CARGO_MANIFEST_DIR")));
    let folder = tempfile::tempdir().unwrap();
    println!("{:>8} {:>5} {:>8} {:>10} {:>12}", "bundles", "jobs", "s", "bundles/s", "parent MB");
    for (count, jobs) in [(200, "2"), (2000, "2"), (200, "1"), (2000, "1")] {
        let cases = folder.path().join(format!("cases{count}"));
        if !cases.exists() {
            fleet.write(&cases, count);
        }
        let out = folder.path().join(format!("out{count}-{jobs}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_actriage"))
            .args(["triage", "--quiet", "--jobs", jobs, "--out"])
            .args([&out, &cases])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let mut peak = 0;
        let code = loop {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
            match child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        assert_eq!(code, Some(1), "the fleet has blocked machines");
        let seconds = started.elapsed().as_secs_f64();
        let megabytes = peak as f64 * 1024.0 / 1e6;
        println!("{count:>8} {jobs:>5} {seconds:>8.1} {:>10.1} {megabytes:>12.1}", count as f64 / seconds);
    }
}
