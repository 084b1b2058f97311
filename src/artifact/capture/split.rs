//! Cuts a file into the command outputs that it holds.

use super::Block;
use crate::artifact::text::Text;

/// The blocks of a file, in their order.
pub fn split(text: &Text) -> Vec<Block<'_>> {
    vec![Block::whole(text)]
}
