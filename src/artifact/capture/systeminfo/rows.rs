//! The lines of `systeminfo` as rows, and which row is which.
//!
//! A row is placed by what it is called or by what it holds (a version, `x64-based PC`, `\Device\…`, a list of updates). Rows
//! between two placed ones are placed by counting, but only when as many stand there as the output has: a cut capture loses
//! answers, it never shifts them.

use super::super::Block;
use super::super::shape::label::{Languages, find_label};
use super::labels::{LABELS, Slot};

/// A row with the indented lines below it.
#[derive(Clone, Debug)]
pub struct Row<'t> {
    /// 1-based line of the label.
    pub line: u32,
    /// The label.
    pub label: &'t str,
    /// What stands behind it on the same line.
    pub value: &'t str,
    /// Indented lines below, each with its line number and indent.
    pub below: Vec<(u32, usize, &'t str)>,
}

/// Labels longer than this are sentences.
const LONGEST_LABEL: usize = 60;
/// Lines below a row are indented to the value column, which no language has further left.
const LEAST_INDENT: usize = 8;

/// The rows of a block. Text before the first row and lines without a colon at the left edge are left out.
pub fn rows<'t>(block: &Block<'t>) -> Vec<Row<'t>> {
    let mut rows: Vec<Row<'t>> = Vec::new();
    for (number, line) in block.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if indent >= LEAST_INDENT {
            if let Some(row) = rows.last_mut() {
                row.below.push((number, indent, trimmed));
            }
            continue;
        }
        let Some((label, value)) = trimmed.split_once([':', '：']) else { continue };
        let label = label.trim_end();
        if !label.is_empty() && label.chars().count() <= LONGEST_LABEL {
            rows.push(Row { line: number, label, value: value.trim(), below: Vec::new() });
        }
    }
    rows
}

/// `[01]: text` or `[01] : text`; the text is empty when the item was cut off.
pub fn item(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('[')?.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.strip_prefix(']').unwrap_or(rest).trim_start();
    Some(rest.strip_prefix(':').unwrap_or(rest).trim())
}

/// What a value alone tells of its row. Several rows share some types, so this is a set.
fn typed(row: &Row<'_>) -> &'static [Slot] {
    let value = row.value;
    let below = |test: fn(&str) -> bool| row.below.iter().any(|(_, _, text)| test(text));
    if super::OsVersion::parse(0, value).is_some() {
        &[Slot::OsVersion]
    } else if value.ends_with("-based PC") {
        &[Slot::SystemType]
    } else if value.starts_with("\\Device\\") {
        &[Slot::BootDevice]
    } else if value.starts_with("(UTC") || value.starts_with("(GMT") {
        &[Slot::TimeZone]
    } else if is_locale(value) {
        &[Slot::SystemLocale, Slot::InputLocale]
    } else if value.starts_with("\\\\") {
        &[Slot::LogonServer]
    } else if below(|text| item(text).is_some_and(|name| super::kb(name).is_some())) {
        &[Slot::Hotfixes]
    } else if below(|text| text.starts_with('[') && text.contains('~')) {
        &[Slot::Processors]
    } else if row
        .below
        .iter()
        .any(|(_, indent, _)| row.below.first().is_some_and(|(_, first, _)| indent > first))
    {
        &[Slot::NetworkCards]
    } else if is_path(value) {
        &[Slot::WindowsDirectory, Slot::SystemDirectory, Slot::PageFile]
    } else {
        &[]
    }
}

/// `de;Deutsch (Deutschland)`.
fn is_locale(value: &str) -> bool {
    value.split_once(';').is_some_and(|(code, name)| {
        (2..=11).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.is_empty()
    })
}

fn is_path(value: &str) -> bool {
    matches!(value.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic())
}

fn place_of(slot: Slot) -> usize {
    Slot::ALL.iter().position(|one| *one == slot).unwrap_or_default()
}

/// Gives each row its slot, in parallel to `rows`, and the language of the labels.
pub fn place(rows: &[Row<'_>]) -> (Vec<Option<Slot>>, Option<String>) {
    let mut languages = Languages::default();
    let mut placed: Vec<Option<Slot>> = Vec::with_capacity(rows.len());
    let mut next = 0;
    for row in rows {
        let named = find_label(LABELS, row.label);
        let slot = match (named, typed(row)) {
            (Some((slot, found)), _) => {
                languages.vote(&found);
                Some(slot)
            }
            (None, [slot]) => Some(*slot),
            (None, _) => None,
        };
        // Out of order: another output's row, or the same command once more.
        let slot = slot.filter(|slot| place_of(*slot) >= next);
        if let Some(slot) = slot {
            next = place_of(slot) + 1;
        }
        placed.push(slot);
    }
    fill(rows, &mut placed);
    (placed, languages.winner())
}

/// Places the rows of each gap that is as long as the output's own.
fn fill(rows: &[Row<'_>], placed: &mut [Option<Slot>]) {
    let anchors: Vec<(usize, usize)> =
        placed.iter().enumerate().filter_map(|(row, slot)| Some((row, place_of((*slot)?)))).collect();
    // Before the first anchor the output's start stands in for one.
    let mut from = (0, 0);
    for (row, slot) in anchors {
        let (first_row, first_slot) = from;
        let gap = rows.get(first_row..row).unwrap_or_default();
        let slots = Slot::ALL.get(first_slot..slot).unwrap_or_default();
        let fits = |(row, slot): (&Row<'_>, &Slot)| typed(row).is_empty() || typed(row).contains(slot);
        if gap.len() == slots.len() && gap.iter().zip(slots).all(fits) {
            for (one, slot) in placed.iter_mut().skip(first_row).zip(slots) {
                *one = Some(*slot);
            }
        }
        from = (row + 1, slot + 1);
    }
}
