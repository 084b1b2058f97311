//! PowerShell objects, the same whether they were written as a list, a table, JSON, CSV or CLIXML.
//!
//! Property names and the words of enumerations are English on every system, so nothing here is about language.

use std::borrow::Cow;

use super::super::Block;
use super::{clixml, columns, csv, json, list};
use crate::artifact::Problem;

/// The form that objects are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `Format-List` or `Format-Table`; both can stand in one output.
    Text,
    /// `ConvertTo-Json`.
    Json,
    /// `ConvertTo-Csv` or `Export-Csv`.
    Csv,
    /// `Export-Clixml`.
    Clixml,
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing or null.
    Empty,
    /// Text, trimmed.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A truth value that the form says is one.
    Truth(bool),
    /// Several values.
    List(Vec<Cell>),
}

impl Cell {
    /// Text as a cell; blank text is [`Cell::Empty`].
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }

    /// The value as text; `None` when it is empty or a list.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Truth(truth) => Some(Cow::Borrowed(if *truth { "True" } else { "False" })),
            Self::Empty | Self::List(_) => None,
        }
    }

    /// The value as a whole number, decimal or `0x…`.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => super::cell::integer(text),
            _ => None,
        }
    }

    /// The value as a truth: a truth value, or the words that PowerShell writes on every system.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// A word of an enumeration, written as the word or as its number.
    pub fn word<T: Copy>(&self, words: &[(i64, &str, T)]) -> Option<T> {
        let text = self.text()?;
        let number = self.number();
        words
            .iter()
            .find(|(value, word, _)| word.eq_ignore_ascii_case(&text) || number == Some(*value))
            .map(|(.., meaning)| *meaning)
    }

    /// The values of a list, of `{a, b}` as lists print it, or the one value.
    pub fn list(&self) -> Vec<String> {
        match self {
            Self::List(cells) => cells.iter().filter_map(|cell| cell.text().map(Cow::into_owned)).collect(),
            Self::Text(text) => match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(inner) => inner
                    .split(", ")
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
                None => vec![text.clone()],
            },
            other => other.text().map(Cow::into_owned).into_iter().collect(),
        }
    }
}

/// One property of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Name as written.
    pub name: String,
    /// Value. Wrapped values of lists keep their line breaks.
    pub cell: Cell,
    /// 1-based line of the file.
    pub line: u32,
    /// The end was cut off (`...`, `…`): not a key and not a whole name.
    pub truncated: bool,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    /// 1-based line where it begins.
    pub line: u32,
    /// Its properties in their order.
    pub properties: Vec<Property>,
}

impl Object {
    /// A property by name, without regard to case.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name.eq_ignore_ascii_case(name))
    }

    /// The value of a property that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        self.property(name).map(|property| &property.cell).filter(|cell| **cell != Cell::Empty)
    }

    /// The text of a property.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Cell::text).map(Cow::into_owned)
    }

    /// Whether it has a property of that name, empty or not.
    pub fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }
}

/// All objects of a block.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The form they are written in.
    pub form: Form,
    /// The objects in their order.
    pub objects: Vec<Object>,
    /// Type name that CSV and CLIXML carry.
    pub type_name: Option<String>,
    /// Lines of text forms that belong to no object.
    pub stray: Vec<u32>,
    /// What could not be read; what stands before it was.
    pub problems: Vec<Problem>,
}

impl Objects {
    /// An empty result of a form.
    pub(super) fn new(form: Form) -> Self {
        Self { form, objects: Vec::new(), type_name: None, stray: Vec::new(), problems: Vec::new() }
    }
}

/// Reads the objects of a block in whatever form they are written.
pub fn objects(block: &Block<'_>) -> Objects {
    let mut lines = block.lines().filter(|(_, line)| !line.trim().is_empty());
    let first = lines.next();
    let begins = |with: &[&str]| {
        block.lines().find(|(_, line)| with.iter().any(|start| line.trim_start().starts_with(start)))
    };
    if let Some((line, _)) = begins(&["<Objs", "<?xml"]) {
        return clixml::objects(block, line);
    }
    if let Some((line, text)) = first
        && (text.trim_start().starts_with("#TYPE") || csv::is_header(text))
    {
        return csv::objects(block, line);
    }
    match begins(&["{", "["]) {
        Some((line, _)) if json::looks_like(block, line) => json::objects(block, line),
        _ => text_objects(block),
    }
}

/// Lists and tables, which can follow one another in one output.
fn text_objects(block: &Block<'_>) -> Objects {
    let mut found = Objects::new(Form::Text);
    let lines: Vec<(u32, &str)> = block.lines().collect();
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        rest = match columns::table(rest) {
            Some((table, behind)) => {
                found.objects.extend(table);
                behind
            }
            None => list::object(rest, &mut found),
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn read(text: &str) -> Objects {
        let text = Text::decode(text.as_bytes());
        objects(&Block::whole(&text))
    }

    #[test]
    fn enumerations_are_words_or_numbers() {
        const WORDS: &[(i64, &str, char)] = &[(0, "Public", 'p'), (1, "Private", 'q')];
        assert_eq!(Cell::of("private").word(WORDS), Some('q'));
        assert_eq!(Cell::Number(0).word(WORDS), Some('p'));
        assert_eq!(Cell::of("1").word(WORDS), Some('q'));
        assert_eq!(Cell::of("Privat").word(WORDS), None);
    }

    #[test]
    fn a_table_and_a_list_in_one_output() {
        // The shape of Resolve-DnsName (text_formats.md 4.21).
        let found =
            read("Name   Type\n----   ----\na.b    CNAME\n\nName       : c\nIP4Address : 192.168.0.4\n");
        assert_eq!(found.objects.len(), 2);
        assert_eq!(found.objects[0].text("Type").as_deref(), Some("CNAME"));
        assert_eq!(found.objects[1].text("IP4Address").as_deref(), Some("192.168.0.4"));
        assert_eq!(found.objects[1].property("IP4Address").unwrap().line, 6);
    }
}
