//! Learning the names of a machine from its evidence.
//!
//! Two passes. The first takes what stands in fields that are named after it; the second reads every text for what has a form of its own,
//! with the names of the first already known, and gives the pseudonyms in the order of the bundle. After that nothing is learned any more:
//! what an output shows never depends on what was written before it.

use serde_json::Value;

use super::Redactor;
use super::kind::{self, Kind};
use super::names::Names;
use super::scan::Scan;
use crate::artifact::capture::{Capture, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::value::{RegValue, hex};
use crate::evidence::Evidence;

/// Longer texts of the registry are not looked through: they are data, not names.
const LONGEST: usize = 64 << 10;

impl Redactor {
    /// Learns the names of a machine.
    pub fn learn(evidence: &Evidence) -> Self {
        let mut names = Names::default();
        evidence.events.iter().for_each(|event| keep_groups(&mut names, event));
        for account in evidence.registry.accounts() {
            account.name.iter().for_each(|name| names.learn(Kind::User, name));
        }
        for (computer, _) in evidence.events.computers() {
            names.learn(Kind::Computer, &computer);
        }
        for row in evidence.registry.rows() {
            key_names(&mut names, &row.key);
            if let Some(value) = &row.value {
                value_names(&mut names, &row.key, value);
            }
        }
        for capture in evidence.captures.iter() {
            capture_names(&mut names, capture);
        }
        evidence.events.iter().for_each(|event| event_names(&mut names, event));
        let mut redactor = Self { names: Some(names), ..Self::default() };
        redactor.read_through(evidence);
        redactor
    }

    /// Learns from further events, after everything else.
    pub fn learn_events<'e>(&mut self, events: impl Iterator<Item = &'e Event> + Clone) {
        let Some(names) = &mut self.names else { return };
        events.clone().for_each(|event| keep_groups(names, event));
        events.clone().for_each(|event| event_names(names, event));
        let mut found = Vec::new();
        events.for_each(|event| event_texts(event, &mut |text| self.find(text, &mut found)));
        self.take(found);
    }

    /// Learns from further texts, after everything else.
    pub fn learn_texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let mut found = Vec::new();
        texts.for_each(|text| self.find(text, &mut found));
        self.take(found);
    }

    /// The second pass.
    fn read_through(&mut self, evidence: &Evidence) {
        let mut found = Vec::new();
        for artifact in &evidence.artifacts {
            self.find(&artifact.path, &mut found);
        }
        let mut last = None;
        for row in evidence.registry.rows() {
            if last.as_ref() != Some(&row.key) {
                self.find(&row.key, &mut found);
                last = Some(row.key.clone());
            }
            let Some(value) = &row.value else { continue };
            self.find(&value.name, &mut found);
            for text in value.as_text().into_iter().chain(value.as_list().unwrap_or_default()) {
                if text.len() <= LONGEST {
                    self.find(&text, &mut found);
                }
            }
        }
        for capture in evidence.captures.iter() {
            let data = serde_json::to_value(&capture.data).unwrap_or_default();
            tree_texts(&data, &mut |text| self.find(text, &mut found), 0);
        }
        for event in evidence.events.iter() {
            event_texts(event, &mut |text| self.find(text, &mut found));
        }
        self.take(found);
    }

    fn find(&self, text: &str, found: &mut Vec<(Kind, String)>) {
        if let Some(names) = &self.names {
            found.extend(Scan::new(self, names, text).learned());
        }
    }

    fn take(&mut self, found: Vec<(Kind, String)>) {
        if let Some(names) = &mut self.names {
            found.iter().for_each(|(kind, name)| names.learn(*kind, name));
        }
    }
}

/// Names that stand in the paths of keys.
fn key_names(names: &mut Names, key: &str) {
    const PLACES: [(&str, Kind); 3] = [
        (r"\Domains\Account\Users\Names\", Kind::User),
        (r"\CloudDomainJoin\JoinInfo\", Kind::Device),
        (r"\CloudDomainJoin\TenantInfo\", Kind::Tenant),
    ];
    for (place, kind) in PLACES {
        if let Some((_, rest)) = key.split_once(place) {
            names.learn(kind, rest.split('\\').next().unwrap_or_default());
        }
    }
}

fn value_names(names: &mut Names, key: &str, value: &RegValue) {
    if value.name.eq_ignore_ascii_case("DefaultGatewayMac") && value.bytes.len() == 6 {
        names.learn(Kind::Mac, &hex(&value.bytes));
        return;
    }
    let field = kind::folded(&value.name);
    let kind = kind::of_field(&value.name).or_else(|| match field.as_str() {
        "profilename" | "description" if key.contains(r"\NetworkList\") => Some(Kind::Network),
        "friendlyname" if key.contains(r"\Identity\Identities") => Some(Kind::User),
        _ => None,
    });
    let (Some(kind), Some(text)) = (kind, value.as_text()) else { return };
    // Class ids are called like this too; a person's ids stand below the user or where devices are joined.
    names.learn(kind, &text);
}

/// Local groups that every Windows has are called differently in every language, but their SIDs say what they are: `TargetUserName` beside
/// a `TargetSid` below S-1-5-32 is nobody's name.
fn keep_groups(names: &mut Names, event: &Event) {
    let of = |wanted: &[String]| event.data.iter().find(|field| wanted.contains(&kind::folded(field.name)));
    for field in event.data.iter().filter(|field| field.name.ends_with("Name")) {
        let folded = kind::folded(field.name);
        let Some(role) = folded.strip_suffix("username") else { continue };
        let sid = of(&[format!("{role}sid"), format!("{role}usersid")]);
        if sid.is_some_and(|sid| sid.value.starts_with("S-1-5-32-")) {
            names.keep(field.value);
        }
    }
}

fn event_names(names: &mut Names, event: &Event) {
    names.learn(Kind::Computer, &event.computer);
    for field in event.data.iter() {
        if let Some(kind) = kind::of_field(field.name) {
            names.learn(kind, field.value);
        }
    }
    if let Some(tree) = &event.user_data {
        tree_names(names, "", tree, &|_| None, 0);
    }
}

fn event_texts(event: &Event, look: &mut dyn FnMut(&str)) {
    event.user_sid.iter().for_each(|sid| look(sid));
    event.data.iter().for_each(|field| look(field.value));
    if let Some(tree) = &event.user_data {
        tree_texts(tree, look, 0);
    }
}

fn capture_names(names: &mut Names, capture: &Capture) {
    let data = serde_json::to_value(&capture.data).unwrap_or_default();
    let special = |field: &str| match (capture.kind, field) {
        (CaptureKind::ConnectionProfile, "name") => Some(Kind::Network),
        (kind, "profile" | "name") if kind.name().contains("wlan") => Some(Kind::Network),
        _ => None,
    };
    tree_names(names, "", &data, &special, 0);
}

/// Deeper than any reader of ours goes.
const DEEPEST: usize = 256;

fn tree_names(
    names: &mut Names,
    name: &str,
    tree: &Value,
    special: &dyn Fn(&str) -> Option<Kind>,
    depth: usize,
) {
    if depth > DEEPEST {
        return;
    }
    match tree {
        Value::String(text) => {
            if let Some(kind) = special(name).or_else(|| kind::of_field(name)) {
                names.learn(kind, text);
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|item| tree_names(names, name, item, special, depth + 1))
        }
        Value::Object(map) => {
            for (key, item) in map {
                let inner =
                    if matches!(key.as_str(), "value" | "text" | "#text") { name } else { key.as_str() };
                tree_names(names, inner, item, special, depth + 1);
            }
        }
        _ => {}
    }
}

fn tree_texts(tree: &Value, look: &mut dyn FnMut(&str), depth: usize) {
    match tree {
        _ if depth > DEEPEST => {}
        Value::String(text) => look(text),
        Value::Array(items) => items.iter().for_each(|item| tree_texts(item, look, depth + 1)),
        Value::Object(map) => map.values().for_each(|item| tree_texts(item, look, depth + 1)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::FileTime;

    /// Event 4735 as a German Windows writes it (learn.microsoft.com, event-4735): S-1-5-32-551 is Backup Operators in every language.
    #[test]
    fn groups_of_every_windows_are_told_by_their_sid() {
        let event = Event {
            channel: "Security".into(),
            provider: "Microsoft-Windows-Security-Auditing".into(),
            event_id: 4735,
            qualifiers: None,
            version: None,
            level: None,
            record_id: 1,
            time: FileTime::from_ticks(0),
            computer: "PC17".into(),
            user_sid: None,
            process_id: None,
            data: [
                ("TargetUserName", "Sicherungs-Operatoren"),
                ("TargetSid", "S-1-5-32-551"),
                ("SubjectUserName", "Kowalski"),
                ("SubjectUserSid", "S-1-5-21-1-2-3-1001"),
            ]
            .into_iter()
            .collect(),
            user_data: None,
        };
        let mut redactor = Redactor { names: Some(Names::default()), ..Redactor::default() };
        redactor.learn_events(std::iter::once(&event));
        assert_eq!(redactor.field("TargetUserName", "Sicherungs-Operatoren"), "Sicherungs-Operatoren");
        assert_eq!(redactor.text("Sicherungs-Operatoren and Kowalski"), "Sicherungs-Operatoren and USER-1");
        assert_eq!(redactor.field("computer_name", "PC17.corp.contoso.com"), "PC-1.domain1.example");
    }
}
