//! The analysis behind the page: one bundle at a time, on a thread of its own.

use std::path::Path;
use std::sync::Arc;

use super::App;
use super::keep;
use super::store::{Slot, Stage};
use crate::artifact::collection::{Collection, Reading};
use crate::bundle::{Bundle, BundleError};
use crate::diagnosis;
use crate::evidence::{Evidence, Settings};
use crate::redact::{self, Redactor};
use crate::report::comparison::Comparison;
use crate::report::model::Report;

/// A bug in a reader must cost one bundle, not the page.
const CRASHED: &str =
    "The analysis stopped unexpectedly. This is a bug in actriage; the other bundles are not affected.";

/// Starts the analysis of a bundle that was just uploaded.
pub fn start(app: &Arc<App>, id: u32) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        // The semaphore is never closed; if it were, nothing would be left to protect.
        let _turn = app.turn.acquire().await;
        let Some(slot) = app.store.get(id) else { return };
        app.store.set(id, Stage::Reading);
        let worker = Arc::clone(&app);
        let stage = tokio::task::spawn_blocking(move || analyse(&worker, &slot)).await;
        let stage = stage.unwrap_or_else(|_| Stage::Failed(CRASHED.to_owned()));
        if let (true, Stage::Done(report)) = (app.options.redact, &stage) {
            // Files are named after machines and people.
            app.store.rename(id, report.bundle.path.clone());
        }
        app.store.set(id, stage);
    });
}

fn analyse(app: &App, slot: &Slot) -> Stage {
    let report = match read(app, &slot.file, &slot.label) {
        Ok((bundle, evidence)) => {
            let mut report = Report::new(&bundle, &diagnosis::diagnose(&evidence));
            if app.options.redact {
                redactor(app, &evidence).report(&mut report);
            }
            report
        }
        Err(error) => return Stage::Failed(error.to_string()),
    };
    match app.options.keep.as_deref().map(|folder| keep::keep(folder, slot, &report)) {
        Some(Err(error)) => Stage::Failed(format!("The report cannot be kept: {error}")),
        _ => Stage::Done(Arc::new(report)),
    }
}

/// Reads two bundles again and compares them. They are not held in memory meanwhile: the evidence of one can take a hundred megabytes.
pub async fn compare(app: &Arc<App>, good: Slot, bad: Slot) -> Result<Comparison, String> {
    let _turn = app.turn.acquire().await;
    let worker = Arc::clone(app);
    let work = move || {
        let read = |slot: &Slot| read(&worker, &slot.file, &slot.label).map_err(|error| error.to_string());
        let (good, bad) = (read(&good)?, read(&bad)?);
        let (one, two) = (diagnosis::diagnose(&good.1), diagnosis::diagnose(&bad.1));
        let mut comparison = Comparison::new((&good.0, &one), (&bad.0, &two));
        redact::comparison(&mut comparison, &redactor(&worker, &good.1), &redactor(&worker, &bad.1));
        Ok(comparison)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(CRASHED.to_owned()))
}

/// Masks secrets; with `--redact` names as well. Both are learned from the same reading as on the command line, so pseudonyms agree.
fn redactor(app: &App, evidence: &Evidence) -> Redactor {
    if app.options.redact { Redactor::learn(evidence) } else { Redactor::default() }
}

fn read(app: &App, path: &Path, label: &str) -> Result<(Bundle, Evidence), BundleError> {
    let bundle = Bundle::open_as(path, label.to_owned(), app.options.limits)?;
    let reading = Reading { interest: diagnosis::interest(), replay: true, hashes: true };
    let collection = Collection::read(&bundle, &reading);
    let settings = Settings { window_days: app.options.window_days, user: None };
    Ok((bundle, Evidence::build(collection, &settings)))
}
