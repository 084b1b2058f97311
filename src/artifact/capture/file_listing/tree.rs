//! `tree /f`: folders as branches, four characters a level.

use super::super::Block;
use super::{Data, Entry, EntryKind, Folder, Form, is_full_path};

/// Branches of both alphabets of `tree` (`/a` draws in ASCII).
const BRANCHES: [&str; 4] = ["├───", "└───", "+---", "\\---"];
/// Characters of one level.
const LEVEL: usize = 4;
/// Deeper trees are drawn by nobody; the bound keeps paths short.
const DEEPEST: usize = 64;

/// What a line is: how deep, a folder or a file, its name.
fn parse(line: &str) -> Option<(usize, bool, &str)> {
    let mut rest = line;
    let mut depth = 0;
    while depth < DEEPEST {
        if let Some(name) = BRANCHES.iter().find_map(|branch| rest.strip_prefix(branch)) {
            let name = name.trim_end();
            return (!name.is_empty()).then_some((depth, true, name));
        }
        let indent: String = rest.chars().take(LEVEL).collect();
        let is_indent = indent.chars().count() == LEVEL
            && indent.starts_with([' ', '│', '|'])
            && indent.chars().skip(1).all(|c| c == ' ');
        if !is_indent {
            break;
        }
        rest = rest.get(indent.len()..)?;
        depth += 1;
    }
    let name = rest.trim_end();
    // A file is indented by the trunk of its folder.
    (depth > 0 && !name.trim_start_matches(['│', '|', ' ']).is_empty())
        .then(|| (depth.saturating_sub(1), false, name))
}

/// A line that only a tree has.
pub(super) fn is_branch(line: &str) -> bool {
    parse(line).is_some_and(|(_, folder, _)| folder)
}

/// The line above the tree: a path, or `C:.` for the current folder.
pub(super) fn is_root(line: &str) -> bool {
    let line = line.trim_end();
    is_full_path(line) || matches!(line.as_bytes(), [drive, b':', b'.'] if drive.is_ascii_alphabetic())
}

pub(super) fn read(block: &Block<'_>) -> Data {
    let mut data = Data { form: Form::Tree, ..Data::default() };
    // The folders from the root down to the current one, as indices.
    let mut above: Vec<usize> = Vec::new();
    for (line, text) in block.lines() {
        if is_root(text) {
            above = vec![data.folders.len()];
            let path = Some(text.trim_end().to_owned());
            data.folders.push(Folder { line, path, ..Folder::default() });
            continue;
        }
        let Some((depth, folder, name)) = parse(text).filter(|_| !above.is_empty()) else { continue };
        // Files of a folder stand one level further in than its branch; a branch stands below its parent.
        let parent = above.get(depth).copied().and_then(|at| data.folders.get_mut(at));
        let Some(parent) = parent else {
            data.unread.push(line);
            continue;
        };
        let kind = if folder { EntryKind::Folder } else { EntryKind::File };
        parent.entries.push(Entry { line, name: name.to_owned(), kind, size: None, written: None });
        if folder {
            let path = parent.path.as_ref().map(|path| format!("{}\\{name}", path.trim_end_matches('\\')));
            above.truncate(depth + 1);
            above.push(data.folders.len());
            data.folders.push(Folder { line, path, ..Folder::default() });
        }
    }
    data
}
