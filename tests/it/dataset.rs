//! The Parquet dataset and the fleet report, from the outside; and other programs that read the dataset as docs/fleet.md says it is.
//!
//! Python packages are used where they are installed (DuckDB, pandas, Polars, PySpark with Java); `ACTRIAGE_PYTHON` names another Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::checks::root;
use crate::workshop::fleet::{Fault, Fleet, Made, put};

fn actriage(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_actriage"));
    command.args(args).env_remove("ACTRIAGE_SALT").env_remove("ACTRIAGE_TEST_FAULTS").stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{command:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const COUNT: usize = 30;

/// A dataset with two runs over the same fleet, made once.
struct Dataset {
    folder: tempfile::TempDir,
    fleet: Vec<Made>,
}

impl Dataset {
    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }
}

fn dataset() -> &'static Dataset {
    static DATASET: OnceLock<Dataset> = OnceLock::new();
    DATASET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (cases, out) = (folder.path().join("cases"), folder.path().join("out"));
        let maker = Fleet::new(root());
        let faults = [(4, Fault::Cut), (7, Fault::Scratched)];
        let fleet: Vec<Made> = (0..COUNT)
            .map(|number| {
                let fault =
                    faults.iter().find(|(at, _)| *at == number).map_or(Fault::None, |(_, fault)| *fault);
                put(&cases, maker.with_fault(number, fault))
            })
            .collect();
        output(&mut actriage(&[
            "triage",
            text(&cases),
            "--out",
            text(&out),
            "--run",
            "a",
            "--part-rows",
            "8",
            "--quiet",
        ]));
        // The second run lacks one bundle.
        fs::remove_file(cases.join(&fleet[0].name)).unwrap();
        output(&mut actriage(&["triage", text(&cases), "--out", text(&out), "--run", "b", "--quiet"]));
        fs::write(cases.join(&fleet[0].name), &fleet[0].bytes).unwrap();
        Dataset { folder, fleet }
    })
}

fn rows(out: &Path, run: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for item in fs::read_dir(out.join(format!("results/run={run}"))).unwrap() {
        let path = item.unwrap().path();
        if path.extension().is_some_and(|end| end == "ndjson") {
            found.extend(
                fs::read_to_string(path)
                    .unwrap()
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
    }
    found.sort_by_key(|row| row["path"].as_str().unwrap().to_owned());
    found
}

fn parts(out: &Path, table: &str, run: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(out.join(format!("{table}/run={run}")))
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("part-"))
        .map(|name| name.split('.').next().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_part_of_rows_has_its_tables() {
    let out = dataset().out();
    let names = parts(&out, "results", "a");
    assert_eq!(names.len(), 4);
    assert_eq!(parts(&out, "bundles", "a"), names);
    assert_eq!(parts(&out, "findings", "a"), names);
    // A build without the feature leaves them out; the next one with it makes them.
    let gone = out.join("bundles/run=a").join(format!("{}.parquet", names[1]));
    let before = fs::read(&gone).unwrap();
    fs::remove_file(&gone).unwrap();
    output(&mut actriage(&["report", text(&out), "--run", "a"]));
    assert!(fs::read(&gone).unwrap() == before);
}

/// The report's figures, counted here once more from the rows, which know nothing of Parquet.
#[test]
fn the_report_counts_what_the_rows_say() {
    let out = dataset().out();
    let report: Value = serde_json::from_str(&output(&mut actriage(&[
        "report",
        text(&out),
        "--run",
        "a",
        "--format",
        "json",
    ])))
    .unwrap();
    let rows = rows(&out, "a");
    assert_eq!((rows.len(), &report["bundles"]), (COUNT, &Value::from(COUNT)));
    let count = |list: &Value, name: &str| {
        let found = list.as_array().unwrap().iter().find(|count| count["name"] == name);
        found.map_or(0, |count| count["count"].as_u64().unwrap())
    };
    let of = |pointer: &str, value: &str| {
        rows.iter().filter(|row| row.pointer(pointer).is_some_and(|found| found == value)).count() as u64
    };
    for outcome in ["blocked", "suspect", "clear", "inconclusive"] {
        assert_eq!(count(&report["outcomes"], outcome), of("/report/verdict/outcome", outcome), "{outcome}");
    }
    for status in ["ok", "partial", "unreadable"] {
        assert_eq!(count(&report["statuses"], status), of("/status", status), "{status}");
    }
    for cause in report["causes"].as_array().unwrap() {
        let name = cause["name"].as_str().unwrap();
        assert_eq!(cause["count"], of("/report/verdict/root_causes/0", name), "{name}");
    }
    let sites = report["groups"].as_array().unwrap().iter().find(|group| group["column"] == "site").unwrap();
    for row in sites["rows"].as_array().unwrap().iter().filter(|row| row["value"] != "unknown") {
        let site = row["value"].as_str().unwrap();
        let own: Vec<&Value> =
            rows.iter().filter(|row| row["site"] == site && !row["report"].is_null()).collect();
        let blocked = own.iter().filter(|row| row["report"]["verdict"]["outcome"] == "blocked").count();
        assert_eq!(
            (&row["bundles"], &row["blocked"]),
            (&Value::from(own.len()), &Value::from(blocked)),
            "{site}"
        );
    }
    let cut = dataset().fleet.iter().find(|made| made.fault == Fault::Cut).unwrap();
    assert_eq!(report["unread"].as_array().unwrap().len(), 1);
    assert!(report["unread"][0]["path"].as_str().unwrap().ends_with(&cut.name));
    for missing in report["missing"].as_array().unwrap() {
        let what = missing["what"].as_str().unwrap();
        let lacks = |row: &&Value| {
            let checks = row.pointer("/report/checks").and_then(Value::as_array).into_iter().flatten();
            let mut open = checks.filter(|check| check["status"] == "not-collected");
            open.any(|check| check["missing"].as_array().unwrap().iter().any(|item| item["what"] == what))
        };
        assert_eq!(missing["bundles"], rows.iter().filter(lacks).count(), "{what}");
    }
}

#[test]
fn two_runs_are_compared() {
    let out = dataset().out();
    let report = |args: &[&str]| -> Value {
        let mut command = actriage(&["report", text(&out), "--format", "json"]);
        serde_json::from_str(&output(command.args(args))).unwrap()
    };
    // The latest run is b.
    let difference = &report(&["--against", "previous"])["difference"];
    assert_eq!(difference["before"], "a");
    assert_eq!(
        (&difference["compared"], &difference["gone"], &difference["new"]),
        (&Value::from(COUNT - 1), &Value::from(1), &Value::from(0))
    );
    assert_eq!(difference["changes"].as_array().unwrap().len(), 0);
    let back = &report(&["--run", "a", "--against", "b"])["difference"];
    assert_eq!((&back["gone"], &back["new"]), (&Value::from(0), &Value::from(1)));
    let none = actriage(&["report", text(&out), "--run", "none"]).output().unwrap();
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8(none.stderr).unwrap().contains("there are: a, b"));
}

#[test]
fn every_format_shows_every_section() {
    let out = dataset().out();
    let folder = tempfile::tempdir().unwrap();
    let terminal = output(&mut actriage(&["report", text(&out), "--run", "a", "--against", "b", "--all"]));
    let html =
        output(&mut actriage(&["report", text(&out), "--run", "a", "--against", "b", "--format", "html"]));
    let csv = folder.path().join("csv");
    output(&mut actriage(&[
        "report",
        text(&out),
        "--run",
        "a",
        "--against",
        "b",
        "--format",
        "csv",
        "--output",
        text(&csv),
    ]));
    let titles: Vec<&str> = html.split("<h2>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert!(titles.len() >= 10, "{titles:?}");
    for title in &titles {
        assert!(terminal.contains(title), "{title}");
    }
    assert_eq!(fs::read_dir(csv).unwrap().count(), titles.len());
    assert!(terminal.contains('█') && html.contains("<svg"));
}

/// The columns of a table of docs/fleet.md, in order.
fn documented(table: &str) -> Vec<String> {
    let docs = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let start = docs.find(&format!("| `{table}` | type |")).unwrap();
    let lines = docs[start..].lines().skip(2).take_while(|line| line.starts_with('|'));
    lines
        .flat_map(|line| line.split('|').nth(1).unwrap().split(',').map(|name| name.trim().to_owned()))
        .collect()
}

/// A Python that has these modules; else it is said aloud that the test does nothing.
fn python(modules: &str) -> Option<String> {
    let python = std::env::var("ACTRIAGE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", &format!("import {modules}")]).stderr(Stdio::null()).status();
    if has.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    eprintln!("SKIPPED: {python} cannot import {modules}");
    None
}

fn run_python(python: &str, script: &str, out: &Path) -> String {
    let output = Command::new(python).args(["-c", script]).arg(out).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a reader must say: names of the columns, number of rows, blocked ones, first cause by frequency, and one piece of evidence.
fn expected(out: &Path) -> (usize, usize, usize) {
    let rows = rows(out, "a");
    let blocked = rows
        .iter()
        .filter(|row| row.pointer("/report/verdict/outcome").is_some_and(|found| found == "blocked"));
    let found = rows
        .iter()
        .filter_map(|row| row.pointer("/report/checks"))
        .flat_map(|checks| checks.as_array().unwrap());
    let found = found.filter(|check| check["status"] == "blocker" || check["status"] == "warning");
    let evidence = found.map(|check| check["evidence"].as_array().unwrap().len()).sum();
    (rows.len(), blocked.count(), evidence)
}

#[test]
fn duckdb_pandas_and_polars_read_the_documented_columns() {
    let out = dataset().out();
    let readers = [
        (
            "duckdb",
            "import duckdb\nread = lambda t: (lambda r: (r.columns, r.fetchall()))(duckdb.sql(f\"select * from read_parquet('{out}/{t}/run=a/*.parquet', hive_partitioning=false)\"))",
        ),
        (
            "pandas",
            "import pandas, glob\nread = lambda t: (lambda d: (list(d.columns), list(d.itertuples(index=False, name=None))))(pandas.concat(pandas.read_parquet(p, partitioning=None) for p in sorted(glob.glob(f'{out}/{t}/run=a/*.parquet'))))",
        ),
        (
            "polars",
            "import polars\nread = lambda t: (lambda d: (d.columns, d.rows()))(polars.read_parquet(f'{out}/{t}/run=a/*.parquet', hive_partitioning=False))",
        ),
    ];
    let (rows, blocked, evidence) = expected(&out);
    for (module, read) in readers {
        let Some(python) = python(if module == "pandas" { "pandas, pyarrow" } else { module }) else {
            continue;
        };
        let script = format!(
            "import sys\nout = sys.argv[1]\n{read}\nb, rows = read('bundles')\nf, found = read('findings')\n\
             print(','.join(b)); print(','.join(f))\nat = lambda n: list(b).index(n)\n\
             print(len(rows), sum(r[at('outcome')] == 'blocked' for r in rows), sum(len(r[list(f).index('evidence')]) for r in found))\n\
             t = [r[at('analyzed_at')] for r in rows]\nprint(all(x.year >= 2026 and x.utcoffset().total_seconds() == 0 for x in t))\n\
             print({{type(r[at('bytes')]).__name__ for r in rows}}, {{type(r[list(f).index('is_root')]).__name__ for r in found}})\n"
        );
        let said = run_python(&python, &script, &out);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], documented("bundles").join(","), "{module}");
        assert_eq!(lines[1], documented("findings").join(","), "{module}");
        assert_eq!(lines[2], format!("{rows} {blocked} {evidence}"), "{module}");
        assert_eq!(lines[3], "True", "{module}: times");
        assert!(lines[4].contains("int") && lines[4].contains("bool"), "{module}: {}", lines[4]);
        println!("{module}: {said}");
    }
}

#[test]
fn every_question_of_the_documentation_has_an_answer() {
    let Some(python) = python("duckdb") else { return };
    let docs = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let questions: Vec<&str> =
        docs.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(questions.len() >= 6);
    for question in questions {
        let script = format!(
            "import os, sys, duckdb\nos.chdir(sys.argv[1])\nprint(len(duckdb.sql({}).fetchall()))",
            serde_json::to_string(question).unwrap()
        );
        let said = run_python(&python, &script, &dataset().out());
        // The same fleet twice: nothing is judged differently.
        let rows: usize = said.trim().parse().unwrap();
        assert_eq!(rows > 0, !question.contains("Two runs"), "{question}: {rows}");
    }
}

/// The Spark job gives the rows of `triage`, but for when and how fast.
#[test]
fn spark_gives_the_same_rows() {
    let Some(python) = python("pyspark, pyarrow, pandas") else { return };
    if !Command::new("java")
        .arg("-version")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("SKIPPED: no Java for Spark");
        return;
    }
    let made = dataset();
    let scratch = tempfile::tempdir().unwrap();
    let (list, out) = (scratch.path().join("list.txt"), scratch.path().join("spark"));
    // The first twelve, with the one that cannot be read, one that kills its worker and one that never ends.
    let cases = made.folder.path().join("cases");
    let mut paths: Vec<PathBuf> = made.fleet.iter().take(12).map(|made| cases.join(&made.name)).collect();
    let maker = Fleet::new(root());
    for (number, fault) in [(100, Fault::Abort), (101, Fault::Hang)] {
        paths.push(scratch.path().join(&put(scratch.path(), maker.with_fault(number, fault)).name));
    }
    let names: Vec<&str> = paths.iter().map(|path| text(path)).collect();
    fs::write(&list, names.join("\n")).unwrap();
    let script = root().join("samples/fleet/spark_triage.py");
    let said = output(
        Command::new(&python)
            .arg(script)
            .args([
                "--master",
                "local[2]",
                "--run",
                "a",
                "--timeout",
                "8",
                "--actriage",
                env!("CARGO_BIN_EXE_actriage"),
            ])
            .args(["--list", text(&list), "--out", text(&out)])
            .env("PYSPARK_PYTHON", &python)
            .env("PYSPARK_DRIVER_PYTHON", &python)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("ACTRIAGE_TEST_FAULTS", "1")
            .env_remove("ACTRIAGE_SALT"),
    );
    assert!(
        said.contains("14 bundle(s): ") && said.contains("1 crashed") && said.contains("1 timeout"),
        "{said}"
    );
    let compare = r#"
import glob, json, sys, pandas
def read(out, table, drop, key):
    frames = [pandas.read_parquet(p, partitioning=None) for p in glob.glob(f'{out}/{table}/run=a/*.parquet')]
    frame = pandas.concat(frames).drop(columns=drop)
    return json.loads(frame.sort_values(key).to_json(orient='records', date_format='iso', date_unit='us'))
out, spark = sys.argv[1].split('|')
drop = ['analyzed_at', 'duration_ms']
mine = {r['bundle_id']: r for r in read(out, 'bundles', drop, 'bundle_id')}
theirs = {r['bundle_id']: r for r in read(spark, 'bundles', drop, 'bundle_id')}
shared = [i for i in theirs if i in mine]
assert len(shared) == 12, len(shared)
for i in shared:
    assert mine[i] == theirs[i], (mine[i], theirs[i])
lost = sorted(r['status'] for i, r in theirs.items() if i not in mine)
assert lost == ['crashed', 'timeout'], lost
key = ['bundle_id', 'check']
a = [r for r in read(out, 'findings', [], key) if r['bundle_id'] in theirs]
b = [r for r in read(spark, 'findings', [], key)]
assert a == b and len(a) > 5, (len(a), len(b))
print(len(shared), 'bundles and', len(a), 'findings are the same')
"#;
    let both = PathBuf::from(format!("{}|{}", made.out().display(), out.display()));
    println!("{}", run_python(&python, compare, &both));
}
