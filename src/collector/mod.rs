//! What to collect at the affected machine, and the script that does it.
//!
//! `table.txt` is the only place that says what is collected. The script's own table, `docs/collector.md` and `actriage explain
//! --collect` are made from it; which checks read an item is recorded from the checks. Tests hold all of them together.

pub mod render;
pub mod table;
pub mod unlocks;

/// The collector script, as `actriage collector` prints it.
pub const SCRIPT: &str = include_str!("Collect-ActivationEvidence.ps1");
/// Its name.
pub const SCRIPT_NAME: &str = "Collect-ActivationEvidence.ps1";
