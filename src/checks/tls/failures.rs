//! What the TLS checks share: recorded TLS errors, and the answers of the three checks on TLS 1.2.

use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::Case;
use crate::checks::judgement::Status;
use crate::checks::signals;
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Sourced};

/// Secure-channel failure and certificate failure of WinHTTP (domain.md section 7, rule 2).
const WINHTTP: [u32; 2] = [12_157, 12_175];
/// Schannel's errors for alerts 70, 40 and 71: no common version, no common settings, no common algorithm.
const SCHANNEL: [u32; 3] = [0x8009_0302, 0x8009_0326, 0x8009_0331];

/// The checks on TLS 1.2 that a native program such as Office depends on.
pub const TLS12: [&str; 3] = ["tls12-schannel-client", "tls12-winhttp-default", "tls12-wininet-user"];

/// Whether a code of a WinHTTP program says that TLS failed. Not for interactive Office, which uses WinINET: there 12175 means that
/// content could not be decoded (trap 11).
pub fn is_tls(code: ErrorCode) -> bool {
    code.win32().is_some_and(|number| WINHTTP.contains(&number)) || SCHANNEL.contains(&code.value())
}

/// TLS errors of the broker, of BITS and of Windows Update inside the failure window, oldest first. All three use WinHTTP.
pub fn errors<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let mut found: Vec<Sourced<&Event>> = signals::ALL.iter().flat_map(|want| case.events(*want)).collect();
    found.retain(|event| signals::code_of(event.value).is_some_and(is_tls));
    found.sort_by_key(|event| (event.value.time, event.value.record_id, event.source.artifact));
    found
}

/// Those, and the dialogs that Office showed to a user with such a code: besides 12175, which the dialogs use for something else, the codes
/// mean the same in WinINET.
pub fn errors_of_user<'e>(case: &Case<'e>, user: Option<&UserHive>) -> Vec<Sourced<&'e Event>> {
    let mut found = errors(case);
    found.extend(user.into_iter().flat_map(|user| signals::dialogs(case, user, is_tls)));
    found.sort_by_key(|event| (event.value.time, event.value.record_id, event.source.artifact));
    found
}

/// The first check on TLS 1.2 with a finding.
pub fn tls12_finding(case: &Case<'_>) -> Option<&'static str> {
    TLS12.into_iter().find(|id| case.status(id).is_some_and(Status::is_finding))
}

/// The first check on TLS 1.2 whose finding rests on a setting that was read: one of low confidence rests on a default that is not known,
/// or on the very records that it would have to explain.
pub fn tls12_setting(case: &Case<'_>) -> Option<&'static str> {
    TLS12.into_iter().find(|id| {
        case.outcome(id).is_some_and(|outcome| {
            outcome.status.is_finding() && outcome.confidence.is_some_and(|level| level > Confidence::Low)
        })
    })
}

/// The first check on TLS 1.2 that is a blocker.
pub fn tls12_blocker(case: &Case<'_>) -> Option<&'static str> {
    TLS12.into_iter().find(|id| case.status(id) == Some(Status::Blocker))
}

/// Whether all checks on TLS 1.2 are healthy.
pub fn tls12_is_healthy(case: &Case<'_>) -> bool {
    TLS12.into_iter().all(|id| case.status(id) == Some(Status::Healthy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_errors_of_the_domain_reference() {
        // domain.md section 7 rules 2 to 4; alerts 70, 40 and 71 map to 80090302, 80090326 and 80090331 (5.1).
        for text in ["12157", "0x80072F8F", "0xCAA82F8F", "0x80090302", "-2146893018", "0x80090331"] {
            assert!(is_tls(ErrorCode::parse(text).unwrap()), "{text}");
        }
        // A refused connection, an untrusted root and a TPM error are other failures.
        for text in ["12029", "0x80090325", "0x80290400", "0xCAA20002"] {
            assert!(!is_tls(ErrorCode::parse(text).unwrap()), "{text}");
        }
    }
}
