//! One provider of the Winsock catalog, whether the hive or the output of `netsh` shows it, and the rows on it.

use crate::artifact::capture::winsock_catalog::{Entry, EntryKind};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::packed_catalog_item::CatalogItem;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::signals;
use crate::evidence::{Confidence, Source, Sourced, captures};

/// IPv4.
pub const INET: i32 = 2;
/// IPv6.
pub const INET6: i32 = 23;
/// DLLs of Windows that provide transports.
const TRANSPORTS: &[&str] =
    &["mswsock.dll", "wshqos.dll", "wshbth.dll", "rsvpsp.dll", "msafd.dll", "wshtcpip.dll", "wship6.dll"];

/// A provider as evidence shows it.
pub struct Provider {
    path: String,
    /// A layered provider or a chain through one.
    pub layered: bool,
    is_ip: bool,
    seen: Observation,
}

/// The file name of a path, in lower case.
pub fn dll(path: &str) -> String {
    split(path).1.trim().to_ascii_lowercase()
}

fn split(path: &str) -> (&str, &str) {
    path.trim().rsplit_once(['\\', '/']).unwrap_or(("", path.trim()))
}

impl Provider {
    /// An entry of the hive.
    pub fn of_item(item: &Sourced<CatalogItem>) -> Self {
        let value = &item.value;
        let seen = item.shows(format!(
            "{} ({}), ChainLen {}, family {}",
            value.path, value.name, value.chain_len, value.address_family
        ));
        Self {
            path: value.path.clone(),
            layered: value.chain_len != 1,
            is_ip: matches!(value.address_family, INET | INET6),
            seen,
        }
    }

    /// An entry of the text output, at its place in it. Excerpts leave the chain length out; then the type of the entry tells.
    pub fn of_entry(entry: &Entry, place: &Source) -> Self {
        let chain = entry.chain_length.map_or_else(|| "not shown".to_owned(), |length| length.to_string());
        let path = entry.path.clone().unwrap_or_default();
        let shown = if path.is_empty() { "no path" } else { &path };
        Self {
            layered: entry.chain_length.map_or(entry.kind == Some(EntryKind::Layered), |length| length != 1),
            is_ip: entry.family.is_some_and(|family| [INET, INET6].map(i64::from).contains(&family)),
            seen: place.shows(format!("{shown}, chain length {chain}")),
            path,
        }
    }

    /// Whether the DLL is Windows' own: its name alone can be taken by anybody, in another folder.
    fn is_windows(&self) -> bool {
        let folder = split(&self.path).0.to_ascii_lowercase();
        let system = ["", "system32", "syswow64"].contains(&dll(&folder).as_str());
        system && TRANSPORTS.contains(&dll(&self.path).as_str())
    }

    /// Reports the rows on this provider.
    pub fn judge(self, case: &Case<'_>, j: &Judgement) {
        if self.layered {
            self.layered_row(case, j);
        } else if self.is_ip && !self.path.is_empty() && !self.is_windows() {
            let summary = format!("A provider that is not from Windows serves IP sockets: {}.", self.path);
            j.warning(Confidence::Medium, summary, [self.seen]);
        }
    }

    fn layered_row(self, case: &Case<'_>, j: &Judgement) {
        let mut summary = format!("A layered Winsock provider is installed: {}.", self.path);
        let lost = lost(case, &self.path);
        if lost.is_some() {
            summary.push_str(" Its DLL is not there.");
        }
        let error = signals::socket_errors(case).last().map(|error| event_seen(error, signals::FIELDS));
        let status = if lost.is_some() || error.is_some() { Status::Blocker } else { Status::Warning };
        let mut evidence = vec![self.seen.expected("ChainLen 1")];
        evidence.extend(lost);
        evidence.extend(error);
        j.row(status, Confidence::Medium, summary, evidence);
    }
}

/// A whole listing of the DLL's folder that does not have it. Of the system folder nothing is said: the same path is two folders, one
/// for 32-bit programs.
fn lost(case: &Case<'_>, path: &str) -> Option<Observation> {
    let (folder, file) = split(path);
    if folder.is_empty() || folder.contains('%') || dll(folder) == "system32" {
        return None;
    }
    let mut lost = None;
    for capture in case.evidence.captures.each(CaptureKind::FileListing) {
        let CaptureData::FileListing(data) = &capture.value.data else { continue };
        for listed in data.folders.iter().filter(|listed| {
            let path = listed.path.as_deref().unwrap_or_default();
            path.trim_end_matches('\\').eq_ignore_ascii_case(folder)
        }) {
            if listed.entry(file).is_some() {
                return None;
            }
            if listed.complete == Some(true) {
                let at = captures::line(capture.source.artifact, listed.line);
                lost = Some(at.shows(format!("{folder} has no {file}")).expected(file));
            }
        }
    }
    lost
}
