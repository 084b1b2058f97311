//! `--redact`: what the input names is in no output, and what is found stays the same; secrets never come out, asked for or not.
//!
//! The names are collected from the plain dumps by a reader of its own, which shares nothing with the one under test.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use actriage::artifact::collection::{Collection, Reading};
use actriage::artifact::event::EventFilter;
use actriage::artifact::{Interest, Part};
use actriage::bundle::Bundle;
use actriage::bundle::limits::Limits;
use actriage::checks::{CHECKS, interest};
use actriage::diagnosis::diagnose;
use actriage::evidence::{Evidence, Settings};
use actriage::redact::Redactor;
use actriage::report::dump::{self, Filter, Lines};
use actriage::report::model::Report;
use actriage::report::{json, terminal};
use assert_cmd::Command;
use memchr::memmem;
use proptest::prelude::*;
use rayon::prelude::*;
use serde_json::Value;

use crate::checks::root;
use crate::corpus;
use crate::samples::recipes;
use crate::workshop::recipe;

fn read(path: &Path, interest: Interest) -> (Bundle, Collection) {
    let bundle = Bundle::open(path, Limits::default()).unwrap();
    let collection = Collection::read(&bundle, &Reading { interest, replay: true, hashes: true });
    (bundle, collection)
}

fn dumps(path: &Path, redactor: &mut Redactor) -> String {
    let (_, collection) = read(path, Interest { events: EventFilter::everything() });
    redactor.learn_events(collection.pieces.iter().flat_map(|piece| match &piece.part {
        Part::Events(log) => log.events.as_slice(),
        _ => &[],
    }));
    let mut out = Vec::new();
    let mut lines = Lines { out: &mut out, redactor };
    let filter = Filter::default();
    dump::artifacts(&mut lines, &collection.artifacts, &filter).unwrap();
    dump::events(&mut lines, &collection, &filter).unwrap();
    dump::captures(&mut lines, &collection, &filter).unwrap();
    dump::security(&mut lines, &collection, &filter).unwrap();
    dump::registry(&mut lines, collection, &filter).unwrap();
    String::from_utf8(out).unwrap()
}

/// The report as it is, the report redacted, and the redactor.
fn reports(path: &Path) -> (Report, Report, Redactor) {
    let (bundle, collection) = read(path, interest());
    let evidence = Evidence::build(collection, &Settings::default());
    let diagnosis = diagnose(&evidence);
    let redactor = Redactor::learn(&evidence);
    let mut redacted = Report::new(&bundle, &diagnosis);
    redactor.report(&mut redacted);
    (Report::new(&bundle, &diagnosis), redacted, redactor)
}

/// Accounts and names of every Windows; addresses that Windows or everybody uses.
const PUBLIC: &[&str] = &[
    "public",
    "default",
    "administrator",
    "guest",
    "gast",
    "system",
    "localservice",
    "networkservice",
    "systemprofile",
    "local service",
    "network service",
    "localhost",
    "anonymous logon",
    "defaultaccount",
    "wdagutilityaccount",
    "defaultuser0",
    "workgroup",
    "all users",
    "default user",
    "administrators",
    "users",
    "guests",
    "everyone",
    "defaultapppool",
];

static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let text: String = CHECKS.iter().map(|check| check.doc() + check.title + "\n").collect();
    let more = "test admin user office desktop laptop windows pc root vpn dat ntuser config server client host name www software version local domain home";
    let words = text.split(|c: char| !c.is_alphanumeric()).chain(more.split(' '));
    words.map(str::to_lowercase).collect()
});

/// A name that is no ordinary word and belongs to somebody.
fn personal(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches('$').to_lowercase();
    let mut parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let word = parts.all(|part| WORDS.contains(part) || part.bytes().all(|b| b.is_ascii_digit()));
    let made_up =
        name.starts_with("umfd-") || name.starts_with("dwm-") || name.contains(['%', '@', '\\', '/', '*']);
    let short = name.chars().filter(|c| c.is_alphanumeric()).count() < 3;
    (!short && !word && !made_up && !PUBLIC.contains(&name.as_str())).then_some(name)
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn name(&mut self, name: &str) {
        // A group that every Windows has (S-1-5-32-551) is nobody's name.
        if name.eq_ignore_ascii_case("backup operators") {
            return;
        }
        self.0.extend(personal(name));
    }

    /// SIDs, mail addresses and hardware addresses have forms of their own, wherever they stand.
    fn forms(&mut self, text: &str) {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':');
        for token in text.split(|c| !word(c)) {
            if let Some(at) = token.find("S-1-5-21-") {
                let sid: String = token[at..]
                    .chars()
                    .enumerate()
                    .take_while(|(n, c)| *n == 0 || matches!(c, '-' | '0'..='9'))
                    .map(|(_, c)| c)
                    .collect();
                if sid.split('-').count() >= 7 && !sid.contains("-21-0-0-0") {
                    self.0.insert(sid.trim_end_matches('-').to_lowercase());
                }
            }
            if let Some((user, domain)) = token.split_once('@')
                && let Some((_, top)) = domain.trim_end_matches('.').rsplit_once('.')
                && !user.is_empty()
                && (2..=12).contains(&top.len())
                && top.bytes().all(|b| b.is_ascii_alphabetic())
                && !["dll", "exe", "sys", "inf", "mui", "cpl", "ocx", "drv"]
                    .contains(&top.to_lowercase().as_str())
                && !domain.contains(':')
                && !user.contains(':')
            {
                self.0.insert(token.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_lowercase());
            }
            let pairs: Vec<&str> = token.split(['-', ':']).collect();
            if pairs.len() == 6
                && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
            {
                let digits = pairs.concat().to_lowercase();
                if !["000000000000", "ffffffffffff"].contains(&digits.as_str())
                    && !digits.starts_with("01005e")
                    && !digits.starts_with("3333")
                {
                    self.0.insert(token.to_lowercase());
                }
            }
        }
    }

    /// Private and self-assigned addresses in fields that hold addresses.
    fn addresses(&mut self, text: &str) {
        for token in text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':'))) {
            let private = match token.parse::<Ipv4Addr>() {
                Ok(address) => address.is_private() || address.is_link_local(),
                Err(_) => token.parse::<Ipv6Addr>().is_ok_and(|address| address.is_unicast_link_local()),
            };
            if private {
                self.0.insert(token.to_lowercase());
            }
        }
    }

    fn tree(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(text) => {
                self.forms(text);
                let key = key.to_lowercase().replace('_', "");
                if key.contains("address")
                    || key.contains("gateway")
                    || matches!(key.as_str(), "dhcpserver" | "nameserver" | "dhcpnameserver")
                {
                    self.addresses(text);
                }
                match key.as_str() {
                    "subjectusername" | "targetusername" => self.name(text),
                    "hostname" | "workstationname" if !text.contains('.') => self.name(text),
                    _ => {}
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.tree(key, item)),
            Value::Object(map) => {
                for (inner, item) in map {
                    self.tree(if inner == "value" { key } else { inner }, item);
                }
            }
            _ => {}
        }
    }

    fn of(dumps: &str) -> Self {
        let mut names = Self::default();
        for line in dumps.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let cell = |name: &str| row[name].as_str().unwrap_or_default();
            // `Users/anna/NTUSER.DAT`: whose profile it is.
            if let Some((_, rest)) = cell("artifact").split_once("Users/") {
                names.name(rest.split('/').next().unwrap());
            }
            if row.get("record_id").is_some() {
                names.name(cell("computer").split('.').next().unwrap());
                names.tree("", &row);
            } else if row.get("hive_key").is_some() && row.get("value").is_some() {
                names.forms(cell("key"));
                let data = &row["data"];
                names.tree(cell("value"), data);
                let data = data.as_str().unwrap_or_default();
                match cell("value") {
                    "ProfileImagePath" => names.name(data.rsplit('\\').next().unwrap()),
                    "ComputerName" if cell("key").contains(r"\Control\ComputerName\") => names.name(data),
                    _ => {}
                }
            } else {
                names.tree("", &row);
            }
        }
        names
    }

    /// Those that stand as whole words in an output.
    fn left_in(&self, output: &str) -> Vec<String> {
        let lower = output.to_lowercase();
        let whole = |at: usize, name: &str| {
            let before = lower[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            let mut after = lower[at + name.len()..].chars();
            let next = after.next();
            // 10.0.0.1 does not stand in 10.0.0.1.5, nor in a version.
            let chain = next == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
            !before && !next.is_some_and(char::is_alphanumeric) && !chain
        };
        let escaped = |name: &String| name.replace('\\', "\\\\");
        self.0
            .iter()
            .filter(|name| {
                let name = escaped(name);
                memmem::find_iter(lower.as_bytes(), name.as_bytes()).any(|at| whole(at, &name))
            })
            .cloned()
            .collect()
    }
}

/// How many names there were, and what is wrong.
fn judge(path: &Path) -> (usize, Vec<String>) {
    let plain = dumps(path, &mut Redactor::default());
    let names = Names::of(&plain);
    let (before, after, mut redactor) = reports(path);
    let options = terminal::Options { width: 4000, color: false, all: true };
    let outputs = [
        ("json", json::render(&after, false).unwrap()),
        ("terminal", terminal::render(&after, options)),
        ("dumps", dumps(path, &mut redactor)),
    ];
    let mut wrong = Vec::new();
    for (output, text) in &outputs {
        for name in names.left_in(text) {
            let at = text.to_lowercase().find(&name).unwrap_or_default();
            let near: String = text
                .to_lowercase()
                .chars()
                .skip(text[..at.min(text.len())].chars().count().saturating_sub(80))
                .take(200)
                .collect();
            wrong.push(format!("{}: {name} in {output}: …{near}…", path.display()));
        }
    }
    let state = |report: &Report| -> Vec<String> {
        let checks = report
            .checks
            .iter()
            .map(|check| format!("{} {:?} {:?}", check.id, check.status, check.confidence));
        checks.chain(report.verdict.root_causes.iter().cloned()).collect()
    };
    if state(&before) != state(&after) {
        wrong.push(format!("{}: another diagnosis", path.display()));
    }
    let again = redactor.json(serde_json::to_value(&after.checks).unwrap());
    if again != serde_json::to_value(&after.checks).unwrap() {
        wrong.push(format!("{}: redacting twice changes the checks", path.display()));
    }
    (names.0.len(), wrong)
}

#[test]
fn no_name_of_a_sample_is_left_in_any_output() {
    let results: Vec<_> = recipes().par_iter().map(|path| judge(&path.with_extension("zip"))).collect();
    let names: usize = results.iter().map(|(names, _)| names).sum();
    println!("{} samples with {names} names", results.len());
    // fixtures/bases/win10.md: computer, user, SID and addresses of the made machine.
    let healthy = Names::of(&dumps(&root().join("samples/healthy.zip"), &mut Redactor::default()));
    for name in ["pc17", "anna", "anna@contoso.com", "s-1-5-21-1-2-3-1001", "10.0.0.20"] {
        assert!(healthy.0.contains(name), "the collector of names misses {name}: {:?}", healthy.0);
    }
    let wrong: Vec<&String> = results.iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_name_of_a_real_machine_is_left_in_any_output() {
    let Some(shared) = corpus::shared() else {
        println!("no ACTRIAGE_CORPUS: no real machine was looked at");
        return;
    };
    let mut all = Vec::new();
    for part in ["corpus/evtx", "corpus/hives", "captures"] {
        crate::benign::places(&shared.join(part), &mut all);
    }
    // The files one by one: whole folders mix machines, and the names of one machine are words of the other. Each is read five times and
    // its dumps are searched for every name, so the largest are left to `ACTRIAGE_CORPUS_BYTES`.
    let most =
        std::env::var("ACTRIAGE_CORPUS_BYTES").ok().and_then(|most| most.parse().ok()).unwrap_or(600_000);
    all.retain(|path| path.is_file() && fs::metadata(path).is_ok_and(|meta| meta.len() <= most));
    let results: Vec<_> = all.par_iter().map(|path| judge(path)).collect();
    let names: usize = results.iter().map(|(names, _)| names).sum();
    println!("{} files with {names} names", results.len());
    let wrong: Vec<&String> = results.iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{} left: {wrong:#?}", wrong.len());
}

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJiZW4ifQ.c2lnbmF0dXJl";

/// Secrets in every kind of place: a command line in a process list, a proxy, a log that no reader knows, the registry.
fn bundle_with_secrets(folder: &Path) -> PathBuf {
    let base = crate::checks::base("complete");
    let case = format!(
        "```text proxy.txt\nC:\\> netsh winhttp show proxy\n\nCurrent WinHTTP proxy settings:\n\n    Proxy Server(s) :  ben:Geheim77@proxy.contoso.com:8080\n    Bypass List     :  (none)\n```\n\
         ```text notes.txt\nsetup.exe /password:Geheim77 /quiet\nAuthorization: Bearer {TOKEN}\nkey NPPR9-FWDCX-D2C8J-H872K-2YT43\nhttps://ben:Geheim77@contoso.com/\n```\n"
    );
    let files = recipe::files_over(&base, &case, &[]);
    let path = folder.join("secrets.zip");
    fs::write(&path, recipe::pack(&files)).unwrap();
    path
}

const SECRETS: [&str; 3] = ["Geheim77", "eyJzdWIiOiJiZW4ifQ", "FWDCX-D2C8J"];

#[test]
fn secrets_come_out_nowhere_and_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle_with_secrets(folder.path());
    let bundle = bundle.to_str().unwrap();
    let run = |args: &[&str]| {
        let output = Command::cargo_bin("actriage").unwrap().args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for redact in [false, true] {
        for command in [
            &["analyze", bundle, "--format", "json", "--all"] as &[&str],
            &["analyze", bundle, "--all"],
            &["facts", bundle],
            &["timeline", bundle, "--all"],
            &["compare", bundle, bundle, "--all"],
            &["inspect", bundle],
            &["inspect", bundle, "--dump", "captures"],
            &["inspect", bundle, "--dump", "registry"],
            &["inspect", bundle, "--dump", "events"],
        ] {
            let mut args = command.to_vec();
            args.extend(redact.then_some("--redact"));
            let text = run(&args);
            assert!(!text.is_empty(), "{args:?}");
            for secret in SECRETS {
                assert!(!text.contains(secret), "{args:?} shows {secret}");
            }
        }
    }
    let report: Value = serde_json::from_str(&run(&["analyze", bundle, "--format", "json"])).unwrap();
    let about =
        report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "collection-completeness");
    let notes = about.unwrap()["notes"].to_string();
    for kind in ["token", "product key", "password", "credentials"] {
        assert!(notes.contains(kind), "{kind}: {notes}");
    }
}

#[test]
fn a_redacted_copy_holds_texts_only_and_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let (output, map) = (folder.path().join("shared.zip"), folder.path().join("map.json"));
    let sample = root().join("samples/mixed.zip");
    Command::cargo_bin("actriage")
        .unwrap()
        .args(["redact", sample.to_str().unwrap(), "--output", output.to_str().unwrap()])
        .args(["--redact-map", map.to_str().unwrap()])
        .assert()
        .success();
    let names = Names::of(&dumps(&sample, &mut Redactor::default()));
    let bundle = Bundle::open(&output, Limits::default()).unwrap();
    let mut all = String::new();
    for entry in &bundle.entries {
        let actriage::bundle::Content::Bytes(bytes) = bundle.read(entry) else { panic!("{}", entry.path) };
        assert!(!bytes.starts_with(b"regf") && !bytes.starts_with(b"ElfFile"), "{}", entry.path);
        all.push_str(&entry.path);
        all.push('\n');
        all.push_str(&String::from_utf8(bytes.to_vec()).unwrap());
    }
    assert!(
        all.contains("REDACTED.txt") && all.contains("a registry hive"),
        "the notice says what was left out"
    );
    assert_eq!(names.left_in(&all), Vec::<String>::new());
    let pairs: Value = serde_json::from_str(&fs::read_to_string(&map).unwrap()).unwrap();
    assert!(!pairs[0]["pseudonyms"].as_array().unwrap().is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&map).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn the_manifest_of_a_copy_fits_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let notes = "profile C:\\Users\\anna\n";
    let manifest = format!(
        r#"{{"schema": "actriage.manifest/1", "collected_at": "2026-11-20T09:00:00Z", "user_sid": "S-1-5-21-1-2-3-1001",
            "items": [{{"id": "notes", "outcome": "success", "path": "notes.txt", "sha256": "{}"}}]}}"#,
        actriage::bundle::sha256(notes.as_bytes())
    );
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/notes.txt"), notes).unwrap();
    fs::write(folder.path().join("in/manifest.json"), manifest).unwrap();
    let output = folder.path().join("out.zip");
    let mut command = Command::cargo_bin("actriage").unwrap();
    command.arg("redact").arg(folder.path().join("in")).arg("--output").arg(&output).assert().success();
    let bundle = Bundle::open(&output, Limits::default()).unwrap();
    let text = |name: &str| {
        let entry = bundle.entries.iter().find(|entry| entry.path == name).unwrap();
        let actriage::bundle::Content::Bytes(bytes) = bundle.read(entry) else { panic!("{name}") };
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    assert_eq!(text("notes.txt"), "profile C:\\Users\\USER-1\n");
    let manifest: Value = serde_json::from_str(&text("manifest.json")).unwrap();
    assert_eq!(manifest["items"][0]["sha256"], actriage::bundle::sha256(text("notes.txt").as_bytes()));
    assert_eq!(manifest["user_sid"], "S-1-5-21-REDACTED-1-1001");
}

#[test]
fn pseudonyms_are_the_same_in_every_output() {
    let run = |args: &[&str]| {
        let mut command = Command::cargo_bin("actriage").unwrap();
        let output = command.current_dir(root()).args(args).arg("--redact").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let report: Value =
        serde_json::from_str(&run(&["analyze", "samples/blocked.zip", "--format", "json"])).unwrap();
    let sid = report["machine"]["users"][0].as_str().unwrap().to_owned();
    assert!(sid.starts_with("S-1-5-21-REDACTED-"), "{sid}");
    let computer = report["machine"]["computer"].as_str().unwrap().to_owned();
    assert!(computer.starts_with("PC-"), "{computer}");
    let dump = run(&["inspect", "samples/blocked.zip", "--dump", "registry"]);
    assert!(dump.contains(&sid) && dump.contains(&computer));
}

static MACHINE: LazyLock<std::sync::Mutex<Redactor>> =
    LazyLock::new(|| std::sync::Mutex::new(reports(&root().join("samples/mixed.zip")).2));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Texts out of the pieces that the recognisers look for, and out of anything.
    #[test]
    fn redacting_twice_is_redacting_once(
        parts in prop::collection::vec(
            prop_oneof![
                "\\PC{0,12}",
                "[a-zA-Z0-9@.:_\\\\/=%-]{0,24}",
                prop::sample::select(vec![
                    "anna", "PC17", "contoso.com", "CONTOSO\\anna", "S-1-5-21-1-2-3-1001", "S-1-12-1-1-2-3-4", "10.0.0.20", "fe80::1%4",
                    "C:\\Users\\anna\\x", "/Users/Max Miller/", "ben@contoso.com", "00-15-5D-01-02-03", "password=", "Bearer ", "eyJ", "://a:b@",
                    "=hex(2):61,00,6e,00,6e,00,61,00,00,00", "616e6e61616e6e61", "tenantid: 11111111-2222-3333-4444-555555555555", "PC-1", "USER-1",
                    "user1@domain1.example", "NPPR9-FWDCX-D2C8J-H872K-2YT43", "-----BEGIN PRIVATE KEY-----", " ", "\n", "\"", "x.local", "version ",
                ]).prop_map(str::to_owned),
            ],
            0..12,
        )
    ) {
        let text = parts.concat();
        let redactor = MACHINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let once = redactor.text(&text);
        prop_assert_eq!(redactor.text(&once), once.clone(), "{}", text);
    }
}
