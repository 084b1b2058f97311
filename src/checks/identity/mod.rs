//! What the sign-in service answered: its numbers (`AADSTSn`) in logs, dialogs and command outputs.
//!
//! The state of a tenant is never visible on a machine. What can be seen is what the service told this machine.

pub mod aadsts_signin_errors;
mod answers;
pub mod security_defaults_ca;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[security_defaults_ca::CHECK, aadsts_signin_errors::CHECK];

/// The section of the article.
const SECTION: super::Article = super::Article::Network("Check security defaults");
