//! The registry over real files: `.reg` captures with values read by eye, and the corpus hives through the view.

use std::collections::HashMap;
use std::path::Path;

use actriage::artifact::ArtifactId;
use actriage::artifact::hive::Hive;
use actriage::artifact::reg_export::RegText;
use actriage::artifact::text::Text;
use actriage::artifact::value::{RegValue, ValueType};
use actriage::evidence::Lookup;
use actriage::evidence::registry::{Registry, Sources};

use crate::corpus::{shared, tsv};

/// File, keys, values (counted with `grep -c '^\['` and `'^["@]'` on the decoded files), a key, a value and its data as a
/// person reads them in the file.
const CAPTURES: [(&str, usize, usize, &str, &str, &str); 8] = [
    (
        "any-regedit4-1.txt",
        2,
        4,
        r"HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator",
        "Name",
        r#"Straße "x" C:\Temp"#,
    ),
    (
        "any-win10-2.txt",
        18,
        41,
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Nla\Cache\Intranet\VALUE1",
        "Successes",
        "3847 (0xf07)",
    ),
    (
        "any-win10-3.txt",
        2,
        6,
        r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\DomainProfile\Logging",
        "LogFilePath",
        r"%systemroot%\system32\LogFiles\Firewall\pfirewall.log",
    ),
    ("any-win10-4.txt", 2, 15, r"HKLM\SOFTWARE\WOW6432Node\TeamViewer", "Version", "14.1.3399 HC"),
    (
        "any-win10-5.txt",
        5,
        8,
        r"HKLM\SOFTWARE\Microsoft\Office\16.0\Registration\{C47456E3-265D-47B6-8CA0-C30ABBD0CA36}",
        "ProductCode",
        "{90160000-0011-0000-1000-0000000FF1CE}",
    ),
    (
        "any-win11-1.txt",
        1,
        9,
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\LogonUI",
        "LastLoggedOnSAMUser",
        r"AzureAD\JohnDoe",
    ),
    (
        "any-win7-1.txt",
        28,
        74,
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\NewNetworks",
        "NetworkList",
        "{C6051DC7-23A9-4602-A9AD-9FF61EEBC50F}",
    ),
    (
        "ru-win10-1.txt",
        3,
        27,
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{50F91F80-D397-437C-B0C8-62128DE3B55E}",
        "HelpLink",
        "https://support.cryptopro.ru/",
    ),
];

#[test]
fn captures_of_exports_read_as_a_person_reads_them() {
    let Some(root) = shared() else {
        eprintln!("ACTRIAGE_CORPUS is not set: nothing compared");
        return;
    };
    for (file, keys, values, path, name, data) in CAPTURES {
        let bytes = std::fs::read(root.join("captures/reg_export").join(file)).unwrap();
        let text = RegText::parse_export(&Text::decode(&bytes)).unwrap();
        // Somebody took the blank line off the end of this one, so it does not show that it is whole.
        let expected_problems = usize::from(file == "any-win10-5.txt");
        assert_eq!(text.problems.len(), expected_problems, "{file}: {:?}", text.problems);
        assert_eq!(text.keys.len(), keys, "{file}");
        assert_eq!(text.keys.iter().map(|key| key.values.len()).sum::<usize>(), values, "{file}");
        let mut sources = Sources::default();
        sources.add_text(ArtifactId(0), file, text);
        let found = sources.mount().value(path, name);
        assert_eq!(found.found().map(|found| found.value.display()).as_deref(), Some(data), "{file}");
    }
    println!("{} exports compared", CAPTURES.len());
}

#[test]
fn regedit4_lists_become_what_a_hive_stores() {
    let Some(root) = shared() else { return };
    let bytes = std::fs::read(root.join("captures/reg_export/any-regedit4-1.txt")).unwrap();
    let text = RegText::parse_export(&Text::decode(&bytes)).unwrap();
    assert!(text.script, "it deletes a value and a key");
    let multi = text.keys[0].values.iter().find(|(value, _)| value.name == "Multi").unwrap();
    // hex(7):41,00,42,00,00 in ANSI is A, B.
    assert_eq!(multi.0.as_list().unwrap(), ["A", "B"]);
}

/// The view over one corpus hive.
fn mount(root: &Path, file: &str) -> Result<Registry, Box<dyn std::error::Error>> {
    let hive = Hive::open(std::fs::read(root.join("corpus").join(file))?)?;
    let mut sources = Sources::default();
    sources.add_hive(ArtifactId(0), file, hive, None);
    Ok(sources.mount())
}

/// The live place of a corpus hive, from the kind and the DACL that independent readers give (`root_sd.tsv`).
fn place(row: &HashMap<String, String>) -> Option<String> {
    let sddl = &row["sddl_winacl"];
    match row["kind"].as_str() {
        "SYSTEM" => Some(r"HKLM\SYSTEM".to_owned()),
        "DEFAULT" => Some(r"HKU\.DEFAULT".to_owned()),
        "NTUSER" => {
            let sid = sddl.split([';', ')']).find(|part| part.starts_with("S-1-5-21-"))?;
            Some(format!(r"HKU\{sid}"))
        }
        service => service.strip_prefix("NTUSER-S-").map(|sid| format!(r"HKU\S-{sid}")),
    }
}

#[test]
fn corpus_hives_go_to_their_places() {
    let Some(root) = shared() else { return };
    let rows = tsv(&root.join("corpus/root_sd.tsv"));
    for row in &rows {
        let registry = mount(&root, &row["file"]).unwrap();
        let first = registry.rows().next().unwrap();
        match place(row) {
            Some(place) => assert_eq!(*first.key, *place, "{}", row["file"]),
            None => {
                assert_eq!(&*first.key, "", "{}", row["file"]);
                assert_eq!(registry.conflicts().len(), 1, "{}", row["file"]);
                assert!(registry.accounts().is_empty(), "{}", row["file"]);
            }
        }
    }
    println!("{} hives placed", rows.len());
}

/// The data as the tables write them: lists joined with `|`, bytes in hex, backslashes and line ends escaped.
fn as_in_table(value: &RegValue) -> String {
    let text = match value.as_list() {
        Some(list) => list.join("|"),
        None => match value.to_json() {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        },
    };
    let is_text = matches!(value.kind, ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ);
    if !is_text {
        return text;
    }
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r").replace('\t', r"\t")
}

/// Whether two data are the same; the tables cut long data (`…(23748 bytes)`) and hide token-like ones.
fn same_data(ours: &str, theirs: &str) -> bool {
    match theirs.split_once("...(") {
        Some((start, len)) => {
            let bytes = len.strip_suffix(" bytes)").and_then(|len| len.parse::<usize>().ok());
            ours.starts_with(start) && bytes == Some(ours.len() / 2)
        }
        None => theirs.starts_with("<redacted") || ours == theirs,
    }
}

#[test]
fn the_view_agrees_with_the_corpus_tables() {
    let Some(root) = shared() else { return };
    let places: HashMap<String, String> = tsv(&root.join("corpus/root_sd.tsv"))
        .iter()
        .filter_map(|row| Some((row["file"].clone(), place(row)?)))
        .collect();
    let mut registries: HashMap<String, Registry> = HashMap::new();
    let (mut compared, mut different) = (0, Vec::new());
    for row in tsv(&root.join("corpus/hive_facts.tsv")) {
        let Some(place) = places.get(&row["file"]) else { continue };
        let file = row["file"].clone();
        let registry = registries.entry(file.clone()).or_insert_with(|| mount(&root, &file).unwrap());
        let path = format!("{place}\\{}", row["key"]);
        let name = if row["value"] == "(default)" { "" } else { row["value"].as_str() };
        let agrees = match row["type"].as_str() {
            "<key>" => registry.key(&path).found().is_some(),
            "<absent>" => registry.key(&path).is_absent(),
            "<value absent>" => registry.value(&path, name).is_absent(),
            kind if kind.starts_with("REG_") => match registry.value(&path, name) {
                Lookup::Found(found) => {
                    found.value.kind.name() == kind && same_data(&as_in_table(&found.value), &row["data"])
                }
                _ => false,
            },
            _ => continue,
        };
        compared += 1;
        if !agrees {
            let found = registry.value(&path, name).map(|value| as_in_table(&value));
            different.push(format!(
                "{file} {path}!{name} is {:.80} and not {:.80}",
                format!("{found:?}"),
                row["data"]
            ));
        }
    }
    println!("{compared} rows compared, {} different", different.len());
    assert!(compared > 1000);
    assert!(different.is_empty(), "{:#?}", &different[..different.len().min(10)]);
}
