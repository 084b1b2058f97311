//! Schannel's records of the System log: who wrote them, and which of them can be about activation.
//!
//! Most records carry no side. A server, a browser and Office write the same 36887, so a record counts by its side, by the process
//! where newer builds name it, and by the host that was called (decision 3 of section 13, R13 of section 14).

use std::sync::LazyLock;

use crate::artifact::event::Event;
use crate::checks::case::Case;
use crate::evidence::events::Want;
use crate::evidence::os::Edition;
use crate::evidence::{Confidence, Sourced};

/// A credential could not be created.
pub const CREDENTIAL: u32 = 36_871;
/// This client offers no cipher suite that Schannel supports.
pub const NO_SUITE: u32 = 36_873;
/// A handshake was completed; only written when the logging level asks for it.
pub const COMPLETED: u32 = 36_880;
/// The other side sent a fatal alert.
pub const ALERT_RECEIVED: u32 = 36_887;
/// This side sent a fatal alert.
pub const ALERT_SENT: u32 = 36_888;
/// `ErrorState` of 36871 when a program asks for a protocol that is switched off.
pub const SWITCHED_OFF: &str = "10013";

/// Records that can be about activation. 36874 is written by the receiving side and never counts (decision 3).
pub const RECORDS: Want = Want {
    provider: "Schannel",
    ids: &[CREDENTIAL, NO_SUITE, COMPLETED, 36_881, 36_882, 36_884, ALERT_RECEIVED, ALERT_SENT],
    channels: &["System"],
};

/// Programs of Office and of its licensing, without `.exe`.
const OFFICE: [&str; 16] = [
    "winword",
    "excel",
    "powerpnt",
    "outlook",
    "onenote",
    "msaccess",
    "mspub",
    "visio",
    "winproj",
    "lync",
    "officeclicktorun",
    "officec2rclient",
    "sdxhelper",
    "msoia",
    "ospprearm",
    "officehubtaskhost",
];
/// Hosts of the broker.
const BROKER: [&str; 2] = ["microsoft.aad.brokerplugin", "backgroundtaskhost"];

/// Which side of the connection wrote a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `Type` says client.
    Client,
    /// `Type` says server.
    Server,
    /// No `Type`, or a localised word.
    Unknown,
}

/// Which program asked for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Office or the broker.
    Activation,
    /// A service host: licensing and registration run there, and servers do too.
    Services,
    /// Another program.
    Other,
    /// The record does not say.
    Unknown,
}

/// Whether a record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It counts, with this confidence.
    Counts(Confidence),
    /// It does not, and this is why.
    Info(&'static str),
}

/// The side that `Type` names, in any case.
pub fn side(event: &Event) -> Side {
    match event.field("Type").map(str::trim) {
        Some(word) if word.eq_ignore_ascii_case("client") => Side::Client,
        Some(word) if word.eq_ignore_ascii_case("server") => Side::Server,
        _ => Side::Unknown,
    }
}

/// The program that `CallerProcessImageName` names; only builds of the generation of Server 2022 write it.
pub fn caller(event: &Event) -> Caller {
    let Some(image) = event.field("CallerProcessImageName").filter(|image| !image.trim().is_empty()) else {
        return Caller::Unknown;
    };
    let name = image.trim().rsplit(['\\', '/']).next().unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    match name {
        "svchost" => Caller::Services,
        name if OFFICE.contains(&name) || BROKER.contains(&name) => Caller::Activation,
        _ => Caller::Other,
    }
}

/// The host that was called.
pub fn target(event: &Event) -> Option<&str> {
    event.field("TargetName").map(str::trim).filter(|name| !name.is_empty())
}

/// The TLS alert of a record.
pub fn alert(event: &Event) -> Option<u32> {
    event.field("AlertDesc")?.trim().parse().ok()
}

/// Whether a failure counts. `settings_are_good`: Schannel's protocols and cipher suites were found healthy, so a client that asks for
/// a protocol that is off (36871 with 10013) is another program's matter (R13).
pub fn weigh(case: &Case<'_>, event: &Event, settings_are_good: bool) -> Weight {
    let caller = caller(event);
    if caller == Caller::Other {
        return Weight::Info("of a program that has no part in activation");
    }
    let ours = matches!(caller, Caller::Activation | Caller::Services);
    match side(event) {
        Side::Server => Weight::Info("written by the server side"),
        Side::Client if settings_are_good && !ours && event.field("ErrorState") == Some(SWITCHED_OFF) => {
            Weight::Info("of a program that asked for a protocol that is switched off")
        }
        Side::Client => Weight::Counts(Confidence::Medium),
        Side::Unknown => {
            let required = target(event).is_some_and(is_required);
            let client = required || caller == Caller::Activation;
            match case.os().edition {
                Some(Edition::Server) if !client => {
                    Weight::Info("on a server, without a sign of the client side")
                }
                _ if required || ours => Weight::Counts(Confidence::Medium),
                _ => Weight::Counts(Confidence::Low),
            }
        }
    }
}

/// Schannel's records inside the failure window, oldest first.
pub fn records<'e>(case: &Case<'e>) -> Vec<Sourced<&'e Event>> {
    case.events(RECORDS)
}

static REQUIRED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let host = |line: &'static str| {
        let mut cells = line.split('\t');
        let (host, class) = (cells.next()?, cells.nth(4)?);
        (class == "required20" || class.starts_with("endpoint-set")).then_some(host)
    };
    include_str!("../../knowledge/endpoints.tsv").lines().skip(1).filter_map(host).collect()
});

/// Whether activation needs a host: the article's 20 addresses and the endpoint sets of sign-in and Office.
pub fn is_required(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    REQUIRED.iter().any(|host| match host.strip_prefix('*') {
        Some(suffix) => name.ends_with(suffix),
        None => host.eq_ignore_ascii_case(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::is_required;

    #[test]
    fn hosts_that_activation_needs() {
        // endpoints.tsv, classes required20 and endpoint-set-56 to 184 (wildcards).
        for host in
            ["login.microsoftonline.com", "OLS.officeapps.live.com", "a.b.msauth.net", "go.microsoft.com."]
        {
            assert!(is_required(host), "{host}");
        }
        for host in ["intranet.contoso.com", "www.msftncsi.com", "msauth.net.example"] {
            assert!(!is_required(host), "{host}");
        }
    }
}
