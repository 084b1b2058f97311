//! What is linked into the program: permissive licences only, and no way to a network.

use std::collections::BTreeMap;
use std::process::Command;

use crate::checks::root;

/// Name → licence expression of every crate that a normal build links.
fn linked() -> BTreeMap<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--edges", "normal", "--all-features", "--prefix", "none", "--format", "{p}\t{l}"])
        .arg("--offline")
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| {
            let (package, licence) = line.trim_end_matches(" (*)").split_once('\t')?;
            Some((package.split(' ').next()?.to_owned(), licence.trim_end_matches(" (*)").to_owned()))
        })
        .collect()
}

/// Strings of the first array after a key in deny.toml.
fn list(text: &str, key: &str) -> Vec<String> {
    let start = text.find(key).unwrap_or_else(|| panic!("deny.toml has no {key}"));
    let body = &text[start..];
    let end = body.find("\n]").unwrap();
    body[..end].split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// `A OR B`: one allowed alternative is enough; `A AND B`: all parts must be.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    expression
        .split(" OR ")
        .any(|choice| choice.split(" AND ").all(|part| allow.iter().any(|name| name == part.trim())))
}

#[test]
fn every_linked_crate_has_an_allowed_licence() {
    let deny = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let allow = list(&deny, "allow = [");
    let linked = linked();
    assert!(linked.len() > 20, "cargo tree listed only {} crates", linked.len());
    let bad: Vec<_> = linked.iter().filter(|(_, licence)| !allowed(licence, &allow)).collect();
    assert!(bad.is_empty(), "not allowed by deny.toml: {bad:?}");
}

#[test]
fn no_linked_crate_opens_a_network() {
    let deny = std::fs::read_to_string(root().join("deny.toml")).unwrap();
    let banned = list(&deny, "deny = [");
    assert!(banned.contains(&"reqwest".to_owned()));
    let found: Vec<String> = linked().into_keys().filter(|name| banned.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// The page of `actriage serve` stands on the server half of hyper. Cargo joins features, so one careless dependency would bring the client.
#[test]
fn no_client_half_of_hyper_is_linked() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["tree", "--edges", "normal", "--all-features", "--prefix", "none", "--format", "{p}\t{f}"])
        .arg("--offline")
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let hyper: Vec<&str> = text.lines().filter(|line| line.starts_with("hyper")).collect();
    assert!(hyper.iter().any(|line| line.contains("server")), "hyper is not in the tree: {hyper:?}");
    let client: Vec<_> = hyper.iter().filter(|line| line.contains("client")).collect();
    assert!(client.is_empty(), "{client:?}");
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allow = ["MIT".to_owned(), "ISC".to_owned()];
    assert!(allowed("MIT OR GPL-2.0", &allow) && allowed("MIT/Apache-2.0", &allow));
    assert!(!allowed("MIT AND GPL-2.0", &allow) && !allowed("GPL-2.0-or-later", &allow));
}
