//! Names: the hosts file, the resolver, and the record that leads Office astray.

pub mod hosts_file_override;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[hosts_file_override::CHECK];
