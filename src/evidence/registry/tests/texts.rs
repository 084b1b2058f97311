//! What texts cover, and what damage to them costs.

use super::*;
use crate::artifact::{item_property, reg_query};

#[test]
fn an_export_answers_only_inside_its_subtree() {
    // domain.md 1.4: absence counts only inside the subtree that the export covers.
    let body = format!(
        "[{INTERNET}]\r\n\"EnableActiveProbing\"=dword:00000000\r\n\r\n[{INTERNET}\\ManualProxies]\r\n"
    );
    let registry = Bundle::default().reg("ncsi.reg", &body).mount();
    let probing = registry.value(INTERNET, "enableactiveprobing");
    assert_eq!(found(&probing).0, 0);
    assert_eq!(found(&probing).1.locator, format!("{INTERNET}!enableactiveprobing"));
    absent(registry.value(INTERNET, "Nope"));
    absent(registry.value(&format!("{INTERNET}\\ManualProxies"), ""));
    absent(registry.value(&format!("{INTERNET}\\Nope\\Deeper"), "x"));
    absent(registry.key(&format!("{INTERNET}\\Nope")));
    unknown(registry.value(NLA, "Start"));
    unknown(registry.value(r"HKLM\SYSTEM\CurrentControlSet\Services\netprofm", "Start"));
    // Keys above an export are there, but nothing else is known of them.
    assert!(registry.key(NLA).found().is_some());
    unknown(registry.values(NLA));
    unknown(registry.subkeys(NLA));
    let below = registry.subkeys(INTERNET).found().unwrap().value.clone();
    assert_eq!((below.items.as_slice(), below.is_complete()), (&["ManualProxies".to_owned()][..], true));
}

#[test]
fn damage_in_an_export_makes_absence_unknown_where_it_is() {
    let body = format!(
        "[{NLA}]\r\n\"Start\"=dword:0000x\r\n\"Type\"=dword:00000020\r\n\r\n[{NLA}\\Good]\r\n\"a\"=dword:1\r\n\r\n\
         [{NLA}\\Bad\r\n\"b\"=dword:1\r\n\r\n[{NLA}\\Worse]\r\n"
    );
    let registry = Bundle::default().reg("nla.reg", &body).mount();
    assert!(unknown(registry.value(NLA, "Start")).1.contains("line 4"));
    assert_eq!(found(&registry.value(NLA, "Type")).0, 0x20);
    unknown(registry.value(NLA, "Nope"));
    absent(registry.value(&format!("{NLA}\\Worse"), "b"));
    // The lost heading may have been any key below Good or NlaSvc.
    unknown(registry.value(&format!("{NLA}\\Bad"), "b"));
    unknown(registry.key(&format!("{NLA}\\Good\\Below")));
    unknown(registry.value(&format!("{NLA}\\Good"), "b"));
    absent(registry.key(&format!("{NLA}\\Worse\\Below")));
    assert!(!registry.subkeys(NLA).found().unwrap().value.is_complete());
    assert!(!registry.values(NLA).found().unwrap().value.is_complete());
}

#[test]
fn an_export_that_was_cut_off_does_not_cover_what_came_after() {
    let whole = format!(
        "REGEDIT4\n\n[{NLA}]\n\"a\"=dword:1\n\n[{NLA}\\A]\n\"b\"=dword:00000001\n\n[{NLA}\\B]\n\"c\"=dword:0000"
    );
    let mut sources = Sources::default();
    sources.add_text(ArtifactId(0), "nla.reg", RegText::parse_export(&utf8(&whole)).unwrap());
    let registry = sources.mount();
    absent(registry.value(NLA, "b"));
    absent(registry.key(&format!("{NLA}\\A\\X")));
    unknown(registry.value(&format!("{NLA}\\B"), "c"));
    unknown(registry.value(&format!("{NLA}\\B"), "d"));
    unknown(registry.key(&format!("{NLA}\\C")));
}

#[test]
fn a_file_to_be_imported_shows_a_wish() {
    let body = format!("[{NLA}]\r\n\"Start\"=dword:00000004\r\n\"Type\"=-\r\n\r\n[-{INTERNET}]\r\n");
    let registry = Bundle::default().reg("fix.reg", &body).mount();
    let start = registry.value(NLA, "Start");
    assert_eq!(found(&start).1.doubts.len(), 1);
    unknown(registry.value(NLA, "Type"));
    unknown(registry.key(INTERNET));
    // And it never wins against what shows the state.
    let registry = Bundle::default().reg("fix.reg", &body).hive("SYSTEM", system()).mount();
    let start = registry.value(NLA, "Start");
    assert_eq!((found(&start).0, found(&start).1.artifact), (2, ArtifactId(1)));
    assert_eq!(found(&start).1.doubts.len(), 1);
}

#[test]
fn a_text_may_have_the_control_set_under_either_name() {
    let numbered =
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Dhcp]\r\n\"Start\"=dword:00000002\r\n";
    let dhcp = r"HKLM\SYSTEM\CurrentControlSet\Services\Dhcp";
    unknown(Bundle::default().reg("a.reg", numbered).mount().value(dhcp, "Start"));
    let select = "[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:00000001\r\n";
    let registry = Bundle::default().reg("a.reg", numbered).reg("b.reg", select).mount();
    assert_eq!(
        found(&registry.value(dhcp, "Start")).1.locator,
        r"HKLM\SYSTEM\ControlSet001\Services\Dhcp!Start"
    );
    let current = format!("[{NLA}]\r\n\"Start\"=dword:00000002\r\n");
    let registry = Bundle::default().reg("a.reg", &current).reg("b.reg", select).mount();
    assert!(registry.value(r"HKLM\SYSTEM\ControlSet001\Services\NlaSvc", "Start").found().is_some());
    unknown(registry.value(r"HKLM\SYSTEM\ControlSet002\Services\NlaSvc", "Start"));
}

/// A whole export of `HKLM\SYSTEM` that does not follow the link still tells the current control set, by `Select`; without `Select` it
/// tells nothing of it.
#[test]
fn an_export_without_the_link_is_read_through_select() {
    let body = "[HKEY_LOCAL_MACHINE\\SYSTEM]\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001]\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\NlaSvc]\r\n\"Start\"=dword:00000004\r\n\r\n";
    let select = "[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:00000001\r\n\r\n";
    unknown(Bundle::default().reg("a.reg", body).mount().value(NLA, "Start"));
    let registry = Bundle::default().reg("a.reg", &format!("{body}{select}")).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).0, 4);
    absent(registry.value(NLA, "Nope"));
}

#[test]
fn exports_never_tell_security() {
    // domain.md section 10, trap 17.
    let body = "[HKEY_USERS\\S-1-5-20]\r\n\r\n[HKEY_USERS\\S-1-5-20\\Software]\r\n";
    let registry = Bundle::default().reg("ns.reg", body).mount();
    let (what, reason) = unknown(registry.security(r"HKU\S-1-5-20"));
    assert_eq!(what, "NTUSER.DAT of NETWORK SERVICE");
    assert!(reason.contains("carries no security"), "{reason}");
    let registry = Bundle::default().hive("NTUSER.DAT", profile("S-1-5-20")).reg("ns.reg", body).mount();
    let security = registry.security(r"HKU\S-1-5-20").found().unwrap().clone();
    assert_eq!(security.value.allowed(&Sid::new("S-1-5-20")), sd::KEY_ALL);
    assert_eq!(security.source.doubts, [""; 0]);
}

#[test]
fn query_outputs_tell_what_was_asked() {
    let command = format!("C:\\>reg query {INTERNET} /v EnableActiveProbing\r\n");
    let one = format!(
        "{command}\r\n{}\r\n    EnableActiveProbing    REG_DWORD    0x0\r\n\r\n",
        INTERNET.replace("HKLM", "HKEY_LOCAL_MACHINE")
    );
    let registry = Bundle::default().query("q.txt", &one).mount();
    assert_eq!(found(&registry.value(INTERNET, "EnableActiveProbing")).0, 0);
    unknown(registry.value(INTERNET, "Other"));
    unknown(registry.values(INTERNET));
    unknown(registry.key(&format!("{INTERNET}\\x")));

    let gone = "ERROR: The system was unable to find the specified registry key or value.\r\n";
    let registry = Bundle::default().query("q.txt", &format!("{command}{gone}")).mount();
    absent(registry.value(INTERNET, "EnableActiveProbing"));
    unknown(registry.value(INTERNET, "Other"));
    unknown(registry.key(INTERNET));
    let registry = Bundle::default().query("q.txt", &format!("C:\\>reg query {INTERNET}\r\n{gone}")).mount();
    absent(registry.key(INTERNET));
    absent(registry.value(INTERNET, "Other"));
    let registry = Bundle::default()
        .query("q.txt", &format!("C:\\>reg query {INTERNET}\r\nERROR: Access is denied.\r\n"))
        .mount();
    unknown(registry.key(INTERNET));

    let list = format!(
        "{}\r\n    a    REG_DWORD    0x0\r\n    b    REG_DWORD    0x0\r\n\r\n{0}\\Sub\r\n\r\n",
        INTERNET.replace("HKLM", "HKEY_LOCAL_MACHINE")
    );
    let registry = Bundle::default().query("q.txt", &list).mount();
    absent(registry.value(INTERNET, "c"));
    absent(registry.key(&format!("{INTERNET}\\Nope")));
    assert!(registry.key(&format!("{INTERNET}\\Sub")).found().is_some());
    unknown(registry.value(&format!("{INTERNET}\\Sub"), "x"));
}

#[test]
fn a_powershell_list_knows_values_and_no_subkeys() {
    let text = utf8(
        "\r\nStart        : 4\r\nType         : 32\r\nPSPath       : Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\NlaSvc\r\n\r\n",
    );
    let mut sources = Sources::default();
    sources.add_text(ArtifactId(0), "ps.txt", item_property::parse(&Block::whole(&text)));
    let registry = sources.mount();
    assert_eq!(found(&registry.value(NLA, "Start")).0, 4);
    absent(registry.value(NLA, "DelayedAutoStart"));
    unknown(registry.subkeys(NLA));
    unknown(registry.key(INTERNET));
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap()
}

/// No damage to a text may turn the value that is looked for into an absent one. Names and paths are left alone: nothing shows
/// that one of them was another before.
#[test]
fn damage_never_turns_a_value_into_absence() {
    let key = INTERNET.replace("HKLM", "HKEY_LOCAL_MACHINE");
    let reg = format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[{0}]\r\n\"Other\"=\"text\"\r\n\r\n[{0}\\Internet]\r\n\"A\"=\"b\"\r\n\
         \"EnableActiveProbing\"=dword:00000000\r\n\"B\"=hex:01,02,\\\r\n  03\r\n\r\n[{0}\\Zone]\r\n\"c\"=dword:00000001\r\n\r\n",
        key.trim_end_matches(r"\Internet")
    );
    let query = format!(
        "C:\\>reg query {INTERNET}\r\n\r\n{key}\r\n    A    REG_SZ    b\r\n    EnableActiveProbing    REG_DWORD    0x0\r\n    B    REG_SZ    c\r\n\r\n{key}\\Sub\r\n\r\n"
    );
    let list = format!(
        "\r\nA                   : b\r\nEnableActiveProbing : 0\r\nB                   : c\r\nPSPath              : Microsoft.PowerShell.Core\\Registry::{key}\r\n\r\n"
    );
    let read_reg = |text: &Text| RegText::parse_export(text);
    let read_query = |text: &Text| Some(reg_query::parse(&Block::whole(text)));
    let read_list = |text: &Text| Some(item_property::parse(&Block::whole(text)));
    // regedit writes UTF-16 and ends with a blank line, as `reg query` does; a cut right behind a key cannot be seen.
    let at_a_blank_line = |text: &str| ["\r\n\r\n", "\r\n\r"].iter().any(|end| text.ends_with(end));
    type Read<'r> = &'r dyn Fn(&Text) -> Option<RegText>;
    let cases: [(&str, Read<'_>); 3] = [(&reg, &read_reg), (&query, &read_query), (&list, &read_list)];
    for (text, read) in cases {
        let ask = |text: &str| {
            let mut sources = Sources::default();
            if let Some(text) = read(&text_in("utf-16le", text)) {
                sources.add_text(ArtifactId(0), "f", text);
            }
            sources.mount().value(INTERNET, "EnableActiveProbing")
        };
        assert_eq!(found(&ask(text)).0, 0);
        let spare: Vec<std::ops::Range<usize>> =
            ["EnableActiveProbing", r"\Internet", r"Services\NlaSvc", r"SYSTEM\"]
                .iter()
                .flat_map(|name| text.match_indices(name).map(|(at, name)| at..at + name.len()))
                .collect();
        for at in 0..text.len() {
            if spare.iter().any(|range| range.contains(&at) || range.start < at && at == range.end) {
                continue;
            }
            for with in ["", "x", "\"", ";", "[", "]", "\\", " ", "\n", "\r\n\r\n", ",", "=", "-", ":", "0"] {
                let damaged = format!("{}{with}{}", part(text, 0, at), part(text, at + 1, text.len()));
                // A heading that is still one has another name now.
                let line = part(&damaged, 0, at).rfind('\n').map_or(0, |start| start + 1);
                let line = part(&damaged, line, damaged.len()).lines().next().unwrap_or_default();
                if line.starts_with("[HKEY") && line.ends_with(']') && !text.contains(line) {
                    continue;
                }
                let answer = ask(&damaged);
                assert!(!answer.is_absent(), "{with:?} at {at} of {text}\n{damaged}\n{answer:?}");
            }
        }
        for cut in (0..text.len()).filter(|cut| !at_a_blank_line(part(text, 0, *cut))) {
            let answer = ask(part(text, 0, cut));
            assert!(!answer.is_absent(), "cut at {cut}: {answer:?}");
        }
    }
}
