//! Somebody between this machine and the services opens encrypted connections.
//!
//! # What it looks at
//! The certificate chains that the log of CAPI2 shows for required hosts; answers that sign-in could not read, and what `dsregcmd` and the
//! sign-in service say of changed requests; roots of known inspection products in the stores of the machine and the user.
//!
//! # Why it blocks activation
//! A proxy or security product that opens connections puts its own certificate in place of Microsoft's and can change what is sent. Services
//! do not trust that certificate, client certificates get lost on the way, and answers come back in a form that sign-in does not understand.
//!
//! # Fix
//! Exclude the hosts of sign-in and licensing from inspection, in the proxy and in the security product of the machine.
//!
//! # Verify
//! The certificate of login.microsoftonline.com, looked at in a browser, leads to DigiCert or Microsoft.
//!
//! # When this is wrong
//! A product's root in the store alone means little: most products leave Microsoft's hosts alone. The names of products are a heuristic. The
//! log of CAPI2 is off by default, so that to know nothing is the ordinary result.
//!
//! # Sources
//! domain.md 5.17 `tls-inspection`; trap 11; R40 and R52 of section 14; "troubleshoot hybrid join" (learn.microsoft.com).

use super::chain::{self, CHANNEL, Chain, Signer, chains};
use super::is_required;
use super::recorded::{self, Recorded, failures, is_of_certificate};
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::{Confidence, Lookup, Unknown};

/// The check.
pub const CHECK: Check = Check {
    id: "tls-inspection",
    title: "Encrypted connections are opened on the way",
    layer: Layer::Certificates,
    article: Article::Beyond,
    wants: &[chain::CHAINS, recorded::WANTS[0], recorded::WANTS[1], recorded::WANTS[2]],
    healthy: "Required hosts show certificates of public authorities.",
    source_text: include_str!("tls_inspection.rs"),
    run,
    remedy,
};

/// Root stores that a product puts its root into; the machine's.
const STORES: [&str; 3] = [
    r"HKLM\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates",
    r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\Root\Certificates",
    r"HKLM\SOFTWARE\Microsoft\EnterpriseCertificates\Root\Certificates",
];
/// The user's.
const USER_STORE: &str = r"Software\Microsoft\SystemCertificates\Root\Certificates";
/// What names of products' roots hold, in lower case (domain.md 5.17: heuristics).
const PRODUCTS: [&str; 26] = [
    "zscaler",
    "netskope",
    "blue coat",
    "bluecoat",
    "fortinet",
    "fortigate",
    "palo alto",
    "sophos",
    "kaspersky",
    "eset ssl",
    "avast",
    "avg web",
    "bitdefender",
    "forcepoint",
    "websense",
    "cisco umbrella",
    "check point",
    "mcafee",
    "barracuda",
    "watchguard",
    "sonicwall",
    "cato networks",
    "menlo security",
    "fiddler",
    "mitmproxy",
    "portswigger",
];

/// Codes whose documentation names a proxy that changes answers: `C0048442` and `C00484C1`.
const CHANGED: [u32; 2] = [0xc004_8442, 0xc004_84c1];
/// The sign-in service misses the client's certificate.
const CREDENTIAL_LOST: u32 = 50_192;
/// Inside `dsregcmd` this number means an answer that could not be decoded (trap 11).
const UNDECODABLE: u32 = 12_175;

fn run(case: &Case<'_>, j: &Judgement) {
    let mut failures = failures(case);
    failures.retain(|failure| {
        failure.is_unreadable()
            || failure.code(|code| is_of_certificate(code) || names_a_proxy(code)).is_some()
    });
    let foreign = signers(case, j, &failures);
    let product = product_root(case, j);
    if foreign {
        return;
    }
    if let (Some((product, seen)), Some(last)) = (product, failures.last()) {
        let summary = format!(
            "A root of {product} is trusted here, and connections failed with errors of certificates or unreadable answers."
        );
        j.warning(Confidence::Medium, summary, [last.seen.clone(), seen]);
    }
    changed_answers(j, &failures);
}

fn names_a_proxy(code: ErrorCode) -> bool {
    code.aadsts() == Some(CREDENTIAL_LOST)
}

/// Who signs the required hosts. True when somebody does who should not.
fn signers(case: &Case<'_>, j: &Judgement, failures: &[Recorded]) -> bool {
    let mut newest: Vec<Chain<'_>> = Vec::new();
    let mut replaced = Vec::new();
    for chain in chains(case) {
        if chain.signer.is_none() || !is_required(case, &chain.host) {
            continue;
        }
        if let Some(index) = newest.iter().position(|known| known.host == chain.host) {
            replaced.push(newest.remove(index));
        }
        newest.push(chain);
    }
    let is_foreign = |chain: &&Chain<'_>| matches!(chain.signer, Some(Signer::Foreign(_)));
    let foreign: Vec<&Chain<'_>> = newest.iter().filter(is_foreign).collect();
    if foreign.is_empty() {
        if let Some(old) = replaced.iter().rfind(is_foreign) {
            j.note(format!(
                "{} was signed by another authority at {}; later its chain was good: it was, and is now repaired.",
                old.host, old.event.value.time
            ));
        }
        need_chain(case, j, newest.last());
        return false;
    }
    report(j, &foreign, failures);
    true
}

fn report(j: &Judgement, foreign: &[&Chain<'_>], failures: &[Recorded]) {
    let mut evidence: Vec<Observation> = foreign.iter().rev().take(3).map(|chain| chain.seen()).collect();
    let signer = foreign.iter().rev().find_map(|chain| match &chain.signer {
        Some(Signer::Foreign(name)) => Some(name.as_str()),
        _ => None,
    });
    let signer = signer.unwrap_or_default();
    let refused = foreign.iter().any(|chain| chain.result.is_some_and(is_of_certificate));
    let known = product_in(&signer.to_lowercase()).is_some() || foreign.len() > 1;
    if refused || !failures.is_empty() {
        evidence.extend(failures.iter().rev().take(2).map(|failure| failure.seen.clone()));
        let summary = format!(
            "Required hosts show certificates of {signer}: the connection is opened on the way, and connections fail."
        );
        let confidence = if known { Confidence::High } else { Confidence::Medium };
        j.row(Status::Blocker, confidence, summary, evidence);
    } else {
        let summary =
            format!("Required hosts show certificates of {signer}: the connection is opened on the way.");
        j.row(Status::Warning, Confidence::Medium, summary, evidence);
    }
}

/// A chain of a required host that leads to a public authority, out of a whole log.
fn need_chain(case: &Case<'_>, j: &Judgement, good: Option<&Chain<'_>>) {
    let mut logs = case.evidence.events.logs().iter();
    let whole = logs.any(|log| log.complete && log.channel.eq_ignore_ascii_case(CHANNEL));
    match good {
        Some(chain) if whole => j.good(chain.seen()),
        Some(_) => {
            let reason = Some("it is an excerpt or damaged".to_owned());
            j.missing(&Unknown { what: format!("event log {CHANNEL}"), reason }, chain::COLLECT);
        }
        None => {
            let what = format!(
                "the certificate chain of a required host in the event log {CHANNEL}, which is off by default"
            );
            j.missing(&Unknown { what, reason: None }, chain::COLLECT);
        }
    }
}

/// A root of an inspection product: a note by itself (R52).
fn product_root(case: &Case<'_>, j: &Judgement) -> Option<(&'static str, Observation)> {
    let mut stores: Vec<String> = STORES.iter().map(|store| (*store).to_owned()).collect();
    if let Lookup::Found(user) = case.evidence.users.affected() {
        stores.push(user.value.path(USER_STORE));
    }
    let mut found = None;
    for store in stores {
        let Lookup::Found(list) = case.evidence.registry.subkeys(&store) else { continue };
        for key in list.value.iter() {
            let Lookup::Found(blob) = case.value(&format!(r"{store}\{key}"), "Blob") else { continue };
            if let Some(product) = certificate_of(&blob.value.bytes) {
                j.note(format!("A root certificate that names \"{product}\" is in {store}."));
                found.get_or_insert((
                    product,
                    blob.shows(format!("a root certificate that names \"{product}\"")),
                ));
            }
        }
    }
    found
}

/// The product that a stored certificate names: in its encoded form, or in the friendly name beside it.
fn certificate_of(blob: &[u8]) -> Option<&'static str> {
    product_in(&ascii(&property(blob, CERTIFICATE)?))
        .or_else(|| product_in(&ascii(&property(blob, FRIENDLY_NAME)?)))
}

fn product_in(text: &str) -> Option<&'static str> {
    PRODUCTS.into_iter().find(|product| text.contains(product))
}

/// `CERT_FRIENDLY_NAME_PROP_ID` and `CERT_CERT_PROP_ID`.
const FRIENDLY_NAME: u32 = 11;
const CERTIFICATE: u32 = 32;

/// A property of a serialised certificate as the registry keeps it: id, a word that is 1, length, data, one after the other.
fn property(blob: &[u8], wanted: u32) -> Option<Vec<u8>> {
    let mut rest = blob;
    loop {
        let (head, tail) = rest.split_at_checked(12)?;
        let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
        let (id, length) = (word(0)?, usize::try_from(word(8)?).ok()?);
        let (data, next) = tail.split_at_checked(length)?;
        if id == wanted {
            return Some(data.to_vec());
        }
        rest = next;
    }
}

/// Letters, digits and blanks in lower case, without the zeros of two-byte text; all else divides.
fn ascii(bytes: &[u8]) -> String {
    let plain = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { *byte } else { b'\n' };
    let text = bytes.iter().filter(|byte| **byte != 0).map(plain);
    text.map(|byte| char::from(byte).to_ascii_lowercase()).collect()
}

/// Answers that sign-in could not read, by themselves.
fn changed_answers(j: &Judgement, failures: &[Recorded]) {
    let documented = |failure: &&Recorded| {
        let undecodable = failure.source.starts_with("dsregcmd")
            && failure.code(|code| code.win32() == Some(UNDECODABLE)).is_some();
        undecodable || failure.code(|code| CHANGED.contains(&code.value()) || names_a_proxy(code)).is_some()
    };
    let unreadable = |failure: &&Recorded| failure.is_unreadable();
    if let Some(failure) = failures.iter().rfind(documented) {
        let summary = "The sign-in service's answer, or the request to it, was changed on the way, as a proxy does that opens connections.";
        j.warning(Confidence::Medium, summary, [failure.seen.clone()]);
    } else if let Some(failure) = failures.iter().rfind(unreadable) {
        let count = failures.iter().filter(unreadable).count();
        let summary = format!(
            "{count} answer(s) to sign-in could not be read: something on the way changes or replaces them."
        );
        j.warning(Confidence::Low, summary, [failure.seen.clone()]);
    }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "In a browser of the machine open https://login.microsoftonline.com and look at the certificate: its issuer names who opens the connection.",
            "Exclude the endpoint sets 56 and 59 and the hosts of Office licensing from inspection, in the proxy and in the machine's security product.",
            "Exclude them from authentication too, for services: device registration and licensing run without a user.",
            "Where inspection has to stay for other hosts: distribute the inspecting root to the machine's store by policy, not to single users.",
        ],
        "Certificate pinning and client certificates do not survive inspection: trusting the proxy's root is not enough for device registration.",
        "Take the exclusions back in the product.",
        "CAPI2/Operational shows chains of required hosts that lead to DigiCert or Microsoft; then try activation again.",
        &[
            "https://learn.microsoft.com/microsoft-365/enterprise/microsoft-365-network-connectivity-principles",
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-hybrid-join-windows-current",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A serialised certificate: properties of id, 1, length, data (wincrypt.h, the order of stored certificates).
    fn blob(properties: &[(u32, &[u8])]) -> Vec<u8> {
        let one = |(id, data): &(u32, &[u8])| {
            let head = [*id, 1, data.len() as u32].map(u32::to_le_bytes).concat();
            [head, data.to_vec()].concat()
        };
        properties.iter().flat_map(one).collect()
    }

    #[test]
    fn products_by_the_names_in_their_certificates() {
        let wide: Vec<u8> = "Kaspersky root".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(
            certificate_of(&blob(&[(3, b"hash"), (32, b"\x30\x82\x0cZscaler Root CA")])),
            Some("zscaler")
        );
        assert_eq!(certificate_of(&blob(&[(11, &wide), (32, b"\x30\x82")])), Some("kaspersky"));
        assert_eq!(certificate_of(&blob(&[(32, b"DigiCert Global Root G2")])), None);
    }

    #[test]
    fn damaged_blobs_name_nobody() {
        let whole = blob(&[(3, b"hash"), (32, b"Zscaler")]);
        for cut in 0..whole.len() {
            assert_eq!(certificate_of(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(certificate_of(&[0xff; 64]), None);
    }
}
