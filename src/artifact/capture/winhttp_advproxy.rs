//! `netsh winhttp show advproxy` (Windows 11, Server 2022): the machine's WinHTTP proxy as JSON.
//!
//! Not localized. A key that is absent is not set (text_formats.md 4.2).

use serde::Serialize;

use super::shape::cell::without_credentials;
use super::shape::{self, Cell, Form, Object};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content. `None` is *not set*.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// A named proxy is in use.
    pub proxy_is_enabled: Option<bool>,
    /// `host:port`, or one per protocol (`http=host:port;https=…`); credentials are masked.
    pub proxy: Option<String>,
    /// Hosts that go direct, `;` between them; `*` means that the proxy is never used.
    pub proxy_bypass: Option<String>,
    /// A configuration script is in use.
    pub auto_config_is_enabled: Option<bool>,
    /// Address of the script; credentials and query are masked.
    pub auto_config_url: Option<String>,
    /// WPAD is on.
    pub auto_detect: Option<bool>,
    /// Each user has settings of his own.
    pub per_user_proxy_settings: Option<bool>,
    /// Line of the first key.
    pub line: u32,
    /// Line of `Proxy`.
    pub proxy_line: Option<u32>,
    /// Line of `ProxyBypass`.
    pub proxy_bypass_line: Option<u32>,
    /// Line of `AutoConfigUrl`.
    pub auto_config_url_line: Option<u32>,
    /// Line of `AutoDetect`.
    pub auto_detect_line: Option<u32>,
}

/// Keys that no other JSON has.
const MARKS: [&str; 6] = [
    "\"ProxyIsEnabled\"",
    "\"ProxyBypass\"",
    "\"AutoConfigIsEnabled\"",
    "\"AutoConfigUrl\"",
    "\"PerUserProxySettings\"",
    "\"AutoDetect\"",
];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::WinhttpAdvproxy, recognise, starts: |_| false, read };

fn recognise(block: &Block<'_>) -> u8 {
    let text = block.text.span(block.from, block.to);
    let asked = block.command.and_then(super::command::kind_of) == Some(CaptureKind::WinhttpAdvproxy);
    if MARKS.iter().any(|mark| memchr::memmem::find(text.as_bytes(), mark.as_bytes()).is_some()) {
        95
    } else if asked && text.contains('{') {
        80
    } else {
        0
    }
}

fn read(block: &Block<'_>) -> Reading {
    let found = shape::objects(block);
    if found.form != Form::Json || found.objects.len() != 1 || !found.problems.is_empty() {
        let problem = found.problems.first().map(ToString::to_string);
        return Reading::unrecognized(problem.unwrap_or_else(|| "not one complete JSON object".to_owned()));
    }
    let data = found.objects.first().map(data).unwrap_or_default();
    let reason = contradiction(&data).map(str::to_owned);
    Reading::of(CaptureData::WinhttpAdvproxy(data), reason)
}

/// A key without the one that belongs to it: something is missing in the capture.
fn contradiction(data: &Data) -> Option<&'static str> {
    match data {
        Data { proxy_is_enabled: Some(true), proxy: None, .. } => Some("a proxy is on, but none is named"),
        Data { proxy_bypass: Some(_), proxy: None, proxy_is_enabled: None, .. } => {
            Some("a bypass list without a proxy")
        }
        Data { auto_config_is_enabled: Some(true), auto_config_url: None, .. } => {
            Some("a script is on, but none is named")
        }
        _ => None,
    }
}

fn data(object: &Object) -> Data {
    let truth = |name: &str| object.get(name).and_then(Cell::truth);
    let line = |name: &str| object.property(name).map(|property| property.line);
    Data {
        proxy_is_enabled: truth("ProxyIsEnabled"),
        proxy: object.text("Proxy").map(|proxy| without_credentials(&proxy)),
        proxy_bypass: object.text("ProxyBypass"),
        auto_config_is_enabled: truth("AutoConfigIsEnabled"),
        auto_config_url: object.text("AutoConfigUrl").map(|url| without_query(&without_credentials(&url))),
        auto_detect: truth("AutoDetect"),
        per_user_proxy_settings: truth("PerUserProxySettings"),
        line: object.line,
        proxy_line: line("Proxy"),
        proxy_bypass_line: line("ProxyBypass"),
        auto_config_url_line: line("AutoConfigUrl"),
        auto_detect_line: line("AutoDetect"),
    }
}

/// Queries of script addresses can hold tokens.
fn without_query(url: &str) -> String {
    match url.split_once(['?', '#']) {
        Some((address, _)) => format!("{address}?***"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture::{self, CaptureStatus};
    use crate::artifact::text::Text;

    fn read_one(text: &str) -> (CaptureStatus, Option<Data>) {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::WinhttpAdvproxy), "{captures:?}");
        match &captures[0].data {
            CaptureData::WinhttpAdvproxy(data) => (captures[0].status, Some(data.clone())),
            _ => (captures[0].status, None),
        }
    }

    #[test]
    fn nothing_set_is_an_empty_object_behind_the_command() {
        let (status, data) = read_one(
            "C:\\>netsh winhttp show advproxy\n\nCurrent WinHTTP advanced proxy settings:\n\n{\n}\n",
        );
        assert_eq!((status, data.unwrap().proxy), (CaptureStatus::Parsed, None));
    }

    #[test]
    fn damage_never_reads_as_no_proxy() {
        let whole = "{\n\"ProxyIsEnabled\": true,\n\"Proxy\": \"a:1\",\n\"ProxyBypass\": \"*\",\n\"AutoDetect\": true\n}\n";
        for drop in 0..6 {
            let lines: Vec<_> =
                whole.lines().enumerate().filter(|(at, _)| *at != drop).map(|(_, line)| line).collect();
            let captures = capture::read(&Text::decode(lines.join("\n").as_bytes()));
            if let CaptureData::WinhttpAdvproxy(data) = &captures[0].data {
                assert!(
                    data.proxy.is_some() || captures[0].status == CaptureStatus::Partial,
                    "without line {drop}"
                );
            }
        }
    }

    #[test]
    fn secrets_are_masked() {
        let (_, data) = read_one(
            "{\"Proxy\": \"http=u:p@h:1\", \"AutoConfigUrl\": \"https://u:p@h/p.pac?t=1#f\", \"AutoDetect\": false}",
        );
        let data = data.unwrap();
        assert_eq!(data.proxy.as_deref(), Some("http=***@h:1"));
        assert_eq!(data.auto_config_url.as_deref(), Some("https://***@h/p.pac?***"));
    }
}
