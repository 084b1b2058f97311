//! Firewalls, and whether the hosts that activation needs can be reached at all.

mod dropped;
pub mod outbound;
mod policy;
pub mod reachability;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[outbound::CHECK, reachability::CHECK];
