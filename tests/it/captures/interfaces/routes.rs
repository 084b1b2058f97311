//! Neighbours and routes.

use actriage::artifact::capture::{CaptureKind, ip_route, neighbors, route_print};

use super::{data, ip, one, root_or_return};

#[test]
fn neighbours_of_windows_10() {
    use neighbors::State;
    let root = root_or_return!();
    let data: neighbors::Data = data!(&root, "netsh_int_show_neighbors/en-win10-1.txt", Neighbors);
    let tables: Vec<_> = data
        .interfaces
        .iter()
        .map(|found| (found.index, found.name.as_deref().unwrap_or(""), found.entries.len()))
        .collect();
    assert_eq!(
        tables,
        [
            (1, "Loopback Pseudo-Interface 1", 7),
            (13, "Local Area Connection 2", 7),
            (5, "Ethernet 4", 12),
            (16, "VMware Network Adapter VMnet1", 7),
            (28, "VMware Network Adapter VMnet8", 6),
            (15, "Ethernet 5", 7),
            (12, "Ethernet 6", 6),
            (72, "vEthernet (WSL)", 5),
            (24, "VirtualBox Host-Only Network #2", 6),
            (23, "VirtualBox Host-Only Network", 6),
            (2, "Bluetooth Network Connection 2", 7),
        ]
    );
    let gateway = &data.interfaces[2].entries[0];
    assert_eq!(
        (gateway.address, gateway.mac.as_deref(), gateway.state),
        (ip("10.0.0.1"), Some("6A-D7-9A-BB-FE-E2"), Some(State::Reachable))
    );
    assert_eq!(data.interfaces[2].entries[1].state, Some(State::Stale));
    let unreachable = &data.interfaces[3].entries[0];
    assert_eq!((unreachable.mac.as_deref(), unreachable.state), (None, Some(State::Unreachable)));
    assert_eq!(data.interfaces[0].entries[0].line, 7);
}

#[test]
fn routes_of_windows_10() {
    let root = root_or_return!();
    let data: ip_route::Data = data!(&root, "netsh_int_show_route/en-win10-1.txt", IpRoute);
    assert_eq!(data.routes.len(), 47);
    let default: Vec<_> = data.defaults().collect();
    assert_eq!(default.len(), 1);
    assert_eq!(
        (default[0].line, default[0].metric, default[0].interface_index, default[0].gateway),
        (4, 0, 5, Some(ip("10.0.0.1")))
    );
    let wsl = &data.routes[7];
    assert_eq!((wsl.destination, wsl.prefix_length, wsl.interface_index), (ip("172.17.112.0"), 20, 72));
    assert_eq!(
        (wsl.interface_name.as_deref(), wsl.gateway, wsl.origin.as_str()),
        (Some("vEthernet (WSL)"), None, "System")
    );
}

fn v4(text: &str) -> std::net::Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn route_print_in_german_and_french() {
    let root = root_or_return!();
    let file = "route_print/de-win11-1.txt";
    assert_eq!(one(&root, file, CaptureKind::RoutePrint).language.as_deref(), Some("de"));
    let data: route_print::Data = data!(&root, file, RoutePrint);
    assert_eq!(
        (data.interfaces.len(), data.interfaces[0].index, data.interfaces[0].mac.as_deref()),
        (1, 12, None)
    );
    assert_eq!(data.interfaces[0].description, "Intel(R) Wi-Fi 6 AX201");
    let rows: Vec<_> = data
        .ipv4
        .iter()
        .map(|route| {
            (route.line, route.destination, route.prefix_length, route.gateway, route.interface, route.metric)
        })
        .collect();
    assert_eq!(
        rows,
        [
            (10, v4("0.0.0.0"), 0, Some(v4("192.168.178.1")), Some(v4("192.168.178.24")), Some(30)),
            (11, v4("127.0.0.0"), 8, None, Some(v4("127.0.0.1")), Some(331)),
            (12, v4("192.168.6.0"), 24, None, Some(v4("192.168.6.1")), Some(291)),
            (13, v4("192.168.178.0"), 24, None, Some(v4("192.168.178.24")), Some(286)),
            (14, v4("224.0.0.0"), 4, None, Some(v4("127.0.0.1")), Some(331)),
        ]
    );
    assert!(data.ipv4_complete && data.ipv4_persistent.is_empty() && !data.ipv6_complete);

    let data: route_print::Data = data!(&root, "route_print/fr-win10-1.txt", RoutePrint);
    let indexes: Vec<_> = data.interfaces.iter().map(|found| (found.index, found.mac.as_deref())).collect();
    assert_eq!(indexes, [(17, Some("00-28-F8-39-61-6B")), (1, None)]);
    assert_eq!(
        (data.ipv4.len(), data.ipv4[0].gateway, data.ipv4_complete),
        (1, Some(v4("10.88.88.2")), true)
    );
}

#[test]
fn route_print_in_english() {
    let root = root_or_return!();
    let data: route_print::Data = data!(&root, "route_print/en-win10-2.txt", RoutePrint);
    assert_eq!((data.interfaces.len(), data.ipv4.len(), data.ipv4_complete), (10, 41, true));
    assert_eq!(data.interfaces[0].description, "Intel(R) Ethernet Connection (7) I219-V");
    assert_eq!(data.interfaces[9].mac, None);
    let defaults: Vec<_> =
        data.ipv4_defaults().map(|route| (route.line, route.gateway, route.metric)).collect();
    assert_eq!(defaults, [(19, Some(v4("10.0.0.1")), Some(25))]);

    let data: route_print::Data = data!(&root, "route_print/en-win10-4.txt", RoutePrint);
    assert_eq!((data.ipv4.len(), data.ipv4_persistent.len()), (4, 2));
    let persistent: Vec<_> =
        data.ipv4_persistent.iter().map(|route| (route.prefix_length, route.gateway, route.metric)).collect();
    assert_eq!(persistent, [(0, Some(v4("10.88.88.2")), None), (32, Some(v4("10.88.88.2")), Some(1))]);
    assert_eq!(data.interfaces[0].description, "Intel(R) PRO/100 VE Network Connection");

    // A list that was seen to its end and has no default route …
    let data: route_print::Data = data!(&root, "route_print/en-win10-5.txt", RoutePrint);
    assert_eq!((data.ipv4.len(), data.ipv4_defaults().count(), data.ipv4_complete), (3, 0, true));

    // … is not the same as a list of which nothing is known.
    let data: route_print::Data = data!(&root, "route_print/en-win10-6.txt", RoutePrint);
    assert_eq!((data.ipv4.len(), data.ipv4_complete), (0, false));
}
