//! `netsh interface ipv4|ipv6 show interfaces` and `netsh interface show interface`.
//!
//! The first prints index, metric, MTU, state and name; three numbers at the head of a line make it certain in any language, and
//! the word of the state is English on most systems. The second prints four columns of words (admin state, state, type, name),
//! which are read only where the header is known.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::columns::wide_cells;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The IP interfaces.
    pub interfaces: Vec<Interface>,
    /// The network connections, from `netsh interface show interface`.
    pub connections: Vec<Connection>,
}

/// One IP interface.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interface {
    /// 1-based line.
    pub line: u32,
    /// Interface index.
    pub index: u32,
    /// Metric of the interface.
    pub metric: u32,
    /// MTU in bytes; 4294967295 stands for no limit.
    pub mtu: u32,
    /// Whether it is connected; `None` when the word is not known.
    pub connected: Option<bool>,
    /// The state as printed.
    pub state: String,
    /// Name.
    pub name: String,
}

/// One network connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connection {
    /// 1-based line.
    pub line: u32,
    /// Whether it is enabled; `None` when the word is not known.
    pub enabled: Option<bool>,
    /// Whether it is connected; `None` when the word is not known.
    pub connected: Option<bool>,
    /// Type as printed (`Dedicated`).
    pub connection_type: String,
    /// Name.
    pub name: String,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::IpInterfaces, recognise, starts, read };

/// Words for connected and not, in small letters. Only the first two were seen in captures.
const CONNECTED: &[(&str, bool)] = &[
    ("connected", true),
    ("disconnected", false),
    ("verbunden", true),
    ("getrennt", false),
    ("connecté", true),
    ("déconnecté", false),
    ("conectado", true),
    ("desconectado", false),
    ("已连接", true),
    ("已断开连接", false),
];

/// Words for enabled and not, in small letters.
const ENABLED: &[(&str, bool)] = &[
    ("enabled", true),
    ("disabled", false),
    ("activé", true),
    ("désactivé", false),
    ("已启用", true),
    ("已禁用", false),
];

/// Headers of `netsh interface show interface`: first word of the line and its language.
const CONNECTION_HEADERS: &[(&str, &str)] =
    &[("Admin State", "en"), ("État admin", "fr"), ("管理员状态", "zh-CN")];

fn known(table: &[(&str, bool)], word: &str) -> Option<bool> {
    let word = word.to_lowercase();
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

fn connection_header(line: &str) -> Option<&'static str> {
    CONNECTION_HEADERS
        .iter()
        .find(|(start, _)| line.trim_start().starts_with(start))
        .map(|(_, language)| *language)
}

/// Five groups of dashes.
fn is_table_rule(line: &str) -> bool {
    netsh::is_rule(line, '-', 20) && line.split_ascii_whitespace().count() == 5
}

/// A header in a language with a table.
fn starts(line: &str) -> bool {
    line.starts_with("Idx     Met ") || connection_header(line).is_some()
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut rule, mut header) = (false, false);
    for (number, line) in block.lines() {
        if (rule && interface(number, line).is_some()) || (header && netsh::is_rule(line, '-', 40)) {
            return 90;
        }
        rule |= is_table_rule(line);
        header = connection_header(line).is_some();
    }
    0
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let (mut in_table, mut connections, mut language) = (false, false, None);
    for (number, line) in block.lines() {
        if let Some(found) = connection_header(line) {
            (connections, in_table, language) = (true, false, Some(found));
        } else if is_table_rule(line) || (connections && netsh::is_rule(line, '-', 40)) {
            connections &= !is_table_rule(line);
            in_table = true;
        } else if line.trim().is_empty() || !in_table {
            // Two tables can follow each other; the header of the next one is no row.
            if line.trim_start().starts_with("Idx ") {
                language = Some("en");
            }
            in_table &= data.interfaces.is_empty() && data.connections.is_empty();
        } else if let Some(found) = interface(number, line).filter(|_| !connections) {
            data.interfaces.push(found);
        } else if let Some(found) = connection(number, line).filter(|_| connections) {
            data.connections.push(found);
        } else {
            doubts.at(number, format!("expected an interface, found {}", netsh::quote(line)));
        }
    }
    sum_up(data, language, doubts)
}

fn sum_up(data: Data, language: Option<&str>, mut doubts: Doubts) -> Reading {
    let words = data.interfaces.iter().map(|found| (found.line, found.connected));
    let words =
        words.chain(data.connections.iter().map(|found| (found.line, found.connected.and(found.enabled))));
    for (line, _) in words.filter(|(_, known)| known.is_none()) {
        doubts.at(line, "the word for the state is not known");
    }
    if data.interfaces.is_empty() && data.connections.is_empty() {
        doubts.whole("no interface was printed");
    }
    netsh::reading(CaptureData::IpInterfaces(data), language, &doubts)
}

fn interface(line: u32, text: &str) -> Option<Interface> {
    let mut cells = wide_cells(text).into_iter();
    let index = cells.next()?.parse().ok()?;
    let metric = cells.next()?.parse().ok()?;
    let mtu = cells.next()?.parse().ok()?;
    let state = cells.next()?;
    let name = text.split_once(state)?.1.trim();
    (!name.is_empty()).then(|| Interface {
        line,
        index,
        metric,
        mtu,
        connected: known(CONNECTED, state),
        state: state.to_owned(),
        name: name.to_owned(),
    })
}

fn connection(line: u32, text: &str) -> Option<Connection> {
    let cells = wide_cells(text);
    let [admin, state, connection_type, name] = cells.as_slice() else { return None };
    Some(Connection {
        line,
        enabled: known(ENABLED, admin),
        connected: known(CONNECTED, state),
        connection_type: (*connection_type).to_owned(),
        name: (*name).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::data;

    #[test]
    fn connections_of_windows_10() {
        // Layout of `netsh interface show interface`: four columns under one rule.
        let text = "\nAdmin State    State          Type             Interface Name\n\
            -------------------------------------------------------------------------\n\
            Enabled        Disconnected   Dedicated        Ethernet\n\
            Disabled       Disconnected   Dedicated        vEthernet (Default Switch)\n\
            Enabled        Connected      Dedicated        Wi-Fi\n\n";
        let (found, status, _) = data!(IpInterfaces, text);
        assert_eq!(status, CaptureStatus::Parsed);
        let rows: Vec<_> = found
            .connections
            .iter()
            .map(|row| (row.line, row.enabled, row.connected, row.name.as_str()))
            .collect();
        assert_eq!(
            rows,
            [
                (4, Some(true), Some(false), "Ethernet"),
                (5, Some(false), Some(false), "vEthernet (Default Switch)"),
                (6, Some(true), Some(true), "Wi-Fi"),
            ]
        );
    }

    #[test]
    fn an_unknown_word_leaves_the_state_open() {
        let text = "Idx     Met         MTU          State                Name\n\
            ---  ----------  ----------  ------------  ---------------------------\n  \
            9          10        1500  kapcsolódva   Ethernet\n";
        let (found, status, reason) = data!(IpInterfaces, text);
        assert_eq!(
            (found.interfaces[0].connected, found.interfaces[0].state.as_str()),
            (None, "kapcsolódva")
        );
        assert_eq!(
            (status, reason.as_deref()),
            (CaptureStatus::Partial, Some("line 3: the word for the state is not known"))
        );
    }
}
