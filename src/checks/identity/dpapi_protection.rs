//! Windows cannot protect a user's key while no domain controller is in reach.
//!
//! # What it looks at
//! `ProtectionPolicy` of the data protection provider in the machine's registry; the codes 8009000B and 80090034 in the broker's log and in the log
//! of device registration; whether the machine is a member of a domain, and whether the domain was in reach.
//!
//! # Why it blocks activation
//! On a domain member Windows keeps a backup of the user's master key with a domain controller. Away from the domain, after a password change, the
//! key can neither be opened nor made anew, and Office cannot store the token of its sign-in.
//!
//! # Fix
//! Connect to the domain once; or let Windows keep the backup on the machine (`ProtectionPolicy` 1).
//!
//! # Verify
//! A sign-in writes no 8009000B and no 80090034.
//!
//! # When this is wrong
//! The same codes follow a changed TPM (see `tpm-key-health`). The profile of the network and the tests of dsregcmd show the time of the collection,
//! not that of the failure. A sign-in of after the failure shows that the key was there again.
//!
//! # Sources
//! domain.md 5.22 `dpapi-protection-policy`; R50 of section 14; "Sign-in issues" and "TPM malfunctioned" (learn.microsoft.com).

use super::answers::Good;
use super::join::{self, Status as JoinStatus};
use crate::artifact::capture::connection_profile::Category;
use crate::artifact::capture::dsregcmd::typed::TestResult;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::broker::keys::{self, Fault, KEY_RECORDS, REGISTRATIONS};
use crate::checks::broker::{RECORDS, TOKEN_GIVEN};
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals::DIALOGS;
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::{Confidence, Lookup, Unknown, captures};

/// The check.
pub const CHECK: Check = Check {
    id: "dpapi-protection-policy",
    title: "Windows cannot protect a user's key while no domain controller is in reach",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: &[RECORDS, KEY_RECORDS, REGISTRATIONS, TOKEN_GIVEN, DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "No key of the user failed, or the backup of keys does not need the domain.",
    source_text: include_str!("dpapi_protection.rs"),
    run,
    remedy,
};

const PROVIDER: &str =
    r"HKLM\SOFTWARE\Microsoft\Cryptography\Protect\Providers\df9d8cd0-1501-11d1-8c7a-00c04fc297eb";
const POLICY: &str = "ProtectionPolicy";
/// The codes of a key that cannot be opened or protected.
const CODES: [u32; 2] = [0x8009_000b, 0x8009_0034];

fn run(case: &Case<'_>, j: &Judgement) {
    let policy = match case.need_value(j, PROVIDER, POLICY) {
        Lookup::Found(value) if value.value.as_u32() == Some(1) => {
            j.note("ProtectionPolicy is 1: Windows keeps the backup of keys on the machine, as the articles advise where no domain is in reach.");
            j.good(value_seen(&value));
            return;
        }
        Lookup::Found(value) => Some(value_seen(&value)),
        Lookup::Absent(source) => Some(source.shows("ProtectionPolicy is not set")),
        Lookup::Unknown(_) => None,
    };
    policy.iter().for_each(|seen| j.good(seen.clone()));
    case.need_log(j, RECORDS.channels, collect::AAD_LOG);
    let faults = keys::faults(case, &Judgement::default());
    let failed = faults.iter().rfind(|fault| fault.code.is_some_and(|code| CODES.contains(&code.value())));
    if let (Some(fault), Some(policy)) = (failed, policy)
        && !Good::read(case).ends(j, fault.event.value.time, "A key of the user failed")
    {
        judge(case, j, fault, policy);
    }
}

fn judge(case: &Case<'_>, j: &Judgement, fault: &Fault<'_>, policy: Observation) {
    let (member, away) = (membership(case), away(case));
    let seen = fault.event.shows(format!(
        "{} {}, {}",
        fault.event.value.provider,
        fault.event.value.event_id,
        fault.words()
    ));
    match (member, away) {
        (Some((false, _)), _) => {
            j.note("A key of the user failed, but the machine is no member of a domain: see tpm-key-health.");
        }
        (_, Some((false, _))) => {
            j.note("A key of the user failed, but the domain was in reach at the collection: see tpm-key-health.");
        }
        (Some((true, member)), Some((true, away))) => {
            let summary = "A key of the user could not be opened or protected on a domain member without its domain in reach, and the backup of keys needs the domain.".to_owned();
            j.row(
                Status::Warning,
                Confidence::Medium,
                summary,
                vec![seen, policy.expected("1"), member, away],
            );
        }
        (member, _) => {
            let what = if member.is_none() {
                "whether the machine is a member of a domain (dsregcmd /status)"
            } else {
                "whether the domain is in reach (Get-NetConnectionProfile)"
            };
            let collect = if member.is_none() { join::COLLECT } else { collect::CONNECTION_PROFILE };
            j.missing(&Unknown { what: what.to_owned(), reason: None }, collect);
            j.note(format!("A key of the user failed ({}): see tpm-key-health too.", fault.words()));
        }
    }
}

/// Whether the machine is a member of a domain.
fn membership(case: &Case<'_>) -> Option<(bool, Observation)> {
    let said = JoinStatus::all(case).into_iter().find_map(|status| {
        let member = status.is_domain_member()?;
        let line = status.data.domain_joined().map_or(1, |flag| flag.line);
        Some((member, status.at(line, if member { "DomainJoined YES" } else { "DomainJoined NO" })))
    });
    // Only a member authenticates to a domain's network.
    said.or_else(|| profiles(case).into_iter().find(|(domain, _)| *domain))
}

/// Whether the domain was out of reach when the outputs were taken.
fn away(case: &Case<'_>) -> Option<(bool, Observation)> {
    let profiles = profiles(case);
    let on_network = profiles.iter().find(|(domain, _)| *domain).or(profiles.first());
    if let Some((domain, seen)) = on_network {
        return Some((!domain, seen.clone()));
    }
    JoinStatus::all(case).into_iter().find_map(|status| {
        let test = status.data.pre_join_test("AD Connectivity Test")?;
        let away = match test.value {
            TestResult::Fail { .. } => true,
            TestResult::Pass => false,
            TestResult::Skipped | TestResult::Other => return None,
        };
        Some((
            away,
            status
                .at(test.line, if away { "AD Connectivity Test FAIL" } else { "AD Connectivity Test PASS" }),
        ))
    })
}

/// The connected networks: whether each is a domain's.
fn profiles(case: &Case<'_>) -> Vec<(bool, Observation)> {
    let mut found = Vec::new();
    for capture in case.captures(CaptureKind::ConnectionProfile) {
        let CaptureData::ConnectionProfile(data) = &capture.value.data else { continue };
        for profile in &data.profiles {
            let Some(category) = profile.network_category else { continue };
            let source = captures::line(capture.source.artifact, profile.line);
            found.push((
                category == Category::DomainAuthenticated,
                source.shows(format!("NetworkCategory {category:?}")),
            ));
        }
    }
    found
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Connect the machine to the network of the domain (or its VPN), lock it, unlock it with the current password, and sign in to Office.",
            &format!(r#"Where the domain cannot be reached: reg export "{PROVIDER}" dpapi-provider.reg"#),
            &format!(r#"reg add "{PROVIDER}" /v {POLICY} /t REG_DWORD /d 1 /f (elevated)"#),
            "Restart, sign in, and sign in to Office again.",
        ],
        "With ProtectionPolicy 1 the domain has no backup of the user's keys: after a forced password reset, what they protect is lost.",
        &format!(r#"reg delete "{PROVIDER}" /v {POLICY} /f, or import dpapi-provider.reg"#),
        "A sign-in in Office writes no 8009000B and no 80090034.",
        &[
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/tpm-malfunctioned",
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/sign-in-issues",
        ],
    )
}
