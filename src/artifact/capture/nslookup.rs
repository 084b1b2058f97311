//! `nslookup`: how a name resolves, and from which server.
//!
//! Words that decide are never translated: `Address`, `Aliases`, `DNS request timed out.`, the record phrases and the reason at
//! the end of a `***` line (text_formats.md 4.6). Labels and sentences are, they may be in another code page than the rest, and
//! they may stand in the wrong order, because they go to another stream. So a query is judged by its answers: whatever was
//! printed before, addresses or a CNAME behind the server mean resolved (domain.md R17). The server's own address is no answer (R3).

mod words;

use serde::Serialize;

use self::words::{Key, LABELS, PHRASES, REASONS, SENTENCES};
use super::shape::{self, Labelled, Languages, cell, find_label, labelled};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The queries in their order; mostly one.
    pub queries: Vec<Query>,
}

/// One query.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Query {
    /// Name of the server (`UnKnown` when its own name did not resolve).
    pub server: Option<String>,
    /// Address of the server; the only address that is no answer.
    pub server_address: Option<String>,
    /// Name that was asked for, from the command, the aliases, the owner of a record, the answer or the error, in this order.
    pub queried: Option<String>,
    /// Record type that the command asked for (`CNAME`).
    pub query_type: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Name that the addresses belong to: the end of the chain of aliases.
    pub name: Option<String>,
    /// Addresses of the answer.
    pub addresses: Vec<Answer>,
    /// Names that lead to `name`; the queried one is among them.
    pub aliases: Vec<Answer>,
    /// Targets of CNAME records.
    pub cnames: Vec<Answer>,
    /// Other records, as `phrase = value`.
    pub records: Vec<Answer>,
    /// Requests that were not answered, also those for the server's own name.
    pub timeouts: u32,
    /// First line of the query.
    pub line: u32,
    /// Line that decides the outcome.
    pub outcome_line: Option<u32>,
    /// Whether the command named a server to ask, where the command is known. Without one the machine's own server is asked.
    #[serde(skip)]
    pub names_server: Option<bool>,
    /// The file ends inside a name of the answer: no line end follows it, so the name may go on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// One value of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Address, name or record.
    pub value: String,
    /// Its line.
    pub line: u32,
}

/// How a query ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Records came back.
    Resolved,
    /// The name exists and has no such record.
    NoRecord,
    /// There is no such name.
    NxDomain,
    /// No server answered in time.
    Timeout,
    /// The server did not answer at all.
    NoResponse,
    /// The server failed.
    ServerFailed,
    /// The server refused.
    Refused,
    /// The output does not say.
    #[default]
    Unknown,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Nslookup, recognise, starts: |_| false, read };

fn recognise(block: &Block<'_>) -> u8 {
    let mut labelled_before = false;
    for (_, line) in block.lines().filter(|(_, line)| !line.trim().is_empty() && line.len() < 2_000) {
        let line = line.trim();
        if is_timeout(line) || reason(line).is_some() || record(line).is_some() {
            return 85;
        }
        let Some(found) = labelled(line) else { continue };
        if labelled_before
            && matches!(found.label, "Address" | "Addresses")
            && cell::ipv4(address(found.value)).is_some()
        {
            return 85;
        }
        if labelled_before
            && matches!(found.label, "Address" | "Addresses")
            && cell::ipv6(address(found.value)).is_some()
        {
            return 85;
        }
        labelled_before = !found.value.is_empty();
    }
    0
}

fn is_timeout(line: &str) -> bool {
    line.eq_ignore_ascii_case("DNS request timed out.")
}

/// The end of a query in a `***` line: what it was about and how it ended.
fn reason(line: &str) -> Option<(Option<&str>, Outcome)> {
    let said = line.trim().strip_prefix("***")?;
    let lower = said.to_lowercase();
    let outcome = REASONS.iter().find(|(phrase, _)| lower.contains(phrase)).map(|(_, outcome)| *outcome)?;
    let about = said.rsplit_once(':').and_then(|(before, _)| before.split_whitespace().next_back());
    Some((about, outcome))
}

/// Owner, phrase and value of a record line.
fn record(line: &str) -> Option<(&str, &'static str, &str)> {
    memchr::memchr(b'=', line.as_bytes())?;
    PHRASES.iter().find_map(|phrase| {
        let (owner, value) = line.split_once(phrase)?;
        let owner = owner.trim();
        let plain = !owner.contains(char::is_whitespace) && owner.len() < 260;
        plain.then(|| (owner, *phrase, value.trim()))
    })
}

/// An address without the port that nslookup on other systems adds (`127.0.1.1#53`).
fn address(value: &str) -> &str {
    value.split('#').next().unwrap_or_default().trim()
}

fn is_address(value: &str) -> bool {
    cell::ipv4(address(value)).is_some() || cell::ipv6(address(value)).is_some()
}

/// What the last lines were about, for those that go on without a label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    None,
    Server,
    Addresses,
    Aliases,
    Text,
}

struct Parser {
    queries: Vec<Query>,
    current: Query,
    list: List,
    languages: Languages,
    /// Outcome of a `***` line and whom it was about.
    failure: Option<(Option<String>, Outcome, u32)>,
    /// A `***` line in another language without a reason that is known.
    complaint: Option<u32>,
    /// A request behind the line of the server was not answered: that was the query, not the look-up of the server's name.
    unanswered: bool,
    /// Name that was typed at nslookup's own prompt, and the type that was set there.
    typed: Option<String>,
    typed_type: Option<String>,
}

fn read(block: &Block<'_>) -> Reading {
    let mut parser = Parser {
        queries: Vec::new(),
        current: Query::default(),
        list: List::None,
        languages: Languages::default(),
        failure: None,
        complaint: None,
        unanswered: false,
        typed: None,
        typed_type: None,
    };
    let mut lines = block.lines().filter(|(_, line)| !line.trim().is_empty()).peekable();
    while let Some((number, line)) = lines.next() {
        let addressed = lines.peek().is_some_and(|(_, next)| {
            labelled(next).is_some_and(|found| {
                matches!(found.label, "Address" | "Addresses") && is_address(found.value)
            })
        });
        parser.line(number, line, addressed);
    }
    parser.finish();
    let Parser { mut queries, languages, .. } = parser;
    let asked = block.command.map(asked_for).unwrap_or_default();
    let single = queries.len() == 1;
    for query in &mut queries {
        query.names_server = asked.name.map(|_| asked.server);
        complete(query, asked.name.filter(|_| single), asked.kind.filter(|_| single));
    }
    if let Some(query) = queries.last_mut() {
        let last = block.text.line_count();
        let open = !block.text.as_str().ends_with(['\n', '\r']);
        let names = query.cnames.iter().chain(&query.aliases);
        query.cut = open && names.map(|name| name.line).max() == Some(last);
    }
    if queries.is_empty() {
        return shape::failed(block)
            .unwrap_or_else(|| Reading::unrecognized("neither an answer nor an error of a query"));
    }
    let reason = queries
        .iter()
        .find(|query| query.outcome == Outcome::Unknown)
        .map(|query| format!("line {}: neither an answer nor an error follows the server", query.line));
    Reading { language: languages.winner(), ..Reading::of(CaptureData::Nslookup(Data { queries }), reason) }
}

/// What a command asks for.
#[derive(Default)]
struct Asked<'c> {
    name: Option<&'c str>,
    kind: Option<&'c str>,
    /// It names a server.
    server: bool,
}

/// Name, record type and server of a command (`nslookup -type=CNAME msoid.contoso.com 8.8.8.8`).
fn asked_for(command: &str) -> Asked<'_> {
    let mut words = command.split_whitespace().skip(1);
    let mut kind = None;
    let name = words.find(|word| {
        if let Some((option, value)) = word.split_once('=').filter(|_| word.starts_with(['-', '/'])) {
            let option = option.to_ascii_lowercase();
            if ["type", "querytype", "q", "ty"].iter().any(|name| option.ends_with(name)) {
                kind = Some(value);
            }
        }
        !word.starts_with(['-', '/'])
    });
    // What follows may also send the output elsewhere (`> nslookup.txt`, `2>&1`, `| more`).
    let server = words.next().is_some_and(|word| !word.contains(['>', '&', '|']));
    Asked { name, kind, server }
}

/// Fills in what the whole query tells.
fn complete(query: &mut Query, asked: Option<&str>, kind: Option<&str>) {
    query.query_type = kind.map(str::to_ascii_uppercase).or(query.query_type.take());
    let alias = query.aliases.first().map(|alias| alias.value.clone());
    let known = asked.map(str::to_owned).or(alias).or(query.queried.take()).or(query.name.clone());
    query.queried = known.map(|name| name.trim_end_matches('.').to_owned());
}

impl Parser {
    fn line(&mut self, number: u32, line: &str, addressed: bool) {
        let trimmed = line.trim();
        if line.starts_with('>') {
            // nslookup's own prompt; its output may stand right behind it.
            let input = line.trim_start_matches(['>', ' ']);
            match labelled(input) {
                Some(_) => return self.line(number, input, addressed),
                None => return self.prompted(number, input.trim()),
            }
        }
        if trimmed.starts_with("***") {
            return self.complaint(number, trimmed);
        }
        if is_timeout(trimmed) {
            self.begin_if_decided(number);
            self.current.timeouts = self.current.timeouts.saturating_add(1);
            self.unanswered |= self.current.server.is_some();
            self.list = List::None;
            return;
        }
        if let Some((owner, phrase, value)) = record(trimmed) {
            return self.record(number, owner, phrase, value);
        }
        if self.list == List::Text && trimmed.starts_with('"') {
            return self.push_record(number, trimmed);
        }
        match labelled(line) {
            Some(found) if matches!(found.label, "Address" | "Addresses" | "Aliases") => {
                self.listed(number, &found)
            }
            _ if line.starts_with(char::is_whitespace) && self.goes_on(number, trimmed) => {}
            Some(found) if !line.starts_with(char::is_whitespace) => self.heading(number, &found, addressed),
            _ => {}
        }
    }

    /// What was typed at the prompt: a name, or a setting.
    fn prompted(&mut self, number: u32, input: &str) {
        let said =
            self.failure.is_some() || self.current.name.is_some() || self.answered() || self.unanswered;
        if said {
            self.finish();
        } else {
            // The default server, which nslookup shows when it starts.
            (self.current, self.list) = (Query::default(), List::None);
        }
        let mut words = input.split_whitespace();
        match (words.next(), words.next()) {
            (Some(set), Some(setting)) if set.eq_ignore_ascii_case("set") => {
                let kind =
                    setting.split_once('=').filter(|(name, _)| ["type", "q", "querytype"].contains(name));
                self.typed_type = kind.map(|(_, kind)| kind.to_ascii_uppercase()).or(self.typed_type.take());
            }
            (Some(name), None) if !["exit", "help", "?"].contains(&name) => {
                self.begin(number);
                self.typed = Some(name.to_owned());
            }
            _ => {}
        }
    }

    fn answered(&self) -> bool {
        let Query { addresses, cnames, records, .. } = &self.current;
        !addresses.is_empty() || !cnames.is_empty() || !records.is_empty()
    }

    fn complaint(&mut self, number: u32, line: &str) {
        self.list = List::None;
        self.begin_if_decided(number);
        match reason(line) {
            Some((about, outcome)) => self.failure = Some((about.map(str::to_owned), outcome, number)),
            None => self.complaint = Some(number),
        }
    }

    /// The line of the server, the line of the name, or a sentence.
    fn heading(&mut self, number: u32, found: &Labelled<'_>, addressed: bool) {
        if found.value.is_empty() {
            let sentence = SENTENCES.iter().filter(|(_, known)| shape::same_label(found.label, known));
            let of: Vec<_> = sentence.map(|(language, _)| *language).collect();
            self.languages.vote(&of);
            return;
        }
        let known = find_label(LABELS, found.label);
        let is_name = match (&known, self.current.server.is_some()) {
            (Some((Key::Name, _)), _) => true,
            (Some((Key::Server, _)), _) => false,
            // In another language: the server comes first, the name behind it.
            (None, has_server) => has_server && self.current.name.is_none() && self.failure.is_none(),
        };
        if known.is_none() && !addressed && (!is_name || found.value.contains(char::is_whitespace)) {
            return;
        }
        if let Some((_, of)) = &known {
            self.languages.vote(of);
        }
        self.list = List::None;
        if is_name {
            self.begin(number);
            self.current.name = Some(found.value.to_owned());
            self.current.outcome_line = Some(number);
        } else {
            if self.current.server.is_some() {
                self.finish();
            }
            self.begin(number);
            self.current.server = Some(found.value.to_owned());
            self.list = List::Server;
        }
    }

    fn listed(&mut self, number: u32, found: &Labelled<'_>) {
        self.list = match (found.label, self.list) {
            ("Aliases", _) => List::Aliases,
            // The first address of a query is the server's, also when the line with its name is lost.
            (_, list)
                if self.current.server_address.is_none()
                    && (list == List::Server
                        || (self.current.server.is_none() && self.current.name.is_none())) =>
            {
                self.begin(number);
                self.current.server_address = Some(address(found.value).to_owned());
                return;
            }
            _ => List::Addresses,
        };
        self.goes_on(number, found.value);
    }

    /// A further value of the list before; whether it was one.
    fn goes_on(&mut self, number: u32, value: &str) -> bool {
        let answer = |value: &str| Answer { value: value.to_owned(), line: number };
        match self.list {
            List::Addresses if is_address(value) => self.current.addresses.push(answer(address(value))),
            List::Aliases if !value.contains(char::is_whitespace) => self.current.aliases.push(answer(value)),
            _ => return false,
        }
        true
    }

    fn record(&mut self, number: u32, owner: &str, phrase: &str, value: &str) {
        self.begin(number);
        self.list = if phrase.starts_with("text") { List::Text } else { List::None };
        if self.current.queried.is_none() && !owner.is_empty() {
            self.current.queried = Some(owner.to_owned());
        }
        match phrase {
            "canonical name = " => self
                .current
                .cnames
                .push(Answer { value: value.trim_end_matches('.').to_owned(), line: number }),
            "internet address = " | "AAAA IPv6 address = " => {
                self.current.addresses.push(Answer { value: value.to_owned(), line: number });
            }
            _ => self.push_record(number, &format!("{phrase}{value}")),
        }
    }

    fn push_record(&mut self, number: u32, text: &str) {
        self.current.records.push(Answer { value: text.trim().to_owned(), line: number });
    }

    fn begin(&mut self, number: u32) {
        if self.current.line == 0 {
            self.current.line = number;
        }
    }

    /// A complaint or a timeout behind an answer or behind another complaint belongs to the next query.
    fn begin_if_decided(&mut self, number: u32) {
        if self.answered() || (self.current.server.is_some() && self.failure.is_some()) {
            self.finish();
        }
        self.begin(number);
    }

    /// Judges the query that ends here.
    fn finish(&mut self) {
        let mut query = std::mem::take(&mut self.current);
        let failure = self.failure.take();
        let complaint = self.complaint.take();
        let unanswered = std::mem::take(&mut self.unanswered);
        query.queried = self.typed.take().or(query.queried.take());
        query.query_type = self.typed_type.clone();
        self.list = List::None;
        let first =
            [&query.addresses, &query.cnames, &query.records].into_iter().find_map(|answers| answers.first());
        // nslookup first asks for the name of its own server; that it has none decides nothing.
        let failure = failure.filter(|(about, ..)| {
            about.is_none()
                || query.server_address.is_none()
                || about.as_deref() != query.server_address.as_deref()
        });
        if let Some(answer) = first {
            (query.outcome, query.outcome_line) = (Outcome::Resolved, Some(answer.line));
        } else if let Some((about, outcome, line)) = failure {
            (query.outcome, query.outcome_line) = (outcome, Some(line));
            query.queried = query.queried.or(about.filter(|_| outcome != Outcome::Timeout));
        } else if query.name.is_some() {
            query.outcome = Outcome::NoRecord;
        } else if unanswered && complaint.is_some() {
            // Only the last line of a query says that it failed; without it the answer may be cut off (domain.md R17).
            (query.outcome, query.outcome_line) = (Outcome::Timeout, complaint);
        }
        if query.server.is_some()
            || query.server_address.is_some()
            || query.timeouts > 0
            || query.outcome != Outcome::Unknown
        {
            self.queries.push(query);
        }
    }
}

#[cfg(test)]
mod tests;
