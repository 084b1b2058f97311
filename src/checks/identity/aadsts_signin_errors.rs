//! The sign-in service refuses the user, the tenant, the device or the app.
//!
//! # What it looks at
//! Numbers of the sign-in service (`AADSTSn`) in the broker's log, the log of device registration, dialogs of Office and `dsregcmd /status`;
//! OAuth and federation errors of the broker (CAA2…, CAA9…) without a number; an expired password (AAD 1210); what shows that a later
//! sign-in worked.
//!
//! # Why it blocks activation
//! A subscription is activated with a token of the sign-in service. While the service refuses the password, does not know the user in this
//! tenant, or does not accept the device, Office gets none.
//!
//! # Fix
//! By group: right credentials; the right account or tenant; repair of the device's registration; a new sign-in where a token ran out; consent
//! or assignment of the app; the agents and domain controllers where the fault is on the server's side.
//!
//! # Verify
//! The sign-in log of the tenant shows success, and no new number is recorded.
//!
//! # When this is wrong
//! Numbers of mistyped passwords stand in every log: they count only while the newest sign-in of that user is still one of them and no valid
//! licence or token is in evidence. Each app's sign-in is recorded, not only that of Office. 70002 is generic: the number beside it counts.
//!
//! # Sources
//! domain.md 5.15 `aadsts-signin-errors`; trap 24 and trap 25; R47, R62 and R65 of section 14; the list of error codes of Microsoft Entra.

use super::SECTION;
use super::answers::{self, Answer, Good};
use super::join::{self, Status as JoinStatus};
use super::security_defaults_ca::{is_normal, owns};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, aadsts_in};
use crate::checks::broker::{RECORDS, affected, is_of_another_user, record_seen};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{ARTICLE_NETWORK, Check, Layer, Remedy, collect, signals};
use crate::evidence::{Confidence, Sourced};
use crate::knowledge;

/// The check.
pub const CHECK: Check = Check {
    id: "aadsts-signin-errors",
    title: "The sign-in service refuses the user, the tenant, the device or the app",
    layer: Layer::Identity,
    article: SECTION,
    wants: answers::WANTS,
    healthy: "No answer of the sign-in service in the failure window is a refusal that counts.",
    source_text: include_str!("aadsts_signin_errors.rs"),
    run,
    remedy,
};

/// What a number is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Credentials,
    Tenant,
    Lifetime,
    Device,
    App,
    Service,
    /// Pass-through agents and domain controllers, not this machine (R62).
    ServerSide,
    /// Another number that the table of codes gives to this check.
    Refusal,
}

/// Numbers by group (domain.md 5.15, with rows of the table of codes that mean the same).
const GROUPS: &[(Group, &[u32])] = &[
    (Group::Credentials, &[50_126, 50_034, 50_053, 50_055, 50_056, 50_057, 50_144]),
    (Group::Tenant, &[50_020, 50_059, 50_107, 50_128, 51_004, 90_002, 90_019, 90_072, 500_208]),
    (Group::Lifetime, &[50_089, 50_173, 70_008, 70_043, 70_044, 700_082]),
    (Group::Device, &[50_097, 50_129, 50_155, 50_187, 135_011]),
    (
        Group::App,
        &[50_001, 50_105, 65_001, 65_002, 65_004, 65_005, 70_001, 90_094, 500_011, 700_016, 7_000_112],
    ),
    (Group::Service, &[90_033, 90_055]),
    (Group::ServerSide, &[80_001, 80_002, 80_013]),
];
/// Judged by `error-text-older-windows`.
const MALFORMED: u32 = 9_002_313;

fn group_of(code: u32) -> Option<Group> {
    if let Some((group, _)) = GROUPS.iter().find(|(_, codes)| codes.contains(&code)) {
        return Some(*group);
    }
    let meanings = knowledge::meanings(&format!("AADSTS{code}"));
    let ours = |meaning: &&&knowledge::Meaning| meaning.checks.split(',').any(|id| id == CHECK.id);
    meanings.iter().find(ours).map(|_| Group::Refusal)
}

fn run(case: &Case<'_>, j: &Judgement) {
    let answers = answers::read(case, j);
    let good = Good::read(case);
    let statuses = JoinStatus::all(case);
    // An ordinary interrupt is neither a refusal nor a success.
    let newest =
        answers.iter().rfind(|answer| !is_normal(answer.code)).and_then(|answer| group_of(answer.code));
    for (group, _) in GROUPS.iter().chain(&[(Group::Refusal, &[][..])]) {
        let of_group = |answer: &&Answer| {
            group_of(answer.code) == Some(*group) && !owns(answer.code) && !is_normal(answer.code)
        };
        let mut found: Vec<&Answer> = Vec::new();
        for answer in answers.iter().filter(of_group) {
            if !found.iter().any(|before| before.is_same_failure(answer)) {
                found.push(answer);
            }
        }
        let Some(last) = found.last() else { continue };
        if *group == Group::Device && join::is_accepted_since(&statuses, last.time) {
            j.note(format!("{}, and the tenant accepts the device since.", last.meaning()));
        } else {
            judge(j, *group, &found, last, newest, &good);
        }
    }
    for answer in &answers {
        remark(j, answer.code);
    }
    without_number(case, j, &good);
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
}

fn remark(j: &Judgement, code: u32) {
    if owns(code) {
        j.note(format!("AADSTS{code} is a matter of policy: see security-defaults-ca."));
    } else if code == MALFORMED {
        j.note(format!("AADSTS{code} is a matter of TLS or of a proxy: see error-text-older-windows."));
    } else if is_normal(code) {
        j.note(format!("AADSTS{code} is an ordinary interrupt of a sign-in."));
    } else if group_of(code).is_none() {
        j.note(format!("AADSTS{code} is not known to mean that the sign-in fails."));
    }
}

fn judge(j: &Judgement, group: Group, found: &[&Answer], last: &Answer, newest: Option<Group>, good: &Good) {
    if good.ends(j, last.time, &format!("{} ({} time(s))", last.meaning(), found.len())) {
        return;
    }
    let repeated = found.len() >= 2;
    // A licence from before is no success since, but it is a good one (R65).
    let still = matches!(newest, Some(Group::Credentials | Group::Tenant)) && good.licence.is_none();
    let times = format!("{} time(s) in the failure window", found.len());
    let (status, confidence, about) = match group {
        // R65: only while the newest answer is still one of them.
        Group::Credentials if repeated && still => (Status::Blocker, Confidence::High, "the user"),
        Group::Tenant if repeated && still => (Status::Blocker, Confidence::High, "the user in this tenant"),
        Group::Credentials => (Status::Warning, Confidence::Low, "the user"),
        Group::Tenant => (Status::Warning, Confidence::Low, "the user in this tenant"),
        Group::Device if repeated => (Status::Blocker, Confidence::High, "the device"),
        Group::Device => (Status::Warning, Confidence::Medium, "the device"),
        Group::Lifetime => (Status::Warning, Confidence::Low, "a token that ran out"),
        Group::App => (Status::Warning, Confidence::Low, "an app"),
        Group::Service => (Status::Warning, Confidence::Low, "the request for a while"),
        Group::ServerSide => {
            (Status::Warning, Confidence::Medium, "the user, because its connection to the domain fails")
        }
        Group::Refusal => (Status::Warning, Confidence::Low, "the request"),
    };
    let summary = format!("The sign-in service refused {about}, {times} ({}).", last.meaning());
    let evidence = found.iter().rev().take(3).map(|answer| answer.seen.clone()).collect();
    j.row(status, confidence, summary, evidence);
}

/// The table gives a code of the broker to this check: OAuth (CAA2) and federation errors (CAA9).
fn is_refusal(code: ErrorCode) -> bool {
    let meanings = knowledge::meanings(&code.to_string());
    let first = |meaning: &&knowledge::Meaning| meaning.checks.split(',').next() == Some(CHECK.id);
    signals::is_broker_failure(code) && !signals::is_prompt(code) && meanings.iter().any(first)
}

/// Errors of the broker that carry no number of the service.
fn without_number(case: &Case<'_>, j: &Judgement, good: &Good) {
    let user = affected(case);
    let mut records: Vec<Sourced<&Event>> = case.events(RECORDS);
    records.retain(|event| {
        !is_of_another_user(user.as_ref(), event.value)
            && signals::code_of(event.value).is_some_and(is_refusal)
            && aadsts_in(&event.value.all_text()).is_empty()
    });
    let Some(last) = records.last() else { return };
    if good.ends(j, last.value.time, "The broker recorded refusals of the sign-in service") {
        return;
    }
    let confidence = if records.len() >= 2 { Confidence::Medium } else { Confidence::Low };
    let summary =
        format!("The broker recorded {} refusal(s) of the sign-in service without a number.", records.len());
    j.warning(confidence, summary, [record_seen(last)]);
}

/// What to do, by the groups that were found.
fn remedy(case: &Case<'_>) -> Remedy {
    const STEPS: &[(Group, &str)] = &[
        (
            Group::Credentials,
            "Let the user sign in at https://www.office.com with the same account: reset an expired or forgotten password, unlock or enable the account in Microsoft Entra or in the domain.",
        ),
        (
            Group::Tenant,
            "Sign out of the wrong account (File, Account in Office; Settings, Accounts, Access work or school) and sign in with the account that holds the licence.",
        ),
        (Group::Lifetime, "Sign out of Office and in again: the stored token ran out or was withdrawn."),
        (
            Group::Device,
            "dsregcmd /status: if the device is disabled or deleted, enable it in the tenant or join it again (BitLocker key and a local administrator at hand first).",
        ),
        (
            Group::App,
            "Grant consent or assign the user to the app that the record names; where it is not Office, it does not matter for activation.",
        ),
        (Group::Service, "Try again later; compare with the service health page of the tenant."),
        (
            Group::ServerSide,
            "The fault is on the server's side: check the pass-through authentication agents, their clocks, and the domain controllers.",
        ),
        (
            Group::Refusal,
            "Look the number up: actriage explain AADSTSn, and in the sign-in log of the tenant.",
        ),
    ];
    let found: Vec<Group> = answers::read(case, &Judgement::default())
        .iter()
        .filter_map(|answer| group_of(answer.code))
        .collect();
    let mut steps: Vec<String> =
        STEPS.iter().filter(|(group, _)| found.contains(group)).map(|(_, step)| (*step).to_owned()).collect();
    steps.push(
        "Open the sign-in log of the user in the Microsoft Entra admin center at the recorded time."
            .to_owned(),
    );
    Remedy {
        steps,
        caution:
            "Leaving and joining the directory again removes keys and device management from the machine."
                .to_owned(),
        rollback: "Nothing has to be undone after a sign-in; a reset password cannot be brought back."
            .to_owned(),
        verify: "The sign-in log shows success for the user, and no new AADSTS number is recorded."
            .to_owned(),
        references: vec![
            "https://learn.microsoft.com/entra/identity-platform/reference-error-codes".to_owned(),
            ARTICLE_NETWORK.to_owned(),
        ],
    }
}
