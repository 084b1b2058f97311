//! Values (`vk`) and where their data lies: in the value itself, in one cell, or in the segments of big data (`db`).

use std::borrow::Cow;

use super::bytes::{u16_at, u32_at};
use super::cell::NONE;
use super::name::RawName;
use super::{Fault, Hive, HiveError, Structure};
use crate::artifact::value::{RegValue, ValueType};

/// Length of the fixed part.
const LEN: usize = 20;
/// Flag: the name is stored in Latin-1.
const COMPRESSED_NAME: u16 = 1;
/// The bit of the length that says: the data lies in the offset field.
const INLINE: u32 = 0x8000_0000;
/// Data up to this length always lies in one cell; a segment of big data holds as much.
const SEGMENT: usize = 16_344;

/// A value of a key.
#[derive(Clone, Copy)]
pub struct Value<'h> {
    hive: &'h Hive,
    /// The cell's content, at least the fixed part.
    cell: &'h [u8],
    offset: u32,
}

/// The data of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueData<'h> {
    /// What could be read.
    pub bytes: Cow<'h, [u8]>,
    /// There should be more; [`Value::data_fault`] says what keeps it from being read.
    pub truncated: bool,
}

impl<'h> Value<'h> {
    /// Reads the value in the cell at an offset.
    #[inline]
    pub(super) fn at(hive: &'h Hive, offset: u32) -> Result<Self, HiveError> {
        Self::read(hive, offset).ok_or_else(|| hive.structure_fault(offset, Structure::Value))
    }

    /// As [`Self::at`], without the reason.
    #[inline]
    pub(super) fn read(hive: &'h Hive, offset: u32) -> Option<Self> {
        let cell = hive.structure(offset, Structure::Value, LEN)?;
        Some(Self { hive, cell, offset })
    }

    /// Byte offset in the file of the value's cell.
    pub fn position(&self) -> u64 {
        Hive::position(self.offset)
    }

    #[inline]
    pub(super) fn raw_name(&self) -> RawName<'h> {
        let tail = self.cell.get(LEN..).unwrap_or_default();
        let bytes = tail.get(..usize::from(u16_at(self.cell, 2))).unwrap_or(tail);
        RawName { bytes, compressed: u16_at(self.cell, 16) & COMPRESSED_NAME != 0 }
    }

    /// Bytes of the name that its cell has no room for.
    #[inline]
    pub(super) fn missing_name_bytes(&self) -> usize {
        (LEN + usize::from(u16_at(self.cell, 2))).saturating_sub(self.cell.len())
    }

    /// The name; empty for the default value.
    pub fn name(&self) -> Cow<'h, str> {
        self.raw_name().decode()
    }

    /// The stored type.
    pub fn kind(&self) -> ValueType {
        ValueType(u32_at(self.cell, 12))
    }

    /// The stored length of the data in bytes.
    #[inline]
    pub fn data_len(&self) -> u32 {
        u32_at(self.cell, 4) & !INLINE
    }

    /// Offset of the cell that the data (or its `db` structure) lies in; `None` when it lies in the value itself.
    pub(super) fn data_offset(&self) -> Option<u32> {
        (u32_at(self.cell, 4) & INLINE == 0 && self.data_len() > 0).then(|| u32_at(self.cell, 8))
    }

    /// The data, borrowed from the hive unless it lies in segments.
    #[inline]
    pub fn data(&self) -> ValueData<'h> {
        match self.plain_data() {
            Some(bytes) => ValueData { bytes: Cow::Borrowed(bytes), truncated: false },
            None => self.other_data(),
        }
    }

    /// What keeps the data from being read in full; `None` when it is complete.
    pub fn data_fault(&self) -> Option<HiveError> {
        self.gather(usize::MAX).1
    }

    /// The data when it lies, whole, in the value itself or in one cell.
    #[inline]
    pub(super) fn plain_data(&self) -> Option<&'h [u8]> {
        let len = self.data_len() as usize;
        match self.data_offset() {
            Some(offset) => self.hive.content(offset)?.get(..len),
            None => self.cell.get(8..12)?.get(..len),
        }
    }

    #[cold]
    #[inline(never)]
    fn other_data(&self) -> ValueData<'h> {
        let (bytes, fault) = self.gather(usize::MAX);
        ValueData { bytes, truncated: fault.is_some() }
    }

    /// The data, wherever it lies and up to a limit, and what is wrong with it.
    pub(super) fn gather(&self, limit: usize) -> (Cow<'h, [u8]>, Option<HiveError>) {
        if let Some(bytes) = self.plain_data() {
            return self.cut(bytes, limit, self.position());
        }
        let Some(offset) = self.data_offset() else {
            return self.cut(self.cell.get(8..12).unwrap_or_default(), limit, self.position());
        };
        if offset == NONE {
            return self.cut(&[], limit, self.position());
        }
        match self.hive.cell(offset) {
            Err(fault) => (Cow::Borrowed(&[]), Some(fault)),
            Ok(cell) if self.is_big(cell) => self.gather_segments(offset, limit),
            Ok(cell) => self.cut(cell, limit, Hive::position(offset)),
        }
    }

    /// Data of one place with the fault of being too short, if it is.
    fn cut(&self, bytes: &'h [u8], limit: usize, position: u64) -> (Cow<'h, [u8]>, Option<HiveError>) {
        let bytes = bytes.get(..limit).unwrap_or(bytes);
        (Cow::Borrowed(bytes), self.cut_fault(bytes.len(), position))
    }

    fn cut_fault(&self, there: usize, position: u64) -> Option<HiveError> {
        let named = self.data_len();
        (there < named as usize).then(|| HiveError::new(position, Fault::CutData(named, there as u32)))
    }

    /// Whether the data is too long for one segment.
    pub(super) fn may_be_big(&self) -> bool {
        self.data_len() as usize > SEGMENT
    }

    /// Big data is only what is too long for one segment, does not fit its own cell and carries the signature: hives of
    /// version 1.3 keep data of any length in one cell, and that data may begin with any two letters.
    fn is_big(&self, cell: &[u8]) -> bool {
        self.may_be_big() && cell.starts_with(Structure::BigData.signature())
    }

    /// Offsets of the segments of big data.
    pub(super) fn segments(&self) -> impl Iterator<Item = u32> + use<'h> {
        let list = self.data_offset().and_then(|offset| {
            let cell = self.hive.cell(offset).ok()?;
            let big = cell.len() < self.data_len() as usize && self.is_big(cell);
            let head = big.then_some(cell.first_chunk::<8>())??;
            let list = self.hive.cell(u32_at(head, 4)).ok()?;
            Some(list.chunks_exact(4).take(u16_at(head, 2).into()))
        });
        list.into_iter().flatten().map(|entry| u32_at(entry, 0))
    }

    fn gather_segments(&self, offset: u32, limit: usize) -> (Cow<'h, [u8]>, Option<HiveError>) {
        // No value can be longer than its hive: this bounds the memory, whatever the length field says.
        let wanted = (self.data_len() as usize).min(self.hive.bytes.len()).min(limit);
        let mut bytes = Vec::with_capacity(wanted);
        for segment in self.segments() {
            let missing = wanted - bytes.len();
            if missing == 0 {
                break;
            }
            let take = missing.min(SEGMENT);
            let there = match self.hive.cell(segment) {
                Ok(cell) => cell.get(..take).unwrap_or(cell),
                Err(fault) => return (Cow::Owned(bytes), Some(fault)),
            };
            bytes.extend_from_slice(there);
            if there.len() < take {
                break;
            }
        }
        let fault = self.cut_fault(bytes.len(), Hive::position(offset));
        (Cow::Owned(bytes), fault)
    }

    /// A copy that outlives the hive.
    pub fn to_reg_value(&self) -> RegValue {
        let data = self.data();
        RegValue {
            name: self.name().into_owned(),
            kind: self.kind(),
            truncated: data.truncated,
            bytes: data.bytes.into_owned(),
        }
    }
}

/// The values of a key in stored order; what cannot be read is an error in its place.
pub struct Values<'h> {
    hive: &'h Hive,
    /// Offsets of the values still to come.
    entries: &'h [u8],
    /// What is wrong with the list itself; it comes last.
    fault: Option<HiveError>,
}

impl<'h> Values<'h> {
    /// No values.
    pub(super) fn none(hive: &'h Hive) -> Self {
        Self { hive, entries: &[], fault: None }
    }

    #[inline]
    pub(super) fn new(hive: &'h Hive, count: u32, offset: Option<Result<u32, HiveError>>) -> Self {
        match offset {
            None => Self::none(hive),
            Some(Ok(offset)) => {
                match hive.content(offset).and_then(|list| list.get(..(count as usize).checked_mul(4)?)) {
                    Some(entries) => Self { hive, entries, fault: None },
                    None => Self::cut_off(hive, count, offset),
                }
            }
            Some(Err(fault)) => Self { hive, entries: &[], fault: Some(fault) },
        }
    }

    /// The values of a list that is not there in full.
    #[cold]
    #[inline(never)]
    fn cut_off(hive: &'h Hive, count: u32, offset: u32) -> Self {
        let list = match hive.cell(offset) {
            Ok(list) => list,
            Err(fault) => return Self { hive, entries: &[], fault: Some(fault) },
        };
        let there = list.len() / 4;
        let fault = HiveError::new(Hive::position(offset), Fault::CutList(count, there as u32));
        Self { hive, entries: list.get(..there * 4).unwrap_or_default(), fault: Some(fault) }
    }
}

impl<'h> Values<'h> {
    /// Offset of the next value.
    #[inline]
    pub(super) fn next_offset(&mut self) -> Option<u32> {
        let (offset, rest) = self.entries.split_first_chunk::<4>()?;
        self.entries = rest;
        Some(u32::from_le_bytes(*offset))
    }

    /// How many offsets are still to come.
    pub(super) fn remaining(&self) -> usize {
        self.entries.len() / 4
    }

    /// What is wrong with the list itself.
    pub(super) fn take_fault(&mut self) -> Option<HiveError> {
        self.fault.take()
    }
}

impl<'h> Iterator for Values<'h> {
    type Item = Result<Value<'h>, HiveError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.next_offset() {
            Some(offset) => Some(Value::at(self.hive, offset)),
            None => self.take_fault().map(Err),
        }
    }
}
