//! A setting keeps this kind of account from signing in to Office.
//!
//! # What it looks at
//! `SignInOptions` of the affected user (cloud policy, policy, own setting) in `…\Office\16.0\Common\SignIn`, `DisableMsaSignIn` beside it, and which
//! kind of account the installed product takes.
//!
//! # Why it blocks activation
//! 1 allows personal accounts only, 3 and 4 no account of an organisation or none at all. A subscription of a company is activated by signing in
//! with its account; where that is switched off there is not even a button for it.
//!
//! # Fix
//! Set the policy to 0 (both kinds), or to 2 where only accounts of the organisation are wanted.
//!
//! # Verify
//! File > Account offers the sign-in.
//!
//! # When this is wrong
//! Two documents disagree about 3 and 4, but both block an account of an organisation. The text of the policy itself says that it does not apply
//! to licensing, while the support article names it as a cause: what the user sees decides. 2 is a usual hardening and harms only personal licences.
//!
//! # Sources
//! domain.md 5.20 `office-signin-options`; trap 12; R53 of section 14; "Office feature disabled" and "Identity and authentication in Office"
//! (learn.microsoft.com).

use super::office_settings::{self, Setting};
use super::online_content::FEATURE_DISABLED_ARTICLE;
use crate::checks::broker::{Account, account};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Status};
use crate::checks::signals::DIALOGS;
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Unknown};

/// The check.
pub const CHECK: Check = Check {
    id: "office-signin-options",
    title: "A setting keeps this kind of account from signing in to Office",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: &[DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "Both kinds of accounts, or the kind that the product takes, may sign in to Office.",
    source_text: include_str!("signin_options.rs"),
    run,
    remedy,
};

const KEY: &str = r"Common\SignIn";
const OPTIONS: &str = "SignInOptions";

fn run(case: &Case<'_>, j: &Judgement) {
    case.each_user(j, |user, j| of_user(case, j, user));
    let Some(seen) = office_settings::disabled_dialog(case) else { return };
    if j.has_finding() || office_settings::is_collected(case, KEY, OPTIONS) {
        j.note("Office told the user that a feature is disabled by the administrator (see office-online-content-policy too).");
    } else {
        j.warning(
            Confidence::Low,
            "Office told the user that a feature is disabled by the administrator; the user's settings were not collected.",
            [seen],
        );
    }
}

fn of_user(case: &Case<'_>, j: &Judgement, user: &UserHive) {
    if let Some(setting) = office_settings::in_force(case, j, user, KEY, OPTIONS) {
        judge(case, j, setting);
    }
    if let Some(setting) = office_settings::in_force(case, j, user, KEY, "DisableMsaSignIn")
        && setting.value == 1
    {
        if account(case) == Account::Personal {
            let summary = format!(
                "Personal accounts may not sign in to Office by {} (DisableMsaSignIn), and the licence is a personal one.",
                setting.place
            );
            j.row(Status::Warning, Confidence::Low, summary, vec![setting.seen]);
        } else {
            j.note("DisableMsaSignIn is 1: personal accounts may not sign in, which does not concern an account of an organisation.");
        }
    }
}

fn judge(case: &Case<'_>, j: &Judgement, setting: Setting) {
    let Setting { value, place, seen } = setting;
    let seen = seen.expected("0 or not set");
    let kind = account(case);
    // Which account the product takes is a guess where no product is known.
    let sure = if kind == Account::Work { Confidence::High } else { Confidence::Medium };
    match (value, kind) {
        (0, _) => j.good(seen),
        (1, Account::Personal) => {
            j.note(
                "SignInOptions is 1: only personal accounts may sign in, and the licence is a personal one.",
            );
            j.good(seen);
        }
        (1, _) => {
            let summary = format!(
                "Only personal accounts may sign in to Office by {place} (SignInOptions 1): an account of an organisation cannot."
            );
            j.row(Status::Blocker, sure, summary, vec![seen]);
        }
        (2, Account::Personal) => {
            let summary = format!(
                "Only accounts of an organisation may sign in to Office by {place} (SignInOptions 2), and the licence is a personal one."
            );
            j.row(Status::Warning, Confidence::Medium, summary, vec![seen]);
        }
        (2, Account::Work) => {
            j.note("SignInOptions is 2: only accounts of an organisation may sign in, which is the kind that this product takes.");
            j.good(seen);
        }
        (2, Account::Unknown) => {
            j.note("SignInOptions is 2: only accounts of an organisation may sign in; a personal licence could not be activated.");
            let what = "which kind of licence Office has (SOFTWARE hive or vnextdiag.ps1)".to_owned();
            j.missing(&Unknown { what, reason: None }, collect::SOFTWARE);
        }
        (3 | 4, _) => {
            let summary = format!(
                "No account of an organisation may sign in to Office by {place} (SignInOptions {value})."
            );
            j.row(Status::Blocker, Confidence::High, summary, vec![seen]);
            j.note("Two documents disagree about 3 and 4 (no account at all, or only accounts of the domain): both block an account of Microsoft 365.");
        }
        (other, _) => {
            j.note(format!("SignInOptions is {other}, a value that is not documented."));
            j.good(seen);
        }
    }
    if matches!(value, 1 | 3 | 4) {
        j.note("The policy's own text says that it does not apply to licensing; the support article names it as a cause of a missing sign-in.");
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut steps = office_settings::commands_for(case, CHECK.id);
    steps.push("In the policy \"Block signing into Office\" choose \"Both IDs allowed\" (0), or \"Org ID only\" (2) if personal accounts shall stay out.".to_owned());
    steps.push("Close all Office programs, start one, and sign in under File > Account.".to_owned());
    Remedy {
        steps,
        caution:
            "The policy may have been made on purpose: ask its owner before personal accounts are let in."
                .to_owned(),
        rollback: "Import office-setting.reg, or set the policy as it was.".to_owned(),
        verify: "File > Account offers the sign-in, and the account that holds the licence is accepted."
            .to_owned(),
        references: vec![
            FEATURE_DISABLED_ARTICLE.to_owned(),
            "https://learn.microsoft.com/microsoft-365/enterprise/modern-auth-for-office-2013-and-2016"
                .to_owned(),
        ],
    }
}
