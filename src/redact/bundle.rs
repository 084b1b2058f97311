//! A copy of a bundle that can be shared: every text with pseudonyms, in UTF-8; binary files are left out, because names stand in them in
//! too many forms to be sure of all of them. `REDACTED.txt` says what is missing and why.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::{self, Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Redactor;
use crate::artifact::identify;
use crate::artifact::manifest::Manifest;
use crate::bundle::{Bundle, Content, Entry, sha256};

/// The copy.
#[derive(Debug)]
pub struct Redacted {
    /// A zip archive.
    pub bytes: Vec<u8>,
    /// Texts in it.
    pub written: usize,
    /// Files of the bundle that are not in it.
    pub left_out: usize,
}

/// A text of the bundle.
struct TextFile {
    path: String,
    text: String,
    /// SHA-256 of the file as it was collected.
    sha256: String,
}

#[derive(Default)]
struct Sorted {
    texts: Vec<TextFile>,
    /// Path and why.
    left_out: Vec<(String, String)>,
}

/// Writes the copy. The redactor learns from the texts what it does not know yet.
///
/// # Errors
///
/// When the archive cannot be made (a file above 4 GiB).
pub fn write(bundle: &Bundle, redactor: &mut Redactor) -> io::Result<Redacted> {
    let mut sorted = Sorted::default();
    sort(bundle, &bundle.entries, &mut sorted);
    let texts = sorted.texts.iter();
    redactor.learn_texts(texts.flat_map(|file| file.text.lines().chain([file.path.as_str()])));
    redactor.learn_texts(sorted.left_out.iter().map(|(path, _)| path.as_str()));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let (mut names, mut hashes) = (BTreeSet::new(), HashMap::new());
    // The manifest names the hashes of the others, so it comes last.
    let (manifests, others): (Vec<&TextFile>, Vec<&TextFile>) =
        sorted.texts.iter().partition(|file| Manifest::parse(&file.text).is_some());
    for file in others {
        let bytes = utf8(&redactor.text(&file.text));
        hashes.insert(file.sha256.clone(), sha256(&bytes));
        add(&mut archive, &unused(&label(&redactor.text(&file.path)), &mut names), &bytes)?;
    }
    for file in manifests {
        let text = rehashed(&redactor.text(&file.text), &hashes);
        add(&mut archive, &unused(&label(&redactor.text(&file.path)), &mut names), text.as_bytes())?;
    }
    add(&mut archive, &unused("REDACTED.txt", &mut names), notice(&sorted, redactor).as_bytes())?;
    let bytes = archive.finish().map_err(io::Error::other)?.into_inner();
    Ok(Redacted { bytes, written: sorted.texts.len(), left_out: sorted.left_out.len() })
}

/// Texts and the rest. Archives inside each other are as deep as the bundle's limits allow.
fn sort(bundle: &Bundle, entries: &[Entry], sorted: &mut Sorted) {
    for entry in entries {
        match bundle.read(entry) {
            Content::Nested(mut members) => match bundle.admit(&mut members) {
                Ok(()) => sort(bundle, &members, sorted),
                Err(limit) => sorted.left_out.push((entry.path.clone(), limit.to_string())),
            },
            Content::Unreadable(reason) => sorted.left_out.push((entry.path.clone(), reason)),
            Content::Bytes(bytes) => match identify::as_text(&bytes) {
                Some(text) => sorted.texts.push(TextFile {
                    path: entry.path.clone(),
                    text: text.as_str().to_owned(),
                    sha256: sha256(&bytes),
                }),
                None => {
                    let what = if bytes.starts_with(b"regf") {
                        "a registry hive"
                    } else if bytes.starts_with(b"ElfFile") {
                        "a binary event log"
                    } else if bytes.is_empty() {
                        "an empty file"
                    } else {
                        "no text"
                    };
                    sorted.left_out.push((entry.path.clone(), what.to_owned()));
                }
            },
        }
    }
}

/// UTF-8; beyond ASCII with its mark, so that no reader takes it for a code page.
fn utf8(text: &str) -> Vec<u8> {
    let mut bytes = if text.is_ascii() { Vec::new() } else { b"\xef\xbb\xbf".to_vec() };
    let declared = text.get(..64).filter(|head| head.starts_with("<?xml")).is_some();
    let text = if declared {
        text.replacen("UTF-16", "UTF-8", 1).replacen("utf-16", "utf-8", 1)
    } else {
        text.to_owned()
    };
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The manifest with the hashes of the files as they are now.
fn rehashed(text: &str, hashes: &HashMap<String, String>) -> String {
    let parts = text.split('"').map(|part| {
        let now = (part.len() == 64).then(|| hashes.get(&part.to_ascii_lowercase())).flatten();
        now.map_or(part, String::as_str)
    });
    parts.collect::<Vec<_>>().join("\"")
}

/// A path that stays below the folder into which somebody unpacks it.
fn label(path: &str) -> String {
    let plain = |part: &&str| !part.is_empty() && *part != "." && *part != "..";
    let parts = path.split(['/', '\\']).filter(plain).map(|part| part.replace([':', '\0'], "_"));
    let joined = parts.collect::<Vec<_>>().join("/");
    if joined.is_empty() { "unnamed".to_owned() } else { joined }
}

/// The name, with a number behind it where it is taken: two users may have had files of the same name.
fn unused(name: &str, names: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 1;
    while !names.insert(candidate.to_lowercase()) {
        number += 1;
        candidate = format!("{name}~{number}");
    }
    candidate
}

fn add(archive: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, bytes: &[u8]) -> io::Result<()> {
    // No time and no owner: they would be those of the person who redacts.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default());
    archive.start_file(name, options).map_err(io::Error::other)?;
    archive.write_all(bytes)
}

fn notice(sorted: &Sorted, redactor: &Redactor) -> String {
    let mut text = String::from(
        "This is a redacted copy of an evidence bundle, made by actriage.\n\nNames of people, computers, domains and networks, SIDs, ids of \
         tenants and devices, and addresses are pseudonyms: the same name has the same pseudonym in every file. Secrets are masked. Texts are \
         in UTF-8.\n",
    );
    let masked: Vec<&str> = redactor.masked().iter().map(|secret| secret.name()).collect();
    if !masked.is_empty() {
        let _ = writeln!(
            text,
            "\nThe bundle held secrets: {}. Change them if it was passed on.",
            masked.join(", ")
        );
    }
    if !sorted.left_out.is_empty() {
        text.push_str(
            "\nLeft out, because names can stand in binary data in forms that cannot all be found (use `actriage analyze --redact` on the \
             bundle for what they show):\n",
        );
        for (path, why) in &sorted.left_out {
            let _ = writeln!(text, "  {}: {}", redactor.text(path), redactor.text(why));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lead_out_of_a_folder() {
        assert_eq!(label("../../C:\\x/./y"), "C_/x/y");
        assert_eq!(label("//"), "unnamed");
        let mut names = BTreeSet::new();
        assert_eq!(unused("a", &mut names), "a");
        assert_eq!(unused("A", &mut names), "A~2");
    }
}
