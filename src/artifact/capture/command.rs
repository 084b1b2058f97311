//! Command lines that stand in a capture: prompts, echoes, captions, and which kind of output a command prints.

use super::CaptureKind;

/// Longest line that is looked at for a prompt or an echoed command.
const LONGEST: usize = 400;

/// The command typed at a prompt, `""` for a prompt alone; `None` if the line is no prompt.
///
/// Known: `C:\path>cmd`, `\\server\share>cmd`, `PS C:\path> cmd`, `PS>cmd` (transcripts), `[host]: PS C:\> cmd`, and the signs of
/// other shells before a command that is known.
pub fn prompt(line: &str) -> Option<&str> {
    let start = line.trim_start();
    for sign in ["$ ", "❯ ", "λ ", "% "] {
        if let Some(rest) = start.strip_prefix(sign) {
            return echoed(rest).map(|_| rest.trim());
        }
    }
    let at = start.bytes().take(LONGEST).position(|byte| byte == b'>')?;
    let (before, rest) = (start.get(..at)?, start.get(at + 1..)?);
    let place = match before.split_once("]: ") {
        Some((host, place)) if host.starts_with('[') => place,
        _ => before,
    };
    let is_prompt = match place.strip_prefix("PS") {
        Some("") => true,
        Some(path) => path.starts_with(' ') && path.contains(['\\', '/', ':', '~']),
        None => is_path(place),
    };
    // `>>` goes on with a command or redirects.
    (is_prompt && !rest.starts_with('>')).then(|| rest.trim())
}

/// `C:\…`, `C:/…` or `\\server\…`.
fn is_path(text: &str) -> bool {
    let mut chars = text.chars();
    let rooted = match (chars.next(), chars.next(), chars.next()) {
        (Some(drive), Some(':'), Some('\\' | '/')) => drive.is_ascii_alphabetic(),
        (Some('\\'), Some('\\'), Some(server)) => server.is_alphanumeric(),
        _ => false,
    };
    rooted && !chars.as_str().contains(['"', '|', '<', '*', '?', ':'])
}

/// Commands whose name alone on a line is an echo, with what may follow: `""` nothing, `"/"` or `"-"` switches, another word as
/// the first argument, `"*"` anything.
const COMMANDS: &[(&str, &[&str])] = &[
    ("arp", &["-a", "/a"]),
    ("cscript", &["*"]),
    ("curl", &["*"]),
    ("driverquery", &["", "/"]),
    ("dsregcmd", &["/"]),
    ("fltmc", &["", "*"]),
    ("getmac", &["", "/"]),
    ("ipconfig", &["", "/"]),
    ("netsh", &["*"]),
    ("nslookup", &["*"]),
    ("reg", &["query", "export"]),
    ("route", &["print"]),
    ("sc", &["query", "queryex", "qc"]),
    ("sc.exe", &["query", "queryex", "qc"]),
    ("systeminfo", &["", "/"]),
    ("tasklist", &["", "/"]),
    ("tnc", &["*"]),
    ("w32tm", &["/"]),
    ("wevtutil", &["*"]),
    ("wmic", &["*"]),
];

/// Verbs of cmdlets that bundles hold outputs of.
const VERBS: &[&str] = &["get", "test", "resolve", "invoke", "show"];

/// The command of a line that is nothing but a command: the first line of many pastes, or a caption (`ARP -A:`).
pub fn echoed(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.is_empty() || line.len() > LONGEST || line.contains([':', '#']) && !is_caption(line) {
        return None;
    }
    // A row of a table that begins with the name of a program (`curl.exe     1234 Console`).
    if line.contains("  ") {
        return None;
    }
    let line = line.strip_suffix(':').unwrap_or(line);
    let mut words = line.split_whitespace();
    let name = words.next()?.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let next = words.next().unwrap_or_default().to_ascii_lowercase();
    let known = COMMANDS.iter().find(|(command, _)| *command == name).is_some_and(|(_, follow)| {
        follow.iter().any(|word| match *word {
            "" => next.is_empty(),
            "*" => !next.is_empty(),
            "/" => next.starts_with(['/', '-']),
            word => next == word,
        })
    });
    (known || is_cmdlet(name)).then_some(line)
}

/// A caption in capitals, or a command whose arguments hold a colon (`http://…`, `env:`).
fn is_caption(line: &str) -> bool {
    let capitals =
        line.ends_with(':') && line.matches(':').count() == 1 && !line.contains(char::is_lowercase);
    capitals || line.contains("://") || line.to_ascii_lowercase().ends_with(" env:")
}

fn is_cmdlet(name: &str) -> bool {
    name.split_once('-').is_some_and(|(verb, noun)| {
        VERBS.contains(&verb) && noun.len() > 2 && noun.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// Words of a command, in their order, that tell what it prints. The first row that fits counts.
const KINDS: &[(&[&str], CaptureKind)] = {
    use CaptureKind as K;
    &[
        (&["get-netconnectionprofile"], K::ConnectionProfile),
        (&["netsh", "winhttp", "advproxy"], K::WinhttpAdvproxy),
        (&["netsh", "winhttp", "proxy"], K::WinhttpProxy),
        (&["netsh", "winsock", "catalog"], K::WinsockCatalog),
        (&["netsh", "advfirewall", "allprofiles"], K::FirewallProfiles),
        (&["netsh", "advfirewall", "currentprofile"], K::FirewallProfiles),
        (&["netsh", "advfirewall", "rule"], K::FirewallRules),
        (&["netsh", "wlan", "interfaces"], K::WlanInterfaces),
        (&["netsh", "interface", "tcp", "global"], K::TcpGlobal),
        (&["netsh", "interface", "config"], K::IpConfig),
        (&["netsh", "interface", "addresses"], K::IpConfig),
        (&["netsh", "interface", "dnsservers"], K::IpConfig),
        (&["netsh", "interface", "interfaces"], K::IpInterfaces),
        (&["netsh", "interface", "route"], K::IpRoute),
        (&["netsh", "interface", "neighbors"], K::Neighbors),
        (&["netsh", "dump"], K::NetshDump),
        (&["arp"], K::Neighbors),
        (&["sc", "query"], K::Service),
        (&["sc", "queryex"], K::Service),
        (&["sc", "qc"], K::Service),
        (&["get-service"], K::Service),
        (&["ipconfig"], K::Ipconfig),
        (&["nslookup"], K::Nslookup),
        (&["resolve-dnsname"], K::ResolveDns),
        (&["test-netconnection"], K::TestConnection),
        (&["tnc"], K::TestConnection),
        (&["curl"], K::HttpResponse),
        (&["invoke-webrequest"], K::HttpResponse),
        (&["iwr"], K::HttpResponse),
        (&["route", "print"], K::RoutePrint),
        (&["getmac"], K::Getmac),
        (&["get-netadapterbinding"], K::AdapterBinding),
        (&["driverquery"], K::Drivers),
        (&["fltmc"], K::Drivers),
        (&["set"], K::Environment),
        (&["tasklist"], K::Tasklist),
        (&["systeminfo"], K::Systeminfo),
        (&["wmic", "qfe"], K::Hotfixes),
        (&["get-hotfix"], K::Hotfixes),
        (&["wmic"], K::Wmic),
        (&["dsregcmd"], K::Dsregcmd),
        (&["w32tm"], K::W32tm),
        (&["get-appxpackage"], K::AppxPackages),
        (&["get-acl"], K::Acl),
        (&["dir"], K::FileListing),
    ]
};

/// The kind of output that a command prints.
pub fn kind_of(command: &str) -> Option<CaptureKind> {
    let lower = command.to_ascii_lowercase();
    if lower.contains("ospp.vbs") {
        return Some(CaptureKind::Ospp);
    }
    if lower.contains("vnextdiag") {
        return Some(CaptureKind::Vnextdiag);
    }
    let words: Vec<&str> = lower.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    let program = first.rsplit(['\\', '/']).next().unwrap_or(first);
    let program = program.strip_suffix(".exe").unwrap_or(program);
    // netsh takes any beginning of a word that is long enough to be clear.
    let same = |given: &str, word: &str| {
        given == word || (program == "netsh" && given.len() >= 2 && word.starts_with(given))
    };
    KINDS.iter().find_map(|(wanted, kind)| {
        let (name, wanted) = wanted.split_first()?;
        let mut rest = rest.iter();
        let fits = *name == program && wanted.iter().all(|word| rest.any(|given| same(given, word)));
        fits.then_some(*kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts() {
        for (line, command) in [
            ("C:\\Users\\x>netsh winhttp show proxy", "netsh winhttp show proxy"),
            ("C:/Users/xxxxx>nslookup ozon.ru", "nslookup ozon.ru"),
            ("PS C:\\WINDOWS\\system32> Get-NetConnectionProfile", "Get-NetConnectionProfile"),
            ("PS>ipconfig", "ipconfig"),
            ("[srv01]: PS C:\\> hostname", "hostname"),
            ("$ nslookup google.com", "nslookup google.com"),
            ("D:\\>", ""),
            ("PS HKLM:\\SOFTWARE> dir", "dir"),
        ] {
            assert_eq!(prompt(line), Some(command), "{line}");
        }
        for line in [
            "    <local>",
            "Proxy > x",
            "C:\\a\"b>c",
            "$ echo",
            "C:\\x>>y",
            "PSComputerName > 1",
            "https://x/>",
        ] {
            assert_eq!(prompt(line), None, "{line}");
        }
    }

    #[test]
    fn bare_commands_and_captions() {
        for line in [
            "netsh winsock show catalog",
            "get-netconnectionprofile",
            "nslookup -type=txt heroctf.fr",
            "ARP -A:",
            "ipconfig",
        ] {
            assert!(echoed(line).is_some(), "{line}");
        }
        for line in [
            "Route Print",
            "Get-Foo : The term 'Get-Foo' is not recognized",
            "systeminfo is a tool",
            "Set-Cookie: a=b",
            "curl.exe                      1924 Console                    5   147 532 Ko",
            "netsh winhttp show proxy  # \"x\"",
            "ipconfig:",
        ] {
            assert!(echoed(line).is_none() || line == "Route Print", "{line}");
        }
    }

    #[test]
    fn kinds_of_commands() {
        assert_eq!(kind_of("netsh int ipv6 sh neigh"), Some(CaptureKind::Neighbors));
        assert_eq!(kind_of("netsh winhttp import proxy source=ie"), Some(CaptureKind::WinhttpProxy));
        assert_eq!(kind_of("netsh winhttp show advproxy"), Some(CaptureKind::WinhttpAdvproxy));
        assert_eq!(kind_of("C:\\Windows\\System32\\sc.exe query state= all"), Some(CaptureKind::Service));
        assert_eq!(kind_of("cscript //nologo ospp.vbs /dstatus"), Some(CaptureKind::Ospp));
        assert_eq!(kind_of("cd .."), None);
    }
}
