//! What the sign-in service answered, how the device is joined, and which settings of Office stand in the way of a sign-in.
//!
//! The state of a tenant is never visible on a machine. What can be seen is what the service told this machine: its numbers (`AADSTSn`) in logs,
//! dialogs and command outputs, and what `dsregcmd` and the registry keep of the device.

pub mod aadsts_signin_errors;
pub mod adal_wam_disabled;
pub mod answers;
pub mod device_fields;
mod device_records;
pub mod device_registration;
pub mod dpapi_protection;
pub mod join;
mod office_settings;
pub mod online_content;
mod prt_records;
pub mod prt_state;
pub mod security_defaults_ca;
pub mod signin_options;
pub mod wip_policy;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    security_defaults_ca::CHECK,
    aadsts_signin_errors::CHECK,
    device_registration::CHECK,
    adal_wam_disabled::CHECK,
    online_content::CHECK,
    prt_state::CHECK,
    signin_options::CHECK,
    dpapi_protection::CHECK,
    wip_policy::CHECK,
];

/// The section of the article.
const SECTION: super::Article = super::Article::Network("Check security defaults");
