//! Whole-program tests, in one binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "../workshop/mod.rs"]
mod workshop;

mod benign;
mod browser;
mod bundle;
mod captures;
mod card;
mod causes;
mod checks;
mod cli;
mod collector;
mod corpus;
mod damage;
#[cfg(feature = "dataset")]
mod dataset;
mod docs;
mod events;
mod facts;
mod formats;
mod forms;
mod hive;
mod hostile;
mod licences;
mod redact;
mod registry;
mod replay;
mod rules;
mod samples;
mod schema;
mod serve;
mod triage;
mod withheld;
