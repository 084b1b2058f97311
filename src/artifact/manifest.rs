//! The manifest that the collector writes: what was collected, how it went, and when.

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
    /// What was asked for and what came of it.
    #[serde(default)]
    pub items: Vec<Item>,
}

/// One collected (or missed) item.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Item {
    /// Artifact id.
    #[serde(default)]
    pub id: String,
    /// The command that was run.
    #[serde(default)]
    pub command: String,
    /// `success`, `missing`, `empty`, `failed`, `skipped`.
    #[serde(default)]
    pub outcome: String,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// Path of the file in the bundle.
    #[serde(default)]
    pub path: Option<String>,
    /// SHA-256 of the file in hex.
    #[serde(default)]
    pub sha256: Option<String>,
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
}
