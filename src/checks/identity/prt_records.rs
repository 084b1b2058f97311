//! Failed logons and token requests in the log of the cloud provider.

use super::answers;
use super::join;
use super::prt_state::{CHECK, Token};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, aadsts_in};
use crate::checks::broker::{RECORDS, TOKEN_GIVEN, affected, is_of_another_user};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::evidence::events::Want;
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Sourced};
use crate::knowledge;

/// Logons (1085, 1155, 1160 to 1165), the realm (1086), keys (1087), logons with Windows Hello (1090, 1091), refresh tokens (1094, 1096, 1122),
/// calls of the plug-in (1104, 1230).
pub const LOGONS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[
        1085, 1086, 1087, 1090, 1091, 1094, 1096, 1104, 1122, 1155, 1160, 1161, 1162, 1163, 1164, 1165, 1230,
    ],
    channels: &["Microsoft-Windows-AAD/Operational"],
};

/// A call of the plug-in.
const CALL: u32 = 1104;
/// Records that carry no code, with what they say.
const WITHOUT_CODE: [(u32, &str); 2] =
    [(1096, "the refresh token expired"), (1122, "the refresh token is not that of the user")];
/// Diagnostics of attempts to get and to renew a token.
const DIAGNOSTICS: [u32; 2] = [1250, 1252];
/// Diagnostics of tokens for the own domain's token service (ADFS) and not for the directory.
const ENTERPRISE: [u32; 2] = [1251, 1253];
/// What unjoined machines, and joined ones at their first start, write without any fault (R35).
const NEVER: [u32; 3] = [0xc004_8451, 0xc004_8456, 0xc004_84b2];

/// The failure in a record, in words; `None` for successes and for codes that no row of the table knows.
fn failure(event: &Event) -> Option<String> {
    if let Some((_, words)) = WITHOUT_CODE.iter().find(|(id, _)| *id == event.event_id) {
        return Some((*words).to_owned());
    }
    let is_attempt = LOGONS.ids.contains(&event.event_id) || DIAGNOSTICS.contains(&event.event_id);
    let text = event.all_text();
    let number = aadsts_in(&text).into_iter().map(|number| format!("AADSTS{number}"));
    let fields = ["Status", "Result", "Error", "ErrorCode", "HTTPTransportError"];
    let codes = fields.iter().filter_map(|name| event.field(name)).filter_map(ErrorCode::parse);
    let codes = codes
        .filter(|code| !code.is_success() && !NEVER.contains(&code.value()))
        .map(|code| code.to_string());
    for code in codes.chain(number) {
        let rows = knowledge::meanings(&code);
        let ours = rows.iter().any(|row| row.checks.split(',').any(|id| id == CHECK.id));
        // A logon fails with any code; an answer or a record of the broker has to speak of the token.
        // A call of the plug-in counts only with a code that the table gives to a check (R35).
        let routed = |row: &&&knowledge::Meaning| event.event_id != CALL || !row.checks.is_empty();
        if let Some(row) = rows.first().filter(|_| ours || is_attempt).filter(routed) {
            return Some(format!("{code}: {}", row.meaning));
        }
    }
    None
}

/// Diagnostics name their user.
fn names_another(case: &Case<'_>, user: Option<&UserHive>, event: &Event) -> bool {
    let named = event.field("UserIdentity").filter(|name| !name.trim().is_empty());
    named.zip(user).is_some_and(|(name, user)| join::is_named(case, user, name) == Some(false))
}

/// Reports recorded failures by what is known of the token now.
pub fn judge(case: &Case<'_>, j: &Judgement, token: Token) {
    let user = affected(case);
    let given = case.events(TOKEN_GIVEN).last().map(|event| event.value.time);
    let mut failed: Vec<(Sourced<&Event>, String)> = Vec::new();
    let mut events: Vec<Sourced<&Event>> =
        [LOGONS, answers::CLOUD, RECORDS].into_iter().flat_map(|want| case.events(want)).collect();
    events.sort_by_key(|event| (event.value.time, event.source.artifact, event.value.record_id));
    for event in events {
        if ENTERPRISE.contains(&event.value.event_id) {
            continue;
        }
        let Some(words) = failure(event.value) else { continue };
        if is_of_another_user(user.as_ref(), event.value) || names_another(case, user.as_ref(), event.value) {
            j.note(format!("Another user's token request failed ({words})."));
        } else {
            failed.push((event, words));
        }
    }
    let Some((last, words)) = failed.last() else { return };
    let count = failed.len();
    if token == Token::Held || given.is_some_and(|given| given > last.value.time) {
        j.note(format!("Windows recorded {count} failure(s) to get or renew a token ({words}), and the user holds one now."));
    } else if token == Token::Judged {
        j.note(format!(
            "Windows recorded {count} failure(s) to get or renew a token, the last on {} ({words}).",
            last.value.time
        ));
    } else {
        let confidence = if count > 1 { Confidence::Medium } else { Confidence::Low };
        let summary = format!(
            "Windows could not get or renew a token of a joined device, {count} time(s) in the failure window ({words})."
        );
        let seen = |(event, words): &(Sourced<&Event>, String)| -> Observation {
            event.shows(format!("AAD {}, {words}", event.value.event_id))
        };
        j.row(Status::Warning, confidence, summary, failed.iter().rev().take(3).map(seen).collect());
    }
}
