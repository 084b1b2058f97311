//! `wevtutil qe /f:text`.
//!
//! Labels are English on every system, values are not:
//!
//! ```text
//! Event[0]:
//!   Log Name: Application
//!   Source: WLMS
//!   Date: 2020-12-14T17:09:08.940
//!   Event ID: 100
//!   Level: Information
//!   Description:
//! text, not indented
//! ```

use super::record::Record;
use crate::artifact::Problem;
use crate::artifact::text::Text;

/// Some builds of Windows Server 2022 write these labels on one line, because the line ends are lost with a NUL.
const RUN_TOGETHER: &[&str] = &["Level:", "Opcode:", "Keyword:", "User:"];

/// Whether the text has `Event[n]` with a property of an event below it.
pub(super) fn recognise(text: &Text) -> bool {
    let found = |(number, line): (u32, &str)| {
        is_start(line) && (number + 1..number + 4).any(|next| label(text.line(next), "Log Name").is_some())
    };
    memchr::memmem::find(text.as_str().as_bytes(), b"Event[").is_some() && text.lines().any(found)
}

/// `Event[12]` or `Event[12]:`.
fn is_start(line: &str) -> bool {
    let inner = line.trim().strip_prefix("Event[").map(|rest| rest.strip_suffix(':').unwrap_or(rest));
    let digits = inner.and_then(|rest| rest.strip_suffix(']'));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The value behind a label.
fn label<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    line.trim_start().strip_prefix(name)?.strip_prefix(':')
}

/// Reads every `Event[n]` block.
pub(super) fn read(text: &Text, _: &mut Vec<Problem>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut description: Option<String> = None;
    for (number, line) in text.lines() {
        if is_start(line) {
            end_description(&mut records, &mut description);
            records.push(Record::new(number));
            continue;
        }
        let Some(record) = records.last_mut() else { continue };
        if let Some(lines) = &mut description {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(line);
        } else if let Some(first) = label(line, "Description") {
            description = Some(first.trim().to_owned());
        } else {
            properties(line, record);
        }
    }
    end_description(&mut records, &mut description);
    records
}

fn end_description(records: &mut [Record], description: &mut Option<String>) {
    if let (Some(record), Some(text)) = (records.last_mut(), description.take()) {
        record.properties.push(("Description".to_owned(), text));
    }
}

fn properties(line: &str, record: &mut Record) {
    let mut rest = line;
    for name in RUN_TOGETHER {
        // The line itself may start with this label; only a later one is run together.
        let split = rest.find(name).filter(|at| !rest.get(..*at).unwrap_or_default().trim().is_empty());
        if let Some((before, behind)) = split.and_then(|at| rest.split_at_checked(at)) {
            property(before, record);
            rest = behind;
        }
    }
    property(rest, record);
}

fn property(line: &str, record: &mut Record) {
    if let Some((name, value)) = line.split_once(':') {
        let value = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\0' | '?' | ','));
        record.properties.push((name.trim().to_owned(), value.to_owned()));
    }
}
