//! Bodies of `connecttest.txt` and `ncsi.txt`: the answer that Windows expects from the internet, or somebody else's.

use serde::Serialize;

use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading, shape};

/// The typed content.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Data {
    /// Whose answer it is.
    pub body: Body,
    /// The first 200 characters of any other answer.
    pub text: Option<String>,
    /// Line of the body.
    pub line: u32,
}

/// What answered a web probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `Microsoft Connect Test`: the probe of Windows 10 1607 and later.
    ConnectTest,
    /// `Microsoft NCSI`: the probe before that.
    Ncsi,
    /// A web page: a captive portal or a proxy.
    Html,
    /// Anything else.
    Other,
}

impl Body {
    /// The body that a text is.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        let start: String = text.chars().take(400).collect::<String>().to_ascii_lowercase();
        match text {
            "Microsoft Connect Test" => Self::ConnectTest,
            "Microsoft NCSI" => Self::Ncsi,
            _ if ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.contains(tag)) => {
                Self::Html
            }
            _ => Self::Other,
        }
    }
}

/// Whether a text asks for one of the probes.
pub fn asks_probe(command: &str) -> bool {
    let command = command.to_ascii_lowercase();
    ["connecttest.txt", "ncsi.txt", "msftconnecttest.com", "msftncsi.com/"]
        .iter()
        .any(|part| command.contains(part))
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::ProbeBody, recognise, starts: |_| false, read };

/// The lines of the body, without those that curl writes about its progress.
fn body<'t>(block: &Block<'t>) -> impl Iterator<Item = (u32, &'t str)> + use<'t> {
    let progress = |line: &str| {
        let line = line.trim();
        line.starts_with("% Total")
            || line.starts_with("Dload")
            || line.ends_with("--:--:--")
            || line.contains(":--:-- ")
    };
    block.lines().filter(move |(_, line)| !line.trim().is_empty() && !progress(line))
}

fn recognise(block: &Block<'_>) -> u8 {
    let mut lines = body(block);
    let Some((_, first)) = lines.next() else { return 0 };
    if lines.next().is_none() && matches!(Body::of(first), Body::ConnectTest | Body::Ncsi) {
        return 95;
    }
    // A page behind `curl …/connecttest.txt`; answers with their headers are read as responses.
    let asked = block.command.is_some_and(asks_probe)
        && !block.command.is_some_and(|command| command.contains("nslookup"));
    if asked && first.trim_start().starts_with('<') { 60 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    let mut text = String::new();
    let mut line = None;
    for (number, part) in body(block) {
        line.get_or_insert(number);
        text.push_str(part);
        text.push('\n');
        if text.len() > 8_192 {
            break;
        }
    }
    let (Some(line), body) = (line, Body::of(&text)) else {
        return shape::failed(block).unwrap_or_else(|| Reading::unrecognized("no body"));
    };
    let known = matches!(body, Body::ConnectTest | Body::Ncsi);
    let text = (!known).then(|| text.trim().chars().take(200).collect());
    Reading {
        status: CaptureStatus::Parsed,
        reason: None,
        language: None,
        data: CaptureData::ProbeBody(Data { body, text, line }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture;
    use crate::artifact::text::Text;

    fn body_of(text: &str) -> Option<Body> {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        captures.iter().find_map(|capture| match &capture.data {
            CaptureData::ProbeBody(data) => Some(data.body),
            _ => None,
        })
    }

    #[test]
    fn only_the_exact_body_is_the_probe() {
        // domain.md 5.9 and R3; text_formats.md 4.21: 22 bytes without a line end.
        assert_eq!(body_of("Microsoft Connect Test"), Some(Body::ConnectTest));
        assert_eq!(body_of("Microsoft NCSI\r\n"), Some(Body::Ncsi));
        assert_eq!(body_of("Microsoft Connect Tes"), None);
        assert_eq!(body_of("microsoft connect test"), None);
        assert_eq!(body_of("Microsoft Connect Test\nand more"), None);
    }

    #[test]
    fn a_page_behind_the_probe_is_somebody_elses() {
        let text = "C:\\>curl http://www.msftconnecttest.com/connecttest.txt\n<html><body>Log in</body></html>\nC:\\>";
        assert_eq!(body_of(text), Some(Body::Html));
    }
}
