//! What a browser may do with an answer: the second wall behind the escaping.
//!
//! A content security policy that lets in our own style and script by their hashes, and nothing else: a tag that evidence managed to
//! smuggle in would neither run nor load anything.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// The style of every page.
pub const STYLE: &str = include_str!("style.css");
/// The script of every page: dropping, progress, copying.
pub const SCRIPT: &str = include_str!("page.js");
/// The icon of the page.
pub const ICON: &str = include_str!("icon.svg");

/// The policy of our own pages.
pub static PAGE: LazyLock<String> = LazyLock::new(|| policy(&[STYLE], &[SCRIPT]));

/// Headers of every answer that does not set its own.
pub const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The policy of a page with these inline styles and scripts.
pub fn policy(styles: &[&str], scripts: &[&str]) -> String {
    let mut text = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
                    img-src 'self'; connect-src 'self'"
        .to_owned();
    for (kind, blocks) in [("style-src", styles), ("script-src", scripts)] {
        if !blocks.is_empty() {
            let _ = write!(text, "; {kind}");
        }
        for block in blocks {
            let _ = write!(text, " 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(block.as_bytes())));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{PAGE, policy};

    /// The example of the Content Security Policy Level 3 specification, section 8.3: the hash of `doSomething();`.
    #[test]
    fn hashes_are_those_that_a_browser_computes() {
        let text = policy(&[], &["doSomething();"]);
        assert!(text.ends_with("script-src 'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"), "{text}");
        assert!(!text.contains("style-src") && !PAGE.contains("unsafe"));
    }
}
