//! Questions to the command outputs.

use super::questions::{Question, note};
use super::{Lookup, Source, Sourced, Unknown};
use crate::artifact::ArtifactId;
use crate::artifact::capture::{Capture, CaptureKind, CaptureStatus};

/// All command outputs of a machine.
#[derive(Debug, Default)]
pub struct Captures {
    captures: Vec<(ArtifactId, Capture)>,
}

impl Captures {
    /// Takes the outputs in the order of the bundle.
    pub fn new(captures: Vec<(ArtifactId, Capture)>) -> Self {
        Self { captures }
    }

    /// All outputs, in the order of the bundle.
    pub fn iter(&self) -> impl Iterator<Item = &Capture> {
        self.captures.iter().map(|(_, capture)| capture)
    }

    /// Every output of a kind, understood or not.
    pub fn all(&self, kind: CaptureKind) -> impl Iterator<Item = Sourced<&Capture>> {
        note(|| Question::Capture(kind.name()));
        self.captures
            .iter()
            .filter(move |(_, capture)| capture.kind == kind)
            .map(|(artifact, capture)| Sourced { value: capture, source: line(*artifact, capture.line_from) })
    }

    /// Every output of a kind that could be read at least in part: for commands that are asked about one thing at a time (`sc qc` of one
    /// service), so that a file holds many of them.
    pub fn each(&self, kind: CaptureKind) -> impl Iterator<Item = Sourced<&Capture>> {
        self.all(kind).filter(|capture| is_readable(capture.value))
    }

    /// The outputs of a kind that could be read at least in part, the last one of every file: a file that holds a command twice
    /// shows the state after the last one.
    pub fn readable(&self, kind: CaptureKind) -> Vec<Sourced<&Capture>> {
        self.latest(kind, |_| ())
    }

    /// The same for a command that is run for different things: the last output of every file for each of them. Two outputs about one
    /// thing are the state before and after; of two things neither takes back the other.
    pub fn latest<T: PartialEq>(
        &self,
        kind: CaptureKind,
        thing: impl Fn(&Capture) -> T,
    ) -> Vec<Sourced<&Capture>> {
        let mut found: Vec<Sourced<&Capture>> = Vec::new();
        for capture in self.each(kind) {
            found.retain(|earlier| {
                earlier.source.artifact != capture.source.artifact
                    || thing(earlier.value) != thing(capture.value)
            });
            found.push(capture);
        }
        found
    }

    /// The output of a kind: found when one could be read, unknown otherwise. An output is never *absent*: a command that was not
    /// run says nothing.
    pub fn ask(&self, kind: CaptureKind, what: &str) -> Lookup<Vec<Sourced<&Capture>>> {
        let readable = self.readable(kind);
        if let Some(first) = readable.first() {
            let source = first.source.clone();
            return Lookup::Found(Sourced { value: readable, source });
        }
        let reason = self.all(kind).last().map(|capture| {
            let why = capture.value.reason.clone().unwrap_or_else(|| "it could not be understood".to_owned());
            format!("collected, but {why}")
        });
        Lookup::Unknown(Unknown { what: what.to_owned(), reason })
    }
}

fn is_readable(capture: &Capture) -> bool {
    matches!(capture.status, CaptureStatus::Parsed | CaptureStatus::Partial)
}

/// A line of an artifact as a source.
pub fn line(artifact: ArtifactId, number: u32) -> Source {
    Source { artifact, locator: format!("line {number}"), time: None, doubts: Vec::new() }
}
