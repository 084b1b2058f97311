//! What an attacker may try: each attempt is refused, or harmless.

use std::io::Write as _;
use std::net::TcpStream;

use super::server::{Server, form, sample};
use crate::workshop::recipe;
use crate::workshop::zip::{Member, Method, archive};

/// Every address, also one that does not exist.
const PATHS: [&str; 8] = [
    "GET /",
    "GET /state",
    "GET /icon.svg",
    "GET /bundle/1",
    "GET /bundle/1/report",
    "GET /compare?good=1&bad=1",
    "POST /upload",
    "GET /nothing",
];

#[test]
fn without_the_token_every_address_is_refused() {
    let server = Server::start(&[]);
    let host = server.host();
    for path in PATHS {
        for cookie in ["", "actriage=1", &format!("actriage-{}={}", server.port, "0".repeat(64))] {
            let answer =
                server.request(path, &[("Host", &host), ("Cookie", cookie), ("Content-Length", "0")], &[]);
            assert_eq!(answer.status, 403, "{path}: {answer:?}");
        }
    }
    assert_eq!(server.get(&format!("/?token={}", "0".repeat(64))).status, 403);
    assert_eq!(server.get(&format!("/state?token={}", server.token)).status, 403);
}

#[test]
fn the_token_works_once_and_only_for_a_visit() {
    let server = Server::start(&[]);
    let path = format!("/?token={}", server.token);
    // Whoever looks ahead without showing the page does not use it up.
    assert_eq!(server.request(&format!("HEAD {path}"), &[("Host", &server.host())], &[]).status, 403);
    let answer = server.get(&path);
    assert_eq!(answer.status, 200);
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(&server.token), "the cookie must not be guessable from the address");
    assert_eq!(server.get(&path).status, 403);
}

/// DNS rebinding: the browser believes that it talks to evil.example, and it may even hold the cookie.
#[test]
fn a_foreign_host_is_refused() {
    let server = Server::entered(&[]);
    let port = server.port;
    assert_eq!(server.get("/").status, 200);
    let cookie = server.cookie.as_str();
    for host in
        [format!("evil.example:{port}"), "127.0.0.1".to_owned(), format!("127.0.0.1.evil.example:{port}")]
    {
        assert_eq!(
            server.request("GET /", &[("Host", &host), ("Cookie", cookie)], &[]).status,
            403,
            "{host}"
        );
    }
    let (good, other) = (server.host(), "evil.example".to_owned());
    let two = server.request("GET /", &[("Host", &good), ("Host", &other), ("Cookie", cookie)], &[]);
    assert!([400, 403].contains(&two.status), "{two:?}");
    let none = server.request("GET /", &[("Cookie", cookie)], &[]);
    assert!([400, 403].contains(&none.status), "{none:?}");
    let absolute = server.request("GET http://evil.example/", &[("Host", &good), ("Cookie", cookie)], &[]);
    assert_eq!(absolute.status, 403);
    let local = format!("localhost:{port}");
    assert_eq!(server.request("GET /", &[("Host", &local), ("Cookie", cookie)], &[]).status, 200);
}

#[test]
fn a_foreign_origin_is_refused_and_stores_nothing() {
    let server = Server::entered(&[]);
    let zip = sample("healthy.zip");
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"] {
        assert_eq!(server.upload_with(&[("a.zip", &zip)], &[("Origin", origin)]).status, 403, "{origin}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(server.upload_with(&[("a.zip", &zip)], &[("Sec-Fetch-Site", site)]).status, 403, "{site}");
    }
    assert_eq!((server.uploads(), server.get("/state").body), (0, String::new()));
    let own = format!("http://{}", server.host());
    assert_eq!(server.upload_with(&[("a.zip", &zip)], &[("Origin", &own)]).status, 303);
}

/// Also those that refuse, and those of addresses that do not exist.
#[test]
fn every_answer_forbids_what_it_does_not_need() {
    let server = Server::entered(&[]);
    server.upload(&[("blocked.zip", &sample("blocked.zip"))]);
    assert_eq!(server.settled(1), "done");
    let mut answers: Vec<_> =
        ["/", "/nothing", "/bundle/1", "/bundle/9", "/bundle/1/report", "/bundle/1/report.json"]
            .iter()
            .map(|path| server.get(path))
            .collect();
    answers.push(server.request("GET /", &[("Host", "evil.example")], &[]));
    for answer in answers {
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{answer:?}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(["no-referrer", "same-origin"].contains(&answer.header("referrer-policy")), "{answer:?}");
        assert!(!answer.head.to_lowercase().contains("access-control"), "{answer:?}");
    }
}

#[test]
fn a_path_in_the_name_of_a_file_is_a_label() {
    let keep = tempfile::tempdir().unwrap();
    let server = Server::entered(&["--keep", keep.path().to_str().unwrap()]);
    let zip = sample("healthy.zip");
    let outside = keep.path().join("outside.zip");
    let names = [
        "../../../evil.zip",
        outside.to_str().unwrap(),
        "C:\\\\Windows\\\\evil.zip",
        "..",
        "a%2f..%2fevil.zip",
    ];
    for (at, name) in names.iter().enumerate() {
        assert_eq!(server.upload(&[(name, &zip)]).status, 303, "{name}");
        assert_eq!(server.settled(at as u32 + 1), "done", "{name}");
    }
    // Uploads lie in the one folder, under names of ours.
    let stored = server.stored();
    assert_eq!(stored.len(), names.len() + 1, "{stored:?}");
    let ours = |path: &std::path::PathBuf| {
        path.iter()
            .zip(["actriage-", "upload-"])
            .all(|(part, start)| part.to_str().unwrap().starts_with(start))
    };
    assert!(stored.iter().all(ours), "{stored:?}");
    // What is kept is named by the fingerprint alone: the same bundle five times is one folder.
    let kept: Vec<_> =
        std::fs::read_dir(keep.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].to_str().unwrap().chars().all(|c| c.is_ascii_hexdigit()), "{kept:?}");
    let names = std::fs::read_dir(keep.path().join(&kept[0])).unwrap().count();
    assert_eq!(names, 4, "the bundle and three reports");
    let disposition = server.get("/bundle/1/report.json");
    assert_eq!(disposition.header("content-disposition"), "attachment; filename=\"actriage-evil.json\"");
    assert!(server.get("/").body.contains(">evil.zip</a>"));
    for path in ["/bundle/1/../../etc/passwd", "/bundle/1/..%2f..%2fCargo.toml", "/bundle/1/Cargo.toml"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn ten_thousand_entries_are_read_or_refused_by_name_of_the_limit() {
    let names: Vec<String> = (0..10_000).map(|number| format!("{number}.txt")).collect();
    let member = |name| Member { method: Method::Stored, ..Member::new(name, b"x") };
    let zip = archive(&names.iter().map(|name| member(name)).collect::<Vec<_>>());
    let server = Server::entered(&[]);
    server.upload(&[("many.zip", &zip)]);
    assert_eq!(server.settled(1), "done");
    assert!(server.get("/bundle/1").body.contains("in 10000 files"));
    let server = Server::entered(&["--max-entries", "1000"]);
    server.upload(&[("many.zip", &zip)]);
    assert_eq!(server.settled(1), "failed");
    assert!(server.get("/bundle/1").body.contains("--max-entries"));
}

#[test]
fn a_bomb_does_not_go_off() {
    let zeros = vec![0_u8; 100 << 20];
    let zip = archive(&[Member::new("config/SYSTEM", &zeros)]);
    assert!(zip.len() < 1 << 20, "the bomb is {} bytes: no bomb", zip.len());
    let server = Server::entered(&[]);
    server.upload(&[("bomb.zip", &zip), ("healthy.zip", &sample("healthy.zip"))]);
    assert_eq!((server.settled(1), server.settled(2)), ("done".to_owned(), "done".to_owned()));
    let report: serde_json::Value = serde_json::from_str(&server.get("/bundle/1/report.json").body).unwrap();
    assert_eq!(report["bundle"]["artifacts"][0]["status"], "unreadable");
    assert!(report["bundle"]["artifacts"][0]["reason"].as_str().unwrap().contains("bomb"), "{report}");
    assert_ne!(report["verdict"]["outcome"], "clear");
}

#[test]
fn an_upload_that_is_cut_off_leaves_nothing() {
    let server = Server::entered(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: 2000000000\r\n\
         Content-Type: multipart/form-data; boundary=XX\r\n\r\n",
        server.host(),
        server.cookie
    );
    stream.write_all(head.as_bytes()).unwrap();
    let body = form(&[("whole.zip", &sample("healthy.zip")), ("case.zip", &vec![b'x'; 4 << 20])]);
    stream.write_all(&body[..body.len() - 1000]).unwrap();
    // It has come as far as the disk, so that there is something to clean up.
    server.until(|| server.uploads() == 2);
    drop(stream);
    server.until(|| server.uploads() == 0);
    assert_eq!(server.get("/state").body, "", "also the file that came whole belongs to a form that did not");
}

/// Two gigabytes are announced; the program's memory must not follow what comes.
#[cfg(target_os = "linux")]
fn streamed(sent: u64) {
    let server = Server::entered(&[]);
    let before = server.peak();
    let stream = server.begin_upload(2_000_000_000, sent);
    // What is on its way through buffers is not on the disk yet.
    server.until(|| server.uploaded() + (1 << 20) >= sent);
    let grown = server.peak().saturating_sub(before);
    println!("{sent} bytes came in, the program grew by {grown}");
    assert!(grown < 32 << 20, "{grown} bytes of memory for {sent} bytes of upload");
    drop(stream);
    server.until(|| server.stored().len() == 1);
    assert_eq!((server.uploaded(), server.get("/state").body), (0, String::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn an_upload_goes_to_the_disk_and_not_into_memory() {
    streamed(200_000_000);
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "writes two gigabytes"]
fn two_gigabytes_that_are_cut_off_leave_nothing() {
    streamed(1_999_000_000);
}

#[test]
fn an_upload_over_the_limit_is_refused() {
    let server = Server::entered(&["--max-upload", "100000"]);
    let (host, cookie) = (server.host(), server.cookie.as_str());
    let kind = ("Content-Type", "multipart/form-data; boundary=XX");
    // What says so itself is refused before a byte was read.
    let headers = [("Host", host.as_str()), ("Cookie", cookie), kind, ("Content-Length", "2000000000")];
    let answer = server.request("POST /upload", &headers, &[]);
    assert!(answer.status == 413 && answer.body.contains("--max-upload"), "{answer:?}");
    // What does not say so is counted.
    let body = form(&[("case.zip", &vec![b'x'; 150_000])]);
    let chunked = [format!("{:x}\r\n", body.len()).as_bytes(), &body, b"\r\n0\r\n\r\n"].concat();
    let headers = [("Host", host.as_str()), ("Cookie", cookie), kind, ("Transfer-Encoding", "chunked")];
    let answer = server.request("POST /upload", &headers, &chunked);
    assert!(answer.status == 413 && answer.body.contains("--max-upload"), "{answer:?}");
    assert_eq!((server.uploads(), server.get("/state").body), (0, String::new()));
}

/// The probe host is quoted by the check, the name of the file by the list of files, the label by every page.
#[test]
fn script_and_escapes_in_evidence_are_text() {
    let hostile = "<script>alert(1)</script>\u{1b}[31m\u{202e}\"'";
    let hive = format!(
        "[Select]\n\"Current\"=dword:00000001\n[ControlSet001\\Services\\NlaSvc\\Parameters\\Internet]\n\
         \"EnableActiveProbing\"=dword:00000001\n\"ActiveWebProbeHost\"=\"{}\"\n",
        hostile.replace('"', "\\\"")
    );
    let hive = recipe::hive(&hive);
    let zip =
        archive(&[Member::new("config/SYSTEM", &hive), Member::new(&format!("{hostile}.txt"), b"some text")]);
    let server = Server::entered(&[]);
    // A control character has no place in the head of a form: that one is not taken at all.
    assert_eq!(server.upload(&[("\u{1b}[31m.zip", &zip)]).status, 400);
    server.upload(&[("<script>alert(1)<b>\u{202e}.zip", &zip), ("healthy.zip", &sample("healthy.zip"))]);
    assert_eq!((server.settled(1), server.settled(2)), ("done".to_owned(), "done".to_owned()));
    let raw = ["<script>alert", "\u{1b}", "\u{202e}"];
    let paths = ["/", "/bundle/1", "/bundle/1/report", "/bundle/1/report.html", "/compare?good=2&bad=1"];
    for path in paths {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(raw.iter().all(|text| !answer.body.contains(text)), "{path}: {}", answer.body);
        assert!(answer.body.contains("&lt;script&gt;alert(1)"), "{path} does not show it at all");
        assert!(answer.body.contains(r"\u{202e}"), "{path} does not show it at all");
    }
    let report = server.get("/bundle/1/report").body;
    let quoted = report.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count();
    assert!(quoted >= 2, "the value and the name of the file are to be shown");
    assert!(report.contains(r"\u{1b}[31m"), "the escape is to be shown as text");
    for path in ["/bundle/1/report.json", "/bundle/1/report.md"] {
        let answer = server.get(path);
        assert!(!answer.body.contains('\u{1b}'), "{path}");
        assert!(answer.header("content-disposition").starts_with("attachment"), "{path}");
    }
}

#[test]
fn one_bad_bundle_costs_itself() {
    let server = Server::entered(&[]);
    let blocked = sample("blocked.zip");
    server.upload(&[
        ("a.zip", b"PK\x03\x04 no archive"),
        ("b.zip", &blocked),
        ("c.zip", &blocked[..9000]),
        ("d.txt", b""),
    ]);
    assert_eq!(server.settled(1), "failed");
    assert_eq!(server.settled(2), "done");
    assert_eq!(server.settled(3), "failed");
    let page = server.get("/bundle/1").body;
    assert!(page.contains("a.zip: not a readable zip archive"), "{page}");
    assert!(!page.contains(server.scratch.path().to_str().unwrap()), "a path of this machine is shown");
    assert_ne!(server.settled(4), "", "an empty file is answered too");
}
