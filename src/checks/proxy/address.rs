//! What stands in a proxy setting: hosts, ports, script addresses.

use crate::checks::signals;

/// The part of a proxy setting for a scheme (`https=…`); for an empty one, the part without a scheme.
fn part<'p>(proxy: &'p str, scheme: &str) -> Option<&'p str> {
    proxy
        .split([';', ' '])
        .filter(|part| !part.is_empty())
        .find(|part| scheme_of(part).eq_ignore_ascii_case(scheme))
}

fn scheme_of(part: &str) -> &str {
    let named = part.split_once('=').map(|(scheme, _)| scheme);
    named.filter(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric())).unwrap_or_default()
}

/// Whether a proxy setting names a proxy for HTTPS: a list by scheme may hold one for HTTP or FTP only, and then HTTPS goes direct. Only
/// WinINET takes the one of SOCKS for it.
pub fn carries_https(proxy: &str, socks: bool) -> bool {
    part(proxy, "https").is_some() || part(proxy, "").is_some() || (socks && part(proxy, "socks").is_some())
}

/// The part of a list by scheme that HTTP uses, over which revocation lists are fetched.
pub fn carries_http(proxy: &str) -> bool {
    part(proxy, "http").is_some()
}

/// The part of a proxy setting that HTTPS uses; of a list that has none for it, the first one.
fn https_part(proxy: &str) -> &str {
    let found = ["https", "", "socks"].into_iter().find_map(|scheme| part(proxy, scheme));
    let part =
        found.unwrap_or_else(|| proxy.split([';', ' ']).find(|part| !part.is_empty()).unwrap_or_default());
    let part = part.strip_prefix(scheme_of(part)).and_then(|rest| rest.strip_prefix('=')).unwrap_or(part);
    let part = part.split_once("://").map_or(part, |(_, address)| address);
    part.rsplit_once('@').map_or(part, |(_, address)| address)
}

/// Host and the rest (`:port`) of an authority.
fn split_host(authority: &str) -> (&str, &str) {
    match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some(split) => split,
        None => match authority.find([':', '/']) {
            Some(at) => authority.split_at_checked(at).unwrap_or((authority, "")),
            None => (authority, ""),
        },
    }
}

/// The host of a proxy setting, in lower case and without the dot that may end a full name.
pub fn host_of(proxy: &str) -> String {
    split_host(https_part(proxy)).0.trim_end_matches('.').to_ascii_lowercase()
}

/// The port of a proxy setting.
pub fn port_of(proxy: &str) -> Option<u16> {
    let digits = split_host(https_part(proxy)).1.strip_prefix(':')?;
    digits.split('/').next()?.parse().ok()
}

/// Whether a host is the machine itself.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

/// The host of a URL, in lower case; `None` where it names none (`file:` of this machine).
pub fn host_of_url(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = split_host(authority).0.to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

/// Whether a script stands in a file.
pub fn is_file_url(url: &str) -> bool {
    url.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("file:"))
}

/// A URL without credentials and query, both of which can be secrets.
pub fn mask_url(url: &str) -> String {
    let masked = signals::mask_credentials(url.trim());
    match masked.split_once(['?', '#']) {
        Some((address, _)) => format!("{address}?***"),
        None => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_every_form_of_setting() {
        assert_eq!(host_of("proxy.contoso.com:8080"), "proxy.contoso.com");
        assert_eq!(host_of("http=a:1;https=b:2"), "b");
        assert_eq!(host_of("http://[::1]:8080"), "::1");
        assert_eq!(host_of("user:secret@p:80"), "p");
        assert_eq!(
            (port_of("http=a:1;HTTPS=b:2"), port_of("p"), port_of("[::1]:8080")),
            (Some(2), None, Some(8080))
        );
        assert!(is_loopback("localhost") && is_loopback("127.0.0.1") && !is_loopback("10.0.0.1"));
    }

    #[test]
    fn lists_by_scheme_without_one_for_https() {
        // domain.md 5.3: `host:port` or `http=…;https=…`.
        for https in ["p:80", "http=a:1;https=b:2", "http://p:80", "http=a:1;p:80"] {
            assert!(carries_https(https, false), "{https}");
        }
        assert!(!carries_https("http=a:1", false) && !carries_https("ftp=a:21;http=b:1", true));
        assert!(carries_https("socks=a:1080", true) && !carries_https("socks=a:1080", false));
        assert_eq!((host_of("ftp=a:1;p:2"), host_of("localhost.:8888")), ("p".into(), "localhost".into()));
    }

    #[test]
    fn the_host_of_a_script() {
        assert_eq!(
            host_of_url("http://wpad.contoso.com:80/wpad.dat?x=1").as_deref(),
            Some("wpad.contoso.com")
        );
        assert_eq!(host_of_url("https://u:p@[fe80::1]/p").as_deref(), Some("fe80::1"));
        assert_eq!(host_of_url("file:///C:/proxy.pac"), None);
        assert!(is_file_url("FILE://server/p.pac") && !is_file_url("http://p/file:") && !is_file_url("é"));
        assert_eq!(mask_url("https://u:p@h/p.pac?token=1"), "https://***@h/p.pac?***");
    }
}
