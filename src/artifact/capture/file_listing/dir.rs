//! cmd's `dir`: a heading with the path, one line an entry, a line with the count.

use super::super::Block;
use super::super::shape::cell::grouped_integer;
use super::{Data, Entry, EntryKind, Folder, Form, is_full_path};

/// ` Directory of C:\path`: one blank, words, the path. In Japanese, Chinese and Korean the words stand behind the path.
pub(super) fn heading(line: &str) -> Option<&str> {
    let text = line.strip_prefix(' ').filter(|text| !text.starts_with(' '))?.trim_end();
    let at = text.find(":\\").and_then(|at| at.checked_sub(1)).or_else(|| text.find("\\\\"))?;
    let path = text.get(at..)?;
    let path = match path.rsplit_once(' ') {
        // Words behind a path are only told from it by their letters: a folder could end in such a word, but then the
        // words of the heading stand before it.
        Some((path, words)) if at == 0 && words.chars().all(|c| !c.is_ascii()) => path,
        _ => path,
    };
    is_full_path(path).then_some(path)
}

/// What stands between angle brackets, in the languages that translate it.
fn kind(word: &str) -> Option<EntryKind> {
    match word {
        "<DIR>" | "<REP>" | "<KAT>" => Some(EntryKind::Folder),
        "<JUNCTION>" | "<SYMLINK>" | "<SYMLINKD>" | "<VERBINDUNG>" => Some(EntryKind::Link),
        _ if word.starts_with('<') && word.ends_with('>') => Some(EntryKind::Unknown),
        _ => None,
    }
}

/// A date or a time: digits with separators.
fn is_stamp(word: &str, separators: &[char]) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.contains(separators)
        && word.chars().all(|c| c.is_ascii_digit() || separators.contains(&c))
}

/// `11/20/2026  09:12 AM    <DIR>          name`, `20.11.2026  09:12            12.345 name`.
pub(super) fn entry(line: u32, text: &str) -> Option<Entry> {
    let date = text.split(' ').next().filter(|word| is_stamp(word, &['/', '.', '-']))?;
    let rest = text.get(date.len()..)?.trim_start();
    let time = rest.split(' ').next().filter(|word| is_stamp(word, &[':', '.']))?;
    let rest = rest.get(time.len()..)?;
    // A word between time and size is the half of the day.
    let half = rest.strip_prefix(' ').map(|word| word.split(' ').next().unwrap_or_default());
    let half =
        half.filter(|word| !word.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit() || c == '<'));
    let rest = rest.trim_start().strip_prefix(half.unwrap_or_default())?.trim_start_matches(' ');
    let (word, name) = rest.split_once(' ')?;
    let written = match half {
        Some(half) => format!("{date} {time} {half}"),
        None => format!("{date} {time}"),
    };
    let (kind, size) = match kind(word) {
        Some(kind) => (kind, None),
        None => (EntryKind::File, Some(grouped_integer(word)?)),
    };
    let name = name.trim();
    let name = match (kind, name.rsplit_once(" [")) {
        (EntryKind::Link | EntryKind::Unknown, Some((name, _))) => name,
        _ => name,
    };
    (!name.is_empty()).then(|| Entry { line, name: name.to_owned(), kind, size, written: Some(written) })
}

/// `               2 File(s)          1,234 bytes`: the first of the two counting lines counts files.
fn count(line: &str) -> Option<u64> {
    let words = line.strip_prefix("    ")?.trim_start();
    grouped_integer(words.split(' ').next()?)
}

pub(super) fn read(block: &Block<'_>) -> Data {
    let mut data = Data { form: Form::Dir, ..Data::default() };
    let mut open: Option<Folder> = None;
    for (number, line) in block.lines() {
        if let Some(path) = heading(line) {
            data.folders.extend(open.take());
            open = Some(Folder { line: number, path: Some(path.to_owned()), ..Folder::default() });
        } else if let Some(entry) = entry(number, line) {
            let folder = open.get_or_insert_with(|| Folder { line: number, ..Folder::default() });
            if entry.name != "." && entry.name != ".." {
                folder.entries.push(entry);
            }
        } else if let Some(files) = count(line) {
            // Behind the last folder the totals follow, which count no folder of their own.
            if let Some(mut folder) = open.take() {
                let listed = folder.entries.iter().filter(|entry| entry.size.is_some()).count();
                folder.complete = Some(u64::try_from(listed).is_ok_and(|listed| listed == files));
                data.folders.push(folder);
            }
        } else if open.is_some() && line.starts_with(|c: char| c.is_ascii_digit()) {
            // Something that should have been an entry.
            data.unread.push(number);
        }
    }
    data.folders.extend(open);
    data
}
