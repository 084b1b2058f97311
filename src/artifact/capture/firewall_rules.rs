//! `netsh advfirewall firewall show rule`: the rules of the Windows firewall.
//!
//! A rule is a heading, a line of dashes and `Key:   value` lines in a fixed order; `verbose` adds some. Part of the keys and most
//! words are localised, not always well (French prints the direction *in* as `Actif`). Keys are looked up in a table first; in a
//! language without one they are told by their place beside the protocol, whose value is the same everywhere. Words that no table
//! has leave their field unknown.

mod words;

use serde::Serialize;

use self::words::Field;
use super::netsh::{self, Doubts};
use super::shape::{self, Languages};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The rules in the order of the output.
    pub rules: Vec<Rule>,
    /// The command found no rule that fits what it was asked for.
    pub no_match: bool,
}

/// One rule. Text fields keep the words of the output, except that the word for *any* is always `Any`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rule {
    /// 1-based line of its heading.
    pub line: u32,
    /// Name; empty when the heading got lost.
    pub name: String,
    /// Description (`verbose`).
    pub description: Option<String>,
    /// Whether it is active; `None` when the line is missing or its word is not known. The same holds for all fields below.
    pub enabled: Option<bool>,
    /// Which way the packets go.
    pub direction: Option<Direction>,
    /// Where it applies.
    pub profiles: Option<Vec<super::firewall_profiles::ProfileName>>,
    /// Group of rules that it belongs to.
    pub grouping: Option<String>,
    /// Own addresses.
    pub local_ip: Option<String>,
    /// Addresses of the other side.
    pub remote_ip: Option<String>,
    /// `TCP`, `UDP`, `ICMPv4`, a number or `Any`.
    pub protocol: Option<String>,
    /// Own ports.
    pub local_port: Option<String>,
    /// Ports of the other side.
    pub remote_port: Option<String>,
    /// Types and codes of ICMP.
    pub icmp: Vec<Icmp>,
    /// Program (`verbose`).
    pub program: Option<String>,
    /// Service (`verbose`).
    pub service: Option<String>,
    /// Where the rule comes from (`verbose`).
    pub source: Option<String>,
    /// What it does.
    pub action: Option<Action>,
    /// Line of the action.
    pub action_line: Option<u32>,
}

/// Which way packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Into this machine.
    In,
    /// Out of it.
    Out,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Lets through.
    Allow,
    /// Blocks.
    Block,
    /// Lets authenticated traffic through, whatever blocks it.
    Bypass,
}

/// One line of the ICMP table of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Icmp {
    /// Type: a number or `Any`.
    pub icmp_type: String,
    /// Code: a number or `Any`.
    pub code: String,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::FirewallRules, recognise, starts, read };

/// The name of a rule, in a language with a table; splitting knows that many of them belong together.
fn starts(line: &str) -> bool {
    let found = shape::labelled(line).filter(|found| found.indent == 0 && !found.value.is_empty());
    found.and_then(|found| words::field(found.label)).is_some_and(|(field, _)| field == Field::Name)
}

fn is_rule_line(line: &str) -> bool {
    netsh::is_rule(line, '-', 60)
}

fn recognise(block: &Block<'_>) -> u8 {
    let (mut before, mut heading, mut keys) = (None, false, 0usize);
    for (_, line) in block.lines() {
        if words::is_no_match(line) {
            return 90;
        }
        heading |= is_rule_line(line) && before.is_some();
        let found = shape::labelled(line).filter(|found| found.indent == 0 && !found.value.is_empty());
        let label = found.map(|found| found.label);
        keys += usize::from(label.and_then(words::field).is_some_and(|(field, _)| field != Field::Name));
        let protocol = found.is_some_and(|found| words::is_protocol(found.value));
        if heading && (keys >= 3 || protocol) {
            return 90;
        }
        before = label;
    }
    0
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    let mut doubts = Doubts::default();
    let mut languages = Languages::default();
    let (drafts, no_match) = collect(block, &mut doubts);
    let learnt = words::learn(drafts.iter().map(|draft| draft.keys.as_slice()));
    let mut rules = Vec::with_capacity(drafts.len());
    for draft in drafts {
        rules.push(draft.finish(&learnt, &mut languages, &mut doubts));
    }
    if rules.is_empty() && !no_match {
        doubts.whole("no rule was printed");
    }
    let language = languages.winner();
    netsh::reading(CaptureData::FirewallRules(Data { rules, no_match }), language.as_deref(), &doubts)
}

/// A rule whose keys are not understood yet.
struct Draft<'t> {
    line: u32,
    name: &'t str,
    keys: Vec<Key<'t>>,
    icmp: Vec<Icmp>,
}

/// One `Key: value` of a rule.
struct Key<'t> {
    line: u32,
    label: &'t str,
    value: &'t str,
}

/// The rules of a block: each begins at a line above a rule of dashes, at a repeated heading whose dashes got lost, or at a key
/// that the rule has already.
fn collect<'t>(block: &Block<'t>, doubts: &mut Doubts) -> (Vec<Draft<'t>>, bool) {
    let mut drafts: Vec<Draft<'t>> = Vec::new();
    let mut pending: Option<Key<'t>> = None;
    let mut name_label: Option<&str> = None;
    let mut no_match = false;
    for (line, text) in block.lines() {
        if is_rule_line(text) {
            if let Some(heading) = pending.take() {
                name_label = Some(heading.label);
                drafts.push(Draft::new(&heading));
            }
            continue;
        }
        if let Some(key) = pending.take() {
            place(key, name_label, &mut drafts, doubts);
        }
        no_match |= words::is_no_match(text);
        match shape::labelled(text).filter(|found| found.indent == 0) {
            Some(found) => pending = Some(Key { line, label: found.label, value: found.value }),
            None => take_other(line, text, drafts.last_mut(), doubts),
        }
    }
    if let Some(key) = pending {
        place(key, name_label, &mut drafts, doubts);
    }
    (drafts, no_match)
}

fn place<'t>(key: Key<'t>, name_label: Option<&str>, drafts: &mut Vec<Draft<'t>>, doubts: &mut Doubts) {
    let is_name = name_label == Some(key.label)
        || words::field(key.label).is_some_and(|(field, _)| field == Field::Name);
    match drafts.last_mut() {
        _ if is_name => drafts.push(Draft::new(&key)),
        None => doubts.at(key.line, "a key before the first heading: the capture begins inside a rule"),
        Some(draft) if draft.keys.len() >= MOST_KEYS => doubts.at(key.line, "more keys than a rule has"),
        Some(draft) if draft.is_over() || draft.keys.iter().any(|known| known.label == key.label) => {
            doubts.at(key.line, "the heading of the rule is missing");
            drafts.push(Draft { line: key.line, name: "", keys: vec![key], icmp: Vec::new() });
        }
        Some(draft) => draft.keys.push(key),
    }
}

/// Twice as many as the longest rule has.
const MOST_KEYS: usize = 40;

/// A line without a key: the ICMP table, the final `Ok.`, or an error that interrupts the output.
fn take_other(line: u32, text: &str, draft: Option<&mut Draft<'_>>, doubts: &mut Doubts) {
    if let Some(failure) = shape::failure_in(text) {
        doubts.at(line, failure.words());
        return;
    }
    let cells = shape::columns::wide_cells(text);
    let ([icmp_type, code], Some(draft), true) = (cells.as_slice(), draft, text.starts_with("     ")) else {
        return;
    };
    if icmp_type.parse::<u8>().is_ok() || words::is_any(icmp_type) {
        draft.icmp.push(Icmp { icmp_type: words::any_or(icmp_type), code: words::any_or(code) });
    }
}

impl<'t> Draft<'t> {
    fn new(heading: &Key<'t>) -> Self {
        Self { line: heading.line, name: heading.value, keys: Vec::new(), icmp: Vec::new() }
    }

    /// The action is the last key.
    fn is_over(&self) -> bool {
        self.keys
            .last()
            .and_then(|key| words::field(key.label))
            .is_some_and(|(field, _)| field == Field::Action)
    }

    fn finish(self, learnt: &words::Learnt<'_>, languages: &mut Languages, doubts: &mut Doubts) -> Rule {
        let mut rule =
            Rule { line: self.line, name: self.name.to_owned(), icmp: self.icmp, ..Rule::default() };
        let mut unknown = Vec::new();
        for key in &self.keys {
            let field = match words::field(key.label) {
                Some((field, spoken)) => {
                    languages.vote(&spoken);
                    Some(field)
                }
                None => learnt.field(key.label),
            };
            if field.is_some_and(|field| !rule.set(field, key)) {
                unknown.push(key.value);
            }
        }
        if let Some(word) = unknown.first() {
            doubts.at(self.line, format!("the word {word:?} of the rule is not known"));
        } else if rule.enabled.is_none() || rule.direction.is_none() || rule.action.is_none() {
            doubts.at(self.line, "the rule lacks its state, its direction or its action");
        }
        rule
    }
}

impl Rule {
    /// Takes a value; false when its word is not known.
    fn set(&mut self, field: Field, key: &Key<'_>) -> bool {
        let text = || (!key.value.is_empty()).then(|| words::any_or(key.value));
        match field {
            Field::Enabled => self.enabled = netsh::yes_or_no(key.value),
            Field::Direction => self.direction = words::direction(key.value),
            Field::Profiles => self.profiles = words::profiles(key.value),
            Field::Action => {
                self.action = words::action(key.value);
                self.action_line = Some(key.line);
            }
            Field::Name | Field::EdgeTraversal | Field::InterfaceTypes | Field::Security => {}
            Field::Description => self.description = text(),
            Field::Grouping => self.grouping = text(),
            Field::LocalIp => self.local_ip = text(),
            Field::RemoteIp => self.remote_ip = text(),
            Field::Protocol => self.protocol = text(),
            Field::LocalPort => self.local_port = text(),
            Field::RemotePort => self.remote_port = text(),
            Field::Program => self.program = text(),
            Field::Service => self.service = text(),
            Field::Source => self.source = text(),
        }
        match field {
            Field::Enabled => self.enabled.is_some(),
            Field::Direction => self.direction.is_some(),
            Field::Profiles => self.profiles.is_some(),
            Field::Action => self.action.is_some(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
