//! What a record says.

use super::element::{Content, Element};
use super::value::Value;

/// One record to be written.
#[derive(Clone, Debug)]
pub struct EventSpec {
    pub provider: String,
    pub id: u16,
    pub level: u8,
    /// UTC, `2026-11-19T08:00:00Z`.
    pub time: String,
    /// EventRecordID; by default the next one.
    pub record_id: Option<u64>,
    pub version: u8,
    pub qualifiers: Option<u16>,
    pub computer: Option<String>,
    pub channel: Option<String>,
    pub user_sid: Option<String>,
    pub process_id: u32,
    /// Named items; an empty name gives `<Data>` without a name, `Binary` the element of that name.
    pub data: Vec<(String, Value)>,
    /// Child of `UserData`.
    pub user_data: Option<Element>,
    /// Provider name and id are part of the template instead of being in slots.
    pub literal: bool,
    /// The record has no template: all of it is an inline element stream, as in logs exported with a query.
    pub inline: bool,
    /// The data has no fragment header, as in records of providers with a manifest.
    pub bare: bool,
}

impl EventSpec {
    pub fn new(provider: &str, id: u16, time: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            id,
            level: 4,
            time: time.to_owned(),
            record_id: None,
            version: 0,
            qualifiers: None,
            computer: None,
            channel: None,
            user_sid: None,
            process_id: 4,
            data: Vec::new(),
            user_data: None,
            literal: false,
            inline: false,
            bare: false,
        }
    }
    pub fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }
    pub fn record_id(mut self, record_id: u64) -> Self {
        self.record_id = Some(record_id);
        self
    }
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }
    pub fn qualifiers(mut self, qualifiers: u16) -> Self {
        self.qualifiers = Some(qualifiers);
        self
    }
    pub fn computer(mut self, computer: &str) -> Self {
        self.computer = Some(computer.to_owned());
        self
    }
    /// A channel other than the log's, as in forwarded events.
    pub fn channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.to_owned());
        self
    }
    pub fn user_sid(mut self, sid: &str) -> Self {
        self.user_sid = Some(sid.to_owned());
        self
    }
    pub fn process_id(mut self, process_id: u32) -> Self {
        self.process_id = process_id;
        self
    }
    /// A named item; an empty name gives an unnamed one.
    pub fn data(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.push((name.to_owned(), value.into()));
        self
    }
    /// Several named text items.
    pub fn items(mut self, items: &[(&str, &str)]) -> Self {
        self.data.extend(items.iter().map(|(name, value)| ((*name).to_owned(), Value::text(value))));
        self
    }
    /// The `Binary` element of classic providers.
    pub fn binary(self, bytes: &[u8]) -> Self {
        self.data("Binary", Value::binary(bytes))
    }
    pub fn user_data(mut self, element: Element) -> Self {
        self.user_data = Some(element);
        self
    }
    pub fn literal(mut self) -> Self {
        self.literal = true;
        self
    }
    pub fn inline(mut self) -> Self {
        self.inline = true;
        self
    }
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    fn payload(&self) -> Option<Element> {
        if let Some(element) = &self.user_data {
            return Some(Element::new("UserData").child(element.clone()));
        }
        if self.data.is_empty() {
            return None;
        }
        Some(self.data.iter().fold(Element::new("EventData"), |parent, (name, value)| {
            let item = match name.as_str() {
                "" => Element::new("Data"),
                "Binary" => Element::new("Binary"),
                name => Element::new("Data").literal_attribute("Name", name),
            };
            parent.child(item.value(value.clone()))
        }))
    }

    pub(super) fn tree(&self, channel: &str, computer: &str, record_id: u64) -> Element {
        let provider = Element::new("Provider");
        let event_id = Element::new("EventID")
            .attribute("Qualifiers", self.qualifiers.map_or_else(Value::null, Value::u16));
        let (provider, event_id) = if self.literal {
            (provider.literal_attribute("Name", &self.provider), event_id.literal(&self.id.to_string()))
        } else {
            (provider.attribute("Name", self.provider.as_str()), event_id.value(Value::u16(self.id)))
        };
        let execution = Element::new("Execution")
            .attribute("ProcessID", Value::u32(self.process_id))
            .attribute("ThreadID", Value::u32(8));
        let user = self.user_sid.as_deref().map_or_else(Value::null, Value::sid);
        let system = Element::new("System")
            .child(provider)
            .child(event_id)
            .child(Element::new("Version").value(Value::u8(self.version)))
            .child(Element::new("Level").value(Value::u8(self.level)))
            .child(Element::new("Task").value(Value::u16(0)))
            .child(Element::new("Opcode").value(Value::u8(0)))
            .child(Element::new("Keywords").value(Value::hex64(0x8000_0000_0000_0000)))
            .child(Element::new("TimeCreated").attribute("SystemTime", Value::time(&self.time)))
            .child(Element::new("EventRecordID").value(Value::u64(record_id)))
            .child(execution)
            .child(Element::new("Channel").literal(self.channel.as_deref().unwrap_or(channel)))
            .child(Element::new("Computer").literal(self.computer.as_deref().unwrap_or(computer)))
            .child(Element::new("Security").attribute("UserID", user));
        let namespace = "http://schemas.microsoft.com/win/2004/08/events/event";
        let mut event = Element::new("Event").literal_attribute("xmlns", namespace).child(system);
        event.content.extend(self.payload().map(|payload| Content::Embedded(Box::new(payload))));
        event
    }
}
