//! Whether one of the two plug-ins is registered for the affected user: lists of packages, the registry of packages, failed deployments.

use super::deployment;
use crate::artifact::capture::appx_packages::{Data, Package};
use crate::artifact::capture::{CaptureData, CaptureKind};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Remedy, collect};
use crate::evidence::registry::UserHive;
use crate::evidence::{Confidence, Lookup, Source, Unknown, captures};

/// A plug-in.
pub struct Plugin {
    /// Package family name.
    pub family: &'static str,
    /// Package name.
    pub name: &'static str,
    /// What its absence or damage is.
    pub gravity: fn(&Case<'_>) -> Status,
}

/// Where Windows keeps what all users have.
const STORE: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore";
/// Rules that isolate the apps of a user; their names hold the package.
const RULES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\RestrictedServices\AppIso\FirewallRules";
/// In the user's classes: providers of web accounts, and families.
const PROVIDERS: &str = r"Software\Classes\Extensions\ContractId\Windows.WebAccountProvider\PackageId";
const FAMILIES: &str =
    r"Software\Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Families";

/// What is known of the registration.
#[derive(Default)]
pub struct Registration {
    /// Seen registered and well.
    pub good: Vec<Observation>,
    /// Seen absent in the user's classes (decision 26): grave together with a recorded failure.
    pub absent_in_classes: Option<Observation>,
    /// Failed deployments.
    pub deployment: Option<Observation>,
}

/// Reports everything that lists and registry say of a plug-in. What is left to the caller: the recorded failures.
pub fn judge(case: &Case<'_>, j: &Judgement, plugin: &Plugin) -> Registration {
    let user = super::affected(case);
    let mut found = Registration::default();
    let in_registry = classes(case, plugin, user.as_ref());
    let stored = store(case, plugin, user.as_ref());
    lists(case, j, plugin, user.as_ref(), &in_registry, &mut found);
    match in_registry {
        Answer::Present(seen) => found.good.push(seen),
        Answer::Absent(seen) if found.good.is_empty() && super::needs_plugins(case) => {
            let summary = format!("{} is not registered in the registry of the affected user.", plugin.name);
            j.warning(Confidence::Medium, summary, [seen.clone()]);
            found.absent_in_classes = Some(seen);
        }
        Answer::Absent(_) | Answer::Silent => {}
    }
    match stored {
        Answer::Present(seen) => found.good.push(seen),
        Answer::Absent(seen) if found.good.is_empty() => {
            let summary =
                format!("{} is not among the packages that the registry lists for all users.", plugin.name);
            j.warning(Confidence::Low, summary, [seen]);
        }
        Answer::Absent(_) | Answer::Silent => {}
    }
    if let Some(failure) = deployment::failure(case, plugin.name) {
        let summary = format!("Windows failed to install or register {}.", plugin.name);
        j.warning(Confidence::Medium, summary, [failure.clone()]);
        found.deployment = Some(failure);
    }
    firewall_rules(case, j, plugin, user.as_ref());
    found
}

/// Gives the good evidence to the judgement; without any, the list of packages is what is missing.
pub fn conclude(case: &Case<'_>, j: &Judgement, found: Registration) {
    if found.good.is_empty() {
        let reason = unusable_list(case);
        let what = "list of the affected user's packages (Get-AppxPackage)".to_owned();
        j.missing(&Unknown { what, reason }, collect::APPX);
    }
    found.good.into_iter().for_each(|seen| j.good(seen));
}

enum Answer {
    Present(Observation),
    Absent(Observation),
    Silent,
}

/// Whose packages a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All users', or those of the affected one.
    Covers,
    /// Nothing says whose.
    Unclear,
    /// Those of the person who collected.
    Another,
}

fn scope(case: &Case<'_>, data: &Data, user: Option<&UserHive>) -> Scope {
    if data.all_users {
        return Scope::Covers;
    }
    let collector = case.evidence.manifest.as_ref().and_then(|(_, manifest)| manifest.user_sid.as_deref());
    let own = user.and_then(|user| user.sid.as_ref());
    match (collector, own) {
        (Some(collector), Some(own)) if own.0.eq_ignore_ascii_case(collector) => Scope::Covers,
        (Some(_), Some(_)) => Scope::Another,
        _ => Scope::Unclear,
    }
}

fn lists(
    case: &Case<'_>,
    j: &Judgement,
    plugin: &Plugin,
    user: Option<&UserHive>,
    in_registry: &Answer,
    found: &mut Registration,
) {
    let mut absent = None;
    for capture in case.evidence.captures.each(CaptureKind::AppxPackages) {
        let CaptureData::AppxPackages(data) = &capture.value.data else { continue };
        let scope = scope(case, data, user);
        if scope == Scope::Another {
            continue;
        }
        let artifact = capture.source.artifact;
        let doubted = |mut seen: Observation| {
            if scope == Scope::Unclear {
                seen.doubts.push("Whose packages were listed does not show.".to_owned());
            }
            seen
        };
        let listed: Vec<&Package> = data.of_family(plugin.family).collect();
        let at = |line, text: String| doubted(captures::line(artifact, line).shows(text));
        // Several versions are listed where users got them at different times: only the affected user's one counts.
        let (own, others): (Vec<&Package>, Vec<&Package>) =
            listed.iter().partition(|package| has_user(package, user) != Some(false));
        for package in &own {
            found.good.extend(one_package(case, j, plugin, package, &at));
        }
        if let ([], [other, ..]) = (own.as_slice(), others.as_slice()) {
            not_registered(case, j, plugin, user, other, in_registry, &at);
        }
        if listed.is_empty() && data.covers_system_packages() {
            let text = format!("{} packages, {} not among them", data.packages.len(), plugin.name);
            absent = Some(doubted(captures::line(artifact, capture.value.line_from).shows(text)));
        }
    }
    let Some(mut seen) = absent.filter(|_| found.good.is_empty() && !j.has_finding()) else { return };
    if let Answer::Present(_) = in_registry {
        seen.doubts.push("The user's registry shows the package as registered.".to_owned());
    }
    let summary = format!("{} is not installed for the affected user.", plugin.name);
    match super::needs_plugins(case) {
        true => j.row((plugin.gravity)(case), Confidence::High, summary, vec![seen.expected(plugin.family)]),
        false => {
            j.warning(Confidence::Medium, summary, [seen.expected(plugin.family)]);
            j.missing(&case.os().unknown(), collect::OS_BUILD);
        }
    }
}

/// Whether a listed package is installed for the user; `None` where the print does not tell.
fn has_user(package: &Package, user: Option<&UserHive>) -> Option<bool> {
    let own = user.and_then(|user| user.sid.as_ref())?;
    let entry = package.users.iter().find(|entry| entry.sid.eq_ignore_ascii_case(&own.0));
    match entry {
        Some(entry) => Some(entry.state.eq_ignore_ascii_case("Installed")),
        None if package.users.is_empty() || package.users_cut => None,
        None => Some(false),
    }
}

/// The package is listed for other users only: the affected user's own list lacks it.
fn not_registered(
    case: &Case<'_>,
    j: &Judgement,
    plugin: &Plugin,
    user: Option<&UserHive>,
    package: &Package,
    in_registry: &Answer,
    at: &dyn Fn(u32, String) -> Observation,
) {
    let Some(own) = user.and_then(|user| user.sid.as_ref()) else { return };
    let entry = package.users.iter().find(|entry| entry.sid.eq_ignore_ascii_case(&own.0));
    let state = entry.map_or("not listed", |entry| entry.state.as_str());
    let full_name = package.full_name.as_deref().unwrap_or(plugin.family);
    let seen = at(package.line, format!("{full_name}: {own} {state}")).expected("Installed");
    let summary = format!("{} is on the machine, but not registered for the affected user.", plugin.name);
    // The user's registry is a second source: only where it does not contradict, the list decides.
    let contradicted = matches!(in_registry, Answer::Present(_)) || !super::needs_plugins(case);
    let status = if contradicted { Status::Warning } else { (plugin.gravity)(case) };
    j.row(status, Confidence::Medium, summary, vec![seen]);
}

/// A package that the affected user has: its status where that is printed.
fn one_package(
    case: &Case<'_>,
    j: &Judgement,
    plugin: &Plugin,
    package: &Package,
    at: &dyn Fn(u32, String) -> Observation,
) -> Option<Observation> {
    let full_name = package.full_name.as_deref().unwrap_or(plugin.family);
    match &package.status {
        Some(status) if status.ok == Some(false) => {
            let summary = format!(
                "{} is installed, but Windows says that it is not in order ({}).",
                plugin.name, status.text
            );
            let seen = at(status.line, format!("Status {}", status.text)).expected("Ok");
            j.row((plugin.gravity)(case), Confidence::High, summary, vec![seen]);
            None
        }
        Some(status) if status.ok.is_none() => {
            let summary =
                format!("{} is installed, with a status that is not known ({}).", plugin.name, status.text);
            let seen = at(status.line, format!("Status {}", status.text)).expected("Ok");
            j.row(Status::Warning, Confidence::Medium, summary, vec![seen]);
            None
        }
        Some(status) => Some(at(package.line, format!("{full_name}, Status {}", status.text))),
        None => Some(at(package.line, full_name.to_owned())),
    }
}

/// Why a list that is there tells nothing.
fn unusable_list(case: &Case<'_>) -> Option<String> {
    let user = super::affected(case);
    let kind = CaptureKind::AppxPackages;
    for capture in case.evidence.captures.each(kind) {
        let CaptureData::AppxPackages(data) = &capture.value.data else { continue };
        let reason = match scope(case, data, user.as_ref()) {
            Scope::Another => "collected, but of another user",
            _ if data.filtered == Some(true) => "collected, but some packages only were asked for",
            _ => "collected, but not a whole list of a user's packages",
        };
        return Some(reason.to_owned());
    }
    let failed = case.evidence.captures.all(kind).last();
    failed.map(|capture| {
        format!("collected, but {}", capture.value.reason.as_deref().unwrap_or("it printed nothing"))
    })
}

/// The user's classes (decision 26): either sign counts for good, both absent count against.
fn classes(case: &Case<'_>, plugin: &Plugin, user: Option<&UserHive>) -> Answer {
    let Some(user) = user else { return Answer::Silent };
    let registry = &case.evidence.registry;
    let family = registry.key(&format!(r"{}\{}", user.path(FAMILIES), plugin.family));
    if let Lookup::Found(key) = &family {
        return Answer::Present(key.shows("the package family is registered"));
    }
    let providers = registry.subkeys(&user.path(PROVIDERS));
    let place = match &providers {
        Lookup::Found(list) => match named(&list.value, plugin) {
            Some(name) => return Answer::Present(list.shows(name.to_owned())),
            None if list.value.is_complete() => list.source.clone(),
            None => return Answer::Silent,
        },
        Lookup::Absent(source) => source.clone(),
        Lookup::Unknown(_) => return Answer::Silent,
    };
    match family {
        Lookup::Absent(_) => Answer::Absent(
            place.shows("neither a provider nor a package family of that name").expected(plugin.family),
        ),
        _ => Answer::Silent,
    }
}

/// A subkey that is a version of the package.
fn named<'l>(names: &'l [String], plugin: &Plugin) -> Option<&'l str> {
    let start = format!("{}_", plugin.name.to_lowercase());
    names.iter().map(String::as_str).find(|name| name.to_lowercase().starts_with(&start))
}

/// The list for all users (R30): absence needs all three keys to be there, whole and without the package.
fn store(case: &Case<'_>, plugin: &Plugin, user: Option<&UserHive>) -> Answer {
    let Some(sid) = user.and_then(|user| user.sid.as_ref()) else { return Answer::Silent };
    let registry = &case.evidence.registry;
    let mut absent: Vec<Source> = Vec::new();
    for part in [sid.as_str(), "InboxApplications", "Applications"] {
        let Lookup::Found(list) = registry.subkeys(&format!(r"{STORE}\{part}")) else { continue };
        match named(&list.value, plugin) {
            Some(name) if part == sid.as_str() => {
                let mut seen = list.shows(name.to_owned());
                seen.doubts.push("That this key lists a user's packages is not documented.".to_owned());
                return Answer::Present(seen);
            }
            // On the machine, which says nothing about the user.
            Some(_) => return Answer::Silent,
            None if list.value.is_complete() => absent.push(list.source.clone()),
            None => {}
        }
    }
    match absent.as_slice() {
        [first, _, _] => Answer::Absent(first.shows("the package is not listed").expected(plugin.name)),
        _ => Answer::Silent,
    }
}

/// Rules that carry the package and the user show that it was once registered for that user: a hint, no proof.
fn firewall_rules(case: &Case<'_>, j: &Judgement, plugin: &Plugin, user: Option<&UserHive>) {
    let Some(sid) = user.and_then(|user| user.sid.as_ref()) else { return };
    let owner = format!("LUOwn={sid}|");
    let rules = case.evidence.registry.values(RULES);
    let named = |text: &str| text.contains(&owner) && text.contains(plugin.name);
    if rules
        .found()
        .is_some_and(|rules| rules.value.iter().any(|value| value.as_text().is_some_and(|text| named(&text))))
    {
        j.note(format!(
            "A firewall rule shows that {} was registered for this user at some time.",
            plugin.name
        ));
    }
}

/// Registers the plug-in again for the user who runs it.
pub fn remedy(plugin: &Plugin, references: &[&str]) -> Remedy {
    let (name, family) = (plugin.name, plugin.family);
    Remedy::new(
        &[
            &format!("As the affected user, not elevated, in PowerShell: Get-AppxPackage {name}"),
            &format!(
                "Add-AppxPackage -Register \"$env:windir\\SystemApps\\{family}\\Appxmanifest.xml\" -DisableDevelopmentMode -ForceApplicationShutdown"
            ),
            "Sign out and in again, then try activation.",
            "If the manifest file is missing: sfc /scannow and DISM /Online /Cleanup-Image /RestoreHealth (elevated), then register again.",
        ],
        "Run it in the session of the affected user: packages are registered for the user who runs the command. It closes the plug-in's windows.",
        "Nothing has to be undone: the package is part of Windows.",
        &format!("Get-AppxPackage {name} shows Status : Ok for the affected user."),
        references,
    )
}
