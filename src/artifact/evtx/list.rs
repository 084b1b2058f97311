//! The plain form of `EventData`, which nearly all templates have: a list of items with fixed names and one value each.
//!
//! Such a definition is taken apart once per chunk. Its records are then read straight from their values, without walking the tokens
//! again. Everything else (`UserData`, nested elements, values in pieces) is left to the walk in `decode`, which gives the same result
//! for these lists too.

use super::binxml::{Fault, Located, Stream, Token};
use super::bytes::utf16;
use super::head::Source;
use super::values;
use crate::artifact::event::Field;

/// More tokens than any list of items has.
const TOKEN_LIMIT: usize = 4000;
/// What an item costs beside its text.
const ITEM_COST: usize = 64;

/// The items of a plain `EventData` template.
#[derive(Debug)]
pub(super) struct List<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Debug)]
struct Item<'a> {
    /// Empty when the item has no name.
    name: String,
    /// The item is left out when this slot holds NULL.
    dependency: Option<u16>,
    source: Source<'a>,
}

impl<'a> List<'a> {
    /// Takes a definition apart; `None` when it is not a plain list. The number tells how many tokens were looked at.
    pub(super) fn of_definition(chunk: &'a [u8], definition: usize) -> (Option<Self>, usize) {
        let Ok(stream) = Stream::of_definition(chunk, definition) else { return (None, 0) };
        let mut tokens = Tokens { stream, left: TOKEN_LIMIT };
        let list = Self::of_tokens(&mut tokens);
        (list, TOKEN_LIMIT - tokens.left)
    }

    fn of_tokens(tokens: &mut Tokens<'a>) -> Option<Self> {
        match tokens.next()? {
            Token::Open { name, dependency: None } if name.is("EventData") => {}
            _ => return None,
        }
        let mut items = Vec::new();
        if tokens.tag()?.has_content {
            while let Token::Open { name, dependency } = tokens.next()? {
                let tag = tokens.tag()?;
                let element = if name.is("Data") { String::new() } else { utf16(name.0) };
                let source = if tag.has_content { tokens.content()? } else { Source::Nowhere };
                items.push(Item { name: tag.name.unwrap_or(element), dependency, source });
            }
        }
        matches!(tokens.next()?, Token::End).then_some(Self { items })
    }

    /// The items of a record; `None` when one of its values is not plain after all. `spend` is told what each value
    /// costs, and where it is.
    pub(super) fn read(
        &self,
        values: &Located<'a>,
        mut spend: impl FnMut(usize, usize) -> Result<(), Fault>,
    ) -> Result<Option<Vec<Field>>, Fault> {
        let mut fields = Vec::with_capacity(self.items.len());
        let mut unnamed = 0;
        let mut add = |fields: &mut Vec<Field>, item: &Item<'_>, value: String| {
            let name = if item.name.is_empty() {
                unnamed += 1;
                format!("#{}", unnamed - 1)
            } else {
                item.name.clone()
            };
            fields.push(Field { name, value });
        };
        for item in &self.items {
            if item.dependency.is_some_and(|slot| values.is_null(slot)) {
                continue;
            }
            let index = match item.source {
                Source::Slot(index) => index,
                Source::Literal(text) => {
                    add(&mut fields, item, utf16(text));
                    continue;
                }
                Source::Nowhere => {
                    add(&mut fields, item, String::new());
                    continue;
                }
            };
            let value = values.try_get(index)?;
            spend(ITEM_COST + value.bytes.len() * 2, value.at)?;
            if value.kind == values::BINXML {
                return Ok(None);
            }
            match values::items(value.kind, value.bytes) {
                None => add(&mut fields, item, values::text(value.kind, value.bytes)),
                Some(array) if array.is_empty() => add(&mut fields, item, String::new()),
                Some(array) => {
                    spend(array.len() * ITEM_COST, value.at)?;
                    let kind = values::item_kind(value.kind);
                    array.into_iter().for_each(|part| add(&mut fields, item, values::text(kind, part)));
                }
            }
        }
        Ok(Some(fields))
    }
}

/// What a start tag says: the value of its `Name` attribute, and whether it is more than an empty element.
struct Tag {
    name: Option<String>,
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
    fn tag(&mut self) -> Option<Tag> {
        let mut name = None;
        let mut in_name = false;
        loop {
            match self.next()? {
                Token::Attribute(attribute) => in_name = attribute.is("Name"),
                Token::Text(text) if in_name && name.is_none() => name = Some(utf16(text)),
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
