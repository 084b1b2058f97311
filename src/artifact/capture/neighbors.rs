//! `netsh interface ipv4|ipv6 show neighbors` and `arp -a`: who answered on the link.
//!
//! A table for each interface. The heading of netsh is `Interface 13: Ethernet`, that of arp `Interface: 10.0.0.5 --- 0xd`; the
//! word before is localised, number and address are not. A line is an address, a MAC address if there is one, and a word.

use std::net::IpAddr;

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::cell;
use super::shape::columns::wide_cells;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The tables in order.
    pub interfaces: Vec<Interface>,
}

/// The table of one interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Interface {
    /// 1-based line of its heading.
    pub line: u32,
    /// Interface index.
    pub index: u32,
    /// Name (netsh).
    pub name: Option<String>,
    /// Own address (arp).
    pub address: Option<IpAddr>,
    /// Its neighbours.
    pub entries: Vec<Entry>,
}

/// One neighbour.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// 1-based line.
    pub line: u32,
    /// Its address.
    pub address: IpAddr,
    /// Its MAC address; `None` when the line has none or it is all zeros. It says nothing alone: multicast on loopback has none.
    pub mac: Option<String>,
    /// State; `None` when the word is not known.
    pub state: Option<State>,
    /// State or type as printed.
    pub state_text: String,
}

/// State of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Set by hand or by the system for good (`static` in arp).
    Permanent,
    /// Learnt (arp does not say how fresh).
    Dynamic,
    /// Answered lately.
    Reachable,
    /// Answered some time ago.
    Stale,
    /// Will be asked again.
    Delay,
    /// Is being asked again.
    Probe,
    /// Has not answered yet.
    Incomplete,
    /// Did not answer.
    Unreachable,
    /// Refused by arp (`invalid`).
    Invalid,
}

/// Words in small letters. The English ones of netsh were seen in captures; those of arp in other languages are from
/// documentation.
const STATES: &[(&str, State)] = &[
    ("permanent", State::Permanent),
    ("reachable", State::Reachable),
    ("stale", State::Stale),
    ("delay", State::Delay),
    ("probe", State::Probe),
    ("incomplete", State::Incomplete),
    ("unreachable", State::Unreachable),
    ("static", State::Permanent),
    ("dynamic", State::Dynamic),
    ("invalid", State::Invalid),
    ("statisch", State::Permanent),
    ("dynamisch", State::Dynamic),
    ("statique", State::Permanent),
    ("dynamique", State::Dynamic),
    ("estático", State::Permanent),
    ("dinámico", State::Dynamic),
    ("statico", State::Permanent),
    ("dinamico", State::Dynamic),
    ("dinâmico", State::Dynamic),
    ("статический", State::Permanent),
    ("динамический", State::Dynamic),
    ("静态", State::Permanent),
    ("动态", State::Dynamic),
    ("静的", State::Permanent),
    ("動的", State::Dynamic),
    ("정적", State::Permanent),
    ("동적", State::Dynamic),
];

/// What arp prints instead of tables when it knows nobody (English; other languages are not recognised by it).
const NO_ENTRIES: &str = "No ARP Entries Found";

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Neighbors, recognise, starts, read };

/// The heading of arp, or that of netsh with the word for an interface.
fn starts(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "Interface",
        "Schnittstelle",
        "Interfaz",
        "Interfaccia",
        "Интерфейс",
        "接口",
        "インターフェイス",
        "인터페이스",
    ];
    heading(0, line)
        .is_some_and(|found| found.address.is_some() || WORDS.iter().any(|word| line.starts_with(word)))
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut headings, mut entries) = (0usize, 0usize);
    for (number, line) in block.lines() {
        if line.trim().starts_with(NO_ENTRIES) {
            return 90;
        }
        if heading(number, line).is_some() {
            headings += 1;
        } else if entry(number, line).is_some_and(|entry| entry.mac.is_some() || entry.state.is_some()) {
            entries += 1;
        }
    }
    if headings > 0 && entries > 0 { 90 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut language = None;
    let mut none = false;
    for (number, line) in block.lines() {
        let text = line.trim();
        if text.is_empty() || netsh::is_rule(text, '-', 20) {
            continue;
        }
        let in_rows = data.interfaces.last().is_some_and(|interface| !interface.entries.is_empty());
        if let Some(interface) = heading(number, text) {
            data.interfaces.push(interface);
        } else if let Some(entry) = entry(number, text) {
            if entry.state.is_none() {
                doubts.at(number, "the word for the state is not known");
            }
            match data.interfaces.last_mut() {
                Some(interface) => interface.entries.push(entry),
                None => doubts.at(number, "a neighbour before the heading of its interface"),
            }
        } else if text.starts_with(NO_ENTRIES) {
            (none, language) = (true, Some("en"));
        } else if in_rows
            || text.split_ascii_whitespace().next().is_some_and(|word| netsh::ip(word).is_some())
        {
            // Also the header of a table whose heading got lost: its rows would go to the interface before.
            doubts.at(number, format!("expected a neighbour or a heading, found {}", netsh::quote(text)));
        } else if text.starts_with("Internet Address") {
            language = Some("en");
        }
    }
    if data.interfaces.is_empty() && !none {
        doubts.whole("no table was printed");
    }
    netsh::reading(CaptureData::Neighbors(data), language, &doubts)
}

/// `word 13: name` or `word: 10.0.0.5 --- 0xd`.
fn heading(line: u32, text: &str) -> Option<Interface> {
    let text = text.trim();
    if let Some((before, index)) = text.rsplit_once("--- 0x") {
        let address = netsh::ip(before.split_whitespace().next_back()?)?;
        let index = u32::from_str_radix(index.trim(), 16).ok()?;
        return Some(Interface { line, index, address: Some(address), ..Interface::default() });
    }
    let (before, name) = text.split_once([':', '：'])?;
    let (word, index) = before.trim().rsplit_once([' ', '\u{a0}'])?;
    let word_is_word =
        !word.is_empty() && word.chars().all(|letter| letter.is_alphabetic() || letter.is_whitespace());
    let index = index.parse().ok().filter(|_| word_is_word && !name.trim().is_empty())?;
    Some(Interface { line, index, name: Some(name.trim().to_owned()), ..Interface::default() })
}

fn entry(line: u32, text: &str) -> Option<Entry> {
    let mut cells = wide_cells(text).into_iter();
    let address = netsh::ip(cells.next()?)?;
    let second = cells.next()?;
    let (mac, state_text) = match cell::mac(second) {
        Some(mac) => (Some(mac), cells.next()?),
        None if second.chars().any(char::is_alphabetic) => (None, second),
        None => return None,
    };
    if cells.next().is_some() {
        return None;
    }
    // netsh adds what else it knows in brackets: `Reachable (Router)`.
    let word = state_text.split('(').next().unwrap_or_default().trim().to_lowercase();
    Some(Entry {
        line,
        address,
        mac: mac.filter(|mac| mac != "00-00-00-00-00-00"),
        state: STATES.iter().find(|(name, _)| *name == word).map(|(_, state)| *state),
        state_text: state_text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::data;
    use super::*;

    #[test]
    fn arp_in_english_and_german() {
        // Layout of arp.exe since Windows Vista: index in hexadecimal behind three dashes.
        let english = "\nInterface: 192.168.1.20 --- 0xd\n  Internet Address      Physical Address      Type\n  \
            192.168.1.1           00-1d-aa-01-02-03     dynamic   \n  224.0.0.22            01-00-5e-00-00-16     static    \n";
        let (found, status, _) = data!(Neighbors, english);
        assert_eq!((status, found.interfaces.len()), (CaptureStatus::Parsed, 1));
        let table = &found.interfaces[0];
        assert_eq!(
            (table.line, table.index, table.address, table.name.as_deref()),
            (2, 13, "192.168.1.20".parse().ok(), None)
        );
        assert_eq!((table.entries[0].line, table.entries[0].state), (4, Some(State::Dynamic)));
        assert_eq!(table.entries[1].mac.as_deref(), Some("01-00-5E-00-00-16"));

        let german = "\nSchnittstelle: 10.0.0.5 --- 0x4\n  Internetadresse       Physische Adresse     Typ\n  \
            10.0.0.1              00-1d-aa-01-02-03     dynamisch \n";
        let (found, status, _) = data!(Neighbors, german);
        assert_eq!(
            (status, found.interfaces[0].entries[0].state),
            (CaptureStatus::Parsed, Some(State::Dynamic))
        );
    }

    #[test]
    fn nobody_known_is_an_answer_but_a_cut_table_is_not() {
        let (found, status, _) = data!(Neighbors, "No ARP Entries Found.\n");
        assert_eq!((found.interfaces.len(), status), (0, CaptureStatus::Parsed));
        let (found, status, reason) = data!(
            Neighbors,
            "Interface 5: Wi-Fi\n\n10.0.0.1   6a-d7-9a-bb-fe-e2  Erreichbarkeit\n10.0.0.9   6a-d7-9a\n"
        );
        assert_eq!((status, found.interfaces[0].entries.len()), (CaptureStatus::Partial, 2));
        assert!(reason.unwrap().contains("not known"));
    }

    #[test]
    fn routers_of_ipv6() {
        let text = "Interface 5: Wi-Fi\n\n\nInternet Address   Physical Address   Type\n-----------------  -----------------  ----\n\
            fe80::1            6a-d7-9a-bb-fe-e2  Reachable (Router)\n";
        let (found, ..) = data!(Neighbors, text);
        let router = &found.interfaces[0].entries[0];
        assert_eq!(
            (router.state, router.state_text.as_str()),
            (Some(State::Reachable), "Reachable (Router)")
        );
    }
}
