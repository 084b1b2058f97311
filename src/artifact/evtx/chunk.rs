//! One 64 KiB chunk of a log: its header, its records and what to do when they are not as they should be.
//!
//! Layout: libyal "Windows XML Event Log (EVTX)", sections on chunks and records.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::binxml::{Fault, Stream, Values};
use super::bytes::{u32_at, u64_at};
use super::decode::{Decoder, Shared};
use super::head::{Head, Names, Property};
use super::offsets::OffsetMap;
use super::tally::{KindMemo, Memo, Tally};
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
    /// Wanted events.
    pub events: Vec<Event>,
    /// The record number of each event's header, which orders a log.
    pub numbers: Vec<u64>,
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
pub(super) struct Plan<'a> {
    head: Option<Head<'a>>,
    /// The slot with all that stands behind `System`.
    payload: Option<u16>,
    provider: Memo<'a>,
    channel: Memo<'a>,
    computer: Memo<'a>,
    kind: KindMemo,
}

impl<'a> Plan<'a> {
    fn new(head: Result<Head<'a>, Fault>) -> Self {
        // An odd head is left to full decoding.
        let head = head.ok().filter(|head| !head.odd);
        Self {
            payload: head.as_ref().and_then(Head::payload),
            head,
            provider: Memo::default(),
            channel: Memo::default(),
            computer: Memo::default(),
            kind: KindMemo::default(),
        }
    }
}

/// Room that the chunks of a log use in turn.
#[derive(Default)]
pub(super) struct Room<'a> {
    /// Template definitions of the chunk by their offset.
    plans: OffsetMap<Plan<'a>>,
    decoding: Shared<'a>,
}

/// Reads the live records of one chunk: decodes what the filter wants and counts the rest.
pub(super) fn read<'a>(
    offset: u64,
    bytes: &'a [u8],
    filter: &EventFilter,
    room: &mut Room<'a>,
    found: &mut Found,
) {
    let Room { plans, decoding } = room;
    plans.clear();
    let decoder = Decoder::new(bytes, decoding);
    let mut chunk = Chunk { offset, bytes, filter, found, plans, decoder, range: None };
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
    plans: &'f mut OffsetMap<Plan<'a>>,
    decoder: Decoder<'a, 'f>,
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
            // Something in the records was changed: what they say may not be what was written, so absence proves nothing.
            self.problem(52, "a matching checksum of the records", format!("{data_sum:#010x}"));
            self.found.lost = true;
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
        let bytes = self.bytes;
        let mut inline = None;
        let (plan, values) = match stream.leading_instance() {
            Some((definition, values)) => {
                let scan = || Stream::of_definition(bytes, definition).and_then(Head::scan);
                (self.plans.entry(definition).or_insert_with(|| Plan::new(scan())), values)
            }
            None => {
                self.found.tally.inline();
                (inline.insert(Plan::new(Head::scan(stream))), Values::default())
            }
        };
        match plan.count(&values, record.number, self.filter, &mut self.found.tally) {
            Some(false) => {}
            Some(true) => {
                let only = self.found.tally.only(&plan.kind, self.filter);
                let decoded = match &plan.head {
                    Some(_) if only.is_some_and(|only| self.decoder.refuses(only, plan.payload, &values)) => {
                        return;
                    }
                    Some(head) => {
                        let names = plan.names(&self.found.tally);
                        self.decoder.behind_head(head, plan.payload, values, names, record.number)
                    }
                    None => self.decoder.event(whole, record.number, record.time),
                };
                self.keep(decoded, record, true);
            }
            None => {
                let decoded = self.decoder.event(whole, record.number, record.time);
                self.keep(decoded, record, false);
            }
        }
    }

    /// Keeps a decoded event. One that could not be judged by its head is counted here.
    fn keep(&mut self, decoded: Result<Event, Fault>, record: Record, counted: bool) {
        match decoded {
            Ok(event) => {
                if counted || self.found.tally.event(&event, self.filter) {
                    self.found.events.push(event);
                    self.found.numbers.push(record.number);
                }
            }
            Err(fault) => {
                if !counted {
                    self.found.tally.record(record.number, record.time);
                }
                self.found.lost = true;
                let found = shown(self.bytes.get(fault.at..).unwrap_or_default());
                let (fault_at, record_at) = (self.offset + fault.at as u64, self.offset + record.at as u64);
                let found = format!("{found} at offset {fault_at:#x} (record at {record_at:#x})");
                self.found.problems.push(Problem::new(Place::Record(record.number), fault.expected, found));
            }
        }
    }
}

impl<'a> Plan<'a> {
    /// The names of the record that was counted last.
    fn names(&self, tally: &Tally) -> Names {
        Names {
            provider: tally.text(&self.provider),
            channel: tally.text(&self.channel),
            computer: tally.text(&self.computer),
        }
    }

    /// Counts a record by its head and tells whether it is wanted; `None`, and nothing is counted, when the head does not say
    /// enough.
    fn count(
        &mut self,
        values: &Values<'a>,
        number: u64,
        filter: &EventFilter,
        tally: &mut Tally,
    ) -> Option<bool> {
        let head = self.head.as_ref()?;
        let values = values.located(head.last_slot);
        let provider = head.source(Property::Provider).text(&values)?;
        let id = u32::try_from(head.source(Property::EventId).number(&values)?).ok()?;
        let time = head.source(Property::Time).time(&values)?;
        let computer = head.source(Property::Computer).text(&values).unwrap_or_default();
        let channel = head.source(Property::Channel).text(&values).unwrap_or_default();
        tally.record(head.source(Property::RecordId).number(&values).unwrap_or(number), time);
        let computer = self.computer.number(tally, computer);
        tally.computer(computer);
        let channel = self.channel.number(tally, channel);
        tally.channel(channel);
        let provider = self.provider.number(tally, provider);
        Some(tally.kind(provider, id, filter, &mut self.kind))
    }
}

/// The first bytes of something unexpected, in hex.
fn shown(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "the end".to_owned();
    }
    let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("bytes {}", first.join(" "))
}
