//! The architecture of Windows from all that was collected (R12): every rule on two registry views or two Winsock catalogs asks for it.

use super::registry::Architecture;
use super::{Evidence, Lookup, Sourced, captures};
use crate::artifact::capture::systeminfo::Slot;
use crate::artifact::capture::{CaptureData, CaptureKind};

/// What `systeminfo` calls the types of machines: a part of its text in every language.
const TYPES: [(&str, Architecture); 3] =
    [("arm64", Architecture::Arm64), ("x64", Architecture::X64), ("x86", Architecture::X86)];

impl Evidence {
    /// The processor architecture that Windows was built for: of the registry, else of `systeminfo`.
    pub fn architecture(&self) -> Lookup<Architecture> {
        match self.registry.architecture() {
            Lookup::Unknown(unknown) => self.system_type().map_or(Lookup::Unknown(unknown), Lookup::Found),
            answer => answer,
        }
    }

    /// Whether the machine has the second, 32-bit view of `HKLM\SOFTWARE` and two Winsock catalogs (a 64-bit Windows has).
    pub fn has_two_views(&self) -> Lookup<bool> {
        match self.registry.has_two_views() {
            Lookup::Unknown(unknown) => match self.system_type() {
                Some(found) => Lookup::Found(found.map(Architecture::has_two_views)),
                None => Lookup::Unknown(unknown),
            },
            answer => answer,
        }
    }

    fn system_type(&self) -> Option<Sourced<Architecture>> {
        self.captures.readable(CaptureKind::Systeminfo).into_iter().find_map(|capture| {
            let CaptureData::Systeminfo(data) = &capture.value.data else { return None };
            let field = data.text(Slot::SystemType)?;
            let text = field.value.to_ascii_lowercase();
            let (_, value) = TYPES.into_iter().find(|(name, _)| text.contains(name))?;
            Some(Sourced { value, source: captures::line(capture.source.artifact, field.line) })
        })
    }
}
