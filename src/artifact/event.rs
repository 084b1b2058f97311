//! One event, the same whether it came from a binary log, from exported XML or from text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Problem;
use super::event_fields::Fields;
use crate::time::FileTime;

/// One live event record.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Channel as the record says it; empty if it does not.
    pub channel: Arc<str>,
    /// Provider name.
    pub provider: Arc<str>,
    /// Event id without its qualifiers.
    pub event_id: u32,
    /// The `Qualifiers` attribute of classic providers.
    pub qualifiers: Option<u32>,
    /// Event version.
    pub version: Option<u32>,
    /// 1 critical, 2 error, 3 warning, 4 information, 0 always.
    pub level: Option<u32>,
    /// EventRecordID: what an engineer looks up.
    pub record_id: u64,
    /// `TimeCreated`.
    pub time: FileTime,
    /// Computer that wrote the record.
    pub computer: Arc<str>,
    /// `Security/@UserID`.
    pub user_sid: Option<String>,
    /// `Execution/@ProcessID`.
    pub process_id: Option<u32>,
    /// Items of `EventData` in their order.
    pub data: Fields,
    /// `UserData` as a tree: elements are objects, attributes `@name`, text `#text` where an element has attributes too.
    pub user_data: Option<serde_json::Value>,
}

impl Event {
    /// A field by name, compared without blanks and case: manifests and logs disagree about blanks (domain.md 2.3).
    pub fn field(&self, name: &str) -> Option<&str> {
        self.data.iter().find(|field| same_name(field.name, name)).map(|field| field.value)
    }

    /// A positional item of `EventData`, counted over all items.
    pub fn item(&self, index: usize) -> Option<&str> {
        self.data.get(index).map(|field| field.value)
    }

    /// The values of all items of `EventData`, one a line.
    pub fn all_text(&self) -> String {
        self.data.iter().map(|field| field.value).collect::<Vec<_>>().join("\n")
    }

    /// Whether an item of `EventData` has this text in it, in any case of ASCII letters.
    pub fn mentions(&self, text: &str) -> bool {
        let holds = |value: &str| {
            value.as_bytes().windows(text.len().max(1)).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
        };
        self.data.iter().any(|field| holds(field.value))
    }

    /// The first element or attribute (`@name`) of that name anywhere in `UserData`, as text.
    pub fn user(&self, name: &str) -> Option<String> {
        find_in(self.user_data.as_ref()?, name)
    }

    /// An attribute of the first element of that name in `UserData` that has it: `attribute("Result", "value")`.
    pub fn attribute(&self, element: &str, attribute: &str) -> Option<&str> {
        attribute_in(self.user_data.as_ref()?, element, &format!("@{attribute}"))
    }
}

/// The tree is as deep as the record's elements, which the decoder bounds.
fn attribute_in<'t>(tree: &'t serde_json::Value, element: &str, attribute: &str) -> Option<&'t str> {
    match tree {
        serde_json::Value::Object(map) => {
            let named = map.iter().filter(|(key, _)| same_name(key, element));
            named
                .flat_map(|(_, value)| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice))
                .find_map(|value| value.get(attribute)?.as_str())
                .or_else(|| map.values().find_map(|value| attribute_in(value, element, attribute)))
        }
        serde_json::Value::Array(items) => {
            items.iter().find_map(|value| attribute_in(value, element, attribute))
        }
        _ => None,
    }
}

fn find_in(tree: &serde_json::Value, name: &str) -> Option<String> {
    match tree {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                if same_name(key, name) {
                    return Some(match value {
                        serde_json::Value::String(text) => text.clone(),
                        serde_json::Value::Object(inner) => match inner.get("#text") {
                            Some(serde_json::Value::String(text)) => text.clone(),
                            _ => value.to_string(),
                        },
                        other => other.to_string(),
                    });
                }
            }
            map.values().find_map(|value| find_in(value, name))
        }
        serde_json::Value::Array(items) => items.iter().find_map(|value| find_in(value, name)),
        _ => None,
    }
}

/// Names are equal without regard to blanks and ASCII case.
pub fn same_name(a: &str, b: &str) -> bool {
    fn folded(text: &str) -> impl Iterator<Item = char> {
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase())
    }
    folded(a).eq(folded(b))
}

/// Which events are to be decoded. Everything else is only counted.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Decode every record (for dumps).
    pub everything: bool,
    /// Provider names in ASCII lower case, each with its wanted ids; an empty set means all ids of that provider.
    pub wanted: BTreeMap<String, BTreeSet<u32>>,
    /// Kinds of which only some records are wanted. A reader may let others through.
    pub only: Vec<Only>,
}

/// A kind of record that is wanted only when it is about certain things.
#[derive(Clone, Debug)]
pub struct Only {
    /// Provider name, any case.
    pub provider: &'static str,
    /// Event id.
    pub id: u32,
    /// Name of the item of `EventData` that says what the record is about.
    pub field: &'static str,
    /// What it may say, any case.
    pub values: Vec<&'static str>,
}

impl Only {
    /// Whether a kind of record is the one that this is about.
    pub fn is_about(&self, provider: &str, id: u32) -> bool {
        self.id == id && self.provider.eq_ignore_ascii_case(provider)
    }

    /// Whether a record is wanted. One of another kind is, and one that does not say what it is about.
    pub fn admits(&self, event: &Event) -> bool {
        !self.is_about(&event.provider, event.event_id)
            || event.field(self.field).is_none_or(|value| self.names(value))
    }

    /// Whether a value is one of those wanted.
    pub fn names(&self, value: &str) -> bool {
        self.values.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    }
}

impl EventFilter {
    /// A filter that lets every record through.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Adds a kind of which only some records are wanted; all of them, if they are wanted already.
    pub fn want_only(&mut self, only: Only) {
        if !self.wants(only.provider, only.id) {
            self.want(only.provider, &[only.id]);
            self.only.push(only);
        }
    }

    /// What is wanted of a kind, if it is not all of it: a position in [`Self::only`].
    pub fn only(&self, provider: &str, id: u32) -> Option<usize> {
        self.only.iter().position(|only| only.is_about(provider, id)).filter(|_| !self.everything)
    }

    /// Adds ids of a provider; no ids means all of them.
    pub fn want(&mut self, provider: &str, ids: &[u32]) {
        use std::collections::btree_map::Entry;
        self.only.retain(|only| {
            !only.provider.eq_ignore_ascii_case(provider) || !(ids.is_empty() || ids.contains(&only.id))
        });
        match self.wanted.entry(provider.to_ascii_lowercase()) {
            Entry::Vacant(slot) => {
                slot.insert(ids.iter().copied().collect());
            }
            Entry::Occupied(mut slot) if ids.is_empty() => slot.get_mut().clear(),
            Entry::Occupied(mut slot) if !slot.get().is_empty() => slot.get_mut().extend(ids),
            Entry::Occupied(_) => {}
        }
    }

    /// Whether a record of this provider and id is wanted.
    pub fn wants(&self, provider: &str, id: u32) -> bool {
        self.everything
            || self
                .wanted
                .get(&provider.to_ascii_lowercase())
                .is_some_and(|ids| ids.is_empty() || ids.contains(&id))
    }
}

/// What one log, export or event listing holds.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    /// Channel of most records; empty if none says it.
    pub channel: String,
    /// How many live records the log holds, wanted or not.
    pub records: u64,
    /// Time of the oldest live record.
    pub oldest: Option<FileTime>,
    /// Time of the newest live record.
    pub newest: Option<FileTime>,
    /// Providers that have at least one record in this log.
    pub providers: BTreeSet<String>,
    /// Computer names in the records, with the number of records of each.
    pub computers: BTreeMap<String, u64>,
    /// Number of records by provider and id.
    pub histogram: BTreeMap<(String, u32), u64>,
    /// The whole log was read: no chunk was lost and the form shows every record of the channel. Exports made with a
    /// query and text excerpts are not complete, so absence proves nothing there.
    pub complete: bool,
    /// The wanted events, in the order of the log.
    pub events: Vec<Event>,
    /// What was damaged.
    pub problems: Vec<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_are_compared_without_blanks_and_case() {
        // domain.md 2.3 and trap 15: Defender writes "Product Name", its manifest says "ProductName".
        assert!(same_name("Product Name", "ProductName"));
        assert!(same_name("Error Code", "errorcode"));
        assert!(!same_name("Error", "ErrorCode"));
    }

    #[test]
    fn attributes_are_found_by_their_element() {
        // The shape of CAPI2 53 (domain.md 2.3): the result is Result/@value, and other elements have a value too.
        let tree = serde_json::json!({"CryptRetrieveObjectByUrlWire": {
            "Flags": {"@value": "2004"},
            "Action": [{"@name": "NetworkRetrieval"}, {"@name": "x", "@value": "5"}],
            "Result": {"@value": "80092013", "#text": "offline"},
        }});
        let find = |element, name: &str| attribute_in(&tree, element, name);
        assert_eq!(find("Result", "@value"), Some("80092013"));
        assert_eq!(find("Action", "@value"), Some("5"));
        assert_eq!((find("Result", "@name"), find("Missing", "@value")), (None, None));
    }

    #[test]
    fn wanting_some_records_of_a_kind_gives_way_to_wanting_all() {
        let only =
            || Only { provider: "Service Control Manager", id: 7040, field: "param4", values: vec!["Dhcp"] };
        let mut filter = EventFilter::default();
        filter.want_only(only());
        assert!(filter.wants("Service Control Manager", 7040));
        assert_eq!(filter.only("SERVICE CONTROL MANAGER", 7040), Some(0));
        filter.want("Service Control Manager", &[7000]);
        assert_eq!(filter.only("Service Control Manager", 7040), Some(0));
        filter.want("service control manager", &[7040]);
        assert_eq!(filter.only("Service Control Manager", 7040), None);
        filter.want_only(only());
        assert_eq!(filter.only("Service Control Manager", 7040), None);
    }

    #[test]
    fn wanting_all_ids_beats_wanting_some() {
        let mut filter = EventFilter::default();
        filter.want("Schannel", &[36871]);
        filter.want("schannel", &[36887]);
        assert!(filter.wants("Schannel", 36887) && !filter.wants("Schannel", 1));
        filter.want("Schannel", &[]);
        filter.want("Schannel", &[5]);
        assert!(filter.wants("SCHANNEL", 1) && !filter.wants("Other", 1));
    }
}
