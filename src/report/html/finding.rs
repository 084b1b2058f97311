//! One finding: what was seen, what proves it, what to do.

use super::View;
use crate::checks::Remedy;
use crate::checks::judgement::Status;
use crate::report::confidence_words;
use crate::report::markup::Markup;
use crate::report::model::{CheckInfo, EvidenceInfo};

/// A button that copies a text; it is shown only where the script runs.
pub fn copy(page: &mut Markup, text: &str, what: &str) {
    let label = format!("Copy {what}");
    page.text(" ");
    page.leaf("button", &[("type", "button"), ("data-copy", text), ("aria-label", &label)], "Copy");
}

/// The status as a label.
pub fn badge(page: &mut Markup, status: Status) {
    page.leaf("span", &[("class", &format!("badge {}", status.name()))], status.name());
}

impl<'r> View<'r> {
    /// A whole finding.
    pub fn finding(&mut self, check: &'r CheckInfo) {
        let (id, heading) =
            (self.anchor(&format!("c-{}", check.id)), self.anchor(&format!("t-{}", check.id)));
        let class = format!("finding {}", check.status.name());
        self.open("section", &[("id", &id), ("class", &class), ("aria-labelledby", &heading)]);
        let page = &mut self.page;
        page.leaf("h3", &[("id", &heading)], &check.title);
        page.element("p", &[("class", "tags")], |page| {
            badge(page, check.status);
            if let Some(level) = confidence_words(check) {
                page.text(" ");
                page.leaf("span", &[], level);
            }
            page.text(" · ");
            page.leaf("code", &[], &check.id);
            page.text(&format!(" · {}", check.layer));
        });
        page.leaf("p", &[("class", "seen")], &check.summary);
        page.line();
        self.relatives("Explained by", &check.caused_by);
        self.relatives("Explains", &check.explains);
        self.evidence(check);
        self.notes(&check.notes);
        self.missing(check);
        if let Some(remedy) = &check.remedy {
            self.remedy(remedy);
        }
        self.close("</section>\n");
    }

    fn relatives(&mut self, label: &str, ids: &[&'static str]) {
        if ids.is_empty() {
            return;
        }
        let links: Vec<String> =
            ids.iter().map(|id| format!("#{}", self.anchor(&format!("c-{id}")))).collect();
        self.page.element("p", &[("class", "relatives")], |page| {
            page.text(&format!("{label}: "));
            for (number, (id, link)) in ids.iter().zip(&links).enumerate() {
                if number > 0 {
                    page.text(", ");
                }
                page.leaf("a", &[("href", link)], id);
            }
        });
        self.page.line();
    }

    /// Evidence with an anchor each.
    pub fn evidence(&mut self, check: &CheckInfo) {
        if check.evidence.is_empty() {
            return;
        }
        self.open("ol", &[("class", "evidence")]);
        for (number, item) in check.evidence.iter().enumerate() {
            let anchor = self.anchor(&format!("e-{}-{}", check.id, number + 1));
            self.page.element("li", &[("id", &anchor)], |page| observation(page, item, &anchor));
            self.page.line();
        }
        self.close("</ol>\n");
    }

    /// What else to know.
    pub fn notes(&mut self, notes: &[String]) {
        for note in notes {
            self.page.element("p", &[("class", "note")], |page| {
                page.leaf("strong", &[], "Note:");
                page.text(" ");
                page.text(note);
            });
            self.page.line();
        }
    }

    /// What a check would need for a full answer.
    pub fn missing(&mut self, check: &CheckInfo) {
        if check.missing.is_empty() {
            return;
        }
        self.page.leaf("p", &[("class", "label")], "Missing for a full answer");
        self.page.element("ul", &[("class", "missing")], |page| {
            for item in &check.missing {
                page.element("li", &[], |page| {
                    page.text(&item.what);
                    page.text(": ");
                    page.leaf("code", &[], &item.collect);
                    copy(page, &item.collect, "the command");
                });
                page.line();
            }
        });
    }

    fn remedy(&mut self, remedy: &Remedy) {
        self.page.element("div", &[("class", "remedy")], |page| {
            page.leaf("h4", &[], "Fix");
            page.element("ol", &[("class", "steps")], |page| {
                for (number, step) in remedy.steps.iter().enumerate() {
                    page.element("li", &[], |page| {
                        page.leaf("span", &[], step);
                        copy(page, step, &format!("step {}", number + 1));
                    });
                    page.line();
                }
            });
            page.element("dl", &[], |page| {
                let parts =
                    [("Caution", &remedy.caution), ("Undo", &remedy.rollback), ("Verify", &remedy.verify)];
                for (label, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
                    page.leaf("dt", &[], label);
                    page.leaf("dd", &[], text);
                }
                if !remedy.references.is_empty() {
                    page.leaf("dt", &[], "See");
                }
                for address in &remedy.references {
                    page.element("dd", &[], |page| reference(page, address));
                }
            });
        });
        self.page.line();
    }
}

/// A reference as a link, if it is one that a browser opens as a page; a rule may name anything.
fn reference(page: &mut Markup, address: &str) {
    if address.starts_with("https://") || address.starts_with("http://") {
        page.leaf("a", &[("href", address), ("rel", "noreferrer noopener")], address);
    } else {
        page.text(address);
    }
}

fn observation(page: &mut Markup, item: &EvidenceInfo, anchor: &str) {
    page.element("p", &[("class", "place")], |page| {
        page.leaf("span", &[("class", "file")], &item.artifact);
        page.text(" ");
        page.leaf("code", &[], &item.locator);
        copy(page, &format!("{} {}", item.artifact, item.locator), "the place");
        page.text(" ");
        let label = format!("Link to this evidence: {}", item.locator);
        page.leaf("a", &[("class", "anchor"), ("href", &format!("#{anchor}")), ("aria-label", &label)], "#");
    });
    page.element("p", &[("class", "value")], |page| {
        page.leaf("q", &[], &item.observed);
        if let Some(expected) = &item.expected {
            page.text(", expected ");
            page.leaf("q", &[("class", "expected")], expected);
        }
        if let Some(time) = item.time {
            let time = time.to_string();
            page.text(" ");
            page.leaf("time", &[("datetime", &time)], &time);
        }
    });
}
