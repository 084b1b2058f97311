//! Connection blobs: the binary values in which WinHTTP and WinINET keep their proxy settings.
//!
//! `WinHttpSettings`, `DefaultConnectionSettings` and `SavedLegacySettings` share one layout (domain.md 6.6): version, change counter,
//! flags, then length-prefixed ANSI strings. What follows the PAC URL was inferred from samples: it is read where it fits, and a tail that
//! does not fit is no damage.

use std::net::{IpAddr, Ipv4Addr};

use nom::bytes::complete::take;
use nom::number::complete::{le_u32, le_u64};
use nom::{IResult, Parser};

use super::{Place, Problem};
use crate::time::FileTime;

/// Flag: direct connections are allowed. Practically always set.
pub const DIRECT: u32 = 0x1;
/// Flag: a proxy is named.
pub const PROXY: u32 = 0x2;
/// Flag: a PAC URL is given.
pub const PAC: u32 = 0x4;
/// Flag: detect the proxy by WPAD.
pub const AUTO_DETECT: u32 = 0x8;

/// Versions that Windows writes (decision 25 adds 0x18 to those of domain.md 6.6).
const VERSIONS: [u32; 4] = [0x18, 0x28, 0x3c, 0x46];

/// The settings in a blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionBlob {
    /// Layout version.
    pub version: u32,
    /// Grows with each write.
    pub counter: u32,
    /// [`DIRECT`], [`PROXY`], [`PAC`], [`AUTO_DETECT`].
    pub flags: u32,
    /// `host:port`, or `http=…;https=…`; kept even when its flag is off.
    pub proxy: String,
    /// `;` list of names that go direct.
    pub bypass: String,
    /// PAC URL; empty in the short layouts.
    pub pac: String,
    /// The last PAC URL that auto-detection found.
    pub detected_pac: String,
    /// When auto-detection last ran.
    pub detected_at: Option<FileTime>,
    /// Addresses of the interfaces at that time, IPv4 only.
    pub addresses: Vec<IpAddr>,
}

/// What a blob sets: flags, proxy, bypass list, PAC URL. The counter and the tail are not among it (R6).
pub type BlobSettings<'b> = (u32, &'b str, &'b str, &'b str);

impl ConnectionBlob {
    /// Reads a blob. A problem names the offset inside the value.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let at = |rest: &[u8]| Place::Offset((bytes.len() - rest.len()) as u64);
        let short = |rest: &[u8], what: &str| Problem::new(at(rest), what, format!("{} bytes", rest.len()));
        let header = (le_u32, le_u32, le_u32).parse(bytes);
        let (rest, (version, counter, flags)) = header.map_err(|_: nom::Err<()>| {
            Problem::new(
                Place::Offset(0),
                "version, counter and flags (12 bytes)",
                format!("{} bytes", bytes.len()),
            )
        })?;
        if flags & !0xf != 0 {
            return Err(Problem::new(Place::Offset(8), "flags of 0x0 to 0xf", format!("{flags:#x}")));
        }
        let (rest, proxy) = text(rest).map_err(|_| short(rest, "the proxy's length and text"))?;
        let (rest, bypass) = text(rest).map_err(|_| short(rest, "the bypass list's length and text"))?;
        let mut blob = Self { version, counter, flags, ..Self::default() };
        blob.proxy =
            ansi(proxy).ok_or_else(|| Problem::new(Place::Offset(12), "a proxy in ASCII", hex(proxy)))?;
        blob.bypass =
            ansi(bypass).ok_or_else(|| Problem::new(at(rest), "a bypass list in ASCII", hex(bypass)))?;
        if rest.is_empty() || matches!(version, 0x18 | 0x28) {
            return Ok(blob);
        }
        let (rest, pac) = text(rest).map_err(|_| short(rest, "the PAC URL's length and text"))?;
        blob.pac = ansi(pac).ok_or_else(|| Problem::new(at(rest), "a PAC URL in ASCII", hex(pac)))?;
        blob.tail(rest);
        Ok(blob)
    }

    /// The tail: auto-discovery flags, the URL that was detected and when, and the addresses of the interfaces. Unknown tails are
    /// accepted.
    fn tail(&mut self, input: &[u8]) {
        let Ok((rest, (_, detected))) = (le_u32::<_, ()>, text).parse(input) else { return };
        self.detected_pac = ansi(detected).unwrap_or_default();
        let Ok((rest, ticks)) = le_u64::<_, ()>(rest) else { return };
        self.detected_at = (ticks != 0).then_some(FileTime::from_ticks(ticks));
        let (skip, size, at) = match self.version {
            0x46 => (12_usize, 128, 4),
            0x3c => (0, 4, 0),
            _ => return,
        };
        let Some((count, list)) = rest.get(skip..).and_then(<[u8]>::split_first_chunk::<4>) else { return };
        let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or_default();
        let ipv4 = |entry: &[u8]| {
            // A socket address begins with its family; 2 is IPv4, then port and address.
            let is_ipv4 = at == 0 || entry.starts_with(&[2, 0]);
            let bytes = entry.get(at..)?.first_chunk::<4>().filter(|_| is_ipv4)?;
            Some(IpAddr::from(Ipv4Addr::from(*bytes)))
        };
        self.addresses = list.chunks_exact(size).take(count).filter_map(ipv4).collect();
    }

    /// The blob that says nothing but "direct".
    pub fn direct() -> Self {
        Self { version: 0x18, flags: DIRECT, ..Self::default() }
    }

    /// What it sets, for comparisons.
    pub fn settings(&self) -> BlobSettings<'_> {
        (self.flags & 0xf, self.proxy.trim(), self.bypass.trim(), self.pac.trim())
    }

    /// Whether the version is one that Windows writes; another one is a note while the lengths add up (decision 25).
    pub fn known_version(&self) -> bool {
        VERSIONS.contains(&self.version)
    }

    /// The proxy in force, if the flag for it is set and there is one. A bypass list of `*` means that it is never used (R18).
    pub fn proxy_in_force(&self) -> Option<&str> {
        let used = self.flags & PROXY != 0 && !self.proxy.trim().is_empty() && !is_never_used(&self.bypass);
        used.then_some(self.proxy.as_str())
    }
}

/// Whether a bypass list names every address (`*`, alone or beside others): then the proxy is never used (R18).
pub fn is_never_used(bypass: &str) -> bool {
    bypass.split([';', ',', ' ']).any(|entry| entry.trim() == "*")
}

/// A length-prefixed string.
fn text(input: &[u8]) -> IResult<&[u8], &[u8], ()> {
    let (rest, length) = le_u32(input)?;
    take(length).parse(rest)
}

fn ansi(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    // Lists of exceptions may be divided by line ends: policies write them so, and WinINET takes every white space.
    let printable =
        bytes.iter().all(|byte| (0x20..0x7f).contains(byte) || matches!(byte, b'\t' | b'\r' | b'\n'));
    printable.then(|| bytes.iter().map(|byte| char::from(*byte)).collect())
}

fn hex(bytes: &[u8]) -> String {
    let head: Vec<u8> = bytes.iter().take(16).copied().collect();
    super::value::hex(&head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn the_first_vector_of_the_domain_reference() {
        // domain.md section 11, vector 1 (the 184-byte blob's beginning; the tail is not needed).
        let blob = ConnectionBlob::parse(&bytes(
            "46000000 06000000 09000000 00000000 00000000 00000000 04000000 00000000 c58ae982b574cc01",
        ))
        .unwrap();
        assert_eq!((blob.version, blob.counter, blob.flags), (0x46, 6, DIRECT | AUTO_DETECT));
        assert!(blob.proxy.is_empty() && blob.pac.is_empty() && blob.detected_pac.is_empty());
        assert_eq!(blob.detected_at.unwrap().to_string(), "2011-09-16T21:13:42Z");
        // The tail as section 6.6 lays it out up to 184 bytes, with the address that section 11 gives.
        let mut whole =
            bytes("46000000 06000000 09000000 00000000 00000000 00000000 04000000 00000000 c58ae982b574cc01");
        whole.extend(bytes("00000000 00000000 00000000 01000000 02000000 0a033a06"));
        whole.resize(184, 0);
        assert_eq!(ConnectionBlob::parse(&whole).unwrap().addresses, [IpAddr::from([10, 3, 58, 6])]);
    }

    #[test]
    fn an_address_count_past_the_end_allocates_nothing() {
        let blob = ConnectionBlob::parse(&bytes(
            "3c000000 02000000 01000000 00000000 00000000 00000000 04000000 00000000 f066d29c49dec401 ffffffff c0a800eb",
        ))
        .unwrap();
        assert_eq!(blob.addresses.len(), 1);
    }

    #[test]
    fn counters_and_tails_are_no_settings() {
        // R6.
        let one = ConnectionBlob {
            counter: 3,
            flags: 9,
            detected_pac: "http://a/".into(),
            ..ConnectionBlob::default()
        };
        let other = ConnectionBlob { counter: 54, flags: 9, ..ConnectionBlob::default() };
        assert_eq!(one.settings(), other.settings());
        assert_ne!(one.settings(), ConnectionBlob::direct().settings());
    }

    #[test]
    fn the_second_vector_of_the_domain_reference() {
        let blob = ConnectionBlob::parse(&bytes(
            "3c000000 02000000 01000000 00000000 00000000 00000000 04000000 00000000 f066d29c49dec401 01000000 c0a800eb 0000000000000000",
        ))
        .unwrap();
        assert_eq!((blob.version, blob.flags), (0x3c, DIRECT));
        assert!(blob.detected_at.unwrap().to_string().starts_with("2004-12-09"));
        assert_eq!(blob.addresses, [IpAddr::from([192, 168, 0, 235])]);
        assert!(blob.known_version());
    }

    #[test]
    fn the_windows_default_is_the_short_direct_form() {
        // Decision 25: 20 bytes, version 0x18, direct.
        let blob = ConnectionBlob::parse(&bytes("18000000 00000000 01000000 00000000 00000000")).unwrap();
        assert_eq!((blob.flags, blob.proxy_in_force()), (DIRECT, None));
        assert!(blob.known_version());
    }

    #[test]
    fn a_length_past_the_end_is_damage_with_its_offset() {
        let error = ConnectionBlob::parse(&bytes("28000000 00000000 03000000 ff000000 41")).unwrap_err();
        assert_eq!(error.place, Place::Offset(12));
        let error =
            ConnectionBlob::parse(&bytes("28000000 00000000 f3000000 00000000 00000000")).unwrap_err();
        assert_eq!(error.place, Place::Offset(8));
    }

    #[test]
    fn a_bypass_of_everything_means_direct() {
        // R18.
        let mut raw = bytes("28000000 00000000 03000000");
        for text in ["localhost:8080", "*"] {
            raw.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            raw.extend(text.bytes());
        }
        let blob = ConnectionBlob::parse(&raw).unwrap();
        assert_eq!((blob.proxy.as_str(), blob.proxy_in_force()), ("localhost:8080", None));
    }
}
