//! Small conversions between answers: what a fact is made of is always a [`Lookup`], so that no fact loses its source or its "unknown".

use super::Value;
use crate::artifact::value::RegValue;
use crate::checks::judgement::Observation;
use crate::evidence::{Lookup, Source, Sourced, Unknown};

/// The text of a registry value; other types as a report shows them.
pub fn text(answer: Lookup<RegValue>) -> Lookup<String> {
    answer.map(|value| value.as_text().unwrap_or_else(|| value.display()))
}

/// A registry value as it is: numbers stay numbers, lists stay lists.
pub fn value(answer: Lookup<RegValue>) -> Lookup<Value> {
    answer.map(|value| Value::of_registry(&value))
}

/// The first answer that was found; else the first that is unknown, because it might have been found; else absent.
pub fn first<T>(answers: impl IntoIterator<Item = Lookup<T>>) -> Lookup<T> {
    let mut best: Option<Lookup<T>> = None;
    for answer in answers {
        match (&best, &answer) {
            (_, Lookup::Found(_)) => return answer,
            (None, _) | (Some(Lookup::Absent(_)), Lookup::Unknown(_)) => best = Some(answer),
            _ => {}
        }
    }
    best.unwrap_or_else(|| unknown("anything that tells"))
}

/// Keeps the found value only when it can be read as wanted; otherwise the answer is unknown.
pub fn read<T, U>(answer: Lookup<T>, what: &str, read: impl FnOnce(&T) -> Option<U>) -> Lookup<U> {
    match answer {
        Lookup::Found(found) => match read(&found.value) {
            Some(value) => Lookup::Found(found.map(|_| value)),
            None => Lookup::Unknown(Unknown {
                what: what.to_owned(),
                reason: Some(format!("{} holds something else", found.source.locator)),
            }),
        },
        Lookup::Absent(source) => Lookup::Absent(source),
        Lookup::Unknown(unknown) => Lookup::Unknown(unknown),
    }
}

/// A value and the observation that shows it.
pub fn seen<T>(value: T, seen: Observation) -> Lookup<T> {
    let source =
        Source { artifact: seen.artifact, locator: seen.locator, time: seen.time, doubts: seen.doubts };
    Lookup::Found(Sourced { value, source })
}

/// A value at a source.
pub fn at<T>(source: Source, value: T) -> Lookup<T> {
    Lookup::Found(Sourced { value, source })
}

/// An answer that nothing collected gives.
pub fn unknown<T>(what: &str) -> Lookup<T> {
    Lookup::Unknown(Unknown { what: what.to_owned(), reason: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::ArtifactId;

    fn source() -> Source {
        Source { artifact: ArtifactId(0), locator: "line 1".into(), time: None, doubts: Vec::new() }
    }

    #[test]
    fn an_unknown_answer_outweighs_an_absent_one() {
        let absent = || Lookup::<u32>::Absent(source());
        assert!(first([absent(), unknown("x"), absent()]).is_unknown());
        assert!(first([absent(), absent()]).is_absent());
        assert_eq!(first([unknown("x"), at(source(), 7)]).found().map(|found| found.value), Some(7));
        assert!(first(Vec::<Lookup<u32>>::new()).is_unknown());
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_says_why() {
        let Lookup::Unknown(unknown) = read(at(source(), "x"), "a number", |text| text.parse::<u32>().ok())
        else {
            panic!("expected unknown")
        };
        assert_eq!(unknown.reason.as_deref(), Some("line 1 holds something else"));
    }
}
