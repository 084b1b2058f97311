//! What is known in general, as tables: error codes, endpoints, events. Facts with their source marks, embedded as TSV.

pub mod endpoints;

use std::sync::LazyLock;

use crate::artifact::event_decode::ErrorCode;

/// One meaning of an error code.
#[derive(Clone, Copy, Debug)]
pub struct Meaning {
    /// The code as the table writes it.
    pub code: &'static str,
    /// Its 32-bit form, where it has one.
    pub hex: &'static str,
    /// Symbolic name.
    pub symbol: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Checks that it speaks for.
    pub checks: &'static str,
    /// Where that is documented.
    pub source: &'static str,
    /// Whether a source confirms it.
    pub verified: bool,
}

static MEANINGS: LazyLock<Vec<Meaning>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut cells = line.split('\t');
        let mut next = || cells.next().unwrap_or_default();
        Meaning {
            code: next(),
            hex: next(),
            symbol: next(),
            meaning: next(),
            checks: next(),
            source: next(),
            verified: next() == "y",
        }
    };
    include_str!("error_codes.tsv").lines().skip(1).map(row).collect()
});

/// Every known meaning of an error code, in any notation.
pub fn meanings(subject: &str) -> Vec<&'static Meaning> {
    let wanted = subject.trim();
    let code = ErrorCode::parse(wanted);
    let same = |meaning: &&Meaning| {
        let forms = [meaning.code, meaning.hex];
        forms.iter().filter(|form| !form.is_empty()).any(|form| {
            form.eq_ignore_ascii_case(wanted) || (code.is_some() && ErrorCode::parse(form) == code)
        })
    };
    MEANINGS.iter().filter(same).collect()
}

/// The meanings of a code as lines for people.
pub fn explain(subject: &str) -> Vec<String> {
    let found = meanings(subject);
    let mut lines = Vec::new();
    if found.len() > 1 {
        lines.push(format!("{subject} means different things in different stacks:"));
    }
    for meaning in found {
        let symbol = if meaning.symbol.is_empty() { String::new() } else { format!(" {}", meaning.symbol) };
        let hex = if meaning.hex.is_empty() { String::new() } else { format!(" ({})", meaning.hex) };
        lines.push(format!("{}{hex}{symbol}", meaning.code));
        lines.push(format!("  {}", meaning.meaning));
        if !meaning.checks.is_empty() {
            lines.push(format!("  checks: {}", meaning.checks.replace(',', ", ")));
        }
        let mark = if meaning.verified { "" } else { " (unverified)" };
        lines.push(format!("  source: {}{mark}", meaning.source));
    }
    lines
}
