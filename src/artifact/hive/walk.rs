//! Walks over a whole hive, sound or not: every key once, in bounded time and memory.
//!
//! In a damaged hive a list can name its own ancestor, a thousand keys can share one list and a thousand values one block of
//! data. So keys are marked when they are met, the levels are counted, and the walk as a whole may follow no more list entries
//! and give out no more data than the file has room for.

use std::borrow::Cow;

use super::list::{Step, Subkeys};
use super::value::{Value, ValueData, Values};
use super::{Fault, Hive, HiveError, Key, Structure};

/// Levels of keys that Windows allows in a path.
const MAX_DEPTH: usize = 512;
/// Faults that are kept; more are only counted.
const MAX_KEPT: usize = 1000;

/// One mark for each place where a cell can start. (Coarser ones would do for sound keys, but a wild offset just beside a key must
/// not hide it.)
struct Marks(Vec<u64>);

impl Marks {
    fn new(hive: &Hive) -> Self {
        Self(vec![0; hive.bytes.len() / 8 / 64 + 1])
    }

    /// Marks a place; true when it was not marked before. What lies outside of the file is never marked.
    #[inline]
    fn mark(&mut self, offset: u32) -> bool {
        let place = offset / 8;
        let bit = 1u64 << (place % 64);
        match self.0.get_mut(place as usize / 64) {
            Some(word) => {
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
            None => true,
        }
    }
}

/// Faults met so far.
#[derive(Default)]
struct Faults {
    kept: Vec<HiveError>,
    count: usize,
}

impl Faults {
    #[cold]
    #[inline(never)]
    fn note(&mut self, fault: HiveError) {
        self.count += 1;
        if self.kept.len() < MAX_KEPT {
            self.kept.push(fault);
        }
    }
}

/// The subkeys of one key on the way down.
struct Level<'h> {
    key: Key<'h>,
    subkeys: Subkeys<'h>,
    /// Where the key's name ends in the path of the walk, if it stands there.
    path_end: Option<usize>,
    /// Entries met so far, and whether all of the list could be read.
    met: u32,
    whole: bool,
}

/// All keys of a hive in stored order, parents first. [`Walk::path`] and [`Walk::values`] speak of the key that came last.
pub struct Walk<'h> {
    hive: &'h Hive,
    started: bool,
    levels: Vec<Level<'h>>,
    /// The path that was last asked for.
    path: String,
    current: Option<Key<'h>>,
    /// The current key is that of the last level.
    entered: bool,
    keys: Marks,
    faults: Faults,
    /// List entries that may still be followed.
    budget: usize,
    /// Bytes of data that may still be given out.
    data_budget: usize,
}

impl<'h> Walk<'h> {
    pub(super) fn new(hive: &'h Hive) -> Self {
        Self {
            hive,
            started: false,
            levels: Vec::new(),
            path: String::new(),
            current: None,
            entered: false,
            keys: Marks::new(hive),
            faults: Faults::default(),
            budget: hive.bytes.len() / 4,
            data_budget: hive.bytes.len(),
        }
    }

    /// The path of the current key below the root, names joined by `\`; empty for the root. It is put together only when it is
    /// asked for, and what it has in common with the last one stays.
    pub fn path(&mut self) -> &str {
        let known = self.levels.iter().rposition(|level| level.path_end.is_some()).unwrap_or(0);
        let mut end = self.levels.get(known).and_then(|level| level.path_end).unwrap_or(0);
        for level in self.levels.iter_mut().skip(known + 1) {
            end = append(&mut self.path, end, level.key);
            level.path_end = Some(end);
        }
        if let Some(key) = self.current.filter(|_| !self.entered && !self.levels.is_empty()) {
            end = append(&mut self.path, end, key);
        }
        self.path.truncate(end);
        &self.path
    }

    /// The values of the current key with their data. What cannot be read is left out or cut, and noted.
    pub fn values(&mut self) -> WalkValues<'_, 'h> {
        let mut values = self.current.map_or(Values::none(self.hive), |key| key.values());
        match self.budget.checked_sub(values.remaining()) {
            Some(rest) => self.budget = rest,
            None => {
                let at = self.current.map_or(0, |key| key.position());
                self.faults.note(HiveError::new(at, Fault::TooMany));
                values = Values::none(self.hive);
            }
        }
        WalkValues { walk: self, values }
    }

    /// What was found wrong so far with keys and values, at most 1000 entries.
    pub fn problems(&self) -> &[HiveError] {
        &self.faults.kept
    }

    /// How many things were found wrong so far.
    pub fn problem_count(&self) -> usize {
        self.faults.count
    }

    /// Notes something that the caller found wrong (an unreadable security descriptor, say).
    pub fn note(&mut self, fault: HiveError) {
        self.faults.note(fault);
    }

    /// Makes a key the current one.
    #[inline]
    fn enter(&mut self, key: Key<'h>) -> Key<'h> {
        let missing = key.missing_name_bytes();
        if missing > 0 {
            self.faults.note(HiveError::new(key.position(), Fault::CutName(missing as u32)));
        }
        self.entered = false;
        if key.subkey_count() > 0 {
            if self.levels.len() < MAX_DEPTH {
                let path_end = self.levels.is_empty().then_some(0);
                self.levels.push(Level { key, subkeys: key.subkeys(), path_end, met: 0, whole: true });
                self.entered = true;
            } else {
                self.faults.note(HiveError::new(key.position(), Fault::TooDeep));
            }
        }
        self.current = Some(key);
        key
    }

    /// The next key that the current list names. Those that cannot be read, or were met before, are noted and passed over.
    #[inline]
    fn next_in_list(&mut self) -> Option<Key<'h>> {
        loop {
            let level = self.levels.last_mut()?;
            let rest = self.budget.checked_sub(1)?;
            let offset = level.subkeys.next_in_leaf()?;
            self.budget = rest;
            level.met += 1;
            if !self.keys.mark(offset) {
                self.faults.note(HiveError::new(Hive::position(offset), Fault::Twice));
                continue;
            }
            match Key::read(self.hive, offset) {
                Some(key) => return Some(key),
                None => self.faults.note(self.hive.structure_fault(offset, Structure::KeyNode)),
            }
        }
    }

    /// Goes on to the next list when the current one names no more; false when the walk is over.
    #[inline(never)]
    fn go_on(&mut self) -> bool {
        let Some(level) = self.levels.last_mut() else { return false };
        if self.budget == 0 {
            self.faults.note(HiveError::new(level.key.position(), Fault::TooMany));
            return false;
        }
        match level.subkeys.next_leaf() {
            Step::Ready => {}
            Step::Fault(fault) => {
                level.whole = false;
                self.faults.note(fault);
            }
            Step::End => {
                let (named, met, at) = (level.key.subkey_count(), level.met, level.key.position());
                if level.whole && named != met {
                    self.faults.note(HiveError::new(at, Fault::OtherCount(named, met)));
                }
                self.levels.pop();
            }
        }
        true
    }

    /// The first key.
    #[cold]
    #[inline(never)]
    fn start(&mut self) -> Option<Key<'h>> {
        self.started = true;
        match self.hive.root() {
            Ok(root) => {
                self.keys.mark(root.offset());
                Some(root)
            }
            Err(fault) => {
                self.faults.note(fault);
                None
            }
        }
    }
}

/// Puts a key's name behind the first `end` bytes of a path; where the path ends then.
fn append(path: &mut String, end: usize, key: Key<'_>) -> usize {
    path.truncate(end);
    if !path.is_empty() {
        path.push('\\');
    }
    path.push_str(&key.name());
    path.len()
}

impl<'h> Iterator for Walk<'h> {
    type Item = Key<'h>;

    #[inline]
    fn next(&mut self) -> Option<Key<'h>> {
        let mut key = if self.started { self.next_in_list() } else { self.start() };
        while key.is_none() {
            if !self.go_on() {
                self.current = None;
                self.levels.clear();
                return None;
            }
            key = self.next_in_list();
        }
        key.map(|key| self.enter(key))
    }
}

/// The values of the current key of a walk.
pub struct WalkValues<'w, 'h> {
    walk: &'w mut Walk<'h>,
    values: Values<'h>,
}

impl<'h> WalkValues<'_, 'h> {
    /// The value at an offset with its data; what is wrong with them is noted.
    #[inline]
    fn value(&mut self, offset: u32) -> Option<(Value<'h>, ValueData<'h>)> {
        let Some(value) = Value::read(self.walk.hive, offset) else {
            self.note_unreadable(offset);
            return None;
        };
        if let Some(bytes) = value.plain_data()
            && let Some(rest) = self.walk.data_budget.checked_sub(bytes.len())
            && value.missing_name_bytes() == 0
        {
            self.walk.data_budget = rest;
            return Some((value, ValueData { bytes: Cow::Borrowed(bytes), truncated: false }));
        }
        Some(self.examine(value))
    }

    /// A value of which there is something to say, or whose data does not lie in one place.
    #[cold]
    #[inline(never)]
    fn examine(&mut self, value: Value<'h>) -> (Value<'h>, ValueData<'h>) {
        let missing = value.missing_name_bytes() as u32;
        if missing > 0 {
            self.walk.faults.note(HiveError::new(value.position(), Fault::CutName(missing)));
        }
        let (bytes, fault) = value.gather(self.walk.data_budget);
        self.walk.data_budget = self.walk.data_budget.saturating_sub(bytes.len());
        if let Some(fault) = fault {
            self.walk.faults.note(fault);
        }
        (value, ValueData { bytes, truncated: fault.is_some() })
    }

    #[cold]
    #[inline(never)]
    fn note_unreadable(&mut self, offset: u32) {
        self.walk.faults.note(self.walk.hive.structure_fault(offset, Structure::Value));
    }
}

impl<'h> Iterator for WalkValues<'_, 'h> {
    type Item = (Value<'h>, ValueData<'h>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while let Some(offset) = self.values.next_offset() {
            if let Some(value) = self.value(offset) {
                return Some(value);
            }
        }
        if let Some(fault) = self.values.take_fault() {
            self.walk.faults.note(fault);
        }
        None
    }
}
