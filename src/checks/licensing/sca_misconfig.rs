//! Shared computer activation is missing where it must be, or is set so that it does not work.
//!
//! # What it looks at
//! `SharedComputerLicensing` in its three places (Click-to-Run, `Office\16.0\Common\Licensing`, policy); the installed products; whether
//! the machine is a session host (`TSAppCompat`, `EditionID`); device-based licensing and the unattended mode; where tokens are kept;
//! FSLogix; tokens and an earlier activation of the user.
//!
//! # Why it blocks activation
//! On a host with many users each at a time, Microsoft 365 Apps activate only in this mode. Where it is on, an activation from before, or
//! another mode beside it, stops the tokens.
//!
//! # Fix
//! Set the value to 1 (or 0) in one place, take the contradicting one away, reset an activation from before, restart.
//!
//! # Verify
//! `vnextdiag.ps1 -action list` shows `SharedComputerLicensing = Enabled` and a token of the user.
//!
//! # When this is wrong
//! One user on a machine with this mode is no fault (pooled desktops, one image for all): a note. The text "0" is off, though
//! `vnextdiag.ps1` prints `Enabled` for it. A server that is no session host may be one by other means: a warning only. Microsoft 365
//! Business Premium may use the mode.
//!
//! # Sources
//! domain.md 5.20 `sca-misconfig`; decisions 13, 14 and 31 of section 13; R41, R55 and R63 of section 14; "Overview of shared computer
//! activation" (learn.microsoft.com).

use super::products::{self, Installed, Kind};
use super::shared_activation::{self as sca, Place, Setting, Tokens};
use super::{dbl_misconfig, licences, records, sca_extras};
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::os::{CURRENT_VERSION, Edition};
use crate::evidence::{Confidence, Lookup, Unknown};

const TERMINAL_SERVER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server";
/// `EditionID` of Windows Enterprise multi-session.
const MULTI_SESSION: &str = "ServerRdsh";
const ARTICLE: &str =
    "https://learn.microsoft.com/microsoft-365-apps/licensing-activation/overview-shared-computer-activation";

/// The check.
pub const CHECK: Check = Check {
    id: "sca-misconfig",
    title: "Shared computer activation is missing or set wrongly",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[records::PROTECTION, signals::DIALOGS[0], signals::DIALOGS[1], signals::DIALOGS[2]],
    healthy: "Shared computer activation is set as this machine needs it.",
    source_text: include_str!("sca_misconfig.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let none = "There is no Click-to-Run Office, and only that has shared computer activation.";
    let Some(installed) = products::need(case, j, none) else { return by_script_alone(case, j) };
    let setting = Setting::read(case, &installed.key);
    let concerned = installed.has_work_subscription() || (setting.is_on() && installed.has_subscription());
    if !concerned {
        return j.not_applicable(
            "No product is installed that can use shared computer activation.",
            installed.seen,
        );
    }
    for unknown in &setting.unknown {
        j.missing(unknown, collect::SOFTWARE);
    }
    script(case, j, &setting);
    if setting.is_on() {
        on(case, j, &installed, &setting);
    } else if setting.is_off() {
        off(case, j, &installed, &setting);
    } else {
        j.good(installed.seen);
    }
}

/// What the script says beside the registry, which decides (R41).
fn script(case: &Case<'_>, j: &Judgement, setting: &Setting) {
    let Some(script) = sca::script(case).filter(|script| script.enabled && setting.is_off()) else { return };
    match sca::tokens(case) {
        Tokens::There(token) | Tokens::Files(token) | Tokens::Expired(token) => {
            let evidence = [vec![script.seen, token], setting.seen_off()].concat();
            let summary = "Shared computer activation is off in the registry, and the user has a token of it: it was switched off, or the parts were collected at different times.";
            j.row(Status::Warning, Confidence::Low, summary.to_owned(), evidence);
        }
        Tokens::None(_) | Tokens::Unknown(_) => j.note(
            "vnextdiag.ps1 prints SharedComputerLicensing = Enabled: it takes the text \"0\" for on. The registry says off.",
        ),
    }
}

/// No SOFTWARE hive and no export: the script's word is all there is, and never more than a warning (R41). Where either was collected,
/// it says nothing.
fn by_script_alone(case: &Case<'_>, j: &Judgement) {
    let setting = Setting::read(case, products::CONFIGURATION);
    let Some(script) = sca::script(case).filter(|script| script.enabled && !setting.is_collected()) else {
        return;
    };
    j.note("vnextdiag.ps1 says that shared computer activation is on; it says so for the text \"0\" too.");
    match sca::tokens(case) {
        Tokens::None(none) if case.os().edition != Some(Edition::Server) => j.warning(
            Confidence::Low,
            "vnextdiag.ps1 says that shared computer activation is on, and the user has no token.",
            [script.seen, none],
        ),
        Tokens::Expired(token) => j.warning(
            Confidence::Low,
            "vnextdiag.ps1 says that shared computer activation is on, and the user's token has run out.",
            [script.seen, token],
        ),
        _ => j.good(script.seen),
    }
}

fn off(case: &Case<'_>, j: &Judgement, installed: &Installed, setting: &Setting) {
    let evidence = |more: Vec<Observation>| [more, vec![installed.seen.clone()], setting.seen_off()].concat();
    match host(case, j) {
        Host::Session(seen, confidence) => {
            let summary = "Microsoft 365 Apps are on a session host, and shared computer activation is off: they do not activate there.";
            j.row(Status::Blocker, confidence, summary.to_owned(), evidence(vec![seen]));
        }
        Host::Server(seen) => {
            let summary = "Microsoft 365 Apps are on Windows Server, and shared computer activation is off: with several users it must be on.";
            j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence(vec![seen]));
        }
        Host::Client => evidence(Vec::new()).into_iter().for_each(|seen| j.good(seen)),
        Host::Unknown => {}
    }
}

/// What kind of machine it is.
enum Host {
    /// A session host.
    Session(Observation, Confidence),
    /// A server that does not show that it is one.
    Server(Observation),
    /// A client.
    Client,
    /// Not known; noted as missing.
    Unknown,
}

fn host(case: &Case<'_>, j: &Judgement) -> Host {
    let edition = case.value(CURRENT_VERSION, "EditionID");
    if let Lookup::Found(value) = &edition
        && value.value.as_text().is_some_and(|text| text.trim().eq_ignore_ascii_case(MULTI_SESSION))
    {
        return Host::Session(value_seen(value), Confidence::High);
    }
    match case.os().edition {
        Some(Edition::Client) => Host::Client,
        Some(Edition::Server) => server(case, j),
        None => {
            let what = "client or server (SYSTEM or SOFTWARE hive)".to_owned();
            j.missing(&Unknown { what, reason: None }, collect::SYSTEM);
            Host::Unknown
        }
    }
}

/// `TSAppCompat`: 1 is application mode. The number is from practice (decision 31), so it is no more than medium.
fn server(case: &Case<'_>, j: &Judgement) -> Host {
    match case.need_value(j, TERMINAL_SERVER, "TSAppCompat") {
        Lookup::Found(value) if sca::is_on(&value.value) == Some(true) => {
            Host::Session(value_seen(&value), Confidence::Medium)
        }
        Lookup::Found(value) => Host::Server(value_seen(&value).expected("1 on a session host")),
        Lookup::Absent(source) => Host::Server(source.shows("not set")),
        Lookup::Unknown(_) => match case.os().build.as_ref() {
            Some(build) => Host::Server(build.shows(case.os().product().unwrap_or_default())),
            None => Host::Unknown,
        },
    }
}

fn on(case: &Case<'_>, j: &Judgement, installed: &Installed, setting: &Setting) {
    setting.seen_on().into_iter().for_each(|seen| j.good(seen));
    contradiction(j, setting);
    products_without(j, installed, setting);
    mixed(case, j, setting);
    sca_extras::roaming(case, j, &installed.key);
    sca_extras::fslogix(case, j, setting);
    sca_extras::offline(case, j);
    earlier_activation(case, j, setting);
    match host(case, j) {
        Host::Client => of_client(case, j, setting),
        Host::Session(seen, _) | Host::Server(seen) => {
            j.good(seen);
            match sca::tokens(case) {
                Tokens::There(seen) | Tokens::Files(seen) => j.good(seen),
                Tokens::Expired(seen) | Tokens::None(seen) => {
                    j.note(format!(
                        "The user who ran the collection has no valid token ({}).",
                        seen.observed
                    ));
                }
                Tokens::Unknown(_) => {}
            }
        }
        Host::Unknown => {}
    }
}

fn contradiction(j: &Judgement, setting: &Setting) {
    if setting.off.is_empty() {
        return;
    }
    let off = setting.off.iter().map(|(_, seen)| seen.clone());
    let evidence = setting.seen_on().into_iter().chain(off).collect();
    let summary = "Shared computer activation is on in one place and off in another.";
    j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence);
}

fn products_without(j: &Judgement, installed: &Installed, setting: &Setting) {
    let evidence = || [setting.seen_on(), vec![installed.seen.clone()]].concat();
    if !installed.has_work_subscription() {
        let summary = "Shared computer activation is on, and the installed plan does not have it.";
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence());
        return;
    }
    let business = |id: &str| id.to_ascii_lowercase().starts_with("o365business");
    let is_work = |kind: Kind| kind == Kind::Work;
    if !installed.products.iter().filter(|item| is_work(item.kind)).all(|item| business(&item.id)) {
        return;
    }
    if setting.on.iter().all(|(place, _)| *place == Place::Policy) {
        let summary = "Shared computer activation is set by policy only, which Microsoft 365 Apps for business do not honour.";
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence());
    } else {
        j.note("Microsoft 365 Apps for business use shared computer activation only with Microsoft 365 Business Premium.");
    }
}

/// Modes that must not be mixed with this one.
fn mixed(case: &Case<'_>, j: &Judgement, setting: &Setting) {
    if let Some(seen) = dbl_misconfig::switched_on(case) {
        let evidence = [setting.seen_on(), vec![seen]].concat();
        let summary =
            "Shared computer activation and device-based licensing are both on: they must not be mixed.";
        j.row(Status::Blocker, Confidence::High, summary.to_owned(), evidence);
    }
    case.each_user(j, |user, j| {
        let value = case.need_user_value(j, user, r"Software\Microsoft\Office\Common\Licensing", "Unattended");
        if let Lookup::Found(value) = value
            && sca::is_on(&value.value) == Some(true)
        {
            let evidence = [setting.seen_on(), vec![value_seen(&value).expected("0")]].concat();
            let summary = "Shared computer activation is on, and the user works in the unattended mode: they must not be mixed.";
            j.row(Status::Blocker, Confidence::High, summary.to_owned(), evidence);
        }
    });
}

/// LicensingNext says 2 and licence files exist: the user activated before the mode was switched on (R55).
fn earlier_activation(case: &Case<'_>, j: &Judgement, setting: &Setting) {
    let Lookup::Found(user) = case.evidence.users.affected() else { return };
    let Some(key) = super::vnext_license_state::current_products(case, &user.value).into_iter().next() else {
        return;
    };
    let all = licences::Licences::read(case);
    let own = all.list.iter().find(|licence| !licence.device).map(|licence| licence.seen.clone());
    if let Some(files) = own.or(all.names_only) {
        let evidence = [setting.seen_on(), vec![key, files]].concat();
        let summary = "Shared computer activation is on, and the user still has an activation from before: it must be reset.";
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence);
    }
}

/// On a client the mode is a note, and a warning only where it shows that it does not work (R55).
fn of_client(case: &Case<'_>, j: &Judgement, setting: &Setting) {
    j.note("Shared computer activation is on: tokens run for about 30 days, and each user needs the network to get one.");
    let warn = |summary: &str, seen: Observation| {
        let evidence = [setting.seen_on(), vec![seen]].concat();
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence);
    };
    match sca::tokens(case) {
        Tokens::There(seen) | Tokens::Files(seen) => j.good(seen),
        Tokens::Expired(seen) => {
            warn("Shared computer activation is on, and the user's token has run out.", seen)
        }
        Tokens::None(seen) => warn("Shared computer activation is on, and the user has no token.", seen),
        Tokens::Unknown(unknown) => j.missing(&unknown, sca_extras::VNEXTDIAG),
    }
    if let Some(failure) = records::licensing_failure(case) {
        warn("Shared computer activation is on, and licensing of Office fails.", failure);
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let key = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
    let on =
        products::installed(case).found().is_some_and(|found| Setting::read(case, &found.value.key).is_on());
    let mut steps = vec![format!("reg export \"{key}\" c2r-before.reg")];
    if on {
        steps.extend([
            "Decide which mode this machine is for; a session host needs shared computer activation.".to_owned(),
            format!("Where it is not wanted: reg add \"{key}\" /v SharedComputerLicensing /t REG_SZ /d 0 /f, and take the policy away."),
            "Where device-based licensing or the unattended mode is on too: keep one of them.".to_owned(),
            "Reset an activation from before: close Office, sign out of it, then vnextdiag.ps1 -action remove -licenseId <id> for each licence of the user.".to_owned(),
        ]);
    } else {
        steps.push(format!(
            "Elevated: reg add \"{key}\" /v SharedComputerLicensing /t REG_SZ /d 1 /f (Microsoft 365 Apps for business do not take it from a policy)"
        ));
        steps.push("Reset activations from before the change, for each user.".to_owned());
    }
    steps.push("Restart the machine, and start an Office program as the user.".to_owned());
    Remedy {
        steps,
        caution: "The plan must have shared computer activation (Apps for enterprise, Business Premium). A change counts after a restart only.".to_owned(),
        rollback: "reg import c2r-before.reg, restart.".to_owned(),
        verify: "vnextdiag.ps1 -action list as the user: Enabled, and a token below it; File > Account shows the product as activated.".to_owned(),
        references: vec![ARTICLE.to_owned()],
    }
}
