//! `docs/checks/` and `docs/coverage.md` are made from the checks and their fixtures; these tests fail when they are out of date.
//! `ACTRIAGE_BLESS=1 cargo test --test it docs::` (and `checks::` for the coverage) writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use actriage::checks::{Article, CHECKS, Check};

use crate::checks::root;

/// Compares a generated document with the one in the tree, or writes it.
pub fn agrees(path: &Path, text: &str) {
    if std::env::var_os("ACTRIAGE_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is out of date: run the tests with ACTRIAGE_BLESS=1", path.display());
}

/// The page of one check.
fn page(check: &Check) -> String {
    let mut text = format!("# {}\n\n{}.\n\n", check.id, check.title);
    let _ = writeln!(text, "Layer: {}. Source: {}.\n", check.layer.name(), check.article.title());
    // The first line of the documentation says the condition again; its sections stand one level lower.
    let doc = check.doc();
    let body = doc.split_once("\n\n").map_or(doc.as_str(), |(_, body)| body);
    for line in body.lines() {
        let heading = if line.starts_with("# ") { "#" } else { "" };
        let _ = writeln!(text, "{heading}{line}");
    }
    if !check.wants.is_empty() {
        text.push_str("\n## Events that it reads\n\n| provider | ids | logs |\n|---|---|---|\n");
        for want in check.wants {
            let ids: Vec<String> = want.ids.iter().map(u32::to_string).collect();
            let ids = if ids.is_empty() { "all".to_owned() } else { ids.join(", ") };
            let _ = writeln!(text, "| {} | {ids} | {} |", want.provider, want.channels.join(", "));
        }
    }
    text
}

#[test]
fn every_check_has_its_page() {
    let folder = root().join("docs/checks");
    for check in CHECKS.iter() {
        agrees(&folder.join(format!("{}.md", check.id)), &page(check));
    }
    let mut index =
        "# The checks\n\nMade from the checks themselves; `actriage explain ID` prints the same.\n"
            .to_owned();
    let mut sections: Vec<(Article, Vec<&Check>)> = Vec::new();
    for check in CHECKS.iter() {
        match sections.iter_mut().find(|(article, _)| *article == check.article) {
            Some((_, list)) => list.push(check),
            None => sections.push((check.article, vec![check])),
        }
    }
    for (article, list) in &sections {
        let title = article.title();
        let _ = writeln!(
            index,
            "\n## {}{}\n\n| check | layer | condition |\n|---|---|---|",
            title[..1].to_uppercase(),
            &title[1..]
        );
        for check in list {
            let _ =
                writeln!(index, "| [{0}]({0}.md) | {1} | {2} |", check.id, check.layer.name(), check.title);
        }
    }
    agrees(&folder.join("README.md"), &index);
    let pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    let known: BTreeSet<String> = CHECKS.iter().map(|check| format!("{}.md", check.id)).collect();
    assert_eq!(pages, known, "a page belongs to no check");
}

/// Article section × check × artifacts that can prove it. `proofs` holds, for each check, the kinds of artifact that a finding cited in some
/// fixture case, so the table says what has been shown and not what was meant.
pub fn coverage(proofs: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut text = "# What can prove what\n\n\
        For every section of the two support articles the checks that cover it, and the kinds of artifact that alone or together made one of \
        them a finding in a fixture case. Made by the fixture tests.\n\n\
        | section | check | artifacts that can prove it |\n|---|---|---|\n"
        .to_owned();
    let mut checks: Vec<&Check> = CHECKS.iter().collect();
    let order = |check: &Check| {
        CHECKS
            .iter()
            .position(|other| other.article == check.article)
            .map(|at| (check.article == Article::Beyond, at))
    };
    checks.sort_by_key(|check| order(check));
    for check in checks {
        let kinds = proofs.get(check.id).cloned().unwrap_or_default();
        let channels: BTreeSet<&str> =
            check.wants.iter().flat_map(|want| want.channels.iter().copied()).collect();
        let mut list: Vec<String> =
            kinds.iter().filter(|kind| *kind != "evtx").map(|kind| format!("`{kind}`")).collect();
        if kinds.contains("evtx") {
            list.extend(channels.iter().map(|channel| format!("log {channel}")));
        }
        let section = check.article.section();
        let _ = writeln!(text, "| {section} | [{0}](checks/{0}.md) | {1} |", check.id, list.join(", "));
    }
    text
}

/// The picture in the README is the first part of a sample's report.
#[test]
fn the_readme_shows_a_real_report() {
    let report = fs::read_to_string(root().join("samples/mixed.txt")).unwrap();
    let picture = report.split("\nOther findings").next().unwrap().trim_end();
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("```\n").unwrap();
    let (_, after) = rest.split_once("\n…\n```\n").unwrap();
    agrees(&path, &format!("{before}```\n{picture}\n…\n```\n{after}"));
}
