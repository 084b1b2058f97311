//! From what was named on the command line to a list of bundles in a stable order.
//!
//! A folder may *be* a bundle or *hold* bundles. It holds them when archives lie in it; it is one when evidence lies in it (files and no
//! archives, or the folders of a Windows tree). What lies deeper is found by the same rule.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// Something that is to be analysed as one bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The path.
    pub path: PathBuf,
    /// The path below what was named on the command line: the same for every machine of a fleet, wherever it mounts the share.
    pub key: String,
    /// Size: of the file, or of all files of a folder; `None` when it cannot be seen.
    pub bytes: Option<u64>,
    /// When it was last changed (RFC 3339); `None` for a folder, whose own time says nothing about its files.
    pub modified: Option<String>,
    /// Whether it is a folder.
    pub folder: bool,
}

impl Candidate {
    /// What the file system says of a path.
    pub fn of(path: PathBuf, key: String) -> Self {
        let meta = fs::metadata(&path).ok();
        let folder = meta.as_ref().is_some_and(fs::Metadata::is_dir);
        let bytes = if folder {
            crate::bundle::files_below(&path).ok().map(|files| files.iter().map(|(_, _, size)| size).sum())
        } else {
            meta.as_ref().map(fs::Metadata::len)
        };
        let modified = meta.filter(|_| !folder).and_then(|meta| rfc3339(meta.modified().ok()?));
        Self { path, key, bytes, modified, folder }
    }

    /// The path as rows name it.
    pub fn label(&self) -> String {
        self.path.display().to_string()
    }
}

/// A time as rows write it, with all digits that the file system has.
pub fn rfc3339(time: SystemTime) -> Option<String> {
    jiff::Timestamp::try_from(time).ok().map(|stamp| stamp.to_string())
}

/// Why the arguments name no bundles.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// Something that was named cannot be read.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// A pattern is no pattern.
    #[error("{0}: {1}")]
    Pattern(String, glob::PatternError),
    /// A pattern matches nothing.
    #[error("{0}: nothing matches")]
    Nothing(String),
}

/// Paths that were found, each with its key.
#[derive(Debug, Default)]
pub struct Walk {
    found: BTreeMap<PathBuf, String>,
    /// Folder that is never entered: the dataset itself.
    skip: Option<PathBuf>,
}

impl Walk {
    /// A walk that does not enter the folder of the dataset.
    pub fn new(out: &Path) -> Self {
        Self { found: BTreeMap::new(), skip: fs::canonicalize(out).ok() }
    }

    /// Adds a file, a folder or a pattern.
    pub fn add(&mut self, path: &Path) -> Result<(), WalkError> {
        let label = || path.display().to_string();
        let pattern = label();
        if !path.exists() && pattern.contains(['*', '?', '[']) {
            let matches = glob::glob(&pattern).map_err(|error| WalkError::Pattern(label(), error))?;
            let mut any = false;
            for path in matches.flatten() {
                any = true;
                self.add_found(&path, &path)?;
            }
            return if any { Ok(()) } else { Err(WalkError::Nothing(label())) };
        }
        let meta = fs::metadata(path).map_err(|error| WalkError::Io(label(), error))?;
        let root = if meta.is_dir() { path } else { path.parent().unwrap_or(path) };
        self.add_found(path, root)
    }

    /// Adds the bundles that a list names, one a line; empty lines and those that begin with `#` are skipped. A path that does not exist is
    /// kept: it becomes a row, so that it is missed by nobody.
    pub fn add_list(&mut self, list: impl BufRead) -> io::Result<()> {
        for line in list.lines() {
            let line = line?;
            let line = line.trim_end_matches('\r');
            if !line.trim().is_empty() && !line.starts_with('#') {
                self.found.entry(PathBuf::from(line)).or_insert_with(|| line.replace('\\', "/"));
            }
        }
        Ok(())
    }

    /// The bundles of a shard in the order of their paths.
    pub fn candidates(self, shard: Shard) -> Vec<Candidate> {
        let mine = self.found.into_iter().filter(|(_, key)| shard.has(key));
        mine.map(|(path, key)| Candidate::of(path, key)).collect()
    }

    fn add_found(&mut self, path: &Path, root: &Path) -> Result<(), WalkError> {
        if !path.is_dir() {
            self.keep(path, root);
            return Ok(());
        }
        let mut folders = vec![path.to_path_buf()];
        while let Some(folder) = folders.pop() {
            if self.skip.is_some() && fs::canonicalize(&folder).ok() == self.skip {
                continue;
            }
            let held = match Held::read(&folder) {
                Ok(held) => held,
                Err(error) if folder == path => {
                    return Err(WalkError::Io(folder.display().to_string(), error));
                }
                // Somebody's folder that may not be entered: a row says so.
                Err(_) => {
                    self.keep(&folder, root);
                    continue;
                }
            };
            if held.is_bundle() {
                self.keep(&folder, root);
            } else {
                held.archives.iter().for_each(|archive| self.keep(archive, root));
                folders.extend(held.folders);
            }
        }
        Ok(())
    }

    fn keep(&mut self, path: &Path, root: &Path) {
        let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
        let key = below.unwrap_or(path).display().to_string().replace('\\', "/");
        self.found.entry(path.to_path_buf()).or_insert(key);
    }
}

/// What lies in a folder.
#[derive(Debug, Default)]
struct Held {
    archives: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// Other files.
    files: usize,
    /// Files that are evidence by their name.
    evidence: bool,
    /// Folders of a Windows tree or of a collector.
    tree: bool,
}

/// Names, in lower case, of folders that only a collection has.
const TREE: &[&str] = &[
    "c",
    "c%3a",
    "windows",
    "users",
    "programdata",
    "config",
    "logs",
    "captures",
    "registry",
    "events",
    "uploads",
];
/// Endings and names, in lower case, of files that only a collection has.
const EVIDENCE: &[&str] =
    &[".evtx", ".reg", ".hiv", ".dat", ".etl", "system", "software", "manifest.json", "dsregcmd.txt"];

impl Held {
    fn read(folder: &Path) -> io::Result<Self> {
        let mut held = Self::default();
        for item in fs::read_dir(folder)?.flatten() {
            let name = item.file_name().to_string_lossy().to_lowercase();
            let Ok(kind) = item.file_type() else { continue };
            if name.starts_with('.') {
                continue;
            }
            // A link to a file is followed, one to a folder is not: it may lead in a circle.
            if kind.is_dir() {
                held.tree |= TREE.contains(&name.as_str());
                held.folders.push(item.path());
            } else if name.ends_with(".zip") {
                held.archives.push(item.path());
            } else if kind.is_file() || item.path().is_file() {
                held.files += 1;
                held.evidence |= EVIDENCE.iter().any(|ending| name.ends_with(ending));
            }
        }
        Ok(held)
    }

    fn is_bundle(&self) -> bool {
        self.evidence || self.tree || (self.files > 0 && self.archives.is_empty() && self.folders.is_empty())
    }
}

/// One of several equal parts of the bundles (`2/8` is the third of eight).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Number of this part, from 0.
    pub index: u64,
    /// How many parts there are.
    pub count: u64,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Whether a key belongs to this shard. The hash is the same on every machine and in every version.
    pub fn has(self, key: &str) -> bool {
        let digest = Sha256::digest(key);
        let number = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        number % self.count.max(1) == self.index
    }

    /// In names of files: empty for the whole, else `s2of8-`.
    pub fn tag(self) -> String {
        if self.count == 1 { String::new() } else { format!("s{}of{}-", self.index, self.count) }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected I/N with I from 0 to N-1, found {text}");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let shard =
            Self { index: index.parse().map_err(|_| wrong())?, count: count.parse().map_err(|_| wrong())? };
        if shard.index < shard.count { Ok(shard) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn keys(root: &Path, out: &Path) -> Vec<String> {
        let mut walk = Walk::new(out);
        walk.add(root).unwrap();
        let mut keys: Vec<String> =
            walk.candidates(Shard::WHOLE).into_iter().map(|candidate| candidate.key).collect();
        keys.sort();
        keys
    }

    #[test]
    fn a_folder_holds_bundles_or_is_one() {
        let folder = tree(&[
            "a.zip",
            "notes.txt",
            "deep/er/B.ZIP",
            "case1/config/SYSTEM",
            "case1/logs/System.evtx",
            "case2/C/Windows/System32/config/SYSTEM",
            "case3/ipconfig.txt",
            "case4/dsregcmd.txt",
            "case4/nested.zip",
            "out/results/run=x/part-00000.ndjson",
            "empty/.hidden.zip",
        ]);
        let out = folder.path().join("out");
        let expected = ["a.zip", "case1", "case2", "case3", "case4", "deep/er/B.ZIP"];
        assert_eq!(keys(folder.path(), &out), expected);
    }

    #[test]
    fn patterns_lists_and_single_files() {
        let folder = tree(&["x/a.zip", "x/b.zip", "y/c.zip"]);
        let path = |name: &str| folder.path().join(name);
        let mut walk = Walk::new(Path::new("none"));
        walk.add(&path("*/[ab].zip")).unwrap();
        walk.add(&path("y/c.zip")).unwrap();
        walk.add(&path("x")).unwrap();
        walk.add_list(&b"# comment\r\n\r\n/no/such.zip\r\n"[..]).unwrap();
        assert!(walk.add(&path("*.none")).is_err() && walk.add(&path("none")).is_err());
        let found = walk.candidates(Shard::WHOLE);
        assert_eq!(found.len(), 4);
        assert_eq!(found.iter().filter(|candidate| candidate.bytes.is_none()).count(), 1);
    }

    #[test]
    fn shards_are_disjoint_and_complete() {
        let keys: Vec<String> = (0..1000).map(|n| format!("case-{n}.zip")).collect();
        let sizes: Vec<usize> = (0..4)
            .map(|index| keys.iter().filter(|key| Shard { index, count: 4 }.has(key)).count())
            .collect();
        assert_eq!(sizes.iter().sum::<usize>(), 1000);
        assert!(sizes.iter().all(|size| (200..300).contains(size)), "{sizes:?}");
        // SHA-256("abc") begins ba7816bf8f01cfea (FIPS 180-4), which is even.
        assert!(Shard { index: 0, count: 2 }.has("abc"));
        assert!("4/4".parse::<Shard>().is_err() && "1".parse::<Shard>().is_err());
    }
}
