//! Builds one [`Event`] out of the elements of its XML, whether they come from binary XML or from text.
//!
//! Both readers walk a tree in document order; what an element means is decided here and only here, so that a record reads the
//! same in a log and in an export of it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::event::Event;
use super::event_fields::Fields;
use crate::time::FileTime;

/// Deeper nesting than any event has; deeper elements are refused.
pub(crate) const MAX_DEPTH: usize = 64;

/// Collects the parts of one event. Call [`open`](Self::open), [`attribute`](Self::attribute), [`text`](Self::text) and
/// [`close`](Self::close) in document order, then [`finish`](Self::finish).
#[derive(Debug)]
pub(crate) struct EventBuilder {
    event: Event,
    items: Vec<Item>,
    stack: Vec<Frame>,
    /// Text of the `System` property that is open.
    text: String,
    /// Number of unnamed items so far.
    unnamed: usize,
    has_id: bool,
}

#[derive(Debug)]
enum Frame {
    /// `Event`.
    Event,
    /// `Event/System`.
    System,
    /// An element of `System`.
    Property(Property),
    /// `Event/EventData`.
    EventData,
    /// An item of `EventData`, by its index.
    Item(usize),
    /// `UserData` and whatever else an event carries beside `System` and `EventData`.
    Tree(Branch),
    /// Nothing that is kept.
    Skipped,
}

/// An item of `EventData`. Items can stand in each other, so each grows for itself.
#[derive(Debug, Default)]
struct Item {
    name: String,
    value: String,
}

#[derive(Debug)]
struct Branch {
    name: String,
    members: Map<String, Value>,
    text: String,
}

/// The elements of `System` that an [`Event`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    Provider,
    EventId,
    Version,
    Level,
    TimeCreated,
    EventRecordId,
    Execution,
    Channel,
    Computer,
    Security,
}

const PROPERTIES: [(&str, Property); 10] = [
    ("Provider", Property::Provider),
    ("EventID", Property::EventId),
    ("Version", Property::Version),
    ("Level", Property::Level),
    ("TimeCreated", Property::TimeCreated),
    ("EventRecordID", Property::EventRecordId),
    ("Execution", Property::Execution),
    ("Channel", Property::Channel),
    ("Computer", Property::Computer),
    ("Security", Property::Security),
];

impl EventBuilder {
    /// A builder for a record whose header says this number and time; the record's own properties win over them.
    pub(crate) fn new(record_id: u64, time: FileTime) -> Self {
        let event = Event {
            channel: Arc::default(),
            provider: Arc::default(),
            event_id: 0,
            qualifiers: None,
            version: None,
            level: None,
            record_id,
            time,
            computer: Arc::default(),
            user_sid: None,
            process_id: None,
            data: Fields::default(),
            user_data: None,
        };
        Self {
            event,
            items: Vec::new(),
            stack: Vec::with_capacity(8),
            text: String::new(),
            unnamed: 0,
            has_id: false,
        }
    }

    /// A builder for an event whose `System` properties are known: the `Event` element is open, and its data is to come.
    pub(crate) fn behind_system(event: Event) -> Self {
        let mut stack = Vec::with_capacity(8);
        stack.push(Frame::Event);
        Self { event, items: Vec::new(), stack, text: String::new(), unnamed: 0, has_id: true }
    }

    /// Makes room for so many items.
    pub(crate) fn expect_items(&mut self, count: usize) {
        self.items.reserve(count.min(64));
    }

    /// Whether an element is open.
    pub(crate) fn is_open(&self) -> bool {
        !self.stack.is_empty()
    }

    /// Whether the open element is the one whose attribute states the event's time.
    pub(crate) fn in_time(&self) -> bool {
        matches!(self.stack.last(), Some(Frame::Property(Property::TimeCreated)))
    }

    /// Sets the event's time without the detour over text.
    pub(crate) fn time(&mut self, time: FileTime) {
        self.event.time = time;
    }

    /// A start tag. `false` when it lies deeper than [`MAX_DEPTH`]; the event is then not worth building further.
    pub(crate) fn open(&mut self, name: &str) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            return false;
        }
        let frame = match self.stack.last() {
            None if name == "Event" => Frame::Event,
            Some(Frame::Event) => match name {
                "System" => Frame::System,
                "EventData" => Frame::EventData,
                "RenderingInfo" => Frame::Skipped,
                _ => Frame::Tree(Branch::new(name)),
            },
            Some(Frame::System) => {
                self.text.clear();
                let property = PROPERTIES.iter().find(|(known, _)| *known == name);
                property.map_or(Frame::Skipped, |(_, property)| Frame::Property(*property))
            }
            Some(Frame::EventData | Frame::Item(_)) => {
                let name = if name == "Data" { String::new() } else { name.to_owned() };
                self.new_item(name)
            }
            Some(Frame::Tree(_)) => Frame::Tree(Branch::new(name)),
            None | Some(Frame::Property(_) | Frame::Skipped) => Frame::Skipped,
        };
        self.stack.push(frame);
        true
    }

    fn new_item(&mut self, name: String) -> Frame {
        self.items.push(Item { name, value: String::new() });
        Frame::Item(self.items.len() - 1)
    }

    /// An attribute of the open element.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        match self.stack.last_mut() {
            Some(Frame::Property(property)) => {
                let property = *property;
                self.property_attribute(property, name, value);
            }
            Some(Frame::Item(index)) if name == "Name" => {
                if let Some(field) = self.items.get_mut(*index) {
                    value.clone_into(&mut field.name);
                }
            }
            Some(Frame::Tree(branch)) => {
                branch.members.insert(format!("@{name}"), Value::from(value));
            }
            _ => {}
        }
    }

    /// Text inside the open element; several pieces are joined.
    pub(crate) fn text(&mut self, text: &str) {
        match self.stack.last_mut() {
            Some(Frame::Property(_)) => self.text.push_str(text),
            Some(Frame::Item(index)) => {
                if let Some(field) = self.items.get_mut(*index) {
                    field.value.push_str(text);
                }
            }
            Some(Frame::Tree(branch)) => branch.text.push_str(text),
            _ => {}
        }
    }

    /// Closes the open element and opens it again with the same name and attributes: how an array value is shown. Gives the number of
    /// bytes of these.
    pub(crate) fn repeat(&mut self) -> usize {
        match self.stack.pop() {
            Some(Frame::Item(index)) => {
                let name = self.items.get(index).map(|field| field.name.clone()).unwrap_or_default();
                let copied = name.len();
                self.close_item(index);
                let frame = self.new_item(name);
                self.stack.push(frame);
                copied
            }
            Some(Frame::Tree(branch)) => {
                let again = Branch {
                    name: branch.name.clone(),
                    members: branch
                        .members
                        .iter()
                        .filter(|(key, _)| key.starts_with('@'))
                        .map(owned)
                        .collect(),
                    text: String::new(),
                };
                let attributes = again.members.iter();
                let copied = attributes.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len));
                let copied = again.name.len() + copied.sum::<usize>();
                self.close_branch(branch);
                self.stack.push(Frame::Tree(again));
                copied
            }
            Some(other) => {
                self.stack.push(other);
                self.text(" ");
                0
            }
            None => 0,
        }
    }

    /// An end tag.
    pub(crate) fn close(&mut self) {
        match self.stack.pop() {
            Some(Frame::Property(property)) => self.property_text(property),
            Some(Frame::Item(index)) => self.close_item(index),
            Some(Frame::Tree(branch)) => self.close_branch(branch),
            _ => {}
        }
    }

    fn close_item(&mut self, index: usize) {
        if let Some(field) = self.items.get_mut(index).filter(|field| field.name.is_empty()) {
            field.name = format!("#{}", self.unnamed);
            self.unnamed += 1;
        }
    }

    fn close_branch(&mut self, branch: Branch) {
        let name = branch.name.clone();
        let value = branch.into_value();
        match self.stack.last_mut() {
            Some(Frame::Tree(parent)) => add(&mut parent.members, name, value),
            // `UserData` itself is no level of the tree; other parts keep their name.
            _ if name == "UserData" && self.event.user_data.is_none() => self.event.user_data = Some(value),
            _ => match self.event.user_data.get_or_insert_with(|| Value::Object(Map::new())) {
                Value::Object(members) => add(members, name, value),
                _ => self.event.user_data = Some(Value::Object(Map::from_iter([(name, value)]))),
            },
        }
    }

    fn property_attribute(&mut self, property: Property, name: &str, value: &str) {
        let event = &mut self.event;
        match (property, name) {
            (Property::Provider, "Name") => event.provider = value.into(),
            (Property::EventId, "Qualifiers") => event.qualifiers = value.parse().ok(),
            (Property::TimeCreated, "SystemTime") => {
                event.time = FileTime::parse(value).unwrap_or(event.time)
            }
            (Property::Execution, "ProcessID") => event.process_id = value.parse().ok(),
            (Property::Security, "UserID") if !value.is_empty() => event.user_sid = Some(value.to_owned()),
            _ => {}
        }
    }

    fn property_text(&mut self, property: Property) {
        let (event, text) = (&mut self.event, self.text.trim());
        match property {
            Property::EventId => {
                if let Ok(id) = text.parse() {
                    event.event_id = id;
                    self.has_id = true;
                }
            }
            Property::Version => event.version = text.parse().ok(),
            Property::Level => event.level = text.parse().ok(),
            Property::EventRecordId => event.record_id = text.parse().unwrap_or(event.record_id),
            Property::Channel => event.channel = text.into(),
            Property::Computer => event.computer = text.into(),
            Property::Provider | Property::TimeCreated | Property::Execution | Property::Security => {}
        }
    }

    /// The event, if the elements held an event id.
    pub(crate) fn finish(mut self) -> Option<Event> {
        while self.is_open() {
            self.close();
        }
        self.event.data = self.items.into_iter().map(|item| (item.name, item.value)).collect();
        self.has_id.then_some(self.event)
    }
}

impl Branch {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), members: Map::new(), text: String::new() }
    }

    fn into_value(mut self) -> Value {
        if self.members.is_empty() {
            return Value::String(self.text);
        }
        if !self.text.trim().is_empty() {
            self.members.insert("#text".to_owned(), Value::String(self.text));
        }
        Value::Object(self.members)
    }
}

fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// Adds a member; a name that is there already becomes a list.
fn add(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(single) => {
            let first = std::mem::take(single);
            *single = Value::Array(vec![first, value]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(builder: &mut EventBuilder, name: &str, attributes: &[(&str, &str)], text: &str) {
        assert!(builder.open(name));
        for (name, value) in attributes {
            builder.attribute(name, value);
        }
        builder.text(text);
        builder.close();
    }

    fn with_id() -> EventBuilder {
        let mut builder = EventBuilder::new(7, FileTime::default());
        assert!(builder.open("Event") && builder.open("System"));
        element(&mut builder, "EventID", &[("Qualifiers", "49152")], "7023");
        builder.close();
        builder
    }

    #[test]
    fn unnamed_items_are_numbered_and_binary_keeps_its_name() {
        let mut builder = with_id();
        builder.open("EventData");
        element(&mut builder, "Data", &[], "a");
        element(&mut builder, "Data", &[("Name", "param2")], "%%21");
        element(&mut builder, "Data", &[], "b");
        element(&mut builder, "Binary", &[], "00FF");
        let event = builder.finish().unwrap();
        let data: Vec<_> = event.data.iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(data, [("#0", "a"), ("param2", "%%21"), ("#1", "b"), ("Binary", "00FF")]);
        assert_eq!((event.event_id, event.qualifiers, event.record_id), (7023, Some(49152), 7));
    }

    #[test]
    fn user_data_becomes_a_tree() {
        let mut builder = with_id();
        builder.open("UserData");
        builder.open("RuleAndFileData");
        element(&mut builder, "Package", &[], "X");
        element(&mut builder, "Result", &[("value", "800B0101")], "expired");
        element(&mut builder, "Address", &[], "1");
        element(&mut builder, "Address", &[], "2");
        let event = builder.finish().unwrap();
        let expected = serde_json::json!({"RuleAndFileData": {
            "Package": "X", "Result": {"@value": "800B0101", "#text": "expired"}, "Address": ["1", "2"]}});
        assert_eq!(event.user_data, Some(expected));
    }

    #[test]
    fn what_is_no_event_is_none() {
        let mut builder = EventBuilder::new(0, FileTime::default());
        element(&mut builder, "Objs", &[], "text");
        assert_eq!(builder.finish(), None);
    }

    #[test]
    fn depth_is_bounded() {
        let mut builder = EventBuilder::new(0, FileTime::default());
        assert!((0..MAX_DEPTH).all(|_| builder.open("Event")));
        assert!(!builder.open("Event"));
    }
}
