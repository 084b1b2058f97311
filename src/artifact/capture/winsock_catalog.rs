//! `netsh winsock show catalog`: transport and name-space providers.

use serde::Serialize;

use super::{Block, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Data {
    /// Entries.
    pub entries: Vec<Entry>,
    /// Whether the end is shown.
    pub complete: bool,
}

/// One entry.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry {
    /// DLL.
    pub path: Option<String>,
    /// Chain length.
    pub chain_length: Option<u32>,
    /// Address family.
    pub family: Option<i64>,
    /// Protocol.
    pub protocol: Option<i64>,
    /// Line.
    pub line: u32,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::WinsockCatalog, recognise, starts: |_| false, read };

fn recognise(_block: &Block<'_>) -> u8 {
    0
}

fn read(_block: &Block<'_>) -> Reading {
    Reading::unrecognized("this reader is not written yet")
}
