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

mod chunk;
mod element;
mod event;
mod value;

use chunk::Chunk;
#[allow(unused_imports, reason = "not every user writes elements")]
pub use element::Element;
pub use event::EventSpec;
#[allow(unused_imports, reason = "not every user writes values")]
pub use value::{Value, crc32};

const CHUNK: usize = 0x1_0000;
const FILE_HEADER: usize = 0x1000;

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
