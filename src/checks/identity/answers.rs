//! The answers of the sign-in service to the affected user, from every place that keeps them, and what shows that a later sign-in worked.

use super::join::{self, Runner, Status};
use crate::artifact::capture::dsregcmd::typed::Flag;
use crate::artifact::event::Event;
use crate::artifact::event_decode::aadsts_in;
use crate::checks::broker::{RECORDS, TOKEN_GIVEN, affected, is_of_another_user, token_given};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::licensing::{licences, products};
use crate::checks::signals::{self, DIALOGS, Mark};
use crate::evidence::Sourced;
use crate::evidence::events::Want;
use crate::knowledge;
use crate::time::FileTime;

/// Answers to the sign-in of Windows itself: OAuth and WS-Trust errors, an expired password, diagnostics of tokens (read by field: their
/// rendered labels are shifted, trap 25).
pub const CLOUD: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1081, 1088, 1210, 1250, 1251, 1252, 1253],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Registration of the device, and refusals of Web Account Manager.
pub const REGISTRATION: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[304, 305, 324],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// All that holds answers, and the token that proves a good sign-in.
pub const WANTS: &[Want] = &[RECORDS, CLOUD, REGISTRATION, TOKEN_GIVEN, DIALOGS[0], DIALOGS[1], DIALOGS[2]];

/// "Password expired" as a record of its own, and the number that means the same.
const PASSWORD_EXPIRED: (u32, u32) = (1210, 50_055);
/// Numbers that only say that another one tells the reason (trap 24).
const GENERIC: [u32; 1] = [70_002];
/// What names Office in a record (R47): its client id ("Application IDs of commonly used Microsoft applications", learn.microsoft.com), the
/// paths of its programs, and the hosts of its services and of licensing.
const OFFICE: [&str; 6] = [
    "d3590ed6-52b3-4102-aeff-aad2292ab01c",
    r"\microsoft office\",
    "officeclicktorun.exe",
    "officeapps.live.com",
    "licensing.m365.svc.cloud.microsoft",
    "activation.sls.microsoft.com",
];

/// Where an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The broker's record, which any app's sign-in writes.
    Broker {
        /// The record names Office or its services.
        office: bool,
    },
    /// The sign-in of Windows or of the device.
    Windows,
    /// A dialog of Office.
    Office,
    /// `dsregcmd /status`.
    Dsregcmd,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The number that tells most.
    pub code: u32,
    /// Every number of the text: a generic one and the one beside it mean more together (trap 24).
    pub all: Vec<u32>,
    /// Where it stands.
    pub origin: Origin,
    /// When; the collection time for command outputs without one.
    pub time: FileTime,
    /// As evidence.
    pub seen: Observation,
    /// Tells it from other failures; `None` for command outputs.
    mark: Option<Mark>,
}

impl Answer {
    /// Whether another answer is about the same failure: one request leaves several records.
    pub fn is_same_failure(&self, other: &Self) -> bool {
        let marks = self.mark.as_ref().zip(other.mark.as_ref());
        self.code == other.code && marks.is_some_and(|(one, other)| one.is_same(other))
    }

    /// What the number means.
    pub fn meaning(&self) -> String {
        let name = format!("AADSTS{}", self.code);
        match knowledge::meanings(&name).first() {
            Some(meaning) => format!("{name}: {}", meaning.meaning),
            None => name,
        }
    }
}

/// The number of a text that tells most: a generic one gives way to the one beside it; of several the last, which is the inner one.
fn most_specific(text: &str) -> Option<u32> {
    let codes = aadsts_in(text);
    codes.iter().rfind(|code| !GENERIC.contains(code)).or(codes.last()).copied()
}

/// All answers inside the failure window, oldest first. Those of other users become a note.
pub fn read(case: &Case<'_>, j: &Judgement) -> Vec<Answer> {
    let user = affected(case);
    let mut answers = Vec::new();
    let records =
        [RECORDS, CLOUD, REGISTRATION].into_iter().chain(DIALOGS).flat_map(|want| case.events(want));
    for event in records {
        let Some(answer) = of_event(&event) else { continue };
        if is_of_another_user(user.as_ref(), event.value) {
            j.note(format!("Another user was answered AADSTS{}.", answer.code));
        } else {
            answers.push(answer);
        }
    }
    answers.extend(of_dsregcmd(case, j));
    answers.sort_by(|a, b| (a.time, &a.seen.locator).cmp(&(b.time, &b.seen.locator)));
    answers
}

fn of_event(event: &Sourced<&Event>) -> Option<Answer> {
    let value = event.value;
    let text = value.all_text();
    let all = aadsts_in(&text);
    let code =
        most_specific(&text).or((value.event_id == PASSWORD_EXPIRED.0).then_some(PASSWORD_EXPIRED.1))?;
    let is =
        |want: Want| value.provider.eq_ignore_ascii_case(want.provider) && want.ids.contains(&value.event_id);
    let origin = if is(RECORDS) {
        if signals::code_of(value).is_some_and(signals::is_broker_success) {
            return None;
        }
        let text = text.to_lowercase();
        Origin::Broker { office: OFFICE.iter().any(|name| text.contains(name)) }
    } else if DIALOGS.into_iter().any(is) {
        Origin::Office
    } else {
        Origin::Windows
    };
    let seen = event.shows(format!("{} {}, AADSTS{code}", value.provider, value.event_id));
    Some(Answer { code, all, origin, time: value.time, seen, mark: Some(Mark::of(value)) })
}

/// The descriptions of failed token requests and registrations. Token requests of another account do not count (decision 22, R48).
fn of_dsregcmd(case: &Case<'_>, j: &Judgement) -> Vec<Answer> {
    let mut answers = Vec::new();
    let collected = case.window().map(|window| window.to).unwrap_or_default();
    for status in Status::all(case) {
        let foreign = lines_of_others(case, &status);
        let time = status.time().map_or(collected, |time| time.min(collected));
        for entry in status.data.sections.iter().flat_map(|section| &section.entries) {
            let Some(code) = most_specific(&entry.value) else { continue };
            if foreign.contains(&entry.line) {
                j.note(format!(
                    "dsregcmd shows the answer AADSTS{code} to another account than the affected user's."
                ));
                continue;
            }
            let mut seen = status.at(entry.line, format!("{}: AADSTS{code}", entry.key));
            if case.evidence.users.others().next().is_some() {
                seen.doubts
                    .push("The failed token request that dsregcmd shows can be another user's.".to_owned());
            }
            let all = aadsts_in(&entry.value);
            answers.push(Answer { code, all, origin: Origin::Dsregcmd, time, seen, mark: None });
        }
    }
    answers
}

/// Lines with the answer to a token request of another account.
fn lines_of_others(case: &Case<'_>, status: &Status<'_>) -> Vec<u32> {
    let ran_elsewhere = status.runner(case) != Runner::User;
    let blocks = status.data.prt_diagnostics();
    let others =
        blocks.iter().filter(|block| ran_elsewhere || join::is_about_user(case, block) == Some(false));
    others.filter_map(|block| block.entry("Server Error Description")).map(|entry| entry.line).collect()
}

/// What shows that the user is signed in or licensed after all. Each counts for a failure only when it is not known to be older than it: a
/// licence runs for 30 days and a refresh token for 14 after the last sign-in that worked.
#[derive(Debug, Default)]
pub struct Good {
    /// A valid licence at the time of collection.
    pub licence: Option<Observation>,
    /// When that licence was issued, where it says so.
    issued: Option<FileTime>,
    /// A primary refresh token of the user that is valid and was not refused.
    pub token: Option<Observation>,
    /// When that token was got or renewed, where it is shown.
    renewed: Option<FileTime>,
    /// The last token that Web Account Manager gave.
    given: Option<Observation>,
}

impl Good {
    /// Reads licences, the refresh token and given tokens.
    pub fn read(case: &Case<'_>) -> Self {
        let installed = products::installed(case);
        let licence = licences::good_licence_issued(case, installed.found().map(|found| &found.value));
        let token = token(case);
        Self {
            issued: licence.as_ref().and_then(|(_, issued)| *issued),
            licence: licence.map(|(seen, _)| seen),
            renewed: token.as_ref().and_then(|(_, renewed)| *renewed),
            token: token.map(|(seen, _)| seen),
            given: token_given(case).map(|event| event_seen(&event, &[])),
        }
    }

    /// A good sign-in or a licence after this time. Command outputs without a time of their own are as new as the collection.
    pub fn since(&self, time: FileTime) -> bool {
        self.licensed_since(time) || self.signed_in_since(time)
    }

    /// A licence that is not known to be older than this time.
    pub fn licensed_since(&self, time: FileTime) -> bool {
        self.licence.is_some() && self.issued.is_none_or(|issued| issued > time)
    }

    /// A token that is not known to be older than this time.
    pub fn signed_in_since(&self, time: FileTime) -> bool {
        self.sign_in_since(time).is_some()
    }

    /// The same as evidence.
    pub fn sign_in_since(&self, time: FileTime) -> Option<&Observation> {
        let token = self.token.as_ref().filter(|_| self.renewed.is_none_or(|renewed| renewed > time));
        token.or(self.given.as_ref().filter(|given| given.time.is_some_and(|given| given > time)))
    }

    /// Notes a failure that a good sign-in or a licence followed, and tells whether one did: what was repaired is no finding.
    pub fn ends(&self, j: &Judgement, time: FileTime, failure: &str) -> bool {
        let ended = self.since(time);
        if ended {
            j.note(format!("{failure}, and a sign-in worked or a licence is valid since."));
        }
        ended
    }

    /// A licence or a refresh token at the time of collection, or a token after this time: prompts are ordinary then (R47).
    pub fn makes_prompts_ordinary(&self, time: FileTime) -> bool {
        self.licence.is_some() || self.token.is_some() || self.signed_in_since(time)
    }
}

/// `AzureAdPrt : YES` in the affected user's own prompt (decision 22: an elevated one can be another account's), not expired, without a
/// failed attempt beside it; with the time of its renewal.
fn token(case: &Case<'_>) -> Option<(Observation, Option<FileTime>)> {
    let statuses = Status::all(case);
    let status = statuses.iter().find(|status| status.tells_of_user(case))?;
    let held = status.data.azure_ad_prt().filter(|flag| flag.value == Flag::Yes)?;
    let expiry = status.data.azure_ad_prt_expiry_time().map(|at| at.value);
    let expired = expiry.zip(case.window()).is_some_and(|(expiry, window)| expiry < window.to);
    let refused = !status.data.prt_diagnostics().is_empty();
    let good = !expired && !refused;
    let renewed = status.data.azure_ad_prt_update_time().map(|at| at.value);
    good.then(|| (status.at(held.line, "AzureAdPrt YES"), renewed))
}

#[cfg(test)]
mod tests {
    use super::most_specific;

    #[test]
    fn trap_24_the_second_number_tells_the_reason() {
        // domain.md section 10, trap 24, and 5.15: 70002 with 50155 means that the device was deleted.
        assert_eq!(
            most_specific(
                "AADSTS70002: Error validating credentials. AADSTS50155: Device is not authenticated."
            ),
            Some(50_155)
        );
        assert_eq!(most_specific("AADSTS135011: Device is disabled. (AADSTS70002)"), Some(135_011));
        assert_eq!(most_specific("AADSTS70002: Error validating credentials."), Some(70_002));
        assert_eq!(most_specific("no number"), None);
    }
}
