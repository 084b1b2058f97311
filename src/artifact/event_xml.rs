//! Events exported as XML: `wevtutil qe /f:xml`, Event Viewer, `Get-WinEvent … ToXml()`.
//!
//! Only the `Event` elements count. What stands around them (a root element or none, XML declarations, prompt lines, several
//! exports in one file) is passed over, so a broken element costs only itself.
//!
//! # When an export is complete
//!
//! An export does not say which query made it, so it is complete only when its records prove it: all of one channel, at least 50 of
//! more than one kind, with record numbers that leave no gap. A query by provider or id would leave gaps. An export limited by time
//! or number has none and is complete for the time from its oldest to its newest record, which is all that is claimed.

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event as Xml};

use super::event::{Event, EventFilter, EventLog};
use super::event_build::EventBuilder;
use super::event_listing::Listing;
use super::{Place, Problem};
use crate::time::FileTime;

/// Start of an event element; what follows tells it from `<Events>` and `<EventData>`.
const START: &str = "<Event";
/// Elements that say that an `Event` element is a Windows event.
const SYSTEM: &str = "<System";
/// How far into a text the first event is looked for.
const SEARCHED: usize = 64 * 1024;

/// Whether the text holds event XML.
pub fn recognise(text: &str) -> bool {
    let mut searched = SEARCHED.min(text.len());
    while !text.is_char_boundary(searched) {
        searched -= 1;
    }
    let head = text.get(..searched).unwrap_or_default();
    next_event(head, 0).is_some_and(|at| {
        let rest = head.get(at..).unwrap_or_default();
        memmem::find(rest.as_bytes(), SYSTEM.as_bytes()).is_some()
    })
}

/// Reads event XML with or without a root element.
pub fn read(text: &str, filter: &EventFilter) -> EventLog {
    let mut listing = Listing::default();
    let mut lines = Lines::new(text);
    let mut next = next_event(text, 0);
    while let Some(start) = next {
        next = next_event(text, start + START.len());
        let part = text.get(start..next.unwrap_or(text.len())).unwrap_or_default();
        match element(part) {
            Ok(Some(event)) => listing.add(event, filter),
            Ok(None) => {
                let place = lines.place(start);
                listing.problem(Problem::new(
                    place,
                    "an event with an EventID",
                    "an Event element without one",
                ));
            }
            Err(fault) => {
                let place = lines.place(start + fault.at);
                listing.problem(Problem::new(place, "a whole Event element", fault.found));
            }
        }
    }
    if listing.is_empty() {
        listing.problem(Problem::new(Place::Whole, "at least one Event element", "none"));
    }
    listing.finish()
}

/// Offset of the next event element at or behind `from`.
fn next_event(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let rest = bytes.get(from..)?;
    memmem::find_iter(rest, START).map(|at| from + at).find(|at| {
        bytes
            .get(at + START.len())
            .is_some_and(|next| next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
    })
}

/// What is wrong with an element, and how far into it.
struct Fault {
    at: usize,
    found: String,
}

/// Reads the element at the start of `text`, which ends where the next one starts: well-formed XML has no raw `<` in its texts.
fn element(text: &str) -> Result<Option<Event>, Fault> {
    let mut reader = Reader::from_str(text);
    let mut builder = EventBuilder::new(0, FileTime::default());
    let mut depth = 0_usize;
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let fault = |found: String| Fault { at: before, found };
        match reader.read_event().map_err(|error| fault(error.to_string()))? {
            Xml::Start(tag) => {
                depth += 1;
                open(&tag, &mut builder).map_err(fault)?;
            }
            Xml::Empty(tag) => {
                open(&tag, &mut builder).map_err(fault)?;
                builder.close();
            }
            Xml::End(_) => {
                depth = depth.saturating_sub(1);
                builder.close();
            }
            Xml::Text(text) => builder.text(&text),
            Xml::CData(text) => builder.text(&text),
            Xml::GeneralRef(reference) => builder.text(&resolve(&reference)),
            Xml::Eof => return Err(fault("an element that is not closed".to_owned())),
            _ => {}
        }
        if depth == 0 {
            return Ok(builder.finish());
        }
    }
}

fn open(tag: &BytesStart<'_>, builder: &mut EventBuilder) -> Result<(), String> {
    if !builder.open(tag.name().into_inner()) {
        return Err("elements nested too deep".to_owned());
    }
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        builder.attribute(attribute.key.into_inner(), &unescape(&attribute.value));
    }
    Ok(())
}

/// Replaces the references in an attribute's value.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut pieces = value.split('&');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        match piece.split_once(';') {
            Some((name, rest)) => {
                text.push_str(&resolve(name));
                text.push_str(rest);
            }
            None => {
                text.push('&');
                text.push_str(piece);
            }
        }
    }
    text
}

/// What `&name;` stands for; unknown references are kept as they are.
fn resolve(name: &str) -> String {
    let known = match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let code = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        },
        None => None,
    };
    code.and_then(char::from_u32).map_or_else(|| format!("&{name};"), String::from)
}

/// Line numbers of offsets that are asked for in rising order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn place(&mut self, offset: usize) -> Place {
        let passed = self.text.as_bytes().get(self.at..offset).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.at = self.at.max(offset);
        Place::Line(self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
        <Provider Name='Service Control Manager' Guid='{555908d1-a6d7-4695-8e1e-26931d2012f4}'/>\
        <EventID Qualifiers='49152'>7023</EventID><Version>0</Version><Level>2</Level>\
        <TimeCreated SystemTime='2026-11-19T08:00:00.1234567Z'/><EventRecordID>42</EventRecordID>\
        <Execution ProcessID='700' ThreadID='8'/><Channel>System</Channel><Computer>PC-1</Computer>\
        <Security UserID='S-1-5-18'/></System><EventData><Data Name='param1'>A &amp; B&#13;&#x2713;</Data>\
        <Data>%%21</Data><Binary>6E00</Binary></EventData></Event>";

    fn everything(text: &str) -> EventLog {
        read(text, &EventFilter::everything())
    }

    #[test]
    fn an_event_is_read_in_full() {
        let log = everything(SERVICE);
        let event = &log.events[0];
        assert_eq!((&*event.provider, event.event_id), ("Service Control Manager", 7023));
        assert_eq!((event.qualifiers, event.version, event.level), (Some(49152), Some(0), Some(2)));
        assert_eq!(event.time.to_precise(), "2026-11-19T08:00:00.1234567Z");
        assert_eq!((event.record_id, event.process_id), (42, Some(700)));
        assert_eq!((&*event.channel, &*event.computer), ("System", "PC-1"));
        assert_eq!(event.user_sid.as_deref(), Some("S-1-5-18"));
        let data: Vec<_> = event.data.iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(data, [("param1", "A & B\r\u{2713}"), ("#0", "%%21"), ("Binary", "6E00")]);
        assert_eq!((log.records, log.channel.as_str(), log.complete), (1, "System", false));
        assert_eq!(log.problems, []);
    }

    #[test]
    fn roots_declarations_and_prompts_are_passed_over() {
        // Event Viewer writes a declaration and a root; wevtutil neither; `/e:Events` a root.
        let viewer = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\r\n<Events>{SERVICE}{SERVICE}</Events>"
        );
        let bare = format!("C:\\>wevtutil qe System /f:xml\r\n{SERVICE}\r\n{SERVICE}");
        for text in [&viewer, &bare, &format!("{viewer}\r\n{viewer}{bare}")] {
            assert!(recognise(text));
            assert_eq!(everything(text).records as usize, text.matches("<Event ").count());
            assert_eq!(everything(text).problems, []);
        }
        assert!(!recognise("<Events></Events>"));
        assert!(!recognise("<Event><Title>a calendar</Title></Event>"));
        assert!(!recognise("Windows IP Configuration"));
    }

    #[test]
    fn rendering_info_is_no_data() {
        let rendered = SERVICE.replace(
            "</EventData>",
            "</EventData><RenderingInfo Culture='de-DE'><Message>Der Dienst</Message><Level>Fehler</Level></RenderingInfo>",
        );
        assert_eq!(everything(&rendered).events, everything(SERVICE).events);
    }

    #[test]
    fn a_broken_element_costs_only_itself() {
        let cut = SERVICE.split_at(SERVICE.len() / 2).0;
        let crossed = SERVICE.replace("</System>", "</Sistem>");
        let text = format!("{SERVICE}\n{cut}\n{SERVICE}\n{crossed}\n{SERVICE}\n{cut}");
        let log = everything(&text);
        assert_eq!((log.records, log.problems.len()), (3, 3));
        assert_eq!(log.problems[1].place, Place::Line(4));
        assert!(log.problems[1].found.contains("System"), "{}", log.problems[1]);
        assert!(!log.complete);
    }

    #[test]
    fn only_wanted_events_are_kept_and_all_are_counted() {
        let mut filter = EventFilter::default();
        filter.want("service control manager", &[7000]);
        let other = SERVICE.replace(">7023<", ">7000<");
        let log = read(&format!("{SERVICE}{other}"), &filter);
        assert_eq!((log.records, log.events.len(), log.events[0].event_id), (2, 1, 7000));
    }

    #[test]
    fn a_long_export_without_gaps_is_complete() {
        let record = |number: u64| {
            let id = if number.is_multiple_of(2) { ">7000<" } else { ">7023<" };
            SERVICE.replace(">42<", &format!(">{number}<")).replace(">7023<", id)
        };
        let run: String = (100..160).map(record).collect();
        assert!(everything(&run).complete);
        let gap: String = (100..130).chain(131..161).map(record).collect();
        assert!(!everything(&gap).complete);
        let short: String = (1..20).map(record).collect();
        assert!(!everything(&short).complete);
    }
}
