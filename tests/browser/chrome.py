"""The browser of these tests: the system's own Chromium, and a guard around each page that it opens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

try:
    from playwright.sync_api import expect
except ImportError:  # then every test is skipped
    expect = None

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

CHROMIUM = "TALKSEARCH_CHROMIUM"
"""The variable that names a Chromium which is not among `_NAMES`."""

REQUIRED = "TALKSEARCH_BROWSER"
"""The variable that, as `required`, makes a failure of what would be skipped; .ci/run sets it."""

SCREENSHOTS = Path(__file__).parents[2] / ".cache" / "screenshots"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=user-gesture-required",  # as a person's browser has it
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever gets past the guard reaches nothing
)

_AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
    "preload": False,  # which would fetch the style sheets a second time
}
"""WCAG 2.2 at level AA, and what axe's authors advise besides."""

_PATIENCE_S = 20
"""How long anything may take: a machine that runs all other tests beside these is slow; what works waits for none of
it."""

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error(`content security policy: ${event.violatedDirective} refused ${event.blockedURI}`);
});
"""


def chromium() -> str:
    """Return where Chromium is; empty where there is none."""
    given = os.environ.get(CHROMIUM, "")
    return (shutil.which(given) or "") if given else next(filter(None, map(shutil.which, _NAMES)), "")


def missing() -> str:
    """Return one line that says what these tests lack and how to get it; empty when nothing is missing."""
    packages = [name for name, found in (("chromium", chromium()), ("ffmpeg", shutil.which("ffmpeg"))) if not found]
    if packages:
        named = f" (or name a Chromium in {CHROMIUM})" if "chromium" in packages else ""
        return (
            f"The tests in a browser need {' and '.join(packages)}: "
            f"sudo apt-get install {' '.join(packages)}{named}, then run them again."
        )
    if expect is None:
        return "The tests in a browser need the package playwright: pip install playwright, then run them again."
    return ""


def launched(playwright: Any) -> Browser:
    """Start Chromium, headless."""
    expect.set_options(timeout=_PATIENCE_S * 1000)
    browser: Browser = playwright.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
    return browser


def until(page: Page, expression: str, within_s: float = _PATIENCE_S) -> None:
    """Wait until an expression is true. Playwright's own way evaluates a text in the page, which its policy forbids."""
    end = monotonic() + within_s
    while not page.evaluate(expression):
        assert monotonic() < end, f"{expression} did not come true within {within_s} s"
        page.wait_for_timeout(30)


def accessibility_faults(page: Page) -> str:
    """Return what axe finds on a page as it stands, in words; empty where it finds nothing."""
    from axe_playwright_python.sync_playwright import Axe

    results = Axe().run(page, options=_AXE)
    return results.generate_report() if results.violations_count else ""


@dataclass
class Watch:
    """What happened on the pages of a test that should not happen: a test may clear what it meant to happen."""

    asked: list[str] = field(default_factory=list)
    """All addresses that were asked for."""
    outside: list[str] = field(default_factory=list)
    """Addresses beyond the server that were asked for."""
    wrong: list[str] = field(default_factory=list)
    """Errors of scripts, breaches of the content security policy, and answers with an error."""


@contextmanager
def watched(browser: Browser, url: str, **options: Any) -> Iterator[tuple[BrowserContext, Watch]]:
    """Open a context of its own, in which paths are those of a server; whatever is amiss fails the test at its end."""
    watch = Watch()
    context = browser.new_context(base_url=url, **{"viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(_PATIENCE_S * 1000)
    context.add_init_script(_REPORT_VIOLATIONS)

    def note_request(request: Request) -> None:
        watch.asked.append(request.url)
        if not request.url.startswith((url, "data:", "blob:")):
            watch.outside.append(request.url)

    def note_response(response: Response) -> None:
        if response.status >= 400:
            watch.wrong.append(f"{response.status} {response.url}")

    def note_message(message: ConsoleMessage) -> None:
        # An answer with an error is noted as such, with its address.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            watch.wrong.append(message.text)

    def note_page(page: Page) -> None:
        page.on("pageerror", lambda error: watch.wrong.append(str(error)))

    context.on("request", note_request)
    context.on("response", note_response)
    context.on("console", note_message)
    context.on("page", note_page)
    try:
        yield context, watch
    finally:
        context.close()
    assert not watch.outside, f"asked for beyond the server: {watch.outside}"
    assert not watch.wrong, "; ".join(watch.wrong)
