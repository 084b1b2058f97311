//! What a check is given: the evidence, the facts that many checks share, and the outcomes of other checks.

use std::cell::{Cell, OnceCell};

use super::collect;
use super::judgement::{Judgement, Observation, Outcome, Status};
use super::signals::Links;
use super::{CHECKS, Check};
use crate::artifact::capture::{Capture, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::value::RegValue;
use crate::collector::table as collector;
use crate::evidence::events::{Coverage, Want, Window};
use crate::evidence::os::{Generation, Os};
use crate::evidence::registry::{UserHive, twin};
use crate::evidence::{Evidence, Lookup, Sourced, Unknown, questions};

/// One machine under examination.
pub struct Case<'e> {
    /// Everything that was collected.
    pub evidence: &'e Evidence,
    outcomes: Vec<OnceCell<Outcome>>,
    running: Vec<Cell<bool>>,
    links: OnceCell<Links>,
}

impl<'e> Case<'e> {
    /// A case whose checks have not run yet.
    pub fn new(evidence: &'e Evidence) -> Self {
        Self {
            evidence,
            outcomes: CHECKS.iter().map(|_| OnceCell::new()).collect(),
            running: CHECKS.iter().map(|_| Cell::new(false)).collect(),
            links: OnceCell::new(),
        }
    }

    /// The outcome of a check, run now if it has not run yet. `None` for an unknown id and for a check that waits for this very
    /// one: checks may look at each other, but not in a circle (a test walks all of them).
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        let index = CHECKS.iter().position(|check| check.id == id)?;
        self.outcome_at(index)
    }

    /// The outcome of the check at a position of [`CHECKS`].
    pub fn outcome_at(&self, index: usize) -> Option<&Outcome> {
        let (check, slot, running) =
            (CHECKS.get(index)?, self.outcomes.get(index)?, self.running.get(index)?);
        if let Some(outcome) = slot.get() {
            return Some(outcome);
        }
        if running.replace(true) {
            return None;
        }
        let outcome = self.run(check);
        running.set(false);
        Some(slot.get_or_init(|| outcome))
    }

    fn run(&self, check: &Check) -> Outcome {
        let judgement = Judgement::default();
        questions::asked_by(check.id, || (check.run)(self, &judgement));
        judgement.explain_missing(|item| self.why_not_collected(&item.collect));
        judgement.conclude(check.healthy)
    }

    /// What the collector's manifest says of the items that a piece of advice would collect.
    fn why_not_collected(&self, advice: &str) -> Option<String> {
        let (_, manifest) = self.evidence.manifest.as_ref()?;
        let items = collector::named_in(advice);
        let mut reasons: Vec<String> =
            items.filter_map(|item| Some(format!("{} {}", item.id, manifest.shortfall(item.id)?))).collect();
        reasons.dedup();
        (!reasons.is_empty()).then(|| format!("the collector says: {}", reasons.join("; ")))
    }

    /// Status of another check.
    pub fn status(&self, id: &str) -> Option<Status> {
        self.outcome(id).map(|outcome| outcome.status)
    }

    /// The failure window.
    pub fn window(&self) -> Option<Window> {
        self.evidence.window
    }

    /// The Windows that the machine runs.
    pub fn os(&self) -> &'e Os {
        &self.evidence.os
    }

    /// The OS generation, noted as missing when it is not known: for rules that rest on an OS default.
    pub fn need_generation(&self, j: &Judgement) -> Option<Generation> {
        let generation = self.os().generation();
        if generation.is_none() {
            j.missing(&self.os().unknown(), collect::OS_BUILD);
        }
        generation
    }

    /// When the machine had a network, read once for all checks.
    pub fn links(&self) -> &Links {
        self.links.get_or_init(|| Links::read(self, &[]))
    }

    /// A registry value whose answer "healthy" needs.
    pub fn need_value(&self, j: &Judgement, path: &str, name: &str) -> Lookup<RegValue> {
        j.need(self.evidence.registry.value(path, name), collect::for_key(path))
    }

    /// A registry value that "healthy" needs and that Windows reads as a number.
    pub fn need_number(&self, j: &Judgement, path: &str, name: &str) -> Lookup<RegValue> {
        j.need(self.value(path, name).numeric(name), collect::for_key(path))
    }

    /// A registry value that only adds to the picture.
    pub fn value(&self, path: &str, name: &str) -> Lookup<RegValue> {
        self.evidence.registry.value(path, name)
    }

    /// The same value where 32-bit programs see it: `None` on a 32-bit Windows, which has one view only. When the architecture is not
    /// known, an absent second view is unknown and no difference (R12).
    pub fn second_view(&self, path: &str, name: &str) -> Option<Lookup<RegValue>> {
        let twin = twin(path)?;
        let two = self.evidence.has_two_views();
        match &two {
            Lookup::Found(two) if !two.value => None,
            Lookup::Found(_) => Some(self.value(&twin, name)),
            Lookup::Absent(_) | Lookup::Unknown(_) => Some(match self.value(&twin, name) {
                Lookup::Absent(_) => Lookup::Unknown(Unknown {
                    what: "architecture of Windows".to_owned(),
                    reason: Some(format!("whether {twin} should exist is not known")),
                }),
                answer => answer,
            }),
        }
    }

    /// Runs the rules of a per-user check for every collected user. The affected user's rows count; those of the others become notes,
    /// because another profile's fault does not stop this user. Without a known affected user the check misses that hive.
    pub fn each_user(&self, j: &Judgement, rules: impl Fn(&UserHive, &Judgement)) {
        let users = &self.evidence.users;
        match users.affected() {
            Lookup::Found(user) => {
                let own = Judgement::default();
                rules(&user.value, &own);
                j.absorb(own, &user.source.doubts);
            }
            Lookup::Absent(_) => {}
            Lookup::Unknown(unknown) => j.missing(&unknown, collect::USER),
        }
        for user in users.others() {
            let own = Judgement::default();
            rules(user, &own);
            let name = user.name.clone().or_else(|| user.sid.as_ref().map(|sid| sid.0.clone()));
            j.absorb_as_notes(own, &name.unwrap_or_else(|| "another user".to_owned()));
        }
    }

    /// A value in a user's hive that "healthy" needs: `user_value(j, user, r"Software\Microsoft\Office", "X")`.
    pub fn need_user_value(
        &self,
        j: &Judgement,
        user: &UserHive,
        below: &str,
        name: &str,
    ) -> Lookup<RegValue> {
        j.need(self.evidence.registry.value(&user.path(below), name), collect::USER)
    }

    /// Wanted events inside the failure window, oldest first; none when the window is not known.
    pub fn events(&self, want: Want) -> Vec<Sourced<&'e Event>> {
        match self.evidence.window {
            Some(window) => self.evidence.events.within(want, window),
            None => Vec::new(),
        }
    }

    /// Whether a complete log of one of these channels covers the failure window: then that no record was found means something, and
    /// the log is good evidence. Otherwise the log is noted as missing, with the reason.
    pub fn need_log(&self, j: &Judgement, channels: &[&str], collect: &str) -> bool {
        let coverage = self.evidence.window.map(|window| self.evidence.events.coverage(channels, window));
        let reason = match coverage {
            Some(Coverage::Whole(source)) => {
                j.good(source.shows("the log covers the failure window"));
                return true;
            }
            Some(Coverage::Short(_, reason)) => Some(reason),
            Some(Coverage::None) | None => None,
        };
        let what = format!("event log {}", channels.first().copied().unwrap_or_default());
        j.missing(&Unknown { what, reason }, collect);
        false
    }

    /// Readable outputs of a command.
    pub fn captures(&self, kind: CaptureKind) -> Vec<Sourced<&'e Capture>> {
        self.evidence.captures.readable(kind)
    }
}

/// An event as evidence: its provider, id and the fields that matter.
pub fn event_seen(event: &Sourced<&Event>, fields: &[&str]) -> Observation {
    let mut text = format!("{} {}", event.value.provider, event.value.event_id);
    for name in fields {
        if let Some(value) = event.value.field(name) {
            text.push_str(&format!(", {name}={value}"));
        }
    }
    event.shows(text)
}

/// A registry value as evidence.
pub fn value_seen(value: &Sourced<RegValue>) -> Observation {
    value.shows(value.value.display())
}
