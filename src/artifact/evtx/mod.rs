//! Binary event logs (EVTX): a filter in front, full decoding only for what it lets through.
//!
//! A log holds a hundred thousand records of which a few hundred bear on activation. So records are not decoded to find out what
//! they are: provider, id, time, channel and computer are looked up where the record's template says they are (`head`), every
//! record is counted, and only the wanted ones are decoded (`decode`).
//!
//! Nothing that the file says about itself is needed to read it. Live-copied logs have stale headers, so chunks are looked for up
//! to the end of the file; each fault costs what it destroyed and is reported; and what lies behind the free-space mark of a chunk
//! is left over from before the log was cleared or wrapped, and is never taken for a current event.

mod binxml;
mod bytes;
mod chunk;
mod decode;
mod head;
mod list;
mod offsets;
mod tally;
mod values;

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use self::chunk::{Found, Range};
use self::tally::Extent;
use super::event::{EventFilter, EventLog};
use super::{Place, Problem};

/// First bytes of a log.
const MAGIC: &[u8; 8] = b"ElfFile\0";
/// The file header's block: the first chunk starts behind it.
const FILE_HEADER: usize = 0x1000;
/// Chunks that one thread reads in a row (16 MiB): smaller logs are not worth a second thread.
const STRETCH: usize = 256;
/// So many problems tell what is wrong with a log; more are counted.
const PROBLEM_LIMIT: usize = 1000;

/// Whether the bytes are an event log: its file magic, or chunks where chunks belong when the header is destroyed.
pub fn recognise(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || first_chunk(bytes).is_some()
}

/// Offset of the place of the first chunk: behind the file header, or at the start of a file that lost it.
fn first_chunk(bytes: &[u8]) -> Option<usize> {
    let has_chunk = |start: usize| {
        bytes.get(start..).unwrap_or_default().chunks(chunk::SIZE).any(|slot| slot.starts_with(chunk::MAGIC))
    };
    [FILE_HEADER, 0].into_iter().find(|start| has_chunk(*start))
}

/// A 64 KiB stretch of the file in which a chunk belongs.
#[derive(Clone, Copy)]
struct Slot<'a> {
    offset: u64,
    bytes: &'a [u8],
}

/// Reads a log to its end, whatever its header says. Decodes what `filter` wants and counts the rest.
pub fn read(bytes: &[u8], filter: &EventFilter) -> EventLog {
    let mut log = EventLog { complete: true, ..EventLog::default() };
    let start = first_chunk(bytes).unwrap_or(FILE_HEADER);
    check_file_header(bytes, start, &mut log);
    let slots = slots(bytes, start, &mut log);

    let mut found = read_slots(&slots, filter);
    let stale = stale_chunks(&found);
    if !stale.is_empty() {
        let live: Vec<Slot<'_>> =
            slots.iter().filter(|slot| !stale.contains(&slot.offset)).copied().collect();
        found = read_slots(&live, filter);
    }
    assemble(found, &stale, &mut log);
    log
}

fn check_file_header(bytes: &[u8], start: usize, log: &mut EventLog) {
    if !bytes.starts_with(MAGIC) {
        let found = if start == 0 { "a chunk: the file header is missing" } else { "other bytes" };
        log.problems.push(Problem::new(Place::Offset(0), "the file magic ElfFile", found));
    } else if bytes.len() < FILE_HEADER {
        let found = format!("{} bytes", bytes.len());
        log.problems.push(Problem::new(Place::Whole, "a file header of 4096 bytes", found));
        log.complete = false;
    }
}

/// Cuts the file into places for chunks. Zeros behind the last chunk are space that was set aside; zeros before it are a loss.
fn slots<'a>(bytes: &'a [u8], start: usize, log: &mut EventLog) -> Vec<Slot<'a>> {
    let body = bytes.get(start..).unwrap_or_default();
    let all: Vec<Slot<'a>> = (start as u64..)
        .step_by(chunk::SIZE)
        .zip(body.chunks(chunk::SIZE))
        .map(|(offset, bytes)| Slot { offset, bytes })
        .collect();
    // In blocks, because a loop that may end at any byte is not vectorised.
    let blank = |block: &[u8]| block.iter().fold(0, |sum, byte| sum | byte) == 0;
    let empty = |slot: &Slot<'_>| slot.bytes.chunks(4096).all(blank);
    let used = all.iter().rposition(|slot| !empty(slot)).map_or(0, |last| last + 1);
    let (used, _) = all.split_at_checked(used).unwrap_or((&all, &[]));
    used.iter()
        .filter(|slot| {
            let lost = !slot.bytes.starts_with(chunk::MAGIC) && empty(slot);
            if lost {
                log.problems.push(Problem::new(Place::Offset(slot.offset), "a chunk", "zeros"));
                log.complete = false;
            }
            !lost
        })
        .copied()
        .collect()
}

/// Reads chunks, long logs on several threads.
fn read_slots(slots: &[Slot<'_>], filter: &EventFilter) -> Vec<Found> {
    slots
        .par_chunks(STRETCH)
        .map(|stretch| {
            let mut found = Found::default();
            let mut room = chunk::Room::default();
            for slot in stretch {
                chunk::read(slot.offset, slot.bytes, filter, &mut room, &mut found);
            }
            found
        })
        .collect()
}

/// Chunks left over from before the log was cleared: they hold record numbers that a chunk with later records holds too.
fn stale_chunks(found: &[Found]) -> HashSet<u64> {
    let mut ranges: Vec<Range> = found.iter().flat_map(|found| found.ranges.iter().copied()).collect();
    ranges.sort_by_key(|range| (range.first, range.offset));
    let mut stale = HashSet::new();
    let mut kept: Option<Range> = None;
    for range in ranges {
        match kept {
            Some(before) if range.first <= before.last => {
                let older =
                    if (range.time, range.last) > (before.time, before.last) { before } else { range };
                stale.insert(older.offset);
                if older == before {
                    kept = Some(range);
                }
            }
            _ => kept = Some(range),
        }
    }
    stale
}

fn assemble(found: Vec<Found>, stale: &HashSet<u64>, log: &mut EventLog) {
    let mut channels = HashMap::new();
    let mut extent = Extent::default();
    let mut numbers = Vec::new();
    let mut ranges = Vec::new();
    for part in found {
        part.tally.add_to(log, &mut channels, &mut extent);
        numbers.extend(part.numbers);
        if log.events.is_empty() {
            log.events = part.events;
        } else {
            log.events.extend(part.events);
        }
        log.problems.extend(part.problems);
        ranges.extend(part.ranges);
        log.complete &= !part.lost;
    }
    log.complete &= extent.is_whole(log);
    let mut stale: Vec<u64> = stale.iter().copied().collect();
    stale.sort_unstable();
    log.problems.extend(stale.into_iter().map(|offset| {
        Problem::new(
            Place::Offset(offset),
            "record numbers that occur once",
            "a chunk from before the log was cleared",
        )
    }));
    // A log that wrapped starts again at its first chunk; the numbers of the records tell their order.
    if !numbers.is_sorted() {
        let mut numbered: Vec<_> = numbers.into_iter().zip(std::mem::take(&mut log.events)).collect();
        numbered.sort_by_key(|(number, _)| *number);
        log.events = numbered.into_iter().map(|(_, event)| event).collect();
    }
    let most = channels.into_iter().max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
    log.channel = most.map(|(channel, _)| channel).unwrap_or_default();
    let more = log.problems.len().saturating_sub(PROBLEM_LIMIT);
    if more > 0 {
        log.problems.truncate(PROBLEM_LIMIT);
        log.problems.push(Problem::new(Place::Whole, "a sound log", format!("{more} more problems")));
    }
}

#[cfg(test)]
mod tests;
