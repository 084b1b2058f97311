//! Adapters and their addresses.

use actriage::artifact::capture::{
    CaptureData, CaptureKind, getmac, ip_config, ip_interfaces, wlan_interfaces,
};

use super::{data, ip, one, read, root_or_return};

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
