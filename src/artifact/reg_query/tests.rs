//! Tests of the `reg query` reader. The outputs are of the form that Windows 10 prints, typed by hand.

use proptest::prelude::*;

use super::*;
use crate::artifact::text::{Encoding, Text};

fn read(text: &str) -> RegText {
    let encoding = Encoding { name: "utf-8".into(), certain: true, lossy: false, repaired: false };
    parse(&Block::whole(&Text::from_string(text.to_owned(), encoding)))
}

const RUN: &str = "
HKEY_LOCAL_MACHINE\\SOFTWARE\\T\r
    SecurityHealth    REG_EXPAND_SZ    %windir%\\system32\\SecurityHealthSystray.exe\r
    VMware User Process    REG_SZ    \"C:\\Program Files\\vmtoolsd.exe\" -n vmusr\r
    Empty    REG_SZ    \r
    EditionSubVersion    REG_SZ\r
    Always_Online    REG_DWORD    0x1\r
    PK    REG_BINARY    BFAD2A\r
    List    REG_MULTI_SZ    NSI\\0RpcSs\\0TcpIp\r
    Q    REG_QWORD    0x100000001\r
    N    REG_NONE    \r
    (Standard)    REG_SZ    d\r
\r
HKEY_LOCAL_MACHINE\\SOFTWARE\\T\\Sub\r
";

#[test]
fn every_type_and_odd_name() {
    let read = read(RUN);
    assert_eq!(read.problems, []);
    let values: Vec<RegValue> = read.keys[0].values.iter().map(|(value, _)| value.clone()).collect();
    assert_eq!(
        values,
        [
            RegValue::string(
                "SecurityHealth",
                ValueType::EXPAND_SZ,
                "%windir%\\system32\\SecurityHealthSystray.exe"
            ),
            RegValue::string(
                "VMware User Process",
                ValueType::SZ,
                "\"C:\\Program Files\\vmtoolsd.exe\" -n vmusr"
            ),
            RegValue::string("Empty", ValueType::SZ, ""),
            RegValue::string("EditionSubVersion", ValueType::SZ, ""),
            RegValue::dword("Always_Online", 1),
            RegValue::new("PK", ValueType::BINARY, vec![0xbf, 0xad, 0x2a]),
            RegValue::string("List", ValueType::MULTI_SZ, "NSI\0RpcSs\0TcpIp\0"),
            RegValue::new("Q", ValueType::QWORD, 0x1_0000_0001_u64.to_le_bytes().to_vec()),
            RegValue::new("N", ValueType::NONE, vec![]),
            RegValue::string("", ValueType::SZ, "d"),
        ]
    );
    assert_eq!(read.keys[0].values[0].1, 3);
    assert_eq!(read.scopes, [Scope::values(r"HKLM\SOFTWARE\T", true)]);
}

#[test]
fn what_the_command_says_is_what_is_covered() {
    let body = "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\T\r\n    a    REG_DWORD    0x2\r\n\r\n";
    let scopes = |command: &str| read(&format!("C:\\>{command}\r\n{body}")).scopes;
    assert_eq!(scopes("reg query HKLM\\SOFTWARE\\T"), [Scope::values(r"HKLM\SOFTWARE\T", true)]);
    assert_eq!(scopes("reg query HKLM\\SOFTWARE\\T /s"), [Scope::tree(r"HKLM\SOFTWARE\T")]);
    assert_eq!(scopes("reg query HKLM\\SOFTWARE\\T /v a"), [Scope::value(r"HKLM\SOFTWARE\T", "a")]);
    assert_eq!(scopes("reg query HKLM\\SOFTWARE\\T /s /f a"), []);
    assert_eq!(
        scopes("reg query HKLM\\SOFTWARE\\T /reg:32"),
        [Scope::values(r"HKLM\SOFTWARE\Wow6432Node\T", true)]
    );
    // Without the command, a single value may have been asked for by name.
    assert_eq!(read(body).scopes, [Scope::value(r"HKLM\SOFTWARE\T", "a")]);
}

#[test]
fn not_found_proves_absence_only_with_its_question() {
    let error = "ERROR: The system was unable to find the specified registry key or value.\r\n";
    assert_eq!(read(error).scopes, []);
    let asked = |options: &str| read(&format!("C:\\>reg query \"HKLM\\SOFTWARE\\T\"{options}\r\n{error}"));
    assert_eq!(asked("").scopes, [Scope::tree(r"HKLM\SOFTWARE\T")]);
    assert_eq!(asked(" /v a").scopes, [Scope::value(r"HKLM\SOFTWARE\T", "a")]);
    let german = "FEHLER: Der angegebene Registrierungsschlüssel bzw. Wert wurde nicht gefunden.\r\n";
    assert_eq!(read(&format!("C:\\>reg query HKCU\\T\r\n{german}")).scopes, [Scope::tree(r"HKCU\T")]);
    let denied = read("C:\\>reg query HKLM\\SAM\\SAM\r\nERROR: Access is denied.\r\n");
    assert_eq!((denied.scopes.len(), denied.problems.len()), (0, 1));
}

#[test]
fn an_error_in_the_middle_leaves_a_gap() {
    let read = read(
        "C:\\>reg query HKLM\\A /s\r\n\r\nHKEY_LOCAL_MACHINE\\A\r\n    x    REG_DWORD    0x1\r\n\r\n\
         ERROR: Access is denied.\r\n\r\nHKEY_LOCAL_MACHINE\\A\\B\r\n    y    REG_DWORD    0x1\r\n\r\n",
    );
    assert_eq!(read.scopes, [Scope::tree(r"HKLM\A")]);
    assert!(read.keys[0].gap_after && !read.keys[0].whole && read.keys[1].whole);
}

#[test]
fn several_outputs_and_closing_lines() {
    let read = read(
        "\r\nHKEY_LOCAL_MACHINE\\A\r\n    x    REG_DWORD    0x1\r\n    y    REG_DWORD    0x1\r\n\r\n\
         HKEY_LOCAL_MACHINE\\B\r\n\r\nHKEY_LOCAL_MACHINE\\B\\C\r\n    z    REG_SZ    one\r\ntwo\r\n\r\n\
         HKEY_LOCAL_MACHINE\\D\\E\r\n    z    REG_SZ    one\r\n\r\nSuchvorgang beendet: 1 Übereinstimmung(en) gefunden.\r\n",
    );
    assert_eq!(read.problems, []);
    assert_eq!(read.scopes, [Scope::values(r"HKLM\A", true), Scope::tree(r"HKLM\B")]);
    assert_eq!(read.keys[2].values[0].0.as_text().unwrap(), "one\ntwo");
}

#[test]
fn damage_is_not_absence() {
    let bad =
        read("\r\nHKEY_LOCAL_MACHINE\\A\r\n    Start    REG_DWORD    4\r\n    y    REG_DWORD    0x1\r\n\r\n");
    assert!(bad.keys[0].values[0].0.truncated && !bad.keys[0].whole);
    assert_eq!(bad.problems.len(), 1);
    let cut = read("\r\nHKEY_LOCAL_MACHINE\\A\r\n    x    REG_DWORD    0x1\r\n    Path    REG_SZ    C:\\Win");
    assert!(cut.keys[0].values[1].0.truncated && !cut.keys[0].whole && cut.keys[0].gap_after);
}

proptest! {
    #[test]
    fn what_reg_prints_is_read_back(
        numbers in prop::collection::vec(("[A-Za-z][A-Za-z0-9 _.-]{0,10}[a-z]", any::<u32>()), 2..6),
        text in "[A-Za-z0-9%\\\\:]{0,20}",
    ) {
        let mut body = "\r\nHKEY_CURRENT_USER\\Software\\T\r\n".to_owned();
        for (name, number) in &numbers {
            body += &format!("    {name}    REG_DWORD    {number:#x}\r\n");
        }
        body += &format!("    last    REG_SZ    {text}\r\n\r\n");
        let read = read(&body);
        prop_assert_eq!(&read.problems, &[]);
        let mut expected: Vec<RegValue> =
            numbers.iter().map(|(name, number)| RegValue::dword(name.as_str(), *number)).collect();
        expected.push(RegValue::string("last", ValueType::SZ, &text));
        let back: Vec<RegValue> = read.keys[0].values.iter().map(|(value, _)| value.clone()).collect();
        prop_assert_eq!(back, expected);
    }

    #[test]
    fn any_text_is_read_without_harm(text in "(HKEY_USERS\\\\a|    |REG_(DWORD|SZ|BINARY)|0x|\r?\n|reg query |/v |.){0,50}") {
        let _ = read(&text);
    }
}
