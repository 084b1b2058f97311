//! Services are sent through a proxy that is wrong, dead or unproven.
//!
//! # What it looks at
//! `WinHttpSettings` below `Internet Settings\Connections` in the SOFTWARE hive, in the native and the 32-bit view; the outputs of `netsh
//! winhttp show proxy` and `show advproxy`; BITS transfers, name queries and connection tests that name the proxy; sign-in and update errors of
//! the network class in the failure window.
//!
//! # Why it blocks activation
//! Licensing and device registration run as services and use WinHTTP, not the user's browser settings. If WinHTTP names a proxy that does not
//! answer, or lets a debugging proxy of last year stand (127.0.0.1), the browser works and activation fails.
//!
//! # Fix
//! `netsh winhttp set proxy <address>` with the site's proxy, or `netsh winhttp reset proxy` if the site has none.
//!
//! # Verify
//! `netsh winhttp show proxy` shows what the site wants, and activation gets further.
//!
//! # When this is wrong
//! "Direct" is good only where the site needs no proxy: `proxy-mismatch` compares it with the user's proxy. A proxy without any proof either
//! way is a warning, never a blocker. A bypass list with `*` means that the proxy is never used. A list by scheme without one for HTTPS is no
//! proxy for sign-in: HTTPS then goes direct (from practice). Sources that contradict each other lower the confidence. On current Windows `show
//! advproxy` can differ from `show proxy`, and then it wins.
//!
//! # Sources
//! domain.md 5.3 `proxy-winhttp`, 6.6; decision 25; R6, R12 and R18 of section 14.

use super::address::mask_url;
use super::proof::{self, Named};
use super::settings::{MACHINE_SETTINGS, Route, blob, blob_words};
use super::{REGISTRATION, TRANSFERS};
use crate::artifact::capture::winhttp_proxy::State;
use crate::artifact::capture::{CaptureData, CaptureKind, winhttp_advproxy};
use crate::artifact::connection_blob::{ConnectionBlob, is_never_used};
use crate::artifact::value::RegValue;
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::{Confidence, Lookup, Unknown, captures};

const VALUE: &str = "WinHttpSettings";
/// From this build on `show advproxy` exists and tells more (R18).
const ADVPROXY_BUILD: u32 = 20_348;

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-winhttp",
    title: "Services use a proxy that is wrong, dead or unproven",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[TRANSFERS, REGISTRATION],
    healthy: "Services connect directly, or through a proxy that is known to work.",
    source_text: include_str!("winhttp.rs"),
    run,
    remedy,
};

/// What one source says of the way that services take.
#[derive(Clone)]
pub struct Setting {
    /// The way.
    pub route: Route,
    /// Where it is seen.
    pub seen: Observation,
}

/// The blob of each view: the second one only where Windows has two.
fn views(case: &Case<'_>) -> Vec<Lookup<ConnectionBlob>> {
    let path = format!(r"{MACHINE_SETTINGS}\Connections");
    let read = |answer: Lookup<RegValue>| blob(answer, "WinHTTP proxy");
    let mut views = vec![read(case.value(&path, VALUE))];
    views.extend(case.second_view(&path, VALUE).map(read));
    views
}

/// What the sources say.
struct Told {
    /// The one that tells most first: `show advproxy`, `show proxy`, the stored blobs.
    settings: Vec<Setting>,
    /// One of them is an output of netsh, which shows what is in force and not one view of it.
    by_netsh: bool,
}

fn told(case: &Case<'_>, views: &[Lookup<ConnectionBlob>]) -> Told {
    let advanced = from_advproxy(case);
    let simple = from_show_proxy(case);
    let stored: Vec<Setting> = views.iter().filter_map(stored).collect();
    let only_simple =
        advanced.is_empty() && case.os().build_number().is_some_and(|build| build >= ADVPROXY_BUILD);
    let contradicted = is_contradicted(&advanced, &simple, &stored);
    let by_netsh = !advanced.is_empty() || !simple.is_empty();
    let mut list: Vec<Setting> = advanced.into_iter().chain(simple).chain(stored).collect();
    for setting in &mut list {
        // R18: these sources do not show a proxy that was set by "set advproxy".
        if only_simple && setting.route.is_direct() {
            setting.seen.doubts.push(
                "On this Windows a proxy set by \"set advproxy\" shows neither in \"show proxy\" nor in WinHttpSettings.".into(),
            );
        }
        if contradicted {
            setting.seen.doubts.push("Another source says something else of the WinHTTP proxy.".into());
        }
    }
    Told { settings: list, by_netsh }
}

/// What the blob of a view says.
fn stored(view: &Lookup<ConnectionBlob>) -> Option<Setting> {
    match view {
        Lookup::Found(blob) => {
            Some(Setting { route: Route::of_winhttp(&blob.value), seen: blob.shows(blob_words(&blob.value)) })
        }
        Lookup::Absent(source) => {
            Some(Setting { route: Route::default(), seen: source.shows("not set: direct") })
        }
        Lookup::Unknown(_) => None,
    }
}

/// Whether sources of equal weight contradict each other: outputs of one command, or `show proxy` and every stored view. `show advproxy`
/// tells more than the others (R18), and two views that differ are a row of their own.
fn is_contradicted(advanced: &[Setting], simple: &[Setting], stored: &[Setting]) -> bool {
    let proxy =
        |setting: &Setting| setting.route.proxy.as_ref().map(|proxy| proxy.trim().to_ascii_lowercase());
    let differ =
        |list: &[Setting]| list.iter().any(|one| list.iter().any(|other| proxy(one) != proxy(other)));
    let against_views = simple
        .iter()
        .any(|shown| !stored.is_empty() && stored.iter().all(|view| proxy(view) != proxy(shown)));
    differ(advanced) || (advanced.is_empty() && (differ(simple) || against_views))
}

/// The proxy of services as other checks need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InForce {
    /// None.
    Direct,
    /// This one.
    Proxy(String),
    /// Nothing collected tells, or a script decides.
    Unknown,
}

/// The proxy of services, from the source that tells most.
pub fn in_force(case: &Case<'_>) -> InForce {
    match route(case).map(|setting| setting.route) {
        Ok(Route { proxy: Some(proxy), .. }) => InForce::Proxy(proxy),
        // What a script answers is not known.
        Ok(Route { script: Some(_), .. }) | Err(_) => InForce::Unknown,
        Ok(_) => InForce::Direct,
    }
}

/// The way that services take, for the checks that compare it with others.
pub fn route(case: &Case<'_>) -> Result<Setting, Unknown> {
    let views = views(case);
    let Told { mut settings, by_netsh } = told(case, &views);
    let unread = views.into_iter().find_map(|view| match view {
        Lookup::Unknown(unknown) => Some(unknown),
        Lookup::Found(_) | Lookup::Absent(_) => None,
    });
    // One view of two does not tell that services go direct.
    let half = !by_netsh && settings.iter().all(|setting| setting.route.is_direct());
    match unread {
        Some(unknown) if half => Err(unknown),
        _ if settings.is_empty() => Err(Unknown { what: "WinHTTP proxy".to_owned(), reason: None }),
        _ => Ok(settings.swap_remove(0)),
    }
}

fn run(case: &Case<'_>, j: &Judgement) {
    let views = views(case);
    compare_views(j, &views);
    let Told { settings, by_netsh } = told(case, &views);
    for view in &views {
        match view {
            Lookup::Found(blob) if !blob.value.known_version() => {
                j.note(format!("{} has the unusual version {:#x}.", blob.source.locator, blob.value.version));
            }
            Lookup::Unknown(unknown) if !by_netsh => j.missing(unknown, collect::WINHTTP_PROXY),
            _ => {}
        }
    }
    judge(case, j, &settings);
}

/// R6: flags, proxy, bypass and script count, counters do not; an absent twin equals direct.
fn compare_views(j: &Judgement, views: &[Lookup<ConnectionBlob>]) {
    let meaning = |view: &Lookup<ConnectionBlob>| match view {
        Lookup::Found(blob) => Some((blob.value.clone(), blob.shows(blob_words(&blob.value)))),
        Lookup::Absent(source) => Some((ConnectionBlob::direct(), source.shows("not set: direct"))),
        Lookup::Unknown(_) => None,
    };
    if let [one, two] = views
        && let (Some((one, seen)), Some((two, seen_two))) = (meaning(one), meaning(two))
        && one.settings() != two.settings()
    {
        j.warning(
            Confidence::Medium,
            "The 64-bit and the 32-bit view of the WinHTTP proxy differ.",
            [seen, seen_two],
        );
    }
}

fn judge(case: &Case<'_>, j: &Judgement, settings: &[Setting]) {
    let Some(first) = settings.first() else { return };
    if settings.iter().any(|setting| setting.route.proxy != first.route.proxy) {
        j.note("The sources do not agree on the WinHTTP proxy; the one that tells most decides.");
    }
    if let Some(script) = &first.route.script {
        j.note(format!("Services use the script {script}: see proxy-pac-wpad."));
    }
    if let Some(list) = &first.route.not_for_https {
        proof::not_for_https(j, list, &first.seen, "Services");
    }
    let Some(proxy) = &first.route.proxy else {
        settings.iter().for_each(|setting| j.good(setting.seen.clone()));
        return;
    };
    let errors = signals::network_errors(case);
    let refused = proof::refused_registration(case);
    proof::judge(case, j, &Named { proxy, seen: &first.seen, who: "Services", errors, refused });
}

/// `show advproxy`. A bypass list of `*` means that the proxy is never used (R18).
fn from_advproxy(case: &Case<'_>) -> Vec<Setting> {
    let mut list = Vec::new();
    for capture in case.captures(CaptureKind::WinhttpAdvproxy) {
        let CaptureData::WinhttpAdvproxy(data) = &capture.value.data else { continue };
        if let Some(route) = advproxy_route(data) {
            let seen = captures::line(capture.source.artifact, data.line).shows(route.words());
            list.push(Setting { route, seen });
        }
    }
    list
}

/// `None` when something is on and the output does not name it: that is not direct.
fn advproxy_route(data: &winhttp_advproxy::Data) -> Option<Route> {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let never = data.proxy_bypass.as_deref().is_some_and(is_never_used);
    let proxy = set(&data.proxy).filter(|_| data.proxy_is_enabled != Some(false) && !never);
    let script = set(&data.auto_config_url).filter(|_| data.auto_config_is_enabled != Some(false));
    let unnamed = (data.proxy_is_enabled == Some(true) && set(&data.proxy).is_none())
        || (data.auto_config_is_enabled == Some(true) && script.is_none());
    let script = script.as_deref().map(mask_url);
    let detect = data.auto_detect == Some(true);
    (!unnamed).then(|| Route { script, detect, ..Route::named(proxy.as_deref(), false) })
}

/// `show proxy`.
fn from_show_proxy(case: &Case<'_>) -> Vec<Setting> {
    let mut list = Vec::new();
    for capture in case.captures(CaptureKind::WinhttpProxy) {
        let CaptureData::WinhttpProxy(data) = &capture.value.data else { continue };
        let source = captures::line(capture.source.artifact, data.line);
        list.push(match &data.state {
            State::Direct { confirmed } => {
                let mut seen = source.shows("direct access");
                if !confirmed {
                    seen.doubts.push(
                        "The sentence for direct access is in a language without a known text for it.".into(),
                    );
                }
                Setting { route: Route::default(), seen }
            }
            State::Proxy { proxy, bypass, .. } => {
                let used = !bypass.as_deref().is_some_and(is_never_used);
                let route = Route::named(Some(proxy.as_str()).filter(|_| used), false);
                Setting { route, seen: source.shows(format!("proxy {proxy}")) }
            }
        });
    }
    list
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Note the present setting: netsh winhttp show proxy > winhttp-before.txt",
            "If the site has no proxy: netsh winhttp reset proxy",
            "If it has one: netsh winhttp set proxy <host:port> \"<local>\" (Windows 11, Server 2022: netsh winhttp set advproxy)",
            "Let the required addresses pass the proxy without authentication, or send them direct by the bypass list or the PAC file.",
        ],
        "All services use this setting (updates, device registration, monitoring): agree it with whoever runs the proxy.",
        "netsh winhttp set proxy with the string noted before.",
        "netsh winhttp show proxy shows the wanted setting; then try activation again.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/windows/win32/winhttp/netsh-exe-commands"],
    )
}
