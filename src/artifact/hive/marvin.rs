//! Marvin32, the checksum of log entries.

/// The seed that the kernel uses for logs: the bytes 82 EF 4D 88 7A 4E 55 C5, read as one number.
const SEED: u64 = 0x82ef_4d88_7a4e_55c5;

/// The hash of a part of a log.
pub(super) fn marvin32(bytes: &[u8]) -> u64 {
    seeded(bytes, SEED)
}

fn seeded(bytes: &[u8], seed: u64) -> u64 {
    let mut state = (seed as u32, (seed >> 32) as u32);
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        mix(&mut state, word.first_chunk().copied().map_or(0, u32::from_le_bytes));
    }
    // What is left, closed by the byte 0x80.
    let last = words.remainder().iter().rev().fold(0x80, |last, &byte| last << 8 | u32::from(byte));
    mix(&mut state, last);
    mix(&mut state, 0);
    u64::from(state.1) << 32 | u64::from(state.0)
}

#[inline(always)]
fn mix((low, high): &mut (u32, u32), word: u32) {
    *low = low.wrapping_add(word);
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}

#[cfg(test)]
mod tests {
    use super::seeded;

    #[test]
    fn published_vectors() {
        // dotnet/corefx, src/Common/tests/Tests/System/MarvinTests.cs, seeds 1 and 2.
        for (seed, bytes, hash) in [
            (0x004f_b61a_001b_dbcc, &[][..], 0x30ed_35c1_00cd_3c7d),
            (0x004f_b61a_001b_dbcc, &[0xaf], 0x48e7_3fc7_7d75_ddc1),
            (0x004f_b61a_001b_dbcc, &[0xe7, 0x0f], 0xb5f6_e1fc_485d_bff8),
            (0x004f_b61a_001b_dbcc, &[0x37, 0xf4, 0x95], 0xf0b0_7c78_9b8c_f7e8),
            (0x004f_b61a_001b_dbcc, &[0x86, 0x42, 0xdc, 0x59], 0x7008_f2e8_7e9c_f556),
            (0x804f_b61a_001b_dbcc, &[0x15, 0x3f, 0xb7, 0x98, 0x26], 0x0a06_114b_1346_4dbd),
            (0x804f_b61a_001b_dbcc, &[0x09, 0x32, 0xe6, 0x24, 0x6c, 0x47], 0xd6dd_5e40_ad1b_c2ed),
        ] {
            assert_eq!(seeded(bytes, seed), hash, "{bytes:02x?}");
        }
    }
}
