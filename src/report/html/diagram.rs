//! Cause → symptoms as a picture: a tree for each cause that explains something, drawn in SVG without a script.
//!
//! The tree is narrow (360 units) and grows downwards, so that its words are readable on a telephone as well; several causes stand side by
//! side where there is room. For those who do not see it, its label says the same in words.

use std::collections::HashSet;

use super::View;
use crate::report::markup::Markup;
use crate::report::model::{CheckInfo, Report};

const WIDTH: usize = 360;
const INDENT: usize = 24;
const LINE: usize = 17;
const PADDING: usize = 10;
const GAP: usize = 12;
/// Letters in a line of the widest box: 12 units high, they are at most about 7 wide on the average.
const LETTERS: usize = 46;
/// Deeper chains are drawn at this depth: nothing that is real has come near it.
const DEEPEST: usize = 5;

/// A box of the tree.
struct Knot<'r> {
    check: &'r CheckInfo,
    depth: usize,
    lines: Vec<String>,
    top: usize,
    /// Index of the box that explains it.
    parent: Option<usize>,
}

impl Knot<'_> {
    fn left(&self) -> usize {
        self.depth * INDENT
    }

    fn height(&self) -> usize {
        self.lines.len() * LINE + 2 * PADDING
    }
}

/// The boxes below a cause, each below the nearest finding that explains it.
fn tree<'r>(report: &'r Report, root: &'r CheckInfo) -> Vec<Knot<'r>> {
    let mut known: HashSet<&str> = HashSet::from([root.id.as_str()]);
    let mut open: Vec<(&CheckInfo, usize, Option<usize>)> = vec![(root, 0, None)];
    let mut knots: Vec<Knot<'r>> = Vec::new();
    let mut top = 1;
    while let Some((check, depth, parent)) = open.pop() {
        let index = knots.len();
        let lines: Vec<String> = textwrap::wrap(&check.title, LETTERS - 4 * depth)
            .into_iter()
            .map(std::borrow::Cow::into_owned)
            .collect();
        let knot = Knot { check, depth, lines, top, parent };
        top += knot.height() + GAP;
        knots.push(knot);
        let explained: Vec<&CheckInfo> = check.explains.iter().filter_map(|id| report.check(id)).collect();
        // Explained by a sibling as well: then it stands below that one.
        let nearer = |item: &CheckInfo| {
            explained.iter().any(|other| {
                other.id != item.id
                    && other.explains.contains(&item.id.as_str())
                    && !item.explains.contains(&other.id.as_str())
            })
        };
        let below: Vec<&CheckInfo> =
            explained.iter().copied().filter(|item| !nearer(item) && known.insert(&item.id)).collect();
        let depth = (depth + 1).min(DEEPEST);
        open.extend(below.into_iter().rev().map(|item| (item, depth, Some(index))));
    }
    knots
}

impl View<'_> {
    /// Draws the causes that explain something.
    pub fn diagram(&mut self) {
        let report = self.report;
        let roots = report.verdict.root_causes.iter().filter_map(|id| report.check(id));
        let trees: Vec<Vec<Knot<'_>>> =
            roots.filter(|check| !check.explains.is_empty()).map(|check| tree(report, check)).collect();
        if trees.is_empty() {
            return;
        }
        self.section("causes", "What leads to what", |view| {
            view.page
                .element("div", &[("class", "trees")], |page| trees.iter().for_each(|tree| draw(page, tree)));
            view.page.line();
        });
    }
}

fn words(knots: &[Knot<'_>]) -> String {
    let title = |knot: &Knot<'_>| knot.check.title.clone();
    let symptoms: Vec<String> = knots.iter().skip(1).map(title).collect();
    let root = knots.first().map(title).unwrap_or_default();
    format!("Cause: {root}. It explains: {}.", symptoms.join("; "))
}

fn draw(page: &mut Markup, knots: &[Knot<'_>]) {
    let height = knots.last().map_or(0, |knot| knot.top + knot.height() + 1);
    let frame = format!("0 0 {WIDTH} {height}");
    let label = words(knots);
    page.element("svg", &[("viewBox", &frame), ("role", "img"), ("aria-label", &label)], |page| {
        for knot in knots {
            if let Some(parent) = knot.parent.and_then(|index| knots.get(index)) {
                elbow(page, parent, knot);
            }
        }
        for knot in knots {
            node(page, knot);
        }
    });
    page.line();
}

/// From the foot of a box down and to the right into the one that it explains, with a head.
fn elbow(page: &mut Markup, from: &Knot<'_>, to: &Knot<'_>) {
    let (x, y) = (from.left() + INDENT / 2, to.top + to.height() / 2);
    let end = to.left().max(x + 4);
    let way = format!("M{x} {} V{y} H{end} m-5 -4 l5 4 l-5 4", from.top + from.height());
    page.void("path", &[("class", "arrow"), ("d", &way)]);
}

fn node(page: &mut Markup, knot: &Knot<'_>) {
    let number = |value: usize| value.to_string();
    let class = format!("box {}{}", knot.check.status.name(), if knot.depth == 0 { " root" } else { "" });
    page.void(
        "rect",
        &[
            ("class", &class),
            ("x", &number(knot.left() + 1)),
            ("y", &number(knot.top)),
            ("width", &number(WIDTH - knot.left() - 2)),
            ("height", &number(knot.height())),
            ("rx", "6"),
        ],
    );
    for (row, line) in knot.lines.iter().enumerate() {
        let (x, y) = (knot.left() + PADDING + 2, knot.top + PADDING + row * LINE + 13);
        page.leaf("text", &[("x", &number(x)), ("y", &number(y))], line);
    }
}
