//! What the raw values of events mean: error codes in any notation, service keys, socket addresses, TLS alerts.
//!
//! Events name the same thing in many ways, partly in the language of the machine. What is here reads the forms that do not depend
//! on language. Rules: domain reference, sections 2.3 and 7.

mod alert;
mod error_code;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub use alert::{Alert, alert};
pub use error_code::{ErrorCode, aadsts_in, codes_in};

use super::event::Event;

/// Provider of the service events.
const SERVICE_CONTROL_MANAGER: &str = "Service Control Manager";
/// Time offsets beyond ten years are overflows of the time service, not clocks.
const LONGEST_OFFSET: i64 = 10 * 366 * 24 * 3600;

/// The service that an event of the Service Control Manager is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRef {
    /// Key name below `Services`, which is the same in every language.
    pub key: String,
    /// Its new state, which event 7036 tells.
    pub state: Option<ServiceState>,
}

/// State of a service (`SERVICE_STATUS.dwCurrentState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceState(pub u32);

impl ServiceState {
    /// `SERVICE_STOPPED`.
    pub const STOPPED: Self = Self(1);
    /// `SERVICE_RUNNING`.
    pub const RUNNING: Self = Self(4);
}

/// The service key of a Service Control Manager event: out of `Binary` (`<key>` or `<key>/<state>` in UTF-16LE), for a changed
/// start type (7040) out of `param4`. `param1` is the display name in the language of the machine and is not used; but a start that timed
/// out (7009) names the service in `param2`, which stands in where a text or a list left `Binary` out.
/// `None` when the event does not say it.
pub fn service_of(event: &Event) -> Option<ServiceRef> {
    if !event.provider.eq_ignore_ascii_case(SERVICE_CONTROL_MANAGER) {
        return None;
    }
    if event.event_id == 7040 {
        let key = event.field("param4").filter(|key| is_key(key))?;
        return Some(ServiceRef { key: key.to_owned(), state: None });
    }
    if event.event_id == 7009 && event.field("Binary").is_none() {
        let key = event.field("param2").filter(|key| is_key(key))?;
        return Some(ServiceRef { key: key.to_owned(), state: None });
    }
    let text = utf16_of_hex(event.field("Binary")?)?;
    let (key, state) = match text.split_once('/') {
        Some((key, state)) => (key, state.parse().ok().map(ServiceState)),
        None => (text.as_str(), None),
    };
    is_key(key).then(|| ServiceRef { key: key.to_owned(), state })
}

/// Whether a text can be the name of a key: anything but nothing, backslashes and control characters, up to 256 characters.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 256 && !text.contains(|c: char| c == '\\' || c.is_control())
}

/// The bytes that a hex text spells; `None` when it is none. A leading `0x` is passed over.
pub fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The text up to the first NUL of hex-printed UTF-16LE bytes.
fn utf16_of_hex(text: &str) -> Option<String> {
    let bytes = bytes_of_hex(text)?;
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).ok()
}

/// A socket address as events hold it: `sockaddr_in` or `sockaddr_in6` in hex, of any length that covers the structure (16 bytes,
/// or 128 as `sockaddr_storage`). `None` for other families.
pub fn socket_address(hex: &str) -> Option<SocketAddr> {
    let bytes = bytes_of_hex(hex)?;
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    match u16::from_le_bytes(*family) {
        2 => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from(*rest.first_chunk::<4>()?)), port)),
        // Flow information (4 bytes) stands before the address.
        23 => Some(SocketAddr::new(IpAddr::V6(Ipv6Addr::from(*rest.get(4..)?.first_chunk::<16>()?)), port)),
        _ => None,
    }
}

/// The offset in seconds that the time service reports (event 52, `TimeOffsetSeconds`). `None` when there is none or when it is one
/// of the overflows that the service logs.
pub fn time_offset(event: &Event) -> Option<i64> {
    let offset: i64 = event.field("TimeOffsetSeconds")?.trim().parse().ok()?;
    (offset.unsigned_abs() <= LONGEST_OFFSET.unsigned_abs()).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::FileTime;

    fn event(provider: &str, id: u32, data: &[(&str, &str)]) -> Event {
        Event {
            channel: "System".into(),
            provider: provider.into(),
            event_id: id,
            qualifiers: None,
            version: None,
            level: None,
            record_id: 1,
            time: FileTime::default(),
            computer: "".into(),
            user_sid: None,
            process_id: None,
            data: data.iter().copied().collect(),
            user_data: None,
        }
    }

    fn scm(id: u32, data: &[(&str, &str)]) -> Event {
        event(SERVICE_CONTROL_MANAGER, id, data)
    }

    #[test]
    fn domain_11_vector_3_service_state() {
        let data = [
            ("param1", "Windows-Ereignisprotokoll"),
            ("Binary", "6500760065006E0074006C006F0067002F0031000000"),
        ];
        let expected = ServiceRef { key: "eventlog".to_owned(), state: Some(ServiceState::STOPPED) };
        assert_eq!(service_of(&scm(7036, &data)), Some(expected));
    }

    #[test]
    fn domain_11_vector_4_service_that_ended_with_an_error() {
        let data = [
            ("param1", "Netzwerklistendienst"),
            ("param2", "%%21"),
            ("Binary", "6E0065007400700072006F0066006D000000"),
        ];
        let event = scm(7023, &data);
        assert_eq!(service_of(&event), Some(ServiceRef { key: "netprofm".to_owned(), state: None }));
        // ERROR_NOT_READY is 21 (winerror.h).
        assert_eq!(ErrorCode::parse(event.field("param2").unwrap()).unwrap().win32(), Some(21));
    }

    #[test]
    fn domain_11_vector_5_short_socket_address() {
        let address = socket_address("020000357F0000010000000000000000").unwrap();
        assert_eq!(address, "127.0.0.1:53".parse().unwrap());
    }

    #[test]
    fn domain_11_vector_6_long_socket_address() {
        let hex = format!("02000000C0A80202{}", "00".repeat(120));
        assert_eq!(socket_address(&hex), Some("192.168.2.2:0".parse().unwrap()));
    }

    #[test]
    fn domain_11_vector_7_changed_start_type() {
        // The old and new start types are localised (domain.md 2.3); the key is not.
        let data = [
            ("param1", "Arka Plan Akıllı Aktarım Hizmeti"),
            ("param2", "isteğe bağlı başlatma"),
            ("param3", "otomatik başlatma"),
            ("param4", "BITS"),
        ];
        assert_eq!(service_of(&scm(7040, &data)).unwrap().key, "BITS");
    }

    #[test]
    fn domain_11_vector_13_garbage_offset() {
        let with = |offset| event("Microsoft-Windows-Time-Service", 52, &[("TimeOffsetSeconds", offset)]);
        assert_eq!(time_offset(&with("14355438563950637")), None);
        assert_eq!(time_offset(&with("-9223372036854775808")), None);
        assert_eq!(time_offset(&with("-301")), Some(-301));
    }

    #[test]
    fn version_6_addresses() {
        // RFC 2553 layout of sockaddr_in6; AF_INET6 is 23 on Windows (ws2def.h).
        let hex = "1700003500000000fe8000000000000000000000000000010b000000";
        assert_eq!(socket_address(hex), Some("[fe80::1]:53".parse().unwrap()));
        assert_eq!(socket_address("0200"), None);
        assert_eq!(socket_address("01000035"), None);
        assert_eq!(socket_address("xy"), None);
    }

    #[test]
    fn what_an_event_does_not_say_is_not_guessed() {
        assert_eq!(service_of(&scm(7023, &[("param1", "Netzwerklistendienst")])), None);
        assert_eq!(service_of(&scm(7023, &[("Binary", "00")])), None);
        assert_eq!(service_of(&scm(7023, &[("Binary", "0A00")])), None);
        assert_eq!(service_of(&event("Other", 7023, &[("Binary", "6E00")])), None);
    }
}
