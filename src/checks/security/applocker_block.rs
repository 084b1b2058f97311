//! AppLocker or App Control blocks Office, its sign-in or its setup.
//!
//! # What it looks at
//! Records of AppLocker (allowed, would be blocked, blocked), of App Control in the log of Code Integrity, and of forbidden deployments of the
//! sign-in plug-ins; the rules of AppLocker in the registry, those for packaged apps above all.
//!
//! # Why it blocks activation
//! Office starts programs of its own, and signs in through app packages of Windows. A rule that forbids one of them ends activation before a
//! connection is opened, often without a message.
//!
//! # Fix
//! Add a rule that allows what was blocked: for packaged apps the default rule "signed packaged apps".
//!
//! # Verify
//! AppLocker records 8002 or 8020 for the file or package that was blocked.
//!
//! # When this is wrong
//! Records of other files never count, and a record of another user does not tell of the affected one. Scripts with which an engineer looks at
//! licences (`ospp.vbs`, `vnextdiag.ps1`) are blocked in many companies: that hinders looking and not activation. Rules without the service
//! Application Identity are not enforced. A rule for administrators admits no ordinary user, and who belongs to a group of the domain is not known.
//!
//! # Sources
//! domain.md 5.21 `applocker-block`; 2.3 for the shape of the records; R60 of section 14; section 11 (AppLocker 8020).

use crate::artifact::event::Event;
use crate::artifact::security::Sid;
use crate::checks::broker::{BROKER_PLUGIN, EXCLUSIONS_ARTICLE, EXPERIENCE_HOST, affected, deployment};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::events::{Coverage, Want};
use crate::evidence::os::Generation;
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup, Sourced};

const PACKAGED: &str = "Microsoft-Windows-AppLocker/Packaged app-Execution";
const PROGRAMS: &str = "Microsoft-Windows-AppLocker/EXE and DLL";
/// Allowed 8002, 8005, 8020, 8023; would be blocked 8003, 8006, 8021, 8024; blocked 8004, 8007, 8022, 8025.
const APPLOCKER: Want = Want {
    provider: "Microsoft-Windows-AppLocker",
    ids: &[8002, 8003, 8004, 8005, 8006, 8007, 8020, 8021, 8022, 8023, 8024, 8025],
    channels: &[
        PACKAGED,
        PROGRAMS,
        "Microsoft-Windows-AppLocker/MSI and Script",
        "Microsoft-Windows-AppLocker/Packaged app-Deployment",
    ],
};
/// App Control: would be blocked, blocked.
const APP_CONTROL: Want = Want {
    provider: "Microsoft-Windows-CodeIntegrity",
    ids: &[3076, 3077],
    channels: &["Microsoft-Windows-CodeIntegrity/Operational"],
};
const POLICY: &str = r"HKLM\SOFTWARE\Policies\Microsoft\Windows\SrpV2";
const SERVICE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\AppIDSvc";

/// The check.
pub const CHECK: Check = Check {
    id: "applocker-block",
    title: "AppLocker or App Control blocks Office or its sign-in",
    layer: Layer::Broker,
    article: Article::Beyond,
    wants: &[APPLOCKER, APP_CONTROL, deployment::FORBIDDEN, deployment::DEPLOYMENTS],
    healthy: "AppLocker blocked nothing of Office, its sign-in or its setup.",
    source_text: include_str!("applocker_block.rs"),
    run,
    remedy,
};

/// Parts of paths and packages that activation needs, in lower case; AppLocker writes `%PROGRAMFILES%` and the like in place of drives.
const NEEDED: [&str; 10] = [
    "microsoft.aad.brokerplugin",
    "microsoft.windows.cloudexperiencehost",
    "backgroundtaskhost.exe",
    r"\microsoft office\",
    r"\microsoft shared\clicktorun\",
    r"\microsoft shared\office1",
    "officeclicktorun.exe",
    "officesetup.exe",
    "officec2rclient.exe",
    "microsoft.office.desktop",
];
/// Scripts that only show licences.
const LOOKING: [&str; 2] = ["ospp.vbs", "vnextdiag.ps1"];

/// What a record names, when activation needs it.
fn needed(text: &str) -> bool {
    let text = text.to_lowercase().replace('/', "\\");
    NEEDED.iter().any(|part| text.contains(part)) && !LOOKING.iter().any(|script| text.ends_with(script))
}

fn run(case: &Case<'_>, j: &Judgement) {
    applocker(case, j);
    app_control(case, j);
    if let Some(event) = deployment::forbidden(case, &[BROKER_PLUGIN, EXPERIENCE_HOST].map(family)).last() {
        let seen = event_seen(event, &["PackageFullName", "ErrorCode"]);
        j.blocker(Confidence::High, "A policy forbids the installation of a plug-in that signs in.", [seen]);
    }
    rules(case, j);
    need_logs(case, j);
}

/// The package's name without the publisher's id, which stands elsewhere in full names.
fn family(name: &str) -> &str {
    name.split('_').next().unwrap_or(name)
}

/// A file or package that a record names.
fn subject(event: &Event) -> String {
    let part = |name: &str| event.user(name).or_else(|| event.field(name).map(str::to_owned));
    ["Package", "FullFilePath", "FilePath"]
        .iter()
        .find_map(|name| part(name).filter(|text| !text.trim().is_empty()))
        .unwrap_or_default()
}

/// A record about another person than the affected one.
pub fn is_of_another(user: Option<&UserHive>, event: &Event) -> bool {
    let own = user.and_then(|user| user.sid.as_ref());
    let target = event.user("TargetUser").or_else(|| event.user_sid.clone());
    let target = target.map(Sid).filter(Sid::is_person);
    matches!((own, target), (Some(own), Some(target)) if *own != target)
}

fn shown(event: &Sourced<&Event>) -> Observation {
    let rule = event.value.user("RuleName").filter(|name| !name.trim().is_empty() && name.trim() != "-");
    let rule = rule.map(|name| format!(", rule {name}")).unwrap_or_default();
    event.shows(format!("AppLocker {} {}{rule}", event.value.event_id, subject(event.value)))
}

fn applocker(case: &Case<'_>, j: &Judgement) {
    const ALLOWED: [u32; 4] = [8002, 8005, 8020, 8023];
    const BLOCKED: [u32; 4] = [8004, 8007, 8022, 8025];
    let user = affected(case);
    let mut records = case.events(APPLOCKER);
    records.retain(|event| needed(&subject(event.value)));
    let (others, records): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|event| is_of_another(user.as_ref(), event.value));
    if let Some(other) = others.iter().rfind(|event| BLOCKED.contains(&event.value.event_id)) {
        j.note(format!("AppLocker blocked {} for another user.", subject(other.value)));
    }
    // The newest word on each file or package.
    let mut newest: Vec<&Sourced<&Event>> = Vec::new();
    for event in &records {
        let same =
            |known: &&Sourced<&Event>| subject(known.value).eq_ignore_ascii_case(&subject(event.value));
        let before = newest.iter().position(same).map(|index| newest.remove(index));
        let was_blocked = before.is_some_and(|before| BLOCKED.contains(&before.value.event_id));
        if was_blocked && ALLOWED.contains(&event.value.event_id) {
            j.note(format!(
                "AppLocker blocked {} and allowed it later: it was, and is now repaired.",
                subject(event.value)
            ));
        }
        newest.push(event);
    }
    for event in newest.into_iter().rev() {
        let name = subject(event.value);
        match event.value.event_id {
            id if ALLOWED.contains(&id) => j.good(shown(event)),
            id if BLOCKED.contains(&id) => {
                j.blocker(Confidence::High, format!("AppLocker blocks {name}."), [shown(event)]);
            }
            _ => {
                let summary = format!("AppLocker would block {name} as soon as its rules are enforced.");
                j.warning(Confidence::Medium, summary, [shown(event)]);
            }
        }
    }
}

/// App Control needs no AppLocker rule; only the file that was blocked counts (R60).
fn app_control(case: &Case<'_>, j: &Judgement) {
    for event in case.events(APP_CONTROL) {
        let file = event.value.field("File Name").unwrap_or_default().to_owned();
        if !needed(&file) {
            continue;
        }
        let seen = event_seen(&event, &["File Name", "Process Name"]);
        if event.value.event_id == 3077 {
            j.blocker(Confidence::High, format!("App Control blocks {file}."), [seen]);
        } else {
            let summary = format!("App Control would block {file} as soon as its policy is enforced.");
            j.warning(Confidence::Medium, summary, [seen]);
        }
    }
    let covered = case.window().is_some_and(|window| {
        matches!(case.evidence.events.coverage(APP_CONTROL.channels, window), Coverage::Whole(_))
    });
    if !covered {
        j.note("The log of App Control (CodeIntegrity) does not cover the failure window: this speaks of the AppLocker part only.");
    }
}

/// The rules for packaged apps: enforced without one that admits the inbox packages, or with one that denies them.
fn rules(case: &Case<'_>, j: &Judgement) {
    let registry = &case.evidence.registry;
    let policy = match j.need(registry.key(POLICY), collect::SOFTWARE) {
        Lookup::Found(policy) => policy,
        Lookup::Absent(source) => {
            j.good(source.shows("no AppLocker rules by group policy"));
            return;
        }
        Lookup::Unknown(_) => return,
    };
    j.good(policy.shows("AppLocker rules by group policy"));
    if let Lookup::Found(start) = case.value(SERVICE, "Start")
        && start.value.as_u32() == Some(4)
    {
        j.note("The service Application Identity is disabled: the rules are not enforced.");
        return;
    }
    let packaged = format!(r"{POLICY}\Appx");
    let Lookup::Found(list) = registry.subkeys(&packaged) else { return };
    // Without a mode ("not configured") rules are enforced where there are any.
    let (sure, seen) = match case.value(&packaged, "EnforcementMode") {
        Lookup::Found(mode) if mode.value.as_u32() == Some(1) => {
            (Confidence::Medium, mode.shows("EnforcementMode 1"))
        }
        Lookup::Absent(_) if !list.value.is_empty() => {
            (Confidence::Low, list.shows("rules without EnforcementMode"))
        }
        _ => return,
    };
    let value = |key: &String| case.value(&format!(r"{packaged}\{key}"), "Value");
    let mut rules = Vec::new();
    for key in list.value.iter() {
        match value(key) {
            Lookup::Found(rule) => rules.push(rule),
            Lookup::Absent(_) => {}
            Lookup::Unknown(unknown) => {
                j.missing(&unknown, collect::SOFTWARE);
                return;
            }
        }
    }
    let texts: Vec<String> =
        rules.iter().map(|rule| rule.value.as_text().unwrap_or_default().to_lowercase()).collect();
    let user = affected(case);
    let admitting = || texts.iter().filter(|text| is(text, "allow") && covers_inbox(text));
    if list.value.is_complete() && !admitting().any(|text| is_for(text, user.as_ref()) == Some(true)) {
        let unclear = admitting().any(|text| is_for(text, user.as_ref()).is_none());
        let (whom, sure) = if unclear { (" for sure", Confidence::Low) } else { ("", sure) };
        let summary = format!(
            "The rules for packaged apps are enforced, and none of them{whom} admits the apps of Windows that sign in."
        );
        j.warning(sure, summary, [seen.expected("a rule that allows signed packaged apps for everyone")]);
    }
    for (rule, text) in rules.iter().zip(&texts).filter(|(_, text)| is(text, "deny")) {
        let named = NEEDED.iter().any(|part| text.contains(part));
        // A rule that denies wins over those that allow.
        if named || (covers_inbox(text) && is_for(text, user.as_ref()) == Some(true)) {
            let summary = "A rule for packaged apps denies Office or a plug-in that signs in.";
            j.warning(sure, summary, [rule.shows("a rule with Action=\"Deny\"")]);
        }
    }
}

/// Whether a rule holds for the affected user: one for everyone, for users, for those who signed in, or for himself. `None` for a group whose
/// members are not known.
fn is_for(rule: &str, user: Option<&UserHive>) -> Option<bool> {
    const EVERY_USER: [&str; 3] = ["s-1-1-0", "s-1-5-32-545", "s-1-5-11"];
    let Some(whom) = attribute(rule, "userorgroupsid") else { return Some(true) };
    let own = user.and_then(|user| user.sid.as_ref()).is_some_and(|sid| sid.0.eq_ignore_ascii_case(whom));
    if own || EVERY_USER.contains(&whom) {
        return Some(true);
    }
    (!whom.starts_with("s-1-5-21-")).then_some(false)
}

/// An attribute of a rule in lower case.
fn attribute<'r>(rule: &'r str, name: &str) -> Option<&'r str> {
    rule.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next())
}

fn is(rule: &str, action: &str) -> bool {
    rule.contains(&format!("action=\"{action}\""))
}

/// A rule for any publisher, for Microsoft's own packages, or for one of the plug-ins.
fn covers_inbox(rule: &str) -> bool {
    let product = attribute(rule, "productname").unwrap_or("*");
    attribute(rule, "publishername")
        .is_some_and(|name| name == "*" || name.starts_with("cn=microsoft windows"))
        && (product == "*" || product == "microsoft.aad.brokerplugin")
}

/// The logs cover the window; or they were collected empty and there are no rules, as on most machines.
fn need_logs(case: &Case<'_>, j: &Judgement) {
    let plain = |path: &str| -> String {
        path.replace("%4", "").to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
    };
    let logs = case.evidence.events.logs();
    // A log without records does not say which channel it is: only the name of its file does.
    let empty = |name: &str| logs.iter().any(|log| log.records == 0 && plain(&log.path).contains(name));
    // Packaged apps, and the log of their rules, came with Windows 8.
    let seven = case.os().generation() == Some(Generation::Seven);
    if case.evidence.registry.key(POLICY).is_absent()
        && (seven || empty("applockerpackagedappexecution"))
        && empty("applockerexeanddll")
    {
        j.note("The logs of AppLocker are empty and it has no rules.");
        return;
    }
    if !seven {
        case.need_log(j, &[PACKAGED], collect::APPLOCKER_LOGS);
    }
    case.need_log(j, &[PROGRAMS], collect::APPLOCKER_LOGS);
}

fn remedy(_: &Case<'_>) -> Remedy {
    Remedy::new(
        &[
            "Get-AppLockerPolicy -Effective -Xml > applocker.xml shows the rules in force; the record names the one that blocked.",
            "Packaged apps: add the default rule \"(Default Rule) All signed packaged apps\" in the policy that sets the rules (secpol.msc or the group policy), then gpupdate /force.",
            "Programs: allow %PROGRAMFILES%\\Microsoft Office\\* and %PROGRAMFILES%\\Common Files\\Microsoft Shared\\ClickToRun\\* by publisher O=MICROSOFT CORPORATION.",
            "App Control: allow the file in the policy that 3077 names, or use Microsoft's recommended base policy.",
            "Set the rule collection to \"Audit only\" for a test where a rule cannot be added at once.",
        ],
        "Change the policy at its source: local changes are overwritten. Path rules for folders that users can write to defeat AppLocker.",
        "Take the rule out of the policy again; gpupdate /force.",
        "AppLocker records 8002 or 8020 for what was blocked; then try activation again.",
        &[
            "https://learn.microsoft.com/windows/security/application-security/application-control/app-control-for-business/applocker/using-event-viewer-with-applocker",
            EXCLUSIONS_ARTICLE,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_activation_needs() {
        // Paths as AppLocker and Code Integrity write them (domain.md 5.5 and 5.21; R60).
        for text in [
            r"%PROGRAMFILES%\MICROSOFT OFFICE\ROOT\OFFICE16\WINWORD.EXE",
            r"%PROGRAMFILES%\COMMON FILES\MICROSOFT SHARED\CLICKTORUN\OFFICECLICKTORUN.EXE",
            "MICROSOFT.AAD.BROKERPLUGIN",
            r"\Device\HarddiskVolume3\Windows\System32\backgroundTaskHost.exe",
            "MICROSOFT.OFFICE.DESKTOP",
        ] {
            assert!(needed(text), "{text}");
        }
        for text in [
            r"%OSDRIVE%\USERS\ANNA\DOWNLOADS\TOOL.EXE",
            r"%PROGRAMFILES%\MICROSOFT OFFICE\OFFICE16\OSPP.VBS",
            "MICROSOFT.BINGWEATHER",
            "",
        ] {
            assert!(!needed(text), "{text}");
        }
    }

    #[test]
    fn rules_that_admit_the_apps_of_windows() {
        // The default rule of the policy editor, and one publisher.
        let rule = |publisher: &str, product: &str| {
            format!(
                "<filepublisherrule action=\"allow\"><conditions><filepublishercondition publishername=\"{publisher}\" productname=\"{product}\" binaryname=\"*\">"
            )
        };
        assert!(covers_inbox(&rule("*", "*")));
        assert!(covers_inbox(&rule("cn=microsoft windows, o=microsoft corporation, l=redmond", "*")));
        assert!(!covers_inbox(&rule("cn=microsoft windows, o=microsoft corporation", "microsoft.lockapp")));
        assert!(!covers_inbox(&rule("cn=contoso", "*")) && !covers_inbox("<rule/>"));
    }
}
