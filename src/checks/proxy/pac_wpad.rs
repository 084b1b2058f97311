//! A proxy script is named that cannot be had or does not run.
//!
//! # What it looks at
//! Scripts that are named or were detected: in the affected user's connection blob and `AutoConfigURL`, in the machine's where policy makes
//! them count, in `show advproxy`. Start type of `WinHttpAutoProxySvc`. WinHTTP's events on scripts (off by default), those of device
//! registration, sign-in errors 12166, 12167, 12176 and 12177, and name queries for the script's host.
//!
//! # Why it blocks activation
//! A stack that is told to ask a script and cannot get it either waits for its time-outs or gets no proxy at all. Where the only way out is the
//! proxy, sign-in and licensing fail.
//!
//! # Fix
//! Make the script available to the machine (also to SYSTEM), correct its address, or take it out of the settings. A script may also send the
//! required addresses direct.
//!
//! # Verify
//! The script opens in a browser of the machine as text, and activation gets further.
//!
//! # When this is wrong
//! Auto-detection that finds nothing (12180, WinHTTP 808) is normal on networks without WPAD: it is direct. DNS client 1014 for `wpad` is
//! noise. A script that was found by auto-detection may be of another network and of years ago: with the service disabled it is a warning. That
//! WinHTTP ignores scripts from `file:` is from practice. The script is not run here: what it answers is not judged.
//!
//! # Sources
//! domain.md 5.3 `proxy-pac-wpad`; decision 5; R21 of section 14; trap 5.

use super::address::{host_of, host_of_url, is_file_url, mask_url};
use super::settings::{INTERNET_SETTINGS, Internet, MACHINE_SETTINGS, Route, Scope, scope};
use super::{REGISTRATION, egress, proof, winhttp};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::services::{DISABLED, Service, start_seen};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced};

/// WinHTTP's search for a proxy. The channel is off by default.
const WINHTTP: Want = Want {
    provider: "Microsoft-Windows-WinHttp",
    ids: &[804, 806, 807, 808, 810, 811, 812, 814, 815],
    channels: &["Microsoft-Windows-WinHttp/Diagnostic"],
};
/// A script was found, fetched, or answered.
const WORKED: [u32; 3] = [806, 810, 814];
/// A script was not fetched, is of the wrong type, or gave no answer.
const FAILED: [u32; 3] = [811, 812, 815];
/// WPAD found nothing: normal where there is no WPAD.
const NOTHING_DETECTED: u32 = 12_180;
/// A script that is faulty, not to be had, of the wrong type, or failed while it ran.
const SCRIPT_ERRORS: [u32; 4] = [12_166, 12_167, 12_176, 12_177];
/// From this build on the auto-proxy service also carries manual proxies (R21).
const SERVICE_CARRIES_ALL: u32 = 16_299;
const SERVICE: &str = "WinHttpAutoProxySvc";

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-pac-wpad",
    title: "A proxy script cannot be had or does not run",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[WINHTTP, REGISTRATION, super::TRANSFERS],
    healthy: "No proxy script is in use, or it is known to work.",
    source_text: include_str!("pac_wpad.rs"),
    run,
    remedy,
};

/// One place that sends a stack to a script, or not.
struct Place {
    route: Route,
    seen: Observation,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let (places, complete) = places(case, j);
    let scripts: Vec<&Place> = places.iter().filter(|place| place.route.script.is_some()).collect();
    for place in &scripts {
        if let Some(url) = place.route.script.as_deref().filter(|url| is_file_url(url)) {
            j.warning(
                Confidence::Low,
                format!(
                    "The proxy script is a file ({url}): WinHTTP and newer programs are said to ignore those."
                ),
                [place.seen.clone()],
            );
        }
    }
    let detect = places.iter().any(|place| place.route.detect);
    let (failures, worked) = recorded(case, j, !complete || detect || !scripts.is_empty());
    let worked = worked.or_else(|| transfer_by_script(case, &places));
    service(case, j, &places);
    let failed = judge_failures(case, j, &scripts, failures, worked.is_some());
    match (scripts.first(), worked) {
        (Some(script), Some(proof)) if !failed => {
            j.good(script.seen.clone());
            j.good(proof);
        }
        (Some(script), None) if !failed => {
            let url = script.route.script.clone().unwrap_or_default();
            j.warning(
                Confidence::Medium,
                format!("The proxy script {url} is in use; nothing collected shows whether it works."),
                [script.seen.clone()],
            );
        }
        (Some(_), _) => {}
        (None, _) => {
            if detect {
                j.note("Auto-detection is on and found no script: that is a direct connection.");
            }
            places.iter().for_each(|place| j.good(place.seen.clone()));
        }
    }
}

/// The settings in force: the affected user's, or the machine's where policy says so, and WinHTTP's own. The flag says whether all of them
/// could be read.
fn places(case: &Case<'_>, j: &Judgement) -> (Vec<Place>, bool) {
    let mut found = Vec::new();
    let scope = scope(case);
    if let Scope::Unknown(unknown) = &scope {
        j.missing(unknown, collect::SOFTWARE);
    }
    let mut complete = !matches!(scope, Scope::Unknown(_));
    if matches!(scope, Scope::Machine(_) | Scope::Both(_)) {
        let place = place(case, j, MACHINE_SETTINGS, collect::SOFTWARE);
        complete &= place.is_some();
        found.extend(place);
    }
    if !matches!(scope, Scope::Machine(_)) {
        let user = j.need(case.evidence.users.affected(), collect::USER);
        let place = user.found().and_then(|user| {
            let mut place = place(case, j, &user.value.path(INTERNET_SETTINGS), collect::USER)?;
            place.seen.doubts.extend(user.source.doubts.iter().cloned());
            Some(place)
        });
        complete &= place.is_some();
        found.extend(place);
    }
    // WinHTTP has a script of its own only by "set advproxy": proxy-winhttp asks for what is missing of it.
    found.extend(winhttp::route(case).ok().map(|setting| Place { route: setting.route, seen: setting.seen }));
    (found, complete)
}

fn place(case: &Case<'_>, j: &Judgement, key: &str, collect: &str) -> Option<Place> {
    match Internet::read(case, key) {
        Ok(internet) => {
            if let Some(unknown) = &internet.unread_blob {
                j.missing(unknown, collect);
            }
            Some(Place { route: internet.route, seen: internet.seen })
        }
        Err(unknown) => {
            j.missing(&unknown, collect);
            None
        }
    }
}

/// Whether a record reports that a script failed. WPAD that found nothing is no failure.
fn is_failure(event: &Event) -> bool {
    let code = ["Error", "dwError", "ErrorCode", "Result", "hr", "errorCode"]
        .iter()
        .find_map(|name| event.field(name))
        .and_then(ErrorCode::parse);
    let number = code.and_then(ErrorCode::win32);
    if number == Some(NOTHING_DETECTED) {
        return false;
    }
    match event.provider.eq_ignore_ascii_case(WINHTTP.provider) {
        true => FAILED.contains(&event.event_id),
        false if event.provider.eq_ignore_ascii_case(REGISTRATION.provider) => {
            matches!(event.event_id, 340 | 341)
                || number.is_some_and(|number| SCRIPT_ERRORS.contains(&number))
        }
        false => number.is_some_and(|number| SCRIPT_ERRORS.contains(&number)),
    }
}

/// Failures after which nothing worked, and the newest record that a script worked. Failures that are over become a note.
fn recorded<'e>(
    case: &Case<'e>,
    j: &Judgement,
    may_be_in_use: bool,
) -> (Vec<Sourced<&'e Event>>, Option<Observation>) {
    let mut all: Vec<Sourced<&Event>> =
        [WINHTTP, REGISTRATION].into_iter().flat_map(|want| case.events(want)).collect();
    all.extend(signals::ALL.iter().flat_map(|want| case.events(*want)));
    all.sort_by_key(|event| (event.value.time, event.value.record_id, event.source.artifact));
    let worked = all.iter().rev().find(|event| {
        let (event, winhttp) = (event.value, event.value.provider.eq_ignore_ascii_case(WINHTTP.provider));
        (winhttp && WORKED.contains(&event.event_id))
            || (event.provider.eq_ignore_ascii_case(REGISTRATION.provider) && event.event_id == 338)
    });
    let nothing = all.iter().any(|event| matches!(event.value.event_id, 808 | 336));
    if nothing {
        j.note("Auto-detection found no script on this network.");
    }
    let mut failures: Vec<Sourced<&Event>> =
        all.iter().filter(|event| is_failure(event.value)).cloned().collect();
    let newest = failures.last().map(|event| event.value.time);
    let repaired = worked.is_some_and(|good| newest.is_some_and(|bad| good.value.time > bad));
    if repaired {
        j.note("A proxy script failed inside the failure window and worked later: was, now repaired.");
        failures.clear();
    } else if !failures.is_empty() && !may_be_in_use {
        j.note("A proxy script failed inside the failure window, but no script is in use now: was, now repaired.");
        failures.clear();
    }
    let fields = ["ConfigurationURL", "URL", "ProxyString", "ProxyCount"];
    (failures, worked.map(|event| event_seen(event, &fields)))
}

/// The newest transfer that succeeded through a proxy that nobody named by hand: the script gave it.
fn transfer_by_script(case: &Case<'_>, places: &[Place]) -> Option<Observation> {
    let named: Vec<String> =
        places.iter().filter_map(|place| place.route.proxy.as_deref().map(host_of)).collect();
    let transfers = case.events(super::TRANSFERS);
    let newest = transfers.iter().rev().find(|event| !proof::used_by(event.value).is_empty())?;
    let by_script = proof::succeeded(newest.value) == Some(true)
        && !named.contains(&host_of(proof::used_by(newest.value)));
    by_script.then(|| event_seen(newest, &["proxy", "hr"]))
}

/// Failures and names that do not resolve. True when there was one.
fn judge_failures(
    case: &Case<'_>,
    j: &Judgement,
    scripts: &[&Place],
    failures: Vec<Sourced<&Event>>,
    worked: bool,
) -> bool {
    let mut rows: Vec<(String, Vec<Observation>)> = Vec::new();
    if let Some(event) = failures.last() {
        let mut evidence: Vec<Observation> = scripts.iter().map(|place| place.seen.clone()).collect();
        let fields = ["ConfigurationURL", "URL", "Error", "Result", "dwError", "ErrorCode", "hr"];
        let mut seen = event_seen(event, &fields);
        seen.observed = mask_url_in(&seen.observed);
        evidence.push(seen);
        rows.push((
            format!(
                "A proxy script could not be had or run ({} time(s) in the failure window).",
                failures.len()
            ),
            evidence,
        ));
    }
    for place in scripts {
        let Some(url) = place.route.script.as_deref() else { continue };
        let host = host_of_url(url).filter(|_| !is_file_url(url));
        if let Some(proof::Name::Fails(query)) =
            host.as_deref().filter(|_| !worked).map(|host| proof::name(case, host))
        {
            let summary = format!("The host of the proxy script {url} does not resolve.");
            rows.push((summary, vec![place.seen.clone(), query]));
        }
    }
    if rows.is_empty() {
        return false;
    }
    let egress = egress::direct(case);
    for (summary, mut evidence) in rows {
        let status = if egress.closed.is_empty() { Status::Warning } else { Status::Blocker };
        evidence.extend(egress.closed.iter().cloned());
        let summary = match status {
            Status::Blocker => format!("{summary} The direct way out is closed as well."),
            _ => summary,
        };
        j.row(status, Confidence::High, summary, evidence);
    }
    true
}

/// The observed text without the queries of addresses.
fn mask_url_in(text: &str) -> String {
    text.split(", ")
        .map(|part| match part.split_once('=') {
            Some((name, value)) if value.contains("://") => format!("{name}={}", mask_url(value)),
            _ => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// R21: what a disabled auto-proxy service means depends on who needs it.
fn service(case: &Case<'_>, j: &Judgement, places: &[Place]) {
    let Lookup::Found(start) = Service::read(case, SERVICE).start else { return };
    if start.value != DISABLED {
        return;
    }
    let seen = start_seen(&start).expected("3 (manual)");
    let scripts = || places.iter().filter(|place| place.route.script.is_some());
    if let Some(place) = scripts().find(|place| !place.route.detected) {
        j.blocker(
            Confidence::High,
            "The service that runs proxy scripts (WinHttpAutoProxySvc) is disabled, and a script is in use.",
            [seen, place.seen.clone()],
        );
        return;
    }
    if let Some(place) = scripts().next() {
        // The tail of a blob keeps what was found once, on whatever network (domain.md 6.6): it decides nothing.
        let when = place.route.detected_at.map(|at| format!(" on {}", at.date())).unwrap_or_default();
        j.warning(
            Confidence::Medium,
            format!("WinHttpAutoProxySvc is disabled, and auto-detection found a script{when}: it cannot find one again."),
            [seen.clone(), place.seen.clone()],
        );
    }
    let manual = places.iter().find(|place| place.route.proxy.is_some());
    let build = case.os().build_number();
    match (manual, build) {
        (Some(place), Some(build)) if build >= SERVICE_CARRIES_ALL => {
            let mut evidence = vec![seen, place.seen.clone()];
            let errors = signals::network_errors(case);
            let status = if errors.is_empty() { Status::Warning } else { Status::Blocker };
            evidence.extend(errors.last().map(|error| event_seen(error, signals::FIELDS)));
            let summary = "WinHttpAutoProxySvc is disabled; since Windows 10 1709 it also carries the manual proxy that is set.";
            j.row(status, Confidence::Medium, summary.to_owned(), evidence);
        }
        (Some(_), None) => {
            j.note("WinHttpAutoProxySvc is disabled; whether this Windows needs it for the manual proxy is not known.");
            j.missing(&case.os().unknown(), collect::OS_BUILD);
        }
        _ if scripts().next().is_some() => {}
        _ => j.note(
            "WinHttpAutoProxySvc is disabled, as hardening guides ask; no script or proxy needs it here.",
        ),
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut steps = vec![
        "Open the script's address in a browser of the machine: it must be reachable without signing in, and be JavaScript text.".to_owned(),
        "Correct its address, its DNS name or its web server (MIME type application/x-ns-proxy-autoconfig).".to_owned(),
        "If the site has no script any more: Settings > Network & internet > Proxy, switch \"Use setup script\" off (or the policy that sets it)."
            .to_owned(),
        "A script may also send the required addresses direct: return \"DIRECT\" for them.".to_owned(),
    ];
    let start = Service::read(case, SERVICE).start;
    if start.found().is_some_and(|start| start.value == DISABLED) {
        steps.insert(
            0,
            format!("reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\{SERVICE} /v Start /t REG_DWORD /d 3 /f, then restart."),
        );
    }
    Remedy {
        steps,
        caution: "A script serves many machines: agree changes with whoever runs it, and keep the old text.".to_owned(),
        rollback: "Put the old script or the old address back; for the service, the old Start value.".to_owned(),
        verify: "The script opens as text, then try activation again; with WinHttp/Diagnostic switched on, event 810 or 814 appears."
            .to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
