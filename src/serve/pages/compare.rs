//! Two bundles side by side.

use axum::response::Response;

use super::page;
use crate::facts::Value;
use crate::report::comparison::{Comparison, FactDifference};
use crate::report::markup::Markup;
use crate::report::verdict_word;

/// The page of a comparison.
pub fn compare(comparison: &Comparison) -> Response {
    page("Comparison", None, |page| {
        page.leaf("h1", &[], "What differs");
        page.element("dl", &[], |page| {
            for (label, side) in [("Works", &comparison.good), ("Does not", &comparison.bad)] {
                page.leaf("dt", &[], label);
                page.leaf(
                    "dd",
                    &[],
                    &format!("{}: {}", side.path, verdict_word(side.outcome).to_lowercase()),
                );
            }
        });
        checks(page, comparison);
        facts(page, "Facts that checks cite", &comparison.cited_facts);
        facts(page, "Other facts", &comparison.other_facts);
        let (checks, facts) = (comparison.other_checks.len(), comparison.one_sided.len());
        let words =
            format!("Told by one side only, or healthy in another way: {checks} check(s), {facts} fact(s).");
        page.leaf("p", &[("class", "fine")], &words);
    })
}

fn checks(page: &mut Markup, comparison: &Comparison) {
    if comparison.findings.is_empty() {
        page.verbatim("<p>No check finds a problem on one side only.</p>\n");
        return;
    }
    table(page, "Findings that differ", ["Check", "Works", "Does not"], |page| {
        for item in &comparison.findings {
            page.element("tr", &[], |page| {
                page.leaf("th", &[("scope", "row")], item.title);
                for (status, summary) in [(item.good, &item.good_summary), (item.bad, &item.bad_summary)] {
                    page.element("td", &[], |page| {
                        let name = status.name();
                        page.leaf("span", &[("class", &format!("badge {name}"))], name);
                        page.leaf("p", &[], summary);
                    });
                }
            });
            page.line();
        }
    });
}

fn facts(page: &mut Markup, title: &str, facts: &[FactDifference]) {
    if facts.is_empty() {
        return;
    }
    table(page, title, ["Fact", "Works", "Does not"], |page| {
        for fact in facts {
            let words =
                |value: &Option<Value>| value.as_ref().map_or_else(|| "not set".to_owned(), Value::words);
            page.element("tr", &[], |page| {
                page.element("th", &[("scope", "row")], |page| {
                    page.leaf("code", &[], &fact.name);
                    page.leaf("p", &[], fact.about);
                });
                page.leaf("td", &[], &words(&fact.good));
                page.leaf("td", &[], &words(&fact.bad));
            });
            page.line();
        }
    });
}

fn table(page: &mut Markup, title: &str, columns: [&str; 3], rows: impl FnOnce(&mut Markup)) {
    page.element(
        "div",
        &[("class", "wide"), ("role", "region"), ("aria-label", title), ("tabindex", "0")],
        |page| {
            page.verbatim("<table>\n");
            page.leaf("caption", &[], title);
            page.verbatim("<thead><tr>");
            for column in columns {
                page.leaf("th", &[("scope", "col")], column);
            }
            page.verbatim("</tr></thead>\n<tbody>\n");
            rows(page);
            page.verbatim("</tbody>\n</table>");
        },
    );
    page.line();
}
