//! Questions to a `dsregcmd /status` capture, each answered from the sections where its key is documented to stand.
//!
//! A key in the wrong section is another thing: a work account has its own `TpmProtected`, its own certificate validity and its
//! own `NgcSet`. When a title is lost, a question is only answered if its key exists nowhere else. Two different values for one
//! question give no answer.

use serde::Serialize;

use super::{Data, Entry, Section};
use crate::time::FileTime;

/// A value and the 1-based line it stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct At<T> {
    /// The line.
    pub line: u32,
    /// The value.
    pub value: T,
}

/// `YES`, `NO`, or a word that is neither (`ERROR`, a damaged value).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// `YES`, also with a remark behind it (`YES ( StateReady )`).
    Yes,
    /// `NO`.
    No,
    /// The command could not find out.
    Error,
    /// Any other text.
    Other,
}

/// `DeviceAuthStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceAuth {
    /// The device is known to the tenant and enabled.
    Success,
    /// The tenant has disabled or deleted it.
    DisabledOrDeleted,
    /// The question could not be asked, or failed in another way.
    Failed,
    /// Any other text.
    Other,
}

/// `KeySignTest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyTest {
    /// The device key can sign.
    Passed,
    /// It cannot.
    Failed,
    /// `MUST Run elevated to test.`: no result, the ordinary output.
    NotRun,
    /// Any other text.
    Other,
}

/// One of the pre-join tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestResult {
    /// `PASS`.
    Pass,
    /// `FAIL [code/sub-code]`, the codes where they are printed.
    Fail {
        /// The first code.
        code: Option<u32>,
        /// The code behind the slash.
        sub_code: Option<u32>,
    },
    /// `SKIPPED`.
    Skipped,
    /// Any other text.
    Other,
}

/// `User Context` of the diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// The user sections describe the SYSTEM account.
    System,
    /// An elevated prompt: the user sections may describe another account.
    Elevated,
    /// The user's own prompt.
    UnElevated,
    /// Any other text.
    Other,
}

/// Which diagnostics block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrtAttempt {
    /// `AcquirePrtDiagnostics`.
    Acquire,
    /// `RefreshPrtDiagnostics`.
    Refresh,
}

/// A failed attempt to get or renew the primary refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrtDiagnostics<'d> {
    /// What was attempted.
    pub attempt: PrtAttempt,
    /// Line of the block's first key.
    pub line: u32,
    /// The entries of the block.
    pub entries: Vec<&'d Entry>,
}

impl<'d> PrtDiagnostics<'d> {
    /// The entry of a key (`Attempt Status`, `HTTP status`, `Server Error Code` …), without regard to case.
    pub fn entry(&self, key: &str) -> Option<&'d Entry> {
        self.entries.iter().copied().find(|entry| entry.key.eq_ignore_ascii_case(key))
    }

    /// `Attempt Status` as a number.
    pub fn attempt_status(&self) -> Option<At<u32>> {
        let entry = self.entry("Attempt Status")?;
        Some(At { line: entry.line, value: hex_code(&entry.value)? })
    }

    /// `Previous Prt Attempt`.
    pub fn time(&self) -> Option<FileTime> {
        utc(&self.entry("Previous Prt Attempt")?.value)
    }
}

/// Where a key may stand.
struct Place {
    sections: &'static [&'static str],
    /// The key exists in no other section, so a lost title does no harm.
    unique: bool,
}

const DEVICE: Place = Place { sections: &["Device State", "Device Details"], unique: false };
const DEVICE_ONLY: Place = Place { sections: &["Device State", "Device Details"], unique: true };
const USER: Place = Place { sections: &["User State", "SSO State"], unique: true };
const DIAGNOSTIC: Place = Place { sections: &["Diagnostic Data", "Device State"], unique: true };
const TENANT: Place = Place { sections: &["Tenant Details", "Device State"], unique: true };
const NGC: Place = Place { sections: &["Ngc Prerequisite Check"], unique: true };

/// The entries of a diagnostics block, in the documented order.
const PRT_KEYS: [&str; 10] = [
    "Previous Prt Attempt",
    "Attempt Status",
    "User Identity",
    "Credential Type",
    "Correlation ID",
    "Endpoint URI",
    "HTTP Method",
    "HTTP Error",
    "HTTP status",
    "Server Error Code",
];
const PRT_LAST_KEY: &str = "Server Error Description";

impl Data {
    /// Sections by title, without regard to case.
    pub fn sections_named<'d, 'n>(
        &'d self,
        name: &'n str,
    ) -> impl Iterator<Item = &'d Section> + use<'d, 'n> {
        let named = move |title: &str| title.eq_ignore_ascii_case(name);
        self.sections.iter().filter(move |section| section.name.as_deref().is_some_and(named))
    }

    /// The `Work Account n` sections.
    pub fn work_accounts(&self) -> impl Iterator<Item = &Section> {
        let prefix = |title: &str| title.to_ascii_lowercase().starts_with("work account");
        self.sections.iter().filter(move |section| section.name.as_deref().is_some_and(prefix))
    }

    /// The one entry with this key in the named section.
    pub fn entry(&self, section: &str, key: &str) -> Option<&Entry> {
        agreed(self.sections_named(section).flat_map(|section| section.entries_named(key)))
    }

    fn at_place(&self, place: &Place, key: &str) -> Option<&Entry> {
        let allowed = |section: &&Section| match section.name.as_deref() {
            Some(title) => place.sections.iter().any(|name| name.eq_ignore_ascii_case(title)),
            None => place.unique,
        };
        agreed(self.sections.iter().filter(allowed).flat_map(|section| section.entries_named(key)))
    }

    fn flag(&self, place: &Place, key: &str) -> Option<At<Flag>> {
        self.at_place(place, key).map(|entry| At { line: entry.line, value: Flag::of(&entry.value) })
    }

    fn time(&self, place: &Place, key: &str) -> Option<At<FileTime>> {
        let entry = self.at_place(place, key)?;
        Some(At { line: entry.line, value: utc(&entry.value)? })
    }

    /// `AzureAdJoined`: joined to the cloud directory.
    pub fn azure_ad_joined(&self) -> Option<At<Flag>> {
        self.flag(&DEVICE_ONLY, "AzureAdJoined")
    }

    /// `EnterpriseJoined`: joined to an on-premises device registration service.
    pub fn enterprise_joined(&self) -> Option<At<Flag>> {
        self.flag(&DEVICE_ONLY, "EnterpriseJoined")
    }

    /// `DomainJoined`.
    pub fn domain_joined(&self) -> Option<At<Flag>> {
        self.flag(&DEVICE_ONLY, "DomainJoined")
    }

    /// `WorkplaceJoined`: a work account is registered.
    pub fn workplace_joined(&self) -> Option<At<Flag>> {
        self.flag(&USER, "WorkplaceJoined")
    }

    /// `WamDefaultSet`.
    pub fn wam_default_set(&self) -> Option<At<Flag>> {
        self.flag(&USER, "WamDefaultSet")
    }

    /// `DeviceAuthStatus`.
    pub fn device_auth_status(&self) -> Option<At<DeviceAuth>> {
        let entry = self.at_place(&DEVICE_ONLY, "DeviceAuthStatus")?;
        let text = entry.value.to_ascii_uppercase();
        let value = match text.as_str() {
            "SUCCESS" => DeviceAuth::Success,
            _ if text.contains("DISABLED OR DELETED") => DeviceAuth::DisabledOrDeleted,
            _ if text.starts_with("FAILED") => DeviceAuth::Failed,
            _ => DeviceAuth::Other,
        };
        Some(At { line: entry.line, value })
    }

    /// `DeviceCertificateValidity` of the device itself: not before, not after.
    pub fn device_certificate_validity(&self) -> Option<At<(FileTime, FileTime)>> {
        let entry = self.at_place(&DEVICE, "DeviceCertificateValidity")?;
        Some(At { line: entry.line, value: validity(&entry.value)? })
    }

    /// `TpmProtected` of the device key.
    pub fn tpm_protected(&self) -> Option<At<Flag>> {
        self.flag(&DEVICE, "TpmProtected")
    }

    /// `KeySignTest`.
    pub fn key_sign_test(&self) -> Option<At<KeyTest>> {
        let entry = self.at_place(&DIAGNOSTIC, "KeySignTest")?;
        let text = entry.value.to_ascii_uppercase();
        let value = match text.as_str() {
            "PASSED" => KeyTest::Passed,
            _ if text.starts_with("FAILED") => KeyTest::Failed,
            _ if text.starts_with("MUST RUN ELEVATED") => KeyTest::NotRun,
            _ => KeyTest::Other,
        };
        Some(At { line: entry.line, value })
    }

    /// `AadRecoveryEnabled`: the stored keys are unusable and the device waits for recovery.
    pub fn aad_recovery_enabled(&self) -> Option<At<Flag>> {
        self.flag(&DIAGNOSTIC, "AadRecoveryEnabled")
    }

    /// `AzureAdPrt`: the user holds a primary refresh token.
    pub fn azure_ad_prt(&self) -> Option<At<Flag>> {
        self.flag(&USER, "AzureAdPrt")
    }

    /// `AzureAdPrtUpdateTime`.
    pub fn azure_ad_prt_update_time(&self) -> Option<At<FileTime>> {
        self.time(&USER, "AzureAdPrtUpdateTime")
    }

    /// `AzureAdPrtExpiryTime`.
    pub fn azure_ad_prt_expiry_time(&self) -> Option<At<FileTime>> {
        self.time(&USER, "AzureAdPrtExpiryTime")
    }

    /// `EnterprisePrt`.
    pub fn enterprise_prt(&self) -> Option<At<Flag>> {
        self.flag(&USER, "EnterprisePrt")
    }

    /// `IsUserAzureAD`: the user who ran the command is a user of the cloud directory.
    pub fn is_user_azure_ad(&self) -> Option<At<Flag>> {
        self.flag(&NGC, "IsUserAzureAD")
    }

    /// `SessionIsNotRemote`.
    pub fn session_is_not_remote(&self) -> Option<At<Flag>> {
        self.flag(&NGC, "SessionIsNotRemote")
    }

    /// `User Context`.
    pub fn user_context(&self) -> Option<At<Context>> {
        let entry = self.at_place(&DIAGNOSTIC, "User Context")?;
        let text = entry.value.to_ascii_uppercase();
        let value = match text.as_str() {
            "SYSTEM" => Context::System,
            _ if text.starts_with("UN-ELEVATED") => Context::UnElevated,
            _ if text.starts_with("ELEVATED") => Context::Elevated,
            _ => Context::Other,
        };
        Some(At { line: entry.line, value })
    }

    /// `Client Time`: the machine's clock in UTC when the command ran.
    pub fn client_time(&self) -> Option<At<FileTime>> {
        self.time(&DIAGNOSTIC, "Client Time")
    }

    /// `Previous Registration`: when the failed registration happened whose codes are shown below it.
    pub fn previous_registration(&self) -> Option<At<FileTime>> {
        self.time(&DIAGNOSTIC, "Previous Registration")
    }

    /// A pre-join test by its key (`AD Configuration Test`, `DRS Discovery Test` …).
    pub fn pre_join_test(&self, key: &str) -> Option<At<TestResult>> {
        let entry = self.at_place(&DIAGNOSTIC, key)?;
        Some(At { line: entry.line, value: TestResult::of(&entry.value) })
    }

    /// Any other entry of Diagnostic Data (`Error Phase`, `Client ErrorCode`, `Server Message` …).
    pub fn diagnostic(&self, key: &str) -> Option<&Entry> {
        self.at_place(&DIAGNOSTIC, key)
    }

    /// `TenantId`.
    pub fn tenant_id(&self) -> Option<&Entry> {
        self.at_place(&TENANT, "TenantId")
    }

    /// `DeviceId`.
    pub fn device_id(&self) -> Option<&Entry> {
        self.at_place(&DEVICE_ONLY, "DeviceId")
    }

    /// The token diagnostics that are present. A block ends with its last documented key or at the first key that is not one of
    /// its own.
    pub fn prt_diagnostics(&self) -> Vec<PrtDiagnostics<'_>> {
        let mut found = Vec::new();
        for section in &self.sections {
            let mut open: Option<PrtDiagnostics<'_>> = None;
            for entry in &section.entries {
                let attempt = match entry.key.to_ascii_lowercase().as_str() {
                    "acquireprtdiagnostics" => Some(PrtAttempt::Acquire),
                    "refreshprtdiagnostics" => Some(PrtAttempt::Refresh),
                    _ => None,
                };
                let named = |key: &str| key.eq_ignore_ascii_case(&entry.key);
                let belongs = PRT_KEYS.iter().any(|key| named(key)) || named(PRT_LAST_KEY);
                if !belongs {
                    found.extend(open.take());
                }
                if let Some(attempt) = attempt.filter(|_| entry.value.eq_ignore_ascii_case("PRESENT")) {
                    open = Some(PrtDiagnostics { attempt, line: entry.line, entries: Vec::new() });
                } else if let Some(block) = open.as_mut().filter(|_| belongs) {
                    block.entries.push(entry);
                }
            }
            found.extend(open);
        }
        found
    }
}

impl Section {
    /// `DeviceCertificateValidity` of this section: every work account has its own.
    pub fn certificate_validity(&self) -> Option<At<(FileTime, FileTime)>> {
        let entry = agreed(self.entries_named("DeviceCertificateValidity"))?;
        Some(At { line: entry.line, value: validity(&entry.value)? })
    }

    fn entries_named<'s, 'n>(&'s self, key: &'n str) -> impl Iterator<Item = &'s Entry> + use<'s, 'n> {
        self.entries.iter().filter(move |entry| entry.key.eq_ignore_ascii_case(key))
    }
}

/// The first of several entries, unless they disagree.
fn agreed<'e>(mut entries: impl Iterator<Item = &'e Entry>) -> Option<&'e Entry> {
    let first = entries.next()?;
    entries.all(|entry| entry.value == first.value).then_some(first)
}

impl Flag {
    fn of(value: &str) -> Self {
        let mut words = value.split_whitespace();
        let remark = words.clone().nth(1).is_none_or(|word| word.starts_with('('));
        match words.next().filter(|_| remark) {
            Some("YES") => Self::Yes,
            Some("NO") => Self::No,
            Some("ERROR") => Self::Error,
            _ => Self::Other,
        }
    }
}

impl TestResult {
    fn of(value: &str) -> Self {
        match value.split_whitespace().next() {
            Some("PASS") => Self::Pass,
            Some("SKIPPED") => Self::Skipped,
            Some("FAIL") => {
                let codes = value.split_once('[').map_or("", |(_, codes)| codes);
                let mut codes = codes.trim_end_matches([']', ' ']).split('/').map(hex_code);
                Self::Fail { code: codes.next().flatten(), sub_code: codes.next().flatten() }
            }
            _ => Self::Other,
        }
    }
}

fn hex_code(text: &str) -> Option<u32> {
    u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// `[ 2019-01-11 21:02:50.000 UTC -- 2029-01-11 21:32:50.000 UTC ]`; work accounts print it without milliseconds.
fn validity(text: &str) -> Option<(FileTime, FileTime)> {
    let (from, to) = text.trim_matches(['[', ']', ' ']).split_once("--")?;
    Some((utc(from)?, utc(to)?))
}

/// `2019-01-24 19:15:33.000 UTC`.
fn utc(text: &str) -> Option<FileTime> {
    FileTime::parse(text.trim().strip_suffix("UTC")?.trim())
}

#[cfg(test)]
mod tests {
    use super::super::super::{Block, CaptureData};
    use super::*;
    use crate::artifact::text::Text;

    fn read(text: &str) -> Data {
        let text = Text::decode(text.as_bytes());
        match (super::super::READER.read)(&Block::whole(&text)).data {
            CaptureData::Dsregcmd(data) => data,
            other => panic!("{other:?}"),
        }
    }

    fn boxed(title: &str, entries: &str) -> String {
        let rule = format!("+{}+", "-".repeat(70));
        format!("{rule}\n| {title:<68} |\n{rule}\n\n{entries}\n")
    }

    #[test]
    fn a_work_account_does_not_speak_for_the_device() {
        // text_formats.md 4.5: keys are not unique across sections.
        let device = boxed("Device Details", "              TpmProtected : YES\n");
        let work = boxed("Work Account 1", "              TpmProtected : NO\n");
        let data = read(&format!("{device}{work}"));
        assert_eq!(data.tpm_protected(), Some(At { line: 5, value: Flag::Yes }));
        assert_eq!(data.work_accounts().count(), 1);
        assert_eq!(data.work_accounts().next().unwrap().certificate_validity(), None);
        // With both titles gone nobody can say whose key it is.
        let lost: String = device
            .lines()
            .chain(work.lines())
            .filter(|l| !l.starts_with('|'))
            .map(|l| format!("{l}\n"))
            .collect();
        assert_eq!(read(&lost).tpm_protected(), None);
    }

    #[test]
    fn a_work_account_has_a_certificate_of_its_own() {
        // domain.md R61: the other date form, without milliseconds.
        let own = "DeviceCertificateValidity : [ 2023-03-01 09:00:00 UTC -- 2033-03-01 09:30:00 UTC ]";
        let data = read(&boxed("Work Account 1", &format!("    {own}\n")));
        assert_eq!(data.device_certificate_validity(), None);
        let at = data.work_accounts().next().unwrap().certificate_validity().unwrap();
        assert_eq!((at.line, at.value.1.to_string().as_str()), (5, "2033-03-01T09:30:00Z"));
    }

    #[test]
    fn a_refresh_block_is_seen_beside_a_valid_token() {
        // domain.md R48 (a): RefreshPrtDiagnostics carries the same fields.
        let entries = "                AzureAdPrt : YES\n     RefreshPrtDiagnostics : PRESENT\n            Attempt Status : 0xc004848c\n             EnterprisePrt : NO\n";
        let data = read(&boxed("SSO State", entries));
        let blocks = data.prt_diagnostics();
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].attempt, PrtAttempt::Refresh);
        assert_eq!(blocks[0].attempt_status(), Some(At { line: 7, value: 0xc004_848c }));
        assert_eq!(data.enterprise_prt().unwrap().value, Flag::No);
    }

    #[test]
    fn words_that_are_not_an_answer_are_no_answer() {
        let data = read(&boxed(
            "User State",
            "             WamDefaultSet : ERROR (0x80070520)\n           WorkplaceJoined : YE\u{1}\n",
        ));
        assert_eq!(data.wam_default_set().unwrap().value, Flag::Error);
        assert_eq!(data.workplace_joined().unwrap().value, Flag::Other);
        assert_eq!(data.azure_ad_joined(), None);
    }

    #[test]
    fn a_second_run_replaces_the_first() {
        let run = |answer| boxed("Device State", &format!("             AzureAdJoined : {answer}\n"));
        let data = read(&format!("{}{}", run("NO"), run("YES")));
        assert_eq!(data.azure_ad_joined().unwrap().value, Flag::Yes);
        assert_eq!(data.earlier.len(), 1);
    }

    #[test]
    fn failed_device_authentication_keeps_its_two_kinds_apart() {
        // domain.md 5.19: "disabled or deleted" is a blocker, "FAILED. ERROR" a network matter.
        let status = |text: &str| {
            let data = read(&boxed("Device Details", &format!("          DeviceAuthStatus : {text}\n")));
            data.device_auth_status().unwrap().value
        };
        assert_eq!(status("SUCCESS"), DeviceAuth::Success);
        assert_eq!(status("FAILED. Device is either disabled or deleted"), DeviceAuth::DisabledOrDeleted);
        assert_eq!(status("FAILED. ERROR:0x80072efd"), DeviceAuth::Failed);
    }
}
