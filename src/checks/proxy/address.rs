//! What stands in a proxy setting: hosts, ports, script addresses.

use crate::checks::signals;

/// The part of a proxy setting that HTTPS uses: of its HTTPS part where parts are given by scheme.
fn https_part(proxy: &str) -> &str {
    let starts = |part: &&str| part.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("https="));
    let mut parts = proxy.split([';', ' ']).filter(|part| !part.is_empty());
    let part = parts.clone().find(starts).or_else(|| parts.next()).unwrap_or_default();
    let part = part.split_once('=').map_or(part, |(_, address)| address);
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

/// The host of a proxy setting, in lower case.
pub fn host_of(proxy: &str) -> String {
    split_host(https_part(proxy)).0.to_ascii_lowercase()
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
