//! Events printed as text: `wevtutil qe /f:text`, `Get-WinEvent | Format-List`, CSV and JSON.

use super::event::{EventFilter, EventLog};
use super::text::Text;

/// Whether the text is an event listing.
pub fn recognise(_text: &Text) -> bool {
    false
}

/// Reads the listing; fields are recovered where the form keeps them.
pub fn read(_text: &Text, _filter: &EventFilter) -> EventLog {
    EventLog::default()
}
