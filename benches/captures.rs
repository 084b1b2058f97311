//! Throughput of captures: bytes to text, and text to typed outputs, at 20 MB and in the forms that invite quadratic behaviour.
//!
//! `cargo bench --bench captures`. Every case has 20 MB (10^6 bytes), so the figures can be compared: where one case takes many
//! times as long as its fellows, something is not linear any more.

#![allow(
    missing_docs,
    clippy::panic,
    reason = "functions of divan have no documentation; a wrong name is a mistake here"
)]

use actriage::artifact::capture;
use actriage::artifact::text::Text;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const SIZE: usize = 20_000_000;

/// A piece repeated to 20 MB.
fn repeated(piece: &str) -> Vec<u8> {
    piece.bytes().cycle().take(SIZE).collect()
}

fn in_page(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
    let bytes = encoding.encode(text).0;
    bytes.iter().copied().cycle().take(SIZE).collect()
}

const ADAPTER: &str = "Ethernet adapter Ethernet 3:\r\n\r\n   Connection-specific DNS Suffix  . : example.org\r\n   \
                       Link-local IPv6 Address . . . . . : fe80::7701:1831:eea5:c0f1%23\r\n   \
                       IPv4 Address. . . . . . . . . . . : 192.168.1.144\r\n   Subnet Mask . . . . . . . . . . . : 255.255.255.0\r\n   \
                       Default Gateway . . . . . . . . . : 192.168.1.1\r\n\r\n";

const RUSSIAN: &str = "Адаптер Ethernet Ethernet:\r\n\r\n   IPv4-адрес. . . . . . . . . . . . : 192.168.0.245\r\n   \
                       Маска подсети . . . . . . . . . . : 255.255.252.0\r\n\r\n";

/// The inputs by name.
fn input(name: &str) -> Vec<u8> {
    match name {
        "ipconfig ascii" => repeated(&format!("Windows IP Configuration\r\n\r\n{}", ADAPTER.repeat(50))),
        "ipconfig utf-16" => {
            let units = ADAPTER.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe]
                .into_iter()
                .chain(units.collect::<Vec<u8>>().into_iter().cycle())
                .take(SIZE)
                .collect()
        }
        "ipconfig utf-16 unmarked" => {
            let units: Vec<u8> = ADAPTER.encode_utf16().flat_map(u16::to_le_bytes).collect();
            units.into_iter().cycle().take(SIZE).collect()
        }
        "russian utf-8" => repeated(RUSSIAN),
        "russian 1251" => in_page(RUSSIAN, encoding_rs::WINDOWS_1251),
        "one long line" => repeated("ABC 123 : x "),
        "one long line 1251" => in_page("Состояние среды : ", encoding_rs::WINDOWS_1251),
        "blank lines" => repeated("\n"),
        "carriage returns" => repeated("\r"),
        "blanks" => repeated("                              \n"),
        "winsock" => repeated(
            "Winsock Catalog Provider Entry\n------------------------------------------------------\nEntry Type:   Base Service Provider\n\
             Provider ID:  {E70F1AA0-AB8B-11CF-8CA3-00805F48A192}\nProvider Path:  %SystemRoot%\\system32\\mswsock.dll\n\n",
        ),
        "services" => repeated(
            "SERVICE_NAME: x\n        TYPE  : 20  WIN32_SHARE_PROCESS\n        STATE  : 4  RUNNING\n\n",
        ),
        "nslookup" => repeated(
            "Server:  UnKnown\nAddress:  10.0.0.1\n\nName:    a.example\nAddresses:  192.0.2.1\n          192.0.2.2\n\n",
        ),
        "profiles" => repeated(
            "Name             : a\nInterfaceAlias   : b\nNetworkCategory  : Private\nIPv4Connectivity : Internet\n\n",
        ),
        "table" => {
            let head = "InterfaceAlias NetworkCategory IPv4Connectivity\n-------------- --------------- ----------------\n";
            let mut bytes = head.as_bytes().to_vec();
            bytes.extend(repeated("Wi-Fi                   Public         Internet\n"));
            bytes
        }
        "json" => {
            let rows =
                repeated("{\"InterfaceAlias\": \"a\", \"NetworkCategory\": 1,\n\"IPv4Connectivity\": 4},\n");
            [b"[".as_slice(), &rows, b"{}]"].concat()
        }
        "prompts" => repeated(
            "C:\\>netsh winhttp show proxy\n\nCurrent WinHTTP proxy settings:\n\n    Direct access (no proxy server).\n\n",
        ),
        other => panic!("no input {other}"),
    }
}

const DECODED: &[&str] = &[
    "ipconfig ascii",
    "ipconfig utf-16",
    "ipconfig utf-16 unmarked",
    "russian utf-8",
    "russian 1251",
    "one long line",
    "one long line 1251",
    "blank lines",
    "carriage returns",
];

const READ: &[&str] = &[
    "ipconfig ascii",
    "russian utf-8",
    "one long line",
    "blank lines",
    "blanks",
    "winsock",
    "services",
    "nslookup",
    "profiles",
    "table",
    "json",
    "prompts",
];

#[divan::bench(args = DECODED, sample_count = 3, sample_size = 1)]
fn decode(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = input(name);
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| Text::decode(black_box(&bytes)));
}

#[divan::bench(args = READ, sample_count = 3, sample_size = 1)]
fn read(bencher: Bencher<'_, '_>, name: &str) {
    let bytes = input(name);
    let text = Text::decode(&bytes);
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| capture::read(black_box(&text)));
}
