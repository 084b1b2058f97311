//! What kind of personal thing a value is, told by the name of the field that it stands in.
//!
//! Registry values, event fields and the fields of command outputs are named alike ("ComputerName", "computer_name", "Computer Name"), so
//! one table serves all of them; names are compared without case, blanks and punctuation.

/// A kind of personal value; each has its own row of pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person: account name, display name, local part of a mail address. `USER-1`
    User,
    /// A computer. `PC-1`
    Computer,
    /// A domain by its NetBIOS name, an organisation. `DOMAIN-1`
    Domain,
    /// A DNS domain. `domain1.example`
    DnsDomain,
    /// An SSID or the name of a network. `NETWORK-1`
    Network,
    /// A tenant. `TENANT-1`
    Tenant,
    /// A device, a machine, an object of the directory. `DEVICE-1`
    Device,
    /// An IP address. `IP-1`
    Address,
    /// A link-local or self-assigned IP address: that it is one matters. `IP-LINK-LOCAL-1`
    LinkLocal,
    /// A hardware address. `MAC-1`
    Mac,
    /// The issuing authority of SIDs: machine, domain or tenant account. `S-1-5-21-REDACTED-1`
    Authority,
}

impl Kind {
    /// The pseudonym with a number.
    pub fn pseudonym(self, number: u32) -> String {
        match self {
            Self::DnsDomain => format!("domain{number}.example"),
            Self::Authority => format!("REDACTED-{number}"),
            _ => format!("{}-{number}", self.prefix()),
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Computer => "PC",
            Self::Domain | Self::DnsDomain => "DOMAIN",
            Self::Network => "NETWORK",
            Self::Tenant => "TENANT",
            Self::Device => "DEVICE",
            Self::Address => "IP",
            Self::LinkLocal => "IP-LINK-LOCAL",
            Self::Mac => "MAC",
            Self::Authority => "REDACTED",
        }
    }
}

/// Whether a text is a pseudonym already.
pub fn is_pseudonym(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let lower = text.to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("domain").and_then(|rest| rest.strip_suffix(".example")) {
        return digits(rest);
    }
    const PREFIXES: [&str; 10] =
        ["user", "pc", "domain", "network", "tenant", "device", "ip", "ip-link-local", "mac", "redacted"];
    lower.rsplit_once('-').is_some_and(|(head, tail)| digits(tail) && PREFIXES.contains(&head))
        || lower.strip_prefix("user").is_some_and(digits)
}

/// Names of fields, without case, blanks and punctuation.
const FIELDS: &[(Kind, &[&str])] = &[
    (
        Kind::User,
        &[
            "account",
            "accountname",
            "altdefaultusername",
            "callerusername",
            "clientusername",
            "defaultusername",
            "emailaddress",
            "installedby",
            "lastloggedondisplayname",
            "lastloggedonsamuser",
            "lastloggedonuser",
            "lastusedusername",
            "loggedonuser",
            "loggedonusername",
            "logonusername",
            "mail",
            "objectname",
            "profileimagepath",
            "registeredowner",
            "requestedusername",
            "samaccountname",
            "signinname",
            "subjectusername",
            "targetusername",
            "upn",
            "user",
            "useraccount",
            "useremail",
            "username",
            "userprincipalname",
        ],
    ),
    (
        Kind::Computer,
        &[
            "clientname",
            "computer",
            "computername",
            "csname",
            "dcname",
            "dnshostname",
            "domaincontroller",
            "domaincontrollername",
            "host",
            "hostname",
            "logonserver",
            "machinename",
            "nvhostname",
            "systemname",
            "workstation",
            "workstationname",
        ],
    ),
    (
        Kind::Domain,
        &[
            "altdefaultdomainname",
            "cacheprimarydomain",
            "connectionspecificdnssuffix",
            "defaultdomainname",
            "dhcpdomain",
            "dnsdomain",
            "dnsdomainname",
            "dnsforestname",
            "dnssuffix",
            "domain",
            "domainname",
            "dynamicsitename",
            "icsdomain",
            "logondomain",
            "machinedomain",
            "nvdomain",
            "primarydnssuffix",
            "primarydomainname",
            "registeredorganization",
            "registeredorganisation",
            "searchlist",
            "sitename",
            "subjectdomainname",
            "targetdomainname",
            "tenantname",
            "userdnsdomain",
            "userdomain",
            "userdomainroamingprofile",
            "workplacetenantname",
        ],
    ),
    (Kind::Network, &["connectionssid", "firstnetwork", "networkname", "peerssid", "ssid", "wlanssid"]),
    (
        Kind::Tenant,
        &[
            "aadtenantid",
            "devicetenantid",
            "hometenantid",
            "idptenantid",
            "tenant",
            "tenantid",
            "tid",
            "workplacetenantid",
        ],
    ),
    (
        Kind::Device,
        &[
            "clientmachineid",
            "cmid",
            "deviceid",
            "deviceobjectid",
            "hardwareid",
            "machineguid",
            "machineid",
            "machineidentifier",
            "objectid",
            "oid",
            "susclientid",
            "thumbprint",
            "userid",
            "userobjectid",
            "workplacedeviceid",
            "workplacethumbprint",
        ],
    ),
    (Kind::Mac, &["defaultgatewaymac", "macaddress", "networkaddress", "physicaladdress"]),
];

/// Lower-case letters and digits of a field's name.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The kind of value that stands in a field.
pub fn of_field(name: &str) -> Option<Kind> {
    let name = folded(name);
    FIELDS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_every_spelling() {
        for name in ["ComputerName", "computer_name", "Computer Name"] {
            assert_eq!(of_field(name), Some(Kind::Computer));
        }
        assert_eq!(of_field("full_name"), None);
    }

    #[test]
    fn a_pseudonym_is_known_as_one() {
        for kind in [Kind::User, Kind::DnsDomain, Kind::LinkLocal, Kind::Mac, Kind::Authority] {
            assert!(is_pseudonym(&kind.pseudonym(12)), "{kind:?}");
        }
        assert!(!is_pseudonym("USER-x") && !is_pseudonym("LAPTOP-1") && !is_pseudonym("-1"));
    }
}
