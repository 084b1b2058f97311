//! `--keep DIR`: what stays after the program has ended. Folders are named by the fingerprint of the bundle, never by a name that a
//! browser sent; the same bundle twice gives the same folder with the same content.

use std::fs;
use std::io;
use std::path::Path;

use super::render::{self, Format};
use super::store::Slot;
use crate::report::model::Report;

/// Hex digits of the SHA-256 in the name of a folder.
const DIGITS: usize = 16;

/// Keeps a bundle and its reports.
pub fn keep(folder: &Path, slot: &Slot, report: &Report) -> io::Result<()> {
    let name: String = match &report.bundle.sha256 {
        Some(hash) => hash.chars().take(DIGITS).collect(),
        None => slot.id.to_string(),
    };
    let folder = folder.join(name);
    fs::create_dir_all(&folder)?;
    fs::copy(&*slot.file, folder.join("bundle"))?;
    for format in Format::ALL {
        fs::write(folder.join(format!("report.{}", format.extension())), render::render(report, format))?;
    }
    Ok(())
}
