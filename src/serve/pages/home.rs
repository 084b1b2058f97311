//! The first page: where bundles are dropped, and the table of those that were.

use axum::response::Response;

use super::{Poll, badge, page, size};
use crate::checks::judgement::Status;
use crate::report::markup::Markup;
use crate::report::model::Report;
use crate::serve::store::{Slot, Stage};

/// The first page.
pub fn home(slots: &[Slot], max_upload: u64) -> Response {
    let poll = slots
        .iter()
        .any(|slot| slot.stage.is_pending())
        .then(|| Poll { address: "/state".to_owned(), known: state(slots) });
    page("Bundles", poll.as_ref(), |page| {
        page.leaf("h1", &[], "Evidence bundles");
        upload_form(page, max_upload);
        if slots.is_empty() {
            page.verbatim(
                "<p>A bundle is the zip that <code>actriage collector</code>’s script made on the affected machine, or any zip of \
                 registry hives, event logs and command outputs. Several at once give a table.</p>\n",
            );
        } else {
            table(page, slots);
        }
        let done: Vec<&Slot> = slots.iter().filter(|slot| slot.report().is_some()).collect();
        if done.len() > 1 {
            compare_form(page, &done);
        }
    })
}

/// How far all bundles are, for the script.
pub fn state(slots: &[Slot]) -> String {
    let mut words: Vec<String> =
        slots.iter().map(|slot| format!("{}-{}", slot.id, slot.stage.word())).collect();
    words.sort();
    words.join(" ")
}

fn upload_form(page: &mut Markup, max_upload: u64) {
    let limit = max_upload.to_string();
    let attributes = [
        ("id", "upload"),
        ("class", "drop"),
        ("method", "post"),
        ("action", "/upload"),
        ("enctype", "multipart/form-data"),
        ("data-max", limit.as_str()),
    ];
    page.element("form", &attributes, |page| {
        page.verbatim(
            "\n<label for=\"files\">Drop zip files here, or choose them</label>\n\
             <input type=\"file\" id=\"files\" name=\"bundle\" multiple=\"\" required=\"\"/>\n\
             <button type=\"submit\" id=\"send\">Analyse</button>\n\
             <progress id=\"progress\" max=\"1\" value=\"0\" aria-label=\"Upload\" hidden=\"\"></progress>\n\
             <p id=\"status\" role=\"status\"></p>\n<ul id=\"problems\"></ul>\n",
        );
        let words = format!("Nothing leaves this machine. At most {} at once.", size(max_upload));
        page.leaf("p", &[("class", "fine")], &words);
    });
    page.line();
}

fn table(page: &mut Markup, slots: &[Slot]) {
    // A table wider than the window is scrolled, and whoever has no mouse must be able to reach it.
    let region = [("class", "wide"), ("role", "region"), ("aria-label", "Bundles"), ("tabindex", "0")];
    page.element("div", &region, |page| {
        page.verbatim(
            "<table id=\"bundles\">\n<caption>Bundles, the most severe first</caption>\n<thead><tr>",
        );
        for title in ["Verdict", "Bundle", "Most likely cause", "Computer", "Findings"] {
            page.leaf("th", &[("scope", "col")], title);
        }
        page.verbatim("</tr></thead>\n<tbody>\n");
        for slot in slots {
            page.element("tr", &[], |page| row(page, slot));
            page.line();
        }
        page.verbatim("</tbody>\n</table>");
    });
    page.line();
}

fn row(page: &mut Markup, slot: &Slot) {
    let (word, tone) = badge(slot);
    page.element("td", &[], |page| page.leaf("span", &[("class", &format!("badge {tone}"))], word));
    let link = format!("/bundle/{}", slot.id);
    page.element("th", &[("scope", "row")], |page| page.leaf("a", &[("href", &link)], &slot.label));
    match &slot.stage {
        Stage::Done(report) => {
            page.leaf("td", &[], cause(report));
            page.leaf("td", &[], report.machine.computer.as_deref().unwrap_or("not known"));
            page.leaf("td", &[], &findings(report));
        }
        Stage::Failed(reason) => page.leaf("td", &[("colspan", "3")], reason),
        Stage::Waiting | Stage::Reading => page.leaf("td", &[("colspan", "3")], &size(slot.bytes)),
    }
}

/// The title of the first root cause.
fn cause(report: &Report) -> &str {
    let first = report.verdict.root_causes.first().and_then(|id| report.check(id));
    first.map_or("none found", |check| check.title.as_str())
}

/// How many findings there are.
pub fn findings(report: &Report) -> String {
    let count = |status| report.checks.iter().filter(|check| check.status == status).count();
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}", plural(count(Status::Blocker), "blocker"), plural(count(Status::Warning), "warning"))
}

fn compare_form(page: &mut Markup, done: &[&Slot]) {
    page.verbatim("<form id=\"compare\" method=\"get\" action=\"/compare\">\n<h2>Compare two</h2>\n");
    // The table begins with the worst: that is the one to explain, and the last one is the likeliest to work.
    let (worst, best) = (done.first().map(|slot| slot.id), done.last().map(|slot| slot.id));
    for (name, label, chosen) in
        [("good", "A machine that works", best), ("bad", "A machine that does not", worst)]
    {
        page.element("p", &[], |page| {
            page.leaf("label", &[("for", name)], label);
            page.element("select", &[("id", name), ("name", name)], |page| {
                for slot in done {
                    option(page, slot, chosen == Some(slot.id));
                }
            });
        });
        page.line();
    }
    page.verbatim("<button type=\"submit\">Compare</button>\n</form>\n");
}

fn option(page: &mut Markup, slot: &Slot, chosen: bool) {
    let (id, text) = (slot.id.to_string(), format!("{} ({})", slot.label, badge(slot).0));
    let attributes = [("value", id.as_str()), ("selected", "")];
    let wanted = if chosen { attributes.as_slice() } else { attributes.split_at(1).0 };
    page.leaf("option", wanted, &text);
}
