//! Whether the machine was on a network at the time of a record: an error while it was not is no fault (domain.md 5.5).

use crate::artifact::event::Event;
use crate::checks::case::Case;
use crate::checks::signals::NETWORKS;
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
const CONNECTED: u32 = 10_000;

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
    networks: Vec<Sourced<&'e Event>>,
    capability: Vec<Sourced<&'e Event>>,
    boots: Vec<FileTime>,
    resumes: Vec<FileTime>,
}

impl<'e> History<'e> {
    /// Reads the whole logs: a network that was connected before the window still is.
    pub fn read(case: &Case<'e>) -> Self {
        let events = &case.evidence.events;
        let times = |want| events.of(want).iter().map(|event| event.value.time).collect();
        Self {
            networks: events.of(NETWORKS),
            capability: events.of(CAPABILITY),
            boots: times(BOOTS),
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
        // A boot ends all connections, and no disconnect is written for it.
        let since_boot = |event: &&Sourced<&Event>| boot.is_none_or(|boot| event.value.time >= boot);
        let past = |event: &&Sourced<&Event>| event.value.time <= time;
        let known: Vec<_> = self.networks.iter().filter(since_boot).filter(past).collect();
        if known.is_empty() {
            return self.by_capability(boot, time);
        }
        let mut up: Vec<Option<&str>> = Vec::new();
        for event in known {
            let network = event.value.field("Guid");
            up.retain(|open| *open != network);
            if event.value.event_id == CONNECTED {
                up.push(network);
            }
        }
        if up.is_empty() { Link::Down } else { Link::Up }
    }

    /// NCSI's newest word for IPv4 (Family 0) since the boot, else that a network came up only later.
    fn by_capability(&self, boot: Option<FileTime>, time: FileTime) -> Link {
        let newest = self.capability.iter().rfind(|event| {
            let at = event.value.time;
            at <= time && boot.is_none_or(|boot| at >= boot) && event.value.field("Family") == Some("0")
        });
        match newest.and_then(|event| event.value.field("Capability")) {
            Some("2") => Link::Up,
            Some("0" | "1") => Link::Down,
            _ => {
                let next = self.networks.iter().find(|event| event.value.time > time);
                let comes_up = next.is_some_and(|event| event.value.event_id == CONNECTED);
                if comes_up && boot.is_some() { Link::Down } else { Link::Unknown }
            }
        }
    }
}
