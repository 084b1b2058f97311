//! `reg query` output, with and without `/s`.
//!
//! The output is the key's full name flush left, its values below it with four blanks between name, type and data, and then the
//! names of the subkeys (or, with `/s`, the subkeys with their values). What it covers hangs on the command line, which is not
//! always there; without it only what the output itself proves is taken as covered:
//!
//! * a key below the first one that has values: everything below was asked for (`/s`);
//! * several values, or subkeys without values: the key itself was asked for;
//! * a single value and nothing else: it may have been asked for by name (`/v`), so nothing else is known;
//! * a closing line: a search (`/f`, `/t`) prints it too, so nothing is covered.

use super::capture::Block;
use super::reg_export::{RegForm, RegText, RegTextKey, Scope, below, short_root, wow64_twin};
use super::value::{RegValue, ValueType};
use super::{Place, Problem};

mod command;

use command::Command;

/// Windows' "not found" of `reg.exe`, as far as captures confirm the wording; other languages stay *unknown*.
const NOT_FOUND: [&str; 2] = [
    "unable to find the specified registry key or value",
    "angegebene registrierungsschlüssel bzw. wert wurde nicht gefunden",
];

/// How surely a block is `reg query` output: 100 with a key line and a value line, less with one of them, 0 without.
pub fn recognise(block: &Block<'_>) -> u8 {
    let asked = block.command.is_some_and(|line| Command::parse(line).is_some());
    let mut keys = false;
    for (_, line) in block.lines() {
        if value_line(line).is_some() && keys {
            return 100;
        }
        keys |= key_line(line).is_some();
        if Command::parse(line).is_some() && !keys {
            return 90;
        }
    }
    match (keys, asked) {
        (_, true) => 90,
        (true, false) => 50,
        (false, false) => 0,
    }
}

/// Whether a line is where `reg query` output begins: the full name of a key, flush left.
pub fn starts(line: &str) -> bool {
    key_line(line).is_some()
}

/// Reads a block. Several outputs in one block are told apart by their echoed commands and by their top keys.
pub fn parse(block: &Block<'_>) -> RegText {
    let mut parser = Parser {
        out: RegText::new(RegForm::Query, block),
        command: block.command.and_then(Command::parse),
        first: 0,
        footer: false,
        not_found: false,
        denied: false,
        lost: false,
        top_lost: false,
        open_text: None,
    };
    let mut after_blank = true;
    for (number, line) in block.lines() {
        parser.line(number, line, after_blank);
        after_blank = line.trim().is_empty();
    }
    if block.from <= block.to && block.to >= block.text.line_count() {
        parser.check_end(block);
    }
    parser.end_output();
    parser.out
}

/// A key line. Values are indented, so the full name of a root at the start of a line is one.
fn key_line(line: &str) -> Option<String> {
    if line.starts_with("HKEY_") { short_root(line) } else { None }
}

/// Name, type and data of a value line. The name may hold blanks, so the type is what divides.
fn value_line(line: &str) -> Option<(&str, ValueType, &str)> {
    let inner = line.strip_prefix("    ").or_else(|| line.strip_prefix('\t'))?;
    for separator in ["    REG_", "\tREG_"] {
        let mut from = 0;
        while let Some(at) = inner.get(from..)?.find(separator).map(|at| at + from) {
            let (name, rest) = inner.split_at_checked(at)?;
            let rest = rest.trim_start();
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            let (kind, data) = rest.split_at_checked(end)?;
            if let Some(kind) = ValueType::from_name(kind) {
                let data = data.strip_prefix("    ").or_else(|| data.strip_prefix('\t')).unwrap_or(data);
                return Some((name, kind, data));
            }
            from = at + separator.len();
        }
    }
    None
}

struct Parser {
    out: RegText,
    command: Option<Command>,
    /// The first key of the output that is being read.
    first: usize,
    footer: bool,
    not_found: bool,
    denied: bool,
    /// The values that follow belong to a key whose line could not be read.
    lost: bool,
    /// So does the first key of the output.
    top_lost: bool,
    /// The string that the last line belongs to: more lines of it may follow.
    open_text: Option<OpenText>,
}

/// A string value whose data may go on on the next line.
struct OpenText {
    last_line: u32,
    more: String,
}

impl Parser {
    fn line(&mut self, number: u32, line: &str, after_blank: bool) {
        if line.trim().is_empty() || line.starts_with("! REG.EXE") {
            return;
        }
        if let Some(path) = key_line(line) {
            self.close_text();
            self.key(number, path);
        } else if let Some((name, kind, data)) = value_line(line) {
            self.close_text();
            self.value(number, name, kind, data);
        } else if let Some(command) = Command::parse(line) {
            self.end_output();
            self.command = Some(command);
        } else if NOT_FOUND.iter().any(|words| line.to_lowercase().contains(words)) {
            self.not_found = true;
        } else if after_blank && is_footer(line) {
            self.footer = true;
        } else {
            self.other(number, line, after_blank);
        }
    }

    fn key(&mut self, number: u32, path: String) {
        let path = match self.command {
            Some(Command { view_32: true, .. }) => wow64_twin(&path).unwrap_or(path),
            _ => path,
        };
        if self.out.keys.get(self.first).is_some_and(|top| below(&path, &top.path).is_none()) {
            // Another query, or the rest of a search.
            if self.command.as_ref().is_none_or(|command| !command.searches) {
                self.end_output();
            }
        }
        self.lost = false;
        self.out.keys.push(RegTextKey::new(path, number));
    }

    fn value(&mut self, number: u32, name: &str, kind: ValueType, data: &str) {
        if self.lost {
            return;
        }
        if self.out.keys.len() <= self.first {
            self.top_lost = true;
            self.problem(number, "a key before its first value", name);
            return;
        }
        let is_default = is_default_name(name);
        if is_default && is_not_set(data) {
            return;
        }
        let name = if is_default { "" } else { name };
        let separator =
            self.command.as_ref().and_then(|command| command.separator.as_deref()).unwrap_or(r"\0");
        let value = match read_data(name, kind, data, separator) {
            Some(value) => value,
            None => {
                self.problem(number, "data of the type that stands before it", data);
                RegValue { truncated: true, ..RegValue::new(name, kind, Vec::new()) }
            }
        };
        if let Some(key) = self.out.keys.last_mut() {
            // A name that begins with a blank may be another one whose indent is damaged.
            key.whole &= !value.truncated && !name.starts_with([' ', '\t']);
            let is_text = matches!(value.kind, ValueType::SZ | ValueType::EXPAND_SZ);
            self.open_text = is_text.then(|| OpenText { last_line: number, more: String::new() });
            key.values.push((value, number));
        }
    }

    /// A line that is none of the above: the rest of a string that holds a line break, an error, or something damaged. In no
    /// case can anything be called absent in this key any more.
    fn other(&mut self, number: u32, line: &str, after_blank: bool) {
        let looks_like_value = line.starts_with("    ") || line.contains("REG_");
        let open = self.open_text.as_mut().filter(|text| text.last_line + 1 == number && !looks_like_value);
        if let Some(text) = open {
            text.last_line = number;
            text.more.push('\n');
            text.more.push_str(line);
            if let Some(key) = self.out.keys.last_mut() {
                key.whole = false;
            }
            return;
        }
        self.denied = true;
        self.problem(number, "a key, a value or a closing line", line);
        self.gap();
        // A key stands behind a blank line: if this was one, the values below it belong to no key that is known.
        if after_blank || line.contains("HKEY_") {
            self.lost = true;
            self.top_lost |= self.out.keys.len() == self.first;
        }
    }

    /// Adds the further lines of a string to its value.
    fn close_text(&mut self) {
        let Some(OpenText { more, .. }) = self.open_text.take().filter(|text| !text.more.is_empty()) else {
            return;
        };
        if let Some((value, _)) = self.out.keys.last_mut().and_then(|key| key.values.last_mut()) {
            let text = value.as_text().unwrap_or_default() + &more;
            *value = RegValue::string(std::mem::take(&mut value.name), value.kind, &text);
        }
    }

    fn problem(&mut self, number: u32, expected: &str, found: &str) {
        let found: String = found.chars().take(60).collect();
        self.out.problems.push(Problem::new(Place::Line(number), expected, format!("{found:?}")));
    }

    /// Something is missing behind the last key.
    fn gap(&mut self) {
        if let Some(key) = self.out.keys.get_mut(self.first..).and_then(<[_]>::last_mut) {
            key.whole = false;
            key.gap_after = true;
        }
    }

    /// `reg.exe` puts a blank line behind values, and ends every line.
    fn check_end(&mut self, block: &Block<'_>) {
        self.close_text();
        let line = block.text.line(block.to);
        let has_line_end = block.text.as_str().ends_with(['\n', '\r']);
        if block.text.as_str().is_empty() || (has_line_end && value_line(line).is_none()) {
            return;
        }
        self.problem(block.to, "a line end, and a blank line behind values, at the end of the output", line);
        self.gap();
        if let Some((value, at)) = self.out.keys.last_mut().and_then(|key| key.values.last_mut()) {
            value.truncated |= !has_line_end && *at == block.to;
        }
    }

    /// Works out what the output covers, and makes ready for the next one.
    fn end_output(&mut self) {
        self.close_text();
        let scope = match &self.command {
            Some(command) => self.scope_of(command),
            None => self.scope_by_shape(),
        };
        self.out.scopes.extend(scope);
        self.first = self.out.keys.len();
        (self.command, self.footer, self.not_found, self.denied) = (None, false, false, false);
        (self.lost, self.top_lost) = (false, false);
    }

    fn own_keys(&self) -> &[RegTextKey] {
        self.out.keys.get(self.first..).unwrap_or_default()
    }

    fn scope_of(&self, command: &Command) -> Option<Scope> {
        // What prints a key and nothing else is not known.
        let bare = matches!(self.own_keys(), [top] if top.values.is_empty());
        if command.searches || self.top_lost || bare {
            return None;
        }
        let path = match self.own_keys().first() {
            Some(top) if command.asked().is_some_and(|asked| below(&top.path, &asked) == Some("")) => {
                top.path.clone()
            }
            Some(_) => return None,
            // Nothing was printed: only "not found" says why.
            None if self.not_found && !self.denied => command.asked()?,
            None => return None,
        };
        let absent = self.own_keys().is_empty();
        Some(match &command.only_value {
            Some(name) => Scope { recursive: command.recursive, ..Scope::value(path, name.clone()) },
            None if command.recursive || absent => Scope::tree(path),
            None => Scope::values(path, true),
        })
    }

    fn scope_by_shape(&self) -> Option<Scope> {
        let (top, below) = self.own_keys().split_first()?;
        if self.footer || self.top_lost {
            return None;
        }
        let depth = top.path.split('\\').count();
        if below.iter().any(|key| !key.values.is_empty() || key.path.split('\\').count() > depth + 1) {
            return Some(Scope::tree(top.path.clone()));
        }
        Some(match top.values.as_slice() {
            [] if below.is_empty() => return None,
            [(only, _)] if below.is_empty() => Scope::value(top.path.clone(), only.name.clone()),
            _ => Scope::values(top.path.clone(), true),
        })
    }
}

/// The closing line of a search, `End of search: 22 match(es) found.`, in any language: a sentence with a colon and a count.
fn is_footer(line: &str) -> bool {
    let Some((_, count)) = line.split_once([':', '：']) else { return false };
    !line.starts_with([' ', '\t']) && count.trim_start().starts_with(|c: char| c.is_ascii_digit())
}

/// The default value's name: `(Default)`, `(Standard)`, `(par défaut)`, `(既定)`, on old systems `<NO NAME>`; in every language a
/// word or two in brackets.
fn is_default_name(name: &str) -> bool {
    let Some(inner) = name.strip_prefix('(').and_then(|name| name.strip_suffix(')')) else {
        return name.eq_ignore_ascii_case("<NO NAME>");
    };
    !inner.is_empty()
        && inner.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '\u{a0}' | '\u{fffd}' | '?'))
}

/// `(value not set)`: `reg query /ve` prints it for a default value that is not there.
fn is_not_set(data: &str) -> bool {
    let data = data.trim();
    data.starts_with('(') && data.ends_with(')')
}

fn read_data(name: &str, kind: ValueType, data: &str, separator: &str) -> Option<RegValue> {
    match kind {
        // Two lines that became one.
        ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ if data.contains("    REG_") => None,
        ValueType::SZ | ValueType::EXPAND_SZ | ValueType::LINK => Some(RegValue::string(name, kind, data)),
        ValueType::MULTI_SZ => {
            let items = data.split(separator).filter(|item| !item.is_empty());
            let list: String = items.flat_map(|item| [item, "\0"]).collect();
            Some(RegValue::string(name, kind, &list))
        }
        ValueType::DWORD => Some(RegValue::dword(name, number(data)?.try_into().ok()?)),
        ValueType::DWORD_BIG_ENDIAN => {
            let number: u32 = number(data)?.try_into().ok()?;
            Some(RegValue::new(name, kind, number.to_be_bytes().to_vec()))
        }
        ValueType::QWORD => Some(RegValue::new(name, kind, number(data)?.to_le_bytes().to_vec())),
        _ => Some(RegValue::new(name, kind, bytes(data.trim())?)),
    }
}

/// `0x1a`; with `/z` there is nothing else, old versions print the same.
fn number(data: &str) -> Option<u64> {
    let digits = data.trim().strip_prefix("0x")?;
    u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

fn bytes(data: &str) -> Option<Vec<u8>> {
    if !data.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    data.as_bytes()
        .chunks_exact(2)
        .map(|pair| match *pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
