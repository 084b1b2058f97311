//! Where a record says who wrote it, what and when, found out once per template and not once per record.
//!
//! A template definition is scanned up to the end of its `System` element. What is a literal there holds for every record of the
//! template, what is a slot is looked up in each record's values. A record without a template is scanned in the same way and has
//! literals only.

use std::sync::Arc;

use super::binxml::{Fault, Located, Name, Stream, Token};
use super::bytes::{push_utf16, u16_at, u32_at, u64_at, utf16, without_nul};
use super::values;
use crate::artifact::event::Event;
use crate::artifact::event_fields::Fields;
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

/// A property of `System` that an [`Event`] keeps, as an index of [`PLACES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Property {
    Provider,
    EventId,
    Channel,
    Computer,
    Time,
    RecordId,
    Qualifiers,
    Version,
    Level,
    ProcessId,
    UserSid,
}

/// Element and attribute (none: the element's text) of each [`Property`].
const PLACES: [(&str, Option<&str>); PROPERTIES] = [
    ("Provider", Some("Name")),
    ("EventID", None),
    ("Channel", None),
    ("Computer", None),
    ("TimeCreated", Some("SystemTime")),
    ("EventRecordID", None),
    ("EventID", Some("Qualifiers")),
    ("Version", None),
    ("Level", None),
    ("Execution", Some("ProcessID")),
    ("Security", Some("UserID")),
];
const PROPERTIES: usize = 11;

/// Where the properties of `System` are.
#[derive(Clone, Debug)]
pub(super) struct Head<'a> {
    sources: [Source<'a>; PROPERTIES],
    /// Properties whose element depends on a slot other than their own, with that slot.
    dependent: Vec<(usize, u16)>,
    /// The highest slot that holds one of them.
    pub last_slot: u16,
    /// The stream behind `System`.
    pub rest: Stream<'a>,
    /// The `System` element says more than the sources can, such as values in pieces. Records of this template have to be decoded
    /// as a whole.
    pub odd: bool,
}

/// The names that most records share.
#[derive(Debug)]
pub(super) struct Names {
    pub provider: Arc<str>,
    pub channel: Arc<str>,
    pub computer: Arc<str>,
}

/// More tokens than any `System` element has.
const TOKEN_LIMIT: usize = 250;

/// The element of `System` that is being scanned.
#[derive(Clone, Copy, Default)]
struct Element<'a> {
    name: Option<Name<'a>>,
    dependency: Option<u16>,
    /// The property that text or a slot at this point belongs to.
    target: Option<usize>,
}

impl<'a> Element<'a> {
    fn place(&self, attribute: Option<Name<'a>>) -> Option<usize> {
        let name = self.name?;
        PLACES.iter().position(|(element, wanted)| {
            name.is(element)
                && match (attribute, wanted) {
                    (Some(attribute), Some(wanted)) => attribute.is(wanted),
                    (attribute, wanted) => attribute.is_none() && wanted.is_none(),
                }
        })
    }
}

impl<'a> Head<'a> {
    /// Scans a stream up to the end of `System`.
    pub(super) fn scan(mut stream: Stream<'a>) -> Result<Self, Fault> {
        let mut head = Self {
            sources: [Source::Nowhere; PROPERTIES],
            dependent: Vec::new(),
            last_slot: 0,
            rest: stream.clone(),
            odd: false,
        };
        let mut depth = 0_usize;
        let mut element = Element::default();
        for _ in 0..TOKEN_LIMIT {
            let at = stream.position();
            match stream.next()? {
                Token::Open { name, dependency } => {
                    depth += 1;
                    match depth {
                        1 if !name.is("Event") => return Err(Fault::new(at, "an Event element")),
                        2 if !name.is("System") => return Err(Fault::new(at, "a System element")),
                        _ => {
                            element = Element { name: (depth == 3).then_some(name), dependency, target: None }
                        }
                    }
                }
                Token::Attribute(name) => element.target = element.place(Some(name)),
                Token::StartDone => element.target = element.place(None),
                Token::EmptyDone | Token::Close if depth == 2 => {
                    head.rest = stream;
                    return Ok(head);
                }
                Token::EmptyDone | Token::Close => {
                    depth = depth.saturating_sub(1);
                    element = Element::default();
                }
                Token::Text(text) => head.found(&element, Source::Literal(text)),
                Token::Slot { index, .. } => head.found(&element, Source::Slot(index)),
                Token::Char(_) | Token::Entity(_) | Token::Template(_) => {
                    head.odd |= element.target.is_some()
                }
                Token::End => break,
                Token::Other => {}
            }
        }
        Err(Fault::new(stream.position(), "the end of the System element"))
    }

    /// Takes the first piece of a value.
    fn found(&mut self, element: &Element<'a>, source: Source<'a>) {
        let Some(target) = element.target else { return };
        let Some(place) = self.sources.get_mut(target) else { return };
        self.odd |= *place != Source::Nowhere;
        *place = source;
        if let Source::Slot(index) = source {
            self.last_slot = self.last_slot.max(index);
        }
        if let Some(slot) = element.dependency.filter(|slot| source != Source::Slot(*slot)) {
            self.dependent.push((target, slot));
            // Every record has these; a template that may leave them out is looked at in full.
            self.odd |= target < Property::Qualifiers as usize;
        }
    }

    /// The slot that holds all that stands behind `System`, if it is just that: how Windows stores the data of an event.
    pub(super) fn payload(&self) -> Option<u16> {
        let mut stream = self.rest.clone();
        let Token::Slot { index, .. } = stream.next().ok()? else { return None };
        matches!((stream.next().ok()?, stream.next().ok()?), (Token::Close, Token::End)).then_some(index)
    }

    /// Where a property is.
    pub(super) fn source(&self, property: Property) -> Source<'a> {
        self.sources.get(property as usize).copied().unwrap_or_default()
    }

    /// An event with the properties of `System`; its data is still to come. The names were turned into text before. `None` when a
    /// property that every event has is missing or of an unexpected type.
    pub(super) fn event(&self, values: &Located<'a>, names: Names, record_id: u64) -> Option<Event> {
        let shown = |property| {
            let left_out =
                |(target, slot): &(usize, u16)| *target == property as usize && values.is_null(*slot);
            if self.dependent.iter().any(left_out) { Source::Nowhere } else { self.source(property) }
        };
        let number = |property| shown(property).number(values);
        let small = |property| number(property).and_then(|number| u32::try_from(number).ok());
        Some(Event {
            channel: names.channel,
            provider: names.provider,
            event_id: small(Property::EventId)?,
            qualifiers: small(Property::Qualifiers),
            version: small(Property::Version),
            level: small(Property::Level),
            record_id: number(Property::RecordId).unwrap_or(record_id),
            time: self.source(Property::Time).time(values)?,
            computer: names.computer,
            user_sid: shown(Property::UserSid).any_text(values).filter(|sid| !sid.is_empty()),
            process_id: small(Property::ProcessId),
            data: Fields::default(),
            user_data: None,
        })
    }
}

impl<'a> Source<'a> {
    /// The text of a string property, UTF-16LE without NULs at its end. `None` when it is no string here.
    pub(super) fn text(self, values: &Located<'a>) -> Option<&'a [u8]> {
        match self {
            Self::Nowhere => None,
            Self::Literal(text) => Some(text),
            Self::Slot(index) => {
                let value = values.get(index)?;
                (value.kind == values::STRING).then(|| without_nul(value.bytes))
            }
        }
    }

    /// The text of a property of any type; `None` when it is NULL.
    fn any_text(self, values: &Located<'a>) -> Option<String> {
        let mut text = String::new();
        match self {
            Self::Nowhere => return None,
            Self::Literal(literal) => push_utf16(literal, &mut text),
            Self::Slot(index) => {
                let value = values.get(index).filter(|value| value.kind != 0)?;
                values::push(value.kind, value.bytes, &mut text);
            }
        }
        Some(text)
    }

    /// The number of an integer property.
    pub(super) fn number(self, values: &Located<'a>) -> Option<u64> {
        match self {
            Self::Nowhere => None,
            Self::Literal(text) => utf16(text).trim().parse().ok(),
            Self::Slot(index) => {
                let value = values.get(index)?;
                match value.kind {
                    0x04 => value.bytes.first().copied().map(u64::from),
                    0x06 => u16_at(value.bytes, 0).map(u64::from),
                    0x08 | 0x14 => u32_at(value.bytes, 0).map(u64::from),
                    0x0a | 0x15 => u64_at(value.bytes, 0),
                    values::STRING => utf16(without_nul(value.bytes)).trim().parse().ok(),
                    _ => None,
                }
            }
        }
    }

    /// The time of a FILETIME property.
    pub(super) fn time(self, values: &Located<'a>) -> Option<FileTime> {
        match self {
            Self::Nowhere => None,
            Self::Literal(text) => FileTime::parse(&utf16(text)),
            Self::Slot(index) => {
                let value = values.get(index)?;
                match value.kind {
                    values::FILETIME => u64_at(value.bytes, 0).map(FileTime::from_ticks),
                    values::STRING => FileTime::parse(&utf16(without_nul(value.bytes))),
                    _ => None,
                }
            }
        }
    }
}
