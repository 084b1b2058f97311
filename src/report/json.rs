//! The report as JSON: the contract itself.

use super::model::Report;

/// One object, indented for people when it stands alone, on one line when several follow each other.
pub fn render(report: &Report, one_line: bool) -> Result<String, serde_json::Error> {
    if one_line { serde_json::to_string(report) } else { serde_json::to_string_pretty(report) }
}
