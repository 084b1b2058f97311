//! Firewall rules in the layouts that public transcripts show, and what damage must not make of them.

use super::super::firewall_profiles::ProfileName;
use super::super::netsh::testing::{damage_says_nothing_new, data, read, read_unasked};
use super::super::{CaptureKind, CaptureStatus};
use super::*;

const RULE: &str = "----------------------------------------------------------------------";

/// Layout of Windows 10 with `verbose` in the last rule; the ICMP table stands between two keys (text_formats.md 4.13).
fn english() -> String {
    format!(
        "\nRule Name:                            Core Networking - DNS (UDP-Out)\n{RULE}\n\
         Enabled:                              Yes\n\
         Direction:                            Out\n\
         Profiles:                             Domain,Private,Public\n\
         Grouping:                             Core Networking\n\
         LocalIP:                              Any\n\
         RemoteIP:                             Any\n\
         Protocol:                             UDP\n\
         LocalPort:                            Any\n\
         RemotePort:                           53\n\
         Edge traversal:                       No\n\
         Action:                               Allow\n\n\
         Rule Name:                            @{{Microsoft.Thing?ms-resource://x/y}}\n{RULE}\n\
         Enabled:                              No\n\
         Direction:                            In\n\
         Profiles:                             Private\n\
         Grouping:                             \n\
         LocalIP:                              Any\n\
         RemoteIP:                             LocalSubnet\n\
         Protocol:                             ICMPv4\n                                      Type    Code\n                                      8       Any \n\
         Edge traversal:                       No\n\
         Action:                               Allow\n\n\
         Rule Name:                            No Office: really\n{RULE}\n\
         Description:                          Keeps it in\n\
         Enabled:                              Yes\n\
         Direction:                            Out\n\
         Profiles:                             Public\n\
         Grouping:                             \n\
         LocalIP:                              Any\n\
         RemoteIP:                             Any\n\
         Protocol:                             TCP\n\
         LocalPort:                            Any\n\
         RemotePort:                           80,443\n\
         Edge traversal:                       No\n\
         Program:                              C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE\n\
         InterfaceTypes:                       Any\n\
         Security:                             NotRequired\n\
         Rule source:                          Local Setting\n\
         Action:                               Block\nOk.\n\n"
    )
}

#[test]
fn rules_in_english() {
    assert_eq!(read(CaptureKind::FirewallRules, &english()).language.as_deref(), Some("en"));
    let (data, status, reason) = data!(FirewallRules, &english());
    assert_eq!((status, reason, data.rules.len()), (CaptureStatus::Parsed, None, 3));
    let dns = &data.rules[0];
    assert_eq!((dns.line, dns.name.as_str()), (2, "Core Networking - DNS (UDP-Out)"));
    assert_eq!(
        (dns.enabled, dns.direction, dns.action),
        (Some(true), Some(Direction::Out), Some(Action::Allow))
    );
    assert_eq!(dns.profiles, Some(vec![ProfileName::Domain, ProfileName::Private, ProfileName::Public]));
    assert_eq!(
        (dns.protocol.as_deref(), dns.local_port.as_deref(), dns.remote_port.as_deref()),
        (Some("UDP"), Some("Any"), Some("53"))
    );
    let ping = &data.rules[1];
    assert_eq!(
        (ping.enabled, ping.direction, ping.grouping.as_deref()),
        (Some(false), Some(Direction::In), None)
    );
    assert_eq!(ping.icmp, [Icmp { icmp_type: "8".to_owned(), code: "Any".to_owned() }]);
    assert_eq!((ping.local_port.as_deref(), ping.remote_ip.as_deref()), (None, Some("LocalSubnet")));
    let block = &data.rules[2];
    assert_eq!(
        (block.name.as_str(), block.action, block.action_line),
        ("No Office: really", Some(Action::Block), Some(47))
    );
    assert_eq!(
        block.program.as_deref(),
        Some("C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE")
    );
    assert_eq!(
        (block.remote_port.as_deref(), block.description.as_deref()),
        (Some("80,443"), Some("Keeps it in"))
    );
    assert_eq!((block.source.as_deref(), block.service.as_deref()), (Some("Local Setting"), None));
}

#[test]
fn rules_in_french_and_chinese() {
    // French after a collection from a real machine: half of the keys untranslated, `Actif` for incoming, blanks before colons.
    let french = format!(
        "Nom de la règle\u{a0}:                     Découverte du réseau (mDNS-In)\n{RULE}\n\
         Activé :                              Non\nDirection :                           Actif\n\
         Profiles :                            Domaine,Privé,Public\nGroupement :                          Découverte du réseau\n\
         LocalIP :                             Tout\nRemoteIP :                            Tout\n\
         Protocole :                           UDP\nLocalPort :                           5355\n\
         RemotePort :                          Tout\nAction :                              Bloquer\n"
    );
    let (data, status, _) = data!(FirewallRules, &french);
    let rule = &data.rules[0];
    assert_eq!(
        (status, rule.enabled, rule.direction, rule.action),
        (CaptureStatus::Parsed, Some(false), Some(Direction::In), Some(Action::Block))
    );
    assert_eq!((rule.local_port.as_deref(), rule.remote_port.as_deref()), (Some("5355"), Some("Any")));
    assert_eq!(rule.profiles.as_ref().map(Vec::len), Some(3));

    let chinese = format!(
        "规则名称:                             test\n{RULE}\n已启用:                               是\n\
         方向:                                 出\n配置文件:                             域,专用,公用\n分组:\n\
         LocalIP:                              任何\nRemoteIP:                             任何\n\
         协议:                                 TCP\nRemotePort:                           443\n操作:                                 阻止\n"
    );
    let reading = read(CaptureKind::FirewallRules, &chinese);
    assert_eq!(reading.language.as_deref(), Some("zh-CN"));
    let (data, status, _) = data!(FirewallRules, &chinese);
    let rule = &data.rules[0];
    assert_eq!(
        (status, rule.enabled, rule.direction, rule.action),
        (CaptureStatus::Parsed, Some(true), Some(Direction::Out), Some(Action::Block))
    );
    assert_eq!((rule.remote_ip.as_deref(), rule.remote_port.as_deref()), (Some("Any"), Some("443")));
}

/// Keys that no language has: the place beside the protocol tells them, the words stay what they are.
#[test]
fn keys_without_a_table_are_told_by_their_place() {
    let mut text = english();
    for (key, letters) in [
        ("Rule Name", "Aaaaaaaaa"),
        ("Description", "Bbbbbbbbbbb"),
        ("Enabled", "Ccccccc"),
        ("Direction", "Ddddddddd"),
        ("Profiles", "Eeeeeeee"),
        ("Grouping", "Ffffffff"),
        ("LocalIP", "Ggggggg"),
        ("RemoteIP", "Hhhhhhhh"),
        ("Protocol", "Iiiiiiii"),
        ("LocalPort", "Jjjjjjjjj"),
        ("RemotePort", "Kkkkkkkkkk"),
        ("Edge traversal", "Llllllllllllll"),
        ("Action", "Mmmmmm"),
    ] {
        text = text.replace(&format!("{key}:"), &format!("{letters}:"));
    }
    let (data, status, _) = data!(FirewallRules, &text);
    let (sound, ..) = data!(FirewallRules, &english());
    assert_eq!(status, CaptureStatus::Parsed);
    assert_eq!(data.rules.len(), 3);
    for (found, wanted) in data.rules.iter().zip(&sound.rules) {
        assert_eq!(
            (found.enabled, found.direction, found.action),
            (wanted.enabled, wanted.direction, wanted.action)
        );
        assert_eq!(
            (&found.profiles, &found.protocol, &found.remote_port),
            (&wanted.profiles, &wanted.protocol, &wanted.remote_port)
        );
    }

    // With words that are not known either, nothing is guessed.
    let foreign = text.replace(" Yes\n", " Igen\n").replace(" Out\n", " Ki\n").replace(" Block\n", " Tilt\n");
    let (data, status, reason) = data!(FirewallRules, &foreign);
    let last = &data.rules[2];
    assert_eq!((last.enabled, last.direction, last.action), (None, None, None));
    assert_eq!(last.remote_port.as_deref(), Some("80,443"));
    assert_eq!(status, CaptureStatus::Partial);
    assert!(reason.unwrap().contains("is not known"));
}

#[test]
fn no_rule_that_fits_and_a_refusal() {
    let (data, status, _) = data!(FirewallRules, "\nNo rules match the specified criteria.\n\n");
    assert_eq!((data.rules.len(), data.no_match, status), (0, true, CaptureStatus::Parsed));
    let refused = read_unasked(
        CaptureKind::FirewallRules,
        "The requested operation requires elevation (Run as administrator).\n",
    );
    assert_eq!(refused.status, CaptureStatus::ErrorOutput);
}

#[test]
fn damage_never_makes_another_rule() {
    damage_says_nothing_new(CaptureKind::FirewallRules, &english(), true);
}
