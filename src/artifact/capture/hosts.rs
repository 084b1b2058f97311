//! The hosts file: names that never reach DNS.
//!
//! One mapping a line: an address, then names; `#` starts a comment. What stands behind a `#` has no effect, and Windows skips a
//! line whose first word is no address, so both are kept apart from the mappings. A file of nothing but comments is the normal
//! one and is read as such; text that merely looks alike is not claimed.

use std::net::IpAddr;

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::cell;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The active mappings.
    pub entries: Vec<Entry>,
    /// Lines that are neither mapping nor comment: Windows ignores them.
    pub ignored_lines: Vec<u32>,
}

/// One active line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// 1-based line.
    pub line: u32,
    /// Where the names point, without a zone.
    pub address: IpAddr,
    /// The names, as written.
    pub names: Vec<String>,
}

/// Whether a file stands where Windows has its hosts file. Its place says what it is even where its lines alone do not.
pub fn is_place(path: &str) -> bool {
    let path = path.replace('\\', "/").to_ascii_lowercase();
    path.ends_with("/drivers/etc/hosts") || path == "drivers/etc/hosts"
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Hosts, recognise, starts, read };

/// Sentences of the file that Windows ships, in its versions since XP.
const WINDOWS_HEAD: &[&str] = &[
    "This is a sample HOSTS file used by Microsoft TCP/IP",
    "This file contains the mappings of IP addresses to host names",
    "localhost name resolution is handled within DNS itself",
];

/// The copyright line above the head that Windows ships.
fn starts(line: &str) -> bool {
    line.starts_with("# Copyright (c) 19") && line.contains("Microsoft Corp")
}

/// One line of the file.
enum Line<'l> {
    Nothing,
    Mapping(IpAddr, Vec<&'l str>),
    Other,
}

fn parse(line: &str) -> Line<'_> {
    let active = line.split('#').next().unwrap_or_default();
    let mut words = active.split_whitespace();
    let Some(first) = words.next() else { return Line::Nothing };
    let names: Vec<&str> = words.collect();
    match netsh::ip(first) {
        Some(address) if !names.is_empty() => Line::Mapping(address, names),
        _ => Line::Other,
    }
}

/// Letters, digits, `-`, `_` and dots, with at least one letter that is no hex pair of a MAC address.
fn is_name(word: &str) -> bool {
    word.len() <= 255
        && word.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '*'))
        && netsh::ip(word).is_none()
        && cell::mac(word).is_none()
        && word.chars().any(char::is_alphabetic)
}

fn is_windows_head(line: &str) -> bool {
    line.trim_start().starts_with('#') && WINDOWS_HEAD.iter().any(|sentence| line.contains(sentence))
}

/// The head that Windows ships settles it. Without it every line must be a comment or a mapping, and one mapping must be of the kind that
/// other address lists do not hold: to this machine or to nowhere.
fn recognise(block: &Block<'_>) -> u8 {
    let (mut mappings, mut dead_ends, mut others) = (0usize, 0usize, 0usize);
    let mut head = false;
    for (_, line) in block.lines() {
        head |= is_windows_head(line);
        match parse(line) {
            Line::Nothing => {}
            Line::Mapping(_, names) if !names.iter().all(|name| is_name(name)) => others += 1,
            Line::Mapping(address, _) => {
                mappings += 1;
                dead_ends += usize::from(address.is_loopback() || address.is_unspecified());
            }
            Line::Other => others += 1,
        }
    }
    match (head, mappings, dead_ends, others) {
        (true, _, _, others) if others <= mappings.max(2) => 95,
        (false, _, 1.., 0) => 60,
        _ => 0,
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    for (number, line) in block.lines() {
        match parse(line) {
            Line::Nothing => {}
            Line::Mapping(address, names) => data.entries.push(Entry {
                line: number,
                address,
                names: names.into_iter().map(str::to_owned).collect(),
            }),
            Line::Other => {
                doubts.at(number, format!("expected an address and names, found {}", netsh::quote(line)));
                data.ignored_lines.push(number);
            }
        }
    }
    netsh::reading(CaptureData::Hosts(data), None, &doubts)
}

#[cfg(test)]
mod tests {
    use super::super::netsh::testing::{claimed, damage_says_nothing_new, data};
    use super::super::{CaptureKind, CaptureStatus};

    /// The file that Windows 10 ships.
    const SHIPPED: &str = "# Copyright (c) 1993-2009 Microsoft Corp.\r\n#\r\n\
        # This is a sample HOSTS file used by Microsoft TCP/IP for Windows.\r\n#\r\n\
        # This file contains the mappings of IP addresses to host names. Each\r\n\
        # entry should be kept on an individual line. The IP address should\r\n\
        # be placed in the first column followed by the corresponding host name.\r\n#\r\n\
        # For example:\r\n#\r\n\
        #      102.54.94.97     rhino.acme.com          # source server\r\n\
        #       38.25.63.10     x.acme.com              # x client host\r\n\r\n\
        # localhost name resolution is handled within DNS itself.\r\n\
        #\t127.0.0.1       localhost\r\n#\t::1             localhost\r\n";

    #[test]
    fn the_file_that_windows_ships_has_no_entries() {
        let (data, status, reason) = data!(Hosts, SHIPPED);
        assert_eq!((data.entries.len(), status, reason), (0, CaptureStatus::Parsed, None));
    }

    #[test]
    fn active_lines_are_entries_and_comments_are_not() {
        let file = format!(
            "{SHIPPED}0.0.0.0 officeclient.microsoft.com\t# blocked\r\n#0.0.0.0 odc.officeapps.live.com\r\n\
                            \t10.1.2.3\tintra intra.example\r\n::1 www.msftconnecttest.com\r\n"
        );
        let (data, status, _) = data!(Hosts, &file);
        assert_eq!(status, CaptureStatus::Parsed);
        let rows: Vec<_> = data
            .entries
            .iter()
            .map(|entry| (entry.line, entry.address.to_string(), entry.names.join(" ")))
            .collect();
        assert_eq!(
            rows,
            [
                (17, "0.0.0.0".into(), "officeclient.microsoft.com".into()),
                (19, "10.1.2.3".into(), "intra intra.example".into()),
                (20, "::1".into(), "www.msftconnecttest.com".to_owned()),
            ]
        );
    }

    #[test]
    fn a_block_list_without_the_head_is_a_hosts_file() {
        let (data, status, _) =
            data!(Hosts, "127.0.0.1 localhost\n0.0.0.0 ads.example\n0.0.0.0 login.live.com\n");
        assert_eq!((data.entries.len(), status), (3, CaptureStatus::Parsed));
    }

    #[test]
    fn a_line_that_windows_ignores_is_named() {
        let (data, status, reason) = data!(Hosts, &format!("{SHIPPED}www.example 10.0.0.1\r\n"));
        assert_eq!(
            (data.entries.len(), data.ignored_lines.as_slice(), status),
            (0, [17].as_slice(), CaptureStatus::Partial)
        );
        assert!(reason.unwrap().contains("www.example 10.0.0.1"));
    }

    #[test]
    fn text_that_looks_alike_is_not_claimed() {
        for text in [
            "# a comment\n# another\n",
            "10.0.0.1 gateway\n10.0.0.2 printer\n",
            "127.0.0.1 localhost\nand then some prose about it\n",
            "# This is a sample LMHOSTS file used by the Microsoft TCP/IP for Windows.\n#\n# 102.54.94.97 rhino #PRE\n",
            "  127.0.0.1   00-00-00-00-00-00   static\n",
        ] {
            assert_eq!(claimed(text).name(), "unknown", "{text}");
        }
    }

    #[test]
    fn the_place_of_the_file() {
        for path in [
            r"C:\Windows\System32\drivers\etc\hosts",
            "Windows/System32/Drivers/ETC/HOSTS",
            "drivers/etc/hosts",
        ] {
            assert!(super::is_place(path), "{path}");
        }
        for path in ["hosts", "drivers/etc/lmhosts", "x/drivers/etc/hosts.bak", "mydrivers/etc/hosts"] {
            assert!(!super::is_place(path), "{path}");
        }
    }

    #[test]
    fn damage_says_nothing_new_of_names() {
        let file =
            format!("{SHIPPED}0.0.0.0 officeclient.microsoft.com\r\n10.1.2.3\tintra intra.example\r\n");
        damage_says_nothing_new(CaptureKind::Hosts, &file, true);
    }
}
