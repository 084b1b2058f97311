//! Text in UTF-16LE, as hives and event logs hold it: much of it, and nearly all of it ASCII.

/// Letters that are turned into text in one go.
const RUN: usize = 64;

/// Appends UTF-16LE as text; lone surrogates become U+FFFD and an odd last byte is left out.
pub fn push(bytes: &[u8], out: &mut String) {
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

/// UTF-16LE as a string, by the rules of [`push`].
pub fn text(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0;
    if units.iter().fold(0, |others, [low, high]| others | *high | (*low & 0x80)) == 0 {
        let letters: Vec<u8> = units.iter().map(|[low, _]| *low).collect();
        return String::from_utf8(letters).unwrap_or_default();
    }
    let mut text = String::with_capacity(units.len());
    push(bytes, &mut text);
    text
}

/// What stands before the first NUL.
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0]);
    end.and_then(|end| bytes.get(..end * 2)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_surrogates_and_odd_ends() {
        // U+1F600 is D83D DE00 in UTF-16 (Unicode standard, section 3.9).
        assert_eq!(text(&[0x3d, 0xd8, 0x00, 0xde, 0x41]), "\u{1f600}");
        assert_eq!(text(&[0x3d, 0xd8, 0x41, 0x00]), "\u{fffd}A");
        assert_eq!(text(&[0x41, 0x00, 0x62, 0x00]), "Ab");
        for length in [1, 63, 64, 65, 200] {
            let given = "ab".repeat(length) + "ж" + &"c".repeat(length);
            let bytes: Vec<u8> = given.encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(text(&bytes), given);
        }
        assert_eq!(until_nul(&[0x41, 0, 0, 0x01, 0, 0, 0x42, 0]), [0x41, 0, 0, 0x01]);
        assert_eq!(until_nul(&[0x41, 0, 0x42]), [0x41, 0, 0x42]);
    }
}
