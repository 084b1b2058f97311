//! dsregcmd, Office licences and packages.

use actriage::artifact::capture::appx_packages::Form;
use actriage::artifact::capture::dsregcmd::typed::{
    Context, DeviceAuth, Flag, KeyTest, PrtAttempt, TestResult,
};
use actriage::artifact::capture::vnextdiag::{Part, Sharing};
use actriage::artifact::capture::{CaptureStatus, dsregcmd, ospp, vnextdiag};

use super::read_as;

fn flag(found: Option<dsregcmd::typed::At<Flag>>) -> (u32, Flag) {
    found.map(|flag| (flag.line, flag.value)).unwrap()
}

#[test]
fn a_hybrid_joined_device_that_gets_no_token() {
    let (status, _, data) = read_as!("dsregcmd_status/en-win10-2", Dsregcmd);
    assert_eq!(status, CaptureStatus::Parsed);
    assert_eq!(flag(data.azure_ad_joined()), (4, Flag::Yes));
    assert_eq!(flag(data.enterprise_joined()), (5, Flag::No));
    assert_eq!(flag(data.domain_joined()), (6, Flag::Yes));
    assert_eq!(flag(data.workplace_joined()), (54, Flag::No));
    assert_eq!(flag(data.wam_default_set()), (55, Flag::Yes));
    assert_eq!(flag(data.tpm_protected()), (18, Flag::No));
    assert_eq!(flag(data.azure_ad_prt()), (64, Flag::No));
    assert_eq!(flag(data.enterprise_prt()), (78, Flag::Yes));
    assert_eq!(flag(data.aad_recovery_enabled()), (90, Flag::No));
    assert_eq!(flag(data.is_user_azure_ad()), (98, Flag::Yes));
    assert_eq!(flag(data.session_is_not_remote()), (102, Flag::Yes));
    assert_eq!(data.device_auth_status().map(|at| (at.line, at.value)), Some((19, DeviceAuth::Success)));
    assert_eq!(data.key_sign_test().map(|at| (at.line, at.value)), Some((91, KeyTest::Passed)));
    let (from, to) = data.device_certificate_validity().unwrap().value;
    assert_eq!(
        (from.to_string(), to.to_string()),
        ("2019-01-11T21:02:50Z".into(), "2029-01-11T21:32:50Z".into())
    );
    assert_eq!(data.azure_ad_prt_update_time(), None);
    assert_eq!(data.user_context(), None);
    let blocks = data.prt_diagnostics();
    assert_eq!((blocks.len(), blocks[0].attempt, blocks[0].line), (1, PrtAttempt::Acquire, 66));
    assert_eq!(blocks[0].attempt_status().map(|at| (at.line, at.value)), Some((68, 0xc000_006d)));
    assert_eq!(blocks[0].entry("User Identity").unwrap().value, "john@contoso.com");
    assert_eq!(blocks[0].entry("HTTP Status").unwrap().value, "400");
    let description = blocks[0].entry("Server Error Description").unwrap();
    assert_eq!(
        description.value,
        "AADSTS50126: Error validating credentials due to invalid username or password."
    );
    let server = data.entry("SSO State", "EnterprisePrtAuthority").unwrap();
    assert_eq!(
        (server.line, server.value.as_str()),
        (81, "https://fs.hybridadfs.nttest.microsoft.com:443/adfs")
    );
    assert_eq!(
        data.entry("Ngc Prerequisite Check", "LogonCertTemplateReady").unwrap().value,
        "YES ( StateReady )"
    );
}

#[test]
fn pre_join_diagnostics() {
    let (_, _, data) = read_as!("dsregcmd_status/en-win10-4", Dsregcmd);
    assert_eq!(data.user_context().map(|at| (at.line, at.value)), Some((6, Context::UnElevated)));
    let time = data.client_time().unwrap();
    assert_eq!((time.line, time.value.to_string()), (7, "2019-06-05T08:25:29Z".to_owned()));
    let result = |key| data.pre_join_test(key).map(|at| at.value);
    assert_eq!(result("AD Connectivity Test"), Some(TestResult::Pass));
    let failed = TestResult::Fail { code: Some(0x801c_0021), sub_code: Some(0x8007_2ee2) };
    assert_eq!(result("DRS Discovery Test"), Some(failed));
    assert_eq!(result("Token acquisition Test"), Some(TestResult::Skipped));
    assert_eq!(
        data.diagnostic("Error Phase").map(|entry| (entry.line, entry.value.as_str())),
        Some((18, "join"))
    );
    assert_eq!(data.diagnostic("Client ErrorCode").unwrap().value, "0x801c03f2");
    assert!(data.diagnostic("Server Message").unwrap().value.ends_with("isn't found."));
    assert_eq!(data.azure_ad_joined(), None);
}

#[test]
fn the_old_form() {
    let (status, _, data) = read_as!("dsregcmd_status/en-win10-old-1", Dsregcmd);
    assert_eq!((status, data.form), (CaptureStatus::Parsed, dsregcmd::Form::Tight));
    assert_eq!(flag(data.azure_ad_joined()), (5, Flag::Yes));
    assert_eq!(flag(data.tpm_protected()), (11, Flag::Yes));
    assert_eq!(data.key_sign_test().map(|at| (at.line, at.value)), Some((12, KeyTest::NotRun)));
    assert_eq!(flag(data.domain_joined()), (28, Flag::Yes));
    assert_eq!(flag(data.azure_ad_prt()), (42, Flag::Yes));
    assert_eq!(flag(data.wam_default_set()), (38, Flag::Yes));
    assert_eq!(data.device_id().unwrap().value, "5820fbe9-60c8-43b0-bb11-44aee233e4e7");
    assert_eq!(data.entry("Device State", "SettingsUrl").unwrap().value, "(encoded, not kept)");
}

#[test]
fn an_unjoined_server_seen_by_the_system_account() {
    for name in ["dsregcmd_status/en-win2022-1", "dsregcmd_status/en-win2022-utf16bom"] {
        let (status, _, data) = read_as!(name, Dsregcmd);
        assert_eq!(status, CaptureStatus::Parsed, "{name}");
        assert_eq!(flag(data.azure_ad_joined()), (8, Flag::No));
        assert_eq!(flag(data.workplace_joined()), (19, Flag::No));
        assert_eq!(flag(data.azure_ad_prt()), (26, Flag::No));
        assert_eq!(data.user_context().map(|at| at.value), Some(Context::System));
        assert_eq!(
            data.pre_join_test("AD Configuration Test").map(|at| (at.line, at.value)),
            Some((41, TestResult::Fail { code: Some(0x8007_0002), sub_code: None }))
        );
        // The console broke this value inside a word.
        let wrapped = data.entry("URL Specific Proxy Config", "Auto Detect PAC Status").unwrap();
        assert_eq!(
            wrapped.value,
            "Failed to auto detect the Proxy Auto-Configuration (PAC) script using WPAD. code: 0x80072f94"
        );
        assert_eq!(data.entry("IE Proxy Config for Current User", "Proxy Server List").unwrap().value, "");
        assert_eq!(data.entry("WinHttp Default Proxy Config", "Access Type").unwrap().line, 82);
        assert_eq!(flag(data.session_is_not_remote()), (93, Flag::No));
        assert!(data.prt_diagnostics().is_empty());
    }
}

#[test]
fn a_capture_that_begins_inside_a_section() {
    let (status, _, data) = read_as!("dsregcmd_status/ko-doc-win2016-1", Dsregcmd);
    assert_eq!(status, CaptureStatus::Partial);
    assert_eq!(data.sections[0].name, None);
    assert_eq!(flag(data.domain_joined()), (9, Flag::Yes));
    assert_eq!(flag(data.azure_ad_prt()), (19, Flag::No));
    assert_eq!(data.azure_ad_joined(), None, "the line is not in the capture");
    assert_eq!(data.entry("Ngc Prerequisite Check", "X509CertRequired").unwrap().line, 29);
}

#[test]
fn office_licences_of_the_older_kind() {
    let (status, _, data) = read_as!("ospp_dstatus/en-1", Ospp);
    assert_eq!((status, data.licences.len(), data.no_keys), (CaptureStatus::Parsed, 1, None));
    let licence = &data.licences[0];
    assert_eq!((licence.line, licence.state), (7, ospp::State::Licensed));
    assert_eq!(licence.status.as_ref().unwrap().line, 11);
    assert_eq!(licence.description.as_deref(), Some("Office 16, VOLUME_KMSCLIENT channel"));
    assert!(licence.is_volume());
    assert_eq!((licence.error_code, licence.grace_days), (Some(0x4004_f040), Some(179)));
    assert_eq!(licence.last5.as_deref(), Some("XXXXX"));
    let kms = licence.other.iter().find(|row| row.line == 18).unwrap();
    assert_eq!(kms.value, "42.193.139.78:16886");

    let (_, _, data) = read_as!("ospp_dstatus/en-3", Ospp);
    let states: Vec<_> = data.licences.iter().map(|licence| (licence.line, licence.state)).collect();
    assert_eq!(states, [(2, ospp::State::Notifications), (6, ospp::State::Licensed)]);
    assert_eq!(data.licences[0].error_code, Some(0xc004_f009));
    assert!(data.licences.iter().all(|licence| !licence.is_volume()));
}

#[test]
fn office_licences_of_the_current_kind() {
    let (status, _, data) = read_as!("vnextdiag/en-2", Vnextdiag);
    assert_eq!(status, CaptureStatus::Parsed);
    let mode = &data.modes.items()[0];
    assert_eq!((mode.line, mode.product.as_str(), mode.mode.as_str()), (3, "O365ProPlusRetail", "vNext"));
    assert_eq!((data.shared_computer, data.shared_computer_line), (Sharing::NotConfigured, Some(6)));
    assert_eq!(data.tokens, Part::NotShown);
    assert_eq!((data.settings.len(), data.settings[0].value.as_deref()), (3, None));
    let licence = &data.user_licences.items()[0];
    assert_eq!(licence.state, vnextdiag::State::ReducedFunctionality);
    assert_eq!(licence.entitlement_status.as_deref(), Some("Active"));
    assert_eq!(licence.not_after.as_deref(), Some("2024-02-01T00:00:00Z"));
    assert_eq!(
        (licence.license_id_prefix.as_deref(), licence.entitlement_expiration.as_deref()),
        (Some("EWW"), None)
    );
    assert_eq!(data.device_licences, Part::None(32));

    let (status, _, data) = read_as!("vnextdiag/en-3", Vnextdiag);
    assert_eq!(status, CaptureStatus::Parsed);
    assert_eq!((data.modes, data.shared_computer), (Part::None(3), Sharing::Enabled));
    assert_eq!((data.shared_computer_line, data.tokens), (Some(6), Part::None(7)));
    assert_eq!((data.user_licences, data.device_licences), (Part::None(15), Part::None(18)));
}

#[test]
fn packages_of_an_inventory_agent() {
    let (status, _, data) = read_as!("get_appxpackage/ru-win10-1", AppxPackages);
    assert_eq!((status, data.form, data.packages.len()), (CaptureStatus::Partial, Form::Inventory, 8));
    assert!(!data.covers_system_packages());
    let first = &data.packages[0];
    assert_eq!((first.line, first.name.as_deref()), (1, Some("Microsoft.Windows.FileExplorer")));
    assert_eq!(first.family.as_deref(), Some("Microsoft.Windows.FileExplorer_cw5n1h2txyewy"));
    assert_eq!((first.version.as_deref(), first.status.as_ref()), (Some("10.0.19041.423"), None));
    let families: Vec<_> = data.packages.iter().filter_map(|package| package.family.as_deref()).collect();
    assert_eq!(families[4], "microsoft.windows.narratorquickstart_8wekyb3d8bbwe");
    assert_eq!(families[7], "Microsoft.Windows.SecureAssessmentBrowser_cw5n1h2txyewy");
}
