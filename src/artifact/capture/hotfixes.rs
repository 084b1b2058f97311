//! `wmic qfe` and `Get-HotFix`: installed updates.
//!
//! KB numbers and property names are the same everywhere; dates are not (`dates`). The list proves what it names; it never
//! proves that an update is missing, because cumulative updates replace others without naming them.

mod dates;

use serde::Serialize;

use super::shape::{Form as ObjectForm, failed, objects};
use super::systeminfo::kb;
use super::{Block, CaptureData, CaptureKind, Reader, Reading, wmic};
use crate::time::FileTime;

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Which command and form it is.
    pub form: Form,
    /// The updates in their order.
    pub hotfixes: Vec<Hotfix>,
}

/// Which command and form it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `wmic qfe`, as a table, list or CSV.
    #[default]
    Wmic,
    /// `Get-HotFix`, as text.
    Text,
    /// `Get-HotFix | ConvertTo-Json`.
    Json,
    /// `Get-HotFix | Export-Csv`.
    Csv,
    /// `Get-HotFix | Export-Clixml`.
    Clixml,
}

/// One update.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hotfix {
    /// 1-based line.
    pub line: u32,
    /// `HotFixID` as printed (`KB5031592`; `File 1` and others on Windows XP).
    pub id: String,
    /// Number of the knowledge base article, of the id or (Windows XP) of the service pack row.
    pub kb: Option<u32>,
    /// `Description`.
    pub description: Option<String>,
    /// `InstalledOn` as printed.
    pub installed_on: Option<String>,
    /// That date at midnight, when its order of day and month is certain.
    pub installed: Option<FileTime>,
    /// `InstalledBy`.
    pub installed_by: Option<String>,
    /// `ServicePackInEffect`.
    pub service_pack: Option<String>,
    /// `CSName` or the source computer.
    pub computer: Option<String>,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Hotfixes, recognise, starts: |_| false, read };

/// The property that all forms have.
const ID: &str = "HotFixID";
/// Lines that are looked at to recognise a list.
const LOOKED_AT: usize = 400;

fn recognise(block: &Block<'_>) -> u8 {
    let lines = || block.lines().filter(|(_, line)| !line.trim().is_empty()).take(LOOKED_AT);
    // A name alone could stand in any text: it has to be a heading, a key or an attribute.
    let shown = |line: &str| {
        line.match_indices(ID).any(|(at, _)| {
            let after = line.get(at + ID.len()..).unwrap_or_default().trim_start();
            after.is_empty() || after.starts_with(['=', ':', '"', ',', ';']) || line.contains("  ")
        })
    };
    if lines().any(|(_, line)| shown(line)) { 92 } else { 0 }
}

impl Data {
    /// Whether the list names an update.
    pub fn names(&self, kb: u32) -> Option<&Hotfix> {
        self.hotfixes.iter().find(|hotfix| hotfix.kb == Some(kb))
    }

    /// The update that was installed last, among those with a certain date.
    pub fn newest(&self) -> Option<&Hotfix> {
        self.hotfixes.iter().filter(|hotfix| hotfix.installed.is_some()).max_by_key(|hotfix| hotfix.installed)
    }
}

/// A row before its date is understood.
fn hotfix(line: u32, get: impl Fn(&str) -> Option<String>) -> Option<Hotfix> {
    let id = get(ID)?;
    let service_pack = get("ServicePackInEffect");
    let (installed_by, installed_on) = realigned(get("InstalledBy"), get("InstalledOn"));
    Some(Hotfix {
        line,
        kb: kb(&id).or_else(|| service_pack.as_deref().and_then(kb)),
        id,
        description: get("Description"),
        installed_on,
        installed: None,
        installed_by,
        service_pack,
        computer: get("CSName").or_else(|| get("PSComputerName")).or_else(|| get("Source")),
    })
}

/// A table whose account names were shortened after it was printed has its dates further left than the heading: the date then
/// stands behind the account.
fn realigned(by: Option<String>, on: Option<String>) -> (Option<String>, Option<String>) {
    match (by.as_deref().and_then(|by| by.rsplit_once("  ")), &on) {
        (Some((account, date)), None) if dates::is_date(date) => {
            (Some(account.trim_end().to_owned()), Some(date.trim().to_owned()))
        }
        _ => (by, on),
    }
}

/// The rows, and the first line that is none.
fn gather(block: &Block<'_>) -> (Data, Option<u32>) {
    let found = objects(block);
    let powershell = match found.form {
        ObjectForm::Json => Some(Form::Json),
        ObjectForm::Csv => Some(Form::Csv),
        ObjectForm::Clixml => Some(Form::Clixml),
        ObjectForm::Text => found.objects.iter().any(|object| object.has(ID)).then_some(Form::Text),
    };
    if let Some(form) = powershell {
        let rows = found.objects.iter().filter_map(|object| hotfix(object.line, |name| object.text(name)));
        let problem = found.problems.iter().find_map(|problem| match problem.place {
            crate::artifact::Place::Line(line) => Some(line),
            _ => None,
        });
        return (Data { form, hotfixes: rows.collect() }, problem.or(found.stray.first().copied()));
    }
    let rows = wmic::gather(block);
    let mut hotfixes = Vec::new();
    let mut odd = rows.unread.first().copied();
    for object in &rows.objects {
        match hotfix(object.line, |name| object.get(name).map(|property| property.value.clone())) {
            Some(hotfix) => hotfixes.push(hotfix),
            None => odd = odd.or(Some(object.line)),
        }
    }
    (Data { form: Form::Wmic, hotfixes }, odd)
}

fn read(block: &Block<'_>) -> Reading {
    let (mut data, odd) = gather(block);
    if data.hotfixes.is_empty() {
        return failed(block)
            .unwrap_or_else(|| Reading::unrecognized("a list of updates without any update"));
    }
    let printed = data.hotfixes.iter().map(|hotfix| hotfix.installed_on.as_deref());
    let order = dates::order(printed.flatten());
    for hotfix in &mut data.hotfixes {
        hotfix.installed = hotfix.installed_on.as_deref().and_then(|text| dates::date(text, order));
    }
    let reason = odd.map(|line| format!("line {line} is no update"));
    Reading::of(CaptureData::Hotfixes(data), reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> Data {
        let text = Text::decode(text.as_bytes());
        let block = Block::whole(&text);
        assert_eq!(recognise(&block), 92);
        match read(&block).data {
            CaptureData::Hotfixes(data) => data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_get_hotfix() {
        let table = of(
            "\nSource        Description      HotFixID      InstalledBy          InstalledOn              \n\
             ------        -----------      --------      -----------          -----------              \n\
             PC1           Update           KB5031592     NT AUTHORITY\\SYSTEM  10/31/2023 12:00:00 AM   \n\
             PC1           Security Update  KB5031354                                                   \n",
        );
        assert_eq!(table.form, Form::Text);
        assert_eq!(table.hotfixes[0].installed.unwrap().to_string(), "2023-10-31T00:00:00Z");
        assert_eq!(
            (table.hotfixes[1].kb, table.hotfixes[1].installed_by.as_deref()),
            (Some(5_031_354), None)
        );

        let list = of(
            "Description         : Update\nHotFixID            : KB5031592\nInstalledOn         : 31.10.2023 00:00:00\n",
        );
        assert_eq!(list.hotfixes[0].installed, table.hotfixes[0].installed);

        let json = of(
            "[\n  {\n    \"HotFixID\":  \"KB5031592\",\n    \"InstalledOn\":  {\n      \"value\":  \"\\/Date(1698710400000)\\/\",\n      \"DateTime\":  \"x\"\n    }\n  },\n  {\"HotFixID\": \"KB1\"}\n]\n",
        );
        assert_eq!((json.form, json.hotfixes.len()), (Form::Json, 2));
        assert_eq!(json.hotfixes[0].installed, table.hotfixes[0].installed);

        let csv = of(
            "#TYPE System.Management.ManagementObject\r\n\"Description\",\"HotFixID\",\"InstalledOn\"\r\n\"Update\",\"KB5031592\",\"2023/10/31 0:00:00\"\r\n",
        );
        assert_eq!((csv.form, csv.hotfixes[0].installed), (Form::Csv, table.hotfixes[0].installed));
    }

    #[test]
    fn a_single_column_of_wmic() {
        let data = of("HotFixID   \nKB5031592  \nKB5031354  \n");
        assert_eq!(
            data.hotfixes.iter().filter_map(|hotfix| hotfix.kb).collect::<Vec<_>>(),
            [5_031_592, 5_031_354]
        );
        assert!(data.names(5_031_354).is_some());
        assert!(data.newest().is_none());
    }
}
