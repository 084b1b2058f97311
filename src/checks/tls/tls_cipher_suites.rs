//! No cipher suite that the sign-in servers accept is left.
//!
//! # What it looks at
//! The list of cipher suites in force: the policy below `Policies\Microsoft\Cryptography\Configuration\SSL\00010002` in the SOFTWARE hive, else
//! the local list, else the factory list of the SYSTEM hive. Below `SCHANNEL`: key exchanges, ciphers and hashes with `Enabled` = 0. Whether
//! Windows is in FIPS mode. Schannel 36871 and 36873, and TLS errors of the failure window.
//!
//! # Why it blocks activation
//! The servers behind Azure Front Door accept four suites of TLS 1.2 (ECDHE or DHE with RSA, AES-GCM), and the suites of TLS 1.3. A machine
//! hardened down to other suites cannot agree with them on one.
//!
//! # Fix
//! Put the four suites back at the top of the order, by policy where a policy sets the list, and switch no primitive off that they need.
//!
//! # Verify
//! `Get-TlsCipherSuite` lists one of the four; no Schannel 36871, 36873 or 36887 with alert 40 appears.
//!
//! # When this is wrong
//! Older policies write a curve behind the name (`…_P256`): it is cut off. Windows 10 lists TLS 1.3 suites which it cannot use; they count from
//! build 20348 on. On Windows 7 to 8.1 only the two DHE suites exist with RSA and GCM, so they make the list good and must be usable there.
//! 36871 with state 10013 also appears when any program asks for a protocol that was switched off on purpose; 36873 of a program that has no
//! part in activation does not count.
//!
//! # Sources
//! domain.md 5.1 `tls-cipher-suites`; decision 3; R10 and R13 of section 14; trap 11; "Authentication errors occur when client doesn't have TLS
//! 1.2 support" (SharePoint).

use super::{failures, schannel};
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::os::{Edition, Generation};
use crate::evidence::{Confidence, Lookup, Unknown};

const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002";
const LOCAL: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002";
const FACTORY: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\Default\00010002";
const SCHANNEL: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL";
const FIPS: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy";
/// First build whose Schannel speaks TLS 1.3 (Server 2022).
const TLS13_BUILD: u32 = 20_348;
/// Alert 40, handshake failure: no settings that both sides accept.
const HANDSHAKE_FAILURE: u32 = 40;

/// The check.
pub const CHECK: Check = Check {
    id: "tls-cipher-suites",
    title: "No cipher suite that the sign-in servers accept is left",
    layer: Layer::Tls,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[schannel::RECORDS],
    healthy: "A cipher suite that the sign-in servers accept can be used.",
    source_text: include_str!("tls_cipher_suites.rs"),
    run,
    remedy,
};

/// A suite that the servers accept, and the primitives below `SCHANNEL` that it needs.
struct Suite {
    name: &'static str,
    exchange: &'static str,
    cipher: &'static str,
}

const SUITES: [Suite; 4] = [
    Suite { name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", exchange: ECDH, cipher: AES256 },
    Suite { name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", exchange: ECDH, cipher: AES128 },
    Suite { name: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", exchange: DH, cipher: AES256 },
    Suite { name: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", exchange: DH, cipher: AES128 },
];
const ECDH: &str = r"KeyExchangeAlgorithms\ECDH";
const DH: &str = r"KeyExchangeAlgorithms\Diffie-Hellman";
const AES128: &str = r"Ciphers\AES 128/128";
const AES256: &str = r"Ciphers\AES 256/256";
const HASHES: [&str; 2] = [r"Hashes\SHA256", r"Hashes\SHA384"];

/// The list in force.
struct List {
    names: Vec<String>,
    origin: &'static str,
    seen: Observation,
}

impl List {
    fn suites(&self) -> Vec<&'static Suite> {
        SUITES.iter().filter(|suite| self.names.iter().any(|name| name == suite.name)).collect()
    }

    fn has_tls13(&self) -> bool {
        self.names.iter().any(|name| name.starts_with("TLS_AES_"))
    }
}

fn run(case: &Case<'_>, j: &Judgement) {
    let generation = case.need_generation(j);
    let off = Off::read(case, j);
    let list = in_force(case, j);
    if let Some(list) = &list {
        judge_list(case, j, list, &off, generation);
    }
    judge_primitives(j, &off);
    if let Some(fips) = case.value(FIPS, "Enabled").found()
        && fips.value.as_u32().is_some_and(|number| number != 0)
    {
        j.note("Windows is in FIPS mode: only approved suites are offered. The four that the servers accept are among them.");
    }
    recorded(case, j);
    if let Some(list) = list {
        server_2012(case, j, &list, &off, generation);
        j.good(list.seen);
    }
}

/// The policy, else the local list, else the factory list; an empty list falls to the next one (R10).
fn in_force(case: &Case<'_>, j: &Judgement) -> Option<List> {
    let mut open = None;
    for (path, origin) in [(POLICY, "policy"), (LOCAL, "local list"), (FACTORY, "factory list")] {
        let value = match case.need_value(j, path, "Functions") {
            Lookup::Found(value) => value,
            Lookup::Absent(_) => continue,
            Lookup::Unknown(unknown) => {
                open.get_or_insert(unknown.what);
                continue;
            }
        };
        let Some(names) = names(&value.value) else {
            let what = "list of cipher suites".to_owned();
            let reason = Some(format!("{} is of type {}", value.source.locator, value.value.kind.name()));
            j.missing(&Unknown { what, reason }, collect::for_key(path));
            open.get_or_insert("list of cipher suites".to_owned());
            continue;
        };
        if names.is_empty() {
            continue;
        }
        let mut seen = value.shows(shown(&names, origin));
        if let Some(what) = open {
            seen.doubts.push(format!("A list that comes before this one could not be read ({what})."));
        }
        return Some(List { names, origin, seen });
    }
    if open.is_none() {
        let reason = Some("neither a policy nor a local nor a factory list is there".to_owned());
        j.missing(&Unknown { what: "list of cipher suites".to_owned(), reason }, collect::SYSTEM);
    }
    None
}

/// The suites of a value without their curve, upper case. `None` for a value that is no text.
fn names(value: &RegValue) -> Option<Vec<String>> {
    let list = match value.as_list() {
        Some(list) => list,
        None => vec![value.as_text()?],
    };
    let plain = |name: &str| {
        let name = name.trim().to_ascii_uppercase();
        let cut = ["_P256", "_P384", "_P521"].iter().find_map(|curve| name.strip_suffix(curve));
        cut.map_or(name.clone(), str::to_owned)
    };
    let names = list.iter().flat_map(|part| part.split(',')).map(plain);
    Some(names.filter(|name| !name.is_empty()).collect())
}

fn shown(names: &[String], origin: &str) -> String {
    let ours: Vec<&str> = SUITES
        .iter()
        .map(|suite| suite.name)
        .filter(|suite| names.iter().any(|name| name == suite))
        .collect();
    match ours.as_slice() {
        [] => {
            let first: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
            format!("{origin} of {} suites, none of the four: {} …", names.len(), first.join(", "))
        }
        ours => format!("{origin} of {} suites, among them {}", names.len(), ours.join(", ")),
    }
}

/// What is switched off below `SCHANNEL`.
struct Off(Vec<(&'static str, Observation)>);

impl Off {
    fn read(case: &Case<'_>, j: &Judgement) -> Self {
        let names = [ECDH, DH, AES128, AES256].into_iter().chain(HASHES);
        let off = |name: &'static str| {
            let value = case.need_number(j, &format!(r"{SCHANNEL}\{name}"), "Enabled");
            let value = value.found()?;
            (value.value.as_u32() == Some(0)).then(|| (name, value_seen(value).expected("not 0")))
        };
        Self(names.filter_map(off).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(off, _)| *off == name)
    }

    fn seen(&self, names: &[&str]) -> Vec<Observation> {
        self.0.iter().filter(|(off, _)| names.contains(off)).map(|(_, seen)| seen.clone()).collect()
    }

    fn leaves(&self, suite: &Suite) -> bool {
        !self.has(suite.exchange) && !self.has(suite.cipher)
    }
}

fn judge_list(case: &Case<'_>, j: &Judgement, list: &List, off: &Off, generation: Option<Generation>) {
    let suites = list.suites();
    let dhe = suites.iter().any(|suite| suite.exchange == DH);
    let tls13 = list.has_tls13() && case.os().build_number().is_some_and(|build| build >= TLS13_BUILD);
    let expected = |seen: &Observation| seen.clone().expected(SUITES[0].name);
    let old = generation.is_some_and(|generation| generation <= Generation::EightOne);
    let is_usable = |suite: &&Suite| (!old || suite.exchange == DH) && off.leaves(suite);
    let origin = list.origin;
    match generation {
        Some(_) if old && !dhe => old_windows(case, j, list),
        Some(_) if suites.is_empty() && !tls13 => j.blocker(
            Confidence::High,
            format!("The {origin} of cipher suites holds none that the sign-in servers accept."),
            [expected(&list.seen)],
        ),
        // Without the Windows version it is a blocker or, on old Windows, a warning.
        None if suites.is_empty() => j.warning(
            Confidence::Medium,
            format!("The {origin} of cipher suites holds none of the four that the sign-in servers accept."),
            [expected(&list.seen)],
        ),
        _ if !suites.is_empty() && !tls13 && !suites.iter().any(is_usable) => {
            let mut seen = vec![list.seen.clone()];
            seen.extend(off.0.iter().map(|(_, seen)| seen.clone()));
            let summary = "Every listed cipher suite that the sign-in servers accept needs something that is switched off below SCHANNEL.";
            j.row(Status::Blocker, Confidence::High, summary.to_owned(), seen);
        }
        _ => {}
    }
}

/// Windows 7 to 8.1 without the two DHE suites (R10).
fn old_windows(case: &Case<'_>, j: &Judgement, list: &List) {
    let seen = list.seen.clone().expected("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384");
    let alert = |event: &crate::evidence::Sourced<&crate::artifact::event::Event>| {
        event.value.event_id == schannel::ALERT_RECEIVED
            && schannel::alert(event.value) == Some(HANDSHAKE_FAILURE)
    };
    let alerts = schannel::records(case);
    let recorded = match (failures::errors(case).last(), alerts.iter().rfind(|event| alert(event))) {
        (Some(error), _) => Some(event_seen(error, signals::FIELDS)),
        (None, Some(alert)) => Some(event_seen(alert, &["AlertDesc"])),
        (None, None) => None,
    };
    let origin = list.origin;
    match recorded {
        Some(failure) => j.blocker(
            Confidence::High,
            format!("The {origin} of cipher suites lacks the DHE suites with AES-GCM, the only ones of this Windows that the servers accept, and a TLS failure is recorded."),
            [seen, failure],
        ),
        None => j.warning(
            Confidence::Medium,
            format!("The {origin} of cipher suites lacks the DHE suites with AES-GCM, the only ones of this Windows that the servers accept."),
            [seen],
        ),
    }
}

fn judge_primitives(j: &Judgement, off: &Off) {
    if off.has(ECDH) {
        let summary = "The key exchange ECDH is switched off in Schannel.".to_owned();
        j.row(Status::Blocker, Confidence::High, summary, off.seen(&[ECDH]));
    }
    if off.has(AES128) && off.has(AES256) {
        let summary = "Both AES ciphers are switched off in Schannel.".to_owned();
        j.row(Status::Blocker, Confidence::High, summary, off.seen(&[AES128, AES256]));
    }
    if HASHES.iter().any(|hash| off.has(hash)) {
        let summary = "A hash that the accepted cipher suites use is switched off in Schannel.".to_owned();
        j.row(Status::Warning, Confidence::Medium, summary, off.seen(&HASHES));
    }
}

/// Schannel's own records beside the settings: a warning, and a blocker together with one of the rows above.
fn recorded(case: &Case<'_>, j: &Judgement) {
    let config = j.has_finding();
    let settings_are_good = !config && case.status("tls12-schannel-client") == Some(Status::Healthy);
    let mut newest = None;
    for event in schannel::records(case) {
        let counts = match event.value.event_id {
            schannel::NO_SUITE => schannel::caller(event.value) != schannel::Caller::Other,
            schannel::CREDENTIAL => {
                matches!(schannel::weigh(case, event.value, settings_are_good), schannel::Weight::Counts(_))
                    && schannel::side(event.value) == schannel::Side::Client
            }
            _ => false,
        };
        if counts {
            newest = Some(event);
        } else if [schannel::CREDENTIAL, schannel::NO_SUITE].contains(&event.value.event_id) {
            j.note(format!(
                "{} is recorded, but not for a client that counts: tls-handshake-events says more.",
                event.value.event_id
            ));
        }
    }
    let Some(event) = newest else { return };
    let seen = event_seen(&event, &["Type", "ErrorState", "CallerProcessImageName"]);
    if config {
        j.blocker(
            Confidence::High,
            "Schannel could not offer a connection, and its cipher settings show why.",
            [seen],
        );
    } else {
        j.warning(
            Confidence::Medium,
            "Schannel could not offer a connection; the cipher settings that were read do not show why.",
            [seen],
        );
    }
}

/// Server 2012: the DHE suites themselves are a known cause of connections that fail now and then.
fn server_2012(case: &Case<'_>, j: &Judgement, list: &List, off: &Off, generation: Option<Generation>) {
    let dhe = list.suites().into_iter().any(|suite| suite.exchange == DH && off.leaves(suite));
    if generation != Some(Generation::Eight) || case.os().edition != Some(Edition::Server) || !dhe {
        return;
    }
    let mut errors = signals::network_errors(case);
    errors.extend(
        failures::errors(case).into_iter().filter(|error| !errors.contains(error)).collect::<Vec<_>>(),
    );
    errors.sort_by_key(|event| (event.value.time, event.value.record_id));
    if let [_, .., last] = errors.as_slice() {
        j.warning(
            Confidence::Low,
            "Connections fail now and then on a Windows Server 2012 with DHE suites: consider switching the DHE suites off.",
            [list.seen.clone(), event_seen(last, signals::FIELDS)],
        );
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let old = case.os().generation().is_some_and(|generation| generation <= Generation::EightOne);
    // The others do not exist on old Windows.
    let names = SUITES.iter().filter(|suite| !old || suite.exchange == DH).map(|suite| suite.name);
    let names = names.collect::<Vec<_>>().join(",");
    Remedy {
        steps: vec![
            r"reg export HKLM\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002 suites-before.reg".to_owned(),
            format!(r#"reg export "{POLICY}" suites-policy-before.reg (where the key exists)"#),
            format!("Where a policy sets the list (Computer Configuration > Administrative Templates > Network > SSL Configuration Settings > SSL Cipher Suite Order): put {names} in front of it, then gpupdate /force."),
            format!("Else, Windows 10 and Server 2016 or later: Enable-TlsCipherSuite -Name {} -Position 0, and the same for the others.", SUITES[0].name),
            "Remove Enabled = 0 from the keys below SCHANNEL that the report names.".to_owned(),
            "Windows 7 to 8.1 and their servers: install the current rollup, which brings the DHE suites with AES-GCM.".to_owned(),
            "Restart the machine.".to_owned(),
        ],
        caution: "A list that was hardened on purpose belongs to someone: agree the change. Add suites, do not replace the list.".to_owned(),
        rollback: "reg import of the exported keys, restart.".to_owned(),
        verify: "Get-TlsCipherSuite lists one of the four suites; then try activation again.".to_owned(),
        references: vec![
            ARTICLE_NETWORK.to_owned(),
            "https://learn.microsoft.com/troubleshoot/sharepoint/administration/authentication-errors-tls12-support".to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::names;
    use crate::artifact::value::{RegValue, ValueType};

    #[test]
    fn r10_curves_are_cut_and_case_does_not_matter() {
        // domain.md R10: the names of a public policy file and of Windows 7 hives.
        let text = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P384, tls_dhe_rsa_with_aes_128_gcm_sha256,,";
        let expected = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"];
        assert_eq!(names(&RegValue::string("Functions", ValueType::SZ, text)).unwrap(), expected);
        let list = RegValue::string("Functions", ValueType::MULTI_SZ, &text.replace(',', "\0"));
        assert_eq!(names(&list).unwrap(), expected);
        assert_eq!(names(&RegValue::string("Functions", ValueType::SZ, "")).unwrap(), [""; 0]);
        assert_eq!(names(&RegValue::dword("Functions", 1)), None);
    }
}
