//! Tells stretches of UTF-16 from stretches of 8-bit text by their NULs.
//!
//! Appended outputs mix both in one file, without marks and at odd offsets: `wmic` on Windows XP writes 43 ASCII bytes and then
//! UTF-16. So not the file is judged but each byte: three explanations (8-bit text, UTF-16 with its high bytes at even or at odd
//! offsets) cost something for every byte that does not fit them and something for every change between them, and the cheapest
//! way through the file wins (the Viterbi algorithm; one pass forth and one back).

use std::ops::Range;

/// What a stretch of bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ASCII, UTF-8 or a code page.
    EightBit,
    /// UTF-16, low byte first.
    LittleEndian,
    /// UTF-16, high byte first.
    BigEndian,
}

/// Changing the explanation. Less than a line of ASCII costs when it is read as UTF-16, more than a stray NUL costs in 8-bit text.
const CHANGE: u32 = 40;
/// A NUL in 8-bit text.
const NUL: u32 = 32;
/// A control character that no text has.
const CONTROL: u32 = 12;
/// Two printable ASCII bytes read as one UTF-16 unit: possible for an ideograph, the rule for ASCII.
const ASCII_PAIR: u32 = 6;
/// A unit outside the scripts that Windows is translated into.
const STRANGE: u32 = 4;
/// A unit outside Latin-1.
const FOREIGN: u32 = 1;

/// Index of the explanations: 8-bit, high bytes at even offsets, high bytes at odd offsets.
const EIGHT: usize = 0;

/// Cuts bytes into stretches of one kind each.
pub fn stretches(bytes: &[u8]) -> Vec<(Range<usize>, Kind)> {
    let back = forth(bytes);
    let mut stretches: Vec<(Range<usize>, Kind)> = Vec::new();
    let mut state = back.last_state;
    let mut end = bytes.len();
    for (at, from) in back.from.iter().enumerate().rev() {
        let before = usize::from(from >> (2 * state)) & 3;
        if before != state || at == 0 {
            stretches.push((at..end, kind(state, at)));
            end = at;
        }
        state = before;
    }
    stretches.reverse();
    stretches
}

/// A stretch that begins with its high byte is big-endian.
fn kind(state: usize, start: usize) -> Kind {
    match state {
        EIGHT => Kind::EightBit,
        high if start % 2 == high - 1 => Kind::BigEndian,
        _ => Kind::LittleEndian,
    }
}

struct Way {
    /// For each byte and each explanation of it, the explanation of the byte before, two bits each.
    from: Vec<u8>,
    last_state: usize,
}

fn forth(bytes: &[u8]) -> Way {
    let mut costs = [0_u32; 3];
    let mut from = Vec::with_capacity(bytes.len());
    let mut before = 0_u8;
    for (at, &byte) in bytes.iter().enumerate() {
        let mut next = [0_u32; 3];
        let mut came = 0_u8;
        let next_states = next.iter_mut().enumerate();
        for (state, cost) in next_states {
            let (best, whence) = cheapest(&costs, state, at);
            *cost = best + misfit(state, at, before, byte);
            came |= u8::try_from(whence).unwrap_or(0) << (2 * state);
        }
        // Only differences count, so the sums stay small however long the file is.
        let least = next.iter().copied().min().unwrap_or(0);
        costs = next.map(|cost| cost - least);
        from.push(came);
        before = byte;
    }
    let last_state =
        costs.iter().enumerate().min_by_key(|(_, cost)| **cost).map_or(EIGHT, |(state, _)| state);
    Way { from, last_state }
}

/// The cheapest explanation of the byte before, for one of this byte. Where costs tie, UTF-16 begins with its low byte and ends
/// with its high byte: Windows writes nothing else.
fn cheapest(costs: &[u32; 3], state: usize, at: usize) -> (u32, usize) {
    let mut best = (u32::MAX, state);
    for (other, cost) in costs.iter().enumerate() {
        let change = match (other, state) {
            (other, state) if other == state => 0,
            (EIGHT, high) => CHANGE + u32::from(at % 2 == high - 1),
            (high, EIGHT) => CHANGE + u32::from(at % 2 == high - 1),
            _ => CHANGE + 1,
        };
        if at == 0 {
            return (if state == EIGHT { 0 } else { u32::from(state == 1) }, state);
        }
        if cost + change < best.0 || (cost + change == best.0 && other == state) {
            best = (cost + change, other);
        }
    }
    best
}

/// How badly a byte fits an explanation.
fn misfit(state: usize, at: usize, before: u8, byte: u8) -> u32 {
    if state == EIGHT {
        return match byte {
            0 => NUL,
            byte if is_control(byte) => CONTROL,
            _ => 0,
        };
    }
    if at % 2 != state - 1 {
        return 0;
    }
    match (before, byte) {
        (0, 0) => FOREIGN,
        (low, 0) if is_control(low) => CONTROL,
        (_, 0) => 0,
        // Kana: the high byte is the digit 0.
        (0x41.., 0x30) => FOREIGN,
        (b' '..=b'~' | b'\r' | b'\n' | b'\t', b' '..=b'~' | b'\r' | b'\n' | b'\t') => ASCII_PAIR,
        (
            _,
            0x01..=0x06 | 0x0e | 0x11 | 0x1e | 0x20..=0x27 | 0x30..=0x33 | 0x4e..=0x9f | 0xac..=0xd7 | 0xf9..,
        ) => FOREIGN,
        _ => STRANGE,
    }
}

fn is_control(byte: u8) -> bool {
    matches!(byte, 0x01..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)
}

/// Whether little-endian UTF-16 (a mark says so) may hold a stretch of 8-bit text: a run of units that are two ASCII bytes each.
pub fn may_hold_ascii(bytes: &[u8]) -> bool {
    let mut run = 0_u32;
    for pair in bytes.chunks_exact(2) {
        match pair {
            [b' '..=b'~' | b'\r' | b'\n' | b'\t', b' '..=b'~' | b'\r' | b'\n' | b'\t'] => run += 1,
            _ => run = 0,
        }
        if run * ASCII_PAIR > CHANGE {
            return true;
        }
    }
    false
}
