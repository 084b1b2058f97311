//! The form of a rule file, and its faults by line.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::cases::TestCase;
use super::expression::Expression;
use super::{Fault, Rule, is_built_in};
use crate::checks::judgement::Status;
use crate::checks::{Layer, Remedy};
use crate::evidence::Confidence;
use crate::facts::{self, family};

/// A rule file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: Spanned<String>,
    title: String,
    #[serde(default)]
    layer: Option<Spanned<String>>,
    when: Spanned<String>,
    status: Finding,
    #[serde(default)]
    confidence: Sure,
    summary: String,
    #[serde(default)]
    healthy: Option<String>,
    remedy: RemedyForm,
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    tests: Vec<Spanned<TestForm>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Finding {
    Blocker,
    Warning,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sure {
    High,
    #[default]
    Medium,
    Low,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemedyForm {
    steps: Vec<String>,
    #[serde(default)]
    caution: String,
    #[serde(default)]
    rollback: String,
    #[serde(default)]
    verify: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestForm {
    name: String,
    expect: Expected,
    /// Files of the bundle by name, as text.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Channels whose log in `files` stands for the whole log.
    #[serde(default)]
    whole: Vec<String>,
    /// Facts that the machine has, whatever the files say.
    #[serde(default)]
    facts: BTreeMap<String, Spanned<FactForm>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Blocker,
    Warning,
    Healthy,
    NotCollected,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum FactForm {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

impl From<FactForm> for facts::Value {
    fn from(form: FactForm) -> Self {
        match form {
            FactForm::Flag(flag) => Self::Flag(flag),
            FactForm::Number(number) => Self::Number(number),
            FactForm::Text(text) => Self::Text(text),
            FactForm::List(list) => Self::List(list),
        }
    }
}

/// Reads a rule.
pub fn parse(path: &str, text: &str) -> Result<Rule, Vec<Fault>> {
    let form: RuleFile = serde_saphyr::from_str(text).map_err(|error| vec![yaml_fault(path, &error)])?;
    let mut faults = Faults { path, list: Vec::new() };
    let line = form.id.referenced.line();
    if !is_id(&form.id.value) {
        faults.add(line, "an id of lower-case words joined by hyphens", format!("`{}`", form.id.value));
    } else if is_built_in(&form.id.value) {
        faults.add(line, "an id that no built-in check has", format!("`{}`", form.id.value));
    }
    let layer = match &form.layer {
        None => Layer::User,
        Some(name) => match Layer::ALL.into_iter().find(|layer| layer.name() == name.value) {
            Some(layer) => layer,
            None => {
                let known = Layer::ALL.map(Layer::name).join(", ");
                faults.add(name.referenced.line(), format!("a layer ({known})"), format!("`{}`", name.value));
                Layer::User
            }
        },
    };
    let first = form.when.referenced.line();
    let when = Expression::compile(&form.when.value).map_err(|flaws| {
        for flaw in flaws {
            faults.add(first + flaw.line.saturating_sub(1), flaw.expected, flaw.found);
        }
    });
    let cases = form.tests.into_iter().map(|test| case(test, &mut faults)).collect();
    let Ok(when) = when else { return Err(faults.list) };
    if !faults.list.is_empty() {
        return Err(faults.list);
    }
    Ok(Rule {
        healthy: form.healthy.unwrap_or_else(|| format!("Not found: {}.", form.title)),
        id: form.id.value,
        title: form.title,
        layer,
        status: match form.status {
            Finding::Blocker => Status::Blocker,
            Finding::Warning => Status::Warning,
        },
        confidence: match form.confidence {
            Sure::High => Confidence::High,
            Sure::Medium => Confidence::Medium,
            Sure::Low => Confidence::Low,
        },
        summary: form.summary,
        remedy: Remedy {
            steps: form.remedy.steps,
            caution: form.remedy.caution,
            rollback: form.remedy.rollback,
            verify: form.remedy.verify,
            references: form.references,
        },
        path: path.to_owned(),
        cases,
        when,
    })
}

struct Faults<'p> {
    path: &'p str,
    list: Vec<Fault>,
}

impl Faults<'_> {
    fn add(&mut self, line: u64, expected: impl Into<String>, found: impl Into<String>) {
        let (expected, found) = (expected.into(), found.into());
        self.list.push(Fault { path: self.path.to_owned(), line, expected, found });
    }
}

fn case(test: Spanned<TestForm>, faults: &mut Faults<'_>) -> TestCase {
    let line = test.referenced.line();
    let form = test.value;
    let mut given = BTreeMap::new();
    for (name, value) in form.facts {
        if family(&name).is_none() {
            let expected = "the name of a fact (see `actriage facts`)";
            faults.add(value.referenced.line(), expected, format!("`{name}`"));
        }
        given.insert(name, value.value.into());
    }
    let expect = match form.expect {
        Expected::Blocker => Status::Blocker,
        Expected::Warning => Status::Warning,
        Expected::Healthy => Status::Healthy,
        Expected::NotCollected => Status::NotCollected,
    };
    TestCase { name: form.name, line, expect, files: form.files, whole: form.whole, facts: given }
}

/// Lower-case words and numbers joined by single hyphens, as the report's schema wants it.
fn is_id(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.split('-').all(word)
}

/// The reader says "unknown field `x`, expected one of …", "missing field `x`" and the like.
fn yaml_fault(path: &str, error: &serde_saphyr::Error) -> Fault {
    let line = error.location().map_or(0, |location| location.line());
    let text = error.without_snippet().to_string();
    let text = text.split(" at line ").next().unwrap_or_default().to_owned();
    let (expected, found) = match text.split_once(", expected ") {
        Some((found, expected)) => (expected.to_owned(), found.to_owned()),
        None => match text.strip_prefix("missing field ").or_else(|| text.strip_prefix("expected ")) {
            Some(rest) if text.starts_with("missing") => (format!("the field {rest}"), "none".to_owned()),
            Some(rest) => (rest.to_owned(), "something else".to_owned()),
            None => ("a rule in YAML".to_owned(), text),
        },
    };
    Fault { path: path.to_owned(), line, expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "id: my-rule\ntitle: A title\nwhen: |\n  fact('os.build') > 1\n  && fact('os.ubr') > 1\nstatus: warning\nsummary: Seen.\nremedy:\n  steps: [Do it]\n";

    #[test]
    fn a_sound_rule_has_its_defaults() {
        let rule = parse("r.yaml", SOUND).unwrap();
        assert_eq!(
            (rule.id.as_str(), rule.layer, rule.confidence),
            ("my-rule", Layer::User, Confidence::Medium)
        );
        assert_eq!(rule.healthy, "Not found: A title.");
    }

    /// Lines are counted by eye in [`SOUND`].
    #[test]
    fn faults_name_file_line_expectation_and_finding() {
        for (old, new, line, expected, found) in [
            ("status: warning", "status: bad", 6, "blocker, warning", "unknown variant `bad`"),
            ("summary:", "sumary:", 7, "summary", "unknown field `sumary`"),
            // What is missing has no line: the last field of its mapping stands for it.
            ("title: A title\n", "", 7, "the field `title`", "none"),
            ("id: my-rule", "id: My Rule", 1, "lower-case words", "`My Rule`"),
            ("id: my-rule", "id: svc-nlasvc", 1, "no built-in check", "`svc-nlasvc`"),
            ("os.ubr", "os.ubrr", 5, "the name of a fact", "`os.ubrr`"),
            ("&& fact", "&& && fact", 5, "a CEL expression", "extraneous input '&&'"),
            ("status: warning", "status: warning\nlayer: tsl", 7, "a layer (time, system", "`tsl`"),
            ("steps: [Do it]", "steps: Do it", 9, "", ""),
        ] {
            assert!(SOUND.contains(old));
            let faults = parse("r.yaml", &SOUND.replace(old, new)).unwrap_err();
            let fault = &faults[0];
            assert_eq!((fault.path.as_str(), fault.line), ("r.yaml", line), "{new}: {fault}");
            assert!(fault.expected.contains(expected) && fault.found.contains(found), "{new}: {fault}");
        }
    }
}
