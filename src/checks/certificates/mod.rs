//! Certificates: roots, revocation, and who signs what the machine gets to see.

pub mod crl_reachability;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[crl_reachability::CHECK];
