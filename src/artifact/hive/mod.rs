//! Binary registry hives (regf): every structure read from its bytes, nothing trusted.
//!
//! A hive is a base block of 4096 bytes and hive bins full of cells; keys, values and lists name each other by cell offset.
//! The reader keeps the file as it is and follows those offsets when asked, so opening costs nothing and a look-up touches the
//! cells on its way and no others. Each file of this module is one structure of the format.
//!
//! Layout: M. Suhanov, "Windows registry file format specification".

mod base_block;
mod bin;
mod bytes;
mod cell;
mod error;
mod key;
mod kind;
mod list;
pub mod log;
mod marvin;
mod name;
mod value;
mod walk;

use std::fmt;

pub use base_block::BaseBlock;
pub use error::{Fault, HiveError, Structure};
pub use key::Key;
pub use kind::HiveKind;
pub use list::Subkeys;
pub use value::{Value, ValueData, Values};
pub use walk::{Walk, WalkValues};

use super::Problem;
use super::security::SecurityDescriptor;
use crate::buffer::Buffer;

/// A hive in memory, after its logs (if any) were applied.
pub struct Hive {
    bytes: Buffer,
    base: BaseBlock,
    /// Bits of a cell's offset that call for a closer look: those that break the alignment, and all of them in version 1.1, where
    /// the offset of the cell before stands between a cell's size and its content.
    odd_offset: u32,
    /// Logs were there, and not all that they should hold could be applied.
    incomplete: bool,
}

impl Hive {
    /// Whether the bytes start like a hive: a base block whose file type is not that of a log.
    pub fn recognise(bytes: &[u8]) -> bool {
        BaseBlock::parse(bytes).is_ok_and(|base| !log::is_log_type(base.file_type))
    }

    /// Reads the base block; everything behind it is read when asked for.
    ///
    /// # Errors
    /// The file has no base block, or that of a transaction log.
    pub fn open(bytes: impl Into<Buffer>) -> Result<Self, HiveError> {
        let bytes = bytes.into();
        let base = BaseBlock::parse(&bytes)?;
        if log::is_log_type(base.file_type) {
            return Err(HiveError::new(28, Fault::LogInstead(base.file_type)));
        }
        let old_cells = base.major_version == 1 && base.minor_version == 1;
        let odd_offset = if old_cells { u32::MAX } else { cell::ALIGNMENT - 1 };
        Ok(Self { bytes, base, odd_offset, incomplete: false })
    }

    /// The bytes of the hive, with what a replay changed behind the base block.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the base block says; after a replay, what it would say if Windows had done it.
    pub fn base_block(&self) -> &BaseBlock {
        &self.base
    }

    /// The root key.
    ///
    /// # Errors
    /// No key can be read where the base block says that the root is.
    pub fn root(&self) -> Result<Key<'_>, HiveError> {
        Key::at(self, self.base.root_offset)
    }

    /// The key at a path below the root (`\` between names, any case). `Ok(None)`: every list on the way was read and it is not
    /// there.
    ///
    /// # Errors
    /// Something on the way is unreadable, so nobody can say.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_>>, HiveError> {
        self.root()?.descend(path)
    }

    /// The security descriptor of the root key.
    ///
    /// # Errors
    /// The root key has none, or one of them cannot be read.
    pub fn root_security(&self) -> Result<SecurityDescriptor, HiveError> {
        self.root()?.security()
    }

    /// True when writes may be missing: the sequence numbers differ (or the checksum is wrong) and no log made up for it.
    pub fn is_dirty(&self) -> bool {
        self.base.is_dirty() || self.incomplete
    }

    /// All keys, each once, with their paths.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self)
    }

    /// What is wrong with the frame of the hive: its base block, its length and its bins. [`Walk::problems`] tells what is
    /// wrong with keys and values.
    pub fn problems(&self) -> Vec<Problem> {
        bin::frame_faults(self).iter().map(HiveError::problem).collect()
    }

    /// All that is wrong with the hive: its frame, keys, values and security descriptors. This reads the whole hive.
    pub fn check(&self) -> Vec<Problem> {
        let mut walk = self.walk();
        while let Some(key) = walk.next() {
            walk.values().for_each(drop);
            if let Err(fault) = key.security() {
                walk.note(fault);
            }
        }
        // The walk notes a missing root, and so does the frame.
        let faults = walk.problems().iter().filter(|_| self.root().is_ok());
        self.problems().into_iter().chain(faults.map(HiveError::problem)).collect()
    }
}

impl fmt::Debug for Hive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hive")
            .field("base", &self.base)
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
