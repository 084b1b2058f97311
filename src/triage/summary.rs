//! Counts of a run while it goes on, and the few lines that it ends with.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::row::{Head, Status};

/// Causes that the summary names.
const CAUSES: usize = 10;
/// Bundles without a report that it names.
const UNREAD: usize = 10;
/// Widest bar, in columns.
const BAR: u64 = 30;

/// Counts. Their size does not depend on how many bundles there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows by status.
    pub statuses: BTreeMap<Status, u64>,
    /// Reports by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Reports by their first root cause.
    pub causes: BTreeMap<String, u64>,
    /// The first bundles without a report, each with its reason.
    pub unread: Vec<(String, String)>,
}

impl Summary {
    /// Counts a row.
    pub fn add(&mut self, head: &Head) {
        *self.statuses.entry(head.status).or_default() += 1;
        let Some(verdict) = head.verdict() else {
            if self.unread.len() < UNREAD {
                let why = head.error.clone().unwrap_or_default();
                self.unread.push((head.path.clone(), format!("{}: {why}", head.status.name())));
            }
            return;
        };
        *self.outcomes.entry(verdict.outcome.clone()).or_default() += 1;
        if let Some(first) = verdict.root_causes.first() {
            *self.causes.entry(first.clone()).or_default() += 1;
        }
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Reports with this outcome.
    pub fn outcome(&self, name: &str) -> u64 {
        self.outcomes.get(name).copied().unwrap_or_default()
    }

    /// Rows without a report.
    pub fn without_report(&self) -> u64 {
        let lost = [Status::Unreadable, Status::Timeout, Status::Crashed];
        lost.iter().filter_map(|status| self.statuses.get(status)).sum()
    }

    /// Writes the counts for people.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let list = |counts: &mut dyn Iterator<Item = (&str, u64)>| {
            counts.map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
        };
        let outcomes = list(&mut self.outcomes.iter().map(|(name, count)| (name.as_str(), *count)));
        let statuses = list(&mut self.statuses.iter().map(|(status, count)| (status.name(), *count)));
        writeln!(
            out,
            "{} bundle(s): {}",
            self.rows(),
            if outcomes.is_empty() { "none analysed" } else { &outcomes }
        )?;
        writeln!(out, "read: {statuses}")?;
        let mut causes: Vec<(&String, u64)> = self.causes.iter().map(|(id, count)| (id, *count)).collect();
        causes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        if let Some(most) = causes.first().map(|(_, count)| *count) {
            writeln!(out, "\nMost likely causes")?;
            let mut table = Table::new();
            table.load_style(NOTHING);
            for (id, count) in causes.iter().take(CAUSES) {
                table.add_row([(*id).clone(), count.to_string(), bar(*count, most, BAR)]);
            }
            if let Some(column) = table.column_mut(1) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            writeln!(out, "{}", table.trim_fmt())?;
        }
        if !self.unread.is_empty() {
            writeln!(out, "\nWithout a report: {}", self.without_report())?;
            for (path, why) in &self.unread {
                writeln!(out, "  {}  {}", crate::report::visible(path), crate::report::visible(why))?;
            }
        }
        Ok(())
    }
}

/// A bar in proportion to the largest count; never empty for a count that is not zero.
pub fn bar(count: u64, most: u64, width: u64) -> String {
    let cells = (count.saturating_mul(width)).div_ceil(most.max(1)).min(width);
    "█".repeat(usize::try_from(cells).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::row::{HeadReport, HeadVerdict};

    fn head(status: Status, outcome: Option<&str>, causes: &[&str]) -> Head {
        let report = outcome.map(|outcome| HeadReport {
            verdict: HeadVerdict {
                outcome: outcome.to_owned(),
                root_causes: causes.iter().map(|&id| id.to_owned()).collect(),
            },
        });
        let error = report.is_none().then(|| "why \u{1b}[31m".to_owned());
        Head {
            bundle_id: String::new(),
            path: "x.zip".to_owned(),
            status,
            error,
            bytes: None,
            modified: None,
            report,
        }
    }

    #[test]
    fn counts_and_words() {
        let mut summary = Summary::default();
        summary.add(&head(Status::Ok, Some("blocked"), &["a", "b"]));
        summary.add(&head(Status::Partial, Some("blocked"), &["a"]));
        summary.add(&head(Status::Ok, Some("clear"), &[]));
        summary.add(&head(Status::Crashed, None, &[]));
        let mut text = Vec::new();
        summary.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("4 bundle(s): 2 blocked, 1 clear\nread: 2 ok, 1 partial, 1 crashed\n"),
            "{text}"
        );
        assert!(text.contains("a") && text.contains(r"x.zip  crashed: why \u{1b}[31m"), "{text}");
        assert_eq!((summary.rows(), summary.without_report(), summary.outcome("blocked")), (4, 1, 2));
    }

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(1, 1000, 4), "█");
        assert_eq!(bar(0, 10, 4), "");
    }
}
