//! The Windows and Office versions that everything else rests on.

pub mod office_build;
pub mod os_build_wam_floor;
pub mod os_support_lifecycle;
pub mod windows_update_health;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    os_support_lifecycle::CHECK,
    os_build_wam_floor::CHECK,
    windows_update_health::CHECK,
    office_build::CHECK,
];
