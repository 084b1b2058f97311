//! The items of an event's `EventData`, held together.
//!
//! A log has thousands of events with some twenty items each. As strings of their own, names and values would cost more than
//! the decoding: so the values of an event stand behind each other in one text, and events of one template share their names.

use std::fmt;
use std::sync::Arc;

/// A named item; unnamed items are called `#0`, `#1` … in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'e> {
    /// Name as stored; may contain blanks (Windows Defender, TPM-WMI).
    pub name: &'e str,
    /// Value as text: numbers in decimal, binary in upper-case hex, SIDs and GUIDs in their usual form.
    pub value: &'e str,
}

/// Names of items, in their order.
pub type FieldNames = Arc<[Box<str>]>;

/// The items in their order. A name can come more than once.
#[derive(Clone, Default)]
pub struct Fields {
    names: FieldNames,
    text: Box<str>,
    ends: Box<[u32]>,
}

/// Values while they are collected: behind each other, and where each of them ends. Its room serves many events.
#[derive(Debug, Default)]
pub(crate) struct Values {
    text: String,
    ends: Vec<u32>,
}

impl Values {
    /// Forgets what was collected.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a value: what `write` appends to the text.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut String)) {
        write(&mut self.text);
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }
}

impl Fields {
    /// Items of these names and values, of which there are as many.
    pub(crate) fn new(names: FieldNames, values: &Values) -> Self {
        Self { names, text: values.text.as_str().into(), ends: values.ends.as_slice().into() }
    }

    /// The items in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> + Clone {
        (0..self.len()).map(|index| self.get(index).unwrap_or(Field { name: "", value: "" }))
    }

    /// An item by its position.
    pub fn get(&self, index: usize) -> Option<Field<'_>> {
        let end = *self.ends.get(index)? as usize;
        let before = index.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| *end as usize);
        Some(Field { name: self.names.get(index)?, value: self.text.get(start..end)? })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len().min(self.ends.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<N: Into<Box<str>>, V: AsRef<str>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(items: I) -> Self {
        let mut values = Values::default();
        let names = items.into_iter().map(|(name, value)| {
            values.add(|text| text.push_str(value.as_ref()));
            name.into()
        });
        let names = names.collect();
        Self::new(names, &values)
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        // Events of one template share their names, so these are rarely looked at.
        self.ends == other.ends
            && self.text == other.text
            && (Arc::ptr_eq(&self.names, &other.names) || self.names == other.names)
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|field| (field.name, field.value))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_as_they_were_given() {
        let given = [("Name", "ж"), ("#0", ""), ("Name", "second"), ("a b", "\u{1f600}")];
        let fields: Fields = given.into_iter().collect();
        let told: Vec<(&str, &str)> = fields.iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(told, given);
        assert_eq!(fields.get(2), Some(Field { name: "Name", value: "second" }));
        assert_eq!((fields.get(4), fields.len(), fields.is_empty()), (None, 4, false));
    }

    #[test]
    fn events_are_equal_by_what_they_say() {
        let fields = |items: &[(&'static str, &'static str)]| items.iter().copied().collect::<Fields>();
        assert_eq!(fields(&[("a", "1"), ("b", "")]), fields(&[("a", "1"), ("b", "")]));
        assert_ne!(fields(&[("a", "1"), ("b", "")]), fields(&[("a", ""), ("b", "1")]));
        assert_ne!(fields(&[("a", "1")]), fields(&[("a", "1"), ("b", "")]));
        assert_eq!(fields(&[]), Fields::default());
    }
}
