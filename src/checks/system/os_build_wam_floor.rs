//! Windows is older than the sign-in of Office needs.
//!
//! # What it looks at
//! Build and revision of Windows, and errors of the broker (AAD 1098) in the failure window.
//!
//! # Why it blocks activation
//! From build 15000 on Office signs in through the Web Account Manager. Its early builds have faults that were mended by updates: version
//! 1703 needs 15063.1112, 1709 needs 16299.461, 1803 needs 17134.677; 1809 and later are good as they came.
//!
//! # Fix
//! Install the current updates of Windows and restart.
//!
//! # Verify
//! `winver` shows the new build; no new AAD 1098 appears.
//!
//! # When this is wrong
//! Below build 15000 Office does not use the Web Account Manager, so this is not its problem. A 1098 counts only when it reports a
//! failure (first digit C) that the table of codes knows and that is neither a prompt nor of the network class.
//!
//! # Sources
//! domain.md 5.2 `os-build-wam-floor`, 6.3; decision 23 of section 13; R34 of section 14.

use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Judgement;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::{Confidence, Sourced, Unknown};

/// Office uses the Web Account Manager on builds above this one.
const WAM: u32 = 15_000;
/// First build whose first release is good: version 1809.
const GOOD: u32 = 17_763;
/// Lowest good revision of the builds between: version, build, revision.
const FLOORS: [(&str, u32, u32); 3] = [("1703", 15_063, 1112), ("1709", 16_299, 461), ("1803", 17_134, 677)];
/// The main record of a failed sign-in.
const FAILED: u32 = 1098;

/// The check.
pub const CHECK: Check = Check {
    id: "os-build-wam-floor",
    title: "Windows is older than the sign-in of Office needs",
    layer: Layer::System,
    article: Article::Network("Update Windows"),
    wants: &[signals::BROKER],
    healthy: "The build of Windows is good for the sign-in of Office.",
    source_text: include_str!("os_build_wam_floor.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let Some(build) = &case.os().build else {
        j.missing(&case.os().unknown(), collect::OS_BUILD);
        return;
    };
    let revision = case.os().ubr;
    let shown = match revision {
        Some(revision) => format!("build {}.{revision}", build.value),
        None => format!("build {}", build.value),
    };
    let seen = build.shows(shown.clone());
    if build.value <= WAM {
        j.note("Office signs in by the older way (ADAL) on this build, not through the Web Account Manager; os-support-lifecycle says more.");
        j.good(seen);
        return;
    }
    if build.value >= GOOD {
        j.good(seen);
        return;
    }
    let floor = FLOORS.iter().find(|(_, number, _)| *number == build.value);
    let wanted = match (floor, revision) {
        (Some((_, _, lowest)), Some(revision)) if revision >= *lowest => {
            j.good(seen);
            return;
        }
        (Some(_), None) => {
            let what = "revision of Windows (UBR)".to_owned();
            j.missing(&Unknown { what, reason: None }, collect::OS_BUILD);
            return;
        }
        (Some((version, number, lowest)), Some(_)) => {
            format!("{number}.{lowest} or later (version {version})")
        }
        // A preview build between two releases.
        (None, _) => format!("{GOOD} or later"),
    };
    let seen = seen.expected(wanted);
    match counted(case) {
        Some(error) => j.blocker(
            Confidence::Medium,
            format!("Windows {shown} has known faults in the Web Account Manager, and sign-in errors are recorded."),
            [seen, event_seen(&error, signals::FIELDS)],
        ),
        None => j.warning(
            Confidence::Medium,
            format!("Windows {shown} is below the recommended build for the sign-in of Office."),
            [seen],
        ),
    }
}

/// The newest 1098 of the window that counts (decision 23).
fn counted<'e>(case: &Case<'e>) -> Option<Sourced<&'e Event>> {
    let counts = |event: &Sourced<&Event>| {
        let code = signals::code_of(event.value);
        event.value.event_id == FAILED
            && code.is_some_and(|code| {
                code.value() >> 28 == 0xc
                    && !signals::is_prompt(code)
                    && !signals::is_network(code)
                    && signals::is_broker_failure(code)
            })
    };
    case.events(signals::BROKER).into_iter().rfind(counts)
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Settings > Update & Security > Windows Update > Check for updates: install everything, restart, and repeat until nothing is left.",
            "If the version itself is out of support, move to a current version of Windows 10 or 11.",
        ],
        "A new version of Windows takes time and a restart: back up first.",
        "Settings > Recovery > Go back, within the days that Windows offers it.",
        "winver shows 17763 or later (or the revision named above); then sign in to Office again.",
        &[
            ARTICLE_NETWORK,
            "https://learn.microsoft.com/microsoft-365/troubleshoot/authentication/connection-issue-when-sign-in-office-2016",
        ],
    )
}
