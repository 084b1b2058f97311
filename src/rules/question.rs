//! What a rule may ask, and how a question stands in an expression.
//!
//! Every argument is a literal, so that questions are known without running anything.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use crate::artifact::capture::{CaptureKind, READERS};
use crate::artifact::reg_export::short_root;
use crate::checks;
use crate::facts;

/// A question to a machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// `registry(KEY, VALUE)`: the value; null when it is not there.
    Registry {
        /// Key; `HKCU` is the affected user.
        key: String,
        /// Value; empty for the default value.
        value: String,
    },
    /// `key(KEY)`: whether the key is there.
    Key(String),
    /// `events(PROVIDER, [IDS], CHANNEL)`: the records inside the failure window, oldest first.
    Events {
        /// Provider.
        provider: String,
        /// Ids; none means all.
        ids: Vec<u32>,
        /// Channel whose log must cover the window for "none" to mean anything.
        channel: String,
    },
    /// `captures(KIND)`: the typed contents of all readable outputs of a command.
    Captures(CaptureKind),
    /// `check(ID)`: the status of a built-in check.
    Check(String),
    /// `fact(NAME)`: the value of a fact; null when it is known not to be set.
    Fact(String),
}

/// Names of the functions, with their form for messages.
pub const FORMS: &[(&str, &str)] = &[
    ("registry", r"registry(r'HKLM\…', 'value')"),
    ("key", r"key(r'HKLM\…')"),
    ("events", "events('provider', [1, 2], 'channel')"),
    ("captures", "captures('kind')"),
    ("check", "check('id')"),
    ("fact", "fact('name')"),
];

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCall {
    /// What a sound call has.
    pub expected: String,
    /// What this one has.
    pub found: String,
}

fn bad<T>(expected: impl Into<String>, found: impl Into<String>) -> Result<T, BadCall> {
    Err(BadCall { expected: expected.into(), found: found.into() })
}

impl Question {
    /// The question that a call asks; `None` when the call is no question.
    pub fn of(call: &CallExpr) -> Option<Result<Self, BadCall>> {
        let (name, form) = FORMS.iter().find(|(name, _)| *name == call.func_name)?;
        if call.target.is_some() {
            return Some(bad(*form, format!("a call of {name} on a value")));
        }
        Some(Self::read(name, form, &call.args))
    }

    fn read(name: &str, form: &str, args: &[IdedExpr]) -> Result<Self, BadCall> {
        let texts: Vec<Option<&str>> = args.iter().map(text_of).collect();
        match (name, texts.as_slice()) {
            ("registry", [Some(key), Some(value)]) => {
                Ok(Self::Registry { key: key_of(key)?, value: (*value).to_owned() })
            }
            ("key", [Some(key)]) => Ok(Self::Key(key_of(key)?)),
            ("events", [Some(provider), None, Some(channel)]) => match args.get(1).and_then(numbers_of) {
                Some(ids) => {
                    Ok(Self::Events { provider: (*provider).to_owned(), ids, channel: (*channel).to_owned() })
                }
                None => bad(form, "ids that are no list of literal numbers"),
            },
            ("captures", [Some(kind)]) => match CaptureKind::by_name(kind) {
                Some(kind) => Ok(Self::Captures(kind)),
                None => bad(format!("a kind of capture ({})", kinds()), format!("`{kind}`")),
            },
            ("check", [Some(id)]) => match checks::by_id(id) {
                Some(_) => Ok(Self::Check((*id).to_owned())),
                None => bad("the id of a built-in check (see `actriage checks`)", format!("`{id}`")),
            },
            ("fact", [Some(fact)]) => match facts::family(fact) {
                Some(_) => Ok(Self::Fact((*fact).to_owned())),
                None => bad("the name of a fact (see `actriage facts`)", format!("`{fact}`")),
            },
            (name, _) => bad(
                format!("literal arguments, as in {form}"),
                format!("a call of {name} with {} other argument(s)", args.len()),
            ),
        }
    }
}

fn kinds() -> String {
    READERS.iter().map(|reader| reader.kind.name()).collect::<Vec<_>>().join(", ")
}

fn key_of(text: &str) -> Result<String, BadCall> {
    match short_root(text) {
        Some(key) => Ok(key),
        None => bad(r"a key that begins with HKLM, HKCU, HKU or HKCR", format!("`{text}`")),
    }
}

fn text_of(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn numbers_of(expression: &IdedExpr) -> Option<Vec<u32>> {
    let Expr::List(list) = &expression.expr else { return None };
    let number = |item: &IdedExpr| match &item.expr {
        Expr::Literal(LiteralValue::Int(number)) => u32::try_from(*number.inner()).ok(),
        _ => None,
    };
    list.elements.iter().map(number).collect()
}
