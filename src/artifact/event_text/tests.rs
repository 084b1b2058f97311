//! Listings in the forms that Windows prints. The shapes are those of public posts and transcripts (labels, alignment, date forms,
//! the run-together lines of Windows Server 2022); names and values are made up.

use super::*;
use crate::artifact::event::Event;
use crate::artifact::text::Encoding;

fn text(text: &str) -> Text {
    Text::from_string(
        text.to_owned(),
        Encoding { name: "utf-8".into(), certain: true, lossy: false, repaired: false },
    )
}

fn log(source: &str) -> EventLog {
    assert!(recognise(&text(source)), "not recognised: {source}");
    read(&text(source), &EventFilter::everything())
}

fn head(event: &Event) -> (&str, u32, u64, String) {
    (&*event.provider, event.event_id, event.record_id, event.time.to_string())
}

const WEVTUTIL: &str = "\
C:\\> wevtutil qe System /f:text /c:2
Event[0]:
  Log Name: System
  Source: Service Control Manager
  Date: 2026-11-19T08:00:00.1520000Z
  Event ID: 7023
  Task: N/A
  Level: Fehler
  Opcode: N/A
  Keyword: Klassisch
  User: S-1-5-18
  User Name: NT-AUTORITÄT\\SYSTEM
  Computer: PC-1
  Description:
Der Dienst \"Netzwerklistendienst\" wurde mit folgendem Fehler beendet:
Das Gerät ist nicht bereit.

Event[1]:
  Log Name: System
  Source: Schannel
  Date: 2026-11-19T08:00:01.0000000Z
  Event ID: 36871
  Task: N/A ?  Level: Error ?  Opcode: Info  ?  Keyword: N/A  ?  User: N/A
  User Name: N/A
  Computer: PC-1
  Description:
N/A
";

#[test]
fn wevtutil_text() {
    let log = log(WEVTUTIL);
    assert_eq!(head(&log.events[0]), ("Service Control Manager", 7023, 0, "2026-11-19T08:00:00Z".to_owned()));
    assert_eq!((log.events[0].level, log.events[0].user_sid.as_deref()), (Some(2), Some("S-1-5-18")));
    let message = log.events[0].field("Message").unwrap();
    assert!(message.starts_with("Der Dienst") && message.ends_with("nicht bereit."), "{message}");
    assert_eq!((log.events[1].event_id, log.events[1].level, log.events[1].data.len()), (36871, Some(2), 0));
    assert_eq!((log.channel.as_str(), log.records, log.complete), ("System", 2, false));
    assert_eq!(log.problems, []);
}

#[test]
fn wevtutil_without_colons_indented_and_with_nuls() {
    let source = "  Event[7]\r\n    Log Name: Application\r\n    Source: Example\r\n    Date: 2020-12-14T17:09:08.940\r\n    \
        Event ID: 100\r\n    Level: Information\0\r\n    Computer: PC-1\r\n    Description:\r\n  text\r\n";
    let log = log(source);
    assert_eq!((log.events[0].level, log.events[0].field("Message")), (Some(4), Some("text")));
    assert!(log.problems[0].found.contains("local times"), "{:?}", log.problems);
}

const LIST: &str = "\
PS C:\\> Get-WinEvent -LogName Security | Format-List *


Message              : Certificate Services received a certificate request.

                       Request ID:      51
                       Source : not a property, but text
Id                   : 4886
Version              : 0
Qualifiers           :
Level                : 0
RecordId             : 21100
ProviderName         : Microsoft-Windows-Security-Auditing
ProviderId           : 54849625-5478-4994-a5ba-3e3b0328c30d
LogName              : Security
ProcessId            : 660
MachineName          : PKI.example.invalid
UserId               : S-1-5-18
TimeCreated          : 4/19/2023 7:25:39 PM
ContainerLog         : c:\\folder\\microsoft-windows-uac-filevirtu
                       alization%254operational.evtx
Properties           : {System.Diagnostics.Eventing.Reader.EventProperty}

Message              : Second
Id                   : 4887
Level                : 0
RecordId             : 21101
ProviderName         : Microsoft-Windows-Security-Auditing
LogName              : Security
TimeCreated          : 4/20/2023 7:25:39 AM

PS C:\\>
";

#[test]
fn format_list_with_all_properties() {
    let log = log(LIST);
    let auditing = "Microsoft-Windows-Security-Auditing";
    assert_eq!(head(&log.events[0]), (auditing, 4886, 21100, "2023-04-19T19:25:39Z".to_owned()));
    let event = &log.events[0];
    assert_eq!(
        (event.level, event.version, event.qualifiers, event.process_id),
        (Some(0), Some(0), None, Some(660))
    );
    assert_eq!((&*event.computer, event.user_sid.as_deref()), ("PKI.example.invalid", Some("S-1-5-18")));
    let message = event.field("Message").unwrap();
    assert!(message.contains("Request ID:      51\nSource : not"), "{message}");
    assert_eq!(head(&log.events[1]), (auditing, 4887, 21101, "2023-04-20T07:25:39Z".to_owned()));
    assert_eq!(log.problems.len(), 1, "{:?}", log.problems);
}

#[test]
fn format_list_with_the_default_properties() {
    let source = "\nTimeCreated  : 14/02/2023 06:55:58\nProviderName : Microsoft-Windows-AAD\nId           : 1098\n\
        Message      : Error: 0xCAA5001C Token broker operation failed.\n               Exception of type X\n\n\n\
        TimeCreated  : 14/02/2023 06:55:59\nProviderName : Microsoft-Windows-AAD\nId           : 1097\nMessage      : M\n\n";
    let log = log(source);
    assert_eq!(log.events.iter().map(|event| event.event_id).collect::<Vec<_>>(), [1098, 1097]);
    assert_eq!(
        log.events[0].field("Message"),
        Some("Error: 0xCAA5001C Token broker operation failed.\nException of type X")
    );
}

const JSON_5: &str = r#"[
    {
        "Id":  7023,
        "Version":  0,
        "Qualifiers":  49152,
        "Level":  2,
        "RecordId":  2555,
        "ProviderName":  "Service Control Manager",
        "LogName":  "System",
        "ProcessId":  700,
        "MachineName":  "PC-1",
        "UserId":  null,
        "TimeCreated":  "\/Date(1595374458918)\/",
        "MatchedQueryIds":  [

                            ],
        "Bookmark":  {

                    },
        "Properties":  [
                           { "Value":  "Netzwerklistendienst" },
                           { "Value":  "%%21" },
                           { "Value":  [110, 0, 101, 0] }
                       ],
        "Message":  "Der Dienst \u0027X\u0027 {wurde} beendet"
    },
    { "Id":  100, "ProviderName":  "broken
"#;

#[test]
fn json_of_powershell_5_with_a_broken_object() {
    let log = log(JSON_5);
    assert_eq!(
        head(&log.events[0]),
        ("Service Control Manager", 7023, 2555, "2020-07-21T23:34:18Z".to_owned())
    );
    let data: Vec<_> = log.events[0].data.iter().map(|field| (field.name, field.value)).collect();
    let expected = [
        ("param1", "Netzwerklistendienst"),
        ("param2", "%%21"),
        ("Binary", "6E006500"),
        ("Message", "Der Dienst 'X' {wurde} beendet"),
    ];
    assert_eq!(data, expected);
    assert_eq!((log.records, log.problems.len()), (1, 1));
    assert_eq!(log.problems[0].place, Place::Line(27));
}

#[test]
fn json_of_powershell_7() {
    let source = r#"{"Id":142,"Level":2,"RecordId":1814,"ProviderName":"Microsoft-Windows-WinRM",
        "LogName":"Microsoft-Windows-WinRM/Operational","MachineName":"PC-1",
        "UserId":{"BinaryLength":12,"AccountDomainSid":null,"Value":"S-1-5-18"},
        "TimeCreated":"2022-05-20T03:01:30.2834368-04:00",
        "Properties":[{"Value":"Enumeration"},{"Value":2150858770}],"Message":"failed"}"#;
    let log = log(source);
    let event = &log.events[0];
    assert_eq!(event.time.to_precise(), "2022-05-20T07:01:30.2834368Z");
    assert_eq!((event.user_sid.as_deref(), event.field("#1")), (Some("S-1-5-18"), Some("2150858770")));
    assert_eq!(log.problems, []);
}

#[test]
fn csv_with_any_separator() {
    let source = "#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n\
        \"Message\",\"Id\",\"Version\",\"Qualifiers\",\"Level\",\"RecordId\",\"ProviderName\",\"LogName\",\"TimeCreated\"\n\
        \"Said \"\"no\"\",\nand left\",\"403\",,\"0\",\"4\",\"46891\",\"PowerShell\",\"Windows PowerShell\",\"1/4/2019 2:40:51 PM\"\n\
        \"cut off\",\"403\"\n\
        \"x\",\"400\",,\"0\",\"4\",\"46892\",\"PowerShell\",\"Windows PowerShell\",\"1/14/2019 2:40:51 PM\"\n";
    for separator in [",", ";", "\t"] {
        let log = log(&source
            .replace("\",", &format!("\"{separator}"))
            .replace(",,", &format!("{separator}{separator}"))
            .replace(",\"", &format!("{separator}\"")));
        assert_eq!(head(&log.events[0]), ("PowerShell", 403, 46891, "2019-01-04T14:40:51Z".to_owned()));
        assert_eq!(log.events[1].event_id, 400);
        assert_eq!(log.records, 2);
        assert_eq!(log.problems[0].place, Place::Line(5));
    }
    assert_eq!(log(source).events[0].field("Message"), Some("Said \"no\",\nand left"));
}

#[test]
fn other_texts_are_no_listings() {
    let others = [
        "",
        "Event[0] is the first event",
        "Name : Ethernet\nId : 5\n",
        "{\"Id\": 5, \"Name\": \"x\"}",
        "Name,Id,Value\na,1,2\n",
        "ProviderName is a name, Id is another, TimeCreated a third",
    ];
    for other in others {
        assert!(!recognise(&text(other)), "{other}");
        assert_eq!(read(&text(other), &EventFilter::everything()).records, 0);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn damaged_listings_are_read(which in 0_usize..3, from in 0_usize..900, length in 0_usize..60, with in "\\PC{0,8}") {
        let source: Vec<char> = [WEVTUTIL, LIST, JSON_5][which].chars().collect();
        let from = from.min(source.len());
        let to = (from + length).min(source.len());
        let damaged: String = source[..from].iter().chain(with.chars().collect::<Vec<_>>().iter()).chain(&source[to..]).collect();
        let log = read(&text(&damaged), &EventFilter::everything());
        proptest::prop_assert!(log.records <= 3);
    }
}
