//! The keys of the device or the TPM that holds them cannot be used.
//!
//! # What it looks at
//! Codes of the TPM and of the key storage in the broker's log, the log of device registration and dialogs of Office; records that the device's
//! key is gone (User Device Registration 344, 345; AAD 1152, 1103, 1082, 1083); `AadRecoveryEnabled`, `KeySignTest` and `TpmProtected` of
//! `dsregcmd /status`; the TPM's own records in the System log.
//!
//! # Why it blocks activation
//! The tokens of a joined or registered device are bound to keys in the TPM. After the TPM was cleared, the mainboard swapped, or a joined image
//! cloned, the stored keys cannot be opened any more, and the broker gives no token.
//!
//! # Fix
//! Sign out of Windows and in again once: that starts the built-in recovery. Then the TPM's firmware, then leaving and joining the directory.
//!
//! # Verify
//! `dsregcmd /status` shows `AadRecoveryEnabled : NO` and `AzureAdPrt : YES`, and no new record holds such a code.
//!
//! # When this is wrong
//! 8009000B and 80090034 also follow a reset password, which concerns the user's key and not the TPM. TPM 17 and 18 stand in the logs of sound
//! machines. `KeySignTest : MUST Run elevated` is no result, and a software key (`TpmProtected : NO`) is no fault. Certificate codes
//! (80092xxx, 80096xxx) begin with the same digits. 80090036 is a prompt that the user closed. A device that is neither joined nor registered has
//! no key that could be gone. Of several outputs of dsregcmd the newest counts, with less confidence where an older one says otherwise.
//!
//! # Sources
//! domain.md 5.18 `tpm-key-health`; trap 5; R40, R49 and R50 of section 14; "TPM malfunctioned" and "connection issue when signing in to Office
//! 2016" (learn.microsoft.com); "Troubleshoot devices by using the dsregcmd command".

use super::keys::{self, Fault, KEY_RECORDS, Kind, REFUSALS, REGISTRATIONS};
use super::{RECORDS, TOKEN_GIVEN, affected, is_of_another_user, record_seen, too_old};
use crate::artifact::capture::dsregcmd::typed::{Flag, KeyTest};
use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::identity::answers::{self, Good};
use crate::checks::identity::join::{self, Status as JoinStatus};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals::DIALOGS;
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Sourced};
use crate::knowledge;
use crate::time::FileTime;

/// The device's key is not accessible (344) or was probably removed (345).
const DEVICE_KEY: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[344, 345],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// The TPM's driver.
const DRIVER: Want = Want { provider: "TPM", ids: &[12, 14, 15, 16, 17, 18], channels: &["System"] };
/// Windows' management of the TPM.
const MANAGEMENT: Want = Want {
    provider: "Microsoft-Windows-TPM-WMI",
    ids: &[514, 519, 1026, 1027, 1031, 1794],
    channels: &["System"],
};
/// The TPM was cleared, or has to be; Windows took ownership of it.
const CLEARED: u32 = 519;
const OWNED: u32 = 1027;

/// The check.
pub const CHECK: Check = Check {
    id: "tpm-key-health",
    title: "The keys of the device or the TPM that holds them cannot be used",
    layer: Layer::Broker,
    article: Article::Beyond,
    wants: &[
        RECORDS,
        KEY_RECORDS,
        REGISTRATIONS,
        DIALOGS[0],
        DIALOGS[1],
        DIALOGS[2],
        TOKEN_GIVEN,
        answers::CLOUD,
        DEVICE_KEY,
        DRIVER,
        MANAGEMENT,
    ],
    healthy: "Nothing shows that the keys of the device cannot be used.",
    source_text: include_str!("tpm_key_health.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    if too_old(case, j) {
        return;
    }
    let good = Good::read(case);
    let works_since = |time: FileTime| good.signed_in_since(time);
    let (past, faults): (Vec<Fault<'_>>, Vec<Fault<'_>>) =
        keys::faults(case, j).into_iter().partition(|fault| works_since(fault.event.value.time));
    if let Some(last) = past.last() {
        j.note(format!(
            "A key could not be used ({}), but a token was given since: it was, and is now repaired.",
            last.words()
        ));
    }
    let statuses = JoinStatus::all(case);
    let tested = test(j, &statuses);
    let mut removed = case.events(DEVICE_KEY);
    removed.retain(|event| !works_since(event.value.time));
    if !removed.is_empty() && join::is_known_not(case) {
        j.note("The key of a device is recorded as gone (User Device Registration 344, 345), but this one is neither joined nor registered: it does not count.");
        removed.clear();
    }
    device_key(j, &removed, join::is_known(case));
    let cleared = cleared(case, j, &statuses, works_since);
    let second = tested == Some(KeyTest::Failed)
        || !removed.is_empty()
        || cleared
        || faults
            .iter()
            .any(|fault| matches!(fault.kind, Kind::Gone | Kind::Failed | Kind::Locked | Kind::Fips));
    codes(j, &faults, tested == Some(KeyTest::Passed), second);
    refusals(case, j, works_since);
    numbers(case, j, works_since);
    hardware(case, j);
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
    case.need_log(j, DRIVER.channels, collect::SYSTEM_LOG);
}

/// What `dsregcmd` says of the device's key: the result of its test, by the newest output in which it ran.
fn test(j: &Judgement, statuses: &[JoinStatus<'_>]) -> Option<KeyTest> {
    let recoveries = statuses.iter().filter(|status| status.data.aad_recovery_enabled().is_some());
    join::judge_newest(j, recoveries, recovery);
    let ran = statuses.iter().filter(|status| status.key_test_ran());
    let result = join::judge_newest(j, ran, key_test);
    for status in statuses {
        if status.data.key_sign_test().is_some_and(|test| test.value == KeyTest::NotRun) {
            j.note("KeySignTest was not run: it needs an elevated prompt. That is its ordinary output.");
        }
        if status.data.tpm_protected().is_some_and(|flag| flag.value == Flag::No) {
            j.note(
                "The key of the device is a software key (TpmProtected NO), as on machines without a TPM.",
            );
        }
    }
    result
}

/// Whether the device waits for the recovery of its keys.
fn recovery(j: &Judgement, status: &JoinStatus<'_>) {
    let waits = status.data.aad_recovery_enabled().filter(|flag| flag.value == Flag::Yes);
    if let Some(flag) = waits {
        j.blocker(
            Confidence::High,
            "The stored keys of the device are unusable, and it waits for its recovery (AadRecoveryEnabled YES).",
            [status.at(flag.line, "AadRecoveryEnabled YES").expected("NO")],
        );
    }
}

/// The result of a test that ran.
fn key_test(j: &Judgement, status: &JoinStatus<'_>) -> KeyTest {
    let line = status.data.key_sign_test().map_or(1, |test| test.line);
    if status.data.key_sign_test().is_some_and(|test| test.value == KeyTest::Passed) {
        j.good(status.at(line, "KeySignTest PASSED"));
        return KeyTest::Passed;
    }
    j.blocker(
        Confidence::High,
        "The key of the device cannot sign (KeySignTest FAILED).",
        [status.at(line, "KeySignTest FAILED").expected("PASSED")],
    );
    KeyTest::Failed
}

/// The records that the device's key is gone, which stop the sign-in of a joined or registered device (R35).
fn device_key(j: &Judgement, records: &[Sourced<&Event>], known: bool) {
    let Some(last) = records.last() else { return };
    let what = if last.value.event_id == 344 {
        "The key of the device is not accessible: the TPM is locked out or in an unknown state (User Device Registration 344)."
    } else {
        "The key of the device was probably removed (User Device Registration 345)."
    };
    let (status, confidence) =
        if known { (Status::Blocker, Confidence::High) } else { (Status::Warning, Confidence::Low) };
    j.row(status, confidence, what.to_owned(), vec![event_seen(last, &["ExitCode"])]);
}

/// Whether the TPM was cleared or taken over after the device joined: keys of before are gone then.
fn cleared(
    case: &Case<'_>,
    j: &Judgement,
    statuses: &[JoinStatus<'_>],
    works_since: impl Fn(FileTime) -> bool,
) -> bool {
    let joined = statuses
        .iter()
        .filter_map(|status| status.data.device_certificate_validity())
        .map(|at| at.value.0)
        .max();
    let known = join::is_known(case);
    let mut counts = false;
    // The newest first: one note is enough for the older ones.
    let mut noted = Vec::new();
    for event in case.evidence.events.of(MANAGEMENT).into_iter().rev() {
        let (id, time) = (event.value.event_id, event.value.time);
        if id != CLEARED && id != OWNED {
            continue;
        }
        let what = if id == CLEARED {
            "The TPM was cleared or has to be (TPM-WMI 519)"
        } else {
            "Windows took ownership of the TPM (TPM-WMI 1027)"
        };
        let after = joined.map(|joined| time > joined);
        // Without the time of the join only the clearing speaks for itself.
        if works_since(time) || after == Some(false) || !known || (after.is_none() && id == OWNED) {
            if !noted.contains(&id) {
                j.note(format!(
                    "{what}, last on {}: no key of this device is known to have been lost.",
                    time.date()
                ));
                noted.push(id);
            }
            continue;
        }
        let recent = case.window().is_some_and(|window| window.contains(time));
        let confidence = if after == Some(true) && recent { Confidence::Medium } else { Confidence::Low };
        let summary = format!("{what} after the device joined: keys that were made before are gone.");
        j.row(Status::Warning, confidence, summary, vec![event_seen(&event, &["ClearReason"])]);
        counts = true;
    }
    counts
}

/// Rows for recorded codes, a row a kind.
fn codes(j: &Judgement, faults: &[Fault<'_>], key_signs: bool, second: bool) {
    let of = |kind: Kind| faults.iter().filter(|fault| fault.kind == kind).collect::<Vec<_>>();
    let sure = if key_signs { Confidence::Medium } else { Confidence::High };
    if key_signs && !faults.is_empty() {
        j.note("The key of the device itself could sign when dsregcmd ran (KeySignTest PASSED).");
    }
    row(j, &of(Kind::Gone), sure, "A key is gone or cannot be opened");
    let failed = of(Kind::Failed);
    let by_table = failed
        .iter()
        .any(|fault| fault.code.is_some_and(|code| !knowledge::meanings(&code.to_string()).is_empty()));
    let confidence = if by_table { sure } else { Confidence::Medium };
    row(j, &failed, confidence, "The TPM or the key storage fails");
    row(j, &of(Kind::Fips), sure, "The TPM is in FIPS mode, which Microsoft Entra join does not support");
    let warn = |kind: Kind, confidence: Confidence, what: &str| {
        let found = of(kind);
        if let Some(last) = found.last() {
            let summary = format!("{what} ({}), {} record(s).", last.words(), found.len());
            j.row(Status::Warning, confidence, summary, seen(&found));
        }
    };
    warn(Kind::Unconfirmed, Confidence::Medium, "A key seems to be gone");
    warn(Kind::Signing, Confidence::Medium, "The broker could not sign with a key");
    warn(Kind::Locked, Confidence::Medium, "The TPM is locked or busy for a while");
    warn(Kind::Silent, Confidence::Medium, "A key needs a prompt that its caller did not allow");
    if let Some(last) = of(Kind::Cancelled).last() {
        j.note(format!("The user closed the prompt of a key ({}): it does not count.", last.words()));
    }
    const BOTH: &str = "A key cannot be opened: the password was reset, or the TPM changed";
    if second {
        row(j, &of(Kind::Ambiguous), Confidence::Medium, BOTH);
    } else {
        warn(Kind::Ambiguous, Confidence::Medium, BOTH);
    }
}

/// A blocker, unless a single record that is only a warning by itself is all there is.
fn row(j: &Judgement, found: &[&Fault<'_>], confidence: Confidence, what: &str) {
    let Some(last) = found.last() else { return };
    let weak = found.len() < 2 && last.is_refusal();
    let status = if weak { Status::Warning } else { Status::Blocker };
    let summary = format!("{what} ({}), {} record(s) in the failure window.", last.words(), found.len());
    j.row(status, confidence, summary, seen(found));
}

fn seen(found: &[&Fault<'_>]) -> Vec<Observation> {
    let show = |fault: &&Fault<'_>| {
        let event = &fault.event;
        let of_broker = event.value.provider.eq_ignore_ascii_case(RECORDS.provider)
            && RECORDS.ids.contains(&event.value.event_id);
        if of_broker {
            record_seen(event)
        } else {
            event.shows(format!("{} {}, {}", event.value.provider, event.value.event_id, fault.words()))
        }
    };
    found.iter().rev().take(3).map(show).collect()
}

/// Key errors of the service and answers that could not be decrypted, without a code of the key storage.
fn refusals(case: &Case<'_>, j: &Judgement, works_since: impl Fn(FileTime) -> bool) {
    let user = affected(case);
    let mut records = case.events(KEY_RECORDS);
    records.retain(|event| {
        REFUSALS.contains(&event.value.event_id)
            && !is_of_another_user(user.as_ref(), event.value)
            && !works_since(event.value.time)
    });
    let Some(last) = records.last() else { return };
    let confidence = if records.len() > 1 { Confidence::Medium } else { Confidence::Low };
    let summary = format!(
        "The sign-in of the device records failures of its keys, {} time(s) (AAD {}).",
        records.len(),
        last.value.event_id
    );
    j.row(Status::Warning, confidence, summary, vec![event_seen(last, &["Error", "Result"])]);
}

/// Numbers of the sign-in service that are about keys.
fn numbers(case: &Case<'_>, j: &Judgement, works_since: impl Fn(FileTime) -> bool) {
    let ours = |code: u32| {
        let rows = knowledge::meanings(&format!("AADSTS{code}"));
        rows.iter().any(|row| row.checks.split(',').next() == Some(CHECK.id))
    };
    let answers = answers::read(case, &Judgement::default());
    if let Some(answer) = answers.iter().rfind(|answer| ours(answer.code) && !works_since(answer.time)) {
        let summary =
            format!("The sign-in service does not accept a key of this device ({}).", answer.meaning());
        j.row(Status::Warning, Confidence::Medium, summary, vec![answer.seen.clone()]);
    }
}

/// The TPM's own records.
fn hardware(case: &Case<'_>, j: &Judgement) {
    let records = case.events(DRIVER);
    let of = |ids: &[u32]| records.iter().filter(|event| ids.contains(&event.value.event_id)).count();
    if let Some(last) = records.iter().rfind(|event| matches!(event.value.event_id, 12 | 14 | 15)) {
        let summary =
            format!("The TPM reports a fault of its hardware or driver (TPM {}).", last.value.event_id);
        j.row(
            Status::Warning,
            Confidence::Medium,
            summary,
            vec![event_seen(last, &["locationCode", "Data"])],
        );
    }
    if of(&[16]) > 0 {
        j.note("Windows could not access the TPM for a while (TPM 16).");
    }
    if of(&[17, 18]) > 0 {
        j.note(format!(
            "{} failed command(s) of the TPM (TPM 17, 18): sound machines record them too.",
            of(&[17, 18])
        ));
    }
    for event in case.events(MANAGEMENT) {
        match event.value.event_id {
            1794 => j.note("The firmware of the TPM makes weak keys (TPM-WMI 1794): update it."),
            id @ (514 | 1026 | 1031) => j.note(format!("Windows could not set up the TPM (TPM-WMI {id}).")),
            _ => {}
        }
    }
}

/// By the join of the machine, the least destructive first; never clearing the TPM for a code that a reset password writes too (R50).
fn remedy(case: &Case<'_>) -> Remedy {
    let statuses = JoinStatus::all(case);
    let joined = statuses.iter().any(|status| status.is_joined() == Some(true));
    let hybrid = joined && statuses.iter().any(|status| status.is_domain_member() == Some(true));
    let registered = statuses.iter().any(|status| status.is_registered() == Some(true));
    let mut steps = vec![
        "Sign out of Windows and in again (or restart) once, with the network connected: the sign-in starts the built-in recovery of the keys.".to_owned(),
        "Install the newest firmware of the TPM and BIOS of the machine's maker, and restart.".to_owned(),
    ];
    if keys::faults(case, &Judgement::default()).iter().all(|fault| fault.kind == Kind::Ambiguous) {
        steps.push("If the password of the user was reset lately, let the user sign in to Windows with the new one and to Office again: the TPM is not at fault then.".to_owned());
    }
    if hybrid {
        steps.push("With a domain controller in reach, in an elevated prompt: dsregcmd /leave, then restart twice and sign in: the machine joins again by itself.".to_owned());
    } else if joined {
        steps.push("With a local administrator's password at hand: Settings > Accounts > Access work or school > Disconnect, restart, and join the directory again.".to_owned());
    }
    if registered || !joined {
        steps.push(
            "Settings > Accounts > Access work or school: disconnect the work account and add it again."
                .to_owned(),
        );
    }
    Remedy {
        steps,
        caution: "Leaving the directory removes device management and Windows Hello, and without a local administrator it locks everybody out. Save the BitLocker recovery key (manage-bde -protectors -get C:) and the data first; never clear the TPM without that key.".to_owned(),
        rollback: "A joined machine has to be joined again; deleted keys do not come back.".to_owned(),
        verify: "dsregcmd /status: AadRecoveryEnabled NO, DeviceAuthStatus SUCCESS, AzureAdPrt YES; a new sign-in in Office writes no such code.".to_owned(),
        references: vec![
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/tpm-malfunctioned".to_owned(),
            "https://learn.microsoft.com/troubleshoot/microsoft-365/admin/authentication/connection-issue-when-sign-in-office-2016".to_owned(),
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-device-dsregcmd".to_owned(),
        ],
    }
}
