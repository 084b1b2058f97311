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
//! one. No answer is normal behind an explicit proxy. One failed probe event without a lasting state means nothing. 304 and a redirect among
//! Microsoft's own hosts are no portal; a proxy that wants credentials (407) is `proxy-auth`.
//!
//! # Sources
//! domain.md 5.9 `ncsi-probe-result`; R3, R8 and R29 of section 14; trap 13.

use std::net::IpAddr;

use super::captive_portal::{is_portal, redirects_by_design, web_answers};
use super::profile_state;
use crate::artifact::capture::http_response::Response;
use crate::artifact::capture::probe_body::Body;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::{Case, event_seen};
use crate::checks::dns::answers::{self, Answer, Ending, Means};
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
    for capture in web_answers(case) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        if !data.probe || redirects_by_design(data.url.as_deref()) {
            continue;
        }
        for response in &data.responses {
            let source = captures::line(capture.source.artifact, response.line);
            state = answered(j, response, &source).unwrap_or(state);
        }
    }
    state
}

/// Credentials for a proxy are wanted.
const PROXY_AUTH: u16 = 407;

/// One answer of a web server; `None` where it tells nothing of the probe.
fn answered(j: &Judgement, response: &Response, source: &Source) -> Option<Web> {
    let seen = || {
        source
            .shows(format!("HTTP {} for the probe", response.status))
            .expected("HTTP 200, Microsoft Connect Test")
    };
    let status = response.status;
    match response.body {
        _ if is_portal(response) => {
            let summary =
                "The web probe is redirected: a captive portal or a proxy answers in Microsoft's place.";
            j.blocker(Confidence::High, summary, [seen()]);
            Some(Web::Foreign)
        }
        _ if status == PROXY_AUTH => {
            j.note("A proxy asked for credentials when the web probe was tried (407): see proxy-auth.");
            None
        }
        Some(found) if status == 200 => Some(body(j, found, None, source)),
        // A page with an error: a filter, or a proxy that cannot reach the host. Which, the status does not tell.
        Some(Body::Html | Body::Other) if status >= 400 => {
            j.warning(
                Confidence::Medium,
                format!("The web probe gets an error (HTTP {status}) instead of its answer."),
                [seen()],
            );
            None
        }
        _ => None,
    }
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
    let answers = probe_answers(case);
    for answer in &answers {
        resolved(case, j, web, answer);
    }
    !answers.is_empty()
}

/// What commands got for the host of the DNS probe: the last answer in every file from each server.
pub fn probe_answers(case: &Case<'_>) -> Vec<Answer> {
    let mut found: Vec<Answer> = Vec::new();
    for answer in answers::collected(case) {
        if answer.means == Means::Client || !answer.names.iter().any(|name| name == DNS_HOST) {
            continue;
        }
        let is_same = |earlier: &Answer| {
            (earlier.source.artifact, earlier.means) == (answer.source.artifact, answer.means)
                && (earlier.server, &earlier.record) == (answer.server, &answer.record)
        };
        found.retain(|earlier| !is_same(earlier));
        found.push(answer);
    }
    found
}

/// Whether the DNS probe got what Windows expects.
pub fn is_good(answer: &Answer) -> bool {
    answer.addresses.iter().any(|address| is_expected(*address))
}

/// Whether the DNS probe got no answer. A miss of the IPv6 address alone is none (R17).
pub fn is_unanswered(answer: &Answer) -> bool {
    answer.addresses.is_empty()
        && answer.is_for_addresses()
        && matches!(answer.ending, Ending::NoName | Ending::NoRecord | Ending::NoAnswer)
}

fn resolved(case: &Case<'_>, j: &Judgement, web: &Web, answer: &Answer) {
    let shown: Vec<String> = answer.addresses.iter().map(IpAddr::to_string).collect();
    let shown = if shown.is_empty() { "no address".to_owned() } else { shown.join(", ") };
    let seen: Observation = answer.source.shows(format!("{DNS_HOST}: {shown}"));
    if is_good(answer) {
        j.good(seen);
    } else if is_unanswered(answer) {
        let summary = "The DNS probe of Windows gets no answer; behind an explicit proxy that is normal.";
        j.warning(Confidence::Low, summary, [seen.expected("131.107.255.255")]);
    } else if !answer.addresses.is_empty() {
        // R3: a blocker needs the web probe or the connection status to agree.
        let agreed = matches!(web, Web::Foreign) || profile_state::is_bad(case);
        let status = if agreed { Status::Blocker } else { Status::Warning };
        let summary =
            "The DNS probe of Windows gets a foreign answer: a DNS filter or a captive portal.".to_owned();
        j.row(status, Confidence::Medium, summary, vec![seen.expected("131.107.255.255")]);
    }
}

/// 131.107.255.255, fd3e:4f5a:5b81::1, or a NAT64 address that ends in the former (R3).
fn is_expected(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets() == [131, 107, 255, 255],
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            segments == [0xfd3e, 0x4f5a, 0x5b81, 0, 0, 0, 0, 1] || matches!(segments, [.., 0x836b, 0xffff])
        }
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
        for (address, good) in [
            ("131.107.255.255", true),
            ("fd3e:4f5a:5b81::1", true),
            ("64:ff9b::836b:ffff", true),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_expected(address.parse().unwrap()), good, "{address}");
        }
    }
}
