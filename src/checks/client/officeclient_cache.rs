//! Office works with a stale or foreign answer of its configuration service.
//!
//! # What it looks at
//! The keys below `Office\16.0\Common\Internet\WebServiceCache\AllUsers\officeclient.microsoft.com` of the affected user: when they were last
//! written, and what they hold; changes of the user's proxy (WinINet-Config 5600) and the machine's join to a tenant; sign-in and licensing
//! errors in the failure window.
//!
//! # Why it blocks activation
//! Office asks this service where sign-in and licensing are, and keeps the answer. One that was got through another proxy or for another
//! tenant, or that a proxy wrote itself, sends Office to the wrong place.
//!
//! # Fix
//! Export the key, delete the keys below it, restart: Office asks again.
//!
//! # Verify
//! After the next start of an Office program the keys are there again with a new time, and activation gets further.
//!
//! # When this is wrong
//! Good and bad answers look alike: without an error in the window an old cache is a note. An export (`.reg`) does not tell when keys were
//! written. A missing key proves only that the service never answered this user.
//!
//! # Sources
//! domain.md 5.14 `officeclient-cache`; decision 19; R34, R56 and R64 of section 14.

use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::licensing::records;
use crate::checks::proxy::{PROXY_CHANGES, host_of_url};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::registry::{Listing, UserHive};
use crate::evidence::{Confidence, Lookup, Source, Sourced, Unknown};
use crate::knowledge::endpoints;
use crate::time::FileTime;

const OFFICE: &str = r"Software\Microsoft\Office\16.0\Common";
const CACHE: &str = r"Internet\WebServiceCache\AllUsers\officeclient.microsoft.com";
/// Written when the machine joined a tenant.
const JOIN: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo";
/// Days after which an answer is old.
const OLD_DAYS: i64 = 30;
/// Keys that are read: configurations of a few versions, each with one entry; more is no cache of Office.
const MOST_KEYS: usize = 500;
/// The check.
pub const CHECK: Check = Check {
    id: "officeclient-cache",
    title: "Office works with a stale or foreign answer of its configuration service",
    layer: Layer::Licensing,
    article: Article::Network("Delete the officeclient subfolders"),
    wants: &[
        PROXY_CHANGES,
        records::PROTECTION,
        signals::DIALOGS[0],
        signals::DIALOGS[1],
        signals::DIALOGS[2],
    ],
    healthy: "The cached service configuration of Office is recent, or nothing shows that it is wrong.",
    source_text: include_str!("officeclient_cache.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    case.each_user(j, |user, j| of_user(case, j, user));
}

fn of_user(case: &Case<'_>, j: &Judgement, user: &UserHive) {
    let key = user.path(&format!(r"{OFFICE}\{CACHE}"));
    match j.need(case.evidence.registry.subkeys(&key), collect::USER) {
        Lookup::Found(found) if found.value.is_empty() && found.value.is_complete() => {
            j.note(
                "The cache is empty: the article's remedy was tried, or the service did not answer since.",
            );
            j.good(found.shows("no keys below it"));
        }
        Lookup::Found(found) => cached(case, j, user, &key, &found),
        Lookup::Absent(source) => never_answered(case, j, user, &source),
        Lookup::Unknown(_) => {}
    }
}

/// No key: the service never answered. That is odd where Office has run.
fn never_answered(case: &Case<'_>, j: &Judgement, user: &UserHive, source: &Source) {
    let identity = user.path(&format!(r"{OFFICE}\Identity"));
    match case.evidence.registry.key(&identity) {
        Lookup::Found(office) => j.warning(
            Confidence::Low,
            "Office has run for this user, but its configuration service (officeclient.microsoft.com) never answered.",
            [source.shows("not there"), office.shows("Office has run")],
        ),
        _ => {
            j.note("The configuration service of Office never answered this user, for whom Office has not run.");
            j.good(source.shows("not there"));
        }
    }
}

/// What the keys hold, and when they were written.
struct Cache {
    newest: Option<FileTime>,
    undated: Option<String>,
    unread: Vec<String>,
}

fn cached(case: &Case<'_>, j: &Judgement, user: &UserHive, key: &str, found: &Sourced<Listing<String>>) {
    let cache = read(case, j, key, &found.value);
    for reason in &cache.unread {
        let what = "cached service configuration of Office".to_owned();
        j.missing(&Unknown { what, reason: Some(reason.clone()) }, collect::USER);
    }
    let Some(newest) = cache.newest else {
        let what = "last-write times of the cached service configuration (NTUSER.DAT as a hive)".to_owned();
        j.missing(&Unknown { what, reason: cache.undated }, collect::USER);
        return;
    };
    let seen = Source { time: Some(newest), ..found.source.clone() }.shows(format!("last written {newest}"));
    let Some((reason, more)) = stale(case, user, newest) else {
        j.good(seen);
        return;
    };
    match error(case, user) {
        Lookup::Found(error) => {
            let mut evidence = vec![seen, error.value];
            evidence.extend(more);
            let summary = format!(
                "The cached service configuration of Office {reason}, and sign-in or licensing fails."
            );
            j.row(crate::checks::judgement::Status::Warning, Confidence::Medium, summary, evidence);
        }
        Lookup::Absent(source) => {
            j.note(format!("The cached service configuration of Office {reason}; no sign-in or licensing error is recorded."));
            j.good(seen);
            j.good(source.shows("no sign-in error in the failure window"));
        }
        Lookup::Unknown(unknown) => {
            j.note(format!(
                "The cached service configuration of Office {reason}; whether sign-in fails is not known."
            ));
            j.missing(&unknown, collect::AAD_LOG);
        }
    }
}

/// Reads the keys, two levels deep as Office writes them, and reports what does not belong there.
fn read(case: &Case<'_>, j: &Judgement, key: &str, names: &Listing<String>) -> Cache {
    let registry = &case.evidence.registry;
    let mut cache = Cache { newest: None, undated: None, unread: names.unread.clone() };
    let mut open: Vec<(String, u32)> = names.iter().rev().map(|name| (format!(r"{key}\{name}"), 1)).collect();
    for _ in 0..MOST_KEYS {
        let Some((key, depth)) = open.pop() else { return cache };
        match registry.key(&key) {
            Lookup::Found(found) => match found.value.last_written {
                Some(time) => cache.newest = cache.newest.max(Some(time)),
                None => {
                    cache.undated =
                        Some("a text form of the registry does not tell when keys were written".to_owned())
                }
            },
            Lookup::Absent(_) => {}
            Lookup::Unknown(unknown) => cache.unread.extend(unknown.reason),
        }
        if let Lookup::Found(values) = registry.values(&key) {
            cache.unread.extend(values.value.unread.iter().cloned());
            for value in values.value.iter() {
                let source = Source {
                    locator: format!("{}!{}", values.source.locator, value.name),
                    ..values.source.clone()
                };
                foreign(j, value, source);
            }
        }
        if depth < 2
            && let Lookup::Found(below) = registry.subkeys(&key)
        {
            cache.unread.extend(below.value.unread.iter().cloned());
            open.extend(
                below.value.iter().rev().map(|name| (format!(r"{key}\{name}"), depth.saturating_add(1))),
            );
        }
    }
    cache
}

/// A page where a configuration should be, or an address that is none of the service's.
fn foreign(j: &Judgement, value: &RegValue, source: Source) {
    let Some(text) = value.as_text() else { return };
    let start: String = text.trim_start().chars().take(64).collect::<String>().to_ascii_lowercase();
    if ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag)) {
        j.warning(
            Confidence::High,
            "The cached service configuration of Office holds a web page: a proxy or a portal answered instead of the service.",
            [source.shows(start)],
        );
        return;
    }
    let Some(host) = host_of_url(text.trim()) else { return };
    if endpoints::find(&host).is_none() {
        let value = Sourced { value: value.clone(), source };
        j.warning(
            Confidence::High,
            format!(
                "The cached service configuration of Office came from {host}, which is none of its services."
            ),
            [value_seen(&value).expected("an address of officeclient.microsoft.com")],
        );
    }
}

/// Why an answer of that time is stale (decision 19), with what shows it.
fn stale(case: &Case<'_>, user: &UserHive, newest: FileTime) -> Option<(String, Option<Observation>)> {
    let mut changes: Vec<(FileTime, &str, Observation)> = Vec::new();
    if let Some(event) = proxy_change(case, user) {
        let seen = event_seen(&event, &["fAutoDetect", "pwszAutoConfigUrl", "pwszProxy"]);
        changes.push((event.value.time, "the user's proxy changed", seen));
    }
    let join = case.evidence.registry.subkeys(JOIN);
    if let Some(found) = join.found().filter(|found| !found.value.is_empty())
        && let Some(time) = found.source.time
    {
        changes.push((time, "the machine joined a tenant", found.shows("joined")));
    }
    if let Some((time, what, seen)) =
        changes.into_iter().filter(|(time, ..)| *time > newest).max_by_key(|(time, ..)| *time)
    {
        return Some((format!("is of {newest}, before {what} ({time})"), Some(seen)));
    }
    let to = case.window()?.to;
    let days = to.seconds_since(newest) / 86_400;
    (days > OLD_DAYS).then(|| (format!("is {days} days old ({newest})"), None))
}

/// The newest record that says another proxy than the one before it.
fn proxy_change<'e>(case: &Case<'e>, user: &UserHive) -> Option<Sourced<&'e Event>> {
    let mut all = case.evidence.events.of(PROXY_CHANGES);
    all.retain(|event| match (event.value.user_sid.as_deref(), &user.sid) {
        (Some(sid), Some(own)) => sid == own.0,
        _ => true,
    });
    let setting = |event: &Event| {
        ["fAutoDetect", "pwszAutoConfigUrl", "pwszProxy"].map(|name| event.field(name).map(str::to_owned))
    };
    all.windows(2).rev().find_map(|pair| match pair {
        [before, after] if setting(before.value) != setting(after.value) => Some(after.clone()),
        _ => None,
    })
}

/// The newest sign-in or licensing error of this user: of the broker, of the licensing service, or in a dialog.
fn error(case: &Case<'_>, user: &UserHive) -> Lookup<Observation> {
    let Some(window) = case.window() else {
        return Lookup::Unknown(Unknown { what: "event logs with a time".to_owned(), reason: None });
    };
    let is_own = |event: &Event| match (event.user_sid.as_deref(), &user.sid) {
        (Some(sid), Some(own)) => sid == own.0 || !sid.starts_with("S-1-5-21-"),
        _ => true,
    };
    let is_failure = |event: &Event| signals::code_of(event).is_some_and(signals::is_broker_failure);
    let broker = case.events(signals::BROKER).into_iter().filter(|event| is_failure(event.value));
    let broker = broker.map(|event| (event_seen(&event, signals::FIELDS), event));
    let licensing = records::failures(case).into_iter().map(|(event, codes)| {
        let code = codes.first().map_or("failed".to_owned(), ErrorCode::to_string);
        (records::seen(&event, &code), event)
    });
    let dialogs = records::dialogs(case).into_iter();
    let dialogs = dialogs.filter(|dialog| dialog.codes.iter().any(|code| is_of_activation(*code)));
    let dialogs = dialogs.map(|dialog| (dialog.seen(), dialog.event));
    let all = broker.chain(licensing).chain(dialogs).filter(|(_, event)| is_own(event.value));
    match all.max_by_key(|(_, event)| event.value.time) {
        Some((seen, event)) => Lookup::Found(Sourced { value: seen, source: event.source }),
        None => match case.evidence.events.ask(Want { ids: &[1098], ..signals::BROKER }, window) {
            Lookup::Unknown(unknown) => Lookup::Unknown(unknown),
            Lookup::Found(found) => Lookup::Absent(found.source),
            Lookup::Absent(source) => Lookup::Absent(source),
        },
    }
}

/// Whether a code in a dialog is about sign-in or licensing: 0x803D… and 0xC004…, the network class, failures of the broker.
fn is_of_activation(code: ErrorCode) -> bool {
    matches!(code.value() >> 16, 0x803d | 0xc004)
        || signals::is_network(code)
        || signals::is_broker_failure(code)
}

fn remedy(case: &Case<'_>) -> Remedy {
    let user = match case.evidence.users.affected() {
        Lookup::Found(user) => user.value.sid.as_ref().map(|sid| format!(r"HKU\{}", sid.0)),
        Lookup::Absent(_) | Lookup::Unknown(_) => None,
    };
    let key = format!(r"{}\{OFFICE}\{CACHE}", user.unwrap_or_else(|| "HKCU".to_owned()));
    Remedy {
        steps: vec![
            "Close all Office programs.".to_owned(),
            format!("reg export \"{key}\" officeclient-before.reg"),
            format!("reg delete \"{key}\" /f (only this key: the article deletes what is below it)"),
            "Restart the machine, start an Office program and sign in.".to_owned(),
        ],
        caution: "Only the cache of this one service; the keys beside it belong to others. Correct the proxy first, or the same answer comes back."
            .to_owned(),
        rollback: "reg import officeclient-before.reg. Office also builds the cache anew by itself.".to_owned(),
        verify: "The key is there again with a new time after Office was started; then try activation again.".to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
