//! What a file is, by its content, and how it is decoded.
//!
//! Names lie: an event log is `System.evtx`, `System.evtx_data` or `evidence-3`. So every file is recognised by its first
//! bytes or by the shape of its text, and what is not understood is kept as *ignored* with a reason.
//!
//! Each reader gives one of the [`Part`]s. Readers know formats; none of them knows what a blocker is.

pub mod capture;
pub mod collection;
pub mod connection_blob;
pub mod event;
mod event_build;
pub mod event_decode;
pub mod event_fields;
mod event_listing;
pub mod event_text;
pub mod event_xml;
pub mod evtx;
pub mod firewall_rule;
pub mod hive;
pub mod identify;
pub mod item_property;
pub mod manifest;
pub mod packed_catalog_item;
pub mod reg_export;
pub mod reg_query;
pub mod security;
pub mod text;
pub mod utf16;
pub mod value;

use std::fmt;

/// Index of an artifact in its bundle's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactId(pub usize);

/// Where in a file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// A byte offset from the start of the file.
    Offset(u64),
    /// A 1-based line of the decoded text.
    Line(u32),
    /// An event record by its EventRecordID.
    Record(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => write!(f, "the file"),
            Self::Offset(offset) => write!(f, "offset {offset:#x}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Record(record) => write!(f, "record {record}"),
        }
    }
}

/// Something in a file that is not as it should be: where, what was expected and what was found. Reading goes on behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What a sound file has there.
    pub expected: String,
    /// What this file has there.
    pub found: String,
}

impl Problem {
    /// A problem at a place.
    pub fn new(place: Place, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { place, expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)
    }
}

/// What a file turned out to hold. One text file can hold several parts.
#[derive(Debug)]
pub enum Part {
    /// A binary registry hive.
    Hive(Box<hive::Hive>),
    /// A transaction log of a hive, to be paired with it.
    HiveLog(Box<hive::log::HiveLog>),
    /// Registry keys out of a text form (`.reg`, `reg query`, PowerShell lists).
    Registry(reg_export::RegText),
    /// Events of one log or export.
    Events(event::EventLog),
    /// One command output.
    Capture(Box<capture::Capture>),
    /// The collector's manifest.
    Manifest(Box<manifest::Manifest>),
}

/// What the checks want to see, as data: readers decode nothing else in full.
#[derive(Clone, Debug, Default)]
pub struct Interest {
    /// Wanted events.
    pub events: event::EventFilter,
}
