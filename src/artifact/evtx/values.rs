//! Values of binary XML as the text that Windows renders them to (MS-EVEN6 section 2.2.12, types of `EVT_VARIANT_TYPE`).

use std::fmt::Write as _;

use super::bytes::{array, push_utf16, u16_at, u32_at, u64_at, utf16, without_nul};
use crate::time::FileTime;

/// Value type of an embedded stream of binary XML.
pub(super) const BINXML: u8 = 0x21;
/// Value type of a string in UTF-16LE.
pub(super) const STRING: u8 = 0x01;
/// Value type FILETIME.
pub(super) const FILETIME: u8 = 0x11;
/// Set on a value that is an array.
const ARRAY: u8 = 0x80;

/// Splits an array value into its items; `None` when the type is no array. Strings end with NUL, other items have a fixed size.
pub(super) fn items(kind: u8, bytes: &[u8]) -> Option<Vec<&[u8]>> {
    if kind & ARRAY == 0 {
        return None;
    }
    let size = match kind & !ARRAY {
        0x01 => return Some(strings(bytes, 2)),
        0x02 => return Some(strings(bytes, 1)),
        0x13 => return Some(sids(bytes)),
        0x03 | 0x04 => 1,
        0x05 | 0x06 => 2,
        0x07 | 0x08 | 0x0b | 0x0d | 0x14 => 4,
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => 8,
        0x0f | 0x12 => 16,
        _ => return Some(vec![bytes]),
    };
    Some(bytes.chunks(size).collect())
}

/// The type of an array's items.
pub(super) fn item_kind(kind: u8) -> u8 {
    kind & !ARRAY
}

/// Texts that each end with a NUL of `width` bytes; the last one may lack it.
fn strings(bytes: &[u8], width: usize) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let units = rest.chunks(width).position(|unit| unit.iter().all(|byte| *byte == 0));
        let length = units.map_or(rest.len(), |count| count * width);
        let (item, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        found.push(item);
        rest = behind.get(width..).unwrap_or_default();
    }
    found
}

fn sids(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(&[_, count, ..]) = rest.first_chunk::<8>() {
        let (sid, behind) = rest.split_at_checked(8 + usize::from(count) * 4).unwrap_or((rest, &[]));
        found.push(sid);
        rest = behind;
    }
    found
}

/// Appends the text of one value (not an array, not an embedded stream). What is too short for its type is shown as hex.
pub(super) fn push(kind: u8, bytes: &[u8], out: &mut String) {
    if kind == STRING {
        push_utf16(without_nul(bytes), out);
    } else if number(kind, bytes, out).is_none() {
        hex(bytes, out);
    }
}

fn number(kind: u8, bytes: &[u8], out: &mut String) -> Option<()> {
    let done = match kind {
        0x00 => Ok(()),
        0x02 => {
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(text).0);
            Ok(())
        }
        0x03 => integer(i8::from_le_bytes(array(bytes, 0)?), out),
        0x04 => integer(u8::from_le_bytes(array(bytes, 0)?), out),
        0x05 => integer(i16::from_le_bytes(array(bytes, 0)?), out),
        0x06 => integer(u16_at(bytes, 0)?, out),
        0x07 => integer(i32::from_le_bytes(array(bytes, 0)?), out),
        0x08 => integer(u32_at(bytes, 0)?, out),
        0x09 => integer(i64::from_le_bytes(array(bytes, 0)?), out),
        0x0a => integer(u64_at(bytes, 0)?, out),
        0x0b => write!(out, "{}", f32::from_le_bytes(array(bytes, 0)?)),
        0x0c => write!(out, "{}", f64::from_le_bytes(array(bytes, 0)?)),
        0x0d => write!(out, "{}", u32_at(bytes, 0)? != 0),
        0x0f => guid(&array(bytes, 0)?, out),
        0x10 if bytes.len() == 4 => write!(out, "{:#x}", u32_at(bytes, 0)?),
        0x10 | 0x15 => write!(out, "{:#x}", u64_at(bytes, 0)?),
        0x14 => write!(out, "{:#x}", u32_at(bytes, 0)?),
        FILETIME => {
            out.push_str(&FileTime::from_ticks(u64_at(bytes, 0)?).to_precise());
            Ok(())
        }
        0x12 => system_time(bytes, out)?,
        0x13 => sid(bytes, out)?,
        0x23 => {
            out.push_str(&utf16(without_nul(bytes)));
            Ok(())
        }
        _ => return None,
    };
    done.ok()
}

fn integer(number: impl itoa::Integer, out: &mut String) -> std::fmt::Result {
    out.push_str(itoa::Buffer::new().format(number));
    Ok(())
}

fn hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?'));
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
}

fn guid(bytes: &[u8; 16], out: &mut String) -> std::fmt::Result {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, tail @ ..] = *bytes;
    let (a, b, c) =
        (u32::from_le_bytes([a0, a1, a2, a3]), u16::from_le_bytes([b0, b1]), u16::from_le_bytes([c0, c1]));
    write!(out, "{{{a:08x}-{b:04x}-{c:04x}-{d0:02x}{d1:02x}-")?;
    for byte in tail {
        write!(out, "{byte:02x}")?;
    }
    out.push('}');
    Ok(())
}

/// SYSTEMTIME: year, month, day of week, day, hour, minute, second, milliseconds. Printed with seven digits like every other
/// time here.
fn system_time(bytes: &[u8], out: &mut String) -> Option<std::fmt::Result> {
    let part = |index: usize| u16_at(bytes, index * 2);
    let (year, month, day) = (part(0)?, part(1)?, part(3)?);
    let (hour, minute, second, millis) = (part(4)?, part(5)?, part(6)?, part(7)?);
    Some(write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}0000Z"))
}

/// A SID: revision, number of sub-authorities, 48-bit authority (big-endian), sub-authorities (little-endian).
fn sid(bytes: &[u8], out: &mut String) -> Option<std::fmt::Result> {
    let [revision, count, a, b, c, d, e, f] = array(bytes, 0)?;
    let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let parts = bytes.get(8..8 + usize::from(count) * 4)?;
    let mut text = format!("S-{revision}-{authority}");
    for part in parts.as_chunks::<4>().0 {
        let _ = write!(text, "-{}", u32::from_le_bytes(*part));
    }
    out.push_str(&text);
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: u8, bytes: &[u8]) -> String {
        let mut out = String::new();
        push(kind, bytes, &mut out);
        out
    }

    #[test]
    fn identifiers_in_their_usual_form() {
        // S-1-5-32-544 and its bytes: MS-DTYP 2.4.2.
        let administrators = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        assert_eq!(text(0x13, &administrators), "S-1-5-32-544");
        // IID_IUnknown 00000000-0000-0000-C000-000000000046: its layout in memory is published in MS-DCOM.
        let unknown = [0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
        assert_eq!(text(0x0f, &unknown), "{00000000-0000-0000-c000-000000000046}");
    }

    #[test]
    fn numbers_by_their_type() {
        assert_eq!(text(0x07, &[0xff, 0xff, 0xff, 0xff]), "-1");
        assert_eq!(text(0x08, &[0xff, 0xff, 0xff, 0xff]), "4294967295");
        assert_eq!(text(0x14, &[0x05, 0x00, 0x07, 0x80]), "0x80070005");
        assert_eq!(text(0x15, &[0, 0, 0, 0, 0, 0, 0x80, 0x80]), "0x8080000000000000");
        assert_eq!(text(0x0d, &[1, 0, 0, 0]), "true");
        assert_eq!(text(0x0e, &[0x0a, 0xbc]), "0ABC");
    }

    #[test]
    fn values_too_short_for_their_type_are_shown_as_they_are() {
        assert_eq!(text(0x08, &[0x12, 0x34]), "1234");
        assert_eq!(text(0x13, &[1, 200, 0, 0, 0, 0, 0, 5]), "01C8000000000005");
    }

    #[test]
    fn arrays_are_split_by_the_size_of_their_type() {
        let strings = [b'a', 0, 0, 0, 0, 0, b'b', 0, 0, 0];
        assert_eq!(items(0x81, &strings), Some(vec![&[b'a', 0][..], &[], &[b'b', 0]]));
        assert_eq!(items(0x86, &[1, 0, 2, 0]), Some(vec![&[1, 0][..], &[2, 0]]));
        assert_eq!(items(0x01, &strings), None);
    }
}
