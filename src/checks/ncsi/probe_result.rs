//! The internet probe of Windows fails.
//!
//! # What it looks at
//! `nslookup` and `Resolve-DnsName` of dns.msftncsi.com, the body of `connecttest.txt` or `ncsi.txt`, NCSI events, and NlaSvc 4205 (gateway not
//! resolved).
//!
//! # Why it blocks activation
//! Windows learns from this probe that it is on the internet. A DNS filter, a captive portal or a proxy that answers in its place makes
//! Windows report no internet, and Office does not connect.
//!
//! # Fix
//! Let *.msftconnecttest.com and *.msftncsi.com pass on port 80 and in DNS; sign in at the portal.
//!
//! # Verify
//! `http://www.msftconnecttest.com/connecttest.txt` shows "Microsoft Connect Test"; dns.msftncsi.com resolves to 131.107.255.255.
//!
//! # When this is wrong
//! dns.msftncsi.com has an IPv4 and an IPv6 answer, and nslookup prints the IPv6 one first: the answer is good when either is the expected
//! one. No answer is normal behind an explicit proxy. One failed probe event without a lasting state means nothing.
//!
//! # Sources
//! domain.md 5.9 `ncsi-probe-result`; R3, R8 and R29 of section 14; trap 13.

use std::net::IpAddr;

use super::captive_portal::redirects_by_design;
use super::profile_state;
use crate::artifact::capture::nslookup::Outcome;
use crate::artifact::capture::probe_body::Body;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Source, Unknown, captures};

const DNS_HOST: &str = "dns.msftncsi.com";
/// The gateway's hardware address was not found.
const GATEWAY: Want = Want {
    provider: "Microsoft-Windows-NlaSvc",
    ids: &[4205],
    channels: &["Microsoft-Windows-NlaSvc/Operational"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "ncsi-probe-result",
    title: "The internet probe of Windows fails",
    layer: Layer::Ncsi,
    article: Article::Network("Check NCSI"),
    wants: &[GATEWAY],
    healthy: "The internet probe of Windows gets its own answers.",
    source_text: include_str!("probe_result.rs"),
    run,
    remedy,
};

/// What the web probe got.
enum Web {
    Good,
    Foreign,
    Unknown,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let web = web_probe(case, j);
    let dns = dns_probe(case, j, &web);
    if profile_state::is_bad(case)
        && let Some(event) = case.events(GATEWAY).last()
    {
        j.warning(Confidence::Low, "The gateway of the network was not found.", [event_seen(event, &[])]);
    }
    if matches!(web, Web::Unknown) && !dns {
        let what =
            format!("nslookup {DNS_HOST} and the body of http://www.msftconnecttest.com/connecttest.txt");
        j.missing(&Unknown { what, reason: None }, COLLECT);
    }
}

/// How to collect both probes.
const COLLECT: &str = "nslookup dns.msftncsi.com > ncsi-dns.txt & curl http://www.msftconnecttest.com/connecttest.txt > connecttest.txt";

fn web_probe(case: &Case<'_>, j: &Judgement) -> Web {
    let mut state = Web::Unknown;
    for capture in case.captures(CaptureKind::ProbeBody) {
        let CaptureData::ProbeBody(data) = &capture.value.data else { continue };
        let source = captures::line(capture.source.artifact, data.line);
        state = body(j, data.body, data.text.as_deref(), &source);
    }
    for capture in case.captures(CaptureKind::HttpResponse) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        if !data.probe || redirects_by_design(data.url.as_deref()) {
            continue;
        }
        for response in &data.responses {
            let source = captures::line(capture.source.artifact, response.line);
            if let Some(found) = response.body {
                state = body(j, found, None, &source);
            } else if (300..400).contains(&response.status) || response.status == 511 {
                let shown = source.shows(format!("HTTP {} for the probe", response.status));
                let summary =
                    "The web probe is redirected: a captive portal or a proxy answers in Microsoft's place.";
                j.blocker(Confidence::High, summary, [shown.expected("HTTP 200, Microsoft Connect Test")]);
                state = Web::Foreign;
            }
        }
    }
    state
}

fn body(j: &Judgement, body: Body, text: Option<&str>, source: &Source) -> Web {
    match body {
        Body::ConnectTest | Body::Ncsi => {
            j.good(source.shows("the probe's own answer"));
            Web::Good
        }
        Body::Html | Body::Other => {
            let shown = text.unwrap_or("another answer").to_owned();
            let summary = "Something answers the web probe in Microsoft's place: a captive portal, a filter or a proxy.";
            j.blocker(Confidence::High, summary, [source.shows(shown).expected("Microsoft Connect Test")]);
            Web::Foreign
        }
    }
}

/// True when the DNS probe could be judged.
fn dns_probe(case: &Case<'_>, j: &Judgement, web: &Web) -> bool {
    let mut judged = false;
    for capture in case.captures(CaptureKind::Nslookup) {
        let CaptureData::Nslookup(data) = &capture.value.data else { continue };
        for query in &data.queries {
            let names = [query.queried.as_deref(), query.name.as_deref()];
            if !names.into_iter().flatten().any(is_probe_host) {
                continue;
            }
            judged = true;
            let source = captures::line(capture.source.artifact, query.outcome_line.unwrap_or(query.line));
            let addresses: Vec<&str> = query.addresses.iter().map(|answer| answer.value.as_str()).collect();
            let failed = !matches!(query.outcome, Outcome::Resolved | Outcome::Unknown);
            answers(case, j, web, &addresses, failed, &source);
        }
    }
    for capture in case.captures(CaptureKind::ResolveDns) {
        let CaptureData::ResolveDns(data) = &capture.value.data else { continue };
        let records: Vec<_> =
            data.records.iter().filter(|record| record.name.as_deref().is_some_and(is_probe_host)).collect();
        if records.is_empty() {
            continue;
        }
        judged = true;
        let source = captures::line(capture.source.artifact, data.line);
        let addresses: Vec<&str> = records.iter().filter_map(|record| record.address.as_deref()).collect();
        answers(case, j, web, &addresses, false, &source);
    }
    judged
}

fn is_probe_host(name: &str) -> bool {
    name.trim_end_matches('.').eq_ignore_ascii_case(DNS_HOST)
}

fn answers(case: &Case<'_>, j: &Judgement, web: &Web, addresses: &[&str], failed: bool, source: &Source) {
    let shown = if addresses.is_empty() { "no address".to_owned() } else { addresses.join(", ") };
    let seen: Observation = source.shows(format!("{DNS_HOST}: {shown}"));
    if addresses.iter().any(|address| is_expected(address)) {
        j.good(seen);
    } else if addresses.is_empty() {
        if failed {
            let summary = "The DNS probe of Windows gets no answer; behind an explicit proxy that is normal.";
            j.warning(Confidence::Low, summary, [seen.expected("131.107.255.255")]);
        }
    } else {
        // R3: a blocker needs the web probe or the connection status to agree.
        let agreed = matches!(web, Web::Foreign) || profile_state::is_bad(case);
        let status = if agreed { Status::Blocker } else { Status::Warning };
        let summary =
            "The DNS probe of Windows gets a foreign answer: a DNS filter or a captive portal.".to_owned();
        j.row(status, Confidence::Medium, summary, vec![seen.expected("131.107.255.255")]);
    }
}

/// 131.107.255.255, fd3e:4f5a:5b81::1, or a NAT64 address that ends in the former (R3).
fn is_expected(address: &str) -> bool {
    match address.trim().parse() {
        Ok(IpAddr::V4(v4)) => v4.octets() == [131, 107, 255, 255],
        Ok(IpAddr::V6(v6)) => {
            let segments = v6.segments();
            segments == [0xfd3e, 0x4f5a, 0x5b81, 0, 0, 0, 0, 1] || matches!(segments, [.., 0x836b, 0xffff])
        }
        Err(_) => false,
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "In a public network: open a browser and sign in at the portal.",
            "Allow *.msftconnecttest.com and *.msftncsi.com on port 80 and in the DNS filter.",
            "Restart the machine, or disconnect and reconnect the network, so that Windows probes again.",
        ],
        "Do not point the probe at a private host unless the site documents and runs one.",
        "Nothing on the machine is changed.",
        "connecttest.txt shows \"Microsoft Connect Test\" and Get-NetConnectionProfile shows Internet.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/windows-server/networking/ncsi/ncsi-overview"],
    )
}

#[cfg(test)]
mod tests {
    use super::is_expected;

    #[test]
    fn the_expected_answers_of_the_domain_reference() {
        // R3 of section 14.
        assert!(is_expected("131.107.255.255") && is_expected("fd3e:4f5a:5b81::1"));
        assert!(is_expected("64:ff9b::836b:ffff") && !is_expected("10.0.0.1") && !is_expected("x"));
    }
}
