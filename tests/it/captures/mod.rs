//! Every reader of command outputs against real captures, whose values were read by eye.
//!
//! The captures themselves are not part of the project; the tests run when `ACTRIAGE_CORPUS` names the folder that holds them.

mod connectivity;
mod host;
mod interfaces;
