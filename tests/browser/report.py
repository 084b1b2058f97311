#!/usr/bin/env python3
"""Opens the HTML report as the one file that people mail to each other.

    report.py BINARY SAMPLES [--axe axe.min.js] [--shots FOLDER]

Ends with 0 when all is well, with 77 when playwright or chromium are not there (tests skip then, aloud), else with 1.
"""

import pathlib
import subprocess
import tempfile

from browser import SHAPES, Visitor, arguments, audit, expect, fits, launch, read_axe, sync_playwright

# Each verdict, and many reports in one file.
ALONE = ("mixed", "blocked", "partial", "healthy")


def write(binary, samples, folder):
    """Reports of samples: name and address of each file."""
    bundles = {name: [samples / f"{name}.zip"] for name in ALONE}
    bundles["several"] = [bundles[name][0] for name in ("mixed", "healthy")]
    for name, paths in bundles.items():
        path = folder / f"{name}.html"
        done = subprocess.run([binary, "analyze", *paths, "--format", "html", "--output", path], check=False)
        assert done.returncode in (0, 1), f"analyze ended with {done.returncode}"
        yield name, path.as_uri()


def read(visitor, name, address, axe, shot):
    page = visitor.page
    page.goto(address)
    fits(page, name)
    if shot:
        page.screenshot(path=shot)
    # What is folded is read as well.
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    fits(page, f"{name} unfolded")
    audit(page, axe, f"{name}, {page.viewport_size['width']}")
    # Every link inside leads somewhere that can be seen.
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map((link) => link.hash)"
        ".filter((hash) => !document.getElementById(decodeURIComponent(hash.slice(1)))?.getClientRects().length)"
    )
    assert not lost, f"{name}: {lost}"


def copies(visitor, address):
    page = visitor.page
    page.goto(address)
    button = page.locator("button[data-copy]").first
    wanted = button.get_attribute("data-copy")
    assert visitor.copies(button) == wanted, "the clipboard does not hold the text of the button"


def without_script(visitor, address):
    page = visitor.page
    page.goto(address)
    expect(page.locator("h1")).to_be_visible()
    assert page.locator("button:visible").count() == 0, "a button that does nothing is shown"
    fold = page.locator("summary").first
    fold.click()
    expect(page.locator("details .check").first).to_be_visible()


def on_paper(visitor, address):
    page = visitor.page
    page.emulate_media(media="print")
    page.goto(address)
    assert page.locator("nav:visible, button:visible").count() == 0, "paper has no links and buttons"
    expect(page.locator("details .check").first).to_be_visible()


def main():
    given = arguments()
    axe = read_axe(given.axe)
    with tempfile.TemporaryDirectory(prefix="actriage-report-") as folder, sync_playwright() as playwright:
        files = dict(write(given.binary, given.samples, pathlib.Path(folder)))
        browser = launch(playwright)
        for (width, height), scheme in SHAPES:
            # Taller than a window, so that a picture shows more than the head.
            tall = {"width": width, "height": height if not given.shots else 1500}
            visitor = Visitor(browser, viewport=tall, color_scheme=scheme)
            # Whatever the file asks for beside itself.
            visitor.page.on("request", lambda request: request.url in files.values() or visitor.wrong.append(request.url))
            for name, address in files.items():
                shot = given.shots and given.shots / f"{'report' if name == 'mixed' else 'report-' + name}-{width}-{scheme}.png"
                read(visitor, name, address, axe, shot)
            assert not visitor.wrong, visitor.wrong
            visitor.context.close()
        for visit, options in ((copies, {}), (without_script, {"java_script_enabled": False}), (on_paper, {})):
            visitor = Visitor(browser, **options)
            if visit is copies:
                visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
            visit(visitor, files["mixed"])
            assert not visitor.wrong, visitor.wrong
        browser.close()
    print(f"read: {len(files)} files at {len(SHAPES)} shapes, no message on the console; copied; without script; on paper")


main()
