//! Logs made by the workshop, whole and damaged. What they hold is what the workshop was told to write; that it writes what Windows
//! would is shown in `tests/it/events.rs` with independent readers.

use proptest::prelude::*;

use super::*;
use crate::artifact::event::Only;
use crate::workshop::evtx::{Element, EventSpec, LogBuilder, Value};

/// Records 1 to `count` of one kind each, four to a chunk.
fn numbered(count: u16) -> LogBuilder {
    let event = |number: u16| {
        EventSpec::new("Provider", number, "2026-11-19T08:00:00Z")
            .data("Text", format!("text {number}").as_str())
    };
    LogBuilder::new("System").records_per_chunk(4).events((1..=count).map(event))
}

fn ids(log: &EventLog) -> Vec<u32> {
    log.events.iter().map(|event| event.event_id).collect()
}

fn everything(bytes: &[u8]) -> EventLog {
    read(bytes, &EventFilter::everything())
}

/// Offset of a chunk in the file.
fn chunk_at(index: usize) -> usize {
    FILE_HEADER + index * chunk::SIZE
}

/// Offsets of all record headers in a stretch of the file.
fn records_in(bytes: &[u8], stretch: std::ops::Range<usize>) -> Vec<usize> {
    memchr::memmem::find_iter(&bytes[stretch.clone()], b"**\0\0").map(|at| stretch.start + at).collect()
}

#[test]
fn all_is_counted_and_only_what_is_wanted_is_decoded() {
    let mut filter = EventFilter::default();
    filter.want("provider", &[3, 6]);
    let log = read(&numbered(10).build(), &filter);
    assert_eq!((log.records, log.histogram.len(), ids(&log)), (10, 10, vec![3, 6]));
    assert_eq!(log.events[1].field("text"), Some("text 6"));
    assert_eq!((log.channel.as_str(), log.complete), ("System", true));
    assert_eq!(log.computers.get("PC-1"), Some(&10));
    assert_eq!(log.oldest.unwrap().to_string(), "2026-11-19T08:00:00Z");
    assert_eq!(log.problems, []);
}

/// The names of an array's items and of those behind them: unnamed items are `#0`, `#1` … (contract.md, dump `events`), and an array repeats
/// its element. The evtx crate shows the same of such a record in `tests/it/events.rs`.
#[test]
fn items_of_a_list_count_as_items() {
    let event = |id| {
        EventSpec::new("Provider", id, "2026-11-19T08:00:00Z")
            .data("", "first")
            .data("List", Value::strings(&["a", "b"]))
            .data("", Value::strings(&["c", "d"]))
            .data("Last", Value::strings(&[]))
    };
    let log = everything(&LogBuilder::new("System").event(event(1)).event(event(2).bare()).build());
    for event in &log.events {
        let found: Vec<(&str, &str)> = event.data.iter().map(|field| (field.name, field.value)).collect();
        let expected =
            [("#0", "first"), ("List", "a"), ("List", "b"), ("#1", "c"), ("#2", "d"), ("Last", "")];
        assert_eq!(found, expected);
    }
    assert_eq!(log.events.len(), 2);
}

/// A kind of which only some records are wanted: the others are counted and not decoded, and one that does not say what it is about is
/// kept.
#[test]
fn of_some_kinds_only_what_matters_is_decoded() {
    let changed = |name: &str, value: &str| {
        EventSpec::new("Service Control Manager", 7040, "2026-11-19T08:00:00Z")
            .data("param1", "shown name")
            .data(name, value)
    };
    let events = [
        changed("param4", "BITS"),
        changed("param4", "nlasvc"),
        changed("param4", "BITS").bare(),
        changed("param4", "NlaSvc").bare(),
        changed("param4", "BITS").inline(),
        changed("param4", "NlaSvc").inline(),
        changed("param3", "BITS"),
    ];
    let bytes = LogBuilder::new("System").events(events).build();
    let mut filter = EventFilter::default();
    filter.want_only(Only {
        provider: "Service Control Manager",
        id: 7040,
        field: "param4",
        values: vec!["NlaSvc"],
    });
    let log = read(&bytes, &filter);
    let kept: Vec<u64> = log.events.iter().map(|event| event.record_id).collect();
    // A record without a template is decoded before it can be judged, so the reader lets it through.
    assert_eq!(kept, [2, 4, 5, 6, 7]);
    assert_eq!(log.records, 7);
    assert_eq!(log.histogram[&("Service Control Manager".to_owned(), 7040)], 7);
    let admitted = log.events.iter().filter(|event| filter.only[0].admits(event));
    assert_eq!(admitted.map(|event| event.record_id).collect::<Vec<_>>(), [2, 4, 6, 7]);
    assert_eq!(read(&bytes, &EventFilter::everything()).events.len(), 7);
}

#[test]
fn header_counts_and_space_set_aside_do_not_matter() {
    let log = everything(&numbered(10).dirty().spare_chunks(3).build());
    assert_eq!((log.records, log.complete), (10, true));
    assert_eq!(log.problems, []);
}

/// A sector of zeros inside the records: the checksum of the chunk tells, and nothing can be called absent any more.
#[test]
fn a_chunk_whose_records_were_changed_proves_no_absence() {
    let mut bytes = numbered(10).build();
    let at = FILE_HEADER + 512 + 600;
    bytes[at..at + 64].fill(0);
    let log = everything(&bytes);
    assert!(!log.complete && !log.problems.is_empty());
}

#[test]
fn a_wrapped_log_comes_out_in_order() {
    let bytes = numbered(12).first_record(901).wrapped(2).build();
    // The first chunk in the file holds the fifth record: the oldest chunk stands behind two newer ones.
    assert_eq!(bytes[FILE_HEADER + 24..FILE_HEADER + 26], 905_u16.to_le_bytes());
    let log = everything(&bytes);
    assert_eq!(ids(&log), (1..=12).collect::<Vec<_>>());
    assert!(log.complete);
}

#[test]
fn free_space_holds_no_current_events() {
    let remnant = || EventSpec::new("Old", 999, "2020-01-01T00:00:00Z").data("a", "b");
    let log = everything(&numbered(2).remnant(remnant()).remnant(remnant()).build());
    assert_eq!((log.records, log.providers.contains("Old")), (2, false));
    assert_eq!(log.problems, []);
    let cleared = everything(&LogBuilder::new("System").remnant(remnant()).build());
    assert_eq!((cleared.records, cleared.problems.len()), (0, 0));
}

#[test]
fn a_chunk_from_before_the_log_was_cleared_is_not_current() {
    let old = EventSpec::new("Old", 1, "2020-01-01T00:00:00Z");
    let old = LogBuilder::new("System").events(vec![old; 20]).build();
    let mut bytes = numbered(6).build();
    bytes.extend(&old[FILE_HEADER..]);
    let log = everything(&bytes);
    assert_eq!((log.records, log.providers.contains("Old"), log.complete), (6, false, true));
    assert_eq!(log.problems[0].place, Place::Offset(chunk_at(2) as u64));
}

#[test]
fn records_without_a_template_and_literals_are_found() {
    let mut filter = EventFilter::default();
    filter.want("Schannel", &[36871]);
    let event = |id| EventSpec::new("Schannel", id, "2026-11-19T08:00:00.5Z").data("Type", "client").level(2);
    let bytes = LogBuilder::new("System")
        .event(event(36870))
        .event(event(36871).inline())
        .event(event(36871).literal())
        .event(event(36870).inline())
        .build();
    let log = read(&bytes, &filter);
    assert_eq!((log.records, log.histogram[&("Schannel".to_owned(), 36871)]), (4, 2));
    for event in &log.events {
        assert_eq!((event.level, event.field("Type")), (Some(2), Some("client")));
        assert_eq!(event.time.to_precise(), "2026-11-19T08:00:00.5000000Z");
    }
    assert!(!log.complete, "a short export proves nothing");
}

#[test]
fn an_export_with_a_query_is_not_complete() {
    let mut bytes =
        numbered(3).event(EventSpec::new("Provider", 9, "2026-11-19T08:00:00Z").record_id(77)).build();
    assert!(!everything(&bytes).complete);
    bytes = numbered(4).build();
    assert!(everything(&bytes).complete);
}

#[test]
fn a_log_is_recognised_and_read_without_its_header() {
    let bytes = numbered(6).build();
    let mut zeroed = bytes.clone();
    zeroed[..FILE_HEADER].fill(0);
    let cut = &bytes[FILE_HEADER..];
    for damaged in [&zeroed[..], cut] {
        assert!(recognise(damaged));
        let log = everything(damaged);
        assert_eq!((log.records, log.problems.len()), (6, 1));
        assert_eq!(log.problems[0].place, Place::Offset(0));
    }
    assert!(recognise(b"ElfFile\0") && !recognise(b"regf") && !recognise(&[0; 200_000]));
}

#[test]
fn a_chunk_without_its_magic_is_read_when_its_checksum_proves_it() {
    let mut bytes = numbered(12).build();
    bytes[chunk_at(1)..chunk_at(1) + 8].fill(0xee);
    let log = everything(&bytes);
    assert_eq!((log.records, log.problems.len()), (12, 2), "{:?}", log.problems);
    // One flipped bit in its records, and nothing proves them.
    bytes[chunk_at(1) + 0x300] ^= 1;
    let log = everything(&bytes);
    assert_eq!(ids(&log), [1, 2, 3, 4, 9, 10, 11, 12]);
    assert!(!log.complete);
    assert_eq!(log.problems[0].place, Place::Offset(chunk_at(1) as u64));
}

#[test]
fn a_zeroed_chunk_costs_only_itself() {
    let mut bytes = numbered(12).build();
    bytes[chunk_at(1)..chunk_at(2)].fill(0);
    let log = everything(&bytes);
    assert_eq!((log.records, log.complete, log.problems.len()), (8, false, 1));
    assert!(log.problems[0].to_string().contains("zeros"));
}

#[test]
fn a_cut_off_log_is_read_up_to_the_cut() {
    let bytes = numbered(8).build();
    let last = *records_in(&bytes, chunk_at(1)..bytes.len()).last().unwrap();
    let log = everything(&bytes[..last + 40]);
    assert_eq!((ids(&log), log.complete), (vec![1, 2, 3, 4, 5, 6, 7], false));
    assert!(log.problems.iter().any(|problem| problem.expected == "the rest of the chunk"));
    let header_only = everything(&bytes[..100]);
    assert_eq!((header_only.records, header_only.complete), (0, false));
}

#[test]
fn a_bad_record_header_costs_only_its_record() {
    let bytes = numbered(4).build();
    let records = records_in(&bytes, chunk_at(0)..bytes.len());
    for (damage, with) in [(0, 0x58_u8), (4, 0xff), (5, 0xff), (7, 0xff)] {
        let mut bytes = bytes.clone();
        bytes[records[1] + damage] = with;
        let log = everything(&bytes);
        assert_eq!((ids(&log), log.complete), (vec![1, 3, 4], false), "{:?}", log.problems);
        assert!(log.problems.iter().any(|problem| problem.place == Place::Offset(records[1] as u64)));
    }
}

#[test]
fn a_broken_template_costs_only_its_records() {
    let other = EventSpec::new("Other", 70, "2026-11-19T08:00:00Z").literal();
    let mut bytes = numbered(2).event(other).build();
    let records = records_in(&bytes, chunk_at(0)..bytes.len());
    // Behind record header (24), fragment header (4), token, 1, id, offset (10), next, GUID, size (24): the definition.
    bytes[records[2] + 24 + 4 + 10 + 24 + 4] = 0x3f;
    let log = everything(&bytes);
    assert_eq!((ids(&log), log.records, log.complete), (vec![1, 2], 3, false));
    assert!(log.problems.iter().any(|problem| problem.place == Place::Record(3)), "{:?}", log.problems);
}

#[test]
fn a_template_that_holds_itself_ends() {
    // The payload's definition is replaced by an instance of itself, many times over.
    let payload = Element::new("P").literal(&"x".repeat(600));
    let mut bytes = LogBuilder::new("System")
        .event(EventSpec::new("P", 1, "2026-11-19T08:00:00Z").user_data(payload))
        .build();
    let end = chunk_at(1);
    let inner = memchr::memmem::rfind_iter(&bytes[..end], b"\x0f\x01\x01\x00\x0c").next().unwrap();
    let definition = (inner + 4 + 10 - chunk_at(0)) as u32;
    let body = inner + 4 + 10 + 24;
    let instance = [&[0x0c, 1, 0, 0, 0, 0][..], &definition.to_le_bytes(), &[0; 4]].concat();
    for (index, byte) in instance.iter().cycle().take(instance.len() * 60).enumerate() {
        bytes[body + index] = *byte;
    }
    let log = everything(&bytes);
    assert_eq!((log.records, log.events.len()), (1, 0));
    assert!(log.problems.iter().any(|problem| problem.place == Place::Record(1)), "{:?}", log.problems);
}

#[test]
fn a_template_cannot_blow_up_a_value() {
    // One value of 20,000 letters and 100 slots, all of which are made to show that value: as a tree and as a plain list.
    let long = "y".repeat(20_000);
    let event = || EventSpec::new("P", 1, "2026-11-19T08:00:00Z");
    let tree = (0..100).fold(Element::new("P"), |parent, _| parent.child(Element::new("E").value("")));
    let tree = event().user_data(tree.child(Element::new("E").value(long.as_str())));
    let list = (0..100).fold(event(), |event, _| event.data("", "")).data("", long.as_str());
    for first in [tree, list] {
        let mut bytes = LogBuilder::new("System").event(first).event(event()).build();
        let slots: Vec<usize> =
            memchr::memmem::find_iter(&bytes, b"\x02\x0e").filter(|at| bytes[at + 4] == 1).collect();
        assert!(slots.len() >= 100);
        for at in slots {
            bytes[at + 2..at + 4].copy_from_slice(&100_u16.to_le_bytes());
        }
        let log = everything(&bytes);
        assert_eq!((log.records, log.events.len()), (2, 1), "{:?}", log.problems);
        assert!(log.problems.iter().any(|problem| problem.place == Place::Record(1)));
        assert_eq!(log.events[0].record_id, 2);
    }
}

/// A long name and an array of many empty texts: each of them would carry the name. A record has room for one of them.
#[test]
fn a_name_cannot_be_repeated_without_end() {
    let name = "n".repeat(10_000);
    let many = || Value::strings(&vec![""; 5_000]);
    let listed = |id| EventSpec::new("Provider", id, "2026-11-19T08:00:00Z").data(&name, many());
    let tree = Element::new("Rule").child(Element::new(&name).value(many()));
    let walked = EventSpec::new("Provider", 3, "2026-11-19T08:00:00Z").user_data(tree);
    for event in [listed(1), listed(2).bare(), walked] {
        let log = everything(&LogBuilder::new("System").event(event).build());
        assert_eq!((log.records, log.events.len(), log.complete), (1, 0, false));
        assert_eq!(log.problems[0].expected, "a record that stays small when it is decoded");
    }
}

#[test]
fn domain_11_vector_10_package_in_user_data() {
    // AppLocker writes UserData/RuleAndFileData/Package (domain.md 2.3).
    let rule =
        Element::new("RuleAndFileData").child(Element::new("Package").value("MICROSOFT.AAD.BROKERPLUGIN"));
    let event = EventSpec::new("Microsoft-Windows-AppLocker", 8020, "2026-11-19T08:00:00Z").user_data(rule);
    let log = everything(
        &LogBuilder::new("Microsoft-Windows-AppLocker/Packaged app-Execution").event(event).build(),
    );
    assert_eq!(log.events[0].user("Package").as_deref(), Some("MICROSOFT.AAD.BROKERPLUGIN"));
}

#[test]
fn long_logs_are_the_same_on_several_threads() {
    let event =
        |number: u16| EventSpec::new("Provider", number, "2026-11-19T08:00:00Z").data("", Value::u16(number));
    let bytes = LogBuilder::new("System").records_per_chunk(1).events((1..=600).map(event)).build();
    assert!(bytes.len() > 2 * STRETCH * chunk::SIZE);
    let log = everything(&bytes);
    assert_eq!(ids(&log), (1..=600).collect::<Vec<_>>());
    assert_eq!((log.records, log.computers["PC-1"], log.complete), (600, 600, true));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let log = everything(&bytes);
        prop_assert_eq!(log.records, 0);
    }

    #[test]
    fn what_is_written_is_read(
        texts in proptest::collection::vec("\\PC{0,40}", 1..8),
        ids in proptest::collection::vec(1..u16::MAX, 1..6),
        inline in any::<bool>(),
        bare in any::<bool>(),
    ) {
        let mut builder = LogBuilder::new("Channel");
        for id in &ids {
            let event = EventSpec::new("Provider é", *id, "2026-11-19T08:00:00Z");
            let event = texts.iter().enumerate().fold(event, |event, (index, text)| event.data(&format!("n{index}"), text.as_str()));
            let event = if bare { event.bare() } else { event };
            builder = builder.event(if inline { event.inline() } else { event });
        }
        let log = everything(&builder.build());
        prop_assert_eq!(&log.problems, &[]);
        prop_assert_eq!(log.events.len(), ids.len());
        for (event, id) in log.events.iter().zip(&ids) {
            prop_assert_eq!(event.event_id, u32::from(*id));
            let values: Vec<_> = event.data.iter().map(|field| field.value).collect();
            prop_assert_eq!(&values, &texts);
        }
    }
}
