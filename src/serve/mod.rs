//! A local page to drop bundles on: for the engineer who gets a zip by mail and does not live in a terminal.
//!
//! It must be as safe as the command line. So the page
//!
//! * listens on the loopback address only, and answers only whoever has the secret that the terminal printed (`guard`);
//! * takes every file name, and every byte of every bundle, as hostile: names are labels, texts are escaped, and a strict content
//!   security policy stands behind that (`policy`);
//! * streams uploads into a private temporary folder, within a limit (`upload`), and analyses them one after the other on a thread
//!   of their own (`work`), so that a bad bundle costs itself;
//! * works as plain HTML forms. The script adds dropping, progress and copying, nothing else;
//! * keeps nothing after its end, unless it was asked to (`keep`).

mod guard;
mod keep;
mod pages;
mod policy;
mod refusal;
mod render;
mod routes;
mod store;
mod upload;
mod work;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::bundle::limits::Limits;
use guard::Guard;
use store::Store;

/// What a person may set.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port; `None` takes a free one.
    pub port: Option<u16>,
    /// Largest upload in bytes, all its files together.
    pub max_upload: u64,
    /// Where bundles and reports are kept; `None`: nowhere.
    pub keep: Option<PathBuf>,
    /// Replace names by pseudonyms in reports, downloads and comparisons.
    pub redact: bool,
    /// Limits on each bundle.
    pub limits: Limits,
    /// Days before the collection in which a failure counts as current.
    pub window_days: u32,
}

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken, or the runtime cannot start.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// No place for uploads.
    #[error("cannot make a temporary folder: {0}")]
    Folder(#[source] io::Error),
    /// What was uploaded could not be removed at the end.
    #[error("cannot remove the uploads: {0}")]
    Remove(#[source] io::Error),
    /// The folder to keep things in cannot be made.
    #[error("{}: {source}", path.display())]
    Keep {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no random bytes, so there can be no secret.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The address could not be printed.
    #[error("cannot print the address: {0}")]
    Announce(#[source] io::Error),
}

/// What every request shares.
#[derive(Debug)]
struct App {
    options: Options,
    guard: Guard,
    store: Store,
    /// Where uploads lie.
    folder: PathBuf,
    /// One analysis at a time: each already uses every core.
    turn: Semaphore,
}

/// Serves the page until the program is told to end (Ctrl-C, or the system's signals to terminate). `announce` gets the address.
pub fn run(options: Options, announce: impl FnOnce(&str) -> io::Result<()>) -> Result<(), ServeError> {
    if let Some(path) = &options.keep {
        std::fs::create_dir_all(path).map_err(|source| ServeError::Keep { path: path.clone(), source })?;
    }
    let folder = private_folder().map_err(ServeError::Folder)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Listen)?;
    let served = runtime.block_on(serve(options, folder.path().to_path_buf(), announce));
    // An analysis that still runs is not waited for: it only reads.
    runtime.shutdown_background();
    served.and(folder.close().map_err(ServeError::Remove))
}

async fn serve(
    options: Options,
    folder: PathBuf,
    announce: impl FnOnce(&str) -> io::Result<()>,
) -> Result<(), ServeError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0)))
        .await
        .map_err(ServeError::Listen)?;
    let port = listener.local_addr().map_err(ServeError::Listen)?.port();
    let guard = Guard::new(port)?;
    let end = end().map_err(ServeError::Listen)?;
    announce(&guard.address()).map_err(ServeError::Announce)?;
    let app = App { options, guard, store: Store::default(), folder, turn: Semaphore::new(1) };
    tokio::select! {
        served = axum::serve(listener, routes::router(Arc::new(app))) => served.map_err(ServeError::Listen),
        () = end => Ok(()),
    }
}

/// A folder that only its owner can look into.
fn private_folder() -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("actriage-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// Ready when the program shall end. Without these handlers the uploads would stay behind.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Ready when the program shall end. Without these handlers the uploads would stay behind.
#[cfg(windows)]
fn end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
    let (mut interrupt, mut stop, mut close) = (ctrl_c()?, ctrl_break()?, ctrl_close()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
            _ = close.recv() => {}
        }
    })
}
