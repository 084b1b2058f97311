//! The pages in a real browser: scripts in `tests/browser` drive Debian's chromium through playwright. Skipped aloud where they are not.

use std::path::PathBuf;
use std::process::Command;

use crate::checks::root;

/// How a script says that it cannot run here.
const SKIPPED: i32 = 77;

fn drive(script: &str) {
    let mut command = Command::new("python3");
    command.arg(root().join("tests/browser").join(script));
    command.arg(assert_cmd::cargo::cargo_bin("actriage")).arg(root().join("samples"));
    if let Some(axe) = std::env::var_os("ACTRIAGE_AXE").map(PathBuf::from) {
        command.arg("--axe").arg(axe);
    }
    // The script's modules are source, not a place for compiled files.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: there is no python3, {script} was not driven in a browser");
        return;
    };
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(SKIPPED) {
        eprintln!("SKIPPED: {script} was not driven in a browser: {said}");
        return;
    }
    eprintln!("{said}");
    assert!(output.status.success(), "{said}");
}

#[cfg(feature = "serve")]
#[test]
fn the_page_works_in_a_browser() {
    drive("serve.py");
}

#[test]
fn the_report_works_in_a_browser() {
    drive("report.py");
}
