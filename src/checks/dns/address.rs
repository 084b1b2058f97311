//! Where an address can lead: to the internet, into a tunnel, or nowhere outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address can be, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// This machine, its own network, or no host at all.
    Inside,
    /// Neither: carriers, tunnels and proxy products hand such addresses out, on machines that work as on those that do not. Only the
    /// product knows where they lead.
    Tunnel,
    /// Possibly somebody's on the internet.
    Internet,
}

/// IPv4 networks that are not on the internet (RFC 6890 and RFC 1112): network, length of its prefix, and what it is.
const NETWORKS: &[(Ipv4Addr, u32, Space)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, Space::Inside),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Space::Inside),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Space::Tunnel),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Space::Inside),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Space::Inside),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Space::Inside),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Space::Inside),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Space::Tunnel),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Space::Inside),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Space::Inside),
];
/// IPv6 networks that are not on the internet: the first 16 bits, and how many of them count (private, link-local, site-local, multicast).
const NETWORKS_V6: &[(u16, u16)] = &[(0xfc00, 0xfe00), (0xfe80, 0xffc0), (0xfec0, 0xffc0), (0xff00, 0xff00)];
/// NAT64: an IPv4 address stands in the last 32 bits (RFC 6052).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// What an address can be.
pub fn space(address: IpAddr) -> Space {
    match address {
        IpAddr::V4(v4) => of_v4(v4),
        IpAddr::V6(v6) => of_v6(v6),
    }
}

/// Whether an address can be somebody's on the internet.
pub fn is_public(address: IpAddr) -> bool {
    space(address) == Space::Internet
}

fn of_v4(address: Ipv4Addr) -> Space {
    let inside = |(network, bits, _): &&(Ipv4Addr, u32, Space)| {
        (u32::from(address) ^ u32::from(*network)).leading_zeros() >= *bits
    };
    NETWORKS.iter().find(inside).map_or(Space::Internet, |(.., space)| *space)
}

fn of_v6(address: Ipv6Addr) -> Space {
    let words = address.segments();
    if let Some(v4) = address.to_ipv4_mapped() {
        return of_v4(v4);
    }
    if words.starts_with(&NAT64) {
        let bits = u128::from(address) & u128::from(u32::MAX);
        return u32::try_from(bits).map_or(Space::Internet, |bits| of_v4(bits.into()));
    }
    let first = words.first().copied().unwrap_or_default();
    let is_local = NETWORKS_V6.iter().any(|(network, mask)| first & mask == *network);
    if is_local || address.is_loopback() || address.is_unspecified() {
        Space::Inside
    } else {
        Space::Internet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_addresses_can_be() {
        let rows = [
            (
                Space::Inside,
                "0.0.0.0 0.0.0.1 10.0.0.5 127.0.0.1 169.254.1.1 172.31.0.1 192.168.1.1 224.0.0.1 240.0.0.1 255.255.255.255 \
                 :: ::1 fd3e:4f5a:5b81::1 fe80::1 fec0::1 ff02::1 ::ffff:10.0.0.5 64:ff9b::a00:5",
            ),
            (
                Space::Tunnel,
                "100.64.0.1 100.127.255.255 198.18.0.9 198.19.255.255 ::ffff:198.18.0.1 64:ff9b::6440:9",
            ),
            (
                Space::Internet,
                "1.1.1.1 20.190.160.14 100.63.0.1 100.128.0.1 172.32.0.1 192.0.2.1 198.17.0.1 198.20.0.1 2603:1006::1 \
                 64:ff9b::14be:a00e ::ffff:40.126.32.74",
            ),
        ];
        for (expected, addresses) in rows {
            for address in addresses.split_whitespace() {
                assert_eq!(space(address.parse().unwrap()), expected, "{address}");
            }
        }
        assert!(Space::Inside < Space::Tunnel && Space::Tunnel < Space::Internet);
    }
}
