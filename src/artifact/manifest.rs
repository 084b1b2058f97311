//! The manifest that the collector writes: what was collected, how it went, when, and by whom.

use serde::Deserialize;

use crate::time::FileTime;

/// `manifest.json` of a collection, as far as the analysis uses it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Manifest {
    /// Schema id, `actriage.manifest/1`.
    #[serde(default)]
    pub schema: String,
    /// UTC time at which the collection started, RFC 3339.
    #[serde(default)]
    pub collected_at: String,
    /// SID of the user who ran the collector.
    #[serde(default)]
    pub user_sid: Option<String>,
    /// SID of the affected user, where the person who collected named one (`-User`).
    #[serde(default)]
    pub affected_user_sid: Option<String>,
    /// Whether the collector ran elevated.
    #[serde(default)]
    pub elevated: Option<bool>,
    /// Culture of the person who collected (`de-DE`): the language of command outputs is that of the machine and may differ.
    #[serde(default)]
    pub culture: Option<String>,
    /// Language of Windows' own texts for that person.
    #[serde(default)]
    pub ui_culture: Option<String>,
    /// Version of PowerShell.
    #[serde(default)]
    pub powershell: Option<String>,
    /// Version of the collector's script, where that wrote it.
    #[serde(default)]
    pub script_version: Option<String>,
    /// What was asked for and what came of it.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// Records may be so much later than the collection: clocks are read one after the other (decision 15).
const TOLERANCE_SECONDS: i64 = 5 * 60;

/// One collected (or missed) item.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Item {
    /// Artifact id. Several items have the same id when it takes several files.
    #[serde(default)]
    pub id: String,
    /// The command that was run.
    #[serde(default)]
    pub command: Option<String>,
    /// `success`, `missing`, `empty`, `failed`, `skipped`.
    #[serde(default)]
    pub outcome: String,
    /// Why it is not `success`.
    #[serde(default)]
    pub error: Option<String>,
    /// Path of the file, relative to the manifest.
    #[serde(default)]
    pub path: Option<String>,
    /// SHA-256 of the file in hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// How long it took.
    #[serde(default)]
    pub milliseconds: Option<u64>,
    /// What an exported event log covers.
    #[serde(default)]
    pub log: Option<LogSpan>,
}

/// What an exported event log covers: every record of the channel since the later of the two times.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct LogSpan {
    /// The channel.
    #[serde(default)]
    pub channel: String,
    /// The export was asked for records since then, RFC 3339.
    #[serde(default)]
    pub from: String,
    /// Time of the oldest record of the whole log, RFC 3339; `None` when it has none.
    #[serde(default)]
    pub oldest: Option<String>,
}

impl LogSpan {
    /// Since when every record of the channel is in the export. `None` for a log without any record: it may have been off.
    pub fn since(&self) -> Option<FileTime> {
        let oldest = FileTime::parse(self.oldest.as_deref()?)?;
        Some(FileTime::parse(&self.from)?.max(oldest))
    }
}

impl Item {
    /// Why there is nothing to read, for people: `needs elevation`, `failed: Access is denied.`
    pub fn shortfall(&self) -> Option<String> {
        let error = self.error.as_deref().map(str::trim).filter(|text| !text.is_empty());
        match (self.outcome.as_str(), error) {
            ("success", _) => None,
            ("missing", Some(error)) => Some(error.to_owned()),
            (outcome, Some(error)) => Some(format!("{outcome}: {error}")),
            (outcome, None) => Some(outcome.to_owned()),
        }
    }
}

impl Manifest {
    /// Reads a manifest; `None` when the JSON is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let manifest: Self = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        manifest.schema.starts_with("actriage.manifest/").then_some(manifest)
    }

    /// The collection time.
    pub fn time(&self) -> Option<FileTime> {
        FileTime::parse(&self.collected_at)
    }

    /// Whether our own script wrote it, on the machine itself: its times are of the clock of that machine.
    pub fn is_of_the_script(&self) -> bool {
        self.script_version.is_some()
    }

    /// The latest time at which the collection can have ended: its start, which is written down, the time that the items took, and a
    /// tolerance.
    pub fn over_by(&self) -> Option<FileTime> {
        let spent = self.items.iter().filter_map(|item| item.milliseconds).fold(0, u64::saturating_add);
        let spent = i64::try_from(spent / 1_000).unwrap_or(i64::MAX);
        Some(self.time()?.plus_seconds(spent.saturating_add(TOLERANCE_SECONDS)))
    }

    /// Why an item was not collected. `None` when a file of it was, or when it was not asked for.
    pub fn shortfall(&self, id: &str) -> Option<String> {
        let mut items = self.items.iter().filter(|item| item.id.eq_ignore_ascii_case(id)).peekable();
        let first = items.peek().copied()?;
        items.all(|item| item.outcome != "success").then(|| first.shortfall()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"schema": "actriage.manifest/1", "collected_at": "2026-11-20T09:12:44Z", "elevated": false, "items": [
        {"id": "hive-system", "command": null, "outcome": "missing", "error": "needs elevation", "path": null},
        {"id": "services", "outcome": "failed", "error": "Access is denied.\r\n"},
        {"id": "keys-user", "outcome": "missing", "error": "no such key"},
        {"id": "keys-user", "outcome": "success"},
        {"id": "log-system", "outcome": "success", "log":
            {"channel": "System", "from": "2026-10-21T09:12:44Z", "oldest": "2026-11-01T00:00:00.0000000Z"}}]}"#;

    #[test]
    fn what_is_missing_says_why() {
        let manifest = Manifest::parse(TEXT).unwrap();
        assert_eq!(manifest.shortfall("hive-system").as_deref(), Some("needs elevation"));
        assert_eq!(manifest.shortfall("services").as_deref(), Some("failed: Access is denied."));
        assert_eq!(manifest.shortfall("keys-user"), None, "one of its files was collected");
        assert_eq!(manifest.shortfall("hosts"), None, "it was not asked for");
    }

    #[test]
    fn an_export_covers_what_the_log_still_had() {
        let manifest = Manifest::parse(TEXT).unwrap();
        let span = manifest.items[4].log.clone().unwrap();
        assert_eq!(span.since(), FileTime::parse("2026-11-01T00:00:00Z"));
        let longer = LogSpan { oldest: Some("2020-01-01T00:00:00Z".into()), ..span.clone() };
        assert_eq!(longer.since(), FileTime::parse("2026-10-21T09:12:44Z"));
        assert_eq!(LogSpan { oldest: None, ..span }.since(), None);
    }

    #[test]
    fn a_collection_ends_after_its_items() {
        let text = r#"{"schema": "actriage.manifest/1", "collected_at": "2026-11-20T08:10:00Z", "items": [
            {"id": "appx", "milliseconds": 120000}, {"id": "hosts"}, {"id": "systeminfo", "milliseconds": 60999}]}"#;
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.over_by(), FileTime::parse("2026-11-20T08:18:00Z"));
        assert_eq!(Manifest::default().over_by(), None);
    }

    #[test]
    fn other_json_is_no_manifest() {
        assert!(Manifest::parse("{}").is_none());
        assert!(Manifest::parse(r#"{"schema": "other/1"}"#).is_none());
    }
}
