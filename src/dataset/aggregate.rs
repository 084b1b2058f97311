//! From the tables of a run to the fleet report.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use polars::prelude::*;

use super::read::{Tables, counts, tables, words};
use super::{DatasetError, runs};
use crate::fleet::model::{
    CauseChange, Change, Count, Difference, FindingCount, FleetReport, Group, GroupRow, Missing, Outlier,
    Pair, Unread,
};
use crate::triage::run::manifests;

/// What bundles are grouped by.
const GROUPS: &[(&str, &str)] = &[
    ("os_build", "By Windows build"),
    ("office_version", "By Office version"),
    ("proxy_host", "By proxy"),
    ("site", "By site (prefix of the computer name)"),
];
/// The order of outcomes.
const OUTCOMES: &[&str] = &["blocked", "suspect", "inconclusive", "clear"];
/// Causes named in a row of a group.
const CAUSES: usize = 3;
/// A finding about the collection comes together with everything.
const ABOUT_COLLECTION: &str = "collection-completeness";
/// A pair counts from so many bundles on, and from so much more than chance.
const PAIR: (u64, f64) = (3, 1.5);
/// A concentration: so many bundles of the group, so many times the share elsewhere, so many standard errors.
const CONCENTRATION: (u64, f64, f64) = (4, 2.5, 3.0);
/// A cause that one bundle has stands out only among so many.
const MANY: u64 = 20;
/// A bundle is slow from so many milliseconds on, and so many times the median.
const SLOW: (u64, u64) = (10_000, 8);

/// The run that a name means: the latest one without a name, the one before it for `previous`.
pub fn choose(out: &Path, name: Option<&str>, than: Option<&str>) -> Result<String, DatasetError> {
    let io = |error| DatasetError::Io(out.display().to_string(), error);
    let mut known = runs(out).map_err(io)?;
    let started: HashMap<String, String> =
        manifests(out).into_iter().map(|manifest| (manifest.run, manifest.started_at)).collect();
    known.sort_by(|a, b| (started.get(a), a).cmp(&(started.get(b), b)));
    let none = |text: String| DatasetError::NoRun(format!("{}: {text}", out.display()));
    match name {
        Some("previous") => {
            let at = known.iter().position(|run| Some(run.as_str()) == than).unwrap_or(known.len());
            let before = at.checked_sub(1).and_then(|at| known.get(at));
            before.cloned().ok_or_else(|| none("there is no earlier run".to_owned()))
        }
        Some(name) if known.iter().any(|run| run == name) => Ok(name.to_owned()),
        Some(name) => Err(none(format!("no run {name}; there are: {}", known.join(", ")))),
        None => known.pop().ok_or_else(|| none("this is no dataset of `actriage triage`".to_owned())),
    }
}

/// The report on a run, compared with another one where that is given.
pub fn report(out: &Path, run: &str, against: Option<&str>) -> Result<FleetReport, DatasetError> {
    let now = tables(out, run)?;
    let wrong = |error| DatasetError::Table(run.to_owned(), error);
    let mut report = of_tables(run, &now).map_err(wrong)?;
    if let Some(before) = against {
        let earlier = tables(out, before)?;
        report.difference = Some(difference(before, &earlier, &now).map_err(wrong)?);
    }
    Ok(report)
}

fn of_tables(run: &str, tables: &Tables) -> PolarsResult<FleetReport> {
    let bundles = &tables.bundles;
    let analysed = bundles.filter(&bundles.column("outcome")?.is_not_null())?;
    let mut outcomes = single(&analysed, "outcome")?;
    outcomes.sort_by_key(|count| OUTCOMES.iter().position(|name| *name == count.name));
    let causes = single(&analysed, "root_cause")?;
    let mut groups = Vec::new();
    for (column, title) in GROUPS {
        groups.push(Group {
            title: (*title).to_owned(),
            column: (*column).to_owned(),
            rows: group(&analysed, column)?,
        });
    }
    let mut outliers = concentrations(&analysed, &causes)?;
    outliers.extend(singles(&analysed, &causes)?);
    Ok(FleetReport {
        run: run.to_owned(),
        bundles: bundles.height() as u64,
        statuses: single(bundles, "status")?,
        findings: findings(&tables.findings)?,
        pairs: pairs(&tables.findings, analysed.height() as u64)?,
        missing: missing(&analysed)?,
        unread: unread(bundles)?,
        outcomes,
        causes,
        groups,
        outliers,
        difference: None,
    })
}

/// Values of a column with their counts, most frequent first; rows without a value do not count.
fn single(frame: &DataFrame, column: &str) -> PolarsResult<Vec<Count>> {
    let mut found: Vec<Count> = counts(frame, &[column])?
        .into_iter()
        .filter_map(|(key, count)| Some(Count { name: key.into_iter().next()??, count }))
        .collect();
    most_first(&mut found);
    Ok(found)
}

fn most_first(counts: &mut [Count]) {
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
}

/// Counts by two columns, the first one as a map.
fn double(frame: &DataFrame, by: &str, of: &str) -> PolarsResult<BTreeMap<Option<String>, Vec<Count>>> {
    let mut found: BTreeMap<Option<String>, Vec<Count>> = BTreeMap::new();
    for (key, count) in counts(frame, &[by, of])? {
        let mut key = key.into_iter();
        let (value, name) = (key.next().flatten(), key.next().flatten());
        let list = found.entry(value).or_default();
        list.extend(name.map(|name| Count { name, count }));
    }
    found.values_mut().for_each(|list| most_first(list));
    Ok(found)
}

fn group(analysed: &DataFrame, column: &str) -> PolarsResult<Vec<GroupRow>> {
    let outcomes = double(analysed, column, "outcome")?;
    let mut causes = double(analysed, column, "root_cause")?;
    let mut rows: Vec<GroupRow> = outcomes
        .into_iter()
        .map(|(value, counts)| GroupRow {
            bundles: counts.iter().map(|count| count.count).sum(),
            blocked: counts.iter().find(|count| count.name == "blocked").map_or(0, |count| count.count),
            causes: causes.remove(&value).unwrap_or_default().into_iter().take(CAUSES).collect(),
            value: value.unwrap_or_else(|| "unknown".to_owned()),
        })
        .collect();
    rows.sort_by(|a, b| b.bundles.cmp(&a.bundles).then_with(|| a.value.cmp(&b.value)));
    Ok(rows)
}

fn findings(findings: &DataFrame) -> PolarsResult<Vec<FindingCount>> {
    let mut found: BTreeMap<(String, String), FindingCount> = BTreeMap::new();
    for (key, count) in counts(findings, &["check", "layer", "status", "is_root"])? {
        let key: Vec<String> = key.into_iter().map(Option::unwrap_or_default).collect();
        let [check, layer, status, root] = key.as_slice() else { continue };
        let entry = found.entry((check.clone(), layer.clone())).or_insert_with(|| FindingCount {
            check: check.clone(),
            layer: layer.clone(),
            blockers: 0,
            warnings: 0,
            roots: 0,
        });
        let sum = if status == "blocker" { &mut entry.blockers } else { &mut entry.warnings };
        *sum += count;
        entry.roots += if root == "true" { count } else { 0 };
    }
    let mut found: Vec<FindingCount> = found.into_values().collect();
    found.sort_by(|a, b| {
        (b.blockers + b.warnings).cmp(&(a.blockers + a.warnings)).then_with(|| a.check.cmp(&b.check))
    });
    Ok(found)
}

/// Findings in the same bundles, compared with what chance would give.
fn pairs(findings: &DataFrame, analysed: u64) -> PolarsResult<Vec<Pair>> {
    let mut by_bundle: HashMap<String, Vec<String>> = HashMap::new();
    for (id, check) in words(findings, "bundle_id")?.into_iter().zip(words(findings, "check")?) {
        if let (Some(id), Some(check)) = (id, check)
            && check != ABOUT_COLLECTION
        {
            by_bundle.entry(id).or_default().push(check);
        }
    }
    let mut single: BTreeMap<String, u64> = BTreeMap::new();
    let mut both: BTreeMap<(String, String), u64> = BTreeMap::new();
    for checks in by_bundle.values_mut() {
        checks.sort();
        for (at, a) in checks.iter().enumerate() {
            *single.entry(a.clone()).or_default() += 1;
            for b in checks.iter().skip(at + 1) {
                *both.entry((a.clone(), b.clone())).or_default() += 1;
            }
        }
    }
    let mut found: Vec<Pair> = both
        .into_iter()
        .filter_map(|((a, b), both)| {
            let (with_a, with_b) = (*single.get(&a)?, *single.get(&b)?);
            let lift = both as f64 * analysed as f64 / (with_a as f64 * with_b as f64);
            Some(Pair { a, b, both, with_a, with_b, lift })
        })
        .filter(|pair| pair.both >= PAIR.0 && pair.lift >= PAIR.1)
        .collect();
    found.sort_by(|a, b| {
        b.both.cmp(&a.both).then(b.lift.total_cmp(&a.lift)).then_with(|| (&a.a, &a.b).cmp(&(&b.a, &b.b)))
    });
    Ok(found)
}

/// Causes that are far more frequent in one group than outside it.
fn concentrations(analysed: &DataFrame, causes: &[Count]) -> PolarsResult<Vec<Outlier>> {
    let whole = analysed.height() as u64;
    let mut found: Vec<(f64, Outlier)> = Vec::new();
    for (column, _) in GROUPS {
        let sizes: HashMap<Option<String>, u64> = counts(analysed, &[column])?
            .into_iter()
            .map(|(key, count)| (key.into_iter().next().flatten(), count))
            .collect();
        for (value, list) in double(analysed, column, "root_cause")? {
            let (Some(name), Some(size)) = (&value, sizes.get(&value).copied()) else { continue };
            for cause in list {
                let all = causes.iter().find(|known| known.name == cause.name).map_or(0, |known| known.count);
                let Some((share, elsewhere, sigma)) = concentration(cause.count, size, all, whole) else {
                    continue;
                };
                let what = format!(
                    "{}: {} of {size} ({:.0} %), elsewhere {:.0} %",
                    cause.name,
                    cause.count,
                    share * 100.0,
                    elsewhere * 100.0
                );
                let subject = format!("{column} {name}");
                found.push((sigma, Outlier { kind: "concentration".to_owned(), subject, what }));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.subject.cmp(&b.1.subject)));
    Ok(found.into_iter().map(|(_, outlier)| outlier).collect())
}

/// Share inside and outside of a group, and by how many standard errors they differ (two-proportion z-test), when that is worth telling.
fn concentration(inside: u64, size: u64, all: u64, whole: u64) -> Option<(f64, f64, f64)> {
    // What holds for most bundles is no property of a group.
    let outside = whole.checked_sub(size).filter(|outside| *outside >= size)?;
    let share = inside as f64 / size as f64;
    let elsewhere = all.saturating_sub(inside) as f64 / outside as f64;
    let pooled = all as f64 / whole as f64;
    let error = (pooled * (1.0 - pooled) * (1.0 / size as f64 + 1.0 / outside as f64)).sqrt();
    let sigma = (share - elsewhere) / error;
    let (least, times, errors) = CONCENTRATION;
    (inside >= least && share >= times * elsewhere && sigma >= errors).then_some((share, elsewhere, sigma))
}

/// Causes that a single bundle has, and bundles that took very long.
fn singles(analysed: &DataFrame, causes: &[Count]) -> PolarsResult<Vec<Outlier>> {
    let (paths, roots) = (words(analysed, "path")?, words(analysed, "root_cause")?);
    let rare = |cause: &str| causes.iter().any(|count| count.name == cause && count.count == 1);
    let mut found = Vec::new();
    if analysed.height() as u64 >= MANY {
        for (path, cause) in paths.iter().zip(&roots) {
            if let (Some(path), Some(cause)) = (path, cause)
                && rare(cause)
            {
                let what = format!("no other bundle has the cause {cause}");
                found.push(Outlier { kind: "only one".to_owned(), subject: path.clone(), what });
            }
        }
    }
    let times: Vec<u64> = words(analysed, "duration_ms")?
        .into_iter()
        .map(|text| text.and_then(|text| text.parse().ok()).unwrap_or_default())
        .collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    for (path, time) in paths.into_iter().zip(times) {
        if time >= SLOW.0 && time >= median.saturating_mul(SLOW.1) {
            let what = format!("took {:.1} s, the median is {:.1} s", time as f64 / 1e3, median as f64 / 1e3);
            found.push(Outlier { kind: "slow".to_owned(), subject: path.unwrap_or_default(), what });
        }
    }
    found.sort_by(|a, b| (&a.kind, &a.subject).cmp(&(&b.kind, &b.subject)));
    Ok(found)
}

fn missing(analysed: &DataFrame) -> PolarsResult<Vec<Missing>> {
    let lists = analysed.select(["not_collected"])?;
    let options = ExplodeOptions { empty_as_null: false, keep_nulls: false };
    let items = lists.explode(["not_collected"], options)?;
    let fields = DataFrame::new(
        items.height(),
        items.column("not_collected")?.struct_()?.fields_as_series().into_iter().map(Column::from).collect(),
    )?;
    let mut found: BTreeMap<String, Missing> = BTreeMap::new();
    let columns =
        words(&fields, "what")?.into_iter().zip(words(&fields, "collect")?).zip(words(&fields, "checks")?);
    for ((what, collect), checks) in columns {
        let (Some(what), Some(collect)) = (what, collect) else { continue };
        let checks = checks.and_then(|checks| checks.parse::<u64>().ok()).unwrap_or_default();
        let entry =
            found.entry(what.clone()).or_insert_with(|| Missing { what, collect, bundles: 0, checks: 0 });
        entry.bundles += 1;
        entry.checks += checks;
    }
    let mut found: Vec<Missing> = found.into_values().collect();
    found.sort_by(|a, b| {
        b.bundles.cmp(&a.bundles).then(b.checks.cmp(&a.checks)).then_with(|| a.what.cmp(&b.what))
    });
    Ok(found)
}

fn unread(bundles: &DataFrame) -> PolarsResult<Vec<Unread>> {
    let lost = bundles.filter(&bundles.column("outcome")?.is_null())?;
    let columns = words(&lost, "path")?.into_iter().zip(words(&lost, "status")?).zip(words(&lost, "error")?);
    let mut found: Vec<Unread> = columns
        .map(|((path, status), error)| Unread {
            path: path.unwrap_or_default(),
            status: status.unwrap_or_default(),
            error: error.unwrap_or_default(),
        })
        .collect();
    found.sort_by(|a, b| (&a.status, &a.path).cmp(&(&b.status, &b.path)));
    Ok(found)
}

/// One bundle as a comparison sees it.
struct Judged {
    id: String,
    computer: Option<String>,
    path: String,
    words: String,
}

fn judged(bundles: &DataFrame) -> PolarsResult<Vec<Judged>> {
    let column = |name| words(bundles, name).map(Vec::into_iter);
    let (mut computers, mut paths, mut outcomes, mut causes, mut statuses) =
        (column("computer")?, column("path")?, column("outcome")?, column("root_cause")?, column("status")?);
    let mut found = Vec::new();
    for id in column("bundle_id")? {
        let outcome = outcomes.next().flatten();
        let status = statuses.next().flatten().unwrap_or_default();
        let cause = causes.next().flatten().map(|cause| format!(", {cause}")).unwrap_or_default();
        found.push(Judged {
            id: id.unwrap_or_default(),
            computer: computers.next().flatten(),
            path: paths.next().flatten().unwrap_or_default(),
            words: format!("{}{cause}", outcome.unwrap_or(status)),
        });
    }
    Ok(found)
}

fn difference(name: &str, before: &Tables, now: &Tables) -> PolarsResult<Difference> {
    let old = judged(&before.bundles)?;
    let new = judged(&now.bundles)?;
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    let mut by_computer: HashMap<&str, usize> = HashMap::new();
    for (at, item) in old.iter().enumerate() {
        by_id.insert(&item.id, at);
        if let Some(computer) = &item.computer {
            by_computer.insert(computer, at);
        }
    }
    let mut met = vec![false; old.len()];
    let mut result = Difference { before: name.to_owned(), ..Difference::default() };
    for item in &new {
        let twin = by_id.get(item.id.as_str()).or_else(|| by_computer.get(item.computer.as_deref()?));
        let Some((seen, twin)) = twin.and_then(|&at| Some((met.get_mut(at)?, old.get(at)?))) else {
            result.new += 1;
            continue;
        };
        *seen = true;
        result.compared += 1;
        if twin.words != item.words {
            let (path, before, now) = (item.path.clone(), twin.words.clone(), item.words.clone());
            result.changes.push(Change { path, before, now });
        }
    }
    result.gone = met.iter().filter(|met| !**met).count() as u64;
    result.changes.sort_by(|a, b| a.path.cmp(&b.path));
    let mut causes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for count in single(&before.bundles, "root_cause")? {
        causes.entry(count.name).or_default().0 = count.count;
    }
    for count in single(&now.bundles, "root_cause")? {
        causes.entry(count.name).or_default().1 = count.count;
    }
    let mut causes: Vec<CauseChange> =
        causes.into_iter().map(|(cause, (before, now))| CauseChange { cause, before, now }).collect();
    causes.sort_by(|a, b| {
        b.now.abs_diff(b.before).cmp(&a.now.abs_diff(a.before)).then_with(|| a.cause.cmp(&b.cause))
    });
    result.causes = causes;
    Ok(result)
}
