//! Whether the machine was on a network at the time of a record: an error while it was not is no fault (domain.md 5.5).

use std::collections::BTreeMap;

use crate::artifact::event::Event;
use crate::checks::case::Case;
use crate::checks::signals::Links;
use crate::evidence::Sourced;
use crate::evidence::events::Want;
use crate::time::FileTime;

/// What NCSI thinks an interface can reach: 0 nothing, 1 local, 2 the internet.
pub const CAPABILITY: Want = Want {
    provider: "Microsoft-Windows-NCSI",
    ids: &[4042],
    channels: &["Microsoft-Windows-NCSI/Operational"],
};
/// The event log started with Windows.
pub const BOOTS: Want = Want { provider: "EventLog", ids: &[6005], channels: &["System"] };
/// The machine came back from sleep.
pub const RESUMES: Want =
    Want { provider: "Microsoft-Windows-Power-Troubleshooter", ids: &[1], channels: &["System"] };

/// So long after a start or resume networks may still be on their way up.
const SETTLING_SECONDS: i64 = 120;

/// The state of the machine's networks at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// At least one network was connected.
    Up,
    /// None was, or the machine had only just started or resumed.
    Down,
    /// Nothing tells.
    Unknown,
}

/// Starts, resumes and changes of networks, each oldest first.
pub struct History<'e> {
    links: Links,
    capability: Vec<Sourced<&'e Event>>,
    boots: Vec<FileTime>,
    resumes: Vec<FileTime>,
}

impl<'e> History<'e> {
    /// Reads the whole logs: a network that was connected before the window still is.
    pub fn read(case: &Case<'e>) -> Self {
        let events = &case.evidence.events;
        let times =
            |want| -> Vec<FileTime> { events.of(want).iter().map(|event| event.value.time).collect() };
        let boots = times(BOOTS);
        Self {
            links: Links::read(case, &boots),
            capability: events.of(CAPABILITY),
            boots,
            resumes: times(RESUMES),
        }
    }

    /// The state at a time.
    pub fn at(&self, time: FileTime) -> Link {
        let before = |times: &[FileTime]| times.iter().copied().filter(|at| *at <= time).max();
        let boot = before(&self.boots);
        let start = boot.max(before(&self.resumes));
        if start.is_some_and(|start| time.seconds_since(start) <= SETTLING_SECONDS) {
            return Link::Down;
        }
        match self.links.is_lost_since(boot, time) {
            Some(true) => Link::Down,
            Some(false) => Link::Up,
            None => self.by_capability(boot, time),
        }
    }

    /// NCSI's newest word on IPv4 (Family 0) of each interface since the boot (R8), else that a network came up only later. An interface
    /// that reaches the internet is enough; one that only reaches the local network is connected, and nothing tells to what.
    fn by_capability(&self, boot: Option<FileTime>, time: FileTime) -> Link {
        let counts = |event: &&Sourced<&Event>| {
            let at = event.value.time;
            at <= time && boot.is_none_or(|boot| at >= boot) && event.value.field("Family") == Some("0")
        };
        let mut newest = BTreeMap::new();
        for event in self.capability.iter().filter(counts) {
            let interface = event.value.field("InterfaceGuid").unwrap_or_default().to_ascii_lowercase();
            newest.insert(interface, event.value.field("Capability"));
        }
        if newest.is_empty() {
            return if self.links.connects_after(time) && boot.is_some() {
                Link::Down
            } else {
                Link::Unknown
            };
        }
        let mut words = newest.values();
        if words.clone().any(|word| *word == Some("2")) {
            Link::Up
        } else if words.all(|word| *word == Some("0")) {
            Link::Down
        } else {
            Link::Unknown
        }
    }
}
