//! The data behind the `=` of a `.reg` line, turned back into the bytes that Windows stores.
//!
//! The forms are those that regedit writes and reads ("Registration entry file" in Microsoft's support pages, and what the
//! exports in the wild show): `"text"`, `dword:`, `hex:` and `hex(type):`.

use encoding_rs::Encoding;

use crate::artifact::value::ValueType;

/// A quoted string, read up to its closing quote or to the end of the line.
pub(super) enum Quoted<'l> {
    /// Closed on this line; the rest of the line behind the quote.
    Closed(String, &'l str),
    /// The line ended first.
    Open(String),
}

/// Reads a string behind its opening quote. `\\` and `\"` are the escapes that regedit writes; any other backslash, which only
/// hands write, stands for itself.
pub(super) fn quoted(text: &str) -> Quoted<'_> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Quoted::Closed(out, text.get(at + 1..).unwrap_or_default()),
            '\\' => match chars.clone().next() {
                Some((_, next @ ('\\' | '"'))) => {
                    out.push(next);
                    chars.next();
                }
                _ => out.push(c),
            },
            _ => out.push(c),
        }
    }
    Quoted::Open(out)
}

/// How the data of a line begins.
pub(super) enum Form<'l> {
    /// `-`: the file deletes the value.
    Deletion,
    /// A string; what stands behind its opening quote.
    Text(&'l str),
    /// `dword:`; what stands behind the colon.
    Dword(&'l str),
    /// `hex:` or `hex(type):`; what stands behind the colon.
    Hex(ValueType, &'l str),
}

/// Tells the form of the data; `None` when it is none of them.
pub(super) fn form(data: &str) -> Option<Form<'_>> {
    let data = data.trim_start();
    if let Some(rest) = data.strip_prefix('"') {
        return Some(Form::Text(rest));
    }
    if ends_here(data.strip_prefix('-').unwrap_or("?")) {
        return Some(Form::Deletion);
    }
    let (kind, rest) = data.split_once(':')?;
    let kind = kind.trim().to_ascii_lowercase();
    match kind.as_str() {
        "dword" => Some(Form::Dword(rest)),
        "hex" => Some(Form::Hex(ValueType::BINARY, rest)),
        _ => {
            let number = kind.strip_prefix("hex(")?.strip_suffix(')')?;
            Some(Form::Hex(ValueType(hex_number(number)?), rest))
        }
    }
}

/// The number of a `dword:`; regedit writes eight digits and accepts fewer.
pub(super) fn dword(digits: &str) -> Option<u32> {
    hex_number(without_comment(digits)?.trim())
}

fn hex_number(digits: &str) -> Option<u32> {
    let sound = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if sound { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// What follows the bytes on one line of a hex value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HexEnd {
    /// The value ends here.
    End,
    /// `\`: it goes on on the next line.
    Continues,
    /// Something that is not a byte, or a comma with nothing behind it.
    Damaged,
}

/// Reads the bytes of one line of a hex value into `bytes`.
pub(super) fn hex_line(line: &str, bytes: &mut Vec<u8>) -> HexEnd {
    let Some(line) = without_comment(line).map(str::trim) else { return HexEnd::Damaged };
    let (line, continues) = match line.strip_suffix('\\') {
        Some(rest) => (rest.trim_end(), true),
        None => (line, false),
    };
    if line.is_empty() {
        return if continues { HexEnd::Continues } else { HexEnd::End };
    }
    let mut items = line.split(',').map(str::trim).peekable();
    while let Some(item) = items.next() {
        if item.is_empty() && items.peek().is_none() && continues {
            return HexEnd::Continues;
        }
        let byte = if item.len() <= 2 { hex_number(item) } else { None };
        match byte.and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => bytes.push(byte),
            None => return HexEnd::Damaged,
        }
    }
    // A `\` without a comma in front of it is not what regedit writes, but it reads it.
    if continues { HexEnd::Continues } else { HexEnd::End }
}

/// REGEDIT4 stores the bytes of string types in the ANSI code page; a hive stores UTF-16LE.
pub(super) fn ansi_to_utf16(kind: ValueType, bytes: Vec<u8>, code_page: &'static Encoding) -> Vec<u8> {
    if !matches!(kind, ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ) {
        return bytes;
    }
    let (text, _) = code_page.decode_without_bom_handling(&bytes);
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Whether nothing but blanks or a comment is left of a line.
pub(super) fn ends_here(rest: &str) -> bool {
    without_comment(rest).is_some_and(|rest| rest.trim().is_empty())
}

/// A line without the comment at its end. `None` when the comment looks as if it had swallowed a value or a key.
fn without_comment(line: &str) -> Option<&str> {
    match line.split_once(';') {
        Some((_, comment)) if comment.contains(['=', '[', ']']) => None,
        Some((line, _)) => Some(line),
        None => Some(line),
    }
}
