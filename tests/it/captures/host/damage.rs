//! Damaged captures: no panic, and no state that the whole capture does not have.
//!
//! A state is an answer out of a small set (joined or not, licensed or not, a process runs, an update is there). A damaged capture
//! may lose answers; it must not gain one. Text that a person reads (names, dates) can be damaged with its bytes and is no state.

use std::collections::BTreeSet;

use actriage::artifact::capture::dsregcmd::typed::{At, Context, DeviceAuth, Flag, KeyTest, TestResult};
use actriage::artifact::capture::{CaptureData, CaptureKind, CaptureStatus, READERS, split};
use actriage::artifact::capture::{dsregcmd, ospp, vnextdiag};
use actriage::artifact::text::Text;

use super::{FOLDERS, read};

/// Answers of one capture, one line each.
fn states(data: &CaptureData) -> BTreeSet<String> {
    let mut states = BTreeSet::new();
    let mut say = |text: String| {
        states.insert(text);
    };
    match data {
        CaptureData::Dsregcmd(data) => dsregcmd_states(data).into_iter().for_each(say),
        CaptureData::Ospp(data) => {
            for licence in data.licences.iter().filter(|licence| licence.state != ospp::State::Unknown) {
                say(format!("{:?}", licence.state));
                licence.name.iter().for_each(|name| say(format!("{name} {:?}", licence.state)));
            }
            data.no_keys.iter().for_each(|_| say("no keys".to_owned()));
        }
        CaptureData::Vnextdiag(data) => {
            for licence in data.licences().filter(|licence| licence.state != vnextdiag::State::Unknown) {
                say(format!("{:?}", licence.state));
            }
            data.modes.items().iter().for_each(|mode| say(format!("{} {}", mode.product, mode.mode)));
            if data.shared_computer != vnextdiag::Sharing::NotShown {
                say(format!("shared {:?}", data.shared_computer));
            }
            let none = |part: &vnextdiag::Part<_>| matches!(part, vnextdiag::Part::None(_));
            none(&data.user_licences).then(|| say("no user licence".to_owned()));
            none(&data.device_licences).then(|| say("no device licence".to_owned()));
        }
        CaptureData::Systeminfo(data) => {
            for (slot, field) in &data.fields {
                say(format!("{slot:?} {}", field.value));
            }
            for hotfix in data.hotfixes.iter().flat_map(|hotfixes| &hotfixes.listed) {
                say(hotfix.name.clone());
            }
            for card in &data.network_cards {
                let words = [&card.connection, &card.status, &card.dhcp_server];
                words.into_iter().flatten().for_each(|word| say(word.clone()));
            }
            data.hotfixes
                .iter()
                .filter(|hotfixes| hotfixes.complete)
                .for_each(|_| say("complete".to_owned()));
        }
        CaptureData::Hotfixes(data) => {
            for hotfix in &data.hotfixes {
                hotfix.kb.iter().for_each(|kb| say(format!("KB{kb}")));
                let on = hotfix.kb.zip(hotfix.installed_on.as_ref());
                on.iter().for_each(|(kb, on)| say(format!("KB{kb} on {on}")));
            }
            data.hotfixes.iter().filter_map(|hotfix| hotfix.installed).for_each(|date| say(date.to_string()));
        }
        CaptureData::Tasklist(data) => {
            for process in &data.processes {
                say(format!("{} {}", process.pid, process.name));
                process.items.iter().for_each(|item| say(item.clone()));
            }
        }
        CaptureData::Wmic(data) => {
            for property in data.objects.iter().flat_map(|object| &object.properties) {
                say(format!("{}={}", property.name, property.value));
            }
        }
        CaptureData::W32tm(data) => {
            let status = data.status.as_ref();
            status.and_then(|status| status.synchronised()).into_iter().for_each(|is| say(format!("{is}")));
            data.source.iter().for_each(|source| say(source.value.clone()));
            status.and_then(|s| s.last_sync.as_ref()).into_iter().for_each(|last| say(last.value.clone()));
        }
        CaptureData::Acl(data) => {
            for acl in &data.objects {
                for rule in &acl.access {
                    say(format!("{} {:?} {:?}", rule.account, rule.access, rule.rights));
                }
                acl.access_complete.then(|| say(format!("complete with {} rules", acl.access.len())));
            }
        }
        CaptureData::AppxPackages(data) => {
            for package in &data.packages {
                package.family.iter().for_each(|family| say(family.clone()));
                package
                    .status
                    .iter()
                    .filter_map(|status| status.ok)
                    .for_each(|ok| say(format!("status {ok}")));
            }
            data.covers_system_packages().then(|| say("covers".to_owned()));
        }
        _ => {}
    }
    states
}

fn dsregcmd_states(data: &dsregcmd::Data) -> Vec<String> {
    let flags = [
        ("AzureAdJoined", data.azure_ad_joined()),
        ("EnterpriseJoined", data.enterprise_joined()),
        ("DomainJoined", data.domain_joined()),
        ("WorkplaceJoined", data.workplace_joined()),
        ("WamDefaultSet", data.wam_default_set()),
        ("TpmProtected", data.tpm_protected()),
        ("AadRecoveryEnabled", data.aad_recovery_enabled()),
        ("AzureAdPrt", data.azure_ad_prt()),
        ("EnterprisePrt", data.enterprise_prt()),
        ("IsUserAzureAD", data.is_user_azure_ad()),
        ("SessionIsNotRemote", data.session_is_not_remote()),
    ];
    let mut said: Vec<String> = flags
        .into_iter()
        .filter_map(|(name, flag)| Some((name, flag?.value)))
        .filter(|(_, flag)| *flag != Flag::Other)
        .map(|(name, flag)| format!("{name} {flag:?}"))
        .collect();
    fn push<T: std::fmt::Debug + PartialEq>(
        said: &mut Vec<String>,
        name: &str,
        found: Option<At<T>>,
        other: &T,
    ) {
        said.extend(found.filter(|at| at.value != *other).map(|at| format!("{name} {:?}", at.value)));
    }
    push(&mut said, "DeviceAuthStatus", data.device_auth_status(), &DeviceAuth::Other);
    push(&mut said, "KeySignTest", data.key_sign_test(), &KeyTest::Other);
    push(&mut said, "User Context", data.user_context(), &Context::Other);
    for key in ["AD Connectivity Test", "AD Configuration Test", "DRS Discovery Test"] {
        let kind = data.pre_join_test(key).map(|at| match at.value {
            TestResult::Fail { .. } => "fail",
            TestResult::Pass => "pass",
            TestResult::Skipped => "skipped",
            TestResult::Other => "other",
        });
        said.extend(kind.filter(|kind| *kind != "other").map(|kind| format!("{key} {kind}")));
    }
    said.extend(data.prt_diagnostics().iter().map(|block| format!("{:?}", block.attempt)));
    said
}

/// The kinds that are damaged here.
const KINDS: [CaptureKind; 10] = [
    CaptureKind::Dsregcmd,
    CaptureKind::Acl,
    CaptureKind::AppxPackages,
    CaptureKind::Ospp,
    CaptureKind::Systeminfo,
    CaptureKind::Tasklist,
    CaptureKind::Vnextdiag,
    CaptureKind::W32tm,
    CaptureKind::Wmic,
    CaptureKind::Hotfixes,
];

/// States with the kind of their capture: what is left of a list of updates can be a list of something. Only the readers of these
/// kinds are asked, which keeps thousands of damaged files quick.
fn all_states(bytes: &[u8]) -> BTreeSet<String> {
    let text = Text::decode(bytes);
    let mut found = BTreeSet::new();
    for block in split::split(&text) {
        let readers = READERS.iter().filter(|reader| KINDS.contains(&reader.kind));
        let best = readers.map(|reader| ((reader.recognise)(&block), reader)).max_by_key(|(score, _)| *score);
        if let Some((1.., reader)) = best {
            let kind = reader.kind.name();
            found.extend(states(&(reader.read)(&block).data).iter().map(|state| format!("{kind}: {state}")));
        }
    }
    found
}

/// States that no capture of the same kind had.
fn new_states(whole: &BTreeSet<String>, damaged: &[u8]) -> Vec<String> {
    let kinds: BTreeSet<&str> = whole.iter().filter_map(|state| state.split(": ").next()).collect();
    let of_kind = |state: &&String| state.split(": ").next().is_some_and(|kind| kinds.contains(kind));
    all_states(damaged).difference(whole).filter(of_kind).cloned().collect()
}

/// English machines whose files have the same rows as others; damaging each of them again would show nothing.
const ALIKE: [&str; 8] = [
    "en-win10-2",
    "en-win10-4",
    "en-win10-ko-1",
    "en-win11-1",
    "en-win2012r2-1",
    "en-win2016-1",
    "en-win2019-1",
    "en-win81-1",
];

/// The files of these kinds with their bytes.
fn files() -> Vec<(String, Vec<u8>)> {
    let Some(root) = crate::corpus::shared() else { return Vec::new() };
    let mut files = Vec::new();
    for (folder, _) in FOLDERS {
        for entry in std::fs::read_dir(root.join("captures").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if folder == "systeminfo" && ALIKE.iter().any(|name| path.ends_with(format!("{name}.txt"))) {
                continue;
            }
            files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// The file as text in UTF-8, for damage that works on lines.
fn decoded(bytes: &[u8]) -> String {
    Text::decode(bytes).as_str().to_owned()
}

fn assert_nothing_new(file: &str, what: &str, whole: &BTreeSet<String>, damaged: &[u8]) {
    let new = new_states(whole, damaged);
    assert!(new.is_empty(), "{file}, {what}: {new:?}");
}

#[test]
fn a_cut_line_adds_no_state() {
    let mut cuts = 0;
    for (file, bytes) in files() {
        let text = decoded(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let whole = all_states(&bytes);
        // Every other line of the top, and some of the rest: long lists are the same line many times over.
        let step = (lines.len() / 8).max(1);
        for cut in (0..lines.len()).filter(|at| at % 2 == 1 && *at < 60 || at % step == 0) {
            let kept: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != cut).map(|(_, line)| *line).collect();
            assert_nothing_new(&file, &format!("line {} cut", cut + 1), &whole, kept.join("\n").as_bytes());
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
}

#[test]
fn an_early_end_adds_no_state() {
    for (file, bytes) in files() {
        let text = decoded(&bytes);
        let whole = all_states(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        let step = (lines.len() / 8).max(1);
        for end in (1..lines.len()).step_by(step) {
            let kept = lines[..end].join("\n");
            assert_nothing_new(&file, &format!("ends behind line {end}"), &whole, kept.as_bytes());
            let rest = lines[end..].join("\n");
            assert_nothing_new(&file, &format!("begins behind line {end}"), &whole, rest.as_bytes());
        }
    }
}

/// A small generator with a fixed seed: the same damage every time.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % below.max(1)
    }
}

#[test]
fn control_bytes_anywhere_make_no_healthy_word() {
    // Answers that a check could take for good or bad news. Bytes that no output holds are put over others, so whatever changes
    // cannot be a letter or digit that a machine printed.
    let mut random = Random(1);
    for (file, bytes) in files() {
        let whole = all_states(&bytes);
        let news = |text: &String| {
            ["Yes", "No", "Licensed", "Success", "Passed", "complete", "covers", "true", "false", "no "]
                .iter()
                .any(|word| text.contains(word))
        };
        for _ in 0..8 {
            let mut damaged = bytes.clone();
            for _ in 0..=random.next(6) {
                let at = random.next(damaged.len());
                damaged[at] = 1;
            }
            let mut new = new_states(&whole, &damaged);
            new.retain(|state| !state.contains('\u{1}') && news(state));
            assert!(new.is_empty(), "{file}: {new:?}");
        }
    }
}

#[test]
fn random_bytes_never_panic() {
    let mut random = Random(2);
    for (_, bytes) in files() {
        for _ in 0..4 {
            let mut damaged = bytes.clone();
            for _ in 0..=random.next(40) {
                let at = random.next(damaged.len());
                damaged[at] = u8::try_from(random.next(256)).unwrap();
            }
            damaged.truncate(1 + random.next(damaged.len()));
            for capture in read(&damaged) {
                assert_eq!(capture.reason.is_none(), capture.status == CaptureStatus::Parsed);
                assert!(serde_json::to_string(&capture.data).is_ok());
            }
        }
    }
}

#[test]
fn a_dropped_column_adds_no_state() {
    // The left part of a table scrolled away, or a paste cut its right part.
    for (file, bytes) in
        files().into_iter().filter(|(file, _)| file.contains("tasklist") || file.contains("dsregcmd"))
    {
        let text = decoded(&bytes);
        let whole = all_states(&bytes);
        for column in (1..40).step_by(3) {
            let right: Vec<String> = text.lines().map(|line| line.chars().skip(column).collect()).collect();
            let mut new = new_states(&whole, right.join("\n").as_bytes());
            new.retain(|state| !state.starts_with("tasklist"));
            assert!(new.is_empty(), "{file}, {column} columns cut at the left: {new:?}");
        }
    }
}
