//! Which way a stack takes: what the stored settings say of proxies and scripts.
//!
//! Since Internet Explorer 5 the connection blob is what WinINET uses; the plain values beside it (`ProxyEnable`, `ProxyServer`,
//! `AutoConfigURL`) are its mirror. Where they disagree, the blob is believed (domain.md 5.3).

use super::address::{carries_https, mask_url};
use crate::artifact::connection_blob::{AUTO_DETECT, ConnectionBlob, PAC, PROXY};
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::Observation;
use crate::checks::signals::mask_credentials;
use crate::evidence::{Lookup, Unknown};
use crate::time::FileTime;

/// Settings of a user, below the root of the hive.
pub const INTERNET_SETTINGS: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
/// Settings of the machine: WinHTTP's, and WinINET's where policy says that they count.
pub const MACHINE_SETTINGS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings";

/// The way that a stack takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The named proxy in force, without credentials.
    pub proxy: Option<String>,
    /// Address of the script in force: configured, or found by WPAD. Without credentials and query.
    pub script: Option<String>,
    /// WPAD is on.
    pub detect: bool,
    /// The script was found by WPAD and nobody configured it.
    pub detected: bool,
    /// When WPAD last looked for it.
    pub detected_at: Option<FileTime>,
    /// A list of proxies by scheme in which none is for HTTPS: HTTPS goes direct.
    pub not_for_https: Option<String>,
}

impl Route {
    /// Neither proxy nor script. WPAD that found nothing is direct (decision 5).
    pub fn is_direct(&self) -> bool {
        self.proxy.is_none() && self.script.is_none()
    }

    /// In words.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.proxy.as_ref().map(|proxy| format!("proxy {proxy}")));
        parts.extend(self.script.as_ref().map(|script| format!("script {script}")));
        if parts.is_empty() {
            parts.push("direct".to_owned());
        }
        parts.extend(self.not_for_https.as_ref().map(|list| format!("{list} not for HTTPS")));
        if self.detect {
            parts.push("auto-detect on".to_owned());
        }
        parts.join(", ")
    }

    /// The way of a named proxy. Only WinINET takes a proxy for SOCKS (`socks`).
    pub fn named(proxy: Option<&str>, socks: bool) -> Self {
        let (proxy, not_for_https) = match proxy.map(mask_credentials) {
            Some(list) if !carries_https(&list, socks) => (None, Some(list)),
            proxy => (proxy, None),
        };
        Self { proxy, not_for_https, ..Self::default() }
    }

    /// The way that a blob of WinHTTP describes.
    pub fn of_winhttp(blob: &ConnectionBlob) -> Self {
        let Self { proxy, not_for_https, .. } = Self::named(blob.proxy_in_force(), false);
        Self { proxy, not_for_https, ..Self::of(blob) }
    }

    /// The way that a blob of WinINET describes.
    pub fn of(blob: &ConnectionBlob) -> Self {
        let detect = blob.flags & AUTO_DETECT != 0;
        let some = |text: &str| (!text.trim().is_empty()).then(|| mask_url(text));
        let configured = if blob.flags & PAC != 0 { some(&blob.pac) } else { None };
        let detected = if detect { some(&blob.detected_pac) } else { None };
        Self {
            detected: configured.is_none() && detected.is_some(),
            script: configured.or(detected),
            detect,
            detected_at: blob.detected_at,
            ..Self::named(blob.proxy_in_force(), true)
        }
    }
}

/// The blob in a value. A damaged one is no answer.
pub fn blob(answer: Lookup<RegValue>, what: &str) -> Lookup<ConnectionBlob> {
    match answer {
        Lookup::Found(value) => match ConnectionBlob::parse(&value.value.bytes) {
            Ok(blob) => Lookup::Found(value.map(|_| blob)),
            Err(problem) => {
                let reason = Some(format!("{} is damaged: {problem}", value.source.locator));
                Lookup::Unknown(Unknown { what: what.to_owned(), reason })
            }
        },
        Lookup::Absent(source) => Lookup::Absent(source),
        Lookup::Unknown(unknown) => Lookup::Unknown(unknown),
    }
}

/// Version of the layout that only WinHTTP writes (domain.md 5.3).
const WINHTTP_VERSION: u32 = 0x28;

/// A blob as evidence.
pub fn blob_words(blob: &ConnectionBlob) -> String {
    let winhttp = blob.version == WINHTTP_VERSION;
    let route = if winhttp { Route::of_winhttp(blob) } else { Route::of(blob) };
    let mut text = format!("flags {:#x}: {}", blob.flags, route.words());
    if route.proxy.is_some() {
        let bypass = if blob.bypass.is_empty() { "none" } else { &blob.bypass };
        text.push_str(&format!(", bypass {bypass}"));
    }
    text
}

/// WinINET's settings below one `Internet Settings` key.
pub struct Internet {
    /// The way that WinINET takes.
    pub route: Route,
    /// Where that is seen.
    pub seen: Observation,
    /// Plain values that contradict the blob, each with what it should mirror.
    pub contradictions: Vec<Observation>,
    /// A proxy that is switched off, its text kept (R7).
    pub left_over: Option<String>,
    /// Set where the blob, which decides, could not be read and the plain values were taken.
    pub unread_blob: Option<Unknown>,
}

/// The plain values.
struct Plain {
    enable: Lookup<RegValue>,
    server: Option<String>,
    script: Lookup<RegValue>,
}

impl Plain {
    fn read(case: &Case<'_>, key: &str) -> Self {
        let server = case.value(key, "ProxyServer");
        Self {
            enable: case.value(key, "ProxyEnable"),
            server: server.found().and_then(|value| text_of(&value.value)),
            script: case.value(key, "AutoConfigURL"),
        }
    }

    /// Whether `ProxyEnable` is on; `None` when it is not there or no number.
    fn enabled(&self) -> Option<bool> {
        self.enable.found().and_then(|value| value.value.as_u32()).map(|number| number != 0)
    }

    fn script(&self) -> Option<String> {
        self.script.found().and_then(|value| text_of(&value.value))
    }

    fn route(&self) -> Route {
        let server = self.server.as_deref().filter(|_| self.enabled() == Some(true));
        Route { script: self.script().as_deref().map(mask_url), ..Route::named(server, true) }
    }

    /// What shows the route of the plain values, or that there are none.
    fn seen(&self) -> Option<Observation> {
        let words = self.route().words();
        match (&self.enable, &self.script) {
            (_, Lookup::Found(value)) => Some(value.shows(words)),
            (Lookup::Found(value), _) => Some(value.shows(words)),
            (Lookup::Absent(source), _) | (_, Lookup::Absent(source)) => {
                Some(source.shows("not set: direct"))
            }
            (Lookup::Unknown(_), Lookup::Unknown(_)) => None,
        }
    }

    /// Values that say something else than the blob (R7): only the switch, the text while it is on, and the script's address. A value
    /// that is not there contradicts nothing.
    fn contradictions(&self, blob: &ConnectionBlob) -> Vec<Observation> {
        let mut found = Vec::new();
        let named = blob.flags & PROXY != 0;
        if let (Some(enabled), Some(value)) = (self.enabled(), self.enable.found()) {
            let same_text =
                self.server.as_ref().is_none_or(|text| text.trim().eq_ignore_ascii_case(blob.proxy.trim()));
            if enabled != named || (named && !same_text) {
                let text = self.server.as_deref().map(mask_credentials).unwrap_or_default();
                let shown = format!("ProxyEnable {}, ProxyServer {text}", value.value.display());
                found.push(value.shows(shown).expected(blob_words(blob)));
            }
        }
        if let (Some(script), Some(value)) = (self.script(), self.script.found()) {
            let same = blob.flags & PAC != 0 && script.trim() == blob.pac.trim();
            if !same {
                found.push(value.shows(mask_url(&script)).expected(blob_words(blob)));
            }
        }
        found
    }
}

/// Text of a string value that is not empty.
fn text_of(value: &RegValue) -> Option<String> {
    value.as_text().filter(|text| !text.trim().is_empty())
}

impl Internet {
    /// Reads the settings below a key. An error says why they cannot be told.
    pub fn read(case: &Case<'_>, key: &str) -> Result<Self, Unknown> {
        let connections = format!(r"{key}\Connections");
        let ask = |name: &str| blob(case.value(&connections, name), "Internet proxy settings");
        let answer = match ask("DefaultConnectionSettings") {
            // One of the two may be missing; they are written together.
            Lookup::Absent(_) => ask("SavedLegacySettings"),
            answer => answer,
        };
        let plain = Plain::read(case, key);
        match answer {
            Lookup::Found(blob) => Ok(Self {
                route: Route::of(&blob.value),
                seen: blob.shows(blob_words(&blob.value)),
                contradictions: plain.contradictions(&blob.value),
                left_over: left_over(&blob.value),
                unread_blob: None,
            }),
            Lookup::Absent(source) => {
                if let Lookup::Unknown(unknown) = plain.enable.clone().numeric("Internet proxy settings") {
                    return Err(unknown);
                }
                let left_over = plain.server.as_deref().filter(|_| plain.enabled() != Some(true));
                let seen = plain.seen().unwrap_or_else(|| source.shows("not set: direct"));
                let route = plain.route();
                let left_over = left_over.map(mask_credentials);
                Ok(Self { route, seen, contradictions: Vec::new(), left_over, unread_blob: None })
            }
            // The mirror alone shows a proxy, but never that there is none.
            Lookup::Unknown(unknown) => match (plain.route(), plain.seen()) {
                (route, Some(mut seen)) if !route.is_direct() => {
                    seen.doubts.push("The connection blob, which decides, could not be read.".to_owned());
                    let (contradictions, left_over) = (Vec::new(), None);
                    Ok(Self { route, seen, contradictions, left_over, unread_blob: Some(unknown) })
                }
                _ => Err(unknown),
            },
        }
    }
}

/// Text of a proxy whose flag is clear.
fn left_over(blob: &ConnectionBlob) -> Option<String> {
    (blob.flags & PROXY == 0 && !blob.proxy.trim().is_empty()).then(|| mask_credentials(&blob.proxy))
}

/// For whom WinINET's settings are kept, as `ProxySettingsPerUser` says it.
pub enum Scope {
    /// Each user has settings of his own: 1, or not set.
    Users(Observation),
    /// One setting for all: 0.
    Machine(Observation),
    /// 2, which the sources do not agree about.
    Both(Observation),
    /// A value that no source knows.
    Odd(Observation),
    /// Not known.
    Unknown(Unknown),
}

/// Where the policy stands.
pub const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";

/// Reads the policy.
pub fn scope(case: &Case<'_>) -> Scope {
    match case.value(POLICY, "ProxySettingsPerUser") {
        Lookup::Found(value) => match value.value.as_u32() {
            Some(0) => Scope::Machine(value_seen(&value)),
            Some(1) => Scope::Users(value_seen(&value)),
            Some(2) => Scope::Both(value_seen(&value)),
            _ => Scope::Odd(value_seen(&value)),
        },
        Lookup::Absent(source) => Scope::Users(source.shows("not set: each user has a proxy of his own")),
        Lookup::Unknown(unknown) => Scope::Unknown(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_the_configured_or_the_detected_one() {
        // domain.md 6.6 flags; decision 5: auto-detection that found nothing is direct.
        let mut blob = ConnectionBlob { flags: 0x9, ..ConnectionBlob::default() };
        assert!(Route::of(&blob).is_direct());
        blob.detected_pac = "http://wpad/wpad.dat".to_owned();
        assert_eq!(Route::of(&blob).script.as_deref(), Some("http://wpad/wpad.dat"));
        (blob.flags, blob.pac) = (0xd, "http://u:p@pac/x?k=1".to_owned());
        assert_eq!(Route::of(&blob).words(), "script http://***@pac/x?***, auto-detect on");
        blob.flags = 0x1;
        assert!(Route::of(&blob).is_direct());
    }
}
