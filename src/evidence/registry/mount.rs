//! Brings the hives and texts of a bundle to their live places.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::hive_source::HiveSource;
use super::path::join;
use super::place::{self, Guess};
use super::text_source::TextSource;
use super::{ControlSet, Registry, users};
use crate::artifact::ArtifactId;
use crate::artifact::hive::Hive;
use crate::artifact::hive::log::Replay;
use crate::artifact::reg_export::RegText;
use crate::artifact::security::Sid;
use crate::time::FileTime;

/// Sources that cannot both be what the machine has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The live place that they compete for; empty when a hive has no place at all.
    pub place: String,
    /// The artifact that is used.
    pub used: Option<ArtifactId>,
    /// The artifacts that are not.
    pub ignored: Vec<ArtifactId>,
    /// What happened, in a sentence.
    pub what: String,
}

/// The hives and texts of a bundle, before they are mounted.
#[derive(Debug, Default)]
pub struct Sources {
    hives: Vec<HiveSource>,
    texts: Vec<TextSource>,
}

impl Sources {
    /// Adds a hive. `path` is its path in the bundle; `replay` says what its transaction logs did, `None` when there were none.
    pub fn add_hive(&mut self, artifact: ArtifactId, path: &str, hive: Hive, replay: Option<&Replay>) {
        self.hives.push(HiveSource::new(artifact, path, hive, replay));
    }

    /// Adds keys out of a text form whose age is not known.
    pub fn add_text(&mut self, artifact: ArtifactId, path: &str, text: RegText) {
        self.texts.push(TextSource::new(artifact, path, text, None));
    }

    /// Adds keys out of a text form that was written at a known time (the collector's manifest says when).
    pub fn add_dated_text(&mut self, artifact: ArtifactId, path: &str, text: RegText, taken: FileTime) {
        self.texts.push(TextSource::new(artifact, path, text, Some(taken)));
    }

    /// Mounts everything. Of several hives for one place the one with the most other hives around it is used, then the newest;
    /// backup copies come last.
    pub fn mount(self) -> Registry {
        let Self { hives, texts } = self;
        let mut registry = Registry { hives, texts, ..Registry::default() };
        let guesses: Vec<Guess> =
            registry.hives.iter().map(|hive| place::guess(&hive.hive, &hive.standing.path)).collect();
        for (hive, guess) in registry.hives.iter_mut().zip(&guesses) {
            if let Guess::Machine(place) = guess {
                (*place).clone_into(&mut hive.place);
            }
        }
        registry.leave_out_other_machines();
        registry.settle_places();
        registry.place_users(&guesses);
        registry.settle_places();
        registry.note_homeless(&guesses);
        registry.control_set = registry.find_control_set();
        registry.current_user = users::current_user(&registry);
        registry.users = users::find(&registry, &guesses);
        registry
    }
}

impl Registry {
    /// Two SYSTEM hives with different computer names are two machines: the folder of the one with less evidence is left out as
    /// a whole (decision 24 of the domain reference).
    fn leave_out_other_machines(&mut self) {
        let named: Vec<(usize, String)> = (0..self.hives.len())
            .filter(|index| self.hives.get(*index).is_some_and(|hive| hive.place == r"HKLM\SYSTEM"))
            .filter_map(|index| Some((index, computer_name(self.hives.get(index)?)?)))
            .collect();
        let candidates: Vec<usize> = named.iter().map(|(index, _)| *index).collect();
        let Some(best) = self.best(&candidates) else { return };
        let Some((_, best_name)) = named.iter().find(|(index, _)| *index == best) else { return };
        for (index, name) in named.iter().filter(|(_, name)| !name.eq_ignore_ascii_case(best_name)) {
            let (Some(kept), Some(left)) = (self.hives.get(best), self.hives.get(*index)) else { continue };
            let folder = own_folder(&left.standing.path, &kept.standing.path);
            let mut conflict = Conflict {
                place: r"HKLM\SYSTEM".to_owned(),
                used: Some(kept.standing.artifact),
                ignored: vec![left.standing.artifact],
                what: format!(
                    "two machines: {} is of {best_name}, {} is of {name}; {best_name} is used",
                    kept.standing.path, left.standing.path
                ),
            };
            let inside = |path: &str| folder.as_deref().is_some_and(|folder| path.starts_with(folder));
            for (at, hive) in self.hives.iter_mut().enumerate() {
                if at == *index || inside(&hive.standing.path) {
                    hive.left_out = true;
                    hive.place.clear();
                    if at != *index {
                        conflict.ignored.push(hive.standing.artifact);
                    }
                }
            }
            conflict.ignored.extend(
                self.texts
                    .extract_if(.., |text| inside(&text.standing.path))
                    .map(|text| text.standing.artifact),
            );
            conflict.ignored.sort_unstable();
            conflict.ignored.dedup();
            self.conflicts.push(conflict);
        }
    }

    /// Keeps one hive for each place.
    fn settle_places(&mut self) {
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, hive) in self.hives.iter().enumerate().filter(|(_, hive)| !hive.place.is_empty()) {
            places.entry(hive.place.clone()).or_default().push(index);
        }
        for (place, candidates) in places.into_iter().filter(|(_, candidates)| candidates.len() > 1) {
            let Some(best) = self.best(&candidates) else { continue };
            let Some(used) = self.hives.get(best).map(|hive| hive.standing.clone()) else { continue };
            let (mut ignored, mut paths) = (Vec::new(), Vec::new());
            for index in candidates.into_iter().filter(|index| *index != best) {
                if let Some(hive) = self.hives.get_mut(index) {
                    hive.place.clear();
                    hive.left_out = true;
                    ignored.push(hive.standing.artifact);
                    paths.push(hive.standing.path.clone());
                }
            }
            let what =
                format!("several hives for {place}: {} is used, {} is not", used.path, paths.join(", "));
            self.conflicts.push(Conflict { place, used: Some(used.artifact), ignored, what });
        }
    }

    /// The best of several hives for one place: no backup copy, with the most hives in the outermost folder that not all of the
    /// candidates share, the newest, the first.
    fn best(&self, candidates: &[usize]) -> Option<usize> {
        let path = |index: usize| self.hives.get(index).map_or("", |hive| hive.standing.path.as_str());
        let first = folders(path(*candidates.first()?));
        let common = candidates.iter().fold(first.len(), |common, index| {
            folders(path(*index))
                .iter()
                .zip(first.iter().take(common))
                .take_while(|(one, two)| one == two)
                .count()
        });
        let group = |path| folders(path).into_iter().take(common + 1).collect::<Vec<&str>>();
        let mut around: HashMap<Vec<&str>, usize> = HashMap::new();
        for hive in &self.hives {
            *around.entry(group(&hive.standing.path)).or_default() += 1;
        }
        candidates.iter().copied().max_by_key(|index| {
            let hive = self.hives.get(*index);
            (
                hive.is_some_and(|hive| !hive.is_backup()),
                around.get(&group(path(*index))).copied(),
                hive.map(|hive| hive.last_written),
                Reverse(*index),
            )
        })
    }

    /// Users' hives go to `HKU\<SID>`; the profile list gives the SID where the hive does not.
    fn place_users(&mut self, guesses: &[Guess]) {
        let profiles = users::profile_list(self);
        for (hive, guess) in self.hives.iter_mut().zip(guesses) {
            let Guess::User { sid, name, classes } = guess else { continue };
            if hive.left_out {
                continue;
            }
            let sid = sid.clone().or_else(|| users::sid_by_name(&profiles, name.as_deref()?));
            let user = match (sid, name) {
                (Some(Sid(sid)), _) if sid == "S-1-5-18" => ".DEFAULT".to_owned(),
                (Some(Sid(sid)), _) => sid,
                (None, Some(name)) => name.clone(),
                (None, None) => "unknown".to_owned(),
            };
            hive.place = join("HKU", &user) + if *classes { "_Classes" } else { "" };
        }
    }

    /// Says which hives have no place.
    fn note_homeless(&mut self, guesses: &[Guess]) {
        for (hive, guess) in self.hives.iter().zip(guesses) {
            let why = match guess {
                Guess::Template => "is the template for new profiles and belongs to no user",
                Guess::None => "is no hive that this program knows a place for",
                _ => continue,
            };
            self.conflicts.push(Conflict {
                place: String::new(),
                used: None,
                ignored: vec![hive.standing.artifact],
                what: format!("{} {why}", hive.standing.path),
            });
        }
    }

    fn find_control_set(&self) -> ControlSet {
        let Some(system) = self.hives.iter().find(|hive| hive.place == r"HKLM\SYSTEM") else {
            let text = self.value(r"HKLM\SYSTEM\Select", "Current");
            return match text.found().and_then(|current| current.value.as_u32()) {
                Some(number) => ControlSet::Known { number, doubt: None },
                None => ControlSet::Silent,
            };
        };
        current_control_set(system)
    }
}

/// `Select\Current` of a SYSTEM hive, if the set that it names is there; otherwise the only set, if there is only one.
fn current_control_set(system: &HiveSource) -> ControlSet {
    let current = system.find("Select").and_then(|key| key.map_or(Ok(None), |key| key.value("Current")));
    let why = match current {
        Ok(Some(value)) => match value.as_u32() {
            Some(number) if matches!(system.find(&format!("ControlSet{number:03}")), Ok(Some(_))) => {
                return ControlSet::Known { number, doubt: None };
            }
            _ => format!("Select\\Current is {}, and there is no such control set", value.display()),
        },
        Ok(None) => "Select\\Current is missing".to_owned(),
        Err(error) => format!("Select\\Current cannot be read: {error}"),
    };
    let sets: Vec<u32> = (1..=9)
        .filter(|number| matches!(system.find(&format!("ControlSet{number:03}")), Ok(Some(_))))
        .collect();
    match sets.as_slice() {
        [number] => {
            let doubt = Some(format!("{why}; ControlSet{number:03} is the only control set"));
            ControlSet::Known { number: *number, doubt }
        }
        _ => ControlSet::Unclear(format!("{why}, so the current control set is not known")),
    }
}

fn computer_name(system: &HiveSource) -> Option<String> {
    let ControlSet::Known { number, .. } = current_control_set(system) else { return None };
    let key = system.find(&format!(r"ControlSet{number:03}\Control\ComputerName\ComputerName")).ok()??;
    key.value("ComputerName").ok()??.as_text()
}

/// The folders of a path, from the outside in.
fn folders(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = path.split(['/', '\\']).collect();
    parts.pop();
    parts
}

/// The outermost folder of `path` that `other` is not in, as a prefix of paths; `None` when there is none.
fn own_folder(path: &str, other: &str) -> Option<String> {
    let (own, other) = (folders(path), folders(other));
    let common = own.iter().zip(&other).take_while(|(one, two)| one == two).count();
    own.get(common)?;
    let length: usize = own.iter().take(common + 1).map(|part| part.len() + 1).sum();
    path.get(..length).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_other_machine() {
        assert_eq!(own_folder("a/pc2/config/SYSTEM", "a/pc1/config/SYSTEM").as_deref(), Some("a/pc2/"));
        assert_eq!(own_folder("a/SYSTEM", "a/pc1/config/SYSTEM"), None);
        assert_eq!(own_folder("SYSTEM", "SYSTEM.old"), None);
    }
}
