//! The row of one bundle: the worker's line (`actriage.row/1`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The schema that this writes.
pub const SCHEMA: &str = "actriage.row/1";

/// What became of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Analysed, every file read.
    Ok,
    /// Analysed, some files not or not wholly read.
    Partial,
    /// Nothing of it could be read.
    Unreadable,
    /// It took longer than allowed.
    Timeout,
    /// The worker died of it.
    Crashed,
}

impl Status {
    /// As the row writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Unreadable => "unreadable",
            Self::Timeout => "timeout",
            Self::Crashed => "crashed",
        }
    }
}

/// One bundle.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Hash of the content: 64 hex digits.
    pub bundle_id: String,
    /// Where it was found, as given.
    pub path: String,
    /// What became of it.
    pub status: Status,
    /// Why there is no report; of a `partial` one, what is wrong with the first file that was not wholly read.
    pub error: Option<String>,
    /// Size of the archive, or of all files of a folder; null when that is not known.
    pub bytes: Option<u64>,
    /// SHA-256 of the archive; null for a folder.
    pub sha256: Option<String>,
    /// When the archive was last changed (RFC 3339); null for a folder. Tells a resumed run that it is the same file.
    pub modified: Option<String>,
    /// Prefix of the computer name.
    pub site: Option<String>,
    /// Host of the proxy or script in force, `direct`, or null when that is not known.
    pub proxy_host: Option<String>,
    /// When this row was made (RFC 3339).
    pub analyzed_at: String,
    /// How long that took, in milliseconds.
    pub duration_ms: u64,
    /// Version of the program.
    pub tool_version: &'static str,
    /// The report (`actriage.report/1`) of an `ok` or `partial` bundle; else null.
    pub report: Option<Value>,
}

/// What triage itself reads of a row.
#[derive(Clone, Debug, Deserialize)]
pub struct Head {
    /// As in [`Row`].
    pub bundle_id: String,
    /// As in [`Row`].
    pub path: String,
    /// As in [`Row`].
    pub status: Status,
    /// As in [`Row`].
    pub error: Option<String>,
    /// As in [`Row`].
    pub bytes: Option<u64>,
    /// As in [`Row`].
    pub modified: Option<String>,
    /// What triage reads of the report.
    pub report: Option<HeadReport>,
}

/// The verdict inside the report.
#[derive(Clone, Debug, Deserialize)]
pub struct HeadReport {
    /// The verdict.
    pub verdict: HeadVerdict,
}

/// What the verdict says.
#[derive(Clone, Debug, Deserialize)]
pub struct HeadVerdict {
    /// `blocked`, `suspect`, `clear` or `inconclusive`.
    pub outcome: String,
    /// Most likely first.
    pub root_causes: Vec<String>,
}

impl Head {
    /// The verdict; `None` where there is no report.
    pub fn verdict(&self) -> Option<&HeadVerdict> {
        self.report.as_ref().map(|report| &report.verdict)
    }
}
