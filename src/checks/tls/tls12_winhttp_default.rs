//! WinHTTP does not ask for TLS 1.2 by default.
//!
//! # What it looks at
//! `DefaultSecureProtocols` below `Internet Settings\WinHttp` in the SOFTWARE hive, in the native and the 32-bit view; the Windows version;
//! the bitness of Office; installed updates (a list, or those that `systeminfo` names); WinHTTP event 1053 (handshake failed on the version).
//!
//! # Why it blocks activation
//! Licensing uses WinHTTP. The value replaces the default of Windows for every program that does not choose: without bit 0x800 the
//! licensing servers refuse the connection. Windows 7, 8 and Server 2012 do not include TLS 1.2 in their default.
//!
//! # Fix
//! Set the value to 0xA00 (TLS 1.1 and 1.2) in both views and restart; old Windows needs update KB3140245 for it to have an effect.
//!
//! # Verify
//! Activation gets past "trouble activating"; no WinHTTP 1053 and no 12175 or 12030 in the logs.
//!
//! # When this is wrong
//! Windows 8 and Server 2012 are the trap: their Schannel is good, their WinHTTP is not. A 32-bit Windows has one view only.
//!
//! # Sources
//! domain.md 5.1 `tls12-winhttp-default`, 6.1, 6.2; trap 10; R12 of section 14; KB3140245.

use super::{TLS12, protocols};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::required::view_of_office;
use crate::checks::{ARTICLE_OLDER_WINDOWS, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::os::Generation;
use crate::evidence::registry::twin;
use crate::evidence::{Confidence, Lookup, Unknown, captures};
use crate::time::FileTime;

const WINHTTP: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp";
const VALUE: &str = "DefaultSecureProtocols";
/// KB3140245: makes `DefaultSecureProtocols` work on old Windows.
const UPDATE: u32 = 3_140_245;

/// The handshake failed because the versions do not meet.
const VERSION_MISMATCH: Want = Want {
    provider: "Microsoft-Windows-WinHttp",
    ids: &[1053],
    channels: &["Microsoft-Windows-WinHttp/Operational"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "tls12-winhttp-default",
    title: "WinHTTP does not ask for TLS 1.2 by default",
    layer: Layer::Tls,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[VERSION_MISMATCH],
    healthy: "WinHTTP asks for TLS 1.2 by default.",
    source_text: include_str!("tls12_winhttp_default.rs"),
    run,
    remedy,
};

struct View {
    answer: Lookup<RegValue>,
    name: &'static str,
}

impl View {
    fn mask(&self) -> Option<u32> {
        self.answer.found().and_then(|value| value.value.as_u32())
    }

    fn has_tls12(&self) -> bool {
        self.mask().is_some_and(|mask| mask & TLS12 != 0)
    }

    fn seen(&self) -> Option<Observation> {
        match &self.answer {
            Lookup::Found(value) => Some(match value.value.as_u32() {
                Some(mask) => value.shows(protocols(mask)),
                None => value_seen(value),
            }),
            Lookup::Absent(source) => Some(source.shows("not set")),
            Lookup::Unknown(_) => None,
        }
    }
}

/// The views that exist on this machine: both on 64-bit Windows, one on 32-bit (R12).
fn views(case: &Case<'_>) -> Vec<View> {
    let mut views = vec![View { answer: case.value(WINHTTP, VALUE), name: "64-bit" }];
    if let Some(answer) = case.second_view(WINHTTP, VALUE) {
        views.push(View { answer, name: "32-bit" });
    }
    views
}

/// Whether programs that use WinHTTP ask for TLS 1.2.
pub enum Asks {
    /// Every view that exists names it.
    Yes(Observation),
    /// A view does not.
    No,
    /// A view was not collected, and none that was lacks it.
    Unknown(Unknown),
}

/// Asks the views of the value.
pub fn winhttp_asks_for_tls12(case: &Case<'_>) -> Asks {
    let views = views(case);
    if views.iter().any(|view| !view.answer.is_unknown() && !view.has_tls12()) {
        return Asks::No;
    }
    let unread = views.iter().find_map(|view| match &view.answer {
        Lookup::Unknown(unknown) => Some(unknown.clone()),
        Lookup::Found(_) | Lookup::Absent(_) => None,
    });
    match (unread, views.first().and_then(View::seen)) {
        (Some(unknown), _) => Asks::Unknown(unknown),
        (None, Some(seen)) => Asks::Yes(seen),
        (None, None) => Asks::No,
    }
}

fn run(case: &Case<'_>, j: &Judgement) {
    if let Some(event) = case.events(VERSION_MISMATCH).last() {
        j.blocker(
            Confidence::High,
            "WinHTTP recorded a handshake that failed on the protocol version.",
            [event_seen(event, &[])],
        );
    }
    let views = views(case);
    for view in &views {
        if let (Some(mask), Some(seen)) = (view.mask(), view.seen())
            && mask & TLS12 == 0
        {
            let summary = format!("WinHTTP's default protocols lack TLS 1.2 in the {} view.", view.name);
            j.blocker(Confidence::High, summary, [seen.expected("0xa00 (TLS 1.1, TLS 1.2)")]);
        }
        if let Lookup::Unknown(unknown) = &view.answer {
            j.missing(unknown, collect::SOFTWARE);
        }
    }
    let Some(generation) = case.need_generation(j) else { return };
    if generation <= Generation::Eight {
        old_windows(case, j, &views);
    } else {
        views.iter().filter_map(View::seen).for_each(|seen| j.good(seen));
    }
}

/// Windows 7, 8 and their servers: the value must be there, in the view that Office uses, and the update with it.
fn old_windows(case: &Case<'_>, j: &Judgement, views: &[View]) {
    let good = views.iter().filter(|view| view.has_tls12()).count();
    // A value that is no number is as good as none.
    let is_without = |view: &&View| !view.answer.is_unknown() && view.mask().is_none();
    for view in views.iter().filter(is_without) {
        let Some(seen) = view.seen() else { continue };
        let seen = seen.expected("0xa00 (TLS 1.1, TLS 1.2)");
        if good == 0 {
            j.blocker(
                Confidence::High,
                "This Windows does not include TLS 1.2 in WinHTTP's default, and nothing adds it.",
                [seen],
            );
        } else {
            one_view_only(case, j, view, seen);
        }
    }
    if good == views.len() {
        update_installed(case, j);
        views.iter().filter_map(View::seen).for_each(|seen| j.good(seen));
    }
}

fn one_view_only(case: &Case<'_>, j: &Judgement, view: &View, seen: Observation) {
    if view_of_office(case) == Some(view.name) {
        let summary = format!(
            "TLS 1.2 is missing from WinHTTP's default in the {} view, which Office uses.",
            view.name
        );
        j.blocker(Confidence::High, summary, [seen]);
    } else {
        let summary = format!("TLS 1.2 is missing from WinHTTP's default in the {} view.", view.name);
        j.warning(Confidence::Medium, summary, [seen]);
    }
}

/// Whether `systeminfo` names the update. Its list can be cut, so what is not in it can still be installed.
fn systeminfo_names_update(case: &Case<'_>) -> bool {
    case.captures(CaptureKind::Systeminfo).iter().any(|capture| match &capture.value.data {
        CaptureData::Systeminfo(data) => {
            data.hotfixes.iter().flat_map(|list| &list.listed).any(|fix| fix.kb == Some(UPDATE))
        }
        _ => false,
    })
}

/// The value works only with KB3140245 or a rollup that holds it: a list without either is a warning.
fn update_installed(case: &Case<'_>, j: &Judgement) {
    if systeminfo_names_update(case) {
        return;
    }
    let mut list = None;
    for capture in case.captures(CaptureKind::Hotfixes) {
        let CaptureData::Hotfixes(data) = &capture.value.data else { continue };
        // Rollups of 2017 and later hold the update.
        let rollup = FileTime::parse("2017-01-01");
        let newer =
            data.hotfixes.iter().any(|fix| fix.installed.zip(rollup).is_some_and(|(at, since)| at >= since));
        if newer || data.names(UPDATE).is_some() {
            return;
        }
        list = Some(captures::line(capture.source.artifact, capture.value.line_from));
    }
    match list {
        Some(source) => j.warning(
            Confidence::Medium,
            "The value is set, but the list of updates does not show KB3140245: without it (or a rollup that holds it) the value has no effect.",
            [source.shows("KB3140245 is not in the list")],
        ),
        None => {
            let what = "list of installed updates".to_owned();
            j.missing(&Unknown { what, reason: None }, "wmic qfe list > hotfixes.txt");
        }
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut keys = vec![(WINHTTP.to_owned(), "winhttp-before.reg")];
    let twin = twin(WINHTTP).filter(|_| case.second_view(WINHTTP, VALUE).is_some());
    keys.extend(twin.map(|twin| (twin, "winhttp-before-32.reg")));
    let mut steps = vec![
        "Windows 7, 8, Server 2008 R2 and 2012: install KB3140245 or a later monthly rollup first."
            .to_owned(),
    ];
    steps
        .extend(keys.iter().map(|(key, file)| format!("reg export \"{key}\" {file} (where the key exists)")));
    steps
        .extend(keys.iter().map(|(key, _)| format!("reg add \"{key}\" /v {VALUE} /t REG_DWORD /d 0xA00 /f")));
    let files: Vec<&str> = keys.iter().map(|(_, file)| *file).collect();
    steps.push("Restart the machine.".to_owned());
    Remedy {
        steps,
        caution: "Prefer 0xA00 (or 0x800): 0xAA0 lets SSL 3.0 and TLS 1.0 in again. The operating system stays unsupported."
            .to_owned(),
        rollback: format!(
            "reg import of {}; where the value was not there before, delete it. Restart.",
            files.join(" and of ")
        ),
        verify: "Try activation again; no WinHTTP 1053 and no error 12175 or 12030 appears.".to_owned(),
        references: vec![
            ARTICLE_OLDER_WINDOWS.to_owned(),
            "https://support.microsoft.com/help/3140245".to_owned(),
        ],
    }
}
