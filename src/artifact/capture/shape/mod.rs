//! Shapes that the outputs of many commands share.
//!
//! Readers differ in what they ask for, not in how a line is taken apart, so that is written once: error messages in place of an
//! output ([`failure`]), `label : value` lines and labels in many languages ([`label`]), PowerShell objects in each of the forms
//! that they are written in ([`object`]), columns ([`columns`]) and typed cells ([`cell`]).

pub mod cell;
mod clixml;
pub mod columns;
mod csv;
pub mod failure;
mod json;
pub mod label;
mod list;
pub mod object;

pub use failure::{Failure, failed, failure_in, failure_of, is_empty};
pub use label::{LabelRow, Labelled, Languages, find_label, labelled, same_label};
pub use object::{Cell, Form, Object, Objects, Property, objects};

use super::Block;

/// Whether the command that was echoed above the block has all these words in this order, without regard to case
/// (`["winsock", "show", "catalog"]`). Words may be abbreviated the way that netsh allows: `sh` stands for `show`.
pub fn command_has(block: &Block<'_>, words: &[&str]) -> bool {
    let Some(command) = block.command else { return false };
    let mut given = command.split_whitespace().map(str::to_ascii_lowercase);
    words
        .iter()
        .all(|word| given.any(|token| token == *word || (token.len() >= 2 && word.starts_with(&token))))
}

/// Number of leading white-space characters.
pub fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// Whether a line is a rule: only dashes, equals signs or underscores (and the backslash of an escaped one), three at least.
pub fn is_rule(line: &str) -> bool {
    let line = line.trim().trim_start_matches('\\');
    line.len() >= 3
        && line.bytes().all(|byte| matches!(byte, b'-' | b'=' | b'_' | b' '))
        && !line.trim().is_empty()
}
