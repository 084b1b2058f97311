//! `netsh interface tcp show global`: the TCP parameters of the machine.
//!
//! The keys change with every release and are localised in part; many hold a term that no language translates (`ECN`, `RFC 1323`,
//! `HyStart`), and the values are English words everywhere they were seen. The level of auto-tuning is told by its words.

use serde::Serialize;

use super::netsh::{self, Doubts};
use super::shape;
use super::{Block, CaptureData, CaptureKind, Reader, Reading};

/// The typed content.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// All parameters in the order of the output.
    pub settings: Vec<Setting>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// 1-based line.
    pub line: u32,
    /// Which one; `None` when neither its key nor its value tells.
    pub parameter: Option<Parameter>,
    /// Key as printed.
    pub label: String,
    /// Value as printed.
    pub value: String,
}

/// The parameters that can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// Receive-side scaling.
    ReceiveSideScaling,
    /// TCP chimney offload (up to 2012 R2).
    ChimneyOffload,
    /// NetDMA (up to 2012 R2).
    NetDma,
    /// Direct cache access.
    DirectCacheAccess,
    /// Auto-tuning of the receive window.
    AutoTuningLevel,
    /// Congestion control provider.
    CongestionProvider,
    /// Explicit congestion notification.
    EcnCapability,
    /// RFC 1323 time stamps.
    Timestamps,
    /// Initial retransmission time-out in milliseconds.
    InitialRto,
    /// Receive segment coalescing.
    ReceiveSegmentCoalescing,
    /// Resiliency against clients without SACK.
    NonSackRttResiliency,
    /// How often a SYN is sent again.
    MaxSynRetransmissions,
    /// TCP Fast Open.
    FastOpen,
    /// Fallback of TCP Fast Open.
    FastOpenFallback,
    /// HyStart.
    HyStart,
    /// Proportional rate reduction.
    ProportionalRateReduction,
    /// Pacing profile.
    PacingProfile,
}

impl Data {
    /// The value of a parameter, if it was printed and told apart.
    pub fn value(&self, parameter: Parameter) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.parameter == Some(parameter))
    }
}

/// Parts of keys in small letters; the first that fits counts. English keys are told whole, the others by the terms that stay
/// the same in every language.
const KEYS: &[(&str, Parameter)] = &[
    ("receive-side scaling", Parameter::ReceiveSideScaling),
    ("chimney", Parameter::ChimneyOffload),
    ("netdma", Parameter::NetDma),
    ("(dca)", Parameter::DirectCacheAccess),
    ("auto-tuning level", Parameter::AutoTuningLevel),
    ("congestion control provider", Parameter::CongestionProvider),
    ("ecn", Parameter::EcnCapability),
    ("rfc 1323", Parameter::Timestamps),
    ("rfc1323", Parameter::Timestamps),
    ("initial rto", Parameter::InitialRto),
    ("receive segment coalescing", Parameter::ReceiveSegmentCoalescing),
    ("sack", Parameter::NonSackRttResiliency),
    ("max syn", Parameter::MaxSynRetransmissions),
    ("fast open fallback", Parameter::FastOpenFallback),
    ("fast open", Parameter::FastOpen),
    ("hystart", Parameter::HyStart),
    ("proportional rate reduction", Parameter::ProportionalRateReduction),
    ("pacing profile", Parameter::PacingProfile),
];

/// Levels of auto-tuning that no other parameter has as its value.
const TUNING_WORDS: &[&str] = &["normal", "restricted", "highlyrestricted", "experimental"];

/// The English heading.
const HEADING: &str = "TCP Global Parameters";

/// Reads this kind.
pub const READER: Reader =
    Reader { kind: CaptureKind::TcpGlobal, recognise, starts: |line| line.starts_with(HEADING), read };

fn parameter(label: &str, value: &str) -> Option<Parameter> {
    let label = label.to_lowercase();
    let by_key = KEYS.iter().find(|(part, _)| label.contains(part)).map(|(_, parameter)| *parameter);
    by_key.or_else(|| TUNING_WORDS.contains(&value).then_some(Parameter::AutoTuningLevel))
}

fn setting(line: u32, text: &str) -> Option<Setting> {
    let found = shape::labelled(text).filter(|found| !found.value.is_empty() && found.indent == 0)?;
    Some(Setting {
        line,
        parameter: parameter(found.label, found.value),
        label: found.label.to_owned(),
        value: found.value.to_owned(),
    })
}

/// Three parameters that are told apart, among them one that only this output has.
fn recognise(block: &Block<'_>) -> u8 {
    let (mut known, mut own) = (0usize, false);
    for (number, line) in block.lines() {
        if let Some(parameter) = setting(number, line).and_then(|setting| setting.parameter) {
            known += 1;
            own |= matches!(
                parameter,
                Parameter::AutoTuningLevel | Parameter::EcnCapability | Parameter::Timestamps
            );
        }
    }
    if known >= 3 && own { 90 } else { 0 }
}

fn read(block: &Block<'_>) -> Reading {
    if let Some(failed) = shape::failed(block) {
        return failed;
    }
    let mut data = Data::default();
    let mut doubts = Doubts::default();
    let mut english = false;
    for (number, line) in block.lines() {
        english |= line.starts_with(HEADING);
        match setting(number, line) {
            Some(setting) => {
                if setting.parameter.is_none() {
                    doubts.at(number, format!("the parameter {:?} is not known", setting.label));
                }
                data.settings.push(setting);
            }
            None if shape::labelled(line).is_some_and(|found| found.value.is_empty()) => {
                doubts.at(number, "the parameter has no value");
            }
            None => {}
        }
    }
    if data.value(Parameter::AutoTuningLevel).is_none() {
        doubts.whole("the level of auto-tuning is missing");
    }
    netsh::reading(CaptureData::TcpGlobal(data), english.then_some("en"), &doubts)
}

#[cfg(test)]
mod tests {
    use super::super::CaptureStatus;
    use super::super::netsh::testing::data;
    use super::*;

    #[test]
    fn windows_11_has_other_parameters() {
        // Layout of Windows 11 with its later parameters.
        let text = "Querying active state...\n\nTCP Global Parameters\n----------------------------------------------\n\
            Receive-Side Scaling State          : enabled\nReceive Window Auto-Tuning Level    : disabled\n\
            Add-On Congestion Control Provider  : default\nECN Capability                      : disabled\n\
            RFC 1323 Timestamps                 : allowed\nInitial RTO                         : 1000\n\
            Receive Segment Coalescing State    : enabled\nNon Sack Rtt Resiliency             : disabled\n\
            Max SYN Retransmissions             : 4\nFast Open                           : enabled\n\
            Fast Open Fallback                  : enabled\nHyStart                             : enabled\n\
            Proportional Rate Reduction         : enabled\nPacing Profile                      : off\n\n";
        let (data, status, _) = data!(TcpGlobal, text);
        assert_eq!((status, data.settings.len()), (CaptureStatus::Parsed, 14));
        let value = |parameter| data.value(parameter).map(|setting| (setting.line, setting.value.as_str()));
        assert_eq!(value(Parameter::AutoTuningLevel), Some((6, "disabled")));
        assert_eq!(value(Parameter::FastOpen), Some((14, "enabled")));
        assert_eq!(value(Parameter::FastOpenFallback), Some((15, "enabled")));
        assert_eq!(value(Parameter::PacingProfile), Some((18, "off")));
    }

    #[test]
    fn terms_tell_the_parameters_of_other_languages() {
        let text = "Globale TCP-Parameter\n----------------------------------------------\n\
            Zustand der Skalierung              : enabled\nStufe des Empfangsfensters          : normal\n\
            ECN-Funktion                        : disabled\nRFC 1323-Zeitstempel                : disabled\n";
        let (data, status, reason) = data!(TcpGlobal, text);
        assert_eq!(data.value(Parameter::AutoTuningLevel).map(|setting| setting.line), Some(4));
        assert_eq!(data.value(Parameter::Timestamps).map(|setting| setting.line), Some(6));
        assert_eq!(data.value(Parameter::ReceiveSideScaling), None);
        assert_eq!(status, CaptureStatus::Partial);
        assert!(reason.unwrap().starts_with("line 3: the parameter \"Zustand der Skalierung\""));
    }
}
