//! Programs that Office shows and asks on the user's machine: the browser, its runtime, and the cached configuration of Office's services.

pub mod edge_settings;
pub mod officeclient_cache;
pub mod webview2_runtime;

/// The checks of this folder.
pub const CHECKS: &[super::Check] =
    &[edge_settings::CHECK, webview2_runtime::CHECK, officeclient_cache::CHECK];
