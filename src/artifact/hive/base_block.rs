//! The base block: the 4096 bytes in front of the hive bins, with the sequence numbers that say whether a write was finished.
//!
//! Layout: M. Suhanov, "Windows registry file format specification", section "Base block".

use super::bytes::{u32_at, u64_at};
use super::name::utf16_until_nul;
use super::{Fault, HiveError};
use crate::time::FileTime;

/// Length of the base block of a hive; offsets in a hive count from behind it.
pub(super) const LEN: usize = 4096;
/// Length of the part that is checked and that the logs keep a copy of.
pub(super) const CHECKED_LEN: usize = 512;

/// What the base block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseBlock {
    /// Raised at the start of a write.
    pub primary_sequence: u32,
    /// Raised at the end of a write; differs from the primary one when a write was not finished.
    pub secondary_sequence: u32,
    /// When the hive was last written.
    pub last_written: FileTime,
    /// Format version, major part: 1.
    pub major_version: u32,
    /// Format version, minor part: 1 to 6; 3 and 5 are usual.
    pub minor_version: u32,
    /// 0 for a hive; 1, 2 (both old) and 6 (new) for transaction logs.
    pub file_type: u32,
    /// Offset of the root key's cell from the start of the hive bins.
    pub root_offset: u32,
    /// Length of the hive bins in bytes.
    pub bins_len: u32,
    /// The last 32 characters at most of the path under which the hive was loaded.
    pub file_name: String,
    /// GUID of the resource manager (`RmId`) as a number; zero before Windows Vista.
    pub resource_manager: u128,
    /// Whether the stored checksum is that of the block.
    pub checksum_ok: bool,
}

impl BaseBlock {
    /// Reads the block from the front of a hive or a log.
    ///
    /// # Errors
    /// The file is shorter than 512 bytes or does not start with `regf`.
    pub fn parse(bytes: &[u8]) -> Result<Self, HiveError> {
        let Some(block) = bytes.first_chunk::<CHECKED_LEN>() else {
            return Err(HiveError::new(0, Fault::ShortFile(bytes.len() as u32)));
        };
        if !block.starts_with(b"regf") {
            return Err(HiveError::new(0, Fault::NoBaseBlock));
        }
        Ok(Self {
            primary_sequence: u32_at(block, 4),
            secondary_sequence: u32_at(block, 8),
            last_written: FileTime::from_ticks(u64_at(block, 12)),
            major_version: u32_at(block, 20),
            minor_version: u32_at(block, 24),
            file_type: u32_at(block, 28),
            root_offset: u32_at(block, 36),
            bins_len: u32_at(block, 40),
            file_name: utf16_until_nul(block.get(48..112).unwrap_or_default()),
            resource_manager: block
                .get(112..)
                .and_then(|rest| rest.first_chunk())
                .copied()
                .map_or(0, u128::from_le_bytes),
            checksum_ok: checksum(block) == u32_at(block, 508),
        })
    }

    /// The part of the file name behind its last backslash.
    pub fn base_name(&self) -> &str {
        self.file_name.rsplit(['\\', '/']).next().unwrap_or_default()
    }

    /// Whether a write had begun and not ended, or the block itself is damaged.
    pub fn is_dirty(&self) -> bool {
        !self.checksum_ok || self.primary_sequence != self.secondary_sequence
    }
}

/// XOR of the first 127 numbers; 0 and −1 are stored as 1 and −2, so that neither an empty nor a blank sector passes.
pub(super) fn checksum(block: &[u8; CHECKED_LEN]) -> u32 {
    let sum = block
        .chunks_exact(4)
        .take(127)
        .fold(0, |sum, word| sum ^ word.first_chunk().copied().map_or(0, u32::from_le_bytes));
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
