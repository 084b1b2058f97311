//! The report as JUnit XML, for gates of machine images: one test suite a bundle, one test case a check.
//!
//! A blocker is a failure, what could not be told is skipped, and a warning passes with what was seen in its `system-out`: a gate that must
//! stop at warnings as well asks for [`Options::warnings_fail`].

use std::fmt::Write as _;

use super::markup::Markup;
use super::model::{CheckInfo, Report};
use super::{confidence_words, read_words, verdict_word};
use crate::artifact::identify::ReadStatus;
use crate::checks::judgement::Status;

/// How to render.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Warnings are failures too.
    pub warnings_fail: bool,
}

/// The beginning of a file of one or several reports.
pub fn head() -> &'static str {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"actriage\">\n"
}

/// The end of a file.
pub fn foot() -> &'static str {
    "</testsuites>\n"
}

/// The test suite of a report.
pub fn suite(report: &Report, options: Options) -> String {
    let mut page = Markup::default();
    let fails = |check: &CheckInfo| {
        check.status == Status::Blocker || (options.warnings_fail && check.status == Status::Warning)
    };
    let count = |wanted: &dyn Fn(&CheckInfo) -> bool| {
        report.checks.iter().filter(|check| wanted(check)).count().to_string()
    };
    let (tests, failures) = (report.checks.len().to_string(), count(&fails));
    let skipped = count(&|check| check.status == Status::NotCollected);
    let attributes = [
        ("name", report.bundle.path.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", "0"),
        ("skipped", &skipped),
        ("time", "0"),
    ];
    page.element("testsuite", &attributes, |page| {
        page.line();
        properties(page, report);
        for check in &report.checks {
            case(page, check, fails(check));
        }
        let unread: Vec<String> = report
            .bundle
            .artifacts
            .iter()
            .filter(|file| file.status != ReadStatus::Read)
            .map(|file| {
                format!(
                    "{}: {}: {}",
                    file.path,
                    read_words(file.status),
                    file.reason.as_deref().unwrap_or_default()
                )
            })
            .collect();
        if !unread.is_empty() {
            page.element("system-out", &[], |page| lines(page, &unread));
            page.line();
        }
    });
    page.line();
    page.finish()
}

fn properties(page: &mut Markup, report: &Report) {
    page.element("properties", &[], |page| {
        page.line();
        let mut rows = vec![
            ("outcome", verdict_word(report.verdict.outcome).to_lowercase()),
            ("summary", report.verdict.summary.clone()),
            ("root_causes", report.verdict.root_causes.join(", ")),
            ("tool", format!("{} {}", report.tool.name, report.tool.version)),
        ];
        rows.extend(report.bundle.sha256.clone().map(|hash| ("sha256", hash)));
        rows.extend(report.card_rows());
        for (name, value) in &rows {
            page.void("property", &[("name", name), ("value", value)]);
            page.line();
        }
    });
    page.line();
}

/// Text in lines; each is escaped for itself, so that only our own line breaks are line breaks.
fn lines(page: &mut Markup, lines: &[String]) {
    page.line();
    for line in lines {
        page.text(line);
        page.line();
    }
}

fn case(page: &mut Markup, check: &CheckInfo, fails: bool) {
    let class = format!("actriage.{}", check.layer);
    page.element("testcase", &[("classname", &class), ("name", &check.id), ("time", "0")], |page| {
        page.line();
        let told = told(check);
        if fails {
            let attributes = [("message", check.summary.as_str()), ("type", check.status.name())];
            page.element("failure", &attributes, |page| lines(page, &told));
        } else if check.status == Status::NotCollected {
            page.void("skipped", &[("message", &check.summary)]);
            page.element("system-out", &[], |page| lines(page, &told));
        } else {
            page.element("system-out", &[], |page| lines(page, &told));
        }
        page.line();
    });
    page.line();
}

/// Everything about a check, a statement a line.
fn told(check: &CheckInfo) -> Vec<String> {
    let level = confidence_words(check).map(|level| format!(", {level}")).unwrap_or_default();
    let mut lines = vec![check.title.clone(), format!("{}{level}: {}", check.status.name(), check.summary)];
    for item in &check.evidence {
        let mut line = format!("{} {}: {}", item.artifact, item.locator, item.observed);
        if let Some(expected) = &item.expected {
            let _ = write!(line, ", expected {expected}");
        }
        if let Some(time) = item.time {
            let _ = write!(line, " [{time}]");
        }
        lines.push(line);
    }
    lines.extend(check.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(check.missing.iter().map(|item| format!("missing: {}: {}", item.what, item.collect)));
    for (label, ids) in [("explained by", &check.caused_by), ("explains", &check.explains)] {
        lines.extend((!ids.is_empty()).then(|| format!("{label}: {}", ids.join(", "))));
    }
    if let Some(remedy) = &check.remedy {
        lines.extend(
            remedy.steps.iter().enumerate().map(|(number, step)| format!("fix {}. {step}", number + 1)),
        );
        let parts = [("caution", &remedy.caution), ("undo", &remedy.rollback), ("verify", &remedy.verify)];
        let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
        lines.extend(parts.map(|(label, text)| format!("{label}: {text}")));
        lines.extend(remedy.references.iter().map(|link| format!("see: {link}")));
    }
    lines
}
