//! What a bundle may cost before it is refused.
//!
//! Archives come from strangers. Every bound is checked against what was really read, not against what a header promises, and
//! hitting one is reported with its name, so that an engineer with a good but huge bundle knows which one to raise.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds on one bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files in the bundle, nested archives included.
    pub entries: u64,
    /// Bytes of all files together, unpacked.
    pub total_bytes: u64,
    /// Bytes of one file, unpacked.
    pub entry_bytes: u64,
    /// Unpacked to packed bytes of one member. Only members above [`Self::RATIO_FLOOR`] are held to it: an almost empty 20 MB
    /// event log honestly packs some hundred times.
    pub ratio: u64,
    /// Archives inside archives.
    pub nesting: u32,
}

impl Limits {
    /// Members smaller than this may pack as well as they like.
    pub const RATIO_FLOOR: u64 = 64 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, total_bytes: 16 << 30, entry_bytes: 4 << 30, ratio: 400, nesting: 3 }
    }
}

/// What a bundle has cost so far. Shared by the threads that read it.
#[derive(Debug, Default)]
pub struct Spent {
    entries: AtomicU64,
    bytes: AtomicU64,
}

/// A bound was hit.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum LimitError {
    /// Too many files.
    #[error("the bundle holds more than {0} files (limit: --max-entries)")]
    Entries(u64),
    /// Too much data in all.
    #[error("the bundle unpacks to more than {0} bytes (limit: --max-bytes)")]
    TotalBytes(u64),
    /// One file is too large.
    #[error("the file has {found} bytes, more than {limit} (limit: --max-entry-bytes)")]
    EntryBytes {
        /// Size that the file has or claims.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// One file unpacks suspiciously well.
    #[error(
        "the member unpacks {found} times, more than {limit} times: it looks like an archive bomb (limit: --max-ratio)"
    )]
    Ratio {
        /// Unpacked to packed bytes.
        found: u64,
        /// The bound.
        limit: u64,
    },
    /// Too many archives inside each other.
    #[error("archives are nested deeper than {0} (limit: --max-nesting)")]
    Nesting(u32),
}

impl Spent {
    /// Counts one more file.
    pub fn entry(&self, limits: &Limits) -> Result<(), LimitError> {
        if self.entries.fetch_add(1, Ordering::Relaxed) >= limits.entries {
            return Err(LimitError::Entries(limits.entries));
        }
        Ok(())
    }

    /// Counts the bytes of a file before they are unpacked; `packed` is `None` for files that are not in an archive.
    pub fn bytes(&self, limits: &Limits, size: u64, packed: Option<u64>) -> Result<(), LimitError> {
        if size > limits.entry_bytes {
            return Err(LimitError::EntryBytes { found: size, limit: limits.entry_bytes });
        }
        if let Some(packed) = packed {
            let ratio = size / packed.max(1);
            if size > Limits::RATIO_FLOOR && ratio > limits.ratio {
                return Err(LimitError::Ratio { found: ratio, limit: limits.ratio });
            }
        }
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        if before.saturating_add(size) > limits.total_bytes {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            return Err(LimitError::TotalBytes(limits.total_bytes));
        }
        Ok(())
    }
}
