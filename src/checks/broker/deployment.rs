//! What the deployment of app packages recorded about a plug-in.

use crate::artifact::event::Event;
use crate::checks::case::{Case, event_seen};
use crate::checks::judgement::Observation;
use crate::evidence::Sourced;
use crate::evidence::events::Want;

/// Finished and failed deployments.
pub const DEPLOYMENTS: Want = Want {
    provider: "Microsoft-Windows-AppXDeployment-Server",
    ids: &[400, 401, 404],
    channels: &["Microsoft-Windows-AppXDeploymentServer/Operational"],
};
/// Deployments that AppLocker or a policy forbade.
pub const FORBIDDEN: Want = Want {
    provider: "Microsoft-Windows-AppXDeployment-Server",
    ids: &[412, 441, 442, 453, 454],
    channels: &["Microsoft-Windows-AppXDeploymentServer/Operational"],
};
/// Deployment finished.
const FINISHED: u32 = 400;

/// The newest failed deployment of a package that no success followed.
pub fn failure(case: &Case<'_>, package: &str) -> Option<Observation> {
    let mut records = case.events(DEPLOYMENTS);
    records.retain(|event| event.value.mentions(package));
    let last = records.pop().filter(|event| event.value.event_id != FINISHED)?;
    Some(event_seen(&last, &["PackageFullName", "ErrorCode"]))
}

/// Forbidden deployments of one of these packages that no finished one of the same package followed, oldest first.
pub fn forbidden<'e>(case: &Case<'e>, packages: &[&str]) -> Vec<Sourced<&'e Event>> {
    let mut finished = case.events(DEPLOYMENTS);
    finished.retain(|event| event.value.event_id == FINISHED);
    let is_over = |event: &Event, package: &str| {
        finished.iter().any(|done| done.value.time > event.time && done.value.mentions(package))
    };
    let mut records = case.events(FORBIDDEN);
    records.retain(|event| {
        packages.iter().any(|package| event.value.mentions(package) && !is_over(event.value, package))
    });
    records
}
