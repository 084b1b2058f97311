//! What can be wrong in a hive, and where.
//!
//! Errors are small and hold no text: reading a damaged hive meets many of them, and most are only counted.

use crate::artifact::{Place, Problem};

/// The structures that are known by a two-letter signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `nk`.
    KeyNode,
    /// `vk`.
    Value,
    /// `sk`.
    Security,
    /// `lf`, `lh`, `li` or `ri`.
    SubkeyList,
    /// `db`.
    BigData,
}

impl Structure {
    /// Its signature; empty where several are possible.
    pub(super) fn signature(self) -> &'static [u8] {
        match self {
            Self::KeyNode => b"nk",
            Self::Value => b"vk",
            Self::Security => b"sk",
            Self::SubkeyList => b"",
            Self::BigData => b"db",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::KeyNode => "a key node (nk)",
            Self::Value => "a value (vk)",
            Self::Security => "a security descriptor (sk)",
            Self::SubkeyList => "a list of subkeys (lf, lh, li, ri)",
            Self::BigData => "big data (db)",
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file has only this many bytes.
    ShortFile(u32),
    /// The file does not start with `regf`.
    NoBaseBlock,
    /// The base block is that of a transaction log (its file type).
    LogInstead(u32),
    /// The base block is that of a hive where a transaction log was expected.
    HiveInstead,
    /// The checksum of the base block is wrong.
    Checksum,
    /// The base block names more bytes of hive bins than the file holds.
    Truncated {
        /// Bytes that the base block names.
        named: u32,
        /// Bytes that are there.
        there: u32,
    },
    /// No hive bin starts here; the bytes that are there.
    NoBin([u8; 4]),
    /// A hive bin that says it lies elsewhere.
    BinOffset(u32),
    /// A hive bin of an impossible length.
    BinSize(u32),
    /// An offset behind the end of the file.
    Outside,
    /// An offset that is no multiple of eight.
    Unaligned,
    /// A cell that is not in use, of this size.
    FreeCell(i32),
    /// A cell of an impossible size.
    CellSize(i32),
    /// Another structure than the one that the offset is for; its first two bytes.
    Signature(Structure, [u8; 2]),
    /// A cell too short for its structure; its length.
    ShortCell(Structure, u32),
    /// A name that is longer than its cell; bytes that are missing.
    CutName(u32),
    /// A list that is longer than its cell: entries named, entries there.
    CutList(u32, u32),
    /// A key and its list disagree: subkeys that the key has by its own count, entries of the list.
    OtherCount(u32, u32),
    /// A count of subkeys or values other than zero, without a list.
    NoList(u32),
    /// A list of lists inside a list of lists.
    NestedList,
    /// A cell that another key, list or value uses as well.
    Twice,
    /// A key below more levels than Windows allows (512).
    TooDeep,
    /// A list that names more subkeys than the hive has room for.
    TooMany,
    /// Value data that is shorter than it should be: bytes named, bytes there.
    CutData(u32, u32),
    /// A key without a security descriptor.
    NoSecurity,
    /// Not a well-formed security descriptor.
    Security,
}

/// What keeps a structure of a hive from being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub struct HiveError {
    /// Byte offset in the file.
    pub offset: u64,
    /// What is wrong there.
    pub fault: Fault,
}

impl HiveError {
    /// A fault at a byte offset of the file.
    pub fn new(offset: u64, fault: Fault) -> Self {
        Self { offset, fault }
    }

    /// The same in words.
    pub fn problem(&self) -> Problem {
        let (expected, found) = self.fault.words();
        Problem::new(Place::Offset(self.offset), expected, found)
    }
}

impl From<HiveError> for Problem {
    fn from(error: HiveError) -> Self {
        error.problem()
    }
}

impl Fault {
    /// What a sound hive has there, and what this one has.
    fn words(self) -> (String, String) {
        let pair = |expected: &str, found: String| (expected.to_owned(), found);
        match self {
            Self::ShortFile(len) => pair("a base block of 4096 bytes", format!("a file of {len} bytes")),
            Self::NoBaseBlock => pair("the signature regf", "another one".into()),
            Self::LogInstead(kind) => {
                pair("a hive (file type 0)", format!("a transaction log (file type {kind})"))
            }
            Self::HiveInstead => pair("a transaction log (file type 1, 2 or 6)", "a hive".into()),
            Self::Checksum => pair("the checksum of the base block", "another one".into()),
            Self::Truncated { named, there } => {
                (format!("{named} bytes of hive bins"), format!("{there}: the file is cut off"))
            }
            Self::NoBin(bytes) => pair("a hive bin (hbin)", format!("the bytes {}", hex(&bytes))),
            Self::BinOffset(offset) => {
                pair("a hive bin that lies where it says", format!("the offset {offset:#x}"))
            }
            Self::BinSize(size) => pair("a bin length that is a multiple of 4096", format!("{size:#x}")),
            Self::Outside => pair("a cell", "the end of the file before it".into()),
            Self::Unaligned => pair("a cell at a multiple of 8", "an offset between".into()),
            Self::FreeCell(size) => pair("a cell in use", format!("a free one of {size} bytes")),
            Self::CellSize(size) => pair("a cell of 8 bytes or more", format!("the size {size}")),
            Self::Signature(kind, bytes) => pair(kind.name(), format!("the bytes {}", hex(&bytes))),
            Self::ShortCell(kind, len) => pair(kind.name(), format!("a cell of {len} bytes")),
            Self::CutName(missing) => pair("a name inside its cell", format!("{missing} bytes too few")),
            Self::CutList(named, there) => (format!("a list of {named}"), format!("room for {there}")),
            Self::OtherCount(named, met) => (format!("a list of {named} subkeys"), format!("one of {met}")),
            Self::NoList(count) => (format!("a list of {count}"), "no list".into()),
            Self::NestedList => pair("a list of keys", "another list of lists".into()),
            Self::Twice => pair("a cell of its own", "one that is already used elsewhere".into()),
            Self::TooDeep => pair("at most 512 levels of keys", "more".into()),
            Self::TooMany => pair("as many subkeys as the hive has room for", "more".into()),
            Self::CutData(named, there) => (format!("{named} bytes of data"), format!("{there}")),
            Self::NoSecurity => pair(Structure::Security.name(), "none".into()),
            Self::Security => pair("a self-relative security descriptor", "something else".into()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    crate::artifact::value::hex(bytes)
}
