//! Real machines without a known Office fault: nothing may say `blocker`, and every warning stands in `docs/corpus-notes.md` with the proof
//! that the machine really is in that state.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use actriage::checks::judgement::Status;
use rayon::prelude::*;

use crate::checks::{report_of, root};
use crate::corpus;

/// Every file, and every folder that holds files, below a folder.
pub fn places(folder: &Path, found: &mut Vec<PathBuf>) {
    let items: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()).collect();
    if items.iter().any(|path| path.is_file()) {
        found.push(folder.to_owned());
    }
    for path in items {
        if path.is_dir() {
            places(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_real_machine_is_called_blocked() {
    let Some(shared) = corpus::shared() else {
        println!("no ACTRIAGE_CORPUS: no real machine was looked at");
        return;
    };
    let base = shared.join("corpus");
    let mut all = Vec::new();
    places(&base.join("evtx"), &mut all);
    places(&base.join("hives"), &mut all);
    // Hives and logs of one origin and one Windows make a machine as a bundle has it.
    let made = tempfile::tempdir().unwrap();
    for windows in ["Win10", "Win11"] {
        let folder = made.path().join(windows);
        for (kind, sub) in [("hives", "Registry"), ("evtx", "EventLogs")] {
            let from =
                base.join(kind).join("AndrewRathbun+DFIRArtifactMuseum/Windows").join(sub).join(windows);
            let mut files = Vec::new();
            if from.is_dir() {
                places(&from, &mut files);
            }
            for file in files.iter().filter(|path| path.is_file()) {
                let to = folder.join(kind).join(file.strip_prefix(&from).unwrap());
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(file, to).unwrap();
            }
        }
        all.push(folder);
    }
    let notes = fs::read_to_string(root().join("docs/corpus-notes.md")).unwrap();
    let results: Vec<(BTreeSet<String>, usize)> = all
        .par_iter()
        .map(|place| {
            let report = report_of(place);
            let name = place.strip_prefix(&base).or_else(|_| place.strip_prefix(made.path())).unwrap();
            let told = |check: &actriage::report::model::CheckInfo| {
                let named = format!("`{}` in `{}`", check.id, name.display());
                check.status == Status::Blocker || !notes.contains(&named)
            };
            let findings = report
                .checks
                .iter()
                .filter(|check| check.status.is_finding() && check.id != "collection-completeness");
            let wrong = findings
                .filter(|check| told(check))
                .map(|check| {
                    format!("{} {} in {}: {}", check.status.name(), check.id, name.display(), check.summary)
                })
                .collect();
            (wrong, report.bundle.artifacts.len())
        })
        .collect();
    let wrong: BTreeSet<&String> = results.iter().flat_map(|(wrong, _)| wrong).collect();
    let files: usize = results.iter().map(|(_, files)| files).sum();
    println!("{} places with {files} files looked at", all.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Warnings and errors that ordinary machines log (`benign_prevalence.tsv`, read by libevtx), laid over a healthy machine: none of them is a
/// finding by itself.
#[test]
fn benign_events_raise_nothing_by_themselves() {
    let Some(shared) = corpus::shared() else {
        println!("no ACTRIAGE_CORPUS: benign events were not laid over a machine");
        return;
    };
    let rows = corpus::tsv(&shared.join("corpus/benign_prevalence.tsv"));
    let mut logs: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        let channel = row["channel"].as_str();
        let lines = logs.entry(channel.to_owned()).or_default();
        let (provider, id, level) = (&row["provider"], &row["id"], &row["level(1crit2err3warn)"]);
        let minute = number % 60;
        lines.push_str(&format!(
            "{provider}/{id} 2026-11-19T08:{minute:02}:00Z level={level} record={}\n  param1 = x\n{}",
            number + 10,
            // What makes these benign is their code (R37: 0x801C001D, signed as the log has it), which the table does not have.
            if provider.ends_with("User Device Registration") { "  ExitCode = -2145648611\n" } else { "" }
        ));
    }
    // Each channel as a log of its own beside the machine's, so that no log of the base is disturbed.
    let blocks: Vec<String> = logs
        .iter()
        .enumerate()
        .map(|(number, (channel, lines))| format!("```evtx benign/{number}.evtx {channel}\n{lines}```\n"))
        .collect();
    let files =
        crate::workshop::recipe::files_over(&crate::checks::base("complete"), &blocks.join("\n"), &[]);
    let report = crate::checks::report_on(&files);
    let wrong: Vec<String> = report
        .checks
        .iter()
        .filter(|check| check.status.is_finding() && check.id != "collection-completeness")
        .map(|check| format!("{} {}: {}", check.status.name(), check.id, check.summary))
        .collect();
    println!("{} kinds of events in {} logs", rows.len(), logs.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
