//! Certificate chains that the log of CAPI2 shows: which authority signed what a host sent.
//!
//! The log is off by default. 11 holds the chain that was built, leaf first; 30 holds the name that was asked for and the result; 90
//! holds every certificate with its issuer (domain.md 5.17; the shape is that of public listings of this log).

use serde_json::Value;

use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::Case;
use crate::checks::judgement::Observation;
use crate::evidence::Sourced;
use crate::evidence::events::Want;

/// The log.
pub const CHANNEL: &str = "Microsoft-Windows-CAPI2/Operational";
/// Chains built (11), checked against a policy (30), and their certificates (90).
pub const CHAINS: Want =
    Want { provider: "Microsoft-Windows-CAPI2", ids: &[11, 30, 90], channels: &[CHANNEL] };
/// How to get that log.
pub const COLLECT: &str = "wevtutil sl Microsoft-Windows-CAPI2/Operational /e:true, try activation again, then wevtutil epl Microsoft-Windows-CAPI2/Operational CAPI2.evtx";

/// The record with the built chain, and the one with every certificate.
const BUILT: u32 = 11;
const OBJECTS: u32 = 90;

/// Beginnings of the names of public authorities, in lower case: first those that sign Microsoft's hosts ("Azure Certificate Authority
/// details" and "Microsoft 365 encryption chains", learn.microsoft.com), then other operators of public roots in Microsoft's programme,
/// because a certificate of theirs is no sign of inspection. Names are whole enough that no inspection product has them.
const PUBLIC: [&str; 36] = [
    "digicert",
    "baltimore cybertrust",
    "globalsign",
    "verisign",
    "cybertrust",
    "entrust",
    "d-trust",
    "sectigo",
    "usertrust",
    "microsoft rsa",
    "microsoft ecc",
    "microsoft ev",
    "microsoft azure",
    "microsoft it",
    "microsoft tls",
    "microsoft secure server",
    "microsoft internet authority",
    "microsoft root certificate authority",
    "geotrust",
    "thawte",
    "rapidssl",
    "isrg root",
    "let's encrypt",
    "amazon rsa ",
    "amazon ecdsa ",
    "amazon root ca ",
    "starfield ",
    "go daddy ",
    "comodo rsa ",
    "comodo ecc ",
    "gts root ",
    "quovadis ",
    "identrust commercial",
    "certum trusted",
    "symantec class 3",
    "actalis authentication root",
];

/// Who signed a host's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// An authority that signs Microsoft's hosts.
    Public(String),
    /// Somebody else: the name at the far end of the chain.
    Foreign(String),
}

/// What one record says of one host.
pub struct Chain<'e> {
    /// The record.
    pub event: Sourced<&'e Event>,
    /// The name that was asked for, or that stands in the certificate.
    pub host: String,
    /// Who signed it; `None` where the record does not tell.
    pub signer: Option<Signer>,
    /// The result.
    pub result: Option<ErrorCode>,
}

impl Chain<'_> {
    /// As evidence.
    pub fn seen(&self) -> Observation {
        let by = match &self.signer {
            Some(Signer::Public(name) | Signer::Foreign(name)) => format!(", signed by {name}"),
            None => String::new(),
        };
        let result = self.result.map(|code| format!(", result {code}")).unwrap_or_default();
        self.event.shows(format!("CAPI2 {}: {}{by}{result}", self.event.value.event_id, self.host))
    }
}

/// What the log shows inside the failure window, oldest first.
pub fn chains<'e>(case: &Case<'e>) -> Vec<Chain<'e>> {
    let of_event = |event: Sourced<&'e Event>| {
        let value = event.value;
        let result = value.attribute("Result", "value").and_then(hex);
        let hosts = match (&value.user_data, value.event_id) {
            (None, _) => Vec::new(),
            (Some(tree), BUILT) => built(tree).into_iter().collect(),
            (Some(tree), OBJECTS) => objects(tree),
            (Some(_), _) => {
                let asked = value.attribute("SSLAdditionalPolicyInfo", "serverName");
                let host = asked.or_else(|| value.attribute("Certificate", "subjectName"));
                host.map(|host| (host.to_owned(), None)).into_iter().collect()
            }
        };
        hosts
            .into_iter()
            .map(|(host, signer)| Chain { event: event.clone(), host: host.to_lowercase(), signer, result })
            .collect::<Vec<_>>()
    };
    case.events(CHAINS).into_iter().flat_map(of_event).collect()
}

/// The results stand in hexadecimal without a mark (`800B0109`, `0`).
fn hex(text: &str) -> Option<ErrorCode> {
    let digits = text.trim().trim_start_matches("0x");
    u32::from_str_radix(digits, 16).ok().map(ErrorCode::from_value)
}

/// One element or several of the same name.
fn each(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

fn subject(certificate: &Value) -> Option<&str> {
    certificate.get("@subjectName")?.as_str()
}

/// The chain of 11: the certificate that was asked about, and those of the chain elements in their order. The additional store, which
/// stands beside them, is only what the host sent along.
fn built(tree: &Value) -> Option<(String, Option<Signer>)> {
    let root = tree.get("CertGetCertificateChain")?;
    let host = each(root.get("Certificate")).iter().find_map(subject)?;
    let chains = each(root.get("CertificateChain"));
    let elements = chains.iter().flat_map(|chain| each(chain.get("ChainElement")));
    let names: Vec<&str> =
        elements.flat_map(|element| each(element.get("Certificate"))).filter_map(subject).collect();
    Some((host.to_owned(), signer(names.get(1..).unwrap_or_default())))
}

/// The certificates of 90 with their issuers.
fn objects(tree: &Value) -> Vec<(String, Option<Signer>)> {
    let certificates = each(tree.get("X509Objects").and_then(|root| root.get("Certificate"))).iter();
    let issued = |certificate: &Value| {
        let issuer = certificate.get("Issuer")?;
        let name = ["CN", "O", "OU"].iter().find_map(|part| {
            each(issuer.get(*part)).iter().find_map(|name| name.get("#text").unwrap_or(name).as_str())
        })?;
        Some((subject(certificate)?.to_owned(), signer(&[name])))
    };
    certificates.filter_map(issued).collect()
}

/// Who is behind a row of issuers, the nearest first. One known authority anywhere in it is enough. Some records write the name with its
/// type in front (`CN=DigiCert …`).
fn signer(issuers: &[&str]) -> Option<Signer> {
    let known = |name: &&&str| {
        let name = name.trim().to_lowercase();
        let name = name.strip_prefix("cn=").unwrap_or(&name);
        PUBLIC.iter().any(|public| name.starts_with(public))
    };
    match issuers.iter().find(known) {
        Some(name) => Some(Signer::Public((*name).to_owned())),
        None => issuers.last().map(|name| Signer::Foreign((*name).to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_chain_and_not_the_additional_store() {
        // The shape of a public listing of this log: Certificate, AdditionalStore, CertificateChain/ChainElement/Certificate.
        let tree = json!({"CertGetCertificateChain": {
            "Certificate": {"@fileRef": "a.cer", "@subjectName": "login.microsoftonline.com"},
            "AdditionalStore": {"Certificate": [{"@subjectName": "DigiCert SHA2 Secure Server CA"}]},
            "CertificateChain": {"ChainElement": [
                {"Certificate": {"@subjectName": "login.microsoftonline.com"}},
                {"Certificate": {"@subjectName": "Contoso Inspection CA"}},
                {"Certificate": {"@subjectName": "Contoso Root"}},
            ]},
            "Result": {"@value": "0"},
        }});
        let expected =
            ("login.microsoftonline.com".to_owned(), Some(Signer::Foreign("Contoso Root".to_owned())));
        assert_eq!(built(&tree), Some(expected));
    }

    #[test]
    fn a_chain_of_one_tells_nothing() {
        let tree = json!({"CertGetCertificateChain": {
            "Certificate": {"@subjectName": "x"},
            "CertificateChain": {"ChainElement": {"Certificate": {"@subjectName": "x"}}},
        }});
        assert_eq!(built(&tree), Some(("x".to_owned(), None)));
    }

    #[test]
    fn issuers_of_the_certificates_of_90() {
        let tree = json!({"X509Objects": {"Certificate": [
            {"@subjectName": "r.bing.com", "Issuer": {"CN": "Microsoft RSA TLS CA 01", "O": "Microsoft Corporation"}},
            {"@subjectName": "ols.officeapps.live.com", "Issuer": {"CN": {"#text": "Zscaler Intermediate"}}},
            {"@subjectName": "no issuer"},
        ]}});
        let expected = [
            ("r.bing.com".to_owned(), Some(Signer::Public("Microsoft RSA TLS CA 01".to_owned()))),
            ("ols.officeapps.live.com".to_owned(), Some(Signer::Foreign("Zscaler Intermediate".to_owned()))),
        ];
        assert_eq!(objects(&tree), expected);
    }

    #[test]
    fn names_of_public_authorities() {
        let public = |name: &str| matches!(signer(&[name]), Some(Signer::Public(_)));
        assert!(public("DigiCert Global Root G2") && public("Microsoft Azure RSA TLS Issuing CA 03"));
        assert!(public("CN=DigiCert Global G2 TLS RSA SHA256 2020 CA1") && public("GeoTrust TLS RSA CA G1"));
        // The short names of Let's Encrypt say nothing by themselves; its root does.
        assert!(!public("R3") && matches!(signer(&["R3", "ISRG Root X1"]), Some(Signer::Public(_))));
        assert!(!public("CN=Contoso Inspection CA") && !public("Comodo Internet Security"));
        assert!(!public("Microsoft Forefront TMG HTTPS Inspection") && !public("My DigiCert"));
    }
}
