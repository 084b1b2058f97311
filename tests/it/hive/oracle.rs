//! Independent readers: what the workshop writes must read the same in nt-hive, hivex and reglookup as in ours.

use std::process::Command;

use actriage::artifact::hive::{Hive, Key};
use proptest::prelude::*;

use super::made::{key, open};
use crate::workshop::hive::{HiveBuilder, ListKind, sd};

type Theirs<'h, 'b> = nt_hive::KeyNode<'h, &'b [u8]>;

/// Compares two keys with all that is below them.
fn same(ours: Key<'_>, theirs: &Theirs<'_, '_>, minor: u32) {
    let name = ours.name();
    assert_eq!(name, theirs.name().unwrap().to_string_lossy());
    let class = theirs.class_name().map(|class| class.unwrap().to_string_lossy());
    assert_eq!(ours.class_name(), class, "{name}");
    let mut their_values = theirs.values().map(|values| values.unwrap()).into_iter().flatten();
    for value in ours.values() {
        let value = value.unwrap();
        let their = their_values.next().expect("nt-hive has fewer values").unwrap();
        assert_eq!(value.name(), their.name().unwrap().to_string_lossy());
        // nt-hive reads the stored length alike, and the type only where it knows it.
        assert_eq!(value.data_len(), their.data_size());
        if let Ok(kind) = their.data_type() {
            assert_eq!(value.kind().0, kind as u32);
        } else {
            assert!(value.kind().0 > 11);
        }
        // A version-1.3 hive keeps data of any length in one cell; nt-hive takes it for big data there and refuses it.
        if minor > 3 || value.data_len() <= 16_344 {
            let bytes = their.data().unwrap().into_vec().unwrap();
            assert_eq!(*value.data().bytes, *bytes, "{name}!{}", value.name());
        }
        assert_eq!(value.data_fault(), None);
    }
    assert!(their_values.next().is_none(), "nt-hive has more values");
    let mut their_keys = theirs.subkeys().map(|keys| keys.unwrap()).into_iter().flatten();
    for subkey in ours.subkeys() {
        same(subkey.unwrap(), &their_keys.next().expect("nt-hive has fewer keys").unwrap(), minor);
    }
    assert!(their_keys.next().is_none(), "nt-hive has more keys");
}

/// Names from every alphabet that the two encodings and the case rules tell apart.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 _{}.-]{1,12}",
        "[à-ÿa-zÀ-Þ]{1,6}",
        "[α-ωΑ-Ρа-яА-Я]{1,6}",
        "[一-丂😀-😂a-c]{1,4}",
        "[A-Z]{200,255}",
    ]
}

#[derive(Debug, Clone)]
struct Shape {
    keys: Vec<(Vec<String>, Option<String>, u64)>,
    values: Vec<(usize, String, u32, usize)>,
    minor: u32,
    list: usize,
    split: usize,
    wide: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let key = (proptest::collection::vec(name(), 1..5), proptest::option::of("[A-Za-z]{1,9}"), any::<u64>());
    let len = prop_oneof![0usize..40, 16_300usize..16_400, 32_600usize..33_000, 60_000usize..60_010];
    let value = (any::<usize>(), prop_oneof![Just(String::new()), name()], 0u32..14, len);
    let lists = (prop_oneof![Just(3u32), Just(5u32), Just(6u32)], 0usize..3, 1usize..6, any::<bool>());
    (proptest::collection::vec(key, 1..30), proptest::collection::vec(value, 0..30), lists).prop_map(
        |(keys, values, (minor, list, split, wide))| Shape { keys, values, minor, list, split, wide },
    )
}

fn build(shape: &Shape) -> HiveBuilder {
    let kinds = [ListKind::Li, ListKind::Lf, ListKind::Lh];
    let mut builder = HiveBuilder::new().version(shape.minor).lists(kinds[shape.list], shape.split);
    if shape.wide {
        builder = builder.wide_names();
    }
    for (path, class, time) in &shape.keys {
        builder = builder.key(&path.join("\\")).time(*time);
        if let Some(class) = class {
            builder = builder.class(class);
        }
    }
    for (at, name, kind, len) in &shape.values {
        let (path, ..) = &shape.keys[at % shape.keys.len()];
        builder = builder.key(&path.join("\\")).value(name, *kind, vec![*kind as u8; *len]);
    }
    builder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..Default::default() })]

    #[test]
    fn nt_hive_reads_the_same(shape in shape()) {
        let bytes = build(&shape).build();
        let ours = Hive::open(bytes.clone()).unwrap();
        // Files of a version that nt-hive does not know it reads without its checks.
        let theirs = nt_hive::Hive::without_validation(&bytes[..]).unwrap();
        same(ours.root().unwrap(), &theirs.root_key_node().unwrap(), shape.minor);
        prop_assert!(ours.problems().is_empty());
        let mut walk = ours.walk();
        while walk.next().is_some() {
            walk.values().for_each(drop);
        }
        prop_assert_eq!(walk.problem_count(), 0);
        // Look-ups in both, in upper and lower case.
        for (path, _, time) in &shape.keys {
            for path in [path.join("\\"), path.join("\\").to_ascii_uppercase(), path.join("\\").to_ascii_lowercase()] {
                let found = ours.key(&path).unwrap().unwrap();
                let same_time = shape.keys.iter().any(|(_, _, other)| *other == found.last_written().ticks());
                prop_assert!(same_time, "{} {}", time, path);
                // Order in lists is by upper-case units; nt-hive's search finds what is sorted that way.
                let their = theirs.root_key_node().unwrap();
                let their = their.subpath(&path).unwrap().unwrap();
                prop_assert_eq!(their.name().unwrap().to_string_lossy(), found.name());
            }
            let absent = format!("{}\\no such key", path.join("\\"));
            prop_assert!(ours.key(&absent).unwrap().is_none());
        }
    }
}

#[test]
fn letters_fold_as_in_nt_hive() {
    // Its table holds the one-to-one mappings of UnicodeData.txt for the basic plane. A key named by each letter is looked up by
    // that letter's upper case in both readers.
    let mut letters: Vec<char> = (0x80..0xfffe).filter_map(char::from_u32).collect();
    letters.retain(|letter| letter.to_uppercase().next() != Some(*letter));
    let (mut compared, mut theirs_only, mut ours_only) = (0, String::new(), String::new());
    for letter in letters {
        let bytes = HiveBuilder::new().lists(ListKind::Li, 9).key(&letter.to_string()).build();
        let ours = Hive::open(bytes.clone()).unwrap();
        let theirs = nt_hive::Hive::new(&bytes[..]).unwrap();
        let mut upper = letter.to_uppercase();
        let simple = (upper.next(), upper.next());
        // Letters whose full upper case is several letters may still have a simple one: the Greek ones with iota subscript.
        let wanted = match (simple, u32::from(letter)) {
            ((Some(single), None), _) => single,
            (_, code @ (0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7)) => {
                char::from_u32(code + 8).unwrap()
            }
            (_, code @ (0x1fb3 | 0x1fc3 | 0x1ff3)) => char::from_u32(code + 9).unwrap(),
            _ => continue,
        };
        let found = ours.key(&wanted.to_string()).unwrap().is_some();
        let found_there = theirs.root_key_node().unwrap().subkey(&wanted.to_string()).is_some();
        compared += 1;
        match (found, found_there) {
            (true, false) => ours_only.push(letter),
            (false, true) => theirs_only.push(letter),
            _ => {}
        }
    }
    println!("{compared} letters; only here: {ours_only:?}, only there: {theirs_only:?}");
    assert_eq!(theirs_only, "");
    // Letters that Unicode added after nt-hive's table was made, if any.
    assert!(compared > 1000 && ours_only.chars().count() < 20);
}

/// A hive with something of everything, for the command-line readers.
fn sample() -> HiveBuilder {
    let mut builder = HiveBuilder::new()
        .root_security(sd::user_hive("S-1-5-20"))
        .key(r"Software\Policies")
        .sz("Text", "plain text")
        .expand_sz("Expand", "%TEMP%")
        .dword("Number", 0x1234)
        .qword("Long", 0x1_0000_0002)
        .multi_sz("List", &["one", "two"])
        .binary("Bytes", &[1, 2, 3, 4, 5, 6])
        .key("Many");
    for number in 0..700 {
        builder = builder.key(&format!(r"Many\Key {number}"));
    }
    builder.key("Large").binary("Data", &[9; 40_000])
}

/// Runs a tool on the hive; `None` when it is not installed.
fn run(tool: &str, bytes: &[u8], arguments: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hive");
    std::fs::write(&path, bytes).unwrap();
    let Ok(output) = Command::new(tool).arg(&path).args(arguments).output() else {
        println!("{tool} is not installed: nothing compared");
        return None;
    };
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn hivex_reads_the_writer() {
    for minor in [3, 5] {
        let builder = sample().version(minor);
        let bytes = builder.build();
        let Some(values) = run("hivexget", &bytes, &[r"Software\Policies"]) else { return };
        for line in [
            r#""Text"="plain text""#,
            r#""Number"=dword:00001234"#,
            r#""Long"=hex(11):02,00,00,00,01,00,00,00"#,
            r#""Bytes"=hex(3):01,02,03,04,05,06"#,
        ] {
            assert!(values.lines().any(|own| own == line), "{line} in\n{values}");
        }
        let large = run("hivexget", &bytes, &["Large", "Data"]).unwrap();
        assert_eq!(large.trim_end_matches('\n').len(), 40_000, "version 1.{minor}");
        // The tree as hivexsh prints it.
        let folder = tempfile::tempdir().unwrap();
        let (hive, script) = (folder.path().join("hive"), folder.path().join("script"));
        std::fs::write(&hive, &bytes).unwrap();
        std::fs::write(&script, "cd \\Many\nls\n").unwrap();
        let output = Command::new("hivexsh").arg("-f").arg(&script).arg(&hive).output().unwrap();
        let mut theirs: Vec<String> =
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        let ours = open(&builder);
        let mut names: Vec<String> =
            key(&ours, "many").subkeys().map(|key| key.unwrap().name().into_owned()).collect();
        theirs.sort();
        names.sort();
        assert_eq!(names, theirs);
    }
}

#[test]
fn reglookup_reads_the_writer() {
    let builder = sample();
    let Some(text) = run("reglookup", &builder.build(), &[]) else {
        return;
    };
    let hive = open(&builder);
    let mut walk = hive.walk();
    let mut keys = 0;
    while let Some(key) = walk.next() {
        keys += 1;
        let path = walk.path().replace('\\', "/").replace(' ', "%20");
        let plain = walk.path().replace('\\', "/");
        let time = key.last_written().to_string().replace('T', " ").replace('Z', "");
        let found = text.lines().any(|line| {
            (line.starts_with(&format!("/{path},KEY,")) || line.starts_with(&format!("/{plain},KEY,")))
                && line.ends_with(&time)
        });
        assert!(found, "{path} {time}");
    }
    assert_eq!(text.lines().filter(|line| line.contains(",KEY,")).count(), keys);
    for line in ["/Software/Policies/Number,DWORD,0x00001234,", "/Software/Policies/Text,SZ,plain text,"] {
        assert!(text.lines().any(|own| own == line), "{line}");
    }
}
