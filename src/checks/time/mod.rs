//! The clock: the lowest layer, because certificates, tokens and Kerberos all rest on it.

pub mod clock_skew;
mod measure;
mod service;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[clock_skew::CHECK];
