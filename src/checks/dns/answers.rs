//! What the collection says of how names resolve: `nslookup`, `Resolve-DnsName` and the DNS client's own log, in one form.

use std::net::IpAddr;

use super::address::{Space, is_public, space};
use super::servers;
use crate::artifact::capture::nslookup::Outcome;
use crate::artifact::capture::{CaptureData, CaptureKind, nslookup, resolve_dns};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::evidence::events::Want;
use crate::evidence::{Source, Sourced, captures};

/// Finished queries in the log of the DNS client, whose channel has a blank in its name (trap 14) and is off by default.
pub const CLIENT_LOG: Want = Want {
    provider: "Microsoft-Windows-DNS-Client",
    ids: &[3008, 3020],
    channels: &["Microsoft-Windows-DNS Client Events/Operational"],
};

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// `nslookup`: past the hosts file and the cache.
    Nslookup,
    /// `Resolve-DnsName`.
    ResolveDns,
    /// The DNS client for some program.
    Client,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With records.
    Resolved,
    /// The name is there, this record is not.
    NoRecord,
    /// There is no such name.
    NoName,
    /// No server answered, or only with a failure.
    NoAnswer,
    /// The output does not say.
    Unknown,
}

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// All names in it, the asked one first; lower case, without a final dot.
    pub names: Vec<String>,
    /// Who asked.
    pub means: Means,
    /// How it ended.
    pub ending: Ending,
    /// Addresses of the answer.
    pub addresses: Vec<IpAddr>,
    /// Targets of aliases.
    pub targets: Vec<String>,
    /// Asked record type in capitals, where it is known.
    pub record: Option<String>,
    /// The server that was asked, where it is known.
    pub server: Option<IpAddr>,
    /// Whether the question named its server, where that is known.
    pub names_server: Option<bool>,
    /// It came from a server that the machine uses, as far as that can be told.
    pub own: bool,
    /// A name in it may be cut off at the end of its file: it names nothing for sure.
    pub cut: bool,
    /// Where it stands.
    pub source: Source,
}

impl Answer {
    /// The asked name.
    pub fn asked(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether addresses were asked for. A miss of the IPv6 address is none (R17).
    pub fn is_for_addresses(&self) -> bool {
        self.record.as_deref().is_none_or(|record| matches!(record, "A" | "ANY" | "A+AAAA" | "A_AAAA"))
    }

    /// The best place that its addresses lead to; `None` where it came back without any.
    pub fn leads(&self) -> Option<Space> {
        let resolved = self.ending == Ending::Resolved;
        self.addresses.iter().filter(|_| resolved).map(|address| space(*address)).max()
    }

    /// Whether at least one of its addresses can be a host on the internet.
    pub fn is_public(&self) -> bool {
        self.leads() == Some(Space::Internet)
    }

    /// Whether the name could not be resolved.
    pub fn is_failure(&self) -> bool {
        matches!(self.ending, Ending::NoName | Ending::NoAnswer | Ending::NoRecord)
    }

    /// Whether the server that was asked is one on the internet, where it is known.
    pub fn is_from_public_server(&self) -> Option<bool> {
        self.server.map(is_public)
    }

    /// As evidence.
    pub fn seen(&self) -> Observation {
        let what = match self.ending {
            Ending::Resolved if !self.addresses.is_empty() => {
                self.addresses.iter().take(4).map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
            }
            Ending::Resolved => format!("alias of {}", self.targets.join(", ")),
            Ending::NoRecord => "no such record".to_owned(),
            Ending::NoName => "no such name".to_owned(),
            Ending::NoAnswer => "no answer".to_owned(),
            Ending::Unknown => "not understood".to_owned(),
        };
        let server = self.server.map(|server| format!(" (from {server})")).unwrap_or_default();
        self.source.shows(format!("{}: {what}{server}", self.asked()))
    }
}

/// Every answer in the collection; those of the log only inside the failure window, oldest first.
pub fn collected(case: &Case<'_>) -> Vec<Answer> {
    let mut found = Vec::new();
    for event in case.events(CLIENT_LOG) {
        found.extend(from_event(&event));
    }
    for capture in case.evidence.captures.each(CaptureKind::Nslookup) {
        let CaptureData::Nslookup(data) = &capture.value.data else { continue };
        found.extend(data.queries.iter().map(|query| from_nslookup(query, &capture.source)));
    }
    for capture in case.evidence.captures.each(CaptureKind::ResolveDns) {
        let CaptureData::ResolveDns(data) = &capture.value.data else { continue };
        found.push(from_resolve_dns(data, &capture.source));
    }
    servers::mark(case, &mut found);
    found
}

fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

fn from_nslookup(query: &nslookup::Query, source: &Source) -> Answer {
    let aliases = query.aliases.iter().map(|alias| alias.value.as_str());
    let all = query.queried.as_deref().into_iter().chain(aliases).chain(query.name.as_deref());
    let mut names: Vec<String> = Vec::new();
    for name in all.map(plain) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // With type A the asked name is an alias, and the target is the name of the addresses (text_formats.md 4.6).
    let end = query.name.iter().filter(|_| !query.aliases.is_empty()).map(String::as_str);
    let targets = query.cnames.iter().map(|cname| cname.value.as_str()).chain(end).map(plain).collect();
    let ending = match query.outcome {
        Outcome::Resolved => Ending::Resolved,
        outcome => ending_of(outcome),
    };
    Answer {
        names,
        means: Means::Nslookup,
        ending,
        addresses: query.addresses.iter().filter_map(|answer| answer.value.trim().parse().ok()).collect(),
        targets,
        record: query.query_type.clone(),
        server: query.server_address.as_deref().and_then(|address| address.parse().ok()),
        names_server: query.names_server,
        own: true,
        cut: query.cut,
        source: captures::line(source.artifact, query.outcome_line.unwrap_or(query.line)),
    }
}

fn ending_of(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::Resolved => Ending::Resolved,
        Outcome::NoRecord => Ending::NoRecord,
        Outcome::NxDomain => Ending::NoName,
        Outcome::Timeout | Outcome::NoResponse | Outcome::ServerFailed | Outcome::Refused => Ending::NoAnswer,
        Outcome::Unknown => Ending::Unknown,
    }
}

fn from_resolve_dns(data: &resolve_dns::Data, source: &Source) -> Answer {
    let owners = data.records.iter().filter_map(|record| record.name.as_deref());
    let mut names: Vec<String> = Vec::new();
    for name in data.queried.as_deref().into_iter().chain(owners).map(plain) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let is_alias = |record: &&resolve_dns::Record| record.kind.as_deref() == Some("CNAME");
    Answer {
        names,
        means: Means::ResolveDns,
        ending: ending_of(data.outcome),
        addresses: data.records.iter().filter_map(|record| record.address.as_deref()?.parse().ok()).collect(),
        targets: data
            .records
            .iter()
            .filter(is_alias)
            .filter_map(|r| r.target.as_deref())
            .map(plain)
            .collect(),
        record: data.query_type.clone(),
        server: data.server.as_deref().and_then(|server| server.parse().ok()),
        names_server: Some(data.server.is_some()),
        own: true,
        cut: false,
        source: captures::line(source.artifact, data.line),
    }
}

/// Record types as the DNS client logs them.
const RECORDS: &[(&str, &str)] = &[("1", "A"), ("5", "CNAME"), ("28", "AAAA")];

fn from_event(event: &Sourced<&Event>) -> Option<Answer> {
    let name = event.value.field("QueryName").map(plain).filter(|name| !name.is_empty())?;
    let status = ["QueryStatus", "Status"].iter().find_map(|field| event.value.field(field))?;
    let number = ErrorCode::parse(status)?;
    let mut answer = Answer {
        names: vec![name],
        means: Means::Client,
        ending: match number.win32() {
            _ if number.is_success() => Ending::Resolved,
            Some(NO_NAME) => Ending::NoName,
            Some(number) if NO_RECORD.contains(&number) => Ending::NoRecord,
            _ => Ending::NoAnswer,
        },
        addresses: Vec::new(),
        targets: Vec::new(),
        record: event.value.field("QueryType").map(|number| {
            RECORDS.iter().find(|(known, _)| *known == number).map_or(number, |(_, name)| name).to_owned()
        }),
        server: None,
        names_server: Some(false),
        own: true,
        cut: false,
        source: event.source.clone(),
    };
    // `type:  5 target.example;::ffff:192.0.2.1;`
    for part in event.value.field("QueryResults").unwrap_or_default().split(';').map(str::trim) {
        match part.parse::<IpAddr>() {
            Ok(address) => answer.addresses.push(address.to_canonical()),
            Err(_) => {
                let alias =
                    part.strip_prefix("type:").map(str::trim).and_then(|rest| rest.strip_prefix("5 "));
                answer.targets.extend(alias.map(plain));
            }
        }
    }
    if answer.ending == Ending::Resolved && answer.addresses.is_empty() && answer.targets.is_empty() {
        answer.ending = Ending::Unknown;
    }
    Some(answer)
}

/// `DNS_ERROR_RCODE_NAME_ERROR` (winerror.h).
const NO_NAME: u32 = 9003;
/// `DNS_INFO_NO_RECORDS` and `DNS_ERROR_RECORD_DOES_NOT_EXIST` (winerror.h; domain.md 5.6 names the second).
const NO_RECORD: [u32; 2] = [9501, 9701];
