//! A root certificate that the services need is missing or distrusted.
//!
//! # What it looks at
//! The root stores of the machine (ROOT, AuthRoot, those of policy and enterprise) and its stores of distrusted certificates; whether Windows
//! may fetch roots on demand (`DisableRootAutoUpdate`); failures to fetch them, chains that end in an unknown root, and refused servers in
//! the logs.
//!
//! # Why it blocks activation
//! Sign-in and licensing hosts prove themselves by certificates that lead to a few public roots. Without the root, or with it among the
//! distrusted ones, Windows refuses the connection.
//!
//! # Fix
//! Allow the automatic update of roots and the host ctldl.windowsupdate.com, or distribute the roots by policy; take a root out of the store
//! of distrusted certificates.
//!
//! # Verify
//! `certutil -verifyctl AuthRoot` ends without an error, and activation works.
//!
//! # When this is wrong
//! Roots arrive on demand: on a fresh machine most are absent and nothing is wrong. The old Baltimore root expired in May 2025 and is needed
//! no more. Where a chain ends in the root of an inspecting proxy, that is the cause and not the store.
//!
//! # Sources
//! domain.md 5.17 `root-certs`; decision 28; R40 and R51 of section 14; "Azure Certificate Authority details" (learn.microsoft.com) for the
//! thumbprints.

use super::chain::{self, Chain, Signer, chains};
use super::recorded::{self, Recorded, failures, is_of_authority};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, event_seen, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::events::Want;
use crate::evidence::{Confidence, Lookup, Sourced, captures};

/// A root with its SHA-1 thumbprint, which is the name of its key.
struct Root {
    name: &'static str,
    thumbprint: &'static str,
}

/// The one whose absence counts by itself where roots may not be fetched (R51).
const MAIN: Root =
    Root { name: "DigiCert Global Root G2", thumbprint: "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4" };
/// Others that chains of the services use.
const FURTHER: [Root; 2] = [
    Root { name: "DigiCert Global Root CA", thumbprint: "A8985D3A65E5E5C4B2D7D66D40C6DD2FB19C5436" },
    Root {
        name: "Microsoft RSA Root Certificate Authority 2017",
        thumbprint: "73A5E64A3BFF8316FF0EDCCC618A906E4EAE4D74",
    },
];

/// Stores of the machine: its own, those of policy, those of the enterprise.
const STORES: [&str; 3] = [
    r"HKLM\SOFTWARE\Microsoft\SystemCertificates",
    r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates",
    r"HKLM\SOFTWARE\Microsoft\EnterpriseCertificates",
];
/// Stores whose certificates are trusted as roots.
const TRUSTED: [&str; 2] = ["ROOT", "AuthRoot"];
const DISTRUSTED: &str = "Disallowed";
const AUTO_UPDATE: &str = r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot";
/// The host that roots come from.
const SOURCE: &str = "ctldl.windowsupdate.com";

/// Roots that were fetched (4097, 4100); fetching failed (4101, 4107, 4110); chains without a trusted root (4105, 4106).
const ROOTS: Want = Want {
    provider: "Microsoft-Windows-CAPI2",
    ids: &[4097, 4100, 4101, 4105, 4106, 4107, 4110],
    channels: &["Application"],
};
/// A server's certificate came from an untrusted authority.
const REFUSED: Want = Want { provider: "Schannel", ids: &[36882], channels: &["System"] };

/// The check.
pub const CHECK: Check = Check {
    id: "root-certs",
    title: "A needed root certificate is missing or distrusted",
    layer: Layer::Certificates,
    article: Article::Beyond,
    wants: &[ROOTS, REFUSED, chain::CHAINS, recorded::WANTS[0], recorded::WANTS[1], recorded::WANTS[2]],
    healthy: "The roots that the services need are there or may be fetched, and none is distrusted.",
    source_text: include_str!("root_certs.rs"),
    run,
    remedy,
};

/// Whether a root is in any of the machine's stores.
enum Presence {
    There(Observation),
    /// In none of them, and all of them are known.
    Nowhere(Observation),
    /// Something that would tell is missing.
    Unknown,
}

/// Whether Windows may fetch roots on demand.
struct AutoUpdate {
    allowed: bool,
    seen: Observation,
}

fn run(case: &Case<'_>, j: &Judgement) {
    distrusted(case, j);
    let update = auto_update(case, j);
    let errors = Errors::read(case);
    match (presence(case, j, &MAIN), &update) {
        (Presence::There(seen), _) => j.good(seen),
        (Presence::Nowhere(seen), Some(update)) if !update.allowed => {
            let summary = format!(
                "{} is in no root store, and Windows may not fetch it: required hosts cannot be trusted.",
                MAIN.name
            );
            let seen = seen.expected(format!("a certificate {}", MAIN.thumbprint));
            j.blocker(Confidence::High, summary, [seen, update.seen.clone()]);
        }
        (Presence::Nowhere(seen), Some(_)) => on_demand(case, j, seen, &errors),
        (Presence::Nowhere(_), None) | (Presence::Unknown, _) => {}
    }
    if let Some(off) = update.filter(|update| !update.allowed) {
        for root in &FURTHER {
            further(case, j, root, &off, &errors);
        }
    }
    errors.report(j);
}

/// Another root where roots may not be fetched: a note, unless an error names it (R51).
fn further(case: &Case<'_>, j: &Judgement, root: &Root, off: &AutoUpdate, errors: &Errors<'_>) {
    let Presence::Nowhere(seen) = presence(case, &Judgement::default(), root) else { return };
    match errors.naming(root) {
        Some(error) => {
            let summary = format!(
                "{} is in no root store, Windows may not fetch it, and a chain failed for want of it.",
                root.name
            );
            j.blocker(Confidence::High, summary, [error, seen, off.seen.clone()]);
        }
        None => j.note(format!("{} is in no root store, and Windows may not fetch it.", root.name)),
    }
}

fn presence(case: &Case<'_>, j: &Judgement, root: &Root) -> Presence {
    let mut absent = None;
    let mut unknown = None;
    for (store, name) in STORES.iter().flat_map(|store| TRUSTED.iter().map(move |name| (store, name))) {
        match case.value(&format!(r"{store}\{name}\Certificates\{}", root.thumbprint), "Blob") {
            Lookup::Found(found) => return Presence::There(found.shows(root.name)),
            Lookup::Absent(source) => absent = Some(source),
            Lookup::Unknown(why) => unknown = Some(why),
        }
    }
    match (unknown, absent) {
        (Some(why), _) => {
            j.missing(&why, collect::SOFTWARE);
            Presence::Unknown
        }
        (None, Some(source)) => Presence::Nowhere(source.shows(format!("{}: in no root store", root.name))),
        (None, None) => Presence::Unknown,
    }
}

fn auto_update(case: &Case<'_>, j: &Judgement) -> Option<AutoUpdate> {
    match case.need_number(j, AUTO_UPDATE, "DisableRootAutoUpdate") {
        Lookup::Found(value) => {
            let allowed = value.value.as_u32() != Some(1);
            Some(AutoUpdate { allowed, seen: value_seen(&value).expected("absent, or 0") })
        }
        Lookup::Absent(source) => {
            Some(AutoUpdate { allowed: true, seen: source.shows("DisableRootAutoUpdate is not set") })
        }
        Lookup::Unknown(_) => None,
    }
}

/// Needed roots in the stores of distrusted certificates: of the machine, and of the affected user.
fn distrusted(case: &Case<'_>, j: &Judgement) {
    let mut stores: Vec<String> = STORES.iter().map(|store| (*store).to_owned()).collect();
    if let Lookup::Found(user) = case.evidence.users.affected() {
        stores.push(user.value.path(r"Software\Microsoft\SystemCertificates"));
        stores.push(user.value.path(r"Software\Policies\Microsoft\SystemCertificates"));
    }
    for (store, root) in
        stores.iter().flat_map(|store| [MAIN].into_iter().chain(FURTHER).map(move |root| (store, root)))
    {
        let key = format!(r"{store}\{DISTRUSTED}\Certificates\{}", root.thumbprint);
        if let Lookup::Found(value) = case.value(&key, "Blob") {
            let summary = format!("{} is among the distrusted certificates.", root.name);
            j.blocker(
                Confidence::High,
                summary,
                [value.shows(root.thumbprint).expected("not in this store")],
            );
        }
    }
}

/// Absent, and Windows may fetch it: nothing is wrong while nothing failed (decision 28), and that must be known.
fn on_demand(case: &Case<'_>, j: &Judgement, seen: Observation, errors: &Errors<'_>) {
    j.note(format!("{} is in no root store yet; Windows fetches it when it is needed.", MAIN.name));
    if errors.any() {
        return;
    }
    match source_reached(case) {
        Some(proof) => {
            j.good(proof);
            j.good(seen);
        }
        None => {
            case.need_log(j, ROOTS.channels, collect::APPLICATION_LOG);
        }
    }
}

/// Proof that roots can be fetched: one was, or the host answers on port 80.
fn source_reached(case: &Case<'_>) -> Option<Observation> {
    let fetched = case.events(ROOTS).into_iter().rfind(|event| is_fetched(event.value));
    if let Some(event) = fetched {
        return Some(event_seen(&event, &["#0"]));
    }
    for capture in case.evidence.captures.each(CaptureKind::TestConnection) {
        let CaptureData::TestConnection(data) = &capture.value.data else { continue };
        let reached = data.tests.iter().find(|test| {
            test.computer_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(SOURCE))
                && test.tcp_test_succeeded == Some(true)
        });
        if let Some(test) = reached {
            let at = captures::line(capture.source.artifact, test.tcp_line.unwrap_or(test.line));
            return Some(at.shows(format!("{SOURCE}: TcpTestSucceeded True")));
        }
    }
    None
}

fn is_fetched(event: &Event) -> bool {
    matches!(event.event_id, 4097 | 4100)
}

/// What failed for want of a root inside the failure window.
struct Errors<'e> {
    /// Roots that could not be fetched, after the last that could.
    fetches: Vec<Sourced<&'e Event>>,
    /// Chains without a trusted root, of any program.
    chains: Vec<Sourced<&'e Event>>,
    /// Connections of sign-in, transfers, updates and registration.
    codes: Vec<Recorded>,
    /// Chains of required hosts whose authority is not trusted.
    hosts: Vec<Chain<'e>>,
    /// Somebody else signs required hosts.
    foreign: Option<String>,
    /// The newest chain of a required host that led to a public root.
    good: Option<Chain<'e>>,
    repaired: usize,
}

impl<'e> Errors<'e> {
    fn read(case: &Case<'e>) -> Self {
        let roots = case.events(ROOTS);
        let last_good = roots.iter().rposition(|event| is_fetched(event.value));
        let failed = |event: &Sourced<&Event>| matches!(event.value.event_id, 4101 | 4107 | 4110);
        let all = roots.iter().filter(|event| failed(event)).count();
        let fetches: Vec<_> = roots
            .iter()
            .skip(last_good.map_or(0, |index| index + 1))
            .filter(|event| failed(event))
            .cloned()
            .collect();
        let mut chains_of_any: Vec<_> =
            roots.into_iter().filter(|event| matches!(event.value.event_id, 4105 | 4106)).collect();
        chains_of_any.extend(case.events(REFUSED));
        let required: Vec<Chain<'e>> =
            chains(case).into_iter().filter(|chain| super::is_required(case, &chain.host)).collect();
        let foreign = required.iter().rev().find_map(|chain| match &chain.signer {
            Some(Signer::Foreign(name)) => Some(name.clone()),
            _ => None,
        });
        let (mut hosts, mut good) = (Vec::new(), None);
        for chain in required {
            if chain.result.is_some_and(is_of_authority) {
                hosts.push(chain);
            } else if chain.result.is_some_and(ErrorCode::is_success) {
                good = Some(chain);
            }
        }
        let mut codes = failures(case);
        codes.retain(|failure| failure.code(is_of_authority).is_some());
        Self { repaired: all - fetches.len(), fetches, chains: chains_of_any, codes, hosts, foreign, good }
    }

    fn any(&self) -> bool {
        self.fetches.len() > 1 || !(self.chains.is_empty() && self.codes.is_empty() && self.hosts.is_empty())
    }

    /// An error that names a root, by its name or by the address that it is fetched from.
    fn naming(&self, root: &Root) -> Option<Observation> {
        let (name, thumbprint) = (root.name.to_lowercase(), root.thumbprint.to_lowercase());
        let names = |text: &str| {
            let text = text.to_lowercase();
            text.contains(&name) || text.contains(&thumbprint)
        };
        let tree = |event: &Event| event.user_data.as_ref().map(ToString::to_string).unwrap_or_default();
        let of_events = || {
            let mut events = self.fetches.iter().chain(&self.chains);
            let event = events.find(|event| names(&event.value.all_text()))?;
            Some(event_seen(event, &["#0", "#1"]))
        };
        let of_codes = || self.codes.iter().find(|failure| names(&failure.text)).map(|f| f.seen.clone());
        let of_hosts = || self.hosts.iter().find(|chain| names(&tree(chain.event.value))).map(Chain::seen);
        of_hosts().or_else(of_codes).or_else(of_events)
    }

    fn report(&self, j: &Judgement) {
        if self.repaired > 0 {
            j.note(format!(
                "{} root(s) could not be fetched inside the failure window; one was fetched later.",
                self.repaired
            ));
        }
        if let Some(name) = self.foreign.as_ref().filter(|_| self.any()) {
            j.note(format!(
                "Required hosts are signed by {name}: untrusted chains are the matter of tls-inspection."
            ));
            return;
        }
        if let [.., last] = self.fetches.as_slice()
            && self.fetches.len() > 1
        {
            let summary = format!("Root certificates could not be fetched {} times.", self.fetches.len());
            j.warning(Confidence::Medium, summary, [event_seen(last, &["#0", "#1"])]);
        }
        self.of_required_hosts(j);
        if let Some(last) = self.chains.last() {
            let summary = format!(
                "{} certificate chain(s) of some program ended without a trusted root.",
                self.chains.len()
            );
            j.warning(Confidence::Low, summary, [event_seen(last, &["#0", "#1"])]);
        }
    }

    /// Untrusted authorities on the way to hosts that activation needs.
    fn of_required_hosts(&self, j: &Judgement) {
        let mut evidence: Vec<Observation> = self.hosts.iter().map(Chain::seen).collect();
        let known = self.hosts.iter().any(|chain| chain.signer.is_some());
        evidence.extend(self.codes.iter().map(|failure| failure.seen.clone()));
        let Some(newest) = evidence.iter().map(|seen| seen.time).max() else { return };
        let count = evidence.len();
        if let Some(good) =
            self.good.as_ref().filter(|good| Some(good.event.value.time) > newest && newest.is_some())
        {
            j.good(good.seen());
            j.note(format!("{count} connection(s) met an authority that was not trusted; later chains were good: it was, and is now repaired."));
            return;
        }
        let confidence = if known { Confidence::Medium } else { Confidence::Low };
        let summary =
            format!("{count} connection(s) that activation needs met an authority that is not trusted.");
        evidence.reverse();
        evidence.truncate(4);
        j.row(Status::Warning, confidence, summary, evidence);
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "certutil -verifyctl AuthRoot shows whether roots can be fetched; allow ctldl.windowsupdate.com on port 80, for services too.",
            "Policy: Computer Configuration, Administrative Templates, System, Internet Communication Management, \"Turn off Automatic Root Certificates Update\" = Not configured. It sets DisableRootAutoUpdate.",
            "Where roots have to come by policy: certutil -generateSSTFromWU roots.sst on a connected machine, and distribute DigiCert Global Root G2, DigiCert Global Root CA and Microsoft RSA Root Certificate Authority 2017.",
            "A needed root among the distrusted ones: find the policy or program that put it there, then certutil -delstore Disallowed <thumbprint> (elevated; -enterprise or -grouppolicy for those stores).",
        ],
        "Import roots only from Microsoft or from the authority's own site, and compare the thumbprint.",
        "certutil -store Disallowed <thumbprint> removed.cer before the deletion keeps a copy; certutil -addstore Disallowed removed.cer brings it back.",
        "certutil -verifyctl AuthRoot ends without an error; then try activation again.",
        &[
            "https://learn.microsoft.com/azure/security/fundamentals/azure-certificate-authority-details",
            "https://learn.microsoft.com/windows-server/identity/ad-cs/certificate-trust",
        ],
    )
}
