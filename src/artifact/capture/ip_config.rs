//! `netsh interface ip|ipv6 show config|addresses|dnsservers`: how each interface gets its addresses and name servers.
//!
//! An interface is an unindented line with its name in quotes and indented `label: value` lines. The values tell most: a line
//! with a prefix or a mask makes the address before it an own address, an address with a whole number behind it is a gateway, and
//! labels hold `DHCP`, `DNS`, `WINS` and `IP` in every language. The words for yes and no come from a table.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::label::LabelRow;
use super::shape::{self, Labelled, Languages, columns, find_label};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The interfaces in the order of the output.
    pub interfaces: Vec<Interface>,
    /// Single addresses with their state, from `show addresses` of IPv6.
    pub addresses: Vec<AddressState>,
}

/// The configuration of one interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Interface {
    /// 1-based line of its heading.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// Whether DHCP gives the addresses; `None` when it was not printed or the word is not known.
    pub dhcp: Option<bool>,
    /// Own addresses.
    pub addresses: Vec<Address>,
    /// Default gateways.
    pub gateways: Vec<Gateway>,
    /// Metric of the interface.
    pub metric: Option<u32>,
    /// Name servers in order.
    pub dns_servers: Vec<Server>,
    /// Whether DHCP gives the name servers; `None` when no line about them was printed.
    pub dns_from_dhcp: Option<bool>,
    /// WINS servers in order.
    pub wins_servers: Vec<Server>,
}

/// An own address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Address {
    /// 1-based line.
    pub line: u32,
    /// The address.
    pub address: IpAddr,
    /// Length of its prefix, if a prefix or a mask was printed.
    pub prefix_length: Option<u8>,
}

/// A default gateway.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gateway {
    /// 1-based line.
    pub line: u32,
    /// The address.
    pub address: IpAddr,
    /// Its metric.
    pub metric: Option<u32>,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Server {
    /// 1-based line.
    pub line: u32,
    /// The address.
    pub address: IpAddr,
}

/// One address and what duplicate address detection says of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AddressState {
    /// 1-based line.
    pub line: u32,
    /// The address without its zone.
    pub address: IpAddr,
    /// Name of the interface.
    pub interface: Option<String>,
    /// `Preferred`, `Deprecated`, `Duplicate` …, as printed.
    pub dad_state: Option<String>,
    /// `Public`, `Temporary`, `Dhcp`, `Manual`, `Other`, as printed.
    pub address_type: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Address,
    Prefix,
    Gateway,
    GatewayMetric,
    InterfaceMetric,
}

/// Labels that types and terms do not tell: captures, and for German the wording of a simulator, which does no harm if wrong.
const LABELS: &[LabelRow<Field>] = &[
    (
        Field::Address,
        &[
            ("en", "IP Address"),
            ("fr", "Adresse IP"),
            ("ru", "IP-адрес"),
            ("zh-CN", "IP 地址"),
            ("de", "IP-Adresse"),
        ],
    ),
    (
        Field::Prefix,
        &[
            ("en", "Subnet Prefix"),
            ("fr", "Préfixe de sous-réseau"),
            ("ru", "Маска подсети"),
            ("zh-CN", "子网前缀"),
            ("de", "Subnetzpräfix"),
        ],
    ),
    (
        Field::Gateway,
        &[
            ("en", "Default Gateway"),
            ("ru", "Основной шлюз"),
            ("zh-CN", "默认网关"),
            ("de", "Standardgateway"),
        ],
    ),
    (
        Field::GatewayMetric,
        &[
            ("en", "Gateway Metric"),
            ("ru", "Метрика шлюза"),
            ("zh-CN", "网关跃点数"),
            ("de", "Gatewaymetrik"),
        ],
    ),
    (
        Field::InterfaceMetric,
        &[
            ("en", "InterfaceMetric"),
            ("zh-CN", "InterfaceMetric"),
            ("fr", "Métrique de l'interface"),
            ("ru", "Метрика интерфейса"),
            ("de", "Schnittstellenmetrik"),
        ],
    ),
];

/// The line about DHCP, which tells the language of captures that have little else.
const DHCP_LABELS: &[LabelRow<()>] = &[(
    (),
    &[
        ("en", "DHCP enabled"),
        ("de", "DHCP aktiviert"),
        ("fr", "DHCP activé"),
        ("ru", "DHCP разрешен"),
        ("zh-CN", "DHCP 已启用"),
    ],
)];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::IpConfig, recognise, starts, read };

/// A heading in a language of which captures are known; splitting knows that many of them belong together.
fn starts(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "Configuration for interface ",
        "Configuration pour l'interface ",
        "Konfiguration der Schnittstelle ",
        "Настройка интерфейса ",
        "接口 \"",
    ];
    WORDS.iter().any(|word| line.starts_with(word)) && heading(line).is_some()
}

/// The name in quotes of an unindented heading, whatever quotes the language uses.
fn heading(line: &str) -> Option<&str> {
    const QUOTES: &[(char, char)] = &[('"', '"'), ('«', '»'), ('„', '“'), ('“', '”')];
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let (open, close) = QUOTES.iter().find(|(open, _)| line.contains(*open))?;
    let (from, _) = line.match_indices(*open).next()?;
    let (to, _) = line.match_indices(*close).next_back()?;
    if line.get(..from)?.contains([':', '：', '=', '>']) {
        return None;
    }
    let name = line.get(from + open.len_utf8()..to)?.trim();
    (!name.is_empty()).then_some(name)
}

fn indented(line: &str) -> Option<Labelled<'_>> {
    shape::labelled(line).filter(|found| found.indent >= 2)
}

/// `Address fe80::1%12 Parameters` above a rule.
fn address_heading(line: &str) -> Option<IpAddr> {
    (!line.starts_with(' ')).then(|| line.split_whitespace().find_map(netsh::ip))?
}

/// `Interface 13: Ethernet` above a table of addresses.
fn table_heading(line: &str) -> Option<&str> {
    let (before, name) = line.split_once([':', '：'])?;
    let (_, index) = before.trim().rsplit_once([' ', '\u{a0}'])?;
    index.parse::<u32>().ok().map(|_| name.trim())
}

/// Five groups of dashes.
fn is_table_rule(line: &str) -> bool {
    netsh::is_rule(line, '-', 30) && line.split_ascii_whitespace().count() == 5
}

/// Type, DAD state, two lifetimes, address.
fn table_row(line: u32, text: &str, interface: Option<&str>) -> Option<AddressState> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [address_type, dad_state, _, _, address] = words.as_slice() else { return None };
    Some(AddressState {
        line,
        address: netsh::ip(address)?,
        interface: interface.map(str::to_owned),
        dad_state: Some((*dad_state).to_owned()),
        address_type: Some((*address_type).to_owned()),
    })
}

fn recognise(block: &Block<'_>) -> u8 {
    let mut last: Option<&str> = None;
    let (mut rule, mut score) = (false, 0);
    for (number, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()) {
        let below_heading = last.is_some_and(|last| heading(last).is_some());
        if below_heading && indented(line).is_some() {
            score = score.max(80);
        }
        let below_address = last.is_some_and(|last| address_heading(last).is_some());
        if (below_address && netsh::is_rule(line, '-', 40))
            || (rule && table_row(number, line, None).is_some())
        {
            score = score.max(85);
        }
        rule |= is_table_rule(line);
        last = Some(line);
    }
    score
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut languages = Languages::default();
    let lines: Vec<(u32, &str)> = block.lines().collect();
    let mut rest = lines.as_slice();
    let (mut table, mut in_table): (Option<&str>, bool) = (None, false);
    while let Some(((line, text), behind)) = rest.split_first() {
        rest = behind;
        if let Some(name) = heading(text) {
            // A blank line ends an interface: what is indented behind it has lost its heading.
            let length = behind
                .iter()
                .take_while(|(_, line)| line.starts_with([' ', '\t']) && !line.trim().is_empty());
            let (body, after) = behind.split_at_checked(length.count()).unwrap_or((behind, &[]));
            if body.is_empty() {
                doubts.at(*line, "the interface has no lines");
            }
            data.interfaces.push(Body::default().read(*line, name, body, &mut languages, &mut doubts));
            rest = after;
        } else if let Some(address) = address_heading(text).filter(|_| below_rule(behind)) {
            let (state, after) = address_state(*line, address, behind, &mut doubts);
            data.addresses.push(state);
            rest = after;
        } else if is_table_rule(text) {
            in_table = table.is_some();
        } else if let Some(found) = table_row(*line, text, table).filter(|_| in_table) {
            data.addresses.push(found);
        } else if let Some(name) = table_heading(text) {
            (table, in_table) = (Some(name), false);
        } else if indented(text).is_some() {
            doubts.at(*line, "the heading of the interface is missing");
        } else if let Some(failure) = shape::failure_in(text) {
            doubts.at(*line, failure.words());
        }
    }
    if data.interfaces.is_empty() && data.addresses.is_empty() {
        doubts.whole("no interface was printed");
    }
    let language = languages.winner();
    netsh::reading(CaptureData::IpConfig(data), language.as_deref(), &doubts)
}

fn below_rule(lines: &[(u32, &str)]) -> bool {
    lines.first().is_some_and(|(_, line)| netsh::is_rule(line, '-', 40))
}

/// The six lines below an address heading, by their order: interface, scope, two lifetimes, DAD state, type.
fn address_state<'l, 't>(
    line: u32,
    address: IpAddr,
    lines: &'l [(u32, &'t str)],
    doubts: &mut Doubts,
) -> (AddressState, &'l [(u32, &'t str)]) {
    let body = lines.get(1..).unwrap_or_default();
    let about = body.iter().take_while(|(_, line)| address_heading(line).is_none());
    let values: Vec<&str> =
        about.map_while(|(_, line)| shape::labelled(line)).map(|found| found.value).take(6).collect();
    let mut state = AddressState { line, address, interface: None, dad_state: None, address_type: None };
    if let [interface, _, _, _, dad_state, address_type] = values.as_slice() {
        state.interface = Some((*interface).to_owned());
        state.dad_state = Some((*dad_state).to_owned());
        state.address_type = Some((*address_type).to_owned());
    } else {
        doubts.at(line, format!("expected 6 lines about the address, found {}", values.len()));
    }
    (state, body.get(values.len()..).unwrap_or_default())
}

/// Which list a line without a label goes on with.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    Dns,
    Wins,
}

/// What is known while the lines of an interface go by.
#[derive(Default)]
struct Body<'t> {
    found: Interface,
    open: Open,
    /// What the line before was, if its type told.
    before: Option<Field>,
    /// Labels that were met.
    seen: BTreeSet<&'t str>,
}

impl<'t> Body<'t> {
    fn read(
        mut self,
        line: u32,
        name: &str,
        body: &[(u32, &'t str)],
        languages: &mut Languages,
        doubts: &mut Doubts,
    ) -> Interface {
        (self.found.line, self.found.name) = (line, name.to_owned());
        for (at, (number, text)) in body.iter().enumerate() {
            // A server of IPv6 has colons, but it is no label.
            if let Some(address) = netsh::ip(text) {
                self.go_on(Server { line: *number, address }, doubts);
                continue;
            }
            let Some(labelled) = shape::labelled(text) else { continue };
            let terms = Terms::of(labelled.label);
            self.open = Open::Nothing;
            let again = !self.seen.insert(labelled.label);
            // Addresses and gateways can come again; anything else is of another interface.
            if again && (terms.dns || terms.wins || terms.dhcp || !is_of_address(labelled.value, self.before))
            {
                doubts.at(*number, "the heading of the interface is missing");
                break;
            }
            if terms.dns || terms.wins {
                self.servers(*number, &labelled, &terms);
            } else if terms.dhcp {
                self.dhcp(*number, &labelled, languages, doubts);
            } else {
                let next = body.get(at + 1).and_then(|(_, line)| shape::labelled(line));
                self.before = typed_line(*number, &labelled, next, self.before, &mut self.found, languages);
                let typed = netsh::ip(labelled.value).is_some() || labelled.value.parse::<u32>().is_ok();
                if self.before.is_none() && (typed || prefix_length(labelled.value).is_some()) {
                    doubts.at(*number, format!("what {:?} means here is not known", labelled.label));
                }
            }
        }
        self.found
    }

    /// A line without a label goes on with the list above it.
    fn go_on(&mut self, server: Server, doubts: &mut Doubts) {
        match self.open {
            Open::Dns => self.found.dns_servers.push(server),
            Open::Wins => self.found.wins_servers.push(server),
            Open::Nothing => doubts.at(server.line, "an address that belongs to no list"),
        }
    }

    fn servers(&mut self, line: u32, labelled: &Labelled<'_>, terms: &Terms) {
        self.before = None;
        let server = netsh::ip(labelled.value).map(|address| Server { line, address });
        if terms.dns {
            self.open = Open::Dns;
            self.found.dns_from_dhcp = Some(terms.dhcp);
            self.found.dns_servers.extend(server);
        } else {
            self.open = Open::Wins;
            self.found.wins_servers.extend(server);
        }
    }

    fn dhcp(&mut self, line: u32, labelled: &Labelled<'_>, languages: &mut Languages, doubts: &mut Doubts) {
        self.before = None;
        if let Some((_, spoken)) = find_label(DHCP_LABELS, labelled.label) {
            languages.vote(&spoken);
        }
        self.found.dhcp = netsh::yes_or_no(labelled.value);
        if self.found.dhcp.is_none() {
            doubts.at(line, format!("the word {:?} for DHCP is not known", labelled.value));
        }
    }
}

/// Whether a value is an address, its prefix or mask, or the metric of the gateway right above it.
fn is_of_address(value: &str, before: Option<Field>) -> bool {
    netsh::ip(value).is_some() || prefix_length(value).is_some() || before == Some(Field::Gateway)
}

/// Terms that labels hold in every language.
struct Terms {
    dns: bool,
    wins: bool,
    dhcp: bool,
    ip: bool,
}

impl Terms {
    fn of(label: &str) -> Self {
        let has =
            |term: &str| label.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| word == term);
        Self { dns: has("DNS"), wins: has("WINS"), dhcp: has("DHCP"), ip: has("IP") }
    }
}

/// Takes a line whose value is an address, a prefix or a number; gives back what it was.
fn typed_line(
    line: u32,
    labelled: &Labelled<'_>,
    next: Option<Labelled<'_>>,
    before: Option<Field>,
    found: &mut Interface,
    languages: &mut Languages,
) -> Option<Field> {
    let known = find_label(LABELS, labelled.label);
    if let Some((_, spoken)) = &known {
        languages.vote(spoken);
    }
    let field = match known {
        Some((field, _)) => field,
        None => field_by_type(labelled, next, before)?,
    };
    match field {
        Field::Address => {
            found.addresses.push(Address { line, address: netsh::ip(labelled.value)?, prefix_length: None })
        }
        Field::Gateway => {
            found.gateways.push(Gateway { line, address: netsh::ip(labelled.value)?, metric: None })
        }
        Field::Prefix => {
            let length = prefix_length(labelled.value)?;
            // A prefix belongs to the address right above it.
            found.addresses.last_mut().filter(|_| before == Some(Field::Address))?.prefix_length =
                Some(length);
        }
        Field::GatewayMetric => {
            let metric = labelled.value.parse().ok()?;
            found.gateways.last_mut().filter(|_| before == Some(Field::Gateway))?.metric = Some(metric);
        }
        Field::InterfaceMetric => found.metric = Some(labelled.value.parse().ok()?),
    }
    Some(field)
}

/// What a line is in a language without a table. An own address is labelled with `IP` and has its prefix below; a gateway is not
/// and has its metric below.
fn field_by_type(
    labelled: &Labelled<'_>,
    next: Option<Labelled<'_>>,
    before: Option<Field>,
) -> Option<Field> {
    let number = |text: &str| text.parse::<u32>().is_ok();
    if prefix_length(labelled.value).is_some() && before == Some(Field::Address) {
        return Some(Field::Prefix);
    }
    if netsh::ip(labelled.value).is_some() {
        let next = next?;
        let own = Terms::of(labelled.label).ip && prefix_length(next.value).is_some();
        let gateway = !Terms::of(labelled.label).ip && number(next.value);
        return if own { Some(Field::Address) } else { gateway.then_some(Field::Gateway) };
    }
    (number(labelled.value) && before == Some(Field::Gateway)).then_some(Field::GatewayMetric)
}

/// The length in `172.16.138.0/24 (mask 255.255.255.0)` or of `255.255.255.0` alone.
fn prefix_length(value: &str) -> Option<u8> {
    let first = columns::wide_cells(value).first().copied()?.split(['(', '（']).next()?;
    netsh::prefix(first).map(|(_, length)| length).or_else(|| netsh::mask_length(netsh::ipv4(first)?))
}

#[cfg(test)]
mod tests;
