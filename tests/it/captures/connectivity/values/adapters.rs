//! `ipconfig` in twelve languages.

use serde_json::{Value, json};

use super::{Expected, compare, report};

/// Language, number of adapters, and of one adapter: its name, IPv4 address, mask and first gateway.
fn plain(
    language: &str,
    adapters: usize,
    places: [&'static str; 4],
    values: [Value; 4],
) -> Vec<(&'static str, Value)> {
    let mut wanted = vec![("/language", json!(language)), ("/adapters#", json!(adapters))];
    wanted.extend(places.into_iter().zip(values));
    wanted
}

/// Places of name, IPv4 address, mask and first gateway of an adapter.
macro_rules! of {
    ($number:literal) => {
        [
            concat!("/adapters/", $number, "/name"),
            concat!("/adapters/", $number, "/ipv4/0/address"),
            concat!("/adapters/", $number, "/ipv4/0/mask"),
            concat!("/adapters/", $number, "/gateways/0/address"),
        ]
    };
}

fn four(name: &str, address: &str, mask: &str, gateway: &str) -> [Value; 4] {
    [json!(name), json!(address), json!(mask), json!(gateway)]
}

#[test]
fn plain_outputs() {
    let expected: Vec<Expected> = vec![
        (
            "ipconfig/de-win10-1",
            0,
            plain("de", 4, of!(2), four("WiFi", "192.168.1.84", "255.255.255.0", "192.168.1.105")),
        ),
        (
            "ipconfig/en-win11-utf16-1",
            0,
            plain("en", 9, of!(6), four("Wi-Fi", "192.168.1.144", "255.255.255.0", "fe80::1%10")),
        ),
        (
            "ipconfig/en-win7-1",
            0,
            plain(
                "en",
                4,
                of!(0),
                four("Local Area Connection 2", "192.168.1.20", "255.255.255.0", "192.168.1.1"),
            ),
        ),
        (
            "ipconfig/en-win7-2",
            0,
            plain("en", 4, of!(1), four("", "192.168.1.101", "255.255.0.0", "192.168.1.1")),
        ),
        (
            "ipconfig/es-win7-1",
            0,
            plain(
                "es",
                9,
                of!(0),
                four("Conexión de área local 2", "10.1.6.84", "255.255.255.0", "10.1.6.1"),
            ),
        ),
        (
            "ipconfig/fi-win7-1",
            0,
            plain("fi", 5, of!(0), four("LAN-Verbindung", "192.168.2.118", "255.255.255.0", "fe80::1%11")),
        ),
        (
            "ipconfig/fr-win11-1",
            0,
            plain("fr", 4, of!(3), four("Wi-Fi", "10.33.72.214", "255.255.240.0", "10.33.79.254")),
        ),
        (
            "ipconfig/fr-win7-1",
            0,
            plain("fr", 5, of!(0), four("LAN-Verbindung", "192.168.2.118", "255.255.255.0", "fe80::1%11")),
        ),
        (
            "ipconfig/it-win7-1",
            0,
            plain("it", 5, of!(0), four("LAN-Verbindung", "192.168.2.118", "255.255.255.0", "fe80::1%11")),
        ),
        (
            "ipconfig/ko-win11-1",
            0,
            plain("ko", 2, of!(0), four("이더넷", "192.168.100.104", "255.255.255.0", "192.168.100.1")),
        ),
        (
            "ipconfig/pt-win10-1",
            0,
            plain("pt-BR", 4, of!(3), four("Wi-Fi", "192.168.0.109", "255.255.255.0", "192.168.0.1")),
        ),
        (
            "ipconfig/ru-win10-1",
            0,
            plain("ru", 4, of!(3), four("Ethernet", "192.168.0.245", "255.255.252.0", "192.168.1.1")),
        ),
        (
            "ipconfig/ru-winxp-1",
            0,
            plain(
                "ru",
                1,
                of!(0),
                four("Подключение по локальной сети", "10.0.2.15", "255.255.255.0", "10.0.2.2"),
            ),
        ),
        (
            "ipconfig/sv-win2008-1",
            0,
            plain(
                "sv",
                3,
                of!(0),
                four(
                    "Anslutning till lokalt n\u{fffd}tverk",
                    "192.168.40.241",
                    "255.255.255.0",
                    "192.168.40.1",
                ),
            ),
        ),
        (
            "ipconfig/zh-win7-1",
            0,
            plain(
                "zh-CN",
                5,
                of!(1),
                four("无线网络连接 2", "192.168.1.237", "255.255.255.0", "192.168.1.1"),
            ),
        ),
    ];
    report("ipconfig", compare(&expected));
}

#[test]
fn what_traps_readers() {
    let expected: Vec<Expected> = vec![
        (
            "ipconfig/en-win2000-1",
            0,
            vec![
                ("/adapters/0/name", json!("Local Area Connection")),
                ("/adapters/0/ipv4/0/address", json!("169.254.109.232")),
                ("/adapters/0/ipv4/0/autoconfigured", json!(true)),
                ("/adapters/0/ipv4/0/line", json!(7)),
                ("/adapters/0/gateways#", json!(0)),
            ],
        ),
        (
            "ipconfig/en-winxp-1",
            0,
            vec![("/adapters/0/ipv4/0/address", json!("0.0.0.0")), ("/adapters/0/gateways#", json!(0))],
        ),
        (
            "ipconfig/en-win11-utf16-1",
            0,
            vec![
                ("/adapters/0/media_disconnected", json!(true)),
                ("/adapters/1/medium", json!("unknown")),
                ("/adapters/1/name", json!("Tailscale")),
                ("/adapters/1/suffix", json!("tail14491c.ts.net")),
                ("/adapters/2/ipv4/0/autoconfigured", json!(true)),
                ("/adapters/6/ipv6#", json!(4)),
                ("/adapters/6/gateways/1/address", json!("192.168.1.1")),
                ("/adapters/8/name", json!("vEthernet (WSL (Hyper-V firewall))")),
            ],
        ),
        (
            "ipconfig/es-win7-1",
            0,
            vec![
                ("/adapters/1/ipv6/0/address", json!("fe80::6960:e696:2469:1d25")),
                ("/adapters/1/ipv6/0/scope", json!(12)),
                ("/adapters/4/media_disconnected", json!(true)),
                ("/adapters/4/medium", json!("tunnel")),
            ],
        ),
        (
            "ipconfig/it-win7-1",
            0,
            vec![
                ("/adapters/3/name", json!("LAN-Verbindung* 3")),
                ("/adapters/3/ipv6/0/address", json!("2001:0:9d38:78cf:c02:3711:a4ee:a12d")),
                ("/adapters/3/ipv6/1/scope", json!(13)),
            ],
        ),
        (
            "ipconfig/ru-win10-1",
            0,
            vec![("/adapters/0/medium", json!("unknown")), ("/adapters/0/media_disconnected", json!(true))],
        ),
        (
            "ipconfig/sv-win2008-1",
            0,
            vec![("/adapters/1/media_disconnected", json!(true)), ("/adapters/2/medium", json!("tunnel"))],
        ),
        (
            "ipconfig/zh-win7-1",
            0,
            vec![
                ("/adapters/1/ipv6#", json!(4)),
                ("/adapters/3/suffix", json!("lan")),
                ("/adapters/4/name", json!("Teredo Tunneling Pseudo-Interface")),
            ],
        ),
        (
            "netsh_int_ip_show_config/ru-winxp-2",
            0,
            vec![
                ("/host/suffixes/0", json!("int.office.ru")),
                ("/adapters/0/description", json!("Embedded Broadcom NetXtreme 5721 PCI-E Gigabit NIC #2")),
                ("/adapters/0/dhcp", json!(false)),
                ("/adapters/0/ipv4/1/address", json!("192.168.1.5")),
                ("/adapters/0/dns_servers/1/address", json!("192.168.110.3")),
            ],
        ),
    ];
    report("traps of ipconfig", compare(&expected));
}

#[test]
fn full_outputs() {
    let expected: Vec<Expected> = vec![
        (
            "ipconfig_all/de-win10-1",
            0,
            vec![
                ("/language", json!("de")),
                ("/host/name", json!("DEXXXXXXXXXXXXX")),
                ("/host/primary_suffix", json!("global.contos.net")),
                ("/host/suffixes#", json!(6)),
                ("/adapters/1/name", json!("WLAN")),
                ("/adapters/1/mac", json!("C8-CB-9E-13-2E-EE")),
                ("/adapters/1/dhcp", json!(true)),
                ("/adapters/1/dhcp_server/address", json!("192.168.100.1")),
                ("/adapters/1/dns_servers/0/address", json!("192.168.100.1")),
            ],
        ),
        (
            "ipconfig_all/en-win10-1",
            0,
            vec![
                ("/host/name", json!("DESKTOP-WIN10-PRO")),
                ("/adapters/0/mac", json!(null)),
                ("/adapters/0/dhcp", json!(false)),
                ("/adapters/0/dns_servers#", json!(3)),
                ("/adapters/0/dns_servers/2/address", json!("fec0:0:0:ffff::3%1")),
                ("/adapters/1/description", json!("ASIX AX88179 USB 3.0 to Gigabit Ethernet Adapter #2")),
                ("/adapters/1/gateways/0/address", json!("10.50.13.1")),
            ],
        ),
        (
            "ipconfig_all/en-win2008-1",
            0,
            vec![
                ("/adapters/0/ipv4/0/address", json!("192.168.23.154")),
                ("/adapters/0/dns_servers/0/address", json!("192.168.23.151")),
                ("/adapters/0/dhcp", json!(false)),
                ("/adapters/1/mac", json!("00-00-00-00-00-00-00-E0")),
            ],
        ),
        (
            "ipconfig_all/en-win7-1",
            0,
            vec![
                ("/host/primary_suffix", json!("somecompany.corp")),
                ("/adapters/0/dhcp_server/address", json!("192.168.22.1")),
            ],
        ),
        (
            "ipconfig_all/en-winxp-1",
            0,
            vec![
                ("/host/suffixes/1", json!("somecompany.xyz")),
                ("/adapters/0/ipv4/0/address", json!("192.168.22.135")),
            ],
        ),
        (
            "ipconfig_all/enko-win10-1",
            0,
            vec![
                ("/language", json!("en")),
                ("/adapters/0/name", json!("VPN - VPN Client")),
                ("/adapters/2/name", json!("로컬 영역 연결* 1")),
                ("/adapters/4/name", json!("이더넷")),
                ("/adapters/4/dns_servers/1/address", json!("168.126.63.2")),
                ("/adapters/4/dhcp_server/address", json!("172.31.207.254")),
            ],
        ),
        (
            "ipconfig_all/fr-win11-1",
            0,
            vec![
                ("/adapters/0/dns_servers#", json!(1)),
                ("/adapters/0/dns_servers/0/address", json!("1.1.1.1")),
                ("/adapters/0/dhcp", json!(true)),
                ("/adapters/0/suffix", json!(null)),
            ],
        ),
        (
            "ipconfig_all/fr-win11-2",
            0,
            vec![
                ("/adapters/0/dns_servers#", json!(3)),
                ("/adapters/0/ipv6/0/scope", json!(31)),
                ("/adapters/0/ipv4/0/mask", json!("255.255.252.0")),
            ],
        ),
        (
            "ipconfig_all/ja-win7-1",
            0,
            vec![
                ("/language", json!("ja")),
                ("/host/name", json!("XXXXXX-WIN7")),
                ("/adapters/2/name", json!("ローカル エリア接続")),
                ("/adapters/2/dns_servers/1/address", json!("192.168.20.10")),
                ("/adapters/2/dhcp", json!(true)),
                ("/adapters/3/medium", json!("tunnel")),
                ("/adapters/3/dhcp", json!(false)),
            ],
        ),
        (
            "ipconfig_all/ja-win7-2",
            0,
            vec![
                ("/adapters/1/mac", json!("58-94-6B-1E-81-A8")),
                ("/adapters/2/suffix", json!("sky.xxx.jp")),
            ],
        ),
        (
            "ipconfig_all/ko-win11-1",
            0,
            vec![
                ("/language", json!("ko")),
                ("/adapters/0/ipv4/0/address", json!("172.16.6.7")),
                ("/adapters/0/dhcp", json!(false)),
                ("/adapters/0/gateways/0/address", json!("172.16.6.254")),
                ("/adapters/0/dns_servers/0/address", json!("8.8.8.8")),
            ],
        ),
        (
            "ipconfig_all/ko-win11-2",
            0,
            vec![
                ("/adapters/0/name", json!("VMware Network Adapter VMnet8")),
                ("/adapters/0/dhcp", json!(true)),
                ("/adapters/0/gateways#", json!(0)),
            ],
        ),
        (
            "ipconfig_all/zh-win7-1",
            0,
            vec![
                ("/host/name", json!("lenovo-PC")),
                // Counted with grep: 29 lines with an IPv4 address, all with the mask 255.255.255.0.
                ("/adapters/1/ipv4#", json!(29)),
                ("/adapters/1/ipv4/13/address", json!("192.168.1.16")),
                ("/adapters/1/ipv4/13/mask", json!("255.255.255.0")),
            ],
        ),
        (
            "ipconfig_all/zh-win7-2",
            0,
            vec![
                ("/adapters/1/dns_servers/1/address", json!("198.251.100.148")),
                ("/adapters/1/dhcp", json!(true)),
            ],
        ),
        (
            "ipconfig_all/zh-win7-3",
            0,
            vec![
                ("/adapters/1/dns_servers/0/address", json!("fd58:37b0:ab12::1")),
                ("/adapters/1/ipv6#", json!(4)),
                ("/adapters/1/dhcp", json!(false)),
                ("/adapters/1/gateways/0/line", json!(34)),
            ],
        ),
    ];
    report("ipconfig /all", compare(&expected));
}
