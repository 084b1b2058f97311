//! The report for the terminal: verdict, cause, symptoms, what was ruled out, what cannot be told, unread files, in this order, because
//! that is the order in which an engineer decides.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::model::{CheckInfo, Report};
use super::wanted::wanted;
use super::{confidence_words, read_words, visible};
use crate::artifact::identify::ReadStatus;
use crate::checks::Remedy;
use crate::checks::judgement::Status;
use crate::diagnosis::{ABOUT_COLLECTION, Verdict};

/// How to render.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Width in columns.
    pub width: usize,
    /// Use colours.
    pub color: bool,
    /// Show every check and every observation.
    pub all: bool,
}

/// Observations shown for the first cause, and for the others.
const EVIDENCE_FIRST: usize = 4;
const EVIDENCE_OTHER: usize = 1;
/// Findings beside the first one that are told with their evidence; the rest gets one line each.
const DETAILED: usize = 3;

/// Things to collect that are named.
const COLLECT: usize = 6;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

struct Page {
    out: String,
    options: Options,
}

/// Renders a report.
pub fn render(report: &Report, options: Options) -> String {
    let mut page = Page { out: String::new(), options };
    page.verdict(report);
    page.machine(report);
    page.findings(report);
    page.timeline(report);
    page.ruled_out(report);
    page.unanswered(report);
    page.files(report);
    page.out
}

/// The beginning of a line that fits a number of columns, with `…` where something was left out.
fn cut(text: &str, width: usize) -> String {
    if textwrap::core::display_width(text) <= width {
        return text.to_owned();
    }
    let mut columns = 0;
    let mut kept = String::new();
    for letter in text.chars() {
        columns += textwrap::core::display_width(letter.encode_utf8(&mut [0; 4]));
        if columns >= width {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

impl Page {
    fn paint(&self, style: Style, text: &str) -> String {
        if self.options.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// A paragraph wrapped at the width, its first line behind `first` and the others behind as many blanks as `rest`.
    fn wrapped(&mut self, first: &str, rest: usize, text: &str) {
        let text = visible(text);
        let blanks = " ".repeat(rest);
        let options = textwrap::Options::new(self.options.width.max(40))
            .initial_indent(first)
            .subsequent_indent(&blanks)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in textwrap::wrap(&text, options) {
            self.line(&line);
        }
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint(BOLD, text);
        self.out.push('\n');
        self.line(&text);
    }

    fn verdict(&mut self, report: &Report) {
        let (name, color) = match report.verdict.outcome {
            Verdict::Blocked => ("BLOCKED", AnsiColor::Red),
            Verdict::Suspect => ("SUSPECT", AnsiColor::Yellow),
            Verdict::Clear => ("CLEAR", AnsiColor::Green),
            Verdict::Inconclusive => ("INCONCLUSIVE", AnsiColor::Cyan),
        };
        let word = self.paint(color.on_default().bold(), name);
        // The word stands in front without its colour while the sentence is wrapped, so that colour never counts as width.
        let plain = visible(&format!("{}  {}", name, report.verdict.summary));
        let start = self.out.len();
        self.wrapped("", 2, &plain);
        self.out.replace_range(start..start + name.len(), &word);
    }

    /// The card: one line a row, cut at the width; `--all` shows the rows in full.
    fn machine(&mut self, report: &Report) {
        for (label, text) in report.card_rows() {
            let lead = format!("{label:<10}");
            if self.options.all {
                self.wrapped(&lead, 10, &text);
            } else {
                let line = cut(&format!("{lead}{}", visible(&text)), self.options.width.max(40));
                self.line(&line);
            }
        }
    }

    fn findings(&mut self, report: &Report) {
        let standing = report.standing();
        let mut told = BTreeSet::new();
        for (index, check) in standing.iter().copied().enumerate() {
            let full = index == 0 || self.options.all;
            if index == 0 {
                let label = if check.status == Status::Blocker { "Cause" } else { "Most suspicious" };
                self.heading(label);
            } else if index == 1 {
                self.heading("Other findings");
            }
            if full || index <= DETAILED {
                self.finding(check, full);
            } else {
                self.one_line(check, "");
            }
            self.symptoms(report, check, &mut told);
        }
        if self.options.all {
            let (about, explained): (Vec<&CheckInfo>, Vec<&CheckInfo>) = report
                .findings()
                .into_iter()
                .filter(|check| standing.iter().all(|shown| shown.id != check.id))
                .partition(|check| check.id == ABOUT_COLLECTION);
            self.in_full("Explained by these", &explained);
            self.in_full("The collection", &about);
        }
    }

    /// What a finding explains: in words below the first cause of each, by name below the others.
    fn symptoms<'r>(&mut self, report: &'r Report, check: &'r CheckInfo, told: &mut BTreeSet<&'r str>) {
        let symptoms = check.explains.iter().filter_map(|id| report.check(id));
        let (new, known): (Vec<_>, Vec<_>) = symptoms.partition(|symptom| told.insert(&symptom.id));
        for symptom in new {
            self.one_line(symptom, "  └ explains ");
        }
        if !known.is_empty() {
            let ids: Vec<&str> = known.iter().map(|symptom| symptom.id.as_str()).collect();
            self.wrapped("", 4, &format!("  └ explains as well: {}", ids.join(", ")));
        }
    }

    fn in_full(&mut self, title: &str, list: &[&CheckInfo]) {
        if !list.is_empty() {
            self.heading(title);
        }
        list.iter().for_each(|check| self.finding(check, true));
    }

    fn badge(&self, check: &CheckInfo) -> String {
        let style = match check.status {
            Status::Blocker => AnsiColor::Red.on_default().bold(),
            Status::Warning => AnsiColor::Yellow.on_default().bold(),
            Status::Healthy => AnsiColor::Green.on_default(),
            Status::NotCollected | Status::NotApplicable => AnsiColor::Cyan.on_default(),
        };
        self.paint(style, check.status.name())
    }

    fn one_line(&mut self, check: &CheckInfo, lead: &str) {
        let start = self.out.len();
        self.wrapped("", 4, &format!("{lead}{} {}: {}", check.status.name(), check.id, check.summary));
        let badge = self.badge(check);
        // Colour is put in after wrapping, so that it never counts as width.
        if let Some(at) = self.out.get(start..).and_then(|text| text.find(check.status.name())) {
            let at = start + at;
            self.out.replace_range(at..at + check.status.name().len(), &badge);
        }
    }

    fn finding(&mut self, check: &CheckInfo, full: bool) {
        let confidence = confidence_words(check).map(|level| format!(", {level}")).unwrap_or_default();
        let badge = self.badge(check);
        let id = self.paint(BOLD, &check.id);
        self.line(&format!("{badge}{confidence}  {id}"));
        self.wrapped("  ", 2, &check.summary);
        self.evidence(check, full);
        if full {
            for note in &check.notes {
                self.wrapped("  note: ", 8, note);
            }
        }
        if self.options.all {
            for item in &check.missing {
                self.wrapped("  missing: ", 11, &format!("{}: {}", item.what, item.collect));
            }
        }
        match &check.remedy {
            Some(remedy) if full => self.remedy(remedy),
            Some(remedy) => {
                if let Some(step) = remedy.steps.first() {
                    self.wrapped("  fix: ", 7, step);
                }
            }
            None => {}
        }
    }

    fn evidence(&mut self, check: &CheckInfo, full: bool) {
        let limit = match (self.options.all, full) {
            (true, _) => usize::MAX,
            (false, true) => EVIDENCE_FIRST,
            (false, false) => EVIDENCE_OTHER,
        };
        for item in check.evidence.iter().take(limit) {
            self.wrapped("  ", 4, &format!("{}  {}", item.artifact, item.locator));
            let expected =
                item.expected.as_ref().map(|good| format!(", expected {good}")).unwrap_or_default();
            let time = item.time.map(|time| format!("  [{time}]")).unwrap_or_default();
            self.wrapped("    ", 6, &format!("{}{expected}{time}", item.observed));
        }
        if full {
            self.more(check.evidence.len().saturating_sub(limit));
        }
    }

    fn remedy(&mut self, remedy: &Remedy) {
        for (number, step) in remedy.steps.iter().enumerate() {
            let lead = if number == 0 { "  Fix  1. ".to_owned() } else { format!("       {}. ", number + 1) };
            self.wrapped(&lead, 10, step);
        }
        let parts = [
            ("  Caution ", &remedy.caution),
            ("  Undo    ", &remedy.rollback),
            ("  Verify  ", &remedy.verify),
        ];
        for (lead, text) in parts {
            if !text.is_empty() {
                self.wrapped(lead, 10, text);
            }
        }
        if self.options.all {
            for link in &remedy.references {
                self.wrapped("  See     ", 10, link);
            }
        }
    }

    /// The events around the failure: with `--all` only, because `actriage timeline` shows them by themselves.
    fn timeline(&mut self, report: &Report) {
        if report.timeline.moments.is_empty() || !self.options.all {
            return;
        }
        self.heading(report.timeline.title());
        for moment in &report.timeline.moments {
            let source = format!("{} {} {}", moment.event_id, moment.artifact, moment.locator);
            let line = format!("{} {}: {}  [{source}]", moment.time, moment.kind.name(), moment.what);
            self.wrapped("  ", 4, &line);
        }
    }

    fn ruled_out(&mut self, report: &Report) {
        let good = |check: &&CheckInfo| matches!(check.status, Status::Healthy | Status::NotApplicable);
        let list: Vec<&CheckInfo> = report.checks.iter().filter(good).collect();
        if list.is_empty() {
            return;
        }
        self.heading(&format!("Ruled out ({})", list.len()));
        if self.options.all {
            return self.each(&list);
        }
        let names: Vec<&str> = list.iter().map(|check| check.id.as_str()).collect();
        self.wrapped("  ", 2, &names.join(", "));
    }

    /// Checks without a finding, each with what it saw.
    fn each(&mut self, list: &[&CheckInfo]) {
        for check in list {
            self.one_line(check, "  ");
            self.evidence(check, true);
            for note in &check.notes {
                self.wrapped("    note: ", 10, note);
            }
        }
    }

    fn unanswered(&mut self, report: &Report) {
        let open = |check: &&CheckInfo| check.status == Status::NotCollected;
        let list: Vec<&CheckInfo> = report.checks.iter().filter(open).collect();
        if list.is_empty() {
            return;
        }
        self.heading(&format!("Could not tell ({})", list.len()));
        if self.options.all {
            self.each(&list);
        } else {
            let names: Vec<&str> = list.iter().map(|check| check.id.as_str()).collect();
            self.wrapped("  ", 2, &names.join(", "));
        }
        let rows = wanted(&list);
        let shown = if self.options.all { rows.len() } else { COLLECT };
        let mut table = self.table(["Collect this next", "with", "for"]);
        for row in rows.iter().take(shown) {
            let count = if row.checks == 1 { "1 check".to_owned() } else { format!("{} checks", row.checks) };
            table.add_row([visible(row.what), visible(row.collect), count]);
        }
        self.put(&table);
        self.more(rows.len().saturating_sub(shown));
    }

    /// Says how much was left out.
    fn more(&mut self, rest: usize) {
        if rest > 0 {
            let more = self.paint(DIM, &format!("  … and {rest} more (--all)"));
            self.line(&more);
        }
    }

    fn files(&mut self, report: &Report) {
        let unread = |status: ReadStatus| status != ReadStatus::Read;
        let list: Vec<_> = report.bundle.artifacts.iter().filter(|file| unread(file.status)).collect();
        let read = report.bundle.artifacts.len() - list.len();
        self.heading(&format!("Files: {read} read, {} not or only in part", list.len()));
        let shown = if self.options.all { usize::MAX } else { 8 };
        if !list.is_empty() {
            let mut table = self.table(["File", "is", "because"]);
            for file in list.iter().take(shown) {
                let status = read_words(file.status);
                let reason = file.reason.clone().unwrap_or_default();
                table.add_row([visible(&file.path), status.to_owned(), visible(&reason)]);
            }
            self.put(&table);
        }
        self.more(list.len().saturating_sub(shown));
    }

    fn table(&self, header: [&str; 3]) -> Table {
        let mut table = Table::new();
        let width = u16::try_from(self.options.width.saturating_sub(1)).unwrap_or(u16::MAX);
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        table.force_no_tty().set_header(header);
        table
    }

    fn put(&mut self, table: &Table) {
        for line in table.lines() {
            let _ = writeln!(self.out, " {}", line.trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_line_is_cut_by_its_display_width() {
        assert_eq!(cut("Ethernet", 8), "Ethernet");
        assert_eq!(cut("Ethernet", 7), "Ethern…");
        // A wide letter takes two columns.
        assert_eq!(cut("網路連線", 6), "網路…");
    }
}
