//! What a file is, by its content, and the call of the reader that knows it.

use super::capture::split::Foreign;
use super::capture::{self, Block, Capture, CaptureStatus, hosts, paste, split};
use super::event::EventLog;
use super::hive::log::HiveLog;
use super::hive::{Hive, HiveKind};
use super::manifest::Manifest;
use super::reg_export::{RegForm, RegText};
use super::text::Text;
use super::{Interest, Part, Problem, event_text, event_xml, evtx, item_property, reg_query};
use crate::buffer::Buffer;

/// How much of a file could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadStatus {
    /// All of it.
    Read,
    /// Some of it; the reason says what is wrong.
    Partial,
    /// It is evidence, but nothing of it could be read.
    Unreadable,
    /// It is no evidence that actriage knows.
    Ignored,
}

/// A file after decoding.
#[derive(Debug)]
pub struct Decoded {
    /// `hive:system`, `evtx`, `capture:ipconfig` …; several captures are joined with `+`.
    pub kind: String,
    /// How much could be used.
    pub status: ReadStatus,
    /// Why it is not `read`.
    pub reason: Option<String>,
    /// What it holds.
    pub parts: Vec<Part>,
}

impl Decoded {
    fn ignored(kind: &str, reason: impl Into<String>) -> Self {
        Self::without_parts(kind, ReadStatus::Ignored, reason)
    }

    fn unreadable(kind: &str, reason: impl Into<String>) -> Self {
        Self::without_parts(kind, ReadStatus::Unreadable, reason)
    }

    fn without_parts(kind: &str, status: ReadStatus, reason: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), status, reason: Some(reason.into()), parts: Vec::new() }
    }

    fn with_problems(kind: impl Into<String>, part: Part, problems: &[Problem]) -> Self {
        let status = if problems.is_empty() { ReadStatus::Read } else { ReadStatus::Partial };
        Self { kind: kind.into(), status, reason: summary_of(problems), parts: vec![part] }
    }
}

/// The first problem in full and the number of the others.
fn summary_of(problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    match problems.len() {
        1 => Some(first.to_string()),
        n => Some(format!("{first} (and {} more)", n - 1)),
    }
}

/// First bytes of files that are no evidence here, so that the reason can say what they are.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"\x89PNG", "image", "a PNG image: actriage reads no pictures"),
    (b"\xff\xd8\xff", "image", "a JPEG image: actriage reads no pictures"),
    (b"GIF8", "image", "a GIF image: actriage reads no pictures"),
    (b"BM", "image", "a bitmap image: actriage reads no pictures"),
    (b"MZ", "program", "a Windows program"),
    (b"\x7fELF", "program", "a program"),
    (b"%PDF", "document", "a PDF document"),
    (b"MSCF", "archive", "a CAB archive: unpack it into the bundle"),
    (b"7z\xbc\xaf", "archive", "a 7-Zip archive: unpack it into the bundle"),
    (b"\x1f\x8b", "archive", "a gzip archive: unpack it into the bundle"),
    (b"Rar!", "archive", "a RAR archive: unpack it into the bundle"),
    (b"SQLite format 3", "database", "an SQLite database"),
    (b"\x0a\x0d\x0d\x0a", "capture-file", "a pcapng network capture: not read"),
    (b"\xd4\xc3\xb2\xa1", "capture-file", "a pcap network capture: not read"),
    (b"\xd0\xcf\x11\xe0", "document", "an OLE compound file (old Office document or installer)"),
    (b"MDMP", "dump", "a crash dump"),
    (b"PAGE", "dump", "a memory dump"),
];

/// The text of a file that is one: no hive, no binary log, nothing of a foreign kind.
pub fn as_text(bytes: &[u8]) -> Option<Text> {
    let foreign = FOREIGN.iter().any(|(magic, ..)| is_foreign(bytes, magic));
    if bytes.is_empty()
        || bytes.starts_with(b"regf")
        || foreign
        || HiveLog::recognise(bytes)
        || evtx::recognise(bytes)
    {
        return None;
    }
    let text = Text::decode(bytes);
    (!is_binary(text.as_str())).then_some(text)
}

/// Decodes a file of a bundle. Its content says what it is; the hosts file is known by its place too, because a few lines of addresses and
/// names could be anything.
pub fn decode_at(path: &str, bytes: Buffer, interest: &Interest) -> Decoded {
    let text = hosts::is_place(path).then(|| as_text(&bytes)).flatten();
    match text.filter(|text| !text.as_str().trim().is_empty()) {
        Some(text) => {
            let mut tally = Tally::default();
            tally.add(Part::Capture(Box::new(capture::read_as(&text, &hosts::READER))));
            tally.decoded()
        }
        None => decode(bytes, interest),
    }
}

/// Decodes a file by its content.
pub fn decode(bytes: Buffer, interest: &Interest) -> Decoded {
    if bytes.is_empty() {
        return Decoded::ignored("empty", "the file is empty: nothing can be told from it");
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Decoded::unreadable("zeros", "the file holds only zero bytes");
    }
    if HiveLog::recognise(&bytes) {
        return match HiveLog::open(bytes) {
            Ok(log) => Decoded::with_problems("hive-log", Part::HiveLog(Box::new(log)), &[]),
            Err(error) => Decoded::unreadable("hive-log", error.to_string()),
        };
    }
    if bytes.starts_with(b"regf") {
        return hive(bytes);
    }
    if evtx::recognise(&bytes) {
        return log("evtx", evtx::read(&bytes, &interest.events));
    }
    if let Some((_, kind, reason)) = FOREIGN.iter().find(|(magic, ..)| is_foreign(&bytes, magic)) {
        return Decoded::ignored(kind, *reason);
    }
    text(&bytes, interest)
}

/// Two-letter magics also begin ordinary words, so they need a binary byte near the start.
fn is_foreign(bytes: &[u8], magic: &[u8]) -> bool {
    bytes.starts_with(magic) && (magic.len() > 2 || bytes.iter().take(64).any(|byte| *byte == 0))
}

fn hive(bytes: Buffer) -> Decoded {
    match Hive::open(bytes) {
        Ok(hive) => {
            let kind = hive_kind(hive.kind());
            let problems = hive.problems().to_vec();
            Decoded::with_problems(kind, Part::Hive(Box::new(hive)), &problems)
        }
        Err(error) => Decoded::unreadable("hive", error.to_string()),
    }
}

/// The kind of a hive as the report names it.
pub fn hive_kind(kind: HiveKind) -> &'static str {
    match kind {
        HiveKind::System => "hive:system",
        HiveKind::Software => "hive:software",
        HiveKind::User => "hive:user",
        HiveKind::UserClasses => "hive:user-classes",
        HiveKind::Sam => "hive:sam",
        HiveKind::Security => "hive:security",
        HiveKind::Components => "hive:components",
        HiveKind::Bcd => "hive:bcd",
        HiveKind::Amcache => "hive:amcache",
        HiveKind::Other => "hive:other",
    }
}

fn log(kind: &str, log: EventLog) -> Decoded {
    if log.records == 0 && !log.problems.is_empty() {
        return Decoded::unreadable(kind, summary_of(&log.problems).unwrap_or_default());
    }
    let problems = log.problems.clone();
    Decoded::with_problems(kind, Part::Events(log), &problems)
}

fn text(bytes: &[u8], interest: &Interest) -> Decoded {
    let text = Text::decode(bytes);
    if is_binary(text.as_str()) {
        let head: Vec<u8> = bytes.iter().take(8).copied().collect();
        let head = super::value::hex(&head);
        return Decoded::ignored("unknown", format!("binary data of no known kind (begins with {head})"));
    }
    if text.as_str().trim().is_empty() {
        return Decoded::ignored("empty", "the file holds only blanks: nothing can be told from it");
    }
    if let Some(export) = RegText::parse_export(&text) {
        let problems = export.problems.clone();
        return Decoded::with_problems("reg-export", Part::Registry(export), &problems);
    }
    if event_xml::recognise(text.as_str()) {
        return log("event-xml", event_xml::read(text.as_str(), &interest.events));
    }
    if let Some(manifest) = Manifest::parse(text.as_str()) {
        return Decoded::with_problems("manifest", Part::Manifest(Box::new(manifest)), &[]);
    }
    if event_text::recognise(&text) {
        return log("event-text", event_text::read(&text, &interest.events));
    }
    captures(&text, interest)
}

/// Control characters that no text file has in numbers, or replacement characters everywhere.
fn is_binary(text: &str) -> bool {
    let (mut seen, mut odd) = (0_u32, 0_u32);
    for c in text.chars().take(8192) {
        seen += 1;
        let control =
            c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}' | '\u{7}' | '\u{8}');
        odd += u32::from(control || c == '\u{fffd}');
    }
    odd * 8 > seen
}

/// Text that may hold several outputs: every block goes to the reader that knows it.
fn captures(text: &Text, interest: &Interest) -> Decoded {
    let text = paste::unwrap(text);
    let mut tally = Tally::default();
    for block in split::split(&text) {
        let foreign = split::foreign(&block);
        let part = match foreign {
            Some(Foreign::Events) => Some(Part::Events(events_in(&block, interest))),
            _ => registry_block(&block).map(Part::Registry),
        };
        let part = part.or_else(|| capture::read_block(&block).map(Box::new).map(Part::Capture));
        match part {
            Some(part) => tally.add(part),
            None => tally.unknown += 1,
        }
    }
    tally.decoded()
}

/// The events of a block as XML or as text.
fn events_in(block: &Block<'_>, interest: &Interest) -> EventLog {
    let lines: Vec<&str> = block.lines().map(|(_, line)| line).collect();
    let text = lines.join("\n");
    if event_xml::recognise(&text) {
        return event_xml::read(&text, &interest.events);
    }
    let text = Text::from_string(text, block.text.encoding.clone());
    event_text::read(&text, &interest.events)
}

/// Registry keys in a block: `.reg` lines, `reg query` output or a `Get-ItemProperty` list, whichever recognises it best.
fn registry_block(block: &Block<'_>) -> Option<RegText> {
    let scores =
        [RegText::recognise_export(block), reg_query::recognise(block), item_property::recognise(block)];
    let best = scores.iter().copied().max().filter(|score| *score > 0)?;
    match scores.iter().position(|score| *score == best) {
        Some(0) => RegText::parse_export_block(block),
        Some(1) => Some(reg_query::parse(block)),
        _ => Some(item_property::parse(block)),
    }
}

/// What the blocks of a text came to.
#[derive(Default)]
struct Tally {
    parts: Vec<Part>,
    kinds: Vec<String>,
    good: u32,
    bad: u32,
    /// Blocks that nobody knows. They are no fault of the others.
    unknown: u32,
    reason: Option<String>,
}

impl Tally {
    fn add(&mut self, part: Part) {
        let (kind, reason, usable) = match &part {
            Part::Capture(capture) => capture_result(capture),
            Part::Registry(keys) => {
                let kind = match keys.form {
                    RegForm::Export => "reg-export",
                    RegForm::Query => "reg-query",
                    RegForm::ItemProperty => "item-property",
                };
                (kind.to_owned(), summary_of(&keys.problems), true)
            }
            Part::Events(log) => ("event-text".to_owned(), summary_of(&log.problems), log.records > 0),
            _ => ("text".to_owned(), None, false),
        };
        self.good += u32::from(usable);
        self.bad += u32::from(!usable || reason.is_some());
        if let Some(reason) = reason {
            self.reason.get_or_insert(reason);
        }
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        self.parts.push(part);
    }

    fn decoded(self) -> Decoded {
        if self.parts.is_empty() {
            return Decoded::ignored("text", "text of no kind that actriage knows");
        }
        let status = match (self.good, self.bad) {
            (_, 0) => ReadStatus::Read,
            (0, _) => ReadStatus::Unreadable,
            _ => ReadStatus::Partial,
        };
        Decoded { kind: self.kinds.join("+"), status, reason: self.reason, parts: self.parts }
    }
}

/// Kind, reason and whether anything can be used.
fn capture_result(capture: &Capture) -> (String, Option<String>, bool) {
    let kind = format!("capture:{}", capture.kind.name());
    let usable = matches!(capture.status, CaptureStatus::Parsed | CaptureStatus::Partial);
    let reason = match (&capture.reason, capture.status) {
        (_, CaptureStatus::Parsed) => None,
        (Some(reason), _) => Some(format!("{} at line {}: {reason}", capture.kind.name(), capture.line_from)),
        (None, status) => Some(format!("{} at line {}: {status:?}", capture.kind.name(), capture.line_from)),
    };
    (kind, reason, usable)
}
