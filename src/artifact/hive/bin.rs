//! Hive bins: the blocks that cells lie in, chained from behind the base block to the end.
//!
//! No cell is looked up through them; what is wrong with the chain is told as a sign of damage.

use super::base_block::LEN as BASE_LEN;
use super::bytes::u32_at;
use super::{Fault, Hive, HiveError};

/// Faults that are listed; a hive without any sound bin would otherwise give one for each page.
const MAX_LISTED: usize = 1000;

/// What is wrong with the base block, the length of the file and the chain of hive bins.
pub(super) fn frame_faults(hive: &Hive) -> Vec<HiveError> {
    let mut faults = Vec::new();
    let base = &hive.base;
    if !base.checksum_ok {
        faults.push(HiveError::new(508, Fault::Checksum));
    }
    let there = hive.bytes.len().saturating_sub(BASE_LEN);
    if there < base.bins_len as usize {
        faults.push(HiveError::new(
            hive.bytes.len() as u64,
            Fault::Truncated { named: base.bins_len, there: there as u32 },
        ));
    }
    if let Err(fault) = hive.root() {
        faults.push(fault);
    }
    let end = there.min(base.bins_len as usize);
    let mut offset = 0;
    while offset < end && faults.len() < MAX_LISTED {
        offset += match bin_len(hive, offset) {
            Ok(len) => len,
            Err(fault) => {
                faults.push(HiveError::new((offset + BASE_LEN) as u64, fault));
                // Bins start at multiples of 4096: the next sound one ends the damage.
                let blocks = (1..).take_while(|block| offset + block * 4096 < end);
                let sound =
                    blocks.map(|block| block * 4096).find(|step| bin_len(hive, offset + step).is_ok());
                sound.unwrap_or(end - offset)
            }
        };
    }
    faults
}

/// The length of the bin at an offset behind the base block.
fn bin_len(hive: &Hive, offset: usize) -> Result<usize, Fault> {
    let head = hive.bytes.get(offset + BASE_LEN..).and_then(|rest| rest.first_chunk::<32>());
    let Some(head) = head else { return Err(Fault::NoBin([0; 4])) };
    if !head.starts_with(b"hbin") {
        return Err(Fault::NoBin(head.first_chunk().copied().unwrap_or_default()));
    }
    if u32_at(head, 4) as usize != offset {
        return Err(Fault::BinOffset(u32_at(head, 4)));
    }
    match u32_at(head, 8) {
        len if len > 0 && len % 4096 == 0 => Ok(len as usize),
        len => Err(Fault::BinSize(len)),
    }
}
