//! Little-endian fields of fixed structures.
//!
//! Every structure first proves its length once, by taking a fixed array from the front of its cell; reading a field at a
//! constant offset of that array then needs no check that could fail.

/// The 16-bit number at `at`; zero outside of `bytes`.
#[inline(always)]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u16::from_le_bytes)
}

/// The 32-bit number at `at`; zero outside of `bytes`.
#[inline(always)]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u32::from_le_bytes)
}

/// The 64-bit number at `at`; zero outside of `bytes`.
#[inline(always)]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().map_or(0, u64::from_le_bytes)
}
