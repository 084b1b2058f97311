//! Modern authentication or the broker is switched off for Office.
//!
//! # What it looks at
//! `EnableADAL`, `DisableADALatopWAMOverride`, `DisableAADWAM`, `DisableMSAWAM` and `NoDomainUser` in `Software\[Policies\]Microsoft\Office\16.0\Common\Identity`
//! of the affected user and of the machine.
//!
//! # Why it blocks activation
//! With `EnableADAL` 0 Office signs in the old way, which the service refuses. Without the broker (Web Account Manager) Office cannot show the
//! device's identity, so conditional access that asks for a known device fails, and sign-in prompts can come again and again.
//!
//! # Fix
//! Take the values away.
//!
//! # Verify
//! Sign-in opens the broker's window, and the prompt does not come back.
//!
//! # When this is wrong
//! `NoDomainUser` is left by a documented remedy and harmless. Before Windows 10 1703 Office does not use the broker, so switching it off changes
//! nothing there. Whether the machine's key or the user's wins is not documented: any bad value counts, with less confidence beside a good one.
//!
//! # Sources
//! domain.md 5.20 `adal-wam-disabled`; decision 16 of section 13; "Identity and authentication in Office", "Disabling ADAL or WAM is not
//! recommended" (learn.microsoft.com).

use super::answers;
use super::join;
use super::office_settings;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup, Sourced};

/// The check.
pub const CHECK: Check = Check {
    id: "adal-wam-disabled",
    title: "Modern authentication or the broker is switched off for Office",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: answers::WANTS,
    healthy: "Nothing switches modern authentication or the broker off for Office.",
    source_text: include_str!("adal_wam_disabled.rs"),
    run,
    remedy,
};

/// What a value does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Old sign-in only.
    NoModern,
    /// No broker.
    NoBroker,
    /// No broker for personal accounts; the name is from practice.
    NoBrokerPersonal,
    /// Left by a remedy.
    Harmless,
}

/// Values by name: which number is bad, and what it does.
const VALUES: [(&str, u32, Effect); 5] = [
    ("EnableADAL", 0, Effect::NoModern),
    ("DisableADALatopWAMOverride", 1, Effect::NoBroker),
    ("DisableAADWAM", 1, Effect::NoBroker),
    ("DisableMSAWAM", 1, Effect::NoBrokerPersonal),
    ("NoDomainUser", 1, Effect::Harmless),
];
const POLICY: &str = r"Software\Policies\Microsoft\Office\16.0\Common\Identity";
const SETTING: &str = r"Software\Microsoft\Office\16.0\Common\Identity";
/// Numbers of conditional access that only a known device satisfies (compliant, joined, authenticated).
const DEVICE_POLICY: [u32; 3] = [53_000, 53_001, 50_097];
/// The first build on which Office uses the broker (Windows 10 1703).
const BROKER_BUILD: u32 = 15_000;

fn run(case: &Case<'_>, j: &Judgement) {
    case.each_user(j, |user, j| of_places(case, j, Some(user)));
    // The machine's values hold for everyone, whoever's hive was collected.
    if !matches!(case.evidence.users.affected(), Lookup::Found(_)) {
        of_places(case, j, None);
    }
}

/// Every value of one name: the policies, then the settings.
fn found(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>, name: &str) -> [Vec<Sourced<RegValue>>; 2] {
    [POLICY, SETTING].map(|below| {
        let machine = format!(r"HKLM\{}", below.replacen("Software", "SOFTWARE", 1));
        let second = case.second_view(&machine, name);
        let mut answers = Vec::new();
        if let Some(user) = user {
            answers.push(case.need_user_value(j, user, below, name));
        }
        answers.push(case.need_value(j, &machine, name));
        answers.extend(second.map(|answer| j.need(answer, crate::checks::collect::for_key(&machine))));
        let mut values = Vec::new();
        for answer in answers {
            match answer {
                Lookup::Found(value) => values.push(value),
                Lookup::Absent(source) => j.good(source.shows(format!("{name} is not set"))),
                Lookup::Unknown(_) => {}
            }
        }
        values
    })
}

fn of_places(case: &Case<'_>, j: &Judgement, user: Option<&UserHive>) {
    for (name, bad, effect) in VALUES {
        let [policies, settings] = found(case, j, user, name);
        let is_bad = |value: &&Sourced<RegValue>| value.value.as_u32() == Some(bad);
        let is_number = |value: &&Sourced<RegValue>| value.value.as_u32().is_some();
        // A policy decides where there is one.
        let deciding = if policies.iter().any(|value| is_number(&value)) { &policies } else { &settings };
        if policies.iter().any(|value| is_number(&value))
            && settings.iter().any(|value| is_bad(&value))
            && !policies.iter().any(|value| is_bad(&value))
        {
            j.note(format!("{name} is {bad} in a setting, but the policy says otherwise and wins."));
        }
        for value in policies.iter().chain(&settings).filter(|value| !is_number(value)) {
            office_settings::no_number(j, name, "", value);
        }
        let contradicted = deciding.iter().any(|value| is_number(&value) && !is_bad(&value));
        match deciding.iter().find(is_bad) {
            Some(value) => judge(case, j, effect, contradicted, (name, value_seen(value))),
            None => deciding.iter().filter(is_number).for_each(|value| j.good(value_seen(value))),
        }
    }
}

fn judge(
    case: &Case<'_>,
    j: &Judgement,
    effect: Effect,
    contradicted: bool,
    (name, seen): (&str, Observation),
) {
    let weighed = |confidence: Confidence| if contradicted { confidence.lowered() } else { confidence };
    let seen = seen.expected("not set");
    match effect {
        Effect::NoModern => j.row(
            Status::Blocker,
            weighed(Confidence::High),
            "Modern authentication is switched off for Office (EnableADAL 0).".to_owned(),
            vec![seen],
        ),
        Effect::NoBroker => without_broker(case, j, weighed(Confidence::Medium), name, seen),
        Effect::NoBrokerPersonal => {
            let summary = format!("The broker seems to be switched off for personal accounts ({name} 1).");
            j.row(Status::Warning, Confidence::Low, summary, vec![seen]);
        }
        Effect::Harmless => {
            j.note(format!("{name} is 1: a remedy for wrong single sign-on was applied."));
            j.good(seen);
        }
    }
}

fn without_broker(case: &Case<'_>, j: &Judgement, confidence: Confidence, name: &str, seen: Observation) {
    if case.os().build_number().is_some_and(|build| build < BROKER_BUILD) {
        j.note(format!("{name} is 1, but Office does not use the broker on this Windows."));
        j.good(seen);
        return;
    }
    let joined = join::Status::all(case).iter().any(|status| status.is_joined() == Some(true))
        || join::registry_join(case).found().is_some_and(|join| join.value);
    let refused = answers::read(case, &Judgement::default());
    let good = answers::Good::read(case);
    let refusal =
        refused.iter().rfind(|answer| DEVICE_POLICY.contains(&answer.code) && !good.since(answer.time));
    if name == "DisableAADWAM"
        && joined
        && let Some(refusal) = refusal
    {
        let summary = format!(
            "The broker is switched off for Office ({name} 1), so a joined device cannot show itself to the policy that refused the sign-in ({}).",
            refusal.meaning()
        );
        j.row(Status::Blocker, confidence, summary, vec![seen, refusal.seen.clone()]);
        return;
    }
    let summary =
        format!("The broker is switched off for Office ({name} 1), which Microsoft advises against.");
    j.row(Status::Warning, confidence, summary, vec![seen]);
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut steps = office_settings::commands_for(case, CHECK.id);
    steps.push("Close all Office programs, sign the user out of Windows and in again, start an Office program and sign in.".to_owned());
    Remedy {
        steps,
        caution: "The broker was often switched off to get around another fault: look at the findings about the broker first, or that fault comes back.".to_owned(),
        rollback: "Import office-setting.reg, or set the policy as it was.".to_owned(),
        verify: "The sign-in window is that of Windows, and it does not come back after a restart of Office.".to_owned(),
        references: vec![
            "https://learn.microsoft.com/microsoft-365/enterprise/modern-auth-for-office-2013-and-2016".to_owned(),
            "\"Disabling ADAL or WAM is not recommended for fixing Office sign-in or activation issues\" (learn.microsoft.com)".to_owned(),
        ],
    }
}
