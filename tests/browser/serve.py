#!/usr/bin/env python3
"""Drives the page of `actriage serve` in chromium, as a person would.

    serve.py BINARY SAMPLES [--axe axe.min.js] [--shots FOLDER] [--slow MILLISECONDS]

Ends with 0 when all is well, with 77 when playwright or chromium are not there (tests skip then, aloud), else with 1.
"""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from browser import PATIENCE, SHAPES, Visitor, arguments, audit, expect, fits, launch, read_axe, sync_playwright

# The page of any bundle, and not of its report.
BUNDLE = re.compile(r"/bundle/\d+$")


class Guest(Visitor):
    """Somebody who waits for a verdict."""

    def go(self, selector, address):
        """Clicks what leads to another page, and waits until that is the page: what comes next must not happen to the old one."""
        with self.page.expect_navigation(url=address):
            self.page.click(selector)

    def verdict(self):
        """Waits for the verdict and gives it."""
        expect(self.page.locator(".verdict .word")).to_have_text(
            re.compile("blocked|suspect|clear|inconclusive|unreadable", re.I)
        )
        return self.page.locator(".verdict .word").inner_text().lower()


def start(binary):
    server = subprocess.Popen([binary, "serve"], stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]+", line)
        if found:
            return server, found.group(0)
    raise SystemExit("actriage serve printed no address")


def drop(page, files):
    """Drops files on the box: what the browser would hand to the page."""
    payload = [{"name": name, "data": base64.b64encode(data).decode()} for name, data in files]
    transfer = page.evaluate_handle(
        """async (files) => {
            const transfer = new DataTransfer();
            for (const { name, data } of files) {
                const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
                transfer.items.add(new File([bytes], name));
            }
            return transfer;
        }""",
        payload,
    )
    page.dispatch_event("#upload", "dragover", {"dataTransfer": transfer})
    assert "over" in page.locator("#upload").get_attribute("class"), "the box does not show that it is the target"
    page.dispatch_event("#upload", "drop", {"dataTransfer": transfer})


def with_script(visitor, address, samples, axe):
    page = visitor.page
    audit(page, axe, "the empty page")
    # Choose a file.
    page.set_input_files("#files", samples / "blocked.zip")
    page.wait_for_url("**/bundle/1")
    assert visitor.verdict() == "blocked"
    expect(page.locator("#causes li").first).to_be_visible()
    audit(page, axe, "a verdict")
    # The case note and the downloads.
    note = visitor.copies(page.locator("button[data-copy]"))
    assert note.strip() and note == page.locator("#note").input_value(), "the clipboard does not hold the case note"
    with page.expect_download() as download:
        page.click("text=Download JSON")
    assert download.value.suggested_filename == "actriage-blocked.json", download.value.suggested_filename
    report = json.loads(pathlib.Path(download.value.path()).read_text())
    assert report["verdict"]["outcome"] == "blocked" and report["bundle"]["path"] == "blocked.zip"
    # The report.
    visitor.go("text=Read the whole report", "**/bundle/1/report")
    for cause in report["verdict"]["root_causes"]:
        title = next(check["title"] for check in report["checks"] if check["id"] == cause)
        expect(page.get_by_text(title).first).to_be_visible()
    background = page.evaluate("getComputedStyle(document.querySelector('.verdict')).borderLeftWidth")
    assert background != "0px", "the policy keeps the report's own style out"
    audit(page, axe, "the report")
    page.go_back()
    page.wait_for_url("**/bundle/1")
    visitor.go("header a", address)
    # Drop three files; one is no bundle at all, and its name wants to be markup.
    hostile = "<img src=x onerror=alert(1)>.zip"
    whole = [(name, (samples / name).read_bytes()) for name in ("healthy.zip", "mixed.zip")]
    drop(page, [*whole, (hostile, b"PK\x03\x04 and no archive")])
    expect(page.locator("#bundles tbody tr")).to_have_count(4)
    words = page.locator("#bundles .badge")
    expect(words).to_have_text(["Blocked", "Blocked", "Unreadable", "Clear"])
    expect(page.get_by_role("link", name=hostile)).to_be_visible()
    audit(page, axe, "the table")
    # Compare the two that could be read.
    visitor.go("#compare button", "**/compare?*")
    expect(page.get_by_text("Findings that differ")).to_be_visible()
    audit(page, axe, "a comparison")
    visitor.go("header a", address)
    visitor.go(f"text={hostile}", BUNDLE)
    assert visitor.verdict() == "unreadable"
    visitor.go("text=Remove this bundle", address)
    expect(page.locator("#bundles tbody tr")).to_have_count(3)


def without_script(visitor, address, samples):
    page = visitor.page
    page.goto(address)
    page.set_input_files("#files", samples / "blocked.zip")
    visitor.go("#send", BUNDLE)
    assert visitor.verdict() == "blocked"
    visitor.go("text=Read the whole report", "**/bundle/*/report")
    expect(page.locator("h1")).to_be_visible()
    page.go_back()
    page.wait_for_url(BUNDLE)
    visitor.go("text=Remove this bundle", address)


def shots(browser, state, address, folder, axe):
    for (width, height), scheme in SHAPES:
        visitor = Guest(browser, state, viewport={"width": width, "height": height}, color_scheme=scheme)
        for name, path in (("bundles", ""), ("verdict", "bundle/1"), ("report", "bundle/1/report")):
            visitor.page.goto(address + path)
            fits(visitor.page, name)
            visitor.page.screenshot(path=folder / f"serve-{name}-{width}-{scheme}.png")
            audit(visitor.page, axe, f"{name}, {width}, {scheme}")
        assert not visitor.wrong, visitor.wrong
        visitor.context.close()


def main():
    given = arguments()
    axe = read_axe(given.axe)
    folder = given.shots or pathlib.Path(tempfile.mkdtemp(prefix="actriage-shots-"))
    server, entrance = start(given.binary)
    address = entrance.split("?")[0]
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            first = Guest(browser, slow=given.slow)
            first.context.grant_permissions(["clipboard-read", "clipboard-write"])
            first.page.goto(entrance)
            first.page.wait_for_url(address)
            with_script(first, address, given.samples, axe)
            assert not first.wrong, first.wrong
            state = first.context.storage_state()
            second = Guest(browser, state, given.slow, java_script_enabled=False)
            without_script(second, address, given.samples)
            assert not second.wrong, second.wrong
            shots(browser, state, address, folder, axe)
            browser.close()
    finally:
        server.terminate()
        server.wait(PATIENCE)
        if not given.shots:
            shutil.rmtree(folder)
    assert server.returncode == 0, f"the server ended with {server.returncode}"
    print("driven: choose, drop, verdict, report, copy, download, compare, remove; with and without script")


main()
