//! How the machine is joined: what `dsregcmd /status` and the registry say, whom the command's user sections describe, and what shows that
//! a join is wanted at all.
//!
//! The sections of the device hold whoever ran the command. Those of the user describe the account of the prompt: run as SYSTEM, elevated or
//! as another user they say nothing about the affected one (decision 22 of domain.md section 13).

use std::cmp::Reverse;

use super::answers;
use crate::artifact::ArtifactId;
use crate::artifact::capture::dsregcmd::Data;
use crate::artifact::capture::dsregcmd::typed::{
    At, Context, DeviceAuth, Flag, KeyTest, PrtDiagnostics, TestResult,
};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::broker::affected;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::evidence::registry::UserHive;
use crate::evidence::{Lookup, captures};
use crate::time::FileTime;

/// How to collect it.
pub const COLLECT: &str = "dsregcmd /status > dsregcmd.txt (as the affected user, not elevated)";
/// Each subkey is a join to the cloud directory; the key itself is there, and empty, on a machine that is not joined.
pub const JOIN_INFO: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo";
/// Numbers that only a device of the directory can satisfy.
pub const DEVICE_WANTED: [u32; 2] = [53_001, 50_097];

/// In whose prompt the command ran, as far as its output tells. In rising order of trouble for the sections of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runner {
    /// An ordinary prompt.
    User,
    /// A prompt of another account than the affected user's.
    Other,
    /// An elevated prompt, which can be another account's.
    Elevated,
    /// SYSTEM.
    System,
}

impl Runner {
    /// Why the sections of the user do not count.
    pub fn reason(self) -> &'static str {
        match self {
            Self::User => "it ran in the user's own prompt",
            Self::Other => "it ran as another user, whom its user sections describe",
            Self::Elevated => "it ran elevated, so its user sections can describe another account",
            Self::System => "it ran as SYSTEM, whom its user sections describe",
        }
    }
}

/// One output of `dsregcmd /status`.
#[derive(Clone, Copy)]
pub struct Status<'e> {
    /// What it says.
    pub data: &'e Data,
    artifact: ArtifactId,
}

impl<'e> Status<'e> {
    /// Every readable output, one a file: the newest first, those without a time of their own last (domain.md 1.3, rule 4).
    pub fn all(case: &Case<'e>) -> Vec<Self> {
        let read = |capture: crate::evidence::Sourced<&'e crate::artifact::capture::Capture>| match &capture
            .value
            .data
        {
            CaptureData::Dsregcmd(data) => Some(Self { data, artifact: capture.source.artifact }),
            _ => None,
        };
        let mut all: Vec<Self> = case.captures(CaptureKind::Dsregcmd).into_iter().filter_map(read).collect();
        all.sort_by_key(|status| Reverse(status.time()));
        all
    }

    /// The machine's clock when the command ran.
    pub fn time(&self) -> Option<FileTime> {
        self.data.client_time().map(|at| at.value)
    }

    /// The same, noted as missing when there is none.
    pub fn need(case: &Case<'e>, j: &Judgement) -> Vec<Self> {
        let all = Self::all(case);
        if all.is_empty()
            && let Lookup::Unknown(unknown) =
                case.evidence.captures.ask(CaptureKind::Dsregcmd, "output of dsregcmd /status")
        {
            j.missing(&unknown, COLLECT);
        }
        all
    }

    /// A line of the output as evidence.
    pub fn at(&self, line: u32, text: impl Into<String>) -> Observation {
        captures::line(self.artifact, line).shows(text)
    }

    /// `AzureAdJoined`.
    pub fn is_joined(&self) -> Option<bool> {
        yes_or_no(self.data.azure_ad_joined())
    }

    /// `DomainJoined`.
    pub fn is_domain_member(&self) -> Option<bool> {
        yes_or_no(self.data.domain_joined())
    }

    /// `WorkplaceJoined`: registered, whatever the device's own join. Describes the user of the prompt.
    pub fn is_registered(&self) -> Option<bool> {
        yes_or_no(self.data.workplace_joined())
    }

    /// The account that ran the command, where the output names it (`CONTOSO\anna, anna@contoso.com`).
    fn executing_account(&self) -> Option<&'e str> {
        let entries = self.data.sections.iter().flat_map(|section| &section.entries);
        let mut named = entries.filter(|entry| entry.key.eq_ignore_ascii_case("Executing Account Name"));
        named.next().map(|entry| entry.value.as_str()).filter(|value| !value.is_empty())
    }

    /// In whose prompt the command ran. Words that are missing mean an ordinary prompt: only joins that failed print the context.
    pub fn runner(&self, case: &Case<'_>) -> Runner {
        let context = self.data.user_context().map(|context| context.value);
        let account = self.executing_account();
        let machine =
            account.and_then(|name| name.split(',').next()).is_some_and(|name| name.trim().ends_with('$'));
        if context == Some(Context::System) || machine {
            return Runner::System;
        }
        // The default account cannot be read from an elevated prompt (R36).
        let no_default = self.data.wam_default_set().is_some_and(|flag| flag.value == Flag::Error);
        if context == Some(Context::Elevated) || no_default {
            return Runner::Elevated;
        }
        let user = case.evidence.users.affected();
        match (account, user.found()) {
            (Some(account), Some(user)) if is_named(case, &user.value, account) == Some(false) => {
                Runner::Other
            }
            _ => Runner::User,
        }
    }

    /// Whether the sections of the user speak of the affected one. On a joined device an elevated prompt shows itself only by the test of
    /// the key, and without a token of its account.
    pub fn tells_of_user(&self, case: &Case<'_>) -> bool {
        let lacks = self.data.azure_ad_prt().is_some_and(|flag| flag.value == Flag::No);
        let elevated = lacks && self.key_test_ran() && self.data.prt_diagnostics().is_empty();
        self.runner(case) == Runner::User && !elevated
    }

    /// Whether the tenant accepted the device when the command ran; `None` where the output does not say it.
    fn is_accepted(&self) -> Option<bool> {
        self.data.device_auth_status().map(|auth| auth.value == DeviceAuth::Success)
    }

    /// The test of the device's key runs in elevated prompts only, so its result is a sign of one.
    pub fn key_test_ran(&self) -> bool {
        let test = self.data.key_sign_test().map(|test| test.value);
        matches!(test, Some(KeyTest::Passed | KeyTest::Failed))
    }
}

fn yes_or_no(flag: Option<At<Flag>>) -> Option<bool> {
    match flag?.value {
        Flag::Yes => Some(true),
        Flag::No => Some(false),
        Flag::Error | Flag::Other => None,
    }
}

/// Whether a text names a user (`CONTOSO\anna, anna@contoso.com`): by his sign-in names of Office, or by the name of his profile. `None` when
/// nothing can be compared: a profile can have another name than its user.
pub fn is_named(case: &Case<'_>, user: &UserHive, text: &str) -> Option<bool> {
    let names = sign_in_names(case, user);
    let profile = user.name.as_deref().unwrap_or_default().to_lowercase();
    let parts: Vec<String> = text
        .split([',', ' '])
        .map(|part| part.trim().to_lowercase())
        .filter(|part| !part.is_empty())
        .collect();
    let is = |part: &String| {
        let account = part.rsplit('\\').next().unwrap_or(part);
        let account = account.split('@').next().unwrap_or(account);
        names.contains(part) || (!profile.is_empty() && account == profile)
    };
    if parts.iter().any(is) {
        return Some(true);
    }
    let comparable = parts.iter().any(|part| part.contains('@')) && !names.is_empty();
    comparable.then_some(false)
}

/// Whether diagnostics of a token are about the affected user (R48); without names they are when nobody else uses the machine.
pub fn is_about_user(case: &Case<'_>, block: &PrtDiagnostics<'_>) -> Option<bool> {
    let alone = case.evidence.users.others().next().is_none();
    let user = affected(case);
    let named = block.entry("User Identity").filter(|entry| !entry.value.is_empty());
    let compared = named.zip(user).and_then(|(entry, user)| is_named(case, &user, &entry.value));
    compared.or(alone.then_some(true))
}

/// The names with which a user signs in to Office, in lower case.
fn sign_in_names(case: &Case<'_>, user: &UserHive) -> Vec<String> {
    let identity = user.path(r"Software\Microsoft\Office\16.0\Common\Identity");
    let mut places = vec![(identity.clone(), "ADUserName")];
    if let Lookup::Found(keys) = case.evidence.registry.subkeys(&format!(r"{identity}\Identities")) {
        for key in keys.value.iter() {
            places.push((format!(r"{identity}\Identities\{key}"), "EmailAddress"));
            places.push((format!(r"{identity}\Identities\{key}"), "SignInName"));
        }
    }
    let text =
        |(key, name): &(String, &str)| case.value(key, name).found().and_then(|value| value.value.as_text());
    places
        .iter()
        .filter_map(text)
        .map(|name| name.trim().to_lowercase())
        .filter(|name| name.contains('@'))
        .collect()
}

/// Judges by the newest of several outputs. What an older one says otherwise is a note and costs a level of confidence (domain.md 1.3,
/// rule 4). Outputs without a time are judged one by one when none has a time. The result is that of the newest output.
pub fn judge_newest<'s, 'e: 's, T>(
    j: &Judgement,
    statuses: impl IntoIterator<Item = &'s Status<'e>>,
    judge: impl Fn(&Judgement, &Status<'e>) -> T,
) -> Option<T> {
    let (mut doubts, own) = (Vec::new(), Judgement::default());
    let mut first: Option<(Option<FileTime>, T)> = None;
    for status in statuses {
        match &first {
            None => first = Some((status.time(), judge(&own, status))),
            Some((None, _)) => _ = judge(&own, status),
            Some((Some(_), _)) => {
                let older = Judgement::default();
                judge(&older, status);
                if older.summaries() != own.summaries() {
                    j.note(format!("An older output of dsregcmd /status says otherwise: {}", older.words()));
                    doubts = vec!["Two outputs of dsregcmd /status differ: the newer one counts.".to_owned()];
                }
            }
        }
    }
    j.absorb(own, &doubts);
    first.map(|(_, result)| result)
}

/// Whether the tenant accepts the device (`DeviceAuthStatus : SUCCESS`), by the newest output that says it, and not only before this time.
pub fn is_accepted_since(statuses: &[Status<'_>], time: FileTime) -> bool {
    let mut told = statuses.iter().filter_map(|status| Some((status.time(), status.is_accepted()?)));
    match told.next() {
        Some((Some(at), accepted)) => accepted && at > time,
        Some((None, accepted)) => accepted || told.any(|(_, accepted)| accepted),
        None => false,
    }
}

/// Whether the registry shows a join to the cloud directory.
pub fn registry_join(case: &Case<'_>) -> Lookup<bool> {
    case.evidence.registry.subkeys(JOIN_INFO).map(|keys| !keys.is_empty())
}

/// Whether `dsregcmd` or the registry shows the device joined or registered: records of device sign-ins count only then (R35).
pub fn is_known(case: &Case<'_>) -> bool {
    let said = Status::all(case)
        .iter()
        .any(|status| [status.is_joined(), status.is_registered()].contains(&Some(true)));
    said || registry_join(case).found().is_some_and(|join| join.value)
}

/// Whether it is in evidence that the device is neither joined nor registered.
pub fn is_known_not(case: &Case<'_>) -> bool {
    let said = Status::all(case).iter().any(|status| status.is_joined() == Some(false));
    !is_known(case) && (said || !matches!(registry_join(case), Lookup::Unknown(_)))
}

/// A sign that this device shall be in the directory.
pub struct Sign {
    /// In words, behind "though".
    pub why: &'static str,
    /// As evidence.
    pub seen: Observation,
    /// It says something about members of a domain only.
    pub members_only: bool,
}

/// What shows that this device shall be in the directory: a policy, a named tenant, an answer that asks for it, or a licence of the device
/// (R37). Places that cannot be read are noted as missing.
pub fn wanted(case: &Case<'_>, j: &Judgement) -> Vec<Sign> {
    const TENANT: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\CDJ\AAD";
    const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\WorkplaceJoin";
    const OFFICE: &str = r"HKLM\SOFTWARE\Microsoft\Office\ClickToRun\Configuration";
    let mut signs: Vec<Sign> = Vec::new();
    let mut sign = |why, seen, members_only| signs.push(Sign { why, seen, members_only });
    for name in ["TenantId", "TenantName"] {
        if let Lookup::Found(value) = case.need_value(j, TENANT, name)
            && value.value.as_text().is_some_and(|text| !text.trim().is_empty())
        {
            sign("a tenant is set for the hybrid join", value_seen(&value), true);
        }
    }
    if let Lookup::Found(value) = case.need_value(j, POLICY, "autoWorkplaceJoin")
        && value.value.as_u32() == Some(1)
    {
        sign("a policy has domain members register themselves", value_seen(&value), true);
    }
    if let Lookup::Found(value) = case.value(OFFICE, "O365ProPlusRetail.DeviceBasedLicensing")
        && (value.value.as_text().is_some_and(|text| text.trim() == "1") || value.value.as_u32() == Some(1))
    {
        sign("Office is licensed for the device", value_seen(&value), false);
    }
    let keys = case.evidence.registry.subkeys(JOIN_INFO);
    if let Some(keys) = keys.found().filter(|keys| !keys.value.is_empty()) {
        sign("the registry shows a join", keys.shows(format!("{} join(s)", keys.value.len())), false);
    }
    for status in Status::all(case) {
        if let Some(test) =
            status.data.pre_join_test("AD Configuration Test").filter(|test| test.value == TestResult::Pass)
        {
            sign(
                "the domain names a tenant to join",
                status.at(test.line, "AD Configuration Test PASS"),
                true,
            );
        }
    }
    let asked = answers::read(case, &Judgement::default());
    if let Some(answer) = asked.iter().rfind(|answer| DEVICE_WANTED.contains(&answer.code)) {
        sign("the sign-in service asks for a device of the directory", answer.seen.clone(), false);
    }
    signs
}
