//! Writes registry hives and their transaction logs.
//!
//! A hive is described key by key and laid out as Windows lays it out: hive bins of 4096 bytes or more, cells that stay inside
//! their bin, sorted lists, one security cell for all keys with the same descriptor.
//!
//! ```ignore
//! let bytes = HiveBuilder::new()
//!     .file_name(r"\SystemRoot\System32\Config\SYSTEM")
//!     .key("Select").dword("Current", 1)
//!     .key(r"ControlSet001\Services\NlaSvc").dword("Start", 2).sz("ObjectName", r"NT AUTHORITY\NetworkService")
//!     .build();
//! ```
//!
//! Layout: M. Suhanov, "Windows registry file format specification". Checked against hivex, reglookup and nt-hive.

#![allow(clippy::indexing_slicing, clippy::expect_used)]

use std::collections::BTreeMap;

mod layout;
pub mod log;
pub mod sd;

/// A time that keys get when they are given none: 2024-05-01T00:00:00Z.
pub const DEFAULT_TIME: u64 = 133_589_952_000_000_000;

pub const REG_NONE: u32 = 0;
pub const REG_SZ: u32 = 1;
pub const REG_EXPAND_SZ: u32 = 2;
pub const REG_BINARY: u32 = 3;
pub const REG_DWORD: u32 = 4;
pub const REG_DWORD_BIG_ENDIAN: u32 = 5;
pub const REG_MULTI_SZ: u32 = 7;
pub const REG_QWORD: u32 = 11;

/// The kind of list that keeps subkeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Offsets only.
    Li,
    /// With the first four characters (versions up to 1.4).
    Lf,
    /// With a hash (version 1.5).
    Lh,
}

pub(crate) struct Value {
    pub name: Vec<u16>,
    pub kind: u32,
    pub data: Vec<u8>,
}

pub(crate) struct Node {
    pub name: Vec<u16>,
    pub time: u64,
    pub class: Option<String>,
    /// Security descriptor; `None` takes the parent's.
    pub security: Option<Vec<u8>>,
    pub flags: u16,
    pub values: Vec<Value>,
    /// Subkeys by upper-case name, which is the order of the lists.
    pub subkeys: BTreeMap<Vec<u16>, Node>,
}

impl Node {
    fn new(name: &str) -> Self {
        Self {
            name: name.encode_utf16().collect(),
            time: DEFAULT_TIME,
            class: None,
            security: None,
            flags: 0,
            values: Vec::new(),
            subkeys: BTreeMap::new(),
        }
    }
}

/// Describes a hive. Keys come into being when they are named; what follows `key` is about that key.
pub struct HiveBuilder {
    pub(crate) minor: u32,
    pub(crate) file_name: String,
    pub(crate) sequences: (u32, u32),
    pub(crate) last_written: u64,
    pub(crate) list: ListKind,
    /// Entries of a list from which on it is split under an `ri` list.
    pub(crate) split: usize,
    /// Store all names in UTF-16, also those that fit Latin-1.
    pub(crate) wide_names: bool,
    pub(crate) root: Node,
    current: Vec<Vec<u16>>,
}

impl Default for HiveBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl HiveBuilder {
    /// An empty hive of version 1.5, clean, whose root key everyone may read and SYSTEM and Administrators may change.
    pub fn new() -> Self {
        let mut root = Node::new("ROOT");
        root.security = Some(sd::system_hive());
        Self {
            minor: 5,
            file_name: String::new(),
            sequences: (7, 7),
            last_written: DEFAULT_TIME,
            list: ListKind::Lh,
            split: 507,
            wide_names: false,
            root,
            current: Vec::new(),
        }
    }

    /// Format version 1.`minor`; lists become `lf` below 5 and `lh` from 5 on.
    pub fn version(mut self, minor: u32) -> Self {
        self.minor = minor;
        self.list = if minor < 5 { ListKind::Lf } else { ListKind::Lh };
        self
    }

    /// The path in the base block; only its last 31 characters are kept.
    pub fn file_name(mut self, name: &str) -> Self {
        self.file_name = name.to_owned();
        self
    }

    /// The name of the root key.
    pub fn root_name(mut self, name: &str) -> Self {
        self.root.name = name.encode_utf16().collect();
        self
    }

    /// Primary and secondary sequence number; different ones make the hive dirty.
    pub fn sequences(mut self, primary: u32, secondary: u32) -> Self {
        self.sequences = (primary, secondary);
        self
    }

    /// Time of the last write in the base block, in FILETIME ticks.
    pub fn last_written(mut self, ticks: u64) -> Self {
        self.last_written = ticks;
        self
    }

    /// The kind of the lists of subkeys, and the number of entries from which on they are split.
    pub fn lists(mut self, kind: ListKind, split: usize) -> Self {
        self.list = kind;
        self.split = split.max(1);
        self
    }

    /// Stores every name in UTF-16.
    pub fn wide_names(mut self) -> Self {
        self.wide_names = true;
        self
    }

    /// Security descriptor of the root key and of all keys that have none of their own above them.
    pub fn root_security(mut self, descriptor: Vec<u8>) -> Self {
        self.root.security = Some(descriptor);
        self
    }

    /// Goes to a key below the root, creating it and what is missing above it; `""` is the root.
    pub fn key(mut self, path: &str) -> Self {
        self.current.clear();
        let mut node = &mut self.root;
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            let upper = layout::upper(&name.encode_utf16().collect::<Vec<_>>());
            self.current.push(upper.clone());
            node = node.subkeys.entry(upper).or_insert_with(|| Node::new(name));
        }
        self
    }

    fn node(&mut self) -> &mut Node {
        let mut node = &mut self.root;
        for name in &self.current {
            node = node.subkeys.get_mut(name).expect("`key` made it");
        }
        node
    }

    /// Last-write time of the key, in FILETIME ticks.
    pub fn time(mut self, ticks: u64) -> Self {
        self.node().time = ticks;
        self
    }

    /// Class name of the key.
    pub fn class(mut self, name: &str) -> Self {
        self.node().class = Some(name.to_owned());
        self
    }

    /// Security descriptor of the key and of the keys below it that have none of their own.
    pub fn security(mut self, descriptor: Vec<u8>) -> Self {
        self.node().security = Some(descriptor);
        self
    }

    /// Makes the key a symbolic link to an absolute path (`\Registry\Machine\…`).
    pub fn link(mut self, target: &str) -> Self {
        self.node().flags |= 0x10;
        self.value("SymbolicLinkValue", 6, target.encode_utf16().flat_map(u16::to_le_bytes).collect())
    }

    /// A value of any type; `""` is the default value. A second value of the same name replaces the first.
    pub fn value(mut self, name: &str, kind: u32, data: Vec<u8>) -> Self {
        let name: Vec<u16> = name.encode_utf16().collect();
        let upper = layout::upper(&name);
        let values = &mut self.node().values;
        match values.iter_mut().find(|value| layout::upper(&value.name) == upper) {
            Some(value) => (value.kind, value.data) = (kind, data),
            None => values.push(Value { name, kind, data }),
        }
        self
    }

    pub fn sz(self, name: &str, text: &str) -> Self {
        self.value(name, REG_SZ, utf16z(text))
    }

    pub fn expand_sz(self, name: &str, text: &str) -> Self {
        self.value(name, REG_EXPAND_SZ, utf16z(text))
    }

    pub fn multi_sz(self, name: &str, texts: &[&str]) -> Self {
        let mut data: Vec<u8> = texts.iter().flat_map(|text| utf16z(text)).collect();
        data.extend([0, 0]);
        self.value(name, REG_MULTI_SZ, data)
    }

    pub fn dword(self, name: &str, number: u32) -> Self {
        self.value(name, REG_DWORD, number.to_le_bytes().to_vec())
    }

    pub fn qword(self, name: &str, number: u64) -> Self {
        self.value(name, REG_QWORD, number.to_le_bytes().to_vec())
    }

    pub fn binary(self, name: &str, data: &[u8]) -> Self {
        self.value(name, REG_BINARY, data.to_vec())
    }

    /// The bytes of the hive.
    pub fn build(&self) -> Vec<u8> {
        layout::build(self)
    }
}

/// UTF-16LE with its terminator, as Windows stores strings.
pub fn utf16z(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}
