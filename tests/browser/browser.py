"""What the scripts share: a browser that remembers what went wrong, and axe-core."""

import argparse
import os
import pathlib
import sys

SKIPPED = 77
# Seconds for one step: an unoptimised build on a busy machine takes its time for an analysis.
PATIENCE = 90

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    print("playwright is not installed (pip install playwright)")
    sys.exit(SKIPPED)

# Expectations have a patience of their own, five seconds unless told.
expect.set_options(timeout=PATIENCE * 1000)

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
if not os.access(CHROMIUM, os.X_OK):
    print(f"there is no {CHROMIUM} (apt-get install chromium)")
    sys.exit(SKIPPED)

# Windows of a desk and of a telephone, in both colours.
SHAPES = [((width, height), scheme) for width, height in ((1280, 800), (390, 844)) for scheme in ("light", "dark")]


def arguments():
    """The program, its samples, axe-core, and where pictures go."""
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("samples", type=pathlib.Path)
    parser.add_argument("--axe", type=pathlib.Path)
    parser.add_argument("--shots", type=pathlib.Path)
    # Each answer from the network comes this much later: what a script does not wait for shows.
    parser.add_argument("--slow", type=int, default=0, metavar="MILLISECONDS")
    return parser.parse_args()


def launch(playwright):
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE * 1000)


def read_axe(path):
    if path and path.is_file():
        return path.read_text()
    print("SKIPPED: axe-core is not there, the pages were not audited")
    return None


def fits(page, what):
    """Nothing is wider than the window."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window, f"{what} is {wide} pixels wide in a window of {window}"


class Visitor:
    """A browser window that remembers everything that went wrong in it."""

    def __init__(self, browser, state=None, slow=0, **options):
        self.context = browser.new_context(storage_state=state, **options)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.wrong = []
        self.page.on("console", self.console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"uncaught: {error}"))
        self.page.on("dialog", self.dialog)
        if slow:
            session = self.context.new_cdp_session(self.page)
            unlimited = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
            session.send("Network.emulateNetworkConditions", {"latency": slow, **unlimited})

    def console(self, message):
        if message.type in ("error", "warning"):
            self.wrong.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def dialog(self, dialog):
        self.wrong.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    def copies(self, button):
        """Clicks a button that copies and gives what the clipboard holds then. The button says so for two seconds only, so what it says
        is written down before the click, however long this script is kept waiting."""
        button.evaluate(
            """(button) => {
                window.said = new Promise((say) => new MutationObserver(() => say(button.textContent)).observe(button, { childList: true }));
            }"""
        )
        button.click()
        said = self.page.evaluate("window.said")
        assert said == "Copied", f"the button says {said!r}"
        return self.page.evaluate("navigator.clipboard.readText()")


def audit(page, axe, what):
    """Asks axe-core, when it is there."""
    if not axe:
        return
    page.evaluate(axe)
    # The size of targets (WCAG 2.2, 2.5.8) is not asked for unless one does.
    result = page.evaluate("axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})")
    wrong = [f"{item['id']}: {node['html']}" for item in result["violations"] for node in item["nodes"]]
    assert not wrong, f"axe-core on {what}: " + "\n".join(wrong)
    print(f"axe-core: {what}: no violation, {len(result['passes'])} rules passed")
