//! The plug-in for personal accounts is not installed for the user.
//!
//! # What it looks at
//! The same as `broker-plugin-package`, for the package `Microsoft.Windows.CloudExperienceHost`: lists of `Get-AppxPackage`, the affected
//! user's classes, the machine's list of packages, failed deployments.
//!
//! # Why it blocks activation
//! This package signs personal accounts in, and shows some pages of work accounts. Without it a licence that belongs to a personal account
//! cannot be taken.
//!
//! # Fix
//! Register the package again from `SystemApps`, in the session of the affected user.
//!
//! # Verify
//! `Get-AppxPackage Microsoft.Windows.CloudExperienceHost` shows Status : Ok for that user.
//!
//! # When this is wrong
//! It is a blocker only where consumer products are installed; for work accounts most sign-ins do without it. A list that was filtered, cut, or
//! made by another user proves nothing.
//!
//! # Sources
//! domain.md 5.5 `cloud-experience-host`; decision 26; R30 of section 14; the article's section on the BrokerPlugin.

use super::package::{self, Plugin};
use super::{Account, PLUGIN_ARTICLE, SECTION, account, deployment, too_old};
use crate::checks::case::Case;
use crate::checks::judgement::{Judgement, Status};
use crate::checks::{ARTICLE_NETWORK, Check, Layer};

/// The plug-in.
pub const PLUGIN: Plugin = Plugin {
    family: super::EXPERIENCE_HOST,
    name: "Microsoft.Windows.CloudExperienceHost",
    gravity: |case| if account(case) == Account::Personal { Status::Blocker } else { Status::Warning },
};

/// The check.
pub const CHECK: Check = Check {
    id: "cloud-experience-host",
    title: "The plug-in for personal accounts is not installed for the user",
    layer: Layer::Broker,
    article: SECTION,
    wants: &[deployment::DEPLOYMENTS],
    healthy: "The plug-in for personal accounts is installed for the affected user.",
    source_text: include_str!("cloud_experience_host.rs"),
    run,
    remedy: |_| package::remedy(&PLUGIN, &[PLUGIN_ARTICLE, ARTICLE_NETWORK]),
};

fn run(case: &Case<'_>, j: &Judgement) {
    if too_old(case, j) {
        return;
    }
    let found = package::judge(case, j, &PLUGIN);
    package::conclude(case, j, found);
}
