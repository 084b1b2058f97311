//! Values in slots and the numbers and texts that they are made of.

/// A value in a slot: its type, its bytes, and its text for records without a template.
#[derive(Clone, Debug)]
pub struct Value {
    pub(super) kind: u8,
    pub(super) bytes: Vec<u8>,
    pub(super) text: String,
}

impl Value {
    pub fn null() -> Self {
        Self { kind: 0, bytes: Vec::new(), text: String::new() }
    }
    pub fn text(text: &str) -> Self {
        Self { kind: 1, bytes: utf16(text), text: text.to_owned() }
    }
    pub fn u8(number: u8) -> Self {
        Self { kind: 4, bytes: vec![number], text: number.to_string() }
    }
    pub fn u16(number: u16) -> Self {
        Self { kind: 6, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn i32(number: i32) -> Self {
        Self { kind: 7, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn u32(number: u32) -> Self {
        Self { kind: 8, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn u64(number: u64) -> Self {
        Self { kind: 10, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn boolean(truth: bool) -> Self {
        Self { kind: 13, bytes: u32::from(truth).to_le_bytes().to_vec(), text: truth.to_string() }
    }
    pub fn binary(bytes: &[u8]) -> Self {
        let text = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        Self { kind: 14, bytes: bytes.to_vec(), text }
    }
    pub fn hex32(number: u32) -> Self {
        Self { kind: 20, bytes: number.to_le_bytes().to_vec(), text: format!("{number:#x}") }
    }
    pub fn hex64(number: u64) -> Self {
        Self { kind: 21, bytes: number.to_le_bytes().to_vec(), text: format!("{number:#x}") }
    }
    /// FILETIME of a UTC time written `2026-11-19T08:00:00Z`, with up to seven fractional digits.
    pub fn time(text: &str) -> Self {
        Self { kind: 17, bytes: ticks(text).to_le_bytes().to_vec(), text: text.to_owned() }
    }
    /// A SID written `S-1-5-…`.
    pub fn sid(text: &str) -> Self {
        let parts: Vec<u64> = text.split('-').skip(1).map(|part| part.parse().expect("a SID")).collect();
        let mut bytes = vec![parts[0] as u8, (parts.len() - 2) as u8];
        bytes.extend(&parts[1].to_be_bytes()[2..]);
        bytes.extend(parts[2..].iter().flat_map(|part| (*part as u32).to_le_bytes()));
        Self { kind: 19, bytes, text: text.to_owned() }
    }
    /// A GUID written `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`.
    pub fn guid(text: &str) -> Self {
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let number = u128::from_str_radix(&digits, 16).expect("a GUID").to_be_bytes();
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        Self { kind: 15, bytes: order.iter().map(|index| number[*index]).collect(), text: text.to_owned() }
    }
    /// An array of strings: its element is shown once for each.
    pub fn strings(texts: &[&str]) -> Self {
        let bytes = texts.iter().flat_map(|text| utf16(&format!("{text}\0"))).collect();
        Self { kind: 0x81, bytes, text: texts.join(" ") }
    }
    /// Any type number with any bytes.
    pub fn raw(kind: u8, bytes: &[u8]) -> Self {
        Self { kind, bytes: bytes.to_vec(), text: String::new() }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// FILETIME ticks of `YYYY-MM-DDThh:mm:ss[.fffffff]Z`.
pub fn ticks(text: &str) -> u64 {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut next = || numbers.next().map_or(0, |part| part.parse::<u64>().expect("a number"));
    let (year, month, day) = (next(), next(), next());
    let (hour, minute, second) = (next(), next(), next());
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest).trim_end_matches('Z');
    let fraction: u64 = format!("{fraction:0<7}").parse().expect("a fraction");
    // Days since 1601-01-01 in the Gregorian calendar.
    let before = year - 1;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let months = [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = before * 365 + before / 4 - before / 100 + before / 400 - 584_388
        + months[..month as usize - 1].iter().sum::<u64>()
        + (day - 1);
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 10_000_000 + fraction
}

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The hash that chooses a name's bucket: `h = h * 65599 + unit`, low 16 bits stored.
pub(super) fn name_hash(name: &str) -> u16 {
    name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(u32::from(unit)))
        as u16
}

/// CRC-32 as in zip (polynomial 0xEDB88320).
pub fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum, byte| TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ (sum >> 8))
}
