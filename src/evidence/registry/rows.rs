//! Everything that hives and texts hold, row by row, for `inspect --dump registry`.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Registry;
use super::hive_source::HiveSource;
use super::path::{below, join};
use super::text_source::TextSource;
use crate::artifact::ArtifactId;
use crate::artifact::hive::Walk;
use crate::artifact::reg_export::RegForm;
use crate::artifact::value::RegValue;
use crate::time::FileTime;

/// The kind of source that a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSource {
    /// A binary hive.
    Hive,
    /// A `.reg` export.
    Reg,
    /// `reg query` output or a PowerShell list.
    Query,
}

impl RowSource {
    /// The name in the dump.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hive => "hive",
            Self::Reg => "reg",
            Self::Query => "query",
        }
    }
}

/// One value with its key, or one key without values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub artifact: ArtifactId,
    /// What kind of source that is.
    pub source: RowSource,
    /// The key at its live place, `HKLM\SYSTEM\ControlSet001\…`; for a hive without a place the same as `hive_key`.
    pub key: Arc<str>,
    /// The key below the root of its hive, as stored.
    pub hive_key: Arc<str>,
    /// The value; `None` when the key has none.
    pub value: Option<RegValue>,
    /// When the key was last written; text forms do not tell.
    pub last_write: Option<FileTime>,
}

impl Row {
    /// The row as the dump writes it. `artifact` is the artifact's path in the bundle.
    pub fn to_json(&self, artifact: &str) -> Value {
        json!({
            "artifact": artifact,
            "source": self.source.name(),
            "key": *self.key,
            "hive_key": *self.hive_key,
            "value": self.value.as_ref().map(|value| value.name.as_str()),
            "type": self.value.as_ref().map(|value| value.kind.name()),
            "data": self.value.as_ref().map(RegValue::to_json),
            "last_write": self.last_write,
        })
    }
}

impl Registry {
    /// All rows of all hives and texts, in the order of the artifacts and within them in stored order. Hives are read while the
    /// rows are taken; only the values of one key are held at a time.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let mut sources: Vec<(ArtifactId, Source<'_>)> = Vec::new();
        sources.extend(self.hives.iter().map(|hive| (hive.standing.artifact, Source::Hive(hive))));
        sources.extend(self.texts.iter().map(|text| (text.standing.artifact, Source::Text(text))));
        sources.sort_by_key(|(artifact, _)| *artifact);
        sources.into_iter().flat_map(|(_, source)| -> Box<dyn Iterator<Item = Row>> {
            match source {
                Source::Hive(hive) => Box::new(HiveRows::new(hive)),
                Source::Text(text) => Box::new(text_rows(text)),
            }
        })
    }
}

enum Source<'r> {
    Hive(&'r HiveSource),
    Text(&'r TextSource),
}

/// The rows of a hive.
struct HiveRows<'r> {
    hive: &'r HiveSource,
    walk: Walk<'r>,
    /// Rows of the key that the walk is at.
    ready: VecDeque<Row>,
}

impl<'r> HiveRows<'r> {
    fn new(hive: &'r HiveSource) -> Self {
        Self { hive, walk: hive.hive.walk(), ready: VecDeque::new() }
    }
}

impl Iterator for HiveRows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(row);
            }
            let last_write = Some(self.walk.next()?.last_written());
            let hive_key: Arc<str> = Arc::from(self.walk.path());
            let key = if self.hive.place.is_empty() {
                Arc::clone(&hive_key)
            } else {
                Arc::from(join(&self.hive.place, &hive_key))
            };
            let artifact = self.hive.standing.artifact;
            let row = |value| Row {
                artifact,
                source: RowSource::Hive,
                key: Arc::clone(&key),
                hive_key: Arc::clone(&hive_key),
                value,
                last_write,
            };
            self.ready.extend(self.walk.values().map(|(value, data)| {
                row(Some(RegValue {
                    name: value.name().into_owned(),
                    kind: value.kind(),
                    truncated: data.truncated,
                    bytes: data.bytes.into_owned(),
                }))
            }));
            if self.ready.is_empty() {
                self.ready.push_back(row(None));
            }
        }
    }
}

/// The rows of a text form.
fn text_rows(text: &TextSource) -> impl Iterator<Item = Row> {
    let source = if text.text.form == RegForm::Export { RowSource::Reg } else { RowSource::Query };
    text.listed().flat_map(move |key| {
        let path: Arc<str> = Arc::from(key.path.as_str());
        let hive_key: Arc<str> = Arc::from(below_hive(&key.path));
        let values = key.values.iter().map(|(value, _)| Some(value.clone()));
        let none = key.values.is_empty().then_some(None);
        values.chain(none).map(move |value| Row {
            artifact: text.standing.artifact,
            source,
            key: Arc::clone(&path),
            hive_key: Arc::clone(&hive_key),
            value,
            last_write: key.last_written,
        })
    })
}

/// What of a live path lies below the root of its hive: all behind `HKLM\SYSTEM`, `HKU\<SID>` or `HKCU`.
fn below_hive(path: &str) -> &str {
    let roots = if below(path, "HKCU").is_some() || below(path, "HKCR").is_some() { 1 } else { 2 };
    path.splitn(roots + 1, '\\').nth(roots).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_below_the_hive() {
        for (path, expected) in [
            (r"HKLM\SYSTEM\CurrentControlSet\Services", r"CurrentControlSet\Services"),
            (r"HKLM\SYSTEM", ""),
            (r"HKCU\Software\Microsoft", r"Software\Microsoft"),
            (r"HKU\S-1-5-20\Software", "Software"),
            ("HKLM", ""),
        ] {
            assert_eq!(below_hive(path), expected);
        }
    }
}
