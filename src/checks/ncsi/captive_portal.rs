//! A portal or a filter answers in the place of the hosts that were asked.
//!
//! # What it looks at
//! The answer to the web probe of Windows (`connecttest.txt`), also with its headers; probes that the connection status indicator recorded as
//! redirected; answers to sign-in and device registration that were a page, 302 or 511; a login host whose certificate was for another name.
//!
//! # Why it blocks activation
//! Hotel, guest and some company networks send every connection to their own sign-in page until somebody signs in there. Office gets that
//! page instead of the services.
//!
//! # Fix
//! Open a browser and sign in at the portal, or use another network.
//!
//! # Verify
//! `http://www.msftconnecttest.com/connecttest.txt` shows "Microsoft Connect Test".
//!
//! # When this is wrong
//! A proxy that wants credentials (407) is another matter, and so are pages of a proxy for one blocked host. `/redirect` on the same host
//! redirects by design. The reason of event 4042 is a number without a published table: it is not read. A portal that somebody signed in to
//! since shows only in older records.
//!
//! # Sources
//! domain.md 5.22 `captive-portal`, 5.9 `ncsi-probe-result`; R3, R8 and R16 of section 14; trap 13; text_formats.md 4.21.

use crate::artifact::capture::http_response::Response;
use crate::artifact::capture::probe_body::Body;
use crate::artifact::capture::{Capture, CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::certificates::chain::{self, chains};
use crate::checks::certificates::is_required;
use crate::checks::certificates::recorded::{self, failures, is_of_name};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::required::host_of;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Source, Sourced, Unknown, captures};
use crate::time::FileTime;

/// A probe ended (4014); the state of an interface changed, with a reason (4042).
const PROBES: Want = Want {
    provider: "Microsoft-Windows-NCSI",
    ids: &[4014, 4042],
    channels: &["Microsoft-Windows-NCSI/Analytic", "Microsoft-Windows-NCSI/Operational"],
};
/// HTTP statuses of the broker's requests.
const REQUESTS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1025],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// A server's certificate was for another name.
const OTHER_NAME: Want = Want { provider: "Schannel", ids: &[36884], channels: &["System"] };
/// `Network Authentication Required`: only portals send it.
const PORTAL_STATUS: u16 = 511;
/// `Not Modified`: the same content as before, and no redirect.
const NOT_MODIFIED: u16 = 304;

/// The check.
pub const CHECK: Check = Check {
    id: "captive-portal",
    title: "A portal answers in the place of the services",
    layer: Layer::Ncsi,
    article: Article::Beyond,
    wants: &[
        PROBES,
        REQUESTS,
        OTHER_NAME,
        chain::CHAINS,
        recorded::WANTS[0],
        recorded::WANTS[1],
        recorded::WANTS[2],
    ],
    healthy: "The web probe of Windows gets its own answer: no portal stands in the way.",
    source_text: include_str!("captive_portal.rs"),
    run,
    remedy,
};

/// How to collect the probe.
const COLLECT: &str = "curl.exe -i http://www.msftconnecttest.com/connecttest.txt > connecttest.txt";

/// Whose answer the web probe got.
#[derive(Default)]
struct Probe {
    good: Option<Observation>,
    foreign: bool,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let mut probe = Probe::default();
    collected(case, j, &mut probe);
    recorded_probes(case, j, &mut probe);
    let before = probe.good.is_some() && !probe.foreign;
    pages(case, j, &probe, before);
    other_names(case, j, &probe, before);
    match probe.good {
        Some(good) => j.good(good),
        None if probe.foreign => {}
        None => {
            let what = "the answer to http://www.msftconnecttest.com/connecttest.txt".to_owned();
            j.missing(&Unknown { what, reason: None }, COLLECT);
        }
    }
}

/// Answers to the probe at the time of collection.
fn collected(case: &Case<'_>, j: &Judgement, probe: &mut Probe) {
    for capture in case.captures(CaptureKind::ProbeBody) {
        let CaptureData::ProbeBody(data) = &capture.value.data else { continue };
        let at = captures::line(capture.source.artifact, data.line);
        body(j, probe, data.body, data.text.as_deref(), &at);
    }
    for capture in web_answers(case) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        let redirects = redirects_by_design(data.url.as_deref());
        for response in &data.responses {
            let at = captures::line(capture.source.artifact, response.line);
            if response.status == PORTAL_STATUS || (data.probe && !redirects && is_elsewhere(response)) {
                let to = response.location.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                let seen = at.shows(format!("HTTP {}{to}", response.status));
                let summary = "A portal answers: the request was sent on to its sign-in page.";
                j.blocker(Confidence::High, summary, [seen.expected("HTTP 200")]);
                probe.foreign = true;
            } else if let Some(found) =
                response.body.filter(|_| data.probe && !redirects && response.status == 200)
            {
                body(j, probe, found, None, &at);
            }
        }
    }
}

/// What web servers answered, the last time for each address: a file can hold one request after the other.
pub fn web_answers<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Capture>> {
    case.evidence.captures.latest(CaptureKind::HttpResponse, |capture| match &capture.data {
        CaptureData::HttpResponse(data) => data.url.as_deref().map(str::to_ascii_lowercase),
        _ => None,
    })
}

/// `http://www.msftconnecttest.com/redirect`, the address that Windows opens for a portal: it redirects by design.
pub fn redirects_by_design(url: Option<&str>) -> bool {
    url.is_some_and(|url| url.trim_end_matches('/').to_ascii_lowercase().ends_with("/redirect"))
}

/// Whether an answer to the probe is that of a portal: a redirect that does not stay with Microsoft, or the status that only portals send.
pub fn is_portal(response: &Response) -> bool {
    response.status == PORTAL_STATUS || is_elsewhere(response)
}

fn is_elsewhere(response: &Response) -> bool {
    const OURS: [&str; 3] = ["msftconnecttest.com", "msftncsi.com", "go.microsoft.com"];
    // Portals keep the address that was asked for inside their own one, so only the host tells whose it is.
    let host = response.location.as_deref().and_then(host_of).map(|(host, _)| host).unwrap_or_default();
    let ours = OURS.iter().any(|own| host == *own || host.ends_with(&format!(".{own}")));
    (300..400).contains(&response.status) && response.status != NOT_MODIFIED && !ours
}

fn body(j: &Judgement, probe: &mut Probe, body: Body, text: Option<&str>, at: &Source) {
    match body {
        Body::ConnectTest | Body::Ncsi => probe.good = Some(at.shows("the probe's own answer")),
        Body::Html | Body::Other => {
            let shown = text.unwrap_or("another answer").to_owned();
            let summary = "The web probe of Windows gets somebody else's page.";
            j.blocker(Confidence::High, summary, [at.shows(shown).expected("Microsoft Connect Test")]);
            probe.foreign = true;
        }
    }
}

fn is_true(event: &Event, field: &str) -> bool {
    event
        .field(field)
        .is_some_and(|text| matches!(text.trim(), "1") || text.trim().eq_ignore_ascii_case("true"))
}

/// Probes of Windows itself: the newest one counts.
fn recorded_probes(case: &Case<'_>, j: &Judgement, probe: &mut Probe) {
    let hotspot = |event: &Event| event.data.iter().any(|field| field.value.contains("HotspotDetected"));
    let redirected = |event: &Event| event.event_id == 4014 && is_true(event, "WebRedirected");
    let fine = |event: &Event| {
        event.event_id == 4014
            && is_true(event, "Succeeded")
            && is_true(event, "WebCompleted")
            && !redirected(event)
    };
    let events = case.events(PROBES);
    let newest = |is: &dyn Fn(&Event) -> bool| -> Option<Sourced<&Event>> {
        events.iter().rfind(|event| is(event.value)).cloned()
    };
    let bad = newest(&|event| redirected(event) || hotspot(event));
    let good = newest(&fine);
    let fields = ["InterfaceGuid", "Succeeded", "WebRedirected", "CapabilityChangeReason"];
    let over = bad.as_ref().is_some_and(|bad| {
        probe.good.is_some() || good.as_ref().is_some_and(|good| good.value.time > bad.value.time)
    });
    match bad {
        Some(bad) if over => j.note(format!(
            "A portal answered the probe of Windows at {}; later the probe got through: it was, and is now repaired.",
            bad.value.time
        )),
        Some(bad) => {
            let summary = "Windows recorded that its web probe was redirected: a portal.";
            j.blocker(Confidence::High, summary, [event_seen(&bad, &fields)]);
            probe.foreign = true;
        }
        None => {}
    }
    if let (Some(good), None, false) = (good, &probe.good, probe.foreign) {
        probe.good = Some(event_seen(&good, &fields));
    }
}

/// Pages where sign-in and device registration expected data. `over`: the probe got through since.
fn pages(case: &Case<'_>, j: &Judgement, probe: &Probe, over: bool) {
    let status = |event: &Sourced<&Event>, field: &str| {
        event.value.field(field).and_then(|text| text.trim().parse::<u16>().ok())
    };
    let mut pages: Vec<Observation> = Vec::new();
    for event in case.events(REQUESTS) {
        if status(&event, "value") == Some(PORTAL_STATUS) {
            pages.push(event_seen(&event, &["value", "EndpointUri"]));
        }
    }
    for event in case.events(recorded::REGISTRATION) {
        if event.value.event_id == 354
            && status(&event, "HttpStatus").is_some_and(|status| matches!(status, 302 | PORTAL_STATUS))
        {
            pages.push(event_seen(&event, &["HttpStatus", "ServerMessage"]));
        }
    }
    let recorded = failures(case);
    let is_page = |text: &str| ["<html", "<!doctype html"].iter().any(|tag| text.contains(tag));
    pages
        .extend(recorded.iter().filter(|failure| is_page(&failure.text)).map(|failure| failure.seen.clone()));
    if let Some(last) = newest(&pages) {
        if over && last.time.is_some() {
            j.note(format!("{} answer(s) to sign-in were a page inside the failure window; the web probe got through since.", pages.len()));
        } else {
            let summary = format!(
                "{} answer(s) to sign-in or device registration were a page, as a portal sends it.",
                pages.len()
            );
            j.row(Status::Blocker, Confidence::High, summary, vec![last.clone()]);
        }
        return;
    }
    let coded: Vec<Observation> = recorded
        .iter()
        .filter(|failure| failure.is_unreadable())
        .map(|failure| failure.seen.clone())
        .collect();
    let Some(last) = newest(&coded) else { return };
    if over && last.time.is_some() {
        j.note(format!("{} answer(s) to sign-in could not be read inside the failure window; the web probe got through since: see tls-inspection.", coded.len()));
    } else if probe.foreign {
        let summary =
            format!("{} answer(s) to sign-in could not be read, and the web probe gets a page.", coded.len());
        j.row(Status::Blocker, Confidence::High, summary, vec![last.clone()]);
    } else {
        let summary = format!(
            "{} answer(s) to sign-in could not be read: mostly that is the page of a portal or a proxy.",
            coded.len()
        );
        j.row(Status::Warning, Confidence::Low, summary, vec![last.clone()]);
    }
}

/// The newest of some observations; those without a time were made at the collection.
fn newest(list: &[Observation]) -> Option<&Observation> {
    let ticks = |seen: &&Observation| seen.time.map_or(u64::MAX, FileTime::ticks);
    list.iter().max_by_key(ticks)
}

/// A login host with a certificate for another name, which belongs to a host of this network.
fn other_names(case: &Case<'_>, j: &Judgement, probe: &Probe, over: bool) {
    let mut seen: Vec<Observation> = Vec::new();
    let mut local = None;
    for event in case.events(OTHER_NAME) {
        if event.value.field("Name").is_some_and(|name| is_required(case, &name.to_lowercase())) {
            seen.push(event_seen(&event, &["Name"]));
        }
    }
    let chains = chains(case);
    for wrong in
        chains.iter().filter(|chain| chain.result.is_some_and(is_of_name) && is_required(case, &chain.host))
    {
        let subject = wrong.event.value.attribute("Certificate", "subjectName").unwrap_or_default();
        if !subject.is_empty() && !is_required(case, &subject.to_lowercase()) {
            local = Some(subject.to_owned());
        }
        seen.push(wrong.seen());
    }
    let Some(last) = newest(&seen) else { return };
    let count = seen.len();
    if over {
        j.note(format!("{count} time(s) a required host showed a certificate for another name; the web probe got through since: see tls-inspection and hosts-file-override."));
        return;
    }
    let whose = local.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    // With neither the name nor the probe another cause (a hosts file, a wrong address) is as likely.
    let (status, confidence) = match (probe.foreign, local) {
        (true, _) => (Status::Blocker, Confidence::High),
        (false, Some(_)) => (Status::Blocker, Confidence::Medium),
        (false, None) => (Status::Warning, Confidence::Low),
    };
    let summary = format!(
        "{count} time(s) a required host showed a certificate for another name{whose}, as a portal does."
    );
    j.row(status, confidence, summary, vec![last.clone()]);
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "In a browser open http://www.msftconnecttest.com/redirect and sign in at the portal that appears.",
            "Or use another network (a phone's hotspot) for the activation.",
            "In a company network: exempt the machine from the portal, and allow *.msftconnecttest.com and *.msftncsi.com on port 80 without a sign-in page.",
        ],
        "Sign in at a portal only in a network that you know; never enter company credentials there.",
        "Nothing on the machine is changed.",
        "http://www.msftconnecttest.com/connecttest.txt shows \"Microsoft Connect Test\"; then try activation again.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/windows-server/networking/ncsi/ncsi-overview"],
    )
}
