//! A text form as a source: an index over its keys, and what it can say of a place.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::answer::{Answer, SourceKind, Standing, State};
use super::path::{ancestors, canonical, fold};
use super::{KeyInfo, Listing};
use crate::artifact::ArtifactId;
use crate::artifact::reg_export::{RegForm, RegText, RegTextKey, Scope};
use crate::artifact::value::RegValue;
use crate::time::FileTime;

/// A text form in the view.
#[derive(Debug)]
pub(super) struct TextSource {
    pub standing: Standing,
    pub text: RegText,
    /// Folded path to the places in `text.keys` where it stands.
    keys: BTreeMap<String, Vec<usize>>,
    /// Folded paths of keys that may have subkeys that are not listed.
    open: HashSet<String>,
    /// Folded path to the scopes that begin there.
    scopes: HashMap<String, Vec<usize>>,
}

/// How far a scope reaches at a key.
#[derive(Clone, Copy, Default)]
struct Cover {
    /// Its values are all listed (or the asked one would be).
    values: bool,
    /// Its direct subkeys are all listed.
    subkeys: bool,
    /// The key itself would be listed if it existed.
    existence: bool,
}

impl TextSource {
    pub fn new(artifact: ArtifactId, path: &str, text: RegText, taken: Option<FileTime>) -> Self {
        let mut keys: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut open = HashSet::new();
        for (index, key) in text.keys.iter().enumerate() {
            let folded = fold(&canonical(&key.path).unwrap_or_else(|| key.path.clone()));
            if key.gap_after {
                // Stops at the first one that is there already: those above it are, too.
                for above in ancestors(&folded) {
                    if !open.insert(above.to_owned()) {
                        break;
                    }
                }
            }
            keys.entry(folded).or_default().push(index);
        }
        let mut scopes: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, scope) in text.scopes.iter().enumerate() {
            let folded = fold(&canonical(&scope.path).unwrap_or_else(|| scope.path.clone()));
            scopes.entry(folded).or_default().push(index);
        }
        let mut doubts = Vec::new();
        if text.script {
            doubts
                .push(format!("{path} deletes keys or values: it was written to be imported, not exported"));
        }
        let kind = SourceKind::Text { taken, script: text.script };
        let standing = Standing { artifact, path: path.to_owned(), kind, doubts };
        Self { standing, text, keys, open, scopes }
    }

    /// All keys that are listed.
    pub fn listed(&self) -> impl Iterator<Item = &RegTextKey> {
        self.text.keys.iter().filter(|key| !key.deleted)
    }

    fn at(&self, folded: &str) -> impl DoubleEndedIterator<Item = &RegTextKey> {
        self.keys.get(folded).into_iter().flatten().filter_map(|index| self.text.keys.get(*index))
    }

    /// Whether a key below this one is listed, which shows that this one exists.
    fn has_listed_below(&self, folded: &str) -> bool {
        let (from, to) = (format!("{folded}\\"), format!("{folded}]"));
        self.keys
            .range(from..to)
            .any(|(_, at)| at.iter().filter_map(|index| self.text.keys.get(*index)).any(|key| !key.deleted))
    }

    /// What the scopes cover at a key. `value`: the value that is asked for, if it is one.
    fn cover(&self, folded: &str, value: Option<&str>) -> Cover {
        let mut cover = Cover::default();
        for (depth, above) in ancestors(folded).enumerate() {
            for scope in
                self.scopes.get(above).into_iter().flatten().filter_map(|at| self.text.scopes.get(*at))
            {
                let all = match (&scope.only_value, value) {
                    (None, _) => true,
                    (Some(only), Some(value)) => fold(only) == fold(value),
                    (Some(_), None) => false,
                };
                let Scope { recursive, lists_subkeys, ref only_value, .. } = *scope;
                cover.values |= all && (depth == 0 || recursive);
                cover.subkeys |= only_value.is_none() && (recursive || (depth == 0 && lists_subkeys));
                cover.existence |=
                    only_value.is_none() && (depth == 0 || recursive || (depth == 1 && lists_subkeys));
            }
        }
        cover
    }

    /// Why a covered key that is not listed cannot be called absent, if so.
    fn may_be_missing(&self, folded: &str) -> Option<String> {
        let hidden = ancestors(folded)
            .skip(1)
            .find(|above| self.exists(above))
            .is_some_and(|above| self.open.contains(above));
        hidden.then(|| "the text is damaged or cut off where this key would stand".to_owned())
    }

    fn exists(&self, folded: &str) -> bool {
        self.at(folded).any(|key| !key.deleted) || self.has_listed_below(folded)
    }

    /// Looks a key up. `Ok(true)`: listed; `Ok(false)`: it exists, but only keys below it are listed.
    fn find_key<T>(&self, folded: &str, covered: bool) -> Result<bool, State<T>> {
        if self.at(folded).any(|key| key.deleted) {
            return Err(State::Silent);
        }
        if self.at(folded).next().is_some() {
            return Ok(true);
        }
        if self.has_listed_below(folded) {
            return Ok(false);
        }
        if !covered {
            return Err(State::Silent);
        }
        Err(match self.may_be_missing(folded) {
            Some(reason) => State::Unreadable(reason),
            None => State::Absent,
        })
    }

    fn time(&self, folded: &str) -> Option<FileTime> {
        self.at(folded).find_map(|key| key.last_written)
    }

    /// Why the values of a listed key may not be all of them.
    fn not_whole(&self, folded: &str) -> Option<String> {
        let key = self.at(folded).find(|key| !key.whole)?;
        Some(format!("a line under the key (line {}) could not be read", key.line))
    }

    pub fn value(&self, path: &str, name: &str) -> Answer<RegValue> {
        let folded = fold(path);
        let wanted = fold(name);
        let found = self
            .at(&folded)
            .rev()
            .filter(|key| !key.deleted)
            .find_map(|key| key.values.iter().rev().find(|(value, _)| fold(&value.name) == wanted));
        let state = match found {
            Some((value, line)) if value.truncated => {
                State::Unreadable(format!("line {line}: the data of this value is damaged"))
            }
            Some((value, _)) => State::Found(value.clone()),
            None => self.no_value(&folded, name),
        };
        Answer::new(state, format!("{path}!{name}"), self.time(&folded))
    }

    fn no_value(&self, folded: &str, name: &str) -> State<RegValue> {
        let cover = self.cover(folded, Some(name));
        match self.find_key(folded, cover.values || cover.existence) {
            Err(state) => state,
            Ok(_) if !cover.values => State::Silent,
            Ok(true) => self.not_whole(folded).map_or(State::Absent, State::Unreadable),
            // `reg query /s` leaves out the lines of keys that have no values; an export does not.
            Ok(false) if self.text.form == RegForm::Query => {
                self.may_be_missing(folded).map_or(State::Absent, State::Unreadable)
            }
            Ok(false) => {
                State::Unreadable("the text lists keys below this one, but not the key itself".to_owned())
            }
        }
    }

    pub fn key(&self, path: &str) -> Answer<KeyInfo> {
        let folded = fold(path);
        let state = match self.find_key(&folded, self.cover(&folded, None).existence) {
            Err(state) => state,
            Ok(_) => State::Found(KeyInfo { last_written: self.time(&folded), class_name: None }),
        };
        Answer::new(state, path.to_owned(), self.time(&folded))
    }

    pub fn values(&self, path: &str) -> Answer<Listing<RegValue>> {
        let folded = fold(path);
        let cover = self.cover(&folded, None);
        let state = match self.find_key(&folded, cover.existence) {
            Err(state) => state,
            Ok(listed) if listed && cover.values => State::Found(self.listed_values(&folded)),
            Ok(_) => State::Silent,
        };
        Answer::new(state, path.to_owned(), self.time(&folded))
    }

    fn listed_values(&self, folded: &str) -> Listing<RegValue> {
        // A key that stands twice: the later value of one name wins, as it does on import.
        let mut items: Vec<RegValue> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (value, _) in self.at(folded).flat_map(|key| &key.values) {
            match places.get(&fold(&value.name)).and_then(|at| items.get_mut(*at)) {
                Some(place) => *place = value.clone(),
                None => {
                    places.insert(fold(&value.name), items.len());
                    items.push(value.clone());
                }
            }
        }
        Listing { items, unread: self.not_whole(folded).into_iter().collect() }
    }

    pub fn subkeys(&self, path: &str) -> Answer<Listing<String>> {
        let folded = fold(path);
        let cover = self.cover(&folded, None);
        let state = match self.find_key(&folded, cover.existence) {
            Err(state) => state,
            Ok(_) if !cover.subkeys => State::Silent,
            Ok(_) => {
                let unread =
                    self.open.contains(&folded).then(|| "the text is damaged or cut off below".to_owned());
                State::Found(Listing {
                    items: self.names_below(&folded),
                    unread: unread.into_iter().collect(),
                })
            }
        };
        Answer::new(state, path.to_owned(), self.time(&folded))
    }

    /// Names of the direct subkeys, in the order of the text and as it writes them.
    fn names_below(&self, folded: &str) -> Vec<String> {
        let (from, to) = (format!("{folded}\\"), format!("{folded}]"));
        let depth = folded.split('\\').count();
        let mut seen = HashSet::new();
        let mut names: Vec<(usize, String)> = Vec::new();
        for (key, at) in self.keys.range(from.clone()..to) {
            let name = key.get(from.len()..).and_then(|rest| rest.split('\\').next()).unwrap_or_default();
            let listed = |index: &usize| {
                self.text.keys.get(*index).filter(|key| !key.deleted).map(|key| (*index, key))
            };
            let Some((index, stored)) = at.iter().find_map(listed) else { continue };
            if seen.insert(name) {
                let path = canonical(&stored.path).unwrap_or_default();
                names.push((index, path.split('\\').nth(depth).unwrap_or(name).to_owned()));
            }
        }
        names.sort_by_key(|(index, _)| *index);
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// Whether the text shows anything at or below a place.
    pub fn shows(&self, path: &str) -> bool {
        let folded = fold(path);
        self.exists(&folded)
    }

    /// Whether the text uses this name of a place: it lists something there, or was asked for something there.
    pub fn uses(&self, root: &str) -> bool {
        let folded = fold(root);
        self.exists(&folded) || self.scopes.keys().any(|scope| ancestors(scope).any(|above| above == folded))
    }
}
