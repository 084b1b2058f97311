//! The data of the plug-ins in the user's profile is broken.
//!
//! # What it looks at
//! The broker's errors 0x80070520 and 0xCAA5001C and records of another owner (AAD 1095) in its log; crashes of the plug-in and records of
//! the app state (AppModel-State 10–13, 20–24) in the Application log; listings of the plug-in's folder; where the profile keeps local data.
//!
//! # Why it blocks activation
//! The plug-ins keep accounts and settings in the user's profile. After the profile got a new SID, was copied without its `AC` folder, or was
//! tampered with by security software, the broker cannot read them, and no token is given.
//!
//! # Fix
//! Delete what is in both `TokenBroker\Accounts` folders, restart, sign in again.
//!
//! # Verify
//! A sign-in writes no new 1098 with these codes.
//!
//! # When this is wrong
//! 0xCAA5001C only says "token broker operation failed": its inner code decides, and 0x80080005 around a logon is ordinary. New profiles and the
//! first boot after an upgrade write AppModel-State records for many packages at once. One user can be broken and another fine. A token of after a
//! failure shows that it was repaired.
//!
//! # Sources
//! domain.md 5.5 `broker-plugin-state`; R38 and R39 of section 14; the article's section on the BrokerPlugin; "event 1098 and cannot create
//! new profiles" and "can't sign in to Microsoft 365 desktop apps" (learn.microsoft.com).

use super::{
    BROKER_PLUGIN, EXCLUSIONS_ARTICLE, EXPERIENCE_HOST, RECORDS, SECTION, TOKEN_GIVEN, affected, codes_of,
    is_of_another_user, last_token, record_seen, token_ends, too_old,
};
use crate::artifact::capture::file_listing::{EntryKind, Folder};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{ARTICLE_NETWORK, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup, Sourced, captures};

/// The SID of the refresh token is not the user's; user names do not match.
const OWNERS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1095, 1142],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Crashes of programs.
const CRASHES: Want = Want { provider: "Application Error", ids: &[1000], channels: &["Application"] };
/// State of app packages: places, folders, repairs.
const APP_STATE: Want = Want {
    provider: "Microsoft-Windows-AppModel-State",
    ids: &[10, 11, 12, 13, 20, 21, 22, 23, 24],
    channels: &["Application"],
};
/// Starts of app packages.
const STARTS: Want = Want {
    provider: "Microsoft-Windows-AppModel-Runtime",
    ids: &[],
    channels: &["Microsoft-Windows-AppModel-Runtime/Admin"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "broker-plugin-state",
    title: "The data of the plug-ins in the user's profile is broken",
    layer: Layer::Broker,
    article: SECTION,
    wants: &[RECORDS, OWNERS, CRASHES, APP_STATE, STARTS, TOKEN_GIVEN],
    healthy: "Nothing shows that the data of the plug-ins is broken.",
    source_text: include_str!("state.rs"),
    run,
    remedy,
};

/// `ERROR_NO_SUCH_LOGON_SESSION`: the stored accounts belong to a SID that is gone.
const NO_SUCH_SESSION: u32 = 0x8007_0520;
/// "Token broker operation failed": a wrapper around another code.
pub const OPERATION_FAILED: u32 = 0xcaa5_001c;
/// `CO_E_SERVER_EXEC_FAILURE`: a program was not started in time, as happens around a logon.
pub const SERVER_START: u32 = 0x8008_0005;
/// The plug-in's program.
const PROGRAM: &str = "Microsoft.AAD.BrokerPlugin.exe";
/// Operations of AppModel-State that stop a sign-in.
const GRAVE_OPERATIONS: [&str; 2] = ["LocalSettings", "SettingsInitialize"];

fn run(case: &Case<'_>, j: &Judgement) {
    if too_old(case, j) {
        return;
    }
    let user = affected(case);
    let user = user.as_ref();
    errors(case, j, user);
    crashes(case, j, user);
    starts(case, j, user);
    app_state(case, j, user);
    if let Some(user) = user {
        folders(case, j, user);
        redirected(case, j, user);
    }
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
    case.need_log(j, APP_STATE.channels, collect::APPLICATION_LOG);
}

/// Records of a user; those of others become a note.
fn own<'e>(case: &Case<'e>, j: &Judgement, want: Want, user: Option<&UserHive>) -> Vec<Sourced<&'e Event>> {
    let (others, own): (Vec<_>, Vec<_>) =
        case.events(want).into_iter().partition(|event| is_of_another_user(user, event.value));
    let bad =
        |event: &Sourced<&Event>| codes_of(event.value).contains(&ErrorCode::from_value(NO_SUCH_SESSION));
    if others.iter().any(bad) {
        j.note("Another user's records show 0x80070520: that user's plug-in data is broken too.");
    }
    own
}

fn errors(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>) {
    let records = own(case, j, RECORDS, user);
    let has =
        |event: &Sourced<&Event>, code: u32| codes_of(event.value).contains(&ErrorCode::from_value(code));
    let newest = |code: u32| records.iter().rfind(|event| has(event, code));
    let owners = own(case, j, OWNERS, user);
    let foreign_owner = owners.iter().rfind(|event| event.value.event_id == 1095);
    let given = last_token(case);
    let ended = |event: &Sourced<&Event>, failure: &str| token_ends(j, given, event.value.time, failure);
    if let Some(event) = newest(NO_SUCH_SESSION)
        && !ended(event, "The broker recorded 0x80070520")
    {
        j.blocker(
            Confidence::High,
            "The broker's stored accounts belong to a logon that no longer exists (0x80070520): the profile got another SID.",
            [record_seen(event)],
        );
    }
    let foreign_owner = foreign_owner
        .filter(|event| !ended(event, "The broker's refresh token belonged to another SID (AAD 1095)"));
    let wrapper =
        newest(OPERATION_FAILED).filter(|event| given.is_none_or(|given| given <= event.value.time));
    match (wrapper, foreign_owner) {
        (Some(event), Some(owner)) => j.blocker(
            Confidence::High,
            "The broker fails, and its refresh token belongs to another SID (AAD 1095).",
            [record_seen(event), event_seen(owner, &[])],
        ),
        (None, Some(owner)) => j.warning(
            Confidence::Medium,
            "The broker's refresh token belongs to another SID (AAD 1095).",
            [event_seen(owner, &[])],
        ),
        _ => {}
    }
    if owners.iter().any(|event| event.value.event_id == 1142) {
        j.note("The user names of a token request do not match (AAD 1142).");
    }
    wrapped(j, &records);
}

/// 0xCAA5001C with another inner code or none (R39): a note when single, a warning when it comes back on another day.
fn wrapped(j: &Judgement, records: &[Sourced<&Event>]) {
    let code = |value: u32| ErrorCode::from_value(value);
    let mut days = Vec::new();
    let mut last = None;
    for event in records {
        let codes = codes_of(event.value);
        if !codes.contains(&code(OPERATION_FAILED)) || codes.contains(&code(NO_SUCH_SESSION)) {
            continue;
        }
        if codes.contains(&code(SERVER_START)) {
            j.note("0xCAA5001C with 0x80080005 is recorded around logons of sound machines too: it does not count.");
            continue;
        }
        let day = event.value.time.date();
        if !days.contains(&day) {
            days.push(day);
        }
        last = Some(event);
    }
    let Some(event) = last else { return };
    if days.len() >= 2 {
        let summary =
            format!("The token broker failed (0xCAA5001C) on {} days of the failure window.", days.len());
        j.warning(Confidence::Medium, summary, [record_seen(event)]);
    } else {
        j.note(format!(
            "The token broker failed (0xCAA5001C) on one day, {}: not enough to count.",
            event.value.time
        ));
    }
}

fn crashes(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>) {
    let mut records = own(case, j, CRASHES, user);
    // Positional on older builds, named on newer ones.
    let program = |event: &Event| event.field("AppName").or_else(|| event.item(0)).map(str::to_owned);
    records.retain(|event| program(event.value).is_some_and(|name| name.eq_ignore_ascii_case(PROGRAM)));
    match records.as_slice() {
        [] => {}
        [_] => j.note("The plug-in crashed once in the failure window."),
        [.., last] if token_ends(j, last_token(case), last.value.time, "The plug-in crashed") => {}
        [.., last] => {
            let summary =
                format!("The plug-in that signs in crashed {} times in the failure window.", records.len());
            j.blocker(Confidence::High, summary, [last.shows(format!("Application Error 1000, {PROGRAM}"))]);
        }
    }
}

/// Failed starts say little by themselves: the sign-in's own records decide.
fn starts(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>) {
    const ERROR: u32 = 2;
    let failed = |event: &&Sourced<&Event>| {
        event.value.level.is_some_and(|level| (1..=ERROR).contains(&level))
            && is_about_plugin(event.value)
            && !is_of_another_user(user, event.value)
    };
    let count = case.events(STARTS).iter().filter(failed).count();
    if count > 0 {
        j.note(format!(
            "Windows could not start a plug-in {count} time(s) in the failure window (AppModel-Runtime)."
        ));
    }
}

/// One record of AppModel-State about a plug-in.
struct StateRecord<'e> {
    event: Sourced<&'e Event>,
    error: ErrorCode,
}

fn is_about_plugin(event: &Event) -> bool {
    [BROKER_PLUGIN, EXPERIENCE_HOST]
        .iter()
        .any(|family| family.split('_').next().is_some_and(|name| event.mentions(name)))
}

/// The error of a record, if it is a failed HRESULT.
fn failed(event: &Event) -> Option<ErrorCode> {
    let code = event.field("OperationError").or_else(|| event.field("Error")).and_then(ErrorCode::parse)?;
    (code.value() >> 31 == 1).then_some(code)
}

fn app_state(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>) {
    let all = case.evidence.events.of(APP_STATE);
    let mine =
        |event: &&Sourced<&Event>| is_about_plugin(event.value) && !is_of_another_user(user, event.value);
    let about: Vec<&Sourced<&Event>> = all.iter().filter(mine).collect();
    for event in &about {
        let Some(error) = failed(event.value) else { continue };
        let record = StateRecord { event: (*event).clone(), error };
        let mut later = about.iter().filter(|later| {
            failed(later.value).is_some()
                && is_grave(later.value)
                && is_about_host(later.value) == is_about_host(event.value)
                && later.value.time >= event.value.time
        });
        let repaired = later.next_back().is_some_and(|last| is_repair(last.value));
        if repaired || others_too(&all, &record) || !is_grave(event.value) {
            j.note("AppModel-State recorded failures of the plug-ins that new profiles and upgrades write too: they do not count.");
        } else {
            judge_state(case, j, user, &record);
        }
    }
}

/// A repair of a package's state that was started without an error (R38).
fn is_repair(event: &Event) -> bool {
    let trigger = event.field("RepairTriggerError").and_then(ErrorCode::parse);
    matches!(event.event_id, 21 | 24) && trigger.is_some_and(ErrorCode::is_success)
}

/// Whether a record is about the plug-in for personal accounts, not about the one for work accounts.
fn is_about_host(event: &Event) -> bool {
    event.mentions(EXPERIENCE_HOST.split('_').next().unwrap_or(EXPERIENCE_HOST))
}

/// The same failure of other packages of Windows, within the same hour, is not about the plug-ins.
fn others_too(all: &[Sourced<&Event>], record: &StateRecord<'_>) -> bool {
    const HOUR: i64 = 3600;
    let (this, operation) = (record.event.value, record.event.value.field("Operation"));
    all.iter().any(|other| {
        other.value.event_id == this.event_id
            && other.value.field("Operation") == operation
            && failed(other.value) == Some(record.error)
            && !is_about_plugin(other.value)
            && other.value.field("PackageFamily").or_else(|| other.value.field("PackageString")).is_some()
            && other.value.time.seconds_since(this.time).abs() <= HOUR
    })
}

/// Records of settings: an operation on them, or the ids about places; 22 names a folder and no operation.
fn is_grave(event: &Event) -> bool {
    match event.field("Operation") {
        Some(operation) => GRAVE_OPERATIONS.iter().any(|grave| grave.eq_ignore_ascii_case(operation.trim())),
        None => matches!(event.event_id, 10..=13 | 22),
    }
}

fn judge_state(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>, record: &StateRecord<'_>) {
    let seen = event_seen(
        &record.event,
        &["Operation", "PackageFamily", "PackageString", "OperationError", "Error"],
    );
    let in_window = case.window().is_some_and(|window| window.contains(record.event.value.time));
    if !in_window {
        j.warning(
            Confidence::Low,
            "Before the failure window, Windows could not read the settings of a plug-in.",
            [seen],
        );
        return;
    }
    let same_user = |event: &Event| match (&record.event.value.user_sid, &event.user_sid) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    let mut sign_in = case.events(RECORDS);
    sign_in.retain(|event| {
        let counts = signals::code_of(event.value)
            .is_some_and(|code| signals::is_broker_failure(code) && !signals::is_prompt(code));
        counts && !is_of_another_user(user, event.value) && same_user(event.value)
    });
    let time = sign_in.last().map_or(record.event.value.time, |error| error.value.time);
    let time = time.max(record.event.value.time);
    if token_ends(j, last_token(case), time, "Windows could not read the settings of a plug-in") {
        return;
    }
    match sign_in.last().filter(|_| record.event.value.event_id != 22) {
        Some(error) => j.blocker(
            Confidence::High,
            "Windows cannot read the settings of a plug-in that signs in, and the sign-in fails.",
            [seen, record_seen(error)],
        ),
        None => j.warning(
            Confidence::Medium,
            "Windows could not read the settings of a plug-in that signs in.",
            [seen],
        ),
    }
}

/// The plug-in's folders in listings of the affected user's profile.
fn folders(case: &Case<'_>, j: &Judgement, user: &UserHive) {
    let tail = format!(r"Packages\{BROKER_PLUGIN}");
    let owner = |folder: &&Folder| {
        let path = folder.path.as_deref().unwrap_or_default().to_lowercase();
        user.name.as_ref().is_none_or(|name| path.contains(&format!(r"\{}\", name.to_lowercase())))
    };
    for capture in case.evidence.captures.each(CaptureKind::FileListing) {
        let CaptureData::FileListing(data) = &capture.value.data else { continue };
        let artifact = capture.source.artifact;
        for folder in data.folders_ending(&tail).filter(owner) {
            let place = folder.path.as_deref().unwrap_or_default();
            match folder.entry("AC") {
                Some(entry) if entry.kind == EntryKind::Link => {
                    let seen = captures::line(artifact, entry.line).shows(format!(r"{place}\AC is a link"));
                    j.warning(
                        Confidence::Medium,
                        "The data folder of the plug-in is redirected to another place.",
                        [seen],
                    );
                }
                None if folder.complete == Some(true)
                    && case.status("broker-plugin-package") == Some(Status::Healthy) =>
                {
                    let seen =
                        captures::line(artifact, folder.line).shows(format!("{place} has no folder AC"));
                    j.warning(
                        Confidence::Medium,
                        "The plug-in is installed, but its data folder AC is missing from the profile.",
                        [seen.expected(format!(r"{place}\AC"))],
                    );
                }
                _ => {}
            }
        }
        for folder in data.folders_ending(&format!(r"{tail}\AC\TokenBroker\Accounts")).filter(owner) {
            let accounts =
                folder.entries.iter().filter(|entry| entry.name.to_lowercase().ends_with(".tbacct")).count();
            if accounts > 1 {
                j.note(format!(
                    "The plug-in keeps {accounts} account files; several for one tenant would be odd."
                ));
            }
        }
    }
}

/// Local data away from the profile, on a server share or another drive: the plug-ins' data does not work there.
fn redirected(case: &Case<'_>, j: &Judgement, user: &UserHive) {
    const FOLDERS: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders";
    let Lookup::Found(value) = case.value(&user.path(FOLDERS), "Local AppData") else { return };
    let path = value.value.as_text().unwrap_or_default();
    let elsewhere = drive(&path)
        .zip(user.profile.as_deref().and_then(drive))
        .is_some_and(|(own, profile)| !own.eq_ignore_ascii_case(profile));
    let place = match path.trim_start().starts_with(r"\\") {
        true => "a server share",
        false if elsewhere => "another drive than that of the profile",
        false => return,
    };
    let summary = format!("The local application data of the user is redirected to {place}.");
    j.warning(Confidence::Medium, summary, [value_seen(&value).expected(r"%USERPROFILE%\AppData\Local")]);
}

/// The drive with which a path begins (`C:`); `None` for variables and shares.
fn drive(path: &str) -> Option<&str> {
    path.trim_start().get(..2).filter(|drive| drive.ends_with(':'))
}

fn remedy(case: &Case<'_>) -> Remedy {
    let profile = affected(case).and_then(|user| user.profile).unwrap_or_else(|| "%USERPROFILE%".to_owned());
    let accounts =
        |family: &str| format!(r"{profile}\AppData\Local\Packages\{family}\AC\TokenBroker\Accounts");
    Remedy::new(
        &[
            "Close all Office programs of the affected user.",
            &format!(
                "Copy these folders to a safe place, then delete what is in them: {} and {}",
                accounts(BROKER_PLUGIN),
                accounts(EXPERIENCE_HOST)
            ),
            "Restart the machine, sign in, start an Office program and sign in there.",
            "If it stays: register both plug-ins again (see broker-plugin-package), and use the Microsoft 365 sign-in troubleshooter of the Get Help app.",
            "If it comes back: exclude the plug-ins' folders in the security or profile product that damages them.",
        ],
        "The user has to sign in again in all Microsoft 365 programs.",
        "Copy the saved folders back while nobody is signed in to Office.",
        "A sign-in writes no new AAD 1098 with 0x80070520 or 0xCAA5001C.",
        &[
            EXCLUSIONS_ARTICLE,
            "https://learn.microsoft.com/troubleshoot/outlook/profiles-and-accounts/event-1098-and-cannot-create-new-profiles",
            ARTICLE_NETWORK,
        ],
    )
}
