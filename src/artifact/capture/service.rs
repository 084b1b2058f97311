//! `sc query`, `sc queryex`, `sc qc` and `Get-Service`: state and start type of services.

use serde::Serialize;

use super::{Block, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Data {
    /// Services in their order.
    pub services: Vec<ServiceState>,
}

/// One service.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ServiceState {
    /// Key name.
    pub key: String,
    /// State number.
    pub state: Option<u32>,
    /// Start type number.
    pub start: Option<u32>,
    /// The service does not exist (1060).
    pub missing: bool,
    /// Line.
    pub line: u32,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Service, recognise, starts: |_| false, read };

fn recognise(_block: &Block<'_>) -> u8 {
    0
}

fn read(_block: &Block<'_>) -> Reading {
    Reading::unrecognized("this reader is not written yet")
}
