//! Conditions of the table of causes: whether what a symptom rests on is what its cause would bring about.
//!
//! Each takes the machine, the cause's id and the symptom's id. They read the symptom's evidence (the recorded codes, the hosts, the
//! values), so a fault of another kind is not folded under a cause that happens to be there as well.

use crate::artifact::event_decode::{ErrorCode, aadsts_in, codes_in};
use crate::checks::case::Case;
use crate::checks::identity::device_fields;
use crate::checks::judgement::Observation;
use crate::checks::licensing::{network_service_spp_key, spp_service_health};
use crate::checks::services::{dependencies, svc_nlasvc};
use crate::checks::signals;
use crate::checks::system::{office_build, windows_update_health};
use crate::checks::tls::tls_handshake_events;
use crate::evidence::Lookup;
use crate::evidence::os::Generation;
use crate::knowledge;

/// A condition: the machine, the cause, the symptom.
pub type Condition = fn(&Case<'_>, &str, &str) -> bool;

/// The symptom follows whatever it rests on.
pub fn always(_: &Case<'_>, _: &str, _: &str) -> bool {
    true
}

/// NlaSvc depends on EventLog: read from the machine, else from Windows 8 on (R23).
pub fn nla_needs_eventlog(case: &Case<'_>, _: &str, _: &str) -> bool {
    match dependencies(case, "NlaSvc") {
        Lookup::Found(list) => list.value.iter().any(|name| name.eq_ignore_ascii_case("EventLog")),
        _ => case.os().generation().is_some_and(|generation| generation >= Generation::Eight),
    }
}

/// This Windows keeps its connection status in Network Location Awareness (R9).
pub fn nla_must_run(case: &Case<'_>, _: &str, _: &str) -> bool {
    svc_nlasvc::must_run(case) == Some(true)
}

/// "Cannot connect now": CAA70007 and CAA80000, of which one article speaks (domain.md 4.1).
pub fn cannot_connect(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    codes_behind(case, symptom).iter().any(|code| matches!(code.value(), 0xcaa7_0007 | 0xcaa8_0000))
}

/// The same on a Windows that keeps its connection status in Network Location Awareness.
pub fn nla_must_run_to_connect(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    nla_must_run(case, root, symptom) && cannot_connect(case, root, symptom)
}

/// A host that the broker asks is among those that the cause names, and the broker could not resolve or reach its host, or met another
/// one's certificate: 12007, 12029, 12038 (domain.md 4.1).
pub fn sign_in_host_is_moved(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    const HOSTS: [&str; 3] = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com"];
    let names = |seen: &Observation| {
        let text = seen.observed.to_lowercase();
        HOSTS.iter().any(|host| text.contains(host))
    };
    evidence(case, root).iter().any(names) && has_win32(case, symptom, &[12_007, 12_029, 12_038])
}

/// Sockets failed: 12159 and the class of 10047 (domain.md 4.1).
pub fn sockets_failed(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    codes_behind(case, symptom).into_iter().any(signals::is_socket)
}

/// Services with a check of their own, which is the root where they are what is broken (decision 9).
const NAMED_SERVICES: &[&str] = &["eventlog", "nlasvc", "netprofm"];
/// Where chains begin that the services of the network do not stand on.
const BESIDE_THE_NETWORK: &[&str] = &["cryptsvc", "tokenbroker", "clicktorunsvc"];

/// All that `svc-dependencies` found broken are services of such checks, and the service of the cause is among them (decision 9).
pub fn chain_breaks_here(case: &Case<'_>, root: &str, _: &str) -> bool {
    let faults = broken_services(case);
    let named = |seen: &&Observation| NAMED_SERVICES.iter().any(|key| is_fault_of(case, seen, key));
    faults.iter().any(|seen| is_fault_of(case, seen, service_of_check(root))) && faults.iter().all(named)
}

/// Something is broken that no service check of its own stands for, and what is wrong with the symptom is not its own start type.
pub fn chain_breaks_elsewhere(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    let faults = broken_services(case);
    let stands_for_itself = |seen: &Observation| {
        let others = NAMED_SERVICES.iter().chain(BESIDE_THE_NETWORK);
        others.copied().any(|key| is_fault_of(case, seen, key))
    };
    let own = service_of_check(symptom);
    faults.iter().any(|seen| !stands_for_itself(seen))
        && !faults.iter().any(|seen| is_fault_of(case, seen, own))
}

/// The service that a check is about: `svc-nlasvc` is about NlaSvc.
fn service_of_check(id: &str) -> &str {
    id.strip_prefix("svc-").unwrap_or(id)
}

/// What `svc-dependencies` cites as broken. Lists of dependencies stand beside it to show who needs it, accounts stop no service, and
/// records of failed starts are what follows.
fn broken_services<'c>(case: &'c Case<'_>) -> Vec<&'c Observation> {
    let shows_else =
        |locator: &str| ["!DependOnService", "!ObjectName"].iter().any(|end| locator.ends_with(end));
    let all = evidence(case, "svc-dependencies").iter();
    all.filter(|seen| !seen.is_record() && !shows_else(&seen.locator)).collect()
}

/// Whether a fault is that of a service: by its key, or by the line of a listing that the service's own check cites too.
fn is_fault_of(case: &Case<'_>, seen: &Observation, key: &str) -> bool {
    let cited = |other: &Observation| other.artifact == seen.artifact && other.locator == seen.locator;
    is_about_service(seen, key) || evidence(case, &format!("svc-{key}")).iter().any(cited)
}

/// Services that sign-in stands on, with what they need (domain.md 5.8).
const SIGN_IN_SERVICES: &[&str] = &["tokenbroker", "usermanager", "staterepository", "cryptsvc", "keyiso"];

/// The broken service is one that the token broker needs.
pub fn chain_breaks_at_sign_in(case: &Case<'_>, _: &str, _: &str) -> bool {
    let seen = evidence(case, "svc-dependencies");
    SIGN_IN_SERVICES.iter().any(|key| seen.iter().any(|item| is_about_service(item, key)))
}

fn is_about_service(seen: &Observation, key: &str) -> bool {
    let place = format!(r"\services\{}", key.to_lowercase());
    let locator = seen.locator.to_lowercase();
    locator.ends_with(&place)
        || locator.contains(&format!("{place}!"))
        || locator.contains(&format!("{place}\\"))
}

/// What cannot come from anything but the network, or rests on codes of the network class (decision 11).
pub fn follows_from_the_network(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    matches!(symptom, "endpoint-reachability" | "ncsi-probe-result" | "ncsi-profile-state")
        || codes_behind(case, symptom).into_iter().any(|code| is_network_for(symptom, code))
}

/// Whether a code is of the network class; Windows Update has codes of its own for it (domain.md 5.2).
fn is_network_for(symptom: &str, code: ErrorCode) -> bool {
    signals::is_network(code)
        || symptom == windows_update_health::CHECK.id && windows_update_health::is_network_code(code)
}

/// Updates fail or are old, and what is too old is a build. A restart that is pending brings no old build about, and no update brings a
/// Click-to-Run Office or takes its channel away (domain.md 4.1, "WSUS or update block").
pub fn updates_do_not_arrive(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    let is_restart =
        |seen: &Observation| windows_update_health::RESTART.iter().any(|key| seen.locator.ends_with(key));
    let is_build =
        |seen: &Observation| symptom != office_build::CHECK.id || seen.locator.ends_with("!VersionToReport");
    !evidence(case, root).iter().all(is_restart) && evidence(case, symptom).iter().any(is_build)
}

/// Handshakes failed over versions and suites: 36871, or an alert about them (domain.md 4.1). A refused certificate is another matter.
pub fn settings_are_refused(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    evidence(case, symptom).iter().any(tls_handshake_events::is_of_settings)
}

/// A code behind the symptom is one that the table of codes gives to the cause.
pub fn a_code_names_the_cause(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    codes_behind(case, symptom).into_iter().any(|code| {
        knowledge::meanings(&code.to_string())
            .iter()
            .any(|meaning| meaning.checks.split(',').any(|owner| owner.trim() == root))
    })
}

/// Handshakes that failed: 12030, 12157, 12175 (domain.md 4.1).
pub fn handshakes_failed(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    has_win32(case, symptom, &[12_030, 12_157, 12_175])
}

/// Revocation could not be checked: 12057, 80092013 (domain.md 4.1).
pub fn revocation_failed(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    has_win32(case, symptom, &[12_057])
        || codes_behind(case, symptom).iter().any(|code| code.value() == 0x8009_2013)
}

/// A refusal that a tenant policy brings about: CAA20003 and CAA2000C, AADSTS5007x and 53003 (domain.md 4.1).
pub fn refused_by_policy(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    codes_behind(case, symptom).iter().any(|code| match code.aadsts() {
        Some(number) => matches!(number, 50_070..=50_079 | 53_003),
        None => matches!(code.value(), 0xcaa2_0003 | 0xcaa2_000c),
    })
}

/// The broker got no parameter that it needs, which is what a missing package looks like: 80070057 (domain.md 4.1).
pub fn parameter_is_wrong(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    codes_behind(case, symptom).iter().any(|code| code.value() == 0x8007_0057)
}

/// Codes of the TPM and of stored keys: 0x8028…, 0x8029…, 0x800900.. (domain.md 4.1, R40), or a row of the table that says so.
pub fn keys_failed(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    let of_keys =
        |code: &ErrorCode| matches!(code.value() >> 16, 0x8028 | 0x8029) || code.value() >> 8 == 0x80_0900;
    codes_behind(case, symptom).iter().any(of_keys) || a_code_names_the_cause(case, root, symptom)
}

/// The device could not prove itself: its authentication failed, or codes of its keys stand behind it (domain.md 4.1, "device auth"). A
/// device that the tenant disabled, deleted or does not know is no matter of keys.
pub fn device_cannot_prove_itself(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    let says = |text: &str| evidence(case, symptom).iter().any(|seen| seen.observed.contains(text));
    let is_refused = says(device_fields::DISABLED) || device_is_unknown(case, root, symptom);
    !is_refused && (says(device_fields::AUTH_FAILED) || keys_failed(case, root, symptom))
}

/// The key is there and its permissions are wrong: those above it do not take a key away (domain.md 5.11).
pub fn key_is_locked(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    !evidence(case, symptom).iter().any(|seen| seen.observed == network_service_spp_key::GONE)
}

/// The worst that the Software Protection service shows is a code of denied access or of its store, and not that it is disabled.
pub fn store_is_denied(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    let worst = evidence(case, symptom).first();
    worst.is_some_and(|seen| codes_in_evidence(seen).into_iter().any(spp_service_health::is_of_the_store))
}

/// The tenant answers that it does not know the device: 135011, 50155, 50097 (domain.md 4.1).
pub fn device_is_unknown(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    has_answer(case, symptom, &[135_011, 50_155, 50_097])
}

/// The policy asks for a device that the tenant knows: 53000, 53001 (domain.md 4.1).
pub fn device_is_required(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    has_answer(case, symptom, &[53_000, 53_001])
}

/// An old way of signing in was refused: 530035 (domain.md 4.1).
pub fn legacy_sign_in(case: &Case<'_>, _: &str, symptom: &str) -> bool {
    has_answer(case, symptom, &[530_035])
}

/// The same answer of the sign-in service stands behind both (decision 12), or they cite the same place.
pub fn same_answer(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    let answers =
        |id: &str| -> Vec<u32> { codes_behind(case, id).iter().filter_map(|code| code.aadsts()).collect() };
    let of_root = answers(root);
    answers(symptom).iter().any(|number| of_root.contains(number)) || same_place(case, root, symptom)
}

fn has_answer(case: &Case<'_>, symptom: &str, numbers: &[u32]) -> bool {
    codes_behind(case, symptom)
        .iter()
        .filter_map(|code| code.aadsts())
        .any(|number| numbers.contains(&number))
}

/// Both findings cite the same place of the same file: the value that one finds damaged is the one that the other reads.
pub fn same_place(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    let of_root = evidence(case, root);
    evidence(case, symptom).iter().any(|seen| {
        of_root.iter().any(|other| other.artifact == seen.artifact && other.locator == seen.locator)
    })
}

/// The symptom speaks of a host that the cause names.
pub fn same_host(case: &Case<'_>, root: &str, symptom: &str) -> bool {
    let text = |id: &str| {
        let summary = case.outcome(id).map(|outcome| outcome.summary.to_lowercase()).unwrap_or_default();
        evidence(case, id).iter().fold(summary, |text, seen| text + " " + &seen.observed.to_lowercase())
    };
    let (cause, effect) = (text(root), text(symptom));
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    cause
        .split(|c: char| !is_part(c))
        .map(|word| word.trim_matches('.'))
        .filter(|word| word.contains('.') && word.chars().any(|c| c.is_ascii_alphabetic()))
        .any(|host| effect.contains(host))
}

fn has_win32(case: &Case<'_>, symptom: &str, numbers: &[u32]) -> bool {
    codes_behind(case, symptom).iter().filter_map(|code| code.win32()).any(|number| numbers.contains(&number))
}

fn evidence<'c>(case: &'c Case<'_>, id: &str) -> &'c [Observation] {
    case.outcome(id).map(|outcome| outcome.evidence.as_slice()).unwrap_or_default()
}

/// The error codes that a finding rests on, in whatever notation its evidence quotes them.
pub fn codes_behind(case: &Case<'_>, id: &str) -> Vec<ErrorCode> {
    evidence(case, id).iter().flat_map(codes_in_evidence).collect()
}

fn codes_in_evidence(seen: &Observation) -> Vec<ErrorCode> {
    let mut codes = codes_in(&seen.observed);
    codes.extend(
        aadsts_in(&seen.observed).iter().filter_map(|number| ErrorCode::parse(&format!("AADSTS{number}"))),
    );
    // Fields of records: `Error=12029`, where a bare number can only be a code.
    let fields = seen.observed.split(", ").filter_map(|part| part.split_once('='));
    codes.extend(
        fields
            .filter(|(name, _)| signals::FIELDS.contains(name))
            .filter_map(|(_, value)| ErrorCode::parse(value)),
    );
    codes
}
