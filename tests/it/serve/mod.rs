//! `actriage serve` under attack and on a visit. Requests are written byte by byte: no client library would send what an attacker does.

#[cfg(feature = "serve")]
mod attacks;
#[cfg(feature = "serve")]
mod server;
#[cfg(feature = "serve")]
mod visits;

/// A build without the page says how to get one.
#[cfg(not(feature = "serve"))]
#[test]
fn a_build_without_the_page_says_how_to_get_it() {
    let mut command = assert_cmd::Command::cargo_bin("actriage").unwrap();
    let output = command.args(["serve", "--port", "4000"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--features serve"));
}
