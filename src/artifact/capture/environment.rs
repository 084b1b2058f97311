//! `set` and `Get-ChildItem env:`: the environment variables, of which proxies are the ones that matter.
//!
//! No part of these outputs is localised. That a variable is not there means something only when the whole environment was
//! printed, so the reading says whether the variables that every Windows process has were seen. Values of variables that carry a
//! secret by their name, and credentials in proxy addresses, are masked.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::{self, cell};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The variables in the order of the output.
    pub variables: Vec<Variable>,
    /// Whether this is a whole environment: only then is a variable that is not listed known not to be set.
    pub complete: bool,
}

/// One variable.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variable {
    /// 1-based line.
    pub line: u32,
    /// Name as printed.
    pub name: String,
    /// Value; secrets are `***`.
    pub value: String,
    /// A table cut the end of the value.
    pub cut: bool,
}

impl Data {
    /// A variable by name, letter case ignored as Windows does.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name.eq_ignore_ascii_case(name))
    }
}

/// Variables that every process of every Windows since 7 has.
const ALWAYS_THERE: &[&str] = &[
    "COMPUTERNAME",
    "ComSpec",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "Path",
    "PATHEXT",
    "ProgramData",
    "SystemRoot",
    "windir",
];

/// How many of these make an output a whole environment.
const ENOUGH: usize = 6;

/// Parts of names whose values are secrets.
const SECRET_NAMES: &[&str] =
    &["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "API_KEY", "ACCESS_KEY", "CREDENTIAL"];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Environment, recognise, starts: |_| false, read };

/// `NAME=value`, as `set` prints it. Names may hold brackets (`ProgramFiles(x86)`) but no blanks.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let named = !name.is_empty() && name.len() <= 128 && !name.contains([' ', '\t', ':', ';', '"', '<', '>']);
    named.then_some((name, value))
}

fn is_always_there(name: &str) -> bool {
    ALWAYS_THERE.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_proxy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "http_proxy" | "https_proxy" | "all_proxy" | "no_proxy" | "ftp_proxy")
}

/// The name that a line of any of the forms begins with.
fn name_in(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some((name, _)) = assignment(line) {
        return Some(name);
    }
    // Lists and JSON say `Name : Path`, `"Name":  "Path"`; tables begin with the name.
    let found = shape::labelled(line).filter(|found| matches!(found.label.trim_matches('"'), "Name" | "Key"));
    match found {
        Some(found) => Some(found.value.trim_matches([',', '"'])),
        None => line.split_once("  ").map(|(name, _)| name),
    }
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut known, mut proxies, mut lines) = (0usize, 0usize, 0usize);
    for (_, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()) {
        lines += 1;
        if let Some(name) = name_in(line) {
            known += usize::from(is_always_there(name));
            proxies += usize::from(is_proxy(name) && assignment(line).is_some());
        }
    }
    match (known, proxies) {
        (ENOUGH.., _) => 90,
        (3.., _) => 70,
        // `set http` prints what begins with it and nothing else.
        (_, 1..) if proxies == lines => 70,
        _ => 0,
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let is_set = block
        .lines()
        .any(|(_, line)| assignment(line).is_some_and(|(name, _)| is_always_there(name) || is_proxy(name)));
    if is_set {
        read_set(block, &mut data, &mut doubts);
    } else {
        read_objects(block, &mut data, &mut doubts);
    }
    let known = ALWAYS_THERE.iter().filter(|name| data.variable(name).is_some()).count();
    data.complete = known >= ENOUGH && doubts.none();
    if known < ENOUGH {
        doubts.whole("only a part of the environment was printed");
    }
    netsh::reading(CaptureData::Environment(data), None, &doubts)
}

fn read_set(block: &Block<'_>, data: &mut Data, doubts: &mut Doubts) {
    for (line, text) in block.lines().filter(|(_, text)| !text.trim().is_empty()) {
        match assignment(text.trim_start()) {
            Some((name, value)) => data.variables.push(variable(line, name, value, false)),
            None => doubts.at(line, "expected NAME=value"),
        }
    }
}

fn read_objects(block: &Block<'_>, data: &mut Data, doubts: &mut Doubts) {
    let found = shape::objects(block);
    for object in &found.objects {
        let name = object.text("Name").or_else(|| object.text("Key"));
        match (name, object.property("Value")) {
            (Some(name), Some(value)) => {
                let text = value.cell.text().unwrap_or_default();
                data.variables.push(variable(object.line, &name, &text, value.truncated));
            }
            _ => doubts.at(object.line, "expected a variable with its name and value"),
        }
    }
    for problem in &found.problems {
        doubts.whole(problem.to_string());
    }
}

fn variable(line: u32, name: &str, value: &str, cut: bool) -> Variable {
    let upper = name.to_ascii_uppercase();
    let secret = SECRET_NAMES.iter().any(|part| upper.contains(part));
    let value = match (secret, is_proxy(name) || value.contains("://")) {
        (true, _) => "***".to_owned(),
        (false, true) => cell::without_credentials(value.trim()),
        (false, false) => value.trim_end().to_owned(),
    };
    Variable { line, name: name.to_owned(), value, cut }
}
