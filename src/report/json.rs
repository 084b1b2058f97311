//! The report as JSON: the contract itself.

use std::fmt::Write as _;

use super::is_hidden;
use super::model::Report;

/// One object, indented for people when it stands alone, on one line when several follow each other.
pub fn render(report: &Report, one_line: bool) -> Result<String, serde_json::Error> {
    let text = if one_line { serde_json::to_string(report) } else { serde_json::to_string_pretty(report) };
    text.map(harmless)
}

/// JSON with the same meaning that a terminal shows as it stands: `serde_json` escapes the control characters of ASCII only, and terminals
/// also obey U+009B and bidirectional marks. Those characters stand inside of strings only, where each can be escaped.
pub fn harmless(text: String) -> String {
    let hidden = |c: char| c >= '\u{7f}' && is_hidden(c);
    if !text.bytes().any(|byte| byte >= 0x7f) || !text.chars().any(hidden) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if hidden(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn the_meaning_stays_and_the_power_goes() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}31m", "\u{e0041}", "網路\u{1b}\u{7f}"]});
        let text = harmless(value.to_string());
        assert_eq!(text, "{\"a\\u202e\":[\"\\u009b31m\",\"\\udb40\\udc41\",\"網路\\u001b\\u007f\"]}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
