//! Office showed one of the errors of old Windows versions.
//!
//! # What it looks at
//! Dialogs of Office in the OAlerts log (event 300 of the Office 14, 15 and 16 alerts) and the broker's records: AADSTS9002313, 0xCAA20002, the
//! codes that come with "trouble activating" (0x803D0010, 0x803D0014, 0x8004FC12) and with "temporary server issues" (0xD0000272); licensing
//! exceptions with 0x803D0010 or 0x803D0014 in the Application log (Microsoft Office 16, event 2011).
//!
//! # Why it blocks activation
//! It is how a user meets the lack of TLS 1.2: the servers refuse the connection, and Office blames the network, a temporary fault or a
//! malformed request.
//!
//! # Fix
//! Act on the TLS finding. Where TLS is in order, look at proxy and inspection, and at the health of the service.
//!
//! # Verify
//! Activation succeeds and no new dialog appears.
//!
//! # When this is wrong
//! The texts are localised, so they are never matched by their words: an alert that reads like one of them but shows no number is an open
//! question, not a finding. Event 2011 is known from reports only, so it never weighs much. 12175 (0x80072F8F) in a dialog comes from WinINET,
//! where it is no TLS error. AADSTS9002313 has other causes too.
//!
//! # Sources
//! domain.md 5.1 `error-text-older-windows`, 4.1; decision 8; trap 11; the article on older Windows versions.

use super::failures::{TLS12, tls12_blocker, tls12_is_healthy};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, aadsts_in, codes_in};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{ARTICLE_OLDER_WINDOWS, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::{Coverage, Want};
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Sourced, Unknown};

/// The channel of the dialogs.
const CHANNEL: &str = "OAlerts";
/// Dialogs of Office 2010, 2013 and 2016 or later.
const ALERTS: [Want; 3] = [
    Want { provider: "Microsoft Office 16 Alerts", ids: &[300], channels: &[CHANNEL] },
    Want { provider: "Microsoft Office 15 Alerts", ids: &[300], channels: &[CHANNEL] },
    Want { provider: "Microsoft Office 14 Alerts", ids: &[300], channels: &[CHANNEL] },
];
/// Records of the broker that hold the answer of the token service.
const BROKER: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1081, 1097, 1098],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Errors of licensing that Office writes to the Application log. The events table marks the record unverified, so it is a weak sign.
const LICENSING: Want = Want { provider: "Microsoft Office 16", ids: &[2011], channels: &["Application"] };
/// Codes of its exception text on Windows without TLS 1.2.
const EXCEPTIONS: [u32; 2] = [0x803d_0010, 0x803d_0014];
/// "The request is malformed or invalid."
const MALFORMED: u32 = 9_002_313;
/// The same from the broker, when no AADSTS number of another meaning stands beside it.
const INVALID_REQUEST: u32 = 0xcaa2_0002;

/// The check.
pub const CHECK: Check = Check {
    id: "error-text-older-windows",
    title: "Office showed one of the errors of old Windows versions",
    layer: Layer::Tls,
    article: Article::OlderWindows,
    wants: &[ALERTS[0], ALERTS[1], ALERTS[2], BROKER, LICENSING],
    healthy: "Office showed none of the errors of old Windows versions.",
    source_text: include_str!("error_text_older_windows.rs"),
    run,
    remedy,
};

/// Which of the article's errors it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// (a) "trouble activating": the network or a temporary fault is blamed.
    Trouble,
    /// (b) AADSTS9002313.
    Malformed,
    /// (c) "temporary server issues".
    Server,
}

/// Codes that come with the texts, with their kind (error_codes.tsv; 803D: reports from Windows 7 without TLS 1.2).
const CODES: [(u32, Kind); 4] = [
    (0x803d_0010, Kind::Trouble),
    (0x803d_0014, Kind::Trouble),
    (0x8004_fc12, Kind::Trouble),
    (0xd000_0272, Kind::Server),
];
/// What the English texts say. Words alone decide nothing.
const WORDS: [&str; 3] = ["trouble activating", "temporary server issue", "malformed or invalid"];

/// The kind of a text, and the number that tells it.
fn kind_of(text: &str, from_office: bool) -> Option<(Kind, String)> {
    let aadsts = aadsts_in(text);
    if aadsts.contains(&MALFORMED) {
        return Some((Kind::Malformed, format!("AADSTS{MALFORMED}")));
    }
    let codes = codes_in(text);
    let named = |value: u32| codes.iter().find(|code| **code == ErrorCode::from_value(value));
    if aadsts.is_empty()
        && let Some(code) = named(INVALID_REQUEST)
    {
        return Some((Kind::Malformed, code.to_string()));
    }
    let coded = |(value, kind): (u32, Kind)| named(value).map(|code| (kind, code.to_string()));
    CODES.into_iter().filter(|_| from_office).find_map(coded)
}

fn run(case: &Case<'_>, j: &Judgement) {
    need_log(case, j);
    let mut hits = Vec::new();
    for event in ALERTS.iter().flat_map(|want| case.events(*want)) {
        let text = event.value.all_text();
        match kind_of(&text, true) {
            Some((kind, number)) => hits.push((kind, alert_seen(&event, &text, &number))),
            None => words_only(j, &event, &text),
        }
    }
    for event in case.events(BROKER) {
        if let Some((kind, number)) = kind_of(&event.value.all_text(), false) {
            hits.push((
                kind,
                event.shows(format!("{} {}, {number}", event.value.provider, event.value.event_id)),
            ));
        }
    }
    licensing(case, j);
    let newest = |kinds: &[Kind]| {
        let of_kind = hits.iter().filter(|(kind, _)| kinds.contains(kind));
        of_kind.max_by_key(|(_, seen)| seen.time).cloned()
    };
    if let Some((_, seen)) = newest(&[Kind::Malformed]) {
        malformed(case, j, seen);
    }
    if let Some((kind, seen)) = newest(&[Kind::Trouble, Kind::Server]) {
        temporary(case, j, kind, seen);
    }
}

/// A licensing exception with a code of the class. That there is none says nothing: not every Office writes this log.
fn licensing(case: &Case<'_>, j: &Judgement) {
    let code_in = |event: &Event| {
        let codes = codes_in(&event.all_text());
        codes.into_iter().find(|code| EXCEPTIONS.contains(&code.value()))
    };
    let newest =
        case.events(LICENSING).into_iter().rev().find_map(|event| Some((code_in(event.value)?, event)));
    if let Some((code, event)) = newest {
        let seen = event.shows(format!("{} {}, {code}", event.value.provider, event.value.event_id));
        j.warning(
            Confidence::Low,
            format!("Office recorded a licensing error ({code}) that is known from Windows without TLS 1.2."),
            [seen],
        );
    }
}

fn need_log(case: &Case<'_>, j: &Judgement) {
    let log = |reason: Option<String>| Unknown { what: format!("event log {CHANNEL}"), reason };
    match case.window().map(|window| case.evidence.events.coverage(&[CHANNEL], window)) {
        Some(Coverage::Whole(source)) => j.good(source.shows("covers the failure window")),
        Some(Coverage::Short(_, reason)) => j.missing(&log(Some(reason)), collect::OALERTS),
        Some(Coverage::None) | None => j.missing(&log(None), collect::OALERTS),
    }
}

/// An alert as evidence: the program, the number, and the id of the dialog, which is the same in every language.
fn alert_seen(event: &Sourced<&Event>, text: &str, number: &str) -> Observation {
    let program = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let id = text.split("P1:").nth(1).and_then(|rest| rest.split_whitespace().next());
    let id = id.filter(|id| id.chars().all(|c| c.is_ascii_digit()));
    let dialog = id.map(|id| format!(", dialog P1 {id}")).unwrap_or_default();
    event.shows(format!("{program}: {number}{dialog}"))
}

/// An alert that reads like one of the texts but shows no number: an open question.
fn words_only(j: &Judgement, event: &Sourced<&Event>, text: &str) {
    let folded = text.to_lowercase();
    let Some(words) = WORDS.into_iter().find(|words| folded.contains(words)) else { return };
    let what = format!("the number behind the dialog \"{words}\" of {}", event.value.time);
    let reason = Some(format!(
        "{} of the OAlerts log shows none, and words alone decide nothing",
        event.source.locator
    ));
    j.missing(
        &Unknown { what, reason },
        "the code that the dialog shows below its text, or the Office ULS log of that time",
    );
}

fn malformed(case: &Case<'_>, j: &Judgement, seen: Observation) {
    let new_windows = case.os().generation().is_some_and(|generation| generation >= Generation::Ten);
    let summary = match tls12_blocker(case) {
        Some(id) => format!("Sign-in was answered with \"malformed or invalid request\" (AADSTS9002313), as {id} makes it fail."),
        None if new_windows && tls12_is_healthy(case) => {
            "Sign-in was answered with \"malformed or invalid request\" (AADSTS9002313) although TLS 1.2 is in order: look at proxies, TLS inspection and aadsts-signin-errors.".to_owned()
        }
        None => format!("Sign-in was answered with \"malformed or invalid request\" (AADSTS9002313): mostly TLS 1.2 is not active ({}).", TLS12.join(", ")),
    };
    j.warning(Confidence::Medium, summary, [seen]);
}

fn temporary(case: &Case<'_>, j: &Judgement, kind: Kind, seen: Observation) {
    let text = match kind {
        Kind::Server => "\"temporary server issues\"",
        Kind::Trouble | Kind::Malformed => "\"trouble activating\"",
    };
    match tls12_blocker(case) {
        Some(id) => j.warning(Confidence::Medium, format!("Office reported {text}, as {id} makes it fail."), [seen]),
        None => j.warning(
            Confidence::Low,
            format!("Office reported {text}. If nothing else in this report explains it, compare with the service health page of the tenant."),
            [seen],
        ),
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Act on the findings on TLS 1.2 first; on Windows 8.1 and older install all updates before.",
            "Where TLS is in order: try once without proxy and TLS inspection, then read aadsts-signin-errors.",
            "Compare the time of the dialog with the service health page of the tenant (Microsoft 365 admin center > Health).",
        ],
        "A test without proxy or inspection is a test only: put them back.",
        "Nothing to undo but the test.",
        "Activation succeeds and the OAlerts log shows no new dialog.",
        &[ARTICLE_OLDER_WINDOWS],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_decide_and_words_do_not() {
        // domain.md 5.1: the AADSTS number or the code, in any language.
        let kind = |text: &str| kind_of(text, true).map(|(kind, _)| kind);
        assert_eq!(kind("Anmeldung fehlgeschlagen\nAADSTS9002313: …"), Some(Kind::Malformed));
        assert_eq!(kind("Fehlercode: 0x803D0014"), Some(Kind::Trouble));
        assert_eq!(kind("code 0xD0000272"), Some(Kind::Server));
        assert_eq!(kind("We're having trouble activating Office"), None);
        // Another number beside the broker's code tells another reason.
        assert_eq!(kind("0xCAA20002 AADSTS50011"), None);
        assert_eq!(kind("0xCAA20002"), Some(Kind::Malformed));
        // Trap 11: in a dialog 12175 comes from WinINET.
        assert_eq!(kind("0x80072F8F"), None);
        // The broker's log holds codes of many other programs.
        assert_eq!(kind_of("0x8004FC12", false), None);
    }
}
