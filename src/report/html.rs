//! The report as one HTML file that people mail to each other: no network, no script needed, light and dark, paper too.
//!
//! The file says of itself what it may do: its content security policy names the hash of the one style sheet and of the one script (which
//! only copies text), and forbids everything else. A hostile string that found its way past the escaping would still load nothing.

mod diagram;
mod finding;
mod lists;
mod strip;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::markup::Markup;
use super::model::{CheckInfo, Report};
use super::verdict_word;
use crate::checks::judgement::Status;
use crate::diagnosis::Verdict;

/// The style sheet of the file, for a server that names its hash.
pub const STYLE: &str = include_str!("html/style.css");
/// The script of the file: copy buttons.
pub const SCRIPT: &str = include_str!("html/copy.js");

/// One report as a whole file.
pub fn render(report: &Report) -> String {
    let mut text = head(&title(report));
    text.push_str(&article(report, 0));
    text.push_str(foot());
    text
}

/// The title of the file of one report.
pub fn title(report: &Report) -> String {
    format!("{} – {}", verdict_word(report.verdict.outcome), report.bundle.path)
}

/// The beginning of a file that holds one or several reports.
pub fn head(title: &str) -> String {
    let mut page = Markup::default();
    page.verbatim("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    page.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy())]);
    page.verbatim("\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    page.verbatim("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
    page.leaf("title", &[], title);
    page.verbatim("\n<style>");
    page.verbatim(STYLE);
    page.verbatim("</style>\n</head>\n<body>\n<main>\n");
    page.finish()
}

/// One report of a file. `number` keeps the anchors of several reports in one file apart: 0 for a report alone.
pub fn article(report: &Report, number: usize) -> String {
    let prefix = if number == 0 { String::new() } else { format!("r{number}-") };
    let mut view = View { page: Markup::default(), report, prefix };
    view.article();
    view.page.finish()
}

/// The end of a file.
pub fn foot() -> &'static str {
    concat!("</main>\n<script>", include_str!("html/copy.js"), "</script>\n</body>\n</html>\n")
}

/// What the file may do, as a content security policy.
pub fn policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        BASE64_STANDARD.encode(Sha256::digest(STYLE)),
        BASE64_STANDARD.encode(Sha256::digest(SCRIPT))
    )
}

pub(crate) fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Blocked => "blocker",
        Verdict::Suspect => "warning",
        Verdict::Clear => "healthy",
        Verdict::Inconclusive => "not-collected",
    }
}

/// A report on its way into the page.
struct View<'r> {
    page: Markup,
    report: &'r Report,
    prefix: String,
}

impl<'r> View<'r> {
    /// An anchor: letters, digits and hyphens whatever the id holds, unlike for different reports of one file.
    fn anchor(&self, name: &str) -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("{}{}", self.prefix, name.chars().map(safe).collect::<String>())
    }

    fn with(&self, wanted: impl Fn(Status) -> bool) -> Vec<&'r CheckInfo> {
        self.report.checks.iter().filter(|check| wanted(check.status)).collect()
    }

    fn section(&mut self, name: &str, title: &str, inside: impl FnOnce(&mut Self)) {
        let (id, heading) = (self.anchor(name), self.anchor(&format!("{name}-title")));
        self.open("section", &[("id", &id), ("aria-labelledby", &heading)]);
        self.page.leaf("h2", &[("id", &heading)], title);
        self.page.line();
        inside(self);
        self.close("</section>\n");
    }

    /// Opens an element that [`Self::close`] ends: for content that needs the whole view and not only the page.
    fn open(&mut self, tag: &str, attributes: super::markup::Attributes<'_>) {
        self.page.begin(tag, attributes);
    }

    fn close(&mut self, end: &'static str) {
        self.page.verbatim(end);
    }

    fn article(&mut self) {
        let report = self.report;
        self.page.verbatim("<article>\n");
        self.verdict();
        self.machine();
        let findings = report.findings();
        let good = self.with(|status| matches!(status, Status::Healthy | Status::NotApplicable));
        let open = self.with(|status| status == Status::NotCollected);
        let files = report.bundle.artifacts.len();
        let moments = report.timeline.moments.len();
        self.contents(&[
            ("findings", "Findings", findings.len()),
            ("timeline", report.timeline.title(), moments),
            ("open", "Could not tell", open.len()),
            ("good", "Ruled out", good.len()),
            ("files", "Files", files),
        ]);
        self.diagram();
        if !findings.is_empty() {
            self.section("findings", &format!("Findings ({})", findings.len()), |view| {
                findings.iter().for_each(|check| view.finding(check));
            });
        }
        self.timeline();
        self.unanswered(&open);
        self.ruled_out(&good);
        self.files();
        self.origin();
        self.page.verbatim("</article>\n");
    }

    fn verdict(&mut self) {
        let verdict = &self.report.verdict;
        self.page.element("header", &[("class", &format!("verdict {}", tone(verdict.outcome)))], |page| {
            page.leaf("p", &[("class", "word")], verdict_word(verdict.outcome));
            page.leaf("h1", &[], &verdict.summary);
            page.leaf("p", &[("class", "bundle")], &self.report.bundle.path);
        });
        self.page.line();
    }

    fn machine(&mut self) {
        let rows = self.report.card_rows();
        self.page.element("dl", &[("class", "card")], |page| {
            for (label, text) in &rows {
                page.leaf("dt", &[], label);
                page.leaf("dd", &[], text);
            }
        });
        self.page.line();
    }

    fn contents(&mut self, parts: &[(&str, &str, usize)]) {
        let parts: Vec<(String, String)> = parts
            .iter()
            .filter(|(.., count)| *count > 0)
            .map(|(name, title, count)| (format!("#{}", self.anchor(name)), format!("{title} ({count})")))
            .collect();
        let label = if self.prefix.is_empty() {
            "Contents".to_owned()
        } else {
            format!("Contents of {}", self.report.bundle.path)
        };
        self.page.element("nav", &[("aria-label", &label)], |page| {
            for (link, title) in &parts {
                page.leaf("a", &[("href", link)], title);
            }
        });
        self.page.line();
    }

    fn origin(&mut self) {
        let report = self.report;
        let bundle = &report.bundle;
        let hash = bundle.sha256.as_ref().map(|hash| format!(" · SHA-256 {hash}")).unwrap_or_default();
        let text = format!(
            "{} {} · {} · {} bytes{hash}",
            report.tool.name, report.tool.version, bundle.path, bundle.bytes
        );
        self.page.element("footer", &[], |page| page.leaf("p", &[], &text));
        self.page.line();
    }
}
