//! Where a record says who wrote it, what and when, found out once per template and not once per record.
//!
//! A template definition is scanned up to the end of its `System` element. What is a literal there holds for every record of the
//! template, what is a slot is looked up in each record's values. A record without a template is scanned in the same way and has
//! literals only.

use super::binxml::{Fault, Name, Stream, Token, Values};
use super::bytes::{u16_at, u32_at, u64_at, utf16, without_nul};
use crate::time::FileTime;

/// Where one property of a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// The template does not have it.
    #[default]
    Nowhere,
    /// The same text for every record, UTF-16LE.
    Literal(&'a [u8]),
    /// In a slot.
    Slot(u16),
}

/// Where the properties are that decide whether a record is wanted and that a log is summed up by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head<'a> {
    pub provider: Source<'a>,
    pub event_id: Source<'a>,
    pub channel: Source<'a>,
    pub computer: Source<'a>,
    pub time: Source<'a>,
    pub record_id: Source<'a>,
}

/// Elements of `System` that matter here, with the attribute that holds the value (none: the element's text).
const PLACES: [(&str, Option<&str>); 6] = [
    ("Provider", Some("Name")),
    ("EventID", None),
    ("Channel", None),
    ("Computer", None),
    ("TimeCreated", Some("SystemTime")),
    ("EventRecordID", None),
];

/// More tokens than any `System` element has.
const TOKEN_LIMIT: usize = 250;

impl<'a> Head<'a> {
    /// Scans a stream up to the end of `System`.
    pub(super) fn scan(mut stream: Stream<'a>) -> Result<Self, Fault> {
        let mut head = Self::default();
        let mut depth = 0_usize;
        let mut element = None;
        let mut target = None;
        for _ in 0..TOKEN_LIMIT {
            let at = stream.position();
            match stream.next()? {
                Token::Open { name, .. } => {
                    depth += 1;
                    match depth {
                        1 if !name.is("Event") => return Err(Fault::new(at, "an Event element")),
                        2 if !name.is("System") => return Err(Fault::new(at, "a System element")),
                        3 => element = PLACES.iter().position(|(place, _)| name.is(place)),
                        _ => {}
                    }
                    target = None;
                }
                Token::Attribute(name) if depth == 3 => {
                    target = element.filter(|index| attribute_of(*index, name))
                }
                Token::Attribute(_) => target = None,
                Token::StartDone => {
                    target = element.filter(|index| depth == 3 && attribute(*index).is_none())
                }
                Token::EmptyDone | Token::Close => {
                    if depth == 2 {
                        return Ok(head);
                    }
                    depth = depth.saturating_sub(1);
                    (element, target) = (None, None);
                }
                Token::Text(text) => head.found(target, Source::Literal(text)),
                Token::Slot { index, .. } => head.found(target, Source::Slot(index)),
                Token::End => break,
                Token::Char(_) | Token::Entity(_) => head.spoil(target),
                Token::Template(_) | Token::Other => {}
            }
        }
        Err(Fault::new(stream.position(), "the end of the System element"))
    }

    fn place(&mut self, target: Option<usize>) -> Option<&mut Source<'a>> {
        match target? {
            0 => Some(&mut self.provider),
            1 => Some(&mut self.event_id),
            2 => Some(&mut self.channel),
            3 => Some(&mut self.computer),
            4 => Some(&mut self.time),
            5 => Some(&mut self.record_id),
            _ => None,
        }
    }

    /// Takes the first piece of a value. A value in several pieces is rare enough to be left to full decoding.
    fn found(&mut self, target: Option<usize>, source: Source<'a>) {
        if let Some(place) = self.place(target) {
            *place = if *place == Source::Nowhere { source } else { Source::Nowhere };
        }
    }

    fn spoil(&mut self, target: Option<usize>) {
        if let Some(place) = self.place(target) {
            *place = Source::Nowhere;
        }
    }
}

fn attribute(index: usize) -> Option<&'static str> {
    PLACES.get(index).and_then(|(_, attribute)| *attribute)
}

fn attribute_of(index: usize, name: Name<'_>) -> bool {
    attribute(index).is_some_and(|attribute| name.is(attribute))
}

impl<'a> Source<'a> {
    /// The text of a string property, UTF-16LE without NULs at its end. `None` when it is no string here.
    pub(super) fn text(self, values: &Values<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Nowhere => None,
            Self::Literal(text) => Some(text),
            Self::Slot(index) => {
                let value = values.get(index).ok()?;
                (value.kind == 0x01).then(|| without_nul(value.bytes))
            }
        }
    }

    /// The number of an integer property.
    pub(super) fn number(self, values: &Values<'a>) -> Option<u64> {
        match self {
            Self::Nowhere => None,
            Self::Literal(text) => utf16(text).trim().parse().ok(),
            Self::Slot(index) => {
                let value = values.get(index).ok()?;
                match value.kind {
                    0x04 => value.bytes.first().copied().map(u64::from),
                    0x06 => u16_at(value.bytes, 0).map(u64::from),
                    0x08 | 0x14 => u32_at(value.bytes, 0).map(u64::from),
                    0x0a | 0x15 => u64_at(value.bytes, 0),
                    0x01 => utf16(without_nul(value.bytes)).trim().parse().ok(),
                    _ => None,
                }
            }
        }
    }

    /// The time of a FILETIME property.
    pub(super) fn time(self, values: &Values<'a>) -> Option<FileTime> {
        match self {
            Self::Nowhere => None,
            Self::Literal(text) => FileTime::parse(&utf16(text)),
            Self::Slot(index) => {
                let value = values.get(index).ok()?;
                match value.kind {
                    0x11 => u64_at(value.bytes, 0).map(FileTime::from_ticks),
                    0x01 => FileTime::parse(&utf16(without_nul(value.bytes))),
                    _ => None,
                }
            }
        }
    }
}
