//! The collection itself: what is missing from it and how far it can be trusted.

mod circumstances;
pub mod completeness;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[completeness::CHECK];
