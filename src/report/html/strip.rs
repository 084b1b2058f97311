//! The decisive events around the failure: a strip that shows when they came together, and the same events as a list.
//!
//! Positions are percentages and letters are not scaled, so the strip fits any width and stays readable.

use std::fmt::Write as _;

use super::View;
use crate::diagnosis::timeline::{Around, Kind};
use crate::report::markup::Markup;
use crate::time::FileTime;

/// The lanes begin and end here, in percent: the names of the kinds stand to the left.
const LEFT: f64 = 26.0;
const RIGHT: f64 = 98.0;
const LANE: usize = 26;

/// The span of the moments and where a time stands in it.
struct Scale {
    from: FileTime,
    seconds: f64,
}

impl Scale {
    /// `None` where nothing happened.
    fn of(around: &Around) -> Option<Self> {
        let (first, last) = (around.moments.first()?.time, around.moments.last()?.time);
        // All in one second still has a width.
        Some(Self { from: first, seconds: as_float(last.seconds_since(first).max(1)) })
    }

    fn at(&self, time: FileTime) -> Option<String> {
        let share = as_float(time.seconds_since(self.from)) / self.seconds;
        (0.0..=1.0).contains(&share).then(|| format!("{:.2}%", LEFT + (RIGHT - LEFT) * share))
    }
}

/// Seconds for a picture: what 53 bits lose is not seen.
fn as_float(seconds: i64) -> f64 {
    f64::from(i32::try_from(seconds).unwrap_or(i32::MAX))
}

impl View<'_> {
    /// The strip and the list.
    pub fn timeline(&mut self) {
        let around = &self.report.timeline;
        let Some(scale) = Scale::of(around) else { return };
        let shown = around.moments.len();
        self.section("timeline", "Around the failure", |view| {
            strip(&mut view.page, around, &scale);
            if around.total > shown {
                let text = format!(
                    "The {shown} events nearest to the failure, of {} decisive ones; actriage timeline prints all.",
                    around.total
                );
                view.page.leaf("p", &[("class", "label")], &text);
            }
            view.page.element("ol", &[("class", "moments")], |page| list(page, around));
            view.page.line();
        });
    }
}

fn strip(page: &mut Markup, around: &Around, scale: &Scale) {
    let lanes: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| around.moments.iter().any(|moment| moment.kind == *kind))
        .collect();
    let bottom = lanes.len() * LANE + 8;
    let (first, last) = (around.moments.first(), around.moments.last());
    let span =
        first.zip(last).map(|(first, last)| format!("{} to {}", first.time, last.time)).unwrap_or_default();
    let label = format!("Decisive events, {span}; they are listed below.");
    let height = (bottom + 40).to_string();
    page.element(
        "svg",
        &[
            ("class", "strip"),
            ("width", "100%"),
            ("height", &height),
            ("role", "img"),
            ("aria-label", &label),
        ],
        |page| {
            if let Some(x) = around.time.and_then(|time| scale.at(time)) {
                let end = bottom.to_string();
                page.void("line", &[("class", "failure"), ("x1", &x), ("x2", &x), ("y1", "0"), ("y2", &end)]);
            }
            for (row, kind) in lanes.iter().enumerate() {
                lane(page, around, scale, *kind, row);
            }
            ends(page, around, bottom);
        },
    );
    page.line();
}

fn lane(page: &mut Markup, around: &Around, scale: &Scale, kind: Kind, row: usize) {
    let y = (row * LANE + 20).to_string();
    let base = (row * LANE + 24).to_string();
    page.leaf("text", &[("x", "0"), ("y", &base)], kind.name());
    let (from, to) = (format!("{LEFT}%"), format!("{RIGHT}%"));
    page.void("line", &[("class", "lane"), ("x1", &from), ("x2", &to), ("y1", &y), ("y2", &y)]);
    for moment in around.moments.iter().filter(|moment| moment.kind == kind) {
        if let Some(x) = scale.at(moment.time) {
            page.void("circle", &[("class", "moment"), ("cx", &x), ("cy", &y), ("r", "5")]);
        }
    }
}

/// First and last time below the lanes, and what the line across them means.
fn ends(page: &mut Markup, around: &Around, bottom: usize) {
    let y = (bottom + 14).to_string();
    let (from, to) = (format!("{LEFT}%"), format!("{RIGHT}%"));
    let short = |time: FileTime| time.to_string().replace('T', " ").chars().take(16).collect::<String>();
    if let (Some(first), Some(last)) = (around.moments.first(), around.moments.last()) {
        page.leaf("text", &[("class", "tick"), ("x", &from), ("y", &y)], &short(first.time));
        if short(last.time) != short(first.time) {
            page.leaf("text", &[("class", "tick end"), ("x", &to), ("y", &y)], &short(last.time));
        }
    }
    if let Some(time) = around.time {
        let mut text = String::new();
        let _ = write!(text, "dashed: the failure, {} UTC", short(time));
        let y = (bottom + 32).to_string();
        page.leaf("text", &[("class", "tick"), ("x", &from), ("y", &y)], &text);
    }
}

fn list(page: &mut Markup, around: &Around) {
    for moment in &around.moments {
        page.element("li", &[], |page| {
            let time = moment.time.to_string();
            page.leaf("time", &[("datetime", &time)], &time);
            page.text(" ");
            page.leaf("strong", &[], moment.kind.name());
            page.text(" ");
            page.leaf("span", &[], &moment.what);
            page.text(" ");
            let source = format!("{} {} {}", moment.event_id, moment.artifact, moment.locator);
            page.leaf("small", &[], &source);
        });
        page.line();
    }
}
