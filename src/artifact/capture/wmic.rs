//! `wmic`: objects as lists, tables or CSV.
//!
//! Property names are English on every system. A table has no rule below its header and cells may be blank, so it is cut where
//! the headings begin. wmic can print product keys and command lines with passwords: neither is kept.

use serde::Serialize;

use super::command::kind_of;
use super::shape::{columns, failed};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// How the objects are written.
    pub form: Form,
    /// Alias or class that was asked for, when the command is echoed (`os`, `Win32_BIOS`).
    pub class: Option<String>,
    /// The objects in their order.
    pub objects: Vec<Object>,
    /// Lines that could not be read.
    pub unread: Vec<u32>,
}

/// How the objects are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `Name=Value`, one a line.
    #[default]
    List,
    /// Padded columns.
    Table,
    /// `/format:csv`.
    Csv,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Object {
    /// 1-based line where it begins.
    pub line: u32,
    /// Its properties; a table's blank cells are left out.
    pub properties: Vec<Property>,
}

/// One property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Property {
    /// 1-based line.
    pub line: u32,
    /// Its name as printed.
    pub name: String,
    /// Its value as printed; empty when it has none.
    pub value: String,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Wmic, recognise, starts: |_| false, read };

/// Properties by which an output is known to be wmic's: those of `os`, `computersystem`, `bios`, `cpu`, `nic`, `nicconfig`,
/// `qfe`, `product`, `service`, `process`, `timezone`, `useraccount` and their like.
const KNOWN: [&str; 44] = [
    "AddressWidth",
    "BootDevice",
    "BuildNumber",
    "BuildType",
    "Caption",
    "CSDVersion",
    "CSName",
    "DefaultIPGateway",
    "Description",
    "DeviceID",
    "DHCPEnabled",
    "DHCPServer",
    "DNSDomain",
    "DNSHostName",
    "DNSServerSearchOrder",
    "Domain",
    "DomainRole",
    "FixComments",
    "HotFixID",
    "IdentifyingNumber",
    "Index",
    "InstallDate",
    "InstalledBy",
    "InstalledOn",
    "InterfaceIndex",
    "IPAddress",
    "IPEnabled",
    "LastBootUpTime",
    "LocalDateTime",
    "MACAddress",
    "Manufacturer",
    "Model",
    "MUILanguages",
    "NetConnectionID",
    "OSArchitecture",
    "OSLanguage",
    "PartOfDomain",
    "PathName",
    "ProcessId",
    "ServicePackInEffect",
    "ServicePackMajorVersion",
    "SMBIOSBIOSVersion",
    "StartMode",
    "SystemDirectory",
];
/// Too common elsewhere to prove anything, good enough beside one of the above or below an echoed `wmic`.
const COMMON: [&str; 7] = ["Name", "Node", "Service", "State", "Status", "Version", "Vendor"];
/// Variables that every environment has and no WMI object.
const ENVIRONMENT: [&str; 4] = ["ComSpec", "PATHEXT", "SystemRoot", "windir"];
/// No class has half as many; a list that goes on is several objects, or no list.
const MOST_PROPERTIES: usize = 500;
/// Lines that are looked at to recognise an output.
const LOOKED_AT: usize = 400;

fn recognise(block: &Block<'_>) -> u8 {
    let named = block.command.and_then(kind_of) == Some(CaptureKind::Wmic);
    let known = |name: &str| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name));
    let (mut lines, mut pairs, mut hits) = (0_u32, 0_u32, 0_u32);
    for (_, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()).take(LOOKED_AT) {
        lines += 1;
        if let Some((name, _)) = pair(line) {
            if ENVIRONMENT.iter().any(|variable| variable.eq_ignore_ascii_case(name)) {
                return 0;
            }
            pairs += 1;
            hits += u32::from(known(name));
        }
    }
    let list = pairs * 10 >= lines * 8 && lines > 0;
    if csv_header(block).is_some() {
        return 70;
    }
    match find_header(block) {
        Some((_, names)) if names.iter().any(|(_, name)| known(name)) => 70,
        Some(_) if named => 70,
        _ if named && pairs > 0 => 90,
        _ if list && hits > 0 => 65,
        _ if named => 40,
        _ => 0,
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `Name=Value`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim().split_once('=')?;
    is_name(name).then_some((name, value.trim()))
}

/// Starts (in characters) and names of a table's headings. The first run of wmic on Windows XP glues a console message to them,
/// which ends in a full stop; headings hold none.
fn headings(line: &str) -> Option<(usize, Vec<(usize, &str)>)> {
    let glued = line.rfind('.').map_or(0, |at| at + 1);
    let line = line.get(glued..)?;
    let mut names = Vec::new();
    let mut offset = 0;
    for cell in line.split("  ") {
        let name = cell.trim();
        let blanks = cell.chars().take_while(|c| c.is_whitespace()).count();
        if !name.is_empty() {
            if !is_name(name) {
                return None;
            }
            names.push((offset + blanks, name));
        }
        offset += cell.chars().count() + 2;
    }
    let known = |name: &str| KNOWN.iter().chain(&COMMON).any(|known| known.eq_ignore_ascii_case(name));
    names.iter().any(|(_, name)| known(name)).then_some((glued, names))
}

/// The header of a table: the first line of headings, if it stands near the start and no rule follows it.
fn find_header<'t>(block: &Block<'t>) -> Option<(u32, Vec<(usize, &'t str)>)> {
    let mut lines = block.lines().filter(|(_, line)| !line.trim().is_empty()).take(3);
    let (at, names) = lines.find_map(|(number, line)| Some((number, headings(line)?.1)))?;
    let next = block.lines().find(|(number, line)| *number > at && !line.trim().is_empty());
    let ruled = next.is_some_and(|(_, line)| columns::rule_spans(line).is_some());
    (!ruled).then_some((at, names))
}

/// Objects in whichever form they are written; shared with the reader of updates.
pub(super) fn gather(block: &Block<'_>) -> Data {
    let class = block.command.and_then(class_of);
    let mut data = if let Some((at, names)) = csv_header(block) {
        csv(block, at, &names)
    } else if let Some((at, names)) = find_header(block) {
        table(block, at, &names)
    } else {
        list(block)
    };
    data.class = class;
    data
}

/// `wmic /output:x os get caption`, `wmic path Win32_BIOS get`.
fn class_of(command: &str) -> Option<String> {
    let mut words =
        command.split_whitespace().skip_while(|word| !word.to_ascii_lowercase().starts_with("wmic"));
    words.next()?;
    let mut words = words.filter(|word| !word.starts_with(['/', '-']));
    let word = words.next()?;
    let class = if word.eq_ignore_ascii_case("path") || word.eq_ignore_ascii_case("class") {
        words.next()?
    } else {
        word
    };
    is_name(class).then(|| class.to_owned())
}

fn property(line: u32, name: &str, value: &str) -> Property {
    let value = if name.eq_ignore_ascii_case("CommandLine") && !value.is_empty() {
        "(not kept)".to_owned()
    } else {
        super::ospp::without_keys(value)
    };
    Property { line, name: name.to_owned(), value }
}

fn csv_header<'t>(block: &Block<'t>) -> Option<(u32, Vec<&'t str>)> {
    let mut lines = block.lines().filter(|(_, line)| !line.trim().is_empty()).take(3);
    lines.find_map(|(number, line)| {
        let names: Vec<&str> = line.trim().split(',').collect();
        (names.first() == Some(&"Node") && names.len() > 1 && names.iter().all(|name| is_name(name)))
            .then_some((number, names))
    })
}

fn csv(block: &Block<'_>, at: u32, names: &[&str]) -> Data {
    let mut data = Data { form: Form::Csv, ..Data::default() };
    for (number, line) in block.lines().filter(|(number, line)| *number > at && !line.trim().is_empty()) {
        let cells: Vec<&str> = line.trim().split(',').collect();
        if cells.len() == names.len() {
            let properties =
                names.iter().zip(cells).map(|(name, cell)| property(number, name, cell)).collect();
            data.objects.push(Object { line: number, properties });
        } else {
            data.unread.push(number);
        }
    }
    data
}

fn table(block: &Block<'_>, at: u32, names: &[(usize, &str)]) -> Data {
    let mut data = Data { form: Form::Table, ..Data::default() };
    let body: Vec<(u32, &str)> =
        block.lines().filter(|(number, line)| *number > at && !line.trim().is_empty()).collect();
    let rows: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
    let spans: Vec<(usize, usize)> =
        names.iter().map(|(start, name)| (*start, start + name.chars().count())).collect();
    for ((number, _), cells) in body.iter().zip(columns::cut_rows(&spans, &rows)) {
        let cells = names.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
        let properties = cells.map(|((_, name), cell)| property(*number, name, cell)).collect();
        data.objects.push(Object { line: *number, properties });
    }
    data
}

/// Two blank lines part objects, and so does a name that comes again (a capture that lost its blank lines).
fn list(block: &Block<'_>) -> Data {
    let mut data = Data::default();
    let mut blanks = 0;
    for (number, line) in block.lines() {
        if line.trim().is_empty() {
            blanks += 1;
            continue;
        }
        match pair(line) {
            Some((name, value)) => {
                let repeats = data.objects.last().is_some_and(|object| object.has(name) || object.is_full());
                if data.objects.is_empty() || repeats || blanks >= 2 {
                    data.objects.push(Object { line: number, properties: Vec::new() });
                }
                if let Some(object) = data.objects.last_mut() {
                    object.properties.push(property(number, name, value));
                }
            }
            None => data.unread.push(number),
        }
        blanks = 0;
    }
    data
}

impl Object {
    /// A property by name, without regard to case; `None` when it is missing or has no value.
    pub fn get(&self, name: &str) -> Option<&Property> {
        let named = |property: &&Property| property.name.eq_ignore_ascii_case(name);
        self.properties.iter().find(named).filter(|property| !property.value.is_empty())
    }

    fn is_full(&self) -> bool {
        self.properties.len() >= MOST_PROPERTIES
    }

    fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name)
    }
}

impl Property {
    /// The values of an array (`{"a","b"}`, `{a;b}`), or the one value.
    pub fn list(&self) -> Vec<&str> {
        match self.value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(inner) => inner
                .split([',', ';'])
                .map(|item| item.trim().trim_matches('"'))
                .filter(|item| !item.is_empty())
                .collect(),
            None => vec![self.value.as_str()],
        }
    }
}

fn read(block: &Block<'_>) -> Reading {
    let data = gather(block);
    if data.objects.is_empty() {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("no object of wmic could be read"));
    }
    let reason = data.unread.first().map(|line| format!("line {line} belongs to no object"));
    Reading::of(CaptureData::Wmic(data), reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str, command: Option<&'static str>) -> Data {
        let text = Text::decode(text.as_bytes());
        let block = Block { command, ..Block::whole(&text) };
        assert!(recognise(&block) > 0);
        match read(&block).data {
            CaptureData::Wmic(data) => data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_keeps_blank_cells_in_their_column() {
        let data = of(
            "BuildNumber  CSDVersion  Caption                   \n19045                    Microsoft Windows 10 Pro  \n",
            Some("wmic os get buildnumber,csdversion,caption"),
        );
        let object = &data.objects[0];
        assert_eq!(object.get("csdversion"), None);
        assert_eq!(object.get("caption").unwrap().value, "Microsoft Windows 10 Pro");
        assert_eq!(data.class.as_deref(), Some("os"));
    }

    #[test]
    fn secrets_are_not_kept() {
        let data = of(
            "\n\nCaption=setup.exe\nCommandLine=setup.exe /password:hunter2\n\n\nDescription=x\nOA3xOriginalProductKey=AAAAA-BBBBB-CCCCC-DDDDD-EEEEE\n",
            None,
        );
        let json = serde_json::to_string(&data).unwrap();
        assert!(!json.contains("hunter2") && !json.contains("BBBBB"), "{json}");
        assert_eq!(data.objects.len(), 2);
    }

    #[test]
    fn an_environment_is_not_wmic() {
        let text = Text::decode(b"Caption=x\nComSpec=C:\\Windows\\system32\\cmd.exe\nPath=C:\\\n");
        assert_eq!(recognise(&Block::whole(&text)), 0);
    }

    #[test]
    fn csv_rows_and_arrays() {
        let data = of(
            "\r\nNode,Caption,IPAddress\r\nPC1,[00000001] Intel,{192.168.0.2;fe80::1}\r\nPC1,cut\r\n",
            None,
        );
        assert_eq!(data.form, Form::Csv);
        assert_eq!(data.objects[0].get("IPAddress").unwrap().list(), ["192.168.0.2", "fe80::1"]);
        assert_eq!(data.unread, [4]);
    }
}
