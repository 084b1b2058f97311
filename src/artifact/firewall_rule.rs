//! Rules of the Windows firewall as the registry and group policy hold them: one line of text a rule,
//! `v2.30|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=443|App=…|`.
//!
//! A rule blocks or allows only what meets all its conditions, so a condition that is overlooked makes a blocker of a harmless rule.
//! Conditions that this type does not hold in full are at least named in [`FirewallRule::narrowed_by`].
//!
//! Names and keywords are compared without case: a Windows 10 hive holds `Dir=out`, `LPORT=` and `app=` beside the usual spelling. A field
//! that stands twice is a list (`Profile=Domain|Profile=Private`); one without a value is no condition. Grammar: MS-GPFAS 2.2.2.19.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::capture::firewall_profiles::ProfileName;
use super::capture::firewall_rules::{Action, Direction};
use super::{Place, Problem};

/// TCP in the protocol field of a rule.
pub const TCP: u8 = 6;

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirewallRule {
    /// Version of the grammar (`2.30`).
    pub version: String,
    /// What it does.
    pub action: Option<Action>,
    /// Whether it is switched on.
    pub active: bool,
    /// Which way the packets go.
    pub direction: Option<Direction>,
    /// Where it applies; empty for everywhere.
    pub profiles: Vec<ProfileName>,
    /// IP protocol; `None` for any.
    pub protocol: Option<u8>,
    /// Ports of the other side; empty for all.
    pub remote_ports: Vec<Ports>,
    /// Addresses of the other side: IPv4, keywords for it, and whatever a list of both holds; empty for all.
    pub remote_addresses: Vec<Addresses>,
    /// Addresses of the other side in the fields for IPv6, which say nothing of IPv4; empty for all.
    pub remote_addresses_v6: Vec<Addresses>,
    /// `App`: path of the program, variables unexpanded.
    pub program: Option<String>,
    /// `Svc`: key name of the service.
    pub service: Option<String>,
    /// `AppPkgId`: SID of the app package.
    pub package: Option<String>,
    /// `PFN`: family name of the app package, which current Windows 11 writes in the place of the SID.
    pub family: Option<String>,
    /// `LUOwn`: SID of the user whose rule it is.
    pub owner: Option<String>,
    /// `Name`: free text or a resource (`@{package?ms-resource://…}`, `@file.dll,-1`).
    pub name: String,
    /// `EmbedCtxt`: the group that it belongs to.
    pub context: Option<String>,
    /// Names of further conditions (own ports and addresses, interfaces, IPsec, permitted users), and of every field that is not known
    /// to be none.
    pub narrowed_by: Vec<String>,
}

/// Ports of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// From, to; both belong to it.
    Range(u16, u16),
    /// A keyword (`IPHTTPSOut`).
    Keyword(String),
}

/// Addresses of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// IPv4, from and to; both belong to it.
    V4(Ipv4Addr, Ipv4Addr),
    /// A keyword (`LocalSubnet`, `IntErnet`) or IPv6, as written.
    Other(String),
}

const ACTIONS: &[(&str, Action)] =
    &[("Allow", Action::Allow), ("Block", Action::Block), ("ByPass", Action::Bypass)];
const DIRECTIONS: &[(&str, Direction)] = &[("In", Direction::In), ("Out", Direction::Out)];
const PROFILES: &[(&str, ProfileName)] =
    &[("Domain", ProfileName::Domain), ("Private", ProfileName::Private), ("Public", ProfileName::Public)];
const TRUTHS: &[(&str, bool)] = &[("TRUE", true), ("FALSE", false)];

/// Fields that name, describe or order a rule, or concern connections from outside: no condition on those that go out. A field that is
/// neither here nor held by the type narrows the rule, because newer versions of the grammar add conditions.
const NO_CONDITIONS: &[&str] =
    &["Desc", "Edge", "Defer", "LSM", "LOM", "Platform", "Platform2", "SkipVer", "PCross", "AuthByPassOut"];

impl FirewallRule {
    /// Reads the text of a rule.
    ///
    /// # Errors
    /// A text without a version in front, a field that is no `name=value`, and a word that decides (action, direction, profile, protocol)
    /// and is not in the grammar.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut fields = text.trim().split('|');
        let head = fields.next().unwrap_or_default();
        let version =
            head.strip_prefix(['v', 'V']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let Some(version) = version else { return Err(wrong("a version (v2.30)", head)) };
        let mut rule = Self { version: version.to_owned(), ..Self::default() };
        for field in fields.filter(|field| !field.trim().is_empty()) {
            let Some((name, value)) = field.split_once('=') else {
                return Err(wrong("a field name=value", field));
            };
            if !value.trim().is_empty() {
                rule.take(name.trim(), value.trim())?;
            }
        }
        Ok(rule)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let own = || Some(value.to_owned());
        match name.to_ascii_lowercase().as_str() {
            "action" => self.action = Some(word(ACTIONS, "an action", value)?),
            "dir" => self.direction = Some(word(DIRECTIONS, "a direction", value)?),
            "active" => self.active = word(TRUTHS, "TRUE or FALSE", value)?,
            "profile" => self.profiles.push(word(PROFILES, "a profile", value)?),
            "protocol" => self.protocol = Some(value.parse().map_err(|_| wrong("a protocol number", value))?),
            "rport" | "rport2_10" => self.remote_ports.extend(Ports::parse_list(value)),
            "ra4" | "ra42" => self.remote_addresses.extend(Addresses::parse_list(value)),
            "ra6" | "ra62" => self.remote_addresses_v6.extend(Addresses::parse_list(value)),
            "app" => self.program = own(),
            "svc" => self.service = own(),
            "apppkgid" => self.package = own(),
            "pfn" => self.family = own(),
            "luown" => self.owner = own(),
            "name" => self.name = value.to_owned(),
            "embedctxt" => self.context = own(),
            _ if NO_CONDITIONS.iter().any(|known| known.eq_ignore_ascii_case(name)) => {}
            _ => self.narrowed_by.push(name.to_owned()),
        }
        Ok(())
    }

    /// Whether it is switched on, goes out, and has this action.
    pub fn is_outbound(&self, action: Action) -> bool {
        self.active && self.direction == Some(Direction::Out) && self.action == Some(action)
    }

    /// Whether a TCP connection to a port meets its conditions on protocol and remote port.
    pub fn covers_tcp(&self, port: u16) -> bool {
        let named = |ports: &Ports| matches!(ports, Ports::Range(from, to) if (*from..=*to).contains(&port));
        self.protocol.is_none_or(|protocol| protocol == TCP)
            && (self.remote_ports.is_empty() || self.remote_ports.iter().any(named))
    }

    /// Whether it applies in a profile.
    pub fn applies_in(&self, profile: ProfileName) -> bool {
        self.profiles.is_empty() || self.profiles.contains(&profile)
    }

    /// Whether it holds for every IPv4 address on the internet: without a condition on addresses, or by the keyword for the internet. A
    /// rule with addresses of IPv6 alone leaves IPv4 as it is.
    pub fn covers_the_internet(&self) -> bool {
        let internet = |entry: &Addresses| matches!(entry, Addresses::Other(word) if word.eq_ignore_ascii_case("internet"));
        match (self.remote_addresses.as_slice(), self.remote_addresses_v6.is_empty()) {
            ([], unconditional) => unconditional,
            (some, _) => some.iter().any(internet),
        }
    }

    /// Whether it names an IPv4 address out of a range.
    pub fn names_some_of(&self, from: Ipv4Addr, to: Ipv4Addr) -> bool {
        let overlaps =
            |entry: &Addresses| matches!(entry, Addresses::V4(first, last) if *first <= to && from <= *last);
        self.remote_addresses.iter().any(overlaps)
    }
}

impl Ports {
    /// Reads `443`, `80-443`, a keyword, or several divided by commas; `*` and `Any` are no condition.
    pub fn parse_list(text: &str) -> Vec<Self> {
        let one = |part: &str| match part.split_once('-') {
            Some((from, to)) => Some(Self::Range(from.trim().parse().ok()?, to.trim().parse().ok()?)),
            None => part.parse().ok().map(|port| Self::Range(port, port)),
        };
        parts(text).map(|part| one(part).unwrap_or_else(|| Self::Keyword(part.to_owned()))).collect()
    }
}

impl Addresses {
    /// Reads an address, `from-to`, `network/mask`, `network/bits`, a keyword, or several divided by commas; `*` and `Any` are no
    /// condition.
    pub fn parse_list(text: &str) -> Vec<Self> {
        parts(text).map(|part| v4_range(part).unwrap_or_else(|| Self::Other(part.to_owned()))).collect()
    }
}

fn v4_range(text: &str) -> Option<Addresses> {
    if let Some((from, to)) = text.split_once('-') {
        return Some(Addresses::V4(from.trim().parse().ok()?, to.trim().parse().ok()?));
    }
    let Some((network, mask)) = text.split_once('/') else {
        return text.parse().ok().map(|address| Addresses::V4(address, address));
    };
    let mask = match mask.trim().parse::<IpAddr>() {
        Ok(IpAddr::V4(mask)) => u32::from(mask),
        Ok(IpAddr::V6(_)) => return None,
        Err(_) => {
            let bits = mask.trim().parse::<u32>().ok().filter(|bits| *bits <= 32)?;
            u32::MAX.checked_shl(32 - bits).unwrap_or(0)
        }
    };
    let first = u32::from(network.trim().parse::<Ipv4Addr>().ok()?) & mask;
    Some(Addresses::V4(first.into(), (first | !mask).into()))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    let any = |part: &str| part.is_empty() || part == "*" || part.eq_ignore_ascii_case("any");
    text.split(',').map(str::trim).filter(move |part| !any(part))
}

fn word<T: Copy>(table: &[(&str, T)], what: &str, value: &str) -> Result<T, Problem> {
    let found = table.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| wrong(what, value))
}

fn wrong(expected: &str, found: &str) -> Problem {
    Problem::new(Place::Whole, expected, found.chars().take(80).collect::<String>())
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(from, to) if from == to => write!(f, "{from}"),
            Self::Range(from, to) => write!(f, "{from}-{to}"),
            Self::Keyword(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(from, to) if from == to => write!(f, "{from}"),
            Self::V4(from, to) => write!(f, "{from}-{to}"),
            Self::Other(word) => f.write_str(word),
        }
    }
}

/// The conditions in short, for evidence: `Block Out, protocol 6, remote ports 443, program C:\…`.
impl fmt::Display for FirewallRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: Vec<String>| items.join(",");
        write!(
            f,
            "{}{} {}",
            if self.active { "" } else { "inactive " },
            ACTIONS.iter().find(|(_, a)| Some(*a) == self.action).map_or("?", |(name, _)| name),
            DIRECTIONS.iter().find(|(_, d)| Some(*d) == self.direction).map_or("?", |(name, _)| name)
        )?;
        if let Some(protocol) = self.protocol {
            write!(f, ", protocol {protocol}")?;
        }
        if !self.remote_ports.is_empty() {
            write!(f, ", remote ports {}", list(self.remote_ports.iter().map(Ports::to_string).collect()))?;
        }
        let mut addresses = self.remote_addresses.iter().chain(&self.remote_addresses_v6).peekable();
        if addresses.peek().is_some() {
            let shown = addresses.take(4).map(Addresses::to_string).collect();
            write!(f, ", remote addresses {}", list(shown))?;
        }
        let conditions = [
            ("program", &self.program),
            ("service", &self.service),
            ("package", &self.package),
            ("package family", &self.family),
            ("user", &self.owner),
        ];
        for (what, value) in conditions {
            if let Some(value) = value {
                write!(f, ", {what} {value}")?;
            }
        }
        if !self.profiles.is_empty() {
            let names = |p: &ProfileName| {
                PROFILES
                    .iter()
                    .find(|(_, name)| name == p)
                    .map_or_else(String::new, |(name, _)| (*name).to_owned())
            };
            write!(f, ", profiles {}", list(self.profiles.iter().map(names).collect()))?;
        }
        if !self.narrowed_by.is_empty() {
            write!(f, ", further conditions {}", self.narrowed_by.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rule of the main set of a decoded Windows 10 hive (build 16299), read by eye; SIDs shortened.
    const BROKER: &str = "v2.27|Action=Allow|Active=TRUE|Dir=Out|Profile=Domain|Profile=Private|Profile=Public|\
        Name=@{Microsoft.AAD.BrokerPlugin_1000.16299.15.0_neutral_neutral_cw5n1h2txyewy?ms-resource://Microsoft.AAD.BrokerPlugin/resources/PackageDisplayName}|\
        LUOwn=S-1-5-21-1-2-3-1001|AppPkgId=S-1-15-2-1910091885-1573563583|Platform=2:6:2|Platform2=GTEQ|";

    #[test]
    fn a_rule_of_a_real_hive() {
        let rule = FirewallRule::parse(BROKER).unwrap();
        assert_eq!(rule.version, "2.27");
        assert!(rule.is_outbound(Action::Allow) && !rule.is_outbound(Action::Block));
        assert_eq!(rule.profiles, [ProfileName::Domain, ProfileName::Private, ProfileName::Public]);
        assert_eq!(rule.package.as_deref(), Some("S-1-15-2-1910091885-1573563583"));
        assert_eq!(rule.owner.as_deref(), Some("S-1-5-21-1-2-3-1001"));
        // Platform says on which Windows a rule is valid: no condition on connections.
        assert!(rule.covers_tcp(443) && rule.covers_the_internet() && rule.narrowed_by.is_empty());
    }

    #[test]
    fn the_grammar_line_of_the_domain_reference() {
        // domain.md 5.4: a missing Profile means all, Protocol absent means any; fields without a value are no condition.
        let rule = FirewallRule::parse(
            r"v2.30|Action=Block|Active=TRUE|Dir=Out|Protocol=6|LPort=|RPort=|App=C:\x\WINWORD.EXE|Name=x|",
        )
        .unwrap();
        assert!(rule.applies_in(ProfileName::Public) && rule.covers_tcp(443) && rule.narrowed_by.is_empty());
        assert_eq!(rule.program.as_deref(), Some(r"C:\x\WINWORD.EXE"));
        assert!(
            FirewallRule::parse("v2.30|Action=Block|Active=TRUE|Dir=Out|Name=x|").unwrap().covers_tcp(80)
        );
    }

    #[test]
    fn conditions_on_ports_and_protocol() {
        let with = |text: &str| {
            FirewallRule::parse(&format!("v2.30|Action=Block|Active=TRUE|Dir=Out|{text}|")).unwrap()
        };
        assert!(with("Protocol=6|RPort=80|RPort=443").covers_tcp(443));
        assert!(with("Protocol=6|RPort2_10=80-500").covers_tcp(443));
        assert!(!with("Protocol=17|RPort=443").covers_tcp(443));
        assert!(!with("Protocol=6|RPort=8080").covers_tcp(443));
        assert!(!with("Protocol=6|RPort2_10=IPHTTPSOut").covers_tcp(443));
        assert_eq!(with("Protocol=6|LPORT=5353|IFType=Wireless").narrowed_by, ["LPORT", "IFType"]);
    }

    #[test]
    fn conditions_on_addresses() {
        let with = |text: &str| {
            FirewallRule::parse(&format!("v2.30|Action=Block|Active=TRUE|Dir=Out|{text}|")).unwrap()
        };
        // 20.190.128.0/18 ends at 20.190.191.255.
        let (from, to) = (Ipv4Addr::new(20, 190, 128, 0), Ipv4Addr::new(20, 190, 191, 255));
        for text in [
            "RA4=20.190.160.1",
            "RA4=20.190.0.0/255.255.0.0",
            "RA4=20.190.191.0/24",
            "RA4=20.0.0.0-21.0.0.0",
            "RA4=0.0.0.0/0",
        ] {
            let rule = with(text);
            assert!(rule.names_some_of(from, to) && !rule.covers_the_internet(), "{text}");
        }
        for text in ["RA4=20.190.192.0/18", "RA4=LocalSubnet", "RA6=fe80::/64"] {
            let rule = with(text);
            assert!(!rule.names_some_of(from, to) && !rule.covers_the_internet(), "{text}");
        }
        // The spelling of Windows 10 hives.
        assert!(with("RA42=IntErnet|RA62=IntErnet").covers_the_internet());
        // IPv6 alone.
        assert!(!with("RA62=IntErnet").covers_the_internet() && !with("RA6=2603::/16").covers_the_internet());
    }

    #[test]
    fn a_field_that_is_not_known_narrows() {
        // MS-GPFAS 2.2.2.19 names NNm, SecurityRealmId and the TTK fields; versions to come may add others.
        let with = |text: &str| {
            FirewallRule::parse(&format!("v2.33|Action=Block|Active=TRUE|Dir=Out|{text}|")).unwrap()
        };
        assert_eq!(with("NNm=Z3Vlc3Q=|TTK2_27=x|New=1").narrowed_by, ["NNm", "TTK2_27", "New"]);
        let described =
            "Desc=x|EmbedCtxt=y|Edge=TRUE|Defer=App|LSM=TRUE|SkipVer=2.0|PCross=TRUE|Platform2=GTEQ";
        assert!(with(described).narrowed_by.is_empty());
        assert_eq!(
            with("PFN=Microsoft.WindowsCalculator_8wekyb3d8bbwe").family.as_deref(),
            Some("Microsoft.WindowsCalculator_8wekyb3d8bbwe")
        );
    }

    #[test]
    fn what_is_no_rule_says_what_was_expected() {
        assert_eq!(FirewallRule::parse("Action=Block|").unwrap_err().expected, "a version (v2.30)");
        assert_eq!(FirewallRule::parse("v2.30|Action=Deny|").unwrap_err().found, "Deny");
        assert_eq!(FirewallRule::parse("v2.30|Action").unwrap_err().expected, "a field name=value");
        assert_eq!(FirewallRule::parse("v2.30|Protocol=999|").unwrap_err().found, "999");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = FirewallRule::parse(&text).map(|rule| rule.to_string());
            let _ = FirewallRule::parse(&format!("v2.30|{text}"));
            let _ = (Ports::parse_list(&text), Addresses::parse_list(&text));
        }

        #[test]
        fn a_network_holds_its_first_and_last_address(address in any::<u32>(), bits in 0_u32..=32) {
            let found = v4_range(&format!("{}/{bits}", Ipv4Addr::from(address)));
            let size = 1_u64 << (32 - bits);
            let first = u64::from(address) / size * size;
            let last = u32::try_from(first + size - 1).unwrap();
            prop_assert_eq!(found, Some(Addresses::V4(u32::try_from(first).unwrap().into(), last.into())));
        }
    }
}
