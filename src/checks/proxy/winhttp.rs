//! Services are sent through a proxy that is wrong, dead or unproven.
//!
//! # What it looks at
//! `WinHttpSettings` below `Internet Settings\Connections` in the SOFTWARE hive, in the native and the 32-bit view; the outputs of
//! `netsh winhttp show proxy` and `show advproxy`; BITS transfers that name the proxy they used; sign-in and update errors of the network
//! class in the failure window.
//!
//! # Why it blocks activation
//! Licensing and device registration run as services and use WinHTTP, not the user's browser settings. If WinHTTP names a proxy that
//! does not answer, or lets a debugging proxy of last year stand (127.0.0.1), the browser works and activation fails.
//!
//! # Fix
//! `netsh winhttp set proxy <address>` with the site's proxy, or `netsh winhttp reset proxy` if the site has none.
//!
//! # Verify
//! `netsh winhttp show proxy` shows what the site wants, and activation gets further.
//!
//! # When this is wrong
//! "Direct" is good only where the site needs no proxy: `proxy-mismatch` compares it with the user's proxy. A proxy without any proof
//! either way is a warning, never a blocker. A bypass list of `*` means that the proxy is never used. On current Windows `show advproxy` can
//! differ from `show proxy`, and then it wins.
//!
//! # Sources
//! domain.md 5.3 `proxy-winhttp`, 6.6; decision 25; R6, R12 and R18 of section 14.

use crate::artifact::capture::winhttp_proxy::State;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::connection_blob::ConnectionBlob;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced, Unknown, captures};

const CONNECTIONS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections";
const VALUE: &str = "WinHttpSettings";
/// From this build on `show advproxy` exists and tells more (R18).
const ADVPROXY_BUILD: u32 = 20_348;

/// Finished transfers, with the proxy that was used.
const TRANSFERS: Want = Want {
    provider: "Microsoft-Windows-Bits-Client",
    ids: &[60],
    channels: &["Microsoft-Windows-Bits-Client/Operational"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-winhttp",
    title: "Services use a proxy that is wrong, dead or unproven",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[TRANSFERS],
    healthy: "Services connect directly, or through a proxy that is known to work.",
    source_text: include_str!("winhttp.rs"),
    run,
    remedy,
};

/// What one source says of the proxy of services.
struct Setting {
    proxy: Option<String>,
    seen: Observation,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let native = view(j, case.value(CONNECTIONS, VALUE));
    let twin = case.second_view(CONNECTIONS, VALUE).map(|answer| view(j, answer));
    let mut settings = Vec::new();
    if let (View::Read(a), Some(View::Read(b))) = (&native, &twin)
        && a.proxy != b.proxy
    {
        let evidence = [a.seen.clone(), b.seen.clone()];
        j.warning(
            Confidence::Medium,
            "The 64-bit and the 32-bit view of the WinHTTP proxy differ.",
            evidence,
        );
    }
    let netsh = from_netsh(case);
    let both_views = matches!((&native, &twin), (View::Read(_), Some(View::Read(_)) | None));
    for view in [Some(native), twin].into_iter().flatten() {
        match view {
            View::Read(setting) => settings.push(setting),
            View::Unknown(unknown) if netsh.is_empty() => j.missing(&unknown, collect::WINHTTP_PROXY),
            View::Unknown(_) => {}
        }
    }
    // The newest tool tells most: netsh (advproxy first) before the stored blob.
    settings.splice(0..0, netsh);
    if settings.is_empty() && !both_views {
        return;
    }
    judge(case, j, &settings);
}

fn judge(case: &Case<'_>, j: &Judgement, settings: &[Setting]) {
    let Some(first) = settings.first() else { return };
    if settings.iter().any(|setting| setting.proxy != first.proxy) {
        j.note("The sources do not agree on the WinHTTP proxy; the one that tells most decides.");
    }
    let Some(proxy) = &first.proxy else {
        for setting in settings {
            j.good(setting.seen.clone());
        }
        return;
    };
    let evidence = || vec![first.seen.clone()];
    if let Some(transfer) = transfer_through(case, proxy) {
        j.good(first.seen.clone());
        j.good(transfer);
        return;
    }
    let host = host_of(proxy);
    if is_loopback(&host) {
        let mut evidence = evidence();
        let errors = signals::network_errors(case);
        let status = match errors.last() {
            Some(error) => {
                evidence.push(event_seen(error, signals::FIELDS));
                Status::Blocker
            }
            None => Status::Warning,
        };
        let summary = format!(
            "Services are sent to a proxy on this machine itself ({proxy}), left over from a debugging tool."
        );
        j.row(status, Confidence::High, summary, evidence);
        return;
    }
    let summary = format!(
        "Services use the proxy {proxy}; nothing collected shows whether it lets the required addresses pass."
    );
    j.row(Status::Warning, Confidence::Medium, summary, evidence());
}

/// The proxy of services as other checks need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InForce {
    /// None.
    Direct,
    /// This one.
    Proxy(String),
    /// Nothing collected tells.
    Unknown,
}

/// The proxy of services, from the source that tells most.
pub fn in_force(case: &Case<'_>) -> InForce {
    let mut settings = from_netsh(case);
    if let View::Read(setting) = view(&Judgement::default(), case.value(CONNECTIONS, VALUE)) {
        settings.push(setting);
    }
    match settings.into_iter().next().map(|setting| setting.proxy) {
        Some(Some(proxy)) => InForce::Proxy(proxy),
        Some(None) => InForce::Direct,
        None => InForce::Unknown,
    }
}

enum View {
    Read(Setting),
    Unknown(Unknown),
}

fn view(j: &Judgement, answer: Lookup<RegValue>) -> View {
    match answer {
        Lookup::Found(value) => blob(j, &value),
        Lookup::Absent(source) => View::Read(Setting { proxy: None, seen: source.shows("not set: direct") }),
        Lookup::Unknown(unknown) => View::Unknown(unknown),
    }
}

fn blob(j: &Judgement, value: &Sourced<RegValue>) -> View {
    match ConnectionBlob::parse(&value.value.bytes) {
        Ok(blob) => {
            if !blob.known_version() {
                j.note(format!("{} has the unusual version {:#x}.", value.source.locator, blob.version));
            }
            let proxy = blob.proxy_in_force().map(signals::mask_credentials);
            let shown = match &proxy {
                Some(proxy) => format!(
                    "proxy {proxy}, bypass {}",
                    if blob.bypass.is_empty() { "none" } else { &blob.bypass }
                ),
                None => format!("direct (flags {:#x})", blob.flags),
            };
            View::Read(Setting { proxy, seen: value.shows(shown) })
        }
        Err(problem) => {
            let reason = Some(format!("{} is damaged: {problem}", value.source.locator));
            View::Unknown(Unknown { what: "WinHTTP proxy".to_owned(), reason })
        }
    }
}

/// What `show advproxy` and `show proxy` say, the one that tells more first.
fn from_netsh(case: &Case<'_>) -> Vec<Setting> {
    let mut list = Vec::new();
    for capture in case.captures(CaptureKind::WinhttpAdvproxy) {
        let CaptureData::WinhttpAdvproxy(data) = &capture.value.data else { continue };
        let used = data.proxy.clone().filter(|_| data.proxy_bypass.as_deref().map(str::trim) != Some("*"));
        let shown = used.as_ref().map_or("direct".to_owned(), |proxy| format!("proxy {proxy}"));
        list.push(Setting {
            proxy: used,
            seen: captures::line(capture.source.artifact, data.line).shows(shown),
        });
    }
    let only_simple =
        list.is_empty() && case.os().build_number().is_some_and(|build| build >= ADVPROXY_BUILD);
    for capture in case.captures(CaptureKind::WinhttpProxy) {
        let CaptureData::WinhttpProxy(data) = &capture.value.data else { continue };
        let source = captures::line(capture.source.artifact, data.line);
        let setting = match &data.state {
            State::Direct { confirmed } => {
                let mut seen = source.shows("direct access");
                if !confirmed {
                    seen.doubts.push(
                        "The sentence for direct access is in a language without a known text for it.".into(),
                    );
                }
                if only_simple {
                    seen.doubts.push(
                        "On this Windows a proxy set by \"set advproxy\" does not show in \"show proxy\"."
                            .into(),
                    );
                }
                Setting { proxy: None, seen }
            }
            State::Proxy { proxy, bypass, .. } => {
                let used = (bypass.as_deref().map(str::trim) != Some("*")).then(|| proxy.clone());
                Setting { proxy: used, seen: source.shows(format!("proxy {proxy}")) }
            }
        };
        list.push(setting);
    }
    list
}

/// A finished transfer through this very proxy.
fn transfer_through(case: &Case<'_>, proxy: &str) -> Option<Observation> {
    let host = host_of(proxy);
    let succeeded = |text: Option<&str>| matches!(text, Some("0" | "0x0" | "0x00000000"));
    let transfers = case.events(TRANSFERS);
    let through = |event: &&Sourced<&crate::artifact::event::Event>| {
        succeeded(event.value.field("hr"))
            && event.value.field("proxy").is_some_and(|used| host_of(used) == host)
    };
    transfers.iter().rev().find(through).map(|event| event_seen(event, &["proxy", "hr"]))
}

/// The host of a proxy setting: of its HTTPS part where parts are given by scheme.
fn host_of(proxy: &str) -> String {
    let parts: Vec<&str> = proxy.split([';', ' ']).filter(|part| !part.is_empty()).collect();
    let pick = parts.iter().find(|part| part.to_ascii_lowercase().starts_with("https=")).or(parts.first());
    let part = pick.copied().unwrap_or_default();
    let part = part.split_once('=').map_or(part, |(_, address)| address);
    let part = part.split_once("://").map_or(part, |(_, address)| address);
    let part = part.rsplit_once('@').map_or(part, |(_, address)| address);
    if let Some(inner) = part.strip_prefix('[') {
        return inner.split(']').next().unwrap_or_default().to_ascii_lowercase();
    }
    part.split([':', '/']).next().unwrap_or_default().to_ascii_lowercase()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
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

#[cfg(test)]
mod tests {
    use super::{host_of, is_loopback};

    #[test]
    fn the_host_of_every_form_of_setting() {
        assert_eq!(host_of("proxy.contoso.com:8080"), "proxy.contoso.com");
        assert_eq!(host_of("http=a:1;https=b:2"), "b");
        assert_eq!(host_of("http://[::1]:8080"), "::1");
        assert_eq!(host_of("user:secret@p:80"), "p");
        assert!(is_loopback("localhost") && is_loopback("127.0.0.1") && !is_loopback("10.0.0.1"));
    }
}
