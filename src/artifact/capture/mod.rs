//! Outputs of commands, each kind with its own reader, recognised by content and never by name.

use serde::Serialize;

use super::text::Text;

/// How far a capture could be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureStatus {
    /// Everything that matters was read.
    Parsed,
    /// Something was read and something was not; `reason` says what.
    Partial,
    /// The command printed an error instead of its output: the state is unknown.
    ErrorOutput,
    /// The command printed nothing.
    Empty,
    /// The kind is known, the content is not understood.
    Unrecognized,
}

/// One command output.
#[derive(Clone, Debug)]
pub struct Capture {
    /// First line, 1-based.
    pub line_from: u32,
    /// Last line, inclusive.
    pub line_to: u32,
    /// Which command it is.
    pub kind: CaptureKind,
    /// Encoding of the file it stands in.
    pub encoding: String,
    /// BCP 47 language of the labels; `None` if it cannot be told.
    pub language: Option<String>,
    /// How far it was understood.
    pub status: CaptureStatus,
    /// Why it is not `parsed`.
    pub reason: Option<String>,
    /// The typed content.
    pub data: CaptureData,
}

/// Which command a capture is the output of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaptureKind {
    /// `Get-NetConnectionProfile`.
    ConnectionProfile,
}

impl CaptureKind {
    /// The kind's name in dumps and locators.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConnectionProfile => "connection-profile",
        }
    }
}

/// The typed content of a capture.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CaptureData {
    /// Nothing could be read.
    Nothing,
}

/// Cuts a text into the command outputs that it holds and reads each.
pub fn read(_text: &Text) -> Vec<Capture> {
    Vec::new()
}
