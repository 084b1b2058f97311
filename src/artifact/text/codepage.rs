//! Code pages: which of them a file is in, line by line.
//!
//! A Windows machine has one OEM page (console tools) and one ANSI page (the C runtime, Notepad), and both occur in one file:
//! `nslookup > file 2>&1` writes its labels in one and its sentences in the other. So the pair of pages is chosen that explains
//! all lines best, and each line takes the page of the two that explains it better. A tie goes to the page of the majority.

use std::borrow::Cow;

use encoding_rs::Encoding;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use oem_cp::code_table_type::TableType;

use super::plausible::plausibility;

/// The code pages of a machine, as far as they are known from elsewhere (`Nls\CodePage`, systeminfo's `System Locale`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodePages {
    /// Number of the OEM page (850).
    pub oem: Option<u16>,
    /// Number of the ANSI page (1252).
    pub ansi: Option<u16>,
}

/// The pairs that Windows' locales use (text_formats.md 1.1), the likelier first.
const PAIRS: &[(u16, u16)] = &[
    (850, 1252),
    (437, 1252),
    (866, 1251),
    (936, 936),
    (932, 932),
    (949, 949),
    (852, 1250),
    (857, 1254),
    (950, 950),
    (737, 1253),
    (862, 1255),
    (720, 1256),
    (775, 1257),
    (874, 874),
    (1258, 1258),
];

/// Bytes of lines outside ASCII that are looked at to choose the pair, and of one line.
const SAMPLE: usize = 16 * 1024;
const SAMPLE_LINE: usize = 2 * 1024;

/// What knowing a machine's pages is worth: less than one known word.
const HINT: i32 = 6;

/// Decodes bytes in a code page; what the page does not define becomes U+FFFD. `None` for a page that is not known.
pub fn decode_page(bytes: &[u8], page: u16) -> Option<Cow<'_, str>> {
    if let Some(table) = DECODING_TABLE_CP_MAP.get(&page) {
        return Some(Cow::Owned(oem(bytes, table)));
    }
    Some(encoding(page)?.decode_without_bom_handling(bytes).0)
}

fn oem(bytes: &[u8], table: &TableType) -> String {
    bytes
        .iter()
        .map(|&byte| match byte.checked_sub(0x80) {
            None => char::from(byte),
            Some(_) => table.decode_char_checked(byte).unwrap_or(char::REPLACEMENT_CHARACTER),
        })
        .collect()
}

fn encoding(page: u16) -> Option<&'static Encoding> {
    Some(match page {
        874 => encoding_rs::WINDOWS_874,
        932 => encoding_rs::SHIFT_JIS,
        936 => encoding_rs::GBK,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1250 => encoding_rs::WINDOWS_1250,
        1251 => encoding_rs::WINDOWS_1251,
        1252 => encoding_rs::WINDOWS_1252,
        1253 => encoding_rs::WINDOWS_1253,
        1254 => encoding_rs::WINDOWS_1254,
        1255 => encoding_rs::WINDOWS_1255,
        1256 => encoding_rs::WINDOWS_1256,
        1257 => encoding_rs::WINDOWS_1257,
        1258 => encoding_rs::WINDOWS_1258,
        _ => return None,
    })
}

/// Encodes text in a code page; `None` if it has a character that the page lacks.
pub fn encode_page(text: &str, page: u16) -> Option<Vec<u8>> {
    match page {
        65001 => Some(text.as_bytes().to_vec()),
        437 | 850 | 866 => {
            oem_cp::encode_string_checked(text, oem_cp::code_table::ENCODING_TABLE_CP_MAP.get(&page)?)
        }
        page => {
            let (bytes, _, lost) = encoding(page)?.encode(text);
            (!lost).then(|| bytes.into_owned())
        }
    }
}

/// The name of a page in reports.
fn name(page: u16) -> Cow<'static, str> {
    match page {
        65001 => Cow::Borrowed("utf-8"),
        1250..=1258 => Cow::Owned(format!("windows-{page}")),
        _ => Cow::Owned(format!("cp{page}")),
    }
}

/// Text out of code pages.
pub struct Legacy {
    /// The decoded text.
    pub text: String,
    /// The page, or `mixed`.
    pub name: Cow<'static, str>,
    /// Some bytes mean nothing in any page.
    pub lossy: bool,
}

impl Legacy {
    /// Decodes bytes that are no valid UTF-8 as a whole.
    pub fn decode(bytes: &[u8], pages: CodePages) -> Self {
        let pair = choose_pair(bytes, pages);
        let mut text = String::with_capacity(bytes.len() + bytes.len() / 4);
        let mut used: Vec<u16> = Vec::new();
        let mut lossy = false;
        for line in lines(bytes) {
            if line.is_ascii() {
                text.push_str(&String::from_utf8_lossy(line));
                continue;
            }
            let page = page_of(line, pair);
            let decoded = match page {
                65001 => String::from_utf8_lossy(line),
                page => decode_page(line, page).unwrap_or_else(|| String::from_utf8_lossy(line)),
            };
            lossy |= decoded.contains('\u{fffd}');
            text.push_str(&decoded);
            if !used.contains(&page) {
                used.push(page);
            }
        }
        let name = match used.as_slice() {
            [only] => name(*only),
            _ => Cow::Borrowed("mixed"),
        };
        Self { text, name, lossy }
    }
}

/// Lines with their ends; the last may have none.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// The pair that explains the lines outside ASCII best; the page of the pair that explains more comes first.
fn choose_pair(bytes: &[u8], known: CodePages) -> (u16, u16) {
    let mut left = SAMPLE;
    let mut sample: Vec<&[u8]> = Vec::new();
    for line in lines(bytes).filter(|line| !line.is_ascii()) {
        let line = start_of(line);
        sample.push(line);
        left = left.saturating_sub(line.len());
        if left == 0 {
            break;
        }
    }
    let mut scores: Vec<(u16, Vec<i32>)> = Vec::new();
    let mut best: Option<(i32, (u16, u16))> = None;
    for (oem, ansi) in candidates(known) {
        for page in [oem, ansi] {
            if scores.iter().all(|(scored, _)| *scored != page) {
                scores.push((page, sample.iter().map(|line| score(line, page)).collect()));
            }
        }
        let of =
            |page: u16| scores.iter().find(|(scored, _)| *scored == page).map(|(_, lines)| lines.as_slice());
        let (Some(by_oem), Some(by_ansi)) = (of(oem), of(ansi)) else { continue };
        let hint = if known.oem == Some(oem) || known.ansi == Some(ansi) { HINT } else { 0 };
        let total: i32 = by_oem.iter().zip(by_ansi).map(|(a, b)| *a.max(b)).sum::<i32>() + hint;
        let ordered =
            if by_ansi.iter().sum::<i32>() > by_oem.iter().sum::<i32>() { (ansi, oem) } else { (oem, ansi) };
        if best.is_none_or(|(most, _)| total > most) {
            best = Some((total, ordered));
        }
    }
    best.map_or((850, 1252), |(_, pair)| pair)
}

/// The pairs to try; the machine's own first.
fn candidates(known: CodePages) -> Vec<(u16, u16)> {
    let own = match (known.oem, known.ansi) {
        (Some(oem), Some(ansi)) => Some((oem, ansi)),
        (Some(page), None) | (None, Some(page)) => {
            PAIRS.iter().copied().find(|(a, b)| *a == page || *b == page)
        }
        (None, None) => None,
    };
    own.into_iter().chain(PAIRS.iter().copied()).collect()
}

fn start_of(line: &[u8]) -> &[u8] {
    line.get(..SAMPLE_LINE).unwrap_or(line)
}

fn score(line: &[u8], page: u16) -> i32 {
    decode_page(line, page).map_or(i32::MIN / 64, |text| plausibility(&text))
}

/// The page of one line. UTF-8 is a candidate wherever it is valid: by chance it hardly is.
fn page_of(line: &[u8], (first, second): (u16, u16)) -> u16 {
    let whole = std::str::from_utf8(line).ok();
    let line = start_of(line);
    let (mut page, mut most) = (first, score(line, first));
    if second != first && score(line, second) > most {
        (page, most) = (second, score(line, second));
    }
    if let Some(text) = whole {
        let letters =
            i32::try_from(line.iter().filter(|byte| **byte >= 0xc0).count()).unwrap_or(i32::MAX / 8);
        let text = std::str::from_utf8(line).unwrap_or(text);
        if plausibility(text).saturating_add(letters * 2) >= most {
            page = 65001;
        }
    }
    page
}
