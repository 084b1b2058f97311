//! Security, VPN and inspection products by the names of their drivers.
//!
//! The names are known from practice, not from a list of Microsoft's, so they may raise a warning and never a blocker. Drivers of
//! capture tools, virtual machines and makers of network adapters are not in the table: they sit in the same places and do no harm (R57).

/// A product.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// Its maker, as people call it.
    pub name: &'static str,
    /// Beginnings of the names of its drivers and network components, in lower case.
    pub drivers: &'static [&'static str],
    /// Words by which it is known in the list of installed programs and in paths of services, in lower case.
    pub words: &'static [&'static str],
}

/// The table.
pub const PRODUCTS: &[Product] = &[
    product(
        "Avast or AVG",
        &["aswsp", "aswrdr", "aswsnx", "aswstm", "aswnet", "avgsp", "avgrdr", "avgnet"],
        &["avast", "avg"],
    ),
    product("Bitdefender", &["bdfwfpf", "bdftdif", "trufos", "gzflt", "bdsandbox"], &["bitdefender"]),
    product("Carbon Black", &["carbonblackk", "cbk7", "ctifile", "ctinet"], &["carbon black", "carbonblack"]),
    product(
        "Check Point",
        &["vsdatant", "vna_ap", "epklib", "cp_"],
        &["check point", "checkpoint", "zonealarm"],
    ),
    product("Cisco Secure Client", &["vpnva", "acsock", "csc_vpnva"], &["cisco"]),
    product("CrowdStrike", &["csagent", "csdevicecontrol", "csfirmwareanalysis"], &["crowdstrike"]),
    product("Cylance", &["cyprotectdrv", "cyoptics"], &["cylance"]),
    product("ESET", &["eamonm", "ehdrv", "epfwwfp", "epfwlwf", "edevmon", "eset_"], &["eset"]),
    product("F-Secure", &["fsgk", "fsulgk", "fsni", "fsatp"], &["f-secure", "withsecure"]),
    product(
        "Fortinet",
        &["fortips", "fortifilter", "fortishield", "fortimon", "ftsvnic", "ft_vnic"],
        &["fortinet", "forticlient"],
    ),
    product(
        "Ivanti or Pulse Secure",
        &["jnprns", "jnprva", "jnprvamgr"],
        &["pulse secure", "ivanti", "juniper"],
    ),
    product("Kaspersky", &["klif", "klim6", "klwfp", "kneps", "kltdi", "klhk", "kl_"], &["kaspersky"]),
    product(
        "Malwarebytes",
        &["mbamswissarmy", "mbamwebprotection", "mbamchameleon", "farflt", "mwac"],
        &["malwarebytes"],
    ),
    product(
        "McAfee or Trellix",
        &["mfehidk", "mfefirek", "mfewfpk", "mfeavfk", "mfeaack", "mfencbdc"],
        &["mcafee", "trellix"],
    ),
    product("Netskope", &["stadrv", "epdlpdrv"], &["netskope"]),
    // The first is OpenVPN's driver for others to use too; it has an entry of its own among the programs.
    product("OpenVPN", &["tap0901", "ovpn-dco"], &["openvpn", "tap-windows"]),
    product(
        "Palo Alto Networks",
        &["pangpd", "cyverak", "cyvrfsfd", "tedrdrv"],
        &["palo alto", "globalprotect", "cortex xdr"],
    ),
    product("Panda", &["psinaflt", "psinfile", "nnsprv", "nnspihsw"], &["panda"]),
    product("SentinelOne", &["sentinelmonitor", "sentineldevicecontrol"], &["sentinelone", "sentinel agent"]),
    product("SonicWall", &["swvnic", "swipsec"], &["sonicwall"]),
    product("Sophos", &["savonaccess", "sophosed", "sntp", "swi_callout", "hmpalert"], &["sophos"]),
    product(
        "Symantec or Norton",
        &["symefasi", "srtsp", "symevent", "teefer", "sysplant", "symnets", "bhdrvx", "idsvi", "ironx"],
        &["symantec", "norton", "broadcom"],
    ),
    product(
        "Trend Micro",
        &["tmcomm", "tmactmon", "tmevtmgr", "tmtdi", "tmwfp", "tmlwf", "tmusa"],
        &["trend micro", "trendmicro"],
    ),
    product("Webroot", &["wrkrn", "wrcore"], &["webroot"]),
    product("Zscaler", &["zapprd", "zsatunnel", "ztap"], &["zscaler"]),
];

/// Programs that run for a product, beginnings in lower case: lists of processes show no drivers.
const PROGRAMS: &[(&str, &str)] = &[
    ("avastsvc", "Avast or AVG"),
    ("avgsvc", "Avast or AVG"),
    ("avp.exe", "Kaspersky"),
    ("bdservicehost", "Bitdefender"),
    ("vsserv", "Bitdefender"),
    ("ccsvchst", "Symantec or Norton"),
    ("coreserviceshell", "Trend Micro"),
    ("csfalcon", "CrowdStrike"),
    ("cylancesvc", "Cylance"),
    ("cyserver", "Palo Alto Networks"),
    ("ekrn.exe", "ESET"),
    ("fshoster", "F-Secure"),
    ("fortitray", "Fortinet"),
    ("mbamservice", "Malwarebytes"),
    ("mcshield", "McAfee or Trellix"),
    ("mfetp", "McAfee or Trellix"),
    ("ntrtscan", "Trend Micro"),
    ("psanhost", "Panda"),
    ("repmgr", "Carbon Black"),
    ("savservice", "Sophos"),
    ("sophosfs", "Sophos"),
    ("sentinelagent", "SentinelOne"),
    ("wrsa.exe", "Webroot"),
];

const fn product(
    name: &'static str,
    drivers: &'static [&'static str],
    words: &'static [&'static str],
) -> Product {
    Product { name, drivers, words }
}

/// The product that a driver or network component belongs to, by its name.
pub fn by_driver(name: &str) -> Option<&'static Product> {
    let name = name.to_lowercase();
    PRODUCTS.iter().find(|product| product.drivers.iter().any(|start| name.starts_with(start)))
}

/// The product that a running program belongs to, by the name of its file.
pub fn by_program(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    PROGRAMS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, product)| *product)
}

impl Product {
    /// Whether a text names it: whole words only, so that "reset" is not ESET.
    pub fn is_named_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        self.words.iter().any(|word| {
            text.match_indices(word).any(|(at, _)| {
                let before = text.get(..at).and_then(|head| head.chars().next_back());
                let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
                edge(before) && edge(after)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_of_products() {
        assert_eq!(by_driver("CSAgent").map(|product| product.name), Some("CrowdStrike"));
        assert_eq!(by_driver("mfewfpk").map(|product| product.name), Some("McAfee or Trellix"));
        // R57: capture tools, virtual machines, adapter makers, and what Windows brings.
        for name in [
            "npcap",
            "VBoxNetLwf",
            "vmnetbridge",
            "VMSMP",
            "WdFilter",
            "Tcpip",
            "iaNVMe",
            "ms_pacer",
            "klein",
        ] {
            assert_eq!(by_driver(name), None, "{name}");
        }
    }

    #[test]
    fn programs_of_products() {
        assert_eq!(by_program("CSFalconService.exe"), Some("CrowdStrike"));
        assert_eq!(by_program("avp.exe"), Some("Kaspersky"));
        for name in ["svchost.exe", "MsMpEng.exe", "lsass.exe", "WINWORD.EXE"] {
            assert_eq!(by_program(name), None, "{name}");
        }
        for (_, name) in PROGRAMS {
            assert!(PRODUCTS.iter().any(|product| product.name == *name), "{name}");
        }
    }

    #[test]
    fn products_by_whole_words() {
        let eset = by_driver("eamonm").unwrap();
        assert!(eset.is_named_in(r"C:\Program Files\ESET\ESET Security\ekrn.exe"));
        assert!(!eset.is_named_in("Factory Reset Tool") && !eset.is_named_in("Esetup"));
    }
}
