#requires -version 2
<#
.SYNOPSIS
    Collects what is needed to tell why Microsoft 365 Apps will not activate on this machine.

.DESCRIPTION
    Reads settings, event logs and the outputs of Windows' own commands, and writes them with a manifest into one folder or zip.
    It changes no setting, starts no repair, downloads nothing and sends nothing. Read on: one table says all that is collected, one loop
    collects it. It runs on Windows PowerShell 2.0 to PowerShell 7, elevated or not; what needs elevation is noted as missing.

.PARAMETER OutputPath
    Folder in which the result is written.
.PARAMETER CaseId
    Your number of the case; it becomes part of the name of the result.
.PARAMETER Days
    How far back event logs are read.
.PARAMETER MaxMB
    Nothing more is collected once the result has this size.
.PARAMETER Category
    Collect only these: network, proxy, firewall, services, system, identity, licensing, logs, registry.
.PARAMETER User
    SID or name (DOMAIN\name) of the affected user. Without it: everybody who is signed in.
.PARAMETER Probe
    Also ask the network: names and servers are listed in the consent text.
.PARAMETER NoPersonal
    Leave out what the table marks as personal.
.PARAMETER WhatIf
    Show what would be collected and stop.
.PARAMETER AcceptConsent
    Do not ask: for runs without anybody at the screen.

.NOTES
    Exit codes: 0 everything was collected; 1 something is missing, see manifest.json; 2 wrong parameters or no place to write;
    3 no consent; 4 32-bit PowerShell on 64-bit Windows.
#>
[CmdletBinding()]
param(
    [string]$OutputPath = '.',
    [string]$CaseId = '',
    [int]$Days = 30,
    [int]$MaxMB = 2048,
    [string[]]$Category = @(),
    [string]$User = '',
    [switch]$Probe,
    [switch]$NoPersonal,
    [switch]$WhatIf,
    [switch]$AcceptConsent
)

$ErrorActionPreference = 'Continue'
# Lists are written in full: the users of a package, the bindings of an adapter.
$FormatEnumerationLimit = -1
$ScriptVersion = '1'

# ---------------------------------------------------------------------------------------------------------------------------------
# What is collected. Each block in Run is exactly what is run: the first whose command is there and that gives a result counts.

# BEGIN TABLE: made from src/collector/table.txt, not edited here
$Table = @(
    @{ Id = 'netconnectionprofile'; Category = 'network'; File = 'captures\netconnectionprofile.txt'
       Form = 'objects'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'names of the connected networks'
       Each = @()
       Run = @(
           @{ Needs = 'Get-NetConnectionProfile'; Shown = 'Get-NetConnectionProfile'
              Block = { Get-NetConnectionProfile } }) }
    @{ Id = 'ipconfig'; Category = 'network'; File = 'captures\ipconfig.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'IP and MAC addresses, names of computer and domain'
       Each = @()
       Run = @(
           @{ Needs = 'ipconfig.exe'; Shown = 'ipconfig /all'
              Block = { ipconfig.exe /all } }) }
    @{ Id = 'adapter-binding'; Category = 'network'; File = 'captures\adapter-binding.txt'
       Form = 'objects'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'names of the adapters'
       Each = @()
       Run = @(
           @{ Needs = 'Get-NetAdapterBinding'; Shown = 'Get-NetAdapterBinding -AllBindings'
              Block = { Get-NetAdapterBinding -AllBindings } }) }
    @{ Id = 'winsock-catalog'; Category = 'network'; File = 'captures\winsock-catalog.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'netsh.exe'; Shown = 'netsh winsock show catalog'
              Block = { netsh.exe winsock show catalog } }) }
    @{ Id = 'hosts'; Category = 'network'; File = 'captures\hosts'
       Form = 'file'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'names that somebody entered'
       Each = @()
       Run = @(
           @{ Needs = ''; Shown = ''
              Block = { Copy-Item -LiteralPath (Join-Path ([Environment]::ExpandEnvironmentVariables((Get-ItemProperty -LiteralPath 'Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters').DataBasePath)) 'hosts') -Destination $File } }) }
    @{ Id = 'environment'; Category = 'network'; File = 'captures\environment.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'proxy addresses, name of the computer; passwords in them are replaced, other variables are not read'
       Each = @()
       Run = @(
           @{ Needs = ''; Shown = 'set'
              Block = { Get-ChildItem -Path Env: | Where-Object { $EnvironmentNames -contains $_.Name } | Select-Object Name, @{ Name = 'Value'; Expression = { $_.Value -replace '[^/@\s]*@', '***@' } } | Format-List } }) }
    @{ Id = 'winhttp-proxy'; Category = 'proxy'; File = 'captures\winhttp-proxy.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'proxy addresses'
       Each = @()
       Run = @(
           @{ Needs = 'netsh.exe'; Shown = 'netsh winhttp show proxy'
              Block = { netsh.exe winhttp show proxy } }) }
    @{ Id = 'winhttp-advproxy'; Category = 'proxy'; File = 'captures\winhttp-advproxy.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'proxy addresses'
       Each = @()
       Run = @(
           @{ Needs = 'netsh.exe'; Shown = 'netsh winhttp show advproxy'
              Block = { netsh.exe winhttp show advproxy } }) }
    @{ Id = 'firewall-profiles'; Category = 'firewall'; File = 'captures\firewall-profiles.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'netsh.exe'; Shown = 'netsh advfirewall show allprofiles'
              Block = { netsh.exe advfirewall show allprofiles } }) }
    @{ Id = 'firewall-rules'; Category = 'firewall'; File = 'captures\firewall-rules.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'names of programs that have rules'
       Each = @()
       Run = @(
           @{ Needs = 'netsh.exe'; Shown = 'netsh advfirewall firewall show rule name=all verbose'
              Block = { netsh.exe advfirewall firewall show rule name=all verbose } }) }
    @{ Id = 'firewall-log'; Category = 'firewall'; File = 'captures\pfirewall.log'
       Form = 'file'; Elevated = $true; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'addresses that the machine talked to'
       Each = @()
       Run = @(
           @{ Needs = ''; Shown = ''
              Block = { if (-not (Test-Path -LiteralPath "$env:SystemRoot\System32\LogFiles\Firewall\pfirewall.log")) { throw 'missing: the firewall writes no log' }; Copy-Item -LiteralPath "$env:SystemRoot\System32\LogFiles\Firewall\pfirewall.log" -Destination $File } }) }
    @{ Id = 'services'; Category = 'services'; File = 'captures\services.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'sc.exe'; Shown = 'sc queryex type= service state= all'
              Block = { sc.exe queryex type= service state= all } }) }
    @{ Id = 'tasklist'; Category = 'services'; File = 'captures\tasklist.txt'
       Form = 'text'; Elevated = $false; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'programs that are running'
       Each = @()
       Run = @(
           @{ Needs = 'tasklist.exe'; Shown = 'tasklist /svc'
              Block = { tasklist.exe /svc } }) }
    @{ Id = 'filters'; Category = 'services'; File = 'captures\fltmc.txt'
       Form = 'text'; Elevated = $true; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'security products'
       Each = @()
       Run = @(
           @{ Needs = 'fltmc.exe'; Shown = 'fltmc filters'
              Block = { fltmc.exe filters } }) }
    @{ Id = 'drivers'; Category = 'services'; File = 'captures\drivers.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'driverquery.exe'; Shown = 'driverquery /fo csv'
              Block = { driverquery.exe /fo csv } }) }
    @{ Id = 'systeminfo'; Category = 'system'; File = 'captures\systeminfo.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'names of computer, domain and owner; product id'
       Each = @()
       Run = @(
           @{ Needs = 'systeminfo.exe'; Shown = 'systeminfo'
              Block = { systeminfo.exe } }) }
    @{ Id = 'hotfixes'; Category = 'system'; File = 'captures\hotfixes.txt'
       Form = 'objects'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'names of the accounts that installed updates'
       Each = @()
       Run = @(
           @{ Needs = 'Get-HotFix'; Shown = 'Get-HotFix'
              Block = { Get-HotFix } }) }
    @{ Id = 'time-status'; Category = 'system'; File = 'captures\w32tm-status.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'name of the time server'
       Each = @()
       Run = @(
           @{ Needs = 'w32tm.exe'; Shown = 'w32tm /query /status /verbose'
              Block = { w32tm.exe /query /status /verbose } }) }
    @{ Id = 'dsregcmd'; Category = 'identity'; File = 'captures\dsregcmd.txt'
       Form = 'text'; Elevated = $false; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'tenant and device ids, name of the user; no tokens'
       Each = @()
       Run = @(
           @{ Needs = 'dsregcmd.exe'; Shown = 'dsregcmd /status'
              Block = { dsregcmd.exe /status } }) }
    @{ Id = 'appx'; Category = 'identity'; File = 'captures\appx.txt'
       Form = 'objects'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'apps that are installed, SIDs of their users'
       Each = @()
       Run = @(
           @{ Needs = 'Get-AppxPackage'; Shown = 'Get-AppxPackage -AllUsers'
              Block = { if (-not $IsElevated) { throw 'missing: needs elevation' }; Get-AppxPackage -AllUsers } }
           @{ Needs = 'Get-AppxPackage'; Shown = 'Get-AppxPackage'
              Block = { Get-AppxPackage } }) }
    @{ Id = 'profile-listing'; Category = 'identity'; File = 'users\{1}\listing-{0}.txt'
       Form = 'text'; Elevated = $false; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'names, sizes and times of files; never what is in them'
       Each = @(
           '%PROFILE%\AppData\Local\Packages\Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy',
           '%PROFILE%\AppData\Local\Microsoft\Office\Licenses',
           '%PROFILE%\AppData\Local\Microsoft\Office\16.0\Licensing')
       Run = @(
           @{ Needs = 'cmd.exe'; Shown = ''
              Block = { if (-not (Test-Path -LiteralPath $Each)) { throw 'missing: no such folder' }; Push-Location -LiteralPath $Each -ErrorAction Stop; cmd.exe /d /c dir /a /s; Pop-Location } }) }
    @{ Id = 'ospp'; Category = 'licensing'; File = 'captures\ospp.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'the last five characters of product keys'
       Each = @()
       Run = @(
           @{ Needs = 'cscript.exe'; Shown = 'cscript "%ProgramFiles%\Microsoft Office\Office16\OSPP.VBS" /dstatus'
              Block = { $Ospp = $OfficeFolders | ForEach-Object { Join-Path $_ 'OSPP.VBS' } | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1; if (-not $Ospp) { throw 'missing: Office has no OSPP.VBS here' }; cscript.exe //nologo $Ospp /dstatus } }) }
    @{ Id = 'vnextdiag'; Category = 'licensing'; File = 'captures\vnextdiag.txt'
       Form = 'text'; Elevated = $false; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'accounts that have licences, tenant id'
       Each = @()
       Run = @(
           @{ Needs = 'powershell.exe'; Shown = 'powershell -File "%ProgramFiles%\Microsoft Office\Office16\vNextDiag.ps1" -action list'
              Block = { $Script = $OfficeFolders | ForEach-Object { Join-Path $_ 'vNextDiag.ps1' } | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1; if (-not $Script) { throw 'missing: Office has no vNextDiag.ps1 here' }; powershell.exe -NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -File $Script -action list } }) }
    @{ Id = 'acl-network-service'; Category = 'licensing'; File = 'captures\acl-network-service.txt'
       Form = 'text'; Elevated = $true; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'Get-Acl'; Shown = 'Get-Acl ''Registry::HKEY_USERS\S-1-5-20'''
              Block = { Get-Acl -Path 'Registry::HKEY_USERS\S-1-5-20', 'Registry::HKEY_USERS\S-1-5-20\Software\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform' | Format-List } }) }
    @{ Id = 'log-system'; Category = 'logs'; File = 'logs\System.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'System'
       Privacy = 'names of computers, services and servers'
       Each = @()
       Run = @() }
    @{ Id = 'log-application'; Category = 'logs'; File = 'logs\Application.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Application'
       Privacy = 'programs that were used and that crashed'
       Each = @()
       Run = @() }
    @{ Id = 'log-oalerts'; Category = 'logs'; File = 'logs\OAlerts.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'OAlerts'
       Privacy = 'texts of Office dialogs, with names of documents'
       Each = @()
       Run = @() }
    @{ Id = 'log-aad'; Category = 'logs'; File = 'logs\AAD-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Microsoft-Windows-AAD/Operational'
       Privacy = 'sign-in names, tenant and device ids; no tokens'
       Each = @()
       Run = @() }
    @{ Id = 'log-user-device-registration'; Category = 'logs'; File = 'logs\UserDeviceRegistration-Admin.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-User Device Registration/Admin'
       Privacy = 'tenant and device ids'
       Each = @()
       Run = @() }
    @{ Id = 'log-ncsi'; Category = 'logs'; File = 'logs\NCSI-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-NCSI/Operational'
       Privacy = 'names of networks'
       Each = @()
       Run = @() }
    @{ Id = 'log-networkprofile'; Category = 'logs'; File = 'logs\NetworkProfile-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-NetworkProfile/Operational'
       Privacy = 'names of networks'
       Each = @()
       Run = @() }
    @{ Id = 'log-nlasvc'; Category = 'logs'; File = 'logs\NlaSvc-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-NlaSvc/Operational'
       Privacy = 'names of networks and domains'
       Each = @()
       Run = @() }
    @{ Id = 'log-dns-client'; Category = 'logs'; File = 'logs\DNSClient-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Microsoft-Windows-DNS Client Events/Operational'
       Privacy = 'every name that was looked up, where somebody switched this log on'
       Each = @()
       Run = @() }
    @{ Id = 'log-winhttp'; Category = 'logs'; File = 'logs\WinHttp-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-WinHttp/Operational'
       Privacy = 'hosts of requests'
       Each = @()
       Run = @() }
    @{ Id = 'log-wininet-config'; Category = 'logs'; File = 'logs\WinINetConfig-ProxyConfigChanged.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-WinINet-Config/ProxyConfigChanged'
       Privacy = 'proxy addresses'
       Each = @()
       Run = @() }
    @{ Id = 'log-bits'; Category = 'logs'; File = 'logs\Bits-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-Bits-Client/Operational'
       Privacy = 'addresses of downloads'
       Each = @()
       Run = @() }
    @{ Id = 'log-capi2'; Category = 'logs'; File = 'logs\CAPI2-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Microsoft-Windows-CAPI2/Operational'
       Privacy = 'certificates of sites that were visited, where somebody switched this log on'
       Each = @()
       Run = @() }
    @{ Id = 'log-winsock-catalog'; Category = 'logs'; File = 'logs\WinsockCatalogChange-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-Winsock Catalog Change/Operational'
       Privacy = 'none'
       Each = @()
       Run = @() }
    @{ Id = 'log-winsock-ws2help'; Category = 'logs'; File = 'logs\WinsockWS2HELP-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-Winsock-WS2HELP/Operational'
       Privacy = 'none'
       Each = @()
       Run = @() }
    @{ Id = 'log-appx-deployment'; Category = 'logs'; File = 'logs\AppXDeploymentServer-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-AppXDeploymentServer/Operational'
       Privacy = 'apps that were installed'
       Each = @()
       Run = @() }
    @{ Id = 'log-appmodel-runtime'; Category = 'logs'; File = 'logs\AppModelRuntime-Admin.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-AppModel-Runtime/Admin'
       Privacy = 'apps that were started'
       Each = @()
       Run = @() }
    @{ Id = 'log-applocker-packaged'; Category = 'logs'; File = 'logs\AppLocker-PackagedExecution.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-AppLocker/Packaged app-Execution'
       Privacy = 'apps that were started, where AppLocker is used'
       Each = @()
       Run = @() }
    @{ Id = 'log-applocker-deployment'; Category = 'logs'; File = 'logs\AppLocker-PackagedDeployment.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-AppLocker/Packaged app-Deployment'
       Privacy = 'apps that were installed, where AppLocker is used'
       Each = @()
       Run = @() }
    @{ Id = 'log-applocker-exe'; Category = 'logs'; File = 'logs\AppLocker-ExeDll.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Microsoft-Windows-AppLocker/EXE and DLL'
       Privacy = 'programs that were started, where AppLocker is used'
       Each = @()
       Run = @() }
    @{ Id = 'log-applocker-script'; Category = 'logs'; File = 'logs\AppLocker-MsiScript.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Microsoft-Windows-AppLocker/MSI and Script'
       Privacy = 'scripts and installers that were started, where AppLocker is used'
       Each = @()
       Run = @() }
    @{ Id = 'log-code-integrity'; Category = 'logs'; File = 'logs\CodeIntegrity-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-CodeIntegrity/Operational'
       Privacy = 'programs that were blocked'
       Each = @()
       Run = @() }
    @{ Id = 'log-defender'; Category = 'logs'; File = 'logs\Defender-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $true; Unless = ''; Channel = 'Microsoft-Windows-Windows Defender/Operational'
       Privacy = 'files and sites that Defender acted on'
       Each = @()
       Run = @() }
    @{ Id = 'log-firewall'; Category = 'logs'; File = 'logs\Firewall.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-Windows Firewall With Advanced Security/Firewall'
       Privacy = 'programs that have rules'
       Each = @()
       Run = @() }
    @{ Id = 'log-windows-update'; Category = 'logs'; File = 'logs\WindowsUpdateClient-Operational.evtx'
       Form = 'log'; Elevated = $false; Personal = $false; Unless = ''; Channel = 'Microsoft-Windows-WindowsUpdateClient/Operational'
       Privacy = 'names of updates'
       Each = @()
       Run = @() }
    @{ Id = 'hive-system'; Category = 'registry'; File = 'registry\SYSTEM.hiv'
       Form = 'file'; Elevated = $true; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'settings of Windows and of its drivers, names of networks and computers'
       Each = @()
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { reg.exe save HKLM\SYSTEM $File /y } }) }
    @{ Id = 'hive-software'; Category = 'registry'; File = 'registry\SOFTWARE.hiv'
       Form = 'file'; Elevated = $true; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'installed programs and their settings; not collected when it holds the password of an automatic logon'
       Each = @()
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { if ((Get-ItemProperty -LiteralPath 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon').DefaultPassword) { throw 'skipped: the hive holds the password of an automatic logon' }; reg.exe save HKLM\SOFTWARE $File /y } }) }
    @{ Id = 'hive-network-service'; Category = 'registry'; File = 'registry\NetworkService.hiv'
       Form = 'file'; Elevated = $true; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { reg.exe save HKU\S-1-5-20 $File /y } }) }
    @{ Id = 'hive-local-service'; Category = 'registry'; File = 'registry\LocalService.hiv'
       Form = 'file'; Elevated = $true; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { reg.exe save HKU\S-1-5-19 $File /y } }) }
    @{ Id = 'hive-local-system'; Category = 'registry'; File = 'registry\Default.hiv'
       Form = 'file'; Elevated = $true; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'none'
       Each = @()
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { reg.exe save HKU\.DEFAULT $File /y } }) }
    @{ Id = 'hive-user'; Category = 'registry'; File = 'users\{1}\NTUSER.hiv'
       Form = 'file'; Elevated = $true; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'everything that programs store for the user: account names, recent documents and folders, settings'
       Each = @(
           '%USER%')
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { reg.exe save $Each $File /y } }
           @{ Needs = ''; Shown = ''
              Block = { Copy-Item -LiteralPath (Join-Path $ProfilePath 'NTUSER.DAT') -Destination $File } }) }
    @{ Id = 'hive-user-classes'; Category = 'registry'; File = 'users\{1}\UsrClass.hiv'
       Form = 'file'; Elevated = $true; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'apps and opened folders of the user'
       Each = @(
           '%USER%_Classes')
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { reg.exe save $Each $File /y } }
           @{ Needs = ''; Shown = ''
              Block = { Copy-Item -LiteralPath (Join-Path $ProfilePath 'AppData\Local\Microsoft\Windows\UsrClass.dat') -Destination $File } }) }
    @{ Id = 'keys-system'; Category = 'registry'; File = 'registry\keys-system-{0}.reg'
       Form = 'file'; Elevated = $false; Personal = $false; Unless = 'hive-system'; Channel = ''
       Privacy = 'addresses, names of the computer and of networks'
       Each = @(
           'HKEY_LOCAL_MACHINE\SYSTEM\Select',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\CloudDomainJoin',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Cryptography\Configuration\Local',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\ProductOptions',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\TimeZoneInformation',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Class\{4d36e972-e325-11ce-bfc1-08002be10318}',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Network\{4D36E974-E325-11CE-BFC1-08002BE10318}',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\AFD',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\AppIDSvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\BFE',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\ClickToRunSvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\CryptSvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\DcomLaunch',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Dhcp',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Dnscache',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MpsSvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\NcdAutoSetup',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\netprofm',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\NlaSvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\nsi',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\nsiproxy',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\ProfSvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\RpcEptMapper',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\RpcSs',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\sppsvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip6',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\TokenBroker',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\UserManager',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\W32Time',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\WinHttpAutoProxySvc',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\WinSock2')
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { if (-not (Test-Path -LiteralPath "Registry::$Each")) { throw 'missing: no such key' }; reg.exe export $Each $File /y } }) }
    @{ Id = 'keys-software'; Category = 'registry'; File = 'registry\keys-software-{0}.reg'
       Form = 'file'; Elevated = $false; Personal = $false; Unless = 'hive-software'; Channel = ''
       Privacy = 'installed programs, policies, names of the users'' folders'
       Each = @(
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\AppCompatFlags\Layers',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\CDJ',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\.NETFramework',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Protect',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\EdgeUpdate\Clients',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\EnterpriseCertificates',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office\ClickToRun\Configuration',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office\14.0\Registration',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office\15.0\ClickToRun\Configuration',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office\15.0\Registration',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office\16.0',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\OfficeSoftwareProtectionPlatform',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\.NETFramework',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\EdgeUpdate\Clients',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\Office\ClickToRun\Configuration',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\Office\16.0',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Internet Settings',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Policies')
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { if (-not (Test-Path -LiteralPath "Registry::$Each")) { throw 'missing: no such key' }; reg.exe export $Each $File /y } }) }
    @{ Id = 'keys-values'; Category = 'registry'; File = 'registry\values-{0}.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = 'hive-software'; Channel = ''
       Privacy = 'registered owner, product id of Windows'
       Each = @(
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion',
           'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Session Manager',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server',
           'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services')
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { if (-not (Test-Path -LiteralPath "Registry::$Each")) { throw 'missing: no such key' }; reg.exe query $Each } }) }
    @{ Id = 'keys-user'; Category = 'registry'; File = 'users\{1}\keys-user-{0}.reg'
       Form = 'file'; Elevated = $false; Personal = $false; Unless = 'hive-user'; Channel = ''
       Privacy = 'sign-in names, proxy addresses, policies of the user'
       Each = @(
           '%USER%\Software\Policies',
           '%USER%\Software\Microsoft\EdgeUpdate',
           '%USER%\Software\Microsoft\Office\16.0\Common',
           '%USER%\Software\Microsoft\Office\Common\Licensing',
           '%USER%\Software\Microsoft\SystemCertificates',
           '%USER%\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders',
           '%USER%\Software\Microsoft\Windows\CurrentVersion\Internet Settings',
           '%USER%\Software\Microsoft\Windows NT\CurrentVersion\AppCompatFlags\Layers')
       Run = @(
           @{ Needs = 'reg.exe'; Shown = ''
              Block = { if (-not (Test-Path -LiteralPath "Registry::$Each")) { throw 'missing: no such key' }; reg.exe export $Each $File /y } }) }
    @{ Id = 'probe-dns'; Category = 'probe'; File = 'captures\probe-dns.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'the DNS server sees the questions'
       Each = @()
       Run = @(
           @{ Needs = 'nslookup.exe'; Shown = ''
              Block = { foreach ($Name in $ProbeNames) { "C:\>nslookup $Name"; nslookup.exe $Name } } }) }
    @{ Id = 'probe-dns-client'; Category = 'probe'; File = 'captures\probe-dns-client.txt'
       Form = 'objects'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'the DNS server sees the questions'
       Each = @()
       Run = @(
           @{ Needs = 'Resolve-DnsName'; Shown = ''
              Block = { foreach ($Name in $ProbeNames) { Resolve-DnsName -Name $Name } } }) }
    @{ Id = 'probe-msoid'; Category = 'probe'; File = 'captures\probe-msoid-{0}.txt'
       Form = 'text'; Elevated = $false; Personal = $true; Unless = ''; Channel = ''
       Privacy = 'the public DNS server 8.8.8.8 sees the domains of the sign-in names'
       Each = @(
           'msoid.%DOMAIN%')
       Run = @(
           @{ Needs = 'nslookup.exe'; Shown = ''
              Block = { nslookup.exe -type=CNAME $Each 8.8.8.8 } }) }
    @{ Id = 'probe-ncsi'; Category = 'probe'; File = 'captures\probe-connecttest.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'the server of the probe sees the address, as it does whenever Windows connects'
       Each = @()
       Run = @(
           @{ Needs = ''; Shown = 'curl http://www.msftconnecttest.com/connecttest.txt'
              Block = { (New-Object Net.WebClient).DownloadString('http://www.msftconnecttest.com/connecttest.txt') } }) }
    @{ Id = 'probe-tcp'; Category = 'probe'; File = 'captures\probe-tcp.txt'
       Form = 'objects'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'the servers see a connection that is closed at once'
       Each = @()
       Run = @(
           @{ Needs = ''; Shown = ''
              Block = { foreach ($Name in $ProbeNames) { Test-Port $Name 443 }; Test-Port 'crl.microsoft.com' 80 } }) }
    @{ Id = 'probe-time'; Category = 'probe'; File = 'captures\probe-time.txt'
       Form = 'text'; Elevated = $false; Personal = $false; Unless = ''; Channel = ''
       Privacy = 'the time server sees the address'
       Each = @()
       Run = @(
           @{ Needs = 'w32tm.exe'; Shown = 'w32tm /stripchart /computer:time.windows.com /samples:3 /dataonly'
              Block = { w32tm.exe /stripchart /computer:time.windows.com /samples:3 /dataonly } }) }
)
$ProbeNames = @(
    'Office15client.microsoft.com',
    'aadcdn.msauth.net',
    'aadcdn.msauthimages.net',
    'activation.sls.microsoft.com',
    'ajax.aspnetcdn.com',
    'cdn.odc.officeapps.live.com',
    'crl.microsoft.com',
    'dns.msftncsi.com',
    'enterpriseregistration.windows.net',
    'go.microsoft.com',
    'login.microsoft.com',
    'login.microsoftonline.com',
    'login.windows.net',
    'odc.officeapps.live.com',
    'officecdn.microsoft.com',
    'officeclient.microsoft.com',
    'ols.officeapps.live.com',
    'www.microsoft.com')
# END TABLE

# Variables that name a proxy, and those by which a whole environment is known. No other variable is read.
$EnvironmentNames = 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'FTP_PROXY', 'COMPUTERNAME', 'ComSpec', 'NUMBER_OF_PROCESSORS',
    'OS', 'Path', 'PATHEXT', 'ProgramData', 'SystemRoot', 'windir', 'USERNAME', 'USERDOMAIN', 'USERPROFILE'

# ---------------------------------------------------------------------------------------------------------------------------------
# Helpers

# Only the result folder is written to; this and Copy-Item, reg save/export and wevtutil epl below are the only places that write.
function Write-TextFile([string]$Path, [string]$Text) {
    [IO.File]::WriteAllText($Path, $Text, (New-Object Text.UTF8Encoding $true))
}

# JSON as ASCII, for every PowerShell the same (ConvertTo-Json is not there before 3.0).
function ConvertTo-JsonText($Value) {
    if ($null -eq $Value) { return 'null' }
    if ($Value -is [bool]) { return "$Value".ToLower() }
    if ($Value -is [int] -or $Value -is [long]) { return "$Value" }
    if ($Value -is [Collections.IDictionary]) {
        $Pairs = foreach ($Key in $Value.Keys) { (ConvertTo-JsonText "$Key") + ': ' + (ConvertTo-JsonText $Value[$Key]) }
        return '{' + (@($Pairs) -join ', ') + '}'
    }
    if ($Value -is [array]) {
        return "[`r`n" + (@($Value | ForEach-Object { ConvertTo-JsonText $_ }) -join ",`r`n") + "`r`n]"
    }
    $Text = New-Object Text.StringBuilder
    foreach ($Char in "$Value".ToCharArray()) {
        $Code = [int]$Char
        if ($Code -lt 32 -or $Code -gt 126 -or $Code -eq 34 -or $Code -eq 92) { [void]$Text.Append('\u{0:x4}' -f $Code) }
        else { [void]$Text.Append($Char) }
    }
    return '"' + $Text.ToString() + '"'
}

# The sortable form is the same in every culture and calendar.
function Get-Rfc3339([DateTime]$Utc) { $Utc.ToString('s') + 'Z' }

# SHA-256 of a file in hex. The first way is refused where only FIPS modules are allowed; the second needs .NET 3.5.
function Get-Sha256([string]$Path) {
    try { $Hash = [Security.Cryptography.SHA256]::Create() }
    catch {
        try { Add-Type -AssemblyName System.Core; $Hash = New-Object Security.Cryptography.SHA256CryptoServiceProvider }
        catch { return $null }
    }
    $Stream = [IO.File]::OpenRead($Path)
    try { return ([BitConverter]::ToString($Hash.ComputeHash($Stream)) -replace '-', '').ToLower() }
    finally { $Stream.Close() }
}

# What Test-NetConnection tells, for every Windows: can a TCP connection be opened? It is closed at once and nothing is sent.
function Test-Port([string]$ComputerName, [int]$Port) {
    $Client = New-Object Net.Sockets.TcpClient
    $Open = $false
    try {
        $Wait = $Client.BeginConnect($ComputerName, $Port, $null, $null)
        if ($Wait.AsyncWaitHandle.WaitOne(10000, $false)) { $Client.EndConnect($Wait); $Open = $true }
    } catch { $Open = $false }
    finally { $Client.Close() }
    New-Object PSObject -Property @{ ComputerName = $ComputerName; RemotePort = $Port; TcpTestSucceeded = $Open } |
        Select-Object ComputerName, RemotePort, TcpTestSucceeded
}

# The folder of a user's profile, from the list that Windows keeps.
function Get-ProfilePath([string]$Sid) {
    $Key = "Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$Sid"
    (Get-ItemProperty -LiteralPath $Key -ErrorAction SilentlyContinue).ProfileImagePath
}

# One row gives one file, or one for each user, key or domain: pairs of a SID and the text for $Each.
function Expand-Row($Row) {
    if ($Row.Each.Count -eq 0) { return @{ Sid = ''; Each = '' } }
    foreach ($Text in $Row.Each) {
        if ($Text.Contains('%DOMAIN%')) {
            foreach ($Domain in $Domains) { @{ Sid = ''; Each = $Text.Replace('%DOMAIN%', $Domain) } }
        } elseif ($Text.Contains('%USER%') -or $Text.Contains('%PROFILE%')) {
            foreach ($Sid in $Users) {
                @{ Sid = $Sid; Each = $Text.Replace('%USER%', "HKEY_USERS\$Sid").Replace('%PROFILE%', "$(Get-ProfilePath $Sid)") }
            }
        } else { @{ Sid = ''; Each = $Text } }
    }
}

# Runs the block of a row and writes its output. $File, $Each and $ProfilePath are what the blocks of the table use.
function Invoke-Block($Row, $Try, [string]$File, [string]$Each, [string]$ProfilePath, $Result) {
    $Result.command = "$($Try.Block)".Trim()
    $global:LASTEXITCODE = 0
    try { $Output = @(& $Try.Block 2>&1) }
    catch {
        $Message = "$($_.Exception.Message)"
        $Result.outcome = 'failed'
        if ($Message -match '^(missing|skipped): (.*)$') { $Result.outcome = $Matches[1]; $Message = $Matches[2] }
        $Result.error = $Message
        return
    }
    $Errors = @($Output | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { "$($_.Exception.Message)" })
    $Good = @($Output | Where-Object { $_ -isnot [Management.Automation.ErrorRecord] })
    $Code = $global:LASTEXITCODE
    if ($Row.Form -eq 'file') {
        if (Test-Path -LiteralPath $File) { $Result.outcome = 'success' }
        else { $Result.outcome = 'failed'; $Result.error = "$(@($Errors + $Good + "exit code $Code") | Select-Object -First 1)" }
        return
    }
    if ($Row.Form -eq 'objects') {
        $Good = @($Good | Select-Object * -ExcludeProperty Cim*, PSComputerName, RunspaceId)
        $Text = (@($Good | Format-List * | Out-String -Width 4096) + $Errors) -join "`r`n"
        if ($Good.Count -gt 0) { Write-Twin $Good $File $Result }
    } else {
        $Text = $Output | ForEach-Object { if ($_ -is [Management.Automation.ErrorRecord]) { "$($_.Exception.Message)" } else { $_ } } |
            Out-String -Width 4096
    }
    # The command stands above its output, so that an empty output is known for what it is.
    if ($Try.Shown) { $Text = "PS C:\> $($Try.Shown)`r`n$Text" }
    Write-TextFile $File "$Text"
    $Result.outcome = 'success'
    if ($Good.Count -eq 0) { $Result.outcome = 'empty' }
    if ($Errors.Count -gt 0) { $Result.error = $Errors[0]; if ($Good.Count -eq 0) { $Result.outcome = 'failed' } }
    elseif ($Code -ne 0) { $Result.outcome = 'failed'; $Result.error = "exit code $Code" }
}

# The same objects for programs: JSON, or CLIXML where this PowerShell has no JSON.
function Write-Twin($Objects, [string]$File, $Result) {
    if (Get-Command ConvertTo-Json -ErrorAction SilentlyContinue) {
        $Result.twin = $File -replace '\.txt$', '.json'
        Write-TextFile $Result.twin (ConvertTo-Json -InputObject $Objects -Depth 3 -WarningAction SilentlyContinue)
    } else {
        $Result.twin = $File -replace '\.txt$', '.clixml'
        $Objects | Export-Clixml -Path $Result.twin -Depth 3
    }
}

# A log as far back as was asked. Its oldest record tells how far back it can tell anything.
function Invoke-LogExport($Row, [string]$File, $Result) {
    $Age = [long]$Days * 86400000
    $Query = "*[System[TimeCreated[timediff(@SystemTime) <= $Age]]]"
    $Result.command = "wevtutil.exe epl $($Row.Channel) $File /q:$Query"
    $Oldest = "$(wevtutil.exe qe $Row.Channel /c:1 /f:xml 2>&1)"
    if ($global:LASTEXITCODE -ne 0) {
        $Result.outcome = 'failed'
        # 15007: this Windows has no such log.
        if ($global:LASTEXITCODE -eq 15007) { $Result.outcome = 'missing' }
        $Result.error = $Oldest.Trim()
        return
    }
    $First = $null
    if ($Oldest -match "SystemTime=['""]([^'""]+)['""]") { $First = $Matches[1] }
    $Result.log = @{ channel = $Row.Channel; from = (Get-Rfc3339 $Started.AddDays(-$Days)); oldest = $First }
    $Said = "$(wevtutil.exe epl $Row.Channel $File "/q:$Query" 2>&1)"
    if (Test-Path -LiteralPath $File) {
        $Result.outcome = 'success'
        if ($null -eq $First) { $Result.outcome = 'empty' }
    } else { $Result.outcome = 'failed'; $Result.error = $Said.Trim() }
}

# A zip with what the machine has: .NET 4.5, else the Explorer's zip folders. Nothing when neither works.
function Compress-Result([string]$Folder, [string]$Zip) {
    try {
        Add-Type -AssemblyName System.IO.Compression.FileSystem
        [IO.Compression.ZipFile]::CreateFromDirectory($Folder, $Zip)
        return (Test-Path -LiteralPath $Zip)
    } catch { Write-Verbose "no zip from .NET: $_" }
    try {
        $Empty = [byte[]](@(80, 75, 5, 6) + @(0) * 18)
        [IO.File]::WriteAllBytes($Zip, $Empty)
        $Shell = New-Object -ComObject Shell.Application
        $Wanted = @(Get-ChildItem -Path $Folder -Force).Count
        # 20: no window, yes to all.
        $Shell.NameSpace($Zip).CopyHere($Shell.NameSpace($Folder).Items(), 20)
        # The Explorer works on its own and says nothing when it is done: wait until all is in and the size stays for five seconds.
        $Size = -1
        for ($Second = 0; $Second -lt 600; $Second += 5) {
            Start-Sleep -Seconds 5
            $Now = (Get-Item -LiteralPath $Zip).Length
            if ($Shell.NameSpace($Zip).Items().Count -ge $Wanted -and $Now -eq $Size) { return $true }
            $Size = $Now
        }
    } catch { Write-Verbose "no zip from the Explorer: $_" }
    return $false
}

# ---------------------------------------------------------------------------------------------------------------------------------
# Who and where

if ($env:PROCESSOR_ARCHITEW6432) {
    Write-Host 'This is 32-bit PowerShell on 64-bit Windows: it sees other settings than Office does. Start it from'
    Write-Host "$env:SystemRoot\Sysnative\WindowsPowerShell\v1.0\powershell.exe"
    exit 4
}
$Me = [Security.Principal.WindowsIdentity]::GetCurrent()
$IsElevated = (New-Object Security.Principal.WindowsPrincipal $Me).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
$Person = '^S-1-(5-21|12-1)-[0-9-]+$'
if ($User) {
    $Users = @($User)
    if ($User -notmatch $Person) {
        try { $Users = @((New-Object Security.Principal.NTAccount $User).Translate([Security.Principal.SecurityIdentifier]).Value) }
        catch { Write-Host "There is no user $User here."; exit 2 }
    }
} else {
    $Users = @(Get-ChildItem -Path 'Registry::HKEY_USERS' -ErrorAction SilentlyContinue | ForEach-Object { $_.PSChildName } |
            Where-Object { $_ -match $Person })
}
$Domains = @(foreach ($Sid in $Users) {
        Get-ChildItem -Path "Registry::HKEY_USERS\$Sid\Software\Microsoft\Office\16.0\Common\Identity\Identities" -ErrorAction SilentlyContinue |
            ForEach-Object { (Get-ItemProperty -LiteralPath $_.PSPath).EmailAddress } |
            Where-Object { $_ -match '@[A-Za-z0-9.-]+$' } | ForEach-Object { $_.Split('@')[-1].ToLower() }
    })
$Domains = @($Domains | Where-Object { $_ } | Sort-Object -Unique)
$OfficeFolders = foreach ($Root in $env:ProgramFiles, ${env:ProgramFiles(x86)}) {
    if ($Root) { foreach ($Name in 'Office16', 'Office15', 'root\Office16') { Join-Path $Root "Microsoft Office\$Name" } }
}
$Category = @($Category | ForEach-Object { $_.Split(',') } | ForEach-Object { $_.Trim() } | Where-Object { $_ })
$Unknown = @($Category | Where-Object { $Name = $_; -not ($Table | Where-Object { $_.Category -eq $Name }) })
if ($Unknown.Count -gt 0) { Write-Host "There is no category $Unknown."; exit 2 }

# ---------------------------------------------------------------------------------------------------------------------------------
# Consent

$Chosen = @($Table | Where-Object { ($Category.Count -eq 0 -or $Category -contains $_.Category) -and ($Probe -or $_.Category -ne 'probe') })
Write-Host @"
This script collects evidence about the activation of Microsoft 365 Apps on $env:COMPUTERNAME.
It reads settings, event logs of the last $Days days and the outputs of Windows' own commands. It changes no setting and sends nothing:
the result stays in $OutputPath until you pass it on.
The result holds personal data: names of users, computers and networks, programs in use, addresses.
It does not hold passwords, tokens, the contents of TokenBroker folders, the Security log, documents or pictures. Registry hives hold
whatever programs store in them; -NoPersonal leaves them out and takes single keys.
Users: $Users
"@
if ($Probe) {
    Write-Host @"
-Probe also asks the network, with this machine's address as the sender:
  DNS questions, and TCP connections to port 443 that are closed at once, for
    $($ProbeNames -join "`r`n    ")
  a TCP connection to port 80 of crl.microsoft.com
  http://www.msftconnecttest.com/connecttest.txt
  the time of time.windows.com
  DNS questions to 8.8.8.8 for msoid.<domain of each sign-in name>: $Domains
"@
}
if ($WhatIf) {
    $Chosen | ForEach-Object { Write-Host ('{0,-10} {1,-28} {2}' -f $_.Category, $_.Id, $_.Privacy) }
    exit 0
}
if (-not $AcceptConsent) {
    if ((Read-Host 'Type YES to go on') -ne 'YES') { Write-Host 'Nothing was collected.'; exit 3 }
}

# ---------------------------------------------------------------------------------------------------------------------------------
# Collection

# After consent: a person may take any time to answer, and the times of the collection are compared with this one.
$Started = (Get-Date).ToUniversalTime()
$Name = $CaseId
if (-not $Name) { $Name = 'case' }
if (-not $CaseId -and -not $NoPersonal) { $Name = $env:COMPUTERNAME }
$Name = 'actriage-' + ($Name -replace '[^A-Za-z0-9._-]', '_') + '-' + ($Started.ToString('s') -replace '[:-]', '')
try { $Folder = (New-Item -ItemType Directory -Path (Join-Path $OutputPath $Name) -ErrorAction Stop).FullName }
catch { Write-Host "Cannot write to ${OutputPath}: $_"; exit 2 }

$Items = @()
$Collected = @()
$Spent = [long]0
foreach ($Row in $Chosen) {
    Write-Progress -Activity 'Collecting evidence' -Status $Row.Id -PercentComplete (100 * [array]::IndexOf($Chosen, $Row) / $Chosen.Count)
    $Number = 0
    $Parts = @(Expand-Row $Row)
    if ($Parts.Count -eq 0) { $Parts = @(@{ Sid = 'none'; Each = '' }) }
    foreach ($Part in $Parts) {
        $Number++
        $Path = $Row.File -f $Number, $Part.Sid
        $File = Join-Path $Folder $Path
        $Watch = [Diagnostics.Stopwatch]::StartNew()
        $Result = @{ outcome = 'skipped'; error = $null; command = $null; log = $null; twin = $null }
        if ($NoPersonal -and $Row.Personal) { $Result.error = 'personal (-NoPersonal)' }
        elseif ($Row.Unless -and $Collected -contains $Row.Unless) { $Result.error = "not needed beside $($Row.Unless)" }
        elseif ($Spent -gt [long]$MaxMB * 1048576) { $Result.error = "the result has $MaxMB MB already (-MaxMB)" }
        elseif ($Part.Sid -eq 'none') { $Result.outcome = 'missing'; $Result.error = 'no user is signed in, or none with a sign-in name' }
        elseif ($Row.Elevated -and -not $IsElevated) { $Result.outcome = 'missing'; $Result.error = 'needs elevation' }
        else {
            $Parent = Split-Path -Parent $File
            if (-not (Test-Path -LiteralPath $Parent)) { [void](New-Item -ItemType Directory -Path $Parent) }
            if ($Row.Form -eq 'log') { Invoke-LogExport $Row $File $Result }
            foreach ($Try in $Row.Run) {
                if ($Result.outcome -eq 'success' -or $Result.outcome -eq 'empty') { break }
                if ($Try.Needs -and -not (Get-Command $Try.Needs -ErrorAction SilentlyContinue)) {
                    $Result.outcome = 'missing'; $Result.error = "$($Try.Needs) is not on this Windows"
                } else { $Result.error = $null; Invoke-Block $Row $Try $File $Part.Each (Get-ProfilePath $Part.Sid) $Result }
            }
        }
        if ($Result.outcome -eq 'success') { $Collected += $Row.Id }
        foreach ($Written in @($File, $Result.twin | Where-Object { $_ })) {
            $Relative = $null; $Bytes = $null; $Sha256 = $null
            if (Test-Path -LiteralPath $Written -PathType Leaf) {
                $Relative = $Written.Substring($Folder.Length + 1) -replace '\\', '/'
                $Bytes = [long](Get-Item -LiteralPath $Written -Force).Length
                $Sha256 = Get-Sha256 $Written
                $Spent += $Bytes
            }
            $Item = New-Object Collections.Specialized.OrderedDictionary
            $Item.Add('id', $Row.Id)
            $Item.Add('each', $Part.Each)
            $Item.Add('command', $Result.command)
            $Item.Add('outcome', $Result.outcome)
            $Item.Add('error', $Result.error)
            $Item.Add('path', $Relative)
            $Item.Add('bytes', $Bytes)
            $Item.Add('sha256', $Sha256)
            $Item.Add('milliseconds', [long]$Watch.ElapsedMilliseconds)
            $Item.Add('log', $Result.log)
            $Items += $Item
        }
    }
}
# PowerShell 2.0 asks for a status even then.
Write-Progress -Activity 'Collecting evidence' -Status 'Done' -Completed

# ---------------------------------------------------------------------------------------------------------------------------------
# Manifest, zip, summary

$ScriptHash = $null
if ($MyInvocation.MyCommand.Path) { $ScriptHash = Get-Sha256 $MyInvocation.MyCommand.Path }
$Affected = $null
if ($User) { $Affected = $Users[0] }
$Manifest = New-Object Collections.Specialized.OrderedDictionary
$Manifest.Add('schema', 'actriage.manifest/1')
$Manifest.Add('script_version', $ScriptVersion)
$Manifest.Add('script_sha256', $ScriptHash)
$Manifest.Add('case_id', $CaseId)
$Manifest.Add('collected_at', (Get-Rfc3339 $Started))
$Manifest.Add('local_time', $Started.ToLocalTime().ToString('s'))
# Minutes to add to local time for UTC, as Windows counts.
$Manifest.Add('bias_minutes', -[int][TimeZone]::CurrentTimeZone.GetUtcOffset($Started.ToLocalTime()).TotalMinutes)
$Manifest.Add('culture', (Get-Culture).Name)
$Manifest.Add('ui_culture', (Get-UICulture).Name)
$Manifest.Add('ansi_code_page', (Get-Culture).TextInfo.ANSICodePage)
$Manifest.Add('oem_code_page', (Get-Culture).TextInfo.OEMCodePage)
$Manifest.Add('console_code_page', [Console]::OutputEncoding.CodePage)
$Manifest.Add('powershell', "$($PSVersionTable.PSVersion)")
$Manifest.Add('windows', "$([Environment]::OSVersion.Version)")
$Manifest.Add('elevated', $IsElevated)
$Manifest.Add('user_sid', $Me.User.Value)
$Manifest.Add('affected_user_sid', $Affected)
$Manifest.Add('users', @($Users))
$Manifest.Add('days', $Days)
$Manifest.Add('probe', [bool]$Probe)
$Manifest.Add('no_personal', [bool]$NoPersonal)
$Manifest.Add('items', @($Items))
Write-TextFile (Join-Path $Folder 'manifest.json') (ConvertTo-JsonText $Manifest)

$Where = $Folder
if (Compress-Result $Folder "$Folder.zip") {
    $Where = "$Folder.zip"
    # The folder that this script made above; its content is in the zip.
    Remove-Item -LiteralPath $Folder -Recurse -Force
}
$Open = @($Items | Where-Object { 'missing', 'failed' -contains $_['outcome'] })
foreach ($Group in $Items | Group-Object { $_['outcome'] } | Sort-Object Name) { Write-Host ('{0,6} {1}' -f $Group.Count, $Group.Name) }
foreach ($Item in $Open) { Write-Host ('       {0}: {1} {2}' -f $Item['outcome'], $Item['id'], $Item['error']) }
Write-Host "Result: $Where"
if ($Open.Count -gt 0) { exit 1 }
exit 0
