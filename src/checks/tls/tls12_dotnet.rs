//! .NET programs are kept from TLS 1.2.
//!
//! # What it looks at
//! `SchUseStrongCrypto` and `SystemDefaultTlsVersions` below `.NETFramework\v4.0.30319` and `v2.0.50727` in the SOFTWARE hive, in the
//! native and the 32-bit view; the Windows version.
//!
//! # Why it blocks activation
//! It does not block Office, which is native code. Support tools, add-ins and sign-in helpers of AD FS are .NET programs: they fail
//! beside it and mislead.
//!
//! # Fix
//! Set both values to 1 in both views, or remove the zeros, and restart the programs.
//!
//! # Verify
//! The .NET program connects.
//!
//! # When this is wrong
//! Absent values are right on Windows 10, Server 2016 and later. One of the two at 1 in the key of .NET 4 of every view that exists is
//! enough. A 32-bit Windows has one view. It is never more than a warning.
//!
//! # Sources
//! domain.md 5.1 `tls12-dotnet`; R12 and R26 of section 14.

use super::failures;
use crate::artifact::value::RegValue;
use crate::checks::case::{Case, value_seen};
use crate::checks::judgement::{Judgement, Observation};
use crate::checks::{Article, Check, Layer, Remedy, collect};
use crate::evidence::os::Generation;
use crate::evidence::{Confidence, Lookup, Unknown};

const V4: &str = r"HKLM\SOFTWARE\Microsoft\.NETFramework\v4.0.30319";
const V2: &str = r"HKLM\SOFTWARE\Microsoft\.NETFramework\v2.0.50727";
const VALUES: [&str; 2] = ["SchUseStrongCrypto", "SystemDefaultTlsVersions"];

/// The check.
pub const CHECK: Check = Check {
    id: "tls12-dotnet",
    title: ".NET programs are kept from TLS 1.2",
    layer: Layer::Tls,
    article: Article::Network("Check TLS on Windows 8.1 or earlier"),
    wants: &[],
    healthy: ".NET programs may use TLS 1.2.",
    source_text: include_str!("tls12_dotnet.rs"),
    run,
    remedy,
};

/// Both values as one view shows them.
struct View {
    name: &'static str,
    answers: Vec<Lookup<RegValue>>,
}

impl View {
    fn holds(&self, test: impl Fn(u32) -> bool) -> Option<Observation> {
        let set = self.answers.iter().filter_map(Lookup::found);
        set.filter(|value| value.value.as_u32().is_some_and(&test)).map(value_seen).next()
    }
}

/// The views that exist on this machine (R12).
fn views(case: &Case<'_>, key: &str) -> Vec<View> {
    let native = VALUES.map(|name| case.value(key, name)).into();
    let twin: Vec<_> = VALUES.iter().filter_map(|name| case.second_view(key, name)).collect();
    let mut views = vec![View { name: "64-bit", answers: native }];
    if twin.is_empty() {
        views.iter_mut().for_each(|view| view.name = "only");
    } else {
        views.push(View { name: "32-bit", answers: twin });
    }
    views
}

fn run(case: &Case<'_>, j: &Judgement) {
    for (key, version) in [(V4, ".NET 4"), (V2, ".NET 2.0 to 3.5")] {
        for view in views(case, key) {
            match (view.holds(|number| number == 0), view.holds(|number| number != 0)) {
                (Some(_), Some(on)) => {
                    j.note(format!("{version}: one value is 1 and the other 0 in the {} view; one is enough.", view.name));
                    j.good(on);
                }
                (Some(off), None) => j.warning(
                    Confidence::Medium,
                    format!("{version} is told not to use strong protocols in the {} view. Office itself is not a .NET program.", view.name),
                    [off.expected("1")],
                ),
                (None, Some(on)) => j.good(on),
                // What is not set matters for .NET 4 only: R26.
                (None, None) if key == V4 => not_set(case, j, &view),
                (None, None) => {}
            }
        }
    }
}

fn not_set(case: &Case<'_>, j: &Judgement, view: &View) {
    let mut absent = None;
    for answer in &view.answers {
        match answer {
            Lookup::Absent(source) => absent = Some(source.shows("not set")),
            Lookup::Unknown(unknown) => j.missing(unknown, collect::SOFTWARE),
            Lookup::Found(value) => {
                let what = "protocols of .NET programs".to_owned();
                let reason = Some(format!("{} holds {}", value.source.locator, value.value.display()));
                j.missing(&Unknown { what, reason }, collect::SOFTWARE);
            }
        }
    }
    let Some(absent) = absent else { return };
    match case.need_generation(j) {
        Some(generation) if generation >= Generation::Ten => j.good(absent),
        Some(_) => match failures::tls12_finding(case) {
            Some(id) => {
                j.note(format!("The values are not set, as on every Windows of this age: {id} is the finding to act on."));
                j.good(absent);
            }
            None => j.warning(
                Confidence::Low,
                format!("On this Windows .NET 4 programs do not use TLS 1.2 by themselves, and nothing says they may in the {} view. Office itself is not a .NET program.", view.name),
                [absent.expected("1")],
            ),
        },
        None => {}
    }
}

fn remedy(case: &Case<'_>) -> Remedy {
    let mut keys = vec![V4.to_owned()];
    if case.second_view(V4, VALUES[0]).is_some() {
        keys.extend(crate::evidence::registry::twin(V4));
    }
    let mut steps = vec![r"reg export HKLM\SOFTWARE\Microsoft\.NETFramework dotnet-before.reg".to_owned()];
    for key in &keys {
        steps.extend(VALUES.map(|name| format!("reg add \"{key}\" /v {name} /t REG_DWORD /d 1 /f")));
    }
    steps.push("Restart the program that fails.".to_owned());
    Remedy {
        steps,
        caution: "All .NET 4 programs of the machine follow these values; old ones that only speak TLS 1.0 to old servers stop.".to_owned(),
        rollback: "reg import dotnet-before.reg, and delete the values that were not there.".to_owned(),
        verify: "The .NET program connects; activation itself does not depend on this.".to_owned(),
        references: vec!["https://learn.microsoft.com/mem/configmgr/core/plan-design/security/enable-tls-1-2-client".to_owned()],
    }
}
