//! The pages. A page is built with [`Markup`], which cannot write a text unescaped.

mod bundle;
mod compare;
mod home;

pub use bundle::bundle;
pub use compare::compare;
pub use home::{home, state};

use axum::response::{IntoResponse, Response};

use super::policy;
use super::store::{Slot, Stage};
use crate::report::html::tone;
use crate::report::markup::Markup;
use crate::report::verdict_word;

/// What the script asks for, and what it last knew: when the answer differs, the page is loaded again.
struct Poll {
    address: String,
    known: String,
}

/// A whole page.
fn page(title: &str, poll: Option<&Poll>, body: impl FnOnce(&mut Markup)) -> Response {
    let mut page = Markup::default();
    page.verbatim("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    page.verbatim("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    page.verbatim("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
    page.verbatim("<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\"/>\n");
    if poll.is_some() {
        page.verbatim("<noscript><meta http-equiv=\"refresh\" content=\"2\"/></noscript>\n");
    }
    page.leaf("title", &[], &format!("{title} – actriage"));
    page.verbatim("\n<style>");
    page.verbatim(policy::STYLE);
    page.verbatim("</style>\n</head>\n");
    let body_of = |page: &mut Markup| {
        page.verbatim("\n<header class=\"top\"><a href=\"/\">actriage</a> <span>What blocks activation?</span></header>\n<main>\n");
        body(page);
        page.verbatim("</main>\n<script>");
        page.verbatim(policy::SCRIPT);
        page.verbatim("</script>\n");
    };
    match poll {
        Some(poll) => {
            page.element("body", &[("data-poll", &poll.address), ("data-known", &poll.known)], body_of)
        }
        None => page.element("body", &[], body_of),
    }
    page.verbatim("\n</html>\n");
    // `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with our own forms, which the guard refuses. Nothing
    // of it leaves this origin either.
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy::PAGE.as_str()),
        ("referrer-policy", "same-origin"),
    ];
    (headers, page.finish()).into_response()
}

/// After the token was exchanged. A redirect would not do: when the address was opened from another site (a mail on the web), browsers hold
/// back strict cookies along the whole chain; a page of ours that goes on by itself starts a new chain.
pub fn welcome() -> Response {
    let text = concat!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>actriage</title>\n",
        "<meta http-equiv=\"refresh\" content=\"0; url=/\"/>\n</head>\n",
        "<body><main><h1>actriage</h1><p><a href=\"/\">Go on</a></p></main></body>\n</html>\n"
    );
    ([("content-type", "text/html; charset=utf-8")], text).into_response()
}

/// Why a request is not answered.
pub fn refused(message: &str) -> Response {
    page("Not possible", None, |page| {
        page.leaf("h1", &[], "That did not work");
        page.leaf("p", &[("id", "message")], message);
        page.verbatim("<p><a href=\"/\">Back to the bundles</a></p>\n");
    })
}

/// The verdict or the state in a word, and the class that gives it its colour.
fn badge(slot: &Slot) -> (&'static str, &'static str) {
    match &slot.stage {
        Stage::Waiting => ("Waiting", "pending"),
        Stage::Reading => ("Reading", "pending"),
        Stage::Failed(_) => ("Unreadable", "failed"),
        Stage::Done(report) => (verdict_word(report.verdict.outcome), tone(report.verdict.outcome)),
    }
}

/// A size for people, in binary units.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes, 0_usize);
    let mut rest = 0;
    while value >= 1024 && unit + 1 < UNITS.len() {
        rest = value % 1024;
        value /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 || rest == 0 {
        format!("{value} {name}")
    } else {
        format!("{value}.{} {name}", rest * 10 / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_said_in_binary_units() {
        let cases =
            [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (2 << 30, "2 GiB")];
        for (bytes, words) in cases {
            assert_eq!(size(bytes), words);
        }
    }
}
