//! An adapter has IPv6 that leads nowhere.
//!
//! # What it looks at
//! `Get-NetConnectionProfile` (IPv6 connectivity beside IPv4), `ipconfig /all` (a global IPv6 address and a gateway), `Get-NetAdapterBinding`
//! (whether IPv6 is bound) or, without it, `UpperBind` of the adapters in the SYSTEM hive, and network errors in the failure window.
//!
//! # Why it blocks activation
//! With a global address and a gateway that lead nowhere, programs try IPv6 first and wait for it. The article's step is to unbind IPv6
//! for a test and to bind it again.
//!
//! # Fix
//! Test with IPv6 unbound on that adapter, bind it again, and repair the IPv6 route of the site.
//!
//! # Verify
//! Activation works while IPv6 is unbound; `IPv6Connectivity` shows Internet once the route is repaired.
//!
//! # When this is wrong
//! `IPv6Connectivity : NoTraffic` beside IPv4 Internet is the normal state at home and in most offices: without a global IPv6 address, a gateway
//! and recorded network errors it means nothing. An unbound adapter is a note.
//!
//! # Sources
//! domain.md 5.7 `ipv6-adapter-binding`; R28 of section 14; the article's section on IPv6.

use super::nic_offload::{CLASS, CONNECTIONS};
use crate::artifact::capture::connection_profile::{Connectivity, Profile};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::{Confidence, Lookup, Sourced, Unknown, captures};

/// The check.
pub const CHECK: Check = Check {
    id: "ipv6-adapter-binding",
    title: "An adapter has IPv6 that leads nowhere",
    layer: Layer::Network,
    article: Article::Network("Check IPv6"),
    wants: &[],
    healthy: "No adapter has IPv6 addresses that lead nowhere.",
    source_text: include_str!("ipv6_adapter_binding.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let mut judged = unbound_adapters(case, j) || unbound_in_hive(case, j);
    for capture in case.captures(CaptureKind::ConnectionProfile) {
        let CaptureData::ConnectionProfile(data) = &capture.value.data else { continue };
        for profile in &data.profiles {
            let line = profile.ipv6_line.unwrap_or(profile.line);
            let source = captures::line(capture.source.artifact, line);
            judged |= judge(case, j, &Sourced { value: profile, source });
        }
    }
    if !judged {
        let what = "Get-NetConnectionProfile or Get-NetAdapterBinding output".to_owned();
        j.missing(&Unknown { what, reason: None }, collect::CONNECTION_PROFILE);
    }
}

/// One network; true when its IPv6 state is known.
fn judge(case: &Case<'_>, j: &Judgement, profile: &Sourced<&Profile>) -> bool {
    let (Some(v4), Some(v6)) = (profile.value.ipv4, profile.value.ipv6) else { return false };
    let seen = profile.shows(format!("IPv6Connectivity {v6:?} beside IPv4Connectivity {v4:?}"));
    let dead = matches!(v6, Connectivity::NoTraffic | Connectivity::LocalNetwork | Connectivity::Subnet);
    let errors = signals::network_errors(case);
    match (dead && v4 == Connectivity::Internet, errors.last(), global_address(case, profile.value)) {
        (true, Some(error), Some(address)) => {
            let evidence = vec![seen.expected("Internet"), address, event_seen(error, signals::FIELDS)];
            let summary = "An adapter has a global IPv6 address and a gateway that lead nowhere, and network errors are recorded.";
            j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence);
        }
        _ => j.good(seen),
    }
    true
}

/// A global IPv6 address with an IPv6 gateway on the profile's adapter.
fn global_address(case: &Case<'_>, profile: &Profile) -> Option<Observation> {
    let alias = profile.interface_alias.as_deref()?;
    for capture in case.captures(CaptureKind::Ipconfig) {
        let CaptureData::Ipconfig(data) = &capture.value.data else { continue };
        let adapters = data.adapters.iter().filter(|adapter| adapter.name.as_deref() == Some(alias));
        for adapter in adapters {
            let global = adapter.ipv6.iter().find(|address| is_global(&address.address.to_string()));
            let gateway = adapter.gateways.iter().any(|gateway| gateway.address.to_string().contains(':'));
            if let Some(address) = global.filter(|_| gateway) {
                let source = captures::line(capture.source.artifact, address.line);
                return Some(source.shows(format!("{} with an IPv6 gateway", address.address)));
            }
        }
    }
    None
}

/// 2000::/3, the only global unicast range in use.
fn is_global(address: &str) -> bool {
    let address = address.split(['%', '/']).next().unwrap_or_default();
    let first = address.parse::<std::net::Ipv6Addr>().ok().map(|address| address.octets());
    matches!(first, Some([byte, ..]) if byte >> 5 == 1)
}

/// Adapters without IPv6 are a note; true when the binding of any adapter is known.
fn unbound_adapters(case: &Case<'_>, j: &Judgement) -> bool {
    let mut known = false;
    for capture in case.captures(CaptureKind::AdapterBinding) {
        let CaptureData::AdapterBinding(data) = &capture.value.data else { continue };
        let ipv6 = data.bindings.iter().filter(|binding| {
            binding.component_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case("ms_tcpip6"))
        });
        for binding in ipv6 {
            let Some(enabled) = binding.enabled else { continue };
            known = true;
            let adapter = binding.adapter.as_deref().unwrap_or("an adapter");
            let source = captures::line(capture.source.artifact, binding.line);
            j.good(source.shows(format!("IPv6 on {adapter}: {enabled}")));
            if !enabled {
                j.note(format!("IPv6 is not bound to {adapter}."));
            }
        }
    }
    known
}

/// The hive's own list of what is bound to each adapter. True when IPv6 is bound to none that carries IPv4: an adapter that has both tells
/// nothing without the state of its network.
fn unbound_in_hive(case: &Case<'_>, j: &Judgement) -> bool {
    let Lookup::Found(list) = case.evidence.registry.subkeys(CLASS) else { return false };
    let (mut without, mut with) = (Vec::new(), false);
    for name in list.value.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        let key = format!(r"{CLASS}\{name}");
        let Lookup::Found(bound) = case.value(&format!(r"{key}\Linkage"), "UpperBind") else { continue };
        let parts = bound.value.as_list().unwrap_or_default();
        let has = |wanted: &str| parts.iter().any(|part| part.eq_ignore_ascii_case(wanted));
        with |= has("Tcpip6");
        if has("Tcpip") && !has("Tcpip6") {
            without.push((alias(case, &key).unwrap_or_else(|| "an adapter".to_owned()), bound));
        }
    }
    for (adapter, bound) in &without {
        j.good(value_seen(bound));
        j.note(format!("IPv6 is not bound to {adapter}."));
    }
    !without.is_empty() && !with
}

/// The name of an adapter's connection.
fn alias(case: &Case<'_>, key: &str) -> Option<String> {
    let text = |key: &str, name: &str| case.value(key, name).found().and_then(|value| value.value.as_text());
    let guid = text(key, "NetCfgInstanceId")?;
    text(&format!(r"{CONNECTIONS}\{guid}\Connection"), "Name")
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "For a test: Disable-NetAdapterBinding -Name \"<adapter>\" -ComponentID ms_tcpip6",
            "Try activation.",
            "In any case bind it again: Enable-NetAdapterBinding -Name \"<adapter>\" -ComponentID ms_tcpip6",
            "If it helped, have the site's IPv6 route or router advertisements repaired.",
        ],
        "Unbinding is a test and not a repair: parts of Windows expect IPv6.",
        "Enable-NetAdapterBinding as above.",
        "Get-NetConnectionProfile shows IPv6Connectivity : Internet, or the adapter has no global IPv6 address any more.",
        &[ARTICLE_NETWORK],
    )
}

#[cfg(test)]
mod tests {
    use super::is_global;

    #[test]
    fn only_global_unicast_addresses_count() {
        // RFC 4291: 2000::/3 is global unicast; fe80::/10 link-local; fc00::/7 unique local.
        assert!(is_global("2001:db8::1") && is_global("3fff::1%12"));
        assert!(!is_global("fe80::1%5") && !is_global("fd00::1") && !is_global("::1") && !is_global("x"));
    }
}
