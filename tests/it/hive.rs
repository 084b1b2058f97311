//! Binary hives: what the writer of the workshop writes, what independent readers say of it, and the corpus.

use actriage::artifact::hive::Hive;

use crate::workshop::hive::HiveBuilder;

#[test]
fn first_light() {
    let bytes = HiveBuilder::new()
        .file_name(r"\SystemRoot\System32\Config\SYSTEM")
        .key("Select")
        .dword("Current", 1)
        .key(r"ControlSet001\Services\NlaSvc")
        .dword("Start", 2)
        .sz("ObjectName", r"NT AUTHORITY\NetworkService")
        .binary("Big", &[7; 50_000])
        .build();
    std::fs::write("/tmp/first.hive", &bytes).unwrap();
    let hive = Hive::open(bytes).unwrap();
    assert!(hive.problems().is_empty(), "{:?}", hive.problems());
    let key = hive.key(r"controlset001\SERVICES\nlasvc").unwrap().unwrap();
    assert_eq!(key.value("start").unwrap().unwrap().as_u32(), Some(2));
    assert_eq!(key.value("big").unwrap().unwrap().bytes, vec![7; 50_000]);
    let mut walk = hive.walk();
    while let Some(key) = walk.next() {
        let values = walk.values().count();
        println!("{} {key:?} {values}", walk.path());
    }
    assert_eq!(walk.problem_count(), 0);
}
