//! Which hive a file is, told by what is in it: names of collected files lie. Only where the root key tells nothing does the
//! path in the base block, which Windows wrote when it loaded the hive, decide.

use super::Hive;
use crate::artifact::security::Sid;

/// Which hive a file is, told from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiveKind {
    /// `HKLM\SYSTEM`.
    System,
    /// `HKLM\SOFTWARE`.
    Software,
    /// A profile's `NTUSER.DAT` (any account, also the service profiles and DEFAULT).
    User,
    /// A profile's `UsrClass.dat`.
    UserClasses,
    /// `HKLM\SAM`.
    Sam,
    /// `HKLM\SECURITY`.
    Security,
    /// `HKLM\COMPONENTS`.
    Components,
    /// The boot configuration data.
    Bcd,
    /// Amcache.hve.
    Amcache,
    /// None of these.
    Other,
}

/// What stands below the root of a kind of hive.
struct Signs {
    kind: HiveKind,
    /// Paths that no other kind has: one is enough.
    own: &'static [&'static str],
    /// Names that other hives have too: two are enough.
    usual: &'static [&'static str],
    /// Last parts of the path in the base block.
    names: &'static [&'static str],
}

/// In this order: `SECURITY` has a key `SAM`, and user hives have most names of `SOFTWARE` one level down.
const SIGNS: [Signs; 9] = [
    Signs {
        kind: HiveKind::System,
        own: &["Select", "ControlSet001", "ControlSet002", "ControlSet003"],
        usual: &["MountedDevices", "Setup", "WPA", "DriverDatabase", "HardwareConfig"],
        names: &["SYSTEM"],
    },
    Signs {
        kind: HiveKind::UserClasses,
        own: &["Local Settings"],
        usual: &["CLSID", "Interface", "TypeLib", "Extensions", "ActivatableClasses", "VirtualStore"],
        names: &["UsrClass.dat"],
    },
    Signs {
        kind: HiveKind::User,
        own: &["Software", "Control Panel", "Keyboard Layout", "AppEvents"],
        usual: &[
            "Console",
            "Environment",
            "EUDC",
            "Printers",
            "Network",
            "System",
            "Identities",
            "SessionInformation",
        ],
        names: &["NTUSER.DAT", "DEFAULT"],
    },
    Signs { kind: HiveKind::Security, own: &["Policy"], usual: &["Cache", "RXACT"], names: &["SECURITY"] },
    Signs { kind: HiveKind::Sam, own: &[r"SAM\Domains"], usual: &[], names: &["SAM"] },
    Signs {
        kind: HiveKind::Components,
        own: &["DerivedData", "CanonicalData"],
        usual: &["Installers", "ServicingStackVersions"],
        names: &["COMPONENTS"],
    },
    Signs {
        kind: HiveKind::Bcd,
        own: &[],
        usual: &["Objects", "Description"],
        names: &["BCD", "BCD-Template"],
    },
    Signs {
        kind: HiveKind::Amcache,
        own: &[
            r"Root\InventoryApplication",
            r"Root\InventoryApplicationFile",
            r"Root\File",
            r"Root\Programs",
        ],
        usual: &[],
        names: &["Amcache.hve"],
    },
    Signs {
        kind: HiveKind::Software,
        own: &[],
        usual: &[
            "Microsoft",
            "Classes",
            "Policies",
            "WOW6432Node",
            "Clients",
            "RegisteredApplications",
            "ODBC",
        ],
        names: &["SOFTWARE"],
    },
];

/// What a user's own `Software` key has that the machine's does not have: the root of a part that was saved from a profile.
const PART_OF_A_PROFILE: &[&str] = &[
    r"Microsoft\Windows\CurrentVersion\Explorer\Shell Folders",
    r"Microsoft\Windows NT\CurrentVersion\Devices",
];

/// Endings of the paths of hives whose account the path tells for certain.
const ACCOUNTS: &[(&str, &str)] = &[
    (r"\NetworkService\ntuser.dat", Sid::NETWORK_SERVICE),
    (r"\LocalService\ntuser.dat", Sid::LOCAL_SERVICE),
    (r"\systemprofile\ntuser.dat", Sid::SYSTEM),
    (r"\Config\DEFAULT", Sid::SYSTEM),
];

impl Hive {
    /// Which hive it is.
    pub fn kind(&self) -> HiveKind {
        let told = SIGNS.iter().find(|signs| self.has_any(signs.own) || self.count(signs.usual) >= 2);
        match told {
            Some(signs) if signs.kind != HiveKind::Software => signs.kind,
            // `reg save HKCU\Software` looks like SOFTWARE, but it is one account's.
            Some(_) if self.is_part_of_a_profile() => HiveKind::Other,
            Some(_) => HiveKind::Software,
            None if self.root().is_ok_and(|root| root.name().ends_with("_Classes")) => HiveKind::UserClasses,
            None => self.kind_by_name(),
        }
    }

    fn has(&self, path: &str) -> bool {
        matches!(self.key(path), Ok(Some(_)))
    }

    fn has_any(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.has(path))
    }

    fn count(&self, paths: &[&str]) -> usize {
        paths.iter().filter(|path| self.has(path)).count()
    }

    fn is_part_of_a_profile(&self) -> bool {
        self.has_any(PART_OF_A_PROFILE) || self.person().is_some()
    }

    fn kind_by_name(&self) -> HiveKind {
        let name = self.base.base_name();
        let same = |own: &&str| own.eq_ignore_ascii_case(name);
        SIGNS.iter().find(|signs| signs.names.iter().any(same)).map_or(HiveKind::Other, |signs| signs.kind)
    }

    /// The account whose user hive this is; `None` when it cannot be told.
    ///
    /// The root key's DACL gives a user hive to its account. The service accounts are told by the path in the base block first,
    /// because a service account that has lost its entry in the DACL is one of the faults that are looked for.
    pub fn user_sid(&self) -> Option<Sid> {
        let path = self.base.file_name.to_ascii_lowercase();
        if let Some((_, sid)) =
            ACCOUNTS.iter().find(|(ending, _)| path.ends_with(&ending.to_ascii_lowercase()))
        {
            return Some(Sid::new(*sid));
        }
        self.person().or_else(|| {
            let dacl = self.root_security().ok()?.dacl?;
            let services = [Sid::NETWORK_SERVICE, Sid::LOCAL_SERVICE];
            services.into_iter().find(|sid| dacl.iter().any(|ace| ace.sid.as_str() == *sid)).map(Sid::new)
        })
    }

    /// The one person with full control of the root key.
    fn person(&self) -> Option<Sid> {
        let descriptor = self.root_security().ok()?;
        let full = crate::artifact::security::KEY_ALL_ACCESS;
        let mut persons: Vec<Sid> = Vec::new();
        for ace in descriptor.dacl.iter().flatten() {
            let sid = &ace.sid;
            if sid.is_person() && descriptor.allowed(sid) & full == full && !persons.contains(sid) {
                persons.push(sid.clone());
            }
        }
        match persons.as_slice() {
            [person] => Some(person.clone()),
            // Several: an administrator was added by hand. The owner decides, if it is one of them.
            _ => descriptor.owner.filter(|owner| persons.contains(owner)),
        }
    }
}
