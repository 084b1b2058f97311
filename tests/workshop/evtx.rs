//! Writes EVTX files.
//!
//! ```ignore
//! let log = LogBuilder::new("System")
//!     .event(EventSpec::new("Service Control Manager", 7023, "2026-11-19T08:00:00Z").level(2).data("param1", "netprofm"))
//!     .build();
//! ```
//!
//! What is written follows MS-EVEN6 2.2.12 (binary XML) and the libyal notes on EVTX (file, chunk, record, name, template), the
//! way Windows itself lays it out: an outer template with the `System` properties, the payload as an embedded stream with a
//! template of its own, names and definitions stored once in each chunk. Variants that only damaged, cleared, wrapped or exported
//! logs show can be asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // only tests run it

use std::collections::BTreeMap;

const CHUNK: usize = 0x1_0000;
const CHUNK_HEADER: usize = 0x200;
const FILE_HEADER: usize = 0x1000;

/// A value in a slot: its type, its bytes, and its text for records without a template.
#[derive(Clone, Debug)]
pub struct Value {
    kind: u8,
    bytes: Vec<u8>,
    text: String,
}

impl Value {
    pub fn null() -> Self {
        Self { kind: 0, bytes: Vec::new(), text: String::new() }
    }
    pub fn text(text: &str) -> Self {
        Self { kind: 1, bytes: utf16(text), text: text.to_owned() }
    }
    pub fn u8(number: u8) -> Self {
        Self { kind: 4, bytes: vec![number], text: number.to_string() }
    }
    pub fn u16(number: u16) -> Self {
        Self { kind: 6, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn i32(number: i32) -> Self {
        Self { kind: 7, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn u32(number: u32) -> Self {
        Self { kind: 8, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn u64(number: u64) -> Self {
        Self { kind: 10, bytes: number.to_le_bytes().to_vec(), text: number.to_string() }
    }
    pub fn boolean(truth: bool) -> Self {
        Self { kind: 13, bytes: u32::from(truth).to_le_bytes().to_vec(), text: truth.to_string() }
    }
    pub fn binary(bytes: &[u8]) -> Self {
        let text = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        Self { kind: 14, bytes: bytes.to_vec(), text }
    }
    pub fn hex32(number: u32) -> Self {
        Self { kind: 20, bytes: number.to_le_bytes().to_vec(), text: format!("{number:#x}") }
    }
    pub fn hex64(number: u64) -> Self {
        Self { kind: 21, bytes: number.to_le_bytes().to_vec(), text: format!("{number:#x}") }
    }
    /// FILETIME of a UTC time written `2026-11-19T08:00:00Z`, with up to seven fractional digits.
    pub fn time(text: &str) -> Self {
        Self { kind: 17, bytes: ticks(text).to_le_bytes().to_vec(), text: text.to_owned() }
    }
    /// A SID written `S-1-5-…`.
    pub fn sid(text: &str) -> Self {
        let parts: Vec<u64> = text.split('-').skip(1).map(|part| part.parse().expect("a SID")).collect();
        let mut bytes = vec![parts[0] as u8, (parts.len() - 2) as u8];
        bytes.extend(&parts[1].to_be_bytes()[2..]);
        bytes.extend(parts[2..].iter().flat_map(|part| (*part as u32).to_le_bytes()));
        Self { kind: 19, bytes, text: text.to_owned() }
    }
    /// A GUID written `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`.
    pub fn guid(text: &str) -> Self {
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let number = u128::from_str_radix(&digits, 16).expect("a GUID").to_be_bytes();
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        Self { kind: 15, bytes: order.iter().map(|index| number[*index]).collect(), text: text.to_owned() }
    }
    /// An array of strings: its element is shown once for each.
    pub fn strings(texts: &[&str]) -> Self {
        let bytes = texts.iter().flat_map(|text| utf16(&format!("{text}\0"))).collect();
        Self { kind: 0x81, bytes, text: texts.join(" ") }
    }
    /// Any type number with any bytes.
    pub fn raw(kind: u8, bytes: &[u8]) -> Self {
        Self { kind, bytes: bytes.to_vec(), text: String::new() }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// An element of the payload.
#[derive(Clone, Debug)]
pub struct Element {
    name: String,
    attributes: Vec<(String, Content)>,
    content: Vec<Content>,
}

#[derive(Clone, Debug)]
enum Content {
    Literal(String),
    Slot(Value),
    Child(Element),
    /// An embedded stream in a slot.
    Embedded(Box<Element>),
}

impl Element {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), content: Vec::new() }
    }
    /// An attribute whose value is in a slot.
    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.push((name.to_owned(), Content::Slot(value.into())));
        self
    }
    /// An attribute that is part of the template.
    pub fn literal_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), Content::Literal(value.to_owned())));
        self
    }
    /// Text in a slot.
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.content.push(Content::Slot(value.into()));
        self
    }
    /// Text that is part of the template.
    pub fn literal(mut self, text: &str) -> Self {
        self.content.push(Content::Literal(text.to_owned()));
        self
    }
    pub fn child(mut self, child: Self) -> Self {
        self.content.push(Content::Child(child));
        self
    }

    /// What a template definition of this element depends on: everything but the values in slots.
    fn shape(&self, out: &mut String) {
        out.push_str(&format!("<{}", self.name));
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}="));
            value.shape(out);
        }
        out.push('>');
        self.content.iter().for_each(|content| content.shape(out));
        out.push_str("</>");
    }
}

impl Content {
    fn shape(&self, out: &mut String) {
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Child(child) => child.shape(out),
            Self::Slot(value) => out.push_str(&format!("%{}", value.kind)),
            Self::Embedded(_) => out.push_str("%xml"),
        }
    }
}

/// One record to be written.
#[derive(Clone, Debug)]
pub struct EventSpec {
    pub provider: String,
    pub id: u16,
    pub level: u8,
    /// UTC, `2026-11-19T08:00:00Z`.
    pub time: String,
    /// EventRecordID; by default the next one.
    pub record_id: Option<u64>,
    pub version: u8,
    pub qualifiers: Option<u16>,
    pub computer: Option<String>,
    pub channel: Option<String>,
    pub user_sid: Option<String>,
    pub process_id: u32,
    /// Named items; an empty name gives `<Data>` without a name, `Binary` the element of that name.
    pub data: Vec<(String, Value)>,
    /// Child of `UserData`.
    pub user_data: Option<Element>,
    /// Provider name and id are part of the template instead of being in slots.
    pub literal: bool,
    /// The record has no template: all of it is an inline element stream, as in logs exported with a query.
    pub inline: bool,
}

impl EventSpec {
    pub fn new(provider: &str, id: u16, time: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            id,
            level: 4,
            time: time.to_owned(),
            record_id: None,
            version: 0,
            qualifiers: None,
            computer: None,
            channel: None,
            user_sid: None,
            process_id: 4,
            data: Vec::new(),
            user_data: None,
            literal: false,
            inline: false,
        }
    }
    pub fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }
    pub fn record_id(mut self, record_id: u64) -> Self {
        self.record_id = Some(record_id);
        self
    }
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }
    pub fn qualifiers(mut self, qualifiers: u16) -> Self {
        self.qualifiers = Some(qualifiers);
        self
    }
    pub fn computer(mut self, computer: &str) -> Self {
        self.computer = Some(computer.to_owned());
        self
    }
    /// A channel other than the log's, as in forwarded events.
    pub fn channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.to_owned());
        self
    }
    pub fn user_sid(mut self, sid: &str) -> Self {
        self.user_sid = Some(sid.to_owned());
        self
    }
    pub fn process_id(mut self, process_id: u32) -> Self {
        self.process_id = process_id;
        self
    }
    /// A named item; an empty name gives an unnamed one.
    pub fn data(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.push((name.to_owned(), value.into()));
        self
    }
    /// Several named text items.
    pub fn items(mut self, items: &[(&str, &str)]) -> Self {
        self.data.extend(items.iter().map(|(name, value)| ((*name).to_owned(), Value::text(value))));
        self
    }
    /// The `Binary` element of classic providers.
    pub fn binary(self, bytes: &[u8]) -> Self {
        self.data("Binary", Value::binary(bytes))
    }
    pub fn user_data(mut self, element: Element) -> Self {
        self.user_data = Some(element);
        self
    }
    pub fn literal(mut self) -> Self {
        self.literal = true;
        self
    }
    pub fn inline(mut self) -> Self {
        self.inline = true;
        self
    }

    fn payload(&self) -> Option<Element> {
        if let Some(element) = &self.user_data {
            return Some(Element::new("UserData").child(element.clone()));
        }
        if self.data.is_empty() {
            return None;
        }
        Some(self.data.iter().fold(Element::new("EventData"), |parent, (name, value)| {
            let item = match name.as_str() {
                "" => Element::new("Data"),
                "Binary" => Element::new("Binary"),
                name => Element::new("Data").literal_attribute("Name", name),
            };
            parent.child(item.value(value.clone()))
        }))
    }

    fn tree(&self, channel: &str, computer: &str, record_id: u64) -> Element {
        let provider = Element::new("Provider");
        let event_id = Element::new("EventID")
            .attribute("Qualifiers", self.qualifiers.map_or_else(Value::null, Value::u16));
        let (provider, event_id) = if self.literal {
            (provider.literal_attribute("Name", &self.provider), event_id.literal(&self.id.to_string()))
        } else {
            (provider.attribute("Name", self.provider.as_str()), event_id.value(Value::u16(self.id)))
        };
        let execution = Element::new("Execution")
            .attribute("ProcessID", Value::u32(self.process_id))
            .attribute("ThreadID", Value::u32(8));
        let user = self.user_sid.as_deref().map_or_else(Value::null, Value::sid);
        let system = Element::new("System")
            .child(provider)
            .child(event_id)
            .child(Element::new("Version").value(Value::u8(self.version)))
            .child(Element::new("Level").value(Value::u8(self.level)))
            .child(Element::new("Task").value(Value::u16(0)))
            .child(Element::new("Opcode").value(Value::u8(0)))
            .child(Element::new("Keywords").value(Value::hex64(0x8000_0000_0000_0000)))
            .child(Element::new("TimeCreated").attribute("SystemTime", Value::time(&self.time)))
            .child(Element::new("EventRecordID").value(Value::u64(record_id)))
            .child(execution)
            .child(Element::new("Channel").literal(self.channel.as_deref().unwrap_or(channel)))
            .child(Element::new("Computer").literal(self.computer.as_deref().unwrap_or(computer)))
            .child(Element::new("Security").attribute("UserID", user));
        let namespace = "http://schemas.microsoft.com/win/2004/08/events/event";
        let mut event = Element::new("Event").literal_attribute("xmlns", namespace).child(system);
        event.content.extend(self.payload().map(|payload| Content::Embedded(Box::new(payload))));
        event
    }
}

/// A log to be written.
#[derive(Clone, Debug)]
pub struct LogBuilder {
    channel: String,
    computer: String,
    events: Vec<EventSpec>,
    remnants: Vec<EventSpec>,
    first_record: u64,
    per_chunk: usize,
    wrapped: usize,
    spare: usize,
    dirty: bool,
}

impl LogBuilder {
    pub fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            computer: "PC-1".to_owned(),
            events: Vec::new(),
            remnants: Vec::new(),
            first_record: 1,
            per_chunk: usize::MAX,
            wrapped: 0,
            spare: 0,
            dirty: false,
        }
    }
    /// Computer of all events that do not name their own.
    pub fn computer(mut self, computer: &str) -> Self {
        self.computer = computer.to_owned();
        self
    }
    pub fn event(mut self, event: EventSpec) -> Self {
        self.events.push(event);
        self
    }
    pub fn events(mut self, events: impl IntoIterator<Item = EventSpec>) -> Self {
        self.events.extend(events);
        self
    }
    /// A record in the free space behind the live ones: left over from before the log was cleared.
    pub fn remnant(mut self, event: EventSpec) -> Self {
        self.remnants.push(event);
        self
    }
    /// Number of the first record.
    pub fn first_record(mut self, number: u64) -> Self {
        self.first_record = number;
        self
    }
    /// Starts a new chunk after so many records, full or not.
    pub fn records_per_chunk(mut self, count: usize) -> Self {
        self.per_chunk = count;
        self
    }
    /// The log wrapped: its oldest chunk is not the first in the file but stands behind so many newer ones.
    pub fn wrapped(mut self, newer_chunks: usize) -> Self {
        self.wrapped = newer_chunks;
        self
    }
    /// Zeroed chunks at the end, as Windows sets them aside.
    pub fn spare_chunks(mut self, count: usize) -> Self {
        self.spare = count;
        self
    }
    /// The log was copied while it was in use: the header is marked dirty and counts one chunk and one record.
    pub fn dirty(mut self) -> Self {
        self.dirty = true;
        self
    }

    /// The bytes of the log.
    pub fn build(self) -> Vec<u8> {
        let mut chunks = Vec::new();
        let mut chunk = Chunk::new();
        let mut number = self.first_record;
        for event in &self.events {
            if chunk.records >= self.per_chunk || !chunk.record(event, &self, number) {
                chunks.push(std::mem::replace(&mut chunk, Chunk::new()));
                assert!(chunk.record(event, &self, number), "an event larger than a chunk");
            }
            number += 1;
        }
        chunk.free = Some(chunk.bytes.len());
        for (index, event) in self.remnants.iter().enumerate() {
            assert!(chunk.record(event, &self, number + 100 + index as u64), "no room for remnants");
        }
        chunks.push(chunk);

        let count = chunks.len();
        let shift = self.wrapped % count;
        let mut bodies: Vec<Vec<u8>> = chunks.into_iter().map(Chunk::finish).collect();
        bodies.rotate_right(shift);
        let last = if shift == 0 { count - 1 } else { shift - 1 };
        let mut file = self.file_header(shift, last, count, number);
        file.extend(bodies.into_iter().flatten());
        file.resize(file.len() + self.spare * CHUNK, 0);
        file
    }

    fn file_header(&self, first: usize, last: usize, count: usize, next: u64) -> Vec<u8> {
        let (last, count, next) = if self.dirty { (0, 1, 2) } else { (last, count, next) };
        let mut header = b"ElfFile\0".to_vec();
        header.extend((first as u64).to_le_bytes());
        header.extend((last as u64).to_le_bytes());
        header.extend(next.to_le_bytes());
        header.extend(128_u32.to_le_bytes());
        header.extend([1_u16, 3, 0x1000, count as u16].iter().flat_map(|number| number.to_le_bytes()));
        header.resize(120, 0);
        let sum = crc32(&header);
        header.extend(u32::from(self.dirty).to_le_bytes());
        header.extend(sum.to_le_bytes());
        header.resize(FILE_HEADER, 0);
        header
    }
}

/// A chunk while it is being filled. Positions in `bytes` are the offsets that names and definitions are referred to by.
struct Chunk {
    bytes: Vec<u8>,
    names: BTreeMap<String, usize>,
    definitions: BTreeMap<String, usize>,
    records: usize,
    first: u64,
    last: u64,
    last_at: usize,
    free: Option<usize>,
}

impl Chunk {
    fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK_HEADER],
            names: BTreeMap::new(),
            definitions: BTreeMap::new(),
            records: 0,
            first: 1,
            last: u64::MAX,
            last_at: 0,
            free: None,
        }
    }

    /// Appends a record; `false` when it does not fit, and nothing is changed then.
    fn record(&mut self, event: &EventSpec, log: &LogBuilder, number: u64) -> bool {
        let start = self.bytes.len();
        let tree = event.tree(&log.channel, &log.computer, event.record_id.unwrap_or(number));
        self.bytes.extend(b"**\0\0\0\0\0\0");
        self.u64(number);
        self.u64(ticks(&event.time));
        if event.inline {
            self.bytes.extend([0x0f, 1, 1, 0]);
            self.element(&tree, &mut None);
            self.bytes.push(0);
        } else {
            self.fragment(&tree);
        }
        while !(self.bytes.len() - start + 4).is_multiple_of(8) {
            self.bytes.push(0);
        }
        let size = (self.bytes.len() - start + 4) as u32;
        self.u32(size);
        self.patch(start + 4, size);
        if self.bytes.len() > CHUNK {
            self.bytes.truncate(start);
            self.names.retain(|_, at| *at < start);
            self.definitions.retain(|_, at| *at < start);
            return false;
        }
        if self.free.is_none() {
            self.first = if self.records == 0 { number } else { self.first };
            (self.records, self.last, self.last_at) = (self.records + 1, number, start);
        }
        true
    }

    /// Fragment header, template instance, end.
    fn fragment(&mut self, tree: &Element) {
        self.bytes.extend([0x0f, 1, 1, 0, 0x0c, 1]);
        let mut shape = String::new();
        tree.shape(&mut shape);
        let id = crc32(shape.as_bytes());
        self.u32(id);
        let mut values = Some(Vec::new());
        match self.definitions.get(&shape) {
            Some(at) => {
                let at = *at;
                self.u32(at as u32);
                slots_of(tree, &mut values);
            }
            None => {
                let at = self.bytes.len() + 4;
                self.u32(at as u32);
                self.definitions.insert(shape, at);
                self.u32(0); // next definition of this bucket
                self.u32(id);
                self.bytes.extend([0x11; 12]); // rest of the GUID
                self.u32(0);
                let body = self.bytes.len();
                self.bytes.extend([0x0f, 1, 1, 0]);
                self.element(tree, &mut values);
                self.bytes.push(0);
                self.patch(body - 4, (self.bytes.len() - body) as u32);
            }
        }
        self.values(values.unwrap_or_default());
        self.bytes.push(0);
    }

    fn values(&mut self, values: Vec<Content>) {
        self.u32(values.len() as u32);
        let descriptors = self.bytes.len();
        self.bytes.resize(descriptors + values.len() * 4, 0);
        for (index, value) in values.into_iter().enumerate() {
            let start = self.bytes.len();
            let kind = match value {
                Content::Slot(value) => {
                    self.bytes.extend(value.bytes);
                    value.kind
                }
                Content::Embedded(tree) => {
                    self.fragment(&tree);
                    0x21
                }
                Content::Literal(_) | Content::Child(_) => unreachable!("no slot"),
            };
            let at = descriptors + index * 4;
            let size = ((self.bytes.len() - start) as u16).to_le_bytes();
            self.bytes[at..at + 3].copy_from_slice(&[size[0], size[1], kind]);
        }
    }

    /// An element. With `slots` it is part of a template definition and its values are collected there; without, they are
    /// written as text.
    fn element(&mut self, element: &Element, slots: &mut Option<Vec<Content>>) {
        let shown =
            |content: &Content| slots.is_some() || !matches!(content, Content::Slot(v) if v.kind == 0);
        let attributes: Vec<_> = element.attributes.iter().filter(|(_, value)| shown(value)).collect();
        self.bytes.push(if attributes.is_empty() { 0x01 } else { 0x41 });
        if slots.is_some() {
            self.bytes.extend([0xff, 0xff]);
        }
        self.u32(0);
        let start = self.bytes.len();
        self.name(&element.name);
        if !attributes.is_empty() {
            self.u32(0);
            let list = self.bytes.len();
            for (index, (name, value)) in attributes.iter().enumerate() {
                self.bytes.push(if index + 1 < attributes.len() { 0x46 } else { 0x06 });
                self.name(name);
                self.content(value, slots);
            }
            self.patch(list - 4, (self.bytes.len() - list) as u32);
        }
        if element.content.is_empty() {
            self.bytes.push(0x03);
        } else {
            self.bytes.push(0x02);
            element.content.iter().for_each(|content| self.content(content, slots));
            self.bytes.push(0x04);
        }
        self.patch(start - 4, (self.bytes.len() - start) as u32);
    }

    fn content(&mut self, content: &Content, slots: &mut Option<Vec<Content>>) {
        match (content, slots.as_mut()) {
            (Content::Child(child), _) => self.element(child, slots),
            (Content::Embedded(child), None) => self.element(child, slots),
            (Content::Literal(text), _) => self.literal(text),
            (Content::Slot(value), None) => self.literal(&value.text.clone()),
            (Content::Slot(_) | Content::Embedded(_), Some(values)) => {
                let kind = if let Content::Slot(value) = content { value.kind } else { 0x21 };
                self.bytes.push(0x0e);
                self.bytes.extend((values.len() as u16).to_le_bytes());
                self.bytes.push(kind);
                values.push(content.clone());
            }
        }
    }

    fn literal(&mut self, text: &str) {
        self.bytes.extend([0x05, 0x01]);
        self.counted(text);
    }

    fn counted(&mut self, text: &str) {
        self.bytes.extend((text.encode_utf16().count() as u16).to_le_bytes());
        self.bytes.extend(utf16(text));
    }

    /// The offset of a name, with the name itself behind it where it is used first.
    fn name(&mut self, name: &str) {
        if let Some(at) = self.names.get(name) {
            let at = *at;
            return self.u32(at as u32);
        }
        let at = self.bytes.len() + 4;
        self.names.insert(name.to_owned(), at);
        self.u32(at as u32);
        self.u32(0); // next name of this bucket
        self.bytes.extend(name_hash(name).to_le_bytes());
        self.counted(name);
        self.bytes.extend([0, 0]);
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn patch(&mut self, at: usize, number: u32) {
        self.bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }

    /// Puts `at` at the head of a bucket's list.
    fn chain(&mut self, bucket: usize, at: usize) {
        let before: [u8; 4] = self.bytes[bucket..bucket + 4].try_into().expect("four bytes");
        self.patch(at, u32::from_le_bytes(before));
        self.patch(bucket, at as u32);
    }

    fn finish(mut self) -> Vec<u8> {
        let free = self.free.unwrap_or(self.bytes.len());
        let names: Vec<_> =
            self.names.iter().filter(|(_, at)| **at < free).map(|(n, at)| (name_hash(n), *at)).collect();
        for (hash, at) in names {
            self.chain(128 + usize::from(hash) % 64 * 4, at);
        }
        let definitions: Vec<usize> = self.definitions.values().copied().filter(|at| *at < free).collect();
        for at in definitions {
            let id: [u8; 4] = self.bytes[at + 4..at + 8].try_into().expect("four bytes");
            self.chain(384 + u32::from_le_bytes(id) as usize % 32 * 4, at);
        }
        let mut head = b"ElfChnk\0".to_vec();
        for number in [self.first, self.last, self.first, self.last] {
            head.extend(number.to_le_bytes());
        }
        for number in [128, self.last_at as u32, free as u32, crc32(&self.bytes[CHUNK_HEADER..free])] {
            head.extend(number.to_le_bytes());
        }
        self.bytes[..head.len()].copy_from_slice(&head);
        let summed: Vec<u8> = [&self.bytes[..120], &self.bytes[128..CHUNK_HEADER]].concat();
        self.patch(124, crc32(&summed));
        self.bytes.resize(CHUNK, 0);
        self.bytes
    }
}

/// The contents of a tree's slots, in the order in which its definition numbers them.
fn slots_of(element: &Element, values: &mut Option<Vec<Content>>) {
    for content in element.attributes.iter().map(|(_, value)| value).chain(&element.content) {
        match content {
            Content::Child(child) => slots_of(child, values),
            Content::Slot(_) | Content::Embedded(_) => {
                values.iter_mut().for_each(|list| list.push(content.clone()))
            }
            Content::Literal(_) => {}
        }
    }
}

/// FILETIME ticks of `YYYY-MM-DDThh:mm:ss[.fffffff]Z`.
pub fn ticks(text: &str) -> u64 {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut next = || numbers.next().map_or(0, |part| part.parse::<u64>().expect("a number"));
    let (year, month, day) = (next(), next(), next());
    let (hour, minute, second) = (next(), next(), next());
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest).trim_end_matches('Z');
    let fraction: u64 = format!("{fraction:0<7}").parse().expect("a fraction");
    // Days since 1601-01-01 in the Gregorian calendar.
    let before = year - 1;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let months = [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = before * 365 + before / 4 - before / 100 + before / 400 - 584_388
        + months[..month as usize - 1].iter().sum::<u64>()
        + (day - 1);
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 10_000_000 + fraction
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The hash that chooses a name's bucket: `h = h * 65599 + unit`, low 16 bits stored.
fn name_hash(name: &str) -> u16 {
    name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(u32::from(unit)))
        as u16
}

/// CRC-32 as in zip (polynomial 0xEDB88320).
pub fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum, byte| TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize] ^ (sum >> 8))
}
