//! Finds the corpus of real artifacts, which lives outside the project (`ACTRIAGE_CORPUS`).

use std::path::PathBuf;

/// The folder that holds `corpus/` and `captures/`: `ACTRIAGE_CORPUS`, or its parent when it names `corpus` itself. `None` when
/// the variable is not set; a test then says so and passes.
pub fn shared() -> Option<PathBuf> {
    let named = PathBuf::from(std::env::var_os("ACTRIAGE_CORPUS")?);
    let root = if named.join("corpus").is_dir() { named } else { named.parent()?.to_path_buf() };
    assert!(root.join("corpus").is_dir(), "ACTRIAGE_CORPUS names {}, which holds no corpus", root.display());
    Some(root)
}

/// Rows of a TSV file as maps from column name to cell.
pub fn tsv(path: &std::path::Path) -> Vec<std::collections::HashMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines
        .map(|line| {
            header.iter().map(|name| (*name).to_owned()).zip(line.split('\t').map(str::to_owned)).collect()
        })
        .collect()
}
