//! `systeminfo`: the machine, its version, its updates and its network cards.
//!
//! All labels and many words are translated, dates are in the user's regional format, so nothing but place and type is trusted
//! (`rows`). The list of updates can be shorter than the number above it says (Windows 7 cuts it), and then it proves the
//! presence of what it names and the absence of nothing.

pub mod labels;
mod rows;

use std::collections::BTreeMap;

use serde::Serialize;

use super::shape::{failed, find_label, same_label};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};
pub use labels::Slot;
use rows::{Row, item, place, rows};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Every row whose place is known, as text.
    pub fields: BTreeMap<Slot, Field>,
    /// The system's version, taken apart.
    pub os_version: Option<OsVersion>,
    /// The updates; `None` when the row is missing.
    pub hotfixes: Option<Hotfixes>,
    /// The network cards.
    pub network_cards: Vec<NetworkCard>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// 1-based line.
    pub line: u32,
    /// The value as printed, which can be empty.
    pub value: String,
}

/// `10.0.19044 N/A Build 19044`, `6.1.7601 Service Pack 1 Build 7601`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OsVersion {
    /// 1-based line.
    pub line: u32,
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Build.
    pub build: u32,
    /// Number of the service pack, if one is named.
    pub service_pack: Option<u32>,
}

/// The list of updates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hotfixes {
    /// 1-based line of the row.
    pub line: u32,
    /// How many the row announces.
    pub announced: Option<u32>,
    /// The items that are listed in full.
    pub listed: Vec<Hotfix>,
    /// As many are listed as were announced.
    pub complete: bool,
}

/// An update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hotfix {
    /// 1-based line.
    pub line: u32,
    /// The item as printed (`KB5031592`, `File 1`, `KB923561 - Update`).
    pub name: String,
    /// Number of the knowledge base article, if the item names one.
    pub kb: Option<u32>,
}

/// A network card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NetworkCard {
    /// 1-based line.
    pub line: u32,
    /// Description of the hardware.
    pub description: String,
    /// Name of the connection.
    pub connection: Option<String>,
    /// Why it is not in use, in the output's language ("Media disconnected"); known where the row's label is.
    pub status: Option<String>,
    /// Address of the DHCP server.
    pub dhcp_server: Option<String>,
    /// Its addresses.
    pub addresses: Vec<String>,
}

/// What English systems before Windows Vista call the row of the boot time.
const UP_TIME_LABEL: &str = "System Up Time";

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Systeminfo, recognise, starts: is_start, read };

/// The first row, in a language that is known: its label at the left edge and its value in a column.
fn is_start(line: &str) -> bool {
    line.split_once(':').is_some_and(|(label, value)| {
        let first = |(slot, _): (Slot, Vec<&str>)| slot == Slot::HostName;
        value.starts_with("  ") && label.len() <= 40 && find_label(labels::LABELS, label).is_some_and(first)
    })
}

fn recognise(block: &Block<'_>) -> u8 {
    let rows = rows(block);
    let (placed, _) = place(&rows);
    let placed: Vec<Slot> = placed.into_iter().flatten().collect();
    let version = placed.contains(&Slot::OsVersion);
    match placed.len() {
        15.. if version => 95,
        8.. => 80,
        4.. if version => 60,
        _ => 0,
    }
}

impl Data {
    /// The text of a row, if it is there and not empty.
    pub fn text(&self, slot: Slot) -> Option<&Field> {
        self.fields.get(&slot).filter(|field| !field.value.is_empty())
    }

    /// Code of the system locale (`de`, `en-us`), which names the machine's OEM and ANSI code pages.
    pub fn system_locale(&self) -> Option<&str> {
        self.text(Slot::SystemLocale)?.value.split_once(';').map(|(code, _)| code)
    }
}

impl OsVersion {
    /// Takes the row apart; `None` unless its first and its last number agree on the build.
    pub fn parse(line: u32, value: &str) -> Option<Self> {
        let mut parts = value.split_whitespace().next()?.split('.');
        let mut number = || parts.next()?.parse::<u32>().ok();
        let (major, minor, build) = (number()?, number()?, number()?);
        let last: u32 = value.split_whitespace().last()?.parse().ok()?;
        let service_pack = value
            .split_once("Service Pack ")
            .and_then(|(_, rest)| rest.split_whitespace().next().and_then(|number| number.parse().ok()));
        (last == build).then_some(Self { line, major, minor, build, service_pack })
    }
}

/// `KB5031592`, also with a suffix (`KB2705219-v2`, `KB923561 - Update`).
pub(super) fn kb(name: &str) -> Option<u32> {
    let digits = name.trim().strip_prefix("KB").or_else(|| name.trim().strip_prefix("kb"))?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

impl Hotfixes {
    fn of(row: &Row<'_>) -> Self {
        let mut numbers = row.value.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let announced = match (numbers.next(), numbers.next()) {
            (Some(number), None) => number.parse().ok(),
            _ => None,
        };
        let mut listed = Vec::new();
        let mut last = 0;
        for &(line, _, text) in &row.below {
            let Some((number, name)) = item(text) else { continue };
            // Numbers that begin again are another row's, whose label is lost.
            if number <= last {
                break;
            }
            last = number;
            if !name.is_empty() {
                listed.push(Hotfix { line, name: name.to_owned(), kb: kb(name) });
            }
        }
        let complete =
            announced.is_some_and(|count| usize::try_from(count).is_ok_and(|count| count == listed.len()));
        Self { line: row.line, announced, listed, complete }
    }
}

/// What stands below a card until the next one.
#[derive(Default)]
struct Below<'t> {
    /// Labels and values, in their order.
    labelled: Vec<(&'t str, &'t str)>,
    /// The heading of the addresses was seen.
    heading: bool,
    /// Labelled lines stand behind it, so it was none: a line is damaged.
    broken: bool,
}

/// What the state of a card that is not in use is called (English and German, Spanish). Place alone does not tell it from DHCP's
/// yes or no on a card whose addresses are cut off.
const STATUS_LABELS: [&str; 2] = ["Status", "Estado"];

/// The cards of the row: items at the first indent, what belongs to them further in.
fn network_cards(row: &Row<'_>) -> Vec<NetworkCard> {
    let outer = row.below.first().map_or(0, |(_, indent, _)| *indent);
    let mut cards: Vec<NetworkCard> = Vec::new();
    let mut below = Below::default();
    for &(line, indent, text) in &row.below {
        let name = item(text).map(|(_, name)| name);
        if indent == outer && name.is_some() {
            finish(cards.last_mut(), &below);
            below = Below::default();
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            let description = name.to_owned();
            cards.push(NetworkCard { line, description, ..NetworkCard::default() });
        } else if indent <= outer {
            below.broken = true;
        } else if let Some(address) = name {
            if let Some(card) = cards.last_mut().filter(|_| !address.is_empty()) {
                card.addresses.push(address.to_owned());
            }
        } else if let Some((label, value)) = text.split_once(':') {
            below.broken |= below.heading;
            below.labelled.push((label.trim(), value.trim()));
        } else {
            below.heading = true;
        }
    }
    finish(cards.last_mut(), &below);
    cards
}

/// A card in use has name, DHCP yes or no, with DHCP its server, and its addresses below a heading; one that is not has name and
/// state. What does not fit that is left alone.
fn finish(card: Option<&mut NetworkCard>, below: &Below<'_>) {
    let Some(card) = card else { return };
    // A text without any letter or digit is an address that somebody masked.
    let is_address =
        |value: &str| value.parse::<std::net::IpAddr>().is_ok() || !value.contains(char::is_alphanumeric);
    let (name, second) = match below.labelled.as_slice() {
        [(_, name), second] => (*name, *second),
        [(_, name), second, (_, server)] => {
            card.dhcp_server = is_address(server).then(|| (*server).to_owned());
            (*name, *second)
        }
        _ => return,
    };
    let (label, value) = second;
    if below.broken || is_address(value) || is_address(name) {
        return;
    }
    card.connection = Some(name.to_owned());
    if card.addresses.is_empty() && STATUS_LABELS.contains(&label) {
        card.status = Some(value.to_owned());
    }
}

/// Windows XP prints how long it has been up where its successors print since when. `None` when neither the version nor the label
/// tells which.
fn boot_or_up(slot: Slot, row: &Row<'_>, version: Option<&OsVersion>) -> Option<Slot> {
    match version {
        _ if slot != Slot::BootTime => Some(slot),
        _ if same_label(row.label, UP_TIME_LABEL) => Some(Slot::UpTime),
        Some(version) => Some(if version.major < 6 { Slot::UpTime } else { slot }),
        None => find_label(labels::LABELS, row.label).map(|_| slot),
    }
}

/// The rows of virtual memory have a second label in their value.
fn text_of(slot: Slot, value: &str) -> &str {
    match slot {
        Slot::VirtualMax | Slot::VirtualAvailable | Slot::VirtualInUse => {
            value.rsplit_once(':').map_or(value, |(_, value)| value.trim())
        }
        _ => value,
    }
}

fn read(block: &Block<'_>) -> Reading {
    let rows = rows(block);
    let (placed, language) = place(&rows);
    let mut data = Data::default();
    for (row, slot) in rows.iter().zip(&placed) {
        let Some(slot) = *slot else { continue };
        let Some(slot) = boot_or_up(slot, row, data.os_version.as_ref()) else { continue };
        match slot {
            Slot::OsVersion => data.os_version = OsVersion::parse(row.line, row.value),
            Slot::Hotfixes => data.hotfixes = Some(Hotfixes::of(row)),
            Slot::NetworkCards => data.network_cards = network_cards(row),
            _ => {}
        }
        let value = text_of(slot, row.value).to_owned();
        data.fields.entry(slot).or_insert(Field { line: row.line, value });
    }
    if data.fields.is_empty() {
        return failed(block)
            .unwrap_or_else(|| Reading::unrecognized("no row of systeminfo could be placed"));
    }
    let reason = what_is_missing(&data);
    Reading { language, ..Reading::of(CaptureData::Systeminfo(data), reason) }
}

/// Rows that a check asks for.
const ASKED: [Slot; 6] =
    [Slot::HostName, Slot::OsName, Slot::OsVersion, Slot::BootTime, Slot::Domain, Slot::Hotfixes];

fn what_is_missing(data: &Data) -> Option<String> {
    let has = |slot: Slot| {
        let up_time = slot == Slot::BootTime && data.fields.contains_key(&Slot::UpTime);
        data.fields.contains_key(&slot) || up_time
    };
    let missing: Vec<String> =
        ASKED.iter().filter(|slot| !has(**slot)).map(|slot| format!("{slot:?}")).collect();
    if !missing.is_empty() {
        return Some(format!("rows without a certain place: {}", missing.join(", ")));
    }
    if data.os_version.is_none() {
        return Some("the version row holds no version".to_owned());
    }
    let hotfixes = data.hotfixes.as_ref().filter(|hotfixes| !hotfixes.complete)?;
    Some(match hotfixes.announced {
        Some(count) => format!("the list of updates holds {} of {count}", hotfixes.listed.len()),
        None => "the row of updates announces no number".to_owned(),
    })
}
