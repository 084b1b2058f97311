//! Writes zip archives byte by byte (APPNOTE 6.3.10), so that odd and hostile ones can be made too.

use libdeflater::{CompressionLvl, Compressor};

/// How a member is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Stored,
    Deflate,
}

/// A member of an archive to be written.
pub struct Member<'a> {
    pub name: &'a str,
    pub bytes: &'a [u8],
    pub method: Method,
    /// Claimed size, when it shall be a lie.
    pub claimed_size: Option<u32>,
    /// General purpose flags (bit 0: encrypted).
    pub flags: u16,
}

impl<'a> Member<'a> {
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, method: Method::Deflate, claimed_size: None, flags: 0x0800 }
    }
}

/// An archive of members in the given order. Times are fixed, so that the same members give the same bytes.
pub fn archive(members: &[Member<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let offset = u32::try_from(out.len()).unwrap();
        let packed = match member.method {
            Method::Stored => member.bytes.to_vec(),
            Method::Deflate => deflate(member.bytes),
        };
        let size = member.claimed_size.unwrap_or_else(|| u32::try_from(member.bytes.len()).unwrap());
        let mut fields = Vec::new();
        let method: u16 = if member.method == Method::Stored { 0 } else { 8 };
        for word in [20_u16, member.flags, method, 0, 0x5a61] {
            fields.extend(word.to_le_bytes());
        }
        for word in [libdeflater::crc32(member.bytes), u32::try_from(packed.len()).unwrap(), size] {
            fields.extend(word.to_le_bytes());
        }
        fields.extend(u16::try_from(member.name.len()).unwrap().to_le_bytes());
        fields.extend(0_u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(member.name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02");
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&fields);
        // Comment length, disk, internal and external attributes, then the offset.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name.as_bytes());
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(members.len()).unwrap();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    out
}

/// A deflate stream.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut packed = vec![0; compressor.deflate_compress_bound(bytes.len())];
    let length = compressor.deflate_compress(bytes, &mut packed).unwrap();
    packed.truncate(length);
    packed
}
