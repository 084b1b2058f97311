//! Whole-program tests, in one binary.

#[path = "../workshop/mod.rs"]
mod workshop;

mod bundle;
mod captures;
mod checks;
mod cli;
mod corpus;
mod damage;
mod events;
mod hive;
mod licences;
mod registry;
mod replay;
mod samples;
mod schema;
