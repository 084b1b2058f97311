//! Transaction logs of hives: what Windows wrote before it wrote the hive itself.
//!
//! A machine that was copied while it ran, or that lost power, leaves hives whose last writes stand only in their logs. Windows
//! applies them when it loads the hive; so does [`Hive::replay`], in memory. Two formats are in use: log entries (`HvLE`,
//! since Windows 8.1) and a bitmap with dirty pages (`DIRT`, before).
//!
//! Layout and rules: M. Suhanov, "Windows registry file format specification", sections "Format of transaction log files" to
//! "Multiple transaction log files".

use super::bytes::{u32_at, u64_at};
use super::marvin::marvin32;
use super::{BaseBlock, Fault, Hive, HiveError};
use crate::buffer::Buffer;

/// Entries and bitmaps start behind the first sector.
const START: usize = 512;
/// Length of the fixed part of an entry.
const ENTRY_HEAD: usize = 40;

/// Whether a base block's file type is that of a transaction log.
pub(super) fn is_log_type(file_type: u32) -> bool {
    matches!(file_type, 1 | 2 | 6)
}

/// One transaction log file.
#[derive(Debug)]
pub struct HiveLog {
    base: BaseBlock,
    bytes: Buffer,
}

/// How well a log goes with a hive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// It belongs to another hive.
    No,
    /// The last parts of the two embedded file names are the same.
    Name,
    /// The embedded file names are the same.
    Path,
}

/// One entry of a log of the new format.
struct Entry<'l> {
    sequence: u32,
    bins_len: u32,
    /// Offset behind the base block and content of each page.
    pages: Vec<(u32, &'l [u8])>,
    len: usize,
}

/// How the entries of a log end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the file, or with what is left of older entries.
    Sound,
    /// With an entry that was to come next and is damaged.
    Torn,
}

impl HiveLog {
    /// Whether the bytes are a transaction log (a base block of file type 1, 2 or 6, or log entries behind one).
    pub fn recognise(bytes: &[u8]) -> bool {
        let entries =
            bytes.get(START..).is_some_and(|rest| rest.starts_with(b"HvLE") || rest.starts_with(b"DIRT"));
        BaseBlock::parse(bytes).is_ok_and(|base| entries || is_log_type(base.file_type))
    }

    /// Reads the log's base block; the entries are read when they are applied.
    ///
    /// # Errors
    /// The bytes are not a log.
    pub fn open(bytes: impl Into<Buffer>) -> Result<Self, HiveError> {
        let bytes = bytes.into();
        let base = BaseBlock::parse(&bytes)?;
        if !Self::recognise(&bytes) {
            return Err(HiveError::new(28, Fault::HiveInstead));
        }
        Ok(Self { base, bytes })
    }

    /// What the log's copy of the base block says.
    pub fn base_block(&self) -> &BaseBlock {
        &self.base
    }

    /// The file name that the log's own base block holds (at most the last 32 characters of the hive's path), which pairs it
    /// with its hive when the file's name is lost.
    pub fn hive_name(&self) -> String {
        self.base.file_name.clone()
    }

    /// How well the log goes with a hive, told from both base blocks. All user hives of a machine share one resource manager, so
    /// its id can only rule a log out.
    pub fn fit(&self, hive: &Hive) -> Fit {
        let (own, other) = (&self.base, &hive.base);
        let same = |a: &str, b: &str| !a.is_empty() && a.to_lowercase() == b.to_lowercase();
        let known = own.resource_manager != 0 && other.resource_manager != 0;
        let strangers = known && own.resource_manager != other.resource_manager;
        if strangers {
            Fit::No
        } else if same(&own.file_name, &other.file_name) {
            Fit::Path
        } else if same(own.base_name(), other.base_name()) {
            Fit::Name
        } else {
            Fit::No
        }
    }

    fn is_sound(&self) -> bool {
        !self.base.is_dirty()
    }

    fn is_new_format(&self) -> bool {
        self.base.file_type == 6
    }

    /// The entry at a position, if it is whole and carries the expected number.
    fn entry(&self, at: usize, expected: u32) -> Result<Entry<'_>, End> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let Some(head) = rest.first_chunk::<ENTRY_HEAD>().filter(|head| head.starts_with(b"HvLE")) else {
            return Err(End::Sound);
        };
        let (sequence, bins_len, count) = (u32_at(head, 12), u32_at(head, 16), u32_at(head, 20));
        if sequence != expected {
            return Err(End::Sound);
        }
        let len = u32_at(head, 4) as usize;
        let whole = (len >= START && len.is_multiple_of(512)).then(|| rest.get(ENTRY_HEAD..len)).flatten();
        let Some(body) = whole else { return Err(End::Torn) };
        let hashes_ok = head.first_chunk::<32>().is_some_and(|start| marvin32(start) == u64_at(head, 32))
            && marvin32(body) == u64_at(head, 24);
        if !hashes_ok || bins_len == 0 || !bins_len.is_multiple_of(4096) || count == 0 {
            return Err(End::Torn);
        }
        let pages = pages(body, count as usize).ok_or(End::Torn)?;
        Ok(Entry { sequence, bins_len, pages, len })
    }
}

/// The pages of an entry: first all references, then all contents.
fn pages(body: &[u8], count: usize) -> Option<Vec<(u32, &[u8])>> {
    let references = body.get(..count.checked_mul(8)?)?;
    let mut rest = body.get(references.len()..)?;
    let mut pages = Vec::with_capacity(count);
    for reference in references.chunks_exact(8) {
        let (page, behind) = rest.split_at_checked(u32_at(reference, 4) as usize)?;
        pages.push((u32_at(reference, 0), page));
        rest = behind;
    }
    Some(pages)
}

/// What a replay did, as evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// In words: which log, how many entries, from which sequence to which; or why nothing was applied.
    pub summary: String,
    /// The result is clean: nothing that Windows would have replayed from these logs is missing.
    pub clean: bool,
    /// What was applied, in order.
    pub applied: Vec<Applied>,
}

/// The part of a replay that came from one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which of the given logs.
    pub log: usize,
    /// Entries (new format) or 1 (old format).
    pub entries: usize,
    /// Sequence number of the first entry.
    pub first_sequence: u32,
    /// Sequence number of the last entry.
    pub last_sequence: u32,
}

impl Hive {
    /// Applies the logs in memory, in the way Windows does: to a dirty hive only, the log with the lower sequence number first
    /// and the other one only where it goes on from there; a hive with a damaged base block takes the newest log's.
    pub fn replay(mut self, logs: &[HiveLog]) -> (Hive, Replay) {
        if !self.base.is_dirty() {
            let summary = "the hive is clean and needs no log".to_owned();
            return (self, Replay { summary, clean: true, applied: Vec::new() });
        }
        let mut replay = Replay { clean: true, ..Replay::default() };
        let mut notes = Vec::new();
        for (index, _) in logs.iter().enumerate().filter(|(_, log)| !log.is_sound()) {
            notes.push(format!("log {} has a damaged base block", index + 1));
        }
        self.replay_new(logs, &mut replay, &mut notes);
        if replay.applied.is_empty() {
            self.replay_old(logs, &mut replay, &mut notes);
        }
        if replay.applied.is_empty() {
            notes.push("no log could be applied".to_owned());
            replay.clean = false;
        }
        for applied in &replay.applied {
            notes.push(format!(
                "log {}: {} applied, sequence {} to {}",
                applied.log + 1,
                if applied.entries == 1 {
                    "1 entry".to_owned()
                } else {
                    format!("{} entries", applied.entries)
                },
                applied.first_sequence,
                applied.last_sequence
            ));
        }
        self.incomplete = !replay.clean;
        replay.summary = notes.join("; ");
        (self, replay)
    }

    fn replay_new(&mut self, logs: &[HiveLog], replay: &mut Replay, notes: &mut Vec<String>) {
        let start = self.base.secondary_sequence;
        let distance = |log: &HiveLog| log.base.primary_sequence.wrapping_sub(start).cast_signed();
        let mut usable: Vec<(usize, &HiveLog)> =
            logs.iter().enumerate().filter(|(_, log)| log.is_sound() && log.is_new_format()).collect();
        usable.sort_by_key(|(_, log)| distance(log));
        if self.base.checksum_ok {
            // Logs from before the last complete write have been applied already.
            usable.retain(|(_, log)| distance(log) >= 0);
        } else if let Some(newest) = usable.pop() {
            // Windows takes the base block and all entries from the newest log alone.
            usable = vec![newest];
        }
        let mut next = None;
        for (index, log) in usable {
            let first = log.base.primary_sequence;
            if next.is_some_and(|next| next != first) {
                notes.push(format!("log {}: does not go on where the one before ends", index + 1));
                replay.clean = false;
                break;
            }
            let (entries, end) = self.apply_entries(log);
            if end == End::Torn {
                notes.push(format!("log {}: entry {} is damaged", index + 1, first.wrapping_add(entries)));
                replay.clean = false;
            }
            if entries > 0 {
                let last = first.wrapping_add(entries - 1);
                next = Some(last.wrapping_add(1));
                replay.applied.push(Applied {
                    log: index,
                    entries: entries as usize,
                    first_sequence: first,
                    last_sequence: last,
                });
            }
        }
    }

    /// Applies the entries of one log as far as they are sound; how many, and how they end.
    fn apply_entries(&mut self, log: &HiveLog) -> (u32, End) {
        let (mut at, mut count) = (START, 0);
        // New bins are dirty: what a log adds to a hive it must hold.
        let limit = self.bytes.len() + log.bytes.len();
        loop {
            let entry = match log.entry(at, log.base.primary_sequence.wrapping_add(count)) {
                Ok(entry) => entry,
                Err(end) => return (count, end),
            };
            let end_of = |&(offset, page): &(u32, &[u8])| Self::position(offset) as usize + page.len();
            if entry.pages.iter().map(end_of).max().unwrap_or(0) > limit {
                return (count, End::Torn);
            }
            for (offset, page) in &entry.pages {
                self.write(Self::position(*offset) as usize, page);
            }
            self.adopt(log, entry.sequence, entry.bins_len);
            count += 1;
            at += entry.len;
        }
    }

    fn replay_old(&mut self, logs: &[HiveLog], replay: &mut Replay, notes: &mut Vec<String>) {
        let written = if self.base.checksum_ok {
            self.base.last_written.ticks()
        } else {
            // The first bin keeps a copy.
            self.bytes.get(Self::position(20) as usize..).map_or(0, |bin| u64_at(bin, 0))
        };
        let newest = logs
            .iter()
            .enumerate()
            .filter(|(_, log)| {
                log.is_sound() && !log.is_new_format() && log.base.last_written.ticks() >= written
            })
            .max_by_key(|(_, log)| log.base.last_written);
        let Some((index, log)) = newest else { return };
        let Some(whole) = self.apply_bitmap(log) else {
            notes.push(format!("log {}: no dirty pages (DIRT)", index + 1));
            return;
        };
        if !whole {
            notes.push(format!("log {}: ends before its last page", index + 1));
            replay.clean = false;
        }
        let sequence = log.base.primary_sequence;
        replay.applied.push(Applied {
            log: index,
            entries: 1,
            first_sequence: sequence,
            last_sequence: sequence,
        });
    }

    /// Applies the dirty pages of a log of the old format; whether all were there, `None` when the log has none.
    fn apply_bitmap(&mut self, log: &HiveLog) -> Option<bool> {
        let rest = log.bytes.get(START..)?.strip_prefix(b"DIRT")?;
        // One bit is 512 bytes of the hive.
        let bitmap = rest.get(..log.base.bins_len as usize / 4096)?;
        let first = (START + 4 + bitmap.len()).next_multiple_of(512);
        let mut pages = log.bytes.get(first..).unwrap_or_default().chunks_exact(512);
        let limit = self.bytes.len() + log.bytes.len();
        let bits = bitmap.iter().enumerate().flat_map(|(at, byte)| {
            (0..8).filter(move |bit| byte >> bit & 1 != 0).map(move |bit| at * 8 + bit)
        });
        let mut whole = true;
        for sector in bits {
            let at = Self::position(0) as usize + sector * 512;
            match pages.next() {
                Some(page) if at + page.len() <= limit => self.write(at, page),
                _ => {
                    whole = false;
                    break;
                }
            }
        }
        let sequence =
            if self.base.checksum_ok { self.base.primary_sequence } else { log.base.primary_sequence };
        self.adopt(log, sequence, log.base.bins_len);
        Some(whole)
    }

    /// Writes a page, growing the hive when it lies behind its end.
    fn write(&mut self, at: usize, page: &[u8]) {
        let end = at + page.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(at..end) {
            place.copy_from_slice(page);
        }
    }

    /// Takes over what the log's base block says, as a hive that was written to the end.
    fn adopt(&mut self, log: &HiveLog, sequence: u32, bins_len: u32) {
        self.base = BaseBlock {
            primary_sequence: sequence,
            secondary_sequence: sequence,
            bins_len,
            file_type: 0,
            checksum_ok: true,
            ..log.base.clone()
        };
    }
}
