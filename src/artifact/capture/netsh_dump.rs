//! `netsh dump` and `netsh interface dump`: the network configuration as a script.
//!
//! The most language-independent output of all: contexts (`pushd interface ipv4` … `popd`), one command a line, arguments as
//! `key=value` with quotes around values that hold blanks. Only `#` comments are localised, so they are skipped. Pasted dumps
//! sometimes have two commands folded into one line; a bare verb behind an argument begins the next command.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape::cell;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The contexts in order; the same one can come twice.
    pub contexts: Vec<Context>,
}

/// What stands between a `pushd` and its `popd`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Context {
    /// 1-based line of the `pushd`.
    pub line: u32,
    /// `interface ipv4`, `interface tcp` …
    pub name: String,
    /// The commands in order.
    pub commands: Vec<Command>,
    /// Whether its `popd` was seen: only then is a command that is not listed known not to be there.
    pub closed: bool,
}

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Command {
    /// 1-based line.
    pub line: u32,
    /// The words before the first argument: `add route`, `set global`, `reset`.
    pub verb: String,
    /// The arguments in order.
    pub arguments: Vec<Argument>,
}

/// One `key=value`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Argument {
    /// The key as printed.
    pub name: String,
    /// The value without its quotes. Passwords inside are masked.
    pub value: String,
}

impl Command {
    /// The value of an argument, letter case ignored.
    pub fn argument(&self, name: &str) -> Option<&str> {
        let argument = self.arguments.iter().find(|argument| argument.name.eq_ignore_ascii_case(name))?;
        Some(&argument.value)
    }
}

/// Reads this kind.
pub const READER: Reader =
    Reader { kind: CaptureKind::NetshDump, recognise, starts: |line| context_name(line).is_some(), read };

/// First words of commands in a dump.
const VERBS: &[&str] = &["add", "delete", "set", "reset"];

/// First words of context names: they tell a dump from a batch file, which has `pushd` and `popd` too.
const CONTEXTS: &[&str] = &[
    "aaaa",
    "advfirewall",
    "branchcache",
    "bridge",
    "dhcpclient",
    "diag",
    "dnsclient",
    "firewall",
    "http",
    "interface",
    "ip",
    "ipsec",
    "lan",
    "mbn",
    "namespace",
    "nap",
    "netio",
    "p2p",
    "ras",
    "routing",
    "rpc",
    "wcn",
    "winhttp",
    "winsock",
    "wlan",
];

fn context_name(line: &str) -> Option<&str> {
    let name = line.strip_prefix("pushd ")?.trim();
    CONTEXTS.contains(&name.split(' ').next().unwrap_or_default()).then_some(name)
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut opened, mut closed, mut commands) = (0usize, 0usize, 0usize);
    for (_, line) in block.lines() {
        let line = line.trim();
        if context_name(line).is_some() {
            opened += 1;
        } else if line == "popd" {
            closed += 1;
        } else if VERBS.contains(&line.split(' ').next().unwrap_or_default()) {
            commands += 1;
        }
    }
    match (opened, closed, commands) {
        (1.., 1.., _) => 95,
        (1.., 0, 1..) => 80,
        _ => 0,
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut open = false;
    for (number, line) in block.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = context_name(line) {
            if open {
                doubts.at(number, "the context before it has no popd");
            }
            open = true;
            data.contexts.push(Context { line: number, name: name.to_owned(), ..Context::default() });
        } else if let Some(context) = data.contexts.last_mut().filter(|_| open) {
            if line == "popd" {
                context.closed = true;
                open = false;
            } else if let Err(what) = read_commands(number, line, &mut context.commands) {
                doubts.at(number, what);
            }
        } else {
            doubts.at(number, format!("expected a comment or pushd, found {}", netsh::quote(line)));
        }
    }
    if open {
        doubts.whole("the last context has no popd: the dump is cut off");
    }
    netsh::reading(CaptureData::NetshDump(data), None, &doubts)
}

fn read_commands(line: u32, text: &str, into: &mut Vec<Command>) -> Result<(), String> {
    let mut command = Command { line, ..Command::default() };
    let mut rest = text;
    while !rest.is_empty() {
        let word_end = rest.find([' ', '=', '"']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(word_end).unwrap_or((rest, ""));
        if let Some(value) = behind.strip_prefix('=').filter(|_| !word.is_empty()) {
            let (value, behind) = take_value(value)?;
            let value = cell::without_credentials(value);
            command.arguments.push(Argument { name: word.to_owned(), value });
            rest = behind;
        } else if word.is_empty() {
            return Err(format!("expected key=value, found {}", netsh::quote(rest)));
        } else {
            if !command.arguments.is_empty() {
                if !VERBS.contains(&word) {
                    return Err(format!("expected key=value, found {}", netsh::quote(rest)));
                }
                into.push(std::mem::replace(&mut command, Command { line, ..Command::default() }));
            }
            if command.verb.contains(' ') {
                return Err(format!("expected key=value, found {}", netsh::quote(rest)));
            }
            if !command.verb.is_empty() {
                command.verb.push(' ');
            }
            command.verb.push_str(word);
            rest = behind;
        }
        rest = rest.trim_start();
    }
    if command.verb.is_empty() {
        return Err(format!("expected a command, found {}", netsh::quote(text)));
    }
    into.push(command);
    Ok(())
}

/// A value up to the next blank, or up to its closing quote.
fn take_value(text: &str) -> Result<(&str, &str), String> {
    match text.strip_prefix('"') {
        Some(quoted) => {
            quoted.split_once('"').ok_or_else(|| "a quoted value has no closing quote".to_owned())
        }
        None => Ok(text.split_once(' ').unwrap_or((text, ""))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::{claimed, data};

    #[test]
    fn values_in_quotes_and_folded_commands() {
        // A paste can fold lines (text_formats.md 4.8); Windows XP writes `addr=` and `gwmetric=`.
        let dump = "# ---\npushd interface ip\n\n\
            set address name=\"Local Area Connection\" source=static addr=192.168.1.5 mask=255.255.255.0 set dns name=\"a b\" source=dhcp\n\
            popd\n# end\n";
        let (data, status, _) = data!(NetshDump, dump);
        assert_eq!(status, CaptureStatus::Parsed);
        let commands = &data.contexts[0].commands;
        assert_eq!(
            (commands.len(), commands[0].verb.as_str(), commands[1].verb.as_str()),
            (2, "set address", "set dns")
        );
        assert_eq!(
            (commands[0].argument("NAME"), commands[0].argument("addr")),
            (Some("Local Area Connection"), Some("192.168.1.5"))
        );
        assert_eq!((commands[1].line, commands[1].argument("name")), (4, Some("a b")));
        assert!(data.contexts[0].closed);
    }

    #[test]
    fn passwords_in_proxies_are_masked() {
        let (data, ..) = data!(
            NetshDump,
            "pushd winhttp\nset proxy proxy-server=\"http=bob:secret@p:80\" bypass-list=\"<local>\"\npopd\n"
        );
        assert_eq!(data.contexts[0].commands[0].argument("proxy-server"), Some("http=***@p:80"));
    }

    #[test]
    fn damage_is_named_and_reading_goes_on() {
        let dump = "pushd interface ipv4\nadd address name=\"cut\n=x\nset global\npushd interface tcp\nreset\npopd\n";
        let (data, status, reason) = data!(NetshDump, dump);
        assert_eq!(
            (status, data.contexts.len(), data.contexts[0].closed),
            (CaptureStatus::Partial, 2, false)
        );
        assert_eq!(data.contexts[0].commands.len(), 1);
        let reason = reason.unwrap();
        assert!(
            reason.contains("line 2: a quoted value has no closing quote") && reason.contains("line 3:"),
            "{reason}"
        );
    }

    #[test]
    fn a_batch_file_is_no_dump() {
        assert_eq!(claimed("@echo off\npushd %~dp0\nset X=1\npopd\n").name(), "unknown");
        assert_eq!(claimed("pushd C:\\build\nset PATH=a\npopd\n").name(), "unknown");
    }
}
