//! `ospp.vbs /dstatus`: Office licences of the older kind.
//!
//! The script's own text is English; a translated status line was only seen in code, so a status is read from what stands between
//! the dashes and an unknown word stays a word. A product key is never kept beyond the five characters that the script prints.

use serde::Serialize;

use super::shape::{failed, labelled};
use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// One entry for each installed licence.
    pub licences: Vec<Licence>,
    /// Line that says that no product key is installed: a statement, not a missing answer.
    pub no_keys: Option<u32>,
    /// The listing goes on to its end mark or its last licence has a status.
    pub complete: bool,
}

/// One licence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Licence {
    /// 1-based line of its first row.
    pub line: u32,
    /// `PRODUCT ID`.
    pub product_id: Option<String>,
    /// `SKU ID`.
    pub sku_id: Option<String>,
    /// `LICENSE NAME`.
    pub name: Option<String>,
    /// `LICENSE DESCRIPTION`.
    pub description: Option<String>,
    /// `LICENSE STATUS`, classified.
    pub state: State,
    /// The status word as printed, without dashes.
    pub status: Option<Field>,
    /// `ERROR CODE`, a number like 0xC004F009; 0x4004xxxx are information.
    pub error_code: Option<u32>,
    /// `ERROR DESCRIPTION`.
    pub error_description: Option<String>,
    /// Days of `REMAINING GRACE`.
    pub grace_days: Option<u32>,
    /// `Last 5 characters of installed product key`.
    pub last5: Option<String>,
    /// Other rows (KMS host, activation interval …).
    pub other: Vec<Row>,
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// 1-based line.
    pub line: u32,
    /// The text.
    pub value: String,
}

/// A row without a field of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// 1-based line.
    pub line: u32,
    /// Its label.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// What a licence's status word means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// `LICENSED`.
    Licensed,
    /// `UNLICENSED`.
    Unlicensed,
    /// One of the grace periods.
    Grace,
    /// `NOTIFICATIONS`: not activated and saying so.
    Notifications,
    /// No status, or a word that is not known.
    #[default]
    Unknown,
}

/// Status words of the script.
const STATES: [(&str, State); 7] = [
    ("LICENSED", State::Licensed),
    ("UNLICENSED", State::Unlicensed),
    ("OOB_GRACE", State::Grace),
    ("OOT_GRACE", State::Grace),
    ("NON_GENUINE_GRACE", State::Grace),
    ("EXTENDED_GRACE", State::Grace),
    ("NOTIFICATIONS", State::Notifications),
];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Ospp, recognise, starts: is_start, read };

fn is_start(line: &str) -> bool {
    line.starts_with("---Processing---")
}

fn recognise(block: &Block<'_>) -> u8 {
    let mut best = 0;
    for (_, line) in block.lines() {
        let line = line.trim();
        let score = if line.starts_with("LICENSE STATUS:") || line.starts_with("LICENSE NAME:") {
            95
        } else if is_start(line) || is_no_keys(line) {
            85
        } else if line.contains("ospp.vbs") || status_word(line).is_some() {
            50
        } else {
            0
        };
        best = best.max(score);
    }
    let named = block.command.is_some_and(|command| command.to_ascii_lowercase().contains("ospp.vbs"));
    if named { best.max(90) } else { best }
}

fn is_no_keys(line: &str) -> bool {
    line.starts_with("<No installed product keys detected>")
}

/// `LICENSE STATUS:  ---LICENSED---`, whatever the label is called.
fn status_word(line: &str) -> Option<&str> {
    let row = labelled(line)?;
    let word = row.value.strip_prefix("---")?.split("---").next()?.trim();
    (!word.is_empty()).then_some(word)
}

/// Masks a full product key (five groups of five) but for its last group, which is what the script prints itself.
pub(super) fn without_keys(text: &str) -> String {
    let is_key = |word: &str| {
        let groups: Vec<&str> = word.split('-').collect();
        let group = |group: &&str| group.len() == 5 && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
        groups.len() == 5 && groups.iter().all(group)
    };
    let words = text.split(' ').map(|word| match word.rsplit_once('-') {
        Some((_, last)) if is_key(word) => format!("*****-{last}"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

impl Licence {
    /// A volume licence: by its channel, or by its name when the channel is not printed.
    pub fn is_volume(&self) -> bool {
        let has = |text: &Option<String>, mark: &str| {
            text.as_deref().is_some_and(|text| text.to_ascii_uppercase().contains(mark))
        };
        has(&self.description, "VOLUME_KMSCLIENT")
            || has(&self.description, "VOLUME_MAK")
            || has(&self.name, "VL_")
    }

    fn take(&mut self, line: u32, label: &str, value: &str) {
        let text = || Some(without_keys(value)).filter(|value| !value.is_empty());
        match label.to_ascii_uppercase().as_str() {
            "PRODUCT ID" => self.product_id = text(),
            "SKU ID" => self.sku_id = text(),
            "LICENSE NAME" => self.name = text(),
            "LICENSE DESCRIPTION" => self.description = text(),
            "ERROR CODE" => self.error_code = error_code(value),
            "ERROR DESCRIPTION" => self.error_description = text(),
            "REMAINING GRACE" => self.grace_days = value.split(' ').next().and_then(|days| days.parse().ok()),
            "LAST 5 CHARACTERS OF INSTALLED PRODUCT KEY" => {
                self.last5 = Some(value.to_owned()).filter(|value| value.chars().count() == 5);
            }
            _ => self.other.push(Row { line, label: label.to_owned(), value: without_keys(value) }),
        }
    }
}

/// `0x4004F040 (for information purposes only …)`.
fn error_code(value: &str) -> Option<u32> {
    let hex = value.strip_prefix("0x").or_else(|| value.strip_prefix("0X"))?;
    u32::from_str_radix(hex.split(|c: char| !c.is_ascii_hexdigit()).next()?, 16).ok()
}

/// A rule between licences: dashes only.
fn is_rule(line: &str) -> bool {
    line.len() >= 10 && line.bytes().all(|byte| byte == b'-')
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut open: Option<Licence> = None;
    let mut ended = false;
    for (number, line) in block.lines() {
        let line = line.trim();
        if is_rule(line) || line.starts_with("---Exiting") {
            data.licences.extend(open.take());
            ended |= line.starts_with("---Exiting");
        } else if is_no_keys(line) {
            data.no_keys = Some(number);
        } else if let Some(row) = labelled(line) {
            // Banner lines before the first licence have no place in one.
            let begins = ["PRODUCT ID", "SKU ID", "LICENSE NAME"].contains(&row.label);
            if open.is_none() && (begins || status_word(line).is_some()) {
                open = Some(Licence { line: number, ..Licence::default() });
            }
            let Some(licence) = open.as_mut() else { continue };
            if let Some(word) = status_word(line) {
                let known = STATES.iter().find(|(name, _)| *name == word);
                licence.state = known.map_or(State::Unknown, |(_, state)| *state);
                licence.status = Some(Field { line: number, value: word.to_owned() });
            } else {
                licence.take(number, row.label, row.value);
            }
        }
    }
    data.licences.extend(open);
    let unread = data.licences.iter().find(|licence| licence.status.is_none());
    data.complete = ended || (unread.is_none() && !data.licences.is_empty()) || data.no_keys.is_some();
    if data.licences.is_empty() && data.no_keys.is_none() {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("ospp.vbs printed no licence"));
    }
    let reason = match unread {
        Some(licence) => Some(format!("the licence at line {} has no status", licence.line)),
        None => {
            let unknown = data.licences.iter().filter(|licence| licence.state == State::Unknown);
            unknown.filter_map(|licence| licence.status.as_ref()).next().map(|status| {
                format!("the status at line {} is a word that is not known: {}", status.line, status.value)
            })
        }
    };
    let status = if reason.is_some() { CaptureStatus::Partial } else { CaptureStatus::Parsed };
    Reading { status, reason, language: None, data: CaptureData::Ospp(data) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> (CaptureStatus, Data) {
        let text = Text::decode(text.as_bytes());
        let reading = read(&Block::whole(&text));
        match reading.data {
            CaptureData::Ospp(data) => (reading.status, data),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_installed_is_an_answer() {
        // text_formats.md 4.19.
        let (status, data) = of(
            "---Processing--------------------------\n<No installed product keys detected>\n---Exiting-----------------------------\n",
        );
        assert_eq!((status, data.no_keys, data.licences.len()), (CaptureStatus::Parsed, Some(2), 0));
    }

    #[test]
    fn a_translated_status_stays_a_word() {
        // The French literal that text_formats.md 4.19 quotes.
        let (status, data) = of("LICENSE NAME: Office 16\nÉTAT DE LA LICENCE : ---LICENCE ACCORDÉE---\n");
        assert_eq!(status, CaptureStatus::Partial);
        assert_eq!(data.licences[0].state, State::Unknown);
        assert_eq!(data.licences[0].status.as_ref().unwrap().value, "LICENCE ACCORDÉE");
    }

    #[test]
    fn no_full_product_key_survives() {
        let (_, data) = of(
            "LICENSE NAME: Office 16, AB12C-DE34F-GH56I-JK78L-MN90P edition\nLICENSE STATUS:  ---LICENSED---\nLast 5 characters of installed product key: AB12C-DE34F-GH56I-JK78L-MN90P\n",
        );
        let json = serde_json::to_string(&data).unwrap();
        assert!(!json.contains("DE34F"), "{json}");
        assert_eq!(data.licences[0].last5, None);
    }
}
