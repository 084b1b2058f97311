//! Takes the marks of posts off a text: quote marks, comment marks, list indent, code fences, HTML entities.
//!
//! Outputs reach a bundle through forms, tickets and wikis too. Line numbers stay what they are, so evidence still points at the
//! right line of the file.

use std::borrow::Cow;

use super::command;
use super::shape::labelled;
use crate::artifact::text::Text;

/// The text without such marks; borrowed when there are none.
pub fn unwrap(text: &Text) -> Cow<'_, Text> {
    let marks = Marks::of(text);
    if marks == Marks::default() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.map_lines(|line| marks.strip(line)))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks {
    /// What every line begins with.
    prefix: Prefix,
    /// Lines are wrapped in back-ticks, rules are escaped, fences stand around.
    markdown: bool,
    /// `&gt;` stands for `>`.
    entities: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Prefix {
    #[default]
    None,
    /// `>` and one blank.
    Quote,
    /// `#` or `//` and one blank.
    Comment(&'static str),
    /// So many blanks: a prompt that stands there proves that they are not the output's own.
    Indent(usize),
}

impl Marks {
    fn of(text: &Text) -> Self {
        let all = text.as_str();
        let entities =
            ["&gt;", "&lt;"].iter().any(|entity| all.contains(entity)) && !all.trim_start().starts_with('<');
        Self { prefix: prefix(text), markdown: all.contains('`') || all.contains("\\--"), entities }
    }

    fn strip<'t>(&self, line: &'t str) -> Cow<'t, str> {
        let line = match self.prefix {
            Prefix::None => line,
            Prefix::Quote => without(line, ">"),
            Prefix::Comment(mark) => without(line, mark),
            Prefix::Indent(blanks) => line.get(blanks..).unwrap_or_default(),
        };
        let line = if self.markdown { without_markdown(line) } else { line };
        if !self.entities || !line.contains('&') {
            return Cow::Borrowed(line);
        }
        let plain =
            line.replace("&gt;", ">").replace("&lt;", "<").replace("&quot;", "\"").replace("&#39;", "'");
        Cow::Owned(plain.replace("&nbsp;", " ").replace("&amp;", "&"))
    }
}

/// The line without a mark and the one blank behind it.
fn without<'t>(line: &'t str, mark: &str) -> &'t str {
    let Some(rest) = line.trim_start().strip_prefix(mark) else { return line };
    rest.strip_prefix(' ').unwrap_or(rest)
}

fn prefix(text: &Text) -> Prefix {
    let lines = || text.lines().map(|(_, line)| line).filter(|line| !line.trim().is_empty());
    let Some(first) = lines().next() else { return Prefix::None };
    let all_begin = |mark: &str| {
        let marked = |line: &str| {
            line.trim_start()
                .strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        };
        text.line_count() > 1 && lines().all(marked)
    };
    if all_begin(">") {
        return Prefix::Quote;
    }
    for mark in ["#", "//"] {
        // The hosts file as Windows ships it is all comments too, so only what reads like an output counts as one.
        let labels =
            || lines().filter(|line| labelled(without(line, mark)).is_some_and(|it| it.leader)).count();
        if all_begin(mark) && labels() >= 2 {
            return Prefix::Comment(mark);
        }
    }
    let blanks = first.bytes().take_while(|byte| *byte == b' ').count();
    let indented = blanks > 0
        && command::prompt(first.trim_start()).is_some()
        && lines().all(|line| line.bytes().take_while(|byte| *byte == b' ').count() >= blanks);
    if indented { Prefix::Indent(blanks) } else { Prefix::None }
}

/// Fences become blank, back-ticks around a whole line (a list item may hold it) go, and so does the backslash of `\----`.
fn without_markdown(line: &str) -> &str {
    let trimmed = line.trim();
    if trimmed.starts_with("```") {
        return "";
    }
    if let Some(rest) = trimmed.strip_prefix('\\').filter(|rest| rest.starts_with("--")) {
        return rest;
    }
    let item = trimmed.trim_start_matches(['-', '*', ' ']);
    let inner = item.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    inner.filter(|inner| !inner.contains('`')).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(text: &str) -> Vec<String> {
        let text = Text::decode(text.as_bytes());
        let plain = unwrap(&text);
        assert_eq!(plain.line_count(), text.line_count());
        plain.lines().map(|(_, line)| line.to_owned()).collect()
    }

    #[test]
    fn quotes_and_escaped_rules() {
        // The form of netsh_winsock_show_catalog/zh-win10-lsp-1.
        assert_eq!(unwrapped("> C:\\>x\n> \n> \\-----\n>   y: 1\n"), ["C:\\>x", "", "-----", "  y: 1"]);
    }

    #[test]
    fn comments_only_around_an_output() {
        let output =
            "# Windows IP\n#\n#    Host Name . . . : x\n#    Node Type . . . : y\n#    IPv4 . . . : z\n";
        assert_eq!(unwrapped(output)[2], "   Host Name . . . : x");
        // The hosts file that Windows ships.
        let hosts = "# Copyright (c) 1993-2009 Microsoft Corp.\n#\n# 127.0.0.1       localhost\n";
        assert_eq!(unwrapped(hosts)[2], "# 127.0.0.1       localhost");
    }

    #[test]
    fn an_indent_is_taken_off_below_an_indented_prompt() {
        assert_eq!(
            unwrapped("   C:\\>nslookup a\n   Server:  b\n\n     c\n"),
            ["C:\\>nslookup a", "Server:  b", "", "  c"]
        );
        assert_eq!(unwrapped("   Server:  b\n   c\n")[0], "   Server:  b");
    }

    #[test]
    fn fences_backticks_and_entities() {
        assert_eq!(
            unwrapped("```text\nC:\\&gt;ipconfig &amp; x\n```\n- `a b`\n"),
            ["", "C:\\>ipconfig & x", "", "a b"]
        );
        assert_eq!(unwrapped("<a>&gt;</a>"), ["<a>&gt;</a>"]);
    }
}
