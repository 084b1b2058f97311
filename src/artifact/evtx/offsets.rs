//! A table by offsets in a chunk.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Something for each offset in a chunk that has it.
pub(super) type OffsetMap<T> = HashMap<usize, T, BuildHasherDefault<OffsetHasher>>;

/// Spreads offsets over a table. There are a few dozen of them in a chunk and never more than fit it, so that nothing is gained by
/// choosing them badly.
#[derive(Default)]
pub(super) struct OffsetHasher(u64);

impl Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, offset: usize) {
        self.0 = (self.0 ^ offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
