//! The device is disabled, deleted, or wrongly joined to the directory.
//!
//! # What it looks at
//! Join state, `DeviceAuthStatus`, certificate, dual state, default account and pre-join tests of `dsregcmd /status`; answers of the sign-in
//! service about the device; the log of device registration; the join and its policies in the registry.
//!
//! # Why it blocks activation
//! A device that the organisation disabled or deleted gets no token at all, and one whose certificate ran out or whose join failed cannot satisfy
//! a policy that asks for a known device. Office then cannot sign in.
//!
//! # Fix
//! Enable the device in the tenant, or leave and join the directory again; repair what the failed test names (domain controller, service
//! connection point, network as SYSTEM).
//!
//! # Verify
//! `dsregcmd /status` shows `AzureAdJoined : YES` and `DeviceAuthStatus : SUCCESS`.
//!
//! # When this is wrong
//! A domain that never set up hybrid join fails the test of its configuration for ever: without a sign that a join is wanted this is a note. A
//! work account that is left over has its own certificate. `WamDefaultSet : NO` is ordinary on registered machines, and an elevated prompt prints
//! an error there. "Device not found" right after setup goes by with the next synchronisation. Of several outputs of dsregcmd the newest counts,
//! with less confidence where an older one says otherwise.
//!
//! # Sources
//! domain.md 5.19 `device-registration-state`; decisions 15 and 22 of section 13; R35, R36, R37 and R61 of section 14; trap 24; "Troubleshoot
//! devices by using the dsregcmd command" and "Troubleshoot hybrid joined devices" (learn.microsoft.com).

use super::answers;
use super::device_fields;
use super::device_records;
use super::join::{self, JOIN_INFO, Runner, Status as JoinStatus};
use crate::checks::broker::{RECORDS, TOKEN_GIVEN};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Status};
use crate::checks::signals::DIALOGS;
use crate::checks::{Article, Check, Layer, Remedy};
use crate::evidence::{Confidence, Lookup};

/// The check.
pub const CHECK: Check = Check {
    id: "device-registration-state",
    title: "The device is disabled, deleted, or wrongly joined to the directory",
    layer: Layer::Identity,
    article: Article::Beyond,
    wants: &[
        RECORDS,
        TOKEN_GIVEN,
        answers::CLOUD,
        answers::REGISTRATION,
        DIALOGS[0],
        DIALOGS[1],
        DIALOGS[2],
        device_records::JOINS,
        device_records::SIGN_INS,
        device_records::RENAMED,
    ],
    healthy: "The device is joined or registered as it should be, or not at all and nothing asks for it.",
    source_text: include_str!("device_registration.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let statuses = JoinStatus::need(case, j);
    let (whole, excerpts): (Vec<&JoinStatus<'_>>, Vec<_>) =
        statuses.iter().partition(|status| status.is_joined().is_some());
    excerpts.into_iter().for_each(|status| device_fields::excerpt(case, j, status));
    // The services of the machine reach the network by ways of their own: their tests before a join say nothing that a user's can refute.
    let joined = whole.first().is_some_and(|status| status.is_joined() == Some(true));
    let (system, others): (Vec<&JoinStatus<'_>>, Vec<_>) =
        whole.iter().partition(|status| !joined && status.runner(case) == Runner::System);
    for outputs in [others, system] {
        join::judge_newest(j, outputs, |j, status| device_fields::judge(case, j, status));
    }
    let told = whole.into_iter().filter(|status| status.runner(case) == Runner::User);
    join::judge_newest(j, told, device_fields::accounts);
    device_records::judge(case, j, &statuses);
    if statuses.is_empty() {
        registry(case, j);
    }
}

/// Without `dsregcmd` the registry can only raise a warning.
fn registry(case: &Case<'_>, j: &Judgement) {
    let empty = match join::registry_join(case) {
        Lookup::Found(join) if join.value => {
            j.note("The registry shows a join to the directory; whether it is valid only dsregcmd tells.");
            return;
        }
        Lookup::Found(join) => join.source.shows("no join"),
        Lookup::Absent(source) => source.shows("no join"),
        Lookup::Unknown(_) => return,
    };
    // Its questions about the policies are not needed here: dsregcmd is missing anyway.
    if let Some(join::Sign { why, seen, .. }) = join::wanted(case, &Judgement::default()).into_iter().next() {
        let summary = format!("The registry shows no join to the directory ({JOIN_INFO}), though {why}.");
        j.row(Status::Warning, Confidence::Low, summary, vec![empty, seen]);
    }
}

/// By the kind of join and what was found.
fn remedy(case: &Case<'_>) -> Remedy {
    let statuses = JoinStatus::all(case);
    let yes =
        |ask: fn(&JoinStatus<'_>) -> Option<bool>| statuses.iter().any(|status| ask(status) == Some(true));
    let (joined, member, registered) =
        (yes(|s| s.is_joined()), yes(|s| s.is_domain_member()), yes(|s| s.is_registered()));
    let mut steps = vec![
        "In the Microsoft Entra admin center, under Devices, look the device up by the DeviceId of dsregcmd /status: enable it if it is disabled.".to_owned(),
    ];
    if joined && registered && member {
        steps.push("Remove the work account that is registered beside the join: Settings > Accounts > Access work or school > Disconnect.".to_owned());
    }
    if !joined && member {
        steps.push("With a domain controller in reach: schtasks /run /tn \"\\Microsoft\\Windows\\Workplace Join\\Automatic-Device-Join\", then dsregcmd /status; repair the test that fails.".to_owned());
        steps.push("As SYSTEM, https://enterpriseregistration.windows.net and https://login.microsoftonline.com have to be in reach: compare netsh winhttp show proxy.".to_owned());
    }
    if joined && member {
        steps.push("If the device was deleted: dsregcmd /leave in an elevated prompt, with a domain controller in reach, then restart twice and sign in.".to_owned());
    } else if joined {
        steps.push("If the device was deleted: Settings > Accounts > Access work or school > Disconnect, restart, join again; have a local administrator's password first.".to_owned());
    }
    if registered && !joined {
        steps.push(
            "Settings > Accounts > Access work or school: disconnect the work account and add it again."
                .to_owned(),
        );
    }
    Remedy {
        steps,
        caution: "Leaving the directory removes device management and Windows Hello. Save the BitLocker recovery key and the data first, and have a local administrator's password for a machine that is not in a domain.".to_owned(),
        rollback: "A device that left has to join again; a deleted device object does not come back.".to_owned(),
        verify: "dsregcmd /status: AzureAdJoined YES, DeviceAuthStatus SUCCESS; then sign in to Office again.".to_owned(),
        references: vec![
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/your-organization-disabled-this-device".to_owned(),
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-device-dsregcmd".to_owned(),
            "https://learn.microsoft.com/entra/identity/devices/troubleshoot-hybrid-join-windows-current".to_owned(),
        ],
    }
}
