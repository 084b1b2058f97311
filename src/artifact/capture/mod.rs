//! Outputs of commands, each kind with its own reader, recognised by content and never by name.
//!
//! A file can hold several outputs. [`read`] cuts it into blocks at prompts, echoed commands and the places where a reader says
//! that its output begins, lets every reader score each block, and gives it to the best. One file a kind; the table below is the
//! only place that lists them.

pub mod acl;
pub mod adapter_binding;
pub mod appended;
pub mod appx_packages;
pub mod command;
pub mod connection_profile;
pub mod drivers;
pub mod dsregcmd;
pub mod environment;
pub mod file_listing;
pub mod firewall_log;
pub mod firewall_profiles;
pub mod firewall_rules;
pub mod getmac;
pub mod hosts;
pub mod hotfixes;
pub mod http_response;
pub mod ip_config;
pub mod ip_interfaces;
pub mod ip_route;
pub mod ipconfig;
pub mod neighbors;
mod netsh;
pub mod netsh_dump;
pub mod nslookup;
pub mod office_licence;
pub mod ospp;
pub mod paste;
pub mod probe_body;
pub mod resolve_dns;
pub mod route_print;
pub mod service;
pub mod shape;
pub mod split;
pub mod systeminfo;
pub mod tasklist;
pub mod tcp_global;
pub mod test_connection;
pub mod vnextdiag;
pub mod w32tm;
pub mod winhttp_advproxy;
pub mod winhttp_proxy;
pub mod winsock_catalog;
pub mod wlan_interfaces;
pub mod wmic;

use serde::Serialize;

use super::text::Text;

/// How far a capture could be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureStatus {
    /// Everything that matters was read.
    Parsed,
    /// Something was read and something was not; `reason` says what.
    Partial,
    /// The command printed an error instead of its output: the state is unknown.
    ErrorOutput,
    /// The command printed nothing.
    Empty,
    /// The kind is known, the content is not understood.
    Unrecognized,
}

/// One command output.
#[derive(Clone, Debug)]
pub struct Capture {
    /// First line, 1-based.
    pub line_from: u32,
    /// Last line, inclusive.
    pub line_to: u32,
    /// Which command it is.
    pub kind: CaptureKind,
    /// Encoding of the file it stands in.
    pub encoding: String,
    /// BCP 47 language of the labels; `None` if it cannot be told.
    pub language: Option<String>,
    /// How far it was understood.
    pub status: CaptureStatus,
    /// Why it is not `parsed`.
    pub reason: Option<String>,
    /// The typed content.
    pub data: CaptureData,
}

/// A run of lines of a decoded file that holds one command output.
#[derive(Clone, Copy, Debug)]
pub struct Block<'t> {
    /// The file.
    pub text: &'t Text,
    /// First line, 1-based.
    pub from: u32,
    /// Last line, inclusive.
    pub to: u32,
    /// The command line that was echoed above the block, if there was one.
    pub command: Option<&'t str>,
}

impl<'t> Block<'t> {
    /// A block over all lines of a file.
    pub fn whole(text: &'t Text) -> Self {
        Self { text, from: 1, to: text.line_count(), command: None }
    }

    /// The first lines of a long block, by which it is recognised: what it is shows at its beginning, however long it is.
    pub fn head(&self) -> Self {
        const LINES: u32 = 20_000;
        Self { to: self.to.min(self.from.saturating_add(LINES)), ..*self }
    }

    /// The lines with their numbers in the file.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (u32, &'t str)> + use<'t> {
        let text = self.text;
        (self.from..=self.to).map(move |number| (number, text.line(number)))
    }
}

/// What a reader made of a block.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How far it was understood.
    pub status: CaptureStatus,
    /// Why it is not `parsed`; required for every other status.
    pub reason: Option<String>,
    /// BCP 47 language of the labels; `None` if it cannot be told or the output is never localised.
    pub language: Option<String>,
    /// The typed content.
    pub data: CaptureData,
}

/// A reader of one kind of capture.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The kind that it reads.
    pub kind: CaptureKind,
    /// How surely a block is this command's output: 0 no, 100 certainly. Must be linear in the block's length.
    pub recognise: fn(&Block<'_>) -> u8,
    /// Whether a line is where this command's output begins, for cutting files that hold several outputs. Most readers say no
    /// (a plain `|_| false`), because a prompt or a blank line does the cutting.
    pub starts: fn(&str) -> bool,
    /// Reads a block that was recognised. Never panics and never guesses.
    pub read: fn(&Block<'_>) -> Reading,
}

macro_rules! kinds {
    ($($variant:ident, $module:ident, $name:literal, $doc:literal;)+) => {
        /// Which command a capture is the output of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CaptureKind {
            $(#[doc = $doc] $variant,)+
            /// Text that no reader knows.
            Unknown,
        }

        impl CaptureKind {
            /// The kind's name in dumps and locators.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown => "unknown",
                }
            }

            /// The kind of a name in dumps.
            pub fn by_name(name: &str) -> Option<Self> {
                READERS.iter().map(|reader| reader.kind).find(|kind| kind.name() == name)
            }
        }

        /// The typed content of a capture.
        #[derive(Clone, Debug, Serialize)]
        #[serde(untagged)]
        #[allow(clippy::large_enum_variant, reason = "a bundle holds dozens of captures, each in a box of its own")]
        pub enum CaptureData {
            $(#[doc = $doc] $variant($module::Data),)+
            /// Nothing could be read.
            Nothing,
        }

        /// All readers.
        pub const READERS: &[Reader] = &[$($module::READER,)+];
    };
}

kinds! {
    ConnectionProfile, connection_profile, "connection-profile", "`Get-NetConnectionProfile`.";
    WinhttpProxy, winhttp_proxy, "winhttp-proxy", "`netsh winhttp show proxy`.";
    WinhttpAdvproxy, winhttp_advproxy, "winhttp-advproxy", "`netsh winhttp show advproxy`.";
    WinsockCatalog, winsock_catalog, "winsock-catalog", "`netsh winsock show catalog`.";
    Service, service, "service", "`sc query`, `sc queryex`, `sc qc` and `Get-Service`.";
    Ipconfig, ipconfig, "ipconfig", "`ipconfig` and `ipconfig /all`.";
    Nslookup, nslookup, "nslookup", "`nslookup`.";
    ResolveDns, resolve_dns, "resolve-dns", "`Resolve-DnsName`.";
    TestConnection, test_connection, "test-connection", "`Test-NetConnection`.";
    ProbeBody, probe_body, "probe-body", "Bodies of `connecttest.txt` and `ncsi.txt`.";
    HttpResponse, http_response, "http-response", "`curl` and `Invoke-WebRequest`.";
    IpConfig, ip_config, "ip-config", "`netsh interface ip|ipv6 show config|addresses|dnsservers`.";
    IpInterfaces, ip_interfaces, "ip-interfaces", "`netsh interface ip|ipv6 show interfaces`.";
    IpRoute, ip_route, "ip-route", "`netsh interface ip|ipv6 show route`.";
    Neighbors, neighbors, "neighbors", "`netsh interface ip|ipv6 show neighbors` and `arp -a`.";
    NetshDump, netsh_dump, "netsh-dump", "`netsh dump` and `netsh interface dump`.";
    FirewallProfiles, firewall_profiles, "firewall-profiles", "`netsh advfirewall show allprofiles`.";
    FirewallRules, firewall_rules, "firewall-rules", "`netsh advfirewall firewall show rule`.";
    FirewallLog, firewall_log, "firewall-log", "`pfirewall.log`.";
    TcpGlobal, tcp_global, "tcp-global", "`netsh interface tcp show global`.";
    WlanInterfaces, wlan_interfaces, "wlan-interfaces", "`netsh wlan show interfaces`.";
    RoutePrint, route_print, "route-print", "`route print`.";
    Getmac, getmac, "getmac", "`getmac`.";
    AdapterBinding, adapter_binding, "adapter-binding", "`Get-NetAdapterBinding`.";
    Drivers, drivers, "drivers", "`driverquery` and `fltmc`.";
    Hosts, hosts, "hosts", "The hosts file.";
    Environment, environment, "environment", "`set` and `Get-ChildItem env.";
    Tasklist, tasklist, "tasklist", "`tasklist`.";
    Systeminfo, systeminfo, "systeminfo", "`systeminfo`.";
    Hotfixes, hotfixes, "hotfixes", "`wmic qfe` and `Get-HotFix`.";
    Wmic, wmic, "wmic", "Other `wmic` outputs.";
    Dsregcmd, dsregcmd, "dsregcmd", "`dsregcmd /status`.";
    W32tm, w32tm, "w32tm", "`w32tm /query` and `/stripchart`.";
    Ospp, ospp, "ospp", "`ospp.vbs /dstatus`.";
    Vnextdiag, vnextdiag, "vnextdiag", "`vnextdiag.ps1 -action list`.";
    AppxPackages, appx_packages, "appx-packages", "`Get-AppxPackage`.";
    Acl, acl, "acl", "`Get-Acl | Format-List`.";
    FileListing, file_listing, "file-listing", "`dir` and `Get-ChildItem`.";
    OfficeLicence, office_licence, "office-licence", "A licence file of Microsoft 365 Apps.";
}

/// Cuts a text into the command outputs that it holds and reads each. Registry keys and events in between are left out: other
/// readers take them, out of the same blocks ([`paste::unwrap`], [`split::split`], [`split::foreign`]).
pub fn read(text: &Text) -> Vec<Capture> {
    let text = paste::unwrap(text);
    split::split(&text)
        .iter()
        .filter(|block| split::foreign(block).is_none())
        .map(|block| {
            read_block(block).unwrap_or_else(|| {
                capture(block, CaptureKind::Unknown, Reading::unrecognized("no reader knows this text"))
            })
        })
        .collect()
}

/// What a block's echoed command adds to the score of the reader of its outputs.
const COMMAND_BONUS: u8 = 30;

/// Reads one block; `None` if it is not known to be any command's output.
///
/// The content decides which reader takes it. A block that no reader knows is still a result when its command was echoed or when
/// it is nothing but an error message: the state of what was asked for is unknown, with a reason.
pub fn read_block(block: &Block<'_>) -> Option<Capture> {
    if block.command.is_none() && shape::is_empty(block) {
        return shape::failed(block).map(|reading| capture(block, CaptureKind::Unknown, reading));
    }
    let asked = block.command.and_then(command::kind_of);
    let head = block.head();
    let best = READERS
        .iter()
        .map(|reader| ((reader.recognise)(&head), reader))
        .filter(|(score, _)| *score > 0)
        .max_by_key(|(score, reader)| {
            let bonus = if asked == Some(reader.kind) { COMMAND_BONUS } else { 0 };
            (score.saturating_add(bonus), std::cmp::Reverse(reader.kind))
        });
    if let Some((_, reader)) = best {
        return Some(capture(block, reader.kind, (reader.read)(block)));
    }
    let kind = asked.unwrap_or(CaptureKind::Unknown);
    if let Some(reading) = shape::failed(block) {
        return Some(capture(block, kind, reading));
    }
    asked.map(|kind| {
        let command = block.command.unwrap_or_default();
        capture(block, kind, Reading::unrecognized(format!("what `{command}` printed is not understood")))
    })
}

/// Reads a whole text as one kind, where something else than its content says what it is.
pub fn read_as(text: &Text, reader: &Reader) -> Capture {
    let block = Block::whole(text);
    capture(&block, reader.kind, (reader.read)(&block))
}

fn capture(block: &Block<'_>, kind: CaptureKind, reading: Reading) -> Capture {
    let from = block.from.min(block.to).max(1);
    Capture {
        line_from: from,
        line_to: block.to.max(from),
        kind,
        encoding: block.text.encoding.name.to_string(),
        language: reading.language,
        status: reading.status,
        reason: reading.reason,
        data: reading.data,
    }
}

impl Reading {
    /// What was read; with a reason it is partial.
    pub fn of(data: CaptureData, reason: Option<String>) -> Self {
        let status = if reason.is_some() { CaptureStatus::Partial } else { CaptureStatus::Parsed };
        Self { status, reason, language: None, data }
    }

    /// A block whose kind may be known but whose content is not understood.
    pub fn unrecognized(reason: impl Into<String>) -> Self {
        Self {
            status: CaptureStatus::Unrecognized,
            reason: Some(reason.into()),
            language: None,
            data: CaptureData::Nothing,
        }
    }
}
