//! Services and the user's programs take different ways out.
//!
//! # What it looks at
//! The way that WinHTTP takes (services) and the way that WinINET takes (the affected user), as `proxy-winhttp` and `proxy-wininet-user` read
//! them; signs that services do not get out directly: Windows sees no internet, transfers, updates or device registration failed.
//!
//! # Why it blocks activation
//! A proxy that only the user has is invisible to services: the browser works, and licensing and device registration fail. The proxy step of
//! the article exists for this case.
//!
//! # Fix
//! Give WinHTTP the proxy that the user has: `netsh winhttp set proxy <host:port>`; or take a proxy away that only services have left.
//!
//! # Verify
//! `netsh winhttp show proxy` and the user's settings page name the same proxy, and activation gets further.
//!
//! # When this is wrong
//! A site may let services out directly on purpose: without a recorded failure a difference is a warning. Auto-detection that found nothing is
//! direct. What a script answers is not known here, so a script is compared with a proxy only as far as "some proxy" goes; two different
//! scripts are a weak sign.
//!
//! # Sources
//! domain.md 5.3 `proxy-mismatch`; decision 5; R18 of section 14; trap 22.

use super::address::{host_of, is_loopback, port_of};
use super::proof::{refused_registration, unreachable, used_by};
use super::settings::{INTERNET_SETTINGS, Internet, MACHINE_SETTINGS, Scope, scope};
use super::winhttp::Setting;
use super::{REGISTRATION, TRANSFERS, egress, winhttp};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup};

/// Proxies that Windows saw in use.
const MANUAL_PROXIES: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet\ManualProxies";
/// The proxy of a request of device registration.
const PROXY_USED: Want = Want { ids: &[339], ..REGISTRATION };

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-mismatch",
    title: "Services and the user's programs take different ways out",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[TRANSFERS, REGISTRATION],
    healthy: "Services and the user's programs take the same way out.",
    source_text: include_str!("mismatch.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let services = match winhttp::route(case) {
        Ok(services) => Some(services),
        Err(unknown) => {
            j.missing(&unknown, collect::WINHTTP_PROXY);
            None
        }
    };
    let Some((user, services)) = of_user(case, j).zip(services) else { return };
    in_use(case, j);
    compare(case, j, &user, &services);
}

/// The way of the affected user's programs; the machine's where policy makes it count.
fn of_user(case: &Case<'_>, j: &Judgement) -> Option<Setting> {
    let (key, doubts, collect) = match scope(case) {
        Scope::Machine(_) => (MACHINE_SETTINGS.to_owned(), Vec::new(), collect::SOFTWARE),
        other => {
            if let Scope::Unknown(unknown) = other {
                j.missing(&unknown, collect::SOFTWARE);
            }
            match case.evidence.users.affected() {
                Lookup::Found(user) => {
                    (user.value.path(INTERNET_SETTINGS), user.source.doubts, collect::USER)
                }
                Lookup::Unknown(unknown) => {
                    j.missing(&unknown, collect::USER);
                    return None;
                }
                Lookup::Absent(_) => return None,
            }
        }
    };
    match Internet::read(case, &key) {
        Ok(internet) => {
            let mut seen = internet.seen;
            seen.doubts.extend(doubts);
            Some(Setting { route: internet.route, seen })
        }
        Err(unknown) => {
            j.missing(&unknown, collect);
            None
        }
    }
}

/// The rows of the table.
fn compare(case: &Case<'_>, j: &Judgement, user: &Setting, services: &Setting) {
    let both = || vec![user.seen.clone(), services.seen.clone()];
    match (&user.route.proxy, &services.route.proxy) {
        (Some(one), Some(two)) if host_of(one) == host_of(two) => {
            if port_of(one) != port_of(two) {
                j.note(format!("The same proxy host by two ports: {one} and {two}."));
            }
            both().into_iter().for_each(|seen| j.good(seen))
        }
        (Some(one), Some(two)) => {
            let summary = format!("The user's programs use the proxy {one}, services use {two}.");
            j.row(Status::Warning, Confidence::Medium, summary, both());
        }
        (Some(proxy), None) if services.route.script.is_none() => only_the_user(case, j, proxy, both()),
        (None, Some(proxy)) if user.route.script.is_none() => only_services(case, j, proxy, both()),
        (None, None) if user.route.script.is_some() && services.route.is_direct() => {
            script_of_the_user(case, j, user, both())
        }
        (None, None) if user.route.script == services.route.script => {
            both().into_iter().for_each(|seen| j.good(seen))
        }
        (None, None) if user.route.is_direct() => {
            let summary = format!(
                "Only services have a {}, perhaps left over; the user's programs go direct.",
                services.route.words()
            );
            j.row(Status::Warning, Confidence::Medium, summary, both());
        }
        (None, None) => {
            let summary = format!(
                "Two scripts: the user's programs have {}, services {}.",
                user.route.words(),
                services.route.words()
            );
            j.row(Status::Warning, Confidence::Low, summary, both());
        }
        _ => {
            j.note(format!(
                "The user's programs: {}; services: {}. What a script answers is not known here.",
                user.route.words(),
                services.route.words()
            ));
            for mut seen in both() {
                seen.doubts.push("A script was compared with another setting without running it.".to_owned());
                j.good(seen);
            }
        }
    }
}

/// Manual proxy of the user, services direct: the case of the article.
fn only_the_user(case: &Case<'_>, j: &Judgement, proxy: &str, mut evidence: Vec<Observation>) {
    let egress = egress::direct(case);
    if let Some(seen) = &egress.reopened {
        j.note(format!(
            "Services failed to get out directly and got out later ({}): was, now repaired.",
            seen.observed
        ));
    }
    if egress.closed.is_empty() {
        let summary = format!(
            "Only the user's programs have the proxy {proxy}; services go direct, and nothing shows that they get out."
        );
        j.row(Status::Warning, Confidence::Medium, summary, evidence);
    } else {
        evidence.extend(egress.closed);
        let summary = format!(
            "Only the user's programs have the proxy {proxy}; services go direct and do not get out."
        );
        j.row(Status::Blocker, Confidence::High, summary, evidence);
    }
}

/// A script of the user, services direct. What it answers for the required addresses is not known: never more than a warning.
fn script_of_the_user(case: &Case<'_>, j: &Judgement, user: &Setting, mut evidence: Vec<Observation>) {
    let egress = egress::direct(case);
    let confidence = if egress.closed.is_empty() { Confidence::Medium } else { Confidence::High };
    evidence.extend(egress.closed);
    let summary = format!("Only the user's programs have a {}; services go direct.", user.route.words());
    j.row(Status::Warning, confidence, summary, evidence);
}

/// A proxy that only services have: left over, and fatal when it does not answer.
fn only_services(case: &Case<'_>, j: &Judgement, proxy: &str, mut evidence: Vec<Observation>) {
    let errors = signals::network_errors(case);
    let loopback = is_loopback(&host_of(proxy)).then(|| errors.last()).flatten();
    let dead = unreachable(case, proxy)
        .or_else(|| refused_registration(case))
        .or_else(|| loopback.map(|error| event_seen(error, signals::FIELDS)));
    match dead {
        Some(seen) => {
            evidence.push(seen);
            let summary = format!(
                "Only services have the proxy {proxy}, and it does not answer; the user's programs go direct."
            );
            j.row(Status::Blocker, Confidence::High, summary, evidence);
        }
        None => {
            let summary = format!(
                "Only services have the proxy {proxy}, perhaps left over; the user's programs go direct."
            );
            j.row(Status::Warning, Confidence::Medium, summary, evidence);
        }
    }
}

/// Proxies that were really used, as notes: they show what the site wants.
fn in_use(case: &Case<'_>, j: &Judgement) {
    if let Some(event) = case.events(TRANSFERS).iter().rev().find(|event| !used_by(event.value).is_empty()) {
        let proxy = signals::mask_credentials(used_by(event.value));
        j.note(format!("BITS used the proxy {proxy} at {}.", event.value.time));
    }
    if let Some(event) = case.events(PROXY_USED).last()
        && let Some(proxy) = event.value.field("pwszProxy").filter(|proxy| !proxy.trim().is_empty())
    {
        let port = event.value.field("ProxyPort").map(|port| format!(":{port}")).unwrap_or_default();
        j.note(format!(
            "Device registration used the proxy {}{port} at {}.",
            signals::mask_credentials(proxy),
            event.value.time
        ));
    }
    if let Some(list) =
        case.evidence.registry.values(MANUAL_PROXIES).found().filter(|list| !list.value.is_empty())
    {
        let names: Vec<String> =
            list.value.iter().map(|value| signals::mask_credentials(&value.display())).collect();
        j.note(format!("NlaSvc keeps manual proxies: {}.", names.join(", ")));
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let user = of_user(case, &Judgement::default()).and_then(|user| user.route.proxy);
    let dead = user
        .as_deref()
        .is_some_and(|proxy| is_loopback(&host_of(proxy)) || unreachable(case, proxy).is_some());
    let proxy = user.unwrap_or_else(|| "<host:port>".to_owned());
    // Services must not be given a proxy that does not work.
    let give = match dead {
        true => format!(
            "Switch the user's proxy {proxy} off, or enter the site's proxy in its place: it does not work."
        ),
        false => format!(
            "If services need the user's proxy: netsh winhttp set proxy {proxy} \"<local>\" (Windows 11, Server 2022: set advproxy)"
        ),
    };
    Remedy {
        steps: vec![
            "Note the present settings: netsh winhttp show proxy > winhttp-before.txt".to_owned(),
            give,
            "If the site has no proxy any more: netsh winhttp reset proxy, and switch the user's proxy off.".to_owned(),
            "If services may go direct: let the required addresses pass the firewall without the proxy.".to_owned(),
        ],
        caution: "All services use the WinHTTP proxy (updates, device registration, monitoring), and they must be able to pass it without a user's \
                  password."
            .to_owned(),
        rollback: "netsh winhttp set proxy with the string noted before, or netsh winhttp reset proxy.".to_owned(),
        verify: "netsh winhttp show proxy and the user's settings name the same proxy; then try activation again.".to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
