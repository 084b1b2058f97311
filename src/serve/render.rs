//! The one place that knows which renderer makes which file of a report.

use crate::report::model::Report;
use crate::report::{html, json, markdown};

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
        Format::Html => html::render(report),
        // The report is made of strings and numbers under names: there is nothing in it that JSON cannot hold.
        Format::Json => json::render(report, false).unwrap_or_default(),
        Format::Markdown => markdown::render(report),
    }
}

/// What the page of a report may do: what the file says of itself, and no frame around it.
pub fn html_policy() -> String {
    format!("{}; frame-ancestors 'none'", html::policy())
}
