//! Every format of a report: nothing that one shows is missing in another, and nothing that a machine holds has any power in it.
//!
//! The formats are read back by others: the `csv` crate, `pulldown-cmark`, `quick-xml` (the HTML is well-formed XML as well).

use std::collections::BTreeSet;

use actriage::checks::judgement::Status;
use actriage::report::model::{CheckInfo, Report};
use actriage::report::{csv as csv_report, html, json, junit, markdown, terminal, visible};
use pulldown_cmark::{Event as Markdown, Options, Parser, Tag, TextMergeStream};
use quick_xml::Reader;
use quick_xml::events::Event as Xml;

use crate::checks::{report_on, root};
use crate::workshop::recipe::File;

/// A report with one of everything: every status, causes with symptoms, files that could not be read.
fn everything() -> Report {
    let mut files = crate::cli::many_findings();
    // Some questions stay open, and some files are no use.
    files.retain(|file| !file.path.contains("services") && !file.path.contains("hosts"));
    files.push(File { path: "config/broken.evtx".to_owned(), bytes: b"ElfFile\0cut off".to_vec() });
    files.push(File { path: "notes/holiday.jpg".to_owned(), bytes: vec![0xff, 0xd8, 0xff, 0xe0, 1, 2, 3] });
    let report = report_on(&files);
    for status in [Status::Blocker, Status::Warning, Status::Healthy, Status::NotCollected] {
        assert!(report.checks.iter().any(|check| check.status == status), "no {}", status.name());
    }
    assert!(report.checks.iter().any(|check| !check.explains.is_empty()), "nothing explains anything");
    assert!(report.checks.iter().any(|check| !check.notes.is_empty()), "no notes");
    assert!(!report.timeline.moments.is_empty(), "no timeline");
    assert!(report.bundle.artifacts.iter().any(|file| file.reason.is_some()), "every file was read");
    report
}

fn findings(report: &Report) -> impl Iterator<Item = &CheckInfo> {
    report.checks.iter().filter(|check| check.status.is_finding())
}

/// A piece of XML: an element with its attributes, or its end.
#[derive(Debug, Default)]
struct Page {
    /// Names of elements in the order of the source, ends with a slash.
    tags: Vec<String>,
    /// Element, attribute, value.
    attributes: Vec<(String, String, String)>,
    /// Texts without any markup between.
    texts: Vec<String>,
}

/// Reads well-formed XML; only the five entities that XML itself knows are understood.
fn read_xml(text: &str) -> Page {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut page = Page::default();
    let mut run = String::new();
    loop {
        let event =
            reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.error_position()));
        if !matches!(event, Xml::Text(_) | Xml::GeneralRef(_)) && !run.is_empty() {
            page.texts.push(std::mem::take(&mut run));
        }
        match event {
            Xml::Start(ref start) | Xml::Empty(ref start) => {
                let name = start.name().as_ref().to_owned();
                for attribute in start.attributes() {
                    let attribute = attribute.unwrap();
                    let key = attribute.key.as_ref().to_owned();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    page.attributes.push((name.clone(), key, value));
                }
                page.tags.push(name);
            }
            Xml::End(end) => {
                page.tags.push(format!("/{}", end.name().as_ref()));
            }
            Xml::Text(piece) => run.push_str(&piece),
            Xml::GeneralRef(name) => {
                let entity = format!("&{};", &*name);
                run.push_str(&quick_xml::escape::unescape(&entity).unwrap());
            }
            Xml::DocType(_) | Xml::Decl(_) => {}
            Xml::Eof => return page,
            other => panic!("{other:?}"),
        }
    }
}

/// What a reader of the Markdown sees, and its structure without the words.
fn read_markdown(text: &str) -> (String, Vec<String>) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_FOOTNOTES;
    let (mut seen, mut shape) = (String::new(), Vec::new());
    for event in TextMergeStream::new(Parser::new_ext(text, options)) {
        match event {
            Markdown::Text(text) | Markdown::Code(text) => seen.push_str(&text),
            Markdown::Start(Tag::Link { dest_url, .. }) => shape.push(format!("link {dest_url}")),
            Markdown::Start(tag) => shape.push(format!("{tag:?}")),
            Markdown::End(tag) => {
                seen.push('\n');
                shape.push(format!("/{tag:?}"));
            }
            Markdown::SoftBreak | Markdown::HardBreak => seen.push('\n'),
            other => shape.push(format!("{other:?}")),
        }
    }
    // Inline tags end without a new line between the words of a sentence.
    (seen, shape)
}

fn read_csv(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn csv_of(report: &Report) -> String {
    csv_report::head() + &csv_report::rows(report)
}

fn junit_of(report: &Report) -> String {
    format!("{}{}{}", junit::head(), junit::suite(report, junit::Options::default()), junit::foot())
}

fn terminal_of(report: &Report) -> String {
    terminal::render(report, terminal::Options { width: 60_000, color: false, all: true })
}

/// Ids of findings, locators of evidence and steps of remedies are in every format.
#[test]
fn every_format_tells_everything() {
    let report = everything();
    let page = read_xml(&html::render(&report));
    let (note, _) = read_markdown(&markdown::render(&report));
    let table = read_csv(&csv_of(&report));
    let gate = read_xml(&junit_of(&report));
    let screen = terminal_of(&report);
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json::render(&report, true).unwrap()).unwrap(),
        value
    );
    let in_every = |text: &str, what: &str| {
        let text = &visible(text);
        assert!(page.texts.iter().any(|item| item == text), "HTML lacks the {what} {text}");
        assert!(note.contains(text), "Markdown lacks the {what} {text}");
        assert!(table.iter().flatten().any(|cell| cell.contains(text)), "CSV lacks the {what} {text}");
        let in_gate = gate.texts.iter().any(|item| item.contains(text))
            || gate.attributes.iter().any(|(_, _, item)| item.contains(text));
        assert!(in_gate, "JUnit lacks the {what} {text}");
        assert!(screen.contains(text), "the terminal lacks the {what} {text}");
    };
    let mut told = [0, 0, 0];
    for check in findings(&report) {
        in_every(&check.id, "id");
        told[0] += 1;
        let remedy = check.remedy.as_ref().unwrap();
        for step in &remedy.steps {
            in_every(step, "step");
            told[2] += 1;
        }
        for text in
            [&remedy.caution, &remedy.rollback, &remedy.verify].into_iter().filter(|text| !text.is_empty())
        {
            in_every(text, "advice");
        }
    }
    for check in &report.checks {
        for item in &check.evidence {
            in_every(&item.locator, "locator");
            in_every(&item.observed, "value");
            told[1] += 1;
        }
        for missing in &check.missing {
            in_every(&missing.collect, "command");
        }
        check.notes.iter().for_each(|text| in_every(text, "note"));
    }
    println!("{} findings, {} locators, {} steps in six formats", told[0], told[1], told[2]);
    assert!(told[0] >= 10 && told[1] >= 50 && told[2] >= 20, "{told:?}");
}

/// One row a check and piece of evidence; every row as long as the first.
#[test]
fn the_table_has_a_row_for_each_piece_of_evidence() {
    let report = everything();
    let rows = read_csv(&csv_of(&report));
    let wanted: usize = report.checks.iter().map(|check| check.evidence.len().max(1)).sum();
    assert_eq!(rows.len(), wanted + 1);
    assert_eq!(rows[0], csv_report::COLUMNS);
}

/// The counts of the suite are those of the cases: gates read the first, people the second.
#[test]
fn the_gate_fails_at_blockers_and_skips_what_was_not_collected() {
    let report = everything();
    let count = |status: Status| report.checks.iter().filter(|check| check.status == status).count();
    for (options, failures) in [
        (junit::Options::default(), count(Status::Blocker)),
        (junit::Options { warnings_fail: true }, count(Status::Blocker) + count(Status::Warning)),
    ] {
        let page = read_xml(&junit::suite(&report, options));
        let elements = |name: &str| page.tags.iter().filter(|tag| *tag == name).count();
        let attribute = |name: &str| {
            let found = page.attributes.iter().find(|(tag, key, _)| tag == "testsuite" && key == name);
            found.unwrap().2.parse::<usize>().unwrap()
        };
        assert_eq!((elements("failure"), attribute("failures")), (failures, failures));
        assert_eq!(
            (elements("skipped"), attribute("skipped")),
            (count(Status::NotCollected), count(Status::NotCollected))
        );
        assert_eq!((elements("testcase"), attribute("tests")), (report.checks.len(), report.checks.len()));
    }
}

/// Texts with which evidence has been turned against its reader.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "]]></system-out><failure/>",
    "</style><script>x</script>",
    "&lt;b&gt; &amp; &#60;",
    "-->",
    "\u{1b}[31mred\u{1b}]8;;http://evil.example\u{7}link",
    "\u{202e}gnp.exe\u{2066}\u{61c}",
    "a\u{0}b\u{85}c\u{9b}31m\u{ffff}",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1\r\n# heading\r\n",
    "x\",=1,\"",
    "![x](http://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "<https://evil.example>",
    "https://evil.example/ www.evil.example a@evil.example",
    "`code` ```` fence",
    "`",
    " ",
    "    code",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "| a | b |",
    "*bold* _it_ ~~no~~ $x$ [^1] \\",
    "\\u{1b}",
    "\n\n    code\n",
];

/// Makes every text of a report that comes from a machine, or from a rule, this one.
fn poison(report: &mut Report, text: &str) {
    let own = || text.to_owned();
    report.bundle.path = own();
    report.verdict.summary = own();
    report.machine.computer = Some(own());
    report.machine.office.version = Some(own());
    report.machine.proxy.winhttp = Some(own());
    for file in &mut report.bundle.artifacts {
        (file.path, file.kind, file.reason) = (own(), own(), Some(own()));
    }
    for check in &mut report.checks {
        (check.title, check.summary) = (own(), own());
        check.notes = vec![own()];
        for item in &mut check.evidence {
            (item.artifact, item.locator, item.observed, item.expected) = (own(), own(), own(), Some(own()));
        }
        for missing in &mut check.missing {
            (missing.what, missing.collect) = (own(), own());
        }
        if let Some(remedy) = &mut check.remedy {
            remedy.steps.iter_mut().for_each(|step| *step = own());
            (remedy.caution, remedy.rollback, remedy.verify) = (own(), own(), own());
            remedy.references = vec![own()];
        }
    }
    for moment in &mut report.timeline.moments {
        (moment.what, moment.artifact, moment.locator) = (own(), own(), own());
    }
}

/// Hostile text changes no structure: each format has the elements that it has with a harmless word in the same places.
#[test]
fn hostile_evidence_is_harmless_in_every_format() {
    let mut report = report_on(&crate::cli::many_findings());
    poison(&mut report, "word");
    let tags = |report: &Report| {
        let page = read_xml(&html::render(report));
        // How many lines a title takes in the picture depends on its length, and a reference is a link only if it is an address.
        let kept = |tag: &String| !matches!(tag.as_str(), "text" | "/text" | "a" | "/a");
        page.tags.into_iter().filter(kept).collect::<Vec<_>>()
    };
    let plain_tags = tags(&report);
    let plain_gate = read_xml(&junit_of(&report)).tags;
    let shape = |report: &Report| {
        let shape = read_markdown(&markdown::render(report)).1;
        // A reference is a link only if it is an address.
        shape.into_iter().filter(|item| !item.contains("ink")).collect::<Vec<_>>()
    };
    let plain_shape = shape(&report);
    let plain_rows = read_csv(&csv_of(&report)).len();
    for text in HOSTILE {
        poison(&mut report, text);
        assert!(tags(&report) == plain_tags, "HTML of {text:?}");
        assert_eq!(read_xml(&junit_of(&report)).tags, plain_gate, "JUnit of {text:?}");
        assert!(shape(&report) == plain_shape, "Markdown of {text:?}:\n{}", markdown::render(&report));
        let table = csv_of(&report);
        let rows = read_csv(&table);
        assert_eq!(rows.len(), plain_rows, "CSV of {text:?}");
        let formula = rows.iter().flatten().find(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
        assert_eq!(formula, None, "CSV of {text:?}");
        // No format holds anything that a terminal or a bidirectional algorithm obeys.
        let outputs = [
            json::render(&report, false).unwrap(),
            html::render(&report),
            markdown::render(&report),
            table.replace('\r', ""),
            junit_of(&report),
            terminal_of(&report),
        ];
        for output in outputs {
            let without_breaks = output.replace('\n', "");
            assert_eq!(visible(&without_breaks), without_breaks, "{text:?}");
        }
        for line in
            read_markdown(&markdown::render(&report)).1.iter().filter(|item| item.starts_with("link "))
        {
            assert!(!line.contains("javascript:"), "{line}");
        }
    }
}

/// The HTML does nothing but stand there: one style, one script, both ours, nothing fetched, links to pages only.
#[test]
fn the_page_loads_nothing() {
    let allowed: BTreeSet<&str> = [
        "html", "head", "meta", "title", "style", "body", "main", "article", "header", "nav", "section",
        "footer", "h1", "h2", "h3", "h4", "p", "a", "span", "strong", "small", "code", "q", "time", "ol",
        "ul", "li", "dl", "dt", "dd", "div", "details", "summary", "button", "svg", "path", "rect", "text",
        "line", "circle", "script",
    ]
    .into();
    let mut report = report_on(&crate::cli::many_findings());
    for text in HOSTILE.iter().chain(&["word"]) {
        poison(&mut report, text);
        let page = read_xml(&html::render(&report));
        for tag in &page.tags {
            assert!(allowed.contains(tag.trim_start_matches('/')), "{tag}");
        }
        for (tag, name, value) in &page.attributes {
            assert!(
                !name.starts_with("on") && !["src", "style", "srcdoc", "action"].contains(&name.as_str()),
                "{tag} {name}"
            );
            if name == "href" {
                assert!(tag == "a", "{tag} {name}");
                assert!(
                    value.starts_with('#') || value.starts_with("https://") || value.starts_with("http://"),
                    "{value}"
                );
            }
        }
        assert_eq!(page.texts.iter().filter(|item| item.as_str() == html::SCRIPT).count(), 1);
        assert_eq!(page.texts.iter().filter(|item| item.as_str() == html::STYLE).count(), 1);
        assert_eq!(page.tags.iter().filter(|tag| *tag == "script" || *tag == "style").count(), 2);
    }
    for word in ["url(", "@import", "expression(", "http"] {
        assert!(!html::STYLE.contains(word), "the style holds {word}");
    }
    for word in ["fetch", "XMLHttp", "import", "http", "innerHTML", "eval"] {
        assert!(!html::SCRIPT.contains(word), "the script holds {word}");
    }
    assert!(html::policy().starts_with("default-src 'none'; "));
}

/// Every anchor is there once, and every link inside the page leads somewhere; for several reports in one file as well.
#[test]
fn links_inside_the_page_lead_somewhere() {
    let report = everything();
    let several =
        html::head("Reports") + &html::article(&report, 1) + &html::article(&report, 2) + html::foot();
    for text in [html::render(&report), several] {
        let page = read_xml(&text);
        let of = |name: &str| -> Vec<&str> {
            page.attributes
                .iter()
                .filter(|(_, key, _)| key == name)
                .map(|(.., value)| value.as_str())
                .collect()
        };
        let ids = of("id");
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "an id stands twice");
        let inner: Vec<&str> = of("href").into_iter().filter_map(|link| link.strip_prefix('#')).collect();
        let labels: Vec<&str> = of("aria-labelledby");
        assert!(inner.len() > 50 && labels.len() > 10);
        for link in inner.into_iter().chain(labels) {
            assert!(known.contains(link), "#{link} leads nowhere");
        }
    }
}

/// WCAG 2.2, relative luminance of `#rrggbb`.
fn luminance(color: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Success criteria 1.4.3 (text, 4.5) and 1.4.11 (edges of controls and of pictures, 3.0), for screen, dark screen and paper.
#[test]
fn colours_have_enough_contrast() {
    // The published extremes: black on white is 21.
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    let mut themes = 0;
    for block in html::STYLE.split(":root {").skip(1) {
        themes += 1;
        let block = block.split('}').next().unwrap();
        let value = |name: &str| {
            let at = block.split_once(&format!("--{name}: ")).unwrap_or_else(|| panic!("no {name}")).1;
            at.split(';').next().unwrap().trim()
        };
        for ground in ["page", "panel"] {
            for (color, least) in [
                ("text", 4.5),
                ("muted", 4.5),
                ("link", 4.5),
                ("red", 4.5),
                ("amber", 4.5),
                ("green", 4.5),
                ("blue", 4.5),
                ("edge", 3.0),
            ] {
                let found = contrast(value(color), value(ground));
                assert!(found >= least, "theme {themes}: {color} on {ground} has {found:.2}");
            }
        }
    }
    assert_eq!(themes, 3, "light, dark, paper");
}

/// Several formats of several bundles in one run: one file each, whole, with every bundle in it.
#[test]
fn several_formats_of_several_bundles() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut command = assert_cmd::Command::cargo_bin("actriage").unwrap();
    command.current_dir(root()).args([
        "analyze",
        "samples/blocked.zip",
        "samples/healthy.zip",
        "--format",
        "csv",
    ]);
    for format in ["html", "markdown", "junit", "json"] {
        command.arg("--report").arg(format!("{format}={}", path(format).display()));
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let rows = read_csv(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(rows.iter().filter(|row| row[0] == "bundle").count(), 1);
    let bundles: BTreeSet<&str> = rows.iter().skip(1).map(|row| row[0].as_str()).collect();
    assert_eq!(bundles, ["samples/blocked.zip", "samples/healthy.zip"].into());
    let page = read_xml(&read("html"));
    assert_eq!(page.tags.iter().filter(|tag| *tag == "article").count(), 2);
    assert_eq!(page.tags.iter().filter(|tag| *tag == "html").count(), 1);
    assert_eq!(read_xml(&read("junit")).tags.iter().filter(|tag| *tag == "testsuite").count(), 2);
    let note = read("markdown");
    assert_eq!(note.matches("\n# Clear\n").count() + note.matches("# Blocked\n").count(), 2);
    assert_eq!(read("json").lines().count(), 2);
}

/// A gate that must stop at warnings says so on the command line; the exit code stays.
#[test]
fn a_gate_chooses_whether_warnings_fail() {
    let run = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("actriage").unwrap();
        let output = command
            .current_dir(root())
            .args(["analyze", "samples/mixed.zip", "--format"])
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let report: serde_json::Value = serde_json::from_str(&run(&["json"]).1).unwrap();
    let count = |status: &str| {
        report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == status).count()
    };
    assert!(count("warning") > 0);
    let (plain, strict) = (run(&["junit"]), run(&["junit", "--junit-warnings-fail"]));
    assert_eq!(plain.1.matches("<failure").count(), count("blocker"));
    assert_eq!(strict.1.matches("<failure").count(), count("blocker") + count("warning"));
    assert_eq!(plain.0, strict.0);
}
