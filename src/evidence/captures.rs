//! Questions to the command outputs.
