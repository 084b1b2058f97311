//! One bundle into one row. This is all that a worker does; everything that many bundles need stands outside it.

use std::path::Path;
use std::time::Instant;

use super::identity::{self, Names};
use super::row::{Row, SCHEMA, Status};
use super::walk;
use crate::artifact::collection::{Artifact, Collection, Reading};
use crate::artifact::identify::ReadStatus;
use crate::bundle::Bundle;
use crate::bundle::limits::Limits;
use crate::checks::case::Case;
use crate::checks::proxy::{InternetRoute, host_of, host_of_url, internet_route, winhttp};
use crate::diagnosis::{self, diagnose_with};
use crate::evidence::{Evidence, Lookup, Settings};
use crate::redact::Redactor;
use crate::report::model::Report;
use crate::rules::RuleSet;

/// What stands for the host where there is no proxy.
const DIRECT: &str = "direct";

/// How a bundle is analysed.
#[derive(Debug)]
pub struct Task {
    /// Bounds of the bundle.
    pub limits: Limits,
    /// Days before the collection in which a failure counts as current.
    pub window_days: u32,
    /// How computers are named.
    pub names: Names,
    /// Replace every name, and not that of the computer alone.
    pub redact: bool,
    /// Compute the SHA-256 of every file in the bundle, which costs more than all of the analysis.
    pub hashes: bool,
    /// Rules of the user's own.
    pub rules: Option<RuleSet>,
}

/// Analyses one bundle. Whatever is wrong with it becomes a row as well.
pub fn row(path: &Path, task: &Task) -> Row {
    row_of(path, task, |_| {})
}

/// As [`row`]; `opened` sees the bundle before it is read.
pub fn row_of(path: &Path, task: &Task, opened: impl FnOnce(&Bundle)) -> Row {
    let started = Instant::now();
    let mut row = blank(path);
    match Bundle::open(path, task.limits) {
        Ok(bundle) => {
            opened(&bundle);
            analysed(&mut row, path, &bundle, task);
        }
        Err(error) => {
            row.error = Some(error.to_string());
            name(&mut row, path, None);
        }
    }
    row.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    row
}

/// The row of a bundle that no worker could finish.
pub fn failed(path: &Path, id: Option<String>, status: Status, error: String, millis: u64) -> Row {
    let mut row = blank(path);
    name(&mut row, path, id);
    (row.status, row.error, row.duration_ms) = (status, Some(error), millis);
    row
}

/// Names a bundle that was not opened by what can be read of it.
fn name(row: &mut Row, path: &Path, id: Option<String>) {
    let id = id.or_else(|| identity::of(path).ok());
    row.sha256 = id.clone().filter(|_| !path.is_dir());
    row.bundle_id = id.unwrap_or_else(|| identity::of_missing(&row.path));
}

/// A row about which only the outside of the bundle is known.
fn blank(path: &Path) -> Row {
    let found = walk::Candidate::of(path.to_path_buf(), String::new());
    Row {
        schema: SCHEMA,
        bundle_id: String::new(),
        path: found.label(),
        status: Status::Unreadable,
        error: None,
        bytes: found.bytes,
        sha256: None,
        modified: found.modified,
        site: None,
        proxy_host: None,
        analyzed_at: walk::rfc3339(std::time::SystemTime::now()).unwrap_or_default(),
        duration_ms: 0,
        tool_version: env!("CARGO_PKG_VERSION"),
        report: None,
    }
}

fn analysed(row: &mut Row, path: &Path, bundle: &Bundle, task: &Task) {
    row.bytes = Some(bundle.bytes);
    let mut interest = diagnosis::interest();
    if let Some(rules) = &task.rules {
        rules.add_interest(&mut interest);
    }
    let reading = Reading { interest, replay: true, hashes: task.hashes };
    let collection = Collection::read(bundle, &reading);
    row.sha256 = bundle.sha256().map(str::to_owned);
    row.bundle_id = match &row.sha256 {
        Some(hash) => hash.clone(),
        None => identity::of(path).unwrap_or_else(|_| identity::of_missing(&row.path)),
    };
    let (status, error) = status(&collection.artifacts);
    let settings = Settings { window_days: task.window_days, user: None };
    let evidence = Evidence::build(collection, &settings);
    let redactor = task.redact.then(|| Redactor::learn(&evidence));
    let redactor = redactor.as_ref();
    (row.status, row.error) = (
        status,
        error.map(|error| match redactor {
            Some(redactor) => redactor.text(&error),
            None => error,
        }),
    );
    if status == Status::Unreadable {
        return;
    }
    let diagnosis = diagnose_with(&evidence, task.rules.as_ref());
    // A host stands here, so a bare word is the name of one.
    row.proxy_host = proxy_host(&diagnosis.case).map(|host| match redactor {
        Some(redactor) if host != DIRECT => redactor.field("host", &host),
        _ => host,
    });
    let mut report = Report::new(bundle, &diagnosis);
    let computer = report.machine.computer.clone();
    if let Some(redactor) = redactor {
        redactor.report(&mut report);
    }
    match serde_json::to_value(report) {
        Ok(report) => row.report = Some(report),
        Err(error) => (row.status, row.error) = (Status::Crashed, Some(error.to_string())),
    }
    if let Some(computer) = computer {
        name_computer(row, &computer, task);
    }
}

/// The computer as the dataset knows it. Pseudonyms of the redactor are those of one bundle; this one is the same in all of them.
fn name_computer(row: &mut Row, computer: &str, task: &Task) {
    let Some(report) = &mut row.report else { return };
    if task.redact {
        if let Some(shown) = report.pointer_mut("/machine/computer") {
            *shown = task.names.of(computer).into();
        }
        return;
    }
    row.site = identity::site(computer);
    let given = report.pointer("/bundle/path").cloned();
    task.names.hide(report, computer);
    // The row must lead back to its bundle, so its path is never changed.
    if let (Some(path), Some(given)) = (report.pointer_mut("/bundle/path"), given) {
        *path = given;
    }
}

/// How much of the bundle was read, and the first thing that is wrong with it.
fn status(artifacts: &[Artifact]) -> (Status, Option<String>) {
    let unread =
        |artifact: &&Artifact| matches!(artifact.status, ReadStatus::Partial | ReadStatus::Unreadable);
    let read = |artifact: &Artifact| matches!(artifact.status, ReadStatus::Read | ReadStatus::Partial);
    let why = artifacts.iter().find(unread).map(|artifact| {
        format!("{}: {}", artifact.path, artifact.reason.as_deref().unwrap_or("not wholly read"))
    });
    if !artifacts.iter().any(read) {
        let none = || "no file in it is evidence that actriage can read".to_owned();
        return (Status::Unreadable, Some(why.unwrap_or_else(none)));
    }
    if why.is_some() { (Status::Partial, why) } else { (Status::Ok, None) }
}

/// Host of the proxy or script that the affected user's programs go through, else that of services.
fn proxy_host(case: &Case<'_>) -> Option<String> {
    let host = |route: &InternetRoute| match (&route.proxy, &route.script) {
        (Some(proxy), _) => Some(host_of(proxy)),
        (None, Some(script)) => host_of_url(script),
        (None, None) => None,
    };
    let user = match case.evidence.users.affected() {
        Lookup::Found(user) => internet_route(case, &user.value).ok().map(|(route, _)| route),
        _ => None,
    };
    let services = winhttp::route(case).ok().map(|setting| setting.route);
    let named = user.iter().chain(&services).find_map(host);
    named.or_else(|| user.or(services).map(|_| DIRECT.to_owned()))
}
