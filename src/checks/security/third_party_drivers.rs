//! Drivers of security products get in each other's way, or are left over from a product that is gone.
//!
//! # What it looks at
//! Drivers and network components of known security, VPN and inspection products (services of the SYSTEM hive, `fltmc`, `driverquery`), the list
//! of installed programs, drivers that were installed (7045) or did not load (7026), and what failed inside the failure window.
//!
//! # Why it blocks activation
//! Filters of security products sit in every connection and every access to a file. Two of them, or one whose product was removed, can drop
//! connections of services, or spoil the data of the plug-ins through which Office signs in.
//!
//! # Fix
//! Remove what is left over with the maker's clean-up tool; keep one product of a kind, and set its exclusions for Office and the plug-ins.
//!
//! # Verify
//! `fltmc` and `driverquery` no longer list the driver; activation works.
//!
//! # When this is wrong
//! One security product is normal, and two are too (a scanner and a VPN): without recorded failures this stays a note. Products are known by
//! names from practice. Capture tools, virtual machines and adapter makers use the same places and do not count. Filters of the Windows
//! filtering platform are not kept in files and cannot be seen here.
//!
//! # Sources
//! domain.md 5.21 `third-party-security-drivers`; R57 of section 14; "can't sign in to Microsoft 365 desktop apps" (learn.microsoft.com).

use std::collections::BTreeMap;

use super::products::{self, Product};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::broker::EXCLUSIONS_ARTICLE;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, captures};

const SERVICES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services";
/// Network services: filters among them.
const COMPONENTS: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}";
const PROGRAMS: [&str; 2] = [
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
];
/// Kernel and file-system drivers; a service in a process has bit 0x10 or 0x20.
const DRIVER: [u32; 2] = [1, 2];
const IN_A_PROCESS: u32 = 0x30;
const DISABLED: u32 = 4;
/// Components of Windows begin so; `netvsc_vfpp` is the one that does not (decoded sample, domain.md 5.21).
const OF_WINDOWS: [&str; 2] = ["ms_", "netvsc_vfpp"];

/// Drivers that did not load (7026), and services that were installed (7045).
const INSTALLED: Want =
    Want { provider: "Service Control Manager", ids: &[7026, 7045], channels: &["System"] };
/// The state of an app package is broken: security software that meddles with its files leaves this.
const STATE: Want = Want {
    provider: "Microsoft-Windows-AppModel-State",
    ids: &[10, 11, 12, 13, 20, 21, 22, 23, 24],
    channels: &["Application"],
};
/// `ERROR_WINHTTP_OUT_OF_HANDLES`.
const OUT_OF_HANDLES: u32 = 12_001;

/// The check.
pub const CHECK: Check = Check {
    id: "third-party-security-drivers",
    title: "Drivers of security products disturb connections",
    layer: Layer::Network,
    article: Article::Beyond,
    wants: &[INSTALLED, STATE],
    healthy: "No left-over driver of a security product, and no two that disturb each other.",
    source_text: include_str!("third_party_drivers.rs"),
    run,
    remedy,
};

/// Drivers by product.
type Found = BTreeMap<&'static str, (&'static Product, Vec<Observation>)>;

fn run(case: &Case<'_>, j: &Judgement) {
    let mut found = Found::new();
    let services = services(case, j, &mut found);
    components(case, j, &mut found);
    captured(case, &mut found);
    left_over(case, j, &found, &services);
    crowded(case, j, &found);
    recorded(case, j);
    for (product, seen) in found.values() {
        let names: Vec<&str> = seen.iter().map(|seen| seen.observed.as_str()).collect();
        j.note(format!("Drivers of {} are there: {}.", product.name, names.join(", ")));
    }
}

fn add(found: &mut Found, product: &'static Product, seen: Observation) {
    let (_, list) = found.entry(product.name).or_insert_with(|| (product, Vec::new()));
    if !list.iter().any(|known| known.observed.eq_ignore_ascii_case(&seen.observed)) {
        list.push(seen);
    }
}

/// Drivers among the services. Returns what services in processes are run from, for telling what is left over.
fn services(case: &Case<'_>, j: &Judgement, found: &mut Found) -> Vec<String> {
    let registry = &case.evidence.registry;
    let Lookup::Found(list) = j.need(registry.subkeys(SERVICES), collect::SYSTEM) else { return Vec::new() };
    // An export of single services is no inventory.
    if !list.value.is_complete() || !list.value.iter().any(|key| key.eq_ignore_ascii_case("Tcpip")) {
        let reason = Some("it does not list all services".to_owned());
        j.missing(&crate::evidence::Unknown { what: "SYSTEM hive".to_owned(), reason }, collect::SYSTEM);
    } else {
        j.good(list.shows(format!("{} services and drivers", list.value.len())));
    }
    let mut programs = Vec::new();
    for key in list.value.iter() {
        let path = format!(r"{SERVICES}\{key}");
        let number = |name: &str| case.value(&path, name).found().and_then(|value| value.value.as_u32());
        let Lookup::Found(kind) = case.value(&path, "Type") else { continue };
        let disabled = || number("Start") == Some(DISABLED);
        match kind.value.as_u32() {
            Some(number) if number & IN_A_PROCESS != 0 && !disabled() => {
                programs
                    .extend(case.value(&path, "ImagePath").found().and_then(|value| value.value.as_text()));
            }
            Some(number) if DRIVER.contains(&number) => match driver_of(case, key, &path) {
                Some((product, _)) if disabled() => {
                    j.note(format!("The driver {key} of {} is disabled.", product.name));
                }
                Some((product, name)) => add(found, product, kind.shows(name)),
                None => {}
            },
            _ => {}
        }
    }
    programs
}

/// The product of a driver, and its name for people: by the name of its key, else by its file, for keys may have any name (R57).
fn driver_of(case: &Case<'_>, key: &str, path: &str) -> Option<(&'static Product, String)> {
    let of_file = || {
        let image = case.value(path, "ImagePath").found()?.value.as_text()?;
        let file = file_name(&image);
        Some((products::by_driver(file)?, format!("{key} ({file})")))
    };
    products::by_driver(key).map(|product| (product, key.to_owned())).or_else(of_file)
}

fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or_default().trim_end_matches('"')
}

/// Network components. Those of others than security products are a note (R57).
fn components(case: &Case<'_>, j: &Judgement, found: &mut Found) {
    let registry = &case.evidence.registry;
    let Lookup::Found(list) = j.need(registry.subkeys(COMPONENTS), collect::SYSTEM) else { return };
    j.good(list.shows(format!("{} network components", list.value.len())));
    for key in list.value.iter() {
        let Lookup::Found(value) = case.value(&format!(r"{COMPONENTS}\{key}"), "ComponentId") else {
            continue;
        };
        let id = value.value.as_text().unwrap_or_default().to_lowercase();
        if OF_WINDOWS.iter().any(|start| id.starts_with(start)) {
            continue;
        }
        let text = case.value(&format!(r"{COMPONENTS}\{key}"), "Description");
        let text = text.found().and_then(|text| text.value.as_text()).unwrap_or_default();
        let named = || products::PRODUCTS.iter().find(|product| product.is_named_in(&text));
        match products::by_driver(&id).or_else(named) {
            Some(product) => add(found, product, value.shows(id)),
            None => j.note(format!(
                "The network component {id} is no part of Windows and of no known security product."
            )),
        }
    }
}

/// What the machine had loaded.
fn captured(case: &Case<'_>, found: &mut Found) {
    for capture in case.captures(CaptureKind::Drivers) {
        let CaptureData::Drivers(data) = &capture.value.data else { continue };
        let at = |line| captures::line(capture.source.artifact, line);
        let drivers = data.drivers.iter().map(|driver| (driver.line, &driver.module));
        let filters = data.filters.iter().map(|filter| (filter.line, &filter.name));
        for (line, name) in drivers.chain(filters) {
            if let Some(product) = products::by_driver(name) {
                add(found, product, at(line).shows(name.clone()));
            }
        }
    }
}

/// Names and makers of the installed programs; `None` when the list is not known.
fn installed(case: &Case<'_>, j: &Judgement) -> Option<Vec<String>> {
    let registry = &case.evidence.registry;
    let mut names = Vec::new();
    for (index, key) in PROGRAMS.iter().enumerate() {
        let list = match registry.subkeys(key) {
            Lookup::Found(list) if list.value.is_complete() => list,
            // A 32-bit Windows has one list.
            Lookup::Absent(_) if index > 0 => continue,
            Lookup::Found(_) | Lookup::Absent(_) => return None,
            Lookup::Unknown(unknown) => {
                j.missing(&unknown, collect::SOFTWARE);
                return None;
            }
        };
        for program in list.value.iter() {
            let path = format!(r"{key}\{program}");
            for name in ["DisplayName", "Publisher"] {
                names.extend(case.value(&path, name).found().and_then(|value| value.value.as_text()));
            }
        }
    }
    Some(names)
}

/// A driver whose product is neither installed nor runs a service.
fn left_over(case: &Case<'_>, j: &Judgement, found: &Found, services: &[String]) {
    if found.is_empty() || services.is_empty() {
        return;
    }
    let Some(programs) = installed(case, j) else { return };
    for (product, seen) in found.values() {
        let there = programs.iter().chain(services).any(|text| product.is_named_in(text));
        // Drivers that a service key stands for; a line of a listing names no key that could be left over.
        let keys: Vec<Observation> =
            seen.iter().filter(|seen| seen.locator.contains('!')).take(4).cloned().collect();
        if !there && !keys.is_empty() {
            let summary = format!(
                "A driver of {} is active, but the product is not installed and runs no service: it is left over.",
                product.name
            );
            j.row(Status::Warning, Confidence::Medium, summary, keys);
        }
    }
}

/// Two products, and failures that they can cause (R57).
fn crowded(case: &Case<'_>, j: &Judgement, found: &Found) {
    let network = signals::network_errors(case);
    let mut failures: Vec<Observation> = network
        .iter()
        .filter(|event| !signals::is_disconnected_at(case, event.value.time))
        .map(|event| event_seen(event, signals::FIELDS))
        .collect();
    failures.extend(
        case.events(STATE)
            .iter()
            .filter(|event| is_broken(event.value))
            .map(|event| event_seen(event, &["Package", "PackageFullName", "Operation", "OperationError"])),
    );
    if found.len() >= 2
        && let Some(last) = failures.last()
    {
        let names: Vec<&str> = found.keys().copied().collect();
        let mut evidence: Vec<Observation> =
            found.values().filter_map(|(_, seen)| seen.first().cloned()).take(4).collect();
        evidence.push(last.clone());
        let summary = format!(
            "Drivers of {} security products ({}) are active, and {} failure(s) that they can cause were recorded.",
            names.len(),
            names.join(", "),
            failures.len()
        );
        j.row(Status::Warning, Confidence::Low, summary, evidence);
    }
    let exhausted = signals::ALL.iter().flat_map(|want| case.events(*want)).rfind(|event| {
        signals::code_of(event.value).is_some_and(|code| code.win32() == Some(OUT_OF_HANDLES))
    });
    if let (Some(event), false) = (exhausted, found.is_empty()) {
        j.note(format!(
            "WinHTTP ran out of handles (12001) at {}: a driver in the network path can cause that.",
            event.value.time
        ));
    }
}

/// A record of a package's state with a real error; those of a new profile name file-not-found and another operation (R38).
fn is_broken(event: &crate::artifact::event::Event) -> bool {
    let text = event.all_text().to_lowercase();
    let package = ["microsoft.aad.brokerplugin", "microsoft.windows.cloudexperiencehost"];
    let operation = event.field("Operation").unwrap_or_default();
    package.iter().any(|name| text.contains(name))
        && text.contains("-2147")
        && (event.event_id < 20 || ["LocalSettings", "SettingsInitialize"].contains(&operation))
}

/// Drivers that were installed inside the window, and those that did not load.
fn recorded(case: &Case<'_>, j: &Judgement) {
    for event in case.events(INSTALLED) {
        if event.value.event_id == 7026 {
            let list = event.value.field("param1").unwrap_or_default();
            for name in list.split_whitespace().filter(|name| products::by_driver(name).is_some()) {
                j.note(format!(
                    "The driver {name} of a security product did not load at {}.",
                    event.value.time
                ));
            }
            continue;
        }
        let path = event.value.field("ImagePath").unwrap_or_default();
        let service = event.value.field("ServiceName").unwrap_or_default();
        if let Some(product) = products::by_driver(file_name(path)).or_else(|| products::by_driver(service)) {
            j.note(format!("{service} of {} was installed at {}.", product.name, event.value.time));
        }
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "fltmc and driverquery /v (elevated) show what is loaded, and from which file.",
            "Left over: reinstall and uninstall the product, or run its maker's clean-up tool; then restart.",
            "Two products of a kind: keep one.",
            "As a test: uninstall the product, not only switch it off, restart, and try activation. Its network filters stay while it is merely off.",
            "If that helps: install it again with exclusions for Office and the two plug-ins that sign in.",
        ],
        "Do not delete service keys or driver files by hand: a missing filter can leave the machine without network or unable to start.",
        "Install the product again.",
        "The driver is gone from driverquery; sign in to Office again.",
        &[EXCLUSIONS_ARTICLE],
    )
}
