//! The names of one machine: a dictionary of whole words, without regard to case.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::keep;
use super::kind::{Kind, is_pseudonym};

/// Words of the longest name that is looked for.
const MOST_WORDS: usize = 12;

/// The names of a machine.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Replaced wherever they stand.
    everywhere: HashMap<String, Kind>,
    /// Names that are also words of our reports: replaced only where a name stands.
    guarded: HashMap<String, Kind>,
    /// First word of a name → numbers of words of the names that begin with it.
    starts: HashMap<String, BTreeSet<usize>>,
    /// Groups that every Windows has, in the language of this one: their SIDs told.
    kept: HashSet<String>,
}

/// Lower case.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Start and end of the words of a text.
fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let from = at + rest.find(char::is_alphanumeric)?;
        let rest = text.get(from..)?;
        let to = from + rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        at = to;
        Some((from, to))
    })
}

impl Names {
    /// Whether a name was learned.
    pub fn knows(&self, name: &str) -> bool {
        let name = fold(name);
        self.everywhere.contains_key(&name) || self.guarded.contains_key(&name)
    }

    /// Keeps a name from now on.
    pub fn keep(&mut self, name: &str) {
        self.kept.insert(fold(name.trim()));
    }

    /// Whether a name is to be kept.
    pub fn keeps(&self, name: &str) -> bool {
        !self.kept.is_empty() && self.kept.contains(&fold(name.trim()))
    }

    /// Whether a DNS domain was learned.
    pub fn knows_domain(&self, name: &str) -> bool {
        let name = fold(name);
        [&self.everywhere, &self.guarded].iter().any(|map| map.get(&name) == Some(&Kind::DnsDomain))
    }

    /// Learns the value of a field of a kind.
    pub fn learn(&mut self, kind: Kind, value: &str) {
        for (kind, name) in Self::forms(kind, value) {
            if kind == Kind::DnsDomain {
                self.learn_domain(&name);
            }
            self.add(kind, &name);
        }
    }

    /// A domain is also known by what stands above it, and by its first label: that is what its NetBIOS name usually is.
    fn learn_domain(&mut self, domain: &str) {
        let mut above = domain;
        while let Some((_, rest)) = above.split_once('.') {
            let labels: Vec<&str> = rest.split('.').collect();
            let registry = matches!(labels.as_slice(), [one, two] if one.len() <= 3 && two.len() <= 3);
            if labels.len() < 2 || registry {
                break;
            }
            self.add(Kind::DnsDomain, rest);
            above = rest;
        }
        let first = above.split('.').next().unwrap_or_default();
        if !keep::is_a_word(&fold(first)) && first.len() > 3 {
            self.add(Kind::Domain, first);
        }
    }

    /// Adds a name as it stands.
    pub fn add(&mut self, kind: Kind, name: &str) {
        let trimmed = name.trim_matches(|c: char| !c.is_alphanumeric());
        let key = fold(trimmed);
        let known = keep::is_well_known(&key) || self.kept.contains(&key);
        if key.is_empty() || known || (is_pseudonym(&key) && kind == Kind::DnsDomain) {
            return;
        }
        let spans: Vec<(usize, usize)> = words(&key).collect();
        let Some(first) = spans.first().and_then(|(from, to)| key.get(*from..*to)) else { return };
        if spans.len() > MOST_WORDS {
            return;
        }
        self.starts.entry(first.to_owned()).or_default().insert(spans.len());
        let fixed = matches!(kind, Kind::Tenant | Kind::Device | Kind::Mac | Kind::Address | Kind::LinkLocal)
            // `test.com` is made of words and is none.
            || (kind == Kind::DnsDomain && key.contains('.'));
        let map = if !fixed && keep::is_a_word(&key) { &mut self.guarded } else { &mut self.everywhere };
        map.entry(key).or_insert(kind);
    }

    /// The longest name that stands at a word: its end and kind. `named`: a name stands here, so words count too.
    pub fn at(&self, text: &str, at: usize, named: bool) -> Option<(usize, Kind)> {
        let rest = text.get(at..)?;
        let (_, first) = words(rest).next()?;
        let counts = self.starts.get(&fold(rest.get(..first)?))?;
        let longest = *counts.last()?;
        // No name is longer than this, so no more of the text is looked at.
        let reach = rest.char_indices().nth(256).map_or(rest.len(), |(end, _)| end);
        let near = rest.get(..reach)?;
        let ends: Vec<usize> = words(near).take(longest).map(|(_, to)| to).collect();
        counts.iter().rev().find_map(|count| {
            let end = *ends.get(count.checked_sub(1)?)?;
            let key = fold(near.get(..end)?);
            let guarded = || self.guarded.get(&key).filter(|_| named);
            self.everywhere.get(&key).or_else(guarded).map(|kind| (at + end, *kind))
        })
    }

    /// The names in the value of a field: `DOMAIN\user` holds two, a full computer name holds a host and a domain, a list many.
    pub fn forms(kind: Kind, value: &str) -> Vec<(Kind, String)> {
        let value = value.trim().trim_matches(|c| c == '\0' || c == '"').trim();
        let own = |kind: Kind, name: &str| vec![(kind, name.to_owned())];
        match kind {
            Kind::User => user(value),
            Kind::Computer => computer(value.trim_start_matches('\\')),
            Kind::Domain | Kind::DnsDomain => {
                let list = value.split([',', ' ']).filter(|part| part.contains('.'));
                let domains: Vec<_> = list.filter_map(domain).map(|name| (Kind::DnsDomain, name)).collect();
                if !domains.is_empty() || value.contains('.') {
                    return domains;
                }
                if is_name(value) { own(Kind::Domain, value) } else { Vec::new() }
            }
            Kind::Network if value.contains('.') => {
                domain(value).map(|name| (Kind::DnsDomain, name)).into_iter().collect()
            }
            Kind::Network if is_name(value) => own(kind, value),
            Kind::Tenant | Kind::Device if is_id(value) => own(kind, &fold(value.trim_matches(['{', '}']))),
            Kind::Mac if value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                own(kind, value)
            }
            _ => Vec::new(),
        }
    }
}

fn user(value: &str) -> Vec<(Kind, String)> {
    if value.contains('@') {
        return Vec::new();
    }
    let parts: Vec<&str> = value.split('\\').collect();
    let name = |name: &str| {
        let machine = name.strip_suffix('$').filter(|machine| is_name(machine));
        match machine {
            Some(machine) => Some((Kind::Computer, machine.to_owned())),
            None => is_name(name).then(|| (Kind::User, name.to_owned())),
        }
    };
    match parts.as_slice() {
        [own] => name(own).into_iter().collect(),
        [domain, own] if !domain.is_empty() && !domain.ends_with(':') => {
            let domain = is_name(domain).then(|| (Kind::Domain, (*domain).to_owned()));
            domain.into_iter().chain(name(own)).collect()
        }
        // A profile's path.
        [.., folder, own] if matches!(fold(folder).as_str(), "users" | "documents and settings") => {
            name(own).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn computer(value: &str) -> Vec<(Kind, String)> {
    match value.split_once('.') {
        None if is_name(value) => vec![(Kind::Computer, value.to_owned())],
        Some((host, rest)) if is_name(host) && !keep::is_public_host(value) => {
            let domain = domain(&format!("x.{rest}")).map(|_| (Kind::DnsDomain, rest.to_owned()));
            domain.into_iter().chain([(Kind::Computer, host.to_owned())]).collect()
        }
        _ => Vec::new(),
    }
}

/// A DNS domain that is not public; no address and no version.
fn domain(value: &str) -> Option<String> {
    let value = value.trim().trim_end_matches('.');
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    let last = value.rsplit('.').next()?;
    let good = value.len() <= 255
        && value.split('.').all(label)
        && last.len() > 1
        && last.chars().all(|c| c.is_alphabetic() || c == '-')
        && !keep::is_public_host(value)
        && !is_pseudonym(value);
    good.then(|| value.to_owned())
}

/// Whether a text can be the name of an account, a computer or a network.
pub(super) fn is_name(text: &str) -> bool {
    let odd = |c: char| {
        c.is_control() || matches!(c, '/' | ':' | '"' | '<' | '>' | '|' | '*' | '?' | '=' | ';' | '[' | ']')
    };
    let upper = text.to_ascii_uppercase();
    !text.is_empty()
        && text.chars().count() <= 64
        && text.trim() == text
        && !text.chars().any(odd)
        && text.chars().any(char::is_alphanumeric)
        && !upper.starts_with("S-1-")
        && !upper.starts_with("0X")
        && !is_id(text)
        && text.parse::<std::net::IpAddr>().is_err()
        && !keep::is_well_known(&fold(text))
}

/// A GUID, or a thumbprint; not one that every machine has.
pub(super) fn is_id(text: &str) -> bool {
    let text = text.trim_matches(['{', '}']);
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    let hex = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let shape = groups == [8, 4, 4, 4, 12] || groups == [40] || groups == [64];
    shape && hex && !WELL_KNOWN_IDS.contains(&fold(text).as_str())
}

/// Nobody, everybody, and the tenants of consumers and of Microsoft.
const WELL_KNOWN_IDS: &[&str] = &[
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "9188040d-6c67-4c5b-b112-36a304b66dad",
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];
