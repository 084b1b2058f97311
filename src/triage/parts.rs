//! The rows on disk.
//!
//! Rows are appended, one write each, to an open part whose name no reader's pattern matches (`.part-00003.open`). When it is full it is
//! renamed to `part-00003.ndjson`. A kill leaves an open part behind, whose whole lines are kept when the run goes on: nothing is lost but
//! what was being analysed, and nothing is doubled, because an open part is never read by anybody else.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Convert;
use super::row::Head;
use super::run::Run;

/// The parts of a run.
#[derive(Debug)]
pub struct Parts {
    out: PathBuf,
    run: String,
    folder: PathBuf,
    tag: String,
    /// Number of the open part.
    number: u32,
    open: Option<File>,
    rows: u64,
    most: u64,
    convert: Option<Convert>,
}

impl Parts {
    /// The parts of a run, with `most` rows each.
    pub fn open(run: &Run, most: u64, convert: Option<Convert>) -> io::Result<Self> {
        let folder = run.results();
        let tag = run.shard.tag();
        let own = |name: &str| -> Option<u32> {
            name.strip_prefix("part-")?.strip_prefix(tag.as_str())?.strip_suffix(".ndjson")?.parse().ok()
        };
        let number = published(&folder)?
            .iter()
            .filter_map(|path| own(path.file_name()?.to_str()?))
            .max()
            .map_or(0, |last| last.saturating_add(1));
        let (out, run) = (run.out.clone(), run.name.clone());
        Ok(Self { out, run, folder, tag, number, open: None, rows: 0, most: most.max(1), convert })
    }

    /// Gives every row that the run holds already to `each`: the published ones, of every shard, and those of the open part of this one.
    pub fn each_done(&mut self, mut each: impl FnMut(Head)) -> io::Result<()> {
        let mut ids = HashSet::new();
        for path in published(&self.folder)? {
            for (number, line) in BufReader::new(File::open(&path)?).lines().enumerate() {
                let head: Head = serde_json::from_str(&line?).map_err(|error| {
                    let place = format!("{}, line {}", path.display(), number + 1);
                    io::Error::new(io::ErrorKind::InvalidData, format!("{place}: not a row: {error}"))
                })?;
                ids.insert(head.bundle_id.clone());
                each(head);
            }
        }
        let left = self.open_path();
        let Ok(file) = File::open(&left) else { return Ok(()) };
        let whole = left.with_extension("whole");
        let mut copy = BufWriter::new(File::create(&whole)?);
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        // The last line may have been cut by a kill, or its end by a crash of the machine.
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let Ok(head) = serde_json::from_slice::<Head>(&line) else { break };
            if ids.insert(head.bundle_id.clone()) {
                copy.write_all(&line)?;
                self.rows += 1;
                each(head);
            }
            line.clear();
        }
        copy.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&whole, &left)
    }

    /// Adds a row (without line break).
    pub fn push(&mut self, line: &str) -> io::Result<()> {
        let path = self.open_path();
        let file = match &mut self.open {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).open(path)?),
        };
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        file.write_all(&bytes)?;
        self.rows += 1;
        if self.rows >= self.most { self.publish() } else { Ok(()) }
    }

    /// Gives the open part its name. Other forms of it are there before it: who sees the rows finds all of them.
    pub fn publish(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let open = self.open_path();
        match self.open.take() {
            Some(file) => file.sync_all()?,
            None => File::open(&open)?.sync_all()?,
        }
        let name = format!("part-{}{:05}", self.tag, self.number);
        if let Some(convert) = self.convert {
            convert(&self.out, &self.run, &name, &open)?;
        }
        fs::rename(&open, self.folder.join(format!("{name}.ndjson")))?;
        self.number = self.number.saturating_add(1);
        self.rows = 0;
        Ok(())
    }

    /// The open part does not carry its number: a run whose last part was published in the moment of a kill finds it all the same.
    fn open_path(&self) -> PathBuf {
        self.folder.join(format!(".part-{}open", self.tag))
    }
}

/// Published parts of a run, of all shards, in the order of their names.
pub fn published(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("part-") && name.ends_with(".ndjson") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::run::{Basis, Choice};
    use super::super::walk::Shard;
    use super::*;

    fn line(id: u32) -> String {
        format!(
            r#"{{"bundle_id":"{id}","path":"{id}.zip","status":"ok","error":null,"bytes":1,"modified":null,"report":null}}"#
        )
    }

    fn done(run: &Run) -> (Parts, Vec<String>) {
        let mut parts = Parts::open(run, 2, None).unwrap();
        let mut ids = Vec::new();
        parts.each_done(|head| ids.push(head.bundle_id)).unwrap();
        ids.sort();
        (parts, ids)
    }

    #[test]
    fn a_cut_part_keeps_its_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let choice = Choice { name: None, fresh: false, shard: Shard::WHOLE };
        let run = Run::choose(folder.path(), &choice, Basis::now(Vec::new()), Vec::new()).unwrap();
        let (mut parts, ids) = done(&run);
        assert!(ids.is_empty());
        (0..3).for_each(|id| parts.push(&line(id)).unwrap());
        drop(parts);
        let open = run.results().join(".part-open");
        // A line that was being written, and one that was published in the moment of the kill.
        let mut text = fs::read_to_string(&open).unwrap();
        text.push_str(&format!("{}\n{}", line(0), "{\"bundle_id\":\"9\","));
        fs::write(&open, text).unwrap();

        let (mut parts, ids) = done(&run);
        assert_eq!(ids, ["0", "1", "2"]);
        parts.push(&line(3)).unwrap();
        parts.push(&line(4)).unwrap();
        parts.publish().unwrap();
        let (_, ids) = done(&run);
        assert_eq!(ids, ["0", "1", "2", "3", "4"]);
        assert_eq!(published(&run.results()).unwrap().len(), 3);
        assert!(!open.exists());
    }

    #[test]
    fn a_damaged_part_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let choice = Choice { name: Some("x".to_owned()), fresh: false, shard: Shard::WHOLE };
        let run = Run::choose(folder.path(), &choice, Basis::now(Vec::new()), Vec::new()).unwrap();
        fs::write(run.results().join("part-00000.ndjson"), format!("{}\nno\n", line(1))).unwrap();
        let error = Parts::open(&run, 2, None).unwrap().each_done(|_| {}).unwrap_err().to_string();
        assert!(error.contains("part-00000.ndjson, line 2"), "{error}");
    }
}
