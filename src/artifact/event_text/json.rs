//! `Get-WinEvent | ConvertTo-Json`, of PowerShell 5 and 7.
//!
//! Objects are cut out by their braces and parsed one by one, so a broken or cut-off one costs only itself.

use serde_json::Value;

use super::record::{Item, Record};
use crate::artifact::text::Text;
use crate::artifact::{Place, Problem};

/// Members that tell an event from any other object.
const MARKS: [&str; 3] = ["\"ProviderName\"", "\"Id\"", "\"TimeCreated\""];

/// Whether the text is JSON with the members of an event.
pub(super) fn recognise(text: &Text) -> bool {
    let bytes = text.as_str().as_bytes();
    let first = text.as_str().trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).chars().next();
    matches!(first, Some('[' | '{'))
        && MARKS.iter().all(|mark| memchr::memmem::find(bytes, mark.as_bytes()).is_some())
}

/// Reads the objects at the top or in the outermost list.
pub(super) fn read(text: &Text, problems: &mut Vec<Problem>) -> Vec<Record> {
    let mut records = Vec::new();
    for (line, object) in objects(text.as_str()) {
        match serde_json::from_str(object) {
            Ok(Value::Object(members)) => records.push(record(line, members)),
            Ok(_) => {}
            Err(error) => {
                problems.push(Problem::new(
                    Place::Line(line),
                    "a JSON object of an event",
                    error.to_string(),
                ));
            }
        }
    }
    records
}

/// The outermost `{…}` of a text with their lines; the last one may lack its end.
fn objects(text: &str) -> Vec<(u32, &str)> {
    let mut found = Vec::new();
    let (mut depth, mut start, mut line, mut first_line) = (0_usize, 0, 1_u32, 1_u32);
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'\n' {
            line += 1;
        }
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' if depth > 0 => in_string = true,
            b'{' => {
                if depth == 0 {
                    (start, first_line) = (at, line);
                }
                depth += 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.extend(text.get(start..=at).map(|object| (first_line, object)));
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        found.extend(text.get(start..).map(|object| (first_line, object)));
    }
    found
}

fn record(line: u32, members: serde_json::Map<String, Value>) -> Record {
    let mut record = Record::new(line);
    for (name, value) in members {
        if name == "Properties" {
            record.items = items(&value);
        } else if let Some(text) = text_of(&value) {
            record.properties.push((name, text));
        }
    }
    record
}

/// The text of a property. Objects (a SID, a decorated date) hold it in `Value`.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Object(members) => {
            let (_, inner) = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("value"))?;
            text_of(inner)
        }
        Value::Null | Value::Array(_) => None,
    }
}

/// The items of `Properties`: objects with a `Value`. At the default depth PowerShell 5 writes only their type, which says nothing.
fn items(value: &Value) -> Vec<Item> {
    let Value::Array(values) = value else { return Vec::new() };
    let item = |value: &Value| match value.get("Value") {
        Some(Value::Array(bytes)) => Item::Bytes(hex(bytes)),
        Some(inner) => Item::Text(text_of(inner).unwrap_or_default()),
        None => Item::Text(String::new()),
    };
    let values = values.iter().filter(|value| value.is_object());
    values.map(item).collect()
}

fn hex(bytes: &[Value]) -> String {
    let byte = |value: &Value| value.as_u64().and_then(|number| u8::try_from(number).ok());
    bytes.iter().filter_map(byte).map(|byte| format!("{byte:02X}")).collect()
}
