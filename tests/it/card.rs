//! The machine card: what it says of the healthy base, and that nothing is invented where nothing was collected.

use actriage::checks::judgement::Status;
use actriage::report::terminal;

use crate::checks::{Case, report_on};
use crate::workshop::recipe::{self, File};

/// The files of a base with changes over it.
pub fn case(text: &str) -> Vec<File> {
    Case { check: String::new(), name: String::new(), text: text.to_owned() }.files()
}

/// The values stand in `fixtures/bases/complete*.md` and `win10.md`; the channel of the GUID in `CDNBaseUrl` is that of
/// learn.microsoft.com "Change the Microsoft 365 Apps update channel"; the time zone and licence values are added here.
#[test]
fn the_card_of_a_complete_collection() {
    let report = report_on(&case(
        "Base: complete\n```hive config/SYSTEM\n[ControlSet001\\Control\\TimeZoneInformation]\n\
         \"TimeZoneKeyName\"=\"W. Europe Standard Time\"\n\"ActiveTimeBias\"=dword:ffffffc4\n```\n\
         ```hive Users/anna/NTUSER.DAT\n[Software\\Microsoft\\Office\\16.0\\Common\\Licensing\\LicensingNext]\n\
         \"o365proplusretail\"=dword:2\n\"MigrationToV5Done\"=dword:1\n```\n",
    ));
    let card = serde_json::to_value(&report.machine).unwrap();
    assert_eq!(card["computer"], "PC17");
    assert_eq!(card["os"]["product"], "Windows 10 22H2");
    assert_eq!((&card["os"]["build"], &card["os"]["ubr"]), (&19045.into(), &0x10b5.into()));
    assert_eq!((&card["os"]["edition"], &card["os"]["architecture"]), (&"client".into(), &"x64".into()));
    assert_eq!(card["office"]["channel"], "Current Channel");
    assert_eq!(card["office"]["licence_mode"], "user");
    assert_eq!(card["affected_user"]["sid"], "S-1-5-21-1-2-3-1001");
    assert!(card["affected_user"]["why"].as_str().unwrap().contains("sign-in record"), "{card}");
    assert_eq!(card["accounts"][0]["affected"], true);
    assert_eq!(card["proxy"]["winhttp"], "direct");
    assert_eq!(card["proxy"]["wininet"], "direct, auto-detect on");
    assert_eq!(card["proxy"]["scope"], "each user");
    assert_eq!(card["networks"][0]["category"], "DomainAuthenticated");
    assert_eq!(card["networks"][0]["ipv4"], "Internet");
    // Minus 60 minutes from local time to UTC: one hour ahead.
    assert_eq!(card["time_zone"]["utc_offset_minutes"], 60);
    assert_eq!(card["time_zone"]["name"], "W. Europe Standard Time");
}

/// domain.md section 13, decision 18: a build in the name of a package is never the build that defaults of Windows rest on.
#[test]
fn decision_18_a_firewall_rule_does_not_tell_the_build() {
    let report = report_on(&case(
        "```hive config/SYSTEM\n[ControlSet001\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules]\n\
         \"{1}\"=\"v2.27|Action=Allow|Active=TRUE|Dir=Out|Name=@{Microsoft.AAD.BrokerPlugin_1000.16299.15.0_neutral_neutral_cw5n1h2txyewy?ms-resource://x}|\"\n```\n",
    ));
    let card = serde_json::to_value(&report.machine).unwrap();
    assert!(card["os"]["build"].is_null(), "{card}");
    let lifecycle = report.checks.iter().find(|check| check.id == "os-support-lifecycle").unwrap();
    assert_eq!(lifecycle.status, Status::NotCollected);
}

#[test]
fn what_was_not_collected_is_null() {
    let note = File { path: "note.txt".to_owned(), bytes: b"Word asks me to sign in.".to_vec() };
    let card = serde_json::to_value(report_on(&[note]).machine).unwrap();
    for place in [
        "/computer",
        "/os/product",
        "/os/build",
        "/os/edition",
        "/os/architecture",
        "/office/version",
        "/office/channel",
        "/office/licence_mode",
        "/affected_user",
        "/join/state",
        "/proxy/winhttp",
        "/proxy/wininet",
        "/proxy/scope",
        "/proxy/environment",
        "/networks",
        "/time_zone/name",
        "/time_zone/utc_offset_minutes",
    ] {
        assert!(card.pointer(place).unwrap().is_null(), "{place}: {card}");
    }
}

/// A hybrid-joined device (domain.md 5.19: AzureAdJoined and DomainJoined YES), in the form of Windows' own output.
#[test]
fn the_join_state_comes_from_dsregcmd() {
    let text = "```text dsregcmd.txt\n+----------------------------------------------------------------------+\n\
                | Device State                                                         |\n\
                +----------------------------------------------------------------------+\n\n\
                             AzureAdJoined : YES\n          EnterpriseJoined : NO\n              DomainJoined : YES\n\
                               DomainName : CONTOSO\n```\n";
    let report = report_on(&recipe::files(text));
    let card = serde_json::to_value(report.machine).unwrap();
    assert_eq!(card["join"]["state"], "hybrid-joined");
    assert_eq!(card["join"]["workplace"], serde_json::Value::Null);
}

#[test]
fn the_terminal_card_has_at_most_six_lines() {
    let mut long = String::from("Base: complete\n```text captures/netconnectionprofile.txt\n");
    for number in 0..9 {
        long.push_str(&format!(
            "\nName             : net{number}\nInterfaceAlias   : vEthernet (Default Switch {number})\nInterfaceIndex   : {number}\n\
             NetworkCategory  : Public\nIPv4Connectivity : Internet\nIPv6Connectivity : NoTraffic\n"
        ));
    }
    long.push_str("\n```\n");
    for text in ["Base: complete\n", &long] {
        let report = report_on(&case(text));
        let page = terminal::render(&report, terminal::Options { width: 100, color: false, all: false });
        let card: Vec<&str> = page
            .lines()
            .skip_while(|line| !line.starts_with("Machine"))
            .take_while(|line| !line.is_empty())
            .collect();
        assert_eq!(card.len(), 6, "{page}");
        assert!(card[5].starts_with("Collected"), "{page}");
        assert!(card.iter().all(|line| line.chars().count() <= 100), "{page}");
    }
}
