//! One event of a listing: its printed properties, and the event that they make.

use std::sync::Arc;

use super::clock::Clock;
use crate::artifact::event::Event;
use crate::artifact::event_fields::Fields;
use crate::artifact::{Place, Problem};

/// The printed properties of one event.
#[derive(Debug)]
pub(super) struct Record {
    /// Line that it starts at.
    pub line: u32,
    /// Names and values as printed.
    pub properties: Vec<(String, String)>,
    /// Items of `EventData` by position, where the form keeps them.
    pub items: Vec<Item>,
}

/// An item of `EventData` without its name.
#[derive(Debug)]
pub(super) enum Item {
    /// Text or number.
    Text(String),
    /// Bytes, as upper-case hex.
    Bytes(String),
}

/// The properties that an event keeps, with the names that `wevtutil`, `Get-WinEvent` and `Get-EventLog` give them (lower case,
/// without blanks). The first name that is there counts.
const NAMES: &[(Property, &[&str])] = &[
    (Property::Time, &["timecreated", "date", "timegenerated"]),
    (Property::Provider, &["providername", "source"]),
    (Property::Id, &["id", "eventid"]),
    (Property::Qualifiers, &["qualifiers"]),
    (Property::Version, &["version"]),
    (Property::Level, &["level", "leveldisplayname", "entrytype"]),
    (Property::Number, &["recordid", "index"]),
    (Property::Channel, &["logname"]),
    (Property::Process, &["processid"]),
    (Property::User, &["userid", "user"]),
    (Property::Computer, &["machinename", "computer"]),
    (Property::Message, &["message", "description"]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    Time,
    Provider,
    Id,
    Qualifiers,
    Version,
    Level,
    Number,
    Channel,
    Process,
    User,
    Computer,
    Message,
}

/// Level words of Event Viewer in the languages whose prints are at hand; in others the level stays unknown.
const LEVELS: &[(u32, &[&str])] = &[
    (1, &["critical", "kritisch", "critique", "crítico"]),
    (2, &["error", "fehler", "erreur", "错误"]),
    (3, &["warning", "warnung", "avertissement", "advertencia", "警告"]),
    (4, &["information", "informationen", "informations", "información", "信息"]),
];

impl Record {
    /// A record that starts at a line.
    pub(super) fn new(line: u32) -> Self {
        Self { line, properties: Vec::new(), items: Vec::new() }
    }

    /// Whether a property of this name was printed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    fn get(&self, property: Property) -> Option<&str> {
        let (_, names) = NAMES.iter().find(|(known, _)| *known == property)?;
        let value = |name: &&str| {
            let found = self.properties.iter().find(|(known, _)| folded(known) == **name);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty() && *value != "N/A")
        };
        names.iter().find_map(value)
    }

    /// The time as printed.
    pub(super) fn time(&self) -> Option<&str> {
        self.get(Property::Time)
    }

    /// The record number.
    pub(super) fn number(&self) -> Option<u64> {
        self.get(Property::Number)?.parse().ok()
    }

    /// The event, if the print says provider and id.
    pub(super) fn into_event(self, clock: &Clock) -> Result<Event, Problem> {
        let missing = |what: &str| Problem::new(Place::Line(self.line), what, "a record without one");
        let number = |property| self.get(property).and_then(|text| text.parse().ok());
        let text = |property| Arc::from(self.get(property).unwrap_or_default());
        let event_id = number(Property::Id).ok_or_else(|| missing("an event id"))?;
        let provider = self.get(Property::Provider).ok_or_else(|| missing("a provider name"))?;
        let data = self.data(provider);
        Ok(Event {
            channel: text(Property::Channel),
            provider: provider.into(),
            event_id,
            qualifiers: number(Property::Qualifiers),
            version: number(Property::Version),
            level: self.get(Property::Level).and_then(level),
            record_id: self.number().unwrap_or_default(),
            time: self.time().and_then(|time| clock.read(time)).unwrap_or_default(),
            computer: text(Property::Computer),
            user_sid: self.get(Property::User).filter(|user| user.starts_with("S-1-")).map(str::to_owned),
            process_id: number(Property::Process),
            data,
            user_data: None,
        })
    }

    fn data(&self, provider: &str) -> Fields {
        // The Service Control Manager names its items by position (domain reference, section 2.3).
        let classic = provider.eq_ignore_ascii_case("Service Control Manager");
        let named = self.items.iter().enumerate().map(|(index, item)| match item {
            Item::Bytes(value) if classic => ("Binary".to_owned(), value.as_str()),
            Item::Text(value) if classic => (format!("param{}", index + 1), value.as_str()),
            Item::Text(value) | Item::Bytes(value) => (format!("#{index}"), value.as_str()),
        });
        let message = self.get(Property::Message).map(|value| ("Message".to_owned(), value));
        named.chain(message).collect()
    }
}

/// A property's name in lower case and without blanks.
fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn level(text: &str) -> Option<u32> {
    let word = text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let known = || LEVELS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(level, _)| *level);
    word.parse().ok().or_else(known)
}
