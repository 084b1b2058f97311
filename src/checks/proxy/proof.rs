//! Whether a proxy works: the transfers, name queries and connection tests that name it.
//!
//! Nothing is inferred from silence. A name that nobody asked for is not unresolved, and a proxy that nobody tried is unproven.

use std::net::IpAddr;

use super::address::{carries_http, host_of, is_loopback, port_of};
use super::{REGISTRATION, TRANSFERS};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::dns::answers::{self, Ending};
use crate::checks::dns::resolution::{REPEATED, TIMED_OUT};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals;
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Sourced, captures};

/// What the collected name queries say of a host.
pub enum Name {
    /// At least one found it.
    Resolves,
    /// It was asked for, and no query found it.
    Fails(Observation),
    /// Nobody asked for it.
    Untold,
}

/// Asks all collected name queries for a host.
pub fn name(case: &Case<'_>, host: &str) -> Name {
    if host.is_empty() || host.parse::<IpAddr>().is_ok() {
        return Name::Untold;
    }
    // Windows adds its suffixes to a short name.
    let with_suffix = |asked: &str| {
        !host.contains('.') && asked.strip_prefix(host).is_some_and(|rest| rest.starts_with('.'))
    };
    let mut failed = None;
    for answer in answers::collected(case) {
        if !answer.names.iter().any(|name| name == host || with_suffix(name)) {
            continue;
        }
        match answer.ending {
            Ending::Resolved => return Name::Resolves,
            Ending::NoName | Ending::NoAnswer if answer.is_for_addresses() => failed = Some(answer.seen()),
            Ending::NoName | Ending::NoAnswer | Ending::NoRecord | Ending::Unknown => {}
        }
    }
    for capture in case.evidence.captures.each(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        for test in &data.tests {
            let asked = test.computer_name.as_deref().unwrap_or_default().to_ascii_lowercase();
            match (asked == host || with_suffix(&asked), &test.remote_address) {
                (true, Some(_)) => return Name::Resolves,
                (true, None) if test.name_resolution_failed => {
                    let at = captures::line(capture.source.artifact, test.line);
                    failed = Some(at.shows(format!("{asked}: name resolution failed")));
                }
                _ => {}
            }
        }
    }
    failed.or_else(|| timed_out(case, host)).map_or(Name::Untold, Name::Fails)
}

/// Time-outs of the resolver for a host, often enough not to be noise; `wpad` is noise always (trap 5).
fn timed_out(case: &Case<'_>, host: &str) -> Option<Observation> {
    let mut events = case.events(TIMED_OUT);
    events.retain(|event| {
        let asked = event.value.field("QueryName").unwrap_or_default();
        asked.trim_end_matches('.').eq_ignore_ascii_case(host)
            && !signals::is_disconnected_at(case, event.value.time)
    });
    let noise = events.len() < REPEATED || host == "wpad" || host.starts_with("wpad.");
    events.last().filter(|_| !noise).map(|event| event_seen(event, &["QueryName"]))
}

/// The newest test of a connection to the proxy's own port.
fn connection(case: &Case<'_>, proxy: &str) -> Option<(bool, Observation)> {
    let (host, port) = (host_of(proxy), port_of(proxy));
    let mut found = None;
    for capture in case.evidence.captures.each(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        for test in &data.tests {
            let named = [&test.computer_name, &test.remote_address];
            let this = named.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(&host));
            let Some(succeeded) =
                test.tcp_test_succeeded.filter(|_| this && test.remote_port == port && port.is_some())
            else {
                continue;
            };
            let at = captures::line(capture.source.artifact, test.tcp_line.unwrap_or(test.line));
            found = Some((succeeded, at.shows(format!("TcpTestSucceeded {succeeded} ({proxy})"))));
        }
    }
    found
}

/// The proxy of a transfer; empty when it went direct.
pub fn used_by(event: &Event) -> &str {
    event.field("proxy").unwrap_or_default().trim()
}

/// Whether a transfer succeeded; `None` when the record does not say.
pub fn succeeded(event: &Event) -> Option<bool> {
    event.field("hr").and_then(ErrorCode::parse).map(ErrorCode::is_success)
}

/// The newest transfer through the proxy, if it tells anything.
fn transfer(case: &Case<'_>, proxy: &str) -> Option<(bool, Observation)> {
    let host = host_of(proxy);
    let transfers = case.events(TRANSFERS);
    let newest = transfers.iter().rev().filter(|event| {
        let used = used_by(event.value);
        !used.is_empty() && host_of(used) == host
    });
    let mut told = newest.filter_map(|event| {
        let code = event.value.field("hr").and_then(ErrorCode::parse)?;
        // A server that answers "not found" was reached: only the network class speaks against the proxy.
        let works = code.is_success();
        (works || signals::is_network(code)).then(|| (works, event_seen(event, &["proxy", "hr"])))
    });
    told.next()
}

/// A named proxy whose rows are to be judged.
pub struct Named<'c, 'e> {
    /// The proxy, without credentials.
    pub proxy: &'c str,
    /// Where it is set.
    pub seen: &'c Observation,
    /// Who uses it: "Services", "The user's programs".
    pub who: &'c str,
    /// Recorded errors that this proxy can have caused.
    pub errors: Vec<Sourced<&'e Event>>,
    /// A recorded request through it that failed, beside the transfers.
    pub refused: Option<Observation>,
}

/// The newest request of device registration, which runs as SYSTEM, that failed on its way through the proxy (337).
pub fn refused_registration(case: &Case<'_>) -> Option<Observation> {
    let through_proxy = Want { ids: &[337], ..REGISTRATION };
    let failed = case.events(through_proxy).into_iter().rev().find(|event| {
        let codes = ["dwError", "dwResult"].into_iter().filter_map(|name| event.value.field(name));
        codes.filter_map(ErrorCode::parse).any(signals::is_network)
            && !signals::is_disconnected_at(case, event.value.time)
    });
    failed.map(|event| event_seen(&event, &["dwError", "dwResult", "Result"]))
}

/// Reports the rows on a named proxy that domain.md 5.3 has for WinHTTP and takes over for WinINET.
pub fn judge(case: &Case<'_>, j: &Judgement, named: &Named<'_, '_>) {
    let Named { proxy, seen, who, errors, refused } = named;
    let host = host_of(proxy);
    let (transfer, tested) = (transfer(case, proxy), connection(case, proxy));
    if let Some((true, proof)) = transfer.clone().or_else(|| tested.clone()) {
        j.good((*seen).clone());
        j.good(proof);
        return;
    }
    let fault = |summary: String, more: Option<Observation>| {
        let mut evidence = vec![(*seen).clone()];
        evidence.extend(more);
        let status = match errors.last() {
            Some(error) => {
                evidence.push(signals::error_seen(error));
                Status::Blocker
            }
            None => Status::Warning,
        };
        j.row(status, Confidence::High, summary, evidence);
    };
    if is_loopback(&host) {
        let tested = tested.map(|(_, seen)| seen);
        fault(
            format!(
                "{who} are sent to a proxy on this machine itself ({proxy}), left over from a debugging tool."
            ),
            tested,
        );
        return;
    }
    if let Name::Fails(query) = name(case, &host) {
        fault(format!("{who} are sent to the proxy {proxy}, whose name does not resolve."), Some(query));
        return;
    }
    if let Some((false, proof)) = transfer.or(tested).or_else(|| refused.clone().map(|seen| (false, seen))) {
        fault(format!("{who} are sent to the proxy {proxy}, which does not answer."), Some(proof));
        return;
    }
    let summary = format!(
        "{who} use the proxy {proxy}; nothing collected shows whether it lets the required addresses pass."
    );
    j.row(Status::Warning, Confidence::Medium, summary, vec![(*seen).clone()]);
}

/// A list of proxies in which none is for HTTPS: sign-in and licensing go direct. Revocation lists, which come over HTTP, can still go
/// through it.
pub fn not_for_https(j: &Judgement, list: &str, seen: &Observation, who: &str) {
    if carries_http(list) {
        let summary = format!(
            "{who} have a proxy for HTTP and none for HTTPS ({list}): it carries revocation lists only."
        );
        j.row(Status::Warning, Confidence::Low, summary, vec![seen.clone()]);
    } else {
        j.note(format!("{who} have a proxy list without one for HTTPS or HTTP ({list})."));
    }
}

/// Evidence that a named proxy cannot be reached.
pub fn unreachable(case: &Case<'_>, proxy: &str) -> Option<Observation> {
    if let Some((works, seen)) = transfer(case, proxy).or_else(|| connection(case, proxy)) {
        return (!works).then_some(seen);
    }
    match name(case, &host_of(proxy)) {
        Name::Fails(seen) => Some(seen),
        Name::Resolves | Name::Untold => None,
    }
}
