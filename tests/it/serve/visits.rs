//! What a visitor without a script sees: the forms alone must do.

use super::server::{Server, sample};
use crate::checks::root;
use crate::redact::leaks::plain_rows;
use crate::redact::names::Names;

#[test]
fn a_bundle_is_taken_judged_and_handed_out() {
    let server = Server::entered(&[]);
    let answer = server.upload(&[("case-17.zip", &sample("blocked.zip"))]);
    assert_eq!((answer.status, answer.header("location")), (303, "/bundle/1"));
    assert_eq!(server.settled(1), "done");
    let page = server.get("/bundle/1").body;
    assert!(page.contains(">Blocked</p>") && page.contains("Active internet probing is off"), "{page}");
    // The report is what `analyze` says, but for the name.
    let command = assert_cmd::Command::cargo_bin("actriage")
        .unwrap()
        .current_dir(root())
        .args(["analyze", "--format", "json", "samples/blocked.zip"])
        .output()
        .unwrap();
    let mut expected: serde_json::Value = serde_json::from_slice(&command.stdout).unwrap();
    expected["bundle"]["path"] = "case-17.zip".into();
    let report: serde_json::Value = serde_json::from_str(&server.get("/bundle/1/report.json").body).unwrap();
    assert_eq!(report, expected);
    let html = server.get("/bundle/1/report");
    assert!(html.head.contains("text/html") && html.body.contains("case-17.zip"));
    assert_eq!(html.body, server.get("/bundle/1/report.html").body);
    assert!(server.get("/bundle/1/report.md").body.contains("probing"));
}

#[test]
fn several_stand_by_severity_and_two_are_compared() {
    let server = Server::entered(&[]);
    let (healthy, blocked) = (sample("healthy.zip"), sample("blocked.zip"));
    let answer = server.upload(&[("good.zip", &healthy), ("no.zip", b"PK\x03\x04"), ("bad.zip", &blocked)]);
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    (1..=3).for_each(|id| {
        server.settled(id);
    });
    let page = server.get("/").body;
    let place = |name: &str| page.find(&format!(">{name}</a>")).unwrap();
    assert!(place("bad.zip") < place("no.zip") && place("no.zip") < place("good.zip"));
    let page = server.get("/compare?good=1&bad=3").body;
    assert!(page.contains("Findings that differ") && page.contains("good.zip: clear"), "{page}");
    assert_eq!(server.get("/compare?good=1&bad=2").status, 422);
    assert_eq!(server.get("/compare?good=1&bad=9").status, 404);
    assert_eq!(server.get("/compare").status, 404);
}

#[test]
fn a_form_without_a_file_is_answered_in_words() {
    let server = Server::entered(&[]);
    let answer = server.upload(&[("", b"")]);
    assert!(answer.status == 400 && answer.body.contains("No file was chosen"), "{answer:?}");
    let answer = server.post("/upload");
    assert!(answer.status == 400 && answer.body.contains("no form"), "{answer:?}");
}

#[test]
fn what_is_removed_is_gone() {
    let server = Server::entered(&[]);
    server.upload(&[("case.zip", &sample("healthy.zip"))]);
    server.settled(1);
    assert_eq!(server.uploads(), 1);
    assert_eq!(server.post("/bundle/1/remove").status, 303);
    assert_eq!((server.get("/bundle/1").status, server.uploads()), (404, 0));
}

#[cfg(unix)]
#[test]
fn nothing_is_left_after_the_end() {
    let mut server = Server::entered(&[]);
    server.upload(&[("case.zip", &sample("healthy.zip"))]);
    server.settled(1);
    assert_eq!(server.stored().len(), 2);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(server.scratch.path().join(&server.stored()[0])).unwrap().permissions(),
    );
    assert_eq!(mode & 0o77, 0, "others can look into the uploads");
    assert_eq!(server.end("TERM"), Some(0));
    assert!(server.stored().is_empty(), "{:?}", server.stored());
}

/// Ctrl-C, the end of a session, the system's wish: also in the middle of an upload and of an analysis.
#[cfg(unix)]
#[test]
fn nothing_is_left_whatever_ends_it() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut server = Server::entered(&[]);
        server.upload(&[("case.zip", &sample("mixed.zip"))]);
        let half = server.begin_upload(1_000_000, 500_000);
        server.until(|| server.uploads() == 2);
        assert_eq!(server.end(signal), Some(0), "{signal}");
        assert!(server.stored().is_empty(), "{signal}: {:?}", server.stored());
        drop(half);
    }
}

/// Only what was asked for stays, and it is what the page showed.
#[cfg(unix)]
#[test]
fn what_is_kept_stays_after_the_end() {
    let keep = tempfile::tempdir().unwrap();
    let mut server = Server::entered(&["--keep", keep.path().to_str().unwrap()]);
    let zip = sample("blocked.zip");
    server.upload(&[("case.zip", &zip)]);
    assert_eq!(server.settled(1), "done");
    let shown = server.get("/bundle/1/report.json").body;
    assert_eq!(server.end("INT"), Some(0));
    assert!(server.stored().is_empty(), "{:?}", server.stored());
    let folder = std::fs::read_dir(keep.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read(folder.join("bundle")).unwrap(), zip);
    assert_eq!(std::fs::read_to_string(folder.join("report.json")).unwrap(), shown);
}

/// With `--redact` neither the page nor a download shows a name of the machine, the name of the file included.
#[test]
fn a_redacting_page_shows_pseudonyms_only() {
    let mut names = Names::default();
    plain_rows(&root().join("samples/mixed.zip"), None).iter().for_each(|row| names.row(row));
    assert!(names.0.contains("anna") && names.0.contains("pc17"));
    let server = Server::entered(&["--redact"]);
    server.upload(&[("PC17-anna.zip", &sample("mixed.zip")), ("good.zip", &sample("healthy.zip"))]);
    assert_eq!((server.settled(1), server.settled(2)), ("done".to_owned(), "done".to_owned()));
    let paths = [
        "/",
        "/bundle/1",
        "/bundle/1/report",
        "/bundle/1/report.html",
        "/bundle/1/report.json",
        "/bundle/1/report.md",
        "/compare?good=2&bad=1",
    ];
    for path in paths {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(names.left_in(&format!("{}{}", answer.head, answer.body)), Vec::<String>::new(), "{path}");
        assert!(answer.body.contains("PC-1"), "{path} shows no pseudonym");
    }
    // The same pseudonyms as on the command line.
    let mut command = assert_cmd::Command::cargo_bin("actriage").unwrap();
    let arguments = ["analyze", "--redact", "--format", "json", "samples/mixed.zip"];
    let output = command.current_dir(root()).args(arguments).output().unwrap();
    let mut expected: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    expected["bundle"]["path"] = "PC-1-USER-1.zip".into();
    let report: serde_json::Value = serde_json::from_str(&server.get("/bundle/1/report.json").body).unwrap();
    assert_eq!(report, expected);
}
