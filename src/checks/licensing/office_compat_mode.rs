//! An Office program is set to run in the compatibility mode of an older Windows.
//!
//! # What it looks at
//! `AppCompatFlags\Layers` of the affected user and of the machine, in both views of the registry: values named after an Office program, and
//! whether what they hold names an older Windows.
//!
//! # Why it blocks activation
//! In compatibility mode Windows tells the program that it is an older Windows. Office then cannot verify its license.
//!
//! # Fix
//! Close the program, open the properties of its file, tab "Compatibility", and take the mode away, for all users too.
//!
//! # Verify
//! The value is gone or names no Windows any more, and Office starts without "cannot verify the license".
//!
//! # When this is wrong
//! Other programs in Office's folder (`SETLANG.EXE`, `ONENOTEM.EXE`) do not ask for the license of Word: a warning. Settings for high
//! resolutions (`HIGHDPIAWARE`), "run as administrator" and the like change nothing for licensing: they are notes. A value
//! for a program of another generation of Office, which lies in another folder, is a note too.
//!
//! # Sources
//! domain.md 5.22 `office-compat-mode`; decision 16 of section 13; "license issue when you start an Office application"
//! (learn.microsoft.com).

use super::ARTICLE_START;
use crate::artifact::value::RegValue;
use crate::checks::case::Case;
use crate::checks::judgement::Judgement;
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::registry::{Listing, twin};
use crate::evidence::{Confidence, Lookup, Source, Unknown};

/// Where Windows keeps the modes, below `HKLM\SOFTWARE` and below a user's `Software`.
const LAYERS: &str = r"Microsoft\Windows NT\CurrentVersion\AppCompatFlags\Layers";

/// Programs of Office and of its licensing.
const PROGRAMS: [&str; 16] = [
    "winword.exe",
    "excel.exe",
    "powerpnt.exe",
    "outlook.exe",
    "onenote.exe",
    "msaccess.exe",
    "mspub.exe",
    "visio.exe",
    "winproj.exe",
    "lync.exe",
    "groove.exe",
    "infopath.exe",
    "sdxhelper.exe",
    "officeclicktorun.exe",
    "officec2rclient.exe",
    "integratedoffice.exe",
];
/// How the names of the modes that stand for a Windows begin. Longer ones first where one begins like another.
const SYSTEMS: [(&str, &str); 11] = [
    ("WIN95", "Windows 95"),
    ("WIN98", "Windows 98"),
    ("WINME", "Windows Me"),
    ("NT4", "Windows NT 4"),
    ("WIN2000", "Windows 2000"),
    ("WINXP", "Windows XP"),
    ("WINSRV", "an older Windows Server"),
    ("VISTA", "Windows Vista"),
    ("WIN7", "Windows 7"),
    ("WIN81", "Windows 8.1"),
    ("WIN8", "Windows 8"),
];
/// Where Click-to-Run keeps the programs of Office: those that are not in the list are helpers of theirs.
const CLICK_TO_RUN_FOLDER: &str = r"\microsoft office\root\office16\";
/// The folder of the programs of Office 2016 and later.
const CURRENT_FOLDER: &str = "office16";

/// The check.
pub const CHECK: Check = Check {
    id: "office-compat-mode",
    title: "An Office program runs in the compatibility mode of an older Windows",
    layer: Layer::Licensing,
    article: Article::Beyond,
    wants: &[],
    healthy: "No Office program runs in the compatibility mode of an older Windows.",
    source_text: include_str!("office_compat_mode.rs"),
    run,
    remedy,
};

fn run(case: &Case<'_>, j: &Judgement) {
    let machine = format!(r"HKLM\SOFTWARE\{LAYERS}");
    judge(case, j, &machine, collect::SOFTWARE);
    if let Some(other) = twin(&machine)
        && case.evidence.registry.key(&other).found().is_some()
    {
        judge(case, j, &other, collect::SOFTWARE);
    }
    case.each_user(j, |user, j| judge(case, j, &user.path(&format!(r"Software\{LAYERS}")), collect::USER));
}

fn judge(case: &Case<'_>, j: &Judgement, key: &str, collect: &str) {
    match j.need(case.evidence.registry.values(key), collect) {
        Lookup::Absent(source) => j.good(source.shows("no compatibility mode is set")),
        Lookup::Unknown(_) => {}
        Lookup::Found(values) => {
            unread(j, key, &values.value, collect);
            let programs = values.value.iter().filter(|value| is_office(&value.name));
            let mut modes = 0;
            for value in programs {
                modes += 1;
                program(j, key, &values.source, value, collect);
            }
            if modes == 0 {
                j.good(values.shows("no compatibility mode of an Office program"));
            }
        }
    }
}

fn unread(j: &Judgement, key: &str, values: &Listing<RegValue>, collect: &str) {
    for reason in &values.unread {
        j.missing(&Unknown { what: format!("values of {key}"), reason: Some(reason.clone()) }, collect);
    }
}

/// Name of the program at the end of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

fn is_program(path: &str) -> bool {
    PROGRAMS.iter().any(|name| name.eq_ignore_ascii_case(file_name(path)))
}

/// Another program of Office, which starts for little or in place of none: `SETLANG.EXE`, `ONENOTEM.EXE`.
fn is_helper(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.contains(CLICK_TO_RUN_FOLDER) && path.ends_with(".exe")
}

fn is_office(path: &str) -> bool {
    is_program(path) || is_helper(path)
}

/// The folder of a generation of Office that the path names (`Office14`), when it is not the current one.
fn older_folder(path: &str) -> Option<&str> {
    path.split('\\').find(|part| {
        let number = part.get(..6).filter(|head| head.eq_ignore_ascii_case("office")).and(part.get(6..));
        let is_generation = number
            .is_some_and(|digits| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        is_generation && !part.eq_ignore_ascii_case(CURRENT_FOLDER)
    })
}

/// The Windows that a setting (`~ WIN7RTM HIGHDPIAWARE`) stands for.
fn system(setting: &str) -> Option<&'static str> {
    let words = setting.split_whitespace().map(|word| word.trim_start_matches(['~', '#', '$', '^', '!']));
    words
        .map(str::to_ascii_uppercase)
        .find_map(|word| SYSTEMS.iter().find(|(start, _)| word.starts_with(start)).map(|(_, name)| *name))
}

fn program(j: &Judgement, key: &str, source: &Source, value: &RegValue, collect: &str) {
    let name = file_name(&value.name);
    let Some(setting) = value.as_text().filter(|_| !value.truncated) else {
        let reason = Some(format!("{key}!{} holds {}", value.name, value.display()));
        j.missing(&Unknown { what: format!("compatibility mode of {name}"), reason }, collect);
        return;
    };
    let source = Source { locator: format!("{key}!{}", value.name), ..source.clone() };
    let seen = source.shows(setting.clone()).expected("no mode of an older Windows");
    match (system(&setting), older_folder(&value.name)) {
        (Some(system), None) if !is_program(&value.name) => j.warning(
            Confidence::Medium,
            format!("{name}, a helper of Office, is set to run as on {system}: what it does for the license can fail."),
            [seen],
        ),
        (Some(system), None) => j.blocker(
            Confidence::High,
            format!("{name} is set to run as on {system}: Office then cannot verify its license."),
            [seen],
        ),
        (Some(system), Some(folder)) => {
            j.note(format!("{name} of an older Office ({folder}) is set to run as on {system}."));
            j.good(seen);
        }
        (None, _) => {
            j.note(format!(
                "{name} has the compatibility setting {}, which does not matter here.",
                setting.trim()
            ));
            j.good(seen);
        }
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let user = match case.evidence.users.affected() {
        Lookup::Found(user) => user.value.sid.as_ref().map(|sid| format!(r"HKU\{}", sid.0)),
        Lookup::Absent(_) | Lookup::Unknown(_) => None,
    };
    let user = format!(r"{}\Software\{LAYERS}", user.unwrap_or_else(|| "HKCU".to_owned()));
    let machine = format!(r"HKLM\SOFTWARE\{LAYERS}");
    Remedy {
        steps: vec![
            "Close all Office programs.".to_owned(),
            "Right-click the program file > Properties > Compatibility: untick \"Run this program in compatibility mode for\"; then \"Change settings for all users\" and the same there.".to_owned(),
            format!("Or take the value away: reg export \"{user}\" layers-user-before.reg, reg export \"{machine}\" layers-machine-before.reg, then reg delete \"<key of the finding>\" /v \"<path of the program>\" /f"),
            "Start the program again.".to_owned(),
        ],
        caution: "A value may also hold settings for the screen: keep those (HIGHDPIAWARE and the like) and take only the name of the Windows out."
            .to_owned(),
        rollback: "reg import layers-user-before.reg and layers-machine-before.reg.".to_owned(),
        verify: format!("reg query \"{user}\" shows no Windows behind an Office program, and Office starts without \"cannot verify the license\"."),
        references: vec![ARTICLE_START.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_windows_is_a_mode_that_matters() {
        // domain.md 5.22: the four names that it gives, and the two that are Info.
        for (setting, name) in [
            ("WIN7RTM", "Windows 7"),
            ("~ WIN8RTM HIGHDPIAWARE", "Windows 8"),
            ("~ RUNASADMIN VISTASP2", "Windows Vista"),
            ("WINXPSP3", "Windows XP"),
        ] {
            assert_eq!(system(setting), Some(name), "{setting}");
        }
        for setting in ["~ HIGHDPIAWARE", "RUNASADMIN", "~ DPIUNAWARE DISABLEDXMAXIMIZEDWINDOWEDMODE", ""] {
            assert_eq!(system(setting), None, "{setting}");
        }
    }

    #[test]
    fn programs_of_office_by_their_path() {
        assert!(is_office(r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE"));
        assert!(!is_office(r"C:\Games\word.exe"));
        let helper = r"C:\Program Files\Microsoft Office\root\Office16\SETLANG.EXE";
        assert!(is_office(helper) && !is_program(helper));
        assert_eq!(
            older_folder(r"C:\Program Files (x86)\Microsoft Office\Office14\EXCEL.EXE"),
            Some("Office14")
        );
        assert_eq!(older_folder(r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE"), None);
        assert_eq!(older_folder(r"C:\Program Files\Microsoft Office 15\root\vfs\EXCEL.EXE"), None);
    }
}
