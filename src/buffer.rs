//! Bytes of files, in memory that is used again.
//!
//! The logs and hives of a bundle are tens of megabytes each. Fresh memory for each of them is zeroed, mapped page by page and given
//! back to the system, which costs a fifth of what the inflating costs. So the buffers of the files that are done with are kept for
//! those to come.

use std::fs;
use std::io::{self, Read as _};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// So many buffers are kept: a bundle has a few large files that live side by side.
const KEPT: usize = 8;
/// Smaller ones are not worth a look, larger ones (in bytes) not worth their memory.
const WORTH: std::ops::RangeInclusive<usize> = 64 << 10..=64 << 20;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// The bytes of a file. Their memory serves another file when they are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// A buffer of a length in bytes. What stands in it has no meaning.
    pub fn of_length(length: usize) -> Self {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = spare.iter().enumerate().filter(|(_, buffer)| buffer.capacity() >= length);
        let best = fitting.min_by_key(|(_, buffer)| buffer.capacity()).map(|(place, _)| place);
        let mut bytes = match best.filter(|_| length >= *WORTH.start()) {
            Some(place) => spare.swap_remove(place),
            None => Vec::new(),
        };
        drop(spare);
        bytes.resize(length, 0);
        Self(bytes)
    }
}

impl Buffer {
    /// The bytes of a file.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut file = fs::File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
        let mut buffer = Self::of_length(length);
        // A file that grows or shrinks meanwhile is read as far as it goes.
        let mut read = 0;
        while let Some(room) = buffer.0.get_mut(read..).filter(|room| !room.is_empty()) {
            match file.read(room) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.0.truncate(read);
        file.read_to_end(&mut buffer.0)?;
        Ok(buffer)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !WORTH.contains(&self.0.capacity()) {
            return;
        }
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(std::mem::take(&mut self.0));
        if spare.len() > KEPT {
            let smallest = spare.iter().enumerate().min_by_key(|(_, buffer)| buffer.capacity());
            if let Some((place, _)) = smallest {
                spare.swap_remove(place);
            }
        }
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_the_length_asked_for_whatever_it_held_before() {
        for length in [100_000, 70_000, 200_000, 10, 0, 100_000] {
            let mut buffer = Buffer::of_length(length);
            assert_eq!(buffer.len(), length);
            buffer.fill(7);
            buffer.resize(length + 1000, 7);
        }
    }

    #[test]
    fn a_file_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, 100_000, 70_000] {
            let bytes: Vec<u8> = (0..length).map(|place: u32| place as u8).collect();
            fs::write(&path, &bytes).unwrap();
            assert_eq!(*Buffer::read(&path).unwrap(), bytes);
        }
        // Files that state no size of their own (pipes, /proc) are read to their end.
        #[cfg(target_os = "linux")]
        assert!(!Buffer::read(Path::new("/proc/self/status")).unwrap().is_empty());
        assert!(Buffer::read(&folder.path().join("none")).is_err());
    }

    #[test]
    fn few_buffers_are_kept_and_none_that_is_huge() {
        drop(Buffer::from(Vec::with_capacity(WORTH.end() + 1)));
        let many: Vec<Buffer> = (0..2 * KEPT).map(|_| Buffer::from(vec![0; 100_000])).collect();
        drop(many);
        let spare = SPARE.lock().unwrap();
        assert!(spare.len() <= KEPT, "{}", spare.len());
        assert!(spare.iter().all(|buffer| WORTH.contains(&buffer.capacity())));
    }
}
