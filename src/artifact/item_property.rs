//! PowerShell `Get-ItemProperty` lists of registry keys.
//!
//! Every object ends with `PSPath`, which gives the key. The list shows a key's own values and says nothing of its subkeys, and
//! it shows text, not types: whole numbers are read as numbers, lists in braces as lists, all else as strings. PowerShell hides
//! nothing but cuts long lists with dots, and wraps lines at the width of the console, inside words.

use super::capture::Block;
use super::reg_export::{RegForm, RegText, RegTextKey, Scope, short_root};
use super::value::{RegValue, ValueType};
use super::{Place, Problem};

/// What the registry provider adds to every object; a key may have none of its values.
const PROVIDER: [&str; 5] = ["PSPath", "PSParentPath", "PSChildName", "PSDrive", "PSProvider"];
/// Mark of the registry provider in `PSPath`.
const REGISTRY: &str = r"Microsoft.PowerShell.Core\Registry::";

/// How surely a block is a list of registry keys: 100 when a `PSPath` of the registry provider is in it, else 0.
pub fn recognise(block: &Block<'_>) -> u8 {
    let has_path = block.lines().any(|(_, line)| {
        property(line).is_some_and(|(name, _, value)| name == "PSPath" && value.starts_with(REGISTRY))
    });
    if has_path { 100 } else { 0 }
}

/// Name, column of the value, and value of a property line (`Name   : value`). Lines that go on are indented.
fn property(line: &str) -> Option<(&str, usize, &str)> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let at = line.find(" :")?;
    let (name, rest) = line.split_at_checked(at)?;
    let value = rest.strip_prefix(" :")?;
    let value = match value.strip_prefix(' ') {
        Some(value) => value,
        None if value.is_empty() => value,
        None => return None,
    };
    let column = line.chars().count() - value.chars().count();
    Some((name.trim_end(), column, value))
}

/// A property and the lines that it goes on on.
struct Property {
    name: String,
    line: u32,
    /// Column of the value, in characters.
    column: usize,
    text: String,
    /// Characters of the last line that was read, and the widest a line may be before it is wrapped.
    last_width: usize,
}

struct Parser {
    out: RegText,
    /// The console's width, from the longest line.
    width: usize,
    object: Vec<Property>,
    /// Something in the object could not be read.
    damaged: bool,
    /// `-Name` was given: only what was asked for is known.
    by_name: bool,
}

/// Reads a block with one or more objects.
pub fn parse(block: &Block<'_>) -> RegText {
    let mut parser = Parser {
        out: RegText::new(RegForm::ItemProperty, block),
        width: block.lines().map(|(_, line)| line.chars().count()).max().unwrap_or_default(),
        object: Vec::new(),
        damaged: false,
        by_name: block.command.is_some_and(asks_by_name),
    };
    let mut column = 0;
    for (number, line) in block.lines() {
        if line.trim().is_empty() {
            parser.end_object(false);
        } else if let Some((name, at, value)) = property(line).filter(|(_, at, _)| parser.fits(*at)) {
            column = at;
            parser.object.push(Property {
                name: name.to_owned(),
                line: number,
                column: at,
                text: value.to_owned(),
                last_width: line.chars().count(),
            });
        } else if !parser.go_on(line, column) {
            parser.stray(number, line);
        }
    }
    parser.end_object(block.to >= block.text.line_count());
    parser.out
}

/// `Get-ItemProperty … -Name x`, or a `Select-Object` behind it.
fn asks_by_name(command: &str) -> bool {
    let command = command.to_lowercase();
    command.contains(" -name ") || command.contains("select") || command.contains(" -n ")
}

impl Parser {
    /// PowerShell puts all colons of an object below each other.
    fn fits(&self, column: usize) -> bool {
        self.object.first().is_none_or(|first| first.column == column)
    }

    /// Adds a wrapped line to its property. A full line was broken by the console; a shorter one had a line break in it.
    fn go_on(&mut self, line: &str, column: usize) -> bool {
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let Some(property) = self.object.last_mut().filter(|_| indent >= column && column > 0) else {
            return false;
        };
        let rest: String = line.chars().skip(column).collect();
        if property.last_width < self.width && !PROVIDER.contains(&property.name.as_str()) {
            property.text.push('\n');
        }
        property.text.push_str(&rest);
        property.last_width = line.chars().count();
        true
    }

    fn stray(&mut self, number: u32, line: &str) {
        let found: String = line.chars().take(60).collect();
        self.problem(number, "`Name : value`", &found);
        self.damaged = true;
    }

    fn problem(&mut self, number: u32, expected: &str, found: &str) {
        self.out.problems.push(Problem::new(Place::Line(number), expected, format!("{found:?}")));
    }

    /// `at_end`: the text ends here, without the blank lines behind an object.
    fn end_object(&mut self, at_end: bool) {
        let object = std::mem::take(&mut self.object);
        let Some(first) = object.first().map(|property| property.line) else { return };
        let damaged = std::mem::take(&mut self.damaged);
        // PSPath stands behind the values. As the last thing of a text it may be cut off itself.
        let whole = if at_end { object.len().saturating_sub(1) } else { object.len() };
        let path = object.iter().take(whole).find(|property| property.name == "PSPath");
        let Some(path) = path.and_then(|path| short_root(&path.text)) else {
            self.problem(first, "a PSPath that names a registry key", "none in this object");
            // A blank line in a string cuts its object in two: the next one may be the rest of this one.
            self.damaged = true;
            return;
        };
        let mut key = RegTextKey::new(path.clone(), first);
        // A colon in a value may be that of a line that was joined to it.
        key.whole = !damaged && !object.iter().any(|property| property.text.contains(" : "));
        for property in object.iter().filter(|property| !PROVIDER.contains(&property.name.as_str())) {
            key.values.push((value(property), property.line));
        }
        let scope = match key.values.as_slice() {
            // A single one may have been asked for by name.
            [(only, _)] => Some(Scope::value(path, only.name.clone())),
            _ if self.by_name => None,
            _ => Some(Scope::values(path, false)),
        };
        self.out.scopes.extend(scope);
        self.out.keys.push(key);
    }
}

/// A value, typed by its looks.
fn value(property: &Property) -> RegValue {
    let name = if property.name == "(default)" { "" } else { property.name.as_str() };
    let text = property.text.as_str();
    if let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        return list(name, inner);
    }
    if text.starts_with('{') && text.ends_with(['…', '.']) {
        return RegValue { truncated: true, ..RegValue::string(name, ValueType::SZ, text) };
    }
    match text.parse::<i128>() {
        // PowerShell 5 prints a REG_DWORD as a signed number, PowerShell 7 as an unsigned one.
        Ok(number) if canonical_number(text) => match (u32::try_from(number), i32::try_from(number)) {
            (Ok(number), _) => RegValue::dword(name, number),
            (_, Ok(number)) => RegValue::dword(name, number.cast_unsigned()),
            _ => wide(name, number, text),
        },
        _ => RegValue::string(name, ValueType::SZ, text),
    }
}

fn wide(name: &str, number: i128, text: &str) -> RegValue {
    let bytes = u64::try_from(number).or_else(|_| i64::try_from(number).map(i64::cast_unsigned));
    match bytes {
        Ok(number) => RegValue::new(name, ValueType::QWORD, number.to_le_bytes().to_vec()),
        Err(_) => RegValue::string(name, ValueType::SZ, text),
    }
}

/// A number as .NET prints it: no leading zeros or plus sign, so that `007` stays text.
fn canonical_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits == "0" || (digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.starts_with('0'))
}

/// `{1, 0, 0…}` is binary when every item is a byte, otherwise a list of strings; dots at the end say that it was cut.
fn list(name: &str, inner: &str) -> RegValue {
    let cut = inner.ends_with("...") || inner.ends_with('…');
    let items: Vec<&str> =
        inner.trim_end_matches(['.', '…']).split(", ").filter(|item| !item.is_empty()).collect();
    let bytes: Option<Vec<u8>> = items.iter().map(|item| item.parse::<u8>().ok()).collect();
    let value = match bytes {
        Some(bytes) if !bytes.is_empty() => RegValue::new(name, ValueType::BINARY, bytes),
        _ => {
            let list: String = items.iter().flat_map(|item| [*item, "\0"]).collect();
            RegValue::string(name, ValueType::MULTI_SZ, &list)
        }
    };
    RegValue { truncated: cut, ..value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::artifact::text::{Encoding, Text};

    fn read(text: &str) -> RegText {
        let encoding = Encoding { name: "utf-8".into(), certain: true, lossy: false, repaired: false };
        parse(&Block::whole(&Text::from_string(text.to_owned(), encoding)))
    }

    /// As Windows PowerShell 5.1 prints it in a window of 80 columns; the wrapped PSPath is of the form of public transcripts.
    const LIST: &str = "\r
\r
EnableActiveProbing    : 1\r
ActiveWebProbeHost     : www.msftconnecttest.com\r
Mask                   : -1\r
StaleThreshold         : 5000000000\r
Blob                   : {70, 0, 0, 0...}\r
Multi                  : {NSI, RpcSs}\r
Empty                  : \r
Zip                    : 007\r
(default)              : x\r
PSPath                 : Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\\r
                         SYSTEM\\CurrentControlSet\\Services\\NlaSvc\\Parameters\\Int\r
                         ernet\r
PSParentPath           : Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\\r
                         SYSTEM\\CurrentControlSet\\Services\\NlaSvc\\Parameters\r
PSChildName            : Internet\r
PSDrive                : HKLM\r
PSProvider             : Microsoft.PowerShell.Core\\Registry\r
\r
";

    #[test]
    fn a_key_with_values_of_every_look() {
        let read = read(LIST);
        assert_eq!(read.problems, []);
        let path = r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet";
        assert_eq!(read.keys[0].path, path);
        assert_eq!(read.scopes, [Scope::values(path, false)]);
        let values: Vec<RegValue> = read.keys[0].values.iter().map(|(value, _)| value.clone()).collect();
        assert_eq!(
            values,
            [
                RegValue::dword("EnableActiveProbing", 1),
                RegValue::string("ActiveWebProbeHost", ValueType::SZ, "www.msftconnecttest.com"),
                RegValue::dword("Mask", u32::MAX),
                RegValue::new("StaleThreshold", ValueType::QWORD, 5_000_000_000_u64.to_le_bytes().to_vec()),
                RegValue { truncated: true, ..RegValue::new("Blob", ValueType::BINARY, vec![70, 0, 0, 0]) },
                RegValue::string("Multi", ValueType::MULTI_SZ, "NSI\0RpcSs\0"),
                RegValue::string("Empty", ValueType::SZ, ""),
                RegValue::string("Zip", ValueType::SZ, "007"),
                RegValue::string("", ValueType::SZ, "x"),
            ]
        );
    }

    #[test]
    fn one_value_may_have_been_asked_for_by_name() {
        let text = "Start        : 4\r\nPSPath       : Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\A\r\n\r\n";
        assert_eq!(read(text).scopes, [Scope::value(r"HKLM\A", "Start")]);
    }

    #[test]
    fn only_the_registry_provider_counts() {
        let recognised = |text: &str| {
            let encoding = Encoding { name: "utf-8".into(), certain: true, lossy: false, repaired: false };
            recognise(&Block::whole(&Text::from_string(text.to_owned(), encoding)))
        };
        assert_eq!(recognised(LIST), 100);
        assert_eq!(recognised("PSPath : Microsoft.PowerShell.Core\\FileSystem::C:\\Windows\r\n"), 0);
    }

    #[test]
    fn an_object_without_its_key_is_a_problem() {
        let read = read(
            "Start : 4\r\n\r\nStart       : 4\r\nb           : 1\r\nPSPath      : Microsoft.PowerShell.Core\\Registry::HKEY_LOCAL_MACHINE\\A\r\nPSChildName : A\r\n",
        );
        assert_eq!(read.problems.len(), 1);
        assert_eq!(read.keys.len(), 1);
        assert!(!read.keys[0].whole, "the first part may belong to it");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "(PSPath|a| : |\\{|\\}|, |Registry::HKEY_USERS|    |\r?\n|.){0,50}") {
            let _ = read(&text);
        }
    }
}
