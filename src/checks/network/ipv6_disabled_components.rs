//! IPv6 is switched off by an unsupported value.
//!
//! # What it looks at
//! `DisabledComponents` below `Tcpip6\Parameters` in the SYSTEM hive.
//!
//! # Why it blocks activation
//! It does not. The article switches IPv6 off for a test; this check shows how the machine is set, and names the one value that Windows
//! does not understand (0xFFFFFFFF), which also delays every boot by five seconds.
//!
//! # Fix
//! Set 0x20 to prefer IPv4, or delete the value.
//!
//! # Verify
//! The value is what was set, after a restart.
//!
//! # When this is wrong
//! Every value but 0xFFFFFFFF is a site's choice and a note (R28). IPv6 being off is no cause, so it explains nothing.
//!
//! # Sources
//! domain.md 5.7 `ipv6-disabled-components`; R28 of section 14; the article's section on IPv6.

use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::Judgement;
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::{Confidence, Lookup};

const PARAMETERS: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters";

/// What the bits switch off (domain.md 5.7).
const BITS: &[(u32, &str)] = &[
    (0x01, "all tunnel interfaces"),
    (0x02, "6to4"),
    (0x04, "ISATAP"),
    (0x08, "Teredo"),
    (0x10, "native and PPP interfaces"),
    (0x20, "preference of IPv6 over IPv4"),
    (0x40, "CP tunnel"),
    (0x80, "IP-HTTPS"),
];

/// The check.
pub const CHECK: Check = Check {
    id: "ipv6-disabled-components",
    title: "IPv6 is switched off by an unsupported value",
    layer: Layer::Network,
    article: Article::Network("Check IPv6"),
    wants: &[],
    healthy: "IPv6 is set in a way that Windows understands.",
    source_text: include_str!("ipv6_disabled_components.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    match case.need_number(j, PARAMETERS, "DisabledComponents") {
        Lookup::Found(value) => match value.value.as_u32() {
            Some(u32::MAX) => j.warning(
                Confidence::High,
                "DisabledComponents is 0xFFFFFFFF, a value that Windows does not understand; it delays every boot.",
                [value_seen(&value).expected("absent, 0x20 or 0xff")],
            ),
            Some(0) => j.good(value_seen(&value)),
            bits => {
                let bits = bits.unwrap_or_default();
                j.note(format!("IPv6 is restricted by the site ({bits:#x}): off are {}.", names(bits)));
                j.good(value_seen(&value));
            }
        },
        Lookup::Absent(source) => j.good(source.shows("not set (0)")),
        Lookup::Unknown(_) => {}
    }
}

fn names(bits: u32) -> String {
    let list: Vec<&str> = BITS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    if list.is_empty() { "no known components".to_owned() } else { list.join(", ") }
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            r"reg export HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters tcpip6-before.reg",
            r"reg add HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters /v DisabledComponents /t REG_DWORD /d 0x20 /f",
            "Restart the machine.",
        ],
        "The value may come from a policy or a hardening script: change it there.",
        "reg import tcpip6-before.reg and restart.",
        "reg query shows 0x20; the boot is no longer delayed.",
        &["https://learn.microsoft.com/troubleshoot/windows-server/networking/configure-ipv6-in-windows"],
    )
}
