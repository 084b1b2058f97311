//! `--redact`: what the input names is in no output, and what is found stays the same; secrets never come out, asked for or not.

pub mod leaks;
pub mod names;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use actriage::bundle::Bundle;
use actriage::bundle::limits::Limits;
use actriage::redact::Redactor;
use assert_cmd::Command;
use proptest::prelude::*;
use rayon::prelude::*;
use serde_json::Value;

use crate::checks::root;
use crate::workshop::recipe;
use leaks::{Machine, plain_rows};

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
    let mut names = names::Names::default();
    plain_rows(&sample, None).iter().for_each(|row| names.row(row));
    let bundle = Bundle::open(&output, Limits::default()).unwrap();
    let mut all = String::new();
    for entry in &bundle.entries {
        let actriage::bundle::Content::Bytes(bytes) = bundle.read(entry) else { panic!("{}", entry.path) };
        assert!(!bytes.starts_with(b"regf") && !bytes.starts_with(b"ElfFile"), "{}", entry.path);
        all.push_str(&entry.path);
        all.push('\n');
        all.push_str(std::str::from_utf8(&bytes).unwrap());
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

/// All commands that show something of a bundle, through the program itself; `triage` hands the flag on to its workers.
#[test]
fn no_command_shows_a_name() {
    let sample = root().join("samples/mixed.zip");
    let mut names = names::Names::default();
    plain_rows(&sample, None).iter().for_each(|row| names.row(row));
    let folder = tempfile::tempdir().unwrap();
    let dataset = folder.path().join("dataset");
    let commands: &[&[&str]] = &[
        &["analyze", "samples/mixed.zip", "--all"],
        &["analyze", "samples/mixed.zip", "--format", "json"],
        &["analyze", "samples/mixed.zip", "--format", "html"],
        &["analyze", "samples/mixed.zip", "--format", "markdown"],
        &["analyze", "samples/mixed.zip", "--format", "csv"],
        &["analyze", "samples/mixed.zip", "--format", "junit"],
        &["timeline", "samples/mixed.zip", "--all"],
        &["timeline", "samples/mixed.zip", "--all", "--format", "json"],
        &["facts", "samples/mixed.zip"],
        &["compare", "samples/healthy.zip", "samples/mixed.zip", "--all"],
        &["inspect", "samples/mixed.zip"],
        &["inspect", "samples/mixed.zip", "--dump", "artifacts"],
        &["inspect", "samples/mixed.zip", "--dump", "registry"],
        &["inspect", "samples/mixed.zip", "--dump", "security"],
        &["inspect", "samples/mixed.zip", "--dump", "events"],
        &["inspect", "samples/mixed.zip", "--dump", "captures"],
        &["worker", "samples/mixed.zip"],
        &["worker", "samples/mixed.zip", "--flat"],
        &["triage", "samples/mixed.zip", "--out", dataset.to_str().unwrap()],
    ];
    commands.par_iter().for_each(|args| {
        let mut command = Command::cargo_bin("actriage").unwrap();
        let output = command.current_dir(root()).args(*args).arg("--redact").output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2), "{args:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        // What Markdown escapes is the same word to its reader.
        let text = leaks::without_escapes(&text);
        // The made hives have no descriptors.
        assert!(text.len() > 100 || args.contains(&"security"), "{args:?}: {text}");
        assert_eq!(names.left_in(&text), Vec::<String>::new(), "{args:?}");
    });
    let run = fs::read_dir(dataset.join("results")).unwrap().next().unwrap().unwrap().path();
    let part = fs::read_dir(run)
        .unwrap()
        .map(|item| item.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "ndjson"));
    let rows = fs::read_to_string(part.unwrap()).unwrap();
    assert!(rows.contains("USER-1"), "{rows}");
    assert_eq!(names.left_in(&rows), Vec::<String>::new());
}

static MACHINE: LazyLock<std::sync::Mutex<Redactor>> =
    LazyLock::new(|| std::sync::Mutex::new(Machine::read(&root().join("samples/mixed.zip")).redactor));

/// Pieces that the recognisers look for, and anything else.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[a-zA-Z0-9@.:_\\\\/=%-]{0,24}",
        prop::sample::select(vec![
            "anna",
            "PC17",
            "contoso.com",
            "CONTOSO\\anna",
            "S-1-5-21-1-2-3-1001",
            "S-1-12-1-1-2-3-4",
            "10.0.0.20",
            "fe80::1%4",
            "C:\\Users\\anna\\x",
            "/Users/Max Miller/",
            "ben@contoso.com",
            "00-15-5D-01-02-03",
            "password=",
            "Bearer ",
            "eyJ",
            "://a:b@",
            "=hex(2):61,00,6e,00,6e,00,61,00,00,00",
            "616e6e61616e6e61",
            "tenantid: 11111111-2222-3333-4444-555555555555",
            "PC-1",
            "USER-1",
            "user1@domain1.example",
            "NPPR9-FWDCX-D2C8J-H872K-2YT43",
            "-----BEGIN PRIVATE KEY-----",
            " ",
            "\n",
            "\"",
            "x.local",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Each piece in a place of its own, as texts have them.
    #[test]
    fn redacting_twice_is_redacting_once(
        parts in prop::collection::vec((piece(), prop::sample::select(vec![" ", "\n", "\t", " | ", "\" "])), 0..12)
    ) {
        let text: String = parts.iter().flat_map(|(piece, gap)| [piece.as_str(), gap]).collect();
        let redactor = MACHINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let once = redactor.text(&text);
        prop_assert_eq!(redactor.text(&once), once.clone(), "{}", text);
    }

    /// Without any gap between them nothing is certain, but nothing panics either.
    #[test]
    fn pieces_that_run_into_each_other_are_taken(parts in prop::collection::vec(piece(), 0..12)) {
        let redactor = MACHINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        redactor.text(&parts.concat());
    }
}
