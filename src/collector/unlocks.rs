//! Which checks read which item: recorded from the checks themselves (tests/it/collector.rs), so that no list can be forgotten.

use std::sync::LazyLock;

/// Item, a tab, and the checks with commas.
const TEXT: &str = include_str!("unlocks.tsv");

static ROWS: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let (item, checks) = line.split_once('\t')?;
        Some((item, checks.split(',').filter(|check| !check.is_empty()).collect()))
    };
    TEXT.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect()
});

/// The checks that read an item.
pub fn checks_of(item: &str) -> Vec<&'static str> {
    ROWS.iter().find(|(id, _)| *id == item).map(|(_, checks)| checks.clone()).unwrap_or_default()
}
