//! The three answers, over hives that the workshop writes and texts typed by hand.

mod places;
mod texts;

use super::*;
use crate::artifact::ArtifactId;
use crate::artifact::capture::Block;
use crate::artifact::hive::Hive;
use crate::artifact::hive::log::Replay;
use crate::artifact::reg_export::RegText;
use crate::artifact::reg_query;
use crate::artifact::security::Sid;
use crate::artifact::text::{Encoding, Text};
use crate::evidence::Source;
use crate::time::FileTime;
use crate::workshop::hive::{DEFAULT_TIME, HiveBuilder, sd};

const NLA: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc";
const INTERNET: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet";
/// A day in FILETIME ticks.
const DAY: u64 = 864_000_000_000;

/// Collects sources under increasing artifact ids.
#[derive(Default)]
struct Bundle {
    sources: Sources,
    next: usize,
}

impl Bundle {
    fn id(&mut self) -> ArtifactId {
        self.next += 1;
        ArtifactId(self.next - 1)
    }

    fn bytes(mut self, path: &str, bytes: Vec<u8>) -> Self {
        let id = self.id();
        self.sources.add_hive(id, path, Hive::open(bytes).unwrap(), None);
        self
    }

    fn hive(self, path: &str, hive: HiveBuilder) -> Self {
        self.bytes(path, hive.build())
    }

    fn reg(mut self, path: &str, body: &str) -> Self {
        let id = self.id();
        self.sources.add_text(id, path, export(body));
        self
    }

    fn reg_taken(mut self, path: &str, body: &str, ticks: u64) -> Self {
        let id = self.id();
        self.sources.add_dated_text(id, path, export(body), FileTime::from_ticks(ticks));
        self
    }

    fn query(mut self, path: &str, text: &str) -> Self {
        let id = self.id();
        self.sources.add_text(id, path, reg_query::parse(&Block::whole(&utf8(text))));
        self
    }

    fn mount(self) -> Registry {
        self.sources.mount()
    }
}

fn utf8(text: &str) -> Text {
    text_in("utf-8", text)
}

fn text_in(encoding: &'static str, text: &str) -> Text {
    let encoding = Encoding { name: encoding.into(), certain: true, lossy: false, repaired: false };
    Text::from_string(text.to_owned(), encoding)
}

fn export(body: &str) -> RegText {
    RegText::parse_export(&utf8(&format!("Windows Registry Editor Version 5.00\r\n\r\n{body}\r\n"))).unwrap()
}

fn system() -> HiveBuilder {
    HiveBuilder::new()
        .file_name(r"\SystemRoot\System32\Config\SYSTEM")
        .key("Select")
        .dword("Current", 1)
        .key(r"ControlSet001\Services\NlaSvc")
        .dword("Start", 2)
        .sz("ObjectName", r"NT AUTHORITY\NetworkService")
        .key(r"ControlSet001\Services\NlaSvc\Parameters\Internet")
        .dword("EnableActiveProbing", 0)
        .key("MountedDevices")
}

fn software() -> HiveBuilder {
    HiveBuilder::new()
        .file_name(r"\SystemRoot\System32\Config\SOFTWARE")
        .key(r"Classes")
        .key(r"Policies")
        .key(r"Microsoft\Windows NT\CurrentVersion")
        .sz("SystemRoot", r"C:\Windows")
}

fn profile(sid: &str) -> HiveBuilder {
    let dacl: [sd::Ace<'_>; 3] = [
        (sd::ALLOW, sd::OICI, sd::KEY_ALL, sid),
        (sd::ALLOW, sd::OICI, sd::KEY_ALL, "S-1-5-18"),
        (sd::ALLOW, sd::OICI, sd::KEY_ALL, "S-1-5-32-544"),
    ];
    let security = sd::descriptor(0x1000, Some(&dacl));
    HiveBuilder::new()
        .root_security(security)
        .key(r"Software\Microsoft")
        .key("Control Panel")
        .key("Environment")
}

fn found(lookup: &Lookup<RegValue>) -> (u32, &Source) {
    let found = lookup.found().unwrap_or_else(|| panic!("{lookup:?}"));
    (found.value.as_u32().unwrap(), &found.source)
}

fn unknown<T: std::fmt::Debug>(lookup: Lookup<T>) -> (String, String) {
    match lookup {
        Lookup::Unknown(unknown) => (unknown.what, unknown.reason.unwrap_or_default()),
        other => panic!("not unknown: {other:?}"),
    }
}

fn absent<T: std::fmt::Debug>(lookup: Lookup<T>) -> Source {
    match lookup {
        Lookup::Absent(source) => source,
        other => panic!("not absent: {other:?}"),
    }
}

#[test]
fn a_hive_answers_found_absent_and_unknown() {
    let registry = Bundle::default().hive("config/SYSTEM", system()).mount();
    let start = registry.value(&NLA.to_uppercase(), "START");
    let (number, source) = found(&start);
    assert_eq!(number, 2);
    assert_eq!(source.locator, r"HKLM\SYSTEM\ControlSet001\SERVICES\NLASVC!START");
    assert_eq!(source.time, Some(FileTime::from_ticks(DEFAULT_TIME)));
    assert_eq!(source.doubts, [""; 0]);

    let value = absent(registry.value(NLA, "ImagePath"));
    assert_eq!(value.locator, r"HKLM\SYSTEM\ControlSet001\Services\NlaSvc!ImagePath");
    let key = absent(registry.value(r"HKLM\SYSTEM\CurrentControlSet\Services\Nope", "Start"));
    assert_eq!(key.artifact, ArtifactId(0));
    absent(registry.subkeys(r"HKLM\SYSTEM\CurrentControlSet\Services\Nope"));

    let (what, reason) = unknown(registry.value(r"HKLM\SOFTWARE\Microsoft", "x"));
    assert_eq!(what, "SOFTWARE hive");
    assert_eq!(reason, r"nothing collected covers HKLM\SOFTWARE\Microsoft");
    assert_eq!(unknown(registry.value(r"HKU\S-1-5-20\Software", "x")).0, "NTUSER.DAT of NETWORK SERVICE");
    assert_eq!(unknown(registry.value(r"HKU\S-1-5-18\Software", "x")).0, "DEFAULT hive");
    assert_eq!(unknown(registry.key("SYSTEM")).0, "registry");

    let names = registry.subkeys(r"HKLM\SYSTEM").found().unwrap().value.clone();
    assert_eq!(names.items, ["ControlSet001", "MountedDevices", "Select"]);
    let values = registry.values(NLA).found().unwrap().value.clone();
    assert_eq!(values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>(), ["Start", "ObjectName"]);
    assert!(values.is_complete());
    assert_eq!(
        registry.key(NLA).found().unwrap().value.last_written,
        Some(FileTime::from_ticks(DEFAULT_TIME))
    );
}

#[test]
fn an_unreadable_cell_on_the_way_is_unknown_and_another_source_answers() {
    let mut bytes = system().build();
    let name = bytes.windows(6).position(|window| window == b"NlaSvc").unwrap();
    // The name stands 76 bytes behind the signature of its key node.
    assert_eq!(&bytes[name - 76..name - 74], b"nk");
    bytes[name - 76..name - 74].copy_from_slice(b"xx");

    let registry = Bundle::default().bytes("config/SYSTEM", bytes.clone()).mount();
    for lookup in [registry.value(NLA, "Start"), registry.value(NLA, "Nope"), registry.value(INTERNET, "x")] {
        let (what, reason) = unknown(lookup);
        assert_eq!(what, "SYSTEM hive");
        assert!(reason.starts_with("config/SYSTEM: "), "{reason}");
    }
    let services = registry.subkeys(r"HKLM\SYSTEM\CurrentControlSet\Services").found().unwrap().value.clone();
    assert!(services.is_empty() && !services.is_complete());

    let body =
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\NlaSvc]\r\n\"Start\"=dword:00000004\r\n";
    let registry = Bundle::default().bytes("config/SYSTEM", bytes).reg("nla.reg", body).mount();
    let start = registry.value(NLA, "Start");
    assert_eq!((found(&start).0, found(&start).1.artifact), (4, ArtifactId(1)));
}

#[test]
fn of_two_sources_the_newer_is_believed_and_the_other_is_a_doubt() {
    let other = format!("[{NLA}]\r\n\"Start\"=dword:00000004\r\n");
    let same = format!("[{NLA}]\r\n\"Start\"=dword:00000002\r\n");
    let start = |bundle: Bundle| {
        let answer = bundle.mount().value(NLA, "Start");
        let (number, source) = found(&answer);
        (number, source.doubts.len())
    };
    let hive = || Bundle::default().hive("SYSTEM", system());
    let dirty = || Bundle::default().hive("SYSTEM", system().sequences(8, 7));
    let backup = || Bundle::default().hive("config/RegBack/SYSTEM", system());
    // Agreement, whatever the age.
    assert_eq!(start(hive().reg("a.reg", &same)), (2, 0));
    // An undated text loses to a clean hive and wins against one that is known to be behind.
    assert_eq!(start(hive().reg("a.reg", &other)), (2, 1));
    assert_eq!(start(dirty().reg("a.reg", &other)), (4, 1));
    assert_eq!(start(backup().reg("a.reg", &other)), (4, 1));
    // A dated text wins when it was taken after the key was last written.
    assert_eq!(start(hive().reg_taken("a.reg", &other, DEFAULT_TIME + DAY)), (4, 1));
    assert_eq!(start(hive().reg_taken("a.reg", &other, DEFAULT_TIME - DAY)), (2, 1));
    assert_eq!(start(dirty().reg_taken("a.reg", &other, DEFAULT_TIME - DAY)), (2, 2));
    // Two texts: the later one, else the first.
    let texts =
        |one, two| start(Bundle::default().reg_taken("a.reg", &other, one).reg_taken("b.reg", &same, two));
    assert_eq!(texts(1, 2), (2, 1));
    assert_eq!(texts(2, 1), (4, 1));
    assert_eq!(start(Bundle::default().reg("a.reg", &other).reg("b.reg", &same)), (4, 1));
    // Absent against found is a disagreement, too.
    let empty = format!("[{NLA}]\r\n");
    assert_eq!(start(hive().reg("a.reg", &empty)), (2, 1));
    let registry = hive().reg_taken("a.reg", &empty, DEFAULT_TIME + DAY).mount();
    let source = absent(registry.value(NLA, "Start"));
    assert_eq!(
        source.doubts,
        [r"SYSTEM says otherwise at HKLM\SYSTEM\ControlSet001\Services\NlaSvc!Start: 2"]
    );
}

#[test]
fn a_dirty_hive_without_logs_lowers_values_and_absences() {
    // domain.md 1.4: absence and value both lose one confidence level.
    let registry = Bundle::default().hive("SYSTEM", system().sequences(8, 7)).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).1.doubts.len(), 1);
    assert_eq!(absent(registry.value(NLA, "Nope")).doubts.len(), 1);

    let replay = Replay { summary: "nothing fits".to_owned(), clean: false, ..Replay::default() };
    let mut sources = Sources::default();
    let hive = Hive::open(system().sequences(8, 7).build()).unwrap();
    sources.add_hive(ArtifactId(0), "SYSTEM", hive, Some(&replay));
    let doubts = found(&sources.mount().value(NLA, "Start")).1.doubts.clone();
    assert!(doubts.len() == 1 && doubts[0].contains("nothing fits"), "{doubts:?}");
}

#[test]
fn the_current_control_set_is_the_one_that_select_names() {
    let two = || system().key(r"ControlSet002\Services\NlaSvc").dword("Start", 3);
    let registry = Bundle::default().hive("SYSTEM", two().key("Select").dword("Current", 2)).mount();
    assert_eq!(registry.control_set().found().unwrap().value, 2);
    let start = registry.value(NLA, "Start");
    assert_eq!(found(&start).0, 3);
    assert_eq!(found(&start).1.locator, r"HKLM\SYSTEM\ControlSet002\Services\NlaSvc!Start");

    // An unusable Select: with one set it is that one with a doubt, with two nobody knows.
    let registry = Bundle::default().hive("SYSTEM", system().key("Select").dword("Current", 7)).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).1.doubts.len(), 1);
    assert_eq!(registry.control_set().found().map(|set| (set.value, set.source.doubts.len())), Some((1, 1)));
    let registry = Bundle::default().hive("SYSTEM", two().key("Select").dword("Current", 7)).mount();
    assert!(unknown(registry.value(NLA, "Start")).1.contains(r"Select\Current is 7"));
    assert!(unknown(registry.control_set()).1.contains(r"Select\Current is 7"));
    assert!(registry.value(r"HKLM\SYSTEM\ControlSet002\Services\NlaSvc", "Start").found().is_some());
}

#[test]
fn leftovers_of_an_upgrade_are_not_the_present() {
    let old = r"Setup\Source OS (Updated on 1/2/2020 03:04:05)\ControlSet001\Services\Dhcp";
    let registry = Bundle::default().hive("SYSTEM", system().key(old).dword("Start", 4)).mount();
    absent(registry.value(r"HKLM\SYSTEM\CurrentControlSet\Services\Dhcp", "Start"));
    assert!(registry.value(&format!(r"HKLM\SYSTEM\{old}"), "Start").found().is_some());
}

#[test]
fn the_architecture_decides_how_many_views_there_are() {
    // domain.md section 14, R12.
    let environment = r"ControlSet001\Control\Session Manager\Environment";
    let named = |name: &str| system().key(environment).sz("PROCESSOR_ARCHITECTURE", name);
    for (name, expected, two) in [
        ("AMD64", Architecture::X64, true),
        ("x86", Architecture::X86, false),
        ("ARM64", Architecture::Arm64, true),
    ] {
        let registry = Bundle::default().hive("SYSTEM", named(name)).mount();
        assert_eq!(registry.architecture().found().unwrap().value, expected);
        assert_eq!(registry.has_two_views().found().unwrap().value, two);
    }
    let x86 = Bundle::default().hive("SOFTWARE", software()).mount();
    assert_eq!(x86.architecture().found().unwrap().value, Architecture::X86);
    let x64 = Bundle::default().hive("SOFTWARE", software().key("Wow6432Node")).mount();
    assert!(x64.architecture().is_unknown());
    assert!(x64.has_two_views().found().unwrap().value);
    // A dirty hive is not complete, and an export is not the hive.
    let dirty = Bundle::default().hive("SOFTWARE", software().sequences(2, 1)).mount();
    assert!(dirty.architecture().is_unknown());
    let export = Bundle::default().reg("a.reg", "[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n").mount();
    assert!(export.architecture().is_unknown());
    assert_eq!(x86.system_root().found().unwrap().value, r"C:\Windows");
}

#[test]
fn rows_name_every_key_and_value() {
    let hive = HiveBuilder::new().key("Select").dword("Current", 1).key(r"ControlSet001\Empty");
    let registry = Bundle::default()
        .reg("a.reg", "[HKEY_CURRENT_USER\\Software\\T]\r\n@=\"x\"\r\n")
        .hive("SYSTEM", hive)
        .mount();
    let rows: Vec<String> = registry.rows().map(|row| row.to_json("f").to_string()).collect();
    let time = FileTime::from_ticks(DEFAULT_TIME).to_string();
    let hive_row = |key: &str, below: &str, value: &str| {
        format!(
            r#"{{"artifact":"f","source":"hive","key":"{key}","hive_key":"{below}",{value},"last_write":"{time}"}}"#
        )
    };
    let none = r#""value":null,"type":null,"data":null"#;
    assert_eq!(
        rows,
        [
            r#"{"artifact":"f","source":"reg","key":"HKCU\\Software\\T","hive_key":"Software\\T","value":"","type":"REG_SZ","data":"x","last_write":null}"#.to_owned(),
            hive_row(r"HKLM\\SYSTEM", "", none),
            hive_row(r"HKLM\\SYSTEM\\ControlSet001", "ControlSet001", none),
            hive_row(r"HKLM\\SYSTEM\\ControlSet001\\Empty", r"ControlSet001\\Empty", none),
            hive_row(r"HKLM\\SYSTEM\\Select", "Select", r#""value":"Current","type":"REG_DWORD","data":1"#),
        ]
    );
}

/// Every fifth byte of a hive behind its base block is damaged in turn: all questions come to an end, and the walk gives no more
/// rows than the sound hive has.
#[test]
fn a_damaged_hive_never_stops_the_view() {
    let sound = system().build();
    let rows = Bundle::default().bytes("SYSTEM", sound.clone()).mount().rows().count();
    let end = sound.iter().rposition(|byte| *byte != 0).unwrap();
    let mut unknowns = 0;
    for at in (4096..end).step_by(5) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0xff;
        let registry = Bundle::default().bytes("SYSTEM", bytes).mount();
        assert!(registry.rows().count() <= rows, "damage at {at:#x}");
        unknowns += usize::from(registry.value(NLA, "Start").is_unknown());
        let _ = (
            registry.subkeys(NLA),
            registry.values(NLA),
            registry.security(INTERNET),
            registry.control_set(),
        );
    }
    assert!(unknowns > 0, "some damage is on the way to the value");
}
