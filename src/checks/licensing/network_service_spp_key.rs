//! The key of the Software Protection service in the registry of NETWORK SERVICE is missing or locked.
//!
//! # What it looks at
//! `HKEY_USERS\S-1-5-20\Software\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform` in the NETWORK SERVICE hive: whether it
//! exists, and whether NETWORK SERVICE has full control of it; failures of Office's licensing in the failure window.
//!
//! # Why it blocks activation
//! The service keeps its licensing state below this key. An upgrade from Windows 10 1909 could delete it; Office then says that it cannot
//! verify the license.
//!
//! # Fix
//! Import the key from a working machine with the same Windows, give NETWORK SERVICE full control, restart.
//!
//! # Verify
//! The key exists with `(A;OICI;KA;;;NS)`, and Office starts without the message.
//!
//! # When this is wrong
//! Without a recorded licensing failure of Office it is a warning only. The subkey `Policies\0ff1ce15-…` exists only where Office was
//! licensed by this service: its absence says nothing. Records of the service about Windows itself do not count.
//!
//! # Sources
//! domain.md 5.11 `network-service-spp-key`; decision 7; R56 and the closing remarks of section 14; "license issue when you start an Office
//! application" (learn.microsoft.com).

use super::network_service_acl::{ROOT, SECTION, grant, security_seen};
use super::{key_security, records};
use crate::artifact::security::{KEY_ALL_ACCESS, Sid};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Check, Layer, Remedy, collect, signals};
use crate::evidence::{Confidence, Lookup};

/// An absent key, as evidence.
pub const GONE: &str = "the key does not exist";
/// Below the root of the hive.
const KEY: &str = r"Software\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform";

/// The check.
pub const CHECK: Check = Check {
    id: "network-service-spp-key",
    title: "The licensing key of NETWORK SERVICE is missing or locked",
    layer: Layer::Licensing,
    article: SECTION,
    wants: &[records::PROTECTION, signals::DIALOGS[0], signals::DIALOGS[1], signals::DIALOGS[2]],
    healthy: "The licensing key of NETWORK SERVICE exists, and the service has full control of it.",
    source_text: include_str!("network_service_spp_key.rs"),
    run,
    remedy,
};

fn path() -> String {
    format!(r"{ROOT}\{KEY}")
}

fn run(case: &Case<'_>, j: &Judgement) {
    let path = path();
    match case.evidence.registry.key(&path) {
        Lookup::Absent(source) => {
            fault(case, j, "The licensing key of NETWORK SERVICE does not exist.", source.shows(GONE));
            return;
        }
        Lookup::Unknown(unknown) => j.missing(&unknown, collect::NETWORK_SERVICE),
        Lookup::Found(key) => j.good(key.shows("the key exists")),
    }
    match key_security::of_key(case, &path) {
        Lookup::Found(security) => {
            let given = security
                .value
                .dacl
                .as_ref()
                .map(|dacl| key_security::rights(dacl, Sid::NETWORK_SERVICE).given);
            match given {
                Some(given) if given & KEY_ALL_ACCESS != KEY_ALL_ACCESS => {
                    let seen = security_seen(&security).expected("full control for NETWORK SERVICE");
                    fault(case, j, "NETWORK SERVICE lacks full control of its licensing key.", seen);
                }
                Some(_) => j.good(security_seen(&security)),
                None => {
                    j.note("The licensing key of NETWORK SERVICE has no access list: it works, but everyone may change it.");
                    j.good(security.shows("no DACL: everyone has full control"));
                }
            }
        }
        Lookup::Absent(_) => {}
        Lookup::Unknown(unknown) => j.missing(&unknown, collect::NETWORK_SERVICE_SECURITY),
    }
}

/// A fault of the key stops Office where its licensing is recorded as failing.
fn fault(case: &Case<'_>, j: &Judgement, summary: &str, seen: Observation) {
    match records::licensing_failure(case) {
        Some(failure) => j.row(Status::Blocker, Confidence::High, summary.to_owned(), vec![seen, failure]),
        None => j.row(Status::Warning, Confidence::Medium, summary.to_owned(), vec![seen]),
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let live = format!(r"HKU\S-1-5-20\{KEY}");
    let mut steps = Vec::new();
    let build =
        case.os().build_number().map_or("the same build".to_owned(), |build| format!("build {build}"));
    if case.evidence.registry.key(&path()).is_absent() {
        steps.push(format!("On a working machine with Windows {build}: reg export \"{live}\" spp.reg"));
        steps.push("On this machine, elevated: reg import spp.reg".to_owned());
    } else {
        steps.push(format!("reg export \"{live}\" spp-before.reg"));
    }
    steps.extend(grant(&format!(r"Registry::HKEY_USERS\S-1-5-20\{KEY}"), "spp-key-before.txt"));
    steps.push("Restart the machine.".to_owned());
    Remedy {
        steps,
        caution: "Take the key from a machine with the same generation of Windows.".to_owned(),
        rollback: format!("reg delete \"{live}\" if it was imported; else write the recorded permissions back with Set-Acl."),
        verify: "Start Office: the message that the license cannot be verified is gone.".to_owned(),
        references: vec![
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/license-issue-when-start-office-application".to_owned(),
        ],
    }
}
