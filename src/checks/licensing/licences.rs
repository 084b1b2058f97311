//! Licences of the current kind (vNext): from `vnextdiag.ps1`, from the licence files themselves, and from listings of their folders.
//!
//! A licence file belongs to a user or, below `ProgramData`, to the machine. Those of other users are left out by their path.

use crate::artifact::ArtifactId;
use crate::artifact::capture::file_listing::{EntryKind, Folder};
use crate::artifact::capture::vnextdiag::{Licence as Listed, Part, State};
use crate::artifact::capture::{CaptureData, CaptureKind, CaptureStatus, office_licence, ospp};
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::evidence::{Source, Unknown, captures};
use crate::time::FileTime;

use super::products::Installed;

/// The folder of licence files, below `%LOCALAPPDATA%` and `%ProgramData%`.
pub const FOLDER: &str = r"Microsoft\Office\Licenses";
/// Entitlements that are good; an empty one is good too (R43).
const GOOD: [&str; 2] = ["active", "provisioned"];

/// One licence.
#[derive(Clone, Debug)]
pub struct Licence {
    /// Product release id.
    pub product: Option<String>,
    /// It belongs to the machine.
    pub device: bool,
    /// What it is worth at the time of collection.
    pub state: State,
    /// The entitlement, when it is none of the good ones.
    pub bad_entitlement: Option<String>,
    /// When it was issued (`NotBefore`), where that is legible.
    pub issued: Option<FileTime>,
    /// As evidence.
    pub seen: Observation,
}

/// All that is known of licences.
#[derive(Debug, Default)]
pub struct Licences {
    /// The licences.
    pub list: Vec<Licence>,
    /// A listing that shows that there are none.
    pub none: Option<Observation>,
    /// Files that hold nothing, or only zero bytes.
    pub corrupt: Vec<Observation>,
    /// Files and listings that could not be understood.
    pub unread: Vec<Unknown>,
    /// A folder that holds licence files of which only the names were collected.
    pub names_only: Option<Observation>,
}

impl Licence {
    /// Whether it counts for an installed product; all do when the products are not known.
    pub fn is_for(&self, installed: Option<&Installed>) -> bool {
        match (installed, &self.product) {
            (Some(installed), Some(product)) => installed.has(product),
            _ => true,
        }
    }

    /// The product, for sentences.
    pub fn name(&self) -> &str {
        self.product.as_deref().unwrap_or("a product")
    }

    fn listed(artifact: ArtifactId, licence: &Listed, device: bool) -> Self {
        let until = licence.not_after.as_deref().unwrap_or("an unknown time");
        let state = licence.state_text.as_deref().unwrap_or("no state");
        let product = licence.product.as_deref().unwrap_or("a product");
        let seen = captures::line(artifact, licence.line).shows(format!("{product}: {state}, until {until}"));
        Self {
            product: licence.product.clone(),
            device,
            state: licence.state,
            bad_entitlement: bad_entitlement(licence.entitlement_status.as_deref()),
            issued: licence.not_before.as_deref().and_then(FileTime::parse),
            seen,
        }
    }

    /// The state of a file as `vNextDiag.ps1` works it out, at the time of collection.
    fn of_file(source: &Source, data: &office_licence::Data, device: bool, now: Option<FileTime>) -> Self {
        let time = |text: &Option<String>| text.as_deref().and_then(FileTime::parse);
        let state = match (now, time(&data.not_after)) {
            (Some(now), Some(until)) if now > until => State::ReducedFunctionality,
            (Some(now), Some(_)) => match (&data.expires_on, time(&data.expires_on)) {
                (None, _) => State::Licensed,
                (_, Some(end)) if now < end => State::Licensed,
                (_, Some(_)) => State::Grace,
                (_, None) => State::Unknown,
            },
            _ => State::Unknown,
        };
        let until = data.not_after.as_deref().unwrap_or("an unknown time");
        let product = data.product.as_deref().unwrap_or("a product");
        Self {
            product: data.product.clone(),
            device,
            state,
            bad_entitlement: bad_entitlement(data.status.as_deref()),
            issued: time(&data.not_before),
            seen: source.shows(format!("{product}: licence file until {until}")),
        }
    }
}

fn bad_entitlement(status: Option<&str>) -> Option<String> {
    let status = status.map(str::trim).filter(|status| !status.is_empty())?;
    let good = GOOD.iter().any(|word| word.eq_ignore_ascii_case(status));
    (!good).then(|| status.to_owned())
}

impl Licences {
    /// Reads every source.
    pub fn read(case: &Case<'_>) -> Self {
        let mut all = Self::default();
        all.read_listings(case);
        all.read_files(case);
        all.read_folders(case);
        all
    }

    /// The licences for installed products.
    pub fn of<'l>(&'l self, installed: Option<&'l Installed>) -> impl Iterator<Item = &'l Licence> {
        self.list.iter().filter(move |licence| licence.is_for(installed))
    }

    /// A licence that is valid at the time of collection.
    pub fn valid<'l>(&'l self, installed: Option<&'l Installed>) -> Option<&'l Licence> {
        self.of(installed)
            .find(|licence| licence.state == State::Licensed && licence.bad_entitlement.is_none())
    }

    fn read_listings(&mut self, case: &Case<'_>) {
        for capture in case.captures(CaptureKind::Vnextdiag) {
            let CaptureData::Vnextdiag(data) = &capture.value.data else { continue };
            let artifact = capture.source.artifact;
            let of = |licence, device| Licence::listed(artifact, licence, device);
            self.list.extend(data.user_licences.items().iter().map(|licence| of(licence, false)));
            self.list.extend(data.device_licences.items().iter().map(|licence| of(licence, true)));
            if let (Part::None(line), Part::None(_) | Part::NotShown) =
                (&data.user_licences, &data.device_licences)
            {
                self.none = Some(captures::line(artifact, *line).shows("No licenses found."));
            }
        }
        if case.evidence.users.others().next().is_some() {
            let own = self.list.iter_mut().filter(|licence| !licence.device).map(|licence| &mut licence.seen);
            for seen in own.chain(&mut self.none) {
                seen.doubts.push("The licences that vnextdiag.ps1 lists can be another user's.".to_owned());
            }
        }
        if self.list.is_empty()
            && self.none.is_none()
            && let crate::evidence::Lookup::Unknown(unknown) =
                case.evidence.captures.ask(CaptureKind::Vnextdiag, "licences (vnextdiag.ps1 -action list)")
            && unknown.reason.is_some()
        {
            self.unread.push(unknown);
        }
    }

    /// Licence files that were collected themselves.
    fn read_files(&mut self, case: &Case<'_>) {
        let now = case.window().map(|window| window.to);
        let path = |id: ArtifactId| case.evidence.artifacts.get(id.0).map(|artifact| artifact.path.as_str());
        for capture in case.evidence.captures.all(CaptureKind::OfficeLicence) {
            let path = path(capture.source.artifact).unwrap_or_default();
            if is_of_another_user(case, path) {
                continue;
            }
            match (&capture.value.data, capture.value.status) {
                (CaptureData::OfficeLicence(data), CaptureStatus::Parsed | CaptureStatus::Partial) => {
                    let device = backslashed(path).contains(r"\programdata\");
                    self.list.push(Licence::of_file(&capture.source, data, device, now));
                }
                _ => self.unread.push(Unknown {
                    what: format!("licence file {path}"),
                    reason: capture.value.reason.clone(),
                }),
            }
        }
        let folder = format!("{}\\", backslashed(FOLDER));
        for (index, artifact) in case.evidence.artifacts.iter().enumerate() {
            let empty = artifact.bytes == 0 || artifact.kind == "zeros";
            let is_one = backslashed(&artifact.path).contains(&folder);
            if empty && is_one && !is_of_windows(&artifact.path) && !is_of_another_user(case, &artifact.path)
            {
                let source = captures::line(ArtifactId(index), 1);
                let what =
                    if artifact.bytes == 0 { "the file is empty" } else { "the file holds only zero bytes" };
                self.corrupt.push(source.shows(what).expected("a licence"));
            }
        }
    }

    /// Listings of the folder: nothing in it, files without a size, or names only.
    fn read_folders(&mut self, case: &Case<'_>) {
        let Some(folder) = listed_folder(case, FOLDER) else { return };
        self.corrupt.extend(folder.empty);
        if folder.files == 0 {
            self.none.get_or_insert(folder.seen);
        } else {
            self.names_only = Some(folder.seen);
        }
    }
}

/// What listings show of a folder and the folders in it.
pub struct Contents {
    /// Files in it.
    pub files: usize,
    /// Those of zero bytes.
    pub empty: Vec<Observation>,
    /// As evidence.
    pub seen: Observation,
}

/// What listings show of the affected user's folder (or the machine's) with this end of its path. `None` when no listing shows it as a
/// whole; a folder without files counts only when the listing is known to be complete.
pub fn listed_folder(case: &Case<'_>, tail: &str) -> Option<Contents> {
    let tail = format!("\\{}", backslashed(tail));
    let mut found: Option<Contents> = None;
    let mut whole = true;
    for capture in case.evidence.captures.each(CaptureKind::FileListing) {
        let CaptureData::FileListing(data) = &capture.value.data else { continue };
        let artifact = capture.source.artifact;
        for folder in data.folders.iter().filter(|folder| is_below(case, folder, &tail)) {
            let files = folder.entries.iter().filter(|entry| is_file(entry.kind));
            whole &= folder.complete == Some(true);
            let contents = found.get_or_insert_with(|| Contents {
                files: 0,
                empty: Vec::new(),
                seen: captures::line(artifact, folder.line).shows("listed"),
            });
            for file in files {
                contents.files += 1;
                if file.size == Some(0) && !is_of_windows(&file.name) {
                    let seen =
                        captures::line(artifact, file.line).shows(format!("{} has 0 bytes", file.name));
                    contents.empty.push(seen.expected("a licence"));
                }
            }
        }
    }
    let mut found = found.filter(|contents| whole || contents.files > 0)?;
    found.seen.observed = format!("{} file(s)", found.files);
    Some(found)
}

/// Files that the Explorer leaves in any folder.
fn is_of_windows(path: &str) -> bool {
    let path = backslashed(path);
    let name = path.rsplit('\\').next().unwrap_or_default();
    matches!(name, "desktop.ini" | "thumbs.db")
}

fn is_file(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::File | EntryKind::Unknown)
}

fn is_below(case: &Case<'_>, folder: &Folder, tail: &str) -> bool {
    let path = folder.path.as_deref().unwrap_or_default();
    let place = format!("{}\\", backslashed(path).trim_end_matches('\\'));
    place.contains(&format!("{tail}\\")) && !is_of_another_user(case, path)
}

fn backslashed(path: &str) -> String {
    path.replace('/', "\\").to_lowercase()
}

/// Whether a path lies in the profile of a user who is not the affected one. Nobody's when that cannot be told.
fn is_of_another_user(case: &Case<'_>, path: &str) -> bool {
    let path = format!("\\{}", backslashed(path));
    let Some((_, rest)) = path.split_once(r"\users\") else { return false };
    let owner = rest.split('\\').next().unwrap_or_default();
    let affected = case.evidence.users.affected();
    let Some(user) = affected.found().map(|user| &user.value) else { return false };
    let profile = user.profile.as_deref().and_then(|profile| profile.rsplit('\\').next());
    let known: Vec<&str> = profile.into_iter().chain(user.name.as_deref()).collect();
    !known.is_empty() && !known.iter().any(|name| name.eq_ignore_ascii_case(owner))
}

/// Blocks of `ospp.vbs` with their source.
pub fn blocks<'e>(case: &Case<'e>) -> Vec<(Source, &'e ospp::Licence)> {
    let mut found = Vec::new();
    for capture in case.captures(CaptureKind::Ospp) {
        let CaptureData::Ospp(data) = &capture.value.data else { continue };
        let artifact = capture.source.artifact;
        found.extend(data.licences.iter().map(|licence| (captures::line(artifact, licence.line), licence)));
    }
    found
}

/// A block as evidence.
pub fn block_seen(source: &Source, licence: &ospp::Licence) -> Observation {
    let name = licence.name.as_deref().unwrap_or("a licence");
    let status = licence.status.as_ref().map_or("no status", |status| status.value.as_str());
    let code = licence.error_code.map(|code| format!(", 0x{code:08X}")).unwrap_or_default();
    source.shows(format!("{name}: {status}{code}"))
}

/// What shows that Office is licensed at the time of collection: a valid licence of the current kind, or a subscription that `ospp.vbs`
/// lists as licensed. Command outputs are as new as the collection.
pub fn good_licence(case: &Case<'_>, installed: Option<&Installed>) -> Option<Observation> {
    good_licence_issued(case, installed).map(|(seen, _)| seen)
}

/// [`good_licence`] with the time at which it was issued, where it says so.
pub fn good_licence_issued(
    case: &Case<'_>,
    installed: Option<&Installed>,
) -> Option<(Observation, Option<FileTime>)> {
    let all = Licences::read(case);
    if let Some(licence) = all.valid(installed) {
        return Some((licence.seen.clone(), licence.issued));
    }
    let licensed = |licence: &ospp::Licence| licence.state == ospp::State::Licensed && !licence.is_volume();
    let blocks = blocks(case);
    let (source, licence) = blocks.iter().find(|(_, licence)| licensed(licence))?;
    Some((block_seen(source, licence), None))
}
