//! Values by their type, which is the same in every language.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A whole number: decimal with an optional sign, or `0x…`.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The whole number that a text begins with (`4  RUNNING`, `0  (0x0)`).
pub fn leading_integer(text: &str) -> Option<i64> {
    let text = text.trim_start();
    if let Some(hex) = text.strip_prefix("0x") {
        let digits = hex.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        return i64::from_str_radix(digits, 16).ok();
    }
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A number with separators between its thousands (`672,340`, `147 532`, `12.345`; blanks may be hard ones). Every group behind
/// the first must have three digits, so that a decimal fraction is not taken for one.
pub fn grouped_integer(text: &str) -> Option<u64> {
    let text = text.trim();
    let mut groups = text.split(|c: char| matches!(c, ',' | '.' | '\'' | '\u{2019}') || c.is_whitespace());
    let first = groups.next()?;
    let mut digits = String::from(first);
    for group in groups {
        if group.len() != 3 || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// An IPv4 address, whatever stands behind it in brackets (`192.168.1.2(Preferred)`, `(기본 설정)`).
pub fn ipv4(text: &str) -> Option<Ipv4Addr> {
    before_bracket(text).parse().ok()
}

/// An IPv6 address and its scope (`fe80::1%10(Preferred)`).
pub fn ipv6(text: &str) -> Option<(Ipv6Addr, Option<u32>)> {
    let text = before_bracket(text);
    let (address, scope) = match text.split_once('%') {
        Some((address, scope)) => (address, Some(scope.parse().ok()?)),
        None => (text, None),
    };
    Some((address.parse().ok()?, scope))
}

fn before_bracket(text: &str) -> &str {
    text.split(['(', '（']).next().unwrap_or_default().trim()
}

/// Whether an IPv4 address is a subnet mask: ones first, then zeros, and not all zeros.
pub fn is_mask(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    bits != 0 && bits.leading_ones() + bits.trailing_zeros() >= 32
}

/// A hardware address of six octets or more, with `-`, `:` or blanks between them, in Windows' form (`0C-84-DC-2C-CE-DC`).
pub fn mac(text: &str) -> Option<String> {
    let octets: Vec<&str> = text.trim().split(['-', ':', ' ']).collect();
    let hex = |octet: &&str| octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit());
    (matches!(octets.len(), 6..=20) && octets.iter().all(hex)).then(|| octets.join("-").to_ascii_uppercase())
}

/// A GUID in braces.
pub fn guid(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let lengths: Vec<usize> = inner.split('-').map(str::len).collect();
    let hex = inner.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (hex && lengths == [8, 4, 4, 4, 12]).then(|| text.to_ascii_uppercase())
}

/// Takes `user:password@` out of every address in a text (`http=user:secret@proxy:80;https=https://token@host`): secrets are
/// never kept. The stars say that something was there.
pub fn without_credentials(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for part in text.split_inclusive([';', ' ', ',']) {
        let Some(at) = part.rfind('@') else {
            masked.push_str(part);
            continue;
        };
        let (before, behind) = part.split_at(at);
        let start =
            before.rfind("//").map(|at| at + 2).or_else(|| before.find('=').map(|at| at + 1)).unwrap_or(0);
        masked.push_str(before.get(..start).unwrap_or_default());
        masked.push_str("***");
        masked.push_str(behind);
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(integer("0x20066"), Some(0x20066));
        assert_eq!(integer("-2147483648"), Some(-2_147_483_648));
        assert_eq!(leading_integer("4  RUNNING"), Some(4));
        assert_eq!(leading_integer("0x0"), Some(0));
        assert_eq!(leading_integer("RUNNING"), None);
        // Memory cells of tasklist in several locales (text_formats.md 4.12).
        assert_eq!(grouped_integer("672,340"), Some(672_340));
        assert_eq!(grouped_integer("147\u{a0}532"), Some(147_532));
        assert_eq!(grouped_integer("12.345"), Some(12_345));
        assert_eq!(grouped_integer("12.34"), None);
    }

    #[test]
    fn addresses() {
        assert_eq!(ipv4("172.16.6.7(기본 설정)"), Some(Ipv4Addr::new(172, 16, 6, 7)));
        assert_eq!(ipv6("fe80::1%10(優先)"), Some(("fe80::1".parse().unwrap(), Some(10))));
        assert_eq!(ipv6("12:34"), None);
        assert!(is_mask(Ipv4Addr::new(255, 255, 240, 0)) && is_mask(Ipv4Addr::BROADCAST));
        assert!(!is_mask(Ipv4Addr::new(192, 168, 1, 1)) && !is_mask(Ipv4Addr::UNSPECIFIED));
        assert_eq!(mac("aa:bb:cc:a7:56:c2").as_deref(), Some("AA-BB-CC-A7-56-C2"));
        assert_eq!(mac("00-00-00-00-00-00-00-E0").as_deref(), Some("00-00-00-00-00-00-00-E0"));
        assert_eq!(mac("2024-01-02"), None);
    }

    #[test]
    fn credentials_never_survive() {
        assert_eq!(
            without_credentials("http=user:pa@ss@proxy.example:8080;https=https://token@secure.example:8443"),
            "http=***@proxy.example:8080;https=https://***@secure.example:8443"
        );
        assert_eq!(without_credentials("proxy:8080"), "proxy:8080");
    }
}
