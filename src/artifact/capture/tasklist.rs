//! `tasklist`: running processes and the services in them.
//!
//! Headings and units are translated and cut to the column's width; the number and width of the columns are not. Only running
//! services are listed, so a service that is not here is *not running*, never *missing*.

use serde::Serialize;

use super::shape::{Form as ObjectForm, columns, failed, labelled, objects};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// What is told of each process.
    pub listing: Listing,
    /// The command was asked for some processes only.
    pub filtered: bool,
    /// The processes in their order.
    pub processes: Vec<Process>,
    /// Rows that could not be read.
    pub unread: Vec<u32>,
}

/// What is told of each process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Listing {
    /// Session and memory (no switch, or `/v`).
    #[default]
    Memory,
    /// The services in it (`/svc`).
    Services,
    /// The modules that it has loaded (`/m`).
    Modules,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Process {
    /// 1-based line.
    pub line: u32,
    /// Image name, cut to 25 characters in tables.
    pub name: String,
    /// Process id.
    pub pid: u32,
    /// Session number.
    pub session: Option<u32>,
    /// Memory in KB.
    pub memory_kb: Option<u64>,
    /// Account (`/v`).
    pub user: Option<String>,
    /// Services or modules.
    pub items: Vec<String>,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Tasklist, recognise, starts: |_| false, read };

/// Widths of the first two columns, image name and PID, in every form of the table.
const FIRST_COLUMNS: [usize; 2] = [25, 8];
/// Columns of the table with services or modules, without switch, and with `/v`.
const COLUMNS: [usize; 3] = [3, 5, 9];
/// "Not applicable" in the languages that Windows ships with; "System" itself tells the word in most captures.
const NOT_APPLICABLE: [&str; 9] = [
    "N/A",
    "Nicht zutreffend",
    "Non applicable",
    "N/D",
    "Н/Д",
    "暂缺",
    "該当なし",
    "해당 없음",
    "Não aplicável",
];
/// Lines that are looked at to recognise a listing without a rule.
const LOOKED_AT: u32 = 200;
/// The system's own process, which never holds a service.
const SYSTEM_PIDS: [u32; 2] = [0, 4];

/// The rule's line and its spans.
type Rule = (u32, Vec<(usize, usize)>);

fn rule(block: &Block<'_>) -> Option<Rule> {
    block.lines().find_map(|(number, line)| {
        let spans = columns::rule_spans(line).filter(|_| line.trim_start().starts_with('='))?;
        let widths = spans.iter().map(|(from, to)| to - from);
        let known = COLUMNS.contains(&spans.len()) && widths.take(2).eq(FIRST_COLUMNS);
        known.then_some((number, spans))
    })
}

fn recognise(block: &Block<'_>) -> u8 {
    if rule(block).is_some() {
        return 95;
    }
    let looked_at = Block { to: block.to.min(block.from.saturating_add(LOOKED_AT)), ..*block };
    let data = rows_without_rule(&looked_at).unwrap_or_default();
    let images = data.processes.iter().filter(|process| process.name.to_ascii_lowercase().ends_with(".exe"));
    match images.count() {
        1.. if data.unread.len() < data.processes.len() => 80,
        _ => 0,
    }
}

impl Data {
    /// Processes with this image name, without regard to case; tables cut long names, so a cut name matches its beginning.
    pub fn named<'d>(&'d self, image: &'d str) -> impl Iterator<Item = &'d Process> {
        let [width, _] = FIRST_COLUMNS;
        self.processes.iter().filter(move |process| {
            let cut = process.name.chars().count() == width;
            process.name.eq_ignore_ascii_case(image)
                || (cut && image.to_ascii_lowercase().starts_with(&process.name.to_ascii_lowercase()))
        })
    }
}

/// A row's cells as a process; `None` if its second cell is no process id.
fn process(line: u32, cells: &[String]) -> Option<Process> {
    let (name, pid) = (cells.first()?, cells.get(1)?.parse().ok()?);
    let mut process = Process { line, name: name.clone(), pid, ..Process::default() };
    match cells {
        [_, _, items] => process.items = split_items(items),
        [_, _, _, session, memory, rest @ ..] => {
            process.session = session.parse().ok();
            process.memory_kb = kilobytes(memory);
            process.user = rest.get(1).filter(|user| !user.is_empty()).cloned();
        }
        _ => return None,
    }
    (!name.is_empty()).then_some(process)
}

/// `672,340 K`, `147 532 Ko`, `72 720 КБ`: the unit is always kilobytes, the separators differ.
fn kilobytes(cell: &str) -> Option<u64> {
    let digits = cell.trim_end_matches(|c: char| c.is_alphabetic() || c.is_whitespace());
    let number: String = digits.chars().filter(char::is_ascii_digit).collect();
    let separators = digits.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || !c.is_alphanumeric());
    separators.then(|| number.parse().ok())?
}

fn split_items(cell: &str) -> Vec<String> {
    cell.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn table(block: &Block<'_>, (at, spans): &Rule) -> Data {
    let mut data = Data::default();
    let body: Vec<(u32, &str)> =
        block.lines().filter(|(number, line)| number > at && !line.trim().is_empty()).collect();
    let rows: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
    for ((number, _), mut cells) in body.iter().zip(columns::cut_rows(spans, &rows)) {
        cells.resize(spans.len(), String::new());
        let continues = cells.iter().take(2).all(String::is_empty);
        match (process(*number, &cells), data.processes.last_mut(), cells.last()) {
            (Some(process), ..) => data.processes.push(process),
            (None, Some(last), Some(items)) if continues && spans.len() == 3 => {
                last.items.extend(split_items(items));
            }
            _ => data.unread.push(*number),
        }
    }
    data
}

/// `/fo csv` and `/fo list`.
fn rows_without_rule(block: &Block<'_>) -> Option<Data> {
    let first = block.lines().find(|(_, line)| !line.trim().is_empty())?;
    if first.1.trim_start().starts_with('"') { csv(block) } else { list(block) }
}

fn csv(block: &Block<'_>) -> Option<Data> {
    let found = objects(block);
    if found.form != ObjectForm::Csv {
        return None;
    }
    let mut data = Data::default();
    let text = |text: Option<_>| text.unwrap_or_default();
    // Without its header (`/nh`) the first row stands where the header was looked for.
    let header: Vec<String> =
        found.objects.first()?.properties.iter().map(|property| property.name.clone()).collect();
    let line = block.lines().find(|(_, line)| !line.trim().is_empty()).map_or(block.from, |(line, _)| line);
    data.processes.extend(process(line, &header));
    for object in &found.objects {
        let cells: Vec<String> = object
            .properties
            .iter()
            .map(|property| text(property.cell.text().map(std::borrow::Cow::into_owned)))
            .collect();
        match process(object.line, &cells) {
            Some(process) => data.processes.push(process),
            None => data.unread.push(object.line),
        }
    }
    Some(data)
}

/// Blocks of three, five or nine labelled lines; the second of them is the process id.
fn list(block: &Block<'_>) -> Option<Data> {
    let mut data = Data::default();
    let mut open: Vec<(u32, String)> = Vec::new();
    let mut close = |open: &mut Vec<(u32, String)>| {
        let Some((line, _)) = open.first() else { return };
        let line = *line;
        let cells: Vec<String> = open.drain(..).map(|(_, cell)| cell).collect();
        match process(line, &cells) {
            Some(process) => data.processes.push(process),
            None => data.unread.push(line),
        }
    };
    for (number, line) in block.lines() {
        match labelled(line) {
            Some(row) => open.push((number, row.value.to_owned())),
            None => close(&mut open),
        }
    }
    close(&mut open);
    (!data.processes.is_empty()).then_some(data)
}

/// Tells services from modules and takes the word for "none" out.
fn settle(data: &mut Data) {
    let lists = data.processes.iter().any(|process| !process.items.is_empty());
    let is_module = |item: &String| item.to_ascii_lowercase().ends_with(".dll");
    if lists {
        let modules = data.processes.iter().flat_map(|process| &process.items).any(is_module);
        data.listing = if modules { Listing::Modules } else { Listing::Services };
    }
    let of_system = data.processes.iter().find(|process| SYSTEM_PIDS.contains(&process.pid));
    let word = match of_system.map(|process| process.items.as_slice()) {
        Some([word]) => Some(word.clone()),
        _ => None,
    };
    for process in &mut data.processes {
        let nothing = |item: &String| word.as_ref() == Some(item) || NOT_APPLICABLE.contains(&item.as_str());
        if matches!(process.items.as_slice(), [item] if nothing(item)) {
            process.items.clear();
        }
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = match rule(block) {
        Some(rule) => table(block, &rule),
        None => rows_without_rule(block).unwrap_or_default(),
    };
    if data.processes.is_empty() {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("no process could be read"));
    }
    settle(&mut data);
    data.filtered = block.command.is_some_and(|command| {
        command
            .split_whitespace()
            .any(|word| word.eq_ignore_ascii_case("/fi") || word.eq_ignore_ascii_case("-fi"))
    });
    let reason = data.unread.first().map(|line| format!("line {line} is no row of the table"));
    Reading::of(CaptureData::Tasklist(data), reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> Data {
        let text = Text::decode(text.as_bytes());
        let block = Block::whole(&text);
        assert!(recognise(&block) > 50);
        match read(&block).data {
            CaptureData::Tasklist(data) => data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn services_wrap_and_have_a_word_for_none() {
        // The layout of `tasklist /svc` in the documentation: the last column wraps at column 36.
        let data = of("\nImage Name                     PID Services\n\
             ========================= ======== ============================================\n\
             System                           4 N/A\n\
             lsass.exe                      628 KeyIso, SamSs, VaultSvc\n\
             svchost.exe                    756 BrokerInfrastructure, DcomLaunch, PlugPlay,\n\
             \u{20}                                  Power, SystemEventsBroker\n");
        assert_eq!(data.listing, Listing::Services);
        assert_eq!(data.processes[0].items, Vec::<String>::new());
        assert_eq!(data.processes[2].items.len(), 5);
        assert_eq!(data.processes[2].items[3], "Power");
        assert!(data.unread.is_empty());
    }

    #[test]
    fn csv_with_and_without_its_header() {
        let rows = "\"System\",\"4\",\"Services\",\"0\",\"144 K\"\r\n\"lsass.exe\",\"628\",\"Services\",\"0\",\"22,124 K\"\r\n";
        let with = of(&format!(
            "\"Abbildname\",\"PID\",\"Sitzungsname\",\"Sitz.-Nr.\",\"Speichernutzung\"\r\n{rows}"
        ));
        let without = of(rows);
        assert_eq!(with.processes.len(), 2);
        assert_eq!(without.processes.len(), 2);
        assert_eq!((without.processes[1].memory_kb, without.processes[1].line), (Some(22_124), 2));
        assert_eq!(with.processes[0].session, Some(0));
    }

    #[test]
    fn the_list_form() {
        let data = of(
            "\nNom de l'image:                 svchost.exe\nPID:                            756\nServices:                       DcomLaunch,\n\n",
        );
        assert_eq!(data.processes[0].pid, 756);
        assert_eq!(data.processes[0].items, ["DcomLaunch"]);
    }
}
