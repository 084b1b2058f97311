//! Certificates: roots, revocation, and who signs what the machine gets to see.

pub mod chain;
pub mod crl_reachability;
pub mod recorded;
pub mod root_certs;
pub mod tls_inspection;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[root_certs::CHECK, tls_inspection::CHECK, crl_reachability::CHECK];

use super::case::Case;
use super::required::{is_revocation_host, needed};

/// Whether activation on this machine needs a host, also where a certificate gives it as a wildcard (`*.officeapps.live.com`).
pub fn is_required(case: &Case<'_>, host: &str) -> bool {
    let host = host.trim().trim_start_matches("cn=");
    // A name below the wildcard stands for it.
    let host = host.strip_prefix("*.").map_or_else(|| host.to_owned(), |rest| format!("x.{rest}"));
    needed(case, &host).is_some() && !is_revocation_host(&host)
}
