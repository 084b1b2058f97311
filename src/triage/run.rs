//! The run: its name, its place and its description (`manifest.json`).
//!
//! A run goes on as long as the same rules and settings judge it. A new version, new rules or other limits begin a new one, because rows
//! that were made differently must not be counted together; the two can be compared.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fd_lock::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::summary::Summary;
use super::walk::{Shard, rfc3339};
use crate::artifact::value::hex;
use crate::checks::CHECKS;

/// The schema of the description.
pub const SCHEMA: &str = "actriage.run/1";

/// What makes rows comparable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Version of the program.
    pub tool_version: String,
    /// Number of checks.
    pub checks: usize,
    /// Hash of the checks' ids and sources.
    pub rules: String,
    /// Settings of the workers.
    pub settings: Vec<String>,
}

impl Basis {
    /// That of this program.
    pub fn now(settings: Vec<String>) -> Self {
        let mut hash = Sha256::new();
        for check in CHECKS.iter() {
            hash.update(format!("{}\0{}\0", check.id, check.source_text));
        }
        let rules = hex(&hash.finalize()).get(..16).unwrap_or_default().to_owned();
        Self { tool_version: env!("CARGO_PKG_VERSION").to_owned(), checks: CHECKS.len(), rules, settings }
    }
}

/// Which run is wanted.
#[derive(Clone, Debug)]
pub struct Choice {
    /// By name.
    pub name: Option<String>,
    /// Not one that is there.
    pub fresh: bool,
    /// Which part of the bundles.
    pub shard: Shard,
}

/// A run of one shard.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder of the dataset.
    pub out: PathBuf,
    /// Its name.
    pub name: String,
    /// Which part of the bundles.
    pub shard: Shard,
    /// Whether it was there already.
    pub continues: bool,
    basis: Basis,
    arguments: Vec<String>,
    started_at: String,
}

/// Two bundles with the same content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// The one that was left out.
    pub path: String,
    /// The one that has a row.
    pub same_as: String,
    /// Their id.
    pub bundle_id: String,
}

/// The description of a run (`manifest.json`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name of the run.
    pub run: String,
    /// `I/N`.
    pub shard: String,
    /// What made it.
    #[serde(flatten)]
    pub basis: Basis,
    /// The command line that it was last started with.
    pub arguments: Vec<String>,
    /// When it was first started.
    pub started_at: String,
    /// When this was written.
    pub written_at: String,
    /// `running`, `stopped` or `finished`. A run that was killed stays `running`.
    pub state: String,
    /// Bundles that were found.
    pub found: usize,
    /// Rows that were written.
    pub rows: u64,
    /// Rows by status.
    pub statuses: BTreeMap<String, u64>,
    /// Analysed bundles by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Bundles that were left out because another one has the same content.
    pub duplicates: Vec<Duplicate>,
}

fn now() -> String {
    rfc3339(SystemTime::now()).unwrap_or_default()
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl Run {
    /// Finds or begins the run. Its folder is there afterwards.
    pub fn choose(out: &Path, choice: &Choice, basis: Basis, arguments: Vec<String>) -> io::Result<Self> {
        let known = manifests(out);
        let same = |manifest: &&Manifest| manifest.basis == basis;
        let name = match &choice.name {
            Some(name) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
                    return Err(invalid(format!(
                        "\"{name}\" is no name for a run: letters, digits, - _ . only"
                    )));
                }
                let other = known.iter().find(|manifest| manifest.run == *name && manifest.basis != basis);
                if other.is_some() && !choice.fresh {
                    return Err(invalid(format!(
                        "the run {name} was made with another version, other checks or other settings: use --fresh or another name"
                    )));
                }
                name.clone()
            }
            None => {
                let last = known.iter().filter(same).max_by(|a, b| a.started_at.cmp(&b.started_at));
                match last.filter(|_| !choice.fresh) {
                    Some(last) => last.run.clone(),
                    None => new_name(out),
                }
            }
        };
        let before = known.iter().find(|manifest| manifest.run == name).filter(|_| !choice.fresh);
        let run = Self {
            out: out.to_path_buf(),
            name,
            shard: choice.shard,
            continues: before.is_some(),
            basis,
            arguments,
            started_at: before.map_or_else(now, |manifest| manifest.started_at.clone()),
        };
        fs::create_dir_all(run.results())?;
        if choice.fresh {
            run.clear()?;
        }
        Ok(run)
    }

    /// The folder with the rows.
    pub fn results(&self) -> PathBuf {
        self.out.join("results").join(format!("run={}", self.name))
    }

    /// The lock that lets one process at a time write a shard of a run. It falls with its process.
    pub fn lock(&self) -> io::Result<RwLock<File>> {
        let path = self.results().join(format!(".{}lock", self.shard.tag()));
        Ok(RwLock::new(OpenOptions::new().create(true).truncate(false).write(true).open(path)?))
    }

    /// An empty description.
    pub fn manifest(&self, found: usize) -> Manifest {
        Manifest {
            schema: SCHEMA.to_owned(),
            run: self.name.clone(),
            shard: format!("{}/{}", self.shard.index, self.shard.count),
            basis: self.basis.clone(),
            arguments: self.arguments.clone(),
            started_at: self.started_at.clone(),
            written_at: String::new(),
            state: "running".to_owned(),
            found,
            rows: 0,
            statuses: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            duplicates: Vec::new(),
        }
    }

    /// Writes the description beside its place and renames it.
    pub fn write(&self, manifest: &Manifest) -> io::Result<()> {
        let manifest = Manifest { written_at: now(), ..manifest.clone() };
        let tag = self.shard.tag();
        let path = self.results().join(format!("{}manifest.json", tag));
        let beside = self.results().join(format!(".{tag}manifest.tmp"));
        let mut file = File::create(&beside)?;
        file.write_all(serde_json::to_string_pretty(&manifest)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(beside, path)
    }

    /// Takes away what this shard wrote before.
    fn clear(&self) -> io::Result<()> {
        let tag = self.shard.tag();
        for folder in ["results", "bundles", "findings"] {
            let folder = self.out.join(folder).join(format!("run={}", self.name));
            let Ok(listing) = fs::read_dir(folder) else { continue };
            for item in listing {
                let path = item?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let rest = [".part-", "part-"].iter().find_map(|start| name.strip_prefix(start));
                let own = rest.and_then(|rest| rest.strip_prefix(tag.as_str())).is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_ascii_digit()) || rest.starts_with("open")
                });
                if own {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }
}

impl Manifest {
    /// Fills in how it ended.
    pub fn finish(&mut self, summary: &Summary, stopped: bool) {
        (if stopped { "stopped" } else { "finished" }).clone_into(&mut self.state);
        self.rows = summary.rows();
        self.statuses =
            summary.statuses.iter().map(|(status, count)| (status.name().to_owned(), *count)).collect();
        self.outcomes = summary.outcomes.clone();
    }
}

/// Descriptions of all runs of a dataset, of all shards, in the order of their runs' names. One that cannot be read is left out: its run
/// is not continued.
pub fn manifests(out: &Path) -> Vec<Manifest> {
    let mut found = Vec::new();
    for folder in fs::read_dir(out.join("results")).into_iter().flatten().flatten() {
        for item in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            if item.file_name().to_string_lossy().ends_with("manifest.json")
                && let Ok(text) = fs::read_to_string(item.path())
                && let Ok(manifest) = serde_json::from_str::<Manifest>(&text)
                && manifest.schema == SCHEMA
            {
                found.push(manifest);
            }
        }
    }
    found.sort_by(|a, b| (&a.run, &a.shard).cmp(&(&b.run, &b.shard)));
    found
}

/// A name that sorts by time and is not taken.
fn new_name(out: &Path) -> String {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let taken = |name: &str| out.join("results").join(format!("run={name}")).exists();
    let numbered = (2..).map(|number: u32| format!("{stamp}-{number}"));
    std::iter::once(stamp.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(out: &Path, name: Option<&str>, fresh: bool, settings: &[&str]) -> io::Result<Run> {
        let choice = Choice { name: name.map(str::to_owned), fresh, shard: Shard::WHOLE };
        let basis = Basis::now(settings.iter().map(|&text| text.to_owned()).collect());
        let run = Run::choose(out, &choice, basis, Vec::new())?;
        run.write(&run.manifest(0))?;
        Ok(run)
    }

    #[test]
    fn the_same_basis_goes_on_and_another_one_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let first = choose(out, None, false, &["--window", "7"]).unwrap();
        assert!(!first.continues);
        let again = choose(out, None, false, &["--window", "7"]).unwrap();
        assert!(again.continues && again.name == first.name);
        let other = choose(out, None, false, &["--window", "9"]).unwrap();
        assert!(!other.continues && other.name != first.name);
        assert_ne!(choose(out, None, true, &["--window", "7"]).unwrap().name, first.name);
        assert!(choose(out, Some(&first.name), false, &["--window", "9"]).is_err());
        assert!(choose(out, Some("../x"), false, &[]).is_err());
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let run = choose(folder.path(), None, false, &[]).unwrap();
        let (mut one, mut two) = (run.lock().unwrap(), run.lock().unwrap());
        let held = one.try_write().unwrap();
        assert!(two.try_write().is_err());
        drop(held);
        assert!(two.try_write().is_ok());
    }
}
