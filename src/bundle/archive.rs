//! Zip archives in memory: members are inflated one by one into memory and never onto a disk.

use std::io::{Cursor, Read};
use std::sync::Arc;

use zip::{CompressionMethod, ZipArchive};

use crate::buffer::Buffer;

/// The bytes of an archive, shared without a copy.
#[derive(Clone, Debug)]
struct Shared(Arc<Buffer>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An opened archive. Cloning is cheap: the bytes and the directory are shared.
#[derive(Clone, Debug)]
pub struct Archive {
    zip: ZipArchive<Cursor<Shared>>,
    bytes: Shared,
}

/// A member as the central directory lists it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Position in the archive.
    pub index: usize,
    /// Name with forward slashes; a label only, never a path to write to.
    pub name: String,
    /// Claimed size after unpacking, in bytes.
    pub size: u64,
    /// Size in the archive, in bytes.
    pub packed: u64,
}

/// Why a member cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The member needs a password.
    #[error("the member is encrypted")]
    Encrypted,
    /// The archive is damaged here.
    #[error("damaged archive member: {0}")]
    Damaged(String),
}

impl Archive {
    /// Whether the bytes begin like an archive, also an empty or a spanned one.
    pub fn recognise(bytes: &[u8]) -> bool {
        [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| bytes.starts_with(*magic))
    }

    /// Reads the central directory.
    pub fn open(bytes: Buffer) -> Result<Self, String> {
        let bytes = Shared(Arc::new(bytes));
        let zip = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|error| error.to_string())?;
        Ok(Self { zip, bytes })
    }

    /// The bytes of the archive itself.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// All files, in the order of the directory.
    pub fn members(&self) -> Vec<Member> {
        (0..self.zip.len())
            .filter_map(|index| {
                let file = self.zip.by_index_data(index).ok()?;
                let name = String::from_utf8_lossy(file.name_raw()).replace('\\', "/");
                if name.ends_with('/') {
                    return None;
                }
                Some(Member { index, name, size: file.size(), packed: file.compressed_size() })
            })
            .collect()
    }

    /// Unpacks one member and checks its CRC-32.
    pub fn read(&self, index: usize) -> Result<Buffer, MemberError> {
        let damaged = |error: zip::result::ZipError| MemberError::Damaged(error.to_string());
        let mut zip = self.zip.clone();
        let raw = zip.by_index_raw(index).map_err(damaged)?;
        if raw.encrypted() {
            return Err(MemberError::Encrypted);
        }
        let (size, packed, crc) = (raw.size(), raw.compressed_size(), raw.crc32());
        let (method, start) = (raw.compression(), raw.data_start());
        drop(raw);
        if method == CompressionMethod::Deflated
            && let Some(packed_bytes) = start.and_then(|start| self.slice(start, packed))
        {
            return inflate(packed_bytes, size, crc);
        }
        let file = zip.by_index(index).map_err(damaged)?;
        // The claimed size is only a hint for the allocation; what is read is bounded by it all the same.
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 20)).unwrap_or_default());
        let read = file.take(size.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| MemberError::Damaged(error.to_string()))?;
        if bytes.len() as u64 != size {
            return Err(MemberError::Damaged(format!("expected {size} bytes, found {}", bytes.len())));
        }
        Ok(bytes.into())
    }

    fn slice(&self, start: u64, len: u64) -> Option<&[u8]> {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        self.bytes.as_ref().get(start..end)
    }
}

/// Unpacks a whole deflate stream of known size.
fn inflate(packed: &[u8], size: u64, crc: u32) -> Result<Buffer, MemberError> {
    let damaged = |text: String| MemberError::Damaged(text);
    // Deflate cannot do better than 1032 to 1, so a larger claim is a lie that must not be allocated.
    if size > (packed.len() as u64).saturating_mul(1032).saturating_add(64) {
        return Err(damaged(format!("{size} bytes are claimed out of {} packed ones", packed.len())));
    }
    let length =
        usize::try_from(size).map_err(|_| damaged("larger than this machine's memory".to_owned()))?;
    let mut bytes = Buffer::of_length(length);
    let written = libdeflater::Decompressor::new()
        .deflate_decompress(packed, &mut bytes)
        .map_err(|error| damaged(format!("deflate: {error}")))?;
    if written != length {
        return Err(damaged(format!("expected {length} bytes, found {written}")));
    }
    let found = libdeflater::crc32(&bytes);
    if found != crc {
        return Err(damaged(format!("expected CRC-32 {crc:08x}, found {found:08x}")));
    }
    Ok(bytes)
}
