//! Cells: everything in a hive lies in one, and every offset in a hive is the offset of one.

use super::bytes::u32_at;
use super::{Fault, Hive, HiveError, Structure, base_block};

/// The offset that means "none".
pub(super) const NONE: u32 = u32::MAX;

impl Hive {
    /// Where in the file a cell offset points.
    #[inline]
    pub(super) fn position(offset: u32) -> u64 {
        u64::from(offset) + base_block::LEN as u64
    }

    /// The content of an allocated cell, as far as the file goes: every reader knows what it needs and says what is missing.
    ///
    /// The headers of hive bins are not consulted: a cell is where an offset says, whether or not the bin around it is whole.
    #[inline]
    pub(super) fn cell(&self, offset: u32) -> Result<&[u8], HiveError> {
        let fault = |fault| HiveError::new(Self::position(offset), fault);
        let start = offset as usize + base_block::LEN;
        let Some(rest) = self.bytes.get(start..).filter(|rest| rest.len() >= 8) else {
            return Err(fault(Fault::Outside(self.bytes.len() as u64)));
        };
        let size = u32_at(rest, 0).cast_signed();
        if !offset.is_multiple_of(8) {
            return Err(fault(Fault::Unaligned));
        }
        if size > 0 {
            return Err(fault(Fault::FreeCell(size)));
        }
        let len = size.unsigned_abs() as usize;
        if len < 8 {
            return Err(fault(Fault::CellSize(size)));
        }
        let head = self.cell_head;
        Ok(rest.get(head..len.min(rest.len())).unwrap_or_default())
    }

    /// The content of a cell that must hold the given structure: its fixed part and what follows.
    #[inline]
    pub(super) fn structure<const N: usize>(
        &self,
        offset: u32,
        kind: Structure,
    ) -> Result<(&[u8; N], &[u8]), HiveError> {
        let data = self.cell(offset)?;
        let fault = |fault| HiveError::new(Self::position(offset), fault);
        if !data.starts_with(kind.signature()) {
            return Err(fault(Fault::Signature(kind, data.first_chunk().copied().unwrap_or_default())));
        }
        data.split_first_chunk::<N>().ok_or(fault(Fault::ShortCell(kind, data.len() as u32)))
    }
}
