//! Outputs stirred together: lines of every form in any order, with bytes of their own. Runs without the collection.

use actriage::artifact::capture::{self, CaptureStatus};
use actriage::artifact::text::Text;
use proptest::prelude::*;

/// One or two telling lines of each form that is read here.
const LINES: &[&str] = &[
    "",
    "+----------------------------------------------------------------------+",
    "| Device State                                                         |",
    "| Work Account 1                                                       |",
    "             AzureAdJoined : YES",
    "     AcquirePrtDiagnostics : PRESENT",
    "            Attempt Status : 0xc000006d",
    "    AzureAdJoined: YES",
    "Host Name:                 PC",
    "OS Version:                10.0.19045 N/A Build 19045",
    "Hotfix(s):                 2 Hotfix(s) Installed.",
    "                           [01]: KB5031592",
    "Network Card(s):           1 NIC(s) Installed.",
    "                                 DHCP Enabled:    Yes",
    "Leap Indicator: 0(no warning)",
    "ReferenceId: 0x0D5F41FB (source IP:  13.95.65.251)",
    "08:23:44, +00.0022650s",
    "[TimeProviders]",
    "NtpServer: time.windows.com,0x9 (Local)",
    "---Processing--------------------------",
    "LICENSE NAME: Office 16, Office16O365ProPlusR_Subscription1 edition",
    "LICENSE STATUS:  ---LICENSED---",
    "========== Mode per ProductReleaseId ==========",
    "========== vNext licenses found ==========",
    "O365ProPlusRetail = vNext",
    "{ \"LicenseState\": \"Licensed\", \"EntitlementStatus\": \"Active\" }",
    "No licenses found.",
    "Image Name                     PID Services",
    "========================= ======== ============================================",
    "lsass.exe                      628 KeyIso, SamSs",
    "                                   Power",
    "Caption  CSName  HotFixID   InstalledOn  ",
    "x        PC      KB5031592  3/18/2014    ",
    "HotFixID=KB5031592",
    "Name                   : Microsoft.AAD.BrokerPlugin",
    "PackageFamilyName      : Microsoft.AAD.BrokerPlugin_cw5n1h2txyewy",
    "PackageUserInformation : {S-1-5-18 [S-1-5-18]: Staged,",
    "Path   : Microsoft.PowerShell.Core\\Registry::HKEY_USERS\\S-1-5-20",
    "Access : NT AUTHORITY\\NETWORK SERVICE Allow  FullControl",
    "Sddl   : O:BAG:SYD:P(A;OICI;KA;;;NS)",
    " Directory of C:\\Windows",
    "11/20/2026  09:12 AM             1,234 a file.txt",
    "               1 File(s)          1,234 bytes",
    "C:.",
    "├───5",
    "│       a.lic",
    "Mode                 LastWriteTime         Length Name",
    "-a----        20/11/2026     09:12           2048 a.lic",
];

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(LINES).prop_map(str::to_owned),
        // A line cut anywhere, or with something strange in it.
        2 => (prop::sample::select(LINES), 0..80_usize).prop_map(|(line, end)| line.chars().take(end).collect()),
        1 => (prop::sample::select(LINES), "\\PC{0,6}").prop_map(|(line, more)| format!("{line}{more}")),
        1 => "\\PC{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_mixture_is_read_to_its_end(lines in prop::collection::vec(line(), 0..60)) {
        let text = Text::decode(lines.join("\r\n").as_bytes());
        for reader in capture::READERS {
            let block = capture::Block::whole(&text);
            let reading = (reader.read)(&block);
            prop_assert_eq!(reading.reason.is_none(), reading.status == CaptureStatus::Parsed);
            prop_assert!(serde_json::to_string(&reading.data).is_ok());
        }
        let mut last = 0;
        for found in capture::read(&text) {
            prop_assert!(found.line_from > last && found.line_to >= found.line_from);
            last = found.line_to;
        }
    }
}
