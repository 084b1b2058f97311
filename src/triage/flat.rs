//! A row as the columns of the dataset (contract section 6): one row of `bundles`, and one of `findings` for each blocker or warning.
//!
//! It is plain data, so that Parquet, `actriage worker --flat` (for Spark and its like) and tests all have the same columns from the same
//! code.

use serde::{Deserialize, Serialize};

/// A row of `bundles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleRow {
    /// Hash of the content.
    pub bundle_id: String,
    /// Where it was found.
    pub path: String,
    /// SHA-256 of the archive; null for a folder.
    pub sha256: Option<String>,
    /// Size.
    pub bytes: Option<i64>,
    /// `blocked`, `suspect`, `clear`, `inconclusive`; null where there is no report.
    pub outcome: Option<String>,
    /// The most likely cause.
    pub root_cause: Option<String>,
    /// All causes, most likely first.
    pub root_causes: Vec<String>,
    /// Windows, named by its build.
    pub os_product: Option<String>,
    /// Build.
    pub os_build: Option<i32>,
    /// Update build revision.
    pub os_ubr: Option<i32>,
    /// Version of Office.
    pub office_version: Option<String>,
    /// Its products.
    pub office_products: Vec<String>,
    /// Computer name, or its pseudonym.
    pub computer: Option<String>,
    /// Prefix of the computer name.
    pub site: Option<String>,
    /// Host of the proxy in force, or `direct`.
    pub proxy_host: Option<String>,
    /// When it was collected (UTC).
    pub collected_at: Option<String>,
    /// When it was analysed (UTC).
    pub analyzed_at: Option<String>,
    /// Files that were read, wholly or in part.
    pub artifacts_read: i32,
    /// Files that are evidence and could not be read.
    pub artifacts_unreadable: i32,
    /// `ok`, `partial`, `unreadable`, `timeout`, `crashed`.
    pub status: String,
    /// What is wrong.
    pub error: Option<String>,
    /// How long it took.
    pub duration_ms: i64,
    /// What made the row.
    pub tool_version: String,
    /// What checks missed, each thing once.
    pub not_collected: Vec<NotCollected>,
}

/// Something that was not collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCollected {
    /// What it is.
    pub what: String,
    /// How to collect it.
    pub collect: String,
    /// How many checks could not be judged without it.
    pub checks: i32,
}

/// A row of `findings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingRow {
    /// The bundle.
    pub bundle_id: String,
    /// Id of the check.
    pub check: String,
    /// Its layer.
    pub layer: String,
    /// `blocker` or `warning`.
    pub status: String,
    /// `high`, `medium`, `low`.
    pub confidence: Option<String>,
    /// Whether it is one of the causes.
    pub is_root: bool,
    /// Findings that explain it.
    pub caused_by: Vec<String>,
    /// What was seen.
    pub summary: String,
    /// What shows it.
    pub evidence: Vec<EvidenceRow>,
}

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRow {
    /// Path of the file.
    pub artifact: String,
    /// Where in it.
    pub locator: String,
    /// What is there.
    pub observed: String,
    /// What a good machine has there.
    pub expected: Option<String>,
    /// When (RFC 3339, UTC).
    pub time: Option<String>,
}

/// Both tables' part of one bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Flat {
    /// Its row of `bundles`.
    pub bundle: BundleRow,
    /// Its rows of `findings`.
    pub findings: Vec<FindingRow>,
}

/// As much of the worker's line as the dataset holds.
#[derive(Deserialize)]
struct Line {
    bundle_id: String,
    path: String,
    status: String,
    error: Option<String>,
    bytes: Option<i64>,
    sha256: Option<String>,
    site: Option<String>,
    proxy_host: Option<String>,
    analyzed_at: Option<String>,
    duration_ms: i64,
    tool_version: String,
    report: Option<Report>,
}

#[derive(Deserialize)]
struct Report {
    bundle: Bundle,
    machine: Machine,
    verdict: Verdict,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Bundle {
    collected_at: Option<String>,
    artifacts: Vec<Artifact>,
}

#[derive(Deserialize)]
struct Artifact {
    status: String,
}

#[derive(Deserialize)]
struct Machine {
    computer: Option<String>,
    os: Os,
    office: Office,
}

#[derive(Deserialize)]
struct Os {
    product: Option<String>,
    build: Option<i32>,
    ubr: Option<i32>,
}

#[derive(Deserialize)]
struct Office {
    version: Option<String>,
    products: Vec<String>,
}

#[derive(Deserialize)]
struct Verdict {
    outcome: String,
    root_causes: Vec<String>,
}

#[derive(Deserialize)]
struct Check {
    id: String,
    layer: String,
    status: String,
    confidence: Option<String>,
    summary: String,
    evidence: Vec<EvidenceRow>,
    caused_by: Vec<String>,
    missing: Vec<Missing>,
}

#[derive(Deserialize)]
struct Missing {
    what: String,
    collect: String,
}

impl Flat {
    /// The columns of a worker's line.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Line>(line).map(Self::of)
    }

    fn of(line: Line) -> Self {
        let mut bundle = BundleRow {
            bundle_id: line.bundle_id,
            path: line.path,
            sha256: line.sha256,
            bytes: line.bytes,
            outcome: None,
            root_cause: None,
            root_causes: Vec::new(),
            os_product: None,
            os_build: None,
            os_ubr: None,
            office_version: None,
            office_products: Vec::new(),
            computer: None,
            site: line.site,
            proxy_host: line.proxy_host,
            collected_at: None,
            analyzed_at: line.analyzed_at,
            artifacts_read: 0,
            artifacts_unreadable: 0,
            status: line.status,
            error: line.error,
            duration_ms: line.duration_ms,
            tool_version: line.tool_version,
            not_collected: Vec::new(),
        };
        let Some(report) = line.report else { return Self { bundle, findings: Vec::new() } };
        let count = |names: &[&str]| {
            let all = report.bundle.artifacts.iter();
            let found = all.filter(|artifact| names.contains(&artifact.status.as_str())).count();
            i32::try_from(found).unwrap_or(i32::MAX)
        };
        bundle.artifacts_read = count(&["read", "partial"]);
        bundle.artifacts_unreadable = count(&["unreadable"]);
        bundle.not_collected = not_collected(&report.checks);
        let roots = report.verdict.root_causes;
        let finding = |check: Check| FindingRow {
            bundle_id: bundle.bundle_id.clone(),
            is_root: roots.contains(&check.id),
            check: check.id,
            layer: check.layer,
            status: check.status,
            confidence: check.confidence,
            caused_by: check.caused_by,
            summary: check.summary,
            evidence: check.evidence,
        };
        let found =
            report.checks.into_iter().filter(|check| check.status == "blocker" || check.status == "warning");
        let findings = found.map(finding).collect();
        bundle.outcome = Some(report.verdict.outcome);
        bundle.root_cause = roots.first().cloned();
        bundle.root_causes = roots;
        bundle.collected_at = report.bundle.collected_at;
        let Machine { computer, os, office } = report.machine;
        (bundle.os_product, bundle.os_build, bundle.os_ubr) = (os.product, os.build, os.ubr);
        (bundle.office_version, bundle.office_products) = (office.version, office.products);
        bundle.computer = computer;
        Self { bundle, findings }
    }
}

/// What open checks missed, each thing once, in the order of the checks.
fn not_collected(checks: &[Check]) -> Vec<NotCollected> {
    let mut found: Vec<NotCollected> = Vec::new();
    for check in checks.iter().filter(|check| check.status == "not-collected") {
        let mut own: Vec<&str> = Vec::new();
        for missing in check.missing.iter() {
            if own.contains(&missing.what.as_str()) {
                continue;
            }
            own.push(&missing.what);
            match found.iter_mut().find(|known| known.what == missing.what) {
                Some(known) => known.checks += 1,
                None => found.push(NotCollected {
                    what: missing.what.clone(),
                    collect: missing.collect.clone(),
                    checks: 1,
                }),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_report_has_its_status_and_no_finding() {
        let line = r#"{"schema":"actriage.row/1","bundle_id":"ab","path":"x.zip","status":"timeout","error":"slow","bytes":7,"sha256":"ab",
            "modified":null,"site":null,"proxy_host":null,"analyzed_at":"2026-11-20T08:00:00Z","duration_ms":9,"tool_version":"0.1.0","report":null}"#;
        let flat = Flat::parse(line).unwrap();
        assert_eq!((flat.bundle.status.as_str(), flat.bundle.bytes), ("timeout", Some(7)));
        assert_eq!((flat.bundle.outcome, flat.findings.len()), (None, 0));
        assert!(Flat::parse("{}").is_err());
    }
}
