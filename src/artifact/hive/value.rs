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
    offset: u32,
    head: &'h [u8; LEN],
    tail: &'h [u8],
    /// The data belongs to another value as well and is not read a second time.
    withheld: bool,
}

/// The data of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueData<'h> {
    /// What could be read.
    pub bytes: Cow<'h, [u8]>,
    /// What keeps the rest from being read; `None` when the data is complete.
    pub fault: Option<HiveError>,
}

impl<'h> Value<'h> {
    /// Reads the value in the cell at an offset.
    #[inline]
    pub(super) fn at(hive: &'h Hive, offset: u32) -> Result<Self, HiveError> {
        let (head, tail) = hive.structure::<LEN>(offset, Structure::Value)?;
        Ok(Self { hive, offset, head, tail, withheld: false })
    }

    /// Byte offset in the file of the value's cell.
    pub fn position(&self) -> u64 {
        Hive::position(self.offset)
    }

    #[inline]
    pub(super) fn raw_name(&self) -> RawName<'h> {
        let len = usize::from(u16_at(self.head, 2));
        let bytes = self.tail.get(..len).unwrap_or(self.tail);
        RawName { bytes, compressed: u16_at(self.head, 16) & COMPRESSED_NAME != 0 }
    }

    /// Bytes of the name that its cell has no room for.
    pub(super) fn missing_name_bytes(&self) -> usize {
        usize::from(u16_at(self.head, 2)).saturating_sub(self.tail.len())
    }

    /// The name; empty for the default value.
    pub fn name(&self) -> Cow<'h, str> {
        self.raw_name().decode()
    }

    /// The stored type.
    pub fn kind(&self) -> ValueType {
        ValueType(u32_at(self.head, 12))
    }

    /// The stored length of the data in bytes.
    #[inline]
    pub fn data_len(&self) -> u32 {
        u32_at(self.head, 4) & !INLINE
    }

    /// Offset of the cell that the data (or its `db` structure) lies in; `None` when it lies in the value itself.
    pub(super) fn data_offset(&self) -> Option<u32> {
        (u32_at(self.head, 4) & INLINE == 0 && self.data_len() > 0).then(|| u32_at(self.head, 8))
    }

    /// Marks the data as somebody else's.
    pub(super) fn withhold(&mut self) {
        self.withheld = true;
    }

    /// The data, borrowed from the hive unless it lies in segments.
    #[inline]
    pub fn data(&self) -> ValueData<'h> {
        let named = self.data_len();
        let Some(offset) = self.data_offset() else {
            let there = named.min(4);
            let bytes = self.head.get(8..8 + there as usize).unwrap_or_default();
            return self.data_of(Cow::Borrowed(bytes), named, self.position());
        };
        let position = Hive::position(offset);
        if self.withheld {
            return ValueData {
                bytes: Cow::Borrowed(&[]),
                fault: Some(HiveError::new(position, Fault::Twice)),
            };
        }
        if offset == NONE {
            return self.data_of(Cow::Borrowed(&[]), named, self.position());
        }
        match self.hive.cell(offset) {
            Err(fault) => ValueData { bytes: Cow::Borrowed(&[]), fault: Some(fault) },
            Ok(cell) => match cell.get(..named as usize) {
                Some(bytes) => ValueData { bytes: Cow::Borrowed(bytes), fault: None },
                None if self.is_big(cell) => self.gather(offset),
                None => self.data_of(Cow::Borrowed(cell), named, position),
            },
        }
    }

    fn data_of(&self, bytes: Cow<'h, [u8]>, named: u32, position: u64) -> ValueData<'h> {
        let cut = bytes.len() < named as usize;
        let fault = cut.then(|| HiveError::new(position, Fault::CutData(named, bytes.len() as u32)));
        ValueData { bytes, fault }
    }

    /// Big data is only what is too long for one segment, does not fit its own cell and carries the signature: hives of
    /// version 1.3 keep data of any length in one cell, and that data may begin with any two letters.
    fn is_big(&self, cell: &[u8]) -> bool {
        self.data_len() as usize > SEGMENT && cell.starts_with(Structure::BigData.signature())
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

    fn gather(&self, offset: u32) -> ValueData<'h> {
        let named = self.data_len();
        // No value can be longer than its hive: this bounds the memory, whatever the length field says.
        let wanted = (named as usize).min(self.hive.bytes.len());
        let mut bytes = Vec::with_capacity(wanted);
        let mut fault = None;
        for segment in self.segments() {
            let missing = wanted - bytes.len();
            if missing == 0 {
                break;
            }
            let take = missing.min(SEGMENT);
            let there = match self.hive.cell(segment) {
                Ok(cell) => cell.get(..take).unwrap_or(cell),
                Err(error) => {
                    fault = Some(error);
                    &[]
                }
            };
            bytes.extend_from_slice(there);
            if there.len() < take {
                break;
            }
        }
        let cut = self.data_of(Cow::Owned(bytes), named, Hive::position(offset));
        ValueData { fault: fault.or(cut.fault), ..cut }
    }

    /// A copy that outlives the hive.
    pub fn to_reg_value(&self) -> RegValue {
        let data = self.data();
        RegValue {
            name: self.name().into_owned(),
            kind: self.kind(),
            truncated: data.fault.is_some(),
            bytes: data.bytes.into_owned(),
        }
    }
}

/// The values of a key in stored order; what cannot be read is an error in its place.
pub struct Values<'h> {
    hive: &'h Hive,
    entries: &'h [u8],
    fault: Option<HiveError>,
}

impl<'h> Values<'h> {
    pub(super) fn new(hive: &'h Hive, count: u32, offset: Option<Result<u32, HiveError>>) -> Self {
        let mut values = Self { hive, entries: &[], fault: None };
        let list = match offset {
            None => return values,
            Some(Err(fault)) => Err(fault),
            Some(Ok(offset)) => hive.cell(offset).map(|cell| (offset, cell)),
        };
        match list {
            Err(fault) => values.fault = Some(fault),
            Ok((offset, data)) => {
                let there = (count as usize).min(data.len() / 4);
                values.entries = data.get(..there * 4).unwrap_or_default();
                if there < count as usize {
                    values.fault =
                        Some(HiveError::new(Hive::position(offset), Fault::CutList(count, there as u32)));
                }
            }
        }
        values
    }
}

impl<'h> Iterator for Values<'h> {
    type Item = Result<Value<'h>, HiveError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.entries.split_first_chunk::<4>() {
            Some((offset, rest)) => {
                self.entries = rest;
                Some(Value::at(self.hive, u32::from_le_bytes(*offset)))
            }
            None => self.fault.take().map(Err),
        }
    }
}
