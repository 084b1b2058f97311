//! What stands beside the switch of shared computer activation: where tokens are kept, FSLogix, longer offline use.

use super::shared_activation::{self as sca, LICENSING, POLICY, Setting};
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::collect;
use crate::checks::dns::answers::{self, Answer, Ending};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::evidence::{Confidence, Lookup, Sourced};

/// How to list licences and tokens.
pub const VNEXTDIAG: &str = "as the affected user, in the folder Office16: powershell -ExecutionPolicy Bypass -File .\\vnextdiag.ps1 -action list *> vnextdiag.txt";
const FSLOGIX: &str = r"HKLM\SOFTWARE\Policies\FSLogix\ODFC";

/// Where tokens are kept, when it is not the user's own folder.
const FOLDER: &str = "SCLCacheOverrideDirectory";
/// Places beside Click-to-Run that the settings can stand in: App-V's and the policy.
const OTHER_PLACES: [&str; 2] = [LICENSING, POLICY];

/// Tokens in a folder of the network that roams with the user (`SCLCacheOverride`).
pub fn roaming(case: &Case<'_>, j: &Judgement, configuration: &str) {
    let needed = case.need_value(j, configuration, "SCLCacheOverride");
    let others = OTHER_PLACES.map(|key| case.value(key, "SCLCacheOverride"));
    let is_on = |value: &&Sourced<RegValue>| sca::is_on(&value.value) == Some(true);
    let mut places = [&needed].into_iter().chain(&others).filter_map(Lookup::found);
    let Some(switch) = places.find(is_on) else { return };
    let folders = OTHER_PLACES.map(|key| case.value(key, FOLDER));
    let folder = match folders.into_iter().find(|folder| folder.found().is_some()) {
        Some(folder) if case.value(configuration, FOLDER).found().is_none() => folder,
        _ => case.need_value(j, configuration, FOLDER),
    };
    let text = folder.found().and_then(|value| value.value.as_text()).unwrap_or_default().trim().to_owned();
    match folder {
        Lookup::Unknown(_) => {}
        Lookup::Found(value) if !text.is_empty() => {
            let host = text.strip_prefix(r"\\").and_then(|rest| rest.split('\\').next()).unwrap_or_default();
            match unresolved(case, host) {
                Some(failed) => j.warning(
                    Confidence::Medium,
                    "Tokens of shared computer activation are kept on a server whose name does not resolve.",
                    [value_seen(&value), failed],
                ),
                None => {
                    j.note(format!("Tokens are kept in {text}; whether users can write there is not visible here."));
                    j.good(value_seen(&value));
                }
            }
        }
        Lookup::Found(_) | Lookup::Absent(_) => j.warning(
            Confidence::Medium,
            "Tokens of shared computer activation are to be kept elsewhere (SCLCacheOverride), and no folder is set.",
            [value_seen(switch).expected("SCLCacheOverrideDirectory beside it")],
        ),
    }
}

/// The last name query for a server, when all of them found nothing.
fn unresolved(case: &Case<'_>, host: &str) -> Option<Observation> {
    let all = answers::collected(case);
    let about = |answer: &&Answer| answer.names.iter().any(|name| name.eq_ignore_ascii_case(host));
    let failed = |answer: &Answer| matches!(answer.ending, Ending::NoName | Ending::NoAnswer);
    let asked: Vec<&Answer> = all.iter().filter(about).collect();
    asked.iter().all(|answer| failed(answer)).then(|| asked.last().map(|answer| answer.seen())).flatten()
}

/// FSLogix keeps the activation in the user's container too, unless it is told not to (R63).
pub fn fslogix(case: &Case<'_>, j: &Judgement, setting: &Setting) {
    let enabled = j.need(case.value(FSLOGIX, "Enabled"), collect::SOFTWARE);
    if enabled.found().is_none_or(|value| sca::is_on(&value.value) != Some(true)) {
        return;
    }
    match j.need(case.value(FSLOGIX, "IncludeOfficeActivation"), collect::SOFTWARE) {
        Lookup::Found(value) if sca::is_on(&value.value) == Some(true) => {
            let evidence = [vec![value_seen(&value).expected("0 where users sign in without a prompt")], setting.seen_on()];
            let summary = "FSLogix keeps the activation of Office in the user's container beside shared computer activation.";
            j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence.concat());
        }
        Lookup::Found(value) => j.good(value_seen(&value)),
        Lookup::Absent(_) => j.note(
            "FSLogix holds Office data (ODFC), and IncludeOfficeActivation is not set: 0 is recommended with single sign-on.",
        ),
        Lookup::Unknown(_) => {}
    }
}

/// The policy for longer offline use.
pub fn offline(case: &Case<'_>, j: &Judgement) {
    let value = case.value(POLICY, "ExtendedOfflineSubscription");
    if value.found().is_some_and(|value| sca::is_on(&value.value) == Some(true)) {
        j.note("A policy allows longer offline use (ExtendedOfflineSubscription).");
    }
}
