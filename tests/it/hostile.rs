//! Escapes, markup and bidirectional marks in evidence, through the program itself: no command writes anything that a terminal obeys.

use actriage::report::visible;
use assert_cmd::Command;
use rayon::prelude::*;

use crate::workshop::recipe;
use crate::workshop::zip::{Member, archive};

#[test]
fn no_command_writes_what_a_terminal_obeys() {
    let hostile = "<script>alert(1)</script>\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\"'";
    // The checks quote the probe host, the card the computer, and the dumps all of it.
    let hive = format!(
        "[Select]\n\"Current\"=dword:00000001\n[ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"{0}\"\n\
         [ControlSet001\\Services\\NlaSvc\\Parameters\\Internet]\n\"EnableActiveProbing\"=dword:00000001\n\"ActiveWebProbeHost\"=\"{0}\"\n",
        hostile.replace('"', "\\\"")
    );
    let (hive, name) = (recipe::hive(&hive), format!("{hostile}.txt"));
    let zip =
        archive(&[Member::new("config/SYSTEM", &hive), Member::new(&name, b"C:\\>whoami\ncontoso\\anna\n")]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.zip");
    std::fs::write(&path, zip).unwrap();
    let (case, dataset) = (path.to_str().unwrap(), folder.path().join("dataset"));
    let mut commands: Vec<Vec<&str>> = ["terminal", "json", "html", "markdown", "csv", "junit"]
        .map(|format| vec!["analyze", case, "--format", format])
        .into();
    commands.extend(
        ["artifacts", "registry", "security", "events", "captures"]
            .map(|dump| vec!["inspect", case, "--dump", dump]),
    );
    commands.extend([
        vec!["analyze", case, "--all"],
        vec!["inspect", case],
        vec!["timeline", case, "--all"],
        vec!["timeline", case, "--all", "--format", "json"],
        vec!["facts", case],
        vec!["compare", case, case, "--all"],
        vec!["compare", case, case, "--all", "--format", "json"],
        vec!["worker", case],
        vec!["triage", case, "--out", dataset.to_str().unwrap()],
    ]);
    let shown: usize = commands
        .par_iter()
        .map(|args| {
            let output = Command::cargo_bin("actriage").unwrap().args(args).output().unwrap();
            assert!(output.status.code().is_some_and(|code| code < 2), "{args:?}: {output:?}");
            let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
            // Line ends are ours: CSV has those of RFC 4180.
            let line = text.replace("\r\n", "").replace('\n', "");
            assert!(visible(&line) == line, "{args:?}: {text}");
            usize::from(text.contains("alert(1)"))
        })
        .sum();
    assert!(shown >= 10, "only {shown} outputs show the hostile text at all");
}
