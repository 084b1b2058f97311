//! The program from the outside: exit codes, streams, formats.

use assert_cmd::Command;

use crate::checks::root;
use crate::corpus;

fn actriage() -> Command {
    let mut command = Command::cargo_bin("actriage").unwrap();
    command.current_dir(root()).env_remove("NO_COLOR");
    command
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn exit_codes_say_whether_there_is_a_blocker() {
    actriage().args(["analyze", "samples/healthy.zip"]).assert().code(0);
    actriage().args(["analyze", "samples/blocked.zip"]).assert().code(1);
    actriage().args(["analyze", "samples/missing.zip"]).assert().code(2);
    actriage().args(["analyze"]).assert().code(2);
    // Over several: a blocker counts, an unreadable bundle among others does not fail the run.
    actriage().args(["analyze", "samples/healthy.zip", "samples/missing.zip"]).assert().code(0);
    actriage().args(["analyze", "samples/missing.zip", "samples/blocked.zip"]).assert().code(1);
    actriage().args(["analyze", "samples/missing.zip", "samples/missing2.zip"]).assert().code(2);
}

#[test]
fn the_first_two_lines_name_the_cause() {
    let text = stdout(actriage().args(["analyze", "samples/mixed.zip"]));
    let head: String = text.lines().take(2).collect();
    assert!(head.starts_with("BLOCKED") && head.contains("Windows Event Log is disabled"), "{head}");
}

#[test]
fn no_colour_into_a_pipe_unless_asked_for() {
    assert!(!stdout(actriage().args(["analyze", "samples/blocked.zip"])).contains('\u{1b}'));
    assert!(
        stdout(actriage().args(["analyze", "--color", "always", "samples/blocked.zip"])).contains('\u{1b}')
    );
}

#[test]
fn one_bundle_is_an_object_and_several_are_json_lines() {
    let one = stdout(actriage().args(["analyze", "--format", "json", "samples/blocked.zip"]));
    let value: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!(value["schema"], "actriage.report/1");
    let two = stdout(actriage().args([
        "analyze",
        "--format",
        "json",
        "samples/blocked.zip",
        "samples/healthy.zip",
    ]));
    let outcomes: Vec<String> = two
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["verdict"]["outcome"].to_string()
        })
        .collect();
    assert_eq!(outcomes, ["\"blocked\"", "\"clear\""]);
}

#[test]
fn reports_go_to_files_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.json"), folder.path().join("b.txt"));
    actriage()
        .arg("analyze")
        .arg("samples/blocked.zip")
        .arg("--report")
        .arg(format!("json={}", a.display()))
        .arg("--output")
        .arg(&b)
        .assert()
        .code(1)
        .stdout("");
    assert!(std::fs::read_to_string(a).unwrap().contains("actriage.report/1"));
    assert!(std::fs::read_to_string(b).unwrap().starts_with("BLOCKED"));
}

#[test]
fn every_check_can_be_explained() {
    let list = stdout(actriage().arg("checks"));
    for check in actriage::checks::CHECKS.iter() {
        assert!(list.contains(check.id), "{}", check.id);
        let text = stdout(actriage().args(["explain", check.id]));
        assert!(text.contains("# Fix") && text.contains("# When this is wrong"), "{}", check.id);
    }
    actriage().args(["explain", "no-such-thing"]).assert().code(2);
}

/// The notations that the contract names; meanings are those of the domain reference's table.
#[test]
fn error_codes_are_explained_in_any_notation() {
    for notation in ["0x80072EE7", "80072ee7", "-2147012889", "2147954407", "12007", "%%12007"] {
        let text = stdout(actriage().args(["explain", notation]));
        assert!(text.contains("NAME_NOT_RESOLVED"), "{notation}: {text}");
    }
    let tls = stdout(actriage().args(["explain", "0x80072F8F"]));
    assert!(tls.contains("12175") && tls.contains("different things in different stacks"), "{tls}");
    assert!(stdout(actriage().args(["explain", "AADSTS50126"])).contains("50126"));
    assert!(stdout(actriage().args(["explain", "CAA20003"])).contains("CAA20003"));
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(stdout(actriage().args(["completions", shell])).contains("actriage"), "{shell}");
    }
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn dumps_are_json_lines_with_the_fields_of_the_contract() {
    let dump =
        |what: &str| lines(&stdout(actriage().args(["inspect", "samples/blocked.zip", "--dump", what])));
    let has = |rows: &[serde_json::Value], fields: &[&str]| {
        assert!(!rows.is_empty());
        for row in rows {
            fields.iter().for_each(|field| assert!(row.get(field).is_some(), "{field} is missing in {row}"));
        }
    };
    has(&dump("artifacts"), &["path", "kind", "bytes", "sha256", "status", "reason"]);
    let registry = dump("registry");
    has(&registry, &["artifact", "source", "key", "hive_key", "value", "type", "data", "last_write"]);
    let probe = registry.iter().find(|row| row["value"] == "NoActiveProbe").unwrap();
    assert_eq!(probe["data"], 1);
    assert_eq!(probe["type"], "REG_DWORD");
    assert_eq!(probe["key"], r"HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator");
    has(&dump("security"), &["artifact", "hive_key", "owner", "group", "sddl", "aces"]);
    let events = dump("events");
    has(
        &events,
        &[
            "artifact",
            "channel",
            "provider",
            "event_id",
            "qualifiers",
            "version",
            "level",
            "record_id",
            "time",
            "computer",
            "user_sid",
            "data",
            "user_data",
        ],
    );
    assert_eq!(events[0]["time"], "2026-11-10T06:00:00.0000000Z");
    assert_eq!(events[0]["data"]["#1"], "19045");
    has(
        &dump("captures"),
        &["artifact", "line_from", "line_to", "kind", "encoding", "language", "status", "reason", "data"],
    );
}

#[test]
fn dumps_can_be_filtered() {
    let rows = lines(&stdout(actriage().args([
        "inspect",
        "samples/blocked.zip",
        "--dump",
        "events",
        "--provider",
        "eventlog",
        "--event-id",
        "6009",
    ])));
    assert_eq!(rows.len(), 1);
    let rows = lines(&stdout(actriage().args([
        "inspect",
        "samples/blocked.zip",
        "--dump",
        "registry",
        "--key",
        r"services\nlasvc",
    ])));
    assert!(!rows.is_empty() && rows.iter().all(|row| row["key"].as_str().unwrap().contains("NlaSvc")));
}

/// Two logs, told in the order of time; the broker's success records (R34) and what is older than the window are left out.
#[test]
fn the_timeline_merges_the_logs() {
    use crate::workshop::recipe::{File, events, pack};
    let system = events(
        "System",
        "EventLog/6005 2026-11-01T06:00:00Z record=1\nEventLog/6005 2026-11-20T06:00:00Z record=2\n\
         Service Control Manager/7023 2026-11-20T06:05:00Z record=3\n  param1 = x\n  param2 = %%1068\n  \
         Binary = 6E0065007400700072006F0066006D000000\n\
         Service Control Manager/7040 2026-11-20T06:06:00Z record=4\n  param2 = demand start\n  param4 = BITS\n\
         Service Control Manager/7040 2026-11-20T06:07:00Z record=5\n  param2 = auto start\n  param4 = NlaSvc\n",
    );
    let aad = events(
        "Microsoft-Windows-AAD/Operational",
        "Microsoft-Windows-AAD/1098 2026-11-20T06:03:00Z record=8\n  Error = 0xCAA82EE7\n\
         Microsoft-Windows-AAD/1098 2026-11-20T06:04:00Z record=9\n  Error = 0x8AA500DB\n",
    );
    let file = |path: &str, bytes: Vec<u8>| File { path: path.to_owned(), bytes };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.zip");
    std::fs::write(&path, pack(&[file("System.evtx", system), file("AAD.evtx", aad)])).unwrap();
    let rows = lines(&stdout(actriage().args(["timeline", "--format", "json"]).arg(&path)));
    let order: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row["artifact"], row["locator"])).collect();
    assert_eq!(
        order,
        [
            r#""System.evtx" "record 2""#,
            r#""AAD.evtx" "record 8""#,
            r#""System.evtx" "record 3""#,
            r#""System.evtx" "record 5""#
        ]
    );
    assert!(rows[1]["what"].as_str().unwrap().contains("NAME_NOT_RESOLVED"), "{}", rows[1]);
    assert!(rows[2]["what"].as_str().unwrap().contains("netprofm"), "{}", rows[2]);
    let all = lines(&stdout(actriage().args(["timeline", "--format", "json", "--all"]).arg(&path)));
    // Windows itself changes the start type of BITS all the time.
    assert!(rows[3]["what"].as_str().unwrap().contains("NlaSvc"), "{}", rows[3]);
    assert_eq!(all.len(), 5);
}

/// `analyze` and every dump over every file of the corpus, each alone, and over the folder with all of them: every file is accounted for.
#[test]
fn every_file_of_the_corpus() {
    let Some(shared) = corpus::shared() else {
        eprintln!("SKIPPED: ACTRIAGE_CORPUS is not set");
        return;
    };
    let mut files = Vec::new();
    for root in ["corpus", "captures"] {
        walk(&shared.join(root), &mut files);
    }
    for file in &files {
        let run = |args: &[&str]| {
            let output =
                actriage().args(args).arg(file).timeout(std::time::Duration::from_secs(60)).output().unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 1)), "{args:?} {}: {code:?} {output:?}", file.display());
            output.stdout
        };
        run(&["analyze", "--format", "json"]);
        for what in ["artifacts", "security", "captures", "registry", "events"] {
            run(&["inspect", "--dump", what]);
        }
    }
    let text = stdout(actriage().args(["inspect", "--dump", "artifacts"]).arg(&shared));
    let listed = lines(&text);
    let mut all = Vec::new();
    walk(&shared, &mut all);
    assert_eq!(listed.len(), all.len());
    let silent = listed.iter().find(|row| row["status"] != "read" && row["reason"].is_null());
    assert!(silent.is_none(), "{silent:?}");
    println!("{} files, each alone with six commands, and all together", files.len());
}

fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

/// A machine with ten findings and more, put together from fixture cases.
pub fn many_findings() -> Vec<crate::workshop::recipe::File> {
    let chosen = [
        "svc-eventlog",
        "ncsi-active-probe-config",
        "tls12-schannel-client",
        "proxy-winhttp",
        "proxy-pac-wpad",
        "hosts-file-override",
        "msoid-cname",
        "network-service-acl",
        "broker-plugin-package",
        "windows-update-health",
        "security-defaults-ca",
        "firewall-outbound",
    ];
    let all = crate::checks::cases();
    let texts: Vec<&str> = chosen
        .iter()
        .filter_map(|id| {
            let worst = |case: &&crate::checks::Case| {
                case.check == *id && case.line("Expect").is_some_and(|line| line.starts_with("`blocker"))
            };
            let any = |case: &&crate::checks::Case| {
                case.check == *id && case.line("Expect").is_some_and(|line| line.starts_with("`warning"))
            };
            all.iter().find(worst).or_else(|| all.iter().find(any)).map(|case| case.text.as_str())
        })
        .collect();
    crate::workshop::recipe::files_over(&crate::checks::base("complete"), &texts.join("\n"), &[])
}

/// Their report fits in two screens of 50 lines, and the cause stands in the first two lines.
#[test]
fn ten_findings_fit_in_two_screens() {
    let report = crate::checks::report_on(&many_findings());
    let findings = report.checks.iter().filter(|check| check.status.is_finding()).count();
    assert!(findings >= 10, "only {findings} findings");
    let options = actriage::report::terminal::Options { width: 100, color: false, all: false };
    let text = actriage::report::terminal::render(&report, options);
    assert!(text.lines().count() <= 100, "{} lines:\n{text}", text.lines().count());
    let root = report.check(&report.verdict.root_causes[0]).unwrap();
    let start = text.lines().take(2).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = root.summary.split_whitespace().take(6).collect();
    assert!(start.contains(&words.join(" ")), "{start}");
}
