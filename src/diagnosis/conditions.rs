//! Conditions of the table of causes: whether what a symptom rests on is what its cause would bring about.
//!
//! Each takes the machine, the cause's id and the symptom's id. They read the symptom's evidence (the recorded codes, the hosts, the
//! values), so a fault of another kind is not folded under a cause that happens to be there as well.

use crate::artifact::event_decode::{ErrorCode, aadsts_in, codes_in};
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::checks::services::{dependencies, svc_nlasvc};
use crate::checks::signals;
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

/// The broken ancestor that `svc-dependencies` found is the service of the cause itself (decision 9).
pub fn chain_breaks_here(case: &Case<'_>, root: &str, _: &str) -> bool {
    let key = root.strip_prefix("svc-").unwrap_or(root);
    evidence(case, "svc-dependencies").iter().any(|seen| is_about_service(seen, key))
}

/// The chain is broken by something that no service check of its own stands for.
pub fn chain_breaks_elsewhere(case: &Case<'_>, _: &str, _: &str) -> bool {
    let seen = evidence(case, "svc-dependencies");
    !["eventlog", "nlasvc", "netprofm"].iter().any(|key| seen.iter().any(|item| is_about_service(item, key)))
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
        || codes_behind(case, symptom).into_iter().any(signals::is_network)
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
    let mut codes = Vec::new();
    for seen in evidence(case, id) {
        codes.extend(codes_in(&seen.observed));
        codes.extend(
            aadsts_in(&seen.observed)
                .iter()
                .filter_map(|number| ErrorCode::parse(&format!("AADSTS{number}"))),
        );
        // Fields of records: `Error=12029`, where a bare number can only be a code.
        let fields = seen.observed.split(", ").filter_map(|part| part.split_once('='));
        codes.extend(
            fields
                .filter(|(name, _)| signals::FIELDS.contains(name))
                .filter_map(|(_, value)| ErrorCode::parse(value)),
        );
    }
    codes
}
