//! Queries in the forms of text_formats.md 4.6, each trap of its list once.

use super::*;
use crate::artifact::capture::{self, CaptureStatus};
use crate::artifact::text::Text;

fn queries(text: &str) -> (CaptureStatus, Vec<Query>) {
    let captures = capture::read(&Text::decode(text.as_bytes()));
    assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::Nslookup), "{captures:?}");
    match &captures[0].data {
        CaptureData::Nslookup(data) => (captures[0].status, data.queries.clone()),
        _ => (captures[0].status, Vec::new()),
    }
}

fn only(text: &str) -> Query {
    let (_, queries) = queries(text);
    assert_eq!(queries.len(), 1, "{queries:?}");
    queries[0].clone()
}

#[test]
fn a_timeout_before_a_good_answer_is_no_failure() {
    // Trap 4 and domain.md R17.
    let query = only(
        "DNS request timed out.\n    timeout was 2 seconds.\nServer:  UnKnown\nAddress:  192.168.1.1\n\nNon-authoritative answer:\n\
         Name:    login.microsoftonline.com\nAddresses:  2603:1026::1\n\t  20.190.1.1\n\n",
    );
    assert_eq!((query.outcome, query.timeouts), (Outcome::Resolved, 1));
    let addresses: Vec<_> =
        query.addresses.iter().map(|answer| (answer.value.as_str(), answer.line)).collect();
    assert_eq!(addresses, [("2603:1026::1", 8), ("20.190.1.1", 9)]);
    assert_eq!(query.server_address.as_deref(), Some("192.168.1.1"));
}

#[test]
fn messages_may_stand_before_the_server() {
    // Trap 2: stderr first.
    let query = only(
        "*** UnKnown can't find a.example: Non-existent domain\nServer:  UnKnown\nAddress:  192.168.1.1\n\n",
    );
    assert_eq!(
        (query.outcome, query.queried.as_deref(), query.outcome_line),
        (Outcome::NxDomain, Some("a.example"), Some(1))
    );
    let query = only(
        "Non-authoritative answer:\nServer:  x\nAddress:  8.8.8.8\n\nName:    b.example\nAddress:  192.0.2.1\n",
    );
    assert_eq!((query.outcome, query.addresses.len()), (Outcome::Resolved, 1));
}

#[test]
fn a_server_alone_says_nothing() {
    // Trap 2: the answer's stream was not captured. Trap 3: the server's address is no answer.
    let (status, queries) = queries("Server:  UnKnown\nAddress:  192.168.1.1\n\n");
    assert_eq!(
        (status, queries[0].outcome, queries[0].addresses.len()),
        (CaptureStatus::Partial, Outcome::Unknown, 0)
    );
}

#[test]
fn the_server_without_a_name_of_its_own_decides_nothing() {
    let query = only(
        "*** Can't find server name for address 10.0.0.1: Timed out\nServer:  UnKnown\nAddress:  10.0.0.1\n\nName:    a.b\nAddress:  192.0.2.7\n",
    );
    assert_eq!(query.outcome, Outcome::Resolved);
    let (_, queries) = queries(
        "*** Can't find server name for address 10.0.0.1: Timed out\nServer:  UnKnown\nAddress:  10.0.0.1\n",
    );
    assert_eq!(queries[0].outcome, Outcome::Unknown);
}

#[test]
fn an_unknown_language_is_read_by_its_form() {
    // Dutch labels; only the untranslated words and the order speak.
    let query = only(
        "Servernaam:  dns.x\nAddress:  10.0.0.1\n\nNiet-bindend antwoord:\nNaam:    a.b\nAddresses:  192.0.2.7\n          192.0.2.8\nAliases:  c.d\n",
    );
    assert_eq!(
        (query.outcome, query.name.as_deref(), query.addresses.len()),
        (Outcome::Resolved, Some("a.b"), 2)
    );
    assert_eq!(query.queried.as_deref(), Some("c.d"));
    let query = only(
        "DNS request timed out.\n    timeout was 2 seconds.\nServeur :   x\nAddress:  10.0.0.1\n\nDNS request timed out.\n    \
                      timeout was 2 seconds.\n*** Le délai de la requête sur x est dépassé.\n",
    );
    assert_eq!((query.outcome, query.outcome_line), (Outcome::Timeout, Some(8)));
}

#[test]
fn several_queries_in_one_output_are_kept_apart() {
    let (_, queries) = queries(
        "Server:  s\nAddress:  10.0.0.1\n\nName:    a.example\nAddress:  192.0.2.1\n\nServer:  s\nAddress:  10.0.0.1\n\n\
         *** s can't find b.example: Non-existent domain\nServer:  s\nAddress:  10.0.0.1\n\nName:    c.example\n\n",
    );
    let ends: Vec<_> =
        queries.iter().map(|query| (query.queried.as_deref().unwrap(), query.outcome)).collect();
    assert_eq!(
        ends,
        [
            ("a.example", Outcome::Resolved),
            ("b.example", Outcome::NxDomain),
            ("c.example", Outcome::NoRecord)
        ]
    );
}

#[test]
fn the_command_tells_name_and_type() {
    let query = only(
        "C:\\>nslookup -type=cname msoid.contoso.com 8.8.8.8\nServer:  dns.google\nAddress:  8.8.8.8\n\n*** No internal type for CNAME records available for msoid.contoso.com\n",
    );
    assert_eq!(
        (query.queried.as_deref(), query.query_type.as_deref()),
        (Some("msoid.contoso.com"), Some("CNAME"))
    );
    assert_eq!(query.outcome, Outcome::NoRecord);
}

#[test]
fn questions_at_its_own_prompt() {
    let (status, queries) = queries(
        "C:\\>nslookup\nDefault Server:  UnKnown\nAddress:  10.0.0.1\n\n> set type=cname\n> msoid.contoso.com\nServer:  UnKnown\n\
         Address:  10.0.0.1\n\n*** UnKnown can't find msoid.contoso.com: Non-existent domain\n> a.example\nServer:  UnKnown\n\
         Address:  10.0.0.1\n\na.example\tcanonical name = b.example\n> exit\n",
    );
    let ends: Vec<_> = queries
        .iter()
        .map(|query| (query.queried.as_deref().unwrap(), query.query_type.as_deref(), query.outcome))
        .collect();
    assert_eq!(status, CaptureStatus::Parsed);
    assert_eq!(
        ends,
        [
            ("msoid.contoso.com", Some("CNAME"), Outcome::NxDomain),
            ("a.example", Some("CNAME"), Outcome::Resolved)
        ]
    );
}
