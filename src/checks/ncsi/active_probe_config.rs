//! Windows is told not to probe for internet access.
//!
//! # What it looks at
//! `EnableActiveProbing` and the probe hosts below `NlaSvc\Parameters\Internet` in the SYSTEM hive; the policies `NoActiveProbe` and
//! `DisablePassivePolling` in the SOFTWARE hive; records of the broker and dialogs of Office with CAA70007 or CAA80000.
//!
//! # Why it blocks activation
//! Windows learns from its probe that it is on the internet. With the probe switched off it may never learn it, and Office asks
//! Windows before it connects.
//!
//! # Fix
//! `EnableActiveProbing` = 1 and `NoActiveProbe` = 0, or the group policy "Turn off Windows Network Connectivity Status Indicator active
//! tests" set to Disabled.
//!
//! # Verify
//! `Get-NetConnectionProfile` shows `IPv4Connectivity : Internet` a minute after a restart.
//!
//! # When this is wrong
//! With the probe off Windows may still learn "Internet" by watching traffic. So this is a blocker only where Windows really does
//! not see the internet, or CAA70007 or CAA80000 was recorded while connected; otherwise it is a warning. An absent `EnableActiveProbing` means 1. Both generations of Microsoft's probe hosts
//! are good on any build, and timer values never raise anything (R33). A switch that is no number answers nothing. Internet over IPv6 alone is
//! internet: it makes no blocker.
//!
//! # Sources
//! domain.md 5.9 `ncsi-active-probe-config`; R33 of section 14; the article on 0xCAA70007.

use super::profile_state;
use crate::artifact::event::Event;
use crate::artifact::value::RegValue;
use crate::checks::broker::{TOKEN_GIVEN, affected, is_of_another_user, token_given};
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{Article, Check, Layer, Remedy, signals};
use crate::evidence::{Confidence, Lookup, Sourced};

const INTERNET: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet";
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator";

/// Values that name where and what Windows probes, with what is good on any build.
const PROBES: &[(&str, &[&str])] = &[
    ("ActiveWebProbeHost", &["www.msftconnecttest.com", "www.msftncsi.com"]),
    ("ActiveWebProbePath", &["connecttest.txt", "ncsi.txt"]),
    ("ActiveWebProbeContent", &["Microsoft Connect Test", "Microsoft NCSI"]),
    ("ActiveWebProbePathV6", &["connecttest.txt", "ncsi.txt"]),
    ("ActiveWebProbeContentV6", &["Microsoft Connect Test", "Microsoft NCSI"]),
    ("ActiveWebProbeHostV6", &["ipv6.msftconnecttest.com", "ipv6.msftncsi.com"]),
    ("ActiveDnsProbeHost", &["dns.msftncsi.com"]),
    ("ActiveDnsProbeHostV6", &["dns.msftncsi.com"]),
    ("ActiveDnsProbeContent", &["131.107.255.255"]),
    ("ActiveDnsProbeContentV6", &["fd3e:4f5a:5b81::1"]),
];
/// `MinimumInternetHopCount` when it is absent.
const DEFAULT_HOPS: u32 = 8;

/// The check.
pub const CHECK: Check = Check {
    id: "ncsi-active-probe-config",
    title: "Active internet probing is off or redirected",
    layer: Layer::Ncsi,
    article: Article::Network("Check NCSI"),
    wants: &[
        signals::BROKER,
        signals::NETWORKS,
        TOKEN_GIVEN,
        signals::DIALOGS[0],
        signals::DIALOGS[1],
        signals::DIALOGS[2],
    ],
    healthy: "Windows may probe for internet access, at Microsoft's hosts.",
    source_text: include_str!("active_probe_config.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let enabled = case.need_number(j, INTERNET, "EnableActiveProbing");
    let policy = case.need_number(j, POLICY, "NoActiveProbe");
    let passive = case.need_number(j, POLICY, "DisablePassivePolling");
    switched_off(
        case,
        j,
        &enabled,
        0,
        "1",
        "Active internet probing is switched off (EnableActiveProbing = 0).",
    );
    switched_off(
        case,
        j,
        &policy,
        1,
        "0 or absent",
        "A policy switches active internet probing off (NoActiveProbe = 1).",
    );
    if let Some(value) = passive.found().filter(|value| value.value.as_u32() == Some(1)) {
        j.warning(
            Confidence::Medium,
            "A policy switches passive polling off.",
            [value_seen(value).expected("absent")],
        );
    }
    probes(case, j);
    for answer in [&enabled, &policy] {
        match answer {
            Lookup::Found(value) => j.good(value_seen(value)),
            Lookup::Absent(source) => j.good(source.shows("not set")),
            Lookup::Unknown(_) => {}
        }
    }
}

fn switched_off(
    case: &Case<'_>,
    j: &Judgement,
    answer: &Lookup<RegValue>,
    bad: u32,
    good: &str,
    summary: &str,
) {
    let Some(value) = answer.found().filter(|value| value.value.as_u32() == Some(bad)) else { return };
    let mut evidence = vec![value_seen(value).expected(good)];
    let refused = cannot_connect(case);
    if let Some(event) = &refused {
        evidence.push(event_seen(event, signals::FIELDS));
    }
    if refused.is_some() || profile_state::is_bad(case) {
        j.row(Status::Blocker, Confidence::High, summary.to_owned(), evidence);
    } else {
        let summary = format!("{summary} Windows may still learn of its connection from traffic.");
        j.row(Status::Warning, Confidence::Medium, summary, evidence);
    }
}

/// The newest record that says what Office says without the probe: CAA70007, CAA80000 (one article speaks of both), or the words of its
/// dialog on an English Windows. Of a time without a network, or before a token was given, it says nothing.
fn cannot_connect<'e>(case: &Case<'e>) -> Option<Sourced<&'e Event>> {
    let user = affected(case);
    let given = token_given(case).map(|event| event.value.time);
    let wants = [signals::BROKER, signals::DIALOGS[0], signals::DIALOGS[1], signals::DIALOGS[2]];
    let mut records: Vec<Sourced<&Event>> = wants.into_iter().flat_map(|want| case.events(want)).collect();
    records.retain(|event| {
        let code = signals::code_of(event.value).map(|code| code.value());
        let text = event.value.all_text().to_lowercase();
        let told = ["caa70007", "caa80000", "unable to connect right now"];
        !is_of_another_user(user.as_ref(), event.value)
            && !signals::is_disconnected_at(case, event.value.time)
            && given.is_none_or(|given| given < event.value.time)
            && (matches!(code, Some(0xcaa7_0007 | 0xcaa8_0000))
                || told.iter().any(|part| text.contains(part)))
    });
    records.into_iter().max_by_key(|event| event.value.time)
}

fn probes(case: &Case<'_>, j: &Judgement) {
    for (name, good) in PROBES {
        let answer = case.value(INTERNET, name);
        let Some(value) = answer.found() else { continue };
        let text = value.value.as_text().unwrap_or_default();
        if !good.iter().any(|known| known.eq_ignore_ascii_case(text.trim())) {
            let summary = format!("{name} is not Microsoft's: the probe goes elsewhere.");
            j.warning(Confidence::Medium, summary, [value_seen(value).expected(good.join(" or "))]);
        }
    }
    let hops = case.value(INTERNET, "MinimumInternetHopCount");
    if let Some(value) = hops.found()
        && value.value.as_u32().is_some_and(|hops| hops > DEFAULT_HOPS)
    {
        high_hop_count(j, value);
    }
}

fn high_hop_count(j: &Judgement, value: &Sourced<RegValue>) {
    j.warning(
        Confidence::Low,
        "MinimumInternetHopCount is raised: behind a near proxy Windows may not see the internet.",
        [value_seen(value).expected("absent (8)")],
    );
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Find who set it: a group policy or management profile (gpresult /h gpresult.html) brings it back otherwise.",
            r"reg add HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator /v NoActiveProbe /t REG_DWORD /d 0 /f",
            r"reg add HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet /v EnableActiveProbing /t REG_DWORD /d 1 /f",
            "Restart the machine.",
        ],
        "A policy returns at the next refresh: change it at the source. Some sites switch the probe off on purpose (no traffic to Microsoft's probe hosts).",
        r"Export both keys first (reg export); import them to undo.",
        "Get-NetConnectionProfile shows IPv4Connectivity : Internet.",
        &[
            "https://learn.microsoft.com/office/troubleshoot/activation/issue-when-activate-office-365-proplus",
            "https://learn.microsoft.com/windows-server/networking/ncsi/ncsi-overview",
        ],
    )
}
