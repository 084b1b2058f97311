//! What licensing keeps on the machine: the part of the registry that belongs to the account of its service.

mod key_security;
pub mod network_service_acl;
pub mod network_service_spp_key;
pub mod records;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[network_service_acl::CHECK, network_service_spp_key::CHECK];
