//! Revocation lists cannot be fetched.
//!
//! # What it looks at
//! The log of CAPI2 (41 and 42: revocation checked, 53: list fetched) with the result and the address or certificate of each record, and the
//! chains (11) that say which host a fetch was for;
//! errors of sign-in, transfers, updates and device registration that name revocation (12057, 0x80092013, 0x800B010E); whether the user's
//! Internet options check revocation at all.
//!
//! # Why it blocks activation
//! Windows checks whether a server's certificate was revoked, over plain HTTP on port 80. Where that is blocked while 443 is open, secure
//! connections wait for the time-out or fail.
//!
//! # Fix
//! Allow crl.microsoft.com and the other hosts of revocation lists on port 80, for services too.
//!
//! # Verify
//! `certutil -urlcache crl delete`, then `certutil -verify -urlfetch <certificate>` ends without an error.
//!
//! # When this is wrong
//! The log of CAPI2 is off by default: to know nothing is the ordinary result. "Not found" of a responder that a fetched list makes up
//! for, "no revocation check" without a failed fetch beside it, and addresses of other authorities are daily noise (R31).
//!
//! # Sources
//! domain.md 5.4 `crl-reachability`; R31 and R40 of section 14; domain.md 2.3 for the shape of the records.

use std::collections::BTreeSet;

use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::required::{host_of, is_revocation_host, needed};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced, Unknown};

const CHANNEL: &str = "Microsoft-Windows-CAPI2/Operational";
/// Revocation checked (41, 42) and objects fetched (53).
const CHECKS: Want = Want { provider: "Microsoft-Windows-CAPI2", ids: &[41, 42, 53], channels: &[CHANNEL] };
/// Chains that were built: they name the host whose revocation the other records of the same task are about.
const BUILT: Want = Want { provider: "Microsoft-Windows-CAPI2", ids: &[11], channels: &[CHANNEL] };
/// Device registration could not connect.
const REGISTRATION: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[226, 230, 233],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// An object was fetched, or not.
const FETCHED: u32 = 53;
/// `CRYPT_E_NO_REVOCATION_CHECK`: counts only beside a failed fetch.
const NO_CHECK: u32 = 0x8009_2012;
/// `CRYPT_E_REVOCATION_OFFLINE` and `CERT_E_REVOCATION_FAILURE`.
const OFFLINE: [u32; 2] = [0x8009_2013, 0x800b_010e];
/// `ERROR_WINHTTP_SECURE_CERT_REV_FAILED`.
const CHECK_FAILED: u32 = 12_057;
/// Records that close together belong to one chain where they do not say so themselves.
const BESIDE_SECONDS: i64 = 60;
/// One failure is noise (R31).
const REPEATED: usize = 2;

/// The check.
pub const CHECK: Check = Check {
    id: "crl-reachability",
    title: "Revocation lists cannot be fetched",
    layer: Layer::Certificates,
    article: Article::Network("Check the firewall"),
    wants: &[CHECKS, BUILT, REGISTRATION, signals::NETWORKS],
    healthy: "Revocation of the required hosts' certificates could be checked.",
    source_text: include_str!("crl_reachability.rs"),
    run,
    remedy,
};

/// A record of the log of CAPI2.
struct Step<'e> {
    event: Sourced<&'e Event>,
    result: ErrorCode,
    /// Host of the address that was fetched.
    host: Option<String>,
    /// Name of the certificate whose revocation was checked.
    subject: Option<String>,
    task: Option<String>,
    /// About the chain of a required host: its certificate, or the task of a record with its certificate.
    of_required_host: bool,
}

impl Step<'_> {
    /// About revocation that activation can need (R31).
    fn matters(&self) -> bool {
        self.of_required_host || self.host.as_deref().is_some_and(is_revocation_host)
    }

    fn is_beside(&self, other: &Self) -> bool {
        match (&self.task, &other.task) {
            (Some(one), Some(two)) => one == two,
            _ => self.event.value.time.seconds_since(other.event.value.time).abs() <= BESIDE_SECONDS,
        }
    }

    fn is_failed_fetch(&self) -> bool {
        self.event.value.event_id == FETCHED && is_failure(self.result)
    }

    /// The same question answered well: the same certificate, the same host, or another address for the same chain.
    fn answers(&self, failed: &Self) -> bool {
        let same = |one: &Option<String>, two: &Option<String>| one.is_some() && one == two;
        self.result.is_success()
            && self.event.value.time >= failed.event.value.time
            && (same(&self.subject, &failed.subject)
                || same(&self.host, &failed.host)
                || same(&self.task, &failed.task))
    }

    fn seen(&self) -> Observation {
        let about = self.host.as_deref().or(self.subject.as_deref()).unwrap_or("no name");
        self.event.shows(format!("CAPI2 {}: {about}, result {}", self.event.value.event_id, self.result))
    }
}

/// A result that means that revocation could not be asked for.
fn is_failure(code: ErrorCode) -> bool {
    OFFLINE.contains(&code.value()) || matches!(code.win32(), Some(12_001..=12_185))
}

fn run(case: &Case<'_>, j: &Judgement) {
    let steps = steps(case);
    let failed: Vec<&Step<'_>> = steps
        .iter()
        .filter(|step| step.matters() && counts(step, &steps))
        .filter(|step| !signals::is_disconnected_at(case, step.event.value.time))
        .collect();
    let (answered, open): (Vec<&Step<'_>>, Vec<&Step<'_>>) =
        failed.into_iter().partition(|failed| steps.iter().any(|step| step.answers(failed)));
    if let Some(last) = answered.last() {
        j.note(format!("{} failed revocation check(s) inside the failure window were made up for later, the last one at {}.", answered.len(), last.event.value.time));
    }
    report(j, &open);
    recorded_errors(case, j);
    user_setting(case, j);
    healthy(case, j, &steps);
}

fn steps<'e>(case: &Case<'e>) -> Vec<Step<'e>> {
    let required = required_tasks(case);
    let read = |event: Sourced<&'e Event>| {
        let result = event.value.attribute("Result", "value").and_then(hex_code)?;
        let host = event.value.user("URL").and_then(|url| host_of(&url)).map(|(host, _)| host);
        let subject = event.value.attribute("Certificate", "subjectName").map(str::to_ascii_lowercase);
        let task = event.value.attribute("CorrelationAuxInfo", "TaskId").map(str::to_owned);
        let of_required_host = subject.as_deref().is_some_and(|subject| needed(case, subject).is_some())
            || task.as_ref().is_some_and(|task| required.contains(task));
        Some(Step { event, result, host, subject, task, of_required_host })
    };
    case.events(CHECKS).into_iter().filter_map(read).collect()
}

/// Tasks in which a chain of a required host was built or checked.
fn required_tasks(case: &Case<'_>) -> BTreeSet<String> {
    let task = |event: Sourced<&Event>| {
        let subject = event.value.attribute("Certificate", "subjectName")?.to_ascii_lowercase();
        needed(case, &subject)?;
        event.value.attribute("CorrelationAuxInfo", "TaskId").map(str::to_owned)
    };
    [CHECKS, BUILT].into_iter().flat_map(|want| case.events(want)).filter_map(task).collect()
}

/// The results stand in hexadecimal without a mark (`80092013`, `0`).
fn hex_code(text: &str) -> Option<ErrorCode> {
    let digits = text.trim().trim_start_matches("0x");
    u32::from_str_radix(digits, 16).ok().map(ErrorCode::from_value)
}

fn counts(step: &Step<'_>, all: &[Step<'_>]) -> bool {
    let without_check = step.result.value() == NO_CHECK
        && all.iter().any(|other| other.is_failed_fetch() && other.is_beside(step));
    without_check || is_failure(step.result)
}

fn report(j: &Judgement, open: &[&Step<'_>]) {
    let Some(last) = open.last() else { return };
    if open.len() < REPEATED {
        j.note(format!(
            "One revocation check failed at {}: a single one does not count.",
            last.event.value.time
        ));
        return;
    }
    let evidence: Vec<Observation> =
        open.iter().rev().take(4).map(|step| step.seen().expected("result 0")).collect();
    if open.iter().any(|step| step.of_required_host) {
        let summary =
            format!("Revocation of required hosts' certificates could not be checked {} times.", open.len());
        j.row(Status::Blocker, Confidence::High, summary, evidence);
    } else {
        let summary = format!("Revocation lists could not be fetched {} times.", open.len());
        j.row(Status::Warning, Confidence::Medium, summary, evidence);
    }
}

/// Errors of others that name revocation: the broker and device registration talk to required hosts only.
fn recorded_errors(case: &Case<'_>, j: &Judgement) {
    let of_revocation = |event: &Sourced<&Event>, fields: &[&str]| {
        let code = fields.iter().find_map(|name| event.value.field(name)).and_then(ErrorCode::parse);
        let names = |code: ErrorCode| code.win32() == Some(CHECK_FAILED) || OFFLINE.contains(&code.value());
        code.is_some_and(names) && !signals::is_disconnected_at(case, event.value.time)
    };
    let mut required: Vec<Sourced<&Event>> = case.events(signals::BROKER);
    required.retain(|event| of_revocation(event, signals::FIELDS));
    required
        .extend(case.events(REGISTRATION).into_iter().filter(|event| of_revocation(event, &["ErrorCode"])));
    let mut others: Vec<Sourced<&Event>> = case.events(signals::TRANSFERS_FAILED);
    others.extend(case.events(signals::UPDATES_FAILED));
    others.retain(|event| of_revocation(event, signals::FIELDS));
    for (events, who, status) in [
        (required, "Sign-in", if_repeated as fn(usize) -> Status),
        (others, "A transfer or an update", |_| Status::Warning),
    ] {
        let Some(last) = events.last() else { continue };
        let status = status(events.len());
        let confidence = if status == Status::Blocker { Confidence::High } else { Confidence::Medium };
        let summary =
            format!("{who} failed {} time(s) because revocation could not be checked.", events.len());
        let fields: Vec<&str> = signals::FIELDS.iter().copied().chain(["ErrorCode", "Server"]).collect();
        j.row(status, confidence, summary, vec![event_seen(last, &fields)]);
    }
}

fn if_repeated(count: usize) -> Status {
    if count >= REPEATED { Status::Blocker } else { Status::Warning }
}

/// The user's switch for checking revocation.
fn user_setting(case: &Case<'_>, j: &Judgement) {
    let Lookup::Found(user) = case.evidence.users.affected() else { return };
    let key = user.value.path(r"Software\Microsoft\Windows\CurrentVersion\Internet Settings");
    if let Lookup::Found(value) = case.value(&key, "CertificateRevocation")
        && value.value.as_u32() == Some(0)
    {
        let seen = value_seen(&value);
        j.note(format!("The user's Internet options do not check revocation ({} is 0).", seen.locator));
    }
}

/// A whole log with a success: the last word on revocation that activation needs is a good one.
fn healthy(case: &Case<'_>, j: &Judgement, steps: &[Step<'_>]) {
    let whole = case
        .evidence
        .events
        .logs()
        .iter()
        .any(|log| log.complete && log.channel.eq_ignore_ascii_case(CHANNEL));
    let good = steps.iter().rev().find(|step| step.result.is_success() && step.matters());
    match good {
        Some(step) if whole => j.good(step.seen()),
        Some(_) => {
            let reason = Some("it is an excerpt or damaged".to_owned());
            j.missing(&Unknown { what: format!("event log {CHANNEL}"), reason }, COLLECT);
        }
        None => {
            let what = format!(
                "a successful check of revocation in the event log {CHANNEL}, which is off by default"
            );
            j.missing(&Unknown { what, reason: None }, COLLECT);
        }
    }
}

/// How to get that log.
const COLLECT: &str = "wevtutil sl Microsoft-Windows-CAPI2/Operational /e:true, try activation again, then wevtutil epl Microsoft-Windows-CAPI2/Operational CAPI2.evtx";

/// Revocation lists that were fetched inside the window: host and evidence. Each proves its host.
pub fn retrieved_lists(case: &Case<'_>) -> Vec<(String, Observation)> {
    let fetched = steps(case)
        .into_iter()
        .filter(|step| step.event.value.event_id == FETCHED && step.result.is_success());
    let lists = fetched
        .filter_map(|step| Some((step.host.clone().filter(|host| is_revocation_host(host))?, step.seen())));
    lists.collect()
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Test-NetConnection crl.microsoft.com -Port 80",
            "Allow the hosts of revocation lists on port 80 without inspection and without authentication, for services too (WinHTTP proxy).",
            "certutil -urlcache crl delete",
            "certutil -urlcache ocsp delete",
        ],
        "Do not switch the check of revocation off: connections would then accept revoked certificates.",
        "The caches fill themselves again; take exceptions of the firewall out where they were made.",
        "Try activation again; CAPI2/Operational then shows 53 and 41 with result 0 for the required hosts.",
        &[ARTICLE_NETWORK],
    )
}

#[cfg(test)]
mod tests {
    use super::{hex_code, is_failure};

    #[test]
    fn results_that_count() {
        // R31: 80092013, 800B010E or a WinHTTP code; 80092004 (not found) is none of them.
        let counts = |text: &str| is_failure(hex_code(text).unwrap());
        assert!(counts("80092013") && counts("800B010E") && counts("80072EE2") && counts("2EE2"));
        assert!(!counts("80092004") && !counts("80092012") && !counts("0") && !counts("80072006"));
        assert!(hex_code("x").is_none() && hex_code("0").unwrap().is_success());
    }
}
