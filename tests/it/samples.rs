//! The samples, and in `samples/articles` one for each section of the articles: every `samples/*.md` is a recipe, its `.zip` holds exactly what the recipe makes, and its `.txt` and `.json` are what
//! `analyze` says of it. `ACTRIAGE_BLESS=1` writes them again; read the difference before you commit it.

use std::fs;
use std::path::PathBuf;

use actriage::bundle::limits::Limits;
use actriage::bundle::{Bundle, Content};
use actriage::report::{json, terminal};

use crate::checks::{Case, report_of, root};
use crate::workshop::recipe;

fn bless() -> bool {
    std::env::var_os("ACTRIAGE_BLESS").is_some()
}

/// Recipes of the samples.
pub fn recipes() -> Vec<PathBuf> {
    let folders = [root().join("samples"), root().join("samples/articles")];
    let items =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|item| item.unwrap().path());
    let mut found: Vec<PathBuf> =
        items.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    found.retain(|path| path.file_name().unwrap() != "README.md");
    found.sort();
    found
}

#[test]
fn archives_hold_what_their_recipes_make() {
    assert!(recipes().len() >= 4);
    for path in recipes() {
        let case =
            Case { check: String::new(), name: String::new(), text: fs::read_to_string(&path).unwrap() };
        let files = case.files();
        let zip = path.with_extension("zip");
        if bless() {
            fs::write(&zip, recipe::pack(&files)).unwrap();
        }
        let bundle = Bundle::open(&zip, Limits::default()).unwrap();
        let held: Vec<(String, Vec<u8>)> = bundle
            .entries
            .iter()
            .map(|entry| match bundle.read(entry) {
                Content::Bytes(bytes) => (entry.path.clone(), bytes.to_vec()),
                other => panic!("{}: {other:?}", entry.path),
            })
            .collect();
        let made: Vec<(String, Vec<u8>)> = files.into_iter().map(|file| (file.path, file.bytes)).collect();
        assert!(held == made, "{} is not what its recipe makes", zip.display());
    }
}

#[test]
fn reports_are_what_analyze_says() {
    for path in recipes() {
        let mut report = report_of(&path.with_extension("zip"));
        let below = path.strip_prefix(root()).unwrap().with_extension("zip");
        report.bundle.path = below.to_str().unwrap().replace('\\', "/");
        let options = terminal::Options { width: 100, color: false, all: false };
        let made = [
            ("txt", terminal::render(&report, options)),
            ("json", json::render(&report, false).unwrap() + "\n"),
        ];
        // The samples of single sections show the report that people read; the others show both forms.
        let single = path.parent().is_some_and(|folder| folder.ends_with("articles"));
        for (ending, text) in made.into_iter().take(if single { 1 } else { 2 }) {
            let file = path.with_extension(ending);
            if bless() {
                fs::write(&file, &text).unwrap();
            }
            let kept = fs::read_to_string(&file).unwrap();
            assert!(kept == text, "{} is out of date: ACTRIAGE_BLESS=1 writes it again", file.display());
        }
    }
}

/// What a sample is meant to show stands in its recipe (`Verdict:` and `Roots:`), not in our output.
#[test]
fn verdicts_are_those_that_the_recipes_name() {
    for path in recipes() {
        let case =
            Case { check: String::new(), name: String::new(), text: fs::read_to_string(&path).unwrap() };
        let report = report_of(&path.with_extension("zip"));
        let outcome = serde_json::to_value(report.verdict.outcome).unwrap();
        assert_eq!(outcome, case.line("Verdict").unwrap(), "{}", path.display());
        let roots = case.line("Roots").unwrap_or_default();
        assert_eq!(report.verdict.root_causes.join(", "), roots, "{}", path.display());
    }
}
