//! The fleet report: what a dataset says, before anybody renders it. Every renderer shows all of it.

use serde::Serialize;

/// Something counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// The report on one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FleetReport {
    /// The run.
    pub run: String,
    /// Rows: bundles, each content once.
    pub bundles: u64,
    /// Bundles by outcome, the worst first.
    pub outcomes: Vec<Count>,
    /// Bundles by status.
    pub statuses: Vec<Count>,
    /// Bundles by their first root cause, most frequent first.
    pub causes: Vec<Count>,
    /// Findings by check.
    pub findings: Vec<FindingCount>,
    /// The same bundles by Windows build, Office version, proxy and site.
    pub groups: Vec<Group>,
    /// Findings that come together more often than by chance.
    pub pairs: Vec<Pair>,
    /// What stands out.
    pub outliers: Vec<Outlier>,
    /// What was not collected, what most bundles miss first.
    pub missing: Vec<Missing>,
    /// Bundles without a report.
    pub unread: Vec<Unread>,
    /// What is different from another run.
    pub difference: Option<Difference>,
}

/// How often a check found something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// Id of the check.
    pub check: String,
    /// Its layer.
    pub layer: String,
    /// Bundles that it blocks.
    pub blockers: u64,
    /// Bundles that it warns of.
    pub warnings: u64,
    /// Bundles of which it is a root cause.
    pub roots: u64,
}

/// The bundles by one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// For people.
    pub title: String,
    /// Column of `bundles`.
    pub column: String,
    /// One row a value, most bundles first; `unknown` where the property is not known.
    pub rows: Vec<GroupRow>,
}

/// The bundles with one value of a property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupRow {
    /// The value.
    pub value: String,
    /// Analysed bundles.
    pub bundles: u64,
    /// Those that are blocked.
    pub blocked: u64,
    /// Their first root causes, most frequent first, three at most.
    pub causes: Vec<Count>,
}

/// Two findings in the same bundles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// One check.
    pub a: String,
    /// The other one.
    pub b: String,
    /// Bundles with both.
    pub both: u64,
    /// Bundles with the first.
    pub with_a: u64,
    /// Bundles with the second.
    pub with_b: u64,
    /// How many times more often than if they had nothing to do with each other.
    pub lift: f64,
}

/// Something that stands out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlier {
    /// `concentration` (a cause far more frequent in one group), `only one` (a cause that a single bundle has), `slow`.
    pub kind: String,
    /// The group or the bundle.
    pub subject: String,
    /// What is special about it, with the figures.
    pub what: String,
}

/// Something that was not collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What.
    pub what: String,
    /// How to collect it.
    pub collect: String,
    /// Bundles that miss it.
    pub bundles: u64,
    /// Checks that could not be judged for it, over all bundles.
    pub checks: u64,
}

/// A bundle without a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Where it is.
    pub path: String,
    /// `unreadable`, `timeout` or `crashed`.
    pub status: String,
    /// Why.
    pub error: String,
}

/// What is different from an earlier run: bundles of the same content or, where there is none, of the same computer are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The earlier run.
    pub before: String,
    /// Bundles or computers in both.
    pub compared: u64,
    /// Only in the earlier run.
    pub gone: u64,
    /// Only in this run.
    pub new: u64,
    /// Those whose outcome or first cause changed.
    pub changes: Vec<Change>,
    /// First root causes in both runs, the largest change first.
    pub causes: Vec<CauseChange>,
}

/// A bundle that is judged differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where it is now.
    pub path: String,
    /// Outcome and first cause before.
    pub before: String,
    /// Outcome and first cause now.
    pub now: String,
}

/// A cause in both runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CauseChange {
    /// Id of the check.
    pub cause: String,
    /// Bundles before.
    pub before: u64,
    /// Bundles now.
    pub now: u64,
}

impl FleetReport {
    /// Bundles with this outcome.
    pub fn outcome(&self, name: &str) -> u64 {
        self.outcomes.iter().find(|count| count.name == name).map_or(0, |count| count.count)
    }

    /// Bundles that have a report.
    pub fn analysed(&self) -> u64 {
        self.outcomes.iter().map(|count| count.count).sum()
    }
}
