//! The plug-in for work and school accounts is not installed for the user.
//!
//! # What it looks at
//! Lists of `Get-AppxPackage`, the affected user's classes (`UsrClass.dat`) and the machine's list of packages in the SOFTWARE hive; failed
//! deployments of the package; the error 0x80070057 in the broker's log; tokens that Web Account Manager gave.
//!
//! # Why it blocks activation
//! From Windows 10 1703 on Office signs in through Web Account Manager, which hands work and school accounts to the package
//! `Microsoft.AAD.BrokerPlugin`. Without it Windows answers 0x80070057 and no sign-in window opens.
//!
//! # Fix
//! Register the package again from `SystemApps`, in the session of the affected user.
//!
//! # Verify
//! `Get-AppxPackage Microsoft.AAD.BrokerPlugin` shows Status : Ok for that user, and a sign-in window opens.
//!
//! # When this is wrong
//! A list that was filtered, cut, or made by another user proves nothing. Where only consumer products are installed, the plug-in for personal
//! accounts matters more: a warning. 0x80070057 means "a parameter is wrong": without the call that asks the package for its accounts
//! (`FindAllAccountsAsync`) and without another sign of a missing package it is a warning.
//!
//! # Sources
//! domain.md 5.5 `broker-plugin-package`; decision 26; R30 of section 14; the article's section on the BrokerPlugin; "automatic
//! authentication fails" (learn.microsoft.com).

use super::package::{self, Plugin, Registration};
use super::{
    Account, PLUGIN_ARTICLE, RECORDS, SECTION, TOKEN_GIVEN, account, affected, deployment,
    is_of_another_user, record_seen, token_ends, token_given, too_old,
};
use crate::artifact::event::Event;
use crate::artifact::event_decode::{ErrorCode, codes_in};
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{ARTICLE_NETWORK, Check, Layer, signals};
use crate::evidence::{Confidence, Sourced};

/// `E_INVALIDARG`: what the broker answers when the package's data is missing.
const INVALID_ARGUMENT: u32 = 0x8007_0057;
/// The call that answers it.
const FIND_ACCOUNTS: &str = "findallaccounts";

/// The plug-in.
pub const PLUGIN: Plugin = Plugin {
    family: super::BROKER_PLUGIN,
    name: "Microsoft.AAD.BrokerPlugin",
    gravity: |case| if account(case) == Account::Personal { Status::Warning } else { Status::Blocker },
};

/// The check.
pub const CHECK: Check = Check {
    id: "broker-plugin-package",
    title: "The plug-in for work accounts is not installed for the user",
    layer: Layer::Broker,
    article: SECTION,
    wants: &[RECORDS, TOKEN_GIVEN, deployment::DEPLOYMENTS],
    healthy: "The plug-in for work and school accounts is installed for the affected user.",
    source_text: include_str!("plugin_package.rs"),
    run,
    remedy: |_| package::remedy(&PLUGIN, &[PLUGIN_ARTICLE, ARTICLE_NETWORK]),
};

fn run(case: &Case<'_>, j: &Judgement) {
    if too_old(case, j) {
        return;
    }
    let mut found = package::judge(case, j, &PLUGIN);
    let listed = !found.good.is_empty();
    let token = token_given(case);
    if let Some(token) = &token {
        found.good.push(event_seen(token, &[]));
    }
    if let Some(error) = refused_call(case)
        && !token_ends(
            j,
            token.map(|token| token.value.time),
            error.value.time,
            "The broker answered 0x80070057",
        )
    {
        documented_error(case, j, &found, listed, &error);
    }
    package::conclude(case, j, found);
}

/// The documented cause of 0x80070057 is missing package information, where the call for the accounts answers it or another sign of a missing
/// package stands beside it. A package that is listed as registered when the data was collected speaks against it.
fn documented_error(
    case: &Case<'_>,
    j: &Judgement,
    found: &Registration,
    listed: bool,
    error: &Sourced<&Event>,
) {
    let mut evidence = vec![record_seen(error)];
    if listed {
        let summary = "The broker answered 0x80070057, which means missing package information, but the package is registered now.";
        j.row(Status::Warning, Confidence::Low, summary.to_owned(), evidence);
        return;
    }
    evidence.extend(found.absent_in_classes.clone());
    evidence.extend(found.deployment.clone());
    if evidence.len() == 1 && !names_the_call(error.value) {
        let summary = "The broker answered 0x80070057, but not to the call that asks the package for its accounts: other faults answer it too.";
        j.row(Status::Warning, Confidence::Medium, summary.to_owned(), evidence);
        return;
    }
    let summary =
        "The broker answers 0x80070057: the package information of the plug-in is missing.".to_owned();
    j.row((PLUGIN.gravity)(case), Confidence::High, summary, evidence);
}

/// Whether a record is about the call that asks the package for its accounts.
fn names_the_call(event: &Event) -> bool {
    event.mentions(FIND_ACCOUNTS)
}

/// The newest record of the affected user with that code, as its error or as the answer of the call that it names; one that names the call
/// before others.
fn refused_call<'e>(case: &Case<'e>) -> Option<Sourced<&'e Event>> {
    let user = affected(case);
    let code = ErrorCode::from_value(INVALID_ARGUMENT);
    let mut records = case.events(RECORDS);
    records.retain(|event| {
        let inner = names_the_call(event.value) && codes_in(&event.value.all_text()).contains(&code);
        !is_of_another_user(user.as_ref(), event.value)
            && (signals::code_of(event.value) == Some(code) || inner)
    });
    let named = records.iter().rposition(|event| names_the_call(event.value));
    match named {
        Some(index) => Some(records.swap_remove(index)),
        None => records.pop(),
    }
}
