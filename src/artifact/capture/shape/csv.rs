//! `Export-Csv` and `ConvertTo-Csv`: an optional `#TYPE` line, quoted cells, comma, semicolon or tab between them.

use super::super::Block;
use super::object::{Cell, Form, Object, Objects, Property};
use crate::artifact::{Place, Problem};

const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// Whether a line is a CSV header: two quoted names at least and nothing else.
pub(super) fn is_header(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('"')
        && line.ends_with('"')
        && SEPARATORS.iter().any(|separator| {
            let cells = cells(line, *separator);
            cells.len() >= 2 && cells.iter().all(|cell| !cell.is_empty() && cell.len() < 64)
        })
}

/// Reads the rows below the header that stands at or behind that line.
pub(super) fn objects(block: &Block<'_>, from: u32) -> Objects {
    let mut found = Objects::new(Form::Csv);
    let mut header: Option<(Vec<String>, char)> = None;
    let mut pending: Option<(u32, String)> = None;
    for (number, line) in block.lines().filter(|(number, _)| *number >= from) {
        if let Some(name) = line.trim_start().strip_prefix("#TYPE") {
            found.type_name = Some(name.trim().to_owned());
            continue;
        }
        let Some((names, separator)) = &header else {
            header = separator_of(line).map(|separator| (cells(line, separator), separator));
            continue;
        };
        // A quoted cell may go on in the next line. Doubled quotes do not change what is odd.
        let quotes = memchr::memchr_iter(b'"', line.as_bytes()).count();
        let (start, row, open) = match pending.take() {
            Some((start, mut row)) => {
                row.push('\n');
                row.push_str(line);
                (start, row, quotes.is_multiple_of(2))
            }
            None if line.trim().is_empty() => continue,
            None => (number, line.to_owned(), !quotes.is_multiple_of(2)),
        };
        if open && number < block.to {
            pending = Some((start, row));
            continue;
        }
        let values = cells(&row, *separator);
        if values.len() != names.len() {
            let expected = format!("{} cells", names.len());
            found.problems.push(Problem::new(
                Place::Line(start),
                expected,
                format!("{} cells", values.len()),
            ));
        }
        found.objects.push(row_object(start, names, &values));
    }
    found
}

fn row_object(line: u32, names: &[String], values: &[String]) -> Object {
    let properties = names.iter().zip(values).map(|(name, value)| Property {
        name: name.clone(),
        cell: Cell::of(value),
        line,
        truncated: false,
    });
    Object { line, properties: properties.collect() }
}

/// The separator that gives a header line the most cells.
fn separator_of(line: &str) -> Option<char> {
    (!line.trim().is_empty()).then_some(())?;
    SEPARATORS.into_iter().rev().max_by_key(|separator| cells(line, *separator).len())
}

/// The cells of a row. A doubled quote inside quotes stands for one.
fn cells(row: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(cell) = cells.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(String::new()),
            c => cell.push(c),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::super::object::{Form, objects};
    use crate::artifact::capture::Block;
    use crate::artifact::text::Text;

    #[test]
    fn rows_with_quotes_and_breaks() {
        let text = Text::decode(
            b"#TYPE Some.Type\r\n\"Name\",\"Alias\"\r\n\"a \"\"b\"\", c\",\"x\"\r\n\"two\r\nlines\",\"y\"\r\n",
        );
        let found = objects(&Block::whole(&text));
        assert_eq!((found.form, found.type_name.as_deref()), (Form::Csv, Some("Some.Type")));
        assert_eq!(found.objects[0].text("Name").as_deref(), Some("a \"b\", c"));
        assert_eq!(found.objects[1].text("Name").as_deref(), Some("two\nlines"));
        assert_eq!(found.objects[1].line, 4);
        assert!(found.problems.is_empty());
    }

    #[test]
    fn a_short_row_is_a_problem() {
        let text = Text::decode(b"\"Name\";\"Alias\"\n\"a\"\n");
        let found = objects(&Block::whole(&text));
        assert_eq!(found.problems.len(), 1);
        assert!(!found.objects[0].has("Alias"));
    }
}
