//! Binary hives: what the workshop's writer writes, what independent readers say of it, the corpus, and damage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod damage;
mod facts;
mod logs;
mod made;
mod oracle;
