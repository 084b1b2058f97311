//! Which address does what. Every request passes the guard first, and every answer gets the headers of [`super::policy`].

use std::sync::Arc;

use axum::Router;
use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Multipart, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::guard::Admission;
use super::refusal::Refusal;
use super::render::{self, Format};
use super::store::Slot;
use super::{App, pages, policy, upload, work};

type Shared = State<Arc<App>>;
type Answer = Result<Response, Refusal>;

/// Every address.
pub fn router(app: Arc<App>) -> Router {
    let limit = usize::try_from(app.options.max_upload).unwrap_or(usize::MAX);
    Router::new()
        .route("/", get(home))
        .route("/state", get(state))
        .route("/icon.svg", get(icon))
        .route("/upload", post(take).layer(DefaultBodyLimit::max(limit)))
        .route("/bundle/{id}", get(bundle))
        .route("/bundle/{id}/state", get(bundle_state))
        .route("/bundle/{id}/report", get(report))
        .route("/bundle/{id}/{file}", get(download))
        .route("/bundle/{id}/remove", post(remove))
        .route("/compare", get(compare))
        .fallback(nothing)
        .layer(from_fn_with_state(Arc::clone(&app), enter))
        .with_state(app)
}

/// The guard before, the headers after.
async fn enter(State(app): Shared, request: Request, next: Next) -> Response {
    let mut response = match app.guard.admit(request.method(), request.uri(), request.headers()) {
        Admission::Enter => next.run(request).await,
        Admission::Exchange(cookie) => {
            let mut response = pages::welcome();
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert("set-cookie", cookie);
            }
            response
        }
        Admission::Refused(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    };
    for (name, value) in policy::HEADERS {
        let entry = response.headers_mut().entry(HeaderName::from_static(name));
        entry.or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn home(State(app): Shared) -> Response {
    pages::home(&app.store.by_severity(), app.options.max_upload)
}

async fn state(State(app): Shared) -> String {
    pages::state(&app.store.by_severity())
}

async fn icon() -> Response {
    ([("content-type", "image/svg+xml")], policy::ICON).into_response()
}

async fn nothing() -> Refusal {
    Refusal::not_found()
}

async fn take(State(app): Shared, headers: HeaderMap, form: Result<Multipart, MultipartRejection>) -> Answer {
    // What says that it is too large is refused before a byte of it is read.
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > app.options.max_upload) {
        return Err(Refusal::too_large(app.options.max_upload));
    }
    let form = form.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "This is no form with files."))?;
    let ids = upload::receive(&app, form).await?;
    for id in &ids {
        work::start(&app, *id);
    }
    let target = match ids.as_slice() {
        [id] => format!("/bundle/{id}"),
        _ => "/".to_owned(),
    };
    Ok(Redirect::to(&target).into_response())
}

/// The bundle of an address.
fn slot(app: &App, id: &str) -> Result<Slot, Refusal> {
    id.parse().ok().and_then(|id| app.store.get(id)).ok_or_else(Refusal::not_found)
}

async fn bundle(State(app): Shared, Path(id): Path<String>) -> Answer {
    Ok(pages::bundle(&slot(&app, &id)?))
}

async fn bundle_state(State(app): Shared, Path(id): Path<String>) -> Answer {
    Ok(slot(&app, &id)?.stage.word().into_response())
}

async fn report(State(app): Shared, Path(id): Path<String>) -> Answer {
    let slot = slot(&app, &id)?;
    let report = slot.report().ok_or_else(Refusal::not_found)?;
    let headers = [
        ("content-type", Format::Html.media_type().to_owned()),
        ("content-security-policy", render::html_policy()),
    ];
    Ok((headers, render::render(report, Format::Html)).into_response())
}

async fn download(State(app): Shared, Path((id, file)): Path<(String, String)>) -> Answer {
    let slot = slot(&app, &id)?;
    let format = Format::of(&file).ok_or_else(Refusal::not_found)?;
    let report = slot.report().ok_or_else(Refusal::not_found)?;
    let name = format!("attachment; filename=\"{}.{}\"", file_name(&slot.label), format.extension());
    let headers = [("content-type", format.media_type().to_owned()), ("content-disposition", name)];
    Ok((headers, render::render(report, format)).into_response())
}

/// The label as the name of a file: letters, digits and hyphens, whatever the browser once sent.
fn file_name(label: &str) -> String {
    let stem = label.strip_suffix(".zip").unwrap_or(label);
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("actriage-{}", stem.chars().map(safe).collect::<String>())
}

async fn remove(State(app): Shared, Path(id): Path<String>) -> Answer {
    app.store.remove(slot(&app, &id)?.id);
    Ok(Redirect::to("/").into_response())
}

/// Two bundles by their numbers.
#[derive(Debug, Deserialize)]
struct Pair {
    good: String,
    bad: String,
}

async fn compare(State(app): Shared, pair: Result<Query<Pair>, QueryRejection>) -> Answer {
    let Query(pair) = pair.map_err(|_| Refusal::not_found())?;
    let (good, bad) = (slot(&app, &pair.good)?, slot(&app, &pair.bad)?);
    let failed = |reason: String| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, reason);
    Ok(pages::compare(&work::compare(&app, good, bad).await.map_err(failed)?))
}
