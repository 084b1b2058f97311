//! Names: the hosts file, the resolver, and the record that leads Office astray.

pub mod address;
pub mod answers;
pub mod hosts_file_override;
pub mod msoid_cname;
pub mod resolution;
mod servers;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[hosts_file_override::CHECK, msoid_cname::CHECK, resolution::CHECK];
