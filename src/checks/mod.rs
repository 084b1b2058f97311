//! The questions that actriage asks of a machine.
//!
//! One file a check, in a folder a layer. A check is data (id, title, layer, source, the events it wants) and one function that reports the rows of its decision table to a [`judgement::Judgement`]. Its documentation is the
//! `//!` text of its file: `actriage explain` and `docs/checks/` are printed from it.

pub mod case;
pub mod collect;
pub mod judgement;
pub mod required;
pub mod signals;

mod broker;
mod certificates;
mod client;
mod collection;
mod dns;
mod firewall;
pub(crate) mod identity;
pub(crate) mod licensing;
mod ncsi;
mod network;
pub(crate) mod proxy;
mod security;
pub mod services;
pub(crate) mod system;
mod time;
pub(crate) mod tls;

use std::sync::LazyLock;

use serde::Serialize;

use crate::artifact::Interest;
use crate::evidence::events::Want;
use crate::evidence::users::SIGN_IN;
use case::Case;
use judgement::Judgement;

/// Where in the stack a check looks, lowest first: when the evidence is equally good, the lower layer is the likelier cause
/// (domain.md section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The clock.
    Time,
    /// Windows version, updates and Office build.
    System,
    /// Windows services.
    Services,
    /// Adapters, IP versions, Winsock.
    Network,
    /// What Windows thinks of its connection.
    Ncsi,
    /// Names.
    Dns,
    /// Proxies of all stacks.
    Proxy,
    /// Firewalls and required addresses.
    Firewall,
    /// Protocols and cipher suites.
    Tls,
    /// Roots, revocation, inspection.
    Certificates,
    /// The broker plug-in and its keys.
    Broker,
    /// Device, tenant and sign-in.
    Identity,
    /// Licences.
    Licensing,
    /// The collection itself.
    Collection,
    /// A rule of the user that names no layer.
    User,
}

impl Layer {
    /// All layers, lowest first.
    pub const ALL: [Self; 15] = [
        Self::Time,
        Self::System,
        Self::Services,
        Self::Network,
        Self::Ncsi,
        Self::Dns,
        Self::Proxy,
        Self::Firewall,
        Self::Tls,
        Self::Certificates,
        Self::Broker,
        Self::Identity,
        Self::Licensing,
        Self::Collection,
        Self::User,
    ];

    /// As the contract writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::System => "system",
            Self::Services => "services",
            Self::Network => "network",
            Self::Ncsi => "ncsi",
            Self::Dns => "dns",
            Self::Proxy => "proxy",
            Self::Firewall => "firewall",
            Self::Tls => "tls",
            Self::Certificates => "certificates",
            Self::Broker => "broker",
            Self::Identity => "identity",
            Self::Licensing => "licensing",
            Self::Collection => "collection",
            Self::User => "user",
        }
    }
}

/// Which text a check comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Article {
    /// A section of "Microsoft 365 Apps activation network connection issues".
    Network(&'static str),
    /// "Errors activating Microsoft 365 on older Windows versions".
    OlderWindows,
    /// Beyond the two articles.
    Beyond,
}

impl Article {
    /// The section that is judged as one.
    pub fn section(self) -> &'static str {
        match self {
            Self::Network(section) => section,
            Self::OlderWindows => "Older Windows versions",
            Self::Beyond => "Beyond the articles",
        }
    }

    /// For people.
    pub fn title(self) -> String {
        match self {
            Self::Network(section) => format!("Activation network connection issues: {section}"),
            Self::OlderWindows => "Errors activating on older Windows versions".to_owned(),
            Self::Beyond => "beyond the two articles".to_owned(),
        }
    }
}

/// What to do about a finding, least destructive first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// What to do, in order; commands are exact for this machine.
    pub steps: Vec<String>,
    /// What it costs or endangers.
    pub caution: String,
    /// How to undo it.
    pub rollback: String,
    /// How to see that it worked.
    pub verify: String,
    /// Where it is documented.
    pub references: Vec<String>,
}

impl Remedy {
    /// A remedy out of texts.
    pub fn new(steps: &[&str], caution: &str, rollback: &str, verify: &str, references: &[&str]) -> Self {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Self {
            steps: own(steps),
            caution: caution.to_owned(),
            rollback: rollback.to_owned(),
            verify: verify.to_owned(),
            references: own(references),
        }
    }
}

/// The support article on activation network problems.
pub const ARTICLE_NETWORK: &str =
    "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/network-connection-issues";
/// The support article on older Windows versions.
pub const ARTICLE_OLDER_WINDOWS: &str = "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/errors-activating-on-older-windows";

/// One question about the machine.
#[derive(Clone, Copy)]
pub struct Check {
    /// Stable id, kebab-case.
    pub id: &'static str,
    /// The condition that it looks for, in a few words.
    pub title: &'static str,
    /// Layer.
    pub layer: Layer,
    /// Source article.
    pub article: Article,
    /// Events that it wants decoded.
    pub wants: &'static [Want],
    /// The sentence when all is well.
    pub healthy: &'static str,
    /// The file's own text; its `//!` lines are the documentation.
    pub source_text: &'static str,
    /// Reports the rows that hold.
    pub run: fn(&Case<'_>, &Judgement),
    /// What to do when it is a finding.
    pub remedy: fn(&Case<'_>) -> Remedy,
}

impl Check {
    /// The documentation: the `//!` lines of the check's file.
    pub fn doc(&self) -> String {
        let lines = self.source_text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }
}

/// Every check, in the order of the report's list: the layers from the bottom up, each folder with its own list.
pub static CHECKS: LazyLock<Vec<Check>> = LazyLock::new(|| {
    let layers: &[&[Check]] = &[
        time::CHECKS,
        system::CHECKS,
        services::CHECKS,
        network::CHECKS,
        ncsi::CHECKS,
        dns::CHECKS,
        proxy::CHECKS,
        firewall::CHECKS,
        security::CHECKS,
        tls::CHECKS,
        certificates::CHECKS,
        broker::CHECKS,
        identity::CHECKS,
        client::CHECKS,
        licensing::CHECKS,
        collection::CHECKS,
    ];
    layers.concat()
});

/// The check of an id.
pub fn by_id(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// Everything that the checks and the shared facts want to see.
pub fn interest() -> Interest {
    let mut interest = Interest::default();
    let shared = [crate::evidence::os::OS_VERSION_AT_BOOT];
    for want in CHECKS.iter().flat_map(|check| check.wants).chain(&shared).chain(signals::ALL).chain(SIGN_IN)
    {
        interest.events.want(want.provider, want.ids);
    }
    interest
}
