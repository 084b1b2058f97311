//! Damaged input: truncated, zeroed and flipped bytes of every sample never panic and never turn a finding into "healthy".
//!
//! What a damaged file may say: the same, or that it cannot be told, or another finding. It may say "healthy" only where the damage is
//! itself a sound value (a flipped bit inside the very number or name that is cited), which no reader could know; such places are left
//! out, found by the name's bytes in the file.

use std::collections::HashSet;
use std::fs;

use actriage::checks::judgement::Status;
use actriage::report::model::Report;

use crate::checks::{Case, report_on};
use crate::samples::recipes;
use crate::workshop::recipe::File;

/// Small, seeded, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound.max(1)
    }
}

/// A bundle and the files of it that are damaged in turn: of whole machines all, of the samples of single sections those of their own
/// (what they share with the healthy base is damaged in the others).
struct Sample {
    name: String,
    files: Vec<File>,
    damaged: Vec<usize>,
}

fn samples() -> Vec<Sample> {
    let mut seen = HashSet::new();
    let mut samples: Vec<Sample> = Vec::new();
    for path in recipes() {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let files = Case { check: String::new(), name: String::new(), text }.files();
        let whole = path.parent().is_some_and(|folder| folder.ends_with("samples"));
        let damaged = (0..files.len())
            .filter(|index| seen.insert((files[*index].path.clone(), files[*index].bytes.clone())) || whole)
            .collect();
        samples.push(Sample { name, files, damaged });
    }
    samples
}

/// Findings of the sound report that the damaged one calls healthy.
fn turned<'s>(sound: &'s Report, damaged: &Report) -> Vec<&'s str> {
    let healthy = |id: &str| {
        damaged.check(id).is_some_and(|check| matches!(check.status, Status::Healthy | Status::NotApplicable))
    };
    sound
        .checks
        .iter()
        .filter(|check| check.status.is_finding() && healthy(&check.id))
        .map(|check| check.id.as_str())
        .collect()
}

fn with(files: &[File], index: usize, bytes: Vec<u8>) -> Vec<File> {
    let mut files = files.to_vec();
    files[index].bytes = bytes;
    files
}

#[test]
fn truncated_files() {
    let mut variants = 0;
    for Sample { name, files, damaged: indices } in samples() {
        let sound = report_on(&files);
        for index in indices {
            let file = &files[index];
            for part in 0..12 {
                let length = file.bytes.len() * part / 12;
                let damaged = report_on(&with(&files, index, file.bytes[..length].to_vec()));
                assert_eq!(turned(&sound, &damaged), [""; 0], "{name}: {} cut to {length} bytes", file.path);
                variants += 1;
            }
        }
    }
    assert!(variants > 100, "{variants}");
}

#[test]
fn zeroed_sectors() {
    let mut variants = 0;
    for Sample { name, files, damaged: indices } in samples() {
        let sound = report_on(&files);
        for index in indices {
            let file = &files[index];
            let sectors = file.bytes.len().div_ceil(512);
            for sector in (0..sectors).step_by(sectors.div_ceil(10).max(1)) {
                let mut bytes = file.bytes.clone();
                let end = bytes.len().min((sector + 1) * 512);
                bytes[sector * 512..end].fill(0);
                let damaged = report_on(&with(&files, index, bytes));
                assert_eq!(
                    turned(&sound, &damaged),
                    [""; 0],
                    "{name}: sector {sector} of {} zeroed",
                    file.path
                );
                variants += 1;
            }
        }
    }
    assert!(variants > 50, "{variants}");
}

#[test]
fn flipped_bits() {
    let mut random = Random(17);
    let mut variants = 0;
    for Sample { name, files, damaged: indices } in samples() {
        let sound = report_on(&files);
        let cited: Vec<Vec<u8>> = sound
            .checks
            .iter()
            .filter(|check| check.status.is_finding())
            .flat_map(|check| &check.evidence)
            .flat_map(|item| item.locator.split(['\\', '!']).map(str::to_owned).collect::<Vec<_>>())
            .map(String::into_bytes)
            .filter(|name| name.len() > 2)
            .collect();
        for index in indices {
            let file = &files[index];
            for _ in 0..24 {
                let at = random.next(file.bytes.len());
                // A line of a text is what it says: a flipped letter in it is another text.
                if file.path.ends_with(".txt") || is_cited(&file.bytes, at, &cited) {
                    continue;
                }
                let mut bytes = file.bytes.clone();
                bytes[at] ^= 1 << random.next(8);
                let damaged = report_on(&with(&files, index, bytes));
                assert_eq!(turned(&sound, &damaged), [""; 0], "{name}: bit at {at} of {} flipped", file.path);
                variants += 1;
            }
        }
    }
    assert!(variants > 100, "{variants}");
}

/// Whether an offset lies in the cell of a cited key or value: its name, or the fields in front of it.
fn is_cited(bytes: &[u8], at: usize, names: &[Vec<u8>]) -> bool {
    let around = &bytes[at.saturating_sub(40)..bytes.len().min(at + 120)];
    names.iter().any(|name| around.windows(name.len()).any(|window| window == name.as_slice()))
}
