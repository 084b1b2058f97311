//! `dir`, `Get-ChildItem` and `tree`: which files and folders there are.
//!
//! A folder that was listed proves what is in it, and what is not, if the listing of that folder is whole: `dir` prints how many
//! files it counted, and only then is anything said to be missing.

mod dir;
mod powershell;
mod tree;

use serde::Serialize;

use super::shape::failed;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Which command it is.
    pub form: Form,
    /// The folders that were listed.
    pub folders: Vec<Folder>,
    /// Lines that could not be read.
    pub unread: Vec<u32>,
}

/// Which command it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `dir`, `dir /s`.
    #[default]
    Dir,
    /// `dir /b /s` and `Get-ChildItem -Name`-like lists of full paths.
    Bare,
    /// `Get-ChildItem` as table, list, JSON, CSV or CLIXML.
    PowerShell,
    /// `tree /f`.
    Tree,
}

/// A folder and what was listed in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// 1-based line of its heading, or of its first entry.
    pub line: u32,
    /// Its path as printed; `None` when the listing does not say.
    pub path: Option<String>,
    /// What is in it.
    pub entries: Vec<Entry>,
    /// Whether everything in it is listed: `dir`'s own count agrees. `None` when nothing tells.
    pub complete: Option<bool>,
}

/// A file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// 1-based line.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Size in bytes of a file.
    pub size: Option<u64>,
    /// Date and time as printed, in the user's regional format.
    pub written: Option<String>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A junction, symbolic link or mount point.
    Link,
    /// The listing does not say.
    Unknown,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::FileListing, recognise, starts: |_| false, read };

/// Lines that are looked at to recognise a listing.
const LOOKED_AT: usize = 200;
/// Full paths that make a bare list.
const BARE_PATHS: u32 = 2;

fn form_of(block: &Block<'_>) -> Option<(Form, u8)> {
    let (mut entries, mut headings, mut branches, mut roots, mut paths, mut lines) =
        (0_u32, 0_u32, 0_u32, 0_u32, 0, 0);
    for (number, line) in block.lines().filter(|(_, line)| !line.trim().is_empty()).take(LOOKED_AT) {
        entries += u32::from(dir::entry(number, line).is_some());
        headings += u32::from(dir::heading(line).is_some());
        branches += u32::from(tree::is_branch(line));
        roots += u32::from(tree::is_root(line));
        paths += u32::from(is_full_path(line.trim()));
        lines += 1;
    }
    if powershell::looks_like(block) {
        Some((Form::PowerShell, 85))
    } else if headings > 0 && entries > 0 {
        Some((Form::Dir, 90))
    } else if branches > 0 && roots > 0 {
        Some((Form::Tree, 85))
    } else if paths >= BARE_PATHS && paths == lines {
        Some((Form::Bare, 50))
    } else if headings > 0 || entries >= 3 {
        Some((Form::Dir, 45))
    } else {
        None
    }
}

fn recognise(block: &Block<'_>) -> u8 {
    form_of(block).map_or(0, |(_, score)| score)
}

/// `C:\…` or `\\server\…` and nothing that a path cannot hold.
fn is_full_path(text: &str) -> bool {
    let rooted = match text.as_bytes() {
        [drive, b':', b'\\', ..] => drive.is_ascii_alphabetic(),
        [b'\\', b'\\', ..] => text.len() > 4,
        _ => false,
    };
    rooted && !text.chars().skip(2).any(|c| matches!(c, ':' | '<' | '>' | '"' | '|' | '*' | '?'))
}

/// Folder and name of a full path.
fn split_path(path: &str) -> (Option<&str>, &str) {
    match path.trim_end_matches('\\').rsplit_once('\\') {
        Some((folder, name)) => (Some(folder), name),
        None => (None, path),
    }
}

impl Data {
    /// The listing of a folder by the end of its path (`Microsoft\TokenBroker\Accounts`), without regard to case.
    pub fn folders_ending<'d>(&'d self, tail: &str) -> impl Iterator<Item = &'d Folder> + use<'d> {
        let tail = format!("\\{}", tail.trim_matches('\\').to_ascii_lowercase());
        self.folders.iter().filter(move |folder| {
            let path = folder.path.as_deref().unwrap_or_default().trim_end_matches('\\');
            format!("\\{}", path.to_ascii_lowercase()).ends_with(&tail)
        })
    }

    /// Puts an entry in the folder with that path, which is usually the last one.
    fn add(&mut self, line: u32, path: Option<&str>, entry: Entry) {
        if self.folders.last().is_none_or(|folder| folder.path.as_deref() != path) {
            let path = path.map(str::to_owned);
            self.folders.push(Folder { line, path, ..Folder::default() });
        }
        if let Some(folder) = self.folders.last_mut() {
            folder.entries.push(entry);
        }
    }
}

impl Folder {
    /// An entry by name, without regard to case.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

fn bare(block: &Block<'_>) -> Data {
    let mut data = Data { form: Form::Bare, ..Data::default() };
    for (line, text) in block.lines().filter(|(_, line)| !line.trim().is_empty()) {
        let text = text.trim();
        if !is_full_path(text) {
            data.unread.push(line);
            continue;
        }
        let (folder, name) = split_path(text);
        let entry =
            Entry { line, name: name.to_owned(), kind: EntryKind::Unknown, size: None, written: None };
        data.add(line, folder, entry);
    }
    data
}

fn read(block: &Block<'_>) -> Reading {
    let data = match form_of(block) {
        Some((Form::Dir, _)) => dir::read(block),
        Some((Form::Bare, _)) => bare(block),
        Some((Form::PowerShell, _)) => powershell::read(block),
        Some((Form::Tree, _)) => tree::read(block),
        None => Data::default(),
    };
    let entries: usize = data.folders.iter().map(|folder| folder.entries.len()).sum();
    if data.folders.is_empty() {
        return failed(block).unwrap_or_else(|| Reading::unrecognized("no listing could be read"));
    }
    let short = data.folders.iter().find(|folder| folder.complete == Some(false));
    let reason = if let Some(line) = data.unread.first() {
        Some(format!("line {line} is no entry"))
    } else if let Some(folder) = short {
        Some(format!("the folder at line {} lists fewer entries than it counts", folder.line))
    } else if entries == 0 && data.folders.iter().all(|folder| folder.complete.is_none()) {
        Some("a heading without any entry".to_owned())
    } else {
        None
    };
    Reading::of(CaptureData::FileListing(data), reason)
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::*;
    use crate::artifact::text::Text;

    fn of(text: &str) -> (CaptureStatus, Data) {
        let text = Text::decode(text.as_bytes());
        let block = Block::whole(&text);
        assert!(recognise(&block) > 40);
        let reading = read(&block);
        match reading.data {
            CaptureData::FileListing(data) => (reading.status, data),
            other => panic!("{other:?}"),
        }
    }

    /// The layout of cmd's `dir /s` (public listings of an English and a German machine).
    const DIR: &str = " Volume in drive C is Windows
 Volume Serial Number is 1234-ABCD

 Directory of C:\\Users\\u\\AppData\\Local\\Microsoft\\TokenBroker

11/20/2026  09:12 AM    <DIR>          .
11/20/2026  09:12 AM    <DIR>          ..
11/20/2026  09:12 AM    <DIR>          Accounts
11/20/2026  09:12 AM    <JUNCTION>     Old [C:\\Old Place]
               0 File(s)              0 bytes

 Directory of C:\\Users\\u\\AppData\\Local\\Microsoft\\TokenBroker\\Accounts

11/20/2026  09:12 AM    <DIR>          .
11/20/2026  09:12 AM    <DIR>          ..
11/20/2026  09:12 AM             1,234 a file.tbacct
11/20/2026  09:12 AM                 0 b.tbacct
               2 File(s)          1,234 bytes

     Total Files Listed:
               2 File(s)          1,234 bytes
               6 Dir(s)  53,144,051,712 bytes free
";

    #[test]
    fn folders_of_a_recursive_listing() {
        let (status, data) = of(DIR);
        assert_eq!((status, data.form), (CaptureStatus::Parsed, Form::Dir));
        assert_eq!(data.folders.len(), 2);
        let accounts = data.folders_ending("tokenbroker\\accounts").next().unwrap();
        assert_eq!((accounts.line, accounts.complete), (12, Some(true)));
        assert_eq!(accounts.entry("A FILE.tbacct").unwrap().size, Some(1234));
        assert_eq!(accounts.entry("b.tbacct").unwrap().size, Some(0));
        assert_eq!(data.folders[0].entry("Old").unwrap().kind, EntryKind::Link);
        assert_eq!(data.folders[0].entries.len(), 2, "the folder itself and its parent are no entries");
    }

    #[test]
    fn a_lost_entry_is_noticed() {
        let cut: String =
            DIR.lines().filter(|line| !line.contains("b.tbacct")).map(|line| format!("{line}\n")).collect();
        let (status, data) = of(&cut);
        assert_eq!(status, CaptureStatus::Partial);
        assert_eq!(data.folders[1].complete, Some(false));
    }

    #[test]
    fn other_languages() {
        let (status, data) = of(" Datenträger in Laufwerk C: ist System\n\n Verzeichnis von C:\\Windows\n\n\
             20.11.2026  09:12    <DIR>          System32\n20.11.2026  09:12            12.345 win.ini\n\
             \u{20}              1 Datei(en),         12.345 Bytes\n               1 Verzeichnis(se), 53.144.051.712 Bytes frei\n");
        assert_eq!(status, CaptureStatus::Parsed);
        assert_eq!(
            (data.folders[0].path.as_deref(), data.folders[0].entries[1].size),
            (Some("C:\\Windows"), Some(12_345))
        );
        let (_, data) = of(" C:\\Windows のディレクトリ\n\n2026/11/20  09:12    <DIR>          System32\n");
        assert_eq!(data.folders[0].path.as_deref(), Some("C:\\Windows"));
        assert_eq!(data.folders[0].complete, None);
        let (_, data) = of(
            " Répertoire de C:\\Temp\n\n20/11/2026  09:12    <REP>          a\n20/11/2026  09:12         1\u{a0}234\u{a0}567 b c.txt\n",
        );
        assert_eq!(data.folders[0].entries[0].kind, EntryKind::Folder);
        assert_eq!(
            (data.folders[0].entries[1].name.as_str(), data.folders[0].entries[1].size),
            ("b c.txt", Some(1_234_567))
        );
    }

    #[test]
    fn powershell_forms() {
        let (status, data) = of(
            "\n\n    Directory: C:\\ProgramData\\Microsoft\\Office\\Licenses\n\n\nMode                 LastWriteTime         Length Name\n\
             ----                 -------------         ------ ----\nd-----        20/11/2026     09:12                5\n\
             -a----        20/11/2026     09:12           2048 a b.lic\n\n",
        );
        assert_eq!((status, data.form), (CaptureStatus::Parsed, Form::PowerShell));
        let folder = &data.folders[0];
        assert_eq!(folder.path.as_deref(), Some("C:\\ProgramData\\Microsoft\\Office\\Licenses"));
        assert_eq!((folder.entries[0].kind, folder.entries[0].name.as_str()), (EntryKind::Folder, "5"));
        assert_eq!((folder.entries[1].size, folder.entries[1].name.as_str()), (Some(2048), "a b.lic"));

        let (_, data) = of(
            "[\n{\"Name\": \"a.lic\", \"FullName\": \"C:\\\\L\\\\a.lic\", \"Length\": 12, \"PSIsContainer\": false}\n]\n",
        );
        assert_eq!(
            (data.folders[0].path.as_deref(), data.folders[0].entries[0].size),
            (Some("C:\\L"), Some(12))
        );
        let (_, data) =
            of("\"Mode\",\"FullName\",\"Length\",\"LastWriteTime\"\r\n\"d-----\",\"C:\\L\\5\",,\"x\"\r\n");
        assert_eq!(data.folders[0].entries[0].kind, EntryKind::Folder);
    }

    #[test]
    fn trees_in_both_alphabets() {
        for text in [
            "Folder PATH listing\nVolume serial number is 1234-ABCD\nC:\\LICENSES\n│   root.txt\n│   \n├───5\n│       a b.lic\n│       \n└───6\n    └───deep\n            c.lic\n",
            "Auflistung der Ordnerpfade\nVolumeseriennummer : 1234-ABCD\nC:\\LICENSES\n|   root.txt\n|   \n+---5\n|       a b.lic\n|       \n\\---6\n    \\---deep\n            c.lic\n",
        ] {
            let (status, data) = of(text);
            assert_eq!((status, data.form), (CaptureStatus::Parsed, Form::Tree));
            let names = |tail: &str| -> Vec<String> {
                data.folders_ending(tail)
                    .flat_map(|folder| &folder.entries)
                    .map(|entry| entry.name.clone())
                    .collect()
            };
            assert_eq!(names("licenses"), ["root.txt", "5", "6"]);
            assert_eq!(names("licenses\\5"), ["a b.lic"]);
            assert_eq!(names("6\\deep"), ["c.lic"]);
        }
    }

    #[test]
    fn bare_paths() {
        let (_, data) = of("C:\\L\\5\nC:\\L\\5\\a.lic\nC:\\L\\5\\b.lic\n");
        assert_eq!(data.form, Form::Bare);
        assert_eq!(data.folders_ending("L\\5").next().unwrap().entries.len(), 2);
    }
}
