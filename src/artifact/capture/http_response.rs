//! `curl` and `Invoke-WebRequest`: what a web server, or somebody in between, answered.
//!
//! Status lines, header names, curl's numbers and the property names of PowerShell are not translated. A 407, a redirect or a
//! page where a probe's text was expected betrays a proxy or a captive portal (text_formats.md 4.21).

use serde::Serialize;

use super::probe_body::{Body, asks_probe};
use super::shape::cell::without_credentials;
use super::shape::{self, Cell, Object};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// Address that was asked for, from the command.
    pub url: Option<String>,
    /// The command asked for one of Windows' own probes.
    pub probe: bool,
    /// The responses in their order: a proxy's first, redirects one after another.
    pub responses: Vec<Response>,
    /// Why there is no response.
    pub failure: Option<HttpFailure>,
}

/// One response.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Response {
    /// Status (200, 302, 407).
    pub status: u16,
    /// `Location` header.
    pub location: Option<String>,
    /// `Content-Type` header.
    pub content_type: Option<String>,
    /// `Proxy-Authenticate` or `WWW-Authenticate` header: the schemes, without challenges.
    pub authenticate: Option<String>,
    /// `Via` header: who passed it on.
    pub via: Option<String>,
    /// `Server` header.
    pub server: Option<String>,
    /// `Date` header as sent: the clock of the other side.
    pub date: Option<String>,
    /// Whose body it is; `None` without one.
    pub body: Option<Body>,
    /// Line of the status.
    pub line: u32,
    /// Line of the body.
    pub body_line: Option<u32>,
}

/// A request without a response.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HttpFailure {
    /// curl's exit code (6 name not resolved, 7 no connection, 28 timeout, 35 TLS, 60 certificate); `None` from PowerShell.
    pub curl_code: Option<u32>,
    /// What it means, where it is known.
    pub cause: FailureCause,
    /// Line of the message.
    pub line: u32,
}

/// Why a request had no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The name of the proxy did not resolve.
    ProxyName,
    /// The name of the host did not resolve.
    Name,
    /// No connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// TLS did not come about.
    Tls,
    /// The certificate is not trusted.
    Certificate,
    /// Anything else.
    Other,
}

/// curl's exit codes (`man curl`).
const CURL: &[(u32, FailureCause)] = &[
    (5, FailureCause::ProxyName),
    (6, FailureCause::Name),
    (7, FailureCause::Connect),
    (28, FailureCause::Timeout),
    (35, FailureCause::Tls),
    (51, FailureCause::Certificate),
    (56, FailureCause::Connect),
    (58, FailureCause::Certificate),
    (60, FailureCause::Certificate),
];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::HttpResponse, recognise, starts: |_| false, read };

fn recognise(block: &Block<'_>) -> u8 {
    for (_, line) in block.lines().filter(|(_, line)| line.len() < 4_096) {
        if status_line(line).is_some() || curl_code(line).is_some() {
            return 80;
        }
        if line.contains("InvokeWebRequestCommand") {
            return 90;
        }
    }
    let text = block.text.span(block.from, block.to).as_bytes();
    let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    if has("StatusCode") && (has("RawContent") || has("StatusDescription")) { 90 } else { 0 }
}

/// The status of `HTTP/1.1 200 OK`, with curl's `< ` before it or without.
fn status_line(line: &str) -> Option<u16> {
    let line = line.trim_start().trim_start_matches("< ");
    let rest = line.strip_prefix("HTTP/")?;
    let (version, rest) = rest.split_once(' ')?;
    let status = rest.get(..3)?;
    let plain = version.len() <= 3 && version.starts_with(['1', '2', '3']);
    status.parse().ok().filter(|status| plain && (100..600).contains(status))
}

/// The number in `curl: (6) Could not resolve host: x`.
fn curl_code(line: &str) -> Option<u32> {
    line.trim_start().strip_prefix("curl: (")?.split_once(')')?.0.parse().ok()
}

fn read(block: &Block<'_>) -> Reading {
    let command = block.command.unwrap_or_default();
    let url = command
        .split_whitespace()
        .find(|word| word.contains("://"))
        .map(|word| word.trim_matches(['"', '\'']));
    let mut data = Data { url: url.map(without_query), probe: asks_probe(command), ..Data::default() };
    let found = shape::objects(block);
    data.responses = found.objects.iter().filter_map(response_object).collect();
    if data.responses.is_empty() {
        data.responses = raw_responses(block);
    }
    data.failure = failure(block, &mut data.responses);
    if data.responses.is_empty() && data.failure.is_none() {
        return shape::failed(block)
            .unwrap_or_else(|| Reading::unrecognized("neither a status nor an error"));
    }
    Reading::of(CaptureData::HttpResponse(data), None)
}

/// Queries can hold tokens, and addresses can hold credentials.
fn without_query(url: &str) -> String {
    without_credentials(url.split(['?', '#']).next().unwrap_or_default())
}

/// An object of `Invoke-WebRequest`.
fn response_object(object: &Object) -> Option<Response> {
    let status =
        object.get("StatusCode").and_then(Cell::number).and_then(|status| u16::try_from(status).ok())?;
    let mut response = Response { status, line: object.line, ..Response::default() };
    if let Some(raw) = object.text("RawContent") {
        let (headers, body) = raw.split_once("\n\n").unwrap_or((raw.as_str(), ""));
        headers.lines().for_each(|line| header(&mut response, line));
        response.body = (!body.trim().is_empty()).then(|| Body::of(body));
        response.body_line = response.body.and(object.property("RawContent")).map(|property| property.line);
    }
    if let Some(content) = object.text("Content") {
        response.body = Some(Body::of(&content));
        response.body_line = object.property("Content").map(|property| property.line);
    }
    Some(response)
}

fn header(response: &mut Response, line: &str) {
    let Some((name, value)) = line.split_once(':') else { return };
    let value = value.trim().to_owned();
    match name.trim().to_ascii_lowercase().as_str() {
        "location" => response.location = Some(without_query(&value)),
        "content-type" => response.content_type = Some(value),
        "proxy-authenticate" | "www-authenticate" => {
            let scheme = value.split([' ', ',']).next().unwrap_or_default();
            let list = response.authenticate.get_or_insert_default();
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(scheme);
        }
        "via" => response.via = Some(value),
        "server" => response.server = Some(value),
        "date" => response.date = Some(value),
        _ => {}
    }
}

/// Longest body that is looked at.
const BODY: usize = 8_192;

/// Responses as `curl -i` and `curl -v` print them.
fn raw_responses(block: &Block<'_>) -> Vec<Response> {
    let mut responses: Vec<Response> = Vec::new();
    let mut in_headers = false;
    let mut body = String::new();
    let finish = |responses: &mut Vec<Response>, body: &mut String| {
        if let Some(last) = responses.last_mut().filter(|_| !body.trim().is_empty()) {
            last.body = Some(Body::of(body));
        }
        body.clear();
    };
    for (number, line) in block.lines() {
        if let Some(status) = status_line(line) {
            finish(&mut responses, &mut body);
            responses.push(Response { status, line: number, ..Response::default() });
            in_headers = true;
            continue;
        }
        let Some(last) = responses.last_mut() else { continue };
        let plain = line.trim_start().strip_prefix("< ").unwrap_or(line).trim();
        match plain {
            "" | "<" => in_headers = false,
            _ if in_headers => header(last, plain),
            // What curl says itself, and what it sends.
            _ if line.starts_with(['*', '>', '{', '}']) || curl_code(line).is_some() => {}
            _ if body.len() < BODY => {
                last.body_line.get_or_insert(number);
                body.extend(line.chars().take(BODY));
                body.push('\n');
            }
            _ => {}
        }
    }
    finish(&mut responses, &mut body);
    responses
}

/// curl's error, or the one of PowerShell, whose status may be all that is known of a response.
fn failure(block: &Block<'_>, responses: &mut Vec<Response>) -> Option<HttpFailure> {
    for (line, text) in block.lines().filter(|(_, text)| text.len() < 4_096) {
        if let Some(code) = curl_code(text) {
            let cause = CURL
                .iter()
                .find(|(known, _)| *known == code)
                .map_or(FailureCause::Other, |(_, cause)| *cause);
            return Some(HttpFailure { curl_code: Some(code), cause, line });
        }
        if text.contains("Invoke-WebRequest :") || text.contains("WebException") {
            // `The remote server returned an error: (407) Proxy Authentication Required.` in any language.
            let status = text.split('(').skip(1).find_map(|rest| rest.split_once(')')?.0.parse::<u16>().ok());
            if let Some(status) = status.filter(|status| (300..600).contains(status)) {
                if responses.is_empty() {
                    responses.push(Response { status, line, ..Response::default() });
                }
                return None;
            }
            let lower = text.to_lowercase();
            let cause = match () {
                () if lower.contains("remote name could not be resolved") => FailureCause::Name,
                () if lower.contains("trust relationship") => FailureCause::Certificate,
                () if lower.contains("unable to connect") => FailureCause::Connect,
                () if lower.contains("timed out") => FailureCause::Timeout,
                () if lower.contains("ssl/tls secure channel") => FailureCause::Tls,
                () => FailureCause::Other,
            };
            return Some(HttpFailure { curl_code: None, cause, line });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture;
    use crate::artifact::text::Text;

    fn only(text: &str) -> Data {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::HttpResponse), "{captures:?}");
        match &captures[0].data {
            CaptureData::HttpResponse(data) => data.clone(),
            _ => panic!("{captures:?}"),
        }
    }

    #[test]
    fn a_captive_portal_behind_a_redirect() {
        let data = only(
            "C:\\>curl -iL http://www.msftconnecttest.com/connecttest.txt\nHTTP/1.1 302 Found\nLocation: http://login.hotel/?id=secret\n\n\
             HTTP/1.1 200 OK\nContent-Type: text/html\nVia: 1.1 gate\n\n<!DOCTYPE html>\n<html>\n",
        );
        assert!(data.probe);
        assert_eq!(data.responses[0].location.as_deref(), Some("http://login.hotel/"));
        assert_eq!((data.responses[0].status, data.responses[0].body), (302, None));
        assert_eq!(
            (data.responses[1].status, data.responses[1].body, data.responses[1].body_line),
            (200, Some(Body::Html), Some(9))
        );
    }

    #[test]
    fn a_proxy_that_wants_credentials() {
        let data = only(
            "* Trying\n> CONNECT x:443\n< HTTP/1.1 407 Proxy Authentication Required\n< Proxy-Authenticate: Negotiate\n< Proxy-Authenticate: Basic realm=\"x\"\n< \ncurl: (56) Received HTTP code 407 from proxy after CONNECT\n",
        );
        assert_eq!(
            (data.responses[0].status, data.responses[0].authenticate.as_deref()),
            (407, Some("Negotiate, Basic"))
        );
        assert_eq!(data.failure.map(|failure| failure.curl_code), Some(Some(56)));
        let data = only(
            "Invoke-WebRequest : Le serveur distant a retourné une erreur : (407) Authentification proxy requise.\n+ FullyQualifiedErrorId : WebCmdletWebResponseException,Microsoft.PowerShell.Commands.InvokeWebRequestCommand\n",
        );
        assert_eq!((data.responses[0].status, data.failure), (407, None));
    }

    #[test]
    fn curl_says_why_nothing_came() {
        let data = only("curl: (6) Could not resolve host: www.msftconnecttest.com\n");
        assert_eq!(
            data.failure,
            Some(HttpFailure { curl_code: Some(6), cause: FailureCause::Name, line: 1 })
        );
    }
}
