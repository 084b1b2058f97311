//! The MSOID record of the custom domain sends Office to another cloud.
//!
//! # What it looks at
//! `nslookup -type=CNAME msoid.<domain>`, `Resolve-DnsName` and the DNS client's log, for the custom domains of the user's sign-in name; the
//! cloud of the tenant in `dsregcmd` and in the log of the broker; the dialogs of Office.
//!
//! # Why it blocks activation
//! An alias `msoid.<domain>` to `clientconfig.partner.microsoftonline-p.net.cn` belongs to the service that 21Vianet runs in China. On any
//! other tenant Office is sent there, does not find the domain, and sign-in fails.
//!
//! # Fix
//! Delete the CNAME record in the public DNS zone of the domain and wait until it is gone everywhere.
//!
//! # Verify
//! `nslookup -type=CNAME msoid.<domain> 8.8.8.8` says that there is no such name.
//!
//! # When this is wrong
//! A tenant in the 21Vianet cloud needs this record. An alias to the old worldwide target and a plain address from a wildcard zone are
//! harmless (R32). "No such name" from a server inside the company shows the internal view only: the public zone may hold the record.
//!
//! # Sources
//! domain.md 5.6 `msoid-cname`; R32 of section 14; text_formats.md 4.6.

use super::answers::{self, Answer, Ending};
use crate::artifact::capture::{CaptureData, CaptureKind, dsregcmd};
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::signals::DIALOGS;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Unknown, captures};

/// End of the target that belongs to 21Vianet.
const FOREIGN_TARGET: &str = "partner.microsoftonline-p.net.cn";
/// End of the old target of the worldwide cloud.
const OLD_TARGET: &str = "clientconfig.microsoftonline-p.net";
/// Hosts of the 21Vianet cloud, as they stand in tenant settings and requests.
const FOREIGN_CLOUD: &[&str] = &["partner.microsoftonline.cn", "chinacloudapi.cn"];
/// The host of the worldwide cloud.
const WORLDWIDE: &str = "login.microsoftonline.com";
/// Domains that no organisation owns.
const SHARED_DOMAINS: &[&str] = &["outlook.com", "hotmail.com", "live.com", "msn.com", "gmail.com"];

/// Requests of the broker, with the address that they went to.
const REQUESTS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1025, 1250, 1252],
    channels: &["Microsoft-Windows-AAD/Operational"],
};

/// The check.
pub const CHECK: Check = Check {
    id: "msoid-cname",
    title: "The MSOID record of the custom domain sends Office to another cloud",
    layer: Layer::Dns,
    article: Article::Network("Check external DNS"),
    wants: &[answers::CLIENT_LOG, DIALOGS[0], DIALOGS[1], DIALOGS[2], REQUESTS],
    healthy: "No MSOID record sends the user's domains to another cloud.",
    source_text: include_str!("msoid_cname.rs"),
    run,
    remedy,
};

/// The cloud that the tenant lives in.
enum Cloud {
    /// 21Vianet.
    Foreign(Observation),
    /// Not that one.
    Other(Observation),
    /// Nothing tells.
    Unknown,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let cloud = cloud(case);
    let mut cleared: Vec<String> = Vec::new();
    let mut asked = false;
    for answer in answers::collected(case) {
        let Some(domain) = answer.names.iter().find_map(|name| name.strip_prefix("msoid.")) else { continue };
        asked = true;
        if judge(j, &answer, domain, &cloud) {
            cleared.push(domain.to_owned());
        }
    }
    if !asked && let Some(event) = dialog(case) {
        j.warning(
            Confidence::Low,
            "Office said that the custom domain is not in its system, which an MSOID record of another cloud can cause.",
            [event],
        );
    }
    need(case, j, &cleared);
}

/// True when the answer clears the domain: the public zone sends nobody astray.
fn judge(j: &Judgement, answer: &Answer, domain: &str, cloud: &Cloud) -> bool {
    let leads_to = |end: &str| answer.targets.iter().chain(&answer.names).any(|name| name.ends_with(end));
    if leads_to(FOREIGN_TARGET) {
        return foreign_target(j, answer, domain, cloud);
    }
    match answer.ending {
        Ending::NoAnswer | Ending::Unknown => {
            j.note(format!("msoid.{domain} was asked for, but no server gave an answer."));
            return false;
        }
        Ending::Resolved if leads_to(OLD_TARGET) => {
            j.note(format!(
                "msoid.{domain} is an alias of the old worldwide target: no longer needed, and harmless."
            ));
        }
        Ending::Resolved => {
            j.note(format!(
                "msoid.{domain} has an answer of its own, as in a zone with a wildcard: harmless."
            ));
        }
        Ending::NoName | Ending::NoRecord => {}
    }
    if answer.cut {
        j.note(format!("msoid.{domain}: the output ends inside the answer, so where it leads is not known."));
        return false;
    }
    if answer.is_from_public_server() == Some(true) {
        j.good(answer.seen());
        return true;
    }
    j.note(format!(
        "msoid.{domain}: internal view only; the answer is not known to come from a public server."
    ));
    false
}

fn foreign_target(j: &Judgement, answer: &Answer, domain: &str, cloud: &Cloud) -> bool {
    let seen = answer.seen();
    let summary =
        format!("msoid.{domain} is an alias into the 21Vianet cloud: Office looks for the domain there.");
    match cloud {
        Cloud::Foreign(tenant) => {
            j.good(seen);
            j.good(tenant.clone());
            j.note(format!(
                "msoid.{domain} leads to the 21Vianet cloud, which is the tenant's own and needs the record."
            ));
            return true;
        }
        Cloud::Other(tenant) => {
            j.blocker(Confidence::High, summary, [seen.expected("no such record"), tenant.clone()]);
        }
        Cloud::Unknown => {
            j.blocker(Confidence::Medium, summary, [seen.expected("no such record")]);
            j.note(
                "Nothing collected shows the cloud of the tenant: a tenant of 21Vianet needs this record.",
            );
        }
    }
    false
}

/// The tenant's cloud, as the device registration or the requests of the broker show it.
fn cloud(case: &Case<'_>) -> Cloud {
    let mut other = None;
    for capture in case.captures(CaptureKind::Dsregcmd) {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { continue };
        for entry in entries(data) {
            let seen = || captures::line(capture.source.artifact, entry.line).shows(entry.value.clone());
            if is_foreign(&entry.value) {
                return Cloud::Foreign(seen());
            }
            if entry.value.to_ascii_lowercase().contains(WORLDWIDE) {
                other.get_or_insert_with(seen);
            }
        }
    }
    for event in case.events(REQUESTS) {
        let address = event.value.field("EndpointUri").unwrap_or_default();
        if is_foreign(address) {
            return Cloud::Foreign(event_seen(&event, &["EndpointUri"]));
        }
        if address.to_ascii_lowercase().contains(WORLDWIDE) {
            other.get_or_insert_with(|| event_seen(&event, &["EndpointUri"]));
        }
    }
    other.map_or(Cloud::Unknown, Cloud::Other)
}

fn is_foreign(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    FOREIGN_CLOUD.iter().any(|host| text.contains(host))
}

fn entries(data: &dsregcmd::Data) -> impl Iterator<Item = &dsregcmd::Entry> {
    data.sections.iter().flat_map(|section| &section.entries)
}

/// A dialog of Office that says that the custom domain is not in its system.
fn dialog(case: &Case<'_>) -> Option<Observation> {
    let says = |text: &str| {
        let text = text.to_lowercase();
        text.contains("custom domain") && text.contains("in our system")
    };
    let mut events = DIALOGS.iter().flat_map(|want| case.events(*want));
    let event = events.rfind(|event| event.value.data.iter().any(|field| says(field.value)))?;
    Some(event.shows("a dialog says that the custom domain is not in the system"))
}

/// Every custom domain of the user has to be cleared.
fn need(case: &Case<'_>, j: &Judgement, cleared: &[String]) {
    let domains = sign_in_domains(case);
    let custom: Vec<&(String, Observation)> =
        domains.iter().filter(|(domain, _)| is_custom(domain)).collect();
    match (domains.first(), custom.is_empty()) {
        (None, _) => {
            let what = "domain of the user's sign-in name (dsregcmd /status or the user's Office identities)"
                .to_owned();
            j.missing(
                &Unknown { what, reason: None },
                "dsregcmd /status > dsregcmd.txt (as the affected user)",
            );
        }
        (Some((domain, seen)), true) => {
            j.not_applicable(
                format!("The user signs in with {domain}, which is no custom domain."),
                seen.clone(),
            );
        }
        (Some(_), false) => {}
    }
    for (domain, seen) in custom {
        if cleared.contains(domain) {
            j.good(seen.clone());
        } else {
            let what = format!("public DNS answer for msoid.{domain}");
            let command = format!("nslookup -type=CNAME msoid.{domain} 8.8.8.8 > msoid.txt 2>&1");
            j.missing(&Unknown { what, reason: None }, &command);
        }
    }
    if domains.is_empty() && cleared.is_empty() {
        let what = "public DNS answer for msoid.<domain of the sign-in name>".to_owned();
        j.missing(
            &Unknown { what, reason: None },
            "nslookup -type=CNAME msoid.<domain> 8.8.8.8 > msoid.txt 2>&1",
        );
    }
}

fn is_custom(domain: &str) -> bool {
    let initial = [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"];
    let initial = initial.iter().any(|end| domain.ends_with(end));
    !initial && !SHARED_DOMAINS.contains(&domain)
}

/// The domains of the sign-in names of the affected user, each with where it stands.
fn sign_in_domains(case: &Case<'_>) -> Vec<(String, Observation)> {
    let mut found: Vec<(String, Observation)> = Vec::new();
    let mut take = |text: &str, seen: Observation| {
        for domain in domains_in(text) {
            if !found.iter().any(|(known, _)| *known == domain) {
                found.push((domain, seen.clone()));
            }
        }
    };
    if let Lookup::Found(user) = case.evidence.users.affected() {
        let identity = user.value.path(r"Software\Microsoft\Office\16.0\Common\Identity");
        let mut keys = vec![(identity.clone(), "ADUserName")];
        if let Lookup::Found(names) = case.evidence.registry.subkeys(&format!(r"{identity}\Identities")) {
            for name in names.value.iter() {
                keys.push((format!(r"{identity}\Identities\{name}"), "EmailAddress"));
                keys.push((format!(r"{identity}\Identities\{name}"), "SignInName"));
            }
        }
        for (key, name) in keys {
            if let Lookup::Found(value) = case.value(&key, name) {
                take(&value.value.as_text().unwrap_or_default(), value_seen(&value));
            }
        }
    }
    for capture in case.captures(CaptureKind::Dsregcmd) {
        let CaptureData::Dsregcmd(data) = &capture.value.data else { continue };
        let named = |entry: &&dsregcmd::Entry| {
            ["User Identity", "Executing Account Name"].iter().any(|key| entry.key.eq_ignore_ascii_case(key))
        };
        for entry in entries(data).filter(named) {
            take(
                &entry.value,
                captures::line(capture.source.artifact, entry.line).shows(entry.value.clone()),
            );
        }
    }
    found
}

/// The domains of the mail-like names in a text (`CONTOSO\alice, alice@contoso.com`).
fn domains_in(text: &str) -> Vec<String> {
    let words = text.split([',', ';', ' ', '\t', '(', ')']);
    let domains = words.filter_map(|word| word.trim().split_once('@')).map(|(_, domain)| domain);
    let plain = |domain: &&str| {
        domain.contains('.') && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
    };
    domains.filter(plain).map(|domain| domain.trim_matches('.').to_lowercase()).collect()
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Ask a public server: nslookup -type=CNAME msoid.<domain> 8.8.8.8",
            "Note the record, then delete the CNAME msoid in the public zone of the domain, at whoever hosts it.",
            "Wait until the record has left all servers and caches (its time to live, up to 72 hours), then: ipconfig /flushdns",
        ],
        "Not for a tenant of the 21Vianet cloud in China: it needs the record.",
        "Create the CNAME record again with the noted target.",
        "The question to the public server ends with \"Non-existent domain\"; then try activation again.",
        &[
            ARTICLE_NETWORK,
            "https://learn.microsoft.com/microsoft-365/enterprise/external-domain-name-system-records",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::{domains_in, is_custom};

    #[test]
    fn domains_of_sign_in_names() {
        assert_eq!(domains_in(r"CONTOSO\alice, Alice@Contoso.com"), ["contoso.com"]);
        assert_eq!(domains_in("alice@münchen.example"), ["münchen.example"]);
        assert!(domains_in("alice").is_empty() && domains_in("@").is_empty());
        assert!(
            is_custom("contoso.com") && !is_custom("contoso.onmicrosoft.com") && !is_custom("outlook.com")
        );
    }
}
