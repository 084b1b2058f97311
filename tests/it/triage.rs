//! `triage` from the outside: every bundle is a row, whatever is wrong with it, and a kill loses and doubles nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::checks::root;
use crate::workshop::fleet::{Fault, Fleet, Made, put};
use crate::workshop::recipe::{File, hive, pack};

fn actriage(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_actriage"));
    command.args(args).env_remove("ACTRIAGE_SALT").env_remove("ACTRIAGE_TEST_FAULTS").stdin(Stdio::null());
    command
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Every row of every part.
fn rows(out: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    for run in fs::read_dir(out.join("results")).unwrap() {
        for item in fs::read_dir(run.unwrap().path()).unwrap() {
            let path = item.unwrap().path();
            if path.extension().is_some_and(|end| end == "ndjson") {
                let lines = BufReader::new(fs::File::open(path).unwrap()).lines();
                found.extend(lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()));
            }
        }
    }
    found.sort_by_key(|row| row["path"].as_str().unwrap().to_owned());
    found
}

/// What must be the same in every run: all but when and how fast.
fn lasting(rows: Vec<Value>) -> Vec<Value> {
    rows.into_iter()
        .map(|mut row| {
            row.as_object_mut().unwrap().retain(|name, _| name != "analyzed_at" && name != "duration_ms");
            row
        })
        .collect()
}

fn manifest(out: &Path) -> Value {
    let run = fs::read_dir(out.join("results")).unwrap().next().unwrap().unwrap().path();
    serde_json::from_str(&fs::read_to_string(run.join("manifest.json")).unwrap()).unwrap()
}

/// A fleet with one of every fault in it.
fn bad_fleet(folder: &Path, count: usize) -> Vec<Made> {
    let fleet = Fleet::new(root());
    let faults =
        [(3, Fault::Cut), (5, Fault::Scratched), (6, Fault::Abort), (8, Fault::Hang), (10, Fault::Garbage)];
    (0..count)
        .map(|number| {
            let fault = faults.iter().find(|(at, _)| *at == number).map_or(Fault::None, |(_, fault)| *fault);
            put(folder, fleet.with_fault(number, fault))
        })
        .collect()
}

#[test]
fn every_bundle_is_a_row_whatever_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (cases, out) = (folder.path().join("cases"), folder.path().join("out"));
    let made = bad_fleet(&cases, 12);
    // The same content under another name is noticed and not analysed twice.
    fs::copy(cases.join(&made[0].name), cases.join("z-copy.zip")).unwrap();
    let mut command =
        actriage(&["triage", text(&cases), "--out", text(&out), "--timeout", "6", "--part-rows", "5"]);
    let ran = run(command.env("ACTRIAGE_TEST_FAULTS", "1"));
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);

    let rows = rows(&out);
    let by_path: BTreeMap<&str, &Value> =
        rows.iter().map(|row| (row["path"].as_str().unwrap(), row)).collect();
    assert_eq!((rows.len(), by_path.len()), (made.len(), made.len()));
    for made in &made {
        let row = by_path[text(&cases.join(&made.name))];
        let expected: &[&str] = match made.fault {
            Fault::None => &["ok", "partial"],
            Fault::Scratched => &["partial"],
            Fault::Cut => &["unreadable"],
            Fault::Abort | Fault::Garbage => &["crashed"],
            Fault::Hang => &["timeout"],
        };
        assert!(expected.contains(&row["status"].as_str().unwrap()), "{:?}: {}", made.fault, row["status"]);
        assert_eq!(row["bundle_id"], actriage::bundle::sha256(&made.bytes));
        assert_eq!(row["bytes"], made.bytes.len());
        assert_eq!(row["report"].is_null(), !["ok", "partial"].contains(&row["status"].as_str().unwrap()));
        assert_eq!(row["error"].is_null(), row["status"] == "ok");
        if made.fault == Fault::Scratched {
            assert!(row["error"].as_str().unwrap().contains("damaged archive member"), "{}", row["error"]);
        }
    }
    let manifest = manifest(&out);
    assert_eq!(manifest["state"], "finished");
    assert_eq!((&manifest["rows"], &manifest["found"]), (&Value::from(12), &Value::from(13)));
    let crashed = (&manifest["statuses"]["crashed"], &manifest["statuses"]["timeout"]);
    assert_eq!(crashed, (&Value::from(2), &Value::from(1)));
    assert_eq!(manifest["duplicates"][0]["path"], text(&cases.join("z-copy.zip")));
    assert_eq!(manifest["duplicates"][0]["same_as"], text(&cases.join(&made[0].name)));
    assert!(ran.out.starts_with("12 bundle(s): ") && ran.out.contains("no result after 6 s"), "{}", ran.out);
    // No terminal: a line for every event.
    assert_eq!(ran.err.lines().filter(|line| line.starts_with('[')).count(), 12, "{}", ran.err);
    assert!(ran.err.contains("duplicate  "), "{}", ran.err);

    // Nothing is left to do, and the summary still speaks of the whole run.
    let again = run(&mut actriage(&["triage", text(&cases), "--out", text(&out), "--timeout", "6"]));
    assert_eq!((again.code, &again.out), (Some(1), &ran.out));
    assert!(again.err.contains("12 done before") && again.err.contains(" 0 to do"), "{}", again.err);
}

/// Waits until so many rows are written, open part included.
fn wait_for(child: &mut Child, out: &Path, rows: usize) {
    let started = Instant::now();
    loop {
        let mut found = 0;
        for run in fs::read_dir(out.join("results")).into_iter().flatten().flatten() {
            for item in fs::read_dir(run.path()).into_iter().flatten().flatten() {
                if item.file_name().to_str().unwrap().contains("part-") {
                    found +=
                        fs::read(item.path()).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
                }
            }
        }
        if found >= rows || child.try_wait().unwrap().is_some() {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(600), "{found} rows");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run that is killed after so many rows each time and then goes on to its end has the rows of one that was left alone.
fn killed_equals_undisturbed(folder: &Path, cases: &Path, count: usize, kills: &[usize], more: &[&str]) {
    let arguments = |out: &Path| {
        let mut command = actriage(&["triage", text(cases), "--out", text(out), "--quiet"]);
        command.args(more).env("ACTRIAGE_TEST_FAULTS", "1");
        command
    };
    let straight = folder.join("straight");
    let ran = run(&mut arguments(&straight));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let disturbed = folder.join("disturbed");
    for rows in kills {
        let mut child = arguments(&disturbed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for(&mut child, &disturbed, *rows);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = run(&mut arguments(&disturbed));
    assert_eq!(last.code, Some(1), "{}", last.err);
    let (a, b) = (lasting(rows(&straight)), lasting(rows(&disturbed)));
    assert_eq!(a.len(), count);
    assert!(a == b, "the resumed run differs");
    let counts = |out: &Path| {
        let manifest = manifest(out);
        (manifest["rows"].clone(), manifest["statuses"].clone(), manifest["outcomes"].clone())
    };
    assert_eq!(counts(&straight), counts(&disturbed));
    println!("{count} bundles, killed after {kills:?} rows: {}", manifest(&disturbed)["statuses"]);
    // No file of an unfinished part is left.
    let run = fs::read_dir(disturbed.join("results")).unwrap().next().unwrap().unwrap().path();
    let open: Vec<PathBuf> = fs::read_dir(run)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".part"))
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn killed_three_times_and_resumed_equals_undisturbed() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases");
    Fleet::new(root()).write(&cases, 24);
    // In the middle of a part, right behind one, and in the middle again.
    let more = ["--part-rows", "4", "--jobs", "3"];
    killed_equals_undisturbed(folder.path(), &cases, 24, &[2, 8, 15], &more);
}

/// The whole size: takes minutes. `cargo test --test it two_thousand -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes; the figures are in docs/performance.md"]
fn two_thousand_bundles_killed_at_random_moments() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases");
    let fleet = Fleet::new(root());
    for number in 0..2000 {
        let made = match number {
            700 => fleet.with_fault(number, Fault::Abort),
            900 => fleet.with_fault(number, Fault::Hang),
            _ => fleet.bundle(number),
        };
        put(&cases, made);
    }
    let clock =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as usize;
    let kills = [clock % 600, 600 + clock / 7 % 600, 1200 + clock / 49 % 600];
    killed_equals_undisturbed(
        folder.path(),
        &cases,
        2000,
        &kills,
        &["--part-rows", "100", "--timeout", "20"],
    );
}

#[test]
fn shards_together_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (cases, out) = (folder.path().join("cases"), folder.path().join("out"));
    Fleet::new(root()).write(&cases, 8);
    for shard in ["0/3", "1/3", "2/3"] {
        let ran = run(&mut actriage(&[
            "triage",
            text(&cases),
            "--out",
            text(&out),
            "--shard",
            shard,
            "--run",
            "night",
            "--quiet",
        ]));
        assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.err);
    }
    let found = rows(&out);
    let mut paths: Vec<&str> = found.iter().map(|row| row["path"].as_str().unwrap()).collect();
    paths.dedup();
    assert_eq!((found.len(), paths.len()), (8, 8));
    let bad = run(&mut actriage(&["triage", text(&cases), "--out", text(&out), "--shard", "3/3"]));
    assert_eq!(bad.code, Some(2));
}

#[test]
fn lists_name_bundles_and_a_missing_one_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let (list, out) = (folder.path().join("list.txt"), folder.path().join("out"));
    fs::write(&list, "# two\r\nsamples/healthy.zip\r\nno/such.zip\r\n").unwrap();
    let ran = run(actriage(&["triage", "--list", text(&list), "--out", text(&out)]).current_dir(root()));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let found = rows(&out);
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&found[0]["path"], &found[0]["status"]),
        (&Value::from("no/such.zip"), &Value::from("unreadable"))
    );
    assert_eq!(found[1]["report"]["verdict"]["outcome"], "clear");
    // From standard input, into the same run: what is done is not done again.
    let mut command = actriage(&["triage", "-", "--out", text(&out)]);
    let ran = run(command.current_dir(root()).stdin(fs::File::open(&list).unwrap()));
    assert!(ran.err.contains("2 done before"), "{}", ran.err);
    // Nothing that could be analysed was named: bad usage.
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for args in [
        vec!["triage", text(&empty), "--out", "x"],
        vec!["triage", "no-such-folder", "--out", "x"],
        vec!["triage", "--out", "x"],
    ] {
        assert_eq!(run(&mut actriage(&args)).code, Some(2));
    }
}

#[test]
fn computers_have_pseudonyms_unless_names_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let made = put(folder.path(), Fleet::new(root()).with_fault(1, Fault::None));
    let path = folder.path().join(&made.name);
    let row = |args: &[&str], salt: &str| {
        let mut command = actriage(&["worker"]);
        let ran = run(command.args(args).arg(&path).env("ACTRIAGE_SALT", salt));
        assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 1), "{}", ran.err);
        ran.out
    };
    let plain: Value = serde_json::from_str(&row(&["--keep-names"], "")).unwrap();
    assert_eq!(plain["report"]["machine"]["computer"], made.computer);
    assert_eq!(plain["site"], made.site);
    let hidden = row(&[], "");
    assert!(!hidden.contains(&made.computer), "{}", made.computer);
    let name = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["report"]["machine"]["computer"].as_str().unwrap().to_owned()
    };
    assert!(name(&hidden).starts_with("pc-"));
    assert_eq!(name(&hidden), name(&row(&[], "")));
    assert_ne!(name(&hidden), name(&row(&[], "salt")));
}

/// Rules of the user's own count like checks; a mistake in one is told once, before anything is analysed.
#[test]
fn rules_of_the_user_are_applied() {
    let sample = root().join("samples/healthy.zip");
    let folder = tempfile::tempdir().unwrap();
    let (rules, out) = (folder.path().join("rules"), folder.path().join("out"));
    let own = root().join("samples/rules");
    let ran = run(actriage(&["worker", "--rules", text(&own)]).arg(&sample));
    let row: Value = serde_json::from_str(&ran.out).unwrap();
    let count = |row: &Value| row["report"]["checks"].as_array().unwrap().len();
    let plain: Value = serde_json::from_str(&run(actriage(&["worker"]).arg(&sample)).out).unwrap();
    assert_eq!(count(&row), count(&plain) + fs::read_dir(&own).unwrap().count());
    fs::create_dir(&rules).unwrap();
    fs::write(rules.join("bad.yaml"), "id: [").unwrap();
    let bad = run(&mut actriage(&["triage", text(&sample), "--out", text(&out), "--rules", text(&rules)]));
    assert_eq!((bad.code, out.exists()), (Some(2), false), "{}", bad.err);
}

/// A worker that wants more memory than allowed costs its bundle and nothing else. The bundle is honest: eight hives of 40 MB.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_limited_for_each_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (cases, out) = (folder.path().join("cases"), folder.path().join("out"));
    let mut big = hive("[Select]\n\"Current\"=dword:1\n");
    big.resize(40_000_000, 0);
    let files: Vec<File> =
        (0..8).map(|number| File { path: format!("{number}/SYSTEM"), bytes: big.clone() }).collect();
    fs::create_dir(&cases).unwrap();
    fs::write(cases.join("big.zip"), pack(&files)).unwrap();
    fs::copy(root().join("samples/healthy.zip"), cases.join("small.zip")).unwrap();
    let limit = (200 << 20).to_string();
    let ran = run(&mut actriage(&["triage", text(&cases), "--out", text(&out), "--max-memory", &limit]));
    let found = rows(&out);
    assert_eq!(found[0]["status"], "crashed", "{}", ran.err);
    assert!(found[0]["error"].as_str().unwrap().contains("memory allocation"), "{}", found[0]["error"]);
    assert_eq!(found[1]["status"], "ok", "{}", found[1]["error"]);
}

/// Ctrl-C as a scheduler sends it: what is done is kept, exit code 2, and the same command goes on.
#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let (cases, out) = (folder.path().join("cases"), folder.path().join("out"));
    let fleet = Fleet::new(root());
    put(&cases, fleet.with_fault(1, Fault::None));
    put(&cases, fleet.with_fault(2, Fault::Hang));
    let mut command =
        actriage(&["triage", text(&cases), "--out", text(&out), "--jobs", "2", "--timeout", "60"]);
    command.env("ACTRIAGE_TEST_FAULTS", "1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    wait_for(&mut child, &out, 1);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(started.elapsed() < Duration::from_secs(40), "it waited for the endless bundle");
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("stopped with 1 of 2"), "{err}");
    assert_eq!((rows(&out).len(), manifest(&out)["state"].as_str()), (1, Some("stopped")));
}
