//! The report as Markdown for the note of a case: it goes into ticket systems that render it and into those that do not.
//!
//! Sentences are escaped, values stand in code spans: nothing that a machine holds becomes markup, a link or an image.

use std::fmt::Write as _;

use super::model::{CheckInfo, EvidenceInfo, Report};
use super::wanted::wanted;
use super::{confidence_words, read_words, verdict_word, visible};
use crate::artifact::identify::ReadStatus;
use crate::checks::Remedy;
use crate::checks::judgement::Status;

/// Renders a report.
pub fn render(report: &Report) -> String {
    let mut note = Note { out: String::new(), report };
    note.head();
    note.findings();
    note.timeline();
    note.unanswered();
    note.ruled_out();
    note.files();
    note.out
}

/// A sentence whose letters mean nothing to Markdown.
fn text(sentence: &str) -> String {
    let mut out = String::new();
    let sentence = visible(sentence);
    // Blanks at the ends would open a code block or keep bold words from being bold.
    let sentence = sentence.trim();
    if sentence.is_empty() {
        return "(empty)".to_owned();
    }
    let mut before = None;
    let mut letters = sentence.chars().peekable();
    while let Some(letter) = letters.next() {
        if has_power(before, letter, letters.peek().copied()) {
            out.push('\\');
        }
        out.push(letter);
        before = Some(letter);
    }
    // An address that a machine holds is not to be followed by a click: the colon is what makes it one.
    let out = out.replace("://", ":\\//").replace("www.", "www\\.").replace('@', "\\@");
    // A number with a dot or a bracket begins a list only where a blank or nothing follows.
    match out.split_once(['.', ')']) {
        Some((number, rest))
            if !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && (rest.is_empty() || rest.starts_with(' ')) =>
        {
            let (digits, rest) = out.split_at_checked(number.len()).unwrap_or((&out, ""));
            format!("{digits}\\{rest}")
        }
        _ => out,
    }
}

/// Whether a letter means something to Markdown between its neighbours. Notes are read as plain text too, so no more than these is escaped.
fn has_power(before: Option<char>, letter: char, next: Option<char>) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match letter {
        '`' | '*' | '[' | '|' | '~' | '$' => true,
        // Before a letter it is itself; what follows the text is not known here.
        '\\' => next.is_none_or(|c| c.is_ascii_punctuation()),
        // Inside of a word it is itself (CommonMark 6.2, rules 2 and 4).
        '_' => !(word(before) && word(next)),
        '<' => next.is_none_or(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
        '&' => next.is_none_or(|c| c.is_ascii_alphanumeric() || c == '#'),
        // These begin a heading, a list, a quotation or a rule where they stand first.
        '#' | '+' | '-' | '=' | '>' => before.is_none(),
        _ => false,
    }
}

/// A value as a code span: fenced with one more back-tick than it holds in a row.
fn code(value: &str) -> String {
    let value = visible(value);
    let longest = value.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = value.trim().is_empty();
    // Blanks at both ends are taken away by the reader of Markdown, but only in pairs and not where there is nothing else.
    let pad =
        if longest > 0 || (!blank && (value.starts_with(' ') || value.ends_with(' '))) { " " } else { "" };
    if value.is_empty() { "(empty)".to_owned() } else { format!("{fence}{pad}{value}{pad}{fence}") }
}

struct Note<'r> {
    out: String,
    report: &'r Report,
}

impl<'r> Note<'r> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn heading(&mut self, level: usize, title: &str) {
        let _ = writeln!(self.out, "\n{} {title}\n", "#".repeat(level));
    }

    fn with(&self, wanted: impl Fn(Status) -> bool) -> Vec<&'r CheckInfo> {
        self.report.checks.iter().filter(|check| wanted(check.status)).collect()
    }

    fn head(&mut self) {
        let report = self.report;
        let verdict = &report.verdict;
        let _ = writeln!(self.out, "# {}\n", verdict_word(verdict.outcome));
        let _ = writeln!(self.out, "**{}**\n", text(&verdict.summary));
        for (label, row) in report.card_rows() {
            let _ = writeln!(self.out, "- {label}: {}", text(&row));
        }
        let _ = writeln!(self.out, "- Bundle: {}", code(&report.bundle.path));
        if let Some(hash) = &report.bundle.sha256 {
            let _ = writeln!(self.out, "- SHA-256: {}", code(hash));
        }
        let _ = writeln!(self.out, "- Made by {} {}", report.tool.name, report.tool.version);
    }

    fn findings(&mut self) {
        let findings = self.report.findings();
        if findings.is_empty() {
            return;
        }
        self.heading(2, &format!("Findings ({})", findings.len()));
        for check in findings {
            self.finding(check);
        }
    }

    fn finding(&mut self, check: &CheckInfo) {
        let _ = writeln!(self.out, "### {}\n", text(&check.title));
        let level = confidence_words(check).map(|level| format!(", {level}")).unwrap_or_default();
        let _ = writeln!(
            self.out,
            "**{}**{level} · {} · {}\n",
            check.status.name(),
            code(&check.id),
            check.layer
        );
        let _ = writeln!(self.out, "{}\n", text(&check.summary));
        self.details(check);
        for (label, ids) in [("Explained by", &check.caused_by), ("Explains", &check.explains)] {
            if !ids.is_empty() {
                let ids: Vec<String> = ids.iter().map(|id| code(id)).collect();
                let _ = writeln!(self.out, "- {label}: {}", ids.join(", "));
            }
        }
        self.out.push('\n');
        if let Some(remedy) = &check.remedy {
            self.remedy(remedy);
        }
    }

    /// Evidence, notes and what is missing, as a list.
    fn details(&mut self, check: &CheckInfo) {
        for item in &check.evidence {
            self.line(&observation(item));
        }
        for note in &check.notes {
            let _ = writeln!(self.out, "- Note: {}", text(note));
        }
        for missing in &check.missing {
            let _ = writeln!(self.out, "- Missing: {}: {}", text(&missing.what), code(&missing.collect));
        }
    }

    fn remedy(&mut self, remedy: &Remedy) {
        self.line("Fix:\n");
        for (number, step) in remedy.steps.iter().enumerate() {
            let _ = writeln!(self.out, "{}. {}", number + 1, text(step));
        }
        self.out.push('\n');
        let parts = [("Caution", &remedy.caution), ("Undo", &remedy.rollback), ("Verify", &remedy.verify)];
        for (label, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
            let _ = writeln!(self.out, "- {label}: {}", text(part));
        }
        for link in &remedy.references {
            let _ = writeln!(self.out, "- See: {}", reference(link));
        }
        self.out.push('\n');
    }

    fn timeline(&mut self) {
        let around = &self.report.timeline;
        if around.moments.is_empty() {
            return;
        }
        self.heading(2, around.title());
        for moment in &around.moments {
            let place = code(&format!("{} {}", moment.artifact, moment.locator));
            let (kind, what) = (moment.kind.name(), text(&moment.what));
            let _ = writeln!(self.out, "- {} **{kind}** {what} ({} {place})", moment.time, moment.event_id);
        }
        let shown = around.moments.len();
        if around.total > shown {
            let _ = writeln!(self.out, "\n{shown} of {} decisive events.", around.total);
        }
    }

    fn unanswered(&mut self) {
        let open = self.with(|status| status == Status::NotCollected);
        if open.is_empty() {
            return;
        }
        self.heading(2, &format!("Could not tell ({})", open.len()));
        self.line("Collect this next:\n");
        for (number, row) in wanted(&open).iter().enumerate() {
            let _ = writeln!(self.out, "{}. {}: {}", number + 1, text(row.what), code(row.collect));
        }
        self.out.push('\n');
        for check in open {
            self.short(check);
        }
    }

    fn ruled_out(&mut self) {
        let good = self.with(|status| matches!(status, Status::Healthy | Status::NotApplicable));
        if good.is_empty() {
            return;
        }
        self.heading(2, &format!("Ruled out ({})", good.len()));
        for check in good {
            self.short(check);
        }
    }

    /// A check without a finding: one item, its evidence below.
    fn short(&mut self, check: &CheckInfo) {
        let _ =
            writeln!(self.out, "- {} ({}): {}", code(&check.id), check.status.name(), text(&check.summary));
        let start = self.out.len();
        self.details(check);
        let indented = self.out.split_off(start).replace("\n- ", "\n  - ");
        if !indented.is_empty() {
            let _ = write!(self.out, "  {indented}");
        }
    }

    fn files(&mut self) {
        let files = &self.report.bundle.artifacts;
        let unread = files.iter().filter(|file| file.status != ReadStatus::Read).count();
        self.heading(2, &format!("Files: {} read, {unread} not or only in part", files.len() - unread));
        for file in files {
            let reason = file.reason.as_ref().map(|reason| format!(": {}", text(reason))).unwrap_or_default();
            let (path, status) = (code(&file.path), read_words(file.status));
            let _ =
                writeln!(self.out, "- {path} {}, {} bytes, {status}{reason}", code(&file.kind), file.bytes);
        }
    }
}

fn observation(item: &EvidenceInfo) -> String {
    let expected =
        item.expected.as_ref().map(|good| format!(", expected {}", code(good))).unwrap_or_default();
    let time = item.time.map(|time| format!(" ({time})")).unwrap_or_default();
    let (file, place, seen) = (code(&item.artifact), code(&item.locator), code(&item.observed));
    format!("- {file} {place}: {seen}{expected}{time}")
}

/// An address as a link, if a browser opens it as a page and Markdown cannot misread it.
fn reference(link: &str) -> String {
    let address = link.starts_with("https://") || link.starts_with("http://");
    let plain = link.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '\\'));
    if address && plain { format!("<{link}>") } else { text(link) }
}

#[cfg(test)]
mod tests {
    use super::{code, text};

    #[test]
    fn values_stay_values() {
        assert_eq!(code("a`b``c"), "``` a`b``c ```");
        assert_eq!(code("x"), "`x`");
        assert_eq!(code(""), "(empty)");
    }

    #[test]
    fn sentences_stay_sentences() {
        assert_eq!(text("1. a_b <c> _d_"), r"1\. a_b \<c> \_d\_");
        assert_eq!(text(r"HKLM\SYSTEM -> C:\*, \\server\"), r"HKLM\SYSTEM -> C:\\\*, \\\server\\");
        assert_eq!(text("a < b & c! [d] R&D"), r"a < b & c! \[d] R\&D");
        assert_eq!(text("16.0.19725"), "16.0.19725");
        assert_eq!(text("# x # y"), r"\# x # y");
        assert_eq!(text("![x](http://y)"), r"!\[x](http:\//y)");
    }
}
