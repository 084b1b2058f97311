//! `Get-WinEvent | Format-List`, with the four properties of its default view or with all of them (`*`), and `Get-EventLog` likewise.
//!
//! A property starts a line, with its colon in the same column for all of an object. Everything that is indented deeper, or blank, goes
//! on with the value before: messages have many lines, and long values are broken at the width of the console.

use super::record::Record;
use crate::artifact::Problem;
use crate::artifact::text::Text;

/// Properties that tell an event from any other object; one of each pair has to be there.
const MARKS: [[&str; 2]; 3] =
    [["ProviderName", "Source"], ["Id", "EventID"], ["TimeCreated", "TimeGenerated"]];
/// Values that are broken at words rather than anywhere.
const MESSAGE: &str = "Message";

/// A line that starts a property.
struct Start<'t> {
    indent: usize,
    name: &'t str,
    /// Column of the colon.
    colon: usize,
    value: &'t str,
}

fn start(line: &str) -> Option<Start<'_>> {
    let indent = line.len() - line.trim_start().len();
    let colon = line.find(':')?;
    let name = line.get(indent..colon)?.trim_end();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let behind = line.get(colon + 1..)?;
    let spaced = line.get(..colon)?.ends_with(' ') && (behind.is_empty() || behind.starts_with(' '));
    (is_name && spaced).then(|| Start { indent, name, colon, value: behind.trim() })
}

/// Whether the text has an object with the properties of an event.
pub(super) fn recognise(text: &Text) -> bool {
    let bytes = text.as_str().as_bytes();
    let named = |name: &str| memchr::memmem::find(bytes, name.as_bytes()).is_some();
    MARKS.iter().all(|pair| pair.iter().any(|name| named(name))) && objects(text).iter().any(is_event)
}

fn is_event(record: &Record) -> bool {
    MARKS.iter().all(|pair| pair.iter().any(|name| record.has(name)))
}

/// Reads the events among the objects.
pub(super) fn read(text: &Text, _: &mut Vec<Problem>) -> Vec<Record> {
    let mut records = objects(text);
    records.retain(is_event);
    records
}

/// The objects of a text: runs of properties whose names do not repeat and whose colons stand in one column.
fn objects(text: &Text) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut column = (0, 0);
    for (number, line) in text.lines() {
        match start(line) {
            Some(found) => {
                let place = (found.indent, found.colon);
                let continues =
                    records.last().is_some_and(|record| !record.has(found.name) && place == column);
                let deeper = found.indent > column.0 && !records.is_empty();
                if !continues && deeper {
                    // A line of a message that happens to look like a property.
                    add_line(&mut records, line);
                    continue;
                }
                if !continues {
                    records.push(Record::new(number));
                    column = place;
                }
                if let Some(record) = records.last_mut() {
                    record.properties.push((found.name.to_owned(), found.value.to_owned()));
                }
            }
            None => add_line(&mut records, line),
        }
    }
    records
}

/// Goes on with the value of the last property.
fn add_line(records: &mut [Record], line: &str) {
    let Some((name, value)) = records.last_mut().and_then(|record| record.properties.last_mut()) else {
        return;
    };
    if name.eq_ignore_ascii_case(MESSAGE) {
        value.push('\n');
    }
    value.push_str(line.trim());
}
