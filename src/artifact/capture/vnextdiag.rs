//! `vnextdiag.ps1 -action list`: Office licences of the current kind.
//!
//! Headings go through `Write-Host` and licences through the output stream, so a plain redirection keeps the licences and loses
//! everything else. A part that is not there says nothing: three answers, listed, none, not shown.

use serde::Serialize;

use super::shape::{Form, Object, failed, objects};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// `Mode per ProductReleaseId`.
    pub modes: Part<Mode>,
    /// `Shared Computer Licensing`: the setting.
    pub shared_computer: Sharing,
    /// Line of that setting.
    pub shared_computer_line: Option<u32>,
    /// Its tokens.
    pub tokens: Part<Token>,
    /// `Additional Licensing Settings`.
    pub settings: Vec<Setting>,
    /// Licences of the user.
    pub user_licences: Part<Licence>,
    /// Licences of the device.
    pub device_licences: Part<Licence>,
}

/// A list that can be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part<T> {
    /// The capture does not show it.
    #[default]
    NotShown,
    /// The script says that there is none, on this line.
    None(u32),
    /// What is listed.
    Listed(Vec<T>),
}

impl<T> Part<T> {
    /// What is listed; nothing for the other two.
    pub fn items(&self) -> &[T] {
        match self {
            Self::Listed(items) => items,
            Self::None(_) | Self::NotShown => &[],
        }
    }

    fn set_none(&mut self, line: u32) {
        if matches!(self, Self::NotShown) {
            *self = Self::None(line);
        }
    }

    fn push(&mut self, item: T) {
        match self {
            Self::Listed(items) => items.push(item),
            Self::None(_) | Self::NotShown => *self = Self::Listed(vec![item]),
        }
    }
}

/// How a product is activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// 1-based line.
    pub line: u32,
    /// Product release id.
    pub product: String,
    /// `vNext`, `Device` or `Legacy`.
    pub mode: String,
}

/// Shared computer activation as the script sums it up. It takes the registry string "0" for *on* in some versions, so the
/// registry decides (domain.md R41).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// `Enabled`.
    Enabled,
    /// `Disabled`.
    Disabled,
    /// No value is set in any of the three places.
    NotConfigured,
    /// The capture does not show it.
    #[default]
    NotShown,
}

/// A token of shared computer activation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// 1-based line.
    pub line: u32,
    /// Whose it is.
    pub user: Option<String>,
    /// Start of validity.
    pub not_before: Option<String>,
    /// End of validity.
    pub not_after: Option<String>,
}

/// `ViewerMode = Not Configured`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// 1-based line.
    pub line: u32,
    /// Name.
    pub name: String,
    /// Value; `None` when not configured.
    pub value: Option<String>,
}

/// A licence file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Licence {
    /// 1-based line.
    pub line: u32,
    /// Folder generation.
    pub version: Option<String>,
    /// `User|Subscription`, `Device|…`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Product release id.
    pub product: Option<String>,
    /// `LicenseState`, classified.
    pub state: State,
    /// `LicenseState` as printed.
    pub state_text: Option<String>,
    /// `EntitlementStatus`.
    pub entitlement_status: Option<String>,
    /// `EntitlementExpiration`.
    pub entitlement_expiration: Option<String>,
    /// `ReasonCode`.
    pub reason_code: Option<String>,
    /// `NotBefore`.
    pub not_before: Option<String>,
    /// `NotAfter`.
    pub not_after: Option<String>,
    /// `NextRenewal`.
    pub next_renewal: Option<String>,
    /// `Email`.
    pub email: Option<String>,
    /// `TenantId`.
    pub tenant_id: Option<String>,
    /// `EWW` for a work account, `CWW` for a personal one: what stands before the first underscore of the licence id.
    pub license_id_prefix: Option<String>,
}

/// What a licence's state means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// `Licensed`.
    Licensed,
    /// `Grace`: the entitlement has run out, the licence file has not.
    Grace,
    /// `RFM`: the licence file has run out, reduced functionality.
    ReducedFunctionality,
    /// No state, or a word that is not known.
    Unknown,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Vnextdiag, recognise, starts: is_start, read };

fn is_start(line: &str) -> bool {
    heading(line) == Some(Section::Modes)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Modes,
    Shared,
    Settings,
    User,
    Device,
    /// A heading that is not known or not legible: what stands below it is nobody's.
    Other,
}

/// Titles in lower case, as far as the script's versions agree.
const TITLES: [(&str, Section); 5] = [
    ("mode per productreleaseid", Section::Modes),
    ("shared computer licensing", Section::Shared),
    ("additional licensing settings", Section::Settings),
    ("vnext licenses", Section::User),
    ("device licenses", Section::Device),
];

fn heading(line: &str) -> Option<Section> {
    let line = line.trim();
    if !line.starts_with("=====") && !line.ends_with("=====") {
        return None;
    }
    let title = line.trim_matches(['=', ' ']).to_ascii_lowercase();
    let known = TITLES.iter().find(|(start, _)| title.starts_with(start));
    Some(known.map_or(Section::Other, |(_, section)| *section))
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut headings, mut marks) = (0, 0);
    for (_, line) in block.lines() {
        headings += u32::from(heading(line).is_some_and(|section| section != Section::Other));
        let key = line.trim_start();
        marks += u32::from(key.starts_with("\"LicenseState\"") || key.starts_with("\"EntitlementStatus\""));
    }
    match (headings, marks) {
        (1.., _) => 95,
        (0, 2..) => 90,
        _ => 0,
    }
}

impl Data {
    /// All licences, the user's first.
    pub fn licences(&self) -> impl Iterator<Item = &Licence> {
        self.user_licences.items().iter().chain(self.device_licences.items())
    }
}

impl Licence {
    fn of(object: &Object) -> Self {
        let state_text = object.text("LicenseState");
        let state = match state_text.as_deref() {
            Some("Licensed") => State::Licensed,
            Some("Grace") => State::Grace,
            Some("RFM") => State::ReducedFunctionality,
            _ => State::Unknown,
        };
        let prefix = |id: String| id.split_once('_').map(|(prefix, _)| prefix.to_owned());
        Self {
            line: object.line,
            version: object.text("Version"),
            kind: object.text("Type"),
            product: object.text("Product"),
            state,
            state_text,
            entitlement_status: object.text("EntitlementStatus"),
            entitlement_expiration: object.text("EntitlementExpiration"),
            reason_code: object.text("ReasonCode"),
            not_before: object.text("NotBefore"),
            not_after: object.text("NotAfter"),
            next_renewal: object.text("NextRenewal"),
            email: object.text("Email"),
            tenant_id: object.text("TenantId"),
            license_id_prefix: object.text("LicenseId").and_then(prefix),
        }
    }
}

/// The sections with their lines; what stands before the first heading belongs to none.
fn sections(block: &Block<'_>) -> Vec<(Option<Section>, u32, u32)> {
    let mut found = vec![(None, block.from, block.from.saturating_sub(1))];
    for (number, line) in block.lines() {
        match heading(line) {
            Some(section) => found.push((Some(section), number + 1, number)),
            None => {
                if let Some((_, _, to)) = found.last_mut() {
                    *to = number;
                }
            }
        }
    }
    found
}

fn ends_with(name: &str, end: &str) -> bool {
    name.to_ascii_lowercase().ends_with(end)
}

#[derive(Default)]
struct Builder {
    data: Data,
    problem: Option<String>,
}

impl Builder {
    fn section(&mut self, section: Option<Section>, part: &Block<'_>) {
        // "No licenses found." is the whole of its section; beside anything else it belongs to a section whose heading is lost.
        let alone = part.lines().filter(|(_, line)| !line.trim().is_empty()).take(2).count() == 1;
        for (number, line) in part.lines() {
            let line = line.trim();
            if (alone || section == Some(Section::Shared)) && self.none(section, line, number) {
                continue;
            }
            if let Some((name, value)) = line.split_once(" = ") {
                self.pair(section, number, name.trim(), value.trim());
            }
        }
        let found = objects(part);
        if found.form != Form::Json {
            return;
        }
        self.problem = self.problem.take().or_else(|| found.problems.first().map(ToString::to_string));
        for object in &found.objects {
            self.object(section, object);
        }
    }

    /// A sentence that says that there is nothing; it counts only in its own section, and never against what is listed there.
    fn none(&mut self, section: Option<Section>, text: &str, line: u32) -> bool {
        let data = &mut self.data;
        match (section, text) {
            (Some(Section::Modes), "No registry keys found.") => data.modes.set_none(line),
            (Some(Section::Shared), "No tokens found.") => data.tokens.set_none(line),
            (Some(Section::User), "No licenses found.") => data.user_licences.set_none(line),
            (Some(Section::Device), "No licenses found.") => data.device_licences.set_none(line),
            (Some(Section::Shared), "No registry keys found.") => {
                if data.shared_computer == Sharing::NotShown {
                    data.shared_computer = Sharing::NotConfigured;
                    data.shared_computer_line = Some(line);
                }
            }
            _ => return false,
        }
        true
    }

    fn pair(&mut self, section: Option<Section>, line: u32, name: &str, value: &str) {
        if name.contains(['"', '{', ' ']) {
            return;
        }
        match section {
            // The script lists ids that end so, and nothing else.
            Some(Section::Modes) if ["retail", "volume"].iter().any(|end| ends_with(name, end)) => {
                self.data.modes.push(Mode { line, product: name.to_owned(), mode: value.to_owned() });
            }
            Some(Section::Shared) if name == "SharedComputerLicensing" => {
                self.data.shared_computer = match value {
                    "Enabled" => Sharing::Enabled,
                    "Disabled" => Sharing::Disabled,
                    _ => return,
                };
                self.data.shared_computer_line = Some(line);
            }
            Some(Section::Settings) => {
                let value = Some(value.to_owned()).filter(|value| value != "Not Configured");
                self.data.settings.push(Setting { line, name: name.to_owned(), value });
            }
            _ => {}
        }
    }

    fn object(&mut self, section: Option<Section>, object: &Object) {
        if !object.has("LicenseState") {
            if object.has("ACID") && section == Some(Section::Shared) {
                self.data.tokens.push(Token {
                    line: object.line,
                    user: object.text("User"),
                    not_before: object.text("NotBefore"),
                    not_after: object.text("NotAfter"),
                });
            }
            return;
        }
        let licence = Licence::of(object);
        // Without headings the licence itself says whose it is.
        let of_device = match section {
            Some(Section::Device) => true,
            Some(Section::User) => false,
            _ => licence.kind.as_deref().is_some_and(|kind| kind.starts_with("Device")),
        };
        if of_device {
            self.data.device_licences.push(licence);
        } else {
            self.data.user_licences.push(licence);
        }
    }
}

fn read(block: &Block<'_>) -> Reading {
    let mut builder = Builder::default();
    let sections = sections(block);
    for (section, from, to) in &sections {
        builder.section(*section, &Block { from: *from, to: *to, ..*block });
    }
    let data = builder.data;
    if data == Data::default() && builder.problem.is_none() {
        return failed(block)
            .unwrap_or_else(|| Reading::unrecognized("no part of the listing could be read"));
    }
    let shown = |section| sections.iter().any(|(found, ..)| *found == Some(section));
    let lost = TITLES.iter().filter(|(_, section)| *section != Section::Settings && !shown(*section));
    let lost: Vec<&str> = lost.map(|(title, _)| *title).collect();
    let unknown = data.licences().find(|licence| licence.state == State::Unknown);
    let reason = builder.problem.or_else(|| {
        let words = format!("sections that are not in the capture: {}", lost.join(", "));
        (!lost.is_empty()).then_some(words)
    });
    let reason =
        reason.or_else(|| unknown.map(|l| format!("the licence at line {} has no known state", l.line)));
    Reading::of(CaptureData::Vnextdiag(data), reason)
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> (CaptureStatus, Data) {
        let text = Text::decode(text.as_bytes());
        let block = Block::whole(&text);
        assert!(recognise(&block) > 50);
        let reading = read(&block);
        match reading.data {
            CaptureData::Vnextdiag(data) => (reading.status, data),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn licences_alone_are_read_and_nothing_else_is_claimed() {
        // text_formats.md 4.19: a plain `>` of PowerShell 5 keeps only the JSON.
        let (status, data) = of(
            "{\n    \"Type\":  \"User|Subscription\",\n    \"LicenseState\":  \"Licensed\",\n    \"EntitlementStatus\":  \"Active\"\n}\n\
             {\n    \"Type\":  \"Device|Subscription\",\n    \"LicenseState\":  \"RFM\",\n    \"EntitlementStatus\":  null\n}\n",
        );
        assert_eq!(status, CaptureStatus::Partial);
        assert_eq!(data.modes, Part::NotShown);
        assert_eq!(data.shared_computer, Sharing::NotShown);
        assert_eq!(data.user_licences.items()[0].state, State::Licensed);
        assert_eq!(data.device_licences.items()[0].state, State::ReducedFunctionality);
    }

    #[test]
    fn titles_of_other_versions_are_known() {
        // Public copies of the script print "vNext licenses" and "Device licenses".
        let (_, data) = of("========== Mode per ProductReleaseId ==========\no365proplusretail = Legacy\n\n\
             ========== vNext licenses ===========\nNo licenses found.\n");
        assert_eq!(data.modes.items()[0].mode, "Legacy");
        assert_eq!(data.user_licences, Part::None(5));
        assert_eq!(data.device_licences, Part::NotShown);
    }
}
