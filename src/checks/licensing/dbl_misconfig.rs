//! Device-based licensing is switched on where it cannot work.
//!
//! # What it looks at
//! `O365ProPlusRetail.DeviceBasedLicensing` of Click-to-Run; whether shared computer activation is on too; the Windows version; whether the
//! device is joined to Microsoft Entra (`dsregcmd /status`, the `CloudDomainJoin` key); whether SYSTEM gets to the internet where the user
//! has a proxy.
//!
//! # Why it blocks activation
//! A device licence belongs to the device's account in the tenant, and SYSTEM fetches it. Without the join there is no such account, and
//! without a way out nothing is fetched. Shared computer activation must not be mixed with it.
//!
//! # Fix
//! Join the device (or join it hybrid), or switch device-based licensing off; switch shared computer activation off; give SYSTEM the proxy.
//!
//! # Verify
//! `dsregcmd /status` shows `AzureAdJoined : YES`, and `vnextdiag.ps1 -action list` shows a device licence that is `Licensed`.
//!
//! # When this is wrong
//! Where only the registry shows the missing join it is a warning: joins are told by `dsregcmd`. A registered device (`WorkplaceJoined`) is
//! not joined.
//!
//! # Sources
//! domain.md 5.20 `dbl-misconfig`; decisions 13 and 22 of section 13; "Device-based licensing for Microsoft 365 Apps for enterprise"
//! (learn.microsoft.com).

use super::products::{self, CONFIGURATION};
use super::shared_activation::{self, Setting};
use crate::artifact::capture::dsregcmd::typed::Flag;
use crate::artifact::capture::{CaptureData, CaptureKind, vnextdiag};
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::os::Edition;
use crate::evidence::{Confidence, Lookup, Unknown, captures};

use super::licences::Licences;

/// The value in the key of Click-to-Run.
pub const NAME: &str = "O365ProPlusRetail.DeviceBasedLicensing";
/// One subkey for each join; the key is there and empty on a machine that never joined.
const JOINS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo";
/// First builds with device-based licensing: of Windows 10, and of the server product (2019).
const FIRST_CLIENT: u32 = 10_240;
const FIRST_SERVER: u32 = 17_763;
const ARTICLE: &str =
    "https://learn.microsoft.com/microsoft-365-apps/licensing-activation/device-based-licensing";
const DSREGCMD: &str = "dsregcmd /status > dsregcmd.txt";

/// The check.
pub const CHECK: Check = Check {
    id: "dbl-misconfig",
    title: "Device-based licensing is on where it cannot work",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[],
    healthy: "Device-based licensing is on, and the device is joined and has a way out.",
    source_text: include_str!("dbl_misconfig.rs"),
    run,
    remedy,
};

/// The value, when it says that device-based licensing is on.
pub fn switched_on(case: &Case<'_>) -> Option<Observation> {
    let key = products::installed(case).found().map(|found| found.value.key.clone());
    let value = case.value(key.as_deref().unwrap_or(CONFIGURATION), NAME);
    let on = value.found().is_some_and(|value| shared_activation::is_on(&value.value) == Some(true));
    value.found().filter(|_| on).map(value_seen)
}

fn run(case: &Case<'_>, j: &Judgement) {
    let installed = products::installed(case);
    let key = match &installed {
        Lookup::Found(found) => found.value.key.clone(),
        Lookup::Absent(source) => {
            return j.not_applicable(
                "There is no Click-to-Run Office, and only that has device-based licensing.",
                source.shows("not there"),
            );
        }
        Lookup::Unknown(_) => CONFIGURATION.to_owned(),
    };
    let seen = match j.need(case.value(&key, NAME), collect::SOFTWARE) {
        Lookup::Unknown(_) => return,
        Lookup::Absent(source) => {
            if let Lookup::Unknown(unknown) = installed {
                return j.missing(&unknown, collect::SOFTWARE);
            }
            hidden(case, j);
            return j.not_applicable("Device-based licensing is not switched on.", source.shows("not set"));
        }
        Lookup::Found(value) => match shared_activation::is_on(&value.value) {
            Some(true) => value_seen(&value),
            Some(false) => {
                hidden(case, j);
                return j.not_applicable("Device-based licensing is switched off.", value_seen(&value));
            }
            None => {
                let reason = Some(format!("{} holds {}", value.source.locator, value.value.display()));
                return j.missing(
                    &Unknown { what: "setting of device-based licensing".to_owned(), reason },
                    collect::SOFTWARE,
                );
            }
        },
    };
    j.good(seen.clone());
    system(case, j, &seen);
    shared(case, j, &key, &seen);
    joined(case, j, &seen);
    way_out(case, j, &seen);
    licence(case, j);
}

/// A device licence where the value does not ask for one.
fn hidden(case: &Case<'_>, j: &Judgement) {
    if Licences::read(case).list.iter().any(|licence| licence.device) {
        j.note("A device licence is there although the value is not set: it was set before, or a policy sets it.");
    }
}

fn system(case: &Case<'_>, j: &Judgement, seen: &Observation) {
    let Some(build) = &case.os().build else { return j.missing(&case.os().unknown(), collect::OS_BUILD) };
    let os = build.shows(format!("build {}", build.value)).expected("Windows 10 or 11, Server 2019 or 2022");
    if build.value < FIRST_CLIENT {
        let summary =
            "Device-based licensing is on, and this Windows does not have it: it needs Windows 10 or later.";
        j.blocker(Confidence::High, summary, [seen.clone(), os]);
    } else if case.os().edition == Some(Edition::Server) && build.value < FIRST_SERVER {
        let summary = "Device-based licensing is on, and this Windows Server is older than the first that is named for it (2019).";
        j.warning(Confidence::Medium, summary, [seen.clone(), os]);
    }
}

fn shared(case: &Case<'_>, j: &Judgement, key: &str, seen: &Observation) {
    let setting = Setting::read(case, key);
    if setting.is_on() {
        let evidence = [vec![seen.clone()], setting.seen_on()].concat();
        let summary =
            "Device-based licensing and shared computer activation are both on: they must not be mixed.";
        j.row(Status::Blocker, Confidence::High, summary.to_owned(), evidence);
    }
    for unknown in &setting.unknown {
        j.missing(unknown, collect::SOFTWARE);
    }
}

fn joined(case: &Case<'_>, j: &Judgement, seen: &Observation) {
    let by_registry = case.evidence.registry.subkeys(JOINS);
    let registry_says = by_registry.found().filter(|found| found.value.is_complete());
    if let Some((flag, line)) = by_dsregcmd(case) {
        match flag {
            Flag::Yes => j.good(line),
            _ => j.blocker(
                Confidence::High,
                "Device-based licensing is on, and the device is not joined to Microsoft Entra.",
                [seen.clone(), line.expected("AzureAdJoined : YES")],
            ),
        }
        if let Some(found) = registry_says
            && found.value.is_empty() == (flag == Flag::Yes)
        {
            j.note("dsregcmd and the registry (CloudDomainJoin) do not say the same about the join.");
        }
        return;
    }
    match registry_says {
        Some(found) if found.value.is_empty() => j.warning(
            Confidence::Medium,
            "Device-based licensing is on, and the registry shows no join to Microsoft Entra.",
            [seen.clone(), found.shows("no join").expected("a join")],
        ),
        Some(found) => return j.good(found.shows("joined")),
        None => {}
    }
    let reason = match case.evidence.captures.ask(CaptureKind::Dsregcmd, "join state") {
        Lookup::Unknown(unknown) => unknown.reason,
        _ => Some("it does not show AzureAdJoined".to_owned()),
    };
    j.missing(&Unknown { what: "join state of the device (dsregcmd /status)".to_owned(), reason }, DSREGCMD);
}

/// `AzureAdJoined` as YES or NO. The device sections count whoever ran the command (decision 22).
fn by_dsregcmd(case: &Case<'_>) -> Option<(Flag, Observation)> {
    case.captures(CaptureKind::Dsregcmd).into_iter().find_map(|capture| {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { return None };
        let at = data.azure_ad_joined()?;
        let word = match at.value {
            Flag::Yes => "YES",
            Flag::No => "NO",
            Flag::Error | Flag::Other => return None,
        };
        Some((
            at.value,
            captures::line(capture.source.artifact, at.line).shows(format!("AzureAdJoined : {word}")),
        ))
    })
}

/// The licence is fetched by SYSTEM: a proxy that only the user has is none for it.
fn way_out(case: &Case<'_>, j: &Judgement, seen: &Observation) {
    let Some(outcome) = case.outcome("proxy-mismatch") else { return };
    match outcome.status {
        Status::Blocker | Status::Warning => {
            let evidence = [vec![seen.clone()], outcome.evidence.clone()].concat();
            let summary = "Device-based licensing is on, SYSTEM fetches the licence, and services do not use the way out that the user has.";
            j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence);
        }
        Status::NotCollected => {
            for item in &outcome.missing {
                j.missing(&Unknown { what: item.what.clone(), reason: None }, &item.collect);
            }
        }
        Status::Healthy | Status::NotApplicable => {}
    }
}

fn licence(case: &Case<'_>, j: &Judgement) {
    let licences = Licences::read(case);
    for licence in licences.list.iter().filter(|licence| licence.device) {
        match licence.state {
            vnextdiag::State::Licensed => j.good(licence.seen.clone()),
            _ => j.note(format!("The device licence is not valid: {}.", licence.seen.observed)),
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "As the user, without elevation: dsregcmd /status (AzureAdJoined must be YES; WorkplaceJoined alone is a registration).",
            "Join the device, or finish its hybrid join; it must be in the group that has the device licence.",
            r#"Where users are to be licensed instead: reg export "HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration" c2r-before.reg, then reg add "HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration" /v O365ProPlusRetail.DeviceBasedLicensing /t REG_SZ /d 0 /f"#,
            r#"Where device licences stay: reg add "HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration" /v SharedComputerLicensing /t REG_SZ /d 0 /f, and take the policy of shared computer activation away."#,
            "Behind a proxy, elevated: bitsadmin /util /setieproxy localsystem MANUAL_PROXY <host:port> \"<local>\"",
            "Restart the machine, start an Office program as any user.",
        ],
        "Switching to users means that each of them needs a licence of his own. The device licence runs for 90 days and is renewed by SYSTEM.",
        "reg import c2r-before.reg; bitsadmin /util /setieproxy localsystem NO_PROXY",
        "vnextdiag.ps1 -action list shows a device licence with LicenseState Licensed.",
        &[ARTICLE],
    )
}
