//! What the input names, collected from the plain dumps by a reader of its own, which shares nothing with the redactor under test.

use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use actriage::checks::CHECKS;
use serde_json::Value;

/// Accounts, authorities and names of every Windows; addresses that Windows or everybody uses.
const PUBLIC: &[&str] = &[
    "public",
    "default",
    "administrator",
    "guest",
    "gast",
    "system",
    "localservice",
    "networkservice",
    "systemprofile",
    "local service",
    "network service",
    "localhost",
    "localdomain",
    "mshome.net",
    "anonymous logon",
    "defaultaccount",
    "wdagutilityaccount",
    "defaultuser0",
    "workgroup",
    "all users",
    "default user",
    "everyone",
    "defaultapppool",
    "nt authority",
    "nt-autorität",
    "nt service",
    "nt virtual machine",
    "builtin",
    "window manager",
    "font driver host",
    "azuread",
    "microsoftaccount",
];

static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let text: String = CHECKS.iter().map(|check| check.doc() + check.title + "\n").collect();
    let more = "test admin user office desktop laptop windows pc root vpn dat ntuser config server client host name www software version local domain home";
    let words = text.split(|c: char| !c.is_alphanumeric()).chain(more.split(' '));
    words.map(str::to_lowercase).collect()
});

/// A name that is no ordinary word and belongs to somebody.
fn personal(name: &str) -> Option<String> {
    let name = name.trim().trim_end_matches('$').to_lowercase();
    let mut parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let word = parts.all(|part| WORDS.contains(part) || part.bytes().all(|b| b.is_ascii_digit()));
    let made_up =
        name.starts_with("umfd-") || name.starts_with("dwm-") || name.contains(['%', '@', '\\', '/', '*']);
    let short = name.chars().filter(|c| c.is_alphanumeric()).count() < 3;
    (!short && !word && !made_up && !PUBLIC.contains(&name.as_str())).then_some(name)
}

/// Names, SIDs and addresses of a machine and its people, in lower case.
#[derive(Default)]
pub struct Names(pub BTreeSet<String>);

impl Names {
    fn name(&mut self, name: &str) {
        self.0.extend(personal(name));
    }

    /// A domain, in either form, or a list of DNS suffixes.
    fn domain(&mut self, domain: &str) {
        for one in domain.split([',', ' ']).map(|one| one.trim_end_matches('.')) {
            let labels = one.split('.').filter(|label| !label.is_empty()).count();
            let ends_in_letters =
                one.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_alphabetic()));
            if labels < 2 && !domain.contains(' ') {
                self.name(one);
            } else if labels > 1 && ends_in_letters && !PUBLIC.contains(&one.to_lowercase().as_str()) {
                self.0.insert(one.to_lowercase());
            }
        }
    }

    /// A computer, maybe with its domain.
    fn computer(&mut self, name: &str) {
        let (host, domain) = name.split_once('.').unwrap_or((name, ""));
        self.name(host.trim_start_matches('\\'));
        if !domain.is_empty() && host.parse::<u8>().is_err() {
            self.domain(domain);
        }
    }

    /// An account, maybe behind its domain or in the path of its profile.
    fn account(&mut self, text: &str) {
        self.name(text.rsplit('\\').next().unwrap_or_default());
    }

    /// SIDs, mail addresses, hardware addresses and profile folders have forms of their own, wherever they stand.
    pub fn forms(&mut self, text: &str) {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':');
        for token in text.split(|c| !word(c)).filter(|token| token.len() > 4) {
            self.sid(token);
            self.mail(token);
            self.hardware(token);
        }
        let lower = text.to_lowercase();
        for mark in ["\\users\\", "/users/", "\\documents and settings\\"] {
            for rest in lower.split(mark).skip(1) {
                if let Some((folder, _)) = rest.split_once(['\\', '/']) {
                    self.name(folder);
                }
            }
        }
    }

    fn sid(&mut self, token: &str) {
        let Some(at) = token.find("S-1-5-21-").or_else(|| token.find("S-1-12-1-")) else { return };
        let digits = token[at + 2..]
            .find(|c: char| c != '-' && !c.is_ascii_digit())
            .map_or(token.len(), |end| at + 2 + end);
        let sid = token[at..digits].trim_end_matches('-');
        if sid.split('-').count() >= 7 && !sid.contains("-21-0-0-0") {
            self.0.insert(sid.to_lowercase());
        }
    }

    fn mail(&mut self, token: &str) {
        const FILES: [&str; 8] = ["dll", "exe", "sys", "inf", "mui", "cpl", "ocx", "drv"];
        if let Some((user, domain)) = token.split_once('@')
            && let Some((_, top)) = domain.trim_end_matches('.').rsplit_once('.')
            && !user.is_empty()
            && (2..=12).contains(&top.len())
            && top.bytes().all(|b| b.is_ascii_alphabetic())
            && !FILES.contains(&top.to_lowercase().as_str())
            && !domain.contains(':')
            && !user.contains(':')
        {
            self.0.insert(token.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_lowercase());
        }
    }

    /// An address in pairs is looked for with both separators, in fours and without any.
    fn hardware(&mut self, token: &str) {
        let pairs: Vec<&str> = token.split(['-', ':']).collect();
        let good = pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()));
        if pairs.len() == 6 && good {
            self.mac(&pairs.concat());
        }
    }

    fn mac(&mut self, digits: &str) {
        let digits = digits.to_lowercase();
        let group = ["000000000000", "ffffffffffff", "01005e", "3333"];
        if digits.len() != 12 || group.iter().any(|head| digits.starts_with(head)) {
            return;
        }
        let parts = |size: usize, mark: &str| -> String {
            let parts: Vec<&str> = (0..12).step_by(size).map(|at| &digits[at..at + size]).collect();
            parts.join(mark)
        };
        self.0.extend([parts(2, "-"), parts(2, ":"), parts(4, "."), digits.clone()]);
    }

    /// `own`: the field holds an address of this machine or of its network, so public ones count too.
    fn addresses(&mut self, text: &str, own: bool) {
        for token in text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':'))) {
            let found = match (token.parse::<Ipv4Addr>(), token.parse::<Ipv6Addr>()) {
                (Ok(v4), _) => {
                    let mask = v4.to_bits().leading_ones() + v4.to_bits().trailing_zeros() >= 32;
                    let nobody = mask || v4.is_loopback() || v4.octets()[0] == 0 || v4.is_multicast();
                    v4.is_private() || v4.is_link_local() || (own && !nobody)
                }
                (_, Ok(v6)) => {
                    let nobody = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
                    v6.is_unicast_link_local() || (own && !nobody)
                }
                _ => false,
            };
            if found {
                self.0.insert(token.to_lowercase());
            }
        }
    }

    /// A string of an event or a command output under its name.
    fn field(&mut self, key: &str, text: &str) {
        self.forms(text);
        match key {
            "subjectusername"
            | "targetusername"
            | "username"
            | "useraccount"
            | "executingaccountname"
            | "registeredowner" => self.account(text),
            // With a dot it is a server that was asked.
            "hostname" | "workstationname" | "workstation" | "computername" | "dnshostname"
                if !text.contains('.') =>
            {
                self.computer(text);
            }
            "targetdomainname"
            | "subjectdomainname"
            | "domain"
            | "nvdomain"
            | "domainname"
            | "dnssuffix"
            | "primarydnssuffix"
            | "connectionspecificdnssuffix"
            | "machinedomain" => self.domain(text),
            "ssid" => self.name(text),
            _ => {}
        }
        const OWN: [&str; 8] = [
            "ipaddress",
            "ipv4address",
            "ipv6address",
            "linklocalipv6address",
            "temporaryipv6address",
            "defaultgateway",
            "dhcpserver",
            "clientaddress",
        ];
        if OWN.contains(&key) {
            self.addresses(text, true);
        } else if key.contains("address") || key.contains("gateway") || key.contains("dnsserver") {
            self.addresses(text, false);
        }
    }

    fn tree(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(text) => self.field(key, text),
            Value::Array(items) => items.iter().for_each(|item| self.tree(key, item)),
            Value::Object(map) => {
                let folded = |key: &String| key.to_lowercase().replace(['_', ' '], "");
                for (inner, item) in map {
                    let inner = folded(inner);
                    // Local groups that every Windows has (S-1-5-32-551 is Backup Operators) are nobody's name.
                    let sid = inner.strip_suffix("username").and_then(|role| {
                        map.iter().find(|(key, _)| {
                            [format!("{role}sid"), format!("{role}usersid")].contains(&folded(key))
                        })
                    });
                    if sid
                        .is_some_and(|(_, sid)| sid.as_str().is_some_and(|sid| sid.starts_with("S-1-5-32-")))
                    {
                        continue;
                    }
                    self.tree(if inner == "value" { key } else { &inner }, item);
                }
            }
            _ => {}
        }
    }

    fn registry(&mut self, key: &str, value: &str, data: &Value) {
        self.forms(key);
        let texts: Vec<&str> = match data {
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        let value = value.to_lowercase();
        for text in texts {
            self.forms(text);
            match value.as_str() {
                "profileimagepath"
                | "defaultusername"
                | "lastusedusername"
                | "lastloggedonuser"
                | "lastloggedonsamuser" => {
                    self.account(text);
                }
                "computername" if key.contains(r"\Control\ComputerName\") => self.computer(text),
                "hostname" | "nv hostname" if key.ends_with(r"\Tcpip\Parameters") => self.computer(text),
                "domain" | "nv domain" | "dhcpdomain" if key.contains(r"\Tcpip\Parameters") => {
                    self.domain(text)
                }
                "machinedomain" | "defaultdomainname" => self.domain(text),
                "defaultgatewaymac" => self.mac(text),
                "ipaddress" | "dhcpipaddress" | "defaultgateway" | "dhcpdefaultgateway" | "dhcpserver" => {
                    self.addresses(text, true);
                }
                "nameserver" | "dhcpnameserver" => self.addresses(text, false),
                _ => {}
            }
        }
        if let Some((_, account)) = key.split_once(r"\Account\Users\Names\") {
            self.name(account);
        }
    }

    /// Takes in a row of a dump.
    pub fn row(&mut self, row: &Value) {
        let cell = |name: &str| row[name].as_str().unwrap_or_default();
        // `Users/anna/NTUSER.DAT`: whose profile it is.
        if let Some((_, rest)) = cell("artifact").split_once("Users/")
            && let Some((user, _)) = rest.split_once('/')
        {
            self.name(user);
        }
        if row.get("record_id").is_some() {
            self.computer(cell("computer"));
            self.tree("", row);
        } else if row.get("hive_key").is_some() && row.get("value").is_some() {
            self.registry(cell("key"), cell("value"), &row["data"]);
        } else {
            self.tree("", row);
        }
    }

    /// Those that stand as whole words in an output, each with what stands around it first.
    pub fn left_in(&self, output: &str) -> Vec<String> {
        let word = |text: &str| text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        let mut by_first: HashMap<&str, Vec<&str>> = HashMap::new();
        for name in &self.0 {
            let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
            by_first.entry(&name[..word(name)]).or_default().push(name);
        }
        let lower = output.to_lowercase();
        let mut left: HashMap<&str, String> = HashMap::new();
        let mut at = 0;
        while let Some(gap) = lower[at..].find(char::is_alphanumeric) {
            at += gap;
            let rest = &lower[at..];
            let end = word(rest);
            for name in
                by_first.get(&rest[..end]).into_iter().flatten().filter(|name| rest.starts_with(**name))
            {
                let mut after = rest[name.len()..].chars();
                let next = after.next();
                // 10.0.0.1 does not stand in 10.0.0.1.5, nor in a version.
                let chain = next == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
                if !next.is_some_and(char::is_alphanumeric) && !chain {
                    let before: String =
                        lower[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
                    let near: String = rest.chars().take(100).collect();
                    left.entry(name).or_insert_with(|| format!("{name} in …{before}{near}…"));
                }
            }
            at += end;
        }
        let mut left: Vec<String> = left.into_values().collect();
        left.sort();
        left
    }
}

#[test]
fn the_collector_finds_what_it_looks_for() {
    let mut names = Names::default();
    names.row(&serde_json::json!({"record_id": 1, "computer": "PC17.contoso.com", "artifact": "logs/a.evtx", "data": {
        "TargetUserName": "Backup Operators", "TargetSid": "S-1-5-32-551", "SubjectUserName": "mmiller", "SubjectDomainName": "CONTOSO",
        "SubjectUserSid": "S-1-5-21-1-2-3-1001", "IpAddress": "203.0.113.9", "Path": "C:\\Users\\Otto\\x", "Mac": "00-15-5D-01-02-03"}}));
    let found: Vec<&str> = names.0.iter().map(String::as_str).collect();
    let wanted = [
        "00-15-5d-01-02-03",
        "0015.5d01.0203",
        "00155d010203",
        "00:15:5d:01:02:03",
        "203.0.113.9",
        "contoso",
        "contoso.com",
        "mmiller",
        "otto",
        "pc17",
        "s-1-5-21-1-2-3-1001",
    ];
    assert_eq!(found, wanted);
    assert_eq!(names.left_in("pc170 10.PC17.x CONTOSO-x OTTO").len(), 3);
    assert_eq!(names.left_in("203.0.113.9.1 ottos S-1-5-21-1-2-3-10010"), Vec::<String>::new());
}
