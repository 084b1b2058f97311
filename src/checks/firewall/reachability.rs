//! A required host cannot be reached.
//!
//! # What it looks at
//! `Test-NetConnection`, `curl` and `Invoke-WebRequest` to the required hosts; the requests of the broker and of device registration in the
//! logs (AAD 1025, 1250, 1252; User Device Registration 226); handshakes that name their target (Schannel 36880); the DNS client's log and
//! `nslookup` for where the names lead; retrieved revocation lists (CAPI2 53).
//!
//! # Why it blocks activation
//! Sign-in, licensing and their helpers are different hosts: one that is not reachable is enough, and a browser that reaches another one
//! proves nothing.
//!
//! # Fix
//! Let the named host pass on port 443 (revocation lists on port 80) in every firewall and proxy on the way.
//!
//! # Verify
//! `Test-NetConnection <host> -Port 443` shows `TcpTestSucceeded : True` for each host, from the same network.
//!
//! # When this is wrong
//! `Test-NetConnection` and `curl` do not use the proxy of Windows: behind an explicit proxy their failure is normal. An HTTP status of AAD
//! 1025 proves that the host answered, even 400 or 401 (R16). Tunnel and proxy products answer with addresses of their own (100.64.0.0/10,
//! 198.18.0.0/15) on machines that work. Failures while no network was connected do not count.
//!
//! # Sources
//! domain.md 5.4 `endpoint-reachability`; traps 21 and 25; R16, R24 and R64 of section 14.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::artifact::capture::http_response::FailureCause;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen};
use crate::checks::certificates::crl_reachability::retrieved_lists;
use crate::checks::dns::address::{Space, space};
use crate::checks::dns::answers::{self, Answer, Means};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::proxy::way_of_user;
use crate::checks::proxy::winhttp::{InForce, in_force};
use crate::checks::required::{SIGN_IN_AND_LICENSING, host_of, is_decisive, is_revocation_host, needed};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, signals};
use crate::evidence::events::{Coverage, Want};
use crate::evidence::{Confidence, Sourced, Unknown, captures};
use crate::time::FileTime;

/// Requests of the broker that name their address.
const REQUESTS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1025, 1250, 1251, 1252, 1253],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Device registration could not connect.
const REGISTRATION: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[226],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};
/// Finished handshakes.
const HANDSHAKES: Want = Want { provider: "Schannel", ids: &[36880], channels: &["System"] };
/// An HTTP status and not an error.
const ANSWERED: u32 = 1025;
/// `ERROR_WINHTTP_CANNOT_CONNECT`.
const CANNOT_CONNECT: u32 = 12_029;
/// Failures of one host in the window that make it a blocker.
const REPEATED: usize = 3;

/// Beside the hosts of sign-in and licensing, these have to be proven one by one.
const FURTHER_HOSTS: [&str; 2] = ["go.microsoft.com", "enterpriseregistration.windows.net"];

/// The check.
pub const CHECK: Check = Check {
    id: "endpoint-reachability",
    title: "A required host cannot be reached",
    layer: Layer::Firewall,
    article: Article::Network("Check the firewall"),
    wants: &[REQUESTS, REGISTRATION, HANDSHAKES, answers::CLIENT_LOG, signals::NETWORKS],
    healthy: "Each of the required hosts was reached.",
    source_text: include_str!("reachability.rs"),
    run,
    remedy,
};

/// What is known of one host.
#[derive(Default)]
struct Host {
    /// It answered: with the time, where it is from a log.
    reached: Vec<Observation>,
    /// A test at the time of collection could not connect.
    refused: Vec<Observation>,
    /// Recorded failures to connect.
    failures: Vec<Observation>,
    /// Where its name led, when that is nowhere on the internet.
    diverted: Vec<(Observation, Vec<IpAddr>)>,
    /// Where its name led, when that neither proves nor disproves anything, and why.
    unclear: Vec<(Observation, &'static str)>,
}

/// Nobody outside such a product can tell where these addresses lead.
const TUNNEL: &str =
    "leads to an address that tunnel and proxy products hand out, so a test of it proves nothing";
/// Servers of the machine that do not agree.
const DIVIDED: &str =
    "leads to an address that is not on the internet by one answer, and to a public one by another";

type Hosts = BTreeMap<String, Host>;

fn run(case: &Case<'_>, j: &Judgement) {
    let mut hosts = Hosts::new();
    connection_tests(case, &mut hosts);
    responses(case, j, &mut hosts);
    requests(case, j, &mut hosts);
    handshakes(case, &mut hosts);
    names(case, &mut hosts);
    for list in retrieved_lists(case) {
        hosts.entry(list.0).or_default().reached.push(list.1);
    }
    let proxy = in_force(case);
    for (name, host) in &hosts {
        if needed(case, name).is_some() {
            judge(case, j, name, host, &proxy);
        }
    }
    need(j, &hosts);
}

/// `Test-NetConnection` with the port that the host is needed on.
fn connection_tests(case: &Case<'_>, hosts: &mut Hosts) {
    for capture in case.evidence.captures.each(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        for test in &data.tests {
            let Some(name) = test.computer_name.as_deref().map(plain) else { continue };
            let source = captures::line(capture.source.artifact, test.tcp_line.unwrap_or(test.line));
            let address: Option<IpAddr> = test.remote_address.as_deref().and_then(|text| text.parse().ok());
            let port = test.remote_port.unwrap_or_default();
            let shown = |state: &str| source.shows(format!("{name} port {port}: TcpTestSucceeded {state}"));
            let host = hosts.entry(name.clone()).or_default();
            let leads = address.map(|address| (address, space(address)));
            if let Some((address, Space::Inside)) = leads {
                host.diverted.push((source.shows(format!("{name} leads to {address}")), vec![address]));
            }
            if let Some((address, Space::Tunnel)) = leads {
                host.unclear.push((source.shows(format!("{name} leads to {address}")), TUNNEL));
                continue;
            }
            if !is_its_port(&name, Some(port)) {
                continue;
            }
            match test.tcp_test_succeeded {
                Some(true) => host.reached.push(shown("True")),
                Some(false) if !test.name_resolution_failed => {
                    host.refused.push(shown("False").expected("True"))
                }
                _ => {}
            }
        }
    }
}

/// Revocation lists are fetched on port 80, all else on 443.
fn is_its_port(host: &str, port: Option<u16>) -> bool {
    port == Some(if is_revocation_host(host) { 80 } else { 443 })
}

fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Answers to `curl` and `Invoke-WebRequest`.
fn responses(case: &Case<'_>, j: &Judgement, hosts: &mut Hosts) {
    for capture in case.evidence.captures.each(CaptureKind::HttpResponse) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        let Some((name, port)) = data.url.as_deref().and_then(host_of) else { continue };
        if data.probe || !is_its_port(&name, port) {
            continue;
        }
        let at = |line: u32| captures::line(capture.source.artifact, line);
        if let Some(response) = data.responses.last() {
            let seen = at(response.line).shows(format!("{name}: HTTP {}", response.status));
            if is_from_the_host(response.status) && response.via.is_none() {
                hosts.entry(name).or_default().reached.push(seen);
            } else {
                j.note(intermediary(&name, response.status));
            }
        } else if let Some(failure) = &data.failure {
            let seen = at(failure.line).shows(format!("{name}: no connection"));
            if matches!(failure.cause, FailureCause::Connect | FailureCause::Timeout)
                && failure.curl_code.is_some()
            {
                hosts.entry(name).or_default().refused.push(seen.expected("an answer"));
            }
        }
    }
}

/// Whether a status must come from the host itself: 407, 403, 451 and 5xx may be the page of somebody in between.
fn is_from_the_host(status: u16) -> bool {
    (100..500).contains(&status) && !matches!(status, 403 | 407 | 451)
}

fn intermediary(host: &str, status: u16) -> String {
    format!(
        "{host} was answered with HTTP {status}, which may come from a proxy in between: see proxy-auth, proxy-winhttp and captive-portal."
    )
}

/// What the broker and device registration recorded. The fields are taken by their names in the record: the labels of the rendered
/// text are shifted (trap 25).
fn requests(case: &Case<'_>, j: &Judgement, hosts: &mut Hosts) {
    for event in case.events(REQUESTS) {
        let Some((name, _)) = event.value.field("EndpointUri").and_then(host_of) else { continue };
        if event.value.event_id == ANSWERED {
            let status = event.value.field("value").and_then(|text| text.trim().parse::<u16>().ok());
            match status {
                Some(status) if is_from_the_host(status) => {
                    let seen = event_seen(&event, &["value", "EndpointUri"]);
                    hosts.entry(name).or_default().reached.push(seen);
                }
                Some(status) if (100..600).contains(&status) => j.note(intermediary(&name, status)),
                _ => {}
            }
        } else if let Some(code) =
            transport_error(event.value, &["HTTPTransportError", "Result", "ErrorCode"])
        {
            failed(case, hosts, name, &event, code);
        }
    }
    for event in case.events(REGISTRATION) {
        let Some((name, _)) = event.value.field("Server").and_then(host_of) else { continue };
        if let Some(code) = transport_error(event.value, &["ErrorCode"]) {
            failed(case, hosts, name, &event, code);
        }
    }
}

/// A number of WinHTTP: only such a code counts against a host (R16).
fn transport_error(event: &Event, fields: &[&str]) -> Option<ErrorCode> {
    let codes = fields.iter().filter_map(|name| ErrorCode::parse(event.field(name)?));
    let mut transport = codes.filter(|code| matches!(code.win32(), Some(12_001..=12_185)));
    transport.next()
}

fn failed(case: &Case<'_>, hosts: &mut Hosts, name: String, event: &Sourced<&Event>, code: ErrorCode) {
    if !signals::is_disconnected_at(case, event.value.time) {
        let shown = format!("{} {}: {name} failed with {code}", event.value.provider, event.value.event_id);
        hosts.entry(name).or_default().failures.push(event.shows(shown));
    }
}

fn handshakes(case: &Case<'_>, hosts: &mut Hosts) {
    for event in case.events(HANDSHAKES) {
        let target = event.value.field("TargetName").map(plain).filter(|name| !name.is_empty());
        if let Some(name) = target {
            hosts.entry(name).or_default().reached.push(event_seen(&event, &["TargetName", "Protocol"]));
        }
    }
}

/// Where names lead, by the servers that the machine uses; and the DNS client's successes, which prove a host where no connection failed
/// with 12029.
fn names(case: &Case<'_>, hosts: &mut Hosts) {
    let connects = no_refused_connection(case);
    let all: Vec<Answer> = answers::collected(case).into_iter().filter(|answer| answer.own).collect();
    for answer in &all {
        let Some(name) =
            answer.names.iter().find(|name| needed(case, name).is_some() || is_revocation_host(name))
        else {
            continue;
        };
        let host = hosts.entry(name.clone()).or_default();
        let seen = answer.seen();
        match answer.leads() {
            Some(Space::Inside) if is_contradicted(answer, name, &all) => {
                host.unclear.push((seen.expected("a public address"), DIVIDED));
            }
            Some(Space::Inside) => {
                host.diverted.push((seen.expected("a public address"), answer.addresses.clone()));
            }
            Some(Space::Tunnel) => host.unclear.push((seen, TUNNEL)),
            Some(Space::Internet) if connects && answer.means == Means::Client => host.reached.push(seen),
            _ => {}
        }
    }
}

/// Another `nslookup` got a public address. The other means use the hosts file, so they may rightly differ.
fn is_contradicted(answer: &Answer, name: &String, all: &[Answer]) -> bool {
    let is_direct = |answer: &Answer| answer.means == Means::Nslookup;
    is_direct(answer)
        && all.iter().any(|other| is_direct(other) && other.is_public() && other.names.contains(name))
}

/// The broker's log covers the window and holds no 12029.
fn no_refused_connection(case: &Case<'_>) -> bool {
    let refused = |event: &Sourced<&Event>| {
        signals::code_of(event.value).is_some_and(|code| code.win32() == Some(CANNOT_CONNECT))
    };
    let covered = case.window().is_some_and(|window| {
        matches!(case.evidence.events.coverage(signals::BROKER.channels, window), Coverage::Whole(_))
    });
    covered && !signals::network_errors(case).iter().any(refused)
}

fn judge(case: &Case<'_>, j: &Judgement, name: &str, host: &Host, proxy: &InForce) {
    let decisive = needed(case, name).is_some_and(is_decisive);
    let tested = host.reached.iter().find(|seen| seen.time.is_none());
    if !diverted(j, name, host, decisive) {
        refused(case, j, name, host, tested, proxy);
    }
    if let Some((seen, why)) = host.unclear.first() {
        j.warning(Confidence::Low, format!("{name} {why}."), [seen.clone()]);
    }
    let Some(last) = host.failures.iter().map(|seen| seen.time).max().flatten() else { return };
    let later = |seen: &&Observation| seen.time.is_some_and(|time: FileTime| time > last);
    if host.reached.iter().any(|seen| later(&seen)) || (tested.is_some() && *proxy == InForce::Direct) {
        j.note(format!(
            "{name} failed {} time(s) inside the failure window; it was reached later.",
            host.failures.len()
        ));
        return;
    }
    let count = host.failures.len();
    let status =
        if count >= REPEATED && decisive && tested.is_none() { Status::Blocker } else { Status::Warning };
    let confidence = if status == Status::Blocker { Confidence::High } else { Confidence::Medium };
    let evidence = host.failures.iter().rev().take(REPEATED).cloned().collect();
    j.row(
        status,
        confidence,
        format!("{name} could not be reached {count} time(s) inside the failure window."),
        evidence,
    );
}

/// A name that leads to no address of the internet. True when that says why the host cannot be reached.
fn diverted(j: &Judgement, name: &str, host: &Host, decisive: bool) -> bool {
    let Some((seen, addresses)) = host.diverted.first() else { return false };
    if !host.reached.is_empty() {
        let summary = format!(
            "{name} was reached at an address that is not on the internet: a proxy or a filter stands in its place."
        );
        j.row(Status::Warning, Confidence::Low, summary, vec![seen.clone()]);
        return false;
    }
    let status = if decisive { Status::Blocker } else { Status::Warning };
    let nowhere = addresses.iter().all(|address| address.is_loopback() || address.is_unspecified());
    let confidence = if nowhere || !host.refused.is_empty() { Confidence::High } else { Confidence::Medium };
    let summary = format!(
        "{name} leads to an address that is not on the internet: a DNS filter or the hosts file sends it astray."
    );
    let evidence = std::iter::once(seen).chain(&host.refused).cloned().collect();
    j.row(status, confidence, summary, evidence);
    true
}

/// Tests at the time of collection, which go past every proxy.
fn refused(
    case: &Case<'_>,
    j: &Judgement,
    name: &str,
    host: &Host,
    tested: Option<&Observation>,
    proxy: &InForce,
) {
    if host.refused.is_empty() {
        return;
    }
    let evidence = host.refused.clone();
    let core = SIGN_IN_AND_LICENSING.contains(&name);
    let way_of_user = way_of_user(case);
    let (status, confidence, summary) = match proxy {
        _ if tested.is_some() => (
            Status::Warning,
            Confidence::Low,
            format!("{name} could be reached in one test and not in another."),
        ),
        InForce::Proxy(proxy) => (
            Status::Warning,
            Confidence::Low,
            format!(
                "{name} cannot be reached directly; services use the proxy {proxy}, which the test does not use."
            ),
        ),
        _ if way_of_user.is_some() => (
            Status::Warning,
            Confidence::Low,
            format!(
                "{name} cannot be reached directly; the user's programs use the {}, which the test does not use.",
                way_of_user.unwrap_or_default()
            ),
        ),
        InForce::Unknown => (
            Status::Warning,
            Confidence::Medium,
            format!("{name} cannot be reached directly; whether services use a proxy is not known."),
        ),
        InForce::Direct if core => (Status::Blocker, Confidence::High, format!("{name} cannot be reached.")),
        InForce::Direct => (Status::Warning, Confidence::Medium, format!("{name} cannot be reached.")),
    };
    j.row(status, confidence, summary, evidence);
}

/// Every host has to be proven by itself: none speaks for another.
fn need(j: &Judgement, hosts: &Hosts) {
    let reached = |name: &str| hosts.get(name).and_then(|host| host.reached.first());
    let mut open: Vec<&str> = Vec::new();
    for name in SIGN_IN_AND_LICENSING.into_iter().chain(FURTHER_HOSTS) {
        match reached(name) {
            Some(seen) => j.good(seen.clone()),
            None => open.push(name),
        }
    }
    let lists: BTreeSet<&String> = hosts.keys().filter(|name| is_revocation_host(name)).collect();
    let list = lists.into_iter().find_map(|name| reached(name));
    if let Some(seen) = list {
        j.good(seen.clone());
    }
    let mut commands = Vec::new();
    if !open.is_empty() {
        let quoted = open.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",");
        commands.push(format!("{quoted} | ForEach-Object {{ Test-NetConnection $_ -Port 443 }}"));
    }
    if list.is_none() {
        open.push("a host of revocation lists");
        commands.push("Test-NetConnection crl.microsoft.com -Port 80".to_owned());
    }
    if !open.is_empty() {
        let what = format!("proof that these can be reached: {}", open.join(", "));
        j.missing(&Unknown { what, reason: None }, &format!("& {{ {} }} > tnc.txt", commands.join("; ")));
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Test the named host from another machine in the same network, and from another network: that tells the machine from the path.",
            "Where the name leads to a wrong address: look at hosts-file-override and dns-resolution first.",
            "Allow the host on port 443 (revocation lists on port 80) in the firewall, the proxy and every security product on the way, without inspection and without authentication.",
            "Take hosts and addresses from the Microsoft 365 endpoint service, not from a frozen list.",
        ],
        "Switching off a firewall, a VPN or a security product is a test and no fix.",
        "Take the exceptions out again.",
        "Test-NetConnection <host> -Port 443 shows TcpTestSucceeded : True for each host; then try activation again.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges"],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_the_host_and_one_of_somebody_in_between() {
        // R16: 400 and 401 of a request for a token are ordinary answers of the host.
        assert!([200, 302, 400, 401, 404].into_iter().all(is_from_the_host));
        assert!(![403, 407, 451, 500, 503, 0].into_iter().any(is_from_the_host));
    }

    #[test]
    fn the_port_of_a_host() {
        assert!(
            is_its_port("login.microsoftonline.com", Some(443)) && is_its_port("crl.microsoft.com", Some(80))
        );
        assert!(
            !is_its_port("login.microsoftonline.com", Some(80)) && !is_its_port("crl.microsoft.com", None)
        );
    }
}
