//! Facts of the whole machine that other questions rest on.

use super::path::join;
use super::{CURRENT, ControlSet, Registry};
use crate::artifact::ArtifactId;
use crate::evidence::{Lookup, NOTHING_COVERS, Source, Sourced, Unknown};
use crate::time::FileTime;

/// The processor architecture that Windows was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// 32-bit: one registry view, one Winsock catalog.
    X86,
    /// 64-bit, AMD or Intel.
    X64,
    /// 64-bit ARM.
    Arm64,
}

impl Architecture {
    /// Whether there is a second, 32-bit view of `HKLM\SOFTWARE`.
    pub fn has_two_views(self) -> bool {
        self != Self::X86
    }
}

impl Registry {
    /// The number of the current control set, from `Select\Current`.
    pub fn control_set(&self) -> Lookup<u32> {
        let what = || "SYSTEM hive".to_owned();
        match &self.control_set {
            ControlSet::Known { number, doubt: None } => {
                self.value(r"HKLM\SYSTEM\Select", "Current").map(|_| *number)
            }
            ControlSet::Known { number, doubt: Some(doubt) } => {
                let mut answer = self.key(&format!(r"HKLM\SYSTEM\ControlSet{number:03}")).map(|_| *number);
                if let Lookup::Found(found) = &mut answer {
                    found.source.doubts.push(doubt.clone());
                }
                answer
            }
            ControlSet::Unclear(reason) => {
                Lookup::Unknown(Unknown { what: what(), reason: Some(reason.clone()) })
            }
            ControlSet::Silent => Lookup::Unknown(Unknown {
                what: what(),
                reason: Some(format!(r"{NOTHING_COVERS} HKLM\SYSTEM\Select")),
            }),
        }
    }

    /// The Windows folder of the machine, `C:\Windows`.
    pub fn system_root(&self) -> Lookup<String> {
        let value = self.value(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "SystemRoot");
        value.map(|value| value.as_text().unwrap_or_else(|| value.display()))
    }

    /// The architecture, from the system's environment; else from a complete SOFTWARE hive that has no `Wow6432Node`, which only
    /// a 32-bit Windows lacks. Unknown otherwise.
    pub fn architecture(&self) -> Lookup<Architecture> {
        let environment = join(CURRENT, r"Control\Session Manager\Environment");
        let named = self.value(&environment, "PROCESSOR_ARCHITECTURE");
        if let Some(found) = named.found() {
            let architecture = match found.value.as_text().unwrap_or_default().to_ascii_uppercase().as_str() {
                "X86" => Some(Architecture::X86),
                "AMD64" => Some(Architecture::X64),
                "ARM64" => Some(Architecture::Arm64),
                _ => None,
            };
            if let Some(architecture) = architecture {
                return named.map(|_| architecture);
            }
        }
        match self.key(r"HKLM\SOFTWARE\Wow6432Node") {
            Lookup::Absent(source) if self.is_whole_hive(r"HKLM\SOFTWARE", &source) => {
                Lookup::Found(Sourced { value: Architecture::X86, source })
            }
            Lookup::Found(_) => Lookup::Unknown(Unknown {
                what: "SYSTEM hive".to_owned(),
                reason: Some("Wow6432Node shows a 64-bit Windows, but not of which processor".to_owned()),
            }),
            _ => Lookup::Unknown(Unknown {
                what: "SYSTEM hive".to_owned(),
                reason: Some(format!("{NOTHING_COVERS} {environment}")),
            }),
        }
    }

    /// Whether the machine has the second, 32-bit view of `HKLM\SOFTWARE` (a 64-bit Windows has).
    pub fn has_two_views(&self) -> Lookup<bool> {
        let architecture = self.architecture();
        if let (Lookup::Unknown(_), Lookup::Found(key)) =
            (&architecture, self.key(r"HKLM\SOFTWARE\Wow6432Node"))
        {
            return Lookup::Found(key.map(|_| true));
        }
        architecture.map(Architecture::has_two_views)
    }

    /// Mounted hives whose last writes may be missing, each with the reason.
    pub fn doubts(&self) -> impl Iterator<Item = (ArtifactId, &str)> {
        let mounted = self.hives.iter().filter(|hive| !hive.left_out && !hive.place.is_empty());
        mounted.flat_map(|hive| {
            hive.standing.doubts.iter().map(|doubt| (hive.standing.artifact, doubt.as_str()))
        })
    }

    /// When the newest of the mounted hives was last written, by its base block.
    pub fn newest_write(&self) -> Option<FileTime> {
        let mounted = self.hives.iter().filter(|hive| !hive.left_out && !hive.place.is_empty());
        mounted.map(|hive| hive.last_written).filter(|time| !time.is_zero()).max()
    }

    fn is_whole_hive(&self, place: &str, source: &Source) -> bool {
        source.doubts.is_empty()
            && self.hives.iter().any(|hive| hive.place == place && hive.standing.artifact == source.artifact)
    }
}
