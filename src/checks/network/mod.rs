//! Adapters, IP versions and Winsock.

pub mod ipv6_adapter_binding;
pub mod ipv6_disabled_components;
pub mod nic_offload;
pub mod winsock_catalog;
mod winsock_provider;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    winsock_catalog::CHECK,
    ipv6_disabled_components::CHECK,
    ipv6_adapter_binding::CHECK,
    nic_offload::CHECK,
];
