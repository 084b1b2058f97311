//! `getmac`: MAC address and transport of each adapter, as a table, a list or CSV.
//!
//! Headers are localised. A row is told by its MAC address, and an adapter that carries traffic by its transport
//! (`\Device\Tcpip_{GUID}`); both look the same everywhere. What stands instead of a transport is a localised word.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::{self, cell, columns};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The adapters in the order of the output.
    pub adapters: Vec<Adapter>,
}

/// One adapter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Adapter {
    /// 1-based line.
    pub line: u32,
    /// Name of the connection (`/v`). Tables cut it to 15 columns, so it is no key there.
    pub connection: Option<String>,
    /// Description of the adapter (`/v`), cut in the same way.
    pub description: Option<String>,
    /// MAC address.
    pub mac: String,
    /// GUID of the interface that the transport names.
    pub interface_guid: Option<String>,
    /// Whether it carries traffic: true with a transport, false with a known word for a disconnected one, else `None`.
    pub connected: Option<bool>,
    /// The last column as printed.
    pub transport: String,
}

/// What stands instead of a transport, in small letters. `N/A` does not tell the state and so is not here.
const NOT_CONNECTED: &[&str] = &["media disconnected", "disconnected", "medium getrennt", "média déconnecté"];

/// Columns of the two names before the MAC address in the table of `/v`: 15 columns each, one blank between.
const NAME_COLUMNS: [(usize, usize); 2] = [(0, 15), (16, 31)];

/// Columns before the MAC address in that table.
const NAMES_WIDTH: usize = 32;

/// No line of this command comes near it; in longer ones nothing is looked for.
const LONGEST_LINE: usize = 1000;

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Getmac, recognise, starts, read };

/// The English or German header, with or without `/v`.
fn starts(line: &str) -> bool {
    [
        "Physical Address    Transport Name",
        "Physische Adresse   Transportname",
        "Connection Name Network Adapter",
    ]
    .iter()
    .any(|header| line.starts_with(header))
}

/// A MAC address, where it begins in the line and where it ends.
fn find_mac(line: &str) -> Option<(String, usize, usize)> {
    const LENGTH: usize = 17;
    if line.len() > LONGEST_LINE {
        return None;
    }
    let (dash, _) = line.match_indices('-').find(|(at, _)| {
        let start = at.checked_sub(2);
        let candidate = start.and_then(|start| line.get(start..start + LENGTH));
        candidate.is_some_and(|candidate| candidate.split('-').count() == 6 && cell::mac(candidate).is_some())
    })?;
    let start = dash.checked_sub(2)?;
    let end = start + LENGTH;
    let alone = |text: Option<&str>, at_end: bool| {
        let neighbour =
            text.and_then(|text| if at_end { text.chars().next_back() } else { text.chars().next() });
        neighbour.is_none_or(|letter| letter.is_whitespace() || letter == '"')
    };
    if !alone(line.get(..start), true) || !alone(line.get(end..), false) {
        return None;
    }
    Some((cell::mac(line.get(start..end)?)?, start, end))
}

/// GUID of the interface that a transport names.
fn transport_guid(text: &str) -> Option<String> {
    let (_, guid) = text.split_once("\\Device\\Tcpip_")?;
    cell::guid(guid.trim().trim_matches('"'))
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut rows, mut transports, mut others) = (0usize, 0usize, 0usize);
    for (_, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()) {
        match find_mac(line) {
            Some(_) => rows += 1,
            None => others += 1,
        }
        transports += usize::from(transport_guid(line).is_some());
    }
    // The list form has three or four lines an adapter; the table has a header and a rule.
    if rows > 0 && transports > 0 && others <= rows * 4 + 2 { 85 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let rows: Vec<(u32, &str)> = block.lines().filter(|(_, line)| !line.trim().is_empty()).collect();
    let csv = rows.iter().any(|(_, line)| line.trim_start().starts_with('"'));
    let list = !csv
        && rows
            .iter()
            .any(|(_, line)| shape::labelled(line).is_some_and(|found| cell::mac(found.value).is_some()));
    if list {
        read_list(&rows, &mut data, &mut doubts);
    } else {
        for (number, line) in rows {
            let adapter = if csv { csv_row(number, line) } else { table_row(number, line) };
            match adapter {
                Some(adapter) => data.adapters.push(adapter),
                None if find_mac(line).is_some() => {
                    doubts.at(number, "expected an adapter with its transport")
                }
                None => {}
            }
        }
    }
    if data.adapters.is_empty() {
        doubts.whole("no adapter was printed");
    }
    netsh::reading(CaptureData::Getmac(data), None, &doubts)
}

fn adapter(line: u32, names: (Option<&str>, Option<&str>), mac: String, transport: &str) -> Option<Adapter> {
    let transport = transport.trim();
    if transport.is_empty() {
        return None;
    }
    let text = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let interface_guid = transport_guid(transport);
    let connected = match &interface_guid {
        Some(_) => Some(true),
        None => NOT_CONNECTED.contains(&transport.to_lowercase().as_str()).then_some(false),
    };
    let (connection, description) = (text(names.0), text(names.1));
    Some(Adapter {
        line,
        connection,
        description,
        mac,
        interface_guid,
        connected,
        transport: transport.to_owned(),
    })
}

/// The address stands in the first column, or behind the two names of `/v`; anywhere else something cut the line.
fn table_row(line: u32, text: &str) -> Option<Adapter> {
    let (mac, start, end) = find_mac(text)?;
    let head = text.get(..start)?;
    let width: usize = head.chars().map(|letter| if columns::is_wide(letter) { 2 } else { 1 }).sum();
    let names = match width {
        0 => Vec::new(),
        NAMES_WIDTH => columns::cut_rows(&NAME_COLUMNS, &[head]).into_iter().next()?,
        _ => return None,
    };
    let names = (names.first().map(String::as_str), names.get(1).map(String::as_str));
    adapter(line, names, mac, text.get(end..)?)
}

/// Two cells, or four with `/v`; the MAC address is the one before the last.
fn csv_row(line: u32, text: &str) -> Option<Adapter> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    let cells: Vec<&str> = inner.split("\",\"").collect();
    match cells.as_slice() {
        [mac, transport] => adapter(line, (None, None), cell::mac(mac)?, transport),
        [connection, description, mac, transport] => {
            adapter(line, (Some(connection), Some(description)), cell::mac(mac)?, transport)
        }
        _ => None,
    }
}

/// Blocks of `Label: value`; the MAC address is the line before the transport, names stand before it.
fn read_list(rows: &[(u32, &str)], data: &mut Data, doubts: &mut Doubts) {
    let mut names: Vec<&str> = Vec::new();
    let mut mac: Option<(u32, String)> = None;
    for (number, line) in rows {
        let Some(found) = shape::labelled(line) else { continue };
        match (mac.take(), cell::mac(found.value)) {
            (Some((line, mac)), None) => {
                // One name line alone could be either name.
                let pair = match names.as_slice() {
                    [connection, description] => (Some(*connection), Some(*description)),
                    _ => (None, None),
                };
                if !matches!(names.len(), 0 | 2) {
                    doubts.at(line, "expected two names or none before the address");
                }
                data.adapters.extend(adapter(line, pair, mac, found.value));
                names.clear();
            }
            (Some((line, _)), Some(next)) => {
                doubts.at(line, "the adapter has no transport");
                names.clear();
                mac = Some((*number, next));
            }
            (None, Some(next)) => mac = Some((*number, next)),
            (None, None) => names.push(found.value),
        }
    }
    if let Some((line, _)) = mac {
        doubts.at(line, "the adapter has no transport");
    }
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::data;

    const GUID: &str = "{3BE773AE-DC23-4526-AEE9-6AB6C5346119}";

    #[test]
    fn the_plain_table_in_german() {
        let text = format!(
            "\nPhysische Adresse   Transportname\n=================== ==========================================================\n\
             18-66-DA-4A-11-9C   \\Device\\Tcpip_{GUID}\n18-66-DA-4A-11-9D   Medium getrennt\n18-66-DA-4A-11-9E   Unbekanntes Wort\n"
        );
        let (data, status, _) = data!(Getmac, &text);
        assert_eq!(status, CaptureStatus::Parsed);
        let rows: Vec<_> =
            data.adapters.iter().map(|row| (row.line, row.connected, row.connection.as_deref())).collect();
        assert_eq!(rows, [(4, Some(true), None), (5, Some(false), None), (6, None, None)]);
        assert_eq!(data.adapters[0].interface_guid.as_deref(), Some(GUID));
    }

    #[test]
    fn lists_and_csv() {
        let list = format!(
            "\nConnection Name:  Ethernet\nNetwork Adapter:  Some adapter\nPhysical Address: 18-66-DA-4A-11-9C\n\
             Transport Name:   \\Device\\Tcpip_{GUID}\n\nConnection Name:  Wi-Fi\nNetwork Adapter:  Other\n\
             Physical Address: 18-66-DA-4A-11-9D\nTransport Name:   Media disconnected\n"
        );
        let csv = format!(
            "\"Connection Name\",\"Network Adapter\",\"Physical Address\",\"Transport Name\"\n\
             \"Ethernet\",\"Some adapter\",\"18-66-DA-4A-11-9C\",\"\\Device\\Tcpip_{GUID}\"\n\
             \"Wi-Fi\",\"Other\",\"18-66-DA-4A-11-9D\",\"Media disconnected\"\n"
        );
        for text in [list, csv] {
            let (data, status, _) = data!(Getmac, &text);
            assert_eq!((status, data.adapters.len()), (CaptureStatus::Parsed, 2), "{text}");
            let first = &data.adapters[0];
            assert_eq!(
                (first.connection.as_deref(), first.description.as_deref()),
                (Some("Ethernet"), Some("Some adapter"))
            );
            assert_eq!(
                (first.mac.as_str(), first.interface_guid.as_deref()),
                ("18-66-DA-4A-11-9C", Some(GUID))
            );
            assert_eq!(
                (data.adapters[1].connected, data.adapters[1].connection.as_deref()),
                (Some(false), Some("Wi-Fi"))
            );
        }
    }

    #[test]
    fn a_cut_row_is_no_adapter() {
        let text = format!("18-66-DA-4A-11-9C   \\Device\\Tcpip_{GUID}\n18-66-DA-4A-11-9D\n");
        let (data, status, reason) = data!(Getmac, &text);
        assert_eq!((data.adapters.len(), status), (1, CaptureStatus::Partial));
        assert_eq!(reason.as_deref(), Some("line 2: expected an adapter with its transport"));
    }
}
