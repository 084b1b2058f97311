//! Hosts that activation needs, with what each is for.

use std::sync::LazyLock;

/// What kind of host it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// One of the article's twenty addresses.
    Required,
    /// Sign-in and identity (sets 56 and 59).
    Identity,
    /// Further Office services (sets 35, 46, 53, 184).
    Office,
    /// Internet probe of Windows.
    Probe,
    /// Revocation.
    Revocation,
    /// Root certificates on demand.
    RootUpdate,
    /// Time.
    Time,
    /// Personal accounts (R64): counts only where a consumer product is in evidence.
    Consumer,
    /// The target of the MSOID record of 21Vianet.
    MsoidTarget,
    /// Anything else in the table.
    Other,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// Host name, or `*.suffix`.
    pub host: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Its kind.
    pub class: Class,
}

/// Every row of the table.
pub static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |index: usize| cells.get(index).copied().unwrap_or_default();
        Endpoint { host: cell(0), purpose: cell(1), class: class(cell(5)) }
    };
    include_str!("endpoints.tsv").lines().skip(1).map(row).collect()
});

fn class(text: &str) -> Class {
    match text {
        "required20" => Class::Required,
        "endpoint-set-56" | "endpoint-set-59" => Class::Identity,
        "endpoint-set-35" | "endpoint-set-46" | "endpoint-set-53" | "endpoint-set-184" => Class::Office,
        "ncsi" => Class::Probe,
        "crl" => Class::Revocation,
        "root-update" => Class::RootUpdate,
        "time" => Class::Time,
        "consumer" => Class::Consumer,
        "msoid-bad-target" => Class::MsoidTarget,
        _ => Class::Other,
    }
}

/// Every row that covers a host, exact ones before wildcards.
pub fn covering(host: &str) -> impl Iterator<Item = &'static Endpoint> {
    let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
    let name = host.clone();
    let exact = move |endpoint: &&Endpoint| endpoint.host.eq_ignore_ascii_case(&name);
    let suffix = move |endpoint: &&Endpoint| {
        endpoint.host.strip_prefix('*').is_some_and(|suffix| host.ends_with(&suffix.to_ascii_lowercase()))
    };
    ENDPOINTS.iter().filter(exact).chain(ENDPOINTS.iter().filter(suffix))
}

/// The row that covers a host: an exact one before a wildcard.
pub fn find(host: &str) -> Option<&'static Endpoint> {
    covering(host).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_addresses_are_seventeen_hosts() {
        // domain.md section 10, trap 21.
        let required: Vec<&Endpoint> = ENDPOINTS.iter().filter(|e| e.class == Class::Required).collect();
        assert_eq!(required.len(), 20);
        let mut hosts: Vec<String> = required.iter().map(|e| e.host.to_ascii_lowercase()).collect();
        hosts.sort();
        hosts.dedup();
        assert_eq!(hosts.len(), 17);
    }

    #[test]
    fn a_wildcard_covers_what_is_below_it() {
        assert_eq!(find("LOGIN.microsoftonline.com").unwrap().class, Class::Required);
        assert_eq!(find("x.y.msauth.net").unwrap().host, "*.msauth.net");
        assert!(find("msauth.net.example").is_none() && find("microsoft.com").is_none());
    }
}
