//! What licensing keeps on the machine: the part of the registry that belongs to the account of its service, the service itself, the
//! installed products, their licences, and the modes in which they are licensed.

pub mod dbl_misconfig;
mod key_security;
pub mod licences;
pub mod license_assignment;
mod msi_office;
pub mod multiple_office;
pub mod network_service_acl;
pub mod network_service_spp_key;
pub mod office_compat_mode;
pub mod products;
pub mod records;
mod sca_extras;
pub mod sca_misconfig;
pub mod shared_activation;
pub mod spp_service_health;
pub mod vnext_license_state;

/// Documentation of "cannot verify the license".
const ARTICLE_START: &str = "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/license-issue-when-start-office-application";

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    network_service_acl::CHECK,
    network_service_spp_key::CHECK,
    spp_service_health::CHECK,
    office_compat_mode::CHECK,
    multiple_office::CHECK,
    sca_misconfig::CHECK,
    dbl_misconfig::CHECK,
    vnext_license_state::CHECK,
    license_assignment::CHECK,
];
