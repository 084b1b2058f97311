//! Events printed as text: `wevtutil qe /f:text`, `Get-WinEvent` as a list, as CSV and as JSON.
//!
//! Such prints keep the `System` properties and the message, but not the named items of `EventData`: the message is kept in a field
//! `Message`, and what JSON keeps of the items is kept under their positions (`#0`, `#1` …). A print is complete under the same
//! conditions as exported XML: see [`super::event_xml`].
//!
//! Times of `wevtutil` since Windows 10 2004 and of PowerShell's JSON are exact. Everything else prints the local time of the
//! machine without its offset, partly in the order of its region: the order is found out from all times of the listing together,
//! and the offset stays unknown, which is reported as a problem (`clock`).

mod clock;
mod csv;
mod json;
mod list;
mod record;
mod wevtutil;

use self::record::Record;
use super::event::{EventFilter, EventLog};
use super::event_listing::Listing;
use super::text::Text;
use super::{Place, Problem};

/// A form of listing: what it is recognised by and how it is read.
struct Form {
    recognise: fn(&Text) -> bool,
    read: fn(&Text, &mut Vec<Problem>) -> Vec<Record>,
}

const FORMS: [Form; 4] = [
    Form { recognise: wevtutil::recognise, read: wevtutil::read },
    Form { recognise: json::recognise, read: json::read },
    Form { recognise: csv::recognise, read: csv::read },
    Form { recognise: list::recognise, read: list::read },
];

/// Whether the text is an event listing.
pub fn recognise(text: &Text) -> bool {
    FORMS.iter().any(|form| (form.recognise)(text))
}

/// Reads the listing; fields are recovered where the form keeps them.
pub fn read(text: &Text, filter: &EventFilter) -> EventLog {
    let mut listing = Listing::default();
    let Some(form) = FORMS.iter().find(|form| (form.recognise)(text)) else {
        listing.problem(Problem::new(Place::Whole, "an event listing", "other text"));
        return listing.finish();
    };
    let mut problems = Vec::new();
    let records = (form.read)(text, &mut problems);
    let clock = clock::Clock::of(&records);
    problems.extend(clock.problem());
    for record in records {
        match record.into_event(&clock) {
            Ok(event) => listing.add(event, filter),
            Err(problem) => problems.push(problem),
        }
    }
    problems.into_iter().for_each(|problem| listing.problem(problem));
    listing.finish()
}

#[cfg(test)]
mod tests;
