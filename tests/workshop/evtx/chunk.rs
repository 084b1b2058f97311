//! Chunks: records, names and definitions at their places.

use std::collections::BTreeMap;

use super::element::{Content, Element};
use super::event::EventSpec;
use super::value::{crc32, name_hash, ticks, utf16};
use super::{CHUNK, LogBuilder};

const CHUNK_HEADER: usize = 0x200;
/// Header of a fragment of binary XML (MS-EVEN6, 2.2.12).
const FRAGMENT: [u8; 4] = [0x0f, 1, 1, 0];

/// A chunk while it is being filled. Positions in `bytes` are the offsets that names and definitions are referred to by.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    names: BTreeMap<String, usize>,
    definitions: BTreeMap<String, usize>,
    pub(super) records: usize,
    first: u64,
    last: u64,
    last_at: usize,
    pub(super) free: Option<usize>,
}

impl Chunk {
    pub(super) fn new() -> Self {
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
    pub(super) fn record(&mut self, event: &EventSpec, log: &LogBuilder, number: u64) -> bool {
        let start = self.bytes.len();
        let tree = event.tree(&log.channel, &log.computer, event.record_id.unwrap_or(number));
        self.bytes.extend(b"**\0\0\0\0\0\0");
        self.u64(number);
        self.u64(ticks(&event.time));
        if event.inline {
            self.bytes.extend(FRAGMENT);
            self.element(&tree, &mut None);
            self.bytes.push(0);
        } else {
            self.bytes.extend(FRAGMENT);
            self.template(&tree, event.bare);
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

    /// Template instance, end. What is embedded in it has a fragment header, unless it is `bare`.
    fn template(&mut self, tree: &Element, bare: bool) {
        self.bytes.extend([0x0c, 1]);
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
                self.bytes.extend(FRAGMENT);
                self.element(tree, &mut values);
                self.bytes.push(0);
                self.patch(body - 4, (self.bytes.len() - body) as u32);
            }
        }
        self.values(values.unwrap_or_default(), bare);
        self.bytes.push(0);
    }

    fn values(&mut self, values: Vec<Content>, bare: bool) {
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
                    if !bare {
                        self.bytes.extend(FRAGMENT);
                    }
                    self.template(&tree, bare);
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

    pub(super) fn finish(mut self) -> Vec<u8> {
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
