//! What was ruled out, what could not be told and how to find out, and what was collected.

use super::View;
use super::finding::{badge, copy};
use crate::artifact::identify::ReadStatus;
use crate::report::model::CheckInfo;
use crate::report::read_words;
use crate::report::wanted::wanted;

impl<'r> View<'r> {
    /// Checks that found nothing wrong, folded.
    pub fn ruled_out(&mut self, list: &[&'r CheckInfo]) {
        if list.is_empty() {
            return;
        }
        self.section("good", &format!("Ruled out ({})", list.len()), |view| {
            view.folded("What each check saw", |view| view.checks(list));
        });
    }

    /// Checks without an answer: first what to collect next, then each of them.
    pub fn unanswered(&mut self, list: &[&'r CheckInfo]) {
        if list.is_empty() {
            return;
        }
        self.section("open", &format!("Could not tell ({})", list.len()), |view| {
            view.page.leaf("h3", &[], "Collect this next");
            view.page.element("ol", &[("class", "collect")], |page| {
                for row in wanted(list) {
                    let checks =
                        if row.checks == 1 { "1 check".to_owned() } else { format!("{} checks", row.checks) };
                    page.element("li", &[], |page| {
                        page.leaf("span", &[], row.what);
                        page.text(&format!(" (for {checks}): "));
                        page.leaf("code", &[], row.collect);
                        copy(page, row.collect, "the command");
                    });
                    page.line();
                }
            });
            view.folded("The checks without an answer", |view| view.checks(list));
        });
    }

    fn folded(&mut self, summary: &str, inside: impl FnOnce(&mut Self)) {
        self.open("details", &[]);
        self.page.leaf("summary", &[], summary);
        self.page.line();
        inside(self);
        self.close("</details>\n");
    }

    fn checks(&mut self, list: &[&'r CheckInfo]) {
        for check in list {
            let id = self.anchor(&format!("c-{}", check.id));
            self.open("div", &[("class", "check"), ("id", &id)]);
            self.page.element("p", &[("class", "tags")], |page| {
                badge(page, check.status);
                page.text(" ");
                page.leaf("strong", &[], &check.title);
                page.text(" · ");
                page.leaf("code", &[], &check.id);
            });
            self.page.leaf("p", &[], &check.summary);
            self.page.line();
            self.evidence(check);
            self.notes(&check.notes);
            self.missing(check);
            self.close("</div>\n");
        }
    }

    /// Every file, with why it was not read in full where that is so.
    pub fn files(&mut self) {
        let files = &self.report.bundle.artifacts;
        let unread = files.iter().filter(|file| file.status != ReadStatus::Read).count();
        let title = format!("Files: {} read, {unread} not or only in part", files.len() - unread);
        self.section("files", &title, |view| {
            view.folded("All files", |view| {
                view.page.element("ul", &[("class", "files")], |page| {
                    for file in files {
                        page.element("li", &[], |page| {
                            page.leaf("code", &[], &file.path);
                            let status = read_words(file.status);
                            page.text(&format!(" {}, {} bytes, {status}", file.kind, file.bytes));
                            if let Some(reason) = &file.reason {
                                page.text(": ");
                                page.leaf("span", &[("class", "reason")], reason);
                            }
                            if let Some(hash) = &file.sha256 {
                                page.text(" ");
                                page.leaf("small", &[], &format!("SHA-256 {hash}"));
                            }
                        });
                        page.line();
                    }
                });
            });
        });
    }
}
