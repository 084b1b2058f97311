//! `Get-ChildItem` in PowerShell's forms.

use super::super::Block;
use super::super::shape::{Object, columns, objects};
use super::{Data, Entry, EntryKind, Form, is_full_path, split_path};

/// Columns of the table, which are never translated.
const COLUMNS: [&str; 4] = ["Mode", "LastWriteTime", "Length", "Name"];
/// Lines that are looked at to recognise a listing.
const LOOKED_AT: usize = 100;

fn is_header(line: &str) -> bool {
    line.split_whitespace().eq(COLUMNS)
}

/// `d-----`, `-a----`, `d----l`.
fn is_mode(word: &str) -> bool {
    matches!(word.len(), 5 | 6)
        && word.bytes().all(|byte| matches!(byte, b'-' | b'd' | b'a' | b'r' | b'h' | b's' | b'l'))
}

pub(super) fn looks_like(block: &Block<'_>) -> bool {
    let lines = || block.lines().filter(|(_, line)| !line.trim().is_empty()).take(LOOKED_AT);
    if lines().any(|(_, line)| is_header(line)) {
        return true;
    }
    // A key of a list or of JSON, an attribute of CLIXML, a heading of CSV.
    let has = |name: &str| {
        let quoted = format!("\"{name}\"");
        lines().any(|(_, line)| {
            line.contains(&quoted) || line.split_once(':').is_some_and(|(key, _)| key.trim() == name)
        })
    };
    has("FullName") && (has("Length") || has("LastWriteTime") || has("PSIsContainer"))
        || has("Mode") && has("LastWriteTime") && has("Name")
}

pub(super) fn read(block: &Block<'_>) -> Data {
    if block.lines().any(|(_, line)| is_header(line)) {
        return table(block);
    }
    let mut data = Data { form: Form::PowerShell, ..Data::default() };
    for object in &objects(block).objects {
        match entry(object) {
            Some((folder, entry)) => data.add(entry.line, folder.as_deref(), entry),
            None => data.unread.push(object.line),
        }
    }
    data
}

fn entry(object: &Object) -> Option<(Option<String>, Entry)> {
    let whole = |name: &str| {
        let property = object.property(name).filter(|property| !property.truncated)?;
        property.cell.text().map(|text| text.replace('\n', ""))
    };
    let full = whole("FullName");
    let (folder, name) = match &full {
        Some(full) => {
            let (folder, name) = split_path(full);
            (folder.map(str::to_owned), name.to_owned())
        }
        None => (whole("DirectoryName").or_else(|| whole("Directory")), whole("Name")?),
    };
    let size = object.get("Length").and_then(|cell| cell.number()).and_then(|size| u64::try_from(size).ok());
    let container = object.get("PSIsContainer").and_then(|cell| cell.truth());
    let mode = whole("Mode").filter(|mode| is_mode(mode));
    let kind = match (container, mode.as_deref()) {
        (Some(true), _) => EntryKind::Folder,
        (Some(false), _) => EntryKind::File,
        (None, Some(mode)) if mode.ends_with('l') => EntryKind::Link,
        (None, Some(mode)) if mode.starts_with('d') => EntryKind::Folder,
        (None, Some(_)) => EntryKind::File,
        (None, None) if size.is_some() => EntryKind::File,
        (None, None) => EntryKind::Unknown,
    };
    let written = whole("LastWriteTime");
    Some((folder, Entry { line: object.line, name, kind, size, written }))
}

/// The default table. The header stands over its columns by their right or left edges, so a row is read by its words: mode, time
/// stamp, an optional size that ends below the end of `Length`, and the name from the column of `Name` on.
fn table(block: &Block<'_>) -> Data {
    let mut data = Data { form: Form::PowerShell, ..Data::default() };
    // The heading belongs to the next table only: without one, nobody knows whose entries follow.
    let mut heading_above: Option<String> = None;
    let mut path: Option<String> = None;
    let mut name_column = 0;
    for (number, line) in block.lines() {
        let trimmed = line.trim();
        if is_header(line) {
            name_column = line.find("Name").unwrap_or_default();
            path = heading_above.take();
        } else if let Some(folder) = heading(trimmed) {
            heading_above = Some(folder.to_owned());
        } else if let Some(entry) = row(number, line, name_column) {
            data.add(number, path.as_deref(), entry);
        } else if !trimmed.is_empty() && name_column > 0 && columns::rule_spans(trimmed).is_none() {
            data.unread.push(number);
        }
    }
    data
}

/// `Directory: C:\path`, the word translated.
fn heading(trimmed: &str) -> Option<&str> {
    let path = trimmed.split_once(':').map(|(_, path)| path.trim()).filter(|path| is_full_path(path))?;
    (!trimmed.starts_with("\\\\")).then_some(path)
}

fn row(line: u32, text: &str, name_column: usize) -> Option<Entry> {
    let mode = text.split(' ').next().filter(|word| is_mode(word))?;
    // Every character before the name is ASCII but for the half of the day, so count characters.
    let before: String = text.chars().take(name_column).collect();
    let name: String = text.chars().skip(name_column).collect();
    let mut words: Vec<&str> = before.split_whitespace().skip(1).collect();
    let folder = mode.starts_with('d');
    let size = words.last().filter(|_| !folder && words.len() > 2).and_then(|word| word.parse().ok());
    if size.is_some() {
        words.pop();
    }
    let kind = match (mode.ends_with('l'), folder) {
        (true, _) => EntryKind::Link,
        (false, true) => EntryKind::Folder,
        (false, false) => EntryKind::File,
    };
    let name = name.trim();
    (!name.is_empty() && words.len() >= 2).then(|| Entry {
        line,
        name: name.to_owned(),
        kind,
        size,
        written: Some(words.join(" ")),
    })
}
