//! Puts lines right that somebody had decoded in the wrong code page before they were collected.
//!
//! `╤хЁтхЁ:` is `Сервер:` in page 1251 shown as page 866. A line is only changed when that makes a known word appear where there
//! was none, or when such a line has proved the confusion for this file and the line reads better for it.

use std::borrow::Cow;

use super::codepage::{decode_page, encode_page};
use super::plausible::plausibility;
use super::words;

/// The page that the line was shown in, and the one that it was written in (text_formats.md 1.3).
const CONFUSIONS: &[(u16, u16)] = &[
    (866, 1251),
    (1252, 1251),
    (1252, 866),
    (1251, 866),
    (1252, 850),
    (850, 1252),
    (1252, 65001),
    (850, 65001),
    (437, 65001),
    (1251, 65001),
];

/// Labels are short; long lines are data.
const LONGEST: usize = 1_000;

/// Lines that are looked at for a proof: the confusion runs through the whole file.
const LINES: usize = 2_000;

/// The text with such lines put right, and whether there were any. Registry exports are left alone: their values are data.
pub fn repair(text: String) -> (String, bool) {
    if text.is_ascii() || is_registry(&text) {
        return (text, false);
    }
    let mut proved: Option<(u16, u16)> = None;
    for line in text.split_inclusive('\n').filter(|line| may_be_wrong(line)).take(LINES) {
        if words::count(line) > 0 {
            continue;
        }
        proved = CONFUSIONS
            .iter()
            .copied()
            .find(|pages| undo(line, *pages).is_some_and(|right| words::count(&right) > 0));
        if proved.is_some() {
            break;
        }
    }
    let Some(proved) = proved else { return (text, false) };
    let right = text.split_inclusive('\n').map(|line| put_right(line, proved)).collect();
    (right, true)
}

fn put_right(line: &str, pages: (u16, u16)) -> Cow<'_, str> {
    if !may_be_wrong(line) || words::count(line) > 0 {
        return Cow::Borrowed(line);
    }
    match undo(line, pages) {
        Some(right) if plausibility(&right) > plausibility(line) => Cow::Owned(right),
        _ => Cow::Borrowed(line),
    }
}

fn may_be_wrong(line: &str) -> bool {
    !line.is_ascii() && line.len() <= LONGEST
}

fn undo(line: &str, (shown, written): (u16, u16)) -> Option<String> {
    let bytes = encode_page(line, shown)?;
    match written {
        65001 => String::from_utf8(bytes).ok(),
        page => decode_page(&bytes, page).map(Cow::into_owned).filter(|text| !text.contains('\u{fffd}')),
    }
}

fn is_registry(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with("Windows Registry Editor") || start.starts_with("REGEDIT4")
}
