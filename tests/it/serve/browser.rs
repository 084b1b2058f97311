//! The page in a real browser: `tests/browser/serve.py` drives Debian's chromium through playwright. Skipped aloud where they are not.

use std::path::PathBuf;
use std::process::Command;

use crate::checks::root;

/// How the script says that it cannot run here.
const SKIPPED: i32 = 77;

#[test]
fn the_page_works_in_a_browser() {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/browser/serve.py"));
    command.arg(assert_cmd::cargo::cargo_bin("actriage")).arg(root().join("samples"));
    if let Some(axe) = std::env::var_os("ACTRIAGE_AXE").map(PathBuf::from) {
        command.arg("--axe").arg(axe);
    }
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: there is no python3, the page was not driven in a browser");
        return;
    };
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(SKIPPED) {
        eprintln!("SKIPPED: the page was not driven in a browser: {said}");
        return;
    }
    eprintln!("{said}");
    assert!(output.status.success(), "{said}");
}
