//! Which hosts count as required, and what several checks need to know of them.

use std::net::{IpAddr, Ipv4Addr};

use super::case::Case;
use super::licensing::vnext_license_state::current_names;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::knowledge::endpoints::{self, Class, Endpoint};

/// Without any one of these nobody signs in or gets a licence (domain.md 5.4 and R24).
pub const SIGN_IN_AND_LICENSING: [&str; 5] = [
    "login.microsoftonline.com",
    "odc.officeapps.live.com",
    "ols.officeapps.live.com",
    "officeclient.microsoft.com",
    "activation.sls.microsoft.com",
];
/// Hosts of the revocation lists that the article names; they answer on port 80.
pub const REVOCATION_LISTS: [&str; 2] = ["crl.microsoft.com", "www.microsoft.com"];

/// First and last address of the ranges of the sign-in service (domain.md 5.4: 20.190.128.0/18 and 40.126.0.0/18).
pub const SIGN_IN_RANGES: [(Ipv4Addr, Ipv4Addr); 2] = [
    (Ipv4Addr::new(20, 190, 128, 0), Ipv4Addr::new(20, 190, 191, 255)),
    (Ipv4Addr::new(40, 126, 0, 0), Ipv4Addr::new(40, 126, 63, 255)),
];

/// Whether an address is one of the sign-in service.
pub fn is_sign_in_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => SIGN_IN_RANGES.iter().any(|(from, to)| (*from..=*to).contains(&v4)),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().is_some_and(|v4| is_sign_in_address(v4.into())),
    }
}

/// The table's row of a host that activation on this machine needs. Hosts of personal accounts count only where a consumer product is in
/// evidence (R64); hosts of probes, time and certificates have checks of their own.
pub fn needed(case: &Case<'_>, host: &str) -> Option<&'static Endpoint> {
    endpoints::find(host).filter(|endpoint| match endpoint.class {
        Class::Required | Class::Identity | Class::Office => true,
        Class::Consumer => has_consumer_product(case),
        _ => false,
    })
}

/// Whether losing a host stops activation: the article's hosts and those of sign-in, without the names that the table calls older and
/// that no current product asks for. For the others it depends on what the program was doing.
pub fn is_decisive(endpoint: &Endpoint) -> bool {
    matches!(endpoint.class, Class::Required | Class::Identity) && !endpoint.purpose.contains("older name")
}

/// Other names of the sign-in service among the article's hosts.
const OTHER_SIGN_IN: [&str; 2] = ["login.microsoft.com", "login.windows.net"];

/// A host of sign-in or licensing: the named ones and the identity sets 56 and 59. The rest of the article's list are helpers, such as
/// revocation lists and redirectors (R24).
pub fn is_of_sign_in_or_licensing(host: &str) -> bool {
    let named = SIGN_IN_AND_LICENSING.iter().chain(&OTHER_SIGN_IN);
    let mut named = named.filter(|known| known.eq_ignore_ascii_case(host.trim_end_matches('.')));
    named.next().is_some() || endpoints::covering(host).any(|endpoint| endpoint.class == Class::Identity)
}

/// A host that serves revocation lists or answers for certificates.
pub fn is_revocation_host(host: &str) -> bool {
    REVOCATION_LISTS.iter().any(|known| known.eq_ignore_ascii_case(host))
        || endpoints::find(host).is_some_and(|endpoint| endpoint.class == Class::Revocation)
}

const OFFICE: &str = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
/// Which registry view Office uses, by its bitness: "64-bit" or "32-bit" (domain.md 2.5). `None` when that is not known.
pub fn view_of_office(case: &Case<'_>) -> Option<&'static str> {
    let platform = case.value(OFFICE, "Platform");
    match platform.found()?.value.as_text()?.as_str() {
        "x86" => Some("32-bit"),
        "x64" => Some("64-bit"),
        _ => None,
    }
}

/// Beginnings of the release ids of products that are sold to persons (Office Deployment Tool, product ids).
const CONSUMER_PRODUCTS: [&str; 6] =
    ["o365homeprem", "homestudent", "homebusiness", "home20", "personal", "professional20"];

/// Whether a release id is that of a product for personal accounts.
pub fn is_consumer_product(id: &str) -> bool {
    let id = id.trim().to_ascii_lowercase();
    CONSUMER_PRODUCTS.iter().any(|start| id.starts_with(start))
}

/// Whether a product for personal accounts is installed, or the user has a licence for one (R64).
fn has_consumer_product(case: &Case<'_>) -> bool {
    let products = case.value(OFFICE, "ProductReleaseIds");
    let products = products.found().and_then(|value| value.value.as_text()).unwrap_or_default();
    products.split(',').any(is_consumer_product) || has_consumer_licence(case)
}

/// By the user's products in the current form (`LicensingNext`), and by the licences that `vnextdiag.ps1` lists.
fn has_consumer_licence(case: &Case<'_>) -> bool {
    let user = case.evidence.users.affected();
    let names = user.found().map(|user| current_names(case, &user.value)).unwrap_or_default();
    names.iter().any(|name| is_consumer_product(name))
        || case.captures(CaptureKind::Vnextdiag).iter().any(|capture| match &capture.value.data {
            CaptureData::Vnextdiag(data) => {
                let mut licences = data.user_licences.items().iter();
                licences.any(|licence| licence.license_id_prefix.as_deref() == Some("CWW"))
            }
            _ => false,
        })
}

/// Host and port of a URL; a bare host has no port.
pub fn host_of(url: &str) -> Option<(String, Option<u16>)> {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("", url.trim()));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    };
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty()).then_some((host, port.or(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_the_sign_in_service() {
        // domain.md 5.4: 20.190.128.0/18 and 40.126.0.0/18.
        for inside in ["20.190.128.0", "20.190.191.255", "40.126.0.1", "::ffff:40.126.63.255"] {
            assert!(is_sign_in_address(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["20.190.192.0", "20.190.127.255", "40.126.64.0", "2603:1006:2000::1"] {
            assert!(!is_sign_in_address(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn hosts_of_addresses() {
        let host = |url: &str| host_of(url).unwrap();
        assert_eq!(
            host("https://login.microsoftonline.com/common/oauth2"),
            ("login.microsoftonline.com".into(), Some(443))
        );
        assert_eq!(host("http://CRL.microsoft.com./pki/x.crl"), ("crl.microsoft.com".into(), Some(80)));
        assert_eq!(host("https://user@host.example:8443?x"), ("host.example".into(), Some(8443)));
        assert_eq!(
            host("enterpriseregistration.windows.net"),
            ("enterpriseregistration.windows.net".into(), None)
        );
        assert_eq!(host_of("https:///x"), None);
    }

    #[test]
    fn hosts_of_sign_in_and_licensing() {
        // R24: login, odc, ols, officeclient, activation and the identity sets; the rest of the twenty addresses are helpers.
        for host in
            ["login.windows.net", "OLS.officeapps.live.com", "aadcdn.msauth.net", "graph.microsoft.com"]
        {
            assert!(is_of_sign_in_or_licensing(host), "{host}");
        }
        for host in
            ["crl.microsoft.com", "go.microsoft.com", "ajax.aspnetcdn.com", "Office15client.microsoft.com"]
        {
            assert!(!is_of_sign_in_or_licensing(host), "{host}");
        }
    }

    #[test]
    fn the_named_hosts_are_in_the_table() {
        for host in SIGN_IN_AND_LICENSING {
            assert!(is_decisive(endpoints::find(host).unwrap()), "{host}");
        }
        assert!(REVOCATION_LISTS.iter().all(|host| is_revocation_host(host)));
        assert!(!is_decisive(endpoints::find("Office15client.microsoft.com").unwrap()));
    }
}
