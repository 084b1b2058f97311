//! Schannel recorded handshakes that failed.
//!
//! # What it looks at
//! Schannel's records of the failure window in the System log: 36871 (a credential could not be created), 36887 and 36888 (fatal alert
//! received and sent), 36881, 36882 and 36884 (certificate expired, untrusted, for another name), 36880 (a handshake was completed).
//! `EventLogging` of Schannel says whether it writes anything at all.
//!
//! # Why it blocks activation
//! These are the traces of connections that never came about. Alert 70, 40 or 71 of the far end says that it accepts none of the offered
//! versions or suites.
//!
//! # Fix
//! Act on the TLS finding that stands beside it. Without one, find the program and the host behind the record.
//!
//! # Verify
//! The records stop; with `EventLogging` = 7, 36880 names the required hosts with TLS 1.2 or later.
//!
//! # When this is wrong
//! 36874 is written by servers and never counts. 36887 and 36888 do not say which side wrote them: on a server they are a note unless the
//! process or the host says client. 36871 with state 10013 is a note while protocols and suites are in order: any program that asks for
//! an old protocol writes it. Records of programs that have no part in activation do not count.
//!
//! # Sources
//! domain.md 5.1 `tls-handshake-events`; decision 3; R13 of section 14; "Schannel error codes for TLS and SSL alerts".

use super::failures::tls12_setting;
use super::schannel::{self, Weight};
use crate::artifact::event::Event;
use crate::artifact::event_decode;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Coverage;
use crate::evidence::{Confidence, Sourced, Unknown};

const SCHANNEL: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL";
/// Bit of `EventLogging` that lets Schannel write errors; 1 is the default.
const LOGS_ERRORS: u32 = 1;
/// Alerts about versions and suites.
const SETTINGS_ALERTS: [u32; 3] = [40, 70, 71];
/// Alerts about a certificate.
const CERTIFICATE_ALERTS: [u32; 6] = [42, 43, 44, 45, 46, 48];
const FIELDS: [&str; 5] = ["Type", "ErrorState", "AlertDesc", "TargetName", "CallerProcessImageName"];

/// The check.
pub const CHECK: Check = Check {
    id: "tls-handshake-events",
    title: "Schannel recorded handshakes that failed",
    layer: Layer::Tls,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[schannel::RECORDS],
    healthy: "Schannel recorded no failed handshake that counts.",
    source_text: include_str!("tls_handshake_events.rs"),
    run,
    remedy,
};

/// A record that counts.
struct Failure<'e> {
    event: Sourced<&'e Event>,
    confidence: Confidence,
    certificate: bool,
}

fn run(case: &Case<'_>, j: &Judgement) {
    need_log(case, j);
    // R13 asks for the protocols and the suites; the other TLS checks have no part in it.
    let settings_are_good = ["tls12-schannel-client", "tls-cipher-suites"]
        .into_iter()
        .all(|id| case.status(id) == Some(Status::Healthy));
    let records = schannel::records(case);
    let proof =
        records.iter().rfind(|event| event.value.event_id == schannel::COMPLETED && is_proof(event.value));
    if let Some(proof) = proof {
        j.good(event_seen(proof, &["Protocol", "CipherSuite", "TargetName"]));
    }
    let mut failures = Vec::new();
    for event in &records {
        match weigh(case, event.value, settings_are_good) {
            Some((Weight::Info(why), _)) => j.note(format!("Schannel {}: {why}.", event.value.event_id)),
            Some((Weight::Counts(confidence), certificate)) => {
                failures.push(Failure { event: event.clone(), confidence, certificate });
            }
            None => {}
        }
    }
    if let Some(proof) = proof {
        let before = failures.len();
        failures.retain(|failure| !answered(failure.event.value, proof.value));
        if failures.len() < before {
            j.note(format!(
                "{} failed handshake(s) were followed by a completed one with a required host: was, now repaired.",
                before - failures.len()
            ));
        }
    }
    let (certificate, settings): (Vec<_>, Vec<_>) =
        failures.into_iter().partition(|failure| failure.certificate);
    report_settings(case, j, &settings);
    report_certificates(j, &certificate);
}

/// "Healthy" needs a System log that reaches back before the window, and a Schannel that writes errors.
fn need_log(case: &Case<'_>, j: &Judgement) {
    let log = |reason: Option<String>| Unknown { what: "event log System".to_owned(), reason };
    let coverage = case.window().map(|window| case.evidence.events.coverage(&["System"], window));
    match coverage {
        Some(Coverage::Whole(source)) => j.good(source.shows("covers the failure window")),
        Some(Coverage::Short(_, reason)) => j.missing(&log(Some(reason)), collect::SYSTEM_LOG),
        Some(Coverage::None) | None => j.missing(&log(None), collect::SYSTEM_LOG),
    }
    if let Some(level) = case.value(SCHANNEL, "EventLogging").found()
        && level.value.as_u32().is_some_and(|number| number & LOGS_ERRORS == 0)
    {
        let what = "Schannel's errors in the System log".to_owned();
        let reason = Some(format!("EventLogging is {}: Schannel writes none", level.value.display()));
        j.missing(
            &Unknown { what, reason },
            &format!(r#"reg add "{SCHANNEL}" /v EventLogging /t REG_DWORD /d 1 /f, restart, try activation, then wevtutil epl System System.evtx"#),
        );
    }
}

/// A completed handshake with a host that activation needs.
fn is_proof(event: &Event) -> bool {
    schannel::target(event).is_some_and(schannel::is_required)
}

/// Whether a completed handshake shows that an earlier failure is over: it is later, and about no other host.
fn answered(failure: &Event, proof: &Event) -> bool {
    let same_host = match (schannel::target(failure), schannel::target(proof)) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => true,
    };
    proof.time > failure.time && same_host
}

/// The weight of a record, and whether it is about a certificate. `None` for records that are no failure.
fn weigh(case: &Case<'_>, event: &Event, settings_are_good: bool) -> Option<(Weight, bool)> {
    let alert = schannel::alert(event);
    let of_settings = alert.is_some_and(|alert| SETTINGS_ALERTS.contains(&alert));
    let of_certificate = alert.is_some_and(|alert| CERTIFICATE_ALERTS.contains(&alert));
    Some(match event.event_id {
        schannel::CREDENTIAL => (schannel::weigh(case, event, settings_are_good), false),
        schannel::ALERT_RECEIVED | schannel::ALERT_SENT if of_settings => {
            (schannel::weigh(case, event, settings_are_good), false)
        }
        // Received, it is about a certificate of this machine, which activation does not send.
        schannel::ALERT_SENT if of_certificate => (schannel::weigh(case, event, settings_are_good), true),
        schannel::ALERT_RECEIVED | schannel::ALERT_SENT => {
            (Weight::Info("an alert that says nothing about versions and suites"), false)
        }
        36_881 => (
            Weight::Info("a server's certificate was expired or not yet valid (see clock and inspection)"),
            true,
        ),
        36_882 => (
            Weight::Info(
                "a server's certificate came from an untrusted authority (see roots and inspection)",
            ),
            true,
        ),
        36_884 => (
            Weight::Info("a server's certificate was for another name (see inspection and hosts file)"),
            true,
        ),
        _ => return None,
    })
}

/// Whether evidence of this check is a failure over versions and suites, and not over a certificate.
pub fn is_of_settings(seen: &Observation) -> bool {
    let credential = format!("Schannel {}", schannel::CREDENTIAL);
    let alert = seen.observed.split(", ").find_map(|field| field.strip_prefix("AlertDesc="));
    seen.observed.starts_with(&credential)
        || alert
            .and_then(|number| number.parse().ok())
            .is_some_and(|number| SETTINGS_ALERTS.contains(&number))
}

/// The failure to show: the surest, then the newest.
fn decisive<'f, 'e>(failures: &'f [Failure<'e>]) -> Option<&'f Failure<'e>> {
    failures.iter().max_by_key(|failure| (failure.confidence, failure.event.value.time))
}

fn report_settings(case: &Case<'_>, j: &Judgement, failures: &[Failure<'_>]) {
    let Some(failure) = decisive(failures) else { return };
    let (seen, what) = (shown(failure), describe(failure.event.value));
    let count = failures.len();
    match tls12_setting(case) {
        Some(id) => {
            // The setting and the recorded failure agree: one level more.
            let confidence = match failure.confidence {
                Confidence::Low => Confidence::Medium,
                Confidence::Medium | Confidence::High => Confidence::High,
            };
            let summary =
                format!("Schannel recorded {count} failed handshake(s) ({what}), and {id} shows why.");
            j.blocker(confidence, summary, [seen]);
        }
        None => {
            let summary = format!("Schannel recorded {count} failed handshake(s): {what}.");
            j.warning(failure.confidence, summary, [seen]);
        }
    }
}

fn report_certificates(j: &Judgement, failures: &[Failure<'_>]) {
    let Some(failure) = decisive(failures) else { return };
    let summary = format!(
        "This machine refused a certificate {} time(s): {}. Look at the host, the clock, the roots and TLS inspection.",
        failures.len(),
        describe(failure.event.value)
    );
    j.warning(failure.confidence, summary, [shown(failure)]);
}

fn shown(failure: &Failure<'_>) -> Observation {
    event_seen(&failure.event, &FIELDS)
}

fn describe(event: &Event) -> String {
    let alert = schannel::alert(event).and_then(event_decode::alert);
    match (event.event_id, alert) {
        (schannel::ALERT_RECEIVED, Some(alert)) => {
            format!("the far end sent alert {} ({}): {}", alert.number, alert.name, alert.meaning)
        }
        (_, Some(alert)) => {
            format!("this side sent alert {} ({}): {}", alert.number, alert.name, alert.meaning)
        }
        _ => {
            let state = event.field("ErrorState").unwrap_or("unknown");
            format!("a credential could not be created, error state {state}")
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Act on the findings on TLS 1.2 and on cipher suites first: they explain most of these records.",
            r"To see more: reg add HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL /v EventLogging /t REG_DWORD /d 7 /f, restart, try activation, and read Schannel in the System log: 36880 names the hosts that work.",
            "For an alert about a certificate: compare the host in TargetName with the required addresses, and look at the clock, the roots and TLS inspection.",
        ],
        "With EventLogging = 7 the System log fills quickly.",
        r"reg add HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL /v EventLogging /t REG_DWORD /d 1 /f, restart.",
        "Try activation again; no new 36871, 36887 or 36888 appears.",
        &[
            ARTICLE_NETWORK,
            "https://learn.microsoft.com/windows/win32/secauthn/schannel-error-codes-for-tls-and-ssl-alerts",
        ],
    )
}
