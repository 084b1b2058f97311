//! Key nodes (`nk`): one fixed part and the name behind it.

use std::borrow::Cow;
use std::fmt;

use super::bytes::{u16_at, u32_at, u64_at};
use super::cell::NONE;
use super::list::{self, Subkeys};
use super::name::{RawName, Wanted};
use super::value::{Value, Values};
use super::{Fault, Hive, HiveError, Structure};
use crate::artifact::security::SecurityDescriptor;
use crate::artifact::utf16;
use crate::artifact::value::RegValue;
use crate::time::FileTime;

/// Length of the fixed part.
const LEN: usize = 76;
/// Length of the fixed part of a security cell (`sk`), before the descriptor.
const SECURITY_LEN: usize = 20;
/// Flag: the name is stored in Latin-1.
const COMPRESSED_NAME: u16 = 0x20;
/// Flag: the key stands for another one (`SymbolicLinkValue`).
const SYMBOLIC_LINK: u16 = 0x10;
/// Flag: a predefined handle; the count of values is the handle then.
const PREDEFINED_HANDLE: u16 = 0x40;

/// A key of a hive.
#[derive(Clone, Copy)]
pub struct Key<'h> {
    hive: &'h Hive,
    /// The cell's content, at least the fixed part.
    node: &'h [u8],
    offset: u32,
}

impl<'h> Key<'h> {
    /// Reads the key in the cell at an offset.
    #[inline]
    pub(super) fn at(hive: &'h Hive, offset: u32) -> Result<Self, HiveError> {
        Self::read(hive, offset).ok_or_else(|| hive.structure_fault(offset, Structure::KeyNode))
    }

    /// As [`Self::at`], without the reason.
    #[inline]
    pub(super) fn read(hive: &'h Hive, offset: u32) -> Option<Self> {
        let node = hive.structure(offset, Structure::KeyNode, LEN)?;
        Some(Self { hive, node, offset })
    }

    /// Byte offset in the file of the key's cell.
    pub fn position(&self) -> u64 {
        Hive::position(self.offset)
    }

    /// Offset of the cell behind the base block.
    pub(super) fn offset(&self) -> u32 {
        self.offset
    }

    fn flags(&self) -> u16 {
        u16_at(self.node, 2)
    }

    fn error(&self, fault: Fault) -> HiveError {
        HiveError::new(self.position(), fault)
    }

    /// The name as stored, as far as the cell holds it.
    #[inline]
    pub(super) fn raw_name(&self) -> RawName<'h> {
        let tail = self.node.get(LEN..).unwrap_or_default();
        let bytes = tail.get(..usize::from(u16_at(self.node, 72))).unwrap_or(tail);
        RawName { bytes, compressed: self.flags() & COMPRESSED_NAME != 0 }
    }

    /// Bytes of the name that its cell has no room for.
    pub(super) fn missing_name_bytes(&self) -> usize {
        (LEN + usize::from(u16_at(self.node, 72))).saturating_sub(self.node.len())
    }

    /// The name as stored; lone surrogates are replaced.
    pub fn name(&self) -> Cow<'h, str> {
        self.raw_name().decode()
    }

    /// Whether the key has this name, in any case.
    pub fn is_named(&self, name: &str) -> bool {
        self.raw_name().is(&Wanted::new(name))
    }

    /// When the key or one of its values was last written.
    pub fn last_written(&self) -> FileTime {
        FileTime::from_ticks(u64_at(self.node, 4))
    }

    /// Whether the key is a symbolic link to another key (named by its value `SymbolicLinkValue`).
    pub fn is_link(&self) -> bool {
        self.flags() & SYMBOLIC_LINK != 0
    }

    /// The number of subkeys that the key says it has.
    pub fn subkey_count(&self) -> u32 {
        u32_at(self.node, 20)
    }

    /// The number of values that the key says it has.
    pub fn value_count(&self) -> u32 {
        if self.flags() & PREDEFINED_HANDLE != 0 { 0 } else { u32_at(self.node, 36) }
    }

    /// Offset of the list of subkeys; `None` when the key has none.
    pub(super) fn list_offset(&self) -> Option<Result<u32, HiveError>> {
        match (self.subkey_count(), u32_at(self.node, 28)) {
            (0, _) => None,
            (count, NONE) => Some(Err(self.error(Fault::NoList(count)))),
            (_, offset) => Some(Ok(offset)),
        }
    }

    /// All subkeys in stored order; an unreadable one is an error in its place.
    #[inline]
    pub fn subkeys(&self) -> Subkeys<'h> {
        let hive = self.hive;
        Subkeys::new(hive, self.list_offset().map(|offset| offset.and_then(|offset| hive.list(offset))))
    }

    /// One subkey by name, in any case.
    ///
    /// # Errors
    /// Something in the lists of subkeys is unreadable and may have been the key.
    pub fn subkey(&self, name: &str) -> Result<Option<Key<'h>>, HiveError> {
        self.find_subkey(&Wanted::new(name))
    }

    pub(super) fn find_subkey(&self, wanted: &Wanted) -> Result<Option<Key<'h>>, HiveError> {
        match self.list_offset() {
            None => Ok(None),
            Some(offset) => list::find(self.hive, offset.and_then(|offset| self.hive.list(offset)), wanted),
        }
    }

    /// The key at a path below this one (`\` between names, any case); the empty path is this key.
    ///
    /// # Errors
    /// Something on the way is unreadable, so nobody can say.
    pub fn descend(&self, path: &str) -> Result<Option<Key<'h>>, HiveError> {
        let mut key = *self;
        let mut wanted = Wanted::default();
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            wanted.set(name);
            match key.find_subkey(&wanted)? {
                Some(next) => key = next,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// Offset of the list of values; `None` when the key has none.
    pub(super) fn values_offset(&self) -> Option<Result<u32, HiveError>> {
        match (self.value_count(), u32_at(self.node, 40)) {
            (0, _) => None,
            (count, NONE) => Some(Err(self.error(Fault::NoList(count)))),
            (_, offset) => Some(Ok(offset)),
        }
    }

    /// All values in stored order; an unreadable one is an error in its place.
    #[inline]
    pub fn values(&self) -> Values<'h> {
        Values::new(self.hive, self.value_count(), self.values_offset())
    }

    /// One value by name, in any case; the empty name is the default value.
    ///
    /// # Errors
    /// Something in the list of values is unreadable and may have been the value.
    pub fn value(&self, name: &str) -> Result<Option<RegValue>, HiveError> {
        Ok(self.find_value(name)?.map(|value| value.to_reg_value()))
    }

    /// As [`Self::value`], without copying the data.
    ///
    /// # Errors
    /// Something in the list of values is unreadable and may have been the value.
    pub fn find_value(&self, name: &str) -> Result<Option<Value<'h>>, HiveError> {
        let wanted = Wanted::new(name);
        let mut doubt = None;
        for value in self.values() {
            match value {
                Ok(value) if value.raw_name().is(&wanted) => return Ok(Some(value)),
                Ok(_) => {}
                Err(fault) => doubt = doubt.or(Some(fault)),
            }
        }
        doubt.map_or(Ok(None), Err)
    }

    /// The class name, if there is one that can be read.
    pub fn class_name(&self) -> Option<String> {
        let len = usize::from(u16_at(self.node, 74));
        let offset = u32_at(self.node, 48);
        if len == 0 || offset == NONE {
            return None;
        }
        let data = self.hive.cell(offset).ok()?;
        Some(utf16::text(data.get(..len).unwrap_or(data)))
    }

    /// Offset of the security cell. Many keys share one, so a reader of all keys can keep what it made of each.
    pub fn security_offset(&self) -> u32 {
        u32_at(self.node, 44)
    }

    /// The bytes of the security descriptor.
    ///
    /// # Errors
    /// There is none, or its cell cannot be read.
    #[inline]
    pub fn security_bytes(&self) -> Result<&'h [u8], HiveError> {
        let offset = self.security_offset();
        if offset == NONE {
            return Err(self.error(Fault::NoSecurity));
        }
        let cell = self
            .hive
            .structure(offset, Structure::Security, SECURITY_LEN)
            .ok_or_else(|| self.hive.structure_fault(offset, Structure::Security))?;
        let (named, there) = (u32_at(cell, 16), cell.get(SECURITY_LEN..).unwrap_or_default());
        there
            .get(..named as usize)
            .ok_or(HiveError::new(Hive::position(offset), Fault::CutData(named, there.len() as u32)))
    }

    /// The security descriptor.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn security(&self) -> Result<SecurityDescriptor, HiveError> {
        let bytes = self.security_bytes()?;
        SecurityDescriptor::parse(bytes)
            .ok_or(HiveError::new(Hive::position(self.security_offset()), Fault::Security))
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?} at {:#x})", self.name(), self.position())
    }
}
