//! `.reg` exports (version 5 and REGEDIT4), and the form in which every textual source of registry keys is kept.
//!
//! A text form knows less than a hive: it carries no security, mostly no times, and it covers one subtree. Absence can only be
//! told inside that subtree, and only where every line was read, so each key remembers whether that is so.

mod data;
mod parse;
mod path;
#[cfg(test)]
mod tests;

pub use path::{below, short_root, wow64_twin};

use super::Problem;
use super::capture::Block;
use super::text::Text;
use super::value::RegValue;
use crate::time::FileTime;

/// Which text form it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegForm {
    /// A `.reg` file.
    Export,
    /// `reg query` output.
    Query,
    /// A PowerShell `Get-ItemProperty` list.
    ItemProperty,
}

/// One key of a text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegTextKey {
    /// Full path with the long root name turned into its short one: `HKLM\SYSTEM\CurrentControlSet\…`.
    pub path: String,
    /// Line of the key's heading.
    pub line: u32,
    /// `[-key]`: the file deletes it; it says nothing about what is there.
    pub deleted: bool,
    /// Values with their lines.
    pub values: Vec<(RegValue, u32)>,
    /// Last write time, where the form prints one (regedit's text export does).
    pub last_written: Option<FileTime>,
    /// Every line under the heading was read. When false, a value that is not listed may still be there.
    pub whole: bool,
    /// Something behind this key is missing (an unreadable heading, the end of a text that was cut off): it and every key above
    /// it may have subkeys that are not listed.
    pub gap_after: bool,
}

impl RegTextKey {
    /// A key without values yet.
    pub fn new(path: String, line: u32) -> Self {
        Self {
            path,
            line,
            deleted: false,
            values: Vec::new(),
            last_written: None,
            whole: true,
            gap_after: false,
        }
    }
}

/// What a text form covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The key at the top, short root name.
    pub path: String,
    /// True when everything below it was printed too (`.reg`, `reg query /s`); false when only its own values were.
    pub recursive: bool,
    /// True when the names of its direct subkeys were printed (`reg query` does, `Get-ItemProperty` does not).
    pub lists_subkeys: bool,
    /// Only the value of this name was asked for (`reg query /v`); nothing else is known.
    pub only_value: Option<String>,
}

impl Scope {
    /// A key with everything below it.
    pub fn tree(path: impl Into<String>) -> Self {
        Self { path: path.into(), recursive: true, lists_subkeys: true, only_value: None }
    }

    /// A key's own values.
    pub fn values(path: impl Into<String>, lists_subkeys: bool) -> Self {
        Self { path: path.into(), recursive: false, lists_subkeys, only_value: None }
    }

    /// A single value.
    pub fn value(path: impl Into<String>, name: impl Into<String>) -> Self {
        Self { path: path.into(), recursive: false, lists_subkeys: false, only_value: Some(name.into()) }
    }
}

/// Keys out of a text form.
#[derive(Clone, Debug)]
pub struct RegText {
    /// Which form.
    pub form: RegForm,
    /// Keys in their order.
    pub keys: Vec<RegTextKey>,
    /// The subtrees of which absence can be told.
    pub scopes: Vec<Scope>,
    /// The file deletes keys or values: it was written to be imported, so it shows a wish and not the state of the machine.
    pub script: bool,
    /// First line of the part in its file.
    pub line_from: u32,
    /// Last line.
    pub line_to: u32,
    /// What could not be read. A problem inside a key also means that absence in that key is unknown.
    pub problems: Vec<Problem>,
}

impl RegText {
    /// An empty part over the lines of a block.
    pub fn new(form: RegForm, block: &Block<'_>) -> Self {
        Self {
            form,
            keys: Vec::new(),
            scopes: Vec::new(),
            script: false,
            line_from: block.from,
            line_to: block.to,
            problems: Vec::new(),
        }
    }

    /// Reads a `.reg` file; `None` when it is none.
    pub fn parse_export(text: &Text) -> Option<Self> {
        Self::parse_export_block(&Block::whole(text))
    }

    /// Reads a `.reg` export that stands in a run of lines; `None` when there is none.
    pub fn parse_export_block(block: &Block<'_>) -> Option<Self> {
        parse::parse(block)
    }

    /// How surely a block holds a `.reg` export: 100 with its first line, less when only its keys are there, 0 without.
    pub fn recognise_export(block: &Block<'_>) -> u8 {
        parse::recognise(block)
    }
}
