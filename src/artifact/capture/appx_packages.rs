//! `Get-AppxPackage`: packages and the users that have them.
//!
//! Property names are English everywhere. A list can be of one user, of all users, of one name, or cut by a table's width, so it
//! says how much it covers: absence from a list that does not cover the package proves nothing (domain.md R30).

use serde::Serialize;

use super::shape::{Form as ObjectForm, Object, failed, objects};
use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading};
use crate::artifact::Place;

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// How the packages are written.
    pub form: Form,
    /// Packages of all users were asked for: the command says so, or users are printed.
    pub all_users: bool,
    /// One package or a pattern was asked for. `None` when the command is not echoed.
    pub filtered: Option<bool>,
    /// The listing ends in the middle or has rows that could not be read.
    pub cut: bool,
    /// The packages in their order.
    pub packages: Vec<Package>,
}

/// How the packages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// PowerShell list or table.
    #[default]
    Text,
    /// `ConvertTo-Json`.
    Json,
    /// `Export-Csv`.
    Csv,
    /// `Export-Clixml`.
    Clixml,
    /// `NAME: … PUBID: … FOLDER: …` of an inventory agent. It lists what has an entry in the start menu, not all packages.
    Inventory,
}

/// One package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Package {
    /// 1-based line where it begins.
    pub line: u32,
    /// `Name`; `None` when it is cut or not printed.
    pub name: Option<String>,
    /// `PackageFullName`.
    pub full_name: Option<String>,
    /// `PackageFamilyName`, or made of name and publisher id.
    pub family: Option<String>,
    /// `Version`.
    pub version: Option<String>,
    /// `InstallLocation`.
    pub install_location: Option<String>,
    /// `Status`; `None` when the property is not printed.
    pub status: Option<Status>,
    /// `PackageUserInformation`.
    pub users: Vec<User>,
    /// Some users are left out of the print (`...`).
    pub users_cut: bool,
}

/// A package's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// 1-based line.
    pub line: u32,
    /// As printed: a word or words, or the number of the enumeration.
    pub text: String,
    /// Whether it is `Ok`; `None` when the text is neither that nor another known word.
    pub ok: Option<bool>,
}

/// A user of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    /// SID.
    pub sid: String,
    /// Account name as printed in brackets.
    pub account: Option<String>,
    /// `Installed`, `Staged`, `Paused` …
    pub state: String,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::AppxPackages, recognise, starts: |_| false, read };

/// Words of `Status` other than `Ok`.
const BAD: [&str; 12] = [
    "LicenseIssue",
    "Modified",
    "Tampered",
    "Disabled",
    "PackageOffline",
    "DeploymentInProgress",
    "DependencyIssue",
    "DataOffline",
    "NotAvailable",
    "NeedsRemediation",
    "Servicing",
    "IsPartiallyStaged",
];
/// Publisher id of the packages that are part of Windows.
const WINDOWS_PUBLISHER: &str = "cw5n1h2txyewy";
/// Fewer packages than this are no full list of anybody (domain.md R30).
const FULL_LIST: usize = 20;
/// Lines that are looked at to recognise a list.
const LOOKED_AT: usize = 400;

fn recognise(block: &Block<'_>) -> u8 {
    const NAMES: [&str; 5] =
        ["PackageFullName", "PackageFamilyName", "PackageUserInformation", "SignatureKind", "IsFramework"];
    let mut seen = [false; NAMES.len()];
    let (mut publisher, mut folder) = (false, false);
    for (_, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()).take(LOOKED_AT) {
        for (seen, name) in seen.iter_mut().zip(NAMES) {
            *seen |= line.contains(name);
        }
        publisher |= line.starts_with("PUBID: ");
        folder |= line.starts_with("FOLDER: ");
    }
    match seen.iter().filter(|seen| **seen).count() {
        2.. => 92,
        1 => 70,
        0 if publisher && folder => 80,
        0 => 0,
    }
}

impl Data {
    /// Packages of a family, without regard to case.
    pub fn of_family<'d>(&'d self, family: &'d str) -> impl Iterator<Item = &'d Package> {
        let same = move |own: &String| own.eq_ignore_ascii_case(family);
        self.packages.iter().filter(move |package| package.family.as_ref().is_some_and(same))
    }

    /// Whether the absence of a system package from this list means something: it is whole, asked for everything, has at least
    /// twenty packages and another one of Windows among them.
    pub fn covers_system_packages(&self) -> bool {
        let of_windows = |package: &Package| {
            package.family.as_deref().is_some_and(|family| family.ends_with(WINDOWS_PUBLISHER))
        };
        !self.cut
            && self.form != Form::Inventory
            && self.filtered != Some(true)
            && self.packages.len() >= FULL_LIST
            && self.packages.iter().any(of_windows)
    }
}

/// A text property that wrapped in a list; its pieces belong together.
fn whole(object: &Object, name: &str) -> Option<String> {
    let property = object.property(name).filter(|property| !property.truncated)?;
    property.cell.text().map(|text| text.replace('\n', ""))
}

/// `Microsoft.AAD.BrokerPlugin_1000.19041.1.0_neutral_neutral_cw5n1h2txyewy`: name, version and publisher id.
fn full_name_parts(full_name: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<&str> = full_name.split('_').collect();
    match parts.as_slice() {
        [name, version, _, _, publisher] => Some((name, version, publisher)),
        _ => None,
    }
}

fn package(object: &Object) -> Option<Package> {
    let full_name = whole(object, "PackageFullName");
    let parts = full_name.as_deref().and_then(full_name_parts);
    let name = whole(object, "Name").or_else(|| parts.map(|(name, ..)| name.to_owned()));
    let publisher = whole(object, "PublisherId").or_else(|| parts.map(|(.., id)| id.to_owned()));
    let family = whole(object, "PackageFamilyName")
        .or_else(|| Some(format!("{}_{}", name.as_deref()?, publisher.as_deref()?)));
    let (users, users_cut) = users(object);
    let found = Package {
        line: object.line,
        version: whole(object, "Version").or_else(|| parts.map(|(_, version, _)| version.to_owned())),
        name,
        full_name,
        family,
        install_location: whole(object, "InstallLocation"),
        status: status(object),
        users,
        users_cut,
    };
    (found.name.is_some() || found.family.is_some()).then_some(found)
}

fn status(object: &Object) -> Option<Status> {
    let property = object.property("Status")?;
    let text = property.cell.text()?.into_owned();
    // The enumeration's zero is Ok; its other numbers are flags.
    let is_bad = |word: &str| BAD.iter().any(|bad| bad.eq_ignore_ascii_case(word.trim()));
    let ok = match text.trim() {
        "0" => Some(true),
        word if word.eq_ignore_ascii_case("Ok") => Some(true),
        words if words.split(',').all(is_bad) => Some(false),
        _ if text.parse::<u32>().is_ok() => Some(false),
        _ => None,
    };
    Some(Status { line: property.line, text, ok })
}

/// `{S-1-5-18 [S-1-5-18]: Staged, S-1-5-21-…-1001 [david]: Installed...}`; a value can wrap inside a user.
fn users(object: &Object) -> (Vec<User>, bool) {
    let Some(property) = object.property("PackageUserInformation") else { return (Vec::new(), false) };
    let listed = match &property.cell {
        super::shape::Cell::List(_) => property.cell.list(),
        cell => {
            let text = cell.text().map(|text| text.replace('\n', " ")).unwrap_or_default();
            text.trim_matches(['{', '}', ' ']).split(',').map(|user| user.trim().to_owned()).collect()
        }
    };
    let cut = property.truncated || listed.iter().any(|user| user.ends_with("...") || user.ends_with('…'));
    (listed.iter().filter_map(|user| self::user(user)).collect(), cut)
}

fn user(text: &str) -> Option<User> {
    let (who, state) = text.rsplit_once(": ")?;
    let (sid, account) = match who.split_once(" [") {
        Some((sid, account)) => (sid, Some(account.trim_end_matches(']').to_owned())),
        None => (who, None),
    };
    let state = state.trim_end_matches(['.', '…', '}', ' ']);
    (sid.starts_with("S-1-") && !state.is_empty()).then(|| User {
        sid: sid.to_owned(),
        account,
        state: state.to_owned(),
    })
}

/// Blocks of `KEY: value`. The last folder of `FOLDER` is the family name of a system package, and the full name of another.
fn inventory(block: &Block<'_>) -> Data {
    let mut data = Data { form: Form::Inventory, ..Data::default() };
    let mut open: Option<Package> = None;
    let mut publisher = String::new();
    for (number, line) in block.lines() {
        let Some((key, value)) = line.split_once(": ") else {
            data.packages.extend(open.take());
            publisher.clear();
            continue;
        };
        let value = value.trim().to_owned();
        if key == "NAME" {
            data.packages.extend(open.take());
            publisher.clear();
        }
        let package = open.get_or_insert_with(|| Package { line: number, ..Package::default() });
        match key {
            "PUBID" => publisher = value,
            "VERSION" => package.version = Some(value),
            "FOLDER" => {
                let folder = value.rsplit('\\').next().unwrap_or_default();
                if full_name_parts(folder).is_some() {
                    package.full_name = Some(folder.to_owned());
                }
                let own = !publisher.is_empty() && folder.ends_with(&publisher);
                let name = folder.split('_').next().filter(|_| own);
                package.name = name.map(str::to_owned);
                package.family = name.map(|name| format!("{name}_{publisher}"));
                package.install_location = Some(value);
            }
            _ => {}
        }
    }
    data.packages.extend(open);
    data
}

fn read(block: &Block<'_>) -> Reading {
    let is_inventory = block.lines().any(|(_, line)| line.starts_with("PUBID: "));
    if is_inventory {
        let data = inventory(block);
        let reason = "the list of an inventory agent, which leaves packages without an entry point out";
        return Reading {
            status: CaptureStatus::Partial,
            reason: Some(reason.to_owned()),
            language: None,
            data: CaptureData::AppxPackages(data),
        };
    }
    let found = objects(block);
    let mut data = Data {
        form: match found.form {
            ObjectForm::Text => Form::Text,
            ObjectForm::Json => Form::Json,
            ObjectForm::Csv => Form::Csv,
            ObjectForm::Clixml => Form::Clixml,
        },
        packages: found.objects.iter().filter_map(package).collect(),
        ..Data::default()
    };
    if data.packages.is_empty() {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("no package could be read"));
    }
    let nameless = data.packages.iter().find(|package| package.name.is_none());
    let stray = found.stray.first().copied().or_else(|| nameless.map(|package| package.line));
    let problem = found.problems.iter().find_map(|problem| match problem.place {
        Place::Line(line) => Some(line),
        _ => None,
    });
    let odd = problem.or(stray).or_else(|| unfinished(&found.objects));
    data.cut = odd.is_some() || found.objects.len() != data.packages.len();
    data.filtered = block.command.map(is_filtered);
    let asked_all = block.command.is_some_and(|command| command.to_ascii_lowercase().contains("-allusers"));
    data.all_users = asked_all || data.packages.iter().any(|package| !package.users.is_empty());
    let reason = match odd {
        Some(line) => Some(format!("line {line} belongs to no whole package")),
        None => data.cut.then(|| "some objects have no name".to_owned()),
    };
    Reading::of(CaptureData::AppxPackages(data), reason)
}

/// The last object of a list that has fewer properties than all others was cut off.
fn unfinished(found: &[Object]) -> Option<u32> {
    let (last, others) = found.split_last()?;
    let fewest = others.iter().map(|object| object.properties.len()).min()?;
    (last.properties.len() + 3 < fewest).then_some(last.line)
}

/// Whether a command asks for some packages only: a name or pattern behind it, or a filter behind a pipe.
fn is_filtered(command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    let Some((_, arguments)) = lower.split_once("get-appxpackage") else { return false };
    let mut stages = arguments.split('|');
    let pattern = stages.next().unwrap_or_default().split_whitespace().any(|word| {
        !matches!(word, "-allusers" | ">" | "2>&1" | ")")
            && (word == "-name" || !word.starts_with(['-', '>']))
    });
    pattern
        || stages.any(|stage| {
            let stage = stage.trim_start();
            ["where", "?", "select -first", "select-object -first"]
                .iter()
                .any(|start| stage.starts_with(start))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str, command: Option<&'static str>) -> (CaptureStatus, Data) {
        let text = Text::decode(text.as_bytes());
        let block = Block { command, ..Block::whole(&text) };
        assert!(recognise(&block) > 50);
        let reading = read(&block);
        match reading.data {
            CaptureData::AppxPackages(data) => (reading.status, data),
            other => panic!("{other:?}"),
        }
    }

    /// A public listing of `Get-AppxPackage -AllUsers`, its second package with the wrapped users of another one.
    const LISTING: &str = "\
Name                   : Microsoft.AAD.BrokerPlugin
Publisher              : CN=Microsoft Windows, O=Microsoft Corporation, L=Redmond, S=Washington, C=US
Version                : 1000.19041.1.0
PackageFullName        : Microsoft.AAD.BrokerPlugin_1000.19041.1.0_neutral_neutral_cw5n1h2txyewy
InstallLocation        : C:\\Windows\\SystemApps\\Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy
IsFramework            : False
PackageFamilyName      : Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy
PackageUserInformation : {S-1-5-18 [S-1-5-18]: Staged}
Status                 : Ok

Name                   : Microsoft.BingFinance
Publisher              : CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US
Version                : 4.8.239.0
PackageFullName        : Microsoft.BingFinance_4.8.239.0_x86__8wekyb3d8bbwe
InstallLocation        : C:\\Program Files\\WindowsApps\\Microsoft.BingFinance_4.8.239.0_x86__8wekyb3d8bb
                         we
IsFramework            : False
PackageFamilyName      : Microsoft.BingFinance_8wekyb3d8bbwe
PackageUserInformation : {S-1-5-21-1-2-3-1001 [CDC]: Installed, 
                         S-1-5-21-1-2-3-1002 [CDC_Temp]: Installed...}
Status                 : Modified, DependencyIssue
";

    #[test]
    fn users_states_and_wrapped_values() {
        let (status, data) = of(LISTING, None);
        assert_eq!(status, CaptureStatus::Parsed);
        assert!(data.all_users && data.filtered.is_none() && !data.covers_system_packages());
        let broker = data.of_family("microsoft.aad.brokerplugin_CW5N1H2TXYEWY").next().unwrap();
        assert_eq!(broker.users[0].state, "Staged");
        assert_eq!(broker.status.as_ref().unwrap().ok, Some(true));
        let other = &data.packages[1];
        assert_eq!(
            other.install_location.as_deref(),
            Some("C:\\Program Files\\WindowsApps\\Microsoft.BingFinance_4.8.239.0_x86__8wekyb3d8bbwe")
        );
        assert_eq!(
            other.users.iter().filter_map(|user| user.account.as_deref()).collect::<Vec<_>>(),
            ["CDC", "CDC_Temp"]
        );
        assert!(other.users_cut);
        assert_eq!(other.status.as_ref().unwrap().ok, Some(false));
    }

    #[test]
    fn a_cut_name_is_no_name() {
        let (status, data) = of(
            "Name                            PackageFullName\n----                            ---------------\n\
             Microsoft.AAD.BrokerPlugin      Microsoft.AAD.BrokerPlugin_1000.19041.1.0_neut...\n",
            Some("Get-AppxPackage -AllUsers | ft Name, PackageFullName"),
        );
        assert_eq!(status, CaptureStatus::Parsed);
        assert_eq!((data.packages[0].full_name.as_deref(), data.packages[0].family.as_deref()), (None, None));
        assert_eq!(data.packages[0].status, None, "a table without the column says nothing of it");
        assert_eq!(data.filtered, Some(false));
    }

    #[test]
    fn json_of_one_package() {
        let (_, data) = of(
            "{\n  \"Name\":  \"Microsoft.AAD.BrokerPlugin\",\n  \"PackageFullName\":  \"Microsoft.AAD.BrokerPlugin_1000.19041.1.0_neutral_neutral_cw5n1h2txyewy\",\n  \"Status\":  0\n}\n",
            Some("Get-AppxPackage Microsoft.AAD.BrokerPlugin | ConvertTo-Json"),
        );
        assert_eq!(data.form, Form::Json);
        assert_eq!(data.packages[0].family.as_deref(), Some("Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy"));
        assert_eq!(data.packages[0].status.as_ref().unwrap().ok, Some(true));
        assert_eq!(data.filtered, Some(true));
    }

    #[test]
    fn a_damaged_word_is_no_state() {
        let (_, data) = of(&LISTING.replace(": Ok", ": Ok\u{1}"), None);
        assert_eq!(data.packages[0].status.as_ref().unwrap().ok, None);
    }
}
