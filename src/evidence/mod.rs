//! What is known of the machine, with where it is known from.
//!
//! Every answer is one of three: *found*, *absent* (something collected covers that place, and it is not there) or *unknown*
//! (nothing collected covers it, or what covers it could not be read). There is no way to get a plain value without its source,
//! so a finding cannot be made of anything else.

pub mod captures;
pub mod events;
pub mod registry;

use serde::Serialize;

use crate::artifact::ArtifactId;
use crate::time::FileTime;

/// Where one observed value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The artifact.
    pub artifact: ArtifactId,
    /// `HKLM\SYSTEM\ControlSet001\Services\NlaSvc!Start`, `record 1234`, `line 17`, `manifest:item-id`.
    pub locator: String,
    /// When the value was written or the event happened, if the artifact says so.
    pub time: Option<FileTime>,
    /// Why the source deserves less trust (a dirty hive without its logs, two sources that disagree); each entry lowers
    /// confidence by one level.
    pub doubts: Vec<String>,
}

/// A value together with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub source: Source,
}

impl<T> Sourced<T> {
    /// The same source with another reading of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: f(self.value), source: self.source }
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is there.
    Found(Sourced<T>),
    /// It is not there, and this is what covers the place.
    Absent(Source),
    /// Nobody can say.
    Unknown(Unknown),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What would have answered it, in words ("SYSTEM hive").
    pub what: String,
    /// Why what is there does not answer it: `None` when it was simply not collected.
    pub reason: Option<String>,
}

impl<T> Lookup<T> {
    /// The found value, if any.
    pub fn found(&self) -> Option<&Sourced<T>> {
        match self {
            Self::Found(sourced) => Some(sourced),
            _ => None,
        }
    }

    /// Whether the answer is *absent*.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether there is no answer.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Another reading of the found value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(sourced) => Lookup::Found(sourced.map(f)),
            Self::Absent(source) => Lookup::Absent(source),
            Self::Unknown(unknown) => Lookup::Unknown(unknown),
        }
    }
}

/// How sure a status is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Indirect, stale or contradicted.
    Low,
    /// Can fail, or one source of two.
    Medium,
    /// A recorded failure names the cause, or the configuration must fail.
    High,
}

impl Confidence {
    /// One level less.
    pub fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}
