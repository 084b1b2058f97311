//! Points in time as Windows stores them.
//!
//! Hives, event logs and connection blobs all hold FILETIME: unsigned 100-nanosecond ticks since 1601-01-01 UTC. Everything
//! in actriage compares and subtracts these ticks; a calendar is only needed at the edges, where people read.

use std::fmt;

use serde::{Serialize, Serializer};

/// 100 ns ticks between 1601-01-01 and 1970-01-01.
const UNIX_EPOCH_TICKS: u64 = 116_444_736_000_000_000;
/// 100 ns ticks in a second.
pub const TICKS_PER_SECOND: u64 = 10_000_000;

/// A UTC time in 100 ns ticks since 1601-01-01 (FILETIME).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(u64);

impl FileTime {
    /// A time from raw FILETIME ticks.
    pub const fn from_ticks(ticks: u64) -> Self {
        Self(ticks)
    }

    /// A time from whole seconds since 1970-01-01 UTC; `None` before 1601.
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        let ticks = i128::from(seconds) * i128::from(TICKS_PER_SECOND) + i128::from(UNIX_EPOCH_TICKS);
        u64::try_from(ticks).ok().map(Self)
    }

    /// The raw FILETIME ticks.
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// Zero ticks: Windows writes it for "never".
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Reads RFC 3339 / ISO 8601 with an offset or `Z` and up to nine fractional digits. A date and time without any
    /// offset is taken as UTC, because event XML and captures print UTC that way.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let stamp = text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        })?;
        let ticks = stamp.as_nanosecond() / 100 + i128::from(UNIX_EPOCH_TICKS);
        u64::try_from(ticks).ok().map(Self)
    }

    /// This time moved by whole seconds, clamped at the ends of the range.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let ticks = seconds.unsigned_abs().saturating_mul(TICKS_PER_SECOND);
        if seconds < 0 { Self(self.0.saturating_sub(ticks)) } else { Self(self.0.saturating_add(ticks)) }
    }

    /// Seconds from `earlier` to this time, negative when this time is the earlier one.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        let diff = (i128::from(self.0) - i128::from(earlier.0)) / i128::from(TICKS_PER_SECOND);
        i64::try_from(diff).unwrap_or(i64::MAX)
    }

    fn timestamp(self) -> Option<jiff::Timestamp> {
        let nanos = (i128::from(self.0) - i128::from(UNIX_EPOCH_TICKS)) * 100;
        jiff::Timestamp::from_nanosecond(nanos).ok()
    }

    /// RFC 3339 with all seven fractional digits, as event logs print it.
    pub fn to_precise(self) -> String {
        match self.timestamp() {
            Some(stamp) => stamp.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string(),
            None => format!("FILETIME {}", self.0),
        }
    }

    /// The calendar date alone, for sentences.
    pub fn date(self) -> String {
        match self.timestamp() {
            Some(stamp) => stamp.strftime("%Y-%m-%d").to_string(),
            None => format!("FILETIME {}", self.0),
        }
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timestamp() {
            Some(stamp) => write!(f, "{}", stamp.strftime("%Y-%m-%dT%H:%M:%SZ")),
            None => write!(f, "FILETIME {}", self.0),
        }
    }
}

/// RFC 3339, or `null` for ticks beyond any calendar: the contract allows nothing else.
impl Serialize for FileTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.timestamp() {
            Some(_) => serializer.collect_str(self),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unix_epoch_is_the_published_constant() {
        // 116444736000000000: MS-DTYP 2.3.3 and every FILETIME converter.
        assert_eq!(FileTime::from_ticks(116_444_736_000_000_000).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(FileTime::from_unix_seconds(0), Some(FileTime::from_ticks(116_444_736_000_000_000)));
    }

    #[test]
    fn the_blob_vector_of_the_domain_reference() {
        // domain.md section 11, first vector: c58ae982b574cc01 is 2011-09-16T21:13:42Z.
        let ticks = u64::from_le_bytes([0xc5, 0x8a, 0xe9, 0x82, 0xb5, 0x74, 0xcc, 0x01]);
        assert_eq!(FileTime::from_ticks(ticks).to_string(), "2011-09-16T21:13:42Z");
    }

    #[test]
    fn times_parse_with_and_without_an_offset() {
        let expected = FileTime::from_unix_seconds(1_700_000_000);
        assert_eq!(FileTime::parse("2023-11-14T22:13:20Z"), expected);
        assert_eq!(FileTime::parse("2023-11-14T22:13:20.0000000Z"), expected);
        assert_eq!(FileTime::parse("2023-11-15T00:13:20+02:00"), expected);
        assert_eq!(FileTime::parse("2023-11-14T22:13:20"), expected);
        assert_eq!(FileTime::parse("yesterday"), None);
    }

    #[test]
    fn absurd_ticks_print_and_serialise() {
        assert_eq!(serde_json::to_string(&FileTime::from_ticks(u64::MAX)).unwrap(), "null");
        assert_eq!(FileTime::from_ticks(u64::MAX).plus_seconds(5).ticks(), u64::MAX);
    }
}
