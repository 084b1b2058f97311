//! The decisive events around the failure, in order: boots and clock changes, networks coming and going, services that fail or change,
//! errors, and sign-ins that do not succeed. Out of all logs, so that what happened together stands together.

use std::collections::HashMap;

use serde::Serialize;

use crate::artifact::event::{Event, EventFilter, Only};
use crate::artifact::event_decode::{ErrorCode, service_of};
use crate::evidence::events::{Want, Window};
use crate::evidence::{Evidence, Sourced};
use crate::facts::settings::SERVICES;
use crate::knowledge;
use crate::time::FileTime;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The machine started or stopped.
    Boot,
    /// The clock was changed or could not be set.
    Clock,
    /// A network came or went, or Windows changed its mind about it.
    Network,
    /// A service failed or was changed.
    Service,
    /// A connection or TLS error.
    Connection,
    /// A sign-in or device error.
    SignIn,
    /// A dialog of Office.
    Office,
    /// A log was cleared.
    Log,
}

/// Which events are decisive, and what each means in a few words.
const DECISIVE: &[(Want, Kind, &str)] = &[
    (want("EventLog", &[6005]), Kind::Boot, "Windows started (event log service)"),
    (want("EventLog", &[6006]), Kind::Boot, "Windows was shut down"),
    (want("EventLog", &[6008]), Kind::Boot, "the last shutdown was unexpected"),
    (want("Microsoft-Windows-Kernel-Power", &[41]), Kind::Boot, "restarted without a clean shutdown"),
    (want("Microsoft-Windows-Kernel-General", &[1]), Kind::Clock, "the system time was changed"),
    (
        want("Microsoft-Windows-Time-Service", &[34, 50, 52]),
        Kind::Clock,
        "the time service and the clock disagree",
    ),
    (want("Microsoft-Windows-NetworkProfile", &[10000]), Kind::Network, "network connected"),
    (want("Microsoft-Windows-NetworkProfile", &[10001]), Kind::Network, "network disconnected"),
    (want("Microsoft-Windows-NCSI", &[4042]), Kind::Network, "connectivity changed"),
    (
        want("Service Control Manager", &[7000, 7001, 7003, 7009, 7023, 7024, 7031, 7034]),
        Kind::Service,
        "a service failed",
    ),
    (want(START_TYPE.0, &[START_TYPE.1]), Kind::Service, "the start type of a service was changed"),
    (want("Schannel", &[36871, 36874, 36887, 36888]), Kind::Connection, "TLS error"),
    (want("Microsoft-Windows-WinHttp", &[1053]), Kind::Connection, "TLS handshake failed on the version"),
    (want("Microsoft-Windows-Bits-Client", &[61]), Kind::Connection, "a transfer failed"),
    (want("Microsoft-Windows-WindowsUpdateClient", &[20, 25, 31]), Kind::Connection, "an update failed"),
    (want("Microsoft-Windows-WinINet-Config", &[5600]), Kind::Connection, "the user's proxy was changed"),
    (want("Microsoft-Windows-AAD", &[1081, 1084, 1098, 1101, 1112]), Kind::SignIn, "sign-in error"),
    (
        want("Microsoft-Windows-User Device Registration", &[204, 304, 305]),
        Kind::SignIn,
        "device registration failed",
    ),
    (want("Microsoft Office 16 Alerts", &[300]), Kind::Office, "Office showed a dialog"),
    (want("Microsoft Office 15 Alerts", &[300]), Kind::Office, "Office showed a dialog"),
    (want("Microsoft-Windows-Eventlog", &[104, 1102]), Kind::Log, "a log was cleared"),
];

/// Provider and id of the record of a changed start type.
const START_TYPE: (&str, u32) = ("Service Control Manager", 7040);

/// Services whose start type matters: those with facts, without BITS, whose start type Windows itself changes all the time.
fn start_type_matters() -> Only {
    let services = SERVICES.iter().copied().filter(|service| *service != "BITS");
    Only { provider: START_TYPE.0, id: START_TYPE.1, field: "param4", values: services.collect() }
}

const fn want(provider: &'static str, ids: &'static [u32]) -> Want {
    Want { provider, ids, channels: &[] }
}

impl Around {
    /// A heading that claims no more than is known.
    pub fn title(&self) -> &'static str {
        if self.time.is_some() { "Around the failure" } else { "Decisive events" }
    }
}

impl Kind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Boot,
        Self::Clock,
        Self::Network,
        Self::Service,
        Self::Connection,
        Self::SignIn,
        Self::Office,
        Self::Log,
    ];

    /// In a word, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boot => "Start",
            Self::Clock => "Clock",
            Self::Network => "Network",
            Self::Service => "Service",
            Self::Connection => "Connection",
            Self::SignIn => "Sign-in",
            Self::Office => "Office",
            Self::Log => "Log",
        }
    }
}

/// Adds what the timeline wants decoded.
pub fn add_interest(events: &mut EventFilter) {
    events.want_only(start_type_matters());
    for (want, ..) in DECISIVE.iter().filter(|(want, ..)| want.ids != [START_TYPE.1]) {
        events.want(want.provider, want.ids);
    }
}

/// One line of the timeline.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// When.
    pub time: FileTime,
    /// What it is about.
    pub kind: Kind,
    /// What happened.
    pub what: String,
    /// Provider of the record.
    pub provider: String,
    /// Event id.
    pub event_id: u32,
    /// File.
    pub artifact: String,
    /// `record 1234`.
    pub locator: String,
}

/// The decisive events in order; only those of a window, if one is given.
pub fn moments(evidence: &Evidence, window: Option<Window>) -> Vec<Moment> {
    let mut found: Vec<Moment> = Vec::new();
    let start_types = start_type_matters();
    for (want, kind, meaning) in DECISIVE {
        let events = match window {
            Some(window) => evidence.events.within(*want, window),
            None => evidence.events.of(*want),
        };
        found.extend(
            events
                .iter()
                .filter(|event| counts(event.value))
                .filter(|event| start_types.admits(event.value))
                .map(|event| moment(evidence, event, *kind, meaning)),
        );
    }
    sort(&mut found);
    found
}

/// Moments told in a report, and how many of them may say the same.
const TOLD: usize = 40;
const ALIKE: usize = 3;

/// The moments of a report: those nearest to the failure, in order.
#[derive(Clone, Debug, Serialize)]
pub struct Around {
    /// The point in time that they surround: the newest evidence of the first cause, or else the newest failure on record. Null where no
    /// cause was found: then they are the newest ones, and nothing is said to have failed.
    pub time: Option<FileTime>,
    /// Decisive events in the whole failure window; `actriage timeline` prints them.
    pub total: usize,
    /// Those nearest to that time; of events that say the same only a few.
    pub moments: Vec<Moment>,
}

/// Chooses out of all moments those to tell. `found` says whether there is a cause, `evidence` when its newest evidence was written.
pub fn around(all: Vec<Moment>, found: bool, evidence: Option<FileTime>) -> Around {
    let failed = |moment: &&Moment| {
        matches!(moment.kind, Kind::Service | Kind::Connection | Kind::SignIn | Kind::Office)
    };
    let near_one = |time: &FileTime| {
        let day = 86_400;
        all.iter().any(|moment| moment.time.seconds_since(*time).abs() <= day)
    };
    let newest_failure = || all.iter().rev().find(failed).or(all.last()).map(|moment| moment.time);
    // A registry value may be years older than the window: then the newest failure says where to look.
    let time = evidence.filter(near_one).or_else(newest_failure).filter(|_| found);
    let total = all.len();
    let centre = time.or(all.last().map(|moment| moment.time));
    let mut chosen = all;
    if let Some(time) = centre {
        chosen.sort_by_key(|moment| moment.time.seconds_since(time).unsigned_abs());
    }
    let mut seen: HashMap<(u32, String), usize> = HashMap::new();
    chosen.retain(|moment| {
        let alike = seen.entry((moment.event_id, moment.what.clone())).or_default();
        *alike += 1;
        *alike <= ALIKE
    });
    chosen.truncate(TOLD);
    sort(&mut chosen);
    Around { time, total, moments: chosen }
}

fn sort(moments: &mut [Moment]) {
    moments.sort_by(|a, b| (a.time, &a.artifact, &a.locator).cmp(&(b.time, &b.artifact, &b.locator)));
}

/// Broker records whose code reports success or information are written by the dozen on healthy machines (R34).
fn counts(event: &Event) -> bool {
    let code = event.field("Error").and_then(ErrorCode::parse);
    code.is_none_or(|code| !matches!(code.value() >> 28, 4 | 8) || code.value() >> 16 & 0xfff != 0xaa5)
}

fn moment(evidence: &Evidence, event: &Sourced<&Event>, kind: Kind, meaning: &str) -> Moment {
    let artifact =
        evidence.artifacts.get(event.source.artifact.0).map(|a| a.path.clone()).unwrap_or_default();
    let detail = detail(event.value);
    let what =
        if detail.is_empty() { meaning.to_owned() } else { format!("{meaning}: {}", one_line(&detail)) };
    Moment {
        time: event.value.time,
        kind,
        what,
        provider: event.value.provider.to_string(),
        event_id: event.value.event_id,
        artifact,
        locator: event.source.locator.clone(),
    }
}

/// A message of several lines, as dialogs have them, in one.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// Fields worth showing, in the order in which they are looked for.
const FIELDS: &[&str] = &[
    "Name",
    "Capability",
    "param2",
    "param3",
    "AlertDesc",
    "TargetName",
    "ErrorState",
    "Error",
    "Result",
    "hr",
    "errorCode",
    "ErrorMessage",
    "ExitCode",
    "ErrorDescription",
    "pwszProxy",
    "pwszAutoConfigUrl",
    "NewTime",
    "TimeOffsetSeconds",
];

/// Longest text of one field.
const LONGEST: usize = 160;

fn detail(event: &Event) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(service) = service_of(event) {
        parts.push(service.key);
    }
    if let Some(channel) = event.user("Channel") {
        parts.push(channel);
    }
    for name in FIELDS {
        let Some(value) = event.field(name).map(str::trim).filter(|value| !value.is_empty()) else {
            continue;
        };
        let mut text: String = value.chars().take(LONGEST).collect();
        if value.chars().count() > LONGEST {
            text.push('…');
        }
        match ErrorCode::parse(value).filter(|_| is_code(name)) {
            Some(code) => parts.push(format!("{name}={text}{}", meaning_of(code))),
            None => parts.push(format!("{name}={text}")),
        }
    }
    if parts.is_empty() && event.data.iter().all(|field| field.name.starts_with('#')) {
        parts.extend(event.data.iter().take(3).map(|field| field.value.chars().take(LONGEST).collect()));
    }
    parts.join(", ")
}

fn is_code(name: &str) -> bool {
    matches!(name, "param2" | "Error" | "Result" | "hr" | "errorCode" | "ExitCode")
}

/// The symbol of a code, in brackets.
fn meaning_of(code: ErrorCode) -> String {
    let known = knowledge::meanings(&code.to_string());
    let symbol = known.iter().map(|meaning| meaning.symbol).find(|symbol| !symbol.is_empty());
    symbol.map(|symbol| format!(" ({symbol})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: u64, what: &str) -> Moment {
        Moment {
            time: FileTime::from_ticks(minute * 60 * crate::time::TICKS_PER_SECOND),
            kind: Kind::Service,
            what: what.to_owned(),
            provider: String::new(),
            event_id: 7023,
            artifact: "System.evtx".to_owned(),
            locator: format!("record {minute}"),
        }
    }

    #[test]
    fn the_nearest_are_told_in_order_and_the_same_only_a_few_times() {
        let mut all: Vec<Moment> = (0..100).map(|minute| at(minute, &format!("service {minute}"))).collect();
        all.extend((100..110).map(|minute| at(minute, "the same")));
        let told = around(all, true, Some(at(105, "").time));
        assert_eq!((told.total, told.moments.len()), (110, TOLD));
        assert_eq!(told.time, Some(at(105, "").time));
        let minutes: Vec<u64> = told
            .moments
            .iter()
            .map(|moment| moment.time.ticks() / 60 / crate::time::TICKS_PER_SECOND)
            .collect();
        assert!(minutes.is_sorted());
        assert_eq!(minutes.first(), Some(&63));
        assert_eq!(told.moments.iter().filter(|moment| moment.what == "the same").count(), ALIKE);
    }

    #[test]
    fn where_nothing_was_found_nothing_is_said_to_have_failed() {
        let told = around(vec![at(1, "a"), at(2, "b")], false, None);
        assert_eq!((told.time, told.moments.len()), (None, 2));
        assert_eq!(told.title(), "Decisive events");
    }

    #[test]
    fn evidence_that_is_years_older_than_the_logs_is_no_centre() {
        let old = FileTime::from_ticks(0);
        let day = 1440;
        let told = around(vec![at(9 * day, "a"), at(10 * day, "b")], true, Some(old));
        assert_eq!(told.time, Some(at(10 * day, "").time));
    }
}
