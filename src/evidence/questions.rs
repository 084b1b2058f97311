//! A record of what was asked of a machine's evidence, and by whom.
//!
//! The collector must collect what the checks ask for and nothing that no check asks for. Both are only known from the questions
//! themselves: a list kept by hand would be wrong with the next check. So the few places that every question goes through note it here
//! while somebody records, and do nothing else.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// A registry key, as the checks write it: `HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc`, `HKU\<SID>\Software`.
    Key(String),
    /// The security descriptor of a key: only a hive or `Get-Acl` answers it.
    Security(String),
    /// Outputs of a command, by the name of their kind.
    Capture(&'static str),
    /// Records of a channel.
    Channel(&'static str),
}

/// A question and who asked it: the id of a check, or nothing for the facts that all checks share.
pub type Asked = (Option<&'static str>, Question);

#[derive(Default)]
struct Recorder {
    askers: Vec<&'static str>,
    asked: BTreeSet<Asked>,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Runs something and gives what it asked on this thread.
pub fn record<T>(run: impl FnOnce() -> T) -> (T, BTreeSet<Asked>) {
    RECORDER.with_borrow_mut(|recorder| *recorder = Some(Recorder::default()));
    let result = run();
    let recorder = RECORDER.with_borrow_mut(Option::take).unwrap_or_default();
    (result, recorder.asked)
}

/// Runs something whose questions are those of a check. Checks look at each other: the innermost one asks.
pub fn asked_by<T>(check: &'static str, run: impl FnOnce() -> T) -> T {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            recorder.askers.push(check);
        }
    });
    let result = run();
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            recorder.askers.pop();
        }
    });
    result
}

/// Notes a question, if somebody records.
pub fn note(question: impl FnOnce() -> Question) {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder {
            recorder.asked.insert((recorder.askers.last().copied(), question()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_belong_to_the_innermost_check_and_only_while_recording() {
        let ask = |kind: &'static str| note(|| Question::Capture(kind));
        ask("before");
        let ((), asked) = record(|| {
            ask("shared");
            asked_by("outer", || {
                asked_by("inner", || ask("a"));
                ask("b");
            });
        });
        ask("after");
        let expected = [
            (None, Question::Capture("shared")),
            (Some("inner"), Question::Capture("a")),
            (Some("outer"), Question::Capture("b")),
        ];
        assert_eq!(asked, BTreeSet::from(expected));
    }
}
