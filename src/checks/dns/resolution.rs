//! A required host does not resolve.
//!
//! # What it looks at
//! `nslookup` and `Resolve-DnsName` of the hosts of sign-in and licensing; finished queries (3008, 3020) of the DNS client's log; time-outs
//! (1014) in the System log; programs that could not resolve a host (`Test-NetConnection`, `curl`); rules of the name resolution policy table
//! (NRPT) that send a required name to servers of their own.
//!
//! # Why it blocks activation
//! Without an address there is no connection. A resolver that filters, a forwarder that is down, or a rule of a VPN or of DirectAccess is
//! enough, and only some of the hosts may be hit: each has to be asked for by itself.
//!
//! # Fix
//! Let the resolver of the network answer for the required hosts; mend its forwarders or its filter; exempt the hosts in the rule.
//!
//! # Verify
//! `nslookup login.microsoftonline.com` shows public addresses behind the `Name:` line, and so for the other hosts.
//!
//! # When this is wrong
//! nslookup first asks for the name of its own server and prints a time-out for it: only the answer counts (R17). It passes by the hosts
//! file, so its success does not clear `hosts-file-override`. Time-outs for `wpad`, `_ldap…` and ISATAP are noise, and so is a single one for
//! a required host. What a server says that the machine does not use (neither in `ipconfig` nor asked without a name) is a note. Addresses
//! out of 100.64.0.0/10 and 198.18.0.0/15 are those of tunnel and proxy products, which may work. Behind an explicit proxy the client need not
//! resolve names of the internet.
//!
//! # Sources
//! domain.md 5.6 `dns-resolution` and 5.4 `endpoint-reachability`; traps 5 and 14; R17 and R64 of section 14; the last vector of section 11.

use std::collections::BTreeMap;

use super::address::Space;
use super::answers::{self, Answer, Ending, Means};
use crate::artifact::capture::http_response::FailureCause;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::socket_address;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::proxy::way_of_user;
use crate::checks::proxy::winhttp::{InForce, in_force};
use crate::checks::required::{SIGN_IN_AND_LICENSING, host_of, is_decisive, needed};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced, Unknown, captures};
use crate::knowledge::endpoints::{Class, ENDPOINTS, Endpoint};

/// All servers timed out.
pub const TIMED_OUT: Want =
    Want { provider: "Microsoft-Windows-DNS-Client", ids: &[1014], channels: &["System"] };
/// The policy table could not be read.
const UNREADABLE_RULE: Want =
    Want { provider: "Microsoft-Windows-DNS-Client", ids: &[1023], channels: &["System"] };
/// Time-outs of one host below this number are noise.
pub const REPEATED: usize = 3;
/// `ERROR_WINHTTP_NAME_NOT_RESOLVED`.
const NAME_NOT_RESOLVED: u32 = 12_007;

/// Where the rules of the name resolution policy table stand: of this machine, and of group policy.
const RULES: [&str; 2] = [
    r"HKLM\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters\DnsPolicyConfig",
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient\DnsPolicyConfig",
];

/// Hosts that a sentence about a rule of the table names.
const SHOWN: usize = 5;

/// The check.
pub const CHECK: Check = Check {
    id: "dns-resolution",
    title: "A required host does not resolve",
    layer: Layer::Dns,
    article: Article::Network("Check external DNS"),
    wants: &[TIMED_OUT, UNREADABLE_RULE, answers::CLIENT_LOG, signals::NETWORKS],
    healthy: "The hosts of sign-in and licensing resolve to public addresses.",
    source_text: include_str!("resolution.rs"),
    run,
    remedy,
};

/// Answers by the host that they are about.
type Answers = BTreeMap<String, Vec<Answer>>;

fn run(case: &Case<'_>, j: &Judgement) {
    let (mut by_host, mut elsewhere) = (Answers::new(), Answers::new());
    for answer in answers::collected(case) {
        let map = if answer.own { &mut by_host } else { &mut elsewhere };
        for name in answer.names.iter().filter(|name| needed(case, name).is_some()) {
            map.entry(name.clone()).or_default().push(answer.clone());
        }
    }
    for (host, answers) in &by_host {
        let others = elsewhere.get(host).map(Vec::as_slice).unwrap_or_default();
        asked_directly(case, j, host, answers, others);
        asked_by_the_client(case, j, host, answers);
    }
    asked_elsewhere(j, &elsewhere);
    time_outs(case, j, &by_host);
    programs(case, j);
    policy_table(case, j);
    if let Some(event) = case.events(UNREADABLE_RULE).last() {
        j.note(format!(
            "Windows could not read a rule of the name resolution policy table at {}.",
            event.value.time
        ));
    }
    let open: Vec<&str> = SIGN_IN_AND_LICENSING
        .into_iter()
        .filter(|host| !by_host.get(*host).is_some_and(|answers| answers.iter().any(Answer::is_public)))
        .collect();
    if !open.is_empty() {
        let what = format!("an answer of the resolver for {}", open.join(", "));
        let command = open
            .iter()
            .map(|host| format!("nslookup {host} >> nslookup.txt 2>&1"))
            .collect::<Vec<_>>()
            .join(" & ");
        j.missing(&Unknown { what, reason: None }, &command);
    }
}

/// What nslookup and Resolve-DnsName got for a host from the servers that the machine uses; `others` answered beside them.
fn asked_directly(case: &Case<'_>, j: &Judgement, host: &str, answers: &[Answer], others: &[Answer]) {
    let direct: Vec<&Answer> =
        answers.iter().filter(|answer| answer.means != Means::Client && answer.is_for_addresses()).collect();
    let failed: Vec<&&Answer> = direct.iter().filter(|answer| answer.is_failure()).collect();
    let good = direct.iter().find(|answer| answer.is_public());
    let astray = direct.iter().find_map(|answer| Some((answer, astray(answer.leads()?)?)));
    if let Some(good) = good {
        j.good(good.seen());
        if let Some((astray, (_, what))) = astray {
            let summary =
                format!("The resolver answers for {host} with a public address, and once with {what}.");
            j.warning(Confidence::Low, summary, [astray.seen().expected("a public address")]);
        } else if !failed.is_empty() || others.iter().any(Answer::is_failure) {
            j.note(format!("{host} resolved, but not in every attempt or from every server."));
        }
    } else if let Some((astray, (confidence, what))) = astray {
        let summary = format!("The resolver answers for {host} with {what}.");
        j.warning(confidence, summary, [astray.seen().expected("a public address")]);
    } else if let Some(last) = failed.last() {
        let how = match last.ending {
            Ending::NoAnswer => "No server answers for",
            _ => "The resolver knows no address of",
        };
        let mut evidence: Vec<Observation> =
            failed.iter().map(|answer| answer.seen().expected("a public address")).collect();
        let (worst, summary) = match others.iter().find(|other| other.is_public()) {
            // Not every server fails, so it is no blocker; but the one that answers is not asked by the machine.
            Some(other) => {
                evidence.push(other.seen());
                (
                    Status::Warning,
                    format!("The machine's own DNS server does not resolve {host}, and another one does."),
                )
            }
            None => (Status::Blocker, format!("{how} {host}.")),
        };
        report_failure(case, j, host, summary, worst, evidence);
    }
}

/// An answer that leads to no host on the internet for sure: how much it says, and what it is.
fn astray(leads: Space) -> Option<(Confidence, &'static str)> {
    match leads {
        Space::Inside => Some((Confidence::Medium, "an address that is not on the internet")),
        Space::Tunnel => Some((
            Confidence::Low,
            "an address that tunnel and proxy products hand out, on machines that work as well",
        )),
        Space::Internet => None,
    }
}

/// Servers that the machine does not use were asked: their answers and time-outs are no evidence of its own.
fn asked_elsewhere(j: &Judgement, elsewhere: &Answers) {
    for answer in elsewhere.values().flatten().filter(|answer| answer.is_for_addresses()) {
        let seen = answer.seen().observed;
        j.note(format!("{seen}: a server that this machine does not use, as far as the collection tells."));
    }
}

/// A host that could not be resolved, `worst` where losing it stops activation and no proxy resolves names in the client's place.
fn report_failure(
    case: &Case<'_>,
    j: &Judgement,
    host: &str,
    summary: String,
    worst: Status,
    evidence: Vec<Observation>,
) {
    if let InForce::Proxy(proxy) = in_force(case) {
        j.note(format!("Services use the proxy {proxy}, which resolves the names of the internet itself."));
        j.row(Status::Warning, Confidence::Low, summary, evidence);
        return;
    }
    if let Some(way) = way_of_user(case) {
        j.note(format!(
            "The user's programs use the {way}, which resolves the names of the internet itself."
        ));
        j.row(Status::Warning, Confidence::Low, summary, evidence);
        return;
    }
    let decisive = needed(case, host).is_some_and(is_decisive);
    let confidence = if worst == Status::Blocker { Confidence::High } else { Confidence::Medium };
    j.row(if decisive { worst } else { Status::Warning }, confidence, summary, evidence);
}

/// What the DNS client got for programs. The numbers of its statuses are not confirmed, so they block only together with a recorded
/// failure of sign-in or transfer to resolve a name.
fn asked_by_the_client(case: &Case<'_>, j: &Judgement, host: &str, answers: &[Answer]) {
    let client: Vec<&Answer> =
        answers.iter().filter(|answer| answer.means == Means::Client && answer.is_for_addresses()).collect();
    let last_good = client.iter().rposition(|answer| answer.is_public());
    if let Some(good) = last_good.and_then(|at| client.get(at)) {
        j.good(good.seen());
    }
    let is_miss = |answer: &Answer| {
        answer.is_failure() && !answer.source.time.is_some_and(|time| signals::is_disconnected_at(case, time))
    };
    let later = client.get(last_good.map_or(0, |at| at + 1)..).unwrap_or_default();
    let misses: Vec<&Answer> = later.iter().copied().filter(|answer| is_miss(answer)).collect();
    if misses.is_empty() {
        if client.iter().any(|answer| is_miss(answer)) {
            j.note(format!(
                "The DNS client could not resolve {host} inside the failure window; it resolved later."
            ));
        }
        return;
    }
    if answers.iter().any(|answer| answer.means != Means::Client && answer.is_public()) {
        j.note(format!("The DNS client could not resolve {host} inside the failure window; it resolved when it was collected."));
        return;
    }
    let mut evidence: Vec<Observation> =
        misses.iter().rev().take(REPEATED).map(|answer| answer.seen().expected("a public address")).collect();
    let summary = format!("The DNS client could not resolve {host} {} time(s).", misses.len());
    match name_errors(case).last() {
        Some(error) if misses.len() >= REPEATED => {
            evidence.push(event_seen(error, signals::FIELDS));
            report_failure(case, j, host, summary, Status::Blocker, evidence);
        }
        _ => {
            let confidence = if misses.len() >= REPEATED { Confidence::Medium } else { Confidence::Low };
            j.row(Status::Warning, confidence, summary, evidence);
        }
    }
}

/// 1014 of required hosts; one is noise, three of the same host are not, and a success at the time of collection makes them history.
fn time_outs(case: &Case<'_>, j: &Judgement, by_host: &Answers) {
    let mut found: BTreeMap<String, Vec<Sourced<&Event>>> = BTreeMap::new();
    for event in case.events(TIMED_OUT) {
        let name =
            event.value.field("QueryName").unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        if needed(case, &name).is_some() && !signals::is_disconnected_at(case, event.value.time) {
            found.entry(name).or_default().push(event);
        }
    }
    for (host, events) in found {
        let Some(last) = events.last() else { continue };
        if events.len() < REPEATED {
            j.note(format!("{} time-out(s) of the resolver for {host}: too few to count.", events.len()));
            continue;
        }
        let resolved = |answer: &Answer| {
            answer.is_public() && answer.source.time.is_none_or(|time| time > last.value.time)
        };
        if by_host.get(&host).is_some_and(|answers| answers.iter().any(resolved)) {
            j.note(format!("The resolver timed out {} times for {host}; it answered later.", events.len()));
            continue;
        }
        let summary = format!("The resolver timed out {} times for {host}.", events.len());
        let mut evidence: Vec<Observation> = events.iter().rev().take(REPEATED).map(time_out_seen).collect();
        match name_errors(case).last() {
            Some(error) => {
                evidence.push(event_seen(error, signals::FIELDS));
                report_failure(case, j, &host, summary, Status::Blocker, evidence);
            }
            None => j.row(Status::Warning, Confidence::Medium, summary, evidence),
        }
    }
}

/// A time-out with the server that did not answer.
fn time_out_seen(event: &Sourced<&Event>) -> Observation {
    let mut seen = event_seen(event, &["QueryName"]);
    if let Some(server) = event.value.field("Address").and_then(socket_address) {
        seen.observed.push_str(&format!(", server {}", server.ip()));
    }
    seen
}

/// Recorded failures to resolve a name, of sign-in, transfers and updates, oldest first.
fn name_errors<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let mut found = signals::network_errors(case);
    found.retain(|event| {
        signals::code_of(event.value).is_some_and(|code| code.win32() == Some(NAME_NOT_RESOLVED))
            && !signals::is_disconnected_at(case, event.value.time)
    });
    found
}

/// Programs that failed at the name: the client's resolver, with its cache and the hosts file in between.
fn programs(case: &Case<'_>, j: &Judgement) {
    let report = |host: &str, seen: Observation| {
        if needed(case, host).is_some() {
            let summary = format!("A connection test could not resolve {host}.");
            j.warning(Confidence::Medium, summary, [seen.expected("a public address")]);
        }
    };
    for capture in case.evidence.captures.each(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        for test in data.tests.iter().filter(|test| test.name_resolution_failed) {
            let Some(host) = &test.computer_name else { continue };
            let source = captures::line(capture.source.artifact, test.line);
            report(&host.to_ascii_lowercase(), source.shows(format!("{host}: name resolution failed")));
        }
    }
    for capture in case.evidence.captures.each(CaptureKind::HttpResponse) {
        let CaptureData::HttpResponse(data) = &capture.value.data else { continue };
        if let (Some(failure), Some((host, _))) = (&data.failure, data.url.as_deref().and_then(host_of))
            && failure.cause == FailureCause::Name
        {
            let source = captures::line(capture.source.artifact, failure.line);
            report(&host, source.shows(format!("{host}: name not resolved")));
        }
    }
}

/// Rules that send required names to servers of their own.
fn policy_table(case: &Case<'_>, j: &Judgement) {
    for place in RULES {
        let Lookup::Found(rules) = case.evidence.registry.subkeys(place) else { continue };
        for rule in rules.value.iter() {
            let key = format!(r"{place}\{rule}");
            let Lookup::Found(name) = case.value(&key, "Name") else { continue };
            let suffixes =
                name.value.as_list().or_else(|| Some(vec![name.value.as_text()?])).unwrap_or_default();
            let covered = covered(&suffixes);
            let Some(shown) = covered.get(..covered.len().min(SHOWN)).filter(|shown| !shown.is_empty())
            else {
                continue;
            };
            let servers = case.value(&key, "GenericDNSServers");
            let servers = servers.found().and_then(|value| value.value.as_text()).unwrap_or_default();
            let servers =
                if servers.is_empty() { "no servers named".to_owned() } else { format!("servers {servers}") };
            let summary = format!(
                "A rule of the name resolution policy table ({}) decides how {}{} resolves.",
                suffixes.join(", "),
                shown.join(", "),
                if shown.len() < covered.len() { " …" } else { "" }
            );
            j.warning(
                Confidence::Medium,
                summary,
                [name.shows(format!("{}; {servers}", suffixes.join(", ")))],
            );
        }
    }
}

/// The required hosts that namespaces cover, those of sign-in and licensing first.
fn covered(namespaces: &[String]) -> Vec<&'static str> {
    let required = |endpoint: &&Endpoint| matches!(endpoint.class, Class::Required | Class::Identity);
    let rest = ENDPOINTS.iter().filter(required).map(|endpoint| endpoint.host);
    let mut found: Vec<&str> = Vec::new();
    for host in SIGN_IN_AND_LICENSING.into_iter().chain(rest) {
        let is_covered = namespaces.iter().any(|namespace| covers(namespace, host));
        if is_covered && !found.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            found.push(host);
        }
    }
    found
}

/// Whether a namespace of the policy table covers a host, or one of the hosts that `*.suffix` stands for: `.` all names, `.suffix` all below it, anything else the name itself.
fn covers(namespace: &str, host: &str) -> bool {
    let namespace = namespace.trim().to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    if let Some(suffix) = host.strip_prefix('*') {
        let above = namespace.starts_with('.') && suffix.ends_with(&namespace);
        return namespace == "." || above || namespace.ends_with(suffix);
    }
    match namespace.strip_prefix('.') {
        Some("") => true,
        Some(suffix) => host == suffix || host.ends_with(&namespace),
        None => host == namespace,
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "ipconfig /all shows the DNS servers in use; ask each for the named host: nslookup <host> <server>",
            "Compare with a public resolver: nslookup <host> 8.8.8.8. If only the own server fails, mend its forwarders or its filter.",
            "ipconfig /flushdns",
            "Where a rule of the policy table is named: Get-DnsClientNrptPolicy shows it; exempt the required hosts in the group policy or the VPN profile that sets it.",
        ],
        "Do not set a public resolver on a domain member for good: it loses the names of the domain.",
        "Set the noted DNS servers again; flushing the cache needs no undoing.",
        "nslookup shows public addresses for every host of sign-in and licensing; then try activation again.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges"],
    )
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn namespaces_of_the_policy_table() {
        // MS-GPNRPT 2.2.2: "." any name, ".suffix" a suffix, else a whole name.
        let host = "login.microsoftonline.com";
        assert!(
            covers(".", host)
                && covers(".microsoftonline.com", host)
                && covers("Login.MicrosoftOnline.com", host)
        );
        assert!(!covers("microsoftonline.com", host) && !covers(".online.com", host) && !covers("", host));
        // Wildcards of the table: a rule for all of their hosts, and one for some of them.
        let wildcard = "*.msauth.net";
        assert!(
            [".", ".net", ".msauth.net", ".cdn.msauth.net", "x.msauth.net"]
                .iter()
                .all(|name| covers(name, wildcard))
        );
        assert!(!covers("msauth.net", wildcard) && !covers(".auth.net", wildcard) && !covers("", wildcard));
    }
}
