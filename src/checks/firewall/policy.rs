//! What the Windows firewall of this machine is told: profiles and rules, from group policy, from MDM and from the machine itself.
//!
//! Only the main rule set, that of MDM and that of policy count. `RestrictedServices\…` holds the isolation of apps and services, with
//! rules that block BrokerPlugin and CloudExperienceHost on every clean Windows 10 (trap 3).

use crate::artifact::ArtifactId;
use crate::artifact::capture::connection_profile::Category;
use crate::artifact::capture::firewall_profiles::{Outbound, ProfileName};
use crate::artifact::capture::{CaptureData, CaptureKind, firewall_rules};
use crate::artifact::firewall_rule::{Addresses, FirewallRule, Ports, TCP};
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::collect;
use crate::checks::judgement::{Judgement, Observation};
use crate::evidence::{Lookup, Source, Sourced, Unknown, captures};

/// Settings and rules of the machine and of MDM.
const LOCAL: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy";
/// Settings and rules of group policy.
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall";

/// All profiles, with their keys in policy (the last one is the name of older systems, R20) and on the machine.
const PROFILES: [(ProfileName, &[&str], &str); 3] = [
    (ProfileName::Domain, &["DomainProfile"], "DomainProfile"),
    (ProfileName::Private, &["PrivateProfile", "StandardProfile"], "StandardProfile"),
    (ProfileName::Public, &["PublicProfile"], "PublicProfile"),
];

/// The name of a profile in sentences.
pub fn profile_word(name: ProfileName) -> &'static str {
    match name {
        ProfileName::Domain => "domain",
        ProfileName::Private => "private",
        ProfileName::Public => "public",
    }
}

/// One profile.
pub struct Profile {
    /// Which one.
    pub name: ProfileName,
    /// The firewall is off there.
    pub off: Option<Observation>,
    /// What no rule names is blocked on its way out.
    pub blocks: Option<Observation>,
    /// Rules of the machine count beside those of policy.
    pub local_rules: bool,
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Group policy or MDM.
    Policy,
    /// The machine.
    Local,
    /// An output of netsh, which does not tell packages and users.
    Output,
}

/// One rule of a set that counts.
pub struct Rule {
    /// What it says.
    pub rule: FirewallRule,
    /// Its id, which the log names too; empty in outputs.
    pub id: String,
    /// Where it stands.
    pub origin: Origin,
    /// Its place.
    pub source: Source,
}

/// The firewall of the machine.
pub struct Firewall {
    /// Domain, private, public.
    pub profiles: Vec<Profile>,
    /// Profiles of the connected networks; `None` when that is not known.
    pub in_use: Option<Vec<ProfileName>>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The main set of the registry could be read.
    pub has_registry: bool,
}

/// Where a rule holds among the profiles that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In all of them.
    All,
    /// In some of them.
    Some,
    /// In none: the profile is not in use, the firewall is off there, or rules of the machine do not count.
    Nowhere,
}

impl Firewall {
    /// Reads everything and notes what is missing.
    pub fn read(case: &Case<'_>, j: &Judgement) -> Self {
        let profiles = PROFILES.iter().map(|row| profile(case, j, row)).collect();
        let mut firewall = Self { profiles, in_use: in_use(case), rules: Vec::new(), has_registry: false };
        firewall.main_set(case, j);
        for (place, what) in [
            (format!(r"{POLICY}\FirewallRules"), "group policy"),
            (format!(r"{LOCAL}\Mdm\FirewallRules"), "MDM"),
        ] {
            match case.evidence.registry.values(&place) {
                Lookup::Found(list) => firewall.take(j, Origin::Policy, what, &list),
                Lookup::Absent(source) if what == "group policy" => {
                    j.good(source.shows("no rules of group policy"))
                }
                Lookup::Absent(_) => {}
                Lookup::Unknown(unknown) => j.missing(&unknown, collect::for_key(&place)),
            }
        }
        firewall.outputs(case);
        firewall
    }

    fn main_set(&mut self, case: &Case<'_>, j: &Judgement) {
        match case.evidence.registry.values(&format!(r"{LOCAL}\FirewallRules")) {
            Lookup::Found(list) => {
                self.has_registry = true;
                j.good(list.shows(format!("{} rules", list.value.len())));
                self.take(j, Origin::Local, "this machine", &list);
            }
            Lookup::Absent(source) => {
                let reason = Some(format!("{} is not in it: it is not a whole hive", source.locator));
                j.missing(&Unknown { what: "SYSTEM hive".to_owned(), reason }, collect::SYSTEM);
            }
            Lookup::Unknown(unknown) => j.missing(&unknown, collect::SYSTEM),
        }
    }

    fn take(
        &mut self,
        j: &Judgement,
        origin: Origin,
        what: &str,
        list: &Sourced<crate::evidence::registry::Listing<RegValue>>,
    ) {
        if let Some(reason) = list.value.unread.first() {
            let what = format!("firewall rules of {what}");
            j.missing(&Unknown { what, reason: Some(reason.clone()) }, collect::for_key(LOCAL));
        }
        let mut refused = 0_usize;
        for value in list.value.iter() {
            match value.as_text().map(|text| FirewallRule::parse(&text)) {
                Some(Ok(rule)) => {
                    let locator = format!("{}!{}", list.source.locator, value.name);
                    let source = Source { locator, ..list.source.clone() };
                    self.rules.push(Rule { rule, id: value.name.clone(), origin, source });
                }
                Some(Err(_)) | None => refused += 1,
            }
        }
        if refused > 0 {
            j.note(format!("{refused} firewall rule(s) of {what} are not in the form that Windows reads; they were left out."));
        }
    }

    fn outputs(&mut self, case: &Case<'_>) {
        for capture in case.evidence.captures.each(CaptureKind::FirewallRules) {
            let CaptureData::FirewallRules(data) = &capture.value.data else { continue };
            for shown in &data.rules {
                let source = captures::line(capture.source.artifact, shown.line);
                if let Some(rule) = from_output(shown) {
                    self.rules.push(Rule { rule, id: String::new(), origin: Origin::Output, source });
                }
            }
        }
    }

    /// The profiles that matter: those of the connected networks, or all when these are not known.
    pub fn profiles_that_matter(&self) -> Vec<&Profile> {
        let matters =
            |profile: &&Profile| self.in_use.as_ref().is_none_or(|list| list.contains(&profile.name));
        self.profiles.iter().filter(matters).collect()
    }

    /// Whether a rule holds in a profile.
    pub fn holds_in(rule: &Rule, profile: &Profile) -> bool {
        rule.rule.applies_in(profile.name)
            && profile.off.is_none()
            && (rule.origin == Origin::Policy || profile.local_rules)
    }

    /// Where a rule holds.
    pub fn reach(&self, rule: &Rule) -> Reach {
        let all = self.profiles_that_matter();
        match all.iter().filter(|profile| Self::holds_in(rule, profile)).count() {
            0 => Reach::Nowhere,
            n if n == all.len() => Reach::All,
            _ => Reach::Some,
        }
    }
}

/// A profile: what policy sets beats what the machine sets (R20); outputs of netsh stand in where there is no registry.
fn profile(
    case: &Case<'_>,
    j: &Judgement,
    (name, in_policy, on_machine): &(ProfileName, &[&str], &str),
) -> Profile {
    let number = |name: &str| {
        let policy = in_policy.iter().map(|key| case.value(&format!(r"{POLICY}\{key}"), name));
        let mut set = policy.filter(|answer| answer.found().is_some());
        let answer = set.next().unwrap_or_else(|| case.value(&format!(r"{LOCAL}\{on_machine}"), name));
        answer.numeric(name)
    };
    let is = |answer: &Lookup<RegValue>, wanted: u32| {
        answer.found().filter(|value| value.value.as_u32() == Some(wanted)).map(value_seen)
    };
    let enabled = number("EnableFirewall");
    let outbound = number("DefaultOutboundAction");
    let merge = in_policy.iter().map(|key| case.value(&format!(r"{POLICY}\{key}"), "AllowLocalPolicyMerge"));
    let mut profile = Profile {
        name: *name,
        off: is(&enabled, 0),
        blocks: is(&outbound, 1).map(|seen| seen.expected("0 (allow)")),
        local_rules: !merge.into_iter().any(|answer| is(&answer, 0).is_some()),
    };
    let told = (enabled.is_unknown() || outbound.is_unknown())
        && from_profiles_output(case, &mut profile, enabled.is_unknown(), outbound.is_unknown());
    // Whether everything outbound is blocked must be known: without it no rule speaks for the machine.
    if let (Lookup::Unknown(unknown), false) = (&outbound, told) {
        j.missing(unknown, collect::for_key(LOCAL));
    }
    profile
}

/// True when an output tells what the profile does with outbound connections.
fn from_profiles_output(case: &Case<'_>, profile: &mut Profile, state: bool, action: bool) -> bool {
    let mut told = false;
    // A file can hold one profile after the other: each output counts for what it tells.
    for capture in case.evidence.captures.each(CaptureKind::FirewallProfiles) {
        let CaptureData::FirewallProfiles(data) = &capture.value.data else { continue };
        for shown in data.profiles.iter().filter(|shown| shown.name == Some(profile.name)) {
            let at = |line: Option<u32>| captures::line(capture.source.artifact, line.unwrap_or(shown.line));
            if let (true, Some(on)) = (state, shown.enabled) {
                let off = (!on).then(|| at(shown.enabled_line).shows("off"));
                keep_newest(&mut profile.off, off, capture.source.artifact);
            }
            told |= shown.outbound.is_some();
            if let (true, Some(outbound)) = (action, shown.outbound) {
                let blocks = (outbound == Outbound::Block)
                    .then(|| at(shown.policy_line).shows("BlockOutbound").expected("AllowOutbound"));
                keep_newest(&mut profile.blocks, blocks, capture.source.artifact);
            }
        }
    }
    told
}

/// A later output in the same file is the newer one and takes back what an earlier one said; which of two files is newer is not known,
/// so what one of them says stands.
fn keep_newest(slot: &mut Option<Observation>, bad: Option<Observation>, artifact: ArtifactId) {
    let is_older = slot.as_ref().is_none_or(|old| old.artifact == artifact);
    if bad.is_some() || is_older {
        *slot = bad;
    }
}

/// The profiles of the connected networks, from the category of every one.
fn in_use(case: &Case<'_>) -> Option<Vec<ProfileName>> {
    let mut found = Vec::new();
    for capture in case.captures(CaptureKind::ConnectionProfile) {
        let CaptureData::ConnectionProfile(data) = &capture.value.data else { continue };
        for network in &data.profiles {
            found.push(match network.network_category? {
                Category::Public => ProfileName::Public,
                Category::Private => ProfileName::Private,
                Category::DomainAuthenticated => ProfileName::Domain,
            });
        }
    }
    (!found.is_empty()).then_some(found)
}

/// A rule of `netsh advfirewall firewall show rule`. `None` for one whose state, profiles or action the output does not tell, and for
/// rules of packages (`@{…}`), which isolate apps.
fn from_output(shown: &firewall_rules::Rule) -> Option<FirewallRule> {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.eq_ignore_ascii_case("any"));
    if shown.name.starts_with("@{") {
        return None;
    }
    // Without `verbose` the program is not told: the rule may be for one only. With it, rules of packages have no such line either.
    let narrowed_by = match shown.program {
        Some(_) => Vec::new(),
        None => vec!["a program or package, which the output does not tell".to_owned()],
    };
    Some(FirewallRule {
        action: match shown.action? {
            firewall_rules::Action::Bypass => None,
            action => Some(action),
        },
        active: shown.enabled?,
        direction: shown.direction,
        profiles: shown.profiles.clone()?,
        protocol: match shown.protocol.as_deref()?.to_ascii_uppercase().as_str() {
            "ANY" => None,
            "TCP" => Some(TCP),
            "UDP" => Some(17),
            other => Some(other.parse().unwrap_or(u8::MAX)),
        },
        remote_ports: Ports::parse_list(shown.remote_port.as_deref().unwrap_or_default()),
        remote_addresses: Addresses::parse_list(shown.remote_ip.as_deref().unwrap_or_default()),
        program: set(&shown.program),
        service: set(&shown.service),
        name: shown.name.clone(),
        context: set(&shown.grouping),
        narrowed_by,
        ..FirewallRule::default()
    })
}
