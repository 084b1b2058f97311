//! Configuration in the layouts that the corpus has no file of, and what damage must not make of it.

use super::super::netsh::testing::{claimed, damage_says_nothing_new, data};
use super::super::{CaptureKind, CaptureStatus};

/// Layout of Windows 10, with two name servers and one interface that has no address.
const ENGLISH: &str = "\nConfiguration for interface \"Ethernet: 2\"\n    DHCP enabled:                         No\n    \
    IP Address:                           192.168.1.20\n    Subnet Prefix:                        192.168.1.0/24 (mask 255.255.255.0)\n    \
    Default Gateway:                      192.168.1.1\n    Gateway Metric:                       1\n    \
    InterfaceMetric:                      25\n    Statically Configured DNS Servers:    10.0.0.53\n                                          \
    10.0.0.54\n    Register with which suffix:           Primary only\n    Statically Configured WINS Servers:   None\n\n\
    Configuration for interface \"Wi-Fi\"\n    DHCP enabled:                         Yes\n    InterfaceMetric:                      30\n    \
    DNS servers configured through DHCP:  None\n    Register with which suffix:           Primary only\n\n";

#[test]
fn a_static_and_an_unconnected_interface() {
    let (data, status, reason) = data!(IpConfig, ENGLISH);
    assert_eq!((status, reason, data.interfaces.len()), (CaptureStatus::Parsed, None, 2));
    let wired = &data.interfaces[0];
    assert_eq!((wired.name.as_str(), wired.dhcp, wired.metric), ("Ethernet: 2", Some(false), Some(25)));
    assert_eq!(
        (wired.gateways[0].address.to_string(), wired.gateways[0].metric),
        ("192.168.1.1".to_owned(), Some(1))
    );
    assert_eq!(wired.dns_servers.iter().map(|server| server.line).collect::<Vec<_>>(), [9, 10]);
    let wireless = &data.interfaces[1];
    assert_eq!((wireless.line, wireless.dhcp, wireless.dns_from_dhcp), (14, Some(true), Some(true)));
    assert!(wireless.dns_servers.is_empty() && wireless.addresses.is_empty());
}

#[test]
fn types_tell_what_a_language_without_a_table_says() {
    let text = ENGLISH
        .replace("Configuration for interface", "Xxxx")
        .replace("DHCP enabled", "Zzz DHCP")
        .replace("IP Address", "Yyy-IP")
        .replace("Subnet Prefix", "Vvvvv")
        .replace("Default Gateway", "Wwwww")
        .replace("Gateway Metric", "Uuuuu");
    let (data, status, _) = data!(IpConfig, &text);
    assert_eq!(status, CaptureStatus::Parsed);
    let wired = &data.interfaces[0];
    assert_eq!(
        (wired.addresses[0].address.to_string(), wired.addresses[0].prefix_length),
        ("192.168.1.20".to_owned(), Some(24))
    );
    assert_eq!(
        (wired.gateways[0].address.to_string(), wired.gateways[0].metric),
        ("192.168.1.1".to_owned(), Some(1))
    );

    // A word for yes or no that is not known leaves DHCP open.
    let (data, status, reason) = data!(IpConfig, &ENGLISH.replace("  Yes\n", "  Igen\n"));
    assert_eq!((data.interfaces[1].dhcp, status), (None, CaptureStatus::Partial));
    assert!(reason.unwrap().contains("\"Igen\""));
}

#[test]
fn addresses_of_ipv6_in_a_table() {
    // Layout of `netsh interface ipv6 show addresses`.
    let text = "\nInterface 1: Loopback Pseudo-Interface 1\n\nAddr Type  DAD State   Valid Life Pref. Life Address\n\
        ---------  ----------- ---------- ---------- ------------------------\n\
        Other      Preferred     infinite   infinite ::1\n\n\
        Interface 12: Ethernet\n\nAddr Type  DAD State   Valid Life Pref. Life Address\n\
        ---------  ----------- ---------- ---------- ------------------------\n\
        Temporary  Deprecated   6d1h2m3s         0s 2001:db8::1234\n\
        Other      Duplicate     infinite   infinite fe80::5c00:1%12\n\n";
    let (data, status, _) = data!(IpConfig, text);
    assert_eq!(status, CaptureStatus::Parsed);
    let rows: Vec<_> = data
        .addresses
        .iter()
        .map(|found| {
            (
                found.line,
                found.address.to_string(),
                found.interface.as_deref().unwrap(),
                found.dad_state.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (6, "::1".to_owned(), "Loopback Pseudo-Interface 1", "Preferred"),
            (12, "2001:db8::1234".to_owned(), "Ethernet", "Deprecated"),
            (13, "fe80::5c00:1".to_owned(), "Ethernet", "Duplicate"),
        ]
    );
}

#[test]
fn name_servers_of_ipv6() {
    let text = "\nConfiguration for interface \"Ethernet\"\n    Statically Configured DNS Servers:    2001:4860:4860::8888\n                                          \
        2001:4860:4860::8844\n    Register with which suffix:           Primary only\n\n";
    let (data, status, _) = data!(IpConfig, text);
    let servers: Vec<_> =
        data.interfaces[0].dns_servers.iter().map(|server| server.address.to_string()).collect();
    assert_eq!(
        (status, servers),
        (CaptureStatus::Parsed, vec!["2001:4860:4860::8888".to_owned(), "2001:4860:4860::8844".to_owned()])
    );
}

#[test]
fn damage_never_makes_a_gateway_or_a_server() {
    damage_says_nothing_new(CaptureKind::IpConfig, ENGLISH, true);
}

#[test]
fn other_texts_are_not_claimed() {
    for text in ["He said \"hello\"\n    and: left\n", "Interface 5: Wi-Fi\n  nothing\n"] {
        assert_ne!(claimed(text).name(), "neighbors", "{text}");
    }
    assert_eq!(claimed("Interface 5: Wi-Fi\n  nothing\n").name(), "unknown");
}
