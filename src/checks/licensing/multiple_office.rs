//! A second Office, or what is left of a volume licence, stands beside the subscription.
//!
//! # What it looks at
//! The products of Click-to-Run, of Office 2013 too; Office, Visio and Project by MSI (`Registration` keys with an entry under `Uninstall`, in
//! both views); volume licences in the listing of `ospp.vbs`; KMS hosts; records and dialogs in the failure window that ask for a volume key.
//!
//! # Why it blocks activation
//! Office then looks for the licence of the other product: it asks for a product key or for a KMS host instead of the account. MSI and
//! Click-to-Run of the same version on one machine are not supported.
//!
//! # Fix
//! Uninstall the other product; take a left-over volume key out with `ospp.vbs /unpkey:<last five characters>`.
//!
//! # Verify
//! `ospp.vbs /dstatus` lists no volume licence of the product, and Office asks for the account.
//!
//! # When this is wrong
//! Visio and Project as volume editions beside Microsoft 365 Apps are usual. A suite that was bought once and came with the machine often
//! does no harm beside the subscription: low confidence. A KMS host set by policy is everywhere in companies. Runtimes
//! and redistributables leave `Registration` keys. Several blocks in the listing of `ospp.vbs`, most of them not licensed, are its ordinary
//! output; one that is licensed makes it good. `ospp.vbs` does not see licences of the current kind.
//!
//! # Sources
//! domain.md 5.20 `multiple-office-or-vl-residue`; R44, R45 and R62 of section 14; "Install different versions of Office, Visio, and
//! Project on the same computer"; "Numbering scheme for product code GUIDs in Office 2016" (learn.microsoft.com).

use super::licences;
use super::msi_office::{self, Msi};
use super::products::{self, Family, Installed, Kind, family};
use super::records;
use crate::artifact::capture::ospp;
use crate::artifact::event::Event;
use crate::artifact::event_decode::ErrorCode;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation, Status};
use crate::checks::{Article, Check, Layer, Remedy, collect, signals};
use crate::evidence::events::Want;
use crate::evidence::registry::twin;
use crate::evidence::{Confidence, Lookup};

/// Where KMS hosts are set for Office.
const KMS_PLACES: [&str; 3] = [
    r"HKLM\SOFTWARE\Microsoft\OfficeSoftwareProtectionPlatform",
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform",
    r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform\0ff1ce15-a989-479d-af46-f275c6370663",
];
/// Where Office 2013 by Click-to-Run keeps its settings.
const CLICK_TO_RUN_2013: &str = r"HKLM\SOFTWARE\Microsoft\Office\15.0\ClickToRun\Configuration";
/// A key was installed (1016); the volume client asked (12288) and was answered (12289). The last two are known from practice only.
const VOLUME_CLIENT: Want = Want {
    provider: "Microsoft-Windows-Security-SPP",
    ids: &[1016, 12288, 12289],
    channels: &["Application"],
};
/// Codes of volume activation: no host answered, too few clients, a key that fits no licence, a blocked key.
const VOLUME_CODES: [u32; 4] = [0xc004_f074, 0xc004_f038, 0xc004_f005, 0xc004_c003];
/// Codes that speak for a left-over only of a volume product (R62).
const OF_VOLUME_ONLY: [u32; 3] = [0xc004_f009, 0xc004_f014, 0xc004_f017];

/// The check.
pub const CHECK: Check = Check {
    id: "multiple-office-or-vl-residue",
    title: "A second Office or a left-over volume licence stands beside the subscription",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[
        records::PROTECTION,
        VOLUME_CLIENT,
        signals::DIALOGS[0],
        signals::DIALOGS[1],
        signals::DIALOGS[2],
    ],
    healthy: "No other Office and no volume licence of the same product stand beside what is installed.",
    source_text: include_str!("multiple_office.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let none = "There is no Click-to-Run Office beside which another one could stand.";
    let Some(installed) = products::need(case, j, none) else { return };
    j.good(installed.seen.clone());
    let mut residue = suites(&installed);
    residue.extend(listed(case, j, &installed));
    let asked = asked_for(case, &installed);
    volume(case, j, &installed, &residue, asked);
    windows_installer(case, j, &installed);
    older_click_to_run(case, j, &installed);
    bought_once(j, &installed);
    kms_host(case, j);
    volume_client(case, j);
}

/// A sign of the other licence, with its sentence.
struct Residue {
    summary: String,
    seen: Observation,
}

/// A volume suite beside the subscription suite (R45).
fn suites(installed: &Installed) -> Vec<Residue> {
    if !installed.has_subscription() {
        return Vec::new();
    }
    let volume = installed.products.iter().filter(|product| product.kind == Kind::VolumeSuite);
    let of = |product: &products::Product| Residue {
        summary: format!("The volume suite {} is installed beside the subscription.", product.id),
        seen: installed.seen.clone(),
    };
    volume.map(of).collect()
}

/// Volume blocks of a family of which a subscription is installed; none when any block is licensed (R44).
fn listed(case: &Case<'_>, j: &Judgement, installed: &Installed) -> Vec<Residue> {
    let blocks = licences::blocks(case);
    if let Some((source, licensed)) = blocks.iter().find(|(_, block)| block.state == ospp::State::Licensed) {
        j.good(licences::block_seen(source, licensed));
        return Vec::new();
    }
    let is_residue = |block: &ospp::Licence| is_volume_of_subscription(block, installed);
    let of = |(source, block): &(crate::evidence::Source, &ospp::Licence)| {
        let key = block.last5.as_deref().map(|last5| format!(" (key ending in {last5})")).unwrap_or_default();
        Residue {
            summary: format!("A volume licence of an installed subscription product is left over{key}."),
            seen: licences::block_seen(source, block).expected("no volume licence"),
        }
    };
    blocks.iter().filter(|(_, block)| is_residue(block)).map(of).collect()
}

fn is_volume_of_subscription(block: &ospp::Licence, installed: &Installed) -> bool {
    let of_block = block.name.as_deref().map_or(Family::Other, family);
    block.is_volume() && of_block != Family::Other && installed.subscription_of(of_block).is_some()
}

/// A record, dialog or listed licence that asks for a volume key: the wrong product of a subscription.
fn asked_for(case: &Case<'_>, installed: &Installed) -> Option<Observation> {
    if !installed.has_subscription() {
        return None;
    }
    let is_volume = |code: &&ErrorCode| VOLUME_CODES.contains(&code.value());
    let dialog = records::dialogs(case)
        .iter()
        .rev()
        .find(|one| one.codes.iter().any(|code| is_volume(&code)))
        .map(records::Dialog::seen);
    let recorded = || {
        let all = records::failures(case);
        let (event, code) =
            all.iter().rev().find_map(|(event, codes)| Some((event, codes.iter().find(is_volume)?)))?;
        Some(records::seen(event, &code.to_string()))
    };
    let listed = || {
        let blocks = licences::blocks(case);
        if blocks.iter().any(|(_, block)| block.state == ospp::State::Licensed) {
            return None;
        }
        let asks = |block: &ospp::Licence| {
            let code = block.error_code.unwrap_or_default();
            is_volume_of_subscription(block, installed)
                && (VOLUME_CODES.contains(&code) || OF_VOLUME_ONLY.contains(&code))
        };
        let (source, block) = blocks.iter().find(|(_, block)| asks(block))?;
        Some(licences::block_seen(source, block))
    };
    dialog.or_else(recorded).or_else(listed)
}

/// Left-overs are a warning; a blocker where Office is seen to ask for them and has no valid licence.
fn volume(
    case: &Case<'_>,
    j: &Judgement,
    installed: &Installed,
    residue: &[Residue],
    asked: Option<Observation>,
) {
    let good = licences::good_licence(case, Some(installed));
    match (residue.first(), asked, good) {
        (Some(first), Some(asked), None) => {
            let summary = format!("{} Office asks for it instead of the subscription.", first.summary);
            let evidence = residue.iter().map(|one| one.seen.clone()).chain([asked]).collect();
            j.row(Status::Blocker, Confidence::High, summary, evidence);
        }
        (Some(_), asked, good) => {
            for one in residue {
                j.warning(Confidence::Medium, one.summary.clone(), [one.seen.clone()]);
            }
            if asked.is_some() && good.is_some() {
                j.note("Office asked for a volume key before; the subscription is licensed now.");
            }
        }
        (None, Some(asked), None) => j.warning(
            Confidence::Medium,
            "Office asked for a volume key or a KMS host, and only a subscription is installed.",
            [asked],
        ),
        (None, Some(_), Some(_)) => {
            j.note("Office asked for a volume key before; the subscription is licensed now.");
        }
        (None, None, _) => {}
    }
}

/// Office by MSI. The same version as Click-to-Run is not supported beside it; an older suite is a second generation.
fn windows_installer(case: &Case<'_>, j: &Judgement, installed: &Installed) {
    let found = msi_office::installed(case);
    for unknown in &found.unknown {
        j.missing(unknown, collect::SOFTWARE);
    }
    for msi in &found.products {
        let evidence = [msi.registered.clone(), msi.uninstall.clone(), installed.seen.clone()];
        if msi.version == msi_office::CLICK_TO_RUN {
            j.warning(
                Confidence::Medium,
                format!(
                    "{} (MSI) stands beside Click-to-Run of the same version, which is not supported.",
                    msi.name
                ),
                evidence,
            );
        } else if is_second_suite(msi) && installed.has_subscription() {
            j.warning(
                Confidence::Medium,
                format!("{} (MSI) is a second generation of Office beside the subscription.", msi.name),
                evidence,
            );
        } else {
            j.note(format!("{} (MSI, version {}) is installed too.", msi.name, msi.version));
        }
    }
    found.good.into_iter().for_each(|seen| j.good(seen));
}

/// Office 2013 by Click-to-Run: a second generation, in either view.
fn older_click_to_run(case: &Case<'_>, j: &Judgement, installed: &Installed) {
    let views = [Some(CLICK_TO_RUN_2013.to_owned()), twin(CLICK_TO_RUN_2013)];
    for key in views.into_iter().flatten().filter(|_| installed.has_subscription()) {
        let Lookup::Found(value) = case.value(&key, "ProductReleaseIds") else { continue };
        let ids = value.value.as_text().unwrap_or_default();
        if let Some(id) = ids.split(',').map(str::trim).find(|id| family(id) == Family::Suite) {
            j.warning(
                Confidence::Medium,
                format!("{id} (Click-to-Run 2013) is a second generation of Office beside the subscription."),
                [value_seen(&value), installed.seen.clone()],
            );
        }
    }
}

/// A suite that was bought once is a generation of its own. Both are Click-to-Run of one version, so it is not sure that they disturb each
/// other.
fn bought_once(j: &Judgement, installed: &Installed) {
    for suite in installed.bought_suites().filter(|_| installed.has_subscription()) {
        j.warning(
            Confidence::Low,
            format!("{} is installed beside the subscription: Office may ask for its key.", suite.id),
            [installed.seen.clone()],
        );
    }
}

fn is_second_suite(msi: &Msi) -> bool {
    msi.family == Family::Suite
}

fn kms_host(case: &Case<'_>, j: &Judgement) {
    for place in KMS_PLACES {
        match case.value(place, "KeyManagementServiceName") {
            Lookup::Found(value) => {
                let host = value.value.as_text().unwrap_or_default();
                j.note(format!("A KMS host is set ({host}); alone it does nothing to a subscription."));
                j.good(value_seen(&value));
            }
            Lookup::Unknown(_) | Lookup::Absent(_) => {}
        }
    }
}

/// Records of the volume client that name a product of which `ospp.vbs` lists a volume licence.
fn volume_client(case: &Case<'_>, j: &Judgement) {
    let blocks = licences::blocks(case);
    let products: Vec<String> = blocks
        .iter()
        .filter(|(_, block)| block.is_volume())
        .filter_map(|(_, block)| block.sku_id.as_deref().map(str::to_lowercase))
        .collect();
    let named = |event: &Event| {
        event.data.iter().any(|field| {
            let text = field.value.to_lowercase();
            products.iter().any(|product| text.contains(product))
        })
    };
    for event in case.events(VOLUME_CLIENT).iter().filter(|event| named(event.value)) {
        let what = match event.value.event_id {
            1016 => "a volume key of Office was installed",
            _ => "the volume client asked for Office's licence",
        };
        j.note(format!("The Application log says that {what} ({}).", event.source.locator));
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let folder = r"%ProgramFiles%\Microsoft Office\Office16";
    let mut steps = vec![format!(
        r#"As administrator: cscript "{folder}\ospp.vbs" /dstatus (on 64-bit Windows with 32-bit Office: %ProgramFiles(x86)%)"#
    )];
    let volume = licences::blocks(case);
    let keys: Vec<&str> = volume
        .iter()
        .filter(|(_, block)| block.is_volume())
        .filter_map(|(_, block)| block.last5.as_deref())
        .collect();
    if keys.is_empty() {
        steps.push(format!(r#"For each volume licence of the product: cscript "{folder}\ospp.vbs" /unpkey:<last five characters>"#));
    }
    steps.extend(keys.iter().map(|last5| format!(r#"cscript "{folder}\ospp.vbs" /unpkey:{last5}"#)));
    steps.extend([
        "Uninstall the product that is not meant to be there (Settings > Apps); keep volume editions of Visio and Project that are in use.".to_owned(),
        "Restart, start Office and sign in with the licensed account.".to_owned(),
        "If it still asks for a key: Online Repair of Microsoft 365 Apps.".to_owned(),
    ]);
    Remedy {
        steps,
        caution: "A volume key that is taken out must be at hand to put it back; ospp.vbs shows only its last five characters. Ask before a product is uninstalled.".to_owned(),
        rollback: format!(r#"cscript "{folder}\ospp.vbs" /inpkey:<key>, or install the product again."#),
        verify: "ospp.vbs /dstatus lists no volume licence of the product; File > Account shows the subscription as activated.".to_owned(),
        references: vec![
            "https://learn.microsoft.com/troubleshoot/microsoft-365-apps/activation/reset-office-365-proplus-activation-state".to_owned(),
            "https://learn.microsoft.com/microsoft-365-apps/deploy/install-different-office-visio-and-project-versions-on-the-same-computer".to_owned(),
        ],
    }
}
