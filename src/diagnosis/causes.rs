//! Which finding explains which: the suppression table of domain.md section 4.1, with the rows that sections 13 and 14 add, as data.
//!
//! A row applies when the root is a blocker (in one row a warning will do), the symptom is a finding and the row's condition holds. The symptom keeps its own status and
//! evidence; it is shown under its root and is no root itself (decision 8). Rows run one after the other, and a finding that already
//! explains another one is never explained by it, so no circle can come about.

use super::Diagnosed;
use super::conditions::{
    Condition, a_code_names_the_cause, always, cannot_connect, chain_breaks_at_sign_in,
    chain_breaks_elsewhere, chain_breaks_here, device_cannot_prove_itself, device_is_required,
    device_is_unknown, follows_from_the_network, handshakes_failed, key_is_locked, keys_failed,
    legacy_sign_in, nla_must_run, nla_must_run_to_connect, nla_needs_eventlog, parameter_is_wrong,
    refused_by_policy, revocation_failed, same_answer, same_host, same_place, settings_are_refused,
    sign_in_host_is_moved, sockets_failed, store_is_denied, updates_do_not_arrive,
};
use crate::checks::case::Case;
use crate::checks::judgement::Status;

/// One row: when one of `roots` is a blocker, it explains `symptoms`.
pub struct Row {
    /// Check ids of the causes.
    pub roots: &'static [&'static str],
    /// Check ids of what follows from each of them.
    pub symptoms: &'static [&'static str],
    /// A further condition on the machine, the cause and the symptom.
    pub when: Condition,
    /// Why it follows, for the report.
    pub why: &'static str,
    /// A warning is enough of a cause: it explains warnings only, so no blocker is ever folded under it.
    pub even_a_warning: bool,
}

const fn row(
    roots: &'static [&'static str],
    symptoms: &'static [&'static str],
    when: Condition,
    why: &'static str,
) -> Row {
    Row { roots, symptoms, when, why, even_a_warning: false }
}

/// Checks that see a fault of the network, wherever it is (decision 11).
const NETWORK_SYMPTOMS: &[&str] = &[
    "endpoint-reachability",
    "wam-token-broker-errors",
    "windows-update-health",
    "ncsi-probe-result",
    "ncsi-profile-state",
    "device-registration-state",
    "prt-state",
];
/// What switches TLS 1.2 off and can be a blocker (`tls12-dotnet` never is one).
const TLS_ROOTS: &[&str] =
    &["tls12-schannel-client", "tls12-winhttp-default", "tls12-wininet-user", "tls-cipher-suites"];

/// The table.
pub const ROWS: &[Row] = &[
    row(
        &["svc-eventlog"],
        &["svc-nlasvc", "svc-netprofm", "ncsi-profile-state"],
        nla_needs_eventlog,
        "Network Location Awareness depends on Windows Event Log",
    ),
    row(
        &["svc-nlasvc"],
        &["svc-netprofm", "svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        nla_must_run,
        "the connection status of this Windows is kept by Network Location Awareness",
    ),
    row(
        &["svc-nlasvc"],
        &["wam-token-broker-errors"],
        nla_must_run_to_connect,
        "the broker is told that there is no internet",
    ),
    row(
        &["svc-netprofm"],
        &["svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        always,
        "Office and Windows ask the Network List Service for the connection",
    ),
    row(
        &["svc-eventlog", "svc-nlasvc", "svc-netprofm"],
        &["svc-dependencies"],
        chain_breaks_here,
        "the broken dependency is this service itself",
    ),
    row(
        &["svc-dependencies"],
        &["svc-nlasvc", "svc-netprofm", "svc-ncdautosetup", "ncsi-profile-state", "ncsi-probe-result"],
        chain_breaks_elsewhere,
        "a service that these depend on cannot start",
    ),
    row(
        &["svc-dependencies"],
        &["broker-plugin-state", "wam-token-broker-errors"],
        chain_breaks_at_sign_in,
        "a service that the token broker needs cannot start",
    ),
    row(
        &["ncsi-active-probe-config"],
        &["ncsi-profile-state", "ncsi-probe-result"],
        always,
        "without the probe Windows does not learn that it is on the internet",
    ),
    row(
        &["ncsi-active-probe-config"],
        &["wam-token-broker-errors"],
        cannot_connect,
        "the broker is told that there is no internet",
    ),
    row(
        &["hosts-file-override"],
        &["dns-resolution", "endpoint-reachability"],
        same_host,
        "the hosts file gives this name another address",
    ),
    row(
        &["hosts-file-override"],
        &["wam-token-broker-errors"],
        sign_in_host_is_moved,
        "the hosts file gives a sign-in host another address",
    ),
    row(
        &["winsock-catalog"],
        &["dns-resolution", "endpoint-reachability", "ncsi-profile-state", "ncsi-probe-result"],
        always,
        "no program can open sockets as it should",
    ),
    row(
        &["winsock-catalog"],
        &["wam-token-broker-errors"],
        sockets_failed,
        "no program can open sockets as it should",
    ),
    row(
        &["connections-blob"],
        &["proxy-winhttp", "proxy-wininet-user"],
        same_place,
        "the value that holds this proxy is the damaged one",
    ),
    row(&["proxy-pac-wpad"], &["proxy-wininet-user"], always, "the user's proxy comes out of this script"),
    row(
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
        NETWORK_SYMPTOMS,
        follows_from_the_network,
        "requests to the internet do not get through",
    ),
    row(
        &["endpoint-reachability"],
        &["wam-token-broker-errors", "prt-state"],
        follows_from_the_network,
        "the broker's host is among those that cannot be reached",
    ),
    row(TLS_ROOTS, &["error-text-older-windows"], always, "the servers speak TLS 1.2 and later only"),
    row(
        TLS_ROOTS,
        &["tls-handshake-events"],
        settings_are_refused,
        "the servers speak TLS 1.2 and later only",
    ),
    row(
        TLS_ROOTS,
        &["wam-token-broker-errors"],
        handshakes_failed,
        "the broker's handshakes fail, for the servers speak TLS 1.2 and later only",
    ),
    row(
        &["crl-reachability"],
        &["wam-token-broker-errors"],
        revocation_failed,
        "whether the servers' certificates are revoked cannot be checked",
    ),
    row(
        &["broker-plugin-blocked"],
        &["broker-plugin-state", "wam-token-broker-errors"],
        always,
        "the broker plug-in may not run",
    ),
    row(
        &["broker-plugin-package"],
        &["wam-token-broker-errors"],
        parameter_is_wrong,
        "the broker plug-in is not there to be asked",
    ),
    row(
        &["security-defaults-ca"],
        &["aadsts-signin-errors"],
        refused_by_policy,
        "the tenant's policy refuses this sign-in",
    ),
    row(
        &["network-service-acl"],
        &["network-service-spp-key"],
        key_is_locked,
        "the key lies below the one whose permissions are wrong",
    ),
    row(
        &["clock-skew"],
        &["root-certs", "tls-inspection"],
        always,
        "with a wrong clock good certificates look expired or not yet valid",
    ),
    row(
        &["clock-skew"],
        &["wam-token-broker-errors", "aadsts-signin-errors", "prt-state", "device-registration-state"],
        a_code_names_the_cause,
        "the recorded codes are those of a wrong clock",
    ),
    row(
        &["root-certs", "tls-inspection"],
        &["wam-token-broker-errors", "prt-state", "device-registration-state"],
        a_code_names_the_cause,
        "sign-in does not trust the certificates that it is shown",
    ),
    row(
        &["captive-portal"],
        &["ncsi-profile-state", "ncsi-probe-result", "tls-inspection"],
        always,
        "the network answers with its own page until the user has signed in to it",
    ),
    row(
        &["captive-portal"],
        &["wam-token-broker-errors"],
        a_code_names_the_cause,
        "the broker got the page of the portal where it expected data",
    ),
    row(&["applocker-block"], &["broker-plugin-blocked"], same_place, "it is the same block"),
    row(
        &["tpm-key-health"],
        &["prt-state"],
        always,
        "the keys that the device proves itself with cannot be used",
    ),
    row(
        &["tpm-key-health"],
        &["device-registration-state"],
        device_cannot_prove_itself,
        "the keys that the device proves itself with cannot be used",
    ),
    row(
        &["tpm-key-health"],
        &["wam-token-broker-errors"],
        keys_failed,
        "the keys that the device proves itself with cannot be used",
    ),
    row(
        &["device-registration-state"],
        &["prt-state"],
        always,
        "a device that the tenant does not know gets no token",
    ),
    row(
        &["device-registration-state"],
        &["aadsts-signin-errors"],
        device_is_unknown,
        "the tenant does not know this device",
    ),
    row(
        &["device-registration-state"],
        &["security-defaults-ca"],
        device_is_required,
        "the policy asks for a device that the tenant knows",
    ),
    row(&["security-defaults-ca"], &["prt-state"], same_answer, "the policy refuses the token"),
    row(
        &["adal-wam-disabled"],
        &["security-defaults-ca"],
        legacy_sign_in,
        "with modern authentication off Office signs in the old way, which the tenant blocks",
    ),
    row(&["dbl-misconfig"], &["sca-misconfig"], always, "the two licensing modes exclude each other"),
    row(
        &["sca-misconfig", "dbl-misconfig", "multiple-office-or-vl-residue"],
        &["license-assignment-device-limit", "vnext-license-state"],
        always,
        "Office is set to a licensing mode that this machine cannot use",
    ),
    row(
        &["network-service-acl", "network-service-spp-key"],
        &["spp-service-health"],
        store_is_denied,
        "the Software Protection service cannot write to its part of the registry",
    ),
    Row {
        even_a_warning: true,
        ..row(
            &["windows-update-health"],
            &["os-build-wam-floor", "office-build"],
            updates_do_not_arrive,
            "updates do not arrive",
        )
    },
];

/// Writes causes and symptoms into the checks.
pub fn link(case: &Case<'_>, checks: &mut [Diagnosed]) {
    for row in ROWS {
        for root in row.roots {
            link_root(case, checks, row, root);
        }
    }
}

fn link_root(case: &Case<'_>, checks: &mut [Diagnosed], row: &Row, root: &'static str) {
    let Some(cause) = checks.iter().find(|item| item.check.id == root).map(|item| item.outcome.status) else {
        return;
    };
    if cause != Status::Blocker && !(row.even_a_warning && cause == Status::Warning) {
        return;
    }
    for symptom in row.symptoms {
        let is_finding = |item: &Diagnosed| {
            item.check.id == *symptom && item.outcome.status.is_finding() && item.outcome.status >= cause
        };
        let found = checks.iter().any(is_finding) && !explains(checks, symptom, root);
        if !found || !(row.when)(case, root, symptom) {
            continue;
        }
        for item in checks.iter_mut() {
            if item.check.id == *symptom && !item.caused_by.contains(&root) {
                item.caused_by.push(root);
            }
            if item.check.id == root && !item.explains.contains(symptom) {
                item.explains.push(symptom);
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
    use super::{ROWS, Row};
    use crate::checks::CHECKS;

    #[test]
    fn the_table_names_known_checks_and_no_row_explains_itself() {
        let known = |id: &str| CHECKS.iter().any(|check| check.id == id);
        for row in ROWS {
            assert!(!row.why.is_empty());
            for root in row.roots {
                assert!(known(root), "{root}");
                assert!(!row.symptoms.contains(root), "{root} explains itself");
            }
            row.symptoms.iter().for_each(|symptom| assert!(known(symptom), "{symptom}"));
        }
    }

    /// Without the service rows, whose conditions exclude each other (decision 9), the arrows run in no circle.
    #[test]
    fn the_arrows_run_in_no_circle() {
        let rows = || ROWS.iter().filter(|row| row.roots != ["svc-dependencies"]);
        let follows = |id: &str| -> Vec<&str> {
            rows()
                .filter(|row: &&Row| row.roots.contains(&id))
                .flat_map(|row| row.symptoms.iter().copied())
                .collect()
        };
        for root in rows().flat_map(|row| row.roots) {
            let mut open = follows(root);
            let mut seen = Vec::new();
            while let Some(id) = open.pop() {
                assert_ne!(id, *root, "{root} explains itself");
                if !seen.contains(&id) {
                    seen.push(id);
                    open.extend(follows(id));
                }
            }
        }
    }
}
