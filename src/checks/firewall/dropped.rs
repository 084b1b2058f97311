//! Connections that the firewall is on record for having stopped: `pfirewall.log` and the Security log.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::artifact::capture::firewall_log::{Action, Entry, Path};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::{Case, event_seen};
use crate::checks::dns::answers;
use crate::checks::judgement::{Judgement, Status};
use crate::checks::required::{is_of_sign_in_or_licensing, is_sign_in_address, needed};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Source, captures};
use crate::time::FileTime;

/// Packets and connections that the filtering platform stopped; only written where auditing was switched on.
pub const FILTERED: Want =
    Want { provider: "Microsoft-Windows-Security-Auditing", ids: &[5152, 5157], channels: &["Security"] };
/// `Direction` of a connection from outside.
const INBOUND: &str = "%%14592";
/// What an address out of its ranges belongs to.
const SIGN_IN_SERVICE: &str = "the sign-in service";
/// Times of the log may be of the local clock: no time zone is further off.
const LONGEST_ZONE: i64 = 14 * 3600;

/// Reports stopped connections to hosts of sign-in and licensing.
pub fn judge(case: &Case<'_>, j: &Judgement, is_activation_program: fn(&str) -> bool) {
    let known = addresses(case);
    let host = |address: IpAddr| -> Option<String> {
        let address = address.to_canonical();
        known
            .get(&address)
            .cloned()
            .or_else(|| is_sign_in_address(address).then(|| SIGN_IN_SERVICE.to_owned()))
    };
    log(case, j, &host);
    for event in case.events(FILTERED) {
        let field = |name: &str| event.value.field(name).unwrap_or_default();
        if field("Direction") == INBOUND || !matches!(field("DestPort"), "443" | "80") {
            continue;
        }
        let target = field("DestAddress").parse().ok().and_then(&host);
        if target.is_none() && !is_activation_program(field("Application")) {
            continue;
        }
        let whereto = target.unwrap_or_else(|| field("DestAddress").to_owned());
        // The fields of these records are not confirmed, so they never block by themselves.
        j.warning(
            Confidence::Medium,
            format!("The Windows filtering platform stopped a connection to {whereto}."),
            [event_seen(&event, &["Application", "DestAddress", "DestPort", "FilterRTID"])],
        );
    }
}

/// Addresses that required hosts resolved to in this collection; of hosts that share one, that of sign-in or licensing.
fn addresses(case: &Case<'_>) -> BTreeMap<IpAddr, String> {
    let mut found = BTreeMap::new();
    for answer in answers::collected(case) {
        if let Some(host) = answer.names.iter().find(|name| needed(case, name).is_some()) {
            for address in answer.addresses.iter().map(IpAddr::to_canonical) {
                let known = found.entry(address).or_insert_with(|| host.clone());
                if !is_of_sign_in_or_licensing(known) {
                    known.clone_from(host);
                }
            }
        }
    }
    found
}

/// What the log says of one host.
#[derive(Default)]
struct Traffic {
    dropped: Vec<(String, Source, String)>,
    last_allowed: Option<String>,
}

fn log(case: &Case<'_>, j: &Judgement, host: &dyn Fn(IpAddr) -> Option<String>) {
    let mut by_host: BTreeMap<String, Traffic> = BTreeMap::new();
    for capture in case.evidence.captures.each(CaptureKind::FirewallLog) {
        let CaptureData::FirewallLog(data) = &capture.value.data else { continue };
        for entry in
            data.entries.iter().filter(|entry| is_outbound_web(entry) && is_current(case, &entry.time))
        {
            let Some(host) = entry.destination.and_then(host) else { continue };
            let traffic = by_host.entry(host).or_default();
            if entry.action == Action::Allow {
                traffic.last_allowed = traffic.last_allowed.take().max(Some(entry.time.clone()));
            } else if begins_a_connection(entry) {
                let port = entry.destination_port.unwrap_or_default();
                let shown = entry
                    .destination
                    .map_or_else(String::new, |address| format!("DROP TCP to {address}:{port}"));
                let source = captures::line(capture.source.artifact, entry.line);
                traffic.dropped.push((entry.time.clone(), source, format!("{} {shown}", entry.time)));
            }
        }
    }
    for (host, traffic) in by_host {
        let Some((newest, source, shown)) = traffic.dropped.iter().max_by_key(|(time, ..)| time) else {
            continue;
        };
        let count = traffic.dropped.len();
        if traffic.last_allowed.as_ref().is_some_and(|allowed| allowed > newest) {
            j.note(format!(
                "The Windows firewall dropped {count} connection(s) to {host}, and let later ones through."
            ));
            continue;
        }
        let summary = format!("The Windows firewall dropped {count} connection(s) to {host}.");
        // Other hosts of the table are helpers, and many stand on addresses that they share with strangers.
        let (status, confidence) = match host == SIGN_IN_SERVICE || is_of_sign_in_or_licensing(&host) {
            true => (Status::Blocker, Confidence::High),
            false => (Status::Warning, Confidence::Medium),
        };
        j.row(status, confidence, summary, vec![source.shows(shown.clone())]);
    }
}

fn is_outbound_web(entry: &Entry) -> bool {
    matches!(entry.action, Action::Drop | Action::Allow)
        && entry.path == Some(Path::Send)
        && entry.protocol.eq_ignore_ascii_case("TCP")
        && matches!(entry.destination_port, Some(443 | 80))
}

/// A connection that is refused has no packet yet, or its first one. Late packets of connections that have ended are dropped on every machine.
fn begins_a_connection(entry: &Entry) -> bool {
    entry.tcp_flags.as_deref().is_none_or(|flags| flags.contains('S') || flags == "0")
}

/// Whether a time of the log can lie in the failure window.
fn is_current(case: &Case<'_>, time: &str) -> bool {
    let (Some(window), Some(time)) = (case.window(), FileTime::parse(&format!("{time}Z"))) else {
        return true;
    };
    window.from.plus_seconds(-LONGEST_ZONE) <= time && time <= window.to.plus_seconds(LONGEST_ZONE)
}
