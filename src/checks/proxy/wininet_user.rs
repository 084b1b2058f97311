//! The user's programs are sent through a proxy that is wrong, dead or unproven.
//!
//! # What it looks at
//! `Internet Settings` of the affected user: the blob `Connections\DefaultConnectionSettings`, which WinINET uses, and the plain values
//! `ProxyEnable`, `ProxyServer` and `AutoConfigURL`, which mirror it; WinINet-Config event 5600, the history of changes; transfers, name
//! queries and connection tests that name the proxy; the user's sign-in errors of the network class, also those in dialogs of Office.
//!
//! # Why it blocks activation
//! Interactive Office and the sign-in window use WinINET. A proxy that is not there any more (a debugging tool on 127.0.0.1, the proxy of
//! another site) stops sign-in, though services may get out.
//!
//! # Fix
//! Settings > Network & internet > Proxy: switch the manual proxy off, or enter the site's proxy.
//!
//! # Verify
//! The page shows the wanted setting, a browser of the same user opens <https://login.microsoftonline.com>, and sign-in gets further.
//!
//! # When this is wrong
//! Only the affected user's settings count: those of a collecting administrator say nothing. Text of a proxy that is switched off is kept by
//! Windows and does no harm. Where `ProxySettingsPerUser` is 0, the user's settings are ignored and this check does not apply. A script is
//! judged by `proxy-pac-wpad`.
//!
//! # Sources
//! domain.md 5.3 `proxy-wininet-user`, 6.6; R7 of section 14; traps 18 and 22.

use super::proof::{self, Named};
use super::settings::{INTERNET_SETTINGS, Internet, Route, Scope, scope};
use super::{PROXY_CHANGES, TRANSFERS};
use crate::artifact::event::Event;
use crate::checks::case::Case;
use crate::checks::judgement::Judgement;
use crate::checks::signals::DIALOGS;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup, Sourced};

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-wininet-user",
    title: "The user's programs use a proxy that is wrong, dead or unproven",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[TRANSFERS, PROXY_CHANGES, DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "The user's programs have no manual proxy, or one that is known to work.",
    source_text: include_str!("wininet_user.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    match scope(case) {
        Scope::Machine(seen) => {
            j.not_applicable(
                "One proxy holds for all users of this machine: see proxy-machine-policy.",
                seen,
            );
            return;
        }
        Scope::Unknown(unknown) => j.missing(&unknown, collect::SOFTWARE),
        Scope::Users(_) | Scope::Both(_) | Scope::Odd(_) => {}
    }
    case.each_user(j, |user, j| of_user(case, j, user));
}

fn of_user(case: &Case<'_>, j: &Judgement, user: &UserHive) {
    let internet = match Internet::read(case, &user.path(INTERNET_SETTINGS)) {
        Ok(internet) => internet,
        Err(unknown) => {
            j.missing(&unknown, collect::USER);
            return;
        }
    };
    if let Some(unknown) = &internet.unread_blob {
        j.missing(unknown, collect::USER);
    }
    for seen in &internet.contradictions {
        j.warning(
            Confidence::Medium,
            "The plain Internet Settings disagree with the connection blob; the blob is what WinINET uses.",
            [seen.clone(), internet.seen.clone()],
        );
    }
    if let Some(text) = &internet.left_over {
        j.note(format!("The proxy {text} is switched off; Windows keeps its text."));
    }
    if let Some(script) = &internet.route.script {
        j.note(format!("The user's programs use the script {script}: see proxy-pac-wpad."));
    }
    if let Some(list) = &internet.route.not_for_https {
        proof::not_for_https(j, list, &internet.seen, "The user's programs");
    }
    match &internet.route.proxy {
        Some(proxy) => {
            let errors = user_errors(case, user);
            let named =
                Named { proxy, seen: &internet.seen, who: "The user's programs", errors, refused: None };
            proof::judge(case, j, &named);
        }
        None => j.good(internet.seen.clone()),
    }
    history(case, j, user, &internet.route);
}

/// Sign-in errors of the network class that this user's proxy can have caused, oldest first: not those of other people. The dialogs of
/// Office tell most, for Office is what uses this proxy, and old Windows has no broker.
fn user_errors<'e>(case: &Case<'e>, user: &UserHive) -> Vec<Sourced<&'e Event>> {
    let own = user.sid.as_ref().map(|sid| sid.0.as_str());
    let mut errors = case.events(signals::BROKER);
    errors.retain(|event| {
        let someone_else = matches!((event.value.user_sid.as_deref(), own), (Some(sid), Some(own)) if sid != own && sid.starts_with("S-1-5-21-"));
        !someone_else
            && signals::code_of(event.value).is_some_and(signals::is_network)
            && !signals::is_disconnected_at(case, event.value.time)
    });
    errors.extend(signals::dialogs(case, user, signals::is_network));
    errors.sort_by_key(|event| event.value.time);
    errors
}

/// What the log of changes says of the time before: a proxy that was taken away inside the window was the fault, and is repaired.
fn history(case: &Case<'_>, j: &Judgement, user: &UserHive, now: &Route) {
    let mut changes = case.events(PROXY_CHANGES);
    changes.retain(|event| match (event.value.user_sid.as_deref(), &user.sid) {
        (Some(sid), Some(own)) => sid == own.0,
        _ => true,
    });
    let proxy_of = |event: &Event| {
        let text = event.field("pwszProxy").unwrap_or_default().trim().to_owned();
        (!text.is_empty()).then(|| signals::mask_credentials(&text))
    };
    let Some(last) = changes.last() else { return };
    let before = changes.iter().rev().skip(1).find_map(|event| proxy_of(event.value));
    match (&now.proxy, proxy_of(last.value), before) {
        (None, None, Some(old)) => {
            j.note(format!("The user's proxy was {old} until {}: was, now repaired.", last.value.time));
        }
        (Some(proxy), Some(set), _) if *proxy == set => {
            j.note(format!("The proxy {proxy} was set at {}.", last.value.time));
        }
        (now, set, _) if *now != set => {
            let set = set.unwrap_or_else(|| "no proxy".to_owned());
            j.note(format!(
                "The newest recorded change of the user's proxy ({}) says {set}.",
                last.value.time
            ));
        }
        _ => {}
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let user = match case.evidence.users.affected() {
        Lookup::Found(user) => user.value.sid.as_ref().map(|sid| format!(r"HKU\{}", sid.0)),
        Lookup::Absent(_) | Lookup::Unknown(_) => None,
    };
    let key = format!(r"{}\{INTERNET_SETTINGS}", user.unwrap_or_else(|| "HKCU".to_owned()));
    Remedy {
        steps: vec![
            format!("reg export \"{key}\" internet-settings-before.reg"),
            "As the affected user: Settings > Network & internet > Proxy (Windows 7, 8: Internet options > Connections > LAN settings): \
             switch the manual proxy off, or enter the site's proxy."
                .to_owned(),
            "Close all Office programs and sign in again.".to_owned(),
            "Behind a proxy: let the required addresses pass without authentication, or send them direct by the exception list.".to_owned(),
        ],
        caution: "Change it in the settings page, not in the plain values: the connection blob decides. A proxy that policy sets comes back."
            .to_owned(),
        rollback: "reg import internet-settings-before.reg, then sign out and in.".to_owned(),
        verify: "The user's browser opens https://login.microsoftonline.com; then try activation again.".to_owned(),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
