//! Little-endian numbers and UTF-16 out of byte slices, without ever trusting an offset.

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

/// Letters that are turned into text in one go.
const RUN: usize = 64;

/// Appends UTF-16LE as text; lone surrogates become U+FFFD and an odd last byte is left out.
pub(super) fn push_utf16(bytes: &[u8], out: &mut String) {
    let mut rest = bytes.as_chunks::<2>().0;
    out.reserve(rest.len());
    // Nearly all text in logs is ASCII.
    while !rest.is_empty() {
        let (run, behind) = rest.split_at_checked(RUN).unwrap_or((rest, &[]));
        let mut letters = [0_u8; RUN];
        let mut others = 0;
        for (letter, [low, high]) in letters.iter_mut().zip(run) {
            *letter = *low;
            others |= *high | (*low & 0x80);
        }
        let ascii = letters.get(..run.len()).and_then(|letters| str::from_utf8(letters).ok());
        let Some(ascii) = ascii.filter(|_| others == 0) else { break };
        out.push_str(ascii);
        rest = behind;
    }
    let units = rest.iter().map(|pair| u16::from_le_bytes(*pair));
    out.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// UTF-16LE as a string, by the rules of [`push_utf16`].
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0;
    if units.iter().fold(0, |others, [low, high]| others | *high | (*low & 0x80)) == 0 {
        let letters: Vec<u8> = units.iter().map(|[low, _]| *low).collect();
        return String::from_utf8(letters).unwrap_or_default();
    }
    let mut text = String::with_capacity(units.len());
    push_utf16(bytes, &mut text);
    text
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
    fn text_with_surrogates_and_odd_ends() {
        // U+1F600 is D83D DE00 in UTF-16 (Unicode standard, section 3.9).
        assert_eq!(utf16(&[0x3d, 0xd8, 0x00, 0xde, 0x41]), "\u{1f600}");
        assert_eq!(utf16(&[0x3d, 0xd8, 0x41, 0x00]), "\u{fffd}A");
        assert_eq!(utf16(&[0x41, 0x00, 0x62, 0x00]), "Ab");
        for length in [1, 63, 64, 65, 200] {
            let text = "ab".repeat(length) + "ж" + &"c".repeat(length);
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(utf16(&bytes), text);
        }
        assert_eq!(without_nul(&[0x41, 0, 0, 0, 0, 0]), [0x41, 0]);
    }

    #[test]
    fn spelling_is_exact() {
        assert!(spells(&[0x49, 0, 0x44, 0], "ID"));
        assert!(!spells(&[0x49, 0, 0x44, 1], "ID"));
        assert!(!spells(&[0x49, 0], "ID"));
    }
}
