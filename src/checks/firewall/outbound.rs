//! The Windows firewall blocks activation on its way out.
//!
//! # What it looks at
//! Profiles and rules of the Windows firewall in the SYSTEM hive, in group policy (SOFTWARE hive) and of MDM; the outputs of
//! `netsh advfirewall` where there is no hive; the log of the firewall (`pfirewall.log`), its event log, and blocked connections in the
//! Security log; the services MpsSvc and BFE; the category of the connected networks, which tells the profile in use.
//!
//! # Why it blocks activation
//! Office, its licensing and the broker plug-in connect to port 443, and to port 80 for revocation lists. A rule that blocks them, or a
//! profile that blocks everything outbound without a rule for them, ends every attempt; the browser may have its own rule and work.
//!
//! # Fix
//! Switch the named rule off, or allow the required addresses.
//!
//! # Verify
//! `Test-NetConnection login.microsoftonline.com -Port 443` shows `TcpTestSucceeded : True`; activation gets further.
//!
//! # When this is wrong
//! Rules below `RestrictedServices` that block BrokerPlugin and CloudExperienceHost are app isolation and stand on every clean system
//! (trap 3); so do the events that record them (R1). Blocked UDP 443 (QUIC) and rules for other programs are harmless. A profile that
//! is off, or not in use, has no say (R20). A block rule with a condition that actriage does not know is a warning, and an allow rule with one
//! does not count. Firewalls of other products and of the network are not in any collection from this machine.
//!
//! # Sources
//! domain.md 5.4 `firewall-outbound`; trap 3; R1, R20 and R64 of section 14; MS-GPFAS 2.2.2 and 2.2.3.

use super::dropped;
use super::policy::{Firewall, Origin, Reach, Rule, profile_word};
use crate::artifact::capture::firewall_rules::Action;
use crate::artifact::event::Event;
use crate::artifact::firewall_rule::{Addresses, FirewallRule, Ports};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::required::SIGN_IN_RANGES;
use crate::checks::services::{DISABLED, Service, start_seen};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced};

/// Rules added and changed, in the older and the newer numbering (R1).
const WRITTEN: &[u32] = &[2004, 2071, 2097, 2005, 2073, 2099];
/// Rules added, changed and deleted.
const CHANGES: Want = Want {
    provider: "Microsoft-Windows-Windows Firewall With Advanced Security",
    ids: &[2004, 2005, 2006, 2052, 2071, 2073, 2097, 2099],
    channels: &["Microsoft-Windows-Windows Firewall With Advanced Security/Firewall"],
};

/// Programs that connect for activation: the Office applications, Click-to-Run, the broker and its host.
const PROGRAMS: &[&str] = &[
    "winword.exe",
    "excel.exe",
    "powerpnt.exe",
    "outlook.exe",
    "onenote.exe",
    "msaccess.exe",
    "mspub.exe",
    "visio.exe",
    "winproj.exe",
    "lync.exe",
    "sdxhelper.exe",
    "olicenseheartbeat.exe",
    "officeclicktorun.exe",
    "officec2rclient.exe",
];
/// The broker plug-in as a program.
const BROKER_PROGRAMS: &[&str] = &["backgroundtaskhost.exe", "microsoft.aad.brokerplugin.exe"];
/// The two packages of sign-in: what they are, the beginning of their names, and their SIDs, which Windows derives from the package
/// family.
const PACKAGES: &[(Whom, &str, &str)] = &[
    (
        Whom::Broker,
        "Microsoft.AAD.BrokerPlugin_",
        "S-1-15-2-1910091885-1573563583-1104941280-2418270861-3411158377-2822700936-2990310272",
    ),
    (
        Whom::Companion,
        "Microsoft.Windows.CloudExperienceHost_",
        "S-1-15-2-2434737943-167758768-3180539153-984336765-1107280622-3591121930-2677285773",
    ),
];
/// End of the family names of both: the publisher.
const PUBLISHER: &str = "cw5n1h2txyewy";
/// Programs of Windows that write isolation rules (R1).
const ISOLATING: &[&str] = &["svchost.exe", "msmpeng.exe", "tiworker.exe"];

/// The check.
pub const CHECK: Check = Check {
    id: "firewall-outbound",
    title: "The Windows firewall blocks activation on its way out",
    layer: Layer::Firewall,
    article: Article::Network("Check the firewall"),
    wants: &[CHANGES, dropped::FILTERED],
    healthy: "The Windows firewall of this machine does not block activation.",
    source_text: include_str!("outbound.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let firewall = Firewall::read(case, j);
    let is_stopped = services(case, j);
    let changes = case.events(CHANGES);
    block_rules(j, &firewall, &changes, is_stopped);
    blocked_by_default(case, j, &firewall, is_stopped);
    if !firewall.has_registry {
        recorded_rules(j, &changes);
    }
    dropped::judge(case, j, is_activation_program);
    if firewall.has_registry || j.has_finding() {
        j.note("Local Windows firewall only: firewalls of other products and of the network cannot be seen in a collection from this machine.");
    }
}

/// True when the service that enforces the rules is disabled.
fn services(case: &Case<'_>, j: &Judgement) -> bool {
    let is_disabled = |key: &str| match Service::read(case, key).start {
        Lookup::Found(start) if start.value == DISABLED => Some(start),
        _ => None,
    };
    for (key, what) in [("MpsSvc", "The Windows firewall service"), ("BFE", "The Base Filtering Engine")] {
        if let Some(start) = is_disabled(key) {
            let summary =
                format!("{what} ({key}) is disabled; Store apps and the broker plug-in rest on it.");
            j.warning(Confidence::Medium, summary, [start_seen(&start).expected("2 (automatic)")]);
        }
    }
    is_disabled("MpsSvc").is_some()
}

/// Whom a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// An Office program.
    Office,
    /// The broker plug-in.
    Broker,
    /// CloudExperienceHost, whose pages the plug-in shows.
    Companion,
    /// Every program.
    Everyone,
    /// Somebody else.
    Other,
}

/// Which addresses a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Internet,
    SignIn,
    Elsewhere,
}

fn file_name(path: &str) -> String {
    path.rsplit(['\\', '/']).next().unwrap_or_default().trim_matches('"').to_ascii_lowercase()
}

/// Whether a program connects for activation.
fn is_activation_program(path: &str) -> bool {
    let file = file_name(path);
    PROGRAMS.iter().chain(BROKER_PROGRAMS).any(|known| *known == file)
}

fn whom(rule: &FirewallRule) -> Whom {
    let texts = [Some(&rule.name), rule.context.as_ref()];
    // Windows writes `@{Microsoft.AAD.BrokerPlugin_1000…`; people write `Block Microsoft.AAD.BrokerPlugin`.
    let names = |package: &str| {
        let package = package.trim_end_matches('_').to_ascii_lowercase();
        let is_of_package = rule.program.is_none() && rule.service.is_none();
        is_of_package && texts.iter().flatten().any(|text| text.to_ascii_lowercase().contains(&package))
    };
    let packaged = PACKAGES.iter().find(|(_, name, sid)| match (&rule.package, &rule.family) {
        (None, None) => names(name),
        (package, family) => {
            package.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(sid))
                || family.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&format!("{name}{PUBLISHER}")))
        }
    });
    if let Some((whom, ..)) = packaged {
        return *whom;
    }
    if rule.package.is_some() || rule.family.is_some() || rule.service.is_some() {
        return Whom::Other;
    }
    match rule.program.as_deref().map(file_name) {
        None => Whom::Everyone,
        Some(file) if BROKER_PROGRAMS.contains(&file.as_str()) => Whom::Broker,
        Some(file) if PROGRAMS.contains(&file.as_str()) => Whom::Office,
        Some(_) => Whom::Other,
    }
}

fn scope(rule: &FirewallRule) -> Scope {
    if rule.covers_the_internet() {
        Scope::Internet
    } else if SIGN_IN_RANGES.iter().any(|(from, to)| rule.names_some_of(*from, *to)) {
        Scope::SignIn
    } else {
        Scope::Elsewhere
    }
}

/// Whether a rule holds for connections to the web.
fn is_for_web(rule: &FirewallRule) -> bool {
    rule.covers_tcp(443) || rule.covers_tcp(80)
}

/// The name without the resource part of a package's rule.
fn shown_name(name: &str) -> &str {
    match name.strip_prefix("@{") {
        Some(package) => package.split('_').next().unwrap_or(package),
        None => name,
    }
}

fn seen(rule: &Rule) -> Observation {
    rule.source
        .shows(format!("{}: {}", shown_name(&rule.rule.name), rule.rule))
        .expected("no such active rule")
}

/// What a block rule means for activation: `None` when it is harmless.
fn weight(rule: &FirewallRule) -> Option<(Status, String)> {
    let name = shown_name(&rule.name);
    let (whom, scope) = (whom(rule), scope(rule));
    if !is_for_web(rule) || scope == Scope::Elsewhere || whom == Whom::Other {
        return None;
    }
    let is_package = matches!(whom, Whom::Broker | Whom::Companion);
    let whole = rule.narrowed_by.is_empty() && (is_package || rule.owner.is_none());
    let (who, blocks) = match whom {
        Whom::Office => (file_name(rule.program.as_deref().unwrap_or_default()), true),
        Whom::Broker => ("the broker plug-in".to_owned(), true),
        Whom::Companion => ("CloudExperienceHost, which shows the pages of sign-in,".to_owned(), true),
        // R20: a rule for every program with a condition on addresses is no blocker. The keyword for the internet (RA42=IntErnet) is a
        // condition by its form only: it leaves out what is inside, and every host of activation is outside.
        _ => ("every program".to_owned(), scope == Scope::Internet),
    };
    let status = if whole && blocks { Status::Blocker } else { Status::Warning };
    let limit = if whole { "" } else { ", under further conditions" };
    Some((
        status,
        format!("The active firewall rule \"{name}\" blocks connections of {who} to the web{limit}."),
    ))
}

fn block_rules(j: &Judgement, firewall: &Firewall, changes: &[Sourced<&Event>], is_stopped: bool) {
    let mut harmless: Vec<&str> = Vec::new();
    for rule in firewall.rules.iter().filter(|rule| rule.rule.is_outbound(Action::Block)) {
        let reach = firewall.reach(rule);
        let Some((status, summary)) = weight(&rule.rule).filter(|_| reach != Reach::Nowhere) else {
            harmless.push(shown_name(&rule.rule.name));
            continue;
        };
        let (status, confidence) = match (is_stopped, reach, rule.origin) {
            (true, ..) => (Status::Warning, Confidence::Low),
            (_, Reach::Some | Reach::Nowhere, _) => (Status::Warning, Confidence::Medium),
            (_, Reach::All, Origin::Output) => (status, Confidence::Medium),
            (_, Reach::All, _) if status == Status::Blocker => (status, Confidence::High),
            (_, Reach::All, _) => (status, Confidence::Medium),
        };
        let mut evidence = vec![seen(rule)];
        let is_same = |event: &&Sourced<&Event>| {
            let id = event.value.field("RuleId").unwrap_or_default();
            WRITTEN.contains(&event.value.event_id) && !id.is_empty() && id.eq_ignore_ascii_case(&rule.id)
        };
        if let Some(event) = changes.iter().rev().find(is_same) {
            evidence.push(event_seen(event, &["RuleName", "ModifyingUser", "ModifyingApplication"]));
        }
        j.row(status, confidence, summary, evidence);
    }
    if let Some((first, rest)) = harmless.split_first() {
        j.note(format!(
            "{} active outbound block rule(s) do not concern activation (another program, protocol, address or profile): {first}{}",
            harmless.len(),
            if rest.is_empty() { "." } else { " …" }
        ));
    }
}

/// Whether a rule lets the web through for the affected user: an allow with a further condition, or of somebody else, lets nothing of his
/// through for sure.
fn lets_through(rule: &FirewallRule, user: Option<&str>) -> bool {
    let is_package = matches!(whom(rule), Whom::Broker | Whom::Companion);
    let own = |owner: &String| user.is_some_and(|sid| sid.eq_ignore_ascii_case(owner));
    rule.is_outbound(Action::Allow)
        && rule.covers_tcp(443)
        && scope(rule) != Scope::Elsewhere
        && rule.narrowed_by.is_empty()
        && (is_package || rule.owner.as_ref().is_none_or(own))
}

/// Profiles that block what no rule allows.
fn blocked_by_default(case: &Case<'_>, j: &Judgement, firewall: &Firewall, is_stopped: bool) {
    let user = case.evidence.users.affected();
    let user = user.found().and_then(|user| user.value.sid.as_ref()).map(|sid| sid.0.as_str());
    let all = firewall.profiles_that_matter();
    let mut gaps: Vec<(Observation, &str)> = Vec::new();
    for profile in all.iter().filter(|profile| profile.off.is_none()) {
        let Some(blocks) = &profile.blocks else { continue };
        let allowed = |wanted: Whom| {
            firewall.rules.iter().any(|rule| {
                Firewall::holds_in(rule, profile)
                    && lets_through(&rule.rule, user)
                    && whom(&rule.rule) == wanted
            })
        };
        let word = profile_word(profile.name);
        if allowed(Whom::Everyone) {
            j.note(format!("The {word} profile blocks outbound connections by default; a rule allows every program to reach the web."));
        } else if !allowed(Whom::Office) {
            gaps.push((blocks.clone(), "no rule allows Office"));
        } else if !allowed(Whom::Broker) {
            gaps.push((blocks.clone(), "no rule allows the broker plug-in"));
        } else {
            j.note(format!("The {word} profile blocks outbound connections by default; rules allow Office and the broker plug-in."));
            if !allowed(Whom::Companion) {
                j.note(format!("In the {word} profile no rule allows CloudExperienceHost, which shows the pages of sign-in."));
            }
        }
    }
    let Some((_, what)) = gaps.first() else { return };
    let summary = format!("Outbound connections are blocked by default, and {what}.");
    let everywhere = gaps.len() == all.len() && firewall.has_registry && !is_stopped;
    let (status, confidence) = match everywhere {
        true => (Status::Blocker, Confidence::High),
        false => (Status::Warning, Confidence::Medium),
    };
    j.row(status, confidence, summary, gaps.into_iter().map(|(seen, _)| seen).collect());
}

/// Block rules that only the event log shows (R1): those that Windows' own isolation wrote and those deleted since do not count.
fn recorded_rules(j: &Judgement, changes: &[Sourced<&Event>]) {
    for (at, event) in changes.iter().enumerate() {
        let field = |name: &str| event.value.field(name).unwrap_or_default();
        let is_block = field("Direction") == "2"
            && field("Action") == "2"
            && matches!(field("Active"), "" | "1" | "true");
        let isolates = field("RuleName").starts_with("@{")
            || ISOLATING.contains(&file_name(field("ModifyingApplication")).as_str());
        // A later record of the same rule says more than this one.
        let is_old = changes
            .iter()
            .skip(at + 1)
            .any(|later| later.value.field("RuleId") == event.value.field("RuleId"));
        if !WRITTEN.contains(&event.value.event_id) || !is_block || isolates || is_old {
            continue;
        }
        match weight(&from_event(event.value)) {
            Some((_, summary)) => {
                let fields =
                    ["RuleName", "ApplicationPath", "Protocol", "RemotePorts", "ModifyingApplication"];
                j.warning(Confidence::Medium, summary, [event_seen(event, &fields)]);
            }
            None => j.note(format!(
                "A block rule was written inside the failure window that does not concern activation: {}.",
                field("RuleName")
            )),
        }
    }
}

/// A rule as the event log records it.
fn from_event(event: &Event) -> FirewallRule {
    let field = |name: &str| event.field(name).unwrap_or_default();
    let set =
        |name: &str| Some(field(name)).filter(|text| !text.is_empty() && *text != "*").map(str::to_owned);
    FirewallRule {
        action: Some(Action::Block),
        active: true,
        direction: Some(crate::artifact::capture::firewall_rules::Direction::Out),
        // 256 stands for any protocol.
        protocol: field("Protocol").parse().ok(),
        remote_ports: Ports::parse_list(field("RemotePorts")),
        remote_addresses: Addresses::parse_list(field("RemoteAddresses")),
        program: set("ApplicationPath"),
        service: set("ServiceName"),
        name: field("RuleName").to_owned(),
        ..FirewallRule::default()
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Show the rule with its origin: Get-NetFirewallRule -PolicyStore ActiveStore -DisplayName \"<name>\" | Format-List DisplayName, PolicyStoreSourceType, Profile, Action",
            "A rule of this machine: Disable-NetFirewallRule -DisplayName \"<name>\". A rule of group policy or MDM: change it there.",
            "Where everything outbound is blocked by default: add allow rules for Office, backgroundTaskHost.exe and the required addresses on ports 80 and 443.",
            "Take the addresses from the Microsoft 365 endpoint service rather than from a list on paper: the article's list mixes names that are retired.",
            "If a product of another vendor filters, open the same addresses there; each product differs, so ask whoever runs it.",
        ],
        "Switching the firewall off is a test and no fix; stopping its service also breaks Store apps and the broker plug-in.",
        "Enable-NetFirewallRule -DisplayName \"<name>\"",
        "Test-NetConnection login.microsoftonline.com -Port 443 shows TcpTestSucceeded : True; then try activation again.",
        &[ARTICLE_NETWORK, "https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges"],
    )
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn rule(text: &str) -> FirewallRule {
        FirewallRule::parse(&format!("v2.30|Action=Block|Active=TRUE|Dir=Out|{text}|")).unwrap()
    }

    /// A package's SID is the SHA-256 of its family name in lower case and UTF-16LE, the first seven words of it; the two values also
    /// stand in the rules of a decoded Windows 10 hive.
    #[test]
    fn sids_of_the_packages_follow_from_their_names() {
        for (_, name, sid) in PACKAGES {
            let family = format!("{name}{PUBLISHER}").to_lowercase();
            let bytes: Vec<u8> = family.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let hash = Sha256::digest(&bytes);
            let words = hash.chunks(4).take(7).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
            let computed = words.fold("S-1-15-2".to_owned(), |sid, word| format!("{sid}-{word}"));
            assert_eq!(computed, *sid);
        }
    }

    #[test]
    fn whom_a_rule_is_about() {
        assert_eq!(
            whom(&rule(r"App=C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE")),
            Whom::Office
        );
        assert_eq!(whom(&rule(r"App=%SystemRoot%\system32\backgroundTaskHost.exe")), Whom::Broker);
        assert_eq!(whom(&rule("Name=@{Microsoft.AAD.BrokerPlugin_1000.19041.1.0_neutral}")), Whom::Broker);
        assert_eq!(whom(&rule("AppPkgId=S-1-15-2-1|Name=x")), Whom::Other);
        assert_eq!(whom(&rule("PFN=Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy|Name=x")), Whom::Broker);
        assert_eq!(
            whom(&rule("PFN=Microsoft.Windows.CloudExperienceHost_cw5n1h2txyewy|Name=x")),
            Whom::Companion
        );
        assert_eq!(whom(&rule("PFN=Microsoft.WindowsCalculator_8wekyb3d8bbwe|Name=x")), Whom::Other);
        assert_eq!(whom(&rule(r"App=C:\Windows\System32\notepad.exe")), Whom::Other);
        assert_eq!(whom(&rule("Protocol=6|RPort=443")), Whom::Everyone);
    }

    #[test]
    fn what_a_rule_weighs() {
        // domain.md R20.
        let status = |text: &str| weight(&rule(text)).map(|(status, _)| status);
        assert_eq!(status("Protocol=6|RPort=443"), Some(Status::Blocker));
        assert_eq!(status("Name=everything"), Some(Status::Blocker));
        assert_eq!(status("Protocol=17|RPort=443"), None);
        assert_eq!(status("Protocol=6|RPort=443|RA4=10.0.0.0/8"), None);
        assert_eq!(status("Protocol=6|RPort=443|RA4=20.190.128.0/18"), Some(Status::Warning));
        assert_eq!(status("Protocol=6|RPort=443|LUOwn=S-1-5-21-1"), Some(Status::Warning));
        assert_eq!(status("Protocol=6|RPort=443|IFType=Wireless"), Some(Status::Warning));
        assert_eq!(status(r"App=C:\x\EXCEL.EXE"), Some(Status::Blocker));
        assert_eq!(status(r"App=C:\x\EXCEL.EXE|Protocol=6|RPort=25"), None);
    }
}
