//! Reports that may be shared: personal names become pseudonyms, secrets are masked.
//!
//! A [`Redactor`] first learns the names of one machine from its evidence (`learn`), and then stands between what actriage found and what it
//! writes. Names are replaced wherever they stand as a word; what has a form of its own (SIDs, mail addresses, IP and hardware addresses,
//! profile paths) is recognised by it, whether it was learned or not (`scan`). Well-known accounts and public services stay (`keep`).
//! The same name has the same pseudonym in every output of a bundle, because the names are learned in the same order whatever is asked for.
//!
//! Secrets (`secrets`) are masked in every output, also when nothing else is to be redacted.

pub mod bundle;
mod keep;
pub mod kind;
mod learn;
mod model;
mod names;
mod scan;
mod scan_hex;
pub mod secrets;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

pub use model::comparison;
use serde_json::Value;

use kind::Kind;
use names::Names;
use secrets::Secret;

/// Replaces the names of one machine and masks secrets.
#[derive(Debug, Default)]
pub struct Redactor {
    /// The names of the machine; `None` when only secrets are masked.
    names: Option<Names>,
    numbers: RefCell<Numbers>,
    secrets: RefCell<BTreeSet<Secret>>,
}

/// Which pseudonyms were given.
#[derive(Debug, Default)]
struct Numbers {
    given: HashMap<(Kind, String), u32>,
    last: HashMap<Kind, u32>,
    /// In the order in which they were given.
    pairs: Vec<Pair>,
}

/// A pseudonym and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Pair {
    /// What the outputs show.
    pub pseudonym: String,
    /// What the evidence holds, in lower case.
    pub original: String,
}

impl Redactor {
    /// Masks secrets and leaves everything else as it is. `known`: those that were seen elsewhere in the bundle.
    pub fn masking(known: BTreeSet<Secret>) -> Self {
        Self { secrets: RefCell::new(known), ..Self::default() }
    }

    /// Whether names are replaced.
    pub fn hides_names(&self) -> bool {
        self.names.is_some()
    }

    /// A text with secrets masked and names replaced.
    pub fn text(&self, text: &str) -> String {
        let masked = secrets::mask(text, &mut self.secrets.borrow_mut());
        match &self.names {
            // A pseudonym can make a word long enough to look like a secret: a text that is redacted again must stay the same.
            Some(names) => {
                let shown = scan::Scan::new(self, names, &masked).run();
                secrets::mask(&shown, &mut BTreeSet::new())
            }
            None => masked,
        }
    }

    /// Redacts a text in its place.
    pub fn apply(&self, text: &mut String) {
        *text = self.text(text);
    }

    /// The value of a named field: the name says what an otherwise ordinary word is.
    pub fn field(&self, name: &str, value: &str) -> String {
        if let Some(secret) = secrets::of_field(name) {
            let harmless = value.is_empty() || value.starts_with('[') && value.ends_with(" masked]");
            if !harmless {
                self.secrets.borrow_mut().insert(secret);
                return secret.mask().to_owned();
            }
        }
        let Some(names) = &self.names else { return self.text(value) };
        if let Some(kind) = kind::of_field(name)
            && let Some(shown) = self.name(names, kind, value)
        {
            return shown;
        }
        // Four numbers are no address there; but `CurrentVersionPath` holds a profile.
        if kind::folded(name).contains("version") && !value.contains(['\\', '/', '@']) {
            return secrets::mask(value, &mut self.secrets.borrow_mut());
        }
        self.text(value)
    }

    /// A name of a known kind; `None` when the value has not the form of one, or is none of the user.
    fn name(&self, names: &Names, kind: Kind, value: &str) -> Option<String> {
        let value = value.trim();
        if names.keeps(value) || (kind::is_pseudonym(value) && !names.knows(value)) {
            return Some(value.to_owned());
        }
        let forms = Names::forms(kind, value);
        match forms.as_slice() {
            [(kind, name)] if name.len() == value.len() => Some(self.pseudonym(*kind, name)),
            [(one, first), (two, second)] if first.len() + second.len() + 1 == value.len() => {
                let (first, second) = (self.pseudonym(*one, first), self.pseudonym(*two, second));
                // A computer stands before its domain, a user behind it.
                let host = *two == Kind::Computer && *one == Kind::DnsDomain;
                Some(if host { format!("{second}.{first}") } else { format!("{first}\\{second}") })
            }
            _ => None,
        }
    }

    /// The pseudonym of a value of the evidence.
    fn pseudonym(&self, kind: Kind, original: &str) -> String {
        let key = names::fold(original);
        let mut numbers = self.numbers.borrow_mut();
        let numbers = &mut *numbers;
        if let Some(number) = numbers.given.get(&(kind, key.clone())) {
            return kind.pseudonym(*number);
        }
        let last = numbers.last.entry(kind).or_default();
        // A machine may really be called PC-1.
        let taken = |name: &str| self.names.as_ref().is_some_and(|names| names.knows(name));
        *last += 1;
        while taken(&kind.pseudonym(*last)) {
            *last += 1;
        }
        let pseudonym = kind.pseudonym(*last);
        numbers.pairs.push(Pair { pseudonym: pseudonym.clone(), original: key.clone() });
        numbers.given.insert((kind, key), *last);
        pseudonym
    }

    /// A tree with every string and every key redacted; fields are told by their keys.
    pub fn json(&self, value: Value) -> Value {
        self.json_below("", value, 0)
    }

    fn json_below(&self, name: &str, value: Value, depth: usize) -> Value {
        /// Deeper than any reader of ours goes.
        const DEEPEST: usize = 256;
        match value {
            _ if depth > DEEPEST => Value::Null,
            Value::String(text) => Value::String(self.field(name, &text)),
            Value::Array(items) => {
                items.into_iter().map(|item| self.json_below(name, item, depth + 1)).collect()
            }
            Value::Object(map) => {
                let entry = |(key, item): (String, Value)| {
                    // `{"host_name": {"line": 2, "value": "PC17"}}`
                    let inner =
                        if matches!(key.as_str(), "value" | "text" | "#text") { name } else { key.as_str() };
                    let item = self.json_below(inner, item, depth + 1);
                    (self.text(&key), item)
                };
                Value::Object(map.into_iter().map(entry).collect())
            }
            other => other,
        }
    }

    /// The facts of a machine; the last part of a fact's name is that of the field.
    pub fn facts(&self, facts: Value) -> Value {
        let Value::Object(map) = facts else { return self.json(facts) };
        let row = |(name, row): (String, Value)| {
            let field = name.rsplit('.').next().unwrap_or_default().to_owned();
            let Value::Object(row) = row else { return (self.text(&name), self.json(row)) };
            let cell = |(key, cell): (String, Value)| {
                let cell = if key == "value" {
                    self.json_below(&field, cell, 0)
                } else {
                    self.json_below(&key, cell, 0)
                };
                (key, cell)
            };
            (self.text(&name), Value::Object(row.into_iter().map(cell).collect()))
        };
        Value::Object(map.into_iter().map(row).collect())
    }

    /// A row of a dump. Of a registry value the name is another cell than the data, and binary data is left out where names are: it may
    /// hold them in any form.
    pub fn row(&self, row: Value) -> Value {
        let Value::Object(mut map) = row else { return self.json(row) };
        let name = map.get("value").and_then(Value::as_str).map(str::to_owned);
        let data =
            name.and_then(|name| Some((name, map.get("type")?.as_str()?.to_owned(), map.remove("data")?)));
        let registry = data.is_some();
        let mut shown = match self.json(Value::Object(map)) {
            Value::Object(map) => map,
            other => return other,
        };
        if let Some((name, kind, data)) = data {
            const TEXT: [&str; 4] = ["REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_LINK"];
            let data = match data {
                Value::String(hex)
                    if !TEXT.contains(&kind.as_str())
                        && secrets::of_field(&name).is_none()
                        && self.hides_names() =>
                {
                    Value::String(format!("[{} bytes left out]", hex.len() / 2))
                }
                data => self.json_below(&name, data, 0),
            };
            shown.insert("data".to_owned(), data);
        }
        // The order of the cells stays as the contract has it.
        if registry && let Some(time) = shown.shift_remove("last_write") {
            shown.insert("last_write".to_owned(), time);
        }
        Value::Object(shown)
    }

    /// The secrets that were masked so far.
    pub fn masked(&self) -> Vec<Secret> {
        self.secrets.borrow().iter().copied().collect()
    }

    /// What stands for what, in the order in which pseudonyms were given.
    pub fn mapping(&self) -> Vec<Pair> {
        self.numbers.borrow().pairs.clone()
    }
}
