//! `Get-WinEvent | Export-Csv` (and `ConvertTo-Csv`), with any of the separators that regions use.

use super::record::Record;
use crate::artifact::text::Text;
use crate::artifact::{Place, Problem};

/// Columns that tell an event listing from any other table.
const COLUMNS: [&str; 3] = ["ProviderName", "Id", "TimeCreated"];
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Line, offset and separator of the header.
fn header(text: &Text) -> Option<(u32, usize, char)> {
    let mut offset = 0;
    // The type line of PowerShell 5 and perhaps an echoed command stand before it.
    for (number, line) in text.lines().take(20) {
        let separator = SEPARATORS.into_iter().find(|separator| {
            let cells: Vec<&str> = line.split(*separator).map(|cell| cell.trim().trim_matches('"')).collect();
            COLUMNS.iter().all(|column| cells.iter().any(|cell| cell.eq_ignore_ascii_case(column)))
        });
        if let Some(separator) = separator {
            return Some((number, offset, separator));
        }
        let rest = text.as_str().get(offset..)?;
        offset += rest.find('\n').map_or(rest.len(), |end| end + 1);
    }
    None
}

/// Whether the text has the header of an event table.
pub(super) fn recognise(text: &Text) -> bool {
    header(text).is_some()
}

/// Reads the rows below the header.
pub(super) fn read(text: &Text, problems: &mut Vec<Problem>) -> Vec<Record> {
    let Some((first, offset, separator)) = header(text) else { return Vec::new() };
    let mut rows = Rows { rest: text.as_str().get(offset..).unwrap_or_default(), line: first, separator };
    let Some((_, names)) = rows.next() else { return Vec::new() };
    let mut records = Vec::new();
    for (line, cells) in rows {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if cells.len() != names.len() {
            let found = format!("{} cells", cells.len());
            problems.push(Problem::new(Place::Line(line), format!("{} cells", names.len()), found));
            continue;
        }
        let mut record = Record::new(line);
        record.properties = names.iter().cloned().zip(cells).collect();
        records.push(record);
    }
    records
}

/// Rows of quoted or bare cells; a quoted cell may hold separators, line ends and doubled quotes (RFC 4180).
struct Rows<'t> {
    rest: &'t str,
    line: u32,
    separator: char,
}

impl Iterator for Rows<'_> {
    type Item = (u32, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut letters = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, letter)) = letters.next() {
            if letter == '\n' {
                self.line += 1;
            }
            let Some(cell) = cells.last_mut() else { break };
            match letter {
                '"' if quoted && letters.peek().is_some_and(|(_, next)| *next == '"') => {
                    cell.push('"');
                    letters.next();
                }
                '"' => quoted = !quoted,
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !quoted => {}
                letter if letter == self.separator && !quoted => cells.push(String::new()),
                letter => cell.push(letter),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some((line, cells))
    }
}
