//! The order in which bytes are tried.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE};

use super::codepage::{CodePages, Legacy};
use super::utf16::{self, Kind};
use super::{Encoding, Text, repair};

/// A byte-order mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Utf8,
    LittleEndian,
    BigEndian,
}

/// What the stretches of a file turned out to be.
#[derive(Default)]
struct Seen {
    names: Vec<Cow<'static, str>>,
    guessed: bool,
    lossy: bool,
}

impl Seen {
    fn name(&mut self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }
}

/// Decodes a file.
pub fn decode(bytes: &[u8], pages: CodePages) -> Text {
    let (mark, body) = strip_marks(bytes);
    let mut seen = Seen::default();
    let text = match mark {
        Some(Mark::BigEndian) => utf16(body, Kind::BigEndian, &mut seen),
        Some(Mark::LittleEndian) if !utf16::may_hold_ascii(body) => {
            utf16(body, Kind::LittleEndian, &mut seen)
        }
        _ if memchr::memchr(0, body).is_none() => eight_bit(body, pages, &mut seen),
        _ => {
            let mut text = String::with_capacity(body.len());
            for (range, kind) in utf16::stretches(body) {
                let stretch = body.get(range).unwrap_or_default();
                text.push_str(&match kind {
                    Kind::EightBit => eight_bit(stretch, pages, &mut seen),
                    kind => utf16(stretch, kind, &mut seen),
                });
            }
            text
        }
    };
    let text = without_marks_and_nuls(text);
    let (text, repaired) = repair::repair(text);
    let lossy = seen.lossy || text.contains('\u{fffd}');
    let name = match (seen.names.as_slice(), mark) {
        ([], _) => Cow::Borrowed("ascii"),
        // A mark at the head of ASCII says which encoding was meant.
        ([only], Some(Mark::Utf8)) if only == "ascii" => Cow::Borrowed("utf-8"),
        ([only], _) => only.clone(),
        // ASCII is part of every 8-bit encoding.
        ([a, other] | [other, a], _) if a == "ascii" && !other.starts_with("utf-16") => other.clone(),
        _ => Cow::Borrowed("mixed"),
    };
    Text::from_string(text, Encoding { name, certain: !seen.guessed, lossy, repaired })
}

/// Takes off every leading mark: files that were re-saved or joined carry two. The last one tells what follows.
fn strip_marks(bytes: &[u8]) -> (Option<Mark>, &[u8]) {
    let mut mark = None;
    let mut rest = bytes;
    loop {
        (mark, rest) = match rest {
            [0xef, 0xbb, 0xbf, rest @ ..] => (Some(Mark::Utf8), rest),
            [0xff, 0xfe, rest @ ..] => (Some(Mark::LittleEndian), rest),
            [0xfe, 0xff, rest @ ..] => (Some(Mark::BigEndian), rest),
            _ => return (mark, rest),
        };
    }
}

/// UTF-16; an odd byte at the end is left out.
fn utf16(bytes: &[u8], kind: Kind, seen: &mut Seen) -> String {
    let whole = bytes.get(..bytes.len() & !1).unwrap_or_default();
    let (encoding, name) = match kind {
        Kind::BigEndian => (UTF_16BE, "utf-16be"),
        _ => (UTF_16LE, "utf-16le"),
    };
    let text = encoding.decode_without_bom_handling(whole).0;
    // Padding after the text (a log that was allocated in advance) is no encoding of its own.
    if text.chars().any(|c| c != '\0') || seen.names.is_empty() {
        seen.name(name);
    }
    text.into_owned()
}

/// UTF-8 where it is valid, else the machine's code pages.
fn eight_bit(bytes: &[u8], pages: CodePages, seen: &mut Seen) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            if !text.is_empty() {
                seen.name(if text.is_ascii() { "ascii" } else { "utf-8" });
            }
            text.to_owned()
        }
        Err(_) => {
            let legacy = Legacy::decode(bytes, pages);
            seen.guessed = true;
            seen.lossy |= legacy.lossy;
            seen.name(legacy.name);
            legacy.text
        }
    }
}

/// Drops NULs, which pad and never belong to a text, and marks at the start of lines, where files were joined.
fn without_marks_and_nuls(text: String) -> String {
    let bytes = text.as_bytes();
    if memchr::memchr(0, bytes).is_none() && memchr::memmem::find(bytes, "\u{feff}".as_bytes()).is_none() {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut line_start = true;
    for c in text.chars() {
        match c {
            '\0' => {}
            '\u{feff}' if line_start => {}
            c => {
                line_start = matches!(c, '\n' | '\r');
                clean.push(c);
            }
        }
    }
    clean
}
