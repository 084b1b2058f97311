//! Registry values that have a fact of their own: those that the checks read and policies that a support engineer asks for.
//!
//! A value that is not there is *absent*, which is an answer: the default of this Windows holds.

/// A value with a name.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the fact below `setting.`.
    pub name: &'static str,
    /// Key; `HKCU` is the affected user.
    pub key: &'static str,
    /// Value.
    pub value: &'static str,
}

const fn at(name: &'static str, key: &'static str, value: &'static str) -> Setting {
    Setting { name, key, value }
}

const NCSI: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\NetworkConnectivityStatusIndicator";
const NLA: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\NlaSvc\Parameters\Internet";
const TLS12: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client";
const TLS13: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.3\Client";
const WINHTTP: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp";
const WINHTTP_WOW: &str =
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp";
const NET4: &str = r"HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319";
const NET4_WOW: &str = r"HKLM\SOFTWARE\Wow6432Node\Microsoft\.NETFramework\v4.0.30319";
const SUITES: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local\SSL\00010002";
const SUITES_POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002";
const IDENTITY: &str = r"HKCU\Software\Microsoft\Office\16.0\Common\Identity";
const INTERNET_POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings";
const UPDATE: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate";
const OFFICE: &str = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
const TIME: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Parameters";

const FIREWALL_DOMAIN: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\DomainProfile";
const FIREWALL_PRIVATE: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile";
const FIREWALL_PUBLIC: &str =
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\PublicProfile";
const FIREWALL_POLICY_DOMAIN: &str = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\DomainProfile";
const FIREWALL_POLICY_PRIVATE: &str = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\StandardProfile";
const FIREWALL_POLICY_PUBLIC: &str = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile";

/// The table (paths: domain.md 5 and 8).
pub const SETTINGS: &[Setting] = &[
    at("ncsi.policy.no-active-probe", NCSI, "NoActiveProbe"),
    at("ncsi.policy.disable-passive-polling", NCSI, "DisablePassivePolling"),
    at("ncsi.policy.use-global-dns", NCSI, "UseGlobalDNS"),
    at("ncsi.enable-active-probing", NLA, "EnableActiveProbing"),
    at("ncsi.web-probe-host", NLA, "ActiveWebProbeHost"),
    at("ncsi.web-probe-path", NLA, "ActiveWebProbePath"),
    at("ncsi.web-probe-content", NLA, "ActiveWebProbeContent"),
    at("ncsi.dns-probe-host", NLA, "ActiveDnsProbeHost"),
    at("ncsi.dns-probe-content", NLA, "ActiveDnsProbeContent"),
    at("tls.schannel.client-1-2.enabled", TLS12, "Enabled"),
    at("tls.schannel.client-1-2.disabled-by-default", TLS12, "DisabledByDefault"),
    at("tls.schannel.client-1-3.enabled", TLS13, "Enabled"),
    at("tls.schannel.client-1-3.disabled-by-default", TLS13, "DisabledByDefault"),
    at("tls.winhttp.default-secure-protocols", WINHTTP, "DefaultSecureProtocols"),
    at("tls.winhttp.default-secure-protocols-32", WINHTTP_WOW, "DefaultSecureProtocols"),
    at(
        "tls.wininet.secure-protocols",
        r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings",
        "SecureProtocols",
    ),
    at(
        "tls.wininet.policy-user.secure-protocols",
        r"HKCU\Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings",
        "SecureProtocols",
    ),
    at("tls.wininet.policy.secure-protocols", INTERNET_POLICY, "SecureProtocols"),
    at("tls.dotnet.strong-crypto", NET4, "SchUseStrongCrypto"),
    at("tls.dotnet.strong-crypto-32", NET4_WOW, "SchUseStrongCrypto"),
    at("tls.dotnet.system-default", NET4, "SystemDefaultTlsVersions"),
    at("tls.dotnet.system-default-32", NET4_WOW, "SystemDefaultTlsVersions"),
    at("tls.cipher-suites", SUITES, "Functions"),
    at("tls.cipher-suites.policy", SUITES_POLICY, "Functions"),
    at("tls.fips", r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled"),
    at("proxy.policy.per-user", INTERNET_POLICY, "ProxySettingsPerUser"),
    at(
        "ipv6.disabled-components",
        r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters",
        "DisabledComponents",
    ),
    at("firewall.domain.enabled", FIREWALL_DOMAIN, "EnableFirewall"),
    at("firewall.private.enabled", FIREWALL_PRIVATE, "EnableFirewall"),
    at("firewall.public.enabled", FIREWALL_PUBLIC, "EnableFirewall"),
    at("firewall.domain.outbound", FIREWALL_DOMAIN, "DefaultOutboundAction"),
    at("firewall.private.outbound", FIREWALL_PRIVATE, "DefaultOutboundAction"),
    at("firewall.public.outbound", FIREWALL_PUBLIC, "DefaultOutboundAction"),
    at("firewall.policy.domain.outbound", FIREWALL_POLICY_DOMAIN, "DefaultOutboundAction"),
    at("firewall.policy.private.outbound", FIREWALL_POLICY_PRIVATE, "DefaultOutboundAction"),
    at("firewall.policy.public.outbound", FIREWALL_POLICY_PUBLIC, "DefaultOutboundAction"),
    at("update.policy.wsus-server", UPDATE, "WUServer"),
    at("update.policy.no-internet", UPDATE, "DoNotConnectToWindowsUpdateInternetLocations"),
    at(
        "certificates.policy.no-root-update",
        r"HKLM\SOFTWARE\Policies\Microsoft\SystemCertificates\AuthRoot",
        "DisableRootAutoUpdate",
    ),
    at(
        "broker.dpapi-protection-policy",
        r"HKLM\SOFTWARE\Microsoft\Cryptography\Protect\Providers\df9d8cd0-1501-11d1-8c7a-00c04fc297eb",
        "ProtectionPolicy",
    ),
    at(
        "defender.network-protection",
        r"HKLM\SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard\Network Protection",
        "EnableNetworkProtection",
    ),
    at(
        "defender.policy.network-protection",
        r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\Network Protection",
        "EnableNetworkProtection",
    ),
    at("office.shared-computer-licensing", OFFICE, "SharedComputerLicensing"),
    at("office.device-based-licensing", OFFICE, "O365ProPlusRetail.DeviceBasedLicensing"),
    at("office.identity.enable-adal", IDENTITY, "EnableADAL"),
    at("office.identity.disable-adal-atop-wam", IDENTITY, "DisableADALatopWAMOverride"),
    at("office.identity.disable-aad-wam", IDENTITY, "DisableAADWAM"),
    at("office.identity.no-domain-user", IDENTITY, "NoDomainUser"),
    at(
        "office.use-online-content",
        r"HKCU\Software\Microsoft\Office\16.0\Common\Internet",
        "UseOnlineContent",
    ),
    at(
        "office.policy.use-online-content",
        r"HKCU\Software\Policies\Microsoft\Office\16.0\Common\Internet",
        "UseOnlineContent",
    ),
    at("office.sign-in-options", r"HKCU\Software\Microsoft\Office\16.0\Common\SignIn", "SignInOptions"),
    at(
        "office.policy.sign-in-options",
        r"HKCU\Software\Policies\Microsoft\Office\16.0\Common\SignIn",
        "SignInOptions",
    ),
    at("time.type", TIME, "Type"),
    at("time.server", TIME, "NtpServer"),
];

/// Services that have facts: those that activation stands on, and those that these depend on (domain.md 5.8).
pub const SERVICES: &[&str] = &[
    "AppIDSvc",
    "AppXSvc",
    "BFE",
    "BITS",
    "ClickToRunSvc",
    "ClipSVC",
    "CryptSvc",
    "DcomLaunch",
    "Dhcp",
    "Dnscache",
    "EventLog",
    "KeyIso",
    "LicenseManager",
    "MpsSvc",
    "NcdAutoSetup",
    "NlaSvc",
    "ProfSvc",
    "RpcEptMapper",
    "RpcSs",
    "TokenBroker",
    "UserManager",
    "W32Time",
    "WinHttpAutoProxySvc",
    "iphlpsvc",
    "netprofm",
    "nsi",
    "sppsvc",
    "wlidsvc",
    "wuauserv",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_places_are_unique() {
        let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        let places: BTreeSet<(&str, &str)> =
            SETTINGS.iter().map(|setting| (setting.key, setting.value)).collect();
        assert_eq!((names.len(), places.len()), (SETTINGS.len(), SETTINGS.len()));
        assert!(
            SETTINGS
                .iter()
                .all(|setting| setting.key.starts_with("HKLM\\") || setting.key.starts_with("HKCU\\"))
        );
    }
}
