//! `actriage serve`: a local page to drop bundles on.

#[cfg(feature = "serve")]
pub use with::Serve;
#[cfg(not(feature = "serve"))]
pub use without::Serve;

#[cfg(feature = "serve")]
mod with {
    use std::io::Write;
    use std::path::PathBuf;

    use clap::Args;

    use crate::cli::{CliError, Common, Exit, Outcome, open};
    use crate::serve::{Options, run};

    /// Open a local page to drop bundles on and to read the reports.
    ///
    /// The page is there for this machine only (127.0.0.1) and for whoever has the printed address. Nothing is kept when the program ends.
    #[derive(Debug, Args)]
    pub struct Serve {
        /// Listen on this port instead of a free one.
        #[arg(long, value_name = "PORT")]
        port: Option<u16>,
        /// Largest upload.
        #[arg(long, value_name = "BYTES", default_value_t = 2 << 30)]
        max_upload: u64,
        /// Keep the bundles and their reports in this folder.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        /// Days before the collection in which a failure counts as current.
        #[arg(long, value_name = "DAYS", default_value_t = 7)]
        window: u32,
        #[command(flatten)]
        limits: open::LimitArgs,
    }

    impl Serve {
        pub(in crate::cli) fn run(&self, common: &Common, out: &mut dyn Write) -> Outcome {
            let options = Options {
                port: self.port,
                max_upload: self.max_upload,
                keep: self.keep.clone(),
                limits: self.limits.limits(),
                redact: common.redact,
                window_days: self.window,
            };
            let fate = if self.keep.is_some() { "bundles and reports are kept" } else { "nothing is kept" };
            let announce = |address: &str| {
                writeln!(
                    out,
                    "Open this address in a browser on this machine; it works once:\n\n    {address}\n"
                )?;
                writeln!(out, "Ctrl-C ends the program; {fate}.")?;
                out.flush()
            };
            run(options, announce).map_err(|error| CliError::Message(error.to_string()))?;
            Ok(Exit::Good)
        }
    }
}

#[cfg(not(feature = "serve"))]
mod without {
    use std::io::Write;

    use clap::Args;

    use crate::cli::{CliError, Common, Outcome};

    /// Open a local page to drop bundles on (not in this build).
    #[derive(Debug, Args)]
    #[command(disable_help_flag = true)]
    pub struct Serve {
        /// Whatever was asked for: the answer is the same.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        _rest: Vec<String>,
    }

    impl Serve {
        #[allow(clippy::unused_self, reason = "one form for every command")]
        pub(in crate::cli) fn run(&self, _common: &Common, _out: &mut dyn Write) -> Outcome {
            let words = "this build has no `serve`: build it with `cargo build --release --features serve`";
            Err(CliError::Message(words.to_owned()))
        }
    }
}
