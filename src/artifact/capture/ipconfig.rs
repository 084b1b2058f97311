//! `ipconfig` and `ipconfig /all`: adapters with their addresses, gateways and DNS servers.
//!
//! Headings and labels are localized, and one output can mix languages; values are not. Known labels tell what a line is; where
//! the label is not known, the type of the value does if only one thing can have it, and a value that could be several things is
//! reported as not understood (text_formats.md 4.4).

mod labels;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Serialize;

use self::labels::{ADAPTERS, HEADINGS, Key, LABELS, TRUTHS};
use super::shape::{self, Labelled, Languages, cell, find_label, labelled, same_label};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The host block, which only `/all` prints.
    pub host: Option<Host>,
    /// The adapters in their order.
    pub adapters: Vec<Adapter>,
}

/// The host block.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Host {
    /// Host name.
    pub name: Option<String>,
    /// Primary DNS suffix.
    pub primary_suffix: Option<String>,
    /// DNS suffixes that are tried.
    pub suffixes: Vec<String>,
    /// First line of the block.
    pub line: u32,
}

/// Kind of an adapter, by the words before its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Ethernet, also virtual.
    Ethernet,
    /// Wireless LAN.
    Wireless,
    /// ISATAP, Teredo, 6to4.
    Tunnel,
    /// Dial-up and VPN.
    Ppp,
    /// Mobile broadband.
    Mobile,
    /// What Windows itself calls unknown: TAP and other VPN drivers.
    Unknown,
}

/// One adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Adapter {
    /// The heading without its colon.
    pub heading: String,
    /// The adapter's name out of the heading; `None` if the words before it are not known. It may be empty.
    pub name: Option<String>,
    /// Its kind, from the heading.
    pub medium: Option<Medium>,
    /// Driver's description (`/all`).
    pub description: Option<String>,
    /// Hardware address (`/all`).
    pub mac: Option<String>,
    /// Addresses come by DHCP (`/all`); `None` if not told in a known word.
    pub dhcp: Option<bool>,
    /// DNS suffix of the connection.
    pub suffix: Option<String>,
    /// IPv4 addresses.
    pub ipv4: Vec<Ipv4>,
    /// IPv6 addresses.
    pub ipv6: Vec<Ipv6>,
    /// Default gateways, IPv6 ones with their scope.
    pub gateways: Vec<Server>,
    /// DHCP server.
    pub dhcp_server: Option<Server>,
    /// DNS servers.
    pub dns_servers: Vec<Server>,
    /// The line about the medium is there: Windows prints it only for an adapter that is not connected.
    pub media_disconnected: bool,
    /// Line of the heading.
    pub line: u32,
}

/// An IPv4 address with its mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ipv4 {
    /// The address.
    pub address: String,
    /// The mask, if its line follows.
    pub mask: Option<String>,
    /// The address is one that the machine gave itself (169.254.x.x).
    pub autoconfigured: bool,
    /// Its line.
    pub line: u32,
}

/// An IPv6 address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ipv6 {
    /// The address without scope.
    pub address: String,
    /// Scope id behind `%`.
    pub scope: Option<u32>,
    /// `fe80::/10`.
    pub link_local: bool,
    /// Its line.
    pub line: u32,
}

/// Address of a gateway or server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Server {
    /// The address, IPv6 with scope.
    pub address: String,
    /// Its line.
    pub line: u32,
}

/// Reads this kind.
pub const READER: Reader =
    Reader { kind: CaptureKind::Ipconfig, recognise, starts: |line| is_title(line).is_some(), read };

/// The language of the heading of the whole output.
fn is_title(line: &str) -> Option<&'static str> {
    if line.len() > 120 || !line.contains("IP") {
        return None;
    }
    let line = line.trim();
    HEADINGS.iter().find(|(_, known)| same_label(line, known)).map(|(language, _)| *language)
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut headed, mut leaders) = (false, 0);
    for (_, line) in block.lines().filter(|(_, line)| line.len() < 1_000) {
        if is_title(line).is_some() {
            return 90;
        }
        if is_heading(line) {
            headed = true;
        } else if headed && labelled(line).is_some_and(|found| found.leader && found.indent > 0) {
            leaders += 1;
        }
        if leaders >= 2 {
            return 85;
        }
    }
    0
}

/// A line without indent that ends in a colon.
fn is_heading(line: &str) -> bool {
    let flush = line.starts_with(|c: char| !c.is_whitespace());
    flush && line.trim_end().ends_with([':', '：']) && !labelled(line).is_some_and(|found| found.leader)
}

fn read(block: &Block<'_>) -> Reading {
    let mut parser = Parser::default();
    for (number, line) in rejoined(block) {
        parser.line(number, &line);
    }
    let Parser { data, languages, odd, .. } = parser;
    if data.adapters.is_empty() {
        return shape::failed(block).unwrap_or_else(|| match data.host {
            Some(_) => {
                Reading::of(CaptureData::Ipconfig(data), Some("no adapter behind the host".to_owned()))
            }
            None => Reading::unrecognized("no adapter in it"),
        });
    }
    let reason = odd.map(|(line, label)| format!("line {line}: the label `{label}` is not known"));
    Reading { language: languages.winner(), ..Reading::of(CaptureData::Ipconfig(data), reason) }
}

/// Widths of consoles, at which they break lines inside words and without indent.
const WIDTHS: &[usize] = &[79, 80, 95, 96, 119, 120];

/// The lines, with those put together that the console broke.
fn rejoined<'t>(block: &Block<'t>) -> Vec<(u32, Cow<'t, str>)> {
    let mut lines: Vec<(u32, Cow<'t, str>)> = Vec::new();
    let mut full = false;
    for (number, line) in block.lines() {
        let flush = line.starts_with(|c: char| !c.is_whitespace());
        match lines.last_mut() {
            Some((_, before)) if full && flush && !is_heading(line) => before.to_mut().push_str(line),
            _ => lines.push((number, Cow::Borrowed(line))),
        }
        full = line.len() < 500 && WIDTHS.contains(&line.chars().count());
    }
    lines
}

#[derive(Default)]
struct Parser {
    data: Data,
    languages: Languages,
    /// The key whose values may go on in the next line.
    list: Option<Key>,
    /// First label with an address that could be several things.
    odd: Option<(u32, String)>,
}

impl Parser {
    fn line(&mut self, number: u32, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if let Some(language) = is_title(line) {
            self.languages.vote(&[language]);
            return;
        }
        if is_heading(line) {
            self.adapter(number, line);
            return;
        }
        let value = line.trim();
        match labelled(line) {
            Some(found) if found.indent > 0 && !is_value(value) => self.labelled(number, &found),
            // A continuation line: further values of the list before.
            _ if line.starts_with(char::is_whitespace) => {
                if let Some(key) = self.list {
                    self.value(number, key, value);
                }
            }
            _ => self.list = None,
        }
    }

    fn adapter(&mut self, number: u32, line: &str) {
        let heading = line.trim().trim_end_matches([':', '：']).trim_end();
        let (medium, name) = split_heading(heading);
        self.list = None;
        self.data.adapters.push(Adapter {
            heading: heading.to_owned(),
            name: name.map(str::to_owned),
            medium,
            line: number,
            ..Adapter::default()
        });
    }

    fn labelled(&mut self, number: u32, found: &Labelled<'_>) {
        let key = match find_label(LABELS, found.label) {
            Some((key, of)) => {
                self.languages.vote(&of);
                Some(key)
            }
            None => self.by_type(found),
        };
        let Some(key) = key else {
            self.list = None;
            if is_value(found.value) {
                self.odd.get_or_insert_with(|| (number, found.label.to_owned()));
            }
            return;
        };
        if key == Key::Doh {
            return;
        }
        self.list = Some(key);
        self.value(number, key, found.value);
    }

    /// What a line in an unknown language can only be, by the type of its value.
    fn by_type(&self, found: &Labelled<'_>) -> Option<Key> {
        let value = found.value;
        let label = found.label.to_ascii_uppercase();
        let adapter = self.data.adapters.last()?;
        if cell::mac(value).is_some() {
            // A DUID is a longer one that begins with its type.
            return Some(if value.len() > 30 { Key::Duid } else { Key::Mac });
        }
        if let Some(address) = cell::ipv4(value) {
            return match () {
                () if cell::is_mask(address)
                    && adapter.ipv4.last().is_some_and(|last| last.mask.is_none()) =>
                {
                    Some(Key::Mask)
                }
                () if label.contains("DHCP") => Some(Key::DhcpServer),
                () if label.contains("DNS") => Some(Key::DnsServers),
                () if label.contains("IPV4") => Some(Key::Ipv4),
                () => None,
            };
        }
        let (address, _) = cell::ipv6(value)?;
        match () {
            () if label.contains("DNS") => Some(Key::DnsServers),
            () if label.contains("IPV6") && address.is_unicast_link_local() => Some(Key::LinkLocal),
            () if label.contains("IPV6") => Some(Key::Ipv6),
            () => None,
        }
    }

    fn value(&mut self, number: u32, key: Key, value: &str) {
        let Some(adapter) = self.data.adapters.last_mut() else {
            let host = self.data.host.get_or_insert_with(|| Host { line: number, ..Host::default() });
            return host_value(host, key, value);
        };
        let server = || Server { address: address_of(value), line: number };
        let text = (!value.is_empty()).then(|| value.to_owned());
        match key {
            Key::Description => adapter.description = text.or(adapter.description.take()),
            Key::Mac => adapter.mac = cell::mac(value),
            Key::Dhcp => adapter.dhcp = truth(value),
            Key::Suffix => adapter.suffix = text,
            Key::MediaState => adapter.media_disconnected = true,
            Key::Mask => {
                if let (Some(last), Some(mask)) = (adapter.ipv4.last_mut(), cell::ipv4(value)) {
                    last.mask.get_or_insert_with(|| mask.to_string());
                }
            }
            Key::Ipv4 | Key::Apipa => adapter.ipv4.extend(ipv4(number, value)),
            Key::Ipv6 | Key::TemporaryIpv6 | Key::LinkLocal => adapter.ipv6.extend(ipv6(number, value)),
            Key::Gateway if is_value(value) => adapter.gateways.push(server()),
            Key::DhcpServer if is_value(value) => adapter.dhcp_server = Some(server()),
            Key::DnsServers if is_value(value) => adapter.dns_servers.push(server()),
            _ => {}
        }
    }
}

fn host_value(host: &mut Host, key: Key, value: &str) {
    let text = (!value.is_empty()).then(|| value.to_owned());
    match key {
        Key::HostName => host.name = text,
        Key::PrimarySuffix => host.primary_suffix = text,
        Key::SuffixList => host.suffixes.extend(text),
        _ => {}
    }
}

/// The words before the name and the name. XP in Russian has the name first.
fn split_heading(heading: &str) -> (Option<Medium>, Option<&str>) {
    for (medium, words) in ADAPTERS {
        let count = words.chars().count();
        let at = heading.char_indices().nth(count).map_or(heading.len(), |(at, _)| at);
        let (start, name) = heading.split_at_checked(at).unwrap_or((heading, ""));
        if same_label(start, words) || same_label(heading, words.trim_end()) {
            return (Some(*medium), Some(if same_label(start, words) { name } else { "" }));
        }
    }
    match heading.strip_suffix(" - Ethernet адаптер") {
        Some(name) => (Some(Medium::Ethernet), Some(name)),
        None => (None, None),
    }
}

fn truth(value: &str) -> Option<bool> {
    let value = value.to_lowercase();
    TRUTHS.iter().find(|(_, words)| words.contains(&value.as_str())).map(|(truth, _)| *truth)
}

fn is_value(value: &str) -> bool {
    cell::ipv4(value).is_some() || cell::ipv6(value).is_some()
}

fn address_of(value: &str) -> String {
    value.split(['(', '（']).next().unwrap_or_default().trim().to_owned()
}

fn ipv4(line: u32, value: &str) -> Option<Ipv4> {
    let address = cell::ipv4(value)?;
    Some(Ipv4 { address: address.to_string(), mask: None, autoconfigured: address.is_link_local(), line })
}

fn ipv6(line: u32, value: &str) -> Option<Ipv6> {
    let (address, scope) = cell::ipv6(value)?;
    Some(Ipv6 { address: address.to_string(), scope, link_local: address.is_unicast_link_local(), line })
}
