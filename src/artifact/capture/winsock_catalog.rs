//! `netsh winsock show catalog`: the providers through which every socket goes.
//!
//! Labels are localized; GUIDs, paths, numbers and the order of the keys are not (text_formats.md 4.3). An entry is therefore read
//! from its GUID line outwards when its labels are not known, and only if nothing of it is missing. Captures are often excerpts:
//! [`Data::complete`] says whether this one may be taken for the whole catalog.

use serde::Serialize;

use super::shape::{self, LabelRow, Labelled, Languages, cell, find_label, labelled};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// Provider entries in the order of the catalog.
    pub entries: Vec<Entry>,
    /// Name-space entries, which follow all provider entries.
    pub name_spaces: Vec<NameSpace>,
    /// The output begins with the heading of its first entry, no entry of it lacks a key, and its end is shown (name-space entries
    /// stand behind the providers). Only then is what is not in it not in the catalog either.
    pub complete: bool,
}

/// Kind of a provider entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A base provider: talks to a protocol itself.
    Base,
    /// A layered provider or a chain through one.
    Layered,
}

/// One provider entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Entry {
    /// By its type, or by its chain length when the type is in a language that is not known.
    pub kind: Option<EntryKind>,
    /// The entry is of the 32-bit catalog (`(32)` behind its type).
    pub wow64: bool,
    /// Free text, partly localized.
    pub description: Option<String>,
    /// GUID in braces, upper case.
    pub provider_id: Option<String>,
    /// Path of the DLL as stored.
    pub path: Option<String>,
    /// Number of the entry, which chains refer to.
    pub catalog_id: Option<u32>,
    /// Version of the provider.
    pub version: Option<u32>,
    /// Address family: 2 IPv4, 23 IPv6.
    pub family: Option<i64>,
    /// Longest address in bytes.
    pub max_address_length: Option<u32>,
    /// Shortest address in bytes.
    pub min_address_length: Option<u32>,
    /// 1 stream, 2 datagram, 3 raw.
    pub socket_type: Option<i64>,
    /// 6 TCP, 17 UDP, 0 any.
    pub protocol: Option<i64>,
    /// `dwServiceFlags1`; bit 0x20000 says that handles are IFS handles.
    pub service_flags: Option<u32>,
    /// 1 base, 0 layered provider, more: a chain.
    pub chain_length: Option<u32>,
    /// Catalog ids of a chain, the outermost first.
    pub chain: Vec<u32>,
    /// Line of its first key.
    pub line: u32,
    /// Line of its path.
    pub path_line: Option<u32>,
}

/// One name-space provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NameSpace {
    /// The entry is of the 32-bit catalog.
    pub wow64: bool,
    /// Free text, partly localized.
    pub description: Option<String>,
    /// GUID in braces, upper case.
    pub provider_id: Option<String>,
    /// 12 DNS, 15 NLA, 32 NTDS, 37 PNRP cloud …
    pub name_space: Option<u32>,
    /// It is in use.
    pub active: Option<bool>,
    /// Version.
    pub version: Option<u32>,
    /// Line of its first key.
    pub line: u32,
}

/// The keys of both kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Type,
    Description,
    Id,
    Path,
    CatalogId,
    Version,
    Family,
    Max,
    Min,
    Socket,
    Protocol,
    Flags,
    ChainLength,
    Chain,
    NameSpace,
    Active,
}

/// Source: text_formats.md 4.3; no capture in other languages is known.
const LABELS: &[LabelRow<Key>] = &[
    (Key::Type, &[("en", "Entry Type"), ("zh-CN", "项类型")]),
    (Key::Description, &[("en", "Description"), ("zh-CN", "描述")]),
    (Key::Id, &[("en", "Provider ID"), ("zh-CN", "提供程序 ID")]),
    (Key::Path, &[("en", "Provider Path"), ("zh-CN", "提供程序路径")]),
    (Key::CatalogId, &[("en", "Catalog Entry ID"), ("zh-CN", "目录项 ID")]),
    (Key::Version, &[("en", "Version"), ("zh-CN", "版本")]),
    (Key::Family, &[("en", "Address Family"), ("zh-CN", "地址族")]),
    (Key::Max, &[("en", "Max Address Length"), ("zh-CN", "最大地址长度")]),
    (Key::Min, &[("en", "Min Address Length"), ("zh-CN", "最小地址长度")]),
    (Key::Socket, &[("en", "Socket Type"), ("zh-CN", "Socket 类型")]),
    (Key::Protocol, &[("en", "Protocol"), ("zh-CN", "协议")]),
    (Key::Flags, &[("en", "Service Flags"), ("zh-CN", "服务标志")]),
    (Key::ChainLength, &[("en", "Protocol Chain Length"), ("zh-CN", "协议链长度")]),
    (Key::Chain, &[("en", "Protocol Chain"), ("zh-CN", "协议链")]),
    (Key::NameSpace, &[("en", "Name Space")]),
    (Key::Active, &[("en", "Active")]),
];

/// The order of a provider entry's keys, the same in every language.
const PROVIDER_ORDER: &[Key] = &[
    Key::Type,
    Key::Description,
    Key::Id,
    Key::Path,
    Key::CatalogId,
    Key::Version,
    Key::Family,
    Key::Max,
    Key::Min,
    Key::Socket,
    Key::Protocol,
    Key::Flags,
    Key::ChainLength,
];

/// The order of a name-space entry's keys.
const NAME_SPACE_ORDER: &[Key] = &[Key::Description, Key::Id, Key::NameSpace, Key::Active, Key::Version];

/// Values of the entry type.
const TYPES: &[(EntryKind, &str)] = &[
    (EntryKind::Base, "Base Service Provider"),
    (EntryKind::Layered, "Layered Chain Entry"),
    (EntryKind::Layered, "Layered Service Provider"),
    (EntryKind::Base, "基本服务提供程序"),
    (EntryKind::Layered, "分层链项"),
];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::WinsockCatalog, recognise, starts, read };

fn starts(line: &str) -> bool {
    let line = line.trim_end();
    line.len() <= 120 && !line.contains(':') && (line.starts_with("Winsock ") || line.ends_with(" Winsock"))
}

/// Labels that no other output has, so that an excerpt without a whole entry is known too.
const OWN: [Key; 4] = [Key::Path, Key::CatalogId, Key::Flags, Key::ChainLength];

fn recognise(block: &Block<'_>) -> u8 {
    let (mut rules, mut ids, mut headings, mut own) = (false, false, false, 0);
    for (_, line) in block.lines().filter(|(_, line)| line.len() < 1_000) {
        rules |= line.len() >= 50 && shape::is_rule(line);
        headings |= starts(line);
        let Some(found) = labelled(line) else { continue };
        ids |= cell::guid(found.value).is_some();
        if ids && (rules || headings) {
            return 90;
        }
        if own < 2 && find_label(LABELS, found.label).is_some_and(|(key, _)| OWN.contains(&key)) {
            own += 1;
        }
    }
    if own >= 2 { 50 } else { 0 }
}

/// The labelled lines of one entry.
#[derive(Default)]
struct Raw<'t> {
    lines: Vec<(u32, Labelled<'t>)>,
    /// A heading or a rule stood above it.
    headed: bool,
    /// The heading ends in `(32)`.
    wow64: bool,
}

fn read(block: &Block<'_>) -> Reading {
    let mut languages = Languages::default();
    let mut data = Data::default();
    let mut problem: Option<String> = None;
    let raws = raw_entries(block);
    for raw in &raws {
        let line = raw.lines.first().map_or(block.from, |(line, _)| *line);
        match entry(raw, &mut languages) {
            Some(Found::Provider(entry, lacks)) => {
                if let Some(lacks) = lacks.filter(|_| problem.is_none()) {
                    problem = Some(format!("the entry in line {line} has no {lacks}"));
                }
                data.entries.push(entry);
            }
            Some(Found::NameSpace(entry, lacks)) => {
                if let Some(lacks) = lacks.filter(|_| problem.is_none()) {
                    problem = Some(format!("the entry in line {line} has no {lacks}"));
                }
                data.name_spaces.push(entry);
            }
            None => {
                problem.get_or_insert_with(|| {
                    format!("the entry in line {line} is only a part or in an unknown language")
                });
            }
        }
    }
    if data.entries.is_empty() && data.name_spaces.is_empty() {
        return Reading::unrecognized(problem.unwrap_or_else(|| "no entry of a catalog".to_owned()));
    }
    let headed = raws.first().is_some_and(|raw| raw.headed);
    data.complete = problem.is_none() && headed && !data.entries.is_empty() && !data.name_spaces.is_empty();
    Reading { language: languages.winner(), ..Reading::of(CaptureData::WinsockCatalog(data), problem) }
}

/// Entries begin at a heading, at a rule, or at the first key behind a blank line.
fn raw_entries<'t>(block: &Block<'t>) -> Vec<Raw<'t>> {
    let mut raws: Vec<Raw<'t>> = Vec::new();
    let mut next = Raw { headed: false, ..Raw::default() };
    let mut open = false;
    for (number, line) in block.lines() {
        if shape::is_rule(line) {
            next.headed = true;
            open = false;
            continue;
        }
        match labelled(line).filter(|_| !line.trim().is_empty()) {
            Some(found) => {
                if !open {
                    raws.push(std::mem::take(&mut next));
                    open = true;
                }
                if let Some(raw) = raws.last_mut() {
                    raw.lines.push((number, found));
                }
            }
            None if line.trim().is_empty() => open = false,
            // A heading.
            None => {
                next = Raw { headed: true, wow64: line.trim_end().ends_with("(32)"), ..Raw::default() };
                open = false;
            }
        }
    }
    raws
}

enum Found {
    Provider(Entry, Option<&'static str>),
    NameSpace(NameSpace, Option<&'static str>),
}

/// Gives each line its key: by label, else by position if the entry is whole.
fn keys<'t>(raw: &Raw<'t>, languages: &mut Languages) -> Option<Vec<(Key, u32, &'t str)>> {
    let known: Vec<_> =
        raw.lines.iter().map(|(line, found)| (line, found, find_label(LABELS, found.label))).collect();
    if known.iter().any(|(.., label)| label.is_some()) {
        let keys = known.into_iter().filter_map(|(line, found, label)| {
            let (key, of) = label?;
            languages.vote(&of);
            Some((key, *line, found.value))
        });
        return Some(keys.collect());
    }
    let (numbers, chain) = match raw.lines.split_at_checked(PROVIDER_ORDER.len()) {
        Some(parts) => parts,
        None => (raw.lines.as_slice(), [].as_slice()),
    };
    let order = match numbers.len() {
        5 => NAME_SPACE_ORDER,
        13 if chain.len() <= 1 => PROVIDER_ORDER,
        _ => return None,
    };
    let mut keys: Vec<_> =
        order.iter().zip(numbers).map(|(key, (line, found))| (*key, *line, found.value)).collect();
    keys.extend(chain.iter().map(|(line, found)| (Key::Chain, *line, found.value)));
    Some(keys)
}

fn entry(raw: &Raw<'_>, languages: &mut Languages) -> Option<Found> {
    let keys = keys(raw, languages)?;
    let get =
        |wanted: Key| keys.iter().find(|(key, ..)| *key == wanted).map(|(_, line, value)| (*line, *value));
    let number = |wanted: Key| get(wanted).and_then(|(_, value)| cell::integer(value));
    let small = |wanted: Key| number(wanted).and_then(|number| u32::try_from(number).ok());
    let text = |wanted: Key| get(wanted).map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty());
    let provider_id = cell::guid(get(Key::Id)?.1)?;
    let line = raw.lines.first()?.0;
    if get(Key::NameSpace).is_some() || get(Key::Active).is_some() {
        let active = small(Key::Active);
        let found = NameSpace {
            wow64: raw.wow64,
            description: text(Key::Description),
            provider_id: Some(provider_id),
            name_space: small(Key::NameSpace),
            active: active.map(|active| active != 0),
            version: small(Key::Version),
            line,
        };
        let lacks = [("name space", found.name_space.is_none()), ("state", active.is_none())];
        return Some(Found::NameSpace(found, lacks.iter().find(|(_, lacks)| *lacks).map(|(name, _)| *name)));
    }
    let (path_line, path) =
        get(Key::Path).filter(|(_, path)| path.contains('\\') || path.contains('%')).unzip();
    let kind_text = get(Key::Type).map(|(_, value)| value).unwrap_or_default();
    let chain_length = small(Key::ChainLength);
    let found = Entry {
        kind: kind(kind_text).or_else(|| {
            chain_length.map(|length| if length == 1 { EntryKind::Base } else { EntryKind::Layered })
        }),
        wow64: kind_text.ends_with("(32)"),
        description: text(Key::Description),
        provider_id: Some(provider_id),
        path: path.filter(|path| !path.is_empty()).map(str::to_owned),
        catalog_id: small(Key::CatalogId),
        version: small(Key::Version),
        family: number(Key::Family),
        max_address_length: small(Key::Max),
        min_address_length: small(Key::Min),
        socket_type: number(Key::Socket),
        protocol: number(Key::Protocol),
        service_flags: small(Key::Flags),
        chain_length,
        chain: get(Key::Chain).map(|(_, value)| chain(value)).unwrap_or_default(),
        line,
        path_line,
    };
    let lacks = [
        ("path", found.path.is_none()),
        ("catalog id", found.catalog_id.is_none()),
        ("address family", found.family.is_none()),
        ("socket type", found.socket_type.is_none()),
        ("protocol", found.protocol.is_none()),
        ("service flags", found.service_flags.is_none()),
        ("chain length", found.chain_length.is_none()),
        ("known type", found.kind.is_none()),
    ];
    let lacks = lacks.iter().find(|(_, lacks)| *lacks).map(|(name, _)| *name);
    Some(Found::Provider(found, lacks))
}

fn kind(text: &str) -> Option<EntryKind> {
    let text = text.trim_end_matches("(32)").trim();
    TYPES.iter().find(|(_, known)| shape::same_label(text, known)).map(|(kind, _)| *kind)
}

/// `1019 : 1002`.
fn chain(value: &str) -> Vec<u32> {
    value.split(':').filter_map(|id| id.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture::{self, CaptureStatus};
    use crate::artifact::text::Text;

    const PROVIDER: &str = "Winsock Catalog Provider Entry\n------------------------------------------------------\n\
        Entry Type:                         Base Service Provider\nDescription:                        MSAFD Tcpip [TCP/IP]\n\
        Provider ID:                        {E70F1AA0-AB8B-11CF-8CA3-00805F48A192}\n\
        Provider Path:                      %SystemRoot%\\system32\\mswsock.dll\nCatalog Entry ID:                   1001\n\
        Version:                            2\nAddress Family:                     2\nMax Address Length:                 16\n\
        Min Address Length:                 16\nSocket Type:                        1\nProtocol:                           6\n\
        Service Flags:                      0x20066\nProtocol Chain Length:              1\n\n";
    const NAME_SPACE: &str = "Name Space Provider Entry (32)\n------------------------------------------------------\n\
        Description:                        Tcpip\nProvider ID:                        {22059D40-7E9E-11CF-AE5A-00AA00A7112B}\n\
        Name Space:                         12\nActive:                             1\nVersion:                            0\n\n";

    fn read_one(text: &str) -> (CaptureStatus, Data) {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::WinsockCatalog), "{captures:?}");
        let CaptureData::WinsockCatalog(data) = &captures[0].data else { panic!("{captures:?}") };
        (captures[0].status, data.clone())
    }

    #[test]
    fn the_end_makes_it_complete() {
        let (status, data) = read_one(&format!("{PROVIDER}{NAME_SPACE}"));
        assert_eq!((status, data.complete), (CaptureStatus::Parsed, true));
        assert_eq!(
            (data.name_spaces[0].name_space, data.name_spaces[0].active, data.name_spaces[0].wow64),
            (Some(12), Some(true), true)
        );
        let (status, data) = read_one(PROVIDER);
        assert_eq!((status, data.complete, data.entries.len()), (CaptureStatus::Parsed, false, 1));
    }

    #[test]
    fn a_whole_entry_in_an_unknown_language_is_read_by_position() {
        // The labels mean nothing; order and types are those of text_formats.md 4.3.
        let strange: String = PROVIDER
            .lines()
            .map(|line| match line.split_once(':') {
                Some((label, value)) => format!("{}:{value}\n", "x".repeat(label.len())),
                None => format!("{line}\n"),
            })
            .collect();
        let (status, data) = read_one(&strange);
        let entry = &data.entries[0];
        assert_eq!(
            (status, entry.kind, entry.catalog_id),
            (CaptureStatus::Parsed, Some(EntryKind::Base), Some(1001))
        );
        assert_eq!((entry.service_flags, entry.protocol), (Some(0x20066), Some(6)));
        // With one line less the positions prove nothing.
        let short: Vec<_> =
            strange.lines().enumerate().filter(|(at, _)| *at != 7).map(|(_, line)| line).collect();
        let captures = capture::read(&Text::decode(short.join("\n").as_bytes()));
        assert_eq!(captures[0].status, CaptureStatus::Unrecognized);
    }

    #[test]
    fn a_cut_catalog_is_never_complete() {
        let whole = format!("{PROVIDER}{NAME_SPACE}");
        for lines in 3..whole.lines().count() - 3 {
            let cut: Vec<_> = whole.lines().take(lines).collect();
            for capture in capture::read(&Text::decode(cut.join("\n").as_bytes())) {
                if let CaptureData::WinsockCatalog(data) = capture.data {
                    assert!(!data.complete, "{lines} lines");
                }
            }
        }
    }
}
