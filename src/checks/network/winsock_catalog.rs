//! The Winsock catalog is damaged, or a layered provider stands in it.
//!
//! # What it looks at
//! `WinSock2\Parameters` in the SYSTEM hive: the numbering and number of the entries, the 888 bytes of every `PackedCatalogItem`, the
//! name-space providers and `NameSpace_Callout`; the output of `netsh winsock show catalog` where there is no hive; Winsock events of an
//! installation or a reset; the architecture, which tells how many catalogs there are; listings of the folder of a layered provider.
//!
//! # Why it blocks activation
//! Every connection starts with a provider of this catalog. A gap or a damaged entry ends the list early, and programs fail with socket errors;
//! a layered provider (LSP) of an old security product can refuse or break connections of services.
//!
//! # Fix
//! Note static addresses and the products that installed providers; then `netsh int ip reset`, `netsh winsock reset`, restart.
//!
//! # Verify
//! `netsh winsock show catalog` lists only Windows' own providers, and connections work.
//!
//! # When this is wrong
//! A provider that is not from Windows but has `ChainLen` 1 and an address family of its own (VMware vSockets) is a base provider and no LSP.
//! Entry ids may jump; only the numbering of the subkeys counts. A text output never proves that a provider is missing unless it shows its own
//! end, and an excerpt without a chain length is read by the type of its entries. A 32-bit Windows has one catalog. Bonjour's and Bluetooth's
//! name-space providers are harmless.
//!
//! # Sources
//! domain.md 5.12 `winsock-catalog`, 6.7; trap 4; decision 27; R12 and R25 of section 14.

use super::winsock_provider::{INET, INET6, Provider, dll};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::packed_catalog_item::CatalogItem;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Source, Sourced, Unknown, captures};

const PARAMETERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\WinSock2\Parameters";

/// The two names of the log of catalog changes (trap 14).
const CHANGES: Want = Want {
    provider: "Microsoft-Windows-Winsock-WS2HELP",
    ids: &[1, 4],
    channels: &[
        "Microsoft-Windows-Winsock-WS2HELP/Operational",
        "Microsoft-Windows-Winsock Catalog Change/Operational",
    ],
};

/// DLLs of name-space providers that are Windows' own or harmless (decision 27).
const NAME_SPACES: &[&str] = &[
    "napinsp.dll",
    "pnrpnsp.dll",
    "wshbth.dll",
    "nlaapi.dll",
    "nlansp_c.dll",
    "mswsock.dll",
    "winrnr.dll",
    "mdnsnsp.dll",
];
/// `NameSpace_Callout` of Windows.
const CALLOUT: &str = "fwpuclnt.dll";

/// The check.
pub const CHECK: Check = Check {
    id: "winsock-catalog",
    title: "The Winsock catalog is damaged or holds a layered provider",
    layer: Layer::Network,
    article: Article::Network("Reset Winsock"),
    wants: &[CHANGES],
    healthy: "The Winsock catalog is whole and holds base providers only.",
    source_text: include_str!("winsock_catalog.rs"),
    run,
    remedy,
};

/// The catalog of 64-bit programs.
const NATIVE: &str = "64-bit";
/// The catalog of 32-bit programs: the only one on a 32-bit Windows.
const OTHER: &str = "32-bit";

/// One catalog of the hive (64-bit Windows has two).
struct Catalog {
    items: Vec<Sourced<CatalogItem>>,
    place: Source,
    name: &'static str,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let native = read_catalog(case, j, "Catalog_Entries64", "Num_Catalog_Entries64", NATIVE);
    let other = read_catalog(case, j, "Catalog_Entries", "Num_Catalog_Entries", OTHER);
    match (native, other) {
        (Lookup::Found(a), Lookup::Found(b)) => {
            judge(case, j, &a.value);
            judge(case, j, &b.value);
            compare(j, &a.value, &b.value);
        }
        (Lookup::Absent(source), Lookup::Found(only)) | (Lookup::Found(only), Lookup::Absent(source)) => {
            judge(case, j, &only.value);
            one_of_two(case, j, &only.value, &source);
        }
        // A registry without any Winsock key is no whole machine's: the hive was cut out or made up.
        (Lookup::Absent(_), Lookup::Absent(source)) if case.evidence.registry.key(PARAMETERS).is_absent() => {
            let reason = Some(format!("{} is not in it: it is not a whole hive", source.locator));
            j.missing(&Unknown { what: "SYSTEM hive".to_owned(), reason }, collect::SYSTEM);
        }
        (Lookup::Absent(source), Lookup::Absent(_)) => {
            j.blocker(
                Confidence::High,
                "The Winsock catalog is missing.",
                [source.shows("no catalog entries")],
            );
        }
        (Lookup::Unknown(unknown), other) | (other, Lookup::Unknown(unknown)) => {
            if let Lookup::Found(half) = other {
                judge(case, j, &half.value);
                j.missing(&unknown, collect::SYSTEM);
            } else {
                from_text(case, j, &unknown);
            }
        }
    }
    name_spaces(case, j);
    callout(case, j);
    changes(case, j);
}

/// Only one catalog is there: right on a 32-bit Windows, whose one is `Catalog_Entries`; half of the programs have no sockets on a 64-bit
/// one (R12).
fn one_of_two(case: &Case<'_>, j: &Judgement, there: &Catalog, absent: &Source) {
    let two = case.evidence.has_two_views();
    match two {
        Lookup::Found(two) if two.value => {
            let lost = if there.name == NATIVE { OTHER } else { NATIVE };
            let summary = format!("The {lost} Winsock catalog is missing.");
            let seen = absent.shows("no catalog entries").expected("the catalog of each bitness");
            j.blocker(Confidence::High, summary, [seen]);
        }
        Lookup::Found(_) if there.name == OTHER => {}
        Lookup::Found(two) => {
            let reason = Some(format!(
                "{} says a 32-bit Windows, which has no {NATIVE} Winsock catalog",
                two.source.locator
            ));
            j.missing(&Unknown { what: "SYSTEM hive".to_owned(), reason }, collect::SYSTEM);
        }
        Lookup::Absent(_) => {}
        Lookup::Unknown(unknown) => j.missing(&unknown, collect::SYSTEM),
    }
}

/// Reads one catalog and reports what is damaged in it.
fn read_catalog(
    case: &Case<'_>,
    j: &Judgement,
    key: &str,
    count: &str,
    name: &'static str,
) -> Lookup<Catalog> {
    let registry = &case.evidence.registry;
    let base = format!(r"{PARAMETERS}\Protocol_Catalog9");
    let path = format!(r"{base}\{key}");
    let keys = match registry.subkeys(&path) {
        Lookup::Found(keys) => keys,
        Lookup::Absent(source) => return Lookup::Absent(source),
        Lookup::Unknown(unknown) => return Lookup::Unknown(unknown),
    };
    if let Some(reason) = keys.value.unread.first() {
        let what = format!("the {name} Winsock catalog");
        return Lookup::Unknown(Unknown { what, reason: Some(reason.clone()) });
    }
    let mut numbers: Vec<u32> = keys.value.iter().filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    let expected = 1..=u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    if !numbers.iter().copied().eq(expected) {
        let shown = format!(
            "{} entries, numbered up to {}",
            numbers.len(),
            numbers.last().copied().unwrap_or_default()
        );
        j.blocker(
            Confidence::High,
            format!("The numbering of the {name} Winsock catalog has a gap."),
            [keys.shows(shown)],
        );
    }
    if let Some(value) = registry.value(&base, count).found()
        && value.value.as_u32().is_some_and(|count| count as usize != numbers.len())
    {
        let evidence = [
            value_seen(value).expected(numbers.len().to_string()),
            keys.shows(format!("{} entries", numbers.len())),
        ];
        j.blocker(
            Confidence::High,
            format!("The {name} Winsock catalog does not hold as many entries as it claims."),
            evidence,
        );
    }
    let mut items = Vec::new();
    for key in keys.value.iter() {
        match registry.value(&format!(r"{path}\{key}"), "PackedCatalogItem") {
            Lookup::Found(value) => match CatalogItem::parse(&value.value.bytes) {
                Ok(item) if item.path.is_empty() => {
                    j.blocker(Confidence::High, "A Winsock entry names no DLL.", [value.shows("empty path")]);
                }
                Ok(item) => items.push(value.map(|_| item)),
                Err(problem) => {
                    let seen = value.shows(problem.found).expected(problem.expected);
                    j.blocker(Confidence::High, "A Winsock entry is damaged.", [seen]);
                }
            },
            Lookup::Absent(source) => {
                j.blocker(
                    Confidence::High,
                    "A Winsock entry is empty.",
                    [source.shows("no PackedCatalogItem")],
                );
            }
            Lookup::Unknown(unknown) => return Lookup::Unknown(unknown),
        }
    }
    let place = keys.source.clone();
    Lookup::Found(Sourced { value: Catalog { items, place: place.clone(), name }, source: place })
}

fn judge(case: &Case<'_>, j: &Judgement, catalog: &Catalog) {
    for (family, kind, protocol, label) in
        [(INET, 1, 6, "TCP"), (INET, 2, 17, "UDP"), (INET6, 1, 6, "TCP"), (INET6, 2, 17, "UDP")]
    {
        let there = catalog.items.iter().any(|item| {
            let item = &item.value;
            (item.address_family, item.socket_type, item.protocol) == (family, kind, protocol)
                && dll(&item.path) == "mswsock.dll"
        });
        if there {
            continue;
        }
        let ip = if family == INET { "IPv4" } else { "IPv6" };
        let summary =
            format!("The {} Winsock catalog has no Windows provider for {label} over {ip}.", catalog.name);
        let seen = catalog.place.shows(format!("no mswsock.dll entry for {ip} {label}"));
        // IPv6 may have been uninstalled (R25).
        let status = if family == INET { Status::Blocker } else { Status::Warning };
        j.row(status, Confidence::High, summary, vec![seen]);
    }
    for item in &catalog.items {
        Provider::of_item(item).judge(case, j);
    }
    if let Some(first) = catalog.items.first() {
        j.good(first.shows(format!(
            "{} base providers in the {} catalog",
            catalog.items.len(),
            catalog.name
        )));
    }
}

/// The two catalogs should hold the same layered providers.
fn compare(j: &Judgement, a: &Catalog, b: &Catalog) {
    let layered = |catalog: &Catalog| {
        let items = catalog.items.iter().filter(|item| Provider::of_item(item).layered);
        let mut names: Vec<String> = items.map(|item| dll(&item.value.path)).collect();
        names.sort();
        names.dedup();
        names
    };
    if layered(a) != layered(b) {
        let evidence = [a.place.shows(layered(a).join(", ")), b.place.shows(layered(b).join(", "))];
        j.warning(
            Confidence::Medium,
            "The 64-bit and the 32-bit Winsock catalog hold different layered providers.",
            evidence,
        );
    }
}

fn name_spaces(case: &Case<'_>, j: &Judgement) {
    let registry = &case.evidence.registry;
    for key in ["Catalog_Entries64", "Catalog_Entries"] {
        let path = format!(r"{PARAMETERS}\NameSpace_Catalog5\{key}");
        let Lookup::Found(entries) = registry.subkeys(&path) else { continue };
        for entry in entries.value.iter() {
            let entry = format!(r"{path}\{entry}");
            let library = registry.value(&entry, "LibraryPath");
            let Some(library) = library.found() else { continue };
            let name = dll(&library.value.as_text().unwrap_or_default());
            if name == "mdnsnsp.dll" {
                j.note(
                    "Bonjour's name-space provider (mdnsNSP.dll) is installed; it is common and harmless.",
                );
            } else if !NAME_SPACES.contains(&name.as_str()) {
                let summary = format!("A name-space provider that is not from Windows is installed: {name}.");
                j.warning(Confidence::Low, summary, [value_seen(library)]);
            }
            if name == "mswsock.dll"
                && let Some(enabled) = registry.value(&entry, "Enabled").found()
                && enabled.value.as_u32() == Some(0)
            {
                j.warning(
                    Confidence::Medium,
                    "Windows' own name-space provider is switched off.",
                    [value_seen(enabled).expected("1")],
                );
            }
        }
    }
}

/// The library that is asked before every resolution of a name (its meaning is marked unverified, so low).
fn callout(case: &Case<'_>, j: &Judgement) {
    let value = case.value(PARAMETERS, "NameSpace_Callout");
    let Some(value) = value.found() else { return };
    let name = dll(&value.value.as_text().unwrap_or_default());
    if name != CALLOUT {
        let seen = value_seen(value).expected(CALLOUT);
        j.warning(Confidence::Low, "Another library than Windows' own is asked about every name.", [seen]);
    }
}

fn changes(case: &Case<'_>, j: &Judgement) {
    for event in case.events(CHANGES) {
        if event.value.event_id == 1 {
            let seen = event_seen(&event, &[]);
            j.warning(Confidence::Low, "A Winsock provider was installed inside the failure window.", [seen]);
        } else {
            j.note(format!("The Winsock catalog was reset at {}.", event.value.time));
        }
    }
}

/// The text catalog replaces the hive for what it shows; it proves a missing provider never, and a whole catalog only when it is one.
fn from_text(case: &Case<'_>, j: &Judgement, unknown: &Unknown) {
    let mut whole = false;
    for capture in case.captures(CaptureKind::WinsockCatalog) {
        let CaptureData::WinsockCatalog(data) = &capture.value.data else { continue };
        for entry in &data.entries {
            let place = captures::line(capture.source.artifact, entry.line);
            Provider::of_entry(entry, &place).judge(case, j);
        }
        let has =
            |protocol: i64| data.entries.iter().any(|e| e.family == Some(2) && e.protocol == Some(protocol));
        if data.complete && has(6) && has(17) {
            whole = true;
            j.good(capture.shows(format!("{} providers", data.entries.len())));
        }
    }
    if !whole {
        j.missing(unknown, collect::SYSTEM);
        let text: Lookup<()> = case
            .evidence
            .captures
            .ask(CaptureKind::WinsockCatalog, "netsh winsock show catalog output")
            .map(|_| ());
        j.need(text, collect::WINSOCK);
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Note static addresses (netsh interface dump > interfaces.txt) and the providers (netsh winsock show catalog > winsock-before.txt).",
            r"reg export HKLM\SYSTEM\CurrentControlSet\Services\WinSock2 winsock2-before.reg",
            "A layered provider: update or uninstall the product that it belongs to.",
            "netsh winsock reset",
            "netsh int ip reset",
            "Restart the machine.",
        ],
        "The resets drop static addresses on some systems and every layered provider: VPN and filter products may need to be installed again.",
        "There is none but the exported key: reg import winsock2-before.reg and restart.",
        "netsh winsock show catalog lists Windows' providers only; then try activation again.",
        &[ARTICLE_NETWORK],
    )
}
