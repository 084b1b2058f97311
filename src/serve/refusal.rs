//! Why a request is not answered, as a page that a person can read.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::pages;

/// A refused request. The message is ours; what it quotes was escaped by the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// One sentence.
    pub message: String,
}

impl Refusal {
    /// A refusal with a message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// There is no such bundle or page.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is nothing here: the bundle was removed, or the address is wrong.",
        )
    }

    /// The upload is larger than the limit.
    pub fn too_large(limit: u64) -> Self {
        let words = format!("The upload is larger than {} (limit: --max-upload).", pages::size(limit));
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, words)
    }

    /// Something of ours failed.
    pub fn internal(what: &str, error: &dyn std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what}: {error}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, pages::refused(&self.message)).into_response()
    }
}
