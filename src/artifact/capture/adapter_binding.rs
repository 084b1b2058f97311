//! `Get-NetAdapterBinding`: which protocols are bound to which adapter.

use serde::Serialize;

use super::{Block, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Data {}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::AdapterBinding, recognise, starts: |_| false, read };

fn recognise(_block: &Block<'_>) -> u8 {
    0
}

fn read(_block: &Block<'_>) -> Reading {
    Reading::unrecognized("this reader is not written yet")
}
