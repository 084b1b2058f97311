//! PowerShell's JSON: one object bare, several as an array, and the `value`/`Count` wrapper that PS 5.1 puts around arrays.

use serde_json::Value;

use super::super::Block;
use super::object::{Cell, Form, Object, Objects, Property};
use crate::artifact::{Place, Problem};

/// How far ahead a key is looked for; only repeated keys and keys with escapes are not the very next one.
const KEYS_AHEAD: usize = 64;

/// Whether the text from that line on begins the way JSON does, not only with a brace (`{GUID}`, `[01]: KB…`, `[Section]`).
pub(super) fn looks_like(block: &Block<'_>, from: u32) -> bool {
    let text = block.text.span(from, block.to).trim_start();
    let mut rest = text.chars().skip(1).filter(|c| !c.is_whitespace());
    match (text.chars().next(), rest.next()) {
        (Some('{'), Some('"' | '}')) | (Some('['), Some('{' | ']' | '[')) => true,
        (Some('['), Some('"')) => rest.any(|c| c == ']'),
        _ => false,
    }
}

/// Reads all JSON documents from that line on, one after another.
pub(super) fn objects(block: &Block<'_>, from: u32) -> Objects {
    let text = block.text.span(from, block.to);
    let mut found = Objects::new(Form::Json);
    let keys = key_lines(text, from);
    let mut keys = keys.as_slice();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        match stream.next() {
            Some(Ok(value)) => unwrap(&value, &mut keys, from, &mut found.objects),
            None => break,
            Some(Err(error)) => {
                let rest = text.get(stream.byte_offset()..).unwrap_or_default().trim_start();
                // Text behind a document (a prompt, the next output) is not part of it.
                if found.objects.is_empty() || rest.starts_with(['{', '[']) {
                    let line =
                        from.saturating_add(u32::try_from(error.line()).unwrap_or(1)).saturating_sub(1);
                    let problem =
                        Problem::new(Place::Line(line), "a complete JSON document", error.to_string());
                    found.problems.push(problem);
                }
                break;
            }
        }
    }
    found
}

/// Takes arrays and the `value`/`Count` wrapper off and collects the objects. serde_json bounds the depth.
fn unwrap(value: &Value, keys: &mut &[(&str, u32)], line: u32, into: &mut Vec<Object>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| unwrap(item, keys, line, into)),
        Value::Object(map) => match (map.get("value"), map.get("Count"), map.len()) {
            (Some(Value::Array(items)), Some(_), 2) => {
                items.iter().for_each(|item| unwrap(item, keys, line, into));
            }
            _ => {
                let properties: Vec<Property> = map
                    .iter()
                    .map(|(name, value)| Property {
                        name: name.clone(),
                        cell: cell(value),
                        line: line_of(name, value, keys).unwrap_or(line),
                        truncated: false,
                    })
                    .collect();
                let line = properties.first().map_or(line, |property| property.line);
                into.push(Object { line, properties });
            }
        },
        _ => {}
    }
}

/// The line of the next key of that name; keys inside its value are passed over.
fn line_of(name: &str, value: &Value, keys: &mut &[(&str, u32)]) -> Option<u32> {
    let at = keys.iter().take(KEYS_AHEAD).position(|(key, _)| *key == name)?;
    let line = keys.get(at).map(|(_, line)| *line);
    *keys = keys.get(at + 1 + count_keys(value)..).unwrap_or_default();
    line
}

fn count_keys(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(|inner| 1 + count_keys(inner)).sum(),
        Value::Array(items) => items.iter().map(count_keys).sum(),
        _ => 0,
    }
}

/// A JSON value as a cell; objects within objects (a serialised enumeration) count by their `value`.
fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(truth) => Cell::Truth(*truth),
        Value::Number(number) => number.as_i64().map_or_else(|| Cell::Text(number.to_string()), Cell::Number),
        Value::String(text) => Cell::of(text),
        Value::Array(items) => Cell::List(items.iter().map(cell).collect()),
        Value::Object(map) => map.get("value").or_else(|| map.get("Value")).map_or(Cell::Empty, cell),
    }
}

/// Every object key of a JSON text with its line, in their order.
fn key_lines(text: &str, first: u32) -> Vec<(&str, u32)> {
    let mut keys = Vec::new();
    let mut line = first;
    let mut string: Option<(usize, usize)> = None;
    let mut open: Option<usize> = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\n' {
            line = line.saturating_add(1);
        }
        match (open, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(start), b'"') => {
                string = Some((start, at));
                open = None;
            }
            (Some(_), _) => {}
            (None, b'"') => open = Some(at + 1),
            (None, b':') => {
                if let Some(key) = string.take().and_then(|(start, end)| text.get(start..end)) {
                    keys.push((key, line));
                }
            }
            (None, byte) if byte.is_ascii_whitespace() => {}
            (None, _) => string = None,
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::super::object::{Form, objects};
    use crate::artifact::capture::Block;
    use crate::artifact::text::Text;

    fn names(text: &str) -> Vec<(String, u32)> {
        let text = Text::decode(text.as_bytes());
        let found = objects(&Block::whole(&text));
        assert_eq!(found.form, Form::Json);
        found
            .objects
            .iter()
            .map(|object| (object.text("Name").unwrap(), object.property("Name").unwrap().line))
            .collect()
    }

    #[test]
    fn one_object_an_array_and_the_wrapper() {
        assert_eq!(names("{\n  \"Name\":  \"a\"\n}\n"), [("a".into(), 2)]);
        assert_eq!(names("[\n{\"Name\": \"a\"},\n{\"Name\": \"b\"}\n]"), [("a".into(), 2), ("b".into(), 3)]);
        let wrapped = "{\n\"value\": [\n{\"Name\": \"a\",\n\"C\": {\"Name\": 1}},\n{\"Name\": \"b\"}\n],\n\"Count\": 2\n}";
        assert_eq!(names(wrapped), [("a".into(), 3), ("b".into(), 5)]);
    }

    #[test]
    fn documents_one_after_another_behind_a_heading() {
        assert_eq!(
            names("Heading:\n{\"Name\": \"a\"}\n{\"Name\": \"b\"}\nC:\\>"),
            [("a".into(), 2), ("b".into(), 3)]
        );
    }

    #[test]
    fn a_cut_document_is_a_problem_with_its_line() {
        let text = Text::decode(b"{\n\"Name\": \"a\",\n\"Proxy\": \"ht");
        let found = objects(&Block::whole(&text));
        assert!(found.objects.is_empty());
        assert_eq!(found.problems.len(), 1);
    }
}
