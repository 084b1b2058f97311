//! What is never personal and stays, because diagnosis needs it: well-known accounts, the addresses and hosts of Microsoft's services,
//! public resolvers, loopback, masks, and the words that reports themselves are made of.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use crate::checks;
use crate::knowledge::endpoints;

/// Accounts, authorities and network names of every Windows, in lower case.
const WELL_KNOWN: &[&str] = &[
    "-",
    "*",
    ".",
    "0",
    "1",
    "administrator",
    "administrateur",
    "administrador",
    "administratoren",
    "administrators",
    "all users",
    "anonymous",
    "anonymous logon",
    "anonymous-anmeldung",
    "authenticated users",
    "azuread",
    "builtin",
    "console",
    "default",
    "default user",
    "default.migrated",
    "defaultaccount",
    "defaultapppool",
    "defaultuser0",
    "everyone",
    "font driver host",
    "gast",
    "guest",
    "guests",
    "home",
    "homegroup",
    "homegroupuser$",
    "interactive",
    "invité",
    "lan",
    "local",
    "local service",
    "local system",
    "localdomain",
    "localhost",
    "localservice",
    "localsystem",
    "microsoftaccount",
    "mshome",
    "mshome.net",
    "n/a",
    "names",
    "net service",
    "network",
    "network service",
    "networkservice",
    "no",
    "none",
    "nt authority",
    "nt service",
    "nt virtual machine",
    "nt-autorität",
    "null",
    "public",
    "self",
    "system",
    "systemprofile",
    "temp",
    "true",
    "false",
    "trustedinstaller",
    "unknown",
    "user",
    "users",
    "username",
    "wdagutilityaccount",
    "window manager",
    "windows user",
    "workgroup",
    "arbeitsgruppe",
    "yes",
    "default gateway",
    "utilisateur",
    "benutzer",
    "default domain",
    "unidentified network",
    "identifying...",
    "hidden network",
    "redacted",
];

/// Names that Windows makes up for sessions: `DWM-1`, `UMFD-0`.
const SESSION: [&str; 2] = ["dwm-", "umfd-"];

/// Words of our own output that no documentation of a check holds.
const OWN_WORDS: &[&str] = &[
    "masked",
    "redacted",
    "user",
    "pc",
    "domain",
    "network",
    "tenant",
    "device",
    "ip",
    "mac",
    "sid",
    "link",
    "example",
    "record",
    "line",
    "artifact",
    "password",
    "token",
    "credentials",
    "left",
    "out",
    "bytes",
    "users",
    "test",
    "office",
    "admin",
    "wlan",
    "ethernet",
    "wi",
    "fi",
    "vpn",
    "root",
    "config",
    "home",
    "work",
    "server",
    "client",
    "host",
    "name",
    "windows",
    "microsoft",
    "desktop",
    "laptop",
    "www",
    "com",
    "net",
    "org",
    "software",
    "hklm",
    "hkcu",
    "hku",
    "classes",
    "ntuser",
    "dat",
    "evtx",
    "txt",
    "json",
    "reg",
    "log",
    "version",
    "install",
];

static VOCABULARY: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let docs: Vec<String> = checks::CHECKS
        .iter()
        .flat_map(|check| [check.doc(), check.title.to_owned(), check.id.to_owned()])
        .collect();
    let words = docs.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    words.chain(OWN_WORDS.iter().copied()).map(str::to_lowercase).collect()
});

/// Whether a name (in lower case) belongs to every Windows and to nobody.
pub fn is_well_known(folded: &str) -> bool {
    let folded = folded.trim().trim_end_matches('$');
    folded.is_empty()
        || WELL_KNOWN.contains(&folded)
        || SESSION.iter().any(|head| {
            folded.strip_prefix(head).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        })
        || folded.starts_with(['%', '<', '{', '@'])
}

/// Whether a name is made of words of our own reports: it is replaced only where a name stands, not in sentences.
pub fn is_a_word(folded: &str) -> bool {
    let short = folded.chars().filter(|c| c.is_alphanumeric()).count() < 3;
    let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    short || words.all(|word| word.bytes().all(|byte| byte.is_ascii_digit()) || VOCABULARY.contains(word))
}

/// Domains of Microsoft and of the services that activation needs. Those under which customers have names of their own are not here.
const PUBLIC_DOMAINS: &[&str] = &[
    "microsoft.com",
    "microsoftonline.com",
    "microsoftonline-p.com",
    "microsoftonline.us",
    "microsoftonline.cn",
    "partner.microsoftonline.cn",
    "windows.com",
    "windows.net",
    "windowsupdate.com",
    "office.com",
    "office.net",
    "office365.com",
    "live.com",
    "live.net",
    "msn.com",
    "msftncsi.com",
    "msftconnecttest.com",
    "msauth.net",
    "msauthimages.net",
    "msftauth.net",
    "msftidentity.com",
    "msidentity.com",
    "azure.com",
    "azure.net",
    "azureedge.net",
    "trafficmanager.net",
    "akamaized.net",
    "akadns.net",
    "akamai.net",
    "edgekey.net",
    "akamaiedge.net",
    "digicert.com",
    "verisign.com",
    "globalsign.com",
    "globalsign.net",
    "entrust.net",
    "sectigo.com",
    "letsencrypt.org",
    "bing.com",
    "skype.com",
    "outlook.com",
    "hotmail.com",
    "gmail.com",
    "google.com",
    "mshome.net",
    "w3.org",
    "openxmlformats.org",
    "schemas.microsoft.com",
    "office.microsoft.com",
    "aka.ms",
    "azure-devices.net",
    "msedge.net",
    "cloud.microsoft",
    "vortex.data.microsoft.com",
];

/// Whether a host or domain name is public.
pub fn is_public_host(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let below =
        |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    PUBLIC_DOMAINS.iter().any(below) || endpoints::find(&host).is_some()
}

/// Public resolvers and the addresses that Windows' probe expects (domain.md: NCSI answers), and Microsoft's published ranges for
/// sign-in and Office: base and prefix length.
const PUBLIC_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(8, 8, 8, 8), 32),
    (Ipv4Addr::new(8, 8, 4, 4), 32),
    (Ipv4Addr::new(1, 1, 1, 1), 32),
    (Ipv4Addr::new(1, 0, 0, 1), 32),
    (Ipv4Addr::new(9, 9, 9, 9), 32),
    (Ipv4Addr::new(149, 112, 112, 112), 32),
    (Ipv4Addr::new(208, 67, 222, 222), 32),
    (Ipv4Addr::new(208, 67, 220, 220), 32),
    (Ipv4Addr::new(131, 107, 255, 255), 32),
    (Ipv4Addr::new(13, 107, 0, 0), 16),
    (Ipv4Addr::new(20, 20, 32, 0), 19),
    (Ipv4Addr::new(20, 190, 128, 0), 18),
    (Ipv4Addr::new(20, 231, 128, 0), 19),
    (Ipv4Addr::new(40, 126, 0, 0), 18),
    (Ipv4Addr::new(52, 96, 0, 0), 12),
    (Ipv4Addr::new(150, 171, 32, 0), 22),
];

/// Whether an IPv4 address stays: no host of the user has it.
pub fn keeps_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let mask = bits.leading_ones() >= 8 && bits.leading_ones() + bits.trailing_zeros() >= 32;
    let within = |(base, length): &(Ipv4Addr, u32)| (bits ^ base.to_bits()) >> (32 - length) == 0;
    mask || PUBLIC_V4.iter().any(within)
}

/// The same for IPv6.
pub fn keeps_v6(address: Ipv6Addr) -> bool {
    const RESOLVERS: [&str; 6] = [
        "2001:4860:4860::8888",
        "2001:4860:4860::8844",
        "2606:4700:4700::1111",
        "2606:4700:4700::1001",
        "2620:fe::fe",
        "fd3e:4f5a:5b81::1",
    ];
    let [first, second, ..] = address.segments();
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (first == 0x2603 && (0x1000..0x1100).contains(&second))
        || (first == 0x2620 && second == 0x1ec)
        || RESOLVERS.iter().any(|known| known.parse() == Ok(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_services_stay_and_those_of_machines_do_not() {
        let kept = |text: &str| keeps_v4(text.parse().unwrap());
        // The probe's answer (dns.msftncsi.com), Entra sign-in (endpoint set 56), masks, loopback, resolvers.
        for text in ["131.107.255.255", "40.126.31.67", "255.255.254.0", "127.0.0.1", "0.0.0.0", "8.8.8.8"] {
            assert!(kept(text), "{text}");
        }
        for text in ["10.0.0.20", "169.254.3.4", "203.0.113.9", "192.168.1.255"] {
            assert!(!kept(text), "{text}");
        }
        assert!(keeps_v6("::1".parse().unwrap()) && !keeps_v6("fe80::1".parse().unwrap()));
    }

    #[test]
    fn names_that_are_words_are_told_from_names() {
        assert!(is_a_word("proxy") && is_a_word("17") && is_a_word("ab") && is_a_word("office test"));
        assert!(!is_a_word("anna") && !is_a_word("desktop-4f2k9q1"));
        assert!(is_well_known("umfd-3") && is_well_known("system") && !is_well_known("anna"));
    }

    #[test]
    fn only_public_hosts_are_public() {
        assert!(is_public_host("login.MICROSOFTONLINE.com.") && !is_public_host("contoso.com"));
        assert!(!is_public_host("notmicrosoft.com") && !is_public_host("contoso.onmicrosoft.com"));
    }
}
