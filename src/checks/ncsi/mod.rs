//! What Windows thinks of its connection: the Network Connectivity Status Indicator.

pub mod active_probe_config;
pub mod captive_portal;
pub mod global_dns;
pub mod probe_result;
pub mod profile_state;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    active_probe_config::CHECK,
    global_dns::CHECK,
    probe_result::CHECK,
    profile_state::CHECK,
    captive_portal::CHECK,
];
