//! `w32tm`: where the clock takes its time from and how far it is off.
//!
//! `/query /status` is translated throughout, but its nine rows come in a fixed order and three of them are unmistakable by type
//! (text_formats.md 4.16). `/query /configuration` is English everywhere; `/stripchart` is numbers.

mod status;

use serde::Serialize;

use super::command::kind_of;
use super::shape::{Labelled, failed, labelled};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};
pub use status::Status;

/// The typed content; which parts are filled tells which queries the block answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// `/query /status`.
    pub status: Option<Box<Status>>,
    /// `/query /source`, or the row of the status.
    pub source: Option<Field>,
    /// `/query /configuration`.
    pub configuration: Vec<Setting>,
    /// `/query /peers`: the names.
    pub peers: Vec<Field>,
    /// `/stripchart`.
    pub samples: Vec<Sample>,
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// 1-based line.
    pub line: u32,
    /// The text as printed.
    pub value: String,
}

/// A row of `/query /configuration`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// 1-based line.
    pub line: u32,
    /// `Configuration` or the name of the time provider.
    pub group: String,
    /// Name of the setting.
    pub name: String,
    /// Its value without the origin.
    pub value: String,
    /// `Local`, `Policy` …
    pub origin: String,
}

/// A line of `/stripchart`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// 1-based line.
    pub line: u32,
    /// Local wall-clock time as printed.
    pub time: String,
    /// Seconds that the local clock is behind the server (negative: ahead of it).
    pub offset_seconds: Option<f64>,
    /// Error code when the server did not answer.
    pub error: Option<u32>,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::W32tm, recognise, starts: |_| false, read };

/// Sources that are not a server; the tool prints them in English everywhere it was seen.
const LOCAL_SOURCES: [&str; 3] =
    ["Local CMOS Clock", "Free-running System Clock", "VM IC Time Synchronization Provider"];
/// Labelled rows that are kept; a status has sixteen, a list of peers nine for each.
const MOST_ROWS: usize = 400;
/// `HRESULT_FROM_WIN32(ERROR_SERVICE_NOT_ACTIVE)`: what w32tm says when its service is stopped.
const SERVICE_NOT_ACTIVE: &str = "0x80070426";

fn recognise(block: &Block<'_>) -> u8 {
    let data = gather(block);
    let filled = data.status.is_some() || !data.samples.is_empty() || !data.peers.is_empty();
    let short = || block.lines().filter(|(_, line)| !line.trim().is_empty()).take(4).count() <= 3;
    match () {
        () if filled => 88,
        () if data.configuration.len() >= 4 => 85,
        () if data.source.is_some() => 60,
        () if short() && block.lines().any(|(_, line)| line.contains(SERVICE_NOT_ACTIVE)) => 25,
        () => 0,
    }
}

impl Data {
    /// A setting of the configuration by its name, in any group, when only one group has it or all agree.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        let mut found = self.configuration.iter().filter(|setting| setting.name.eq_ignore_ascii_case(name));
        let first = found.next()?;
        found.all(|other| other.value == first.value).then_some(first)
    }

    /// The measured offset that is furthest from zero.
    pub fn largest_offset(&self) -> Option<(u32, f64)> {
        let offsets = self.samples.iter().filter_map(|sample| Some((sample.line, sample.offset_seconds?)));
        offsets.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
    }
}

fn gather(block: &Block<'_>) -> Data {
    let mut data = Data::default();
    let mut rows: Vec<(u32, Labelled<'_>)> = Vec::new();
    let mut group = String::new();
    for (number, line) in block.lines() {
        let trimmed = line.trim();
        if let Some(sample) = sample(number, trimmed) {
            data.samples.push(sample);
        } else if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = name.to_owned();
        } else if let Some(setting) = setting(number, trimmed, &group) {
            data.configuration.push(setting);
        } else if let Some(provider) = provider(trimmed).filter(|_| !group.is_empty()) {
            group = provider.to_owned();
        } else if let Some(row) = labelled(trimmed).filter(|_| rows.len() < MOST_ROWS) {
            rows.push((number, row));
        }
    }
    data.status = Status::of(&rows).map(Box::new);
    data.peers = peers(&rows);
    data.source = data.status.as_ref().and_then(|status| status.source.clone()).or_else(|| source(block));
    data
}

/// `08:23:44, +00.0022650s`, `08:23:44, d:+00.0156250s o:-00.0012345s  [   *   ]`, `08:23:44, error: 0x800705B4`. With `d:` alone
/// there is a delay and no offset.
fn sample(line: u32, text: &str) -> Option<Sample> {
    let (time, rest) = text.split_once(", ")?;
    let clock = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    if time.split(':').count() != 3 || !time.split(':').all(clock) {
        return None;
    }
    let offset = match rest.split_once("o:") {
        Some((_, offset)) => seconds(offset.split_whitespace().next()?),
        None => seconds(rest.trim()),
    };
    let error = rest.split_once("0x").and_then(|(_, code)| {
        let end = code.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(code.len());
        u32::from_str_radix(code.get(..end)?, 16).ok()
    });
    let delay = rest.starts_with("d:");
    (offset.is_some() || error.is_some() || delay).then(|| Sample {
        line,
        time: time.to_owned(),
        offset_seconds: offset,
        error,
    })
}

/// `+00.0022650s`, with a point or a comma.
fn seconds(text: &str) -> Option<f64> {
    let number = text.strip_suffix('s')?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b','));
    plain.then(|| number.replace(',', ".").parse().ok())?
}

/// `Type: NTP (Local)`.
fn setting(line: u32, text: &str, group: &str) -> Option<Setting> {
    let (name, rest) = text.split_once(": ")?;
    let (value, origin) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let known = matches!(origin, "Local" | "Policy" | "Undefined or NotUsed");
    (plain(name) && known).then(|| Setting {
        line,
        group: group.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
        origin: origin.to_owned(),
    })
}

/// `NtpClient (Local)`: the heading of a time provider.
fn provider(text: &str) -> Option<&str> {
    let name = text.strip_suffix(" (Local)").or_else(|| text.strip_suffix(" (Policy)"))?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

/// `Peer: time.windows.com,0x9` below `#Peers: 1`.
fn peers(rows: &[(u32, Labelled<'_>)]) -> Vec<Field> {
    if !rows.iter().any(|(_, row)| row.label == "#Peers") {
        return Vec::new();
    }
    let named = rows.iter().filter(|(_, row)| row.label == "Peer" && !row.value.is_empty());
    named.map(|(line, row)| Field { line: *line, value: row.value.to_owned() }).collect()
}

/// The only line of `/query /source`: a server with flags, or one of the local sources. A bare word is only believed when the
/// command is known.
fn source(block: &Block<'_>) -> Option<Field> {
    let mut lines = block.lines().filter(|(_, line)| !line.trim().is_empty());
    let ((line, text), None) = (lines.next()?, lines.next()) else { return None };
    let text = text.trim();
    let asked = block.command.is_some_and(|command| {
        kind_of(command) == Some(CaptureKind::W32tm) && command.to_ascii_lowercase().contains("/source")
    });
    let flagged = text.split_once(",0x").is_some_and(|(host, flags)| {
        is_host(host) && !flags.is_empty() && flags.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let local = LOCAL_SOURCES.iter().any(|name| text.eq_ignore_ascii_case(name));
    (flagged || local || (asked && is_host(text))).then(|| Field { line, value: text.to_owned() })
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'))
}

fn read(block: &Block<'_>) -> Reading {
    let data = gather(block);
    let language = data.status.as_ref().and_then(|status| status.language.clone());
    let empty = data.source.is_none()
        && data.status.is_none()
        && data.configuration.is_empty()
        && data.peers.is_empty()
        && data.samples.is_empty();
    if empty {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("no answer of w32tm could be read"));
    }
    let unanswered = data.samples.iter().all(|sample| sample.offset_seconds.is_none());
    let reason = if let Some(status) = &data.status {
        status.what_is_missing()
    } else if !data.samples.is_empty() && unanswered {
        Some("no sample holds an offset: the server did not answer".to_owned())
    } else {
        None
    };
    Reading { language, ..Reading::of(CaptureData::W32tm(data), reason) }
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::*;
    use crate::artifact::text::Text;

    fn gathered(text: &str) -> Data {
        let text = Text::decode(text.as_bytes());
        gather(&Block::whole(&text))
    }

    #[test]
    fn offsets_of_the_plain_and_of_the_drawn_chart() {
        // The plain form is a public listing of `w32tm /stripchart /dataonly`; `o:` is the offset, `d:` the round trip.
        let data = gathered(
            "Tracking 192.168.7.24 [192.168.7.24:123].\nCollecting 5 samples.\nThe current time is 2026-08-24 8:23:44 AM.\n\
             08:23:44, +00.0022650s\n08:23:46, -301.5000000s\n08:23:48, d:+00.0156250s o:+00.0109375s  [    *    ]\n\
             08:23:50, d:+00.0156250s\n08:23:52, error: 0x800705B4\n",
        );
        let offsets: Vec<_> = data.samples.iter().map(|sample| sample.offset_seconds).collect();
        assert_eq!(offsets, [Some(0.002_265), Some(-301.5), Some(0.010_937_5), None, None]);
        assert_eq!(data.samples[4].error, Some(0x8007_05b4));
        assert_eq!(data.largest_offset(), Some((5, -301.5)));
    }

    #[test]
    fn settings_know_their_provider() {
        // A public listing of `w32tm /query /configuration`.
        let data = gathered(
            "[Configuration]\n\nAnnounceFlags: 10 (Local)\nMaxNegPhaseCorrection: 54000 (Local)\n\n[TimeProviders]\n\n\
             NtpClient (Local)\nEnabled: 1 (Local)\nType: NTP (Local)\nNtpServer: time.windows.com,0x9 (Policy)\n\n\
             NtpServer (Local)\nEnabled: 0 (Local)\n",
        );
        let server = data.setting("NtpServer").unwrap();
        assert_eq!((server.line, server.group.as_str(), server.origin.as_str()), (11, "NtpClient", "Policy"));
        assert_eq!(server.value, "time.windows.com,0x9");
        assert_eq!(data.setting("Enabled"), None, "two providers say different things");
    }

    #[test]
    fn a_stopped_service_is_no_answer() {
        // text_formats.md 4.16: one error line with 0x80070426.
        let text = Text::decode(
            "Folgender Fehler ist aufgetreten: Der Dienst wurde nicht gestartet. (0x80070426)\n".as_bytes(),
        );
        let block = Block::whole(&text);
        assert!(recognise(&block) > 0);
        assert_eq!(read(&block).status, CaptureStatus::ErrorOutput);
    }

    #[test]
    fn a_source_alone() {
        assert_eq!(gathered("time.windows.com,0x9\n").source.unwrap().value, "time.windows.com,0x9");
        assert_eq!(gathered("Local CMOS Clock\n").source.unwrap().value, "Local CMOS Clock");
        assert_eq!(gathered("server01\n").source, None);
    }
}
