//! Which finding explains which: the suppression table of domain.md section 4.1, with the rows that sections 13 and 14 add, as data.
//!
//! A row applies when the root is a blocker and the symptom is a finding. The symptom keeps its own status and evidence; it is shown
//! under its root and is no root itself (decision 8).

use super::Diagnosed;
use crate::checks::case::Case;
use crate::checks::judgement::Status;
use crate::checks::services::{dependencies, svc_nlasvc};
use crate::evidence::Lookup;
use crate::evidence::os::Generation;

/// One row: when `root` is a blocker, it explains `symptoms`.
pub struct Row {
    /// Check id of the cause.
    pub root: &'static str,
    /// Check ids of what follows from it.
    pub symptoms: &'static [&'static str],
    /// A further condition on the machine; rows that rest on a dependency ask the collected `DependOnService` (R23).
    pub when: fn(&Case<'_>) -> bool,
    /// Why it follows, for the report.
    pub why: &'static str,
}

fn always(_: &Case<'_>) -> bool {
    true
}

/// NlaSvc depends on EventLog: read from the machine, else from Windows 8 on (R23).
fn nla_needs_eventlog(case: &Case<'_>) -> bool {
    match dependencies(case, "NlaSvc") {
        Lookup::Found(list) => list.value.iter().any(|name| name.eq_ignore_ascii_case("EventLog")),
        _ => case.os().generation().is_some_and(|generation| generation >= Generation::Eight),
    }
}

fn nla_must_run(case: &Case<'_>) -> bool {
    svc_nlasvc::must_run(case) == Some(true)
}

/// The table.
pub const ROWS: &[Row] = &[
    Row {
        root: "svc-eventlog",
        symptoms: &["svc-nlasvc", "svc-netprofm", "ncsi-profile-state"],
        when: nla_needs_eventlog,
        why: "Network Location Awareness depends on Windows Event Log",
    },
    Row {
        root: "svc-nlasvc",
        symptoms: &["svc-netprofm", "ncsi-profile-state"],
        when: nla_must_run,
        why: "the connection status of this Windows is kept by Network Location Awareness",
    },
    Row {
        root: "svc-netprofm",
        symptoms: &["ncsi-profile-state"],
        when: always,
        why: "Office and Windows ask the Network List Service for the connection",
    },
    Row {
        root: "ncsi-active-probe-config",
        symptoms: &["ncsi-profile-state"],
        when: always,
        why: "without the probe Windows does not learn that it is on the internet",
    },
    Row {
        root: "winsock-catalog",
        symptoms: &["ncsi-profile-state"],
        when: always,
        why: "no program can open sockets as it should",
    },
];

/// Writes causes and symptoms into the checks.
pub fn link(case: &Case<'_>, checks: &mut [Diagnosed]) {
    let has = |checks: &[Diagnosed], id: &str, test: fn(Status) -> bool| {
        checks.iter().any(|item| item.check.id == id && test(item.outcome.status))
    };
    for row in ROWS {
        if !has(checks, row.root, |status| status == Status::Blocker) || !(row.when)(case) {
            continue;
        }
        for symptom in row.symptoms {
            if !has(checks, symptom, Status::is_finding) {
                continue;
            }
            for item in checks.iter_mut() {
                if item.check.id == *symptom && !item.caused_by.contains(&row.root) {
                    item.caused_by.push(row.root);
                }
                if item.check.id == row.root && !item.explains.contains(symptom) {
                    item.explains.push(symptom);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ROWS;
    use crate::checks::CHECKS;

    #[test]
    fn the_table_names_known_checks_and_runs_in_no_circle() {
        let known = |id: &str| CHECKS.iter().any(|check| check.id == id);
        for row in ROWS {
            assert!(known(row.root), "{}", row.root);
            for symptom in row.symptoms {
                assert!(known(symptom), "{symptom}");
                assert_ne!(row.root, *symptom);
            }
        }
        // A walk along the arrows from every root must not come back to it.
        for row in ROWS {
            let mut open = row.symptoms.to_vec();
            let mut seen = Vec::new();
            while let Some(id) = open.pop() {
                assert_ne!(id, row.root, "{} explains itself", row.root);
                if !seen.contains(&id) {
                    seen.push(id);
                    open.extend(ROWS.iter().filter(|next| next.root == id).flat_map(|next| next.symptoms));
                }
            }
        }
    }
}
