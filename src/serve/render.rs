//! The one place that knows which renderer makes which file of a report.

use super::policy;
use crate::report::json;
use crate::report::model::Report;

/// Files that a report can be had as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For reading.
    Html,
    /// For programs.
    Json,
    /// For the case note.
    Markdown,
}

impl Format {
    /// All of them, in the order of the buttons.
    pub const ALL: [Self; 3] = [Self::Html, Self::Json, Self::Markdown];

    /// Extension of the file.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Json => "json",
            Self::Markdown => "md",
        }
    }

    /// What a browser is told that it is.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }

    /// On a button.
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "HTML",
            Self::Json => "JSON",
            Self::Markdown => "Markdown",
        }
    }

    /// The format of a file that is asked for.
    pub fn of(name: &str) -> Option<Self> {
        let extension = name.strip_prefix("report.")?;
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }
}

/// A report as a file.
pub fn render(report: &Report, format: Format) -> String {
    match format {
        Format::Html => html(report),
        // The report is made of strings and numbers under names: there is nothing in it that JSON cannot hold.
        Format::Json => json::render(report, false).unwrap_or_default(),
        Format::Markdown => markdown(report),
    }
}

/// What the page of a report may do.
pub fn html_policy() -> String {
    policy::policy(&[], &[])
}

fn html(report: &Report) -> String {
    let mut page = crate::report::markup::Markup::default();
    page.verbatim("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>Report</title></head><body><main>");
    page.leaf("h1", &[], &report.verdict.summary);
    for check in &report.checks {
        page.leaf("h2", &[], &check.title);
        page.leaf("p", &[], &check.summary);
        for seen in &check.evidence {
            page.leaf("p", &[], &format!("{} {}: {}", seen.artifact, seen.locator, seen.observed));
        }
    }
    page.verbatim("</main></body></html>\n");
    page.finish()
}

fn markdown(report: &Report) -> String {
    format!("# {}\n", report.verdict.summary)
}
