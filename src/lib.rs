//! actriage reads an evidence bundle from a Windows machine and says what keeps Microsoft 365 Apps from activating.
//!
//! A bundle flows one way, and each stage knows only what stands to its left:
//!
//! ```text
//! zip | folder ─▶ bundle ─▶ artifact ─▶ evidence ─▶ checks ─▶ facts ─▶ rules ─▶ diagnosis ─▶ report
//! ```
//!
//! * [`bundle`] lists the files of a zip, a folder or a zip inside a zip, within limits, without extracting anything.
//! * [`artifact`] tells by content what a file is and decodes it: hives, `.reg` exports, event logs, command outputs.
//! * [`evidence`] answers questions about the machine, each answer *found*, *absent* or *unknown*, each with its source.
//! * [`checks`] are the questions: one file each, with its documentation, its fixture and its remedy.
//! * [`facts`] are what is known of the machine under stable names, for everything that is not written in Rust.
//! * [`rules`] are questions that people write themselves, over facts and evidence, without compiling.
//! * [`diagnosis`] runs them, tells causes from symptoms, ranks the causes and pronounces the verdict.
//! * [`report`] is the typed result (the JSON contract) and its renderings.
//! * [`triage`] does all this for thousands of bundles, each in a process of its own; [`fleet`] is the report on them.
//!
//! With the feature `serve` (on by default) there is a local page to drop bundles on (module `serve`), for people who do not live in a terminal.
//!
//! [`collector`] says what to collect and holds the script that does it.
//!
//! What the checks want to see travels down as data ([`artifact::Interest`]), never as an import upwards.

pub mod artifact;
pub mod buffer;
pub mod bundle;
pub mod checks;
pub mod cli;
pub mod collector;
#[cfg(feature = "dataset")]
pub mod dataset;
pub mod diagnosis;
pub mod evidence;
pub mod facts;
pub mod fleet;
pub mod knowledge;
pub mod redact;
pub mod report;
pub mod rules;
#[cfg(feature = "serve")]
pub mod serve;
pub mod time;
pub mod triage;

#[cfg(test)]
#[path = "../tests/workshop/mod.rs"]
mod workshop;
