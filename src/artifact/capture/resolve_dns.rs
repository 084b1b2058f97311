//! `Resolve-DnsName`: how a name resolves, with the cache and the hosts file in between.
//!
//! One output mixes a table (CNAME, SRV, SOA) with lists (A, AAAA); errors carry an id that is not translated
//! (text_formats.md 4.21).

use serde::Serialize;

use super::nslookup::Outcome;
use super::shape::{self, Cell, Object};
use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// Name that was asked for, from the command or the error; else the owner of the first record.
    pub queried: Option<String>,
    /// Server that the command named.
    pub server: Option<String>,
    /// Record type that the command named, in capitals.
    pub query_type: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The records in their order.
    pub records: Vec<Record>,
    /// Line that decides the outcome.
    pub line: u32,
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Record {
    /// Owner, without a trailing dot; `None` if it was cut off.
    pub name: Option<String>,
    /// `A`, `AAAA`, `CNAME` …
    pub kind: Option<String>,
    /// Time to live in seconds.
    pub ttl: Option<u32>,
    /// `Question`, `Answer`, `Authority`, `Additional`.
    pub section: Option<String>,
    /// Target of a CNAME, NS, SRV or PTR record; `None` if it was cut off.
    pub target: Option<String>,
    /// Address of an A or AAAA record.
    pub address: Option<String>,
    /// Its line.
    pub line: u32,
}

/// Untranslated ids of errors (winerror.h).
const ERRORS: &[(&str, Outcome)] = &[
    ("DNS_ERROR_RCODE_NAME_ERROR", Outcome::NxDomain),
    ("DNS_INFO_NO_RECORDS", Outcome::NoRecord),
    ("DNS_ERROR_RCODE_SERVER_FAILURE", Outcome::ServerFailed),
    ("DNS_ERROR_RCODE_REFUSED", Outcome::Refused),
    ("ERROR_TIMEOUT", Outcome::Timeout),
    ("DNS_ERROR_NO_DNS_SERVERS", Outcome::NoResponse),
];

/// Record types as numbers, which JSON and CLIXML give.
const TYPES: &[(i64, &str, &str)] = &[
    (1, "A", "A"),
    (2, "NS", "NS"),
    (5, "CNAME", "CNAME"),
    (6, "SOA", "SOA"),
    (12, "PTR", "PTR"),
    (15, "MX", "MX"),
    (16, "TXT", "TXT"),
    (28, "AAAA", "AAAA"),
    (33, "SRV", "SRV"),
];

const SECTIONS: &[(i64, &str, &str)] = &[
    (0, "Question", "Question"),
    (1, "Answer", "Answer"),
    (2, "Authority", "Authority"),
    (3, "Additional", "Additional"),
];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::ResolveDns, recognise, starts: |_| false, read };

fn recognise(block: &Block<'_>) -> u8 {
    let text = block.text.span(block.from, block.to).as_bytes();
    let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    let values =
        ["NameHost", "IPAddress", "IP4Address", "IP6Address", "QueryType"].iter().any(|word| has(word));
    let records = has("Section") && values && (has("TTL") || has("QueryType"));
    let failed = has("Microsoft.DnsClient.Commands.ResolveDnsName")
        || (has("Resolve-DnsName") && ERRORS.iter().any(|(id, _)| has(id)));
    if records || failed { 90 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    let found = shape::objects(block);
    let records: Vec<Record> = found.objects.iter().filter_map(record).collect();
    let error = block.lines().filter(|(_, line)| line.len() < 1_000).find_map(|(number, line)| {
        ERRORS.iter().find(|(id, _)| line.contains(id)).map(|(_, outcome)| (number, *outcome))
    });
    let answer = records.iter().find(|record| {
        record.section.as_deref().is_none_or(|section| section == "Answer")
            && (record.address.is_some() || record.target.is_some())
    });
    let (line, outcome) = match (answer, error, records.first()) {
        (Some(record), ..) => (record.line, Outcome::Resolved),
        (None, Some(error), _) => error,
        // Only the SOA of the zone: the name exists, the record does not.
        (None, None, Some(record)) if record.kind.as_deref() == Some("SOA") => {
            (record.line, Outcome::NoRecord)
        }
        (None, None, Some(record)) => (record.line, Outcome::Unknown),
        (None, None, None) => {
            return shape::failed(block)
                .unwrap_or_else(|| Reading::unrecognized("neither a record nor an error"));
        }
    };
    let asked = block.command.map(asked_for).unwrap_or_default();
    let queried =
        asked.name.map(str::to_owned).or_else(|| records.first().and_then(|record| record.name.clone()));
    let reason =
        (outcome == Outcome::Unknown).then(|| format!("line {line}: a record without address or target"));
    Reading {
        status: if reason.is_some() { CaptureStatus::Partial } else { CaptureStatus::Parsed },
        reason,
        language: None,
        data: CaptureData::ResolveDns(Data {
            queried,
            server: asked.server.map(str::to_owned),
            query_type: asked.kind.map(str::to_ascii_uppercase),
            outcome,
            records,
            line,
        }),
    }
}

/// What a command asks for.
#[derive(Default)]
struct Asked<'c> {
    name: Option<&'c str>,
    kind: Option<&'c str>,
    server: Option<&'c str>,
}

/// Name, type and server in `Resolve-DnsName [-Name] x -Type CNAME -Server 192.0.2.53`.
fn asked_for(command: &str) -> Asked<'_> {
    let mut words = command.split_whitespace().skip(1);
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        let option = word.strip_prefix('-').unwrap_or_default().to_ascii_lowercase();
        let slot = match option.as_str() {
            "" => {
                asked.name = asked.name.or(Some(word.trim_matches(['"', '\''])));
                continue;
            }
            "name" => &mut asked.name,
            "type" => &mut asked.kind,
            "server" => &mut asked.server,
            _ => continue,
        };
        *slot = words.next().map(|word| word.trim_matches(['"', '\''])).filter(|word| !word.is_empty());
    }
    asked
}

fn record(object: &Object) -> Option<Record> {
    let kind = ["Type", "QueryType"].iter().find_map(|name| object.get(name))?;
    if !object.has("Name") {
        return None;
    }
    let whole = |name: &str| {
        let property = object.property(name).filter(|property| !property.truncated)?;
        property.cell.text().map(|text| text.trim_end_matches('.').to_owned())
    };
    let number =
        |name: &str| object.get(name).and_then(Cell::number).and_then(|number| u32::try_from(number).ok());
    let kind = kind.word(TYPES).map(str::to_owned).or_else(|| kind.text().map(Into::into));
    let address = ["IPAddress", "IP4Address", "IP6Address"].iter().find_map(|name| whole(name));
    let target = ["NameHost", "NameTarget", "NameExchange", "Server"].iter().find_map(|name| whole(name));
    Some(Record {
        name: whole("Name"),
        kind,
        ttl: number("TTL"),
        section: object.get("Section").and_then(|cell| cell.word(SECTIONS)).map(str::to_owned),
        target,
        address,
        line: object.line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture;
    use crate::artifact::text::Text;

    fn only(text: &str) -> Data {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::ResolveDns), "{captures:?}");
        match &captures[0].data {
            CaptureData::ResolveDns(data) => data.clone(),
            _ => panic!("{captures:?}"),
        }
    }

    #[test]
    fn errors_are_read_by_their_id() {
        let data = only(
            "PS C:\\> Resolve-DnsName msoid.contoso.com -Type CNAME\nResolve-DnsName : msoid.contoso.com : Der DNS-Name existiert nicht.\n\
             + CategoryInfo          : ResourceUnavailable: (msoid.contoso.com:String) [Resolve-DnsName], Win32Exception\n\
             + FullyQualifiedErrorId : DNS_ERROR_RCODE_NAME_ERROR,Microsoft.DnsClient.Commands.ResolveDnsName\n",
        );
        assert_eq!(
            (data.outcome, data.queried.as_deref(), data.line),
            (Outcome::NxDomain, Some("msoid.contoso.com"), 4)
        );
    }

    #[test]
    fn name_type_and_server_of_the_command() {
        let asked =
            asked_for("Resolve-DnsName -Name 'msoid.contoso.com' -Type cname -DnsOnly -Server 8.8.8.8");
        assert_eq!(
            (asked.name, asked.kind, asked.server),
            (Some("msoid.contoso.com"), Some("cname"), Some("8.8.8.8"))
        );
        let asked = asked_for("Resolve-DnsName msoid.contoso.com -Server");
        assert_eq!((asked.name, asked.kind, asked.server), (Some("msoid.contoso.com"), None, None));
    }

    #[test]
    fn the_soa_of_the_zone_is_no_answer() {
        let data = only(
            "Name                        Type TTL   Section    PrimaryServer               NameAdministrator           SerialNumber\n\
             ----                        ---- ---   -------    -------------               -----------------           ------------\n\
             contoso.com                 SOA  3600  Authority  ns1.contoso.com             hostmaster.contoso.com      1\n\
             \nQueryType : x\n",
        );
        assert_eq!((data.outcome, data.records.len()), (Outcome::NoRecord, 1));
    }

    #[test]
    fn numbers_of_json() {
        let data = only(
            "[{\"Name\": \"a.b\", \"Type\": 5, \"TTL\": 60, \"Section\": 1, \"NameHost\": \"c.d\"},\n{\"Name\": \"c.d\", \"Type\": 1, \"TTL\": 60, \"Section\": 1, \"IPAddress\": \"192.0.2.1\"}]",
        );
        assert_eq!(
            (data.outcome, data.records[0].kind.as_deref(), data.records[1].line),
            (Outcome::Resolved, Some("CNAME"), 2)
        );
        assert_eq!(data.records[1].address.as_deref(), Some("192.0.2.1"));
    }
}
