//! A policy of the tenant stops the sign-in: security defaults, conditional access, tenant restrictions.
//!
//! # What it looks at
//! Numbers of the sign-in service (`AADSTSn`) in the broker's log, the log of device registration, dialogs of Office and `dsregcmd /status`.
//!
//! # Why it blocks activation
//! Security defaults and conditional access can refuse a sign-in from this device, place or app, and tenant restrictions refuse the whole
//! tenant. Office then gets no token and cannot ask for its licence. The policy itself lies in the tenant and is never visible on the machine.
//!
//! # Fix
//! By the number: meet the policy (complete MFA, join or repair the device, use a supported app), or except the user in conditional access.
//! The article's way, switching security defaults off, weakens the whole tenant.
//!
//! # Verify
//! The sign-in log of the tenant shows success for the user, and Office activates.
//!
//! # When this is wrong
//! The broker's log holds answers to every app: a policy number that does not name Office may mean another app, and is a warning until a
//! dialog of Office or dsregcmd shows it too. Prompts for MFA are ordinary and never more than a warning. A valid licence speaks against a
//! block of Office, and so does a token of after the refusal, though another app may have got it.
//!
//! # Sources
//! domain.md 5.15 `security-defaults-ca`; decisions 4, 6 and 12; trap 24; R47 of section 14; the article's section on security defaults; the list
//! of error codes of Microsoft Entra.

use super::SECTION;
use super::answers::{self, Answer, Good, Origin};
use crate::checks::broker::{RECORDS, affected, is_of_another_user, record_seen};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{ARTICLE_NETWORK, Check, Layer, Remedy, collect, signals};
use crate::evidence::Confidence;

/// The check.
pub const CHECK: Check = Check {
    id: "security-defaults-ca",
    title: "A policy of the tenant stops the sign-in",
    layer: Layer::Identity,
    article: SECTION,
    wants: answers::WANTS,
    healthy: "No answer of the sign-in service in the failure window names a policy of the tenant.",
    source_text: include_str!("security_defaults_ca.rs"),
    run,
    remedy,
};

/// "Blocked by security defaults".
const SECURITY_DEFAULTS: u32 = 530_035;
/// Refusals by policy, in the order of domain.md 5.15; the last three from the table of codes.
const POLICY: &[u32] = &[
    SECURITY_DEFAULTS,
    53_003,
    530_032,
    50_005,
    53_000,
    53_001,
    53_002,
    53_004,
    53_010,
    53_011,
    500_021,
    500_022,
    500_212,
    500_213,
    50_131,
    530_034,
    50_002,
];
/// The same, but the meaning is not confirmed: never more than a warning.
const POLICY_UNVERIFIED: &[u32] = &[53_005, 530_003];
/// Restrictions to certain tenants; a proxy adds their header (decision 4).
const TENANT_RESTRICTIONS: &[u32] = &[500_021, 500_022, 50_002];
/// The user has to do something: MFA, enrolment, choice of an account.
const PROMPTS: &[u32] = &[50_072, 50_074, 50_076, 50_078, 50_079, 50_158, 50_177, 16_000, 16_001];
/// Ordinary interrupts.
const NORMAL: &[u32] = &[50_058, 50_140, 50_199];

/// Whether a number belongs to this check.
pub fn owns(code: u32) -> bool {
    [POLICY, POLICY_UNVERIFIED, PROMPTS].iter().any(|list| list.contains(&code))
}

/// Whether a number is an ordinary interrupt.
pub fn is_normal(code: u32) -> bool {
    NORMAL.contains(&code)
}

fn run(case: &Case<'_>, j: &Judgement) {
    let answers = answers::read(case, j);
    let good = Good::read(case);
    for answer in answers.iter().filter(|answer| POLICY.contains(&answer.code)) {
        refusal(j, answer, &answers, &good);
    }
    if let Some(answer) = answers.iter().rfind(|answer| POLICY_UNVERIFIED.contains(&answer.code)) {
        let summary =
            format!("The sign-in service named a policy (AADSTS{}), as far as is known.", answer.code);
        j.warning(Confidence::Low, summary, [answer.seen.clone()]);
    }
    prompts(j, &answers, &good);
    silent_prompts(case, j, &good);
    if let Some(answer) = answers.iter().find(|answer| is_normal(answer.code)) {
        j.note(format!("AADSTS{} is an ordinary interrupt of a sign-in.", answer.code));
    }
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
}

/// Numbers that conditional access gives to one app or resource (R47: 5300x, 53003, 53003x).
fn is_for_an_app(code: u32) -> bool {
    matches!(code, 53_000..=53_009 | 530_030..=530_039)
}

fn refusal(j: &Judgement, answer: &Answer, all: &[Answer], good: &Good) {
    let meaning = answer.meaning();
    if let Some(licence) = good.licence.as_ref().filter(|_| good.licensed_since(answer.time)) {
        let summary = format!("A policy refused a sign-in ({meaning}), but Office is licensed.");
        j.warning(Confidence::Low, summary, [answer.seen.clone(), licence.clone()]);
        return;
    }
    if let Some(since) = good.sign_in_since(answer.time) {
        let summary = format!(
            "A policy refused a sign-in ({meaning}), and a sign-in worked since, which may be another app's."
        );
        j.warning(Confidence::Low, summary, [answer.seen.clone(), since.clone()]);
        return;
    }
    let shown = |other: &&Answer| {
        other.code == answer.code && matches!(other.origin, Origin::Office | Origin::Dsregcmd)
    };
    let confirmed = all.iter().find(shown);
    let of_an_app = matches!(answer.origin, Origin::Broker { office: false }) && is_for_an_app(answer.code);
    if of_an_app && confirmed.is_none() {
        let summary = format!(
            "A policy refused a sign-in ({meaning}); another app or resource than Office may be meant."
        );
        j.warning(Confidence::Medium, summary, [answer.seen.clone()]);
        return;
    }
    let summary = if answer.code == SECURITY_DEFAULTS {
        "Security defaults of the tenant block the sign-in (AADSTS530035).".to_owned()
    } else {
        format!("A policy of the tenant refuses the sign-in ({meaning}).")
    };
    let mut evidence = vec![answer.seen.clone()];
    evidence.extend(confirmed.filter(|other| other.seen != answer.seen).map(|other| other.seen.clone()));
    j.row(Status::Blocker, Confidence::High, summary, evidence);
}

/// Prompts: each number by itself, a warning at most (R47).
fn prompts(j: &Judgement, answers: &[Answer], good: &Good) {
    const MANY: usize = 3;
    for code in PROMPTS {
        let same: Vec<&Answer> = answers.iter().filter(|answer| answer.code == *code).collect();
        let Some(last) = same.last() else { continue };
        if good.makes_prompts_ordinary(last.time) {
            j.note(format!("The sign-in service asked for the user (AADSTS{code}, {} time(s)), and a sign-in worked since.", same.len()));
            continue;
        }
        let confidence = if same.len() > MANY { Confidence::Medium } else { Confidence::Low };
        let summary = format!(
            "The sign-in needs the user ({}), {} time(s) in the failure window.",
            last.meaning(),
            same.len()
        );
        j.warning(confidence, summary, [last.seen.clone()]);
    }
}

/// CAA2000C and CAA10001 are what every sign-in without a prompt writes; only when they keep coming they say something.
fn silent_prompts(case: &Case<'_>, j: &Judgement, good: &Good) {
    const MANY: usize = 3;
    let user = affected(case);
    let mut records = case.events(RECORDS);
    records.retain(|event| {
        signals::code_of(event.value).is_some_and(signals::is_prompt)
            && !is_of_another_user(user.as_ref(), event.value)
    });
    let Some(last) = records.last() else { return };
    if records.len() > MANY && !good.makes_prompts_ordinary(last.value.time) {
        let summary = format!(
            "The broker had to ask the user {} times, and no sign-in is known to have worked since.",
            records.len()
        );
        j.warning(Confidence::Low, summary, [record_seen(last)]);
    } else {
        j.note("The broker had to ask the user (CAA2000C, CAA10001): expected before a sign-in.");
    }
}

/// What to do, by the numbers that were found.
fn remedy(case: &Case<'_>) -> Remedy {
    let found: Vec<u32> =
        answers::read(case, &Judgement::default()).iter().map(|answer| answer.code).collect();
    let any = |codes: &[u32]| found.iter().any(|code| codes.contains(code));
    let mut steps = vec![
        "In the Microsoft Entra admin center open the sign-in log of the user at the recorded time: it names the policy and the app.".to_owned(),
    ];
    if any(&[SECURITY_DEFAULTS]) || any(PROMPTS) {
        steps.push("Let the user register for MFA and complete it at https://aka.ms/mfasetup, then sign in to Office.".to_owned());
    }
    if any(&[53_000, 53_001, 530_003]) {
        steps.push("Bring the device into the state that the policy asks for: dsregcmd /status shows how it is joined; check compliance in Intune.".to_owned());
    }
    if any(TENANT_RESTRICTIONS) {
        steps.push("The proxy (or a device policy) adds the header Restrict-Access-To-Tenants or sec-Restrict-Tenant-Access-Policy: have this tenant added where it is set.".to_owned());
    }
    if any(&[53_003, 530_032, 50_131, 50_005, 53_002]) {
        steps.push("Except the user, the place or the Office apps in the conditional access policy that the sign-in log names.".to_owned());
    }
    if any(&[SECURITY_DEFAULTS]) {
        steps.push("Last resort of the article: switch security defaults off in the tenant, and replace them by conditional access policies.".to_owned());
    }
    Remedy {
        steps,
        caution: "Switching security defaults off takes protection from every account of the tenant. Prefer completing MFA or an exception for one user."
            .to_owned(),
        rollback: "Switch security defaults or the policy on again in the Microsoft Entra admin center.".to_owned(),
        verify: "The sign-in log shows success for the user and the app; Office activates.".to_owned(),
        references: vec![
            ARTICLE_NETWORK.to_owned(),
            "https://learn.microsoft.com/entra/fundamentals/security-defaults".to_owned(),
            "https://learn.microsoft.com/entra/identity-platform/reference-error-codes".to_owned(),
        ],
    }
}
