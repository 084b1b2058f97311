//! Profiles, proxies, the Winsock catalog, services, connections and probes.

use serde_json::json;

use super::{Expected, compare, report};

#[test]
fn connection_profiles() {
    let expected: Vec<Expected> = vec![
        (
            "get_netconnectionprofile/en-win10-1",
            0,
            vec![
                ("/profiles#", json!(1)),
                ("/profiles/0/name", json!("Andromeda")),
                ("/profiles/0/interface_alias", json!("Wi-Fi")),
                ("/profiles/0/interface_index", json!(3)),
                ("/profiles/0/network_category", json!("Private")),
                ("/profiles/0/ipv4", json!("Internet")),
                ("/profiles/0/ipv6", json!("NoTraffic")),
                ("/profiles/0/ipv4_line", json!(7)),
            ],
        ),
        (
            "get_netconnectionprofile/en-win10-badalign-1",
            0,
            vec![
                (
                    "/profiles/0/interface_alias",
                    json!("vEthernet (Intel(R) Dual Band Wireless-AC 7260 Virtual Switch)"),
                ),
                ("/profiles/0/network_category", json!("Private")),
                ("/profiles/0/ipv6", json!("LocalNetwork")),
            ],
        ),
        (
            "get_netconnectionprofile/en-win10-clixml-1",
            0,
            vec![
                ("/profiles/0/interface_index", json!(7)),
                ("/profiles/0/network_category", json!("Private")),
                ("/profiles/0/ipv4", json!("Internet")),
                ("/profiles/0/ipv6", json!("NoTraffic")),
                ("/profiles/0/ipv4_line", json!(15)),
            ],
        ),
        (
            "get_netconnectionprofile/en-win11-1",
            0,
            vec![
                ("/profiles/0/domain_authentication_kind", json!("None")),
                ("/profiles/0/ipv6", json!("Internet")),
                ("/profiles/0/line", json!(3)),
            ],
        ),
        (
            "get_netconnectionprofile/en-win11-2",
            0,
            vec![
                ("/profiles/0/name", json!("Unidentified network")),
                ("/profiles/0/ipv4", json!("NoTraffic")),
                ("/profiles/0/ipv6", json!("NoTraffic")),
            ],
        ),
        (
            "get_netconnectionprofile/en-win11-3",
            0,
            vec![
                ("/profiles/0/name", json!("@Coffeebar Guest WiFi")),
                ("/profiles/0/network_category", json!("Public")),
            ],
        ),
        (
            "get_netconnectionprofile/en-win11-json-2",
            0,
            vec![
                ("/profiles#", json!(1)),
                ("/profiles/0/network_category", json!("Private")),
                ("/profiles/0/domain_authentication_kind", json!("None")),
                ("/profiles/0/ipv4", json!("Internet")),
                ("/profiles/0/ipv4_line", json!(7)),
            ],
        ),
        (
            "get_netconnectionprofile/en-win11-table-1",
            0,
            vec![
                ("/profiles#", json!(2)),
                ("/profiles/0/interface_alias", json!("Wi-Fi")),
                ("/profiles/0/network_category", json!("Public")),
                ("/profiles/1/interface_alias", json!("Tailscale")),
                ("/profiles/1/ipv4", json!("LocalNetwork")),
                ("/profiles/1/line", json!(4)),
            ],
        ),
        (
            "get_netconnectionprofile/en-win81-1",
            0,
            vec![
                ("/profiles#", json!(2)),
                ("/profiles/0/name", json!("..........................")),
                ("/profiles/1/name", json!("Local Area Connection 2")),
                ("/profiles/1/interface_index", json!(17)),
                ("/profiles/1/ipv4", json!("LocalNetwork")),
            ],
        ),
        (
            "get_netconnectionprofile/fr-win11-1",
            0,
            vec![("/profiles/0/name", json!("Livebox-XXXX")), ("/profiles/0/interface_index", json!(10))],
        ),
        (
            "get_netconnectionprofile/ja-win10-1",
            0,
            vec![
                ("/profiles/0/name", json!("識別されていないネットワーク")),
                ("/profiles/0/interface_alias", json!("vEthernet (DockerNAT)")),
            ],
        ),
        (
            "get_netconnectionprofile/ja-win10-utf16bom",
            0,
            vec![("/profiles/0/interface_index", json!(22)), ("/profiles/0/line", json!(3))],
        ),
        (
            "get_netconnectionprofile/ja-win11-1",
            0,
            vec![
                ("/profiles#", json!(1)),
                ("/profiles/0/name", json!("ネットワーク 2")),
                ("/profiles/0/interface_alias", json!("イーサネット")),
            ],
        ),
        (
            "get_netconnectionprofile/ru-doc-1",
            0,
            vec![
                ("/profiles/0/network_category", json!("DomainAuthenticated")),
                ("/profiles/0/ipv4", json!("NoTraffic")),
            ],
        ),
        (
            "get_netconnectionprofile/zh-win11-1",
            0,
            vec![
                ("/profiles#", json!(2)),
                ("/profiles/0/ipv4", json!("Internet")),
                ("/profiles/1/name", json!("网络 3")),
                ("/profiles/1/interface_alias", json!("ZeroTier One [272f5eae1628958e]")),
                ("/profiles/1/ipv4", json!("LocalNetwork")),
                ("/profiles/1/ipv4_line", json!(17)),
            ],
        ),
    ];
    report("profiles", compare(&expected));
}

#[test]
fn proxies() {
    let direct = |line: u32, language: &str| {
        vec![
            ("/state", json!("direct")),
            ("/confirmed", json!(true)),
            ("/line", json!(line)),
            ("/language", json!(language)),
        ]
    };
    let ja = || {
        vec![
            ("/state", json!("proxy")),
            ("/proxy", json!("1.2.3.4:5678")),
            ("/bypass", json!(null)),
            ("/line", json!(4)),
            ("/bypass_line", json!(5)),
            ("/language", json!("ja")),
        ]
    };
    let zh = |line: u32| {
        vec![
            ("/state", json!("proxy")),
            ("/proxy", json!("127.0.0.1:1088")),
            ("/bypass", json!("niuza.com;guancha.cn;<local>")),
            ("/line", json!(line)),
        ]
    };
    let expected: Vec<Expected> = vec![
        ("netsh_winhttp_show_proxy/en-win10-1", 0, direct(4, "en")),
        ("netsh_winhttp_show_proxy/en-win10-trailing-nul", 0, direct(4, "en")),
        ("netsh_winhttp_show_proxy/fr-win11-1", 0, direct(4, "fr")),
        ("netsh_winhttp_show_proxy/fr-win11-2", 0, direct(4, "fr")),
        ("netsh_winhttp_show_proxy/ko-win10-1", 0, direct(1, "ko")),
        ("netsh_winhttp_show_proxy/ru-win10-1", 0, direct(7, "ru")),
        ("netsh_winhttp_show_proxy/ru-win10-cp866", 0, direct(2, "ru")),
        ("netsh_winhttp_show_proxy/zh-win10-utf16bom", 0, direct(4, "zh-CN")),
        ("netsh_winhttp_show_proxy/zh-win11-1", 0, direct(2, "zh-CN")),
        ("netsh_winhttp_show_proxy/zh-win11-2", 0, direct(3, "zh-CN")),
        // No capture confirms the wording, only the form speaks.
        (
            "netsh_winhttp_show_proxy/tr-unverified-1",
            0,
            vec![
                ("/state", json!("direct")),
                ("/confirmed", json!(false)),
                ("/line", json!(3)),
                ("/language", json!("tr")),
            ],
        ),
        (
            "netsh_winhttp_show_proxy/de-unverified-1",
            0,
            vec![("/state", json!("direct")), ("/confirmed", json!(false))],
        ),
        ("netsh_winhttp_show_proxy/ja-win10-2", 0, ja()),
        ("netsh_winhttp_show_proxy/ja-win10-cp932", 0, ja()),
        ("netsh_winhttp_show_proxy/ja-win10-utf16bom", 0, ja()),
        ("netsh_winhttp_show_proxy/ja-win10-utf16nobom", 0, ja()),
        (
            "netsh_winhttp_show_proxy/zh-win10-1",
            0,
            vec![
                ("/proxy", json!("127.0.0.1:1088")),
                (
                    "/bypass",
                    json!(
                        "niuza.com;guancha.cn;jandan.net;toutiao.com;tmall.com;taobao.com;jd.com;zhihu.com;alicdn.com;youku.com;\
                         iqiyi.com;bilibili.com;qq.com;baidu.com;google.com;<local>"
                    ),
                ),
                ("/language", json!("zh-CN")),
            ],
        ),
        // Three commands, three states: set, reset, import.
        ("netsh_winhttp_show_proxy/zh-win10-2", 0, zh(5)),
        ("netsh_winhttp_show_proxy/zh-win10-2", 1, direct(13, "zh-CN")),
        ("netsh_winhttp_show_proxy/zh-win10-2", 2, zh(20)),
        (
            "netsh_winhttp_show_advproxy/any-win11-1",
            0,
            vec![
                ("/proxy_is_enabled", json!(true)),
                (
                    "/proxy",
                    json!(
                        "http=http-proxy.com:8080;https=https-proxy.com:8081;ftp=ftp-proxy.com:8082;socks=socks-proxy.com:8083"
                    ),
                ),
                ("/proxy_bypass", json!(null)),
                ("/auto_config_is_enabled", json!(false)),
                ("/auto_detect", json!(true)),
                ("/per_user_proxy_settings", json!(true)),
                ("/proxy_line", json!(3)),
            ],
        ),
        (
            "netsh_winhttp_show_advproxy/any-win11-2",
            0,
            vec![
                ("/proxy", json!("localhost:8080")),
                ("/proxy_bypass", json!("*")),
                ("/proxy_is_enabled", json!(null)),
                ("/auto_detect", json!(null)),
            ],
        ),
        (
            "netsh_winhttp_show_advproxy/any-win11-3",
            0,
            vec![
                ("/proxy", json!("http=***@proxy.example:8080;https=https://***@secure.example:8443")),
                ("/proxy_bypass", json!("<local>;*.corp.example")),
                ("/auto_config_url", json!("https://***@config.example/proxy.pac?***")),
                ("/per_user_proxy_settings", json!(false)),
                ("/auto_config_url_line", json!(7)),
            ],
        ),
    ];
    report("proxies", compare(&expected));
}

#[test]
fn winsock_catalogs() {
    let expected: Vec<Expected> = vec![
        (
            "netsh_winsock_show_catalog/en-win10-2",
            0,
            vec![
                ("/entries#", json!(2)),
                ("/entries/0/kind", json!("base")),
                ("/entries/0/description", json!("RSVP TCPv6 Service Provider")),
                ("/entries/0/catalog_id", json!(1007)),
                ("/entries/0/family", json!(23)),
                ("/entries/0/service_flags", json!(0x22066)),
                ("/entries/1/family", json!(2)),
                ("/entries/1/chain_length", json!(null)),
                ("/complete", json!(false)),
            ],
        ),
        (
            "netsh_winsock_show_catalog/en-win10-lsp-2",
            0,
            vec![
                ("/entries/0/kind", json!("layered")),
                ("/entries/0/path", json!("C:\\Windows\\system32\\ASProxy64.dll")),
                ("/entries/0/service_flags", json!(0x66)),
                ("/entries/0/chain_length", json!(2)),
                ("/entries/0/chain", json!([1019, 1002])),
                ("/entries/0/path_line", json!(8)),
                ("/entries/1/catalog_id", json!(1021)),
            ],
        ),
        (
            "netsh_winsock_show_catalog/en-win10-utf16bom",
            0,
            vec![
                ("/entries#", json!(1)),
                ("/entries/0/provider_id", json!("{03A42735-FD62-42D5-8BF8-792564F569F9}")),
                ("/complete", json!(false)),
            ],
        ),
        (
            "netsh_winsock_show_catalog/en-win11-2",
            0,
            vec![
                ("/entries#", json!(2)),
                ("/entries/0/description", json!("MSAFD Tcpip [RAW/IP]")),
                ("/entries/0/socket_type", json!(3)),
                ("/entries/0/protocol", json!(0)),
                ("/entries/1/provider_id", json!("{F9EAB0C0-26D4-11D0-BBBF-00AA006C34E4}")),
            ],
        ),
        (
            "netsh_winsock_show_catalog/zh-win10-cp936",
            0,
            vec![
                ("/entries/0/kind", json!("layered")),
                ("/entries/0/wow64", json!(false)),
                ("/entries/0/path", json!("C:\\ProgramData\\Microsoft\\Windows\\Provider\\netlspx.dll")),
                ("/language", json!("zh-CN")),
            ],
        ),
        (
            "netsh_winsock_show_catalog/zh-win10-lsp-1",
            0,
            vec![
                ("/entries#", json!(2)),
                ("/entries/0/description", json!("NAT WLAN RAM over [RSVP TCPv6 服务提供商]")),
                ("/entries/1/kind", json!("layered")),
                ("/entries/1/wow64", json!(true)),
                ("/entries/1/path", json!("C:\\ProgramData\\Microsoft\\Windows\\Provider\\netlsp.dll")),
                ("/entries/1/path_line", json!(14)),
            ],
        ),
        (
            "netsh_winsock_show_catalog/zh-win11-1",
            0,
            vec![
                ("/entries#", json!(2)),
                ("/entries/0/kind", json!("base")),
                ("/entries/0/wow64", json!(true)),
                ("/entries/1/catalog_id", json!(1008)),
                ("/entries/1/protocol", json!(17)),
                ("/complete", json!(false)),
            ],
        ),
    ];
    report("catalogs", compare(&expected));
}

#[test]
fn services_connections_and_probes() {
    let expected: Vec<Expected> = vec![
        (
            "sc_query/ru-win10-2",
            0,
            vec![
                ("/services#", json!(1)),
                ("/services/0/key", json!("test")),
                ("/services/0/state", json!(4)),
                ("/services/0/state_line", json!(4)),
                ("/services/0/exit_code", json!(0)),
                ("/services/0/start", json!(null)),
            ],
        ),
        (
            "test_netconnection/en-1",
            0,
            vec![
                ("/tests/0/remote_port", json!(5985)),
                ("/tests/0/ping_succeeded", json!(false)),
                ("/tests/0/tcp_test_succeeded", json!(false)),
                ("/tests/0/tcp_line", json!(11)),
            ],
        ),
        (
            "test_netconnection/en-2",
            0,
            vec![
                ("/tests/0/computer_name", json!("api.contoso.com")),
                ("/tests/0/remote_port", json!(443)),
                ("/tests/0/ping_succeeded", json!(null)),
                ("/tests/0/tcp_test_succeeded", json!(true)),
            ],
        ),
        ("connecttest/curl-ok-derived", 0, vec![("/body", json!("connect_test")), ("/line", json!(1))]),
        (
            "connecttest/iwr-derived",
            0,
            vec![
                ("/responses/0/status", json!(200)),
                ("/responses/0/body", json!("connect_test")),
                ("/responses/0/content_type", json!("text/plain")),
                ("/responses/0/date", json!("Mon, 01 Jan 2024 00:00:00 GMT")),
            ],
        ),
    ];
    report("services, connections, probes", compare(&expected));
}
