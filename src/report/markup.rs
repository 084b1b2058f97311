//! Writes HTML and XML. Every text passes one door, at which what could be markup, a terminal escape or a bidirectional mark loses its
//! power: evidence is hostile, and a renderer that cannot write a string unescaped cannot forget to escape it.

use super::visible;

/// A document in the making: well-formed XML, and HTML at the same time where elements of HTML are used.
#[derive(Debug, Default)]
pub struct Markup {
    out: String,
}

/// Attributes of an element.
pub type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Markup {
    /// An element with content.
    pub fn element(&mut self, tag: &str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Self)) {
        self.open(tag, attributes, ">");
        inside(self);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    /// An element with a text and nothing else.
    pub fn leaf(&mut self, tag: &str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |page| page.text(text));
    }

    /// An element without content.
    pub fn void(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.open(tag, attributes, "/>");
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.escaped(text);
    }

    /// A line break in the source, so that a report can be read and compared as text.
    pub fn line(&mut self) {
        self.out.push('\n');
    }

    /// Text of the program itself, as it stands.
    pub fn verbatim(&mut self, text: &'static str) {
        self.out.push_str(text);
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.out
    }

    /// Only the start of an element, for content that needs more than the document; the end is written with [`Self::verbatim`].
    pub fn begin(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.open(tag, attributes, ">");
    }

    fn open(&mut self, tag: &str, attributes: Attributes<'_>, end: &str) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
        self.out.push_str(end);
    }

    fn escaped(&mut self, text: &str) {
        for letter in visible(text).chars() {
            match letter {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                other => self.out.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Markup;

    #[test]
    fn no_text_becomes_markup() {
        let mut page = Markup::default();
        page.leaf("p", &[("title", "a\" onclick='x'")], "</p><script>1 & 2\u{1b}[0m\u{202e}");
        assert_eq!(
            page.finish(),
            "<p title=\"a&quot; onclick=&#39;x&#39;\">&lt;/p&gt;&lt;script&gt;1 &amp; 2\\u{1b}[0m\\u{202e}</p>"
        );
    }
}
