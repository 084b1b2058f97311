//! One proxy for all users is set by policy, and it hides or contradicts the user's.
//!
//! # What it looks at
//! `ProxySettingsPerUser` in the policy key of `Internet Settings` (SOFTWARE hive, shared by both views); where it says that the machine's
//! settings count, the connection blob and the plain values below `HKLM\…\Internet Settings`, in both views, with the bitness of Office; and
//! the settings of the affected user.
//!
//! # Why it blocks activation
//! With one setting for all, WinINET ignores what the user has. If nothing is set for the machine, a user who needs a proxy has none; if
//! an old proxy is set there, nobody gets out, and no settings page of the user shows why.
//!
//! # Fix
//! Set the site's proxy for the machine, or take the policy away so that the user's settings count again.
//!
//! # Verify
//! `reg query` shows the policy as wanted, and after a restart the user's browser and activation get out.
//!
//! # When this is wrong
//! Microsoft's texts disagree about the numbers: the group policy and its behaviour make 0 "for the machine"; one support article names 1
//! "per user" and 2 "for all users". So 0 is read as the machine, 1 and a missing value as the user, and 2 is a warning with both shown.
//!
//! # Sources
//! domain.md 5.3 `proxy-machine-policy`; trap 12.

use super::TRANSFERS;
use super::proof::{self, Named};
use super::settings::{INTERNET_SETTINGS, Internet, MACHINE_SETTINGS, POLICY, Scope, scope};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::required::view_of_office;
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::registry::{UserHive, twin};
use crate::evidence::{Confidence, Lookup};

/// The check.
pub const CHECK: Check = Check {
    id: "proxy-machine-policy",
    title: "A proxy for all users hides or contradicts the user's",
    layer: Layer::Proxy,
    article: Article::Network("Check the proxy"),
    wants: &[TRANSFERS],
    healthy: "Policy keeps the proxy per user, or the one for all users is known to work.",
    source_text: include_str!("machine_policy.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let conflict = "Microsoft's texts disagree about ProxySettingsPerUser: 0 is read as one proxy for the machine, 1 as one for each user.";
    match scope(case) {
        Scope::Users(seen) => j.good(seen),
        Scope::Unknown(unknown) => j.missing(&unknown, collect::SOFTWARE),
        Scope::Machine(seen) => {
            j.note(conflict);
            for_the_machine(case, j, &seen);
        }
        Scope::Both(seen) => {
            j.note(conflict);
            let mut evidence = vec![seen.clone()];
            evidence.extend(Internet::read(case, MACHINE_SETTINGS).ok().map(|machine| machine.seen));
            if let Some(user) = case.evidence.users.affected().found() {
                let own = Internet::read(case, &user.value.path(INTERNET_SETTINGS));
                evidence.extend(own.ok().map(|own| own.seen));
            }
            let summary = "ProxySettingsPerUser is 2, which one text reads as one proxy for all users and others do not know.";
            j.row(crate::checks::judgement::Status::Warning, Confidence::Low, summary.to_owned(), evidence);
            for_the_machine(case, j, &seen);
        }
        Scope::Odd(seen) => {
            j.note(conflict);
            j.warning(
                Confidence::Low,
                "ProxySettingsPerUser holds a value that no source knows.",
                [seen.expected("0, 1 or not set")],
            );
        }
    }
}

/// The settings of the machine are in force.
fn for_the_machine(case: &Case<'_>, j: &Judgement, policy: &Observation) {
    let machine = match Internet::read(case, MACHINE_SETTINGS) {
        Ok(machine) => machine,
        Err(unknown) => {
            j.missing(&unknown, collect::SOFTWARE);
            return;
        }
    };
    compare_views(case, j, &machine);
    if let Some(script) = &machine.route.script {
        j.note(format!("The script {script} is set for all users: see proxy-pac-wpad."));
    }
    if let Some(list) = &machine.route.not_for_https {
        proof::not_for_https(j, list, &machine.seen, "All users");
    }
    match &machine.route.proxy {
        Some(proxy) => {
            let errors = signals::network_errors(case);
            let named = Named { proxy, seen: &machine.seen, who: "All users", errors, refused: None };
            proof::judge(case, j, &named);
        }
        None => {
            j.good(policy.clone());
            j.good(machine.seen.clone());
        }
    }
    if machine.route.is_direct() {
        case.each_user(j, |user, j| ignored(case, j, user, policy, &machine));
    }
}

/// The user's proxy, which nobody uses.
fn ignored(case: &Case<'_>, j: &Judgement, user: &UserHive, policy: &Observation, machine: &Internet) {
    match Internet::read(case, &user.path(INTERNET_SETTINGS)) {
        Ok(own) if !own.route.is_direct() => j.warning(
            Confidence::Medium,
            format!(
                "The user has a {}, but policy makes WinINET use the machine's settings, which have none.",
                own.route.words()
            ),
            [policy.clone(), machine.seen.clone(), own.seen],
        ),
        Ok(own) => j.good(own.seen),
        Err(unknown) => j.missing(&unknown, collect::USER),
    }
}

/// 32-bit programs read another copy of the machine's settings: say which Office uses which.
fn compare_views(case: &Case<'_>, j: &Judgement, machine: &Internet) {
    let two = case.evidence.has_two_views();
    if two.found().is_none_or(|two| !two.value) {
        return;
    }
    let Some(Ok(other)) = twin(MACHINE_SETTINGS).map(|key| Internet::read(case, &key)) else { return };
    if (&other.route.proxy, &other.route.script) == (&machine.route.proxy, &machine.route.script) {
        return;
    }
    let words =
        format!("64-bit programs have {}, 32-bit programs {}", machine.route.words(), other.route.words());
    match (view_of_office(case), &other.route.proxy) {
        // The sign-in broker is 64-bit: both proxies count.
        (Some("32-bit"), Some(proxy)) => {
            j.note(format!("{words}: this Office is 32-bit."));
            let errors = signals::network_errors(case);
            let who = "All users' 32-bit programs, Office among them,";
            let named = Named { proxy, seen: &other.seen, who, errors, refused: None };
            proof::judge(case, j, &named);
        }
        (Some(view), _) => j.note(format!("{words}: this Office is {view}.")),
        (None, _) => j.warning(
            Confidence::Medium,
            format!("The two views of the machine's proxy differ: {words}. Which of them Office uses is not known."),
            [machine.seen.clone(), other.seen],
        ),
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut steps = vec![
        format!("reg export \"{POLICY}\" proxy-policy-before.reg"),
        format!("reg export \"{MACHINE_SETTINGS}\" machine-proxy-before.reg"),
        "If the site wants one proxy for all users: set it by group policy (Computer Configuration > Administrative Templates > Windows \
         Components > Internet Explorer > Make proxy settings per-machine) and enter the right one."
            .to_owned(),
        format!("If each user shall have a proxy of his own: set the policy to Not configured, or reg delete \"{POLICY}\" /v ProxySettingsPerUser /f"),
        "gpupdate /force, then restart.".to_owned(),
    ];
    if let Lookup::Found(found) = case.value(POLICY, "ProxySettingsPerUser") {
        steps.insert(0, format!("Note the present value: {}.", found.value.display()));
    }
    Remedy {
        steps,
        caution:
            "A value that policy wrote comes back with the next refresh: change the policy, not the registry."
                .to_owned(),
        rollback: "reg import proxy-policy-before.reg and machine-proxy-before.reg, then restart.".to_owned(),
        verify: format!("reg query \"{POLICY}\" /v ProxySettingsPerUser, then try activation again."),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
