//! The hosts file sends a required host somewhere else.
//!
//! # What it looks at
//! The active lines of the hosts file, against the hosts that activation needs, and `DataBasePath`, which says where that file is.
//!
//! # Why it blocks activation
//! The hosts file beats DNS. Telemetry blockers and leftovers of old workarounds send sign-in and licensing hosts to 0.0.0.0 or to an
//! address that is no longer theirs; `nslookup` does not show it, because it asks DNS directly.
//!
//! # Fix
//! Remove the lines; keep a copy.
//!
//! # Verify
//! `ping -n 1 login.microsoftonline.com` shows a public address; activation gets further.
//!
//! # When this is wrong
//! Only hosts of sign-in and licensing make a blocker; probe, revocation, time and other hosts are a warning, the probe's hosts a blocker where
//! Windows does not see the internet (R24). 100.64.0.0/10 and 198.18.0.0/15 are addresses that tunnel and proxy products give to names: a
//! line with one may be at work as intended.
//!
//! # Sources
//! domain.md 5.6 `hosts-file-override`; R24, R29 and R64 of section 14.

use super::address::{Space, space};
use crate::artifact::capture::hosts::Entry;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::ncsi::profile_state;
use crate::checks::required::{is_of_sign_in_or_licensing, needed};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Source, captures};
use crate::knowledge::endpoints::{self, Class};

const TCPIP: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters";
/// The hosts file could not be read.
const UNREADABLE: Want =
    Want { provider: "Microsoft-Windows-DNS-Client", ids: &[1012], channels: &["System"] };

/// The check.
pub const CHECK: Check = Check {
    id: "hosts-file-override",
    title: "The hosts file sends a required host somewhere else",
    layer: Layer::Dns,
    article: Article::Network("Check external DNS"),
    wants: &[UNREADABLE],
    healthy: "The hosts file overrides no required host.",
    source_text: include_str!("hosts_file_override.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let asked = case.evidence.captures.ask(CaptureKind::Hosts, "hosts file");
    let there = asked.found().is_some();
    j.need(asked.map(|_| ()), r"copy %SystemRoot%\System32\drivers\etc\hosts hosts.txt");
    for capture in case.captures(CaptureKind::Hosts) {
        let CaptureData::Hosts(data) = &capture.value.data else { continue };
        j.good(capture.shows(format!("{} active line(s)", data.entries.len())));
        if !data.ignored_lines.is_empty() {
            j.note(format!(
                "{} line(s) of the hosts file are not understood and were left out.",
                data.ignored_lines.len()
            ));
        }
        for entry in &data.entries {
            judge(case, j, entry, &captures::line(capture.source.artifact, entry.line));
        }
    }
    folder(case, j);
    if !there && let Some(event) = case.events(UNREADABLE).last() {
        j.warning(Confidence::Low, "Windows could not read the hosts file.", [event_seen(event, &[])]);
    }
}

fn judge(case: &Case<'_>, j: &Judgement, entry: &Entry, source: &Source) {
    for name in &entry.names {
        let Some(endpoint) = endpoints::find(name) else { continue };
        if endpoint.class == Class::Consumer && needed(case, name).is_none() {
            j.note(format!("The hosts file names {name}, which only personal accounts need (R64)."));
            continue;
        }
        let seen = source.shows(format!("{} {name}", entry.address)).expected("no line for this host");
        let harmless = match space(entry.address) {
            Space::Inside => None,
            Space::Tunnel => {
                let what = "an address that tunnel and proxy products hand out; where it leads is not known";
                Some((Confidence::Low, what))
            }
            Space::Internet => Some((Confidence::Medium, "a public address that may be outdated")),
        };
        if let Some((confidence, what)) = harmless {
            j.warning(confidence, format!("The hosts file pins {name} to {what}."), [seen]);
            continue;
        }
        let blocks = match endpoint.class {
            Class::Probe => profile_state::is_bad(case),
            _ => is_of_sign_in_or_licensing(name),
        };
        let status = if blocks { Status::Blocker } else { Status::Warning };
        let summary = format!(
            "The hosts file sends {name} to {}: it cannot be reached ({}).",
            entry.address, endpoint.purpose
        );
        j.row(status, Confidence::High, summary, vec![seen]);
    }
}

/// Windows may be told to look for the file elsewhere (R24: any case, expanded, with or without a trailing backslash).
fn folder(case: &Case<'_>, j: &Judgement) {
    // Which file Windows reads must be known: the collected one may be another.
    let Lookup::Found(value) = case.need_value(j, TCPIP, "DataBasePath") else { return };
    let root = case.evidence.registry.system_root();
    let root = root.found().map_or(r"c:\windows".to_owned(), |root| root.value.to_lowercase());
    let path = value.value.as_text().unwrap_or_default().to_lowercase();
    let path = path.replace("%systemroot%", &root).replace("%windir%", &root);
    if path.trim_end_matches('\\') != format!(r"{root}\system32\drivers\etc") {
        let seen = value_seen(&value).expected(r"%SystemRoot%\System32\drivers\etc");
        j.warning(
            Confidence::Medium,
            "Windows reads its hosts file from another folder: collect that one.",
            [seen],
        );
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            r"copy %SystemRoot%\System32\drivers\etc\hosts %TEMP%\hosts-before.txt",
            r"Remove the named lines from %SystemRoot%\System32\drivers\etc\hosts (as administrator).",
            "ipconfig /flushdns",
        ],
        "A telemetry blocker or a management script writes the lines again: change it at the source.",
        r"Copy hosts-before.txt back.",
        "ping -n 1 with the named host shows a public address; then try activation again.",
        &[ARTICLE_NETWORK],
    )
}
