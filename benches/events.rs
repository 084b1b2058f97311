//! Picking the events that bear on activation out of at least 200 MB of event logs, beside the evtx crate rendering all of them as
//! JSON lines (what `evtx_dump -t 1 -o jsonl` does) and beside a plain read of the same bytes.
//!
//! ```text
//! ACTRIAGE_CORPUS=<folder> cargo bench --bench events            # wall-clock timings
//! ACTRIAGE_CORPUS=<folder> cargo bench --bench events -- cpu     # processor time, Linux only
//! ACTRIAGE_CORPUS=<folder> cargo bench --bench events -- memory  # peak memory, Linux only
//! ACTRIAGE_CORPUS=<folder> EVTX_DUMP=<program> cargo bench --bench events -- evtx_dump  # beside the program itself, Linux only
//! ```
//!
//! Two sets of logs: `files` are the logs of the corpus as they are, over and over; `full` are 20 MB logs made of its well-filled
//! chunks, as a machine has them that has been in use for a while. Without a corpus both are made by the workshop.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

#[path = "../tests/workshop/evtx/mod.rs"]
#[allow(dead_code, unused_imports)]
mod workshop;

use std::hint::black_box;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use actriage::artifact::event::EventFilter;
use actriage::artifact::evtx;
use divan::Bencher;
use divan::counter::BytesCount;
use rayon::prelude::*;

use workshop::{EventSpec, LogBuilder, Value, crc32};

/// Bytes of each set.
const ENOUGH: usize = 200_000_000;
const FILE_HEADER: usize = 0x1000;
const CHUNK: usize = 0x1_0000;
/// Chunks of a 20 MB log, the usual limit of the System and Application logs.
const CHUNKS_OF_A_LOG: usize = 320;

/// Providers and ids that the checks look at.
const ACTIVATION: &[(&str, &[u32])] = &[
    ("Service Control Manager", &[7000, 7001, 7003, 7009, 7011, 7022, 7023, 7024, 7031, 7034, 7038, 7040]),
    ("EventLog", &[6005, 6006, 6008, 6009, 6011, 6013]),
    ("Microsoft-Windows-Eventlog", &[104, 1102]),
    ("Schannel", &[36871, 36874, 36876, 36880, 36881, 36882, 36884, 36887, 36888]),
    ("Microsoft-Windows-NCSI", &[4012, 4042]),
    ("Microsoft-Windows-NetworkProfile", &[4004, 10000, 10001, 10002, 20001, 20002]),
    ("Microsoft-Windows-NlaSvc", &[4205, 4343, 4353, 4356, 4401, 4402]),
    ("Microsoft-Windows-DNS-Client", &[1012, 1014, 1023, 3008, 3020]),
    ("Microsoft-Windows-Time-Service", &[34, 35, 36, 37, 38, 46, 47, 48, 50, 51, 52, 129, 130, 131, 134]),
    ("Microsoft-Windows-Winsock-WS2HELP", &[]),
    ("Microsoft-Windows-WinHttp", &[804, 807, 808, 811, 812, 815, 1053]),
    ("Microsoft-Windows-WinINet-Config", &[5600]),
    ("Microsoft-Windows-Bits-Client", &[59, 60, 61]),
    ("Microsoft-Windows-CAPI2", &[11, 30, 41, 50, 51, 4107]),
    ("Microsoft-Windows-AAD", &[1006, 1081, 1084, 1095, 1097, 1098, 1104, 1144]),
    ("Microsoft-Windows-User Device Registration", &[]),
    ("Microsoft-Windows-AppModel-State", &[10, 11, 12, 13, 20, 21, 22, 23, 24]),
    ("Microsoft-Windows-AppXDeployment-Server", &[401, 404, 419, 441, 442, 453, 454]),
    ("Microsoft-Windows-AppLocker", &[8004, 8007, 8020, 8022, 8025]),
    ("Microsoft-Windows-Windows Defender", &[1121, 1125, 1126, 5001, 5007, 5013]),
    ("Microsoft-Windows-Security-SPP", &[]),
    ("Microsoft Office 16 Alerts", &[300]),
    ("Microsoft Office 16", &[2011]),
    ("Application Error", &[1000]),
    ("Microsoft-Windows-TPM-WMI", &[]),
    ("TPM", &[12, 14, 15, 16, 17, 18, 24]),
    ("Microsoft-Windows-WindowsUpdateClient", &[16, 19, 20, 25, 31]),
];

/// What a check for one kind of fault wants.
const FEW: &[(&str, &[u32])] = &[
    ("Service Control Manager", &[7023, 7031, 7034]),
    ("Schannel", &[36871, 36887, 36888]),
    ("Microsoft-Windows-AAD", &[1098]),
];

fn filter(wanted: &[(&str, &[u32])]) -> EventFilter {
    let mut filter = EventFilter::default();
    wanted.iter().for_each(|(provider, ids)| filter.want(provider, ids));
    filter
}

/// Every `.evtx` file below a folder, in a fixed order.
fn find_logs(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            find_logs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "evtx") {
            found.push(path);
        }
    }
}

/// The logs that the sets are made of.
fn sources() -> Vec<Vec<u8>> {
    let Some(root) = std::env::var_os("ACTRIAGE_CORPUS").map(PathBuf::from) else {
        eprintln!("ACTRIAGE_CORPUS is not set: the logs are made");
        return vec![made_log()];
    };
    let root = [root.join("corpus/evtx"), root.join("evtx")].into_iter().find(|path| path.is_dir()).unwrap();
    let mut paths = Vec::new();
    find_logs(&root, &mut paths);
    let logs = paths.iter().map(|path| std::fs::read(path).unwrap());
    logs.filter(|bytes| bytes.starts_with(b"ElfFile\0")).collect()
}

/// A log of 20,000 records, one in ten of which is wanted.
fn made_log() -> Vec<u8> {
    let event = |number: u32| {
        let (provider, id) = match number % 10 {
            0 => ("Service Control Manager", 7023),
            other => ("Microsoft-Windows-Kernel-General", 10 + other as u16),
        };
        EventSpec::new(provider, id, "2026-11-19T08:00:00Z")
            .items(&[
                ("param1", "Netzwerklistendienst"),
                ("param2", "%%21"),
                ("param3", "C:\\Windows\\System32\\svchost.exe"),
            ])
            .data("Number", Value::u32(number))
            .user_sid("S-1-5-18")
    };
    LogBuilder::new("System").events((0..20_000).map(event)).build()
}

fn repeated(logs: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut total = 0;
    let enough = |log: &&Vec<u8>| {
        let before = total;
        total += log.len();
        before < ENOUGH
    };
    logs.iter().cycle().take_while(enough).cloned().collect()
}

/// Logs of 320 chunks out of all chunks that are at least 88 % full, with the records numbered anew.
fn full(logs: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let free = |chunk: &[u8]| u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize;
    let chunks: Vec<&[u8]> = logs
        .iter()
        .flat_map(|log| log[FILE_HEADER..].chunks_exact(CHUNK))
        .filter(|chunk| chunk.starts_with(b"ElfChnk\0") && (CHUNK * 88 / 100..=CHUNK).contains(&free(chunk)))
        .collect();
    let mut source = chunks.iter().cycle();
    (0..ENOUGH.div_ceil(CHUNKS_OF_A_LOG * CHUNK))
        .map(|_| {
            let mut log = logs[0][..FILE_HEADER].to_vec();
            let mut number = 1;
            for chunk in source.by_ref().take(CHUNKS_OF_A_LOG) {
                log.extend(numbered_anew(chunk, free(chunk), &mut number));
            }
            log
        })
        .collect()
}

fn numbered_anew(chunk: &[u8], free: usize, number: &mut u64) -> Vec<u8> {
    let mut chunk = chunk.to_vec();
    let first = *number;
    let mut at = 512;
    while at + 28 <= free && chunk[at..].starts_with(b"**\0\0") {
        let size = u32::from_le_bytes(chunk[at + 4..at + 8].try_into().unwrap()) as usize;
        chunk[at + 8..at + 16].copy_from_slice(&number.to_le_bytes());
        *number += 1;
        at += size;
    }
    for (place, value) in [(8, first), (16, *number - 1), (24, first), (32, *number - 1)] {
        chunk[place..place + 8].copy_from_slice(&value.to_le_bytes());
    }
    let sum = crc32(&chunk[512..free]);
    chunk[52..56].copy_from_slice(&sum.to_le_bytes());
    let sum = crc32(&[&chunk[..120], &chunk[128..512]].concat());
    chunk[124..128].copy_from_slice(&sum.to_le_bytes());
    chunk
}

struct Set {
    logs: Vec<Vec<u8>>,
    bytes: usize,
}

impl Set {
    fn new(name: &str, logs: Vec<Vec<u8>>) -> Self {
        let bytes = logs.iter().map(Vec::len).sum();
        let read: Vec<_> = logs.iter().map(|log| evtx::read(log, &filter(ACTIVATION))).collect();
        let records: u64 = read.iter().map(|log| log.records).sum();
        let hits: usize = read.iter().map(|log| log.events.len()).sum();
        let few: usize = logs.iter().map(|log| evtx::read(log, &filter(FEW)).events.len()).sum();
        eprintln!(
            "{name}: {} logs, {} MB, {records} records, {hits} wanted for activation, {few} of the few kinds",
            logs.len(),
            bytes / 1_000_000
        );
        Self { logs, bytes }
    }
}

static FILES: LazyLock<Set> = LazyLock::new(|| Set::new("files", repeated(&sources())));
static FULL: LazyLock<Set> = LazyLock::new(|| Set::new("full", full(&sources())));

fn set(name: &str) -> &'static Set {
    if name == "files" { &FILES } else { &FULL }
}

/// Runs `work` over the logs on so many threads.
fn over(bencher: Bencher<'_, '_>, name: &str, threads: usize, work: impl Fn(&[u8]) + Sync) {
    let set = set(name);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    bencher
        .counter(BytesCount::new(set.bytes))
        .bench_local(|| pool.install(|| set.logs.par_iter().for_each(|log| work(log))));
}

/// Every byte is looked at once.
#[divan::bench(args = ["files", "full"])]
fn plain_read(bencher: Bencher<'_, '_>, name: &str) {
    over(bencher, name, 1, sum);
}

fn sum(log: &[u8]) {
    let words = log.as_chunks::<8>().0;
    black_box(words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word))));
}

fn render_all(log: &[u8]) {
    let settings = ::evtx::ParserSettings::default().num_threads(1).indent(false);
    let mut parser =
        ::evtx::EvtxParser::from_read_seek(Cursor::new(log)).unwrap().with_configuration(settings);
    for chunk in parser.chunks_json_bytes(false) {
        std::io::sink().write_all(black_box(&chunk.data)).unwrap();
    }
}

#[divan::bench(args = ["files", "full"])]
fn evtx_crate_json_lines_1_thread(bencher: Bencher<'_, '_>, name: &str) {
    over(bencher, name, 1, render_all);
}

#[divan::bench(args = ["files", "full"])]
fn evtx_crate_json_lines_2_threads(bencher: Bencher<'_, '_>, name: &str) {
    over(bencher, name, 2, render_all);
}

#[divan::bench(args = ["files", "full"])]
fn activation_events_1_thread(bencher: Bencher<'_, '_>, name: &str) {
    let filter = filter(ACTIVATION);
    over(bencher, name, 1, |log| drop(black_box(evtx::read(log, &filter))));
}

#[divan::bench(args = ["files", "full"])]
fn activation_events_2_threads(bencher: Bencher<'_, '_>, name: &str) {
    let filter = filter(ACTIVATION);
    over(bencher, name, 2, |log| drop(black_box(evtx::read(log, &filter))));
}

#[divan::bench(args = ["files", "full"])]
fn few_events_1_thread(bencher: Bencher<'_, '_>, name: &str) {
    let filter = filter(FEW);
    over(bencher, name, 1, |log| drop(black_box(evtx::read(log, &filter))));
}

#[divan::bench(args = ["files", "full"])]
fn few_events_2_threads(bencher: Bencher<'_, '_>, name: &str) {
    let filter = filter(FEW);
    over(bencher, name, 2, |log| drop(black_box(evtx::read(log, &filter))));
}

#[divan::bench(args = ["files", "full"])]
fn every_event_1_thread(bencher: Bencher<'_, '_>, name: &str) {
    over(bencher, name, 1, |log| drop(black_box(evtx::read(log, &EventFilter::everything()))));
}

/// Processor time of all threads together for each task, the best of five runs: what a busy machine distorts least.
fn cpu() {
    let spent = || -> u64 {
        // Nanoseconds on a processor (Documentation/scheduler/sched-stats.rst of the kernel).
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    };
    let (activation, few) = (filter(ACTIVATION), filter(FEW));
    let everything = EventFilter::everything();
    type Task<'t> = (&'t str, Box<dyn Fn(&[u8]) + Sync + 't>);
    let tasks: [Task<'_>; 5] = [
        ("plain read", Box::new(sum)),
        ("evtx crate, JSON lines", Box::new(render_all)),
        ("activation events", Box::new(|log| drop(black_box(evtx::read(log, &activation))))),
        ("few events", Box::new(|log| drop(black_box(evtx::read(log, &few))))),
        ("every event", Box::new(|log| drop(black_box(evtx::read(log, &everything))))),
    ];
    for (set, threads) in [(&*FILES, 1), (&*FILES, 2), (&*FULL, 1), (&*FULL, 2)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let total = || pool.broadcast(|_| spent()).iter().sum::<u64>();
        println!("{threads} thread(s):");
        for (name, task) in &tasks {
            let run = || {
                let before = total();
                pool.install(|| set.logs.par_iter().for_each(|log| task(log)));
                total() - before
            };
            let best = (0..5).map(|_| run()).min().unwrap();
            println!(
                "{name:24} {:8.1} ms {:8.0} MB/s",
                best as f64 / 1e6,
                set.bytes as f64 * 1e3 / best as f64
            );
        }
    }
}

/// Peak resident memory of reading one 200 MB log, the bytes of the log included.
fn memory() {
    let set = full(&sources());
    let mut log = set[0][..FILE_HEADER].to_vec();
    let mut number = 1;
    for chunk in set.iter().flat_map(|log| log[FILE_HEADER..].chunks_exact(CHUNK)) {
        let free = u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize;
        log.extend(numbered_anew(chunk, free, &mut number));
    }
    drop(set);
    // The file stands for the log of a bundle: only what reading it takes is measured.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.evtx");
    std::fs::write(&path, &log).unwrap();
    drop(log);
    let peak = |what: &str| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        println!("{what}: {} MB", kib * 1024 / 1_000_000);
        kib
    };
    // Resets the high-water mark (proc(5)).
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak("resident before");
    let bytes = std::fs::read(&path).unwrap();
    let read = evtx::read(&bytes, &filter(ACTIVATION));
    let after = peak("peak while reading");
    println!("log: {} MB, {} records, {} decoded", bytes.len() / 1_000_000, read.records, read.events.len());
    let ratio = ((after - before) * 1024) as f64 / bytes.len() as f64;
    println!("peak memory is {ratio:.2} times the log");
}

/// The evtx_dump program (`cargo install evtx --version 0.15.1`; `EVTX_DUMP` names it) over the same files, one process a file and its
/// output thrown away, and ours reading and filtering the same files: processor time in ticks of 10 ms, the best of five.
fn evtx_dump() {
    let program = std::env::var_os("EVTX_DUMP").unwrap_or_else(|| "evtx_dump".into());
    // Fields 14 to 17 of stat(5): own user and system time, those of children that were waited for.
    let ticks = |field: usize| -> u64 {
        let text = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<u64> = text
            .rsplit_once(") ")
            .unwrap()
            .1
            .split_whitespace()
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        fields[field - 3] + fields[field - 2]
    };
    let (activation, few) = (filter(ACTIVATION), filter(FEW));
    for (name, set) in [("files", &*FILES), ("full", &*FULL)] {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = set
            .logs
            .iter()
            .enumerate()
            .map(|(number, log)| {
                let path = folder.path().join(format!("{number}.evtx"));
                std::fs::write(&path, log).unwrap();
                path
            })
            .collect();
        let best = |work: &dyn Fn(&Path), field: usize| -> u64 {
            let run = || {
                let before = ticks(field);
                paths.iter().for_each(|path| work(path));
                ticks(field) - before
            };
            (0..5).map(|_| run()).min().unwrap()
        };
        let theirs = |path: &Path| {
            let mut command = std::process::Command::new(&program);
            command.args(["-t", "1", "-o", "jsonl"]).arg(path);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            command.status().unwrap();
        };
        let dump = best(&theirs, 16);
        for (task, filter) in [("activation events", &activation), ("few events", &few)] {
            let ours = |path: &Path| drop(black_box(evtx::read(&std::fs::read(path).unwrap(), filter)));
            let own = best(&ours, 14);
            println!(
                "{name}: evtx_dump {} ms, {task} {} ms, {:.1} times",
                dump * 10,
                own * 10,
                dump as f64 / own.max(1) as f64
            );
        }
    }
}

fn main() {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    match () {
        () if asked("cpu") => cpu(),
        () if asked("memory") => memory(),
        () if asked("evtx_dump") => evtx_dump(),
        () => divan::main(),
    }
}
