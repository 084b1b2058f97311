//! The report as CSV (RFC 4180): one row a check and piece of evidence, for people who filter and count.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, wherever it came from; such a cell gets an apostrophe in
//! front (OWASP, CSV Injection), negative numbers included.

use super::model::{CheckInfo, EvidenceInfo, Report};
use super::visible;

/// Names of the columns. New ones come last.
pub const COLUMNS: [&str; 24] = [
    "bundle",
    "outcome",
    "check",
    "title",
    "layer",
    "status",
    "confidence",
    "cause_rank",
    "summary",
    "artifact",
    "locator",
    "observed",
    "expected",
    "time",
    "notes",
    "caused_by",
    "explains",
    "missing",
    "collect",
    "fix",
    "caution",
    "rollback",
    "verify",
    "references",
];

/// Between the items of a list in one cell.
const BETWEEN: &str = " | ";

/// The first row.
pub fn head() -> String {
    row(COLUMNS.map(str::to_owned))
}

/// The rows of a report, without the first row.
pub fn rows(report: &Report) -> String {
    let mut out = String::new();
    for check in &report.checks {
        if check.evidence.is_empty() {
            out.push_str(&line(report, check, None));
        }
        for item in &check.evidence {
            out.push_str(&line(report, check, Some(item)));
        }
    }
    out
}

fn line(report: &Report, check: &CheckInfo, item: Option<&EvidenceInfo>) -> String {
    let rank = report.verdict.root_causes.iter().position(|id| *id == check.id);
    let of_item = |field: fn(&EvidenceInfo) -> String| item.map(field).unwrap_or_default();
    let remedy = check.remedy.as_ref();
    let missing: Vec<&str> = check.missing.iter().map(|item| item.what.as_str()).collect();
    let collect: Vec<&str> = check.missing.iter().map(|item| item.collect.as_str()).collect();
    row([
        report.bundle.path.clone(),
        super::verdict_word(report.verdict.outcome).to_lowercase(),
        check.id.clone(),
        check.title.clone(),
        check.layer.to_owned(),
        check.status.name().to_owned(),
        super::confidence_words(check).map(|words| words.replace(" confidence", "")).unwrap_or_default(),
        rank.map(|rank| (rank + 1).to_string()).unwrap_or_default(),
        check.summary.clone(),
        of_item(|item| item.artifact.clone()),
        of_item(|item| item.locator.clone()),
        of_item(|item| item.observed.clone()),
        of_item(|item| item.expected.clone().unwrap_or_default()),
        of_item(|item| item.time.map(|time| time.to_string()).unwrap_or_default()),
        check.notes.join(BETWEEN),
        check.caused_by.join(BETWEEN),
        check.explains.join(BETWEEN),
        missing.join(BETWEEN),
        collect.join(BETWEEN),
        remedy.map(|remedy| remedy.steps.join(BETWEEN)).unwrap_or_default(),
        remedy.map(|remedy| remedy.caution.clone()).unwrap_or_default(),
        remedy.map(|remedy| remedy.rollback.clone()).unwrap_or_default(),
        remedy.map(|remedy| remedy.verify.clone()).unwrap_or_default(),
        remedy.map(|remedy| remedy.references.join(BETWEEN)).unwrap_or_default(),
    ])
}

fn row(cells: [String; COLUMNS.len()]) -> String {
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// Every cell is quoted: then no separator of any country splits it.
fn cell(text: &str) -> String {
    // The letters of full width count as well where Excel runs in Japanese or Chinese.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", visible(text).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(cell(bad).starts_with("\"'"), "{bad}");
        }
        assert_eq!(cell("a\"b,c"), "\"a\"\"b,c\"");
        // A formula cannot be hidden behind a quotation mark that closes the cell.
        assert_eq!(cell("x\",=1"), "\"x\"\",=1\"");
    }
}
