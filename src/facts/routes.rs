//! The way to the internet that is in force, for each stack: services (WinHTTP), the user's programs (WinINET), policy, environment.

use super::answers::{at, seen, unknown};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::checks::proxy::{env, internet_route, internet_scope, winhttp};
use crate::checks::signals::mask_credentials;
use crate::evidence::captures::line;
use crate::evidence::{Lookup, Source};

/// The stacks, each in words ("direct", "proxy host:port", "script URL", with "auto-detect on" behind it), without credentials.
#[derive(Debug)]
pub struct Routes {
    /// Services.
    pub winhttp: Lookup<String>,
    /// Programs of the affected user; the machine's settings where policy makes them count.
    pub wininet: Lookup<String>,
    /// For whom WinINET's settings are kept: `each user`, `one for all users`, `unclear`.
    pub scope: Lookup<&'static str>,
    /// Variables that name a proxy, as `NAME=value`; empty when none does.
    pub environment: Lookup<Vec<String>>,
}

impl Routes {
    /// Reads them.
    pub fn read(case: &Case<'_>) -> Self {
        let winhttp = match winhttp::route(case) {
            Ok(setting) => seen(setting.route.words(), setting.seen),
            Err(unknown) => Lookup::Unknown(unknown),
        };
        let wininet = match case.evidence.users.affected() {
            Lookup::Found(user) => match internet_route(case, &user.value) {
                Ok((route, shown)) => seen(route.words(), shown),
                Err(unknown) => Lookup::Unknown(unknown),
            },
            Lookup::Absent(source) => Lookup::Absent(source),
            Lookup::Unknown(unknown) => Lookup::Unknown(unknown),
        };
        let scope = match internet_scope(case) {
            Ok((words, shown)) => seen(words, shown),
            Err(unknown) => Lookup::Unknown(unknown),
        };
        Self { winhttp, wininet, scope, environment: environment(case) }
    }
}

/// What the environment names: the stored variables of machine and user, and printed ones.
fn environment(case: &Case<'_>) -> Lookup<Vec<String>> {
    let mut keys = vec![env::MACHINE.to_owned()];
    let user = case.evidence.users.affected();
    keys.extend(user.found().map(|user| user.value.path(env::USER)));
    let mut named: Vec<(Source, String)> = Vec::new();
    let (mut none, mut all_known) = (None, user.found().is_some());
    for key in &keys {
        for name in env::PROXIES {
            match case.value(key, name) {
                Lookup::Found(value) => {
                    let text = value.value.as_text().unwrap_or_default();
                    if !text.trim().is_empty() {
                        named.push((value.source, format!("{name}={}", mask_credentials(text.trim()))));
                    }
                }
                Lookup::Absent(source) => none = none.or(Some(source)),
                Lookup::Unknown(_) => all_known = false,
            }
        }
    }
    for capture in case.captures(CaptureKind::Environment) {
        let CaptureData::Environment(data) = &capture.value.data else { continue };
        for name in env::PROXIES {
            if let Some(variable) = data.variable(name).filter(|variable| !variable.value.trim().is_empty()) {
                let text = format!("{name}={}", mask_credentials(variable.value.trim()));
                named.push((line(capture.source.artifact, variable.line), text));
            }
        }
        if data.complete {
            all_known = true;
            none = none.or(Some(line(capture.source.artifact, capture.value.line_from)));
        }
    }
    let mut list: Vec<String> = Vec::new();
    for (_, text) in &named {
        if !list.contains(text) {
            list.push(text.clone());
        }
    }
    match (named.into_iter().next(), none) {
        (Some((source, _)), _) => at(source, list),
        (None, Some(source)) if all_known => at(source, list),
        _ => unknown(
            "environment variables of machine and user (SYSTEM hive and NTUSER.DAT, or the output of set)",
        ),
    }
}
