//! `route print`: the interfaces, the active routes and the persistent routes.
//!
//! Headings are localised and so is the word for "on-link", which can hold a blank (`Auf Verbindung`). The lines themselves are
//! not: a route is two dotted quads, a gateway or words, a dotted quad and a metric. Which list a line belongs to follows from
//! the `===` rules. That no default route was printed means something only when the list of active routes was seen to its end,
//! so each list says whether it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::cell;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The interface list at the head.
    pub interfaces: Vec<Interface>,
    /// Active IPv4 routes.
    pub ipv4: Vec<Ipv4Route>,
    /// Whether the list of active IPv4 routes was seen to its end and holds at least one route.
    pub ipv4_complete: bool,
    /// IPv4 routes that are set again at each start.
    pub ipv4_persistent: Vec<Ipv4Route>,
    /// Active IPv6 routes.
    pub ipv6: Vec<Ipv6Route>,
    /// Whether the list of active IPv6 routes was seen to its end and holds at least one route.
    pub ipv6_complete: bool,
    /// IPv6 routes that are set again at each start.
    pub ipv6_persistent: Vec<Ipv6Route>,
}

/// One line of the interface list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interface {
    /// 1-based line.
    pub line: u32,
    /// Interface index.
    pub index: u32,
    /// MAC address, `None` for loopback and tunnels.
    pub mac: Option<String>,
    /// Description of the adapter.
    pub description: String,
}

/// One IPv4 route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ipv4Route {
    /// 1-based line.
    pub line: u32,
    /// Destination network.
    pub destination: Ipv4Addr,
    /// Length of its mask.
    pub prefix_length: u8,
    /// Next hop; `None` when the destination is on the link itself.
    pub gateway: Option<Ipv4Addr>,
    /// Own address of the interface; `None` for persistent routes, which are not bound to one.
    pub interface: Option<Ipv4Addr>,
    /// Metric; `None` for the default metric of a persistent route.
    pub metric: Option<u32>,
}

/// One IPv6 route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ipv6Route {
    /// 1-based line.
    pub line: u32,
    /// Interface index; 0 in a persistent route that is not bound to one.
    pub interface_index: u32,
    /// Metric.
    pub metric: u32,
    /// Destination network.
    pub destination: Ipv6Addr,
    /// Length of its prefix.
    pub prefix_length: u8,
    /// Next hop; `None` when the destination is on the link itself.
    pub gateway: Option<Ipv6Addr>,
}

impl Data {
    /// The active IPv4 default routes.
    pub fn ipv4_defaults(&self) -> impl Iterator<Item = &Ipv4Route> {
        self.ipv4.iter().filter(|route| route.destination.is_unspecified() && route.prefix_length == 0)
    }

    /// The active IPv6 default routes.
    pub fn ipv6_defaults(&self) -> impl Iterator<Item = &Ipv6Route> {
        self.ipv6.iter().filter(|route| route.destination.is_unspecified() && route.prefix_length == 0)
    }
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::RoutePrint, recognise, starts: is_separator, read };

fn is_separator(line: &str) -> bool {
    netsh::is_rule(line, '=', 60) && !line.trim().contains(' ')
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut separators, mut marks) = (0usize, 0usize);
    for (number, line) in block.lines() {
        if is_separator(line) {
            separators += 1;
        } else if interface(number, line).is_some() || route_marks(line) {
            marks += 1;
        }
    }
    match (separators, marks) {
        (1.., 1..) => 95,
        _ => 0,
    }
}

fn route_marks(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let v4 = words.next().and_then(netsh::ipv4).is_some() && words.next().and_then(netsh::ipv4).is_some();
    v4 || ipv6_route(0, line).is_some()
}

/// Where in the output a line stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Interfaces,
    Active,
    Persistent,
}

/// What is known while the lines go by.
#[derive(Default)]
struct Walk {
    part: Part,
    /// Whether the lines are those of the IPv6 table.
    family_v6: bool,
    /// The last active route was IPv6 and its gateway is on the next line.
    waiting: Option<Ipv6Route>,
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut walk = Walk::default();
    for (number, line) in block.lines() {
        if let Some(route) = walk.waiting.take() {
            finish_wrapped(route, line, &mut data, &walk, &mut doubts);
        } else if is_separator(line) {
            close_list(&mut walk, &mut data);
        } else if !line.trim().is_empty() {
            read_line(number, line, &mut data, &mut walk, &mut doubts);
        }
    }
    if data.ipv4.is_empty() && data.ipv6.is_empty() {
        doubts.whole("no active route was printed");
    } else if walk.part == Part::Active {
        doubts.whole("the list of active routes has no end: the capture is cut off");
    }
    let language = language(block);
    netsh::reading(CaptureData::RoutePrint(data), language, &doubts)
}

fn close_list(walk: &mut Walk, data: &mut Data) {
    if walk.part == Part::Active {
        data.ipv4_complete |= !walk.family_v6 && !data.ipv4.is_empty();
        data.ipv6_complete |= walk.family_v6 && !data.ipv6.is_empty();
        walk.part = Part::Persistent;
    }
}

fn read_line(number: u32, line: &str, data: &mut Data, walk: &mut Walk, doubts: &mut Doubts) {
    if let Some(route) = ipv4_route(number, line) {
        match (route.interface.is_some(), walk.part) {
            (true, Part::Persistent) if !walk.family_v6 && data.ipv4_complete => {
                doubts.at(number, "an active route behind the end of the active routes");
            }
            (true, _) => {
                (walk.part, walk.family_v6) = (Part::Active, false);
                data.ipv4.push(route);
            }
            (false, Part::Persistent) => data.ipv4_persistent.push(route),
            (false, _) => {
                doubts.at(number, format!("expected an active route, found {}", netsh::quote(line)))
            }
        }
    } else if let Some((route, gateway)) = ipv6_route(number, line) {
        // The first IPv6 route after an IPv4 table opens the IPv6 table.
        if !walk.family_v6 {
            (walk.part, walk.family_v6) = (Part::Active, true);
        }
        match gateway {
            Some(gateway) => push_ipv6(Ipv6Route { gateway: netsh::ipv6(gateway), ..route }, data, walk),
            None => walk.waiting = Some(route),
        }
    } else if let Some(found) = interface(number, line).filter(|_| walk.part == Part::Interfaces) {
        data.interfaces.push(found);
    } else if line.split_ascii_whitespace().any(|word| netsh::ipv4(word).is_some())
        && !is_default_gateway(line)
    {
        doubts.at(number, format!("expected a route, found {}", netsh::quote(line)));
    }
}

/// Windows XP repeats the gateway in a line of its own (`Default Gateway:       192.168.1.1`).
fn is_default_gateway(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(label, value)| netsh::ipv4(value).is_some() && netsh::ipv4(label).is_none())
}

fn push_ipv6(route: Ipv6Route, data: &mut Data, walk: &Walk) {
    // Only a persistent route has no interface.
    if walk.part == Part::Persistent || route.interface_index == 0 {
        data.ipv6_persistent.push(route);
    } else {
        data.ipv6.push(route);
    }
}

/// A long destination leaves no room for the gateway, which then stands alone in the next line.
fn finish_wrapped(route: Ipv6Route, line: &str, data: &mut Data, walk: &Walk, doubts: &mut Doubts) {
    let gateway = line.trim();
    if gateway.is_empty() || is_separator(line) || ipv6_route(0, line).is_some() {
        doubts.at(route.line, "the gateway of the route is missing");
    } else {
        push_ipv6(Ipv6Route { gateway: netsh::ipv6(gateway), ..route }, data, walk);
    }
}

/// Active: destination, mask, gateway or words, interface, metric. Persistent: destination, mask, gateway, metric or a word.
///
/// A destination with bits outside its mask cannot be in a routing table: such a line was cut.
fn ipv4_route(line: u32, text: &str) -> Option<Ipv4Route> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [destination, mask, middle @ .., last] = words.as_slice() else { return None };
    let destination = netsh::ipv4(destination)?;
    let mask = netsh::ipv4(mask)?;
    let prefix_length = netsh::mask_length(mask)?;
    if u32::from(destination) & !u32::from(mask) != 0 {
        return None;
    }
    let metric = last.parse().ok();
    let route = Ipv4Route { line, destination, prefix_length, gateway: None, interface: None, metric };
    match middle {
        [gateway] => Some(Ipv4Route { gateway: Some(netsh::ipv4(gateway)?), ..route })
            .filter(|_| netsh::ipv4(last).is_none()),
        [gateway @ .., interface] if metric.is_some() => {
            let next_hop = match gateway {
                [address] if address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
                    Some(netsh::ipv4(address)?)
                }
                words if words.iter().all(|word| netsh::ipv4(word).is_none()) => None,
                _ => return None,
            };
            Some(Ipv4Route { gateway: next_hop, interface: Some(netsh::ipv4(interface)?), ..route })
        }
        _ => None,
    }
}

/// Index, metric, prefix, and what stands behind it.
fn ipv6_route(line: u32, text: &str) -> Option<(Ipv6Route, Option<&str>)> {
    let mut rest = text.trim();
    let mut word = || {
        let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = behind.trim_start();
        word
    };
    let interface_index = word().parse().ok()?;
    let metric = word().parse().ok()?;
    let (IpAddr::V6(destination), prefix_length) = netsh::prefix(word())? else { return None };
    let route = Ipv6Route { line, interface_index, metric, destination, prefix_length, gateway: None };
    Some((route, (!rest.is_empty()).then_some(rest)))
}

/// `12...b4 2e 99 35 1e 86 ......Description`, with or without a MAC; the index is hexadecimal in Windows XP.
fn interface(line: u32, text: &str) -> Option<Interface> {
    let (index, rest) = text.trim().split_once("...")?;
    let index = index.trim();
    let index = match index.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => index.parse().ok()?,
    };
    const MAC_LENGTH: usize = 17;
    let rest = rest.trim_start_matches(PADDING);
    let (address, behind) = rest.split_at_checked(MAC_LENGTH).unwrap_or((rest, ""));
    // Some people mask the address before they share the output.
    let is_mac = address.split(' ').map(str::len).eq([2; 6]) && behind.trim_start().starts_with("...");
    let description = if is_mac { behind } else { rest }.trim_start_matches(PADDING).trim_end();
    let mac = is_mac.then(|| cell::mac(address)).flatten();
    (!description.is_empty()).then(|| Interface { line, index, mac, description: description.to_owned() })
}

/// Stands between the parts of the interface list.
const PADDING: [char; 2] = ['.', ' '];

/// The heading of the active routes; the first four were seen in captures, the others only in documentation. They tell the
/// language and nothing else.
const LANGUAGES: &[(&str, &str)] = &[
    ("Active Routes", "en"),
    ("Aktive Routen", "de"),
    ("Itinéraires actifs", "fr"),
    ("Rutas activas", "es"),
    ("Route attive", "it"),
    ("Rotas ativas", "pt"),
    ("Активные маршруты", "ru"),
    ("活动路由", "zh-CN"),
    ("アクティブ ルート", "ja"),
    ("활성 경로", "ko"),
];

fn language(block: &Block<'_>) -> Option<&'static str> {
    block
        .lines()
        .find_map(|(_, line)| LANGUAGES.iter().find(|(word, _)| line.contains(word)).map(|(_, tag)| *tag))
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::{damage_says_nothing_new, data, read_unasked};
    use super::*;
    use crate::workshop::damage;

    const SEPARATOR: &str = "===========================================================================";

    fn whole() -> String {
        // Layout of route.exe of Windows 10; long IPv6 destinations push the gateway to the next line (text_formats.md 4.7).
        format!(
            "{SEPARATOR}\nInterface List\n 12...b4 2e 99 35 1e 86 ......Some adapter ... with dots\n  \
             1...........................Software Loopback Interface 1\n{SEPARATOR}\n\nIPv4 Route Table\n{SEPARATOR}\n\
             Active Routes:\nNetwork Destination        Netmask          Gateway       Interface  Metric\n          \
             0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.20     25\n        \
             127.0.0.0        255.0.0.0         On-link         127.0.0.1    331\n{SEPARATOR}\nPersistent Routes:\n  \
             Network Address          Netmask  Gateway Address  Metric\n         \
             10.9.0.0      255.255.0.0      192.168.1.9       1\n{SEPARATOR}\n\nIPv6 Route Table\n{SEPARATOR}\n\
             Active Routes:\n If Metric Network Destination      Gateway\n 12    281 ::/0                     fe80::1\n  \
             1    331 ::1/128                  On-link\n 12    281 fe80::10:2030:4050:6070/128\n                                    \
             On-link\n{SEPARATOR}\nPersistent Routes:\n If Metric Network Destination      Gateway\n  0 4294967295 2001:db8::/32            On-link\n"
        )
    }

    #[test]
    fn both_families_with_their_persistent_routes() {
        let (data, status, reason) = data!(RoutePrint, &whole());
        assert_eq!((status, reason), (CaptureStatus::Parsed, None));
        assert_eq!(data.interfaces[0].mac.as_deref(), Some("B4-2E-99-35-1E-86"));
        assert_eq!((data.ipv4.len(), data.ipv4_complete, data.ipv4_persistent.len()), (2, true, 1));
        assert_eq!((data.ipv4_persistent[0].prefix_length, data.ipv4_persistent[0].metric), (16, Some(1)));
        let v6: Vec<_> = data
            .ipv6
            .iter()
            .map(|route| (route.prefix_length, route.gateway.map(|ip| ip.to_string())))
            .collect();
        assert_eq!(v6, [(0, Some("fe80::1".to_owned())), (128, None), (128, None)]);
        assert!(data.ipv6_complete && data.ipv6_defaults().count() == 1);
        assert_eq!((data.ipv6_persistent.len(), data.ipv6_persistent[0].interface_index), (1, 0));
    }

    #[test]
    fn windows_xp_prints_indexes_in_hexadecimal() {
        let text = format!(
            "{SEPARATOR}\nInterface List\n0x1 ........................... MS TCP Loopback interface\n\
             0x10003 ...00 0c 29 a1 b2 c3 ...... AMD PCNET Family PCI Ethernet Adapter\n{SEPARATOR}\n{SEPARATOR}\nActive Routes:\n\
             Network Destination        Netmask          Gateway       Interface  Metric\n          \
             0.0.0.0          0.0.0.0      192.168.1.1    192.168.1.20       10\n\
             Default Gateway:       192.168.1.1\n{SEPARATOR}\nPersistent Routes:\n  None\n"
        );
        let (data, status, _) = data!(RoutePrint, &text);
        assert_eq!(
            (status, data.interfaces[1].index, data.ipv4_defaults().count()),
            (CaptureStatus::Parsed, 0x1_0003, 1)
        );
    }

    #[test]
    fn damage_never_makes_a_default_route_and_never_hides_one() {
        let text = whole();
        damage_says_nothing_new(CaptureKind::RoutePrint, &text, true);
        for damaged in damage::without_columns(&text, 1).into_iter().chain(damage::without_lines(&text, 3)) {
            let reading = read_unasked(CaptureKind::RoutePrint, &damaged);
            let CaptureData::RoutePrint(data) = reading.data else { continue };
            // A line that is left shows that there was a default route, though it cannot be read any more.
            let shown = damaged.lines().any(|line| line.trim_start().starts_with("0.0.0.0   "));
            let hidden = data.ipv4_complete && data.ipv4_defaults().count() == 0;
            assert!(!(shown && hidden && reading.status == CaptureStatus::Parsed), "{damaged}");
        }
    }
}
