//! Recipes: whole bundles as text.
//!
//! A recipe is Markdown. Every fenced block makes one file of the bundle; its info string says which:
//!
//! * `hive PATH` – a binary hive from `.reg`-like lines (keys below the hive's root). Lines before the first key may say
//!   `user S-1-…` (root security of that account's profile), `dirty`, `written 2026-11-20T08:00:00Z`, `version 3`, `acl …`.
//! * `evtx PATH CHANNEL` – an event log; see [`events`].
//! * `text PATH` – the lines as they stand, with CR LF.
//! * `bytes PATH` – hex.
//! * `licence PATH` – a licence file of Microsoft 365 Apps from its inner JSON: Base64 inside JSON in UTF-16LE without a mark.
//!
//! Everything else is prose for people.

use super::evtx::{Element, EventSpec, LogBuilder};
use super::hive::{HiveBuilder, log, sd};
use super::zip::{Member, archive};

/// A file of a bundle.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// A fenced block of Markdown.
#[derive(Clone, Debug)]
pub struct Fence<'a> {
    pub info: &'a str,
    pub body: String,
}

/// Fenced blocks of a Markdown text.
pub fn fences(markdown: &str) -> Vec<Fence<'_>> {
    let mut found = Vec::new();
    let mut open: Option<Fence<'_>> = None;
    for line in markdown.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => open = Some(Fence { info: info.trim(), body: String::new() }),
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(fence), _) => {
                fence.body.push_str(line);
                fence.body.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// The files that a recipe makes.
pub fn files(markdown: &str) -> Vec<File> {
    fences(markdown).iter().filter_map(file).collect()
}

/// The files of a base with those of a case over it: blocks of the same file are joined when it is a hive or a log, and replaced when it
/// is a text. `without` names files of the base that are left out.
pub fn files_over<'t>(base: &'t str, case: &'t str, without: &[&str]) -> Vec<File> {
    let mut blocks: Vec<(String, Fence<'t>)> = Vec::new();
    let mut put = |fence: Fence<'t>| {
        let path = fence.info.split_once(' ').map(|(_, path)| path.to_owned()).unwrap();
        let joins = fence.info.starts_with("hive ") || fence.info.starts_with("evtx ");
        match blocks.iter_mut().find(|(known, _)| *known == path) {
            Some((_, old)) if joins => old.body.push_str(&fence.body),
            Some((_, old)) => *old = fence,
            None => blocks.push((path, fence)),
        }
    };
    let left_out = |fence: &Fence<'_>| {
        let path = fence.info.split(' ').nth(1);
        without.iter().any(|name| path == Some(name))
    };
    fences(base).into_iter().filter(|fence| file_kind(fence.info) && !left_out(fence)).for_each(&mut put);
    fences(case).into_iter().filter(|fence| file_kind(fence.info)).for_each(&mut put);
    blocks.iter().filter_map(|(_, fence)| file(fence)).collect()
}

fn file_kind(info: &str) -> bool {
    ["hive ", "evtx ", "text ", "bytes ", "licence "].iter().any(|kind| info.starts_with(kind))
}

/// The archive that a recipe makes.
pub fn zip(markdown: &str) -> Vec<u8> {
    pack(&files(markdown))
}

/// An archive of files.
pub fn pack(files: &[File]) -> Vec<u8> {
    let members: Vec<Member<'_>> = files.iter().map(|file| Member::new(&file.path, &file.bytes)).collect();
    archive(&members)
}

fn file(fence: &Fence<'_>) -> Option<File> {
    let (kind, rest) = fence.info.split_once(' ')?;
    let (path, bytes) = match kind {
        "hive" => (rest, hive(&fence.body)),
        "evtx" => {
            let (path, channel) = rest.split_once(' ').expect("evtx PATH CHANNEL");
            (path, events(channel, &fence.body))
        }
        "text" => (rest, fence.body.replace('\n', "\r\n").into_bytes()),
        "bytes" => (rest, hex(&fence.body)),
        "licence" => (rest, licence(&fence.body)),
        _ => return None,
    };
    Some(File { path: path.to_owned(), bytes })
}

/// Bytes from hex digits; everything else is skipped.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// A licence file in the layout of domain.md R42.
pub fn licence(json: &str) -> Vec<u8> {
    let outer = format!("{{\"License\":\"{}\"}}", base64(json.trim().as_bytes()));
    outer.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Base64 of RFC 4648, section 4.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number =
            chunk.iter().chain([0, 0].iter()).take(3).fold(0_usize, |sum, byte| sum << 8 | *byte as usize);
        for place in 0..4 {
            let digit = char::from(ALPHABET[number >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

/// FILETIME ticks of an RFC 3339 UTC time without fraction.
pub fn ticks(text: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // Days from civil, Howard Hinnant's algorithm.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    let seconds = days * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    u64::try_from(seconds * 10_000_000 + 116_444_736_000_000_000).unwrap()
}

/// A hive from `.reg`-like text. Later lines win: `"Name"=-` takes a value away and `[-key]` a subtree, so that a case can change what
/// its base says.
pub fn hive(text: &str) -> Vec<u8> {
    let mut builder = HiveBuilder::new();
    let mut dirty = false;
    // Keys in their first order, each with its lines.
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    let mut current = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(';')) {
        if let Some(path) = line.strip_prefix("[-") {
            let gone = path.strip_suffix(']').expect("a key line ends with ]").to_lowercase();
            keys.retain(|(key, _)| {
                let key = key.to_lowercase();
                key != gone && !key.starts_with(&format!("{gone}\\"))
            });
            current = None;
        } else if let Some(path) = line.strip_prefix('[') {
            let path = path.strip_suffix(']').expect("a key line ends with ]");
            let at = keys.iter().position(|(key, _)| key.eq_ignore_ascii_case(path)).unwrap_or_else(|| {
                keys.push((path.to_owned(), Vec::new()));
                keys.len() - 1
            });
            current = Some(at);
        } else if let Some(at) = current {
            let name = |line: &str| value_name(line).map(str::to_lowercase);
            let lines = &mut keys[at].1;
            if name(line).is_some() {
                lines.retain(|old| name(old) != name(line));
            }
            if !line.ends_with("=-") {
                lines.push(line.to_owned());
            }
        } else {
            builder = setting(builder, line, &mut dirty);
        }
    }
    for (path, lines) in keys {
        builder = builder.key(&path);
        for line in lines {
            builder = match value_name(&line) {
                Some(_) => value(builder, &line),
                None => setting(builder, &line, &mut dirty),
            };
        }
    }
    let mut bytes = builder.build();
    if dirty {
        log::set_sequences(&mut bytes, 9, 8);
    }
    bytes
}

fn value_name(line: &str) -> Option<&str> {
    if line.starts_with("@=") {
        return Some("");
    }
    let rest = line.strip_prefix('"')?;
    rest.split_once("\"=").map(|(name, _)| name)
}

fn setting(builder: HiveBuilder, line: &str, dirty: &mut bool) -> HiveBuilder {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "user" => builder.root_security(sd::user_hive(rest)),
        "acl" => builder.root_security(acl(rest)),
        "security" => builder.security(acl(rest)),
        "written" => builder.last_written(ticks(rest)),
        "time" => builder.time(ticks(rest)),
        "version" => builder.version(rest.parse().unwrap()),
        "name" => builder.file_name(rest),
        "dirty" => {
            *dirty = true;
            builder
        }
        _ => panic!("unknown line in a hive recipe: {line}"),
    }
}

/// `S-1-5-20:allow:3:f003f S-1-5-18:allow:3:f003f` or `null`.
fn acl(text: &str) -> Vec<u8> {
    if text.trim() == "null" {
        return sd::descriptor(0x1000, None);
    }
    let parts: Vec<(u8, u8, u32, String)> = text
        .split_whitespace()
        .map(|entry| {
            let mut cells = entry.split(':');
            let mut next = || cells.next().expect("SID:allow|deny:flags:mask");
            let sid = next().to_owned();
            let kind = if next() == "deny" { sd::DENY } else { sd::ALLOW };
            let flags = u8::from_str_radix(next(), 16).unwrap();
            (kind, flags, u32::from_str_radix(next(), 16).unwrap(), sid)
        })
        .collect();
    let aces: Vec<sd::Ace<'_>> =
        parts.iter().map(|(kind, flags, mask, sid)| (*kind, *flags, *mask, sid.as_str())).collect();
    sd::descriptor(0x1000, Some(&aces))
}

fn value(builder: HiveBuilder, line: &str) -> HiveBuilder {
    let (name, data) = if let Some(data) = line.strip_prefix("@=") {
        ("", data)
    } else {
        let end = line[1..].find("\"=").expect("\"name\"=data") + 1;
        (&line[1..end], &line[end + 2..])
    };
    let inner = |text: &str| {
        text.strip_prefix('"').unwrap().strip_suffix('"').unwrap().replace("\\\"", "\"").replace(r"\\", "\\")
    };
    let (kind, rest) = data.split_once(':').unwrap_or(("", data));
    match kind {
        "dword" => builder.dword(name, u32::from_str_radix(rest, 16).unwrap()),
        "hex" => builder.binary(name, &hex(rest)),
        // A REG_MULTI_SZ as it is stored, also one that no program would write.
        "hex7" => builder.value(name, 7, hex(rest)),
        "expand" => builder.expand_sz(name, rest),
        "multi" => {
            builder.multi_sz(name, &rest.split('|').filter(|text| !text.is_empty()).collect::<Vec<_>>())
        }
        // A connection blob: version, flags, proxy, bypass, PAC URL, divided by bars.
        "blob" => builder.binary(name, &blob(rest)),
        // A PackedCatalogItem: DLL, entry id, chain length, address family, socket type, protocol.
        "winsock" => builder.binary(name, &winsock(rest)),
        _ => builder.sz(name, &inner(data)),
    }
}

/// A connection blob in the layout of domain.md 6.6.
pub fn blob(text: &str) -> Vec<u8> {
    let cells: Vec<&str> = text.split('|').collect();
    let number = |n: usize| u32::from_str_radix(cells[n].trim(), 16).unwrap();
    let mut out = Vec::new();
    for word in [number(0), 3, number(1)] {
        out.extend(word.to_le_bytes());
    }
    for text in &cells[2..] {
        out.extend((text.len() as u32).to_le_bytes());
        out.extend(text.bytes());
    }
    out
}

/// A catalog entry in the layout of domain.md 6.7.
pub fn winsock(text: &str) -> Vec<u8> {
    let cells: Vec<&str> = text.split('|').collect();
    let mut out = vec![0; 888];
    out[..cells[0].len()].copy_from_slice(cells[0].as_bytes());
    for (offset, cell) in [(296, 1), (300, 2), (336, 3), (348, 4), (352, 5)] {
        let number: i32 = cells[cell].parse().unwrap();
        out[offset..offset + 4].copy_from_slice(&number.to_le_bytes());
    }
    out
}

/// An event log. Each event is a line `PROVIDER/ID TIME [level=2] [record=17] [user=S-1-…] [computer=PC]`, followed by indented lines
/// `name = value` (`#` for an unnamed item, `#lines` for one with line breaks where ` | ` stands, `Binary = hex`, `user_data Root/Element = text`, also deeper and with an attribute:
/// `user_data Root/Outer/Inner@attribute = text`).
pub fn events(channel: &str, text: &str) -> Vec<u8> {
    let mut log = LogBuilder::new(channel).computer("PC17");
    let mut current: Option<EventSpec> = None;
    let mut tree: Option<Element> = None;
    let flush = |log: LogBuilder, event: Option<EventSpec>, tree: Option<Element>| match (event, tree) {
        (Some(event), Some(tree)) => log.event(event.user_data(tree)),
        (Some(event), None) => log.event(event),
        _ => log,
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if !line.starts_with(' ') {
            log = flush(log, current.take(), tree.take());
            current = Some(head(line));
            continue;
        }
        let (name, value) = line.split_once('=').expect("name = value");
        let (name, value) = (name.trim(), value.trim());
        let event = current.take().expect("a field belongs to an event");
        if let Some(path) = name.strip_prefix("user_data ") {
            let (root, child) = path.split_once('/').expect("Root/Element");
            let element = tree.take().unwrap_or_else(|| Element::new(root));
            let (outer, inner) = child.rsplit_once('/').unwrap_or(("", child));
            let inner = match inner.split_once('@') {
                Some((inner, attribute)) => Element::new(inner).attribute(attribute, value),
                None => Element::new(inner).value(value),
            };
            let outer = outer.split('/').filter(|name| !name.is_empty()).rev();
            let child = outer.fold(inner, |inner, name| Element::new(name).child(inner));
            tree = Some(element.child(child));
            current = Some(event);
        } else {
            current = Some(match name {
                "#" => event.data("", value),
                // One unnamed item of several lines, divided by bars, as the dialogs of Office have.
                "#lines" => event.data("", value.replace(" | ", "\n").as_str()),
                "Binary" => event.binary(&hex(value)),
                name => event.data(name, value),
            });
        }
    }
    flush(log, current, tree).build()
}

fn head(line: &str) -> EventSpec {
    let (provider, rest) = line.split_once('/').expect("PROVIDER/ID TIME");
    let mut words = rest.split_whitespace();
    let id = words.next().and_then(|id| id.parse().ok()).expect("an event id");
    let mut event = EventSpec::new(provider, id, words.next().expect("a time"));
    for word in words {
        let (name, value) = word.split_once('=').expect("option=value");
        event = match name {
            "level" => event.level(value.parse().unwrap()),
            "record" => event.record_id(value.parse().unwrap()),
            "user" => event.user_sid(value),
            "computer" => event.computer(value),
            "channel" => event.channel(value),
            "qualifiers" => event.qualifiers(value.parse().unwrap()),
            _ => panic!("unknown option {word}"),
        };
    }
    event
}
