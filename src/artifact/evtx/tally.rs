//! Sums up a log without turning its names into text more than once.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::bytes::utf16;
use crate::artifact::event::{Event, EventFilter, EventLog, Only};
use crate::artifact::event_listing::long_enough;
use crate::time::FileTime;

/// Counts of one log or of a stretch of it. Names are kept as they are stored (UTF-16LE) and numbered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    numbers: HashMap<Vec<u8>, usize, RandomState>,
    names: Vec<Name>,
    kinds: HashMap<(usize, u32), usize, RandomState>,
    counts: Vec<Count>,
    records: u64,
    oldest: Option<FileTime>,
    newest: Option<FileTime>,
    numbers_seen: Option<(u64, u64)>,
    inline: u64,
}

/// What tells whether a log was cut out of a larger one by a query.
#[derive(Debug, Default)]
pub(super) struct Extent {
    /// Lowest and highest EventRecordID.
    numbers: Option<(u64, u64)>,
    /// Records without a template: only exports have them.
    inline: u64,
}

impl Extent {
    /// Whether the log shows every record between its first and its last. A log that Windows wrote itself numbers its records
    /// without a gap. An export with a query has gaps, if it is long enough to tell.
    pub(super) fn is_whole(&self, log: &EventLog) -> bool {
        let gapless = self.numbers.is_none_or(|(first, last)| last - first == log.records - 1);
        gapless && (self.inline == 0 || long_enough(log))
    }
}

#[derive(Debug)]
struct Name {
    text: Arc<str>,
    computer: u64,
    channel: u64,
}

#[derive(Debug)]
struct Count {
    provider: usize,
    id: u32,
    records: u64,
    wanted: bool,
    /// Position in [`EventFilter::only`].
    only: Option<usize>,
}

/// The number of a name that was seen just before: most records say what the one before them said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Memo<'a> {
    bytes: &'a [u8],
    number: usize,
}

/// The kind of record that was counted just before, likewise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KindMemo {
    kind: Option<(usize, u32)>,
    index: usize,
}

impl<'a> Memo<'a> {
    /// The number of a name.
    pub(super) fn number(&mut self, tally: &mut Tally, bytes: &'a [u8]) -> usize {
        if self.bytes != bytes || bytes.is_empty() {
            *self = Self { bytes, number: tally.number(bytes) };
        }
        self.number
    }
}

impl Tally {
    /// The text of the name that a memo holds.
    pub(super) fn text(&self, memo: &Memo<'_>) -> Arc<str> {
        self.names.get(memo.number).map(|name| Arc::clone(&name.text)).unwrap_or_default()
    }

    fn number(&mut self, bytes: &[u8]) -> usize {
        if let Some(number) = self.numbers.get(bytes) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(Name { text: utf16(bytes).into(), computer: 0, channel: 0 });
        self.numbers.insert(bytes.to_vec(), number);
        number
    }

    /// Counts a record of a kind and tells whether it is wanted.
    pub(super) fn kind(
        &mut self,
        provider: usize,
        id: u32,
        filter: &EventFilter,
        memo: &mut KindMemo,
    ) -> bool {
        if memo.kind != Some((provider, id)) {
            *memo = KindMemo { kind: Some((provider, id)), index: self.index_of(provider, id, filter) };
        }
        let Some(count) = self.counts.get_mut(memo.index) else { return false };
        count.records += 1;
        count.wanted
    }

    /// What is wanted of the kind that was counted last, if it is not all of it.
    pub(super) fn only<'f>(&self, memo: &KindMemo, filter: &'f EventFilter) -> Option<&'f Only> {
        filter.only.get(self.counts.get(memo.index)?.only?)
    }

    fn index_of(&mut self, provider: usize, id: u32, filter: &EventFilter) -> usize {
        let next = self.counts.len();
        let index = *self.kinds.entry((provider, id)).or_insert(next);
        if index == next {
            let name = self.names.get(provider).map_or("", |name| &*name.text);
            let (wanted, only) = (filter.wants(name, id), filter.only(name, id));
            self.counts.push(Count { provider, id, records: 0, wanted, only });
        }
        index
    }

    /// Counts a live record, whatever it is.
    pub(super) fn record(&mut self, number: u64, time: FileTime) {
        self.records += 1;
        let (first, last) = self.numbers_seen.unwrap_or((number, number));
        self.numbers_seen = Some((first.min(number), last.max(number)));
        self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        self.newest = Some(self.newest.map_or(time, |newest| newest.max(time)));
    }

    /// Counts a record of a computer.
    pub(super) fn computer(&mut self, number: usize) {
        if let Some(name) = self.names.get_mut(number) {
            name.computer += 1;
        }
    }

    /// Counts a record of a channel.
    pub(super) fn channel(&mut self, number: usize) {
        if let Some(name) = self.names.get_mut(number) {
            name.channel += 1;
        }
    }

    /// Counts an event that had to be decoded to be judged, and tells whether it is wanted.
    pub(super) fn event(&mut self, event: &Event, filter: &EventFilter) -> bool {
        let stored = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        self.record(event.record_id, event.time);
        let computer = self.number(&stored(&event.computer));
        self.computer(computer);
        let channel = self.number(&stored(&event.channel));
        self.channel(channel);
        let provider = self.number(&stored(&event.provider));
        self.kind(provider, event.event_id, filter, &mut KindMemo::default())
    }

    /// Counts a record that has no template.
    pub(super) fn inline(&mut self) {
        self.inline += 1;
    }

    /// Adds these counts to a log's, and to the number of records of each channel.
    pub(super) fn add_to(self, log: &mut EventLog, channels: &mut HashMap<String, u64>, extent: &mut Extent) {
        log.records += self.records;
        extent.inline += self.inline;
        let ends = extent.numbers.into_iter().chain(self.numbers_seen);
        extent.numbers = ends.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)));
        log.oldest = log.oldest.into_iter().chain(self.oldest).min();
        log.newest = log.newest.into_iter().chain(self.newest).max();
        for count in &self.counts {
            if let Some(name) = self.names.get(count.provider) {
                log.providers.insert(name.text.to_string());
                *log.histogram.entry((name.text.to_string(), count.id)).or_default() += count.records;
            }
        }
        for name in self.names {
            if name.computer > 0 && !name.text.is_empty() {
                *log.computers.entry(name.text.to_string()).or_default() += name.computer;
            }
            if name.channel > 0 && !name.text.is_empty() {
                *channels.entry(name.text.to_string()).or_default() += name.channel;
            }
        }
    }
}
