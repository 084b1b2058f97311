//! Questions to the event logs, and what the logs cover in time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::questions::{Question, note};
use super::{Lookup, Source, Sourced, Unknown};
use crate::artifact::ArtifactId;
use crate::artifact::event::{Event, EventLog};
use crate::time::FileTime;

/// Events that a check wants: provider, ids, and the channels they are written to. Providers and ids identify a record; the
/// channels only tell which log must cover the time for an absence to mean anything (two builds use two names for one log).
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// Provider name, any case.
    pub provider: &'static str,
    /// Event ids; empty means all of the provider.
    pub ids: &'static [u32],
    /// Channels that can hold them.
    pub channels: &'static [&'static str],
}

/// A span of time in which an answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Start, inclusive.
    pub from: FileTime,
    /// End, inclusive: the collection time.
    pub to: FileTime,
    /// How the end is known.
    pub basis: Basis,
}

/// How the collection time is known (domain.md section 13, decision 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The collector's manifest says it.
    Manifest,
    /// The newest record of the event logs.
    NewestRecord,
    /// Newest write time of a registry key: there were no logs.
    NewestKey,
}

impl Window {
    /// Whether a time lies in it.
    pub fn contains(&self, time: FileTime) -> bool {
        self.from <= time && time <= self.to
    }
}

/// One log of the bundle, without its events.
#[derive(Clone, Debug)]
pub struct LogFacts {
    /// The file.
    pub artifact: ArtifactId,
    /// Its path, for sentences.
    pub path: String,
    /// Channel; empty when no record says it.
    pub channel: String,
    /// Live records.
    pub records: u64,
    /// Oldest record.
    pub oldest: Option<FileTime>,
    /// Newest record.
    pub newest: Option<FileTime>,
    /// Whether absence in it can mean anything.
    pub complete: bool,
    /// Records by computer.
    pub computers: BTreeMap<String, u64>,
}

/// What the collector's manifest says of an exported log: every record of the channel since a time is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub artifact: ArtifactId,
    /// The channel, also when the file holds no record that would say it.
    pub channel: String,
    /// Since when nothing is left out.
    pub since: FileTime,
}

/// All events and logs of a machine.
#[derive(Debug, Default)]
pub struct Events {
    logs: Vec<LogFacts>,
    spans: Vec<Span>,
    /// Sorted by time, then artifact and record: the order of every answer.
    events: Vec<(ArtifactId, Event)>,
    /// Where the events of each provider are.
    providers: HashMap<Arc<str>, Vec<usize>, RandomState>,
}

/// What the logs say about the absence of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// A complete log of the channel reaches back to the start of the window.
    Whole(Source),
    /// A log is there but begins later than the window, was cut, or is only an excerpt.
    Short(Source, String),
    /// No log of the channel.
    None,
}

impl Events {
    /// Takes the events of all logs. The same record of the same computer in two files (a copy, an archive) counts once.
    pub fn new(logs: Vec<(ArtifactId, String, EventLog)>) -> Self {
        let mut facts = Vec::new();
        let mut events = Vec::new();
        for (artifact, path, log) in logs {
            facts.push(LogFacts {
                artifact,
                path,
                channel: log.channel,
                records: log.records,
                oldest: log.oldest,
                newest: log.newest,
                complete: log.complete,
                computers: log.computers,
            });
            events.extend(log.events.into_iter().map(|event| Some((artifact, event))));
        }
        let mut events = sorted(events);
        events.dedup_by(|(_, later), (_, earlier)| same_record(earlier, later));
        let mut providers: HashMap<_, Vec<usize>, RandomState> = HashMap::default();
        for (place, (_, event)) in events.iter().enumerate() {
            match providers.get_mut(&event.provider) {
                Some(places) => places.push(place),
                None => drop(providers.insert(Arc::clone(&event.provider), vec![place])),
            }
        }
        Self { logs: facts, spans: Vec::new(), events, providers }
    }

    /// The same with what the manifest says of the logs: an export of the last days can begin after the failure window although nothing
    /// is missing from it, because nothing happened before.
    pub fn with_spans(mut self, spans: Vec<Span>) -> Self {
        self.spans = spans;
        self
    }

    /// All logs.
    pub fn logs(&self) -> &[LogFacts] {
        &self.logs
    }

    /// All events that were decoded, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Event> + Clone {
        self.events.iter().map(|(_, event)| event)
    }

    /// The wanted events, oldest first.
    pub fn of(&self, want: Want) -> Vec<Sourced<&Event>> {
        self.note_channels(want);
        self.written_by(want.provider, want.ids)
    }

    /// Notes that these channels were asked for, where an answer is kept from an earlier question.
    pub fn note_channels(&self, want: Want) {
        want.channels.iter().for_each(|channel| note(|| Question::Channel(channel)));
    }

    /// The events of a provider, oldest first; no ids means all of them.
    pub fn written_by(&self, provider: &str, ids: &[u32]) -> Vec<Sourced<&Event>> {
        let named = self.providers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(provider));
        let mut places: Vec<usize> = named.flat_map(|(_, places)| places).copied().collect();
        places.sort_unstable();
        let events = places.into_iter().filter_map(|place| self.events.get(place));
        events
            .filter(|(_, event)| ids.is_empty() || ids.contains(&event.event_id))
            .map(|(artifact, event)| Sourced {
                value: event,
                source: source(*artifact, event.record_id, event.time),
            })
            .collect()
    }

    /// The wanted events inside a window.
    pub fn within(&self, want: Want, window: Window) -> Vec<Sourced<&Event>> {
        let mut found = self.of(want);
        found.retain(|event| window.contains(event.value.time));
        found
    }

    /// Whether the logs of these channels cover a window from its start.
    pub fn coverage(&self, channels: &[&str], window: Window) -> Coverage {
        let mut short = None;
        for span in &self.spans {
            if span.since <= window.from
                && channels.iter().any(|name| span.channel.eq_ignore_ascii_case(name))
            {
                return Coverage::Whole(Source {
                    artifact: span.artifact,
                    locator: format!("every record since {}", span.since),
                    time: None,
                    doubts: Vec::new(),
                });
            }
        }
        for log in &self.logs {
            if !channels.iter().any(|channel| log.channel.eq_ignore_ascii_case(channel)) {
                continue;
            }
            let place = Source {
                artifact: log.artifact,
                locator: match (log.oldest, log.newest) {
                    (Some(oldest), Some(newest)) => format!("records from {oldest} to {newest}"),
                    _ => "no records".to_owned(),
                },
                time: log.newest,
                doubts: Vec::new(),
            };
            let reason = match log.oldest {
                None => "it holds no records".to_owned(),
                Some(_) if !log.complete => "it is an excerpt or damaged".to_owned(),
                Some(oldest) if oldest > window.from => {
                    format!("its oldest record ({oldest}) is younger than the failure window")
                }
                Some(_) => return Coverage::Whole(place),
            };
            short.get_or_insert((place, reason));
        }
        match short {
            Some((place, reason)) => Coverage::Short(place, reason),
            None => Coverage::None,
        }
    }

    /// Found, absent within the window, or unknown.
    pub fn ask(&self, want: Want, window: Window) -> Lookup<Vec<Sourced<&Event>>> {
        let found = self.within(want, window);
        if let Some(newest) = found.last() {
            let source = newest.source.clone();
            return Lookup::Found(Sourced { value: found, source });
        }
        let log = want.channels.first().copied().unwrap_or(want.provider);
        match self.coverage(want.channels, window) {
            Coverage::Whole(source) => Lookup::Absent(source),
            Coverage::Short(_, reason) => {
                Lookup::Unknown(Unknown { what: format!("event log {log}"), reason: Some(reason) })
            }
            Coverage::None => Lookup::Unknown(Unknown { what: format!("event log {log}"), reason: None }),
        }
    }

    /// The newest record time over all logs. One log that runs more than a day ahead of at least two others is not believed.
    pub fn newest(&self) -> Option<FileTime> {
        const DAY: i64 = 86_400;
        let mut times: Vec<FileTime> = self.logs.iter().filter_map(|log| log.newest).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        match times.as_slice() {
            [first, second, third, ..]
                if first.seconds_since(*second) > DAY && second.seconds_since(*third) <= DAY =>
            {
                Some(*second)
            }
            [first, ..] => Some(*first),
            [] => None,
        }
    }

    /// Computers that wrote the records, most records first.
    pub fn computers(&self) -> Vec<(String, u64)> {
        let mut sum: BTreeMap<&str, u64> = BTreeMap::new();
        for log in &self.logs {
            for (name, count) in &log.computers {
                *sum.entry(name).or_default() += count;
            }
        }
        let mut list: Vec<(String, u64)> = sum.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        list
    }
}

/// Puts events in their order. Only their keys are moved about: an event is large.
fn sorted(mut events: Vec<Option<(ArtifactId, Event)>>) -> Vec<(ArtifactId, Event)> {
    let key = |(place, event): (usize, &Option<(ArtifactId, Event)>)| {
        event.as_ref().map(|(artifact, event)| (event.time, event.record_id, *artifact, place))
    };
    let mut order: Vec<_> = events.iter().enumerate().filter_map(key).collect();
    order.sort_unstable();
    order.into_iter().filter_map(|(.., place)| events.get_mut(place)?.take()).collect()
}

fn source(artifact: ArtifactId, record: u64, time: FileTime) -> Source {
    Source { artifact, locator: format!("record {record}"), time: Some(time), doubts: Vec::new() }
}

fn same_record(a: &Event, b: &Event) -> bool {
    a.record_id == b.record_id
        && a.time == b.time
        && a.event_id == b.event_id
        && a.provider == b.provider
        && a.channel == b.channel
        && a.computer == b.computer
        && a.data == b.data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::event_fields::Fields;

    const SYSTEM: Want = Want { provider: "Schannel", ids: &[36887], channels: &["System"] };

    fn log(times: &[u64], complete: bool) -> EventLog {
        let events: Vec<Event> = times.iter().map(|t| event(*t)).collect();
        EventLog {
            channel: "System".into(),
            records: events.len() as u64,
            oldest: events.first().map(|e| e.time),
            newest: events.last().map(|e| e.time),
            complete,
            events,
            ..EventLog::default()
        }
    }

    fn event(t: u64) -> Event {
        Event {
            channel: "System".into(),
            provider: "Schannel".into(),
            event_id: 36887,
            qualifiers: None,
            version: None,
            level: Some(2),
            record_id: t,
            time: FileTime::from_ticks(t),
            computer: "PC".into(),
            user_sid: None,
            process_id: None,
            data: Fields::default(),
            user_data: None,
        }
    }

    fn window(from: u64, to: u64) -> Window {
        Window { from: FileTime::from_ticks(from), to: FileTime::from_ticks(to), basis: Basis::Manifest }
    }

    #[test]
    fn an_event_is_found_absent_or_unknown() {
        let events = Events::new(vec![(ArtifactId(0), "System.evtx".into(), log(&[10, 20], true))]);
        assert!(events.ask(SYSTEM, window(15, 30)).found().is_some());
        assert!(events.ask(SYSTEM, window(25, 30)).is_absent());
        // The log begins after the window: what happened before it was written cannot be told.
        let late = Events::new(vec![(ArtifactId(0), "System.evtx".into(), log(&[50], true))]);
        assert!(late.ask(SYSTEM, window(25, 30)).is_unknown());
        assert!(Events::default().ask(SYSTEM, window(25, 30)).is_unknown());
    }

    #[test]
    fn the_manifest_says_what_an_export_covers() {
        let quiet = || Events::new(vec![(ArtifactId(0), "System.evtx".into(), log(&[28], false))]);
        let since = |ticks| Span {
            artifact: ArtifactId(0),
            channel: "System".into(),
            since: FileTime::from_ticks(ticks),
        };
        let other = Want { ids: &[36874], ..SYSTEM };
        assert!(quiet().ask(other, window(25, 30)).is_unknown());
        assert!(quiet().with_spans(vec![since(25)]).ask(other, window(25, 30)).is_absent());
        assert!(quiet().with_spans(vec![since(26)]).ask(other, window(25, 30)).is_unknown());
    }

    #[test]
    fn an_excerpt_never_proves_absence() {
        let events = Events::new(vec![(ArtifactId(0), "x.xml".into(), log(&[10, 20], false))]);
        assert!(events.ask(SYSTEM, window(25, 30)).is_unknown());
    }

    #[test]
    fn the_same_log_twice_counts_once() {
        let twice = vec![
            (ArtifactId(0), "a.evtx".into(), log(&[10, 20], true)),
            (ArtifactId(1), "b.evtx".into(), log(&[10, 20], true)),
        ];
        assert_eq!(Events::new(twice).of(SYSTEM).len(), 2);
    }

    #[test]
    fn one_log_far_ahead_of_the_others_does_not_set_the_time() {
        // domain.md section 13, decision 15 (b).
        let day = 86_400 * crate::time::TICKS_PER_SECOND;
        let logs = [(0, 9 * day), (1, 2 * day), (2, 2 * day + 5)];
        let logs = logs.map(|(n, t)| (ArtifactId(n), String::new(), log(&[t], true))).to_vec();
        assert_eq!(Events::new(logs).newest(), Some(FileTime::from_ticks(2 * day + 5)));
    }
}
