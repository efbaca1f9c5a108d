"""Every page by axe: in light and dark, on a phone, and in colours that the system forces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from browser.archive import YOUTUBE_ID
from browser.chrome import accessibility_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.chrome import Watch

PAGES = {
    "start": "/",
    "answers": "/?q=ship+time",
    "answers-filtered": "/?q=bread&channel=Backstube&language=de",
    "nothing-found": "/?q=qqqzzz&mode=lexical",
    "talk": "/talk/harbour?t=50",
    "talk-of-answers": "/talk/harbour?t=50&q=bee",
    "talk-estimated": "/talk/meeting",
    "talk-embedded": f"/talk/{YOUTUBE_ID}?t=40",
    "talk-repaired": "/talk/cafe",
    "talk-hostile": "/talk/evil",
    "talks": "/talks",
    "map": "/map",
    "api": "/api",
    "error": "/talk/nobody",
    "mistaken": f"/?q=ship&after={quote('someday')}",
}

MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "phone": {"color_scheme": "light", "forced_colors": "none", "width": 390},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(name: str, page: Page, watch: Watch) -> None:
    page.goto(PAGES[name])
    found = []
    for mode, given in MODES.items():
        media = dict(given)
        page.set_viewport_size({"width": media.pop("width", 1280), "height": 800})
        page.emulate_media(**media)
        faults = accessibility_faults(page)
        found += [f"{mode}: {faults}"] if faults else []
    assert not found, "\n".join(found)
    if name in ("error", "mistaken"):
        watch.wrong.clear()
