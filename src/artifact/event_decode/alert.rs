//! TLS alerts: what their numbers mean and which error Schannel turns them into.
//!
//! Numbers and names: RFC 5246 section 7.2 and RFC 8446 section 6. Schannel's errors: "Schannel error codes for TLS and SSL alerts"
//! (Microsoft, SecAuthN); alerts that the page does not list have none here.

use super::ErrorCode;

/// One TLS alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The number that Schannel logs as `AlertDesc`.
    pub number: u8,
    /// Its name in the protocol.
    pub name: &'static str,
    /// What it says, in a few words.
    pub meaning: &'static str,
    /// The SSPI error that a program gets to see.
    pub error: Option<ErrorCode>,
}

const fn row(number: u8, name: &'static str, meaning: &'static str, error: u32) -> Alert {
    Alert { number, name, meaning, error: if error == 0 { None } else { Some(ErrorCode::from_value(error)) } }
}

const ALERTS: &[Alert] = &[
    row(0, "close_notify", "the connection is closed in order", 0),
    row(10, "unexpected_message", "a message came out of turn", 0x8009_0326),
    row(20, "bad_record_mac", "a record was altered on its way", 0x8009_030f),
    row(21, "decryption_failed", "a record could not be decrypted", 0x8009_0330),
    row(22, "record_overflow", "a record was too long", 0x8009_0326),
    row(30, "decompression_failure", "a record could not be unpacked", 0x8009_030f),
    row(40, "handshake_failure", "no protocol settings that both sides accept", 0x8009_0326),
    row(42, "bad_certificate", "the certificate is damaged or its signature is wrong", 0x8009_0327),
    row(43, "unsupported_certificate", "the certificate is of a kind that is not supported", 0x8009_0327),
    row(44, "certificate_revoked", "the certificate was revoked", 0x8009_2010),
    row(45, "certificate_expired", "the certificate is expired or not yet valid", 0x8009_0328),
    row(46, "certificate_unknown", "the certificate was not accepted for another reason", 0x8009_0327),
    row(47, "illegal_parameter", "a value in the handshake is not allowed", 0x8009_0326),
    row(48, "unknown_ca", "the certificate's authority is not trusted", 0x8009_0325),
    row(49, "access_denied", "the certificate is valid but access is refused", 0x8009_030c),
    row(50, "decode_error", "a message could not be read", 0x8009_0326),
    row(51, "decrypt_error", "a signature or key exchange could not be verified", 0x8009_0330),
    row(60, "export_restriction", "a key length is not allowed for export", 0x8009_0326),
    row(70, "protocol_version", "no TLS version that both sides accept", 0x8009_0302),
    row(71, "insufficient_security", "the offered cipher suites are too weak", 0x8009_0331),
    row(80, "internal_error", "an error that has nothing to do with the other side", 0x8009_0304),
    row(86, "inappropriate_fallback", "the client fell back to an older version than needed", 0),
    row(90, "user_canceled", "the handshake was cancelled", 0x8009_0333),
    row(100, "no_renegotiation", "a new handshake was refused", 0),
    row(109, "missing_extension", "a needed extension is missing", 0),
    row(110, "unsupported_extension", "an extension was not asked for", 0),
    row(112, "unrecognized_name", "the server does not know the name it was asked for", 0),
    row(113, "bad_certificate_status_response", "the revocation answer of the server is not valid", 0),
    row(115, "unknown_psk_identity", "the pre-shared key is not known", 0),
    row(116, "certificate_required", "the server wants a certificate of the client", 0),
    row(120, "no_application_protocol", "no application protocol that both sides accept", 0),
];

/// The alert with this number; `None` for numbers that no RFC defines.
pub fn alert(number: u32) -> Option<&'static Alert> {
    ALERTS.iter().find(|alert| u32::from(alert.number) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_map_to_sspi_errors() {
        // domain.md 5.1, tls-handshake-events.
        let map = [
            (40, 0x8009_0326),
            (42, 0x8009_0327),
            (43, 0x8009_0327),
            (46, 0x8009_0327),
            (45, 0x8009_0328),
            (48, 0x8009_0325),
            (49, 0x8009_030c),
            (70, 0x8009_0302),
            (71, 0x8009_0331),
            (80, 0x8009_0304),
        ];
        for (number, error) in map {
            assert_eq!(alert(number).unwrap().error.map(ErrorCode::value), Some(error), "alert {number}");
        }
        assert_eq!(alert(70).unwrap().name, "protocol_version");
        assert_eq!(alert(41), None);
        assert_eq!(alert(70_000), None);
    }

    #[test]
    fn numbers_are_unique_and_in_order() {
        assert!(ALERTS.windows(2).all(|pair| pair[0].number < pair[1].number));
    }
}
