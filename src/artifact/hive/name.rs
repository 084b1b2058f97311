//! Names of keys and values: Latin-1 or UTF-16, and compared as Windows compares them.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::artifact::utf16;

/// A name as it is stored.
#[derive(Clone, Copy)]
pub(super) struct RawName<'h> {
    /// One byte a character when `compressed`, else two.
    pub bytes: &'h [u8],
    /// The name is Latin-1: Windows drops the high bytes when all of them are zero.
    pub compressed: bool,
}

impl<'h> RawName<'h> {
    /// As text; lone surrogates become U+FFFD.
    #[inline]
    pub fn decode(self) -> Cow<'h, str> {
        if self.compressed { encoding_rs::mem::decode_latin1(self.bytes) } else { self.decode_wide() }
    }

    #[cold]
    fn decode_wide(self) -> Cow<'h, str> {
        Cow::Owned(utf16::text(self.bytes))
    }

    /// Whether this is the wanted name, without regard to case.
    #[inline]
    pub fn is(self, wanted: &Wanted) -> bool {
        if self.compressed {
            self.bytes.len() == wanted.units.len()
                && self.bytes.iter().zip(&wanted.units).all(|(&byte, &unit)| fold_latin1(byte) == unit)
        } else {
            self.bytes.len() == wanted.units.len() * 2
                && units(self.bytes).zip(&wanted.units).all(|(own, &unit)| fold(own) == unit)
        }
    }

    /// The order in which Windows keeps subkeys: by upper-case UTF-16 units.
    pub fn order(self, wanted: &Wanted) -> Ordering {
        let other = wanted.units.iter().copied();
        if self.compressed {
            self.bytes.iter().map(|&byte| fold_latin1(byte)).cmp(other)
        } else {
            units(self.bytes).map(fold).cmp(other)
        }
    }
}

/// A name that is looked for: upper-case, with the hash that `lh` lists keep.
#[derive(Default)]
pub(super) struct Wanted {
    units: Vec<u16>,
    hash: u32,
}

impl Wanted {
    /// Prepares a name.
    pub fn new(name: &str) -> Self {
        let mut wanted = Self::default();
        wanted.set(name);
        wanted
    }

    /// Prepares another name in the same memory.
    pub fn set(&mut self, name: &str) {
        self.units.clear();
        if name.is_ascii() {
            self.units.extend(name.bytes().map(|byte| u16::from(byte.to_ascii_uppercase())));
        } else {
            self.units.extend(name.encode_utf16().map(fold));
        }
        self.hash =
            self.units.iter().fold(0, |hash: u32, &unit| hash.wrapping_mul(37).wrapping_add(unit.into()));
    }

    /// The hash of an `lh` list.
    pub fn hash(&self) -> u32 {
        self.hash
    }

    /// Whether the hint of an `lf` list (the first four characters; zero where it could not be made) allows this name.
    pub fn allows_hint(&self, hint: [u8; 4]) -> bool {
        if hint.first() == Some(&0) {
            return true;
        }
        hint.iter()
            .enumerate()
            .all(|(at, &byte)| self.units.get(at).copied().unwrap_or(0) == fold_latin1(byte))
    }
}

/// UTF-16LE units; an odd last byte is left out.
fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| pair.first_chunk().copied().map_or(0, u16::from_le_bytes))
}

/// UTF-16LE text up to its first NUL.
pub(super) fn utf16_until_nul(bytes: &[u8]) -> String {
    utf16::text(utf16::until_nul(bytes))
}

#[inline]
fn fold_latin1(byte: u8) -> u16 {
    if byte.is_ascii() { u16::from(byte.to_ascii_uppercase()) } else { fold(u16::from(byte)) }
}

/// The upper-case form of one UTF-16 unit: one unit to one unit, inside the basic plane, independent of any language.
///
/// These are the simple mappings of Unicode. Windows has its own, older table; the few characters in which they differ
/// cannot hide a key, because a look-up that finds nothing by hash compares the names themselves.
pub(super) fn fold(unit: u16) -> u16 {
    if unit < 0x80 {
        return if (0x61..=0x7a).contains(&unit) { unit - 0x20 } else { unit };
    }
    // Greek letters with iota subscript: their full upper case is two letters, their simple one is the title case.
    match unit {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => return unit + 8,
        0x1fb3 | 0x1fc3 | 0x1ff3 => return unit + 9,
        _ => {}
    }
    let Some(letter) = char::from_u32(unit.into()) else { return unit };
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => u16::try_from(u32::from(single)).unwrap_or(unit),
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_that_windows_stored() {
        // Read from the `lh` list of the root of a Windows 10 NTUSER.DAT.
        for (name, hash) in [("Console", 0x55c0_8e23), ("eudc", 0x0037_2535), ("Software", 0xe9fe_1463)] {
            assert_eq!(Wanted::new(name).hash(), hash, "{name}");
        }
    }

    #[test]
    fn letters_fold_one_to_one() {
        // UnicodeData.txt, field 12 (simple upper case).
        for (letter, upper) in
            [('a', 'A'), ('é', 'É'), ('ÿ', 'Ÿ'), ('ß', 'ß'), ('ж', 'Ж'), ('ς', 'Σ'), ('ᾳ', 'ᾼ'), ('ᾀ', 'ᾈ')]
        {
            assert_eq!(fold(letter as u16), upper as u16, "{letter}");
        }
        assert_eq!(fold(0xd800), 0xd800, "half of a pair");
    }

    #[test]
    fn hints_are_four_letters_of_either_case() {
        let wanted = Wanted::new("Ab");
        assert!(wanted.allows_hint(*b"aB\0\0") && wanted.allows_hint([0; 4]));
        assert!(!wanted.allows_hint(*b"abc\0") && !wanted.allows_hint(*b"a\0\0\0"));
        assert!(Wanted::new("Abcde").allows_hint(*b"ABCD"));
    }

    #[test]
    fn both_encodings_are_the_same_name() {
        let wide: Vec<u8> = "Größe".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let narrow = [b'G', b'r', 0xf6, 0xdf, b'e'];
        for (bytes, compressed) in [(&wide[..], false), (&narrow[..], true)] {
            let name = RawName { bytes, compressed };
            assert_eq!(name.decode(), "Größe");
            assert!(name.is(&Wanted::new("GRÖßE")) && !name.is(&Wanted::new("Größen")));
            assert_eq!(name.order(&Wanted::new("größf")), Ordering::Less);
        }
        assert_eq!(RawName { bytes: &[0x3d, 0xd8, 0x41], compressed: false }.decode(), "\u{fffd}");
    }
}
