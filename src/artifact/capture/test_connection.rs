//! `Test-NetConnection`: whether a host answers on a port.
//!
//! Keys and `True`/`False` are English; the prefix of warning lines is not. `PingSucceeded` is missing when no ping ran.

use serde::Serialize;

use super::shape::{self, Cell, Object};
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// The tests in their order.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Test {
    /// Name or address that was asked for.
    pub computer_name: Option<String>,
    /// Address that it resolved to; `None` when it did not.
    pub remote_address: Option<String>,
    /// TCP port; `None` for a ping.
    pub remote_port: Option<u16>,
    /// Adapter that was used.
    pub interface_alias: Option<String>,
    /// Local address.
    pub source_address: Option<String>,
    /// The ping was answered. A firewall may drop pings.
    pub ping_succeeded: Option<bool>,
    /// The connection was made.
    pub tcp_test_succeeded: Option<bool>,
    /// A warning says that the name was not resolved.
    pub name_resolution_failed: bool,
    /// Line of the first property.
    pub line: u32,
    /// Line of `TcpTestSucceeded`.
    pub tcp_line: Option<u32>,
}

/// Reads this kind.
pub const READER: Reader = Reader { kind: CaptureKind::TestConnection, recognise, starts: |_| false, read };

fn recognise(block: &Block<'_>) -> u8 {
    let text = block.text.span(block.from, block.to).as_bytes();
    let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    let tested = has("TcpTestSucceeded") || has("PingSucceeded");
    if tested && (has("ComputerName") || has("RemoteAddress")) { 95 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    let found = shape::objects(block);
    let unresolved: Vec<u32> = block
        .lines()
        .filter(|(_, line)| {
            line.len() < 1_000 && line.contains("Name resolution of") && line.contains("failed")
        })
        .map(|(number, _)| number)
        .collect();
    let mut after = 0;
    let mut tests = Vec::new();
    for object in &found.objects {
        if let Some(mut test) = test(object) {
            test.name_resolution_failed = unresolved.iter().any(|line| (after..test.line).contains(line));
            after = test.line;
            tests.push(test);
        }
    }
    let reason = tests.iter().find_map(|test: &Test| {
        let told = match test.remote_port {
            Some(_) => test.tcp_test_succeeded.is_some(),
            None => test.tcp_test_succeeded.is_some() || test.ping_succeeded.is_some(),
        };
        (!told).then(|| format!("line {}: the result of the test is missing", test.line))
    });
    if tests.is_empty() {
        return shape::failed(block).unwrap_or_else(|| Reading::unrecognized("no test with a result"));
    }
    Reading::of(CaptureData::TestConnection(Data { tests }), reason)
}

fn test(object: &Object) -> Option<Test> {
    if !object.has("ComputerName") && !object.has("RemoteAddress") {
        return None;
    }
    let truth = |name: &str| object.get(name).and_then(Cell::truth);
    let port = object.get("RemotePort").and_then(Cell::number).and_then(|port| u16::try_from(port).ok());
    Some(Test {
        computer_name: object.text("ComputerName"),
        remote_address: object.text("RemoteAddress"),
        remote_port: port.filter(|port| *port != 0),
        interface_alias: object.text("InterfaceAlias"),
        source_address: object.text("SourceAddress"),
        ping_succeeded: truth("PingSucceeded"),
        tcp_test_succeeded: truth("TcpTestSucceeded"),
        name_resolution_failed: false,
        line: object.line,
        tcp_line: object.property("TcpTestSucceeded").map(|property| property.line),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::capture::{self, CaptureStatus};
    use crate::artifact::text::Text;

    #[test]
    fn a_name_that_did_not_resolve_and_a_cut_output() {
        // The form of Windows' own Test-NetConnection: the warning comes first, the address stays empty.
        let text = "PS C:\\> tnc a.example -Port 443\nAVERTISSEMENT : Name resolution of a.example failed\n\n\
                    ComputerName   : a.example\nRemoteAddress  : \nInterfaceAlias : \nSourceAddress  : \nPingSucceeded  : False\n\n\
                    PS C:\\> tnc b.example -Port 443\n\nComputerName     : b.example\nRemoteAddress    : 192.0.2.1\nRemotePort       : 443\n\
                    PingSucceeded    : True\n";
        let captures = capture::read(&Text::decode(text.as_bytes()));
        let tests: Vec<_> = captures
            .iter()
            .map(|capture| match &capture.data {
                CaptureData::TestConnection(data) => (capture.status, data.tests[0].clone()),
                _ => panic!("{capture:?}"),
            })
            .collect();
        assert_eq!(tests[0].0, CaptureStatus::Parsed);
        assert!(tests[0].1.name_resolution_failed && tests[0].1.remote_address.is_none());
        assert_eq!((tests[1].0, tests[1].1.tcp_test_succeeded), (CaptureStatus::Partial, None));
    }
}
