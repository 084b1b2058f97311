//! Damaged captures: no panic, and nothing that the sound capture does not say.

use actriage::artifact::capture::{self, CaptureKind, CaptureStatus};
use actriage::artifact::text::Text;
use serde_json::Value;

use super::{FOLDERS, kind_of, root_or_return};
use crate::corpus;
use crate::workshop::damage;

/// Whether a damaged text is still taken for whole by the kind's reader; if so, it says nothing that the sound one does not.
fn is_whole(path: &str, kind: CaptureKind, sound: &Value, damaged: &str, cut: bool) -> bool {
    let found = reading(kind, damaged);
    assert_eq!(found.status == CaptureStatus::Parsed, found.reason.is_none(), "{path}");
    let whole = found.status == CaptureStatus::Parsed;
    if whole {
        let data = serde_json::to_value(&found.data).unwrap();
        assert!(damage::covers(sound, &data, cut), "{path}: {data:#}\n{damaged}");
    }
    whole
}

fn reading(kind: CaptureKind, text: &str) -> capture::Reading {
    let text = Text::decode(text.as_bytes());
    let reader = capture::READERS.iter().find(|reader| reader.kind == kind).unwrap();
    (reader.read)(&capture::Block::whole(&text))
}

#[test]
fn lost_lines_and_columns_never_say_something_new() {
    let root = root_or_return!();
    let (mut texts, mut whole) = (0, 0);
    for row in corpus::tsv(&root.join("MANIFEST.tsv")) {
        let path = row["path"].as_str();
        let Some(kind) = kind_of(path) else { continue };
        let text = Text::decode(&std::fs::read(root.join(path)).unwrap());
        let text: Vec<&str> = text.lines().map(|(_, line)| line).collect();
        let text = text.join("\n");
        let sound = serde_json::to_value(&reading(kind, &text).data).unwrap();
        // Long files repeat themselves, so not every line of them is taken.
        let step = 1 + text.lines().count() / 60;
        for damaged in damage::without_lines(&text, 3).into_iter().step_by(step) {
            whole += usize::from(is_whole(path, kind, &sound, &damaged, false));
            texts += 1;
        }
        // The lines of a script have no columns: one that was cut is a shorter script.
        if kind != CaptureKind::NetshDump {
            for damaged in damage::without_columns(&text, 3) {
                whole += usize::from(is_whole(path, kind, &sound, &damaged, true));
                texts += 1;
            }
        }
    }
    println!("{texts} damaged texts, {whole} of them still whole and saying nothing new");
    assert!(texts > 2000 && whole > 100);
}

#[test]
fn replaced_bytes_never_panic() {
    let root = root_or_return!();
    let mut texts = 0;
    // A small generator with a fixed seed (Lehmer, modulus 2^31 - 1): the same bytes in every run.
    let mut state = 20_261_122_u64;
    let mut next = |below: usize| {
        state = state * 48_271 % 0x7fff_ffff;
        state as usize % below.max(1)
    };
    for (folder, _) in FOLDERS {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let sound = std::fs::read(entry.unwrap().path()).unwrap();
            for _ in 0..8 {
                let mut bytes = sound.clone();
                for _ in 0..1 + bytes.len() / 200 {
                    let at = next(bytes.len());
                    bytes[at] = next(256) as u8;
                }
                for found in capture::read(&Text::decode(&bytes)) {
                    assert_eq!(found.status == CaptureStatus::Parsed, found.reason.is_none());
                }
                texts += 1;
            }
        }
    }
    println!("{texts} texts with replaced bytes");
}
