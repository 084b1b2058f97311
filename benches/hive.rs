//! How fast the hive reader is, beside nt-hive, hivex and a plain read of the same bytes, as ratios of one run.
//!
//! `cargo bench --bench hive` measures a made hive of 200 MB; with `ACTRIAGE_CORPUS` also real ones. All readers work on the same
//! memory and take turns, each of them several times in a row; what counts is the processor time of the best turn, so that
//! other work on the machine does not. The figures in `docs/performance.md` come from here.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/workshop/mod.rs"]
mod workshop;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use actriage::artifact::hive::Hive;
use workshop::hive::HiveBuilder;

/// Turns of each candidate.
const TURNS: usize = 5;
/// Processor time of a turn. The kernel counts it in steps of a few milliseconds.
const TURN: Duration = Duration::from_millis(400);
const LOOKUPS: usize = 200;

/// What a walk met. Readers must agree on it, or they did not do the same work.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Met {
    keys: usize,
    values: usize,
    data: usize,
}

fn main() {
    println!("{:34} {:>9} {:>8} {:>12} {:>8}", "", "MB", "ms", "MB/s", "ratio");
    // A word on the command line picks hives by name; cargo adds its own `--bench`.
    let pick = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    if "made".contains(&pick) {
        measure("made", made());
    }
    if let Some(root) = std::env::var_os("ACTRIAGE_CORPUS").map(PathBuf::from) {
        let folder = root.join("corpus/hives/mkorman90+regipy/regipy_tests/data");
        for name in ["SYSTEM_B", "SYSTEM_2", "NTUSER_BAGMRU.DAT", "ntuser_software_partial"] {
            if !name.contains(&pick) {
                continue;
            }
            measure(name, std::fs::read(folder.join(name)).unwrap());
        }
    }
}

/// A hive of 200 MB with the proportions of a real one (360 bytes, two values and a few short names for each key): few keys with
/// very many subkeys, many with few.
fn made() -> Vec<u8> {
    let mut builder = HiveBuilder::new();
    for number in 0..165_000u32 {
        let id = number.wrapping_mul(0x9e37_79b1);
        let parent = ["CLSID", "Interface", "TypeLib"][number as usize % 3];
        let path = format!(r"Classes\{parent}\{{{id:08X}-4A3B-11D0-A3CC-00A0C9223196}}");
        builder = builder
            .key(&path)
            .sz("", "A class of some kind")
            .sz("AppID", "{00021401-0000-0000-C000-000000000046}")
            .key(&format!(r"{path}\InprocServer32"))
            .expand_sz("", r"%SystemRoot%\System32\component.dll")
            .sz("ThreadingModel", "Both")
            .key(&format!(r"{path}\ProgID"))
            .sz("", "Component.Object.1")
            .key(&format!(r"Microsoft\Windows\CurrentVersion\Component {}\Part {number}", number % 900))
            .dword("Version", number)
            .dword("Flags", 1)
            .binary("Digest", &[number as u8; 20]);
    }
    for number in 0..300 {
        builder = builder.key(&format!(r"Large\{number}")).binary("Data", &vec![number as u8; 90_000]);
    }
    builder.build()
}

fn measure(name: &str, bytes: Vec<u8>) {
    let megabytes = bytes.len() as f64 / 1e6;
    let hive = Hive::open(bytes).unwrap();
    let wanted = wanted(&hive);
    // All readers work on the same memory, which none of them finds warmer than the others do.
    let bytes = hive.as_bytes();
    let theirs = nt_hive::Hive::without_validation(bytes).unwrap();

    println!("{name}");
    let times = compete(&[
        ("plain read (sum of all bytes)", Box::new(|| sum(bytes))),
        ("walk: ours", Box::new(|| walk_ours(&hive))),
        ("walk: nt-hive, names as text", Box::new(|| walk_theirs(&theirs, true))),
        ("walk: nt-hive, names not decoded", Box::new(|| walk_theirs(&theirs, false))),
    ]);
    let ours = times[1].1;
    for (what, time) in &times {
        report(what, megabytes, *time, ours);
    }
    let (own, other) = (walk_ours(&hive), walk_theirs(&theirs, true));
    assert_eq!((own.keys, own.values), (other.keys, other.values));

    let times = compete(&[
        ("200 look-ups: ours", Box::new(|| look_up_ours(&hive, &wanted))),
        ("200 look-ups: nt-hive", Box::new(|| look_up_theirs(&theirs, &wanted))),
    ]);
    for (what, time) in &times {
        println!("  {what:32} {:>9} {:>8.3} {:>12} {:>8.1}", "", ms(*time), "", ratio(*time, times[0].1));
    }
    hivex(bytes, megabytes, ours);
}

type Candidate<'c> = (&'static str, Box<dyn Fn() -> Met + 'c>);

/// The best time of each candidate for one run.
fn compete(candidates: &[Candidate<'_>]) -> Vec<(&'static str, Duration)> {
    let mut best: Vec<(&'static str, Duration)> =
        candidates.iter().map(|(name, _)| (*name, Duration::MAX)).collect();
    for _ in 0..TURNS {
        for ((_, run), (_, best)) in candidates.iter().zip(&mut best) {
            let started = processor_time();
            let mut runs = 0;
            let spent = loop {
                black_box(run());
                runs += 1;
                let spent = processor_time().saturating_sub(started);
                if spent >= TURN {
                    break spent;
                }
            };
            *best = (spent / runs).min(*best);
        }
    }
    best
}

/// Processor time of this thread; where the system does not tell it, the time on the wall.
fn processor_time() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn ratio(time: Duration, ours: Duration) -> f64 {
    time.as_secs_f64() / ours.as_secs_f64()
}

fn report(what: &str, megabytes: f64, time: Duration, ours: Duration) {
    let speed = megabytes / time.as_secs_f64();
    println!("  {what:32} {megabytes:>9.1} {:>8.2} {speed:>12.0} {:>8.1}", ms(time), ratio(time, ours));
}

fn sum(bytes: &[u8]) -> Met {
    let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    Met { data: words.fold(0u64, u64::wrapping_add) as usize, ..Met::default() }
}

/// All keys with path, name, time and security descriptor, all values with name, type and data.
fn walk_ours(hive: &Hive) -> Met {
    let mut met = Met::default();
    let mut walk = hive.walk();
    while let Some(key) = walk.next() {
        met.keys += 1;
        black_box((key.name(), key.last_written(), key.security_bytes().unwrap_or_default()));
        for (value, data) in walk.values() {
            met.values += 1;
            met.data += data.bytes.len();
            black_box((value.name(), value.kind(), data.bytes.first().copied()));
        }
    }
    met
}

/// The same without paths, times and security descriptors, which nt-hive does not have.
fn walk_theirs(hive: &nt_hive::Hive<&[u8]>, text: bool) -> Met {
    let mut met = Met::default();
    walk_their_key(&hive.root_key_node().unwrap(), text, &mut met);
    met
}

fn walk_their_key(key: &nt_hive::KeyNode<'_, &[u8]>, text: bool, met: &mut Met) {
    met.keys += 1;
    let name = key.name().unwrap();
    if text {
        black_box(name.to_string_lossy());
    } else {
        black_box(name);
    }
    if let Some(Ok(values)) = key.values() {
        for value in values.flatten() {
            met.values += 1;
            let name = value.name().unwrap();
            if text {
                black_box(name.to_string_lossy());
            } else {
                black_box(name);
            }
            black_box(value.data_type().ok());
            match value.data() {
                Ok(nt_hive::KeyValueData::Small(data)) => {
                    met.data += data.len();
                    black_box(data.first().copied());
                }
                Ok(nt_hive::KeyValueData::Big(slices)) => {
                    met.data += slices.flatten().map(<[u8]>::len).sum::<usize>()
                }
                Err(_) => {}
            }
        }
    }
    if let Some(Ok(keys)) = key.subkeys() {
        for key in keys.flatten() {
            walk_their_key(&key, text, met);
        }
    }
}

/// Paths of keys all over the hive in upper case, each with the name of a value.
fn wanted(hive: &Hive) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut walk = hive.walk();
    while walk.next().is_some() {
        let path = walk.path().to_ascii_uppercase();
        if let Some((value, _)) = walk.values().last() {
            all.push((path, value.name().into_owned()));
        }
    }
    let step = (all.len() / LOOKUPS).max(1);
    all.into_iter().step_by(step).take(LOOKUPS).collect()
}

fn look_up_ours(hive: &Hive, wanted: &[(String, String)]) -> Met {
    let mut met = Met::default();
    for (path, name) in wanted {
        let key = hive.key(path).unwrap().unwrap();
        let value = key.find_value(name).unwrap().unwrap();
        met.keys += 1;
        met.data += value.data().bytes.len();
    }
    met
}

fn look_up_theirs(hive: &nt_hive::Hive<&[u8]>, wanted: &[(String, String)]) -> Met {
    let mut met = Met::default();
    let root = hive.root_key_node().unwrap();
    for (path, name) in wanted {
        if let Some(Ok(key)) = root.subpath(path) {
            met.keys += 1;
            if let Some(Ok(value)) = key.value(name) {
                met.data += value.data_size() as usize;
            }
        }
    }
    met
}

/// hivex as a program of its own: it reads the file, walks it and prints it as XML.
fn hivex(bytes: &[u8], megabytes: f64, ours: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    std::fs::write(&path, bytes).unwrap();
    let mut best = Duration::MAX;
    for _ in 0..2 {
        let started = Instant::now();
        let run = Command::new("hivexml").arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match run {
            Ok(status) if status.success() => best = best.min(started.elapsed()),
            _ => {
                println!("  hivexml                          not installed, or it refused the hive");
                return;
            }
        }
    }
    report("hivexml (process, with printing)", megabytes, best, ours);
}
