//! `Export-Clixml`: objects as XML with typed properties; enumerations carry their word and their number.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::Block;
use super::object::{Cell, Form, Object, Objects, Property};
use crate::artifact::{Place, Problem};

/// Elements below each other that are followed; deeper ones are noise of CIM metadata.
const DEEPEST: usize = 64;

/// An element that is open.
struct Open {
    name: String,
    /// `N` attribute: the property that it is.
    property: Option<String>,
    text: String,
    /// What `ToString` inside it said.
    word: Option<String>,
    /// Values of list items inside it.
    items: Vec<Cell>,
    /// A whole object that becomes a row, not a property.
    object: Option<Object>,
}

/// Reads the objects from that line on.
pub(super) fn objects(block: &Block<'_>, from: u32) -> Objects {
    let text = block.text.span(from, block.to);
    let mut found = Objects::new(Form::Clixml);
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut stack: Vec<Open> = Vec::new();
    let mut skipped = 0_usize;
    let mut lines = LineOf { text, at: 0, line: from };
    loop {
        let line = lines.of(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        match reader.read_event() {
            Ok(Event::Start(_)) if stack.len() >= DEEPEST => skipped += 1,
            Ok(Event::End(_)) if skipped > 0 => skipped -= 1,
            Ok(Event::Start(tag)) => stack.push(open(&tag, line)),
            Ok(Event::Empty(tag)) => {
                let empty = open(&tag, line);
                close(empty, &mut stack, line, &mut found);
            }
            Ok(Event::Text(text)) => {
                if let Some(top) = stack.last_mut() {
                    top.text.push_str(&text.xml_content(XmlVersion::Implicit1_0));
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let Some(top) = stack.last_mut() {
                    top.text.push_str(&resolve(&reference));
                }
            }
            Ok(Event::End(_)) => {
                if let Some(top) = stack.pop() {
                    close(top, &mut stack, line, &mut found);
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                found.problems.push(Problem::new(Place::Line(line), "well-formed XML", error.to_string()));
                break;
            }
        }
    }
    if !stack.is_empty() {
        found.problems.push(Problem::new(
            Place::Line(block.to),
            "the end of the document",
            "the end of the file",
        ));
        stack.into_iter().filter_map(|open| open.object).for_each(|object| found.objects.push(object));
    }
    found
}

fn open(tag: &BytesStart<'_>, line: u32) -> Open {
    let name = tag.local_name().as_ref().to_owned();
    let attribute = tag.try_get_attribute("N").ok().flatten();
    let property =
        attribute.and_then(|n| n.normalized_value(XmlVersion::Implicit1_0).ok()).map(|n| unescape(&n));
    let object = (name == "Obj").then(|| Object { line, properties: Vec::new() });
    Open { name, property, text: String::new(), word: None, items: Vec::new(), object }
}

/// Hands what an element said on to the element around it.
fn close(closed: Open, stack: &mut [Open], line: u32, found: &mut Objects) {
    match closed.name.as_str() {
        "Objs" | "Props" | "MS" | "TN" | "TNRef" => return,
        "T" => {
            found.type_name.get_or_insert_with(|| closed.text.trim().to_owned());
            return;
        }
        "ToString" => {
            if let Some(around) = stack.last_mut() {
                around.word = Some(unescape(closed.text.trim()));
            }
            return;
        }
        _ => {}
    }
    let inside = stack.iter().any(|open| open.object.is_some());
    if !inside {
        found.objects.extend(closed.object);
        return;
    }
    let cell = value(&closed);
    if let Some(name) = closed.property {
        let owner = stack.iter_mut().rev().find_map(|open| open.object.as_mut());
        if let Some(owner) = owner {
            owner.properties.push(Property { name, cell, line, truncated: false });
        }
    } else if let Some(around) = stack.last_mut() {
        match cell {
            Cell::List(items) => around.items.extend(items),
            cell => around.items.push(cell),
        }
    }
}

fn value(closed: &Open) -> Cell {
    let text = closed.text.trim();
    match closed.name.as_str() {
        "Nil" => Cell::Empty,
        "B" => Cell::Truth(text.eq_ignore_ascii_case("true")),
        "By" | "SB" | "I16" | "U16" | "I32" | "U32" | "I64" | "U64" => {
            text.parse().map_or_else(|_| Cell::of(text), Cell::Number)
        }
        "Obj" => match (&closed.word, closed.items.as_slice()) {
            // A list keeps its items, an enumeration its word.
            (_, items) if items.len() > 1 => Cell::List(items.to_vec()),
            (Some(word), _) => Cell::of(word),
            (None, items) => items.first().cloned().unwrap_or(Cell::Empty),
        },
        "LST" | "IE" | "QUE" | "STK" => Cell::List(closed.items.clone()),
        _ => Cell::of(&unescape(text)),
    }
}

/// `_x000D_` stands for the character of that number.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = behind.get(..4).filter(|_| behind.get(4..5) == Some("_"));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                plain.push(c);
                rest = behind.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    quick_xml::escape::resolve_predefined_entity(reference).unwrap_or_default().to_owned()
}

/// Turns growing byte positions into lines; each byte is looked at once.
struct LineOf<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl LineOf<'_> {
    fn of(&mut self, position: usize) -> u32 {
        let position = position.min(self.text.len());
        let passed = self.text.as_bytes().get(self.at..position).unwrap_or_default();
        let breaks = memchr::memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.at = self.at.max(position);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::{Cell, Form, objects};
    use crate::artifact::capture::Block;
    use crate::artifact::text::Text;

    #[test]
    fn enumerations_lists_and_escapes() {
        // The layout of [MS-PSRP] 2.2.5: primitive types by element name, `Obj` with `ToString` for the rest.
        let text = Text::decode(
            b"<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">\r\n\
              <Obj RefId=\"0\"><TN RefId=\"0\"><T>System.ServiceProcess.ServiceController</T></TN>\r\n\
              <Props><S N=\"Name\">A &amp; B_x000D_</S><B N=\"CanStop\">true</B>\r\n\
              <Obj N=\"Status\" RefId=\"1\"><ToString>Running</ToString><I32>4</I32></Obj><Nil N=\"Site\" />\r\n\
              <Obj N=\"Needs\" RefId=\"2\"><LST><S>a</S><S>b</S></LST></Obj></Props></Obj></Objs>",
        );
        let found = objects(&Block::whole(&text));
        assert_eq!((found.form, found.problems.len()), (Form::Clixml, 0));
        assert_eq!(found.type_name.as_deref(), Some("System.ServiceProcess.ServiceController"));
        let object = &found.objects[0];
        assert_eq!(object.text("Name").as_deref(), Some("A & B"));
        assert_eq!(object.get("CanStop"), Some(&Cell::Truth(true)));
        assert_eq!(object.text("Status").as_deref(), Some("Running"));
        assert_eq!(object.property("Status").unwrap().line, 4);
        assert_eq!(object.get("Site"), None);
        assert_eq!(object.get("Needs").unwrap().list(), ["a", "b"]);
    }

    #[test]
    fn a_cut_document_keeps_what_it_has() {
        let text = Text::decode(b"<Objs><Obj RefId=\"0\"><Props><S N=\"Name\">a</S><S N=\"Al");
        let found = objects(&Block::whole(&text));
        assert_eq!(found.objects[0].text("Name").as_deref(), Some("a"));
        assert_eq!(found.problems.len(), 2);
    }

    #[test]
    fn endless_nesting_is_bounded() {
        let text = Text::decode(format!("<Objs>{}", "<Obj><Props>".repeat(10_000)).as_bytes());
        assert!(!objects(&Block::whole(&text)).problems.is_empty());
    }
}
