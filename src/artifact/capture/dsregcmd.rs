//! `dsregcmd /status`: join state, device keys, primary refresh token.
//!
//! The output is English on every desktop that was seen. It comes in two forms: boxed sections with `key : value` (Windows 10
//! 1803 and later) and an older one with `key: value`. Keys repeat across sections (`TpmProtected` stands in Device Details and
//! in every Work Account), so an entry is known by its section *and* its key; the questions in [`typed`] name both.

pub mod typed;

use serde::Serialize;

use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Which layout it is.
    pub form: Form,
    /// The sections of the last run in the block.
    pub sections: Vec<Section>,
    /// Sections of runs before the last one, when the command was run more than once without a prompt between.
    pub earlier: Vec<Section>,
    /// Lines inside the output that are neither heading, entry, continuation nor known chatter.
    pub unread: Vec<u32>,
}

/// The two layouts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `key : value`, keys right-aligned.
    #[default]
    Spaced,
    /// `key: value` (1607, Server 2016).
    Tight,
}

/// One box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The title as printed; `None` when the capture begins inside a section or its title is lost.
    pub name: Option<String>,
    /// Line of the title, or of the first entry.
    pub line: u32,
    /// The entries in their order.
    pub entries: Vec<Entry>,
}

/// One `key : value`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// 1-based line of the key.
    pub line: u32,
    /// The key as printed.
    pub key: String,
    /// The value, wrapped lines joined; empty when nothing is printed behind the colon.
    pub value: String,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Dsregcmd, recognise, starts: |_| false, read };

/// Keys that no other command prints.
const MARKS: [&str; 12] = [
    "AzureAdJoined",
    "EnterpriseJoined",
    "DomainJoined",
    "WorkplaceJoined",
    "WamDefaultSet",
    "AzureAdPrt",
    "EnterprisePrt",
    "AD Configuration Test",
    "DRS Discovery Test",
    "SessionIsNotRemote",
    "AadRecoveryEnabled",
    "KeySignTest",
];

/// Text that the command prints between entries; none of it is an entry.
const CHATTER: [&str; 2] = ["Waiting for ", "For more information, please visit"];

/// No key is longer; a longer text before a colon is a sentence.
const LONGEST_KEY: usize = 40;
/// A console never breaks a line shorter than this.
const NARROWEST_CONSOLE: usize = 79;

fn recognise(block: &Block<'_>) -> u8 {
    let mut marks = 0;
    let mut boxed = false;
    for (_, line) in block.lines() {
        let trimmed = line.trim();
        boxed |= title(trimmed) == Some("Device State");
        marks += usize::from(split_key(trimmed).is_some_and(|(key, _, _)| MARKS.contains(&key)));
    }
    match (boxed, marks) {
        (_, 2..) => 95,
        (true, _) => 90,
        (false, 1) => 40,
        (false, 0) => 0,
    }
}

/// `| Title    |`.
fn title(trimmed: &str) -> Option<&str> {
    let inner = trimmed.strip_prefix('|')?.strip_suffix('|')?.trim();
    (!inner.is_empty()).then_some(inner)
}

/// `+-----+`.
fn is_rule(trimmed: &str) -> bool {
    trimmed.len() > 4 && trimmed.starts_with('+') && trimmed.bytes().all(|byte| matches!(byte, b'+' | b'-'))
}

/// Splits at the first colon: the key, its form and the value. `None` when what stands before it cannot be a key.
fn split_key(line: &str) -> Option<(&str, Form, &str)> {
    let (before, value) = line.split_once(':')?;
    let key = before.trim();
    let form = if before.ends_with([' ', '\t']) { Form::Spaced } else { Form::Tight };
    let plausible = key.len() <= LONGEST_KEY
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    plausible.then_some((key, form, value))
}

/// What a line is.
enum Line<'t> {
    Blank,
    Rule,
    Title(&'t str),
    Entry(&'t str, &'t str),
    Chatter,
    Other,
}

fn classify(line: &str, form: Form) -> Line<'_> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Line::Blank;
    }
    if is_rule(trimmed) {
        return Line::Rule;
    }
    if let Some(name) = title(trimmed) {
        return Line::Title(name);
    }
    if CHATTER.iter().any(|text| trimmed.starts_with(text)) {
        return Line::Chatter;
    }
    match split_key(line) {
        Some((key, found, value)) if found == form => Line::Entry(key, value),
        _ => Line::Other,
    }
}

/// The form that most lines have.
fn form_of(block: &Block<'_>) -> Form {
    let (mut spaced, mut tight) = (0_usize, 0_usize);
    for (_, line) in block.lines() {
        match split_key(line) {
            Some((_, Form::Spaced, _)) => spaced += 1,
            Some((_, Form::Tight, _)) => tight += 1,
            None => {}
        }
    }
    if tight > spaced { Form::Tight } else { Form::Spaced }
}

/// A value as printed behind its colon. The old form doubles the colon before a remark (`KeySignTest: : MUST Run elevated`).
/// Encoded blobs (`SettingsUrl`) hold nothing that a check asks and look like tokens: they are not kept.
fn clean_value(value: &str) -> String {
    let value = value.trim();
    let value = value.strip_prefix(": ").unwrap_or(value).trim();
    if value.starts_with("eyJ") { "(encoded, not kept)".to_owned() } else { value.to_owned() }
}

#[derive(Default)]
struct Builder {
    data: Data,
    /// Rules since the last title, entry or other text.
    rules: u32,
    /// Line number of the last entry or continuation and its width in characters, if a continuation may follow.
    open: Option<(u32, usize)>,
}

impl Builder {
    fn section(&mut self, name: Option<&str>, line: u32) {
        let first = self.data.sections.first().and_then(|section| section.name.as_deref());
        if name.is_some() && name == first {
            self.data.earlier.append(&mut self.data.sections);
        }
        let name = name.map(str::to_owned);
        self.data.sections.push(Section { name, line, entries: Vec::new() });
    }

    fn entry(&mut self, line: u32, key: &str, value: &str) {
        // Two rules in a row with no title behind them: the title is lost, and the section is not the one before.
        if self.data.sections.is_empty() || self.rules >= 2 {
            self.section(None, line);
        }
        if let Some(section) = self.data.sections.last_mut() {
            section.entries.push(Entry { line, key: key.to_owned(), value: clean_value(value) });
        }
    }

    /// Joins a line that the console broke, if the line before it is wide enough to have been broken.
    fn continuation(&mut self, line: u32, text: &str) -> bool {
        let Some((last, width)) = self.open else { return false };
        let breaks = last + 1 == line && width >= NARROWEST_CONSOLE;
        let entry = self.data.sections.last_mut().and_then(|section| section.entries.last_mut());
        match entry {
            Some(entry) if breaks => {
                entry.value.push_str(text.trim_end());
                true
            }
            _ => false,
        }
    }

    fn line(&mut self, number: u32, line: &str) {
        let width = line.chars().count();
        let mut open = None;
        let class = classify(line, self.data.form);
        match class {
            // The columns of a broken line start at the left edge, those of an entry do not.
            Line::Entry(..) | Line::Other
                if !line.starts_with([' ', '\t']) && self.continuation(number, line) =>
            {
                open = Some((number, width));
                self.rules = 0;
            }
            Line::Entry(key, value) => {
                self.entry(number, key, value);
                open = Some((number, width));
                self.rules = 0;
            }
            Line::Title(name) => {
                self.section(Some(name), number);
                self.rules = 0;
            }
            Line::Rule => {
                let titled = self.data.sections.last().is_some_and(|section| section.entries.is_empty());
                self.rules += u32::from(!titled);
            }
            Line::Other => {
                if !self.data.sections.is_empty() {
                    self.data.unread.push(number);
                }
            }
            Line::Blank | Line::Chatter => {}
        }
        self.open = open;
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut builder =
        Builder { data: Data { form: form_of(block), ..Data::default() }, ..Builder::default() };
    for (number, line) in block.lines() {
        builder.line(number, line);
    }
    let data = builder.data;
    let entries: usize = data.sections.iter().map(|section| section.entries.len()).sum();
    let reason = if entries == 0 {
        return Reading::unrecognized("headings of dsregcmd /status without any entry");
    } else if let Some(line) = data.unread.first() {
        Some(format!("line {line} is neither a key with its value nor the rest of one"))
    } else if data.sections.iter().any(|section| section.name.is_none()) {
        Some("the title of a section is missing: the capture begins inside it or was cut".to_owned())
    } else {
        None
    };
    let status = if reason.is_some() { CaptureStatus::Partial } else { CaptureStatus::Parsed };
    Reading { status, reason, language: None, data: CaptureData::Dsregcmd(data) }
}
