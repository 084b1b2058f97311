//! The lines of a `.reg` file.
//!
//! A damaged line costs itself: the reader says which line it was, marks the key as not whole, and goes on. It never gives the
//! values under an unreadable heading to the key above it.

use std::collections::HashMap;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::data::{self, Form, HexEnd, Quoted};
use super::{RegForm, RegText, RegTextKey, Scope, below, short_root};
use crate::artifact::capture::Block;
use crate::artifact::text::Text;
use crate::artifact::value::{RegValue, ValueType};
use crate::artifact::{Place, Problem};

const VERSION_5: &str = "Windows Registry Editor Version 5.00";
const VERSION_4: &str = "REGEDIT4";
/// Longest piece of a bad line that a problem quotes.
const QUOTE: usize = 60;

/// Where an export begins in its block.
struct Start<'t> {
    /// Line of the version line, or of the first heading when there is no version line.
    line: u32,
    has_version: bool,
    /// What a wrapper (a mail quote, an indent) put in front of every line.
    prefix: &'t str,
}

pub(super) fn recognise(block: &Block<'_>) -> u8 {
    match find_start(block) {
        Some(start) if start.has_version => 100,
        Some(_) => 60,
        None => 0,
    }
}

fn find_start<'t>(block: &Block<'t>) -> Option<Start<'t>> {
    block.lines().find_map(|(number, line)| {
        if let Some((prefix, _)) = version_line(line) {
            return Some(Start { line: number, has_version: true, prefix });
        }
        let at = line.find('[')?;
        let (prefix, rest) = line.split_at_checked(at)?;
        heading(rest)?;
        only_wrapping(prefix).then_some(Start { line: number, has_version: false, prefix })
    })
}

/// The wrapping in front of a version line, and whether it is REGEDIT4.
fn version_line(line: &str) -> Option<(&str, bool)> {
    [(VERSION_5, false), (VERSION_4, true)].into_iter().find_map(|(words, old)| {
        let (prefix, rest) = line.split_at_checked(line.find(words)?)?;
        let sound = only_wrapping(prefix) && rest.strip_prefix(words)?.trim().is_empty();
        sound.then_some((prefix, old))
    })
}

/// Quote marks, indents, comment signs and stray byte-order marks.
fn only_wrapping(prefix: &str) -> bool {
    !prefix.chars().any(char::is_alphanumeric)
}

/// A heading: the path, and whether it deletes the key.
fn heading(line: &str) -> Option<(String, bool)> {
    let inner = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    match inner.strip_prefix('-') {
        Some(path) => Some((short_root(path)?, true)),
        None => Some((short_root(inner)?, false)),
    }
}

/// Whether a line is where something new begins, so that a string left open above it was damaged.
fn begins_something(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with("[HK") || line.starts_with("[-HK") {
        return true;
    }
    let rest = match line.strip_prefix('"').map(data::quoted) {
        Some(Quoted::Closed(_, rest)) => Some(rest.trim_start()),
        Some(Quoted::Open(_)) => None,
        None => line.strip_prefix('@'),
    };
    rest.and_then(|rest| rest.strip_prefix('=')).is_some_and(|data| data::form(data).is_some())
}

/// Which key the values being read belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    /// No heading yet.
    None,
    /// The last one of the list.
    Last,
    /// One whose heading could not be read: its values belong nowhere.
    Lost,
}

struct Parser<'t> {
    block: Block<'t>,
    prefix: &'t str,
    /// The next line to read.
    next: u32,
    old: bool,
    code_page: &'static Encoding,
    /// How a line break inside a string is stored.
    line_break: &'static str,
    current: Current,
    /// The line above the one that is being read was blank.
    after_blank: bool,
    /// The last line of the last value.
    value_end: u32,
    /// Numbers of keys in front of which an export begins.
    sections: Vec<usize>,
    out: RegText,
}

pub(super) fn parse(block: &Block<'_>) -> Option<RegText> {
    let start = find_start(block)?;
    let text = block.text;
    let label = text.encoding.name.as_bytes();
    let mut parser = Parser {
        block: *block,
        prefix: start.prefix,
        next: start.line,
        old: false,
        // The page of the file is that of the bytes in it, unless it was saved again in Unicode; then 1252 is the likeliest.
        code_page: Encoding::for_label(label)
            .filter(|page| *page != UTF_8 && page.is_ascii_compatible())
            .unwrap_or(WINDOWS_1252),
        line_break: if text.as_str().contains("\r\n") { "\r\n" } else { "\n" },
        current: Current::None,
        after_blank: true,
        value_end: 0,
        sections: Vec::new(),
        out: RegText::new(RegForm::Export, block),
    };
    parser.out.line_from = start.line;
    parser.run();
    parser.finish();
    Some(parser.out)
}

impl<'t> Parser<'t> {
    fn run(&mut self) {
        while let Some((number, line)) = self.take() {
            let body = line.trim();
            match body.chars().next() {
                None => {}
                Some(';') => self.comment(body),
                Some('[') => self.heading(number, body),
                Some('"' | '@') => self.value(number, line.trim_start()),
                Some(_) => match version_line(body) {
                    // Two exports in one file.
                    Some((_, old)) => {
                        (self.old, self.current) = (old, Current::None);
                        self.sections.push(self.out.keys.len());
                    }
                    None if body.starts_with("```") => {
                        self.out.line_to = number;
                        return;
                    }
                    None => self.garbage(number, body),
                },
            }
            self.after_blank = body.is_empty();
        }
    }

    /// The next line without its wrapping.
    fn take(&mut self) -> Option<(u32, &'t str)> {
        let line = self.peek()?;
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Some((number, line))
    }

    fn peek(&self) -> Option<&'t str> {
        if self.next > self.block.to {
            return None;
        }
        let line = self.block.text.line(self.next);
        let bare = line.strip_prefix(self.prefix);
        Some(bare.unwrap_or(if line.trim() == self.prefix.trim() { "" } else { line }))
    }

    fn key(&mut self) -> Option<&mut RegTextKey> {
        if self.current == Current::Last { self.out.keys.last_mut() } else { None }
    }

    /// An export has no comments, so this one was written by hand, and what looks like a value in it may be one that somebody
    /// switched off: it does not count as present, nor as proof that nothing is there.
    fn comment(&mut self, body: &str) {
        if body.contains('=')
            && let Some(key) = self.key()
        {
            key.whole = false;
        }
        if body.contains("HKEY_") {
            if body.ends_with(']') { self.lose_heading() } else { self.gap() }
        }
    }

    fn heading(&mut self, number: u32, body: &str) {
        let Some((path, deleted)) = heading(body) else {
            self.problem(number, "a key in brackets that begins with a root key", body);
            self.lose_heading();
            return;
        };
        self.out.script |= deleted;
        self.out.keys.push(RegTextKey { deleted, ..RegTextKey::new(path, number) });
        self.current = Current::Last;
    }

    fn garbage(&mut self, number: u32, body: &str) {
        self.problem(number, "a key, a value, a comment or a blank line", body);
        self.damage(body);
    }

    /// Marks the key that is being read as not whole. When the bad line may have been a heading, or have swallowed one, what
    /// follows has no key: regedit puts a blank line in front of every heading and nowhere else.
    fn damage(&mut self, body: &str) {
        if let Some(key) = self.key() {
            key.whole = false;
        }
        if self.after_blank || body.trim_end().ends_with(']') || body.contains("HKEY_") {
            self.lose_heading();
        }
    }

    fn lose_heading(&mut self) {
        if let Some(key) = self.key() {
            key.whole = false;
        }
        self.gap();
        self.current = Current::Lost;
    }

    /// A key may be missing behind the last one that was read.
    fn gap(&mut self) {
        if let Some(key) = self.out.keys.last_mut() {
            key.gap_after = true;
        }
    }

    fn problem(&mut self, number: u32, expected: &str, found: &str) {
        let mut quote: String = found.chars().take(QUOTE).collect();
        if quote.len() < found.len() {
            quote.push('…');
        }
        self.out.problems.push(Problem::new(Place::Line(number), expected, format!("{quote:?}")));
    }

    fn value(&mut self, number: u32, line: &'t str) {
        if self.current == Current::None {
            self.problem(number, "a key before its first value", line);
            return;
        }
        let (name, rest) = match line.strip_prefix('"').map(data::quoted) {
            None => (String::new(), line.strip_prefix('@').unwrap_or_default()),
            Some(Quoted::Closed(name, rest)) => (name, rest),
            Some(Quoted::Open(_)) => {
                self.problem(number, "a value name that ends with a quote", line);
                self.damage(line);
                return;
            }
        };
        let read = rest.trim_start().strip_prefix('=').and_then(data::form);
        let value = match read {
            Some(Form::Deletion) => {
                self.out.script = true;
                return;
            }
            Some(Form::Text(rest)) => self.text(number, name, rest),
            Some(Form::Dword(digits)) => {
                data::dword(digits).map(|n| RegValue::dword(name.clone(), n)).ok_or(name)
            }
            Some(Form::Hex(kind, rest)) => Ok(self.hex(number, name, kind, rest)),
            None => Err(name),
        };
        let value = value.unwrap_or_else(|name| {
            self.problem(number, "a string, dword:, hex:, hex(type): or -", line);
            self.damage(line);
            RegValue { truncated: true, ..RegValue::new(name, ValueType::NONE, Vec::new()) }
        });
        self.value_end = self.next.saturating_sub(1);
        if let Some(key) = self.key() {
            key.values.push((value, number));
        }
    }

    /// A string, which may span lines. One that is still open where something else begins is damaged, and costs one line.
    fn text(&mut self, number: u32, name: String, first: &'t str) -> Result<RegValue, String> {
        let mut text = match data::quoted(first) {
            Quoted::Closed(text, rest) if data::ends_here(rest) => {
                return Ok(RegValue::string(name, ValueType::SZ, &text));
            }
            Quoted::Closed(..) => return Err(name),
            Quoted::Open(text) => text,
        };
        while let Some(line) = self.peek() {
            if begins_something(line) {
                break;
            }
            let _ = self.take();
            text.push_str(self.line_break);
            match data::quoted(line) {
                Quoted::Open(more) => text.push_str(&more),
                Quoted::Closed(more, rest) if data::ends_here(rest) => {
                    text.push_str(&more);
                    return Ok(RegValue::string(name, ValueType::SZ, &text));
                }
                Quoted::Closed(..) => break,
            }
        }
        self.next = number.saturating_add(1);
        Err(name)
    }

    /// A hex value with its continuation lines. Damage keeps the bytes in front of it and marks the value as cut short.
    fn hex(&mut self, number: u32, name: String, kind: ValueType, first: &'t str) -> RegValue {
        let mut bytes = Vec::new();
        let (mut at, mut line) = (number, first);
        let truncated = loop {
            match data::hex_line(line, &mut bytes) {
                HexEnd::End => break false,
                HexEnd::Damaged => break true,
                HexEnd::Continues => {}
            }
            match self.peek() {
                Some(next) if !next.trim().is_empty() && !begins_something(next) => {
                    (at, line) = (self.next, next);
                    let _ = self.take();
                }
                _ => break true,
            }
        };
        if truncated {
            self.problem(
                at,
                "bytes as two hex digits with commas between, `\\` before each continuation line",
                line,
            );
            self.damage(line);
        }
        let bytes = if self.old { data::ansi_to_utf16(kind, bytes, self.code_page) } else { bytes };
        RegValue { truncated, ..RegValue::new(name, kind, bytes) }
    }

    /// What the export covers, and whether its end is there.
    fn finish(&mut self) {
        if self.is_cut_off() {
            self.cut_off();
        }
        if !self.out.script {
            self.scopes();
        }
    }

    /// Every key that does not lie below the one at the top begins another subtree, as when somebody put exports together. But no
    /// export leaves its subtree and enters it again: then the headings between were damaged, and keys are missing there.
    fn scopes(&mut self) {
        let mut left: HashMap<String, usize> = HashMap::new();
        let mut top: Option<String> = None;
        let mut gaps = Vec::new();
        let mut sections = self.sections.iter().peekable();
        for (index, key) in self.out.keys.iter().enumerate() {
            if sections.next_if_eq(&&index).is_some() {
                (left, top) = (HashMap::new(), None);
            }
            if top.as_ref().is_some_and(|top| below(&key.path, top).is_some()) {
                continue;
            }
            left.extend(top.take().map(|top| (top.to_lowercase(), index.saturating_sub(1))));
            let path = key.path.to_lowercase();
            let mut above =
                std::iter::successors(Some(path.as_str()), |path| Some(path.rsplit_once('\\')?.0));
            top = above.find_map(|key| left.remove_entry(key)).map(|(top, last)| {
                gaps.push(last);
                top
            });
            if top.is_none() {
                self.out.scopes.push(Scope::tree(key.path.clone()));
                top = Some(key.path.clone());
            }
        }
        for index in gaps {
            if let Some(key) = self.out.keys.get_mut(index) {
                key.gap_after = true;
            }
        }
    }

    /// regedit ends an export with a blank line, in UTF-16. In other encodings somebody has saved the file again, and a line end
    /// has to do.
    fn is_cut_off(&self) -> bool {
        let text = self.block.text;
        if self.block.to < text.line_count() || self.out.line_to < self.block.to {
            return false;
        }
        let blank_at_end = text.line(text.line_count()).trim().is_empty();
        let by_regedit = text.encoding.name.eq_ignore_ascii_case("utf-16le");
        !ends_with_line_end(text) || (by_regedit && !blank_at_end)
    }

    fn cut_off(&mut self) {
        let number = self.block.to;
        let line = self.block.text.line(number);
        self.problem(number, "a line end, and a blank line at the end of an export", line);
        // The last value may be a part of what was there, even if it reads well; only a dword shows that it is all there.
        let in_value = self.value_end == number && !ends_with_line_end(self.block.text);
        let has_all_digits = line.rsplit_once(':').is_some_and(|(_, digits)| digits.len() == 8);
        if let Some(key) = self.key() {
            key.whole = false;
            if in_value && let Some((value, _)) = key.values.last_mut() {
                value.truncated |= value.kind != ValueType::DWORD || !has_all_digits;
            }
        }
        self.gap();
    }
}

fn ends_with_line_end(text: &Text) -> bool {
    text.as_str().ends_with(['\n', '\r'])
}
