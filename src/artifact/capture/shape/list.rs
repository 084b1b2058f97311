//! `Format-List`: one `Key : value` a line, blank lines between objects.

use super::super::shape::indent;
use super::object::{Cell, Object, Objects, Property};

/// Longest key that is believed; calculated properties can be long, sentences with a colon are longer.
const LONGEST_KEY: usize = 64;

/// Most keys of one object; `Format-List *` of the largest CIM classes has some 130.
const MOST_KEYS: usize = 512;

/// A key line: the key, the value and the column of the colon.
fn key_line(line: &str) -> Option<(&str, &str, usize)> {
    let at = line.char_indices().find_map(|(at, c)| {
        let after = line.get(at + 1..)?;
        (c == ':' && (after.is_empty() || after.starts_with(char::is_whitespace))).then_some(at)
    })?;
    let key = line.get(..at)?;
    // The blank before the colon tells a list from sentences (`WARNING: …`) and from other outputs (`Server:  name`).
    if !key.ends_with(char::is_whitespace) {
        return None;
    }
    let key = key.trim();
    let known = !key.is_empty() && key.len() <= LONGEST_KEY && !key.contains([':', '{', '"', '|']);
    known.then(|| (key, line.get(at + 1..).unwrap_or_default().trim(), indent_of_colon(line, at)))
}

fn indent_of_colon(line: &str, at: usize) -> usize {
    line.get(..at).unwrap_or_default().chars().count()
}

/// Whether a line has the form of a property of a list.
pub(super) fn is_key_line(line: &str) -> bool {
    key_line(line).is_some()
}

/// Reads one object, or passes over one line that belongs to none; gives back the lines behind it.
pub(super) fn object<'l, 't>(lines: &'l [(u32, &'t str)], found: &mut Objects) -> &'l [(u32, &'t str)] {
    let Some(((number, line), behind)) = lines.split_first() else { return lines };
    if key_line(line).is_none() {
        if !line.trim().is_empty() {
            found.stray.push(*number);
        }
        return behind;
    }
    let mut object = Object { line: *number, properties: Vec::new() };
    let mut values: Vec<String> = Vec::new();
    let mut column = 0;
    let mut taken = 0;
    for (number, line) in lines {
        // A blank line with the indent of the values is part of a value (an HTTP body), any other ends the object.
        let continues = !values.is_empty() && indent(line) > column && column > 0;
        match key_line(line) {
            _ if continues => {
                if let Some(value) = values.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim());
                }
            }
            Some((key, ..)) if object.has(key) || values.len() >= MOST_KEYS => break,
            Some((key, value, colon)) => {
                object.properties.push(Property {
                    name: key.to_owned(),
                    cell: Cell::Empty,
                    line: *number,
                    truncated: false,
                });
                values.push(value.to_owned());
                column = colon;
            }
            None => break,
        }
        taken += 1;
    }
    for (property, value) in object.properties.iter_mut().zip(&values) {
        property.cell = Cell::of(value);
        // Lists wrap; only the values of a collection are cut. A network may be called "...".
        property.truncated = ["…", "…}", "...}"].iter().any(|end| value.ends_with(end));
    }
    found.objects.push(object);
    lines.get(taken..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::super::Block;
    use super::super::object::objects;
    use crate::artifact::text::Text;

    #[test]
    fn objects_end_at_blank_lines_and_at_repeated_keys() {
        // A paste that lost its blank lines, and a colon one off (text_formats.md 4.1).
        let text = Text::decode(b"Name   : a\nAlias : x : y\nName   : b\nAlias  : z\n\nName   : c\n");
        let found = objects(&Block::whole(&text));
        let names: Vec<_> = found.objects.iter().filter_map(|object| object.text("name")).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(found.objects[0].text("Alias").as_deref(), Some("x : y"));
        assert_eq!(found.objects[2].line, 6);
    }

    #[test]
    fn continuation_lines_keep_their_breaks() {
        let text = Text::decode(
            b"RawContent : HTTP/1.1 200 OK\n             Date: Mon\n             \n             Body\nForms      : {}\n",
        );
        let found = objects(&Block::whole(&text));
        assert_eq!(found.objects.len(), 1);
        assert_eq!(
            found.objects[0].text("RawContent").as_deref(),
            Some("HTTP/1.1 200 OK\nDate: Mon\n\nBody")
        );
    }

    #[test]
    fn sentences_are_no_properties() {
        let text = Text::decode(b"WARNING: TCP connect to (192.168.0.103 : 5985) failed\n\nName : a\n");
        let found = objects(&Block::whole(&text));
        assert_eq!((found.objects.len(), found.stray.as_slice()), (1, [1].as_slice()));
    }
}
