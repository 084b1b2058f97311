//! What name servers answered.

use serde_json::{Value, json};

use super::{Expected, compare, report};

/// Server address, name, first address and its line, number of addresses, language.
fn resolved(
    server: &str,
    name: &str,
    first: (&str, u32),
    count: usize,
    language: &str,
) -> Vec<(&'static str, Value)> {
    vec![
        ("/queries#", json!(1)),
        ("/queries/0/outcome", json!("resolved")),
        ("/queries/0/server_address", json!(server)),
        ("/queries/0/name", json!(name)),
        ("/queries/0/addresses/0/value", json!(first.0)),
        ("/queries/0/addresses/0/line", json!(first.1)),
        ("/queries/0/addresses#", json!(count)),
        ("/language", json!(language)),
    ]
}

#[test]
fn names() {
    let failed = |queried: &str, outcome: &str, line: u32| {
        vec![
            ("/queries/0/queried", json!(queried)),
            ("/queries/0/outcome", json!(outcome)),
            ("/queries/0/outcome_line", json!(line)),
            ("/queries/0/addresses#", json!(0)),
        ]
    };
    let expected: Vec<Expected> = vec![
        (
            "nslookup/de-win-1",
            0,
            resolved("203.0.113.29", "google.com", ("3fff:0450:4001:81c::200e", 7), 2, "de"),
        ),
        (
            "nslookup/de-win-3",
            0,
            resolved("192.168.100.3", "paradigma.remoteportal.de", ("192.168.100.4", 7), 1, "de"),
        ),
        (
            "nslookup/en-win-ncsi-1",
            0,
            resolved("192.168.1.1", "dns.msftncsi.com", ("fd3e:4f5a:5b81::1", 6), 2, "en"),
        ),
        (
            "nslookup/es-win-1",
            0,
            resolved("8.8.8.8", "www.google.es", ("2a00:1450:4003:801::2003", 7), 2, "es"),
        ),
        ("nslookup/fr-win-1", 0, resolved("8.8.8.8", "google.com", ("2a00:1450:4007:819::200e", 7), 2, "fr")),
        ("nslookup/ru-win-2", 0, resolved("8.8.8.4", "ozon.ru", ("185.73.194.82", 7), 2, "ru")),
        (
            "nslookup/ja-win-2",
            0,
            vec![
                ("/queries/0/server_address", json!("2001:c90:8226:4241:6ab:18ff:fe45:7a63")),
                ("/queries/0/name", json!("d0223jpe.japaneast.cloudapp.azure.com")),
                ("/queries/0/queried", json!("acrName.japaneast.data.azurecr.io")),
                ("/queries/0/aliases#", json!(3)),
                ("/queries/0/aliases/2/value", json!("jpe-acr-dp.trafficmanager.net")),
            ],
        ),
        (
            "nslookup/en-win-msoid-1",
            0,
            vec![
                ("/queries/0/queried", json!("msoid.contoso.com")),
                ("/queries/0/cnames/0/value", json!("clientconfig.partner.microsoftonline-p.net.cn")),
                ("/queries/0/cnames/0/line", json!(5)),
            ],
        ),
        (
            "nslookup/en-win-msoid-2",
            0,
            vec![
                ("/queries/0/queried", json!("msoid.contoso.com")),
                ("/queries/0/name", json!("clientconfig.partner.microsoftonline-p.net.cn")),
                ("/queries/0/addresses/0/value", json!("192.0.2.10")),
            ],
        ),
        ("nslookup/en-win-nxdomain-1", 0, failed("dns.msftncsi.com", "nx_domain", 4)),
        ("nslookup/es-win-2", 0, failed("173.194.46.21", "nx_domain", 5)),
        ("nslookup/fr-win-2", 0, failed("231.34.113.12", "nx_domain", 5)),
        ("nslookup/zh-win-3", 0, failed("yahoo.com", "refused", 7)),
        (
            "nslookup/en-win-timeout-1",
            0,
            vec![
                ("/queries/0/outcome", json!("timeout")),
                ("/queries/0/timeouts", json!(3)),
                ("/queries/0/outcome_line", json!(10)),
            ],
        ),
        (
            "nslookup/es-win-5",
            0,
            vec![
                ("/queries/0/query_type", json!("SOA")),
                ("/queries/0/outcome", json!("resolved")),
                ("/queries/0/records/0/value", json!("primary name server = ns1.anteldata.com.uy")),
            ],
        ),
        (
            "nslookup/ru-win-1",
            0,
            vec![
                ("/queries/0/query_type", json!("TXT")),
                ("/queries/0/outcome", json!("resolved")),
                ("/language", json!("ru")),
            ],
        ),
        (
            "resolve_dnsname/en-1",
            0,
            vec![
                ("/outcome", json!("resolved")),
                ("/records#", json!(2)),
                ("/records/0/name", json!("storageaccount.file.core.windows.net")),
                ("/records/0/kind", json!("CNAME")),
                ("/records/0/ttl", json!(29)),
                ("/records/0/target", json!("csostoracct.privatelink.file.core.windows.net")),
                ("/records/1/address", json!("192.168.0.4")),
                ("/records/1/line", json!(6)),
            ],
        ),
        (
            "resolve_dnsname/en-msoid-derived",
            0,
            vec![
                ("/queried", json!("msoid.contoso.com")),
                ("/records/0/target", json!("clientconfig.partner.microsoftonline-p.net.cn")),
            ],
        ),
    ];
    report("names", compare(&expected));
}
