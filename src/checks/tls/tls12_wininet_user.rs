//! Internet options of the user switch TLS 1.2 off.
//!
//! # What it looks at
//! `SecureProtocols` below `Internet Settings` in the hive of the affected user, and the policy of the same name for the user and for the
//! machine; the Windows version; TLS errors in the failure window, also those in dialogs that Office showed to the user.
//!
//! # Why it blocks activation
//! The sign-in window and interactive Office use WinINET, which offers the protocols of this value and no others. Without bit 0x800 the
//! sign-in servers refuse the connection.
//!
//! # Fix
//! Internet options > Advanced > tick "Use TLS 1.2". If a policy sets it, change the policy.
//!
//! # Verify
//! The value holds bit 0x800, and the sign-in window opens.
//!
//! # When this is wrong
//! A policy beats the user's own choice. On Windows 8.1 and later it is a warning as long as no TLS error is recorded. An absent value is
//! the default of Windows, which on 8.1 and older depends on the version of Internet Explorer. 12175 counts only from programs
//! that use WinHTTP and never from a dialog: in WinINET the same number says that content could not be decoded.
//!
//! # Sources
//! domain.md 5.1 `tls12-wininet-user`, 6.1, section 7; trap 11. The policy's path: public conversions of the registry.pol files of the
//! DISA baselines for Internet Explorer 11.

use super::{TLS12, failures, protocols};
use crate::artifact::value::RegValue;
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::signals::{self, DIALOGS};
use crate::checks::{ARTICLE_NETWORK, Article, Check, Layer, Remedy, collect};
use crate::evidence::os::Generation;
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup};

const SETTINGS: &str = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings";
const POLICY: &str = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";
const MACHINE_POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";
const VALUE: &str = "SecureProtocols";

/// The check.
pub const CHECK: Check = Check {
    id: "tls12-wininet-user",
    title: "Internet options of the user switch TLS 1.2 off",
    layer: Layer::Tls,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[DIALOGS[0], DIALOGS[1], DIALOGS[2]],
    healthy: "Internet options of the user include TLS 1.2.",
    source_text: include_str!("tls12_wininet_user.rs"),
    run,
    remedy,
};

/// One place where the protocols are set.
struct Setting {
    mask: u32,
    seen: Observation,
}

fn run(case: &Case<'_>, j: &Judgement) {
    let generation = case.need_generation(j);
    let machine = setting(j, &case.need_value(j, MACHINE_POLICY, VALUE));
    case.each_user(j, |user, j| of_user(case, j, user, machine.as_ref(), generation));
    // The policy of the machine holds for everyone, whoever's hive was collected.
    if let Some(policy) = machine.filter(|policy| policy.mask & TLS12 == 0) {
        let affected = case.evidence.users.affected();
        let user = affected.found().map(|user| &user.value);
        lacks(case, j, generation, user, "The policy of the machine", policy.seen);
    }
}

fn of_user(
    case: &Case<'_>,
    j: &Judgement,
    user: &UserHive,
    machine: Option<&Setting>,
    generation: Option<Generation>,
) {
    let policy = setting(j, &case.need_user_value(j, user, POLICY, VALUE));
    let answer = case.need_user_value(j, user, SETTINGS, VALUE);
    let own = setting(j, &answer);
    if let Some(policy) = policy.as_ref().filter(|policy| policy.mask & TLS12 == 0) {
        lacks(case, j, generation, Some(user), "The policy of the user", policy.seen.clone());
    }
    if let Some(policy) = machine.or(policy.as_ref()) {
        if policy.mask & TLS12 != 0 {
            j.good(policy.seen.clone());
        }
        if let Some(own) = own.filter(|own| own.mask & TLS12 == 0) {
            j.note(format!(
                "The user's own setting ({}) lacks TLS 1.2; the policy is in force.",
                protocols(own.mask)
            ));
        }
        return;
    }
    match (own, answer) {
        (Some(own), _) if own.mask & TLS12 == 0 => {
            lacks(case, j, generation, Some(user), "The user's setting", own.seen)
        }
        (Some(own), _) => j.good(own.seen),
        (None, Lookup::Absent(source)) => absent(j, generation, source.shows("not set")),
        (None, _) => {}
    }
}

/// A set value. One that is no number answers nothing.
fn setting(j: &Judgement, answer: &Lookup<RegValue>) -> Option<Setting> {
    let what = "protocols of the Internet options";
    let value = j.need(answer.found().cloned().map(Lookup::Found)?.numeric(what), collect::USER);
    let value = value.found()?;
    value.value.as_u32().map(|mask| Setting { mask, seen: value.shows(protocols(mask)) })
}

fn lacks(
    case: &Case<'_>,
    j: &Judgement,
    generation: Option<Generation>,
    user: Option<&UserHive>,
    whose: &str,
    seen: Observation,
) {
    let seen = seen.expected("bit 0x800 (TLS 1.2) is set");
    if generation.is_some_and(|generation| generation <= Generation::Eight) {
        j.blocker(Confidence::High, format!("{whose} leaves TLS 1.2 out of the Internet options."), [seen]);
        return;
    }
    match failures::errors_of_user(case, user).last() {
        Some(error) => j.blocker(
            Confidence::High,
            format!("{whose} leaves TLS 1.2 out of the Internet options, and a TLS error is recorded."),
            [seen, signals::error_seen(error)],
        ),
        None => j.warning(
            Confidence::Medium,
            format!("{whose} leaves TLS 1.2 out of the Internet options; no TLS error is recorded."),
            [seen],
        ),
    }
}

fn absent(j: &Judgement, generation: Option<Generation>, seen: Observation) {
    match generation {
        Some(generation) if generation <= Generation::EightOne => j.warning(
            Confidence::Low,
            "The protocols of the Internet options are not set; on this Windows the default depends on the version of Internet Explorer.",
            [seen.expected("bit 0x800 (TLS 1.2) is set")],
        ),
        Some(_) => j.good(seen),
        None => {}
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let affected = case.evidence.users.affected();
    let sid = affected.found().and_then(|user| user.value.sid.clone());
    let root = sid.map_or_else(|| "HKCU".to_owned(), |sid| format!(r"HKU\{}", sid.0));
    let key = format!(r"{root}\{SETTINGS}");
    // What Windows 10 and Windows 11 hold by default: TLS 1.0 to 1.2, and TLS 1.2 and 1.3.
    let eleven = case.os().generation().is_some_and(|generation| generation >= Generation::Eleven);
    let mask = if eleven { "0x2800" } else { "0xA80" };
    Remedy {
        steps: vec![
            "As the affected user: Internet options > Advanced > Security: tick \"Use TLS 1.2\", OK.".to_owned(),
            "If the box is greyed out, a policy sets it (Internet Explorer > Internet Control Panel > Advanced Page > Turn off encryption support): include TLS 1.2 there, then gpupdate /force.".to_owned(),
            format!("By command instead: reg export \"{key}\" internet-settings-before.reg, then reg add \"{key}\" /v {VALUE} /t REG_DWORD /d {mask} /f"),
            "Close all Office programs and start them again.".to_owned(),
        ],
        caution: "The value holds for every program of this user that uses WinINET. Do not tick SSL 2.0 or SSL 3.0.".to_owned(),
        rollback: "reg import internet-settings-before.reg, or untick the box.".to_owned(),
        verify: format!("reg query \"{key}\" /v {VALUE} shows a number with bit 0x800; then try activation again."),
        references: vec![ARTICLE_NETWORK.to_owned()],
    }
}
