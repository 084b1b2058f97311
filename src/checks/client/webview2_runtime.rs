//! The WebView2 runtime is missing, or policy keeps it out.
//!
//! # What it looks at
//! `pv`, the installed version, below `EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}` in both views of the SOFTWARE hive and in
//! every collected user hive; the policies `Install{…}` and `Update{…}` of EdgeUpdate; hangs of the sign-in window.
//!
//! # Why it blocks activation
//! Newer Office shows parts of its windows with WebView2. Without it such a window can stay blank. Licensing itself does not need it, so this
//! is never the root of an activation failure by itself.
//!
//! # Fix
//! Install the Evergreen runtime, or let policy allow it.
//!
//! # Verify
//! `reg query` shows `pv` with a version, and the window is not blank any more.
//!
//! # When this is wrong
//! On Windows 11 the runtime is part of the system: a missing entry is a note. On Windows 10 it is a note too, as long as no sign-in window is
//! known to have hung. A per-user installation is written to the user's hive; a 32-bit Windows has one view only. `pv` of 0.0.0.0 means that
//! it was removed.
//!
//! # Sources
//! domain.md 5.13 `webview2-runtime`; R12 and R54 of section 14.

use crate::artifact::value::RegValue;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Lookup};

const CLIENT: &str = r"Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
const VERSION: &str = "pv";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\EdgeUpdate";
const INSTALL: &str = "Install{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
const UPDATE: &str = "Update{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";

/// Programs that stopped answering; the first item is the program.
const HANGS: Want = Want { provider: "Application Hang", ids: &[1002], channels: &["Application"] };
/// Programs that show the sign-in window.
const SIGN_IN_WINDOWS: [&str; 3] =
    ["Microsoft.AAD.BrokerPlugin.exe", "msedgewebview2.exe", "Microsoft.CredDialogHost.exe"];

/// The check.
pub const CHECK: Check = Check {
    id: "webview2-runtime",
    title: "The WebView2 runtime is missing",
    layer: Layer::System,
    article: Article::Network("Reset Microsoft Edge"),
    wants: &[HANGS],
    healthy: "The WebView2 runtime is there, or nothing shows that it is missed.",
    source_text: include_str!("webview2_runtime.rs"),
    run,
    remedy,
};

/// Whether a version says that the runtime is installed.
fn is_installed(value: &RegValue) -> bool {
    value.as_text().is_some_and(|text| !matches!(text.trim(), "" | "0.0.0.0"))
}

fn run(case: &Case<'_>, j: &Judgement) {
    let places = places(case, j);
    let installed =
        places.iter().find_map(|answer| answer.found().filter(|value| is_installed(&value.value)));
    policy(case, j, installed.is_some());
    if let Some(value) = installed {
        j.good(value_seen(value));
        return;
    }
    let mut unknown = false;
    let mut absent: Vec<Observation> = Vec::new();
    for answer in &places {
        match answer {
            Lookup::Found(value) => absent.push(value_seen(value)),
            Lookup::Absent(source) => absent.push(source.shows("not installed")),
            Lookup::Unknown(missing) => {
                let command = if missing.what.contains("NTUSER") { collect::USER } else { collect::SOFTWARE };
                j.missing(missing, command);
                unknown = true;
            }
        }
    }
    if !unknown {
        not_installed(case, j, absent);
    }
}

/// All places where an installation is written.
fn places(case: &Case<'_>, j: &Judgement) -> Vec<Lookup<RegValue>> {
    let machine = format!(r"HKLM\SOFTWARE\{CLIENT}");
    let mut places = vec![case.value(&machine, VERSION)];
    places.extend(case.second_view(&machine, VERSION));
    let users = &case.evidence.users;
    for user in &users.all {
        places.push(case.value(&user.path(&format!(r"Software\{CLIENT}")), VERSION));
    }
    if users.all.is_empty()
        && let Lookup::Unknown(unknown) = users.affected()
        && places.iter().all(|answer| answer.found().is_none_or(|value| !is_installed(&value.value)))
    {
        j.missing(&unknown, collect::USER);
    }
    places
}

fn not_installed(case: &Case<'_>, j: &Judgement, absent: Vec<Observation>) {
    let Some(generation) = case.need_generation(j) else { return };
    let hang = case.events(HANGS).into_iter().rev().find(|event| {
        let program = event.value.item(0).unwrap_or_default();
        SIGN_IN_WINDOWS.iter().any(|name| name.eq_ignore_ascii_case(program))
    });
    match (generation, hang) {
        (Generation::Ten, Some(hang)) => {
            let mut evidence = absent;
            let program = hang.value.item(0).unwrap_or_default().to_owned();
            evidence.push(
                hang.shows(format!("{}, {program} stopped answering", event_seen(&hang, &[]).observed)),
            );
            let summary = "The WebView2 runtime is not installed, and a sign-in window hung.".to_owned();
            j.row(crate::checks::judgement::Status::Warning, Confidence::Low, summary, evidence);
        }
        (Generation::Eleven, _) => {
            j.note("No entry of the WebView2 runtime; on Windows 11 it is part of the system.");
            absent.into_iter().for_each(|seen| j.good(seen));
        }
        _ => {
            j.note("The WebView2 runtime is not installed. It matters only if a sign-in window stays blank; licensing does not need it.");
            absent.into_iter().for_each(|seen| j.good(seen));
        }
    }
}

/// Policies that keep the runtime out, or at its version.
fn policy(case: &Case<'_>, j: &Judgement, installed: bool) {
    let zero = |name: &str| {
        let answer = case.value(POLICY, name);
        answer.found().filter(|value| value.value.as_u32() == Some(0)).map(value_seen)
    };
    if let Some(seen) = zero(INSTALL) {
        if installed {
            j.note("Policy forbids the installation of the WebView2 runtime; it is there already.");
        } else {
            j.warning(
                Confidence::Medium,
                "Policy forbids the installation of the WebView2 runtime, which newer Office shows windows with.",
                [seen.expected("not set, or 1")],
            );
        }
    }
    if let Some(seen) = zero(UPDATE) {
        j.warning(
            Confidence::Low,
            "Policy stops updates of the WebView2 runtime.",
            [seen.expected("not set, or 1")],
        );
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy {
        steps: vec![
            format!("Where policy keeps it out: reg query \"{POLICY}\", and set \"{INSTALL}\" and \"{UPDATE}\" to Not configured in group policy."),
            "Install the Evergreen WebView2 runtime from https://developer.microsoft.com/microsoft-edge/webview2 (offline installer for machines \
             without internet)."
                .to_owned(),
            "Restart Office and sign in again.".to_owned(),
        ],
        caution: "It cures blank windows, not refused connections: look at the other findings first.".to_owned(),
        rollback: "Settings > Apps > Microsoft Edge WebView2 Runtime > Uninstall.".to_owned(),
        verify: format!(r"reg query HKLM\SOFTWARE\WOW6432Node\{CLIENT} /v {VERSION} shows a version other than 0.0.0.0."),
        references: vec![ARTICLE_NETWORK.to_owned(), "https://learn.microsoft.com/deployoffice/webview2-install".to_owned()],
    }
}
