//! One view over all hives and exports of a machine.
//!
//! Hives are mounted where they live on the running machine, texts say themselves where they belong, and a question goes to
//! everything that covers the place. The answer is *found*, *absent* or *unknown*, with the source that was believed; see
//! `answer.rs` for the rule when two of them differ.
//!
//! ```
//! use actriage::artifact::{ArtifactId, reg_export::RegText, text::Text};
//! use actriage::evidence::registry::Sources;
//!
//! let text = Text::decode(b"REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:00000001\n\n");
//! let mut sources = Sources::default();
//! sources.add_text(ArtifactId(0), "select.reg", RegText::parse_export(&text).unwrap());
//! let registry = sources.mount();
//! assert_eq!(registry.value(r"HKLM\SYSTEM\Select", "Current").found().unwrap().value.as_u32(), Some(1));
//! assert!(registry.value(r"HKLM\SYSTEM\Select", "LastKnownGood").is_absent());
//! assert!(registry.value(r"HKLM\SYSTEM\Setup", "CmdLine").is_unknown());
//! ```

mod answer;
mod facts;
mod hive_source;
mod mount;
mod path;
mod place;
mod rows;
#[cfg(test)]
mod tests;
mod text_source;
mod users;

use std::fmt;
use std::ops::Deref;

pub use facts::Architecture;
pub use mount::{Conflict, Sources};
pub use path::twin;
pub use rows::{Row, RowSource};
pub use users::UserHive;

use self::answer::{Answer, Standing, State};
use self::hive_source::HiveSource;
use self::path::{below, canonical, join};
use self::place::wanted;
use self::text_source::TextSource;
use super::{Lookup, NOTHING_COVERS, Sourced, Unknown, questions};
use crate::artifact::security::SecurityDescriptor;
use crate::artifact::value::RegValue;
use crate::time::FileTime;

/// The view. Made by [`Sources::mount`].
#[derive(Debug, Default)]
pub struct Registry {
    hives: Vec<HiveSource>,
    texts: Vec<TextSource>,
    conflicts: Vec<Conflict>,
    users: Vec<UserHive>,
    control_set: ControlSet,
    /// Where the keys of `HKCU` in texts belong, when that is known: `HKU\<SID>`.
    current_user: Option<String>,
}

/// Which control set is the current one.
#[derive(Clone, Debug, Default)]
enum ControlSet {
    /// Nothing tells.
    #[default]
    Silent,
    /// `Select\Current`, or the only one that there is (with a doubt).
    Known { number: u32, doubt: Option<String> },
    /// There is a SYSTEM hive, and it does not tell.
    Unclear(String),
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// When it was last written; text forms do not tell.
    pub last_written: Option<FileTime>,
    /// Its class name, if it has one and the source is a hive.
    pub class_name: Option<String>,
}

/// All values or subkeys of a key, as far as they could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// What could be read, in stored order.
    pub items: Vec<T>,
    /// Why there may be more: one reason for each entry or place that could not be read. Nothing can be called absent, and no
    /// whole called sound, while this is not empty.
    pub unread: Vec<String>,
}

impl<T> Listing<T> {
    fn gather<E: fmt::Display>(entries: impl IntoIterator<Item = Result<T, E>>) -> Self {
        let mut listing = Self { items: Vec::new(), unread: Vec::new() };
        for entry in entries {
            match entry {
                Ok(item) => listing.items.push(item),
                Err(error) => listing.unread.push(error.to_string()),
            }
        }
        listing
    }

    /// Whether everything was read.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }
}

impl<T> Deref for Listing<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl Registry {
    /// The value of a key: `value(r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc", "Start")`. The empty name is the default
    /// value. Names and paths have no case. A value whose data is damaged is *unknown*.
    pub fn value(&self, path: &str, name: &str) -> Lookup<RegValue> {
        let ask = Question {
            hive: &|hive, rest| hive.value(rest, name),
            text: &|text, path| text.value(path, name),
            same: &|one, other| one.display() == other.display(),
            show: &RegValue::display,
        };
        self.ask(path, &ask)
    }

    /// Whether a key is there, and when it was last written.
    pub fn key(&self, path: &str) -> Lookup<KeyInfo> {
        let ask = Question {
            hive: &HiveSource::key,
            text: &TextSource::key,
            same: &|_, _| true,
            show: &|_| "the key is there".to_owned(),
        };
        self.ask(path, &ask)
    }

    /// The names of a key's direct subkeys, in stored order. *Absent*: the key itself is not there.
    pub fn subkeys(&self, path: &str) -> Lookup<Listing<String>> {
        let ask = Question {
            hive: &HiveSource::subkeys,
            text: &TextSource::subkeys,
            same: &|one, other| sorted(one.iter().cloned()) == sorted(other.iter().cloned()),
            show: &|listing| format!("{} subkeys", listing.len()),
        };
        self.ask(path, &ask)
    }

    /// All values of a key, in stored order. *Absent*: the key itself is not there.
    pub fn values(&self, path: &str) -> Lookup<Listing<RegValue>> {
        let shown = |listing: &Listing<RegValue>| {
            sorted(listing.iter().map(|value| format!("{}={}", value.name, value.display())))
        };
        let ask = Question {
            hive: &HiveSource::values,
            text: &TextSource::values,
            same: &|one, other| shown(one) == shown(other),
            show: &|listing| format!("{} values", listing.len()),
        };
        self.ask(path, &ask)
    }

    /// The security descriptor of a key. Only hives have it: an export never tells.
    pub fn security(&self, path: &str) -> Lookup<SecurityDescriptor> {
        questions::note(|| questions::Question::Security(path.to_owned()));
        let ask = Question {
            hive: &HiveSource::security,
            text: &|text, path| {
                let state = if text.shows(path) {
                    State::Unreadable("a text form of the registry carries no security".to_owned())
                } else {
                    State::Silent
                };
                Answer::new(state, path.to_owned(), None)
            },
            same: &|one, other| one == other,
            show: &|_| "another security descriptor".to_owned(),
        };
        self.ask(path, &ask)
    }

    /// What could not be brought under one roof: two hives for one place, hives of two machines, hives without a place.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    fn ask<T>(&self, path: &str, ask: &Question<'_, T>) -> Lookup<T> {
        questions::note(|| questions::Question::Key(path.to_owned()));
        let Some(path) = canonical(path) else {
            let reason = Some(format!("{path} does not begin with a root key"));
            return Lookup::Unknown(Unknown { what: "registry".to_owned(), reason });
        };
        let real = self.real_path(&path);
        let mut answers: Vec<(&Standing, Answer<T>)> = Vec::new();
        for hive in self.hives.iter().filter(|hive| hive.covers(&path)) {
            let answer = match &real {
                Err(reason) => Answer::new(State::Unreadable(reason.clone()), path.clone(), None),
                Ok(real) => (ask.hive)(hive, below(real, &hive.place).unwrap_or_default()),
            };
            answers.push((&hive.standing, answer));
        }
        let spellings = if self.texts.is_empty() { Vec::new() } else { self.spellings(&path) };
        for text in &self.texts {
            // Of two names for one place the one under which the text has it counts. An export need not follow the link
            // `CurrentControlSet`: that nothing is listed under a name that the text does not use says nothing.
            let mut said: Vec<Answer<T>> = spellings
                .iter()
                .map(|path| (path, (ask.text)(text, path)))
                .filter(|(path, answer)| match answer.state {
                    State::Silent => false,
                    State::Found(_) => true,
                    State::Absent | State::Unreadable(_) => {
                        named_root(path).is_none_or(|root| text.uses(root))
                    }
                })
                .map(|(_, answer)| answer)
                .collect();
            let found = said.iter().position(|answer| matches!(answer.state, State::Found(_)));
            if !said.is_empty() {
                answers.push((&text.standing, said.swap_remove(found.unwrap_or(0))));
            }
        }
        let unknown = |reason: Option<String>| Unknown {
            what: wanted(&path).to_owned(),
            reason: Some(reason.unwrap_or_else(|| format!("{NOTHING_COVERS} {path}"))),
        };
        let mut lookup = answer::merge(answers, unknown, ask.same, ask.show);
        if let Lookup::Found(Sourced { source, .. }) | Lookup::Absent(source) = &mut lookup
            && let ControlSet::Known { doubt: Some(doubt), .. } = &self.control_set
            && below(&path, CURRENT).is_some()
            && self.hives.iter().any(|hive| hive.standing.artifact == source.artifact)
        {
            source.doubts.push(doubt.clone());
        }
        lookup
    }

    /// The path as a hive stores it.
    fn real_path(&self, path: &str) -> Result<String, String> {
        match (below(path, CURRENT), &self.control_set) {
            (Some(rest), ControlSet::Known { number, .. }) => {
                Ok(join(&format!(r"HKLM\SYSTEM\ControlSet{number:03}"), rest))
            }
            (Some(_), ControlSet::Unclear(reason)) => Err(reason.clone()),
            _ => Ok(path.to_owned()),
        }
    }

    /// A place under all its names: a text may have the current control set under either name, and the user whose
    /// `HKEY_CURRENT_USER` it is by SID.
    fn spellings(&self, path: &str) -> Vec<String> {
        let mut pairs: Vec<(String, &str)> = Vec::new();
        if let ControlSet::Known { number, .. } = self.control_set {
            pairs.push((format!(r"HKLM\SYSTEM\ControlSet{number:03}"), CURRENT));
        }
        if let Some(user) = &self.current_user {
            pairs.push((format!(r"{user}_Classes"), r"HKCU\Software\Classes"));
            pairs.push((user.clone(), "HKCU"));
        }
        let swap = |(one, other): &(String, &str)| match below(path, other) {
            Some(rest) => Some(join(one, rest)),
            None => below(path, one).map(|rest| join(other, rest)),
        };
        std::iter::once(path.to_owned()).chain(pairs.iter().find_map(swap)).collect()
    }
}

const CURRENT: &str = r"HKLM\SYSTEM\CurrentControlSet";

/// The part of a path that has two names: a control set, or a user.
fn named_root(path: &str) -> Option<&str> {
    let parts = if below(path, r"HKLM\SYSTEM").is_some_and(|rest| rest.to_lowercase().contains("controlset"))
    {
        3
    } else if below(path, "HKCU").is_some() {
        1
    } else if below(path, "HKU").is_some() {
        2
    } else {
        return None;
    };
    let end = path.match_indices('\\').nth(parts - 1).map_or(path.len(), |(at, _)| at);
    path.get(..end)
}

/// One question in the words of each kind of source.
struct Question<'q, T> {
    hive: &'q dyn Fn(&HiveSource, &str) -> Answer<T>,
    text: &'q dyn Fn(&TextSource, &str) -> Answer<T>,
    same: &'q dyn Fn(&T, &T) -> bool,
    show: &'q dyn Fn(&T) -> String,
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.map(|item| item.to_lowercase()).collect();
    items.sort();
    items
}
