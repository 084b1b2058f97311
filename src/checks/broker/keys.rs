//! Codes and records of keys that cannot be used: the device's key, a user's key, the TPM that holds them.

use super::{RECORDS, affected, codes_of, is_of_another_user};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::checks::case::Case;
use crate::checks::identity::join;
use crate::checks::judgement::Judgement;
use crate::checks::signals::DIALOGS;
use crate::evidence::Sourced;
use crate::evidence::events::Want;
use crate::knowledge;

/// Records of the cloud provider about keys: answers about keys (1082, 1083), calls that failed (1087, 1093, 1104, 1230), answers that could not
/// be decrypted (1103), the key of the device's certificate (1152), a session key that was refused (1155).
pub const KEY_RECORDS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1082, 1083, 1087, 1093, 1103, 1104, 1152, 1155, 1230],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Registrations that failed, with the code of the failure.
pub const REGISTRATIONS: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[202, 203, 204, 205, 206, 244, 245, 304, 305, 324],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// All that can name a key's code.
pub const WANTS: [Want; 6] = [RECORDS, KEY_RECORDS, REGISTRATIONS, DIALOGS[0], DIALOGS[1], DIALOGS[2]];

/// Calls of the cloud provider: unjoined machines log failures of theirs without any fault (R35).
const PLUGIN_CALL: u32 = 1104;
/// Records that a key was refused or could not decrypt: alone they are a warning.
pub const REFUSALS: [u32; 4] = [1082, 1083, 1103, 1152];
/// What the dialog says on an English Windows.
const MALFUNCTIONED: &str = "trusted platform module has malfunctioned";

/// What a code says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The key is not there, or not usable any more.
    Gone,
    /// Another failure of the TPM or of the key storage.
    Failed,
    /// Follows a reset password as well as a changed TPM (R50).
    Ambiguous,
    /// The TPM defends itself or is busy: goes by.
    Locked,
    /// A TPM in FIPS mode, which is not supported.
    Fips,
    /// The broker could not use a key to sign, or has no right to it.
    Signing,
    /// The meaning is not confirmed.
    Unconfirmed,
    /// The key needs a prompt, and its caller asked for none (`NTE_SILENT_CONTEXT`).
    Silent,
    /// The user closed the prompt (`NTE_USER_CANCELLED`): nothing is wrong with the key.
    Cancelled,
}

/// Codes with a meaning of their own (domain.md 5.18, R50).
const KINDS: &[(Kind, &[u32])] = &[
    (Kind::Gone, &[0x8009_0016, 0x8009_0011, 0x8009_000d]),
    (Kind::Ambiguous, &[0x8009_000b, 0x8009_0034, 0x8009_002d]),
    (Kind::Locked, &[0x8009_0031, 0x8028_0803, 0x8028_0800]),
    (Kind::Fips, &[0x8028_0036]),
    (Kind::Signing, &[0xcaa1_0040, 0xcaa8_2f99, 0xcaa8_2f9a]),
    (Kind::Unconfirmed, &[0xc009_0016]),
    (Kind::Silent, &[0x8009_0022]),
    (Kind::Cancelled, &[0x8009_0036]),
];

/// What a code says about a key; `None` for every other code. A row of the table of codes beats a pattern (R40): certificate codes begin with
/// the same digits.
pub fn kind_of(code: ErrorCode) -> Option<Kind> {
    if code.aadsts().is_some() {
        return None;
    }
    let value = code.value();
    if let Some((kind, _)) = KINDS.iter().find(|(_, codes)| codes.contains(&value)) {
        return Some(*kind);
    }
    let failed = matches!(value >> 28, 0x8 | 0xc);
    let tpm = matches!((value >> 16) & 0xfff, 0x028 | 0x029);
    let storage = (value >> 8) & 0xf_ffff == 0x0_0900;
    let rows = knowledge::meanings(&code.to_string());
    let ours = rows.is_empty() || rows.iter().any(|row| row.checks.contains("tpm-key-health"));
    (failed && (tpm || storage) && ours).then_some(Kind::Failed)
}

/// A recorded failure of a key.
pub struct Fault<'e> {
    /// The code; `None` when only a dialog's words tell.
    pub code: Option<ErrorCode>,
    /// What it says.
    pub kind: Kind,
    /// The record.
    pub event: Sourced<&'e Event>,
}

impl Fault<'_> {
    /// Whether it only stands in a record that is a warning by itself.
    pub fn is_refusal(&self) -> bool {
        self.event.value.provider.eq_ignore_ascii_case(KEY_RECORDS.provider)
            && REFUSALS.contains(&self.event.value.event_id)
    }

    /// The code and its meaning.
    pub fn words(&self) -> String {
        let Some(code) = self.code else { return "a dialog says that the TPM has malfunctioned".to_owned() };
        match knowledge::meanings(&code.to_string()).first() {
            Some(row) => format!("{code}: {}", row.meaning),
            None => code.to_string(),
        }
    }
}

/// Failures of keys inside the failure window that concern the affected user or nobody's session, oldest first; those of other users become a
/// note.
pub fn faults<'e>(case: &Case<'e>, j: &Judgement) -> Vec<Fault<'e>> {
    let user = affected(case);
    let joined = join::is_known(case);
    let mut events: Vec<Sourced<&Event>> = WANTS.into_iter().flat_map(|want| case.events(want)).collect();
    events.sort_by_key(|event| (event.value.time, event.source.artifact, event.value.record_id));
    let mut found = Vec::new();
    for event in events {
        let is_call = event.value.event_id == PLUGIN_CALL
            && event.value.provider.eq_ignore_ascii_case(KEY_RECORDS.provider);
        if is_call && !joined {
            continue;
        }
        let Some((code, kind)) = fault_in(event.value) else { continue };
        if is_of_another_user(user.as_ref(), event.value) {
            let code = code.map_or_else(|| "a dialog about the TPM".to_owned(), |code| code.to_string());
            j.note(format!("Another user's sign-in recorded a failure of a key ({code})."));
        } else {
            found.push(Fault { code, kind, event });
        }
    }
    found
}

fn fault_in(event: &Event) -> Option<(Option<ErrorCode>, Kind)> {
    let text = event.all_text();
    let dialog = DIALOGS.iter().any(|want| event.provider.eq_ignore_ascii_case(want.provider));
    let codes = if dialog { dialog_codes(&text) } else { record_codes(event, &text) };
    let coded = codes.into_iter().find_map(|code| kind_of(code).map(|kind| (Some(code), kind)));
    let told = dialog && text.to_lowercase().contains(MALFUNCTIONED);
    coded.or(told.then_some((None, Kind::Gone)))
}

/// The codes of a record: those in its fields before those inside its texts.
fn record_codes(event: &Event, text: &str) -> Vec<ErrorCode> {
    const FIELDS: [&str; 5] = ["ProviderErrorCode", "Status", "Result", "ExitCode", "ErrorCode"];
    let fields = FIELDS.iter().filter_map(|name| event.field(name)).filter_map(ErrorCode::parse);
    codes_of(event).into_iter().chain(fields).chain(codes_in(text)).collect()
}

/// The codes of a dialog, which shows them as eight bare digits as well.
fn dialog_codes(text: &str) -> Vec<ErrorCode> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let bare = words.filter(|word| word.len() == 8 && word.starts_with(['8', 'c', 'C']));
    let bare = bare.filter_map(|word| u32::from_str_radix(word, 16).ok()).map(ErrorCode::from_value);
    codes_in(text).into_iter().chain(bare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_codes() {
        // domain.md 5.18, section 7 rules 4 and 5, R40 and R50.
        for (text, kind) in [
            ("0x80090016", Some(Kind::Gone)),
            ("-2146893802", Some(Kind::Gone)),
            ("0x8009000D", Some(Kind::Gone)),
            ("0x8009000B", Some(Kind::Ambiguous)),
            ("0x80090034", Some(Kind::Ambiguous)),
            ("0x80090031", Some(Kind::Locked)),
            ("0x80280803", Some(Kind::Locked)),
            ("0x80280036", Some(Kind::Fips)),
            ("0xCAA10040", Some(Kind::Signing)),
            ("0xC0090016", Some(Kind::Unconfirmed)),
            ("0x80090022", Some(Kind::Silent)),
            ("0x80090036", Some(Kind::Cancelled)),
            ("0x80290401", Some(Kind::Failed)),
            ("0x80280095", Some(Kind::Failed)),
            ("0x800900FF", Some(Kind::Failed)),
            ("0xC0290412", Some(Kind::Failed)),
            ("0x80090308", None),
            ("0x80092013", None),
            ("0x80096004", None),
            ("0x800B0109", None),
            ("0x4009000D", None),
            ("AADSTS50126", None),
        ] {
            assert_eq!(kind_of(ErrorCode::parse(text).unwrap()), kind, "{text}");
        }
    }

    #[test]
    fn a_dialog_shows_bare_digits() {
        let codes = dialog_codes("contact your system administrator with error code 80090016. P1: 10021600");
        assert_eq!(codes, [ErrorCode::from_value(0x8009_0016)]);
    }
}
