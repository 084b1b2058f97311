//! The user has no valid primary refresh token.
//!
//! # What it looks at
//! `AzureAdPrt`, its update and expiry times and the diagnostics of failed attempts (`AcquirePrtDiagnostics`, `RefreshPrtDiagnostics`) in
//! `dsregcmd /status` of the affected user; failed logons and token requests of the cloud provider in its log.
//!
//! # Why it blocks activation
//! On a joined device the broker makes Office's tokens from the primary refresh token that the user got when he signed in to Windows. Without it
//! there is no single sign-on, and policies that ask for a known device refuse the sign-in.
//!
//! # Fix
//! By the code of the last attempt: password, network, policy or keys. Then lock and unlock the machine with the network connected.
//!
//! # Verify
//! `dsregcmd /status` of the user shows `AzureAdPrt : YES` with a new update time.
//!
//! # When this is wrong
//! An elevated prompt, SYSTEM or another user sees another account's token. A local account on a joined device never has one. After sleep the
//! token is older than four hours and still valid until it expires. On a shared device the diagnostics can be another user's. Of several
//! outputs the newest counts, with less confidence where an older one says otherwise.
//!
//! # Sources
//! domain.md 5.19 `prt-state`; decisions 12 and 22 of section 13; R35 and R48 of section 14; trap 25; "Troubleshoot devices by using the
//! dsregcmd command" and "Troubleshoot primary refresh token issues" (learn.microsoft.com).

use super::answers;
use super::join::{self, JOIN_INFO, Runner, Status as JoinStatus};
use super::prt_records;
use crate::artifact::capture::dsregcmd::typed::{Flag, PrtAttempt, PrtDiagnostics};
use crate::artifact::event_decode::{ErrorCode, aadsts_in};
use crate::checks::broker::{RECORDS, TOKEN_GIVEN};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::{Confidence, Lookup, Unknown};
use crate::knowledge;
use crate::time::FileTime;

/// The check.
pub const CHECK: Check = Check {
    id: "prt-state",
    title: "The user has no valid primary refresh token",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: &[RECORDS, TOKEN_GIVEN, answers::CLOUD, prt_records::LOGONS],
    healthy: "Nothing is wrong with the primary refresh token of the user.",
    source_text: include_str!("prt_state.rs"),
    run,
    remedy,
};

/// Windows renews the token every four hours while the user works.
const RENEWED_EVERY: i64 = 4 * 3600;

/// What is known of the user's token, for the weight of recorded failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Held and good: failures before are repaired.
    Held,
    /// Reported already.
    Judged,
    /// Not known.
    Unknown,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let statuses = JoinStatus::all(case);
    // The output of the user's own prompt tells most.
    let tells = |status: &&JoinStatus<'_>| (!status.tells_of_user(case), status.runner(case));
    let Some(best) = statuses.iter().map(|status| tells(&status)).min() else {
        without_dsregcmd(case, j);
        return;
    };
    let told = statuses.iter().filter(|status| tells(status) == best);
    let token = join::judge_newest(j, told, |j, status| of_output(case, j, status));
    if let Some(token) = token.flatten() {
        prt_records::judge(case, j, token);
    }
}

/// What one output says; `None` where it does not show a joined device.
fn of_output(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) -> Option<Token> {
    match status.is_joined() {
        Some(false) => {
            let line = status.data.azure_ad_joined().map_or(1, |flag| flag.line);
            j.not_applicable(
                "The device is not joined to the directory, so its users have no primary refresh token.",
                status.at(line, "AzureAdJoined NO"),
            );
            None
        }
        Some(true) => Some(sso(case, j, status)),
        None => {
            let what = "AzureAdJoined in dsregcmd /status".to_owned();
            j.missing(
                &Unknown { what, reason: Some("the output does not show it readably".to_owned()) },
                join::COLLECT,
            );
            None
        }
    }
}

/// The registry tells whether the device is joined, not what its users hold.
fn without_dsregcmd(case: &Case<'_>, j: &Judgement) {
    let none = |source: &crate::evidence::Source| source.shows("no join");
    match join::registry_join(case) {
        Lookup::Found(join) if !join.value => {
            j.not_applicable(
                "The device is not joined to the directory, so its users have no primary refresh token.",
                none(&join.source),
            );
        }
        Lookup::Absent(source) => {
            j.not_applicable(
                "The device is not joined to the directory, so its users have no primary refresh token.",
                none(&source),
            );
        }
        Lookup::Found(_) => {
            JoinStatus::need(case, j);
            prt_records::judge(case, j, Token::Unknown);
        }
        Lookup::Unknown(unknown) => {
            JoinStatus::need(case, j);
            j.missing(&unknown, collect::for_key(JOIN_INFO));
        }
    }
}

fn sso(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) -> Token {
    let runner = status.runner(case);
    let blocks = status.data.prt_diagnostics();
    if runner != Runner::User {
        return of_another(j, runner.reason(), !blocks.is_empty());
    }
    let Some(prt) = status.data.azure_ad_prt() else {
        let what = "AzureAdPrt in dsregcmd /status".to_owned();
        j.missing(&Unknown { what, reason: Some("the output does not show it".to_owned()) }, join::COLLECT);
        return Token::Unknown;
    };
    let seen = |text: &str| status.at(prt.line, text);
    match prt.value {
        Flag::Yes => held(case, j, status, seen("AzureAdPrt YES"), &blocks),
        Flag::No if blocks.is_empty() && status.key_test_ran() => {
            of_another(j, Runner::Elevated.reason(), false)
        }
        Flag::No => lacking(case, j, status, seen("AzureAdPrt NO"), &blocks),
        Flag::Error | Flag::Other => {
            let what = "AzureAdPrt in dsregcmd /status".to_owned();
            j.missing(&Unknown { what, reason: Some("its value is no answer".to_owned()) }, join::COLLECT);
            Token::Unknown
        }
    }
}

/// Decision 22: the user sections of such a run say nothing about the affected user.
fn of_another(j: &Judgement, reason: &str, failed: bool) -> Token {
    let what = "AzureAdPrt of the affected user (dsregcmd /status)".to_owned();
    j.missing(&Unknown { what, reason: Some(reason.to_owned()) }, join::COLLECT);
    if failed {
        j.note("dsregcmd shows a failed token request, but of the account that it ran as.");
    }
    Token::Unknown
}

/// A failed attempt as a sentence's end: "0xC000006D (…), HTTP 400, AADSTS50126: …".
fn describe(block: &PrtDiagnostics<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(status) = block.attempt_status() {
        let code = ErrorCode::from_value(status.value).to_string();
        parts.push(match knowledge::meanings(&code).first() {
            Some(row) => format!("{code}: {}", row.meaning),
            None => code,
        });
    }
    let transport = block.entry("HTTP Error").and_then(|entry| ErrorCode::parse(&entry.value));
    parts.extend(transport.filter(|code| !code.is_success()).map(|code| format!("HTTP error {code}")));
    parts.extend(
        block
            .entry("HTTP status")
            .filter(|entry| entry.value != "0")
            .map(|entry| format!("HTTP {}", entry.value)),
    );
    parts.extend(
        block
            .entry("Server Error Code")
            .filter(|entry| !entry.value.is_empty())
            .map(|entry| entry.value.clone()),
    );
    for number in
        block.entry("Server Error Description").map(|entry| aadsts_in(&entry.value)).unwrap_or_default()
    {
        parts.push(format!("AADSTS{number}"));
    }
    parts.join(", ")
}

/// The checks that the codes of an attempt lead to.
fn route(j: &Judgement, block: &PrtDiagnostics<'_>) {
    let mut codes: Vec<String> = Vec::new();
    codes.extend(block.attempt_status().map(|status| ErrorCode::from_value(status.value).to_string()));
    codes.extend(
        block
            .entry("HTTP Error")
            .and_then(|entry| ErrorCode::parse(&entry.value))
            .map(|code| code.to_string()),
    );
    let text =
        block.entry("Server Error Description").map(|entry| aadsts_in(&entry.value)).unwrap_or_default();
    codes.extend(text.iter().map(|number| format!("AADSTS{number}")));
    let mut checks: Vec<&str> = codes
        .iter()
        .flat_map(|code| knowledge::meanings(code))
        .flat_map(|row| row.checks.split(','))
        .filter(|id| !id.is_empty() && *id != CHECK.id)
        .collect();
    checks.sort_unstable();
    checks.dedup();
    if !checks.is_empty() {
        j.note(format!("The codes of the failed token request lead to: {}.", checks.join(", ")));
    }
}

fn attempt(block: &PrtDiagnostics<'_>) -> &'static str {
    match block.attempt {
        PrtAttempt::Acquire => "get",
        PrtAttempt::Refresh => "renew",
    }
}

/// No token.
fn lacking(
    case: &Case<'_>,
    j: &Judgement,
    status: &JoinStatus<'_>,
    seen: Observation,
    blocks: &[PrtDiagnostics<'_>],
) -> Token {
    let mut own = false;
    for block in blocks {
        let shown = status.at(block.line, format!("failed attempt: {}", describe(block)));
        match (join::is_about_user(case, block), block.attempt_status()) {
            (Some(false), _) => {
                j.note("dsregcmd shows a failed token request of another user of this device.")
            }
            (Some(true), Some(_)) => {
                own = true;
                let summary = format!(
                    "The user has no primary refresh token: the last attempt to {} one failed ({}).",
                    attempt(block),
                    describe(block)
                );
                j.row(Status::Blocker, fresh(case, block), summary, vec![seen.clone(), shown]);
                route(j, block);
            }
            (None, _) | (_, None) => {
                own = true;
                let doubt = if block.attempt_status().is_none() {
                    "its status is not shown"
                } else {
                    "whose it was is not known"
                };
                let summary = format!(
                    "The user has no primary refresh token, and an attempt to {} one failed; {doubt}.",
                    attempt(block)
                );
                j.row(Status::Warning, Confidence::Low, summary, vec![seen.clone(), shown]);
                route(j, block);
            }
        }
    }
    if own {
        return Token::Judged;
    }
    if status.data.is_user_azure_ad().is_some_and(|flag| flag.value == Flag::No) {
        j.note("The user is not a user of the directory (a local account): such users have no primary refresh token.");
        j.good(seen);
        return Token::Judged;
    }
    let summary =
        "The device is joined, but the user has no primary refresh token, and no failed attempt is shown."
            .to_owned();
    j.row(Status::Warning, Confidence::Medium, summary, vec![seen.expected("YES")]);
    Token::Judged
}

/// The attempt is as old as its time says.
fn fresh(case: &Case<'_>, block: &PrtDiagnostics<'_>) -> Confidence {
    let time = block
        .entry("Previous Prt Attempt")
        .and_then(|entry| FileTime::parse(entry.value.trim().trim_end_matches("UTC").trim()));
    let old = time.zip(case.window()).is_some_and(|(time, window)| time < window.from);
    if old { Confidence::Medium } else { Confidence::High }
}

/// A token: its age and expiry, and whether its renewal failed.
fn held(
    case: &Case<'_>,
    j: &Judgement,
    status: &JoinStatus<'_>,
    seen: Observation,
    blocks: &[PrtDiagnostics<'_>],
) -> Token {
    let Some(now) = status.data.client_time().map(|at| at.value).or(case.window().map(|window| window.to))
    else {
        let what = "time of the collection".to_owned();
        j.missing(&Unknown { what, reason: None }, collect::SYSTEM_LOG);
        return Token::Unknown;
    };
    let update = status.data.azure_ad_prt_update_time();
    // A token that expired before it was renewed is no fact (text_formats.md 4.5).
    let expiry = status
        .data
        .azure_ad_prt_expiry_time()
        .filter(|expiry| update.is_none_or(|update| expiry.value > update.value));
    if let Some(expiry) = expiry.filter(|expiry| expiry.value < now) {
        let summary = format!("The primary refresh token of the user expired on {}.", expiry.value.date());
        j.row(
            Status::Warning,
            Confidence::High,
            summary,
            vec![seen, status.at(expiry.line, format!("AzureAdPrtExpiryTime {}", expiry.value))],
        );
        return Token::Judged;
    }
    let mut judged = false;
    for block in blocks {
        if join::is_about_user(case, block) == Some(false) {
            j.note("dsregcmd shows a failed token request of another user of this device.");
            continue;
        }
        judged = true;
        let summary = format!(
            "The user has a primary refresh token, but the last attempt to {} one failed ({}).",
            attempt(block),
            describe(block)
        );
        j.row(
            Status::Warning,
            Confidence::Medium,
            summary,
            vec![seen.clone(), status.at(block.line, "failed attempt")],
        );
        route(j, block);
    }
    if judged {
        return Token::Judged;
    }
    let Some(update) = update else {
        let what = "AzureAdPrtUpdateTime in dsregcmd /status".to_owned();
        j.missing(
            &Unknown { what, reason: Some("without it the age of the token is not known".to_owned()) },
            join::COLLECT,
        );
        return Token::Held;
    };
    let age = now.seconds_since(update.value);
    if age > RENEWED_EVERY && expiry.is_none() {
        let summary = format!(
            "The primary refresh token of the user was last renewed {} hours ago, and when it expires is not known.",
            age / 3600
        );
        j.row(
            Status::Warning,
            Confidence::Low,
            summary,
            vec![seen, status.at(update.line, format!("AzureAdPrtUpdateTime {}", update.value))],
        );
        return Token::Judged;
    }
    if age > RENEWED_EVERY {
        j.note(format!("The token was last renewed {} hours ago and has not expired: lock and unlock the machine, then look again.", age / 3600));
    }
    j.good(seen);
    j.good(status.at(update.line, format!("AzureAdPrtUpdateTime {}", update.value)));
    Token::Held
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Decode the code of the failed attempt first (actriage explain CODE), and follow the finding that explains it: password, network, policy, keys.",
            "With the network (and for federated users the domain) in reach lock the machine with Windows+L and unlock it with the password; or sign out and in.",
            "As the user, not elevated: dsregcmd /refreshprt, then dsregcmd /status.",
            "If it stays NO: read Microsoft-Windows-AAD/Operational at the time of the sign-in (1081, 1084, 1088, 1250, 1252).",
        ],
        "Nothing is changed by these steps. Do not leave the directory for a wrong password or a network code.",
        "Nothing has to be undone.",
        "dsregcmd /status of the user: AzureAdPrt YES, AzureAdPrtUpdateTime after the sign-in.",
        &[
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-device-dsregcmd",
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-primary-refresh-token",
        ],
    )
}
