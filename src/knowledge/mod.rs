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
    let mut lines = Vec::new();
    let mut found = meanings(subject);
    if found.is_empty() {
        (found, lines) = by_another_name(subject);
    }
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

/// A number that is a code only with its prefix, or as a public table misprints it: the numbers of AADSTS codes, and 0x804D for the facility
/// 0x803D of Windows Web Services (domain.md section 7, rule 6).
fn by_another_name(subject: &str) -> (Vec<&'static Meaning>, Vec<String>) {
    let subject = subject.trim();
    if !subject.is_empty() && subject.bytes().all(|byte| byte.is_ascii_digit()) {
        return (meanings(&format!("AADSTS{subject}")), Vec::new());
    }
    let digits =
        subject.get(..2).filter(|head| head.eq_ignore_ascii_case("0x")).and_then(|_| subject.get(2..));
    let low = digits.unwrap_or(subject);
    match low.get(..4).filter(|facility| facility.eq_ignore_ascii_case("804d")).and_then(|_| low.get(4..)) {
        Some(rest) => {
            let found = meanings(&format!("0x803D{rest}"));
            let note = format!("0x804D{rest} stands in a public table for 0x803D{rest} (a printing error):");
            let notes = if found.is_empty() { Vec::new() } else { vec![note] };
            (found, notes)
        }
        None => (Vec::new(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn trap_19_the_misprinted_facility() {
        // domain.md section 10, trap 19, and section 7: the public table prints 0x804D for 0x803D.
        let lines = explain("0x804D0010");
        assert!(lines.iter().any(|line| line.contains("printing error")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("WS_E_ENDPOINT_UNREACHABLE")), "{lines:?}");
    }

    #[test]
    fn every_notation_of_the_issue_is_answered() {
        // error_codes.tsv; 12175 has two meanings by stack (trap 11).
        for (subject, word) in [
            ("0x80072F8F", "different stacks"),
            ("-2147012721", "different stacks"),
            ("12175", "different stacks"),
            ("CAA20003", "INVALID_GRANT"),
            ("AADSTS50126", "user name or password"),
            ("50126", "user name or password"),
        ] {
            let lines = explain(subject).join("\n");
            assert!(lines.contains(word), "{subject}: {lines}");
        }
        assert!(explain("no such thing").is_empty());
        assert!(explain("0x").is_empty());
    }
}
