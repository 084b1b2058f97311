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
pub const READER: Reader = Reader {
    kind: CaptureKind::Environment,
    recognise,
    starts: |line| line.starts_with("ALLUSERSPROFILE="),
    read,
};

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

#[cfg(test)]
mod tests {
    use super::super::netsh::testing::{claimed, damage_says_nothing_new, data};
    use super::super::{CaptureKind, CaptureStatus};

    const SET: &str = "ALLUSERSPROFILE=C:\\ProgramData\r\nCOMPUTERNAME=PC-17\r\nComSpec=C:\\WINDOWS\\system32\\cmd.exe\r\n\
        GITHUB_TOKEN=ghp_0123\r\nHTTPS_PROXY=http://bob:s3cret@proxy.example:8080\r\nhttp_proxy=bob:pw@proxy.example:3128\r\n\
        NO_PROXY=localhost,.example\r\nNUMBER_OF_PROCESSORS=8\r\nOS=Windows_NT\r\nPath=C:\\WINDOWS;C:\\a=b\r\nPATHEXT=.COM;.EXE\r\n\
        ProgramData=C:\\ProgramData\r\nProgramFiles(x86)=C:\\Program Files (x86)\r\nSystemRoot=C:\\WINDOWS\r\nwindir=C:\\WINDOWS\r\n";

    #[test]
    fn the_whole_environment_with_masked_secrets() {
        let (data, status, reason) = data!(Environment, SET);
        assert_eq!(
            (status, reason, data.complete, data.variables.len()),
            (CaptureStatus::Parsed, None, true, 15)
        );
        let value = |name: &str| data.variable(name).map(|variable| (variable.line, variable.value.as_str()));
        assert_eq!(value("https_proxy"), Some((5, "http://***@proxy.example:8080")));
        assert_eq!(value("HTTP_PROXY"), Some((6, "***@proxy.example:3128")));
        assert_eq!(value("GITHUB_TOKEN"), Some((4, "***")));
        assert_eq!(value("Path"), Some((10, "C:\\WINDOWS;C:\\a=b")));
        assert_eq!(value("ALL_PROXY"), None);
    }

    #[test]
    fn tables_lists_and_json_of_powershell() {
        let names =
            ["COMPUTERNAME", "ComSpec", "OS", "Path", "PATHEXT", "SystemRoot", "windir", "https_proxy"];
        let value = |name: &str| if name == "https_proxy" { "http://bob:pw@p:80" } else { "x" };
        let table: String = names.iter().map(|name| format!("{name:<30} {}\n", value(name))).collect();
        let table =
            format!("\nName                           Value\n----                           -----\n{table}");
        let list: String =
            names.iter().map(|name| format!("Name  : {name}\nValue : {}\n\n", value(name))).collect();
        let json: Vec<String> = names
            .iter()
            .map(|name| {
                format!(
                    "    {{\n        \"Name\":  \"{name}\",\n        \"Value\":  \"{}\"\n    }}",
                    value(name)
                )
            })
            .collect();
        let json = format!("[\n{}\n]\n", json.join(",\n"));
        for text in [table, list, json] {
            let (data, status, reason) = data!(Environment, &text);
            assert_eq!(
                (status, reason, data.complete, data.variables.len()),
                (CaptureStatus::Parsed, None, true, 8),
                "{text}"
            );
            assert_eq!(
                data.variable("HTTPS_PROXY").map(|found| found.value.as_str()),
                Some("http://***@p:80")
            );
        }
    }

    #[test]
    fn a_part_of_the_environment_proves_no_absence() {
        let (data, status, _) = data!(Environment, "http_proxy=http://p:80\nHTTPS_PROXY=http://p:80\n");
        assert_eq!((data.variables.len(), data.complete, status), (2, false, CaptureStatus::Partial));
        let cut: String = SET.lines().take(6).map(|line| format!("{line}\n")).collect();
        let text = format!("{cut}OS=Windows_NT\nPath=x\n");
        let (data, status, _) = data!(Environment, &text);
        assert_eq!((data.complete, status), (false, CaptureStatus::Partial));
    }

    #[test]
    fn other_assignments_are_not_claimed() {
        assert_eq!(claimed("A=1\nB=2\nC=3\n").name(), "unknown");
    }

    #[test]
    fn damage_says_nothing_new_of_variables() {
        damage_says_nothing_new(CaptureKind::Environment, SET, false);
    }
}
