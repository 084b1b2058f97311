//! The typed results, redacted before anything is rendered, so that every format has it.

use super::Redactor;
use crate::diagnosis::ABOUT_COLLECTION;
use crate::diagnosis::timeline::Moment;
use crate::facts::Value;
use crate::report::card::Card;
use crate::report::comparison::Comparison;
use crate::report::model::{CheckInfo, Report};

impl Redactor {
    fn option(&self, text: &mut Option<String>) {
        text.iter_mut().for_each(|text| self.apply(text));
    }

    fn list(&self, texts: &mut [String]) {
        texts.iter_mut().for_each(|text| self.apply(text));
    }

    fn named(&self, field: &str, text: &mut Option<String>) {
        text.iter_mut().for_each(|text| *text = self.field(field, text));
    }

    /// A path on the computer of the person who analyses: of it only the last part is shown, when names are hidden.
    pub fn path(&self, path: &str) -> String {
        let last = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path);
        if self.hides_names() { self.text(last) } else { path.to_owned() }
    }

    /// A whole report; what was masked is said in it.
    pub fn report(&self, report: &mut Report) {
        report.bundle.path = self.path(&report.bundle.path);
        for artifact in &mut report.bundle.artifacts {
            self.apply(&mut artifact.path);
            self.option(&mut artifact.reason);
        }
        self.card(&mut report.machine);
        self.apply(&mut report.verdict.summary);
        report.checks.iter_mut().for_each(|check| self.check(check));
        report.timeline.moments.iter_mut().for_each(|moment| self.moment(moment));
        self.say_secrets(report);
    }

    fn card(&self, card: &mut Card) {
        self.named("computer", &mut card.computer);
        self.list(&mut card.users);
        if let Some(user) = &mut card.affected_user {
            self.option(&mut user.sid);
            self.named("user", &mut user.name);
            self.apply(&mut user.why);
            self.option(&mut user.doubt);
        }
        for account in &mut card.accounts {
            self.option(&mut account.sid);
            self.named("user", &mut account.name);
        }
        for words in [&mut card.proxy.winhttp, &mut card.proxy.wininet] {
            self.option(words);
        }
        card.proxy.environment.iter_mut().for_each(|named| self.list(named));
        for network in card.networks.iter_mut().flatten() {
            self.option(&mut network.interface);
        }
    }

    fn check(&self, check: &mut CheckInfo) {
        self.apply(&mut check.summary);
        for seen in &mut check.evidence {
            self.apply(&mut seen.artifact);
            // A registry value's name says what its data is.
            let name = seen.locator.rsplit_once('!').map(|(_, name)| name.to_owned());
            seen.observed = match name {
                Some(name) => self.field(&name, &seen.observed),
                None => self.text(&seen.observed),
            };
            self.apply(&mut seen.locator);
            self.option(&mut seen.expected);
        }
        self.list(&mut check.notes);
        for missing in &mut check.missing {
            self.apply(&mut missing.what);
            self.apply(&mut missing.collect);
        }
        if let Some(remedy) = &mut check.remedy {
            self.list(&mut remedy.steps);
            for text in [&mut remedy.caution, &mut remedy.rollback, &mut remedy.verify] {
                self.apply(text);
            }
        }
    }

    /// Secrets are no finding about activation, but whoever has the bundle has them too.
    fn say_secrets(&self, report: &mut Report) {
        let masked = self.masked();
        let about = report.checks.iter_mut().find(|check| check.id == ABOUT_COLLECTION);
        if let (false, Some(check)) = (masked.is_empty(), about) {
            let names: Vec<&str> = masked.iter().map(|secret| secret.name()).collect();
            let note = format!(
                "The bundle holds secrets ({}). They are masked here, but not in the bundle: do not pass it on as it is, and change them \
                 if it was passed on.",
                names.join(", ")
            );
            if !check.notes.contains(&note) {
                check.notes.push(note);
            }
        }
    }

    /// A moment of the timeline.
    pub fn moment(&self, moment: &mut Moment) {
        self.apply(&mut moment.what);
        self.apply(&mut moment.artifact);
        self.apply(&mut moment.locator);
    }
}

/// A comparison, each side with the names of its own machine.
pub fn comparison(comparison: &mut Comparison, good: &Redactor, bad: &Redactor) {
    comparison.good.path = good.path(&comparison.good.path);
    comparison.bad.path = bad.path(&comparison.bad.path);
    for item in comparison.findings.iter_mut().chain(&mut comparison.other_checks) {
        good.apply(&mut item.good_summary);
        bad.apply(&mut item.bad_summary);
    }
    for fact in comparison.cited_facts.iter_mut().chain(&mut comparison.other_facts) {
        let field = fact.name.rsplit('.').next().unwrap_or_default().to_owned();
        for (side, redactor) in [(&mut fact.good, good), (&mut fact.bad, bad)] {
            match side {
                Some(Value::Text(text)) => *text = redactor.field(&field, text),
                Some(Value::List(items)) => {
                    items.iter_mut().for_each(|item| *item = redactor.field(&field, item));
                }
                _ => {}
            }
        }
        fact.name = bad.text(&good.text(&fact.name));
    }
    for name in &mut comparison.one_sided {
        *name = bad.text(&good.text(name));
    }
}
