//! The workshop: writes hives, event logs and archives for the tests.
//!
//! It shares no code with the readers, so that a wrong idea of a format cannot agree with itself; what it writes is checked
//! against independent readers.
#![allow(
    dead_code,
    missing_docs,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used
)]
#![allow(clippy::panic)]

pub mod damage;
pub mod evtx;
pub mod fleet;
pub mod hive;
pub mod recipe;
pub mod zip;
