//! systeminfo, updates, wmic, processes, time and access lists.

use actriage::artifact::capture::acl::Access;
use actriage::artifact::capture::systeminfo::Slot;
use actriage::artifact::capture::{CaptureStatus, tasklist, wmic};

use super::read_as;

/// What a person reads in a systeminfo file.
struct Machine {
    file: &'static str,
    language: &'static str,
    /// Line and name of the host.
    host: (u32, &'static str),
    os: &'static str,
    /// Major, minor, build and service pack.
    version: (u32, u32, u32, Option<u32>),
    /// Boot time, or the up time of Windows XP.
    started: &'static str,
    locale: &'static str,
    domain: &'static str,
    /// Announced, listed, number of the first and of the last article.
    hotfixes: (u32, usize, Option<u32>, Option<u32>),
    cards: usize,
}

#[rustfmt::skip]
const MACHINES: [Machine; 18] = [
    Machine { file: "de-win7-1", language: "de", host: (2, "XXXX-PC"), os: "Microsoft Windows 7 Ultimate N", version: (6, 1, 7601, Some(1)), started: "04.03.2019, 11:44:54", locale: "de", domain: "WORKGROUP", hotfixes: (263, 245, Some(2_849_697), Some(3_162_835)), cards: 4 },
    Machine { file: "en-win10-1", language: "en", host: (1, "DESKTOP-WIN01"), os: "Microsoft Windows 10 Enterprise", version: (10, 0, 19042, None), started: "3/19/2021, 9:25:03 AM", locale: "en-us", domain: "TEST.local", hotfixes: (6, 6, Some(4_578_968), Some(4_594_440)), cards: 1 },
    Machine { file: "en-win10-2", language: "en", host: (2, "TESTLAPTOP"), os: "Microsoft Windows 10 Enterprise", version: (10, 0, 17134, None), started: "3/30/2021, 6:13:59 AM", locale: "en-us", domain: "test.com", hotfixes: (11, 11, Some(2_693_643), Some(4_534_293)), cards: 6 },
    Machine { file: "en-win10-3", language: "en", host: (2, "DESKTOP-LOQ9L09"), os: "Microsoft Windows 10 Pro", version: (10, 0, 17763, None), started: "2019-03-07, 17:06:11", locale: "en-us", domain: "WORKGROUP", hotfixes: (5, 5, Some(4_486_553), Some(4_482_887)), cards: 4 },
    Machine { file: "en-win10-4", language: "en", host: (2, "DESKTOP-OOF6NB5"), os: "Microsoft Windows 10 Pro for Workstations", version: (10, 0, 17134, None), started: "05/03/2019, 21:01:50", locale: "en-us", domain: "WORKGROUP", hotfixes: (4, 4, Some(4_462_930), Some(4_487_017)), cards: 1 },
    Machine { file: "en-win10-ko-1", language: "en", host: (2, "ISU-XXXXXXXX"), os: "Microsoft Windows 10 Pro", version: (10, 0, 19044, None), started: "2022-07-04, ?? 12:07:01", locale: "ko", domain: "WORKGROUP", hotfixes: (10, 10, Some(5_013_887), Some(5_014_035)), cards: 9 },
    Machine { file: "en-win11-1", language: "en", host: (2, "DESKTOP-JNEKK9U"), os: "Microsoft Windows 11 Enterprise", version: (10, 0, 22631, None), started: "12/9/2023, 7:14:06 AM", locale: "en-us", domain: "WORKGROUP", hotfixes: (4, 4, Some(5_029_921), Some(5_031_592)), cards: 1 },
    Machine { file: "en-win11-2", language: "en", host: (2, "WINXI24H2LTSC"), os: "Microsoft Windows 11 Enterprise LTSC", version: (10, 0, 26100, None), started: "01-06-2024, 02:51:44", locale: "en-us", domain: "WORKGROUP", hotfixes: (3, 3, Some(5_037_589), Some(5_039_449)), cards: 1 },
    Machine { file: "en-win2012r2-1", language: "en", host: (2, "WIN-1A1A1AA11AA"), os: "Microsoft Windows Server 2012 R2 Standard", version: (6, 3, 9600, None), started: "3/28/2021, 2:34:44 PM", locale: "en-us", domain: "WORKGROUP", hotfixes: (5, 5, Some(2_919_355), Some(4_054_566)), cards: 1 },
    Machine { file: "en-win2016-1", language: "en", host: (2, "MYSERVER"), os: "Microsoft Windows Server 2016 Datacenter", version: (10, 0, 14393, None), started: "1/5/2019, 9:52:19 AM", locale: "en-us", domain: "WORKGROUP", hotfixes: (5, 5, Some(4_049_065), Some(4_483_229)), cards: 4 },
    Machine { file: "en-win2019-1", language: "en", host: (2, "WIN-O863JARO7CM"), os: "Microsoft Windows Server 2019 Datacenter", version: (10, 0, 17763, None), started: "1/13/2019, 1:52:11 PM", locale: "en-us", domain: "WORKGROUP", hotfixes: (5, 5, Some(4_462_930), Some(4_480_116)), cards: 1 },
    Machine { file: "en-win7-1", language: "en", host: (2, "TEST"), os: "Microsoft Windows 7 Professional", version: (6, 1, 7601, Some(1)), started: "3/22/2021, 1:15:51 PM", locale: "en-us", domain: "WORKGROUP", hotfixes: (302, 245, Some(2_849_697), Some(3_088_195)), cards: 5 },
    Machine { file: "en-win81-1", language: "en", host: (2, "WIN81U1X64"), os: "Microsoft Windows 8.1 Enterprise", version: (6, 3, 9600, None), started: "3/3/2019, 11:04:07 PM", locale: "en-us", domain: "WORKGROUP", hotfixes: (6, 6, Some(2_919_355), Some(2_949_621)), cards: 1 },
    Machine { file: "en-winxp-1", language: "en", host: (2, "WINXPSP3"), os: "Microsoft Windows XP Professional", version: (5, 1, 2600, Some(3)), started: "0 Days, 0 Hours, 1 Minutes, 38 Seconds", locale: "en-us", domain: "WORKGROUP", hotfixes: (262, 220, None, Some(946_648)), cards: 1 },
    Machine { file: "es-win10-2", language: "es", host: (2, "..."), os: "Microsoft Windows 10 Education", version: (10, 0, 17763, None), started: "...", locale: "es", domain: "WORKGROUP", hotfixes: (9, 9, Some(4_486_553), Some(4_482_887)), cards: 2 },
    Machine { file: "fr-win7-1", language: "fr", host: (2, "WIN-IDKKFN87EL8"), os: "Microsoft Windows\u{a0}7 Entreprise N", version: (6, 1, 7601, Some(1)), started: "29/04/2019, 18:56:01", locale: "fr", domain: "WORKGROUP", hotfixes: (73, 73, Some(2_491_683), Some(4_493_472)), cards: 1 },
    Machine { file: "fr-win7-2", language: "fr", host: (2, "WIN-IDKKFN87EL8"), os: "Microsoft Windows\u{a0}7 Entreprise N", version: (6, 1, 7601, Some(1)), started: "29/04/2019, 18:56:01", locale: "fr", domain: "WORKGROUP", hotfixes: (93, 93, Some(2_491_683), Some(4_493_472)), cards: 1 },
    Machine { file: "ru-win2012r2-1", language: "ru", host: (1, "DC"), os: "Майкрософт Ознакомительная версия Windows Server 2012 R2 Standard", version: (6, 3, 9600, None), started: "23.04.2020, 7:15:57", locale: "ru", domain: "TEST", hotfixes: (7, 7, Some(2_919_355), Some(2_999_226)), cards: 2 },
];

#[test]
fn systeminfo_in_five_languages() {
    for machine in &MACHINES {
        let file = machine.file;
        let (status, language, data) = read_as!(&format!("systeminfo/{file}"), Systeminfo);
        let text = |slot| data.text(slot).map(|field| field.value.as_str());
        assert_eq!(language.as_deref(), Some(machine.language), "{file}");
        let host = data.text(Slot::HostName).unwrap();
        assert_eq!((host.line, host.value.as_str()), machine.host, "{file}");
        assert_eq!(text(Slot::OsName), Some(machine.os), "{file}");
        let version = data.os_version.as_ref().unwrap();
        assert_eq!(
            (version.major, version.minor, version.build, version.service_pack),
            machine.version,
            "{file}"
        );
        let (started, other) =
            if version.major < 6 { (Slot::UpTime, Slot::BootTime) } else { (Slot::BootTime, Slot::UpTime) };
        assert_eq!((text(started), text(other)), (Some(machine.started), None), "{file}");
        assert_eq!(data.system_locale(), Some(machine.locale), "{file}");
        assert_eq!(text(Slot::Domain), Some(machine.domain), "{file}");
        let hotfixes = data.hotfixes.as_ref().unwrap();
        let (announced, listed, first, last) = machine.hotfixes;
        assert_eq!((hotfixes.announced, hotfixes.listed.len()), (Some(announced), listed), "{file}");
        assert_eq!(hotfixes.listed.first().unwrap().kb, first, "{file}");
        assert_eq!(hotfixes.listed.last().unwrap().kb, last, "{file}");
        // Windows 7 and XP cut the list and still print the number: such a list is never whole.
        let whole = listed == usize::try_from(announced).unwrap();
        assert_eq!((hotfixes.complete, status == CaptureStatus::Parsed), (whole, whole), "{file}");
        assert_eq!(data.network_cards.len(), machine.cards, "{file}");
    }
}

#[test]
fn network_cards_of_systeminfo() {
    let (_, _, data) = read_as!("systeminfo/ru-win2012r2-1", Systeminfo);
    let second = &data.network_cards[1];
    assert_eq!((second.line, second.connection.as_deref()), (47, Some("Ethernet 2")));
    assert_eq!(second.dhcp_server.as_deref(), Some("192.168.56.100"));
    assert_eq!(second.addresses, ["192.168.56.143", "fe80::dead:dead:dead:beef"]);
    let (_, _, data) = read_as!("systeminfo/en-win10-2", Systeminfo);
    let absent = &data.network_cards[3];
    assert_eq!(absent.status.as_deref(), Some("Hardware not present"));
    assert_eq!(absent.connection.as_deref(), Some("Ethernet 5"));
    assert_eq!(data.network_cards[4].dhcp_server, None);
}

#[test]
fn updates_of_wmic_as_tables() {
    let (status, _, data) = read_as!("wmic_qfe/en-win10-1", Hotfixes);
    assert_eq!((status, data.hotfixes.len()), (CaptureStatus::Parsed, 9));
    let first = &data.hotfixes[0];
    assert_eq!((first.line, first.kb, first.description.as_deref()), (2, Some(2_693_643), Some("Update")));
    assert_eq!(first.installed_by.as_deref(), Some("LAPTOP\\User"));
    // 3/2/2019 alone could be both; 2/18/2019 in the same list settles it.
    assert_eq!(first.installed_on.as_deref(), Some("3/2/2019"));
    assert_eq!(first.installed.unwrap().date(), "2019-03-02");
    assert_eq!(data.newest().unwrap().kb, Some(2_693_643));
    assert_eq!(data.names(4_487_044).unwrap().installed_by.as_deref(), Some("NT AUTHORITY\\SYSTEM"));

    let (_, _, data) = read_as!("wmic_qfe/ru-win2012r2-1", Hotfixes);
    assert_eq!(data.hotfixes.len(), 7);
    let last = &data.hotfixes[6];
    assert_eq!((last.line, last.kb, last.computer.as_deref()), (9, Some(2_999_226), Some("DC")));
    assert_eq!(last.installed_by.as_deref(), Some("TEST_dc\\Администратор"));
    assert_eq!(last.installed.unwrap().date(), "2020-04-17");
    assert_eq!(data.hotfixes[5].description.as_deref(), Some("Hotfix"));

    let (_, _, data) = read_as!("wmic_qfe/en-winxp-2", Hotfixes);
    let found: Vec<_> =
        data.hotfixes.iter().map(|hotfix| (hotfix.line, hotfix.id.as_str(), hotfix.kb)).collect();
    assert_eq!(found, [(2, "File 1", Some(893_803)), (3, "Q147222", None), (4, "KB893803v2", Some(893_803))]);
    assert_eq!(data.hotfixes[2].service_pack.as_deref(), Some("SP3"));
    assert_eq!(data.hotfixes[2].description.as_deref(), Some("Windows Installer 3.1 (KB893803)"));

    let (_, _, data) = read_as!("wmic_qfe/en-winxp-1", Hotfixes);
    assert_eq!(data.hotfixes.len(), 49);
    assert_eq!((data.hotfixes[0].kb, data.hotfixes[0].id.as_str()), (Some(2_115_168), "File 1"));
    assert_eq!(data.hotfixes[24].service_pack.as_deref(), Some("KB2544893-v2"));
    assert_eq!(data.hotfixes[48].kb, Some(2_748_349));
}

#[test]
fn updates_of_wmic_as_a_list() {
    let (status, _, data) = read_as!("wmic_qfe/any-winxp-3", Hotfixes);
    assert_eq!((status, data.hotfixes.len()), (CaptureStatus::Parsed, 16));
    assert_eq!((data.hotfixes[0].line, data.hotfixes[0].kb), (3, Some(2_079_403)));
    let settled = data.names(982_665).unwrap();
    assert_eq!(settled.installed.unwrap().date(), "2011-01-15");
    assert_eq!(settled.installed_by.as_deref(), Some("goneri"));
    assert_eq!(settled.computer.as_deref(), Some("ORDI-DE-GONÉRI"));
    let last = &data.hotfixes[15];
    assert_eq!((last.id.as_str(), last.kb, last.installed_on.as_deref()), ("XpsEPSC", None, None));
}

#[test]
fn other_objects_of_wmic() {
    let (status, _, data) = read_as!("wmic/any-win10-2", Wmic);
    assert_eq!((status, data.form, data.objects.len()), (CaptureStatus::Parsed, wmic::Form::List, 4));
    let names: Vec<_> = data
        .objects
        .iter()
        .map(|object| (object.line, object.get("Description").unwrap().value.as_str()))
        .collect();
    assert_eq!(names[0], (3, "Microsoft Kernel Debug Network Adapter"));
    assert_eq!(names[2].1, "Microsoft ISATAP Adapter");
    let card = &data.objects[1];
    assert_eq!(card.get("DHCPEnabled").unwrap().value, "TRUE");
    assert_eq!(card.get("DNSServerSearchOrder").unwrap().list(), ["0.0.0.2", "0.0.0.3", "0.0.0.4"]);
    assert_eq!(card.get("IPAddress").unwrap().line, 91);
    assert_eq!(card.get("MTU"), None);

    let (_, _, data) = read_as!("wmic/en-win10-1", Wmic);
    assert_eq!(data.objects[0].get("MACAddress").unwrap().value, "00:FF:17:15:F8:C8");
}

#[test]
fn processes_in_three_languages() {
    let (_, _, data) = read_as!("tasklist/fr-win10-1", Tasklist);
    let found: Vec<_> = data.processes.iter().map(|process| (process.pid, process.memory_kb)).collect();
    assert_eq!(found, [(1924, Some(147_532)), (12832, Some(127_128)), (12984, Some(121_928))]);
    assert_eq!((data.processes[0].line, data.processes[0].session), (3, Some(5)));
    assert_eq!(data.named("MSEDGE.EXE").count(), 3);

    let (_, _, data) = read_as!("tasklist/ru-win10-1", Tasklist);
    let only = &data.processes[0];
    assert_eq!((only.line, only.name.as_str(), only.pid), (5, "VBoxHeadless.exe", 8320));
    assert_eq!((only.session, only.memory_kb), (Some(2), Some(72_720)));

    let (_, _, data) = read_as!("tasklist/zh-win10-svc", Tasklist);
    assert_eq!(data.listing, tasklist::Listing::Services);
    let names: Vec<_> = data.processes.iter().map(|process| process.name.as_str()).collect();
    assert_eq!(names, ["System Idle Process", "System", "Registry", "smss.exe"]);
    assert!(data.processes.iter().all(|process| process.items.is_empty()), "暂缺 is no service");
}

#[test]
fn time_in_german() {
    let (status, language, data) = read_as!("w32tm_query_status/de-win10-1", W32tm);
    assert_eq!((status, language.as_deref()), (CaptureStatus::Parsed, Some("de")));
    let time = data.status.unwrap();
    assert_eq!(time.synchronised(), Some(true));
    assert_eq!(time.stratum.map(|stratum| (stratum.line, stratum.value)), Some((3, 4)));
    assert_eq!(time.root_dispersion_seconds, Some(7.796_061));
    let last = time.last_sync.unwrap();
    assert_eq!((last.line, last.value.as_str()), (8, "20.09.2024 10:43:13"));
    let source = data.source.unwrap();
    assert_eq!((source.line, source.value.as_str()), (9, "time.windows.com,0x9"));
    assert_eq!(time.poll_interval.map(|poll| poll.value), Some(10));
}

#[test]
fn access_lists() {
    let (status, _, data) = read_as!("get_acl/en-s-1-5-20-1", Acl);
    assert_eq!(status, CaptureStatus::Parsed);
    let key = &data.objects[0];
    assert_eq!(key.path.as_deref(), Some("Microsoft.PowerShell.Core\\Registry::HKEY_USERS\\S-1-5-20"));
    let sddl = key.sddl.as_ref().unwrap();
    assert_eq!(sddl.line, 11);
    assert_eq!(sddl.value, "O:BAG:SYD:P(A;OICI;KA;;;NS)(A;OICI;KA;;;SY)(A;OICI;KA;;;BA)(A;OICI;KR;;;RC)");
    assert_eq!((key.access.len(), key.access_complete), (4, true));
    assert_eq!(key.access[0].account, "NT AUTHORITY\\NETWORK SERVICE");
    assert_eq!(
        (key.access[0].line, key.access[0].access, key.access[0].rights[0].as_str()),
        (6, Access::Allow, "FullControl")
    );
    assert_eq!(key.access[3].rights, ["ReadKey"]);

    let (status, _, data) = read_as!("get_acl/en-win10-2", Acl);
    assert_eq!(status, CaptureStatus::Partial, "the post ends before Audit and Sddl");
    let key = &data.objects[0];
    assert_eq!((key.access.len(), key.owner.as_deref()), (8, Some("NT AUTHORITY\\SYSTEM")));
    assert_eq!(key.access[1].rights, ["-2147483648"]);
    assert_eq!(key.access[7].account, "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES");

    let (status, _, data) = read_as!("get_acl/en-win11-1", Acl);
    assert_eq!(status, CaptureStatus::Partial, "the last rule is cut inside its SID");
    let key = &data.objects[0];
    assert!(
        key.path.as_deref().unwrap().ends_with("\\LanmanServer\\DefaultSecurity\\"),
        "wrapped inside a word"
    );
    assert_eq!((key.line, key.access.len(), key.access_complete), (4, 5, false));
}
