//! Proxies of the five stacks that Windows keeps apart.
//!
//! WinHTTP serves services, WinINET the programs of a user, scripts and WPAD any of them, environment variables only command-line tools.
//! What several checks need is told apart by question: [`address`] reads what stands in a setting, [`settings`] which way a stack takes,
//! [`proof`] whether a proxy works, [`egress`] whether services get out without one.

mod address;
pub mod auth;
pub mod connections_blob;
mod egress;
pub mod env;
pub mod machine_policy;
pub mod mismatch;
pub mod pac_wpad;
mod proof;
mod settings;
pub mod winhttp;
pub mod wininet_user;

use super::case::Case;
use super::judgement::Observation;
use crate::evidence::Unknown;
use crate::evidence::events::Want;
use crate::evidence::registry::UserHive;

pub use address::{host_of, host_of_url, mask_url};
pub use settings::Route as InternetRoute;

/// The way that the programs of a user take, with what shows it; the machine's where policy makes it count. An error says why it cannot be
/// told.
pub fn internet_route(case: &Case<'_>, user: &UserHive) -> Result<(InternetRoute, Observation), Unknown> {
    let key = match settings::scope(case) {
        settings::Scope::Machine(_) => settings::MACHINE_SETTINGS.to_owned(),
        _ => user.path(settings::INTERNET_SETTINGS),
    };
    settings::Internet::read(case, &key).map(|internet| (internet.route, internet.seen))
}

/// The proxy or script of the affected user's programs, in words; `None` where they go direct or that is not known. A test or a query that
/// goes past it proves nothing about them.
pub fn way_of_user(case: &Case<'_>) -> Option<String> {
    let user = case.evidence.users.affected().found()?.value.clone();
    let (route, _) = internet_route(case, &user).ok()?;
    (!route.is_direct()).then(|| route.words())
}

/// For whom WinINET's proxy is kept, in words, with what shows it.
pub fn internet_scope(case: &Case<'_>) -> Result<(&'static str, Observation), Unknown> {
    Ok(match settings::scope(case) {
        settings::Scope::Users(seen) => ("each user", seen),
        settings::Scope::Machine(seen) => ("one for all users", seen),
        settings::Scope::Both(seen) | settings::Scope::Odd(seen) => ("unclear", seen),
        settings::Scope::Unknown(unknown) => return Err(unknown),
    })
}

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    connections_blob::CHECK,
    winhttp::CHECK,
    wininet_user::CHECK,
    machine_policy::CHECK,
    pac_wpad::CHECK,
    env::CHECK,
    mismatch::CHECK,
    auth::CHECK,
];

/// Transfers that ended, with the proxy that was used.
pub const TRANSFERS: Want = Want {
    provider: "Microsoft-Windows-Bits-Client",
    ids: &[60, 61],
    channels: &["Microsoft-Windows-Bits-Client/Operational"],
};

/// Web requests of device registration, which runs as SYSTEM: those that failed (225 to 233), and the way that they took (336 to 341).
pub const REGISTRATION: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[225, 226, 230, 233, 336, 337, 338, 339, 340, 341],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};

/// Changes of a user's proxy.
pub const PROXY_CHANGES: Want = Want {
    provider: "Microsoft-Windows-WinINet-Config",
    ids: &[5600],
    channels: &["Microsoft-Windows-WinINet-Config/ProxyConfigChanged"],
};
