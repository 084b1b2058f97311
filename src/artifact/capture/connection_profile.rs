//! `Get-NetConnectionProfile`: what Windows thinks each connected network reaches.
//!
//! Keys and words are English on every system. The profile comes as a list, a table, JSON, CSV or CLIXML, and its enumerations as
//! words or as numbers (text_formats.md 4.1). Several profiles are normal; one with Internet is enough for Windows.

use serde::Serialize;

use super::shape::{self, Cell, Object, columns};
use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The profiles in their order. Empty only with the status `empty`: the command ran and found no connected network.
    pub profiles: Vec<Profile>,
}

/// One connected network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profile {
    /// Name of the network; localized or free, no key.
    pub name: Option<String>,
    /// Name of the adapter, if it is not cut off.
    pub interface_alias: Option<String>,
    /// Index of the adapter.
    pub interface_index: Option<u32>,
    /// Public, private or domain.
    pub network_category: Option<Category>,
    /// How the domain was authenticated (`None`, `Ldap`, `Tls`); Windows 11 and Server 2022.
    pub domain_authentication_kind: Option<String>,
    /// What IPv4 reaches.
    pub ipv4: Option<Connectivity>,
    /// What IPv6 reaches.
    pub ipv6: Option<Connectivity>,
    /// Line of the profile's first property.
    pub line: u32,
    /// Line of `IPv4Connectivity`.
    pub ipv4_line: Option<u32>,
    /// Line of `IPv6Connectivity`.
    pub ipv6_line: Option<u32>,
}

/// `NetworkCategory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Category {
    /// 0
    Public,
    /// 1
    Private,
    /// 2
    DomainAuthenticated,
}

/// `IPv4Connectivity` and `IPv6Connectivity`, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Connectivity {
    /// 0
    Disconnected,
    /// 1
    NoTraffic,
    /// 2
    Subnet,
    /// 3
    LocalNetwork,
    /// 4
    Internet,
}

const CATEGORIES: &[(i64, &str, Category)] = &[
    (0, "Public", Category::Public),
    (1, "Private", Category::Private),
    (2, "DomainAuthenticated", Category::DomainAuthenticated),
];

const CONNECTIVITIES: &[(i64, &str, Connectivity)] = &[
    (0, "Disconnected", Connectivity::Disconnected),
    (1, "NoTraffic", Connectivity::NoTraffic),
    (2, "Subnet", Connectivity::Subnet),
    (3, "LocalNetwork", Connectivity::LocalNetwork),
    (4, "Internet", Connectivity::Internet),
];

const KINDS_OF_AUTHENTICATION: &[(i64, &str, &str)] =
    &[(0, "None", "None"), (1, "Ldap", "Ldap"), (2, "Tls", "Tls")];

/// Two of these make a profile.
const KEYS: [&str; 4] = ["InterfaceAlias", "NetworkCategory", "IPv4Connectivity", "IPv6Connectivity"];

/// Reads this kind.
pub const READER: Reader =
    Reader { kind: CaptureKind::ConnectionProfile, recognise, starts: |_| false, read };

fn recognise(block: &Block<'_>) -> u8 {
    let text = block.text.span(block.from, block.to);
    let keys =
        KEYS.iter().filter(|key| memchr::memmem::find(text.as_bytes(), key.as_bytes()).is_some()).count();
    match keys {
        2.. => 95,
        _ if text.contains("MSFT_NetConnectionProfile") => 90,
        _ if asked(block) && shape::is_empty(block) => 60,
        _ => 0,
    }
}

fn asked(block: &Block<'_>) -> bool {
    block.command.and_then(super::command::kind_of) == Some(CaptureKind::ConnectionProfile)
}

fn read(block: &Block<'_>) -> Reading {
    if asked(block) && shape::is_empty(block) {
        return nothing(block);
    }
    let found = shape::objects(block);
    let mut profiles: Vec<Profile> = found.objects.iter().filter_map(profile).collect();
    if profiles.is_empty() {
        profiles = bare_table(block);
    }
    if profiles.is_empty() {
        return shape::failed(block).unwrap_or_else(|| match found.problems.first() {
            Some(problem) => Reading::unrecognized(problem.to_string()),
            None => Reading::unrecognized("names of profile properties, but no profile"),
        });
    }
    let reason = found.problems.first().map(ToString::to_string).or_else(|| unread(&profiles));
    Reading::of(CaptureData::ConnectionProfile(Data { profiles }), reason)
}

/// The command without an output. Only the next prompt shows that nothing was all that it printed (domain.md 13, decision 1); a
/// file that ends behind the command may have been cut there.
fn nothing(block: &Block<'_>) -> Reading {
    let followed = block.text.lines_from(block.from).any(|(_, line)| !line.trim().is_empty());
    let (reason, data) = match followed {
        true => (
            "the command ran and listed no connected network",
            CaptureData::ConnectionProfile(Data::default()),
        ),
        false => ("the file ends behind the command", CaptureData::Nothing),
    };
    Reading { status: CaptureStatus::Empty, reason: Some(reason.to_owned()), language: None, data }
}

/// What is missing of a profile that the others or the form promise.
fn unread(profiles: &[Profile]) -> Option<String> {
    let v6 = profiles.iter().any(|profile| profile.ipv6_line.is_some());
    profiles.iter().find_map(|profile| match profile {
        Profile { ipv4: None, ipv4_line: Some(line), .. } => {
            Some(format!("line {line}: IPv4Connectivity is not known"))
        }
        Profile { ipv6: None, ipv6_line: Some(line), .. } => {
            Some(format!("line {line}: IPv6Connectivity is not known"))
        }
        Profile { ipv4: None, line, .. } => Some(format!("line {line}: the profile has no IPv4Connectivity")),
        Profile { ipv6: None, line, .. } if v6 => Some(format!("line {line}: the profile is cut short")),
        _ => None,
    })
}

fn profile(object: &Object) -> Option<Profile> {
    if KEYS.iter().filter(|key| object.has(key)).count() < 2 {
        return None;
    }
    let text = |name: &str| object.property(name).filter(|it| !it.truncated).and_then(|it| it.cell.text());
    let line_of = |name: &str| object.property(name).map(|property| property.line);
    Some(Profile {
        name: text("Name").map(Into::into),
        interface_alias: text("InterfaceAlias").map(Into::into),
        interface_index: object
            .get("InterfaceIndex")
            .and_then(Cell::number)
            .and_then(|index| u32::try_from(index).ok()),
        network_category: object.get("NetworkCategory").and_then(|cell| cell.word(CATEGORIES)),
        domain_authentication_kind: object
            .get("DomainAuthenticationKind")
            .and_then(|cell| cell.word(KINDS_OF_AUTHENTICATION))
            .map(str::to_owned),
        ipv4: object.get("IPv4Connectivity").and_then(|cell| cell.word(CONNECTIVITIES)),
        ipv6: object.get("IPv6Connectivity").and_then(|cell| cell.word(CONNECTIVITIES)),
        line: object.line,
        ipv4_line: line_of("IPv4Connectivity"),
        ipv6_line: line_of("IPv6Connectivity"),
    })
}

/// A table that has lost the rule below its header: the words of the header stand in for it.
fn bare_table(block: &Block<'_>) -> Vec<Profile> {
    let is_header =
        |line: &str| KEYS.iter().filter(|key| line.split_whitespace().any(|word| word == **key)).count() >= 2;
    let Some((at, header)) = block.lines().find(|(_, line)| is_header(line)) else { return Vec::new() };
    let rule: String = header.chars().map(|c| if c.is_whitespace() { ' ' } else { '-' }).collect();
    let below = Block { from: at.saturating_add(1), ..*block };
    let rows: Vec<(u32, &str)> = below.lines().take_while(|(_, line)| !line.trim().is_empty()).collect();
    let lines: Vec<(u32, &str)> = [(at, header), (at, rule.as_str())].into_iter().chain(rows).collect();
    let table = columns::table(&lines).map(|(objects, _)| objects).unwrap_or_default();
    table.iter().filter_map(profile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture;
    use crate::artifact::text::Text;

    fn read_one(text: &str) -> (CaptureStatus, Vec<Profile>) {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::ConnectionProfile), "{captures:?}");
        let CaptureData::ConnectionProfile(data) = &captures[0].data else {
            return (captures[0].status, Vec::new());
        };
        (captures[0].status, data.profiles.clone())
    }

    #[test]
    fn numbers_of_every_enumeration() {
        // The numbers of the documented class (text_formats.md 4.1); PS 5.1 wraps arrays in value/Count.
        let (status, profiles) = read_one(
            "{\"value\": [{\"InterfaceAlias\": \"a\", \"NetworkCategory\": 2, \"IPv4Connectivity\": 1, \"IPv6Connectivity\": 0},\n\
             {\"InterfaceAlias\": \"b\", \"NetworkCategory\": 0, \"IPv4Connectivity\": 3, \"IPv6Connectivity\": 2}], \"Count\": 2}",
        );
        assert_eq!(status, CaptureStatus::Parsed);
        assert_eq!(profiles[0].network_category, Some(Category::DomainAuthenticated));
        assert_eq!(
            (profiles[0].ipv4, profiles[0].ipv6),
            (Some(Connectivity::NoTraffic), Some(Connectivity::Disconnected))
        );
        assert_eq!((profiles[1].ipv4, profiles[1].ipv6_line), (Some(Connectivity::LocalNetwork), Some(2)));
    }

    #[test]
    fn csv_of_powershell_5() {
        let (status, profiles) = read_one(
            "#TYPE Microsoft.Management.Infrastructure.CimInstance#root/StandardCimv2/MSFT_NetConnectionProfile\r\n\
             \"Name\",\"InterfaceAlias\",\"InterfaceIndex\",\"NetworkCategory\",\"IPv4Connectivity\",\"IPv6Connectivity\"\r\n\
             \"a, b\",\"WLAN\",\"7\",\"Private\",\"Internet\",\"NoTraffic\"\r\n",
        );
        assert_eq!((status, profiles[0].name.as_deref()), (CaptureStatus::Parsed, Some("a, b")));
        assert_eq!((profiles[0].interface_index, profiles[0].line), (Some(7), 3));
    }

    #[test]
    fn a_table_without_its_rule_and_with_cut_cells() {
        let (status, profiles) = read_one(
            "InterfaceAlias      NetworkCategory IPv4Connectivity\n\
             vEthernet (k...              Public        NoTraffic\n\
             Wi-Fi           DomainAuthenticated         Internet\n",
        );
        assert_eq!(status, CaptureStatus::Parsed);
        assert_eq!(
            (profiles[0].interface_alias.as_deref(), profiles[0].ipv4),
            (None, Some(Connectivity::NoTraffic))
        );
        assert_eq!(profiles[1].ipv4, Some(Connectivity::Internet));
    }

    #[test]
    fn nothing_is_only_nothing_behind_the_command() {
        let (status, profiles) = read_one("PS C:\\> Get-NetConnectionProfile\n\nPS C:\\> \n");
        assert_eq!((status, profiles.len()), (CaptureStatus::Empty, 0));
        let captures = capture::read(&Text::decode(b"PS C:\\> Get-NetConnectionProfile\n\n"));
        assert_eq!(captures[0].status, CaptureStatus::Empty);
        assert!(matches!(captures[0].data, CaptureData::Nothing));
        let captures = capture::read(&Text::decode(b""));
        assert_eq!((captures[0].kind, captures[0].status), (CaptureKind::Unknown, CaptureStatus::Empty));
    }

    #[test]
    fn a_refused_or_cut_output_is_unknown() {
        let (status, _) = read_one(
            "PS C:\\> Get-NetConnectionProfile\nGet-NetConnectionProfile : Access denied\n    + CategoryInfo : PermissionDenied: \
             (MSFT_NetConnectionProfile:root/StandardCimv2/MSFT_NetConnectionProfile) [], CimException\n",
        );
        assert_eq!(status, CaptureStatus::ErrorOutput);
        let (status, profiles) =
            read_one("Name : a\nInterfaceAlias : b\nNetworkCategory : Private\nIPv4Connect");
        assert_eq!((status, profiles[0].ipv4), (CaptureStatus::Partial, None));
        let (status, _) = read_one("{ \"InterfaceAlias\": \"a\", \"NetworkCategory\": 1, \"IPv4Conn");
        assert_eq!(status, CaptureStatus::Unrecognized);
    }
}
