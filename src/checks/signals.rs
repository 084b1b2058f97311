//! Signs of failure that many checks ask for: errors of the network class inside the failure window.

use std::collections::BTreeSet;

use super::case::{Case, event_seen};
use super::judgement::Observation;
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::artifact::security::Sid;
use crate::evidence::Sourced;
use crate::evidence::events::Want;
use crate::evidence::registry::UserHive;
use crate::time::FileTime;

/// The broker's and the cloud provider's errors.
pub const BROKER: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1084, 1097, 1098, 1100, 1101, 1111, 1112, 1250, 1252],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Transfers that failed.
pub const TRANSFERS_FAILED: Want = Want {
    provider: "Microsoft-Windows-Bits-Client",
    ids: &[61],
    channels: &["Microsoft-Windows-Bits-Client/Operational"],
};
/// Updates that failed.
pub const UPDATES_FAILED: Want = Want {
    provider: "Microsoft-Windows-WindowsUpdateClient",
    ids: &[20, 25, 31],
    channels: &["System", "Microsoft-Windows-WindowsUpdateClient/Operational"],
};

/// Networks connected (10000) and disconnected (10001).
pub const NETWORKS: Want = Want {
    provider: "Microsoft-Windows-NetworkProfile",
    ids: &[10000, 10001],
    channels: &["Microsoft-Windows-NetworkProfile/Operational"],
};
/// Dialogs that Office showed: 2016 and later, 2013, 2010.
pub const DIALOGS: [Want; 3] = [
    Want { provider: "Microsoft Office 16 Alerts", ids: &[300], channels: &["OAlerts"] },
    Want { provider: "Microsoft Office 15 Alerts", ids: &[300], channels: &["OAlerts"] },
    Want { provider: "Microsoft Office 14 Alerts", ids: &[300], channels: &["OAlerts"] },
];

/// All of them, for the interest of the checks.
pub const ALL: &[Want] = &[BROKER, TRANSFERS_FAILED, UPDATES_FAILED];

/// Fields that hold the code of one of these records.
pub const FIELDS: &[&str] = &["Error", "Result", "hr", "errorCode", "dwError", "HTTPTransportError"];

/// Requests of device registration, which runs as SYSTEM, that did not get through: past a proxy (226, 230, 233) or through it (337).
const REGISTRATION_FAILED: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[226, 230, 233, 337],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};

/// Recorded errors of the network class inside the failure window, oldest first, without those of times at which no network was connected:
/// the article says to rule these out (domain.md 5.5).
pub fn network_errors<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    errors(case, is_network)
}

/// The same for codes of another kind.
pub fn errors<'e>(case: &Case<'e>, fits: impl Fn(ErrorCode) -> bool) -> Vec<Sourced<&'e Event>> {
    let wants = ALL.iter().chain([&REGISTRATION_FAILED]);
    let mut found: Vec<Sourced<&Event>> = wants.flat_map(|want| case.events(*want)).collect();
    found.retain(|event| {
        code_of(event.value).is_some_and(&fits) && !is_disconnected_at(case, event.value.time)
    });
    found.sort_by(|a, b| {
        (a.value.time, a.value.record_id, a.source.artifact).cmp(&(
            b.value.time,
            b.value.record_id,
            b.source.artifact,
        ))
    });
    found
}

/// What 12175 is in WinINET: content that could not be decoded. Dialogs come from programs that use it (trap 11).
const DECODING_FAILED: u32 = 12_175;

/// Dialogs inside the failure window with such a code that Office showed to this user, oldest first. A dialog that names nobody is his where
/// no other person's profile was collected. What WinINET calls by another name is no sign, nor is one of a time without a network.
pub fn dialogs<'e>(
    case: &Case<'e>,
    user: &UserHive,
    fits: impl Fn(ErrorCode) -> bool,
) -> Vec<Sourced<&'e Event>> {
    let alone = case.evidence.users.all.len() == 1;
    let is_own = |event: &Event| match (&user.sid, event.user_sid.as_ref().map(Sid::new)) {
        (Some(own), Some(shown)) => *own == shown,
        _ => alone,
    };
    let fits = |code: ErrorCode| code.win32() != Some(DECODING_FAILED) && fits(code);
    let mut found: Vec<Sourced<&Event>> = DIALOGS.iter().flat_map(|want| case.events(*want)).collect();
    found.retain(|event| {
        is_own(event.value)
            && codes_in(&event.value.all_text()).into_iter().any(fits)
            && !is_disconnected_at(case, event.value.time)
    });
    found.sort_by_key(|event| (event.value.time, event.value.record_id));
    found
}

/// A recorded error as evidence: its code fields, or the codes in the text of a dialog.
pub fn error_seen(event: &Sourced<&Event>) -> Observation {
    let seen = event_seen(event, FIELDS);
    let codes = match code_of(event.value) {
        Some(_) => Vec::new(),
        None => codes_in(&event.value.all_text()),
    };
    let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
    match codes.is_empty() {
        true => seen,
        false => event.shows(format!("{}, {}", seen.observed, codes.join(", "))),
    }
}

/// Whether a code is of the socket level: 12159 and the 10022 to 10107 class.
pub fn is_socket(code: ErrorCode) -> bool {
    matches!(code.win32(), Some(12_159 | 10_022..=10_107))
}

/// Recorded errors of the socket level inside the failure window: what a broken or hostile Winsock provider causes (12159 and the
/// 10022 to 10107 class).
pub fn socket_errors<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    let mut found: Vec<Sourced<&Event>> = ALL.iter().flat_map(|want| case.events(*want)).collect();
    found.retain(|event| code_of(event.value).is_some_and(is_socket));
    found.sort_by_key(|event| (event.value.time, event.value.record_id));
    found
}

/// Whether the log says that no network was connected at a time: its last word before it is a disconnect. Without a record it does not
/// say so. Failures of such a time are ruled out (domain.md 5.5).
///
/// A laptop that leaves its dock loses one of two networks and stays connected by the other, so the networks are told apart. But
/// "Identifying..." is a network too, with a name in every language, that connects and never disconnects (seen in the logs of ordinary
/// machines): besides the last record, only a network that the log shows to disconnect at some time can be the one that is left.
pub fn is_disconnected_at(case: &Case<'_>, time: FileTime) -> bool {
    case.evidence.events.note_channels(NETWORKS);
    case.links().is_lost_at(time)
}

/// A network connected or disconnected.
#[derive(Debug)]
struct Change {
    time: FileTime,
    /// It connected.
    connects: bool,
    /// No network is left after it.
    lost: bool,
}

/// When the machine had a network and when not: the changes in the order of their times.
#[derive(Debug)]
pub struct Links(Vec<Change>);

impl Links {
    /// Reads the whole log of the networks. `boots`, oldest first: a start of Windows ends all connections, and no disconnect is written
    /// for it.
    pub fn read(case: &Case<'_>, boots: &[FileTime]) -> Self {
        let all = case.evidence.events.of(NETWORKS);
        let is_lost = |event: &Event| event.event_id == 10001;
        let network = |event: &Event| {
            let name = event.field("Guid").or_else(|| event.field("Name")).unwrap_or_default();
            name.trim_matches(['{', '}']).to_ascii_lowercase()
        };
        let losses = all.iter().filter(|event| is_lost(event.value));
        let ends: BTreeSet<String> = losses.map(|event| network(event.value)).collect();
        let mut connected = BTreeSet::new();
        let mut boots = boots.iter().peekable();
        let changes = all.iter().map(|event| {
            let (lost, name) = (is_lost(event.value), network(event.value));
            while boots.next_if(|boot| **boot <= event.value.time).is_some() {
                connected.clear();
            }
            match lost {
                true => _ = connected.remove(&name),
                false if ends.contains(&name) => _ = connected.insert(name),
                false => {}
            }
            Change { time: event.value.time, connects: !lost, lost: lost && connected.is_empty() }
        });
        Self(changes.collect())
    }

    fn is_lost_at(&self, time: FileTime) -> bool {
        self.is_lost_since(None, time) == Some(true)
    }

    /// Whether no network was left at a time, by the last change since a start of Windows; `None` without such a change.
    pub fn is_lost_since(&self, start: Option<FileTime>, time: FileTime) -> Option<bool> {
        let before = self.0.partition_point(|change| change.time <= time).checked_sub(1)?;
        let last = self.0.get(before)?;
        start.is_none_or(|start| last.time >= start).then_some(last.lost)
    }

    /// Whether the next change after a time is a network that connects.
    pub fn connects_after(&self, time: FileTime) -> bool {
        let next = self.0.partition_point(|change| change.time <= time);
        self.0.get(next).is_some_and(|change| change.connects)
    }
}

/// The error code of such a record.
pub fn code_of(event: &Event) -> Option<ErrorCode> {
    // 337 of device registration has a `Result` in words beside the number.
    FIELDS.iter().filter_map(|name| event.field(name)).find_map(ErrorCode::parse)
}

/// Whether a code is of the network class (domain.md 5.5 and section 7): WinHTTP and WinINET transport errors, CAA7 downloads, CAA8
/// transport, CAA3 HTTP statuses, and the two time-outs of the article. Only the severity nibble C counts within the AA facility:
/// 4AA… and 8AA… report success (R34).
pub fn is_network(code: ErrorCode) -> bool {
    let facility = code.value() >> 16;
    code.win32().is_some_and(|number| number == WAIT_TIMEOUT || is_transport(number))
        || matches!(facility, 0xcaa7 | 0xcaa8 | 0xcaa3)
}

/// `WAIT_TIMEOUT`, 0x102: one of the two time-outs that the article names.
const WAIT_TIMEOUT: u32 = 0x102;

/// WinHTTP and WinINET numbers that mean "the request did not get through".
fn is_transport(number: u32) -> bool {
    matches!(number, 12002 | 12007 | 12029..=12031 | 12152 | 12165..=12166 | 12167 | 12175..=12180)
}

/// Records of one failure are written within so many seconds.
const ONE_FAILURE_SECONDS: i64 = 5;

/// What tells whether two records are about one failure: the plug-in, ADAL and Windows write one each for the same request.
#[derive(Clone, Debug)]
pub struct Mark {
    user: Option<String>,
    correlations: Vec<String>,
    time: FileTime,
}

impl Mark {
    /// The mark of a record.
    pub fn of(event: &Event) -> Self {
        let user = event.user_sid.as_ref().map(|sid| sid.to_ascii_uppercase());
        Self { user, correlations: correlations(event), time: event.time }
    }

    /// Whether two records with the same code are about one failure: one correlation id where both have one, else the same user at almost
    /// the same time.
    pub fn is_same(&self, other: &Self) -> bool {
        if !self.correlations.is_empty() && !other.correlations.is_empty() {
            return self.correlations.iter().any(|id| other.correlations.contains(id));
        }
        let apart = self.time.seconds_since(other.time).abs();
        self.user == other.user && apart <= ONE_FAILURE_SECONDS
    }
}

/// The correlation ids of a record: a field of its own, or inside a text (`Correlation ID: …`, `correlation ID (request): …`).
fn correlations(event: &Event) -> Vec<String> {
    const NAME: &str = "correlation id";
    let text = event.all_text().to_ascii_lowercase();
    let inside = text.split(NAME).skip(1).filter_map(|rest| Some(rest.split_once(':')?.1.trim_start()));
    let field = event.field("CorrelationID").map(|id| id.trim().to_ascii_lowercase());
    let mut found: Vec<String> = inside.map(str::to_owned).chain(field).collect();
    for id in &mut found {
        let id_chars = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        *id = id.trim_start_matches('{').chars().take_while(id_chars).collect();
    }
    // An id of zeros only is none.
    found.retain(|id| id.contains(|c: char| c.is_ascii_alphanumeric() && c != '0'));
    found
}

/// Codes of the broker that only say that the user has to be asked: CAA2000C and CAA10001.
pub fn is_prompt(code: ErrorCode) -> bool {
    matches!(code.value(), 0xcaa2_000c | 0xcaa1_0001)
}

/// Whether a code in a record of the broker reports a failure (R34): the first digit is C, or it is an HRESULT of Win32, SSPI and keys, or
/// the TPM; and the table of codes knows it. 0x4AA… and 0x8AA… report success.
pub fn is_broker_failure(code: ErrorCode) -> bool {
    let facility = code.value() >> 16;
    let failed = facility >> 12 == 0xc || matches!(facility, 0x8007 | 0x8009 | 0x8028 | 0x8029);
    // Rows of the table that stand for whole facilities: page, transport and HTTP failures of the broker, TPM, key storage.
    let by_pattern =
        matches!(facility & 0xfff, 0xaa3 | 0xaa7 | 0xaa8 | 0x028 | 0x029) || code.value() >> 8 == 0x80_0900;
    failed && (by_pattern || !crate::knowledge::meanings(&code.to_string()).is_empty())
}

/// Whether a code of the broker reports success: facility AA with one of the first digits 0, 4 and 8 (R34). What its record quotes is no
/// failure either.
pub fn is_broker_success(code: ErrorCode) -> bool {
    code.aadsts().is_none()
        && (code.value() >> 20) & 0xff == 0xaa
        && matches!(code.value() >> 28, 0x0 | 0x4 | 0x8)
}

/// What a part of a list by scheme begins with.
const SCHEMES: [&str; 4] = ["http=", "https=", "ftp=", "socks="];

/// The positions of the `;` that divide a list. A password may hold one too: what follows it is a part of its own only when it begins with
/// a scheme, or no credentials end behind it.
fn divisions(list: &str) -> impl Iterator<Item = usize> {
    let last_credentials = list.rfind('@').unwrap_or_default();
    let begins_part = |rest: &str| {
        SCHEMES
            .iter()
            .any(|scheme| rest.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
    };
    let divides =
        move |at: &usize| *at > last_credentials || list.get(at.saturating_add(1)..).is_some_and(begins_part);
    list.match_indices(';').map(|(at, _)| at).filter(divides)
}

/// A proxy string without the credentials that may stand before its `@`.
pub fn mask_credentials(proxy: &str) -> String {
    let mask = |part: &str| match part.rsplit_once('@') {
        Some((before, host)) => {
            let head = before.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
            let key = before.split_once('=').map(|(key, _)| format!("{key}=")).unwrap_or_default();
            format!("{key}{head}***@{host}")
        }
        None => part.to_owned(),
    };
    let mut parts: Vec<String> = Vec::new();
    let mut start = 0;
    for at in divisions(proxy).chain([proxy.len()]) {
        parts.push(mask(proxy.get(start..at).unwrap_or_default()));
        start = at.saturating_add(1);
    }
    parts.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_class_of_the_domain_reference() {
        for text in ["0xCAA82EE2", "0xcaa70007", "0x80072EFD", "12029", "0x102", "-2147012894"] {
            assert!(is_network(ErrorCode::parse(text).unwrap()), "{text}");
        }
        // R34: facility AA with nibbles 4 and 8 reports success; prompts and TPM codes are other classes.
        for text in ["0x8AA500DB", "0x4AA500F0", "0xCAA2000C", "0x80290400"] {
            assert!(!is_network(ErrorCode::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn r34_what_counts_as_a_failure_of_the_broker() {
        // Failures: a refused grant, a transport error by its pattern, a TPM and a key error, "no such logon session".
        for text in ["0xCAA20003", "0xCAA82EFD", "0xCAA3012C", "0x80290400", "0x80090016", "0x80070520"] {
            assert!(is_broker_failure(ErrorCode::parse(text).unwrap()), "{text}");
        }
        // Reports of success, and codes that no row knows.
        for text in ["0x8AA500DB", "0x4AA500F0", "0x8AA100DA", "0xCAA5FFF0", "0x80004005"] {
            assert!(!is_broker_failure(ErrorCode::parse(text).unwrap()), "{text}");
        }
        for (text, success) in
            [("0x4AA20003", true), ("0x8AA500DB", true), ("0xCAA20003", false), ("0x80090016", false)]
        {
            assert_eq!(is_broker_success(ErrorCode::parse(text).unwrap()), success, "{text}");
        }
        assert!(is_prompt(ErrorCode::parse("CAA2000C").unwrap()));
        assert!(!is_prompt(ErrorCode::parse("CAA20003").unwrap()));
    }

    #[test]
    fn credentials_never_leave() {
        assert_eq!(mask_credentials("http=user:pw@p:80;https=q:81"), "http=***@p:80;https=q:81");
        assert_eq!(mask_credentials("http://user:pw@p:80"), "http://***@p:80");
        assert_eq!(mask_credentials("http://user:p;w@p:80"), "http://***@p:80");
        assert_eq!(mask_credentials("http=u:p;w@p:80;https=q:81"), "http=***@p:80;https=q:81");
        assert_eq!(mask_credentials("p:80;q:81"), "p:80;q:81");
    }
}
