//! Damaged hives: everything that can be reached is read, the rest is named with its offset, and nothing runs away.

use std::time::Instant;

use actriage::artifact::hive::{Fault, Hive};

use super::facts::corpus;
use crate::corpus::tsv;
use crate::workshop::hive::{HiveBuilder, ListKind, sd};

/// What a full walk with values, data and security met.
#[derive(Debug, Default, PartialEq)]
struct Met {
    keys: usize,
    values: usize,
    data: usize,
    problems: usize,
}

fn read_all(hive: &Hive) -> Met {
    let mut met = Met::default();
    let mut walk = hive.walk();
    while let Some(key) = walk.next() {
        met.keys += 1;
        assert!(walk.path().matches('\\').count() < 512);
        let _ = (key.name(), key.last_written(), key.class_name(), key.is_link());
        if let Err(fault) = key.security() {
            walk.note(fault);
        }
        for (value, data) in walk.values() {
            met.values += 1;
            met.data += data.bytes.len();
            let _ = (value.name(), value.kind());
        }
    }
    met.problems = walk.problem_count() + hive.problems().len();
    met
}

/// A small generator of numbers; the variants must be the same on every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// One kind of damage; true when it takes something away that a reader must miss.
fn damage(bytes: &mut Vec<u8>, kind: usize, random: &mut Random) -> bool {
    let len = bytes.len();
    let word = |random: &mut Random| (4096 + random.next(len - 4100)) & !3;
    match kind {
        // Single bits.
        0 => (0..1 + random.next(20)).for_each(|_| bytes[random.next(len)] ^= 1 << random.next(8)),
        // Whole words, with numbers that lengths and counts do not like.
        1 => {
            for _ in 0..1 + random.next(10) {
                let at = word(random);
                let number =
                    [0, 1, u32::MAX, 0x7fff_ffff, 0x8000_0000, len as u32, 0x20, 0xffff][random.next(8)];
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
        }
        // Words from elsewhere: offsets that are valid and wrong, which makes loops.
        2 => {
            for _ in 0..1 + random.next(30) {
                let (from, to) = (word(random), word(random));
                bytes.copy_within(from..from + 4, to);
            }
        }
        // The end is missing.
        3 => bytes.truncate(4096 + random.next(len - 4096)),
        // A page was never written, or holds another one.
        4 => {
            let at = 4096 + random.next((len - 4096) / 4096) * 4096;
            bytes[at..at + 4096].fill(0);
        }
        _ => {
            let pages = (len - 4096) / 4096;
            let (from, to) = (4096 + random.next(pages) * 4096, 4096 + random.next(pages) * 4096);
            bytes.copy_within(from..from + 4096, to);
        }
    }
    matches!(kind, 3 | 4)
}

fn hives() -> Vec<(String, Vec<u8>, usize)> {
    let made = HiveBuilder::new()
        .lists(ListKind::Lh, 7)
        .root_security(sd::user_hive("S-1-5-20"))
        .key(r"Software\Microsoft\Office")
        .binary("Large", &[5; 70_000])
        .class("class");
    let made = (0..120).fold(made, |made, number| {
        made.key(&format!(r"Software\Key {}\{number}", number % 13)).sz("v", "text").dword("n", number)
    });
    let mut hives =
        vec![("made".to_owned(), made.build(), 300), ("made, 1.3".to_owned(), made.version(3).build(), 300)];
    match corpus() {
        None => hives.iter_mut().for_each(|(_, _, variants)| *variants = 1100),
        Some(corpus) => {
            for row in
                tsv(&corpus.join("MANIFEST.tsv")).iter().filter(|row| row["path"].starts_with("hives/"))
            {
                let bytes = std::fs::read(corpus.join(&row["path"])).unwrap();
                if Hive::recognise(&bytes) && bytes.len() > 8192 {
                    let variants = match bytes.len() {
                        0..500_000 => 50,
                        500_000..2_000_000 => 12,
                        _ => 4,
                    };
                    hives.push((row["path"].clone(), bytes, variants));
                }
            }
        }
    }
    hives
}

#[test]
fn damaged_copies_are_read_in_bounded_time_and_memory() {
    let (mut variants, mut partial, mut slowest) = (0, 0, 0f64);
    for (number, (name, bytes, count)) in hives().into_iter().enumerate() {
        let whole = read_all(&Hive::open(bytes.clone()).unwrap());
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number as u64) << 32);
        for variant in 0..count {
            let mut copy = bytes.clone();
            let takes_away = damage(&mut copy, variant % 6, &mut random);
            let len = copy.len();
            let started = Instant::now();
            let Ok(hive) = Hive::open(copy) else { continue };
            let met = read_all(&hive);
            let _ = (hive.kind(), hive.user_sid(), hive.is_dirty());
            for path in ["Select", r"Software\Microsoft\Office", r"ControlSet001\Services\NlaSvc", "SAM"] {
                let _ = hive.key(path).map(|key| key.map(|key| key.value("Start")));
            }
            slowest = slowest.max(started.elapsed().as_secs_f64() / (len as f64 / 1e6).max(0.1));
            variants += 1;
            // An entry of a list takes 4 bytes; no more data is given out than there is.
            assert!(
                met.keys <= len / 4 && met.values <= len / 4 && met.data <= len,
                "{name} {variant}: {met:?}"
            );
            if takes_away && (met.keys < whole.keys || met.values < whole.values) {
                assert!(met.problems > 0, "{name} {variant}: {met:?} of {whole:?} and nothing said");
                partial += 1;
            }
        }
    }
    println!(
        "{variants} damaged copies read, {partial} of them known to be partial and marked so; slowest {slowest:.2} s a megabyte"
    );
    assert!(variants >= 2000);
    assert!(partial > 100);
}

/// Where a cell that starts with these bytes lies in the file.
fn find(bytes: &[u8], start: &[u8]) -> usize {
    (4096..bytes.len()).step_by(8).find(|at| bytes[at + 4..].starts_with(start)).unwrap()
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
}

#[test]
fn a_key_that_is_its_own_ancestor_is_read_once() {
    let mut bytes = HiveBuilder::new().key(r"A\B").dword("x", 1).build();
    // The only subkey of A becomes the root.
    let lists: Vec<usize> =
        (4096..bytes.len()).step_by(8).filter(|at| bytes[at + 4..].starts_with(b"lh")).collect();
    assert_eq!(lists.len(), 2);
    let root = u32::from_le_bytes(bytes[36..40].try_into().unwrap());
    put(&mut bytes, lists[0] + 8, root);
    let hive = Hive::open(bytes).unwrap();
    let mut walk = hive.walk();
    let mut paths = Vec::new();
    while walk.next().is_some() {
        paths.push(walk.path().to_owned());
    }
    assert_eq!(paths, ["", "A"]);
    assert_eq!((walk.problem_count(), walk.problems()[0].fault), (1, Fault::Twice));
    assert_eq!(
        walk.problems()[0].to_string(),
        "offset 0x1020: expected a cell of its own, found one that is already used elsewhere"
    );
}

#[test]
fn a_wrong_help_does_not_hide_a_key() {
    for kind in [ListKind::Lf, ListKind::Lh] {
        let builder = (0..50).fold(HiveBuilder::new().lists(kind, 20), |builder, number| {
            builder.key(&format!("Key {number}"))
        });
        let mut bytes = builder.build();
        // All hashes and hints are wrong, and the first list stands in reverse order.
        let lists: Vec<usize> = (4096..bytes.len())
            .step_by(8)
            .filter(|at| matches!(&bytes[at + 4..at + 6], b"lh" | b"lf"))
            .collect();
        for list in lists {
            let count = usize::from(u16::from_le_bytes(bytes[list + 6..list + 8].try_into().unwrap()));
            let mut offsets: Vec<[u8; 8]> =
                (0..count).map(|at| bytes[list + 8 + at * 8..][..8].try_into().unwrap()).collect();
            offsets.reverse();
            for (at, entry) in offsets.iter().enumerate() {
                bytes[list + 8 + at * 8..][..4].copy_from_slice(&entry[..4]);
                put(&mut bytes, list + 12 + at * 8, 0x4141_4141);
            }
        }
        let hive = Hive::open(bytes).unwrap();
        for number in 0..50 {
            assert!(hive.key(&format!("KEY {number}")).unwrap().is_some(), "{kind:?} {number}");
        }
        assert!(hive.key("Key 50").unwrap().is_none());
    }
}

#[test]
fn an_unreadable_neighbour_leaves_absence_open_only_where_it_must() {
    for (kind, open_question) in [(ListKind::Lh, false), (ListKind::Lf, false), (ListKind::Li, true)] {
        let mut bytes = HiveBuilder::new().lists(kind, 100).key("Broken").key("Whole").build();
        let broken = find(&bytes, b"nk\x20\0");
        assert!(bytes[broken + 80..].starts_with(b"Broken"));
        bytes[broken + 4] = b'x';
        let hive = Hive::open(bytes).unwrap();
        assert!(hive.key("whole").unwrap().is_some());
        // The list's own hash or hint says that the broken key is not "Other"; an li list says nothing.
        assert_eq!(hive.key("Other").is_err(), open_question, "{kind:?}");
        // The broken key itself is never absent.
        let error = hive.key("broken").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("offset {broken:#x}: expected a key node (nk), found the bytes 786b")
        );
    }
}

#[test]
fn cut_data_is_marked_with_what_is_left() {
    let data: Vec<u8> = (0..50_000u32).map(|at| (at / 7) as u8).collect();
    let read = |bytes: Vec<u8>| {
        let hive = Hive::open(bytes).unwrap();
        let value = hive.key("K").unwrap().unwrap().value("large").unwrap().unwrap();
        let fault = hive.key("K").unwrap().unwrap().find_value("large").unwrap().unwrap().data_fault();
        assert_eq!(value.bytes, data[..value.bytes.len()]);
        assert!(value.truncated);
        (value.bytes.len(), fault.unwrap().fault)
    };
    // Version 1.3: the one cell of the data is too small.
    let mut bytes = HiveBuilder::new().version(3).key("K").binary("Large", &data).build();
    let cell = find(&bytes, &data[..16]);
    put(&mut bytes, cell, (-1024i32).cast_unsigned());
    assert_eq!(read(bytes), (1020, Fault::CutData(50_000, 1020)));
    // Version 1.5: segments are missing at the end, or one in between is nowhere.
    let whole = HiveBuilder::new().key("K").binary("Large", &data).build();
    let mut bytes = whole.clone();
    let big = find(&bytes, b"db");
    bytes[big + 6] = 2;
    assert_eq!(read(bytes), (2 * 16_344, Fault::CutData(50_000, 2 * 16_344)));
    let mut bytes = whole.clone();
    let list = 4096 + u32::from_le_bytes(bytes[big + 8..big + 12].try_into().unwrap()) as usize;
    put(&mut bytes, list + 8, 0x7fff_fff8);
    assert_eq!(read(bytes), (16_344, Fault::Outside));
    // A length beyond all reason is bounded by the hive.
    let mut bytes = HiveBuilder::new().key("K").binary("Large", &data).build();
    let value = find(&bytes, b"vk");
    put(&mut bytes, value + 8, 0x7fff_ffff);
    let hive = Hive::open(bytes).unwrap();
    let value = hive.key("K").unwrap().unwrap().value("large").unwrap().unwrap();
    assert!(value.truncated && value.bytes.starts_with(&data) && value.bytes.len() < 4 * 16_352);
}

#[test]
fn data_that_many_values_share_is_bounded() {
    let builder = (0..200)
        .fold(HiveBuilder::new().key("K").binary("Large", &[7; 15_000]), |builder, number| {
            builder.binary(&format!("v{number}"), &[number as u8; 64])
        });
    let mut bytes = builder.build();
    // All values claim the first one's block.
    let values: Vec<usize> =
        (4096..bytes.len()).step_by(8).filter(|at| bytes[at + 4..].starts_with(b"vk")).collect();
    let large: [u8; 8] = bytes[values[0] + 8..values[0] + 16].try_into().unwrap();
    values.iter().for_each(|at| bytes[at + 8..at + 16].copy_from_slice(&large));
    let hive = Hive::open(bytes.clone()).unwrap();
    let met = read_all(&hive);
    // 201 times 15000 bytes are named; a walk gives out as much as the file has, and says so of the rest.
    assert_eq!((met.values, met.data), (201, bytes.len()));
    assert_eq!(met.problems, 201 - bytes.len() / 15_000);
    // One value that is asked for is whole.
    let value = hive.key("K").unwrap().unwrap().value("v199").unwrap().unwrap();
    assert_eq!((value.bytes, value.truncated), (vec![7; 15_000], false));
}

#[test]
fn levels_end_where_windows_ends_them() {
    let deep = vec!["k"; 600].join("\\");
    let hive = Hive::open(HiveBuilder::new().key(&deep).dword("x", 1).build()).unwrap();
    let mut walk = hive.walk();
    let levels = walk.by_ref().count();
    assert_eq!(levels, 513, "the root and 512 levels");
    assert_eq!(walk.problems().last().unwrap().fault, Fault::TooDeep);
    // A look-up goes as far as its path.
    assert!(hive.key(&deep).unwrap().is_some());
}

#[test]
fn a_bin_without_its_head_is_named_and_read() {
    let builder = (0..200)
        .fold(HiveBuilder::new(), |builder, number| builder.key(&format!("Key {number}")).sz("v", "text"));
    let mut bytes = builder.build();
    let keys = read_all(&Hive::open(bytes.clone()).unwrap()).keys;
    bytes[8192..8196].copy_from_slice(b"gbin");
    let hive = Hive::open(bytes).unwrap();
    assert_eq!(read_all(&hive).keys, keys);
    let problems: Vec<String> = hive.check().iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["offset 0x2000: expected a hive bin (hbin), found the bytes 6762696e"]);
}

#[test]
fn a_broken_key_costs_only_itself() {
    for split in [3, 100] {
        let builder = (0..9).fold(HiveBuilder::new().lists(ListKind::Lh, split), |builder, number| {
            builder.key(&format!(r"Key {number}\Below")).dword("n", number)
        });
        let mut bytes = builder.build();
        let broken: Vec<usize> =
            (4096..bytes.len() - 80).step_by(8).filter(|at| bytes[at + 80..].starts_with(b"Key ")).collect();
        assert_eq!(broken.len(), 9);
        for at in [broken[1], broken[4], broken[8]] {
            bytes[at + 4] = b'x';
        }
        let hive = Hive::open(bytes).unwrap();
        // The root, six keys and what is below them.
        assert_eq!(read_all(&hive), Met { keys: 13, values: 6, data: 24, problems: 3 });
        assert!(hive.key(r"Key 7\Below").unwrap().is_some());
    }
}

#[test]
fn damaged_hives_of_the_corpus() {
    let Some(corpus) = corpus() else { return };
    for (path, keys, values, problems) in [
        // libregf reads 100 keys and 99 values of this one: one entry of a list is wild (dissect stops there, at 9 keys).
        ("log2timeline+plaso/test_data/regf/corrupt_sub_key_list.hiv", 100, 99, 1),
        // A loop: libregf goes round it (1064 keys), dissect does not come back. Of the 666 keys of the sound NTUSER.DAT beside
        // it, one list entry is overwritten, and with it the ten values of that key are gone.
        ("puffyCid+artemis/forensics/tests/test_data/windows/registry/win10/NTUSER_Bad.DAT", 665, 1079, 1),
        // A bin without its signature costs nothing: as many as in the sound SAM beside it.
        ("EricZimmerman+Registry/Registry.Test/Hives/SAMBadHBinHeader", 68, 73, 1),
        ("EricZimmerman+Registry/Registry.Test/Hives/SAN(OTHER)", 68, 73, 1),
    ] {
        let hive = Hive::open(std::fs::read(corpus.join("hives").join(path)).unwrap()).unwrap();
        let met = read_all(&hive);
        assert_eq!((met.keys, met.values, met.problems), (keys, values, problems), "{path}");
    }
    // Neither libregf nor dissect gets past the root of this one. At least 200 of its keys were looked up by another reader.
    let bytes =
        std::fs::read(corpus.join("hives/mkorman90+regipy/regipy_tests/data/corrupted_system_hive")).unwrap();
    let hive = Hive::open(bytes).unwrap();
    let met = read_all(&hive);
    println!("corrupted_system_hive: {met:?}");
    assert!(met.keys > 1500 && met.values > 5000 && met.problems > 100);
    assert!(!hive.key("Select").unwrap().unwrap().values().flatten().next().unwrap().name().is_empty());
}

#[test]
fn a_key_and_its_list_that_disagree_are_named() {
    let mut bytes = HiveBuilder::new().key("A").key("B").build();
    let root = find(&bytes, b"nk\x2c\0");
    put(&mut bytes, root + 4 + 20, 3);
    let hive = Hive::open(bytes).unwrap();
    assert_eq!(hive.root().unwrap().subkeys().count(), 2);
    assert_eq!(
        hive.check()[0].to_string(),
        format!("offset {root:#x}: expected a list of 3 subkeys, found one of 2")
    );
}

#[test]
fn a_missing_root_is_an_error() {
    let mut bytes = HiveBuilder::new().key("Software").build();
    put(&mut bytes, 36, 0x10_0000);
    let hive = Hive::open(bytes).unwrap();
    assert!(matches!(hive.root().unwrap_err().fault, Fault::Outside));
    assert!(hive.key("Software").is_err());
    assert_eq!((hive.walk().count(), hive.user_sid()), (0, None));
    assert!(hive.root_security().is_err());
    assert!(!hive.problems().is_empty());
}

#[test]
fn what_is_no_hive_is_refused() {
    for bytes in [&b""[..], b"regf", &[0; 5000], b"MZ\0\0", &[b'r'; 600]] {
        assert!(!Hive::recognise(bytes));
        assert!(Hive::open(bytes.to_vec()).is_err());
    }
    let error = Hive::open(vec![0; 4096]).unwrap_err();
    assert_eq!(error.to_string(), "offset 0x0: expected the signature regf, found another one");
}

proptest::proptest! {
    #[test]
    fn any_bytes_behind_a_base_block(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..2000), root in 0u32..2200) {
        let mut bytes = HiveBuilder::new().build();
        bytes.truncate(4096);
        bytes.extend(tail);
        put(&mut bytes, 36, root);
        let hive = Hive::open(bytes).unwrap();
        let _ = (read_all(&hive), hive.kind(), hive.key("a"));
    }
}
