//! Elements: what a template definition and its values are made from.

use super::value::Value;

/// An element of the payload.
#[derive(Clone, Debug)]
pub struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, Content)>,
    pub(super) content: Vec<Content>,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Literal(String),
    Slot(Value),
    Child(Element),
    /// An embedded stream in a slot.
    Embedded(Box<Element>),
}

impl Element {
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), content: Vec::new() }
    }
    /// An attribute whose value is in a slot.
    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.push((name.to_owned(), Content::Slot(value.into())));
        self
    }
    /// An attribute that is part of the template.
    pub fn literal_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), Content::Literal(value.to_owned())));
        self
    }
    /// Text in a slot.
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.content.push(Content::Slot(value.into()));
        self
    }
    /// Text that is part of the template.
    pub fn literal(mut self, text: &str) -> Self {
        self.content.push(Content::Literal(text.to_owned()));
        self
    }
    pub fn child(mut self, child: Self) -> Self {
        self.content.push(Content::Child(child));
        self
    }

    /// What a template definition of this element depends on: everything but the values in slots.
    pub(super) fn shape(&self, out: &mut String) {
        out.push_str(&format!("<{}", self.name));
        for (name, value) in &self.attributes {
            out.push_str(&format!(" {name}="));
            value.shape(out);
        }
        out.push('>');
        self.content.iter().for_each(|content| content.shape(out));
        out.push_str("</>");
    }
}

impl Content {
    fn shape(&self, out: &mut String) {
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Child(child) => child.shape(out),
            Self::Slot(value) => out.push_str(&format!("%{}", value.kind)),
            Self::Embedded(_) => out.push_str("%xml"),
        }
    }
}
