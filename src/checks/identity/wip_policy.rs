//! Data protection encrypted Office's licence files.
//!
//! # What it looks at
//! The code 0x80070164 in dialogs of Office, in the broker's log, in records of the Software Protection service about Office, and in the listing
//! of `ospp.vbs`.
//!
//! # Why it blocks activation
//! Windows Information Protection encrypts files that a protected program writes for the organisation. When that happens to the licence files,
//! Office cannot read them any more and reports "error 356".
//!
//! # Fix
//! Take Office's licence folders out of the protection (or its programs into the list of allowed apps), delete the encrypted files, activate
//! again.
//!
//! # Verify
//! `cipher /c` on the licence folder shows no encrypted file, and the code does not come back.
//!
//! # When this is wrong
//! Only the code tells: whether the policy is set is not read, because the place where Windows keeps it is not documented. Without a code in
//! complete logs the policy has done no harm. A sign-in or a licence of after the code shows that Office can read its licence again.
//!
//! # Sources
//! domain.md 5.22 `wip-policy`; the row 0x80070164 of the table of codes; "Sign-in issues" (learn.microsoft.com).

use super::answers::Good;
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::checks::broker::{RECORDS, TOKEN_GIVEN, affected, codes_of, is_of_another_user, record_seen};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::licensing::records::{self, PROTECTION};
use crate::checks::signals::DIALOGS;
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::{Confidence, Sourced};

/// The check.
pub const CHECK: Check = Check {
    id: "wip-policy",
    title: "Data protection encrypted Office's licence files",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: &[RECORDS, PROTECTION, TOKEN_GIVEN, DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "No record of the failure window says that a licence file is encrypted.",
    source_text: include_str!("wip_policy.rs"),
    run,
    remedy,
};

/// `ERROR_356`: the file is encrypted for an organisation.
const ENCRYPTED: u32 = 0x8007_0164;

fn run(case: &Case<'_>, j: &Judgement) {
    let found =
        in_dialogs(case).or_else(|| in_records(case, j)).or_else(|| records::with_code(case, ENCRYPTED));
    let ended = |seen: &Observation| {
        let failure = "Office could not read a licence file (0x80070164)";
        seen.time.is_some_and(|time| Good::read(case).ends(j, time, failure))
    };
    if let Some(seen) = found.filter(|seen| !ended(seen)) {
        j.blocker(
            Confidence::High,
            "Office cannot read a licence file because data protection encrypted it (0x80070164).",
            [seen],
        );
    }
    case.need_log(j, DIALOGS[0].channels, collect::OALERTS);
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
    case.need_log(j, PROTECTION.channels, collect::APPLICATION_LOG);
}

/// Dialogs show the code with 0x or as eight bare digits.
fn in_dialogs(case: &Case<'_>) -> Option<Observation> {
    let shows = |event: &Sourced<&Event>| {
        let text = event.value.all_text();
        let bare = text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "80070164");
        bare || codes_in(&text).contains(&ErrorCode::from_value(ENCRYPTED))
    };
    let mut dialogs = DIALOGS.iter().flat_map(|want| case.events(*want));
    dialogs.rfind(shows).map(|event| event.shows("a dialog shows 0x80070164"))
}

fn in_records(case: &Case<'_>, j: &Judgement) -> Option<Observation> {
    let user = affected(case);
    let mut records = case.events(RECORDS);
    records.retain(|event| codes_of(event.value).contains(&ErrorCode::from_value(ENCRYPTED)));
    let (others, own): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|event| is_of_another_user(user.as_ref(), event.value));
    if !others.is_empty() {
        j.note("Another user's broker recorded 0x80070164.");
    }
    own.last().map(record_seen)
}

fn remedy(case: &Case<'_>) -> Remedy {
    let profile = affected(case).and_then(|user| user.profile).unwrap_or_else(|| "%USERPROFILE%".to_owned());
    let licences = format!(r"{profile}\AppData\Local\Microsoft\Office\Licenses");
    Remedy::new(
        &[
            &format!(
                r#"As the affected user: cipher /c "{licences}\*" shows which files are encrypted and for whom."#
            ),
            "In Intune or Configuration Manager, in the policy of Windows Information Protection, add the Office programs to the allowed apps or exempt them; then let the machine synchronise.",
            &format!(
                r#"Close all Office programs, copy "{licences}" to a safe place, delete what is in it, start an Office program and sign in."#
            ),
        ],
        "Windows Information Protection is retired: talk to its owner before its policy is changed, since it guards other data as well.",
        "Copy the saved folder back, and set the policy as it was.",
        "Activation ends without 0x80070164, and cipher /c shows no encrypted licence file.",
        &[
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/sign-in-issues",
            "https://learn.microsoft.com/windows/security/information-protection/windows-information-protection/protect-enterprise-data-using-wip",
        ],
    )
}
