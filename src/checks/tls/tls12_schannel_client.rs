//! Schannel does not offer TLS 1.2 to clients.
//!
//! # What it looks at
//! `Enabled` and `DisabledByDefault` below `SCHANNEL\Protocols\TLS 1.2\Client` in the SYSTEM hive, the Windows version (it decides
//! what absence means), and, where the protocol is only off by default, whether WinHTTP asks for it.
//!
//! # Why it blocks activation
//! Microsoft's sign-in and licensing servers speak TLS 1.2 and later only. A machine whose Schannel does not offer it cannot make any
//! connection to them.
//!
//! # Fix
//! Enable TLS 1.2 for clients and restart; on Windows 7 and Server 2008 R2 install service pack 1 first.
//!
//! # Verify
//! Schannel event 36887 with alert 70 or 40 no longer appears; sign-in gets past "trouble activating".
//!
//! # When this is wrong
//! `Enabled` may be 1 or 0xFFFFFFFF: both mean on. A missing `DisabledByDefault` takes the default of the Windows version: on Windows 7 and
//! Server 2008 R2 that is "off by default", so `Enabled` = 1 alone is not enough there. Where what WinHTTP asks for was not collected, "off by
//! default" stays a warning. A value that is no number answers nothing.
//!
//! # Sources
//! domain.md 5.1 `tls12-schannel-client`, 6.2; trap 23; R11 of section 14; the article on older Windows versions.

use super::schannel::{self, Weight};
use super::tls12_winhttp_default::{Asks, winhttp_asks_for_tls12};
use crate::artifact::event::Event;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_OLDER_WINDOWS, Article, Check, Layer, Remedy, collect};
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Lookup};

const CLIENT: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client";

/// The check.
pub const CHECK: Check = Check {
    id: "tls12-schannel-client",
    title: "Schannel does not offer TLS 1.2 to clients",
    layer: Layer::Tls,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[schannel::RECORDS],
    healthy: "Schannel offers TLS 1.2 to clients.",
    source_text: include_str!("tls12_schannel_client.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let enabled = case.need_number(j, CLIENT, "Enabled");
    let by_default = case.need_number(j, CLIENT, "DisabledByDefault");
    if number(&enabled) == Some(0) {
        let seen = enabled.found().map(|value| value_seen(value).expected("1")).into_iter().collect();
        let status = Status::Blocker;
        j.row(status, Confidence::High, "TLS 1.2 is disabled for clients in Schannel.".to_owned(), seen);
        return;
    }
    let generation = case.need_generation(j);
    if enabled.is_unknown() || by_default.is_unknown() || generation.is_none() {
        recorded(case, j);
    }
    if enabled.is_unknown() || by_default.is_unknown() {
        return;
    }
    match (number(&by_default), generation) {
        (Some(0), _) => good(j, &[&by_default, &enabled]),
        (Some(_), _) => {
            off_by_default(case, j, &[&by_default, &enabled], "TLS 1.2 is set to off by default in Schannel")
        }
        (None, Some(generation)) if generation <= Generation::Seven => {
            let why = if enabled.found().is_some() {
                "TLS 1.2 is enabled, but this Windows keeps it off by default and DisabledByDefault = 0 is missing"
            } else {
                "This Windows keeps TLS 1.2 off by default and nothing switches it on"
            };
            off_by_default(case, j, &[&enabled, &by_default], why);
        }
        (None, Some(_)) => good(j, &[&enabled, &by_default]),
        (None, None) => {}
    }
}

/// Without the setting or the Windows version, records of failed handshakes point here: the table's last row.
fn recorded(case: &Case<'_>, j: &Judgement) {
    let points_here = |event: &Event| match event.event_id {
        schannel::CREDENTIAL => true,
        schannel::ALERT_RECEIVED => {
            schannel::alert(event).is_some_and(|alert| VERSION_ALERTS.contains(&alert))
        }
        _ => false,
    };
    let counts = |event: &Event| matches!(schannel::weigh(case, event, false), Weight::Counts(_));
    let records = schannel::records(case);
    if let Some(event) = records.iter().rfind(|event| points_here(event.value) && counts(event.value)) {
        j.warning(
            Confidence::Low,
            "Schannel recorded a failed handshake, and the setting of TLS 1.2 that would explain it was not collected.",
            [event_seen(event, &["Type", "ErrorState", "AlertDesc", "TargetName"])],
        );
    }
}

/// Alerts about versions and suites.
const VERSION_ALERTS: [u32; 3] = [40, 70, 71];

fn number(answer: &Lookup<RegValue>) -> Option<u32> {
    answer.found().and_then(|value| value.value.as_u32())
}

fn seen(answers: &[&Lookup<RegValue>]) -> Vec<Observation> {
    let show = |answer: &&Lookup<RegValue>| match answer {
        Lookup::Found(value) => Some(value_seen(value)),
        Lookup::Absent(source) => Some(source.shows("not set")),
        Lookup::Unknown(_) => None,
    };
    answers.iter().filter_map(show).collect()
}

fn good(j: &Judgement, answers: &[&Lookup<RegValue>]) {
    for observation in seen(answers) {
        j.good(observation);
    }
}

/// Off by default: only a program that asks for TLS 1.2 gets it.
fn off_by_default(case: &Case<'_>, j: &Judgement, answers: &[&Lookup<RegValue>], why: &str) {
    let mut evidence = seen(answers);
    // On Windows 7 and older an absent key blocks whatever WinHTTP asks for (the decision table's row of its own).
    let absent_on_old = answers.iter().all(|answer| answer.is_absent());
    match winhttp_asks_for_tls12(case) {
        Asks::Yes(asks) if !absent_on_old => {
            evidence.push(asks);
            let summary = format!(
                "{why}; WinHTTP asks for it, but programs that take Schannel's default do not get it."
            );
            j.row(Status::Warning, Confidence::Medium, summary, evidence);
        }
        // It is a blocker or a warning by a value that nobody collected.
        Asks::Unknown(unknown) if !absent_on_old => {
            j.missing(&unknown, collect::SOFTWARE);
            let summary = format!("{why}; whether WinHTTP asks for it is not known.");
            j.row(Status::Warning, Confidence::Medium, summary, evidence);
        }
        _ => {
            let summary = format!("{why}: connections to the sign-in and licensing servers fail.");
            j.row(Status::Blocker, Confidence::High, summary, evidence);
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Windows 7 and Server 2008 R2: install service pack 1 and the current rollup first.",
            r"reg export HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL schannel-before.reg",
            r#"reg add "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" /v Enabled /t REG_DWORD /d 1 /f"#,
            r#"reg add "HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client" /v DisabledByDefault /t REG_DWORD /d 0 /f"#,
            "Restart the machine.",
        ],
        "Enabling TLS 1.2 does not make the operating system supported for Microsoft 365 Apps.",
        r"reg import schannel-before.reg, delete the added TLS 1.2 subkeys, restart.",
        "Try activation again; the System log shows no Schannel 36887 with alert 70 or 40.",
        &[
            ARTICLE_OLDER_WINDOWS,
            "https://learn.microsoft.com/windows-server/security/tls/tls-registry-settings",
        ],
    )
}
