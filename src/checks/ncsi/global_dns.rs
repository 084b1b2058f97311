//! The internet probe may need the DNS of all interfaces.
//!
//! # What it looks at
//! The policy `UseGlobalDNS` in the SOFTWARE hive, in the key that Windows reads and in the key that the article prints; and without it, what the
//! DNS servers of the adapters (`ipconfig /all`) answer for the probe's host.
//!
//! # Why it blocks activation
//! On machines with split DNS (VPN, several adapters) the probe's host may resolve on one interface only. With `UseGlobalDNS` = 1 the probe asks
//! all of them. Its absence blocks nothing by itself.
//!
//! # Fix
//! Where NCSI fails on a machine with split DNS, set it to 1 below `Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator`.
//!
//! # Verify
//! `Get-NetConnectionProfile` shows `IPv4Connectivity : Internet` after a restart.
//!
//! # When this is wrong
//! The article prints the key with a doubled `Windows`. A value that stands only there has no effect. That the servers of two adapters answer
//! differently is no more than a suspicion.
//!
//! # Sources
//! domain.md 5.9 `ncsi-global-dns`; trap 8.

use std::collections::BTreeSet;

use super::probe_result::{is_good, is_unanswered, probe_answers};
use crate::artifact::capture::ipconfig::Server;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::{Case, value_seen};
use crate::checks::dns::answers::Answer;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy};
use crate::evidence::{Confidence, Lookup};

const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator";
/// As the article prints it (trap 8).
const DOUBLED: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\Windows\NetworkConnectivityStatusIndicator";
const VALUE: &str = "UseGlobalDNS";

/// The check.
pub const CHECK: Check = Check {
    id: "ncsi-global-dns",
    title: "The global DNS setting of the internet probe is missing or in the wrong key",
    layer: Layer::Ncsi,
    article: Article::Network("Check NCSI"),
    wants: &[],
    healthy: "The global DNS setting of the internet probe is not misplaced.",
    source_text: include_str!("global_dns.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let set = case.need_value(j, POLICY, VALUE);
    let doubled = case.need_value(j, DOUBLED, VALUE);
    let is_one = |lookup: &Lookup<crate::artifact::value::RegValue>| {
        lookup.found().is_some_and(|value| value.value.as_u32() == Some(1))
    };
    if let (Lookup::Found(misplaced), false) = (&doubled, is_one(&set)) {
        j.warning(
            Confidence::Medium,
            "UseGlobalDNS stands only in the key with the doubled \"Windows\" that the article prints: it has no effect there.",
            [value_seen(misplaced).expected(format!(r"{POLICY}!{VALUE}"))],
        );
    }
    match &set {
        Lookup::Found(value) => {
            if is_one(&set) {
                j.note("UseGlobalDNS is set: the article's remedy was applied already.");
            }
            j.good(value_seen(value));
        }
        Lookup::Absent(source) => {
            let seen = source.shows("not set");
            if let Some(answers) = split_dns(case) {
                let summary = "The host of the DNS probe resolves on one adapter only. Candidate remedy: set UseGlobalDNS to 1.";
                let mut evidence = vec![seen.clone().expected("1, for a test")];
                evidence.extend(answers);
                j.row(Status::Warning, Confidence::Low, summary.to_owned(), evidence);
            }
            j.good(seen);
        }
        Lookup::Unknown(_) => {}
    }
}

/// An answer from the server of one adapter, and none from that of another one.
fn split_dns(case: &Case<'_>) -> Option<[Observation; 2]> {
    let answers = probe_answers(case);
    let placed: Vec<(&Answer, BTreeSet<String>)> =
        answers.iter().map(|answer| (answer, adapters_of(case, answer))).collect();
    let (good, here) = placed.iter().find(|(answer, names)| is_good(answer) && !names.is_empty())?;
    let elsewhere = |names: &BTreeSet<String>| !names.is_empty() && names.is_disjoint(here);
    let (bad, _) = placed.iter().find(|(answer, names)| is_unanswered(answer) && elsewhere(names))?;
    Some([bad.seen().expected("131.107.255.255"), good.seen()])
}

/// The adapters that ask the server which an answer came from.
fn adapters_of(case: &Case<'_>, answer: &Answer) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for capture in case.captures(CaptureKind::Ipconfig) {
        let CaptureData::Ipconfig(data) = &capture.value.data else { continue };
        let asks = |server: &Server| answer.server.is_some() && server.address.parse().ok() == answer.server;
        let adapters = data.adapters.iter().filter(|adapter| adapter.dns_servers.iter().any(asks));
        found.extend(adapters.filter_map(|adapter| adapter.name.clone()));
    }
    found
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            &format!(r"reg add {POLICY} /v {VALUE} /t REG_DWORD /d 1 /f"),
            &format!(r"reg delete {DOUBLED} /v {VALUE} /f"),
            "Restart the machine.",
        ],
        "Set it only where NCSI fails on a machine with split DNS.",
        &format!(r"reg delete {POLICY} /v {VALUE} /f"),
        "Get-NetConnectionProfile shows IPv4Connectivity : Internet.",
        &[ARTICLE_NETWORK],
    )
}
