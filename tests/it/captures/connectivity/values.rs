//! Typed values of captures, read by eye.
//!
//! Each row names a file, the place of a value in the typed data (JSON pointer) and the value.

mod adapters;
mod names;
mod networks;

use serde_json::{Value, json};

use super::{bytes, files, read};

/// A file, the number of its capture among those of its kind, and values at places.
type Expected = (&'static str, usize, Vec<(&'static str, Value)>);

/// Compares; gives the number of files and of values.
fn compare(expected: &[Expected]) -> Option<(usize, usize)> {
    let kinds = files()?;
    let mut values = 0;
    for (file, number, wanted) in expected {
        let path = format!("{file}.txt");
        let kind = kinds.iter().find(|(name, _)| *name == path).map(|(_, kind)| *kind);
        let kind = kind.unwrap_or_else(|| panic!("{path} is not in the manifest"));
        let found: Vec<_> = read(&bytes(&path)?).into_iter().filter(|capture| capture.kind == kind).collect();
        let capture =
            found.get(*number).unwrap_or_else(|| panic!("{path}: no capture {number} in {found:?}"));
        let mut data = serde_json::to_value(&capture.data).unwrap();
        data["language"] = json!(capture.language);
        for (place, value) in wanted {
            let found = match place.strip_suffix('#') {
                // `…#` counts a list.
                Some(list) => data.pointer(list).and_then(Value::as_array).map(|list| json!(list.len())),
                None => data.pointer(place).cloned(),
            };
            assert_eq!(found.as_ref(), Some(value), "{path} {place} in {data:#}");
            values += 1;
        }
    }
    Some((expected.len(), values))
}

fn report(name: &str, compared: Option<(usize, usize)>) {
    match compared {
        Some((outputs, values)) => println!("{name}: {outputs} outputs, {values} values as read by eye"),
        None => println!("no corpus"),
    }
}
