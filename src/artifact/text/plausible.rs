//! How much a decoded line looks like text: the measure by which one code page is preferred to another.
//!
//! Only characters outside ASCII count. A known word of Windows' own outputs weighs most; then come the habits of scripts: words
//! keep to one script, capitals stand at the start of words, symbols do not stand inside words, Latin words have few accents in
//! a row, ideographs and syllables come from the common ones.

use super::words;

/// What a known word is worth.
const KNOWN_WORD: i32 = 14;

/// The kinds of characters that matter here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Ascii,
    Latin,
    Cyrillic,
    Other,
    Ideograph,
    Symbol,
    Broken,
}

/// The score of a text: above zero for what looks right, below for what does not, zero without anything outside ASCII.
pub fn plausibility(text: &str) -> i32 {
    let mut score = 0;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_ascii() {
            score += judge(before, c, chars.peek().copied().unwrap_or(' '));
        }
        before = c;
    }
    score + KNOWN_WORD * words::count(text)
}

fn class(c: char) -> Class {
    match u32::from(c) {
        0..=0x7f => Class::Ascii,
        0x80..=0x9f | 0xfffd | 0xe000..=0xf8ff | 0xad => Class::Broken,
        0xaa | 0xba | 0xb5 => Class::Symbol,
        0xc0..=0x24f => {
            if c.is_alphabetic() {
                Class::Latin
            } else {
                Class::Symbol
            }
        }
        0x400..=0x52f => Class::Cyrillic,
        0x3041..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7a3 | 0x3005..=0x3007 => Class::Ideograph,
        0xff61..=0xff9f => Class::Broken,
        _ if c.is_alphabetic() => Class::Other,
        _ => Class::Symbol,
    }
}

fn judge(before: char, c: char, after: char) -> i32 {
    match class(c) {
        Class::Ascii => 0,
        Class::Broken => -20,
        Class::Symbol => symbol(before, c, after),
        Class::Ideograph => ideograph(before, c, after),
        letter => letter_itself(letter, c) + letter_in_place(letter, before, c, after),
    }
}

/// Letters of Latin script, the common ones first: what each is worth.
const LATIN: &[(i32, &str)] = &[
    (3, "éèàçêûôîâùäöüßáíóúñã"),
    (2, "õåæøëïığşąćęłńśźżěščřžýůőűășțţďťňīāēūųė"),
    (1, "ÄÖÜÉÀÇÅØİŚŁŠČÁÍÓÚ"),
    (-3, "ÿþÞðÐŸƒ"),
];

/// Words of a single letter outside ASCII.
const WORDS_OF_ONE: &str = "àéèíивскоуяАВИСКОУЯ";

fn letter_itself(kind: Class, c: char) -> i32 {
    match (kind, c) {
        (Class::Latin, c) => {
            LATIN.iter().find(|(_, letters)| letters.contains(c)).map_or(0, |(worth, _)| *worth)
        }
        (Class::Cyrillic, 'а'..='я') => 2,
        (Class::Cyrillic, 'А'..='Я' | 'ё' | 'і' | 'ї' | 'є') => 1,
        (Class::Cyrillic, 'Ё' | 'І' | 'Ї' | 'Є' | 'ґ' | 'ў') => 0,
        (Class::Cyrillic, _) => -3,
        _ => 2,
    }
}

fn letter_in_place(kind: Class, before: char, c: char, after: char) -> i32 {
    let mut score = 0;
    // A letter between digits or all alone is rather a hard blank of another page.
    let lone = !before.is_alphabetic() && !after.is_alphabetic();
    if lone && (before.is_ascii_digit() || after.is_ascii_digit() || !WORDS_OF_ONE.contains(c)) {
        score -= 4;
    }
    if before.is_lowercase() && c.is_uppercase() {
        score -= 5;
    }
    score += match (kind, class(before)) {
        _ if !before.is_alphabetic() => 0,
        // Accents in a row are rare in Latin script.
        (Class::Latin, Class::Latin) => -3,
        (Class::Latin, Class::Ascii) => 0,
        (kind, other) if kind == other => 0,
        _ => -5,
    };
    if kind != Class::Latin && after.is_ascii_alphabetic() {
        score -= 5;
    }
    score
}

fn ideograph(before: char, c: char, after: char) -> i32 {
    let alone = before.is_ascii_alphabetic() && after.is_ascii_alphabetic();
    let worth = match c {
        'ぁ'..='ヿ' => 3,
        c if words::is_common(c) => 4,
        _ => 1,
    };
    if alone { worth - 5 } else { worth }
}

/// Marks that texts have, of all scripts.
const MARKS: &str = "«»’‘“”„–—…°№®™©。、（）：，「」・";

fn symbol(before: char, c: char, after: char) -> i32 {
    let in_word = before.is_alphabetic() && after.is_alphabetic();
    let at_word = before.is_alphanumeric() || after.is_alphanumeric();
    match c {
        // A hard blank before a colon or between thousands is a habit of French and others.
        '\u{a0}' | '\u{202f}' if matches!(after, ':' | '0'..='9' | '!' | '?' | ';' | '»') => 1,
        '\u{a0}' | '\u{202f}' if !at_word => 0,
        c if MARKS.contains(c) && !(in_word && before.is_ascii() && c != '’') => 0,
        '─'..='▟' if at_word => -8,
        '─'..='▟' => -2,
        _ if before.is_alphabetic() || after.is_alphabetic() => -6,
        _ => -2,
    }
}
