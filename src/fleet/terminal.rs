//! The fleet report for the terminal: tables with bars, cut to the width.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{Cell as TableCell, CellAlignment, ContentArrangement, Table};

use super::model::FleetReport;
use super::sections::{Section, sections};
use crate::report::visible;
use crate::triage::summary::bar;

/// Rows of a section that are shown without `--all`.
const ROWS: usize = 12;
/// Characters of a cell that are shown without `--all`.
const CELL: usize = 96;
/// Widest bar, in columns.
const BAR: u64 = 24;
const BOLD: Style = Style::new().bold();
const HEAD: Style = AnsiColor::Cyan.on_default();

/// How to render.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Width in columns.
    pub width: usize,
    /// Use colours.
    pub color: bool,
    /// Show every row.
    pub all: bool,
}

/// Renders a report.
pub fn render(report: &FleetReport, options: Options) -> String {
    let paint = |style: Style, text: &str| {
        if options.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let mut out = String::new();
    let title = format!(
        "{} bundle(s), {} analysed, {} blocked",
        report.bundles,
        report.analysed(),
        report.outcome("blocked")
    );
    let statuses: Vec<String> =
        report.statuses.iter().map(|count| format!("{} {}", count.count, count.name)).collect();
    let _ = writeln!(out, "{}\nrun {} · {}", paint(BOLD, &title), visible(&report.run), statuses.join(", "));
    for section in sections(report) {
        let _ = writeln!(out, "\n{}", paint(HEAD, &section.title));
        let _ = writeln!(out, "{}", table(&section, options));
        let left = section.rows.len().saturating_sub(ROWS);
        if left > 0 && !options.all {
            let _ = writeln!(out, "… and {left} more (--all)");
        }
    }
    out
}

/// A cell's text, cut where it would fill the screen.
fn shown(text: &str, options: Options) -> String {
    let text = visible(text);
    if options.all || text.chars().count() <= CELL {
        return text;
    }
    text.chars().take(CELL).chain(['…']).collect()
}

fn table(section: &Section, options: Options) -> String {
    let most = section.rows.iter().filter_map(|row| row.bar).map(|(long, _)| long).max();
    let mut table = Table::new();
    let width = u16::try_from(options.width.saturating_sub(1)).unwrap_or(u16::MAX);
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .force_no_tty();
    // Where a part of some bar is blocked, that part is dark and the rest light.
    let parted = section.rows.iter().filter_map(|row| row.bar).any(|(_, dark)| dark > 0);
    let bars = most.filter(|_| options.width >= 72);
    let extra = bars.map(|_| "");
    table.set_header(section.columns.iter().copied().chain(extra));
    let rows = if options.all { section.rows.len() } else { ROWS };
    for row in section.rows.iter().take(rows) {
        let mut cells: Vec<TableCell> = Vec::new();
        for cell in &row.cells {
            let alignment = if cell.is_number() { CellAlignment::Right } else { CellAlignment::Left };
            cells.push(TableCell::new(shown(&cell.words(), options)).set_alignment(alignment));
        }
        if let (Some(most), Some((long, dark))) = (bars, row.bar) {
            let full = bar(long, most, BAR);
            let dark = bar(dark, most, BAR).chars().count();
            let light = full.chars().count().saturating_sub(dark);
            let drawn = if parted { format!("{}{}", "█".repeat(dark), "░".repeat(light)) } else { full };
            cells.push(TableCell::new(drawn));
        }
        table.add_row(cells);
    }
    let lines = table.to_string();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::model::{Count, Group, GroupRow};
    use super::*;

    fn report() -> FleetReport {
        let count = |name: &str, count| Count { name: name.to_owned(), count };
        let row = |value: &str, bundles, blocked| GroupRow {
            value: value.to_owned(),
            bundles,
            blocked,
            causes: vec![count("svc-eventlog", blocked)],
        };
        FleetReport {
            run: "night".to_owned(),
            bundles: 31,
            outcomes: vec![count("blocked", 10), count("clear", 20)],
            statuses: vec![count("ok", 30), count("crashed", 1)],
            causes: (0..20).map(|number| count(&format!("cause-{number}\u{1b}[31m"), 20 - number)).collect(),
            groups: vec![Group {
                title: "By site".to_owned(),
                column: "site".to_owned(),
                rows: vec![row("BER", 20, 10), row("MUC", 10, 0)],
            }],
            ..FleetReport::default()
        }
    }

    #[test]
    fn tables_with_bars_within_the_width() {
        let text = render(&report(), Options { width: 100, color: false, all: false });
        assert!(
            text.starts_with("31 bundle(s), 30 analysed, 10 blocked\nrun night · 30 ok, 1 crashed\n"),
            "{text}"
        );
        assert!(text.contains("… and 8 more (--all)") && !text.contains("cause-19"), "{text}");
        assert!(text.contains(r"cause-0\u{1b}[31m") && !text.contains('\u{1b}'), "{text}");
        let line = |word: &str| text.lines().find(|line| line.trim_start().starts_with(word)).unwrap();
        // Half of Berlin is blocked, nothing of Munich.
        assert!(line("BER").ends_with(&format!("{}{}", "█".repeat(12), "░".repeat(12))), "{text}");
        assert!(line("MUC").ends_with(&"░".repeat(12)) && !line("MUC").contains('█'), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let narrow = render(&report(), Options { width: 50, color: false, all: true });
        assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
        assert!(narrow.contains("cause-19"));
    }
}
