//! The plain form of `EventData`, which nearly all templates have: a list of items with fixed names and one value each.
//!
//! Such a definition is taken apart once per chunk. Its records are then read straight from their values, without walking the tokens
//! again. Everything else (`UserData`, nested elements, values in pieces) is left to the walk in `decode`, which gives the same result
//! for these lists too.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::binxml::{Fault, Located, Stream, Token, Values};
use super::bytes::{push_utf16, spells, utf16, without_nul};
use super::head::Source;
use super::values;
use crate::artifact::event_fields::{FieldNames, Fields, Values as FieldValues};

/// Names of items as lists have them. Most chunks of a log hold the same templates, so that their names are made once.
#[derive(Debug, Default)]
pub(super) struct ItemNames<'a>(HashMap<Vec<&'a [u8]>, FieldNames, RandomState>);

impl<'a> ItemNames<'a> {
    fn of(&mut self, items: &[Item<'a>]) -> FieldNames {
        if self.0.len() >= NAMES_KEPT {
            self.0.clear();
        }
        let stored: Vec<&[u8]> = items.iter().map(|item| item.name).collect();
        Arc::clone(self.0.entry(stored).or_insert_with(|| OwnNames::of(items).names.into()))
    }
}

/// So many lists of names are kept: more than a log has that Windows wrote.
const NAMES_KEPT: usize = 1024;
/// Bytes of the names of a list. Each stands once in the chunk, so an honest list has fewer than a chunk.
const NAMES_LIMIT: usize = super::chunk::SIZE;
/// More tokens than any list of items has.
const TOKEN_LIMIT: usize = 4000;
/// What an item costs beside its text.
const ITEM_COST: usize = 64;

/// The items of a plain `EventData` template.
#[derive(Debug)]
pub(super) struct List<'a> {
    items: Vec<Item<'a>>,
    /// What the items are called when none is left out and none is an array.
    names: FieldNames,
}

#[derive(Debug)]
struct Item<'a> {
    /// UTF-16LE; empty when the item has no name.
    name: &'a [u8],
    /// The item is left out when this slot holds NULL.
    dependency: Option<u16>,
    source: Source<'a>,
}

/// The names of a record whose items are not one for one those of its template.
struct OwnNames {
    names: Vec<Box<str>>,
    unnamed: usize,
}

impl OwnNames {
    /// The names of the first items, which were all there.
    fn of(items: &[Item<'_>]) -> Self {
        let mut own = Self { names: Vec::with_capacity(items.len() + 8), unnamed: 0 };
        items.iter().for_each(|item| own.add(item));
        own
    }

    fn add(&mut self, item: &Item<'_>) {
        self.names.push(if item.name.is_empty() {
            self.unnamed += 1;
            format!("#{}", self.unnamed - 1).into()
        } else {
            utf16(item.name).into()
        });
    }
}

impl<'a> List<'a> {
    /// Takes a definition apart; `None` when it is not a plain list. The number tells how many tokens were looked at.
    pub(super) fn of_definition(
        chunk: &'a [u8],
        definition: usize,
        names: &mut ItemNames<'a>,
    ) -> (Option<Self>, usize) {
        let Ok(stream) = Stream::of_definition(chunk, definition) else { return (None, 0) };
        let mut tokens = Tokens { stream, left: TOKEN_LIMIT };
        let list = Self::of_tokens(&mut tokens, names);
        (list, TOKEN_LIMIT - tokens.left)
    }

    fn of_tokens(tokens: &mut Tokens<'a>, names: &mut ItemNames<'a>) -> Option<Self> {
        match tokens.next()? {
            Token::Open { name, dependency: None } if name.is("EventData") => {}
            _ => return None,
        }
        let mut items = Vec::with_capacity(16);
        if tokens.tag()?.has_content {
            while let Token::Open { name, dependency } = tokens.next()? {
                let tag = tokens.tag()?;
                let element: &[u8] = if name.is("Data") { &[] } else { name.0 };
                let source = if tag.has_content { tokens.content()? } else { Source::Nowhere };
                items.push(Item { name: tag.name.unwrap_or(element), dependency, source });
            }
        }
        (matches!(tokens.next()?, Token::End) && size_of_names(&items) <= NAMES_LIMIT)
            .then(|| Self { names: names.of(&items), items })
    }

    /// The text of the first item of a name, UTF-16LE, when it is a string in a slot of its own.
    pub(super) fn text(&self, name: &str, values: &Values<'a>) -> Option<&'a [u8]> {
        let item = self.items.iter().find(|item| spells(item.name, name))?;
        let Source::Slot(index) = item.source else { return None };
        let value = values.get(index).ok()?;
        (value.kind == values::STRING).then(|| without_nul(value.bytes))
    }

    /// Bytes of the names of all items.
    pub(super) fn size_of_names(&self) -> usize {
        size_of_names(&self.items)
    }

    /// The items of a record; `None` when one of its values is not plain after all. `spend` is told what each value and each name of its
    /// own costs, and where it is.
    pub(super) fn read(
        &self,
        located: &Located<'a>,
        values: &mut FieldValues,
        mut spend: impl FnMut(usize, usize) -> Result<(), Fault>,
    ) -> Result<Option<Fields>, Fault> {
        values.clear();
        let mut own: Option<OwnNames> = None;
        for (place, item) in self.items.iter().enumerate() {
            let count = match item.dependency {
                Some(slot) if located.is_null(slot) => 0,
                _ => match item.read(located, values, &mut spend)? {
                    Some(count) => count,
                    None => return Ok(None),
                },
            };
            if count != 1 && own.is_none() {
                spend(self.size_of_names(), located.position())?;
                own = Some(OwnNames::of(self.items.get(..place).unwrap_or_default()));
            }
            if let Some(own) = &mut own {
                (0..count).for_each(|_| own.add(item));
            }
        }
        let names = own.map_or_else(|| Arc::clone(&self.names), |own| own.names.into());
        Ok(Some(Fields::new(names, values)))
    }
}

impl<'a> Item<'a> {
    /// Adds the value or, of an array, the values. Gives their number; `None` when it is not plain.
    fn read(
        &self,
        located: &Located<'a>,
        values: &mut FieldValues,
        spend: &mut impl FnMut(usize, usize) -> Result<(), Fault>,
    ) -> Result<Option<usize>, Fault> {
        let index = match self.source {
            Source::Literal(text) => {
                values.add(|out| push_utf16(text, out));
                return Ok(Some(1));
            }
            Source::Nowhere => {
                values.add(|_| {});
                return Ok(Some(1));
            }
            Source::Slot(index) => index,
        };
        let value = located.try_get(index)?;
        spend(ITEM_COST + value.bytes.len() * 2, value.at)?;
        if value.kind == values::BINXML {
            return Ok(None);
        }
        match values::items(value.kind, value.bytes) {
            None => values.add(|out| values::push(value.kind, value.bytes, out)),
            Some(parts) if parts.is_empty() => values.add(|_| {}),
            Some(parts) => {
                spend(parts.len() * (ITEM_COST + self.name.len()), value.at)?;
                let kind = values::item_kind(value.kind);
                parts.iter().for_each(|part| values.add(|out| values::push(kind, part, out)));
                return Ok(Some(parts.len()));
            }
        }
        Ok(Some(1))
    }
}

fn size_of_names(items: &[Item<'_>]) -> usize {
    items.iter().map(|item| item.name.len()).sum()
}

/// What a start tag says: the value of its `Name` attribute, and whether it is more than an empty element.
struct Tag<'a> {
    name: Option<&'a [u8]>,
    has_content: bool,
}

struct Tokens<'a> {
    stream: Stream<'a>,
    left: usize,
}

impl<'a> Tokens<'a> {
    /// The next token that matters; `None` when there are too many or one cannot be read.
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.left = self.left.checked_sub(1)?;
            match self.stream.next().ok()? {
                Token::Other => {}
                token => return Some(token),
            }
        }
    }

    /// The rest of a start tag. `None` when its name is not fixed.
    fn tag(&mut self) -> Option<Tag<'a>> {
        let mut name = None;
        let mut in_name = false;
        loop {
            match self.next()? {
                Token::Attribute(attribute) => in_name = attribute.is("Name"),
                Token::Text(text) if in_name && name.is_none() => name = Some(text),
                Token::StartDone => return Some(Tag { name, has_content: true }),
                Token::EmptyDone => return Some(Tag { name, has_content: false }),
                _ if in_name => return None,
                Token::Text(_) | Token::Slot { .. } | Token::Char(_) | Token::Entity(_) => {}
                _ => return None,
            }
        }
    }

    /// The content of an item up to its end tag. `None` when it is more than one piece.
    fn content(&mut self) -> Option<Source<'a>> {
        let source = match self.next()? {
            Token::Text(text) => Source::Literal(text),
            Token::Slot { index, .. } => Source::Slot(index),
            Token::Close => return Some(Source::Nowhere),
            _ => return None,
        };
        matches!(self.next()?, Token::Close).then_some(source)
    }
}
