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
    use super::super::{Block, CaptureKind, READERS, Reading};
    use crate::artifact::text::Text;

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

    /// All texts that lost lines or columns make of one: each run of up to four lines, and each column at either end or ten
    /// inside.
    pub fn damaged(text: &str) -> Vec<String> {
        let lines: Vec<&str> = text.lines().collect();
        let mut all = Vec::new();
        for from in 0..lines.len() {
            for to in from + 1..=(from + 4).min(lines.len()) {
                let kept: Vec<&str> = lines[..from].iter().chain(&lines[to..]).copied().collect();
                all.push(kept.join("\n"));
            }
        }
        let cut =
            |f: &dyn Fn(&str) -> String| lines.iter().map(|line| f(line)).collect::<Vec<_>>().join("\n");
        for column in 1..60 {
            all.push(cut(&|line| line.chars().skip(column).collect()));
            all.push(cut(&|line| line.chars().take(column).collect()));
            // A column of ten is lost inside.
            all.push(cut(&|line| line.chars().take(column).chain(line.chars().skip(column + 10)).collect()));
        }
        all
    }

    /// Texts with one letter replaced, for which only this can be asked: no panic, and a reason for all that is not parsed.
    pub fn scrambled(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        for (at, letter) in text.char_indices().step_by(7) {
            for other in ["\u{fffd}", "0", " ", "\n", ":", "\"", "é"] {
                all.push(format!("{}{other}{}", &text[..at], &text[at + letter.len_utf8()..]));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
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
}
