//! Sums up events that were all decoded anyhow: exports in XML and text.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::event::{Event, EventFilter, EventLog};

/// An export shorter than this is never taken for the whole of a stretch of its channel.
const ENOUGH: u64 = 50;

/// Whether an export is long and mixed enough for record numbers without a gap to prove that no query made it.
pub(crate) fn long_enough(log: &EventLog) -> bool {
    log.records >= ENOUGH && log.histogram.len() > 1
}

/// Collects the events of one export.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    log: EventLog,
    channels: BTreeMap<String, u64>,
    numbers: BTreeSet<u64>,
}

impl Listing {
    /// Counts an event, and keeps it when it is wanted.
    pub(crate) fn add(&mut self, event: Event, filter: &EventFilter) {
        let log = &mut self.log;
        log.records += 1;
        if !event.time.is_zero() {
            log.oldest = log.oldest.into_iter().chain([event.time]).min();
            log.newest = log.newest.into_iter().chain([event.time]).max();
        }
        log.providers.insert(event.provider.to_string());
        *log.histogram.entry((event.provider.to_string(), event.event_id)).or_default() += 1;
        if !event.computer.is_empty() {
            *log.computers.entry(event.computer.to_string()).or_default() += 1;
        }
        *self.channels.entry(event.channel.to_string()).or_default() += 1;
        self.numbers.insert(event.record_id);
        if filter.wants(&event.provider, event.event_id) {
            log.events.push(event);
        }
    }

    /// Notes damage.
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.log.problems.push(problem);
    }

    /// Whether nothing was found so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.log.records == 0
    }

    /// The log that the export shows.
    pub(crate) fn finish(mut self) -> EventLog {
        self.log.complete = self.is_complete();
        let most = self.channels.into_iter().filter(|(name, _)| !name.is_empty());
        // Of two channels with as many records the one that sorts first is named.
        let most = most.max_by(|(a, x), (b, y)| x.cmp(y).then_with(|| b.cmp(a)));
        self.log.channel = most.map(|(name, _)| name).unwrap_or_default();
        self.log
    }

    /// An export says nowhere which query made it. It is taken for complete only when the records themselves prove it: one
    /// channel, numbers without a gap, enough of them and of more than one kind, and nothing broken. A query would leave gaps; a
    /// limit of number or time does not, but then `oldest` and `newest` say what is covered.
    fn is_complete(&self) -> bool {
        let log = &self.log;
        let (Some(first), Some(last)) = (self.numbers.first(), self.numbers.last()) else { return false };
        let gapless = last - first == log.records - 1 && self.numbers.len() as u64 == log.records;
        gapless && *first > 0 && long_enough(log) && self.channels.len() == 1 && log.problems.is_empty()
    }
}
