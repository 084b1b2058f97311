//! Cells: everything in a hive lies in one, and every offset in a hive is the offset of one.

use super::bytes::u32_at;
use super::{Fault, Hive, HiveError, Structure, base_block};

/// Length of a cell's size, which counts itself.
const SIZE_LEN: i32 = 4;
/// Cells start at multiples of this.
pub(super) const ALIGNMENT: u32 = 8;
/// The offset that means "none".
pub(super) const NONE: u32 = u32::MAX;

impl Hive {
    /// Where in the file a cell offset points.
    #[inline]
    pub(super) fn position(offset: u32) -> u64 {
        u64::from(offset) + base_block::LEN as u64
    }

    /// The content of an allocated cell, as far as the file goes: every reader knows what it needs and says what is missing.
    /// `None` when there is no such cell; [`Self::cell_fault`] knows why.
    ///
    /// The headers of hive bins are not consulted: a cell is where an offset says, whether or not the bin around it is whole.
    #[inline]
    pub(super) fn content(&self, offset: u32) -> Option<&[u8]> {
        let (size, body) = self.bytes.get(offset as usize + base_block::LEN..)?.split_first_chunk()?;
        // Cells in use have negative sizes. Those of free ones turn into lengths beyond any file.
        let len = i32::from_le_bytes(*size).wrapping_neg().wrapping_sub(SIZE_LEN).cast_unsigned();
        match body.get(..len as usize) {
            Some(content) if offset & self.odd_offset == 0 => Some(content),
            _ => self.odd_content(offset, len, body),
        }
    }

    /// The content of a cell that the file cuts off, or that is of the old kind.
    #[cold]
    #[inline(never)]
    fn odd_content<'h>(&self, offset: u32, len: u32, body: &'h [u8]) -> Option<&'h [u8]> {
        let sound = offset.is_multiple_of(ALIGNMENT) && len < i32::MAX.cast_unsigned() - 8;
        let content = body.get(..len as usize).unwrap_or(body);
        // In version 1.1 the offset of the cell before comes first.
        let head = if self.odd_offset == ALIGNMENT - 1 { 0 } else { 4 };
        content.get(head..).filter(|_| sound)
    }

    /// The content of an allocated cell, or what is wrong with it.
    #[inline]
    pub(super) fn cell(&self, offset: u32) -> Result<&[u8], HiveError> {
        self.content(offset).ok_or_else(|| self.cell_fault(offset))
    }

    #[cold]
    #[inline(never)]
    fn cell_fault(&self, offset: u32) -> HiveError {
        let rest = self.bytes.get(offset as usize + base_block::LEN..).filter(|rest| rest.len() >= 8);
        let fault = match rest.map(|rest| u32_at(rest, 0).cast_signed()) {
            None => Fault::Outside,
            Some(_) if !offset.is_multiple_of(ALIGNMENT) => Fault::Unaligned,
            Some(size) if size > 0 => Fault::FreeCell(size),
            Some(size) => Fault::CellSize(size),
        };
        HiveError::new(Self::position(offset), fault)
    }

    /// The content of a cell that holds the given structure, at least so long. `None` when it does not;
    /// [`Self::structure_fault`] knows why.
    #[inline]
    pub(super) fn structure(&self, offset: u32, kind: Structure, len: usize) -> Option<&[u8]> {
        let content = self.content(offset)?;
        (content.len() >= len && content.starts_with(kind.signature())).then_some(content)
    }

    /// Why a cell does not hold the given structure.
    #[cold]
    #[inline(never)]
    pub(super) fn structure_fault(&self, offset: u32, kind: Structure) -> HiveError {
        let data = match self.cell(offset) {
            Ok(data) => data,
            Err(error) => return error,
        };
        let fault = match data.first_chunk() {
            Some(start) if start != kind.signature() => Fault::Signature(kind, *start),
            _ => Fault::ShortCell(kind, data.len() as u32),
        };
        HiveError::new(Self::position(offset), fault)
    }
}
