//! Windows is not kept up to date.
//!
//! # What it looks at
//! The list of installed updates with its dates; WindowsUpdateClient 19 (installed), 20, 25 and 31 (failed); the keys that mark a pending
//! restart against the newest boot; the policy that sends the machine to an update server of the site (WSUS).
//!
//! # Why it blocks activation
//! It does not by itself. Old Windows lacks protocols, roots and mended faults that activation needs; a pending restart means that a remedy
//! is not in effect yet; updates that fail with network codes show the same network fault from another side.
//!
//! # Fix
//! Check for updates, install them, restart.
//!
//! # Verify
//! The list names an update of this month and no restart is pending.
//!
//! # When this is wrong
//! `PendingFileRenameOperations` alone says nothing: installers leave it behind. A restart is pending only if its key is younger than the
//! newest boot. On Windows 8.1 and older, missing updates are a matter of support and a note here. Definitions of Defender come daily and
//! are no Windows update. It is never a blocker.
//!
//! # Sources
//! domain.md 5.2 `windows-update-health`; R5 and R29 of section 14; Windows Update error code reference.

use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::{Coverage, Want};
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Lookup, Sourced, Unknown, captures};
use crate::time::FileTime;

const PROVIDER: &str = "Microsoft-Windows-WindowsUpdateClient";
const OPERATIONAL: &str = "Microsoft-Windows-WindowsUpdateClient/Operational";
/// An update was installed.
const INSTALLED: Want = Want { provider: PROVIDER, ids: &[19], channels: &["System"] };
/// An installation, a search or a download failed.
const FAILED: Want = Want { provider: PROVIDER, ids: &[20, 25, 31], channels: &["System", OPERATIONAL] };
/// Boots.
const BOOTS: [Want; 2] = [
    Want { provider: "EventLog", ids: &[6005], channels: &["System"] },
    Want { provider: "Microsoft-Windows-Kernel-General", ids: &[12], channels: &["System"] },
];

/// Keys that exist while a restart is pending.
pub const RESTART: [&str; 2] = [
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
];
const SESSION_MANAGER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager";
const WSUS: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate";

/// Twelve months.
const OLD_SECONDS: i64 = 365 * 86_400;
/// Definitions and tools that come as updates on their own: Defender definitions, Defender platform, malicious software removal tool,
/// Security Essentials.
const NO_WINDOWS_UPDATE: [u32; 4] = [2_267_602, 4_052_623, 890_830, 2_310_138];
/// Network codes of Windows Update itself: endpoint unreachable, name not resolved, and HTTP 403, 407, 408, 500, 502, 503, 504.
const NETWORK: [u32; 9] = [
    0x8024_0438,
    0x8024_402c,
    0x8024_4018,
    0x8024_401b,
    0x8024_401c,
    0x8024_401f,
    0x8024_4021,
    0x8024_4022,
    0x8024_4023,
];
/// So many failures are no accident.
const REPEATED: usize = 2;

/// The check.
pub const CHECK: Check = Check {
    id: "windows-update-health",
    title: "Windows is not kept up to date",
    layer: Layer::System,
    article: Article::Network("Update Windows"),
    wants: &[INSTALLED, FAILED, BOOTS[0], BOOTS[1]],
    healthy: "Windows is updated regularly and no restart is pending.",
    source_text: include_str!("windows_update_health.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    recency(case, j);
    failures(case, j);
    restart(case, j);
    update_server(case, j);
}

/// An update with its day.
struct Update {
    time: FileTime,
    seen: Observation,
}

fn recency(case: &Case<'_>, j: &Judgement) {
    let newest = listed(case).into_iter().chain(recorded(case)).max_by_key(|update| update.time);
    let (Some(newest), Some(window)) = (newest, case.window()) else {
        let unknown =
            case.evidence.captures.ask(CaptureKind::Hotfixes, "list of installed updates with dates");
        let what = "list of installed updates with dates".to_owned();
        match unknown {
            Lookup::Unknown(unknown) => j.missing(&unknown, collect::HOTFIXES),
            _ => {
                let reason = Some("no date in it is certain".to_owned());
                j.missing(&Unknown { what, reason }, collect::HOTFIXES);
            }
        }
        return;
    };
    let old = window.to.seconds_since(newest.time) > OLD_SECONDS;
    match case.os().generation() {
        Some(generation) if old && generation <= Generation::EightOne => {
            j.note(format!(
                "The newest installed update is of {}: this Windows gets no more; os-support-lifecycle says it.",
                newest.time.date()
            ));
            j.good(newest.seen);
        }
        _ if old => {
            let summary = format!(
                "The newest installed update is of {}, more than twelve months before the collection.",
                newest.time.date()
            );
            j.warning(
                Confidence::Medium,
                summary,
                [newest.seen.expected("an update of the last twelve months")],
            );
        }
        _ => j.good(newest.seen),
    }
}

/// The newest update of each collected list.
fn listed(case: &Case<'_>) -> Vec<Update> {
    let newest = |capture: Sourced<&crate::artifact::capture::Capture>| {
        let CaptureData::Hotfixes(data) = &capture.value.data else { return None };
        let fix = data.newest()?;
        let time = fix.installed?;
        let seen =
            captures::line(capture.source.artifact, fix.line).shows(format!("{} of {}", fix.id, time.date()));
        Some(Update { time, seen })
    };
    case.captures(CaptureKind::Hotfixes).into_iter().filter_map(newest).collect()
}

/// The newest recorded installation of an update of Windows.
fn recorded(case: &Case<'_>) -> Option<Update> {
    let events = case.evidence.events.of(INSTALLED);
    let event = events.iter().rfind(|event| is_windows_update(event.value))?;
    Some(Update { time: event.value.time, seen: event_seen(event, &["updateTitle"]) })
}

/// Whether the title names a KB article that is no definition update. Titles are localised; the numbers are not.
fn is_windows_update(event: &Event) -> bool {
    let title = event.field("updateTitle").unwrap_or_default();
    let number = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    };
    let mut numbers = title.split("KB").skip(1).filter_map(number);
    numbers.any(|kb| !NO_WINDOWS_UPDATE.contains(&kb))
}

fn failures(case: &Case<'_>, j: &Judgement) {
    for (channel, collect) in [("System", collect::SYSTEM_LOG), (OPERATIONAL, collect::UPDATE_LOG)] {
        let log = |reason: Option<String>| Unknown { what: format!("event log {channel}"), reason };
        match case.window().map(|window| case.evidence.events.coverage(&[channel], window)) {
            Some(Coverage::Whole(_)) => {}
            Some(Coverage::Short(_, reason)) => j.missing(&log(Some(reason)), collect),
            Some(Coverage::None) | None => j.missing(&log(None), collect),
        }
    }
    let (network, other): (Vec<_>, Vec<_>) = case
        .events(FAILED)
        .into_iter()
        .filter(|event| !signals::is_disconnected_at(case, event.value.time))
        .partition(|event| signals::code_of(event.value).is_some_and(is_network_code));
    if let Some(last) = other.last() {
        let code = signals::code_of(last.value).map(|code| code.to_string()).unwrap_or_default();
        j.note(format!(
            "{} update(s) failed with codes that are not about the network, last {code}.",
            other.len()
        ));
    }
    let Some(last) = network.last() else { return };
    let success = case.events(INSTALLED).pop().filter(|event| event.value.time > last.value.time);
    if let Some(success) = success {
        j.note(format!(
            "Windows Update failed with a network code until {} and installed an update at {}: was, now repaired.",
            last.value.time, success.value.time
        ));
    } else if network.len() >= REPEATED {
        let summary = format!("Windows Update failed {} times with network codes.", network.len());
        let seen = network.iter().rev().take(3).map(|event| event_seen(event, signals::FIELDS)).collect();
        j.row(Status::Warning, Confidence::Medium, summary, seen);
    } else {
        j.note(format!("Windows Update failed once with a network code, at {}.", last.value.time));
    }
}

/// Transport errors of WinHTTP and Windows Update's own codes for the same.
pub fn is_network_code(code: ErrorCode) -> bool {
    let transport = matches!(code.value(), 0x8007_2ee0..=0x8007_2fff);
    transport || signals::is_network(code) || NETWORK.contains(&code.value())
}

/// A restart is pending when its key was written after the newest boot (R5).
fn restart(case: &Case<'_>, j: &Judgement) {
    let booted =
        BOOTS.iter().flat_map(|want| case.evidence.events.of(*want)).map(|event| event.value.time).max();
    for path in RESTART {
        let key = match j.need(case.evidence.registry.key(path), collect::SOFTWARE) {
            Lookup::Found(key) => key,
            Lookup::Absent(source) => {
                j.good(source.shows("no restart pending"));
                continue;
            }
            Lookup::Unknown(_) => continue,
        };
        match (key.value.last_written, booted) {
            (Some(written), Some(booted)) if written > booted => j.warning(
                Confidence::Medium,
                "A restart is pending: updates and remedies that need one are not in effect yet.",
                [key.shows(format!("written {written}, newest boot {booted}"))
                    .expected("the key is not there")],
            ),
            (Some(written), Some(booted)) => {
                j.note(format!("A mark of a pending restart is older ({written}) than the newest boot ({booted}): left behind."));
            }
            (_, None) => {
                let reason = Some(
                    "the mark of a pending restart is there, but no boot is recorded to compare with"
                        .to_owned(),
                );
                j.missing(
                    &Unknown { what: "time of the newest boot".to_owned(), reason },
                    collect::SYSTEM_LOG,
                );
            }
            (None, Some(_)) => {
                let reason = Some(
                    "the mark of a pending restart is there, but an export does not say since when"
                        .to_owned(),
                );
                j.missing(&Unknown { what: "SOFTWARE hive".to_owned(), reason }, collect::SOFTWARE);
            }
        }
    }
    let renames = case.value(SESSION_MANAGER, "PendingFileRenameOperations");
    if renames.found().is_some_and(|value| value.value.as_list().is_some_and(|list| !list.is_empty())) {
        j.note("PendingFileRenameOperations is filled, as installers leave it: it does not count as a pending restart.");
    }
}

fn update_server(case: &Case<'_>, j: &Judgement) {
    let on = |path: &str, name: &str| {
        case.value(path, name)
            .found()
            .and_then(|value| value.value.as_u32())
            .is_some_and(|number| number != 0)
    };
    let server = case.value(WSUS, "WUServer");
    let server = server.found().and_then(|value| value.value.as_text()).filter(|text| !text.is_empty());
    let Some(server) = server.filter(|_| on(&format!(r"{WSUS}\AU"), "UseWUServer")) else { return };
    j.note(format!("Updates come from a server of the site ({server}), which may withhold them."));
    if on(WSUS, "DoNotConnectToWindowsUpdateInternetLocations") {
        j.note("A policy keeps Windows Update from the internet: root certificates and Store apps are not updated either.");
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Restart the machine if a restart is pending, then look again.",
            "Settings > Windows Update > Check for updates: install everything and restart.",
            "If updates fail with network codes, act on the proxy and firewall findings first: Windows Update uses the proxy of services (netsh winhttp show proxy).",
            "If services do not start afterwards: sfc /scannow (elevated), then restart.",
        ],
        "Updates need a restart and time. Where a server of the site hands them out, ask who runs it.",
        "Settings > Windows Update > Update history > Uninstall updates.",
        "Get-HotFix names an update of this month; then try activation again.",
        &[ARTICLE_NETWORK],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_codes_of_windows_update() {
        // domain.md 5.2: 0x80072EExx, 0x8024402C …
        for text in ["0x80072EE2", "0x80072EFD", "0x80072F8F", "0x8024402C", "2149859372"] {
            assert!(is_network_code(ErrorCode::parse(text).unwrap()), "{text}");
        }
        // 0x80240017 (not applicable), 0x80073D02 (in use): seen on ordinary machines.
        for text in ["0x80240017", "0x80073D02", "0x800F0922"] {
            assert!(!is_network_code(ErrorCode::parse(text).unwrap()), "{text}");
        }
    }
}
