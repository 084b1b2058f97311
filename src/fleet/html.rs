//! The fleet report as one HTML file: no script, nothing loaded from anywhere, charts as inline SVG, light and dark after the reader's
//! system, readable on a phone. Everything that comes from a bundle is escaped, and the page forbids itself everything but its own style.

use std::fmt::Write as _;

use super::model::FleetReport;
use super::sections::{Row, Section, sections};
use crate::report::visible;

/// The page's style.
const STYLE: &str = include_str!("style.css");

/// Text that is safe in HTML and in attributes.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Renders a report as a page.
pub fn render(report: &FleetReport) -> String {
    let mut out = String::new();
    let sections = sections(report);
    let run = escape(&report.run);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Activation in the fleet: {run}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Activation in the fleet</h1>\n<p>Run {run}</p>\n"
    );
    figures(&mut out, report);
    strip(&mut out, report);
    out.push_str("</header>\n<nav aria-label=\"Sections\">");
    for section in &sections {
        let _ = write!(out, "<a href=\"#{}\">{}</a> ", escape(&section.id), escape(&section.title));
    }
    out.push_str("</nav>\n<main>\n");
    sections.iter().for_each(|section| write_section(&mut out, section));
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The figures at the top.
fn figures(out: &mut String, report: &FleetReport) {
    let unread = report.bundles.saturating_sub(report.analysed());
    let list = [
        ("bundles", report.bundles),
        ("blocked", report.outcome("blocked")),
        ("suspect", report.outcome("suspect")),
        ("clear", report.outcome("clear")),
        ("inconclusive", report.outcome("inconclusive")),
        ("without report", unread),
    ];
    out.push_str("<dl class=\"figures\">");
    for (name, count) in list {
        let _ =
            write!(out, "<div class=\"{}\"><dt>{name}</dt><dd>{count}</dd></div>", name.replace(' ', "-"));
    }
    out.push_str("</dl>\n");
}

/// All bundles as one bar, by outcome.
fn strip(out: &mut String, report: &FleetReport) {
    let whole = report.bundles.max(1);
    let per_mille = |count: u64| count.saturating_mul(1000) / whole;
    let _ = write!(
        out,
        "<svg class=\"strip\" viewBox=\"0 0 1000 28\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Bundles by outcome\">"
    );
    let mut from = 0;
    let unread = report.bundles.saturating_sub(report.analysed());
    let parts = report.outcomes.iter().map(|count| (count.name.as_str(), count.count));
    for (name, count) in parts.chain([("without-report", unread)]) {
        let wide = per_mille(count);
        let _ = write!(
            out,
            "<rect class=\"{0}\" x=\"{from}\" y=\"0\" width=\"{wide}\" height=\"28\"><title>{0}: {count}</title></rect>",
            escape(name)
        );
        from += wide;
    }
    out.push_str("</svg>\n");
}

fn write_section(out: &mut String, section: &Section) {
    let _ = write!(
        out,
        "<section id=\"{}\">\n<h2>{}</h2>\n<p>{}</p>\n<table>\n<thead><tr>",
        escape(&section.id),
        escape(&section.title),
        escape(section.note)
    );
    let most = section.rows.iter().filter_map(|row| row.bar).map(|(long, _)| long).max();
    let parted = section.rows.iter().filter_map(|row| row.bar).any(|(_, dark)| dark > 0);
    let numbers = section
        .rows
        .first()
        .map(|row| row.cells.iter().map(super::sections::Cell::is_number).collect::<Vec<_>>());
    for (at, column) in section.columns.iter().enumerate() {
        let number = numbers.as_ref().and_then(|numbers| numbers.get(at)).copied().unwrap_or_default();
        let class = if number { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escape(column));
    }
    if most.is_some() {
        out.push_str("<th scope=\"col\" class=\"bar\"><span class=\"unseen\">chart</span></th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    section.rows.iter().for_each(|row| write_row(out, section, row, most, parted));
    out.push_str("</tbody>\n</table>\n</section>\n");
}

fn write_row(out: &mut String, section: &Section, row: &Row, most: Option<u64>, parted: bool) {
    out.push_str("<tr>");
    for (cell, column) in row.cells.iter().zip(&section.columns) {
        let class = if cell.is_number() { " class=\"number\"" } else { "" };
        let _ = write!(out, "<td{class} data-label=\"{}\">{}</td>", escape(column), escape(&cell.words()));
    }
    if let (Some(most), Some((long, dark))) = (most, row.bar) {
        let wide = |count: u64| count.saturating_mul(1000) / most.max(1);
        let class = if parted { "rest" } else { "bar-fill" };
        let _ = write!(
            out,
            "<td class=\"bar\"><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"{class}\" width=\"{}\" height=\"10\"/>",
            wide(long)
        );
        if dark > 0 {
            let _ = write!(out, "<rect class=\"blocked\" width=\"{}\" height=\"10\"/>", wide(dark));
        }
        out.push_str("</svg></td>");
    }
    out.push_str("</tr>\n");
}

#[cfg(test)]
mod tests {
    use super::super::model::{Count, Unread};
    use super::*;

    #[test]
    fn nothing_from_a_bundle_becomes_markup_and_nothing_is_loaded() {
        let evil = "<script>alert(1)</script>\" onload='x' &\u{202e}";
        let count = |name: &str, count| Count { name: name.to_owned(), count };
        let report = FleetReport {
            run: evil.to_owned(),
            bundles: 4,
            outcomes: vec![count("blocked", 2), count("clear", 1)],
            causes: vec![count(evil, 2)],
            unread: vec![Unread {
                path: evil.to_owned(),
                status: "crashed".to_owned(),
                error: evil.to_owned(),
            }],
            ..FleetReport::default()
        };
        let page = render(&report);
        assert!(!page.contains("<script") && !page.contains("onload='") && !page.contains('\u{202e}'));
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&#39;x&#39; &amp;"));
        for word in ["http://", "https://", "url(", "@import", "<link", "<img", " src="] {
            assert!(!page.contains(word), "{word}");
        }
        // Half of the bundles are blocked: half of the strip.
        assert!(page.contains("<rect class=\"blocked\" x=\"0\" y=\"0\" width=\"500\""), "{page}");
        assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
    }
}
