//! Damages texts in the ways that collecting and pasting does, and tells whether a damaged output still says only what the sound
//! one said.

#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "the bounds come from the text itself")]

use serde_json::Value;

/// All texts that lost lines make of one: each run of up to `most` lines, from each line on.
pub fn without_lines(text: &str, most: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    for from in 0..lines.len() {
        for to in from + 1..=(from + most).min(lines.len()) {
            all.push([&lines[..from], &lines[to..]].concat().join("\n"));
        }
    }
    all
}

/// All texts of which each line lost its beginning or its end at the same column, every `step` columns.
pub fn without_columns(text: &str, step: usize) -> Vec<String> {
    let each = |change: &dyn Fn(&str) -> String| text.lines().map(change).collect::<Vec<_>>().join("\n");
    (1..80)
        .step_by(step)
        .flat_map(|column| {
            [
                each(&|line| line.chars().take(column).collect()),
                each(&|line| line.chars().skip(column).collect()),
            ]
        })
        .collect()
}

/// Texts of which one letter was replaced, for which only this can be asked: no panic, and a reason for all that is not whole.
pub fn scrambled(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (at, letter) in text.char_indices().step_by(29) {
        for other in ["\u{fffd}", "0", " ", "\n", ":", "\"", "é"] {
            all.push(format!("{}{other}{}", &text[..at], &text[at + letter.len_utf8()..]));
        }
    }
    all
}

/// Whether what a damaged output says was also said by the sound one, each statement about the same thing: an object is covered
/// by one object, a list if each of its items is covered by one. What is not known any more (null) is always covered. Lines
/// move, and an output may have lost its end; `cut` also allows that text and numbers lost letters at their ends.
pub fn covers(sound: &Value, damaged: &Value, cut: bool) -> bool {
    const MAY_CHANGE: &[&str] = &["complete", "ipv4_complete", "ipv6_complete", "closed"];
    let free = |key: &str| key == "line" || key.ends_with("_line") || MAY_CHANGE.contains(&key);
    match (sound, damaged) {
        (_, Value::Null) => true,
        (Value::Object(sound), Value::Object(damaged)) => damaged
            .iter()
            .all(|(key, value)| free(key) || sound.get(key).is_some_and(|sound| covers(sound, value, cut))),
        (Value::Array(sound), Value::Array(damaged)) => {
            damaged.iter().all(|item| sound.iter().any(|sound| covers(sound, item, cut)))
        }
        (Value::String(sound), Value::String(damaged)) if cut => sound.contains(damaged.as_str()),
        (Value::Number(sound), Value::Number(damaged)) if cut => {
            sound.to_string().contains(&damaged.to_string())
        }
        (sound, damaged) => sound == damaged,
    }
}
