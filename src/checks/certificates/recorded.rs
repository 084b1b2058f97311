//! Errors of certificates, and answers that could not be read, out of everything that records codes.
//!
//! A wrong clock, a missing root, an inspecting proxy and a portal leave the same few codes. The classes stand here once, so that the
//! checks on each of them look at the same records.

use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::checks::broker::{affected, is_of_another_user};
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::checks::signals;
use crate::evidence::events::Want;
use crate::evidence::{Sourced, captures};

/// Tokens and answers of the sign-in service, as Windows itself records them.
const CLOUD: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1081, 1088, 1104, 1210, 1251, 1253],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Registration of the device: connections, certificates, and requests whose answer was not understood.
pub const REGISTRATION: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[204, 226, 230, 231, 233, 304, 305, 307, 309, 354],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// What the checks have to ask for to get these records.
pub const WANTS: [Want; 3] = [CLOUD, REGISTRATION, signals::NETWORKS];

/// Longest part of a recorded answer that is shown.
const SHOWN: usize = 200;

/// A failure with the codes that it names.
pub struct Recorded {
    /// The codes, the record's own first.
    pub codes: Vec<ErrorCode>,
    /// Everything that was written, in lower case.
    pub text: String,
    /// Provider and id, or the capture and its key.
    pub source: String,
    /// As evidence.
    pub seen: Observation,
}

impl Recorded {
    /// The first code of a class.
    pub fn code(&self, is: impl Fn(ErrorCode) -> bool) -> Option<ErrorCode> {
        self.codes.iter().copied().find(|code| is(*code))
    }

    /// Whether an answer was not in the form that the protocol has. "Invalid data" says so only where the device registers itself.
    pub fn is_unreadable(&self) -> bool {
        let registers = self.source.starts_with(REGISTRATION.provider) || self.source.starts_with("dsregcmd");
        self.code(is_unreadable).is_some()
            || (registers && self.code(|code| code.value() == INVALID_DATA).is_some())
    }
}

/// `ERROR_INVALID_DATA`.
const INVALID_DATA: u32 = 0x8007_000d;

/// Failures inside the failure window, oldest first: those of another user and of times without a network are left out. What `dsregcmd`
/// shows of its last attempts comes last.
pub fn failures(case: &Case<'_>) -> Vec<Recorded> {
    let user = affected(case);
    let sources = signals::ALL.iter().copied().chain([CLOUD, REGISTRATION]);
    let mut events: Vec<Sourced<&Event>> = sources.flat_map(|want| case.events(want)).collect();
    events.retain(|event| {
        !is_of_another_user(user.as_ref(), event.value)
            && !signals::is_disconnected_at(case, event.value.time)
    });
    events.sort_by_key(|event| (event.value.time, event.value.record_id, event.source.artifact));
    let mut found: Vec<Recorded> = events.iter().map(of_event).collect();
    found.extend(of_dsregcmd(case));
    found
}

fn of_event(event: &Sourced<&Event>) -> Recorded {
    let text = event.value.all_text();
    let mut codes: Vec<ErrorCode> = signals::code_of(event.value).into_iter().collect();
    codes.extend(event.value.field("ExitCode").and_then(ErrorCode::parse));
    for code in codes_in(&text) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let source = format!("{} {}", event.value.provider, event.value.event_id);
    let first = codes.first().map(|code| format!(", {code}")).unwrap_or_default();
    let message = ["ErrorMessage", "ServerMessage"].iter().find_map(|name| event.value.field(name));
    let message = message.map(str::trim).filter(|message| !message.is_empty());
    let message = message
        .map(|message| format!(", {}", message.chars().take(SHOWN).collect::<String>()))
        .unwrap_or_default();
    let seen = event.shows(format!("{source}{first}{message}"));
    Recorded { codes, text: text.to_lowercase(), source, seen }
}

/// The codes in the diagnostics of `dsregcmd /status`: of the join and of the last token requests.
fn of_dsregcmd(case: &Case<'_>) -> Vec<Recorded> {
    let mut found = Vec::new();
    for capture in case.captures(CaptureKind::Dsregcmd) {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { continue };
        for entry in data.sections.iter().flat_map(|section| &section.entries) {
            let key = entry.key.to_lowercase();
            if !["error", "status", "server message", "test"].iter().any(|part| key.contains(part)) {
                continue;
            }
            let codes = codes_in(&entry.value);
            if codes.is_empty() {
                continue;
            }
            let at = captures::line(capture.source.artifact, entry.line);
            let seen = at.shows(format!("{}: {}", entry.key, entry.value.trim()));
            let text = entry.value.to_lowercase();
            found.push(Recorded { codes, text, source: format!("dsregcmd {}", entry.key), seen });
        }
    }
    found
}

/// Outside its time of validity: 12037, `SEC_E_CERT_EXPIRED`, `CERT_E_EXPIRED`.
pub fn is_of_date(code: ErrorCode) -> bool {
    code.win32() == Some(12_037) || matches!(code.value(), 0x8009_0328 | 0x800b_0101)
}

/// From an authority that is not trusted: 12045, `SEC_E_UNTRUSTED_ROOT`, `CERT_E_UNTRUSTEDROOT`, `CERT_E_CHAINING`.
pub fn is_of_authority(code: ErrorCode) -> bool {
    code.win32() == Some(12_045) || matches!(code.value(), 0x8009_0325 | 0x800b_0109 | 0x800b_010a)
}

/// For another name: 12038, `SEC_E_WRONG_PRINCIPAL`, `CERT_E_CN_NO_MATCH`.
pub fn is_of_name(code: ErrorCode) -> bool {
    code.win32() == Some(12_038) || matches!(code.value(), 0x8009_0322 | 0x800b_010f)
}

/// Any error of a server's certificate, the unspecific ones with them (12055, 12169, 12175, 12179, a bad signature, a wrong use).
pub fn is_of_certificate(code: ErrorCode) -> bool {
    is_of_authority(code)
        || is_of_name(code)
        || matches!(code.win32(), Some(12_055 | 12_169 | 12_175 | 12_179))
        || matches!(
            code.value(),
            0x8009_0327 | 0x8009_0349 | 0x8009_6004 | 0x800b_0110 | 0xcaa7_000d | 0xcaa7_0010
        )
}

/// An answer that was not in the form that the protocol has: a page where JSON or XML was expected, or fields that are missing
/// (error_codes.tsv: "usually proxy HTML", "look for a modifying proxy").
fn is_unreadable(code: ErrorCode) -> bool {
    code.win32() == Some(12_152)
        || matches!(
            code.value(),
            0xcaa6_0007
                | 0xcaa6_0008
                | 0xcaa9_001b
                | 0xcaa9_002c
                | 0xcaa9_0015
                | 0xcaa9_0019
                | 0xcaa7_0009
                | 0xc00c_ee4f
                | 0xc004_8442
                | 0xc004_84c1
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_the_table_of_codes() {
        // error_codes.tsv, rows 12037 to 12179, CAA82Fxx, 8009xxxx, 800B01xx, CAA6/7/9xxxx, C00484xx.
        let code = |text: &str| ErrorCode::parse(text).unwrap();
        assert!(["12037", "CAA82F05", "0x80090328", "800B0101"].iter().all(|text| is_of_date(code(text))));
        assert!(["12045", "CAA82F0D", "800B0109"].iter().all(|text| is_of_authority(code(text))));
        assert!(["12038", "CAA82F06", "800B010F"].iter().all(|text| is_of_name(code(text))));
        assert!(["12175", "CAA82F8F", "12045", "CAA70010"].iter().all(|text| is_of_certificate(code(text))));
        assert!(["CAA60007", "CAA9002C", "C00484C1", "12152"].iter().all(|text| is_unreadable(code(text))));
        // Expired is the clock's matter first; a refused connection is no certificate's.
        assert!(!["12037", "12029", "12157"].iter().any(|text| is_of_certificate(code(text))));
        assert!(!["CAA20003", "0x8AA500DB"].iter().any(|text| is_unreadable(code(text))));
    }
}
