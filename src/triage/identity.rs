//! What a bundle is called, and what a computer is called in a dataset that may leave the house.
//!
//! A bundle's id is the SHA-256 of its content, so the same collection has the same id on every machine, under every name. Of a folder it
//! is the SHA-256 of its list of paths and hashes.
//!
//! Computer names are replaced by a keyed hash unless the user asks for them. Without a salt this keeps names from being *read*, not from
//! being *guessed*: who knows all names of a house can hash them. The site prefix stays, because a fleet report is about it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::artifact::value::hex;

/// The id of a bundle: 64 hex digits.
pub fn of(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_dir() {
        return of_file(path);
    }
    let mut all = Sha256::new();
    for (label, file, _) in crate::bundle::files_below(path)? {
        // A file that cannot be read is part of what the folder is.
        let hash = of_file(&file).unwrap_or_else(|_| "unreadable".to_owned());
        all.update(format!("{label}\0{hash}\n"));
    }
    Ok(hex(&all.finalize()))
}

fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(bytes) if !bytes.is_empty() => hash.update(bytes),
            _ => return Ok(hex(&hash.finalize())),
        }
    }
}

/// The id of a bundle whose content nobody can read: it is known by its path alone.
pub fn of_missing(label: &str) -> String {
    hex(&Sha256::digest(format!("unreadable\0{label}")))
}

/// How computers are named in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// As they are.
    Kept,
    /// By a hash with this salt.
    Pseudonyms {
        /// Makes guessing hard; the same salt gives the same pseudonyms.
        salt: String,
    },
}

impl Names {
    /// What a computer is called in the row.
    pub fn of(&self, computer: &str) -> String {
        match self {
            Self::Kept => computer.to_owned(),
            Self::Pseudonyms { salt } => {
                let name = computer.trim().to_lowercase();
                let hash = hex(&Sha256::digest(format!("{}:{salt}\0{name}", salt.len())));
                format!("pc-{}", hash.get(..12).unwrap_or_default())
            }
        }
    }

    /// Replaces the computer's name wherever it stands as a word in a report: evidence quotes it, also as part of a full domain name or an
    /// account. A name that is also an ordinary word (neither a digit nor a hyphen in it) is replaced only where it is the whole text.
    pub fn hide(&self, report: &mut Value, computer: &str) {
        if matches!(self, Self::Kept) || computer.trim().is_empty() {
            return;
        }
        let word = computer.trim();
        let special = word.len() >= 3 && word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'-');
        let hidden = self.of(word);
        replace(report, &mut |text| {
            if text.eq_ignore_ascii_case(word) {
                Some(hidden.clone())
            } else if special {
                replace_word(text, word, &hidden)
            } else {
                None
            }
        });
    }
}

/// Applies a change to every string of a value. The depth is that of our own report.
fn replace(value: &mut Value, change: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = change(text) {
                *text = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, change)),
        Value::Object(fields) => fields.values_mut().for_each(|item| replace(item, change)),
        _ => {}
    }
}

fn replace_word(text: &str, word: &str, by: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let word = word.to_ascii_lowercase();
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let mut out = String::new();
    let mut from = 0;
    for (at, _) in lower.match_indices(&word) {
        let end = at + word.len();
        let (Some(before), Some(after)) = (text.get(..at), text.get(end..)) else { continue };
        if part(before.chars().next_back()) || part(after.chars().next()) {
            continue;
        }
        out.push_str(text.get(from..at)?);
        out.push_str(by);
        from = end;
    }
    if from == 0 {
        return None;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// The site part of a computer name: what stands before the first digit, hyphen or underscore, in upper case (`BER-LT-0417` → `BER`,
/// `PC17` → `PC`). `None` where nothing does, and where it would be the whole name.
pub fn site(computer: &str) -> Option<String> {
    let end = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let prefix = computer.trim().split(end).next().unwrap_or_default();
    (!prefix.is_empty() && prefix != computer.trim()).then(|| prefix.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_makes_the_id() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.zip");
        fs::write(&file, "abc").unwrap();
        // FIPS 180-4, example of SHA-256("abc").
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(&file).unwrap(), known);
        let whole = of(folder.path()).unwrap();
        fs::rename(&file, folder.path().join("y.zip")).unwrap();
        assert_ne!(of(folder.path()).unwrap(), whole, "a path is part of a folder's content");
        assert!(of(&folder.path().join("none")).is_err());
    }

    #[test]
    fn names_are_hidden_wherever_they_stand_as_a_word() {
        let names = Names::Pseudonyms { salt: "s".to_owned() };
        let mut report = serde_json::json!({"machine": {"computer": "PC17"}, "list": ["host pc17.contoso.com", "PC170", r"PC17\anna"]});
        names.hide(&mut report, "PC17");
        let hidden = names.of("pc17");
        assert_eq!(report["machine"]["computer"], hidden);
        assert_eq!(report["list"][0], format!("host {hidden}.contoso.com"));
        assert_eq!(report["list"][1], "PC170");
        assert_eq!(report["list"][2], format!(r"{hidden}\anna"));
        assert_ne!(hidden, Names::Pseudonyms { salt: "t".to_owned() }.of("PC17"));

        let mut word = serde_json::json!(["SYSTEM", "the SYSTEM hive"]);
        names.hide(&mut word, "System");
        assert_eq!(word[0], names.of("system"));
        assert_eq!(word[1], "the SYSTEM hive");
    }

    #[test]
    fn sites_are_prefixes() {
        assert_eq!(site("BER-LT-0417").as_deref(), Some("BER"));
        assert_eq!(site("pc17").as_deref(), Some("PC"));
        assert_eq!(site("0417"), None);
        assert_eq!(site("annas"), None, "that is the name itself");
    }
}
