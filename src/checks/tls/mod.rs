//! TLS as the stacks of Windows are allowed to speak it.

pub mod error_text_older_windows;
pub mod failures;
pub mod schannel;
pub mod tls12_dotnet;
pub mod tls12_schannel_client;
pub mod tls12_winhttp_default;
pub mod tls12_wininet_user;
pub mod tls_cipher_suites;
pub mod tls_handshake_events;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    tls12_schannel_client::CHECK,
    tls12_winhttp_default::CHECK,
    tls12_wininet_user::CHECK,
    tls12_dotnet::CHECK,
    tls_cipher_suites::CHECK,
    tls_handshake_events::CHECK,
    error_text_older_windows::CHECK,
];

/// Bit of TLS 1.2 in `DefaultSecureProtocols` and `SecureProtocols` (domain.md 6.1).
pub const TLS12: u32 = 0x800;

/// The protocols of a bit mask, for people.
pub fn protocols(mask: u32) -> String {
    const BITS: [(u32, &str); 6] = [
        (0x0008, "SSL 2.0"),
        (0x0020, "SSL 3.0"),
        (0x0080, "TLS 1.0"),
        (0x0200, "TLS 1.1"),
        (TLS12, "TLS 1.2"),
        (0x2000, "TLS 1.3"),
    ];
    let names: Vec<&str> = BITS.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect();
    if names.is_empty() { format!("{mask:#x}: none") } else { format!("{mask:#x}: {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::protocols;

    #[test]
    fn frequent_sums_of_the_domain_reference() {
        // domain.md 6.1.
        assert_eq!(protocols(160), "0xa0: SSL 3.0, TLS 1.0");
        assert_eq!(protocols(2688), "0xa80: TLS 1.0, TLS 1.1, TLS 1.2");
        assert_eq!(protocols(10_240), "0x2800: TLS 1.2, TLS 1.3");
    }
}
