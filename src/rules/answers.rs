//! The answers to a rule's questions, and what its condition makes of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use cel::extractors::This;
use cel::objects::{Key, Map};
use cel::{Context, ExecutionError, Value};

use super::Rule;
use super::expression::Expression;
use super::question::Question;
use crate::artifact::ArtifactId;
use crate::artifact::capture::{CaptureKind, CaptureStatus};
use crate::artifact::event::{Event, same_name};
use crate::artifact::reg_export::short_root;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::collect;
use crate::checks::judgement::{Judgement, Observation, Outcome, Status};
use crate::evidence::events::Coverage;
use crate::evidence::{Lookup, Source, Sourced, Unknown};
use crate::facts::{self, Answer, Facts};

/// Most events that a rule is handed: the newest.
const MOST_EVENTS: usize = 1_000;
/// Records that are tried alone, newest first, to find those that the condition rests on.
const TRIED: usize = 50;
/// Observations of one question that a report shows.
const SHOWN: usize = 3;

/// A fact that a test case gives: a value, or the status of a check.
pub type Given = facts::Value;

/// What is known to one question.
#[derive(Clone, Debug)]
enum Known {
    /// The value that the expression sees, with what shows it.
    Answered {
        value: Value,
        /// For lists: one observation for each item, in its order.
        evidence: Arc<[Observation]>,
        /// Why there may be more than this: then "no" proves nothing.
        partial: Option<(Unknown, String)>,
    },
    /// Nobody can say; how to collect it.
    Unknown(Unknown, String),
}

/// The answers to all questions of a rule.
#[derive(Clone, Debug)]
pub struct Answers {
    known: Arc<BTreeMap<Question, Known>>,
}

/// What came of an evaluation, with the questions that were reached.
struct Evaluation {
    result: Result<bool, String>,
    reached: BTreeSet<Question>,
}

impl Answers {
    /// Answers questions from a machine; facts of `given` come first.
    pub fn gather(questions: &[Question], case: &Case<'_>, given: &BTreeMap<String, Given>) -> Self {
        let mut facts = None;
        let mut answer = |question: &Question| {
            if let Some(known) = from_given(question, given) {
                return known;
            }
            match question {
                Question::Registry { key, value } => registry(case, key, value),
                Question::Key(key) => key_is_there(case, key),
                Question::Events { provider, ids, channel } => events(case, provider, ids, channel),
                Question::Captures(kind) => captures(case, *kind),
                Question::Check(id) => check(case, id),
                Question::Fact(name) => fact(name, facts.get_or_insert_with(|| Facts::of(case)).get(name)),
            }
        };
        let known = questions.iter().map(|question| (question.clone(), answer(question)));
        Self { known: Arc::new(known.collect()) }
    }

    /// The same answers, with only one item of a list.
    fn with_only(&self, question: &Question, index: usize) -> Option<Self> {
        let mut known = (*self.known).clone();
        let Known::Answered { value, evidence, .. } = known.get_mut(question)? else { return None };
        let Value::List(list) = &value else { return None };
        let (item, seen) = (list.get(index)?.clone(), evidence.get(index)?.clone());
        (*value, *evidence) = (Value::List(Arc::new(vec![item])), Arc::new([seen]));
        Some(Self { known: Arc::new(known) })
    }

    fn evaluate(&self, expression: &Expression) -> Evaluation {
        let reached = Arc::new(Mutex::new(BTreeSet::new()));
        let known = Arc::clone(&self.known);
        let ask = {
            let reached = Arc::clone(&reached);
            move |name: &str, question: Question| -> Result<Value, ExecutionError> {
                let answer = known.get(&question);
                if let Ok(mut reached) = reached.lock() {
                    reached.insert(question);
                }
                match answer {
                    Some(Known::Answered { value, .. }) => Ok(value.clone()),
                    Some(Known::Unknown(unknown, _)) => {
                        Err(ExecutionError::function_error(name, &unknown.what))
                    }
                    None => Err(ExecutionError::function_error(name, "a question that was not foreseen")),
                }
            }
        };
        let result = context(ask)
            .and_then(|context| expression.program.execute(&context).map_err(|error| error.to_string()))
            .and_then(|value| match value {
                Value::Bool(holds) => Ok(holds),
                other => Err(format!(
                    "the condition gives a value of type {} and not true or false",
                    other.type_of()
                )),
            });
        let reached = reached.lock().map(|set| set.clone()).unwrap_or_default();
        Evaluation { result, reached }
    }

    /// The questions that an evaluation reached, with what is known of them.
    fn of<'a>(&'a self, evaluation: &'a Evaluation) -> impl Iterator<Item = (&'a Question, &'a Known)> {
        evaluation.reached.iter().filter_map(|question| self.known.get_key_value(question))
    }
}

/// The functions that an expression can call.
fn context<A>(ask: A) -> Result<Context<'static, 'static>, String>
where
    A: Fn(&str, Question) -> Result<Value, ExecutionError> + Clone + Send + Sync + 'static,
{
    type Text = Arc<String>;
    type Answered = Result<Value, ExecutionError>;
    let mut context = Context::default();
    let short = |key: &Text| short_root(key).unwrap_or_default();
    let named = |kind: &Text| CaptureKind::by_name(kind).unwrap_or(CaptureKind::Unknown);
    let add = |result: Result<(), _>| result.map_err(|error: cel::DeclarationError| error.to_string());
    let own = ask.clone();
    add(context.add_function("registry", move |key: Text, value: Text| -> Answered {
        own("registry", Question::Registry { key: short(&key), value: value.to_string() })
    }))?;
    let own = ask.clone();
    add(context.add_function("key", move |key: Text| -> Answered { own("key", Question::Key(short(&key))) }))?;
    let own = ask.clone();
    add(context.add_function(
        "events",
        move |provider: Text, ids: Arc<Vec<Value>>, channel: Text| -> Answered {
            let number = |id: &Value| match id {
                Value::Int(number) => u32::try_from(*number).ok(),
                _ => None,
            };
            let ids = ids.iter().filter_map(number).collect();
            let (provider, channel) = (provider.to_string(), channel.to_string());
            own("events", Question::Events { provider, ids, channel })
        },
    ))?;
    let own = ask.clone();
    add(context.add_function("captures", move |kind: Text| -> Answered {
        own("captures", Question::Captures(named(&kind)))
    }))?;
    let own = ask.clone();
    add(context.add_function("check", move |id: Text| -> Answered {
        own("check", Question::Check(id.to_string()))
    }))?;
    add(context.add_function("fact", move |name: Text| -> Answered {
        ask("fact", Question::Fact(name.to_string()))
    }))?;
    add(context.add_function("field", |This(item): This<Value>, name: Text| field(&item, &name)))?;
    add(context.add_function("text", |value: Value| text(&value)))?;
    Ok(context)
}

/// `e.field('Error Code')`: a named item of an event, or a key of any map, compared without blanks and case; null when it is not there.
fn field(item: &Value, name: &str) -> Value {
    let Value::Map(map) = item else { return Value::Null };
    let find = |map: &Map| {
        let named = |key: &&Key| matches!(key, Key::String(text) if same_name(text, name));
        map.map.keys().filter(named).min().and_then(|key| map.map.get(key)).cloned()
    };
    let inner = match map.map.get(&Key::from("data")) {
        Some(Value::Map(data)) => find(data),
        _ => None,
    };
    inner.or_else(|| find(map)).unwrap_or(Value::Null)
}

/// `text(x)`: a text for anything, empty for null, so that text functions work on values that may not be there.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::List(items) => items.iter().map(text).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// JSON as CEL sees it. Whole numbers are always `int`, so that literals of rules compare with them.
fn cel_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(cel_value).collect())),
        serde_json::Value::Object(fields) => {
            let pair =
                |(name, value): (&String, &serde_json::Value)| (Key::from(name.as_str()), cel_value(value));
            Value::Map(Map { map: Arc::new(fields.iter().map(pair).collect::<HashMap<_, _>>()) })
        }
    }
}

fn fact_value(value: &facts::Value) -> Value {
    serde_json::to_value(value).map_or(Value::Null, |json| cel_value(&json))
}

fn answered(value: Value, seen: Observation) -> Known {
    Known::Answered { value, evidence: Arc::new([seen]), partial: None }
}

/// What a test case says.
fn from_given(question: &Question, given: &BTreeMap<String, Given>) -> Option<Known> {
    let name = match question {
        Question::Fact(name) => name.clone(),
        Question::Check(id) => format!("check.{id}"),
        _ => return None,
    };
    let value = given.get(&name)?;
    let source = Source { artifact: ArtifactId(0), locator: name, time: None, doubts: Vec::new() };
    Some(answered(fact_value(value), source.shows(value.words())))
}

fn registry(case: &Case<'_>, key: &str, name: &str) -> Known {
    match facts::registry_value(case, key, name) {
        Lookup::Found(found) => {
            answered(fact_value(&facts::Value::of_registry(&found.value)), value_seen(&found))
        }
        Lookup::Absent(source) => answered(Value::Null, source.shows(format!("{name} is not there"))),
        Lookup::Unknown(unknown) => Known::Unknown(unknown, collect::for_key(key).to_owned()),
    }
}

fn key_is_there(case: &Case<'_>, key: &str) -> Known {
    let answer = match facts::user_key(case, key) {
        Ok(key) => case.evidence.registry.key(&key),
        Err(unknown) => Lookup::Unknown(unknown),
    };
    match answer {
        Lookup::Found(found) => answered(Value::Bool(true), found.shows("the key is there")),
        Lookup::Absent(source) => answered(Value::Bool(false), source.shows("the key is not there")),
        Lookup::Unknown(unknown) => Known::Unknown(unknown, collect::for_key(key).to_owned()),
    }
}

fn events(case: &Case<'_>, provider: &str, ids: &[u32], channel: &str) -> Known {
    let what = format!("event log {channel}");
    let collect = format!("wevtutil epl \"{channel}\" log.evtx");
    let unknown = |reason: Option<String>| Unknown { what: what.clone(), reason };
    let Some(window) = case.window() else { return Known::Unknown(unknown(None), collect) };
    let mut found = case.evidence.events.written_by(provider, ids);
    found.retain(|event| window.contains(event.value.time));
    let short = match case.evidence.events.coverage(&[channel], window) {
        Coverage::Whole(source) if found.is_empty() => {
            let seen = source.shows(format!("no such record of {provider} in the failure window"));
            return Known::Answered {
                value: Value::List(Arc::default()),
                evidence: Arc::new([seen]),
                partial: None,
            };
        }
        Coverage::Whole(_) => None,
        Coverage::Short(_, reason) => Some(unknown(Some(reason))),
        Coverage::None => Some(unknown(None)),
    };
    if found.is_empty() {
        return Known::Unknown(short.unwrap_or_else(|| unknown(None)), collect);
    }
    let newest = found.split_off(found.len().saturating_sub(MOST_EVENTS));
    let value =
        Value::List(Arc::new(newest.iter().map(|event| cel_value(&event_json(event.value))).collect()));
    let evidence = newest.iter().map(event_evidence).collect();
    Known::Answered { value, evidence, partial: short.map(|unknown| (unknown, collect)) }
}

fn event_evidence(event: &Sourced<&Event>) -> Observation {
    let names: Vec<&str> = event.value.data.iter().take(4).map(|field| field.name).collect();
    event_seen(event, &names)
}

/// An event as rules see it. `data` holds the items of `EventData` and the first of each element and attribute of `UserData`.
fn event_json(event: &Event) -> serde_json::Value {
    let mut data = serde_json::Map::new();
    for field in event.data.iter() {
        data.entry(field.name).or_insert_with(|| field.value.into());
    }
    if let Some(tree) = &event.user_data {
        leaves(tree, &mut data);
    }
    serde_json::json!({
        "id": event.event_id, "provider": &*event.provider, "channel": &*event.channel, "level": event.level,
        "record": event.record_id, "time": event.time.to_precise(), "computer": &*event.computer,
        "user": event.user_sid, "data": data,
    })
}

/// Texts of a tree by the name of their element; the tree is as deep as the record's elements, which the decoder bounds.
fn leaves(tree: &serde_json::Value, into: &mut serde_json::Map<String, serde_json::Value>) {
    match tree {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    serde_json::Value::Object(_) | serde_json::Value::Array(_) => {
                        if let Some(text) = value.get("#text") {
                            into.entry(name.clone()).or_insert_with(|| text.clone());
                        }
                        leaves(value, into);
                    }
                    text => {
                        into.entry(name.clone()).or_insert_with(|| text.clone());
                    }
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        _ => {}
    }
}

fn captures(case: &Case<'_>, kind: CaptureKind) -> Known {
    let what = format!("output of {}", kind.name());
    let collect = format!("the command whose output is called {}", kind.name());
    let readable: Vec<_> = case.evidence.captures.each(kind).collect();
    if readable.is_empty() {
        let unknown = match case.evidence.captures.ask(kind, &what) {
            Lookup::Unknown(unknown) => unknown,
            Lookup::Found(_) | Lookup::Absent(_) => Unknown { what, reason: None },
        };
        return Known::Unknown(unknown, collect);
    }
    let json = |data| serde_json::to_value(data).unwrap_or_default();
    let partial = readable.iter().find(|capture| capture.value.status == CaptureStatus::Partial);
    let partial = partial.map(|capture| (Unknown { what, reason: capture.value.reason.clone() }, collect));
    let value = readable.iter().map(|capture| cel_value(&json(&capture.value.data))).collect();
    let shown = readable.iter().map(|capture| capture.shows(format!("{} output", kind.name())));
    Known::Answered { value: Value::List(Arc::new(value)), evidence: shown.collect(), partial }
}

fn check(case: &Case<'_>, id: &str) -> Known {
    let collect = format!("what the check {id} misses");
    let what = format!("an answer of the check {id}");
    let Some(outcome) = case.outcome(id) else {
        return Known::Unknown(Unknown { what, reason: None }, collect);
    };
    match (outcome.status, outcome.evidence.first()) {
        (Status::NotCollected, _) | (_, None) => {
            Known::Unknown(Unknown { what, reason: Some(outcome.summary.clone()) }, collect)
        }
        (status, Some(first)) => answered(cel_value(&status.name().into()), first.clone()),
    }
}

fn fact(name: &str, answer: Option<&Answer>) -> Known {
    let collect = format!("what the fact {name} is made of");
    match answer {
        Some(Lookup::Found(found)) => answered(fact_value(&found.value), found.shows(found.value.words())),
        Some(Lookup::Absent(source)) => answered(Value::Null, source.shows("not set")),
        Some(Lookup::Unknown(unknown)) => Known::Unknown(unknown.clone(), collect),
        None => Known::Unknown(Unknown { what: format!("the fact {name}"), reason: None }, collect),
    }
}

/// Turns the evaluation of a rule into its outcome.
pub fn judge(rule: &Rule, expression: &Expression, answers: &Answers) -> Outcome {
    let evaluation = answers.evaluate(expression);
    let j = Judgement::default();
    match &evaluation.result {
        Ok(true) => {
            let evidence = decisive(expression, answers, &evaluation);
            if !evidence.is_empty() {
                j.row(rule.status, rule.confidence, rule.summary.clone(), evidence);
            }
        }
        Ok(false) => {
            for (_, known) in answers.of(&evaluation) {
                if let Known::Answered { evidence, partial, .. } = known {
                    evidence.iter().rev().take(SHOWN).for_each(|seen| j.good(seen.clone()));
                    if let Some((unknown, collect)) = partial {
                        j.missing(unknown, collect);
                    }
                }
            }
        }
        Err(message) => {
            let mut unknown = false;
            for (_, known) in answers.of(&evaluation) {
                if let Known::Unknown(missing, collect) = known {
                    unknown = true;
                    j.missing(missing, collect);
                }
            }
            if !unknown {
                // A report names the file and not the folder of whoever made it.
                let file = rule.path.rsplit(['/', '\\']).next().unwrap_or_default();
                let what = format!("a rule that can be evaluated ({file}: {message})");
                j.missing(&Unknown { what, reason: None }, "correct the rule: actriage rules test DIR");
            }
        }
    }
    j.conclude(&rule.healthy)
}

/// What a condition that holds rests on. Of a list of events these are the records with which alone it still holds; where no single
/// record is enough (a count), the newest ones.
fn decisive(expression: &Expression, answers: &Answers, evaluation: &Evaluation) -> Vec<Observation> {
    let mut found: Vec<Observation> = Vec::new();
    for (question, known) in answers.of(evaluation) {
        let Known::Answered { evidence, .. } = known else { continue };
        let newest = (0..evidence.len()).rev().take(TRIED);
        let alone = |index: &usize| {
            let single = answers.with_only(question, *index);
            single.is_some_and(|answers| answers.evaluate(expression).result == Ok(true))
        };
        let mut chosen: Vec<usize> = match evidence.len() {
            0 | 1 => (0..evidence.len()).collect(),
            _ => newest.filter(alone).take(SHOWN).collect(),
        };
        if chosen.is_empty() {
            chosen = (0..evidence.len()).rev().take(SHOWN).collect();
        }
        chosen.reverse();
        found.extend(chosen.into_iter().filter_map(|index| evidence.get(index).cloned()));
    }
    let mut unique: Vec<Observation> = Vec::new();
    for seen in found {
        if !unique.contains(&seen) {
            unique.push(seen);
        }
    }
    unique
}
