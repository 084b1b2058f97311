//! Adapters, IP versions and Winsock.

pub mod winsock_catalog;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[winsock_catalog::CHECK];
