//! The table of what is collected, read from `table.txt`.
//!
//! One text feeds the script, the documentation and the tests, so it is kept in a form that people can read and compare line by line.

use std::sync::LazyLock;

/// How the output of an item comes into its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The command writes the file itself.
    File,
    /// What it prints is written down.
    Text,
    /// Objects: as a list, and as JSON or CLIXML beside it.
    Objects,
    /// An event log: `wevtutil epl` with the days that were asked for.
    Log,
}

/// One way to get an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which Windows has it, in words.
    pub windows: &'static str,
    /// Command or cmdlet that must be there; empty when nothing special is needed.
    pub needs: &'static str,
    /// What stands above the output as if it had been typed, so that an empty output is known for what it is; may be empty.
    pub shown: &'static str,
    /// The PowerShell that the script runs.
    pub command: &'static str,
}

/// One row of the table.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// Id in the manifest.
    pub id: &'static str,
    /// Value of `-Category`.
    pub category: &'static str,
    /// Path in the bundle, with placeholders for a running number and a SID.
    pub file: &'static str,
    /// What actriage recognises in it: `capture:ipconfig`, `hive:system`, `evtx`, `reg-export`.
    pub kind: &'static str,
    /// How its output is kept; `None` is an error of the table.
    pub form: Option<Form>,
    /// The channel of an event log.
    pub channel: Option<&'static str>,
    /// The place in the registry that a hive covers.
    pub covers: Option<&'static str>,
    /// Not tried without elevation.
    pub elevated: bool,
    /// Left out with `-NoPersonal`.
    pub personal: bool,
    /// Not needed when that item was collected.
    pub unless: Option<&'static str>,
    /// One file for each of these.
    pub each: Vec<String>,
    /// Ways to get it, best first.
    pub runs: Vec<Run>,
    /// The same by hand; braces stand around the file.
    pub hand: &'static str,
    /// Other commands that reports name for the same thing.
    pub also: Vec<&'static str>,
    /// What it tells about people and networks.
    pub privacy: &'static str,
    /// What it is good for.
    pub why: &'static str,
}

impl Item {
    /// The command for people.
    pub fn by_hand(&self) -> String {
        self.hand.replace(['{', '}'], "")
    }

    /// Beginnings of commands that get this item.
    pub fn commands(&self) -> impl Iterator<Item = String> {
        let own = self.hand.split('{').next().unwrap_or_default().trim_end_matches([' ', '>', '2']);
        std::iter::once(own).chain(self.also.iter().copied()).map(plain)
    }

    /// Whether a text, such as the advice of a report, names a command that gets this item.
    pub fn is_named_in(&self, text: &str) -> bool {
        let text = plain(text);
        self.commands().any(|command| {
            text.match_indices(command.as_str()).any(|(at, found)| {
                let edge = |c: Option<char>| {
                    !c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '/' | '\\'))
                };
                let before = text.get(..at).unwrap_or_default().chars().next_back();
                let after = text.get(at + found.len()..).unwrap_or_default().chars().next();
                edge(before) && (edge(after) || command.ends_with(['\\', '%']))
            })
        })
    }

    /// Whether it is collected only after consent to probes.
    pub fn is_probe(&self) -> bool {
        self.category == "probe"
    }
}

/// Without quotes and letter case: `"a/b c"` and `a/b c` are the same command.
fn plain(text: &str) -> String {
    text.replace(['"', '\''], "").to_lowercase()
}

/// Every row, in the order in which the script collects.
pub static TABLE: LazyLock<Vec<Item>> = LazyLock::new(|| parse(include_str!("table.txt")).0);

/// The row of an id.
pub fn find(id: &str) -> Option<&'static Item> {
    TABLE.iter().find(|item| item.id.eq_ignore_ascii_case(id))
}

/// The rows that a text names a command of.
pub fn named_in(text: &str) -> impl Iterator<Item = &'static Item> {
    TABLE.iter().filter(move |item| item.is_named_in(text))
}

/// The rows of a text, and the lines that are wrong.
pub fn parse(text: &'static str) -> (Vec<Item>, Vec<String>) {
    let (mut items, mut wrong) = (Vec::<Item>::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let heading = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let read = match (heading, items.last_mut()) {
            (Some(id), _) => {
                items.push(Item { id, ..Item::default() });
                true
            }
            (None, Some(item)) => line.split_once(": ").is_some_and(|(name, value)| set(item, name, value)),
            (None, None) => false,
        };
        if !read {
            wrong.push(format!("line {}: {line}", number + 1));
        }
    }
    (items, wrong)
}

/// Sets a field; false when the line makes no sense.
fn set(item: &mut Item, name: &str, value: &'static str) -> bool {
    let value = value.trim();
    match name {
        "category" => item.category = value,
        "file" => item.file = value,
        "kind" => item.kind = value,
        "covers" => item.covers = Some(value),
        "elevated" => item.elevated = value == "yes",
        "personal" => item.personal = value == "yes",
        "unless" => item.unless = Some(value),
        "each" => item.each.extend(alternatives(value)),
        "hand" => item.hand = value,
        "also" => item.also.push(value),
        "privacy" => item.privacy = value,
        "why" => item.why = value,
        "channel" => {
            item.channel = Some(value);
            item.kind = "evtx";
            item.form = Some(Form::Log);
        }
        "form" => {
            item.form = match value {
                "file" => Some(Form::File),
                "text" => Some(Form::Text),
                "objects" => Some(Form::Objects),
                _ => return false,
            }
        }
        "run" => {
            let mut cells = value.splitn(4, '|').map(str::trim);
            let mut cell = || cells.next();
            let (Some(windows), Some(needs), Some(shown), Some(command)) = (cell(), cell(), cell(), cell())
            else {
                return false;
            };
            item.runs.push(Run { windows, needs, shown, command });
        }
        _ => return false,
    }
    true
}

/// `a\(b|c)` is `a\b` and `a\c`.
fn alternatives(text: &str) -> Vec<String> {
    let parts = text.split_once('(').and_then(|(head, rest)| Some((head, rest.strip_suffix(')')?)));
    match parts {
        Some((head, list)) => list.split('|').map(|part| format!("{head}{part}")).collect(),
        None => vec![text.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_makes_sense_and_every_row_is_complete() {
        let (items, wrong) = parse(include_str!("table.txt"));
        assert_eq!(wrong, Vec::<String>::new());
        for item in &items {
            let filled = [item.category, item.file, item.kind, item.hand, item.privacy, item.why];
            assert!(filled.iter().all(|text| !text.is_empty()), "{item:?}");
            assert!(item.form.is_some(), "{} has no form", item.id);
            assert_eq!(item.runs.is_empty(), item.form == Some(Form::Log), "{}", item.id);
            assert!(
                item.hand.contains('{') && item.hand.contains('}'),
                "{}: where does the output go?",
                item.id
            );
            assert_eq!(
                item.file.contains("{0}") || item.file.contains("{1}"),
                !item.each.is_empty(),
                "{}",
                item.id
            );
            let known = |id: &str| items.iter().any(|other| other.id == id);
            assert!(item.unless.is_none_or(known), "{}", item.id);
            assert_eq!(items.iter().filter(|other| other.id == item.id).count(), 1, "{} twice", item.id);
        }
    }

    #[test]
    fn advice_names_items() {
        let ids = |text: &str| named_in(text).map(|item| item.id).collect::<Vec<_>>();
        assert_eq!(ids(r"reg save HKLM\SYSTEM SYSTEM.hiv /y (elevated)"), ["hive-system"]);
        assert_eq!(ids("wevtutil epl System System.evtx"), ["log-system"]);
        assert_eq!(
            ids("fltmc > fltmc.txt and tasklist /svc > tasklist.txt (elevated)"),
            ["tasklist", "filters"]
        );
        assert_eq!(
            ids("wevtutil epl \"Microsoft-Windows-AppLocker/EXE and DLL\" x.evtx"),
            ["log-applocker-exe"]
        );
        assert_eq!(ids("look at the sky"), Vec::<&str>::new());
    }

    #[test]
    fn lines_that_make_no_sense_are_told() {
        let (_, wrong) = parse("x: 1\n[a]\nfile x\nform: odd\nrun: a | b | c\n");
        assert_eq!(wrong, ["line 1: x: 1", "line 3: file x", "line 4: form: odd", "line 5: run: a | b | c"]);
        assert_eq!(alternatives(r"a\(b|c d)"), [r"a\b", r"a\c d"]);
    }
}
