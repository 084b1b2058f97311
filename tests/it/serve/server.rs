//! The program under test, and a client that says exactly what it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::checks::root;

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `actriage serve`, with a temporary folder of its own.
pub struct Server {
    child: Child,
    pub port: u16,
    pub token: String,
    pub cookie: String,
    pub scratch: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// A header of the answer; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let line =
            |line: &'_ str| line.split_once(": ").is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head
            .lines()
            .find(|text| line(text))
            .and_then(|text| text.split_once(": "))
            .map_or("", |(_, value)| value)
    }
}

impl Server {
    /// Starts the program; nobody has entered yet.
    pub fn start(arguments: &[&str]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("actriage"))
            .arg("serve")
            .args(arguments)
            .current_dir(root())
            .env("TMPDIR", scratch.path())
            .env("TMP", scratch.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address =
            lines.map(|line| line.trim().to_owned()).find(|line| line.starts_with("http://")).unwrap();
        let rest = address.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, token) = rest.split_once("/?token=").unwrap();
        let (port, token) = (port.parse().unwrap(), token.to_owned());
        Self { child, port, token, cookie: String::new(), scratch }
    }

    /// Starts the program and exchanges the token.
    pub fn entered(arguments: &[&str]) -> Self {
        let mut server = Self::start(arguments);
        let answer = server.get(&format!("/?token={}", server.token));
        assert_eq!(answer.status, 200, "{answer:?}");
        server.cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        server
    }

    /// The right Host header.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Sends bytes as they are and reads the answer to its end.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A server that refuses early closes while we still write.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// A request with chosen headers; `Connection: close` is added.
    pub fn request(&self, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut text = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.raw(&[text.as_bytes(), body].concat())
    }

    /// A visit by whoever holds the cookie.
    pub fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), &[("Host", &self.host()), ("Cookie", &self.cookie)], &[])
    }

    /// An empty form by whoever holds the cookie.
    pub fn post(&self, path: &str) -> Answer {
        let headers = [("Host", &*self.host()), ("Cookie", &self.cookie), ("Content-Length", "0")];
        self.request(&format!("POST {path}"), &headers, &[])
    }

    /// A form with files, with further headers.
    pub fn upload_with(&self, files: &[(&str, &[u8])], more: &[(&str, &str)]) -> Answer {
        let body = form(files);
        let (host, length) = (self.host(), body.len().to_string());
        let mut headers = vec![
            ("Host", host.as_str()),
            ("Cookie", &self.cookie),
            ("Content-Type", "multipart/form-data; boundary=XX"),
            ("Content-Length", &length),
        ];
        headers.extend(more);
        self.request("POST /upload", &headers, &body)
    }

    /// A form with files.
    pub fn upload(&self, files: &[(&str, &[u8])]) -> Answer {
        self.upload_with(files, &[])
    }

    /// Waits until a bundle is `done` or `failed`, and says which.
    pub fn settled(&self, id: u32) -> String {
        let mut state = String::new();
        self.until(|| {
            let answer = self.get(&format!("/bundle/{id}/state"));
            assert_eq!(answer.status, 200, "there is no bundle {id}");
            state = answer.body;
            !matches!(state.as_str(), "waiting" | "reading")
        });
        state
    }

    /// Waits for something.
    pub fn until(&self, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            assert!(start.elapsed() < PATIENCE, "waited in vain");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Everything below the temporary folder, relative to it.
    pub fn stored(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.scratch.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for item in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = item.path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.push(path.strip_prefix(self.scratch.path()).unwrap().to_path_buf());
            }
        }
        found.sort();
        found
    }

    /// Uploads that lie there.
    pub fn uploads(&self) -> usize {
        self.stored().len().saturating_sub(1)
    }

    /// Sends a signal that asks the program to end (`INT` is Ctrl-C), and gives its exit code.
    #[cfg(unix)]
    pub fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-s", signal, &id]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code()
    }

    /// The most memory that the program has held so far, in bytes.
    #[cfg(target_os = "linux")]
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// Begins an upload of the given length and sends as much of the one file in it as asked for.
    #[cfg(unix)]
    pub fn begin_upload(&self, announced: u64, sent: u64) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "POST /upload HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: {announced}\r\n\
             Content-Type: multipart/form-data; boundary=XX\r\n\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"bundle\"; filename=\"case.zip\"\r\n\r\n",
            self.host(),
            self.cookie
        );
        stream.write_all(head.as_bytes()).unwrap();
        let block = vec![b'x'; 1 << 20];
        let mut left = sent;
        while left > 0 {
            let size = left.min(1 << 20);
            stream.write_all(&block[..usize::try_from(size).unwrap()]).unwrap();
            left -= size;
        }
        stream
    }

    /// Bytes of all uploads on the disk.
    #[cfg(target_os = "linux")]
    pub fn uploaded(&self) -> u64 {
        let sizes = self.stored().into_iter().map(|path| std::fs::metadata(self.scratch.path().join(path)));
        sizes.map(|meta| meta.map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 })).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a form with files, with the boundary `XX`.
pub fn form(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        let head =
            format!("--XX\r\nContent-Disposition: form-data; name=\"bundle\"; filename=\"{name}\"\r\n\r\n");
        body.extend(head.as_bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--XX--\r\n");
    body
}

/// A bundle from the samples.
pub fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join("samples").join(name)).unwrap()
}
