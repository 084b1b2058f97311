//! `.reg` exports (version 5 and REGEDIT4), and the form in which every textual source of registry keys is kept.

use super::Problem;
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
}

/// What a text form covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The key at the top, short root name.
    pub path: String,
    /// True when everything below it was printed too (`.reg`, `reg query /s`); false when only its own values were.
    pub recursive: bool,
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
    /// First line of the part in its file.
    pub line_from: u32,
    /// Last line.
    pub line_to: u32,
    /// What could not be read. A problem inside a key also means that absence in that key is unknown.
    pub problems: Vec<Problem>,
}

impl RegText {
    /// Reads a `.reg` file.
    pub fn parse_export(_text: &Text) -> Option<Self> {
        None
    }
}
