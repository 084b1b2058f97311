//! Which user cannot activate.
//!
//! Licences, broker data and proxies are kept per user, and a collection is often made by an administrator. So the affected user is
//! chosen by evidence: who was named on the command line, whose sign-in errors are recorded, who runs Office. Choosing is a doubt
//! whenever it was more than reading.

use std::collections::BTreeMap;

use super::events::{Events, Want, Window};
use super::registry::{Registry, UserHive};
use super::{Lookup, Source, Sourced, Unknown};
use crate::artifact::manifest::Manifest;
use crate::time::FileTime;

/// Records that carry the SID of a user who signs in or works with Office.
pub const SIGN_IN: &[Want] = &[
    Want {
        provider: "Microsoft-Windows-AAD",
        ids: &[1081, 1097, 1098],
        channels: &["Microsoft-Windows-AAD/Operational"],
    },
    Want { provider: "Microsoft Office 16 Alerts", ids: &[300], channels: &["OAlerts"] },
];

/// What a missing user hive is called.
const WHAT: &str = "NTUSER.DAT of the affected user";

/// Where Office keeps the identities of a user.
const IDENTITY: &str = r"Software\Microsoft\Office\16.0\Common\Identity";

/// The affected user and all others.
#[derive(Debug, Default)]
pub struct Users {
    /// Every person whose registry was collected.
    pub all: Vec<UserHive>,
    /// Index in `all` of the affected one, and how it was chosen.
    chosen: Option<(usize, Choice)>,
    /// Why there is none.
    unknown: Option<Unknown>,
}

/// How the affected user was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// In words.
    pub why: String,
    /// Set when another user may have been meant.
    pub doubt: Option<String>,
}

impl Users {
    /// Chooses among the collected hives.
    pub fn choose(
        registry: &Registry,
        events: &Events,
        window: Option<Window>,
        manifest: Option<&Manifest>,
        named: Option<&str>,
    ) -> Self {
        let all: Vec<UserHive> = registry.user_hives().cloned().collect();
        let mut users = Self { all, chosen: None, unknown: None };
        let decision = match named {
            Some(name) => users.by_name(name),
            None => users
                .by_manifest(manifest)
                .or_else(|| users.by_events(events, window))
                .unwrap_or_else(|| users.by_activity(registry, manifest)),
        };
        match decision {
            Ok(chosen) => users.chosen = Some(chosen),
            Err(unknown) => users.unknown = Some(unknown),
        }
        users
    }

    fn by_name(&self, name: &str) -> Result<(usize, Choice), Unknown> {
        let same = |text: &str| text.eq_ignore_ascii_case(name);
        let found = self.all.iter().position(|user| {
            user.sid.as_ref().is_some_and(|sid| same(&sid.0)) || user.name.as_deref().is_some_and(same)
        });
        let choice = Choice { why: format!("named on the command line: {name}"), doubt: None };
        found.map(|index| (index, choice)).ok_or_else(|| Unknown {
            what: WHAT.to_owned(),
            reason: Some(format!("no collected hive belongs to {name}")),
        })
    }

    /// The user whom the person who collected named. `None` when nobody was named.
    fn by_manifest(&self, manifest: Option<&Manifest>) -> Option<Result<(usize, Choice), Unknown>> {
        let sid = manifest?.affected_user_sid.as_deref()?;
        let found = self.all.iter().position(|user| user.sid.as_ref().is_some_and(|known| known.0 == sid));
        let choice = Choice { why: format!("named when the evidence was collected: {sid}"), doubt: None };
        Some(found.map(|index| (index, choice)).ok_or_else(|| Unknown {
            what: WHAT.to_owned(),
            reason: Some(format!(
                "the collector was told that {sid} is affected, whose hive was not collected"
            )),
        }))
    }

    /// The user with most sign-in records inside the window. `None` when no record names a person.
    fn by_events(&self, events: &Events, window: Option<Window>) -> Option<Result<(usize, Choice), Unknown>> {
        let mut counts: BTreeMap<&str, (usize, FileTime)> = BTreeMap::new();
        for want in SIGN_IN {
            let found = match window {
                Some(window) => events.within(*want, window),
                None => events.of(*want),
            };
            for event in found {
                if let Some(sid) = event.value.user_sid.as_deref().filter(|sid| is_person(sid)) {
                    let entry = counts.entry(sid).or_insert((0, event.value.time));
                    *entry = (entry.0 + 1, entry.1.max(event.value.time));
                }
            }
        }
        let (sid, (count, _)) = counts.into_iter().max_by_key(|(_, score)| *score)?;
        let found = self.all.iter().position(|user| user.sid.as_ref().is_some_and(|known| known.0 == sid));
        let choice =
            Choice { why: format!("{count} sign-in record(s) of {sid} in the failure window"), doubt: None };
        Some(found.map(|index| (index, choice)).ok_or_else(|| Unknown {
            what: WHAT.to_owned(),
            reason: Some(format!("the sign-in records are of {sid}, whose hive was not collected")),
        }))
    }

    /// Without records: the only user, or the one who used Office last.
    fn by_activity(
        &self,
        registry: &Registry,
        manifest: Option<&Manifest>,
    ) -> Result<(usize, Choice), Unknown> {
        let collector = manifest.and_then(|manifest| manifest.user_sid.as_deref());
        let office = |user: &UserHive| {
            let key = registry.key(&user.path(IDENTITY));
            key.found().map(|key| key.value.last_written.unwrap_or_default())
        };
        let best = self
            .all
            .iter()
            .enumerate()
            .max_by_key(|(index, user)| (office(user), user.last_written, std::cmp::Reverse(*index)));
        let Some((index, user)) = best else {
            return Err(Unknown { what: WHAT.to_owned(), reason: None });
        };
        let is_collector = collector.is_some() && user.sid.as_ref().map(|sid| sid.0.as_str()) == collector;
        let doubt = if self.all.len() > 1 {
            Some("Several user hives were collected and no sign-in record names one: the user of Office was taken.".to_owned())
        } else if user.sid.is_none() {
            Some("The export of HKEY_CURRENT_USER does not show whose it is.".to_owned())
        } else if is_collector && office(user).is_none() {
            Some(
                "The only user hive is that of the person who ran the collector, who does not use Office."
                    .to_owned(),
            )
        } else {
            None
        };
        Ok((index, Choice { why: "the collected user hive".to_owned(), doubt }))
    }

    /// The affected user.
    pub fn affected(&self) -> Lookup<UserHive> {
        match (&self.chosen, &self.unknown) {
            (Some((index, choice)), _) => match self.all.get(*index) {
                Some(user) => Lookup::Found(Sourced {
                    value: user.clone(),
                    source: Source {
                        artifact: user.artifact,
                        locator: user.mount.clone(),
                        time: user.last_written,
                        doubts: choice.doubt.iter().cloned().collect(),
                    },
                }),
                None => Lookup::Unknown(Unknown { what: WHAT.to_owned(), reason: None }),
            },
            (None, Some(unknown)) => Lookup::Unknown(unknown.clone()),
            (None, None) => Lookup::Unknown(Unknown { what: WHAT.to_owned(), reason: None }),
        }
    }

    /// How the affected user was chosen.
    pub fn choice(&self) -> Option<&Choice> {
        self.chosen.as_ref().map(|(_, choice)| choice)
    }

    /// The collected users who are not the affected one.
    pub fn others(&self) -> impl Iterator<Item = &UserHive> {
        let chosen = self.chosen.as_ref().map(|(index, _)| *index);
        self.all.iter().enumerate().filter(move |(index, _)| Some(*index) != chosen).map(|(_, user)| user)
    }
}

/// A domain, local or Entra account; no service and no well-known SID.
fn is_person(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") || sid.starts_with("S-1-12-1-")
}
