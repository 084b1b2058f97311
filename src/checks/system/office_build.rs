//! Office is too old, or not Click-to-Run.
//!
//! # What it looks at
//! `ClickToRun\Configuration` in the SOFTWARE hive: version, products, channel, bitness; the Windows version; the date of the collection.
//!
//! # Why it blocks activation
//! Before 16.0.7967 Office cannot sign in through the Web Account Manager; before 16.0.9126.2259 its sign-in writes too little to be
//! diagnosed. A version without support no longer follows changes of the service.
//!
//! # Fix
//! Update Office (File > Account > Update Options > Update Now).
//!
//! # Verify
//! File > Account shows the new version.
//!
//! # When this is wrong
//! Office by MSI or from the Store, or none at all, has no such key. Perpetual products (2019, LTSC) keep an old build by design: the rules on
//! support are for subscriptions. Codes like 30088-26 are errors of the installation, not of activation.
//!
//! # Sources
//! domain.md 5.2 `office-build`, section 8; R22 of section 14; "Windows Server end of support and Microsoft 365 Apps"; "Overview of
//! update channels for Microsoft 365 Apps" (end of the preview and of version 2408 in the semi-annual channel).

use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::os::Edition;
use crate::evidence::registry::twin;
use crate::evidence::{Confidence, Lookup, Sourced, Unknown};
use crate::time::FileTime;

/// Where Click-to-Run keeps what is installed.
pub const CONFIGURATION: &str = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
/// A key that every SOFTWARE hive of a machine has.
const CURRENT_VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion";

/// Version of Office: major, minor, build, revision.
type Version = [u32; 4];

/// First version that signs in through the Web Account Manager.
const WAM: Version = [16, 0, 7967, 0];
/// First version whose sign-in can be diagnosed from the logs.
const DIAGNOSABLE: Version = [16, 0, 9126, 2259];
/// Version 2302, the first that is supported on Server 2022.
const SERVER_2022: Version = [16, 0, 16_130, 0];
/// Build of Server 2022.
const SERVER_2022_BUILD: u32 = 20_348;
/// Builds of subscriptions whose support has ended in every channel: the day after which, and the newest of them. Version 2408 was the
/// last one of the semi-annual channel with its longer support.
const ENDED: [(&str, u32); 1] = [("2026-03-10", 17_928)];

/// Channels by the GUID of their address, with the day their support ended.
const CHANNELS: [(&str, &str, Option<&str>); 9] = [
    ("492350f6-3a01-4f97-b9c0-c7c6ddf67d60", "Current Channel", None),
    ("64256afe-f5d9-4f86-8936-8840a6a4f5be", "Current Channel (Preview)", None),
    ("5440fd1f-7ecb-4221-8110-145efaa6372f", "Beta Channel", None),
    ("55336b82-a18d-4dd6-b5f6-9e5095c314a6", "Monthly Enterprise Channel", None),
    ("7ffbc6bf-bc32-4f92-8982-f9dd17fd3114", "Semi-Annual Enterprise Channel", None),
    ("b8f9b850-328d-4355-9145-c59439a0c4cf", "Semi-Annual Enterprise Channel (Preview)", Some("2025-07-08")),
    ("f2e724c1-748f-4b47-8fb8-8e0d210e9208", "Office 2019 volume channel", None),
    ("5030841d-c919-4594-8d2d-84ae4f96e58e", "Office LTSC 2021 channel", None),
    ("7983bac0-e531-40cf-be00-fd24fe66619c", "Office LTSC 2024 channel", None),
];

/// The check.
pub const CHECK: Check = Check {
    id: "office-build",
    title: "Office is too old, or not Click-to-Run",
    layer: Layer::System,
    article: Article::Network("Update Windows"),
    wants: &[],
    healthy: "The build of Office is good for sign-in and its diagnosis.",
    source_text: include_str!("office_build.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let Some(path) = installed(case, j) else { return };
    let reported = match j.need(case.value(&path, "VersionToReport"), collect::SOFTWARE) {
        Lookup::Found(value) => value,
        Lookup::Absent(source) => return no_version(j, format!("{} is not there", source.locator)),
        Lookup::Unknown(_) => return,
    };
    let Some(version) = reported.value.as_text().as_deref().and_then(parse) else {
        return no_version(j, format!("{} holds {}", reported.source.locator, reported.value.display()));
    };
    let text = |name: &str| case.value(&path, name).found().and_then(|value| value.value.as_text());
    let products = text("ProductReleaseIds").unwrap_or_default();
    let seen = shown(&reported, &products, text("Platform").as_deref());
    age(j, version, seen.clone());
    let subscription = products.split(',').any(|id| id.trim().to_ascii_lowercase().starts_with("o365"));
    if subscription {
        support(case, j, version, &seen);
        channel(case, j, &path);
    }
    j.good(seen);
}

/// The key of Click-to-Run: the native one, else its 32-bit twin.
fn installed(case: &Case<'_>, j: &Judgement) -> Option<String> {
    let source = match j.need(case.evidence.registry.key(CONFIGURATION), collect::SOFTWARE) {
        Lookup::Found(_) => return Some(CONFIGURATION.to_owned()),
        Lookup::Absent(source) => source,
        Lookup::Unknown(_) => return None,
    };
    if let Some(twin) = twin(CONFIGURATION)
        && case.evidence.registry.key(&twin).found().is_some()
    {
        return Some(twin);
    }
    // A hive that was cut out or made up says nothing by what it lacks.
    if case.evidence.registry.key(CURRENT_VERSION).is_absent() {
        let reason = Some(format!("{CURRENT_VERSION} is not in it: it is not a whole hive"));
        j.missing(&Unknown { what: "SOFTWARE hive".to_owned(), reason }, collect::SOFTWARE);
        return None;
    }
    j.warning(
        Confidence::Medium,
        "There is no Click-to-Run Office: it was installed by MSI, or not at all.",
        [source.shows("the key is not there")],
    );
    None
}

fn no_version(j: &Judgement, reason: String) {
    j.missing(&Unknown { what: "version of Office".to_owned(), reason: Some(reason) }, collect::SOFTWARE);
}

fn parse(text: &str) -> Option<Version> {
    let mut parts = text.trim().split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

fn shown(reported: &Sourced<RegValue>, products: &str, platform: Option<&str>) -> Observation {
    let mut seen = value_seen(reported);
    for part in [products, platform.unwrap_or_default()] {
        if !part.is_empty() {
            seen.observed.push_str(&format!(", {part}"));
        }
    }
    seen
}

fn age(j: &Judgement, version: Version, seen: Observation) {
    let summary = match version {
        [..16, ..] => "Office is older than 2016: it cannot activate a Microsoft 365 subscription any more.",
        version if version < WAM => "Office is too old to sign in through the Web Account Manager.",
        version if version < DIAGNOSABLE => {
            "Office is so old that its sign-in writes too little to be diagnosed."
        }
        _ => return,
    };
    j.warning(Confidence::High, summary, [seen.expected("16.0.9126.2259 or later")]);
}

/// Subscriptions without support: on Server 2022 below version 2302, and builds whose last channel has ended.
fn support(case: &Case<'_>, j: &Judgement, version: Version, seen: &Observation) {
    let on_server_2022 =
        case.os().edition == Some(Edition::Server) && case.os().build_number() == Some(SERVER_2022_BUILD);
    if on_server_2022 && version < SERVER_2022 {
        j.warning(
            Confidence::Medium,
            "On Windows Server 2022, Microsoft 365 Apps are supported from version 2302 on.",
            [seen.clone().expected("16.0.16130 or later")],
        );
    }
    for (day, newest) in ENDED {
        let [_, _, build, _] = version;
        if build <= newest && is_after(case, day) {
            j.warning(
                Confidence::Medium,
                format!(
                    "This version of Microsoft 365 Apps lost its support by {day} in every update channel."
                ),
                [seen.clone().expected(format!("a build above {newest}"))],
            );
        }
    }
}

/// Whether the collection was made after a day.
fn is_after(case: &Case<'_>, day: &str) -> bool {
    let end = FileTime::parse(&format!("{day}T23:59:59Z"));
    case.window().zip(end).is_some_and(|(window, end)| window.to > end)
}

/// The update channel that an address belongs to; `None` when it is no channel of Microsoft.
pub fn channel_name(address: &str) -> Option<&'static str> {
    let address = address.to_ascii_lowercase();
    CHANNELS.iter().find(|(guid, ..)| address.contains(guid)).map(|(_, name, _)| *name)
}

fn channel(case: &Case<'_>, j: &Judgement, path: &str) {
    // The policy or the administrator's choice first, then where it was installed from.
    let set =
        ["UpdateChannel", "CDNBaseUrl"].into_iter().find_map(|name| case.value(path, name).found().cloned());
    let Some(set) = set else { return };
    let text = set.value.as_text().unwrap_or_default().to_ascii_lowercase();
    match CHANNELS.iter().find(|(guid, ..)| text.contains(guid)) {
        Some((_, name, Some(ended))) if is_after(case, ended) => j.warning(
            Confidence::Medium,
            format!("Office is on the {name}, which gets no updates since {ended}."),
            [set.shows(*name).expected("a supported channel")],
        ),
        Some((_, name, _)) => j.note(format!("Update channel: {name}.")),
        None if text.is_empty() => {}
        None => j.note(format!("Updates of Office come from {text}, which is no channel of Microsoft.")),
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "In any Office program: File > Account > Update Options > Update Now.",
            r#"Or elevated: "%CommonProgramFiles%\Microsoft Shared\ClickToRun\OfficeC2RClient.exe" /update user"#,
            "Where the channel is retired, move to Current Channel or Monthly Enterprise Channel by policy or with the Office Deployment Tool.",
            "Where no Click-to-Run Office is installed, install Microsoft 365 Apps from the account page of the user.",
        ],
        "Office programs are closed for the update. A managed update source may hold the version back: ask who runs it.",
        r#""%CommonProgramFiles%\Microsoft Shared\ClickToRun\OfficeC2RClient.exe" /update user updatetoversion=<old version>"#,
        "File > Account shows the new version; then try activation again.",
        &[
            ARTICLE_NETWORK,
            "https://learn.microsoft.com/officeupdates/update-history-microsoft365-apps-by-date",
            "https://learn.microsoft.com/microsoft-365-apps/updates/overview-update-channels",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::{DIAGNOSABLE, WAM, parse};

    #[test]
    fn versions_compare_part_by_part() {
        // domain.md 5.2: < 16.0.9126.2259, < 16.0.7967.
        assert!(parse("16.0.9126.2258").unwrap() < DIAGNOSABLE);
        assert!(parse("16.0.9126.2259").unwrap() >= DIAGNOSABLE);
        assert!(parse("16.0.10730.20102").unwrap() > DIAGNOSABLE);
        assert!(parse("16.0.7966.9999").unwrap() < WAM);
        assert_eq!(parse("16.0"), None);
        assert_eq!(parse("16.0.1.2.3"), None);
        assert_eq!(parse("(unknown)"), None);
    }
}
