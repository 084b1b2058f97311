//! What one source says to one question, and how the answers of several become one.
//!
//! # Which source is believed
//!
//! Two sources that say the same agree, whatever their age. When they differ, the newer state wins and the difference becomes a
//! doubt, which costs the finding one level of confidence:
//!
//! * A text whose time is known, against a hive: the key in the hive carries the time of its last change. If the text was taken
//!   after that, the text saw a later change that the hive does not have; if before, the hive is newer.
//! * A text without a time, against a hive that was closed cleanly (or replayed) and is no backup copy: the hive. A `.reg` file
//!   may be as old as it likes, and its content shows no time.
//! * A text without a time, against a dirty hive without logs or a backup copy: the text, because such a hive is known to be
//!   behind the machine.
//! * Two texts: the later one; without times, the one that comes first in the bundle.
//! * A `.reg` file that deletes keys or values was written to be imported: it never wins.

use crate::artifact::ArtifactId;
use crate::evidence::{Lookup, Source, Sourced, Unknown};
use crate::time::FileTime;

/// What a source says.
#[derive(Debug)]
pub(super) enum State<T> {
    Found(T),
    /// The source covers the place, and it is not there.
    Absent,
    /// The source covers the place, but cannot be read there.
    Unreadable(String),
    /// The source does not cover the place.
    Silent,
}

/// What a source says, and where it stands.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub state: State<T>,
    pub locator: String,
    /// When the key was last written.
    pub time: Option<FileTime>,
}

impl<T> Answer<T> {
    pub fn new(state: State<T>, locator: String, time: Option<FileTime>) -> Self {
        Self { state, locator, time }
    }
}

/// What decides between two sources.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub artifact: ArtifactId,
    /// Path in the bundle.
    pub path: String,
    pub kind: SourceKind,
    /// Doubts about everything that the source says.
    pub doubts: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// `current`: closed cleanly or replayed, and no backup copy.
    Hive { current: bool },
    /// `taken`: when the text was written, if that is known. `script`: it is to be imported.
    Text { taken: Option<FileTime>, script: bool },
}

/// Whether the second answer is to be believed rather than the first.
fn second_wins(first: (&Standing, Option<FileTime>), second: (&Standing, Option<FileTime>)) -> bool {
    use SourceKind::{Hive, Text};
    match (first.0.kind, second.0.kind) {
        (Text { script: true, .. }, Hive { .. } | Text { script: false, .. }) => true,
        (_, Text { script: true, .. }) => false,
        (Hive { current }, Text { taken, .. }) => text_wins(current, first.1, taken),
        (Text { taken, .. }, Hive { current }) => !text_wins(current, second.1, taken),
        (Text { taken: one, .. }, Text { taken: other, .. }) => other > one,
        (Hive { current: one }, Hive { current: other }) => !one && other,
    }
}

fn text_wins(hive_is_current: bool, key_written: Option<FileTime>, taken: Option<FileTime>) -> bool {
    match (taken, key_written) {
        (Some(taken), Some(written)) => taken >= written,
        _ => !hive_is_current,
    }
}

/// Makes one answer out of many. `same` compares two found things, `show` puts one into words.
pub(super) fn merge<T>(
    answers: Vec<(&Standing, Answer<T>)>,
    unknown: impl FnOnce(Option<String>) -> Unknown,
    same: impl Fn(&T, &T) -> bool,
    show: impl Fn(&T) -> String,
) -> Lookup<T> {
    let mut unreadable = Vec::new();
    let mut readable: Vec<(&Standing, Answer<T>, Option<T>)> = Vec::new();
    for (standing, mut answer) in answers {
        match std::mem::replace(&mut answer.state, State::Silent) {
            State::Found(value) => readable.push((standing, answer, Some(value))),
            State::Absent => readable.push((standing, answer, None)),
            State::Unreadable(reason) => unreadable.push(format!("{}: {reason}", standing.path)),
            State::Silent => {}
        }
    }
    let Some(best) =
        (0..readable.len()).reduce(|best, next| match (readable.get(best), readable.get(next)) {
            (Some(one), Some(other)) if second_wins((one.0, one.1.time), (other.0, other.1.time)) => next,
            _ => best,
        })
    else {
        return Lookup::Unknown(unknown((!unreadable.is_empty()).then(|| unreadable.join("; "))));
    };
    let (standing, answer, value) = readable.swap_remove(best);
    let mut doubts = standing.doubts.clone();
    for (other, said, other_value) in &readable {
        let agrees = match (&value, other_value) {
            (Some(one), Some(two)) => same(one, two),
            (None, None) => true,
            _ => false,
        };
        if !agrees {
            let said_value = other_value.as_ref().map_or_else(|| "it is not there".to_owned(), &show);
            doubts.push(format!("{} says otherwise at {}: {said_value}", other.path, said.locator));
        }
    }
    let source = Source { artifact: standing.artifact, locator: answer.locator, time: answer.time, doubts };
    match value {
        Some(value) => Lookup::Found(Sourced { value, source }),
        None => Lookup::Absent(source),
    }
}
