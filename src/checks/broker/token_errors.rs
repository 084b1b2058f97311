//! The broker records errors when it asks for tokens.
//!
//! # What it looks at
//! Warnings and errors of the plug-ins, of ADAL and of the token broker (AAD 1097, 1098, 1100, 1101, 1111, 1112), refusals of Web Account
//! Manager (User Device Registration 324, AAD 1202, 1203, 1215), each by its code; whether the machine was on a network at that time; tokens
//! that were given later.
//!
//! # Why it blocks activation
//! These records are the sign-in's own words. A code of the network class means that the broker did not reach the sign-in service, though
//! Windows was connected; a TPM code that it cannot use the device's keys; an OAuth code that the service refused.
//!
//! # Fix
//! Follow the class: network codes lead to proxy, firewall, DNS and TLS; TPM codes to `tpm-key-health`; OAuth codes to `aadsts-signin-errors`.
//!
//! # Verify
//! A new sign-in writes no error, or User Device Registration 325 (a token was given).
//!
//! # When this is wrong
//! Every log holds warnings that report success (0x8AA500DB, 0x4AA500F0 …): they never count. Errors while the machine was on no network, or
//! within two minutes after it started or woke up, are ordinary. CAA2000C and CAA10001 only say that the user has to be asked. One failure can
//! leave several records: those with one correlation id, or with one code within five seconds, count once.
//!
//! # Sources
//! domain.md 5.5 `wam-token-broker-errors`, section 7; trap 25; R34, R35 and R40 of section 14; "connection issue when signing in to Office
//! 2016" (learn.microsoft.com).

use super::keys::{self, Kind};
use super::link::{self, History, Link};
use super::state::{OPERATION_FAILED, SERVER_START};
use super::{
    RECORDS, SECTION, TOKEN_GIVEN, affected, codes_of, is_of_another_user, record_seen, token_given, too_old,
};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::identity::answers::Good;
use crate::checks::identity::join;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals::Mark;
use crate::checks::{ARTICLE_NETWORK, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Sourced};
use crate::knowledge;

/// Web Account Manager gave no token.
const NO_TOKEN: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[324],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// The browser's helper and the extension for tokens failed.
const HELPERS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1202, 1203, 1215],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// The extension, which unjoined machines write without any fault (R35).
const EXTENSION: u32 = 1215;

/// The check.
pub const CHECK: Check = Check {
    id: "wam-token-broker-errors",
    title: "The broker records errors when it asks for tokens",
    layer: Layer::Broker,
    article: SECTION,
    wants: &[
        RECORDS,
        NO_TOKEN,
        HELPERS,
        TOKEN_GIVEN,
        signals::NETWORKS,
        link::CAPABILITY,
        link::BOOTS,
        link::RESUMES,
    ],
    healthy: "The broker recorded no error that counts.",
    source_text: include_str!("token_errors.rs"),
    run,
    remedy,
};

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The sign-in service was not reached.
    Network,
    /// The device's keys cannot be used.
    Tpm,
    /// The sign-in service refused: another check reads that.
    SignIn,
    /// The user has to be asked.
    Prompt,
    /// The broker itself failed.
    Broker,
    /// A failure that other checks judge.
    Other,
    /// Success, or a code that no table knows (R34).
    Ignored,
}

/// Numbers of WinHTTP and WinINET, those of handshakes and certificates among them: a request of the broker did not get through.
const TRANSPORT: std::ops::RangeInclusive<u32> = 12_000..=12_185;
/// The facility of answers of the sign-in service.
const OAUTH: u32 = 0xcaa2;

/// The class of a code. An exact row of the table of codes beats a pattern (R40).
fn class_of(code: ErrorCode) -> Class {
    if !signals::is_broker_failure(code) && !is_timeout(code) {
        return Class::Ignored;
    }
    if signals::is_prompt(code) || keys::kind_of(code) == Some(Kind::Cancelled) {
        return Class::Prompt;
    }
    let facility = code.value() >> 16;
    let exact = knowledge::meanings(&code.to_string());
    let owners: Vec<&str> = exact.iter().flat_map(|meaning| meaning.checks.split(',')).collect();
    if owners.contains(&"tpm-key-health") {
        return Class::Tpm;
    }
    if facility == OAUTH || owners.contains(&"aadsts-signin-errors") {
        return Class::SignIn;
    }
    if signals::is_network(code) || code.win32().is_some_and(|number| TRANSPORT.contains(&number)) {
        return Class::Network;
    }
    // Without a row of their own: 0x?028…, 0x?029… and the key storage's 0x800900.. (R40).
    let by_pattern = matches!(facility & 0xfff, 0x028 | 0x029) || code.value() >> 8 == 0x80_0900;
    if exact.is_empty() && by_pattern {
        return Class::Tpm;
    }
    if owners.contains(&"wam-token-broker-errors") { Class::Broker } else { Class::Other }
}

/// 0x102 and 0x80070102: the article names both.
fn is_timeout(code: ErrorCode) -> bool {
    code.win32() == Some(0x102)
}

/// The code of a record: the provider's own before what wraps it.
fn code_of(event: &Event) -> Option<ErrorCode> {
    let fields = ["ProviderErrorCode", "Error", "Result", "ErrorCode"];
    let mut codes = fields.iter().filter_map(|name| event.field(name)).filter_map(ErrorCode::parse);
    codes.find(|code| !code.is_success())
}

/// A failure of a call of Windows (CAA50002) is decoded by what it wraps. The token broker's own wrapper says nothing by itself (R39): with the
/// code that every logon can write it is that code, which counts nowhere.
fn judged_code(event: &Event) -> Option<ErrorCode> {
    let code = code_of(event)?;
    let codes = codes_of(event);
    if code.value() == OPERATION_FAILED
        && let Some(start) = codes.iter().find(|inner| inner.value() == SERVER_START)
    {
        return Some(*start);
    }
    let tells = |inner: &ErrorCode| matches!(class_of(*inner), Class::Network | Class::Tpm);
    let inner = codes.into_iter().find(|inner| *inner != code && tells(inner));
    match class_of(code) {
        Class::Broker => Some(inner.unwrap_or(code)),
        _ => Some(code),
    }
}

/// One failure, however many records it left.
struct Failure<'r> {
    class: Class,
    code: ErrorCode,
    mark: Mark,
    event: &'r Sourced<&'r Event>,
}

fn run(case: &Case<'_>, j: &Judgement) {
    if too_old(case, j) {
        return;
    }
    let records = records(case);
    let user = affected(case);
    let mut failures: Vec<Failure<'_>> = Vec::new();
    for event in &records {
        let Some(code) = judged_code(event.value) else { continue };
        let class = class_of(code);
        if is_of_another_user(user.as_ref(), event.value) {
            if class == Class::Network || class == Class::Tpm {
                j.note(format!("Another user's broker recorded {code}."));
            }
            continue;
        }
        remark(j, class, code);
        let mark = Mark::of(event.value);
        if !failures.iter().any(|known| known.code == code && known.mark.is_same(&mark)) {
            failures.push(Failure { class, code, mark, event });
        }
    }
    let of = |class: Class| -> Vec<&Sourced<&Event>> {
        failures.iter().filter(|failure| failure.class == class).map(|failure| failure.event).collect()
    };
    let given = token_given(case).map(|event| event.value.time);
    let given_since = |event: &Sourced<&Event>| given.is_some_and(|given| given > event.value.time);
    network(case, j, &of(Class::Network), given_since);
    // The same that ends a finding of tpm-key-health: a token of after, or one that is valid at the collection.
    let works = |event: &Sourced<&Event>| given_since(event) || Good::read(case).token.is_some();
    if let Some(last) = of(Class::Tpm).last() {
        if works(last) {
            j.note("The broker could not use a key of the device, but a token was given since: it was, and is now repaired.");
        } else {
            tpm(j, &of(Class::Tpm), last);
        }
    }
    match of(Class::Broker).as_slice() {
        [] => {}
        [one] => j.note(format!("The broker failed once, at {}: not enough to count.", one.value.time)),
        [.., last] if given_since(last) => {
            j.note("The broker failed in the failure window, but a token was given later: it was, and is now repaired.");
        }
        [.., last] => {
            let summary =
                format!("The broker itself failed {} times in the failure window.", of(Class::Broker).len());
            j.warning(Confidence::Low, summary, [seen(last)]);
        }
    }
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
}

/// Errors of the device's keys: the cause is judged by `tpm-key-health`.
fn tpm(j: &Judgement, errors: &[&Sourced<&Event>], last: &Sourced<&Event>) {
    let summary = format!("The broker recorded {} error(s) of the device's keys (TPM class).", errors.len());
    j.warning(Confidence::Medium, summary, [seen(last)]);
}

/// All records, oldest first; those of the token extension only where the device is joined or registered (R35).
fn records<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let mut records = case.events(RECORDS);
    records.extend(case.events(NO_TOKEN));
    let joined = join::is_known(case);
    records
        .extend(case.events(HELPERS).into_iter().filter(|event| joined || event.value.event_id != EXTENSION));
    records.sort_by_key(|event| (event.value.time, event.source.artifact, event.value.record_id));
    records
}

/// Notes for classes that raise nothing here.
fn remark(j: &Judgement, class: Class, code: ErrorCode) {
    let owner = || {
        let meanings = knowledge::meanings(&code.to_string());
        meanings
            .iter()
            .map(|meaning| meaning.checks)
            .find(|checks| !checks.is_empty())
            .unwrap_or("no check")
            .replace(',', ", ")
    };
    match class {
        Class::Ignored => {
            j.note(format!("{code} reports success or is not known as an error: it does not count."))
        }
        Class::Prompt => j.note(format!("{code} only says that the user has to be asked.")),
        Class::SignIn => {
            j.note(format!("{code} is an answer of the sign-in service: see aadsts-signin-errors."))
        }
        Class::Other => j.note(format!("{code} is judged elsewhere: {}.", owner())),
        Class::Network | Class::Tpm | Class::Broker => {}
    }
}

fn seen(event: &Sourced<&Event>) -> Observation {
    if event.value.provider.eq_ignore_ascii_case(RECORDS.provider)
        && RECORDS.ids.contains(&event.value.event_id)
    {
        return record_seen(event);
    }
    event_seen(event, &["ProviderErrorCode", "ProviderErrorMessage", "Result", "FunctionName"])
}

/// Errors of the network class, by whether the machine was on a network then.
fn network(
    case: &Case<'_>,
    j: &Judgement,
    errors: &[&Sourced<&Event>],
    given_since: impl Fn(&Sourced<&Event>) -> bool,
) {
    let Some(newest) = errors.last() else { return };
    if given_since(newest) {
        j.note("The broker did not reach the sign-in service in the failure window, but a token was given later: it was, and is now repaired.");
        return;
    }
    let history = History::read(case);
    let when = |link: Link| -> Vec<&Sourced<&Event>> {
        errors.iter().copied().filter(|event| history.at(event.value.time) == link).collect()
    };
    let (online, unclear) = (when(Link::Up), when(Link::Unknown));
    let evidence =
        |events: &[&Sourced<&Event>]| events.iter().rev().take(3).map(|event| seen(event)).collect();
    if online.len() >= 2 {
        let summary = format!(
            "The broker did not reach the sign-in service {} times though a network was connected.",
            online.len()
        );
        j.row(Status::Blocker, Confidence::Medium, summary, evidence(&online));
        return;
    }
    let counted: Vec<&Sourced<&Event>> = online.into_iter().chain(unclear).collect();
    match counted.len() {
        0 => j.note("The broker's network errors were recorded while the machine was on no network, or had only just started: ordinary."),
        1 => {
            let summary = "The broker did not reach the sign-in service once in the failure window.".to_owned();
            j.row(Status::Warning, Confidence::Low, summary, evidence(&counted));
        }
        many => {
            let summary = format!(
                "The broker did not reach the sign-in service {many} times; whether a network was connected then is not known."
            );
            j.row(Status::Warning, Confidence::Medium, summary, evidence(&counted));
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Look at the findings that explain this one first: proxy, firewall, DNS, TLS, TPM.",
            "Decode the code in the record: actriage explain CODE.",
            "As the affected user open https://login.microsoftonline.com in a browser; as a service test Test-NetConnection login.microsoftonline.com -Port 443.",
            "Sign in again in an Office program and look for new records in Microsoft-Windows-AAD/Operational.",
        ],
        "Nothing is changed by these steps. Do not clear the TPM or leave the directory for a network code.",
        "Nothing has to be undone.",
        "No new record with such a code, or User Device Registration 325 after a sign-in.",
        &[
            "https://learn.microsoft.com/troubleshoot/microsoft-365/admin/authentication/connection-issue-when-sign-in-office-2016",
            ARTICLE_NETWORK,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_codes() {
        // domain.md 5.5, section 7 and R40; exact rows of the table of codes beat the patterns.
        for (code, class) in [
            ("0xCAA82EE2", Class::Network),
            ("0xCAA70007", Class::Network),
            ("0xCAA30194", Class::Network),
            ("0x102", Class::Network),
            ("0x80070102", Class::Network),
            ("0x80072EE7", Class::Network),
            ("0xCAA30190", Class::SignIn),
            ("0xCAA20003", Class::SignIn),
            ("0xCAA2000C", Class::Prompt),
            ("0xCAA10001", Class::Prompt),
            ("0x80090016", Class::Tpm),
            ("0x80280803", Class::Tpm),
            ("0x80290999", Class::Tpm),
            ("0x80090036", Class::Prompt),
            ("0x80072F7D", Class::Network),
            ("0x80072F19", Class::Network),
            ("0x800900FF", Class::Tpm),
            ("0xCAA50002", Class::Broker),
            ("0x80092013", Class::Other),
            ("0x80070520", Class::Other),
            ("0x8AA500DB", Class::Ignored),
            ("0x4AA500F0", Class::Ignored),
            ("0x80004005", Class::Ignored),
        ] {
            assert_eq!(class_of(ErrorCode::parse(code).unwrap()), class, "{code}");
        }
    }
}
