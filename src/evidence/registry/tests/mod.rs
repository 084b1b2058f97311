//! The three answers, over hives that the workshop writes and texts typed by hand.

use super::*;
use crate::artifact::ArtifactId;
use crate::artifact::capture::Block;
use crate::artifact::hive::Hive;
use crate::artifact::hive::log::Replay;
use crate::artifact::reg_export::RegText;
use crate::artifact::security::Sid;
use crate::artifact::text::{Encoding, Text};
use crate::artifact::{item_property, reg_query};
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

#[test]
fn leftovers_of_an_upgrade_are_not_the_present() {
    let old = r"Setup\Source OS (Updated on 1/2/2020 03:04:05)\ControlSet001\Services\Dhcp";
    let registry = Bundle::default().hive("SYSTEM", system().key(old).dword("Start", 4)).mount();
    absent(registry.value(r"HKLM\SYSTEM\CurrentControlSet\Services\Dhcp", "Start"));
    assert!(registry.value(&format!(r"HKLM\SYSTEM\{old}"), "Start").found().is_some());
}

#[test]
fn every_user_hive_goes_to_its_account() {
    let jane = "S-1-5-21-1-2-3-1001";
    let list = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1001";
    let registry = Bundle::default()
        .hive("hives/evidence-1", profile(jane).key(r"Software\T").dword("v", 1))
        .hive(
            "ServiceProfiles/NetworkService/NTUSER.DAT",
            profile("S-1-5-20").key(r"Software\T").dword("v", 2),
        )
        .hive("config/DEFAULT", HiveBuilder::new().key(r"Software\T").dword("v", 3).key("Control Panel"))
        .hive(
            "Users/Default/NTUSER.DAT",
            HiveBuilder::new().key(r"Software\T").dword("v", 4).key("AppEvents"),
        )
        .hive(
            "UsrClass.dat",
            profile(jane).root_name(&format!("{jane}_Classes")).key("Local Settings").dword("v", 5),
        )
        .hive("SOFTWARE", software().key(list).expand_sz("ProfileImagePath", r"C:\Users\jane"))
        .mount();
    let value = |path: &str| found(&registry.value(path, "v")).0;
    assert_eq!(value(&format!(r"HKU\{jane}\Software\T")), 1);
    assert_eq!(value(r"HKU\S-1-5-20\Software\T"), 2);
    assert_eq!(value(r"HKU\S-1-5-18\Software\T"), 3);
    assert_eq!(value(r"HKU\.DEFAULT\Software\T"), 3);
    assert_eq!(value(&format!(r"HKU\{jane}\Software\Classes\Local Settings")), 5);
    let users: Vec<_> = registry.user_hives().collect();
    assert_eq!(users.len(), 1);
    assert_eq!(users[0].sid, Some(Sid::new(jane)));
    assert_eq!(users[0].name.as_deref(), Some("jane"));
    assert_eq!(users[0].profile.as_deref(), Some(r"C:\Users\jane"));
    assert_eq!(users[0].artifact, ArtifactId(0));
    assert_eq!(value(&users[0].path(r"Software\T")), 1);
    assert_eq!(registry.user(&Sid::new("S-1-5-20")).map(UserHive::is_service), Some(true));
    assert_eq!(registry.conflicts().len(), 1);
    assert_eq!(registry.conflicts()[0].ignored, [ArtifactId(3)]);
    assert!(registry.conflicts()[0].what.contains("template"));
}

#[test]
fn a_network_service_hive_that_lost_its_account_keeps_its_place() {
    let admin = profile("S-1-5-21-1-2-3-1001").key(r"Software\T").dword("v", 1);
    let registry = Bundle::default().hive("ServiceProfiles/NetworkService/NTUSER.DAT", admin).mount();
    assert_eq!(found(&registry.value(r"HKU\S-1-5-20\Software\T", "v")).0, 1);
    let security = registry.security(r"HKU\S-1-5-20").found().unwrap().value.clone();
    assert_eq!(security.allowed(&Sid::new("S-1-5-20")), 0);
}

#[test]
fn the_profile_list_knows_whose_folder_it_is() {
    let nobody = HiveBuilder::new().key(r"Software\T").dword("v", 1).key("Control Panel");
    let list = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1001";
    let registry = Bundle::default()
        .hive("C/Users/Jane/NTUSER.DAT", nobody)
        .hive("SOFTWARE", software().key(list).expand_sz("ProfileImagePath", r"C:\Users\jane"))
        .mount();
    assert_eq!(found(&registry.value(r"HKU\S-1-5-21-1-2-3-1001\Software\T", "v")).0, 1);
}

#[test]
fn an_export_of_the_current_user_says_whose_it_is_only_with_the_volatile_environment() {
    let office = "[HKEY_CURRENT_USER\\Software\\T]\r\n\"v\"=dword:00000001\r\n";
    let registry = Bundle::default().reg("hkcu.reg", office).mount();
    let user = registry.user_hives().next().unwrap();
    assert_eq!((user.sid.as_ref(), user.mount.as_str()), (None, "HKCU"));
    assert_eq!(found(&registry.value(&user.path(r"Software\T"), "v")).0, 1);
    assert_eq!(
        unknown(registry.value(r"HKU\S-1-5-21-1-2-3-1001\Software\T", "v")).0,
        "NTUSER.DAT of the user"
    );

    let volatile = "[HKEY_CURRENT_USER\\Volatile Environment]\r\n\"USERNAME\"=\"Jane\"\r\n\"USERPROFILE\"=\"C:\\\\Users\\\\jane\"\r\n";
    let named = Bundle::default().reg("hkcu.reg", &format!("{office}\r\n{volatile}"));
    assert_eq!(named.mount().user_hives().next().unwrap().name.as_deref(), Some("Jane"));

    let list = r"Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-1-2-3-1001";
    let registry = Bundle::default()
        .reg("hkcu.reg", &format!("{office}\r\n{volatile}"))
        .hive("SOFTWARE", software().key(list).expand_sz("ProfileImagePath", r"C:\Users\jane"))
        .mount();
    let user = registry.user_hives().next().unwrap();
    assert_eq!(user.sid, Some(Sid::new("S-1-5-21-1-2-3-1001")));
    assert_eq!(found(&registry.value(&user.path(r"Software\T"), "v")).0, 1);
    assert_eq!(found(&registry.value(r"HKCU\Software\T", "v")).0, 1);
}

#[test]
fn two_hives_of_one_place_are_not_mixed() {
    let newer =
        system().last_written(DEFAULT_TIME + DAY).key(r"ControlSet001\Services\NlaSvc").dword("Start", 3);
    let registry = Bundle::default().hive("a/SYSTEM", system()).hive("b/SYSTEM", newer).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).0, 3);
    let conflict = &registry.conflicts()[0];
    assert_eq!((conflict.used, conflict.ignored.as_slice()), (Some(ArtifactId(1)), &[ArtifactId(0)][..]));
    // A backup copy comes last, however new.
    let backup = system().last_written(DEFAULT_TIME + DAY);
    let registry =
        Bundle::default().hive("config/RegBack/SYSTEM", backup).hive("config/SYSTEM", system()).mount();
    assert_eq!(found(&registry.value(NLA, "Start")).1.artifact, ArtifactId(1));
}

#[test]
fn the_machine_with_the_most_evidence_is_analysed() {
    // domain.md section 13, decision 24.
    let named = |name: &str| {
        system().key(r"ControlSet001\Control\ComputerName\ComputerName").sz("ComputerName", name)
    };
    let user =
        |rid: &str, number| profile(&format!("S-1-5-21-1-2-3-{rid}")).key(r"Software\T").dword("v", number);
    let registry = Bundle::default()
        .hive("pc1/config/SYSTEM", named("PC1").last_written(DEFAULT_TIME + DAY))
        .hive("pc1/users/u/NTUSER.DAT", user("1001", 1))
        .hive("pc2/config/SYSTEM", named("PC2"))
        .hive("pc2/config/SOFTWARE", software())
        .hive("pc2/users/u/NTUSER.DAT", user("1002", 2))
        .reg("pc1/x.reg", &format!("[{NLA}]\r\n\"Start\"=dword:00000004\r\n"))
        .mount();
    let start = registry.value(NLA, "Start");
    assert_eq!((found(&start).1.artifact, found(&start).1.doubts.len()), (ArtifactId(2), 0));
    assert!(registry.value(r"HKU\S-1-5-21-1-2-3-1001\Software\T", "v").is_unknown());
    assert!(registry.value(r"HKU\S-1-5-21-1-2-3-1002\Software\T", "v").found().is_some());
    let conflict = &registry.conflicts()[0];
    assert_eq!(conflict.ignored, [ArtifactId(0), ArtifactId(1), ArtifactId(5)]);
    assert!(conflict.what.contains("PC1") && conflict.what.contains("PC2"));
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
                let damaged = format!("{}{with}{}", &text[..at], &text[at + 1..]);
                // A heading that is still one has another name now.
                let line = damaged[..at].rfind('\n').map_or(0, |start| start + 1);
                let line = damaged[line..].lines().next().unwrap_or_default();
                if line.starts_with("[HKEY") && line.ends_with(']') && !text.contains(line) {
                    continue;
                }
                let answer = ask(&damaged);
                assert!(!answer.is_absent(), "{with:?} at {at} of {text}\n{damaged}\n{answer:?}");
            }
        }
        for cut in (0..text.len()).filter(|cut| !at_a_blank_line(&text[..*cut])) {
            let answer = ask(&text[..cut]);
            assert!(!answer.is_absent(), "cut at {cut}: {answer:?}");
        }
    }
}
