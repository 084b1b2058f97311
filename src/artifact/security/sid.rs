//! Security identifiers ([MS-DTYP] 2.4.2).

use std::fmt;

/// A security identifier in its text form, `S-1-5-20`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid(pub String);

impl Sid {
    /// Everyone.
    pub const EVERYONE: &str = "S-1-1-0";
    /// Authenticated users.
    pub const AUTHENTICATED_USERS: &str = "S-1-5-11";
    /// The SYSTEM account.
    pub const SYSTEM: &str = "S-1-5-18";
    /// The LOCAL SERVICE account.
    pub const LOCAL_SERVICE: &str = "S-1-5-19";
    /// The NETWORK SERVICE account.
    pub const NETWORK_SERVICE: &str = "S-1-5-20";
    /// The Administrators group.
    pub const ADMINISTRATORS: &str = "S-1-5-32-544";

    /// A SID from its text form, in any case.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.make_ascii_uppercase();
        Self(text)
    }

    /// Reads the binary form from the front of `bytes`; `None` when it is cut off or none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        use fmt::Write as _;
        let &[revision, count, a0, a1, a2, a3, a4, a5] = bytes.first_chunk()?;
        if revision != 1 || count > 15 {
            return None;
        }
        let authority = u64::from_be_bytes([0, 0, a0, a1, a2, a3, a4, a5]);
        let mut text = String::with_capacity(48);
        // Authorities beyond 32 bits are printed in hex (ConvertSidToStringSid).
        let _ = if authority >> 32 == 0 {
            write!(text, "S-1-{authority}")
        } else {
            write!(text, "S-1-0x{authority:012X}")
        };
        for part in bytes.get(8..8 + 4 * usize::from(count))?.chunks_exact(4) {
            let _ = write!(text, "-{}", u32::from_le_bytes(*part.first_chunk()?));
        }
        Some(Self(text))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an account of a person: a local or domain user (`S-1-5-21-…`, not one of the built-in groups of a domain)
    /// or a user of Entra ID (`S-1-12-1-…`).
    pub fn is_person(&self) -> bool {
        if let Some(rest) = self.0.strip_prefix("S-1-5-21-") {
            let rid = rest.rsplit('-').next().and_then(|rid| rid.parse::<u32>().ok());
            // 500 is the built-in Administrator, 501 Guest, 503 DefaultAccount, 504 WDAGUtilityAccount; 502 is krbtgt
            // and 512 to 999 are groups.
            return rest.split('-').count() == 4
                && rid.is_some_and(|rid| matches!(rid, 500 | 501 | 503 | 504 | 1000..));
        }
        self.0.strip_prefix("S-1-12-1-").is_some_and(|rest| rest.split('-').count() == 4)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
