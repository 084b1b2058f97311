//! Hives that the workshop wrote, in every shape that the format has. What is expected is what was put in.

use actriage::artifact::hive::{Hive, HiveKind, Key};
use actriage::artifact::value::{RegValue, ValueType};
use actriage::time::FileTime;

use crate::workshop::hive::{HiveBuilder, ListKind, REG_BINARY, sd};

pub fn open(builder: &HiveBuilder) -> Hive {
    let hive = Hive::open(builder.build()).unwrap();
    assert_eq!(hive.check(), []);
    assert!(!hive.is_dirty());
    hive
}

pub fn key<'h>(hive: &'h Hive, path: &str) -> Key<'h> {
    hive.key(path).unwrap().unwrap_or_else(|| panic!("no key {path}"))
}

fn value(hive: &Hive, path: &str, name: &str) -> RegValue {
    key(hive, path).value(name).unwrap().unwrap_or_else(|| panic!("no value {name}"))
}

#[test]
fn every_type_of_value() {
    let hive = open(
        &HiveBuilder::new()
            .key("Types")
            .sz("", "default")
            .sz("Text", "Grüße, 東京 𝄞")
            .expand_sz("Expand", r"%SystemRoot%\System32")
            .multi_sz("List", &["NSI", "RpcSs"])
            .dword("Dword", 0xdead_beef)
            .qword("Qword", u64::MAX - 1)
            .value("BigEndian", 5, vec![0, 0, 0, 7])
            .binary("Binary", &[0, 1, 2, 0xff])
            .value("None", 0, vec![])
            .value("Property", 0xffff_0012, vec![1; 9]),
    );
    let get = |name: &str| value(&hive, "Types", name);
    assert_eq!(get("").as_text().unwrap(), "default");
    assert_eq!(get("TEXT").as_text().unwrap(), "Grüße, 東京 𝄞");
    assert_eq!(
        (get("expand").kind, get("expand").as_text().unwrap()),
        (ValueType::EXPAND_SZ, r"%SystemRoot%\System32".into())
    );
    assert_eq!(get("list").as_list().unwrap(), ["NSI", "RpcSs"]);
    assert_eq!(get("dword").as_u32(), Some(0xdead_beef));
    assert_eq!(get("qword").as_u64(), Some(u64::MAX - 1));
    assert_eq!(get("bigendian").as_u32(), Some(7));
    assert_eq!(get("binary").bytes, [0, 1, 2, 0xff]);
    assert_eq!((get("none").bytes.len(), get("none").truncated), (0, false));
    assert_eq!((get("property").kind, get("property").bytes.len()), (ValueType(0xffff_0012), 9));
    assert_eq!(key(&hive, "types").value("absent").unwrap(), None);
    let names: Vec<String> =
        key(&hive, "types").values().map(|value| value.unwrap().name().into_owned()).collect();
    assert_eq!(names.len(), 10);
    assert_eq!(names[1], "Text");
}

#[test]
fn data_of_every_length_in_every_version() {
    // 4 is the last length inside of a value, 16344 the last in one cell from version 1.4 on. Version 1.1 has other cells.
    for minor in [1, 2, 3, 4, 5, 6] {
        for len in [0, 1, 3, 4, 5, 16_343, 16_344, 16_345, 32_688, 32_689, 100_000] {
            let mut data: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            if let Some(start) = data.first_chunk_mut() {
                // Data may begin with the letters of big data; in version 1.3 it stays plain data.
                *start = *b"db";
            }
            let hive = open(&HiveBuilder::new().version(minor).key("K").value("V", REG_BINARY, data.clone()));
            let read = value(&hive, "K", "V");
            assert_eq!((read.bytes == data, read.truncated), (true, false), "1.{minor}, {len} bytes");
        }
    }
}

#[test]
fn names_in_both_encodings_and_any_case() {
    for wide in [false, true] {
        let mut builder = HiveBuilder::new()
            .key("Ångström Ñandú")
            .sz("Größe ÿ", "1")
            .key("ΑΒΓ τέλος")
            .sz("Москва", "2")
            .key(r"Deep\𝄞 clef\END");
        if wide {
            builder = builder.wide_names();
        }
        let hive = open(&builder);
        assert_eq!(key(&hive, "ÅNGSTRÖM ñandú").name(), "Ångström Ñandú");
        assert_eq!(value(&hive, "ångström ñandú", "GRÖßE Ÿ").as_text().unwrap(), "1");
        assert_eq!(value(&hive, "αβγ ΤΈΛΟΣ", "москва").as_text().unwrap(), "2");
        assert_eq!(key(&hive, r"\deep\\𝄞 CLEF\end\").name(), "END");
        assert!(key(&hive, "deep").is_named("DEEP"));
        assert_eq!(hive.key("Angstrom Nandu").unwrap().map(|key| key.position()), None);
    }
}

#[test]
fn lists_of_every_kind_and_length() {
    for (kind, split) in
        [(ListKind::Li, 9), (ListKind::Lf, 9), (ListKind::Lh, 9), (ListKind::Lh, 1), (ListKind::Lf, 5000)]
    {
        let mut builder = HiveBuilder::new().lists(kind, split);
        for number in 0..300 {
            builder = builder.key(&format!("Key {number}")).dword("Number", number);
        }
        let hive = open(&builder);
        let root = hive.root().unwrap();
        assert_eq!((root.subkeys().count(), root.subkey_count()), (300, 300), "{kind:?}");
        for number in 0..300 {
            assert_eq!(
                value(&hive, &format!("KEY {number}"), "number").as_u32(),
                Some(number),
                "{kind:?} {number}"
            );
            assert!(hive.key(&format!("Key {number}x")).unwrap().is_none());
        }
    }
}

#[test]
fn times_classes_links_and_facts() {
    // 2011-09-16T21:13:42Z: domain.md section 11, first vector.
    let ticks = u64::from_le_bytes([0xc5, 0x8a, 0xe9, 0x82, 0xb5, 0x74, 0xcc, 0x01]);
    let hive = open(
        &HiveBuilder::new()
            .version(3)
            .file_name(r"\??\C:\Users\a very long name indeed\NTUSER.DAT")
            .last_written(ticks)
            .sequences(41, 41)
            .root_name("CMI-CreateHive{00000000-0000-0000-0000-000000000000}")
            .key("Timed")
            .time(ticks)
            .class("Shell")
            .key("Link")
            .link(r"\Registry\Machine\SOFTWARE"),
    );
    let timed = key(&hive, "timed");
    assert_eq!(timed.last_written().to_string(), "2011-09-16T21:13:42Z");
    assert_eq!(timed.class_name().unwrap(), "Shell");
    assert_eq!(key(&hive, "link").class_name(), None);
    assert!(key(&hive, "link").is_link() && !timed.is_link());
    let base = hive.base_block();
    assert_eq!((base.major_version, base.minor_version), (1, 3));
    assert_eq!((base.primary_sequence, base.secondary_sequence), (41, 41));
    assert_eq!(base.last_written, FileTime::from_ticks(ticks));
    // The field holds 32 units with the terminator; Windows keeps the end of a longer path.
    assert_eq!(base.file_name, r"ery long name indeed\NTUSER.DAT");
    assert_eq!(base.base_name(), "NTUSER.DAT");
    assert_eq!(hive.root().unwrap().name(), "CMI-CreateHive{00000000-0000-0000-0000-000000000000}");
}

#[test]
fn a_key_has_its_own_security_or_that_of_its_parent() {
    let hive = open(
        &HiveBuilder::new()
            .root_security(sd::user_hive("S-1-5-20"))
            .key(r"Software\Policies")
            .security(sd::full(0x1400, Some("S-1-5-18"), None, Some(&[(sd::DENY, 0, 0x10, "S-1-1-0")])))
            .key(r"Software\Other"),
    );
    let sddl = |path: &str| key(&hive, path).security().unwrap().to_sddl();
    // domain.md 5.11.
    let root = "O:BAG:SYD:P(A;OICI;KA;;;NS)(A;OICI;KA;;;SY)(A;OICI;KA;;;BA)(A;OICI;KR;;;RC)(A;;KR;;;AC)";
    assert_eq!(sddl(""), root);
    assert_eq!(sddl(r"software\other"), root);
    assert_eq!(sddl(r"software\policies"), "O:SYD:PAI(D;;RP;;;WD)");
    assert_eq!(key(&hive, "").security_offset(), key(&hive, r"software\other").security_offset());
}

#[test]
fn kinds_are_told_by_content() {
    for (kind, name, keys) in [
        (HiveKind::System, "evidence-3", &["Select", "ControlSet001"][..]),
        (HiveKind::System, "", &["ControlSet002"]),
        (HiveKind::Software, "", &["Microsoft", "Policies"]),
        (HiveKind::Software, "SOFTWARE", &["Microsoft"]),
        (HiveKind::User, r"\SystemRoot\System32\Config\SYSTEM", &["Software", "Environment"]),
        (HiveKind::UserClasses, "", &["Local Settings"]),
        (HiveKind::Security, "", &["Policy", "SAM"]),
        (HiveKind::Sam, "", &[r"SAM\Domains"]),
        (HiveKind::Components, "", &["DerivedData"]),
        (HiveKind::Bcd, "", &["Description", "Objects"]),
        (HiveKind::Amcache, "", &[r"Root\InventoryApplicationFile"]),
        (HiveKind::System, r"\SystemRoot\System32\Config\SYSTEM", &[]),
        (HiveKind::Other, "Elam", &["Microsoft Defender"]),
    ] {
        let builder = keys.iter().fold(HiveBuilder::new().file_name(name), |builder, key| builder.key(key));
        assert_eq!(open(&builder).kind(), kind, "{keys:?} {name}");
    }
    assert_eq!(
        open(&HiveBuilder::new().root_name("S-1-5-21-1-2-3-1001_Classes")).kind(),
        HiveKind::UserClasses
    );
    // A saved part of a profile has the names of SOFTWARE, but its root belongs to a person.
    let part = HiveBuilder::new()
        .root_security(sd::user_hive("S-1-5-21-1-2-3-1001"))
        .key("Microsoft")
        .key("Policies");
    assert_eq!(open(&part).kind(), HiveKind::Other);
}

#[test]
fn accounts_are_told_by_the_dacl() {
    let sid = |builder: &HiveBuilder| open(builder).user_sid().map(|sid| sid.to_string());
    let user = |who: &str| HiveBuilder::new().root_security(sd::user_hive(who)).key("Software");
    for who in ["S-1-5-21-1-2-3-1001", "S-1-12-1-4-3-2-1", "S-1-5-19", "S-1-5-20"] {
        assert_eq!(sid(&user(who)).as_deref(), Some(who));
    }
    assert_eq!(sid(&HiveBuilder::new().key("Software")), None, "the template of new profiles");
    assert_eq!(sid(&HiveBuilder::new().file_name(r"temRoot\System32\Config\DEFAULT")).unwrap(), "S-1-5-18");
    // NETWORK SERVICE has lost its entry and a person was added: a fault that must be found in that very hive.
    let lost = user("S-1-5-21-1-2-3-1001").file_name(r"C:\Windows\ServiceProfiles\NetworkService\NTUSER.DAT");
    assert_eq!(sid(&lost).unwrap(), "S-1-5-20");
    let two = sd::full(
        0,
        Some("S-1-5-21-1-2-3-1002"),
        None,
        Some(&[
            (sd::ALLOW, 3, sd::KEY_ALL, "S-1-5-21-1-2-3-1001"),
            (sd::ALLOW, 3, sd::KEY_ALL, "S-1-5-21-1-2-3-1002"),
            (sd::ALLOW, 3, sd::KEY_ALL, "S-1-5-21-1-2-3-513"),
        ]),
    );
    assert_eq!(sid(&HiveBuilder::new().root_security(two).key("Software")).unwrap(), "S-1-5-21-1-2-3-1002");
}

#[test]
fn a_walk_meets_every_key_once_with_its_path() {
    let hive =
        open(&HiveBuilder::new().key(r"A\B").dword("x", 1).key(r"A\C").key("D").sz("", "2").sz("y", "3"));
    let mut walk = hive.walk();
    let mut seen = Vec::new();
    while let Some(key) = walk.next() {
        let values: Vec<String> = walk.values().map(|(value, _)| value.name().into_owned()).collect();
        seen.push(format!("{}:{}:{}", walk.path(), key.value_count(), values.join(",")));
    }
    assert_eq!(seen, [":0:", "A:0:", r"A\B:1:x", r"A\C:0:", "D:2:,y"]);
    assert_eq!(walk.problem_count(), 0);
}
