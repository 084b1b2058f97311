//! A registry value: its name, its type and its bytes, the same whether it came from a hive or from text.
//!
//! Text forms are turned back into the bytes that Windows would store (strings in UTF-16LE with their terminator), so that one
//! set of readings serves both, and a damaged value is damaged in the same way in both.

use std::borrow::Cow;

use super::utf16;

/// The registry's value types (`REG_*`), as the number that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueType(pub u32);

impl ValueType {
    /// No defined type.
    pub const NONE: Self = Self(0);
    /// A string.
    pub const SZ: Self = Self(1);
    /// A string with unexpanded environment variables.
    pub const EXPAND_SZ: Self = Self(2);
    /// Bytes.
    pub const BINARY: Self = Self(3);
    /// A 32-bit number, little-endian.
    pub const DWORD: Self = Self(4);
    /// A 32-bit number, big-endian.
    pub const DWORD_BIG_ENDIAN: Self = Self(5);
    /// A symbolic link to another key.
    pub const LINK: Self = Self(6);
    /// A list of strings.
    pub const MULTI_SZ: Self = Self(7);
    /// A device-driver resource list.
    pub const RESOURCE_LIST: Self = Self(8);
    /// A hardware resource list.
    pub const FULL_RESOURCE_DESCRIPTOR: Self = Self(9);
    /// A list of possible hardware resources.
    pub const RESOURCE_REQUIREMENTS_LIST: Self = Self(10);
    /// A 64-bit number, little-endian.
    pub const QWORD: Self = Self(11);

    /// The name that Windows documents, or `REG_0x…` for others (device property types).
    pub fn name(self) -> Cow<'static, str> {
        const NAMES: [&str; 12] = [
            "REG_NONE",
            "REG_SZ",
            "REG_EXPAND_SZ",
            "REG_BINARY",
            "REG_DWORD",
            "REG_DWORD_BIG_ENDIAN",
            "REG_LINK",
            "REG_MULTI_SZ",
            "REG_RESOURCE_LIST",
            "REG_FULL_RESOURCE_DESCRIPTOR",
            "REG_RESOURCE_REQUIREMENTS_LIST",
            "REG_QWORD",
        ];
        match NAMES.get(self.0 as usize) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("REG_{:#x}", self.0)),
        }
    }

    /// The type that a `REG_*` name stands for, without regard to case.
    pub fn from_name(name: &str) -> Option<Self> {
        (0..12).map(Self).find(|kind| kind.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// One registry value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegValue {
    /// The name; empty for the key's default value.
    pub name: String,
    /// The stored type.
    pub kind: ValueType,
    /// The stored bytes; strings are UTF-16LE.
    pub bytes: Vec<u8>,
    /// The data could not be read in full: what `bytes` holds is only the part that could.
    pub truncated: bool,
}

impl RegValue {
    /// A value of any type.
    pub fn new(name: impl Into<String>, kind: ValueType, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), kind, bytes, truncated: false }
    }

    /// A `REG_DWORD`.
    pub fn dword(name: impl Into<String>, number: u32) -> Self {
        Self::new(name, ValueType::DWORD, number.to_le_bytes().to_vec())
    }

    /// A string value of the given type, stored in UTF-16LE with its terminator.
    pub fn string(name: impl Into<String>, kind: ValueType, text: &str) -> Self {
        let bytes = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        Self::new(name, kind, bytes)
    }

    /// The number of a DWORD or QWORD of the right length. `None` for every other type: a string "0" is not the number 0.
    pub fn as_u64(&self) -> Option<u64> {
        match (self.kind, self.bytes.as_slice()) {
            (ValueType::DWORD, &[a, b, c, d]) => Some(u64::from(u32::from_le_bytes([a, b, c, d]))),
            (ValueType::DWORD_BIG_ENDIAN, &[a, b, c, d]) => Some(u64::from(u32::from_be_bytes([a, b, c, d]))),
            (ValueType::QWORD, bytes) => Some(u64::from_le_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    /// [`Self::as_u64`], when it fits 32 bits.
    pub fn as_u32(&self) -> Option<u32> {
        self.as_u64().and_then(|number| u32::try_from(number).ok())
    }

    /// The text of a string type up to its first NUL; `None` for other types.
    pub fn as_text(&self) -> Option<String> {
        match self.kind {
            ValueType::SZ | ValueType::EXPAND_SZ | ValueType::LINK => {
                Some(utf16::text(utf16::until_nul(&self.bytes)))
            }
            _ => None,
        }
    }

    /// The strings of a `REG_MULTI_SZ`, without the empty ones that end it (readers differ in how many they store).
    pub fn as_list(&self) -> Option<Vec<String>> {
        if self.kind != ValueType::MULTI_SZ {
            return None;
        }
        let mut list: Vec<String> = utf16::text(&self.bytes).split('\0').map(str::to_owned).collect();
        while list.last().is_some_and(String::is_empty) {
            list.pop();
        }
        Some(list)
    }

    /// The data as the contract's dump writes it: string, number, list of strings, or lower-case hex.
    pub fn to_json(&self) -> serde_json::Value {
        if let Some(number) = self.as_u64() {
            return number.into();
        }
        if let Some(list) = self.as_list() {
            return list.into();
        }
        match self.as_text() {
            Some(text) => text.into(),
            None => hex(&self.bytes).into(),
        }
    }

    /// The data as a person reads it in a report.
    pub fn display(&self) -> String {
        if let Some(number) = self.as_u64() {
            return if number < 10 { number.to_string() } else { format!("{number} ({number:#x})") };
        }
        if let Some(list) = self.as_list() {
            return list.join(", ");
        }
        match self.as_text() {
            Some(text) if text.is_empty() => "(empty)".to_owned(),
            Some(text) => text,
            None if self.bytes.is_empty() => "(no data)".to_owned(),
            None => hex(&self.bytes),
        }
    }
}

/// Lower-case hex without separators.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_only_what_is_stored_as_a_number() {
        assert_eq!(RegValue::dword("Start", 4).as_u32(), Some(4));
        assert_eq!(RegValue::string("Start", ValueType::SZ, "4").as_u32(), None);
        assert_eq!(RegValue::new("Start", ValueType::DWORD, vec![4, 0]).as_u32(), None);
        assert_eq!(
            RegValue::new("q", ValueType::QWORD, vec![1, 0, 0, 0, 1, 0, 0, 0]).as_u64(),
            Some(0x1_0000_0001)
        );
    }

    #[test]
    fn empty_strings_that_end_a_list_are_dropped() {
        // domain.md R2: readers hand back ['NSI', 'RpcSs', 'TcpIp', '', ''].
        let value = RegValue::string("DependOnService", ValueType::MULTI_SZ, "NSI\0RpcSs\0TcpIp\0\0");
        assert_eq!(value.as_list().unwrap(), ["NSI", "RpcSs", "TcpIp"]);
    }

    #[test]
    fn unknown_types_keep_their_number() {
        assert_eq!(ValueType(0xffff_0012).name(), "REG_0xffff0012");
        assert_eq!(ValueType::from_name("reg_dword"), Some(ValueType::DWORD));
    }
}
