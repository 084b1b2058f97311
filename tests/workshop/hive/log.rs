//! Writes transaction logs: a log turns one state of a hive into the next.
//!
//! The caller builds the hive twice, before and after, marks the first one as dirty and gets the log that holds the pages
//! in which the two differ.

use super::layout::seal;

/// Gives a hive other sequence numbers; different ones make it dirty.
pub fn set_sequences(hive: &mut [u8], primary: u32, secondary: u32) {
    hive[4..8].copy_from_slice(&primary.to_le_bytes());
    hive[8..12].copy_from_slice(&secondary.to_le_bytes());
    seal(hive);
}

/// Breaks the checksum of a hive's base block.
pub fn break_checksum(hive: &mut [u8]) {
    hive[508] ^= 0xff;
}

/// The base block of a log: a copy of the hive's, of another file type.
fn base_block(hive: &[u8], file_type: u32, sequence: u32) -> Vec<u8> {
    let mut block = hive[..512].to_vec();
    block[4..8].copy_from_slice(&sequence.to_le_bytes());
    block[8..12].copy_from_slice(&sequence.to_le_bytes());
    block[28..32].copy_from_slice(&file_type.to_le_bytes());
    seal(&mut block);
    block
}

/// Pages of `after` that are not the same in `before`, as offsets behind the base block.
fn dirty_pages(before: &[u8], after: &[u8]) -> Vec<usize> {
    let page = |hive: &[u8], at: usize| hive.get(4096 + at..4096 + at + 4096).map(<[u8]>::to_vec);
    (0..after.len() - 4096).step_by(4096).filter(|&at| page(before, at) != page(after, at)).collect()
}

/// A log of the new format (Windows 8.1 and later): one entry for each step from a state to the next, numbered from
/// `first_sequence` on.
pub fn new_format(states: &[&[u8]], first_sequence: u32) -> Vec<u8> {
    let mut log = base_block(states[states.len() - 1], 6, first_sequence);
    for (step, pair) in states.windows(2).enumerate() {
        log.extend(entry(pair[0], pair[1], first_sequence.wrapping_add(step as u32)));
    }
    log
}

/// One `HvLE` entry.
pub fn entry(before: &[u8], after: &[u8], sequence: u32) -> Vec<u8> {
    let pages = dirty_pages(before, after);
    let mut body = Vec::new();
    for &at in &pages {
        body.extend((at as u32).to_le_bytes());
        body.extend(4096u32.to_le_bytes());
    }
    for &at in &pages {
        body.extend(&after[4096 + at..4096 + at + 4096]);
    }
    let size = (40 + body.len()).next_multiple_of(512);
    body.resize(size - 40, 0);
    let mut out = b"HvLE".to_vec();
    for number in [size as u32, 0, sequence, after.len() as u32 - 4096, pages.len() as u32] {
        out.extend(number.to_le_bytes());
    }
    out.extend(marvin32(&body).to_le_bytes());
    let second = marvin32(&out);
    out.extend(second.to_le_bytes());
    out.extend(body);
    out
}

/// A log of the old format: a bitmap of 512-byte pages and the pages.
pub fn old_format(before: &[u8], after: &[u8], sequence: u32) -> Vec<u8> {
    let mut log = base_block(after, 1, sequence);
    let dirty = dirty_pages(before, after);
    log.extend(b"DIRT");
    // One byte of the bitmap is one page of 4096 bytes: Windows marks all eight sectors.
    log.extend((0..after.len() - 4096).step_by(4096).map(|at| if dirty.contains(&at) { 0xff } else { 0 }));
    log.resize(log.len().next_multiple_of(512), 0);
    for at in dirty {
        log.extend(&after[4096 + at..4096 + at + 4096]);
    }
    log
}

/// Marvin32 with the seed of the logs.
pub fn marvin32(bytes: &[u8]) -> u64 {
    marvin32_seeded(bytes, 0x82ef_4d88_7a4e_55c5)
}

/// Marvin32 (D. Niels Ferguson and others, US patent 8,555,082): 32-bit words are mixed into two halves of state.
pub fn marvin32_seeded(bytes: &[u8], seed: u64) -> u64 {
    let (mut low, mut high) = (seed as u32, (seed >> 32) as u32);
    let mut mix = |word: u32| {
        low = low.wrapping_add(word);
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        high = high.rotate_left(19);
    };
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(4), 0);
    for word in padded.chunks(4) {
        mix(u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    }
    mix(0);
    (u64::from(high) << 32) | u64::from(low)
}
