//! Bytes to text with line numbers, whatever wrote the bytes.
//!
//! Command outputs come in UTF-8, in UTF-16 with one byte-order mark, two or none, in the OEM or ANSI code page of the machine,
//! and in several of these in one file. Nothing here fails: what cannot be decoded is kept with a replacement and said so.
//!
//! The order (text_formats.md 1.2): all leading marks off; stretches of UTF-16 told by their NULs; UTF-8 where it is valid; else
//! the pair of OEM and ANSI page that explains the file best, chosen line by line; at last lines that somebody had decoded
//! wrongly before are put right where a known word proves it.

mod codepage;
mod decode;
mod plausible;
mod repair;
mod utf16;
mod words;

use std::borrow::Cow;

pub use codepage::CodePages;

/// How a text was stored and how sure that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// `ascii`, `utf-8`, `utf-16le`, `cp850`, `windows-1252`, `mixed` …
    pub name: Cow<'static, str>,
    /// True when a mark or the bytes themselves prove it; false when it was chosen as the likeliest.
    pub certain: bool,
    /// Some letters are lost for good (replacement characters in the source).
    pub lossy: bool,
    /// Some text had been decoded wrongly before it was collected and was put right.
    pub repaired: bool,
}

/// A decoded file: one string and where its lines start.
///
/// A line ends at a line feed with any number of carriage returns before it (`wmic | more` writes CR CR LF) or at a carriage
/// return alone, so lines have the numbers that an editor shows.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    /// Where each line starts in `text`. Text beyond 4 GiB is part of the last line.
    starts: Vec<u32>,
    /// How the bytes were stored.
    pub encoding: Encoding,
}

impl Text {
    /// Decodes a file. Never fails.
    pub fn decode(bytes: &[u8]) -> Self {
        Self::decode_with(bytes, CodePages::default())
    }

    /// Decodes a file of a machine whose code pages are known from elsewhere; they decide where the bytes do not.
    pub fn decode_with(bytes: &[u8], pages: CodePages) -> Self {
        decode::decode(bytes, pages)
    }

    /// Wraps text that is decoded already.
    pub fn from_string(text: String, encoding: Encoding) -> Self {
        let starts = line_starts(text.as_bytes());
        Self { text, starts, encoding }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of lines.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The 1-based line, without its line end; empty beyond the last.
    pub fn line(&self, number: u32) -> &str {
        self.span(number, number)
    }

    /// The text from one line to another, both included, with the line ends between them; empty when there is no such line.
    pub fn span(&self, from: u32, to: u32) -> &str {
        let start = |line: u32| self.starts.get((line as usize).wrapping_sub(1)).map(|start| *start as usize);
        let (Some(from), true) = (start(from), from <= to) else { return "" };
        let to = start(to.saturating_add(1)).unwrap_or(self.text.len());
        self.text.get(from..to).unwrap_or_default().trim_end_matches(['\r', '\n'])
    }

    /// Lines with their 1-based numbers.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &str)> {
        self.lines_from(1)
    }

    /// Lines from a 1-based one on.
    pub fn lines_from(&self, from: u32) -> impl Iterator<Item = (u32, &str)> {
        (from.max(1)..=self.line_count()).map(|number| (number, self.line(number)))
    }

    /// The same text with every line changed by a function that adds no line ends; numbers stay what they are.
    pub(crate) fn map_lines<'t>(&'t self, mut change: impl FnMut(&'t str) -> Cow<'t, str>) -> Self {
        let mut text = String::with_capacity(self.text.len());
        for (_, line) in self.lines() {
            text.push_str(&change(line));
            text.push('\n');
        }
        Self::from_string(text, self.encoding.clone())
    }
}

/// Where lines start: behind each run of carriage returns with a line feed, and behind each other carriage return.
fn line_starts(bytes: &[u8]) -> Vec<u32> {
    let mut starts = Vec::new();
    let mut start = 0_usize;
    while start < bytes.len() {
        let Ok(offset) = u32::try_from(start) else { break };
        starts.push(offset);
        let rest = bytes.get(start..).unwrap_or_default();
        let Some(at) = memchr::memchr2(b'\r', b'\n', rest) else { break };
        let returns = rest.iter().skip(at).take_while(|byte| **byte == b'\r').count();
        let feed = rest.get(at + returns) == Some(&b'\n');
        start += match (returns, feed) {
            (_, true) => at + returns + 1,
            // A run of returns without a feed: each ends a line of its own, and all are passed at once.
            (returns, false) => {
                let lone = (1..returns).filter_map(|more| u32::try_from(start + at + more).ok());
                starts.extend(lone);
                at + returns
            }
        };
    }
    starts
}

#[cfg(test)]
mod tests;
