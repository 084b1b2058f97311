//! The firewall, TCP, and the scripts that netsh writes of its settings.

use actriage::artifact::capture::{CaptureKind, firewall_profiles, netsh_dump, tcp_global};

use super::{data, one, root_or_return};

#[test]
fn firewall_profiles_in_german_and_chinese() {
    use firewall_profiles::{Inbound, Outbound, ProfileName};
    let root = root_or_return!();
    let found = one(&root, "netsh_advfirewall/de-win10-1.txt", CaptureKind::FirewallProfiles);
    assert_eq!(found.language.as_deref(), Some("de"));
    let data: firewall_profiles::Data = data!(&root, "netsh_advfirewall/de-win10-1.txt", FirewallProfiles);
    let rows: Vec<_> = data
        .profiles
        .iter()
        .map(|profile| (profile.name, profile.enabled, profile.enabled_line, profile.outbound))
        .collect();
    assert_eq!(
        rows,
        [
            (Some(ProfileName::Domain), Some(true), Some(2), None),
            (Some(ProfileName::Private), Some(true), Some(4), None),
            (Some(ProfileName::Public), Some(true), Some(6), None),
        ]
    );

    let data: firewall_profiles::Data = data!(&root, "netsh_advfirewall/zh-win10-1.txt", FirewallProfiles);
    assert_eq!(data.profiles.len(), 1);
    let profile = &data.profiles[0];
    assert_eq!((profile.name, profile.line), (Some(ProfileName::Domain), 1));
    assert_eq!((profile.enabled, profile.enabled_text.as_deref()), (Some(true), Some("打开")));
    assert_eq!(
        (profile.inbound, profile.outbound, profile.policy_line),
        (Some(Inbound::Block), Some(Outbound::Allow), Some(4))
    );
    assert_eq!((profile.local_rules, profile.log_file.as_deref()), (None, None));
}

#[test]
fn netsh_dumps() {
    let root = root_or_return!();
    let data: netsh_dump::Data = data!(&root, "netsh_dump/en-win10-1.txt", NetshDump);
    assert_eq!(data.contexts.len(), 1);
    let context = &data.contexts[0];
    assert_eq!((context.name.as_str(), context.line, context.closed), ("interface ipv4", 4, false));
    let verbs: Vec<_> =
        context.commands.iter().map(|command| (command.line, command.verb.as_str())).collect();
    assert_eq!(
        verbs,
        [(6, "reset"), (7, "set global"), (8, "add route"), (9, "add route"), (10, "add route")]
    );
    let route = &context.commands[2];
    assert_eq!(route.argument("interface"), Some("vEthernet (Ethernet) 2"));
    assert_eq!(
        (route.argument("prefix"), route.argument("nexthop")),
        (Some("0.0.0.0/0"), Some("172.19.48.1"))
    );
    assert_eq!(context.commands[4].argument("nexthop"), Some("192.0.2.5"));

    let data: netsh_dump::Data = data!(&root, "netsh_dump/ru-win11-1.txt", NetshDump);
    let names: Vec<_> = data.contexts.iter().map(|context| (context.name.as_str(), context.closed)).collect();
    assert_eq!(
        names,
        [("interface", true), ("interface ipv4", true), ("interface tcp", true), ("interface teredo", true)]
    );
    assert!(data.contexts[0].commands.is_empty());
    let ipv4 = &data.contexts[1];
    assert_eq!(ipv4.commands.len(), 7);
    assert_eq!(ipv4.commands[2].argument("interface"), Some("Ethernet (отладчик ядра)"));
    assert_eq!(ipv4.commands[6].verb, "add address");
    assert_eq!(ipv4.commands[6].argument("name"), Some("VirtualBox Host-Only Network"));
    assert_eq!(ipv4.commands[6].argument("mask"), Some("255.255.255.0"));
    let tcp = &data.contexts[2].commands[1];
    assert_eq!((tcp.verb.as_str(), tcp.arguments.len()), ("set global", 14));
    assert_eq!(
        (tcp.argument("autotuninglevel"), tcp.argument("pacingprofile")),
        (Some("normal"), Some("off"))
    );
    assert_eq!(data.contexts[3].commands[0].argument("servername"), Some("win1910.ipv6.microsoft.com."));
}

#[test]
fn tcp_parameters_of_server_2012() {
    use tcp_global::Parameter;
    let root = root_or_return!();
    let data: tcp_global::Data = data!(&root, "netsh_int_tcp_show_global/en-win2012r2-1.txt", TcpGlobal);
    let value = |parameter| data.value(parameter).map(|setting| (setting.line, setting.value.as_str()));
    assert_eq!(data.settings.len(), 10);
    assert_eq!(value(Parameter::ReceiveSideScaling), Some((3, "enabled")));
    assert_eq!(value(Parameter::ChimneyOffload), Some((4, "disabled")));
    assert_eq!(value(Parameter::NetDma), Some((5, "disabled")));
    assert_eq!(value(Parameter::DirectCacheAccess), Some((6, "disabled")));
    assert_eq!(value(Parameter::AutoTuningLevel), Some((7, "normal")));
    assert_eq!(value(Parameter::CongestionProvider), Some((8, "default")));
    assert_eq!(value(Parameter::EcnCapability), Some((9, "enabled")));
    assert_eq!(value(Parameter::Timestamps), Some((10, "disabled")));
    assert_eq!(value(Parameter::InitialRto), Some((11, "3000")));
    assert_eq!(value(Parameter::ReceiveSegmentCoalescing), Some((12, "enabled")));
}
