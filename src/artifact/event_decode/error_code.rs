//! Error codes, however they are written.
//!
//! The same failure is `0x80072EE7`, `-2147012889`, `2147954407`, `12007` or `%%12007`, depending on who logged it (domain reference,
//! section 7 rule 1). One type holds them all, so that two notations of one code are equal.

use std::fmt;

/// HRESULT facility of Win32 errors.
const WIN32: u32 = 0x8007_0000;
/// NTSTATUS facility of Win32 errors.
const NT_WIN32: u32 = 0xc007_0000;
/// HRESULT facility of HTTP statuses (BITS and others).
const HTTP: u32 = 0x8019_0000;
/// The identity broker's facility of HTTP statuses.
const BROKER_HTTP: u32 = 0xcaa3_0000;
/// The identity broker's facility of transport errors: the low word is the Win32 number.
const BROKER_TRANSPORT: u32 = 0xcaa8_0000;
/// The facility bit of an NTSTATUS that was turned into an HRESULT.
const NT_BIT: u32 = 0x1000_0000;

/// An error code without its notation.
///
/// Win32 numbers are held in their HRESULT form (`0x8007xxxx`), so `12007` and `0x80072EE7` are equal. Zero stays zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(Form);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Form {
    /// HRESULT, NTSTATUS or Win32.
    System(u32),
    /// `AADSTSn`: an answer of the sign-in service.
    Aadsts(u32),
    /// `n-m`: Click-to-Run.
    ClickToRun(u32, u32),
}

impl ErrorCode {
    /// A code from its 32 bits. Numbers below 65536 are Win32 errors.
    pub const fn from_value(value: u32) -> Self {
        match value {
            1..=0xffff => Self(Form::System(WIN32 | value)),
            _ => Self(Form::System(value)),
        }
    }

    /// Reads a text that is a code and nothing else: `0x80072EE7`, `80072EE7`, `-2147012889`, `2147954407`, `12007`, `%%12007`,
    /// `[1001]`, `CAA2000C`, `AADSTS50076`, `30088-26`. Blanks around it do not matter. Eight digits without a mark are hexadecimal,
    /// because no decimal code has eight.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("%%").unwrap_or(text);
        let text = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
        if let Some(digits) = without_prefix(text, "AADSTS") {
            return number(digits).map(|number| Self(Form::Aadsts(number)));
        }
        if let Some(digits) = without_prefix(text, "0x") {
            return hexadecimal(digits).map(Self::from_value);
        }
        if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return hexadecimal(text).map(Self::from_value);
        }
        if let Some(digits) = text.strip_prefix('-') {
            let value = i32::try_from(-i64::from(number(digits)?)).ok()?;
            return Some(Self::from_value(value.cast_unsigned()));
        }
        if let Some((major, minor)) = text.split_once('-') {
            return Some(Self(Form::ClickToRun(number(major)?, number(minor)?)));
        }
        number(text).map(Self::from_value)
    }

    /// The 32 bits of the code; Win32 numbers in their HRESULT form. For `AADSTSn` the number itself, for `n-m` the first one.
    pub const fn value(self) -> u32 {
        match self.0 {
            Form::System(value) | Form::Aadsts(value) | Form::ClickToRun(value, _) => value,
        }
    }

    /// Whether it says that nothing failed.
    pub fn is_success(self) -> bool {
        self.0 == Form::System(0)
    }

    /// The number of the sign-in service's answer.
    pub fn aadsts(self) -> Option<u32> {
        match self.0 {
            Form::Aadsts(number) => Some(number),
            _ => None,
        }
    }

    /// The Win32 number inside: of `0x8007xxxx`, of its NTSTATUS form `0xC007xxxx`, and of the broker's transport errors
    /// `0xCAA8xxxx`.
    pub fn win32(self) -> Option<u32> {
        self.low_word(&[WIN32, NT_WIN32, BROKER_TRANSPORT])
    }

    /// The HTTP status inside: of `0x8019xxxx` and of the broker's `0xCAA3xxxx`.
    pub fn http_status(self) -> Option<u32> {
        self.low_word(&[HTTP, BROKER_HTTP])
    }

    /// The NTSTATUS inside an HRESULT that was made from one (`0xD0000272` is `0xC0000272`).
    pub fn ntstatus(self) -> Option<u32> {
        match self.0 {
            Form::System(value) if value >> 28 == 0xd => Some(value & !NT_BIT),
            _ => None,
        }
    }

    fn low_word(self, facilities: &[u32]) -> Option<u32> {
        match self.0 {
            Form::System(value) if facilities.contains(&(value & 0xffff_0000)) => Some(value & 0xffff),
            _ => None,
        }
    }
}

/// `0x80072EE7`, `AADSTS50076` or `30088-26`.
impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Form::System(value) => write!(f, "0x{value:08X}"),
            Form::Aadsts(number) => write!(f, "AADSTS{number}"),
            Form::ClickToRun(major, minor) => write!(f, "{major}-{minor}"),
        }
    }
}

fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A decimal number of 32 bits, digits only.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// A hexadecimal number; sixteen digits are a sign-extended 32-bit code.
fn hexadecimal(digits: &str) -> Option<u32> {
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u64::from_str_radix(digits, 16).ok()?;
    let extended = value >> 32 == 0xffff_ffff && value & 0x8000_0000 != 0;
    if extended { u32::try_from(value & 0xffff_ffff).ok() } else { u32::try_from(value).ok() }
}

/// The numbers of all `AADSTSn` in a text, in their order, each once. More than one can stand there: 70002 is generic, and the
/// second number tells the reason (domain reference, trap 24).
pub fn aadsts_in(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for number in codes_in(text).into_iter().filter_map(ErrorCode::aadsts) {
        if !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

/// So many different codes of one text tell what went wrong; a text with more is no error message.
const MOST_CODES: usize = 100;

/// The codes inside a text, in their order, each once: those that cannot be taken for something else. Bare small numbers are not
/// among them.
pub fn codes_in(text: &str) -> Vec<ErrorCode> {
    let mut found: Vec<ErrorCode> = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '%' || c == '-';
    for word in text.split(|c: char| !is_part(c)).filter(|word| !word.is_empty()) {
        let Some(code) = unmistakable(word) else { continue };
        if !found.contains(&code) {
            found.push(code);
        }
        if found.len() == MOST_CODES {
            break;
        }
    }
    found
}

/// The code that a word of a text is, if nothing else looks like that.
fn unmistakable(word: &str) -> Option<ErrorCode> {
    let word = word.trim_end_matches(['-', '%']);
    let hexadecimal = |digits: &str| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let marked = word.starts_with("%%") || without_prefix(word, "AADSTS").is_some();
    let prefixed = without_prefix(word, "0x").is_some_and(hexadecimal);
    // The broker's codes are often written without 0x.
    let broker = without_prefix(word, "CAA").is_some() && hexadecimal(word);
    // A failed HRESULT in decimal has ten digits; signed ones start with -2147 or -1 to -8 thousand million.
    let digits = word.strip_prefix('-').unwrap_or(word);
    let decimal = digits.len() == 10
        && number(digits)
            .is_some_and(|value| if word.len() > 10 { value <= 1 << 31 } else { value >= 1 << 31 });
    let aadsts = without_prefix(word, "AADSTS").is_none_or(|digits| (4..=9).contains(&digits.len()));
    if (marked || prefixed || broker || decimal) && aadsts { ErrorCode::parse(word) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> ErrorCode {
        ErrorCode::parse(text).unwrap_or_else(|| panic!("{text} is a code"))
    }

    #[test]
    fn one_code_in_every_notation() {
        // domain.md section 7 rule 1 gives these as notations of 0x80072F8F (12175).
        for text in [
            "0x80072F8F",
            "0x80072f8f",
            "80072F8F",
            "-2147012721",
            "2147954575",
            "12175",
            "%%12175",
            "[12175]",
        ] {
            assert_eq!(code(text).value(), 0x8007_2f8f, "{text}");
            assert_eq!(code(text).win32(), Some(12175), "{text}");
        }
        // domain.md 2.3: %%2147942414 is 0x8007000E.
        assert_eq!(code("%%2147942414").value(), 0x8007_000e);
        assert_eq!(code("0xFFFFFFFF80070005"), code("5"));
        assert_eq!(code("12175").to_string(), "0x80072F8F");
    }

    #[test]
    fn codes_of_the_broker() {
        // domain.md section 7 rule 3: the low word of CAA8 is the Win32 number (12002 = 0x2EE2), that of CAA3 the HTTP status.
        assert_eq!(code("CAA82EE2").win32(), Some(12002));
        assert_eq!(code("0xcaa82ee2"), code("3400019682"));
        assert_eq!(code("CAA30193").http_status(), Some(403));
        assert_eq!(code("CAA20003").win32(), None);
        // BITS: 0x80190193 is HTTP status 403 (bitsmsg.h).
        assert_eq!(code("0x80190193").http_status(), Some(403));
    }

    #[test]
    fn other_kinds() {
        assert_eq!(code("AADSTS50076").aadsts(), Some(50076));
        assert_eq!(code("aadsts50076").to_string(), "AADSTS50076");
        assert_ne!(code("AADSTS50076"), code("50076"));
        assert_eq!(code("30088-26").to_string(), "30088-26");
        assert_eq!(code("0xD0000272").ntstatus(), Some(0xc000_0272));
        assert_eq!(code("0xC0000272").ntstatus(), None);
        assert!(code("0").is_success() && code("0x0").is_success());
        for text in [
            "",
            "0x",
            "%%",
            "AADSTS",
            "error",
            "-",
            "1-",
            "0x1FFFFFFFF",
            "99999999999",
            "+5",
            "657rx",
            "-3000000000",
        ] {
            assert_eq!(ErrorCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn several_numbers_in_one_text() {
        // Trap 24: AADSTS70002 is generic, the second number is the reason.
        let text = "AADSTS70002: Error validating credentials. AADSTS50155: Device is not authenticated (AADSTS70002).\r\n\
            Trace ID: 8f2b1c34-aadsts-2018 Timestamp: 2018-01-01 00:00:00Z";
        assert_eq!(aadsts_in(text), [70002, 50155]);
        assert_eq!(aadsts_in("AADSTS9002313: Invalid request."), [9_002_313]);
        assert_eq!(aadsts_in("no number: AADSTS"), Vec::<u32>::new());
    }

    #[test]
    fn codes_inside_a_text() {
        // The form of AdditionalInformation in AAD 1098, domain.md section 14 R39.
        let text = "Operation name: GetTokenSilently, Error: -2146959355 (0x80080005), correlation 12345678";
        assert_eq!(codes_in(text), [code("0x80080005")]);
        assert_eq!(codes_in("Code CAA70004; %%21, again caa70004"), [code("CAA70004"), code("21")]);
        assert_eq!(codes_in("time 2147483647, version 12.0, id 1234567890, date 2026-11-19"), []);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn every_notation_of_a_failed_code_is_equal(value in 0x8000_0000_u32..) {
            let forms = [format!("{value}"), format!("{}", value.cast_signed()), format!("0x{value:X}"), format!("{value:08x}")];
            for form in forms {
                proptest::prop_assert_eq!(ErrorCode::parse(&form), Some(ErrorCode::from_value(value)));
            }
        }

        #[test]
        fn any_text_is_searched(text in "\\PC{0,60}") {
            let _ = (codes_in(&text), ErrorCode::parse(&text));
        }
    }
}
