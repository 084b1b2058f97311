//! Whose hives there are.

use std::collections::HashSet;

use super::Registry;
use super::path::{below, fold, join};
use super::place::Guess;
use crate::artifact::ArtifactId;
use crate::artifact::security::Sid;
use crate::time::FileTime;

const PROFILE_LIST: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

/// One account whose part of the registry was collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserHive {
    /// The account; `None` for an export of `HKEY_CURRENT_USER` that does not show whose it is, and for a profile folder that
    /// nothing connects with a SID.
    pub sid: Option<Sid>,
    /// The name of the profile folder, or the user name that a volatile environment shows.
    pub name: Option<String>,
    /// The profile's path on the machine, from the profile list.
    pub profile: Option<String>,
    /// Where the keys are: `HKU\S-1-5-21-…` or `HKCU`. See [`Self::path`].
    pub mount: String,
    /// The hive, or the first text that shows keys of the account.
    pub artifact: ArtifactId,
    /// Newest write to the hive; `None` for texts.
    pub last_written: Option<FileTime>,
}

impl UserHive {
    /// The full path of a key of this user: `path(r"Software\Microsoft\Office")`.
    pub fn path(&self, below: &str) -> String {
        join(&self.mount, below)
    }

    /// Whether this is SYSTEM, LOCAL SERVICE or NETWORK SERVICE and not a person.
    pub fn is_service(&self) -> bool {
        self.sid.as_ref().is_some_and(|sid| matches!(sid.0.as_str(), "S-1-5-18" | "S-1-5-19" | "S-1-5-20"))
    }
}

impl Registry {
    /// The people whose registry was collected, hives first, in the order of the bundle. Service accounts are not among them;
    /// they have fixed places (`HKU\.DEFAULT`, `HKU\S-1-5-19`, `HKU\S-1-5-20`).
    pub fn user_hives(&self) -> impl Iterator<Item = &UserHive> {
        self.users.iter().filter(|user| !user.is_service())
    }

    /// All accounts, service accounts included.
    pub fn accounts(&self) -> &[UserHive] {
        &self.users
    }

    /// The account with a SID.
    pub fn user(&self, sid: &Sid) -> Option<&UserHive> {
        self.users.iter().find(|user| user.sid.as_ref() == Some(sid))
    }
}

/// A profile of the machine's profile list.
#[derive(Debug)]
pub(super) struct Profile {
    sid: Sid,
    path: String,
}

/// The profiles that the SOFTWARE hive (or an export of it) lists.
pub(super) fn profile_list(registry: &Registry) -> Vec<Profile> {
    let Some(sids) = registry.subkeys(PROFILE_LIST).found().map(|found| found.value.items.clone()) else {
        return Vec::new();
    };
    sids.into_iter()
        .filter(|sid| sid.starts_with("S-1-") && !sid.ends_with(".bak"))
        .filter_map(|sid| {
            let path = registry.value(&join(PROFILE_LIST, &sid), "ProfileImagePath");
            let path = path.found()?.value.as_text()?;
            Some(Profile { sid: Sid(sid), path })
        })
        .collect()
}

/// The SID of a profile folder, if only one profile has that folder.
pub(super) fn sid_by_name(profiles: &[Profile], name: &str) -> Option<Sid> {
    let mut named = profiles.iter().filter(|profile| {
        profile.path.rsplit(['\\', '/']).next().is_some_and(|folder| fold(folder) == fold(name))
    });
    let profile = named.next()?;
    named.next().is_none().then(|| profile.sid.clone())
}

/// Where `HKCU` in the texts belongs, if its volatile environment names a profile that the profile list has.
pub(super) fn current_user(registry: &Registry) -> Option<String> {
    let profile = registry.value(r"HKCU\Volatile Environment", "USERPROFILE").found()?.value.as_text()?;
    let profiles = profile_list(registry);
    let of_user = profiles.iter().find(|known| fold(&known.path) == fold(&profile))?;
    Some(join("HKU", &of_user.sid.0))
}

/// All accounts that the hives and texts show.
pub(super) fn find(registry: &Registry, guesses: &[Guess]) -> Vec<UserHive> {
    let profiles = profile_list(registry);
    let mut users: Vec<UserHive> = Vec::new();
    for (hive, guess) in registry.hives.iter().zip(guesses) {
        let (Some(user), Guess::User { name, .. }) = (below(&hive.place, "HKU"), guess) else { continue };
        let mount = join("HKU", user.strip_suffix("_Classes").unwrap_or(user));
        let classes_only = user.ends_with("_Classes");
        match users.iter_mut().find(|known| known.mount == mount) {
            Some(known) if !classes_only => {
                (known.artifact, known.last_written) = (hive.standing.artifact, Some(hive.last_written));
            }
            Some(_) => {}
            None => {
                let mut user = account(&profiles, mount, hive.standing.artifact, Some(hive.last_written));
                user.name = name.clone().or(user.name);
                users.push(user);
            }
        }
    }
    let mut known: HashSet<String> = users.iter().map(|user| fold(&user.mount)).collect();
    for text in &registry.texts {
        for key in text.listed() {
            let mount = match below(&key.path, "HKU").filter(|rest| !rest.is_empty()) {
                Some(rest) => {
                    let user = rest.split('\\').next().unwrap_or_default();
                    let user = user.strip_suffix("_Classes").unwrap_or(user);
                    join("HKU", if fold(user) == "s-1-5-18" { ".DEFAULT" } else { user })
                }
                None if below(&key.path, "HKCU").is_some() => {
                    registry.current_user.clone().unwrap_or_else(|| "HKCU".to_owned())
                }
                None => continue,
            };
            if known.insert(fold(&mount)) {
                users.push(account(&profiles, mount, text.standing.artifact, None));
            }
        }
    }
    for user in users.iter_mut().filter(|user| user.mount == "HKCU") {
        let name = registry.value(r"HKCU\Volatile Environment", "USERNAME");
        user.name = name.found().and_then(|name| name.value.as_text());
    }
    users
}

fn account(
    profiles: &[Profile],
    mount: String,
    artifact: ArtifactId,
    last_written: Option<FileTime>,
) -> UserHive {
    let sid = match below(&mount, "HKU") {
        Some(".DEFAULT") => Some(Sid("S-1-5-18".to_owned())),
        Some(user) if user.starts_with("S-1-") => Some(Sid(user.to_owned())),
        _ => None,
    };
    let profile = profiles
        .iter()
        .find(|profile| Some(&profile.sid) == sid.as_ref())
        .map(|profile| profile.path.clone());
    let name = profile.as_ref().and_then(|path| path.rsplit(['\\', '/']).next()).map(str::to_owned);
    UserHive { sid, name, profile, mount, artifact, last_written }
}
