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
    /// Whether the file has the head that Windows ships.
    pub windows_head: bool,
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

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Hosts, recognise, starts: |_| false, read };

/// Sentences of the file that Windows ships, in its versions since XP.
const WINDOWS_HEAD: &[&str] = &[
    "This is a sample HOSTS file used by Microsoft TCP/IP",
    "This file contains the mappings of IP addresses to host names",
    "localhost name resolution is handled within DNS itself",
];

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
        data.windows_head |= is_windows_head(line);
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
