//! `PackedCatalogItem`: one Winsock transport provider as the registry stores it (domain.md 6.7).
//!
//! 888 bytes: the DLL's path in 260 bytes of ANSI, then a `WSAPROTOCOL_INFOW` of 628 bytes.

use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::{le_i32, le_u32};

use super::{Place, Problem, utf16};

/// Size of the structure in bytes.
pub const SIZE: usize = 888;
/// Size of the path field.
const PATH: usize = 260;

/// A transport provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogItem {
    /// DLL path, with environment variables.
    pub path: String,
    /// `dwCatalogEntryId`.
    pub entry_id: u32,
    /// `ProtocolChain.ChainLen`: 0 layered provider, 1 base provider, more: a chain through layered providers.
    pub chain_len: i32,
    /// 2 IPv4, 23 IPv6, …
    pub address_family: i32,
    /// 1 stream, 2 datagram, 3 raw.
    pub socket_type: i32,
    /// 6 TCP, 17 UDP.
    pub protocol: i32,
    /// `szProtocol`.
    pub name: String,
}

impl CatalogItem {
    /// Reads the value's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.len() != SIZE {
            let found = format!("{} bytes", bytes.len());
            return Err(Problem::new(Place::Whole, format!("a provider entry of {SIZE} bytes"), found));
        }
        fields(bytes).map_err(|_: nom::Err<()>| {
            Problem::new(Place::Whole, "a provider entry", "one whose fields cannot be read")
        })
    }
}

fn fields(bytes: &[u8]) -> Result<CatalogItem, nom::Err<()>> {
    // dwServiceFlags1–4, dwProviderFlags and the provider's GUID stand between the path and the entry id.
    let (rest, (path, _, entry_id, chain_len)) = (take(PATH), take(36_usize), le_u32, le_i32).parse(bytes)?;
    // ChainEntries[7] and iVersion.
    let (rest, (_, address_family)) = (take(32_usize), le_i32).parse(rest)?;
    // iMaxSockAddr and iMinSockAddr.
    let (rest, (_, socket_type, protocol)) = (take(8_usize), le_i32, le_i32).parse(rest)?;
    // iProtocolMaxOffset … dwProviderReserved.
    let (name, _) = take(20_usize).parse(rest)?;
    let path: String = path.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
    let name = utf16::text(utf16::until_nul(name));
    Ok(CatalogItem { path, entry_id, chain_len, address_family, socket_type, protocol, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_at_the_offsets_of_the_domain_reference() {
        // domain.md 6.7: offsets 296, 300, 336, 348, 352, 376.
        let mut bytes = vec![0_u8; SIZE];
        bytes[..5].copy_from_slice(b"a.dll");
        bytes[296..300].copy_from_slice(&1001_u32.to_le_bytes());
        bytes[300..304].copy_from_slice(&1_i32.to_le_bytes());
        bytes[336..340].copy_from_slice(&23_i32.to_le_bytes());
        bytes[348..352].copy_from_slice(&2_i32.to_le_bytes());
        bytes[352..356].copy_from_slice(&17_i32.to_le_bytes());
        bytes[376..378].copy_from_slice(b"X\0");
        let item = CatalogItem::parse(&bytes).unwrap();
        assert_eq!((item.path.as_str(), item.entry_id, item.chain_len), ("a.dll", 1001, 1));
        assert_eq!((item.address_family, item.socket_type, item.protocol), (23, 2, 17));
        assert_eq!(item.name, "X");
    }

    #[test]
    fn another_size_is_damage() {
        assert!(CatalogItem::parse(&[0; SIZE - 1]).is_err());
    }
}
