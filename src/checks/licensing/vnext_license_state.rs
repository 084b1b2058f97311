//! The licence of the installed Microsoft 365 Apps has run out, is damaged or is missing.
//!
//! # What it looks at
//! Licences that `vnextdiag.ps1` lists and licence files themselves (`Microsoft\Office\Licenses` of the user and below `ProgramData`), for
//! the products that are installed; the user's `LicensingNext` key, which says how each product is licensed; for the older way the listing of
//! `ospp.vbs` and records of the Software Protection service in the failure window; dialogs.
//!
//! # Why it blocks activation
//! A subscription must reach the service within 30 days. When its licence file has run out, functions are reduced; when the file is
//! damaged, Office cannot tell what it may do.
//!
//! # Fix
//! Sign in to Office with the licensed account while online; move a damaged licence file away so that a new one is fetched.
//!
//! # Verify
//! `vnextdiag.ps1 -action list` shows a licence of the installed product with `LicenseState : Licensed` and a `NotAfter` ahead.
//!
//! # When this is wrong
//! The listing holds files of former users and of an older folder: one that has run out beside a valid one of the same product is normal.
//! `LicensingNext` alone proves no licence. Licence files are UTF-16 with Base64 inside: one that cannot be read is an open question, no
//! damage. Visio and Project have the same id by retail and by subscription: a licence, a licence file or the key tells which it is. With
//! shared computer activation there are tokens and no licences.
//!
//! # Sources
//! domain.md 5.20 `vnext-license-state`; decision 20 of section 13; R42, R43, R44 and R62 of section 14; trap 16; "vNextDiag" and "Overview
//! of licensing and activation in Microsoft 365 Apps" (learn.microsoft.com).

use super::licences::{self, FOLDER, Licence, Licences};
use super::products::{self, Installed};
use super::sca_extras::VNEXTDIAG;
use super::{records, shared_activation};
use crate::artifact::capture::{CaptureKind, ospp, vnextdiag};
use crate::artifact::event_decode::ErrorCode;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup, Source, Sourced, Unknown};

/// One value for each product.
const MODES: &str = r"Software\Microsoft\Office\16.0\Common\Licensing\LicensingNext";
/// Values of that key: the current kind for a user, and for a device. Everything else is the older way.
const USER_MODE: u32 = 2;
const DEVICE_MODE: u32 = 3;
/// Codes that say "not activated" of a subscription on the older way (R62): grace over, no licence, no key.
const NOT_ACTIVATED: [u32; 3] = [0xc004_f009, 0xc004_f014, 0xc004_f017];
const OSPP: &str = r#"cscript "%ProgramFiles%\Microsoft Office\Office16\ospp.vbs" /dstatus > ospp.txt"#;
const ARTICLES: [&str; 2] = [
    "https://learn.microsoft.com/microsoft-365-apps/licensing-activation/vnextdiag",
    "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/reset-office-365-proplus-activation-state",
];

/// The check.
pub const CHECK: Check = Check {
    id: "vnext-license-state",
    title: "The licence of Microsoft 365 Apps has run out, is damaged or is missing",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[records::PROTECTION, signals::DIALOGS[0], signals::DIALOGS[1], signals::DIALOGS[2]],
    healthy: "A valid licence of the installed Microsoft 365 Apps is there.",
    source_text: include_str!("vnext_license_state.rs"),
    run,
    remedy,
};

/// How a product is licensed by its value.
fn is_current(value: &RegValue) -> bool {
    matches!(value.as_u32(), Some(USER_MODE | DEVICE_MODE))
}

/// Names that are products: the others (`MigrationToV5Done` …) are not (R43).
fn is_product(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("retail") || name.ends_with("volume")
}

/// The values of products in the key, with the key as their source.
fn modes(case: &Case<'_>, user: &UserHive) -> Lookup<Vec<Sourced<RegValue>>> {
    let key = user.path(MODES);
    let listing = case.evidence.registry.values(&key);
    if let Lookup::Found(found) = &listing
        && !found.value.is_complete()
    {
        let reason = found.value.unread.first().cloned();
        return Lookup::Unknown(Unknown { what: format!("values of {key}"), reason });
    }
    match listing {
        Lookup::Found(found) => {
            let of = |value: &RegValue| Sourced {
                value: value.clone(),
                source: Source { locator: format!("{key}!{}", value.name), ..found.source.clone() },
            };
            let values = found.value.iter().filter(|value| is_product(&value.name)).map(of).collect();
            Lookup::Found(Sourced { value: values, source: found.source.clone() })
        }
        Lookup::Absent(source) => Lookup::Absent(source),
        Lookup::Unknown(unknown) => Lookup::Unknown(unknown),
    }
}

/// Values of products that a user has activated in the current way.
fn current(case: &Case<'_>, user: &UserHive) -> Vec<Sourced<RegValue>> {
    let modes = modes(case, user);
    let mut values = modes.found().map(|found| found.value.clone()).unwrap_or_default();
    values.retain(|value| value.value.as_u32() == Some(USER_MODE));
    values
}

/// Products that a user has activated in the current way, as evidence.
pub fn current_products(case: &Case<'_>, user: &UserHive) -> Vec<Observation> {
    current(case, user).iter().map(value_seen).collect()
}

/// The release ids of these products.
pub fn current_names(case: &Case<'_>, user: &UserHive) -> Vec<String> {
    current(case, user).into_iter().map(|value| value.value.name).collect()
}

fn run(case: &Case<'_>, j: &Judgement) {
    let installed = products::installed(case);
    if let Lookup::Absent(source) = &installed {
        return j.not_applicable(
            "There is no Click-to-Run Office, and only that has these licences.",
            source.shows("not there"),
        );
    }
    if let Some(seen) = shared_activation::switched_on(case) {
        return j.not_applicable("With shared computer activation there are tokens and no licences.", seen);
    }
    let known = installed.found().map(|found| &found.value);
    let all = Licences::read(case);
    let current = current_way(case, known);
    let files = !all.corrupt.is_empty() || all.names_only.is_some();
    let is_none = |known: &&Installed| {
        known.is_volume() && all.of(Some(known)).next().is_none()
            || !known.has_subscription() && current == Some(false) && !files
    };
    if let Some(installed) = known.filter(is_none) {
        return j.not_applicable("No subscription is installed.", installed.seen.clone());
    }
    if let Lookup::Unknown(unknown) = &installed {
        j.missing(unknown, collect::SOFTWARE);
    }
    let modes = affected_modes(case);
    other_accounts(j, &modes);
    corrupt(case, j, known, &all, current);
    for unknown in &all.unread {
        j.note(format!("{} could not be read; that alone is no damage.", unknown.what));
        j.missing(unknown, VNEXTDIAG);
    }
    if all.of(known).next().is_some() {
        judge(j, known, &all);
    } else {
        without(case, j, known, &all, &modes);
    }
    account(case, j);
}

/// Whether an installed product is licensed in the current way: a licence of it, or the user's key. `None` where Visio or Project may be
/// one by subscription and the key is not known; suites that were bought once are none.
pub fn current_way(case: &Case<'_>, installed: Option<&Installed>) -> Option<bool> {
    if Licences::read(case).of(installed).next().is_some() {
        return Some(true);
    }
    let modes = affected_modes(case);
    match &modes {
        Lookup::Found(found) => Some(current_mode(&found.value, installed).is_some()),
        Lookup::Unknown(_) if installed.is_none_or(Installed::may_be_subscription) => None,
        Lookup::Absent(_) | Lookup::Unknown(_) => Some(false),
    }
}

/// The value of an installed product that is licensed in the current way.
fn current_mode<'m>(
    modes: &'m [Sourced<RegValue>],
    installed: Option<&Installed>,
) -> Option<&'m Sourced<RegValue>> {
    let for_installed =
        |value: &&Sourced<RegValue>| installed.is_none_or(|known| known.has(&value.value.name));
    modes.iter().find(|value| is_current(&value.value) && for_installed(value))
}

/// The modes of the affected user.
fn affected_modes(case: &Case<'_>) -> Lookup<Vec<Sourced<RegValue>>> {
    match case.evidence.users.affected() {
        Lookup::Found(user) => modes(case, &user.value),
        Lookup::Absent(source) => Lookup::Absent(source),
        Lookup::Unknown(unknown) => Lookup::Unknown(unknown),
    }
}

/// 0 for one product beside 2 for another: the user signed in with another kind of account before.
fn other_accounts(j: &Judgement, modes: &Lookup<Vec<Sourced<RegValue>>>) {
    let Some(values) = modes.found().map(|found| &found.value) else { return };
    let names = |wanted: fn(&RegValue) -> bool| {
        let named = values.iter().filter(|value| wanted(&value.value)).map(|value| value.value.name.as_str());
        named.collect::<Vec<_>>().join(", ")
    };
    let (older, current) = (names(|value| !is_current(value)), names(is_current));
    if !older.is_empty() && !current.is_empty() {
        j.note(format!("LicensingNext has {older} on the older way and {current} on the current one: the user signed in with another account type."));
    }
}

/// A damaged file stops a product that is licensed by such files. Of a product that may have been bought once that is not known.
fn corrupt(
    case: &Case<'_>,
    j: &Judgement,
    installed: Option<&Installed>,
    all: &Licences,
    current: Option<bool>,
) {
    if all.corrupt.is_empty() {
        return;
    }
    if licences::good_licence(case, installed).is_some() {
        j.note("A licence file is damaged, and Office is licensed all the same.");
        return;
    }
    let needs_it = current == Some(true) || installed.is_none_or(Installed::has_subscription);
    let (status, confidence) =
        if needs_it { (Status::Blocker, Confidence::High) } else { (Status::Warning, Confidence::Medium) };
    let summary = "A licence file of Office is damaged: it holds nothing.";
    j.row(status, confidence, summary.to_owned(), all.corrupt.clone());
}

/// Licences for the installed products are known: the best one counts (R43).
fn judge(j: &Judgement, installed: Option<&Installed>, all: &Licences) {
    let of = |state: vnextdiag::State| all.of(installed).filter(move |licence| licence.state == state);
    let licensed: Vec<&Licence> = of(vnextdiag::State::Licensed).collect();
    let seen = |list: Vec<&Licence>| list.into_iter().map(|licence| licence.seen.clone()).collect::<Vec<_>>();
    let over: Vec<&Licence> = of(vnextdiag::State::ReducedFunctionality).collect();
    let grace: Vec<&Licence> = of(vnextdiag::State::Grace).collect();
    if licensed.is_empty() && !over.is_empty() && installed.is_none() {
        let summary = "A licence of Office has run out; whether its product is still installed is not known.";
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), seen(over));
    } else if licensed.is_empty() && !over.is_empty() {
        let summary = "The licence of Office has run out: it was not renewed within 30 days, and functions are reduced.";
        j.row(Status::Blocker, Confidence::High, summary.to_owned(), seen(over));
    } else if licensed.is_empty() && !grace.is_empty() {
        let summary =
            "The subscription behind the licence of Office has ended; Office works on in its grace period.";
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), seen(grace));
    } else {
        for licence in over.into_iter().chain(grace) {
            beside(j, &licensed, licence);
        }
    }
    for licence in licensed {
        match &licence.bad_entitlement {
            None => j.good(licence.seen.clone()),
            Some(status) => j.warning(
                Confidence::Low,
                format!("The licence of {} runs on, and its entitlement is {status}.", licence.name()),
                [licence.seen.clone()],
            ),
        }
    }
    for licence in of(vnextdiag::State::Unknown) {
        let reason = Some(licence.seen.observed.clone());
        j.missing(
            &Unknown { what: format!("state of the licence of {}", licence.name()), reason },
            VNEXTDIAG,
        );
    }
}

/// A licence that has run out, where a valid one is there.
fn beside(j: &Judgement, licensed: &[&Licence], licence: &Licence) {
    let same = |other: &&Licence| other.name().eq_ignore_ascii_case(licence.name());
    if licensed.iter().any(same) {
        j.note(format!(
            "A licence of {} has run out beside a valid one: of a former user or an older folder.",
            licence.name()
        ));
    } else {
        j.warning(
            Confidence::Medium,
            format!("The licence of {} has run out; another product is licensed.", licence.name()),
            [licence.seen.clone()],
        );
    }
}

/// No licence of the current kind is known for the installed products.
fn without(
    case: &Case<'_>,
    j: &Judgement,
    installed: Option<&Installed>,
    all: &Licences,
    modes: &Lookup<Vec<Sourced<RegValue>>>,
) {
    let values = modes.found().map(|found| found.value.as_slice()).unwrap_or_default();
    let current = current_mode(values, installed);
    let none = all.none.clone().or_else(|| all.list.first().map(|licence| licence.seen.clone()));
    match (current, none) {
        (Some(mode), Some(none)) => j.warning(
            Confidence::Medium,
            "Office is set to the current kind of licence, and there is no licence of the installed product.",
            [value_seen(mode).expected("a licence file"), none],
        ),
        (Some(_), None) => match licences::good_licence(case, installed) {
            Some(seen) => j.good(seen),
            None => need_listing(case, j, all),
        },
        (None, none) => {
            if none.is_none() {
                need_listing(case, j, all);
            }
            if let Lookup::Unknown(unknown) = modes {
                j.missing(unknown, collect::USER);
            }
            older_way(case, j, installed);
        }
    }
}

fn need_listing(case: &Case<'_>, j: &Judgement, all: &Licences) {
    if !all.unread.is_empty() {
        return;
    }
    let reason = match (&all.names_only, case.evidence.captures.ask(CaptureKind::Vnextdiag, "licences")) {
        (Some(_), _) => Some("licence files are there, and only their names were collected".to_owned()),
        (None, Lookup::Found(_)) => Some("the listing does not show the licences".to_owned()),
        (None, _) => None,
    };
    j.missing(&Unknown { what: "licences (vnextdiag.ps1 -action list)".to_owned(), reason }, VNEXTDIAG);
}

/// A subscription that is activated in the older way shows in `ospp.vbs` (trap 16: the current kind does not).
fn older_way(case: &Case<'_>, j: &Judgement, installed: Option<&Installed>) {
    let blocks = licences::blocks(case);
    let mut own = blocks.iter().filter(|(_, block)| !block.is_volume());
    if let Some((source, block)) = own.clone().find(|(_, block)| block.state == ospp::State::Licensed) {
        return j.good(licences::block_seen(source, block));
    }
    let refused = own.find(|(_, block)| block.error_code.is_some_and(|code| NOT_ACTIVATED.contains(&code)));
    match (refused, recorded(case, &blocks, installed)) {
        (Some((source, block)), _) if installed.is_none_or(Installed::has_subscription) => j.warning(
            Confidence::Medium,
            "The subscription is not activated: ospp.vbs lists it without a licence, and no licence of the current kind is known.",
            [licences::block_seen(source, block).expected("LICENSED")],
        ),
        (_, Some(seen)) => j.warning(
            Confidence::Low,
            "The subscription is not activated: a record of its licensing says so, and no licence of it is known.",
            [seen],
        ),
        _ => {
            let what = "licence of the installed product (ospp.vbs /dstatus, for the older way)".to_owned();
            let reason = (!blocks.is_empty()).then(|| "no subscription is licensed there".to_owned());
            j.missing(&Unknown { what, reason }, OSPP);
        }
    }
}

/// The newest record with one of these codes (R62). It may be about a volume product where one is installed or left over.
fn recorded(
    case: &Case<'_>,
    blocks: &[(Source, &ospp::Licence)],
    installed: Option<&Installed>,
) -> Option<Observation> {
    let is_sure = installed.is_some_and(Installed::is_subscription)
        && !blocks.iter().any(|(_, block)| block.is_volume());
    let is_ours = |code: &ErrorCode| NOT_ACTIVATED.contains(&code.value());
    records::failures(case).into_iter().rev().filter(|_| is_sure).find_map(|(event, codes)| {
        let code = codes.into_iter().find(is_ours)?;
        Some(records::seen(&event, &code.to_string()))
    })
}

/// The dialog about another account of the organisation; `license-assignment-device-limit` judges it.
fn account(case: &Case<'_>, j: &Judgement) {
    if records::dialogs(case).iter().any(|dialog| super::license_assignment::is_another_account(&dialog.text))
    {
        j.note("Office said that another account is signed in: the licence may belong to that one.");
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy {
        steps: vec![
            "Online, in any Office program: File > Account, sign out, close all Office programs, sign in with the account that has the licence.".to_owned(),
            VNEXTDIAG.to_owned(),
            "A licence that stays expired: vnextdiag.ps1 -action remove -licenseId <LicenseId of the listing>, then sign in again.".to_owned(),
            format!(r#"A damaged file: close Office and move it away (copy "%LOCALAPPDATA%\{FOLDER}" first); Office fetches a new one."#),
            "Before a reset of everything: act on the findings on network, sign-in and device, or the new licence cannot be fetched either.".to_owned(),
        ],
        caution: "Removing a licence signs the product out of this machine until it is online again. Do it as the affected user.".to_owned(),
        rollback: format!(r#"Close Office and copy the saved folder back to "%LOCALAPPDATA%\{FOLDER}"."#),
        verify: "vnextdiag.ps1 -action list shows LicenseState Licensed for the installed product, and File > Account shows it as activated.".to_owned(),
        references: ARTICLES.iter().map(|text| (*text).to_owned()).collect(),
    }
}
