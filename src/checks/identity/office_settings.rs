//! Settings of Office that stand in several places: which one is in force.
//!
//! A policy from the cloud wins over a group policy, and that over what the user set ("Overview of Cloud Policy service for Microsoft 365",
//! learn.microsoft.com). Only the branch 16.0 counts: 14.0 and 15.0 are other generations of Office (R53).

use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::signals::DIALOGS;
use crate::evidence::registry::UserHive;
use crate::evidence::{Lookup, Sourced};

/// Where a setting of the user can stand, the strongest place first.
const PLACES: [(&str, &str); 3] = [
    (r"Software\Policies\Microsoft\Cloud\Office\16.0", "the policy from the cloud"),
    (r"Software\Policies\Microsoft\Office\16.0", "the policy"),
    (r"Software\Microsoft\Office\16.0", "the user's setting"),
];

/// A setting that is in force.
pub struct Setting {
    /// The number.
    pub value: u32,
    /// Which place it stands in, in words.
    pub place: &'static str,
    /// As evidence.
    pub seen: Observation,
}

/// Notes a value that stands there and does nothing.
pub fn no_number(j: &Judgement, name: &str, place: &str, value: &Sourced<RegValue>) {
    j.note(format!("{name}{place} is no number ({}): Office does not read it.", value.value.display()));
}

/// The value of a user's setting that is in force: `in_force(case, j, user, r"Common\Internet", "UseOnlineContent")`. Every place that cannot
/// be read is noted as missing, and a place that is empty as good.
pub fn in_force(case: &Case<'_>, j: &Judgement, user: &UserHive, below: &str, name: &str) -> Option<Setting> {
    let mut found: Option<Setting> = None;
    for (root, place) in PLACES {
        let value = match case.need_user_value(j, user, &format!(r"{root}\{below}"), name) {
            Lookup::Found(value) => value,
            Lookup::Absent(source) => {
                j.good(source.shows(format!("{name} is not set")));
                continue;
            }
            Lookup::Unknown(_) => continue,
        };
        let Some(number) = value.value.as_u32() else {
            no_number(j, name, &format!(" of {place}"), &value);
            continue;
        };
        match &found {
            None => found = Some(Setting { value: number, place, seen: value_seen(&value) }),
            Some(strong) if strong.value != number => {
                j.note(format!(
                    "{} ({name} {}) is in force, not {place} ({number}).",
                    capital(strong.place),
                    strong.value
                ));
            }
            Some(_) => {}
        }
    }
    found
}

/// Whether the affected user's own setting could be looked up.
pub fn is_collected(case: &Case<'_>, below: &str, name: &str) -> bool {
    let [.., (root, _)] = PLACES;
    let user = case.evidence.users.affected();
    user.found()
        .is_some_and(|user| !case.value(&user.value.path(&format!(r"{root}\{below}")), name).is_unknown())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What the dialog says on an English Windows ("A feature has been disabled by your administrator").
const DISABLED: &str = "disabled by your administrator";

/// The newest dialog inside the failure window in which Office says that a feature was disabled by the administrator.
pub fn disabled_dialog(case: &Case<'_>) -> Option<Observation> {
    let dialogs = DIALOGS.iter().flat_map(|want| case.events(*want));
    let says = |text: &str| text.to_lowercase().contains(DISABLED);
    let mut told = dialogs.filter(|event| event.value.data.iter().any(|field| says(field.value)));
    told.next_back()
        .map(|event| event.shows("a dialog says that the feature is disabled by the administrator"))
}

/// The command that saves what an observation of a registry value stands for, and the one that takes the value away.
pub fn commands(seen: &[Observation]) -> Vec<String> {
    let values = seen.iter().filter_map(|item| item.locator.split_once('!'));
    values
        .flat_map(|(key, name)| {
            if key.to_lowercase().contains(r"\policies\") {
                vec![format!(
                    r#"{name} is set by policy at "{key}": change it in the group policy, in Intune or in Cloud Policy (config.office.com), then: gpupdate /force"#
                )]
            } else {
                vec![
                    format!(r#"reg export "{key}" office-setting.reg"#),
                    format!(r#"reg delete "{key}" /v {name} /f"#),
                ]
            }
        })
        .collect()
}

/// [`commands`] for the evidence of a check.
pub fn commands_for(case: &Case<'_>, id: &str) -> Vec<String> {
    case.outcome(id).map(|outcome| commands(&outcome.evidence)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::commands;
    use crate::artifact::ArtifactId;
    use crate::checks::judgement::Observation;

    #[test]
    fn a_policy_is_changed_where_it_is_made() {
        let seen = |locator: &str| Observation {
            artifact: ArtifactId(0),
            locator: locator.to_owned(),
            observed: "0".to_owned(),
            expected: None,
            time: None,
            doubts: Vec::new(),
        };
        let own = commands(&[seen(
            r"HKU\S-1-5-21-1-2-3-1001\Software\Microsoft\Office\16.0\Common\Internet!UseOnlineContent",
        )]);
        assert_eq!(own.len(), 2);
        assert!(own[1].starts_with("reg delete") && own[1].contains("/v UseOnlineContent /f"));
        let policy = commands(&[
            seen(r"HKCU\Software\Policies\Microsoft\Office\16.0\Common\SignIn!SignInOptions"),
            seen("record 7"),
        ]);
        assert_eq!(policy.len(), 1);
        assert!(policy[0].contains("group policy") && !policy[0].contains("reg delete"));
    }
}
