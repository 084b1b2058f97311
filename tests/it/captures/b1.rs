//! Captures of group B, first part: interfaces, routes, neighbours, scripts of netsh, firewall, TCP, wireless.
//!
//! Every expected value below was read by eye from the capture file that the test names.

#![allow(clippy::panic, clippy::unwrap_used, reason = "the helpers of tests may fail like the tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use actriage::artifact::capture::{
    self, Capture, CaptureData, CaptureKind, CaptureStatus, firewall_profiles, getmac, ip_config,
    ip_interfaces, ip_route, neighbors, netsh_dump, route_print, tcp_global, wlan_interfaces,
};
use actriage::artifact::text::Text;

use serde_json::Value;

use crate::corpus;
use crate::workshop::damage;

/// Folders of the captures and the kind that their files must be read as.
const FOLDERS: &[(&str, CaptureKind)] = &[
    ("getmac", CaptureKind::Getmac),
    ("netsh_advfirewall", CaptureKind::FirewallProfiles),
    ("netsh_dump", CaptureKind::NetshDump),
    ("netsh_int_ip_show", CaptureKind::IpConfig),
    ("netsh_int_ip_show_config", CaptureKind::IpConfig),
    ("netsh_int_show_neighbors", CaptureKind::Neighbors),
    ("netsh_int_show_route", CaptureKind::IpRoute),
    ("netsh_int_tcp_show_global", CaptureKind::TcpGlobal),
    ("netsh_wlan", CaptureKind::WlanInterfaces),
    ("route_print", CaptureKind::RoutePrint),
];

/// Files whose folder says less than their manifest row.
const EXCEPTIONS: &[(&str, CaptureKind)] = &[
    ("netsh_int_ip_show/en-win2008-1.txt", CaptureKind::IpInterfaces),
    ("netsh_int_ip_show_config/ru-winxp-2.txt", CaptureKind::Ipconfig),
];

/// Files that are only a part of an output, and what the reading must say of it.
const PARTIAL: &[(&str, &str)] = &[
    ("netsh_dump/en-win10-1.txt", "cut off"),
    ("netsh_wlan/de-win11-1.txt", "begins inside"),
    ("route_print/en-win10-6.txt", "no active route"),
];

fn captures() -> Option<PathBuf> {
    let root = corpus::shared()?;
    Some(root.join("captures"))
}

fn read(root: &Path, file: &str) -> Vec<Capture> {
    let bytes = std::fs::read(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    capture::read(&Text::decode(&bytes))
}

/// All captures of a kind in a file; there must be one.
fn of_kind(root: &Path, file: &str, kind: CaptureKind) -> Vec<Capture> {
    let found: Vec<_> = read(root, file).into_iter().filter(|capture| capture.kind == kind).collect();
    assert!(!found.is_empty(), "{file}: no capture of {}", kind.name());
    found
}

/// The only capture of a kind in a file.
fn one(root: &Path, file: &str, kind: CaptureKind) -> Capture {
    let mut found = of_kind(root, file, kind);
    assert_eq!(found.len(), 1, "{file}: captures of {}", kind.name());
    found.remove(0)
}

/// The typed content of the only capture of a kind.
macro_rules! data {
    ($root:expr, $file:expr, $kind:ident) => {{
        let found = one($root, $file, CaptureKind::$kind);
        match found.data {
            CaptureData::$kind(data) => data,
            other => panic!("{}: {other:?}", $file),
        }
    }};
}

macro_rules! root_or_return {
    () => {
        match captures() {
            Some(root) => root,
            None => {
                eprintln!("ACTRIAGE_CORPUS is not set: skipped");
                return;
            }
        }
    };
}

/// Outputs of one file, one below the other, with their starts marked by no prompt.
#[test]
fn outputs_below_each_other_are_told_apart() {
    let root = root_or_return!();
    let files = [
        ("route_print/en-win10-2.txt", CaptureKind::RoutePrint),
        ("netsh_int_show_neighbors/en-win10-1.txt", CaptureKind::Neighbors),
        ("netsh_int_show_route/en-win10-1.txt", CaptureKind::IpRoute),
        ("netsh_int_tcp_show_global/en-win2012r2-1.txt", CaptureKind::TcpGlobal),
        ("netsh_int_ip_show/en-win2008-2.txt", CaptureKind::IpConfig),
        ("netsh_dump/ru-win11-1.txt", CaptureKind::NetshDump),
        ("netsh_advfirewall/de-win10-1.txt", CaptureKind::FirewallProfiles),
    ];
    let mut glued = String::new();
    for (file, _) in &files {
        let bytes = std::fs::read(root.join(file)).unwrap();
        glued.push_str(Text::decode(&bytes).as_str().trim_end());
        glued.push_str("\n\n");
    }
    let found: Vec<_> = capture::read(&Text::decode(glued.as_bytes()))
        .iter()
        .map(|capture| (capture.kind, capture.status))
        .collect();
    let wanted: Vec<_> = files.iter().map(|(_, kind)| (*kind, CaptureStatus::Parsed)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn every_capture_is_parsed_or_says_why_not() {
    let root = root_or_return!();
    let mut rows: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut files = 0;
    for row in corpus::tsv(&root.join("MANIFEST.tsv")) {
        let path = row["path"].clone();
        let folder = path.split('/').next().unwrap_or_default();
        let Some((_, kind)) = FOLDERS.iter().find(|(name, _)| *name == folder) else { continue };
        let kind = EXCEPTIONS.iter().find(|(file, _)| *file == path).map_or(*kind, |(_, kind)| *kind);
        if kind == CaptureKind::Ipconfig {
            continue;
        }
        let expected = PARTIAL.iter().find(|(file, _)| *file == path).map(|(_, reason)| *reason);
        for found in of_kind(&root, &path, kind) {
            let status = if expected.is_some() { CaptureStatus::Partial } else { CaptureStatus::Parsed };
            assert_eq!(found.status, status, "{path}: {:?}", found.reason);
            assert!(found.reason.unwrap_or_default().contains(expected.unwrap_or_default()), "{path}");
        }
        let counted = rows.entry(kind.name()).or_default();
        counted[usize::from(expected.is_some())] += 1;
        files += 1;
    }
    println!("{files} files; parsed and partial by kind: {rows:?}");
    assert_eq!(files, 24);
}

#[test]
fn getmac_table_of_windows_10() {
    let root = root_or_return!();
    let data: getmac::Data = data!(&root, "getmac/en-win10-1.txt", Getmac);
    let rows: Vec<_> = data
        .adapters
        .iter()
        .map(|adapter| {
            (
                adapter.line,
                adapter.connection.as_deref().unwrap_or(""),
                adapter.mac.as_str(),
                adapter.connected,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (2, "Ethernet", "74-D4-35-3D-9E-2D", Some(false)),
            (3, "Ethernet 2", "74-D4-35-75-85-26", Some(true)),
            (4, "Ethernet 3", "62-45-B4-BB-2F-DD", None),
            (5, "Ethernet 4", "00-FF-17-15-F8-C8", Some(false)),
            (6, "VMware Network", "00-50-56-C0-00-01", Some(true)),
            (7, "VMware Network", "00-50-56-C0-00-08", Some(true)),
        ]
    );
    assert_eq!(data.adapters[0].description.as_deref(), Some("Killer E2200 Gi"));
    assert_eq!(data.adapters[2].transport, "N/A");
    assert_eq!(data.adapters[5].interface_guid.as_deref(), Some("{E4E0E83D-B56D-4849-8AA1-9B9AAD78CFFB}"));
}

#[test]
fn firewall_profiles_in_german_and_chinese() {
    use firewall_profiles::{Inbound, Outbound, ProfileName};
    let root = root_or_return!();
    let found = one(&root, "netsh_advfirewall/de-win10-1.txt", CaptureKind::FirewallProfiles);
    assert_eq!(found.language.as_deref(), Some("de"));
    let data: firewall_profiles::Data = data!(&root, "netsh_advfirewall/de-win10-1.txt", FirewallProfiles);
    let rows: Vec<_> = data
        .profiles
        .iter()
        .map(|profile| (profile.name, profile.enabled, profile.enabled_line, profile.outbound))
        .collect();
    assert_eq!(
        rows,
        [
            (Some(ProfileName::Domain), Some(true), Some(2), None),
            (Some(ProfileName::Private), Some(true), Some(4), None),
            (Some(ProfileName::Public), Some(true), Some(6), None),
        ]
    );

    let data: firewall_profiles::Data = data!(&root, "netsh_advfirewall/zh-win10-1.txt", FirewallProfiles);
    assert_eq!(data.profiles.len(), 1);
    let profile = &data.profiles[0];
    assert_eq!((profile.name, profile.line), (Some(ProfileName::Domain), 1));
    assert_eq!((profile.enabled, profile.enabled_text.as_deref()), (Some(true), Some("打开")));
    assert_eq!(
        (profile.inbound, profile.outbound, profile.policy_line),
        (Some(Inbound::Block), Some(Outbound::Allow), Some(4))
    );
    assert_eq!((profile.local_rules, profile.log_file.as_deref()), (None, None));
}

#[test]
fn netsh_dumps() {
    let root = root_or_return!();
    let data: netsh_dump::Data = data!(&root, "netsh_dump/en-win10-1.txt", NetshDump);
    assert_eq!(data.contexts.len(), 1);
    let context = &data.contexts[0];
    assert_eq!((context.name.as_str(), context.line, context.closed), ("interface ipv4", 4, false));
    let verbs: Vec<_> =
        context.commands.iter().map(|command| (command.line, command.verb.as_str())).collect();
    assert_eq!(
        verbs,
        [(6, "reset"), (7, "set global"), (8, "add route"), (9, "add route"), (10, "add route")]
    );
    let route = &context.commands[2];
    assert_eq!(route.argument("interface"), Some("vEthernet (Ethernet) 2"));
    assert_eq!(
        (route.argument("prefix"), route.argument("nexthop")),
        (Some("0.0.0.0/0"), Some("172.19.48.1"))
    );
    assert_eq!(context.commands[4].argument("nexthop"), Some("192.0.2.5"));

    let data: netsh_dump::Data = data!(&root, "netsh_dump/ru-win11-1.txt", NetshDump);
    let names: Vec<_> = data.contexts.iter().map(|context| (context.name.as_str(), context.closed)).collect();
    assert_eq!(
        names,
        [("interface", true), ("interface ipv4", true), ("interface tcp", true), ("interface teredo", true)]
    );
    assert!(data.contexts[0].commands.is_empty());
    let ipv4 = &data.contexts[1];
    assert_eq!(ipv4.commands.len(), 7);
    assert_eq!(ipv4.commands[2].argument("interface"), Some("Ethernet (отладчик ядра)"));
    assert_eq!(ipv4.commands[6].verb, "add address");
    assert_eq!(ipv4.commands[6].argument("name"), Some("VirtualBox Host-Only Network"));
    assert_eq!(ipv4.commands[6].argument("mask"), Some("255.255.255.0"));
    let tcp = &data.contexts[2].commands[1];
    assert_eq!((tcp.verb.as_str(), tcp.arguments.len()), ("set global", 14));
    assert_eq!(
        (tcp.argument("autotuninglevel"), tcp.argument("pacingprofile")),
        (Some("normal"), Some("off"))
    );
    assert_eq!(data.contexts[3].commands[0].argument("servername"), Some("win1910.ipv6.microsoft.com."));
}

#[test]
fn interfaces_of_server_2008() {
    // Two outputs, one below the other.
    let root = root_or_return!();
    let found = read(&root, "netsh_int_ip_show/en-win2008-1.txt");
    let rows: Vec<_> = found
        .iter()
        .map(|capture| {
            let CaptureData::IpInterfaces(data) = &capture.data else { panic!("{:?}", capture.kind) };
            let row = |found: &ip_interfaces::Interface| {
                (found.line, found.index, found.metric, found.mtu, found.connected, found.name.clone())
            };
            data.interfaces.iter().map(row).collect::<Vec<_>>()
        })
        .collect();
    let row = |line, index, metric, mtu, connected, name: &str| {
        (line, index, metric, mtu, Some(connected), name.to_owned())
    };
    assert_eq!(
        rows,
        [
            vec![
                row(3, 1, 50, 4_294_967_295, true, "Loopback Pseudo-Interface 1"),
                row(4, 9, 10, 1500, true, "Local Area Connection"),
            ],
            vec![
                row(9, 1, 50, 4_294_967_295, true, "Loopback Pseudo-Interface 1"),
                row(10, 9, 10, 1500, true, "Local Area Connection"),
                row(11, 11, 50, 1280, false, "isatap.localdomain"),
                row(12, 12, 50, 1280, true, "Teredo Tunneling Pseudo-Interface"),
            ],
        ]
    );
}

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

#[test]
fn ip_configuration_of_server_2008() {
    let root = root_or_return!();
    let data: ip_config::Data = data!(&root, "netsh_int_ip_show/en-win2008-2.txt", IpConfig);
    assert_eq!(data.interfaces.len(), 1);
    let found = &data.interfaces[0];
    assert_eq!((found.line, found.name.as_str(), found.dhcp), (1, "Local Area Connection", Some(true)));
    assert_eq!(
        (found.addresses[0].address, found.addresses[0].prefix_length),
        (ip("172.16.138.216"), Some(24))
    );
    assert_eq!(
        (found.gateways[0].line, found.gateways[0].address, found.gateways[0].metric),
        (5, ip("172.16.138.2"), Some(0))
    );
    assert_eq!((found.metric, found.dns_from_dhcp), (Some(10), None));

    let data: ip_config::Data = data!(&root, "netsh_int_ip_show/en-win2008-3.txt", IpConfig);
    let rows: Vec<_> = data
        .addresses
        .iter()
        .map(|found| {
            (
                found.line,
                found.address,
                found.dad_state.as_deref().unwrap_or(""),
                found.address_type.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (2, ip("fe80::2087:77a:53ef:7527"), "Preferred", "Other"),
            (11, ip("2001:0:4137:9e76:2087:77a:53ef:7527"), "Preferred", "Public"),
        ]
    );

    let data: ip_config::Data = data!(&root, "netsh_int_ip_show/en-win2008-4.txt", IpConfig);
    let rows: Vec<_> = data
        .addresses
        .iter()
        .map(|found| {
            (
                found.address,
                found.interface.as_deref().unwrap_or(""),
                found.dad_state.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (ip("::1"), "Loopback Pseudo-Interface 1", "Preferred"),
            (ip("fe80::7128:aa90:8f2a:8375"), "Local Area Connection", "Preferred"),
            (ip("fe80::5efe:172.16.138.216"), "isatap.localdomain", "Deprecated"),
            (ip("2001:0:4137:9e76:2087:77a:53ef:7527"), "Teredo Tunneling Pseudo-Interface", "Preferred"),
        ]
    );
}

#[test]
fn ip_configuration_in_french_and_german() {
    let root = root_or_return!();
    let file = "netsh_int_ip_show_config/fr-win10-1.txt";
    let data: ip_config::Data = data!(&root, file, IpConfig);
    let found = &data.interfaces[0];
    assert_eq!((found.line, found.name.as_str(), found.dhcp), (2, "Connexion au réseau local", None));
    assert_eq!((found.dns_servers[0].line, found.dns_servers[0].address), (3, ip("172.16.0.2")));
    assert_eq!((found.dns_servers.len(), found.dns_from_dhcp), (1, Some(false)));

    let file = "netsh_int_ip_show_config/fr-win10-2.txt";
    assert_eq!(one(&root, file, CaptureKind::IpConfig).language.as_deref(), Some("fr"));
    let data: ip_config::Data = data!(&root, file, IpConfig);
    let found = &data.interfaces[0];
    assert_eq!(
        (found.name.as_str(), found.dhcp, found.metric),
        ("Connexion au réseau local", Some(false), Some(1))
    );
    assert_eq!(
        (found.addresses[0].address, found.addresses[0].prefix_length),
        (ip("172.16.196.94"), Some(30))
    );
    assert!(found.gateways.is_empty());

    let data: ip_config::Data = data!(&root, "netsh_int_ip_show_config/de-unverified-1.txt", IpConfig);
    let found = &data.interfaces[0];
    assert_eq!((found.name.as_str(), found.dhcp, found.metric), ("Wi-Fi", Some(false), Some(5000)));
    assert_eq!((found.addresses[0].address, found.addresses[0].prefix_length), (ip("172.24.96.1"), Some(20)));
}

#[test]
fn ip_configuration_in_russian_and_chinese() {
    let root = root_or_return!();
    let file = "netsh_int_ip_show_config/ru-winxp-1.txt";
    assert_eq!(one(&root, file, CaptureKind::IpConfig).language.as_deref(), Some("ru"));
    let data: ip_config::Data = data!(&root, file, IpConfig);
    assert_eq!(data.interfaces.len(), 1);
    let found = &data.interfaces[0];
    assert_eq!(
        (found.line, found.name.as_str(), found.dhcp),
        (3, "Подключение по локальной сети 2", Some(false))
    );
    let addresses: Vec<_> =
        found.addresses.iter().map(|own| (own.line, own.address, own.prefix_length)).collect();
    assert_eq!(
        addresses,
        [
            (5, ip("192.168.1.17"), Some(16)),
            (7, ip("192.168.1.5"), Some(16)),
            (9, ip("192.168.2.17"), Some(16)),
        ]
    );
    assert_eq!(
        (found.gateways[0].address, found.gateways[0].metric, found.metric),
        (ip("192.168.1.1"), Some(0), Some(0))
    );
    let servers: Vec<_> = found.dns_servers.iter().map(|server| (server.line, server.address)).collect();
    assert_eq!(servers, [(14, ip("192.168.50.1")), (15, ip("192.168.110.3"))]);
    assert_eq!((found.dns_from_dhcp, found.wins_servers.len()), (Some(false), 0));

    let data: ip_config::Data = data!(&root, "netsh_int_ip_show_config/zh-win10-1.txt", IpConfig);
    let rows: Vec<_> = data
        .interfaces
        .iter()
        .map(|found| {
            (
                found.line,
                found.name.as_str(),
                found.dhcp,
                found.metric,
                found.dns_from_dhcp,
                found.dns_servers.len(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (2, "本地连接", Some(false), Some(25), Some(false), 0),
            (9, "WLAN", Some(true), Some(25), Some(true), 2),
        ]
    );
    assert_eq!(data.interfaces[1].dns_servers[1].address, ip("192.168.1.1"));
}

#[test]
fn neighbours_of_windows_10() {
    use neighbors::State;
    let root = root_or_return!();
    let data: neighbors::Data = data!(&root, "netsh_int_show_neighbors/en-win10-1.txt", Neighbors);
    let tables: Vec<_> = data
        .interfaces
        .iter()
        .map(|found| (found.index, found.name.as_deref().unwrap_or(""), found.entries.len()))
        .collect();
    assert_eq!(
        tables,
        [
            (1, "Loopback Pseudo-Interface 1", 7),
            (13, "Local Area Connection 2", 7),
            (5, "Ethernet 4", 12),
            (16, "VMware Network Adapter VMnet1", 7),
            (28, "VMware Network Adapter VMnet8", 6),
            (15, "Ethernet 5", 7),
            (12, "Ethernet 6", 6),
            (72, "vEthernet (WSL)", 5),
            (24, "VirtualBox Host-Only Network #2", 6),
            (23, "VirtualBox Host-Only Network", 6),
            (2, "Bluetooth Network Connection 2", 7),
        ]
    );
    let gateway = &data.interfaces[2].entries[0];
    assert_eq!(
        (gateway.address, gateway.mac.as_deref(), gateway.state),
        (ip("10.0.0.1"), Some("6A-D7-9A-BB-FE-E2"), Some(State::Reachable))
    );
    assert_eq!(data.interfaces[2].entries[1].state, Some(State::Stale));
    let unreachable = &data.interfaces[3].entries[0];
    assert_eq!((unreachable.mac.as_deref(), unreachable.state), (None, Some(State::Unreachable)));
    assert_eq!(data.interfaces[0].entries[0].line, 7);
}

#[test]
fn routes_of_windows_10() {
    let root = root_or_return!();
    let data: ip_route::Data = data!(&root, "netsh_int_show_route/en-win10-1.txt", IpRoute);
    assert_eq!(data.routes.len(), 47);
    let default: Vec<_> = data.defaults().collect();
    assert_eq!(default.len(), 1);
    assert_eq!(
        (default[0].line, default[0].metric, default[0].interface_index, default[0].gateway),
        (4, 0, 5, Some(ip("10.0.0.1")))
    );
    let wsl = &data.routes[7];
    assert_eq!((wsl.destination, wsl.prefix_length, wsl.interface_index), (ip("172.17.112.0"), 20, 72));
    assert_eq!(
        (wsl.interface_name.as_deref(), wsl.gateway, wsl.origin.as_str()),
        (Some("vEthernet (WSL)"), None, "System")
    );
}

#[test]
fn tcp_parameters_of_server_2012() {
    use tcp_global::Parameter;
    let root = root_or_return!();
    let data: tcp_global::Data = data!(&root, "netsh_int_tcp_show_global/en-win2012r2-1.txt", TcpGlobal);
    let value = |parameter| data.value(parameter).map(|setting| (setting.line, setting.value.as_str()));
    assert_eq!(data.settings.len(), 10);
    assert_eq!(value(Parameter::ReceiveSideScaling), Some((3, "enabled")));
    assert_eq!(value(Parameter::ChimneyOffload), Some((4, "disabled")));
    assert_eq!(value(Parameter::NetDma), Some((5, "disabled")));
    assert_eq!(value(Parameter::DirectCacheAccess), Some((6, "disabled")));
    assert_eq!(value(Parameter::AutoTuningLevel), Some((7, "normal")));
    assert_eq!(value(Parameter::CongestionProvider), Some((8, "default")));
    assert_eq!(value(Parameter::EcnCapability), Some((9, "enabled")));
    assert_eq!(value(Parameter::Timestamps), Some((10, "disabled")));
    assert_eq!(value(Parameter::InitialRto), Some((11, "3000")));
    assert_eq!(value(Parameter::ReceiveSegmentCoalescing), Some((12, "enabled")));
}

#[test]
fn wireless_adapter_in_german() {
    let root = root_or_return!();
    let file = "netsh_wlan/de-win11-1.txt";
    assert_eq!(one(&root, file, CaptureKind::WlanInterfaces).language.as_deref(), Some("de"));
    let data: wlan_interfaces::Data = data!(&root, file, WlanInterfaces);
    assert_eq!(data.interfaces.len(), 1);
    let found = &data.interfaces[0];
    assert_eq!(found.guid.as_deref(), Some("3F9A7C1E-1111-2222-3333-444455556666"));
    assert_eq!(
        (found.mac.as_deref(), found.bssid.as_deref()),
        (Some("AA-BB-CC-A7-56-C2"), Some("11-22-33-72-CF-30"))
    );
    assert_eq!(
        (found.connected, found.state_line, found.ssid.as_deref()),
        (Some(true), Some(4), Some("HeimNetz"))
    );
    assert_eq!((found.radio_type.as_deref(), found.cipher.as_deref()), (Some("802.11ax"), Some("CCMP")));
    assert_eq!((found.authentication.as_deref(), found.channel), (Some("WPA3-Personal"), Some(36)));
    assert_eq!(
        (found.receive_mbps, found.transmit_mbps, found.signal_percent),
        (Some(1201.0), Some(960.7), Some(94))
    );
    assert_eq!(
        (found.name.as_deref(), found.profile.as_deref(), found.band.as_deref()),
        (None, Some("HeimNetz"), Some("5 GHz"))
    );
    assert_eq!(found.other_keys, []);
}

fn v4(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn route_print_in_german_and_french() {
    let root = root_or_return!();
    let file = "route_print/de-win11-1.txt";
    assert_eq!(one(&root, file, CaptureKind::RoutePrint).language.as_deref(), Some("de"));
    let data: route_print::Data = data!(&root, file, RoutePrint);
    assert_eq!(
        (data.interfaces.len(), data.interfaces[0].index, data.interfaces[0].mac.as_deref()),
        (1, 12, None)
    );
    assert_eq!(data.interfaces[0].description, "Intel(R) Wi-Fi 6 AX201");
    let rows: Vec<_> = data
        .ipv4
        .iter()
        .map(|route| {
            (route.line, route.destination, route.prefix_length, route.gateway, route.interface, route.metric)
        })
        .collect();
    assert_eq!(
        rows,
        [
            (10, v4("0.0.0.0"), 0, Some(v4("192.168.178.1")), Some(v4("192.168.178.24")), Some(30)),
            (11, v4("127.0.0.0"), 8, None, Some(v4("127.0.0.1")), Some(331)),
            (12, v4("192.168.6.0"), 24, None, Some(v4("192.168.6.1")), Some(291)),
            (13, v4("192.168.178.0"), 24, None, Some(v4("192.168.178.24")), Some(286)),
            (14, v4("224.0.0.0"), 4, None, Some(v4("127.0.0.1")), Some(331)),
        ]
    );
    assert!(data.ipv4_complete && data.ipv4_persistent.is_empty() && !data.ipv6_complete);

    let data: route_print::Data = data!(&root, "route_print/fr-win10-1.txt", RoutePrint);
    let indexes: Vec<_> = data.interfaces.iter().map(|found| (found.index, found.mac.as_deref())).collect();
    assert_eq!(indexes, [(17, Some("00-28-F8-39-61-6B")), (1, None)]);
    assert_eq!(
        (data.ipv4.len(), data.ipv4[0].gateway, data.ipv4_complete),
        (1, Some(v4("10.88.88.2")), true)
    );
}

#[test]
fn route_print_in_english() {
    let root = root_or_return!();
    let data: route_print::Data = data!(&root, "route_print/en-win10-2.txt", RoutePrint);
    assert_eq!((data.interfaces.len(), data.ipv4.len(), data.ipv4_complete), (10, 41, true));
    assert_eq!(data.interfaces[0].description, "Intel(R) Ethernet Connection (7) I219-V");
    assert_eq!(data.interfaces[9].mac, None);
    let defaults: Vec<_> =
        data.ipv4_defaults().map(|route| (route.line, route.gateway, route.metric)).collect();
    assert_eq!(defaults, [(19, Some(v4("10.0.0.1")), Some(25))]);

    let data: route_print::Data = data!(&root, "route_print/en-win10-4.txt", RoutePrint);
    assert_eq!((data.ipv4.len(), data.ipv4_persistent.len()), (4, 2));
    let persistent: Vec<_> =
        data.ipv4_persistent.iter().map(|route| (route.prefix_length, route.gateway, route.metric)).collect();
    assert_eq!(persistent, [(0, Some(v4("10.88.88.2")), None), (32, Some(v4("10.88.88.2")), Some(1))]);
    assert_eq!(data.interfaces[0].description, "Intel(R) PRO/100 VE Network Connection");

    // A list that was seen to its end and has no default route …
    let data: route_print::Data = data!(&root, "route_print/en-win10-5.txt", RoutePrint);
    assert_eq!((data.ipv4.len(), data.ipv4_defaults().count(), data.ipv4_complete), (3, 0, true));

    // … is not the same as a list of which nothing is known.
    let data: route_print::Data = data!(&root, "route_print/en-win10-6.txt", RoutePrint);
    assert_eq!((data.ipv4.len(), data.ipv4_complete), (0, false));
}

/// Kinds of this group: no capture of another command may be taken for one of them.
const GROUP: &[CaptureKind] = &[
    CaptureKind::IpConfig,
    CaptureKind::IpInterfaces,
    CaptureKind::IpRoute,
    CaptureKind::Neighbors,
    CaptureKind::NetshDump,
    CaptureKind::FirewallProfiles,
    CaptureKind::FirewallRules,
    CaptureKind::FirewallLog,
    CaptureKind::TcpGlobal,
    CaptureKind::WlanInterfaces,
    CaptureKind::RoutePrint,
    CaptureKind::Getmac,
    CaptureKind::AdapterBinding,
    CaptureKind::Drivers,
    CaptureKind::Hosts,
    CaptureKind::Environment,
];

#[test]
fn captures_of_other_commands_are_not_claimed() {
    let root = root_or_return!();
    let (mut files, mut claimed) = (0, Vec::new());
    for row in corpus::tsv(&root.join("MANIFEST.tsv")) {
        let path = row["path"].as_str();
        if FOLDERS.iter().any(|(name, _)| path.split('/').next() == Some(*name)) {
            continue;
        }
        let wrong = read(&root, path).into_iter().filter(|capture| GROUP.contains(&capture.kind));
        claimed
            .extend(wrong.map(|capture| format!("{path}:{} as {}", capture.line_from, capture.kind.name())));
        files += 1;
    }
    println!("{files} files of other commands, {} claimed", claimed.len());
    assert!(files > 140);
    assert_eq!(claimed, Vec::<String>::new());
}

/// Whether a damaged text is still taken for whole by the kind's reader; if so, it says nothing that the sound one does not.
fn is_whole(path: &str, kind: CaptureKind, sound: &Value, damaged: &str, cut: bool) -> bool {
    let found = reading(kind, damaged);
    assert_eq!(found.status == CaptureStatus::Parsed, found.reason.is_none(), "{path}");
    let whole = found.status == CaptureStatus::Parsed;
    if whole {
        let data = serde_json::to_value(&found.data).unwrap();
        assert!(damage::covers(sound, &data, cut), "{path}: {data:#}\n{damaged}");
    }
    whole
}

fn reading(kind: CaptureKind, text: &str) -> capture::Reading {
    let text = Text::decode(text.as_bytes());
    let reader = capture::READERS.iter().find(|reader| reader.kind == kind).unwrap();
    (reader.read)(&capture::Block::whole(&text))
}

#[test]
fn lost_lines_and_columns_never_say_something_new() {
    let root = root_or_return!();
    let (mut texts, mut whole) = (0, 0);
    for row in corpus::tsv(&root.join("MANIFEST.tsv")) {
        let path = row["path"].as_str();
        let folder = path.split('/').next().unwrap_or_default();
        let Some((_, kind)) = FOLDERS.iter().find(|(name, _)| *name == folder) else { continue };
        let kind = EXCEPTIONS.iter().find(|(file, _)| *file == path).map_or(*kind, |(_, kind)| *kind);
        if kind == CaptureKind::Ipconfig {
            continue;
        }
        let text = Text::decode(&std::fs::read(root.join(path)).unwrap());
        let text: Vec<&str> = text.lines().map(|(_, line)| line).collect();
        let text = text.join("\n");
        let sound = serde_json::to_value(&reading(kind, &text).data).unwrap();
        // Long files repeat themselves, so not every line of them is taken.
        let step = 1 + text.lines().count() / 60;
        for damaged in damage::without_lines(&text, 3).into_iter().step_by(step) {
            whole += usize::from(is_whole(path, kind, &sound, &damaged, false));
            texts += 1;
        }
        // The lines of a script have no columns: one that was cut is a shorter script.
        if kind != CaptureKind::NetshDump {
            for damaged in damage::without_columns(&text, 3) {
                whole += usize::from(is_whole(path, kind, &sound, &damaged, true));
                texts += 1;
            }
        }
    }
    println!("{texts} damaged texts, {whole} of them still whole and saying nothing new");
    assert!(texts > 2000 && whole > 100);
}

#[test]
fn replaced_bytes_never_panic() {
    let root = root_or_return!();
    let mut texts = 0;
    // A small generator with a fixed seed (Lehmer, modulus 2^31 - 1): the same bytes in every run.
    let mut state = 20_261_122_u64;
    let mut next = |below: usize| {
        state = state * 48_271 % 0x7fff_ffff;
        state as usize % below.max(1)
    };
    for (folder, _) in FOLDERS {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let sound = std::fs::read(entry.unwrap().path()).unwrap();
            for _ in 0..8 {
                let mut bytes = sound.clone();
                for _ in 0..1 + bytes.len() / 200 {
                    let at = next(bytes.len());
                    bytes[at] = next(256) as u8;
                }
                for found in capture::read(&Text::decode(&bytes)) {
                    assert_eq!(found.status == CaptureStatus::Parsed, found.reason.is_none());
                }
                texts += 1;
            }
        }
    }
    println!("{texts} texts with replaced bytes");
}
