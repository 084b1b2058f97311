//! Turns the binary XML of one record into an [`Event`].

use super::binxml::{Fault, Instance, Stream, Token, Value, Values};
use super::bytes::{push_utf16, u64_at};
use super::head::{Head, Names};
use super::list::{ItemNames, List};
use super::offsets::OffsetMap;
use super::values;
use crate::artifact::event::{Event, Only};
use crate::artifact::event_build::EventBuilder;
use crate::artifact::event_fields::{Fields, Values as FieldValues};
use crate::time::FileTime;

/// Templates within templates within values; Windows writes three levels.
const MAX_NESTING: usize = 16;
/// What one record may cost, in bytes of text and a fixed sum for each token. A template can be made to repeat a long value many
/// times over; an honest record, which fits 64 KiB, stays far below this.
const RECORD_BUDGET: usize = 1 << 20;
/// What the records of one chunk may cost together.
const CHUNK_BUDGET: usize = 2 << 20;
/// What a token costs.
const TOKEN_COST: usize = 16;

/// What the chunks of a log have in common, and room that they use in turn.
#[derive(Debug, Default)]
pub(super) struct Shared<'a> {
    names: ItemNames<'a>,
    values: FieldValues,
}

/// Decodes records of one chunk.
pub(super) struct Decoder<'a, 's> {
    chunk: &'a [u8],
    /// What is left for the chunk.
    budget: usize,
    /// What must be left of it when the record is decoded.
    reserve: usize,
    /// Plain definitions of event data by their offset; `None` for those of another form.
    lists: OffsetMap<Option<List<'a>>>,
    scratch: String,
    shared: &'s mut Shared<'a>,
}

/// An attribute whose value is still being read.
#[derive(Default)]
struct Pending {
    name: String,
    value: String,
    open: bool,
    /// The value is an optional slot that holds NULL: the attribute is left out.
    absent: bool,
}

impl<'a, 's> Decoder<'a, 's> {
    pub(super) fn new(chunk: &'a [u8], shared: &'s mut Shared<'a>) -> Self {
        let (lists, scratch) = (OffsetMap::default(), String::new());
        Self { chunk, budget: CHUNK_BUDGET, reserve: 0, lists, scratch, shared }
    }

    /// Decodes the stream of a record. `record_id` and `time` are those of the record's header.
    pub(super) fn event(
        &mut self,
        stream: Stream<'a>,
        record_id: u64,
        time: FileTime,
    ) -> Result<Event, Fault> {
        let at = stream.position();
        self.reserve = self.budget.saturating_sub(RECORD_BUDGET);
        let mut builder = EventBuilder::new(record_id, time);
        self.walk(stream, &Values::default(), 0, &mut builder)?;
        builder.finish().ok_or(Fault::new(at, "an Event element with an EventID"))
    }

    /// Decodes what stands behind `System`, whose properties the head of the template gives. `payload` is the slot that holds all
    /// of it, if it is in one.
    pub(super) fn behind_head(
        &mut self,
        head: &Head<'a>,
        payload: Option<u16>,
        values: Values<'a>,
        names: Names,
        record_id: u64,
    ) -> Result<Event, Fault> {
        let at = head.rest.position();
        self.reserve = self.budget.saturating_sub(RECORD_BUDGET);
        let located = values.located(head.last_slot);
        let event = head.event(&located, names, record_id);
        let mut event = event.ok_or(Fault::new(at, "a System element with provider, id and time"))?;
        if let Some(fields) = self.listed(payload, &values)? {
            event.data = fields;
            return Ok(event);
        }
        let mut builder = EventBuilder::behind_system(event);
        self.walk(head.rest.clone(), &values, 0, &mut builder)?;
        builder.finish().ok_or(Fault::new(at, "an Event element with an EventID"))
    }

    /// Whether the data of a record says at a glance that the record is not wanted. What cannot be told so quickly is not refused.
    pub(super) fn refuses(&mut self, only: &Only, payload: Option<u16>, values: &Values<'a>) -> bool {
        self.reserve = self.budget.saturating_sub(RECORD_BUDGET);
        let Ok(Some((definition, values))) = self.list_at(payload, values) else { return false };
        let Some(Some(list)) = self.lists.get(&definition) else { return false };
        let Some(text) = list.text(only.field, &values) else { return false };
        self.scratch.clear();
        push_utf16(text, &mut self.scratch);
        !only.names(&self.scratch)
    }

    /// The items of an event whose data has the plain form; `None` for all others.
    fn listed(&mut self, payload: Option<u16>, values: &Values<'a>) -> Result<Option<Fields>, Fault> {
        let Some((definition, values)) = self.list_at(payload, values)? else { return Ok(None) };
        let Some(Some(list)) = self.lists.get(&definition) else { return Ok(None) };
        let (budget, reserve) = (&mut self.budget, self.reserve);
        let spend = |cost, at| charge(budget, reserve, cost, at);
        list.read(&values.located(u16::MAX), &mut self.shared.values, spend)
    }

    /// The definition of an event's data and its values, where one slot holds them all. The definition is taken apart once.
    fn list_at(
        &mut self,
        payload: Option<u16>,
        values: &Values<'a>,
    ) -> Result<Option<(usize, Values<'a>)>, Fault> {
        let Some(slot) = payload else { return Ok(None) };
        let value = values.get(slot)?;
        if value.kind != values::BINXML {
            return Ok(None);
        }
        let mut stream = Stream::new(self.chunk, value.at, value.at + value.bytes.len());
        let Some((definition, values)) = stream.leading_instance() else { return Ok(None) };
        if !self.lists.contains_key(&definition) {
            let (list, tokens) = List::of_definition(self.chunk, definition, &mut self.shared.names);
            let names = list.as_ref().map_or(0, List::size_of_names);
            self.lists.insert(definition, list);
            self.spend(tokens * TOKEN_COST + names, definition)?;
        }
        Ok(Some((definition, values)))
    }

    fn spend(&mut self, cost: usize, at: usize) -> Result<(), Fault> {
        charge(&mut self.budget, self.reserve, cost, at)
    }

    fn walk(
        &mut self,
        mut stream: Stream<'a>,
        values: &Values<'a>,
        nesting: usize,
        builder: &mut EventBuilder,
    ) -> Result<(), Fault> {
        if nesting > MAX_NESTING {
            return Err(Fault::new(stream.position(), "fewer templates inside each other"));
        }
        let mut pending = Pending::default();
        // Depth inside an element that is left out.
        let mut left_out = 0_usize;
        loop {
            let at = stream.position();
            let token = stream.next()?;
            self.spend(TOKEN_COST, at)?;
            if left_out > 0 {
                match token {
                    Token::Open { .. } => left_out += 1,
                    Token::Close | Token::EmptyDone => left_out -= 1,
                    Token::End => return Ok(()),
                    _ => {}
                }
                continue;
            }
            match token {
                Token::End => return Ok(()),
                // The Event element depends on its payload, but an event without data is an event.
                Token::Open { dependency: Some(slot), .. } if builder.is_open() && values.is_null(slot) => {
                    left_out = 1;
                }
                Token::Open { name, .. } => {
                    let name = self.text(name.0, at)?;
                    if !builder.open(name) {
                        return Err(Fault::new(at, "fewer elements inside each other"));
                    }
                }
                Token::StartDone => pending.flush(builder),
                Token::EmptyDone => {
                    pending.flush(builder);
                    builder.close();
                }
                Token::Close => builder.close(),
                Token::Attribute(name) => {
                    pending.flush(builder);
                    self.spend(name.0.len(), at)?;
                    pending.open = true;
                    push_utf16(name.0, &mut pending.name);
                }
                Token::Text(text) => {
                    let text = self.text(text, at)?;
                    pending.text(text, builder);
                }
                Token::Char(unit) => {
                    let letter = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
                    pending.text(letter.encode_utf8(&mut [0; 4]), builder);
                }
                Token::Entity(name) => {
                    let name = self.text(name.0, at)?;
                    pending.text(entity(name), builder);
                }
                Token::Slot { index, optional } => {
                    let value = values.get(index)?;
                    self.value(value, optional, nesting, &mut pending, builder)?;
                }
                Token::Template(Instance { definition, values }) => {
                    builder.expect_items(values.len());
                    let body = Stream::of_definition(self.chunk, definition)?;
                    self.walk(body, &values, nesting + 1, builder)?;
                }
                Token::Other => {}
            }
        }
    }

    fn text(&mut self, utf16: &[u8], at: usize) -> Result<&str, Fault> {
        self.spend(utf16.len(), at)?;
        self.scratch.clear();
        push_utf16(utf16, &mut self.scratch);
        Ok(&self.scratch)
    }

    /// Puts a value where its slot is.
    fn value(
        &mut self,
        value: Value<'a>,
        optional: bool,
        nesting: usize,
        pending: &mut Pending,
        builder: &mut EventBuilder,
    ) -> Result<(), Fault> {
        self.spend(value.bytes.len() * 2, value.at)?;
        if value.kind == 0 {
            pending.absent = pending.open && optional;
            return Ok(());
        }
        if value.kind == values::BINXML {
            let inner = Stream::new(self.chunk, value.at, value.at + value.bytes.len());
            return self.walk(inner, &Values::default(), nesting + 1, builder);
        }
        if value.kind == values::FILETIME
            && pending.open
            && builder.in_time()
            && let Some(ticks) = u64_at(value.bytes, 0)
        {
            builder.time(FileTime::from_ticks(ticks));
            pending.absent = true;
            return Ok(());
        }
        let Some(items) = values::items(value.kind, value.bytes) else {
            self.scratch.clear();
            values::push(value.kind, value.bytes, &mut self.scratch);
            pending.text(&self.scratch, builder);
            return Ok(());
        };
        for (index, item) in items.into_iter().enumerate() {
            self.spend(4 * TOKEN_COST, value.at)?;
            self.scratch.clear();
            values::push(values::item_kind(value.kind), item, &mut self.scratch);
            if index > 0 {
                let copied = pending.next_item(builder);
                self.spend(copied, value.at)?;
            }
            pending.text(&self.scratch, builder);
        }
        Ok(())
    }
}

/// Takes a cost out of a budget; a fault when no more than the reserve is left.
fn charge(budget: &mut usize, reserve: usize, cost: usize, at: usize) -> Result<(), Fault> {
    *budget = budget.saturating_sub(cost);
    if *budget <= reserve {
        Err(Fault::new(at, "a record that stays small when it is decoded"))
    } else {
        Ok(())
    }
}

impl Pending {
    fn text(&mut self, text: &str, builder: &mut EventBuilder) {
        if self.open { self.value.push_str(text) } else { builder.text(text) }
    }

    /// The next item of an array: in content the element is repeated, in an attribute the items are separated by a blank.
    /// Gives the number of bytes that were copied for it.
    fn next_item(&mut self, builder: &mut EventBuilder) -> usize {
        if self.open {
            self.value.push(' ');
            return 0;
        }
        builder.repeat()
    }

    fn flush(&mut self, builder: &mut EventBuilder) {
        if self.open && !self.absent {
            builder.attribute(&self.name, &self.value);
        }
        self.name.clear();
        self.value.clear();
        (self.open, self.absent) = (false, false);
    }
}

/// The entities that XML predefines.
fn entity(name: &str) -> &str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "\u{fffd}",
    }
}
