//! Recorded licensing failures of Office: records of the Software Protection service, dialogs, the listing of `ospp.vbs`.
//!
//! The service writes the same records for Windows. Only those count that name an Office application id, or a product that such a record
//! or the listing of `ospp.vbs` names (decision 7 and R56).

use super::licences;
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::checks::broker::{affected, is_of_another_user};
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::checks::signals::DIALOGS;
use crate::evidence::events::Want;
use crate::evidence::{Sourced, captures};

/// Failures of the Software Protection service.
pub const PROTECTION: Want = Want {
    provider: "Microsoft-Windows-Security-SPP",
    ids: &[1003, 1014, 8198, 8200, 8208],
    channels: &["Application"],
};

/// Application ids of Office in the Software Protection service: 2013 and later, 2010.
const OFFICE: [&str; 2] = ["0ff1ce15-a989-479d-af46-f275c6370663", "59a52881-a989-479d-af46-f275c6370663"];
/// `E_ACCESSDENIED`.
const ACCESS_DENIED: u32 = 0x8007_0005;
/// What the dialog says that the article is about, on an English Windows.
const CANNOT_VERIFY: [&str; 2] = ["verify the license", "verify the licence"];
/// A status listing is no failure.
const LISTING: u32 = 1003;

/// Texts that look like GUIDs.
fn guids(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '-';
    text.split(move |c: char| !is_part(c)).filter(|word| word.len() == 36 && word.matches('-').count() == 4)
}

/// Failures of the Software Protection service that are Office's, oldest first.
fn office_failures<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let texts: Vec<(Sourced<&Event>, String)> = case
        .events(PROTECTION)
        .into_iter()
        .map(|event| {
            let text = event.value.all_text().to_lowercase();
            (event, text)
        })
        .collect();
    let names_office = |text: &str| OFFICE.iter().any(|id| text.contains(id));
    let mut products: Vec<String> = texts
        .iter()
        .filter(|(_, text)| names_office(text))
        .flat_map(|(_, text)| guids(text).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    products.extend(
        licences::blocks(case).iter().filter_map(|(_, block)| block.sku_id.as_deref()).map(str::to_lowercase),
    );
    let linked = |text: &str| guids(text).any(|id| products.iter().any(|known| known == id));
    let failed = |event: &Event, text: &str| {
        event.event_id != LISTING
            && (names_office(text) || matches!(event.event_id, 1014 | 8200) && linked(text))
    };
    texts.into_iter().filter(|(event, text)| failed(event.value, text)).map(|(event, _)| event).collect()
}

/// Failures of Office's licensing with the codes in them, oldest first.
pub fn failures<'e>(case: &Case<'e>) -> Vec<(Sourced<&'e Event>, Vec<ErrorCode>)> {
    let with_codes = |event: Sourced<&'e Event>| {
        let codes = codes_in(&event.value.all_text());
        (event, codes)
    };
    office_failures(case).into_iter().map(with_codes).collect()
}

/// A dialog that Office showed the affected user.
pub struct Dialog<'e> {
    /// The record.
    pub event: Sourced<&'e Event>,
    /// Its texts in lower case.
    pub text: String,
    /// The codes in it.
    pub codes: Vec<ErrorCode>,
}

impl Dialog<'_> {
    /// Whether the dialog shows a code.
    pub fn has_code(&self, value: u32) -> bool {
        self.codes.contains(&ErrorCode::from_value(value))
    }

    /// The dialog as evidence.
    pub fn seen(&self) -> Observation {
        const LONGEST: usize = 200;
        let text = self.event.value.all_text().split_whitespace().collect::<Vec<_>>().join(" ");
        self.event.shows(format!("Office dialog: {}", text.chars().take(LONGEST).collect::<String>()))
    }
}

/// The dialogs of the affected user in the failure window, oldest first.
pub fn dialogs<'e>(case: &Case<'e>) -> Vec<Dialog<'e>> {
    let user = affected(case);
    let mut events: Vec<Sourced<&Event>> = DIALOGS.iter().flat_map(|want| case.events(*want)).collect();
    events.retain(|event| !is_of_another_user(user.as_ref(), event.value));
    events.sort_by_key(|event| (event.value.time, event.value.record_id, event.source.artifact));
    let of = |event: Sourced<&'e Event>| {
        let text = event.value.all_text();
        Dialog { event, codes: codes_in(&text), text: text.to_lowercase() }
    };
    events.into_iter().map(of).collect()
}

/// A record as evidence.
pub fn seen(event: &Sourced<&Event>, what: &str) -> Observation {
    event.shows(format!("{} {}: {what}", event.value.provider, event.value.event_id))
}

/// The newest failure of Office's licensing: a record of the service, or the dialog that it cannot verify the licence.
pub fn licensing_failure(case: &Case<'_>) -> Option<Observation> {
    let failure = office_failures(case).last().map(|event| {
        let code =
            codes_in(&event.value.all_text()).first().map_or("failed".to_owned(), ErrorCode::to_string);
        seen(event, &code)
    });
    let dialog = || {
        let dialogs = DIALOGS.iter().flat_map(|want| case.events(*want));
        let mut named = dialogs.filter(|event| {
            let text = event.value.all_text().to_lowercase();
            CANNOT_VERIFY.iter().any(|words| text.contains(words))
        });
        named.next_back().map(|event| seen(&event, "Office cannot verify the license"))
    };
    failure.or_else(dialog)
}

/// The newest record of Office's licensing that holds a code, or the listing that shows it.
pub fn with_code(case: &Case<'_>, code: u32) -> Option<Observation> {
    let wanted = ErrorCode::from_value(code);
    let has = |event: &Sourced<&Event>| codes_in(&event.value.all_text()).contains(&wanted);
    let failures = office_failures(case);
    let recorded = failures.iter().rfind(|event| has(event)).map(|event| seen(event, &wanted.to_string()));
    recorded.or_else(|| listed(case, code, &wanted.to_string()))
}

/// "Access denied" (0x80070005) in Office's licensing or its dialogs.
pub fn access_denied(case: &Case<'_>) -> Option<Observation> {
    let denied = |event: &Sourced<&Event>| {
        let codes = codes_in(&event.value.all_text());
        codes
            .contains(&ErrorCode::from_value(ACCESS_DENIED))
            .then(|| seen(event, "0x80070005 (access denied)"))
    };
    let dialogs = DIALOGS.iter().flat_map(|want| case.events(*want));
    let recorded =
        office_failures(case).into_iter().chain(dialogs).filter_map(|event| denied(&event)).next_back();
    recorded.or_else(|| listed(case, ACCESS_DENIED, "0x80070005 (access denied)"))
}

/// The listing of `ospp.vbs` shows the code.
fn listed(case: &Case<'_>, code: u32, words: &str) -> Option<Observation> {
    case.captures(CaptureKind::Ospp).into_iter().find_map(|capture| {
        let CaptureData::Ospp(data) = &capture.value.data else { return None };
        let licence = data.licences.iter().find(|licence| licence.error_code == Some(code))?;
        let name = licence.name.as_deref().unwrap_or("a licence");
        Some(captures::line(capture.source.artifact, licence.line).shows(format!("{name}: {words}")))
    })
}
