//! The corpus of real hives, held against tables that other readers made (dissect.regf, libregf, yarp, winacl, reglookup).
//!
//! Runs only with `ACTRIAGE_CORPUS`. Every row of every table is compared; the number of rows is printed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use actriage::artifact::hive::log::{Fit, HiveLog};
use actriage::artifact::hive::{Hive, HiveKind, Key};
use actriage::artifact::security::SecurityDescriptor;
use actriage::artifact::value::{RegValue, hex};
use sha2::{Digest, Sha256};

use crate::corpus::{shared, tsv};

type Row = HashMap<String, String>;

/// The folder of the tables and hives, or `None` (said aloud) without a corpus.
pub fn corpus() -> Option<PathBuf> {
    let root = shared();
    if root.is_none() {
        println!("ACTRIAGE_CORPUS is not set: nothing compared");
    }
    root.map(|root| root.join("corpus"))
}

fn open(corpus: &Path, file: &str) -> Hive {
    let path = corpus.join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Hive::open(bytes).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The logs that `pairs.tsv` gives to a hive.
fn logs(corpus: &Path, pair: &Row) -> Vec<HiveLog> {
    let files = ["log", "log1", "log2"].map(|column| pair.get(column).cloned().unwrap_or_default());
    let logs = files.iter().filter(|file| !file.is_empty());
    logs.map(|file| HiveLog::open(std::fs::read(corpus.join(file)).unwrap()).unwrap()).collect()
}

fn replayed(corpus: &Path, file: &str) -> Hive {
    let pair = tsv(&corpus.join("pairs.tsv")).into_iter().find(|pair| pair["hive"] == file).unwrap();
    let (hive, replay) = open(corpus, file).replay(&logs(corpus, &pair));
    assert!(replay.clean, "{file}: {}", replay.summary);
    hive
}

/// Compares all rows of a table of facts; what differs, in words.
fn compare(table: &str, load: impl Fn(&Path, &str) -> Hive) {
    let Some(corpus) = corpus() else { return };
    let rows = tsv(&corpus.join(table));
    let mut hives: BTreeMap<String, Hive> = BTreeMap::new();
    let mut differences = Vec::new();
    for row in &rows {
        let file = &row["file"];
        let hive = hives.entry(file.clone()).or_insert_with(|| load(&corpus, file));
        if let Err(difference) = check(hive, row) {
            differences.push(format!("{file} {}!{}: {difference}", row["key"], row["value"]));
        }
    }
    println!("{table}: {} rows compared, {} different, {} hives", rows.len(), differences.len(), hives.len());
    for difference in &differences {
        println!("{difference}");
    }
    assert!(differences.is_empty());
}

fn names(key: &Key<'_>) -> Vec<String> {
    key.subkeys().map(|key| key.unwrap().name().into_owned()).collect()
}

/// Whether the hive says what the row says.
fn check(hive: &Hive, row: &Row) -> Result<(), String> {
    let key = hive.key(&row["key"]);
    let found = |found: String| {
        if found == row["data"] { Ok(()) } else { Err(format!("{found} for {}", row["data"])) }
    };
    let there = || key.map_err(|error| error.to_string())?.ok_or_else(|| "no key".to_owned());
    match row["type"].as_str() {
        "<key>" => there().map(|_| ()),
        "<absent>" => match &key {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        },
        "<root-subkeys>" | "<subkeys>" => found(names(&there()?).join("|")),
        "<subkey-count>" => found(there()?.subkeys().count().to_string()),
        "<value absent>" => match there()?.value(&row["value"]) {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        },
        // "more than 120 keys" below this one: the table's maker stopped there.
        "<truncated>" => {
            let start = format!("{}\\", row["key"].to_lowercase());
            let mut walk = hive.walk();
            let mut below = 0;
            while walk.next().is_some() {
                below += usize::from(walk.path().to_lowercase().starts_with(&start));
            }
            if below > 120 { Ok(()) } else { Err(format!("{below} keys")) }
        }
        // Neither reader of the table could read anything of this hive. Ours must at least find the keys that its intact lists
        // name; `a_damaged_system_hive_is_read_as_far_as_it_goes` looks closer.
        "<unreadable>" => there().map(|_| ()),
        "(decoded)" => {
            let name = row["value"].trim_end_matches("#path");
            let value = there()?.value(name).map_err(|error| error.to_string())?.ok_or("no value")?;
            // The first field of a PackedCatalogItem is a path in the ANSI code page, ended by a NUL (domain.md 6.7).
            let path: String =
                value.bytes.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte)).collect();
            found(path.replace('\\', r"\\"))
        }
        kind => {
            let name = if row["value"] == "(default)" { "" } else { &row["value"] };
            let value = there()?.value(name).map_err(|error| error.to_string())?.ok_or("no value")?;
            if value.kind.name() != kind || value.truncated {
                return Err(format!("{value:?}"));
            }
            match row["data"].strip_prefix("<redacted len=") {
                Some(redacted) => same_secret(&value, redacted),
                None => match row["data"].split_once("...(") {
                    // Long data is cut in the table and its length given.
                    Some((start, len)) if kind == "REG_BINARY" => {
                        let same = printed(&value).starts_with(start)
                            && len == format!("{} bytes)", value.bytes.len());
                        if same { Ok(()) } else { Err(format!("{} bytes, other ones", value.bytes.len())) }
                    }
                    _ => found(printed(&value)),
                },
            }
        }
    }
}

/// The data as the tables print it.
fn printed(value: &RegValue) -> String {
    if let Some(number) = value.as_u64() {
        return number.to_string();
    }
    let text = value.as_list().map(|list| list.join("|")).or_else(|| value.as_text());
    text.map_or_else(|| hex(&value.bytes), |text| text.replace('\\', r"\\"))
}

/// `LEN sha256/16 of printed form=HASH>`.
fn same_secret(value: &RegValue, redacted: &str) -> Result<(), String> {
    let printed = printed(value);
    let (len, hash) = redacted.split_once(" sha256/16 of printed form=").unwrap();
    let forms = [printed.clone(), printed.replace(r"\\", r"\")];
    let same = forms.iter().any(|form| {
        form.chars().count().to_string() == len
            && hash.starts_with(&hex(&Sha256::digest(form.as_bytes()))[..16])
    });
    if same { Ok(()) } else { Err(format!("{} characters, another hash", printed.len())) }
}

#[test]
fn hives_as_stored() {
    compare("hive_facts.tsv", open);
}

#[test]
fn hives_after_their_logs() {
    compare("hive_facts_after_replay.tsv", replayed);
}

/// `KX` of the tables is the mask 0x20019, which Windows prints as `KR`; their `S:` part is only control flags. Both sides are
/// read and compared as owner, group, control flags and entries.
fn same_security(descriptor: &SecurityDescriptor, row: &Row) -> Result<(), String> {
    // In one row winacl could not print the SACL and says so behind the text.
    let text = row["sddl_winacl"].trim_end_matches(" [SACL omitted: AttributeError]");
    let expected = SecurityDescriptor::from_sddl(text).map_err(|problem| problem.to_string())?;
    let found =
        SecurityDescriptor::from_sddl(&descriptor.to_sddl()).map_err(|problem| problem.to_string())?;
    if found != expected {
        return Err(format!("{} for {}", descriptor.to_sddl(), row["sddl_winacl"]));
    }
    for (name, sid) in [("owner", &descriptor.owner), ("group", &descriptor.group)] {
        if sid.as_ref().map(|sid| sid.as_str()) != Some(&row[name]) {
            return Err(format!("{name} {sid:?} for {}", row[name]));
        }
    }
    Ok(())
}

#[test]
fn security_descriptors() {
    let Some(corpus) = corpus() else { return };
    for (table, root) in [("root_sd.tsv", true), ("key_sd.tsv", false)] {
        let rows = tsv(&corpus.join(table));
        let mut different = 0;
        for row in &rows {
            let hive = open(&corpus, &row["file"]);
            let path = if root || row["key"] == "(root)" { "" } else { &row["key"] };
            let key = hive.key(path).unwrap().unwrap();
            if let Err(difference) =
                key.security().map_err(|error| error.to_string()).and_then(|own| same_security(&own, row))
            {
                println!("{} {path}: {difference}", row["file"]);
                different += 1;
            }
        }
        println!("{table}: {} rows compared, {different} different", rows.len());
        assert_eq!(different, 0);
    }
}

#[test]
fn kinds_accounts_and_counts() {
    let Some(corpus) = corpus() else { return };
    let (mut hives, mut logs) = (0, 0);
    for row in tsv(&corpus.join("MANIFEST.tsv")).iter().filter(|row| row["path"].starts_with("hives/")) {
        let path = &row["path"];
        let bytes = std::fs::read(corpus.join(path)).unwrap();
        let told = &row["kind"];
        assert_eq!(
            Hive::recognise(&bytes),
            !told.starts_with("LOG:") && told != "fragment/not-regf",
            "{path}"
        );
        assert_eq!(HiveLog::recognise(&bytes), told.starts_with("LOG:"), "{path}");
        if HiveLog::recognise(&bytes) {
            let name = HiveLog::open(bytes).unwrap().hive_name().to_lowercase();
            assert!(told.ends_with(name.rsplit('\\').next().unwrap()), "{path}: {name}");
            logs += 1;
            continue;
        }
        let Ok(hive) = Hive::open(bytes) else { continue };
        hives += 1;
        let (kind, _) = told.split_once('-').unwrap_or((told, ""));
        // The manifest's kinds were told by names, places and contents.
        let expected = match kind {
            "SYSTEM" => HiveKind::System,
            "SAM" => HiveKind::Sam,
            "SECURITY" => HiveKind::Security,
            "BCD" => HiveKind::Bcd,
            "UsrClass" => HiveKind::UserClasses,
            "DEFAULT" => HiveKind::User,
            "NTUSER" if told != "NTUSER-Software" => HiveKind::User,
            // ELAM, a saved part of a profile, and hives made for tests.
            _ if path.ends_with("SAN(OTHER)") => HiveKind::Sam,
            _ if path.ends_with("SECURITYNoRoot") => HiveKind::User,
            _ => HiveKind::Other,
        };
        assert_eq!(hive.kind(), expected, "{path}");
        if let Some(sid) = told.strip_prefix("NTUSER-S-") {
            assert_eq!(hive.user_sid().unwrap().as_str(), format!("S-{sid}"), "{path}");
        }
        if told == "NTUSER-DefaultUser" {
            assert_eq!(hive.user_sid(), None, "{path}: the template of all users is nobody's");
        }
        if told == "DEFAULT" {
            assert_eq!(hive.user_sid().unwrap().as_str(), "S-1-5-18", "{path}");
        }
        // libregf's counts stand in the notes of the hives that it read without errors.
        let mut walk = hive.walk();
        let (mut keys, mut values) = (0, 0);
        while walk.next().is_some() {
            keys += 1;
            values += walk.values().count();
        }
        let counts = format!("libregf: {keys} keys {values} values, errs");
        if row["notes"].contains("errs 0") {
            assert!(row["notes"].contains(&counts), "{path}: {counts} in {}", row["notes"]);
            assert_eq!(walk.problem_count(), 0, "{path}: {:?}", walk.problems());
        }
    }
    println!("MANIFEST.tsv: {hives} hives and {logs} logs compared");
}

#[test]
fn logs_find_their_hives_by_content() {
    let Some(corpus) = corpus() else { return };
    let pairs = tsv(&corpus.join("pairs.tsv"));
    let hives: Vec<Hive> = pairs.iter().map(|pair| open(&corpus, &pair["hive"])).collect();
    for (pair, own) in pairs.iter().zip(&hives) {
        for log in logs(&corpus, pair) {
            // plaso put this old log beside another user's hive.
            if pair["hive"].contains("plaso") {
                assert_eq!(log.fit(own), Fit::Name);
                continue;
            }
            let best = hives.iter().map(|hive| log.fit(hive)).max().unwrap();
            assert_eq!(log.fit(own), best, "{}", pair["hive"]);
            assert!(best >= Fit::Name);
            let rivals = hives.iter().filter(|hive| log.fit(hive) == Fit::Path).count();
            assert!(rivals <= 1, "{}: {rivals} hives", pair["hive"]);
        }
    }
}

#[test]
fn every_key_that_is_walked_is_found() {
    let Some(corpus) = corpus() else { return };
    let (mut keys, mut doubles) = (0, 0);
    for row in tsv(&corpus.join("MANIFEST.tsv")).iter().filter(|row| row["path"].starts_with("hives/")) {
        let Ok(hive) = Hive::open(std::fs::read(corpus.join(&row["path"])).unwrap()) else { continue };
        let mut walk = hive.walk();
        while let Some(key) = walk.next() {
            keys += 1;
            let found = hive.key(&walk.path().to_ascii_uppercase()).ok().flatten();
            let found = found.unwrap_or_else(|| panic!("{}: {}", row["path"], walk.path()));
            doubles += usize::from(found.position() != key.position());
        }
    }
    println!("{keys} keys looked up; {doubles} found another key of the same name first");
    assert_eq!(doubles, 0);
}

/// Everything in a hive: keys as `\a\b\`, values as `\a\b\\name`, with type and data.
fn everything(hive: &Hive) -> BTreeMap<String, Option<(u32, Vec<u8>)>> {
    let mut all = BTreeMap::new();
    let mut walk = hive.walk();
    while walk.next().is_some() {
        let path = if walk.path().is_empty() { String::new() } else { format!("\\{}", walk.path()) };
        all.insert(format!("{path}\\"), None);
        for (value, data) in walk.values() {
            let name = value.name();
            let name = if name.is_empty() { "(Default)" } else { &name };
            all.insert(format!("{path}\\\\{name}"), Some((value.kind().0, data.bytes.into_owned())));
        }
    }
    assert_eq!(walk.problem_count(), 0, "{:?}", walk.problems());
    all
}

#[test]
fn replays_change_what_yarp_says() {
    let Some(corpus) = corpus() else { return };
    let mut rows: HashMap<String, Vec<Row>> = HashMap::new();
    for row in tsv(&corpus.join("log_replay_diff.tsv")) {
        rows.entry(row["hive"].clone()).or_default().push(row);
    }
    let (mut compared, mut differences) = (0, Vec::new());
    let pairs = tsv(&corpus.join("pairs.tsv"));
    for pair in &pairs {
        let file = &pair["hive"];
        let before = open(&corpus, file);
        assert_eq!(before.is_dirty(), pair["status"] == "dirty", "{file}");
        assert_eq!(before.base_block().primary_sequence.to_string(), pair["seq1"]);
        assert_eq!(before.base_block().secondary_sequence.to_string(), pair["seq2"]);
        let was = everything(&before);
        let (after, replay) = before.replay(&logs(&corpus, pair));
        println!("{file}: {}", replay.summary);
        assert!(replay.clean && !after.is_dirty(), "{file}: {replay:?}");
        assert_eq!(!replay.applied.is_empty(), pair["yarp_result"].contains("recovered=True"), "{file}");
        let recovered = &pair["yarp_sha256_of_recovered_body"];
        if !recovered.is_empty() {
            let own = hex(&Sha256::digest(&after.as_bytes()[4096..]));
            assert_eq!(own, *recovered, "{file}: the body");
        }
        let is = everything(&after);
        let rows = rows.remove(file).unwrap_or_default();
        let listed = rows.len();
        for row in rows {
            compared += 1;
            let path = &row["path(key\\\\value)"];
            let wrong = match row["change"].as_str() {
                "added" => was.contains_key(path) || !same(is.get(path), &row["after_hex"]),
                "removed" => is.contains_key(path) || !same(was.get(path), &row["before_hex"]),
                "modified" => {
                    !same(was.get(path), &row["before_hex"]) || !same(is.get(path), &row["after_hex"])
                }
                other => panic!("{other}"),
            };
            if wrong {
                differences.push(format!("{file} {} {path}", row["change"]));
            }
        }
        let changed = is.iter().filter(|(path, value)| was.get(*path) != Some(value)).count()
            + was.keys().filter(|path| !is.contains_key(*path)).count();
        assert_eq!(changed, listed, "{file}: changes that the table does not list");
    }
    println!(
        "pairs.tsv: {} pairs; log_replay_diff.tsv: {compared} rows compared, {} different",
        pairs.len(),
        differences.len()
    );
    for difference in differences.iter().take(20) {
        println!("{difference}");
    }
    assert!(rows.is_empty() && differences.is_empty());
}

/// Whether the data is what a cell of the table says: its first 200 bytes in hex, or the hash of that text.
fn same(found: Option<&Option<(u32, Vec<u8>)>>, cell: &str) -> bool {
    let Some(found) = found else { return false };
    let bytes = found.as_ref().map_or(&[][..], |(_, bytes)| bytes);
    let text = hex(&bytes[..bytes.len().min(200)]);
    match cell.strip_prefix("<redacted sha256/16=") {
        Some(hash) => hash == format!("{}>", &hex(&Sha256::digest(text.as_bytes()))[..16]),
        None => text == cell,
    }
}
