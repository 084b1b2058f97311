//! `pfirewall.log`: which packets the Windows firewall let through and which it dropped.
//!
//! The extended log format of the W3C, never localised: `#` lines name the fields, then one packet a line with blanks between and
//! `-` for what a packet does not have. A dropped packet to port 443 on its way out is proof that this machine blocks activation
//! itself, so a line is only believed when it has exactly the fields that the head announces.

use std::net::IpAddr;

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// Version of the log format (`1.5`).
    pub version: Option<String>,
    /// Which clock the times are of, as the head says it: `Local` or `UTC`.
    pub time_format: Option<String>,
    /// Names of the fields, in order.
    pub fields: Vec<String>,
    /// The packets, in the order of the log.
    pub entries: Vec<Entry>,
}

/// One packet or connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// 1-based line.
    pub line: u32,
    /// `YYYY-MM-DDThh:mm:ss` of the clock that `time_format` names.
    pub time: String,
    /// What the firewall did.
    pub action: Action,
    /// `TCP`, `UDP`, `ICMP` or the number of the protocol.
    pub protocol: String,
    /// Sender.
    pub source: Option<IpAddr>,
    /// Receiver.
    pub destination: Option<IpAddr>,
    /// Port of the sender.
    pub source_port: Option<u16>,
    /// Port of the receiver.
    pub destination_port: Option<u16>,
    /// Which way the packet went.
    pub path: Option<Path>,
    /// Flags of a TCP packet (`A`, `FA`, `S`); `None` where a connection was stopped before its first packet.
    pub tcp_flags: Option<String>,
    /// Process, in the builds that log it.
    pub pid: Option<u32>,
}

/// What the firewall did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Let it through.
    Allow,
    /// Dropped it.
    Drop,
    /// A connection began (Windows XP).
    Open,
    /// A connection from outside began (Windows XP).
    OpenInbound,
    /// A connection ended (Windows XP).
    Close,
    /// Packets were not logged for want of time.
    InfoEventsLost,
}

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// Out of this machine.
    Send,
    /// Into this machine.
    Receive,
    /// Through this machine.
    Forward,
    /// The log says that it does not know.
    Unknown,
}

const ACTIONS: &[(&str, Action)] = &[
    ("ALLOW", Action::Allow),
    ("DROP", Action::Drop),
    ("OPEN", Action::Open),
    ("OPEN-INBOUND", Action::OpenInbound),
    ("CLOSE", Action::Close),
    ("INFO-EVENTS-LOST", Action::InfoEventsLost),
];

const PATHS: &[(&str, Path)] = &[
    ("SEND", Path::Send),
    ("RECEIVE", Path::Receive),
    ("FORWARD", Path::Forward),
    ("UNKNOWN", Path::Unknown),
];

/// The fields of version 1.5, for a log whose head was cut off. Newer builds add `pid`.
const USUAL_FIELDS: &str = "date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin \
                            icmptype icmpcode info path pid";

/// Fields without which a line does not say what happened to which connection.
const NEEDED_FIELDS: &[&str] =
    &["date", "time", "action", "protocol", "src-ip", "dst-ip", "src-port", "dst-port", "path"];

/// Reads this kind.
pub const READER: Reader = Reader {
    kind: CaptureKind::FirewallLog,
    recognise,
    starts: |line| line.starts_with("#Version: 1.5"),
    read,
};

fn recognise(block: &Block<'_>) -> u8 {
    let first = block.lines().map(|(_, line)| line.trim()).filter(|line| !line.is_empty()).take(8);
    let (mut head, mut rows, mut others) = (false, 0, 0);
    for line in first {
        if line == "#Software: Microsoft Windows Firewall"
            || line.starts_with("#Fields: date time action protocol")
        {
            head = true;
        } else if action_of(line).is_some() {
            rows += 1;
        } else if !line.starts_with('#') {
            others += 1;
        }
    }
    match (head, rows, others) {
        (true, ..) => 100,
        (false, 1.., 0) => 90,
        _ => 0,
    }
}

fn action_of(line: &str) -> Option<Action> {
    let mut words = line.split_ascii_whitespace();
    let (date, time, action) = (words.next()?, words.next()?, words.next()?);
    moment(date, time)?;
    look_up(ACTIONS, action)
}

fn look_up<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

/// `2019-11-06` and `12:35:19` as one moment.
fn moment(date: &str, time: &str) -> Option<String> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let time: jiff::civil::Time = time.parse().ok()?;
    Some(date.to_datetime(time).strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut headless = true;
    for (number, line) in block.lines() {
        let line = line.trim();
        if let Some(head) = line.strip_prefix('#') {
            headless &= !read_head(head, &mut data);
        } else if !line.is_empty() {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            if data.fields.is_empty() {
                data.fields =
                    USUAL_FIELDS.split_ascii_whitespace().take(words.len()).map(str::to_owned).collect();
            }
            match read_row(number, &words, &data.fields) {
                Ok(entry) => data.entries.push(entry),
                Err(what) => doubts.at(number, what),
            }
        }
    }
    if headless {
        doubts.whole("the head of the log is missing; the fields are those of version 1.5");
    }
    netsh::reading(CaptureData::FirewallLog(data), None, &doubts)
}

/// Takes a `#` line; true if it names the fields.
fn read_head(head: &str, data: &mut Data) -> bool {
    let Some((name, value)) = head.split_once(':') else { return false };
    let value = value.trim();
    match name {
        "Version" => data.version = Some(value.to_owned()),
        "Time Format" => data.time_format = Some(value.to_owned()),
        "Fields" => data.fields = value.split_ascii_whitespace().map(str::to_owned).collect(),
        _ => {}
    }
    name == "Fields"
}

fn read_row(line: u32, words: &[&str], fields: &[String]) -> Result<Entry, String> {
    if words.len() != fields.len() {
        return Err(format!("{} values for {} fields", words.len(), fields.len()));
    }
    if let Some(missing) = NEEDED_FIELDS.iter().find(|needed| !fields.iter().any(|field| field == *needed)) {
        return Err(format!("the log has no field {missing:?}"));
    }
    let field = |name: &str| {
        let at = fields.iter().position(|field| field == name)?;
        words.get(at).copied().filter(|value| *value != "-")
    };
    let time = field("date").zip(field("time")).and_then(|(date, time)| moment(date, time));
    let action = field("action").unwrap_or_default();
    Ok(Entry {
        line,
        time: time.ok_or("no date and time")?,
        action: look_up(ACTIONS, action).ok_or_else(|| format!("the action {action:?} is not known"))?,
        protocol: field("protocol").ok_or("no protocol")?.to_owned(),
        source: typed(field("src-ip"), netsh::ip, "an address")?,
        destination: typed(field("dst-ip"), netsh::ip, "an address")?,
        source_port: typed(field("src-port"), |text| text.parse().ok(), "a port")?,
        destination_port: typed(field("dst-port"), |text| text.parse().ok(), "a port")?,
        path: typed(field("path"), |text| look_up(PATHS, text), "a path")?,
        tcp_flags: field("tcpflags").map(str::to_owned),
        pid: typed(field("pid"), |text| text.parse().ok(), "a process id")?,
    })
}

/// A value that may be left out (`-`) but must be of its type when it is there.
fn typed<T>(value: Option<&str>, parse: impl Fn(&str) -> Option<T>, what: &str) -> Result<Option<T>, String> {
    match value {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| format!("{text:?} is not {what}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::{claimed, damage_says_nothing_new, data};
    use super::*;

    /// Head and lines as Microsoft's documentation of Azure Stack Edge prints them, with a dropped connection of our own.
    const LOG: &str = "#Version: 1.5\n\
        #Software: Microsoft Windows Firewall\n\
        #Time Format: Local\n\
        #Fields: date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype icmpcode info path\n\
        \n\
        2019-11-06 12:35:19 DROP UDP 5.5.3.197 224.0.0.251 5353 5353 59 - - - - - - - RECEIVE\n\
        2019-11-06 12:35:20 DROP UDP fe80::3680:dff:fe01:9e88 ff02::fb 5353 5353 89 - - - - - - - RECEIVE\n\
        2019-11-06 12:36:01 DROP TCP 192.168.1.20 20.190.160.14 50812 443 0 - 0 0 0 - - - SEND\n\
        2019-11-06 12:36:02 ALLOW ICMP 192.168.1.20 192.168.1.1 - - 0 - - - - 8 0 - SEND\n";

    #[test]
    fn packets_with_their_ports_and_paths() {
        let (data, status, reason) = data!(FirewallLog, LOG);
        assert_eq!((status, reason), (CaptureStatus::Parsed, None));
        assert_eq!(
            (data.version.as_deref(), data.time_format.as_deref(), data.fields.len()),
            (Some("1.5"), Some("Local"), 17)
        );
        let drop = &data.entries[2];
        assert_eq!((drop.line, drop.action, drop.protocol.as_str()), (8, Action::Drop, "TCP"));
        assert_eq!(drop.time, "2019-11-06T12:36:01");
        assert_eq!(drop.destination, "20.190.160.14".parse().ok());
        assert_eq!(
            (drop.source_port, drop.destination_port, drop.path),
            (Some(50812), Some(443), Some(Path::Send))
        );
        let ping = &data.entries[3];
        assert_eq!((ping.action, ping.source_port, ping.destination_port), (Action::Allow, None, None));
        assert_eq!(data.entries[1].source, "fe80::3680:dff:fe01:9e88".parse().ok());
    }

    #[test]
    fn a_line_that_lacks_a_value_is_not_believed() {
        // The documentation has such a line too: its last value is missing.
        let short = LOG.replace("443 0 - 0 0 0 - - - SEND", "443 0 - 0 0 0 - - -");
        let (data, status, reason) = data!(FirewallLog, &short);
        assert_eq!((data.entries.len(), status), (3, CaptureStatus::Partial));
        assert!(reason.unwrap().contains("line 8: 16 values for 17 fields"));
    }

    #[test]
    fn the_tail_of_a_log_is_read_by_the_usual_fields() {
        let tail: String = LOG.lines().skip(5).map(|line| format!("{line}\n")).collect();
        let (data, status, _) = data!(FirewallLog, &tail);
        assert_eq!((data.entries.len(), status), (4, CaptureStatus::Partial));
        assert_eq!(data.entries[2].destination_port, Some(443));
        assert_eq!(claimed("2019-11-06 12:35:19 INFO something else\n").name(), "unknown");
    }

    #[test]
    fn newer_builds_name_the_process() {
        let log = LOG
            .replace("info path\n", "info path pid\n")
            .replace("SEND\n", "SEND 4711\n")
            .replace("RECEIVE\n", "RECEIVE 4\n");
        let (data, status, _) = data!(FirewallLog, &log);
        assert_eq!((status, data.entries[2].pid), (CaptureStatus::Parsed, Some(4711)));
    }

    #[test]
    fn damage_says_nothing_new_of_packets() {
        damage_says_nothing_new(CaptureKind::FirewallLog, LOG, true);
    }
}
