//! The Windows and Office versions that everything else rests on.

pub mod os_support_lifecycle;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[os_support_lifecycle::CHECK];
