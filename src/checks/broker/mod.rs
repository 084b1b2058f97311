//! The broker: the two plug-ins through which Office signs in on Windows 10 and later, and what they write down.
//!
//! The plug-ins are app packages of the user: one user's can be broken while another's work. So records and lists count for the affected user.

pub mod blocked;
pub mod cloud_experience_host;
pub mod deployment;
pub mod keys;
mod link;
mod package;
pub mod plugin_package;
pub mod state;
pub mod token_errors;
pub mod tpm_key_health;

/// The checks of this folder.
pub const CHECKS: &[super::Check] = &[
    plugin_package::CHECK,
    blocked::CHECK,
    state::CHECK,
    cloud_experience_host::CHECK,
    token_errors::CHECK,
    tpm_key_health::CHECK,
];

use super::Article;
use super::case::Case;
use super::judgement::{Judgement, Observation};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::artifact::security::Sid;
use crate::checks::required::is_consumer_product;
use crate::checks::signals;
use crate::evidence::Sourced;
use crate::evidence::events::Want;
use crate::evidence::registry::UserHive;
use crate::time::FileTime;

/// The section of the article.
pub const SECTION: Article = Article::Network("Check the BrokerPlugin");
/// Documentation of the plug-ins' repair.
pub const PLUGIN_ARTICLE: &str = "https://learn.microsoft.com/troubleshoot/microsoft-365/admin/authentication/automatic-authentication-fails";
/// Documentation of what security software must not block.
pub const EXCLUSIONS_ARTICLE: &str = "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/cannot-sign-in-microsoft-365-desktop-apps";

/// The plug-in for work and school accounts.
pub const BROKER_PLUGIN: &str = "Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy";
/// The plug-in for personal accounts.
pub const EXPERIENCE_HOST: &str = "Microsoft.Windows.CloudExperienceHost_cw5n1h2txyewy";

/// Records of the plug-ins, of ADAL and of the token broker: warnings and errors.
pub const RECORDS: Want = Want {
    provider: "Microsoft-Windows-AAD",
    ids: &[1097, 1098, 1100, 1101, 1111, 1112],
    channels: &["Microsoft-Windows-AAD/Operational"],
};
/// Web Account Manager gave a token: the broker works.
pub const TOKEN_GIVEN: Want = Want {
    provider: "Microsoft-Windows-User Device Registration",
    ids: &[325],
    channels: &["Microsoft-Windows-User Device Registration/Admin"],
};

/// Below this build Office does not sign in through the broker (Windows 10 1703 and later do).
const FIRST_BUILD: u32 = 15_000;

/// On a Windows before 1703 the question does not arise; the build must be in evidence for that.
pub fn too_old(case: &Case<'_>, j: &Judgement) -> bool {
    let Some(build) = case.os().build.as_ref().filter(|build| build.value < FIRST_BUILD) else {
        return false;
    };
    j.not_applicable(
        "Office does not use the broker on a Windows before Windows 10 1703.",
        build.shows(format!("build {}", build.value)),
    );
    true
}

/// Whether the build is known to be one on which Office needs the plug-ins.
pub fn needs_plugins(case: &Case<'_>) -> bool {
    case.os().build_number().is_some_and(|build| build >= FIRST_BUILD)
}

/// The user who cannot activate.
pub fn affected(case: &Case<'_>) -> Option<UserHive> {
    case.evidence.users.affected().found().map(|user| user.value.clone())
}

/// A record of another person than the affected one. Records of services and of nobody count for everybody.
pub fn is_of_another_user(user: Option<&UserHive>, event: &Event) -> bool {
    let own = user.and_then(|user| user.sid.as_ref());
    let writer = event.user_sid.as_ref().map(Sid::new).filter(Sid::is_person);
    matches!((own, writer), (Some(own), Some(writer)) if *own != writer)
}

/// The last token inside the failure window that was not given to another person.
pub fn token_given<'e>(case: &Case<'e>) -> Option<Sourced<&'e Event>> {
    let user = affected(case);
    case.events(TOKEN_GIVEN).into_iter().rfind(|event| !is_of_another_user(user.as_ref(), event.value))
}

/// The time of the last token, for failures that it ended.
pub fn last_token(case: &Case<'_>) -> Option<FileTime> {
    token_given(case).map(|event| event.value.time)
}

/// Notes a failure that a later token ended, and tells whether one did: what was repaired is no finding.
pub fn token_ends(j: &Judgement, given: Option<FileTime>, time: FileTime, failure: &str) -> bool {
    let ended = given.is_some_and(|given| given > time);
    if ended {
        j.note(format!("{failure}, but a token was given later: it was, and is now repaired."));
    }
    ended
}

/// The codes in a record: the one in `Error` first, then those inside its texts (the inner codes of R39).
pub fn codes_of(event: &Event) -> Vec<ErrorCode> {
    let mut codes: Vec<ErrorCode> = signals::code_of(event).into_iter().collect();
    let texts = ["ErrorMessage", "AdditionalInformation"];
    for code in texts.iter().filter_map(|name| event.field(name)).flat_map(codes_in) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// A record of the broker as evidence: id, code in hex, and what it adds.
pub fn record_seen(event: &Sourced<&Event>) -> Observation {
    const LONGEST: usize = 300;
    let mut text = format!("AAD {}", event.value.event_id);
    for code in codes_of(event.value).iter().take(3) {
        text.push_str(&format!(", {code}"));
    }
    if let Some(message) = event.value.field("ErrorMessage").filter(|message| !message.trim().is_empty()) {
        text.push_str(&format!(", {}", message.trim().chars().take(LONGEST).collect::<String>()));
    }
    event.shows(text)
}

/// Which kind of account the installed Office takes, where the products tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// Products for consumers only.
    Personal,
    /// A product for companies and schools.
    Work,
    /// Nothing tells.
    Unknown,
}

/// The kind of account: by the licences that `vnextdiag.ps1` lists (`CWW` personal, `EWW` work), else by the installed products
/// (`ProductReleaseIds` of Click-to-Run).
pub fn account(case: &Case<'_>) -> Account {
    for capture in case.captures(CaptureKind::Vnextdiag) {
        let CaptureData::Vnextdiag(data) = &capture.value.data else { continue };
        let mut prefixes =
            data.user_licences.items().iter().filter_map(|licence| licence.license_id_prefix.as_deref());
        match prefixes.next() {
            Some("CWW") if prefixes.all(|prefix| prefix == "CWW") => return Account::Personal,
            Some(_) => return Account::Work,
            None => {}
        }
    }
    by_products(case)
}

fn by_products(case: &Case<'_>) -> Account {
    let products =
        case.value(r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration", "ProductReleaseIds");
    let Some(products) = products.found().and_then(|value| value.value.as_text()) else {
        return Account::Unknown;
    };
    let mut personal = false;
    for product in products.to_lowercase().split(',').map(str::trim).filter(|product| !product.is_empty()) {
        // Visio and Project alone tell nothing about the account.
        if product.starts_with("o365proplus")
            || product.starts_with("o365business")
            || product.contains("volume")
        {
            return Account::Work;
        }
        personal |= is_consumer_product(product);
    }
    if personal { Account::Personal } else { Account::Unknown }
}
