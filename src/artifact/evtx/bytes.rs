//! Little-endian numbers and UTF-16 out of byte slices, without ever trusting an offset.

pub(super) use crate::artifact::utf16::{push as push_utf16, text as utf16};

/// The `N` bytes at `at`.
#[inline]
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

/// A `u16` at `at`.
#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// A `u32` at `at`.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// A `u64` at `at`.
#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// UTF-16LE without the NULs at its end.
pub(super) fn without_nul(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_suffix(&[0, 0]) {
        if bytes.len() % 2 == 1 {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// Whether UTF-16LE bytes spell an ASCII text.
#[inline]
pub(super) fn spells(bytes: &[u8], ascii: &str) -> bool {
    bytes.len() == ascii.len() * 2
        && bytes.as_chunks::<2>().0.iter().zip(ascii.bytes()).all(|(pair, letter)| *pair == [letter, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_outside_give_nothing() {
        assert_eq!(u32_at(&[1, 2, 3], 0), None);
        assert_eq!(u16_at(&[1, 2, 3], usize::MAX), None);
        assert_eq!(u16_at(&[1, 2, 3], 1), Some(0x0302));
    }

    #[test]
    fn nul_at_the_end_is_left_out() {
        assert_eq!(without_nul(&[0x41, 0, 0, 0, 0, 0]), [0x41, 0]);
        assert_eq!(without_nul(&[0x41, 0, 0, 0, 0]), [0x41, 0, 0, 0, 0]);
    }

    #[test]
    fn spelling_is_exact() {
        assert!(spells(&[0x49, 0, 0x44, 0], "ID"));
        assert!(!spells(&[0x49, 0, 0x44, 1], "ID"));
        assert!(!spells(&[0x49, 0], "ID"));
    }
}
