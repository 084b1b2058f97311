//! Lists of subkeys: `lf`, `lh` and `li` name keys, `ri` names such lists.
//!
//! Each kind helps a look-up in its own way: `lh` keeps a hash of each name, `lf` its first four characters, and all of them
//! are sorted. In a damaged hive any of this can be wrong, so a look-up takes the help first and then, before it calls a key
//! absent, compares the names themselves.

use std::cmp::Ordering;

use super::bytes::{u16_at, u32_at};
use super::name::Wanted;
use super::{Fault, Hive, HiveError, Key, Structure};

/// How a list of keys helps to find one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Help {
    /// `lh`: a hash of the upper-case name.
    Hash,
    /// `lf`: the first four characters.
    Hint,
    /// `li`: nothing.
    Nothing,
}

/// A list of keys.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'h> {
    help: Help,
    /// Whole entries: four bytes of offset, then four of help if there is any.
    entries: &'h [u8],
}

/// Either kind of list.
#[derive(Clone, Copy)]
pub(super) enum List<'h> {
    /// A list of keys.
    Leaf(Leaf<'h>),
    /// A list of lists of keys: their offsets.
    Root(&'h [u8]),
}

/// A list and what is wrong with it.
pub(super) type Found<'h> = (List<'h>, Option<HiveError>);

impl<'h> Leaf<'h> {
    fn width(&self) -> usize {
        if self.help == Help::Nothing { 4 } else { 8 }
    }

    fn len(&self) -> usize {
        self.entries.len() / self.width()
    }

    fn entry(&self, index: usize) -> Option<&'h [u8]> {
        self.entries.get(index * self.width()..)?.get(..self.width())
    }

    /// Whether the entry's help says that it is not the wanted key.
    #[inline]
    fn excludes(&self, entry: &[u8], wanted: &Wanted) -> bool {
        match self.help {
            Help::Hash => u32_at(entry, 4) != wanted.hash(),
            Help::Hint => !wanted.allows_hint(u32_at(entry, 4).to_le_bytes()),
            Help::Nothing => false,
        }
    }
}

impl Hive {
    /// Reads the head of a list. The fault tells that entries are missing behind those that are there.
    pub(super) fn list(&self, offset: u32) -> Result<Found<'_>, HiveError> {
        let cell = self.cell(offset)?;
        let position = Self::position(offset);
        let kind = cell.first_chunk::<2>().copied().unwrap_or_default();
        let (help, width) = match &kind {
            b"lh" => (Help::Hash, 8),
            b"lf" => (Help::Hint, 8),
            b"li" | b"ri" => (Help::Nothing, 4),
            _ => return Err(HiveError::new(position, Fault::Signature(Structure::SubkeyList, kind))),
        };
        let named = usize::from(u16_at(cell, 2));
        let body = cell.get(4..).unwrap_or_default();
        let there = named.min(body.len() / width);
        let entries = body.get(..there * width).unwrap_or_default();
        let fault =
            (there < named).then(|| HiveError::new(position, Fault::CutList(named as u32, there as u32)));
        let list = if &kind == b"ri" { List::Root(entries) } else { List::Leaf(Leaf { help, entries }) };
        Ok((list, fault))
    }

    /// Reads a list that must be a list of keys.
    fn leaf(&self, offset: u32) -> Result<(Leaf<'_>, Option<HiveError>), HiveError> {
        match self.list(offset)? {
            (List::Leaf(leaf), fault) => Ok((leaf, fault)),
            (List::Root(_), _) => Err(HiveError::new(Self::position(offset), Fault::NestedList)),
        }
    }
}

/// The subkeys of a key in stored order; what cannot be read is an error in its place.
pub struct Subkeys<'h> {
    hive: &'h Hive,
    lists: &'h [u8],
    leaf: Leaf<'h>,
    next: usize,
    fault: Option<HiveError>,
    /// Entries that may still come: a hive cannot hold more keys than this, however often its lists name them.
    budget: usize,
}

/// What comes when a list gives no more.
pub(super) enum Step {
    /// The next list.
    Ready,
    /// Something that cannot be read; there may be more behind it.
    Fault(HiveError),
    /// Nothing.
    End,
}

impl<'h> Subkeys<'h> {
    /// The subkeys in the list at an offset.
    pub(super) fn new(hive: &'h Hive, list: Option<Result<Found<'h>, HiveError>>) -> Self {
        let none = Leaf { help: Help::Nothing, entries: &[] };
        let (lists, leaf, fault) = match list {
            None => (&[][..], none, None),
            Some(Ok((List::Leaf(leaf), fault))) => (&[][..], leaf, fault),
            Some(Ok((List::Root(lists), fault))) => (lists, none, fault),
            Some(Err(fault)) => (&[][..], none, Some(fault)),
        };
        // The smallest key node takes 80 bytes.
        Self { hive, lists, leaf, next: 0, fault, budget: hive.bytes.len() / 80 + 1 }
    }

    /// The offset of the next key, or what keeps it from being known.
    #[inline]
    pub(super) fn next_offset(&mut self) -> Option<Result<u32, HiveError>> {
        loop {
            if let Some(offset) = self.next_in_leaf() {
                return Some(Ok(offset));
            }
            match self.next_leaf() {
                Step::Ready => {}
                Step::Fault(fault) => return Some(Err(fault)),
                Step::End => return None,
            }
        }
    }

    /// The offset of the next key of the current list.
    #[inline]
    pub(super) fn next_in_leaf(&mut self) -> Option<u32> {
        let entry = self.leaf.entry(self.next)?;
        self.budget = self.budget.checked_sub(1)?;
        self.next += 1;
        Some(u32_at(entry, 0))
    }

    /// Goes on to the next list when the current one gives no more.
    #[inline(never)]
    pub(super) fn next_leaf(&mut self) -> Step {
        if let Some(entry) = self.leaf.entry(self.next)
            && self.budget == 0
        {
            self.lists = &[];
            self.next = self.leaf.len();
            return Step::Fault(HiveError::new(Hive::position(u32_at(entry, 0)), Fault::TooMany));
        }
        if let Some(fault) = self.fault.take() {
            return Step::Fault(fault);
        }
        let Some((list, rest)) = self.lists.split_first_chunk::<4>() else { return Step::End };
        self.lists = rest;
        self.next = 0;
        match self.hive.leaf(u32::from_le_bytes(*list)) {
            Ok((leaf, fault)) => {
                self.leaf = leaf;
                self.fault = fault;
                Step::Ready
            }
            Err(fault) => {
                self.next = self.leaf.len();
                Step::Fault(fault)
            }
        }
    }
}

impl<'h> Iterator for Subkeys<'h> {
    type Item = Result<Key<'h>, HiveError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.next_offset()?.and_then(|offset| Key::at(self.hive, offset)))
    }
}

/// Looks a key up by name.
///
/// `Ok(None)` only if no entry of any list can be the key.
pub(super) fn find<'h>(
    hive: &'h Hive,
    list: Result<Found<'h>, HiveError>,
    wanted: &Wanted,
) -> Result<Option<Key<'h>>, HiveError> {
    let list = list?;
    match list.0 {
        List::Leaf(leaf) => {
            if let Some(key) = find_quickly(hive, &leaf, wanted) {
                return Ok(Some(key));
            }
        }
        List::Root(lists) => {
            if let Some(leaf) = likely_leaf(hive, lists, wanted)
                && let Some(key) = find_quickly(hive, &leaf, wanted)
            {
                return Ok(Some(key));
            }
        }
    }
    find_thoroughly(hive, list, wanted)
}

/// Looks in one list, trusting its help and its order.
#[inline]
fn find_quickly<'h>(hive: &'h Hive, leaf: &Leaf<'h>, wanted: &Wanted) -> Option<Key<'h>> {
    if leaf.help == Help::Hash {
        let hash = wanted.hash();
        let mut entries = leaf.entries.chunks_exact(8);
        return entries.find_map(|entry| {
            let key = (u32_at(entry, 4) == hash).then(|| Key::at(hive, u32_at(entry, 0)))?.ok()?;
            key.raw_name().is(wanted).then_some(key)
        });
    }
    let (mut low, mut high) = (0, leaf.len());
    while low < high {
        let middle = low.midpoint(high);
        let key = Key::at(hive, u32_at(leaf.entry(middle)?, 0)).ok()?;
        match key.raw_name().order(wanted) {
            Ordering::Equal => return Some(key),
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    None
}

/// The last list of keys that does not start behind the wanted name.
fn likely_leaf<'h>(hive: &'h Hive, lists: &'h [u8], wanted: &Wanted) -> Option<Leaf<'h>> {
    let leaf_at = |index: usize| hive.leaf(u32_at(lists.get(index * 4..)?, 0)).ok().map(|(leaf, _)| leaf);
    let (mut low, mut high) = (0, lists.len() / 4);
    while low < high {
        let middle = low.midpoint(high);
        let first = Key::at(hive, u32_at(leaf_at(middle)?.entry(0)?, 0)).ok()?;
        if first.raw_name().order(wanted) == Ordering::Greater { high = middle } else { low = middle + 1 }
    }
    leaf_at(low.checked_sub(1)?)
}

/// Compares every name. An entry whose key cannot be read counts as excluded when its own help says so; else the answer is
/// that nobody knows.
fn find_thoroughly<'h>(
    hive: &'h Hive,
    list: Found<'h>,
    wanted: &Wanted,
) -> Result<Option<Key<'h>>, HiveError> {
    let mut doubt = None;
    let mut keys = Subkeys::new(hive, Some(Ok(list)));
    while let Some(offset) = keys.next_offset() {
        match offset.and_then(|offset| Key::at(hive, offset)) {
            Ok(key) if key.raw_name().is(wanted) => return Ok(Some(key)),
            Ok(_) => {}
            Err(fault) => {
                let entry = keys.next.checked_sub(1).and_then(|last| keys.leaf.entry(last));
                let excluded = offset.is_ok()
                    && entry.is_some_and(|entry| keys.leaf.excludes(entry, wanted))
                    && keys.leaf.help != Help::Nothing;
                if !excluded {
                    doubt = doubt.or(Some(fault));
                }
            }
        }
    }
    doubt.map_or(Ok(None), Err)
}
