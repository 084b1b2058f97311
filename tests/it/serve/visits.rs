//! What a visitor without a script sees: the forms alone must do.

use super::server::{Server, sample};
use crate::checks::root;

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
    assert_eq!(server.end(), Some(0));
    assert!(server.stored().is_empty(), "{:?}", server.stored());
}
