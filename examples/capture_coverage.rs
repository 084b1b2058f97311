//! Prints `docs/captures.md`: which kinds of capture are read in which languages, measured on a folder of real captures.
//!
//! ```text
//! cargo run --example capture_coverage -- FOLDER > docs/captures.md
//! ```
//!
//! `FOLDER` holds the captures and a `MANIFEST.tsv` whose columns `path` and `language` name each file and its language.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use actriage::artifact::capture::{self, CaptureStatus, READERS};
use actriage::artifact::text::Text;

/// Text above the table.
const HEAD: &str = "\
# Captures: what is read in which language

<!-- Made by `cargo run --example capture_coverage -- FOLDER > docs/captures.md`; do not edit by hand. -->

Command outputs are recognised by their content, one reader for each kind (`src/artifact/capture/`). The table counts the outputs
in a collection of real and published captures, by the language of their labels: `3` means three outputs read in full; `2+1p` two
in full and one in part; `1e` an error message in place of an output; `1n` recognised and not understood. \"any\" stands for
commands that print English or numbers on every system, and for captures whose language cannot be told.

An output that is read in part, or not at all, is never taken for a healthy one: its reason is listed below the table, `actriage
inspect --dump captures` prints it for every file, and the checks that need it answer *unknown*.

A language without an entry is not a language that cannot be read: many readers go by place and type, which are the same in all
of them. It only means that no capture of it was at hand.
";

/// Outputs of one kind in one language, by how they were read.
#[derive(Default)]
struct Count {
    parsed: u32,
    partial: u32,
    errors: u32,
    not: u32,
}

impl Count {
    fn add(&mut self, status: CaptureStatus) {
        let counter = match status {
            CaptureStatus::Parsed => &mut self.parsed,
            CaptureStatus::Partial => &mut self.partial,
            CaptureStatus::ErrorOutput | CaptureStatus::Empty => &mut self.errors,
            CaptureStatus::Unrecognized => &mut self.not,
        };
        *counter += 1;
    }

    fn cell(&self) -> String {
        let parts = [(self.parsed, ""), (self.partial, "p"), (self.errors, "e"), (self.not, "n")];
        let parts =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, mark)| format!("{count}{mark}"));
        parts.collect::<Vec<_>>().join("+")
    }
}

/// `de` of `de`, `zh-CN` of `zh-CN (excerpt)`; "any" for whatever is no language.
fn language(column: &str) -> &str {
    let word = column.split([' ', ',', ';', '/']).next().unwrap_or_default();
    let (main, region) = word.split_once('-').unwrap_or((word, "XX"));
    let is_tag = main.len() == 2 && main.bytes().all(|byte| byte.is_ascii_lowercase()) && region.len() == 2;
    if is_tag { word } else { "any" }
}

/// The rows of the manifest: path and language of each file.
fn manifest(folder: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let text = std::fs::read_to_string(folder.join("MANIFEST.tsv"))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let column = |name: &str| header.iter().position(|one| *one == name).ok_or(format!("no column {name}"));
    let (path, language) = (column("path")?, column("language")?);
    let cell = |line: &str, at: usize| line.split('\t').nth(at).unwrap_or_default().to_owned();
    Ok(lines.map(|line| (cell(line, path), cell(line, language))).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: capture_coverage FOLDER")?;
    let folder = Path::new(&folder);
    let mut counts: BTreeMap<(&str, String), Count> = BTreeMap::new();
    let mut languages = BTreeSet::new();
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut files, mut outputs) = (0_u32, 0_u32);
    for (path, column) in manifest(folder)? {
        let text = Text::decode(&std::fs::read(folder.join(&path))?);
        files += 1;
        for found in capture::read(&text) {
            outputs += 1;
            let language = found.language.unwrap_or_else(|| language(&column).to_owned());
            languages.insert(language.clone());
            counts.entry((found.kind.name(), language)).or_default().add(found.status);
            if let Some(reason) = found.reason {
                let lines = format!("`{path}`, line {}: {reason}", found.line_from);
                reasons.entry(found.kind.name()).or_default().push(lines);
            }
        }
    }
    // "any" reads best at the end.
    let mut columns: Vec<String> = languages.into_iter().filter(|language| language != "any").collect();
    columns.push("any".to_owned());

    let mut page = HEAD.to_owned();
    writeln!(page, "\n{files} files, {outputs} outputs.\n")?;
    writeln!(page, "| kind | {} |", columns.join(" | "))?;
    writeln!(page, "| --- |{}", " --- |".repeat(columns.len()))?;
    for kind in READERS.iter().map(|reader| reader.kind.name()).chain(["unknown"]) {
        write!(page, "| {kind} |")?;
        for language in &columns {
            let cell = counts.get(&(kind, language.clone())).map(Count::cell).unwrap_or_default();
            write!(page, " {cell} |")?;
        }
        writeln!(page)?;
    }
    writeln!(page, "\n## Read in part or not at all\n")?;
    for (kind, lines) in &reasons {
        writeln!(page, "### {kind}\n")?;
        lines.iter().try_for_each(|line| writeln!(page, "- {line}"))?;
        writeln!(page)?;
    }
    println!("{}", page.trim_end());
    Ok(())
}
