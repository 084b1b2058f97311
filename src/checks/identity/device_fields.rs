//! What `dsregcmd /status` says of the device and its accounts.

use super::device_records::NEW_DEVICE;
use super::join::{self, Runner, Sign, Status as JoinStatus};
use crate::artifact::capture::dsregcmd::typed::{At, DeviceAuth, Flag, TestResult};
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::evidence::events::Basis;
use crate::evidence::os::CURRENT_VERSION;
use crate::evidence::{Confidence, Unknown};
use crate::knowledge;
use crate::time::FileTime;

/// The tests that a domain member prints while it is not joined, in their order.
const TESTS: [&str; 5] = [
    "AD Connectivity Test",
    "AD Configuration Test",
    "DRS Discovery Test",
    "DRS Connectivity Test",
    "Token acquisition Test",
];
/// The tenant has disabled or deleted the device, as evidence.
pub const DISABLED: &str = "DeviceAuthStatus FAILED. Device is either disabled or deleted";
/// The device could not prove itself, as evidence.
pub const AUTH_FAILED: &str = "DeviceAuthStatus FAILED";
/// The service connection point cannot be read: on a domain without hybrid join there is none.
pub const NO_CONFIGURATION: u32 = 0x801c_001d;

/// Reports the rows of an output that does not show how the device is joined.
pub fn excerpt(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) {
    let what = "AzureAdJoined in dsregcmd /status".to_owned();
    let reason = Some("the output does not show it readably".to_owned());
    j.missing(&Unknown { what, reason }, join::COLLECT);
    // Only a member of a domain that could not join prints the tests.
    if TESTS.iter().any(|name| status.data.pre_join_test(name).is_some()) {
        before_join(case, j, status, join::wanted(case, j).is_empty());
    }
}

/// Reports every row that the device's sections of one output make hold.
pub fn judge(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) {
    let runner = status.runner(case);
    if runner != Runner::User {
        j.note(format!("The user sections of dsregcmd do not count: {}.", runner.reason()));
    }
    if status.is_joined() == Some(true) {
        device(case, j, status);
    } else {
        not_joined(case, j, status);
    }
    work_accounts(case, j, status);
}

/// What kind of join it is (the matrix of domain.md 5.19).
fn kind(status: &JoinStatus<'_>) -> &'static str {
    let enterprise = status.data.enterprise_joined().is_some_and(|flag| flag.value == Flag::Yes);
    match (status.is_joined(), status.is_domain_member(), enterprise) {
        (Some(true), Some(true), _) => "hybrid joined",
        (Some(true), _, _) => "joined to the directory",
        (_, Some(true), true) => "joined to a device registration service on premises",
        (_, Some(true), false) => "member of a domain, not joined to the directory",
        _ => "not joined",
    }
}

fn good_join(status: &JoinStatus<'_>) -> Observation {
    let line = status.data.azure_ad_joined().map_or(1, |flag| flag.line);
    status.at(line, kind(status))
}

/// A joined device: known to the tenant, with a certificate that is valid.
fn device(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) {
    let mut good = vec![good_join(status)];
    let mut doubts = Vec::new();
    match status.data.device_auth_status() {
        Some(auth) => match auth.value {
            DeviceAuth::Success => good.push(status.at(auth.line, "DeviceAuthStatus SUCCESS")),
            DeviceAuth::DisabledOrDeleted => j.blocker(
                Confidence::High,
                "The organisation has disabled or deleted this device (DeviceAuthStatus).",
                [status.at(auth.line, DISABLED).expected("SUCCESS")],
            ),
            DeviceAuth::Failed => j.warning(
                Confidence::Medium,
                "The state of the device could not be asked (DeviceAuthStatus FAILED), which is mostly a matter of the network.",
                [status.at(auth.line, AUTH_FAILED).expected("SUCCESS")],
            ),
            DeviceAuth::Other => {
                let what = "DeviceAuthStatus in dsregcmd /status".to_owned();
                j.missing(&Unknown { what, reason: Some("its value is no answer".to_owned()) }, join::COLLECT);
            }
        },
        None => doubts.push("dsregcmd does not show DeviceAuthStatus (Windows before 21H1 does not ask): whether the tenant has disabled the device is not known.".to_owned()),
    }
    if let Some(validity) = status.data.device_certificate_validity() {
        good.extend(certificate(case, j, status, validity, true));
    }
    for seen in good {
        j.good(Observation { doubts: doubts.clone(), ..seen });
    }
}

/// Against a time that somebody else's clock does not vouch for, a certificate that seems invalid can be a wrong clock (R61).
fn certificate(
    case: &Case<'_>,
    j: &Judgement,
    status: &JoinStatus<'_>,
    At { line, value: (from, to) }: At<(FileTime, FileTime)>,
    of_device: bool,
) -> Option<Observation> {
    let window = case.window()?;
    let now = window.to;
    let seen = status.at(line, format!("DeviceCertificateValidity {from} to {to}"));
    if from <= now && now <= to {
        return Some(seen);
    }
    let seen = seen.expected("covers the time of the collection");
    let ended = if now > to { "expired" } else { "is not valid yet" };
    let clock = case.status("clock-skew").is_some_and(Status::is_finding);
    if clock {
        let summary = format!(
            "The certificate {ended} by the clock of the machine, which is wrong itself (see clock-skew)."
        );
        j.row(Status::Warning, Confidence::Low, summary, vec![seen]);
    } else if of_device && window.basis == Basis::Manifest {
        j.row(
            Status::Blocker,
            Confidence::High,
            format!("The certificate of the device {ended}."),
            vec![seen],
        );
    } else if of_device {
        let summary =
            format!("The certificate of the device {ended}, as far as the time of the collection is known.");
        j.row(Status::Warning, Confidence::Medium, summary, vec![seen]);
    } else {
        j.row(
            Status::Warning,
            Confidence::Low,
            format!("The certificate of a registered work account {ended}."),
            vec![seen],
        );
    }
    None
}

/// The user's sections of a joined device.
pub fn accounts(j: &Judgement, status: &JoinStatus<'_>) {
    if status.is_joined() != Some(true) {
        return;
    }
    let registered = status.data.workplace_joined();
    if let Some(flag) = registered.filter(|flag| flag.value == Flag::Yes)
        && status.is_domain_member() == Some(true)
    {
        j.warning(
            Confidence::Medium,
            "The device is hybrid joined and registered by a work account at once (dual state).",
            [status.at(flag.line, "WorkplaceJoined YES").expected("NO")],
        );
    }
    // Where Hello is set up its section is not printed, and only the token shows that the user is one of the directory.
    let holds_token = status.data.azure_ad_prt().filter(|flag| flag.value == Flag::Yes);
    let of_directory = status.data.is_user_azure_ad().or(holds_token).map(|flag| flag.value);
    match (status.data.wam_default_set(), of_directory) {
        (Some(flag), Some(Flag::Yes)) if flag.value == Flag::No => j.warning(
            Confidence::Medium,
            "The user has no default account for the broker (WamDefaultSet NO).",
            [status.at(flag.line, "WamDefaultSet NO").expected("YES")],
        ),
        (Some(flag), _) if flag.value == Flag::No => {
            j.note(
                "WamDefaultSet is NO: whether the user is one of the directory is not shown, or he is not.",
            );
        }
        _ => {}
    }
}

/// Registered work accounts have certificates of their own.
fn work_accounts(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) {
    for section in status.data.work_accounts() {
        if let Some(validity) = section.certificate_validity() {
            certificate(case, j, status, validity, false);
        }
    }
}

/// A device that is not joined: the tests before a join, the last attempt, and whether a join is wanted.
fn not_joined(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>) {
    j.good(good_join(status));
    if status.data.wam_default_set().is_some_and(|flag| flag.value == Flag::No)
        && status.is_registered() == Some(true)
    {
        j.note("WamDefaultSet is NO, as is ordinary where the device is only registered.");
    }
    let member = status.is_domain_member() == Some(true);
    // The policies are for members of a domain: on a machine that is in none they need not be known.
    let nobody = Judgement::default();
    let outside = status.is_domain_member() == Some(false);
    let wanted = join::wanted(case, if outside { &nobody } else { j });
    if member && before_join(case, j, status, wanted.is_empty()) == Attempt::Waits {
        return;
    }
    // A policy for domain members and the domain's own tenant say nothing about other machines.
    if let Some(Sign { why, seen, .. }) = wanted.into_iter().find(|sign| member || !sign.members_only) {
        let line = status.data.azure_ad_joined().map_or(1, |flag| flag.line);
        let summary = format!("The device is not joined to the directory, though {why}.");
        j.row(Status::Warning, Confidence::Medium, summary, vec![status.at(line, "AzureAdJoined NO"), seen]);
    }
}

/// The tests before a join and the last attempt. `unwanted`: nothing shows that a join is wanted.
fn before_join(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>, unwanted: bool) -> Attempt {
    let excused = unwanted && is_without_hybrid_join(status);
    if excused {
        j.note("The device is domain joined, and hybrid join is not configured.");
    }
    tests(j, status, excused);
    last_attempt(case, j, status, excused)
}

/// R37: the output of every member of a domain that never set up hybrid join.
fn is_without_hybrid_join(status: &JoinStatus<'_>) -> bool {
    let test = status.data.pre_join_test("AD Configuration Test").map(|test| test.value);
    let phase = status.data.diagnostic("Error Phase").map(|entry| entry.value.to_lowercase());
    let code = status.data.diagnostic("Client ErrorCode").and_then(|entry| ErrorCode::parse(&entry.value));
    matches!(test, Some(TestResult::Fail { .. }))
        && phase.is_none_or(|phase| matches!(phase.as_str(), "pre-check" | "discover"))
        && code.is_none_or(|code| code.value() == NO_CONFIGURATION)
}

fn meaning(code: u32) -> String {
    let code = ErrorCode::from_value(code).to_string();
    match knowledge::meanings(&code).first() {
        Some(row) => format!("{code}: {}", row.meaning),
        None => code,
    }
}

fn tests(j: &Judgement, status: &JoinStatus<'_>, excused: bool) {
    for name in TESTS {
        let Some(test) = status.data.pre_join_test(name) else { continue };
        let TestResult::Fail { code, sub_code } = test.value else { continue };
        if excused && name == "AD Configuration Test" {
            continue;
        }
        let codes: Vec<String> = [code, sub_code].into_iter().flatten().map(meaning).collect();
        let codes = if codes.is_empty() { "no code".to_owned() } else { codes.join("; ") };
        let summary = format!("A test for the join to the directory failed: {name} ({codes}).");
        j.row(
            Status::Warning,
            Confidence::Medium,
            summary,
            vec![status.at(test.line, format!("{name} FAIL ({codes})")).expected("PASS")],
        );
    }
}

/// What the last attempt says of the join.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// It waits for the next synchronisation, which is no fault.
    Waits,
    /// Anything else, reported where it counts.
    Other,
}

/// The last attempt to join, as the diagnostics keep it.
fn last_attempt(case: &Case<'_>, j: &Judgement, status: &JoinStatus<'_>, excused: bool) -> Attempt {
    let Some(entry) = status.data.diagnostic("Client ErrorCode") else { return Attempt::Other };
    let Some(code) = ErrorCode::parse(&entry.value).filter(|code| !code.is_success()) else {
        return Attempt::Other;
    };
    if excused {
        return Attempt::Other;
    }
    if code.value() == NEW_DEVICE && is_new(case) {
        j.note("The directory does not know the device yet (0x801C03F2): right after setup this lasts until the next synchronisation.");
        return Attempt::Waits;
    }
    let said = |key: &str| {
        status.data.diagnostic(key).map(|entry| entry.value.as_str()).filter(|value| !value.is_empty())
    };
    let mut more: Vec<String> = Vec::new();
    more.extend(said("Server ErrorCode").map(|text| format!("server: {text}")));
    more.extend(said("Https Status").map(|text| format!("HTTP {text}")));
    let phase = said("Error Phase").map(|phase| format!(" in the phase {phase}")).unwrap_or_default();
    let more = if more.is_empty() { String::new() } else { format!("; {}", more.join(", ")) };
    let summary =
        format!("The last attempt to join the directory failed{phase} ({}{more}).", meaning(code.value()));
    j.row(
        Status::Warning,
        Confidence::Medium,
        summary,
        vec![status.at(entry.line, format!("Client ErrorCode {code}"))],
    );
    Attempt::Other
}

/// Whether Windows was set up within the last day before the collection.
pub fn is_new(case: &Case<'_>) -> bool {
    const DAY: i64 = 86_400;
    let installed = case.value(CURRENT_VERSION, "InstallDate");
    let installed = installed.found().and_then(|value| value.value.as_u32());
    let installed = installed.and_then(|seconds| FileTime::from_unix_seconds(i64::from(seconds)));
    installed
        .zip(case.window())
        .is_some_and(|(installed, window)| (0..=DAY).contains(&window.to.seconds_since(installed)))
}
