//! The sections of a fleet report as tables of plain cells. All renderers show these, so that nothing is in one and missing in another.

use super::model::{Count, FleetReport, GroupRow};

/// One section.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Short name, for file names and links.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What the figures mean.
    pub note: &'static str,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a section.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// One cell for each column.
    pub cells: Vec<Cell>,
    /// Length of the row's bar, and the part of it that is blocked; `None` in a section without bars.
    pub bar: Option<(u64, u64)>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A word or sentence. It may come from a bundle, so every renderer escapes it.
    Text(String),
    /// A number.
    Number(u64),
    /// A ratio with one digit.
    Ratio(f64),
    /// Per cent.
    Percent(u64),
}

impl Cell {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Ratio(ratio) => format!("{ratio:.1}"),
            Self::Percent(percent) => format!("{percent} %"),
        }
    }

    /// Whether it stands on the right.
    pub fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_))
    }
}

fn text(words: &str) -> Cell {
    Cell::Text(words.to_owned())
}

/// Per cent of a whole, rounded.
fn percent(part: u64, whole: u64) -> Cell {
    let twice = whole.saturating_mul(2);
    Cell::Percent(part.saturating_mul(200).saturating_add(whole).checked_div(twice).unwrap_or_default())
}

fn row(cells: Vec<Cell>) -> Row {
    Row { cells, bar: None }
}

fn counted(list: &[Count], whole: u64) -> Vec<Row> {
    let one = |count: &Count| Row {
        cells: vec![text(&count.name), Cell::Number(count.count), percent(count.count, whole)],
        bar: Some((count.count, 0)),
    };
    list.iter().map(one).collect()
}

fn group(line: &GroupRow) -> Row {
    let causes: Vec<String> =
        line.causes.iter().map(|cause| format!("{} ({})", cause.name, cause.count)).collect();
    Row {
        cells: vec![
            text(&line.value),
            Cell::Number(line.bundles),
            Cell::Number(line.blocked),
            percent(line.blocked, line.bundles),
            Cell::Text(causes.join(", ")),
        ],
        bar: Some((line.bundles, line.blocked)),
    }
}

/// All sections that have something to show.
pub fn sections(report: &FleetReport) -> Vec<Section> {
    let section = |id: &str, title: &str, note, columns: &[&'static str], rows| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        note,
        columns: columns.to_vec(),
        rows,
    };
    let analysed = report.analysed();
    let mut all = vec![
        section(
            "outcomes",
            "Outcomes",
            "Analysed bundles by verdict.",
            &["outcome", "bundles", "share"],
            counted(&report.outcomes, analysed),
        ),
        section(
            "causes",
            "Most likely causes",
            "Bundles by their first root cause.",
            &["cause", "bundles", "share"],
            counted(&report.causes, analysed),
        ),
        section(
            "findings",
            "Findings",
            "Every finding, also those that another one explains.",
            &["check", "layer", "blocks", "warns", "is a cause"],
            report
                .findings
                .iter()
                .map(|found| Row {
                    cells: vec![
                        text(&found.check),
                        text(&found.layer),
                        Cell::Number(found.blockers),
                        Cell::Number(found.warnings),
                        Cell::Number(found.roots),
                    ],
                    bar: Some((found.blockers.saturating_add(found.warnings), found.blockers)),
                })
                .collect(),
        ),
    ];
    for list in &report.groups {
        let columns = ["", "bundles", "blocked", "share", "most likely causes"];
        let rows = list.rows.iter().map(group).collect();
        all.push(section(
            &format!("by-{}", list.column.replace('_', "-")),
            &list.title,
            "Analysed bundles; the marked part of a bar is blocked.",
            &columns,
            rows,
        ));
    }
    all.extend(rest(report, section));
    all.retain(|section| !section.rows.is_empty());
    all
}

/// The sections without bars, and what was not collected.
fn rest(
    report: &FleetReport,
    section: impl Fn(&str, &str, &'static str, &[&'static str], Vec<Row>) -> Section,
) -> Vec<Section> {
    let pairs = report.pairs.iter().map(|pair| {
        let counts = [pair.both, pair.with_a, pair.with_b].map(Cell::Number);
        row([vec![text(&pair.a), text(&pair.b)], counts.to_vec(), vec![Cell::Ratio(pair.lift)]].concat())
    });
    let outliers = report
        .outliers
        .iter()
        .map(|found| row(vec![text(&found.kind), text(&found.subject), text(&found.what)]));
    let missing = report.missing.iter().map(|missing| Row {
        cells: vec![
            text(&missing.what),
            Cell::Number(missing.bundles),
            Cell::Number(missing.checks),
            text(&missing.collect),
        ],
        bar: Some((missing.bundles, 0)),
    });
    let unread = report
        .unread
        .iter()
        .map(|found| row(vec![text(&found.status), text(&found.path), text(&found.error)]));
    let mut all = vec![
        section(
            "together",
            "Findings that come together",
            "\"times chance\" is how much more often than if they had nothing to do with each other.",
            &["one", "other", "both", "with one", "with other", "times chance"],
            pairs.collect(),
        ),
        section(
            "outliers",
            "What stands out",
            "Groups in which a cause is far more frequent than elsewhere, causes that only one bundle has, and slow bundles.",
            &["kind", "subject", "what"],
            outliers.collect(),
        ),
        section(
            "missing",
            "What was not collected",
            "\"checks\" counts, over all bundles, the checks that could not be judged without it.",
            &["what", "bundles", "checks", "collect it with"],
            missing.collect(),
        ),
        section(
            "unread",
            "Bundles without a report",
            "Each of them is a row of the dataset with its reason.",
            &["status", "bundle", "why"],
            unread.collect(),
        ),
    ];
    if let Some(difference) = &report.difference {
        let counts = [
            ("in both runs", difference.compared),
            ("judged differently", difference.changes.len() as u64),
            ("only in the earlier run", difference.gone),
            ("only in this run", difference.new),
        ];
        let counts = counts.map(|(name, count)| row(vec![text(name), Cell::Number(count)]));
        all.push(section(
            "difference",
            &format!("Compared with {}", difference.before),
            "Bundles of the same content, else of the same computer.",
            &["bundles", "count"],
            counts.to_vec(),
        ));
        let causes = difference.causes.iter().map(|change| {
            row(vec![text(&change.cause), Cell::Number(change.before), Cell::Number(change.now)])
        });
        all.push(section(
            "difference-causes",
            "Causes then and now",
            "Bundles by their first root cause.",
            &["cause", "before", "now"],
            causes.collect(),
        ));
        let changes = difference
            .changes
            .iter()
            .map(|change| row(vec![text(&change.path), text(&change.before), text(&change.now)]));
        all.push(section(
            "changes",
            "Judged differently",
            "Outcome and first cause.",
            &["bundle", "before", "now"],
            changes.collect(),
        ));
    }
    all
}
