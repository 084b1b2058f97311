//! A setting keeps Office from the internet.
//!
//! # What it looks at
//! `UseOnlineContent` of the affected user (cloud policy, policy, own setting) in `…\Office\16.0\Common\Internet`; `EnableAuthInOfflineMode` in
//! `…\Common\Identity`; `disconnectedstate` of the privacy policy; dialogs that say that the administrator disabled the feature.
//!
//! # Why it blocks activation
//! `UseOnlineContent` 0 forbids Office all use of the internet. In Microsoft 365 Apps that stops licensing too: a program that cannot ask for its
//! licence is not activated.
//!
//! # Fix
//! Take the value away, or set it to 2, in the policy that makes it.
//!
//! # Verify
//! File > Account shows the sign-in button, and activation starts.
//!
//! # When this is wrong
//! `EnableAuthInOfflineMode` 1 lets Office activate all the same. Value 1 lets the user choose and is no fault; values below 14.0 and 15.0 belong
//! to other generations of Office. Connected experiences that are switched off (`disconnectedstate` 2) leave licensing on.
//!
//! # Sources
//! domain.md 5.20 `office-online-content-policy`; R53 of section 14; "Office feature disabled" and "cannot open files from most recently used
//! list" (learn.microsoft.com).

use super::office_settings::{self, Setting};
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals::DIALOGS;
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup};

/// Documentation of the dialog and of the settings behind it.
pub const FEATURE_DISABLED_ARTICLE: &str =
    "https://learn.microsoft.com/troubleshoot/microsoft-365/admin/access-management/office-feature-disabled";
/// Lets Office activate though it may not use the internet otherwise.
const EXCEPTION: (&str, &str) =
    (r"Software\Microsoft\Office\16.0\Common\Identity", "EnableAuthInOfflineMode");
/// Connected experiences of Office: 1 on, 2 off. Says nothing about licensing.
const PRIVACY: (&str, &str) =
    (r"Software\Policies\Microsoft\Office\16.0\Common\Privacy", "disconnectedstate");

/// The check.
pub const CHECK: Check = Check {
    id: "office-online-content-policy",
    title: "A setting keeps Office from the internet",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: &[DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "Office may use the internet.",
    source_text: include_str!("online_content.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    case.each_user(j, |user, j| of_user(case, j, user));
    if let Some(seen) = office_settings::disabled_dialog(case) {
        dialog(case, j, seen);
    }
}

fn of_user(case: &Case<'_>, j: &Judgement, user: &UserHive) {
    if let Some(setting) = office_settings::in_force(case, j, user, r"Common\Internet", "UseOnlineContent") {
        judge(case, j, user, setting);
    }
    let privacy = case.value(&user.path(PRIVACY.0), PRIVACY.1);
    if privacy.found().is_some_and(|state| state.value.as_u32() == Some(2)) {
        j.note("Connected experiences of Office are switched off (disconnectedstate 2): licensing is an essential service and stays on.");
    }
}

fn judge(case: &Case<'_>, j: &Judgement, user: &UserHive, setting: Setting) {
    let Setting { value, place, seen } = setting;
    let seen = seen.expected("2 or not set");
    match value {
        0 => {
            let exception = case.value(&user.path(EXCEPTION.0), EXCEPTION.1);
            let allowed = exception.found().filter(|value| value.value.as_u32() == Some(1));
            if let Some(allowed) = allowed {
                let summary = format!(
                    "Office may not use the internet by {place}; EnableAuthInOfflineMode lets it activate all the same."
                );
                j.row(Status::Warning, Confidence::Medium, summary, vec![seen, value_seen(allowed)]);
                return;
            }
            let summary =
                format!("Office may not use the internet by {place}, and that stops licensing too.");
            // An exception that cannot be looked up leaves the effect open.
            let confidence =
                if matches!(exception, Lookup::Unknown(_)) { Confidence::Medium } else { Confidence::High };
            j.row(Status::Blocker, confidence, summary, vec![seen]);
        }
        1 => {
            j.note("UseOnlineContent is 1: the user may choose whether Office uses the internet.");
            j.good(seen);
        }
        2 => j.good(seen),
        other => {
            j.note(format!("UseOnlineContent is {other}, a value that is not documented."));
            j.good(seen);
        }
    }
}

/// A dialog is a recorded failure, but not of one setting only.
fn dialog(case: &Case<'_>, j: &Judgement, seen: Observation) {
    let elsewhere = case.status("office-signin-options").is_some_and(Status::is_finding);
    if j.has_finding() || elsewhere {
        j.note("Office told the user that a feature is disabled by the administrator.");
        return;
    }
    j.warning(
        Confidence::Low,
        "Office told the user that a feature is disabled by the administrator, and no collected setting explains it.",
        [seen],
    );
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut steps = office_settings::commands_for(case, CHECK.id);
    steps.push("Close all Office programs, start one, and sign in under File > Account.".to_owned());
    steps.push(
        "If the value comes back: gpresult /h gpresult.html (as the user) names the policy that sets it."
            .to_owned(),
    );
    Remedy {
        steps,
        caution: "The setting may have been made on purpose (a network without internet access): ask its owner first. Office then reaches the internet for templates and online content too.".to_owned(),
        rollback: "Import office-setting.reg, or set the policy as it was.".to_owned(),
        verify: "File > Account offers the sign-in, and no dialog says that the feature is disabled.".to_owned(),
        references: vec![FEATURE_DISABLED_ARTICLE.to_owned()],
    }
}
