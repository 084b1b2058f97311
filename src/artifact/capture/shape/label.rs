//! `label : value` lines, and labels in many languages with some of their letters lost.

use std::collections::BTreeMap;

/// A line taken apart at its colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labelled<'t> {
    /// The label without indent, leader dots and blanks.
    pub label: &'t str,
    /// The value without surrounding blanks.
    pub value: &'t str,
    /// Leading white-space characters.
    pub indent: usize,
    /// Characters before the value, where continuation lines are indented to.
    pub column: usize,
    /// A dotted leader (`. . . :`) stood before the colon.
    pub leader: bool,
}

/// Takes a line apart at the colon that follows a dotted leader, else at its first colon. The colon may be full-width, and blanks
/// of any kind (French puts an NBSP there) may stand before it. `None` without a colon or with nothing before it.
///
/// A leader decides because labels may hold a colon themselves (Spanish `Vínculo: dirección IPv6 local. . . : fe80::…`).
pub fn labelled(line: &str) -> Option<Labelled<'_>> {
    let mut first = None;
    let mut chosen = None;
    for (at, colon) in line.char_indices().filter(|(_, c)| matches!(c, ':' | '：')) {
        let before = line.get(..at)?;
        if ends_in_leader(before) {
            chosen = Some((at, colon, true));
            break;
        }
        first = first.or(Some((at, colon, false)));
    }
    let (at, colon, leader) = chosen.or(first)?;
    let before = line.get(..at)?;
    let after = line.get(at + colon.len_utf8()..)?;
    let label = match leader {
        true => before.trim().trim_end_matches(|c: char| c == '.' || c.is_whitespace()),
        false => before.trim(),
    };
    if label.is_empty() {
        return None;
    }
    let blanks = after.chars().take_while(|c| c.is_whitespace()).count();
    Some(Labelled {
        label,
        value: after.trim(),
        indent: super::indent(line),
        column: before.chars().count() + 1 + blanks,
        leader,
    })
}

/// Whether a text ends in leader dots: a dot with a blank before it (`Suffix  . :`), or two dots in a row (`IPv4. .:`, `IPv4..:`).
fn ends_in_leader(before: &str) -> bool {
    let Some(rest) = before.trim_end().strip_suffix('.') else { return false };
    rest.ends_with(|c: char| c == '.' || c.is_whitespace())
}

/// Whether a label that was found is the label that was wanted: without regard to case and to the kind of blanks and
/// apostrophes, and with each letter that got lost (U+FFFD, `?` or a blank in place of a letter outside ASCII) matching any one.
pub fn same_label(found: &str, wanted: &str) -> bool {
    let mut found = found.chars();
    for want in wanted.chars() {
        match found.next() {
            Some(have) if same_char(have, want) => {}
            _ => return false,
        }
    }
    // What is left may be the remains of an NBSP that stood before the colon.
    match found.next() {
        None => true,
        Some('\u{fffd}' | '?' | 'ÿ') => found.next().is_none(),
        Some(_) => false,
    }
}

fn same_char(have: char, want: char) -> bool {
    match (have.is_ascii(), want.is_ascii()) {
        (true, true) => {
            have.eq_ignore_ascii_case(&want) || (have.is_ascii_whitespace() && want.is_ascii_whitespace())
        }
        // A letter that was lost, or an apostrophe that was typographic.
        (true, false) => matches!(have, '?' | ' ') || (have, want) == ('\'', '\u{2019}'),
        (false, true) => (have.is_whitespace() && want == ' ') || (have, want) == ('\u{2019}', '\''),
        (false, false) => have == want || have == '\u{fffd}' || have.to_lowercase().eq(want.to_lowercase()),
    }
}

/// A key of a label table with its words: pairs of BCP 47 language and label.
pub type LabelRow<K> = (K, &'static [(&'static str, &'static str)]);

/// The key of a label and the languages in which it reads like that.
pub fn find_label<K: Copy>(table: &[LabelRow<K>], label: &str) -> Option<(K, Vec<&'static str>)> {
    table.iter().find_map(|(key, words)| {
        let languages: Vec<_> =
            words.iter().filter(|(_, word)| same_label(label, word)).map(|(language, _)| *language).collect();
        (!languages.is_empty()).then_some((*key, languages))
    })
}

/// Counts which language explains the labels best.
#[derive(Clone, Debug, Default)]
pub struct Languages {
    votes: BTreeMap<&'static str, u32>,
}

impl Languages {
    /// Counts a label that reads the same in these languages.
    pub fn vote(&mut self, languages: &[&'static str]) {
        for language in languages {
            *self.votes.entry(language).or_default() += 1;
        }
    }

    /// The language with the most labels; `None` without any or when two share the first place (a word that both have).
    pub fn winner(&self) -> Option<String> {
        let most = *self.votes.values().max()?;
        let mut first = self.votes.iter().filter(|(_, votes)| **votes == most);
        match (first.next(), first.next()) {
            (Some((language, _)), None) => Some((*language).to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (&str, &str) {
        labelled(line).map(|found| (found.label, found.value)).unwrap()
    }

    #[test]
    fn the_colon_behind_the_leader_divides() {
        // Lines as in the captures ipconfig/es-win7-1, fr-win11-1, pt-win10-1 and de-win10-1.
        assert_eq!(
            parts("   Vínculo: dirección IPv6 local. . . : fe80::6960:e696:2469:1d25%12"),
            ("Vínculo: dirección IPv6 local", "fe80::6960:e696:2469:1d25%12")
        );
        assert_eq!(
            parts("   Adresse IPv4. . . . . . . . . . . . . .: 10.33.72.214"),
            ("Adresse IPv4", "10.33.72.214")
        );
        assert_eq!(
            parts("   Endereço IPv4. . . . . . . .  . . . . . . . : 192.168.0.109"),
            ("Endereço IPv4", "192.168.0.109")
        );
        assert_eq!(
            parts("   Connection-specific DNS Suffix  . : example.org"),
            ("Connection-specific DNS Suffix", "example.org")
        );
        assert_eq!(
            parts("   Verbindungsspezifisches DNS-Suffix: maischein.home"),
            ("Verbindungsspezifisches DNS-Suffix", "maischein.home")
        );
    }

    #[test]
    fn colons_may_be_wide_and_blanks_may_be_hard() {
        assert_eq!(
            parts("Paramètres de proxy WinHTTP actuels\u{a0}: x"),
            ("Paramètres de proxy WinHTTP actuels", "x")
        );
        assert_eq!(parts("服务器：  UnKnown"), ("服务器", "UnKnown"));
        assert_eq!(parts("    代理服务器:  http://127.0.0.1:1088"), ("代理服务器", "http://127.0.0.1:1088"));
        assert_eq!(labelled("no colon"), None);
        assert_eq!(labelled("  : value"), None);
    }

    #[test]
    fn lost_letters_match_any_letter_outside_ascii_but_no_other() {
        // "Prim res DNS-Suffix" and "NetBIOS  ber TCP/IP" are from ipconfig_all/de-win10-1; N?tmask from text_formats.md 4.4.
        assert!(same_label("Prim res DNS-Suffix", "Primäres DNS-Suffix"));
        assert!(same_label("NetBIOS  ber TCP/IP", "NetBIOS über TCP/IP"));
        assert!(same_label("N?tmask", "Nätmask"));
        assert!(same_label("N\u{fffd}tmask", "Nätmask"));
        assert!(!same_label("N?tmask", "Netmask"));
        assert!(!same_label("Host", "Host Name"));
        assert!(!same_label("Host Name x", "Host Name"));
    }

    #[test]
    fn two_languages_with_the_same_word_are_no_proof() {
        let mut languages = Languages::default();
        languages.vote(&["de", "en"]);
        assert_eq!(languages.winner(), None);
        languages.vote(&["de"]);
        assert_eq!(languages.winner().as_deref(), Some("de"));
    }
}
