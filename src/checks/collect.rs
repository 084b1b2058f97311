//! How to collect what is missing: the commands that reports name.

/// The OS version.
pub const OS_BUILD: &str =
    r"reg save HKLM\SOFTWARE SOFTWARE.hiv /y (elevated), or systeminfo > systeminfo.txt";
/// The SYSTEM hive.
pub const SYSTEM: &str = r"reg save HKLM\SYSTEM SYSTEM.hiv /y (elevated)";
/// The SOFTWARE hive.
pub const SOFTWARE: &str = r"reg save HKLM\SOFTWARE SOFTWARE.hiv /y (elevated)";
/// The hive of the affected user.
pub const USER: &str = r"reg save HKCU NTUSER.hiv /y (as the affected user, elevated)";
/// The hive of NETWORK SERVICE.
pub const NETWORK_SERVICE: &str = r"reg save HKU\S-1-5-20 NetworkService.hiv /y (elevated)";
/// The System log.
pub const SYSTEM_LOG: &str = "wevtutil epl System System.evtx";
/// Service states.
pub const SERVICES: &str = "sc queryex type= service state= all > services.txt";
/// Connection profiles.
pub const CONNECTION_PROFILE: &str = "Get-NetConnectionProfile | Format-List * > netconnectionprofile.txt";
/// The WinHTTP proxy.
pub const WINHTTP_PROXY: &str = "netsh winhttp show proxy > winhttp.txt";
/// The Winsock catalog.
pub const WINSOCK: &str = "netsh winsock show catalog > winsock.txt";

/// Dialogs that Office showed.
pub const OALERTS: &str = "wevtutil epl OAlerts OAlerts.evtx";
/// What Windows Update did.
pub const UPDATE_LOG: &str =
    "wevtutil epl Microsoft-Windows-WindowsUpdateClient/Operational WindowsUpdateClient.evtx";
/// Installed updates.
pub const HOTFIXES: &str = "Get-HotFix | Format-List * > hotfixes.txt";
/// The broker's log.
pub const AAD_LOG: &str = "wevtutil epl Microsoft-Windows-AAD/Operational AAD.evtx";
/// The Application log.
pub const APPLICATION_LOG: &str = "wevtutil epl Application Application.evtx";
/// The logs of AppLocker.
pub const APPLOCKER_LOGS: &str = "wevtutil epl \"Microsoft-Windows-AppLocker/Packaged app-Execution\" AppLocker-Packaged.evtx, and \"Microsoft-Windows-AppLocker/EXE and DLL\"";
/// The log of Windows Defender.
pub const DEFENDER_LOG: &str =
    "wevtutil epl \"Microsoft-Windows-Windows Defender/Operational\" Defender.evtx";
/// App packages.
pub const APPX: &str = "Get-AppxPackage -AllUsers > appx.txt (elevated)";
/// Programs and drivers that run.
pub const SECURITY_PRODUCTS: &str = "fltmc > fltmc.txt and tasklist /svc > tasklist.txt (elevated)";
/// The security of a key of NETWORK SERVICE.
pub const NETWORK_SERVICE_SECURITY: &str = r"reg save HKU\S-1-5-20 NetworkService.hiv /y (elevated), or Get-Acl 'Registry::HKEY_USERS\S-1-5-20' | Format-List * (elevated)";

/// Transfers in the background.
pub const BITS_LOG: &str = "wevtutil epl Microsoft-Windows-Bits-Client/Operational Bits.evtx";
/// Device registration.
pub const REGISTRATION_LOG: &str =
    "wevtutil epl \"Microsoft-Windows-User Device Registration/Admin\" UserDeviceRegistration.evtx";

/// How to collect a registry key.
pub fn for_key(path: &str) -> &'static str {
    const ROOTS: &[(&str, &str)] =
        &[(r"HKLM\SYSTEM", SYSTEM), (r"HKLM\SOFTWARE", SOFTWARE), (r"HKU\S-1-5-20", NETWORK_SERVICE)];
    let starts = |root: &str| path.get(..root.len()).is_some_and(|head| head.eq_ignore_ascii_case(root));
    ROOTS.iter().find(|(root, _)| starts(root)).map_or(USER, |(_, command)| command)
}
