//! Firewall profiles in the layouts that public transcripts show, and what damage must not make of them.

use super::super::netsh::testing::{claimed, damage_says_nothing_new, data, read, read_unasked};
use super::super::{CaptureKind, CaptureStatus};
use super::*;

const RULE: &str = "----------------------------------------------------------------------";

/// One profile as netsh of Windows 10 prints it (the same in several public transcripts).
fn english(name: &str, state: &str, policy: &str) -> String {
    format!(
        "\n{name} Profile Settings: \n{RULE}\n\
         State                                 {state}\n\
         Firewall Policy                       {policy}\n\
         LocalFirewallRules                    N/A (GPO-store only)\n\
         LocalConSecRules                      N/A (GPO-store only)\n\
         InboundUserNotification               Enable\n\
         RemoteManagement                      Not Configured\n\
         UnicastResponseToMulticast            Enable\n\n\
         Logging:\n\
         LogAllowedConnections                 Disable\n\
         LogDroppedConnections                 Enable\n\
         FileName                              %systemroot%\\system32\\LogFiles\\Firewall\\pfirewall.log\n\
         MaxFileSize                           4096\n\n"
    )
}

fn all_profiles() -> String {
    [
        english("Domain", "ON", "BlockInbound,AllowOutbound"),
        english("Private", "OFF", "AllowInbound,AllowOutbound"),
        english("Public", "ON", "BlockInboundAlways,BlockOutbound"),
        "Ok.\n\n".to_owned(),
    ]
    .concat()
}

#[test]
fn three_profiles_in_english() {
    let (data, status, reason) = data!(FirewallProfiles, &all_profiles());
    assert_eq!((status, reason), (CaptureStatus::Parsed, None));
    let rows: Vec<_> = data
        .profiles
        .iter()
        .map(|profile| (profile.line, profile.name, profile.enabled, profile.inbound, profile.outbound))
        .collect();
    assert_eq!(
        rows,
        [
            (2, Some(ProfileName::Domain), Some(true), Some(Inbound::Block), Some(Outbound::Allow)),
            (19, Some(ProfileName::Private), Some(false), Some(Inbound::Allow), Some(Outbound::Allow)),
            (36, Some(ProfileName::Public), Some(true), Some(Inbound::BlockAlways), Some(Outbound::Block)),
        ]
    );
    let public = &data.profiles[2];
    assert_eq!((public.enabled_line, public.policy_line), (Some(38), Some(39)));
    assert_eq!(
        (public.log_dropped, public.log_allowed, public.log_max_kib),
        (Some(true), Some(false), Some(4096))
    );
    assert_eq!(public.log_file.as_deref(), Some("%systemroot%\\system32\\LogFiles\\Firewall\\pfirewall.log"));
    assert_eq!(public.local_rules, None);
}

/// French, from a transcript of a student's machine; blanks before the colons.
const FRENCH: &str = "Paramètres Profil de domaine :\n\
    ----------------------------------------------------------------------\n\
    État                                  Actif\n\
    Stratégie de pare-feu                 BlockInbound,AllowOutbound\n\
    LocalFirewallRules                    N/A (magasin d'objets de stratégie de groupe uniquement)\n\
    InboundUserNotification               Activer\n\n\
    Journalisation :\n\
    LogAllowedConnections                 Désactiver\n\
    FileName                              %systemroot%\\system32\\LogFiles\\Firewall\\pfirewall.log\n\n\n\
    Paramètres Profil privé :\n\
    ----------------------------------------------------------------------\n\
    État                                  Actif\n\
    Stratégie de pare-feu                 BlockInbound,AllowOutbound\n\n\
    Paramètres Profil public :\n\
    ----------------------------------------------------------------------\n\
    État                                  Actif\n\
    Stratégie de pare-feu                 BlockInbound,AllowOutbound\n\n\
    Ok.\n";

#[test]
fn three_profiles_in_french() {
    assert_eq!(read(CaptureKind::FirewallProfiles, FRENCH).language.as_deref(), Some("fr"));
    let (data, status, _) = data!(FirewallProfiles, FRENCH);
    assert_eq!(status, CaptureStatus::Parsed);
    let rows: Vec<_> =
        data.profiles.iter().map(|profile| (profile.line, profile.name, profile.enabled)).collect();
    assert_eq!(
        rows,
        [
            (1, Some(ProfileName::Domain), Some(true)),
            (13, Some(ProfileName::Private), Some(true)),
            (18, Some(ProfileName::Public), Some(true)),
        ]
    );
    assert_eq!(data.profiles[0].log_allowed, Some(false));
}

#[test]
fn a_language_without_a_table_keeps_its_order_and_its_policy_but_no_state() {
    let text = all_profiles()
        .replace("Domain Profile Settings", "Aaa")
        .replace("Private Profile Settings", "Bbb")
        .replace("Public Profile Settings", "Ccc")
        .replace("State ", "Zzzzz ")
        .replace("  ON\n", "  BE\n")
        .replace("  OFF\n", "  KI\n");
    let (data, status, reason) = data!(FirewallProfiles, &text);
    assert_eq!(status, CaptureStatus::Partial);
    assert!(reason.unwrap().contains("line 4: the word \"BE\" for the state is not known"));
    let rows: Vec<_> =
        data.profiles.iter().map(|profile| (profile.name, profile.enabled, profile.outbound)).collect();
    assert_eq!(
        rows,
        [
            (Some(ProfileName::Domain), None, Some(Outbound::Allow)),
            (Some(ProfileName::Private), None, Some(Outbound::Allow)),
            (Some(ProfileName::Public), None, Some(Outbound::Block)),
        ]
    );
}

#[test]
fn a_refusal_is_unknown() {
    let reading = read_unasked(
        CaptureKind::FirewallProfiles,
        "\nThe requested operation requires elevation (Run as administrator).\n",
    );
    assert_eq!(reading.status, CaptureStatus::ErrorOutput);
    // A refusal that interrupts an output (netsh_advfirewall of a gatherNetworkInfo folder, text_formats.md 2).
    let glued =
        format!("{}QuickModePFS   Access DeniedThe requested operation requires elevation\n", all_profiles());
    let (data, status, _) = data!(FirewallProfiles, &glued);
    assert_eq!((data.profiles.len(), status), (3, CaptureStatus::Partial));
}

#[test]
fn powershell_as_list_and_as_json() {
    // Properties of MSFT_NetFirewallProfile; numbers of GpoBoolean and Action as JSON shows them.
    let list = "Name                            : Domain\nEnabled                         : True\n\
        DefaultInboundAction            : NotConfigured\nDefaultOutboundAction           : Block\n\
        AllowLocalFirewallRules         : NotConfigured\nLogFileName                     : %systemroot%\\pf.log\n\
        LogMaxSizeKilobytes             : 4096\nLogAllowed                      : False\nLogBlocked                      : True\n\n\
        Name                            : Public\nEnabled                         : False\n\
        DefaultInboundAction            : Block\nDefaultOutboundAction           : Allow\n";
    let (data, status, _) = data!(FirewallProfiles, list);
    assert_eq!((status, data.profiles.len()), (CaptureStatus::Parsed, 2));
    let domain = &data.profiles[0];
    assert_eq!(
        (domain.enabled, domain.outbound, domain.policy_line),
        (Some(true), Some(Outbound::Block), Some(4))
    );
    assert_eq!((domain.local_rules, domain.log_dropped, domain.log_max_kib), (None, Some(true), Some(4096)));
    assert_eq!((data.profiles[1].name, data.profiles[1].enabled), (Some(ProfileName::Public), Some(false)));

    let json = "[\n    {\n        \"Name\":  \"Private\",\n        \"Enabled\":  1,\n        \"DefaultInboundAction\":  4,\n        \
        \"DefaultOutboundAction\":  2\n    }\n]\n";
    let (data, ..) = data!(FirewallProfiles, json);
    let private = &data.profiles[0];
    assert_eq!((private.name, private.enabled), (Some(ProfileName::Private), Some(true)));
    assert_eq!((private.inbound, private.outbound), (Some(Inbound::Block), Some(Outbound::Allow)));
}

#[test]
fn damage_never_turns_into_another_state() {
    damage_says_nothing_new(CaptureKind::FirewallProfiles, &all_profiles(), true);
    damage_says_nothing_new(CaptureKind::FirewallProfiles, FRENCH, true);
}

#[test]
fn other_texts_are_not_claimed() {
    assert_eq!(claimed("State    ON\nFirewall   on\n").name(), "unknown");
}
