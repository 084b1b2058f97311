//! Which finding explains which: the suppression table of domain.md section 4.1, with the rows that sections 13 and 14 add, as data.
//!
//! A row applies when the root is a blocker, the symptom is a finding and the row's condition holds. The symptom keeps its own status and
//! evidence; it is shown under its root and is no root itself (decision 8). Rows run one after the other, and a finding that already
//! explains another one is never explained by it, so no circle can come about.

use super::Diagnosed;
use crate::checks::case::Case;
use crate::checks::judgement::Status;
use crate::checks::services::{dependencies, svc_nlasvc};
use crate::checks::signals;
use crate::evidence::Lookup;
use crate::evidence::os::Generation;

/// One row: when `root` is a blocker, it explains `symptoms`.
pub struct Row {
    /// Check id of the cause.
    pub root: &'static str,
    /// Check ids of what follows from it.
    pub symptoms: &'static [&'static str],
    /// A further condition on the machine and the symptom's id; rows that rest on a dependency ask the collected `DependOnService`
    /// (R23).
    pub when: fn(&Case<'_>, &str) -> bool,
    /// Why it follows, for the report.
    pub why: &'static str,
}

fn always(_: &Case<'_>, _: &str) -> bool {
    true
}

/// NlaSvc depends on EventLog: read from the machine, else from Windows 8 on (R23).
fn nla_needs_eventlog(case: &Case<'_>, _: &str) -> bool {
    match dependencies(case, "NlaSvc") {
        Lookup::Found(list) => list.value.iter().any(|name| name.eq_ignore_ascii_case("EventLog")),
        _ => case.os().generation().is_some_and(|generation| generation >= Generation::Eight),
    }
}

fn nla_must_run(case: &Case<'_>, _: &str) -> bool {
    svc_nlasvc::must_run(case) == Some(true)
}

/// The broken ancestor that `svc-dependencies` found is this service itself (decision 9).
fn chain_breaks_at(case: &Case<'_>, key: &str) -> bool {
    let place = format!(r"\services\{}", key.to_lowercase());
    case.outcome("svc-dependencies").is_some_and(|outcome| {
        outcome.evidence.iter().any(|seen| {
            let locator = seen.locator.to_lowercase();
            locator.ends_with(&place)
                || locator.contains(&format!("{place}!"))
                || locator.contains(&format!("{place}\\"))
        })
    })
}

fn chain_breaks_at_eventlog(case: &Case<'_>, _: &str) -> bool {
    chain_breaks_at(case, "EventLog")
}

fn chain_breaks_at_nlasvc(case: &Case<'_>, _: &str) -> bool {
    chain_breaks_at(case, "NlaSvc")
}

fn chain_breaks_at_netprofm(case: &Case<'_>, _: &str) -> bool {
    chain_breaks_at(case, "netprofm")
}

/// The chain is broken by something that no service check of its own stands for.
fn chain_breaks_elsewhere(case: &Case<'_>, _: &str) -> bool {
    !["EventLog", "NlaSvc", "netprofm"].iter().any(|key| chain_breaks_at(case, key))
}

/// The symptom rests on recorded errors of the network class.
fn of_the_network_class(case: &Case<'_>, symptom: &str) -> bool {
    let errors = signals::network_errors(case);
    case.outcome(symptom).is_some_and(|outcome| {
        outcome.evidence.iter().any(|seen| {
            errors
                .iter()
                .any(|error| error.source.artifact == seen.artifact && error.source.locator == seen.locator)
        })
    })
}

/// Findings about reaching hosts follow from any network fault; those that rest on recorded codes only when the codes are of that class.
fn follows_from_the_network(case: &Case<'_>, symptom: &str) -> bool {
    matches!(symptom, "endpoint-reachability" | "ncsi-probe-result" | "ncsi-profile-state")
        || of_the_network_class(case, symptom)
}

/// What every fault of the network below it makes fail (decision 11).
const NETWORK_SYMPTOMS: &[&str] = &["windows-update-health", "ncsi-probe-result", "ncsi-profile-state"];
/// What fails when TLS 1.2 is not spoken.
const TLS_SYMPTOMS: &[&str] = &["tls-handshake-events", "error-text-older-windows"];

/// The table.
pub const ROWS: &[Row] = &[
    Row {
        root: "svc-eventlog",
        symptoms: &["svc-nlasvc", "svc-netprofm", "ncsi-profile-state"],
        when: nla_needs_eventlog,
        why: "Network Location Awareness depends on Windows Event Log",
    },
    Row {
        root: "svc-eventlog",
        symptoms: &["svc-dependencies"],
        when: chain_breaks_at_eventlog,
        why: "the broken dependency is Windows Event Log itself",
    },
    Row {
        root: "svc-nlasvc",
        symptoms: &["svc-netprofm", "svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        when: nla_must_run,
        why: "the connection status of this Windows is kept by Network Location Awareness",
    },
    Row {
        root: "svc-nlasvc",
        symptoms: &["svc-dependencies"],
        when: chain_breaks_at_nlasvc,
        why: "the broken dependency is Network Location Awareness itself",
    },
    Row {
        root: "svc-netprofm",
        symptoms: &["svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        when: always,
        why: "Office and Windows ask the Network List Service for the connection",
    },
    Row {
        root: "svc-netprofm",
        symptoms: &["svc-dependencies"],
        when: chain_breaks_at_netprofm,
        why: "the broken dependency is the Network List Service itself",
    },
    Row {
        root: "svc-dependencies",
        symptoms: &[
            "svc-nlasvc",
            "svc-netprofm",
            "svc-ncdautosetup",
            "ncsi-profile-state",
            "ncsi-probe-result",
        ],
        when: chain_breaks_elsewhere,
        why: "a service that these depend on cannot start",
    },
    Row {
        root: "ncsi-active-probe-config",
        symptoms: &["ncsi-profile-state", "ncsi-probe-result"],
        when: always,
        why: "without the probe Windows does not learn that it is on the internet",
    },
    Row {
        root: "winsock-catalog",
        symptoms: &["ncsi-profile-state", "ncsi-probe-result"],
        when: always,
        why: "no program can open sockets as it should",
    },
    Row {
        root: "proxy-winhttp",
        symptoms: NETWORK_SYMPTOMS,
        when: follows_from_the_network,
        why: "services reach the internet through this proxy",
    },
    Row {
        root: "tls12-schannel-client",
        symptoms: TLS_SYMPTOMS,
        when: always,
        why: "the servers speak TLS 1.2 and later only",
    },
    Row {
        root: "tls12-winhttp-default",
        symptoms: TLS_SYMPTOMS,
        when: always,
        why: "the servers speak TLS 1.2 and later only",
    },
    Row {
        root: "tls12-wininet-user",
        symptoms: TLS_SYMPTOMS,
        when: always,
        why: "the servers speak TLS 1.2 and later only",
    },
    Row {
        root: "tls-cipher-suites",
        symptoms: TLS_SYMPTOMS,
        when: always,
        why: "no cipher suite is left that the servers accept",
    },
];

/// Writes causes and symptoms into the checks.
pub fn link(case: &Case<'_>, checks: &mut [Diagnosed]) {
    for row in ROWS {
        let is_root = |item: &Diagnosed| item.check.id == row.root && item.outcome.status == Status::Blocker;
        if !checks.iter().any(is_root) {
            continue;
        }
        for symptom in row.symptoms {
            let is_finding = |item: &Diagnosed| item.check.id == *symptom && item.outcome.status.is_finding();
            let found = checks.iter().any(is_finding) && !explains(checks, symptom, row.root);
            if !found || !(row.when)(case, symptom) {
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

/// Whether one finding already explains another, directly or through others.
fn explains(checks: &[Diagnosed], from: &str, to: &str) -> bool {
    let mut open = vec![from];
    let mut seen: Vec<&str> = Vec::new();
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        if !seen.contains(&id) {
            seen.push(id);
            open.extend(
                checks
                    .iter()
                    .filter(|item| item.check.id == id)
                    .flat_map(|item| item.explains.iter().copied()),
            );
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::ROWS;
    use crate::checks::CHECKS;

    #[test]
    fn the_table_names_known_checks_and_no_row_explains_itself() {
        let known = |id: &str| CHECKS.iter().any(|check| check.id == id);
        for row in ROWS {
            assert!(known(row.root), "{}", row.root);
            assert!(!row.why.is_empty());
            for symptom in row.symptoms {
                assert!(known(symptom), "{symptom}");
                assert_ne!(row.root, *symptom);
            }
        }
    }

    /// Without the service rows, whose conditions exclude each other (decision 9), the arrows run in no circle.
    #[test]
    fn the_arrows_run_in_no_circle() {
        let rows = || ROWS.iter().filter(|row| row.root != "svc-dependencies");
        for row in rows() {
            let mut open = row.symptoms.to_vec();
            let mut seen = Vec::new();
            while let Some(id) = open.pop() {
                assert_ne!(id, row.root, "{} explains itself", row.root);
                if !seen.contains(&id) {
                    seen.push(id);
                    open.extend(rows().filter(|next| next.root == id).flat_map(|next| next.symptoms));
                }
            }
        }
    }
}
