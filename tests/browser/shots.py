"""Screenshots of the pages of any server: of a small archive in the tests, of a real one for the documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from browser.chrome import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 832}}
_DARK: dict[str, Any] = {**_DESKTOP, "color_scheme": "dark"}
_PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def take_screenshots(browser: Browser, url: str, folder: Path, question: str) -> list[Path]:
    """Take the screenshots that the documents and a reviewer want; returns the files.

    `url` is that of a server; `question` should have a good answer in its archive, which is shown beside its talk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []

    def take(name: str, page: Page) -> None:
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(200)
        path = folder / f"{name}.png"
        page.screenshot(path=path)
        taken.append(path)

    answers = f"/?{urlencode({'q': question})}"
    with watched(browser, url, **_DESKTOP) as (context, _):
        page = context.new_page()
        for name, path in (("start", "/"), ("talks", "/talks"), ("map", "/map"), ("answers", answers)):
            page.goto(path)
            take(name, page)
        first = page.locator("#answers .time").first.get_attribute("href") or ""
        strip = page.locator("#answers .strip").first
        if strip.count():
            strip.locator("a:not([tabindex='-1'])").first.focus()
            strip.screenshot(path=folder / "strip.png")
            taken.append(folder / "strip.png")
        page.goto(first)
        take("talk", page)
        page.goto("/api")
        take("api", page)
    with watched(browser, url, **_DARK) as (context, _):
        page = context.new_page()
        for name, path in (("dark", first), ("dark-start", "/")):
            page.goto(path)
            take(name, page)
    with watched(browser, url, **_PHONE) as (context, _):
        page = context.new_page()
        for name, path in (("phone", answers), ("phone-talk", first), ("phone-start", "/"), ("phone-map", "/map")):
            page.goto(path)
            take(name, page)
    return taken
