//! What the readers of network commands share: addresses, prefixes, and how a reading with open questions is summed up.
//!
//! Labels of these commands are localised; addresses, masks and prefixes are not. So the readers find their way by types and ask
//! a table of labels only where types do not decide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{CaptureData, CaptureStatus, Reading};

/// An IPv4 address: four decimal parts.
pub(super) fn ipv4(text: &str) -> Option<Ipv4Addr> {
    text.trim().parse().ok()
}

/// An IPv6 address; a zone (`%12`, `%eth0`) is allowed and left out.
pub(super) fn ipv6(text: &str) -> Option<Ipv6Addr> {
    let address = text.trim().split('%').next()?;
    address.parse().ok()
}

/// Either kind of address, a zone left out.
pub(super) fn ip(text: &str) -> Option<IpAddr> {
    ipv4(text).map(IpAddr::V4).or_else(|| ipv6(text).map(IpAddr::V6))
}

/// Length of a contiguous network mask: 255.255.240.0 is 20. `None` for anything else.
pub(super) fn mask_length(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let ones = bits.leading_ones();
    if bits.checked_shl(ones).unwrap_or(0) == 0 { u8::try_from(ones).ok() } else { None }
}

/// `address/length`, as routes and subnet prefixes are printed.
pub(super) fn prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.trim().split_once('/')?;
    let address = ip(address)?;
    let length: u8 = length.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    (length <= longest).then_some((address, length))
}

/// Whether a line is a rule of one sign (`====`), groups of it allowed (`--- ---`), at least `least` signs in all.
pub(super) fn is_rule(line: &str, sign: char, least: usize) -> bool {
    let mut signs = 0;
    for letter in line.trim().chars() {
        if letter == sign {
            signs += 1;
        } else if letter != ' ' {
            return false;
        }
    }
    signs >= least
}

/// What a reader could not make sense of, in the order of the lines. The first few are told in full, the rest are counted.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    told: Vec<String>,
    untold: usize,
}

impl Doubts {
    const TOLD: usize = 3;

    /// Something at a line is not as it should be.
    pub(super) fn at(&mut self, line: u32, what: impl AsRef<str>) {
        if self.told.len() < Self::TOLD {
            self.told.push(format!("line {line}: {}", what.as_ref()));
        } else {
            self.untold += 1;
        }
    }

    /// Something about the output as a whole is not as it should be.
    pub(super) fn whole(&mut self, what: impl Into<String>) {
        if self.told.len() < Self::TOLD {
            self.told.push(what.into());
        } else {
            self.untold += 1;
        }
    }

    /// Whether nothing is in doubt.
    pub(super) fn none(&self) -> bool {
        self.told.is_empty()
    }

    fn reason(&self) -> Option<String> {
        if self.told.is_empty() {
            return None;
        }
        let more = if self.untold == 0 { String::new() } else { format!("; {} more", self.untold) };
        Some(format!("{}{more}", self.told.join("; ")))
    }
}

/// Parsed when nothing is in doubt, else partial with the doubts as its reason.
pub(super) fn reading(data: CaptureData, language: Option<&str>, doubts: &Doubts) -> Reading {
    Reading {
        status: if doubts.none() { CaptureStatus::Parsed } else { CaptureStatus::Partial },
        reason: doubts.reason(),
        language: language.map(str::to_owned),
        data,
    }
}

/// The words for yes and no that netsh prints, in any of the languages; `None` for any other word.
pub(super) fn yes_or_no(word: &str) -> Option<bool> {
    const WORDS: &[(&str, bool)] = &[
        ("yes", true),
        ("no", false),
        ("ja", true),
        ("nein", false),
        ("oui", true),
        ("non", false),
        ("sí", true),
        ("sì", true),
        ("sim", true),
        ("não", false),
        ("да", true),
        ("нет", false),
        ("是", true),
        ("否", false),
        ("はい", true),
        ("いいえ", false),
        ("예", true),
        ("아니요", false),
    ];
    let word = word.trim().to_lowercase();
    WORDS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// A line shortened for a message.
pub(super) fn quote(line: &str) -> String {
    let line = line.trim();
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", line.get(..end).unwrap_or_default()),
        None => format!("{line:?}"),
    }
}

/// What the unit tests of the readers share.
#[cfg(test)]
pub(super) mod testing {
    use super::super::{Block, CaptureKind, CaptureStatus, READERS, Reading};
    use crate::artifact::text::Text;
    use crate::workshop::damage;

    /// The kind of the reader that claims a text most surely.
    pub fn claimed(text: &str) -> CaptureKind {
        let text = Text::decode(text.as_bytes());
        let block = Block::whole(&text);
        let best = READERS.iter().max_by_key(|reader| (reader.recognise)(&block)).unwrap();
        if (best.recognise)(&block) == 0 { CaptureKind::Unknown } else { best.kind }
    }

    /// Reads a text that must be claimed by this kind's reader.
    pub fn read(kind: CaptureKind, text: &str) -> Reading {
        assert_eq!(claimed(text).name(), kind.name());
        read_unasked(kind, text)
    }

    /// Reads a text whether or not the reader claims it.
    pub fn read_unasked(kind: CaptureKind, text: &str) -> Reading {
        let text = Text::decode(text.as_bytes());
        let reader = READERS.iter().find(|reader| reader.kind == kind).unwrap();
        (reader.read)(&Block::whole(&text))
    }

    /// The typed content of a text and how far it was understood.
    macro_rules! data {
        ($kind:ident, $text:expr) => {{
            let reading = crate::artifact::capture::netsh::testing::read(
                crate::artifact::capture::CaptureKind::$kind,
                $text,
            );
            match reading.data {
                crate::artifact::capture::CaptureData::$kind(data) => (data, reading.status, reading.reason),
                other => panic!("{other:?}"),
            }
        }};
    }
    pub(in crate::artifact::capture) use data;

    /// Damages a text that must be read whole: where the damaged one is still taken for whole, it says nothing that the sound
    /// one does not say. `columns` for tables and lists, whose columns can be lost as well.
    pub fn damage_says_nothing_new(kind: CaptureKind, text: &str, columns: bool) {
        let sound = read(kind, text);
        assert_eq!(sound.status, CaptureStatus::Parsed, "{:?}", sound.reason);
        let sound = serde_json::to_value(&sound.data).unwrap();
        let check = |damaged: &str, cut: bool| {
            let reading = read_unasked(kind, damaged);
            if reading.status == CaptureStatus::Parsed {
                let data = serde_json::to_value(&reading.data).unwrap();
                assert!(damage::covers(&sound, &data, cut), "{data:#}\n{damaged}");
            }
        };
        damage::without_lines(text, 3).iter().for_each(|damaged| check(damaged, false));
        if columns {
            damage::without_columns(text, 2).iter().for_each(|damaged| check(damaged, true));
        }
        for scrambled in damage::scrambled(text) {
            let reading = read_unasked(kind, &scrambled);
            assert_eq!(reading.status == CaptureStatus::Parsed, reading.reason.is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::CaptureKind;
    use super::*;

    #[test]
    fn only_contiguous_masks_have_a_length() {
        assert_eq!(mask_length(Ipv4Addr::new(255, 255, 240, 0)), Some(20));
        assert_eq!(mask_length(Ipv4Addr::new(255, 255, 255, 255)), Some(32));
        assert_eq!(mask_length(Ipv4Addr::UNSPECIFIED), Some(0));
        assert_eq!(mask_length(Ipv4Addr::new(255, 0, 255, 0)), None);
        assert_eq!(mask_length(Ipv4Addr::new(192, 168, 1, 1)), None);
    }

    #[test]
    fn prefixes_have_a_length_that_fits() {
        assert_eq!(prefix("10.0.0.0/24"), Some((IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 24)));
        assert_eq!(prefix("::1/128"), Some((IpAddr::V6(Ipv6Addr::LOCALHOST), 128)));
        assert_eq!(prefix("10.0.0.0/33"), None);
        assert_eq!(prefix("10.0.0.0"), None);
    }

    /// Kinds whose readers this module serves.
    const KINDS: &[CaptureKind] = &[
        CaptureKind::IpConfig,
        CaptureKind::IpInterfaces,
        CaptureKind::IpRoute,
        CaptureKind::Neighbors,
        CaptureKind::NetshDump,
        CaptureKind::FirewallProfiles,
        CaptureKind::FirewallRules,
        CaptureKind::FirewallLog,
        CaptureKind::TcpGlobal,
        CaptureKind::WlanInterfaces,
        CaptureKind::RoutePrint,
        CaptureKind::Getmac,
        CaptureKind::AdapterBinding,
        CaptureKind::Drivers,
        CaptureKind::Hosts,
        CaptureKind::Environment,
    ];

    /// Pieces that the readers look for, so that arbitrary texts get past their doors.
    fn line() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[ -~]{0,12}",
            "\\PC{0,6}",
            Just("10.0.0.1".to_owned()),
            Just("0.0.0.0/0".to_owned()),
            Just("fe80::1%12".to_owned()),
            Just("255.255.255.0".to_owned()),
            Just("aa-bb-cc-dd-ee-ff".to_owned()),
            Just("--------------------------------------------------".to_owned()),
            Just("===================================================================".to_owned()),
            Just("Interface 5: x".to_owned()),
            Just("pushd interface ip".to_owned()),
            Just("\"a\"".to_owned()),
            Just("Rule Name: y".to_owned()),
            Just("BlockInbound,AllowOutbound".to_owned()),
            Just("...".to_owned()),
            Just("#Fields: date time action".to_owned()),
            Just("2019-11-06 12:35:19 DROP".to_owned()),
            Just("\\Device\\Tcpip_{".to_owned()),
        ];
        proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.join("  "))
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic_and_with_a_reason(lines in proptest::collection::vec(line(), 0..12)) {
            let text = lines.join("\n");
            for kind in KINDS {
                let reading = testing::read_unasked(*kind, &text);
                prop_assert_eq!(reading.status == CaptureStatus::Parsed, reading.reason.is_none());
            }
            testing::claimed(&text);
        }
    }
}
