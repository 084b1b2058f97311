//! From the socket into a private file, piece by piece: an upload never lies in memory, and one that is cut off leaves nothing behind.

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use tempfile::{Builder, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::App;
use super::refusal::Refusal;
use super::store::MAX_BUNDLES;

/// Characters of a label; the rest of a longer name is cut.
const LABEL: usize = 120;

/// Stores the files of a form and gives their numbers, in the order of the form.
pub async fn receive(app: &App, mut form: Multipart) -> Result<Vec<u32>, Refusal> {
    let refused = |error: MultipartError| refusal(app, &error);
    let mut stored = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(refused)? {
        // A form without a chosen file still sends the field, with an empty name.
        let Some(name) = field.file_name().filter(|name| !name.is_empty()).map(label) else { continue };
        if stored.len() >= MAX_BUNDLES {
            return Err(full());
        }
        let (file, bytes) = store(app, &mut field).await?;
        stored.push((name, bytes, file));
    }
    if stored.is_empty() {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "No file was chosen."));
    }
    // Only a form that came in whole is taken.
    let mut ids = Vec::new();
    for (name, bytes, file) in stored {
        if !app.store.has_room() {
            return Err(full());
        }
        ids.push(app.store.add(name, bytes, file));
    }
    Ok(ids)
}

fn full() -> Refusal {
    let words = format!("There are {MAX_BUNDLES} bundles already. `actriage triage` is made for more.");
    Refusal::new(StatusCode::INSUFFICIENT_STORAGE, words)
}

async fn store(app: &App, field: &mut Field<'_>) -> Result<(TempPath, u64), Refusal> {
    let failed = |error: std::io::Error| Refusal::internal("The upload cannot be stored", &error);
    let (file, path) =
        Builder::new().prefix("upload-").tempfile_in(&app.folder).map_err(failed)?.into_parts();
    let mut file = File::from_std(file);
    let mut bytes = 0_u64;
    while let Some(chunk) = field.chunk().await.map_err(|error| refusal(app, &error))? {
        bytes = bytes.saturating_add(chunk.len() as u64);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok((path, bytes))
}

fn refusal(app: &App, error: &MultipartError) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::too_large(app.options.max_upload);
    }
    Refusal::new(StatusCode::BAD_REQUEST, "The upload did not arrive whole, or is no form.")
}

/// What a file is called: the last part of whatever the browser sent, cut to a sane length. It is shown, and never opened.
pub fn label(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let label: String = last.chars().take(LABEL).collect();
    if label.is_empty() || label == "." || label == ".." { "bundle".to_owned() } else { label }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn a_name_is_a_label_and_never_a_path() {
        assert_eq!(label("case-17.zip"), "case-17.zip");
        assert_eq!(label("../../etc/passwd"), "passwd");
        assert_eq!(label(r"C:\Users\ada\case.zip"), "case.zip");
        assert_eq!(label("/"), "bundle");
        assert_eq!(label("a/.."), "bundle");
        assert_eq!(label(&"x".repeat(10_000)).len(), 120);
    }
}
