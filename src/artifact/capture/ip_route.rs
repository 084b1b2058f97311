//! `netsh interface ipv4|ipv6 show route`: the routing table with interface names.
//!
//! Header and the first two columns (published, origin) are localised; a route is recognised by the prefix in its middle, with the
//! metric before it and the interface index behind it. What follows the index is the next hop or, for what is on the link, the
//! name of the interface.

use std::net::IpAddr;

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::columns::wide_cells;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The routes in the order of the output.
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// 1-based line.
    pub line: u32,
    /// Destination network.
    pub destination: IpAddr,
    /// Length of its prefix.
    pub prefix_length: u8,
    /// Metric.
    pub metric: u32,
    /// Interface index.
    pub interface_index: u32,
    /// Next hop; `None` when the destination is on the link itself.
    pub gateway: Option<IpAddr>,
    /// Name of the interface, printed for routes without a next hop. A table can cut it.
    pub interface_name: Option<String>,
    /// Where the route comes from, in the language of the output (`Manual`, `System`).
    pub origin: String,
}

impl Data {
    /// The default routes of both families.
    pub fn defaults(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| route.destination.is_unspecified() && route.prefix_length == 0)
    }
}

/// Reads this kind.
pub const READER: Reader =
    Reader { kind: CaptureKind::IpRoute, recognise, starts: |line| line.starts_with("Publish  Type "), read };

fn recognise(block: &Block<'_>) -> u8 {
    let mut rule = false;
    for (number, line) in block.lines() {
        if rule && route(number, line).is_some() {
            return 90;
        }
        rule |= is_table_rule(line);
    }
    0
}

/// Width of the last column: next hop or interface name.
const LAST_COLUMN: usize = 24;

/// Six groups of dashes.
fn is_table_rule(line: &str) -> bool {
    netsh::is_rule(line, '-', 20) && line.split_ascii_whitespace().count() == 6
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let (mut rule, mut language) = (false, None);
    for (number, line) in block.lines() {
        let text = line.trim();
        if is_table_rule(text) {
            rule = true;
            // The last column is 24 wide; a narrower one was cut, and so were next hops.
            if text.rsplit(' ').next().is_some_and(|last| last.len() < LAST_COLUMN) {
                doubts.at(number, "the last column is cut off");
            }
        } else if rule && !text.is_empty() {
            match route(number, text) {
                Some(route) => data.routes.push(route),
                None => doubts.at(number, format!("expected a route, found {}", netsh::quote(text))),
            }
        } else if text.starts_with("Publish ") {
            language = Some("en");
        }
    }
    if data.routes.is_empty() {
        doubts.whole("no route was printed");
    }
    netsh::reading(CaptureData::IpRoute(data), language, &doubts)
}

fn route(line: u32, text: &str) -> Option<Route> {
    let at = text.split_ascii_whitespace().find(|word| netsh::prefix(word).is_some())?;
    let (before, behind) = text.split_once(at)?;
    let (destination, prefix_length) = netsh::prefix(at)?;
    let (origin, metric) = before.trim().rsplit_once(' ')?;
    let (index, target) = behind.trim().split_once(' ')?;
    let target = target.trim();
    let gateway = netsh::ip(target);
    // The rest of an address is no name.
    if gateway.is_none()
        && target.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'%'))
    {
        return None;
    }
    Some(Route {
        line,
        destination,
        prefix_length,
        metric: metric.parse().ok()?,
        interface_index: index.parse().ok()?,
        gateway,
        interface_name: gateway.is_none().then(|| target.to_owned()),
        origin: wide_cells(origin).last().copied().unwrap_or_default().to_owned(),
    })
}
