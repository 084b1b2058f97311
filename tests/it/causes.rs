//! Causes and symptoms (domain.md 4.1 with the decisions that change it): for every pair of the table a machine that has both, made of a
//! fixture case of the cause and one of the symptom, in which the symptom is folded under the cause; and the symptom's machine alone,
//! in which it stands for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use actriage::diagnosis::causes::ROWS;
use actriage::report::model::Report;
use rayon::prelude::*;

use crate::checks::{Case, base, cases, report_on};
use crate::workshop::recipe;

/// What domain.md says: cause, symptoms, where.
const TABLE: &[(&[&str], &[&str], &str)] = &[
    (&["svc-eventlog"], &["svc-nlasvc", "svc-netprofm", "ncsi-profile-state"], "4.1"),
    (
        &["svc-nlasvc"],
        &["svc-netprofm", "svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        "4.1",
    ),
    (&["svc-nlasvc", "ncsi-active-probe-config"], &["wam-token-broker-errors"], "4.1: CAA70007"),
    (&["hosts-file-override"], &["wam-token-broker-errors"], "4.1: 12029, 12007, 12038"),
    (&["winsock-catalog"], &["wam-token-broker-errors"], "4.1: 12159, 10047-class socket errors"),
    (&["captive-portal"], &["wam-token-broker-errors"], "4.1: certificate and parse errors"),
    (&["svc-netprofm"], &["svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"], "4.1"),
    (&["svc-eventlog", "svc-nlasvc", "svc-netprofm"], &["svc-dependencies"], "decisions 9 and 10"),
    (
        &["svc-dependencies"],
        &["svc-nlasvc", "svc-netprofm", "svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        "4.1, decision 9",
    ),
    (
        &["svc-dependencies"],
        &["broker-plugin-state", "wam-token-broker-errors"],
        "5.8: the chain of TokenBroker",
    ),
    (&["ncsi-active-probe-config"], &["ncsi-profile-state", "ncsi-probe-result"], "4.1"),
    (&["hosts-file-override"], &["dns-resolution", "endpoint-reachability"], "4.1"),
    (
        &["winsock-catalog"],
        &["dns-resolution", "endpoint-reachability", "ncsi-profile-state", "ncsi-probe-result"],
        "4.1, decision 11",
    ),
    (&["connections-blob"], &["proxy-winhttp", "proxy-wininet-user"], "decision 11"),
    (&["proxy-pac-wpad"], &["proxy-wininet-user"], "4.1"),
    (
        &[
            "connections-blob",
            "proxy-winhttp",
            "proxy-wininet-user",
            "proxy-pac-wpad",
            "proxy-mismatch",
            "proxy-auth",
            "firewall-outbound",
            "dns-resolution",
        ],
        &[
            "endpoint-reachability",
            "wam-token-broker-errors",
            "windows-update-health",
            "ncsi-probe-result",
            "ncsi-profile-state",
            "device-registration-state",
            "prt-state",
        ],
        "4.1, decision 11",
    ),
    (&["endpoint-reachability"], &["wam-token-broker-errors", "prt-state"], "decision 11"),
    (
        &["tls12-schannel-client", "tls12-winhttp-default", "tls12-wininet-user", "tls-cipher-suites"],
        &["tls-handshake-events", "error-text-older-windows", "wam-token-broker-errors"],
        "4.1; tls12-dotnet is never a blocker, and AADSTS9002313 belongs to error-text-older-windows",
    ),
    (&["crl-reachability"], &["wam-token-broker-errors"], "4.1: 12057, 80092013"),
    (&["broker-plugin-blocked"], &["broker-plugin-state", "wam-token-broker-errors"], "4.1"),
    // Where accounts are personal, a missing broker plug-in is no blocker, so it never folds cloud-experience-host.
    (&["broker-plugin-package"], &["wam-token-broker-errors"], "4.1: 80070057"),
    (&["security-defaults-ca"], &["aadsts-signin-errors"], "4.1: 5007x, 53003"),
    (&["network-service-acl"], &["network-service-spp-key"], "5.11: the key below"),
    (
        &["clock-skew"],
        &[
            "root-certs",
            "tls-inspection",
            "wam-token-broker-errors",
            "aadsts-signin-errors",
            "prt-state",
            "device-registration-state",
        ],
        "4.1: 12037, 12175, CAA82F05/8F, 800B0101, nonce and grant errors",
    ),
    (
        &["root-certs"],
        &["wam-token-broker-errors", "prt-state", "device-registration-state"],
        "4.1: 12045, 800B0109, CAA82F0D",
    ),
    (
        &["tls-inspection"],
        &["wam-token-broker-errors", "prt-state", "device-registration-state"],
        "4.1: 12175, 12152, parse errors, C0048442",
    ),
    (&["captive-portal"], &["ncsi-profile-state", "ncsi-probe-result", "tls-inspection"], "4.1"),
    (&["applocker-block"], &["broker-plugin-blocked"], "4.1: AppLocker among what blocks it"),
    (&["tpm-key-health"], &["prt-state", "device-registration-state", "wam-token-broker-errors"], "4.1"),
    (&["device-registration-state"], &["prt-state", "aadsts-signin-errors", "security-defaults-ca"], "4.1"),
    (&["security-defaults-ca"], &["prt-state"], "decision 12"),
    (&["adal-wam-disabled"], &["security-defaults-ca"], "4.1: legacy-auth 530035"),
    (&["dbl-misconfig"], &["sca-misconfig"], "decision 13"),
    (
        &["sca-misconfig", "dbl-misconfig", "multiple-office-or-vl-residue"],
        &["license-assignment-device-limit", "vnext-license-state"],
        "4.1: device-limit texts, unlicensed product",
    ),
    (&["network-service-acl", "network-service-spp-key"], &["spp-service-health"], "4.1"),
    (&["windows-update-health"], &["os-build-wam-floor", "office-build"], "4.1: WSUS or update block"),
];

/// Pairs of the table of the reference.
fn pairs() -> BTreeSet<(&'static str, &'static str)> {
    TABLE
        .iter()
        .flat_map(|(roots, symptoms, _)| {
            roots.iter().flat_map(|root| symptoms.iter().map(|symptom| (*root, *symptom)))
        })
        .collect()
}

#[test]
fn the_table_is_that_of_the_reference() {
    let ours: BTreeSet<_> = ROWS
        .iter()
        .flat_map(|row| {
            row.roots.iter().flat_map(|root| row.symptoms.iter().map(|symptom| (*root, *symptom)))
        })
        .collect();
    let theirs = pairs();
    let differing: Vec<_> = ours.symmetric_difference(&theirs).collect();
    assert!(differing.is_empty(), "only in one of the two: {differing:?}");
}

#[test]
fn every_symptom_is_folded_under_its_cause_and_stands_alone_without_it() {
    let all = cases();
    let mut findings: BTreeMap<&str, Vec<Told<'_>>> = BTreeMap::new();
    for case in &all {
        let expected = case.line("Expect").and_then(|line| line.split('`').nth(1)).unwrap_or_default();
        if matches!(expected, "blocker" | "warning") {
            findings.entry(case.check.as_str()).or_default().push(Told { case, report: OnceLock::new() });
        }
    }
    let only = std::env::var("ACTRIAGE_CASES").unwrap_or_default();
    let failed: Vec<String> = pairs()
        .into_par_iter()
        .filter(|(root, _)| root.contains(&only))
        .flat_map_iter(|(root, symptom)| {
            let (of_root, of_symptom) = (&findings[root], &findings[symptom]);
            let together = together(root, symptom, of_root, of_symptom);
            let alone = alone(root, symptom, of_symptom);
            together.err().into_iter().chain(alone.err())
        })
        .collect();
    assert!(failed.is_empty(), "{} pairs failed:\n{}", failed.len(), failed.join("\n"));
}

/// A case with a finding, and its report once it was needed.
struct Told<'c> {
    case: &'c Case,
    report: OnceLock<Report>,
}

/// A machine that has both faults: the symptom is shown under the cause and is no root.
fn together(root: &str, symptom: &str, of_root: &[Told<'_>], of_symptom: &[Told<'_>]) -> Result<(), String> {
    for effect in of_symptom.iter().map(|told| told.case) {
        for cause in of_root.iter().map(|told| told.case) {
            let report = both(cause, effect);
            let Some(item) = report.check(symptom) else { continue };
            if item.caused_by.contains(&root) {
                let explained = report.check(root).is_some_and(|cause| cause.explains.contains(&symptom));
                let is_root = report.verdict.root_causes.iter().any(|root| root == symptom);
                return if explained && !is_root {
                    Ok(())
                } else {
                    Err(format!("{root} -> {symptom}: `{}` with `{}`: not folded", cause.name, effect.name))
                };
            }
        }
    }
    Err(format!("{root} -> {symptom}: no two cases make a machine with both"))
}

/// A machine with the symptom and without this cause: nothing says that the cause is behind it, and it is a root or has another cause.
fn alone(root: &str, symptom: &str, of_symptom: &[Told<'_>]) -> Result<(), String> {
    let mut seen = false;
    for told in of_symptom {
        let (case, report) = (told.case, told.report.get_or_init(|| report_on(&told.case.files())));
        let is_cause = report.check(root).is_some_and(|item| item.status.is_finding());
        let Some(item) = report.check(symptom) else { continue };
        if is_cause {
            continue;
        }
        if item.caused_by.contains(&root) {
            return Err(format!("{root} -> {symptom}: `{}` is folded without a cause", case.name));
        }
        seen |= report.verdict.root_causes.iter().any(|root| root == symptom);
        if seen {
            return Ok(());
        }
    }
    Err(format!("{root} -> {symptom}: the symptom never stands alone"))
}

/// The files of the symptom's case with those of the cause's case over them.
fn both(cause: &Case, effect: &Case) -> Report {
    let names = [effect.line("Base"), cause.line("Base")];
    let largest = names.into_iter().find(|name| *name == Some("complete")).unwrap_or(names[0].or(names[1]));
    let base = largest.map(base).unwrap_or_default();
    let without: Vec<&str> = [cause, effect]
        .iter()
        .filter_map(|case| case.line("Without"))
        .flat_map(|list| list.split(", "))
        .collect();
    let text = format!("{}\n{}", effect.text, cause.text);
    report_on(&recipe::files_over(&base, &text, &without))
}

/// domain.md 4.2, rule 3: with equal quality and layer, what is wrong for the whole machine comes before what is wrong for one user, even
/// where the user's value is the newer one.
#[test]
fn the_whole_machine_comes_before_one_user() {
    let fault = "```hive config/SOFTWARE\n\
        [Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp]\n\
        time 2026-11-01T08:00:00Z\n\
        \"DefaultSecureProtocols\"=dword:a0\n\
        ```\n\
        ```hive Users/anna/NTUSER.DAT\n\
        [Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings]\n\
        time 2026-11-19T08:00:00Z\n\
        \"SecureProtocols\"=dword:a0\n\
        ```\n";
    let report = report_on(&recipe::files_over(&base("win7"), fault, &[]));
    let roots = &report.verdict.root_causes;
    let place = |id: &str| roots.iter().position(|root| root == id);
    let confidence = |id: &str| serde_json::to_value(report.check(id).unwrap().confidence).unwrap();
    let (machine, user) = ("tls12-winhttp-default", "tls12-wininet-user");
    assert_eq!(confidence(machine), confidence(user));
    assert!(place(machine).is_some() && place(machine) < place(user), "{roots:?}");
}

/// domain.md 4.2, rule 1: a recorded failure that names the cause comes before a configuration that must fail, though its layer is higher.
#[test]
fn a_recorded_failure_comes_before_configuration() {
    let faults = "```hive config/SYSTEM\n\
        [ControlSet001\\Services\\netprofm]\n\
        \"Start\"=dword:4\n\
        ```\n\
        ```evtx logs/OAlerts.evtx OAlerts\n\
        Microsoft Office 16 Alerts/300 2026-11-20T07:00:00Z level=4 record=9 user=S-1-5-21-1-2-3-1001\n  \
        # = Microsoft Word\n  \
        # = Limit reached. You have used all your activations. Sign out of Office on a device.\n\
        ```\n";
    let licence = "Users/anna/AppData/Local/Microsoft/Office/Licenses/5/licence";
    let report = report_on(&recipe::files_over(&base("complete"), faults, &[licence]));
    let roots: Vec<&str> = report.verdict.root_causes.iter().map(|root| root.as_ref()).collect();
    assert_eq!(
        roots.get(..2),
        Some(["license-assignment-device-limit", "svc-netprofm"].as_slice()),
        "{roots:?}"
    );
}

/// domain.md R54: the WebView2 runtime is never a root; where its warning is all there is, the summary still says so.
#[test]
fn a_missing_runtime_is_no_root_cause() {
    let all = cases();
    let is_warning = |case: &&Case| {
        case.check == "webview2-runtime"
            && case.line("Expect").is_some_and(|line| line.starts_with("`warning`"))
    };
    let reports: Vec<Report> = all.iter().filter(is_warning).map(|case| report_on(&case.files())).collect();
    assert!(!reports.is_empty());
    for report in &reports {
        let verdict = &report.verdict;
        assert!(!verdict.root_causes.iter().any(|root| root == "webview2-runtime"), "{}", verdict.summary);
        assert!(!verdict.summary.starts_with("No problem was found"), "{}", verdict.summary);
    }
}
