//! Names inside of bytes that are written as digits: a `.reg` export writes strings as lists of bytes, reports write binary data as hex.

use super::Redactor;
use super::kind::folded;
use crate::artifact::utf16;

/// Start of a SID with a domain's or a machine's issuer, in binary: authority 5, first sub-authority 21; the count stands at 1.
const ISSUER: [u8; 10] = [0, 0, 0, 0, 0, 5, 21, 0, 0, 0];

/// What stands for bytes that hold a name.
const LEFT_OUT: &str = "[bytes left out]";

/// Digits at a word that hold a name.
pub(super) fn at(redactor: &Redactor, text: &str, at: usize) -> Option<(usize, String)> {
    let rest = text.get(at..)?;
    if text.get(..at).is_some_and(|before| before.ends_with('=')) && rest.starts_with("hex") {
        return list(redactor, rest).map(|(end, shown)| (at + end, shown));
    }
    let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    let run = rest.get(..digits)?;
    if digits < 12 || rest.get(digits..).is_some_and(|tail| tail.starts_with(|c: char| c.is_alphanumeric())) {
        return None;
    }
    let pair =
        |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Vec<u8> = run.as_bytes().chunks_exact(2).map_while(pair).collect();
    reveals(redactor, &bytes).then(|| (at + digits, LEFT_OUT.to_owned()))
}

/// `hex(2):25,00,…` of a `.reg` export, over its continued lines.
fn list(redactor: &Redactor, rest: &str) -> Option<(usize, String)> {
    let colon = rest.get(..12).unwrap_or(rest).find(':')? + 1;
    let head = rest.get(..colon)?;
    let of_list = |c: char| c.is_ascii_hexdigit() || matches!(c, ',' | '\\' | '\r' | '\n' | ' ');
    let body = rest.get(colon..)?;
    let mut length = body.find(|c: char| !of_list(c)).unwrap_or(body.len());
    // Digits that something else goes on with are none of the list.
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<');
    if body.get(length..).and_then(|behind| behind.chars().next()).is_some_and(|next| !ends(next)) {
        length = body.get(..length)?.rfind(',').unwrap_or(0);
    }
    // The list ends with the first line that is not continued.
    let mut end = 0;
    for line in body.get(..length)?.split_inclusive('\n') {
        end += line.trim_end().len();
        if !line.trim_end().ends_with('\\') {
            break;
        }
        end += line.len() - line.trim_end().len();
    }
    let digits = body.get(..end)?;
    let bytes: Vec<u8> = digits
        .split([',', '\\', '\r', '\n', ' '])
        .filter(|part| !part.is_empty())
        .filter_map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    if matches!(head, "hex(1):" | "hex(2):" | "hex(7):") {
        let text = utf16::text(&bytes);
        let shown = redactor.text(&text);
        return (shown != text).then(|| (colon + end, format!("{head}{}", written(shown.encode_utf16()))));
    }
    reveals(redactor, &bytes).then(|| (colon + end, head.to_owned()))
}

fn written(units: impl Iterator<Item = u16>) -> String {
    units.flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(",")
}

/// Whether bytes hold a SID or, in either width of letters, something that would be redacted in a text.
pub(super) fn reveals(redactor: &Redactor, bytes: &[u8]) -> bool {
    if bytes.windows(ISSUER.len()).any(|window| window == ISSUER) {
        return true;
    }
    let letters: String = bytes
        .iter()
        .filter(|byte| **byte != 0)
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '\n' })
        .collect();
    let long = letters.split('\n').any(|part| folded(part).len() >= 3);
    // Digits inside of digits are not looked into again.
    let nested = letters.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'\n');
    long && !nested && redactor.text(&letters) != letters
}
