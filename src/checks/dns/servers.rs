//! Which DNS servers the machine uses: what others answer says nothing of how its names resolve.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::address::is_public;
use super::answers::Answer;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;

/// Says of every answer whether it came from a server that the machine uses, as far as that can be told. `ipconfig` and `netsh` list
/// them, and a question that names no server goes to one of them.
pub fn mark(case: &Case<'_>, answers: &mut [Answer]) {
    let configured = configured(case);
    let mut used = configured.clone();
    let unnamed = answers.iter().filter(|answer| answer.names_server == Some(false));
    used.extend(unnamed.filter_map(|answer| answer.server));
    for answer in answers {
        answer.own = match answer.server {
            None => true,
            Some(server) if used.contains(&server) => true,
            // Nobody tells which are its own: one inside its network may be, one on the internet was named for comparison.
            Some(server) if answer.names_server == Some(true) => used.is_empty() && !is_public(server),
            Some(_) => configured.is_empty(),
        };
    }
}

/// The servers in the settings of the adapters.
fn configured(case: &Case<'_>) -> BTreeSet<IpAddr> {
    let mut found = BTreeSet::new();
    for capture in case.captures(CaptureKind::Ipconfig) {
        let CaptureData::Ipconfig(data) = &capture.value.data else { continue };
        let servers = data.adapters.iter().flat_map(|adapter| &adapter.dns_servers);
        // A link-local server stands with its scope.
        let plain = servers.filter_map(|server| server.address.split('%').next()?.trim().parse().ok());
        found.extend::<Vec<IpAddr>>(plain.collect());
    }
    for capture in case.captures(CaptureKind::IpConfig) {
        let CaptureData::IpConfig(data) = &capture.value.data else { continue };
        found.extend(data.interfaces.iter().flat_map(|one| &one.dns_servers).map(|server| server.address));
    }
    found
}
