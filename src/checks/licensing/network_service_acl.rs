//! NETWORK SERVICE may not use its own part of the registry.
//!
//! # What it looks at
//! The security descriptor of the root key of the NETWORK SERVICE hive (`HKEY_USERS\S-1-5-20`), from
//! `ServiceProfiles\NetworkService\NTUSER.DAT` or from `Get-Acl`.
//!
//! # Why it blocks activation
//! The Software Protection service runs as NETWORK SERVICE and keeps its state below this key. Without full control it cannot store a
//! licence, and activation ends with "access denied" or "cannot verify the license".
//!
//! # Fix
//! Give NETWORK SERVICE Full Control (and with it Read) on `HKEY_USERS\S-1-5-20`, restart the machine.
//!
//! # Verify
//! `(Get-Acl 'Registry::HKEY_USERS\S-1-5-20').Sddl` holds `(A;OICI;KA;;;NS)`; activation no longer ends with 0x80070005.
//!
//! # When this is wrong
//! Old Windows splits one grant into two entries, one of them for subkeys only and with generic rights: both together are full control.
//! Further entries for app capabilities (`S-1-15-3-…`) are normal, and Windows 7 has no entry for app packages. A `.reg` export never shows
//! permissions.
//!
//! # Sources
//! domain.md 5.11 `network-service-acl`, 6.8; trap 17; decisions 7 and 21; section 11 (descriptors of real hives); R56 and the closing
//! remarks of section 14.

use super::key_security::{self, Rights};
use super::records;
use crate::artifact::security::{KEY_ALL_ACCESS, KEY_READ, SecurityDescriptor, Sid};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::{Confidence, Lookup, Sourced};

/// Where the account's part of the registry is.
pub const ROOT: &str = r"HKU\S-1-5-20";
/// The section of the article.
pub const SECTION: Article = Article::Network("Check Network Service permissions");

/// The check.
pub const CHECK: Check = Check {
    id: "network-service-acl",
    title: "NETWORK SERVICE may not use its part of the registry",
    layer: Layer::Licensing,
    article: SECTION,
    wants: &[records::PROTECTION, signals::DIALOGS[0], signals::DIALOGS[1], signals::DIALOGS[2]],
    healthy: "NETWORK SERVICE has full control of its part of the registry.",
    source_text: include_str!("network_service_acl.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    match key_security::of_key(case, ROOT) {
        Lookup::Found(security) => judge(j, &security),
        Lookup::Absent(_) => {}
        Lookup::Unknown(unknown) => {
            j.missing(&unknown, collect::NETWORK_SERVICE_SECURITY);
            if let Some(denied) = records::access_denied(case) {
                j.warning(
                    Confidence::Low,
                    "Licensing was denied access, and the permissions of NETWORK SERVICE were not collected.",
                    [denied],
                );
            }
        }
    }
}

fn judge(j: &Judgement, security: &Sourced<SecurityDescriptor>) {
    let Some(dacl) = &security.value.dacl else {
        j.warning(
            Confidence::Medium,
            "The registry of NETWORK SERVICE has no access list: it works, but everyone may change it.",
            [security.shows("no DACL").expected("an access list with full control for NETWORK SERVICE")],
        );
        return;
    };
    let seen = || security.shows(security.value.dacl_sddl());
    let service = key_security::rights(dacl, Sid::NETWORK_SERVICE);
    let full = |rights: u32| rights & KEY_ALL_ACCESS == KEY_ALL_ACCESS;
    if let Some(summary) = refusal(&service) {
        let seen = seen().expected("(A;OICI;KA;;;NS), full control for NETWORK SERVICE");
        j.blocker(Confidence::High, summary, [seen]);
    } else if !full(service.inherited) {
        let seen = seen().expected("entries for NETWORK SERVICE that subkeys inherit (CI)");
        j.warning(
            Confidence::Medium,
            "NETWORK SERVICE has full control of the key, but its subkeys do not inherit that.",
            [seen],
        );
    }
    for (sid, name) in [(Sid::SYSTEM, "SYSTEM"), (Sid::ADMINISTRATORS, "Administrators")] {
        if !full(key_security::rights(dacl, sid).given) {
            let summary = format!("{name} lacks full control of the registry of NETWORK SERVICE.");
            j.warning(Confidence::Medium, summary, [seen().expected(format!("full control for {name}"))]);
        }
    }
    j.good(seen());
}

/// Why the service does not have full control.
fn refusal(service: &Rights) -> Option<String> {
    let missing = KEY_ALL_ACCESS & !service.given;
    if missing == 0 {
        return None;
    }
    Some(if !service.listed {
        "NETWORK SERVICE has no permission on its own part of the registry.".to_owned()
    } else if missing & service.denied != 0 {
        "An entry of the access list denies NETWORK SERVICE a right that it needs on its own part of the registry.".to_owned()
    } else if service.given & KEY_ALL_ACCESS == KEY_READ {
        "NETWORK SERVICE may only read its own part of the registry.".to_owned()
    } else {
        format!(
            "NETWORK SERVICE lacks full control of its own part of the registry (it has {:#x} of {KEY_ALL_ACCESS:#x}).",
            service.given & KEY_ALL_ACCESS
        )
    })
}

/// The commands that write the present permissions down and give full control.
pub fn grant(key: &str, record: &str) -> Vec<String> {
    vec![
        format!("Elevated PowerShell, write down what is there: (Get-Acl '{key}').Sddl > {record}"),
        format!(
            "$acl = Get-Acl '{key}'; $sid = New-Object System.Security.Principal.SecurityIdentifier 'S-1-5-20'; \
             $acl.SetAccessRule((New-Object System.Security.AccessControl.RegistryAccessRule($sid, 'FullControl', \
             'ContainerInherit,ObjectInherit', 'None', 'Allow'))); Set-Acl '{key}' $acl"
        ),
    ]
}

fn remedy(_: &Case<'_>) -> Remedy {
    let mut steps = grant(r"Registry::HKEY_USERS\S-1-5-20", "networkservice-before.txt");
    steps.push(
        "Or in regedit: HKEY_USERS\\S-1-5-20, Permissions, add NETWORK SERVICE, tick Full Control and Read. Remove entries that deny."
            .to_owned(),
    );
    steps.push("Restart the machine.".to_owned());
    Remedy {
        steps,
        caution: "Change the key S-1-5-20 only, not the whole of HKEY_USERS.".to_owned(),
        rollback: "$acl.SetSecurityDescriptorSddlForm with the text in networkservice-before.txt, then Set-Acl.".to_owned(),
        verify: r"(Get-Acl 'Registry::HKEY_USERS\S-1-5-20').Sddl holds (A;OICI;KA;;;NS); then try activation again.".to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}

/// The security of a key as evidence.
pub fn security_seen(security: &Sourced<SecurityDescriptor>) -> Observation {
    security.shows(security.value.dacl_sddl())
}
