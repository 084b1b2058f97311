//! Damaged captures: no panic, and nothing good or absent that the sound capture did not say.

use std::collections::BTreeSet;

use actriage::artifact::capture::{
    Capture, CaptureData, CaptureStatus, connection_profile::Connectivity, nslookup::Outcome,
    probe_body::Body, winhttp_proxy::State,
};
use actriage::artifact::text::Text;

use super::{bytes, files, read};

/// What a check could take for good news, or for "there is none", out of one capture.
fn claims(capture: &Capture) -> Vec<String> {
    let whole = capture.status == CaptureStatus::Parsed;
    let claim = |is: bool, words: &str| is.then(|| words.to_owned());
    match &capture.data {
        CaptureData::ConnectionProfile(data) => {
            let internet = data.profiles.iter().any(|profile| profile.ipv4 == Some(Connectivity::Internet));
            [claim(internet, "internet"), claim(data.profiles.is_empty(), "no network")]
                .into_iter()
                .flatten()
                .collect()
        }
        CaptureData::WinhttpProxy(data) => match &data.state {
            State::Direct { .. } => vec!["direct".into()],
            State::Proxy { bypass: None, .. } => claim(whole, "no bypass").into_iter().collect(),
            State::Proxy { .. } => Vec::new(),
        },
        CaptureData::WinhttpAdvproxy(data) => {
            claim(whole && data.proxy.is_none(), "no proxy").into_iter().collect()
        }
        CaptureData::WinsockCatalog(data) => claim(data.complete, "complete").into_iter().collect(),
        CaptureData::Service(data) => data
            .services
            .iter()
            .flat_map(|service| {
                [
                    claim(service.state == Some(4), "running"),
                    claim(service.missing, "missing"),
                    claim(service.start == Some(2), "automatic"),
                ]
            })
            .flatten()
            .collect(),
        CaptureData::Nslookup(data) => data
            .queries
            .iter()
            .filter(|query| query.outcome != Outcome::Unknown)
            .map(|query| format!("{:?}", query.outcome))
            .collect(),
        CaptureData::ResolveDns(data) => {
            claim(data.outcome != Outcome::Unknown, &format!("{:?}", data.outcome)).into_iter().collect()
        }
        CaptureData::TestConnection(data) => data
            .tests
            .iter()
            .filter_map(|test| claim(test.tcp_test_succeeded == Some(true), "connected"))
            .collect(),
        CaptureData::ProbeBody(data) => {
            claim(data.body != Body::Other, &format!("{:?}", data.body)).into_iter().collect()
        }
        CaptureData::HttpResponse(data) => data
            .responses
            .iter()
            .flat_map(|response| {
                [Some(format!("status {}", response.status)), response.body.map(|body| format!("{body:?}"))]
            })
            .flatten()
            .filter(|claim| claim != "Other")
            .collect(),
        _ => Vec::new(),
    }
}

fn all_claims(bytes: &[u8]) -> BTreeSet<String> {
    read(bytes).iter().flat_map(claims).collect()
}

/// Claims that a damaged text may make although the whole one did not: none of them is good news or an absence. A name line whose
/// addresses were cut off is an answer without a record; a message whose server was cut off keeps its meaning.
fn allowed(claim: &str, sound: &BTreeSet<String>) -> bool {
    sound.contains(claim) || (claim == "NoRecord" && sound.contains("Resolved"))
}

fn holds(file: &str, how: &str, damaged: &[u8], sound: &BTreeSet<String>) {
    for claim in all_claims(damaged) {
        assert!(allowed(&claim, sound), "{file} {how} claims {claim}, the sound file only {sound:?}");
    }
}

#[test]
fn lost_lines_and_columns() {
    let Some(files) = files() else { return println!("no corpus") };
    let mut tried = 0;
    for (file, _) in &files {
        let Some(bytes) = bytes(file) else { return };
        let sound = all_claims(&bytes);
        let text = Text::decode(&bytes);
        let lines: Vec<&str> = text.lines().map(|(_, line)| line).collect();
        // Ten places in the first entries, which hold every shape of a long file; other places for each file.
        let reach = lines.len().min(40);
        for at in (tried % 3..reach).step_by((reach / 10).max(1)) {
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| *line).collect();
            holds(file, &format!("without line {}", at + 1), without.join("\n").as_bytes(), &sound);
            holds(file, &format!("up to line {at}"), lines[..at].join("\n").as_bytes(), &sound);
            holds(file, &format!("from line {}", at + 1), lines[at..].join("\n").as_bytes(), &sound);
            tried += 3;
        }
        for column in [1, 4, 17, 37] {
            let left: Vec<String> = lines.iter().map(|line| line.chars().skip(column).collect()).collect();
            let right: Vec<String> = lines.iter().map(|line| line.chars().take(column).collect()).collect();
            holds(file, &format!("without its first {column} columns"), left.join("\n").as_bytes(), &sound);
            holds(file, &format!("with its first {column} columns"), right.join("\n").as_bytes(), &sound);
            tried += 2;
        }
    }
    println!("{} files, {tried} damaged texts", files.len());
}

#[test]
fn wrong_encodings_and_random_bytes() {
    let Some(files) = files() else { return println!("no corpus") };
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut tried = 0;
    for (file, _) in &files {
        let Some(bytes) = bytes(file) else { return };
        let sound = all_claims(&bytes);
        let text = Text::decode(&bytes).as_str().to_owned();
        // The whole text in other encodings says the same or less.
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
        let lost: String = text.chars().map(|c| if c.is_ascii() { c } else { '\u{fffd}' }).collect();
        let twice: String = text.bytes().map(char::from).collect();
        for (how, damaged) in [
            ("in UTF-16", utf16.clone()),
            ("in UTF-16 one byte off", utf16.get(1..).unwrap_or_default().to_vec()),
            ("in Latin-1", latin),
            ("without its letters", lost.into_bytes()),
            ("decoded twice", twice.into_bytes()),
        ] {
            holds(file, how, &damaged, &sound);
            tried += 1;
        }
        // Random bytes must only be survived: a changed digit is another value that nothing gives away.
        for _ in 0..6 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random() % 8 {
                let at = usize::try_from(random() % damaged.len() as u64).unwrap();
                damaged[at] = u8::try_from(random() & 0xff).unwrap();
            }
            damaged.truncate(
                usize::try_from(random() % (damaged.len() as u64 + 1)).unwrap().max(damaged.len() / 2),
            );
            let _ = read(&damaged);
            tried += 1;
        }
    }
    println!("{} files, {tried} damaged files", files.len());
}
