//! What people see on stderr while it goes on: a bar on a terminal, one line an event elsewhere, nothing with `--quiet`.

use indicatif::{ProgressBar, ProgressStyle};

use super::pool::Job;
use super::row::Head;
use super::run::Manifest;
use super::summary::Summary;
use crate::report::visible;

/// The ways to tell.
#[derive(Debug)]
pub enum Progress {
    /// A bar with rate, remaining time, blockers and unread bundles.
    Bar(ProgressBar),
    /// A line for each event, as a log wants it.
    Lines,
    /// Nothing.
    Quiet,
}

impl Progress {
    /// A bar on stderr.
    pub fn bar() -> Self {
        let bar = ProgressBar::no_length();
        let style = "{wide_bar} {pos}/{len} · {per_sec} · {eta} left · {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self::Bar(bar)
    }

    /// What there is to do, and what is done already.
    pub fn start(&self, todo: &[Job], before: &Summary, manifest: &Manifest) {
        let (rows, duplicates) = (before.rows(), manifest.duplicates.len());
        let text = format!(
            "run {}: {} bundle(s) found, {rows} done before, {duplicates} with the content of another one, {} to do",
            manifest.run,
            manifest.found,
            todo.len()
        );
        match self {
            Self::Bar(bar) => {
                bar.println(text);
                bar.set_length(todo.len() as u64);
                bar.set_message(message(before));
                bar.tick();
            }
            Self::Lines => {
                eprintln!("{text}");
                for double in &manifest.duplicates {
                    eprintln!("duplicate  {}  is {}", visible(&double.path), visible(&double.same_as));
                }
            }
            Self::Quiet => {}
        }
    }

    /// One more row.
    pub fn row(&self, head: &Head, summary: &Summary) {
        let path = visible(&head.path);
        let said = match (head.verdict(), &head.error) {
            (Some(verdict), _) => {
                let causes = verdict.root_causes.first().map(|id| format!("  {id}")).unwrap_or_default();
                format!("{}  {path}{causes}", verdict.outcome)
            }
            (None, error) => {
                format!("{}  {path}  {}", head.status.name(), visible(error.as_deref().unwrap_or_default()))
            }
        };
        match self {
            Self::Bar(bar) => {
                if head.verdict().is_none() {
                    bar.println(said);
                }
                bar.set_message(message(summary));
                bar.inc(1);
            }
            Self::Lines => eprintln!("[{}] {said}", summary.rows()),
            Self::Quiet => {}
        }
    }

    /// Nothing more comes.
    pub fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn message(summary: &Summary) -> String {
    format!("{} blocked, {} unread", summary.outcome("blocked"), summary.without_report())
}
