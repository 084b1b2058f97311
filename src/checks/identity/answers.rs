//! The answers of the sign-in service to the affected user, from every place that keeps them, and what shows that a later sign-in worked.

use super::join::{Runner, Status};
use crate::artifact::capture::dsregcmd::typed::Flag;
use crate::artifact::capture::{CaptureData, CaptureKind, ospp, vnextdiag};
use crate::artifact::event::Event;
use crate::artifact::event_decode::aadsts_in;
use crate::checks::broker::{RECORDS, TOKEN_GIVEN, affected, is_of_another_user, text_of, token_given};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::signals::DIALOGS;
use crate::evidence::events::Want;
use crate::evidence::{Sourced, captures};
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
/// The client id of Office ("Application IDs of commonly used Microsoft applications", learn.microsoft.com) and its services.
const OFFICE: [&str; 2] = ["d3590ed6-52b3-4102-aeff-aad2292ab01c", "officeapps.live.com"];

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
}

impl Answer {
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
    answers.extend(of_dsregcmd(case));
    answers.sort_by(|a, b| (a.time, &a.seen.locator).cmp(&(b.time, &b.seen.locator)));
    answers
}

fn of_event(event: &Sourced<&Event>) -> Option<Answer> {
    let value = event.value;
    let text = text_of(value);
    let all = aadsts_in(&text);
    let code =
        most_specific(&text).or((value.event_id == PASSWORD_EXPIRED.0).then_some(PASSWORD_EXPIRED.1))?;
    let is =
        |want: Want| value.provider.eq_ignore_ascii_case(want.provider) && want.ids.contains(&value.event_id);
    let origin = if is(RECORDS) {
        let text = text.to_lowercase();
        Origin::Broker { office: OFFICE.iter().any(|name| text.contains(name)) }
    } else if DIALOGS.into_iter().any(is) {
        Origin::Office
    } else {
        Origin::Windows
    };
    let seen = event.shows(format!("{} {}, AADSTS{code}", value.provider, value.event_id));
    Some(Answer { code, all, origin, time: value.time, seen })
}

/// The descriptions of failed token requests and registrations.
fn of_dsregcmd(case: &Case<'_>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let collected = case.window().map(|window| window.to).unwrap_or_default();
    for capture in case.captures(CaptureKind::Dsregcmd) {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { continue };
        for entry in data.sections.iter().flat_map(|section| &section.entries) {
            let Some(code) = most_specific(&entry.value) else { continue };
            let source = captures::line(capture.source.artifact, entry.line);
            let mut seen = source.shows(format!("{}: AADSTS{code}", entry.key));
            if case.evidence.users.others().next().is_some() {
                seen.doubts
                    .push("The failed token request that dsregcmd shows can be another user's.".to_owned());
            }
            let all = aadsts_in(&entry.value);
            answers.push(Answer { code, all, origin: Origin::Dsregcmd, time: collected, seen });
        }
    }
    answers
}

/// What shows that the user is signed in or licensed after all.
#[derive(Debug, Default)]
pub struct Good {
    /// A valid licence at the time of collection.
    pub licence: Option<Observation>,
    /// A primary refresh token that is valid and was not refused.
    pub token: Option<Observation>,
    /// The last token that Web Account Manager gave.
    pub given: Option<FileTime>,
}

impl Good {
    /// Reads licences, the refresh token and given tokens.
    pub fn read(case: &Case<'_>) -> Self {
        let given = token_given(case).map(|event| event.value.time);
        Self { licence: licence(case), token: token(case), given }
    }

    /// A good sign-in after this time. Command outputs are as new as the collection.
    pub fn since(&self, time: FileTime) -> bool {
        self.licence.is_some() || self.token.is_some() || self.given.is_some_and(|given| given > time)
    }
}

fn licence(case: &Case<'_>) -> Option<Observation> {
    let vnext = case.captures(CaptureKind::Vnextdiag).into_iter().find_map(|capture| {
        let CaptureData::Vnextdiag(data) = &capture.value.data else { return None };
        let mut all = data.user_licences.items().iter().chain(data.device_licences.items());
        let good = all.find(|licence| licence.state == vnextdiag::State::Licensed)?;
        let product = good.product.as_deref().unwrap_or("a product");
        Some(captures::line(capture.source.artifact, good.line).shows(format!("{product} is licensed")))
    });
    vnext.or_else(|| {
        case.captures(CaptureKind::Ospp).into_iter().find_map(|capture| {
            let CaptureData::Ospp(data) = &capture.value.data else { return None };
            let good = data.licences.iter().find(|licence| licence.state == ospp::State::Licensed)?;
            let name = good.name.as_deref().unwrap_or("a product");
            Some(captures::line(capture.source.artifact, good.line).shows(format!("{name} is licensed")))
        })
    })
}

/// `AzureAdPrt : YES`, not expired, without a failed attempt beside it, and not that of another account than the affected user's (decision
/// 22): SYSTEM's, another user's, or on a machine with several users that of an elevated prompt.
fn token(case: &Case<'_>) -> Option<Observation> {
    let is_own = |status: &Status<'_>| match status.runner(case) {
        Runner::User => true,
        Runner::Elevated => case.evidence.users.others().next().is_none(),
        Runner::Other | Runner::System => false,
    };
    Status::all(case).iter().filter(|status| is_own(status)).find_map(|status| {
        let held = status.data.azure_ad_prt().filter(|flag| flag.value == Flag::Yes)?;
        let expiry = status.data.azure_ad_prt_expiry_time().map(|at| at.value);
        let expired = expiry.zip(case.window()).is_some_and(|(expiry, window)| expiry < window.to);
        let refused = !status.data.prt_diagnostics().is_empty();
        (!expired && !refused).then(|| status.at(held.line, "AzureAdPrt YES"))
    })
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
