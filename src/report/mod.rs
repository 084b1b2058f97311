//! The report: one typed model, one renderer a file. A renderer computes nothing that the model does not hold.

pub mod card;
pub mod comparison;
pub mod csv;
pub mod dump;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub(crate) mod markup;
pub mod model;
pub mod terminal;
mod wanted;

use self::model::CheckInfo;
use crate::artifact::identify::ReadStatus;
use crate::diagnosis::Verdict;
use crate::evidence::Confidence;

/// Evidence as a person may safely see it: control characters, terminal escapes and bidirectional marks are written out.
pub fn visible(text: &str) -> String {
    if !text.chars().any(is_hidden) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_hidden(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// What a terminal or a bidirectional algorithm would obey, and what nobody sees.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        // Tags write invisible text; the others no XML document may hold.
        || matches!(c, '\u{e0000}'..='\u{e007f}' | '\u{fffe}' | '\u{ffff}')
}

/// The verdict in a word.
pub(crate) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Blocked => "Blocked",
        Verdict::Suspect => "Suspect",
        Verdict::Clear => "Clear",
        Verdict::Inconclusive => "Inconclusive",
    }
}

/// How sure a check is.
fn confidence_words(check: &CheckInfo) -> Option<&'static str> {
    check.confidence.map(|level| match level {
        Confidence::High => "high confidence",
        Confidence::Medium => "medium confidence",
        Confidence::Low => "low confidence",
    })
}

/// How much of a file was used.
fn read_words(status: ReadStatus) -> &'static str {
    match status {
        ReadStatus::Read => "read",
        ReadStatus::Partial => "read in part",
        ReadStatus::Unreadable => "unreadable",
        ReadStatus::Ignored => "ignored",
    }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn escapes_and_bidi_marks_become_visible() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c\nd"), r"a\u{1b}[31mb\u{202e}c\u{a}d");
        assert_eq!(visible("Ethernet – 網路"), "Ethernet – 網路");
    }
}
