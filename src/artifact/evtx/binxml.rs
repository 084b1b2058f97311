//! The token stream of Windows' binary XML.
//!
//! Sources: MS-EVEN6 section 2.2.12 for the grammar, the libyal "Windows XML Event Log (EVTX)" notes for what is stored in
//! files: names live once in their chunk and are referred to by offset, and start tags carry a dependency id only inside
//! template definitions. All offsets here are from the start of the chunk.

use super::bytes::{spells, u16_at, u32_at};

/// A template definition's header: next offset, GUID, size of its body.
const DEFINITION_HEADER: usize = 24;
/// Dependency id of a start tag that depends on nothing.
const NO_DEPENDENCY: u16 = 0xffff;
/// Set on a start tag that has attributes, and on tokens that are followed by more of their kind.
const MORE: u8 = 0x40;
/// What is expected of every value.
const VALUE: &str = "a value that ends inside its record";

/// Where a stream is not what the grammar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Offset in the chunk.
    pub at: usize,
    /// What the grammar asks for there.
    pub expected: &'static str,
}

impl Fault {
    pub(super) fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected }
    }
}

/// A name out of the chunk's string table, still in UTF-16LE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a>(pub &'a [u8]);

impl Name<'_> {
    /// Whether the name is this ASCII text, case included.
    pub(super) fn is(self, ascii: &str) -> bool {
        spells(self.0, ascii)
    }
}

/// One item of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token<'a> {
    /// End of the stream, by its token or because the bytes end.
    End,
    /// `<name`; left out together with its content when the value that it depends on is NULL.
    Open { name: Name<'a>, dependency: Option<u16> },
    /// `>` of a start tag.
    StartDone,
    /// `/>`.
    EmptyDone,
    /// `</name>`.
    Close,
    /// Literal text, UTF-16LE.
    Text(&'a [u8]),
    /// `name=` of an attribute; what follows up to the next attribute or the end of the tag is its value.
    Attribute(Name<'a>),
    /// `&#n;`.
    Char(u16),
    /// `&name;`.
    Entity(Name<'a>),
    /// A place for value number `index`; when `optional` and the value is NULL, an attribute around it is left out.
    Slot { index: u16, optional: bool },
    /// A template with its values; the stream goes on behind them.
    Template(Instance<'a>),
    /// Fragment header or processing instruction: nothing an event says.
    Other,
}

/// A template instance: which definition, and the values for its slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance<'a> {
    /// Offset of the definition in the chunk.
    pub definition: usize,
    /// The values for the slots.
    pub values: Values<'a>,
}

/// The values of a template instance: an array of descriptors (size, type) followed by the bytes of each value in turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'a> {
    /// Size (`u16`), type, unused.
    descriptors: &'a [[u8; 4]],
    /// The chunk up to the end of the record, so that a value's position is known.
    chunk: &'a [u8],
    /// Where the first value starts.
    start: usize,
}

/// One value: its type and where its bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    /// BinXML value type; bit 7 marks an array.
    pub kind: u8,
    /// The stored bytes.
    pub bytes: &'a [u8],
    /// Offset of the bytes in the chunk (embedded streams refer to themselves by it).
    pub at: usize,
}

impl<'a> Values<'a> {
    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.descriptors.len()
    }

    /// The value of one slot. A slot beyond the last value is NULL.
    pub(super) fn get(&self, index: u16) -> Result<Value<'a>, Fault> {
        let Some((before, [descriptor, ..])) = self.descriptors.split_at_checked(usize::from(index)) else {
            return Ok(Value { kind: 0, bytes: &[], at: self.start });
        };
        let at = self.start + before.iter().map(size_of_value).sum::<usize>();
        let size = size_of_value(descriptor);
        let bytes = self.chunk.get(at..at + size).ok_or(Fault::new(at, VALUE))?;
        Ok(Value { kind: descriptor[2], bytes, at })
    }

    /// Whether a slot holds NULL.
    pub(super) fn is_null(&self, index: u16) -> bool {
        self.descriptors.get(usize::from(index)).is_none_or(|descriptor| descriptor[2] == 0)
    }

    /// The values with the positions of the first ones worked out, up to slot `last`: for looking at several of them.
    #[inline]
    pub(super) fn located(&self, last: u16) -> Located<'a> {
        let mut starts = [0; LOCATED];
        let mut at = self.start;
        for (start, descriptor) in starts.iter_mut().zip(self.descriptors).take(usize::from(last) + 1) {
            *start = at as u32;
            at += size_of_value(descriptor);
        }
        Located { values: *self, starts }
    }

    /// Number of bytes of all values.
    fn size(&self) -> usize {
        self.descriptors.iter().map(size_of_value).sum()
    }
}

/// So many slots hold all properties of `System` in the templates that Windows writes.
const LOCATED: usize = 24;

/// The values of a template instance with the positions of the first ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located<'a> {
    values: Values<'a>,
    starts: [u32; LOCATED],
}

impl<'a> Located<'a> {
    /// The value of a slot up to the one given to [`Values::located`]; `None` when it does not lie in the record.
    #[inline]
    pub(super) fn get(&self, index: u16) -> Option<Value<'a>> {
        let place = usize::from(index);
        let (Some(&at), Some(descriptor)) = (self.starts.get(place), self.values.descriptors.get(place))
        else {
            return self.values.get(index).ok();
        };
        let at = at as usize;
        let bytes = self.values.chunk.get(at..at + size_of_value(descriptor))?;
        Some(Value { kind: descriptor[2], bytes, at })
    }
}

impl<'a> Located<'a> {
    /// [`Self::get`] with the fault that a missing value is.
    pub(super) fn try_get(&self, index: u16) -> Result<Value<'a>, Fault> {
        self.get(index)
            .ok_or_else(|| self.values.get(index).err().unwrap_or(Fault::new(self.values.start, VALUE)))
    }

    /// Whether a slot holds NULL.
    pub(super) fn is_null(&self, index: u16) -> bool {
        self.values.is_null(index)
    }

    /// Offset of the first value in the chunk.
    pub(super) fn position(&self) -> usize {
        self.values.start
    }
}

/// The size that a value's descriptor states.
#[inline]
fn size_of_value(descriptor: &[u8; 4]) -> usize {
    usize::from(u16::from_le_bytes([descriptor[0], descriptor[1]]))
}

/// A position in a token stream.
#[derive(Clone, Debug)]
pub(super) struct Stream<'a> {
    /// The chunk; names and definitions are found in it.
    chunk: &'a [u8],
    at: usize,
    end: usize,
    /// Start tags carry a dependency id.
    dependencies: bool,
}

impl<'a> Stream<'a> {
    /// The stream of a record or of an embedded value, from `at` to `end`.
    pub(super) fn new(chunk: &'a [u8], at: usize, end: usize) -> Self {
        Self { chunk, at, end: end.min(chunk.len()), dependencies: false }
    }

    /// The body of the template definition at `definition`.
    pub(super) fn of_definition(chunk: &'a [u8], definition: usize) -> Result<Self, Fault> {
        let expected = Fault::new(definition, "a template definition inside the chunk");
        let size = u32_at(chunk, definition.checked_add(20).ok_or(expected)?).ok_or(expected)?;
        let at = definition + DEFINITION_HEADER;
        let end = at.saturating_add(size as usize);
        if end > chunk.len() || size == 0 {
            return Err(expected);
        }
        Ok(Self { chunk, at, end, dependencies: true })
    }

    /// Offset of the next token.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    #[inline]
    fn u8(&mut self) -> Result<u8, Fault> {
        let byte = self.chunk.get(self.at).filter(|_| self.at < self.end);
        let byte = *byte.ok_or(Fault::new(self.at, "more of the record"))?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn u16(&mut self) -> Result<u16, Fault> {
        let number = u16_at(self.chunk, self.at).filter(|_| self.at + 2 <= self.end);
        let number = number.ok_or(Fault::new(self.at, "more of the record"))?;
        self.at += 2;
        Ok(number)
    }

    #[inline]
    fn u32(&mut self) -> Result<u32, Fault> {
        let number = u32_at(self.chunk, self.at).filter(|_| self.at + 4 <= self.end);
        let number = number.ok_or(Fault::new(self.at, "more of the record"))?;
        self.at += 4;
        Ok(number)
    }

    #[inline]
    fn take(&mut self, size: usize) -> Result<&'a [u8], Fault> {
        let to = self.at.saturating_add(size);
        let bytes = self.chunk.get(self.at..to).filter(|_| to <= self.end);
        let bytes = bytes.ok_or(Fault::new(self.at, "text that ends inside its record"))?;
        self.at = to;
        Ok(bytes)
    }

    /// UTF-16 text behind its length in characters.
    #[inline]
    fn counted(&mut self) -> Result<&'a [u8], Fault> {
        let count = self.u16()?;
        self.take(usize::from(count) * 2)
    }

    /// A name by its offset; when it is stored right here, the stream goes on behind it.
    fn name(&mut self) -> Result<Name<'a>, Fault> {
        let from = self.at;
        let offset = self.u32()? as usize;
        let name =
            name_at(self.chunk, offset).ok_or(Fault::new(from, "the offset of a name in the chunk"))?;
        if offset == self.at {
            // next offset, hash, count, text, NUL
            self.take(4 + 2 + 2 + name.0.len() + 2)?;
        }
        Ok(name)
    }

    /// The next token. Inlined into its two callers: a token handed over in memory costs more than reading it.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Token<'a>, Fault> {
        if self.at >= self.end {
            return Ok(Token::End);
        }
        let from = self.at;
        let token = self.u8()?;
        Ok(match token & !MORE {
            0x00 => Token::End,
            0x01 => self.open(from, token & MORE != 0)?,
            0x02 => Token::StartDone,
            0x03 => Token::EmptyDone,
            0x04 => Token::Close,
            0x05 => match self.u8()? {
                0x01 => Token::Text(self.counted()?),
                _ => return Err(Fault::new(from + 1, "literal text of type string")),
            },
            0x06 => Token::Attribute(self.name()?),
            0x07 => Token::Text(self.counted()?),
            0x08 => Token::Char(self.u16()?),
            0x09 => Token::Entity(self.name()?),
            0x0a => {
                self.name()?;
                Token::Other
            }
            0x0b => {
                self.counted()?;
                Token::Other
            }
            0x0c => Token::Template(self.instance()?),
            0x0d | 0x0e => {
                let index = self.u16()?;
                self.u8()?;
                Token::Slot { index, optional: token & !MORE == 0x0e }
            }
            0x0f => {
                self.take(3)?;
                Token::Other
            }
            _ => return Err(Fault::new(from, "a token of binary XML")),
        })
    }

    fn open(&mut self, from: usize, attributes: bool) -> Result<Token<'a>, Fault> {
        let start = self.at;
        let token = self.open_as(self.dependencies, attributes);
        if token.is_ok() {
            return token;
        }
        // Exported logs do not keep to the rule about dependency ids everywhere: the name tells.
        self.at = start;
        self.open_as(!self.dependencies, attributes).map_err(|_| Fault::new(from, "a start tag"))
    }

    fn open_as(&mut self, dependencies: bool, attributes: bool) -> Result<Token<'a>, Fault> {
        let dependency =
            if dependencies { Some(self.u16()?).filter(|id| *id != NO_DEPENDENCY) } else { None };
        self.u32()?; // size of the element: its tokens say where it ends
        let name = self.name()?;
        if attributes {
            self.u32()?; // size of the attribute list, likewise
        }
        Ok(Token::Open { name, dependency })
    }

    fn instance(&mut self) -> Result<Instance<'a>, Fault> {
        let (definition, values) = self.instance_head()?;
        self.at = values.start.saturating_add(values.size());
        if self.at > self.end {
            return Err(Fault::new(values.start, "values that end inside the record"));
        }
        Ok(Instance { definition, values })
    }

    /// Reads a template instance up to its first value and leaves the stream there: all that is needed to look at single values.
    pub(super) fn instance_head(&mut self) -> Result<(usize, Values<'a>), Fault> {
        self.u8()?;
        self.u32()?; // first four bytes of the definition's GUID
        let definition = self.u32()? as usize;
        if definition == self.at {
            let size = u32_at(self.chunk, self.at + 20).unwrap_or(u32::MAX) as usize;
            self.take(DEFINITION_HEADER.saturating_add(size))?;
        }
        let count = self.u32()? as usize;
        let descriptors = self.take(count.saturating_mul(4))?.as_chunks::<4>().0;
        let chunk = self.chunk.get(..self.end).unwrap_or_default();
        Ok((definition, Values { descriptors, chunk, start: self.at }))
    }

    /// If a stream starts with a template instance, as nearly all do: its definition and values. That of a record has a fragment header
    /// before it; the data of events that have a manifest is written without one.
    pub(super) fn leading_instance(&mut self) -> Option<(usize, Values<'a>)> {
        let start = self.at;
        self.at += match self.chunk.get(self.at..self.end)? {
            [0x0f, _, _, _, 0x0c, ..] => 5,
            [0x0c, ..] => 1,
            _ => return None,
        };
        let instance = self.instance_head().ok();
        if instance.is_none() {
            self.at = start;
        }
        instance
    }
}

/// The name stored at an offset: next offset, hash, number of characters, characters.
fn name_at(chunk: &[u8], offset: usize) -> Option<Name<'_>> {
    let count = usize::from(u16_at(chunk, offset.checked_add(6)?)?);
    let text = chunk.get(offset + 8..)?.get(..count * 2)?;
    (count > 0).then_some(Name(text))
}
