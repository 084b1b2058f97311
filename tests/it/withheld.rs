//! "Healthy" needs its evidence: from a machine of which everything was collected, each artifact that a check needs is taken away, and the
//! check must stop saying healthy (contract section 2; the lines "Needed for Healthy" of domain.md section 5, else its decision table).

use actriage::checks::CHECKS;
use actriage::checks::judgement::Status;
use rayon::prelude::*;

use crate::checks::{base, report_on};
use crate::workshop::recipe;

const SYSTEM: &str = "config/SYSTEM";
const SOFTWARE: &str = "config/SOFTWARE";
const USER: &str = "Users/anna/NTUSER.DAT";
const CLASSES: &str = "Users/anna/AppData/Local/Microsoft/Windows/UsrClass.dat";
const NETWORK_SERVICE: &str = "ServiceProfiles/NetworkService/NTUSER.DAT";
const SYSTEM_LOG: &str = "logs/System.evtx";
const AAD: &str = "logs/AAD.evtx";
const APPX: &str = "captures/appx.txt";
const SERVICES: &str = "captures/services.txt";
const PROBE: &str = "captures/connecttest.txt";
const LICENCE: &str = "Users/anna/AppData/Local/Microsoft/Office/Licenses/5/licence";
const DSREGCMD: &str = "captures/dsregcmd.txt";
const DEVICE: &str = "logs/UserDeviceRegistration.evtx";

/// What a check needs: it is not healthy when all alternatives of any one group are withheld.
type Needs = &'static [&'static [&'static str]];

/// Checks whose question does not arise on the complete machine: no device licence is asked for, and a machine that is not joined has no
/// token of a joined one.
const NOT_ASKED: &[&str] = &["dbl-misconfig", "prt-state"];
/// What the tenant has assigned no machine tells (domain.md 5.20: "NotCollected (never Healthy)").
const NEVER_TOLD: &[&str] = &["license-assignment-device-limit"];

/// Every check with what it needs. The OS build is told by SOFTWARE and by record 6009 of the System log.
const NEEDED: &[(&str, Needs)] = &[
    ("os-support-lifecycle", &[&[SOFTWARE, SYSTEM_LOG]]),
    ("os-build-wam-floor", &[&[SOFTWARE, SYSTEM_LOG]]),
    ("windows-update-health", &[&[SOFTWARE], &["captures/hotfixes.txt"], &["logs/WindowsUpdateClient.evtx"]]),
    ("office-build", &[&[SOFTWARE]]),
    ("svc-eventlog", &[&[SYSTEM]]),
    ("svc-nlasvc", &[&[SYSTEM], &[SERVICES]]),
    ("svc-netprofm", &[&[SYSTEM], &[SERVICES]]),
    ("svc-ncdautosetup", &[&[SYSTEM]]),
    ("svc-dependencies", &[&[SYSTEM], &[SYSTEM_LOG]]),
    ("winsock-catalog", &[&[SYSTEM]]),
    ("ipv6-disabled-components", &[&[SYSTEM]]),
    ("ipv6-adapter-binding", &[&["captures/netconnectionprofile.txt"]]),
    ("ncsi-active-probe-config", &[&[SYSTEM], &[SOFTWARE]]),
    ("ncsi-global-dns", &[&[SOFTWARE]]),
    ("ncsi-probe-result", &[&["captures/nslookup-ncsi.txt", PROBE]]),
    ("ncsi-profile-state", &[&["captures/netconnectionprofile.txt"]]),
    ("hosts-file-override", &[&["captures/hosts.txt"]]),
    ("msoid-cname", &[&["captures/msoid.txt"], &[USER]]),
    ("dns-resolution", &[&["captures/nslookup.txt"]]),
    ("connections-blob", &[&[SOFTWARE], &[USER]]),
    ("proxy-winhttp", &[&[SOFTWARE]]),
    ("proxy-wininet-user", &[&[USER], &[SOFTWARE]]),
    ("proxy-machine-policy", &[&[SOFTWARE]]),
    ("proxy-pac-wpad", &[&[USER], &[SOFTWARE]]),
    ("proxy-env", &[&[SYSTEM], &[USER]]),
    ("proxy-mismatch", &[&[USER], &[SOFTWARE]]),
    ("proxy-auth", &[&[AAD], &["logs/Bits.evtx"], &[DEVICE]]),
    ("firewall-outbound", &[&[SYSTEM], &[SOFTWARE]]),
    ("endpoint-reachability", &[&["captures/tnc.txt"]]),
    ("tls12-schannel-client", &[&[SYSTEM], &[SOFTWARE, SYSTEM_LOG]]),
    ("tls12-winhttp-default", &[&[SOFTWARE]]),
    ("tls12-wininet-user", &[&[USER], &[SOFTWARE]]),
    ("tls12-dotnet", &[&[SOFTWARE]]),
    ("tls-cipher-suites", &[&[SYSTEM], &[SOFTWARE]]),
    ("tls-handshake-events", &[&[SYSTEM_LOG]]),
    ("error-text-older-windows", &[&["logs/OAlerts.evtx"]]),
    ("crl-reachability", &[&["logs/CAPI2.evtx"]]),
    ("broker-plugin-package", &[&[APPX, SOFTWARE, CLASSES]]),
    (
        "broker-plugin-blocked",
        &[&["logs/AppLocker-Packaged.evtx"], &["logs/AppLocker-Programs.evtx"], &["logs/Defender.evtx"]],
    ),
    ("broker-plugin-state", &[&[AAD], &["logs/Application.evtx"]]),
    ("cloud-experience-host", &[&[APPX, SOFTWARE, CLASSES]]),
    ("wam-token-broker-errors", &[&[AAD]]),
    ("security-defaults-ca", &[&[AAD]]),
    ("aadsts-signin-errors", &[&[AAD]]),
    ("edge-settings", &[&[USER], &[SOFTWARE]]),
    ("webview2-runtime", &[&[SOFTWARE]]),
    ("officeclient-cache", &[&[USER]]),
    ("network-service-acl", &[&[NETWORK_SERVICE]]),
    ("network-service-spp-key", &[&[NETWORK_SERVICE]]),
    ("clock-skew", &[&[SYSTEM_LOG]]),
    ("root-certs", &[&[SOFTWARE]]),
    ("tls-inspection", &[&["logs/CAPI2.evtx"]]),
    ("captive-portal", &[&[PROBE]]),
    ("nic-offload", &[&[SYSTEM], &["captures/netconnectionprofile.txt"]]),
    ("applocker-block", &[&["logs/AppLocker-Packaged.evtx"], &["logs/AppLocker-Programs.evtx"], &[SOFTWARE]]),
    ("defender-network-protection", &[&["logs/Defender.evtx"], &[SOFTWARE]]),
    ("third-party-security-drivers", &[&[SYSTEM]]),
    ("spp-service-health", &[&[SYSTEM], &[SYSTEM_LOG], &["logs/Application.evtx"]]),
    ("office-compat-mode", &[&[USER], &[SOFTWARE]]),
    ("multiple-office-or-vl-residue", &[&[SOFTWARE]]),
    ("sca-misconfig", &[&[SOFTWARE]]),
    ("dbl-misconfig", &[&[SOFTWARE]]),
    ("vnext-license-state", &[&[SOFTWARE], &[LICENCE]]),
    ("license-assignment-device-limit", &[&[LICENCE]]),
    ("tpm-key-health", &[&[AAD], &[SYSTEM_LOG]]),
    ("device-registration-state", &[&[DSREGCMD], &[SOFTWARE]]),
    // That the machine is not joined stands in both places.
    ("prt-state", &[&[DSREGCMD, SYSTEM]]),
    ("adal-wam-disabled", &[&[USER], &[SOFTWARE]]),
    ("office-online-content-policy", &[&[USER]]),
    ("office-signin-options", &[&[USER]]),
    ("dpapi-protection-policy", &[&[SOFTWARE], &[AAD]]),
    ("wip-policy", &[&["logs/OAlerts.evtx"], &[AAD], &["logs/Application.evtx"]]),
    ("collection-completeness", &[&[SYSTEM], &[SOFTWARE], &[USER], &[AAD], &[SYSTEM_LOG]]),
];

#[test]
fn every_check_has_its_needs_and_a_complete_machine_is_healthy() {
    let report = report_on(&recipe::files_over(&base("complete"), "", &[]));
    for check in CHECKS.iter() {
        assert!(NEEDED.iter().any(|(id, _)| *id == check.id), "{} has no line here", check.id);
        let status = report.check(check.id).unwrap().status;
        let good = match check.id {
            id if NOT_ASKED.contains(&id) => Status::NotApplicable,
            id if NEVER_TOLD.contains(&id) => Status::NotCollected,
            _ => Status::Healthy,
        };
        assert_eq!(status, good, "{} on a complete machine", check.id);
    }
}

#[test]
fn no_check_is_healthy_when_what_it_needs_is_withheld() {
    let text = base("complete");
    let mut groups: Vec<&[&str]> = NEEDED.iter().flat_map(|(_, needs)| needs.iter().copied()).collect();
    groups.sort_unstable();
    groups.dedup();
    let failed: Vec<String> = groups
        .par_iter()
        .flat_map_iter(|group| {
            let report = report_on(&recipe::files_over(&text, "", group));
            let needy = NEEDED.iter().filter(|(_, needs)| needs.contains(group));
            needy
                .filter_map(|(id, _)| {
                    let check = report.check(id)?;
                    let open = check.status == Status::NotCollected && !check.missing.is_empty();
                    (!open && !check.status.is_finding())
                        .then(|| format!("{id} is {} without {}", check.status.name(), group.join(", ")))
                })
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Whatever single artifact is withheld: nothing becomes a finding that was none (an absence proves nothing), but for the check that
/// speaks of the collection.
#[test]
fn an_absence_is_never_a_finding() {
    let text = base("complete");
    let names: Vec<String> = recipe::files_over(&text, "", &[]).into_iter().map(|file| file.path).collect();
    let failed: Vec<String> = names
        .par_iter()
        .flat_map_iter(|name| {
            let report = report_on(&recipe::files_over(&text, "", &[name.as_str()]));
            let wrong = report
                .checks
                .iter()
                .filter(|check| check.status.is_finding() && check.id != "collection-completeness");
            wrong
                .map(|check| format!("{} is {} without {name}", check.id, check.status.name()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
