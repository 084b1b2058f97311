//! Policies of Microsoft Edge block sign-in addresses or send Edge another way than the system.
//!
//! # What it looks at
//! `Software\Policies\Microsoft\Edge` of the machine and of the affected user: `ProxyMode`, `ProxyServer`, `ProxyPacUrl`, `ProxySettings`,
//! `URLBlocklist` with `URLAllowlist`, `SSLVersionMin`, `BlockThirdPartyCookies`. The proxy is compared with the user's own.
//!
//! # Why it blocks activation
//! Sign-in pages that open in Edge follow its policies. A blocked address or a proxy that only Edge has can stop a sign-in that the rest of
//! the system would allow. The article resets Edge's settings for this reason.
//!
//! # Fix
//! Take the policy away or add the required addresses to `URLAllowlist`; then reset Edge's settings to their defaults.
//!
//! # Verify
//! `edge://policy` shows the policies as wanted, and the sign-in page opens.
//!
//! # When this is wrong
//! The evidence is thin: Office's own sign-in window does not follow Edge's policies, so this is never more than a warning, and "healthy"
//! speaks of the policies only. Entries of `URLBlocklist` for another scheme than `https` (`javascript://*`, `file://*`) or for another port
//! than 443 do not touch sign-in. Settings that the user made stand in the profile's files, which are not read. The names of the policies are
//! from practice.
//!
//! # Sources
//! domain.md 5.13 `edge-settings`; endpoints.tsv.

use serde_json::Value;

use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::proxy::{InternetRoute, host_of, internet_route};
use crate::checks::signals::mask_credentials;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup};
use crate::knowledge::endpoints::{Class, ENDPOINTS};

const MACHINE: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Edge";
const USER: &str = r"Software\Policies\Microsoft\Edge";

/// The check.
pub const CHECK: Check = Check {
    id: "edge-settings",
    title: "Policies of Microsoft Edge stand in the way of sign-in",
    layer: Layer::System,
    article: Article::Network("Reset Microsoft Edge"),
    wants: &[],
    healthy: "No policy of Microsoft Edge stands in the way of sign-in (policies only).",
    source_text: include_str!("edge_settings.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    case.each_user(j, |user, j| {
        let policies = Policies { case, keys: [MACHINE.to_owned(), user.path(USER)] };
        policies.needed(j);
        blocked(&policies, j);
        proxy(case, j, &policies, user);
        protocols(&policies, j);
    });
    // The machine's policies hold for everyone, whoever's hive was collected.
    if !matches!(case.evidence.users.affected(), Lookup::Found(_)) {
        let policies = Policies { case, keys: [MACHINE.to_owned(), String::new()] };
        policies.needed(j);
        blocked(&policies, j);
        protocols(&policies, j);
    }
}

/// The policies of one user: the machine's win over his own.
struct Policies<'c, 'e> {
    case: &'c Case<'e>,
    keys: [String; 2],
}

impl Policies<'_, '_> {
    fn keys(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().filter(|key| !key.is_empty())
    }

    /// Notes what cannot be told, and that there are no policies.
    fn needed(&self, j: &Judgement) {
        for key in self.keys() {
            match self.case.evidence.registry.key(key) {
                Lookup::Found(found) => j.good(found.shows("policies of Edge are set")),
                Lookup::Absent(source) => j.good(source.shows("no policies of Edge")),
                Lookup::Unknown(unknown) => j.missing(&unknown, collect::for_key(key)),
            }
        }
    }

    fn value(&self, name: &str) -> Option<(RegValue, Observation)> {
        self.keys().find_map(|key| {
            let answer = self.case.value(key, name);
            answer.found().map(|value| (value.value.clone(), value_seen(value)))
        })
    }

    fn text(&self, name: &str) -> Option<(String, Observation)> {
        let (value, mut seen) = self.value(name)?;
        let text = value.as_text().filter(|text| !text.trim().is_empty())?;
        seen.observed = mask_credentials(&text);
        Some((text, seen))
    }

    /// The entries of a list policy: values 1, 2, … of a subkey.
    fn list(&self, name: &str) -> Vec<(String, Observation)> {
        for key in self.keys() {
            let values = self.case.evidence.registry.values(&format!(r"{key}\{name}"));
            let Some(values) = values.found().filter(|values| !values.value.is_empty()) else { continue };
            let entry = |value: &RegValue| {
                let mut seen = values.shows(value.display());
                seen.locator = format!("{}!{}", seen.locator, value.name);
                value.as_text().map(|text| (text, seen))
            };
            return values.value.iter().filter_map(entry).collect();
        }
        Vec::new()
    }
}

/// One entry of `URLBlocklist`: which hosts it is for.
struct Pattern {
    host: String,
    /// It is for secure connections to the usual port, which sign-in uses; one for `file:`, `javascript:` or port 8080 is not.
    secure: bool,
    /// A leading dot: this host only, not those below it.
    exact: bool,
    /// Only part of the host's pages.
    partial: bool,
}

impl Pattern {
    /// Reads an entry as Edge does: scheme, host, port and path, all but the host optional.
    fn parse(text: &str) -> Self {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("*", text));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = authority.split_once(':').unwrap_or((authority, "*"));
        let secure =
            ["*", "https"].iter().any(|one| scheme.eq_ignore_ascii_case(one)) && matches!(port, "*" | "443");
        let host = host.to_ascii_lowercase();
        let exact = host.starts_with('.');
        let partial = !matches!(path, "" | "*");
        Self { host: host.trim_start_matches('.').to_owned(), secure, exact, partial }
    }

    fn covers(&self, host: &str) -> bool {
        let below = || host.strip_suffix(self.host.as_str()).is_some_and(|rest| rest.ends_with('.'));
        let covered =
            || self.host == "*" || host == self.host || (!self.exact && !self.host.is_empty() && below());
        self.secure && covered()
    }
}

/// Required addresses that the block list covers and the allow list does not free.
fn blocked(policies: &Policies<'_, '_>, j: &Judgement) {
    let allowed: Vec<Pattern> =
        policies.list("URLAllowlist").iter().map(|(text, _)| Pattern::parse(text)).collect();
    for (text, seen) in policies.list("URLBlocklist") {
        let pattern = Pattern::parse(&text);
        // The allow list wins; the longer pattern is the more exact one.
        let freed = |host: &str| {
            allowed
                .iter()
                .any(|free| !free.partial && free.covers(host) && free.host.len() >= pattern.host.len())
        };
        let needed = ENDPOINTS.iter().filter(|row| matches!(row.class, Class::Required | Class::Identity));
        let hosts = needed.map(|endpoint| endpoint.host.trim_start_matches("*.").to_ascii_lowercase());
        let Some(host) = hosts.into_iter().find(|host| pattern.covers(host) && !freed(host)) else {
            continue;
        };
        if pattern.partial {
            j.note(format!("URLBlocklist of Edge holds {text}: a part of a required address."));
            continue;
        }
        j.warning(
            Confidence::Medium,
            format!("A policy of Edge blocks the required address {host} ({text})."),
            [seen.expected("required addresses in URLAllowlist")],
        );
    }
}

/// How policy makes Edge get out.
struct EdgeProxy {
    mode: String,
    server: Option<String>,
    script: Option<String>,
    seen: Observation,
}

/// `ProxySettings` holds all in one JSON text and wins; the single policies are its older form.
fn edge_proxy(policies: &Policies<'_, '_>) -> Option<EdgeProxy> {
    if let Some((text, seen)) = policies.text("ProxySettings")
        && let Ok(Value::Object(map)) = serde_json::from_str::<Value>(&text)
    {
        let get = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
        let mode = get("ProxyMode").unwrap_or_else(|| "fixed_servers".to_owned());
        return Some(EdgeProxy { mode, server: get("ProxyServer"), script: get("ProxyPacUrl"), seen });
    }
    let mode = policies.text("ProxyMode");
    let server = policies.text("ProxyServer");
    let script = policies.text("ProxyPacUrl");
    let implied = match (&server, &script) {
        (Some(_), _) => Some("fixed_servers"),
        (None, Some(_)) => Some("pac_script"),
        (None, None) => None,
    };
    let word = mode.as_ref().map(|(word, _)| word.trim().to_ascii_lowercase());
    let word = word.or(implied.map(str::to_owned))?;
    let seen = match word.as_str() {
        "fixed_servers" => server.as_ref().or(mode.as_ref()),
        "pac_script" => script.as_ref().or(mode.as_ref()),
        _ => mode.as_ref(),
    };
    let seen = seen.or(server.as_ref()).or(script.as_ref()).map(|(_, seen)| seen.clone())?;
    let text = |item: Option<(String, Observation)>| item.map(|(text, _)| text);
    Some(EdgeProxy { mode: word, server: text(server), script: text(script), seen })
}

impl EdgeProxy {
    /// Whether it is the way of the user's other programs; `None` where that cannot be compared.
    fn is_like(&self, system: &InternetRoute) -> Option<bool> {
        Some(match self.mode.as_str() {
            "system" => true,
            "direct" => system.proxy.is_none() && system.script.is_none(),
            "fixed_servers" => match (&self.server, &system.proxy) {
                (Some(server), Some(proxy)) => host_of(server) == host_of(proxy),
                (Some(_), None) => false,
                (None, _) => return None,
            },
            "pac_script" => match (&self.script, &system.script) {
                (Some(script), Some(other)) => crate::checks::proxy::mask_url(script) == *other,
                (Some(_), None) => false,
                (None, _) => return None,
            },
            // WPAD alone: unlike a manual proxy or a named script, which it would not find.
            "auto_detect" => system.detect && system.proxy.is_none(),
            _ => return None,
        })
    }
}

fn proxy(case: &Case<'_>, j: &Judgement, policies: &Policies<'_, '_>, user: &UserHive) {
    let Some(edge) = edge_proxy(policies) else { return };
    match internet_route(case, user) {
        Ok((system, seen)) => match edge.is_like(&system) {
            Some(true) => j.good(edge.seen),
            Some(false) => {
                let summary = format!(
                    "A policy gives Edge another way out ({}) than the user's other programs have ({}).",
                    edge.mode,
                    system.words()
                );
                j.row(Status::Warning, Confidence::Low, summary, vec![edge.seen, seen]);
            }
            None => j.note(format!(
                "The proxy policy of Edge ({}) could not be compared with the system.",
                edge.mode
            )),
        },
        Err(unknown) => j.missing(&unknown, collect::USER),
    }
}

/// A floor above TLS 1.2, and cookies.
fn protocols(policies: &Policies<'_, '_>, j: &Judgement) {
    if let Some((text, seen)) = policies.text("SSLVersionMin")
        && text.trim().to_ascii_lowercase().starts_with("tls1.3")
    {
        j.warning(
            Confidence::Low,
            "A policy makes Edge refuse everything below TLS 1.3; not every required address offers it.",
            [seen.expected("tls1.2")],
        );
    }
    if policies.value("BlockThirdPartyCookies").is_some_and(|(value, _)| value.as_u32() == Some(1)) {
        j.note(
            "A policy makes Edge block third-party cookies: embedded sign-in pages can lose their session.",
        );
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Open edge://policy on the machine and export the list.",
            r#"reg export "HKLM\SOFTWARE\Policies\Microsoft\Edge" edge-policy-machine.reg, and the same for HKCU"#,
            "Add the required addresses to URLAllowlist, or take the policy away that stands in the way (in group policy or Intune).",
            "gpupdate /force, close Edge, and sign in again.",
            "If no policy is the cause: edge://settings/reset > Restore settings to their default values.",
        ],
        "Resetting Edge changes start page, search engine and pinned tabs, switches extensions off, and can break sites that need special settings.",
        "Import the exported policies; settings of a reset Edge have to be made again.",
        "The sign-in page opens in Edge; then try activation again.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/deployedge/microsoft-edge-policies"],
    )
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_cover_hosts_as_edge_reads_them() {
        // learn.microsoft.com, "Filter format for URL list-based policies".
        for (pattern, host, covers) in [
            ("microsoftonline.com", "login.microsoftonline.com", true),
            ("https://*", "login.microsoftonline.com", true),
            (".microsoftonline.com", "login.microsoftonline.com", false),
            ("login.microsoftonline.com:443", "login.microsoftonline.com", true),
            ("online.com", "login.microsoftonline.com", false),
            ("*://microsoftonline.com:443/*", "login.microsoftonline.com", true),
            ("HTTPS://*:*", "login.microsoftonline.com", true),
            ("http://*", "login.microsoftonline.com", false),
            ("javascript://*", "login.microsoftonline.com", false),
            ("*:8080", "login.microsoftonline.com", false),
            ("*", "login.microsoftonline.com", true),
        ] {
            assert_eq!(Pattern::parse(pattern).covers(host), covers, "{pattern}");
        }
        assert!(
            Pattern::parse("go.microsoft.com/fwlink").partial
                && !Pattern::parse("go.microsoft.com/*").partial
        );
    }
}
