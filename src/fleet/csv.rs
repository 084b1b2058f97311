//! Sections as CSV (RFC 4180). Text from a bundle can begin like a formula, which a spreadsheet would run when it opens the file; such a cell
//! gets an apostrophe in front (OWASP, "CSV Injection").

use std::fmt::Write as _;

use super::sections::{Cell, Section};

/// One section as a CSV file.
pub fn render(section: &Section) -> String {
    let mut out = String::new();
    line(&mut out, section.columns.iter().map(|column| (*column).to_owned()));
    for row in &section.rows {
        line(&mut out, row.cells.iter().map(cell));
    }
    out
}

/// All sections in one text, each behind its title.
pub fn render_all(sections: &[Section]) -> String {
    sections.iter().map(|section| format!("# {}\r\n{}\r\n", section.id, render(section))).collect()
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let quoted = if cell.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        };
        let _ = write!(out, "{comma}{quoted}");
    }
    out.push_str("\r\n");
}

fn cell(cell: &Cell) -> String {
    let words = cell.words();
    let formula =
        words.trim_start().starts_with(['=', '+', '-', '@']) || words.starts_with(['\t', '\r', '\n']);
    if formula && !cell.is_number() { format!("'{words}") } else { words }
}

#[cfg(test)]
mod tests {
    use super::super::sections::Row;
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_quotes_are_doubled() {
        let cells = ["=cmd|' /C calc'!A1", "+1", "-1", "@x", "\t=1", " =1", "a,\"b\"", "plain"];
        let rows =
            cells.map(|text| Row { cells: vec![Cell::Text(text.to_owned()), Cell::Number(3)], bar: None });
        let section = Section {
            id: "x".to_owned(),
            title: String::new(),
            note: "",
            columns: vec!["a", "b"],
            rows: rows.to_vec(),
        };
        let text = render(&section);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "a,b");
        assert_eq!(lines[1], "'=cmd|' /C calc'!A1,3");
        assert_eq!(lines[2..7], ["'+1,3", "'-1,3", "'@x,3", "'\t=1,3", "' =1,3"]);
        assert_eq!(lines[7], "\"a,\"\"b\"\"\",3");
        assert_eq!(lines[8], "plain,3");
    }
}
