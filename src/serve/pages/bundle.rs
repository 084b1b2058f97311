//! One bundle: how far it is, then its verdict, its causes, and the report in every form.

use axum::response::Response;

use super::home::findings;
use super::{Poll, badge, page, size};
use crate::report::html::tone;
use crate::report::markup::Markup;
use crate::report::model::Report;
use crate::report::verdict_word;
use crate::serve::render::{Format, render};
use crate::serve::store::{Slot, Stage};

/// The page of a bundle.
pub fn bundle(slot: &Slot) -> Response {
    let poll = slot
        .stage
        .is_pending()
        .then(|| Poll { address: format!("/bundle/{}/state", slot.id), known: slot.stage.word().to_owned() });
    let title = format!("{}: {}", badge(slot).0, slot.label);
    page(&title, poll.as_ref(), |page| {
        match &slot.stage {
            Stage::Done(report) => done(page, slot, report),
            Stage::Failed(reason) => {
                heading(page, "failed", "Unreadable", "This bundle could not be analysed.", &slot.label);
                page.leaf("p", &[("id", "message")], reason);
            }
            Stage::Waiting => pending(page, slot, "Waiting for the bundle before it"),
            Stage::Reading => pending(page, slot, "Reading the evidence"),
        }
        remove_form(page, slot);
    })
}

fn heading(page: &mut Markup, tone: &str, word: &str, sentence: &str, label: &str) {
    page.element("div", &[("class", &format!("verdict {tone}"))], |page| {
        page.leaf("p", &[("class", "word")], word);
        page.leaf("h1", &[("id", "verdict")], sentence);
        page.leaf("p", &[("class", "label")], label);
    });
    page.line();
}

fn pending(page: &mut Markup, slot: &Slot, sentence: &str) {
    heading(page, "pending", badge(slot).0, sentence, &slot.label);
    page.verbatim("<progress aria-label=\"Analysis\"></progress>\n");
    page.leaf("p", &[("role", "status")], &format!("{}; this page goes on by itself.", size(slot.bytes)));
}

fn done(page: &mut Markup, slot: &Slot, report: &Report) {
    let outcome = report.verdict.outcome;
    heading(page, tone(outcome), verdict_word(outcome), &report.verdict.summary, &slot.label);
    let path = format!("/bundle/{}", slot.id);
    page.element("nav", &[("aria-label", "Report"), ("class", "actions")], |page| {
        let link = format!("{path}/report");
        page.leaf("a", &[("class", "button"), ("href", &link)], "Read the whole report");
        for format in Format::ALL {
            let link = format!("{path}/report.{}", format.extension());
            page.leaf(
                "a",
                &[("href", link.as_str()), ("download", "")],
                &format!("Download {}", format.name()),
            );
        }
    });
    page.line();
    causes(page, report);
    page.verbatim("<section aria-labelledby=\"note-title\">\n<h2 id=\"note-title\">Case note</h2>\n");
    page.element(
        "textarea",
        &[("id", "note"), ("readonly", ""), ("rows", "14"), ("aria-labelledby", "note-title")],
        |page| {
            // Line by line: a line break of ours stays one, everything else that is not text is written out.
            for line in render(report, Format::Markdown).lines() {
                page.text(line);
                page.line();
            }
        },
    );
    page.verbatim("\n<p><button type=\"button\" data-copy=\"note\" hidden=\"\">Copy the case note</button></p>\n</section>\n");
}

fn causes(page: &mut Markup, report: &Report) {
    let roots: Vec<_> = report.verdict.root_causes.iter().filter_map(|id| report.check(id)).collect();
    page.verbatim("<section aria-labelledby=\"causes-title\">\n<h2 id=\"causes-title\">Causes</h2>\n");
    if roots.is_empty() {
        page.verbatim("<p>No check found a cause. The report says what could not be told.</p>\n");
    } else {
        page.element("ol", &[("id", "causes")], |page| {
            for check in roots {
                page.element("li", &[], |page| {
                    page.leaf("strong", &[], &check.title);
                    page.leaf("p", &[], &check.summary);
                });
            }
        });
    }
    let words = format!("{} in {} files.", findings(report), report.bundle.artifacts.len());
    page.leaf("p", &[("class", "fine")], &words);
    page.verbatim("</section>\n");
}

fn remove_form(page: &mut Markup, slot: &Slot) {
    let action = format!("/bundle/{}/remove", slot.id);
    page.element("form", &[("method", "post"), ("action", &action)], |page| {
        page.verbatim("<button type=\"submit\" class=\"plain\">Remove this bundle</button>");
    });
    page.line();
}
