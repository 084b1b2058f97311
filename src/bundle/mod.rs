//! A bundle: whatever was collected from one machine, as one list of files.
//!
//! A zip, a folder, a single file, a zip inside a zip and a folder inside a zip all become [`Entry`]s with a label and a way to
//! get their bytes. Nothing is written to disk, and names are labels: no path in an archive is ever opened.

pub mod archive;
pub mod layout;
pub mod limits;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use archive::Archive;
use limits::{LimitError, Limits, Spent};

use crate::buffer::Buffer;

/// One file of a bundle.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Label: the path inside the bundle with forward slashes.
    pub path: String,
    /// Size in bytes, as far as it is known before reading.
    pub size: u64,
    source: EntrySource,
    depth: u32,
    /// The bound that keeps it from being read.
    refused: Option<LimitError>,
}

#[derive(Clone, Debug)]
enum EntrySource {
    File(PathBuf),
    /// A member of an archive, by its place there, and its packed size in bytes.
    Member(Archive, usize, u64),
    /// A folder or file of which the system tells nothing, and why: what lies there is unknown, not absent.
    Hidden(String),
}

/// An opened bundle.
#[derive(Debug)]
pub struct Bundle {
    /// The path that was given.
    pub path: String,
    /// Size of the archive, or of all files of a folder.
    pub bytes: u64,
    /// The files at the top level; archives among them are opened while they are read.
    pub entries: Vec<Entry>,
    /// Bounds.
    pub limits: Limits,
    /// What was spent so far.
    pub spent: Spent,
    hash: Hash,
}

/// The SHA-256 of a bundle.
#[derive(Debug)]
enum Hash {
    /// A folder has none.
    None,
    /// That of a single file.
    Known(String),
    /// That of an archive, worked out when it is asked for: it takes a quarter of the time that inflating takes, and needs nobody's
    /// result.
    Of(Archive, OnceLock<String>),
}

/// Why a bundle cannot be opened at all.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The path cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The archive has no readable directory.
    #[error("{path}: not a readable zip archive: {reason}")]
    Archive {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A bound was hit.
    #[error("{path}: {source}")]
    Limit {
        /// The path.
        path: String,
        /// Which bound.
        source: LimitError,
    },
    /// Nothing in it.
    #[error("{0}: the bundle holds no files")]
    Empty(String),
}

/// The content of an entry.
#[derive(Debug)]
pub enum Content {
    /// A file.
    Bytes(Buffer),
    /// An archive: its members take the entry's place.
    Nested(Vec<Entry>),
    /// It cannot be read, and why.
    Unreadable(String),
}

impl Bundle {
    /// Opens a zip, a folder or a single file.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, BundleError> {
        Self::open_as(path, path.display().to_string(), limits)
    }

    /// The same for a file that lies somewhere under another name than its own: reports and errors call it by the label.
    pub fn open_as(path: &Path, label: String, limits: Limits) -> Result<Self, BundleError> {
        let io = |source| BundleError::Io { path: label.clone(), source };
        let meta = fs::metadata(path).map_err(io)?;
        let (mut entries, hash, bytes) = if meta.is_dir() {
            let entries = walk(path).map_err(io)?;
            let bytes = entries.iter().map(|entry| entry.size).sum();
            (entries, Hash::None, bytes)
        } else {
            open_file(path, &label, meta.len(), &limits)?
        };
        if entries.is_empty() {
            return Err(BundleError::Empty(label));
        }
        let spent = Spent::default();
        admit(&mut entries, &limits, &spent)
            .map_err(|source| BundleError::Limit { path: label.clone(), source })?;
        Ok(Self { path: label, bytes, entries, limits, spent, hash })
    }

    /// Counts the members of an archive inside the bundle before they are read. In their order, so that it is always the same ones that
    /// are too much. An error when there are too many of them.
    pub fn admit(&self, members: &mut [Entry]) -> Result<(), LimitError> {
        admit(members, &self.limits, &self.spent)
    }

    /// SHA-256 of the archive or the single file in lower-case hex; `None` for a folder.
    pub fn sha256(&self) -> Option<&str> {
        match &self.hash {
            Hash::None => None,
            Hash::Known(hash) => Some(hash),
            Hash::Of(archive, hash) => Some(hash.get_or_init(|| sha256(archive.bytes()))),
        }
    }

    /// Reads one file. An archive comes back as the list of its members, which are to be admitted first.
    pub fn read(&self, entry: &Entry) -> Content {
        let bytes = match (&entry.refused, &entry.source) {
            (Some(limit), _) => Err(limit.to_string()),
            (None, EntrySource::Hidden(reason)) => Err(reason.clone()),
            (None, EntrySource::File(path)) => Buffer::read(path).map_err(|error| error.to_string()),
            (None, EntrySource::Member(archive, index, _)) => {
                archive.read(*index).map_err(|error| error.to_string())
            }
        };
        match bytes {
            Ok(bytes) if Archive::recognise(&bytes) => self.nested(entry, bytes),
            Ok(bytes) => Content::Bytes(bytes),
            Err(reason) => Content::Unreadable(reason),
        }
    }

    fn nested(&self, entry: &Entry, bytes: Buffer) -> Content {
        if entry.depth >= self.limits.nesting {
            return Content::Unreadable(LimitError::Nesting(self.limits.nesting).to_string());
        }
        let archive = match Archive::open(bytes) {
            Ok(archive) => archive,
            Err(reason) => return Content::Unreadable(format!("not a readable zip archive: {reason}")),
        };
        let members = members(&archive, &format!("{}/", entry.path), entry.depth + 1);
        if members.iter().any(|member| member.path.ends_with("[Content_Types].xml")) {
            return Content::Unreadable("an Office document or package, not evidence".to_owned());
        }
        Content::Nested(members)
    }
}

/// Counts files and refuses those that a bound forbids.
fn admit(entries: &mut [Entry], limits: &Limits, spent: &Spent) -> Result<(), LimitError> {
    for _ in &*entries {
        spent.entry(limits)?;
    }
    for entry in entries {
        let packed = match entry.source {
            EntrySource::Member(_, _, packed) => Some(packed),
            EntrySource::File(_) => None,
            EntrySource::Hidden(_) => continue,
        };
        entry.refused = spent.bytes(limits, entry.size, packed).err();
    }
    Ok(())
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    crate::artifact::value::hex(&Sha256::digest(bytes))
}

type Opened = (Vec<Entry>, Hash, u64);

fn open_file(path: &Path, label: &str, size: u64, limits: &Limits) -> Result<Opened, BundleError> {
    let io = |source| BundleError::Io { path: label.to_owned(), source };
    if size > limits.total_bytes {
        let source = LimitError::TotalBytes(limits.total_bytes);
        return Err(BundleError::Limit { path: label.to_owned(), source });
    }
    let bytes = Buffer::read(path).map_err(io)?;
    let size = bytes.len() as u64;
    if Archive::recognise(&bytes) {
        let archive =
            Archive::open(bytes).map_err(|reason| BundleError::Archive { path: label.to_owned(), reason })?;
        return Ok((members(&archive, "", 0), Hash::Of(archive, OnceLock::new()), size));
    }
    let hash = Hash::Known(sha256(&bytes));
    let mut entries = vec![Entry {
        path: file_name(Path::new(label)),
        size,
        source: EntrySource::File(path.to_path_buf()),
        depth: 0,
        refused: None,
    }];
    entries.extend(logs_beside(path));
    Ok((entries, hash, size))
}

fn members(archive: &Archive, prefix: &str, depth: u32) -> Vec<Entry> {
    let entry = |member: archive::Member| Entry {
        path: format!("{prefix}{}", member.name),
        size: member.size,
        source: EntrySource::Member(archive.clone(), member.index, member.packed),
        depth,
        refused: None,
    };
    archive.members().into_iter().map(entry).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The transaction logs that lie beside a hive which is given alone (`SYSTEM` and `SYSTEM.LOG1`, in any case of letters).
fn logs_beside(path: &Path) -> Vec<Entry> {
    let name = file_name(path);
    let wanted = [".log", ".log1", ".log2"].map(|ending| format!("{}{ending}", name.to_lowercase()));
    let Some(folder) = path.parent() else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Entry> = listing
        .flatten()
        .filter(|item| wanted.contains(&item.file_name().to_string_lossy().to_lowercase()))
        .filter_map(|item| {
            let meta = item.metadata().ok().filter(fs::Metadata::is_file)?;
            let path = item.path();
            Some(Entry {
                path: file_name(&path),
                size: meta.len(),
                source: EntrySource::File(path),
                depth: 0,
                refused: None,
            })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Label, path and size of every regular file below a folder, sorted by label: what a bundle that is a folder consists of.
pub fn files_below(root: &Path) -> std::io::Result<Vec<(String, PathBuf, u64)>> {
    let file = |entry: Entry| match entry.source {
        EntrySource::File(path) => Some((entry.path, path, entry.size)),
        EntrySource::Member(..) | EntrySource::Hidden(_) => None,
    };
    Ok(walk(root)?.into_iter().filter_map(file).collect())
}

/// A place that is there and tells nothing.
fn hidden(label: &str, reason: impl std::fmt::Display) -> Entry {
    Entry {
        path: label.to_owned(),
        size: 0,
        source: EntrySource::Hidden(reason.to_string()),
        depth: 0,
        refused: None,
    }
}

/// Why a link is not read.
const LINK: &str = "a link, which is not followed: it may lead out of the bundle";

/// All regular files below a folder, sorted by path. Links are not followed: they may lead out of the bundle or in a circle.
fn walk(root: &Path) -> std::io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut folders = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if prefix.is_empty() => return Err(error),
            Err(error) => {
                found.push(hidden(&prefix, &error));
                continue;
            }
        };
        for item in listing {
            let item = match item {
                Ok(item) => item,
                Err(error) if prefix.is_empty() => return Err(error),
                // What else lies in this folder is not known.
                Err(error) => {
                    found.push(hidden(&prefix, &error));
                    break;
                }
            };
            let label = format!("{prefix}{}", item.file_name().to_string_lossy());
            match item.file_type() {
                Ok(kind) if kind.is_dir() => folders.push((item.path(), format!("{label}/"))),
                Ok(kind) if kind.is_file() => {
                    let size = item.metadata().map(|meta| meta.len()).unwrap_or_default();
                    found.push(Entry {
                        path: label,
                        size,
                        source: EntrySource::File(item.path()),
                        depth: 0,
                        refused: None,
                    });
                }
                Ok(kind) if kind.is_symlink() => found.push(hidden(&label, LINK)),
                Err(error) => found.push(hidden(&label, &error)),
                Ok(_) => {}
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_is_listed_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "a").unwrap();
        std::os::unix::fs::symlink("a.txt", folder.path().join("SYSTEM")).unwrap();
        std::os::unix::fs::symlink("..", folder.path().join("round")).unwrap();
        let bundle = Bundle::open(folder.path(), Limits::default()).unwrap();
        let paths: Vec<&str> = bundle.entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["SYSTEM", "a.txt", "round"]);
        for link in [0, 2] {
            let Content::Unreadable(reason) = bundle.read(&bundle.entries[link]) else { panic!("followed") };
            assert_eq!(reason, LINK);
        }
        // What a bundle is known by does not depend on what lies elsewhere.
        assert_eq!(files_below(folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_listed_is_unreadable_and_not_absent() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "a").unwrap();
        let mut bundle = Bundle::open(folder.path(), Limits::default()).unwrap();
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        bundle.entries.push(hidden("Users/anna/", &denied));
        let Content::Unreadable(reason) = bundle.read(&bundle.entries[1]) else { panic!("it was read") };
        assert_eq!(reason, denied.to_string());
        let collection = crate::artifact::collection::Collection::read(
            &bundle,
            &crate::artifact::collection::Reading {
                interest: crate::diagnosis::interest(),
                replay: true,
                hashes: false,
            },
        );
        let told = &collection.artifacts[1];
        assert_eq!(told.status, crate::artifact::identify::ReadStatus::Unreadable);
        assert_eq!((told.path.as_str(), told.reason.as_deref()), ("Users/anna/", Some(reason.as_str())));
    }
}
