//! `sc query`, `sc queryex`, `sc qc` and `Get-Service`: state and start type of services.
//!
//! Labels of `sc` are localized on some systems, its values are not: a number and the English word that belongs to it
//! (`4  RUNNING`). So values tell what a line is, not labels (text_formats.md 4.11). A list of active services says nothing of the
//! services that are not in it.

use serde::Serialize;

use super::shape::{self, Cell, Labelled, Object, cell, labelled};
use super::{Block, CaptureData, CaptureKind, CaptureStatus, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The services in the order of their first mention. What `sc query` and `sc qc` say of one service is put together; of two
    /// states the later one stands.
    pub services: Vec<ServiceState>,
}

/// What is said of one service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServiceState {
    /// Key name; empty when the output does not say which service it is about.
    pub key: String,
    /// Display name, localized.
    pub display_name: Option<String>,
    /// 1 stopped, 2 start pending, 3 stop pending, 4 running, 5 continue pending, 6 pause pending, 7 paused.
    pub state: Option<u32>,
    /// 0 boot, 1 system, 2 automatic, 3 manual, 4 disabled.
    pub start: Option<u32>,
    /// Automatic, but delayed.
    pub delayed: bool,
    /// `WIN32_EXIT_CODE`; 1077 means never started since boot.
    pub exit_code: Option<u32>,
    /// `SERVICE_EXIT_CODE`.
    pub service_exit_code: Option<u32>,
    /// Process id, 0 when it is not running (`sc queryex`).
    pub process_id: Option<u32>,
    /// Services that it needs; `None` when the output does not say.
    pub dependencies: Option<Vec<String>>,
    /// Account.
    pub account: Option<String>,
    /// Command line of the program.
    pub path: Option<String>,
    /// The service is not installed (error 1060).
    pub missing: bool,
    /// The command was not allowed to ask (error 5): its state is unknown.
    pub denied: bool,
    /// First line about it.
    pub line: u32,
    /// Line of the state.
    pub state_line: Option<u32>,
    /// Line of the start type.
    pub start_line: Option<u32>,
}

const STATES: &[(i64, &str, u32)] = &[
    (1, "STOPPED", 1),
    (2, "START_PENDING", 2),
    (3, "STOP_PENDING", 3),
    (4, "RUNNING", 4),
    (5, "CONTINUE_PENDING", 5),
    (6, "PAUSE_PENDING", 6),
    (7, "PAUSED", 7),
];

const STARTS: &[(i64, &str, u32)] = &[
    (0, "BOOT_START", 0),
    (1, "SYSTEM_START", 1),
    (2, "AUTO_START", 2),
    (3, "DEMAND_START", 3),
    (4, "DISABLED", 4),
];

/// The states as .NET names them.
const STATUS_WORDS: &[(i64, &str, u32)] = &[
    (1, "Stopped", 1),
    (2, "StartPending", 2),
    (3, "StopPending", 3),
    (4, "Running", 4),
    (5, "ContinuePending", 5),
    (6, "PausePending", 6),
    (7, "Paused", 7),
];

/// The start types as .NET and WMI name them.
const START_WORDS: &[(i64, &str, u32)] = &[
    (0, "Boot", 0),
    (1, "System", 1),
    (2, "Automatic", 2),
    (2, "Auto", 2),
    (2, "AutomaticDelayedStart", 2),
    (3, "Manual", 3),
    (4, "Disabled", 4),
];

/// Labels of the line that names the service.
const NAMES: &[&str] = &["SERVICE_NAME", "Имя_службы"];

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::Service, recognise, starts, read };

fn starts(line: &str) -> bool {
    line.starts_with("[SC] ") || labelled(line).is_some_and(|found| found.indent == 0 && is_name(found.label))
}

fn is_name(label: &str) -> bool {
    NAMES.iter().any(|name| shape::same_label(label, name))
}

fn recognise(block: &Block<'_>) -> u8 {
    let mut best = 0;
    for (_, line) in block.lines().filter(|(_, line)| line.len() < 500) {
        if line.starts_with("[SC] ") || line.contains("NoServiceFoundForGivenName") {
            return 90;
        }
        let Some(found) = labelled(line) else {
            let mut words = line.split_whitespace();
            if (words.next(), words.next(), words.next())
                == (Some("Status"), Some("Name"), Some("DisplayName"))
            {
                return 90;
            }
            continue;
        };
        match found.indent {
            0 if is_name(found.label) => best = best.max(60),
            1.. if numbered(found.value, STATES).is_some() => return 95,
            1.. if numbered(found.value, STARTS).is_some() => return 90,
            _ => {}
        }
    }
    best.max(if is_service_list(block) { 85 } else { 0 })
}

/// A list, CSV or JSON of service objects.
fn is_service_list(block: &Block<'_>) -> bool {
    let text = block.text.span(block.from, block.to).as_bytes();
    let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    has("ServiceController")
        || (has("Win32_Service") && has("StartMode"))
        || (has("StartType") && has("Status") && has("Name"))
        || (has("DisplayName") && has("Status") && has("ServicesDependedOn"))
}

/// A value that is a number and the word that belongs to it (`4  RUNNING`).
fn numbered(value: &str, words: &[(i64, &str, u32)]) -> Option<u32> {
    let number = cell::leading_integer(value)?;
    let word = value.split_whitespace().nth(1)?;
    words.iter().find(|(value, known, _)| *value == number && *known == word).map(|(.., meaning)| *meaning)
}

fn read(block: &Block<'_>) -> Reading {
    let mut data = Data::default();
    let mut reader = ScReader { data: &mut data, open: None, exits: 0, fresh: false, list: None, block };
    let sc = block.lines().fold(false, |sc, (number, line)| reader.line(number, line) || sc);
    if !sc {
        objects(block, &mut data);
    }
    let Some(first) = data.services.first() else {
        return shape::failed(block).unwrap_or_else(|| Reading::unrecognized("no service in it"));
    };
    if data.services.len() == 1 && first.denied {
        let reason = format!("access to the service was denied (line {})", first.line);
        return Reading {
            status: CaptureStatus::ErrorOutput,
            reason: Some(reason),
            language: None,
            data: CaptureData::Service(data),
        };
    }
    let reason = data.services.iter().find_map(|service| {
        let line = service.line;
        if service.key.is_empty() {
            return Some(format!("line {line}: the output does not say which service it is about"));
        }
        let told = service.missing || service.denied || service.state.is_some() || service.start.is_some();
        (!told).then(|| format!("line {line}: neither state nor start type of the service"))
    });
    Reading::of(CaptureData::Service(data), reason)
}

/// The entry of a service, new or known.
fn service<'d>(data: &'d mut Data, key: &str, line: u32) -> Option<&'d mut ServiceState> {
    // Lists name each service once; only the last few can be meant again (query, then qc), so the search stays short.
    let known = data.services.iter().rev().take(8).position(|service| service.key.eq_ignore_ascii_case(key));
    match known {
        Some(back) if !key.is_empty() => {
            let at = data.services.len().checked_sub(back + 1)?;
            data.services.get_mut(at)
        }
        _ => {
            data.services.push(ServiceState { key: key.to_owned(), line, ..ServiceState::default() });
            data.services.last_mut()
        }
    }
}

/// Reads the lines of `sc`.
struct ScReader<'d, 't> {
    data: &'d mut Data,
    /// Name of the service that the next lines are about.
    open: Option<String>,
    /// Exit codes that it has given so far.
    exits: u32,
    /// It was named, and no property of it was read yet.
    fresh: bool,
    /// Line of the list that goes on with `: name`.
    list: Option<u32>,
    block: &'d Block<'t>,
}

impl ScReader<'_, '_> {
    /// Takes one line; whether it was one of `sc`.
    fn line(&mut self, number: u32, line: &str) -> bool {
        if line.starts_with("[SC] ") {
            return self.message(number, line);
        }
        // `                  : RpcSs`: the dependencies go on.
        if self.list == number.checked_sub(1)
            && let Some(name) = line.trim_start().strip_prefix(": ")
        {
            self.list = Some(number);
            let name = name.trim().to_owned();
            self.about(number, |service| service.dependencies.get_or_insert_default().push(name));
            return true;
        }
        match labelled(line) {
            Some(found) if found.indent == 0 && self.names(&found) => {
                self.open = Some(found.value.to_owned());
                (self.exits, self.fresh) = (0, true);
                service(self.data, found.value, number);
                true
            }
            // `sc query` prints the display name as the second line without an indent.
            Some(found) if found.indent == 0 && self.fresh && !found.value.is_empty() => {
                self.about(number, |service| service.display_name = Some(found.value.to_owned()));
                true
            }
            Some(found) if self.open.is_some() => self.property(number, &found),
            _ => false,
        }
    }

    /// Whether a line without an indent names the next service: by its label, or in a language that is not known by its place
    /// behind the indented lines of the one before and by the underscore that such labels have everywhere.
    fn names(&self, found: &Labelled<'_>) -> bool {
        let word = found.label.contains('_') && !found.label.contains(char::is_whitespace);
        is_name(found.label)
            || (!self.fresh && word && !found.value.is_empty() && found.label != "DISPLAY_NAME")
    }

    fn about(&mut self, line: u32, change: impl FnOnce(&mut ServiceState)) {
        if let Some(key) = &self.open
            && let Some(service) = service(self.data, key, line)
        {
            change(service);
        }
    }

    fn property(&mut self, number: u32, found: &Labelled<'_>) -> bool {
        let value = found.value;
        self.fresh = false;
        if let Some(state) = numbered(value, STATES).filter(|_| found.indent > 0) {
            self.about(number, |service| (service.state, service.state_line) = (Some(state), Some(number)));
        } else if let Some(start) = numbered(value, STARTS).filter(|_| found.indent > 0) {
            let delayed = value.contains("(DELAYED)");
            self.about(number, |service| {
                (service.start, service.start_line, service.delayed) = (Some(start), Some(number), delayed);
            });
        } else if let Some(code) = exit_code(value) {
            self.exits += 1;
            match self.exits {
                1 => self.about(number, |service| service.exit_code = Some(code)),
                2 => self.about(number, |service| service.service_exit_code = Some(code)),
                _ => {}
            }
        } else {
            self.named(number, found.label, value);
        }
        true
    }

    /// Properties that only their label tells; the labels of `sc qc` are English wherever they were seen.
    fn named(&mut self, number: u32, label: &str, value: &str) {
        let text = (!value.is_empty()).then(|| value.to_owned());
        match label {
            "DISPLAY_NAME" => self.about(number, |service| service.display_name = text),
            "BINARY_PATH_NAME" => self.about(number, |service| service.path = text),
            "SERVICE_START_NAME" => self.about(number, |service| service.account = text),
            "PID" => self.about(number, |service| service.process_id = value.parse().ok()),
            "DEPENDENCIES" => {
                self.list = Some(number);
                self.about(number, |service| service.dependencies = Some(text.into_iter().collect()));
            }
            _ => {}
        }
    }

    /// `[SC] EnumQueryServicesStatus:OpenService FAILED 1060:` and its translations; `[SC] QueryServiceConfig SUCCESS`.
    fn message(&mut self, number: u32, line: &str) -> bool {
        (self.open, self.fresh) = (None, false);
        let error = line.split(|c: char| !c.is_ascii_digit()).rev().find(|part| !part.is_empty());
        let Some(error) = error.and_then(|digits| digits.parse::<u32>().ok()) else { return true };
        let key = self.block.command.map(asked_for).unwrap_or_default();
        if let Some(service) = service(self.data, key, number) {
            service.missing |= error == 1060;
            service.denied |= error == 5;
        }
        true
    }
}

/// `0  (0x0)`, `1077  (0x435)`.
fn exit_code(value: &str) -> Option<u32> {
    let (number, hex) = value.split_once('(')?;
    let number: u32 = number.trim().parse().ok()?;
    let hex = cell::integer(hex.trim_end().strip_suffix(')')?)?;
    (i64::from(number) == hex).then_some(number)
}

/// The service that a command asks for (`sc query NlaSvc`, `Get-Service -Name x`).
fn asked_for(command: &str) -> &str {
    let mut words = command.split_whitespace().skip(1).filter(|word| {
        !word.starts_with(['\\', '-', '/'])
            && !["query", "queryex", "qc"].iter().any(|verb| verb.eq_ignore_ascii_case(word))
    });
    words.next().filter(|word| !word.ends_with('=')).unwrap_or_default()
}

/// Objects of `Get-Service` and `Win32_Service`.
fn objects(block: &Block<'_>, data: &mut Data) {
    for object in &shape::objects(block).objects {
        let Some(key) = object.text("Name").filter(|_| object.has("Status") || object.has("State")) else {
            continue;
        };
        let Some(service) = service(data, &key, object.line) else { continue };
        from_object(object, service);
    }
    for (number, line) in block.lines().filter(|(_, line)| {
        line.contains("NoServiceFoundForGivenName") || line.contains(":String) [Get-Service]")
    }) {
        // `+ CategoryInfo : ObjectNotFound: (name:String) [Get-Service], ServiceCommandException`
        let named =
            line.split_once("(").and_then(|(_, rest)| rest.split_once(":String)")).map(|(name, _)| name);
        let key = named.or_else(|| block.command.map(asked_for)).unwrap_or_default();
        if let Some(service) = service(data, key, number) {
            service.missing = true;
        }
    }
}

fn from_object(object: &Object, service: &mut ServiceState) {
    let first = |names: &[&str]| {
        names.iter().find_map(|name| object.property(name)).filter(|found| found.cell != Cell::Empty)
    };
    service.display_name = object.text("DisplayName").or(service.display_name.take());
    if let Some(found) = first(&["Status", "State"]) {
        service.state = found.cell.word(STATUS_WORDS);
        service.state_line = Some(found.line);
    }
    if let Some(found) = first(&["StartType", "StartMode"]) {
        service.start = found.cell.word(START_WORDS);
        service.start_line = Some(found.line);
        service.delayed = found.cell.text().is_some_and(|word| word.contains("Delayed"));
    }
    service.dependencies = first(&["ServicesDependedOn", "RequiredServices"]).map(|found| found.cell.list());
    service.account = object.text("StartName");
    service.path = object.text("PathName");
    service.process_id = object.get("ProcessId").and_then(Cell::number).and_then(|id| u32::try_from(id).ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture;
    use crate::artifact::text::Text;

    fn services(text: &str) -> (CaptureStatus, Vec<ServiceState>) {
        let captures = capture::read(&Text::decode(text.as_bytes()));
        assert_eq!((captures.len(), captures[0].kind), (1, CaptureKind::Service), "{captures:?}");
        match &captures[0].data {
            CaptureData::Service(data) => (captures[0].status, data.services.clone()),
            _ => (captures[0].status, Vec::new()),
        }
    }

    const QUERY: &str = "\nSERVICE_NAME: NlaSvc \n        TYPE               : 20  WIN32_SHARE_PROCESS  \n        \
        STATE              : 1  STOPPED \n        WIN32_EXIT_CODE    : 1077  (0x435)\n        SERVICE_EXIT_CODE  : 0  (0x0)\n        \
        CHECKPOINT         : 0x0\n        WAIT_HINT          : 0x0\n";

    #[test]
    fn query_and_configuration_of_one_service_are_one() {
        // The layout that `sc` prints (text_formats.md 4.11).
        let text = format!(
            "{QUERY}[SC] QueryServiceConfig SUCCESS\n\nSERVICE_NAME: NlaSvc\n        TYPE               : 20  WIN32_SHARE_PROCESS \n        \
             START_TYPE         : 2   AUTO_START  (DELAYED)\n        ERROR_CONTROL      : 1   NORMAL\n        \
             BINARY_PATH_NAME   : C:\\Windows\\System32\\svchost.exe -k NetworkService -p\n        LOAD_ORDER_GROUP   : \n        \
             TAG                : 0\n        DISPLAY_NAME       : Network Location Awareness\n        DEPENDENCIES       : NSI\n\
             \u{20}                          : RpcSs\n                           : TcpIp\n        \
             SERVICE_START_NAME : NT AUTHORITY\\NetworkService\n"
        );
        let (status, services) = services(&text);
        assert_eq!((status, services.len()), (CaptureStatus::Parsed, 1));
        let service = &services[0];
        assert_eq!(
            (service.state, service.start, service.delayed, service.exit_code),
            (Some(1), Some(2), true, Some(1077))
        );
        assert_eq!(
            service.dependencies.as_deref(),
            Some(&["NSI".to_owned(), "RpcSs".into(), "TcpIp".into()][..])
        );
        assert_eq!((service.state_line, service.service_exit_code), (Some(4), Some(0)));
        assert_eq!(service.account.as_deref(), Some("NT AUTHORITY\\NetworkService"));
    }

    #[test]
    fn missing_and_denied_are_two_things() {
        let (status, found) = services(
            "C:\\>sc query NcdAutoSetup\n[SC] EnumQueryServicesStatus:OpenService FAILED 1060:\n\nThe specified service does not exist.\n",
        );
        assert_eq!(
            (status, found[0].key.as_str(), found[0].missing),
            (CaptureStatus::Parsed, "NcdAutoSetup", true)
        );
        let (status, found) = services("C:\\>sc qc x\n[SC] OpenService FAILED 5:\n\nAccess is denied.\n");
        assert_eq!(
            (status, found[0].missing, found[0].denied, found[0].state),
            (CaptureStatus::ErrorOutput, false, true, None)
        );
        let (status, found) = services("[SC] OpenService FAILED 1060:\n");
        assert_eq!((status, found[0].key.as_str()), (CaptureStatus::Partial, ""));
    }

    #[test]
    fn get_service_in_its_forms() {
        let (_, table) = services(
            "Status   Name               DisplayName\n------   ----               -----------\nStopped  nlasvc             Network Location Awareness\nRunning  EventLog           Windows Event Log\n",
        );
        assert_eq!((table[0].state, table[1].key.as_str(), table[1].state), (Some(1), "EventLog", Some(4)));
        let (_, json) = services(
            "{\"Name\": \"netprofm\", \"Status\": 4, \"StartType\": 3, \"ServicesDependedOn\": [\"RpcSs\", \"nlasvc\"], \"DisplayName\": \"x\"}",
        );
        assert_eq!((json[0].state, json[0].start), (Some(4), Some(3)));
        assert_eq!(json[0].dependencies.as_ref().unwrap().len(), 2);
        let (_, list) = services(
            "Name                : netprofm\nRequiredServices    : {RpcSs, nlasvc}\nDisplayName         : x\nStatus              : Running\nStartType           : Disabled\n",
        );
        assert_eq!(
            (list[0].start, list[0].start_line, list[0].dependencies.as_ref().unwrap().len()),
            (Some(4), Some(5), 2)
        );
        let (_, none) = services(
            "Get-Service : Cannot find any service with service name 'foo'.\n    + CategoryInfo          : ObjectNotFound: (foo:String) [Get-Service], ServiceCommandException\n    + FullyQualifiedErrorId : NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand\n",
        );
        assert_eq!((none[0].key.as_str(), none[0].missing), ("foo", true));
    }

    #[test]
    fn labels_in_an_unknown_language_are_read_by_their_place() {
        // domain.md R27; the labels are made up, the values are those that `sc` prints everywhere.
        let one = |name: &str, state: &str| {
            format!(
                "\nNAAM_DIENST: {name}\nNAAM_TONEN: Dienst: {name}\n        SOORT              : 20  WIN32_SHARE_PROCESS\n        \
                 STATUS             : {state}\n                                (STOPPABLE)\n        \
                 AFSLUIT_CODE       : 0  (0x0)\n"
            )
        };
        let (status, found) = services(&format!("{}{}", one("nsi", "4  RUNNING"), one("Dhcp", "1  STOPPED")));
        let states: Vec<_> = found.iter().map(|service| (service.key.as_str(), service.state)).collect();
        assert_eq!((status, states), (CaptureStatus::Parsed, vec![("nsi", Some(4)), ("Dhcp", Some(1))]));
        assert_eq!(found[0].display_name.as_deref(), Some("Dienst: nsi"));
    }

    #[test]
    fn a_damaged_state_is_no_state() {
        let (status, found) = services(&QUERY.replace("1  STOPPED", "4  STOPPED"));
        assert_eq!((status, found[0].state), (CaptureStatus::Partial, None));
    }
}
