//! A service that network and sign-in services depend on is disabled, missing or replaced.
//!
//! # What it looks at
//! `DependOnService`, followed from the Network List Service, Network Location Awareness, Network Connected Devices Auto-Setup, the WinHTTP
//! auto-proxy service, Cryptographic Services, Software Protection, Web Account Manager and Click-to-Run down to the last driver; the start
//! type, program and account of each service on the way; start failures of these services in the System log.
//!
//! # Why it blocks activation
//! A service starts only when everything below it can start. With DHCP Client, Network Store Interface or the TCP/IP driver disabled, no
//! service above them comes up, and Office is told that there is no internet; without Cryptographic Services no certificate can be
//! checked; without Web Account Manager nobody signs in.
//!
//! # Fix
//! Set the start type of the broken service back to its default and start it. If it does not start: `sfc /scannow` and a restart.
//!
//! # Verify
//! `sc qc` of the service shows its default start type, and the services above it run.
//!
//! # When this is wrong
//! Services that this Windows never had (Web Account Manager before Windows 10, Auto-Setup before Windows 8, Click-to-Run without it) are
//! passed over. Programs below `System32` are written in six ways, all of them good. A service that runs again after a recorded failure is a
//! note.
//!
//! # Sources
//! domain.md 5.8 `svc-dependencies`; trap 7; decisions 9 and 10; R2, R14 and R27 of section 14; the article's section on services.

use super::chain::{CLICK_TO_RUN, Chains, DEFAULT_STARTS, Member, Parent, Presence, Root, captured};
use super::svc_nlasvc::must_run;
use super::{
    DISABLED, FAILURES, RUNNING, STOPPED, Service, failure_seen, failures, key_path, start_seen, state_seen,
};
use crate::artifact::event::Event;
use crate::artifact::event_decode::service_of;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::os::{CURRENT_VERSION, Generation};
use crate::evidence::{Confidence, Lookup, Sourced};

/// A service could not log on: its account lacks the right to.
const NO_LOGON_RIGHT: Want =
    Want { provider: "Service Control Manager", ids: &[7041], channels: &["System"] };
/// Failures that count here (domain.md 5.8).
const START_FAILURES: &[u32] = &[7000, 7001, 7003, 7009, 7038, 7041];

/// The check.
pub const CHECK: Check = Check {
    id: "svc-dependencies",
    title: "A service that others depend on is disabled, missing or replaced",
    layer: Layer::Services,
    article: Article::Network("Check services"),
    wants: &[FAILURES, NO_LOGON_RIGHT],
    healthy: "All services below the network and sign-in services are as Windows sets them.",
    source_text: include_str!("svc_dependencies.rs"),
    run,
    remedy,
};

/// Every Windows from 7 on has it, so its absence is no difference between releases (R14).
const ALWAYS_THERE: &str = "sppsvc";

/// Default accounts of Windows 10 (domain.md 5.8, read from a hive of build 19041).
const ACCOUNTS: &[(&str, &str)] = &[
    ("NcdAutoSetup", "localservice"),
    ("netprofm", "localservice"),
    ("NlaSvc", "networkservice"),
    ("EventLog", "localservice"),
    ("nsi", "localservice"),
    ("Dhcp", "localservice"),
    ("Dnscache", "networkservice"),
    ("RpcSs", "networkservice"),
    ("WinHttpAutoProxySvc", "localservice"),
    ("CryptSvc", "networkservice"),
    ("TokenBroker", "localsystem"),
    ("sppsvc", "networkservice"),
];

fn run(case: &Case<'_>, j: &Judgement) {
    let chains = Chains::walk(case);
    let system_root = case.value(CURRENT_VERSION, "SystemRoot");
    let system_root = system_root.found().and_then(|value| value.value.as_text());
    for unknown in &chains.unknown {
        j.missing(unknown, collect::SYSTEM);
    }
    for member in &chains.members {
        match &member.presence {
            Presence::There => {
                start_type(case, j, member);
                program(case, j, member, system_root.as_deref());
                account(case, j, member);
            }
            Presence::NotThere(seen) => missing(case, j, member, seen),
            Presence::Unknown(unknown) => j.missing(unknown, collect::SYSTEM),
        }
    }
    recorded(case, j, &chains);
}

/// How grave a fault of this member is, and what shows that it matters.
fn gravity(member: &Member) -> (Status, Option<&Parent>) {
    let parent = member.named_by.as_ref();
    let critical = parent.map_or(member.critical, |parent| parent.critical);
    (if critical { Status::Blocker } else { Status::Warning }, parent)
}

fn start_type(case: &Case<'_>, j: &Judgement, member: &Member) {
    let service = Service::read(case, &member.key);
    service.need(j);
    let Lookup::Found(start) = &service.start else { return };
    if start.value != DISABLED {
        if member.root.is_some() {
            j.good(start_seen(start));
        }
        return;
    }
    let seen = start_seen(start).expected("not 4 (disabled)");
    match (gravity(member), member.root) {
        ((status, Some(parent)), _) => {
            let summary = format!("{} is disabled, and {} cannot start without it.", member.key, parent.key);
            // The list of dependencies is no more certain than the start type.
            let mut named = parent.seen.clone();
            named.doubts.extend(seen.doubts.iter().cloned());
            j.row(status, Confidence::High, summary, vec![seen, named]);
        }
        ((_, None), Some(Root { disabled: Some(status), .. })) => {
            j.row(*status, Confidence::High, format!("{} is disabled.", member.key), vec![seen]);
        }
        _ => j.note(format!("{} is disabled: another check judges that.", member.key)),
    }
}

/// Only a service that another one names can be missing; where the walk begins, a release may simply not have it (R14).
fn missing(case: &Case<'_>, j: &Judgement, member: &Member, seen: &Observation) {
    let (status, parent) = gravity(member);
    if let Some(parent) = parent {
        let summary = format!("{} does not exist, and {} cannot start without it.", member.key, parent.key);
        j.row(status, Confidence::High, summary, vec![seen.clone(), parent.seen.clone()]);
    } else if member.key == ALWAYS_THERE && case.os().generation() >= Some(Generation::Seven) {
        let summary =
            "The Software Protection service (sppsvc) does not exist, though this Windows has it by default.";
        j.warning(Confidence::Medium, summary, [seen.clone()]);
    }
}

/// The program and the DLL of a service of Windows stand below `System32` (R2).
fn program(case: &Case<'_>, j: &Judgement, member: &Member, system_root: Option<&str>) {
    if member.key.eq_ignore_ascii_case(CLICK_TO_RUN) {
        return;
    }
    let path = key_path(&member.key);
    let places = [
        (path.clone(), "ImagePath"),
        (path.clone(), "ServiceDll"),
        (format!(r"{path}\Parameters"), "ServiceDll"),
    ];
    for (path, name) in places {
        let value = case.value(&path, name);
        match &value {
            Lookup::Found(value) => foreign_program(case, j, member, value, system_root),
            // A driver without ImagePath is System32\drivers\<key>.sys.
            Lookup::Absent(_) => {}
            Lookup::Unknown(unknown) if name == "ImagePath" && !from_text(case, member) => {
                j.missing(unknown, collect::SYSTEM);
            }
            Lookup::Unknown(_) => {}
        }
    }
}

/// `sc qc` shows the program where the registry was not collected.
fn from_text(case: &Case<'_>, member: &Member) -> bool {
    captured(case, &member.key).is_some_and(|item| item.value.path.is_some())
}

fn foreign_program(
    case: &Case<'_>,
    j: &Judgement,
    member: &Member,
    value: &Sourced<RegValue>,
    system_root: Option<&str>,
) {
    let Some(text) = value.value.as_text() else { return };
    if is_below_system32(&text, system_root) {
        return;
    }
    let mut evidence = vec![value_seen(value).expected(r"a file below %SystemRoot%\System32")];
    let service = Service::read(case, &member.key);
    let stopped = service.state.as_ref().filter(|state| state.value == STOPPED);
    evidence.extend(stopped.map(state_seen));
    evidence.extend(failures(case, &member.key, &[7000, 7023, 7031]).last().map(failure_seen));
    let failing = evidence.len() > 1;
    let status =
        if failing && gravity(member).0 == Status::Blocker { Status::Blocker } else { Status::Warning };
    let summary = format!("{} runs a program that is not in the system folder.", member.key);
    j.row(status, Confidence::Medium, summary, evidence);
}

/// Whether a command line names a file below the system folder, in any of the ways in which Windows writes that.
fn is_below_system32(text: &str, system_root: Option<&str>) -> bool {
    let text = text.trim().trim_start_matches('"').to_lowercase();
    let text = text.strip_prefix(r"\??\").unwrap_or(&text);
    if text.split(['\\', '/']).any(|part| part == "..") {
        return false;
    }
    let own = system_root.map(|root| format!(r"{}\", root.trim_end_matches('\\').to_lowercase()));
    let roots = [r"%systemroot%\", r"%windir%\", r"\systemroot\", r"c:\windows\", ""];
    let mut roots = own.as_deref().into_iter().chain(roots);
    roots.any(|root| text.strip_prefix(root).is_some_and(|rest| rest.starts_with(r"system32\")))
}

/// Compared only on the generation that the table was read from (R14).
fn account(case: &Case<'_>, j: &Judgement, member: &Member) {
    let known = ACCOUNTS.iter().find(|(key, _)| key.eq_ignore_ascii_case(&member.key));
    let (Some((_, default)), Some(Generation::Ten)) = (known, case.os().generation()) else { return };
    let found = case.value(&key_path(&member.key), "ObjectName");
    let Lookup::Found(value) = &found else { return };
    let Some(name) = value.value.as_text() else { return };
    if plain_account(&name) != *default {
        let summary = format!("{} runs under another account than Windows sets.", member.key);
        j.warning(Confidence::Medium, summary, [value_seen(value).expected(*default)]);
    }
}

fn plain_account(name: &str) -> String {
    let name: String = name.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let name = name.strip_prefix(r"ntauthority\").or_else(|| name.strip_prefix(r".\")).unwrap_or(&name);
    if name == "system" { "localsystem".to_owned() } else { name.to_owned() }
}

/// Start failures of the chains' services, the newest of each.
fn recorded(case: &Case<'_>, j: &Judgement, chains: &Chains) {
    case.need_log(j, FAILURES.channels, collect::SYSTEM_LOG);
    let mut events = case.events(FAILURES);
    events.extend(case.events(NO_LOGON_RIGHT));
    events.sort_by_key(|event| (event.value.time, event.value.record_id));
    let mut newest: Vec<(&Member, Sourced<&Event>)> = Vec::new();
    for event in events.into_iter().filter(|event| START_FAILURES.contains(&event.value.event_id)) {
        let Some(member) = chains.find(&service_name(event.value)) else { continue };
        newest.retain(|(known, _)| known.key != member.key);
        newest.push((member, event));
    }
    for (member, event) in newest {
        let service = Service::read(case, &member.key);
        if service.state.as_ref().is_some_and(|state| state.value == RUNNING) {
            j.note(format!(
                "{} failed to start inside the failure window, but was running when it was collected.",
                member.key
            ));
            continue;
        }
        let summary = format!("{} failed to start in the failure window.", member.key);
        j.warning(Confidence::Medium, summary, [failure_seen(&event)]);
    }
}

/// The key is in `Binary`; records of failed logons (7038, 7041) name the service in their first item only.
fn service_name(event: &Event) -> String {
    match service_of(event) {
        Some(service) => service.key,
        None => event.field("param1").or_else(|| event.item(0)).unwrap_or_default().to_owned(),
    }
}

/// Windows 11 starts Network Location Awareness on demand: there it is not forced to run (section 9).
fn default_start(case: &Case<'_>, key: &str) -> &'static str {
    if key.eq_ignore_ascii_case("NlaSvc") && must_run(case) == Some(false) {
        return "demand";
    }
    let default = DEFAULT_STARTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
    default.map_or("<the start type of a sound machine of the same build>", |(_, start)| start)
}

fn remedy(case: &Case<'_>) -> Remedy {
    let chains = Chains::walk(case);
    let mut steps = Vec::new();
    for member in &chains.members {
        let start = Service::read(case, &member.key).start;
        if start.found().is_none_or(|start| start.value != DISABLED) {
            continue;
        }
        let default = default_start(case, &member.key);
        steps.push(format!("sc qc {key}, then sc config {key} start= {default}", key = member.key));
        steps.push(format!("sc start {}", member.key));
    }
    steps.push("Where a key is missing or a program was replaced: sfc /scannow.".to_owned());
    steps.push("Restart the machine.".to_owned());
    Remedy {
        steps,
        caution: "A service that a policy or a hardening script disabled comes back disabled: change it at the source. A program outside the \
                  system folder can belong to malware: have it examined before it is removed."
            .to_owned(),
        rollback: "Note the start types before (sc qc) and set them again with sc config <key> start= <old>.".to_owned(),
        verify: "sc query netprofm and sc query CryptSvc show RUNNING; then try activation again.".to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::{is_below_system32, plain_account};

    #[test]
    fn the_system_folder_is_written_in_many_ways() {
        // domain.md R2, with the paths that it quotes from real hives.
        for path in [
            r"%SystemRoot%\system32\svchost.exe -k NetworkService -p",
            r"%windir%\System32\svchost.exe -k x",
            r"\SystemRoot\system32\drivers\afd.sys",
            r"\??\C:\Windows\System32\drivers\x.sys",
            r"C:\Windows\System32\rasadhlp.dll",
            r"System32\drivers\tcpip.sys",
            "\"C:\\Windows\\System32\\lsass.exe\" /x",
        ] {
            assert!(is_below_system32(path, None), "{path}");
        }
        assert!(is_below_system32(r"D:\WINNT\system32\nlasvc.dll", Some(r"D:\WINNT")));
        for path in [
            r"C:\ProgramData\nlasvc.dll",
            r"C:\Windows\System32x\a.dll",
            r"%SystemRoot%\System32\..\Temp\a.dll",
            r"C:\Windows\Temp\System32\a.dll",
            "",
        ] {
            assert!(!is_below_system32(path, None), "{path}");
        }
    }

    #[test]
    fn accounts_are_compared_without_their_authority() {
        // domain.md R14.
        assert_eq!(plain_account(r"NT AUTHORITY\NetworkService"), "networkservice");
        assert_eq!(plain_account(r"NT Authority\Network Service"), "networkservice");
        assert_eq!(plain_account(r".\LocalSystem"), "localsystem");
    }
}
