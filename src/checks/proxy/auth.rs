//! A proxy wants credentials that services and the sign-in window do not give.
//!
//! # What it looks at
//! Inside the failure window: HTTP 407 and its kin (CAA30197, CAA70008, 12015, WS_E_PROXY_REQUIRES_…, 0x803D0016) and AADSTS50002 in the
//! records of the broker, of device registration, BITS, Windows Update and in Office dialogs; answers of `curl` and `Invoke-WebRequest`.
//!
//! # Why it blocks activation
//! Licensing and device registration run without a user who could type a password. A proxy that asks for one gets no answer, and the
//! request ends there. AADSTS50002 means that a proxy adds a tenant restriction which does not allow the tenant.
//!
//! # Fix
//! Let the required addresses pass the proxy without authentication, or let the proxy accept the computer account (Kerberos). For AADSTS50002:
//! add the tenant to the header that the proxy inserts.
//!
//! # Verify
//! No 407 in a new attempt, and activation gets further.
//!
//! # When this is wrong
//! Negotiation begins with a 407: only a request that ended with it counts. AADSTS500021 and 500022 belong to `security-defaults-ca`, whose
//! remedy names the proxy too. Only a later success of the same account repairs a refusal: a user who passes proves nothing about SYSTEM, and
//! an answer of the server proves nothing about the tenant, which only a token does. A registration that `dsregcmd` shows from before the
//! failure window is a note. 12015 can also come from a server that wants a sign-in.
//!
//! # Sources
//! domain.md 5.3 `proxy-auth`, section 7; decision 4; R16 of section 14.

use std::collections::BTreeMap;

use super::egress::by_service;
use super::{REGISTRATION, TRANSFERS};
use crate::artifact::capture::dsregcmd::Entry;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::artifact::security::Sid;
use crate::checks::broker::TOKEN_GIVEN;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Judgement;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::os::Generation;
use crate::evidence::users::SIGN_IN;
use crate::evidence::{Confidence, Sourced, captures};
use crate::time::FileTime;

/// Answers that the broker got: `value` is the HTTP status.
const ANSWERS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1025],
    channels: &["Microsoft-Windows-AAD/Operational"],
};

/// HTTP "proxy authentication required".
const PROXY_AUTHENTICATION_REQUIRED: u32 = 407;
/// `ERROR_WINHTTP_LOGIN_FAILURE`.
const LOGIN_FAILURE: u32 = 12_015;
/// The broker could not download without credentials.
const BROKER_AUTHENTICATION: u32 = 0xcaa7_0008;
/// WS_E_PROXY_ACCESS_DENIED, then WS_E_PROXY_REQUIRES_BASIC, DIGEST, NTLM and NEGOTIATE_AUTH.
const WEB_SERVICES: [u32; 5] = [0x803d_0016, 0x803d_0018, 0x803d_0019, 0x803d_001a, 0x803d_001b];
/// Tenant restriction set by a proxy. 500021 and 500022 belong to security-defaults-ca (decision 4).
const TENANT_RESTRICTION: u32 = 50_002;

/// A log that must cover the window for "healthy".
struct Log {
    channels: &'static [&'static str],
    collect: &'static str,
    /// It came with Windows 10.
    new: bool,
}

const LOGS: &[Log] = &[
    Log { channels: signals::BROKER.channels, collect: collect::AAD_LOG, new: true },
    Log { channels: REGISTRATION.channels, collect: collect::REGISTRATION_LOG, new: true },
    Log { channels: TRANSFERS.channels, collect: collect::BITS_LOG, new: false },
    Log {
        channels: &["Microsoft-Windows-WindowsUpdateClient/Operational", "System"],
        collect: collect::UPDATE_LOG,
        new: false,
    },
];

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-auth",
    title: "A proxy wants credentials",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[ANSWERS, REGISTRATION, TRANSFERS, TOKEN_GIVEN],
    healthy: "No proxy asked for credentials in the failure window.",
    source_text: include_str!("auth.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let refused = refusals(case);
    let (repaired, open) = sort_out(case, &refused);
    if let Some(last) = repaired.last() {
        j.note(format!(
            "A proxy refused requests ({} record(s) up to {}) and later let those of the same account pass: was, now repaired.",
            repaired.len(),
            last.value.time
        ));
    }
    if let Some(last) = open.last() {
        let fields = [
            "Error",
            "ErrorMessage",
            "value",
            "EndpointUri",
            "ErrorCode",
            "dwError",
            "hr",
            "proxy",
            "errorCode",
            "Result",
        ];
        j.blocker(
            Confidence::High,
            format!("{} ({} record(s) in the failure window).", meaning(last.value), open.len()),
            [event_seen(last, &fields)],
        );
    }
    pages(case, j);
    status_output(case, j);
    covered(case, j);
}

/// On whose behalf a request was made: a proxy that lets a user pass can still refuse SYSTEM.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Account {
    /// A service, or a log that only services write.
    Service,
    /// BITS, whose transfers belong to services and to users.
    Transfers,
    /// This person.
    Person(String),
    /// The record does not say.
    Unknown,
}

impl Account {
    fn of(event: &Event) -> Self {
        let is = |want: Want| event.provider.eq_ignore_ascii_case(want.provider);
        let sid = event.user_sid.as_ref().map(Sid::new);
        match sid {
            _ if is(TRANSFERS) => Self::Transfers,
            _ if is(REGISTRATION) || is(signals::UPDATES_FAILED) || by_service(event) => Self::Service,
            Some(sid) if sid.is_person() => Self::Person(sid.0),
            _ => Self::Unknown,
        }
    }
}

/// Refusals after which the same account got through, and the others.
fn sort_out<'e>(
    case: &Case<'e>,
    refused: &[Sourced<&'e Event>],
) -> (Vec<Sourced<&'e Event>>, Vec<Sourced<&'e Event>>) {
    let kin = |event: &Event| (is_of_tenant(event), Account::of(event));
    // Oldest first, so the newest of each kind stays.
    let newest: BTreeMap<_, _> = refused.iter().map(|event| (kin(event.value), event.value.time)).collect();
    let passed = worked(case);
    let tokens = case.events(TOKEN_GIVEN);
    let is_repaired = |event: &Event| {
        let (tenant, account) = kin(event);
        let last = newest.get(&(tenant, account.clone())).copied().unwrap_or(event.time);
        // What lets a request pass says nothing of the tenant: only a token does.
        let good = if tenant { &tokens } else { &passed };
        account != Account::Unknown
            && good
                .iter()
                .any(|good| good.value.time > last && account_of_good(good.value, tenant) == account)
    };
    refused.iter().cloned().partition(|event| is_repaired(event.value))
}

/// Whose success a record tells. The log of device registration also tells of tokens that users were given.
fn account_of_good(event: &Event, token: bool) -> Account {
    match event.user_sid.as_ref().map(Sid::new).filter(|sid| token && sid.is_person()) {
        Some(sid) => Account::Person(sid.0),
        None => Account::of(event),
    }
}

/// Codes in a record: of its code fields, and inside its texts.
fn codes_of(event: &Event) -> impl Iterator<Item = ErrorCode> {
    event.data.iter().flat_map(|field| match ErrorCode::parse(field.value) {
        Some(code) if is_code_field(field.name) => vec![code],
        // Numbers of other fields are sizes and ports; codes inside texts are unmistakable.
        _ => codes_in(field.value),
    })
}

fn is_code_field(name: &str) -> bool {
    const NAMES: [&str; 8] =
        ["Error", "Result", "hr", "errorCode", "dwError", "dwResult", "ExitCode", "HTTPTransportError"];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a code says that a proxy wants credentials, or denies the tenant.
fn is_refusal(code: ErrorCode) -> bool {
    is_proxy_refusal(code) || code.aadsts() == Some(TENANT_RESTRICTION)
}

/// Whether a code says that a proxy wants credentials.
pub fn is_proxy_refusal(code: ErrorCode) -> bool {
    code.http_status() == Some(PROXY_AUTHENTICATION_REQUIRED)
        || code.win32() == Some(LOGIN_FAILURE)
        || (code.aadsts().is_none()
            && (code.value() == BROKER_AUTHENTICATION || WEB_SERVICES.contains(&code.value())))
}

fn status_of(event: &Event) -> Option<u32> {
    event.field("value").and_then(|text| text.trim().parse().ok())
}

/// Records of a refusal inside the window, oldest first.
fn refusals<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let wants = signals::ALL.iter().chain(SIGN_IN).chain(&[REGISTRATION, TRANSFERS]);
    let mut found: Vec<Sourced<&Event>> = wants.flat_map(|want| case.events(*want)).collect();
    found.retain(|event| codes_of(event.value).any(is_refusal));
    let answers = case.events(ANSWERS).into_iter();
    found.extend(answers.filter(|event| status_of(event.value) == Some(PROXY_AUTHENTICATION_REQUIRED)));
    found.sort_by_key(|event| (event.value.time, event.source.artifact, event.value.record_id));
    found.dedup_by_key(|event| (event.value.time, event.source.artifact, event.value.record_id));
    found
}

/// Answers by which a proxy, too, refuses or fails (R16): they show no way through.
const NO_WAY_THROUGH: [u32; 3] = [403, PROXY_AUTHENTICATION_REQUIRED, 451];

/// Requests that got through: transfers through a proxy, and answers to the broker from beyond it.
fn worked<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let mut good = case.events(TRANSFERS);
    good.retain(|event| {
        !super::proof::used_by(event.value).is_empty() && super::proof::succeeded(event.value) == Some(true)
    });
    let answers = case.events(ANSWERS).into_iter();
    good.extend(answers.filter(|event| {
        status_of(event.value)
            .is_some_and(|status| (100..500).contains(&status) && !NO_WAY_THROUGH.contains(&status))
    }));
    good
}

fn is_of_tenant(event: &Event) -> bool {
    codes_of(event).any(|code| code.aadsts() == Some(TENANT_RESTRICTION))
}

/// What the newest refusal says.
fn meaning(event: &Event) -> &'static str {
    if is_of_tenant(event) {
        "A proxy adds a tenant restriction that does not allow this tenant (AADSTS50002)"
    } else {
        "A proxy asked for credentials and got none"
    }
}

/// Answers to `curl` and `Invoke-WebRequest`: a 407 counts when the request ended with it.
fn pages(case: &Case<'_>, j: &Judgement) {
    for capture in case.evidence.captures.each(CaptureKind::HttpResponse) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        let Some(last) =
            data.responses.last().filter(|last| u32::from(last.status) == PROXY_AUTHENTICATION_REQUIRED)
        else {
            continue;
        };
        let schemes = last.authenticate.as_deref().unwrap_or("not shown");
        let seen = captures::line(capture.source.artifact, last.line);
        j.blocker(
            Confidence::Medium,
            "A proxy answered a test request with 407 (proxy authentication required).",
            [seen.shows(format!("HTTP 407, schemes: {schemes}")).expected("an answer of the server")],
        );
    }
}

/// Failed attempts that `dsregcmd /status` shows: the one to get a token, and the registration of the device. Windows keeps them for
/// years: one from before the window is no present fault. That of a token is shown only until a newer one succeeds, so it stays a warning.
fn status_output(case: &Case<'_>, j: &Judgement) {
    let is_old =
        |time: Option<FileTime>| time.zip(case.window()).is_some_and(|(at, window)| at < window.from);
    for capture in case.captures(CaptureKind::Dsregcmd) {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { continue };
        let seen = |entry: &Entry| {
            captures::line(capture.source.artifact, entry.line)
                .shows(format!("{} : {}", entry.key, entry.value))
        };
        for block in data.prt_diagnostics() {
            let Some(entry) = block.entries.iter().find(|entry| refuses(entry)) else { continue };
            match is_old(block.time()) {
                false => j.blocker(Confidence::Medium, ATTEMPT_REFUSED, [seen(entry)]),
                true => j.warning(
                    Confidence::Low,
                    format!("{ATTEMPT_REFUSED} That was before the failure window."),
                    [seen(entry)],
                ),
            }
        }
        if let Some(entry) = TESTS.iter().filter_map(|key| data.diagnostic(key)).find(|entry| refuses(entry))
        {
            j.blocker(Confidence::Medium, ATTEMPT_REFUSED, [seen(entry)]);
        }
        let previous = data.previous_registration().map(|at| at.value);
        let registration =
            REGISTRATION_CODES.iter().filter_map(|key| data.diagnostic(key)).find(|entry| refuses(entry));
        match (registration, previous) {
            (Some(entry), Some(at)) if is_old(previous) => j.note(format!(
                "A registration of the device ended at a proxy before the failure window ({}: {} : {}).",
                at.date(),
                entry.key,
                entry.value
            )),
            (Some(entry), _) => j.blocker(Confidence::Medium, ATTEMPT_REFUSED, [seen(entry)]),
            (None, _) => {}
        }
    }
}

const ATTEMPT_REFUSED: &str =
    "A failed attempt in dsregcmd /status ended at a proxy that wants credentials or restricts tenants.";

/// Whether an entry of the diagnostics shows the answer of such a proxy.
fn refuses(entry: &Entry) -> bool {
    let is_status = entry.key.to_ascii_lowercase().ends_with("status");
    let status = entry.value.trim().parse::<u32>().ok().filter(|_| is_status);
    status == Some(PROXY_AUTHENTICATION_REQUIRED) || codes_in(&entry.value).into_iter().any(is_refusal)
}

/// Tests that `dsregcmd` itself made.
const TESTS: [&str; 3] = ["DRS Discovery Test", "DRS Connectivity Test", "Token acquisition Test"];
/// Entries of the previous registration with an answer or a code in them.
const REGISTRATION_CODES: [&str; 4] =
    ["Client ErrorCode", "Server ErrorCode", "Server Message", "Https Status"];

/// "Healthy" needs logs that cover the window. The broker and device registration came with Windows 10.
fn covered(case: &Case<'_>, j: &Judgement) {
    let old = case.need_generation(j).is_some_and(|generation| generation < Generation::Ten);
    for log in LOGS.iter().filter(|log| !(old && log.new)) {
        case.need_log(j, log.channels, log.collect);
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Ask whoever runs the proxy for its log of the machine at the time of the record: which address, which answer.",
            "Let the required addresses pass without authentication, or send them direct by the bypass list or the PAC file.",
            "If the proxy must authenticate: let it accept Kerberos of computer accounts, so that services pass without a password.",
            "For AADSTS50002: add the tenant to the tenant restriction header that the proxy inserts.",
        ],
        "Do not store a user's password for services: it ends up in clear text and fails at the next change.",
        "Take the exception on the proxy back.",
        "curl.exe -I https://login.microsoftonline.com as SYSTEM shows no 407; then try activation again.",
        &[ARTICLE_NETWORK],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_refusals() {
        // domain.md 5.3 proxy-auth and error_codes.tsv: 12015 in all notations, 407 of BITS and broker, web services.
        for text in [
            "12015",
            "0x80072EEF",
            "CAA82EEF",
            "CAA30197",
            "0x80190197",
            "CAA70008",
            "0x803D0016",
            "0x803D001B",
            "AADSTS50002",
        ] {
            assert!(is_refusal(ErrorCode::parse(text).unwrap()), "{text}");
        }
        // Decision 4; 403 and a time-out are other failures.
        for text in ["AADSTS500021", "AADSTS500022", "CAA30193", "12002", "0x803D0015"] {
            assert!(!is_refusal(ErrorCode::parse(text).unwrap()), "{text}");
        }
    }
}
