//! The account has no licence for Office, or has used up its devices.
//!
//! # What it looks at
//! Dialogs of Office in the failure window that say so, with their codes; whether a valid licence is there all the same. What is assigned
//! in the tenant is not visible on the machine.
//!
//! # Why it blocks activation
//! Only an account with a licence for the desktop programs can activate them, and before version 1910 only on five devices.
//!
//! # Fix
//! Assign the licence in the admin center, or sign in with the account that has it; sign Office out on devices that are no longer used.
//!
//! # Verify
//! The user's page "Apps and devices" shows the licence and fewer devices than the limit, and Office activates.
//!
//! # When this is wrong
//! 0x803D0005 and 0x803D0013 are refusals of the service and come from proxies too: they count only with a text about the licence. From
//! version 1910 on, Office does not stop at five devices; above ten the one that was not used for longest is signed out. Dialogs in other
//! languages than English are not recognised by their words. Visio, Project and suites that were bought once are judged by the dialogs
//! alone, unless a licence of the current kind shows that they are subscriptions. This check is never healthy.
//!
//! # Sources
//! domain.md 5.20 `license-assignment-device-limit`; error_codes.tsv (`text:device-limit`, `text:another-account`, 803D0005, 803D0013,
//! C004C008); "Activation limits" and "Another account from your organization is already signed in" (learn.microsoft.com).

use super::products::{self, Installed};
use super::records::{self, Dialog};
use super::shared_activation::{self, Tokens};
use super::vnext_license_state::current_way;
use super::{licences, sca_extras};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Coverage;
use crate::evidence::{Confidence, Lookup, Unknown};

/// Words of the dialogs about devices: one of the first list with one of the second.
const LIMIT: [&str; 10] = [
    "limit reached",
    "reached the limit",
    "reached your limit",
    "reached the install limit",
    "reached your install limit",
    "reached the activation limit",
    "reached your activation limit",
    "maximum number of",
    "too many devices",
    "too many computers",
];
const OF_LICENSING: [&str; 6] =
    ["activat", "install limit", "device", "computers", "subscription", "sign out of office"];
/// Words that say that the account has no licence.
const NO_LICENCE: [&str; 9] = [
    "no license",
    "no licence",
    "have a license",
    "have a licence",
    "isn't licensed",
    "not licensed",
    "no subscription",
    "cannot be used to activate",
    "can't be used to activate",
];
/// Refusals of the licensing service that can stand for "no licence".
const REFUSALS: [u32; 2] = [0x803d_0005, 0x803d_0013];
/// "Key use limit exceeded", which no source confirms.
const KEY_LIMIT: u32 = 0xc004_c008;
/// What would answer the question for good.
const TENANT: &str = "Microsoft 365 admin center > Users > Active users > the user > Licenses and apps; or Get-MgUserLicenseDetail -UserId <user>";

/// The check.
pub const CHECK: Check = Check {
    id: "license-assignment-device-limit",
    title: "The account has no licence for Office, or has used up its devices",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[records::PROTECTION, signals::DIALOGS[0], signals::DIALOGS[1], signals::DIALOGS[2]],
    healthy: "Office is licensed.",
    source_text: include_str!("license_assignment.rs"),
    run,
    remedy,
};

/// Whether a dialog says that another account is signed in (`text:another-account`).
pub fn is_another_account(text: &str) -> bool {
    text.contains("another account") && (text.contains("signed in") || text.contains("organization"))
}

fn is_limit(text: &str) -> bool {
    LIMIT.iter().any(|words| text.contains(words)) && OF_LICENSING.iter().any(|words| text.contains(words))
}

fn is_no_licence(text: &str) -> bool {
    NO_LICENCE.iter().any(|words| text.contains(words))
}

fn run(case: &Case<'_>, j: &Judgement) {
    let installed = products::installed(case);
    let known = installed.found().map(|found| &found.value);
    let good = licences::good_licence_issued(case, known).or_else(|| Some((token(case)?, None)));
    let none = |installed: &Installed| {
        j.not_applicable("No subscription is installed, so none is assigned.", installed.seen.clone());
    };
    if let Some(installed) = known.filter(|known| good.is_none() && known.is_volume()) {
        return none(installed);
    }
    // A licence that is not known to be older than a dialog shows that its complaint is over.
    let is_over = |dialog: &Dialog<'_>| {
        good.as_ref().is_some_and(|(_, issued)| issued.is_none_or(|time| time > dialog.event.value.time))
    };
    let (over, dialogs): (Vec<_>, Vec<_>) = records::dialogs(case).into_iter().partition(is_over);
    if over.iter().any(|dialog| kind_of(dialog).is_some()) {
        j.note("Office complained about the licence or the number of devices before; a valid licence is there now.");
    }
    for dialog in &dialogs {
        judge(j, known, dialog);
    }
    if good.is_none() {
        key_limit(case, j);
    }
    let is_perpetual = |known: &&Installed| {
        !known.has_subscription() && good.is_none() && current_way(case, Some(known)) == Some(false)
    };
    if let Some(installed) = known.filter(is_perpetual).filter(|_| !j.has_finding()) {
        return none(installed);
    }
    open(case, j, &installed, good.map(|(seen, _)| seen));
}

/// With shared computer activation a valid token is what a valid licence is elsewhere.
fn token(case: &Case<'_>) -> Option<Observation> {
    shared_activation::switched_on(case)?;
    match shared_activation::tokens(case) {
        Tokens::There(seen) => Some(seen),
        _ => None,
    }
}

/// What a dialog complains of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Complaint {
    /// Too many devices.
    Limit,
    /// The service refuses, and the text says that there is no licence.
    NoLicence,
    /// Another account is signed in.
    Account,
    /// The service refuses, and the text does not say why.
    Refusal,
}

fn kind_of(dialog: &Dialog<'_>) -> Option<Complaint> {
    let refused = REFUSALS.iter().any(|code| dialog.has_code(*code));
    if is_limit(&dialog.text) {
        Some(Complaint::Limit)
    } else if refused && is_no_licence(&dialog.text) {
        Some(Complaint::NoLicence)
    } else if is_another_account(&dialog.text) {
        Some(Complaint::Account)
    } else {
        refused.then_some(Complaint::Refusal)
    }
}

fn judge(j: &Judgement, installed: Option<&Installed>, dialog: &Dialog<'_>) {
    let seen: Observation = dialog.seen();
    match kind_of(dialog) {
        Some(Complaint::Limit) => {
            j.blocker(Confidence::High, "Office said that the account has used up its devices.", [seen]);
            if installed.is_some() {
                j.note("From version 1910 on, Office does not stop at five devices: look for an old version, or at the plan.");
            }
        }
        Some(Complaint::NoLicence) => j.blocker(
            Confidence::High,
            "The licensing service refused, and Office said that the account has no licence.",
            [seen],
        ),
        Some(Complaint::Account) => j.warning(
            Confidence::Medium,
            "Office said that another account is signed in: the licence may belong to that one.",
            [seen],
        ),
        Some(Complaint::Refusal) => j.note(
            "The licensing service refused (0x803D0005 or 0x803D0013) without a text about the licence: a proxy can be the reason.",
        ),
        None => {}
    }
}

/// A code that only practice knows: a warning at most.
fn key_limit(case: &Case<'_>, j: &Judgement) {
    let recorded = records::failures(case).into_iter().rev().find_map(|(event, codes)| {
        let code = codes.into_iter().find(|code| code.value() == KEY_LIMIT)?;
        Some(records::seen(&event, &code.to_string()))
    });
    let listed = || {
        let blocks = licences::blocks(case);
        let (source, block) = blocks.iter().find(|(_, block)| block.error_code == Some(KEY_LIMIT))?;
        Some(licences::block_seen(source, block))
    };
    if let Some(seen) = recorded.or_else(listed) {
        j.warning(
            Confidence::Low,
            "The activation server counts too many uses of a key (0xC004C008).",
            [seen],
        );
    }
}

/// Silence answers nothing here: what is assigned is in the tenant.
fn open(case: &Case<'_>, j: &Judgement, installed: &Lookup<Installed>, good: Option<Observation>) {
    if let Lookup::Unknown(unknown) = installed {
        j.missing(unknown, collect::SOFTWARE);
    }
    let coverage = case.window().map(|window| case.evidence.events.coverage(&["OAlerts"], window));
    let log = |reason| Unknown { what: "event log OAlerts".to_owned(), reason };
    match coverage {
        Some(Coverage::Whole(source)) => j.good(source.shows("the log covers the failure window")),
        Some(Coverage::Short(_, reason)) => j.missing(&log(Some(reason)), collect::OALERTS),
        Some(Coverage::None) | None => j.missing(&log(None), collect::OALERTS),
    }
    match good {
        Some(seen) => {
            j.note("A valid licence is there; what else is assigned, and how many devices are left, is in the tenant.");
            j.good(seen);
        }
        None => {
            let licence = "a valid licence (vnextdiag.ps1 -action list)".to_owned();
            j.missing(&Unknown { what: licence, reason: None }, sca_extras::VNEXTDIAG);
        }
    }
    let tenant = "the licences of the user in the tenant, which no machine shows".to_owned();
    j.missing(&Unknown { what: tenant, reason: None }, TENANT);
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "File > Account: which account is signed in? It must be the one with the licence; otherwise sign out and in with that.",
            "Microsoft 365 admin center > Users > Active users > the user > Licenses and apps: the plan must have the desktop programs, and that app must be ticked.",
            "As the user, https://portal.office.com/account > Apps and devices: sign Office out on devices that are no longer used.",
            "Then restart Office and sign in again; a new assignment can take some hours.",
        ],
        "Signing Office out on a device leaves it read-only there until someone signs in again.",
        "Sign in again on the device that was signed out.",
        "File > Account shows the product as activated for the right account.",
        &[
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/activation-limits",
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/another-account-already-signed-in",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_devices_are_no_other_limits() {
        // "Install limit reached" is the heading in "Office 365 ProPlus, multiple devices, and (de)activation" (learn.microsoft.com,
        // Office resource kit); "Limit reached" that of the dialog. Limits of a workbook are none of them.
        assert!(is_limit("install limit reached"));
        assert!(is_limit("you have reached your install limit. deactivate office on another computer."));
        assert!(is_limit(
            "microsoft word limit reached. you've used all your activations. sign out of office on a device"
        ));
        assert!(!is_limit("microsoft excel has reached the limit of rows"));
        assert!(!is_limit("the maximum number of fonts has been used"));
    }

    #[test]
    fn another_account_of_the_organisation() {
        // error_codes.tsv text:another-account; the title of the article is the text.
        assert!(is_another_account(
            "another account from your organization is already signed in on this computer"
        ));
        assert!(!is_another_account("send this message from another account?"));
    }
}
