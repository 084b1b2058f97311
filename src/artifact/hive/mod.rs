//! Binary registry hives (regf): every structure read from its bytes, nothing trusted.

pub mod log;

use std::borrow::Cow;

use super::Problem;
use super::security::SecurityDescriptor;
use super::value::RegValue;
use crate::time::FileTime;

/// What keeps a structure of a hive from being read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct HiveError(pub Problem);

/// Which hive a file is, told from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiveKind {
    /// `HKLM\SYSTEM`.
    System,
    /// `HKLM\SOFTWARE`.
    Software,
    /// A profile's `NTUSER.DAT` (any account, also the service profiles and DEFAULT).
    User,
    /// A profile's `UsrClass.dat`.
    UserClasses,
    /// `HKLM\SAM`.
    Sam,
    /// `HKLM\SECURITY`.
    Security,
    /// `HKLM\COMPONENTS`.
    Components,
    /// The boot configuration data.
    Bcd,
    /// Amcache.hve.
    Amcache,
    /// None of these.
    Other,
}

/// A hive in memory, after its logs (if any) were applied.
#[derive(Debug)]
pub struct Hive {
    _bytes: Vec<u8>,
}

/// A key of a hive.
#[derive(Clone, Copy)]
pub struct Key<'h> {
    _hive: &'h Hive,
}

impl Hive {
    /// Reads the base block; everything behind it is read when asked for.
    pub fn open(bytes: Vec<u8>) -> Result<Self, HiveError> {
        Ok(Self { _bytes: bytes })
    }

    /// Which hive it is.
    pub fn kind(&self) -> HiveKind {
        HiveKind::Other
    }

    /// The root key.
    pub fn root(&self) -> Result<Key<'_>, HiveError> {
        Ok(Key { _hive: self })
    }

    /// The key at a path below the root (`\` between names, any case). `Ok(None)`: every list on the way was read and it is not
    /// there. `Err`: something on the way is unreadable, so nobody can say.
    pub fn key(&self, _path: &str) -> Result<Option<Key<'_>>, HiveError> {
        Ok(None)
    }

    /// True when writes may be missing: the sequence numbers differ (or the checksum is wrong) and no log made up for it.
    pub fn is_dirty(&self) -> bool {
        false
    }

    /// What is damaged in the structures that were looked at when opening.
    pub fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

impl<'h> Key<'h> {
    /// The name as stored.
    pub fn name(&self) -> Cow<'h, str> {
        Cow::Borrowed("")
    }

    /// When the key was last written.
    pub fn last_written(&self) -> FileTime {
        FileTime::default()
    }

    /// All subkeys in stored order; an unreadable one is an error in its place.
    pub fn subkeys(&self) -> Vec<Result<Key<'h>, HiveError>> {
        Vec::new()
    }

    /// One subkey by name, any case.
    pub fn subkey(&self, _name: &str) -> Result<Option<Key<'h>>, HiveError> {
        Ok(None)
    }

    /// All values in stored order.
    pub fn values(&self) -> Vec<Result<RegValue, HiveError>> {
        Vec::new()
    }

    /// One value by name, any case; the empty name is the default value.
    pub fn value(&self, _name: &str) -> Result<Option<RegValue>, HiveError> {
        Ok(None)
    }

    /// The class name, if any.
    pub fn class_name(&self) -> Option<String> {
        None
    }

    /// The security descriptor.
    pub fn security(&self) -> Result<SecurityDescriptor, HiveError> {
        Err(HiveError(Problem::new(super::Place::Whole, "a security cell", "none")))
    }
}
