//! `netsh wlan show interfaces`: the wireless adapters and what they are connected to.
//!
//! Keys and most values are localised; addresses, GUIDs, radio types and per cents are not. Keys are looked up in a table. What
//! is not in it is kept as a name without its value, because outputs of the same command with `key=clear` hold the password of
//! the network (`Key Content`), and no secret may be kept.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::label::LabelRow;
use super::shape::{self, Languages, cell, find_label};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The adapters in the order of the output.
    pub interfaces: Vec<Interface>,
    /// The command says that there is no wireless adapter.
    pub no_adapter: bool,
}

/// One wireless adapter. Words of localised values are kept as printed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Interface {
    /// 1-based line where it begins.
    pub line: u32,
    /// Name of the connection.
    pub name: Option<String>,
    /// Description of the adapter.
    pub description: Option<String>,
    /// GUID without braces.
    pub guid: Option<String>,
    /// Own MAC address.
    pub mac: Option<String>,
    /// Whether it is connected; `None` when the word is not known.
    pub connected: Option<bool>,
    /// State as printed.
    pub state: Option<String>,
    /// Line of the state.
    pub state_line: Option<u32>,
    /// Name of the network.
    pub ssid: Option<String>,
    /// MAC address of the access point.
    pub bssid: Option<String>,
    /// `Infrastructure` or `Adhoc`, as printed.
    pub network_type: Option<String>,
    /// `802.11ax` …
    pub radio_type: Option<String>,
    /// `WPA2-Personal` …, as printed.
    pub authentication: Option<String>,
    /// `CCMP` …
    pub cipher: Option<String>,
    /// Band, as printed.
    pub band: Option<String>,
    /// Channel.
    pub channel: Option<u32>,
    /// Receive rate in Mbit/s.
    pub receive_mbps: Option<f64>,
    /// Transmit rate in Mbit/s.
    pub transmit_mbps: Option<f64>,
    /// Signal in per cent.
    pub signal_percent: Option<u8>,
    /// Profile that is in use.
    pub profile: Option<String>,
    /// Keys that no table knows; their values are not kept.
    pub other_keys: Vec<OtherKey>,
}

/// A key whose meaning is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherKey {
    /// 1-based line.
    pub line: u32,
    /// The key as printed.
    pub label: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Description,
    Guid,
    Mac,
    State,
    Ssid,
    Bssid,
    NetworkType,
    RadioType,
    Authentication,
    Cipher,
    Band,
    Channel,
    ReceiveRate,
    TransmitRate,
    Signal,
    Profile,
    /// Known, and of no use here.
    Ignored,
}

/// English and German from captures, French from a test (text_formats.md 4.14).
const LABELS: &[LabelRow<Field>] = &[
    (Field::Name, &[("en", "Name"), ("de", "Name"), ("fr", "Nom")]),
    (Field::Description, &[("en", "Description"), ("de", "Beschreibung"), ("fr", "Description")]),
    (Field::Guid, &[("en", "GUID"), ("de", "GUID"), ("fr", "GUID")]),
    (Field::Mac, &[("en", "Physical address"), ("de", "Physische Adresse"), ("fr", "Adresse physique")]),
    (Field::State, &[("en", "State"), ("de", "Status"), ("fr", "État")]),
    (Field::Ssid, &[("en", "SSID"), ("de", "SSID"), ("fr", "SSID")]),
    (
        Field::Bssid,
        &[("en", "BSSID"), ("de", "BSSID"), ("fr", "BSSID"), ("en", "AP BSSID"), ("de", "AP BSSID")],
    ),
    (Field::NetworkType, &[("en", "Network type"), ("de", "Netzwerktyp"), ("fr", "Type de réseau")]),
    (Field::RadioType, &[("en", "Radio type"), ("de", "Funktyp"), ("fr", "Type de radio")]),
    (
        Field::Authentication,
        &[("en", "Authentication"), ("de", "Authentifizierung"), ("fr", "Authentification")],
    ),
    (Field::Cipher, &[("en", "Cipher"), ("de", "Verschlüsselung"), ("fr", "Chiffrement")]),
    (Field::Band, &[("en", "Band"), ("de", "Band")]),
    (Field::Channel, &[("en", "Channel"), ("de", "Kanal"), ("fr", "Canal")]),
    (
        Field::ReceiveRate,
        &[
            ("en", "Receive rate (Mbps)"),
            ("de", "Empfangsrate (MBit/s)"),
            ("fr", "Débit de réception (Mbits/s)"),
        ],
    ),
    (
        Field::TransmitRate,
        &[
            ("en", "Transmit rate (Mbps)"),
            ("de", "Übertragungsrate (MBit/s)"),
            ("fr", "Débit de transmission (Mbits/s)"),
        ],
    ),
    (Field::Signal, &[("en", "Signal"), ("de", "Signal"), ("fr", "Signal")]),
    (Field::Profile, &[("en", "Profile"), ("de", "Profil"), ("fr", "Profil")]),
    (Field::Ignored, &[("en", "Interface type"), ("de", "Schnittstellentyp")]),
    (Field::Ignored, &[("en", "Connection mode"), ("de", "Verbindungsmodus")]),
    (Field::Ignored, &[("en", "Hosted network status"), ("de", "Status des gehosteten Netzwerks")]),
    (Field::Ignored, &[("en", "Radio status"), ("de", "Funkstatus")]),
];

/// Words for the state, in small letters.
const STATES: &[(&str, bool)] = &[
    ("connected", true),
    ("disconnected", false),
    ("associating", false),
    ("authenticating", false),
    ("discovering", false),
    ("disconnecting", false),
    ("not ready", false),
    ("verbunden", true),
    ("getrennt", false),
    ("connecté", true),
    ("déconnecté", false),
];

/// What the command prints on a machine without a wireless adapter.
const NO_ADAPTER: &[&str] = &["There is no wireless interface on the system"];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::WlanInterfaces, recognise, starts, read };

/// `There are 2 interfaces on the system:`, or that there is none.
fn starts(line: &str) -> bool {
    line.starts_with("There ") && line.contains("interface") && line.contains(" on the system")
}

/// The type of a value that is the same in every language.
fn field_by_type(value: &str, have_mac: bool) -> Option<Field> {
    let standard = value.strip_prefix("802.11").is_some_and(|rest| rest.len() <= 3);
    if cell::mac(value).is_some() {
        return Some(if have_mac { Field::Bssid } else { Field::Mac });
    }
    match value {
        _ if standard => Some(Field::RadioType),
        _ if percent(value).is_some() => Some(Field::Signal),
        "CCMP" | "TKIP" | "GCMP" | "WEP" => Some(Field::Cipher),
        _ => None,
    }
}

fn percent(value: &str) -> Option<u8> {
    value.strip_suffix('%')?.trim().parse().ok().filter(|percent| *percent <= 100)
}

/// A GUID with an address, or two values of types that only a wireless adapter has. Lines with dotted leaders are ipconfig's.
fn recognise(block: &Block<'_>) -> u8 {
    let (mut guid, mut mac) = (false, false);
    let (mut radio, mut signal, mut cipher) = (false, false, false);
    for (_, line) in block.lines() {
        if NO_ADAPTER.iter().any(|sentence| line.contains(sentence)) {
            return 90;
        }
        let Some(found) = shape::labelled(line).filter(|found| found.indent >= 2 && !found.leader) else {
            continue;
        };
        match field_by_type(found.value, mac) {
            Some(Field::RadioType) => radio = true,
            Some(Field::Signal) => signal = true,
            Some(Field::Cipher) => cipher = true,
            Some(_) => mac = true,
            None => guid |= found.label == "GUID",
        }
    }
    match (guid, mac, usize::from(radio) + usize::from(signal) + usize::from(cipher)) {
        (true, _, 2..) => 95,
        (true, true, _) => 85,
        (false, true, 2..) => 60,
        _ => 0,
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut languages = Languages::default();
    let mut seen = Vec::new();
    for (number, line) in block.lines() {
        data.no_adapter |= NO_ADAPTER.iter().any(|sentence| line.contains(sentence));
        if let Some(found) = shape::labelled(line).filter(|found| found.indent >= 2) {
            take(number, found.label, found.value, &mut data.interfaces, &mut seen, &mut languages);
        } else if let Some(failure) = shape::failure_in(line) {
            doubts.at(number, failure.words());
        }
    }
    if data.interfaces.is_empty() && !data.no_adapter {
        return shape::failed(block)
            .unwrap_or_else(|| Reading::unrecognized("no wireless adapter could be read"));
    }
    for interface in &data.interfaces {
        let what =
            match (&interface.name, &interface.state, interface.connected, interface.other_keys.first()) {
                (None, ..) => "the adapter has no name: the capture begins inside it".to_owned(),
                (_, None, ..) => "the adapter has no state".to_owned(),
                (_, Some(word), None, _) => format!("the word {word:?} for the state is not known"),
                (.., Some(other)) => format!("the key {:?} is not known", other.label),
                _ => continue,
            };
        doubts.at(interface.line, what);
    }
    let language = languages.winner();
    netsh::reading(CaptureData::WlanInterfaces(data), language.as_deref(), &doubts)
}

/// Takes one line; a key that the adapter has already begins the next adapter, so that none gets a value of another.
fn take(
    line: u32,
    label: &str,
    value: &str,
    interfaces: &mut Vec<Interface>,
    seen: &mut Vec<Field>,
    languages: &mut Languages,
) {
    let field = match find_label(LABELS, label) {
        Some((field, spoken)) => {
            languages.vote(&spoken);
            Some(field)
        }
        None => field_by_type(value, seen.contains(&Field::Mac)),
    };
    if field == Some(Field::Ignored) {
        return;
    }
    let again = field.is_some_and(|field| seen.contains(&field));
    if interfaces.is_empty() || field == Some(Field::Name) || again {
        interfaces.push(Interface { line, ..Interface::default() });
        seen.clear();
    }
    seen.extend(field);
    if let Some(interface) = interfaces.last_mut() {
        set(interface, line, field, label, value);
    }
}

fn set(interface: &mut Interface, line: u32, field: Option<Field>, label: &str, value: &str) {
    let text = || (!value.is_empty()).then(|| value.to_owned());
    // Decimal commas are common.
    let rate = || value.replace(',', ".").parse().ok();
    match field {
        Some(Field::Name) => interface.name = text(),
        Some(Field::Description) => interface.description = text(),
        Some(Field::Guid) => {
            interface.guid = text().map(|guid| guid.trim_matches(['{', '}']).to_ascii_uppercase())
        }
        Some(Field::Mac) => interface.mac = cell::mac(value),
        Some(Field::State) => {
            interface.connected = STATES
                .iter()
                .find(|(word, _)| *word == value.to_lowercase())
                .map(|(_, connected)| *connected);
            (interface.state, interface.state_line) = (text(), Some(line));
        }
        Some(Field::Ssid) => interface.ssid = text(),
        Some(Field::Bssid) => interface.bssid = cell::mac(value),
        Some(Field::NetworkType) => interface.network_type = text(),
        Some(Field::RadioType) => interface.radio_type = text(),
        Some(Field::Authentication) => interface.authentication = text(),
        Some(Field::Cipher) => interface.cipher = text(),
        Some(Field::Band) => interface.band = text(),
        Some(Field::Channel) => interface.channel = value.parse().ok(),
        Some(Field::ReceiveRate) => interface.receive_mbps = rate(),
        Some(Field::TransmitRate) => interface.transmit_mbps = rate(),
        Some(Field::Signal) => interface.signal_percent = percent(value),
        Some(Field::Profile) => interface.profile = text(),
        // `take` has left these out.
        Some(Field::Ignored) => {}
        None => interface.other_keys.push(OtherKey { line, label: label.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::netsh::testing::{damage_says_nothing_new, data, read_unasked};
    use super::super::{CaptureKind, CaptureStatus};

    /// Layout of Windows 10, English; the second adapter is not connected.
    const TWO: &str = "\nThere are 2 interfaces on the system: \n\n    Name                   : Wi-Fi\n    \
        Description            : Intel(R) Wi-Fi 6 AX201 160MHz\n    GUID                   : 3f9a7c1e-1111-2222-3333-444455556666\n    \
        Physical address       : aa:bb:cc:00:11:22\n    State                  : connected\n    SSID                   : Corp: 5\n    \
        BSSID                  : 11:22:33:44:55:66\n    Network type           : Infrastructure\n    Radio type             : 802.11ac\n    \
        Authentication         : WPA2-Enterprise\n    Cipher                 : CCMP\n    Connection mode        : Profile\n    \
        Channel                : 36\n    Receive rate (Mbps)    : 866.7\n    Transmit rate (Mbps)   : 780\n    \
        Signal                 : 99% \n    Profile                : Corp \n\n    Hosted network status  : Not available\n\n    \
        Name                   : Wi-Fi 2\n    Description            : USB adapter\n    GUID                   : 00000000-1111-2222-3333-444455556666\n    \
        Physical address       : aa:bb:cc:00:11:33\n    State                  : disconnected\n    Radio status           : Hardware On\n                             \
        Software On\n\n";

    #[test]
    fn two_adapters_of_windows_10() {
        let (data, status, reason) = data!(WlanInterfaces, TWO);
        assert_eq!((status, reason, data.interfaces.len()), (CaptureStatus::Parsed, None, 2));
        let first = &data.interfaces[0];
        assert_eq!((first.line, first.name.as_deref(), first.connected), (4, Some("Wi-Fi"), Some(true)));
        assert_eq!(
            (first.ssid.as_deref(), first.bssid.as_deref()),
            (Some("Corp: 5"), Some("11-22-33-44-55-66"))
        );
        assert_eq!(
            (first.receive_mbps, first.signal_percent, first.channel),
            (Some(866.7), Some(99), Some(36))
        );
        let second = &data.interfaces[1];
        assert_eq!((second.line, second.connected, second.state_line), (24, Some(false), Some(28)));
    }

    #[test]
    fn the_password_of_the_network_is_not_kept() {
        for label in ["Key Content            ", "Schlüsselinhalt        ", "Contenu de la clé      "] {
            let text = TWO.replace(
                "Signal                 : 99%",
                &format!("{label}: correct horse\n    Signal                 : 99%"),
            );
            let (data, status, _) = data!(WlanInterfaces, &text);
            assert!(!format!("{data:?}").contains("correct horse"));
            assert_eq!(
                (data.interfaces[0].other_keys[0].label.as_str(), status),
                (label.trim(), CaptureStatus::Partial)
            );
        }
    }

    #[test]
    fn no_adapter_is_an_answer_and_a_stopped_service_is_none() {
        let (data, status, _) = data!(WlanInterfaces, "\nThere is no wireless interface on the system.\n");
        assert_eq!((data.no_adapter, status), (true, CaptureStatus::Parsed));
        let stopped = read_unasked(
            CaptureKind::WlanInterfaces,
            "The Wireless AutoConfig Service (wlansvc) is not running.\n",
        );
        assert_ne!(stopped.status, CaptureStatus::Parsed);
    }

    #[test]
    fn an_unknown_language_keeps_what_types_tell() {
        let text = TWO
            .replace("State  ", "Stan   ")
            .replace(" connected", " połączono")
            .replace("Physical address", "Adres fizyczny  ");
        let (data, status, _) = data!(WlanInterfaces, &text);
        let first = &data.interfaces[0];
        assert_eq!(
            (first.connected, first.mac.as_deref(), first.bssid.as_deref()),
            (None, Some("AA-BB-CC-00-11-22"), Some("11-22-33-44-55-66"))
        );
        assert_eq!(status, CaptureStatus::Partial);
    }

    #[test]
    fn damage_says_nothing_new_of_adapters() {
        damage_says_nothing_new(CaptureKind::WlanInterfaces, TWO, true);
    }
}
