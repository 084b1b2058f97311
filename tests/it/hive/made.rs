//! Hives that the workshop wrote.

use actriage::artifact::hive::Hive;

use crate::workshop::hive::HiveBuilder;

#[test]
fn first_light() {
    let bytes = HiveBuilder::new().key("Select").dword("Current", 1).build();
    let hive = Hive::open(bytes).unwrap();
    assert!(hive.problems().is_empty(), "{:?}", hive.problems());
}
