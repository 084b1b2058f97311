//! Tables whose columns are told by a rule of dashes (`Format-Table` and console tools).
//!
//! A rule shows where headings stand, not where cells do: numeric columns are aligned to the right, and CJK text is padded by
//! display cells. So the border between two columns is looked for where every row has a blank.

use super::object::{Cell, Object, Property};

/// Widest rule that is believed; `Out-String -Width` is rarely set beyond this.
const WIDEST: usize = 4_096;

/// The spans of the dashes in a rule, in display cells: start and end (exclusive). `None` if the line is no rule of dashes or
/// equals signs.
pub fn rule_spans(line: &str) -> Option<Vec<(usize, usize)>> {
    let line = line.trim_end();
    if line.len() > WIDEST {
        return None;
    }
    let dash = line.trim_start().chars().next().filter(|c| matches!(c, '-' | '='))?;
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (at, c) in line.chars().enumerate() {
        match (c == dash, spans.last_mut()) {
            (true, Some((_, end))) if *end == at => *end = at + 1,
            (true, _) => spans.push((at, at + 1)),
            (false, _) if c == ' ' => {}
            (false, _) => return None,
        }
    }
    spans.iter().any(|(start, end)| end - start >= 2).then_some(spans)
}

/// A line as display cells: wide characters take two, the second of them empty.
fn grid(line: &str) -> Vec<Option<char>> {
    let mut cells = Vec::with_capacity(line.len());
    for c in line.chars() {
        cells.push(Some(c));
        if is_wide(c) {
            cells.push(None);
        }
    }
    cells
}

/// Whether a console shows the character in two cells (East Asian Wide and Fullwidth, the blocks that Windows UIs use).
pub fn is_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0x33ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x2_0000..=0x3_fffd)
}

/// Cuts rows at the borders between the spans of a rule. Where every row (and the header) has a blank at the usual place, just
/// before the next span, or else further left, there is the border; rows for which no common border exists are cut at the
/// usual place. A row has no cells behind its end, so many columns over many short rows cost nothing.
pub fn cut_rows(spans: &[(usize, usize)], rows: &[&str]) -> Vec<Vec<String>> {
    let grids: Vec<_> = rows.iter().map(|row| grid(row)).collect();
    // One look at every cell: which columns hold something in any row.
    let mut filled = vec![false; spans.last().map_or(0, |(left, _)| *left)];
    for row in &grids {
        for (filled, cell) in filled.iter_mut().zip(row) {
            *filled |= !cell.is_some_and(char::is_whitespace);
        }
    }
    let mut borders = Vec::with_capacity(spans.len());
    for pair in spans.windows(2) {
        let [(left, _), (right, _)] = pair else { continue };
        let usual = right.saturating_sub(1);
        let blank = |at: &usize| !filled.get(*at).copied().unwrap_or_default();
        borders.push((left + 1..=usual).rev().find(blank).unwrap_or(usual));
    }
    grids.iter().map(|row| cut(row, &borders)).collect()
}

fn cut(row: &[Option<char>], borders: &[usize]) -> Vec<String> {
    let mut cells = Vec::with_capacity(borders.len() + 1);
    let mut from = 0;
    for to in borders.iter().copied().chain([row.len()]) {
        let cell: String =
            row.get(from..to.min(row.len()).max(from)).unwrap_or_default().iter().flatten().collect();
        cells.push(cell.trim().to_owned());
        from = to.min(row.len());
        if from == row.len() {
            break;
        }
    }
    cells
}

/// The cells of a line that are parted by two blanks or more, for tables whose columns cannot be trusted.
pub fn wide_cells(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

/// One object a row, and the lines behind the table.
pub type Table<'l, 't> = (Vec<Object>, &'l [(u32, &'t str)]);

/// Reads a table whose header is the first of the lines and whose rule is the second; `None` if they are not.
pub fn table<'l, 't>(lines: &'l [(u32, &'t str)]) -> Option<Table<'l, 't>> {
    let [(_, header), (_, rule), rest @ ..] = lines else { return None };
    let spans = rule_spans(rule)?;
    if header.trim().is_empty() || rule_spans(header).is_some() || super::list::is_key_line(header) {
        return None;
    }
    let length = rest.iter().take_while(|(_, line)| !line.trim().is_empty()).count();
    let (body, behind) = rest.split_at_checked(length)?;
    let rows: Vec<&str> = std::iter::once(*header).chain(body.iter().map(|(_, line)| *line)).collect();
    let mut cut = cut_rows(&spans, &rows).into_iter();
    let names = cut.next()?;
    let mut objects: Vec<Object> = Vec::new();
    for ((line, _), cells) in body.iter().zip(cut) {
        if wraps(&cells, objects.last(), &spans) {
            append(objects.last_mut(), &cells);
        } else {
            objects.push(row(*line, &names, cells));
        }
    }
    Some((objects, behind))
}

/// A row whose only cell stands under a column that the row before filled to its last place goes on with that cell.
fn wraps(cells: &[String], before: Option<&Object>, spans: &[(usize, usize)]) -> bool {
    let mut filled = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
    let (Some((at, _)), None) = (filled.next(), filled.next()) else { return false };
    let width = match (spans.get(at), spans.get(at + 1)) {
        (Some((start, _)), Some((next, _))) => next - start - 1,
        _ => return false,
    };
    let cell = before.and_then(|object| object.properties.get(at)).and_then(|property| property.cell.text());
    spans.len() > 1 && cell.is_some_and(|cell| grid(&cell).len() >= width)
}

fn append(object: Option<&mut Object>, cells: &[String]) {
    let Some(object) = object else { return };
    for (property, more) in object.properties.iter_mut().zip(cells).filter(|(_, more)| !more.is_empty()) {
        if let Cell::Text(text) = &mut property.cell {
            text.push_str(more);
        }
    }
}

fn row(line: u32, names: &[String], cells: Vec<String>) -> Object {
    let properties = names.iter().zip(cells).map(|(name, cell)| Property {
        name: name.clone(),
        truncated: cell.ends_with('…') || cell.ends_with("..."),
        cell: Cell::of(&cell),
        line,
    });
    Object { line, properties: properties.collect() }
}

#[cfg(test)]
mod tests {
    use super::super::object::objects;
    use super::*;
    use crate::artifact::capture::Block;
    use crate::artifact::text::Text;

    fn read(text: &str) -> Vec<Vec<(String, Option<String>)>> {
        let text = Text::decode(text.as_bytes());
        let cells = |object: &Object| {
            let cell = |p: &Property| (p.name.clone(), p.cell.text().map(std::borrow::Cow::into_owned));
            object.properties.iter().map(cell).collect()
        };
        objects(&Block::whole(&text)).objects.iter().map(cells).collect()
    }

    #[test]
    fn columns_aligned_to_the_right() {
        // The layout of get_netconnectionprofile/en-win11-table-1 with a longer enumeration.
        let rows = read(
            "InterfaceAlias     NetworkCategory IPv4Connectivity\n\
             --------------     --------------- ----------------\n\
             Wi-Fi                       Public         Internet\n\
             VPN x          DomainAuthenticated     LocalNetwork\n",
        );
        let text = |row: usize, column: usize| rows[row][column].1.clone().unwrap();
        assert_eq!(text(1, 0), "VPN x");
        assert_eq!(text(1, 1), "DomainAuthenticated");
        assert_eq!(text(0, 2), "Internet");
    }

    #[test]
    fn wide_characters_take_two_cells() {
        let rows = read("Name         Index\n----         -----\nイーサネット     7\nab               12\n");
        assert_eq!(rows[0][0].1.as_deref(), Some("イーサネット"));
        assert_eq!(rows[0][1].1.as_deref(), Some("7"));
    }

    #[test]
    fn a_cell_that_wraps_is_joined() {
        // The layout of resolve_dnsname/en-1.
        let rows = read("Name   Type  NameHost\n----   ----  --------\nab.cd. CNAME x.y\nnet\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][0].1.as_deref(), Some("ab.cd.net"));
    }

    #[test]
    fn rules() {
        assert_eq!(rule_spans("---- --"), Some(vec![(0, 4), (5, 7)]));
        assert_eq!(rule_spans("- list item"), None);
        assert_eq!(rule_spans(""), None);
    }
}
