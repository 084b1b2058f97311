//! `netsh advfirewall show allprofiles` and `Get-NetFirewallProfile`: is the firewall on, and does it block what goes out.
//!
//! netsh prints three blocks, always in the order domain, private, public. Headings and the words for on and off are localised;
//! the policy (`BlockInbound,AllowOutbound`) and most keys are not, and no colon parts a key from its value. A word that is in no
//! table leaves the state unknown: an *on* that was guessed would be the worst of answers.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape;
use super::shape::columns::wide_cells;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The profiles in the order of the output.
    pub profiles: Vec<Profile>,
}

/// One profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// 1-based line of its heading, or of its first line if the heading is missing.
    pub line: u32,
    /// Which one; `None` when neither the heading nor the order tells.
    pub name: Option<ProfileName>,
    /// Its heading as printed; `None` when it got lost.
    pub heading: Option<String>,
    /// Whether it is on.
    pub enabled: Option<bool>,
    /// The word for the state, as printed.
    pub enabled_text: Option<String>,
    /// Line of the state.
    pub enabled_line: Option<u32>,
    /// What happens to packets that come in and that no rule names.
    pub inbound: Option<Inbound>,
    /// What happens to packets that go out and that no rule names.
    pub outbound: Option<Outbound>,
    /// Line of the policy (of the outbound action in `Get-NetFirewallProfile`).
    pub policy_line: Option<u32>,
    /// Whether rules of this machine count beside those of group policy. netsh prints `N/A` where it looks at one store only.
    pub local_rules: Option<bool>,
    /// Whether dropped packets are logged.
    pub log_dropped: Option<bool>,
    /// Whether connections that are let through are logged.
    pub log_allowed: Option<bool>,
    /// The log file, variables unexpanded.
    pub log_file: Option<String>,
    /// Its largest size in KiB.
    pub log_max_kib: Option<u32>,
}

/// The three profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileName {
    /// In reach of a domain controller.
    Domain,
    /// A network that was called private.
    Private,
    /// Every other network.
    Public,
}

/// Default action for what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inbound {
    /// Blocked unless a rule allows it.
    Block,
    /// Blocked whatever the rules say.
    BlockAlways,
    /// Allowed unless a rule blocks it.
    Allow,
    /// Left to another store.
    NotConfigured,
}

/// Default action for what goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outbound {
    /// Allowed unless a rule blocks it.
    Allow,
    /// Blocked unless a rule allows it.
    Block,
    /// Left to another store.
    NotConfigured,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::FirewallProfiles, recognise, starts, read };

/// Parts of headings, in small letters. English, French and Chinese were seen in captures, German in a test that names a real
/// machine; the others are the words of the firewall console.
const NAMES: &[(&str, ProfileName, &str)] = &[
    ("domain profile", ProfileName::Domain, "en"),
    ("private profile", ProfileName::Private, "en"),
    ("public profile", ProfileName::Public, "en"),
    ("domänenprofil", ProfileName::Domain, "de"),
    ("privates profil", ProfileName::Private, "de"),
    ("öffentliches profil", ProfileName::Public, "de"),
    ("profil de domaine", ProfileName::Domain, "fr"),
    ("profil privé", ProfileName::Private, "fr"),
    ("profil public", ProfileName::Public, "fr"),
    ("perfil de dominio", ProfileName::Domain, "es"),
    ("perfil privado", ProfileName::Private, "es"),
    ("perfil público", ProfileName::Public, "es"),
    ("域配置文件", ProfileName::Domain, "zh-CN"),
    ("专用配置文件", ProfileName::Private, "zh-CN"),
    ("公用配置文件", ProfileName::Public, "zh-CN"),
];

/// Words for on and off, in small letters, with the same sources.
const STATES: &[(&str, bool)] = &[
    ("on", true),
    ("off", false),
    ("ein", true),
    ("aus", false),
    ("actif", true),
    ("inactif", false),
    ("activar", true),
    ("desactivar", false),
    ("启用", true),
    ("打开", true),
    ("关闭", false),
    ("禁用", false),
];

/// Words for enabled and not, of the keys below the policy.
const SWITCHES: &[(&str, bool)] = &[
    ("enable", true),
    ("disable", false),
    ("true", true),
    ("false", false),
    ("aktivieren", true),
    ("deaktivieren", false),
    ("activer", true),
    ("désactiver", false),
    ("habilitar", true),
    ("deshabilitar", false),
    ("启用", true),
    ("禁用", false),
];

/// Keys that no language translates.
const FIXED_KEYS: &[&str] = &[
    "LocalFirewallRules",
    "LocalConSecRules",
    "InboundUserNotification",
    "RemoteManagement",
    "UnicastResponseToMulticast",
    "LogAllowedConnections",
    "LogDroppedConnections",
    "FileName",
    "MaxFileSize",
];

const POLICIES_IN: &[(&str, Inbound)] = &[
    ("blockinbound", Inbound::Block),
    ("blockinboundalways", Inbound::BlockAlways),
    ("allowinbound", Inbound::Allow),
    ("notconfigured", Inbound::NotConfigured),
];

const POLICIES_OUT: &[(&str, Outbound)] = &[
    ("allowoutbound", Outbound::Allow),
    ("blockoutbound", Outbound::Block),
    ("notconfigured", Outbound::NotConfigured),
];

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let word = word.trim().to_lowercase();
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// `BlockInbound,AllowOutbound`: never localised.
fn policy(text: &str) -> Option<(Inbound, Outbound)> {
    let (inbound, outbound) = text.split_once(',')?;
    Some((look_up(POLICIES_IN, inbound)?, look_up(POLICIES_OUT, outbound)?))
}

/// A heading of a profile; splitting knows that three of them belong together.
fn starts(line: &str) -> bool {
    line.trim_end().ends_with([':', '：']) && profile_of(line).is_some()
}

/// Which profile a heading names, and in which language.
fn profile_of(heading: &str) -> Option<(ProfileName, &'static str)> {
    let heading = heading.to_lowercase();
    NAMES.iter().find(|(part, ..)| heading.contains(part)).map(|(_, name, language)| (*name, *language))
}

/// What a line of netsh is.
enum Line<'l> {
    Heading(Option<(ProfileName, &'static str)>),
    Rule,
    Policy(Inbound, Outbound),
    Fixed(&'static str, &'l str),
    Pair(&'l str, &'l str),
    Other,
}

fn parse(line: &str) -> Line<'_> {
    let text = line.trim();
    if text.ends_with([':', '：']) {
        return Line::Heading(profile_of(text));
    }
    if netsh::is_rule(text, '-', 40) {
        return Line::Rule;
    }
    let cells = wide_cells(text);
    let [key, value] = cells.as_slice() else { return Line::Other };
    if let Some(fixed) = FIXED_KEYS.iter().find(|fixed| *fixed == key) {
        return Line::Fixed(fixed, value);
    }
    match policy(value) {
        Some((inbound, outbound)) => Line::Policy(inbound, outbound),
        None => Line::Pair(key, value),
    }
}

/// Properties that `Get-NetFirewallProfile` alone has together.
fn is_powershell(block: &Block<'_>) -> bool {
    let has = |name: &str| block.lines().any(|(_, line)| line.contains(name));
    has("DefaultOutboundAction") && has("DefaultInboundAction")
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut headings, mut states, mut marks) = (0usize, 0usize, 0usize);
    for (_, line) in block.lines() {
        match parse(line) {
            Line::Heading(Some(_)) => headings += 1,
            Line::Policy(..) => marks += 2,
            Line::Fixed(..) => marks += 1,
            Line::Pair(_, value) => states += usize::from(look_up(STATES, value).is_some()),
            Line::Heading(None) | Line::Rule | Line::Other => {}
        }
    }
    match (headings, states, marks) {
        (_, _, 3..) => 95,
        (1.., 1.., _) => 90,
        _ if is_powershell(block) => 90,
        _ => 0,
    }
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    if is_powershell(block) {
        return read_powershell(block);
    }
    let mut reader = NetshReader::default();
    for (number, line) in block.lines() {
        reader.take(number, line);
    }
    reader.finish()
}

/// Builds the profiles while the lines of netsh go by.
#[derive(Default)]
struct NetshReader {
    profiles: Vec<Profile>,
    /// The profile that the lines belong to.
    current: Profile,
    /// Untranslated keys that it has already: one that comes again means that a heading got lost.
    seen: Vec<&'static str>,
    /// A heading in the line above that no table knows; it is a profile's only if a rule follows.
    pending: Option<(u32, String)>,
    /// How the state is called, once it was met.
    state_label: Option<String>,
    language: Option<&'static str>,
    doubts: Doubts,
}

impl NetshReader {
    fn take(&mut self, number: u32, line: &str) {
        let above = self.pending.take();
        match parse(line) {
            Line::Heading(Some((name, language))) => {
                self.language = Some(language);
                self.begin(number, Some(line.trim()), Some(name));
            }
            Line::Heading(None) => self.pending = Some((number, line.trim().to_owned())),
            Line::Rule => {
                if let Some((line, heading)) = above {
                    self.begin(line, Some(&heading), None);
                }
            }
            Line::Policy(inbound, outbound) => {
                if self.current.policy_line.is_some() {
                    self.begin(number, None, None);
                }
                self.begin_if_nothing_yet(number);
                self.current.policy_line = Some(number);
                (self.current.inbound, self.current.outbound) = (Some(inbound), Some(outbound));
            }
            Line::Fixed(key, value) => self.fixed(number, key, value),
            Line::Pair(label, value) => self.pair(number, label, value),
            Line::Other => {
                if let Some(failure) = shape::failure_in(line) {
                    self.doubts.at(number, failure.words());
                }
            }
        }
    }

    fn begin(&mut self, line: u32, heading: Option<&str>, name: Option<ProfileName>) {
        let next = Profile { line, name, heading: heading.map(str::to_owned), ..Profile::default() };
        let done = std::mem::replace(&mut self.current, next);
        if done.line > 0 {
            self.profiles.push(done);
        }
        self.seen.clear();
    }

    /// The state is the first line of a profile; every later line is the policy or has an untranslated key.
    fn pair(&mut self, number: u32, label: &str, value: &str) {
        let again = self.state_label.as_deref() == Some(label);
        if again && (self.current.enabled_line.is_some() || self.current.policy_line.is_some()) {
            self.begin(number, None, None);
        }
        let first =
            self.current.enabled_line.is_none() && self.current.policy_line.is_none() && self.seen.is_empty();
        if !first || (!again && self.state_label.is_some()) {
            self.doubts.at(number, format!("the key {label:?} is not known"));
            return;
        }
        self.begin_if_nothing_yet(number);
        self.state_label = Some(label.to_owned());
        self.current.enabled = look_up(STATES, value);
        self.current.enabled_text = Some(value.to_owned());
        self.current.enabled_line = Some(number);
        if self.current.enabled.is_none() {
            self.doubts.at(number, format!("the word {value:?} for the state is not known"));
        }
    }

    fn fixed(&mut self, number: u32, key: &'static str, value: &str) {
        if self.seen.contains(&key) {
            self.begin(number, None, None);
        }
        self.begin_if_nothing_yet(number);
        self.seen.push(key);
        match key {
            "LocalFirewallRules" => self.current.local_rules = look_up(SWITCHES, value),
            "LogAllowedConnections" => self.current.log_allowed = look_up(SWITCHES, value),
            "LogDroppedConnections" => self.current.log_dropped = look_up(SWITCHES, value),
            "FileName" => self.current.log_file = Some(value.to_owned()),
            "MaxFileSize" => self.current.log_max_kib = value.parse().ok(),
            _ => {}
        }
    }

    fn begin_if_nothing_yet(&mut self, line: u32) {
        if self.current.line == 0 {
            self.current.line = line;
        }
    }

    fn finish(mut self) -> Reading {
        self.begin(0, None, None);
        name_by_order(&mut self.profiles);
        for profile in &self.profiles {
            if profile.name.is_none() {
                self.doubts.at(profile.line, "which profile this is cannot be told");
            }
            if profile.enabled_line.is_none() {
                self.doubts.at(profile.line, "the profile has no state");
            }
        }
        match self.profiles.len() {
            0 => self.doubts.whole("no profile was printed"),
            1 | 3 => {}
            count => self.doubts.whole(format!("{count} profiles where netsh prints one or three")),
        }
        netsh::reading(
            CaptureData::FirewallProfiles(Data { profiles: self.profiles }),
            self.language,
            &self.doubts,
        )
    }
}

/// Three profiles are always domain, private, public; headings that are known must agree.
fn name_by_order(profiles: &mut [Profile]) {
    const ORDER: [ProfileName; 3] = [ProfileName::Domain, ProfileName::Private, ProfileName::Public];
    let agrees = |(profile, name): (&Profile, &ProfileName)| profile.name.is_none_or(|known| known == *name);
    if profiles.len() == ORDER.len() && profiles.iter().zip(&ORDER).all(agrees) {
        for (profile, name) in profiles.iter_mut().zip(ORDER) {
            profile.name = Some(name);
        }
    }
}

const PS_NAMES: &[(i64, &str, ProfileName)] = &[
    (1, "Domain", ProfileName::Domain),
    (2, "Private", ProfileName::Private),
    (4, "Public", ProfileName::Public),
];

/// Numbers of the enumerations of the NetSecurity module: `GpoBoolean` (2 is *not configured*) and `Action`.
const PS_ENABLED: &[(i64, &str, Option<bool>)] =
    &[(0, "False", Some(false)), (1, "True", Some(true)), (2, "NotConfigured", None)];
const PS_INBOUND: &[(i64, &str, Inbound)] = &[
    (0, "NotConfigured", Inbound::NotConfigured),
    (2, "Allow", Inbound::Allow),
    (4, "Block", Inbound::Block),
];
const PS_OUTBOUND: &[(i64, &str, Outbound)] = &[
    (0, "NotConfigured", Outbound::NotConfigured),
    (2, "Allow", Outbound::Allow),
    (4, "Block", Outbound::Block),
];

fn read_powershell(block: &Block<'_>) -> Reading {
    let found = shape::objects(block);
    let mut doubts = Doubts::default();
    let mut profiles = Vec::new();
    for object in found.objects.iter().filter(|object| object.has("DefaultOutboundAction")) {
        let switch = |name: &str| object.get(name).and_then(|cell| cell.word(PS_ENABLED)).flatten();
        let profile = Profile {
            line: object.line,
            name: object.get("Name").and_then(|cell| cell.word(PS_NAMES)),
            heading: object.text("Name"),
            enabled: switch("Enabled"),
            enabled_text: object.text("Enabled"),
            enabled_line: object.property("Enabled").map(|property| property.line),
            inbound: object.get("DefaultInboundAction").and_then(|cell| cell.word(PS_INBOUND)),
            outbound: object.get("DefaultOutboundAction").and_then(|cell| cell.word(PS_OUTBOUND)),
            policy_line: object.property("DefaultOutboundAction").map(|property| property.line),
            local_rules: switch("AllowLocalFirewallRules"),
            log_dropped: switch("LogBlocked"),
            log_allowed: switch("LogAllowed"),
            log_file: object.text("LogFileName"),
            log_max_kib: object
                .get("LogMaxSizeKilobytes")
                .and_then(shape::Cell::number)
                .and_then(|n| n.try_into().ok()),
        };
        if profile.name.is_none() || profile.enabled_text.is_none() || profile.outbound.is_none() {
            doubts.at(object.line, "the profile lacks its name, its state or its outbound action");
        }
        profiles.push(profile);
    }
    if profiles.is_empty() {
        doubts.whole("no profile was printed");
    }
    netsh::reading(CaptureData::FirewallProfiles(Data { profiles }), None, &doubts)
}

#[cfg(test)]
mod tests;
