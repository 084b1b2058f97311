//! One 64 KiB chunk of a log: its header, its records and what to do when they are not as they should be.
//!
//! Layout: libyal "Windows XML Event Log (EVTX)", sections on chunks and records.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::binxml::{Fault, Stream, Values};
use super::bytes::{u32_at, u64_at};
use super::decode::Decoder;
use super::head::Head;
use super::tally::{Memo, Tally};
use crate::artifact::event::{Event, EventFilter};
use crate::artifact::{Place, Problem};
use crate::time::FileTime;

/// Size of a chunk.
pub(super) const SIZE: usize = 0x1_0000;
/// First bytes of a chunk.
pub(super) const MAGIC: &[u8; 8] = b"ElfChnk\0";
/// Size of a chunk's header with its string and template tables: the first record starts here.
const HEADER: usize = 0x200;
/// First bytes of a record.
const RECORD_MAGIC: [u8; 4] = *b"**\0\0";
/// Header of a record: magic, size, number, time.
const RECORD_HEADER: usize = 24;
/// A record's header and the copy of its size at the end.
const RECORD_MINIMUM: usize = RECORD_HEADER + 4;
/// Chunk flag: checksums are not kept.
const NO_CHECKSUMS: u32 = 4;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(&RECORD_MAGIC));

/// What the chunks of a log gave.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub tally: Tally,
    /// Wanted events with the record number of their header, which orders a log.
    pub events: Vec<(u64, Event)>,
    pub problems: Vec<Problem>,
    /// Range of record numbers and last time of each chunk that has records.
    pub ranges: Vec<Range>,
    /// Records were lost, or whether any were cannot be told.
    pub lost: bool,
}

/// The record numbers of one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Offset of the chunk in the file.
    pub offset: u64,
    pub first: u64,
    pub last: u64,
    /// Time of the last record.
    pub time: FileTime,
}

/// A record's header.
#[derive(Clone, Copy, Debug)]
struct Record {
    at: usize,
    size: usize,
    number: u64,
    time: FileTime,
}

/// A template definition as the filter sees it.
struct Plan<'a> {
    head: Option<Head<'a>>,
    provider: Memo<'a>,
    channel: Memo<'a>,
    computer: Memo<'a>,
}

impl<'a> Plan<'a> {
    fn new(head: Result<Head<'a>, Fault>) -> Self {
        Self {
            head: head.ok(),
            provider: Memo::default(),
            channel: Memo::default(),
            computer: Memo::default(),
        }
    }
}

/// Reads the live records of one chunk: decodes what the filter wants and counts the rest.
pub(super) fn read(offset: u64, bytes: &[u8], filter: &EventFilter, found: &mut Found) {
    let mut chunk = Chunk {
        offset,
        bytes,
        filter,
        found,
        plans: HashMap::new(),
        decoder: Decoder::new(bytes),
        range: None,
    };
    if let Some(end) = chunk.check_header() {
        chunk.records(end);
    }
    let range = chunk.range;
    found.ranges.extend(range);
}

struct Chunk<'a, 'f> {
    offset: u64,
    bytes: &'a [u8],
    filter: &'f EventFilter,
    found: &'f mut Found,
    plans: HashMap<usize, Plan<'a>>,
    decoder: Decoder<'a>,
    range: Option<Range>,
}

impl<'a> Chunk<'a, '_> {
    fn place(&self, at: usize) -> Place {
        Place::Offset(self.offset + at as u64)
    }

    fn problem(&mut self, at: usize, expected: impl Into<String>, found: impl Into<String>) {
        let problem = Problem::new(self.place(at), expected, found);
        self.found.problems.push(problem);
    }

    /// Checks the chunk's header. Gives the end of its live records, or `None` when the chunk is lost.
    fn check_header(&mut self) -> Option<usize> {
        let number = |at| u32_at(self.bytes, at).unwrap_or(0);
        let (free, data_sum, flags, header_sum) = (number(48) as usize, number(52), number(120), number(124));
        let end = if (HEADER..=self.bytes.len()).contains(&free) { free } else { self.bytes.len() };
        let records = self.bytes.get(HEADER..end).unwrap_or_default();
        let intact = crc32fast::hash(records) == data_sum;
        if !self.bytes.starts_with(MAGIC) {
            // Its checksum proves the records even when the first bytes of the chunk are gone.
            let proven = intact && !records.is_empty() && free == end;
            self.problem(0, "the chunk magic ElfChnk", shown(self.bytes));
            if !proven {
                self.found.lost = true;
                return None;
            }
        }
        if self.bytes.len() < HEADER {
            self.problem(0, "a chunk header of 512 bytes", format!("{} bytes", self.bytes.len()));
            self.found.lost = true;
            return None;
        }
        if self.bytes.len() < SIZE.min(free) {
            let size = self.bytes.len();
            self.problem(size, "the rest of the chunk", format!("the end of the file after {size} bytes"));
            self.found.lost = true;
        } else if free != end {
            self.problem(48, "the offset of the free space", format!("{free:#x}"));
        } else if flags & NO_CHECKSUMS == 0 && !intact {
            self.problem(52, "a matching checksum of the records", format!("{data_sum:#010x}"));
        }
        if flags & NO_CHECKSUMS == 0 && self.header_sum() != header_sum {
            self.problem(124, "a matching checksum of the chunk header", format!("{header_sum:#010x}"));
        }
        Some(end)
    }

    fn header_sum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.bytes.get(..120).unwrap_or_default());
        hasher.update(self.bytes.get(128..HEADER).unwrap_or_default());
        hasher.finalize()
    }

    fn records(&mut self, end: usize) {
        let mut at = HEADER;
        while at < end {
            let Some(record) = self.header(at, end) else {
                let next = self.resynchronise(at + 1, end);
                let found = format!(
                    "{} up to offset {:#x}",
                    shown(self.bytes.get(at..end).unwrap_or_default()),
                    self.offset + next as u64
                );
                self.problem(at, "an event record", found);
                self.found.lost = true;
                at = next;
                continue;
            };
            self.record(record);
            at += record.size;
        }
    }

    /// The record at an offset, if its header is sound: a size that fits and is repeated at the end, or is followed by a record.
    fn header(&self, at: usize, end: usize) -> Option<Record> {
        let head = self.bytes.get(at..end)?.first_chunk::<RECORD_HEADER>()?;
        if !head.starts_with(&RECORD_MAGIC) {
            return None;
        }
        let size = u32_at(head, 4)? as usize;
        let next = at.checked_add(size).filter(|next| *next <= end && size >= RECORD_MINIMUM)?;
        let repeated = u32_at(self.bytes, next - 4)? as usize;
        if repeated != size && next != end && self.bytes.get(next..next + 4) != Some(&RECORD_MAGIC) {
            return None;
        }
        let time = FileTime::from_ticks(u64_at(head, 16)?);
        Some(Record { at, size, number: u64_at(head, 8)?, time })
    }

    /// The offset of the next sound record, or the end.
    fn resynchronise(&self, from: usize, end: usize) -> usize {
        let rest = self.bytes.get(from..end).unwrap_or_default();
        let mut candidates = FINDER.find_iter(rest).map(|position| from + position);
        candidates.find(|at| self.header(*at, end).is_some()).unwrap_or(end)
    }

    fn record(&mut self, record: Record) {
        let mut stream = Stream::new(self.bytes, record.at + RECORD_HEADER, record.at + record.size - 4);
        let range = self.range.get_or_insert(Range {
            offset: self.offset,
            first: record.number,
            last: record.number,
            time: record.time,
        });
        range.first = range.first.min(record.number);
        range.last = range.last.max(record.number);
        range.time = range.time.max(record.time);

        let whole = stream.clone();
        let wanted = match stream.leading_instance() {
            Some((definition, values)) => {
                let bytes = self.bytes;
                let plan = self.plans.entry(definition).or_insert_with(|| {
                    Plan::new(Stream::of_definition(bytes, definition).and_then(Head::scan))
                });
                count(plan, &values, record.number, self.filter, &mut self.found.tally)
            }
            None => {
                self.found.tally.inline();
                let mut plan = Plan::new(Head::scan(stream));
                count(&mut plan, &Values::default(), record.number, self.filter, &mut self.found.tally)
            }
        };
        match wanted {
            Some(false) => {}
            Some(true) => self.decode(whole, record, true),
            None => self.decode(whole, record, false),
        }
    }

    /// Decodes a record. One that could not be judged by its head is counted here.
    fn decode(&mut self, stream: Stream<'a>, record: Record, counted: bool) {
        let start = stream.position();
        match self.decoder.event(stream, record.number, record.time) {
            Ok(event) => {
                if counted || self.found.tally.event(&event, self.filter) {
                    self.found.events.push((record.number, event));
                }
            }
            Err(fault) => {
                if !counted {
                    self.found.tally.record(record.number, record.time);
                }
                self.found.lost = true;
                let found = shown(self.bytes.get(fault.at..).unwrap_or_default());
                let found = format!(
                    "{found} at offset {:#x} (record at {:#x})",
                    self.offset + fault.at as u64,
                    self.offset + start as u64
                );
                self.found.problems.push(Problem::new(Place::Record(record.number), fault.expected, found));
            }
        }
    }
}

/// Counts a record by its head and tells whether it is wanted; `None`, and nothing is counted, when the head does not say
/// enough.
fn count<'a>(
    plan: &mut Plan<'a>,
    values: &Values<'a>,
    number: u64,
    filter: &EventFilter,
    tally: &mut Tally,
) -> Option<bool> {
    let head = plan.head.as_ref()?;
    let provider = head.provider.text(values)?;
    let id = u32::try_from(head.event_id.number(values)?).ok()?;
    let time = head.time.time(values)?;
    let computer = head.computer.text(values).unwrap_or_default();
    let channel = head.channel.text(values).unwrap_or_default();
    tally.record(head.record_id.number(values).unwrap_or(number), time);
    let computer = plan.computer.number(tally, computer);
    tally.computer(computer);
    let channel = plan.channel.number(tally, channel);
    tally.channel(channel);
    let provider = plan.provider.number(tally, provider);
    Some(tally.kind(provider, id, filter))
}

/// The first bytes of something unexpected, in hex.
fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "the end".to_owned();
    }
    let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("bytes {}", first.join(" "))
}
