//! The services below the ones that count: `DependOnService` followed to the last driver, each service once.

use std::collections::{HashMap, VecDeque};

use super::{dependencies, key_path};
use crate::artifact::capture::service::ServiceState;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::checks::judgement::{Observation, Status};
use crate::evidence::{Lookup, Sourced, Unknown, captures};

/// Where the walk begins.
pub struct Root {
    /// Key name.
    pub key: &'static str,
    /// A broken service below it stops activation.
    pub critical: bool,
    /// What its own start type "disabled" is here; `None` where another check says it.
    pub disabled: Option<Status>,
}

const fn root(key: &'static str, critical: bool, disabled: Option<Status>) -> Root {
    Root { key, critical, disabled }
}

/// The critical ones first: the first visit decides how grave a fault below is.
const ROOTS: &[Root] = &[
    root("netprofm", true, None),
    root("NlaSvc", true, None),
    root("CryptSvc", true, Some(Status::Blocker)),
    root("TokenBroker", true, Some(Status::Blocker)),
    root("NcdAutoSetup", false, None),
    root("WinHttpAutoProxySvc", false, None),
    root("sppsvc", false, None),
    root(CLICK_TO_RUN, false, Some(Status::Warning)),
];
/// Not a part of Windows: its program is in Program Files.
pub const CLICK_TO_RUN: &str = "ClickToRunSvc";
/// No chain of Windows comes near this; a damaged hive may.
const MOST_MEMBERS: usize = 400;

/// Default start types, for the remedy (domain.md 5.8).
pub const DEFAULT_STARTS: &[(&str, &str)] = &[
    ("NlaSvc", "auto"),
    ("EventLog", "auto"),
    ("nsi", "auto"),
    ("Dhcp", "auto"),
    ("Dnscache", "auto"),
    ("RpcSs", "auto"),
    ("RpcEptMapper", "auto"),
    ("DcomLaunch", "auto"),
    ("CryptSvc", "auto"),
    ("ClickToRunSvc", "auto"),
    ("Tcpip", "boot"),
    ("nsiproxy", "system"),
    ("Afd", "system"),
    ("netprofm", "demand"),
    ("TokenBroker", "demand"),
    ("UserManager", "auto"),
    ("WinHttpAutoProxySvc", "demand"),
];

/// A service or driver of the chains.
pub struct Member {
    /// Key name.
    pub key: String,
    /// Whether it stands in a chain whose fault stops activation.
    pub critical: bool,
    /// Where the walk begins with it.
    pub root: Option<&'static Root>,
    /// The services that name it, critical ones first: where that stands, and whether a fault of it stops activation.
    pub named_by: Option<Parent>,
    /// Whether the machine has it.
    pub presence: Presence,
}

/// A service that names another one.
pub struct Parent {
    /// Key name.
    pub key: String,
    /// Whether a fault below it stops activation.
    pub critical: bool,
    /// Its list of dependencies.
    pub seen: Observation,
}

/// Whether the machine has a service.
pub enum Presence {
    /// It has.
    There,
    /// It has not, and this shows it.
    NotThere(Observation),
    /// Nobody can say.
    Unknown(Unknown),
}

/// The chains, each service once.
#[derive(Default)]
pub struct Chains {
    /// In the order of the walk.
    pub members: Vec<Member>,
    /// Position in `members` by key in lower case.
    index: HashMap<String, usize>,
    /// What could not be followed.
    pub unknown: Vec<Unknown>,
}

impl Chains {
    /// Follows every root to its end.
    pub fn walk(case: &Case<'_>) -> Self {
        let mut chains = Self::default();
        let mut open = VecDeque::new();
        for root in ROOTS {
            let at = chains.member(case, root.key, root.critical, &mut open);
            if let Some(member) = at.and_then(|at| chains.members.get_mut(at)) {
                member.root = Some(root);
            }
            // Each root's chain is followed to its end, so that the first visit is the gravest.
            while let Some(at) = open.pop_front() {
                chains.follow(case, at, &mut open);
            }
        }
        chains
    }

    fn member(
        &mut self,
        case: &Case<'_>,
        key: &str,
        critical: bool,
        open: &mut VecDeque<usize>,
    ) -> Option<usize> {
        let folded = key.to_lowercase();
        if let Some(at) = self.index.get(&folded) {
            return Some(*at);
        }
        let at = self.members.len();
        if at == MOST_MEMBERS {
            return None;
        }
        let key = known_spelling(key);
        let presence = presence(case, key);
        self.members.push(Member { key: key.to_owned(), critical, root: None, named_by: None, presence });
        self.index.insert(folded, at);
        open.push_back(at);
        Some(at)
    }

    fn follow(&mut self, case: &Case<'_>, at: usize, open: &mut VecDeque<usize>) {
        let Some(member) = self.members.get(at).filter(|member| matches!(member.presence, Presence::There))
        else {
            return;
        };
        let (key, critical) = (member.key.clone(), member.critical);
        let needs = match needs(case, &key) {
            Lookup::Found(list) => list,
            Lookup::Absent(_) => return,
            Lookup::Unknown(unknown) => {
                self.unknown.push(unknown);
                return;
            }
        };
        // Entries that begin with + are groups of drivers.
        for name in needs.value.iter().filter(|name| !name.starts_with('+')) {
            let Some(below) = self.member(case, name, critical, open) else { continue };
            let seen = needs.shows(needs.value.join(", "));
            let parent = Parent { key: key.clone(), critical, seen };
            if let Some(member) = self.members.get_mut(below)
                && member.named_by.as_ref().is_none_or(|known| !known.critical && critical)
            {
                member.named_by = Some(parent);
            }
        }
    }

    /// A service of the chains by its key.
    pub fn find(&self, key: &str) -> Option<&Member> {
        self.index.get(&key.to_lowercase()).and_then(|at| self.members.get(*at))
    }
}

/// The name of a service as it is usually written: lists of dependencies use any case.
fn known_spelling(key: &str) -> &str {
    let roots = ROOTS.iter().map(|root| root.key);
    let mut known = roots.chain(DEFAULT_STARTS.iter().map(|(key, _)| *key));
    known.find(|name| name.eq_ignore_ascii_case(key)).unwrap_or(key)
}

/// What command outputs say of a service.
pub fn captured<'e>(case: &Case<'e>, key: &str) -> Option<Sourced<&'e ServiceState>> {
    let mut found = None;
    for capture in case.evidence.captures.each(CaptureKind::Service) {
        let CaptureData::Service(data) = &capture.value.data else { continue };
        for item in data.services.iter().filter(|item| item.key.eq_ignore_ascii_case(key)) {
            found = Some(Sourced { value: item, source: captures::line(capture.source.artifact, item.line) });
        }
    }
    found
}

/// Whether the machine has a service. A list of active services proves no absence (R27); the error 1060 does.
fn presence(case: &Case<'_>, key: &str) -> Presence {
    match case.evidence.registry.key(&key_path(key)) {
        Lookup::Found(_) => Presence::There,
        Lookup::Absent(source) => Presence::NotThere(source.shows("the key does not exist")),
        Lookup::Unknown(unknown) => match captured(case, key) {
            Some(item) if item.value.missing => {
                Presence::NotThere(item.shows("the service does not exist (1060)"))
            }
            Some(item) if item.value.state.is_some() || item.value.start.is_some() => Presence::There,
            _ => Presence::Unknown(unknown),
        },
    }
}

/// What a service depends on.
fn needs(case: &Case<'_>, key: &str) -> Lookup<Vec<String>> {
    match dependencies(case, key) {
        Lookup::Unknown(unknown) => match captured(case, key) {
            Some(Sourced { value: ServiceState { dependencies: Some(list), .. }, source }) => {
                Lookup::Found(Sourced { value: list.clone(), source })
            }
            _ => Lookup::Unknown(unknown),
        },
        answer => answer,
    }
}
