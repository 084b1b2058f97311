//! Transaction logs that the workshop wrote: a log turns one state of a hive into the next, and only the log knows the new one.

use actriage::artifact::hive::Hive;
use actriage::artifact::hive::log::{Fit, HiveLog, Replay};

use crate::workshop::hive::{HiveBuilder, log};

const PATH: &str = r"\SystemRoot\System32\Config\SYSTEM";

/// A hive in which `Start` has this value; the padding makes states differ in more than one page.
fn state(start: u32) -> Vec<u8> {
    HiveBuilder::new()
        .file_name(PATH)
        .key(r"ControlSet001\Services\NlaSvc")
        .dword("Start", start)
        .key("Zzz")
        .binary("Padding", &vec![start as u8; 20_000 * start as usize])
        .build()
}

/// The first state, with these sequence numbers.
fn dirty(primary: u32, secondary: u32) -> Vec<u8> {
    let mut hive = state(2);
    log::set_sequences(&mut hive, primary, secondary);
    hive
}

fn replay(hive: Vec<u8>, logs: &[Vec<u8>]) -> (Hive, Replay) {
    for log in logs {
        assert!(HiveLog::recognise(log) && !Hive::recognise(log));
    }
    let logs: Vec<HiveLog> = logs.iter().map(|log| HiveLog::open(log.clone()).unwrap()).collect();
    Hive::open(hive).unwrap().replay(&logs)
}

fn start(hive: &Hive) -> u32 {
    let key = hive.key(r"ControlSet001\Services\NlaSvc").unwrap().unwrap();
    key.value("Start").unwrap().unwrap().as_u32().unwrap()
}

#[test]
fn a_value_that_only_the_log_holds_is_found() {
    let log = log::new_format(&[&state(2), &state(4)], 10);
    let (hive, replay) = replay(dirty(11, 10), &[log]);
    assert_eq!(start(&hive), 4);
    assert!(replay.clean && !hive.is_dirty(), "{replay:?}");
    assert_eq!(replay.summary, "log 1: 1 entry applied, sequence 10 to 10");
    // The hive has grown to what the writer made of the new state.
    assert_eq!(hive.as_bytes()[4096..], state(4)[4096..]);
    assert_eq!(hive.base_block().secondary_sequence, 10);
    assert!(hive.problems().is_empty(), "{:?}", hive.problems());
}

#[test]
fn both_logs_in_the_order_of_their_numbers() {
    let first = log::new_format(&[&state(2), &state(3), &state(1)], 10);
    let second = log::new_format(&[&state(1), &state(4)], 12);
    for logs in [[first.clone(), second.clone()], [second.clone(), first.clone()]] {
        let (hive, replay) = replay(dirty(11, 10), &logs);
        assert_eq!((start(&hive), replay.clean), (4, true), "{replay:?}");
        let entries: Vec<(usize, u32, u32)> = replay
            .applied
            .iter()
            .map(|part| (part.entries, part.first_sequence, part.last_sequence))
            .collect();
        assert_eq!(entries, [(2, 10, 11), (1, 12, 12)]);
    }
    // The numbers may run over.
    let first = log::new_format(&[&state(2), &state(3)], u32::MAX);
    let second = log::new_format(&[&state(3), &state(4)], 0);
    let (hive, replay) = replay(dirty(0, u32::MAX), &[second, first]);
    assert_eq!((start(&hive), replay.applied.len(), replay.clean), (4, 2, true));
}

#[test]
fn a_clean_hive_ignores_its_logs() {
    let (hive, replay) = replay(dirty(11, 11), &[log::new_format(&[&state(2), &state(4)], 11)]);
    assert_eq!((start(&hive), replay.clean, replay.applied.len()), (2, true, 0));
}

#[test]
fn a_log_from_before_the_last_write_is_not_applied() {
    let (hive, replay) = replay(dirty(11, 10), &[log::new_format(&[&state(2), &state(4)], 9)]);
    assert_eq!(start(&hive), 2);
    assert!(!replay.clean && hive.is_dirty());
    assert_eq!(replay.summary, "no log could be applied");
    let (hive, replay) = replay_without(dirty(11, 10));
    assert!(hive.is_dirty() && !replay.clean);
}

fn replay_without(hive: Vec<u8>) -> (Hive, Replay) {
    replay(hive, &[])
}

#[test]
fn a_gap_between_the_logs_is_seen() {
    let first = log::new_format(&[&state(2), &state(3)], 10);
    let second = log::new_format(&[&state(3), &state(4)], 13);
    let (hive, replay) = replay(dirty(11, 10), &[first, second]);
    assert_eq!(start(&hive), 3);
    assert!(!replay.clean && hive.is_dirty());
    assert!(replay.summary.contains("log 2: does not go on where the one before ends"), "{}", replay.summary);
}

#[test]
fn a_torn_entry_ends_the_replay() {
    let whole = log::new_format(&[&state(2), &state(3), &state(4)], 10);
    let second_entry = 512 + log::entry(&state(2), &state(3), 10).len();
    for damage in ["a byte of a page", "a byte of the head", "cut off"] {
        let mut log = whole.clone();
        match damage {
            "a byte of a page" => *log.last_mut().unwrap() ^= 1,
            "a byte of the head" => log[second_entry + 16] ^= 1,
            _ => log.truncate(second_entry + 600),
        }
        let (hive, replay) = replay(dirty(11, 10), &[log]);
        assert_eq!((start(&hive), replay.clean, hive.is_dirty()), (3, false, true), "{damage}: {replay:?}");
        assert!(replay.summary.contains("entry 11 is damaged"), "{damage}: {}", replay.summary);
    }
    // What is left of older entries behind the new ones is no damage.
    let mut log = log::new_format(&[&state(2), &state(3)], 10);
    log.extend(log::entry(&state(1), &state(4), 7));
    let (hive, replay) = replay(dirty(11, 10), &[log]);
    assert_eq!((start(&hive), replay.clean), (3, true));
}

#[test]
fn a_damaged_base_block_takes_the_newest_log() {
    let mut hive = dirty(11, 10);
    log::break_checksum(&mut hive);
    let older = log::new_format(&[&state(2), &state(3)], 10);
    let newer = log::new_format(&[&state(2), &state(4)], 20);
    let (hive, replay) = replay(hive, &[newer, older]);
    assert_eq!((start(&hive), replay.clean, hive.is_dirty()), (4, true, false), "{replay:?}");
    assert!(hive.base_block().checksum_ok);
}

#[test]
fn a_log_with_a_damaged_base_block_is_not_used() {
    let mut log = log::new_format(&[&state(2), &state(4)], 10);
    log[508] ^= 1;
    let (hive, replay) = replay(dirty(11, 10), &[log]);
    assert_eq!((start(&hive), replay.clean), (2, false));
    assert_eq!(replay.summary, "log 1 has a damaged base block; no log could be applied");
}

#[test]
fn the_old_format() {
    let log = log::old_format(&state(2), &state(4), 11);
    let (hive, outcome) = replay(dirty(11, 10), std::slice::from_ref(&log));
    assert_eq!((start(&hive), outcome.clean, hive.is_dirty()), (4, true, false), "{outcome:?}");
    assert_eq!(hive.as_bytes()[4096..], state(4)[4096..]);
    let mut cut = log.clone();
    cut.truncate(log.len() - 512);
    let (hive, outcome) = replay(dirty(11, 10), &[cut]);
    assert!(!outcome.clean && hive.is_dirty());
    assert!(outcome.summary.contains("ends before its last page"), "{}", outcome.summary);
    // The log of an older write has an older time.
    let mut later = HiveBuilder::new()
        .last_written(u64::MAX)
        .sequences(11, 10)
        .key(r"ControlSet001\Services\NlaSvc")
        .dword("Start", 2)
        .build();
    log::set_sequences(&mut later, 11, 10);
    let (hive, outcome) = replay(later, &[log]);
    assert_eq!((start(&hive), outcome.applied.len()), (2, 0));
}

#[test]
fn logs_are_paired_by_the_path_they_hold() {
    let hive = Hive::open(state(2)).unwrap();
    let log = HiveLog::open(log::new_format(&[&state(2), &state(3)], 1)).unwrap();
    assert_eq!((log.hive_name().as_str(), log.fit(&hive)), (&PATH[PATH.len() - 31..], Fit::Path));
    let other = |path: &str| Hive::open(HiveBuilder::new().file_name(path).build()).unwrap();
    assert_eq!(log.fit(&other(r"\??\D:\copy\system")), Fit::Name);
    assert_eq!(log.fit(&other(r"\SystemRoot\System32\Config\SOFTWARE")), Fit::No);
}

#[test]
fn a_log_cannot_blow_the_hive_up() {
    // One page at the far end of the address space, with sound hashes.
    let mut far = log::new_format(&[&state(2), &state(3)], 10);
    let entry = 512;
    far[entry + 40..entry + 44].copy_from_slice(&0xffff_0000u32.to_le_bytes());
    let size = u32::from_le_bytes(far[entry + 4..entry + 8].try_into().unwrap()) as usize;
    let body = log::marvin32(&far[entry + 40..entry + size]);
    far[entry + 24..entry + 32].copy_from_slice(&body.to_le_bytes());
    let head = log::marvin32(&far[entry..entry + 32]);
    far[entry + 32..entry + 40].copy_from_slice(&head.to_le_bytes());
    let len = far.len() + state(2).len();
    let (hive, replay) = replay(dirty(11, 10), &[far]);
    assert!(hive.as_bytes().len() <= len && !replay.clean, "{replay:?}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]
    #[test]
    fn damaged_logs_are_applied_or_refused(bytes in proptest::collection::vec((0usize..40_000, proptest::num::u8::ANY), 1..8), old: bool) {
        let mut log = if old { log::old_format(&state(2), &state(3), 11) } else { log::new_format(&[&state(2), &state(3)], 10) };
        let len = log.len();
        for (at, byte) in bytes {
            log[at % len] = byte;
        }
        if let Ok(log) = HiveLog::open(log) {
            let (hive, _) = Hive::open(dirty(11, 10)).unwrap().replay(&[log]);
            proptest::prop_assert!(hive.as_bytes().len() <= dirty(11, 10).len() + len);
            proptest::prop_assert!(hive.walk().count() < 1000);
        }
    }
}
