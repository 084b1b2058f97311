//! Walks over a whole hive, sound or not: every key once, in bounded time and memory.
//!
//! In a damaged hive a list can name its own ancestor, a thousand keys can share one list and a thousand values one block of
//! data. So keys and data cells are marked when they are met, the levels are counted, and the walk as a whole may follow no
//! more list entries than the file has room for.

use super::base_block::LEN as BASE_LEN;
use super::bytes::u32_at;
use super::list::Subkeys;
use super::value::{Value, ValueData, Values};
use super::{Fault, Hive, HiveError, Key};
use crate::artifact::Problem;

/// Levels of keys that Windows allows in a path.
const MAX_DEPTH: usize = 512;
/// Faults that are kept; more are only counted.
const MAX_KEPT: usize = 1000;

/// One mark for each place where a cell can be.
struct Marks(Vec<u64>);

impl Marks {
    fn new(hive: &Hive) -> Self {
        Self(vec![0; hive.bytes.len() / 512 + 1])
    }

    /// Marks a cell; true when it was not marked before. What lies outside of the file is never marked.
    #[inline]
    fn mark(&mut self, offset: u32) -> bool {
        let bit = 1u64 << ((offset / 8) % 64);
        match self.0.get_mut(offset as usize / 512) {
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
    path_len: usize,
    /// Entries met so far, and whether all of the list could be read.
    met: u32,
    whole: bool,
}

/// All keys of a hive in stored order, parents first. [`Walk::path`] and [`Walk::values`] speak of the key that came last.
pub struct Walk<'h> {
    hive: &'h Hive,
    started: bool,
    levels: Vec<Level<'h>>,
    path: String,
    current: Option<Key<'h>>,
    keys: Marks,
    data: Marks,
    faults: Faults,
    /// List entries that may still be followed.
    budget: usize,
}

impl<'h> Walk<'h> {
    pub(super) fn new(hive: &'h Hive) -> Self {
        Self {
            hive,
            started: false,
            levels: Vec::new(),
            path: String::new(),
            current: None,
            keys: Marks::new(hive),
            data: Marks::new(hive),
            faults: Faults::default(),
            budget: hive.bytes.len() / 4,
        }
    }

    /// The path of the current key below the root, names joined by `\`; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The values of the current key with their data. What cannot be read is left out or cut, and noted.
    pub fn values(&mut self) -> WalkValues<'_, 'h> {
        let values = self.current.map(|key| key.values());
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

    fn spend(&mut self, at: u64) -> bool {
        if self.budget == 0 {
            self.faults.note(HiveError::new(at, Fault::TooMany));
            return false;
        }
        self.budget -= 1;
        true
    }

    /// Makes a key the current one.
    #[inline]
    fn enter(&mut self, key: Key<'h>) -> Key<'h> {
        if !self.path.is_empty() {
            self.path.push('\\');
        }
        if !self.levels.is_empty() {
            key.raw_name().push_to(&mut self.path);
        }
        let missing = key.missing_name_bytes();
        if missing > 0 {
            self.faults.note(HiveError::new(key.position(), Fault::CutName(missing as u32)));
        }
        if key.subkey_count() > 0 {
            if self.levels.len() < MAX_DEPTH {
                self.levels.push(Level {
                    key,
                    subkeys: key.subkeys(),
                    path_len: self.path.len(),
                    met: 0,
                    whole: true,
                });
            } else {
                self.faults.note(HiveError::new(key.position(), Fault::TooDeep));
            }
        }
        self.current = Some(key);
        key
    }

    fn next_key(&mut self) -> Option<Result<Key<'h>, HiveError>> {
        if !self.started {
            self.started = true;
            let root = self.hive.root();
            if let Ok(root) = root {
                self.keys.mark(root.offset());
            }
            return Some(root);
        }
        loop {
            let level = self.levels.last_mut()?;
            let Some(offset) = level.subkeys.next_offset() else {
                let (named, met, at) = (level.key.subkey_count(), level.met, level.key.position());
                let whole = level.whole;
                self.levels.pop();
                if whole && named != met {
                    return Some(Err(HiveError::new(at, Fault::OtherCount(named, met))));
                }
                continue;
            };
            self.path.truncate(level.path_len);
            let offset = match offset {
                Ok(offset) => offset,
                Err(fault) => {
                    level.whole = false;
                    return Some(Err(fault));
                }
            };
            level.met += 1;
            if !self.spend(Hive::position(offset)) {
                self.levels.clear();
                return None;
            }
            if !self.keys.mark(offset) {
                return Some(Err(HiveError::new(Hive::position(offset), Fault::Twice)));
            }
            return Some(Key::at(self.hive, offset));
        }
    }
}

impl<'h> Iterator for Walk<'h> {
    type Item = Key<'h>;

    #[inline]
    fn next(&mut self) -> Option<Key<'h>> {
        loop {
            match self.next_key() {
                Some(Ok(key)) => return Some(self.enter(key)),
                Some(Err(fault)) => self.faults.note(fault),
                None => {
                    self.current = None;
                    return None;
                }
            }
        }
    }
}

/// The values of the current key of a walk.
pub struct WalkValues<'w, 'h> {
    walk: &'w mut Walk<'h>,
    values: Option<Values<'h>>,
}

impl<'h> Iterator for WalkValues<'_, 'h> {
    type Item = (Value<'h>, ValueData<'h>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut value = match self.values.as_mut()?.next()? {
                Ok(value) => value,
                Err(fault) => {
                    self.walk.faults.note(fault);
                    continue;
                }
            };
            if !self.walk.spend(value.position()) {
                return None;
            }
            let missing = value.missing_name_bytes();
            if missing > 0 {
                self.walk.faults.note(HiveError::new(value.position(), Fault::CutName(missing as u32)));
            }
            if let Some(offset) = value.data_offset() {
                let mut own = self.walk.data.mark(offset);
                for segment in value.segments() {
                    own &= self.walk.data.mark(segment);
                }
                if !own {
                    value.withhold();
                }
            }
            let data = value.data();
            if let Some(fault) = data.fault {
                self.walk.faults.note(fault);
            }
            return Some((value, data));
        }
    }
}

/// What is wrong with the base block, the length of the file and the chain of hive bins.
pub(super) fn frame_problems(hive: &Hive) -> Vec<Problem> {
    let mut faults = Faults::default();
    let base = &hive.base;
    if !base.checksum_ok {
        faults.note(HiveError::new(508, Fault::Checksum));
    }
    let there = hive.bytes.len().saturating_sub(BASE_LEN);
    if there < base.bins_len as usize {
        faults.note(HiveError::new(
            hive.bytes.len() as u64,
            Fault::Truncated { named: base.bins_len, there: there as u64 },
        ));
    }
    if let Err(fault) = hive.root() {
        faults.note(fault);
    }
    let end = there.min(base.bins_len as usize);
    let mut offset = 0;
    while offset < end {
        offset += match bin_len(hive, offset) {
            Ok(len) => len,
            Err(fault) => {
                faults.note(HiveError::new((offset + BASE_LEN) as u64, fault));
                // Bins start at multiples of 4096: the next sound one ends the damage.
                let blocks = (1..).take_while(|block| offset + block * 4096 < end);
                let sound =
                    blocks.map(|block| block * 4096).find(|step| bin_len(hive, offset + step).is_ok());
                sound.unwrap_or(end - offset)
            }
        };
    }
    faults.kept.iter().map(HiveError::problem).collect()
}

/// The length of the bin at an offset behind the base block.
fn bin_len(hive: &Hive, offset: usize) -> Result<usize, Fault> {
    let head = hive.bytes.get(offset + BASE_LEN..).and_then(|rest| rest.first_chunk::<32>());
    let Some(head) = head else { return Err(Fault::NoBin([0; 4])) };
    if !head.starts_with(b"hbin") {
        return Err(Fault::NoBin(head.first_chunk().copied().unwrap_or_default()));
    }
    if u32_at(head, 4) as usize != offset {
        return Err(Fault::BinOffset(u32_at(head, 4)));
    }
    match u32_at(head, 8) {
        len if len > 0 && len % 4096 == 0 => Ok(len as usize),
        len => Err(Fault::BinSize(len)),
    }
}
