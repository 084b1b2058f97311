//! Proxies of the five stacks that Windows keeps apart.

pub mod winhttp;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[winhttp::CHECK];
