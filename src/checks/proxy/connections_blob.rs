//! Stored proxy settings are damaged, stale or contradict each other.
//!
//! # What it looks at
//! Every value of the `Connections` keys below `Internet Settings`: of the machine in both views (SOFTWARE hive), of the affected user, and
//! of SYSTEM, LOCAL SERVICE and NETWORK SERVICE where their hives were collected; whether the key was renamed to `Connections.old`; errors
//! of the network class and refusals of a proxy in the failure window, for the user's own settings also those in dialogs of Office.
//!
//! # Why it blocks activation
//! These binary values are what WinHTTP and WinINET really use. A damaged or forgotten one sends requests nowhere, and no settings page
//! shows it. The article therefore renames the key of the machine and restarts.
//!
//! # Fix
//! Export the key, rename it to `Connections.old`, restart; set the site's WinHTTP proxy again.
//!
//! # Verify
//! `netsh winhttp show proxy` shows the wanted setting after the restart, and activation gets further.
//!
//! # When this is wrong
//! Change counters and the results of auto-detection differ on nearly every profile and mean nothing. Text of a proxy that is switched off
//! is kept by Windows. A version that Windows is not known to write is a note while the lengths add up. The article calls `Connections` a
//! value; it is a key.
//!
//! # Sources
//! domain.md 5.10 `connections-blob`, 6.6; trap 9; decision 25; R6, R7 and R12 of section 14 and the remark below it (flags without 0x1);
//! vectors 1 and 2 of section 11.

use super::address::{host_of, mask_url};
use super::settings::{INTERNET_SETTINGS, Internet, MACHINE_SETTINGS, Route, Scope, blob_words, scope};
use super::{auth, winhttp};
use crate::artifact::connection_blob::{ConnectionBlob, DIRECT, PAC, PROXY};
use crate::artifact::event_decode::ErrorCode;
use crate::artifact::value::{RegValue, ValueType};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals::{self, DIALOGS, mask_credentials};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::registry::{UserHive, twin};
use crate::evidence::{Confidence, Lookup, Source, Unknown};

const DEFAULT: &str = "DefaultConnectionSettings";
const LEGACY: &str = "SavedLegacySettings";
/// Values that hold a blob whatever networks the machine knows; the others are named after VPN and dial-up entries.
const KNOWN: [&str; 3] = [DEFAULT, LEGACY, "WinHttpSettings"];
/// Accounts whose settings only services use.
const SERVICES: &[(&str, &str)] =
    &[(r"HKU\.DEFAULT", "SYSTEM"), (r"HKU\S-1-5-19", "LOCAL SERVICE"), (r"HKU\S-1-5-20", "NETWORK SERVICE")];
/// Invalid URL, unknown scheme: what a damaged proxy string gives besides the network class.
const BAD_URL: [u32; 2] = [12_005, 12_006];

/// The check.
pub const CHECK: Check = Check {
    id: "connections-blob",
    title: "Stored proxy settings are damaged, stale or contradict each other",
    layer: Layer::Proxy,
    article: Article::Network("Check the Connections registry value"),
    wants: &[DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "The stored proxy settings are sound and agree.",
    source_text: include_str!("connections_blob.rs"),
    run,
    remedy,
};

/// A blob that could be read.
struct Stored {
    name: String,
    blob: ConnectionBlob,
    seen: Observation,
}

impl Stored {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

fn run(case: &Case<'_>, j: &Judgement) {
    let machine = machine(case, j);
    case.each_user(j, |user, j| {
        let key = user.path(INTERNET_SETTINGS);
        one_place(case, j, &key, collect::USER, Some(user));
    });
    for (mount, account) in SERVICES {
        // Their hives are a plus: without them nothing is missing.
        let key = format!(r"{mount}\{INTERNET_SETTINGS}");
        if !case.evidence.registry.key(&format!(r"{key}\Connections")).is_unknown() {
            let stored = one_place(case, j, &key, collect::SOFTWARE, None);
            of_service(case, j, account, &stored);
        }
    }
    stale(case, j, &machine);
    if j.has_finding() {
        j.note("The article calls Connections a registry value; it is a key.");
    }
}

/// The machine's key in every view that exists (R12).
fn machine(case: &Case<'_>, j: &Judgement) -> Vec<Stored> {
    let mut stored = one_place(case, j, MACHINE_SETTINGS, collect::SOFTWARE, None);
    let two = case.evidence.has_two_views();
    match (&two, twin(MACHINE_SETTINGS)) {
        (Lookup::Found(two), Some(key)) if two.value => {
            stored.extend(one_place(case, j, &key, collect::SOFTWARE, None))
        }
        (Lookup::Unknown(unknown), _) => j.missing(unknown, collect::SYSTEM),
        _ => {}
    }
    stored
}

/// All blobs of one `Connections` key, each judged by itself, and the twins against each other.
fn one_place(
    case: &Case<'_>,
    j: &Judgement,
    settings: &str,
    collect: &str,
    user: Option<&UserHive>,
) -> Vec<Stored> {
    let key = format!(r"{settings}\Connections");
    if let Lookup::Found(old) = case.evidence.registry.key(&format!("{key}.old")) {
        let when = old.source.time.map(|time| format!(", last written {time}")).unwrap_or_default();
        j.note(format!("{} exists{when}: the article's remedy was tried.", old.source.locator));
    }
    let values = match j.need(case.evidence.registry.values(&key), collect) {
        Lookup::Found(values) => values,
        Lookup::Absent(source) => {
            j.good(source.shows("not there: nothing is stored"));
            return Vec::new();
        }
        Lookup::Unknown(_) => return Vec::new(),
    };
    for reason in &values.value.unread {
        let what = format!("values of {key}");
        j.missing(&Unknown { what, reason: Some(reason.clone()) }, collect);
    }
    let mut stored = Vec::new();
    for value in values.value.iter() {
        let source =
            Source { locator: format!("{}!{}", values.source.locator, value.name), ..values.source.clone() };
        stored.extend(one_value(case, j, value, &source, user));
    }
    twins(j, &stored);
    if stored.is_empty() && values.value.is_complete() {
        j.good(values.source.shows("no settings stored"));
    }
    stored
}

/// The rows on a single value.
fn one_value(
    case: &Case<'_>,
    j: &Judgement,
    value: &RegValue,
    source: &Source,
    user: Option<&UserHive>,
) -> Option<Stored> {
    if value.kind != ValueType::BINARY {
        // Something else may lie in the key (its default value, a script's note): only the known names must be blobs.
        if KNOWN.iter().any(|known| value.name.eq_ignore_ascii_case(known)) {
            let shown = format!("{} {}", value.kind.name(), mask_credentials(&value.display()));
            damaged(case, j, source.shows(shown).expected("a connection blob in a REG_BINARY"), user);
        }
        return None;
    }
    let blob = match ConnectionBlob::parse(&value.bytes) {
        Ok(blob) => blob,
        Err(problem) if value.truncated => {
            let reason = Some(format!("{} could not be read whole: {problem}", source.locator));
            j.missing(
                &Unknown { what: "stored proxy settings".to_owned(), reason },
                collect::for_key(&source.locator),
            );
            return None;
        }
        Err(problem) => {
            damaged(case, j, source.shows(problem.to_string()).expected("a sound connection blob"), user);
            return None;
        }
    };
    let seen = source.shows(blob_words(&blob));
    if !blob.known_version() {
        j.note(format!(
            "{} has the unusual version {:#x}; its lengths add up.",
            source.locator, blob.version
        ));
    }
    if blob.flags & DIRECT == 0 {
        j.warning(
            Confidence::Medium,
            format!(
                "{} has flags without 0x1 (direct), which Windows always sets: a script wrote them.",
                value.name
            ),
            [seen.clone().expected("flags with bit 0x1")],
        );
    }
    if blob.flags & PROXY != 0 && blob.proxy.trim().is_empty() {
        j.warning(
            Confidence::Medium,
            format!("{} switches a proxy on and names none.", value.name),
            [seen.clone().expected("a proxy, or flag 0x2 clear")],
        );
    }
    left_over(j, &blob, source);
    j.good(seen.clone());
    Some(Stored { name: value.name.clone(), blob, seen })
}

/// Text whose flag is clear (R7), and a script that is on without an address.
fn left_over(j: &Judgement, blob: &ConnectionBlob, source: &Source) {
    let kept = |flag: u32, text: &str| blob.flags & flag == 0 && !text.trim().is_empty();
    if kept(PROXY, &blob.proxy) || kept(PROXY, &blob.bypass) {
        let text = mask_credentials(if blob.proxy.trim().is_empty() { &blob.bypass } else { &blob.proxy });
        j.note(format!("{}: proxy switched off, text kept ({text}).", source.locator));
    }
    if kept(PAC, &blob.pac) {
        j.note(format!("{}: script switched off, text kept ({}).", source.locator, mask_url(&blob.pac)));
    }
    if blob.flags & PAC != 0 && blob.pac.trim().is_empty() {
        j.note(format!("{}: a script is switched on and none is named.", source.locator));
    }
}

/// Damage: a blocker when requests failed in the window, or a proxy refused them.
fn damaged(case: &Case<'_>, j: &Judgement, seen: Observation, user: Option<&UserHive>) {
    let fits = |code: ErrorCode| {
        signals::is_network(code)
            || auth::is_proxy_refusal(code)
            || code.win32().is_some_and(|n| BAD_URL.contains(&n))
    };
    let mut errors = signals::errors(case, fits);
    // Office uses the settings of its user, and of nobody else.
    errors.extend(user.into_iter().flat_map(|user| signals::dialogs(case, user, fits)));
    let error = errors.into_iter().max_by_key(|event| event.value.time);
    let status = if error.is_some() { Status::Blocker } else { Status::Warning };
    let mut evidence = vec![seen];
    evidence.extend(error.map(|event| signals::error_seen(&event)));
    j.row(status, Confidence::High, "Stored proxy settings are damaged.".to_owned(), evidence);
}

/// R6: only flags, proxy, bypass and script are compared, and a missing twin is no disagreement.
fn twins(j: &Judgement, stored: &[Stored]) {
    let find = |name: &str| stored.iter().find(|item| item.is(name));
    if let (Some(one), Some(other)) = (find(DEFAULT), find(LEGACY))
        && one.blob.settings() != other.blob.settings()
    {
        j.warning(
            Confidence::Medium,
            format!("{DEFAULT} and {LEGACY} disagree."),
            [one.seen.clone(), other.seen.clone()],
        );
    }
}

/// A service account whose own proxy is another one than WinHTTP's.
fn of_service(case: &Case<'_>, j: &Judgement, account: &str, stored: &[Stored]) {
    for item in stored.iter().filter(|item| item.is(DEFAULT) || item.is(LEGACY)) {
        let Some(proxy) = Route::of(&item.blob).proxy else { continue };
        match winhttp::route(case) {
            Ok(winhttp) if winhttp.route.proxy.as_deref().map(host_of) != Some(host_of(&proxy)) => {
                j.warning(
                    Confidence::Medium,
                    format!(
                        "The account {account} has the proxy {proxy} of its own; WinHTTP has {}.",
                        winhttp.route.words()
                    ),
                    [item.seen.clone(), winhttp.seen],
                );
                return;
            }
            Ok(_) => {}
            Err(_) => j.note(format!("The account {account} has the proxy {proxy}; WinHTTP's is not known.")),
        }
    }
}

/// A proxy or script of the machine that neither policy nor the user knows.
fn stale(case: &Case<'_>, j: &Judgement, machine: &[Stored]) {
    if matches!(scope(case), Scope::Machine(_) | Scope::Both(_)) {
        return;
    }
    let Some(user) = affected(case) else { return };
    for item in machine {
        let route = Route::of(&item.blob);
        let known = match (&route.proxy, &route.script) {
            (Some(proxy), _) => user.route.proxy.as_deref().map(host_of) == Some(host_of(proxy)),
            (None, Some(script)) => user.route.script.as_ref() == Some(script),
            (None, None) => continue,
        };
        if known {
            continue;
        }
        if user.route.script.is_some() && route.proxy.is_some() {
            j.note(format!(
                "{}: {}; whether the user's script answers the same is not known.",
                item.seen.locator,
                route.words()
            ));
            continue;
        }
        j.warning(
            Confidence::Low,
            format!(
                "The machine stores a {} that neither policy nor the user has: perhaps left over.",
                route.words()
            ),
            [item.seen.clone(), user.seen.clone()],
        );
    }
}

/// The affected user's settings, where they can be read.
fn affected(case: &Case<'_>) -> Option<Internet> {
    let user: UserHive = match case.evidence.users.affected() {
        Lookup::Found(user) => user.value,
        Lookup::Absent(_) | Lookup::Unknown(_) => return None,
    };
    Internet::read(case, &user.path(INTERNET_SETTINGS)).ok()
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut steps = vec!["Note the WinHTTP proxy: netsh winhttp show proxy > winhttp-before.txt".to_owned()];
    let mut keys = vec![MACHINE_SETTINGS.to_owned()];
    let two = case.evidence.has_two_views();
    keys.extend(twin(MACHINE_SETTINGS).filter(|_| two.found().is_some_and(|two| two.value)));
    for (number, key) in keys.iter().enumerate() {
        let file = format!("connections-before-{}.reg", number.saturating_add(1));
        steps.push(format!("reg export \"{key}\\Connections\" {file}"));
        let live = key.replacen("HKLM", "HKLM:", 1);
        steps.push(format!("powershell Rename-Item '{live}\\Connections' Connections.old"));
    }
    steps.push("Restart the machine.".to_owned());
    steps.push(
        "If the site needs a WinHTTP proxy: netsh winhttp set proxy with the string noted before.".to_owned(),
    );
    steps.push(
        "If the user's settings are the damaged ones: switch them once off and on in Settings > Network & internet > Proxy, which writes them anew."
            .to_owned(),
    );
    Remedy {
        steps,
        caution: "Renaming the key also drops the site's WinHTTP proxy and the settings of VPN connections. The article calls it a value; it is a key."
            .to_owned(),
        rollback: "Delete the new Connections key, rename Connections.old back (or import the exported files), and restart.".to_owned(),
        verify: "netsh winhttp show proxy shows the wanted setting; then try activation again.".to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
