//! Tests of the `.reg` reader. Expected bytes are written out by hand from the format's description.

use proptest::prelude::*;

use super::*;
use crate::artifact::Place;
use crate::artifact::text::Encoding;
use crate::artifact::value::ValueType;

fn text_in(encoding: &'static str, text: &str) -> Text {
    let encoding = Encoding { name: encoding.into(), certain: true, lossy: false, repaired: false };
    Text::from_string(text.to_owned(), encoding)
}

fn export(body: &str) -> RegText {
    let text = format!("Windows Registry Editor Version 5.00\r\n\r\n{body}\r\n");
    RegText::parse_export(&text_in("utf-8", &text)).unwrap()
}

fn only_value(body: &str) -> RegValue {
    let text = export(&format!("[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n{body}\r\n"));
    assert_eq!(text.problems, []);
    assert_eq!(text.keys[0].values.len(), 1);
    text.keys[0].values[0].0.clone()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn every_form_of_data() {
    assert_eq!(only_value(r#""Start"=dword:00000004"#), RegValue::dword("Start", 4));
    assert_eq!(only_value(r#"@="x""#), RegValue::string("", ValueType::SZ, "x"));
    assert_eq!(
        only_value(r#""Na\"me"="C:\\Dir \"q\"""#),
        RegValue::string("Na\"me", ValueType::SZ, r#"C:\Dir "q""#)
    );
    assert_eq!(only_value(r#""e"="""#), RegValue::string("e", ValueType::SZ, ""));
    assert_eq!(only_value(r#""b"=hex:01,aB,ff"#), RegValue::new("b", ValueType::BINARY, vec![1, 0xab, 255]));
    assert_eq!(only_value(r#""b"=hex:"#), RegValue::new("b", ValueType::BINARY, vec![]));
    assert_eq!(only_value(r#""n"=hex(0):"#), RegValue::new("n", ValueType::NONE, vec![]));
    let qword = only_value(r#""q"=hex(b):01,00,00,00,01,00,00,00"#);
    assert_eq!((qword.kind, qword.as_u64()), (ValueType::QWORD, Some(0x1_0000_0001)));
    let property = only_value(r#""p"=hex(ffff0012):41,00,00,00"#);
    assert_eq!(property, RegValue::new("p", ValueType(0xffff_0012), vec![0x41, 0, 0, 0]));
    let multi = only_value(r#""m"=hex(7):41,00,00,00,42,00,00,00,00,00"#);
    assert_eq!(multi.as_list().unwrap(), ["A", "B"]);
}

#[test]
fn hex_data_goes_on_behind_a_backslash() {
    let value = only_value("\"LogFilePath\"=hex(2):25,00,\\\r\n  61,00,25,00,\\\r\n  00,00");
    assert_eq!(value, RegValue::string("LogFilePath", ValueType::EXPAND_SZ, "%a%"));
    assert_eq!(only_value("\"b\"=hex:01,\\\r\n  02").bytes, [1, 2]);
}

#[test]
fn strings_may_span_lines() {
    let value = only_value("\"Legal\"=\"first\r\n\r\nthird [x]\"");
    assert_eq!(value.as_text().unwrap(), "first\r\n\r\nthird [x]");
}

#[test]
fn the_first_line_may_stand_behind_other_things() {
    let text = "\r\n> Windows Registry Editor Version 5.00\r\n>\r\n> [HKEY_CURRENT_USER\\Software\\T]\r\n> \"a\"=hex:01,\\\r\n>   02\r\n\r\n";
    let read = RegText::parse_export(&text_in("utf-8", text)).unwrap();
    assert_eq!(read.problems, []);
    assert_eq!(read.line_from, 2);
    assert_eq!(read.keys[0].path, r"HKCU\Software\T");
    assert_eq!(read.keys[0].values, [(RegValue::new("a", ValueType::BINARY, vec![1, 2]), 5)]);
    assert!(RegText::parse_export(&text_in("utf-8", "Windows IP Configuration\n[x]\n")).is_none());
    assert!(RegText::parse_export(&text_in("utf-8", "")).is_none());
}

#[test]
fn regedit4_stores_strings_in_the_ansi_code_page() {
    // In REGEDIT4 the bytes of hex(2) and hex(7) are ANSI: 0xe9 is é in 1252 and й in 1251.
    for (page, letter) in [("windows-1252", 'é'), ("windows-1251", 'й')] {
        let text = "REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\"m\"=hex(7):e9,00,42,00,00\r\n\"b\"=hex:e9\r\n";
        let read = RegText::parse_export(&text_in(page, text)).unwrap();
        let values = &read.keys[0].values;
        assert_eq!(values[0].0.bytes, utf16(&format!("{letter}\0B\0\0")));
        assert_eq!(values[1].0.bytes, [0xe9]);
    }
}

#[test]
fn a_file_that_deletes_is_no_export() {
    let read = export(
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\T]\r\n\"a\"=-\r\n\"b\"=dword:1\r\n\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\U]\r\n",
    );
    assert!(read.script);
    assert_eq!(read.scopes, []);
    assert_eq!(read.keys[0].values, [(RegValue::dword("b", 1), 5)]);
    assert!(read.keys[1].deleted);
}

#[test]
fn scopes_are_the_keys_that_no_other_key_is_above() {
    let read = export(
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\a\\B]\r\n\r\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\AB]\r\n",
    );
    assert_eq!(read.scopes, [Scope::tree(r"HKLM\SYSTEM\A"), Scope::tree(r"HKLM\SYSTEM\AB")]);
}

#[test]
fn a_damaged_line_costs_only_itself() {
    let read = export(
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\r\n\"a\"=dword:0000000g\r\n\"b\"=hex:01,zz,03\r\n\"c\"=\"open\r\n\
         \"d\"=hex:01,02,\\\r\n\"e\"=dword:00000005\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\A\\B]\r\n\"f\"=dword:00000006\r\n",
    );
    let places: Vec<Place> = read.problems.iter().map(|problem| problem.place).collect();
    assert_eq!(places, [4, 5, 6, 7].map(Place::Line));
    let names: Vec<(&str, bool)> =
        read.keys[0].values.iter().map(|(value, _)| (value.name.as_str(), value.truncated)).collect();
    assert_eq!(names, [("a", true), ("b", true), ("c", true), ("d", true), ("e", false)]);
    assert!(!read.keys[0].whole && read.keys[1].whole);
    assert_eq!(read.keys[1].values, [(RegValue::dword("f", 6), 11)]);
}

#[test]
fn values_under_an_unreadable_heading_belong_to_nobody() {
    for bad in ["[HKEY_LOCAL_MACHINE\\SYSTEM\\A\\B", "HKEY_LOCAL_MACHINE\\SYSTEM\\A\\B]", "[HKXY_LOCAL\\B]"] {
        let read = export(&format!(
            "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\r\n\"a\"=dword:1\r\n\r\n{bad}\r\n\"b\"=dword:2\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\A\\C]\r\n"
        ));
        assert_eq!(read.keys.len(), 2, "{bad}");
        assert_eq!(read.keys[0].values.len(), 1, "{bad}");
        assert!(read.keys[0].gap_after && !read.keys[0].whole, "{bad}");
        assert_eq!(read.problems.len(), 1, "{bad}");
    }
}

#[test]
fn an_export_that_was_cut_off_knows_it() {
    let whole = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\r\n\"a\"=hex:01,02\r\n\r\n";
    assert!(RegText::parse_export(&text_in("utf-16le", whole)).unwrap().keys[0].whole);
    for (encoding, cut) in [("utf-16le", 2), ("utf-8", 4), ("utf-16le", 4), ("utf-8", 7)] {
        let read =
            RegText::parse_export(&text_in(encoding, whole.get(..whole.len() - cut).unwrap())).unwrap();
        assert!(!read.keys[0].whole && read.keys[0].gap_after, "{encoding} -{cut}");
        assert_eq!(read.problems.len(), 1, "{encoding} -{cut}");
        assert_eq!(read.keys[0].values[0].0.truncated, cut > 2, "{encoding} -{cut}");
    }
}

#[test]
fn what_is_commented_out_is_neither_there_nor_gone() {
    let read = export(
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\r\n;\"a\"=dword:1\r\n\r\n; a remark\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\A\\B]\r\n",
    );
    assert_eq!(read.problems, []);
    assert!(!read.keys[0].whole && read.keys[1].whole);
}

/// Writes a value as regedit does; shares no code with the reader.
fn write_value(value: &RegValue) -> String {
    let escape = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
    let name = if value.name.is_empty() { "@".to_owned() } else { format!("\"{}\"", escape(&value.name)) };
    let data = match value.kind {
        ValueType::DWORD => format!("dword:{:08x}", value.as_u32().unwrap()),
        ValueType::SZ => format!("\"{}\"", escape(&value.as_text().unwrap())),
        kind => {
            let head =
                if kind == ValueType::BINARY { "hex:".to_owned() } else { format!("hex({:x}):", kind.0) };
            let bytes: Vec<String> = value.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let lines: Vec<String> = bytes.chunks(20).map(|line| line.join(",")).collect();
            head + &lines.join(",\\\r\n  ")
        }
    };
    format!("{name}={data}\r\n")
}

fn any_value() -> impl Strategy<Value = RegValue> {
    let name = "[^\\p{C}\\p{Zl}\\p{Zp}]{0,12}";
    let data = prop_oneof![
        any::<u32>().prop_map(|number| (ValueType::DWORD, number.to_le_bytes().to_vec())),
        "([^\\p{C}]|\r\n){0,30}".prop_map(|text| (ValueType::SZ, utf16(&format!("{text}\0")))),
        (prop_oneof![Just(0u32), 2u32..12, any::<u32>()], prop::collection::vec(any::<u8>(), 0..90))
            .prop_map(|(kind, bytes)| match kind {
                4 => (ValueType::BINARY, bytes),
                1 => (ValueType(0x10), bytes),
                kind => (ValueType(kind), bytes),
            }),
    ];
    (name, data).prop_map(|(name, (kind, bytes))| RegValue::new(name, kind, bytes))
}

proptest! {
    #[test]
    fn what_regedit_writes_is_read_back(values in prop::collection::vec(any_value(), 0..8)) {
        let mut body = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Some [odd] key]\r\n".to_owned();
        values.iter().for_each(|value| body += &write_value(value));
        let read = export(&body);
        prop_assert_eq!(&read.problems, &[]);
        let back: Vec<RegValue> = read.keys[0].values.iter().map(|(value, _)| value.clone()).collect();
        prop_assert_eq!(back, values);
    }

    #[test]
    fn any_text_is_read_without_harm(text in "(\\[HKEY_USERS\\\\a\\]|\"a\"=|dword:|hex\\(7\\):|\"|@=|;|\\\\|,|[0-9a-f]{2}|\r?\n|REGEDIT4|.){0,60}") {
        let _ = RegText::parse_export(&text_in("utf-8", &text));
    }
}
