//! Windows is too old for Microsoft 365 Apps.
//!
//! # What it looks at
//! Build, service pack, product type and product name in the SOFTWARE and SYSTEM hives; `systeminfo`; the boot record 6009 of the System
//! log. Windows 11 is told by its build: its `ProductName` still says "Windows 10". For servers, the date of the collection. Client or server
//! is told by the product type, else by the name, else by a build that only a server has.
//!
//! # Why it blocks activation
//! Windows 7 and Server 2008 R2 without service pack 1 cannot be given TLS 1.2 at all. Other old Windows versions are no longer
//! supported for Microsoft 365 Apps: activation may work, but their defaults (TLS, ciphers, roots) stand in its way.
//!
//! # Fix
//! Install the service pack; better, move to a supported Windows.
//!
//! # Verify
//! `winver` shows the new build.
//!
//! # When this is wrong
//! An unsupported Windows is context for the TLS findings and not by itself the fault: apart from the missing service pack it is never
//! more than a warning. Windows 10 after 2025-10-14 is a note. A build that Windows 10 shares with Server 2016 or 2019, with nothing that
//! tells which it is, is unknown after that day.
//!
//! # Sources
//! domain.md 5.1 `os-support-lifecycle`, 6.3; decision 30; R22 of section 14.

use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{ARTICLE_OLDER_WINDOWS, Article, Check, Layer, Remedy, collect};
use crate::evidence::os::{Edition, Generation};
use crate::evidence::{Confidence, Lookup, Unknown};
use crate::time::FileTime;

/// The check.
pub const CHECK: Check = Check {
    id: "os-support-lifecycle",
    title: "Windows is too old for Microsoft 365 Apps",
    layer: Layer::System,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[],
    healthy: "This Windows is supported for Microsoft 365 Apps.",
    source_text: include_str!("os_support_lifecycle.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let os = case.os();
    let (Some(build), Some(generation)) = (&os.build, os.generation()) else {
        j.missing(&os.unknown(), collect::OS_BUILD);
        return;
    };
    let product = os.product().unwrap_or_else(|| format!("build {}", build.value));
    let seen = build.shows(format!("build {} ({product})", build.value));
    match generation {
        Generation::Vista => j.warning(
            Confidence::High,
            format!("{product} was never supported for Microsoft 365 Apps in their present form."),
            [seen],
        ),
        Generation::Seven => seven(case, j, &product, seen),
        Generation::Eight | Generation::EightOne if os.edition == Some(Edition::Server) => {
            unsupported(j, &product, "2020-01-14", seen)
        }
        // Where a client or a server cannot be told, the later day: it is out of support on either.
        Generation::Eight if os.edition.is_none() => unsupported(j, &product, "2020-01-14", seen),
        Generation::Eight => unsupported(j, &product, "2016-01-12", seen),
        Generation::EightOne => unsupported(j, &product, "2023-01-10", seen),
        Generation::Ten => ten(case, j, &product, build.value, seen),
        Generation::Eleven => j.good(seen),
    }
}

fn unsupported(j: &Judgement, product: &str, since: &str, seen: Observation) {
    let summary = format!("{product} is unsupported for Microsoft 365 Apps since {since}.");
    j.warning(Confidence::High, summary, [seen.expected("Windows 10 or later")]);
}

fn seven(case: &Case<'_>, j: &Judgement, product: &str, seen: Observation) {
    match &case.os().service_pack {
        // 7601 is the build of service pack 1 itself.
        _ if case.os().build_number() == Some(7601) => unsupported(j, product, "2020-01-14", seen),
        Some(Lookup::Found(pack)) if !pack.value.trim().is_empty() => {
            unsupported(j, product, "2020-01-14", seen)
        }
        Some(Lookup::Found(pack)) => no_service_pack(j, product, pack.shows("no service pack"), seen),
        Some(Lookup::Absent(source)) => no_service_pack(j, product, source.shows("no service pack"), seen),
        _ => {
            unsupported(j, product, "2020-01-14", seen);
            let what = "service pack level (CSDVersion)".to_owned();
            j.missing(&Unknown { what, reason: None }, collect::OS_BUILD);
        }
    }
}

fn no_service_pack(j: &Judgement, product: &str, pack: Observation, seen: Observation) {
    let summary = format!("{product} lacks service pack 1: TLS 1.2 cannot be enabled without it.");
    j.blocker(Confidence::High, summary, [pack.expected("Service Pack 1"), seen]);
}

/// Windows 10 and its servers; the end of support of a server is compared with the collection date, not with today (R22).
fn ten(case: &Case<'_>, j: &Judgement, product: &str, build: u32, seen: Observation) {
    let collected = case.window().map(|window| window.to);
    let after = |date: &str| {
        let end = FileTime::parse(&format!("{date}T23:59:59Z"));
        collected.zip(end).is_some_and(|(collected, end)| collected > end)
    };
    match (case.os().edition, build) {
        // Supported as Windows 10, and no longer as the server.
        _ if case.os().is_client_or_server() && after("2025-10-14") => {
            let what = "client or server (SOFTWARE or SYSTEM hive, or systeminfo)".to_owned();
            let reason = Some(format!("build {build} is that of a client and of a server"));
            j.missing(&Unknown { what, reason }, collect::OS_BUILD);
        }
        (Some(Edition::Server), 20_348..) if after("2026-10-13") => {
            unsupported(j, product, "2026-10-13", seen)
        }
        (Some(Edition::Server), ..20_348) if after("2025-10-14") => {
            unsupported(j, product, "2025-10-14", seen)
        }
        (edition, _) => {
            if edition != Some(Edition::Server) && after("2025-10-14") {
                j.note("Windows 10 is out of general support since 2025-10-14; Microsoft 365 Apps still get security updates on it.");
            }
            j.good(seen);
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Windows 7 and Server 2008 R2: install service pack 1, then the current rollup.",
            "Apply the TLS findings of this report: they are what old defaults break.",
            "Plan the move to a supported Windows.",
        ],
        "A service pack and a new Windows are changes of weight: back up first.",
        "A service pack can be uninstalled unless it came with the installation image.",
        "winver shows the service pack or the new build; then try activation again.",
        &[ARTICLE_OLDER_WINDOWS, "https://learn.microsoft.com/deployoffice/endofsupport/windows-7-support"],
    )
}
