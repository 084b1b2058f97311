//! Networks and adapters as the captures show them, and what was reached.

use serde::Serialize;

use super::answers::at;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::evidence::captures::line;
use crate::evidence::{Lookup, Sourced, Unknown};

/// A connected network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Name of the adapter.
    pub interface: Option<String>,
    /// `Public`, `Private` or `DomainAuthenticated`.
    pub category: Option<String>,
    /// What IPv4 reaches, in Windows' words.
    pub ipv4: Option<String>,
    /// What IPv6 reaches.
    pub ipv6: Option<String>,
}

/// The networks of the last connection profiles that were collected. An empty list: the command found no network.
pub fn networks(case: &Case<'_>) -> Lookup<Vec<Network>> {
    let asked = case.evidence.captures.ask(CaptureKind::ConnectionProfile, "Get-NetConnectionProfile output");
    let captures = match asked {
        Lookup::Found(found) => found.value,
        Lookup::Absent(source) => return Lookup::Absent(source),
        Lookup::Unknown(unknown) => return none_connected(case).unwrap_or(Lookup::Unknown(unknown)),
    };
    let last = captures.iter().rev().find_map(|capture| match &capture.value.data {
        CaptureData::ConnectionProfile(data) => Some((capture, data)),
        _ => None,
    });
    let Some((capture, data)) = last else {
        let what = "Get-NetConnectionProfile output".to_owned();
        return Lookup::Unknown(Unknown { what, reason: None });
    };
    let networks = data.profiles.iter().map(|profile| Network {
        interface: profile.interface_alias.clone(),
        category: profile.network_category.map(|category| word(&category)),
        ipv4: profile.ipv4.map(|reach| word(&reach)),
        ipv6: profile.ipv6.map(|reach| word(&reach)),
    });
    at(line(capture.source.artifact, capture.value.line_from), networks.collect())
}

/// The command ran and printed nothing: no network is connected.
fn none_connected(case: &Case<'_>) -> Option<Lookup<Vec<Network>>> {
    use crate::artifact::capture::CaptureStatus::Empty;
    let mut all = case.evidence.captures.all(CaptureKind::ConnectionProfile);
    let empty = all.find(|capture| capture.value.status == Empty)?;
    Some(at(empty.source, Vec::new()))
}

/// An adapter of `ipconfig /all`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Name.
    pub name: String,
    /// No cable, no network.
    pub disconnected: bool,
    /// Addresses are given by DHCP.
    pub dhcp: Option<bool>,
    /// DNS servers.
    pub dns: Vec<String>,
    /// Default gateways.
    pub gateways: Vec<String>,
}

/// The adapters of the last `ipconfig` of every file.
pub fn adapters(case: &Case<'_>) -> Vec<Sourced<Adapter>> {
    let mut found: Vec<Sourced<Adapter>> = Vec::new();
    for capture in case.captures(CaptureKind::Ipconfig) {
        let CaptureData::Ipconfig(data) = &capture.value.data else { continue };
        for adapter in &data.adapters {
            let Some(name) = adapter.name.clone() else { continue };
            let addresses = |list: &[crate::artifact::capture::ipconfig::Server]| {
                list.iter().map(|server| server.address.clone()).collect()
            };
            found.retain(|earlier| earlier.value.name != name);
            found.push(Sourced {
                value: Adapter {
                    name,
                    disconnected: adapter.media_disconnected,
                    dhcp: adapter.dhcp,
                    dns: addresses(&adapter.dns_servers),
                    gateways: addresses(&adapter.gateways),
                },
                source: line(capture.source.artifact, adapter.line),
            });
        }
    }
    found
}

/// Hosts and ports that `Test-NetConnection` tried, with whether they answered. A host that was tried twice keeps the last answer.
pub fn reached(case: &Case<'_>) -> Vec<Sourced<(String, u16, bool)>> {
    let mut found: Vec<Sourced<(String, u16, bool)>> = Vec::new();
    for capture in case.captures(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        for test in &data.tests {
            let (Some(host), Some(port)) = (&test.computer_name, test.remote_port) else { continue };
            let answered = match (test.tcp_test_succeeded, test.name_resolution_failed) {
                (Some(answered), _) => answered,
                (None, true) => false,
                (None, false) => continue,
            };
            let host = host.trim().to_ascii_lowercase();
            found.retain(|earlier| (&earlier.value.0, earlier.value.1) != (&host, port));
            let source = line(capture.source.artifact, test.tcp_line.unwrap_or(test.line));
            found.push(Sourced { value: (host, port, answered), source });
        }
    }
    found
}

/// Names that were looked up, with the outcome in a word (`resolved`, `nx_domain`, `timeout` …).
pub fn resolved(case: &Case<'_>) -> Vec<Sourced<(String, String)>> {
    let mut found: Vec<Sourced<(String, String)>> = Vec::new();
    let mut put = |host: &str, outcome: String, source| {
        let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
        found.retain(|earlier: &Sourced<(String, String)>| earlier.value.0 != host);
        found.push(Sourced { value: (host, outcome), source });
    };
    for capture in case.evidence.captures.each(CaptureKind::Nslookup) {
        let CaptureData::Nslookup(data) = &capture.value.data else { continue };
        for query in &data.queries {
            if let Some(host) = &query.queried {
                let at = line(capture.source.artifact, query.outcome_line.unwrap_or(query.line));
                put(host, word(&query.outcome), at);
            }
        }
    }
    for capture in case.evidence.captures.each(CaptureKind::ResolveDns) {
        let CaptureData::ResolveDns(data) = &capture.value.data else { continue };
        if let Some(host) = &data.queried {
            put(host, word(&data.outcome), line(capture.source.artifact, data.line));
        }
    }
    found
}

/// The word that dumps use for a value of a capture.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn outcomes_become_words() {
        use crate::artifact::capture::nslookup::Outcome;
        assert_eq!(super::word(&Outcome::NxDomain), "nx_domain");
        assert_eq!(super::word(&Outcome::Resolved), "resolved");
    }
}
