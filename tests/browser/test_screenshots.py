"""Screenshots for whoever judges how the pages look: they lie in .cache/screenshots after each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from browser.chrome import SCREENSHOTS
from browser.shots import take_screenshots

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from talksearch.cli.server.serve import Serving


def test_every_page_has_its_picture(browser: Browser, site: Serving) -> None:
    taken = take_screenshots(browser, site.url, SCREENSHOTS, "bee")
    assert {path.stem for path in taken} >= {"start", "answers", "talk", "strip", "map", "phone", "dark"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in taken)
