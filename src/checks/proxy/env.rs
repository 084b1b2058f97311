//! Environment variables name a proxy.
//!
//! # What it looks at
//! `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in the machine's environment (SYSTEM hive), in the environment of the affected
//! user, and in a collected output of `set` or `Get-ChildItem env:`.
//!
//! # Why it blocks activation
//! Office and the sign-in broker are not known to read these variables, so they block nothing themselves. They prove that the site has a
//! proxy: if neither WinHTTP nor the user's settings name one, that is the thing to ask about. Command-line tools do follow them, so
//! tests with `curl` and PowerShell can take another way than Office.
//!
//! # Fix
//! Compare the variable with the proxies that WinHTTP and the user have, and set those. Delete a variable that is out of date.
//!
//! # Verify
//! `set` shows the wanted variables in a new window.
//!
//! # When this is wrong
//! Never more than a warning: that Office ignores the variables is from practice. `NO_PROXY` alone names no proxy.
//!
//! # Sources
//! domain.md 5.3 `proxy-env`.

use crate::artifact::capture::environment::Data;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::checks::judgement::Judgement;
use crate::checks::signals::mask_credentials;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::{Confidence, Lookup, captures};

/// Variables of the machine.
pub const MACHINE: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
/// Variables of a user, below the root of the hive.
pub const USER: &str = "Environment";
/// Variables that name a proxy.
pub const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
/// The list of exceptions.
const EXCEPTIONS: &str = "NO_PROXY";

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-env",
    title: "Environment variables name a proxy",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[],
    healthy: "No environment variable names a proxy.",
    source_text: include_str!("env.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let printed = printed(case, j);
    variables(case, j, MACHINE, !printed);
    if printed && case.evidence.users.affected().is_unknown() {
        return;
    }
    case.each_user(j, |user, j| variables(case, j, &user.path(USER), !printed));
}

/// The variables of one key. `needed`: nothing else shows the environment.
fn variables(case: &Case<'_>, j: &Judgement, key: &str, needed: bool) {
    for name in PROXIES {
        let answer = case.value(key, name);
        match answer {
            Lookup::Found(value) => {
                let text = value.value.as_text().unwrap_or_else(|| value.value.display());
                if text.trim().is_empty() {
                    j.good(value.shows("empty"));
                } else {
                    names_a_proxy(j, name, value.shows(mask_credentials(text.trim())));
                }
            }
            Lookup::Absent(source) => j.good(source.shows("not set")),
            Lookup::Unknown(unknown) if needed => j.missing(&unknown, collect::for_key(key)),
            Lookup::Unknown(_) => {}
        }
    }
    if let Some(value) = case.value(key, EXCEPTIONS).found() {
        j.note(format!("{EXCEPTIONS} is set to {}.", value.value.display()));
    }
}

fn names_a_proxy(j: &Judgement, name: &str, seen: crate::checks::judgement::Observation) {
    let summary = format!(
        "{name} names the proxy {}: the site has one. Office ignores the variable; WinHTTP and the user's settings must name it.",
        seen.observed
    );
    j.warning(Confidence::Low, summary, [seen]);
}

/// Printed environments. True when a whole one shows that no proxy is named.
fn printed(case: &Case<'_>, j: &Judgement) -> bool {
    let mut whole = false;
    for capture in case.captures(CaptureKind::Environment) {
        let CaptureData::Environment(data) = &capture.value.data else { continue };
        let at = |line: u32| captures::line(capture.source.artifact, line);
        for name in PROXIES {
            if let Some(variable) = data.variable(name).filter(|variable| !variable.value.trim().is_empty()) {
                names_a_proxy(j, name, at(variable.line).shows(mask_credentials(variable.value.trim())));
            }
        }
        if let Some(variable) = data.variable(EXCEPTIONS) {
            j.note(format!("{EXCEPTIONS} is set to {}.", variable.value));
        }
        if data.complete {
            whole = true;
            let mut seen = at(capture.value.line_from).shows("no proxy variable among them");
            seen.doubts.extend(doubt_of_user(case, data));
            j.good(seen);
        }
    }
    whole
}

/// The environment is that of whoever ran the command.
fn doubt_of_user(case: &Case<'_>, data: &Data) -> Option<String> {
    let printed = data.variable("USERNAME").map(|variable| variable.value.trim().to_owned());
    let affected = case.evidence.users.affected();
    let affected = affected.found().and_then(|user| user.value.name.clone());
    match (printed, affected) {
        (Some(printed), Some(affected)) if printed.eq_ignore_ascii_case(&affected) => None,
        (printed, _) => Some(format!(
            "The environment was printed by {}, who may not be the affected user.",
            printed.unwrap_or_else(|| "somebody".to_owned())
        )),
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Ask whoever runs the network whether the proxy in the variable is the site's proxy.",
            "If it is: compare with netsh winhttp show proxy and with the user's proxy settings, and set those.",
            "If it is out of date: System properties > Environment Variables, delete it, and open new windows.",
        ],
        "Developer tools and scripts may need the variable: note its value before you delete it.",
        "setx NAME \"value\" (with /M for the machine) writes it again.",
        "set http in a new window shows the wanted variables; then try activation again.",
        &[ARTICLE_NETWORK],
    )
}
