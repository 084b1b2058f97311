//! Security software blocks the plug-ins through which Office signs in.
//!
//! # What it looks at
//! Records of AppLocker, Windows Defender, App Control (Code Integrity) and the deployment of packages that name one of the two plug-ins, the
//! program that runs their background tasks, or the folders in which they keep their data; security products of somebody else among the
//! installed drivers and the running programs.
//!
//! # Why it blocks activation
//! The plug-ins run as app packages of the user. A rule that forbids them, their host `backgroundTaskHost.exe` or their data folders ends the
//! sign-in before it reaches the network.
//!
//! # Fix
//! Allow the plug-ins, their host and their folders in the product that blocks them.
//!
//! # Verify
//! The block is no longer recorded when the user signs in, and AppLocker records 8020 for the package.
//!
//! # When this is wrong
//! Rules that isolate each app stand in the firewall of every sound machine and are no block. `backgroundTaskHost.exe` runs tasks of all apps:
//! Defender's records that name it only as the acting program are a warning. Logs of other security products are not read: where such a
//! product is installed or runs, nothing here says that all is well.
//!
//! # Sources
//! domain.md 5.5 `broker-plugin-blocked`; trap 3 and trap 15; section 11 (AppLocker 8020); R1 and R60 of section 14; "connection issue when
//! signing in to Office 2016" and "can't sign in to Microsoft 365 desktop apps" (learn.microsoft.com).

use super::{
    BROKER_PLUGIN, EXCLUSIONS_ARTICLE, EXPERIENCE_HOST, RECORDS, SECTION, TOKEN_GIVEN, affected, codes_of,
    deployment, is_of_another_user, last_token, record_seen, token_ends, too_old,
};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Judgement;
use crate::checks::security::applocker_block::is_of_another;
use crate::checks::security::products;
use crate::checks::{ARTICLE_NETWORK, Check, Layer, Remedy, collect};
use crate::evidence::events::{Coverage, Want};
use crate::evidence::{Confidence, Lookup, Sourced, Unknown};

const PACKAGED: &str = "Microsoft-Windows-AppLocker/Packaged app-Execution";
const PROGRAMS: &str = "Microsoft-Windows-AppLocker/EXE and DLL";
/// AppLocker: allowed 8020 and 8023, would be blocked 8021, 8024 and 8003, blocked 8022, 8025 and 8004.
const APPLOCKER: Want = Want {
    provider: "Microsoft-Windows-AppLocker",
    ids: &[8003, 8004, 8020, 8021, 8022, 8023, 8024, 8025],
    channels: &[PACKAGED, PROGRAMS, "Microsoft-Windows-AppLocker/Packaged app-Deployment"],
};
/// Windows Defender: detections and what was done, attack surface rules, controlled folders, network protection.
const DEFENDER: Want = Want {
    provider: "Microsoft-Windows-Windows Defender",
    ids: &[1116, 1117, 1119, 1121, 1123, 1126, 1127],
    channels: &["Microsoft-Windows-Windows Defender/Operational"],
};
/// AppLocker's records that a package may run.
const ALLOWED: [u32; 2] = [8020, 8023];
/// AppLocker's records of a block.
const BLOCKED: [u32; 3] = [8004, 8022, 8025];
/// App Control: would be blocked, blocked.
const APP_CONTROL: Want = Want {
    provider: "Microsoft-Windows-CodeIntegrity",
    ids: &[3076, 3077],
    channels: &["Microsoft-Windows-CodeIntegrity/Operational"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "broker-plugin-blocked",
    title: "Security software blocks the plug-ins that sign in",
    layer: Layer::Broker,
    article: SECTION,
    wants: &[
        APPLOCKER,
        DEFENDER,
        APP_CONTROL,
        deployment::FORBIDDEN,
        deployment::DEPLOYMENTS,
        RECORDS,
        TOKEN_GIVEN,
    ],
    healthy: "No security software of Windows blocked the plug-ins that sign in.",
    source_text: include_str!("blocked.rs"),
    run,
    remedy,
};

/// Parts of names and paths that must not be blocked, in lower case.
const PLUGINS: [&str; 2] = ["microsoft.aad.brokerplugin", "microsoft.windows.cloudexperiencehost"];
const DATA_FOLDERS: [&str; 3] =
    [r"\microsoft\tokenbroker", r"\microsoft\oneauth", r"\microsoft\identitycache"];
const TASK_HOST: &str = "backgroundtaskhost.exe";
/// What the broker says when a federated identity provider sends the sign-in to an http page.
const NOT_ENCRYPTED: &str = "navigation to non-ssl destination";
/// A sign-in page was blocked inside the broker's window.
const PAGE_BLOCKED: u32 = 0xc0f1_0005;

/// Altitudes of the filter drivers of virus scanners.
const SCANNING: std::ops::RangeInclusive<u32> = 320_000..=329_999;
/// Windows Defender's own.
const OWN: [&str; 2] = ["wdfilter", "wdboot"];

/// What of the sign-in a text names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A plug-in or its data.
    Plugin,
    /// The program that runs background tasks of all apps.
    TaskHost,
}

fn target(text: &str) -> Option<Target> {
    let text = text.to_lowercase().replace('/', "\\");
    let named = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if named(&PLUGINS) || named(&DATA_FOLDERS) {
        Some(Target::Plugin)
    } else {
        text.contains(TASK_HOST).then_some(Target::TaskHost)
    }
}

fn run(case: &Case<'_>, j: &Judgement) {
    if too_old(case, j) {
        return;
    }
    applocker(case, j);
    defender(case, j);
    app_control(case, j);
    if let Some(event) = deployment::forbidden(case, &PLUGINS).last() {
        let seen = event_seen(event, &["PackageFullName", "ErrorCode"]);
        j.blocker(Confidence::High, "A policy forbids the installation of a plug-in that signs in.", [seen]);
    }
    in_the_broker(case, j);
    app_control_covered(case, j);
    need_applocker(case, j);
    case.need_log(j, DEFENDER.channels, collect::DEFENDER_LOG);
    products(case, j);
}

/// An AppLocker record's file or package: elements of its `UserData`.
fn applocker_subject(event: &Event) -> String {
    let parts = ["Package", "FilePath", "FullFilePath"];
    parts
        .iter()
        .filter_map(|name| event.user(name).or_else(|| event.field(name).map(str::to_owned)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn applocker(case: &Case<'_>, j: &Judgement) {
    let seen = |event: &Sourced<&Event>| {
        event.shows(format!("AppLocker {} {}", event.value.event_id, applocker_subject(event.value)))
    };
    let mut records = case.events(APPLOCKER);
    records.retain(|event| target(&applocker_subject(event.value)).is_some());
    // Rules differ by group: a block of another user does not stop this one.
    let user = affected(case);
    let (others, records): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|event| is_of_another(user.as_ref(), event.value));
    if others.iter().any(|event| BLOCKED.contains(&event.value.event_id)) {
        j.note("AppLocker blocked a plug-in that signs in for another user.");
    }
    let newest = |ids: &[u32]| records.iter().rfind(|event| ids.contains(&event.value.event_id));
    if let Some(allowed) = newest(&ALLOWED) {
        j.good(seen(allowed));
        j.note("AppLocker allowed a plug-in that signs in.");
    }
    // The same package allowed afterwards: the rule was changed.
    let repaired = |blocked: &Sourced<&Event>| {
        let answers = |event: &&Sourced<&Event>| {
            ALLOWED.contains(&event.value.event_id)
                && event.value.time > blocked.value.time
                && is_same_package(blocked.value, event.value)
        };
        is_packaged(blocked.value) && records.iter().any(|event| answers(&event))
    };
    let blocks = records.iter().filter(|event| BLOCKED.contains(&event.value.event_id));
    let (past, lasting): (Vec<_>, Vec<_>) = blocks.partition(|event| repaired(event));
    if let Some(blocked) = lasting.last() {
        j.blocker(
            Confidence::High,
            "AppLocker blocks a plug-in that signs in, or its host.",
            [seen(blocked)],
        );
    } else if !past.is_empty() {
        j.note(
            "AppLocker blocked a plug-in that signs in and allowed it later: it was, and is now repaired.",
        );
    }
    if let Some(audited) = newest(&[8003, 8021, 8024]) {
        j.warning(
            Confidence::Medium,
            "AppLocker would block a plug-in that signs in as soon as its rules are enforced.",
            [seen(audited)],
        );
    }
}

fn is_packaged(event: &Event) -> bool {
    matches!(event.event_id, 8022 | 8025)
}

/// Two records about one package.
fn is_same_package(blocked: &Event, allowed: &Event) -> bool {
    let package = |event: &Event| event.user("Package").unwrap_or_default();
    package(blocked).eq_ignore_ascii_case(&package(allowed))
}

/// Defender's records: what was blocked counts more than who acted, because the task host acts for every app.
fn defender(case: &Case<'_>, j: &Judgement) {
    for event in case.events(DEFENDER) {
        let part = |name: &str| event.value.field(name).and_then(target);
        let (path, actor, destination) = (part("Path"), part("Process Name"), part("Destination"));
        let hit = [path, actor, destination];
        let seen = || event_seen(&event, &["Path", "Process Name", "Destination", "Threat Name"]);
        if matches!(event.value.event_id, 1116 | 1117 | 1119) {
            if path == Some(Target::Plugin) || actor == Some(Target::Plugin) {
                j.warning(
                    Confidence::Medium,
                    "Windows Defender took a file of a plug-in that signs in for malware.",
                    [seen()],
                );
            }
        } else if hit.contains(&Some(Target::Plugin)) || path == Some(Target::TaskHost) {
            j.blocker(
                Confidence::High,
                "Windows Defender blocks a plug-in that signs in, or its host.",
                [seen()],
            );
        } else if actor == Some(Target::TaskHost) {
            j.warning(
                Confidence::Low,
                "Windows Defender blocked a background task; which app it belongs to is not recorded.",
                [seen()],
            );
        }
    }
}

/// App Control: only the file that was blocked counts (R60).
fn app_control(case: &Case<'_>, j: &Judgement) {
    for event in case.events(APP_CONTROL) {
        if event.value.field("File Name").and_then(target).is_none() {
            continue;
        }
        let seen = event_seen(&event, &["File Name", "Process Name"]);
        if event.value.event_id == 3077 {
            j.blocker(Confidence::High, "App Control blocks a plug-in that signs in, or its host.", [seen]);
        } else {
            j.warning(
                Confidence::Medium,
                "App Control would block a plug-in that signs in as soon as its policy is enforced.",
                [seen],
            );
        }
    }
}

/// App Control is not part of what "healthy" needs; without its log the answer says so (R60).
fn app_control_covered(case: &Case<'_>, j: &Judgement) {
    let covered = case.window().is_some_and(|window| {
        matches!(case.evidence.events.coverage(APP_CONTROL.channels, window), Coverage::Whole(_))
    });
    if !covered {
        j.note("The log of App Control (CodeIntegrity) does not cover the failure window: this speaks of AppLocker and Defender only.");
    }
}

/// What the broker itself says of pages that it may not open.
fn in_the_broker(case: &Case<'_>, j: &Judgement) {
    let (user, given) = (affected(case), last_token(case));
    for event in case.events(RECORDS) {
        if is_of_another_user(user.as_ref(), event.value) {
            continue;
        }
        let ended = |failure: &str| token_ends(j, given, event.value.time, failure);
        if event.value.mentions(NOT_ENCRYPTED) {
            if ended("The broker met a sign-in page that is http") {
                continue;
            }
            j.blocker(
                Confidence::High,
                "The sign-in page of the identity provider is http: the broker opens encrypted pages only.",
                [record_seen(&event)],
            );
        } else if codes_of(event.value).contains(&ErrorCode::from_value(PAGE_BLOCKED))
            && !ended("A sign-in page was blocked inside the broker's window (0xC0F10005)")
        {
            j.warning(
                Confidence::Medium,
                "A sign-in page was blocked inside the broker's window (0xC0F10005).",
                [record_seen(&event)],
            );
        }
    }
}

/// The AppLocker logs cover the window; or they were collected empty and no AppLocker policy is set, as on most machines.
fn need_applocker(case: &Case<'_>, j: &Judgement) {
    const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\SrpV2";
    let logs = case.evidence.events.logs();
    // A log without records does not say which channel it is: only the name of its file does.
    let plain = |path: &str| -> String {
        path.replace("%4", "").to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
    };
    let empty = |name: &str| logs.iter().any(|log| log.records == 0 && plain(&log.path).contains(name));
    if let Lookup::Absent(source) = case.evidence.registry.key(POLICY)
        && empty("applockerpackagedappexecution")
        && empty("applockerexeanddll")
    {
        j.good(source.shows("no AppLocker policy, and empty logs"));
        return;
    }
    case.need_log(j, &[PACKAGED], collect::APPLOCKER_LOGS);
    case.need_log(j, &[PROGRAMS], collect::APPLOCKER_LOGS);
}

/// Which security products there are: from the drivers in the hive, or listed by a command. A product of somebody else writes its own
/// log, which is not read.
fn products(case: &Case<'_>, j: &Judgement) {
    const SERVICES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services";
    /// Filter drivers of virus scanners are in this load order group.
    const SCANNERS: &str = "FSFilter Anti-Virus";
    let registry = &case.evidence.registry;
    if let Lookup::Found(list) = registry.subkeys(SERVICES)
        && list.value.is_complete()
        // An export of single services is no list of all drivers.
        && list.value.iter().any(|key| key.eq_ignore_ascii_case("Tcpip"))
    {
        j.good(list.shows(format!("{} services and drivers", list.value.len())));
        let foreign = list.value.iter().filter(|key| !OWN.contains(&key.to_lowercase().as_str()));
        for key in foreign {
            let value = |name: &str| registry.value(&format!(r"{SERVICES}\{key}"), name);
            let scanner = value("Group")
                .found()
                .and_then(|group| group.value.as_text())
                .is_some_and(|group| group.eq_ignore_ascii_case(SCANNERS));
            let disabled = value("Start").found().and_then(|start| start.value.as_u32()) == Some(4);
            if scanner && !disabled {
                not_read(j, &format!("the security product with the driver {key}"));
            }
        }
        return;
    }
    let mut listed = false;
    for capture in
        [CaptureKind::Drivers, CaptureKind::Tasklist].into_iter().flat_map(|kind| case.captures(kind))
    {
        j.good(capture.shows("programs or drivers are listed"));
        listed = true;
        for product in foreign_products(&capture.value.data) {
            not_read(j, &product);
        }
    }
    if !listed {
        j.missing(
            &Unknown { what: "list of security products".to_owned(), reason: None },
            collect::SECURITY_PRODUCTS,
        );
    }
}

/// A product of somebody else is there, and what it blocked is not known.
fn not_read(j: &Judgement, product: &str) {
    j.missing(
        &Unknown { what: format!("log of {product}"), reason: None },
        "the product's own log or console: look for the two plug-ins and backgroundTaskHost.exe",
    );
}

/// Security products of somebody else in a list of drivers, filters or programs, by their altitude or their names.
fn foreign_products(data: &CaptureData) -> Vec<String> {
    let by_driver = |name: &str| products::by_driver(name).map(|product| product.name.to_owned());
    match data {
        CaptureData::Drivers(data) => {
            let drivers = data.drivers.iter().filter_map(|driver| by_driver(&driver.module));
            let scanners = data.filters.iter().filter_map(|filter| {
                let scans = filter.altitude.split('.').next().and_then(|whole| whole.parse().ok());
                let scans = scans.is_some_and(|altitude: u32| SCANNING.contains(&altitude));
                let foreign = scans && !OWN.contains(&filter.name.to_lowercase().as_str());
                by_driver(&filter.name)
                    .or(foreign.then(|| format!("the security product with the driver {}", filter.name)))
            });
            drivers.chain(scanners).collect()
        }
        CaptureData::Tasklist(data) => {
            let named = data.processes.iter().filter_map(|process| products::by_program(&process.name));
            named.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            &format!(
                "In the product that blocks, allow C:\\Windows\\SystemApps\\{BROKER_PLUGIN} and C:\\Windows\\SystemApps\\{EXPERIENCE_HOST}"
            ),
            &format!(
                "Allow %LOCALAPPDATA%\\Packages\\{BROKER_PLUGIN} and %LOCALAPPDATA%\\Packages\\{EXPERIENCE_HOST}"
            ),
            "Allow C:\\Windows\\System32\\backgroundTaskHost.exe and %LOCALAPPDATA%\\Microsoft\\TokenBroker, OneAuth and IdentityCache",
            "AppLocker: a packaged-app rule that allows apps signed by Microsoft Windows (Get-AppLockerPolicy -Effective -Xml shows the rules).",
            "If the identity provider's page is http: switch it to https there.",
        ],
        "Do not make exclusions wider than these. Switching protection off is a test of a few minutes only: turn it on again.",
        "Take the exclusions back in the product.",
        "Sign in again: no new block is recorded, and AppLocker records 8020 for the package.",
        &[EXCLUSIONS_ARTICLE, ARTICLE_NETWORK],
    )
}

#[cfg(test)]
mod tests {
    use super::{Target, target};

    #[test]
    fn what_must_not_be_blocked() {
        // domain.md 5.5 broker-plugin-blocked and the package text of a real record (section 11).
        let is = |text: &str| target(text).map(|target| target == Target::Plugin);
        assert_eq!(is("MICROSOFT.AAD.BROKERPLUGIN"), Some(true));
        assert_eq!(
            is(
                r"\Device\HarddiskVolume3\Windows\SystemApps\Microsoft.Windows.CloudExperienceHost_cw5n1h2txyewy\CloudExperienceHostBroker.exe"
            ),
            Some(true)
        );
        assert_eq!(is(r"C:\Users\u\AppData\Local\Microsoft\OneAuth\accounts"), Some(true));
        assert_eq!(is(r"%SYSTEM32%\BACKGROUNDTASKHOST.EXE"), Some(false));
        assert_eq!(is(r"C:\Users\u\Downloads\tool.exe"), None);
    }
}
