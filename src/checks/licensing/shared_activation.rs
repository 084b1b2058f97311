//! Whether shared computer activation is on: three places of the registry, and what `vnextdiag.ps1` adds.
//!
//! The registry decides (R41). The script takes the text "0" for *on*, because a text that is not empty is true in PowerShell, so its word
//! counts only with a token below it, or where no registry was collected.

use super::products::CONFIGURATION;
use crate::artifact::capture::vnextdiag::{Part, Sharing, Token};
use crate::artifact::capture::{CaptureData, CaptureKind, vnextdiag};
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::Observation;
use crate::evidence::{Lookup, Sourced, Unknown, captures};

/// The name of the value in all three places.
pub const NAME: &str = "SharedComputerLicensing";
/// The place of App-V, which counts too (R41).
pub const LICENSING: &str = r"HKLM\SOFTWARE\Microsoft\Office\16.0\Common\Licensing";
/// The policy.
pub const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Office\16.0\Common\Licensing";

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Click-to-Run.
    Configuration,
    /// `Office\16.0\Common\Licensing`, in either view.
    Licensing,
    /// Group Policy.
    Policy,
}

/// What the places say.
#[derive(Debug, Default)]
pub struct Setting {
    /// Places that say 1.
    pub on: Vec<(Place, Observation)>,
    /// Places that say 0.
    pub off: Vec<(Place, Observation)>,
    /// Places of a collected hive or export without the value.
    pub absent: Vec<Observation>,
    /// Places of which nobody can tell.
    pub unknown: Vec<Unknown>,
}

/// What `vnextdiag.ps1` says.
#[derive(Debug)]
pub struct Script {
    /// `SharedComputerLicensing = Enabled`.
    pub enabled: bool,
    /// Its line.
    pub seen: Observation,
}

/// The tokens of the user who ran the script.
pub enum Tokens {
    /// There is at least one that has not run out, as far as is known.
    There(Observation),
    /// Files of tokens are there; how long they run is not visible.
    Files(Observation),
    /// All have run out.
    Expired(Observation),
    /// There is none.
    None(Observation),
    /// Nobody can tell, with the reason.
    Unknown(Unknown),
}

/// "1" and 1 are on, "0" and 0 are off; anything else says nothing.
pub fn is_on(value: &RegValue) -> Option<bool> {
    let number = value.as_u32().map(|number| number.to_string()).or_else(|| value.as_text());
    match number.as_deref().map(str::trim) {
        Some("1") => Some(true),
        Some("0" | "") => Some(false),
        _ => None,
    }
}

impl Setting {
    /// Asks the three places; `configuration` is the key of Click-to-Run.
    pub fn read(case: &Case<'_>, configuration: &str) -> Self {
        let mut setting = Self::default();
        setting.add(Place::Configuration, case.value(configuration, NAME));
        setting.add(Place::Licensing, case.value(LICENSING, NAME));
        // Office writes only the view of its own bitness: the other one adds, and is never missed.
        if let Some(Lookup::Found(value)) = case.second_view(LICENSING, NAME) {
            setting.add(Place::Licensing, Lookup::Found(value));
        }
        setting.add(Place::Policy, case.value(POLICY, NAME));
        setting
    }

    fn add(&mut self, place: Place, value: Lookup<RegValue>) {
        match value {
            Lookup::Found(value) => match is_on(&value.value) {
                Some(true) => self.on.push((place, value_seen(&value))),
                Some(false) => self.off.push((place, value_seen(&value))),
                None => self.unknown.push(unclear(&value)),
            },
            Lookup::Absent(source) => self.absent.push(source.shows("not set")),
            Lookup::Unknown(unknown) => self.unknown.push(unknown),
        }
    }

    /// Whether any place says 1.
    pub fn is_on(&self) -> bool {
        !self.on.is_empty()
    }

    /// Whether every place is known and none says 1.
    pub fn is_off(&self) -> bool {
        self.on.is_empty() && self.unknown.is_empty()
    }

    /// Whether a hive or export covers any of the places: then the script's word alone does not count.
    pub fn is_collected(&self) -> bool {
        !(self.on.is_empty() && self.off.is_empty() && self.absent.is_empty())
    }

    /// The places that say 1, as evidence.
    pub fn seen_on(&self) -> Vec<Observation> {
        self.on.iter().map(|(_, seen)| seen.clone()).collect()
    }

    /// The places that say 0 or nothing, as evidence.
    pub fn seen_off(&self) -> Vec<Observation> {
        self.off.iter().map(|(_, seen)| seen.clone()).chain(self.absent.iter().cloned()).collect()
    }
}

fn unclear(value: &Sourced<RegValue>) -> Unknown {
    Unknown {
        what: "setting of shared computer activation".to_owned(),
        reason: Some(format!("{} holds {}", value.source.locator, value.value.display())),
    }
}

/// Whether the registry says that shared computer activation is on, for checks that only ask that.
pub fn switched_on(case: &Case<'_>) -> Option<Observation> {
    let key = super::products::installed(case).found().map(|found| found.value.key.clone());
    let setting = Setting::read(case, key.as_deref().unwrap_or(CONFIGURATION));
    setting.seen_on().into_iter().next()
}

fn listings<'e>(case: &Case<'e>) -> Vec<Sourced<&'e vnextdiag::Data>> {
    let of = |capture: Sourced<&'e crate::artifact::capture::Capture>| match &capture.value.data {
        CaptureData::Vnextdiag(data) => Some(Sourced { value: data, source: capture.source }),
        _ => None,
    };
    case.captures(CaptureKind::Vnextdiag).into_iter().filter_map(of).collect()
}

/// What the script says of the setting.
pub fn script(case: &Case<'_>) -> Option<Script> {
    listings(case).into_iter().find_map(|listing| {
        let number = listing.value.shared_computer_line?;
        let seen = captures::line(listing.source.artifact, number);
        match listing.value.shared_computer {
            Sharing::Enabled => {
                Some(Script { enabled: true, seen: seen.shows("SharedComputerLicensing = Enabled") })
            }
            Sharing::Disabled => {
                Some(Script { enabled: false, seen: seen.shows("SharedComputerLicensing = Disabled") })
            }
            Sharing::NotConfigured => {
                Some(Script { enabled: false, seen: seen.shows("no value of shared computer activation") })
            }
            Sharing::NotShown => None,
        }
    })
}

/// The tokens: from the script, else from a listing of their folder.
pub fn tokens(case: &Case<'_>) -> Tokens {
    for listing in listings(case) {
        let artifact = listing.source.artifact;
        match &listing.value.tokens {
            Part::None(number) => {
                return Tokens::None(captures::line(artifact, *number).shows("No tokens found."));
            }
            Part::Listed(tokens) if !tokens.is_empty() => {
                let seen = |token: &Token| {
                    let until = token.not_after.as_deref().unwrap_or("an unknown time");
                    captures::line(artifact, token.line).shows(format!("a token until {until}"))
                };
                let valid = tokens.iter().find(|token| !has_run_out(case, token));
                return match (valid, tokens.last()) {
                    (Some(token), _) => Tokens::There(seen(token)),
                    (None, Some(token)) => Tokens::Expired(seen(token)),
                    (None, None) => continue,
                };
            }
            Part::Listed(_) | Part::NotShown => {}
        }
    }
    super::licences::listed_folder(case, r"Microsoft\Office\16.0\Licensing").map_or_else(
        || {
            let what = "tokens of shared computer activation (vnextdiag.ps1 -action list)".to_owned();
            Tokens::Unknown(Unknown { what, reason: None })
        },
        |folder| match folder.files {
            0 => Tokens::None(folder.seen),
            _ => Tokens::Files(folder.seen),
        },
    )
}

/// Whether a token's time is over. One without a legible time counts as valid: it is there.
fn has_run_out(case: &Case<'_>, token: &Token) -> bool {
    let until = token.not_after.as_deref().and_then(crate::time::FileTime::parse);
    until.zip(case.window()).is_some_and(|(until, window)| until < window.to)
}

#[cfg(test)]
mod tests {
    use super::is_on;
    use crate::artifact::value::{RegValue, ValueType};

    #[test]
    fn the_text_zero_is_off() {
        // domain.md R41: Click-to-Run stores texts, and "0" is off whatever vnextdiag prints.
        let text = |text: &str| RegValue::string("SharedComputerLicensing", ValueType::SZ, text);
        assert_eq!(is_on(&text("1")), Some(true));
        assert_eq!(is_on(&text("0")), Some(false));
        assert_eq!(is_on(&RegValue::dword("SharedComputerLicensing", 1)), Some(true));
        assert_eq!(is_on(&RegValue::dword("SharedComputerLicensing", 0)), Some(false));
        assert_eq!(is_on(&text("maybe")), None);
    }
}
