//! Security software: what Windows brings (AppLocker, App Control, Defender), and what others add.

pub mod applocker_block;
pub mod defender_network_protection;
pub mod products;
pub mod third_party_drivers;

/// The checks of this folder.
pub const CHECKS: &[super::Check] =
    &[applocker_block::CHECK, defender_network_protection::CHECK, third_party_drivers::CHECK];
