//! Facts: what is known of a machine under stable dotted names, each *found*, *absent* or *unknown*, with its source.
//!
//! Checks ask their questions in Rust; everything else that wants to speak of a machine by name uses facts: `actriage facts`, rules that
//! people write, and `compare`. The names are part of the program's outside: they only ever become more. [`FAMILIES`] lists them, and a
//! fact that no family describes cannot be made.

pub mod answers;
pub mod licence;
pub mod machine;
pub mod network;
pub mod routes;
pub mod settings;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::artifact::ArtifactId;
use crate::artifact::capture::{CaptureKind, CaptureStatus, READERS};
use crate::artifact::value::RegValue;
use crate::checks::CHECKS;
use crate::checks::case::Case;
use crate::checks::judgement::Status;
use crate::checks::services::Service;
use crate::evidence::events::Coverage;
use crate::evidence::{Evidence, Lookup, Source, Sourced, Unknown};
use answers::{at, seen, unknown};
use machine::{Machine, basis_words};

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list of texts, in the order of the source.
    List(Vec<String>),
}

impl Value {
    /// A registry value: numbers stay numbers, lists stay lists, everything else becomes text.
    pub fn of_registry(value: &RegValue) -> Self {
        match (value.as_u64().and_then(|number| i64::try_from(number).ok()), value.as_list()) {
            (Some(number), _) => Self::Number(number),
            (None, Some(list)) => Self::List(list),
            (None, None) => Self::Text(value.as_text().unwrap_or_else(|| value.display())),
        }
    }

    /// For people.
    pub fn words(&self) -> String {
        match self {
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(list) if list.is_empty() => "none".to_owned(),
            Self::List(list) => list.join(", "),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Number(i64::from(number))
            }
        })+
    };
}
numbers!(u32, i32);

/// What a difference of a fact between two machines means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How the machine is set up or what it can do.
    State,
    /// Names, ids and times: they differ between any two machines.
    Identity,
}

/// A family of facts.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The name; `<…>` stands for a part that depends on the machine.
    pub pattern: &'static str,
    /// What the facts say.
    pub about: &'static str,
    /// What their differences mean.
    pub kind: Kind,
}

const fn state(pattern: &'static str, about: &'static str) -> Family {
    Family { pattern, about, kind: Kind::State }
}

const fn identity(pattern: &'static str, about: &'static str) -> Family {
    Family { pattern, about, kind: Kind::Identity }
}

/// Every name that a fact can have.
pub const FAMILIES: &[Family] = &[
    state("adapter.<name>.dhcp", "addresses are given by DHCP"),
    identity("adapter.<name>.dns", "DNS servers"),
    state("adapter.<name>.connected", "the medium is connected"),
    identity("adapter.<name>.gateways", "default gateways"),
    state("check.<id>", "status of a check; unknown when it could not be judged"),
    identity("collection.basis", "how the collection time is known"),
    identity("collection.time", "when the collection was made, UTC"),
    identity("collection.tool", "what made the collection, or its layout"),
    state("coverage.capture.<kind>", "how well an output of this command could be read"),
    state("coverage.hive.<kind>", "how well a hive of this kind could be read"),
    state("coverage.log.<channel>", "whether a log covers the failure window: whole or short"),
    state("dns.<host>", "outcome of looking a host up"),
    state("join.domain", "joined to a domain"),
    state("join.enterprise", "joined to an on-premises registration service"),
    state("join.entra", "joined to the cloud directory"),
    state("join.state", "the join state in a word"),
    state("join.workplace", "a work account is registered"),
    identity("machine.computer", "computer name"),
    state("machine.time-zone", "time zone, as Windows calls it"),
    state("machine.utc-offset", "minutes that local time is ahead of UTC"),
    state("network.categories", "categories of the connected networks"),
    state("network.ipv4", "best IPv4 connectivity of a connected network"),
    state("network.ipv6", "best IPv6 connectivity of a connected network"),
    state("office.channel", "update channel"),
    state("office.licence-mode", "how Office is licensed"),
    state("office.platform", "x86 or x64"),
    state("office.products", "installed products"),
    state("office.version", "version of Office"),
    state("os.architecture", "x86, x64 or arm64"),
    state("os.build", "build of Windows"),
    state("os.edition", "client or server"),
    state("os.product", "product, by its build"),
    state("os.ubr", "update build revision"),
    state("proxy.environment", "environment variables that name a proxy"),
    state("proxy.scope", "for whom the proxy of programs is kept"),
    state("proxy.winhttp", "the way of services to the internet"),
    state("proxy.wininet", "the way of the user's programs to the internet"),
    state("service.<key>.start", "start type: 0 boot, 1 system, 2 automatic, 3 manual, 4 disabled"),
    state("service.<key>.state", "state: 1 stopped, 2 starting, 3 stopping, 4 running, 7 paused"),
    state("setting.<name>", "a registry value that has a name"),
    state("tcp.<host>.<port>", "a connection to the host was made"),
    identity("user.affected", "SID of the affected user"),
    identity("user.name", "name of the affected user's profile"),
];

/// The family that a name belongs to.
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| belongs(family.pattern, name))
}

/// A pattern has at most two open parts, and what stands between them and around them is fixed.
fn belongs(pattern: &str, name: &str) -> bool {
    let mut rest = name;
    let mut open = false;
    for part in pattern.split('<') {
        let fixed = match part.split_once('>') {
            Some((_, fixed)) => {
                open = true;
                fixed
            }
            None => part,
        };
        let found = if !open {
            rest.strip_prefix(fixed)
        } else if fixed.is_empty() {
            return !rest.is_empty();
        } else {
            // The last place where it fits: names of hosts and adapters may hold anything.
            rest.rfind(fixed).filter(|at| *at > 0).and_then(|at| rest.get(at + fixed.len()..))
        };
        match found {
            Some(next) => rest = next,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The answer to one question about the machine.
pub type Answer = Lookup<Value>;

/// All facts of a machine, by name.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    facts: BTreeMap<String, Answer>,
}

impl Facts {
    /// Gathers them. Runs every check, because their status is a fact too.
    pub fn of(case: &Case<'_>) -> Self {
        let mut facts = Self::default();
        facts.machine(case, &Machine::read(case));
        facts.services(case);
        facts.settings(case);
        facts.network(case);
        facts.coverage(case.evidence);
        facts.checks(case);
        facts
    }

    /// A fact.
    pub fn get(&self, name: &str) -> Option<&Answer> {
        self.facts.get(name)
    }

    /// All facts in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.facts.iter().map(|(name, answer)| (name.as_str(), answer))
    }

    fn put<T: Into<Value>>(&mut self, name: impl Into<String>, answer: Lookup<T>) {
        let name = name.into();
        // A host or adapter without a name makes no fact.
        if family(&name).is_some() {
            self.facts.insert(name, answer.map(Into::into));
        }
    }

    fn machine(&mut self, case: &Case<'_>, machine: &Machine) {
        let name = |mode: Lookup<licence::Mode>| mode.map(licence::Mode::name);
        self.put("machine.computer", machine.computer.clone());
        self.put("machine.time-zone", machine.time_zone.clone());
        self.put("machine.utc-offset", machine.utc_offset.clone());
        self.put("os.product", machine.windows.product.clone());
        self.put("os.build", machine.windows.build.clone());
        self.put("os.ubr", machine.windows.ubr.clone());
        self.put("os.edition", machine.windows.edition.clone());
        self.put("os.architecture", machine.windows.architecture.clone());
        self.put("office.version", machine.office.version.clone());
        self.put("office.platform", machine.office.platform.clone());
        self.put("office.channel", machine.office.channel.clone());
        self.put("office.products", machine.office.products.clone());
        self.put("office.licence-mode", name(machine.office.licence.clone()));
        self.put("join.entra", machine.join.entra.clone());
        self.put("join.domain", machine.join.domain.clone());
        self.put("join.enterprise", machine.join.enterprise.clone());
        self.put("join.workplace", machine.join.workplace.clone());
        self.put("join.state", machine.join.state().map(machine::JoinState::name));
        self.put("proxy.winhttp", machine.routes.winhttp.clone());
        self.put("proxy.wininet", machine.routes.wininet.clone());
        self.put("proxy.scope", machine.routes.scope.clone());
        self.put("proxy.environment", machine.routes.environment.clone());
        let user = &machine.affected;
        self.put(
            "user.affected",
            answers::read(user.clone(), "SID of the user", |user| user.sid.as_ref().map(|sid| sid.0.clone())),
        );
        self.put("user.name", answers::read(user.clone(), "name of the user", |user| user.name.clone()));
        let (time, basis) = match case.window() {
            Some(window) => {
                let source = case.evidence.manifest_source();
                (at(source.clone(), window.to.to_string()), at(source, basis_words(window.basis)))
            }
            None => (unknown("anything with a time"), unknown("anything with a time")),
        };
        self.put("collection.time", time);
        self.put("collection.basis", basis);
        self.put("collection.tool", at(case.evidence.manifest_source(), machine.tool));
    }

    fn services(&mut self, case: &Case<'_>) {
        for key in settings::SERVICES {
            let service = Service::read(case, key);
            let state = match (service.state, service.not_installed) {
                (Some(state), _) => Lookup::Found(state),
                (None, Some(missing)) => Lookup::Absent(missing.source),
                (None, None) => unknown("state of the service (sc query or Get-Service)"),
            };
            let key = key.to_ascii_lowercase();
            self.put(format!("service.{key}.start"), service.start);
            self.put(format!("service.{key}.state"), state);
        }
    }

    fn settings(&mut self, case: &Case<'_>) {
        for setting in settings::SETTINGS {
            let answer = registry_value(case, setting.key, setting.value);
            self.put(format!("setting.{}", setting.name), answers::value(answer));
        }
    }

    fn network(&mut self, case: &Case<'_>) {
        let networks = network::networks(case);
        let list = |read: &dyn Fn(&network::Network) -> Option<String>| {
            networks.clone().map(|list| list.iter().filter_map(read).collect::<Vec<_>>())
        };
        self.put("network.categories", list(&|network| network.category.clone()));
        // The order of Windows' own enumeration.
        let best = |words: Vec<String>| {
            let order = ["Disconnected", "NoTraffic", "Subnet", "LocalNetwork", "Internet"];
            let rank = |word: &String| order.iter().position(|known| known == word);
            words.into_iter().max_by_key(|word| rank(word)).unwrap_or_else(|| "Disconnected".to_owned())
        };
        self.put("network.ipv4", list(&|network| network.ipv4.clone()).map(best));
        self.put("network.ipv6", list(&|network| network.ipv6.clone()).map(best));
        for Sourced { value: adapter, source } in network::adapters(case) {
            let name = |what: &str| format!("adapter.{}.{what}", adapter.name);
            self.put(name("connected"), at(source.clone(), !adapter.disconnected));
            if let Some(dhcp) = adapter.dhcp {
                self.put(name("dhcp"), at(source.clone(), dhcp));
            }
            self.put(name("dns"), at(source.clone(), adapter.dns.clone()));
            self.put(name("gateways"), at(source, adapter.gateways.clone()));
        }
        for Sourced { value: (host, port, answered), source } in network::reached(case) {
            self.put(format!("tcp.{host}.{port}"), at(source, answered));
        }
        for Sourced { value: (host, outcome), source } in network::resolved(case) {
            self.put(format!("dns.{host}"), at(source, outcome));
        }
    }

    fn coverage(&mut self, evidence: &Evidence) {
        for kind in READERS.iter().map(|reader| reader.kind) {
            let name = format!("coverage.capture.{}", kind.name());
            self.put(name, capture_coverage(evidence, kind));
        }
        for kind in ["system", "software", "user"] {
            let wanted = format!("hive:{kind}");
            let best = evidence.artifacts.iter().enumerate().filter(|(_, file)| file.kind == wanted);
            let answer = match best.min_by_key(|(_, file)| file.status as u8) {
                Some((index, file)) => at(whole(index), status_word(file.status)),
                None => unknown(&format!("{kind} hive")),
            };
            self.put(format!("coverage.hive.{kind}"), answer);
        }
        let mut channels: Vec<&str> = evidence.events.logs().iter().map(|log| log.channel.as_str()).collect();
        channels.extend(CHECKS.iter().flat_map(|check| check.wants).flat_map(|want| want.channels));
        channels.retain(|channel| !channel.is_empty());
        channels.sort_unstable_by_key(|channel| channel.to_ascii_lowercase());
        channels.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        for channel in channels {
            let answer = match evidence.window.map(|window| evidence.events.coverage(&[channel], window)) {
                Some(Coverage::Whole(source)) => at(source, "whole"),
                Some(Coverage::Short(source, _)) => at(source, "short"),
                Some(Coverage::None) | None => unknown(&format!("event log {channel}")),
            };
            self.put(format!("coverage.log.{channel}"), answer);
        }
    }

    fn checks(&mut self, case: &Case<'_>) {
        for check in CHECKS.iter() {
            let Some(outcome) = case.outcome(check.id) else { continue };
            let answer = match (outcome.status, outcome.evidence.first()) {
                (Status::NotCollected, _) | (_, None) => Lookup::Unknown(Unknown {
                    what: format!("an answer of the check {}", check.id),
                    reason: Some(outcome.summary.clone()),
                }),
                (status, Some(first)) => seen(status.name(), first.clone()),
            };
            self.put(format!("check.{}", check.id), answer);
        }
    }

    /// As JSON: for each name its answer, value and source. `value` is null unless the fact was found.
    pub fn to_json(&self, evidence: &Evidence) -> serde_json::Value {
        let path = |source: &Source| evidence.artifacts.get(source.artifact.0).map(|file| file.path.clone());
        let place =
            |source: &Source| serde_json::json!({"artifact": path(source), "locator": source.locator});
        let row = |answer: &Answer| match answer {
            Lookup::Found(found) => serde_json::json!({
                "answer": "found", "value": found.value, "source": place(&found.source),
            }),
            Lookup::Absent(source) => serde_json::json!({
                "answer": "absent", "value": null, "source": place(source),
            }),
            Lookup::Unknown(unknown) => serde_json::json!({
                "answer": "unknown", "value": null, "source": null,
                "missing": unknown.what, "reason": unknown.special_reason(),
            }),
        };
        self.facts.iter().map(|(name, answer)| (name.clone(), row(answer))).collect()
    }
}

/// A registry value; `HKCU` is the affected user.
pub fn registry_value(case: &Case<'_>, key: &str, name: &str) -> Lookup<RegValue> {
    match user_key(case, key) {
        Ok(key) => case.value(&key, name),
        Err(unknown) => Lookup::Unknown(unknown),
    }
}

/// A key with `HKCU` turned into the affected user's place.
pub fn user_key(case: &Case<'_>, key: &str) -> Result<String, Unknown> {
    let roots = ["HKCU\\", "HKEY_CURRENT_USER\\"];
    let below = roots.iter().find_map(|root| {
        let head = key.get(..root.len())?;
        head.eq_ignore_ascii_case(root).then(|| key.get(root.len()..).unwrap_or_default())
    });
    let Some(below) = below else { return Ok(key.to_owned()) };
    match case.evidence.users.affected() {
        Lookup::Found(user) => Ok(user.value.path(below)),
        Lookup::Unknown(unknown) => Err(unknown),
        Lookup::Absent(source) => {
            Err(Unknown { what: "NTUSER.DAT of the affected user".to_owned(), reason: Some(source.locator) })
        }
    }
}

fn whole(index: usize) -> Source {
    let locator = "the file".to_owned();
    Source { artifact: ArtifactId(index), locator, time: None, doubts: Vec::new() }
}

fn status_word(status: crate::artifact::identify::ReadStatus) -> &'static str {
    use crate::artifact::identify::ReadStatus::{Ignored, Partial, Read, Unreadable};
    match status {
        Read => "read",
        Partial => "partial",
        Unreadable => "unreadable",
        Ignored => "ignored",
    }
}

fn capture_coverage(evidence: &Evidence, kind: CaptureKind) -> Lookup<&'static str> {
    let best = evidence.captures.all(kind).min_by_key(|capture| capture.value.status as u8);
    match best {
        Some(capture) => at(
            capture.source,
            match capture.value.status {
                CaptureStatus::Parsed => "parsed",
                CaptureStatus::Partial => "partial",
                CaptureStatus::ErrorOutput => "error-output",
                CaptureStatus::Empty => "empty",
                CaptureStatus::Unrecognized => "unrecognized",
            },
        ),
        None => unknown(&format!("output of {}", kind.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_belong_to_their_families() {
        let of = |name: &str| family(name).map(|family| family.pattern);
        assert_eq!(of("os.build"), Some("os.build"));
        assert_eq!(of("os.builds"), None);
        assert_eq!(of("service.nlasvc.start"), Some("service.<key>.start"));
        assert_eq!(of("service.nlasvc"), None);
        assert_eq!(of("tcp.login.microsoftonline.com.443"), Some("tcp.<host>.<port>"));
        assert_eq!(of("adapter.Wi-Fi 2.5.dhcp"), Some("adapter.<name>.dhcp"));
        assert_eq!((of("dns."), of("tcp..443"), of("adapter..dhcp")), (None, None, None));
        assert_eq!(of("coverage.log.Microsoft-Windows-AAD/Operational"), Some("coverage.log.<channel>"));
    }

    #[test]
    fn families_are_in_order_and_described() {
        for family in FAMILIES {
            assert!(!family.about.is_empty(), "{}", family.pattern);
        }
        for setting in settings::SETTINGS {
            assert!(family(&format!("setting.{}", setting.name)).is_some());
        }
    }

    #[test]
    fn registry_values_keep_their_type() {
        use crate::artifact::value::ValueType;
        assert_eq!(Value::of_registry(&RegValue::dword("x", 4)), Value::Number(4));
        assert_eq!(Value::of_registry(&RegValue::string("x", ValueType::SZ, "4")), Value::Text("4".into()));
        let list = RegValue::string("x", ValueType::MULTI_SZ, "a\0b\0");
        assert_eq!(Value::of_registry(&list), Value::List(vec!["a".into(), "b".into()]));
    }
}
